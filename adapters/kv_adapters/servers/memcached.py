"""A memcached server for one run, on a loopback port."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kv_adapters.servers.process import (
    Launch,
    Server,
    ServerMissing,
    ask,
    find_program,
    free_port,
    running,
)

_MEGABYTES = 1024
"""The most it may hold: a run that fills it would see entries evicted. Taken only as needed."""
_LATEST = 2_082_758_400.0
"""2036-01-01, in seconds since 1970: an entry's end has 31 bits, and may be two years later."""


@contextmanager
def memcached_server(program: str | None = None) -> Iterator[Server]:
    """Runs `program`, else memcached from PATH. Raises ServerMissing where there is none."""
    found = program or find_memcached()
    argv = [found, "-U", "0", "-l", "127.0.0.1", "-m", str(_MEGABYTES)]

    def launch(_: Path) -> Launch:
        port = free_port()
        return Launch(
            argv=[*argv, "-p", str(port)],
            url=f"memcached://127.0.0.1:{port}",
            ready=lambda pid: _version(port, pid),
            stop=signal.SIGKILL,  # it looks at other signals once a second, and has nothing to save
            clocks=frozenset({"realtime", "monotonic"}),
            latest=_LATEST,
            settle=lambda _: _settle(port),
        )

    with running("memcached", launch) as server:
        yield server


def find_memcached() -> str:
    """The path of a server program. Raises ServerMissing."""
    program = find_program("memcached")
    if program is None:
        raise ServerMissing(
            "no memcached found: apt install memcached, or brew install memcached; or name a "
            "server by its URL, memcached://host:11211"
        )
    return program


def _version(port: int, pid: int) -> str:
    """What the server says it is; OSError if it is not the process `pid`, or not yet.

    Another server may have taken the port first: its data are not for us to touch.
    """
    answer = ask(("127.0.0.1", port), b"stats\r\n", b"END\r\n").decode()
    stats = dict(line.split(" ")[1:3] for line in answer.splitlines() if line.startswith("STAT "))
    if stats.get("pid") != str(pid):
        raise ConnectionError(f"port {port} belongs to process {stats.get('pid')}")
    return f"memcached {stats['version']}"


def _settle(port: int) -> None:
    """Returns when the server's clock has been set, if it was due. Raises OSError if it is gone.

    It is set once a second by a timer of the main thread, which sleeps in real time. A *new*
    connection wakes that thread; it may be answered, by another one, before the timer has run. The
    next one is accepted after that for certain.
    """
    for _ in range(2):
        ask(("127.0.0.1", port), b"version\r\n", b"\r\n")

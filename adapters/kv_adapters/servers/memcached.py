"""A memcached server for one run, on a loopback port."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

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
_PATIENCE: Final = 5.0


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
            user="nobody",  # it refuses to run as root
            stop=signal.SIGKILL,  # it looks at other signals once a second, and has nothing to save
            clocks=frozenset({"realtime", "monotonic"}),
            settle=lambda reached: _settle(port, reached),
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
    stats = _stats(port)
    if stats.get("pid") != str(pid):
        raise ConnectionError(f"port {port} belongs to process {stats.get('pid')}")
    return f"memcached {stats['version']}"


def _settle(port: int, reached: float) -> None:
    """Returns when the server's clock has come to `reached`, in seconds since 1970.

    It reads the time in a timer of its main thread, once a second of real time; a *new* connection
    wakes that thread, which then sees that the timer is due. Its clock counts whole seconds of two
    clocks from its start, and so may be a second behind the one, whenever it is asked. Raises
    OSError if the server is gone, or its clock stands still.
    """
    give_up = time.monotonic() + _PATIENCE
    while int(_stats(port)["time"]) < int(reached) - 1:
        if time.monotonic() > give_up:
            raise TimeoutError(f"memcached's clock stood still for {_PATIENCE:g} s")


def _stats(port: int) -> dict[str, str]:
    answer = ask(("127.0.0.1", port), b"stats\r\n", b"END\r\n").decode()
    return dict(line.split(" ")[1:3] for line in answer.splitlines() if line.startswith("STAT "))

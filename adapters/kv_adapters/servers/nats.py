"""A NATS server with JetStream for one run, on a loopback port."""

from __future__ import annotations

import json
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

_LATEST: Final = 9_000_000_000.0
"""2255-03-15, in seconds since 1970: times are 64 bits of nanoseconds."""


@contextmanager
def nats_server(program: str | None = None) -> Iterator[Server]:
    """Runs `program`, else nats-server from PATH; what it holds ends with it.

    Raises ServerMissing where there is none.
    """
    found = program or find_nats()

    def launch(folder: Path) -> Launch:
        port, name = free_port(), folder.name
        where = ["-a", "127.0.0.1", "-p", str(port), "-n", name]
        return Launch(
            argv=[found, *where, "-js", "-sd", str(folder / "data")],
            url=f"nats://127.0.0.1:{port}",
            ready=lambda _: _version(port, name),
            # Messages are stamped by it, and that is all that the store goes by.
            clocks=frozenset({"realtime"}),
            latest=_LATEST,
            mechanisms=("vdso",),  # a program without a C library preloads nothing
        )

    with running("nats", launch) as server:
        yield server


def find_nats() -> str:
    """The path of a server program. Raises ServerMissing."""
    program = find_program("nats-server", "/usr/sbin/nats-server")
    if program is None:
        raise ServerMissing(
            "no nats-server found: apt install nats-server, or brew install nats-server; or name "
            "a server by its URL, nats://127.0.0.1:4222"
        )
    return program


def _version(port: int, name: str) -> str:
    """What the server says it is; OSError if it is not the one called `name`, or not yet.

    Another server may have taken the port first: its data are not for us to touch.
    """
    greeting = ask(("127.0.0.1", port), b"", b"\r\n").split(b"\r\n")[0]
    told = json.loads(greeting.removeprefix(b"INFO ")) if greeting.startswith(b"INFO ") else {}
    if told.get("server_name") != name or not told.get("jetstream"):
        raise ConnectionError(f"port {port} is answered by {greeting!r}")
    return f"NATS {told['version']}"

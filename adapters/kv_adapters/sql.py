"""What the stores in a database on a server share: one table, five statements, the server's clock.

A row is a key, a value and a deadline. Keys are bytes that keep the order of keys, so that a
prefix is a range and no pattern (LIST-4); values are JSON text as bytes, in which NUL and integers
of any size stay what they are; a deadline is in microseconds since 1970 by the clock of the server,
the one that all clients of it have in common. A row whose deadline has come is dead to every
statement, and stays until it is written over or pruned.

No statement reads first and writes then: each change says in its own WHERE what it expects to
find. A swap reads the value, because equality of JSON is more than equality of text (CAS-7), and
writes if the text, byte by byte, is still the one that it read; else it reads again.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

from kv_spec.errors import InvalidTtl, Unavailable
from kv_spec.profile import Profile
from kv_spec.store import Entry

from kv_adapters.base import ListingStore, OptimisticStore
from kv_adapters.checks import Path, round_up
from kv_adapters.encoding import decode_key, encode_key, key_range, load_value
from kv_adapters.limits import check_encoded_size, check_key_size
from kv_adapters.spaces import Spaces
from kv_adapters.sql_database import Database, Driver

MAX_KEY: Final = 1024
"""Bytes of UTF-8 in a key, and a key in its encoded form may take twice as many."""
MAX_ENCODED: Final = 2600
"""Bytes in a row's key: PostgreSQL takes 2704 in an index, less its header, InnoDB 3072."""
_MAX_SPACE: Final = MAX_ENCODED - 2 * MAX_KEY - 64

_MICROSECOND: Final = 1000
_LONGEST: Final = 2**62
"""Microseconds that can be added to the date in 64 bits."""

_EXPIRED: Final = object()
"""The token of a row that is dead."""

_TABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_DATABASES: Final[Spaces[Database]] = Spaces(end=Database.close)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What is written in another way on each server, with `{table}` for the table's name.

    `now` is the microsecond in which a row is looked at, after a wait for its lock too;
    `began` is one instant for all rows of a statement.
    """

    create: str
    now: str
    began: str
    life: str
    """A parameter for a number of microseconds, or NULL."""
    insert: str
    """What follows the row of an INSERT that is to change nothing if the key is there."""
    replace: str
    """What follows the row of an INSERT that is to replace the row if the key is there."""


class Statements:
    """The statements of a store on one table."""

    def __init__(self, dialect: Dialect, table: str) -> None:
        live, key = f"(deadline IS NULL OR deadline > {dialect.now})", "entry_key = %s"
        dead = f"deadline <= {dialect.now}"
        deadline = f"{dialect.now} + {dialect.life}"
        row = f"INSERT INTO {table} (entry_key, entry_value, deadline) VALUES (%s, %s, {deadline})"
        update = f"UPDATE {table} SET entry_value = %s, deadline = {deadline} WHERE {key}"
        below = f"FROM {table} WHERE entry_key >= %s AND entry_key < %s"
        at_once = f"(deadline IS NULL OR deadline > {dialect.began})"
        self.create = dialect.create.format(table=table)
        self.probe = f"SELECT entry_key, entry_value, deadline FROM {table} WHERE 1 = 0"
        self.get = f"SELECT entry_value FROM {table} WHERE {key} AND {live}"
        self.look = f"SELECT entry_value, {live} FROM {table} WHERE {key}"
        self.set = f"{row} {dialect.replace}"
        self.add = f"{row} {dialect.insert}"
        self.revive = f"{update} AND {dead}"
        self.swap = f"{update} AND entry_value = %s AND {live}"
        self.delete = f"DELETE FROM {table} WHERE {key}"
        self.take = f"DELETE FROM {table} WHERE {key} AND entry_value = %s AND {live}"
        self.list = f"SELECT entry_key, entry_value {below} AND {at_once} ORDER BY entry_key"
        self.clear = f"DELETE {below}"
        self.prune = f"DELETE {below} AND deadline <= {dialect.began}"


class SqlStore(OptimisticStore, ListingStore):
    """Entries as rows; a space is a first component of all keys, which the caller never sees.

    Handles of one process on one table share their connections, which end with the last of them.
    """

    dialect: ClassVar[Dialect]
    profile = Profile(
        capabilities=frozenset({"bigint", "shared", "iterate"}),
        list_order="lex",
        after_close="error",
        durable=True,
        max_key_bytes=MAX_KEY,
    )

    def __init__(self, url: str, *, space: str = "", table: str = "kv") -> None:
        if not _TABLE_NAME.fullmatch(table):
            raise ValueError(f"{table!r} is no plain name of a table: letters, digits and _")
        self._root: Path = (space,)
        if len(encode_key(self._root)) > _MAX_SPACE:
            raise ValueError(f"the name of a space may take {_MAX_SPACE} bytes")
        driver = self._driver(url)
        self._sql = sql = Statements(self.dialect, table)
        self._name = f"{driver.name} {table} {url}"
        self._database = _DATABASES.open(
            self._name, lambda: Database(driver, probe=sql.probe, create=sql.create)
        )
        try:
            self._database.prepare()
        except BaseException:
            self.close()
            raise

    @classmethod
    @abstractmethod
    def _driver(cls, url: str) -> Driver:
        """How the server at `url` is reached. Raises ValueError for a URL of something else."""

    @classmethod
    @contextmanager
    def _connected(cls, url: str) -> Iterator[Self]:
        """Holds a handle, and with it the connections that those share which come and go."""
        store = cls(url)
        try:
            yield store
        finally:
            store.close()

    def describe(self) -> str:
        """The server's name and version."""
        return self._database.version()

    def prune(self) -> None:
        """Drops the rows of expired entries, which otherwise stay until they are written over."""
        self._check_open()
        self._database.execute(self._sql.prune, *key_range(self._root))

    def _path(self, key: object) -> Path:
        path = super()._path(key)
        check_key_size(path, MAX_KEY)
        check_encoded_size(self._key(path), MAX_ENCODED)
        return path

    def _read(self, path: Path) -> Any:
        rows = self._database.execute(self._sql.get, self._key(path)).rows
        return load_value(rows[0][0]) if rows else None

    def _write(self, path: Path, packed: Any, life: int | None) -> None:
        answer = self._database.execute(self._sql.set, self._key(path), packed, _microseconds(life))
        if not answer.changed:  # a trigger of somebody else's, for one (SET-5)
            raise Unavailable("the database took the write and stored nothing")

    def _remove(self, path: Path) -> None:
        self._database.execute(self._sql.delete, self._key(path))

    def _look(self, path: Path) -> tuple[Any, Any]:
        rows = self._database.execute(self._sql.look, self._key(path)).rows
        if not rows:
            return None, None
        value, live = rows[0]
        return (load_value(value), value) if live else (None, _EXPIRED)

    def _exchange(self, path: Path, token: Any, packed: Any, life: int | None) -> bool:
        key, microseconds = self._key(path), _microseconds(life)
        sql, execute = self._sql, self._database.execute
        if token is None:
            answer = execute(sql.add, key, packed, microseconds)
        elif token is _EXPIRED:
            answer = execute(sql.revive, packed, microseconds, key)
        elif packed is None:
            answer = execute(sql.take, key, token)
        else:
            answer = execute(sql.swap, packed, microseconds, key, token)
        return answer.changed > 0

    def _scan(self, prefix: Path) -> Iterator[Entry]:
        # All rows at once: one statement is a snapshot, and a cursor left open would hold it.
        rows = self._database.execute(self._sql.list, *key_range(self._root + prefix)).rows
        return ((decode_key(key)[1:], load_value(value)) for key, value in rows)

    def _clear(self) -> None:
        self._database.execute(self._sql.clear, *key_range(self._root))

    def _release(self) -> None:
        _DATABASES.close(self._name, self._database)

    def _key(self, path: Path) -> bytes:
        return encode_key(self._root + path)


def _microseconds(life: int | None) -> int | None:
    """A life in nanoseconds as the microseconds that the server adds to its clock.

    One more than asked: the clock drops what is less than a microsecond, and an entry must not
    end early (TTL-2). Raises InvalidTtl.
    """
    if life is None:
        return None
    microseconds = round_up(life, _MICROSECOND) + 1
    if microseconds > _LONGEST:
        raise InvalidTtl("a deadline so far ahead does not fit into 64 bits of microseconds")
    return microseconds

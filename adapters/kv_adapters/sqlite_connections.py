"""Connections to one SQLite database, lent to one thread at a time."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from kv_spec.errors import InvalidValue, Unavailable

from kv_adapters.sql_pool import Pool

_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS kv (key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL,
                                   deadline INTEGER)
"""
_RETRY: Final = 0.005


class Connections:
    """As many connections to a file as threads use it at once; one to a database in memory."""

    def __init__(self, file: str | None, busy_timeout: float = 30.0) -> None:
        self._file = file
        self._busy_timeout = busy_timeout
        self._pool = Pool(
            partial(_connect, file or ":memory:", busy_timeout),
            sqlite3.Connection.close,
            is_the_data=file is None,
        )
        self._only_one = threading.Lock()
        with self.use() as connection:
            self._prepare(connection)

    @contextmanager
    def use(self) -> Iterator[sqlite3.Connection]:
        """Lends a connection on which every statement is a transaction of its own.

        Raises Unavailable where the database can not be reached, InvalidValue for a blob that it
        does not take, StoreClosed after `close`.
        """
        if self._file is not None:
            with self._lent() as connection:
                yield connection
        else:
            with self._only_one, self._lent() as connection:
                yield connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Lends a connection within a transaction that is the only writer from its first read.

        It is committed at the end, and rolled back if an error comes before.
        """
        with self.use() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def close(self) -> None:
        """Closes what is idle now, and what is lent as soon as it comes back."""
        self._pool.close()

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        with _errors():
            connection = self._pool.take()
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.rollback()
                self._pool.give_back(connection)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if self._file is None:
            connection.execute(_TABLE)
            return
        tries = max(1, round(self._busy_timeout / _RETRY))
        while not _prepare_file(connection, last=tries == 1):
            tries -= 1
            time.sleep(_RETRY)

    def __del__(self) -> None:
        if hasattr(self, "_pool"):
            self._pool.close()


def _connect(file: str, busy_timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        file, timeout=busy_timeout, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _prepare_file(connection: sqlite3.Connection, *, last: bool) -> bool:
    """Makes the file ready; False if another process was in the way and this was not the last try.

    The change to WAL does not wait, as statements do, for another process that makes it too.
    """
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(_TABLE)
    except sqlite3.OperationalError as error:
        if last or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.DataError as error:
        raise InvalidValue(str(error)) from error
    except sqlite3.OperationalError as error:
        raise Unavailable(f"SQLite: {error}") from error

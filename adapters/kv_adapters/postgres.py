"""A store in PostgreSQL."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from kv_adapters.served import Served
from kv_adapters.sql import Dialect, SqlStore
from kv_adapters.sql_database import Answer, Driver, Fault

try:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict
except ImportError as error:
    raise ImportError(
        "this adapter needs psycopg 3: pip install kv-conformance[postgres]"
    ) from error

_FAULTS: Final = {
    "40001": Fault.DEADLOCK,  # serialization_failure
    "40P01": Fault.DEADLOCK,  # deadlock_detected
    "55P03": Fault.LOCKED,  # lock_not_available, which is how a lock_timeout ends
}
_GONE: Final = ("08", "53", "57")
"""Classes of errors: connection, insufficient resources, intervention by an operator."""


class PostgresStore(SqlStore, Served):
    """Entries as rows of a table in a PostgreSQL database, by default `kv`, made if it is missing.

    `url` is `postgresql://user:password@host:port/database` or `postgres://…`, with all that libpq
    takes in it. Keys and values are bytea. Deadlines are told and judged by the server's clock.
    Any number of threads and processes may use one table. Entries are as durable as the server is
    told to be.
    """

    program = "postgres"
    profile = SqlStore.profile.replace(name="postgres")

    # clock_timestamp() goes on while a statement waits for a lock, as now() does not.
    dialect = Dialect(
        create="CREATE TABLE {table} (entry_key bytea PRIMARY KEY, entry_value bytea NOT NULL, "
        "deadline bigint)",
        now="(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
        began="(extract(epoch FROM statement_timestamp()) * 1000000)::bigint",
        life="%s::bigint",
        insert="ON CONFLICT (entry_key) DO NOTHING",
        replace="ON CONFLICT (entry_key) DO UPDATE "
        "SET entry_value = excluded.entry_value, deadline = excluded.deadline",
    )

    @classmethod
    def _driver(cls, url: str) -> Driver:
        return _Psycopg(url)


class _Psycopg(Driver):
    name = "PostgreSQL"
    errors = (psycopg.Error,)

    def __init__(self, url: str) -> None:
        if urlsplit(url).scheme not in ("postgres", "postgresql"):
            raise ValueError(f"{url!r} is no PostgreSQL URL; write postgresql://host/database")
        try:
            given = conninfo_to_dict(url)
        except psycopg.ProgrammingError as error:
            raise ValueError(f"{url!r} is no PostgreSQL URL: {error}") from error
        self._options: dict[str, Any] = {"connect_timeout": 5, **given}

    def connect(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(**self._options, autocommit=True)
        try:
            # The usual level, which a server or a role may have another default for.
            connection.execute(
                "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED"
            )
        except BaseException:
            connection.close()
            raise
        return connection

    def execute(self, connection: Any, statement: str, values: Sequence[Any]) -> Answer:
        with connection.cursor(binary=True) as cursor:
            cursor.execute(statement, values)
            return Answer(cursor.fetchall() if cursor.description else (), cursor.rowcount)

    def fault(self, error: Exception) -> Fault:
        code = getattr(error, "sqlstate", None)
        if code in _FAULTS:
            return _FAULTS[code]
        if code is None:
            gone = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        else:
            gone = code.startswith(_GONE)
        return Fault.LOST if gone else Fault.WRONG

    def version(self, connection: Any) -> str:
        number = connection.info.parameter_status("server_version") or ""
        return f"PostgreSQL {number.partition(' ')[0]}"

    def close(self, connection: Any) -> None:
        with contextlib.suppress(psycopg.Error):
            connection.close()

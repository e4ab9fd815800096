"""A store in MariaDB or MySQL."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from kv_adapters.encoding import dump_value
from kv_adapters.limits import check_value_size
from kv_adapters.served import Served
from kv_adapters.sql import MAX_ENCODED, Dialect, SqlStore
from kv_adapters.sql_database import Answer, Driver, Fault

try:
    import pymysql
    from pymysql.constants import CLIENT
except ImportError as error:
    raise ImportError("this adapter needs PyMySQL: pip install kv-conformance[mysql]") from error

_MAX_VALUE: Final = 2**20
"""Escaping can double a value, and a statement may be 4 MiB on the servers that allow least."""

_IN_URL: Final = ("unix_socket", "ssl_ca", "ssl_cert", "ssl_key")
_FAULTS: Final = {
    1020: Fault.DEADLOCK,  # the row has changed since it was read
    1062: Fault.TAKEN,  # duplicate entry
    1205: Fault.LOCKED,  # lock wait timeout exceeded
    1213: Fault.DEADLOCK,  # deadlock found when trying to get lock
}
_GONE: Final = frozenset({1040, 1053, 1077, 1079, 1203, 1226, 1317, 1927, 1969, 3024})
"""Too many connections, a shutdown, a statement or a connection that somebody ended."""
_PATIENCE: Final = 5
"""Seconds for a connection to be made."""
_CLIENT: Final = 2000
"""From here on errors are the client's: no connection, or a lost one."""


class MysqlStore(SqlStore, Served):
    """Entries as rows of an InnoDB table in a MariaDB or MySQL database, `kv` by default.

    `url` is `mysql://user:password@host:port/database`, with `unix_socket`, `ssl_ca`, `ssl_cert`
    and `ssl_key` in its query. The table is made if it is missing. Keys are VARBINARY, which has no
    case, no accents and no padding. Deadlines are told and judged by the server's clock. Any number
    of threads and processes may use one table. Entries are as durable as the server is told to be.
    """

    program = "mariadb"
    profile = SqlStore.profile.replace(name="mysql", max_value_bytes=_MAX_VALUE)

    # SYSDATE goes on while a statement waits for a lock, as NOW does not.
    dialect = Dialect(
        create=f"CREATE TABLE {{table}} (entry_key VARBINARY({MAX_ENCODED}) NOT NULL PRIMARY KEY, "
        "entry_value LONGBLOB NOT NULL, deadline BIGINT) ENGINE=InnoDB ROW_FORMAT=DYNAMIC",
        now="TIMESTAMPDIFF(MICROSECOND, '1970-01-01', SYSDATE(6))",
        began="TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
        life="%s",
        insert="",  # a duplicate key is an error, which counts as nothing changed
        replace="ON DUPLICATE KEY UPDATE "
        "entry_value = VALUES(entry_value), deadline = VALUES(deadline)",
    )

    @classmethod
    def _driver(cls, url: str) -> Driver:
        return _PyMysql(url)

    def _pack(self, value: Any) -> bytes:
        # The server's own refusal would be the loss of the connection.
        packed = dump_value(value)
        check_value_size(packed, _MAX_VALUE)
        return packed


class _PyMysql(Driver):
    name = "MySQL"
    errors = (pymysql.Error,)

    def __init__(self, url: str) -> None:
        self._options = _options(url)

    def connect(self) -> Any:
        connection = pymysql.connect(
            **self._options,
            ssl_disabled="unix_socket" in self._options,  # to prepare for it takes 20 ms
            autocommit=True,
            connect_timeout=_PATIENCE,
            # A write counts where it found its row, also if it wrote what was there.
            client_flag=CLIENT.FOUND_ROWS,
            # Nothing is cut off, and a backslash is what the driver takes it for.
            sql_mode="STRICT_ALL_TABLES",
            # SYSDATE is told in the time zone of the session.
            init_command="SET SESSION time_zone = '+00:00'",
            defer_connect=True,
        )
        try:
            connection.connect(self._socket(connection))
            # Without the locks on gaps between keys, which a level above has.
            connection.cursor().execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        except BaseException:
            self.close(connection)
            raise
        return connection

    def _socket(self, connection: Any) -> socket.socket | None:
        """A Unix socket where the URL names one; the driver would leave it open if that fails."""
        path = self._options.get("unix_socket")
        if path is None:
            return None
        connection._secure = True  # as the driver says of those it opens: a password is safe there
        opened = socket.socket(socket.AF_UNIX)
        try:
            opened.settimeout(_PATIENCE)
            opened.connect(path)
        except OSError as error:
            opened.close()
            raise pymysql.OperationalError(_CLIENT, f"{path}: {error}") from error
        return opened

    def execute(self, connection: Any, statement: str, values: Sequence[Any]) -> Answer:
        with connection.cursor() as cursor:
            changed = cursor.execute(statement, values or None)
            return Answer(cursor.fetchall() if cursor.description else (), changed)

    def fault(self, error: Exception) -> Fault:
        code = error.args[0] if error.args else None
        if isinstance(code, int) and code in _FAULTS:
            return _FAULTS[code]
        if isinstance(error, pymysql.InterfaceError):
            return Fault.LOST
        gone = isinstance(code, int) and (_CLIENT <= code < _CLIENT + 1000 or code in _GONE)
        return Fault.LOST if gone else Fault.WRONG

    def version(self, connection: Any) -> str:
        said = str(connection.get_server_info()).removeprefix("5.5.5-")
        return f"{'MariaDB' if 'MariaDB' in said else 'MySQL'} {said.partition('-')[0]}"

    def close(self, connection: Any) -> None:
        with contextlib.suppress(pymysql.Error, OSError):
            connection.close()


def _options(url: str) -> dict[str, Any]:
    """What a URL says, as arguments of the driver. Raises ValueError."""
    parts = urlsplit(url)
    database = unquote(parts.path.removeprefix("/"))
    query = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    strange = sorted(set(query) - set(_IN_URL))
    if parts.scheme != "mysql" or not database or parts.fragment:
        raise ValueError(f"{url!r} is no MySQL URL; write mysql://user:password@host:3306/database")
    if strange:
        raise ValueError(f"{url!r}: {', '.join(strange)}? There are {', '.join(_IN_URL)}")
    return {
        "host": parts.hostname or "localhost",
        "port": parts.port or 3306,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": database,
        **query,
    }

"""A MariaDB server for one run, on a Unix socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from kv_adapters.servers.process import Launch, Server, ServerMissing, find_program, running

_SYSTEM: Final = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/local/libexec")
"""Where the server is put, which for an ordinary user is not on PATH."""

_OPTIONS: Final = (
    # Who reaches the socket in the folder may do all; there are no tables of rights, which
    # take seconds to install: the server makes all else that it needs by itself.
    "--skip-grant-tables",
    "--skip-networking",
    # What a run writes need not outlive the machine.
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    # Enough that a megabyte, which is the largest value, does not wait for the disk.
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=32M",
)
_PROTOCOL: Final = 10


@contextmanager
def mariadb_server(program: str | None = None) -> Iterator[Server]:
    """Runs `program`, else mariadbd from PATH or from where it is usually installed.

    Raises ServerMissing where there is none.
    """
    found = program or find_mariadb()

    def launch(folder: Path) -> Launch:
        where, init = folder / "mariadb.sock", folder / "init.sql"
        init.write_text("CREATE DATABASE IF NOT EXISTS kv;\n")
        init.chmod(0o644)  # for the user of the server, who gets the folder
        places = [f"--datadir={folder}", f"--socket={where}", f"--init-file={init}"]
        own = [f"--tmpdir={folder}", f"--pid-file={folder / 'pid'}"]
        return Launch(
            argv=[found, "--no-defaults", *places, *own, *_OPTIONS],
            url=f"mysql://root@localhost/kv?unix_socket={quote(str(where), safe='')}",
            ready=lambda _: _version(str(where)),
            patience=60.0,  # it writes some 100 MB at its first start
            clocks=frozenset({"realtime"}),
            mechanisms=("preload",),  # its timed waits are for points in time, which vdso leaves
        )

    with running("mariadb", launch) as server:
        yield server


def find_mariadb() -> str:
    """The path of a server program. Raises ServerMissing.

    MySQL's own server would need its tables of rights first.
    """
    program = find_program("mariadbd") or _in_system()
    if program is None:
        raise ServerMissing(
            "no mariadbd found: apt install mariadb-server, or brew install mariadb; or name a "
            "server by its URL, mysql://user:password@host/database"
        )
    return program


def _in_system() -> str | None:
    paths = (f"{folder}/mariadbd" for folder in _SYSTEM)
    return next((path for path in paths if os.access(path, os.X_OK)), None)


def _version(where: str) -> str:
    """What the server says it is; OSError until it serves.

    It speaks first: four bytes of header, the version of the protocol, its own ended by NUL.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2.0)
        connection.connect(where)
        greeting = connection.recv(4096)
    if greeting[4:5] != bytes([_PROTOCOL]):
        raise ConnectionError(greeting[4:].decode(errors="replace"))
    said = greeting[5:].partition(b"\x00")[0].decode().removeprefix("5.5.5-")
    return f"MariaDB {said.partition('-')[0]}"

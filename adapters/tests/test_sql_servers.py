"""Where the programs of PostgreSQL and MariaDB are found, and what a killed one leaves."""

import importlib.util
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

if sys.platform == "win32":
    pytest.skip("servers are started on POSIX systems only", allow_module_level=True)

from kv_adapters.servers import Server, ServerMissing, mariadb, postgres
from kv_adapters.servers.process import ServerFailed
from kv_adapters.servers.wheels import within_reach
from kv_spec.errors import Unavailable

from .conftest import Opener, unavailable
from .sql_stores import both
from .test_servers import temporary, wait_until

__all__ = ["temporary"]  # a fixture


def make(program: Path) -> str:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text("#!/bin/sh\necho not this one >&2\nexit 7\n")
    program.chmod(0o755)
    return str(program)


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(postgres, "_SYSTEM", ())
    monkeypatch.setattr(mariadb, "_SYSTEM", ())
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("start", [postgres.postgres_server, mariadb.mariadb_server])
def test_a_missing_program_is_told_with_the_remedy(
    start: Callable[[], AbstractContextManager[Server]],
) -> None:
    with pytest.raises(ServerMissing, match="install"), start():
        pass


@pytest.mark.usefixtures("nothing_installed")
def test_the_program_on_the_path_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_SYSTEM", (f"{tmp_path}/*/bin",))
    make(tmp_path / "16" / "bin" / "postgres")
    first = make(tmp_path / "path" / "postgres")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert postgres.find_postgres() == first


@pytest.mark.usefixtures("nothing_installed")
def test_of_several_versions_the_newest_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("9.6", "17", "10"):
        make(tmp_path / version / "bin" / "postgres")
    monkeypatch.setattr(postgres, "_SYSTEM", (f"{tmp_path}/*/bin",))
    assert postgres.find_postgres() == str(tmp_path / "17" / "bin" / "postgres")


@pytest.mark.usefixtures("nothing_installed")
def test_mariadb_is_found_beside_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mariadb, "_SYSTEM", (str(tmp_path / "none"), str(tmp_path)))
    program = make(tmp_path / "mariadbd")
    assert mariadb.find_mariadb() == program


def test_postgres_can_come_in_a_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("pgserver") is None:
        unavailable("pgserver is not installed")
    monkeypatch.setattr(postgres, "_SYSTEM", ())
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert "pgserver" in postgres.find_postgres()
    with postgres.postgres_server() as server:
        assert server.version.startswith("PostgreSQL 16.")
    assert "pgserver" not in sys.modules


def test_a_program_that_only_root_reaches_is_copied_for_the_user_it_runs_as(
    temporary: Path,
) -> None:
    make(temporary / "tree" / "bin" / "postgres")
    assert within_reach(temporary / "tree", temporary / "here") == temporary / "tree"
    (temporary / "tree").chmod(0o700)
    copy = within_reach(temporary / "tree", temporary)
    assert (copy != temporary / "tree") is (os.geteuid() == 0)
    assert (copy / "bin" / "postgres").read_text().startswith("#!/bin/sh")


def test_an_initdb_that_fails_says_why(temporary: Path) -> None:
    program = make(temporary / "bin" / "postgres")
    make(temporary / "bin" / "initdb")
    failed = pytest.raises(ServerFailed, match=r"(?s)initdb.*not this one")
    with failed, postgres.postgres_server(program):
        pass
    assert [path.name for path in temporary.iterdir()] == ["bin"]


def segment(folder: Path) -> str | None:
    """The segment of System V memory of the PostgreSQL server in a folder, by its id."""
    file = folder / "data" / "postmaster.pid"
    return file.read_text().splitlines()[6].split()[1] if file.exists() else None


def segments() -> set[str]:
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return {line.split()[1] for line in lines}


@pytest.mark.skipif(sys.platform != "linux", reason="System V memory is looked up in /proc")
@both
def test_a_killed_server_is_unavailable_and_leaves_nothing(open_store: Opener) -> None:
    kind: Any = open_store.kind
    with kind.for_run() as run:
        store = kind(**run.options)
        store.set(("k",), 1)
        query = dict(parse_qsl(urlsplit(str(run.options["url"])).query))
        folder = Path(query.get("host") or query["unix_socket"])
        folder = folder if folder.is_dir() else folder.parent
        own = segment(folder)
        assert (own in segments()) is (open_store.name == "postgres")
        os.kill(run.pid, signal.SIGKILL)

        def is_gone() -> bool:
            with suppress(Unavailable):
                return store.get(("k",)) is None
            return True

        wait_until(is_gone)  # PostgreSQL is several processes, which go one after another
        for _ in range(2):
            with pytest.raises(Unavailable):
                store.cas(("k",), 1, 2)
        store.close()
    assert not folder.exists()
    wait_until(lambda: own not in segments())
    assert not list(Path("/dev/shm").glob("PostgreSQL.*"))

"""A server ends with its run and leaves nothing behind."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("servers are started on POSIX systems only", allow_module_level=True)

from kv_adapters.servers import (
    Server,
    ServerMissing,
    etcd_server,
    mariadb_server,
    memcached_server,
    nats_server,
    postgres_server,
    redis_server,
    valkey_server,
)
from kv_adapters.servers.process import Launch, ServerFailed, running
from kv_spec.errors import Unavailable

from .conftest import Opener, unavailable

SERVERS = [redis_server, valkey_server, memcached_server, etcd_server, nats_server]
SLOW_TO_START = [postgres_server, mariadb_server]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def folders(where: Path) -> list[str]:
    return [path.name for path in where.iterdir()]


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(5000):
        if condition():
            return
        time.sleep(0.002)
    pytest.fail("waited in vain")


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # short: the path of a socket has a limit
    folder.chmod(0o755)  # a server that drops root passes through
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="who runs a process is read from /proc")
@pytest.mark.parametrize("start", [*SERVERS, *SLOW_TO_START])
def test_no_server_runs_as_root(start: Callable[[], AbstractContextManager[Server]]) -> None:
    try:
        with start() as server:
            assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    except ServerMissing as error:
        unavailable(str(error))


def test_a_program_that_only_root_reaches_is_started_all_the_same(temporary: Path) -> None:
    program = shutil.which("redis-server")
    if program is None:
        unavailable("redis-server is not installed")
    hidden = temporary / "hidden"
    hidden.mkdir(mode=0o700)
    shutil.copy(program, hidden)
    with redis_server(str(hidden / "redis-server")) as server:
        assert server.program == str(hidden / "redis-server")


@pytest.mark.parametrize("start", [*SERVERS, *SLOW_TO_START])
def test_a_server_leaves_neither_process_nor_folder(
    start: Callable[[], AbstractContextManager[Server]], temporary: Path
) -> None:
    try:
        with start() as server:
            assert alive(server.pid)
            assert len(folders(temporary)) == 1
            assert server.version in server.note
    except ServerMissing as error:
        unavailable(str(error))
    assert not alive(server.pid)
    assert folders(temporary) == []
    temporary.rmdir()


@pytest.mark.parametrize("start", [*SERVERS, *SLOW_TO_START])
def test_a_server_ends_when_the_run_is_killed(
    start: Callable[[], AbstractContextManager[Server]], temporary: Path
) -> None:
    program = (
        "import sys\n"
        f"from kv_adapters.servers import {start.__name__} as start\n"
        "with start() as server:\n"
        "    print(server.pid, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with run:
        assert run.stdout is not None
        line = run.stdout.readline()
        run.send_signal(signal.SIGKILL)
        _, errors = run.communicate()
    if "ServerMissing" in errors:
        unavailable(errors.splitlines()[-1])
    wait_until(lambda: not alive(int(line)))
    wait_until(lambda: folders(temporary) == [])
    temporary.rmdir()


def test_a_server_that_does_not_start_says_why(temporary: Path) -> None:
    def launch(folder: Path) -> Launch:
        return Launch(argv=["/bin/sh", "-c", "echo no room >&2; exit 3"], url="", ready=never)

    def never(_: int) -> str:
        raise ConnectionError("not there")

    with pytest.raises(ServerFailed, match=r"ended with 3(.|\n)*no room"), running("x", launch):
        pass
    assert folders(temporary) == []
    temporary.rmdir()


def test_a_missing_program_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    for start in SERVERS:
        with pytest.raises(ServerMissing, match="install"), start():
            pass


@pytest.mark.parametrize(
    "open_store", ["redis", "valkey", "memcached", "postgres", "mysql", "etcd"], indirect=True
)
def test_a_server_that_is_gone_is_unavailable(open_store: Opener) -> None:
    with open_store.kind.for_run() as run:
        store = open_store.kind(**run.options)
        store.set(("k",), 1)
    calls: list[Callable[[], object]] = [
        lambda: store.get(("k",)),
        lambda: store.set(("k",), 2),
        lambda: store.cas(("k",), 1, 2),
        lambda: store.delete(("k",)),
    ]
    for call in calls:
        with pytest.raises(Unavailable):
            call()
    store.close()

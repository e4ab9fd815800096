"""What the stores on a disk promise beyond the clauses: processes, kills, limits, URLs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kv_adapters.local import OPEN
from kv_spec.errors import InvalidTtl, Unavailable

from .conftest import CLASSES, EMBEDDED, load

SEVERAL_PROCESSES = ("lmdb", "file", "folder")
ONE_PROCESS = ("leveldb", "rocksdb")
each = pytest.mark.parametrize("name", EMBEDDED)

OPEN_STORE = """
import os, sys
from importlib import import_module
module, _, attribute = sys.argv[1].partition(":")
kind = getattr(import_module(module), attribute)
"""
COUNT = """
store = kind(path=sys.argv[2], space="s")
for number in range(100):
    while not store.cas(("n",), count := store.get(("n",)), (count or 0) + 1):
        pass
    store.set((sys.argv[3], str(number)), number)
"""
WRITE = """
store = kind(path=sys.argv[2])
for number in range(1_000_000):
    store.set(("k",), ["v" * 10_000, number])
    store.set((str(number % 10),), number)
    print(number, flush=True)
"""
DIE_WITHOUT_CLOSING = """
store = kind(path=sys.argv[2])
store.set(("k",), 1)
store.set(("gone",), 1)
store.delete(("gone",))
os._exit(9)
"""


def run(code: str, name: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process; `kind` is the class of the store there."""
    command = [sys.executable, "-W", "error", "-c", OPEN_STORE + code, CLASSES[name]]
    return subprocess.Popen([*command, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> int:
    process.communicate(timeout=60)
    return process.returncode


@each
def test_entries_and_deadlines_outlive_the_store(name: str, tmp_path: Path) -> None:
    now = 1000.0
    url = f"{name}://{tmp_path.as_posix()}/da%20ta"
    store = load(name)(url, clock=lambda: now)
    store.set(("k",), 1, ttl=10)
    store.close()
    assert (tmp_path / "da ta").exists()
    now = 1009.0
    store = load(name)(path=tmp_path / "da ta", clock=lambda: now)
    assert store.profile.durable
    assert store.get(("k",)) == 1
    now = 1010.0
    assert store.get(("k",)) is None
    store.close()


@each
def test_what_was_written_outlives_a_process_that_never_closed(name: str, tmp_path: Path) -> None:
    load(name)
    assert ended(run(DIE_WITHOUT_CLOSING, name, tmp_path / "data")) == 9
    store = load(name)(path=tmp_path / "data")
    assert list(store.list()) == [(("k",), 1)]
    store.close()


@each
def test_a_writer_killed_at_any_time_leaves_old_or_new(name: str, tmp_path: Path) -> None:
    load(name)
    process = run(WRITE, name, tmp_path / "data")
    assert process.stdout is not None
    last = [int(process.stdout.readline()) for _ in range(20)][-1]
    process.kill()
    rest = process.stdout.read().split()
    assert ended(process) != 0
    last = int(rest[-1]) if rest else last
    store = load(name)(path=tmp_path / "data")
    value, number = store.get(("k",))
    assert value == "v" * 10_000
    assert last <= number <= last + 1
    assert store.get((str(last % 10),)) == last
    store.set(("k",), 1)
    assert store.get(("k",)) == 1
    store.close()


@pytest.mark.parametrize("name", SEVERAL_PROCESSES)
def test_no_increment_of_two_processes_is_lost(name: str, tmp_path: Path) -> None:
    load(name)
    processes = [run(COUNT, name, tmp_path / "data", each) for each in ("one", "two")]
    assert [ended(process) for process in processes] == [0, 0]
    store = load(name)(path=tmp_path / "data", space="s")
    assert store.get(("n",)) == 200
    assert len(list(store.list(("one",)))) == len(list(store.list(("two",)))) == 100
    store.close()


@pytest.mark.parametrize("name", ONE_PROCESS)
def test_the_last_handle_lets_other_processes_in(name: str, tmp_path: Path) -> None:
    one, other = (load(name)(path=tmp_path / "data", space=space) for space in "ab")
    one.set(("k",), 1)
    one.close()
    other.set(("k",), 2)
    attempt = """
from kv_spec.errors import Unavailable
try:
    store = kind(path=sys.argv[2], space="a")
except Unavailable:
    sys.exit(3)
sys.exit(store.get(("k",)))
"""
    assert ended(run(attempt, name, tmp_path / "data")) == 3
    other.close()
    assert ended(run(attempt, name, tmp_path / "data")) == 1


@each
def test_a_listing_is_of_the_instant_of_the_call(name: str, tmp_path: Path) -> None:
    store = load(name)(path=tmp_path / "data")
    store.set(("old",), 1)
    listing = store.list()
    store.delete(("old",))
    store.set(("new",), 1)
    assert list(listing) == [(("old",), 1)]
    store.close()


@each
def test_the_keys_of_the_last_characters_are_below_their_prefix(name: str, tmp_path: Path) -> None:
    store = load(name)(path=tmp_path / "data")
    last = "\U0010ffff"
    keys = [(last,), (last, ""), (last, last), (last, last, last), (last * 2,)]
    for key in keys:
        store.set(key, 1)
    assert list(store.keys()) == keys
    assert [key for key, _ in store.list((last,))] == keys[:4]
    assert [key for key, _ in store.list((last, last))] == keys[2:4]
    store.close()


@each
def test_a_place_that_is_not_there_is_unavailable(name: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        load(name)(path=tmp_path / "no" / "data")


@each
def test_a_deadline_beyond_the_envelope_is_refused(name: str, tmp_path: Path) -> None:
    store = load(name)(path=tmp_path / "data")
    store.set(("k",), 1, ttl=100_000 * 366 * 86400)
    with pytest.raises(InvalidTtl):
        store.set(("k",), 2, ttl=1e15)
    assert store.get(("k",)) == 1
    store.close()


@each
def test_what_a_url_names(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url in (f"{name}://data", f"{name}://./data", f"{name}://{tmp_path.as_posix()}/data"):
        store = load(name)(url)
        store.set((url,), 1)
        store.close()
    store = load(name)(path="data")
    assert len(list(store.list())) == 3
    store.close()


@each
@pytest.mark.parametrize("url", ["redis:///x", "data", "{}://", "{}:///", "{}:///a?b", "{}:///a#b"])
def test_a_url_of_something_else_is_refused(name: str, url: str) -> None:
    with pytest.raises(ValueError, match=f"{name}:///"):
        load(name)(url.format(name))


@each
def test_a_place_is_named_once(name: str) -> None:
    for arguments in ({}, {"url": f"{name}:///data", "path": "data"}):
        with pytest.raises(ValueError, match="either a url"):
            load(name)(**arguments)


@pytest.mark.parametrize("name", ONE_PROCESS)
def test_a_run_has_a_database_in_each_process_and_leaves_nothing(name: str) -> None:
    write = """
store = kind(path=sys.argv[2], scratch=True)
store.set(("k",), 2)
store.close()
"""
    with load(name).for_run() as server:
        store = load(name)(**server.options)
        store.set(("k",), 1)
        store.close()
        assert ended(run(write, name, server.options["path"])) == 0
        again = load(name)(**server.options)
        assert again.get(("k",)) == 1
        again.close()
        folder = server.options["path"]
        assert os.listdir(folder)
    assert not os.path.exists(folder)
    assert not [name for name in OPEN._open if os.path.realpath(folder) in name]

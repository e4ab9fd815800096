"""What is SQLite's own: files, processes, URLs."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from kv_adapters.sqlite import SqliteStore
from kv_spec.errors import InvalidTtl, Unavailable

COUNT = """
import sys
from kv_adapters.sqlite import SqliteStore
store = SqliteStore(path=sys.argv[1], space="s")
for number in range(int(sys.argv[3])):
    while not store.cas(("n",), count := store.get(("n",)), (count or 0) + 1):
        pass
    store.set((sys.argv[2], str(number)), number)
"""


def test_two_processes_on_one_file(tmp_path: Path) -> None:
    file = str(tmp_path / "data.db")
    command = [sys.executable, "-W", "error", "-c", COUNT, file]
    processes = [subprocess.Popen([*command, name, "100"]) for name in ("one", "two")]
    assert [process.wait(60) for process in processes] == [0, 0]
    store = SqliteStore(path=file, space="s")
    assert store.get(("n",)) == 200
    assert len(list(store.list(("one",)))) == len(list(store.list(("two",)))) == 100
    store.close()


def test_a_file_keeps_entries_and_deadlines(tmp_path: Path) -> None:
    now = 1000.0
    url = f"sqlite:///{tmp_path}/da%20ta.db"
    store = SqliteStore(url, clock=lambda: now)
    store.set(("k",), 1, ttl=10)
    store.close()
    assert (tmp_path / "da ta.db").exists()
    now = 1009.0
    store = SqliteStore(url, clock=lambda: now)
    assert store.profile.durable
    assert store.get(("k",)) == 1
    now = 1010.0
    assert store.get(("k",)) is None
    store.close()


@pytest.mark.parametrize("url", [None, "sqlite://", "sqlite:///:memory:"])
def test_without_a_file_each_store_is_by_itself(url: str | None) -> None:
    one, other = SqliteStore(url), SqliteStore(url)
    one.set(("k",), 1)
    assert other.get(("k",)) is None
    assert not one.profile.durable
    one.close()
    other.close()


def test_in_memory_a_space_lives_as_long_as_its_last_handle() -> None:
    one, other = SqliteStore(space="s"), SqliteStore(space="s")
    one.set(("k",), 1)
    one.close()
    assert other.get(("k",)) == 1
    other.close()
    again = SqliteStore(space="s")
    assert again.get(("k",)) is None
    again.close()


@pytest.mark.parametrize("url", ["redis:///x", "sqlite://host/data.db", "data.db", "sqlite:///a?b"])
def test_a_url_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no SQLite URL"):
        SqliteStore(url)


def test_a_file_that_can_not_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        SqliteStore(path=tmp_path / "no" / "folder.db")


def test_a_deadline_beyond_the_column_is_refused() -> None:
    store = SqliteStore()
    store.set(("k",), 1, ttl=100_000 * 366 * 86400)
    assert store.has(("k",))
    with pytest.raises(InvalidTtl):
        store.set(("k",), 1, ttl=1e15)
    store.close()


def test_a_writer_that_never_ends_is_unavailable(tmp_path: Path) -> None:
    store = SqliteStore(path=tmp_path / "data.db", busy_timeout=0.01)
    store.set(("k",), 1)
    writer = sqlite3.connect(tmp_path / "data.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    assert store.get(("k",)) == 1
    with pytest.raises(Unavailable):
        store.set(("k",), 2)
    with pytest.raises(Unavailable):
        store.cas(("k",), 1, 2)
    writer.execute("ROLLBACK")
    assert store.cas(("k",), 1, 2)
    writer.close()
    store.close()

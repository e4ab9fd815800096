"""Files that several processes replace: killed writers, locks, files in use, the disk."""

import os
from pathlib import Path
from typing import Any

import pytest
from kv_adapters import locked_files
from kv_adapters.file import FileStore
from kv_adapters.folder import FolderStore
from kv_adapters.locked_files import Lock
from kv_spec.errors import Unavailable

from .test_embedded import ended, run

both = pytest.mark.parametrize("kind", [FileStore, FolderStore])
DIE_AT = """
def die(*arguments, **options):
    os._exit(9)
store = kind(path=sys.argv[2])
store.set(("k",), "old")
setattr(os, sys.argv[3], die)
store.set(("k",), "new")
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.mark.parametrize("step", ["open", "write", "replace"])
@pytest.mark.parametrize("name", ["file", "folder"])
def test_a_writer_killed_at_a_step_leaves_the_old_value(name: str, step: str, place: Path) -> None:
    code = DIE_AT
    if step == "write":  # half of it
        code = code.replace("def die(", "half = os.write\ndef die(descriptor, data):\n    "
                            "half(descriptor, data[:9])\n    os._exit(9)\ndef unused(")  # fmt: skip
    assert ended(run(code, name, place, step)) == 9
    store = {"file": FileStore, "folder": FolderStore}[name](path=place)
    assert list(store.list()) == [(("k",), "old")]
    store.set(("k",), "newer")
    assert list(store.list()) == [(("k",), "newer")]


@both
def test_a_writer_waits_for_its_turn_and_readers_do_not(kind: Any, place: Path) -> None:
    store = kind(path=place, patience=0.01)
    store.set(("k",), 1)
    lock = Lock(f"{place}.lock" if kind is FileStore else f"{place}/.lock", patience=0)
    with lock.held():
        assert store.get(("k",)) == 1
        for write in (lambda: store.set(("k",), 2), lambda: store.cas(("k",), 1, 2), store.clear):
            with pytest.raises(Unavailable, match="locked"):
                write()
    assert store.cas(("k",), 1, 2)
    store.close()


def test_a_lock_waits_for_the_threads_of_its_process_too(place: Path) -> None:
    lock = Lock(str(place), patience=0.01)
    with lock.held(), pytest.raises(Unavailable, match="locked"), lock.held():
        raise AssertionError
    with lock.held():
        pass


def test_a_lock_is_free_when_its_process_has_ended(place: Path) -> None:
    code = """
from kv_adapters.locked_files import Lock
with Lock(sys.argv[2], patience=0).held():
    os._exit(9)
"""
    assert ended(run(code, "file", place)) == 9
    with Lock(str(place), patience=0).held():
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_does_not_share_the_lock_of_its_parent(place: Path) -> None:
    code = """
from kv_adapters.locked_files import Lock
lock = Lock(sys.argv[2], patience=0)
with lock.held():
    child = os.fork()
    if child == 0:
        try:
            with Lock(sys.argv[2], patience=0).held():
                os._exit(0)
        except BaseException:
            os._exit(3)
    _, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""
    assert ended(run(code, "file", place)) == 3


@both
def test_a_successor_that_was_left_behind_is_not_written_to(kind: Any, place: Path) -> None:
    store = kind(path=place)
    store.set(("k",), 1)
    victim = place.with_name("victim")
    victim.write_text("untouched")
    successor = Path(f"{place}.new") if kind is FileStore else place / ".new"
    try:
        successor.symlink_to(victim)
    except OSError:
        successor.write_text("left behind")
    store.set(("k",), 2)
    assert store.get(("k",)) == 2
    assert victim.read_text() == "untouched"


@both
def test_a_file_that_is_in_use_is_asked_for_again(
    kind: Any, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses to replace a file while somebody reads it."""
    store = kind(path=place)
    monkeypatch.setattr(locked_files, "_TRIES", 3)
    fails(monkeypatch, "replace", times=2)
    store.set(("k",), 1)
    fails(monkeypatch, "unlink" if kind is FolderStore else "replace", times=2)
    store.delete(("k",))
    assert list(store.list()) == []
    fails(monkeypatch, "replace", times=3)
    with pytest.raises(Unavailable):
        store.set(("k",), 2)


def fails(monkeypatch: pytest.MonkeyPatch, name: str, *, times: int) -> None:
    left, real = iter(range(times)), getattr(os, name)

    def refuse(*arguments: Any) -> None:
        if next(left, None) is not None:
            raise PermissionError("in use")
        real(*arguments)

    monkeypatch.setattr(os, name, refuse)


@both
@pytest.mark.parametrize("sync", [False, True])
def test_with_sync_the_disk_has_it_before_it_has_its_name(
    kind: Any, sync: bool, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = kind(path=place, sync=sync)
    calls: list[str] = []
    real_sync, real_replace = os.fsync, os.replace

    def sync_file(file: int) -> None:
        calls.append("sync")
        real_sync(file)

    def name_file(old: str, new: str) -> None:
        calls.append("name")
        real_replace(old, new)

    monkeypatch.setattr(os, "fsync", sync_file)
    monkeypatch.setattr(os, "replace", name_file)
    store.set(("k",), 1)
    after = ["sync"] if os.name != "nt" else []
    assert calls == (["sync", "name", *after] if sync else ["name"])
    calls.clear()
    store.delete(("k",))
    if os.name != "nt":
        assert ("sync" in calls) == sync


@both
def test_a_value_of_any_size_comes_back(kind: Any, place: Path) -> None:
    store = kind(path=place)
    for size in (0, 65_000, 3_000_000):
        store.set(("k",), "v" * size)
        assert store.get(("k",)) == "v" * size

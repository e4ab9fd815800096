"""What the file and the folder store make of their files, and of those of others."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from kv_adapters.file import FileStore
from kv_adapters.folder import FolderStore
from kv_spec.errors import Unavailable


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_the_file_is_json(place: Path) -> None:
    store = FileStore(path=place, clock=lambda: 1000.0)
    assert not place.exists()
    store.set(("a", "b"), {"c": 1}, ttl=1)
    store.set(("d",), [None])
    assert json.loads(place.read_text("utf-8")) == {
        "store": "kv-conformance 1",
        "entries": [[["a", "b"], 1_001_000_000, {"c": 1}], [["d"], None, [None]]],
    }
    store.clear()
    assert json.loads(place.read_text("utf-8"))["entries"] == []


def test_a_file_may_be_laid_out_anew_by_others(place: Path) -> None:
    store = FileStore(path=place)
    store.set(("k",), [1])
    content = json.loads(place.read_bytes())
    content["entries"].append([["é"], None, "ü"])
    place.write_text(json.dumps(content, indent=4), "utf-8")
    assert list(store.list()) == [(("k",), [1]), (("é",), "ü")]
    assert store.cas(("k",), [1], 2)
    assert FileStore(path=place).get(("é",)) == "ü"


def test_a_change_that_shows_only_in_the_bytes_is_seen(place: Path) -> None:
    """Size, times and the file's number say that nothing has changed."""
    store = FileStore(path=place)
    store.set(("k",), 1)
    before = place.stat()
    data = place.read_bytes()
    with place.open("r+b") as stream:
        stream.write(data.replace(b",1]", b",2]"))
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = place.stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (
        before.st_ino, before.st_size, before.st_mtime_ns,
    )  # fmt: skip
    assert store.get(("k",)) == 2


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "7", "not JSON", '{"store": "kv-conformance 2", "entries": []}',
             '{"store": "kv-conformance 1", "entries": [[]]}', "[" * 100_000],
)  # fmt: skip
def test_a_file_of_something_else_is_left_alone(text: str, place: Path) -> None:
    place.write_text(text)
    with pytest.raises(Unavailable, match="something else"):
        FileStore(path=place)
    assert place.read_text() == text


def test_a_file_that_vanishes_is_an_empty_store(place: Path) -> None:
    store = FileStore(path=place)
    store.set(("k",), 1)
    place.unlink()
    assert list(store.list()) == []
    store.set(("other",), 1)
    assert list(store.keys()) == [("other",)]


def test_a_link_stays_a_link(place: Path, tmp_path: Path) -> None:
    real = tmp_path / "real"
    FileStore(path=real).set(("k",), 1)
    try:
        place.symlink_to(real)
    except OSError as error:
        pytest.skip(f"no links here: {error}")
    FileStore(path=place).set(("k",), 2)
    assert place.is_symlink()
    assert FileStore(path=real).get(("k",)) == 2


def test_every_key_is_a_file_that_holds_it(place: Path) -> None:
    store = FolderStore(path=place, clock=lambda: 1000.0)
    store.set(("user", "42"), {"a": 1}, ttl=1)
    store.set(("n" * 200,), 1)
    files = {path.name: path.read_text("utf-8") for path in place.glob("*.json")}
    assert files.pop("user,42,.json") == '[["user","42"],1001000000,{"a":1}]\n'
    [(name, text)] = files.items()
    assert name.startswith("~")
    assert json.loads(text)[0] == ["n" * 200]


def test_the_files_of_others_are_left_alone(place: Path) -> None:
    store, other = FolderStore(path=place), FolderStore(path=place, space="other")
    others = ["notes.txt", "package.json", "a.json.bak", "Ä,.json"]
    for name in others:
        (place / name).write_text("mine")
    (place / "folder,.json.d").mkdir()
    other.set(("k",), 1)
    store.set(("k",), 1)
    assert list(store.list()) == [(("k",), 1)]
    store.clear()
    store.prune()
    assert [(place / name).read_text() for name in others] == ["mine"] * 4
    assert list(other.list()) == [(("k",), 1)]


def test_a_file_that_was_renamed_is_no_other_key(place: Path) -> None:
    store = FolderStore(path=place)
    store.set(("a",), 1)
    (place / "a,.json").rename(place / "b,.json")
    assert store.get(("a",)) is None
    assert store.get(("b",)) is None
    assert list(store.list()) == []
    store.set(("b",), 2)
    assert list(store.list()) == [(("b",), 2)]


def test_a_file_that_was_spoilt_is_told(place: Path) -> None:
    store = FolderStore(path=place)
    store.set(("a",), 1)
    (place / "a,.json").write_text("")
    calls: list[Callable[[], object]] = [lambda: store.get(("a",)), lambda: list(store.list())]
    for call in calls:
        with pytest.raises(Unavailable, match=r"a,\.json"):
            call()
    store.set(("a",), 2)
    assert store.get(("a",)) == 2


def test_prune_removes_the_files_of_expired_entries(place: Path) -> None:
    now = 1000.0
    store = FolderStore(path=place, clock=lambda: now)
    store.set(("short",), 1, ttl=1)
    store.set(("n" * 200,), 1, ttl=1)
    store.set(("long",), 1, ttl=100)
    now = 1002.0
    store.prune()
    assert [path.name for path in place.glob("*.json")] == ["long,.json"]


def test_a_folder_that_is_a_file_is_unavailable(place: Path) -> None:
    place.write_text("")
    with pytest.raises(Unavailable):
        FolderStore(path=place).set(("k",), 1)

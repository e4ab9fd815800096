"""What is LMDB's own: room that grows, and the length of its keys."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kv_spec.errors import InvalidKey

from .conftest import load
from .test_embedded import ended, run


@pytest.fixture
def open_lmdb(tmp_path: Path) -> Any:
    stores: list[Any] = []

    def open_store(**options: Any) -> Any:
        stores.append(load("lmdb")(path=tmp_path / "data", **options))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


def test_the_room_of_lmdb_grows(open_lmdb: Callable[..., Any]) -> None:
    store = open_lmdb(map_size=2**16, sync=False)
    for number in range(100):
        store.set((str(number),), "v" * 5_000)
    assert store.cas(("big",), None, "v" * 1_000_000)
    assert store.get(("99",)) == "v" * 5_000
    assert len(store.get(("big",))) == 1_000_000


def test_the_room_of_lmdb_grows_in_another_process(
    open_lmdb: Callable[..., Any], tmp_path: Path
) -> None:
    grow = """
store = kind(path=sys.argv[2], map_size=2**16)
store.set(("big",), "v" * 1_000_000)
"""
    store = open_lmdb(map_size=2**16)
    store.set(("k",), 1)
    assert ended(run(grow, "lmdb", tmp_path / "data")) == 0
    assert len(store.get(("big",))) == 1_000_000
    store.set(("k",), 2)
    assert store.get(("k",)) == 2


def test_lmdb_holds_the_keys_that_its_profile_declares(open_lmdb: Callable[..., Any]) -> None:
    store = open_lmdb(space="s" * 1000)
    most = store.profile.max_key_bytes
    assert most >= 200
    longest = ("\x00" * most, *[""] * 7)
    store.set(longest, 1)
    assert store.get(longest) == 1
    assert list(store.list(longest[:1])) == [(longest, 1)]
    for long in (("k" * (most + 1),), ("",) * 500):
        with pytest.raises(InvalidKey):
            store.set(long, 1)
        assert list(store.list(long)) == []


def test_lmdb_takes_no_space_for_another(open_lmdb: Callable[..., Any]) -> None:
    long = "s" * 100
    digest = hashlib.sha256(long.encode()).hexdigest()
    spaces = ["", "s", "s" * 63, "s" * 64, long, long + "s", digest, digest[:63], digest[:62]]
    stores = [open_lmdb(space=space, sync=False) for space in spaces]
    for number, store in enumerate(stores):
        assert list(store.list()) == []
        store.set(("k",), number)
    assert [store.get(("k",)) for store in stores] == list(range(len(spaces)))

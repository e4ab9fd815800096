"""Examples that every store passes, the shared ones once and not once an adapter."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from kv_spec.errors import InvalidInput, InvalidKey, InvalidTtl, InvalidValue, StoreClosed
from kv_spec.profile import Profile

from .conftest import LISTING, Opener

HARD_KEYS: list[tuple[str, ...]] = [
    ("a",), ("a", "b"), ("ab",), ("a:b",), ("a/b",), ("a", "", "b"), ("",), ("", ""), ("A",),
    (" a",), ("a ",), ("a\x00",), ("a\x00b",), ("a\x01",), ("é",), ("e\u0301",), ("*",), ("?",),
    ("[a-z]",), ("\\",), ("%",), ("_",), ("'; DROP TABLE kv; --",), ("\ud800",), ("\U0001f600",),
    ("\U0010ffff",), ("__proto__",), ("n" * 200,), tuple("abcdefgh"), ("\x00" * 100,),
]  # fmt: skip
HARD_VALUES: list[Any] = [
    False, True, 0, 0.0, -0.0, 1, 1.0, "", "x", [], {}, [None], {"a": None}, 2**53, -(2**80),
    1e-300, "\ud800\udc00", '"\x00\n%', {"__proto__": 1, "": [{}]}, "v" * 65_000,
]  # fmt: skip
listing = pytest.mark.parametrize("open_store", LISTING, indirect=True)


def test_hard_keys_are_all_different(open_store: Opener) -> None:
    store = open_store()
    for number, key in enumerate(HARD_KEYS):
        store.set(key, number)
    again = open_store()
    assert [again.get(key) for key in HARD_KEYS] == list(range(len(HARD_KEYS)))
    store.delete(("a",))
    assert not store.has(("a",))
    assert [store.get(key) for key in HARD_KEYS[1:]] == list(range(1, len(HARD_KEYS)))


def test_hard_values_come_back_typed(store: Any) -> None:
    for value in HARD_VALUES:
        store.set(("k",), value)
        assert repr(store.get(("k",))) == repr(value)
        assert store.has(("k",))


def test_values_are_copies(store: Any) -> None:
    value = {"a": [1]}
    store.set(("k",), value)
    value["a"].append(2)
    store.get(("k",))["a"].append(3)
    assert store.get(("k",)) == {"a": [1]}


def test_spaces_are_separate(open_store: Opener) -> None:
    stores = [open_store(space) for space in ("", "a", "a\x00", "ab")]
    for number, store in enumerate(stores):
        assert store.get(("k",)) is None
        store.set(("k",), number)
    assert [store.get(("k",)) for store in stores] == [0, 1, 2, 3]


def test_none_deletes(store: Any) -> None:
    for ttl in (None, 60):
        store.set(("k",), 1)
        store.set(("k",), None, ttl=ttl)
        assert store.get(("k",)) is None
        assert not store.has(("k",))


@pytest.mark.parametrize("ttl", [0, 0.0, -1, -1e300])
def test_a_ttl_that_is_over_removes(store: Any, ttl: float) -> None:
    store.set(("k",), 1)
    store.set(("k",), 2, ttl=ttl)
    assert not store.has(("k",))
    store.set(("k",), 1)
    assert not store.cas(("k",), 2, 3, ttl=ttl)
    assert store.cas(("k",), 1, 3, ttl=ttl)
    assert not store.has(("k",))


def test_compare_and_swap(store: Any) -> None:
    assert store.cas(("k",), None, None)
    assert not store.has(("k",))
    assert not store.cas(("k",), 0, 1)
    assert store.cas(("k",), None, 1)
    assert not store.cas(("k",), None, 2)
    assert not store.cas(("k",), None, None)
    assert not store.cas(("k",), True, 2)
    assert store.cas(("k",), 1.0, {"a": [1, 2], "b": 1})
    assert not store.cas(("k",), {"a": [2, 1], "b": 1}, 2)
    assert not store.cas(("k",), {"a": [1, 2], "b": True}, 2)
    assert store.cas(("k",), {"b": 1.0, "a": [1, 2]}, False)
    assert not store.cas(("k",), 0, 2)
    assert store.cas(("k",), False, None)
    assert not store.has(("k",))


@pytest.mark.parametrize("bad", [(), "k", ["k"], ("k", 1), None, b"k", 7], ids=repr)
def test_no_key(store: Any, bad: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: store.get(bad),
        lambda: store.has(bad),
        lambda: store.set(bad, 1),
        lambda: store.delete(bad),
        lambda: store.cas(bad, None, 1),
    ]
    for call in calls:
        with pytest.raises(InvalidKey):
            call()


def test_no_value_and_no_ttl_change_nothing(store: Any) -> None:
    loop: list[Any] = []
    loop.append(loop)
    store.set(("k",), 1)
    for bad in (math.nan, {"a": math.inf}, b"raw", {1: 2}, (1,), loop, object()):
        with pytest.raises(InvalidValue):
            store.set(("k",), bad)
        with pytest.raises(InvalidValue):
            store.cas(("k",), 1, bad)
        with pytest.raises(InvalidValue):
            store.cas(("k",), bad, 2)
    for ttl in (math.nan, math.inf, True, "1"):
        for value in (2, None):
            with pytest.raises(InvalidTtl):
                store.set(("k",), value, ttl=ttl)
            with pytest.raises(InvalidTtl):
                store.cas(("k",), 1, value, ttl=ttl)
    assert store.get(("k",)) == 1


@pytest.mark.parametrize("ttl", [30 * 86400, 30 * 86400 + 1, 2**31 / 1000 + 1, 2**32, 1e13, 1e300])
def test_a_long_ttl_is_kept_or_refused(store: Any, ttl: float) -> None:
    store.set(("k",), 1)
    try:
        store.set(("k",), 2, ttl=ttl)
    except InvalidTtl:
        assert store.get(("k",)) == 1
    else:
        assert store.get(("k",)) == 2


def test_a_closed_store_refuses(store: Any) -> None:
    store.close()
    store.close()
    calls: list[Callable[[], object]] = [
        lambda: store.get(("k",)),
        lambda: store.has(("k",)),
        lambda: store.set(("k",), 1),
        lambda: store.delete(("k",)),
        lambda: store.cas(("k",), None, 1),
    ]
    if hasattr(store, "list"):
        calls += [store.list, store.keys, store.values, store.entries, store.clear]
    for call in calls:
        with pytest.raises(StoreClosed):
            call()


def test_the_profile_is_one(store: Any) -> None:
    assert isinstance(store.profile, Profile)
    assert store.profile.after_close == "error"


@listing
def test_listing_is_literal_and_in_order(store: Any) -> None:
    for number, key in enumerate(HARD_KEYS):
        store.set(key, number)
    everything = {key: number for number, key in enumerate(HARD_KEYS)}
    assert list(store.list()) == sorted(everything.items())
    assert list(store.entries()) == list(zip(store.keys(), store.values(), strict=True))
    for prefix in HARD_KEYS:
        expected = sorted(key for key in HARD_KEYS if key[: len(prefix)] == prefix)
        assert [key for key, _ in store.list(prefix)] == expected
    with pytest.raises(InvalidInput):
        store.list("a")


@listing
def test_listing_goes_beyond_a_page(store: Any) -> None:
    for number in range(2500):
        store.set(("page", f"{number:04}"), number)
    assert [value for _, value in store.list(("page",))] == list(range(2500))


@listing
def test_a_listing_can_be_written_to_and_left(store: Any) -> None:
    for number in range(20):
        store.set((str(number),), {"n": number})
    seen = []
    for key, value in store.list():
        value["n"] = None
        store.delete(key)
        store.set(("new", *key), 1)
        seen.append(key)
    assert len(set(seen)) == len(seen) == 20
    next(store.list())
    store.set(("last",), 1)
    assert len(list(store.list())) == 21


@listing
def test_clear_removes_the_own_space_only(open_store: Opener) -> None:
    one, other = open_store("a"), open_store("a\x00*")
    for store in (one, other):
        for number in range(1200 if store is one else 3):
            store.set((str(number),), number)
    one.clear()
    one.clear()
    assert list(one.list()) == []
    assert len(list(other.list())) == 3
    one.set(("k",), 1)
    assert one.get(("k",)) == 1

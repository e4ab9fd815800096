"""The reference in each dialect: null, ttls of nothing, defaults, order, flat keys, closing."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kv_reference.store import REFERENCE_PROFILE, ReferenceStore
from kv_spec import InvalidKey, InvalidTtl, InvalidValue, StoreClosed

deterministic = settings(derandomize=True, deadline=None, max_examples=150)

KEY = ("k",)


class World:
    """A store of one dialect and its clock."""

    def __init__(self, **dialect: Any) -> None:
        self.now = 100.0
        profile = REFERENCE_PROFILE.replace(**dialect)
        self.store = ReferenceStore(clock=lambda: self.now, profile=profile)

    def everything(self) -> dict[Any, Any]:
        """All live entries by key."""
        return dict(self.store.list())


def with_past(past: str, **dialect: Any) -> World:
    """A world in which KEY is "absent", "live" for one second more, or "expired"."""
    world = World(**dialect)
    if past != "absent":
        world.store.set(KEY, "old", ttl=1.0)
    world.now += 1.0 if past == "expired" else 0.0
    return world


PASTS = pytest.mark.parametrize("past", ["absent", "live", "expired"])


@PASTS
@pytest.mark.parametrize("ttl", [None, 5.0])
def test_null_deletes_is_a_value_or_is_refused(past: str, ttl: float | None) -> None:
    deleting = with_past(past, null="delete")
    deleting.store.set(KEY, None, ttl=ttl)
    assert deleting.everything() == {}
    assert not deleting.store.has(KEY)

    storing = with_past(past, null="value")
    storing.store.set(KEY, None, ttl=ttl)
    assert storing.everything() == {KEY: None}
    assert storing.store.has(KEY)

    refusing = with_past(past, null="reject")
    before = refusing.everything()
    with pytest.raises(InvalidValue):
        refusing.store.set(KEY, None, ttl=ttl)
    assert refusing.everything() == before


@PASTS
@pytest.mark.parametrize("by", ["set", "cas"])
@pytest.mark.parametrize(("option", "ttl"), [("ttl_zero", 0), ("ttl_negative", -1.0)])
@pytest.mark.parametrize("choice", ["expire", "delete", "never", "default", "reject"])
def test_a_ttl_of_nothing_does_as_declared(
    past: str, by: str, option: str, ttl: float, choice: str
) -> None:
    if (option, choice) == ("ttl_negative", "default"):
        return
    world = with_past(past, default_ttl=8.0, **{option: choice})
    before = world.everything()

    def write() -> None:
        if by == "set":
            world.store.set(KEY, "new", ttl=ttl)
        else:
            assert world.store.cas(KEY, before.get(KEY), "new", ttl=ttl)

    if choice == "reject":
        with pytest.raises(InvalidTtl):
            write()
        assert world.everything() == before
        return
    write()
    stored = {} if choice in ("expire", "delete") else {KEY: "new"}
    assert world.everything() == stored
    world.now += 8.0
    assert world.everything() == ({} if choice == "default" else stored)


@deterministic
@given(st.integers(1, 640).map(lambda n: n / 64))
def test_a_default_ttl_holds_where_none_is_given(ttl: float) -> None:
    world = World(default_ttl=5.0)
    world.store.set(KEY, "by default")
    world.store.set(("own",), "its own", ttl=ttl)
    world.now += min(5.0, ttl) - 1 / 128
    assert set(world.everything()) == {KEY, ("own",)}
    world.now = 105.0
    assert KEY not in world.everything()
    assert (("own",) in world.everything()) == (ttl > 5.0)


@pytest.mark.parametrize("ttl", [float("nan"), float("inf"), float("-inf"), "soon", True, [1]])
def test_a_ttl_that_is_no_number_of_seconds_is_refused(ttl: Any) -> None:
    for by in ("set", "cas"):
        world = with_past("live")
        write = (
            partial(world.store.cas, KEY, "old") if by == "cas" else partial(world.store.set, KEY)
        )
        with pytest.raises(InvalidTtl):
            write("new", ttl=ttl)
        assert world.everything() == {KEY: "old"}
        world.now += 1.0
        assert world.everything() == {}


@pytest.mark.parametrize("ttl", [float("nan"), float("inf"), "soon"])
def test_every_ttl_that_is_no_number_of_seconds_is_never_where_so_declared(ttl: Any) -> None:
    world = World(ttl_nonfinite="never", default_ttl=5.0)
    world.store.set(KEY, "new", ttl=ttl)
    world.now += 1e9
    assert world.everything() == {KEY: "new"}


@deterministic
@given(st.lists(st.sampled_from("abcd"), max_size=8))
def test_insertion_order_is_that_of_the_first_write_since_a_key_was_gone(names: list[str]) -> None:
    world = World(list_order="insertion", key_model="flat")
    due: list[str] = []
    for name in names:
        if name in due and names.count(name) % 2:
            world.store.delete(name)
            due.remove(name)
        world.store.set(name, 1)
        due += [name] * (name not in due)
    assert list(world.store.keys()) == due


@deterministic
@given(st.dictionaries(st.text("ab%", max_size=3), st.integers()), st.text("ab%", max_size=3))
def test_flat_keys_are_listed_by_their_first_characters(
    entries: dict[str, int], prefix: str
) -> None:
    world = World(key_model="flat")
    for key, value in entries.items():
        world.store.set(key, value)
    due = sorted((key, value) for key, value in entries.items() if key.startswith(prefix))
    assert list(world.store.list(prefix)) == due


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("key", [7, None, b"k", ["k"], (), ("k", 7), (("k",),), "k", ("k",)])
def test_what_is_no_key_of_the_model_is_refused(flat: bool, key: Any) -> None:
    world = World(key_model="flat" if flat else "path")
    if key == ("k" if flat else ("k",)):
        world.store.set(key, "v")
        assert world.everything() == {key: "v"}
        return
    for by in ("get", "has", "delete", "set", "cas"):
        arguments = {"set": ("v",), "cas": (None, "v")}.get(by, ())
        with pytest.raises(InvalidKey):
            getattr(world.store, by)(key, *arguments)
    assert world.everything() == {}


def test_a_key_over_the_declared_length_is_refused_and_one_at_it_is_not() -> None:
    world = World(max_key_bytes=4)
    world.store.set(("éé",), "v")
    for key in (("ééa",), ("ab", "cde")):
        with pytest.raises(InvalidKey):
            world.store.set(key, "v")
    assert world.everything() == {("éé",): "v"}


@pytest.mark.parametrize("limit", [10, 1_000, 100_000])
def test_a_value_over_the_declared_size_is_refused_and_one_at_it_is_not(limit: int) -> None:
    world = World(max_value_bytes=limit)
    largest = "v" * (limit - 2)
    world.store.set(KEY, largest)
    for value in (largest + "v", [largest], {"a": largest}):
        with pytest.raises(InvalidValue):
            world.store.set(KEY, value)
    assert world.everything() == {KEY: largest}


CALLS = {
    **dict.fromkeys(("get", "has", "delete"), (KEY,)),
    **dict.fromkeys(("list", "keys", "values", "entries", "clear", "prune"), ()),
    "set": (KEY, "new"),
    "cas": (KEY, "old", None),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_closed_handle_refuses_every_call_and_the_data_stay(name: str) -> None:
    spaces: dict[str, Any] = {}
    closed, other = (ReferenceStore(space="s", world=spaces) for _ in range(2))
    closed.set(KEY, "old")
    closed.close()
    closed.close()
    with pytest.raises(StoreClosed):
        getattr(closed, name)(*CALLS[name])
    assert list(other.list()) == [(KEY, "old")]

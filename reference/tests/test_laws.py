"""The laws of a key-value store, as properties of the reference alone (no oracle).

Every law starts from a store with a past: some writes, some of them with a ttl, on a clock that
the test moves. Times are multiples of 1/64 s, exact in a float.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from kv_reference.store import ReferenceStore

deterministic = settings(derandomize=True, deadline=None, max_examples=150)

components = st.sampled_from(["a", "ab", "b", "A", "a/b", "%", "*", "é", "😀", "__proto__"])
keys = st.lists(components, min_size=1, max_size=3).map(tuple)
prefixes = st.lists(components, max_size=3).map(tuple)
scalars = st.sampled_from([False, True, 0, 1, 1.0, -0.5, "", "text", "0"])
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(st.none() | inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "value", "__proto__"]), st.none() | inner, max_size=3
        )
    ),
    max_leaves=5,
)
seconds = st.integers(1, 128).map(lambda n: n / 64)
ttls = st.none() | seconds


class World:
    """A store and its clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.spaces: dict[str, Any] = {}
        self.store = self.open("one")

    def open(self, space: str) -> ReferenceStore:
        return ReferenceStore(clock=lambda: self.now, space=space, world=self.spaces)

    def everything(self) -> dict[Any, Any]:
        """All live entries by key."""
        return dict(self.store.list())


class Past(NamedTuple):
    """A write of the past, and how long ago the next one was."""

    key: Any
    value: Any
    ttl: float | None
    pause: float


pasts = st.lists(st.builds(Past, keys, values, ttls, seconds), max_size=6)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A store with a past."""
    world = World()
    for past in draw(pasts):
        world.store.set(past.key, past.value, ttl=past.ttl)
        world.now += past.pause
    return world


@deterministic
@given(worlds(), keys, values, ttls)
def test_a_read_answers_what_was_last_written(world: World, key: Any, value: Any, ttl: Any) -> None:
    world.store.set(key, value, ttl=ttl)
    assert repr(world.store.get(key)) == repr(value)
    assert world.store.has(key)
    assert repr(world.everything()[key]) == repr(value)


@deterministic
@given(worlds(), keys, values, ttls)
def test_a_write_changes_no_other_key(world: World, key: Any, value: Any, ttl: Any) -> None:
    before = world.everything()
    world.store.set(key, value, ttl=ttl)
    after = world.everything()
    assert {**before, key: value} == after
    world.store.delete(key)
    assert world.everything() == {k: v for k, v in before.items() if k != key}


@deterministic
@given(worlds(), keys, values)
def test_writing_and_deleting_are_idempotent(world: World, key: Any, value: Any) -> None:
    world.store.set(key, value)
    once = world.everything()
    world.store.set(key, value)
    assert world.everything() == once
    assert world.store.delete(key)
    gone = world.everything()
    assert not world.store.delete(key)
    assert world.everything() == gone
    assert world.store.get(key) is None
    assert not world.store.has(key)


@deterministic
@given(pasts, st.lists(st.tuples(keys, values, ttls), min_size=2, max_size=2), seconds)
def test_writes_to_different_keys_commute(past: list[Past], writes: list[Any], later: Any) -> None:
    assume(writes[0][0] != writes[1][0])
    seen = []
    for order in (writes, writes[::-1]):
        world = World()
        for write in past:
            world.store.set(write.key, write.value, ttl=write.ttl)
        for key, value, ttl in order:
            world.store.set(key, value, ttl=ttl)
        at_once, world.now = list(world.store.list()), world.now + later
        seen.append((at_once, list(world.store.list())))
    assert seen[0] == seen[1]


@deterministic
@given(worlds(), keys, values, seconds)
def test_an_entry_lives_until_its_deadline_and_not_at_it(
    world: World, key: Any, value: Any, ttl: float
) -> None:
    start = world.now
    world.store.set(key, value, ttl=ttl)
    world.now = start + ttl - 1 / 128
    assert world.store.get(key) == value
    assert key in world.everything()
    world.now = start + ttl
    assert world.store.get(key) is None
    assert not world.store.has(key)
    assert key not in world.everything()
    assert not world.store.cas(key, value, "other")
    assert world.store.cas(key, None, "other")


@deterministic
@given(worlds(), keys, values, ttls, ttls, seconds, st.sampled_from(["set", "cas"]))
def test_an_overwrite_replaces_the_deadline(
    world: World, key: Any, value: Any, old: Any, new: Any, pause: float, by: str
) -> None:
    world.store.set(key, "old", ttl=old)
    if by == "set":
        world.now += pause
        world.store.set(key, value, ttl=new)
    else:
        assert world.store.cas(key, "old", value, ttl=new)
    written = world.now
    if new is None:
        world.now += 1e9
        assert world.store.get(key) == value
    else:
        world.now = written + new - 1 / 128
        assert world.store.get(key) == value
        world.now = written + new
        assert world.store.get(key) is None


@deterministic
@given(worlds(), keys, st.none() | scalars, st.none() | scalars, st.none() | values, ttls)
def test_cas_swaps_exactly_where_the_value_is_the_expected_one(
    world: World, key: Any, value: Any, expected: Any, new: Any, ttl: Any
) -> None:
    world.store.set(key, value)
    before = world.everything()
    same = type(value) is type(expected) and value == expected
    same |= {type(value), type(expected)} == {int, float} and value == expected
    assert world.store.cas(key, expected, new, ttl=ttl) is same
    if same and new is not None:
        before[key] = new
    elif same:
        before.pop(key, None)
    assert world.everything() == before


@deterministic
@given(worlds(), keys, values, seconds, st.none() | values)
def test_a_cas_that_fails_changes_not_even_the_deadline(
    world: World, key: Any, value: Any, ttl: float, new: Any
) -> None:
    world.store.set(key, value, ttl=ttl)
    start, before = world.now, world.everything()
    assert not world.store.cas(key, "never written", new, ttl=1_000.0)
    assert not world.store.cas(key, None, new)
    assert world.everything() == before
    world.now = start + ttl - 1 / 128
    assert world.store.get(key) == value
    world.now = start + ttl
    assert world.store.get(key) is None


@deterministic
@given(worlds(), prefixes)
def test_a_listing_is_everything_filtered_by_prefix(world: World, prefix: Any) -> None:
    everything = list(world.store.list())
    assert list(world.store.list(prefix)) == [
        (key, value) for key, value in everything if key[: len(prefix)] == prefix
    ]
    assert everything == [(key, world.store.get(key)) for key in sorted(dict(everything))]
    assert list(world.store.keys()) == [key for key, _ in everything]
    assert list(world.store.values()) == [value for _, value in everything]
    assert list(world.store.entries()) == everything


@deterministic
@given(worlds())
def test_the_first_components_part_the_listing(world: World) -> None:
    everything = list(world.store.list())
    firsts = sorted({key[0] for key, _ in everything})
    assert [entry for first in firsts for entry in world.store.list((first,))] == everything


@deterministic
@given(worlds(), seconds)
def test_reading_and_pruning_change_nothing(world: World, later: float) -> None:
    untouched = {key: record.deadline for key, record in world.store.records.items()}
    before = list(world.store.list())
    for key in untouched:
        world.store.get(key)
        world.store.has(key)
    world.store.prune()
    assert list(world.store.list()) == before
    assert {key: untouched[key] for key in dict(before)} == {
        key: record.deadline for key, record in world.store.records.items()
    }
    world.now += later
    after = list(world.store.list())
    world.store.prune()
    assert list(world.store.list()) == after
    assert sorted(world.store.records) == [key for key, _ in after]


containers = st.lists(values, max_size=3) | st.dictionaries(st.just("a"), st.lists(values))


@deterministic
@given(worlds(), keys, containers, st.sampled_from(["set", "cas"]))
def test_what_the_caller_changes_stays_outside(world: World, key: Any, value: Any, by: str) -> None:
    def spoil(target: Any) -> None:
        for item in target.values() if isinstance(target, dict) else [target]:
            item.append("spoilt")

    kept = repr(value)
    world.store.delete(key)
    if by == "set":
        world.store.set(key, value)
    else:
        assert world.store.cas(key, None, value)
    spoil(value)
    assert repr(world.store.get(key)) == kept
    spoil(world.store.get(key))
    spoil(dict(world.store.list())[key])
    assert repr(world.store.get(key)) == kept


@deterministic
@given(worlds(), keys, values, values, ttls)
def test_spaces_are_apart_and_handles_of_one_space_together(
    world: World, key: Any, value: Any, other: Any, ttl: Any
) -> None:
    before = world.everything()
    elsewhere = world.open("two")
    assert list(elsewhere.list()) == []
    elsewhere.set(key, other)
    assert world.everything() == before
    world.store.set(key, value, ttl=ttl)
    assert world.open("one").get(key) == value
    world.store.clear()
    assert world.everything() == {}
    assert list(elsewhere.list()) == [(key, other)]
    elsewhere.delete(key)
    assert list(elsewhere.list()) == []

"""No copy is older than the entry, and none outlives it (LAYER-1, LOAD-4)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kv_adapters.memory import MemoryStore
from kv_adapters.sqlite import SqliteStore
from kv_adapters.tiered import TieredStore
from kv_spec.errors import InvalidValue, StoreClosed, Unavailable
from kv_spec.profile import Profile

from .composed import Seconds
from .conftest import Clock
from .held import PATIENCE, Held, Threads, blocked

KEY = ("k",)


class Forgetful(MemoryStore):
    """A fast tier that keeps entries beyond their ttl."""

    def _put(self, path: Any, packed: Any, life: int | None) -> None:
        super()._put(path, packed, None)


class Tiers:
    """A tiered store whose tiers a test can look at."""

    def __init__(self, fast: Any = None) -> None:
        self.clock = Clock()
        self.fast = Held(fast or MemoryStore(clock=self.clock))
        self.slow = Held(SqliteStore(clock=self.clock))
        self.store = TieredStore(self.fast, self.slow, clock=self.clock)

    def another(self) -> TieredStore:
        """A store on the same slow tier, its fast tier empty."""
        self.fast = Held(MemoryStore(clock=self.clock))
        return TieredStore(self.fast, self.slow, clock=self.clock)

    def copies(self) -> dict[Any, Any]:
        """What the fast tier holds."""
        return dict(self.fast.store.list())


@pytest.fixture
def tiers() -> Iterator[Tiers]:
    tiers = Tiers()
    yield tiers
    tiers.slow.close()


@pytest.fixture
def threads() -> Iterator[Threads]:
    with Threads() as threads:
        yield threads


def test_what_was_read_or_written_is_read_from_the_fast_tier(tiers: Tiers) -> None:
    tiers.store.set(KEY, [0])
    assert tiers.store.get(KEY) == [0]
    assert "get" not in tiers.slow.calls
    other = tiers.another()
    assert [other.get(KEY), other.get(KEY)] == [[0], [0]]
    assert tiers.slow.calls.count("get") == 1


def test_a_late_copy_ends_with_the_entry(tiers: Tiers) -> None:
    tiers.store.set(KEY, 1, ttl=10)
    tiers.store.set(("stays",), 1)
    other = tiers.another()
    tiers.clock.now += 9.5
    assert other.get(KEY) == other.get(("stays",)) == 1
    assert set(tiers.copies()) == {KEY, ("stays",)}
    tiers.clock.now += 0.5
    assert set(tiers.copies()) == {("stays",)}
    assert other.get(KEY) is None
    assert not other.has(KEY)
    tiers.clock.now += 1e9
    assert other.get(("stays",)) == 1


def test_a_copy_ends_with_the_entry_where_the_fast_tier_counts_whole_seconds() -> None:
    clock = Clock()
    fast, slow = Seconds(clock=clock), SqliteStore(clock=clock)
    store = TieredStore(fast, slow, clock=clock)
    store.set(KEY, 1, ttl=10.5)
    assert dict(fast.list())
    clock.now += 9.75
    assert store.get(KEY) == 1  # no copy is made for the last second: it would stay too long
    clock.now += 0.75
    assert dict(fast.list()) == {}
    slow.close()


def test_an_entry_ends_even_if_the_fast_tier_keeps_it() -> None:
    clock = Clock()
    store = TieredStore(Forgetful(clock=clock), slow := SqliteStore(clock=clock), clock=clock)
    store.set(KEY, 1, ttl=10)
    clock.now += 10
    assert store.get(KEY) is None
    assert store.cas(KEY, None, 2)
    slow.close()


def test_a_read_does_not_bring_back_what_a_write_replaced(tiers: Tiers, threads: Threads) -> None:
    tiers.store.set(KEY, "old")
    store = tiers.another()
    hold = tiers.slow.hold("get")
    reader = threads.run(store.get, KEY)
    with hold:  # it has the old value in its hands, and has made no copy
        writer = threads.run(store.set, KEY, "new")
        assert blocked(writer)
    assert reader.result(PATIENCE) == "old"
    writer.result(PATIENCE)
    assert store.get(KEY) == "new"
    assert tiers.copies() == {KEY: ["new"]}


@pytest.mark.parametrize("write", ["set", "cas", "delete"])
def test_a_copy_is_gone_before_the_entry_changes(
    tiers: Tiers, threads: Threads, write: str
) -> None:
    """Who saw the new value in a listing does not see the old one by a later get."""
    store = tiers.store
    store.set(KEY, "old")
    hold = tiers.slow.hold(write)
    arguments = {"set": (KEY, "new"), "cas": (KEY, "old", "new"), "delete": (KEY,)}[write]
    writer = threads.run(getattr(store, write), *arguments)
    with hold:
        seen = [value for _, value in store.list()]
        assert seen == ([] if write == "delete" else ["new"])
        reader = threads.run(store.get, KEY)
        assert blocked(reader)
    writer.result(PATIENCE)
    assert reader.result(PATIENCE) == (None if write == "delete" else "new")


def test_clear_does_not_leave_copies(tiers: Tiers, threads: Threads) -> None:
    tiers.store.set(KEY, "old")
    store = tiers.another()
    hold = tiers.slow.hold("get")
    reader = threads.run(store.get, KEY)
    with hold:
        clearing = threads.run(store.clear)
        assert blocked(clearing)
    clearing.result(PATIENCE)
    assert reader.result(PATIENCE) == "old"
    assert store.get(KEY) is None
    assert tiers.copies() == {}


def test_a_swap_asks_the_slow_tier(tiers: Tiers) -> None:
    stale = tiers.store
    stale.set(KEY, "old")
    tiers.another().set(KEY, "new")
    assert not stale.cas(KEY, "old", "lost")
    assert stale.get(KEY) == "new"
    assert stale.cas(KEY, "new", 3, ttl=10)
    tiers.clock.now += 10
    assert stale.cas(KEY, None, 4)
    assert stale.get(KEY) == 4


def test_a_write_that_may_still_happen_is_never_hidden_by_a_copy(tiers: Tiers) -> None:
    store = tiers.store
    store.set(KEY, "old")
    tiers.slow.fail("set", Unavailable("no answer in time"))
    with pytest.raises(Unavailable):
        store.set(KEY, "late")
    assert store.get(KEY) == "old"
    tiers.slow.store.set(KEY, ["late"])  # it happens now
    assert store.get(KEY) == "late"
    store.set(("other",), 1)
    assert tiers.copies() == {("other",): [1]}


def test_after_a_clear_that_may_still_happen_there_are_no_copies(tiers: Tiers) -> None:
    tiers.store.set(KEY, 1)
    tiers.slow.fail("clear", Unavailable("no answer in time"))
    with pytest.raises(Unavailable):
        tiers.store.clear()
    assert tiers.store.get(KEY) == 1
    tiers.slow.store.clear()
    assert tiers.store.get(KEY) is None


def test_a_refused_write_changes_nothing(tiers: Tiers) -> None:
    tiers.store.set(KEY, 1)
    for bad in (float("nan"), b"raw", {1: 2}):
        with pytest.raises(InvalidValue):
            tiers.store.set(KEY, bad)
    assert tiers.store.get(KEY) == 1
    assert tiers.copies() == {KEY: [1]}


def test_a_fast_tier_without_room_costs_a_read_and_no_more(tiers: Tiers) -> None:
    tiers.fast.fail("set", InvalidValue("too large"))
    tiers.store.set(KEY, 1)
    assert tiers.copies() == {}
    assert tiers.store.get(KEY) == 1
    assert tiers.copies() == {KEY: [1]}


def test_a_file_keeps_entries_and_deadlines(tmp_path: Path) -> None:
    clock = Clock()
    store = TieredStore(path=tmp_path / "data.db", clock=clock)
    assert store.profile.durable
    store.set(KEY, 1, ttl=10)
    store.set(("stays",), 2)
    store.close()
    clock.now += 9
    store = TieredStore(path=tmp_path / "data.db", clock=clock)
    assert store.get(KEY) == 1
    clock.now += 1
    assert dict(store.list()) == {("stays",): 2}
    store.close()


def test_an_entry_of_others_is_named_and_not_misread(tiers: Tiers) -> None:
    for foreign in ("text", [], [1, 2], {"a": 1}):
        tiers.slow.store.set(KEY, foreign)
        with pytest.raises(InvalidValue, match="no TieredStore wrote"):
            tiers.store.get(KEY)


def test_tiers_that_were_given_stay_open_and_are_not_called_shared(tiers: Tiers) -> None:
    assert "shared" in tiers.store.profile.without
    tiers.store.close()
    with pytest.raises(StoreClosed):
        tiers.store.get(KEY)
    assert tiers.slow.store.get(KEY) is None


def test_tiers_that_can_not_be_kept_right_are_refused() -> None:
    class Timed(MemoryStore):
        profile = Profile(default_ttl=60)

    class Untimed:
        def set(self, key: Any, value: Any) -> None: ...

    memory = MemoryStore()
    with pytest.raises(ValueError, match="default ttl"):
        TieredStore(memory, Timed())
    with pytest.raises(ValueError, match="takes ttl"):
        TieredStore(Untimed(), memory)
    with pytest.raises(ValueError, match="both tiers"):
        TieredStore(memory)
    with pytest.raises(ValueError, match="default tiers"):
        TieredStore(memory, memory, space="a")

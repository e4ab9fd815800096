"""One read for all who asked before it began, and for nobody else."""

from collections.abc import Iterator
from typing import Any

import pytest
from kv_adapters.coalescing import CoalescingStore
from kv_adapters.memory import MemoryStore
from kv_spec.errors import StoreClosed, Unavailable

from .conftest import Clock
from .held import PATIENCE, Held, Threads, until

KEY = ("k",)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def below(clock: Clock) -> Held:
    return Held(MemoryStore(clock=clock))


@pytest.fixture
def store(below: Held) -> Iterator[CoalescingStore]:
    store = CoalescingStore(below)
    yield store
    assert not store._flights._next, "a read is left that waits for its turn"
    assert not store._flights._under_way, "a read is left that never ended"


@pytest.fixture
def threads() -> Iterator[Threads]:
    with Threads() as threads:
        yield threads


def ask(threads: Threads, store: CoalescingStore, times: int) -> list[Any]:
    """So many gets that are all waiting for the next read."""
    asked = [threads.run(store.get, KEY) for _ in range(times)]
    until(lambda: store._flights.waiting(KEY) == times)
    return asked


def test_reads_at_once_are_one_read(store: Any, below: Held, threads: Threads) -> None:
    store.set(KEY, {"n": [1]})
    hold = below.hold("get")
    first = threads.run(store.get, KEY)
    with hold:
        rest = ask(threads, store, 9)
    answers = [future.result(PATIENCE) for future in (first, *rest)]
    assert answers == [{"n": [1]}] * 10
    assert below.calls.count("get") == 2
    assert below.most_at_once == 1
    answers[1]["n"].append(2)
    assert answers[2] == answers[9] == store.get(KEY) == {"n": [1]}


def test_reads_one_after_the_other_are_all_made(store: Any, below: Held) -> None:
    for number in range(3):
        store.set(KEY, number)
        assert store.get(KEY) == number
    assert below.calls.count("get") == 3


@pytest.mark.parametrize("through", ["the layer", "the store below"])
def test_no_read_answers_who_asked_after_a_write(
    store: Any, below: Held, threads: Threads, through: str
) -> None:
    store.set(KEY, "old")
    hold = below.hold("get")
    early = threads.run(store.get, KEY)
    with hold:  # it has seen the old value, and has not answered
        (store if through == "the layer" else below.store).set(KEY, "new")
        (late,) = ask(threads, store, 1)
    assert early.result(PATIENCE) == "old"
    assert late.result(PATIENCE) == "new"


def test_no_read_answers_who_asked_after_the_deadline(
    store: Any, below: Held, threads: Threads, clock: Clock
) -> None:
    store.set(KEY, 1, ttl=10)
    hold = below.hold("get")
    early = threads.run(store.get, KEY)
    with hold:
        clock.now += 10
        (late,) = ask(threads, store, 1)
    assert early.result(PATIENCE) == 1
    assert late.result(PATIENCE) is None


def test_an_error_reaches_all_who_waited_and_is_not_kept(
    store: Any, below: Held, threads: Threads
) -> None:
    store.set(KEY, 1)
    hold = below.hold("get")
    first = threads.run(store.get, KEY)
    with hold:
        rest = ask(threads, store, 3)
        below.fail("get", Unavailable("down"))
    assert first.result(PATIENCE) == 1
    for future in rest:
        with pytest.raises(Unavailable, match="down"):
            future.result(PATIENCE)
    assert below.calls.count("get") == 2
    assert store.get(KEY) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), StoreClosed("closed meanwhile")])
def test_what_ends_one_caller_ends_no_other(
    store: Any, below: Held, threads: Threads, error: BaseException
) -> None:
    store.set(KEY, 1)
    hold = below.hold("get")
    first = threads.run(store.get, KEY)
    with hold:
        rest = ask(threads, store, 3)
        below.fail("get", error)
    assert first.result(PATIENCE) == 1
    ended = [future.exception(PATIENCE) for future in rest]
    assert sum(one is not None for one in ended) == 1
    assert [future.result() for future in rest if future.exception() is None] == [1, 1]


def test_keys_do_not_wait_for_each_other(store: Any, below: Held, threads: Threads) -> None:
    store.set(KEY, 1)
    store.set(("other",), 2)
    hold = below.hold("get")
    first = threads.run(store.get, KEY)
    with hold:
        assert store.get(("other",)) == 2
        assert not first.done()
    assert first.result(PATIENCE) == 1


def test_the_stores_of_one_space_share_their_reads(threads: Threads) -> None:
    one, other = CoalescingStore(space="reads"), CoalescingStore(space="reads")
    assert one._flights is other._flights
    one.close()
    assert other.get(KEY) is None
    other.close()


def test_a_store_that_was_given_stays_open(store: Any, below: Held) -> None:
    layer = CoalescingStore(below)
    layer.close()
    with pytest.raises(StoreClosed):
        layer.get(KEY)
    assert below.get(KEY) is None
    with pytest.raises(ValueError, match="not both"):
        CoalescingStore(below, space="a")

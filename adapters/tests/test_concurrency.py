"""Several threads on one space, each with a handle of its own or all with one."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from .conftest import Opener


def together(*workers: Callable[[], object]) -> None:
    """Runs the workers at once and raises what the first of them raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(len(workers))

    def run(worker: Callable[[], object]) -> None:
        try:
            start.wait()
            worker()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def increment(store: Any, times: int) -> None:
    for _ in range(times):
        while not store.cas(("n",), count := store.get(("n",)), (count or 0) + 1):
            pass


@pytest.mark.parametrize("shared", [True, False], ids=["one-handle", "own-handles"])
def test_no_increment_is_lost(open_store: Opener, shared: bool) -> None:
    stores = [open_store()] * 3 if shared else [open_store() for _ in range(3)]
    together(*(partial(increment, store, 40) for store in stores))
    assert stores[0].get(("n",)) == 120


def swap_at_once(stores: list[Any], expected: Any, new: list[Any]) -> list[bool]:
    """One swap with each store, all at once; which of them succeeded."""
    won = [False] * len(stores)

    def swap(number: int) -> None:
        won[number] = stores[number].cas(("k",), expected, new[number])

    together(*(partial(swap, number) for number in range(len(stores))))
    return won


def test_a_swap_has_one_winner(open_store: Opener) -> None:
    stores = [open_store() for _ in range(3)]
    for number in range(20):
        new = [[number, worker] for worker in range(3)]
        won = swap_at_once(stores, stores[0].get(("k",)), new)
        assert sum(won) == 1
        assert stores[0].get(("k",)) == new[won.index(True)]


def test_a_deletion_has_one_winner(open_store: Opener) -> None:
    stores = [open_store() for _ in range(3)]
    for _ in range(20):
        stores[0].set(("k",), "token")
        assert sum(swap_at_once(stores, "token", [None] * 3)) == 1
        assert not stores[0].has(("k",))


def test_the_same_value_written_anew_does_not_fail_a_swap(open_store: Opener) -> None:
    """The value is 1 all the time, so that every one of these swaps must succeed (CAS-1)."""
    writer, swapper = open_store(), open_store()
    writer.set(("k",), 1)

    def write() -> None:
        for _ in range(200):
            writer.set(("k",), 1.0)

    def swap() -> None:
        for _ in range(200):
            assert swapper.cas(("k",), 1, 1)

    together(write, swap)

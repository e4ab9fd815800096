"""Stores on stores for the command to judge, over stores that are less than the one in memory."""

from collections.abc import Callable
from typing import Any

from kv_adapters.coalescing import CoalescingStore
from kv_adapters.memory import MemoryStore
from kv_adapters.prefixed import PrefixedStore
from kv_adapters.tiered import TieredStore

Clock = Callable[[], float]
SECOND = 10**9


class Seconds(MemoryStore):
    """Whole seconds, rounded up: an entry outlives its ttl by up to one."""

    profile = MemoryStore.profile.replace(ttl_resolution=1.0)

    def _put(self, path: Any, packed: Any, life: int | None) -> None:
        super()._put(path, packed, None if life is None else -(-life // SECOND) * SECOND)


class Little(Seconds):
    """A store that offers no more than it must, and ttl."""

    profile = Seconds.profile.replace(
        without=frozenset({"list", "has", "cas", "clear", "prune"}),
    )


class CoalescingLittle(CoalescingStore):
    """Reads put together, of a store that offers little."""

    def __init__(self, *, space: str, clock: Clock) -> None:
        super().__init__(Little(space=space, clock=clock))
        self._owned = True


class PrefixedSeconds(PrefixedStore):
    """A part of a store, among others whose prefixes look alike to who takes them for more."""

    def __init__(self, *, space: str, clock: Clock) -> None:
        store = Seconds(space=space, clock=clock)
        store.set(("p", "q*"), "of the store")
        store.set(("p", "q%", "k"), "of another part")
        super().__init__(store, ("p", "q"))
        self._owned = True


class TieredSeconds(TieredStore):
    """A fast tier of whole seconds, for the threads that share this object."""

    def __init__(self, *, clock: Clock) -> None:
        super().__init__(Seconds(clock=clock), MemoryStore(clock=clock), clock=clock)


class Tower(PrefixedStore):
    """A part of reads put together, of tiers."""

    def __init__(self, *, clock: Clock) -> None:
        super().__init__(CoalescingStore(TieredSeconds(clock=clock)), ("p",))

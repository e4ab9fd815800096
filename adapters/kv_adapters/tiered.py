"""A fast store before a durable one: reads are answered by the first, writes go to both."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path as FilePath
from typing import Any, Final

from kv_spec.errors import InvalidValue
from kv_spec.profile import Profile
from kv_spec.store import Entry
from kv_spec.values import check_json

from kv_adapters.base import ListingStore, OptimisticStore, RunServer
from kv_adapters.checks import NANOSECONDS, Path, nanoseconds_down, nanoseconds_up
from kv_adapters.gate import Gate
from kv_adapters.layer import named, profile_of, profile_over
from kv_adapters.memory import MemoryStore
from kv_adapters.spaces import Spaces
from kv_adapters.sqlite import SqliteStore

_GATES: Final = Spaces(Gate)


class TieredStore(OptimisticStore, ListingStore):
    """`slow` holds the entries, and `fast` copies of those that were written or read here.

    Both hold a value with its deadline, `[value]` or `[value, "nanoseconds since the epoch"]`, so
    that a copy that is made late ends when the entry does (LOAD-4). `clock` tells that time in
    seconds. What is in `slow` must have been written by a TieredStore.

    A write removes the copy, changes `slow` and only then makes a new copy, and a read that found
    none holds off writers until it has made one. So a copy is there only while `slow` has the
    same, and every answer was true at some instant of the call (LAYER-1). That holds for threads
    that share this object, and for all default stores of one process on one `path` and `space`.
    Another process that writes to `slow` is not noticed: a copy made here before stays until it
    ends or is written here. So `slow` is for one process at a time.

    `cas` and `list` ask `slow` alone. Give both tiers, which stay yours to close, or none: then the
    fast one is in memory, without a limit, and the slow one is SQLite, in the file `path` or in
    memory.
    """

    def __init__(
        self,
        fast: Any = None,
        slow: Any = None,
        *,
        path: str | FilePath | None = None,
        space: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if (fast is None) != (slow is None):
            raise ValueError("a TieredStore takes both tiers, fast and slow, or none")
        if slow is not None and not (path is None and space is None):
            raise ValueError("path and space are for the default tiers; these were given")
        self._clock = clock
        self._owned = slow is None
        self._name = None if slow is not None else _name(path, space)
        if slow is None:
            fast = MemoryStore(clock=clock, space=self._name)
            slow = SqliteStore(path=path, space=space or "", clock=clock)
        self._fast, self._slow = fast, slow
        self.profile = _profile(slow, fast, shared=self._name is not None)
        self._overtime = nanoseconds_up(profile_of(fast).ttl_resolution)
        self._gate = _GATES.open(self._name)

    @classmethod
    @contextmanager
    def for_run(cls) -> Iterator[RunServer]:
        """A file for the slow tier of one run, removed afterwards."""
        with SqliteStore.for_run() as slow:
            yield RunServer(options=slow.options, note=f"the slow tier is {slow.note}")

    def describe(self) -> str:
        """The tiers."""
        return f"with {named(self._fast)} before {named(self._slow)}"

    def prune(self) -> None:
        """Drops the records of expired entries in both tiers, where they can."""
        self._check_open()
        for tier in (self._fast, self._slow):
            if hasattr(tier, "prune"):
                tier.prune()

    def _pack(self, value: Any) -> Any:
        check_json(value, extra=self.profile.extra_types)
        return value

    def _read(self, path: Path) -> Any:
        value = self._live(self._fast.get(path), self._now())
        if value is not None:
            return value
        with self._gate.change(path):
            held = self._slow.get(path)
            value = self._live(held, self._now())
            if value is not None:
                self._promote(path, held)
            return value

    def _write(self, path: Path, packed: Any, life: int | None) -> None:
        with self._gate.change(path):
            self._fast.delete(path)
            held = self._held(packed, life)
            self._slow.set(path, held, **_ttl(life, math.inf))
            self._promote(path, held)

    def _remove(self, path: Path) -> None:
        with self._gate.change(path):
            self._fast.delete(path)
            self._slow.delete(path)

    def _swap(self, path: Path, expected: Any, packed: Any, life: int | None) -> bool:
        with self._gate.change(path):
            self._fast.delete(path)
            return super()._swap(path, expected, packed, life)

    def _look(self, path: Path) -> tuple[Any, Any]:
        held = self._slow.get(path)
        return self._live(held, self._now()), held

    def _exchange(self, path: Path, token: Any, packed: Any, life: int | None) -> bool:
        held = None if packed is None else self._held(packed, life)
        return bool(self._slow.cas(path, token, held, **_ttl(life, math.inf)))

    def _scan(self, prefix: Path) -> Iterator[Entry]:
        now = self._now()  # before the listing: it is not to lose what ends while it is walked
        found = self._slow.list(prefix)
        pairs = ((key, self._live(held, now)) for key, held in found)
        return ((key, value) for key, value in pairs if value is not None)

    def _clear(self) -> None:
        with self._gate.change_all():
            self._fast.clear()
            self._slow.clear()

    def _release(self) -> None:
        _GATES.close(self._name, self._gate)
        if self._owned:
            self._fast.close()
            self._slow.close()

    def _now(self) -> int:
        return nanoseconds_down(self._clock())

    def _held(self, value: Any, life: int | None) -> list[Any]:
        """A value as both tiers hold it. Not every store takes an integer of 61 bits: a str."""
        if life is None:
            return [value]
        return [value, str(nanoseconds_up(self._clock()) + life)]

    def _live(self, held: Any, now: int) -> Any:
        """The value that a tier holds, or None if it has ended."""
        match held:
            case None:
                return None
            case [value]:
                return value
            case [value, str(deadline)]:
                return value if now < int(deadline) else None
        raise InvalidValue("the slow tier holds an entry that no TieredStore wrote")

    def _promote(self, path: Path, held: list[Any]) -> None:
        """Makes a copy for the rest of the entry's life, if a copy can be kept right.

        The fast tier may keep an entry for its resolution longer than its ttl says (TTL-3).
        """
        left = None
        if len(held) > 1:
            left = int(held[1]) - self._now() - self._overtime
        if not self._gate.is_certain(path) or (left is not None and left <= 0):
            return
        # The fast tier may have no room for the entry, which is none the worse for it.
        with suppress(Exception):
            self._fast.set(path, held, **_ttl(left, 0.0))


def _name(path: str | FilePath | None, space: str | None) -> str | None:
    """What the default stores on the same data have in common; None for a store by itself."""
    if path is None and not space:
        return None
    file = "" if path is None else str(FilePath(path).resolve())
    return f"{__name__}\0{file}\0{space or ''}"


def _ttl(life: int | None, towards: float) -> dict[str, float]:
    """A life in nanoseconds as a ttl in seconds, which a float may not hold.

    What it can not hold is rounded: for the entry it is to be no shorter (TTL-2), towards
    infinity, and for a copy no longer (LOAD-4), towards 0.
    """
    return {} if life is None else {"ttl": math.nextafter(life / NANOSECONDS, towards)}


def _profile(slow: Any, fast: Any, *, shared: bool) -> Profile:
    """What the pair declares. Raises ValueError for a slow tier with a ttl of its own."""
    of_slow, of_fast = profile_over(slow, name="tiered"), profile_over(fast, name="tiered")
    if of_slow.default_ttl is not None:
        raise ValueError("the slow tier has a default ttl, which copies would not know of")
    if "ttl" in of_slow.without | of_fast.without:
        raise ValueError("both tiers need a set that takes ttl")
    without = of_slow.without - {"has", "prune"} | (of_fast.without & {"clear"})
    return Profile(
        name="tiered",
        capabilities=of_slow.capabilities - {"shared", "ns", "coalescing"}
        | {"tiered"}
        | ({"shared"} if shared else set()),
        without=without if shared else without | {"shared"},
        ttl_resolution=of_slow.ttl_resolution,
        ttl_min=of_slow.ttl_min,
        list_order=of_slow.list_order,
        iteration=of_slow.iteration,
        isolation="copy" if of_slow.isolation == of_fast.isolation == "copy" else "alias",
        consistency=of_slow.consistency,
        concurrent=of_slow.concurrent,
        durable=of_slow.durable,
        after_close="error",
        max_key_bytes=of_slow.max_key_bytes,
        max_value_bytes=None if of_slow.max_value_bytes is None else of_slow.max_value_bytes - 40,
        rejects=of_slow.rejects,
    )

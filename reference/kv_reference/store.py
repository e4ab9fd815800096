"""ReferenceStore: correct behaviour in pure Python, every capability in scope.

Its methods are small on purpose: a mutant overrides one of them and nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from kv_spec.profile import Profile
from kv_spec.values import copy, equal, is_container

from kv_reference.gate import Gate
from kv_reference.rulings import Effect, Ruling

REFERENCE_PROFILE = Profile(
    name="reference",
    ttl_resolution=0.0,
    list_order="lex",
    delete_returns="bool",
    after_close="error",
    concurrent=True,
    capabilities=frozenset({"shared", "bigint", "bytes", "datetime"}),
)


class Record:
    """An entry as it is stored; `deadline` is in seconds, infinite for none."""

    __slots__ = ("deadline", "value")

    def __init__(self, value: Any, deadline: float) -> None:
        self.value = value
        self.deadline = deadline


class ReferenceStore(Gate):
    """A dict and a clock.

    `clock` tells the time in seconds. Stores opened with the same `space` in the same `world`
    share their data; without a space each store is alone.
    """

    profile = REFERENCE_PROFILE

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        space: str | None = None,
        profile: Profile | None = None,
        world: dict[str, Any] | None = None,
    ) -> None:
        if profile is not None:
            self.profile = profile
        self.clock = clock
        self.closed = False
        shared = _WORLD if world is None else world
        fresh: tuple[dict[Any, Record], Any] = ({}, threading.RLock())
        space = self.place(space)
        data = fresh if space is None else shared.setdefault(space, fresh)
        self.records: dict[Any, Record] = data[0]
        self.lock: Any = data[1]
        for name in self.profile.without & _OPTIONAL:
            setattr(self, name, self.refusal(name))
        self.prepare()

    def prepare(self) -> None:
        """What a mutant adds to a new handle; the reference adds nothing."""

    def place(self, space: str | None) -> str | None:
        """The name under which a data space is kept; None for one of this handle's own."""
        return space

    def get(self, key: Any) -> Any:
        """The live value, or None (GET-1 to GET-5)."""
        with self.lock:
            self.enter(key)
            record = self.live(key)
            return None if record is None else self.hand_out(record.value)

    def set(self, key: Any, value: Any, *, ttl: float | timedelta | None = None) -> None:
        """Stores, or removes where the dialect says so (SET, NULL and TTL clauses)."""
        with self.lock:
            self.enter(key)
            self.write(key, value, self.check(value, ttl))

    def delete(self, key: Any) -> bool:
        """Removes a key; True if a live entry was there (DEL-4)."""
        with self.lock:
            self.enter(key)
            was_live = self.live(key) is not None
            self.remove(key)
            return was_live

    def has(self, key: Any) -> bool:
        """True where get would hit (HAS-1)."""
        with self.lock:
            self.enter(key)
            return self.live(key) is not None

    def list(self, prefix: Any = None) -> Iterator[tuple[Any, Any]]:
        """The entries below a prefix at this instant, in the order of their keys (LIST)."""
        return iter(self.snapshot(prefix))

    def keys(self) -> Iterator[Any]:
        """Every live key."""
        return iter([key for key, _ in self.snapshot()])

    def values(self) -> Iterator[Any]:
        """Every live value."""
        return iter([value for _, value in self.snapshot()])

    def entries(self) -> Iterator[tuple[Any, Any]]:
        """Every live entry."""
        return iter(self.snapshot())

    def snapshot(self, prefix: Any = None) -> Sequence[tuple[Any, Any]]:
        """What is live below a prefix now; every listing comes through here (ITER-5)."""
        with self.lock:
            prefix = self.check_prefix(prefix)
            found = [key for key in self.stored_keys() if self.below(key, prefix)]
            entries = [(key, record) for key in found if (record := self.live(key)) is not None]
            return [(key, self.hand_out(record.value)) for key, record in entries]

    def cas(
        self, key: Any, expected: Any, new: Any, *, ttl: float | timedelta | None = None
    ) -> bool:
        """Swaps exactly when the current value equals `expected` (CAS)."""
        with self.lock:
            self.enter(key)
            ruling = Ruling(Effect.REMOVE) if new is None else self.check(new, ttl)
            if not self.matches(expected, self.live(key)):
                return False
            self.swap(key, new, ruling)
            return True

    def clear(self) -> None:
        """Removes every entry."""
        with self.lock:
            self.check_open()
            self.records.clear()

    def prune(self) -> None:
        """Drops the expired records (TTL-11)."""
        with self.lock:
            self.check_open()
            for key in [key for key in self.records if self.live(key) is None]:
                self.records.pop(key, None)

    def close(self) -> None:
        """Ends this handle; again is no error (CLOSE-1)."""
        self.closed = True

    def write(self, key: Any, value: Any, ruling: Ruling) -> None:
        """Carries a ruling out: stores a copy, or removes."""
        if ruling.effect is Effect.REMOVE:
            self.remove(key)
        else:
            self.put(key, self.take_in(value), self.deadline(ruling))

    def swap(self, key: Any, new: Any, ruling: Ruling) -> None:
        """What a cas that matched does."""
        self.write(key, new, ruling)

    def put(self, key: Any, value: Any, deadline: float) -> None:
        """Replaces the record of a key (SET-1, SET-2)."""
        if self.profile.list_order == "insertion" and self.live(key) is None:
            self.records.pop(key, None)
        self.records[key] = Record(value, deadline)

    def remove(self, key: Any) -> None:
        """Removes the record of a key (DEL-1 to DEL-3)."""
        self.records.pop(key, None)

    def deadline(self, ruling: Ruling) -> float:
        """The instant from which an entry written now is gone."""
        return self.clock() + ruling.lifetime

    def expired(self, record: Record) -> bool:
        """True from the deadline on (TTL-2, TTL-3)."""
        return self.clock() >= record.deadline

    def live(self, key: Any) -> Record | None:
        """The record of a key that has not expired; every read comes through here (TTL-4)."""
        record = self.records.get(key)
        return None if record is None or self.expired(record) else record

    def matches(self, expected: Any, record: Record | None) -> bool:
        """Whether a cas may swap (CAS-1, CAS-3, CAS-7)."""
        if expected is None:
            return record is None
        return record is not None and self.same(expected, record.value)

    def same(self, expected: Any, value: Any) -> bool:
        """Structural equality of values (CAS-7)."""
        return equal(expected, value)

    def stored_keys(self) -> Sequence[Any]:
        """The keys to list from, in order (LIST-9)."""
        if self.profile.list_order == "insertion":
            return tuple(self.records)
        return sorted(self.records)

    def below(self, key: Any, prefix: Any) -> bool:
        """Whether a key starts with a prefix, component by component (LIST-2)."""
        if isinstance(key, str):
            return key.startswith(prefix)
        return bool(key[: len(prefix)] == prefix)

    def take_in(self, value: Any) -> Any:
        """What is stored of a value passed in (VAL-2)."""
        return copy(value) if is_container(value) else value

    def hand_out(self, value: Any) -> Any:
        """What a reader gets of a stored value (VAL-3)."""
        return copy(value) if is_container(value) else value


_WORLD: dict[str, Any] = {}
_OPTIONAL: Final = frozenset("has list keys values entries cas clear prune close".split())

"""Mutants of GET and HAS."""

from __future__ import annotations

import math
from typing import Any

from kv_reference.mutants.registry import mutant
from kv_reference.rulings import Effect, Ruling
from kv_reference.store import Record, ReferenceStore


@mutant("GET-1", "a miss raises KeyError", also="GET-5 KEY-3")
class MissRaises(ReferenceStore):
    """A dict read with [] where .get was meant."""

    def get(self, key: Any) -> Any:
        with self.lock:
            if key not in self.records:
                self.enter(key)
                raise KeyError(key)
            return super().get(key)


@mutant(
    "GET-1",
    "a miss answers an empty text",
    also="GET-5 TTL-3 DEL-1 NULL-2 TTL-6 TTL-7 CAS-4 ERR-1 CAS-2",
)
class MissAnswersEmpty(ReferenceStore):
    """A client that turns the server's nil into its own empty value."""

    def get(self, key: Any) -> Any:
        value = super().get(key)
        return "" if value is None else value


@mutant(
    "GET-2",
    "a write shows only after the next write",
    also="SET-1 SET-2 CAS-1 CAS-2 CAS-7 HAS-1 LIST-1 LIST-2 LIST-7 DEL-4 ITER-1 ITER-2 ITER-5 "
    "GET-4 VAL-5 VAL-8 NULL-4 KEY-4 TTL-2 TTL-3",
)
class WritesBehind(ReferenceStore):
    """A write buffer that reads do not look into; each write flushes the one before."""

    def prepare(self) -> None:
        self.buffer: dict[Any, Record] = {}

    def write(self, key: Any, value: Any, ruling: Ruling) -> None:
        self.records.update(self.buffer)
        self.buffer.clear()
        if ruling.effect is Effect.REMOVE:
            self.remove(key)
        else:
            self.buffer[key] = Record(self.take_in(value), self.deadline(ruling))


@mutant("GET-3", "a get restarts the lifetime")
class GetRefreshes(ReferenceStore):
    """Sliding expiry, as sessions have it, where the ttl was to be fixed."""

    def prepare(self) -> None:
        self.lifetimes: dict[Any, float] = {}

    def put(self, key: Any, value: Any, deadline: float) -> None:
        super().put(key, value, deadline)
        self.lifetimes[key] = deadline - self.clock()

    def get(self, key: Any) -> Any:
        value = super().get(key)
        if value is not None:
            self.records[key].deadline = self.clock() + self.lifetimes.get(key, math.inf)
        return value


@mutant("GET-3", "a get takes the entry out", also="CAS-5")
class GetPops(ReferenceStore):
    """dict.pop written for dict.get."""

    def get(self, key: Any) -> Any:
        value = super().get(key)
        self.records.pop(key, None)
        return value


@mutant(
    "GET-3",
    "a miss leaves an entry",
    also="GET-1 HAS-1 LIST-1 CAS-5 DEL-4 LIST-7 OPEN-1 CAS-3 CAS-1",
)
class MissIsCached(ReferenceStore):
    """A negative cache kept among the entries themselves (or a defaultdict)."""

    def get(self, key: Any) -> Any:
        value = super().get(key)
        if value is None:
            self.records[key] = Record(None, math.inf)
        return value


@mutant("GET-4", "a falsy value reads as a miss")
class FalsyIsMiss(ReferenceStore):
    """`value or None` where `is not None` was meant."""

    def get(self, key: Any) -> Any:
        return super().get(key) or None


@mutant("GET-4", "an empty list or mapping reads as a miss")
class EmptyIsMiss(ReferenceStore):
    """A container type of the backend (a Redis hash, a SQL row set) that can not be empty."""

    def get(self, key: Any) -> Any:
        value = super().get(key)
        return None if value in ([], {}) else value


@mutant("GET-5", "a deleted key raises when it is read", also="GET-1")
class DeletedRaises(ReferenceStore):
    """A tombstone that the reading side does not know."""

    def prepare(self) -> None:
        self.tombstones: set[Any] = set()

    def remove(self, key: Any) -> None:
        super().remove(key)
        self.tombstones.add(key)

    def put(self, key: Any, value: Any, deadline: float) -> None:
        super().put(key, value, deadline)
        self.tombstones.discard(key)

    def get(self, key: Any) -> Any:
        if key in self.tombstones:
            raise LookupError("tombstone")
        return super().get(key)


@mutant("GET-5", "an expired key answers False")
class ExpiredAnswersFalse(ReferenceStore):
    """`record and live` returned as it is, so that the truth value leaks out."""

    def get(self, key: Any) -> Any:
        self.check_open()
        record = self.records.get(key)
        expired = record is not None and self.expired(record)
        return False if expired else super().get(key)


@mutant("HAS-1", "has answers by the truth of the value")
class HasByTruth(ReferenceStore):
    """bool(get(key))."""

    def has(self, key: Any) -> bool:
        return bool(self.get(key))


@mutant("HAS-1", "has answers how many entries there are")
class HasCounts(ReferenceStore):
    """The count that EXISTS answers, passed on."""

    def has(self, key: Any) -> bool:
        return int(super().has(key))  # type: ignore[return-value]


@mutant("HAS-1", "has finds what lies below the key")
class HasFindsBelow(ReferenceStore):
    """A path that exists as a folder."""

    def has(self, key: Any) -> bool:
        return super().has(key) or bool(self.snapshot(key))


@mutant("HAS-2", "has restarts the lifetime")
class HasRefreshes(ReferenceStore):
    """TOUCH used to ask."""

    def prepare(self) -> None:
        self.lifetimes: dict[Any, float] = {}

    def put(self, key: Any, value: Any, deadline: float) -> None:
        super().put(key, value, deadline)
        self.lifetimes[key] = deadline - self.clock()

    def has(self, key: Any) -> bool:
        found = super().has(key)
        if found:
            self.records[key].deadline = self.clock() + self.lifetimes.get(key, math.inf)
        return found


@mutant("HAS-2", "has removes the entry")
class HasPops(ReferenceStore):
    """Asks by removing, and forgets to put back."""

    def has(self, key: Any) -> bool:
        return super().has(key) and self.records.pop(key, None) is not None

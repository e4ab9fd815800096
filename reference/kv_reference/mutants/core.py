"""Mutants of GET, SET and HAS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kv_spec.errors import InvalidInput

from kv_reference.mutants.registry import mutant
from kv_reference.semantics import Effect, Ruling, has_odd_code_point
from kv_reference.store import Record, ReferenceStore


@mutant("GET-1", "a miss raises KeyError")
class MissRaises(ReferenceStore):
    """A dict read with [] where .get was meant."""

    def get(self, key: Any) -> Any:
        with self.lock:
            if key not in self.records:
                self.enter(key)
                raise KeyError(key)
            return super().get(key)


@mutant("GET-1", "a miss answers an empty text", also="GET-5 TTL-3 DEL-1 NULL-2 TTL-6 TTL-7 CAS-4")
class MissAnswersEmpty(ReferenceStore):
    """A client that turns the server's nil into its own empty value."""

    def get(self, key: Any) -> Any:
        value = super().get(key)
        return "" if value is None else value


@mutant("GET-2", "a write shows only after the next write", also="SET-1 CAS-1 LIST-1")
class WritesBehind(ReferenceStore):
    """A write buffer that reads do not look into; each write flushes the one before."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
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

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.lifetimes: dict[Any, float] = {}

    def put(self, key: Any, value: Any, deadline: float) -> None:
        super().put(key, value, deadline)
        self.lifetimes[key] = deadline - self.clock()

    def get(self, key: Any) -> Any:
        value = super().get(key)
        if value is not None:
            self.records[key].deadline = self.clock() + self.lifetimes.get(key, math.inf)
        return value


@mutant("GET-3", "a get takes the entry out")
class GetPops(ReferenceStore):
    """dict.pop written for dict.get."""

    def get(self, key: Any) -> Any:
        value = super().get(key)
        self.records.pop(key, None)
        return value


@mutant("GET-3", "a miss leaves an entry", also="GET-1 HAS-1 LIST-1")
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


@mutant("GET-5", "a deleted key raises when it is read")
class DeletedRaises(ReferenceStore):
    """A tombstone that the reading side does not know."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
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
        record = self.records.get(key)
        expired = record is not None and self.expired(record)
        return False if expired else super().get(key)


@mutant("SET-1", "setting a mapping merges it into the old one")
class MergesMappings(ReferenceStore):
    """dict.update, or a SQL upsert by jsonb concatenation, where the value was to be replaced."""

    def put(self, key: Any, value: Any, deadline: float) -> None:
        old = self.live(key)
        if old is not None and isinstance(old.value, dict) and isinstance(value, dict):
            value = {**old.value, **value}
        super().put(key, value, deadline)


@mutant("SET-1", "setting a live key keeps the first value", also="CAS-1")
class KeepsFirst(ReferenceStore):
    """INSERT OR IGNORE, or SET NX, where an upsert was meant."""

    def put(self, key: Any, value: Any, deadline: float) -> None:
        old = self.live(key)
        super().put(key, value if old is None else old.value, deadline)


@mutant("SET-1", "a list that replaces a list is appended to it", also="CAS-1")
class AppendsToLists(ReferenceStore):
    """RPUSH without a DEL before it."""

    def put(self, key: Any, value: Any, deadline: float) -> None:
        old = self.live(key)
        if old is not None and isinstance(old.value, list) and isinstance(value, list):
            value = old.value + value
        super().put(key, value, deadline)


@mutant("SET-3", "a third entry evicts the oldest", also="LIST-1 LIST-8")
class EvictsOldest(ReferenceStore):
    """A cache with a maximum of entries, sold as a store."""

    def put(self, key: Any, value: Any, deadline: float) -> None:
        super().put(key, value, deadline)
        while len(self.records) > 2:
            del self.records[next(iter(self.records))]


@mutant("SET-3", "a set gives its deadline to all entries", also="SET-2 TTL-13")
class OneDeadlineForAll(ReferenceStore):
    """EXPIRE on the container (one hash, one table) where the field was meant."""

    def put(self, key: Any, value: Any, deadline: float) -> None:
        super().put(key, value, deadline)
        for record in self.records.values():
            record.deadline = deadline


@mutant("SET-4", "a listing shows a row for each set", also="LIST-6")
class AppendsRows(ReferenceStore):
    """INSERT without a unique key; get reads the last row, the listing reads them all."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.rows: dict[Any, int] = {}

    def put(self, key: Any, value: Any, deadline: float) -> None:
        self.rows[key] = 1 + (self.rows.get(key, 0) if self.live(key) is not None else 0)
        super().put(key, value, deadline)

    def snapshot(self, prefix: Any = None) -> Sequence[tuple[Any, Any]]:
        entries = super().snapshot(prefix)
        return [entry for entry in entries for _ in range(self.rows.get(entry[0], 1))]


@mutant("SET-5", "a value with NUL is dropped in silence", also="VAL-5 SET-1")
class DropsQuietly(ReferenceStore):
    """The driver's error is caught and logged; the caller is told nothing."""

    def put(self, key: Any, value: Any, deadline: float) -> None:
        if not (isinstance(value, str) and has_odd_code_point(value)):
            super().put(key, value, deadline)


@mutant("SET-5", "a large value is dropped in silence", needs_size=True, also="VAL-7 SET-1")
class DropsLargeQuietly(ReferenceStore):
    """A client in noreply mode never learns that the server refused the value."""

    def put(self, key: Any, value: Any, deadline: float) -> None:
        if not (isinstance(value, str) and len(value) > 100_000):
            super().put(key, value, deadline)


@mutant("SET-6", "a refused value has already removed the old entry", also="ERR-1 VAL-4")
class RefusalRemoves(ReferenceStore):
    """Delete, then insert; the encoder fails in between."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        try:
            super().set(key, value, ttl=ttl)
        except InvalidInput:
            self.records.pop(key, None)
            raise


@mutant("SET-6", "a refused set makes the old entry permanent", also="ERR-1 VAL-4 TTL-8")
class RefusalPersists(ReferenceStore):
    """PERSIST, then SET; the second is refused."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        try:
            super().set(key, value, ttl=ttl)
        except InvalidInput:
            if (record := self.live(key)) is not None:
                record.deadline = math.inf
            raise


@mutant("SET-6", "a refused value empties the old one", also="ERR-1 VAL-4")
class RefusalTruncates(ReferenceStore):
    """The file is opened for writing before the value is encoded."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        try:
            super().set(key, value, ttl=ttl)
        except InvalidInput:
            if (record := self.live(key)) is not None:
                record.value = ""
            raise


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

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
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

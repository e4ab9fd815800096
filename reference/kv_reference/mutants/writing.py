"""Mutants of SET, save SET-2."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kv_spec.errors import InvalidInput

from kv_reference.mutants.registry import mutant
from kv_reference.rulings import has_odd_code_point
from kv_reference.store import ReferenceStore


@mutant("SET-1", "setting a mapping merges it into the old one")
class MergesMappings(ReferenceStore):
    """dict.update, or a SQL upsert by jsonb concatenation, where the value was to be replaced."""

    def put(self, key: Any, value: Any, deadline: float) -> None:
        old = self.live(key)
        if old is not None and isinstance(old.value, dict) and isinstance(value, dict):
            value = {**old.value, **value}
        super().put(key, value, deadline)


@mutant("SET-1", "setting a live key keeps the first value", also="CAS-1 LIST-7")
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


@mutant("SET-3", "a third entry evicts the oldest", also="LIST-1 LIST-8 LIST-2 LIST-3 ITER-5 CAS-1")
class EvictsOldest(ReferenceStore):
    """A cache with a maximum of entries, sold as a store."""

    def put(self, key: Any, value: Any, deadline: float) -> None:
        super().put(key, value, deadline)
        while len(self.records) > 2:
            del self.records[next(iter(self.records))]


@mutant("SET-3", "a set gives its deadline to all entries", also="SET-2 TTL-13 ITER-5 LIST-1")
class OneDeadlineForAll(ReferenceStore):
    """EXPIRE on the container (one hash, one table) where the field was meant."""

    def put(self, key: Any, value: Any, deadline: float) -> None:
        super().put(key, value, deadline)
        for record in self.records.values():
            record.deadline = deadline


@mutant("SET-4", "a listing shows a row for each set", also="LIST-6 ITER-5 ITER-2")
class AppendsRows(ReferenceStore):
    """INSERT without a unique key; get reads the last row, the listing reads them all."""

    def prepare(self) -> None:
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


@mutant("SET-5", "a large value is dropped in silence", also="VAL-7 SET-1")
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


@mutant("SET-6", "a refused value empties the old one", also="ERR-1 VAL-4 LIST-7")
class RefusalTruncates(ReferenceStore):
    """The file is opened for writing before the value is encoded."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        try:
            super().set(key, value, ttl=ttl)
        except InvalidInput:
            if (record := self.live(key)) is not None:
                record.value = ""
            raise

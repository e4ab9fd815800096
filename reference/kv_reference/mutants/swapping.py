"""Mutants of what a cas that swaps leaves: CAS-4 to CAS-6 and CAS-11."""

from __future__ import annotations

import math
from typing import Any

from kv_reference.mutants.registry import mutant
from kv_reference.rulings import Effect, Ruling
from kv_reference.store import Record, ReferenceStore


@mutant("CAS-4", "cas to ABSENT leaves an entry with null", also="DEL-4")
class SwapToNull(ReferenceStore):
    """The new value is stored, whatever it is."""

    def swap(self, key: Any, new: Any, ruling: Ruling) -> None:
        existed = self.live(key) is not None
        super().swap(key, new, ruling)
        if new is None and existed:
            self.records[key] = Record(None, math.inf)


@mutant("CAS-4", "cas to ABSENT answers True and leaves the value")
class SwapDeletesNothing(ReferenceStore):
    """`if new is None: return True`."""

    def swap(self, key: Any, new: Any, ruling: Ruling) -> None:
        if new is not None:
            super().swap(key, new, ruling)


@mutant("CAS-5", "cas from ABSENT to ABSENT creates an entry", also="DEL-4")
class NothingCreates(ReferenceStore):
    """The pair (key, undefined) is stored."""

    def swap(self, key: Any, new: Any, ruling: Ruling) -> None:
        existed = self.live(key) is not None
        super().swap(key, new, ruling)
        if new is None and not existed:
            self.records[key] = Record(None, math.inf)


@mutant("CAS-5", "cas from ABSENT to ABSENT answers False")
class NothingIsFailure(ReferenceStore):
    """No row was changed."""

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        return super().cas(key, expected, new, ttl=ttl) and not (expected is None and new is None)


@mutant("CAS-5", "cas from ABSENT to ABSENT answers True on a live key", also="CAS-3 CAS-1")
class NothingAlwaysSucceeds(ReferenceStore):
    """`if expected == new: return True`."""

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        return super().cas(key, expected, new, ttl=ttl) or (expected is None and new is None)


@mutant("CAS-6", "a swap without ttl keeps the old deadline")
class SwapKeepsDeadline(ReferenceStore):
    """Only the value is written."""

    def swap(self, key: Any, new: Any, ruling: Ruling) -> None:
        old = self.live(key)
        super().swap(key, new, ruling)
        if old is not None and key in self.records and ruling.lifetime == math.inf:
            self.records[key].deadline = old.deadline


@mutant("CAS-6", "a swap ignores its ttl")
class SwapIgnoresTtl(ReferenceStore):
    """The parameter is accepted and not passed on."""

    def swap(self, key: Any, new: Any, ruling: Ruling) -> None:
        old = self.live(key)
        super().swap(key, new, ruling)
        if old is not None and ruling.effect is not Effect.REMOVE:
            self.records[key].deadline = math.inf


@mutant("CAS-6", "creating by cas ignores the ttl")
class CreateIgnoresTtl(ReferenceStore):
    """SETNX has no ttl."""

    def swap(self, key: Any, new: Any, ruling: Ruling) -> None:
        fresh = self.live(key) is None
        super().swap(key, new, ruling)
        if fresh and key in self.records:
            self.records[key].deadline = math.inf


@mutant("CAS-6", "a value created over an expired one has its deadline")
class CreateInheritsExpired(ReferenceStore):
    """UPDATE on the row that is still there."""

    def swap(self, key: Any, new: Any, ruling: Ruling) -> None:
        old = self.records.get(key)
        super().swap(key, new, ruling)
        if old is not None and self.expired(old) and ruling.lifetime == math.inf:
            record = self.records.get(key)
            if record is not None:
                record.deadline = old.deadline


@mutant("CAS-11", "a lock is released by an owner who has lost it", also="CAS-1")
class OldTokenReleases(ReferenceStore):
    """Every token that ever held the lock may release it."""

    def prepare(self) -> None:
        self.tokens: dict[Any, list[Any]] = {}

    def put(self, key: Any, value: Any, deadline: float) -> None:
        old = self.records.get(key)
        if old is not None and self.expired(old):
            self.tokens.setdefault(key, []).append(old.value)
        super().put(key, value, deadline)

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        held = any(self.same(expected, token) for token in self.tokens.get(key, ()))
        record = self.live(key)
        if new is None and expected is not None and held and record is not None:
            expected = record.value
        return super().cas(key, expected, new, ttl=ttl)

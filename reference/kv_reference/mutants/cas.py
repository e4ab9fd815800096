"""Mutants of whether a cas swaps, and what a failed one leaves: CAS-1 to CAS-3 and CAS-7."""

from __future__ import annotations

import json
import math
from typing import Any

from kv_reference.mutants.registry import mutant
from kv_reference.rulings import Ruling
from kv_reference.store import Record, ReferenceStore


@mutant("CAS-1", "cas swaps whatever the value is", also="CAS-3 CAS-7 CAS-8 CAS-11 CAS-5")
class CasIgnoresExpected(ReferenceStore):
    """A set that answers True."""

    def matches(self, expected: Any, record: Record | None) -> bool:
        return expected is None or record is not None


@mutant("CAS-1", "cas swaps and answers False", also="CAS-2 CAS-8 CAS-7")
class CasReportsFalse(ReferenceStore):
    """The number of changed rows is read before the statement has run."""

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        swapped = super().cas(key, expected, new, ttl=ttl)
        return swapped and expected is None


@mutant("CAS-1", "cas answers True and leaves the old value", also="CAS-4 CAS-6 LIST-7")
class CasDoesNotInstall(ReferenceStore):
    """The transaction is never committed."""

    def swap(self, key: Any, new: Any, ruling: Ruling) -> None:
        if self.live(key) is None:
            super().swap(key, new, ruling)


@mutant("CAS-1", "cas answers nothing")
class CasAnswersNothing(ReferenceStore):
    """The `return` is missing."""

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        super().cas(key, expected, new, ttl=ttl)
        return None  # type: ignore[return-value]


@mutant("CAS-1", "a cas that does not match raises", also="CAS-9")
class MismatchRaises(ReferenceStore):
    """The precondition's failure is passed on as an error."""

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        if not super().cas(key, expected, new, ttl=ttl):
            raise RuntimeError("precondition failed")
        return True


@mutant("CAS-1", "cas answers True where the value is already the new one", also="CAS-7 CAS-10")
class RepeatCountsAsWin(ReferenceStore):
    """An idempotent retry, taken too far."""

    def matches(self, expected: Any, record: Record | None) -> bool:
        return super().matches(expected, record) or self.same(self.wanted, record and record.value)

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        self.wanted = object() if new is None or expected is None else new
        return super().cas(key, expected, new, ttl=ttl)


class _AfterFailure(ReferenceStore):
    """Does something when a cas did not match."""

    def failed(self, key: Any, new: Any, ttl: Any) -> None:
        raise NotImplementedError

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        with self.lock:
            swapped = super().cas(key, expected, new, ttl=ttl)
            if not swapped:
                self.failed(key, new, ttl)
            return swapped


@mutant("CAS-2", "a cas that fails writes all the same")
class FailedCasWrites(_AfterFailure):
    """The write is sent before the comparison has come back."""

    def failed(self, key: Any, new: Any, ttl: Any) -> None:
        record = self.live(key)
        if record is not None and new is not None:
            record.value = new


@mutant("CAS-2", "a cas that fails on an absent key creates it", also="GET-1")
class FailedCasCreates(_AfterFailure):
    """The record is made first, to have something to lock."""

    def failed(self, key: Any, new: Any, ttl: Any) -> None:
        if self.live(key) is None and new is not None:
            self.records[key] = Record(new, math.inf)


@mutant("CAS-2", "a cas that fails removes the entry")
class FailedCasRemoves(_AfterFailure):
    """Read by removing, put back only where it matched."""

    def failed(self, key: Any, new: Any, ttl: Any) -> None:
        self.records.pop(key, None)


@mutant("CAS-2", "a cas that fails makes the entry permanent")
class FailedCasPersists(_AfterFailure):
    """The old value is written back without its ttl."""

    def failed(self, key: Any, new: Any, ttl: Any) -> None:
        if (record := self.live(key)) is not None:
            record.deadline = math.inf


@mutant("CAS-2", "a cas that fails sets its ttl")
class FailedCasSetsTtl(_AfterFailure):
    """SET NX and then EXPIRE, the second without looking at the first."""

    def failed(self, key: Any, new: Any, ttl: Any) -> None:
        if (record := self.live(key)) is not None and ttl is not None and ttl > 0:
            record.deadline = self.clock() + ttl


@mutant("CAS-3", "cas from ABSENT overwrites a live value", also="CAS-1 CAS-5 CAS-8")
class CreateOverwrites(ReferenceStore):
    """An upsert."""

    def matches(self, expected: Any, record: Record | None) -> bool:
        return expected is None or super().matches(expected, record)


@mutant("CAS-3", "cas from ABSENT overwrites a falsy value", also="CAS-1 CAS-5")
class CreateOverFalsy(ReferenceStore):
    """`if not current`."""

    def matches(self, expected: Any, record: Record | None) -> bool:
        if expected is None:
            return record is None or not record.value
        return super().matches(expected, record)


@mutant("CAS-3", "cas from ABSENT does not match a key never set", also="CAS-1 CAS-5")
class CreateNeedsRecord(ReferenceStore):
    """UPDATE … WHERE value IS NULL finds no row where there is none."""

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        if expected is None and new is not None and key not in self.records:
            self.enter(key)
            self.check(new, ttl)
            return False
        return super().cas(key, expected, new, ttl=ttl)


@mutant("CAS-1", "cas to ABSENT raises", also="CAS-4")
class SwapDeleteRaises(ReferenceStore):
    """The new value is encoded before anybody asks whether there is one."""

    def swap(self, key: Any, new: Any, ruling: Ruling) -> None:
        if new is None and self.live(key) is not None:
            raise TypeError("can not encode None")
        super().swap(key, new, ruling)


@mutant("CAS-7", "values are compared by identity", also="CAS-1")
class ComparesIdentity(ReferenceStore):
    """`===` on objects."""

    def same(self, expected: Any, value: Any) -> bool:
        return (
            expected is value if isinstance(value, list | dict) else super().same(expected, value)
        )


@mutant("CAS-7", "values are compared as text")
class ComparesText(ReferenceStore):
    """json.dumps without sort_keys."""

    def same(self, expected: Any, value: Any) -> bool:
        return json.dumps(expected, default=repr) == json.dumps(value, default=repr)


@mutant("CAS-7", "True equals 1")
class ComparesLikePython(ReferenceStore):
    """`==` in Python."""

    def same(self, expected: Any, value: Any) -> bool:
        return bool(expected == value)


@mutant("CAS-7", "1 does not equal 1.0")
class ComparesTypes(ReferenceStore):
    """The types are compared first."""

    def same(self, expected: Any, value: Any) -> bool:
        return type(expected) is type(value) and super().same(expected, value)


@mutant("CAS-7", "the order of a list does not matter")
class ComparesAsSets(ReferenceStore):
    """Containment both ways, as jsonb's @> has it."""

    def same(self, expected: Any, value: Any) -> bool:
        if isinstance(expected, list) and isinstance(value, list):
            return sorted(map(repr, expected)) == sorted(map(repr, value))
        return super().same(expected, value)

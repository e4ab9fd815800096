"""Mutants of where a deadline lies: SET-2, TTL-1, TTL-2 and TTL-9."""

from __future__ import annotations

import math
from typing import Any

from kv_reference.mutants.bases import WITH_DEFAULT, Timers
from kv_reference.mutants.registry import mutant
from kv_reference.rulings import Ruling
from kv_reference.store import Record, ReferenceStore


@mutant("SET-2", "a set without ttl keeps the old deadline")
class KeepsOldDeadline(ReferenceStore):
    """SET with KEEPTTL, or an upsert that leaves the column `expires` out."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        old = self.live(key)
        super().set(key, value, ttl=ttl)
        if ttl is None and old is not None and key in self.records:
            self.records[key].deadline = old.deadline


@mutant("SET-2", "a set with ttl keeps the old deadline")
class FirstDeadlineWins(ReferenceStore):
    """EXPIRE NX."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        old = self.live(key)
        super().set(key, value, ttl=ttl)
        bounded = old is not None and old.deadline < math.inf
        if ttl is not None and bounded and old is not None and key in self.records:
            self.records[key].deadline = old.deadline


@mutant("SET-2", "a shorter ttl does not replace a longer one")
class LongerDeadlineWins(ReferenceStore):
    """EXPIRE GT, or max(old, new)."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        old = self.live(key)
        super().set(key, value, ttl=ttl)
        if old is not None and key in self.records:
            record = self.records[key]
            record.deadline = max(record.deadline, old.deadline)


@mutant("SET-2", "a ttl set over a permanent entry is ignored")
class PermanentStays(ReferenceStore):
    """EXPIRE XX on a key without a ttl."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        old = self.live(key)
        super().set(key, value, ttl=ttl)
        if old is not None and old.deadline == math.inf and key in self.records:
            self.records[key].deadline = math.inf


@mutant("SET-2", "the new ttl is added to what was left of the old one")
class TtlAddsUp(ReferenceStore):
    """expires += ttl."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        old = self.live(key)
        super().set(key, value, ttl=ttl)
        if ttl is not None and old is not None and old.deadline < math.inf:
            record = self.records.get(key)
            if record is not None:
                record.deadline += old.deadline - self.clock()


@mutant("SET-2", "the timer of an overwritten entry removes the new one", also="CAS-6")
class StaleTimerFires(Timers):
    """setTimeout without clearTimeout."""

    clears_on_overwrite = False


@mutant("TTL-1", "the timer of a deleted entry removes a later one")
class TimerSurvivesDelete(Timers):
    """The timer is cleared by an overwrite, not by delete."""

    clears_on_delete = False


@mutant("TTL-1", "an entry without ttl ends after a day")
class DefaultOfADay(ReferenceStore):
    """A cache's default ttl that nobody declared."""

    def deadline(self, ruling: Ruling) -> float:
        return self.clock() + (86_400.0 if ruling.lifetime == math.inf else ruling.lifetime)


@mutant("TTL-2", "a deadline is cut to whole seconds")
class CutsToSeconds(ReferenceStore):
    """int(time.time() + ttl)."""

    def deadline(self, ruling: Ruling) -> float:
        deadline = super().deadline(ruling)
        return deadline if deadline == math.inf else float(int(deadline))


@mutant("TTL-2", "an entry ends a sixty-fourth of a second early")
class EndsEarly(ReferenceStore):
    """A safety margin, taken off instead of added."""

    def expired(self, record: Record) -> bool:
        return self.clock() >= record.deadline - 1 / 64


@mutant("TTL-2", "a ttl counts in milliseconds")
class TtlInMilliseconds(ReferenceStore):
    """Seconds passed on to an interface that takes milliseconds."""

    def deadline(self, ruling: Ruling) -> float:
        return self.clock() + ruling.lifetime / 1_000


@mutant("TTL-2", "has answers False before the deadline", also="TTL-4 HAS-1")
class HasEndsEarly(ReferenceStore):
    """has compares whole seconds, get compares floats."""

    def has(self, key: Any) -> bool:
        record = self.live(key)
        found = super().has(key)
        return found and record is not None and self.clock() < record.deadline - 1 / 64


@mutant("TTL-9", "the default ends an entry that has a longer ttl", profile=WITH_DEFAULT)
class DefaultCaps(ReferenceStore):
    """min(ttl, default)."""

    def deadline(self, ruling: Ruling) -> float:
        longest = math.inf if ruling.lifetime == math.inf else 60.0
        return self.clock() + min(ruling.lifetime, longest)


@mutant("TTL-9", "the default wins over a shorter ttl", profile=WITH_DEFAULT, also="CAS-6 SET-2")
class DefaultExtends(ReferenceStore):
    """max(ttl, default)."""

    def deadline(self, ruling: Ruling) -> float:
        return self.clock() + max(ruling.lifetime, 60.0)


@mutant("TTL-9", "the marker for no expiry gets the default", profile=WITH_DEFAULT, also="TTL-6")
class MarkerGetsDefault(ReferenceStore):
    """`ttl or default`."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        super().set(key, value, ttl=ttl or None)

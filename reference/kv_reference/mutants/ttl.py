"""Mutants of when an entry ends: SET-2 and TTL-1 to TTL-4, TTL-9, TTL-11, TTL-13."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from kv_reference.mutants.registry import mutant
from kv_reference.semantics import Ruling
from kv_reference.store import REFERENCE_PROFILE, Record, ReferenceStore

WITH_DEFAULT = REFERENCE_PROFILE.replace(default_ttl=60.0, ttl_zero="never")
WHOLE_SECONDS = REFERENCE_PROFILE.replace(ttl_resolution=1.0)


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


class _Timers(ReferenceStore):
    """Removes by timers, one a deadline, which fire before anything is read."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.timers: list[tuple[float, Any]] = []

    def put(self, key: Any, value: Any, deadline: float) -> None:
        self.fire()
        super().put(key, value, deadline)
        if deadline < math.inf:
            self.timers.append((deadline, key))

    def fire(self) -> None:
        now = self.clock()
        for deadline, key in [timer for timer in self.timers if timer[0] <= now]:
            self.timers.remove((deadline, key))
            self.records.pop(key, None)

    def check_open(self) -> None:
        super().check_open()
        self.fire()


@mutant("SET-2", "the timer of an overwritten entry removes the new one", also="CAS-6")
class StaleTimerFires(_Timers):
    """setTimeout without clearTimeout."""

    def remove(self, key: Any) -> None:
        super().remove(key)
        self.timers = [timer for timer in self.timers if timer[1] != key]


@mutant("TTL-1", "the timer of a deleted entry removes a later one")
class TimerSurvivesDelete(_Timers):
    """The timer is cleared by an overwrite, not by delete."""

    def put(self, key: Any, value: Any, deadline: float) -> None:
        if key in self.records:
            self.timers = [timer for timer in self.timers if timer[1] != key]
        super().put(key, value, deadline)


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


@mutant("TTL-3", "get answers at the deadline itself", also="HAS-1 TTL-4")
class LivesAtDeadline(ReferenceStore):
    """> written for >=."""

    def expired(self, record: Record) -> bool:
        return self.clock() > record.deadline


class _SeesExpired(ReferenceStore):
    """A store in which one operation can be made to overlook deadlines."""

    overlooks = False

    def expired(self, record: Record) -> bool:
        return not self.overlooks and super().expired(record)

    def overlooking(self, work: Any) -> Any:
        self.overlooks = True
        try:
            return work()
        finally:
            self.overlooks = False


@mutant("TTL-3", "get sees an expired entry", also="TTL-4 HAS-1")
class GetSeesExpired(_SeesExpired):
    """Expiry is left to a sweeper that has not come yet."""

    def get(self, key: Any) -> Any:
        return self.overlooking(lambda: super(GetSeesExpired, self).get(key))


@mutant("TTL-3", "has sees an expired entry", also="TTL-4 HAS-1")
class HasSeesExpired(_SeesExpired):
    """has asks for the row, not for its deadline."""

    def has(self, key: Any) -> bool:
        return bool(self.overlooking(lambda: super(HasSeesExpired, self).has(key)))


@mutant("TTL-3", "list shows an expired entry", also="TTL-4")
class ListSeesExpired(_SeesExpired):
    """The listing's query lacks the condition on the deadline."""

    def list(self, prefix: Any = None) -> Iterator[tuple[Any, Any]]:
        entries = self.overlooking(lambda: self.snapshot(prefix))
        return iter(entries)


@mutant("TTL-3", "keys shows an expired key", also="ITER-5 TTL-4")
class KeysSeeExpired(_SeesExpired):
    """keys reads the index alone."""

    def keys(self) -> Iterator[Any]:
        return iter([key for key, _ in self.overlooking(self.snapshot)])


@mutant("TTL-3", "values shows an expired value", also="ITER-5 TTL-4")
class ValuesSeeExpired(_SeesExpired):
    """values reads the column alone."""

    def values(self) -> Iterator[Any]:
        return iter([value for _, value in self.overlooking(self.snapshot)])


@mutant("TTL-3", "entries shows an expired entry", also="ITER-5 TTL-4")
class EntriesSeeExpired(_SeesExpired):
    """entries is written anew where list could have been called."""

    def entries(self) -> Iterator[tuple[Any, Any]]:
        return iter(self.overlooking(self.snapshot))


@mutant("TTL-3", "an expired entry blocks creating by cas", also="CAS-3 CAS-1 CAS-5 TTL-4")
class CreateSeesExpired(_SeesExpired):
    """INSERT fails on the row that nobody has cleared away."""

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        swap = super().cas
        if expected is not None:
            return swap(key, expected, new, ttl=ttl)
        return bool(self.overlooking(lambda: swap(key, expected, new, ttl=ttl)))


@mutant("TTL-3", "cas swaps an expired value", also="CAS-1 CAS-11 TTL-4")
class SwapSeesExpired(_SeesExpired):
    """UPDATE … WHERE value = ?, without the deadline."""

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        swap = super().cas
        if expected is None:
            return swap(key, expected, new, ttl=ttl)
        return bool(self.overlooking(lambda: swap(key, expected, new, ttl=ttl)))


@mutant("TTL-4", "has and get round the time differently", profile=WHOLE_SECONDS, also="HAS-1")
class HasRoundsTime(ReferenceStore):
    """> in one query and >= in the other."""

    def has(self, key: Any) -> bool:
        with self.lock:
            self.enter(key)
            record = self.records.get(key)
            return record is not None and self.clock() <= record.deadline


@mutant("TTL-4", "a listing and get round the time differently", profile=WHOLE_SECONDS)
class ListRoundsTime(ReferenceStore):
    """The listing uses the database's clock, get the process's."""

    def snapshot(self, prefix: Any = None) -> Sequence[tuple[Any, Any]]:
        now = self.clock()
        wanted = self.check_prefix(prefix)
        late = {
            key: (key, record.value)
            for key, record in self.records.items()
            if record.deadline <= now < record.deadline + 0.5 and self.below(key, wanted)
        }
        return sorted([*super().snapshot(prefix), *late.values()], key=lambda entry: entry[0])


@mutant("TTL-9", "the default ends an entry that has a longer ttl", profile=WITH_DEFAULT)
class DefaultCaps(ReferenceStore):
    """min(ttl, default)."""

    def deadline(self, ruling: Ruling) -> float:
        longest = math.inf if ruling.lifetime == math.inf else 60.0
        return self.clock() + min(ruling.lifetime, longest)


@mutant("TTL-9", "the default wins over a shorter ttl", profile=WITH_DEFAULT)
class DefaultExtends(ReferenceStore):
    """max(ttl, default)."""

    def deadline(self, ruling: Ruling) -> float:
        return self.clock() + max(ruling.lifetime, 60.0)


@mutant("TTL-9", "the marker for no expiry gets the default", profile=WITH_DEFAULT, also="TTL-6")
class MarkerGetsDefault(ReferenceStore):
    """`ttl or default`."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        super().set(key, value, ttl=ttl or None)


@mutant("TTL-11", "prune drops every entry with a deadline")
class PruneDropsBounded(ReferenceStore):
    """DELETE … WHERE expires IS NOT NULL."""

    def prune(self) -> None:
        super().prune()
        for key in [key for key, record in self.records.items() if record.deadline < math.inf]:
            del self.records[key]


@mutant("TTL-11", "prune makes what it keeps permanent")
class PrunePersists(ReferenceStore):
    """The compacted copy has no column for the deadline."""

    def prune(self) -> None:
        super().prune()
        for record in self.records.values():
            record.deadline = math.inf


@mutant("TTL-11", "prune raises where there is nothing to do")
class PruneRaises(ReferenceStore):
    """max() of no deadlines."""

    def prune(self) -> None:
        super().prune()
        if not self.records:
            raise ValueError("max() arg is an empty sequence")


@mutant("TTL-13", "an expiry removes all entries", also="TTL-1 TTL-2 LIST-1")
class ExpiryFlushes(_Timers):
    """One TTL on the container of all entries."""

    def fire(self) -> None:
        if any(deadline <= self.clock() for deadline, _ in self.timers):
            self.timers.clear()
            self.records.clear()


@mutant("TTL-13", "an expiry makes the other entries permanent", also="TTL-3")
class ExpiryStopsTimers(_Timers):
    """One timer for all: when it has fired it is not set again."""

    def fire(self) -> None:
        before = len(self.timers)
        super().fire()
        if len(self.timers) < before:
            self.timers.clear()
            for record in self.records.values():
                record.deadline = math.inf

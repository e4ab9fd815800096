"""Mutants of who sees what has expired: TTL-3, TTL-4, TTL-11 and TTL-13."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from kv_reference.mutants.bases import WHOLE_SECONDS, Timers
from kv_reference.mutants.registry import mutant
from kv_reference.store import Record, ReferenceStore


@mutant("TTL-3", "get answers at the deadline itself", also="HAS-1 TTL-4 DEL-4 TTL-12")
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


@mutant("TTL-13", "an expiry removes all entries", also="TTL-1 TTL-2 LIST-1 SET-2")
class ExpiryFlushes(Timers):
    """One TTL on the container of all entries."""

    def fire(self) -> None:
        if any(deadline <= self.clock() for deadline, _ in self.timers):
            self.timers.clear()
            self.records.clear()


@mutant("TTL-13", "an expiry makes the other entries permanent", also="TTL-3 CAS-6 SET-2")
class ExpiryStopsTimers(Timers):
    """One timer for all: when it has fired it is not set again."""

    def fire(self) -> None:
        first = min((deadline for deadline, _ in self.timers), default=math.inf)
        if first > self.clock():
            return
        for key in [key for deadline, key in self.timers if deadline == first]:
            self.records.pop(key, None)
        self.timers.clear()
        for record in self.records.values():
            record.deadline = math.inf

"""Mutants of DEL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kv_reference.mutants.registry import mutant
from kv_reference.store import Record, ReferenceStore


class _Remembers(ReferenceStore):
    """Keeps what delete removed, for the mutants that still see it."""

    def prepare(self) -> None:
        self.deleted: dict[Any, Record] = {}

    def delete(self, key: Any) -> bool:
        record = self.live(key)
        if record is not None:
            self.deleted[key] = record
        return super().delete(key)

    def put(self, key: Any, value: Any, deadline: float) -> None:
        super().put(key, value, deadline)
        self.deleted.pop(key, None)


@mutant("DEL-1", "delete leaves the entry where it is", also="DEL-4 CAS-3")
class DeleteDoesNothing(ReferenceStore):
    """The command is built and never sent."""

    def delete(self, key: Any) -> bool:
        with self.lock:
            self.enter(key)
            return self.live(key) is not None


@mutant("DEL-1", "has sees a deleted key", also="HAS-1")
class HasSeesDeleted(_Remembers):
    """A membership filter that can not forget."""

    def has(self, key: Any) -> bool:
        return super().has(key) or key in self.deleted


@mutant("DEL-1", "a listing shows a deleted key")
class ListSeesDeleted(_Remembers):
    """The index of keys is not told of the deletion."""

    def snapshot(self, prefix: Any = None) -> Sequence[tuple[Any, Any]]:
        entries = super().snapshot(prefix)
        wanted = self.check_prefix(prefix)
        gone = [(k, r.value) for k, r in self.deleted.items() if self.below(k, wanted)]
        return sorted([*entries, *gone], key=lambda entry: entry[0])


@mutant("DEL-1", "cas takes a deleted key for present", also="CAS-1 CAS-3 CAS-5")
class CasSeesDeleted(_Remembers):
    """The version of a tombstone is compared as if it were a value's."""

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        if key in self.deleted and expected is None and not self.closed:
            return False
        return super().cas(key, expected, new, ttl=ttl)


@mutant("DEL-2", "deleting an absent key raises")
class DeleteMissRaises(ReferenceStore):
    """`del d[key]`, or os.remove."""

    def delete(self, key: Any) -> bool:
        if key not in self.records:
            self.enter(key)
            raise KeyError(key)
        return super().delete(key)


@mutant("DEL-2", "the second delete raises")
class SecondDeleteRaises(_Remembers):
    """The tombstone can not be deleted."""

    def delete(self, key: Any) -> bool:
        if key in self.deleted:
            raise LookupError("no such row")
        return super().delete(key)


@mutant("DEL-3", "delete removes what lies below the key")
class DeleteTakesSubtree(ReferenceStore):
    """rm -r."""

    def remove(self, key: Any) -> None:
        for other in [other for other in self.records if self.below(other, key)]:
            del self.records[other]


@mutant("DEL-3", "delete removes the keys of other case")
class DeleteFoldsCase(ReferenceStore):
    """DELETE in a table with a case-insensitive collation; reads compare the key again."""

    def remove(self, key: Any) -> None:
        folded = [part.casefold() for part in key]
        for other in list(self.records):
            if [part.casefold() for part in other] == folded:
                del self.records[other]


@mutant("DEL-3", "delete takes its key for the beginning of a text")
class DeleteByTextPrefix(ReferenceStore):
    """DELETE … LIKE key || '%'."""

    def delete(self, key: Any) -> bool:
        found = super().delete(key)
        for other in list(self.records):
            if len(other) == len(key) and other[:-1] == key[:-1] and other[-1].startswith(key[-1]):
                del self.records[other]
        return found


@mutant("DEL-4", "delete answers True for an expired entry")
class DeleteCountsExpired(ReferenceStore):
    """The number of rows deleted, expired ones included."""

    def delete(self, key: Any) -> bool:
        with self.lock:
            self.enter(key)
            return self.records.pop(key, None) is not None


@mutant("DEL-4", "delete answers True for an absent key")
class DeleteAnswersTrue(ReferenceStore):
    """True for "done" where "found" was asked."""

    def delete(self, key: Any) -> bool:
        super().delete(key)
        return True


@mutant("DEL-4", "delete answers False for a falsy value")
class DeleteAnswersByTruth(ReferenceStore):
    """bool(pop(key))."""

    def delete(self, key: Any) -> bool:
        with self.lock:
            self.enter(key)
            record = self.live(key)
            super().delete(key)
            return record is not None and bool(record.value)

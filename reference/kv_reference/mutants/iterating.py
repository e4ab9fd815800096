"""Mutants of ITER: walks during which the consumer writes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from kv_reference.mutants.registry import mutant
from kv_reference.store import ReferenceStore

Steps = Iterator[tuple[Any, Any]]
Entries = Sequence[tuple[Any, Any]]


@mutant("ITER-1", "deleting the current key skips the next")
class WalkByIndex(ReferenceStore):
    """An index into a list that has grown shorter."""

    def list(self, prefix: Any = None) -> Steps:
        entries, at = list(self.snapshot(prefix)), 0
        while at < len(entries):
            yield entries[at]
            at += 1
            entries = [entry for entry in entries if self.live(entry[0]) is not None]


@mutant("ITER-1", "a deletion during a walk raises")
class WalkMustNotShrink(ReferenceStore):
    """RuntimeError: dictionary changed size during iteration."""

    def list(self, prefix: Any = None) -> Steps:
        size = len(self.records)
        for entry in self.snapshot(prefix):
            if len(self.records) < size:
                raise RuntimeError("dictionary changed size during iteration")
            yield entry


@mutant("ITER-2", "a key added before the cursor makes the current one come again", also="LIST-6")
class WalkByOffset(ReferenceStore):
    """LIMIT 1 OFFSET n."""

    def list(self, prefix: Any = None) -> Steps:
        at, first = 0, {key for key, _ in self.snapshot(prefix)}
        while True:
            entries = self.snapshot(prefix)
            left = {key for key, _ in entries}
            at -= len(first - left)
            first &= left
            if at >= len(entries):
                return
            yield entries[at]
            at += 1


@mutant("ITER-2", "an overwrite during a walk ends it")
class OverwriteEndsWalk(ReferenceStore):
    """A cursor that a change of the table makes invalid, and the error taken for the end."""

    def list(self, prefix: Any = None) -> Steps:
        for entry in self.snapshot(prefix):
            yield entry
            record = self.records.get(entry[0])
            if record is not None and record.value != entry[1]:
                return


@mutant("ITER-2", "an added key makes the walk leave out the last one")
class AddedDropsLast(ReferenceStore):
    """A count taken at the start, minus one for each addition that shifts the pages."""

    def list(self, prefix: Any = None) -> Steps:
        entries, size = self.snapshot(prefix), len(self.records)
        for number, entry in enumerate(entries):
            if number == len(entries) - 1 and len(self.records) > size:
                return
            yield entry


@mutant("ITER-3", "a walk comes to each added key twice", also="LIST-6")
class WalkFollowsLog(ReferenceStore):
    """The walk reads on in a log that holds two records for each new key."""

    def list(self, prefix: Any = None) -> Steps:
        seen: set[Any] = set()
        rest = list(self.snapshot(prefix))
        twice = False
        while rest:
            for key, value in rest:
                seen.add(key)
                yield key, value
                if twice:
                    yield key, value
            rest = [entry for entry in self.snapshot(prefix) if entry[0] not in seen]
            twice = True


@mutant("ITER-3", "an added key starts the walk anew", also="ITER-2 LIST-6")
class WalkRestarts(ReferenceStore):
    """A cursor that is opened again when the table has grown."""

    def list(self, prefix: Any = None) -> Steps:
        entries, size, at = list(self.snapshot(prefix)), len(self.records), 0
        while at < len(entries):
            yield entries[at]
            at += 1
            if len(self.records) > size:
                entries, size, at = list(self.snapshot(prefix)), len(self.records), 0


@mutant("ITER-4", "a listing drains the store", also="LIST-1 LIST-2 DEL-3 SET-3 LIST-10")
class ListingDrains(ReferenceStore):
    """Entries are popped as they are walked."""

    def snapshot(self, prefix: Any = None) -> Entries:
        found = super().snapshot(prefix)
        for key, _ in found:
            del self.records[key]
        return found


@mutant("ITER-4", "a listing clears every entry that has a deadline", also="LIST-10")
class ListingClearsBounded(ReferenceStore):
    """Clearing up in passing, by the wrong condition."""

    def snapshot(self, prefix: Any = None) -> Entries:
        found = super().snapshot(prefix)
        for key, _ in found:
            if self.records[key].deadline < math.inf:
                del self.records[key]
        return found


@mutant("ITER-5", "keys leaves out the keys of falsy values")
class KeysByTruth(ReferenceStore):
    """[key for key, value in … if value]."""

    def keys(self) -> Iterator[Any]:
        return iter([key for key, value in self.snapshot() if value])


@mutant("ITER-5", "values shows equal values once")
class ValuesAreUnique(ReferenceStore):
    """A set of values."""

    def values(self) -> Iterator[Any]:
        return iter({repr(value): value for _, value in self.snapshot()}.values())


@mutant("ITER-5", "entries hides keys with an underscore in front")
class EntriesHideUnderscores(ReferenceStore):
    """Names taken for the store's own, in one view only."""

    def entries(self) -> Iterator[tuple[Any, Any]]:
        return iter([entry for entry in self.snapshot() if not entry[0][0].startswith("_")])


@mutant("ITER-5", "keys shows the parents of keys", also="DEL-1 OPEN-1")
class KeysShowParents(ReferenceStore):
    """Folders among the files."""

    def keys(self) -> Iterator[Any]:
        found = [key for key, _ in self.snapshot()]
        return iter(sorted({key[:size] for key in found for size in range(1, len(key) + 1)}))

"""Mutants of what a listing yields: LIST-1, LIST-3 and LIST-6 to LIST-10."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kv_reference.mutants.registry import mutant
from kv_reference.store import REFERENCE_PROFILE, ReferenceStore

INSERTION = REFERENCE_PROFILE.replace(list_order="insertion")


Entries = Sequence[tuple[Any, Any]]


@mutant("LIST-1", "a listing of everything is empty", also="ITER-5 ITER-2 ITER-1")
class EmptyPrefixFindsNothing(ReferenceStore):
    """`if not prefix: return`."""

    def snapshot(self, prefix: Any = None) -> Entries:
        found = super().snapshot(prefix)
        return found if prefix else []


@mutant("LIST-1", "a listing of everything shows the first level only", also="ITER-5")
class FirstLevelOnly(ReferenceStore):
    """The files of the top folder, not those below."""

    def snapshot(self, prefix: Any = None) -> Entries:
        found = super().snapshot(prefix)
        return found if prefix else [entry for entry in found if len(entry[0]) == 1]


@mutant("LIST-1", "a listing hides keys with an underscore in front", also="ITER-5")
class HidesUnderscores(ReferenceStore):
    """Names taken for the store's own."""

    def snapshot(self, prefix: Any = None) -> Entries:
        found = super().snapshot(prefix)
        return found if prefix else [entry for entry in found if not entry[0][0].startswith("_")]


@mutant("LIST-3", "the entry at the prefix is left out")
class ExcludesPrefixItself(ReferenceStore):
    """A range that starts behind the prefix and its separator."""

    def below(self, key: Any, prefix: Any) -> bool:
        return (not prefix or key != prefix) and super().below(key, prefix)


@mutant("LIST-3", "the entry at the prefix comes twice", also="LIST-6")
class PrefixItselfTwice(ReferenceStore):
    """Found by the point query and by the range query."""

    def snapshot(self, prefix: Any = None) -> Entries:
        found = super().snapshot(prefix)
        return [entry for entry in found if entry[0] == prefix] + list(found)


@mutant("LIST-6", "the last key of a listing comes twice", also="ITER-5 ITER-2")
class RepeatsLast(ReferenceStore):
    """A SCAN while the table is rehashed; the client keeps no set of what it has seen."""

    def snapshot(self, prefix: Any = None) -> Entries:
        found = list(super().snapshot(prefix))
        return found + found[-1:] if len(found) > 1 else found


@mutant("LIST-6", "the last key of a page comes again on the next")
class PagesOverlap(ReferenceStore):
    """`WHERE key >= last` where `>` was meant."""

    def snapshot(self, prefix: Any = None) -> Entries:
        found = list(super().snapshot(prefix))
        return found[:100] + found[99:] if len(found) > 100 else found


@mutant("LIST-7", "keys come back split at the separator", also="LIST-1 LIST-2 ITER-5 LIST-6")
class SplitsAtSeparator(ReferenceStore):
    """key.split(":") on the way out, with no escape on the way in."""

    def snapshot(self, prefix: Any = None) -> Entries:
        return [(tuple(":".join(key).split(":")), value) for key, value in super().snapshot(prefix)]


@mutant("LIST-7", "keys come back as lists", also="ITER-5")
class KeysAreLists(ReferenceStore):
    """json.loads makes no tuples."""

    def snapshot(self, prefix: Any = None) -> Entries:
        return [(list(key), value) for key, value in super().snapshot(prefix)]


@mutant("LIST-7", "a listing shows the first value of a key", also="ITER-5 SET-1")
class ListShowsFirstValue(ReferenceStore):
    """The index carries a copy of the value that overwrites do not reach."""

    def prepare(self) -> None:
        self.first: dict[Any, Any] = {}

    def put(self, key: Any, value: Any, deadline: float) -> None:
        if self.live(key) is None:
            self.first[key] = self.take_in(value)
        super().put(key, value, deadline)

    def snapshot(self, prefix: Any = None) -> Entries:
        found = super().snapshot(prefix)
        return [(key, self.hand_out(self.first.get(key, value))) for key, value in found]


@mutant("LIST-7", "the prefix is stripped from the keys of a listing", also="LIST-2 LIST-3 ITER-2")
class StripsPrefix(ReferenceStore):
    """Keys relative to the prefix, as a folder's listing has them."""

    def snapshot(self, prefix: Any = None) -> Entries:
        found = super().snapshot(prefix)
        return [(key[len(prefix) :], value) for key, value in found] if prefix else found


@mutant("LIST-8", "a listing ends after its first page", also="ITER-5 LIST-1")
class FirstPageOnly(ReferenceStore):
    """The cursor of the answer is not followed."""

    def snapshot(self, prefix: Any = None) -> Entries:
        return super().snapshot(prefix)[:100]


@mutant(
    "LIST-8",
    "a listing ends after 1000 entries",
    needs_size="more than 1,000 entries",
    also="ITER-5 LIST-1",
)
class ThousandAtMost(ReferenceStore):
    """The limit of one call to a hosted key-value service."""

    def snapshot(self, prefix: Any = None) -> Entries:
        return super().snapshot(prefix)[:1000]


@mutant("LIST-9", "entries come in the order of insertion, where lex is declared")
class InsertionOrder(ReferenceStore):
    """A dict."""

    def stored_keys(self) -> Sequence[Any]:
        return tuple(self.records)


@mutant("LIST-9", "keys are ordered as UTF-16")
class Utf16Order(ReferenceStore):
    """JavaScript's sort."""

    def stored_keys(self) -> Sequence[Any]:
        return sorted(
            self.records, key=lambda key: [p.encode("utf-16-be", "surrogatepass") for p in key]
        )


@mutant("LIST-9", "keys are ordered as joined text")
class JoinedOrder(ReferenceStore):
    """ORDER BY on the encoded key."""

    def stored_keys(self) -> Sequence[Any]:
        return sorted(self.records, key="/".join)


@mutant("LIST-9", "keys are ordered without regard to case")
class CaselessOrder(ReferenceStore):
    """The collation of the database."""

    def stored_keys(self) -> Sequence[Any]:
        return sorted(self.records, key=lambda key: [part.casefold() for part in key])


@mutant("LIST-9", "entries come sorted, where insertion order is declared", profile=INSERTION)
class SortedOrder(ReferenceStore):
    """A B-tree."""

    def stored_keys(self) -> Sequence[Any]:
        return sorted(self.records)


class _Walk(Iterator[tuple[Any, Any]]):
    """A listing that does something at its end, and nothing when it is abandoned."""

    def __init__(self, entries: Entries, at_end: Any) -> None:
        self.steps, self.at_end = iter(entries), at_end

    def __next__(self) -> tuple[Any, Any]:
        try:
            return next(self.steps)
        except StopIteration:
            self.at_end()
            raise


@mutant("LIST-10", "an abandoned listing blocks all writes", also="ITER-1 ITER-2")
class AbandonedBlocks(ReferenceStore):
    """A read transaction that ends with the last row."""

    open_walks = 0

    def list(self, prefix: Any = None) -> Iterator[tuple[Any, Any]]:
        entries = self.snapshot(prefix)
        self.open_walks += 1
        return _Walk(entries, self.end_walk)

    def end_walk(self) -> None:
        self.open_walks = 0

    def write(self, key: Any, value: Any, ruling: Any) -> None:
        if self.open_walks:
            raise RuntimeError("database table is locked")
        super().write(key, value, ruling)


@mutant("LIST-10", "an abandoned listing loses what it did not come to")
class AbandonedLoses(ReferenceStore):
    """Entries are moved aside while they are walked, and moved back at the end."""

    def list(self, prefix: Any = None) -> Iterator[tuple[Any, Any]]:
        entries = self.snapshot(prefix)
        aside = {key: self.records.pop(key) for key, _ in entries}
        return _Walk(entries, lambda: self.records.update(aside))

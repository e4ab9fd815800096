"""Mutants of LIST."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from kv_reference.mutants.registry import mutant
from kv_reference.store import REFERENCE_PROFILE, ReferenceStore

INSERTION = REFERENCE_PROFILE.replace(list_order="insertion")

Entries = Sequence[tuple[Any, Any]]


@mutant("LIST-1", "a listing of everything is empty")
class EmptyPrefixFindsNothing(ReferenceStore):
    """`if not prefix: return`."""

    def snapshot(self, prefix: Any = None) -> Entries:
        return super().snapshot(prefix) if prefix else []


@mutant("LIST-1", "a listing of everything shows the first level only")
class FirstLevelOnly(ReferenceStore):
    """The files of the top folder, not those below."""

    def snapshot(self, prefix: Any = None) -> Entries:
        found = super().snapshot(prefix)
        return found if prefix else [entry for entry in found if len(entry[0]) == 1]


@mutant("LIST-1", "a listing hides keys with an underscore in front")
class HidesUnderscores(ReferenceStore):
    """Names taken for the store's own."""

    def snapshot(self, prefix: Any = None) -> Entries:
        found = super().snapshot(prefix)
        return found if prefix else [entry for entry in found if not entry[0][0].startswith("_")]


class _Matches(ReferenceStore):
    """Matches keys and prefixes as text, each component followed by a colon."""

    def below(self, key: Any, prefix: Any) -> bool:
        if not prefix:
            return True
        text, start = ":".join(key) + ":", ":".join(prefix) + ":"
        return super().below(key, prefix) or self.match(text, start)

    def match(self, text: str, start: str) -> bool:
        raise NotImplementedError


@mutant("LIST-2", "a prefix matches the beginning of a component")
class MatchesText(_Matches):
    """startswith on the joined key."""

    def match(self, text: str, start: str) -> bool:
        return text.startswith(start[:-1])


@mutant("LIST-2", "only the direct children are listed")
class DirectChildrenOnly(ReferenceStore):
    """The files of one folder."""

    def below(self, key: Any, prefix: Any) -> bool:
        near = not prefix or len(key) <= len(prefix) + 1
        return near and super().below(key, prefix)


@mutant("LIST-2", "a prefix matches anywhere in the key")
class MatchesAnywhere(_Matches):
    """`LIKE '%' || prefix || '%'`."""

    def match(self, text: str, start: str) -> bool:
        return (":" + start) in (":" + text)


@mutant("LIST-2", "a listing shows the parents of its prefix")
class ListsParents(ReferenceStore):
    """The comparison stops at the shorter of the two."""

    def below(self, key: Any, prefix: Any) -> bool:
        return all(left == right for left, right in zip(key, prefix, strict=False))


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


@mutant("LIST-4", "% and _ in a prefix are wildcards")
class PrefixIsLike(_Matches):
    """LIKE without ESCAPE."""

    def match(self, text: str, start: str) -> bool:
        pattern = "".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in start)
        return re.match(pattern, text, re.DOTALL) is not None


@mutant("LIST-4", "* ? and [ in a prefix are wildcards")
class PrefixIsGlob(_Matches):
    """SCAN MATCH, or glob."""

    def match(self, text: str, start: str) -> bool:
        return fnmatch.fnmatchcase(text, start + "*")


@mutant("LIST-4", "a prefix is a regular expression")
class PrefixIsRegex(_Matches):
    """re.match(prefix, key)."""

    def match(self, text: str, start: str) -> bool:
        try:
            return re.match(start, text) is not None
        except re.error:
            return False


@mutant("LIST-4", "a prefix with a broken bracket raises", also="LIST-2")
class PrefixMustCompile(_Matches):
    """re.compile(prefix)."""

    def match(self, text: str, start: str) -> bool:
        re.compile(start)
        return False


@mutant("LIST-4", "a quote in a prefix breaks the query", also="LIST-2")
class QuoteBreaksQuery(ReferenceStore):
    """f"… LIKE '{prefix}%'"."""

    def check_prefix(self, prefix: Any) -> Any:
        if prefix and any("'" in part for part in prefix):
            raise RuntimeError('near "%": syntax error')
        return super().check_prefix(prefix)


@mutant("LIST-4", "a backslash in a prefix finds nothing")
class BackslashEscapes(ReferenceStore):
    """The backslash is taken for the escape of what follows."""

    def below(self, key: Any, prefix: Any) -> bool:
        return super().below(key, tuple(part.replace("\\", "") for part in prefix))


@mutant("LIST-4", "the store's own separator ends a component of a prefix")
class SeparatorInPrefix(_Matches):
    """The prefix is joined by colons and not escaped, as the keys are."""

    def match(self, text: str, start: str) -> bool:
        return text.startswith(start)


@mutant("LIST-5", "a prefix matches keys of other case")
class PrefixFoldsCase(ReferenceStore):
    """SQLite's LIKE."""

    def below(self, key: Any, prefix: Any) -> bool:
        return [part.casefold() for part in key[: len(prefix)]] == [p.casefold() for p in prefix]


@mutant("LIST-5", "a prefix matches keys with other accents")
class PrefixFoldsAccents(ReferenceStore):
    """An accent-insensitive collation."""

    def below(self, key: Any, prefix: Any) -> bool:
        return super().below(tuple(map(_bare, key)), tuple(map(_bare, prefix)))


@mutant("LIST-5", "blanks around a prefix are dropped")
class PrefixIsStripped(ReferenceStore):
    """prefix.strip()."""

    def below(self, key: Any, prefix: Any) -> bool:
        return super().below(key, prefix) or super().below(key, tuple(p.strip() for p in prefix))


def _bare(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


@mutant("LIST-6", "the last key of a listing comes twice")
class RepeatsLast(ReferenceStore):
    """A SCAN while the table is rehashed; the client keeps no set of what it has seen."""

    def snapshot(self, prefix: Any = None) -> Entries:
        found = list(super().snapshot(prefix))
        return found + found[-1:] if len(found) > 1 else found


@mutant("LIST-6", "the last key of a page comes again on the next", needs_size=True)
class PagesOverlap(ReferenceStore):
    """`WHERE key >= last` where `>` was meant."""

    def snapshot(self, prefix: Any = None) -> Entries:
        found = list(super().snapshot(prefix))
        return found[:100] + found[99:] if len(found) > 100 else found


@mutant("LIST-7", "keys come back split at the separator", also="LIST-1 LIST-2 ITER-5")
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

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.first: dict[Any, Any] = {}

    def put(self, key: Any, value: Any, deadline: float) -> None:
        if self.live(key) is None:
            self.first[key] = value
        super().put(key, value, deadline)

    def snapshot(self, prefix: Any = None) -> Entries:
        return [(key, self.first.get(key, value)) for key, value in super().snapshot(prefix)]


@mutant("LIST-7", "the prefix is stripped from the keys of a listing", also="LIST-2 LIST-3")
class StripsPrefix(ReferenceStore):
    """Keys relative to the prefix, as a folder's listing has them."""

    def snapshot(self, prefix: Any = None) -> Entries:
        found = super().snapshot(prefix)
        return [(key[len(prefix) :], value) for key, value in found] if prefix else found


@mutant("LIST-8", "a listing ends after its first page", needs_size=True, also="ITER-5 LIST-1")
class FirstPageOnly(ReferenceStore):
    """The cursor of the answer is not followed."""

    def snapshot(self, prefix: Any = None) -> Entries:
        return super().snapshot(prefix)[:100]


@mutant("LIST-8", "a listing ends after 1000 entries", needs_size=True, also="ITER-5 LIST-1")
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


@mutant("LIST-10", "an abandoned listing blocks all writes")
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

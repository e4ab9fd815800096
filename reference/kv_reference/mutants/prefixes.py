"""Mutants of how a prefix is read: LIST-2, LIST-4 and LIST-5."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from typing import Any

from kv_reference.mutants.bases import Matches
from kv_reference.mutants.registry import mutant
from kv_reference.store import ReferenceStore


@mutant("LIST-2", "a prefix matches the beginning of a component")
class MatchesText(Matches):
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
class MatchesAnywhere(Matches):
    """`LIKE '%' || prefix || '%'`."""

    def match(self, text: str, start: str) -> bool:
        return (":" + start) in (":" + text)


@mutant("LIST-2", "a listing shows the parents of its prefix")
class ListsParents(ReferenceStore):
    """The comparison stops at the shorter of the two."""

    def below(self, key: Any, prefix: Any) -> bool:
        return all(left == right for left, right in zip(key, prefix, strict=False))


@mutant("LIST-4", "% and _ in a prefix are wildcards")
class PrefixIsLike(Matches):
    """LIKE without ESCAPE."""

    def match(self, text: str, start: str) -> bool:
        pattern = "".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in start)
        return re.match(pattern, text, re.DOTALL) is not None


@mutant("LIST-4", "* ? and [ in a prefix are wildcards")
class PrefixIsGlob(Matches):
    """SCAN MATCH, or glob."""

    def match(self, text: str, start: str) -> bool:
        return fnmatch.fnmatchcase(text, start + "*")


@mutant("LIST-4", "a prefix is a regular expression")
class PrefixIsRegex(Matches):
    """re.match(prefix, key)."""

    def match(self, text: str, start: str) -> bool:
        try:
            return re.match(start, text) is not None
        except re.error:
            return False


@mutant("LIST-4", "a prefix with a broken bracket raises", also="LIST-2")
class PrefixMustCompile(ReferenceStore):
    """re.compile(prefix)."""

    def below(self, key: Any, prefix: Any) -> bool:
        for part in prefix:
            re.compile(part)
        return super().below(key, prefix)


@mutant("LIST-4", "a quote in a prefix breaks the query", also="LIST-2")
class QuoteBreaksQuery(ReferenceStore):
    """f"… LIKE '{prefix}%'"."""

    def check_prefix(self, prefix: Any) -> Any:
        if self.records and prefix and any("'" in part for part in prefix):
            raise RuntimeError('near "%": syntax error')
        return super().check_prefix(prefix)


@mutant("LIST-4", "a backslash in a prefix finds nothing")
class BackslashEscapes(ReferenceStore):
    """The backslash is taken for the escape of what follows."""

    def below(self, key: Any, prefix: Any) -> bool:
        return super().below(key, tuple(part.replace("\\", "") for part in prefix))


@mutant("LIST-4", "the store's own separator ends a component of a prefix")
class SeparatorInPrefix(ReferenceStore):
    """A prefix can be given as one text too, and `a:b` is taken for one."""

    def below(self, key: Any, prefix: Any) -> bool:
        parts = tuple(part for text in prefix for part in text.split(":"))
        return super().below(key, prefix) or super().below(key, parts)


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

"""Which keys a careless store takes for one, and how a careless store reads a prefix.

Two keys are kin when some encoding that stores really use maps them to one text. The clause
says which promise breaks then: KEY-2 (component boundaries), KEY-3 (exact comparison), KEY-4
(empty components), KEY-7 (long keys).
"""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

SPECIAL: Final = frozenset("%_*?[]\\\"':/^$.+(){}|")
_SEPARATORS: Final = ("", ":", "/", ".", ",", " ", "-", "_", "\0", "::", "|")
_LONG: Final = 64
_KEYS: Final = 8_192
_PAIRS: Final = 16_384
"""So many keys, and pairs of a key and a prefix, are remembered: a run comes to ever more."""
_PAIRS_OF_KEYS: Final = 65_536
"""So many pairs of keys: about as many as the first thousands of programs come to."""
_MEMBERS: Final = frozenset(
    (
        "__proto__ constructor toString hasOwnProperty valueOf prototype "
        "__class__ __dict__ __init__ __getattribute__ length keys get set"
    ).split()
)


def parts(key: Any) -> tuple[str, ...]:
    """The components of a key of either model."""
    return (key,) if isinstance(key, str) else tuple(key)


@lru_cache(maxsize=_KEYS)
def folded(text: str) -> str:
    """A text without what sloppy comparisons lose: case, accents, form, blanks at the ends."""
    bare = unicodedata.normalize(
        "NFKD", text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )
    bare = "".join(
        "?" if ord(char) > 0xFFFF else char for char in bare if not unicodedata.combining(char)
    )
    return bare.partition("\0")[0].strip().rstrip(".").casefold().replace("\ufffd", "?")


@lru_cache(maxsize=_KEYS)
def forms(key: Any) -> tuple[tuple[str, Any], ...]:
    """The texts that careless encodings make of a key, each with the clause it would break."""
    components = parts(key)
    found: list[tuple[str, Any]] = [("KEY-3", tuple(map(folded, components)))]
    if isinstance(key, tuple):
        found += [("KEY-2", (sep, sep.join(components))) for sep in _SEPARATORS]
    found.append(("KEY-4", tuple(filter(None, components))))
    whole = "\0".join(components)
    if len(whole) > _LONG:
        found.append(("KEY-7", (isinstance(key, str), whole[:_LONG])))
    return tuple(found)


@lru_cache(maxsize=_PAIRS_OF_KEYS)
def kin(left: Any, right: Any) -> str | None:
    """The clause that breaks if a store takes two different keys for one; None if none would."""
    if _marks(left).isdisjoint(_marks(right)) and not _is_above(left, right):
        return None
    of_right = dict.fromkeys(forms(right))
    shared = {clause for clause, form in forms(left) if (clause, form) in of_right}
    for clause in ("KEY-7", "KEY-4", "KEY-3", "KEY-2"):
        if clause in shared and (clause != "KEY-4" or "" in parts(left) + parts(right)):
            return clause
    return "KEY-2" if _is_above(left, right) else None


@lru_cache(maxsize=_KEYS)
def _marks(key: Any) -> frozenset[int]:
    """Numbers by which most keys are told apart: those of like forms are the same."""
    return frozenset(map(hash, forms(key)))


def _is_above(left: Any, right: Any) -> bool:
    """True if one of two keys is a prefix of the other by components."""
    if not isinstance(left, tuple) or len(left) == len(right):
        return False
    shorter, longer = (left, right) if len(left) < len(right) else (right, left)
    return bool(longer[: len(shorter)] == shorter)


@lru_cache(maxsize=_KEYS)
def names_member(key: Any) -> bool:
    """True for a key that names a member of a host language's objects (KEY-5)."""
    return not _MEMBERS.isdisjoint(parts(key))


def below(key: Any, prefix: Any) -> bool:
    """Whether a key starts with a prefix: by component, or literally in the flat model (LIST-2)."""
    if isinstance(key, str):
        return key.startswith(prefix)
    return bool(key[: len(prefix)] == prefix)


@lru_cache(maxsize=_KEYS)
def is_special(prefix: Any) -> bool:
    """True for a prefix with a character that some query language reads specially (LIST-4)."""
    return any(not SPECIAL.isdisjoint(part) for part in parts(prefix))


@lru_cache(maxsize=_KEYS)
def is_quoting(prefix: Any) -> bool:
    """True for a prefix that ends a text in some query language: a listing by it may fail."""
    return any(char in part for part in parts(prefix) for char in "\"'\\")


@lru_cache(maxsize=_PAIRS)
def misread(key: Any, prefix: Any) -> bool:
    """True if some special reading of `prefix` gives another answer on `key` than LIST-2 does."""
    literal = below(key, prefix)
    return any(reading != literal for reading in _readings(key, prefix))


def _readings(key: Any, prefix: Any) -> Iterable[bool]:
    if is_quoting(prefix):
        yield False
    for sep in ("",) if isinstance(key, str) else (":", "/", "\0"):
        text = sep.join(parts(key)) + sep
        start = sep.join(parts(prefix)) + sep if prefix else ""
        yield text.startswith(start)
        if any(char in start for char in "*?["):
            yield fnmatch.fnmatchcase(text, start + "*")
        if any(char in start for char in "%_"):
            yield _like(start).match(text) is not None
        if not SPECIAL.isdisjoint(start):
            yield _as_pattern(start, text)


@lru_cache(maxsize=4_096)
def _like(start: str) -> re.Pattern[str]:
    pattern = "".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in start)
    return re.compile(pattern, re.DOTALL)


def _as_pattern(start: str, text: str) -> bool:
    try:
        return re.match(start, text) is not None
    except re.error:
        return False


@lru_cache(maxsize=_PAIRS)
def folds_below(key: Any, prefix: Any) -> bool:
    """True if `key` is below `prefix` only when both are folded (LIST-5)."""
    if below(key, prefix):
        return False
    if isinstance(key, str):
        return bool(prefix) and folded(key).startswith(folded(prefix))
    return tuple(map(folded, key[: len(prefix)])) == tuple(map(folded, prefix))

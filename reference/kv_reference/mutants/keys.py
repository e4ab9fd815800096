"""Mutants of KEY."""

from __future__ import annotations

import unicodedata
import urllib.parse
from collections.abc import Sequence
from typing import Any

from kv_spec.errors import InvalidKey

from kv_reference.kinship import names_member
from kv_reference.mutants.registry import mutant
from kv_reference.semantics import has_odd_code_point
from kv_reference.store import REFERENCE_PROFILE, ReferenceStore

FLAT = REFERENCE_PROFILE.replace(key_model="flat")
SHORT_KEYS = REFERENCE_PROFILE.replace(max_key_bytes=250)


class _Encodes(ReferenceStore):
    """Keeps entries under an encoded key; keys that encode alike are one entry."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.names: dict[Any, Any] = {}

    def encode(self, key: Any) -> Any:
        return tuple(map(self.part, key))

    def part(self, text: str) -> str:
        raise NotImplementedError

    def encoded(self, key: Any) -> Any:
        good = isinstance(key, tuple) and all(isinstance(part, str) for part in key)
        return self.encode(key) if good and key else key

    def get(self, key: Any) -> Any:
        return super().get(self.encoded(key))

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        super().set(self.encoded(key), value, ttl=ttl)
        self.names[self.encoded(key)] = key

    def delete(self, key: Any) -> bool:
        return super().delete(self.encoded(key))

    def has(self, key: Any) -> bool:
        return super().has(self.encoded(key))

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        swapped = super().cas(self.encoded(key), expected, new, ttl=ttl)
        if swapped:
            self.names[self.encoded(key)] = key
        return swapped

    def snapshot(self, prefix: Any = None) -> Sequence[tuple[Any, Any]]:
        wanted = self.check_prefix(prefix)
        named = [(self.names.get(key, key), value) for key, value in super().snapshot()]
        return sorted(
            (entry for entry in named if self.below(entry[0], wanted)), key=lambda entry: entry[0]
        )


_IMPLIED = "GET-1 SET-3 DEL-3 CAS-3 HAS-1 LIST-1 LIST-2 LIST-3 LIST-6 LIST-8"


@mutant("KEY-1", "keys of the same letters are one", also=_IMPLIED)
class HashCollides(_Encodes):
    """A checksum for a hash."""

    def part(self, text: str) -> str:
        return "".join(sorted(text))


@mutant("KEY-1", "a percent escape in a key is decoded", also=_IMPLIED)
class DecodesPercent(_Encodes):
    """A key that goes through a URL, quoted by nobody."""

    def part(self, text: str) -> str:
        return urllib.parse.unquote(text, errors="surrogatepass")


@mutant("KEY-1", "characters that no file name has become underscores", also=_IMPLIED)
class SafeFileNames(_Encodes):
    """re.sub(r"[/*?]", "_", key)."""

    def part(self, text: str) -> str:
        return "".join("_" if char in '/\\*?<>|"' else char for char in text)


@mutant("KEY-2", "components are joined by a colon", also=_IMPLIED)
class JoinsByColon(_Encodes):
    """ ":".join(key)."""

    def encode(self, key: Any) -> Any:
        return (":".join(key),)


@mutant("KEY-2", "components are joined by nothing", also=_IMPLIED + " KEY-4")
class JoinsByNothing(_Encodes):
    """ "".join(key)."""

    def encode(self, key: Any) -> Any:
        return ("".join(key),)


@mutant("KEY-2", "a miss answers what the first key below holds", also=_IMPLIED + " GET-5 DEL-1")
class AnswersFromBelow(ReferenceStore):
    """A seek to the next key, which is not compared."""

    def get(self, key: Any) -> Any:
        value = super().get(key)
        if value is None:
            value = next((found for _, found in self.snapshot(key)), None)
        return value


@mutant("KEY-3", "keys are folded to lower case", also=_IMPLIED)
class FoldsCase(_Encodes):
    """A case-insensitive collation or file system."""

    def part(self, text: str) -> str:
        return text.lower()


@mutant("KEY-3", "blanks at the ends of a key are dropped", also=_IMPLIED + " KEY-4")
class StripsBlanks(_Encodes):
    """key.strip(), or CHAR(n)."""

    def part(self, text: str) -> str:
        return text.strip(" ") or text


@mutant("KEY-3", "keys are brought to one Unicode form", also=_IMPLIED)
class NormalisesUnicode(_Encodes):
    """macOS file names."""

    def part(self, text: str) -> str:
        return unicodedata.normalize("NFC", text)


@mutant("KEY-3", "a key ends at its first NUL", also=_IMPLIED + " KEY-4")
class CutsAtNul(_Encodes):
    """A C string."""

    def part(self, text: str) -> str:
        return text.partition("\0")[0]


@mutant("KEY-3", "lone surrogates become question marks", also=_IMPLIED)
class ReplacesSurrogates(_Encodes):
    """encode(errors="replace")."""

    def part(self, text: str) -> str:
        return text.encode("utf-8", "replace").decode()


@mutant("KEY-3", "astral characters are all alike", also=_IMPLIED)
class AstralAlike(_Encodes):
    """An old three-byte UTF-8 column, or a collation without weights for them."""

    def part(self, text: str) -> str:
        return "".join("?" if ord(char) > 0xFFFF else char for char in text)


@mutant("KEY-3", "set takes a NUL in a key, get refuses it", also="VAL-6")
class HalfSupportsNul(ReferenceStore):
    """Only the reading side checks."""

    def get(self, key: Any) -> Any:
        if any(map(has_odd_code_point, key)):
            raise InvalidKey("a NUL in a key")
        return super().get(key)


@mutant("KEY-4", "empty components are dropped", also=_IMPLIED + " KEY-2")
class DropsEmptyComponents(_Encodes):
    """ "/".join(filter(None, key)), or // in a path."""

    def encode(self, key: Any) -> Any:
        return tuple(filter(None, key)) or key


@mutant("KEY-4", "a key with an empty component is stored and not found", also="KEY-2")
class EmptyComponentIsMiss(ReferenceStore):
    """`if not all(key): return None` in get alone."""

    def get(self, key: Any) -> Any:
        return super().get(key) if all(key) else None


@mutant("KEY-4", "the empty flat key is stored and not found", profile=FLAT)
class EmptyKeyIsMiss(ReferenceStore):
    """`if not key: return None` in get alone."""

    def get(self, key: Any) -> Any:
        return super().get(key) if key else None


@mutant("KEY-5", "a key that names a member of an object is lost", also="LIST-1 CAS-1 HAS-1")
class LosesMembers(ReferenceStore):
    """obj["__proto__"] = value sets the prototype and stores nothing."""

    def put(self, key: Any, value: Any, deadline: float) -> None:
        if "__proto__" not in key:
            super().put(key, value, deadline)


@mutant("KEY-5", "a key never set answers with a member of the object", also="GET-1")
class AnswersMembers(ReferenceStore):
    """obj["constructor"] of a plain object."""

    def get(self, key: Any) -> Any:
        value = super().get(key)
        return "function" if value is None and names_member(key) else value


@mutant("KEY-5", "has finds the members of the object", also="HAS-1")
class HasFindsMembers(ReferenceStore):
    """`"toString" in obj`."""

    def has(self, key: Any) -> bool:
        return super().has(key) or names_member(key)


@mutant(
    "KEY-7",
    "a key beyond the declared length is cut",
    profile=SHORT_KEYS,
    needs_size=True,
    also=_IMPLIED,
)
class CutsDeclaredKeys(_Encodes):
    """VARCHAR(250) outside strict mode."""

    def encode(self, key: Any) -> Any:
        return tuple(part.encode("utf-8", "surrogatepass")[:250].decode("utf-8", "ignore")
                     for part in key)  # fmt: skip


@mutant("KEY-7", "a long key is cut, no limit declared", needs_size=True, also=_IMPLIED)
class CutsLongKeys(_Encodes):
    """File names of 255 characters."""

    def part(self, text: str) -> str:
        return text[:255]


@mutant("KEY-7", "a long key is stored and can not be read", needs_size=True, also="VAL-6")
class HalfSupportsLong(ReferenceStore):
    """The limit is checked by get alone."""

    def get(self, key: Any) -> Any:
        if sum(map(len, key)) > 255:
            raise InvalidKey("a key of more than 255 characters")
        return super().get(key)

"""Mutants by which two keys become one: KEY-1 to KEY-3."""

from __future__ import annotations

import unicodedata
import urllib.parse
from typing import Any

from kv_spec.errors import InvalidKey

from kv_reference.mutants.bases import Encodes
from kv_reference.mutants.registry import mutant
from kv_reference.rulings import has_odd_code_point
from kv_reference.store import ReferenceStore

_IMPLIED = "GET-1 SET-3 DEL-3 CAS-3 HAS-1 LIST-1 LIST-2 LIST-3 LIST-6 LIST-8"


@mutant("KEY-1", "keys of the same letters are one", also="VAL-1 " + _IMPLIED)
class HashCollides(Encodes):
    """A checksum for a hash."""

    def part(self, text: str) -> str:
        return "".join(sorted(text))


@mutant("KEY-1", "a percent escape in a key is decoded", also=_IMPLIED)
class DecodesPercent(Encodes):
    """A key that goes through a URL, quoted by nobody."""

    def part(self, text: str) -> str:
        return urllib.parse.unquote(text, errors="surrogatepass")


@mutant("KEY-1", "characters that no file name has become underscores", also=_IMPLIED)
class SafeFileNames(Encodes):
    """re.sub(r"[/*?]", "_", key)."""

    def part(self, text: str) -> str:
        return "".join("_" if char in '/\\*?<>|"' else char for char in text)


@mutant("KEY-2", "components are joined by a colon", also=_IMPLIED)
class JoinsByColon(Encodes):
    """ ":".join(key)."""

    def encode(self, key: Any) -> Any:
        return (":".join(key),)


@mutant("KEY-2", "components are joined by nothing", also=_IMPLIED + " KEY-4")
class JoinsByNothing(Encodes):
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
class FoldsCase(Encodes):
    """A case-insensitive collation or file system."""

    def part(self, text: str) -> str:
        return text.lower()


@mutant("KEY-3", "blanks at the ends of a key are dropped", also=_IMPLIED + " KEY-4")
class StripsBlanks(Encodes):
    """key.strip(), or CHAR(n)."""

    def part(self, text: str) -> str:
        return text.strip(" ") or text


@mutant("KEY-3", "keys are brought to one Unicode form", also=_IMPLIED)
class NormalisesUnicode(Encodes):
    """macOS file names."""

    def part(self, text: str) -> str:
        return unicodedata.normalize("NFC", text)


@mutant("KEY-3", "a key ends at its first NUL", also=_IMPLIED + " KEY-4")
class CutsAtNul(Encodes):
    """A C string."""

    def part(self, text: str) -> str:
        return text.partition("\0")[0]


@mutant("KEY-3", "lone surrogates become question marks", also=_IMPLIED)
class ReplacesSurrogates(Encodes):
    """encode(errors="replace")."""

    def part(self, text: str) -> str:
        return text.encode("utf-8", "replace").decode()


@mutant("KEY-3", "astral characters are all alike", also=_IMPLIED)
class AstralAlike(Encodes):
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

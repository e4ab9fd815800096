"""Mutants of values inside the domain: VAL-1 to VAL-3 and VAL-5."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

from kv_reference.mutants.bases import Codec
from kv_reference.mutants.registry import mutant
from kv_reference.store import ReferenceStore

_IMPLIED = "SET-1 CAS-1 LIST-7 ITER-5"


@mutant("VAL-1", "a mapping with the key `value` is unwrapped", also=_IMPLIED)
class UnwrapsEnvelope(Codec):
    """The store's own envelope is recognised by its key."""

    def spoil(self, value: Any) -> Any:
        return value["value"] if isinstance(value, dict) and list(value) == ["value"] else value


@mutant("VAL-1", "the key `__proto__` of a mapping is lost", also=_IMPLIED)
class LosesProto(Codec):
    """An object copied member by member in JavaScript."""

    def spoil(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: item for name, item in value.items() if name != "__proto__"}


@mutant("VAL-1", "floats have single precision", also=_IMPLIED)
class SinglePrecision(Codec):
    """A column of type REAL."""

    def spoil(self, value: Any) -> Any:
        if not isinstance(value, float) or abs(value) > 1e38:
            return value
        return struct.unpack("f", struct.pack("f", value))[0]


@mutant("VAL-1", "booleans become numbers", also="GET-4 " + _IMPLIED)
class BooleansAreNumbers(Codec):
    """A database without booleans."""

    def spoil(self, value: Any) -> Any:
        return int(value) if isinstance(value, bool) else value


@mutant("VAL-1", "integers beyond 32 bits wrap", also=_IMPLIED)
class IntegersWrap(Codec):
    """A column of type INTEGER in a database that means it."""

    def spoil(self, value: Any) -> Any:
        if type(value) is not int or abs(value) > 2**53:
            return value
        return (value + 2**31) % 2**32 - 2**31


@mutant("VAL-1", "a value nested beyond 16 levels is refused", also="KEY-1")
class RefusesDepth(Codec):
    """A serialiser with a depth limit."""

    def spoil(self, value: Any) -> Any:
        if _depth(value) > 16:
            raise ValueError("too deep")
        return value


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


@mutant("VAL-2", "set keeps the object that it is given")
class KeepsObject(ReferenceStore):
    """A dict of references."""

    def take_in(self, value: Any) -> Any:
        return value


@mutant("VAL-2", "set copies the outer container only")
class CopiesShallowIn(ReferenceStore):
    """dict(value)."""

    def take_in(self, value: Any) -> Any:
        return type(value)(value) if isinstance(value, list | dict) else value


@mutant("VAL-3", "get and list hand out the stored object", also="CAS-10")
class HandsOutObject(ReferenceStore):
    """A dict of references, from the other side."""

    def hand_out(self, value: Any) -> Any:
        return value


@mutant("VAL-3", "get copies the outer container only", also="CAS-10")
class CopiesShallowOut(ReferenceStore):
    """dict(stored)."""

    def hand_out(self, value: Any) -> Any:
        return type(value)(value) if isinstance(value, list | dict) else value


@mutant("VAL-3", "list hands out the stored objects")
class ListHandsOut(ReferenceStore):
    """get copies, list was forgotten."""

    def snapshot(self, prefix: Any = None) -> Sequence[tuple[Any, Any]]:
        return [(key, self.records[key].value) for key, _ in super().snapshot(prefix)]


@mutant("VAL-5", "a string that is JSON text comes back parsed", also=_IMPLIED + " VAL-1 GET-2")
class ParsesText(Codec):
    """Text that looks like JSON is taken for what the store itself has written."""

    def spoil(self, value: Any) -> Any:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            return value


@mutant("VAL-5", "a leading colon is dropped", also=_IMPLIED)
class DropsColon(Codec):
    """The mark by which a serialiser escapes."""

    def spoil(self, value: Any) -> Any:
        return value.removeprefix(":") if isinstance(value, str) else value


@mutant("VAL-5", "quotes are doubled", also=_IMPLIED)
class DoublesQuotes(Codec):
    """Escaped for SQL and bound as a parameter."""

    def spoil(self, value: Any) -> Any:
        return value.replace("'", "''") if isinstance(value, str) else value


@mutant("VAL-5", "a string ends at its first NUL", also=_IMPLIED)
class CutsTextAtNul(Codec):
    """A C string."""

    def spoil(self, value: Any) -> Any:
        return value.partition("\0")[0] if isinstance(value, str) else value


@mutant("VAL-5", "line ends are made alike", also=_IMPLIED)
class MakesLineEndsAlike(Codec):
    """A file opened in text mode."""

    def spoil(self, value: Any) -> Any:
        return value.replace("\r\n", "\n") if isinstance(value, str) else value

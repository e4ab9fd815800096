"""Mutants of VAL."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kv_reference.mutants.registry import mutant
from kv_reference.semantics import Ruling
from kv_reference.store import REFERENCE_PROFILE, ReferenceStore

PLAIN_JSON = REFERENCE_PROFILE.replace(capabilities=frozenset({"shared"}))
SMALL_VALUES = REFERENCE_PROFILE.replace(max_value_bytes=100_000)
_IMPLIED = "SET-1 CAS-1 LIST-7 ITER-5"


class _Codec(ReferenceStore):
    """A store that spoils some values on the way in."""

    def take_in(self, value: Any) -> Any:
        return super().take_in(self.spoil(value))

    def spoil(self, value: Any) -> Any:
        raise NotImplementedError


@mutant("VAL-1", "a mapping with the key `value` is unwrapped", also=_IMPLIED)
class UnwrapsEnvelope(_Codec):
    """The store's own envelope is recognised by its key."""

    def spoil(self, value: Any) -> Any:
        return value["value"] if isinstance(value, dict) and list(value) == ["value"] else value


@mutant("VAL-1", "the key `__proto__` of a mapping is lost", also=_IMPLIED)
class LosesProto(_Codec):
    """An object copied member by member in JavaScript."""

    def spoil(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: item for name, item in value.items() if name != "__proto__"}


@mutant("VAL-1", "floats have single precision", also=_IMPLIED)
class SinglePrecision(_Codec):
    """A column of type REAL."""

    def spoil(self, value: Any) -> Any:
        if not isinstance(value, float) or abs(value) > 1e38:
            return value
        return struct.unpack("f", struct.pack("f", value))[0]


@mutant("VAL-1", "booleans become numbers", also=_IMPLIED)
class BooleansAreNumbers(_Codec):
    """A database without booleans."""

    def spoil(self, value: Any) -> Any:
        return int(value) if isinstance(value, bool) else value


@mutant("VAL-1", "integers beyond 32 bits wrap", also=_IMPLIED)
class IntegersWrap(_Codec):
    """A column of type INTEGER in a database that means it."""

    def spoil(self, value: Any) -> Any:
        if type(value) is not int or abs(value) > 2**53:
            return value
        return (value + 2**31) % 2**32 - 2**31


@mutant("VAL-1", "a value nested beyond 16 levels is refused", also="KEY-1")
class RefusesDepth(_Codec):
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


class _Lenient(ReferenceStore):
    """A store that turns a value outside the domain into one inside."""

    def turn(self, value: Any) -> Any:
        raise NotImplementedError

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        super().set(key, self.turn(value), ttl=ttl)


@mutant("VAL-4", "NaN is stored as a text")
class NanIsText(_Lenient):
    """json.dumps(…, default=str) after a detour."""

    def turn(self, value: Any) -> Any:
        return "NaN" if isinstance(value, float) and math.isnan(value) else value


@mutant("VAL-4", "NaN deletes")
class NanIsNull(_Lenient):
    """JSON.stringify(NaN) is null."""

    def turn(self, value: Any) -> Any:
        return None if isinstance(value, float) and math.isnan(value) else value


@mutant("VAL-4", "keys that are numbers become text")
class KeysBecomeText(_Lenient):
    """json.dumps."""

    def turn(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key if isinstance(key, str) else str(key): item for key, item in value.items()}


@mutant("VAL-4", "a set becomes a list")
class SetsBecomeLists(_Lenient):
    """A lenient encoder."""

    def turn(self, value: Any) -> Any:
        return sorted(value) if isinstance(value, set) else value


@mutant("VAL-4", "an object is stored as its description")
class ObjectsBecomeText(_Lenient):
    """default=repr."""

    def turn(self, value: Any) -> Any:
        known = isinstance(value, str | int | float | list | dict | bytes | datetime | set)
        return value if known or value is None else repr(value)


@mutant("VAL-5", "a string that is JSON text comes back parsed", also=_IMPLIED + " VAL-1 GET-2")
class ParsesText(_Codec):
    """Text that looks like JSON is taken for what the store itself has written."""

    def spoil(self, value: Any) -> Any:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            return value


@mutant("VAL-5", "a leading colon is dropped", also=_IMPLIED)
class DropsColon(_Codec):
    """The mark by which a serialiser escapes."""

    def spoil(self, value: Any) -> Any:
        return value.removeprefix(":") if isinstance(value, str) else value


@mutant("VAL-5", "quotes are doubled", also=_IMPLIED)
class DoublesQuotes(_Codec):
    """Escaped for SQL and bound as a parameter."""

    def spoil(self, value: Any) -> Any:
        return value.replace("'", "''") if isinstance(value, str) else value


@mutant("VAL-5", "a string ends at its first NUL", also=_IMPLIED)
class CutsTextAtNul(_Codec):
    """A C string."""

    def spoil(self, value: Any) -> Any:
        return value.partition("\0")[0] if isinstance(value, str) else value


@mutant("VAL-5", "line ends are made alike", also=_IMPLIED)
class MakesLineEndsAlike(_Codec):
    """A file opened in text mode."""

    def spoil(self, value: Any) -> Any:
        return value.replace("\r\n", "\n") if isinstance(value, str) else value


@mutant("VAL-6", "a text beyond Latin-1 is stored and can not be read", also="SET-1 VAL-5")
class GetCanNotDecode(ReferenceStore):
    """Encoded in one charset, decoded in another."""

    def get(self, key: Any) -> Any:
        value = super().get(key)
        if isinstance(value, str):
            value.encode("latin-1")
        return value


@mutant("VAL-6", "one value makes the whole listing raise")
class ListCanNotDecode(ReferenceStore):
    """The listing decodes with another codec than get."""

    def snapshot(self, prefix: Any = None) -> Sequence[tuple[Any, Any]]:
        found = super().snapshot(prefix)
        if any(isinstance(value, float) for _, value in found):
            raise TypeError("Object of type Decimal is not JSON serializable")
        return found


@mutant("VAL-7", "a large value is cut", needs_size=True, also="SET-5 VAL-1 " + _IMPLIED)
class CutsLargeValues(_Codec):
    """TEXT holds 64 KiB."""

    def spoil(self, value: Any) -> Any:
        return value[:65_535] if isinstance(value, str) else value


@mutant("VAL-7", "a value beyond the declared size is taken", profile=SMALL_VALUES, needs_size=True)
class TakesTooLarge(ReferenceStore):
    """The limit is in the manual only."""

    def check(self, value: Any, ttl: Any) -> Ruling:
        return super().check(value[:10] if isinstance(value, str) else value, ttl)


@mutant(
    "VAL-7", "a value within the declared size is refused", profile=SMALL_VALUES, needs_size=True
)
class RefusesLarge(ReferenceStore):
    """The limit counts the encoded text, which is a third longer."""

    def take_in(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) > 80_000:
            raise ValueError("value too large")
        return super().take_in(value)


@mutant("VAL-8", "bytes come back as text", also=_IMPLIED)
class BytesAreText(_Codec):
    """decode(errors="replace")."""

    def spoil(self, value: Any) -> Any:
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


@mutant("VAL-8", "big integers come back as floats", also=_IMPLIED)
class BigIntegersAreFloats(_Codec):
    """JavaScript's number."""

    def spoil(self, value: Any) -> Any:
        return float(value) if type(value) is int and abs(value) > 2**53 else value


@mutant("VAL-8", "datetimes come back as text, undeclared", profile=PLAIN_JSON, also=_IMPLIED)
class DatesBecomeText(_Lenient):
    """json.dumps(…, default=str)."""

    def turn(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else value


@mutant("VAL-8", "datetimes lose their time zone", also=_IMPLIED)
class DatesLoseZone(_Codec):
    """A column of type TIMESTAMP without time zone."""

    def spoil(self, value: Any) -> Any:
        return value.replace(tzinfo=None) if isinstance(value, datetime) else value

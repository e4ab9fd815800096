"""Mutants of values at the limits of the domain: VAL-4 and VAL-6 to VAL-8."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kv_reference.mutants.bases import Codec
from kv_reference.mutants.registry import mutant
from kv_reference.rulings import Ruling
from kv_reference.store import REFERENCE_PROFILE, ReferenceStore

PLAIN_JSON = REFERENCE_PROFILE.replace(capabilities=frozenset({"shared"}))


SMALL_VALUES = REFERENCE_PROFILE.replace(max_value_bytes=100_000)


_IMPLIED = "SET-1 CAS-1 LIST-7 ITER-5"


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


@mutant("VAL-7", "a large value is cut", also="SET-5 VAL-1 " + _IMPLIED)
class CutsLargeValues(Codec):
    """TEXT holds 64 KiB."""

    def spoil(self, value: Any) -> Any:
        return value[:65_535] if isinstance(value, str) else value


@mutant("VAL-7", "a value beyond the declared size is taken", profile=SMALL_VALUES)
class TakesTooLarge(ReferenceStore):
    """The limit is in the manual only."""

    def check(self, value: Any, ttl: Any) -> Ruling:
        return super().check(value[:10] if isinstance(value, str) else value, ttl)


@mutant("VAL-7", "a value within the declared size is refused", profile=SMALL_VALUES)
class RefusesLarge(ReferenceStore):
    """The limit counts the encoded text, which is a third longer."""

    def take_in(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) > 80_000:
            raise ValueError("value too large")
        return super().take_in(value)


@mutant("VAL-8", "bytes come back as text", also=_IMPLIED)
class BytesAreText(Codec):
    """decode(errors="replace")."""

    def spoil(self, value: Any) -> Any:
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


@mutant("VAL-8", "big integers come back as floats", also=_IMPLIED)
class BigIntegersAreFloats(Codec):
    """JavaScript's number."""

    def spoil(self, value: Any) -> Any:
        return float(value) if type(value) is int and abs(value) > 2**53 else value


@mutant("VAL-8", "datetimes come back as text, undeclared", profile=PLAIN_JSON, also=_IMPLIED)
class DatesBecomeText(_Lenient):
    """json.dumps(…, default=str)."""

    def turn(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else value


@mutant("VAL-8", "datetimes lose their time zone", also=_IMPLIED)
class DatesLoseZone(Codec):
    """A column of type TIMESTAMP without time zone."""

    def spoil(self, value: Any) -> Any:
        return value.replace(tzinfo=None) if isinstance(value, datetime) else value

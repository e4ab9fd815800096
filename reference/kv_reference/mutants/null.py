"""Mutants of NULL, each in its dialect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kv_reference.mutants.registry import mutant
from kv_reference.rulings import Effect, Ruling
from kv_reference.store import REFERENCE_PROFILE, Record, ReferenceStore

NULL_VALUE = REFERENCE_PROFILE.replace(null="value")
NULL_REJECT = REFERENCE_PROFILE.replace(null="reject")


@mutant("NULL-1", "setting null deletes, though it is declared a value", profile=NULL_VALUE)
class NullDeletes(ReferenceStore):
    """A backend that reads null as "remove"."""

    def write(self, key: Any, value: Any, ruling: Ruling) -> None:
        super().write(key, value, Ruling(Effect.REMOVE) if value is None else ruling)


@mutant("NULL-1", "has answers False for a stored null", profile=NULL_VALUE, also="HAS-1")
class HasMissesNull(ReferenceStore):
    """`get(key) is not None`."""

    def has(self, key: Any) -> bool:
        return self.get(key) is not None


@mutant("NULL-1", "a listing leaves stored nulls out", profile=NULL_VALUE, also="LIST-1")
class ListSkipsNull(ReferenceStore):
    """`WHERE value IS NOT NULL`."""

    def snapshot(self, prefix: Any = None) -> Sequence[tuple[Any, Any]]:
        return [entry for entry in super().snapshot(prefix) if entry[1] is not None]


@mutant("NULL-2", "setting null leaves the old value")
class NullIgnored(ReferenceStore):
    """`if value is None: return`."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        if value is not None:
            super().set(key, value, ttl=ttl)
        else:
            self.enter(key)
            self.check(1, ttl)


@mutant("NULL-2", "setting null stores a null")
class NullStored(ReferenceStore):
    """A tombstone that has and list take for an entry."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        super().set(key, value, ttl=ttl)
        if value is None:
            self.records[key] = Record(None, math.inf)


@mutant("NULL-2", "setting null with a ttl stores a null")
class NullWithTtlStored(ReferenceStore):
    """SETEX takes another path than SET."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        super().set(key, value, ttl=ttl)
        if value is None and ttl is not None and ttl > 0:
            self.records[key] = Record(None, self.clock() + ttl)


@mutant("NULL-3", "null is taken, though it is declared to be refused", profile=NULL_REJECT)
class NullTaken(ReferenceStore):
    """The check is in the type hints only."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        super().set(key, "" if value is None else value, ttl=ttl)


@mutant(
    "NULL-3", "setting null does nothing, though it is declared to be refused", profile=NULL_REJECT
)
class NullRefusalSwallowed(ReferenceStore):
    """The refusal is logged instead of raised."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        self.enter(key)
        if value is not None:
            super().set(key, value, ttl=ttl)


@mutant("NULL-4", "nulls inside a list are dropped")
class DropsNestedNulls(ReferenceStore):
    """A serialiser that leaves out what is None."""

    def take_in(self, value: Any) -> Any:
        value = super().take_in(value)
        return [item for item in value if item is not None] if isinstance(value, list) else value


@mutant("NULL-4", "members of a mapping that are null are dropped")
class DropsNullMembers(ReferenceStore):
    """JSON written with "omit empty"."""

    def take_in(self, value: Any) -> Any:
        value = super().take_in(value)
        if not isinstance(value, dict):
            return value
        return {name: item for name, item in value.items() if item is not None}


@mutant("NULL-4", "a value with a null inside is refused")
class RefusesNestedNulls(ReferenceStore):
    """The check against null goes too deep."""

    def take_in(self, value: Any) -> Any:
        if isinstance(value, list | dict) and None in (
            value.values() if isinstance(value, dict) else value
        ):
            raise ValueError("null")
        return super().take_in(value)

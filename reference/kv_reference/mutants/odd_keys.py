"""Mutants of empty, long and reserved keys: KEY-4, KEY-5 and KEY-7."""

from __future__ import annotations

from typing import Any

from kv_spec.errors import InvalidKey

from kv_reference.kinship import names_member
from kv_reference.mutants.bases import Encodes
from kv_reference.mutants.registry import mutant
from kv_reference.store import REFERENCE_PROFILE, ReferenceStore

FLAT = REFERENCE_PROFILE.replace(key_model="flat")


SHORT_KEYS = REFERENCE_PROFILE.replace(max_key_bytes=250)


_IMPLIED = "GET-1 SET-3 DEL-3 CAS-3 HAS-1 LIST-1 LIST-2 LIST-3 LIST-6 LIST-8"


@mutant("KEY-4", "empty components are dropped", also=_IMPLIED + " KEY-2")
class DropsEmptyComponents(Encodes):
    """ "/".join(filter(None, key)), or // in a path."""

    def encode(self, key: Any) -> Any:
        return tuple(filter(None, key)) or key


@mutant("KEY-4", "a key with an empty component is stored and not found", also="KEY-2")
class EmptyComponentIsMiss(ReferenceStore):
    """`if not all(key): return None` in get alone."""

    def get(self, key: Any) -> Any:
        value = super().get(key)
        return value if all(key) else None


@mutant("KEY-4", "the empty flat key is stored and not found", profile=FLAT)
class EmptyKeyIsMiss(ReferenceStore):
    """`if not key: return None` in get alone."""

    def get(self, key: Any) -> Any:
        value = super().get(key)
        return value if key else None


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
    also=_IMPLIED,
)
class CutsDeclaredKeys(Encodes):
    """VARCHAR(250) outside strict mode."""

    def encode(self, key: Any) -> Any:
        return tuple(part.encode("utf-8", "surrogatepass")[:250].decode("utf-8", "ignore")
                     for part in key)  # fmt: skip


@mutant("KEY-7", "a long key is cut, no limit declared", also=_IMPLIED)
class CutsLongKeys(Encodes):
    """File names of 255 characters."""

    def part(self, text: str) -> str:
        return text[:255]


@mutant("KEY-7", "a long key is stored and can not be read", also="VAL-6")
class HalfSupportsLong(ReferenceStore):
    """The limit is checked by get alone."""

    def get(self, key: Any) -> Any:
        if sum(map(len, key)) > 255:
            raise InvalidKey("a key of more than 255 characters")
        return super().get(key)

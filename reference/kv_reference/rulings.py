"""Rulings on input: what the specification says of a key, a value and a ttl."""

from __future__ import annotations

import enum
import json
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from kv_spec.profile import Profile
from kv_spec.values import TYPED_VALUES, Outside, walk

THIRTY_DAYS: Final = 30 * 86_400.0
INT32_MILLISECONDS: Final = 2**31 / 1000
LONG_KEY_BYTES: Final = 200
LONG_KEY_COMPONENTS: Final = 8
LARGE_VALUE_BYTES: Final = 64 * 1024
_NUMBERS: Final = (int, float)
_WITH_TEXTS: Final = (str, list, dict)
_ODD: Final = re.compile("[\0\ud800-\udfff]")


class Effect(enum.Enum):
    """What a write does when it goes through."""

    STORE = "store"
    REMOVE = "remove"
    REFUSE = "refuse"
    EITHER = "store or refuse"


class Domain(enum.Enum):
    """Where an input lies: inside; where a store may support it or not; outside."""

    INSIDE = "inside"
    DOUBTFUL = "doubtful"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True, eq=False)
class Ruling:
    """What the specification says of one write; `clause` is the one that says so.

    `lifetime` is in seconds from the write; infinite for an entry that never expires. A ruling
    equals itself only: what follows from it can be kept by it, whatever its value is.
    """

    effect: Effect
    clause: str = "GET-2"
    lifetime: float = math.inf
    value: Any = None


def rule_write(profile: Profile, value: Any, ttl: Any) -> Ruling:
    """The ruling on storing `value` with `ttl` (VAL, NULL and TTL clauses)."""
    ruling = _rule_ttl(profile, ttl)
    if ruling.effect is Effect.REFUSE:
        return ruling
    of_value = _rule_value(profile, value)
    if of_value.effect in (Effect.REFUSE, Effect.REMOVE):
        return of_value
    if ruling.effect is Effect.REMOVE:
        return Ruling(Effect.REMOVE, ruling.clause, value=of_value.value)
    either = Effect.EITHER in (ruling.effect, of_value.effect)
    by_value = of_value.effect is Effect.EITHER or ruling.clause == "GET-2"
    clause = of_value.clause if by_value else ruling.clause
    return Ruling(
        Effect.EITHER if either else Effect.STORE, clause, ruling.lifetime, of_value.value
    )


def _rule_ttl(profile: Profile, ttl: Any) -> Ruling:
    default = math.inf if profile.default_ttl is None else profile.default_ttl
    if ttl is None:
        return Ruling(Effect.STORE, "GET-2", default)
    if isinstance(ttl, Outside):
        if profile.ttl_nonfinite != "never":
            return Ruling(Effect.REFUSE, "TTL-8")
        # "never" is said of numbers; a text may be read so, or be refused.
        return Ruling(Effect.EITHER if ttl.name == "text" else Effect.STORE, "TTL-8")
    if ttl <= 0:
        choice = profile.ttl_zero if ttl == 0 else profile.ttl_negative
        clause = "TTL-6" if ttl == 0 else "TTL-7"
        effects = {"never": Effect.STORE, "default": Effect.STORE, "reject": Effect.REFUSE}
        lifetime = default if choice == "default" else math.inf
        return Ruling(effects.get(choice, Effect.REMOVE), clause, lifetime)
    if ttl > INT32_MILLISECONDS:
        return Ruling(Effect.EITHER, "TTL-12", ttl)
    if is_too_short(profile, ttl):
        return Ruling(Effect.EITHER, "TTL-5", ttl)
    return Ruling(Effect.STORE, ttl_clause(profile, ttl), ttl)


def is_too_short(profile: Profile, ttl: Any) -> bool:
    """True for a positive ttl below the declared minimum: a store may do with it what it likes."""
    return isinstance(ttl, _NUMBERS) and 0 < ttl < profile.ttl_min


def ttl_clause(profile: Profile, ttl: float) -> str:
    """The clause that promises the life of a positive ttl: TTL-12, TTL-5 or TTL-2."""
    if ttl > INT32_MILLISECONDS:
        return "TTL-12"
    if profile.ttl_resolution > 0:
        steps = ttl / profile.ttl_resolution
        if abs(steps - round(steps)) > 1e-6:
            return "TTL-5"
    return "TTL-2"


def _rule_value(profile: Profile, value: Any) -> Ruling:
    if value is None:
        by_null = {
            "delete": Ruling(Effect.REMOVE, "NULL-2"),
            "reject": Ruling(Effect.REFUSE, "NULL-3"),
            "value": Ruling(Effect.STORE, "NULL-1"),
        }
        return by_null[profile.null]
    if isinstance(value, Outside):
        made = value.make()
        if value.name not in TYPED_VALUES:
            return Ruling(Effect.REFUSE, "VAL-4", value=made)
        declared = value.name in profile.extra_types
        return Ruling(Effect.STORE if declared else Effect.EITHER, "VAL-8", value=made)
    return _rule_json(profile, value)


def _rule_json(profile: Profile, value: Any) -> Ruling:
    if isinstance(value, _WITH_TEXTS):
        parts = list(walk(value))
        texts = [part for part in parts if isinstance(part, str)]
        # At most six bytes a character and thirty a part: small values are not written out.
        bound, limit = 6 * sum(map(len, texts)) + 30 * len(parts), profile.max_value_bytes
        if bound > (LARGE_VALUE_BYTES if limit is None else min(limit, LARGE_VALUE_BYTES)):
            size = value_bytes(value)
            if limit is not None and size > limit:
                return Ruling(Effect.REFUSE, "VAL-7", value=value)
            if size > LARGE_VALUE_BYTES:
                return Ruling(
                    Effect.EITHER if limit is None else Effect.STORE, "VAL-7", value=value
                )
        if any(map(has_odd_code_point, texts)):
            return Ruling(Effect.EITHER, "VAL-5", value=value)
    return Ruling(Effect.STORE, value=value)


def value_bytes(value: Any) -> int:
    """The size of a JSON value in bytes of compact UTF-8 text."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=repr)
    return len(text.encode("utf-8", "surrogatepass"))


def has_odd_code_point(text: str) -> bool:
    """True for NUL and lone surrogates, which a store may support or refuse (KEY-3, VAL-5)."""
    return _ODD.search(text) is not None


def rule_key(profile: Profile, key: Any) -> tuple[Domain, str]:
    """Where a key lies, and the clause that says so."""
    if isinstance(key, Outside):
        return Domain.OUTSIDE, "ERR-1"
    return _rule_text_key(profile.max_key_bytes, key)


@lru_cache(maxsize=8_192)
def _rule_text_key(limit: int | None, key: tuple[str, ...] | str) -> tuple[Domain, str]:
    parts = (key,) if isinstance(key, str) else key
    size = sum(len(part.encode("utf-8", "surrogatepass")) for part in parts)
    if limit is not None and size > limit:
        return Domain.OUTSIDE, "KEY-7"
    if any(map(has_odd_code_point, parts)):
        return Domain.DOUBTFUL, "KEY-3"
    if "" in parts:
        return Domain.DOUBTFUL, "KEY-4"
    if limit is None and (size > LONG_KEY_BYTES or len(parts) > LONG_KEY_COMPONENTS):
        return Domain.DOUBTFUL, "KEY-7"
    return Domain.INSIDE, "KEY-1"

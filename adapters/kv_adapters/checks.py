"""What every adapter asks of its arguments before it touches anything (ERR-1)."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Final, TypeAlias

from kv_spec.errors import InvalidKey, InvalidTtl

Path: TypeAlias = "tuple[str, ...]"
"""A checked key, or a checked prefix of keys."""

NANOSECONDS: Final = 10**9
"""Nanoseconds in a second."""


def check_key(key: object) -> Path:
    """Returns `key` as it is.

    Raises InvalidKey unless it is a non-empty tuple of str.
    """
    path = check_prefix(key, "key")
    if not path:
        raise InvalidKey("a key has at least one component; this one is ()")
    return path


def check_prefix(prefix: object, what: str = "prefix") -> Path:
    """Returns `prefix` as it is; `()` is the prefix of every key.

    Raises InvalidKey unless it is a tuple of str.
    """
    if not isinstance(prefix, tuple):
        hint = f"; write ({prefix!r},)" if isinstance(prefix, str) else ""
        raise InvalidKey(f"a {what} is a tuple of str, not {type(prefix).__name__}{hint}")
    for component in prefix:
        if not isinstance(component, str):
            raise InvalidKey(f"a component of a {what} is a str, not {type(component).__name__}")
    return prefix


def lifetime(ttl: object) -> int | None:
    """A ttl in nanoseconds, rounded up; 0 says that the entry is gone at once (TTL-6, TTL-7).

    `ttl` is None (no ttl, answered with None), a timedelta, or seconds as an int or a float.
    Raises InvalidTtl for NaN, an infinity and any other type (TTL-8); for bool too, which is an
    int by descent only.
    """
    if ttl is None:
        return None
    if isinstance(ttl, timedelta):
        return max(0, ttl // timedelta(microseconds=1) * 1000)
    if isinstance(ttl, bool) or not isinstance(ttl, int | float):
        raise InvalidTtl(f"a ttl is seconds or a timedelta, not {type(ttl).__name__}")
    if isinstance(ttl, float) and not math.isfinite(ttl):
        raise InvalidTtl(f"{ttl!r} is no time to live")
    return max(0, nanoseconds_up(ttl))


def nanoseconds_up(seconds: float) -> int:
    """`seconds` in nanoseconds, rounded up, without the rounding of a float product."""
    numerator, denominator = seconds.as_integer_ratio()
    return -(-numerator * NANOSECONDS // denominator)


def nanoseconds_down(seconds: float) -> int:
    """`seconds` in nanoseconds, rounded down, without the rounding of a float product.

    A deadline is counted from a clock rounded up and read by a clock rounded down: so an entry
    can live some nanoseconds too long, and never ends early (TTL-2).
    """
    numerator, denominator = seconds.as_integer_ratio()
    return numerator * NANOSECONDS // denominator


def round_up(nanoseconds: int, unit: int) -> int:
    """`nanoseconds` in units of `unit` nanoseconds, rounded up."""
    return -(-nanoseconds // unit)

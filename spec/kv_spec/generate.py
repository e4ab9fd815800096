"""What to try: pools of hard keys, values and ttls, shaped by a profile; for every engine.

Faults hide where two things look alike, so keys come in themes (keys that a careless encoding, a
path, a comparison or a query takes for one another) and values in twins (1, True, 1.0; 0, False,
""). A program draws from one theme, so that it meets the twins of a key within a few operations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from kv_spec.profile import Profile
from kv_spec.values import Outside

TICK: Final = 1 / 64
"""The smallest step of a virtual clock in seconds: exact in a float and in microseconds."""
_GRAIN: Final = 1 / 512
"""Seconds; a multiple is exact in a float and in nanoseconds, so that a deadline comes out the same
at whatever time a program begins: what a store answers just then does not hang on rounding."""
DAY: Final = 86_400.0
LARGE: Final = (65_000, 65_537, 200_000, 1_100_000)
"""Sizes of large values in bytes: about what a domain, a column or a server ends at."""

_THEMES: Final[dict[str, list[tuple[str, ...]]]] = {
    "plain": [("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c")],
    "siblings": [("a",), ("ab",), ("a-b",), ("a", "b"), ("a/b",), ("a", "bc"), ("a.b",)],
    "separators": [("a", "b"), ("a:b",), ("ab",), ("a/b",), ("a", "b", "c"), ("a:b", "c"),
                   ("a", "b:c"), ("a,b",), ("a b",), ("a::b",), ("a|b",), ("a", "b/c")],
    "letters": [("ab",), ("ba",), ("aab",), ("aba",), ("abc",), ("acb",), ("ab", "ba"),
                ("ba", "ab"), ("abb",), ("bab",)],
    "quotes": [("'",), ("''",), ('"',), ("\\",), ("\\\\",), ('a"b',), ("a'b",), ('["a"]',),
               ("a\\b",), ("a",), ('a","b',), ("a", "b")],
    "empty": [("",), ("a", ""), ("", "a"), ("a",), ("a", "", "b"), ("a", "b"), ("", "")],
    "case": [("a",), ("A",), ("a ",), (" a",), ("\u00e1",), ("a\u0301",), ("\u00df",), ("ss",),
             ("\u0130",), ("i\u0307",), ("a\t",)],
    "unicode": [("\u00e9",), ("e\u0301",), ("\U0001f600",), ("\uffff",), ("\ufb01",), ("fi",),
                ("\U0010ffff",), ("\u212b",), ("\u00c5",), ("\uffff", "\U0001f600"), ("\u200b",)],
    "code points": [("a\0",), ("a",), ("a\0b",), ("\ud800",), ("\ufffd",), ("?",), ("a\nb",),
                    ("\x7f",), ("\x01",), ("a\r",)],
    "members": [("__proto__",), ("constructor",), ("toString",), ("__class__",),
                ("hasOwnProperty",),
                ("__proto__", "a"), ("length",), ("__init__",), ("a", "__proto__"), ("get",)],
    "paths": [("..",), (".",), ("a", "..", "b"), ("a/../b",), ("b",), ("a", "b"), ("CON",),
              ("nul",), ("a.",), ("a",), ("a//b",), ("~",), ("-",), ("a/b",), ("a%2Fb",),
              ("a+b",), ("a b",)],
    "wildcards": [("a%",), ("ab",), ("a_",), ("a*",), ("a?",), ("[ab]",), ("a",), ("%",), ("*",),
                  ("a.c",), ("abc",), ("a{b}",), ("^a",), ("$x",), ("(a",)],
    "below wildcards": [("a%", "x"), ("ab", "x"), ("a_", "x"), ("a*", "x"), ("[ab]", "x"),
                        ("a", "x"), ("a?", "x"), ("%", "x"), ("_", "x"), ("A", "x"), ("a ", "x"),
                        ("\u00e1", "x"), ("a\u0301", "x"), ("a'", "x"), ("a\\", "x")],
    "ends": [("a",), ("a", "\U0010ffff"), ("a", "\uffff"), ("a\U0010ffff",), ("b",), ("a", "a"),
             ("a\x01",), ("a", "\x7f"), ("a\U0010ffff", "x"), ("a", "\U0010ffff", "x")],
    "long": [("k" * 200,), ("k" * 199 + "j",), ("k" * 100, "k" * 100), ("k" * 255,),
             ("k" * 254 + "j",), ("k" * 300,), ("k" * 299 + "j",), ("k" * 1100,),
             ("k" * 1099 + "j",), ("a", "b", "c", "d", "e", "f", "g", "h"), ("a",)],
    "numbers": [("1",), ("01",), ("1.0",), ("true",), ("null",), ("None",), ("1e0",), ("0",),
                ("10",), ("9",), ("-1",)],
}  # fmt: skip

PREFIX_THEMES: Final = ("below wildcards", "siblings", "wildcards", "separators", "ends", "case")
"""The themes whose keys show most about prefixes."""

_PLAIN_VALUES: Final[tuple[Any, ...]] = (
    1, 0, False, True, "", [], {}, 0.0, 1.0, "a", "1", [1], [True], [1.0], [0], [False], [[]],
    [1, 2], [2, 1], {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1}, {"a": True}, {"a": None}, [None],
    [None, 1], {"a": {"b": None}}, {"a": []}, [{}],
)  # fmt: skip

_HARD_VALUES: Final[tuple[Any, ...]] = (
    2**53, -(2**53), 2**53 - 1, 1.5, -0.0, 1e308, 5e-324, 0.1, -1, 2**31, 2**32 + 1, 123456789.125,
    "null", "None", "true", "0", '{"a": 1}', "[1]", "'", '"', "\\", "%s", "%", ":a", ":", "a\nb",
    "a\r\nb", "\u2028", "a\0b", "\ud800", "\U0001f600", "e\u0301", "\u00e9", " a ", "\ufeffa",
    "undefined", "NaN", "2024-01-01T00:00:00Z", "__null__", "\x7f",
    {"__proto__": 1}, {"value": 1}, {"expires": 0}, {"value": 1, "expires": 1}, {"v": 1, "e": 0},
    {"": 1}, {"a.b": 1}, {"$set": 1}, {"__proto__": {"a": 1}, "constructor": None}, {"\u00e9": 1},
    {"a": [1, {"b": [True, 1.0, None]}]}, [[1, [2, [3, [None]]]]], ["", 0, False, None],
    {"a": "", "b": 0, "c": False, "d": [], "e": {}}, [1, 1.0, True], {"__type__": "x", "data": "y"},
)  # fmt: skip

TWINS: Final[tuple[tuple[Any, Any], ...]] = (
    (1, 1.0), (1, True), (0, 0.0), (0, False), (1, "1"), ([1], [1.0]), ([1], [True]), (0, ""),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ([1, 2], [2, 1]), ({"a": 1}, {"a": True}), ([], {}),
    ({"a": None}, {}), ([None], []), ([1, 2, 2], [2, 1, 1]), ("null", "None"),
    ({"a": [1, {"b": 0}]}, {"a": [1, {"b": False}]}), ({"a": 1}, {"a": 1, "b": 1}),
)  # fmt: skip
"""Values that a careless comparison takes for one another, or does not (CAS-7)."""

FALSY: Final[tuple[Any, ...]] = (False, 0, "", [], {}, 0.0)
"""Values that a condition takes for false (GET-4)."""

REFUSED_VALUES: Final = tuple(
    Outside(name)
    for name in "nan infinity minus-infinity function object cycle set integer-keys "
    "nan-inside".split()
)
"""Values outside the domain of every store (VAL-4)."""
TYPED: Final = tuple(Outside(name) for name in ("bytes", "bigint", "datetime"))
"""Values that a store declares, refuses, or gives back as they were (VAL-8)."""
ODD_TEXTS: Final = ("a\0b", "\ud800", "\0", {"a\0": 1}, ["\udfff"])
"""Values with code points that a store may refuse (VAL-5)."""
REFUSED_TTLS: Final = tuple(Outside(name) for name in ("nan", "infinity", "text"))
"""Ttls that mean nothing (TTL-8)."""
WRONG_KEYS: Final = tuple(
    Outside(name) for name in ("bytes", "number", "list", "none", "empty-tuple", "number-component")
)
"""Input of the wrong type where a key is due; judged only for leaving other keys alone."""


@dataclass(frozen=True, slots=True)
class Pools:
    """What one store is tried with."""

    themes: dict[str, tuple[Any, ...]]
    prefixes: dict[str, tuple[Any, ...]]
    values: tuple[Any, ...]
    hard_values: tuple[Any, ...]
    ttls: tuple[float, ...]
    odd_ttls: tuple[float, ...]
    steps: tuple[float, ...]
    large: tuple[int, ...]
    """Sizes of large texts in characters."""
    everything: Any
    """The prefix of all keys."""


@cache
def deep(levels: int = 31) -> Any:
    """A value nested to the limit of the domain."""
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"n": value}
    return value


def pools(
    profile: Profile, *, ttl_unit: float | None = None, hostile: tuple[str, ...] = ()
) -> Pools:
    """The pools for a store with this profile; `hostile` are components of one theme more.

    `ttl_unit` is the ttl in seconds taken for one, by default `unit(profile)`; where waits are
    real it is a short one.
    """
    themes = {name: tuple(_keys(profile, keys)) for name, keys in _THEMES.items()}
    if hostile:
        themes["hostile"] = tuple(_keys(profile, [(part,) for part in hostile]))
    one = unit(profile) if ttl_unit is None else ttl_unit
    longest = 8 * one if profile.default_ttl is None else 2 * profile.default_ttl
    ttls = (one, 1.5 * one, 2 * one, 2.5 * one, longest, one + TICK)
    return Pools(
        themes=themes,
        prefixes={name: tuple(_prefixes(profile, keys)) for name, keys in themes.items()},
        values=_values(profile, _PLAIN_VALUES),
        hard_values=(*_values(profile, _HARD_VALUES), deep(), "x" * 3000, *TYPED),
        ttls=ttls,
        odd_ttls=_odd_ttls(profile, one),
        steps=_steps(profile, one),
        large=_large(profile),
        everything="" if profile.flat else (),
    )


def _keys(profile: Profile, keys: list[tuple[str, ...]]) -> list[Any]:
    if not profile.flat:
        return list(keys)
    return list(dict.fromkeys("/".join(key) for key in keys))


def _prefixes(profile: Profile, keys: tuple[Any, ...]) -> list[Any]:
    """Every prefix of every key of a theme, the whole keys and the empty prefix among them."""
    if profile.flat:
        found = [key[:end] for key in keys for end in (0, 1, 2, len(key) - 1, len(key))]
    else:
        found = [key[:end] for key in keys for end in range(len(key) + 1)]
    return list(dict.fromkeys(found))


def _values(profile: Profile, values: tuple[Any, ...]) -> tuple[Any, ...]:
    # A stored null and a miss look alike there, so cas and the reads can not tell them apart.
    return values if profile.null != "value" else (*values, None)


def _large(profile: Profile) -> tuple[int, ...]:
    """Sizes at which stores end; where one declares its limit, often just that much and more."""
    limit = profile.max_value_bytes
    if limit is None:
        return LARGE
    # Two bytes of the limit are the quotes of a JSON text.
    edge = (max(limit - 2, 1), limit - 1)
    return (*(size for size in LARGE if size < edge[0]), *edge, *edge)


def unit(profile: Profile) -> float:
    """The ttl in seconds that programs take for one: well above the resolution."""
    return max(1.0, math.ceil(4 * profile.ttl_resolution), math.ceil(profile.ttl_min))


def _odd_ttls(profile: Profile, one: float) -> tuple[float, ...]:
    """Ttls that are easily read as something else (TTL-5, TTL-12)."""
    long = (30 * DAY, 31 * DAY, 2.0**31 // 1000 + 64, 2.0**32 // 1000 + 64, 400 * DAY)
    r, least = profile.ttl_resolution, profile.shortest_ttl
    if r == 0:
        return (*(TICK * math.ceil(max(ttl, least) / TICK) for ttl in (0.0, 0.25, 1.75)), *long)
    return (
        _grained(1.5 * max(r, least)),
        _grained(2.5 * max(r, least)),
        max(min(1.0, one) + _GRAIN, _grained(1.25 * least)),
        *long,
    )


def _grained(seconds: float) -> float:
    return _GRAIN * math.ceil(seconds / _GRAIN)


def _steps(profile: Profile, one: float) -> tuple[float, ...]:
    """Steps of the clock that meet the deadlines from both sides."""
    r, default = profile.ttl_resolution, profile.default_ttl
    last = 8 * one if default is None else default
    return (TICK, one / 2, one, one - TICK, one + r + TICK, 2 * one, last + r + TICK)

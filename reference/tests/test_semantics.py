"""The rulings on input by dialect, and what a state permits a call to see."""

from __future__ import annotations

import itertools
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kv_reference.oracle import Oracle
from kv_reference.rulings import Domain, Effect, rule_key, rule_write
from kv_reference.semantics import Live, Rules, removal_cause, seen_live, views
from kv_reference.store import ReferenceStore
from kv_spec.clauses import clauses
from kv_spec.dialects import PRESETS
from kv_spec.operations import Cas, Delete, Set
from kv_spec.perform import Surface
from kv_spec.profile import Profile
from kv_spec.store import ABSENT
from kv_spec.values import Outside

deterministic = settings(derandomize=True, deadline=None, max_examples=200)

STORE, REMOVE, REFUSE, EITHER = Effect.STORE, Effect.REMOVE, Effect.REFUSE, Effect.EITHER
DAYS_40 = 40 * 86_400.0

WRITES: list[tuple[dict[str, Any], Any, Any, Effect, str, float]] = [
    ({}, "v", None, STORE, "GET-2", inf),
    ({}, "v", 2.0, STORE, "TTL-2", 2.0),
    ({}, "v", 0.0015, STORE, "TTL-5", 0.0015),
    ({"ttl_resolution": 1.0}, "v", 1.5, STORE, "TTL-5", 1.5),
    ({"ttl_resolution": 0.0}, "v", 0.0015, STORE, "TTL-2", 0.0015),
    ({}, "v", DAYS_40, EITHER, "TTL-12", DAYS_40),
    ({"default_ttl": 5.0}, "v", None, STORE, "GET-2", 5.0),
    ({"default_ttl": 5.0}, "v", 2.0, STORE, "TTL-2", 2.0),
    # null
    ({}, None, None, REMOVE, "NULL-2", inf),
    ({}, None, 2.0, REMOVE, "NULL-2", inf),
    ({"null": "reject"}, None, 2.0, REFUSE, "NULL-3", inf),
    ({"null": "value"}, None, 2.0, STORE, "TTL-2", 2.0),
    ({"null": "value"}, None, None, STORE, "NULL-1", inf),
    # ttls of nothing
    ({}, "v", 0, REMOVE, "TTL-6", inf),
    ({}, "v", -0.0, REMOVE, "TTL-6", inf),
    ({"ttl_zero": "delete"}, "v", 0, REMOVE, "TTL-6", inf),
    ({"ttl_zero": "never", "default_ttl": 5.0}, "v", 0, STORE, "TTL-6", inf),
    ({"ttl_zero": "default", "default_ttl": 5.0}, "v", 0, STORE, "TTL-6", 5.0),
    ({"ttl_zero": "default"}, "v", 0, STORE, "TTL-6", inf),
    ({"ttl_zero": "reject"}, "v", 0, REFUSE, "TTL-6", inf),
    ({}, "v", -1, REMOVE, "TTL-7", inf),
    ({"ttl_negative": "never"}, "v", -1, STORE, "TTL-7", inf),
    ({"ttl_negative": "reject"}, "v", -1, REFUSE, "TTL-7", inf),
    # ttls that mean nothing
    ({}, "v", Outside("nan"), REFUSE, "TTL-8", inf),
    ({}, "v", Outside("infinity"), REFUSE, "TTL-8", inf),
    ({"ttl_nonfinite": "never"}, "v", Outside("infinity"), STORE, "TTL-8", inf),
    ({"ttl_nonfinite": "never"}, "v", Outside("nan"), STORE, "TTL-8", inf),
    ({"ttl_nonfinite": "never"}, "v", Outside("text"), EITHER, "TTL-8", inf),
    ({}, "v", Outside("text"), REFUSE, "TTL-8", inf),
    # values
    ({}, Outside("cycle"), None, REFUSE, "VAL-4", inf),
    ({}, Outside("bytes"), None, EITHER, "VAL-8", inf),
    ({"capabilities": "bytes"}, Outside("bytes"), None, STORE, "VAL-8", inf),
    ({}, "a\0b", None, EITHER, "VAL-5", inf),
    ({}, [{"\ud800": 1}], 2.0, EITHER, "VAL-5", 2.0),
    ({}, "v" * 70_000, None, EITHER, "VAL-7", inf),
    ({"max_value_bytes": 80_000}, "v" * 70_000, None, STORE, "VAL-7", inf),
    ({"max_value_bytes": 80_000}, "v" * 79_999, None, REFUSE, "VAL-7", inf),
    ({"max_value_bytes": 80_000}, ["é" * 40_000], None, REFUSE, "VAL-7", inf),
    ({"max_value_bytes": 10}, "v" * 9, None, REFUSE, "VAL-7", inf),
    # what is refused is refused, whatever the rest would do
    ({"ttl_zero": "reject"}, None, 0, REFUSE, "TTL-6", inf),
    ({}, Outside("cycle"), 0, REFUSE, "VAL-4", inf),
    ({}, None, Outside("nan"), REFUSE, "TTL-8", inf),
]


@pytest.mark.parametrize(("dialect", "value", "ttl", "effect", "clause", "lifetime"), WRITES)
def test_the_ruling_on_a_write(
    dialect: dict[str, Any], value: Any, ttl: Any, effect: Effect, clause: str, lifetime: float
) -> None:
    ruling = rule_write(Profile(**dialect), value, ttl)
    assert (ruling.effect, ruling.clause) == (effect, clause)
    if effect in (STORE, EITHER):
        assert ruling.lifetime == lifetime
        made = value.make() if isinstance(value, Outside) else value
        assert ruling.value == made


def test_every_ruling_names_a_clause_and_removals_their_cause() -> None:
    writes = [(value, ttl) for _, value, ttl, *_ in WRITES]
    for profile, (value, ttl) in itertools.product(PRESETS.values(), writes):
        ruling = rule_write(profile, value, ttl)
        assert ruling.clause in clauses()
        assert ruling.effect is not REMOVE or removal_cause(ruling) in ("null", "zero", "negative")


@pytest.mark.parametrize(
    ("limit", "key", "domain", "clause"),
    [
        (None, ("a", "b"), Domain.INSIDE, "KEY-1"),
        (None, "flat", Domain.INSIDE, "KEY-1"),
        (None, ("é" * 100,), Domain.INSIDE, "KEY-1"),
        (None, ("é" * 100, "a"), Domain.DOUBTFUL, "KEY-7"),
        (None, tuple("abcdefgh"), Domain.INSIDE, "KEY-1"),
        (None, tuple("abcdefghi"), Domain.DOUBTFUL, "KEY-7"),
        (250, ("a" * 250,), Domain.INSIDE, "KEY-1"),
        (250, ("a" * 250, "b"), Domain.OUTSIDE, "KEY-7"),
        (250, ("\0" * 251,), Domain.OUTSIDE, "KEY-7"),
        (None, ("a\0",), Domain.DOUBTFUL, "KEY-3"),
        (None, "\udfff", Domain.DOUBTFUL, "KEY-3"),
        (None, "", Domain.DOUBTFUL, "KEY-4"),
        (None, ("a", "", "b"), Domain.DOUBTFUL, "KEY-4"),
        (None, Outside("number"), Domain.OUTSIDE, "ERR-1"),
    ],
)
def test_the_domain_of_a_key(limit: int | None, key: Any, domain: Domain, clause: str) -> None:
    assert rule_key(Profile(max_key_bytes=limit), key) == (domain, clause)


@pytest.mark.parametrize(
    ("expected", "value", "fits", "fits_encoded"),
    [
        (1, 1, True, True),
        (1, 1.0, True, None),
        (1, True, False, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True, None),
        ([1, 2], [2, 1], False, False),
        (Outside("bigint"), 2**60 + 1, True, True),
        (ABSENT, "v", False, False),
        ("v", ABSENT, False, False),
        (ABSENT, ABSENT, True, True),
        (None, ABSENT, True, True),
    ],
)
def test_whether_cas_matches(
    expected: Any, value: Any, fits: bool, fits_encoded: bool | None
) -> None:
    state = None if value is ABSENT else Live(value)
    assert Rules(Profile()).compares(expected, state) is fits
    assert Rules(Profile(cas_equality="encoded")).compares(expected, state) is fits_encoded


def test_a_null_that_cas_expects_is_absent_unless_null_is_a_value() -> None:
    assert Rules(Profile(null="value")).compares(None, Live(None)) is True
    assert Rules(Profile(null="value")).compares(None, None) is False
    oracle, surface = Oracle(ReferenceStore.profile), Surface(ReferenceStore())
    for operation in (Cas(("k",), None, 1), Cas(("k",), None, 2), Cas(("k",), 1, None)):
        assert oracle.judge(operation, surface.perform(operation), 0.0, 0.0) is None


def test_what_a_write_leaves() -> None:
    rules, old = Rules(Profile(ttl_resolution=0.5), slack=0.25), Live("old")
    key = ("k",)
    bounded = rules.after_write(rules.ruling(Set(key, "v", 2.0)), old, 10.0, 11.0)
    assert bounded == Live("v", 10.0 + 2.0 - 0.25, 11.0 + 2.0 + 0.25 + 0.5)
    assert rules.after_write(rules.ruling(Set(key, "v")), old, 10.0, 11.0) == Live("v")
    assert rules.after_write(rules.ruling(Set(key, Outside("nan"))), old, 10.0, 11.0) == old
    for removal in (Delete(key), Set(key, None), Set(key, "v", 0.0), Cas(key, "old", ABSENT)):
        assert rules.after_write(rules.ruling(removal), old, 10.0, 11.0) is None


moments = st.integers(0, 64).map(lambda n: n / 64)


@st.composite
def spans(draw: st.DrawFn) -> tuple[float, float]:
    began, lasted = draw(moments), draw(moments)
    return began, began + lasted


@deterministic
@given(spans(), spans())
def test_a_call_may_find_an_entry_live_before_hi_and_gone_from_lo_on(
    window: tuple[float, float], call: tuple[float, float]
) -> None:
    (lo, hi), (began, ended) = window, call
    found = views(Live("v", lo, hi), began, ended)
    assert any(view is not None for view in found) == (began < hi)
    assert (None in found) == (ended >= lo or began >= hi)
    assert views(None, began, ended) == (None,)
    if lo == hi and began == ended:
        assert len(found) == 1, "with an exact clock nothing is in doubt"


@deterministic
@given(spans(), moments, spans())
def test_an_entry_seen_live_was_live_until_then(
    window: tuple[float, float], seen: float, earlier: tuple[float, float]
) -> None:
    state = Live("v", *window)
    after = seen_live(state, seen)
    assert (after.value, after.hi) == (state.value, state.hi)
    assert after.lo >= state.lo
    began, ended = earlier
    if ended <= seen < state.hi:
        assert None not in views(after, began, ended)

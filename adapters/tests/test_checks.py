"""Ttls in nanoseconds."""

import math
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kv_adapters.checks import lifetime, nanoseconds_down, nanoseconds_up
from kv_spec.errors import InvalidTtl


@pytest.mark.parametrize(
    ("ttl", "life"),
    [
        (None, None),
        (0, 0),
        (-0.0, 0),
        (-1e300, 0),
        (1, 10**9),
        (1 / 64, 15_625_000),
        (0.1, 100_000_001),  # the float 0.1 is a little more than a tenth
        (5e-324, 1),
        (10**400, 10**409),
        (timedelta(microseconds=1500), 1_500_000),
        (timedelta(days=-1), 0),
    ],
    ids=lambda value: str(value)[:20],
)
def test_life(ttl: object, life: int | None) -> None:
    assert lifetime(ttl) == life


@pytest.mark.parametrize("ttl", [math.nan, math.inf, -math.inf, True, "1", [1], b"", 1j])
def test_what_is_no_ttl_is_refused(ttl: object) -> None:
    with pytest.raises(InvalidTtl):
        lifetime(ttl)


@given(st.floats(0, 4e9), st.floats(0, 1e6, exclude_min=True), st.floats(0, 4e9))
def test_rounding_never_ends_an_entry_early(began: float, ttl: float, now: float) -> None:
    life = lifetime(ttl)
    assert life is not None
    if Fraction(now) < Fraction(began) + Fraction(ttl):
        assert nanoseconds_down(now) < nanoseconds_up(began) + life

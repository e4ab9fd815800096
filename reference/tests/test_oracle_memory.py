"""What the oracle keeps from one program to the next, and what a store's odd answers do to it."""

from __future__ import annotations

from typing import Any

import pytest
from kv_reference.oracle import Oracle
from kv_reference.semantics import Rules
from kv_reference.swaps import is_subtle
from kv_spec.dialects import PRESETS
from kv_spec.generate import TWINS, deep
from kv_spec.operations import Cas, Get, List, Set
from kv_spec.profile import BASE, Profile

KEY = ("key",)


@pytest.mark.parametrize(("one", "other"), [*TWINS, (0.0, -0.0), ([0.0], [-0.0])])
def test_twins_have_rulings_of_their_own(one: Any, other: Any) -> None:
    rules = Rules(Profile())
    for value in (one, other, one):
        assert repr(rules.ruling(Set(KEY, value)).value) == repr(value)


def test_a_ruling_is_not_taken_for_that_of_a_value_that_is_no_more() -> None:
    rules = Rules(Profile())
    for number in range(100):
        assert rules.ruling(Set(KEY, [number])).value == [number]


def test_each_profile_has_rulings_of_its_own() -> None:
    value = ["v"]
    for limit, refused in ((None, False), (1, True), (None, False)):
        oracle = Oracle(Profile(max_value_bytes=limit))
        violation = oracle.judge(Set(KEY, value), None, 0.0, 0.0)
        assert (violation is not None) == refused


@pytest.mark.parametrize("profile", [BASE, PRESETS["keyv"]])
@pytest.mark.parametrize("empty", ["", ()])
def test_the_empty_prefix_of_either_key_model_is_that_of_everything(
    profile: Profile, empty: Any
) -> None:
    oracle, key = Oracle(profile), "key" if profile.flat else KEY
    assert oracle.judge(Set(key, 1), None, 0.0, 0.0) is None
    assert oracle.judge(List(empty), [(key, 1)], 1.0, 1.0) is None
    assert oracle.judge(List(empty), [], 1.0, 1.0) is not None


@pytest.mark.parametrize(
    ("expected", "value", "subtle"),
    [
        (1, True, True),
        (1, 1, False),
        (0.0, -0.0, True),
        ([1], [1], True),
        ([1, 2], [2, 1.0], True),
        ([1, 1], [1, 2], False),
        ({"a": [1]}, {"a": [True]}, True),
        ({"a": 1}, {"b": 1}, False),
        ([], {}, True),
        (["a"], {"a": 1}, False),
        ("1", 1, False),
        ("v", deep(), False),
        (deep(30), deep(28), False),
    ],
)
def test_where_a_careless_comparison_answers_otherwise(
    expected: Any, value: Any, subtle: bool
) -> None:
    assert is_subtle(expected, value) == subtle


class Unspeakable:
    """A value that can not even be shown."""

    def __repr__(self) -> str:
        raise ValueError


ODD_ANSWERS = [Unspeakable(), [Unspeakable()], 10**5000, [10**5000]]


@pytest.mark.parametrize("answer", ODD_ANSWERS, ids=range(4))
@pytest.mark.parametrize("expected", [1, 1.5, "v", [1], [[[]]]])
def test_no_value_that_a_store_made_up_stops_the_oracle(answer: Any, expected: Any) -> None:
    oracle = Oracle(Profile())
    assert oracle.judge(Set(KEY, "v"), None, 0.0, 0.0) is None
    assert oracle.judge(Get(KEY), answer, 1.0, 1.0) is not None
    oracle.judge(Cas(KEY, expected, "w"), False, 2.0, 2.0)

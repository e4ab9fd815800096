"""Typed equality of JSON values (CAS-7): what it means, and that nobody talks it over."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kv_spec.values import (
    MAX_SAFE_INTEGER,
    copy,
    equal,
)

deterministic = settings(derandomize=True, deadline=None, max_examples=300)

scalars: st.SearchStrategy[Any] = (
    st.sampled_from([None, False, True, 0, 1, 0.0, -0.0, 1.0, "", "0", "1", "true", 2**53, 2.0**53])
    | st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3)
)
names = st.sampled_from(["a", "b", "__proto__", ""])
documents: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


def canonical(value: Any) -> Any:
    """A form in which equal values are one: what equality has to mean (CAS-7)."""
    if value is None or isinstance(value, bool | str):
        return type(value).__name__, value
    if isinstance(value, int | float):
        return "number", Fraction(value)
    if isinstance(value, list):
        return "list", tuple(map(canonical, value))
    return "object", frozenset((key, canonical(item)) for key, item in value.items())


@st.composite
def retouched(draw: st.DrawFn, value: Any) -> Any:
    """The value again, where it may be with another type of number or order of keys."""
    if isinstance(value, list):
        items = [draw(retouched(item)) for item in value]
        return draw(st.sampled_from([items, items[::-1], [*items, None]]))
    if isinstance(value, dict):
        keys = draw(st.permutations(list(value)))
        return {key: draw(retouched(value[key])) for key in keys}
    if type(value) is int:
        return draw(st.sampled_from([value, float(value), value == 1, str(value), value + 1]))
    if type(value) is float and value.is_integer():
        return draw(st.sampled_from([value, int(value), -value]))
    return draw(st.sampled_from([value, value, None, [value]]))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    left = draw(documents)
    return left, draw(retouched(left) | documents)


@deterministic
@given(pairs())
def test_equality_is_that_of_the_canonical_forms(pair: tuple[Any, Any]) -> None:
    left, right = pair
    assert equal(left, right) is (canonical(left) == canonical(right))
    assert equal(left, right) is equal(right, left)


@deterministic
@given(documents)
def test_a_value_equals_itself_its_copy_and_its_json_text_read_again(value: Any) -> None:
    assert equal(value, value)
    assert equal(value, copy(value))
    assert equal(value, json.loads(json.dumps(value)))


@deterministic
@given(pairs(), st.data())
def test_equality_is_transitive(pair: tuple[Any, Any], data: st.DataObject) -> None:
    first, second = pair
    third = data.draw(retouched(second))
    if equal(first, second) and equal(second, third):
        assert equal(first, third)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, True),
        (0.0, -0.0, True),
        (1, True, False),
        (0, False, False),
        (1.0, True, False),
        (None, False, False),
        ("", None, False),
        ([], {}, False),
        ([1, 2], [2, 1], False),
        ([1], (1,), False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": None}, {}, False),
        ({"a": None}, {"b": None}, False),
        ({"1": 1}, {1: 1}, False),
        ({"a": [1, {"b": True}]}, {"a": [1, {"b": 1}]}, False),
        (2**53 + 1, 2.0**53, False),
        (b"a", b"a", True),
        (b"a", "a", False),
        (b"a", bytearray(b"a"), False),
        (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC), True),
        (datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01T00:00:00+00:00", False),
        ("e\u0301", "é", False),
    ],
)
def test_examples_of_equality(left: Any, right: Any, same: bool) -> None:
    assert equal(left, right) is same
    assert equal(right, left) is same


class Liar:
    """Of no JSON type, and equal to everything if one asks it."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


class LyingKey:
    """Found in any mapping under "a"."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash("a")


class LyingProxy(Liar):
    """Says that it is a str."""

    @property
    def __class__(self) -> Any:
        return str

    @__class__.setter
    def __class__(self, _: Any) -> None:
        raise TypeError


class LyingText(str):
    """Another text than it says."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash("a")


class LyingNumber(int):
    """Another number than it says."""

    def __eq__(self, other: object) -> bool:
        return True

    def __int__(self) -> int:
        return 1

    __hash__ = int.__hash__


class LyingList(list[Any]):
    """Longer than it says."""

    def __eq__(self, other: object) -> bool:
        return True

    def __len__(self) -> int:
        return 1

    __hash__ = None


LIES: list[tuple[Any, Any]] = [
    *((value, Liar()) for value in (None, True, 1, 1.0, "a", [1], {"a": 1}, b"a")),
    ([1], [Liar()]),
    ({"a": 1}, {"a": Liar()}),
    ({"a": 1}, {LyingKey(): 1}),
    ({"a": 1}, {LyingText("b"): 1}),
    ("a", LyingProxy()),
    ("a", LyingText("b")),
    (1, LyingNumber(2)),
    ([1], LyingList([1, 2])),
]


@pytest.mark.parametrize("number", range(len(LIES)))
def test_equality_asks_no_foreign_object_for_its_opinion(number: int) -> None:
    value, liar = LIES[number]
    assert equal(value, liar) is False
    assert equal(liar, value) is False


def test_a_subclass_is_what_it_holds() -> None:
    assert equal("a", LyingText("a"))
    assert equal(1, LyingNumber(1))
    assert equal({"a": 1}, {LyingText("a"): 1})

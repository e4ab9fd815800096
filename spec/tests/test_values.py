"""The JSON value domain: copies, marks, and what lies outside."""

from __future__ import annotations

import math
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kv_spec.errors import InvalidValue
from kv_spec.values import (
    _OUTSIDE,
    MAX_DEPTH,
    MAX_SAFE_INTEGER,
    TYPED_VALUES,
    Outside,
    carries,
    change,
    check_json,
    copy,
    equal,
    is_container,
    walk,
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


@deterministic
@given(documents)
def test_a_copy_shares_no_container(value: Any) -> None:
    twin = copy(value)
    assert repr(twin) == repr(value)
    ours = {id(part) for part in walk(value) if is_container(part)}
    theirs = {id(part) for part in walk(twin) if is_container(part)}
    assert not ours & theirs


@deterministic
@given(documents, st.sampled_from(["~mark~", "a"]))
def test_a_change_reaches_every_container_and_nothing_else(value: Any, mark: str) -> None:
    twin = copy(value)
    assert change(twin, mark) is is_container(value)
    if is_container(value):
        assert carries(twin, mark)
        assert not equal(twin, value)
        inside = [part for part in walk(twin) if is_container(part)]
        assert all(part[-1] == mark if isinstance(part, list) else mark in part for part in inside)
    else:
        assert equal(twin, value)


@deterministic
@given(documents)
def test_nothing_carries_a_mark_that_was_not_left(value: Any) -> None:
    assert not carries(value, "~mark~")
    assert not carries("~mark~", "~mark~"), "a text that reads like a mark is no changed container"


@deterministic
@given(documents)
def test_every_json_document_is_in_the_domain(value: Any) -> None:
    check_json(value)


def nested(depth: int) -> Any:
    value: Any = 1
    for level in range(depth):
        value = [value] if level % 2 else {"n": value}
    return value


def test_the_edges_of_the_domain() -> None:
    check_json(nested(MAX_DEPTH))
    check_json(MAX_SAFE_INTEGER)
    check_json(-MAX_SAFE_INTEGER)
    check_json(MAX_SAFE_INTEGER + 1, extra=frozenset({"bigint"}))
    for beyond in (MAX_SAFE_INTEGER + 1, -MAX_SAFE_INTEGER - 1, nested(1_000), math.nan, (1,)):
        with pytest.raises(InvalidValue):
            check_json([{"deep": [beyond]}])


@pytest.mark.parametrize("name", sorted(TYPED_VALUES))
def test_a_typed_value_is_in_the_domain_where_it_is_declared(name: str) -> None:
    value = Outside(name).make()
    check_json([value], extra=frozenset({name}))
    for extra in (frozenset[str](), TYPED_VALUES - {name}):
        with pytest.raises(InvalidValue):
            check_json([value], extra=extra)


IN_THE_DOMAIN = {"text", "list", "number", "none", "true"}
"""Outside where a key or a ttl is due, and values like any other."""


@pytest.mark.parametrize("name", sorted(_OUTSIDE))
def test_an_input_outside_the_domain_is_made_fresh_and_refused(name: str) -> None:
    outside = Outside(name)
    if name in IN_THE_DOMAIN:
        check_json(outside.make())
    else:
        with pytest.raises(InvalidValue):
            check_json(outside.make())
    assert outside == Outside(name)
    assert not is_container(outside.make()) or outside.make() is not outside.make()


def test_an_unknown_outside_input_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'nam'.*nan, infinity"):
        Outside("nam")


def unreachable(*_: Any) -> NoReturn:
    raise AssertionError("called")


@pytest.mark.parametrize("name", sorted(_OUTSIDE))
def test_the_python_of_an_outside_input_makes_one(name: str) -> None:
    made = eval(Outside(name).python(), {"datetime": __import__("datetime"), "loop": unreachable})
    assert type(made) is type(Outside(name).make())

"""Operations as data: every program goes through JSON text unchanged, and slips are named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kv_spec.json_form import (
    ProgramError,
    from_json,
    operation_from_json,
    operation_to_json,
    to_json,
)
from kv_spec.operations import (
    KINDS,
    Advance,
    Cas,
    Clear,
    Close,
    Delete,
    Fill,
    Get,
    Has,
    Increment,
    Iterate,
    List,
    Open,
    Operation,
    Prune,
    Race,
    Scan,
    Set,
    Unoffered,
    fill_keys,
    join,
    step_key,
)
from kv_spec.store import ABSENT
from kv_spec.values import _OUTSIDE, Outside

deterministic = settings(derandomize=True, deadline=None, max_examples=200)

texts = st.text(max_size=4) | st.sampled_from(["\0", "\ud800", "__proto__", "absent"])
outsides = st.sampled_from(sorted(_OUTSIDE)).map(Outside)
paths = st.lists(texts, max_size=3).map(tuple)
keys = paths | texts | outsides
documents: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
values = documents | outsides
swapped = values | st.just(ABSENT)
seconds = st.floats(-1e9, 1e9) | st.integers(-5, 5)
ttls = st.none() | seconds | outsides
booleans = st.booleans()

STRATEGIES: dict[type[Any], st.SearchStrategy[Any]] = {
    Get: st.builds(Get, keys, booleans),
    Set: st.builds(Set, keys, values | st.just(ABSENT), ttls, booleans),
    Delete: st.builds(Delete, keys),
    Has: st.builds(Has, keys),
    List: st.builds(List, keys, booleans),
    Scan: st.builds(Scan, st.sampled_from(["keys", "values", "entries"])),
    Iterate: st.builds(
        Iterate,
        keys,
        st.sampled_from(
            ["read", "delete-current", "delete-yielded", "write-new", "overwrite", "abandon"]
        ),
        st.integers(0, 20),
    ),
    Cas: st.builds(Cas, keys, swapped, swapped, ttls),
    Increment: st.builds(Increment, keys),
    Fill: st.builds(Fill, st.integers(0, 2_000), paths | texts, st.none() | seconds),
    Clear: st.just(Clear()),
    Prune: st.just(Prune()),
    Advance: st.builds(Advance, seconds),
    Open: st.builds(Open, texts),
    Close: st.just(Close()),
    Unoffered: st.builds(Unoffered, st.sampled_from(["has", "cas", "list", "ttl"])),
}
single: st.SearchStrategy[Operation] = st.one_of(*STRATEGIES.values())
races = st.builds(
    Race, st.lists(single, min_size=1, max_size=3).map(tuple), st.none() | st.integers(0, 99)
)
operations: st.SearchStrategy[Operation] = single | races


def test_every_kind_of_operation_is_tried() -> None:
    assert {*STRATEGIES, Race} == set(KINDS.values())
    assert all(kind.op == name for name, kind in KINDS.items())


@deterministic
@given(st.lists(operations, max_size=4).map(tuple))
def test_a_program_goes_through_json_text_unchanged(program: tuple[Operation, ...]) -> None:
    text = json.dumps(to_json(program), allow_nan=True)
    again = from_json(json.loads(text))
    assert repr(again) == repr(program), "the types too: 1, 1.0 and True differ"
    assert again == program


@deterministic
@given(operations)
def test_a_field_at_its_default_is_left_out(operation: Operation) -> None:
    form = operation_to_json(operation)
    assert form["op"] == operation.op
    assert not any(value is None for name, value in form.items() if name not in SLOTS)


SLOTS = {"value", "expected", "new"}
"""Where null is a value."""


@pytest.mark.parametrize(
    ("operation", "form"),
    [
        (Get(("a",)), {"op": "get", "key": ["a"]}),
        (Get("a", change=True), {"op": "get", "key": "a", "change": True}),
        (Set(("a",), None), {"op": "set", "key": ["a"], "value": None}),
        (Set(("a",), 1, 0.0), {"op": "set", "key": ["a"], "value": 1, "ttl": 0.0}),
        (
            Set(Outside("number"), Outside("nan"), Outside("text")),
            {"op": "set", "key_outside": "number", "value_outside": "nan", "ttl_outside": "text"},
        ),
        (List(), {"op": "list"}),
        (List(""), {"op": "list", "prefix": ""}),
        (Cas("k"), {"op": "cas", "key": "k", "expected_absent": True, "new_absent": True}),
        (Cas("k", None, 1), {"op": "cas", "key": "k", "expected": None, "new": 1}),
        (Race((Close(),)), {"op": "race", "branches": [{"op": "close"}]}),
    ],
)
def test_examples_of_the_json_form(operation: Operation, form: dict[str, Any]) -> None:
    explicit = {name: value for name, value in form.items() if not name.endswith("_absent")}
    assert {**form, **operation_to_json(operation)} == form
    assert operation_from_json(form) == operation
    assert operation_from_json(explicit) == operation


wrong_fields = st.dictionaries(
    st.sampled_from(["key", "value", "ttl", "branches", "prefix", "n", "script", "method", "name",
                     "key_outside", "value_absent", "seconds", "switch", "change"]),
    documents | st.just([{"op": "get"}]),
    max_size=4,
)  # fmt: skip
forms = documents | st.builds(
    lambda op, fields: {"op": op, **fields}, st.sampled_from(list(KINDS)) | documents, wrong_fields
)


@deterministic
@given(st.lists(forms, max_size=3) | documents)
def test_any_json_is_a_program_or_a_program_error(form: Any) -> None:
    try:
        program = from_json(form)
    except ProgramError:
        return
    assert repr(from_json(json.loads(json.dumps(to_json(program))))) == repr(program)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"op": "get"}, "a program is a list"),
        ([{"op": "close"}, {"op": "gets"}], r"program\[1\]: not an operation; op is one of get"),
        ([{"op": ["get"]}], r"program\[0\]: not an operation"),
        ([{"op": "get"}], r"program\[0\]: get lacks a field: .*'key'"),
        ([{"op": "get", "kee": "a"}], r"program\[0\]: get has no field 'kee'"),
        ([{"op": "get", "key": 7}], r"program\[0\]: key is a text or a list of texts, not 7"),
        ([{"op": "list", "prefix": ["a", 7]}], r"program\[0\]: prefix is a text or a list"),
        ([{"op": "get", "key_outside": "nam"}], r"program\[0\]: .*'nam'"),
        (
            [{"op": "scan", "method": "clear"}],
            r"program\[0\]: method is one of keys, values, entries, not 'clear'",
        ),
        ([{"op": "advance", "seconds": "1"}], r"program\[0\]: seconds .* not '1'"),
        ([{"op": "fill", "n": 1.5}], r"program\[0\]: n .* not 1.5"),
        ([{"op": "race", "branches": 7}], r"program\[0\]: branches is a list of operations"),
        ([{"op": "race", "branches": [{"op": "close"}, {}]}], r"program\[0\]\.branches\[1\]: not"),
        ([{"op": "race", "branches": [], "swich": 1}], r"program\[0\]: race has no field 'swich'"),
    ],
)
def test_an_error_names_the_place_and_the_slip(form: Any, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        from_json(form)


@deterministic
@given(st.integers(0, 30), paths | texts)
def test_a_fill_writes_different_keys_below_its_prefix(n: int, prefix: Any) -> None:
    found = fill_keys(Fill(n, prefix))
    assert len(set(found)) == n
    assert list(found) == sorted(found)
    assert all(key[: len(prefix)] == prefix and len(key) > len(prefix) for key in found)
    assert step_key(prefix, 0) not in found
    assert join(prefix, "part")[: len(prefix)] == prefix

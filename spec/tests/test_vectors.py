"""The vectors as data: complete, well-formed, and loaded as the files say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from kv_spec import json_form
from kv_spec import operations as ops
from kv_spec.clauses import clauses
from kv_spec.dialects import PRESETS
from kv_spec.operations import Operation, Program
from kv_spec.outcomes import Malformed, Raised
from kv_spec.profile import BASE, CAPABILITIES, CAS_PARTS, Profile
from kv_spec.store import ABSENT
from kv_spec.values import Outside
from kv_spec.vector_files import (
    Vector,
    VectorError,
    applies,
    for_flat,
    least_factor,
    scaled,
    vectors,
)
from kv_spec.vector_form import parse
from kv_spec.vector_outcomes import conforms, ends

EVERYTHING = frozenset(CAPABILITIES)
IN_SCOPE = {name: clause for name, clause in clauses().items() if not clause.not_yet_checked}

SMALL: dict[str, Any] = {
    "format": 1,
    "family": "GET",
    "vectors": [
        {
            "name": "one",
            "clauses": ["GET-2"],
            "key_model": "any",
            "program": [{"op": "set", "key": ["k"], "value": 1}, {"op": "get", "key": ["k"]}],
            "outcomes": [None, {"value": 1}],
        }
    ],
}


def named(name: str) -> Vector:
    return next(vector for vector in vectors() if vector.name == name)


def changed(**changes: object) -> str:
    (form,) = SMALL["vectors"]
    return json.dumps({**SMALL, "vectors": [{**form, **changes}]})


def flattened(program: Program) -> Iterator[Operation]:
    for operation in program:
        if isinstance(operation, ops.Race):
            yield from operation.branches
        yield operation


def shown_by(program: Program) -> set[str]:
    """The capabilities without which a program can not be carried out."""
    found: set[str] = set()
    for op in flattened(program):
        if isinstance(op, ops.Has | ops.List | ops.Iterate | ops.Prune | ops.Clear | ops.Close):
            found.add(op.op)
        elif isinstance(op, ops.Scan):
            found.add(op.method)
        elif isinstance(op, ops.Race):
            found.add("concurrent")
        elif isinstance(op, ops.Increment):
            found.add("cas-swap")
        elif isinstance(op, ops.Cas):
            creates, deletes = op.expected is ABSENT, op.new is ABSENT
            found.add("cas-delete" if deletes else "cas-create" if creates else "cas-swap")
        if getattr(op, "ttl", None) is not None:
            found.add("ttl")
    return found


@pytest.mark.parametrize("id", IN_SCOPE)
def test_every_clause_in_scope_has_a_vector(id: str) -> None:
    assert any(id in vector.clauses for vector in vectors())


@pytest.mark.parametrize("id", IN_SCOPE)
def test_every_clause_has_a_vector_for_flat_stores(id: str) -> None:
    if id == "KEY-2":
        pytest.skip("the path model's own clause")
    assert any(id in v.clauses and v.key_model in ("any", "flat") for v in vectors())


def test_there_is_a_file_for_each_family_in_scope() -> None:
    folder = resources.files("kv_spec").joinpath("vectors")
    files = {file.name for file in folder.iterdir() if file.name.endswith(".json")}
    assert files == {f"{clause.family}.json" for clause in IN_SCOPE.values()}


def test_a_file_holds_the_vectors_of_its_family_first_of_all() -> None:
    folder = resources.files("kv_spec").joinpath("vectors")
    for file in folder.iterdir():
        if file.name.endswith(".json"):
            family = json.loads(file.read_text(encoding="utf-8"))["family"]
            assert file.name == f"{family}.json"
            own = [v for v in vectors() if v.family == family]
            assert sum(any(c.startswith(family) for c in v.clauses) for v in own) > len(own) / 2


def test_vectors_name_clauses_in_scope() -> None:
    assert all(v.clauses and IN_SCOPE.keys() >= set(v.clauses) for v in vectors())


def test_names_are_unique_and_plain() -> None:
    counted = Counter(vector.name for vector in vectors())
    assert [name for name, times in counted.items() if times > 1] == []
    assert all(name == name.lower() and " " not in name and name.isascii() for name in counted)


def test_programs_are_short() -> None:
    long = [v.name for v in vectors() if len(v.program) > 8]
    assert long == []


def test_programs_round_trip_through_json() -> None:
    for vector in vectors():
        form = json.loads(json.dumps(json_form.to_json(vector.program)))
        assert json_form.from_json(form) == vector.program, vector.name


def test_requirements_name_what_the_program_calls() -> None:
    for vector in vectors():
        needed = shown_by(vector.program)
        assert needed <= vector.capabilities, vector.name


def test_the_requirements_of_a_clause_are_those_of_its_vectors() -> None:
    """A vector that applies to no store of its clause would be of no use."""
    for vector in vectors():
        for id in vector.clauses:
            for item in IN_SCOPE[id].requires:
                name, _, value = item.partition("=")
                if value:
                    assert value in vector.dialect.get(name, (getattr(BASE, name), value))


def test_times_that_are_scaled_keep_their_distance() -> None:
    for vector in vectors():
        if not vector.scale:
            continue
        for operation in flattened(vector.program):
            ttl = getattr(operation, "ttl", None)
            if isinstance(ttl, int | float) and ttl > 0:
                assert ttl >= 0.5, vector.name
        assert vector.duration <= 5, vector.name


def test_exact_vectors_at_a_boundary_have_binary_times() -> None:
    for vector in vectors():
        if vector.exact and vector.dialect.get("ttl_resolution") == (0,):
            for operation in flattened(vector.program):
                for name in ("ttl", "seconds"):
                    time = getattr(operation, name, None) or 0
                    assert isinstance(time, Outside) or float(time * 64).is_integer()


def test_texts_are_written_out() -> None:
    vector = named("text-of-70000-characters-comes-back-or-is-refused")
    assert vector.program[0] == ops.Set(("k",), "x" * 70_000)
    assert vector.outcomes[1] == {"value": "x" * 70_000}


def test_scaled() -> None:
    vector = named("live-before-the-deadline")
    assert scaled(vector, 4).program == (
        ops.Set(("k",), 1, 4),
        ops.Advance(2),
        ops.Get(("k",)),
    )
    assert scaled(vector, 4).duration == 2
    assert scaled(named("no-ttl-no-end-in-a-day"), 4) is named("no-ttl-no-end-in-a-day")
    race = scaled(named("clearing-away-by-has-spares-a-new-value-with-a-ttl"), 2)
    assert isinstance(race.program[2], ops.Race)
    assert race.program[2].branches[1] == ops.Set(("k",), 2, 8)


@pytest.mark.parametrize("profile", PRESETS.values(), ids=PRESETS)
def test_the_least_factor_suits_every_scaled_vector(profile: Profile) -> None:
    factor = least_factor(profile)
    assert factor * 0.5 >= profile.shortest_ttl
    assert factor * 0.5 > profile.ttl_resolution


def test_for_flat() -> None:
    vector = for_flat(named("everything-is-listed"))
    assert vector.program[-1] == ops.List("")
    assert vector.outcomes[-1] == {"entries": [["a", 1], ["b", 2]]}
    flat = named("flat-everything-is-listed")
    assert for_flat(flat) is flat
    with pytest.raises(VectorError, match="a-prefix-of-one"):
        for_flat(named("a-prefix-of-one"))
    race = for_flat(named("of-two-creations-one-wins"))
    assert isinstance(race.program[0], ops.Race)
    assert race.program[0].branches[0] == ops.Cas("k", ABSENT, "x")


def test_applies_by_capability() -> None:
    vector = named("a-match-swaps")
    assert applies(vector, BASE, {"cas"})
    assert applies(vector, BASE, {"cas-swap"})
    assert not applies(vector, BASE, {"cas-create"})
    assert applies(named("nothing-for-nothing"), BASE, CAS_PARTS)
    assert not applies(vector, BASE, {"cas", "cas-create"})


def test_applies_by_concurrency() -> None:
    vector = named("of-two-swaps-one-wins")
    assert applies(vector, BASE, CAS_PARTS)
    assert not applies(vector, BASE.replace(concurrent=False), CAS_PARTS)
    race = named("clearing-away-by-get-spares-a-new-value")
    assert not applies(race, BASE, {"ttl"})
    assert applies(race, BASE.replace(concurrent=True), {"ttl"})


def test_applies_by_what_is_lacking() -> None:
    vector = named("cas-where-it-is-not-offered")
    assert applies(vector, BASE, {"ttl"})
    assert not applies(vector, BASE, {"cas"})
    assert not applies(vector, BASE, {"cas-create"})


def test_applies_by_dialect_and_key_model() -> None:
    assert applies(named("setting-null-deletes"), BASE, EVERYTHING)
    assert not applies(named("setting-null-deletes"), PRESETS["keyv"], EVERYTHING)
    assert not applies(named("a-prefix-of-one"), PRESETS["polystore"], EVERYTHING)
    assert applies(named("everything-is-listed"), PRESETS["polystore"], EVERYTHING)
    assert not applies(named("flat-everything-is-listed"), BASE, EVERYTHING)


def test_applies_by_declared_types() -> None:
    vector = named("bytes-come-back-with-their-type")
    assert not applies(vector, BASE, {"ttl"})
    assert applies(vector, BASE.replace(capabilities={"bytes"}), {"ttl"})


def test_cas_is_not_asked_about_null_where_a_miss_is_null() -> None:
    null = BASE.replace(null="value")
    assert not applies(named("a-match-creates"), null, EVERYTHING)
    assert applies(named("a-match-swaps"), null, EVERYTHING)
    assert applies(named("a-match-creates"), null.replace(absent="sentinel"), EVERYTHING)


def test_applies_by_default_ttl() -> None:
    default = BASE.replace(default_ttl=10.0)
    assert applies(named("the-default-holds"), default, EVERYTHING)
    assert not applies(named("the-default-holds"), BASE, EVERYTHING)
    assert not applies(named("no-ttl-no-end"), default, EVERYTHING)
    assert applies(named("live-before-the-deadline"), default, EVERYTHING)
    assert applies(named("a-match-swaps"), default, EVERYTHING)


def test_applies_by_the_shortest_ttl() -> None:
    coarse = BASE.replace(ttl_min=60.0)
    assert applies(named("live-before-the-deadline"), coarse, EVERYTHING)
    assert not applies(named("half-a-second-is-not-nothing"), coarse, EVERYTHING)


def test_conforms() -> None:
    fault = Raised("ValueError", "no")
    entries = [(("a",), 1), (("b",), 2)]
    assert conforms({"value": 1}, 1.0)
    assert not conforms({"value": 1}, True)
    assert not conforms({"value": None}, ABSENT)
    assert conforms({"absent": True}, ABSENT)
    assert not conforms({"absent": True}, 0)
    assert conforms({"outside": "bytes"}, b"\x00\xffraw")
    assert conforms({"entries": [[["b"], 2], [["a"], 1]]}, entries)
    assert not conforms({"entries": [[["a"], 1]]}, entries)
    assert not conforms({"entries": [["a", 1], ["b", 2]]}, entries)
    assert conforms({"includes": [[["a"], 1]]}, entries)
    assert conforms({"sequence": [[["a"], 1], [["b"], 2]]}, entries)
    assert not conforms({"sequence": [[["b"], 2], [["a"], 1]]}, entries)
    assert conforms({"count": 2}, entries)
    assert conforms({"keys": [["b"], ["a"]]}, [("a",), ("b",)])
    assert conforms({"items": [1, 1]}, [1, 1])
    assert not conforms({"items": [1, 1]}, [1, 2])
    assert conforms({"one_of": [{"value": 1}, {"absent": True}]}, ABSENT)
    assert conforms({"agrees": 0}, True, [1])
    assert not conforms({"agrees": 0}, ABSENT, [1])
    assert conforms({"raises": True}, fault)
    assert conforms({"may_raise": True}, fault)
    assert ends({"may_raise": True}, fault)
    assert not ends({"may_raise": True}, None)
    assert not conforms({"may_raise": True}, Malformed("a coroutine"))
    assert not conforms(None, fault)
    assert conforms({"any": True}, fault)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "x.json: not JSON"),
        ('{"format": 2}', "x.json: not a vector file of format 1"),
        ('{"format": 1, "vectors": []}', "x.json: there is no 'family'"),
        (changed(name=7), "x.json, vector 0: a vector is an object with a name"),
        (changed(outcomes=[None]), r"x.json, vector 0 \(one\): 2 operations and 1 outcomes"),
        (changed(outcomes=[None, {"valeu": 1}]), "no form of outcome"),
        (changed(program=[{"op": "gt"}, {"op": "gt"}]), "not an operation"),
        (changed(requires={"capability": []}), "no such field: capability"),
        (changed(requires={"capabilities": ["tll"]}), "no such capability: tll"),
        (changed(requires={"dialect": {"nul": []}}), "no such declaration: nul"),
        (changed(key_model="tree"), "key_model is any, path or flat"),
        (changed(key="a"), "no such field: key"),
    ],
)
def test_errors_name_the_file_and_the_vector(text: str, message: str) -> None:
    with pytest.raises(VectorError, match=message):
        parse(text, "x.json")


def test_a_small_file() -> None:
    (vector,) = parse(json.dumps(SMALL), "x.json")
    assert (vector.family, vector.clauses, vector.key_model) == ("GET", ("GET-2",), "any")
    assert vector.program == (ops.Set(("k",), 1), ops.Get(("k",)))

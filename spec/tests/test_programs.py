"""The programs of the sweep: a function of the plan, the seed and the number, of nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from kv_spec.json_form import from_json, to_json
from kv_spec.machines import Plan
from kv_spec.machines.drawing import RULES
from kv_spec.machines.races import kinds
from kv_spec.operations import (
    Advance,
    Cas,
    Fill,
    Get,
    Has,
    Iterate,
    Operation,
    Program,
    Race,
    Scan,
    Unoffered,
)
from kv_spec.profile import BASE
from kv_spec.programs import Composer, Name
from kv_spec.store import ABSENT

CORE = frozenset({"core"})
EVERYTHING = CORE | {
    "ttl", "has", "list", "iterate", "cas-create", "cas-swap", "cas-delete",
    "keys", "values", "entries", "clear", "prune", "close", "shared",
}  # fmt: skip
WHOLE = Plan(BASE.replace(after_close="error"), EVERYTHING, ("add",), races=True)
FLAT = Plan(BASE.replace(key_model="flat"), EVERYTHING)
TIMELESS = replace(WHOLE, time=False, races=False)
LEAST = Plan(BASE, CORE, ("has", "list", "cas", "ttl"), spaces=False)
PLANS = {
    "whole": WHOLE,
    "flat": FLAT,
    "timeless": TIMELESS,
    "least": LEAST,
    **{f"without {name}": Plan(BASE, EVERYTHING - {name}, (name,))
       for name in ("ttl", "has", "list", "prune", "iterate", "keys")},
    **{f"{part} only": Plan(BASE, CORE | {"ttl", part})
       for part in ("cas-create", "cas-swap", "cas-delete")},
}  # fmt: skip
every_plan = pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)

NUMBERS = range(300)
LARGE, LONG = 199, 149
"""The number of a program on a large store, and that of a long one."""


def programs(plan: Plan, seed: int = 0, *favoured: str) -> Iterator[Program]:
    composer = Composer(plan, favoured)
    return (composer.program(seed, number) for number in (*NUMBERS, LARGE))


def parts(operation: Operation) -> Iterator[Operation]:
    """The operation, and those that it runs side by side."""
    yield operation
    if isinstance(operation, Race):
        yield from operation.branches


def text(program: Program) -> str:
    """Programs are compared as text: in Python 1, 1.0 and True are equal."""
    return json.dumps(to_json(program))


# A function of the plan, the seed and the number


@every_plan
def test_the_order_of_asking_makes_no_difference(plan: Plan) -> None:
    first = Composer(plan)
    forwards = {number: text(first.program(7, number)) for number in NUMBERS}
    second = Composer(plan)
    for number in reversed(NUMBERS):
        assert text(second.program(7, number)) == forwards[number]
    assert text(Composer(plan).program(7, 123)) == forwards[123]


def digest(plan: Plan) -> str:
    whole = "\n".join(text(program) for program in programs(plan, 3))
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def test_the_hash_seed_makes_no_difference() -> None:
    code = (
        "from kv_spec.machines import Plan; from kv_spec.profile import BASE\n"
        "from kv_spec.programs import Composer; from kv_spec.json_form import to_json\n"
        "import hashlib, json\n"
        f"composer = Composer(Plan(BASE, frozenset({sorted(EVERYTHING)})))\n"
        f"numbers = {[*NUMBERS, LARGE]}\n"
        "whole = '\\n'.join(json.dumps(to_json(composer.program(3, n))) for n in numbers)\n"
        "print(hashlib.sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest())\n"
    )
    path = os.pathsep.join(filter(None, sys.path))
    for hash_seed in ("0", "1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": hash_seed},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == digest(Plan(BASE, EVERYTHING))


def test_another_seed_gives_other_programs() -> None:
    first, second = ([text(program) for program in programs(FLAT, seed)] for seed in (0, 1))
    alike = sum(one == other for one, other in zip(first, second, strict=True))
    assert alike < len(first) / 20


def test_another_number_gives_another_program() -> None:
    written = [text(program) for program in programs(WHOLE)]
    assert len(set(written)) > 0.9 * len(written)


def test_the_name_says_all_that_a_program_is_written_from() -> None:
    composer = Composer(WHOLE, ["get", "advance"])
    name = composer.name(5, 77)
    assert name == Name(5, 77, ("get", "advance"))
    again = Composer(WHOLE, name.favoured).program(name.seed, name.number)
    assert text(again) == text(composer.program(5, 77))


# What the plan offers


_METHODS = {"has", "list", "clear", "prune", "close"}


def capability(operation: Operation) -> str:
    """What a store must offer to be asked this."""
    match operation:
        case Scan():
            return operation.method
        case Cas(expected=expected, new=new):
            if new is ABSENT:
                return "cas-delete"
            return "cas-create" if expected is ABSENT else "cas-swap"
        case Iterate() | Fill():
            return {"iterate": "iterate", "fill": "list"}[operation.op]
        case _:
            return operation.op if operation.op in _METHODS else "core"


@every_plan
def test_only_what_is_offered_is_asked(plan: Plan) -> None:
    for program in programs(plan):
        for operation in (part for whole in program for part in parts(whole)):
            if isinstance(operation, Unoffered):
                assert operation.name in plan.not_offered
                continue
            # A cas of an absent key for nothing is a read, by whatever part of cas there is.
            if isinstance(operation, Cas) and operation.expected is operation.new is ABSENT:
                assert plan.offers & {"cas-create", "cas-delete"}
                continue
            assert capability(operation) in plan.offers, operation
            assert getattr(operation, "ttl", None) is None or "ttl" in plan.offers, operation


@every_plan
def test_a_race_is_run_only_where_the_plan_asks_for_it(plan: Plan) -> None:
    found = [op for program in programs(plan) for op in program if isinstance(op, Race)]
    assert bool(found) == plan.races


@every_plan
def test_time_stands_still_where_waiting_is_real(plan: Plan) -> None:
    waits = [op for program in programs(plan) for op in program if isinstance(op, Advance)]
    if not plan.time:
        assert waits == []
    elif "ttl" in plan.offers:
        assert waits


@every_plan
def test_the_keys_are_of_the_model_that_the_store_has(plan: Plan) -> None:
    wanted: Any = str if plan.profile.flat else tuple
    kept = [
        operation.key
        for program in programs(plan)
        for operation in program
        if isinstance(operation, Get | Has | Cas)
    ]
    assert kept
    assert {type(key) for key in kept} == {wanted}


# Every rule has its turn


def marks(plan: Plan, *favoured: str) -> set[str]:
    """The rules that the operations of the programs come from."""
    composer = Composer(plan, favoured)
    return {name for number in range(600) for name in composer.marked(0, number)[1]} - {""}


def test_every_rule_occurs() -> None:
    assert marks(WHOLE) == set(RULES)


@every_plan
def test_a_rule_occurs_only_where_what_it_needs_is_offered(plan: Plan) -> None:
    assert marks(plan) <= {rule.name for rule in RULES.values() if rule.offers <= plan.offers}


@pytest.mark.parametrize("name", ["get", "outlive", "fill", "twins_stay_apart", "walk"])
def test_what_is_favoured_is_all_there_is(name: str) -> None:
    assert marks(WHOLE, name) == {name}
    assert marks(WHOLE, name, "delete") == {name, "delete"}


def test_each_operation_is_marked_by_its_rule() -> None:
    composer = Composer(WHOLE)
    for number in (*NUMBERS, LARGE):
        operations, names = composer.marked(0, number)
        assert len(operations) == len(names)
        assert set(names) <= {*RULES, ""}


def test_every_kind_of_race_has_one_program_and_not_an_early_one() -> None:
    composer = Composer(WHOLE)
    raced = [n for n in range(5_000) if "race" in composer.marked(0, n)[1]]
    assert len(raced) == len(kinds(WHOLE))
    assert min(raced) >= 250
    assert len({text(composer.program(0, number)) for number in raced}) == len(raced)


# The shape of a program


def test_a_program_keeps_to_a_few_rules_of_its_own() -> None:
    composer = Composer(WHOLE)
    rules = [frozenset(composer.marked(0, number)[1]) - {""} for number in NUMBERS]
    assert max(map(len, rules)) <= 9
    assert len(set(rules)) > len(NUMBERS) / 2


def test_some_programs_are_long_and_some_have_a_large_store() -> None:
    composer = Composer(WHOLE)
    lengths = [len(composer.program(0, number)) for number in NUMBERS]
    assert min(lengths) <= 5
    assert len(composer.program(0, LONG)) >= 250
    fills = [op.n for op in composer.program(0, LARGE) if isinstance(op, Fill)]
    assert fills[0] >= 2_000
    assert len(composer.program(0, LARGE)) < 100


@every_plan
def test_every_program_goes_through_json_unchanged(plan: Plan) -> None:
    for program in programs(plan):
        again = from_json(json.loads(text(program)))
        assert again == program
        assert text(again) == text(program)

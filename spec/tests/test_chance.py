"""The programs of the machines: a function of one seed, each unlike the one before."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS
from hypothesis.stateful import run_state_machine_as_test
from kv_spec.machines import Plan, chance, machine
from kv_spec.machines.drawing import JSON, TEXT
from kv_spec.operations import Operation
from kv_spec.profile import BASE
from kv_spec.programs import Notes

PLAN = Plan(BASE, frozenset({"core", "ttl", "has", "list", "cas-create", "cas-swap"}))
PROGRAMS, STEPS = 12, 10


def quick(backend: str, examples: int = PROGRAMS) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=STEPS, database=None, deadline=None,
        backend=backend, phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def written(seed: int) -> list[list[Operation]]:
    """The programs that a run of the machine makes from a seed."""
    opened: list[Notes] = []

    def open_session() -> Notes:
        opened.append(Notes())
        return opened[-1]

    with chance.backend(seed) as backend:
        run_state_machine_as_test(machine(PLAN, open_session), settings=quick(backend))
    return [session.operations for session in opened]


def test_the_same_seed_writes_the_same_programs_and_another_others() -> None:
    assert repr(written(1)) == repr(written(1))
    assert repr(written(1)) != repr(written(2))


def test_no_program_is_another_one_with_a_part_altered() -> None:
    """The first is the simplest there is, and not drawn."""
    _, *programs = written(3)
    assert len(programs) >= PROGRAMS - 1
    for one, other in pairwise(programs):
        in_common = {repr(op) for op in one[:8]} & {repr(op) for op in other[:8]}
        assert len(in_common) < 4


def test_the_backend_is_there_for_as_long_as_it_is_open() -> None:
    before = dict(AVAILABLE_PROVIDERS)
    with chance.backend(0) as backend:
        assert backend in AVAILABLE_PROVIDERS
    assert before == AVAILABLE_PROVIDERS


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("strategy", "within"),
    [
        (st.integers(3, 7), lambda drawn: drawn in range(3, 8)),
        (st.integers(-(2**53), 2**53), lambda drawn: abs(drawn) <= 2**53),
        (st.integers(min_value=10), lambda drawn: drawn >= 10),
        (st.integers(max_value=-10), lambda drawn: drawn <= -10),
        (st.integers(), lambda drawn: type(drawn) is int),
        (FINITE, math.isfinite),
        (st.floats(0.5, 2.5), lambda drawn: 0.5 <= drawn <= 2.5),
        (st.booleans(), lambda drawn: drawn in (True, False)),
        (st.binary(min_size=2, max_size=5), lambda drawn: 2 <= len(drawn) <= 5),
        (st.sampled_from("abc"), lambda drawn: drawn in "abc"),
        (st.text("ab", min_size=30), lambda drawn: len(drawn) >= 30 and set(drawn) <= set("ab")),
        (TEXT.strategy, lambda drawn: 1 <= len(drawn) <= 6 and "\0" not in drawn),
        (JSON.strategy, lambda drawn: json.loads(json.dumps(drawn, allow_nan=False)) == drawn),
    ],
    ids=repr,
)
def test_whatever_is_asked_for_is_drawn_within_its_bounds(
    strategy: st.SearchStrategy[Any], within: Callable[[Any], bool]
) -> None:
    drawn: list[Any] = []

    def take(value: Any) -> None:
        drawn.append(value)

    with chance.backend(5) as backend:
        given(strategy)(quick(backend, 60)(take))()
    assert len(drawn) == 60
    assert all(map(within, drawn))


def test_small_numbers_come_often_and_large_ones_too() -> None:
    drawn = type("Drawn", (chance.Chance,), {"random": Random(1)})(None)
    numbers = [abs(drawn.draw_integer(-(2**53), 2**53)) for _ in range(400)]
    assert sum(number < 2**16 for number in numbers) > 100
    assert sum(number > 2**48 for number in numbers) > 100

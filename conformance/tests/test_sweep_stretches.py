"""The sweep performs a stretch of a program before it judges it, which no verdict may show."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from kv_conformance.clocks.virtual import InjectedClock
from kv_conformance.phases.stretches import Step, performed
from kv_conformance.phases.sweep import Sweep
from kv_conformance.self_test.catching import close, plan_of, reference_of
from kv_conformance.subject.factory import Factory
from kv_conformance.subject.silence import MOST_IN_A_ROW, Unreachable
from kv_conformance.subject.world import Subject
from kv_conformance.trial import Trial, trial_of
from kv_reference.mutants import MUTANTS, Mutant
from kv_reference.store import ReferenceStore
from kv_spec.operations import Advance, Get, List, Operation, Program, Race, Set
from kv_spec.programs import Composer, Name

PROGRAMS = 8


def stretches(trial: Trial, program: Program) -> list[list[Step]]:
    world = trial.subject.world()
    try:
        return list(performed(world, program))
    finally:
        world.close()


def changes(operation: Operation) -> bool:
    return isinstance(operation, Get | List) and operation.change


@pytest.fixture
def trial() -> Iterator[Trial]:
    made = trial_of()
    yield made
    close(made)


def programs(trial: Trial, seed: int) -> list[Program]:
    composer = Composer(plan_of(trial))
    every = (composer.program(seed, number) for number in range(PROGRAMS))
    return [program for program in every if Race not in map(type, program)]


@pytest.mark.parametrize("seed", range(5))
def test_the_stretches_are_the_program(trial: Trial, seed: int) -> None:
    for program in programs(trial, seed):
        found = stretches(trial, program)
        assert tuple(operation for operation, *_ in chain(*found)) == program
        instants = list(chain(*((began, ended) for _, _, began, ended in chain(*found))))
        assert instants == sorted(instants)


def test_an_operation_that_changes_what_came_out_begins_a_stretch(trial: Trial) -> None:
    program = (Set(("a",), [1]), Get(("a",)), Get(("a",), change=True), List((), change=True))
    found = stretches(trial, program)
    assert [len(stretch) for stretch in found] == [2, 1, 1]
    assert [changes(stretch[0][0]) for stretch in found] == [False, True, True]


def test_where_objects_are_handed_out_each_operation_is_judged_at_once() -> None:
    trial = trial_of(profile=ReferenceStore.profile.replace(isolation="alias"))
    found = stretches(trial, (Set(("a",), [1]), Get(("a",)), Advance(1.0), Get(("a",))))
    assert [len(stretch) for stretch in found] == [1, 1, 1, 1]


class Falls(ReferenceStore):
    """Answers wrongly once, and then never again."""

    def get(self, key: Any) -> Any:
        if self._has_lied:
            raise ConnectionError("gone")
        self._has_lied = True
        return "a lie"

    _has_lied = False


def test_what_was_broken_before_a_store_fell_silent_is_told_first() -> None:
    clock = InjectedClock()
    factory = Factory.of(Falls, {"profile": ReferenceStore.profile, "world": {}})
    factory.clock = clock
    world = Subject(factory, ReferenceStore.profile, clock).world()
    told = performed(world, (Get(("a",)),) * (2 * MOST_IN_A_ROW))
    assert next(told)[0][1] == "a lie"
    with pytest.raises(Unreachable):
        next(told)


def caught(mutant: Mutant, program: Program) -> tuple[Program, str] | None:
    """What the sweep sees first in a program on a mutant."""
    trial = trial_of(mutant.store, mutant.profile)
    seen: list[tuple[Program, str]] = []

    class Notes:
        """Notes the first violation, and ignores all after it."""

        def __init__(self) -> None:
            self.trial = trial

        def ignores(self, _: Any) -> bool:
            return bool(seen)

        def investigate(self, program: Program, violation: Any) -> None:
            seen.append((program, violation.clause))

    try:
        Sweep(Notes(), lambda _: None).run(Name(0, 0), program)
    finally:
        close(trial)
    return seen[0] if seen else None


def in_lockstep(mutant: Mutant, program: Program) -> tuple[Program, str] | None:
    """What shows first where each operation is judged before the next."""
    trial = trial_of(mutant.store, mutant.profile)
    try:
        session = trial.run(program)
    finally:
        close(trial)
    violation = session.violation
    return None if violation is None else (session.program, violation.clause)


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_sweep_sees_of_a_fault_what_shows_in_lockstep(name: str) -> None:
    mutant = MUTANTS[name]
    for program in programs(reference_of(mutant), 3):
        assert caught(mutant, program) == in_lockstep(mutant, program)

"""What the shrinker leaves of a failing program is no longer than what Hypothesis leaves of it.

Both begin with the first program of a sweep that shows the fault of a mutant. Hypothesis shrinks it
as a list of numbers, each of an operation: those of the program, those of our own result, and plain
ones. It only asks that a clause is broken which one of the two shows. It is given the failing
program by its database, since it would hardly come to one by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from statistics import median
from typing import NamedTuple

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase, choices_to_bytes
from kv_conformance.hunt import Hunt
from kv_conformance.measure import identity, size
from kv_conformance.self_test.catching import close, plan_of, reference_of
from kv_conformance.trial import Trial, trial_of
from kv_reference.mutants import MUTANTS
from kv_spec.operations import Advance, Delete, Get, List, Operation, Program, Race, Set
from kv_spec.programs import Composer

PROGRAMS = 1_000
LONGEST = 60
"""Operations of a program that Hypothesis is given: it takes a minute for a very long one."""
KEY = b"a failing program"
TO_SHRINK = KEY + b".secondary"
"""What Hypothesis keeps under this key it shrinks; what it keeps under the first one it repeats."""
UNSEEN = frozenset(
    """
    cas-without-lock create-without-lock lock-per-handle cas-awaits-before-writing
    contention-raises swap-without-lock get-clears-late has-clears-late
    async-get-clears-late decodes-percent replaces-surrogates ignores-ttl
    direct-children-only separator-in-prefix prefix-is-stripped cuts-large-values
    takes-too-large drops-large-quietly
    """.split()
)
"""Mutants that show only in a race, or in longer programs."""


class Shrunk(NamedTuple):
    """What two shrinkers leave of one program."""

    ours: Program
    theirs: Program


def failing(trial: Trial) -> Program | None:
    """The first program of a sweep that is not too long and breaks a clause, up to there."""
    composer = Composer(plan_of(trial))
    for program in (composer.program(0, number) for number in range(PROGRAMS)):
        if len(program) <= LONGEST and Race not in map(type, program):
            session = trial.run(program)
            if session.violation is not None:
                return session.program
    return None


def by_hypothesis(
    trial: Trial, clauses: Collection[str], program: Program, ours: Program
) -> Program:
    """What Hypothesis leaves of a program that breaks one of these clauses."""
    key = next((key for op in (*ours, *program) if (key := getattr(op, "key", None))), ("a",))
    plain: list[Operation] = [Get(key), Set(key, 1), Delete(key), Advance(1.0), List(key[:0])]
    every = {identity((operation,)): operation for operation in (*plain, *ours, *program)}
    pool = sorted(every.values(), key=lambda operation: size((operation,)))
    numbers = {identity((operation,)): number for number, operation in enumerate(pool)}

    def breaks(chosen: list[int]) -> bool:
        violation = trial.run([pool[number] for number in chosen]).violation
        return violation is not None and violation.clause in clauses

    choices: list[bool | int] = []
    for operation in program:
        choices += [True, numbers[identity((operation,))]]  # one more, and which
    database = InMemoryExampleDatabase()
    database.save(TO_SHRINK, choices_to_bytes((*choices, False)))
    least = hypothesis.find(
        st.lists(st.integers(0, len(pool) - 1)),
        breaks,
        settings=settings(
            database=database,
            phases=[Phase.reuse, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            deadline=None,
        ),
        database_key=KEY,
    )
    return tuple(pool[number] for number in least)


@cache
def shrunk(name: str) -> Shrunk | None:
    """What both leave of a program on a mutant; None where none of a sweep's shows the fault."""
    mutant = MUTANTS[name]
    trial = trial_of(mutant.store, mutant.profile)
    try:
        program = failing(trial)
        if program is None:
            return None
        violation = trial.run(program).violation
        assert violation is not None
        hunt = Hunt(trial, reference_of(mutant), lambda _: None)
        caught = hunt.investigate(program, violation)
        assert caught is not None
        clauses = {violation.clause, caught.clause}
        return Shrunk(caught.program, by_hypothesis(trial, clauses, program, caught.program))
    finally:
        close(trial)


@pytest.mark.parametrize("name", MUTANTS)
def test_hypothesis_leaves_no_shorter_program(name: str) -> None:
    found = shrunk(name)
    if found is None:
        assert name in UNSEEN
    else:
        assert len(found.ours) <= len(found.theirs), found


def test_over_all_mutants_the_median_is_no_longer() -> None:
    found = [both for name in MUTANTS if (both := shrunk(name)) is not None]
    ours, theirs = zip(*((len(ours), len(theirs)) for ours, theirs in found), strict=True)
    assert median(ours) <= median(theirs)
    assert sum(ours) <= sum(theirs)

"""The vectors alone catch every mutant, under the clause that it breaks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kv_conformance.phases.vectors import programs
from kv_conformance.self_test.catching import close, plan_of
from kv_conformance.trial import Trial, trial_of
from kv_reference.mutants import MUTANTS, Mutant
from kv_spec.operations import Program


def blamed(trial: Trial, chosen: list[Program]) -> Iterator[str]:
    """The clauses that the programs find broken; a doubtful blame is judged once more."""
    for program in chosen:
        violation = trial.run(program).violation
        if violation is not None and not violation.sure:
            violation = trial.run(program, minimal=True).violation
        if violation is not None:
            yield violation.clause


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_the_vectors_catch_the_mutant_under_its_clause(mutant: Mutant) -> None:
    trial = trial_of(mutant.store, mutant.profile)
    applicable = list(programs(mutant.profile, plan_of(trial).offers, True))
    # The vectors of the clause come first: nearly always one of them is enough.
    own = [program for vector, program in applicable if mutant.clause in vector.clauses]
    rest = [program for vector, program in applicable if mutant.clause not in vector.clauses]
    try:
        assert any(clause == mutant.clause for clause in blamed(trial, own + rest))
    finally:
        close(trial)

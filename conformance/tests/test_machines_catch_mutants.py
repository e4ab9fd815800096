"""The executable specification alone catches a mutant of every clause, in a short program.

Marked slow: `pytest -m slow conformance`. `conformance/checks/mutants.py` does the same with all
mutants, which takes longer still.
"""

from contextlib import suppress

import pytest
from kv_conformance.hunt import Caught, Hunt
from kv_conformance.phases import machines
from kv_conformance.subject.offer import look
from kv_conformance.trial import Trial, trial_of
from kv_reference.mutants import MUTANTS, Mutant
from kv_spec.machines import Plan
from kv_spec.operations import Race

SEEDS = (1, 2, 3)
EXAMPLES = 80
LONGEST = 8

ONE_A_CLAUSE = {m.clause: m.name for m in reversed(MUTANTS.values()) if not m.needs_size}


class Enough(Exception):
    """The mutant is caught; the rest of the run would show nothing more."""


def caught_by_machines(mutant: Mutant, seed: int) -> Caught | None:
    """What the phase `machines` finds of a mutant under its own clause."""
    trial = trial_of(mutant.store, mutant.profile)

    def report(caught: Caught) -> None:
        if caught.clause == mutant.clause:
            raise Enough

    hunt = Hunt(trial, reference_of(mutant), report)
    with suppress(Enough):
        machines.run(hunt, plan_of(trial), seed=seed, examples=EXAMPLES)
    return hunt.caught.get(mutant.clause)


def reference_of(mutant: Mutant) -> Trial:
    """The reference under the profile of a mutant."""
    return trial_of(profile=mutant.profile)


def plan_of(trial: Trial) -> Plan:
    """What the machine needs to know of a mutant, read off its methods."""
    opened = trial.subject.factory.open("look")
    offer = look(opened.original, trial.profile, trial.subject.shared)
    opened.close()
    races = "cas-swap" in offer.capabilities
    return Plan(trial.profile, offer.capabilities, offer.not_offered, races=races)


def fails_by_a_check(mutant: Mutant, caught: Caught) -> None:
    """On the reference the program passes, and its last operation counts as a check.

    A race that a right store may win either way is judged by what is read after it.
    """
    session = reference_of(mutant).run(caught.program, minimal=True)
    assert session.violation is None
    last = session.steps[-1]
    assert mutant.clause in last.at_stake or isinstance(last.operation, Race)


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_A_CLAUSE.values())
def test_a_mutant_is_caught_under_its_clause_by_every_seed(name: str) -> None:
    mutant = MUTANTS[name]
    for seed in SEEDS:
        caught = caught_by_machines(mutant, seed)
        assert caught is not None, f"seed {seed} misses {mutant.clause}: {mutant.summary}"
        assert len(caught.program) <= LONGEST, caught.program
        assert caught.steady
        if seed == SEEDS[0]:
            fails_by_a_check(mutant, caught)

"""The executable specification alone catches every mutant, and shows it in a short program."""

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


class Enough(Exception):
    """The mutant is caught; the rest of the run would show nothing more."""


def caught_by_machines(mutant: Mutant, seed: int) -> Caught | None:
    """What the phase `machines` finds of a mutant under its own clause."""
    trial = trial_of(mutant.store, mutant.profile)

    def report(caught: Caught) -> None:
        if caught.clause == mutant.clause:
            raise Enough

    hunt = Hunt(trial, reference_of(mutant), report)
    try:
        machines.run(hunt, plan_of(trial), seed=seed, examples=EXAMPLES)
    except Enough:
        pass
    return hunt.caught.get(mutant.clause)


def reference_of(mutant: Mutant) -> Trial:
    return trial_of(profile=mutant.profile)


def plan_of(trial: Trial) -> Plan:
    opened = trial.subject.factory.open("look")
    offer = look(opened.original, trial.profile, trial.subject.shared)
    opened.close()
    races = "cas-swap" in offer.capabilities
    return Plan(trial.profile, offer.capabilities, offer.not_offered, races=races)


@pytest.mark.parametrize("name", [m.name for m in MUTANTS.values() if not m.needs_size])
def test_a_mutant_is_caught_under_its_clause_by_every_seed(name: str) -> None:
    mutant = MUTANTS[name]
    for seed in SEEDS:
        caught = caught_by_machines(mutant, seed)
        assert caught is not None, f"seed {seed} misses {mutant.clause}: {mutant.summary}"
        assert len(caught.program) <= LONGEST, caught.program
        assert caught.steady


@pytest.mark.parametrize("name", [m.name for m in MUTANTS.values() if not m.needs_size])
def test_the_operation_that_fails_is_one_that_counts_as_a_check(name: str) -> None:
    mutant = MUTANTS[name]
    caught = caught_by_machines(mutant, SEEDS[0])
    assert caught is not None
    session = reference_of(mutant).run(caught.program, minimal=True)
    assert session.violation is None
    last = session.steps[-1]
    # A race that a right store wins or loses either way is judged by what is read after it.
    assert mutant.clause in last.at_stake or isinstance(last.operation, Race)

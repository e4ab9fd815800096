"""The phase `machines`: the executable specification, run by Hypothesis from one seed."""

from __future__ import annotations

from collections import Counter
from typing import Final

from kv_spec.machines import Plan, machine
from kv_spec.operations import Operation
from kv_spec.outcomes import Outcome

from kv_conformance.hunt import Hunt
from kv_conformance.phases.tally import OnProgress, Tally

STEPS_A_PROGRAM: Final = 30
MOST_RACES: Final = 1
"""So often a run tries each kind of race at all its places; each can take half a second."""


class CollectingSession:
    """A session for the machine: a violation is investigated, and ends the program."""

    def __init__(self, hunt: Hunt, tally: Tally, progress: OnProgress, races: Counter[str]) -> None:
        self.hunt, self.tally, self.progress, self.races = hunt, tally, progress, races
        self.session = hunt.trial.open()
        self.over = False

    def do(self, operation: Operation) -> Outcome:
        """Performs and judges an operation; returns the outcome."""
        if self.over:
            return None
        violation = self.session.do(operation)
        outcome = self.session.steps[-1].outcome
        if violation is not None and not self.hunt.ignores(violation):
            self.over = True
            self.session.world.close()
            self.hunt.investigate(self.session.program, violation)
        return outcome

    def may_race(self, kind: str) -> bool:
        """True for the first races of a kind in a run."""
        self.races[kind] += 1
        return self.races[kind] <= MOST_RACES

    def close(self) -> None:
        """Ends the program."""
        self.session.world.close()
        self.tally.add(self.session)
        self.progress(self.tally)


def run(
    hunt: Hunt,
    plan: Plan,
    *,
    seed: int,
    examples: int,
    progress: OnProgress = lambda _: None,
) -> Tally:
    """Runs `examples` programs; the same seed runs the same programs."""
    import hypothesis
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis.stateful import run_state_machine_as_test

    tally, races = Tally(), Counter[str]()
    bound = machine(plan, lambda: CollectingSession(hunt, tally, progress, races))
    run_state_machine_as_test(
        hypothesis.seed(seed)(bound),
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS_A_PROGRAM,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    return tally

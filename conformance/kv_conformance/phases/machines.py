"""The phase `machines`: the executable specification, run by Hypothesis from one seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from kv_conformance.hunt import Hunt
from kv_conformance.session import Session
from kv_spec.machines import Plan, machine
from kv_spec.operations import Operation
from kv_spec.outcomes import Outcome

STEPS_A_PROGRAM = 40


@dataclass(slots=True)
class Tally:
    """What a phase has done so far."""

    programs: int = 0
    operations: int = 0
    checks: Counter[str] = field(default_factory=Counter)

    def add(self, session: Session) -> None:
        """Counts a finished program."""
        self.programs += 1
        self.operations += len(session.steps)
        self.checks.update(session.oracle.checks)


class CollectingSession:
    """A session for the machine: a violation is investigated, and ends the program."""

    def __init__(self, hunt: Hunt, tally: Tally, progress: Callable[[Tally], None]) -> None:
        self.hunt, self.tally, self.progress = hunt, tally, progress
        self.session = hunt.trial.open()
        self.over = False

    def do(self, operation: Operation) -> Outcome:
        """Performs and judges an operation; returns the outcome."""
        violation = self.session.do(operation)
        outcome = self.session.steps[-1].outcome
        if violation is not None and not self.hunt.ignores(violation):
            self.over = True
            self.session.world.close()
            self.hunt.investigate(self.session.program, violation)
        return outcome

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
    progress: Callable[[Tally], None] = lambda _: None,
) -> Tally:
    """Runs `examples` programs; the same seed runs the same programs."""
    import hypothesis
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis.stateful import run_state_machine_as_test

    tally = Tally()
    bound = machine(plan, lambda: CollectingSession(hunt, tally, progress))
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

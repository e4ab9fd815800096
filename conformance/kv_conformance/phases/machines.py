"""The phase `machines`: the executable specification, run by Hypothesis from one seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, TypeVar

from kv_spec.machines import Plan, machine
from kv_spec.operations import Operation
from kv_spec.outcomes import Outcome

from kv_conformance.collecting import seldom
from kv_conformance.hunt import Hunt
from kv_conformance.phases.tally import OnProgress, Tally
from kv_conformance.session import Session

_T = TypeVar("_T")

STEPS_A_PROGRAM: Final = 30
PART: Final = 250
"""Programs after which Hypothesis starts anew: it keeps all that it has run, some 200 kB each."""
MOST_RACES: Final = 1
"""So often a run tries each kind of race at all its places; each can take half a second."""


class Collector:
    """What the programs of one machine come to.

    An error of the harness waits in `failed` until Hypothesis has done: raised within a program it
    would be taken for a failing example, and run again.
    """

    def __init__(self, hunt: Hunt, progress: OnProgress) -> None:
        self.hunt, self.progress = hunt, progress
        self.tally = Tally()
        self.races = Counter[str]()
        self.failed: Exception | None = None

    def open(self) -> CollectingSession:
        """A session for the next program."""
        return CollectingSession(self)


class CollectingSession:
    """A session for the machine: a violation is investigated, and ends the program."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.session: Session | None = None
        if collector.failed is None:
            self.session = self._guarded(collector.hunt.trial.open)
            if self.session is not None:
                self.session.world.hurried = True
        self.over = self.session is None

    def do(self, operation: Operation) -> Outcome:
        """Performs and judges an operation; returns the outcome."""
        session = self.session
        if self.over or session is None:
            return None
        violation = self._guarded(lambda: session.do(operation))
        if self.over:  # what went wrong waits in the collector
            return None
        outcome = session.steps[-1].outcome
        if violation is not None and not self.collector.hunt.ignores(violation):
            self.over = True
            session.world.close()
            self._guarded(lambda: self.collector.hunt.investigate(session.program, violation))
        return outcome

    def _guarded(self, work: Callable[[], _T]) -> _T | None:
        try:
            return work()
        except Exception as error:
            self.collector.failed = self.collector.failed or error
            self.over = True
            return None

    def next_race(self, kinds: tuple[str, ...]) -> str | None:
        """The kind of race that this run tried least, if that is seldom enough."""
        if self.over:
            return None
        least = min(kinds, key=lambda kind: self.collector.races[kind])
        self.collector.races[least] += 1
        return least if self.collector.races[least] <= MOST_RACES else None

    def close(self) -> None:
        """Ends the program."""
        if self.session is not None:
            self.session.world.close()
            self.collector.tally.add(self.session)
            self.collector.progress(self.collector.tally)


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
    from kv_spec.machines import chance

    collector = Collector(hunt, progress)
    with seldom(), chance.backend(seed) as backend:
        for done in range(0, examples, PART):
            run_state_machine_as_test(
                hypothesis.seed(seed)(machine(plan, collector.open)),
                settings=settings(
                    max_examples=min(PART, examples - done),
                    stateful_step_count=STEPS_A_PROGRAM,
                    database=None,
                    deadline=None,
                    backend=backend,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                ),
            )
    if collector.failed is not None:
        raise collector.failed
    return collector.tally

"""How fast the harness is, as ratios in one run.

    python conformance/benchmarks/speed.py

Prints operations a second of the phase `machines` beside those of the same Hypothesis rules on the
bare store, without oracle; the time of a default run on `memory`; and the time of `--help` beside
`python -c pass`. Numbers of different machines, or of different runs, do not compare.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from kv_conformance.hunt import Caught, Hunt
from kv_conformance.phases import machines
from kv_conformance.trial import trial_of
from kv_reference.store import ReferenceStore
from kv_spec.machines import Plan, machine
from kv_spec.operations import Operation

PROGRAMS = 60
ROUNDS = 3
OFFERS = frozenset(
    "core ttl list iterate has cas-create cas-swap cas-delete keys values entries prune".split()
)


class Bare:
    """A session that performs and judges nothing."""

    operations = 0
    over = False

    def __init__(self) -> None:
        self.world = trial_of().subject.world()

    def do(self, operation: Operation) -> Any:
        Bare.operations += 1
        return self.world.perform(operation)

    def next_race(self, kinds: tuple[str, ...]) -> str | None:
        return None

    def close(self) -> None:
        self.world.close()


def bare_rate() -> float:
    """Operations a second of the rules on the store alone."""
    Bare.operations = 0
    bound = machine(Plan(ReferenceStore.profile, OFFERS), Bare)
    began = time.perf_counter()
    run_state_machine_as_test(
        hypothesis.seed(1)(bound),
        settings=settings(
            max_examples=PROGRAMS,
            stateful_step_count=machines.STEPS_A_PROGRAM,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Bare.operations / (time.perf_counter() - began)


def judged_rate() -> float:
    """Operations a second of the phase `machines`, oracle and blame included."""
    trial = trial_of()
    hunt = Hunt(trial, trial_of(), _unexpected)
    began = time.perf_counter()
    tally = machines.run(hunt, Plan(trial.profile, OFFERS), seed=1, examples=PROGRAMS)
    return tally.operations / (time.perf_counter() - began)


def _unexpected(caught: Caught) -> None:
    raise AssertionError(f"the reference breaks {caught.clause}")


def seconds_of(*command: str) -> float:
    """The median time of a command over a few runs, in seconds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def best(rate: Callable[[], float]) -> float:
    """The best of a few rounds: what the machine can do when nothing disturbs it."""
    return max(rate() for _ in range(ROUNDS))


def main() -> None:
    """Measures, and prints a line each."""
    bare, judged = best(bare_rate), best(judged_rate)
    print(f"rules on the bare store   {bare:10,.0f} operations/s")
    print(f"phase machines            {judged:10,.0f} operations/s   {judged / bare:.2f} of bare")
    run = seconds_of("-m", "kv_conformance.cli", "--store", "memory")
    print(f"default run on memory     {run:10.2f} s")
    nothing, help_ = seconds_of("-c", "pass"), seconds_of("-m", "kv_conformance.cli", "--help")
    print(f"python -c pass            {nothing:10.3f} s")
    print(f"kv-conformance --help     {help_:10.3f} s   {help_ / nothing:.1f} times python -c pass")


if __name__ == "__main__":
    main()

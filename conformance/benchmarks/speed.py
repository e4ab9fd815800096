"""How fast the harness is, as ratios in one run.

    python conformance/benchmarks/speed.py [--rounds 5]

Prints operations a second, all on the adapter `memory` on a virtual clock unless said otherwise:

- the bare store: the programs of the sweep as plain calls of its methods, in a loop, a walk
  without what it does on its way; and so for the reference store
- lockstep without blame: each call is made on the store and on the reference store, and the two
  answers are compared. The least that any harness does which compares with a model: it can say
  that something is wrong, not which clause, nor can it permit more than one answer
- the phases sweep and machines, with the oracle, which permits and blames
- a bare Hypothesis machine: the rules of the phase machines, on the store, without an oracle

and then the seconds of a default run on `memory`, and of `--help` beside `python -c pass`. Every
round measures all of them, one after the other; medians are shown. Numbers of different computers,
or of different runs, do not compare.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from kv_adapters.memory import MemoryStore
from kv_conformance.clocks.virtual import InjectedClock
from kv_conformance.hunt import Caught, Hunt
from kv_conformance.phases import machines, sweep
from kv_conformance.phases.course import Course
from kv_conformance.self_test.catching import plan_of
from kv_conformance.subject.factory import Factory
from kv_conformance.subject.world import Subject
from kv_conformance.trial import Trial, trial_of
from kv_spec.machines import chance, machine
from kv_spec.operations import Operation, Program
from kv_spec.programs import Composer, Name
from plain_calls import bare, lockstep, reference, scripts

SEED = 1
SWEPT = 600
HYPOTHESIS_PROGRAMS = 200


def subject() -> Trial:
    """The store that all is measured on."""
    clock = InjectedClock()
    factory = Factory.of(MemoryStore)
    factory.clock = clock
    return Trial(Subject(factory, MemoryStore.profile, clock))


PLAN = replace(plan_of(subject()), races=False)
"""Without races, which take long by their nature."""


def _unexpected(caught: Caught) -> None:
    raise AssertionError(f"the store breaks {caught.clause}")


class Recorded(sweep.Sweep):
    """A sweep that keeps its programs."""

    programs: ClassVar[list[Program]] = []

    def run(self, name: Name, program: Program, *, counts: bool = True) -> list[int]:
        self.programs.append(program)
        return super().run(name, program, counts=counts)


def recorded() -> list[Program]:
    """The programs of the sweep that is measured, those for its thin clauses included."""
    run = Recorded(Hunt(subject(), trial_of(), _unexpected), lambda _: None)
    course = Course(SEED, SWEPT)
    favoured: tuple[str, ...] = ()
    for part in course.parts():
        found = run.take(PLAN, course, part, favoured)
        favoured = found if part.pilot else favoured
    return Recorded.programs


SCRIPTS = scripts(recorded())


def written() -> float:
    """Operations a second of writing the programs of the sweep, and nothing else."""
    composer = Composer(PLAN)
    began = time.perf_counter()
    count = sum(len(composer.program(SEED, number)) for number in range(SWEPT))
    return count / (time.perf_counter() - began)


def swept() -> float:
    """Operations a second of the phase `sweep`, writing its programs included."""
    hunt = Hunt(subject(), trial_of(), _unexpected)
    began = time.perf_counter()
    tally = sweep.run(hunt, PLAN, Course(SEED, SWEPT))
    return tally.operations / (time.perf_counter() - began)


def by_machines() -> float:
    """Operations a second of the phase `machines`, oracle and blame included."""
    hunt = Hunt(subject(), trial_of(), _unexpected)
    began = time.perf_counter()
    tally = machines.run(hunt, PLAN, seed=SEED, examples=HYPOTHESIS_PROGRAMS)
    return tally.operations / (time.perf_counter() - began)


class BareSession:
    """A session that judges nothing."""

    operations = 0
    over = False

    def __init__(self) -> None:
        self.world = subject().subject.world()

    def do(self, operation: Operation) -> Any:
        BareSession.operations += 1
        return self.world.perform(operation)

    def next_race(self, kinds: tuple[str, ...]) -> str | None:
        return None

    def close(self) -> None:
        self.world.close()


def bare_machine() -> float:
    """Operations a second of the same rules on the store alone."""
    BareSession.operations = 0
    bound = machine(PLAN, BareSession)
    began = time.perf_counter()
    with chance.backend(SEED) as backend:  # the same programs as those of the phase
        run_state_machine_as_test(
            hypothesis.seed(SEED)(bound),
            settings=settings(
                max_examples=HYPOTHESIS_PROGRAMS,
                stateful_step_count=machines.STEPS_A_PROGRAM,
                database=None,
                deadline=None,
                backend=backend,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
    return BareSession.operations / (time.perf_counter() - began)


def seconds_of(*command: str) -> float:
    """The seconds of a command in Python."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    return time.perf_counter() - began


def medians(measures: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of each measure over rounds that take all of them in turn.

    What disturbs a computer for a while disturbs them all alike.
    """
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            gc.collect()  # what one leaves behind is not to slow the next
            taken[name].append(measure())
    return {name: statistics.median(numbers) for name, numbers in taken.items()}


RATES: Mapping[str, Callable[[], float]] = {
    "bare store": partial(bare, MemoryStore, SCRIPTS),
    "bare reference store": partial(bare, reference, SCRIPTS),
    "lockstep without blame": partial(lockstep, SCRIPTS),
    "writing the programs": written,
    "phase sweep": swept,
    "phase machines": by_machines,
    "bare Hypothesis machine": bare_machine,
}
RATIOS = (
    ("phase sweep", "bare store"),
    ("phase sweep", "lockstep without blame"),
    ("phase sweep", "phase machines"),
    ("phase machines", "bare Hypothesis machine"),
)
COMMAND = ("-m", "kv_conformance.cli")
SECONDS: Mapping[str, Callable[[], float]] = {
    "default run on memory": partial(seconds_of, *COMMAND, "--store", "memory"),
    "python -c pass": partial(seconds_of, "-c", "pass"),
    "kv-conformance --help": partial(seconds_of, *COMMAND, "--help"),
}


def main() -> None:
    """Measures, and prints a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    rates = medians(RATES, rounds)
    for name, rate in rates.items():
        part = rate / rates["bare store"]
        print(f"{name:26}{rate:12,.0f} operations/s   {part:7.3f} of the bare store")
    for one, other in RATIOS:
        print(f"{one} / {other}: {rates[one] / rates[other]:.2f}")
    seconds = medians(SECONDS, rounds)
    for name, took in seconds.items():
        print(f"{name:26}{took:12.3f} s")
    share = seconds["kv-conformance --help"] / seconds["python -c pass"]
    print(f"--help takes {share:.1f} times python -c pass")


if __name__ == "__main__":
    main()

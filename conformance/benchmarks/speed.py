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
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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
from kv_reference.store import ReferenceStore
from kv_spec.errors import StoreError
from kv_spec.machines import chance, machine
from kv_spec.operations import (
    Advance,
    Cas,
    Delete,
    Fill,
    Get,
    Has,
    Iterate,
    List,
    Operation,
    Program,
    Prune,
    Scan,
    Set,
    fill_keys,
)
from kv_spec.programs import Composer, Name
from kv_spec.store import ABSENT
from kv_spec.values import Outside, equal

SEED = 1
SWEPT = 600
HYPOTHESIS_PROGRAMS = 40

Call = tuple[str, tuple[Any, ...], dict[str, Any]]
"""The name of a method, and its arguments; or `advance` with seconds."""


@dataclass(frozen=True)
class Script:
    """A program as plain calls, and how many operations it has: `Fill` is one, of many calls."""

    operations: int
    calls: list[Call]


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


def calls(operation: Operation) -> list[Call]:
    """An operation as plain calls; none for what no single store does (opening another)."""
    match operation:
        case Get(key=key) | Delete(key=key) | Has(key=key) | List(prefix=key):
            return [(operation.op, (given(key),), {})]
        case Set(key=key, value=value, ttl=None):
            return [("set", (given(key), given(value)), {})]
        case Set(key=key, value=value, ttl=ttl):
            return [("set", (given(key), given(value)), {"ttl": given(ttl)})]
        case Cas(key=key, expected=expected, new=new, ttl=ttl):
            ends = [None if value is ABSENT else given(value) for value in (expected, new)]
            options = {} if ttl is None else {"ttl": given(ttl)}
            return [("cas", (given(key), *ends), options)]
        case Fill(ttl=ttl):
            options = {} if ttl is None else {"ttl": ttl}
            return [("set", (key, n), options) for n, key in enumerate(fill_keys(operation))]
        case Scan(method=method):
            return [(method, (), {})]
        case Iterate(prefix=prefix):
            return [("list", (given(prefix),), {})]
        case Prune():
            return [("prune", (), {})]
        case Advance(seconds=seconds):
            return [("advance", (seconds,), {})]
        case _:
            return []


def given(value: Any) -> Any:
    """What stands for an input outside the domain, made; other values as they are."""
    return value.make() if isinstance(value, Outside) else value


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


PROGRAMS = recorded()
SCRIPTS = [
    Script(len(program), [call for operation in program for call in calls(operation)])
    for program in PROGRAMS
]


def reference(clock: Callable[[], float]) -> ReferenceStore:
    """The reference under the profile of the store, in a data space of its own."""
    return ReferenceStore(clock=clock, profile=MemoryStore.profile, world={})


class Now:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


LISTINGS = frozenset({"list", "keys", "values", "entries"})


def answer(store: Any, name: str, args: Any, kwargs: Any) -> Any:
    """What a plain call comes to: the answer, a listing as a list, or the kind of a refusal."""
    try:
        got = getattr(store, name)(*args, **kwargs)
        return list(got) if name in LISTINGS else got
    except StoreError as error:
        return type(error).__name__


def bare(make: Callable[..., Any], chosen: list[Script]) -> float:
    """Operations a second of plain calls."""
    count, began = 0, time.perf_counter()
    for script in chosen:
        clock = Now()
        store = make(clock=clock)
        for name, args, kwargs in script.calls:
            if name == "advance":
                clock.now += args[0]
            else:
                answer(store, name, args, kwargs)
        count += script.operations
    return count / (time.perf_counter() - began)


def lockstep(chosen: list[Script]) -> float:
    """Operations a second of the store and the reference side by side, their answers compared."""
    count, apart, began = 0, 0, time.perf_counter()
    for script in chosen:
        clock = Now()
        store = MemoryStore(clock=clock)
        model = reference(clock)
        for name, args, kwargs in script.calls:
            if name == "advance":
                clock.now += args[0]
                continue
            got, due = answer(store, name, args, kwargs), answer(model, name, args, kwargs)
            # What a delete answers is not judged where nothing is declared.
            apart += name != "delete" and not same(name, got, due)
        count += script.operations
    rate = count / (time.perf_counter() - began)
    assert apart == 0, f"{apart} answers differ"
    return rate


def same(name: str, got: Any, due: Any) -> bool:
    """Equality of two answers of a method; in a listing keys are compared as they are."""
    if name not in LISTINGS or not isinstance(got, list) or not isinstance(due, list):
        return equal(got, due)
    if name == "keys":
        return got == due
    if name == "values":
        return len(got) == len(due) and all(map(equal, got, due))
    return len(got) == len(due) and all(
        one[0] == other[0] and equal(one[1], other[1]) for one, other in zip(got, due, strict=True)
    )


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

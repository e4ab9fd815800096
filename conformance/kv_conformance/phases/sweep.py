"""The phase `sweep`: programs without number from one seed, in lockstep with the oracle.

The first programs are a pilot: what they put to the test tells which clauses are thin, and the
last part of the sweep keeps to the rules that reach those. Every shard runs the pilot, so that all
of them go the same way; only one of them counts it.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final, Protocol

from kv_reference.oracle import Oracle
from kv_reference.verdicts import Violation
from kv_spec.machines import Plan
from kv_spec.operations import Program, Race
from kv_spec.programs import Composer, Name

from kv_conformance.hunt import Hunt
from kv_conformance.phases.tally import OnProgress, Tally
from kv_conformance.trial import Trial

PILOT: Final = 250
"""Programs from which the course of the rest is set."""
_THIN: Final = 100
"""A clause that the whole sweep would put to the test less often than this is favoured."""
_FAVOURED_SHARE: Final = 8
"""One in so many programs, the last ones, is for the thin clauses."""
_RULES_A_CLAUSE: Final = 2
_PROGRESS_EVERY: Final = 32
"""Programs between two words on progress."""


@dataclass(frozen=True, slots=True)
class Course:
    """Which programs a sweep runs: `programs` in all, of which this is one of `shards`.

    `shard` counts from 0. All shards together run every number once.
    """

    seed: int
    programs: int
    shard: int = 0
    shards: int = 1

    @property
    def pilot(self) -> range:
        """The numbers that every shard runs."""
        return range(min(PILOT, self.programs))

    @property
    def turn(self) -> int:
        """The number from which on programs keep to the favoured rules."""
        return max(self.programs - self.programs // _FAVOURED_SHARE, len(self.pilot))

    def owns(self, number: int) -> bool:
        """True if this shard counts the program."""
        return number % self.shards == self.shard

    @property
    def rest(self) -> range:
        """The numbers of this shard after the pilot."""
        first = len(self.pilot)
        return range(first + (self.shard - first) % self.shards, self.programs, self.shards)

    def parts(self, size: int) -> Iterator[tuple[range, bool]]:
        """`rest` in pieces of at most `size` numbers, and whether each is for the thin clauses."""
        rest = self.rest
        turn = len([number for number in rest if number < self.turn])
        for part, favours in ((rest[:turn], False), (rest[turn:], True)):
            for first in range(0, len(part), size):
                yield part[first : first + size], favours

    def more(self, size: int) -> Iterator[range]:
        """The numbers of this shard beyond the course, `size` at a time, without end."""
        first = self.programs + (self.shard - self.programs) % self.shards
        for start in itertools.count(first, size * self.shards):
            yield range(start, start + size * self.shards, self.shards)


def beside(plan: Plan, phases: Collection[str]) -> Plan:
    """The plan of a sweep in a run of `phases`.

    Where the machines run they try the races, each of which takes long.
    """
    return replace(plan, races=plan.races and "machines" not in phases)


def run(
    hunt: Hunt,
    plan: Plan,
    course: Course,
    progress: OnProgress = lambda _: None,
    *,
    time_left: Callable[[], bool] = lambda: False,
) -> Tally:
    """Runs the programs of a course, and more of them while there is `time_left`."""
    sweep = Sweep(hunt, progress)
    usual, thin = pilot(sweep, plan, course)
    for numbers, favours in course.parts(course.programs):
        for number in numbers:
            sweep.write_and_run(thin if favours else usual, course.seed, number)
    for (number,) in course.more(1):
        if not time_left():
            break
        sweep.write_and_run(usual, course.seed, number)
    progress(sweep.tally)
    return sweep.tally


def pilot(sweep: Sweep, plan: Plan, course: Course) -> tuple[Composer, Composer]:
    """Runs the first programs; what writes the others, and those for the thin clauses.

    The latter keeps to the rules that reach the clauses which were hardly put to the test.
    """
    composer = Composer(plan)
    credit: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for number in course.pilot:
        operations, rules = composer.marked(course.seed, number)
        name = composer.name(course.seed, number)
        stakes = sweep.run(name, tuple(operations), counts=course.owns(number))
        for rule, clauses in zip(rules, stakes, strict=True):
            for clause in clauses:
                credit[clause][rule] += 1
    thin = _THIN * len(course.pilot) / max(course.programs, 1)
    favoured = {
        rule
        for clause, rules in credit.items()
        if rules.total() < thin
        for rule in sorted(rules, key=lambda rule: (-rules[rule], rule))[:_RULES_A_CLAUSE]
    }
    favoured.discard("")
    return composer, Composer(plan, sorted(favoured)) if favoured else composer


class Investigator(Protocol):
    """Who takes the violations: a hunt, or who notes them for one."""

    @property
    def trial(self) -> Trial:
        """The store under test."""

    def ignores(self, violation: Violation) -> bool:
        """True for a violation that needs no look."""

    def investigate(self, program: Program, violation: Violation) -> object:
        """Looks into a violation; `ignores` says yes to it or to the like of it afterwards."""


class Sweep:
    """Runs programs, each to its end; every violation is investigated, and its program resumed."""

    def __init__(self, hunt: Investigator, progress: OnProgress) -> None:
        self.hunt, self.progress = hunt, progress
        self.tally = Tally()

    def write_and_run(self, composer: Composer, seed: int, number: int) -> None:
        """Runs the program of this number."""
        self.run(composer.name(seed, number), composer.program(seed, number))

    def run(self, name: Name, program: Program, *, counts: bool = True) -> list[tuple[str, ...]]:
        """Runs one program; the clauses that each of its operations put to the test.

        A program that only the shard beside this one counts is not tallied here.
        """
        while True:
            stakes: list[tuple[str, ...]] = []
            if any(type(operation) is Race for operation in program):
                found = self._raced(program, counts)
            else:
                found = self._run(name, program, counts, stakes)
            if found is None:
                break
            self.hunt.investigate(*found)
        self.tally.programs += counts
        if self.tally.programs % _PROGRESS_EVERY == 0:
            self.progress(self.tally)
        return stakes

    def _run(
        self, name: Name, program: Program, counts: bool, stakes: list[tuple[str, ...]]
    ) -> tuple[Program, Violation] | None:
        """Runs a program; up to where, and why, if a violation is worth a look.

        The inner loop of the whole phase: it keeps no record that only a failure needs, since a
        failure is run again.
        """
        trial, ignores = self.hunt.trial, self.hunt.ignores
        oracle = Oracle(trial.profile, slack=trial.slack)
        world = trial.subject.world()
        if trial.subject.box is not None:
            trial.subject.box.swept(name)
            world.swept = True
        perform, judge, now = world.perform, oracle.judge, trial.subject.clock.now
        try:
            for operation in program:
                began = now()
                outcome = perform(operation)
                violation = judge(operation, outcome, began, now())
                stakes.append(oracle.at_stake)
                if violation is not None:
                    world.spoilt = True
                    if not ignores(violation):
                        return program[: len(stakes)], violation
        finally:
            world.close()
        if counts:
            self.tally.take(len(program), oracle)
        return None

    def _raced(self, program: Program, counts: bool) -> tuple[Program, Violation] | None:
        """Runs a program with a race, once for every place of its switch."""
        session = self.hunt.trial.run(program, ignores=self.hunt.ignores)
        if session.violation is not None:
            return session.program, session.violation
        if counts:
            self.tally.take(len(session.steps), session.oracle)
        return None

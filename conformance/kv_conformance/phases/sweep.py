"""The phase `sweep`: programs without number from one seed, judged by the oracle.

The first programs are a pilot: what they put to the test tells which clauses are thin, and the
last part of the sweep keeps to the rules that reach those. Every shard runs the pilot, so that all
of them go the same way; only one of them counts it.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Final, Protocol, TypeAlias

from kv_reference.clause_sets import ClauseSet, names
from kv_reference.oracle import Oracle
from kv_reference.verdicts import Violation
from kv_spec.machines import Plan
from kv_spec.operations import Program, Race
from kv_spec.programs import Composer, Name

from kv_conformance.collecting import seldom
from kv_conformance.hunt import Hunt
from kv_conformance.phases.course import PART, Ahead, Course, Part
from kv_conformance.phases.stretches import performed
from kv_conformance.phases.tally import OnProgress, Tally
from kv_conformance.trial import Trial

_THIN: Final = 100
"""A clause that the whole sweep would put to the test less often than this is favoured."""
_RULES_A_CLAUSE: Final = 2
_PROGRESS_EVERY: Final = 32
"""Programs between two words on progress."""


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
    ahead: Ahead | None = None,
) -> Tally:
    """Runs the programs of a course, and more of them while there is `time_left`.

    What was done `ahead` is only counted, unless it broke a clause that is not known yet: then the
    part is run again, and its faults are investigated, as if it had its first turn now.
    """
    sweep = Sweep(hunt, progress)
    favoured: tuple[str, ...] = ()

    def take(part: Part) -> tuple[str, ...]:
        known = None if ahead is None else ahead.result(part)
        if known is None or known.silent or not known.broken <= hunt.caught.keys():
            return sweep.take(plan, course, part, favoured)
        if part.thin and known.favoured != favoured:
            return sweep.take(plan, course, part, favoured)
        hunt.trial.subject.silence.calls += known.calls
        sweep.tally = sweep.tally.plus(known.tally)
        progress(sweep.tally)
        return known.favoured

    for part in course.parts():
        found = take(part)
        favoured = found if part.pilot else favoured
    more, many = course.more(1 if ahead is None else PART), 1 if ahead is None else ahead.jobs
    while time_left():
        parts = list(itertools.islice(more, many))
        if ahead is not None:
            ahead.give_out(parts)
        for part in parts:
            take(part)
    progress(sweep.tally)
    return sweep.tally


_AT_ONCE: Final = 16
"""So many programs are written before they are run."""
Broken: TypeAlias = tuple[Program, Violation]
"""A program, and how its last operation broke a clause."""


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
        self._composers: dict[tuple[str, ...], Composer] = {}

    def take(
        self, plan: Plan, course: Course, part: Part, favoured: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """Runs a part, the thin ones by the favoured rules; the pilot finds these.

        They are the rules that reach the clauses which the pilot hardly put to the test.
        """
        chosen = favoured if part.thin else ()
        composer = self._composers.get(chosen)
        if composer is None:
            composer = self._composers[chosen] = Composer(plan, chosen)
        with seldom():
            if part.pilot:
                return self._pilot(composer, course)
            for number, program, _ in composed(composer, course.seed, part.numbers):
                self.run(composer.name(course.seed, number), program)
        return chosen

    def _pilot(self, composer: Composer, course: Course) -> tuple[str, ...]:
        seen: Counter[tuple[str, ClauseSet]] = Counter()
        for number, program, rules in composed(composer, course.seed, course.pilot):
            name = composer.name(course.seed, number)
            stakes = self.run(name, program, counts=course.owns(number))
            seen.update(zip(rules, stakes, strict=True))
        credit: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for (rule, found), times in seen.items():
            for clause in names(found):
                credit[clause][rule] += times
        thin = _THIN * len(course.pilot) / max(course.programs, 1)
        favoured = {
            rule
            for clause, rules in credit.items()
            if rules.total() < thin
            for rule in sorted(rules, key=lambda rule: (-rules[rule], rule))[:_RULES_A_CLAUSE]
        }
        return tuple(sorted(favoured - {""}))

    def run(self, name: Name, program: Program, *, counts: bool = True) -> list[ClauseSet]:
        """Runs one program; the clauses that each of its operations put to the test.

        A program that only the shard beside this one counts is not tallied here.
        """
        race = Race in map(type, program)
        while True:
            oracle, broken = self._raced(program) if race else self._run(name, program)
            if broken is None:
                break
            self.hunt.investigate(*broken)
        if counts:
            self.tally.take(oracle.number, oracle)
        self.tally.programs += counts
        if self.tally.programs % _PROGRESS_EVERY == 0:
            self.progress(self.tally)
        return oracle.judged

    def _run(self, name: Name, program: Program) -> tuple[Oracle, Broken | None]:
        """Runs a program to its end, or up to a violation that is worth a look.

        The inner loop of the whole phase: it keeps no record that only a failure needs, since a
        failure is run again.
        """
        trial, ignores = self.hunt.trial, self.hunt.ignores
        oracle = Oracle(trial.profile, slack=trial.slack)
        judge = oracle.judge
        world = trial.subject.world()
        if trial.subject.box is not None:
            trial.subject.box.swept(name)
            world.swept = True
        try:
            for stretch in performed(world, program):
                for operation, outcome, began, ended in stretch:
                    violation = judge(operation, outcome, began, ended)
                    if violation is not None:
                        world.spoilt = True
                        if not ignores(violation):
                            return oracle, (program[: oracle.number], violation)
        finally:
            world.close()
        return oracle, None

    def _raced(self, program: Program) -> tuple[Oracle, Broken | None]:
        """Runs a program with a race, once for every place of its switch."""
        session = self.hunt.trial.run(program, ignores=self.hunt.ignores)
        violation = session.violation
        return session.oracle, None if violation is None else (session.program, violation)


def composed(
    composer: Composer, seed: int, numbers: Sequence[int]
) -> Iterator[tuple[int, Program, list[str]]]:
    """The programs of these numbers, and the rules that their operations come from.

    They are written a few at a time, which is quicker.
    """
    for first in range(0, len(numbers), _AT_ONCE):
        some = [(n, composer.marked(seed, n)) for n in numbers[first : first + _AT_ONCE]]
        for number, (operations, rules) in some:
            yield number, tuple(operations), rules

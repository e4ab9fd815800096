"""From a violation to the shortest program that shows it, and to the clause that it breaks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from kv_reference.verdicts import Violation
from kv_spec.operations import Cas, Get, Increment, List, Operation, Program, Race, Set

from kv_conformance.measure import identity
from kv_conformance.phases.side_by_side import Patient
from kv_conformance.session import Session, held
from kv_conformance.shrink import BatchShrinker, Shrinker
from kv_conformance.simplify import about_key
from kv_conformance.trial import Ignores, Trial

_OF_STATE: Final = frozenset(
    "GET-2 GET-3 GET-4 SET-1 SET-3 SET-5 SET-6 DEL-3 HAS-2 TTL-13 "
    "CAS-2 ITER-4 LIST-10 KEY-1 KEY-2 KEY-3 KEY-4 KEY-5 KEY-7 VAL-1 VAL-5".split()
)
"""Clauses about what a key holds: broken, they show in a get as in any other read."""
_AS_FOUND: Final = frozenset({"CAS-10", "CAS-11"})
"""Clauses about one way to go wrong, of which simpler programs show the general case only: a swap
through an alias (VAL-3), the release of a lock by who has lost it (CAS-1)."""
PATIENT_BUDGET: Final = 200
"""Programs that are run to shrink one whose waits are real."""


class Inquiry:
    """Looks into one violation.

    `way` runs a program, with others at its side where its waits are real; at most `budget` are
    run to shrink it, and again as many to simplify what is left. `without_list`: the store offers
    no list. `runs` is how many were run.
    """

    def __init__(
        self,
        way: Trial | Patient,
        program: Program,
        violation: Violation,
        budget: int,
        *,
        without_list: bool,
    ) -> None:
        self.way, self.program, self.violation = way, program, violation
        self.budget, self.without_list = budget, without_list
        self.runs = 0
        self._place = _place(program)
        self._muted: list[Program] = []

    @property
    def suspected(self) -> set[str]:
        """The clauses that the violation may break."""
        clause = self.violation.clause
        return {clause} if clause in _AS_FOUND else {clause, *self.violation.others}

    def smallest(self) -> Program | None:
        """A minimal program that fails; None where the violation does not show again."""
        first = self._shrinker(self.suspected)
        tries = starts(self.program, self.violation.key)
        again = next((found for p in tries if (found := first.failing(p))), None)
        if again is None:
            return None
        smallest = first.shrink(again)
        self.runs += first.runs
        if self.violation.clause in _AS_FOUND:
            return smallest
        # A simpler program that fails, with whatever blame, shows what this one needs not:
        # where a plain key fails as well, the special one was not the reason.
        muted = set(map(identity, self._muted))
        known = {text: found for text, found in first.known.items() if text not in muted}
        second = self._shrinker(None, known)
        smallest = second.shrink(smallest)
        self.runs += second.runs
        return smallest

    def blamed(self, program: Program) -> tuple[Program, Violation | None]:
        """A minimal program, and what it shows: a wrong state, or a wrong way to read it.

        Where a get in place of the last operation answers wrongly as well, the fault is in what
        the key holds, and the get shows it best.
        """
        session = self.way.run(program, minimal=True)
        found = session.violation
        program = _up_to_fault(session) or program
        if any(isinstance(operation, Race) for operation in program):
            for backwards in (False, True):
                alone = self.way.run(one_by_one(program, backwards=backwards))
                if alone.violation is not None:
                    return self._without_race(alone.program, alone.violation)
        if (
            found is None
            or found.key is None
            or isinstance(program[-1], Get | Race)
            or found.clause in _AS_FOUND
        ):
            return program, found
        asked = self.way.run((*program[:-1], Get(found.key)), minimal=True)
        if asked.violation is not None:
            return asked.program, asked.violation
        clauses = [found.clause, *found.others]
        own = next((clause for clause in clauses if clause not in _OF_STATE), found.clause)
        return program, replace(found, clause=own)

    def _without_race(
        self, program: Program, violation: Violation
    ) -> tuple[Program, Violation | None]:
        """What is behind a fault that shows without the race as well: not all of it is needed."""
        inquiry = Inquiry(self.way, program, violation, self.budget, without_list=self.without_list)
        smallest = inquiry.smallest()
        self.runs += inquiry.runs
        return (program, violation) if smallest is None else inquiry.blamed(smallest)

    def follows(self, known: Collection[str]) -> bool:
        """True if the program shows faults of clauses that are `known` before its violation."""
        session = self.way.run(self.program, ignores=lambda violation: violation.clause in known)
        return any(step.violation is not None for step in session.steps[:-1])

    def _shrinker(
        self, clauses: set[str] | None, known: dict[str, Program | None] | None = None
    ) -> Shrinker:
        """Shrinks towards any of `clauses`; other faults on the way are passed over.

        None stands for all clauses. `known` is what became of programs that were run before.
        """
        passed: list[Violation] = []

        def ignores(violation: Violation) -> bool:
            if clauses is None or violation.clause in clauses:
                return False
            passed.append(violation)
            return True

        def failing(program: Program) -> Program | None:
            if not self._offered(program):
                return None
            passed.clear()
            session = self._run(program, ignores)
            if passed:
                self._muted.append(program)
            return _up_to_fault(session)

        if isinstance(self.way, Trial):
            return Shrinker(failing, budget=self.budget, known=known)
        patient = self.way

        def failing_all(programs: Sequence[Program]) -> list[Program | None]:
            tried = [program for program in programs if self._offered(program)]
            passed.clear()
            sessions = iter(patient.run_all(tried, ignores=ignores))
            if passed:
                self._muted += tried
            return [_up_to_fault(next(sessions)) if self._offered(p) else None for p in programs]

        budget = min(self.budget, PATIENT_BUDGET)
        return BatchShrinker(failing, failing_all, budget=budget, known=known)

    def _offered(self, program: Program) -> bool:
        # A list is simpler than a scan, and may not be there.
        return not (self.without_list and any(isinstance(op, List) for op in program))

    def _run(self, program: Program, ignores: Ignores) -> Session:
        """Runs a program; one with a race first at the place where a race went wrong before."""
        if self._place is not None and any(isinstance(op, Race) for op in program):
            there = tuple(held(op, self._place) for op in program)
            session = self.way.run(there, ignores=ignores)
            if session.violated:
                return session
        session = self.way.run(program, ignores=ignores)
        if session.violated:
            self._place = _place(session.program)
        return session


def one_by_one(program: Program, *, backwards: bool = False) -> Program:
    """The program with the branches of its races one after the other, or the last one first."""
    calm: list[Operation] = []
    for operation in program:
        if not isinstance(operation, Race):
            calm.append(operation)
            continue
        for branch in operation.branches[:: -1 if backwards else 1]:
            if isinstance(branch, Increment):
                last = next((op for op in reversed(calm) if isinstance(op, Set | Cas)), None)
                count = last.value if isinstance(last, Set) else getattr(last, "new", 0)
                calm.append(Cas(branch.key, count, count + 1))
            else:
                calm.append(branch)
        calm.append(Get(operation.branches[0].key))  # type: ignore[union-attr]
    return tuple(calm)


def starts(program: Program, key: Any) -> Iterator[Program]:
    """Programs to begin shrinking with, the ones that take least to run first.

    A race is tried at every place: where two workers run freely after a switch, the same switch
    may show the fault once and not again, but that some switch shows it is certain.
    """
    races = [op for op in program if isinstance(op, Race)]
    raced = [getattr(branch, "key", None) for race in races for branch in race.branches]
    if key is not None:
        yield tuple(map(open_race, about_key(program, key)))
    if races:
        calm = [op for op in program if not isinstance(op, Race)]
        yield tuple(op for op in calm if getattr(op, "key", None) not in raced)
        yield one_by_one(program)
    yield program


def open_race(operation: Operation) -> Operation:
    """A race without its switch, so that every place is tried; anything else as it is."""
    return replace(operation, switch=None) if isinstance(operation, Race) else operation


def _up_to_fault(session: Session) -> Program | None:
    return tuple(map(open_race, session.program)) if session.violated else None


def _place(program: Program) -> int | None:
    """Where the first worker of a race is held; None without a race that has a switch."""
    return next((op.switch for op in program if isinstance(op, Race)), None)

"""From a violation to a finding: shrink, settle the blame, ask the reference, report once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from kv_reference.verdicts import Violation
from kv_spec.operations import Cas, Get, Increment, List, Operation, Program, Race, Set

from kv_conformance.phases.side_by_side import Patient, real_waits
from kv_conformance.session import Session
from kv_conformance.shrink import BatchShrinker, Shrinker
from kv_conformance.simplify import about_key
from kv_conformance.trial import Trial

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


class HarnessFault(Exception):
    """The reference breaks the clause as well: the oracle is wrong, not the store (exit 4)."""


@dataclass(frozen=True, slots=True)
class Caught:
    """A fault with its shortest program.

    `runs` is how often the store ran a program for it; `steady` is False where the fault did not
    show again.
    """

    clause: str
    violation: Violation
    program: Program
    runs: int
    steady: bool = True


class Hunt:
    """Collects the faults of one store, each clause once.

    `reference` makes a trial of the reference under the store's profile. `report` is called with
    every new finding. `without_list`: the store offers no list. `alone` ends what else is at work
    on the store, and answers whether nothing was.
    """

    def __init__(
        self,
        trial: Trial,
        reference: Trial,
        report: Callable[[Caught], None],
        budget: int = 2_000,
        *,
        without_list: bool = False,
        alone: Callable[[], bool] = lambda: True,
    ) -> None:
        self.alone = alone
        self.trial, self.reference, self.report = trial, reference, report
        self.budget = budget
        self.without_list = without_list
        self.caught: dict[str, Caught] = {}
        self._passed_over: Counter[str] = Counter()
        self._known_again: Counter[str] = Counter()
        self._doubtful: Caught | None = None

    def ignores(self, violation: Violation) -> bool:
        """True for a violation that needs no look: its clause is known, or was often doubtful."""
        if violation.clause in self.caught:
            return True
        again = self._known_again[violation.clause]
        if not self.caught.keys().isdisjoint(violation.others):
            again = max(again, 1)
        if again == 0:
            return False
        # What turned out to be a known fault before is looked at ever more rarely: at its second,
        # fourth, eighth time and so on.
        self._passed_over[violation.clause] += 1
        return self._passed_over[violation.clause] < 1 << again

    def run(self, program: Sequence[Operation]) -> Session:
        """Runs a program up to a violation that is worth a look."""
        return self._way(tuple(program)).run(tuple(program), ignores=self.ignores)

    def investigate(self, program: Program, violation: Violation) -> Caught | None:
        """Shrinks a failing program and reports its clause, unless it is known already.

        What was seen while others were at work on the store may be their doing, and must show once
        more. Raises HarnessFault if the reference fails on the program as well.
        """
        if not self.alone():
            again = self.run(program)
            if again.violation is None:
                return None
            program, violation = again.program, again.violation
        caught = self._settle(program, violation)
        if caught is None or caught.clause in self.caught:
            self._known_again[violation.clause] += 1
            self._passed_over[violation.clause] = 0
            return None
        self._ask_reference(caught)
        self.caught[caught.clause] = caught
        self.report(caught)
        return caught

    def _settle(self, program: Program, violation: Violation) -> Caught | None:
        """The fault behind a violation; None where it only follows from one known already."""
        way = self._way(program)
        suspected = {violation.clause}
        if violation.clause not in _AS_FOUND:
            suspected.update(violation.others)
        shrinker = self._shrinker(way, suspected)
        again = next(
            (found for p in starts(program, violation.key) if (found := shrinker.failing(p))), None
        )
        if again is not None:
            smallest = shrinker.shrink(again)
            # A simpler program that fails, with whatever blame, shows what this one needs not:
            # where a plain key fails as well, the special one was not the reason.
            if violation.clause not in _AS_FOUND:
                smallest = self._shrinker(way, None).shrink(smallest)
            least, settled = self._blamed(way, smallest)
            if settled is not None:
                return Caught(settled.clause, settled, least, shrinker.runs)
        # It shows now and then only, which a store that is right never does: unless a fault that
        # is known already comes before it, and has left things behind.
        if not suspected.isdisjoint(self.caught) or self._follows(way, program):
            return None
        seen = Caught(violation.clause, violation, program, shrinker.runs, steady=False)
        if again is None and self.trial.subject.clock.exact:
            return seen
        self._doubtful = self._doubtful or seen
        return None

    def finish(self) -> None:
        """Ends the hunt: where nothing else was found, what was seen now and then is reported.

        Beside a fault that was found it mostly is that fault, and the clause a wrong guess.
        """
        if not self.caught and self._doubtful is not None:
            self.caught[self._doubtful.clause] = self._doubtful
            self.report(self._doubtful)

    def _follows(self, way: Trial | Patient, program: Program) -> bool:
        """True if a program shows faults that are known."""
        session = way.run(program, ignores=lambda violation: violation.clause in self.caught)
        return any(step.violation is not None for step in session.steps[:-1])

    def _blamed(self, way: Trial | Patient, program: Program) -> tuple[Program, Violation | None]:
        """A minimal program, and what it shows: a wrong state, or a wrong way to read it.

        Where a get in place of the last operation answers wrongly as well, the fault is in what
        the key holds, and the get shows it best.
        """
        session = way.run(program, minimal=True)
        found = session.violation
        program = _up_to_fault(session) or program
        if any(isinstance(operation, Race) for operation in program):
            for backwards in (False, True):
                alone = way.run(one_by_one(program, backwards=backwards), minimal=True)
                if alone.violation is not None:
                    return alone.program, alone.violation
        if (
            found is None
            or found.key is None
            or isinstance(program[-1], Get | Race)
            or found.clause in _AS_FOUND
        ):
            return program, found
        asked = way.run((*program[:-1], Get(found.key)), minimal=True)
        if asked.violation is not None:
            return asked.program, asked.violation
        clauses = [found.clause, *found.others]
        own = next((clause for clause in clauses if clause not in _OF_STATE), found.clause)
        return program, replace(found, clause=own)

    def _way(self, program: Program) -> Trial | Patient:
        """How a program is run anew: with others at its side where its waits are real."""
        return Patient(self.trial) if real_waits(self.trial, program) else self.trial

    def _shrinker(self, way: Trial | Patient, clauses: set[str] | None) -> Shrinker:
        """Shrinks towards any of `clauses`; other faults on the way are passed over.

        None stands for all clauses.
        """

        def ignores(violation: Violation) -> bool:
            return clauses is not None and violation.clause not in clauses

        def offered(program: Program) -> bool:
            # A list is simpler than a scan, and may not be there.
            return not (self.without_list and any(isinstance(op, List) for op in program))

        def failing(program: Program) -> Program | None:
            return _up_to_fault(way.run(program, ignores=ignores)) if offered(program) else None

        if isinstance(way, Trial):
            return Shrinker(failing, budget=self.budget)
        patient = way

        def failing_all(programs: Sequence[Program]) -> list[Program | None]:
            tried = [program for program in programs if offered(program)]
            sessions = iter(patient.run_all(tried, ignores=ignores))
            return [_up_to_fault(next(sessions)) if offered(p) else None for p in programs]

        return BatchShrinker(failing, failing_all, budget=min(self.budget, PATIENT_BUDGET))

    def _ask_reference(self, caught: Caught) -> None:
        session: Session = self.reference.run(caught.program, minimal=True)
        if session.violation is not None:
            raise HarnessFault(
                f"the reference breaks {session.violation.clause} on the program that shows "
                f"{caught.clause}: {session.violation}, {caught.program}"
            )


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

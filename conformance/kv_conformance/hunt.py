"""From a violation to a finding: shrink, settle the blame, ask the reference, report once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from kv_reference.verdicts import Violation
from kv_spec.operations import Program

from kv_conformance.phases.side_by_side import Patient, real_waits
from kv_conformance.session import Session
from kv_conformance.shrink import BatchShrinker, Shrinker
from kv_conformance.trial import Trial

MORE_BASIC: Final = {
    "CAS-6": {"TTL-2", "TTL-3", "TTL-5", "TTL-9"},
    "CAS-1": {"GET-2", "VAL-1", "VAL-5", "GET-4", "VAL-7", "VAL-8"},
    "TTL-5": {"TTL-2", "TTL-3"},
    "TTL-12": {"TTL-2", "TTL-3"},
    "SET-2": {"TTL-3"},
    "SET-1": {"GET-2", "VAL-1"},
    "LIST-1": {"GET-2"},
    "LIST-2": {"GET-2"},
}
"""Where a simpler program breaks one of these instead, that is the better blame."""
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
    every new finding.
    """

    def __init__(
        self, trial: Trial, reference: Trial, report: Callable[[Caught], None], budget: int = 2_000
    ) -> None:
        self.trial, self.reference, self.report = trial, reference, report
        self.budget = budget
        self.caught: dict[str, Caught] = {}
        self._passed_over: Counter[str] = Counter()
        self._known_again: Counter[str] = Counter()

    def ignores(self, violation: Violation) -> bool:
        """True for a violation that needs no look: its clause is known, or was often doubtful."""
        if violation.clause in self.caught:
            return True
        again = self._known_again[violation.clause]
        if again == 0:
            return False
        # What turned out to be a known fault before is looked at ever more rarely: at its second,
        # fourth, eighth time and so on.
        self._passed_over[violation.clause] += 1
        return self._passed_over[violation.clause] < 1 << again

    def investigate(self, program: Program, violation: Violation) -> Caught | None:
        """Shrinks a failing program and reports its clause, unless it is known already.

        Raises HarnessFault if the reference fails on the program as well.
        """
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
        shrinker = self._shrinker(way, {violation.clause})
        again = shrinker.failing(program)
        if again is None:
            return Caught(violation.clause, violation, program, 1, steady=False)
        smallest = shrinker.shrink(again)
        settled = way.run(smallest, minimal=True).violation
        if settled is None or settled.clause in self.caught:
            return None
        basic = MORE_BASIC.get(settled.clause)
        if basic:
            smallest, settled = self._more_basic(way, smallest, settled, basic)
        return Caught(settled.clause, settled, smallest, shrinker.runs)

    def _more_basic(
        self, way: Trial | Patient, program: Program, violation: Violation, clauses: set[str]
    ) -> tuple[Program, Violation]:
        shrinker = self._shrinker(way, clauses)
        smaller = shrinker.shrink(program)
        if smaller == program:
            return program, violation
        settled = way.run(smaller, minimal=True).violation
        return (program, violation) if settled is None else (smaller, settled)

    def _way(self, program: Program) -> Trial | Patient:
        """How a program is run anew: with others at its side where its waits are real."""
        return Patient(self.trial) if real_waits(self.trial, program) else self.trial

    def _shrinker(self, way: Trial | Patient, clauses: set[str]) -> Shrinker:
        """Shrinks towards any of `clauses`; other faults on the way are passed over."""

        def ignores(violation: Violation) -> bool:
            return violation.clause not in clauses

        def failing(program: Program) -> Program | None:
            return _up_to_fault(way.run(program, ignores=ignores))

        if isinstance(way, Trial):
            return Shrinker(failing, budget=self.budget)
        patient = way

        def failing_all(programs: Sequence[Program]) -> list[Program | None]:
            return [_up_to_fault(s) for s in patient.run_all(programs, ignores=ignores)]

        return BatchShrinker(failing, failing_all, budget=min(self.budget, PATIENT_BUDGET))

    def _ask_reference(self, caught: Caught) -> None:
        session: Session = self.reference.run(caught.program, minimal=True)
        if session.violation is not None:
            raise HarnessFault(
                f"the reference breaks {session.violation.clause} on the program that shows "
                f"{caught.clause}: {session.violation}, {caught.program}"
            )


def _up_to_fault(session: Session) -> Program | None:
    return session.program if session.violated else None

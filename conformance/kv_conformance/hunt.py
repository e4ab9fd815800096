"""From a violation to a finding: shrink, settle the blame, ask the reference, report once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kv_conformance.session import Session
from kv_conformance.shrink import Shrinker
from kv_conformance.trial import Trial
from kv_reference.verdicts import Violation
from kv_spec.operations import Program

_PATIENCE: Final = 3
"""So often a doubtful blame may turn out to be a clause known already, before it is muted."""

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
        self.muted: set[str] = set()
        self.muted_unsure: set[str] = set()
        self._known_again: Counter[str] = Counter()

    def ignores(self, violation: Violation) -> bool:
        """True for a violation that needs no look: its clause is known, or was often doubtful."""
        if violation.clause in self.muted:
            return True
        return not violation.sure and violation.clause in self.muted_unsure

    def investigate(self, program: Program, violation: Violation) -> Caught | None:
        """Shrinks a failing program and reports its clause, unless it is known already.

        Raises HarnessFault if the reference fails on the program as well.
        """
        caught = self._settle(program, violation)
        if caught is None or caught.clause in self.caught:
            self._known_again[violation.clause] += 1
            if self._known_again[violation.clause] >= _PATIENCE:
                self.muted_unsure.add(violation.clause)
            return None
        self._ask_reference(caught)
        self.caught[caught.clause] = caught
        self.muted.add(caught.clause)
        self.report(caught)
        return caught

    def _settle(self, program: Program, violation: Violation) -> Caught | None:
        """The fault behind a violation; None where it only follows from one known already."""
        shrinker = self._shrinker({violation.clause})
        again = shrinker.failing(program)
        if again is None:
            return Caught(violation.clause, violation, program, 1, steady=False)
        smallest = shrinker.shrink(again)
        settled = self.trial.run(smallest, minimal=True).violation
        if settled is None or settled.clause in self.caught:
            return None
        basic = MORE_BASIC.get(settled.clause)
        if basic:
            smallest, settled = self._more_basic(smallest, settled, basic)
        return Caught(settled.clause, settled, smallest, shrinker.runs)

    def _more_basic(
        self, program: Program, violation: Violation, clauses: set[str]
    ) -> tuple[Program, Violation]:
        shrinker = self._shrinker(clauses)
        smaller = shrinker.shrink(program)
        if smaller == program:
            return program, violation
        settled = self.trial.run(smaller, minimal=True).violation
        return (program, violation) if settled is None else (smaller, settled)

    def _shrinker(self, clauses: set[str]) -> Shrinker:
        """Shrinks towards any of `clauses`; other faults on the way are passed over."""

        def failing(program: Program) -> Program | None:
            session = self.trial.run(program, ignores=lambda v: v.clause not in clauses)
            return session.program if session.violated else None

        return Shrinker(failing, budget=self.budget)

    def _ask_reference(self, caught: Caught) -> None:
        session: Session = self.reference.run(caught.program, minimal=True)
        if session.violation is not None:
            raise HarnessFault(
                f"the reference breaks {session.violation.clause} on the program that shows "
                f"{caught.clause}: {session.violation}, {caught.program}"
            )

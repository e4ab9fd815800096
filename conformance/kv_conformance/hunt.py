"""From a violation to a finding: shrink, settle the blame, ask the reference, report once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kv_reference.verdicts import Violation
from kv_spec.operations import Operation, Program

from kv_conformance.phases.side_by_side import Patient, real_waits
from kv_conformance.session import Session
from kv_conformance.settle import Inquiry
from kv_conformance.trial import Trial


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
        inquiry = Inquiry(
            self._way(program), program, violation, self.budget, without_list=self.without_list
        )
        smallest = inquiry.smallest()
        if smallest is not None:
            least, settled = inquiry.blamed(smallest)
            if settled is not None:
                return Caught(settled.clause, settled, least, inquiry.runs)
        # It shows now and then only, which a store that is right never does: unless a fault that
        # is known already comes before it, and has left things behind.
        if not inquiry.suspected.isdisjoint(self.caught) or inquiry.follows(self.caught):
            return None
        seen = Caught(violation.clause, violation, program, inquiry.runs, steady=False)
        if smallest is None and self.trial.subject.clock.exact:
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

    def _way(self, program: Program) -> Trial | Patient:
        """How a program is run anew: with others at its side where its waits are real."""
        return Patient(self.trial) if real_waits(self.trial, program) else self.trial

    def _ask_reference(self, caught: Caught) -> None:
        session: Session = self.reference.run(caught.program, minimal=True)
        if session.violation is not None:
            raise HarnessFault(
                f"the reference breaks {session.violation.clause} on the program that shows "
                f"{caught.clause}: {session.violation}, {caught.program}"
            )

"""What a phase has done so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from kv_reference.clause_sets import ClauseSet, counted
from kv_reference.oracle import Oracle

from kv_conformance.session import Session

_MOST: Final = 4_096
"""Different sets of clauses that are kept; past so many they are counted one clause at a time."""


@dataclass(slots=True)
class Tally:
    """Programs and operations performed, and how often each clause was put to the test."""

    programs: int = 0
    operations: int = 0
    refused_by: set[str] = field(default_factory=set)
    """Exceptions that refused input, and that not everybody reads so."""
    _checks: Counter[str] = field(default_factory=Counter)
    _sets: Counter[ClauseSet] = field(default_factory=Counter)
    """How often operations put just these clauses to the test: quicker to count than each."""

    def add(self, session: Session) -> None:
        """Counts a finished program."""
        self.programs += 1
        self.take(len(session.steps), session.oracle)

    def take(self, operations: int, oracle: Oracle) -> None:
        """Counts so many operations, and what `oracle` saw in them."""
        self.operations += operations
        self._sets.update(oracle.judged)
        self.refused_by |= oracle.refused_by
        if len(self._sets) > _MOST:
            self._checks, self._sets = self.checks, Counter()

    @property
    def checks(self) -> Counter[str]:
        """How often each clause was put to the test."""
        return self._checks + counted(self._sets)

    def plus(self, other: Tally) -> Tally:
        """What both come to together."""
        return Tally(
            self.programs + other.programs,
            self.operations + other.operations,
            self.refused_by | other.refused_by,
            self.checks + other.checks,
        )


OnProgress = Callable[[Tally], None]

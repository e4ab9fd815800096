"""What a phase has done so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from kv_reference.oracle import Oracle

from kv_conformance.session import Session


@dataclass(slots=True)
class Tally:
    """Programs and operations performed, and how often each clause was put to the test."""

    programs: int = 0
    operations: int = 0
    checks: Counter[str] = field(default_factory=Counter)
    refused_by: set[str] = field(default_factory=set)
    """Exceptions that refused input, and that not everybody reads so."""

    def add(self, session: Session) -> None:
        """Counts a finished program."""
        self.programs += 1
        self.take(len(session.steps), session.oracle)

    def take(self, operations: int, oracle: Oracle) -> None:
        """Counts so many operations, and what `oracle` saw in them."""
        self.operations += operations
        self.checks.update(oracle.checks)
        self.refused_by |= oracle.refused_by

    def plus(self, other: Tally) -> Tally:
        """What both come to together."""
        return Tally(
            self.programs + other.programs,
            self.operations + other.operations,
            self.checks + other.checks,
            self.refused_by | other.refused_by,
        )


OnProgress = Callable[[Tally], None]

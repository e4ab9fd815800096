"""Running a program: the store under test and the oracle in lockstep."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from kv_reference.oracle import Oracle
from kv_reference.verdicts import Violation
from kv_spec.operations import Operation, Program, Race
from kv_spec.outcomes import Outcome, Raced

from kv_conformance.clocks.base import Clock

MOST_SWITCHES: Final = 150
"""So many places of a race are tried; of a longer first branch, as many spread evenly."""


class AnyWorld(Protocol):
    """What a program runs in; see `kv_conformance.subject.world.World`."""

    def perform(self, operation: Operation) -> Outcome:
        """Applies an operation."""

    def close(self) -> None:
        """Gives everything back."""


@dataclass(frozen=True, slots=True)
class Step:
    """An operation, what it came to, and the clauses that it put to the test."""

    operation: Operation
    outcome: Outcome
    at_stake: tuple[str, ...]
    violation: Violation | None = None


@dataclass(slots=True)
class Session:
    """One program on one world.

    Clauses in `muted` are judged and adopted in silence: a fault already found does not hide
    the next one.
    """

    world: AnyWorld
    oracle: Oracle
    clock: Clock
    muted: Collection[str] = frozenset()
    steps: list[Step] = field(default_factory=list)
    violation: Violation | None = None

    def do(self, operation: Operation) -> Violation | None:
        """Performs one operation and judges it; a muted violation is not returned."""
        began = self.clock.now()
        outcome = self.world.perform(operation)
        violation = self.oracle.judge(operation, outcome, began, self.clock.now())
        self.steps.append(Step(operation, outcome, self.oracle.at_stake, violation))
        if violation is not None and violation.clause in self.muted:
            return None
        self.violation = violation
        return violation

    @property
    def violated(self) -> bool:
        """True if the last operation broke a clause that is not muted."""
        return self.violation is not None

    @property
    def program(self) -> Program:
        """The operations performed so far."""
        return tuple(step.operation for step in self.steps)


OpenSession = Callable[[], Session]


def run_program(program: Sequence[Operation], open_session: OpenSession) -> Session:
    """Runs a program up to its first violation.

    A race without a switch is first run without one, which counts its steps; then the program
    is run again with a switch at each step in turn, up to the first violation.
    """
    session = _run(program, open_session())
    if session.violated or not any(_is_open(operation) for operation in program):
        return session
    steps = max(step.outcome.steps for step in session.steps if isinstance(step.outcome, Raced))
    here, stride = 0, max(1, -(-steps // MOST_SWITCHES))
    while here < steps and not session.violated:
        variant = [replace(op, switch=here) if _is_open(op) else op for op in program]
        session = _run(variant, open_session())
        # Where the held worker has a lock, the others wait for it at every step: look ahead.
        blocked = any(isinstance(s.outcome, Raced) and s.outcome.blocked for s in session.steps)
        stride = stride * 2 if blocked else max(1, -(-steps // MOST_SWITCHES))
        here += stride
    return session


def _run(program: Sequence[Operation], session: Session) -> Session:
    try:
        for operation in program:
            if session.do(operation) is not None:
                break
    finally:
        session.world.close()
    return session


def _is_open(operation: Operation) -> bool:
    return isinstance(operation, Race) and operation.switch is None

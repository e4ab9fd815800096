"""Running a program: the store under test and the oracle in lockstep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from kv_reference.oracle import Oracle
from kv_reference.verdicts import Violation
from kv_spec import switches
from kv_spec.operations import Operation, Program, Race
from kv_spec.outcomes import Outcome, Raced

from kv_conformance.clocks.base import Clock


class AnyWorld(Protocol):
    """What a program runs in; see `kv_conformance.subject.world.World`."""

    hurried: bool
    spoilt: bool

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

    A violation that `ignores` says yes to is adopted in silence: a fault already found does not
    hide the next one.
    """

    world: AnyWorld
    oracle: Oracle
    clock: Clock
    ignores: Callable[[Violation], bool] = lambda _: False
    steps: list[Step] = field(default_factory=list)
    violation: Violation | None = None

    def do(self, operation: Operation) -> Violation | None:
        """Performs one operation and judges it; an ignored violation is not returned."""
        began = self.clock.now()
        outcome = self.world.perform(operation)
        violation = self.oracle.judge(operation, outcome, began, self.clock.now())
        self.steps.append(Step(operation, outcome, self.oracle.at_stake, violation))
        if violation is not None:
            self.world.spoilt = True
            if self.ignores(violation):
                return None
        self.violation = violation
        return violation

    @property
    def violated(self) -> bool:
        """True if the last operation broke a clause, and that was not ignored."""
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
    if not any(_is_open(operation) for operation in program):
        return _run(program, open_session())
    places = switches.places()
    place = next(places)
    while True:
        variant = [held(op, place) for op in program]
        session = open_session()
        session.world.hurried = True
        _run(variant, session)
        races = [step.outcome for step in session.steps if isinstance(step.outcome, Raced)]
        if session.violated or not races:
            return session
        try:
            place = places.send(max(race.steps for race in races))
        except StopIteration:
            return session


def _run(program: Sequence[Operation], session: Session) -> Session:
    try:
        for operation in program:
            if session.do(operation) is not None:
                break
    finally:
        session.world.close()
    return session


def held(operation: Operation, place: int | None) -> Operation:
    """A race without a switch with one at `place`; anything else as it is."""
    if isinstance(operation, Race) and operation.switch is None:
        return replace(operation, switch=place)
    return operation


def _is_open(operation: Operation) -> bool:
    return isinstance(operation, Race) and operation.switch is None

"""One program's view of the store under test: its data spaces, its handles, its clock."""

from __future__ import annotations

import itertools
import os
from typing import Any

from kv_spec.operations import Advance, Open, Operation, Race
from kv_spec.outcomes import Outcome, raised
from kv_spec.perform import Surface
from kv_spec.profile import Profile

from kv_conformance.clocks.base import Clock
from kv_conformance.subject.black_box import BlackBox, encoded
from kv_conformance.subject.factory import Factory, Opened
from kv_conformance.subject.racing import Racing
from kv_conformance.subject.salted import Salted
from kv_conformance.subject.silence import PERHAPS_UNANSWERED, Silence, Unreachable

_FIRST = "a"


class Subject:
    """The store under test: makes a fresh world for each program.

    Data spaces get names that no run used before, so that what an earlier run left in a shared
    backend is not seen. With `salted` the factory's stores see each other's entries (OPEN-1),
    and every program keeps to keys of its own instead. `under_way` is the world whose store is
    being called just now, and `silence` counts the calls: a watchdog reads both. `box` is told
    of each call before it is made. Raises Unreachable where a store answers no more.
    """

    def __init__(self, factory: Factory, profile: Profile, clock: Clock) -> None:
        self.factory, self.profile, self.clock = factory, profile, clock
        self.salted = False
        self.under_way: World | None = None
        self.shared = factory.takes_space
        self.box: BlackBox | None = None
        self.silence = Silence()
        self._numbers = itertools.count()
        self._run = f"{os.getpid():x}-{os.urandom(4).hex()}"

    def world(self) -> World:
        """A world with nothing in it."""
        self.clock.restart()
        return World(self, f"kvc-{self._run}-{next(self._numbers)}")

    def surface(self, name: str) -> tuple[Surface, Opened]:
        """Opens a data space by name; tries again where the store did not answer."""
        opened = self._reach(name)
        store = Salted(opened.store, name, self.profile.flat) if self.salted else opened.store
        return Surface(store, self.profile), opened

    def _reach(self, name: str) -> Opened:
        while True:
            try:
                return self.factory.open(name)
            except Exception as error:
                outcome = raised(error)
                if not outcome.indefinite:
                    raise
                self.silence.note(outcome)


class World:
    """The handles that one program opened, and the operations it performed.

    `hurried`: its races are some of many; see `kv_conformance.subject.standstill`. `swept`: the
    black box knows the program already, and only needs to be told how far it has come. `spoilt`:
    its store broke a clause.
    """

    def __init__(self, subject: Subject, name: str) -> None:
        self.subject, self.name = subject, name
        self.clock = subject.clock
        self._first: dict[str, Surface] = {}
        self._opened: list[Opened] = []
        self._racing: Racing | None = None
        self.operations: list[Operation] = []
        self.hurried = self.swept = self.spoilt = False
        self._written: list[bytes] = []
        self.space = _FIRST
        self.surface = self._open(_FIRST)

    def _open(self, space: str) -> Surface:
        known = self._first.get(space)
        if known is not None and not self.subject.shared:
            return known
        surface, opened = self.subject.surface(f"{self.name}-{space}")
        self._opened.append(opened)
        self._first.setdefault(space, surface)
        return surface

    def another(self) -> Surface:
        """One more handle on the current space, for a worker of a race."""
        surface, opened = self.subject.surface(self.full_name)
        self._opened.append(opened)
        return surface

    def perform(self, operation: Operation) -> Outcome:
        """Applies any operation, those of time, spaces and races included."""
        self.operations.append(operation)
        kind = type(operation)
        if kind is Advance:
            self.clock.advance(operation.seconds)  # type: ignore[union-attr]
            return None
        subject = self.subject
        if subject.box is not None:
            self._note(subject.box)
        silence = subject.silence
        subject.under_way = self
        try:
            if kind is Open or kind is Race:
                outcome = self._perform(operation)
            else:
                outcome = self.surface.perform(operation)
        finally:
            subject.under_way = None
        if silence.in_a_row or type(outcome) in PERHAPS_UNANSWERED:
            silence.note(outcome)
        else:
            silence.calls += 1
        return outcome

    def _note(self, box: BlackBox) -> None:
        if self.swept:
            box.step(len(self.operations))
        else:
            for operation in self.operations[len(self._written) :]:
                self._written.append(encoded(operation))
                box.operation(self._written)

    @property
    def full_name(self) -> str:
        """The name of the current data space, as the factory was given it."""
        return f"{self.name}-{self.space}"

    @property
    def written(self) -> int:
        """How many writes the current handle was asked for so far."""
        return self.surface.written

    @property
    def handles(self) -> tuple[Any, ...]:
        """The stores opened so far, as the factory made them."""
        return tuple(opened.original for opened in self._opened)

    def _perform(self, operation: Operation) -> Outcome:
        if isinstance(operation, Race):
            if self._racing is None:
                self._racing = Racing(self)
            return self._racing.run(operation)
        assert isinstance(operation, Open)
        try:
            self.surface = self._open(operation.space)
        except Unreachable:
            raise
        except BaseException as error:
            return raised(error)
        self.space = operation.space
        return None

    def close(self) -> None:
        """Gives all handles back."""
        for opened in self._opened:
            opened.close()
        self._opened.clear()
        if self.spoilt:
            self.subject.factory.renew()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

"""Running the branches of a race, with one switch at a chosen step of the first.

A compare-and-swap that reads and then writes is broken by one switch in the right place, so
trying every place once finds it for certain, without luck in the scheduling (Musuvathi and Qadeer,
"Iterative context bounding", PLDI 2007: few switches suffice for most races). A synchronous store
is stepped by the bytecode instructions, as far as others may notice them, of every module that is
neither the standard library's nor the harness's (of a server's client: by what it sends and
receives); an asynchronous one by its suspensions.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Generator
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from kv_spec.operations import Operation, Race
from kv_spec.outcomes import Outcome, Raced, raised
from kv_spec.perform import Surface

from kv_conformance.subject.standstill import give_time
from kv_conformance.subject.steps import is_stepped, places

if TYPE_CHECKING:
    from kv_conformance.subject.world import World

END: Final = 20.0
"""Seconds after which a race is given up, whoever is still running."""


class Switch:
    """Counts the steps of the held worker and holds it at the chosen one.

    `reached` is set when it has come there, and also when it has ended.
    """

    def __init__(self, step: int | None) -> None:
        self.step = sys.maxsize if step is None else step
        self.steps = 0
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def count(self) -> bool:
        """Counts a step; True at the chosen one."""
        here = self.steps == self.step
        self.steps += 1
        if here:
            self.reached.set()
        return here

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        """The trace function of a worker thread."""
        if not is_stepped(frame.f_code.co_filename):
            return None
        worth = places(frame)
        if not worth:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False

        def step(frame: FrameType, event: str, _: Any) -> Any:
            if event == "opcode" and frame.f_lasti in worth and self.count():
                self.go_on.wait(END)
            return step

        return step

    def suspensions(self, coroutine: Any) -> Generator[Any, Any, Any]:
        """Steps through a coroutine by its suspensions, and holds it at the chosen one."""
        inner = coroutine.__await__()
        while True:
            if self.count():
                while not self.go_on.is_set():
                    yield
            try:
                waited = next(inner)
            except StopIteration as stop:
                return stop.value
            yield waited


class Worker(threading.Thread):
    """A thread that runs one branch; `outcome` is what it came to."""

    def __init__(self, work: Callable[[], Outcome]) -> None:
        super().__init__(name="race", daemon=True)
        self.work = work
        self.outcome: Outcome = None
        self.start()

    def run(self) -> None:
        """Runs the branch."""
        try:
            self.outcome = self.work()
        except BaseException as error:
            self.outcome = raised(error)

    def ended(self, seconds: float) -> bool:
        """True when it has done its work; waits for that for at most `seconds`."""
        self.join(seconds)
        return not self.is_alive()


class Racing:
    """Races on one world. Each worker has a handle of its own where the factory takes a space."""

    def __init__(self, world: World) -> None:
        self.world = world

    def run(self, race: Race) -> Outcome:
        """Runs the branches; the first is held at step `race.switch`, if it comes so far."""
        bridge = self.world.subject.factory.bridge
        switch = Switch(race.switch)
        if bridge is None:
            return self._run(race, switch, self._traced)
        return bridge.serve(lambda: self._run(race, switch, self._suspended))

    def _run(
        self, race: Race, switch: Switch, held: Callable[[Operation, Switch], Outcome]
    ) -> Raced:
        first = Worker(lambda: self._first(race.branches[0], switch, held))
        switch.reached.wait()
        rest = [Worker(partial(self._free, branch)) for branch in race.branches[1:]]
        # A worker on an event loop sleeps in a lock whatever its task does.
        alone = self.world.subject.factory.bridge is None
        give_time(rest, hurried=self.world.hurried, alone=alone)
        switch.go_on.set()
        workers = (first, *rest)
        for worker in workers:
            worker.join()
        return Raced(tuple(worker.outcome for worker in workers), switch.steps)

    def _first(
        self, branch: Operation, switch: Switch, held: Callable[[Operation, Switch], Outcome]
    ) -> Outcome:
        try:
            return held(branch, switch)
        finally:
            switch.reached.set()

    def _surface(self) -> Surface:
        return self.world.another() if self.world.subject.shared else self.world.surface

    def _free(self, branch: Operation) -> Outcome:
        return self._surface().perform(branch)

    def _traced(self, branch: Operation, switch: Switch) -> Outcome:
        surface = self._surface()
        sys.settrace(switch.trace)
        try:
            return surface.perform(branch)
        finally:
            sys.settrace(None)

    def _suspended(self, branch: Operation, switch: Switch) -> Outcome:
        bridge = self.world.subject.factory.bridge
        assert bridge is not None
        with bridge.held(switch.suspensions):
            return self._free(branch)

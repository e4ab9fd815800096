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
from collections.abc import Callable, Generator, Iterable
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

from kv_spec.operations import Operation, Race
from kv_spec.outcomes import Outcome, Raced, raised
from kv_spec.perform import Surface

from kv_conformance.subject.standstill import give_time
from kv_conformance.subject.steps import is_stepped, places

if TYPE_CHECKING:
    from kv_conformance.subject.world import World


class Switch:
    """Counts the steps of the first branch, up to the chosen one and beyond."""

    def __init__(self, step: int | None) -> None:
        self.step = sys.maxsize if step is None else step
        self.steps = 0

    def count(self) -> bool:
        """Counts a step; True at the chosen one."""
        here = self.steps == self.step
        self.steps += 1
        return here


class Interruption(Switch):
    """A switch in the thread of the first branch, which calls `others` at the chosen step."""

    def __init__(self, step: int | None, others: Callable[[], None]) -> None:
        super().__init__(step)
        self.others = others

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        """The trace function of the thread."""
        if not is_stepped(frame.f_code.co_filename):
            return None
        worth = places(frame)
        if not worth:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False

        def step(frame: FrameType, event: str, _: Any) -> Any:
            if event == "opcode" and frame.f_lasti in worth and self.count():
                self.others()
            return step

        return step


class Suspension(Switch):
    """A switch at a suspension of a coroutine, which its event loop holds there.

    `reached` is set when it has come there, and also when it has ended.
    """

    def __init__(self, step: int | None) -> None:
        super().__init__(step)
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def suspensions(self, coroutine: Any) -> Generator[Any, Any, Any]:
        """Steps through a coroutine by its suspensions, and holds it at the chosen one."""
        inner = coroutine.__await__()
        while True:
            if self.count():
                self.reached.set()
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
        """Runs the branches, the others at step `race.switch` of the first, if it comes so far."""
        bridge = self.world.subject.factory.bridge
        if bridge is None:
            return self._interrupted(race)
        return bridge.serve(partial(self._suspended, race))

    def _interrupted(self, race: Race) -> Raced:
        rest: list[Worker] = []
        failed: list[BaseException] = []

        def others() -> None:
            try:
                rest.extend(self._others(race))
            except BaseException as error:  # ours, which must not go through the store
                failed.append(error)

        switch = Interruption(race.switch, others)
        first = self._traced(race.branches[0], switch)
        if failed:
            raise failed[0]
        return _raced([first], rest or self._others(race), switch)

    def _suspended(self, race: Race) -> Raced:
        switch = Suspension(race.switch)
        first = Worker(partial(self._held, race.branches[0], switch))
        switch.reached.wait()
        rest = self._others(race)
        switch.go_on.set()
        return _raced([], [first, *rest], switch)

    def _others(self, race: Race) -> list[Worker]:
        """Runs the other branches until they have ended, or wait for the first."""
        workers = [Worker(partial(self._free, branch)) for branch in race.branches[1:]]
        # A worker on an event loop sleeps in a lock whatever its task does.
        alone = self.world.subject.factory.bridge is None
        give_time(workers, hurried=self.world.hurried, alone=alone)
        return workers

    def _free(self, branch: Operation) -> Outcome:
        return self._surface().perform(branch)

    def _surface(self) -> Surface:
        return self.world.another() if self.world.subject.shared else self.world.surface

    def _traced(self, branch: Operation, switch: Interruption) -> Outcome:
        before = sys.gettrace()
        try:
            surface = self._surface()
            sys.settrace(switch.trace)
            return surface.perform(branch)
        except BaseException as error:
            return raised(error)
        finally:
            sys.settrace(before)

    def _held(self, branch: Operation, switch: Suspension) -> Outcome:
        bridge = self.world.subject.factory.bridge
        assert bridge is not None
        try:
            with bridge.held(switch.suspensions):
                return self._free(branch)
        finally:
            switch.reached.set()


def _raced(outcomes: list[Outcome], workers: Iterable[Worker], switch: Switch) -> Raced:
    """What all came to, when the workers have ended too."""
    for worker in workers:
        worker.join()
        outcomes.append(worker.outcome)
    return Raced(tuple(outcomes), switch.steps)

"""Running the branches of a race, with one switch at a chosen step of the first.

A compare-and-swap that reads and then writes is broken by one switch in the right place, so
trying every place once finds it for certain, without luck in the scheduling (Musuvathi and Qadeer,
"Iterative context bounding", PLDI 2007: few switches suffice for most races). A synchronous store
is stepped by the bytecode instructions of every module that is neither the standard library's nor
the harness's; an asynchronous one by its suspensions.
"""

from __future__ import annotations

import sys
import sysconfig
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import kv_spec
from kv_spec.operations import Operation, Race
from kv_spec.outcomes import Outcome, Raced, raised
from kv_spec.perform import Surface

import kv_conformance
from kv_conformance import real_time

if TYPE_CHECKING:
    from kv_conformance.subject.world import World

LOOK: Final = 0.0005
"""Seconds between two looks at workers that may be waiting for the one that is held."""
STALLED: Final = 4
"""So many looks without a step of any of them, and the held worker is taken to block them. Who
runs one place again, and not every place in turn, looks ten times as often, to be sure."""
LONGEST: Final = 0.1
"""Seconds after which they are taken to be blocked, steps or no steps."""
END: Final = 20.0
"""Seconds after which a race is given up, whoever is still running."""

_HARNESS: Final = tuple(str(Path(m.__file__ or "").parent) for m in (kv_spec, kv_conformance))
_STDLIB: Final = (str(sysconfig.get_path("stdlib")), "<frozen")


def is_stepped(filename: str) -> bool:
    """True for a file in which a worker may be held."""
    if filename.startswith(_HARNESS):
        return False
    return not filename.startswith(_STDLIB) or "site-packages" in filename


class Switch:
    """Counts the steps of the held worker and holds it at the chosen one."""

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
        if event == "call":
            if not is_stepped(frame.f_code.co_filename):
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        elif event == "opcode" and self.count():
            self.go_on.wait(END)
        return self.trace

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
        with ThreadPoolExecutor(len(race.branches), "race") as pool:
            first = pool.submit(held, race.branches[0], switch)
            while not switch.reached.wait(0.0002) and not first.done():
                pass
            threads: list[int] = []
            rest = [pool.submit(self._free, branch, threads) for branch in race.branches[1:]]
            _give_time(rest, threads, STALLED * (1 if self.world.hurried else 10))
            switch.go_on.set()
            outcomes = tuple(future.result(END) for future in (first, *rest))
        return Raced(outcomes, switch.steps)

    def _surface(self) -> Surface:
        return self.world.another() if self.world.subject.shared else self.world.surface

    def _free(self, branch: Operation, threads: list[int]) -> Outcome:
        threads.append(threading.get_ident())
        try:
            return self._surface().perform(branch)
        except BaseException as error:
            return raised(error)

    def _traced(self, branch: Operation, switch: Switch) -> Outcome:
        try:
            surface = self._surface()
        except BaseException as error:
            return raised(error)
        sys.settrace(switch.trace)
        try:
            return surface.perform(branch)
        finally:
            sys.settrace(None)

    def _suspended(self, branch: Operation, switch: Switch) -> Outcome:
        bridge = self.world.subject.factory.bridge
        assert bridge is not None
        with bridge.held(switch.suspensions):
            return self._free(branch, [])


def _give_time(futures: list[Future[Outcome]], threads: list[int], looks: int) -> None:
    """Waits until all have ended, or for so many looks none of `threads` made a step."""
    end = real_time.perf_counter() + LONGEST
    last: list[tuple[int, int]] = []
    still = 0
    while wait(futures, LOOK).not_done:
        frames = sys._current_frames()
        now = [(id(f), f.f_lasti) for t in tuple(threads) if (f := frames.get(t)) is not None]
        still = still + 1 if now == last and len(threads) == len(futures) else 0
        last = now
        if still >= looks or real_time.perf_counter() > end:
            return

"""The run in the process of the store: look at it, choose a clock, run the phases.

Only events leave this process. Whatever the store does to it (block, spin, exit, print) is seen
by the process that waits for the events.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from kv_spec.json_form import to_json

from kv_conformance import events, real_time
from kv_conformance.clocks.choose import ClockError
from kv_conformance.clocks.virtual import PatchedClock
from kv_conformance.hunt import Caught, HarnessFault, Hunt
from kv_conformance.phases import tally
from kv_conformance.replay import token
from kv_conformance.settings import Settings, UsageError
from kv_conformance.stage import Stage, set_up
from kv_conformance.subject.world import Subject
from kv_conformance.target import TargetError, find, started
from kv_conformance.trial import trial_of
from kv_conformance.watch import Watch

Emit = Callable[[events.Event], None]


class Unreachable(Exception):
    """The store can not be reached, or does not answer with any sense (exit 3)."""


def main(settings: Settings, connection: Any) -> None:
    """The entry point of the process: runs, and sends events over `connection`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lock = threading.Lock()

    def emit(event: events.Event | None) -> None:
        with lock, suppress(OSError):
            connection.send(event)

    _quiet(settings.folder)
    engine = Engine(settings, emit)
    watch = Watch(settings.timeout, lambda: emit(None), engine.stuck)
    engine.watch = watch
    stopped = engine.run()
    watch.end()
    if stopped is not None:
        emit(stopped)
    connection.close()
    sys.stdout.flush()
    # Not sys.exit: threads that the store left behind must not keep the process.
    os._exit(0)


def _quiet(folder: str) -> None:
    """What the store prints goes to a file, not between the lines of a report."""
    target = os.open(Path(folder or ".") / "output.log", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)


class Engine:
    """One run. `emit` sends an event; `watch` limits what foreign code may take."""

    def __init__(self, settings: Settings, emit: Emit) -> None:
        self.settings, self.emit = settings, emit
        self.watch: Watch | None = None
        self.began = real_time.perf_counter()
        self.stage: Stage | None = None

    def run(self) -> events.Stopped | None:
        """Runs all phases; returns why it stopped early, if it did."""
        try:
            self._run()
        except (UsageError, TargetError, ClockError) as error:
            return events.Stopped("usage", str(error))
        except Unreachable as error:
            return events.Stopped("unreachable", str(error))
        except HarnessFault as error:
            return events.Stopped("harness", str(error))
        except MemoryError:
            return events.Stopped("crash", "the process ran out of memory")
        except BaseException as error:
            return events.Stopped("harness", _described(error))
        return None

    def _run(self) -> None:
        sys.path.insert(0, str(Path.cwd()))
        os.chdir(self.settings.folder or ".")
        patched = PatchedClock() if self.settings.clock in ("auto", "patched") else None
        _preload()
        if patched is not None:
            patched.install()
        with self._during("importing the store"):
            os.chdir(sys.path[0])
            target = find(self.settings.store)
            os.chdir(self.settings.folder or ".")
        with started(target) as (running, note):
            if note:
                self.emit(events.Note(note))
            with self._during("opening the store"):
                self.stage = set_up(running, self.settings, patched, self.emit)
            if self.watch is not None:
                self.watch.subject = self.stage.subject
            self._phases(self.stage)

    def _during(self, what: str) -> Any:
        assert self.watch is not None
        return self.watch.during(what)

    def _phases(self, stage: Stage) -> None:
        reference = trial_of(profile=stage.profile.replace(absent="none"))
        hunt = Hunt(stage.trial, reference, lambda caught: self._found(stage, caught))
        for name, phase in stage.phases(self.settings):
            self.emit(events.PhaseStarted(name))
            self.phase_began = real_time.perf_counter()
            self.phase, self.so_far = name, tally.Tally()
            counted = phase(hunt, self._progress)
            self.emit(
                events.PhaseEnded(
                    name,
                    counted.programs,
                    counted.operations,
                    real_time.perf_counter() - self.phase_began,
                    dict(sorted(counted.checks.items())),
                )
            )

    def _progress(self, counted: tally.Tally) -> None:
        self.so_far = counted
        now = real_time.perf_counter()
        if now - self.began > 0.2:
            self.began = now
            self.emit(events.Progress(self.phase, counted.programs, counted.operations))

    def _found(self, stage: Stage, caught: Caught) -> None:
        violation = caught.violation
        self.emit(
            events.Found(
                events.Finding(
                    caught.clause,
                    violation.expected,
                    violation.actual if caught.steady else f"{violation.actual} (once)",
                    to_json(caught.program),
                    stage.opening.python(caught.program, violation.expected, violation.actual),
                    token(caught.program),
                    self.phase,
                    self.so_far.operations,
                    real_time.perf_counter() - self.phase_began,
                )
            )
        )

    def stuck(self, what: str, subject: Subject | None) -> None:
        """Ends this process, since a call does not end by itself; called by the watching thread."""
        world = None if subject is None else subject.under_way
        program, python, doing = None, "", what
        if world is not None and self.stage is not None and world.operations:
            operations = tuple(world.operations[-20:])
            program = to_json(operations)
            python = self.stage.opening.python(operations, "an answer", "none")
            doing = operations[-1].op
        message = f"{doing} did not end within {self.settings.timeout:g} s"
        self.emit(events.Stopped("hang", message, program, python))
        os._exit(70)


def _preload() -> None:
    """Imports what waits by real time, before the process's time is patched."""
    for name in ("asyncio", "concurrent.futures.thread", "queue", "hypothesis.stateful"):
        importlib.import_module(name)


def _described(error: BaseException) -> str:
    import traceback

    return "".join(traceback.format_exception(error))[-4000:]

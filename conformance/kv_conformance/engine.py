"""The run in the process of the store: look at it, choose a clock, run the phases.

Only events leave this process. Whatever the store does to it (block, spin, exit, print) is seen
by the process that waits for the events.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from kv_spec.json_form import to_json
from kv_spec.outcomes import raised

from kv_conformance import events, real_time
from kv_conformance.agenda import Agenda
from kv_conformance.canary import Canary, escape
from kv_conformance.clocks.choose import ClockError
from kv_conformance.clocks.patched import PatchedClock
from kv_conformance.hunt import Caught, HarnessFault, Hunt
from kv_conformance.parting import OVER, contains, endless
from kv_conformance.phases import tally
from kv_conformance.phases.ahead import Ahead
from kv_conformance.phases.jobs import Place
from kv_conformance.replay import token
from kv_conformance.settings import Settings, UsageError
from kv_conformance.stage import Stage, set_up
from kv_conformance.subject.black_box import BlackBox
from kv_conformance.subject.silence import Unreachable
from kv_conformance.subject.world import World
from kv_conformance.surroundings import preload
from kv_conformance.target import TargetError, find, started
from kv_conformance.trial import trial_of
from kv_conformance.watch import Watch

Emit = Callable[[events.Event], None]

_PROGRESS: Final = 0.2
"""Seconds between two events that tell how far a phase has come."""
_NOT_AGAIN: Final = " (seen, and not seen again when the program was repeated)"
_UNUSUAL: Final = (
    "input was refused with {name}, which a caller hardly takes for a refusal: raise ValueError or "
    "TypeError, or declare it in the profile, rejects=({name},)"
)
_STUCK: Final = 70


class Engine:
    """One run. `emit` sends an event, `send` what else the waiting process understands.

    `watch` limits what foreign code may take.
    """

    def __init__(self, settings: Settings, emit: Emit, send: Callable[[Any], None]) -> None:
        self.settings, self.emit, self.send = settings, emit, send
        box = BlackBox(settings.folder) if settings.folder else None
        self.watch = Watch(settings.timeout, lambda: send(None), self.stuck, box)
        self.told = real_time.perf_counter()
        self.stage: Stage | None = None
        self.canary: Canary | None = None
        self.ahead: Ahead | None = None
        self.phase, self.so_far = "", tally.Tally()
        self.phase_began = self.told
        self.refused_by: set[str] = set()

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
        except BaseException as error:
            return self._fault(error)
        return None

    def _fault(self, error: BaseException) -> events.Stopped:
        """Whose fault an exception is that nobody expected: the store's factory's, or ours."""
        failed = None if self.watch.subject is None else self.watch.subject.factory.failed
        if failed is not None and contains(error, failed):
            return events.Stopped(
                "erratic",
                f"opening the store once more raised {raised(failed)}, after it had worked. The "
                "factory is called for every program and must return a new, empty store each time.",
            )
        if isinstance(error, MemoryError):
            return events.Stopped("crash", "the process ran out of memory")
        return events.Stopped("harness", _described(error))

    def _run(self) -> None:
        here = str(Path.cwd())
        sys.path.insert(0, here)
        self.canary = Canary(Path(self.settings.folder)) if self.settings.folder else None
        patched = PatchedClock() if self.settings.clock in ("auto", "patched") else None
        preload(self.settings.folder)
        if patched is not None:
            patched.install()
        self.ahead = ahead = Ahead(self.settings)
        try:
            self._on_target(here, patched, ahead)
        finally:
            ahead.stop()

    def _on_target(self, here: str, patched: PatchedClock | None, ahead: Ahead) -> None:
        with self.watch.during("importing the store"):
            target = find(self.settings.store)
        # Who says where the store is says so from the folder he is in; who does not gets one.
        if self.canary is not None and not (target.options or self.settings.options):
            os.chdir(self.canary.work)
        with started(target) as (running, note):
            if note:
                self.emit(events.Note(note))
            self.stage = set_up(running, self.settings, patched, self.emit, self.watch)
            self.send(self.stage.opening)
            self.send(pickle.dumps(self.stage.plan))
            try:
                agenda = Agenda(
                    self.stage,
                    self.settings,
                    Place.of(target, self.stage, self.settings, here),
                    ahead,
                    real_time.monotonic(),
                )
                self._phases(agenda)
            finally:
                summary = self.stage.subject.silence.summary()
                if summary is not None:
                    self.emit(events.Note(summary))

    def _phases(self, agenda: Agenda) -> None:
        stage = agenda.stage
        reference = trial_of(profile=stage.reference_profile)
        hunt = Hunt(
            stage.trial,
            reference,
            lambda caught: self._found(stage, caught),
            without_list="list" not in stage.offer.capabilities,
            alone=agenda.ahead.stop,
        )
        self._look_first(stage, hunt)
        gc.freeze()  # what is there stays there: no search for garbage need go through it again
        for name, phase in agenda.phases():
            self.emit(events.PhaseStarted(name))
            self.phase, self.so_far = name, tally.Tally()
            self.phase_began = real_time.perf_counter()
            try:
                self.so_far = phase(hunt, self._progress)
            finally:
                self._end_phase()
        hunt.finish()

    def _look_first(self, stage: Stage, hunt: Hunt) -> None:
        """Reports what the first look at the store has seen already: leaks, and ways out."""
        self.phase = "first look"
        seen = [stage.leak]
        if self.canary is not None and self.settings.replay is None:
            seen.append(escape(stage.trial, self.canary))
        for leak in seen:
            if leak is not None:
                program, violation = leak
                caught = Caught(violation.clause, violation, program, 1)
                hunt.caught[violation.clause] = caught
                self._found(stage, caught)

    def _end_phase(self) -> None:
        """Tells how far the phase has come, also where it was cut short."""
        counted = self.so_far
        self.emit(
            events.PhaseEnded(
                self.phase,
                counted.programs,
                counted.operations,
                real_time.perf_counter() - self.phase_began,
                dict(sorted(counted.checks.items())),
            )
        )

        for name in sorted(counted.refused_by - self.refused_by):
            self.emit(events.Note(_UNUSUAL.format(name=name)))
        self.refused_by |= counted.refused_by

    def _progress(self, counted: tally.Tally) -> None:
        self.so_far = counted
        now = real_time.perf_counter()
        if now - self.told > _PROGRESS:
            self.told = now
            checks = dict(sorted(counted.checks.items()))
            self.emit(events.Progress(self.phase, counted.programs, counted.operations, checks))

    def _found(self, stage: Stage, caught: Caught) -> None:
        violation = caught.violation
        selected = self.settings.clauses
        if selected and caught.clause not in selected:
            self.emit(events.Note(f"{caught.clause} is broken as well, and was not asked for"))
            return
        self.emit(
            events.Found(
                events.Finding(
                    caught.clause,
                    violation.expected,
                    violation.actual if caught.steady else f"{violation.actual}{_NOT_AGAIN}",
                    to_json(caught.program),
                    stage.opening.python(caught.program, violation.expected, violation.actual),
                    token(caught.program),
                    self.phase,
                    self.so_far.operations,
                    real_time.perf_counter() - self.phase_began,
                )
            )
        )

    def stuck(self, what: str, world: World | None) -> None:
        """Ends this process, since a call does not end by itself; called by the watching thread."""
        program, python, doing = None, "", what
        if world is not None and world.operations:
            operations = tuple(world.operations[-20:])
            program, doing = to_json(operations), operations[-1].op
            if self.stage is not None:
                python = self.stage.opening.python(operations, "an answer", "none")
        if self.phase and self.stage is not None:
            self._end_phase()
        self.emit(events.Stopped("hang", endless(doing, self.settings.timeout), program, python))
        if self.ahead is not None:
            self.ahead.stop()
        self.send(OVER)
        os._exit(_STUCK)


def _described(error: BaseException) -> str:
    import traceback

    return "".join(traceback.format_exception(error))[-4000:]

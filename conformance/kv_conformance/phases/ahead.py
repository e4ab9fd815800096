"""The sweep in several processes: its parts are run ahead, while this one does other phases.

Nothing that another process sees is held against the store before this process has seen it too,
alone: at the first sign of a fault the others are ended, for they could be the reason.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import Executor, Future, wait
from pathlib import Path
from typing import Final

from kv_spec.machines import Plan

from kv_conformance.phases.course import Course, Done, Part
from kv_conformance.phases.jobs import Job, Mark, Place, done, is_apart, prepare, work
from kv_conformance.processes import Processes
from kv_conformance.settings import SWEPT, Settings
from kv_conformance.stage import Stage
from kv_conformance.surroundings import OUTPUT

_PATIENCE: Final = 60.0
"""Seconds that a part of a sweep may take in another process, beside four endless operations."""
_MOST_BY_ITSELF: Final = 4
"""So many processes work on a run at the most unless --jobs asks for more."""
_WORTHWHILE: Final = 1_500
"""Programs of a sweep from which on it is worth while to start another process."""
_MEETING: Final = 5.0
"""Seconds in which another process must have found its store, where none was asked for."""


def processes_for(settings: Settings) -> int:
    """How many processes are to run a sweep beside this one."""
    if "sweep" not in settings.phases or settings.replay is not None:
        return 0
    if settings.jobs:
        return settings.jobs - 1
    if settings.clock == "real" or settings.examples * SWEPT < _WORTHWHILE:
        return 0
    return min(_cores(), _MOST_BY_ITSELF) - 1


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Ahead:
    """Other processes, and the parts that were given to them.

    `jobs` is how many processes work on the sweep, this one included.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.jobs = 1 + processes_for(settings)
        self._pool: Executor | None = None
        self._given: dict[Part, tuple[Job, Future[Done]]] = {}
        self._done: dict[Part, Done] = {}
        if self.jobs > 1:
            patience = _PATIENCE + 4 * settings.timeout
            others = self.jobs - 1
            self._pool = Processes(others, patience=patience, folder=settings.folder)
            for _ in range(others):  # they import while this process looks at the store
                self._pool.submit(prepare, settings.folder)

    def meet(self, stage: Stage, place: Place) -> None:
        """Ends the others where they would be in the way of each other.

        They are let be if they were asked for. By themselves they only serve stores whose time
        each process moves for itself, and that are apart: data that two processes share could
        show what the one does to the other.
        """
        self.stage, self.place, pool = stage, place, self._pool
        if pool is None or self.settings.jobs:
            return
        clock = stage.subject.clock
        if not clock.jumps or stage.leak is not None or _has_printed(self.settings):
            self.stop()
            return
        mark = Mark(stage.subject)
        asked = pool.submit(is_apart, place, stage.plan, clock.kind, mark.space)
        wait([asked], _MEETING)
        apart = asked.done() and asked.exception() is None and asked.result()
        if not (apart and mark.stands()):
            self.stop()
        mark.erase()

    def begin(self, plan: Plan, course: Course) -> None:
        """Gives out the parts of a course; those for the thin clauses as soon as it can be."""
        self.plan, self.course = plan, course
        pilot, *rest = course.parts()
        self.give_out([pilot, *(part for part in rest if not part.thin)])
        thin = [part for part in rest if part.thin]

        def flown(future: Future[Done]) -> None:
            if not future.cancelled() and future.exception() is None:
                self.give_out(thin, future.result().favoured)

        if pilot in self._given:
            self._given[pilot][1].add_done_callback(flown)

    def give_out(self, parts: Iterable[Part], favoured: tuple[str, ...] = ()) -> None:
        """Lets the others run parts."""
        pool = self._pool
        if pool is None:
            return
        for part in parts:
            job = Job(self.place, self.plan, self.course, part, favoured)
            try:
                self._given[part] = job, pool.submit(work, job)
            except RuntimeError:  # they were ended meanwhile
                return

    def result(self, part: Part) -> Done | None:
        """What became of a part; None where it has to be run yet, as after the loss of a process.

        While it is under way this process does not wait, but runs one that nobody has begun.
        """
        _, future = self._given.get(part, (None, None))
        while future is not None and not future.done() and self._lends_a_hand():
            pass
        self._given.pop(part, None)
        if part in self._done:
            return self._done.pop(part)
        if future is None or future.cancelled() or future.exception() is not None:
            return None
        return future.result()

    def _lends_a_hand(self) -> bool:
        """Runs the last part that is not begun; False where there is none."""
        for part, (job, future) in reversed(list(self._given.items())):
            if not future.cancelled() and future.cancel():
                self._done[part] = done(self.stage.trial, job)
                return True
        return False

    def stop(self) -> bool:
        """Ends the others; True if there were none."""
        if self._pool is None:
            return True
        self._pool.shutdown(cancel_futures=True)
        self._pool = None
        return False


def _has_printed(settings: Settings) -> bool:
    """True if the store prints: from several processes nobody could tell in which order."""
    path = Path(settings.folder) / OUTPUT
    return bool(settings.folder) and path.exists() and path.stat().st_size > 0

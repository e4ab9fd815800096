"""Parts of a sweep in other processes, each with a store of its own.

A job is data and so is what it comes to, so any `concurrent.futures.Executor` can run it. What a
job finds is only named there; the process that gave it out runs the part again and investigates.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from kv_reference.verdicts import Violation
from kv_spec.machines import Plan
from kv_spec.operations import Delete, Get, Program, Set
from kv_spec.store import ABSENT

from kv_conformance.clocks.patched import PatchedClock
from kv_conformance.phases.course import Course, Done, Part
from kv_conformance.phases.sweep import Sweep
from kv_conformance.settings import Settings
from kv_conformance.stage import Stage, set_up
from kv_conformance.subject.world import Subject
from kv_conformance.surroundings import own_folder, preload, quiet
from kv_conformance.target import Target, find, started
from kv_conformance.trial import Trial
from kv_conformance.watch import Watch

_STUCK: Final = 73
_HERE, _THERE = "here", "there"


@dataclass(frozen=True, slots=True)
class Place:
    """How another process gets at the store: what the run was asked, and where it runs.

    `options` are those that the run adds to the factory's own, such as a server's address; with
    None the process starts what the store needs by itself. Names are resolved in the folder
    `home`, the store works in `work`.
    """

    settings: Settings
    options: Mapping[str, Any] | None
    home: str
    work: str

    @classmethod
    def of(cls, target: Target, stage: Stage, settings: Settings, home: str) -> Place:
        """Where the store of `stage` is found, or one like it where time is each process's own.

        A server that a run starts has one clock, so each process starts one and moves that.
        """
        own = target.bare and stage.subject.clock.jumps
        return cls(settings, None if own else stage.subject.factory.options, home, os.getcwd())


@dataclass(frozen=True, slots=True)
class Job:
    """A part of a course, to be written for `plan`; see `kv_conformance.phases.sweep`."""

    place: Place
    plan: Plan
    course: Course
    part: Part
    favoured: tuple[str, ...] = ()


@dataclass(slots=True)
class Gatherer:
    """In the place of a hunt: notes which clauses are broken, and goes on."""

    trial: Trial
    broken: set[str] = field(default_factory=set)

    def ignores(self, violation: Violation) -> bool:
        """True: it is enough to have seen it."""
        self.broken.add(violation.clause)
        return True

    def investigate(self, program: Program, violation: Violation) -> None:
        """Never called, since every violation is ignored."""


def prepare(folder: str) -> None:
    """Imports what a job needs, and sees to it that what the store prints is not told twice."""
    if folder:
        quiet(own_folder(folder))
    preload(folder)


def work(job: Job) -> Done:
    """Runs a job in another process."""
    return done(_stage(job.place).trial, job)


def done(trial: Trial, job: Job) -> Done:
    """Runs a job on a store of this process."""
    gatherer = Gatherer(trial)
    sweep = Sweep(gatherer, lambda _: None)
    silence = trial.subject.silence
    calls, unanswered = silence.calls, silence.unanswered
    favoured = sweep.take(job.plan, job.course, job.part, job.favoured)
    return Done(
        sweep.tally,
        frozenset(gatherer.broken),
        favoured,
        silence.calls - calls,
        silence.unanswered > unanswered,
    )


class Mark:
    """An entry by which another process can tell whether it reaches the same data.

    It is in a data space of its own, and gone with `erase`.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject, self._calls = subject, subject.silence.calls
        self.world = subject.world()
        self.space = self.world.full_name
        self.key = _key(subject)
        self.world.perform(Set(self.key, 1))

    def stands(self) -> bool:
        """True if it can be read."""
        return bool(self.world.perform(Get(self.key)) == 1)

    def erase(self) -> None:
        """Removes it; its calls are no calls of the run."""
        self.world.perform(Delete(self.key))
        self.world.close()
        self.subject.silence.calls = self._calls


def is_apart(place: Place, plan: Plan, clock: str, space: str) -> bool:
    """True if this process finds the same kind of store, and no mark of another process.

    It opens the store and writes to it, which the mark must survive. `space` is the data space of
    the mark, and `clock` the kind of clock that the other process moves.
    """
    stage = _stage(place)
    subject = stage.subject
    if stage.plan != plan or subject.clock.kind != clock:
        return False
    with subject.factory.watched("looking for the mark of another process"):
        surface, opened = subject.surface(space)
        found = surface.perform(Get(_key(subject)))
        surface.perform(Set(_key(subject, _THERE), 1))
        surface.perform(Delete(_key(subject, _THERE)))
        opened.close()
    return found is ABSENT or found is None


def _key(subject: Subject, where: str = _HERE) -> Any:
    key = f"kvc-{where}"
    return key if subject.profile.flat else (key,)


_OPENED: Final[dict[str, Stage]] = {}
_SERVERS: Final = ExitStack()
"""What was started for the store of this process, and ends with it."""


def _stage(place: Place) -> Stage:
    """The store of this process, opened for the first job and kept for the others."""
    known = _OPENED.get(place.work)
    if known is None:
        patched = PatchedClock() if place.settings.clock in ("auto", "patched") else None
        preload(place.settings.folder)
        if patched is not None:
            patched.install()
        os.chdir(place.home)
        target = find(place.settings.store)
        os.chdir(place.work)
        if place.options is None:
            target, _ = _SERVERS.enter_context(started(target))
        else:
            target = replace(target, options=place.options, bare=False)
        stuck = partial(os._exit, _STUCK)
        watch = Watch(place.settings.timeout, lambda: None, lambda *_: stuck())
        known = set_up(target, place.settings, patched, lambda _: None, watch)
        _OPENED[place.work] = known
        gc.freeze()
    return known

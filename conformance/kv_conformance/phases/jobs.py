"""Parts of a sweep in other processes, each with a store of its own.

A job is data and so is what it comes to, so any `concurrent.futures.Executor` can run it. What a
job finds is only noted there; the process that gave it out investigates.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from kv_reference.verdicts import Violation
from kv_spec.machines import Plan
from kv_spec.operations import Program
from kv_spec.programs import Composer

from kv_conformance.clocks.virtual import PatchedClock
from kv_conformance.phases.sweep import Sweep
from kv_conformance.phases.tally import Tally
from kv_conformance.settings import Settings
from kv_conformance.surroundings import preload
from kv_conformance.target import find
from kv_conformance.trial import Trial


@dataclass(frozen=True, slots=True)
class Place:
    """How another process gets at the store: what the run was asked, and where it runs.

    `options` are those that the run adds to the factory's own, such as a server's address. Names
    are resolved in the folder `home`, the store works in `work`.
    """

    settings: Settings
    options: Mapping[str, Any]
    home: str
    work: str


@dataclass(frozen=True, slots=True)
class Job:
    """Programs to be run: those of `numbers`, written for `plan` from `seed`.

    `known` are the clauses whose faults are known already.
    """

    place: Place
    plan: Plan
    seed: int
    numbers: range
    favoured: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()


@dataclass(slots=True)
class Done:
    """What a job came to: what it counted, and the first violation of each clause."""

    tally: Tally = field(default_factory=Tally)
    violations: list[tuple[Program, Violation]] = field(default_factory=list)


class Gatherer:
    """In the place of a hunt: notes what is broken, each clause once."""

    def __init__(self, trial: Trial, known: frozenset[str]) -> None:
        self.trial = trial
        self.known = set(known)
        self.violations: list[tuple[Program, Violation]] = []

    def ignores(self, violation: Violation) -> bool:
        """True for a clause that was noted, or is known."""
        return violation.clause in self.known

    def investigate(self, program: Program, violation: Violation) -> None:
        """Notes a program that breaks a clause."""
        self.known.add(violation.clause)
        self.violations.append((program, violation))


def work(job: Job) -> Done:
    """Runs a job, in whatever process."""
    trial = _trial(job.place)
    gatherer = Gatherer(trial, job.known)
    sweep = Sweep(gatherer, lambda _: None)
    composer = Composer(job.plan, job.favoured)
    for number in job.numbers:
        sweep.run(composer.name(job.seed, number), composer.program(job.seed, number))
    return Done(sweep.tally, gatherer.violations)


_OPENED: Final[dict[str, Trial]] = {}


def _trial(place: Place) -> Trial:
    """The store of this process, opened for the first job and kept for the others."""
    from kv_conformance.stage import set_up

    known = _OPENED.get(place.work)
    if known is None:
        patched = PatchedClock() if place.settings.clock in ("auto", "patched") else None
        preload(place.settings.folder)
        if patched is not None:
            patched.install()
        os.chdir(place.home)
        target = find(place.settings.store)
        os.chdir(place.work)
        running = replace(target, options=place.options, bare=False)
        stage = set_up(running, place.settings, patched, lambda _: None)
        known = _OPENED[place.work] = stage.trial
    return known

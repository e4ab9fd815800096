"""A run of the harness on one store, in this process, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kv_conformance import events
from kv_conformance.agenda import Agenda, Phase
from kv_conformance.clocks.patched import PatchedClock
from kv_conformance.hunt import Caught, HarnessFault, Hunt
from kv_conformance.phases import programs, vectors
from kv_conformance.phases.ahead import Ahead
from kv_conformance.phases.jobs import Place
from kv_conformance.settings import PHASES, Settings
from kv_conformance.stage import Stage, set_up
from kv_conformance.target import Target
from kv_conformance.trial import trial_of
from kv_conformance.verdict import Verdict
from kv_conformance.watch import Watch

_NO_LIMIT = 3600.0


@dataclass(slots=True)
class Run:
    """What a run came to; `alarms` are the clauses reported, each with what was seen."""

    exit_code: int = 4
    reasons: tuple[str, ...] = ()
    alarms: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    clock: str = ""
    programs: int = 0
    operations: int = 0


def run(
    name: str,
    make: Callable[..., Any],
    *,
    seed: int,
    examples: int,
    share: int = 1,
    phases: tuple[str, ...] = PHASES,
) -> Run:
    """Does what the command line does: looks at a store, chooses a clock, runs the phases.

    With `share` only every so many vectors are run, others for each seed (with 0 none), and what
    they leave untested does not count.
    """
    if hasattr(make, "new_process"):  # as it would be one, each time, by the command line
        make.new_process()
    settings = Settings(store=name, seed=seed, examples=examples, phases=phases)
    verdict, came_to = Verdict(narrowed=share != 1 or phases != PHASES), Run()

    def emit(event: events.Event) -> None:
        verdict.handle(event)
        if isinstance(event, events.Note):
            came_to.notes.append(event.text)
        elif isinstance(event, events.ClockChosen):
            came_to.clock = event.kind

    def found(caught: Caught) -> None:
        came_to.alarms[caught.clause] = f"{caught.program}: {caught.violation}"
        emit(events.Found(events.Finding(caught.clause, "", "", [], "", "", "")))

    with _staged(Target(name, make, (), name), settings, emit) as stage:
        hunt = Hunt(stage.trial, trial_of(profile=stage.reference_profile), found)
        try:
            for phase, work in _phases(stage, settings, share):
                tally = work(hunt, lambda _: None)
                came_to.programs += tally.programs
                came_to.operations += tally.operations
                checks = dict(tally.checks)
                emit(events.PhaseEnded(phase, tally.programs, tally.operations, 0.0, checks))
        except HarnessFault as fault:
            emit(events.Stopped("harness", str(fault)))
    ended = verdict.ended(0.0)
    came_to.exit_code, came_to.reasons = ended.exit_code, ended.reasons
    return came_to


@contextmanager
def _staged(
    target: Target, settings: Settings, emit: Callable[[events.Event], None]
) -> Iterator[Stage]:
    watch = Watch(_NO_LIMIT, lambda: None, lambda *_: None)
    clock = PatchedClock()
    clock.install()
    try:
        stage = set_up(target, settings, clock, emit, watch)
        yield stage
        if stage.subject.factory.bridge is not None:
            stage.subject.factory.bridge.close()
    finally:
        watch.end()
        if PatchedClock._installed is clock:
            clock.uninstall()


def _phases(stage: Stage, settings: Settings, share: int) -> Iterator[tuple[str, Phase]]:
    here = str(Path.cwd())
    place = Place(settings, {}, here, here)
    for name, phase in Agenda(stage, settings, place, Ahead(settings), 0.0).phases():
        if name != "vectors" or share == 1:
            yield name, phase
            continue
        if share:
            everything = vectors.programs(stage.profile, stage.offer.capabilities, stage.plan.time)
            some = [program for _, program in everything][settings.seed % share :: share]
            yield name, lambda hunt, on, some=some: programs.run(hunt, some, on)  # type: ignore[misc]

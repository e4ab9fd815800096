"""A whole run of the harness on one store, in this process, and what it came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kv_conformance import events
from kv_conformance.clocks.virtual import PatchedClock
from kv_conformance.hunt import Caught, HarnessFault, Hunt
from kv_conformance.settings import PHASES, Settings
from kv_conformance.stage import set_up
from kv_conformance.target import Target
from kv_conformance.trial import trial_of
from kv_conformance.verdict import Verdict


@dataclass(slots=True)
class Run:
    """What a run came to; `alarms` are the clauses reported, each with what was seen."""

    exit_code: int
    reasons: tuple[str, ...]
    alarms: dict[str, str]
    clock: str
    programs: int = 0
    operations: int = 0
    notes: list[str] = field(default_factory=list)
    untested: list[str] = field(default_factory=list)


def run(
    name: str,
    make: Callable[..., Any],
    *,
    seed: int,
    examples: int,
    phases: tuple[str, ...] = PHASES,
) -> Run:
    """Does what the command line does: looks at a store, chooses a clock, runs the phases."""
    settings = Settings(store=name, seed=seed, examples=examples, phases=phases)
    verdict, seen, alarms = Verdict(), list[events.Event](), dict[str, str]()
    clock = PatchedClock()
    clock.install()
    counted: Counter[str] = Counter()

    def emit(event: events.Event) -> None:
        seen.append(event)
        verdict.handle(event)

    def found(caught: Caught) -> None:
        alarms[caught.clause] = f"{caught.program}: {caught.violation}"
        finding = events.Finding(caught.clause, "", "", [], "", "", "")
        emit(events.Found(finding))

    try:
        target = Target(name, make, (), name)
        stage = set_up(target, settings, clock, emit)
        reference = trial_of(profile=stage.profile.replace(absent="none"))
        hunt = Hunt(stage.trial, reference, found)
        try:
            for phase, work in stage.phases(settings):
                tally = work(hunt, lambda _: None)
                counted["programs"] += tally.programs
                counted["operations"] += tally.operations
                checks = dict(tally.checks)
                emit(events.PhaseEnded(phase, tally.programs, tally.operations, 0.0, checks))
        except HarnessFault as fault:
            emit(events.Stopped("harness", str(fault)))
        if stage.subject.factory.bridge is not None:
            stage.subject.factory.bridge.close()
    finally:
        if PatchedClock._installed is clock:
            clock.uninstall()
    ended = verdict.ended(0.0)
    chosen = next(event for event in seen if isinstance(event, events.ClockChosen))
    return Run(
        ended.exit_code,
        ended.reasons,
        alarms,
        chosen.kind,
        counted["programs"],
        counted["operations"],
        [event.text for event in seen if isinstance(event, events.Note)],
        [one.clause for one in ended.results if one.status == "untested" and not one.message],
    )

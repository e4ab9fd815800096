"""What a run has come to, gathered from its events: every report draws from a `Record`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Final

from kv_spec.clauses import Level, clauses
from kv_spec.profile import CAPABILITIES, CAS_PARTS

from kv_conformance.applicable import is_checked
from kv_conformance.events import (
    ClauseResult,
    ClockChosen,
    Event,
    Finding,
    Found,
    Note,
    PhaseEnded,
    PhaseStarted,
    Progress,
    RunEnded,
    RunStarted,
    Stopped,
    StoreOpened,
)
from kv_conformance.reports.text import counted, ranges

BROKEN: Final = frozenset({"fail", "unexpected-pass"})
"""The statuses for which a run exits with 1."""
NO_VERDICT: Final = frozenset({"inconclusive", "untested", "not-applicable"})
WITH_FINDING: Final = frozenset({"fail", "warning", "expected-failure"})
"""The statuses of clauses that were seen broken."""
UNFINISHED: Final = "the run ended before it came to a result"
_EXIT_OF_STOP: Final = {"usage": 2, "harness": 4}


@dataclass(slots=True)
class Phase:
    """A phase as far as it got; `seconds` is None until it has ended."""

    name: str
    planned: int | None = None
    programs: int = 0
    operations: int = 0
    seconds: float | None = None
    checks: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """The state of a run after the events handled so far."""

    started: RunStarted | None = None
    opened: StoreOpened | None = None
    clock: ClockChosen | None = None
    notes: list[str] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    found: dict[str, Finding] = field(default_factory=dict)
    """The first finding of each clause."""
    stopped: Stopped | None = None
    ended: RunEnded | None = None

    def handle(self, event: Event) -> None:
        """Takes one event in."""
        match event:
            case RunStarted():
                self.started = event
            case StoreOpened():
                self.opened = event
            case ClockChosen():
                self.clock = event
            case Note(text):
                if text not in self.notes:
                    self.notes.append(text)
            case Found(finding):
                self.found.setdefault(finding.clause, finding)
            case PhaseStarted() | Progress() | PhaseEnded():
                self._handle_phase(event)
            case Stopped():
                self.stopped = event
            case RunEnded():
                self.ended = event

    def _handle_phase(self, event: PhaseStarted | Progress | PhaseEnded) -> None:
        if not self.phases or self.phases[-1].name != event.name or isinstance(event, PhaseStarted):
            self.phases.append(Phase(event.name))
        phase = self.phases[-1]
        if isinstance(event, PhaseStarted):
            phase.planned = event.planned
            return
        phase.programs, phase.operations = event.programs, event.operations
        if isinstance(event, PhaseEnded):
            phase.seconds, phase.checks = event.seconds, event.checks

    @property
    def programs(self) -> int:
        """Programs run so far, over all phases."""
        return sum(phase.programs for phase in self.phases)

    @property
    def operations(self) -> int:
        """Operations performed so far, over all phases."""
        return sum(phase.operations for phase in self.phases)

    @property
    def checks(self) -> int:
        """Checks counted so far, over all phases that have ended."""
        return sum(sum(phase.checks.values()) for phase in self.phases)

    def outcome(self) -> RunEnded:
        """How the run ended, its results in the order of the document.

        Of a run that did not come to its end, what is known: a clause found broken is broken, all
        others are open, and the verdict is "inconclusive".
        """
        ended = self.ended or self._unfinished()
        known = {result.id for result in ended.results}
        results = [self._with_finding(result) for result in ended.results]
        results += [self._result(id) for id in self.found if id not in known]
        return dataclasses.replace(ended, results=tuple(sorted(results, key=_place)))

    def _with_finding(self, result: ClauseResult) -> ClauseResult:
        finding = self.found.get(result.id)
        if result.finding or finding is None or result.status not in WITH_FINDING:
            return result
        return dataclasses.replace(result, finding=finding)

    def _unfinished(self) -> RunEnded:
        stop = self.stopped
        selected = self.started.clauses if self.started else tuple(clauses())
        return RunEnded(
            verdict="inconclusive",
            exit_code=_EXIT_OF_STOP.get(stop.kind, 3) if stop else 3,
            reasons=(stop.message if stop else UNFINISHED,),
            results=tuple(map(self._result, selected)),
            seconds=sum(phase.seconds or 0.0 for phase in self.phases),
        )

    def _result(self, id: str) -> ClauseResult:
        clause = clauses().get(id)
        excuse = self.opened.excused.get(id) if self.opened else None
        status, message = "inconclusive", UNFINISHED
        if id in self.found:
            should = clause is not None and clause.level is Level.SHOULD
            status, message = ("warning" if should else "fail"), ""
        elif clause is not None and clause.not_yet_checked:
            status, message = "untested", clause.not_yet_checked
        elif excuse:
            status, message = "not-applicable", excuse
        return ClauseResult(
            id=id,
            capability=clause.capability if clause else "core",
            level=clause.level if clause else Level.MUST,
            status=status,
            checks=sum(phase.checks.get(id, 0) for phase in self.phases),
            message=message,
            finding=self.found.get(id),
        )

    @property
    def capabilities(self) -> list[str]:
        """What the store offers, in the order of the specification."""
        return in_order(self.opened.capabilities if self.opened else ())

    @property
    def not_offered(self) -> list[str]:
        """What the store does not offer, in the order of the specification."""
        return in_order(self.opened.not_offered if self.opened else ())

    @property
    def offers(self) -> list[str]:
        """The capabilities as they are said: whoever offers cas offers its parts."""
        parts = CAS_PARTS if "cas" in self.capabilities else frozenset()
        return [name for name in self.capabilities if name not in parts]

    @property
    def lacks(self) -> list[str]:
        """What is not offered as it is said: cas, or those of its parts that are not there."""
        some = CAS_PARTS & {*self.capabilities}
        whole = not some and "cas" in self.not_offered
        unsaid = CAS_PARTS if whole else {"cas"} if some else frozenset()
        return [name for name in self.not_offered if name not in unsaid]

    def verdict(self) -> str:
        """The verdict in words: `conformant: core, ttl, list; not offered: cas`."""
        outcome = self.outcome()
        broken = [result.id for result in outcome.results if result.status == "fail"]
        passed = [result.id for result in outcome.results if result.status == "unexpected-pass"]
        if outcome.verdict == "inconclusive":
            return f"inconclusive; broken so far: {ranges(broken)}" if broken else "inconclusive"
        if outcome.verdict == "violations":
            parts = [f"{counted(len(broken), 'clause')} broken ({ranges(broken)})"] * bool(broken)
            parts += [f"expected to fail, but passed: {ranges(passed)}"] * bool(passed)
            return f"violations: {'; '.join(parts)}" if parts else "violations"
        asked = ""
        if self.started and self.started.narrowed:
            what = ranges(in_document_order(self.started.clauses))
            if set(self.started.clauses) == set(clauses()):  # narrowed by the phases
                what = ", ".join(self.started.phases)
            asked = f", as far as asked ({what})"
        unchecked = [name for name in self.offers if not is_checked(name)]
        shown = [name for name in self.offers if name not in unchecked]
        rest = f"; not yet checked: {', '.join(unchecked)}" if unchecked else ""
        rest += f"; not offered: {', '.join(self.lacks)}" if self.lacks else ""
        return f"conformant{asked}: {', '.join(shown) or 'core'}{rest}"


def explanation(result: ClauseResult) -> str:
    """Why a clause has its status, as the run told it; empty where there is nothing to say."""
    finding = result.finding
    if finding is None or (result.message and finding.actual in result.message):
        return result.message
    seen = f"expected {finding.expected}; got {finding.actual}"
    return f"{result.message}; {seen}" if result.message else seen


def family_of(id: str) -> str:
    """The family of a clause: `GET` of `GET-1`."""
    return id.partition("-")[0]


def title_of(id: str) -> str:
    """The title of the family of a clause: `Reading`; the family where the document has none."""
    family = family_of(id)
    return next((one.title for one in clauses().values() if one.family == family), family)


def not_yet_checked(result: ClauseResult) -> bool:
    """True for a gap that SPEC.md names itself: it does not count against the store."""
    clause = clauses().get(result.id)
    return result.status == "untested" and clause is not None and bool(clause.not_yet_checked)


def in_order(capabilities: tuple[str, ...]) -> list[str]:
    """Capabilities in the order of the specification, others after them by name."""
    order = {name: place for place, name in enumerate(CAPABILITIES)}
    return sorted(set(capabilities), key=lambda name: (order.get(name, len(order)), name))


def in_document_order(ids: tuple[str, ...]) -> list[str]:
    """IDs of clauses in the order of SPEC.md, unknown ones after them by name."""
    order = {id: place for place, id in enumerate(clauses())}
    return sorted(set(ids), key=lambda id: (order.get(id, len(order)), id))


def _place(result: ClauseResult) -> tuple[int, str]:
    order = list(clauses())
    return (order.index(result.id) if result.id in clauses() else len(order), result.id)

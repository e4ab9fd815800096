"""From events to a verdict: a status for each clause, the exit code, and the reasons."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final, Literal

from kv_spec.clauses import Clause, Level, clauses
from kv_spec.dialects import from_mapping
from kv_spec.profile import BASE, CAS_PARTS, Profile

from kv_conformance import events
from kv_conformance.applicable import reason_not
from kv_conformance.expectations import Expectation

CONFORMANT, VIOLATIONS, USAGE, INCONCLUSIVE, FAULT = range(5)
"""The exit codes."""
NOT_YET: Final = "not yet checked"

_REFUSALS: Final = frozenset({"VAL-4", "TTL-8", "NULL-3"})
"""Clauses by which a store refuses; one that breaks them may refuse nothing at all."""
_STOP_CODES: Final[Mapping[events.StopKind, int]] = {"usage": USAGE, "harness": FAULT}


class Verdict:
    """Reads the events of a run; `ended` says what they come to.

    `selected` are the clauses of interest (all, if empty). `profile` is set when the store has
    been looked at.
    """

    def __init__(
        self,
        selected: Collection[str] = (),
        expected: Mapping[str, Expectation] | None = None,
        *,
        narrowed: bool = False,
        today: datetime.date | None = None,
    ) -> None:
        self.selected = frozenset(selected) or frozenset(clauses())
        self.expected = dict(expected or {})
        self.narrowed = narrowed
        self.today = today or datetime.date.today()
        self.opened: events.StoreOpened | None = None
        self.profile: Profile = BASE
        self.checks: Counter[str] = Counter()
        self.operations = 0
        self.findings: dict[str, events.Finding] = {}
        self.stopped: events.Stopped | None = None
        self._partial: events.Progress | None = None
        """How far the phase under way has come."""

    def handle(self, event: events.Event) -> None:
        """Takes an event into account."""
        if isinstance(event, events.StoreOpened):
            self.opened = event
            self.profile = from_mapping(event.declared)
        elif isinstance(event, events.Progress):
            self._partial = event
        elif isinstance(event, events.PhaseEnded):
            self._partial = None
            self.checks.update(event.checks)
            self.operations += event.operations
        elif isinstance(event, events.Found):
            self.findings.setdefault(event.finding.clause, event.finding)
        elif isinstance(event, events.Stopped):
            self.stopped = event

    def ended(self, seconds: float) -> events.RunEnded:
        """The end of the run, `seconds` after it began."""
        if self._partial is not None:  # a phase that was cut short has checked what it has
            self.checks.update(self._partial.checks)
            self.operations += self._partial.operations
            self._partial = None
        results = tuple(self._result(one) for one in clauses().values() if one.id in self.selected)
        code, reasons = self._code(results)
        verdict: Literal["conformant", "violations", "inconclusive"] = "inconclusive"
        if code == CONFORMANT:
            verdict = "conformant"
        elif code == VIOLATIONS:
            verdict = "violations"
        return events.RunEnded(verdict, code, tuple(reasons), results, seconds)

    def _result(self, clause: Clause) -> events.ClauseResult:
        finding = self.findings.get(clause.id)
        status, message = self._status(clause, finding)
        return events.ClauseResult(
            clause.id,
            clause.capability,
            clause.level.value,
            status,
            self.checks[clause.id],
            message,
            finding,
        )

    def _status(self, clause: Clause, finding: events.Finding | None) -> tuple[str, str]:
        expectation = self.expected.get(clause.id)
        if finding is not None:
            if expectation is not None and not expectation.has_expired(self.today):
                return "expected-failure", f"{expectation.reason} {expectation.link}".strip()
            return ("warning" if clause.level is Level.SHOULD else "fail"), ""
        if clause.not_yet_checked:
            return "untested", f"{NOT_YET}: {clause.not_yet_checked}"
        if self.opened is None:
            return "untested", "the store was not opened"
        missing = self._missing(clause)
        if missing is not None:
            return "fail", missing
        reason = reason_not(clause, self.profile, self.opened.capabilities)
        if reason is not None:
            return "not-applicable", reason
        if self.checks[clause.id] == 0:
            if clause.id == "SET-6" and not _REFUSALS.isdisjoint(self.findings):
                return "not-applicable", "the store refused nothing that it was asked to set"
            reason = "no program put it to the test"
            if self.stopped is not None:
                reason = "the run ended before it was put to the test"
            return "untested", self.opened.excused.get(clause.id, reason)
        if expectation is not None and not self.stopped:
            return "unexpected-pass", f"expected to fail: {expectation.reason}"
        return "pass", ""

    def _missing(self, clause: Clause) -> str | None:
        """Why a clause fails for want of what the store declares; None where it does not."""
        assert self.opened is not None
        missing = dict(self.opened.missing)
        if "cas" in missing:  # which declares all of its parts
            missing = dict.fromkeys(CAS_PARTS, missing["cas"]) | missing
        return next((missing[name] for name in clause.requires if name in missing), None)

    def _code(self, results: tuple[events.ClauseResult, ...]) -> tuple[int, list[str]]:
        if self.stopped is not None and self.stopped.kind in _STOP_CODES:
            return _STOP_CODES[self.stopped.kind], [self.stopped.message]
        failed = [r.id for r in results if r.status == "fail"]
        missing = self.opened.missing if self.opened else {}
        passed = [r.id for r in results if r.status == "unexpected-pass"]
        reasons = [f"{', '.join(failed)} broken"] if failed else []
        reasons += [f"{name} is {why}" for name, why in missing.items()]
        if passed:
            reasons.append(
                f"{', '.join(passed)}: expected to fail, and passed; take it off the file"
            )
        overdue = [c for c, e in self.expected.items() if e.has_expired(self.today)]
        if overdue:
            reasons.append(f"{', '.join(sorted(overdue))}: the expected failure has expired")
        if self.stopped is not None:
            reasons.append(self.stopped.message)
        if failed or passed or overdue or missing:
            return VIOLATIONS, reasons
        if self.stopped is not None:
            return INCONCLUSIVE, reasons
        return self._if_nothing_failed(results)

    def _if_nothing_failed(self, results: tuple[events.ClauseResult, ...]) -> tuple[int, list[str]]:
        if not any(r.checks for r in results):
            return INCONCLUSIVE, ["nothing was tested"]
        untested = [
            r.id
            for r in results
            if r.status == "untested"
            and r.level == Level.MUST
            and not r.message.startswith(NOT_YET)
        ]
        if untested and not self.narrowed:
            return INCONCLUSIVE, [f"{', '.join(untested)}: applicable, and not tested"]
        return CONFORMANT, []

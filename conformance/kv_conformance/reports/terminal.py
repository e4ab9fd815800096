"""The report in the terminal: progress while the run lasts, then what came of it.

What matters most stands last, where the eye is when the run ends: the failures, and below them
the verdict.
"""

from __future__ import annotations

import io
import sys
from typing import Final, TextIO

from rich.text import Text

from kv_conformance import real_time
from kv_conformance.events import Event, PhaseEnded, PhaseStarted, Progress, RunEnded
from kv_conformance.reports.base import ReplayCommand, write_text
from kv_conformance.reports.record import Record
from kv_conformance.reports.terminal_clauses import show_clauses
from kv_conformance.reports.terminal_ending import never_began, show_stop, show_summary
from kv_conformance.reports.terminal_findings import show_findings, show_warnings
from kv_conformance.reports.terminal_page import LOOKS, Page
from kv_conformance.reports.text import clean, counted, duration

_REDRAW: Final = 0.1  # seconds: often enough to look alive, too seldom to cost anything


class TerminalReport:
    """Writes to a stream as the run goes on, and the whole report when it has ended.

    `replay_command` makes the command line that runs the program of a replay token again. `width`
    is in columns; where it is not given the terminal's, at most 100, or 80 where there is none.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        replay_command: ReplayCommand,
        width: int | None = None,
    ) -> None:
        self._page = Page(sys.stdout if stream is None else stream, width=width)
        self._replay_command = replay_command
        self._record = Record()
        self._began = self._drawn = real_time.monotonic()
        self._headed = self._done = False

    def handle(self, event: Event) -> None:
        """Takes one event in; the report is written at `RunEnded`."""
        if self._done:
            return
        self._record.handle(event)
        match event:
            case PhaseStarted():
                self._head()
                self._draw(now=True)
            case Progress() | PhaseEnded():
                self._draw(now=isinstance(event, PhaseEnded))
            case RunEnded():
                self.close()

    def close(self) -> None:
        """Writes the report if it has not been written yet."""
        if self._done:
            return
        self._done = True
        page, record = self._page, self._record
        page.dim()
        page.fit()
        self._head()
        outcome = record.outcome()
        if outcome.results and not never_began(record):
            show_clauses(page, outcome.results)
        _show_notes(page, record)
        show_warnings(page, outcome.results, self._replay_command)
        show_findings(page, outcome.results, self._replay_command)
        if record.stopped:
            show_stop(page, record.stopped)
        show_summary(page, record, outcome)

    def _head(self) -> None:
        if not self._headed:
            self._headed = True
            self._page.dim()
            _show_header(self._page, self._record)

    def _draw(self, *, now: bool) -> None:
        time = real_time.monotonic()
        if not self._page.live or not (now or time - self._drawn >= _REDRAW):
            return
        self._drawn = time
        record = self._record
        phase = record.phases[-1]
        planned = f" of {phase.planned:,}" if phase.planned else ""
        parts = [
            f"{phase.programs:,}{planned} programs",
            counted(record.operations, "operation"),
            *([counted(record.checks, "check")] * bool(record.checks)),
            duration(time - self._began),
        ]
        self._page.glow(
            self._page.join(
                (f"  {clean(phase.name)}  ", "bold"),
                (" · ".join(parts), "dim"),
                (f" · {len(record.found)} found" if record.found else "", LOOKS["fail"].style),
            )
        )


class TextReport(TerminalReport):
    """The same report as plain text in a file. Raises ReportError if it can not be written."""

    def __init__(self, path: str, *, replay_command: ReplayCommand) -> None:
        self._path = path
        self._text = io.StringIO()
        super().__init__(self._text, replay_command=replay_command)

    def close(self) -> None:
        """Writes the file if it has not been written yet."""
        if not self._done:
            super().close()
            write_text(self._path, self._text.getvalue())


def _show_header(page: Page, record: Record) -> None:
    started, opened, clock = record.started, record.opened, record.clock
    if started is None:
        return
    title = f"kv-conformance {clean(started.harness)}"
    page.show(page.join((title, "bold"), (f"  specification {clean(started.spec)}", "dim")), Text())
    target = clean(started.target)
    rows: list[tuple[str, str]] = [("store", target)]
    if opened:
        name = clean(f"{opened.name} {opened.version or ''}".rstrip())
        kind = ", asynchronous" if opened.is_async else ""
        rows = [("store", f"{name}{f' · {target}' if target != name else ''}{kind}")]
        declared = [f"{key}={_value(value)}" for key, value in sorted(opened.declared.items())]
        with_ = f" with {clean(', '.join(declared))}" if declared else ""
        rows.append(("profile", f"{clean(opened.profile)}{with_}"))
        rows.append(("offers", clean(", ".join(record.offers))))
        rows.append(("not offered", clean(", ".join(record.lacks)) or "(nothing missing)"))
        rows += [
            ("missing", f"{clean(name)}: {clean(why)}") for name, why in opened.missing.items()
        ]
    if clock:
        coarse = f"; expiry within {clock.granularity:g} s" if clock.granularity else ""
        unit = f"; a unit of ttl is {clock.ttl_unit:g} s" if clock.ttl_unit != 1 else ""
        rows.append(("clock", f"{clean(clock.kind)}: {clean(clock.why)}{coarse}{unit}"))
    rows.append(("seed", str(started.seed)))
    for label, value in rows:
        style = "red" if label == "missing" else "dim"
        page.hang(page.text(f"  {label:<13}", style), page.text(value))


def _value(value: object) -> str:
    return value if isinstance(value, str) else repr(value)


def _show_notes(page: Page, record: Record) -> None:
    if record.notes:
        page.show(Text())
    for note in record.notes:
        page.hang(page.text("  note  ", "dim"), page.text(clean(note)))

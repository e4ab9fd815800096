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
from kv_conformance.events import (
    Event,
    PhaseEnded,
    PhaseStarted,
    Progress,
    RunEnded,
    StopKind,
    Stopped,
)
from kv_conformance.reports.base import ReplayCommand, write_text
from kv_conformance.reports.record import Record
from kv_conformance.reports.terminal_clauses import show_clauses
from kv_conformance.reports.terminal_findings import show_findings, show_warnings
from kv_conformance.reports.terminal_page import LOOKS, Page
from kv_conformance.reports.text import clean, clean_program, counted, duration

_REDRAW: Final = 0.1  # seconds: often enough to look alive, too seldom to cost anything

_STOPS: Final[dict[StopKind, tuple[str, str]]] = {
    "usage": (
        "The run could not start as it was asked for.",
        "Change the command, the target or the profile as it says, and run again.",
    ),
    "unreachable": (
        "The store could not be reached.",
        "See that its server runs and that its address is right, and run again.",
    ),
    "erratic": (
        "The store did not answer the same program the same way twice.",
        "See that nothing else writes to its data, and run again with --jobs 1; if that does not "
        "help, the store keeps something from one program to the next.",
    ),
    "hang": (
        "A call did not return.",
        "The program that ran last is above: see what its last call waits for.",
    ),
    "crash": (
        "The process of the store ended in the middle of the run.",
        "The program that ran last is above: run it by itself, and read the log of the store.",
    ),
    "interrupted": (
        "The run was interrupted.",
        "What was known by then is in this report; run again for a verdict.",
    ),
    "harness": (
        "This is a fault of kv-conformance, not of the store.",
        "Please report it, with the text above and the command that you ran.",
    ),
}


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
        if outcome.results and not _never_began(record):
            show_clauses(page, outcome.results)
        _show_notes(page, record)
        show_warnings(page, outcome.results, self._replay_command)
        show_findings(page, outcome.results, self._replay_command)
        if record.stopped:
            _show_stop(page, record.stopped)
        _show_summary(page, record, outcome)

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


def _never_began(record: Record) -> bool:
    """True if the run stopped before it tried anything: a table of nothing would hide why."""
    return record.stopped is not None and not record.programs


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
        rows.append(("offers", clean(", ".join(record.capabilities))))
        rows.append(("not offered", clean(", ".join(record.not_offered)) or "(nothing missing)"))
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
        page.show(Text(), page.text("Notes", "bold"), Text())
    for note in record.notes:
        page.hang(page.text("  · ", "dim"), page.text(clean(note)))


def _show_stop(page: Page, stopped: Stopped) -> None:
    what, remedy = _STOPS[stopped.kind]
    page.show(Text(), page.text(f"Stopped. {what}", "bold yellow"))
    for number, line in enumerate(clean(stopped.message, limit=4000, lines=True).split("\n")):
        if number == 0:
            page.show(Text())
        page.hang(Text("  "), page.text(line))
    if stopped.python:
        page.show(Text(), page.text("  The program that ran last:", "dim"), Text())
        page.code(clean_program(stopped.python), "    ")
    page.show(Text())
    page.hang(Text("  "), page.text(remedy))


def _show_summary(page: Page, record: Record, outcome: RunEnded) -> None:
    status = {"conformant": "pass", "violations": "fail"}.get(outcome.verdict, "inconclusive")
    counts = [
        f"{number} {look.word}"
        for word, look in LOOKS.items()
        if (number := sum(result.status == word for result in outcome.results))
    ]
    effort = [
        counted(record.programs, "program"),
        counted(record.operations, "operation"),
        duration(outcome.seconds),
    ]
    shown = {result.id for result in outcome.results if result.finding}
    page.show(Text())
    style = LOOKS[status].style
    page.hang(page.text(f"{page.symbol(status)} ", style), page.text(record.verdict(), f"bold {style}"))
    for reason in outcome.reasons:
        told = record.stopped and reason == record.stopped.message
        if not told and not any(id in reason for id in shown):
            page.hang(Text("  "), page.text(clean(reason), "yellow"))
    if not _never_began(record):
        page.hang(Text("  "), page.text(" · ".join(counts), "dim"))
    page.hang(Text("  "), page.text(" · ".join(effort), "dim"))

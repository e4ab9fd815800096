"""The end of the terminal report: why a run stopped, the verdict, and what it rests on."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from rich.text import Text

from kv_conformance.events import RunEnded, StopKind, Stopped
from kv_conformance.reports.record import Record, not_yet_checked
from kv_conformance.reports.terminal_page import LOOKS, Page
from kv_conformance.reports.text import clean, clean_program, counted, duration

_ID: Final = re.compile(r"\b[A-Z]+-[0-9]+\b")

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
        "See what the last call of the program waits for, a lock, a connection or a reply, "
        "then run again.",
    ),
    "crash": (
        "The process of the store ended in the middle of the run.",
        "Run the program that ran last by itself, and read what the store wrote to its log.",
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


def never_began(record: Record) -> bool:
    """True if the run stopped before it tried anything: a table of nothing would hide why."""
    return record.stopped is not None and not record.programs


def show_stop(page: Page, stopped: Stopped) -> None:
    """Why the run ended before its time, what it was at, and what to do."""
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


def show_summary(page: Page, record: Record, outcome: RunEnded) -> None:
    """The verdict in words, why it is not better, and what it rests on."""
    status = {"conformant": "pass", "violations": "fail"}.get(outcome.verdict, "inconclusive")
    words = Counter(
        "not yet checked" if not_yet_checked(result) else LOOKS[result.status].brief
        for result in outcome.results
    )
    known = [look.brief for look in LOOKS.values()] + ["not yet checked"]
    counts = [f"{words[word]} {word}" for word in known if words[word]]
    effort = [counted(record.programs, "program"), counted(record.operations, "operation")]
    effort += [duration(outcome.seconds)] * bool(outcome.seconds)
    shown = {result.id for result in outcome.results if result.finding}
    page.show(Text())
    style = LOOKS[status].style
    page.hang(
        page.text(f"{page.symbol(status)} ", style),
        page.text(clean(record.verdict(), limit=None), f"bold {style}"),
    )
    for reason in outcome.reasons:
        told = record.stopped and reason == record.stopped.message
        named = set(_ID.findall(reason))
        if not told and not (named and named <= shown):
            page.hang(Text("  "), page.text(clean(reason), "yellow"))
    if never_began(record):
        page.hang(Text("  "), page.text("nothing was tested", "dim"))
        return
    page.hang(Text("  "), page.text(" · ".join(counts), "dim"))
    page.hang(Text("  "), page.text(" · ".join(effort), "dim"))

"""What was found broken, on the terminal: the sentence, the program, the answer, the way back."""

from __future__ import annotations

from collections.abc import Sequence

from kv_spec.clauses import clauses
from rich.text import Text

from kv_conformance.events import ClauseResult, Finding
from kv_conformance.reports.base import ReplayCommand
from kv_conformance.reports.record import BROKEN, title_of
from kv_conformance.reports.terminal_page import LOOKS, Page
from kv_conformance.reports.text import clean, clean_program, counted

_BRIEF = 12  # lines of a program that is no failure


def show_findings(
    page: Page, results: Sequence[ClauseResult], replay_command: ReplayCommand
) -> None:
    """Every clause for which the run fails, in full."""
    broken = [result for result in results if result.status in BROKEN]
    if broken:
        page.show(Text(), page.text(counted(len(broken), "failure").capitalize(), "bold"))
    for result in broken:
        _show(page, result, replay_command, most_lines=60)


def show_warnings(
    page: Page, results: Sequence[ClauseResult], replay_command: ReplayCommand
) -> None:
    """What is broken and does not fail the run, and clauses without a result."""
    mild = [result for result in results if result.status in ("warning", "expected-failure")]
    if mild:
        page.show(Text(), page.text("Warnings", "bold"))
    for result in mild:
        _show(page, result, replay_command, most_lines=_BRIEF)


def _show(
    page: Page, result: ClauseResult, replay_command: ReplayCommand, *, most_lines: int
) -> None:
    look, clause, finding = LOOKS[result.status], clauses().get(result.id), result.finding
    head = [(f"{page.symbol(result.status)} {clean(result.id)}", look.style)]
    head += [(f"  {clean(title_of(result.id))}", "bold"), (f"  {_where(result, finding)}", "dim")]
    page.show(Text(), page.join(*head))
    if clause:
        page.hang(Text("  "), page.text(clause.rule))
    if result.message and (finding is None or finding.actual not in result.message):
        page.hang(Text("  "), page.text(clean(result.message), look.style))
    if finding is None:
        return
    page.show(Text())
    page.code(clean_program(finding.python, most_lines=most_lines), "    ")
    page.show(Text())
    page.hang(page.text("  expected  ", "dim"), page.text(clean(finding.expected), "green"))
    page.hang(page.text("  actual    ", "dim"), page.text(clean(finding.actual), look.style))
    page.show_long(
        page.join(("  replay    ", "dim"), (clean(replay_command(finding.replay), limit=None), ""))
    )


def _where(result: ClauseResult, finding: Finding | None) -> str:
    word = LOOKS[result.status].word if result.status != "fail" else ""
    if finding is None:
        return word
    after = f" after {counted(finding.operations, 'operation')}" if finding.operations else ""
    return f"{word}{', ' * bool(word)}found by {clean(finding.phase)}{after}"

"""The clauses on the terminal: passing ones side by side, every other one on a line of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from kv_spec.clauses import clauses
from rich.text import Text

from kv_conformance.events import ClauseResult
from kv_conformance.reports.record import NOT_TRIED
from kv_conformance.reports.terminal_page import LOOKS, Page
from kv_conformance.reports.text import clean, counted, ranges, short

_CELL: Final = 16  # "✓ LIST-10 1.2k", and a gap
_LONGEST_TITLE: Final = 18


def show_clauses(page: Page, results: Sequence[ClauseResult]) -> None:
    """A block a family: its title, its counts, its clauses with their checks."""
    tried = [result for result in results if result.status not in NOT_TRIED]
    if tried:
        passes = page.symbol("pass")
        page.show(
            Text(),
            page.join(
                ("Clauses", "bold"),
                (f"   {passes} pass, with the number of its checks", "dim"),
            ),
            Text(),
        )
    for family, members in groupby(tried, key=_family):
        _show_family(page, family, list(members))
    _show_not_tried(page, [result for result in results if result.status in NOT_TRIED])


def _family(result: ClauseResult) -> str:
    return result.id.partition("-")[0]


def _show_family(page: Page, family: str, members: list[ClauseResult]) -> None:
    """Two columns, drawn in step: what the family is and how it stands; its clauses."""
    title = next((one.title for one in clauses().values() if one.family == family), family)
    titles = page.text(clean(title)).wrap(page.console, _LONGEST_TITLE)
    statuses = Counter(member.status for member in members)
    order = [status for status in LOOKS if statuses[status]]
    counts = [
        page.text(f"{statuses[status]:>3} {_brief(status)}", LOOKS[status].style)
        for status in order
    ]
    left = 2 + _LONGEST_TITLE + 2 + max(map(len, counts)) + 3
    rows = list(_rows(page, members, page.width - left))
    for number in range(max(len(titles), len(counts), len(rows))):
        line = Text("  ")
        for cells, width in ((titles, _LONGEST_TITLE + 1), (counts, left - _LONGEST_TITLE - 3)):
            cell = cells[number].copy() if number < len(cells) else Text()
            cell.pad_right(width - cell.cell_len)
            line.append_text(cell)
        if number < len(rows):
            line.append_text(rows[number])
        page.show_long(line)


def _brief(status: str) -> str:
    return {"expected-failure": "expected", "unexpected-pass": "UNEXPECTED"}.get(
        status, LOOKS[status].word
    )


def _rows(page: Page, members: Sequence[ClauseResult], width: int) -> Iterator[Text]:
    passing = [member for member in members if member.status == "pass"]
    columns = max(1, width // _CELL)
    for start in range(0, len(passing), columns):
        yield Text.assemble(*(_cell(page, one) for one in passing[start : start + columns]))
    for member in members:
        if member.status != "pass":
            look = LOOKS.get(member.status, LOOKS["untested"])
            yield page.join(
                (f"{page.symbol(member.status)} {clean(member.id)}  {look.word}", look.style),
                (f"  {counted(member.checks, 'check')}", "dim"),
            )


def _cell(page: Page, member: ClauseResult) -> Text:
    cell = page.join(
        (page.symbol("pass"), LOOKS["pass"].style),
        (f" {clean(member.id):<7}", ""),
        (f"{short(member.checks):>4}", "dim"),
    )
    cell.pad_right(_CELL - cell.cell_len)
    return cell


def _show_not_tried(page: Page, results: Sequence[ClauseResult]) -> None:
    """What was not tested, by its reason. A gap that the specification knows of is no news."""
    if not results:
        return
    page.show(Text(), page.text("Not tested", "bold"), Text())
    known, reasons = _grouped(results)
    for (status, reason), ids in reasons.items():
        look = LOOKS[status]
        label = page.text(f"  {len(ids):>3} {look.word:<16}", look.style)
        page.hang(label, page.join((f"{reason}: " * bool(reason), ""), (ranges(ids), "dim")))
    if known:
        label = page.text(f"  {len(known):>3} {'not yet checked':<16}", "dim")
        page.hang(label, page.text(f"by this version: {ranges(known)}", "dim"))


def _grouped(
    results: Iterable[ClauseResult],
) -> tuple[list[str], dict[tuple[str, str], list[str]]]:
    known: list[str] = []
    reasons: dict[tuple[str, str], list[str]] = {}
    for result in results:
        clause = clauses().get(result.id)
        if result.status == "untested" and clause is not None and clause.not_yet_checked:
            known.append(result.id)
        else:
            reason = clean(result.message).rstrip(".")
            reasons.setdefault((result.status, reason), []).append(clean(result.id))
    return known, dict(sorted(reasons.items(), key=lambda item: item[0][0] != "untested"))

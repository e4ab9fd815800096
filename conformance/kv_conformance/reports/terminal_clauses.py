"""The clauses on the terminal: passing ones side by side, a broken one on a line of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from kv_spec.clauses import clauses
from rich.text import Text

from kv_conformance.events import ClauseResult
from kv_conformance.reports.record import NO_VERDICT, family_of, not_yet_checked, title_of
from kv_conformance.reports.terminal_page import LOOKS, Page
from kv_conformance.reports.text import clean, counted, ranges, short

_CELL: Final = 14  # "✓ LIST-10 1.2k"
_GAP: Final = 2
_TITLE: Final = 18
_LABEL: Final = 16


def show_clauses(page: Page, results: Sequence[ClauseResult]) -> None:
    """A block a family: its title, its counts, its clauses with their checks; then the others."""
    tried = [result for result in results if result.status not in NO_VERDICT]
    if tried:
        legend = f"   {page.symbol('pass')} pass, and how often it was put to the test"
        page.show(Text(), page.join(("Clauses", "bold"), (legend, "dim")))
    families = [list(members) for _, members in groupby(tried, key=lambda one: family_of(one.id))]
    counts = [_counts(page, members) for members in families]
    width = max((count.cell_len for column in counts for count in column), default=0)
    for members, column in zip(families, counts, strict=True):
        _show_family(page, members, column, width)
    _show_others(page, [result for result in results if result.status in NO_VERDICT])


def _counts(page: Page, members: Sequence[ClauseResult]) -> list[Text]:
    statuses = Counter(member.status for member in members)
    return [
        page.text(f"{statuses[status]:>2} {look.brief}", look.style)
        for status, look in LOOKS.items()
        if statuses[status]
    ]


def _show_family(
    page: Page, members: Sequence[ClauseResult], counts: Sequence[Text], width: int
) -> None:
    """Three columns, drawn in step: what the family is; how it stands; its clauses."""
    titles = page.text(clean(title_of(members[0].id))).wrap(page.console, _TITLE)
    left = 2 + _TITLE + 1 + width + _GAP
    rows = list(_rows(page, members, page.width - left))
    for number in range(max(len(titles), len(counts), len(rows))):
        line = Text("  ")
        for column, room in ((titles, _TITLE + 1), (counts, width + _GAP)):
            cell = column[number].copy() if number < len(column) else Text()
            cell.rstrip()
            cell.pad_right(room - cell.cell_len)
            line.append_text(cell)
        page.show_long(line.append_text(rows[number]) if number < len(rows) else line)


def _rows(page: Page, members: Sequence[ClauseResult], width: int) -> Iterator[Text]:
    passing = [member for member in members if member.status == "pass"]
    columns = max(1, (width + _GAP) // (_CELL + _GAP))
    for start in range(0, len(passing), columns):
        cells = [_cell(page, member) for member in passing[start : start + columns]]
        yield Text(" " * _GAP).join(cells)
    for member in members:
        if member.status != "pass":
            look = LOOKS[member.status]
            checks = f"  {counted(member.checks, 'check')}" if member.checks else ""
            name = f"{page.symbol(member.status)} {clean(member.id):<7} {look.word}"
            yield page.join((name, look.style), (checks, "dim"))


def _cell(page: Page, member: ClauseResult) -> Text:
    return page.join(
        (page.symbol("pass"), LOOKS["pass"].style),
        (f" {clean(member.id):<7}", ""),
        (f" {short(member.checks):>4}", "dim"),
    )


def _show_others(page: Page, results: Sequence[ClauseResult]) -> None:
    """The clauses without a verdict, by reason. A gap that the specification names is no news."""
    if results:
        page.show(Text())
    gaps = [result.id for result in results if not_yet_checked(result)]
    results = [result for result in results if not not_yet_checked(result)]
    for status in ("inconclusive", "untested", "not-applicable"):
        reasons: dict[str, list[str]] = {}
        for result in results:
            if result.status == status:
                reasons.setdefault(clean(result.message).rstrip("."), []).append(clean(result.id))
        if reasons:
            look, number = LOOKS[status], sum(map(len, reasons.values()))
            body = page.join(*_reasons(reasons, apart=status != "not-applicable"))
            page.hang(page.text(f" {number:>3} {look.word:<{_LABEL}}", look.style), body)
    if gaps:
        label = page.text(f" {len(gaps):>3} {'not yet checked':<{_LABEL}}", "dim")
        page.hang(label, page.text(f"by this version: {_names(gaps)}", "dim"))


def _reasons(reasons: dict[str, list[str]], *, apart: bool) -> Iterator[tuple[str, str]]:
    """The IDs of each reason, and it; `apart` on lines of their own, which asks to be read."""
    for number, (reason, ids) in enumerate(reasons.items()):
        yield ("\n" if apart else "; ") if number else "", ""
        yield ranges(ids), "" if apart else "dim"
        yield f": {reason}" if reason else "", "" if apart else "dim"


def _names(ids: Sequence[str]) -> str:
    """IDs of clauses in brief: a family all of which is there by its name alone."""
    parts: list[str] = []
    for family, members in groupby(ids, key=family_of):
        here = list(members)
        whole = [id for id in clauses() if family_of(id) == family]
        parts.append(f"{family} (all {len(here)})" if here == whole else ranges(here))
    return ", ".join(parts)

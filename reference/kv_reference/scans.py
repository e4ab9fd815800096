"""Judging keys, values and entries: each shows what a listing of everything shows (ITER-5)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from kv_spec.operations import Scan
from kv_spec.outcomes import Outcome, Raised
from kv_spec.values import equal

from kv_reference import blame
from kv_reference.belief import Cell
from kv_reference.clause_sets import set_of
from kv_reference.due import GONE, Listing
from kv_reference.listings import beside_strays, compare, judged, known_cell
from kv_reference.semantics import Live, live_of
from kv_reference.verdicts import NO_ANSWER, Violation, show

if TYPE_CHECKING:
    from kv_reference.oracle import Oracle

_ITER_5: Final = set_of("ITER-5")


def judge_scan(
    oracle: Oracle, op: Scan, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """keys, values, entries: the same set as the listing of everything (ITER-5)."""
    prefix: Any = "" if oracle.profile.flat else ()
    listing = Listing(oracle, prefix, began, ended)
    oracle.stakes = listing.stakes_of_gone()
    if listing.must or listing.gone:
        oracle.stakes |= _ITER_5
    oracle.space.journal.iterated = oracle.number
    if isinstance(outcome, Raised) and outcome.indefinite:
        return None
    if isinstance(outcome, NO_ANSWER):
        if oracle.space.strays:
            return beside_strays(oracle, listing, outcome)
        oracle.count("ITER-5")
        return Violation("ITER-5", "a listing", show(outcome))
    if op.method == "entries":
        violation = compare(oracle, listing, judged(oracle, outcome), complete=True)
    elif op.method == "keys":
        violation = _scan_keys(oracle, listing, outcome)
    else:
        violation = _scan_values(oracle, listing, outcome)
    foreign = violation is not None and violation.clause == "OPEN-1" and bool(listing.must)
    if violation is None:
        return None
    if violation.clause in GONE and not foreign:
        return replace(violation, others=(*violation.others, "ITER-5"))
    oracle.count("ITER-5")
    return replace(violation, clause="ITER-5", others=("OPEN-1",) if foreign else ())


def _scan_keys(oracle: Oracle, listing: Listing, keys: list[Any]) -> Violation | None:
    entries = []
    for key in keys:
        cell = known_cell(oracle, key)
        latest = None if cell is None else _latest(cell, listing)
        entries.append((key, latest.value if latest is not None else None))
    return compare(oracle, listing, judged(oracle, entries), complete=True)


def _latest(cell: Cell, listing: Listing) -> Live | None:
    """The entry that a key would stand for, live if it can be."""
    live = live_of(listing.views.get(cell, ())) or cell.latest
    return Live(cell.old[-1]) if live is None and cell.old else live


def _scan_values(oracle: Oracle, listing: Listing, values: list[Any]) -> Violation | None:
    if listing.unknown:
        return None
    if listing.certain and _in_order(oracle, listing, values):
        return None
    rest = list(values)
    possible = {
        cell: [view.value for view in views if view is not None]
        for cell, views in listing.views.items()
    }
    in_doubt: list[tuple[Cell, list[Any]]] = []
    lacking: tuple[Cell, list[Any]] | None = None
    for cell in listing.must:
        due = possible[cell]
        found = next((i for i, value in enumerate(rest) if equal(due[0], value)), None)
        if len(due) > 1:
            in_doubt.append((cell, due))
        elif found is None:
            lacking = lacking or (cell, due)
        else:
            rest.pop(found)
    lacking = lacking or _without_value(in_doubt, rest)
    if lacking is not None:
        cell, due = lacking
        return Violation("ITER-5", f"a value {show(due[0])}", show(values), cell.key)
    for value in () if oracle.space.strays else rest:
        if not any(equal(due, value) for values in possible.values() for due in values):
            gone = next((cell for cell in listing.gone if _was(cell, value)), None)
            clause = "ITER-5"
            if gone is not None:
                suspects = listing.of_extra(gone.key, value, gone)
                clause = blame.choose(suspects, oracle.at_stake, "ITER-5").clause
            return Violation(clause, "no such value", show(value))
    return None


def _in_order(oracle: Oracle, listing: Listing, values: list[Any]) -> bool:
    """Whether the values are those due, in the declared order or that of the first writes.

    Soon told, and nearly always so; other orders are right as well.
    """
    if len(values) != len(listing.must):
        return False
    cells = listing.must
    if oracle.profile.list_order == "lex":
        cells = sorted(cells, key=lambda cell: cell.key)
    return all(
        equal(due.value, value)
        for cell, value in zip(cells, values, strict=True)
        for due in listing.views[cell]
        if due is not None
    )


def _without_value(
    in_doubt: list[tuple[Cell, list[Any]]], values: list[Any]
) -> tuple[Cell, list[Any]] | None:
    """A cell that gets no value where each takes one of those it may have; None if all do."""
    taken: dict[int, int] = {}

    def takes(number: int, tried: set[int]) -> bool:
        for place, value in enumerate(values):
            if place in tried or not any(equal(due, value) for due in in_doubt[number][1]):
                continue
            tried.add(place)
            if place not in taken or takes(taken[place], tried):
                taken[place] = number
                return True
        return False

    return next((cell for n, cell in enumerate(in_doubt) if not takes(n, set())), None)


def _was(cell: Cell, value: Any) -> bool:
    return any(equal(old, value) for old in cell.past())

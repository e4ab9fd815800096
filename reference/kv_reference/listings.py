"""Judging a listing by prefix (LIST)."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from kv_spec.operations import List
from kv_spec.outcomes import Malformed, Outcome, Raised
from kv_spec.values import is_container

from kv_reference import blame, reads
from kv_reference.belief import Cell
from kv_reference.clause_sets import names
from kv_reference.due import Listing
from kv_reference.kinship import is_special
from kv_reference.rulings import Domain, rule_key
from kv_reference.semantics import Live, live_of
from kv_reference.verdicts import NO_ANSWER, Violation, show

if TYPE_CHECKING:
    from kv_reference.oracle import Oracle


def judge_list(
    oracle: Oracle, op: List, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """list: every live entry below the prefix, each once, and nothing else."""
    domain, _ = rule_key(oracle.profile, op.prefix) if op.prefix else (Domain.INSIDE, "")
    if domain is Domain.OUTSIDE:
        return None
    listing = Listing(oracle, op.prefix, began, ended)
    oracle.stakes = listing.stakes()
    if isinstance(outcome, NO_ANSWER):
        return _failed(oracle, listing, outcome, domain, op)
    entries = judged(oracle, outcome)
    violation = compare(oracle, listing, entries, complete=True)
    if violation is None:
        violation = _ordered(oracle, entries)
    if op.change:
        for key, value in outcome:
            cell = known_cell(oracle, key)
            if is_container(value) and cell is not None:
                reads.handed_out(oracle, cell)
    oracle.space.journal.iterated = oracle.number
    return violation


def _failed(
    oracle: Oracle, listing: Listing, outcome: Raised | Malformed, domain: Domain, op: Any
) -> Violation | None:
    if isinstance(outcome, Raised):
        if outcome.indefinite:
            return None
        if domain is Domain.DOUBTFUL and outcome.refusal and not listing.must:
            return None
    if oracle.space.strays:
        return beside_strays(oracle, listing, outcome)
    if isinstance(outcome, Malformed) and "entry" in outcome.what:
        clause = "LIST-7"
    elif is_special(listing.prefix):
        clause = "LIST-4"
    elif isinstance(op, List) and listing.must and not op.prefix:
        clause = "VAL-6"
    else:
        clause = "LIST-2" if listing.prefix else "LIST-1"
    oracle.count(clause)
    return Violation(clause, "a listing", show(outcome), op.prefix or None)


def beside_strays(
    oracle: Oracle, listing: Listing, outcome: Raised | Malformed
) -> Violation | None:
    """A listing that fails where a key of a wrong type was taken: at fault if it hides others."""
    if not listing.must:
        return None
    oracle.count("ERR-1")
    due = "the other keys left alone by one of a wrong type"
    return Violation("ERR-1", due, show(outcome))


def judged(oracle: Oracle, entries: list[Any]) -> list[Any]:
    """The entries without those under a key of a wrong type that the store took."""
    strays = oracle.space.strays
    if not strays:
        return entries
    return [entry for entry in entries if not _is_stray(strays, entry)]


def _is_stray(strays: list[Any], entry: Any) -> bool:
    if isinstance(entry, Malformed):
        return False
    kind = type(entry[0])
    return any(type(stray) is kind and stray == entry[0] for stray in strays)


def known_cell(oracle: Oracle, key: Any) -> Cell | None:
    """The cell of a key that came out of a store, whatever it is; None if there is none."""
    kind = str if oracle.profile.flat else tuple
    try:
        return oracle.space.cells.get(key) if type(key) is kind else None
    except TypeError:
        return None


def compare(
    oracle: Oracle, listing: Listing, entries: list[Any], *, complete: bool
) -> Violation | None:
    """Judges the entries of a listing; `complete` unless it was given up early."""
    if listing.is_due(entries):
        return None
    seen: dict[Any, int] = {}
    violation: Violation | None = None
    for key, value in entries:
        cell = known_cell(oracle, key)
        if cell is not None:
            if key in seen:
                seen[key] += 1
                continue
            seen[key] = 1
            if cell.unknown or listing.live(cell, value) is not None:
                continue
        violation = violation or _wrong(oracle, listing, cell, key, value, entries)
    if violation is None and len(seen) < len(entries):
        repeated = next(key for key, times in seen.items() if times > 1)
        violation = _repeated(oracle, listing, repeated)
    if violation is None and complete:
        for cell in listing.must:
            if cell.key not in seen:
                violation = _missing(oracle, listing, cell, entries)
                break
    if violation is None and listing.doubtful:
        _learn(oracle, listing, seen, complete)
    return violation


def _missing(oracle: Oracle, listing: Listing, cell: Cell, entries: list[Any]) -> Violation:
    chosen = blame.choose(listing.of_missing(cell), oracle.at_stake, "LIST-1")
    return chosen.violation(f"an entry of {cell.key!r}", _count(entries), cell.key)


def _count(entries: list[Any]) -> str:
    return show(entries) if len(entries) <= 8 else f"{len(entries)} entries without it"


def _wrong(
    oracle: Oracle, listing: Listing, cell: Cell | None, key: Any, value: Any, entries: list[Any]
) -> Violation:
    if cell is not None:
        live = live_of(listing.views.get(cell, ()))
        if live is not None:
            return _wrong_value(oracle, cell, live, value, listing.began)
    cells = {known_cell(oracle, other) for other, _ in entries}
    whole = _is_key(oracle, key) and cells.issuperset(listing.must)
    suspects = listing.of_extra(key, value, cell, whole=whole)
    chosen = blame.choose(suspects, oracle.at_stake, "LIST-7")
    oracle.count(chosen.clause)
    due = f"no entry of {show(key)}"
    return chosen.violation(due, show((key, value)), key if cell is not None else None)


def _is_key(oracle: Oracle, key: Any) -> bool:
    if oracle.profile.flat:
        return isinstance(key, str)
    return type(key) is tuple and bool(key) and all(isinstance(part, str) for part in key)


def _wrong_value(oracle: Oracle, cell: Cell, live: Live, value: Any, began: float) -> Violation:
    scene = oracle.scene(cell, began)
    suspects = [c for c in blame.differs(scene, live, value) if c in ("VAL-2", "VAL-3")]
    found = oracle.read_stakes(cell, cell.views(began, began), began)
    chosen = blame.choose(suspects, names(found), "LIST-7")
    oracle.count(chosen.clause)
    return chosen.violation(show((cell.key, live.value)), show((cell.key, value)), cell.key)


def _repeated(oracle: Oracle, listing: Listing, key: Any) -> Violation:
    cell = oracle.cell(key)
    suspects = ["SET-4"] if cell.writes > 1 else []
    suspects += ["LIST-3"] if key == listing.prefix else []
    clause, *others = [*suspects, "LIST-6"]
    oracle.count(clause)
    return Violation(clause, f"{key!r} once", "more than once", key, tuple(others))


def _learn(oracle: Oracle, listing: Listing, seen: Collection[Any], complete: bool) -> None:
    for cell in listing.doubtful:
        if complete or cell.key in seen:
            views = listing.views[cell]
            kept = tuple(view for view in views if (view is not None) == (cell.key in seen))
            if kept:
                reads.note(oracle, cell, kept, listing.began, listing.ended)


def _ordered(oracle: Oracle, entries: list[Any]) -> Violation | None:
    """LIST-9: the declared order."""
    order = oracle.profile.list_order
    if order == "none" or len(entries) < 2:
        return None
    keys = [key for key, _ in entries]
    if order == "lex":
        due = sorted(keys)
    else:
        cells = {key: oracle.space.cells[key] for key in keys if key in oracle.space.cells}
        if len(cells) < len(keys) or any(c.writes > 1 or c.cause != "set" for c in cells.values()):
            return None  # whether an overwrite moves an entry is nobody's declaration
        due = sorted(keys, key=lambda key: cells[key].written)
    if keys == due:
        return None
    oracle.count("LIST-9")
    return Violation("LIST-9", f"the keys in {order} order: {show(due)}", show(keys))

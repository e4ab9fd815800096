"""Judging a listing by prefix (LIST)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from kv_spec.operations import List
from kv_spec.outcomes import Malformed, Outcome, Raised
from kv_spec.values import equal, is_container

from kv_reference import blame, reads
from kv_reference.belief import HANDED_OUT, Cell
from kv_reference.kinship import below, folds_below, is_special, misread
from kv_reference.semantics import Domain, Live, rule_key
from kv_reference.verdicts import Violation, show

if TYPE_CHECKING:
    from kv_reference.oracle import Oracle

MANY: Final = 100
"""More entries than this test that a listing is complete beyond a page (LIST-8)."""
GONE: Final = frozenset(
    "TTL-3 TTL-4 TTL-9 DEL-1 NULL-2 NULL-4 TTL-6 TTL-7 CAS-4 CAS-5 SET-2".split()
)
_LIVE: Final = frozenset("TTL-2 TTL-5 TTL-12 TTL-1 NULL-1 TTL-4 ITER-4 LIST-10".split())


class Listing:
    """One listing to be judged: its prefix, its interval, and the cells it is about."""

    def __init__(self, oracle: Oracle, prefix: Any, began: float, ended: float) -> None:
        self.oracle, self.prefix = oracle, prefix
        self.began, self.ended = began, ended
        self.cells = [cell for cell in oracle.space.cells.values() if not cell.unknown]
        self.below = [cell for cell in self.cells if below(cell.key, prefix)]
        self.must: list[Cell] = []
        self.gone: list[Cell] = []
        for cell in self.below:
            views = cell.views(began, ended)
            if None not in views:
                self.must.append(cell)
            elif views == (None,):
                self.gone.append(cell)

    def stakes(self) -> Iterator[str]:
        """The clauses that this listing puts to the test."""
        must, prefix = self.must, self.prefix
        if not prefix and must:
            yield "LIST-1"
        elif prefix and any(cell.writes for cell in self.cells):
            yield "LIST-2"
        if must:
            yield "LIST-7"
        if len(must) > 1:
            yield "LIST-6"
        if len(must) > MANY:
            yield "LIST-8"
        if any(cell.writes > 1 for cell in must):
            yield "SET-4"
        if any(cell.key == prefix for cell in must):
            yield "LIST-3"
        yield from self._literal()
        if self.oracle.profile.list_order != "none" and len(must) > 1:
            yield "LIST-9"
        for cell in self.gone:
            found = self.oracle.read_stakes(cell, self.began, self.ended)
            yield from (clause for clause in found if clause in GONE or clause == "OPEN-1")
        for cell in must[:MANY]:
            found = self.oracle.read_stakes(cell, self.began, self.ended)
            yield from (clause for clause in found if clause in _LIVE)

    def _literal(self) -> Iterator[str]:
        prefix = self.prefix
        if not prefix:
            return
        if is_special(prefix) and any(misread(c.key, prefix) for c in self.cells if c.writes):
            yield "LIST-4"
        if any(folds_below(cell.key, prefix) for cell in self.cells if cell.writes):
            yield "LIST-5"

    def of_missing(self, cell: Cell) -> Iterator[blame.Suspect]:
        """Suspects where a live entry was not yielded."""
        if cell.key == self.prefix:
            yield "LIST-3", True
        live = cell.latest
        if live is not None and (live.hi != math.inf or self.began > cell.wrote_at):
            scene = self.oracle.scene(cell, self.began)
            yield from (s for s in blame.lost(scene, live) if s[0] in _LIVE)
        if misread(cell.key, self.prefix) and is_special(self.prefix):
            yield "LIST-4", True
        yield "LIST-8", True
        journal = self.oracle.space.journal
        for number, clause in ((journal.abandoned, "LIST-10"), (journal.iterated, "ITER-4")):
            if number > cell.since:
                yield clause, self.oracle.minimal
        yield ("LIST-2" if self.prefix else "LIST-1"), False

    def of_extra(self, key: Any, value: Any, cell: Cell | None) -> Iterator[blame.Suspect]:
        """Suspects where an entry was yielded that is not live, or not below the prefix."""
        if cell is not None and cell not in self.below and cell.latest is not None:
            if is_special(self.prefix) and misread(key, self.prefix):
                yield "LIST-4", True
            if folds_below(key, self.prefix):
                yield "LIST-5", True
            yield "LIST-2", True
        if cell is not None:
            scene = self.oracle.scene(cell, self.began)
            for suspect in blame.found(scene, value):
                if suspect[0] in GONE or suspect[0] == "OPEN-1":
                    yield suspect
        yield "LIST-7", True
        yield ("LIST-2" if self.prefix else "LIST-1"), True


def judge_list(
    oracle: Oracle, op: List, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """list: every live entry below the prefix, each once, and nothing else."""
    domain, _ = rule_key(oracle.profile, op.prefix) if op.prefix else (Domain.INSIDE, "")
    if domain is Domain.OUTSIDE:
        return None
    listing = Listing(oracle, op.prefix, began, ended)
    oracle.count(listing.stakes())
    if isinstance(outcome, Raised | Malformed):
        return _failed(oracle, listing, outcome, domain, op)
    violation = compare(oracle, listing, outcome, complete=True)
    if violation is None:
        violation = _ordered(oracle, outcome)
    if op.change and oracle.profile.isolation == "copy":
        for key, value in outcome:
            cell = known_cell(oracle, key)
            if is_container(value) and cell is not None:
                cell.mark(HANDED_OUT)
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
    if isinstance(outcome, Malformed) and "entry" in outcome.what:
        clause = "LIST-7"
    elif "LIST-4" in oracle.at_stake:
        clause = "LIST-4"
    elif isinstance(op, List) and listing.must and not op.prefix:
        clause = "VAL-6"
    else:
        clause = "LIST-2" if listing.prefix else "LIST-1"
    oracle.count([clause])
    return Violation(clause, "a listing", show(outcome), True, op.prefix or None)


def known_cell(oracle: Oracle, key: Any) -> Cell | None:
    kind = str if oracle.profile.flat else tuple
    try:
        return oracle.space.cells.get(key) if type(key) is kind else None
    except TypeError:
        return None


def compare(
    oracle: Oracle, listing: Listing, entries: list[Any], *, complete: bool
) -> Violation | None:
    seen: Counter[Any] = Counter()
    violation: Violation | None = None
    for key, value in entries:
        cell = known_cell(oracle, key)
        if cell is not None:
            seen[key] += 1
            if cell.unknown:
                continue
        if seen[key] == 1 if cell is not None else True:
            violation = violation or _entry(oracle, listing, key, value, cell)
    repeated = next((key for key, times in seen.items() if times > 1), None)
    if violation is None and repeated is not None:
        violation = _repeated(oracle, listing, repeated)
    if violation is None and complete:
        missing = next((cell for cell in listing.must if cell.key not in seen), None)
        if missing is not None:
            suspects = listing.of_missing(missing)
            chosen = blame.choose(suspects, oracle.at_stake, "LIST-1")
            due = f"an entry of {missing.key!r}"
            violation = chosen.violation(due, _count(entries), missing.key)
    if violation is None:
        _learn(oracle, listing, seen, complete)
    return violation


def _count(entries: list[Any]) -> str:
    return show(entries) if len(entries) <= 8 else f"{len(entries)} entries without it"


def _entry(
    oracle: Oracle, listing: Listing, key: Any, value: Any, cell: Cell | None
) -> Violation | None:
    if cell is not None and below(key, listing.prefix):
        views = cell.views(listing.began, listing.ended)
        lives = [view for view in views if view is not None]
        if any(equal(view.value, value) for view in lives):
            return None
        if lives:
            return _wrong_value(oracle, cell, lives[0], value, listing.began)
    elif cell is not None and cell.unknown:
        return None
    suspects = listing.of_extra(key, value, cell)
    chosen = blame.choose(suspects, oracle.at_stake, "LIST-7")
    oracle.count([chosen.clause])
    due = f"no entry of {show(key)}"
    return chosen.violation(due, show((key, value)), key if cell is not None else None)


def _wrong_value(oracle: Oracle, cell: Cell, live: Live, value: Any, began: float) -> Violation:
    scene = oracle.scene(cell, began)
    suspects = [s for s in blame.differs(scene, live, value) if s[0] in ("VAL-2", "VAL-3")]
    found = set(oracle.read_stakes(cell, began, began))
    chosen = blame.choose(iter(suspects), found, "LIST-7")
    oracle.count([chosen.clause])
    return chosen.violation(show((cell.key, live.value)), show((cell.key, value)), cell.key)


def _repeated(oracle: Oracle, listing: Listing, key: Any) -> Violation:
    cell = oracle.cell(key)
    clause = "LIST-3" if key == listing.prefix else "LIST-6"
    if cell.writes > 1:
        clause = "SET-4"
    oracle.count([clause])
    return Violation(clause, f"{key!r} once", "more than once", False, key)


def _learn(oracle: Oracle, listing: Listing, seen: Counter[Any], complete: bool) -> None:
    for cell in listing.below:
        views = cell.views(listing.began, listing.ended)
        if len(views) > 1 and (complete or cell.key in seen):
            kept = tuple(view for view in views if (view is not None) == (cell.key in seen))
            if kept:
                reads.note(oracle, cell, kept, listing.began, listing.ended)


def _ordered(oracle: Oracle, entries: list[Any]) -> Violation | None:
    """LIST-9: the declared order."""
    order = oracle.profile.list_order
    keys = [key for key, _ in entries]
    if order == "none" or len(keys) < 2:
        return None
    if order == "lex":
        due = sorted(keys)
    else:
        cells = {key: oracle.space.cells[key] for key in keys if key in oracle.space.cells}
        if len(cells) < len(keys) or any(c.writes > 1 or c.cause != "set" for c in cells.values()):
            return None  # whether an overwrite moves an entry is nobody's declaration
        due = sorted(keys, key=lambda key: cells[key].written)
    if keys == due:
        return None
    oracle.count(["LIST-9"])
    return Violation("LIST-9", f"the keys in {order} order: {show(due)}", show(keys), True)

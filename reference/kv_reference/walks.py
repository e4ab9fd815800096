"""Judging an iteration during which the consumer writes (ITER, LIST-10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kv_spec.operations import STEP_VALUE, Iterate, step_key
from kv_spec.outcomes import Malformed, Outcome, Raised
from kv_spec.values import Outside

from kv_reference import writes
from kv_reference.clause_sets import set_of
from kv_reference.due import Listing
from kv_reference.kinship import is_special
from kv_reference.listings import beside_strays, compare, judged, known_cell
from kv_reference.rulings import Domain, rule_key
from kv_reference.verdicts import NO_ANSWER, Violation, show

if TYPE_CHECKING:
    from kv_reference.oracle import Oracle

_CLAUSES = {
    "delete-current": ("ITER-1",),
    "delete-yielded": ("ITER-1",),
    "write-new": ("ITER-2", "ITER-3"),
    "overwrite": ("ITER-2",),
    "read": (),
    "abandon": (),
}


def judge_iterate(
    oracle: Oracle, op: Iterate, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """A walk: what was there all along comes exactly once, and the walk ends."""
    if isinstance(op.prefix, Outside):
        return None
    domain, _ = rule_key(oracle.profile, op.prefix) if op.prefix else (Domain.INSIDE, "")
    listing = Listing(oracle, op.prefix, began, ended)
    violation = None
    if domain is Domain.INSIDE:
        enough = len(listing.must) > (op.script != "write-new")
        clauses = _CLAUSES[op.script] if enough and op.limit > 0 else ()
        oracle.stakes = set_of(*clauses) | listing.stakes()
        violation = _judge(oracle, op, listing, outcome)
    if not isinstance(outcome, NO_ANSWER):
        _effects(oracle, op, outcome, began, ended)
    else:
        _forget(oracle, op, listing)
    journal = oracle.space.journal
    journal.iterated = oracle.number
    if op.script == "abandon":
        journal.abandoned = oracle.number
    return violation


def _judge(oracle: Oracle, op: Iterate, listing: Listing, outcome: Outcome) -> Violation | None:
    own = _CLAUSES[op.script]
    if isinstance(outcome, NO_ANSWER):
        if isinstance(outcome, Raised) and outcome.indefinite:
            return None
        if oracle.space.strays:
            return beside_strays(oracle, listing, outcome)
        plain = "LIST-2" if op.prefix else "LIST-1"
        if is_special(op.prefix):
            clause = "LIST-4"
        else:
            clause = (own or (plain,))[-1 if isinstance(outcome, Malformed) else 0]
        oracle.count(clause)
        return Violation(clause, "a walk to the end", show(outcome))
    bad = next((entry for entry in outcome if isinstance(entry, Malformed)), None)
    if bad is not None:
        oracle.count("LIST-7")
        return Violation("LIST-7", "entries", show(bad))
    outcome = judged(oracle, outcome)
    there = {cell.key for cell in listing.must}
    own_keys = _own_keys(op, len(outcome), there)
    entries = [entry for entry in outcome if not _is_own(entry[0], own_keys)]
    unknown = [cell for cell in oracle.space.cells.values() if cell.unknown]
    most = len(listing.views) - len(listing.gone) + min(op.limit, len(outcome)) + len(unknown)
    if op.script == "write-new" and len(outcome) > most:
        oracle.count("ITER-3")
        due = f"at most the {len(listing.must)} first entries and those written"
        return Violation("ITER-3", due, f"{len(outcome)} entries")
    violation = compare(oracle, listing, entries, complete=op.script != "abandon")
    if violation is None or not own:
        return violation
    if own[0] not in oracle.at_stake or not _kept_whole(op, outcome, violation.key, there):
        return violation
    if violation.clause.startswith(("LIST", "SET-4")):
        others = (violation.clause, *violation.others)
        return replace(violation, clause=own[0], others=others)
    return replace(violation, others=(*violation.others, own[0]))


def _kept_whole(op: Iterate, outcome: list[Any], key: Any, there: Collection[Any]) -> bool:
    """Whether a key was to come exactly once: it was there, and this walk left it alone."""
    steps = [entry[0] for entry in outcome]
    if op.script in ("delete-current", "delete-yielded"):
        return key in there and key not in steps
    return key in there and (op.script == "write-new" or key not in steps[: op.limit])


def _own_keys(op: Iterate, steps: int, there: Collection[Any]) -> Counter[Any]:
    if op.script != "write-new":
        return Counter()
    keys = (step_key(op.prefix, number) for number in range(min(steps, op.limit)))
    return Counter(key for key in keys if key not in there)


def _is_own(key: Any, own: Counter[Any]) -> bool:
    """True for a key that this walk wrote: it may be yielded, once."""
    try:
        if own.get(key, 0) > 0:
            own[key] -= 1
            return True
    except TypeError:
        pass
    return False


def _effects(oracle: Oracle, op: Iterate, outcome: list[Any], began: float, ended: float) -> None:
    steps = [entry for entry in outcome if not isinstance(entry, Malformed)]
    for number, (key, _) in enumerate(steps[: op.limit]):
        if op.script == "delete-current":
            _delete(oracle, key, began)
        elif op.script == "delete-yielded" and number > 0:
            _delete(oracle, steps[number - 1][0], began)
        elif op.script in ("write-new", "overwrite"):
            own = op.script == "write-new"
            target = step_key(op.prefix, number) if own else key
            cell = oracle.cell(target) if own else known_cell(oracle, target)
            if cell is not None:
                ruling = oracle.rules.of_write(STEP_VALUE, None)
                writes.done(oracle, cell, ruling, began, ended)


def _forget(oracle: Oracle, op: Iterate, listing: Listing) -> None:
    """After a walk that failed nobody knows how far its writes came."""
    cells = list(listing.views)
    if op.script == "write-new":
        cells += [oracle.cell(step_key(op.prefix, number)) for number in range(op.limit)]
    for cell in cells:
        cell.forget()


def _delete(oracle: Oracle, key: Any, began: float) -> None:
    cell = known_cell(oracle, key)
    if cell is not None:
        writes.removed(oracle, cell, began)

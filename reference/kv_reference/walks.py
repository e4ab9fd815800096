"""Judging an iteration during which the consumer writes (ITER, LIST-10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from kv_spec.operations import STEP_VALUE, Iterate, Set, step_key
from kv_spec.outcomes import Malformed, Outcome, Raised

from kv_reference import writes
from kv_reference.listings import Listing, compare, known_cell
from kv_reference.semantics import Domain, rule_key
from kv_reference.verdicts import Violation, show

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
    domain, _ = rule_key(oracle.profile, op.prefix) if op.prefix else (Domain.INSIDE, "")
    if domain is not Domain.INSIDE:
        return None
    listing = Listing(oracle, op.prefix, began, ended)
    clauses = _CLAUSES[op.script] if len(listing.must) > 1 else ()
    oracle.count([*clauses, *listing.stakes()])
    violation = _judge(oracle, op, listing, outcome)
    if not isinstance(outcome, Raised | Malformed):
        _effects(oracle, op, outcome, began, ended)
    else:
        for cell in listing.below:
            cell.forget()
    journal = oracle.space.journal
    journal.iterated = oracle.number
    if op.script == "abandon":
        journal.abandoned = oracle.number
    return violation


def _judge(oracle: Oracle, op: Iterate, listing: Listing, outcome: Outcome) -> Violation | None:
    own = _CLAUSES[op.script]
    if isinstance(outcome, Raised | Malformed):
        if isinstance(outcome, Raised) and outcome.indefinite:
            return None
        clause = own[-1] if isinstance(outcome, Malformed) and own else (own or ("LIST-1",))[0]
        oracle.count([clause])
        return Violation(clause, "a walk to the end", show(outcome))
    bad = next((entry for entry in outcome if isinstance(entry, Malformed)), None)
    if bad is not None:
        oracle.count(["LIST-7"])
        return Violation("LIST-7", "entries", show(bad))
    there = {cell.key for cell in listing.must}
    own_keys = _own_keys(op, len(outcome), there)
    entries = [entry for entry in outcome if not _is_own(entry[0], own_keys)]
    if op.script == "write-new" and len(outcome) > len(listing.below) + min(op.limit, len(outcome)):
        oracle.count(["ITER-3"])
        due = f"at most the {len(listing.must)} first entries and those written"
        return Violation("ITER-3", due, f"{len(outcome)} entries")
    violation = compare(oracle, listing, entries, complete=op.script != "abandon")
    if violation is None or not own:
        return violation
    repeated_or_missing = violation.key is not None and violation.clause.startswith(
        ("LIST", "SET-4")
    )
    if not repeated_or_missing or len(listing.must) < 2 or not _wrote(op, outcome):
        return violation
    oracle.count([own[0]])
    return Violation(own[0], violation.expected, violation.actual, False, violation.key)


def _wrote(op: Iterate, outcome: list[Any]) -> bool:
    return op.limit > 0 and len(outcome) > (1 if op.script == "delete-yielded" else 0)


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
                one = Set(target, STEP_VALUE)
                writes.done(oracle, cell, oracle.rules.ruling(one), began, ended, one)


def _delete(oracle: Oracle, key: Any, began: float) -> None:
    cell = known_cell(oracle, key)
    if cell is not None:
        writes.removed(oracle, cell, began)

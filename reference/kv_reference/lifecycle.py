"""Judging open, close, clear, prune, and what a store does not offer (OPEN, CLOSE, ERR-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kv_spec.operations import (
    Advance,
    Cas,
    Clear,
    Close,
    Delete,
    Fill,
    Increment,
    Iterate,
    Open,
    Operation,
    Prune,
    Race,
    Set,
    Unoffered,
    fill_keys,
)
from kv_spec.outcomes import Outcome, Raised
from kv_spec.values import Outside

from kv_reference import writes
from kv_reference.verdicts import Violation, show

if TYPE_CHECKING:
    from kv_reference.oracle import Oracle


def judge_open(
    oracle: Oracle, op: Open, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """Open: the operations that follow are judged in that space."""
    oracle.enter(op.space)
    if isinstance(outcome, Raised) and not outcome.indefinite:
        oracle.count("OPEN-1")
        return Violation("OPEN-1", "a store", show(outcome))
    return None


def judge_close(
    oracle: Oracle, op: Close, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """close: the first time and again without an exception (CLOSE-1)."""
    again = oracle.space.closed
    unanswered = isinstance(outcome, Raised) and outcome.indefinite
    oracle.space.closed = True
    oracle.space.perhaps_open = unanswered and (not again or oracle.space.perhaps_open)
    failed = isinstance(outcome, Raised) and not unanswered
    if again or failed:
        oracle.count("CLOSE-1")
    return Violation("CLOSE-1", "no exception", show(outcome)) if failed else None


def judge_closed(oracle: Oracle, op: Operation, outcome: Outcome) -> Violation | None:
    """Any operation after close (CLOSE-2)."""
    if isinstance(op, Advance):
        return None
    if oracle.profile.after_close != "error" or oracle.space.perhaps_open:
        _forget_written(oracle, op)
        return None
    oracle.count("CLOSE-2")
    if isinstance(outcome, Raised):
        return None
    return Violation("CLOSE-2", "an exception", show(outcome))


def _forget_written(oracle: Oracle, op: Operation) -> None:
    """What is written after close may be kept or not."""
    if isinstance(op, Set | Delete | Cas | Increment) and not isinstance(op.key, Outside):
        oracle.cell(op.key).forget()
    elif isinstance(op, Fill):
        for key in fill_keys(op):
            oracle.cell(key).forget()
    elif isinstance(op, Iterate | Clear | Race):
        for cell in oracle.space.cells.values():
            cell.forget()


def judge_clear(
    oracle: Oracle, op: Clear, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """clear: every key is gone."""
    for cell in oracle.space.cells.values():
        if isinstance(outcome, Raised):
            cell.forget()
        else:
            writes.removed(oracle, cell, began)
    return None


def judge_prune(
    oracle: Oracle, op: Prune, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """prune: nothing observable changes (TTL-11), which later reads see."""
    oracle.space.journal.pruned = oracle.number
    oracle.count("TTL-11")
    if isinstance(outcome, Raised) and not outcome.indefinite:
        return Violation("TTL-11", "no exception", show(outcome))
    return None


def judge_unoffered(
    oracle: Oracle, op: Unoffered, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """What the store does not offer raises, and says so (ERR-2)."""
    oracle.count("ERR-2")
    if isinstance(outcome, Raised) and (outcome.means_unoffered or outcome.indefinite):
        return None
    due = "Unsupported, NotImplementedError, TypeError or AttributeError"
    return Violation("ERR-2", due, show(outcome))


def judge_advance(
    oracle: Oracle, op: Advance, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """Advance: time passes; there is nothing to judge."""
    return None

"""Judging open, close, clear, prune, and what a store does not offer (OPEN, CLOSE, ERR-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kv_spec.operations import Advance, Clear, Close, Open, Operation, Prune, Unoffered
from kv_spec.outcomes import Outcome, Raised

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
        oracle.count(["OPEN-1"])
        return Violation("OPEN-1", "a store", show(outcome))
    return None


def judge_close(
    oracle: Oracle, op: Close, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """close: the first time and again without an exception (CLOSE-1)."""
    again = oracle.space.closed
    oracle.space.closed = True
    failed = isinstance(outcome, Raised)
    if again or failed:
        oracle.count(["CLOSE-1"])
    return Violation("CLOSE-1", "no exception", show(outcome)) if failed else None


def judge_closed(oracle: Oracle, op: Operation, outcome: Outcome) -> Violation | None:
    """Any operation after close (CLOSE-2)."""
    if oracle.profile.after_close != "error" or isinstance(op, Advance):
        return None
    oracle.count(["CLOSE-2"])
    if isinstance(outcome, Raised):
        return None
    return Violation("CLOSE-2", "an exception", show(outcome))


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
    oracle.count(["TTL-11"])
    if isinstance(outcome, Raised) and not outcome.indefinite:
        return Violation("TTL-11", "no exception", show(outcome))
    return None


def judge_unoffered(
    oracle: Oracle, op: Unoffered, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """What the store does not offer raises, and says so (ERR-2)."""
    oracle.count(["ERR-2"])
    if isinstance(outcome, Raised) and (outcome.means_unoffered or outcome.indefinite):
        return None
    due = "Unsupported, NotImplementedError, TypeError or AttributeError"
    return Violation("ERR-2", due, show(outcome))


def judge_advance(
    oracle: Oracle, op: Advance, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """Advance: time passes; there is nothing to judge."""
    return None

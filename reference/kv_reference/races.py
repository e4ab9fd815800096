"""Judging a race: some order of the branches must explain all the answers (CAS-8 to CAS-10)."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from kv_spec.operations import Cas, Delete, Get, Has, Increment, Operation, Race, Set
from kv_spec.outcomes import Malformed, Outcome, Raced, Raised
from kv_spec.store import ABSENT
from kv_spec.values import equal

from kv_reference.clause_sets import BITS
from kv_reference.semantics import State, is_same, views
from kv_reference.verdicts import Violation, show

if TYPE_CHECKING:
    from kv_reference.belief import Cell
    from kv_reference.oracle import Oracle


def step(
    oracle: Oracle, state: State, op: Operation, outcome: Outcome, began: float, ended: float
) -> list[State]:
    """The states after one call that is permitted to answer `outcome` in `state`; [] if none."""
    found: list[State] = []
    for view in views(state, began, ended):
        found += _step(oracle, view, op, outcome, began, ended)
    return found


def _step(
    oracle: Oracle, view: State, op: Operation, outcome: Outcome, began: float, ended: float
) -> list[State]:
    rules = oracle.rules
    unanswered = isinstance(outcome, Raised) and outcome.indefinite
    if isinstance(op, Get):
        # With null=value and absent=none a miss and a stored null look alike (see GET-5).
        missed = outcome is ABSENT or (outcome is None and oracle.profile.absent == "none")
        fits = missed if view is None else equal(view.value, outcome)
        return [view] if fits or unanswered else []
    if isinstance(op, Has):
        return [view] if (view is not None) is outcome or unanswered else []
    if isinstance(op, Set | Delete):
        after = rules.after_write(rules.ruling(op), view, began, ended)
        return [view, after] if isinstance(outcome, Raised) else [after]
    if isinstance(op, Increment):
        if view is None or type(view.value) is not int:
            return [view] if isinstance(outcome, Raised | Malformed) else []
        counted = Set(op.key, view.value + 1)
        after = rules.after_write(rules.ruling(counted), view, began, ended)
        if unanswered:
            return [view, after]
        return [after] if outcome == view.value + 1 else []
    assert isinstance(op, Cas)
    if isinstance(outcome, Raised):
        fits = rules.compares(op.expected, view) is not False
        after = rules.after_write(rules.ruling(op), view, began, ended)
        return [view, after] if fits else [view]
    fit = rules.compares(op.expected, view)
    if fit is not None and fit is not outcome:
        return []
    return [rules.after_write(rules.ruling(op), view, began, ended)] if outcome else [view]


def judge_race(
    oracle: Oracle, op: Race, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """A race on one key: some order of the branches must explain all the answers."""
    if not isinstance(outcome, Raced):
        return Violation("CAS-8", "an answer of every branch", show(outcome))
    clause = race_clause(op)
    key = op.branches[0].key  # type: ignore[union-attr]
    cell = oracle.cell(key)
    pairs = list(zip(op.branches, outcome.outcomes, strict=True))
    finals: list[State] = []
    for order in itertools.permutations(pairs):
        states: list[State] = list(cell.states)
        for branch, answer in order:
            states = [s for old in states for s in step(oracle, old, branch, answer, began, ended)]
        for state in states:
            if not any(is_same(state, known) for known in finals):
                finals.append(state)
    oracle.count(*(("CAS-8", "CAS-9") if clause == "CAS-8" else (clause,)))
    raised = [answer for answer in outcome.outcomes if isinstance(answer, Raised)]
    if cell.unknown or cell.pending:
        cell.forget()  # a call without an answer may still come in between
        return None
    if not finals:
        cell.forget()
        due = "answers that some order of the calls explains"
        return Violation(clause, due, show_race(pairs), key)
    expired_before = cell.latest
    cell.write(finals[0], "race", clause, oracle.number, began)
    cell.believe(tuple(finals))
    cell.handle = oracle.space.handle
    if finals == [None]:
        cell.cause = "cas-delete" if expired_before is not None else "delete"
    cell.stakes = BITS[clause]
    for branch, answer in pairs:
        if isinstance(answer, Raised) and answer.indefinite:
            _unanswered(oracle, cell, branch, began)
    definite = [error for error in raised if not error.indefinite]
    if definite:
        broken = "CAS-9" if clause == "CAS-8" else clause
        oracle.count(broken)
        return Violation(broken, "True or False", show_race(pairs), key)
    return None


def _unanswered(oracle: Oracle, cell: Cell, branch: Operation, began: float) -> None:
    """Records that a branch may still happen."""
    if isinstance(branch, Increment):
        cell.forget()
    elif isinstance(branch, Set | Delete | Cas):
        later = oracle.rules.after_write(oracle.rules.ruling(branch), None, began, math.inf)
        cell.pending = (*cell.pending, later)


def race_clause(op: Race) -> str:
    """The clause that a race puts to the test, by what its branches are."""
    if any(isinstance(branch, Increment) for branch in op.branches):
        return "CAS-10"
    if all(isinstance(branch, Cas) for branch in op.branches):
        return "CAS-8"
    return "TTL-10"


def show_race(pairs: list[tuple[Operation, Outcome]]) -> str:
    """The answers of a race, a branch each."""
    return "; ".join(f"{branch.op} answered {show(answer)}" for branch, answer in pairs)

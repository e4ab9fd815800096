"""Judging set, delete and Fill; recording what a write leaves (SET, DEL, NULL, TTL, VAL)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kv_spec.operations import Delete, Fill, Set, fill_keys
from kv_spec.outcomes import Outcome, Raised
from kv_spec.store import ABSENT
from kv_spec.values import Outside, is_container, walk

from kv_reference import blame, promises, reads
from kv_reference.belief import REFUSED, Cell
from kv_reference.clause_sets import BITS
from kv_reference.kinship import names_member
from kv_reference.rulings import Domain, Effect, Ruling, is_too_short
from kv_reference.semantics import State, removal_cause
from kv_reference.verdicts import NO_ANSWER, Violation, show

if TYPE_CHECKING:
    from kv_reference.oracle import Oracle


def judge_set(
    oracle: Oracle, op: Set, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """set: what it leaves is seen later; here, whether it had to refuse, or might."""
    cell = oracle.space.cells.get(op.key)
    if cell is None:
        if isinstance(op.key, Outside):
            # Input of the wrong type is judged for one thing only, that other keys are left alone.
            oracle.space.journal.refusals.note(None, oracle.number)
            _stray(oracle, op.key, outcome)
            return None
        cell = oracle.cell(op.key)
    ruling = oracle.rules.of_write(op.value, op.ttl)
    effect = ruling.effect
    if effect is Effect.REFUSE or cell.domain is Domain.OUTSIDE or isinstance(outcome, NO_ANSWER):
        return _not_done(oracle, cell, ruling, op, outcome, began)
    done(oracle, cell, ruling, began, ended, ttl=op.ttl, changed=op.change)
    if effect is Effect.STORE:
        oracle.stakes = promises.of_acceptance(cell.stakes, is_container(ruling.value))
    elif effect is Effect.REMOVE:
        oracle.stakes = BITS[ruling.clause]
    if oracle.space.journal.abandoned == oracle.number - 1:
        oracle.count("LIST-10")
    return None


def _not_done(
    oracle: Oracle, cell: Cell, ruling: Ruling, op: Set, outcome: Outcome, began: float
) -> Violation | None:
    """A set that did not go through, or must not have."""
    # A key that may be refused is no reason where the value or the ttl must be.
    of_key = cell.domain is Domain.OUTSIDE or ruling.effect is not Effect.REFUSE
    clause = cell.key_clause if of_key and cell.domain is not Domain.INSIDE else ruling.clause
    must_refuse = cell.domain is Domain.OUTSIDE or ruling.effect is Effect.REFUSE
    if isinstance(outcome, Raised):
        may_refuse = cell.domain is Domain.DOUBTFUL or ruling.effect is Effect.EITHER
        if outcome.indefinite and not must_refuse:
            pending(oracle, cell, ruling, began)
            return None
        if must_refuse or (may_refuse and outcome.refusal):
            return refused(oracle, cell, clause, outcome)
        return _failed(oracle, cell, ruling, clause, outcome, op.ttl)
    broken = clause if must_refuse else "ERR-1"
    oracle.count(broken)
    cell.forget()
    due = "a refusal" if must_refuse else "a plain return"
    return Violation(broken, due, show(outcome), cell.key)


def _stray(oracle: Oracle, wrong: Outside, outcome: Outcome) -> None:
    """Records a key of a wrong type that was taken; a list may stand for its tuple."""
    if isinstance(outcome, Raised) and not outcome.indefinite:
        return
    key = wrong.make()
    oracle.space.strays.append(key)
    if isinstance(key, list) and not oracle.profile.flat:
        oracle.cell(tuple(key)).forget()


def done(
    oracle: Oracle,
    cell: Cell,
    ruling: Ruling,
    began: float,
    ended: float,
    *,
    ttl: Any = None,
    changed: bool = False,
) -> None:
    """Records a write that went through; `changed`: the caller changed the value afterwards."""
    if ruling.effect is Effect.REMOVE:
        removed(oracle, cell, began, removal_cause(ruling), ruling.clause)
        if ruling.value is not None:
            cell.earlier.append(ruling.value)  # should it show all the same, it is nobody else's
        return
    state = oracle.rules.stored(ruling, began, ended)
    cell.write(state, "set", ruling.clause, oracle.number, began)
    cell.handle = oracle.space.handle
    oracle.space.journal.sets.note(cell, oracle.number)
    again = cell.before is not None
    cell.stakes = promises.of_write(oracle.rules, ruling, ttl, changed, again, cell.is_member)
    if state.hi != math.inf:
        oracle.expect_expiry(state.hi, cell)
    if ttl is not None and is_too_short(oracle.profile, ttl):
        cell.forget()
    if changed and oracle.profile.isolation == "alias" and is_container(ruling.value):
        cell.forget()  # the stored value may have changed with the caller's


def removed(
    oracle: Oracle, cell: Cell, began: float, cause: str = "delete", clause: str = "DEL-1"
) -> None:
    """Records that a key was removed, and by what."""
    cell.write(None, cause, clause, oracle.number, began)
    cell.handle = oracle.space.handle
    oracle.space.journal.deletes.note(cell, oracle.number)


def pending(oracle: Oracle, cell: Cell, ruling: Ruling, began: float) -> None:
    """Records a write without an answer: from now on it may happen, or have happened."""
    later: State = oracle.rules.after_write(ruling, None, began, math.inf)
    cell.pending = (*cell.pending, later)


def refused(oracle: Oracle, cell: Cell, clause: str, outcome: Raised) -> Violation | None:
    """Records a refusal that the specification permits; nothing may have changed (ERR-1)."""
    oracle.count(clause, "ERR-1")
    cell.mark(REFUSED)
    if not outcome.plain:
        oracle.refused_by.add(outcome.name)
    oracle.space.journal.refusals.note(cell, oracle.number)
    if outcome.early:
        due = "an exception when it is awaited"
        return Violation("ERR-1", due, f"{show(outcome)}, by the call itself", cell.key)
    return None


def _failed(
    oracle: Oracle, cell: Cell, ruling: Ruling, clause: str, outcome: Raised, ttl: Any
) -> Violation:
    abandoned = oracle.space.journal.abandoned
    kin = next((clause for other, clause in cell.kin if other.writes), None)
    suspects = [kin or of_refusal(ruling, ttl), of_refusal(ruling, ttl)]
    if clause.startswith("KEY") and clause != "KEY-1":
        suspects = [clause]
    elif names_member(cell.key):
        suspects.insert(0, "KEY-5")
    if abandoned >= 0:
        # Right after it, or where the program needs it, an abandoned listing is the reason.
        near = abandoned == oracle.number - 1 or oracle.minimal
        suspects.insert(0 if near else len(suspects), "LIST-10")
    chosen = blame.choose(suspects, suspects, clause)
    oracle.count(chosen.clause)
    cell.forget()
    return chosen.violation("no exception", show(outcome), cell.key)


def of_refusal(ruling: Ruling, ttl: Any) -> str:
    """The clause broken where a write inside the domain was refused or failed."""
    value = ruling.value
    if ttl is not None:
        return ruling.clause if ruling.clause.startswith("TTL") else "TTL-2"
    if ruling.clause.startswith(("NULL", "VAL")):
        return ruling.clause
    if any(part is None for part in walk(value)):
        return "NULL-4"
    if any(isinstance(part, str) and not part.isalnum() for part in walk(value)):
        return "VAL-5"
    return "VAL-1"


def judge_delete(
    oracle: Oracle, op: Delete, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """delete: DEL-2 and DEL-4; that the key is gone is seen later."""
    cell = oracle.reach(op.key)
    if cell is None:
        oracle.space.journal.refusals.note(None, oracle.number)
        if isinstance(op.key, Outside):
            _stray(oracle, op.key, outcome)
        return reads.outside(oracle, ABSENT, op.key)
    views = cell.views(began, ended)
    certain = len(views) == 1 and not cell.unknown
    broken = "DEL-2" if None in views else "DEL-1"
    if certain:
        oracle.count(broken)
    if isinstance(outcome, Raised):
        if outcome.indefinite:
            cell.pending = (*cell.pending, None)
            return None
        if cell.domain is Domain.DOUBTFUL and outcome.refusal and None in views:
            return None
    if isinstance(outcome, NO_ANSWER):
        oracle.count(broken)
        return Violation(broken, "no exception", show(outcome), op.key)
    violation = None
    if oracle.profile.delete_returns == "bool" and certain:
        oracle.count("DEL-4")
        due = views[0] is not None
        if outcome is not due:
            violation = Violation("DEL-4", show(due), show(outcome), cell.key)
    removed(oracle, cell, began)
    return violation


def judge_fill(
    oracle: Oracle, op: Fill, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """Fill: many sets in one."""
    failed = isinstance(outcome, NO_ANSWER)
    beside = tuple(oracle.space.cells.values())  # its keys are no kin of one another
    for number, key in enumerate(fill_keys(op)):
        cell = oracle.cell(key, beside)
        if failed:
            cell.forget()
        else:
            ruling = oracle.rules.of_write(number, op.ttl)
            done(oracle, cell, ruling, began, ended, ttl=op.ttl)
    indefinite = isinstance(outcome, Raised) and outcome.indefinite
    if failed and not indefinite:
        oracle.count("LIST-8")
        return Violation("LIST-8", "a plain return", show(outcome))
    return None

"""Which outcomes the specification permits, given when a call began and ended.

The oracle does not predict, it permits: where an expiry or an unanswered write leaves doubt,
every answer that some possible state explains is right, and the oracle goes on with the states
that explain it. For the rest it blames a clause. It counts, a clause at a time, how often an
answer could have shown the clause broken.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from kv_spec import operations as ops
from kv_spec.outcomes import Malformed, Outcome
from kv_spec.profile import Profile
from kv_spec.values import equal

from kv_reference import (
    blame,
    lifecycle,
    listings,
    races,
    reads,
    scans,
    stakes,
    swaps,
    walks,
    writes,
)
from kv_reference.belief import Cell
from kv_reference.clause_sets import ClauseSet, counted, names, set_of
from kv_reference.journal import Journal
from kv_reference.kinship import kin, names_member
from kv_reference.rulings import Domain, rule_key
from kv_reference.semantics import State, rules_of
from kv_reference.verdicts import Violation

FIRST_SPACE: Final = "a"
_KEY_5, _OPEN_1, _OPEN_2 = set_of("KEY-5"), set_of("OPEN-1"), set_of("OPEN-2")
_MOST_KIN: Final = 256
"""Past so many keys new ones are those of a Fill, which have no kin."""
_ENDLESS: Final = Malformed("a value that is nested without end")
"""What no comparison comes to the end of, such as a list that contains itself."""


@dataclass(slots=True)
class Space:
    """A data space as the oracle sees it; `handle` numbers the handles opened on it."""

    cells: dict[Any, Cell] = field(default_factory=dict)
    journal: Journal = field(default_factory=Journal)
    handle: int = 0
    closed: bool = False
    perhaps_open: bool = False
    """A close was not answered: the handle may be open as well as closed."""
    strays: list[Any] = field(default_factory=list)
    """Keys of a wrong type that the store did not refuse: they may be listed."""


class Oracle:
    """Judges a program, operation by operation.

    `slack` in seconds is what the store's clock and the harness's may differ by; 0 where they
    are one. With `minimal` the program is known to need each of its operations; see
    `kv_reference.blame`.
    """

    def __init__(self, profile: Profile, *, slack: float = 0.0, minimal: bool = False) -> None:
        self.profile = profile
        self.rules = rules_of(profile, slack)
        self.minimal = minimal
        self.number = 0
        self.stakes: ClauseSet = 0
        """The clauses that the operation judged last put to the test."""
        self.refused_by: set[str] = set()
        """Exceptions that refused input, and that not everybody reads so (ERR-1)."""
        self.judged: list[ClauseSet] = []
        """What each operation put to the test."""
        self.alone = True
        """There is no other space, and no other handle."""
        self._spaces: dict[str, Space] = {}
        self._deadlines: list[tuple[float, int, Cell, Space]] = []
        self.enter(FIRST_SPACE)

    def judge(
        self, operation: ops.Operation, outcome: Outcome, began: float, ended: float
    ) -> Violation | None:
        """Judges one outcome; None if it is permitted.

        `began` and `ended` are seconds on the harness's clock. After a violation the oracle has
        adopted what the store did, and can go on. `stakes` then holds the clauses checked.
        """
        self.number += 1
        self.stakes = 0
        while self._deadlines and self._deadlines[0][0] <= began:
            _, _, cell, space = heapq.heappop(self._deadlines)
            space.journal.expiries.note(cell, self.number)
        if self.space.closed and not isinstance(operation, ops.Open | ops.Close):
            violation = lifecycle.judge_closed(self, operation, outcome)
        else:
            judge = _JUDGES[type(operation)]
            try:
                violation = judge(self, operation, outcome, began, ended)
            except RecursionError:
                self.stakes = 0
                violation = judge(self, operation, _ENDLESS, began, ended)
        self.judged.append(self.stakes)
        if violation is not None and self.minimal:
            return replace(violation, others=())
        return violation

    @property
    def checks(self) -> Counter[str]:
        """How often each clause was put to the test."""
        return counted(Counter(self.judged))

    @property
    def at_stake(self) -> tuple[str, ...]:
        """The clauses that the operation judged last put to the test, by name."""
        return names(self.stakes)

    def count(self, *clauses: str) -> None:
        """Notes that the operation being judged puts `clauses` to the test."""
        self.stakes |= set_of(*clauses)

    def enter(self, name: str) -> None:
        """Goes to a data space, by a handle of its own."""
        known = self._spaces.get(name)
        if known is None:
            self._spaces[name] = known = Space()
        else:
            known.handle += 1
            known.closed = False
        self.space = known
        self.alone = len(self._spaces) == 1 and known.handle == 0

    def cell(self, key: Any, beside: Collection[Cell] | None = None) -> Cell:
        """The cell of a key in the current space.

        A new one is related to the cells `beside` it, by default to all.
        """
        cells = self.space.cells
        cell = cells.get(key)
        if cell is None:
            cell = Cell(key, *rule_key(self.profile, key))
            if names_member(key):
                cell.is_member, cell.stakes = True, _KEY_5
            if len(cells) < _MOST_KIN:
                self._relate(cell, cells.values() if beside is None else beside)
            cells[key] = cell
        return cell

    def reach(self, key: Any) -> Cell | None:
        """The cell of a key that lies inside the domain, or in doubt; None for one outside."""
        cell = self.space.cells.get(key)
        if cell is None:
            if rule_key(self.profile, key)[0] is Domain.OUTSIDE:
                return None
            cell = self.cell(key)
        return None if cell.domain is Domain.OUTSIDE else cell

    @staticmethod
    def _relate(cell: Cell, others: Iterable[Cell]) -> None:
        for other in others:
            clause = kin(cell.key, other.key)
            if clause is not None:
                cell.kin.append((other, clause))
                other.kin.append((cell, clause))

    def expect_expiry(self, when: float, cell: Cell) -> None:
        """Notes that `cell` is gone from `when` on, for the keys beside it (TTL-13)."""
        heapq.heappush(
            self._deadlines, (when, self.number * 100_000 + len(self._deadlines), cell, self.space)
        )

    def read_stakes(self, cell: Cell, views: tuple[State, ...], began: float) -> ClauseSet:
        """The clauses at stake in a read of `cell`, other data spaces and handles included."""
        found = stakes.of_read(self.space.journal, cell, views, began)
        if self.alone:
            return found
        if cell.unknown or cell.cause == "adopted":
            return found
        if any(self._elsewhere(cell)):
            found |= _OPEN_1
        if cell.handle not in (-1, self.space.handle):
            found |= _OPEN_2
        return found

    def _elsewhere(self, cell: Cell) -> Iterable[Cell]:
        for space in self._spaces.values():
            other = space.cells.get(cell.key)
            if space is not self.space and other is not None and other.written >= 0:
                yield other

    def scene(self, cell: Cell, began: float) -> blame.Scene:
        """The place of a wrong answer, for `kv_reference.blame`."""
        return blame.Scene(
            self.space.journal,
            cell,
            began,
            self.minimal,
            self.profile.default_ttl,
            len(self._spaces) == 1,
            lambda value: self._owner(cell, value),
        )

    def _owner(self, cell: Cell, value: Any) -> str | None:
        if any(_has_value(other, value) for other in self._elsewhere(cell)):
            return "OPEN-1"
        others = (other for other in self.space.cells.values() if other is not cell)
        return "KEY-1" if any(_has_value(other, value) for other in others) else None


def _has_value(cell: Cell, value: Any) -> bool:
    latest = cell.latest
    return latest is not None and equal(latest.value, value)


_JUDGES: Final[dict[type[Any], Callable[..., Violation | None]]] = {
    ops.Get: reads.judge_get,
    ops.Has: reads.judge_has,
    ops.Set: writes.judge_set,
    ops.Delete: writes.judge_delete,
    ops.Fill: writes.judge_fill,
    ops.Cas: swaps.judge_cas,
    ops.Race: races.judge_race,
    ops.List: listings.judge_list,
    ops.Scan: scans.judge_scan,
    ops.Iterate: walks.judge_iterate,
    ops.Open: lifecycle.judge_open,
    ops.Close: lifecycle.judge_close,
    ops.Clear: lifecycle.judge_clear,
    ops.Prune: lifecycle.judge_prune,
    ops.Unoffered: lifecycle.judge_unoffered,
    ops.Advance: lifecycle.judge_advance,
}

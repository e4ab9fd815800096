"""When what last happened in a data space: which operations may have disturbed a key."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final

from kv_reference.clause_sets import ClauseSet, set_of

if TYPE_CHECKING:
    from kv_reference.belief import Cell

_SETS: Final = set_of("SET-3", "KEY-1")
_DELETES: Final = set_of("DEL-3")
_EXPIRIES: Final = set_of("TTL-13")
_REFUSALS: Final = set_of("ERR-1")
_GOT: Final = set_of("GET-3")
_ASKED: Final = set_of("HAS-2")
_ITERATED: Final = set_of("ITER-4")
_ABANDONED: Final = set_of("LIST-10")
_PRUNED: Final = set_of("TTL-11")
_SINCE: Final = attrgetter("since")


class Latest:
    """When something last happened to a key, and when to another key than that."""

    __slots__ = ("cell", "number", "other")

    def __init__(self) -> None:
        self.cell: Cell | None = None
        self.number = self.other = -1

    def note(self, cell: Cell | None, number: int) -> None:
        """Records that it happened to `cell`, in the operation of this number."""
        if cell is not self.cell:
            self.cell, self.other = cell, self.number
        self.number = number

    def other_than(self, cell: Cell) -> int:
        """The number of the last time that it happened to another key than that of `cell`."""
        return self.other if cell is self.cell else self.number

    def concerns(self, cells: list[Cell]) -> bool:
        """Whether it happened beside one of these since that was last confirmed."""
        return any(self.other_than(cell) > cell.since for cell in cells)


class Journal:
    """What happened in a data space, by kind, as numbers of operations."""

    __slots__ = (
        "abandoned", "asked", "deletes", "expiries", "got", "iterated",
        "pruned", "refusals", "sets",
    )  # fmt: skip

    def __init__(self) -> None:
        self.got = self.asked = self.iterated = self.abandoned = self.pruned = -1
        self.sets, self.deletes, self.expiries = Latest(), Latest(), Latest()
        self.refusals = Latest()

    def since(self, cell: Cell, number: int) -> ClauseSet:
        """The clauses by which what happened must have left the entry of `cell` alone.

        What happened to other keys after the operation of this number, or from the operation on.
        """
        found = 0
        # First whether it happened at all, which is quickly told.
        if self.sets.number > number and self.sets.other_than(cell) > number:
            found = _SETS
        if self.deletes.number > number and self.deletes.other_than(cell) > number:
            found |= _DELETES
        if self.expiries.number > number and self.expiries.other_than(cell) > number:
            found |= _EXPIRIES
        if self.refusals.number > number and self.refusals.other_than(cell) > number:
            found |= _REFUSALS
        return found | self._looks(number)

    def _looks(self, number: int) -> ClauseSet:
        """The clauses by which what looks at all keys must have left them alone since then."""
        found = 0
        if self.got >= number:
            found = _GOT
        if self.asked >= number:
            found |= _ASKED
        if self.iterated >= number:
            found |= _ITERATED
        if self.abandoned >= number:
            found |= _ABANDONED
        if self.pruned >= number:
            found |= _PRUNED
        return found

    def since_any(self, cells: list[Cell]) -> ClauseSet:
        """What `since` finds for any of `cells` since it was last confirmed.

        But for SET-3 and KEY-1, which no listing puts to the test.
        """
        if not cells:
            return 0
        least = min(map(_SINCE, cells))
        found = self._looks(least)
        if self.deletes.number > least and self.deletes.concerns(cells):
            found |= _DELETES
        if self.expiries.number > least and self.expiries.concerns(cells):
            found |= _EXPIRIES
        if self.refusals.number > least and self.refusals.concerns(cells):
            found |= _REFUSALS
        return found

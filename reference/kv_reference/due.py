"""What is due of a listing, and who is suspected where it comes otherwise (LIST)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from kv_spec.store import ABSENT
from kv_spec.values import equal

from kv_reference import blame, stakes
from kv_reference.belief import Cell
from kv_reference.clause_sets import ClauseSet, set_of
from kv_reference.kinship import folds_below, is_quoting, is_special, misread
from kv_reference.semantics import Live, State

if TYPE_CHECKING:
    from kv_reference.oracle import Oracle

MANY: Final = 100
"""More entries than this test that a listing is complete beyond a page (LIST-8)."""
GONE: Final = frozenset(
    (
        "TTL-3 TTL-4 TTL-9 DEL-1 NULL-2 NULL-4 TTL-6 TTL-7 CAS-4 CAS-5 SET-2 "
        "OPEN-1 OPEN-2 GET-3 HAS-2 CAS-2 ERR-1"
    ).split()
)
LIVE_AT_ONCE: Final = frozenset(
    (
        "NULL-1 ITER-4 LIST-10 TTL-11 OPEN-1 OPEN-2 GET-3 HAS-2 CAS-2 SET-6 ERR-1 DEL-3 TTL-13"
    ).split()
)
LIVE: Final = LIVE_AT_ONCE.union("TTL-2 TTL-5 TTL-12 TTL-1 TTL-4".split())
OF_GONE: Final = set_of(*GONE)
_OF_LIVE: Final = set_of(*LIVE)
_OF_ANY: Final = set_of("LIST-7", "VAL-6")
_OF_ALL, _OF_PREFIX, _OF_ITSELF = set_of("LIST-1"), set_of("LIST-2"), set_of("LIST-3")
_LITERAL, _EXACT = set_of("LIST-4"), set_of("LIST-5")
_OF_MANY, _OF_PAGES, _ORDERED = set_of("LIST-6"), set_of("LIST-8"), set_of("LIST-9")
_OPEN_1, _SET_4 = set_of("OPEN-1"), set_of("SET-4")


class Listing:
    """One listing to be judged: its prefix, its interval, and the cells it is about.

    `views` tells how it may find each cell below the prefix: `must` are certainly live, `gone`
    certainly not, `doubtful` may be found in several ways. `apart` are the written cells that are
    not below the prefix, `unknown` tells whether there are cells of which nothing is known.
    """

    def __init__(self, oracle: Oracle, prefix: Any, began: float, ended: float) -> None:
        self.oracle, self.prefix = oracle, prefix
        self.began, self.ended = began, ended
        self.views: dict[Cell, tuple[State, ...]] = {}
        self.must: list[Cell] = []
        self.gone: list[Cell] = []
        self.doubtful: list[Cell] = []
        self.apart: list[Cell] = []
        self.unknown = False
        size, found, must, gone = len(prefix), self.views, self.must, self.gone
        for cell in oracle.space.cells.values():
            if cell.unknown:
                self.unknown = True
                continue
            if size and cell.key[:size] != prefix:
                if cell.writes:
                    self.apart.append(cell)
                continue
            views, state = cell.states, cell.states[0]
            # Nearly always it is as it was: then there is no need to ask.
            if len(views) > 1 or cell.pending or not (state is None or ended < state.lo):
                views = cell.views(began, ended)
            found[cell] = views
            if len(views) > 1:
                self.doubtful.append(cell)
                if None not in views:
                    must.append(cell)
            elif views[0] is None:
                gone.append(cell)
            else:
                must.append(cell)

    @property
    def certain(self) -> bool:
        """Whether one listing alone is right, but for its order."""
        return not (self.doubtful or self.unknown)

    def stakes(self) -> ClauseSet:
        """The clauses that this listing puts to the test."""
        found = self._of_prefix() if self.prefix else _OPEN_1
        return found | self._of_entries() | self._of_gone() & OF_GONE | self._of_live() & _OF_LIVE

    def stakes_of_gone(self) -> ClauseSet:
        """Those among them about what is gone, or is not there for others (GONE)."""
        return _OPEN_1 | (self._of_gone() | self._of_live() & _OF_LIVE) & OF_GONE

    def _of_gone(self) -> ClauseSet:
        """What reads of the keys that are gone put to the test, if they find no other's entry."""
        found = 0 if self.oracle.alone else self._reads(self.gone)
        journal, began = self.oracle.space.journal, self.began
        for cell in self.gone:
            found |= stakes.of_gone(journal, cell, began)
        return found

    def _of_live(self) -> ClauseSet:
        """What a listing puts to the test by the entries that it must show."""
        if self.oracle.alone:
            return stakes.of_entries(self.oracle.space.journal, self.must[:MANY], self.began)
        return self._reads(self.must[:MANY])

    def _reads(self, cells: Iterable[Cell]) -> ClauseSet:
        """The clauses that reads of cells put to the test."""
        found = 0
        for cell in cells:
            found |= self.oracle.read_stakes(cell, self.views[cell], self.began)
        return found

    def is_due(self, entries: list[Any]) -> bool:
        """Whether these are the entries that must come, each once, where that is certain."""
        if len(entries) != len(self.must) or not self.certain:
            return False
        return self._is_in_order(entries) or self._is_complete(entries)

    def _is_in_order(self, entries: list[Any]) -> bool:
        """Whether they are due, and come in the order of their first writes: soon told."""
        kind, views = str if self.oracle.profile.flat else tuple, self.views
        try:
            for cell, (key, value) in zip(self.must, entries, strict=True):
                if type(key) is not kind or key != cell.key:
                    return False
                live = views[cell][0]
                if live is None or not equal(live.value, value):
                    return False
        except Exception:
            return False  # of a part of a key that is no text, and that cannot be compared
        return True

    def _is_complete(self, entries: list[Any]) -> bool:
        due = {cell.key: self.views[cell][0] for cell in self.must}
        kind = str if self.oracle.profile.flat else tuple
        try:
            for key, value in entries:
                live = due.pop(key, None) if type(key) is kind else None
                if live is None or not equal(live.value, value):
                    return False
        except TypeError:
            return False  # a key that cannot be hashed
        return True

    def live(self, cell: Cell, value: Any) -> Live | None:
        """The entry of a cell that may be listed with this value; None if none may."""
        for view in self.views.get(cell, ()):
            if view is not None and equal(view.value, value):
                return view
        return None

    def _of_entries(self) -> ClauseSet:
        must = self.must
        if not must:
            return 0
        found = _OF_ANY if self.prefix else _OF_ANY | _OF_ALL
        if len(must) > 1:
            found |= _OF_MANY
            if len(must) > MANY:
                found |= _OF_PAGES
            if self.oracle.profile.list_order != "none":
                found |= _ORDERED
        for cell in must:
            if cell.writes > 1:
                return found | _SET_4
        return found

    def _of_prefix(self) -> ClauseSet:
        prefix, apart, found = self.prefix, self.apart, 0
        if apart or any(cell.writes for cell in self.views):
            found |= _OF_PREFIX
        itself = self.oracle.space.cells.get(prefix)
        if itself is not None and itself in self.must:
            found |= _OF_ITSELF
        if found and is_special(prefix):
            written = (cell.key for cell in (*apart, *self.views) if cell.writes)
            if is_quoting(prefix) or any(misread(key, prefix) for key in written):
                found |= _LITERAL
        for cell in apart:
            if folds_below(cell.key, prefix):
                return found | _EXACT
        return found

    def of_missing(self, cell: Cell) -> Iterator[str]:
        """Suspects where a live entry was not yielded."""
        live = cell.latest
        if live is not None and live.value is None:
            yield "NULL-1"
        if is_special(self.prefix) and misread(cell.key, self.prefix):
            yield "LIST-4"
        if cell.key == self.prefix:
            yield "LIST-3"
        if live is not None:
            timed = live.hi != math.inf or self.began > cell.wrote_at
            wanted = LIVE if timed else LIVE_AT_ONCE
            suspects = blame.of_read(self.oracle.scene(cell, self.began), live, ABSENT)
            yield from (clause for clause in suspects if clause in wanted)
        yield "LIST-8"
        yield "LIST-2" if self.prefix else "LIST-1"

    def of_extra(
        self, key: Any, value: Any, cell: Cell | None, *, whole: bool = False
    ) -> Iterator[str]:
        """Suspects where an entry was yielded that is not live, or not below the prefix.

        `whole`: no entry is missing, in whose place this one could stand.
        """
        if cell is not None and cell not in self.views and cell.latest is not None:
            if is_special(self.prefix) and misread(key, self.prefix):
                yield "LIST-4"
            if folds_below(key, self.prefix):
                yield "LIST-5"
            yield "LIST-2"
        if cell is not None:
            suspects = blame.of_read(self.oracle.scene(cell, self.began), None, value)
            yield from (clause for clause in suspects if clause in GONE)
        if whole and (cell is None or cell.cause == "never"):
            yield "OPEN-1"
        yield "LIST-7"
        yield "LIST-2" if self.prefix else "LIST-1"

"""What is due of a listing, and who is suspected where it comes otherwise (LIST)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from kv_spec.store import ABSENT
from kv_spec.values import equal

from kv_reference import blame, stakes
from kv_reference.belief import Cell
from kv_reference.kinship import below, folds_below, is_quoting, is_special, misread
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


@lru_cache(maxsize=65_536)
def _due(
    own: tuple[str, ...], gone: tuple[tuple[str, ...], ...], live: tuple[tuple[str, ...], ...]
) -> tuple[str, ...]:
    """The clauses of a listing, by `own` and by those of reads of keys that it shows or not."""
    not_listed = [clause for clauses in gone for clause in clauses if clause in GONE]
    listed = [clause for clauses in live for clause in clauses if clause in LIVE]
    return stakes.unique((*own, *not_listed, *listed))


class Listing:
    """One listing to be judged: its prefix, its interval, and the cells it is about.

    `views` tells how it may find each cell below the prefix: `must` are certainly live, `gone`
    certainly not, `doubtful` may be found in several ways.
    """

    def __init__(self, oracle: Oracle, prefix: Any, began: float, ended: float) -> None:
        self.oracle, self.prefix = oracle, prefix
        self.began, self.ended = began, ended
        self.cells = [cell for cell in oracle.space.cells.values() if not cell.unknown]
        self.views: dict[Cell, tuple[State, ...]] = {}
        self.must: list[Cell] = []
        self.gone: list[Cell] = []
        self.doubtful: list[Cell] = []
        for cell in self.cells:
            if prefix and not below(cell.key, prefix):
                continue
            self.views[cell] = views = cell.views(began, ended)
            if len(views) == 1:
                (self.gone if views[0] is None else self.must).append(cell)
            else:
                self.doubtful.append(cell)
                if None not in views:
                    self.must.append(cell)

    def stakes(self) -> tuple[str, ...]:
        """The clauses that this listing puts to the test."""
        read, views, began = self.oracle.read_stakes, self.views, self.began
        gone = [read(cell, views[cell], began) for cell in self.gone]
        live = [read(cell, views[cell], began) for cell in self.must[:MANY]]
        return _due(tuple(self._of_entries()), tuple(gone), tuple(live))

    def live(self, cell: Cell, value: Any) -> Live | None:
        """The entry of a cell that may be listed with this value; None if none may."""
        for view in self.views.get(cell, ()):
            if view is not None and equal(view.value, value):
                return view
        return None

    def _of_entries(self) -> Iterator[str]:
        must, prefix = self.must, self.prefix
        if not prefix and must:
            yield "LIST-1"
        elif prefix and any(cell.writes for cell in self.cells):
            yield "LIST-2"
        if must:
            yield "LIST-7"
            yield "VAL-6"
        if not prefix:
            yield "OPEN-1"
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

    def _literal(self) -> Iterator[str]:
        prefix = self.prefix
        if not prefix:
            return
        written = (cell for cell in self.cells if cell.writes)
        if is_special(prefix) and any(
            is_quoting(prefix) or misread(c.key, prefix) for c in written
        ):
            yield "LIST-4"
        apart = (cell.key for cell in self.cells if cell.writes and cell not in self.views)
        if any(folds_below(key, prefix) for key in apart):
            yield "LIST-5"

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

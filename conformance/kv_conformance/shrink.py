"""The shortest failing program: delta debugging over operations, then over their arguments.

A slow store is asked rarely: every program is run once, and at most `budget` of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from kv_spec.json_form import to_json
from kv_spec.operations import Program

from kv_conformance.simplify import PASSES, size


class Shrinker:
    """Makes a failing program smaller for as long as it fails.

    `failing` runs a program and returns its part up to the fault if it is the fault in question,
    else None. Raises nothing of its own.
    """

    def __init__(
        self, failing: Callable[[Program], Program | None], *, budget: int = 2_000
    ) -> None:
        self.failing = failing
        self.budget = budget
        self.runs = 0
        self._known: dict[str, Program | None] = {}

    def shrink(self, program: Program) -> Program:
        """The smallest program found; `program` itself must fail."""
        best = program
        improved = True
        while improved and self.runs < self.budget:
            improved = False
            for simpler in PASSES:
                best, better = self._pass(simpler, best)
                improved = improved or better
        return best

    def _pass(self, simpler: Callable[[Program], object], best: Program) -> tuple[Program, bool]:
        better = False
        again = True
        while again and self.runs < self.budget:
            again = False
            for candidate in simpler(best):  # type: ignore[attr-defined]
                found = self._try(candidate, best)
                if found is not None:
                    best, better, again = found, True, True
                    break
        return best, better

    def _try(self, candidate: Program, best: Program) -> Program | None:
        text = json.dumps(to_json(candidate))
        if text not in self._known:
            if self.runs >= self.budget:
                return None
            self.runs += 1
            self._known[text] = self.failing(candidate)
        found = self._known[text]
        return found if found is not None and size(found) < size(best) else None

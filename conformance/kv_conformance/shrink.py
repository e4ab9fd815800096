"""The shortest failing program: delta debugging over operations, then over their arguments.

A slow store is asked rarely: every program is run once, and at most `budget` of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from kv_spec.operations import Advance, Operation, Program

from kv_conformance.measure import identity, size
from kv_conformance.simplify import PASSES, with_times_merged, without_blocks


class Shrinker:
    """Makes a failing program smaller for as long as it fails.

    `failing` runs a program and returns its part up to the fault if it is the fault in question,
    else None. Raises nothing of its own. `known` is what it returned, by the `identity` of the
    program.
    """

    def __init__(
        self,
        failing: Callable[[Program], Program | None],
        *,
        budget: int = 2_000,
        known: dict[str, Program | None] | None = None,
    ) -> None:
        self.failing = failing
        self.budget = budget
        self.runs = 0
        self.known = {} if known is None else known

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
        text = identity(candidate)
        if text not in self.known:
            if self.runs >= self.budget:
                return None
            self.runs += 1
            self.known[text] = self.failing(candidate)
        found = self.known[text]
        return found if found is not None and size(found) < size(best) else None


_SHORTER: Final = (without_blocks, with_times_merged)
_PLAINER: Final = tuple(simpler for simpler in PASSES if simpler not in _SHORTER)
_MOST_AT_ONCE: Final = 48


class BatchShrinker(Shrinker):
    """Shrinks where a program takes long but many at once take no longer: on a real clock.

    `failing_all` does for many programs what `failing` does for one. Every round tries all
    simpler programs in one batch, and in a second one what the successful ones come to together;
    no candidate waits longer than the program that it comes from.
    """

    def __init__(
        self,
        failing: Callable[[Program], Program | None],
        failing_all: Callable[[Sequence[Program]], Sequence[Program | None]],
        *,
        budget: int = 200,
        known: dict[str, Program | None] | None = None,
    ) -> None:
        super().__init__(failing, budget=budget, known=known)
        self.failing_all = failing_all

    def shrink(self, program: Program) -> Program:
        """The smallest program found; `program` itself must fail."""
        best, improved = program, True
        while improved and self.runs < self.budget:
            improved = False
            for passes in (_SHORTER, _PLAINER):
                smaller = self._round(passes, best)
                best, improved = smaller or best, improved or smaller is not None
        return best

    def _round(
        self, passes: Iterable[Callable[[Program], object]], best: Program
    ) -> Program | None:
        candidates = (c for simpler in passes for c in simpler(best))  # type: ignore[attr-defined]
        found = self._try_all(candidates, best)
        if len(found) > 1:
            found += self._try_all(together(best, sorted(found, key=size)), best)
        return min(found, key=size, default=None)

    def _try_all(self, candidates: Iterable[Program], best: Program) -> list[Program]:
        """What became of the candidates that fail and are smaller than `best`."""
        room = min(_MOST_AT_ONCE, self.budget - self.runs)
        largest, longest = size(best), _wait(best)
        texts: list[str] = []
        new: dict[str, Program] = {}
        for candidate in candidates:
            if len(new) >= room:
                break
            if _wait(candidate) <= longest and size(candidate) < largest:
                texts.append(identity(candidate))
                if texts[-1] not in self.known:
                    new[texts[-1]] = candidate
        if new:
            self.runs += len(new)
            self.known.update(zip(new, self.failing_all(list(new.values())), strict=True))
        known = (self.known[text] for text in dict.fromkeys(texts))
        return [one for one in known if one is not None and size(one) < largest]


def _wait(program: Program) -> float:
    return sum(op.seconds for op in program if isinstance(op, Advance))


def together(best: Program, smaller: Sequence[Program]) -> list[Program]:
    """Programs that are simpler than `best` in several of the ways of `smaller` at once.

    The first has as many of them as do not touch the same operations, the last only two.
    """
    merged: dict[int, tuple[Operation, ...]] = {}
    programs: list[Program] = []
    for changes in (_changes(best, program) for program in smaller):
        if merged.keys() & changes.keys():
            continue
        merged |= changes
        parts = (merged.get(number, (op,)) for number, op in enumerate(best))
        programs.append(tuple(op for part in parts for op in part))
    return programs[:0:-1]


def _changes(best: Program, other: Program) -> dict[int, tuple[Operation, ...]]:
    """By what each operation of `best` is to be replaced to make it `other`."""
    if len(best) == len(other):
        return {i: (new,) for i, new in enumerate(other) if new != best[i]}
    most = min(len(best), len(other))
    head = next((i for i in range(most) if best[i] != other[i]), most)
    tail = next((i for i in range(most - head) if best[-1 - i] != other[-1 - i]), most - head)
    gone: dict[int, tuple[Operation, ...]] = dict.fromkeys(range(head, len(best) - tail), ())
    gone[head] = other[head : len(other) - tail]
    return gone

"""Sets of clauses as numbers, a bit a clause: joined by `|`, and intersected by `&`."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Final, TypeAlias

from kv_spec.clauses import clauses

ClauseSet: TypeAlias = int

BITS: Final[dict[str, ClauseSet]] = {clause: 1 << place for place, clause in enumerate(clauses())}
"""The set of one clause alone, by its ID."""


def set_of(*ids: str) -> ClauseSet:
    """The set of these clauses. Raises KeyError for an ID that no clause has."""
    found = 0
    for id in ids:
        found |= BITS[id]
    return found


@lru_cache(maxsize=16_384)
def names(found: ClauseSet) -> tuple[str, ...]:
    """The clauses of a set, in the order of the specification."""
    return tuple(id for id, bit in BITS.items() if found & bit)


def counted(sets: Counter[ClauseSet]) -> Counter[str]:
    """How often each clause occurs in sets that occur so often."""
    every: Counter[str] = Counter()
    for found, times in sets.items():
        for clause in names(found):
            every[clause] += times
    return every

"""Which programs a sweep runs: its course, the parts of it, and what became of one elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from kv_conformance.phases.tally import Tally

PILOT: Final = 250
"""Programs from which the course of the rest is set."""
_FAVOURED_SHARE: Final = 8
"""One in so many programs, the last ones, is for the thin clauses."""
PART: Final = 125
"""Programs of a part: enough that giving it to another process costs little beside them."""


@dataclass(frozen=True, slots=True)
class Course:
    """Which programs a sweep runs: `programs` in all, of which this is one of `shards`.

    `shard` counts from 0. All shards together run every number once.
    """

    seed: int
    programs: int
    shard: int = 0
    shards: int = 1

    @property
    def pilot(self) -> range:
        """The numbers that every shard runs."""
        return range(min(PILOT, self.programs))

    @property
    def turn(self) -> int:
        """The number from which on programs keep to the favoured rules."""
        return max(self.programs - self.programs // _FAVOURED_SHARE, len(self.pilot))

    def owns(self, number: int) -> bool:
        """True if this shard counts the program."""
        return number % self.shards == self.shard

    @property
    def rest(self) -> range:
        """The numbers of this shard after the pilot."""
        first = len(self.pilot)
        return range(first + (self.shard - first) % self.shards, self.programs, self.shards)

    def parts(self) -> Iterator[Part]:
        """The course in pieces, the pilot first and those for the thin clauses last."""
        yield Part(self.pilot, pilot=True)
        rest = self.rest
        turn = len([number for number in rest if number < self.turn])
        for part, thin in ((rest[:turn], False), (rest[turn:], True)):
            for first in range(0, len(part), PART):
                yield Part(part[first : first + PART], thin=thin)

    def more(self, size: int) -> Iterator[Part]:
        """Parts of this shard beyond the course, of `size` programs, without end."""
        first = self.programs + (self.shard - self.programs) % self.shards
        for start in itertools.count(first, size * self.shards):
            yield Part(range(start, start + size * self.shards, self.shards))


@dataclass(frozen=True, slots=True)
class Part:
    """Programs of a course, by their numbers; `thin` for those that keep to favoured rules."""

    numbers: range
    pilot: bool = False
    thin: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What a part came to that was run ahead: what it counted, and which clauses it broke.

    `favoured` are the rules for the last part of the sweep: those that it kept to, or, of the
    pilot, those that it found. `calls` of the store were made, and `silent` is true if one of them
    was not answered.
    """

    tally: Tally
    broken: frozenset[str] = frozenset()
    favoured: tuple[str, ...] = ()
    calls: int = 0
    silent: bool = False


class Ahead(Protocol):
    """Who runs parts before their turn, in whatever process."""

    jobs: int

    def give_out(self, parts: Iterable[Part]) -> None:
        """Sees to it that more parts are run."""

    def result(self, part: Part) -> Done | None:
        """What became of a part; None where it has to be run yet."""

"""Programs without number from one seed: the rules of the machines, drawn by a plain generator.

A program draws its own habits, so that its operations meet: a few rules out of all (swarm
testing: Groce et al., ISSTA 2012), a few keys, a few values, a length. It is a function of the
plan, the seed and its number alone, whatever the store does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from kv_spec.machines import Rules
from kv_spec.machines.base import Plan
from kv_spec.machines.drawing import KEYS_A_PROGRAM, RULES, Habits, Rule
from kv_spec.machines.races import EXPIRED, Kind, kinds, late
from kv_spec.operations import Advance, Fill, Get, List, Operation, Program, Race

_LENGTHS: Final = (3, 6, 10, 10, 16, 16, 24, 40)
"""So many rules make a program."""
_LONG: Final = 250
_ONE_IN_LONG: Final = 150
_FIRST_LARGE: Final = 199
_ONE_IN_LARGE: Final = 800
_ONE_IN_COSTLY: Final = 12
"""Among so many programs is one that is long; one on a large store; one with costly rules."""
_LARGE: Final = 2_500
"""Entries of a large store: more than the page of any backend."""
_FIRST_RACE: Final = 256
_BETWEEN_RACES: Final = 16
_RACES_AGAIN: Final = 20_000
"""The numbers of the programs with a race: late, since each takes as long as a hundred others."""
_ONE_IN_FAR: Final = 8
_LAST_FAR: Final = 20_000
"""One in so many programs, none after so many, waits for days: a clock that ran on for centuries
would show what no store will live to see."""
_AMONG_MANY: Final = 3
"""So many rules are applied to a large store, whose every listing takes long."""


class Notes:
    """A session that performs nothing and writes the operations down."""

    over: Final = False

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.do: Callable[[Operation], Any] = self.operations.append

    def next_race(self, kinds: tuple[str, ...]) -> str | None:
        return None

    def close(self) -> None:
        """Nothing was opened."""


@dataclass(frozen=True, slots=True)
class Name:
    """Which program this is: with the plan, all that it is written from."""

    seed: int
    number: int
    favoured: tuple[str, ...] = ()


class Composer:
    """Writes programs for one plan.

    `favoured` narrows it to the rules of these names, the costly ones as often as others. Where
    the plan asks for races, each kind has one program among the first, and rarely one later.
    """

    def __init__(self, plan: Plan, favoured: Iterable[str] = ()) -> None:
        self.plan = plan
        self.favoured = tuple(favoured)
        self._script = type("Script", (Rules,), {"plan": plan, "open_session": staticmethod(Notes)})
        chosen = set(self.favoured)
        possible = [
            rule
            for rule in RULES.values()
            if rule.offers <= plan.offers and rule.name != "race" and rule.name in (chosen or RULES)
        ]
        self._cheap = [rule for rule in possible if chosen or not rule.costly]
        self._all = possible
        self._races = [
            kind
            for name, kind in kinds(plan).items()
            if plan.races and not chosen and (plan.time or not name.startswith(EXPIRED))
        ]

    def name(self, seed: int, number: int) -> Name:
        """The name of the program that `program` gives for the same arguments."""
        return Name(seed, number, self.favoured)

    def program(self, seed: int, number: int) -> Program:
        """The program of this number."""
        return tuple(self.marked(seed, number)[0])

    def marked(self, seed: int, number: int) -> tuple[list[Operation], list[str]]:
        """The program, and for each operation the name of the rule that it comes from."""
        kind, rest = divmod(number % _RACES_AGAIN - _FIRST_RACE, _BETWEEN_RACES)
        if rest == 0 and 0 <= kind < len(self._races):
            operations = self._raced(self._races[kind])
            return operations, ["race"] * len(operations)
        random = Random(f"{seed} {number}")
        habits = Habits(random, 1 + random.randrange(KEYS_A_PROGRAM))
        habits.numbers = [random.randrange(10_000) for _ in range(2 + random.randrange(7))]
        script: Any = self._script()
        script.far = number % _ONE_IN_FAR == 0 and number < _LAST_FAR
        theme, start = random.randrange(10_000), random.randrange(10_000)
        script.choose_keys(theme, start, random.random() < 0.5)
        operations = script.session.operations
        drawn = self._drawn(random, number)
        if number % _ONE_IN_LARGE == _FIRST_LARGE and "list" in self.plan.offers:
            operations += self._large()
            drawn = drawn[:_AMONG_MANY]
        names = [""] * len(operations)
        for rule in drawn:
            if all(need(script) for need in rule.needs):
                rule.do(script, **{name: draw.draw(habits) for name, draw in rule.draws.items()})
                names += [rule.name] * (len(operations) - len(names))
        return operations, names

    def _drawn(self, random: Random, number: int) -> Sequence[Rule]:
        """The rules of a program, in their order: a few of all, each with a weight of its own."""
        costly = number % _ONE_IN_COSTLY == _ONE_IN_COSTLY - 1
        pool = self._all if costly else self._cheap
        few = random.sample(pool, min(len(pool), 1 + random.randrange(9)))
        weights = [1 << random.randrange(4) for _ in few]
        long = number % _ONE_IN_LONG == _ONE_IN_LONG - 1
        length = _LONG if long and not costly else random.choice(_LENGTHS)
        return random.choices(few, weights, k=length)

    def _large(self) -> list[Operation]:
        prefix: Any = "large" if self.plan.profile.flat else ("large",)
        last: Any = f"{prefix}n00007" if self.plan.profile.flat else (*prefix, "n00007")
        everything = self.plan.pools.everything
        return [Fill(_LARGE, prefix), List(prefix), List(everything), Get(last)]

    def _raced(self, kind: Kind) -> list[Operation]:
        key: Any = "race" if self.plan.profile.flat else ("race",)
        before, branches = kind(key)
        expired = any(getattr(operation, "ttl", None) is not None for operation in before)
        waits = [Advance(late(self.plan))] if expired else []
        return [*before, *waits, Race(branches), Get(key)]

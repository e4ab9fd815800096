"""Programs without number from one seed: the rules of the machines, drawn by a plain generator.

A program draws its own habits, so that its operations meet: a few rules out of all (swarm
testing: Groce et al., ISSTA 2012), a few keys, a few values, a length. It is a function of the
plan, the seed and its number alone, whatever the store does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any, Final

from kv_spec.machines import Rules
from kv_spec.machines.base import Plan
from kv_spec.machines.drawing import RULES, Habits, Rule
from kv_spec.operations import Fill, Get, List, Operation, Program

_LENGTHS: Final = (3, 6, 10, 10, 16, 16, 24, 40)
"""So many rules make a program."""
_LONG: Final = 250
_ONE_IN_LONG: Final = 150
_ONE_IN_LARGE: Final = 800
_ONE_IN_COSTLY: Final = 12
"""Among so many programs is one that is long; one on a large store; one with costly rules."""
_LARGE: Final = 2_500
"""Entries of a large store: more than the page of any backend."""
_AMONG_MANY: Final = 3
"""So many rules are applied to a large store, whose every listing takes long."""


class Notes:
    """A session that performs nothing and writes the operations down."""

    over: Final = False

    def __init__(self) -> None:
        self.operations: list[Operation] = []

    def do(self, operation: Operation) -> Any:
        self.operations.append(operation)

    def next_race(self, kinds: tuple[str, ...]) -> str | None:
        return None

    def close(self) -> None:
        """Nothing was opened."""


class Composer:
    """Writes programs for one plan; `rules` narrows it to rules of these names."""

    def __init__(self, plan: Plan, rules: Iterable[str] | None = None) -> None:
        self.plan = plan
        self._script = type("Script", (Rules,), {"plan": plan, "open_session": staticmethod(Notes)})
        chosen = set(RULES if rules is None else rules)
        possible = [
            rule
            for rule in RULES.values()
            if rule.name in chosen and rule.offers <= plan.offers and rule.name != "race"
        ]
        self._cheap = [rule for rule in possible if not rule.costly] or possible
        self._all = possible

    def program(self, seed: int, number: int) -> Program:
        """The program of this number."""
        return tuple(operation for operation, _ in self.marked(seed, number))

    def marked(self, seed: int, number: int) -> list[tuple[Operation, str]]:
        """The program, each operation with the rule that it comes from."""
        random = Random(f"{seed} {number}")
        habits = Habits(random, 1 + random.randrange(5))
        habits.numbers = [random.randrange(10_000) for _ in range(2 + random.randrange(7))]
        script: Any = self._script()
        theme, start = random.randrange(10_000), random.randrange(10_000)
        script.choose_keys(theme, start, random.random() < 0.5)
        operations = script.session.operations
        names = ["" for _ in operations]
        drawn = self._drawn(random, number)
        if number % _ONE_IN_LARGE == _ONE_IN_LARGE - 1 and "list" in self.plan.offers:
            operations += self._large()
            drawn = drawn[:_AMONG_MANY]
        for rule in drawn:
            if all(need(script) for need in rule.needs):
                rule.do(script, **{name: draw.draw(habits) for name, draw in rule.draws.items()})
                names += [rule.name] * (len(operations) - len(names))
        names += [""] * (len(operations) - len(names))
        return list(zip(operations, names, strict=True))

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

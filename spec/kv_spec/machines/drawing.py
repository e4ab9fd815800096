"""How a rule's arguments are drawn: by Hypothesis for the machines, by a plain generator for the
programs of the sweep. One declaration serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final, Protocol, TypeVar

from hypothesis import stateful
from hypothesis import strategies as st

KEYS_A_PROGRAM: Final = 5
_NUMBERS: Final = 10_000
_ALPHABET: Final = "ab01 _-/:%.'\"\\\n\u00e9\u2028\U0001f600"

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(slots=True)
class Habits:
    """What one program keeps to: few keys, few values, so that its operations meet."""

    random: Random
    keys: int = KEYS_A_PROGRAM
    numbers: Sequence[int] = ()


class Draw(Protocol):
    """One argument of a rule."""

    @property
    def strategy(self) -> st.SearchStrategy[Any]:
        """How Hypothesis draws it."""

    def draw(self, habits: Habits) -> Any:
        """How a program of the sweep draws it."""


@dataclass(frozen=True, slots=True)
class Between:
    """A whole number, both ends included."""

    low: int
    high: int

    @property
    def strategy(self) -> st.SearchStrategy[int]:
        return st.integers(self.low, self.high)

    def draw(self, habits: Habits) -> int:
        return self.low + int(habits.random.random() * (self.high - self.low + 1))


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of given things."""

    options: Sequence[Any]

    @property
    def strategy(self) -> st.SearchStrategy[Any]:
        return st.sampled_from(self.options)

    def draw(self, habits: Habits) -> Any:
        return self.options[int(habits.random.random() * len(self.options))]


class _Index:
    """The number of one of the program's keys."""

    strategy = st.integers(0, KEYS_A_PROGRAM - 1)

    def draw(self, habits: Habits) -> int:
        return int(habits.random.random() * habits.keys)


class _Any:
    """A number to choose something by: a program of the sweep keeps to a few of them."""

    strategy = st.integers(0, _NUMBERS)

    def draw(self, habits: Habits) -> int:
        chance = habits.random.random()
        if habits.numbers and chance < 0.75:
            return habits.numbers[int(chance / 0.75 * len(habits.numbers))]
        return int(habits.random.random() * _NUMBERS)


class _Text:
    """Text that can be a key."""

    strategy = st.text(
        st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6
    )

    def draw(self, habits: Habits) -> str:
        return "".join(habits.random.choices(_ALPHABET, k=1 + int(habits.random.random() * 6)))


class _Json:
    """Any JSON value."""

    strategy = st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.text(max_size=8)
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        ),
        max_leaves=6,
    )

    def draw(self, habits: Habits, depth: int = 0) -> Any:
        random = habits.random
        kind = int(random.random() * (8 if depth < 3 else 6))
        if kind < 2:
            return (None, True, False, 0)[int(random.random() * 4)]
        if kind == 2:
            return random.randint(-(2**53), 2**53)
        if kind == 3:
            return random.uniform(-1, 1) * 10.0 ** random.randint(-300, 300)
        if kind < 6:
            return TEXT.draw(habits)
        size = int(random.random() * 4)
        if kind == 6:
            return [self.draw(habits, depth + 1) for _ in range(size)]
        return {TEXT.draw(habits): self.draw(habits, depth + 1) for _ in range(size)}


INDEX: Final = _Index()
ANY: Final = _Any()
FLAG: Final = OneOf((False, True))
TEXT: Final = _Text()
JSON: Final = _Json()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as a program of the sweep uses it.

    `offers` must be offered by the store; `needs` are asked of the program whenever the rule is
    drawn. One that is `costly` is drawn seldom.
    """

    name: str
    do: Callable[..., None]
    draws: Mapping[str, Draw]
    costly: bool
    offers: frozenset[str] = frozenset()
    needs: tuple[Callable[[Any], bool], ...] = ()


RULES: Final[dict[str, Rule]] = {}
"""All rules by the name of their method, in the order of their writing."""


def rule(*, costly: bool = False, **draws: Draw) -> Callable[[_F], _F]:
    """Makes a method a rule of both engines."""
    strategies: Any = {name: draw.strategy for name, draw in draws.items()}
    marked: Callable[[_F], _F] = stateful.rule(**strategies)

    def decorate(method: _F) -> _F:
        RULES[method.__name__] = Rule(method.__name__, method, draws, costly)
        return marked(method)

    return decorate


def precondition(holds: Callable[[Any], bool]) -> Callable[[_F], _F]:
    """A rule for programs of which `holds` is true; above `rule`."""

    def decorate(method: _F) -> _F:
        found = RULES[method.__name__]
        RULES[method.__name__] = replace(found, needs=(*found.needs, holds))
        return stateful.precondition(holds)(method)

    return decorate


def offers(*names: str) -> Callable[[_F], _F]:
    """A rule for stores that offer all of `names`; above `rule`."""

    def decorate(method: _F) -> _F:
        found = RULES[method.__name__]
        RULES[method.__name__] = replace(found, offers=found.offers.union(names))
        holds = stateful.precondition(lambda self: self.plan.offers.issuperset(names))
        return holds(method)

    return decorate

"""What all rules share: the plan of a store, a live session, the few keys of a program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, Literal, Protocol

from kv_spec import generate as gen
from kv_spec.machines.drawing import KEYS_A_PROGRAM
from kv_spec.operations import Advance, Cas, Get, Has, List, Operation, Scan, Set
from kv_spec.profile import Profile
from kv_spec.store import ABSENT

_NUMBERS: Final = (int, float)
_WAS: Final = object()
"""Stands for what a key is expected to hold."""
_SWAPS: Final = {
    "cas-create": (ABSENT, "created"),
    "cas-swap": (_WAS, "swapped"),
    "cas-delete": (ABSENT, ABSENT),
}
"""The ways to read a key by a swap, by what a store must offer: what is expected, and new."""


class LiveSession(Protocol):
    """One program on a store, judged as it goes."""

    def do(self, operation: Operation) -> Any:
        """Performs an operation, judges the outcome and returns it.

        Raises or records a violation as it sees fit.
        """

    @property
    def over(self) -> bool:
        """True when the program is to end early."""

    def next_race(self, kinds: tuple[str, ...]) -> str | None:
        """The kind of race that is worth its time in this program; None if none is."""

    def close(self) -> None:
        """Gives the store back."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a machine needs to know of a store: its profile, what it offers, what to try."""

    profile: Profile
    offers: frozenset[str]
    not_offered: tuple[str, ...] = ()
    """Names to call in vain (ERR-2)."""
    races: bool = False
    spaces: bool = True
    time: bool = True
    """False where waiting is real, and programs with waits are run another way."""
    pools: gen.Pools = field(default=None)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.pools is None:
            object.__setattr__(self, "pools", gen.pools(self.profile))


class Machine:
    """A program on a store: it keeps to a few keys, and to a session that judges."""

    plan: Plan
    open_session: Callable[[], LiveSession]

    def __init__(self) -> None:
        super().__init__()
        self.session = self.open_session()
        self.keys: list[Any] = []
        self.theme = ""
        self.deadlines: list[tuple[float, Any]] = []
        self.now = 0.0
        self.races = 0
        self.spaces = 0
        self.aliased = self.plan.profile.isolation == "alias"
        self.far = True
        """False for a program that keeps to waits of less than a day."""

    def choose_keys(self, theme: int, start: int, fraction: bool) -> None:
        """A program keeps to a few keys that are easily taken for one another.

        It starts on a whole second as often as on a fraction: each hides a kind of truncation.
        """
        names = list(self.plan.pools.themes)
        self.theme = names[theme % len(names)]
        pool = self.plan.pools.themes[self.theme]
        self.keys = [pool[(start + step) % len(pool)] for step in range(KEYS_A_PROGRAM)]
        if fraction and self.plan.time and "ttl" in self.plan.offers:
            self.do(Advance(37 * gen.TICK))

    def start_anew(self) -> None:
        """Goes on with another program, on a fresh store."""
        self.session.close()
        self.session = self.open_session()

    def do(self, operation: Operation) -> Any:
        """Performs an operation, unless the program is over."""
        kind = type(operation)
        # What rules may be drawn must follow from what was drawn, never from what a store did.
        if kind is Set or kind is Cas:
            ttl = operation.ttl  # type: ignore[union-attr]
            if isinstance(ttl, _NUMBERS) and 0 < ttl < gen.DAY:
                self.deadlines.append((self.now + ttl, operation.key))  # type: ignore[union-attr]
        elif kind is Advance:
            self.now += operation.seconds  # type: ignore[union-attr]
        if self.aliased and getattr(operation, "change", False):
            operation = replace(operation, change=False)  # type: ignore[arg-type]
        session = self.session
        return None if session.over else session.do(operation)

    def value(self, number: int) -> Any:
        """A value by number: mostly the plain ones with their twins, at times the hard ones."""
        pools = self.plan.pools
        if number % 4:
            return pools.values[number // 4 % len(pools.values)]
        return pools.hard_values[number // 4 % len(pools.hard_values)]

    def plain(self, number: int) -> Any:
        """A value of the plain ones, never null."""
        values = [value for value in self.plan.pools.values if value is not None]
        return values[number % len(values)]

    def ttl(self, number: int) -> float:
        """A ttl by number: mostly one that the clock's steps meet, at times an odd one."""
        pools = self.plan.pools
        if number % 5:
            return pools.ttls[number // 5 % len(pools.ttls)]
        odd = [ttl for ttl in pools.odd_ttls if self.far or ttl < gen.DAY]
        return odd[number // 5 % len(odd)]

    def looks(self, key: Any) -> tuple[Operation, ...]:
        """All the ways to look at a key that change nothing."""
        return _looks(key, self.plan.offers, self.plan.pools.everything)

    def read(self, key: Any, way: int, was: Any = 1) -> None:
        """Reads a key in one of the ways that the store offers, a swap of `was` among them."""
        looks = self.looks(key)
        swaps = [part for part in _SWAPS if part in self.plan.offers]
        number = way % (len(looks) + len(swaps))
        if number < len(looks):
            self.do(looks[number])
            return
        expected, new = _SWAPS[swaps[number - len(looks)]]
        self.do(Cas(key, was if expected is _WAS else expected, new))

    def read_in_every_way(self, key: Any, way: int, was: Any = 1) -> None:
        """Reads a key in one way, which may be a swap, and then in all that change nothing.

        Any of them can come first: a read that drops what has expired hides it from the next.
        """
        self.read(key, way, was)
        self.look_in_every_way(key, way)

    def look_in_every_way(self, key: Any, first: int) -> None:
        """Looks at a key in all the ways that change nothing, beginning with any of them."""
        looks = self.looks(key)
        for number in range(len(looks)):
            self.do(looks[(first + number) % len(looks)])

    def another_space(self, name: str) -> str:
        """The name of a data space that the program has not opened yet; `name` begins it."""
        self.spaces += 1
        return f"{name}{self.spaces}"

    def beside(self, key: int, number: int) -> int:
        """The index of a key of the program, by number, that is not `key`."""
        return (key + 1 + number % (len(self.keys) - 1)) % len(self.keys)


@lru_cache(maxsize=4_096)
def _looks(key: Any, offers: frozenset[str], everything: Any) -> tuple[Operation, ...]:
    """Operations are values: programs share them, since making them takes a while."""
    ways: list[Operation] = [Get(key)]
    if "has" in offers:
        ways.append(Has(key))
    if "list" in offers:
        ways += [List(key), List(everything)]
    names: tuple[Literal["keys", "values", "entries"], ...] = ("keys", "values", "entries")
    return (*ways, *(Scan(name) for name in names if name in offers))

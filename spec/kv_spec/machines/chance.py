"""Programs of the machines that owe nothing to each other: a backend of Hypothesis.

Hypothesis makes five of six programs by altering the one before, which finds more in a test whose
failures lie side by side. The faults of stores do not: many programs that differ in everything
meet more of them, each run of the machine from another corner. Draws come from one seed and from
nothing else, not from the constants in the code of the store either.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Final

from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, PrimitiveProvider
from hypothesis.internal.intervalsets import IntervalSet

_NAME: Final = "kv-spec"
_FEW: Final = 1 << 16
"""A range of no more integers is drawn from evenly; of a larger one small numbers come often."""
_BITS: Final = 64
_LONG: Final = 20
"""Characters of the longest text, if it need not be longer."""
_ASCII: Final = 128


@contextmanager
def backend(seed: int) -> Iterator[str]:
    """The name of a backend for `settings` that draws from this seed, for as long as it is open."""
    random = Random(f"machines {seed}")
    # A class for each run, since Hypothesis takes no instance.
    AVAILABLE_PROVIDERS[_NAME] = type("SeededChance", (Chance,), {"random": random})
    try:
        yield _NAME
    finally:
        del AVAILABLE_PROVIDERS[_NAME]


class Chance(PrimitiveProvider):
    """Draws by a plain generator of random numbers."""

    random: Random

    def draw_boolean(self, p: float = 0.5) -> bool:
        """True with a probability of `p`."""
        return self.random.random() < p

    def draw_integer(
        self,
        min_value: int | None = None,
        max_value: int | None = None,
        *,
        weights: dict[int, float] | None = None,
        shrink_towards: int = 0,
    ) -> int:
        """An integer between the two, both included."""
        if weights:
            chance = self.random.random()
            for number, weight in weights.items():
                chance -= weight
                if chance < 0:
                    return number
        low = -(1 << _BITS) if min_value is None else min_value
        high = max(low, 0) + (1 << _BITS) if max_value is None else max_value
        if high - low > _FEW and self.random.random() < 0.5:
            near = min(max(shrink_towards, low), high)
            far = 1 << self.random.randrange(16)
            low, high = max(low, near - far), min(high, near + far)
        return self.random.randint(low, high)

    def draw_float(
        self,
        *,
        min_value: float = float("-inf"),
        max_value: float = float("inf"),
        allow_nan: bool = True,
        smallest_nonzero_magnitude: float,
    ) -> float:
        """A finite number of any magnitude, at times a whole one."""
        number = self.random.uniform(-10, 10)
        if self.random.random() < 0.25:
            number = float(round(number))
        else:
            number *= 10.0 ** self.random.randint(-300, 300)
        if abs(number) < smallest_nonzero_magnitude:
            number = 0.0
        return min(max(number, min_value), max_value)

    def draw_string(
        self, intervals: IntervalSet, *, min_size: int = 0, max_size: int = _LONG
    ) -> str:
        """A text of characters, mostly the first of those allowed."""
        few = self.random.random() < 0.75
        among = min(len(intervals), _ASCII) if few else len(intervals)
        size = self._size(min_size, max_size) if among else 0
        return "".join(chr(intervals[int(self.random.random() * among)]) for _ in range(size))

    def draw_bytes(self, min_size: int = 0, max_size: int = _LONG) -> bytes:
        """Any bytes."""
        return self.random.randbytes(self._size(min_size, max_size))

    def _size(self, least: int, most: int) -> int:
        return self.random.randint(least, max(least, min(most, _LONG)))

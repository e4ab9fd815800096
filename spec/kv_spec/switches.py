"""Where to hold the first worker of a race: every step in turn, or as many as are affordable."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

MOST: Final = 400
"""So many places are tried; of a longer first branch, as many spread evenly, coarse to fine."""


def places() -> Generator[int | None, tuple[int, bool], None]:
    """Yields the step to hold at; is sent (steps of the first worker, whether it blocked others).

    The first place is None: no switch, to count the steps. Where the held worker keeps a lock the
    others wait for it at each step, which costs patience and shows nothing: there the places are
    galloped over to the end of the lock, which is then found by bisection.
    """
    steps, _ = yield None
    coarse = max(1, -(-steps // MOST))
    here = 0
    while here < steps:
        _, blocked = yield here
        if blocked:
            here = yield from _end_of_lock(here, steps, coarse)
        here += coarse


def _end_of_lock(low: int, steps: int, coarse: int) -> Generator[int | None, tuple[int, bool], int]:
    """The first place past `low`, give or take `coarse`, where nobody is blocked."""
    high, stride = steps, coarse
    while high - low > coarse:
        # Doubling strides as long as no free place is known, then halves of what is between.
        middle = min(low + stride, (low + high) // 2) if high == steps else (low + high) // 2
        _, blocked = yield max(middle, low + 1)
        if blocked:
            low, stride = max(middle, low + 1), stride * 2
        else:
            high = max(middle, low + 1)
    return high

"""Where to hold the first worker of a race: every step in turn, or as many as are affordable."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

MOST: Final = 400
"""So many places are tried; of a longer first branch, as many spread evenly, coarse to fine."""


def places() -> Generator[int | None, tuple[int, bool], None]:
    """Yields the step to hold at; is sent (steps of the first worker, whether it blocked others).

    The first place is None: no switch, to count the steps. Where the held worker keeps a lock the
    others wait for it at each step, which costs patience and shows nothing, so the strides grow.
    """
    steps, _ = yield None
    coarse = max(1, -(-steps // MOST))
    stride, here = coarse, 0
    while here < steps:
        _, blocked = yield here
        stride = stride * 2 if blocked else coarse
        here += stride

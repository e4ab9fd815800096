"""Where to hold the first worker of a race: every step in turn, or as many as are affordable."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

MOST: Final = 250
"""So many places are tried; of a longer first branch, as many spread evenly."""


def places() -> Generator[int | None, int, None]:
    """Yields the step to hold at; is sent how many steps the first worker made.

    The first place is None: no switch, to count the steps.
    """
    steps, here = (yield None), 0
    while here < steps:
        yield here
        here += max(1, -(-steps // MOST))

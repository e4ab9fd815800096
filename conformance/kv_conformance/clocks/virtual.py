"""Virtual time: it stands still until it is told to move.

`InjectedClock` is handed to a store that takes a clock; for other stores see
`kv_conformance.clocks.patched`.
"""

import math
from typing import Final

from kv_conformance.clocks.base import NANOSECONDS, nanoseconds

EPOCH: Final = 1_800_000_000.0
"""Where virtual wall clocks start unless told otherwise: 2027-01-15 08:00 UTC, in seconds."""

END_OF_TIME: Final = 32_503_680_000
"""Where virtual time ends: 3000-01-01 UTC, in seconds. Windows tells no local time after that year;
beyond it a right store would fail there, and programs must mean the same on every system."""

LATEST_START: Final = END_OF_TIME - 8_000_000_000
"""No program begins later than this, in seconds since 1970, so that it has time for its waits."""

ROUND: Final = 64
"""Programs begin at a multiple of so many seconds from its start."""


class VirtualTime:
    """An instant in whole nanoseconds since 1970 that moves only forward, and only when told."""

    exact: Final = True
    jumps: Final = True
    moving: Final = 0
    longest: Final = math.inf
    """No limit that a program has to mind: those that wait for ages end before `END_OF_TIME`."""

    def __init__(self, *, epoch: float = EPOCH) -> None:
        self._now_ns = self._epoch_ns = nanoseconds(epoch)

    def now(self) -> float:
        """Return the virtual time in seconds since 1970-01-01 UTC, the float nearest to it."""
        # Not / 1e9: the integer would be rounded to a float before the division as well as after.
        return self._now_ns / NANOSECONDS

    def advance(self, seconds: float) -> None:
        """Move the time forward by `seconds`, to the nanosecond.

        Raises:
            ValueError: `seconds` is negative, infinite or not a number, or leads beyond
                `END_OF_TIME`.
        """
        step = nanoseconds(seconds)
        if self._now_ns + step > END_OF_TIME * NANOSECONDS:
            raise ValueError(f"virtual time ends with the year 2999: not advanced by {seconds!r} s")
        self._move(step)

    def restart(self) -> None:
        """Move on to a multiple of `ROUND` seconds, or back to the start when time runs out.

        Not back each time: what the stores of a process have in common (the time of the last
        clean-up, say) would see time go backwards.
        """
        if self._now_ns > LATEST_START * NANOSECONDS:
            self._turn_back()
        elif rest := (self._now_ns - self._epoch_ns) % (ROUND * NANOSECONDS):
            self._move(ROUND * NANOSECONDS - rest)

    def _turn_back(self) -> None:
        """Move back to the start."""
        self._now_ns = self._epoch_ns

    def _move(self, step: int) -> None:
        """Move forward by `step` nanoseconds."""
        self._now_ns += step


class InjectedClock(VirtualTime):
    """A virtual clock that the store is given: call it for the time, in seconds since 1970."""

    kind: Final = "virtual (injected)"

    def __call__(self) -> float:
        """Return the virtual time, the same as `now()`."""
        return self._now_ns / NANOSECONDS

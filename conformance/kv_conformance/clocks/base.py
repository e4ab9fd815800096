"""What the harness needs of a clock, and the unit in which virtual time is kept.

Virtual time is an integer number of nanoseconds. Floats would drift: a hundred thousand advances by
0.1 s, added as floats to a date in this century, miss the true sum. A float leaves the integer only
when somebody reads it, by one correctly rounded division, so that a time which a float can hold
(each multiple of 1/64 s, for one) is read exactly as it was asked for.
"""

import math
from typing import Protocol

NANOSECONDS = 10**9
"""Nanoseconds in a second."""


class Clock(Protocol):
    """The time of the store under test, as the harness sees it."""

    @property
    def kind(self) -> str:
        """What a report calls the clock: "virtual (injected)", "virtual (patched)", "real", …"""

    @property
    def exact(self) -> bool:
        """Whether time stands still between advances, so that the interval of a call is a point."""

    @property
    def jumps(self) -> bool:
        """Whether an advance, however long, takes no longer than a call."""

    @property
    def longest(self) -> float:
        """Seconds that a program may let pass in all, and be sure that they do."""

    @property
    def moving(self) -> int:
        """The number of the move that is under way and may hang; 0 where none is, or none can."""

    def now(self) -> float:
        """Return the time in seconds, on a scale of this clock's own. It never goes back."""

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass for the store.

        Raises:
            ValueError: `seconds` is negative, infinite or not a number.
        """

    def restart(self) -> None:
        """Prepare for a program: one that is run again begins at a like instant.

        Called while no program is under way.
        """


def nanoseconds(seconds: float) -> int:
    """Return `seconds` as a whole number of nanoseconds, the nearest one.

    The fraction is converted by itself: multiplied as a whole, ten million seconds and 1/64 would
    already lose their last digits.

    Raises:
        ValueError: `seconds` is negative, infinite or not a number.
    """
    check_advance(seconds)
    fraction, whole = math.modf(seconds)
    return int(whole) * NANOSECONDS + round(fraction * NANOSECONDS)


def check_advance(seconds: float) -> None:
    """Refuse a step that no clock can make.

    Raises:
        ValueError: `seconds` is negative, infinite or not a number.
    """
    if not 0 <= seconds < math.inf:
        raise ValueError(f"a clock moves by a finite number of seconds, zero or more: {seconds!r}")

"""Real time, for stores that no virtual clock reaches."""

from typing import Final

from kv_conformance import real_time
from kv_conformance.clocks.base import check_advance


class RealClock:
    """The machine's monotonic clock, also while the process's own time is virtual.

    It is not exact: time passes during each call, so a call has an interval and a deadline that
    falls into it leaves both outcomes open.
    """

    kind: Final = "real"
    exact: Final = False
    jumps: Final = False
    moving: Final = 0
    longest: Final = 0.0
    """Programs that wait are run side by side with others; see `phases.timed`."""

    def now(self) -> float:
        """Return the real `time.monotonic()`, in seconds."""
        return real_time.monotonic()

    def restart(self) -> None:
        """Do nothing: real time goes its own way."""

    def advance(self, seconds: float) -> None:
        """Sleep until at least `seconds` have passed by `now()`.

        One sleep is not enough: where the monotonic clock is coarser than the sleep (Windows ticks
        every 15.6 ms) it can still read less than asked, and the harness would take an entry for
        alive that the store has rightly dropped, or the reverse.

        Raises:
            ValueError: `seconds` is negative, infinite or not a number.
        """
        check_advance(seconds)
        end = self.now() + seconds
        while (left := end - self.now()) > 0:
            real_time.sleep(left)

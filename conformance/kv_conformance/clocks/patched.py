"""Virtual time for a store that reads the clocks of its process itself.

`PatchedClock` changes what the functions of `time` and `datetime` answer in this process.

The wall clock (`time.time`, `time_ns`, `localtime`, `gmtime`, `clock_gettime(CLOCK_REALTIME)`,
`datetime.now`, `utcnow`, `today`) is moved by time-machine, which changes the C functions, hence
for every reference to them, however old, in every thread and at every depth of the stack.
`time.monotonic` and `monotonic_ns`, which it leaves alone, are replaced here in the module `time`:
the replacement looks at its immediate caller, gives real time to what waits or measures
(`SEES_REAL_TIME`), and virtual time to all others. `perf_counter` and `sleep` stay real.

freezegun cannot do this. It judges a call by the nearest five frames of the stack and passes over
whatever has `threading` among them, so that a store sees real time in a worker or close below an
ignored caller; and it freezes `perf_counter`, so that Hypothesis reports deadlines never missed.

What this does not reach, and a run must find out by a probe:

- a module that did `from time import monotonic` before the clock was installed: install first;
- `perf_counter`, `clock_gettime(CLOCK_MONOTONIC)`, `ctime`, and the `time()` of an event loop;
- expiry by a real wait: `threading.Timer`, `loop.call_later`, `sleep`;
- times told by others: SQLite's `now`, modification times of files, child processes, servers.

Local time keeps the time zone of the process, with its changes between summer and winter.
"""

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Final, Self

from kv_conformance import real_time
from kv_conformance.clocks.base import NANOSECONDS, nanoseconds
from kv_conformance.clocks.virtual import EPOCH, VirtualTime

if TYPE_CHECKING:
    import time_machine

MONOTONIC_START: Final = 10_000.0
"""Where the virtual monotonic clock starts, in seconds: far from any wall clock, so that a store
which compares one with the other is found out."""

_STDLIB: Final = (
    *("asyncio", "concurrent", "multiprocessing", "queue", "sched", "selectors", "socket"),
    *("socketserver", "ssl", "subprocess", "telnetlib", "threading"),
)
_HARNESS: Final = (
    *("kv_conformance", "kv_reference", "kv_spec", "hypothesis", "rich"),
    *("pytest", "_pytest", "xdist", "execnet"),
)
SEES_REAL_TIME: Final = frozenset(_STDLIB + _HARNESS)
"""The top-level modules whose own calls of `time.monotonic` are answered with real time: the parts
of the standard library that wait by it, the harness, and those who run it and keep time for it."""


class PatchedClock(VirtualTime):
    """A virtual clock that this process reads in place of the real ones while it is installed.

    At most one is installed in a process. Between installs it keeps its time. It is a context
    manager: installed on entry, uninstalled on exit.

    Args:
        epoch: the wall clock at the start, in seconds since 1970-01-01 UTC.
        monotonic_start: the monotonic clock at the start, in seconds.
    """

    kind: Final = "virtual (patched)"
    _installed: ClassVar["PatchedClock | None"] = None

    def __init__(self, *, epoch: float = EPOCH, monotonic_start: float = MONOTONIC_START) -> None:
        super().__init__(epoch=epoch)
        self._monotonic_offset = nanoseconds(monotonic_start) - self._now_ns
        self._travel: time_machine.travel | None = None
        self._traveller: time_machine.Traveller | None = None

    def install(self) -> None:
        """Put this clock in place of the process's own, before the store's module is imported.

        Raises:
            RuntimeError: a virtual clock is in place already: this one, another, or that of another
                tool, whose time would then be restored wrongly.
        """
        if (installed := PatchedClock._installed) is not None:
            which = "this" if installed is self else "another"
            raise RuntimeError(f"{which} PatchedClock is already installed: uninstall it first")
        # Imported here: it takes a quarter of a second where pytest is installed.
        import time_machine

        if time_machine.escape_hatch.is_travelling() or time.monotonic is not real_time.monotonic:
            raise RuntimeError(
                "another tool has already replaced this process's time: stop it first"
            )
        # From a whole second: time-machine takes no nanoseconds, and rounds a float of this size.
        whole, rest = divmod(self._now_ns, NANOSECONDS)
        self._travel = time_machine.travel(whole, tick=False)
        self._traveller = self._travel.start()
        _shift(self._traveller, rest)
        PatchedClock._installed = self
        _set_monotonic(_monotonic, _monotonic_ns)

    def uninstall(self) -> None:
        """Give the process its real time back, function by function.

        Raises:
            RuntimeError: this clock is not installed.
        """
        if self._travel is None:
            raise RuntimeError("this PatchedClock is not installed")
        PatchedClock._installed = None
        _set_monotonic(real_time.monotonic, _real_monotonic_ns)
        self._travel.stop()
        self._travel = self._traveller = None

    def __enter__(self) -> Self:
        """Install the clock and return it."""
        self.install()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Uninstall the clock, whatever happened."""
        self.uninstall()

    def _turn_back(self) -> None:
        """Move the wall clock back to the start; the monotonic one never turns back."""
        self.uninstall()
        self._monotonic_offset += self._now_ns - self._epoch_ns
        super()._turn_back()
        self.install()

    def monotonic_ns(self) -> int:
        """Return the virtual monotonic clock in nanoseconds, as the store sees it."""
        return self._now_ns + self._monotonic_offset

    def monotonic(self) -> float:
        """Return the virtual monotonic clock in seconds, as the store sees it."""
        return self.monotonic_ns() / NANOSECONDS

    def _move(self, step: int) -> None:
        if self._traveller is not None:
            _shift(self._traveller, step)
        self._now_ns += step


def _shift(traveller: "time_machine.Traveller", step: int) -> None:
    """Move time-machine by `step` nanoseconds, exactly. (Before 3.3.1 it could lose one a shift.)

    Not `move_to`: it also makes `uuid` forget its last timestamp, and a store that makes its keys
    with `uuid1` could get the same one twice.
    """
    microseconds, rest = divmod(step, 1000)
    traveller.shift(timedelta(microseconds=microseconds))
    if rest:  # so small a float is rounded back to the integer it came from
        traveller.shift(rest / NANOSECONDS)


class _ByCaller:
    """What takes the place of a function of the module `time`.

    It is an object because a Python function is not like the builtin it replaces: as the attribute
    of a class (`clock = time.monotonic`) it would become a method and be given `self`. Like a
    builtin it is copied and pickled by its name. Who keeps it after the clock is uninstalled gets
    real time from it.
    """

    __slots__ = ("__name__", "_real", "_virtual")
    __module__ = "time"

    def __init__(self, real: Callable[[], float], virtual: Callable[[PatchedClock], float]) -> None:
        self.__name__ = virtual.__name__
        self._real = real
        self._virtual = virtual

    def __call__(self) -> float:
        if (clock := PatchedClock._installed) is None:
            return self._real()
        try:
            caller = str(sys._getframe(1).f_globals.get("__name__"))
        except ValueError:  # called by C in a thread that has no Python frame
            caller = ""
        if caller.partition(".")[0] in SEES_REAL_TIME:
            return self._real()
        return self._virtual(clock)

    def __reduce__(self) -> str:
        return self.__name__


_real_monotonic_ns = time.monotonic_ns
_monotonic = _ByCaller(real_time.monotonic, PatchedClock.monotonic)
_monotonic_ns = _ByCaller(_real_monotonic_ns, PatchedClock.monotonic_ns)


def _set_monotonic(monotonic: Callable[[], float], monotonic_ns: Callable[[], float]) -> None:
    """Let the module `time` have these two functions."""
    for name, function in {"monotonic": monotonic, "monotonic_ns": monotonic_ns}.items():
        setattr(time, name, function)

"""The real clocks of this machine, for the harness itself.

Everything in the harness that measures, waits or dates reads time here and nowhere else, so that a
virtual clock (`kv_conformance.clocks.patched`) cannot reach it: `monotonic`, `perf_counter` and
`sleep` are references taken when this module is imported, which is before any clock is installed
(the virtual clock imports this module first).

All are in seconds; `sleep` waits at least as long as asked, give or take the system's timer.
"""

from time import monotonic, perf_counter, sleep
from time import time as _wall_clock

__all__ = ["monotonic", "perf_counter", "sleep", "time"]

_wall_at_import = _wall_clock()
_counter_at_import = perf_counter()


def time() -> float:
    """Return the real wall clock, in seconds since 1970-01-01 UTC, also while time is virtual.

    A reference to `time.time` would not do: the virtual clock changes that function beneath all
    its references. So the wall clock is read once, at import, and `perf_counter` counts on from
    there; a correction of the system's clock after the import is not seen.
    """
    return _wall_at_import + (perf_counter() - _counter_at_import)

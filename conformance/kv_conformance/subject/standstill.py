"""Seeing that threads wait for one that is held: by the system where it tells, else by looking.

A thread asleep in a lock without a time limit is told at once by Linux. It can not be mistaken for
one that waits for the interpreter, which has a limit. Elsewhere, and where a thread waits in
another way, it has to be seen not to move for a while.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Final, Protocol

from kv_conformance import real_time

LOOK: Final = 0.0005
"""Seconds between two looks at workers that may be waiting for the one that is held."""
STALLED: Final = 4
"""So many looks without a step of any of them, and the held worker is taken to block them."""
SURE: Final = 40
"""The same for who runs one place by itself, and not every place in turn."""
LONGEST: Final = 0.1
"""Seconds after which they are taken to be blocked, steps or no steps."""
_GLANCE: Final = 0.00004
_GLANCES: Final = 3
"""So many looks come sooner: two of them show who is asleep in a lock."""

_FUTEX: Final = {"x86_64": b"202", "aarch64": b"98"}.get(
    os.uname().machine if sys.platform == "linux" else "", b""
)
"""The number of the system call in which a lock is waited for; empty where it is not known."""
_TIMEOUT: Final = 4
"""The place of its time limit in a line of the file `syscall`, counted from the number of the call;
there is none if it is 0."""


class Worker(Protocol):
    """A thread that may be waiting."""

    @property
    def ident(self) -> int | None:
        """Its number in this process."""

    @property
    def native_id(self) -> int | None:
        """Its number in the system."""

    def ended(self, seconds: float) -> bool:
        """True when it has done its work; waits for that for at most `seconds`."""


def give_time(workers: Sequence[Worker], *, hurried: bool, alone: bool = True) -> None:
    """Waits until all have ended, or are seen to wait for somebody else.

    `hurried`: this is one place of many. `alone`: nobody works for them whose answer they could be
    waiting for, so that one who is asleep in a lock waits for the worker that is held.
    """
    asks = hurried and alone and bool(_FUTEX)
    end = real_time.perf_counter() + LONGEST
    last: list[Any] = []
    still, most = 0, STALLED if hurried else SURE
    for pause in chain(repeat(_GLANCE, _GLANCES if asks else 0), repeat(LOOK)):
        waiting = [worker for worker in workers if not worker.ended(pause)]
        if not waiting:
            return
        frames = sys._current_frames()
        now = [(w, id(f), f.f_lasti) for w in waiting if (f := frames.get(w.ident or 0))]
        same = now == last and len(now) == len(waiting)
        last = now
        if asks and same and all(map(_is_in_lock, waiting)):
            return
        still = still + (pause is LOOK) if same else 0
        if still >= most or real_time.perf_counter() > end:
            return


def _is_in_lock(worker: Worker) -> bool:
    """True if the system says that a thread sleeps in a lock, with no limit of time."""
    try:
        words = Path(f"/proc/self/task/{worker.native_id}/syscall").read_bytes().split()
    except OSError:
        return False
    return len(words) > _TIMEOUT and words[0] == _FUTEX and words[_TIMEOUT] == b"0x0"

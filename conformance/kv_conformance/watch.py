"""A time limit on everything that foreign code does in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from kv_conformance import real_time
from kv_conformance.subject.black_box import BlackBox
from kv_conformance.subject.world import Subject, World

_BEATS_A_LIMIT: Final = 8
_State = tuple[str, World | None, int]


class Watch:
    """A thread that sees when one call does not end.

    `limit` is in seconds. `beat` is called about every second while all is well; `stuck` once,
    with what was under way (and the world, if it was an operation), from the watching thread. A
    call that holds the interpreter stops this thread as well: then the beats stop, and who waits
    for them ends the process; `box` tells what it was.
    """

    def __init__(
        self,
        limit: float,
        beat: Callable[[], None],
        stuck: Callable[[str, World | None], None],
        box: BlackBox | None = None,
    ) -> None:
        self.limit, self.beat, self.stuck, self.box = limit, beat, stuck, box
        self.subject: Subject | None = None
        self._what: str | None = None
        self._number = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    @contextmanager
    def during(self, what: str) -> Iterator[None]:
        """Limits a stretch of foreign code that is no operation, such as an import."""
        before = self._what
        self._begin(what)
        try:
            yield
        finally:
            self._begin(before)

    def _begin(self, what: str | None) -> None:
        self._number += 1
        self._what = what
        if self.box is not None and what is not None:
            self.box.stretch(what)

    def end(self) -> None:
        """Stops watching."""
        self._done.set()

    def _state(self) -> _State | None:
        subject = self.subject
        if subject is not None:
            if number := subject.clock.moving:
                return "moving the server's clock", None, number
            world = subject.under_way
            if world is not None:
                # A long Fill goes on as its writes do.
                return "an operation", world, subject.silence.calls + world.written
        return None if self._what is None else (self._what, None, self._number)

    def _run(self) -> None:
        pause = min(0.5, self.limit / _BEATS_A_LIMIT)
        since, last = real_time.monotonic(), self._state()
        while not self._done.wait(pause):
            self.beat()
            state, now = self._state(), real_time.monotonic()
            if state is None or state != last:
                since, last = now, state
            elif now - since > self.limit:
                self.stuck(state[0], state[1])
                return

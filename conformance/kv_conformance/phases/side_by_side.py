"""Many programs at once on a real clock, in one thread, so that one wait serves them all.

Each program has a world of its own. Its operations run one after another up to its next wait; then
the others have their turn until the wait is over. Whoever's wait is over goes before whoever has
not begun: a program that reads late reads in the window of doubt, where nothing can be judged.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kv_spec.operations import Advance, Operation, Program, Race

from kv_conformance import real_time
from kv_conformance.clocks.base import Clock
from kv_conformance.clocks.real import RealClock
from kv_conformance.session import Session, Step
from kv_conformance.subject.world import World
from kv_conformance.trial import Ignores, Trial

AT_ONCE: Final = 64
"""Programs under way at once. With waits of 0.1 s, on Redis and two busy cores, the median program
is then 1 ms late and one in a hundred 40 ms; with 128 it is 3 ms and 90, and no time is won."""
WINDOW: Final = 0.1
"""Seconds after its fraction of the wall clock second within which a program may still start."""
COPIES: Final = 3
"""So often a program that failed is run to see whether it fails again."""
_GOLDEN: Final = 0.618


def start_of(number: int) -> float:
    """Where in a second of the wall clock the program of this number starts, in seconds.

    Every other program starts with the second, where rounding up shows most; those between are
    spread over the rest of it, where rounding down does.
    """
    if number % 2 == 0:
        return 0.0
    return 0.1 + 0.85 * (number // 2 * _GOLDEN % 1)


def real_waits(trial: Trial, program: Sequence[Operation]) -> bool:
    """True for a program with waits that take as long as they say."""
    waits = any(isinstance(operation, Advance) for operation in program)
    return waits and not trial.subject.clock.jumps and not any(isinstance(o, Race) for o in program)


def run(
    trial: Trial,
    programs: Sequence[Program],
    *,
    ignores: Ignores = lambda _: False,
    on_done: Callable[[int, Session], None] = lambda _, __: None,
    at_once: int = AT_ONCE,
    starts: Sequence[float | None] | None = None,
    minimal: bool = False,
) -> list[Session]:
    """Runs each program up to its first violation that is not ignored; returns their sessions.

    `on_done` is called with the number and the session of each program as it ends, its world
    closed. `starts` are the fractions of a wall clock second at which the programs start, None
    for one that can start at any; by default that is `start_of`, for as many as can start in the
    first second. Programs with a Race are not for here. What the factory raises is raised once all
    worlds are closed.
    """
    scene = _Scene(trial, programs, starts, at_once)
    try:
        scene.play(lambda: trial.open(ignores=ignores, minimal=minimal), on_done)
    finally:
        scene.close()
    return [scene.ended[number] for number in range(len(programs))]


@dataclass(slots=True)
class _UnderWay:
    """A program under way: what is still to be done, and the wait that it is in."""

    number: int
    session: Session
    rest: Iterator[Operation]
    wait: Advance | None = None
    since: float = 0.0


class _Scene:
    """The programs of one run: still to start, waiting, ended."""

    def __init__(
        self,
        trial: Trial,
        programs: Sequence[Program],
        starts: Sequence[float | None] | None,
        at_once: int,
    ) -> None:
        self.clock = trial.subject.clock
        self.programs, self.at_once = programs, at_once
        self.offset = _wall_offset(self.clock)
        self.to_start: dict[int, float | None] = dict(
            enumerate(map(start_of, range(len(programs))) if starts is None else starts)
        )
        self.strict_until = self.clock.now() + 1.0 if starts is None else math.inf
        self.waiting: list[tuple[float, int, _UnderWay]] = []
        self.open: dict[int, Session] = {}
        self.ended: dict[int, Session] = {}

    def play(
        self, open_session: Callable[[], Session], on_done: Callable[[int, Session], None]
    ) -> None:
        """Runs all programs to their ends."""
        while self.to_start or self.waiting:
            now = self.clock.now()
            if self.waiting and self.waiting[0][0] <= now:
                turn = heapq.heappop(self.waiting)[2]
                _end_wait(turn, now)
            elif (number := self._next(now)) is not None:
                session = self._opened(open_session)
                if session is None:
                    continue
                del self.to_start[number]
                self.open[number] = session
                turn = _UnderWay(number, session, iter(self.programs[number]))
            else:
                self._sleep(now)
                continue
            if not self._turn(turn):
                self._end(turn.number)
                on_done(turn.number, turn.session)

    def close(self) -> None:
        """Closes the worlds of programs that did not come to their end."""
        for number in tuple(self.open):
            self._end(number)

    def _next(self, now: float) -> int | None:
        """The program to start now, if there is one: of those that are due, the latest.

        Later, when each may start at any time, it is the next one.
        """
        if len(self.open) >= self.at_once:
            return None
        if now >= self.strict_until:
            return next(iter(self.to_start), None)
        late = {number: self._past(start, now) for number, start in self.to_start.items()}
        due = [number for number, past in late.items() if past <= WINDOW]
        return max(due, key=lambda number: (late[number], -number), default=None)

    def _opened(self, open_session: Callable[[], Session]) -> Session | None:
        """A session; None where a store that has some handles gives no more at once."""
        try:
            return open_session()
        except Exception:
            if not self.open:
                raise
            self.at_once = len(self.open)
            return None

    def _past(self, start: float | None, now: float) -> float:
        """Seconds since the wall clock second was last at `start`."""
        if start is None:
            return 0.0
        return (now + self.offset - start) % 1.0

    def _sleep(self, now: float) -> None:
        """Waits until there is something to do; only then is nobody due."""
        pauses = [due - now for due, _, _ in self.waiting[:1]]
        if len(self.open) < self.at_once:
            pauses += [1.0 - self._past(start, now) for start in self.to_start.values()]
            pauses += [self.strict_until - now] if self.to_start else []
        # A little more than nothing: the fraction of a second that is due may be just missed.
        self.clock.advance(max(min(pauses), 1e-4))

    def _turn(self, turn: _UnderWay) -> bool:
        """Runs a program to its next wait; False if it is over."""
        for operation in turn.rest:
            if isinstance(operation, Advance):
                turn.wait, turn.since = operation, self.clock.now()
                heapq.heappush(self.waiting, (turn.since + operation.seconds, turn.number, turn))
                return True
            if turn.session.do(operation) is not None:
                return False
        return False

    def _end(self, number: int) -> None:
        session = self.open.pop(number)
        session.world.close()
        self.ended[number] = session


def _end_wait(turn: _UnderWay, now: float) -> None:
    """Notes a wait as an operation that was performed."""
    session, wait = turn.session, turn.wait
    assert wait is not None
    if isinstance(session.world, World):
        session.world.operations.append(wait)
    violation = session.oracle.judge(wait, None, turn.since, now)
    session.steps.append(Step(wait, None, session.oracle.at_stake, violation))


def _wall_offset(clock: Clock) -> float:
    """Seconds from the clock's scale to the date, by which stores truncate."""
    return real_time.time() - clock.now() if isinstance(clock, RealClock) else 0.0


class Patient:
    """Runs programs anew on a real clock, to find out whether a fault shows again.

    Some faults show only in a part of the wall clock second. Where in it a program failed first
    is found by trying, and kept to from then on where it did not fail everywhere.
    """

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.starts: tuple[float | None, ...] = tuple(map(start_of, range(2 * COPIES)))

    def run(
        self, program: Program, *, ignores: Ignores = lambda _: False, minimal: bool = False
    ) -> Session:
        """Runs a program several times at once; the first that fails is the answer."""
        copies = [program] * len(self.starts)
        sessions = run(self.trial, copies, ignores=ignores, starts=self.starts, minimal=minimal)
        failed = [number for number, session in enumerate(sessions) if session.violated]
        if not failed:
            return sessions[0]
        if len(self.starts) > COPIES:
            everywhere = len(failed) == len(sessions)
            self.starts = (None if everywhere else self.starts[failed[0]],) * COPIES
        return sessions[failed[0]]

    def run_all(self, programs: Sequence[Program], *, ignores: Ignores) -> list[Session]:
        """Runs each program once, all of them at once."""
        return run(self.trial, programs, ignores=ignores, starts=[self.starts[0]] * len(programs))

"""How finely a store expires on a real clock, and so how short the programs' waits can be."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import Any, Final

from kv_spec.generate import TICK
from kv_spec.operations import Get, Operation, Set
from kv_spec.outcomes import Malformed, Outcome, Raised
from kv_spec.store import ABSENT

from kv_conformance.session import AnyWorld
from kv_conformance.trial import Trial

KEYS: Final = 8
"""Entries measured, written at as many fractions of one second: more where seconds matter."""
PATIENCE: Final = 3.0
"""Seconds past its deadline and the declared resolution that an entry is waited for."""
_SLACKS_A_UNIT: Final = 20
_CALLS_A_UNIT: Final = 10
_FINEST_POLL, _COARSEST_POLL = 0.001, 0.02


@dataclass(frozen=True, slots=True)
class Granularity:
    """How a store was seen to expire, in seconds.

    `late` is the longest from a deadline until the entry was gone; infinite where one stayed, or
    none was seen to go (no fault yet: TTL-3 is for the phases to judge). `early` is the longest
    that an entry was gone before its deadline, 0 if none was. `unit` is the ttl that programs
    should take for one. `call` is how long a read takes.
    """

    late: float
    early: float
    unit: float
    call: float = 0.0


@dataclass(slots=True)
class _Entry:
    """An entry under measurement: its deadline in seconds on the harness's clock, an interval."""

    key: Any
    earliest: float
    latest: float


def measure(trial: Trial) -> Granularity:
    """Writes entries with the shortest ttl worth asking for, and reads them until they are gone.

    Takes that ttl and the time until the store drops them, a second more for the writes, and at
    most PATIENCE beyond what the profile declares. Raises what the factory raises.
    """
    world = trial.subject.world()
    try:
        return _Measurement(trial, world).run()
    finally:
        world.close()


def ttl_unit(trial: Trial, call: float = 0.0) -> float:
    """The shortest ttl in seconds that can be read well before its deadline, and that is allowed.

    It is many times what the clocks may be apart and what a call takes (`call`, in seconds).
    """
    profile = trial.profile
    least = max(profile.shortest_ttl, _SLACKS_A_UNIT * trial.slack, _CALLS_A_UNIT * call)
    if profile.ttl_resolution == 0:  # there times are multiples of the tick
        return 8 * TICK * math.ceil(least / (8 * TICK))
    return math.ceil(round(10 * least, 6)) / 10


class _Measurement:
    """The entries of one measurement, written and polled side by side."""

    def __init__(self, trial: Trial, world: AnyWorld) -> None:
        self.world, self.clock = world, trial.subject.clock
        self.trial, self.ttl = trial, ttl_unit(trial)
        self.resolution = trial.profile.ttl_resolution
        self.late = self.early = 0.0
        self.calls: list[float] = []
        self.gone = 0
        self.live: list[_Entry] = []

    def run(self) -> Granularity:
        """Measures; the clock is waited for, and nothing else."""
        start, written = self.clock.now(), 0
        pause = min(max(self.resolution / 10, _FINEST_POLL), _COARSEST_POLL)
        while written < KEYS or self.live:
            if written < KEYS and self.clock.now() >= start + written / KEYS:
                self._write(written)
                written += 1
                continue
            self.live = [entry for entry in self.live if not self._settled(entry)]
            self.clock.advance(pause)
        call = statistics.median(self.calls) if self.calls else 0.0
        late = self.late if self.gone else math.inf
        return Granularity(late, self.early, ttl_unit(self.trial, call), call)

    def _write(self, number: int) -> None:
        name = f"granularity{number}"
        key = name if self.trial.profile.flat else (name,)
        outcome, began, ended = self._timed(Set(key, number + 1, self.ttl))
        if not isinstance(outcome, Raised | Malformed):
            self.live.append(_Entry(key, began + self.ttl, ended + self.ttl))

    def _settled(self, entry: _Entry) -> bool:
        """Reads an entry; True if there is nothing more to learn from it."""
        outcome, began, ended = self._timed(Get(entry.key))
        self.calls.append(ended - began)
        if isinstance(outcome, Raised | Malformed):
            return True
        if outcome is ABSENT:
            self.gone += 1
            self.late = max(self.late, began - entry.latest)
            self.early = max(self.early, entry.earliest - ended)
            return True
        if began > entry.latest + self.resolution + PATIENCE:
            self.late = math.inf
            return True
        return False

    def _timed(self, operation: Operation) -> tuple[Outcome, float, float]:
        began = self.clock.now()
        outcome = self.world.perform(operation)
        return outcome, began, self.clock.now()

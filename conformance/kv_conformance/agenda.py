"""The phases of a run, in their order, each ready to be run on a store that is set up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kv_spec.json_form import from_json
from kv_spec.machines import Plan

from kv_conformance import real_time
from kv_conformance.hunt import Hunt
from kv_conformance.phases import sweep
from kv_conformance.phases.ahead import Ahead
from kv_conformance.phases.course import Course
from kv_conformance.phases.jobs import Place
from kv_conformance.phases.tally import OnProgress, Tally
from kv_conformance.settings import SWEPT, SWEPT_IN_REAL_TIME, Settings
from kv_conformance.stage import Stage

Phase = Callable[[Hunt, OnProgress], Tally]


@dataclass(frozen=True, slots=True)
class Agenda:
    """What is to be done with a store.

    `place` is where another process finds the store; `began` is when the run did, in seconds of
    the real clock.
    """

    stage: Stage
    settings: Settings
    place: Place
    ahead: Ahead
    began: float

    def phases(self) -> Iterator[tuple[str, Phase]]:
        """The phases asked for.

        Of a run in shards the vectors and the sweep are dealt out; the machines, which no one can
        divide, and what waits in real time beside others, are the first shard's.
        """
        from kv_conformance.phases import replay

        if self.settings.replay is not None:
            program = from_json(self.settings.replay)
            offered = self.stage.offer.capabilities
            yield "replay", lambda hunt, on: replay.run(hunt, program, offered, on)
            return
        self.ahead.meet(self.stage, self.place)
        if self.stage.subject.clock.jumps:
            self._begin_sweep()
        parts = {"vectors": self._vectors, "machines": self._machines, "sweep": self._sweep}
        for name in self.settings.phases:
            last = name == self.settings.phases[-1]
            yield name, self._and_what_waits(parts[name]) if last else parts[name]

    def _vectors(self, hunt: Hunt, on: OnProgress) -> Tally:
        from kv_conformance.phases import programs, vectors

        plan, offered = self.stage.plan, self.stage.offer.capabilities
        clock = self.stage.subject.clock
        owed = vectors.programs(
            plan.profile, offered, clock.exact, races=plan.races, longest_wait=clock.longest
        )
        shard, shards = self.settings.shard
        return programs.run(hunt, [program for _, program in owed][shard::shards], on)

    def _machines(self, hunt: Hunt, on: OnProgress) -> Tally:
        from kv_conformance.phases import machines

        if self.settings.shard[0] > 0:
            return Tally()
        settings = self.settings
        return machines.run(
            hunt, self.stage.plan, seed=settings.seed, examples=settings.examples, progress=on
        )

    def _begin_sweep(self) -> None:
        """Lets other processes run the sweep while this one is at other phases."""
        if self.ahead.jobs > 1:
            self.ahead.begin(self._swept, self._course)

    @property
    def _swept(self) -> Plan:
        return sweep.beside(self.stage.plan, self.settings.phases)

    @property
    def _course(self) -> Course:
        settings = self.settings
        swept = SWEPT if self.stage.subject.clock.exact else SWEPT_IN_REAL_TIME
        return Course(settings.seed, settings.examples * swept, *settings.shard)

    def _sweep(self, hunt: Hunt, on: OnProgress) -> Tally:
        # What other phases time in reality must not be disturbed: there it begins now.
        if not self.stage.subject.clock.jumps:
            self._begin_sweep()
        ahead = self.ahead if self.ahead.jobs > 1 else None
        return sweep.run(
            hunt, self._swept, self._course, on, time_left=self._time_left, ahead=ahead
        )

    def _time_left(self) -> bool:
        limit = self.settings.time
        return limit is not None and real_time.monotonic() - self.began < limit

    def _and_what_waits(self, phase: Phase) -> Phase:
        """The last phase, and after it the programs of all that wait, side by side."""
        stage, settings = self.stage, self.settings
        granularity = stage.granularity
        if granularity is None or settings.shard[0] > 0:
            return phase

        def both(hunt: Hunt, on: OnProgress) -> Tally:
            from kv_conformance.phases import timed

            first = phase(hunt, on)
            second = timed.run(
                hunt,
                stage.plan,
                seed=settings.seed,
                programs=settings.examples,
                granularity=granularity,
                progress=lambda tally: on(first.plus(tally)),
                parts=settings.phases,
            )
            return first.plus(second)

        return both

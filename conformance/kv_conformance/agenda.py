"""The phases of a run, in their order, each ready to be run on a store that is set up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from kv_spec.json_form import from_json

from kv_conformance import real_time
from kv_conformance.hunt import Hunt
from kv_conformance.phases.tally import OnProgress, Tally
from kv_conformance.processes import Processes
from kv_conformance.settings import SWEPT, SWEPT_IN_REAL_TIME, Settings
from kv_conformance.stage import Stage

_PATIENCE: Final = 60.0
"""Seconds that a part of a sweep may take in another process, beside four endless operations."""

Phase = Callable[[Hunt, OnProgress], Tally]


@dataclass(frozen=True, slots=True)
class Agenda:
    """What is to be done with a store.

    `home` is the folder in which the target is found, `work` the one in which the store works;
    `began` is when the run did, in seconds of the real clock.
    """

    stage: Stage
    settings: Settings
    home: str
    work: str
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
        parts = {"vectors": self._vectors, "machines": self._machines, "sweep": self._sweep}
        for name in self.settings.phases:
            last = name == self.settings.phases[-1]
            yield name, self._and_what_waits(parts[name]) if last else parts[name]

    def _vectors(self, hunt: Hunt, on: OnProgress) -> Tally:
        from kv_conformance.phases import programs, vectors

        plan, offered = self.stage.plan, self.stage.offer.capabilities
        owed = vectors.programs(plan.profile, offered, plan.time, races=plan.races)
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

    def _sweep(self, hunt: Hunt, on: OnProgress) -> Tally:
        from kv_conformance.phases import jobs, pooled, sweep

        settings = self.settings
        plan = sweep.beside(self.stage.plan, settings.phases)
        swept = SWEPT if plan.time else SWEPT_IN_REAL_TIME
        course = sweep.Course(settings.seed, settings.examples * swept, *settings.shard)
        if settings.jobs == 1:
            return sweep.run(hunt, plan, course, on, time_left=self._time_left)
        options = hunt.trial.subject.factory.options
        place = jobs.Place(settings, options, self.home, self.work)
        patience = _PATIENCE + 4 * settings.timeout
        with Processes(settings.jobs, patience=patience, folder=settings.folder) as pool:
            return pooled.run(
                hunt, plan, course, on,
                place=place, pool=pool, jobs=settings.jobs, time_left=self._time_left,
            )  # fmt: skip

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

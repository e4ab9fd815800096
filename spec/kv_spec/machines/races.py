"""Rules on races: every place of a switch is tried, each on a key of its own (CAS-8 to CAS-10)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from kv_spec import generate as gen
from kv_spec import switches
from kv_spec.machines.base import ANY, Machine, Plan, offers
from kv_spec.operations import Advance, Cas, Get, Has, Increment, Operation, Race, Set
from kv_spec.outcomes import Raced
from kv_spec.store import ABSENT


def race_kinds(plan: Plan) -> list[str]:
    """The races of swaps that suit the parts of cas on offer."""
    if "cas-swap" in plan.offers:
        return ["swap", "count"] + ["create"] * ("cas-create" in plan.offers)
    kinds = {"cas-create": "create", "cas-delete": "delete"}
    return [kind for part, kind in kinds.items() if part in plan.offers]


class Races(Machine):
    """Of many that write at once each does what it would do alone, in some order."""

    @precondition(lambda self: self.plan.races and self.races < 1 and bool(race_kinds(self.plan)))
    @rule(number=ANY)
    def race(self, number: int) -> None:
        """Of several that swap at once one wins; counting by swaps loses none (CAS-8, CAS-10)"""
        kinds = race_kinds(self.plan)
        kind = kinds[number % len(kinds)]

        def prepare(key: Any) -> Iterable[Operation]:
            return () if kind == "create" else (Set(key, 0),)

        def branches(key: Any) -> tuple[Operation, ...]:
            if kind == "count":
                return Increment(key), Increment(key)
            if kind == "delete":
                return Cas(key, 0, ABSENT), Cas(key, 0, ABSENT)
            first = ABSENT if kind == "create" else 0
            return Cas(key, first, 1), Cas(key, first, 2)

        self.try_everywhere(kind, prepare, branches)

    @precondition(lambda self: self.plan.races and self.plan.time and self.races < 1)
    @offers("ttl")
    @rule(by_has=st.booleans())
    def purge(self, by_has: bool) -> None:
        """Who drops an expired entry does not drop the one written since (TTL-10)."""
        lived = self.plan.pools.ttls[0]

        def prepare(key: Any) -> Iterable[Operation]:
            late = lived + self.plan.profile.ttl_resolution + gen.TICK
            return Set(key, "expired", lived), Advance(late)

        def branches(key: Any) -> tuple[Operation, ...]:
            reader = Has(key) if by_has and "has" in self.plan.offers else Get(key)
            return reader, Set(key, "new")

        self.try_everywhere("purge by has" if by_has else "purge", prepare, branches)

    def try_everywhere(self, kind: str, prepare: Any, branches: Any) -> None:
        """Runs a race once for each place at which its first branch can be held."""
        self.races += 1
        if not self.session.may_race(kind):
            return
        # Not by `self.do`: how many places there are is the store's doing, and what was done at
        # them must not decide which rules can be drawn later.
        session, places = self.session, switches.places()
        place = next(places)
        while not session.over:
            name = f"{self.races}-{place}"
            key = f"race{name}" if self.plan.profile.flat else ("race", name)
            for operation in prepare(key):
                session.do(operation)
            raced = session.do(Race(branches(key), place))
            session.do(Get(key))
            if not isinstance(raced, Raced):
                return
            try:
                place = places.send(raced.steps)
            except StopIteration:
                return

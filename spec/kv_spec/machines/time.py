"""Rules on the time to live (TTL, SET-2, GET-3, HAS-2)."""

from __future__ import annotations

from typing import Any

from kv_spec import generate as gen
from kv_spec.machines.base import Machine
from kv_spec.machines.drawing import ANY, FLAG, INDEX, Between, OneOf, offers, precondition, rule
from kv_spec.operations import Advance, Cas, Delete, Get, Has, List, Open, Operation, Prune, Set
from kv_spec.store import ABSENT
from kv_spec.values import Outside


class Time(Machine):
    """An entry lives as long as it was told to, and no longer."""

    @precondition(lambda self: self.plan.time and self.far)
    @rule(key=INDEX, days=OneOf((2, 32, 400)), way=ANY)
    def set_for_good(self, key: int, days: int, way: int) -> None:
        """An entry without a ttl stays, however much time passes (TTL-1)."""
        self.do(Set(self.keys[key], "for good"))
        self.do(Advance(days * gen.DAY))
        self.read(self.keys[key], way)

    @offers("ttl")
    @precondition(lambda self: self.plan.time and self.far)
    @rule(key=INDEX, ttl=ANY, way=ANY)
    def outlive_a_long_ttl(self, key: int, ttl: int, way: int) -> None:
        """A ttl of weeks or years is kept to the second (TTL-12)."""
        long = [seconds for seconds in self.plan.pools.odd_ttls if seconds >= gen.DAY]
        name, seconds = self.keys[key], long[ttl % len(long)]
        self.do(Set(name, "long", seconds))
        self.do(Advance(seconds - gen.TICK))
        self.read(name, way)
        self.do(Advance(self.plan.profile.ttl_resolution + 2 * gen.TICK))
        self.read(name, way // 8)

    @offers("ttl")
    @rule(key=INDEX, value=ANY, ttl=ANY)
    def set_with_ttl(self, key: int, value: int, ttl: int) -> None:
        """An entry lives for its ttl, counted from this call (TTL-2, SET-2)."""
        self.do(Set(self.keys[key], self.plain(value), self.ttl(ttl)))

    @offers("ttl")
    @rule(key=INDEX, first=Between(0, 5), second=Between(-1, 5), way=ANY)
    def overwrite_the_deadline(self, key: int, first: int, second: int, way: int) -> None:
        """The second set decides how long: its ttl, or none (SET-2, TTL-1)."""
        ttls = self.plan.pools.ttls
        self.do(Set(self.keys[key], 1, ttls[first]))
        self.do(Set(self.keys[key], 2, None if second < 0 else ttls[second]))
        if self.plan.time:
            shorter = ttls[first] if second < 0 else min(ttls[first], ttls[second])
            self.do(Advance(shorter + self.plan.profile.ttl_resolution + gen.TICK))
            self.read(self.keys[key], way)

    @offers("ttl")
    @rule(key=INDEX, negative=FLAG, was=FLAG, way=ANY)
    def set_already_expired(self, key: int, negative: bool, was: bool, way: int) -> None:
        """A ttl of 0 or below leaves neither the entry nor an older one (TTL-6, TTL-7).

        Where the profile reads it as "never", it outlives the default as well (TTL-9).
        """
        if was:
            self.do(Set(self.keys[key], "older"))
        self.do(Set(self.keys[key], 1, -5.0 if negative else 0.0))
        if self.plan.time and self.plan.profile.default_ttl is not None:
            self.do(Advance(self.plan.pools.steps[-1]))
        self.read(self.keys[key], way)

    @offers("ttl")
    @precondition(lambda self: self.plan.time)
    @rule(step=Between(0, 6))
    def advance(self, step: int) -> None:
        """Time passes."""
        self.do(Advance(self.plan.pools.steps[step]))

    @offers("ttl")
    @precondition(lambda self: self.plan.time and any(d > self.now for d, _ in self.deadlines))
    @rule(side=Between(0, 4), way=ANY)
    def advance_to_a_deadline(self, side: int, way: int) -> None:
        """Just before a deadline the entry is live, from there (and r) on gone (TTL-2, TTL-3).

        In between either answer is right, and all reads at one instant give the same (TTL-4).
        """
        r = self.plan.profile.ttl_resolution
        due, key = min((d for d in self.deadlines if d[0] > self.now), key=lambda d: d[0])
        step = due - self.now + (-gen.TICK, 0.0, r / 2, r, r + gen.TICK)[side]
        if step > 0:
            self.do(Advance(step))
        self.read_in_every_way(key, way)

    @offers("ttl")
    @precondition(lambda self: self.plan.time)
    @rule(key=INDEX, ttl=ANY, way=ANY, between=ANY, value=ANY, side=Between(0, 7))
    def outlive(self, key: int, ttl: int, way: int, between: int, value: int, side: int) -> None:
        """No read sees an entry past its deadline, whatever happened to it before (TTL-3).

        Half of the time the reads come just before the deadline, at it, or within r of it.
        """
        name, r = self.keys[key], self.plan.profile.ttl_resolution
        self.do(Set(name, self.plain(value), self.ttl(ttl)))
        due = self.now + self.ttl(ttl)
        self.disturb(name, between)
        margins = (-gen.TICK, 0.0, r / 2, r)
        step = due - self.now + (margins[side] if side < 4 else r + gen.TICK)
        if step > 0:  # a short ttl may be over by now
            self.do(Advance(step))
        self.read_in_every_way(name, way, self.plain(value))

    @offers("ttl")
    @precondition(lambda self: self.plan.time)
    @rule(key=INDEX, ttl=Between(0, 3), way=ANY)
    def look_and_outlive(self, key: int, ttl: int, way: int) -> None:
        """Looking at an entry, in whatever way, does not make it live longer (GET-3, HAS-2)."""
        name, lives = self.keys[key], self.plan.pools.ttls[ttl]
        looks = self.looks(name)
        self.do(Set(name, 1, lives))
        self.do(Advance(lives / 2))
        self.do(looks[way % len(looks)])
        self.do(Advance(lives / 2 + self.plan.profile.ttl_resolution + gen.TICK))
        self.read(name, way // 8)

    @offers("ttl")
    @precondition(lambda self: self.plan.time)
    @rule(key=INDEX, ttl=Between(0, 3), way=ANY, swap=FLAG)
    def set_anew_after_a_delete(self, key: int, ttl: int, way: int, swap: bool) -> None:
        """The deadline of an entry that was deleted is nothing to the next one (TTL-1, TTL-2)."""
        name, lives = self.keys[key], self.plan.pools.ttls[ttl]
        self.do(Set(name, 1, lives))
        if swap and "cas-delete" in self.plan.offers:
            self.do(Cas(name, 1, ABSENT))
        else:
            self.do(Delete(name))
        self.do(Set(name, 2, 4 * lives if way % 2 else None))
        self.do(Advance(lives + self.plan.profile.ttl_resolution + gen.TICK))
        self.read(name, way // 2)

    @offers("ttl")
    @precondition(lambda self: self.plan.time)
    @rule(key=INDEX, ttl=Between(0, 5), way=ANY)
    def look_on_both_sides(self, key: int, ttl: int, way: int) -> None:
        """Every way to look sees an entry to its last moment, and not beyond (TTL-2, TTL-3).

        At the deadline all see the same (TTL-4). The first look is another one each time.
        """
        name, lives = self.keys[key], self.plan.pools.ttls[ttl]
        self.do(Set(name, "here", lives))
        self.do(Advance(lives - gen.TICK))
        self.look_in_every_way(name, way)
        self.do(Advance(gen.TICK))
        self.look_in_every_way(name, way // 64)
        self.do(Advance(self.plan.profile.ttl_resolution + gen.TICK))
        self.look_in_every_way(name, way // 8)

    def disturb(self, key: Any, number: int) -> None:
        """Something that must not move a deadline (GET-3, HAS-2, CAS-2, SET-6)."""
        long = max(64.0, self.plan.pools.ttls[4])
        ways: list[Operation | None] = [None, Get(key), Set(self.keys[0], "other", long)]
        if "has" in self.plan.offers:
            ways.append(Has(key))
        if "cas-swap" in self.plan.offers:
            ways.append(Cas(key, "not this", 2, long))
        ways.append(Set(key, Outside("nan")))
        if "list" in self.plan.offers:
            ways.append(List(self.plan.pools.everything))
        if (chosen := ways[number % len(ways)]) is not None:
            self.do(Advance(gen.TICK))
            self.do(chosen)

    @offers("prune")
    @rule(key=INDEX, way=ANY)
    def prune(self, key: int, way: int) -> None:
        """Pruning changes nothing that can be seen (TTL-11)."""
        self.do(Prune())
        self.read(self.keys[key], way)

    @offers("prune")
    @precondition(lambda self: self.plan.spaces)
    @rule(costly=True, key=INDEX)
    def prune_where_nothing_is(self, key: int) -> None:
        """Pruning an empty store is no error, and closes nothing (TTL-11)."""
        self.do(Open(self.another_space("pruned")))
        self.do(Prune())
        self.do(Set(self.keys[key], "after"))
        self.do(Get(self.keys[key]))
        self.do(Open("a"))

    @offers("prune", "ttl")
    @precondition(lambda self: self.plan.time)
    @rule(key=INDEX, other=INDEX, way=ANY)
    def prune_beside_the_living(self, key: int, other: int, way: int) -> None:
        """Pruning drops what has expired; what has not keeps its value and deadline (TTL-11)."""
        name, short, long = self.keys[key], self.plan.pools.ttls[0], self.plan.pools.ttls[4]
        late = self.plan.profile.ttl_resolution + gen.TICK
        self.do(Set(self.keys[self.beside(key, other)], "short", short))
        self.do(Set(name, "long", long if way % 3 else None))
        self.do(Advance(short + late))
        self.do(Prune())
        self.do(Get(name))
        if way % 3:
            self.do(Advance(long - short))
        self.read(name, way // 3)

    @offers("ttl")
    @precondition(lambda self: self.plan.time)
    @rule(key=INDEX, other=INDEX, way=ANY)
    def one_after_another(self, key: int, other: int, way: int) -> None:
        """Every entry of several expires at its own time, whichever is read (TTL-3, TTL-13)."""
        lives, r = self.plan.pools.ttls, self.plan.profile.ttl_resolution
        first, second = self.keys[key], self.keys[self.beside(key, other)]
        for name in (first, second):
            self.do(Delete(name))  # so that nothing else can be the reason
        self.do(Set(first, 1, lives[0]))
        self.do(Set(second, 2, lives[3]))
        self.do(Advance(lives[0] + r + gen.TICK))
        self.read(first, way)
        self.do(Get(second))
        self.do(Advance(lives[3] - lives[0]))
        self.read(second, way // 8)

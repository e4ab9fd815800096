"""Rules on compare-and-swap (CAS)."""

from __future__ import annotations

from typing import Any

from kv_spec import generate as gen
from kv_spec.machines.base import Machine
from kv_spec.machines.drawing import ANY, FLAG, INDEX, Between, offers, precondition, rule
from kv_spec.operations import Advance, Cas, Delete, Get, Set
from kv_spec.store import ABSENT
from kv_spec.values import CHANGED_AFTER_GET


class Swaps(Machine):
    """A swap goes through exactly where the value is the expected one."""

    @offers("cas-create")
    @rule(key=INDEX, value=ANY, ttl=Between(-2, 5), over=FLAG)
    def create(self, key: int, value: int, ttl: int, over: bool) -> None:
        """Only an absent key can be created, whatever value stands in the way (CAS-3, CAS-6)."""
        if over:
            self.do(Set(self.keys[key], self.plain(value // 3)))
        self.do(Cas(self.keys[key], ABSENT, self.plain(value), self.cas_ttl(ttl)))
        self.do(Get(self.keys[key]))

    @offers("cas-create")
    @rule(key=INDEX, first=ANY)
    def create_over_what_looks_like_nothing(self, key: int, first: int) -> None:
        """A value that a condition takes for false stands in the way of a create (CAS-3)."""
        name = self.keys[key]
        for number in range(first, first + len(gen.FALSY)):
            self.do(Set(name, gen.FALSY[number % len(gen.FALSY)]))
            self.do(Cas(name, ABSENT, "created"))
            self.do(Get(name))

    @offers("cas-swap")
    @rule(key=INDEX, was=ANY, expected=ANY, new=ANY, ttl=Between(-2, 5), time=FLAG)
    def swap(self, key: int, was: int, expected: int, new: int, ttl: int, time: bool) -> None:
        """A swap goes through exactly where the values are equal, type by type (CAS-1, CAS-7)."""
        name, lived = self.keys[key], self.plan.pools.ttls[was % 3]
        timed = time and "ttl" in self.plan.offers
        self.do(Set(name, self.plain(was), lived if timed else None))
        twin = self.plain(was) if expected % 3 == 0 else self.plain(was + expected % 5 - 2)
        # At times for the value that is there, which is no reason to call it a success.
        self.do(Cas(name, twin, self.plain(was if new % 4 == 0 else new), self.cas_ttl(ttl)))
        self.do(Get(name))
        if timed and self.plan.time:
            self.do(Advance(lived + self.plan.profile.ttl_resolution + gen.TICK))
            self.do(Get(name))

    @offers("cas-swap")
    @rule(key=INDEX, was=ANY, off=Between(1, 3))
    def swap_for_what_is_there(self, key: int, was: int, off: int) -> None:
        """That the new value is there already does not make a swap succeed (CAS-1)."""
        name = self.keys[key]
        for number in range(was, was + 3):
            self.do(Set(name, self.plain(number)))
            self.do(Cas(name, self.plain(number + off), self.plain(number)))
            self.do(Get(name))

    @offers("cas-swap")
    @rule(key=INDEX, pair=ANY, turned=FLAG)
    def swap_twins(self, key: int, pair: int, turned: bool) -> None:
        """1 equals 1.0 and not True; a mapping has no order, a list has (CAS-7)."""
        name = self.keys[key]
        for number in range(pair, pair + len(gen.TWINS) // 2):
            one, other = gen.TWINS[number % len(gen.TWINS)]
            self.do(Set(name, other if turned else one))
            self.do(Cas(name, one if turned else other, "swapped"))
            self.do(Get(name))

    @offers("cas-swap", "ttl")
    @rule(key=INDEX, first=Between(-1, 5), second=Between(-1, 5), way=ANY)
    def swap_the_deadline(self, key: int, first: int, second: int, way: int) -> None:
        """The swap decides how long the new value lives: its ttl, or none (CAS-6)."""
        name = self.keys[key]
        lives = [ttl for number in (first, second) if (ttl := self.cas_ttl(number)) is not None]
        self.do(Set(name, 1, self.cas_ttl(first)))
        self.do(Cas(name, 1, 2, self.cas_ttl(second)))
        if self.plan.time and lives:
            self.do(Advance(min(lives) + self.plan.profile.ttl_resolution + gen.TICK))
        self.read(name, way)

    def cas_ttl(self, number: int) -> float | None:
        """None, or a ttl for a swap."""
        if number < 0 or "ttl" not in self.plan.offers:
            return None
        return self.plan.pools.ttls[number]

    @offers("cas-delete")
    @rule(key=INDEX, value=ANY, matches=FLAG, way=ANY)
    def swap_for_nothing(self, key: int, value: int, matches: bool, way: int) -> None:
        """Swapping for ABSENT deletes; ABSENT for ABSENT creates nothing (CAS-4, CAS-5)."""
        name = self.keys[key]
        if value % 3:
            self.do(Set(name, self.plain(value)))
        expected = self.plain(value) if value % 3 else ABSENT
        self.do(Cas(name, expected if matches else "not this", ABSENT))
        self.read(name, way)

    @offers("cas-swap")
    @precondition(lambda self: self.plan.profile.isolation == "copy")
    @rule(key=INDEX)
    def swap_a_changed_copy(self, key: int) -> None:
        """Changing what get gave does not make a stale swap succeed (CAS-10)."""
        name = self.keys[key]
        self.do(Set(name, [1]))
        self.do(Get(name, change=True))
        self.do(Cas(name, [1, CHANGED_AFTER_GET], "stale"))
        self.do(Get(name))

    @offers("cas-create", "cas-delete", "ttl")
    @precondition(lambda self: self.plan.time)
    @rule(key=INDEX, ttl=Between(0, 5))
    def lose_a_lock(self, key: int, ttl: int) -> None:
        """Who held a lock that expired and was taken again can not release it (CAS-11)."""
        name, seconds = self.keys[key], self.plan.pools.ttls[ttl]
        self.do(Delete(name))
        self.do(Cas(name, ABSENT, "first holder", seconds))
        self.do(Advance(seconds + self.plan.profile.ttl_resolution + gen.TICK))
        self.do(Cas(name, ABSENT, "second holder", seconds))
        self.do(Cas(name, "first holder", ABSENT))
        self.do(Get(name))

    @offers("cas-swap", "ttl")
    @rule(key=INDEX, number=ANY, was=FLAG, way=ANY)
    def swap_with_an_odd_ttl(self, key: int, number: int, was: bool, way: int) -> None:
        """A swap reads its ttl as set does: 0, below, and what is no ttl (TTL-6 to TTL-8)."""
        name = self.keys[key]
        odd: tuple[Any, ...] = (0.0, -5.0, *gen.REFUSED_TTLS)
        was = was or "cas-create" not in self.plan.offers
        self.do(Set(name, 1) if was else Delete(name))
        self.do(Cas(name, 1 if was else ABSENT, 2, odd[number % len(odd)]))
        self.read(name, way, 2)

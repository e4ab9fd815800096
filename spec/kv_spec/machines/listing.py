"""Rules on listing and on walking a listing (LIST, ITER)."""

from __future__ import annotations

from typing import Any

from kv_spec import generate as gen
from kv_spec.machines.base import Machine
from kv_spec.machines.drawing import ANY, FLAG, INDEX, Between, OneOf, offers, precondition, rule
from kv_spec.operations import Fill, Get, Iterate, List, Set, join


class Listing(Machine):
    """A listing holds what is live below its prefix, whoever writes meanwhile."""

    @offers("list")
    @rule(number=ANY, change=FLAG)
    def list_by_prefix(self, number: int, change: bool) -> None:
        """A listing holds the live entries below its prefix, taken literally (LIST)."""
        prefixes = self.plan.pools.prefixes[self.theme]
        self.do(List(prefixes[number % len(prefixes)], change))

    @offers("list")
    @rule(costly=True, theme=OneOf(gen.PREFIX_THEMES), start=ANY)
    def a_prefix_is_literal(self, theme: str, start: int) -> None:
        """Wildcards, separators, case and blanks mean themselves (LIST-2 to LIST-5)."""
        pools = self.plan.pools
        keys, prefixes = pools.themes[theme], pools.prefixes[theme]
        for step in range(len(keys)):
            self.do(Set(keys[step], step))
        for step in range(4):
            self.do(List(prefixes[(start + step) % len(prefixes)]))

    @offers("list")
    @rule(change=FLAG)
    def list_everything(self, change: bool) -> None:
        """The listing of the empty prefix is the store (LIST-1)."""
        self.do(List(self.plan.pools.everything, change))

    @offers("list")
    @precondition(lambda self: not self.deadlines)
    @rule(n=OneOf((3, 12, 120)))
    def fill(self, n: int) -> None:
        """A listing is complete beyond a page (LIST-8)."""
        prefix = "fill" if self.plan.profile.flat else ("fill",)
        self.do(Fill(n, prefix))
        self.do(List(prefix))

    @offers("list", "iterate")
    @rule(
        costly=True,
        script=OneOf(
            ("read", "delete-current", "delete-yielded", "write-new", "overwrite", "abandon")
        ),
        limit=Between(1, 8),
        key=INDEX,
    )
    def walk(self, script: Any, limit: int, key: int) -> None:
        """A listing stands the writes of the one who walks it (ITER, LIST-10)."""
        for index in range(3):
            self.do(Set(self.keys[index], index))
        last = "zz" if self.plan.profile.flat else ("zz",)
        self.do(Set(last, "after all that the walk writes"))
        self.do(Iterate(self.plan.pools.everything, script, limit))
        self.do(Iterate(self.plan.pools.everything, "write-new", 8))
        self.do(Set(self.keys[key], "after"))
        self.do(Get(self.keys[key]))
        self.do(List(self.plan.pools.everything))

    @offers("list", "iterate")
    @rule(key=INDEX)
    def abandon_a_listing(self, key: int) -> None:
        """A listing that is given up holds nothing back (LIST-10)."""
        self.do(Set(self.keys[0], 0))
        self.do(Set(self.keys[-1], 1))
        self.do(Iterate(self.plan.pools.everything, "abandon", 1))
        self.do(Set(self.keys[key], "after"))
        self.do(Get(self.keys[key]))

    @offers("list", "iterate")
    @rule(limit=Between(1, 8))
    def write_before_the_cursor(self, limit: int) -> None:
        """Entries written while one walks do not make another come twice (ITER-2)."""
        prefix: Any = "walk" if self.plan.profile.flat else ("walk",)
        self.do(Set(join(prefix, "zz"), 1))
        self.do(Set(join(prefix, "zy"), 2))
        self.do(Iterate(prefix, "write-new", limit))

    @offers("list", "iterate")
    @rule(script=OneOf(("delete-current", "delete-yielded", "overwrite")), limit=Between(1, 3))
    def change_while_walking(self, script: Any, limit: int) -> None:
        """Who deletes or overwrites as he walks misses nothing (ITER-1, ITER-2)."""
        prefix: Any = "trail" if self.plan.profile.flat else ("trail",)
        for number in range(4):
            self.do(Set(join(prefix, str(number)), number))
        self.do(Iterate(prefix, script, limit))
        self.do(List(prefix))

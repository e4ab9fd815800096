"""Rules on bad input, on what is not offered, on other spaces and on closing (ERR, OPEN, CLOSE)."""

from __future__ import annotations

from kv_spec import generate as gen
from kv_spec.machines.base import Machine
from kv_spec.machines.drawing import ANY, FLAG, INDEX, OneOf, offers, precondition, rule
from kv_spec.operations import Close, Delete, Get, List, Open, Set, Unoffered


class Edges(Machine):
    """What is refused changes nothing; what is apart stays apart."""

    @rule(key=INDEX, number=ANY, was=FLAG)
    def refuse_a_value(self, key: int, number: int, was: bool) -> None:
        """A value outside the domain is refused and the old entry stays (VAL-4, SET-6, ERR-1)."""
        name = self.keys[key]
        self.do(Set(name, "old") if was else Delete(name))
        bad = gen.REFUSED_VALUES[number % len(gen.REFUSED_VALUES)]
        self.do(Set(name, bad))
        self.do(Get(name))

    @offers("ttl")
    @rule(key=INDEX, number=ANY, was=FLAG)
    def refuse_a_ttl(self, key: int, number: int, was: bool) -> None:
        """A ttl that means nothing is refused and the old entry stays (TTL-8, SET-6)."""
        name = self.keys[key]
        self.do(Set(name, "old") if was else Delete(name))
        bad = gen.REFUSED_TTLS[number % len(gen.REFUSED_TTLS)]
        self.do(Set(name, "new", bad))
        self.do(Get(name))

    @rule(key=INDEX, number=ANY, write=FLAG)
    def confuse(self, key: int, number: int, write: bool) -> None:
        """Input of the wrong type leaves other keys alone (KEY, ERR-1)."""
        self.do(Set(self.keys[key], "kept"))
        wrong = gen.WRONG_KEYS[number % len(gen.WRONG_KEYS)]
        self.do(Set(wrong, 1) if write else Delete(wrong))
        self.do(Get(self.keys[key]))

    @precondition(lambda self: bool(self.plan.not_offered))
    @rule(costly=True, number=ANY)
    def ask_for_what_is_not_offered(self, number: int) -> None:
        """What a store does not offer it does not silently ignore (ERR-2)."""
        names = self.plan.not_offered
        self.do(Unoffered(names[number % len(names)]))

    @precondition(lambda self: self.plan.spaces)
    @rule(costly=True, key=INDEX, space=OneOf("abA"), value=ANY)
    def visit_another_space(self, key: int, space: str, value: int) -> None:
        """A new space is empty, and what happens in it stays in it (OPEN-1, OPEN-2).

        So does what happens in the one whose name differs by case alone.
        """
        self.do(Set(self.keys[key], self.plain(value)))
        for name in (space, space.swapcase()):
            self.do(Open(name))
            self.do(Get(self.keys[key]))
            if "list" in self.plan.offers:
                self.do(List(self.plan.pools.everything))
            self.do(Set(self.keys[key], f"in {name}"))
        self.do(Open("a"))
        self.do(Get(self.keys[key]))

    @offers("close")
    @rule(costly=True, key=INDEX, way=ANY)
    def close_and_go_on(self, key: int, way: int) -> None:
        """A closed handle may be closed again, and answers no more (CLOSE)."""
        self.do(Open(self.another_space("closed")))
        self.do(Set(self.keys[key], 1))
        self.do(Close())
        self.do(Close())
        self.do(Get(self.keys[key]))
        self.read(self.keys[key], way)
        self.do(Set(self.keys[key], 2))
        self.do(Open("a"))
        self.do(Get(self.keys[key]))

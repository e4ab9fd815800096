"""Rules on reading and writing (GET, SET, DEL, HAS, NULL, KEY, VAL)."""

from __future__ import annotations

from typing import Any

from kv_spec import generate as gen
from kv_spec.machines.base import Machine
from kv_spec.machines.drawing import ANY, FLAG, INDEX, JSON, TEXT, Between, offers, rule
from kv_spec.operations import Delete, Get, Has, Set, join


class Reading(Machine):
    """A store keeps what it is given, key by key."""

    @rule(key=INDEX, change=FLAG)
    def get(self, key: int, change: bool) -> None:
        """A key answers its live value or ABSENT; the answer is the caller's own (GET, VAL-3)."""
        self.do(Get(self.keys[key], change))

    @rule(key=INDEX, value=ANY, change=FLAG)
    def set(self, key: int, value: int, change: bool) -> None:
        """A set replaces the whole entry; the argument stays the caller's own (SET, VAL-2)."""
        self.do(Set(self.keys[key], self.value(value), change=change))

    @rule(key=INDEX, value=ANY)
    def set_and_get(self, key: int, value: int) -> None:
        """What was set is read, whatever was there before (GET-2, VAL-1)."""
        self.do(Set(self.keys[key], self.value(value), change=value % 2 == 0))
        self.do(Get(self.keys[key]))

    @rule(key=INDEX, value=JSON)
    def set_any_json(self, key: int, value: Any) -> None:
        """Every JSON value comes back equal (VAL-1)."""
        self.do(Set(self.keys[key], value))
        self.do(Get(self.keys[key]))

    @rule(key=INDEX, first=ANY)
    def set_hard_values(self, key: int, first: int) -> None:
        """What means something elsewhere comes back as it was (VAL-1, VAL-5)."""
        name, hard = self.keys[key], self.plan.pools.hard_values
        for number in range(first, first + 4):
            self.do(Set(name, hard[number % len(hard)]))
            self.do(Get(name))

    @rule(costly=True, text=TEXT, value=ANY)
    def set_any_key(self, text: str, value: int) -> None:
        """Every text is a key (KEY-1, KEY-3)."""
        key = text if self.plan.profile.flat else (text,)
        self.do(Set(key, self.plain(value)))
        self.do(Get(key))

    @rule(key=INDEX, again=FLAG)
    def delete(self, key: int, again: bool) -> None:
        """A delete removes just that key; again it is no error (DEL)."""
        self.do(Delete(self.keys[key]))
        if again:
            self.do(Delete(self.keys[key]))
        self.read(self.keys[key], key)

    @rule(key=INDEX, ttl=FLAG)
    def set_null(self, key: int, ttl: bool) -> None:
        """Null deletes, is stored, or is refused, with a ttl or without (NULL)."""
        seconds = self.plan.pools.ttls[0] if ttl and "ttl" in self.plan.offers else None
        self.do(Set(self.keys[key], None, seconds))
        self.read(self.keys[key], key)

    @rule(key=INDEX, first=ANY, way=ANY)
    def delete_what_looks_like_nothing(self, key: int, first: int, way: int) -> None:
        """A value that a condition takes for false is there, and can be deleted (HAS-1, DEL-4)."""
        name = self.keys[key]
        looks = self.looks(name)
        for number in range(first, first + len(gen.FALSY)):
            self.do(Set(name, gen.FALSY[number % len(gen.FALSY)]))
            self.do(looks[(way + number) % len(looks)])
            self.do(Delete(name))
        self.read(name, way)

    @rule(was=FLAG, way=ANY)
    def look_above_a_key(self, was: bool, way: int) -> None:
        """What a key begins with is another key, there or not (KEY-2, HAS-1, DEL-3)."""
        above: Any = "above" if self.plan.profile.flat else ("above",)
        below = join(above, "below")
        self.do(Set(below, "below"))
        if was:
            self.do(Set(above, "above"))
            self.look_in_every_way(above, way)
        self.do(Delete(above))
        self.look_in_every_way(above, way)
        self.do(Get(below))

    @rule(left=INDEX, right=INDEX, value=ANY)
    def twins_stay_apart(self, left: int, right: int, value: int) -> None:
        """Two keys share neither value nor fate (KEY, SET-3, DEL-3)."""
        one, other = self.keys[left], self.keys[right]
        self.do(Set(one, self.plain(value)))
        self.do(Get(one))
        self.do(Get(other))
        self.do(Set(other, f"of {right}"))
        self.do(Get(one))
        self.do(Delete(other))
        self.do(Get(one))

    @rule(costly=True, theme=ANY, half=Between(0, 2))
    def half_of_them_are_deleted(self, theme: int, half: int) -> None:
        """Of keys that are easily taken for one another each is itself (KEY, SET-3, DEL-3)."""
        themes = list(self.plan.pools.themes.values())
        for number in (theme, theme + len(themes) // 2):
            keys = themes[number % len(themes)]
            gone = [
                (index, index >> 1, index * 2 // len(keys))[half] % 2 for index in range(len(keys))
            ]
            for index, key in enumerate(keys):
                self.do(Set(key, f"of {index}"))
            for key, deleted in zip(keys, gone, strict=True):
                if deleted:
                    self.do(Delete(key))
            for key in keys:
                self.do(Get(key))

    @rule(costly=True, key=INDEX, number=ANY)
    def set_what_may_be_refused(self, key: int, number: int) -> None:
        """Odd texts and typed values are refused, or come back as they were (VAL-8, SET-5)."""
        odd = (*gen.TYPED, *gen.ODD_TEXTS)
        for step in range(3):
            self.do(Set(self.keys[key], odd[(number + step) % len(odd)]))
            self.do(Get(self.keys[key]))

    @rule(costly=True, key=INDEX, size=ANY)
    def set_a_large_value(self, key: int, size: int) -> None:
        """A value at the edge of the domain comes back whole, or was refused (VAL-7, SET-5)."""
        sizes = self.plan.pools.large
        self.do(Set(self.keys[key], "x" * sizes[size % len(sizes)]))
        self.do(Get(self.keys[key]))

    @rule(key=INDEX, way=ANY)
    def read_somehow(self, key: int, way: int) -> None:
        """All ways to read agree (HAS-1, LIST-7, ITER-5)."""
        self.read(self.keys[key], way)
        self.read(self.keys[key], way + 1)

    @offers("has")
    @rule(key=INDEX)
    def has(self, key: int) -> None:
        """has is get without the value, and changes nothing (HAS)."""
        self.do(Has(self.keys[key]))

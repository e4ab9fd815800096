"""When what last happened in a data space: which operations may have disturbed a key."""

from __future__ import annotations

from typing import Any


class Latest:
    """When something last happened to a key, and when to another key than that."""

    __slots__ = ("key", "number", "other")

    def __init__(self) -> None:
        self.key: Any = None
        self.number = self.other = -1

    def note(self, key: Any, number: int) -> None:
        """Records that it happened to `key`, in the operation of this number."""
        if key != self.key:
            self.key, self.other = key, self.number
        self.number = number

    def other_than(self, key: Any) -> int:
        """The number of the last time that it happened to another key than `key`."""
        return self.other if key == self.key else self.number


class Journal:
    """What happened in a data space, by kind, as numbers of operations."""

    __slots__ = (
        "abandoned", "asked", "deletes", "expiries", "got", "iterated",
        "pruned", "refusals", "sets",
    )  # fmt: skip

    def __init__(self) -> None:
        self.got = self.asked = self.iterated = self.abandoned = self.pruned = -1
        self.sets, self.deletes, self.expiries = Latest(), Latest(), Latest()
        self.refusals = Latest()

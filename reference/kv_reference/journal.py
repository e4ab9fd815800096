"""When what last happened in a data space: which operations may have disturbed a key."""

from __future__ import annotations

from typing import Any, TypeAlias

Past: TypeAlias = tuple[bool, bool, bool, bool, bool, bool, bool, bool, bool]
"""What happened since some operation: a write, a removal, an expiry, a refusal, each of another
key; a get, a has, a walk, a walk given up, a prune."""


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

    def since(self, key: Any, number: int) -> Past:
        """What happened after an operation to other keys than `key`, or from the operation on."""
        sets, deletes = self.sets, self.deletes
        expiries, refusals = self.expiries, self.refusals
        return (
            # First whether it happened at all, which is quickly told.
            sets.number > number and sets.other_than(key) > number,
            deletes.number > number and deletes.other_than(key) > number,
            expiries.number > number and expiries.other_than(key) > number,
            refusals.number > number and refusals.other_than(key) > number,
            self.got >= number,
            self.asked >= number,
            self.iterated >= number,
            self.abandoned >= number,
            self.pruned >= number,
        )

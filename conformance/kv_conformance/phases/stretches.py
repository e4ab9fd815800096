"""A program performed in stretches, each to be judged before the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from kv_spec.operations import Advance, Get, List, Operation, Program
from kv_spec.outcomes import Outcome

from kv_conformance.subject.silence import Unreachable
from kv_conformance.subject.world import World

_LONGEST: Final = 256
"""So many outcomes are kept at most before they are judged."""
Step: TypeAlias = tuple[Operation, Outcome, float, float]
"""An operation, what came of it, and when it began and ended, in seconds."""


def performed(world: World, program: Program) -> Iterator[list[Step]]:
    """Performs a program; yields its stretches.

    To go from the store to the oracle and back at each operation takes a tenth more time. A
    stretch ends before the harness changes an object that came out, which may have come out
    before; where objects are handed out by reference (VAL-3), it is one operation.
    """
    clock, perform = world.clock, world.perform
    now, exact = clock.now, clock.exact
    longest = 1 if world.subject.profile.isolation == "alias" else _LONGEST
    stretch: list[Step] = []
    ended = now()
    try:
        for operation in program:
            kind = type(operation)
            changes = (kind is Get or kind is List) and operation.change  # type: ignore[union-attr]
            if changes or len(stretch) >= longest:
                yield stretch
                stretch = []
            began = ended
            outcome = perform(operation)
            if not exact or kind is Advance:  # else no time passes
                ended = now()
            stretch.append((operation, outcome, began, ended))
    except Unreachable:
        yield stretch  # what was broken before comes first
        raise
    yield stretch

"""The vectors that a store is owed, as programs for its clock and its key model."""

from __future__ import annotations

from collections.abc import Iterator, Set

from kv_spec.operations import Program, Race
from kv_spec.profile import Profile
from kv_spec.vector_files import Vector, applies, for_flat, least_factor, scaled, vectors


def programs(
    profile: Profile,
    capabilities: Set[str],
    clock_exact: bool,
    time_factor: float = 1.0,
    *,
    races: bool = True,
    longest_wait: float = 0.0,
) -> Iterator[tuple[Vector, Program]]:
    """The applicable vectors, each with its program, in the order of their files.

    Times are multiplied by `time_factor`, by more where the store's resolution or its least ttl
    asks for it, and by what a declared default ttl asks for. On a clock that does not stand still
    (`clock_exact` is False) vectors that need one are left out, and those that let more than
    `longest_wait` seconds pass. `races=False` leaves out what needs several workers.
    """
    factor = max(time_factor, least_factor(profile))
    for vector in vectors():
        if not applies(vector, profile, capabilities):
            continue
        if not races and any(isinstance(operation, Race) for operation in vector.program):
            continue
        if vector.default_ttl is not None and profile.default_ttl is not None:
            own = profile.default_ttl / vector.default_ttl
            if own < least_factor(profile):
                continue
            chosen = scaled(vector, own)
        else:
            chosen = scaled(vector, factor)
        if not clock_exact and (vector.exact or chosen.duration > longest_wait):
            continue
        if profile.flat:
            chosen = for_flat(chosen)
        yield chosen, chosen.program

"""Every vector on the reference: the listed outcomes, no violation, and its clauses at stake."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from kv_conformance.phases.vectors import programs
from kv_conformance.session import Session
from kv_conformance.trial import trial_of
from kv_reference.store import REFERENCE_PROFILE, ReferenceStore
from kv_spec.clauses import clauses
from kv_spec.dialects import PRESETS
from kv_spec.errors import Unsupported
from kv_spec.operations import Program
from kv_spec.profile import CAPABILITIES, Profile
from kv_spec.vector_files import Vector, applies, scaled, vectors
from kv_spec.vector_outcomes import conforms, ends

EVERYTHING = frozenset(CAPABILITIES) - {"cas", "bytes", "bigint", "datetime"}
IN_SCOPE = [name for name, clause in clauses().items() if not clause.not_yet_checked]


def profiles(vector: Vector) -> Iterator[Profile]:
    """The reference's profile in every dialect that the vector allows, in both key models."""
    models = ["path", "flat"] if vector.key_model == "any" else [vector.key_model]
    dialect = {
        "default_ttl": (vector.default_ttl,),
        **vector.dialect,
        "key_model": models,
    }
    for values in itertools.product(*dialect.values()):
        yield REFERENCE_PROFILE.replace(**dict(zip(dialect, values, strict=True)))


def lacking(vector: Vector) -> type[ReferenceStore]:
    """The reference without what the vector's stores do not offer."""

    def unsupported(*_: Any, **__: Any) -> Any:
        raise Unsupported("not offered")

    def plain_set(self: ReferenceStore, key: Any, value: Any) -> None:
        ReferenceStore.set(self, key, value)

    hidden: dict[str, Any] = {}
    for name in vector.lacks:
        method = "cas" if name.startswith("cas") else name
        hidden[method] = unsupported
    if "ttl" in hidden:
        del hidden["ttl"]
        hidden["set"] = plain_set
    return type("Lacking", (ReferenceStore,), hidden) if hidden else ReferenceStore


def run(vector: Vector, profile: Profile) -> Session:
    """Runs a vector, scaled and flat as the profile needs it, on the reference."""
    offered = EVERYTHING - vector.lacks
    chosen = dict(pair_by_name(profile, frozenset(offered)))[vector.name]
    session = trial_of(lacking(vector), profile).run(chosen.program)
    assert session.violation is None, (vector.name, session.violation)
    outcomes: list[Any] = []
    for expected, step in zip(chosen.outcomes, session.steps, strict=True):
        assert conforms(expected, step.outcome, outcomes), (vector.name, expected, step)
        outcomes.append(step.outcome)
        if ends(expected, step.outcome):
            break
    return session


@cache
def pair_by_name(profile: Profile, offered: frozenset[str]) -> tuple[tuple[str, Vector], ...]:
    return tuple((vector.name, vector) for vector, _ in programs(profile, offered, True))


def of_family(family: str) -> list[Vector]:
    return [vector for vector in vectors() if vector.family == family]


FAMILIES = sorted({vector.family for vector in vectors()})


@pytest.mark.parametrize("family", FAMILIES)
def test_the_reference_gives_the_listed_outcomes_and_the_clauses_are_at_stake(family: str) -> None:
    for vector in of_family(family):
        for profile in profiles(vector):
            session = run(vector, profile)
            at_stake = {clause for step in session.steps for clause in step.at_stake}
            assert at_stake >= set(vector.clauses), (vector.name, sorted(at_stake))


@pytest.mark.parametrize("name", PRESETS)
def test_the_reference_in_the_dialect_of_each_family_passes_all_that_apply(name: str) -> None:
    profile = PRESETS[name]
    offered = frozenset(EVERYTHING)
    chosen = [vector for vector, _ in programs(profile, offered, True, races=False)]
    assert len(chosen) > 600
    for vector in chosen:
        run(vector, profile)


def covered(profile: Profile, offered: frozenset[str]) -> set[str]:
    return {id for vector, _ in programs(profile, offered, True) for id in vector.clauses}


def test_the_base_dialect_is_covered_in_both_key_models() -> None:
    absent = {"NULL-1", "NULL-3", "DEL-4", "TTL-9", "LIST-9", "CLOSE-2", "ERR-2"}
    base = Profile(concurrent=True)
    assert set(IN_SCOPE) - covered(base, EVERYTHING) == absent
    flat = base.replace(key_model="flat")
    assert set(IN_SCOPE) - covered(flat, EVERYTHING) == absent | {"KEY-2"}


def test_vectors_with_waits_are_left_to_the_clock() -> None:
    real = [vector for vector, _ in programs(Profile(), EVERYTHING, False)]
    assert all(not vector.exact and vector.duration == 0 for vector in real)
    patient = [v for v, _ in programs(Profile(), EVERYTHING, False, 0.5, longest_wait=3.0)]
    assert 0 < max(vector.duration for vector in patient) <= 3.0
    assert not any(vector.exact for vector in patient)


def test_times_grow_with_the_resolution() -> None:
    coarse = Profile(ttl_resolution=2.0)
    program = dict(named_programs(coarse))["live-before-the-deadline"]
    assert program[0].ttl == 5.0  # type: ignore[union-attr]
    default = Profile(default_ttl=60.0)
    program = dict(named_programs(default))["the-default-ends-an-entry"]
    assert program[1].seconds == 120.0  # type: ignore[union-attr]


def named_programs(profile: Profile) -> Iterator[tuple[str, Program]]:
    for vector, program in programs(profile, EVERYTHING, True):
        yield vector.name, program


def test_races_can_be_left_out() -> None:
    chosen = [vector for vector, _ in programs(Profile(), EVERYTHING, True, races=False)]
    assert not any("CAS-8" in vector.clauses for vector in chosen)


def test_a_vector_written_for_a_default_is_scaled_to_it() -> None:
    vector = next(v for v in vectors() if v.name == "the-default-holds")
    assert applies(vector, Profile(default_ttl=1.0), {"ttl"})
    assert scaled(vector, 60).duration == 30

"""Small example programs with the outcomes that they must have, read from `vectors/*.json`.

The files are language-neutral; `vectors/README.md` describes their format. The harness judges a
vector's program by the oracle like any other; the listed outcomes are for readers, for hosts in
other languages, and for the tests of the reference.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Set
from functools import cache
from importlib import resources
from typing import Any

from kv_spec import operations as ops
from kv_spec.operations import Operation, Program
from kv_spec.profile import CAS_PARTS, Profile
from kv_spec.store import ABSENT
from kv_spec.vector_form import Vector, VectorError, parse
from kv_spec.vector_outcomes import with_flat_keys

__all__ = ["Vector", "VectorError", "applies", "for_flat", "least_factor", "scaled", "vectors"]


@cache
def vectors() -> tuple[Vector, ...]:
    """All vectors, in the order of the files' names. Raises VectorError."""
    folder = resources.files("kv_spec").joinpath("vectors")
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".json")),
        key=lambda file: file.name,
    )
    found: dict[str, Vector] = {}
    for file in files:
        for vector in parse(file.read_text(encoding="utf-8"), file.name):
            if vector.name in found:
                raise VectorError(f"{file.name}: the name {vector.name!r} is taken")
            found[vector.name] = vector
    return tuple(found.values())


def applies(vector: Vector, profile: Profile, capabilities: Set[str]) -> bool:
    """Whether the vector's outcomes are owed by a store.

    `capabilities` are all that the store offers, by their names in kv_spec.profile; `cas` alone
    stands for its three parts. `exact` is a matter of the clock and is not looked at.
    """
    offered = set(capabilities) | profile.extra_types
    if "cas" in offered and offered.isdisjoint(CAS_PARTS):
        offered |= CAS_PARTS
    if profile.concurrent or (profile.concurrent is None and offered & CAS_PARTS):
        offered.add("concurrent")
    return (
        vector.key_model in ("any", profile.key_model)
        and vector.capabilities <= offered
        and not vector.lacks & offered
        and all(getattr(profile, name) in allowed for name, allowed in vector.dialect.items())
        and _default_fits(vector, profile)
        and (vector.scale or all(ttl >= profile.shortest_ttl for ttl in _positive_ttls(vector)))
        and not (profile.null == "value" and profile.absent == "none" and _swaps_null(vector))
    )


def _default_fits(vector: Vector, profile: Profile) -> bool:
    if vector.default_ttl is not None or profile.default_ttl is None:
        return (vector.default_ttl is None) == (profile.default_ttl is None)
    without = any(getattr(op, "ttl", 0) is None for op in _operations(vector.program))
    return not (without and vector.duration)


def _positive_ttls(vector: Vector) -> Iterator[float]:
    for operation in _operations(vector.program):
        ttl = getattr(operation, "ttl", None)
        if isinstance(ttl, int | float) and ttl > 0:
            yield ttl


def _swaps_null(vector: Vector) -> bool:
    """Where ABSENT and a stored null are one None, cas is not asked about either."""
    return any(
        value is None or value is ABSENT
        for op in _operations(vector.program)
        if isinstance(op, ops.Cas)
        for value in (op.expected, op.new)
    )


def _operations(program: Program) -> Iterator[Operation]:
    for operation in program:
        if isinstance(operation, ops.Race):
            yield from operation.branches
        else:
            yield operation


def least_factor(profile: Profile) -> float:
    """The least factor by which scaled vectors are to be multiplied for a store.

    With it a scaled vector reads no entry closer to its deadline than the store's resolution,
    and asks for no ttl below its minimum: no scaled vector has a ttl below half a second, or
    reads an expired entry earlier than half a second after its deadline.
    """
    return max(1.0, 2.5 * profile.ttl_resolution, 2 * profile.ttl_min)


def scaled(vector: Vector, factor: float) -> Vector:
    """The vector with all its times multiplied; as it is where its times are absolute."""
    if not vector.scale or factor == 1:
        return vector
    program = tuple(_scaled(operation, factor) for operation in vector.program)
    return dataclasses.replace(vector, program=program)


def _scaled(operation: Operation, factor: float) -> Operation:
    if isinstance(operation, ops.Advance):
        return ops.Advance(operation.seconds * factor)
    if isinstance(operation, ops.Race):
        branches = tuple(_scaled(branch, factor) for branch in operation.branches)
        return dataclasses.replace(operation, branches=branches)
    if isinstance(operation, ops.Set | ops.Cas | ops.Fill) and isinstance(
        operation.ttl, int | float
    ):
        return dataclasses.replace(operation, ttl=operation.ttl * factor)
    return operation


def for_flat(vector: Vector) -> Vector:
    """The vector with keys that are plain strings. Raises VectorError where that changes it."""
    if vector.key_model == "flat":
        return vector
    if vector.key_model == "path":
        raise VectorError(f"{vector.name}: its keys have a meaning in the path model only")
    return dataclasses.replace(
        vector,
        key_model="flat",
        program=tuple(_flat(operation) for operation in vector.program),
        outcomes=tuple(with_flat_keys(outcome) for outcome in vector.outcomes),
    )


def _flat(operation: Operation) -> Operation:
    if isinstance(operation, ops.Race):
        return dataclasses.replace(
            operation, branches=tuple(_flat(branch) for branch in operation.branches)
        )
    changes: dict[str, Any] = {
        name: "".join(key)
        for name in ("key", "prefix")
        if isinstance(key := getattr(operation, name, None), tuple)
    }
    return dataclasses.replace(operation, **changes) if changes else operation

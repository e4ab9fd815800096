"""The phase `replay`: one program again, after seeing that it can be run on this store at all."""

from __future__ import annotations

from collections.abc import Iterator, Set

from kv_spec.operations import (
    Cas,
    Clear,
    Close,
    Fill,
    Has,
    Increment,
    Iterate,
    List,
    Operation,
    Program,
    Prune,
    Race,
    Scan,
    Unoffered,
)
from kv_spec.profile import Profile
from kv_spec.store import ABSENT

from kv_conformance.hunt import Hunt
from kv_conformance.phases import programs
from kv_conformance.phases.tally import OnProgress, Tally
from kv_conformance.settings import UsageError

_BY_KIND = {
    Has: "has",
    List: "list",
    Iterate: "list",
    Increment: "cas-swap",
    Clear: "clear",
    Prune: "prune",
    Close: "close",
}


def run(
    hunt: Hunt, program: Program, offers: Set[str], progress: OnProgress = lambda _: None
) -> Tally:
    """Runs the program; raises UsageError if it is none for this store."""
    profile = hunt.trial.profile
    lacking = sorted({need for op in program for need in _needs(op)} - offers)
    if lacking:
        raise UsageError(
            f"--replay: the program needs {', '.join(lacking)}, which the store does not offer; "
            "is it of another store?"
        )
    wrong = next((op for op in program if not _fits(op, profile)), None)
    if wrong is not None:
        raise UsageError(
            f"--replay: the keys of the program are not those of the model {profile.key_model!r} "
            f"({wrong}); is it of another store, or of another --profile?"
        )
    for op in program:
        if isinstance(op, Unoffered) and op.name in offers:
            raise UsageError(f"--replay: the program asks for {op.name} in vain; it is offered")
    try:
        hunt.reference.run(program)
    except Exception as error:
        raise UsageError(f"--replay: this is no program that can be run: {error}") from error
    return programs.run(hunt, [program], progress)


def _needs(operation: Operation) -> Iterator[str]:
    """The capabilities without which an operation can not be asked for."""
    if isinstance(operation, Race):
        for branch in operation.branches:
            yield from _needs(branch)
    elif type(operation) in _BY_KIND:
        yield _BY_KIND[type(operation)]
    elif isinstance(operation, Scan):
        yield operation.method
    elif isinstance(operation, Cas):
        if operation.expected is ABSENT:
            yield "cas-create"
        else:
            yield "cas-delete" if operation.new is ABSENT else "cas-swap"
    if getattr(operation, "ttl", None) is not None:
        yield "ttl"


def _fits(operation: Operation, profile: Profile) -> bool:
    """True unless a key or a prefix is of the other key model."""
    if isinstance(operation, Race):
        return all(_fits(branch, profile) for branch in operation.branches)
    other = tuple if profile.flat else str
    if profile.flat and isinstance(operation, List | Iterate | Fill) and operation.prefix == ():
        return True  # the default, left out of the JSON form
    return not any(isinstance(getattr(operation, name, None), other) for name in ("key", "prefix"))

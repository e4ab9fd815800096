"""An operation is data; a program is a list of operations.

State machines, vectors, replay, reports and the wire protocol all speak this vocabulary.
`perform.py` applies it to a store, `json_form.py` writes it, `render.py` shows it as Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal, TypeAlias

from kv_spec.store import ABSENT, Absent
from kv_spec.values import Outside

OpKey: TypeAlias = "tuple[str, ...] | str | Outside"
OpValue: TypeAlias = Any
"""A JSON value, ABSENT (where an operation compares or swaps), or an Outside."""

Script = Literal["read", "delete-current", "delete-yielded", "write-new", "overwrite", "abandon"]


@dataclass(frozen=True, slots=True)
class Get:
    """Reads a key; with `change` the caller then changes the object that came out (VAL-3)."""

    op: ClassVar[str] = "get"
    key: OpKey
    change: bool = False


@dataclass(frozen=True, slots=True)
class Set:
    """Writes a key; with `change` the caller then changes the object it passed in (VAL-2)."""

    op: ClassVar[str] = "set"
    key: OpKey
    value: OpValue
    ttl: float | Outside | None = None
    change: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Removes a key."""

    op: ClassVar[str] = "delete"
    key: OpKey


@dataclass(frozen=True, slots=True)
class Has:
    """Asks whether a key is live."""

    op: ClassVar[str] = "has"
    key: OpKey


@dataclass(frozen=True, slots=True)
class List:
    """Lists by prefix to the end; with `change` the values that came out are changed."""

    op: ClassVar[str] = "list"
    prefix: OpKey = ()
    change: bool = False


@dataclass(frozen=True, slots=True)
class Scan:
    """Lists everything by one of the methods `keys`, `values`, `entries` (ITER-5)."""

    op: ClassVar[str] = "scan"
    method: Literal["keys", "values", "entries"]


@dataclass(frozen=True, slots=True)
class Iterate:
    """Walks a listing and does something at each step, at most `limit` times.

    The scripts: only `read`; `delete-current`; `delete-yielded` (the one before); `write-new`
    (a key of its own each step); `overwrite` the current one with `STEP_VALUE`; `abandon` the
    listing after `limit` entries.
    """

    op: ClassVar[str] = "iterate"
    prefix: OpKey = ()
    script: Script = "read"
    limit: int = 8


@dataclass(frozen=True, slots=True)
class Cas:
    """Compare-and-swap; ABSENT as `expected` creates, as `new` deletes."""

    op: ClassVar[str] = "cas"
    key: OpKey
    expected: OpValue | Absent = ABSENT
    new: OpValue | Absent = ABSENT
    ttl: float | Outside | None = None


@dataclass(frozen=True, slots=True)
class Increment:
    """A get and a cas to the next integer, tried again until the cas succeeds (CAS-10)."""

    op: ClassVar[str] = "increment"
    key: OpKey


@dataclass(frozen=True, slots=True)
class Fill:
    """Sets `n` keys below `prefix`, each to its number (LIST-8)."""

    op: ClassVar[str] = "fill"
    n: int
    prefix: OpKey = ()
    ttl: float | None = None


@dataclass(frozen=True, slots=True)
class Clear:
    """Removes every entry."""

    op: ClassVar[str] = "clear"


@dataclass(frozen=True, slots=True)
class Prune:
    """Drops expired records (TTL-11)."""

    op: ClassVar[str] = "prune"


@dataclass(frozen=True, slots=True)
class Advance:
    """Lets `seconds` pass on the store's clock."""

    op: ClassVar[str] = "advance"
    seconds: float


@dataclass(frozen=True, slots=True)
class Open:
    """Goes to the data space `space`: a name not used before is empty (OPEN-1).

    A name used before is opened once more where the factory takes a space (OPEN-2), else its
    first handle is used again. Every program starts in the space "a".
    """

    op: ClassVar[str] = "open"
    space: str


@dataclass(frozen=True, slots=True)
class Close:
    """Closes the current handle; nothing but another Close or reads may follow in its space."""

    op: ClassVar[str] = "close"


@dataclass(frozen=True, slots=True)
class Unoffered:
    """Calls what the store does not offer: a method name, or "ttl" (ERR-2)."""

    op: ClassVar[str] = "unoffered"
    name: str


@dataclass(frozen=True, slots=True)
class Race:
    """Runs the branches at once, each by a worker of its own.

    The first worker is held at its `switch`-th step inside the store (a bytecode instruction
    of a synchronous store that others may notice, a suspension of an asynchronous one) until the
    others have ended or wait for it. `switch=None` tries every step on a fresh space, one after
    the other.
    """

    op: ClassVar[str] = "race"
    branches: tuple[Operation, ...]
    switch: int | None = None


Operation: TypeAlias = (
    Get | Set | Delete | Has | List | Scan | Iterate | Cas | Increment | Fill | Clear | Prune
    | Advance | Open | Close | Unoffered | Race
)  # fmt: skip

Program: TypeAlias = "tuple[Operation, ...]"

KINDS: dict[str, type[Any]] = {
    kind.op: kind
    for kind in (
        Get, Set, Delete, Has, List, Scan, Iterate, Cas, Increment, Fill, Clear, Prune,
        Advance, Open, Close, Unoffered, Race,
    )
}  # fmt: skip

STEP_VALUE = "written while iterating"


def join(prefix: tuple[str, ...] | str, part: str) -> tuple[str, ...] | str:
    """The key one component below `prefix` (flat: appended)."""
    return prefix + part if isinstance(prefix, str) else (*prefix, part)


def fill_keys(operation: Fill) -> tuple[tuple[str, ...] | str, ...]:
    """The keys that a Fill writes, in order."""
    assert not isinstance(operation.prefix, Outside)
    return _fill_keys(operation.prefix, operation.n)


@lru_cache(maxsize=64)
def _fill_keys(prefix: tuple[str, ...] | str, n: int) -> tuple[tuple[str, ...] | str, ...]:
    return tuple(join(prefix, f"n{number:05}") for number in range(n))


def step_key(prefix: OpKey, number: int) -> tuple[str, ...] | str:
    """The key that an Iterate with the script `write-new` writes at a step."""
    assert not isinstance(prefix, Outside)
    return join(prefix, f"step{number:05}")

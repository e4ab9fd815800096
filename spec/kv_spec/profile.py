"""What a store declares: its capabilities, its dialect, its limits."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

CAPABILITIES: Final[Mapping[str, str]] = types.MappingProxyType(
    {
        "core": "get, set and delete",
        "ttl": "set takes ttl, in seconds",
        "list": "list(prefix) yields the entries below a prefix",
        "iterate": "a listing can be walked while the store is written to",
        "has": "has(key) answers a bool",
        "cas-create": "cas(key, None, new)",
        "cas-swap": "cas(key, expected, new)",
        "cas-delete": "cas(key, expected, None)",
        "cas": "all three parts of compare-and-swap",
        "keys": "keys() yields every key",
        "values": "values() yields every value",
        "entries": "entries() yields every entry",
        "clear": "clear() removes all entries",
        "prune": "prune() drops expired records",
        "close": "close() ends the handle",
        "batch": "get_many, set_many, delete_many",
        "add": "add(value) stores under a generated key",
        "ns": "prefix(p) gives a substore",
        "shared": "the same space opened twice is the same data",
        "concurrent": "the store may be used from several threads or tasks at once",
        "durable": "entries outlive the process",
        "default_ttl": "entries set without ttl expire after a default",
        "delete_result": "delete answers as delete_returns declares",
        "list_order": "a listing comes in the order that list_order declares",
        "bytes": "bytes are values",
        "bigint": "integers beyond 2^53 are values",
        "datetime": "datetimes are values",
        "loader": "a miss calls a loader",
        "coalescing": "at most one loader a key is in flight",
        "tiered": "a store in tiers",
        "layer": "a store built on other stores",
    }
)
"""Every capability by name, with what it offers."""

CAS_PARTS: Final = frozenset({"cas-create", "cas-swap", "cas-delete"})


class ProfileError(ValueError):
    """A profile that can not be read; the message says what would be right."""


def check_name(name: Any, names: Mapping[str, Any], what: str) -> None:
    """Raises ProfileError, with the name that was perhaps meant, unless `name` is in `names`."""
    if not isinstance(name, str) or name not in names:
        near = difflib.get_close_matches(str(name), names, 1)
        hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names)}"
        raise ProfileError(f"there is no {what} {name!r}{hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A store's declarations; the first value of each dialect is the base.

    Raises ProfileError for a value that no dialect has.
    """

    name: str = "base"
    capabilities: frozenset[str] = frozenset()
    """Declared beyond what the store's methods show; `cas` stands for its three parts."""
    without: frozenset[str] = frozenset()
    """Capabilities or method names that the store shows and does not offer."""
    key_model: Literal["path", "flat"] = "path"
    null: Literal["delete", "value", "reject"] = "delete"
    ttl_zero: Literal["expire", "delete", "never", "default", "reject"] = "expire"
    ttl_negative: Literal["expire", "delete", "never", "reject"] = "expire"
    ttl_nonfinite: Literal["reject", "never"] = "reject"
    ttl_resolution: float = 0.001
    """Seconds from a deadline to the instant from which the entry is certainly absent."""
    ttl_min: float = 0.0
    """The shortest ttl in seconds that the store accepts."""
    default_ttl: float | None = None
    list_order: Literal["none", "insertion", "lex"] = "none"
    iteration: Literal["snapshot", "weak"] = "snapshot"
    delete_returns: Literal["none", "bool", "key"] = "none"
    isolation: Literal["copy", "alias"] = "copy"
    namespaces: Literal["isolated", "flat"] = "isolated"
    clear_scope: Literal["own", "everything"] = "own"
    batch: Literal["positional", "mapping"] = "positional"
    consistency: Literal["linearizable", "read-your-writes", "eventual"] = "linearizable"
    concurrent: bool | None = None
    """None: yes where compare-and-swap is shown."""
    durable: bool = False
    absent: Literal["none", "sentinel", "raises"] = "none"
    cas_equality: Literal["structural", "encoded"] = "structural"
    after_close: Literal["undefined", "error"] = "undefined"
    max_key_bytes: int | None = None
    """The longest key in bytes of UTF-8 over all components; None: none declared."""
    max_value_bytes: int | None = None
    """The largest value in bytes of JSON text; None: none declared."""
    rejects: tuple[type[Exception], ...] = ()
    """Exceptions of the store's own by which it refuses input."""

    def __post_init__(self) -> None:
        for name in ("capabilities", "without"):
            given = getattr(self, name)
            given = given.split() if isinstance(given, str) else given
            if not isinstance(given, Iterable) or not all(isinstance(one, str) for one in given):
                raise ProfileError(f"{name} is a set of names, not {given!r}")
            object.__setattr__(self, name, frozenset(given))
        for name in sorted(self.capabilities):
            check_name(name, CAPABILITIES, "capability")
        for field, allowed in CHOICES.items():
            if getattr(self, field) not in allowed:
                wanted = ", ".join(allowed)
                raise ProfileError(f"{field} is {getattr(self, field)!r}; it can be {wanted}")
        for field, (wanted, fits) in _DOMAINS.items():
            if not fits(getattr(self, field)):
                raise ProfileError(f"{field} takes {wanted}, not {getattr(self, field)!r}")

    @property
    def flat(self) -> bool:
        """True where a key is a plain str."""
        return self.key_model == "flat"

    @property
    def extra_types(self) -> frozenset[str]:
        """The declared values beyond JSON: "bytes", "bigint", "datetime"."""
        return self.capabilities & {"bytes", "bigint", "datetime"}

    @property
    def shortest_ttl(self) -> float:
        """The shortest ttl in seconds that is asked of the store."""
        return max(self.ttl_resolution, self.ttl_min, 0.001)

    def replace(self, **changes: Any) -> Profile:
        """A copy with other declarations."""
        return dataclasses.replace(self, **changes)

    def differences(self) -> dict[str, Any]:
        """The declarations that are not those of the base dialect, as a report prints them."""
        return {
            field.name: sorted(value) if isinstance(value, frozenset) else value
            for field in dataclasses.fields(self)
            if field.name not in ("name", "rejects")
            and (value := getattr(self, field.name)) != getattr(BASE, field.name)
        }


CHOICES: Final[dict[str, tuple[str, ...]]] = {
    name: typing.get_args(hint)
    for name, hint in typing.get_type_hints(Profile).items()
    if typing.get_origin(hint) is Literal
}


def _is_amount(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < math.inf


def _is_refusal(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)


_SECONDS: Final = ("seconds, 0 or more", _is_amount)
_BYTES: Final = (
    "a whole number of bytes, or none",
    lambda value: value is None or (type(value) is int and value > 0),
)
_DOMAINS: Final[dict[str, tuple[str, Callable[[Any], bool]]]] = {
    "ttl_resolution": _SECONDS,
    "ttl_min": _SECONDS,
    "default_ttl": (
        "seconds, more than 0, or none",
        lambda value: value is None or (_is_amount(value) and value > 0),
    ),
    "concurrent": ("yes, no or none", lambda value: value is None or isinstance(value, bool)),
    "durable": ("yes or no", lambda value: isinstance(value, bool)),
    "max_key_bytes": _BYTES,
    "max_value_bytes": _BYTES,
    "rejects": (
        "exception classes",
        lambda value: type(value) is tuple and all(map(_is_refusal, value)),
    ),
}

BASE: Final = Profile()

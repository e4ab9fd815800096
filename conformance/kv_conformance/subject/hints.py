"""What a store offers under another name than the contract's: said, since it is not tested."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from typing import Any, Final

_OTHER_NAMES: Final = {
    "has": ("exists", "contains", "has_key", "is_set", "__contains__"),
    "list": ("scan", "list_keys", "iterate", "items", "find", "__iter__"),
    "cas": ("compare_and_swap", "compare_and_set", "check_and_set", "set_if", "replace_if"),
    "clear": ("flush", "flushall", "clean", "empty", "delete_all", "remove_all"),
    "prune": ("purge", "cull", "cleanup", "sweep", "expire_all", "remove_expired"),
}
"""Names by which libraries call what the contract calls otherwise."""

_TTL_NAMES: Final = (
    "timeout", "expire", "expires", "expires_in", "expire_in", "expiry", "expiration", "ex", "px",
    "exptime", "expiration_ttl", "expiration_time", "max_age", "lifetime", "time_to_live", "time",
)  # fmt: skip
"""Parameters by which libraries take a time to live, in one unit or another."""


def other_names(store: Any, shown: Collection[str]) -> list[str]:
    """A note for each part of the contract that seems to be there under another name.

    `shown` are the capabilities found; a store that refuses to be asked gets no notes.
    """
    notes = [
        f"no {name}, but {other}: it is not tested unless it has the name and shape of {name}"
        for name, others in _OTHER_NAMES.items()
        if name not in shown and (other := _first(store, others)) is not None
    ]
    if "ttl" not in shown and (parameter := _ttl_parameter(store)) is not None:
        notes.append(
            f"set takes {parameter}, and no ttl: expiry is not tested unless set takes the time "
            "to live, in seconds, by the name ttl"
        )
    return notes


def _first(store: Any, names: Collection[str]) -> str | None:
    for name in names:
        try:
            member = getattr(store, name, None)
        except BaseException:  # a property may raise anything
            continue
        if callable(member):
            return name
    return None


def _ttl_parameter(store: Any) -> str | None:
    try:
        parameters = inspect.signature(store.set).parameters
    except BaseException:
        return None
    return next((name for name in _TTL_NAMES if name in parameters), None)

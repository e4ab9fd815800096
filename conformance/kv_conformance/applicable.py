"""Which clauses apply to a store, by its capabilities and its dialect."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from kv_spec.clauses import Clause, clauses
from kv_spec.profile import CAS_PARTS, Profile

_BY_DECLARATION: Final[Mapping[str, tuple[str, Any]]] = {
    "delete_result": ("delete_returns", "bool"),
    "durable": ("durable", True),
}


def reason_not(clause: Clause, profile: Profile, capabilities: Collection[str]) -> str | None:
    """Why a clause does not apply; None where it does."""
    for item in clause.requires:
        name, equals, value = item.partition("=")
        if equals:
            actual = str(getattr(profile, name))
            if actual != value:
                return f"the profile declares {name}={actual}"
        elif not _holds(name, profile, capabilities):
            return f"not offered: {name}"
    return _special(clause, profile, capabilities)


def is_checked(capability: str) -> bool:
    """Whether this version judges a clause of a capability, or there is none to judge."""
    parts = CAS_PARTS if capability == "cas" else {capability}
    own = [clause for clause in clauses().values() if not parts.isdisjoint(clause.requires)]
    return not own or any(clause.not_yet_checked is None for clause in own)


def _holds(name: str, profile: Profile, capabilities: Collection[str]) -> bool:
    if name in capabilities:
        return True
    if name == "cas":
        return not CAS_PARTS.isdisjoint(capabilities)
    if name == "concurrent":
        shown = not CAS_PARTS.isdisjoint(capabilities)
        return shown if profile.concurrent is None else profile.concurrent
    if name == "list_order":
        return profile.list_order != "none" and "list" in capabilities
    if name == "default_ttl":
        return profile.default_ttl is not None
    if name in _BY_DECLARATION:
        field, value = _BY_DECLARATION[name]
        return bool(getattr(profile, field) == value)
    return False


def _special(clause: Clause, profile: Profile, capabilities: Collection[str]) -> str | None:
    if clause.id == "GET-5" and profile.null == "value" and profile.absent == "none":
        return "a stored null and a miss read alike (null=value, absent=none)"
    if clause.id == "ERR-2" and {"ttl", "list", "has", *CAS_PARTS} <= set(capabilities):
        return "the store offers everything"
    if clause.id == "ITER-5" and not {"keys", "values", "entries"} & set(capabilities):
        return "the store offers one view of its entries, the listing"
    if clause.id == "CAS-6" and not {"cas-create", "cas-swap"} & set(capabilities):
        return "cas installs no value here, it only deletes"
    if clause.id == "TTL-1" and profile.default_ttl is not None:
        return "the store has a default ttl"
    if clause.id == "TTL-5" and profile.ttl_resolution == 0:
        return "every ttl is a multiple of the resolution 0"
    if clause.id == "TTL-4" and profile.ttl_resolution == 0:
        return "with the resolution 0 TTL-2 and TTL-3 say all of it"
    return None

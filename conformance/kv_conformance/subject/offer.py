"""What a store offers: read from its methods, compared with what its profile declares."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kv_spec.dialects import from_mapping, parse
from kv_spec.outcomes import raised
from kv_spec.profile import BASE, CAS_PARTS, Profile, ProfileError

from kv_conformance.subject.hints import other_names

_SHAPES: Final[Mapping[str, tuple[int, str]]] = {
    "get": (1, "get(key)"),
    "set": (2, "set(key, value)"),
    "delete": (1, "delete(key)"),
    "has": (1, "has(key)"),
    "list": (1, "list(prefix=())"),
    "cas": (3, "cas(key, expected, new)"),
    "keys": (0, "keys()"),
    "values": (0, "values()"),
    "entries": (0, "entries()"),
    "clear": (0, "clear()"),
    "prune": (0, "prune()"),
    "close": (0, "close()"),
}
"""How each method is called: the number of positional arguments, and the signature in words."""

_LATER: Final[Mapping[str, tuple[int, str]]] = {
    "add": (1, "add(value)"),
    "prefix": (1, "prefix(p)"),
    "get_many": (1, "get_many(keys)"),
    "set_many": (1, "set_many(entries)"),
    "delete_many": (1, "delete_many(keys)"),
}
"""Methods that no program calls yet: what has one of these names is looked at and left alone."""

CORE: Final = ("get", "set", "delete")
ASKED_IN_VAIN: Final = ("has", "list", "cas", "ttl")
"""What may be called although it is not offered (ERR-2)."""


class OfferError(Exception):
    """The object is no store: it lacks what every store must have."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Capabilities with evidence; `missing` are declared and not shown, each with the reason."""

    profile: Profile
    capabilities: frozenset[str]
    not_offered: tuple[str, ...]
    missing: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def declared_profile(store: Any) -> tuple[Profile, list[str]]:
    """The profile that a store carries, and notes; the base dialect where it carries none.

    A Profile of ours, plain data, or a text as `--profile` takes it. Raises ProfileError for
    what is none of these, or not a right one.
    """
    try:
        declared = getattr(store, "profile", None)
    except BaseException as error:
        raise ProfileError(f"its attribute profile raised {raised(error)}") from error
    if declared is None:
        return BASE, []
    if isinstance(declared, Profile):
        return declared, []
    if isinstance(declared, Mapping):
        return from_mapping(declared), []
    if isinstance(declared, str):
        return parse(declared), []
    if callable(declared):
        return BASE, ["profile is a method, not a declaration: it is left alone"]
    raise ProfileError(
        f"its attribute profile is a {type(declared).__name__}; it can be a Profile, a dict of "
        "declarations, or a text as --profile takes it"
    )


def look(store: Any, profile: Profile, takes_space: bool, notes: Iterable[str] = ()) -> Offer:
    """Reads a store's methods; raises OfferError where get, set or delete is missing.

    `notes` are notes to begin with.
    """
    notes = list(notes)
    hidden = profile.without - set(CORE)
    shown = {n for n in _SHAPES if n not in hidden and _shows(store, n, _SHAPES[n], notes)}
    lacking = [name for name in CORE if name not in shown]
    if lacking:
        raise OfferError(_lacks(store, lacking, notes))
    later = [n for n in _LATER if n not in hidden and _shows(store, n, _LATER[n], notes)]
    if later:
        notes.append(f"not yet checked by this version: {', '.join(later)}")
    found = {"core"} | (shown - set(CORE) - {"cas"})
    if "list" in found:
        found.add("iterate")
    if "cas" in shown:
        found |= CAS_PARTS
    if _takes_ttl(store, declared="ttl" in profile.capabilities):
        found.add("ttl")
    if takes_space:
        found.add("shared")
    missing = _missing(profile, found)
    found |= profile.capabilities - {"cas"} - set(missing)
    found = _hidden(found, profile)
    if profile.null == "value" and profile.absent == "none" and found & _ABOUT_NONE:
        found -= _ABOUT_NONE
        notes.append(
            "creating and deleting by cas is not tested: with null=value and absent=none its None "
            "is a stored null as well as no entry"
        )
    notes += other_names(store, {*found, *hidden, *(("cas",) if "cas" in shown else ())})
    not_offered = tuple(
        name
        for name in ASKED_IN_VAIN
        if name not in found and not (name == "cas" and found & CAS_PARTS)
    )
    return Offer(profile, frozenset(found), not_offered, missing, tuple(notes))


_ABOUT_NONE: Final = frozenset({"cas-create", "cas-delete"})


def _lacks(store: Any, lacking: list[str], notes: list[str]) -> str:
    what = f"the factory returned a {type(store).__name__}"
    if store is None:
        what = "the factory returned None"
    mine = [note for note in notes if note.partition(" ")[0].partition("(")[0] in CORE]
    try:
        names = ", ".join(sorted(n for n in dir(store) if not n.startswith("_")))
    except BaseException:
        names = ""
    return (
        f"{what}, which lacks {' and '.join(lacking)}. A store has get(key), set(key, value) and "
        f"delete(key).{''.join(f' {note}.' for note in mine)} Its public names: "
        f"{names[:300] or 'none'}"
    )


def _hidden(found: set[str], profile: Profile) -> set[str]:
    hidden = set(profile.without)
    if "cas" in hidden:
        hidden |= CAS_PARTS
    if "list" in hidden:
        hidden.add("iterate")
    return found - hidden


_NEEDS_METHOD: Final = frozenset(_SHAPES) | CAS_PARTS | {"ttl", "shared", "iterate"}


def _missing(profile: Profile, found: set[str]) -> dict[str, str]:
    missing: dict[str, str] = {}
    for name in sorted(profile.capabilities & (_NEEDS_METHOD | {"cas"}) - profile.without):
        if name in found or (name == "cas" and found & CAS_PARTS):
            continue
        if name == "ttl":
            missing[name] = "declared, but set takes no keyword ttl"
        elif name == "shared":
            continue  # the factory decides: it may be called without a space here
        else:
            method = "cas" if name.startswith("cas") else name
            missing[name] = (
                f"declared, but the store has no method {_SHAPES.get(method, (0, method))[1]}"
            )
    return missing


def _shows(store: Any, name: str, shape: tuple[int, str], notes: list[str]) -> bool:
    try:
        member = getattr(store, name, None)
    except BaseException as error:  # a property may raise anything
        notes.append(f"{name} can not be read ({raised(error)}): it is left alone")
        return False
    if not callable(member):
        if member is not None:
            notes.append(f"{name} is a {type(member).__name__}, not a method: it is left alone")
        return False
    count, words = shape
    if _accepts(member, count) and (name != "list" or _accepts(member, 0)):
        return True
    notes.append(f"{name}{_signature(member)} is not {words}: it is left alone")
    return False


def _accepts(member: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(member).bind(*[None] * count)
    except TypeError:
        return False
    except BaseException:
        return True  # a builtin without a signature is taken at its name
    return True


def _signature(member: Callable[..., Any]) -> str:
    try:
        return str(inspect.signature(member))[:200]
    except BaseException:  # it shows the defaults, which may fail at that
        return "(…)"


def _takes_ttl(store: Any, *, declared: bool) -> bool:
    """Whether set takes a ttl by keyword; `**options` may do, where the profile says so."""
    try:
        parameters = inspect.signature(store.set).parameters
    except BaseException:
        return False
    if declared and any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
        return True
    parameter = parameters.get("ttl")
    return parameter is not None and parameter.kind in (
        inspect.Parameter.KEYWORD_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    )

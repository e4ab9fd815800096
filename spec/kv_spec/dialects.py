"""The dialects of four families of stores, and how a profile is read from text and plain data."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, Final

from kv_spec.profile import BASE, CHOICES, Profile, ProfileError, check_name

_FAMILIES: Final = (
    BASE,
    Profile(name="fedify"),
    Profile(
        name="polystore",
        key_model="flat",
        ttl_zero="delete",
        ttl_negative="delete",
        iteration="weak",
        delete_returns="key",
        namespaces="flat",
        after_close="error",
    ),
    Profile(
        name="keyv",
        key_model="flat",
        null="value",
        ttl_zero="never",
        ttl_negative="never",
        iteration="weak",
        delete_returns="bool",
        capabilities=frozenset({"bytes", "bigint"}),
        concurrent=False,
    ),
    Profile(
        name="cachimbo",
        key_model="flat",
        null="value",
        ttl_zero="never",
        ttl_resolution=1.0,
        batch="mapping",
        concurrent=False,
    ),
)
PRESETS: Final[Mapping[str, Profile]] = types.MappingProxyType(
    {profile.name: profile for profile in _FAMILIES}
)


def parse(text: str, base: Profile = BASE) -> Profile:
    """Reads `--profile`: a preset, or `name=value` pairs, or both, separated by commas.

    Sets are joined by `+`: `keyv,ttl_resolution=1,without=add+prune`. Pairs without a preset
    change `base`. Raises ProfileError.
    """
    profile, changes = base, {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals:
            check_name(part, PRESETS, "preset")
            profile = PRESETS[part]
        else:
            changes[name] = _parse_field(name.replace("-", "_"), value)
    return profile.replace(**{name.replace("-", "_"): value for name, value in changes.items()})


def from_mapping(values: Mapping[str, Any], base: Profile = BASE) -> Profile:
    """A Profile from plain data (TOML, or a store that does not import ours).

    A key `preset` names the starting point. Raises ProfileError.
    """
    rest = dict(values)
    if (preset := rest.pop("preset", None)) is not None:
        check_name(preset, PRESETS, "preset")
        base = PRESETS[preset]
    for name in rest:
        check_name(name, _FIELDS, "declaration")
    if isinstance(rejects := rest.get("rejects"), list):
        rest["rejects"] = tuple(rejects)
    return base.replace(**rest)


_FIELDS: Final = {field.name: field for field in dataclasses.fields(Profile)}


def _parse_field(name: str, text: str) -> Any:
    check_name(name, _FIELDS, "declaration")
    if name in ("capabilities", "without"):
        return frozenset(text.split("+"))
    if name in CHOICES or name == "name":
        return text
    if text in ("yes", "true", "no", "false"):
        return text in ("yes", "true")
    try:
        return int(text) if name.startswith("max_") else float(text)
    except ValueError:
        raise ProfileError(f"{name} takes a number, yes or no, not {text!r}") from None

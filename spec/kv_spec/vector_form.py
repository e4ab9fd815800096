"""One vector: what it is, and how it is read from its JSON form."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from kv_spec import operations as ops
from kv_spec.json_form import ProgramError, from_json
from kv_spec.operations import Program
from kv_spec.profile import CAPABILITIES, Profile
from kv_spec.vector_outcomes import FORMS

FORMAT: Final = 1
_FIELDS: Final = {"name", "clauses", "requires", "key_model", "scale", "program", "outcomes"}
_REQUIRES: Final = {"capabilities", "lacks", "dialect", "exact", "default_ttl"}


class VectorError(ValueError):
    """A vector file that can not be read; the message names the file and the vector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """A program, the outcomes it must have, and the stores for which that holds.

    `clauses` are those that the program puts to the test. `dialect` gives the allowed values of
    fields of Profile. `lacks` are capabilities that the store must not offer (ERR-2). `exact`
    asks for a clock that stands still between operations. Times are in seconds; with `scale` all
    of them may be multiplied by one factor. `default_ttl` is the default ttl of the store for
    which the program is written, None where it must have none (or it does not matter).
    """

    name: str
    family: str
    clauses: tuple[str, ...]
    capabilities: frozenset[str]
    lacks: frozenset[str]
    dialect: Mapping[str, tuple[Any, ...]]
    key_model: Literal["any", "path", "flat"]
    exact: bool
    scale: bool
    default_ttl: float | None
    program: Program
    outcomes: tuple[Any, ...]

    @property
    def duration(self) -> float:
        """The seconds that the program lets pass."""
        return sum(op.seconds for op in self.program if isinstance(op, ops.Advance))


def parse(text: str, file: str) -> tuple[Vector, ...]:
    """The vectors of one file; `file` is its name, for messages. Raises VectorError."""
    try:
        form = json.loads(text)
    except ValueError as error:
        raise VectorError(f"{file}: not JSON: {error}") from None
    if not isinstance(form, dict) or form.get("format") != FORMAT:
        raise VectorError(f"{file}: not a vector file of format {FORMAT}")
    try:
        forms, family = form["vectors"], form["family"]
    except KeyError as error:
        raise VectorError(f"{file}: there is no {error}") from None
    return tuple(_vector(one, family, f"{file}, vector {i}") for i, one in enumerate(forms))


def _vector(form: Any, family: str, where: str) -> Vector:
    name = form.get("name") if isinstance(form, dict) else None
    if not isinstance(name, str):
        raise VectorError(f"{where}: a vector is an object with a name")
    where = f"{where} ({name})"
    form = _expanded(form)
    requires = form.get("requires", {})
    if unknown := (set(form) - _FIELDS) | (set(requires) - _REQUIRES):
        raise VectorError(f"{where}: no such field: {', '.join(sorted(unknown))}")
    try:
        vector = Vector(
            name=name,
            family=family,
            clauses=tuple(form["clauses"]),
            capabilities=frozenset(requires.get("capabilities", ())),
            lacks=frozenset(requires.get("lacks", ())),
            dialect=MappingProxyType(
                {field: tuple(values) for field, values in requires.get("dialect", {}).items()}
            ),
            key_model=form.get("key_model", "path"),
            exact=requires.get("exact", False),
            scale=form.get("scale", True),
            default_ttl=requires.get("default_ttl"),
            program=from_json(form["program"]),
            outcomes=tuple(form["outcomes"]),
        )
    except ProgramError as error:
        raise VectorError(f"{where}: {error}") from None
    except KeyError as error:
        raise VectorError(f"{where}: there is no {error}") from None
    _check(vector, where)
    return vector


def _check(vector: Vector, where: str) -> None:
    if len(vector.program) != len(vector.outcomes):
        size = f"{len(vector.program)} operations and {len(vector.outcomes)} outcomes"
        raise VectorError(f"{where}: {size}")
    if vector.key_model not in ("any", "path", "flat"):
        raise VectorError(f"{where}: key_model is any, path or flat, not {vector.key_model!r}")
    if odd := (vector.capabilities | vector.lacks) - CAPABILITIES.keys():
        raise VectorError(f"{where}: no such capability: {', '.join(sorted(odd))}")
    fields = {field.name for field in dataclasses.fields(Profile)}
    if unknown := vector.dialect.keys() - fields:
        raise VectorError(f"{where}: no such declaration: {', '.join(sorted(unknown))}")
    for outcome in vector.outcomes:
        if outcome is not None and not FORMS.issuperset(outcome):
            raise VectorError(f"{where}: no form of outcome: {outcome!r}")


def _expanded(form: Any) -> Any:
    """The form with every `{"$repeat": [text, times]}` written out."""
    if isinstance(form, list):
        return [_expanded(item) for item in form]
    if isinstance(form, dict):
        if form.keys() == {"$repeat"}:
            text, times = form["$repeat"]
            return text * times
        return {key: _expanded(item) for key, item in form.items()}
    return form

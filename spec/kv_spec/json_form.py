"""Programs as JSON, and back.

An operation is an object with `op` and its fields; a field at its default is left out. A value
slot is one of `value` (JSON), `value_absent: true`, `value_outside: name`, so that absent, null
and an input that JSON can not write never meet.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Sequence
from typing import Any, Final

from kv_spec.operations import KINDS, Operation, Program, Race, Script
from kv_spec.store import ABSENT
from kv_spec.values import Outside


class ProgramError(ValueError):
    """A JSON form that is no program; the message names the place."""


def operation_to_json(operation: Operation) -> dict[str, Any]:
    """The JSON object of one operation."""
    form: dict[str, Any] = {"op": operation.op}
    if isinstance(operation, Race):
        form["branches"] = [operation_to_json(branch) for branch in operation.branches]
        if operation.switch is not None:
            form["switch"] = operation.switch
        return form
    for field in dataclasses.fields(operation):
        value = getattr(operation, field.name)
        if value is field.default or (field.default is not dataclasses.MISSING
                                      and type(value) is type(field.default)
                                      and value == field.default):  # fmt: skip
            continue
        if value is ABSENT:
            form[f"{field.name}_absent"] = True
        elif isinstance(value, Outside):
            form[f"{field.name}_outside"] = value.name
        else:
            form[field.name] = list(value) if isinstance(value, tuple) else value
    return form


def operation_from_json(form: Any, where: str = "program") -> Operation:
    """The operation of one JSON object; raises ProgramError."""
    op = form.get("op") if isinstance(form, dict) else None
    if not isinstance(op, str) or op not in KINDS:
        raise ProgramError(f"{where}: not an operation; op is one of {', '.join(KINDS)}")
    names = {field.name for field in dataclasses.fields(KINDS[op])}
    values: dict[str, Any] = {}
    for name, value in form.items():
        if name == "op":
            continue
        base, _, suffix = name.rpartition("_")
        if name in names:
            values[name] = _field(name, value, where)
        elif suffix == "absent" and base in names & _MAY_BE_ABSENT:
            values[base] = ABSENT
        elif suffix == "outside" and base in names & _MAY_BE_OUTSIDE:
            values[base] = _outside(value, where)
        else:
            raise ProgramError(f"{where}: {op} has no field {name!r}")
    try:
        return KINDS[op](**values)  # type: ignore[no-any-return]
    except TypeError as error:
        raise ProgramError(f"{where}: {op} lacks a field: {error}") from None


_MAY_BE_ABSENT: Final = frozenset({"value", "expected", "new"})
_MAY_BE_OUTSIDE: Final = _MAY_BE_ABSENT | {"key", "prefix", "ttl"}
_SCRIPTS: Final = typing.get_args(Script)
_METHODS: Final = ("keys", "values", "entries")


def _field(name: str, value: Any, where: str) -> Any:
    """The value of a field of an operation; raises ProgramError for one of another type."""
    if name in _MAY_BE_ABSENT:
        return value
    if name == "branches" and isinstance(value, list):
        places = ((f"{where}.branches[{number}]", one) for number, one in enumerate(value))
        return tuple(operation_from_json(one, place) for place, one in places)
    if name not in _FIELDS:
        raise ProgramError(f"{where}: {name} is a list of operations, not {value!r}")
    wanted, fits = _FIELDS[name]
    if not fits(value):
        raise ProgramError(f"{where}: {name} is {wanted}, not {value!r}")
    return tuple(value) if isinstance(value, list) else value


def _is_key(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(part, str) for part in value)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


_KEY: Final = ("a text or a list of texts", _is_key)
_TEXT: Final = ("a text", lambda value: isinstance(value, str))
_COUNT: Final = ("a whole number, 0 or more", _is_count)
_FIELDS: Final[dict[str, tuple[str, Callable[[Any], bool]]]] = {
    "key": _KEY,
    "prefix": _KEY,
    "ttl": ("a number or null", lambda value: value is None or _is_number(value)),
    "seconds": ("a number", _is_number),
    "change": ("true or false", lambda value: isinstance(value, bool)),
    "n": _COUNT,
    "limit": _COUNT,
    "switch": ("a whole number or null", lambda value: value is None or _is_count(value)),
    "space": _TEXT,
    "name": _TEXT,
    "method": (f"one of {', '.join(_METHODS)}", lambda value: value in _METHODS),
    "script": (f"one of {', '.join(_SCRIPTS)}", lambda value: value in _SCRIPTS),
}


def _outside(name: Any, where: str) -> Outside:
    try:
        return Outside(name)
    except (TypeError, ValueError) as error:
        raise ProgramError(f"{where}: {error}") from None


def to_json(program: Sequence[Operation]) -> list[dict[str, Any]]:
    """The JSON form of a program."""
    return [operation_to_json(operation) for operation in program]


def from_json(forms: Any) -> Program:
    """The program of a JSON form; raises ProgramError, which names the operation."""
    if not isinstance(forms, list):
        raise ProgramError("a program is a list of operations")
    return tuple(operation_from_json(form, f"program[{i}]") for i, form in enumerate(forms))

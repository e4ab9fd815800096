"""Programs as JSON, and back.

An operation is an object with `op` and its fields; a field at its default is left out. A value
slot is one of `value` (JSON), `value_absent: true`, `value_outside: name`, so that absent, null
and an input that JSON can not write never meet.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from kv_spec.operations import KINDS, Operation, Program, Race
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
    if not isinstance(form, dict) or form.get("op") not in KINDS:
        raise ProgramError(f"{where}: not an operation; op is one of {', '.join(KINDS)}")
    kind = KINDS[form["op"]]
    if kind is Race:
        branches = tuple(
            operation_from_json(branch, f"{where}.branches[{number}]")
            for number, branch in enumerate(form.get("branches", ()))
        )
        return Race(branches, form.get("switch"))
    names = {field.name for field in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    for name, value in form.items():
        if name == "op":
            continue
        base, _, suffix = name.rpartition("_")
        if name in names:
            values[name] = _key(value) if name in ("key", "prefix") else value
        elif suffix == "absent" and base in names:
            values[base] = ABSENT
        elif suffix == "outside" and base in names:
            values[base] = _outside(value, where)
        else:
            raise ProgramError(f"{where}: {form['op']} has no field {name!r}")
    try:
        return kind(**values)  # type: ignore[no-any-return]
    except TypeError as error:
        raise ProgramError(f"{where}: {form['op']} lacks a field: {error}") from None


def _key(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _outside(name: Any, where: str) -> Outside:
    try:
        return Outside(name)
    except ValueError as error:
        raise ProgramError(f"{where}: {error}") from None


def to_json(program: Sequence[Operation]) -> list[dict[str, Any]]:
    """The JSON form of a program."""
    return [operation_to_json(operation) for operation in program]


def from_json(forms: Any) -> Program:
    """The program of a JSON form; raises ProgramError, which names the operation."""
    if not isinstance(forms, list):
        raise ProgramError("a program is a list of operations")
    return tuple(operation_from_json(form, f"program[{i}]") for i, form in enumerate(forms))

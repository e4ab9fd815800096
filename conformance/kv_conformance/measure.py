"""How large a program is, and what it is made of: by this one program is simpler than another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from kv_spec.json_form import to_json
from kv_spec.operations import (
    Advance,
    Delete,
    Fill,
    Get,
    Iterate,
    Operation,
    Program,
    Race,
    Scan,
    Set,
)
from kv_spec.store import ABSENT
from kv_spec.values import Outside

_LONG: Final = 256
"""Characters of a text from which on it is large."""
_BASIC: Final = frozenset({Get, Set, Delete, Advance})


def size(program: Program) -> tuple[int, int, int, int]:
    """How large a program is: operations, entries filled in, what is unusual, text.

    A value that a condition takes for false is, for it can be the reason (GET-4).
    """
    long: list[str] = []
    text = json.dumps(_brief(to_json(program), long))
    fills = sum(op.n for op in program if isinstance(op, Fill))
    odd = sum(oddness(key)[0] for op in program for key in keys_of(op))
    odd += sum(not value for op in program for value in values_of(op))
    return len(program), fills, sum(map(_unusual, program)) + odd, len(text) + sum(map(len, long))


def identity(program: Program) -> str:
    """A text that no other program has; large values are in it by their hash."""
    long: list[str] = []
    return json.dumps(_brief(to_json(program), long)) + str([hash(text) for text in long])


def _brief(form: Any, long: list[str]) -> Any:
    """A JSON form without its long texts, which go to `long`: writing them out takes a while."""
    if isinstance(form, str) and len(form) > _LONG:
        long.append(form)
        return f"~{len(form)}"
    if isinstance(form, list):
        return [_brief(item, long) for item in form]
    if isinstance(form, dict):
        return {key: _brief(item, long) for key, item in form.items()}
    return form


def _unusual(op: Operation) -> int:
    if type(op) in _BASIC:
        return 0
    return 2 if isinstance(op, Iterate | Scan | Race) else 1


def oddness(key: Any) -> tuple[bool, int, str]:
    """How odd a key is: special characters and empty parts first, then length."""
    text = json.dumps(key)
    parts = (key,) if isinstance(key, str) else key
    return not all(part.isascii() and part.isalnum() for part in parts), len(text), text


def keys_of(op: Operation) -> Iterator[Any]:
    """The keys and prefixes that an operation names."""
    if isinstance(op, Race):
        for branch in op.branches:
            yield from keys_of(branch)
        return
    for name in ("key", "prefix"):
        key = getattr(op, name, None)
        # The empty text is a flat key as well, and as a prefix it is none at all.
        if (key or (key == "" and name == "key")) and not isinstance(key, Outside):
            yield key


def values_of(op: Operation) -> Iterator[Any]:
    """The values that an operation names, null not among them."""
    if isinstance(op, Race):
        for branch in op.branches:
            yield from values_of(branch)
        return
    for name in ("value", "expected", "new"):
        value = getattr(op, name, ABSENT)
        if value is not ABSENT and value is not None and not isinstance(value, Outside):
            yield value

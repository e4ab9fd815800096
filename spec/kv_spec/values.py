"""The JSON value domain: typed equality, copies, marks, and inputs that lie outside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from kv_spec.errors import InvalidValue

MAX_SAFE_INTEGER: Final = 2**53
MAX_DEPTH: Final = 32

CHANGED_AFTER_SET: Final = "~changed after it was passed in~"
CHANGED_AFTER_GET: Final = "~changed after it came out~"


def equal(left: Any, right: Any) -> bool:
    """Typed JSON equality (CAS-7): 1 equals 1.0, a boolean no number; mappings have no order.

    Never asks an object outside the JSON types for its opinion: `__eq__` of a foreign class is
    not called, so a store can not talk its way out.
    """
    kind = type(left)
    if kind is type(right) and kind in SCALARS:
        return bool(left == right)
    if kind is bool or type(right) is bool or left is None or right is None:
        return left is right
    if kind is list and type(right) is list:
        return len(left) == len(right) and all(map(equal, left, right))
    base = _base(left)
    if base is None or base is not _base(right):
        return False
    if base is str:
        return str.__eq__(left, right)
    if base is float:
        return _number(left) == _number(right)
    if base is list:
        return list.__len__(left) == list.__len__(right) and all(
            map(equal, list.__iter__(left), list.__iter__(right))
        )
    if base is dict:
        return _same_items(left, right)
    return kind is type(right) and bool(left == right)


SCALARS: Final = frozenset({str, int, float, bool, type(None), bytes})
"""The types whose values hold no others, and cannot be changed."""
_CONTAINERS: Final = (list, dict)
_TEXT: Final = frozenset({str})
_BASES: Final = {str: str, int: float, float: float, list: list, dict: dict}
_WHOLE: Final[dict[type, type]] = {**_BASES, bytes: bytes, datetime: datetime}
"""The types that stand for themselves: of bytes and datetime a subclass does not."""


def _base(value: Any) -> type | None:
    """The JSON type of a value by its real type: `isinstance` believes what an object says."""
    kind = type(value)
    if kind in _WHOLE:
        return _WHOLE[kind]
    return next((_BASES[base] for base in kind.__mro__ if base in _BASES), None)


def _number(value: Any) -> float:
    return int.__int__(value) if issubclass(type(value), int) else float.__float__(value)


def _same_items(left: dict[Any, Any], right: dict[Any, Any]) -> bool:
    ours, theirs = _plain_keys(left), _plain_keys(right)
    return len(ours) == len(theirs) and all(
        key in theirs and equal(value, theirs[key]) for key, value in ours.items()
    )


def _plain_keys(value: dict[Any, Any]) -> dict[Any, Any]:
    """The mapping by plain str: other keys would decide themselves what they equal."""
    if type(value) is dict and _TEXT.issuperset(map(type, value)):
        return value
    return {
        str.__str__(key) if issubclass(type(key), str) else object(): item
        for key, item in dict.items(value)
    }


def copy(value: Any) -> Any:
    """A deep copy of the containers; everything else is shared."""
    if type(value) in SCALARS:
        return value
    if isinstance(value, list):
        return [copy(item) for item in value]
    if isinstance(value, dict):
        return {key: copy(item) for key, item in value.items()}
    return value


def change(value: Any, mark: str) -> bool:
    """Leaves `mark` in every container of `value`, in place; False if there is none."""
    if isinstance(value, list):
        for item in value:
            change(item, mark)
        value.append(mark)
        return True
    if isinstance(value, dict):
        for item in value.values():
            change(item, mark)
        value[mark] = True
        return True
    return False


def is_container(value: Any) -> bool:
    """True for a value that can be changed in place."""
    return isinstance(value, _CONTAINERS)


def carries(value: Any, mark: str) -> bool:
    """True if `change(…, mark)` reached `value` or something in it."""
    if isinstance(value, list):
        return any(item == mark if isinstance(item, str) else carries(item, mark) for item in value)
    if isinstance(value, dict):
        return mark in value or any(carries(item, mark) for item in value.values())
    return False


def walk(value: Any) -> Iterator[Any]:
    """`value` and everything in it, the keys of mappings too."""
    yield value
    if isinstance(value, list):
        for item in value:
            yield from walk(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from walk(item)


def check_json(value: Any, *, extra: frozenset[str] = frozenset(), depth: int = 0) -> None:
    """Raises InvalidValue for a value outside the JSON domain (VAL-4).

    `extra` names the declared additions: "bytes", "bigint", "datetime". Integers beyond 2^53
    pass only with "bigint".
    """
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) > MAX_SAFE_INTEGER and "bigint" not in extra:
            raise InvalidValue("an integer beyond 2^53 needs the capability bigint")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidValue(f"{value!r} is not a JSON number")
    elif isinstance(value, _CONTAINERS):
        _check_container(value, extra, depth)
    elif not _is_extra(value, extra):
        raise InvalidValue(f"{type(value).__name__} is not a JSON type")


def _check_container(value: list[Any] | dict[Any, Any], extra: frozenset[str], depth: int) -> None:
    if depth > 4 * MAX_DEPTH:
        raise InvalidValue("nested too deep, or a cycle")
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise InvalidValue(f"a mapping key of type {type(key).__name__} is not JSON")
    for item in value.values() if isinstance(value, dict) else value:
        check_json(item, extra=extra, depth=depth + 1)


def _is_extra(value: Any, extra: frozenset[str]) -> bool:
    if isinstance(value, bytes):
        return "bytes" in extra
    return isinstance(value, datetime) and "datetime" in extra


def _cycle() -> Any:
    loop: list[Any] = []
    loop.append(loop)
    return loop


_OUTSIDE: Final[dict[str, Callable[[], Any]]] = {
    "nan": lambda: math.nan,
    "infinity": lambda: math.inf,
    "minus-infinity": lambda: -math.inf,
    "function": lambda: len,
    "object": object,
    "cycle": _cycle,
    "set": lambda: {1, 2},
    "integer-keys": lambda: {1: "one"},
    "nan-inside": lambda: {"a": [math.nan]},
    "bytes": lambda: b"\x00\xffraw",
    "bigint": lambda: 2**60 + 1,
    "datetime": lambda: datetime(2024, 2, 29, 12, 30, 15, 250000, tzinfo=UTC),
    "text": lambda: "soon",
    "list": lambda: ["a"],
    "number": lambda: 7,
    "none": lambda: None,
    "empty-tuple": lambda: (),
    "number-component": lambda: ("a", 7),
    "true": lambda: True,
}

TYPED_VALUES: Final = frozenset({"bytes", "bigint", "datetime"})
"""Values that a store may declare; undeclared, they are rejected or come back as they were."""


@dataclass(frozen=True, slots=True)
class Outside:
    """An input outside the domain, by name, so that a program with it can be written as JSON."""

    name: str

    def __post_init__(self) -> None:
        if self.name not in _OUTSIDE:
            raise ValueError(f"no outside input is named {self.name!r}: {', '.join(_OUTSIDE)}")

    def make(self) -> Any:
        """A fresh object of this kind."""
        return _OUTSIDE[self.name]()

    def python(self) -> str:
        """How a program writes it."""
        return _OUTSIDE_PYTHON.get(self.name) or repr(self.make())


_OUTSIDE_PYTHON: Final = {
    "nan": 'float("nan")',
    "infinity": 'float("inf")',
    "minus-infinity": 'float("-inf")',
    "function": "len",
    "object": "object()",
    "cycle": "(lambda loop: loop.append(loop) or loop)([])",
    "nan-inside": '{"a": [float("nan")]}',
    "datetime": "datetime.datetime(2024, 2, 29, 12, 30, 15, 250000, tzinfo=datetime.UTC)",
}

"""Events as plain data: nothing that a store made leaves its process as an object of its own.

A subclass of str that a store returned as a message would be pickled by the name of its class, and
the process that reads the events would have to import the store to understand it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Final, TypeVar

_Data = TypeVar("_Data")

# Of the type itself: what a subclass overrides is not asked.
_EXACT: Final[dict[type[Any], Callable[[Any], Any]]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
}


def plain(event: _Data) -> _Data:
    """A copy of an event whose texts, numbers and containers are exactly of Python's own types."""
    fields = dataclasses.fields(event)  # type: ignore[arg-type]
    values = {field.name: _plain(getattr(event, field.name)) for field in fields}
    return type(event)(**values)


def _plain(value: Any) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(value)
    for kind, exact in _EXACT.items():
        if isinstance(value, kind):
            return exact(value)
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in dict.items(value)}
    if isinstance(value, list):
        return [_plain(item) for item in list.__iter__(value)]
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in tuple.__iter__(value))
    return _shown(value)


def _shown(value: Any) -> str:
    try:
        return "".join(repr(value)[:500])
    except BaseException:
        return f"({type(value).__name__})"

"""What came out of a store, as the oracle takes it: in the contract's own types, or Malformed."""

from __future__ import annotations

from collections.abc import Iterator
from types import CoroutineType
from typing import Any, Final

from kv_spec.outcomes import Malformed

_PAIRS: Final = (tuple, list)


def as_answer(answer: Any) -> Any:
    """An answer as it is; Malformed for a coroutine that nobody awaits."""
    if type(answer) is CoroutineType:
        answer.close()
        return Malformed("a coroutine, from a method that is not async")
    return answer


def as_bool(answer: Any) -> Any:
    """True or False; Malformed for what is neither."""
    if answer is True or answer is False:
        return answer
    if type(answer) is CoroutineType:
        return as_answer(answer)
    return Malformed(f"an answer of type {type(answer).__name__}, where a bool is due")


def as_iterator(answer: Any) -> Iterator[Any]:
    """An iterator over a listing. Raises TypeError where it can not be iterated."""
    try:
        return iter(answer)
    except TypeError:
        as_answer(answer)
        raise TypeError(
            f"a listing returned {type(answer).__name__}, which can not be iterated"
        ) from None


def as_list(items: Iterator[Any], bound: int) -> Any:
    """The items in a list; Malformed where they are more than `bound`."""
    found: list[Any] = []
    for item in items:
        found.append(item)
        if len(found) > bound:
            return Malformed("a listing without end")
    return found


def as_entry(entry: Any) -> Any:
    """An entry as a pair of key and value; Malformed for what is no pair."""
    if type(entry) is tuple and len(entry) == 2 and as_key(entry[0]) is entry[0]:
        return entry
    if isinstance(entry, _PAIRS) and len(entry) == 2:
        return as_key(entry[0]), entry[1]
    return Malformed(f"an entry of type {type(entry).__name__} that is no pair of key and value")


def as_key(key: Any) -> Any:
    """A key in the contract's own types where it is of a subclass; anything else as it is."""
    kind = type(key)
    if kind is tuple:
        for part in key:
            if type(part) is not str:
                return tuple(map(_as_part, key))
        return key
    if kind is str:
        return key
    if issubclass(kind, str):
        return str.__str__(key)
    return tuple(map(_as_part, key)) if issubclass(kind, tuple) else key


def _as_part(part: Any) -> Any:
    return as_key(part) if isinstance(part, str) else part

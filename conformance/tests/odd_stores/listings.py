"""Stores whose listings come in unusual shapes and orders."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .base import MISSING, QUIET, DictStore, Keys


class Reversed(DictStore):
    """Lists backwards."""

    def list(self, prefix: Any = None) -> Iterable[Any]:
        return reversed(self.entries_below(prefix))


class Shuffled(DictStore):
    """Lists in another order at each call."""

    def __init__(self) -> None:
        super().__init__()
        self.random = random.Random(7)

    def list(self, prefix: Any = None) -> Iterable[Any]:
        entries = self.entries_below(prefix)
        self.random.shuffle(entries)
        return entries


class LiveGenerator(DictStore):
    """Lists the keys of the beginning, each with its value of the moment, if it is still there."""

    profile = QUIET.replace(iteration="weak")

    def list(self, prefix: Any = None) -> Iterator[Any]:
        for key in self.keys_below(prefix):
            if (value := self.read(key)) is not MISSING:
                yield key, value


class NextKey(DictStore):
    """Walks by asking for the key after the last one, so that it meets keys written meanwhile."""

    profile = QUIET.replace(iteration="weak", list_order="lex")

    def list(self, prefix: Any = None) -> Iterator[Any]:
        last: Any = None
        while True:
            rest = [key for key in self.keys_below(prefix) if last is None or key > last]
            if not rest:
                return
            last = min(rest)
            if (value := self.read(last)) is not MISSING:
                yield last, value


class Paged(DictStore):
    """Reads the entries of a sorted store in pages of seven, one ahead of what it hands out."""

    profile = QUIET.replace(iteration="weak", list_order="lex")

    def list(self, prefix: Any = None) -> Iterator[Any]:
        page, last = self.page(prefix, None), None
        while page:
            last = page[-1][0]
            ahead = self.page(prefix, last)
            yield from page
            page = ahead

    def page(self, prefix: Any, last: Any) -> Keys:
        keys = sorted(key for key in self.keys_below(prefix) if last is None or key > last)
        pairs = [(key, self.read(key)) for key in keys]
        return [pair for pair in pairs if pair[1] is not MISSING][:7]


class ReturnsList(DictStore):
    """Lists by a list."""

    def list(self, prefix: Any = None) -> Iterable[Any]:
        return self.entries_below(prefix)


class ReturnsTuple(DictStore):
    """Lists by a tuple."""

    def list(self, prefix: Any = None) -> Iterable[Any]:
        return tuple(self.entries_below(prefix))


class ReturnsItems(DictStore):
    """Lists by the items of a dict."""

    def list(self, prefix: Any = None) -> Iterable[Any]:
        return dict(self.entries_below(prefix)).items()


class Pair(NamedTuple):
    """An entry with names."""

    key: Any
    value: Any


class NamedEntries(DictStore):
    """Lists entries with names."""

    def list(self, prefix: Any = None) -> Iterable[Any]:
        return [Pair(*entry) for entry in self.entries_below(prefix)]


class EntriesAsLists(DictStore):
    """Lists entries that are lists."""

    def list(self, prefix: Any = None) -> Iterable[Any]:
        return map(list, self.entries_below(prefix))


class Walk:
    """An iterable that is no iterator, and reads the store when it is iterated."""

    def __init__(self, store: DictStore, prefix: Any) -> None:
        self.store, self.prefix = store, prefix

    def __iter__(self) -> Iterator[Any]:
        return iter(self.store.entries_below(self.prefix))


class ListsLater(DictStore):
    """Lists by an object that reads the store when somebody iterates it."""

    def list(self, prefix: Any = None) -> Iterable[Any]:
        return Walk(self, prefix)


class InKeyOrder(DictStore):
    """Lists by key, keeps to it, and shows the same by keys, values and entries."""

    profile = QUIET.replace(list_order="lex")

    def list(self, prefix: Any = None) -> Iterable[Any]:
        return sorted(self.entries_below(prefix), key=lambda entry: entry[0])

    def keys(self) -> Iterable[Any]:
        return {key for key, _ in self.entries_below()}

    def values(self) -> Iterable[Any]:
        return (value for _, value in self.entries_below())

    def entries(self) -> Iterable[Any]:
        return self.entries_below()


class InOrderOfInsertion(DictStore):
    """Lists in the order in which the keys came to be."""

    profile = QUIET.replace(list_order="insertion")


class Path(tuple[str, ...]):
    """A key of the store's own type, equal to the tuple that was passed in."""

    __slots__ = ()


class KeysOfOwnType(DictStore):
    """Lists keys of a subclass of tuple."""

    def list(self, prefix: Any = None) -> Iterable[Any]:
        return [(Path(key), value) for key, value in self.entries_below(prefix)]

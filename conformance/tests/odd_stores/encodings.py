"""Stores that keep keys and values in other forms."""

from __future__ import annotations

import hashlib
import json
import pickle
import zlib
from collections import OrderedDict
from typing import Any

from .base import QUIET, DictStore, Entries


class JsonText(DictStore):
    """Keeps JSON text."""

    def pack(self, value: Any) -> Any:
        return json.dumps(value)

    def unpack(self, packed: Any) -> Any:
        return json.loads(packed)


class CompressedPickle(DictStore):
    """Keeps pickles, compressed; more types than JSON survive, and come back as they were."""

    def check(self, value: Any) -> None:
        if not isinstance(value, bytes) and type(value).__name__ not in ("int", "datetime"):
            super().check(value)

    def pack(self, value: Any) -> Any:
        return zlib.compress(pickle.dumps(value))

    def unpack(self, packed: Any) -> Any:
        return pickle.loads(zlib.decompress(packed))


class TypedValues(CompressedPickle):
    """Declares bytes, big integers and datetimes."""

    profile = QUIET.replace(capabilities=frozenset({"bytes", "bigint", "datetime"}))


class ZippedText(DictStore):
    """Keeps JSON text in UTF-8, compressed; refuses lone surrogates by not being able to encode."""

    def pack(self, value: Any) -> Any:
        return zlib.compress(json.dumps(value, ensure_ascii=False).encode())

    def unpack(self, packed: Any) -> Any:
        return json.loads(zlib.decompress(packed))


class OrderedMappings(JsonText):
    """Answers mappings of a subclass of dict, in the reverse order of their keys."""

    def unpack(self, packed: Any) -> Any:
        return json.loads(packed, object_pairs_hook=lambda pairs: OrderedDict(reversed(pairs)))


class HashedKeys(DictStore):
    """Finds entries by a hash of four bits, and tells those in one bucket apart by their keys."""

    def __init__(self) -> None:
        super().__init__()
        self.buckets: dict[int, list[Any]] = {}
        self.records = _Buckets()


class _Buckets(dict[Any, Any]):
    """A dict by way of buckets."""

    def __init__(self) -> None:
        super().__init__()
        self.buckets: list[list[tuple[Any, Any]]] = [[] for _ in range(16)]

    def bucket(self, key: Any) -> Entries:
        return self.buckets[hashlib.sha256(repr(key).encode()).digest()[0] % 16]

    def get(self, key: Any, default: Any = None) -> Any:
        return next((value for known, value in self.bucket(key) if known == key), default)

    def pop(self, key: Any, *default: Any) -> Any:
        bucket = self.bucket(key)
        bucket[:] = [pair for pair in bucket if pair[0] != key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.pop(key)
        self.bucket(key).append((key, value))

    def __iter__(self) -> Any:
        return (key for bucket in self.buckets for key, _ in bucket)


class ComparesText(JsonText):
    """Swaps where the serialised text is the same, and declares so."""

    profile = QUIET.replace(cas_equality="encoded")

    def same(self, expected: Any, current: Any) -> bool:
        return json.dumps(expected) == json.dumps(current)


class ComparesSortedText(JsonText):
    """Swaps where the serialised text, with sorted keys, is the same, and declares so."""

    profile = QUIET.replace(cas_equality="encoded")

    def same(self, expected: Any, current: Any) -> bool:
        return json.dumps(expected, sort_keys=True) == json.dumps(current, sort_keys=True)


class KeepsObjects(DictStore):
    """Keeps the objects it is given and hands them out: declares that they are shared."""

    profile = QUIET.replace(isolation="alias")

    def pack(self, value: Any) -> Any:
        return value

    def unpack(self, packed: Any) -> Any:
        return packed


class HandsOutObjects(KeepsObjects):
    """Copies what it is given and hands out its own object: shared one way only."""

    def pack(self, value: Any) -> Any:
        return json.loads(json.dumps(value))


class CopiesThoughAliased(DictStore):
    """Copies, though it declares not to: a declaration excuses, it does not oblige."""

    profile = QUIET.replace(isolation="alias")

"""Stores on cachetools, a library that other people wrote."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import Any

import cachetools
from kv_spec.values import check_json

from .base import QUIET, DictStore, seconds


class OneTtlForAll:
    """A cachetools.TTLCache: one ttl for all entries, none for a single one; shares its objects."""

    profile = QUIET.replace(default_ttl=60.0, isolation="alias", list_order="insertion")

    def __init__(self) -> None:
        self.cache: Any = cachetools.TTLCache(math.inf, ttl=60.0, timer=time.monotonic)

    def get(self, key: Any) -> Any:
        return self.cache.get(DictStore.checked(_KEYS, key))

    def set(self, key: Any, value: Any) -> None:
        check_json(value)
        self.cache.pop(DictStore.checked(_KEYS, key), None)
        if value is not None:
            self.cache[key] = value

    def delete(self, key: Any) -> None:
        self.cache.pop(DictStore.checked(_KEYS, key), None)

    def has(self, key: Any) -> bool:
        return DictStore.checked(_KEYS, key) in self.cache

    def list(self, prefix: Any = ()) -> Iterable[Any]:
        return [(key, self.cache[key]) for key in [*self.cache] if key[: len(prefix)] == prefix]


class TtlForEach(OneTtlForAll):
    """A cachetools.TLRUCache: the value carries when it ends."""

    profile = QUIET.replace(isolation="alias")

    def __init__(self) -> None:
        self.cache = cachetools.TLRUCache(math.inf, lambda _, value, __: value[1], time.time)

    def get(self, key: Any) -> Any:
        found = self.cache.get(DictStore.checked(_KEYS, key))
        return None if found is None else found[0]

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        check_json(value)
        lifetime = seconds(ttl)
        self.cache.pop(DictStore.checked(_KEYS, key), None)
        if value is not None and (lifetime is None or lifetime > 0):
            ends = math.inf if lifetime is None else time.time() + lifetime
            self.cache[key] = (value, ends)

    def list(self, prefix: Any = ()) -> Iterable[Any]:
        return [(key, value[0]) for key, value in super().list(prefix)]


_KEYS = DictStore()

"""Stores in the dialects of the shipped presets, each written from nothing."""

from __future__ import annotations

import json
import math
import secrets
import time
from collections.abc import Iterator
from typing import Any, ClassVar

from kv_spec.dialects import PRESETS
from kv_spec.values import check_json

from .base import Entries, Keys


class LikePolystore:
    """Flat keys, null and 0 delete, set and delete answer the key, an error once closed."""

    profile = PRESETS["polystore"]

    def __init__(self) -> None:
        self.data: dict[str, dict[str, Any]] | None = {}

    def get(self, key: str) -> Any:
        record = self._data().get(_text(key))
        if record is None or _late(record["expires"]):
            return None
        return json.loads(record["value"])

    def set(self, key: str, value: Any, *, ttl: float | None = None) -> str:
        data = self._data()
        check_json(value)
        expires = None if ttl is None else _length(ttl)
        if value is None or (expires is not None and expires <= 0):
            return self.delete(key)
        ends = None if expires is None else time.time() + expires
        data[_text(key)] = {"value": json.dumps(value), "expires": ends}
        return key

    def add(self, value: Any, *, ttl: float | None = None) -> str:
        return self.set(secrets.token_hex(12), value, ttl=ttl)

    def has(self, key: str) -> bool:
        return self.get(key) is not None

    def delete(self, key: str) -> str:
        self._data().pop(_text(key), None)
        return key

    def list(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        for key in [key for key in self._data() if key.startswith(_text(prefix))]:
            if (value := self.get(key)) is not None:
                yield key, value

    def keys(self) -> Keys:
        return [key for key, _ in self.list()]

    def values(self) -> Keys:
        return [value for _, value in self.list()]

    def entries(self) -> Entries:
        return [*self.list()]

    def clear(self) -> None:
        self._data().clear()

    def prune(self) -> None:
        data = self._data()
        for key in [key for key, record in data.items() if _late(record["expires"])]:
            del data[key]

    def close(self) -> None:
        self.data = None

    def _data(self) -> dict[str, dict[str, Any]]:
        if self.data is None:
            raise RuntimeError("the store is closed")
        return self.data


class LikeKeyv:
    """Flat keys under a namespace, null is a value, 0 is never, delete answers a bool."""

    profile = PRESETS["keyv"]
    namespace: ClassVar = "keyv"

    def __init__(self) -> None:
        self.store: dict[str, tuple[Any, float]] = {}

    def get(self, key: str) -> Any:
        found = self.store.get(f"{self.namespace}:{_text(key)}")
        if found is None or time.time() * 1000 >= found[1]:
            self.store.pop(f"{self.namespace}:{key}", None)
            return None
        return _clone(found[0])

    def set(self, key: str, value: Any, *, ttl: float | None = None) -> bool:
        check_json(value, extra=frozenset({"bytes", "bigint"}))
        length = 0 if ttl is None else _length(ttl)
        ends = math.inf if length <= 0 else (time.time() + length) * 1000
        self.store[f"{self.namespace}:{_text(key)}"] = (_clone(value), ends)
        return True

    def has(self, key: str) -> bool:
        self.get(key)
        return f"{self.namespace}:{key}" in self.store

    def delete(self, key: str) -> bool:
        was = self.has(key)
        self.store.pop(f"{self.namespace}:{key}", None)
        return was

    def clear(self) -> None:
        self.store.clear()


class LikeCachimbo:
    """Flat keys, null is a value, whole seconds, no listing."""

    profile = PRESETS["cachimbo"]

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.ends: dict[str, int] = {}

    def get(self, key: str) -> Any:
        text = self.texts.get(_text(key))
        if text is None or self.ends.get(key, math.inf) <= int(time.time()):
            return None
        return json.loads(text)

    def set(self, key: str, value: Any, *, ttl: float | None = None) -> None:
        check_json(value)
        length = None if ttl is None else _length(ttl)
        if length is not None and length < 0:
            self.delete(key)
            return
        self.texts[_text(key)] = json.dumps(value)
        self.ends.pop(key, None)
        if length:
            self.ends[key] = math.ceil(time.time() + length)

    def delete(self, key: str) -> None:
        self.texts.pop(_text(key), None)
        self.ends.pop(key, None)

    def get_many(self, keys: list[str]) -> dict[str, Any]:
        return {key: value for key in keys if (value := self.get(key)) is not None}


def _text(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError("a key is text")
    return key


def _length(ttl: Any) -> float:
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not math.isfinite(ttl):
        raise ValueError(f"not a length of time: {ttl!r}")
    return ttl


def _late(ends: float | None) -> bool:
    return ends is not None and ends <= time.time()


def _clone(value: Any) -> Any:
    if isinstance(value, list):
        return [_clone(item) for item in value]
    if isinstance(value, dict):
        return {key: _clone(item) for key, item in value.items()}
    return value

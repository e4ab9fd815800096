"""Stores that offer less, or more, or under other signatures."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, ClassVar

from kv_spec.profile import Profile

from .base import MISSING, QUIET, DictStore
from .concurrency import Locked


class GetSetDelete:
    """Offers nothing but get, set and delete, without a ttl."""

    profile = QUIET

    def __init__(self) -> None:
        self.inner = DictStore()

    def get(self, key: Any) -> Any:
        return self.inner.get(key)

    def set(self, key: Any, value: Any) -> None:
        self.inner.set(key, value)

    def delete(self, key: Any) -> None:
        self.inner.delete(key)


class GetSetDeleteList(GetSetDelete):
    """Offers a listing besides, and no ttl."""

    def list(self, prefix: Any = ()) -> Iterable[Any]:
        return self.inner.list(prefix)


class NoTtl(GetSetDeleteList):
    """Offers everything but a ttl."""

    def has(self, key: Any) -> bool:
        return self.inner.has(key)

    def cas(self, key: Any, expected: Any, new: Any) -> bool:
        return self.inner.cas(key, expected, new)


class ShortTtlOnly(GetSetDelete):
    """Offers a ttl and nothing else."""

    def set(self, key: Any, value: Any, ttl: Any = None) -> None:
        self.inner.set(key, value, ttl=ttl)


class ForwardsAnything(GetSetDelete):
    """Passes on whatever arguments it is given, and declares that ttl is among them."""

    profile = QUIET.replace(capabilities=frozenset({"ttl"}))

    def set(self, *args: Any, **options: Any) -> None:
        self.inner.set(*args, **options)


class OtherSignatures(DictStore):
    """Has names of the contract for other purposes."""

    prefix = "app:"
    close = None
    entries: ClassVar[dict[str, Any]] = {}

    def add(self, key: Any, value: Any) -> None:
        if self.read(key) is MISSING:
            self.set(key, value)

    def clear(self, confirm: bool) -> None:
        raise AssertionError("never called with no argument")

    def prune(self, before: float) -> None:
        raise AssertionError("never called with no argument")

    def keys(self, pattern: str) -> Iterable[Any]:
        raise AssertionError("never called with no argument")

    def list(self, prefix: Any, limit: int) -> Any:  # type: ignore[override]
        return self.entries_below(prefix)[:limit]


class AnswersTrue(DictStore):
    """Answers True to set and to delete, whatever there was."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        super().set(key, value, ttl=ttl)
        return True

    def delete(self, key: Any) -> Any:
        super().delete(key)
        return True


class AnswersKey(DictStore):
    """Answers the key to set and to delete."""

    profile = QUIET.replace(delete_returns="key")

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        super().set(key, value, ttl=ttl)
        return key

    def delete(self, key: Any) -> Any:
        super().delete(key)
        return key


class AnswersWhetherDeleted(DictStore):
    """Answers to delete whether there was a live entry."""

    profile = QUIET.replace(delete_returns="bool")

    def delete(self, key: Any) -> Any:
        was = self.has(key)
        super().delete(key)
        return was


class CreateOnly(DictStore):
    """Offers the creating part of cas, and raises for the rest."""

    profile = Profile(without=frozenset({"cas-swap", "cas-delete"}), concurrent=False)

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        if expected is not None or new is None:
            raise NotImplementedError("creating only")
        return super().cas(key, expected, new, ttl=ttl)


class SwapOnly(DictStore):
    """Offers the swapping part of cas, and raises for the rest."""

    profile = Profile(without=frozenset({"cas-create", "cas-delete"}), concurrent=False)

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        if expected is None or new is None:
            raise NotImplementedError("swapping only")
        return super().cas(key, expected, new, ttl=ttl)


class CreateOnlyTogether(Locked):
    """Offers the creating part of cas, to several threads."""

    profile = Profile(without=frozenset({"cas-swap", "cas-delete"}))

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        if expected is not None or new is None:
            raise NotImplementedError("creating only")
        return super().cas(key, expected, new, ttl=ttl)


class DeleteOnlyTogether(Locked):
    """Offers the deleting part of cas, to several threads."""

    profile = Profile(without=frozenset({"cas-swap", "cas-create"}))

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        if new is not None:
            raise NotImplementedError("deleting only")
        return super().cas(key, expected, new, ttl=ttl)


class IsADict(dict[Any, Any]):
    """Is a dict itself, empty and so false at the start, and shares its objects."""

    profile: ClassVar = {"isolation": "alias", "list_order": "insertion"}

    def set(self, key: Any, value: Any) -> None:
        DictStore.check(DictStore(), value)
        if value is None:
            self.pop(key, None)
        else:
            self[DictStore.checked(DictStore(), key)] = value

    def delete(self, key: Any) -> None:
        self.pop(key, None)

    def list(self, prefix: Any = ()) -> Iterable[Any]:
        return [(key, value) for key, value in self.items() if key[: len(prefix)] == prefix]


class Guarded:
    """Passes everything on by `__getattr__`, and has no method of its own."""

    def __init__(self) -> None:
        self._inner = DictStore()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Counting(DictStore):
    """Keeps its methods on the object instead of the class."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = itertools.count()
        self.get = self._get  # type: ignore[method-assign]

    def _get(self, key: Any) -> Any:
        next(self.calls)
        return DictStore.get(self, key)

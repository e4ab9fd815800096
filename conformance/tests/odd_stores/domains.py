"""Stores that refuse what a store may refuse, each in its own words."""

from __future__ import annotations

import json
from typing import Any

from kv_spec.values import walk

from .base import QUIET, DictStore, Keys, seconds

DAY = 86_400


class Refusal(Exception):
    """This store's own way to say no."""


class NoNul(DictStore):
    """Refuses NUL in keys and in values."""

    def checked(self, key: Any) -> Any:
        if any("\0" in part for part in super().checked(key)):
            raise ValueError("no NUL in a key")
        return key

    def check(self, value: Any) -> None:
        super().check(value)
        if any(isinstance(part, str) and "\0" in part for part in walk(value)):
            raise ValueError("no NUL in a value")


class NoNulButAbsent(NoNul):
    """Refuses to store under a key with NUL, and answers reads of one as for an absent key."""

    def checked(self, key: Any) -> Any:
        return DictStore.checked(self, key)

    def write(self, key: Any, value: Any, lifetime: float | None) -> None:
        NoNul.checked(self, key)
        super().write(key, value, lifetime)


class NoSurrogates(DictStore):
    """Refuses lone surrogates, since it thinks in UTF-8."""

    def checked(self, key: Any) -> Any:
        for part in super().checked(key):
            part.encode()
        return key

    def check(self, value: Any) -> None:
        super().check(value)
        json.dumps(value, ensure_ascii=False).encode()


class NoEmptyComponents(DictStore):
    """Refuses empty components."""

    def checked(self, key: Any) -> Any:
        if "" in super().checked(key):
            raise ValueError("an empty component")
        return key


class ShortKeys(DictStore):
    """Refuses keys of more than 250 bytes, and declares so."""

    profile = QUIET.replace(max_key_bytes=250)

    def checked(self, key: Any) -> Any:
        if sum(len(part.encode("utf-8", "surrogatepass")) for part in super().checked(key)) > 250:
            raise ValueError("a key of more than 250 bytes")
        return key


class ShortKeysUndeclared(DictStore):
    """Refuses keys of more than 200 bytes with an OSError, as a folder of files does."""

    def checked(self, key: Any) -> Any:
        if sum(len(part.encode("utf-8", "surrogatepass")) for part in super().checked(key)) > 200:
            raise OSError(36, "File name too long")
        return key


class FewComponents(DictStore):
    """Refuses keys of more than eight components, or more than 255 bytes, undeclared."""

    def checked(self, key: Any) -> Any:
        super().checked(key)
        if len(key) > 8 or len("/".join(key).encode("utf-8", "surrogatepass")) > 255:
            raise LookupError("no such place")
        return key


class SmallValues(DictStore):
    """Refuses values of more than 70 000 bytes, and declares so."""

    profile = QUIET.replace(max_value_bytes=70_000)

    def check(self, value: Any) -> None:
        super().check(value)
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if len(text.encode("utf-8", "surrogatepass")) > 70_000:
            raise ValueError("too large")


class SmallValuesUndeclared(DictStore):
    """Refuses values of more than 64 KiB, undeclared, with a KeyError of all things."""

    def check(self, value: Any) -> None:
        super().check(value)
        if len(json.dumps(value, ensure_ascii=False)) > 65_536:
            raise KeyError("too large")


class ShortTtls(DictStore):
    """Refuses a ttl of more than 30 days."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        if (lifetime := seconds(ttl)) is not None and lifetime > 30 * DAY:
            raise OverflowError("more than 30 days")
        super().set(key, value, ttl=ttl)


class LongTtls(DictStore):
    """Refuses a ttl of less than two minutes, and declares so."""

    profile = QUIET.replace(ttl_min=120.0)

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        self.at_least_two_minutes(ttl)
        super().set(key, value, ttl=ttl)

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        self.at_least_two_minutes(ttl)
        return super().cas(key, expected, new, ttl=ttl)

    def at_least_two_minutes(self, ttl: Any) -> None:
        if (lifetime := seconds(ttl)) is not None and 0 < lifetime < 120:
            raise ValueError("less than two minutes")


class LongExactTtls(LongTtls):
    """Refuses a ttl of less than two minutes, and ends entries exactly."""

    profile = QUIET.replace(ttl_min=120.0, ttl_resolution=0.0)


class OwnErrors(NoNul):
    """Refuses by an exception of its own, and declares it."""

    profile = QUIET.replace(rejects=(Refusal,))

    def checked(self, key: Any) -> Any:
        try:
            return super().checked(key)
        except (TypeError, ValueError) as error:
            raise Refusal(str(error)) from error

    def check(self, value: Any) -> None:
        try:
            super().check(value)
        except (TypeError, ValueError) as error:
            raise Refusal(str(error)) from error


class OwnErrorsUndeclared(OwnErrors):
    """Refuses by an exception of its own, and says nothing of it."""

    profile = QUIET


class TakesLists(DictStore):
    """Writes keys as JSON, and so takes a list for the tuple of its items."""

    def checked(self, key: Any) -> Any:
        return super().checked(tuple(key) if isinstance(key, list) else key)


class TakesAnyKey(DictStore):
    """Looks at no key: a key of another type is an entry like any other."""

    def checked(self, key: Any) -> Any:
        hash(key)
        return key

    def keys_below(self, prefix: Any = None) -> Keys:
        if not prefix:
            return [*self.records]
        return [
            key for key in self.records if isinstance(key, tuple) and key[: len(prefix)] == prefix
        ]

    def keys(self) -> Any:
        return [key for key, _ in self.entries_below()]

    def values(self) -> Any:
        return [value for _, value in self.entries_below()]

"""Stores that go another way where the families disagree, and declare it."""

from __future__ import annotations

import math
import threading
from typing import Any

from kv_spec.profile import Profile
from kv_spec.values import check_json

from .base import MISSING, QUIET, DictStore, seconds


class NullIsValue(DictStore):
    """Stores null like any other value; only has and list tell it from a miss."""

    profile = QUIET.replace(null="value")

    def write(self, key: Any, value: Any, lifetime: float | None) -> None:
        self.check(value)
        if lifetime is not None and lifetime <= 0:
            self.records.pop(key, None)
        else:
            ends = math.inf if lifetime is None else self.deadline(lifetime)
            self.records[key] = (self.pack(value), ends)


class NullIsValueWithLock(NullIsValue):
    """Stores null, and may be used from several threads."""

    profile = Profile(null="value", concurrent=True)

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.RLock()

    def get(self, key: Any) -> Any:
        with self.lock:
            return super().get(key)

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        with self.lock:
            super().set(key, value, ttl=ttl)

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        with self.lock:
            return super().cas(key, expected, new, ttl=ttl)


class NullIsNullToCas(NullIsValue):
    """Stores null, and takes a None in cas for a stored null."""

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        key, lifetime = self.checked(key), seconds(ttl)
        current = self.read(key)
        fits = current is not MISSING and self.same(expected, current)
        if fits:
            self.write(key, new, lifetime)
        return fits


class MissIsSentinel(NullIsValue):
    """Answers a miss by an object of its own, and takes it in cas for absent."""

    profile = QUIET.replace(null="value", absent="sentinel")
    ABSENT = object()

    def get(self, key: Any) -> Any:
        value = self.read(self.checked(key))
        return self.ABSENT if value is MISSING else value

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        key, lifetime = self.checked(key), seconds(ttl)
        current = self.read(key)
        if expected is self.ABSENT:
            fits = current is MISSING
        else:
            fits = current is not MISSING and self.same(expected, current)
        if fits and new is self.ABSENT:
            self.records.pop(key, None)
        elif fits:
            self.write(key, new, lifetime)
        return fits


class MissRaises(DictStore):
    """Raises KeyError for a miss."""

    profile = QUIET.replace(absent="raises")

    def get(self, key: Any) -> Any:
        value = self.read(self.checked(key))
        if value is MISSING:
            raise KeyError(key)
        return value


class MissRaisesWithLock(MissRaises):
    """Raises KeyError for a miss, and may be used from several threads."""

    profile = Profile(absent="raises", concurrent=True)

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        with self.lock:
            super().set(key, value, ttl=ttl)

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        with self.lock:
            return super().cas(key, expected, new, ttl=ttl)


class NullIsRefused(DictStore):
    """Refuses null."""

    profile = QUIET.replace(null="reject")

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        if value is None:
            raise ValueError("null")
        super().set(key, value, ttl=ttl)


class ZeroIsRefused(DictStore):
    """Refuses a ttl of 0 and below."""

    profile = QUIET.replace(ttl_zero="reject", ttl_negative="reject")

    def write(self, key: Any, value: Any, lifetime: float | None) -> None:
        if lifetime is not None and lifetime <= 0:
            raise ValueError("a ttl is more than 0")
        super().write(key, value, lifetime)


class ZeroIsNever(DictStore):
    """Takes a ttl of 0 and below for none."""

    profile = QUIET.replace(ttl_zero="never", ttl_negative="never")

    def write(self, key: Any, value: Any, lifetime: float | None) -> None:
        endless = lifetime is None or lifetime <= 0
        super().write(key, value, None if endless else lifetime)


class EndlessIsNever(DictStore):
    """Takes a ttl that is no number of seconds, of whatever kind, for none."""

    profile = QUIET.replace(ttl_nonfinite="never")

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        super().set(key, value, ttl=finite(ttl))

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        return super().cas(key, expected, new, ttl=finite(ttl))


def finite(ttl: Any) -> Any:
    try:
        return seconds(ttl)
    except (TypeError, ValueError):
        return None


class MinuteByDefault(DictStore):
    """Lets an entry without a ttl live for a minute; a ttl of 0 asks for that as well."""

    profile = QUIET.replace(default_ttl=60.0, ttl_zero="default")

    def write(self, key: Any, value: Any, lifetime: float | None) -> None:
        super().write(key, value, 60.0 if lifetime is None or lifetime == 0 else lifetime)


class MinuteUnlessZero(DictStore):
    """Lets an entry without a ttl live for a minute; a ttl of 0 is the marker for no end."""

    profile = QUIET.replace(default_ttl=60.0, ttl_zero="never", ttl_negative="reject")

    def write(self, key: Any, value: Any, lifetime: float | None) -> None:
        if lifetime is not None and lifetime < 0:
            raise ValueError("a ttl is 0 or more")
        chosen = 60.0 if lifetime is None else lifetime
        super().write(key, value, chosen or None)


class FlatKeys(DictStore):
    """Takes plain strings for keys."""

    profile = QUIET.replace(key_model="flat")


class Garbage(DictStore):
    """Is strict about a removal too: what could not be stored is refused, though nothing would."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        check_json(value)
        if isinstance(value, str) and "\0" in value:
            raise ValueError("no NUL")
        super().set(key, value, ttl=ttl)

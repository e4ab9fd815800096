"""Stores for use from several threads, slow ones, and ones that do not always answer."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ClassVar

from kv_spec.errors import Unavailable
from kv_spec.profile import Profile

from .base import MISSING, DictStore, seconds


class Locked(DictStore):
    """Holds a plain lock during every call; drops what has expired while it reads."""

    profile = Profile()

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def get(self, key: Any) -> Any:
        with self.lock:
            value = self.read(self.checked(key))
            if value is MISSING:
                self.records.pop(key, None)
                return None
            return value

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        with self.lock:
            super().set(key, value, ttl=ttl)

    def delete(self, key: Any) -> Any:
        with self.lock:
            super().delete(key)

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        with self.lock:
            return super().cas(key, expected, new, ttl=ttl)

    def list(self, prefix: Any = None) -> Any:
        with self.lock:
            return self.entries_below(prefix)


class LockedInASpaceOfItsOwn(Locked):
    """Takes a space, and shows nothing of it to another handle: declares that it is not shared."""

    profile = Profile(without=frozenset({"shared"}))

    def __init__(self, *, space: str = "main") -> None:
        super().__init__()
        self.space = space


class LockedByKey(Locked):
    """Holds one of eight locks, by key."""

    def __init__(self) -> None:
        super().__init__()
        self.locks = [threading.Lock() for _ in range(8)]

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        with self.locks[hash(key) % 8]:
            return DictStore.cas(self, key, expected, new, ttl=ttl)

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        with self.locks[hash(key) % 8]:
            DictStore.set(self, key, value, ttl=ttl)

    def get(self, key: Any) -> Any:
        return DictStore.get(self, key)

    def delete(self, key: Any) -> Any:
        with self.locks[hash(key) % 8]:
            DictStore.delete(self, key)


class Optimistic(DictStore):
    """Swaps without a lock: the record that was read must still be there, in one step of a dict."""

    profile = Profile()

    def __init__(self) -> None:
        super().__init__()
        self.install = threading.Lock()

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        key, lifetime = self.checked(key), seconds(ttl)
        while True:
            seen = self.records.get(key)
            value = MISSING if seen is None or self.over(seen[1]) else self.unpack(seen[0])
            if expected is None:
                fits = value is MISSING
            else:
                fits = value is not MISSING and self.same(expected, value)
            if not fits:
                return False
            fresh = DictStore()
            fresh.write(key, new, lifetime)
            with self.install:
                if self.records.get(key) is not seen:
                    continue
                if fresh.records:
                    self.records.update(fresh.records)
                else:
                    self.records.pop(key, None)
                return True

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        with self.install:
            super().set(key, value, ttl=ttl)

    def delete(self, key: Any) -> Any:
        with self.install:
            super().delete(key)


class Actor(DictStore):
    """One thread of its own does everything; the callers wait for its answers."""

    profile = Profile()

    def __init__(self) -> None:
        super().__init__()
        self.closed = False
        self.box: queue.Queue[tuple[Callable[[], Any], Future[Any]] | None] = queue.Queue()
        threading.Thread(target=self.work, daemon=True).start()

    def work(self) -> None:
        while (job := self.box.get()) is not None:
            call, answer = job
            try:
                answer.set_result(call())
            except Exception as error:
                answer.set_exception(error)

    def ask(self, call: Callable[[], Any]) -> Any:
        if self.closed:
            raise RuntimeError("closed")
        answer: Future[Any] = Future()
        self.box.put((call, answer))
        return answer.result()

    def get(self, key: Any) -> Any:
        return self.ask(lambda: DictStore.get(self, key))

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        return self.ask(lambda: DictStore.set(self, key, value, ttl=ttl))

    def delete(self, key: Any) -> Any:
        return self.ask(lambda: DictStore.delete(self, key))

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        return bool(self.ask(lambda: DictStore.cas(self, key, expected, new, ttl=ttl)))

    def list(self, prefix: Any = None) -> Any:
        return self.ask(lambda: self.entries_below(prefix))

    def close(self) -> None:
        """Ends the thread."""
        self.closed = True
        self.box.put(None)


class Slow(DictStore):
    """Takes a fifth of a millisecond for each read and each write."""

    def checked(self, key: Any) -> Any:
        time.sleep(0.0002)
        return super().checked(key)


class Unreliable(DictStore):
    """At times every fourth call is not answered, whether it was carried out or not."""

    calls: ClassVar = itertools.count()

    def unreliably(self, call: Callable[[], Any]) -> Any:
        number = next(self.calls)
        bad = number % 300 > 220
        if bad and number % 8 == 0:
            raise Unavailable("not sent")
        answer = call()
        if bad and number % 8 == 4:
            raise TimeoutError("sent, and not answered")
        return answer

    def get(self, key: Any) -> Any:
        return self.unreliably(lambda: DictStore.get(self, key))

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        return self.unreliably(lambda: DictStore.set(self, key, value, ttl=ttl))

    def delete(self, key: Any) -> Any:
        return self.unreliably(lambda: DictStore.delete(self, key))

    def has(self, key: Any) -> bool:
        return bool(self.unreliably(lambda: DictStore.has(self, key)))

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        return bool(self.unreliably(lambda: DictStore.cas(self, key, expected, new, ttl=ttl)))

    def list(self, prefix: Any = None) -> Any:
        return self.unreliably(lambda: self.entries_below(prefix))

    def keys(self) -> Any:
        return self.unreliably(lambda: [key for key, _ in self.entries_below()])

    def values(self) -> Any:
        return self.unreliably(lambda: [value for _, value in self.entries_below()])

    def entries(self) -> Any:
        return self.unreliably(self.entries_below)

    def prune(self) -> None:
        self.unreliably(lambda: None)

    def close(self) -> None:
        self.unreliably(lambda: None)


class UnreliableInRaces(Locked):
    """After a while every fifth write is not answered, from several threads too."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        super().set(key, value, ttl=ttl)
        self.count()

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        answer = super().cas(key, expected, new, ttl=ttl)
        self.count()
        return answer

    def count(self) -> None:
        self.calls += 1
        if self.calls % 300 > 150 and self.calls % 5 == 0:
            raise ConnectionResetError("not answered")

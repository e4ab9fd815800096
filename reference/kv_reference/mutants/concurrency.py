"""Mutants that go wrong between two steps: CAS-8 to CAS-10, TTL-10; some of them asynchronous."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Any

from kv_reference.aio import AsyncReferenceStore
from kv_reference.mutants.registry import mutant
from kv_reference.store import ReferenceStore


@mutant("CAS-8", "cas reads, compares and writes without a lock", also="CAS-10")
class CasWithoutLock(ReferenceStore):
    """A read and a write where the backend has a compare-and-swap."""

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        kept, self.lock = self.lock, nullcontext()
        try:
            return super().cas(key, expected, new, ttl=ttl)
        finally:
            self.lock = kept


@mutant("CAS-8", "a cas that creates is not atomic")
class CreateWithoutLock(ReferenceStore):
    """`if not exists: set`."""

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        if expected is not None or new is None:
            return super().cas(key, expected, new, ttl=ttl)
        if self.get(key) is not None:
            return False
        self.set(key, new, ttl=ttl)
        return True


@mutant("CAS-8", "each handle has a lock of its own", also="CAS-10")
class LockPerHandle(ReferenceStore):
    """The lock belongs to the adapter object, the data to the file."""

    def prepare(self) -> None:
        self.lock = nullcontext()


@mutant("CAS-8", "an asynchronous cas is suspended before it writes", also="CAS-10")
class CasAwaitsBeforeWriting(AsyncReferenceStore):
    """`await get`, compare, `await set`."""

    async def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        fits = self.inner.matches(expected, self.inner.live(key))
        await asyncio.sleep(0)
        if not fits:
            return await super().cas(key, object(), new, ttl=ttl)
        if new is None:
            await self.delete(key)
        else:
            await self.set(key, new, ttl=ttl)
        return True


@mutant("CAS-9", "the loser of a race gets an exception")
class ContentionRaises(ReferenceStore):
    """A lock that does not wait."""

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        if not self.lock.acquire(blocking=False):
            raise RuntimeError("deadlock found when trying to get lock")
        try:
            return super().cas(key, expected, new, ttl=ttl)
        finally:
            self.lock.release()


@mutant("CAS-10", "a value that came out of get changes with the stored one", also="VAL-3 CAS-1")
class StaleCasSucceeds(ReferenceStore):
    """get hands out the stored object, so that changing it makes a stale cas match."""

    def get(self, key: Any) -> Any:
        with self.lock:
            self.enter(key)
            record = self.live(key)
            return None if record is None else record.value


@mutant("CAS-10", "increments by get and cas lose one another", also="CAS-8")
class SwapWithoutLock(ReferenceStore):
    """INSERT is atomic by the unique key; SELECT and UPDATE are two statements."""

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        if expected is None or new is None:
            return super().cas(key, expected, new, ttl=ttl)
        self.enter(key)
        ruling = self.check(new, ttl)
        if not self.matches(expected, self.live(key)):
            return False
        self.swap(key, new, ruling)
        return True


@mutant("TTL-10", "clearing away what expired removes what was written since")
class GetClearsLate(ReferenceStore):
    """DELETE by key alone after a SELECT found it expired."""

    def get(self, key: Any) -> Any:
        self.enter(key)
        record = self.records.get(key)
        if record is None:
            return None
        if self.expired(record):
            self.records.pop(key, None)
            return None
        return self.hand_out(record.value)


@mutant("TTL-10", "has clears away what was written since it looked")
class HasClearsLate(ReferenceStore):
    """has deletes the row that it found expired, by key alone."""

    def has(self, key: Any) -> bool:
        self.enter(key)
        record = self.records.get(key)
        if record is None:
            return False
        if self.expired(record):
            self.records.pop(key, None)
            return False
        return True


@mutant("TTL-10", "an asynchronous get clears away what was written since it looked")
class AsyncGetClearsLate(AsyncReferenceStore):
    """An await lies between the look and the deletion."""

    async def get(self, key: Any) -> Any:
        record = self.inner.records.get(key)
        if record is not None and self.inner.expired(record):
            await asyncio.sleep(0)
            await self.delete(key)
            return None
        return await super().get(key)

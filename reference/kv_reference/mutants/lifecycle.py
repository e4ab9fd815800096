"""Mutants of OPEN, CLOSE and ERR."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from kv_spec.errors import InvalidInput, InvalidTtl, InvalidValue
from kv_spec.values import check_json

from kv_reference.aio import AsyncReferenceStore
from kv_reference.mutants.registry import mutant
from kv_reference.store import REFERENCE_PROFILE, Record, ReferenceStore

NO_TTL = REFERENCE_PROFILE.replace(without=frozenset({"ttl"}))
NO_CAS = REFERENCE_PROFILE.replace(without=frozenset({"cas"}))
NO_LIST = REFERENCE_PROFILE.replace(without=frozenset({"list", "keys", "values", "entries"}))


@mutant("OPEN-1", "all data spaces are one", also="GET-1 GET-2 LIST-1")
class OneSpaceForAll(ReferenceStore):
    """One table for all, and the name used for the log only."""

    def place(self, space: str | None) -> str | None:
        return space.rpartition("-")[0] if space else "all"


@mutant("OPEN-1", "names of data spaces are folded to lower case", also="GET-1 GET-2 LIST-1")
class SpacesFoldCase(ReferenceStore):
    """A database name on a case-insensitive file system."""

    def place(self, space: str | None) -> str | None:
        return space.lower() if space else space


@mutant("OPEN-1", "a fresh store holds an entry of its own", also="LIST-1 ITER-5 GET-1")
class StartsWithEntry(ReferenceStore):
    """The version of the schema, kept among the entries."""

    def prepare(self) -> None:
        self.records.setdefault(("schema",), Record("version 1", math.inf))


@mutant("OPEN-2", "each handle has data of its own")
class DataPerHandle(ReferenceStore):
    """:memory: where a file was meant."""

    def place(self, space: str | None) -> str | None:
        return None


@mutant("OPEN-2", "a handle does not see what another deleted")
class DeletesOwnCopy(ReferenceStore):
    """A tombstone in the handle's own cache."""

    def prepare(self) -> None:
        self.gone: set[Any] = set()

    def remove(self, key: Any) -> None:
        self.gone.add(key)

    def put(self, key: Any, value: Any, deadline: float) -> None:
        self.gone.discard(key)
        super().put(key, value, deadline)

    def live(self, key: Any) -> Record | None:
        return None if key in self.gone else super().live(key)


@mutant("CLOSE-1", "the second close raises")
class SecondCloseRaises(ReferenceStore):
    """Cannot operate on a closed database."""

    def close(self) -> None:
        self.check_open()
        super().close()


@mutant("CLOSE-2", "a closed store goes on working")
class ClosedWorks(ReferenceStore):
    """There is nothing to close in a dict."""

    def check_open(self) -> None:
        """Nothing to check."""


@mutant("CLOSE-2", "a closed store answers every read with a miss")
class ClosedMisses(ReferenceStore):
    """The error of the closed connection is caught as a miss."""

    def get(self, key: Any) -> Any:
        return None if self.closed else super().get(key)


@mutant("CLOSE-2", "a listing of a closed store is empty")
class ClosedListsNothing(ReferenceStore):
    """The generator ends where it should raise."""

    def snapshot(self, prefix: Any = None) -> Sequence[tuple[Any, Any]]:
        return [] if self.closed else super().snapshot(prefix)


@mutant("ERR-1", "a value is stored before it is refused", also="SET-6 VAL-4 GET-1")
class StoresThenRefuses(ReferenceStore):
    """The check of the ttl comes after the write."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        try:
            super().set(key, value, ttl=ttl)
        except (InvalidValue, InvalidTtl):
            if self.live(key) is None:
                self.records[key] = Record("refused", math.inf)
            raise


@mutant("ERR-1", "a refused value empties the store", also="SET-6")
class RefusalFlushes(ReferenceStore):
    """A transaction of another, rolled back with it."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        try:
            super().set(key, value, ttl=ttl)
        except InvalidInput:
            for other in [other for other in self.records if other != key]:
                del self.records[other]
            raise


@mutant("ERR-1", "a key of the wrong type empties the store")
class BadKeyFlushes(ReferenceStore):
    """A key that matches everything."""

    def enter(self, key: Any) -> None:
        try:
            super().enter(key)
        except InvalidInput:
            self.records.clear()
            raise


@mutant("ERR-1", "an asynchronous set raises before it is awaited")
class RaisesEarly(AsyncReferenceStore):
    """A plain function that checks and then returns a coroutine."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Coroutine[Any, Any, None]:
        check_json(value, extra=self.profile.extra_types)
        return super().set(key, value, ttl=ttl)


@mutant("ERR-2", "a ttl is ignored where none is offered", profile=NO_TTL)
class IgnoresTtl(ReferenceStore):
    """**options that nobody reads."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        super().set(key, value)


@mutant("ERR-2", "cas answers False where it is not offered", profile=NO_CAS)
class CasAnswersFalse(ReferenceStore):
    """A stub."""

    def refusal(self, name: str) -> Callable[..., Any]:
        return (lambda *_, **__: False) if name == "cas" else super().refusal(name)


@mutant("ERR-2", "a listing is empty where none is offered", profile=NO_LIST)
class ListAnswersNothing(ReferenceStore):
    """An iterator over nothing, where the backend can not iterate."""

    def refusal(self, name: str) -> Callable[..., Any]:
        return (lambda *_, **__: iter(())) if name == "list" else super().refusal(name)

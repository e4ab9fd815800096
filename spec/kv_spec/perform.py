"""The one place where an operation is applied to a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

from kv_spec.answers import as_answer, as_bool, as_entry, as_iterator, as_key, as_list
from kv_spec.operations import (
    STEP_VALUE,
    Cas,
    Clear,
    Close,
    Delete,
    Fill,
    Get,
    Has,
    Increment,
    Iterate,
    List,
    Operation,
    Prune,
    Scan,
    Set,
    Unoffered,
    fill_keys,
    step_key,
)
from kv_spec.outcomes import Malformed, Outcome, raised
from kv_spec.profile import BASE, Profile
from kv_spec.store import ABSENT
from kv_spec.values import CHANGED_AFTER_GET, CHANGED_AFTER_SET, SCALARS, Outside, change, copy

_CONTAINERS: Final = (list, dict)
LONGEST_LISTING: Final = 10_000
"""A listing of more entries than this, and ten more for each write, has no end (ITER-3)."""
_MOST_TRIES: Final = 1_000


class Surface:
    """A store seen through the vocabulary of operations, in the dialect of its profile.

    Every exception of the store becomes a `Raised`; nothing the store does leaves `perform`.
    """

    def __init__(self, store: Any, profile: Profile = BASE) -> None:
        self.store = store
        self.profile = profile
        self.written = 0
        """How many writes were asked for so far."""
        self._null_is_value = profile.null == "value"
        self._absent = getattr(store, "ABSENT", None) if profile.absent == "sentinel" else None
        self._raises = profile.absent == "raises"

    def perform(self, operation: Operation) -> Outcome:
        """Applies one operation (not Advance, Open or Race, which are not a store's)."""
        try:
            return _CALLS[type(operation)](self, operation)
        except BaseException as error:
            return raised(error, self.profile.rejects)

    def answer(self, value: Any) -> Any:
        """What `get` answered, with this dialect's miss read as ABSENT."""
        if value is None:
            return None if self._null_is_value else ABSENT
        if self._absent is not None and value is self._absent:
            return ABSENT
        return as_answer(value)

    def argument(self, value: Any) -> Any:
        """A value as it is passed in: a copy, so that a program stays what it was."""
        if type(value) in SCALARS:
            return value
        if value is ABSENT:
            return self._absent
        return value.make() if isinstance(value, Outside) else copy(value)

    def get(self, operation: Get) -> Outcome:
        try:
            value = self.answer(self.store.get(_key(operation.key)))
        except KeyError:
            if self._raises:
                return ABSENT
            raise
        if operation.change and isinstance(value, _CONTAINERS):
            kept = copy(value)
            change(value, CHANGED_AFTER_GET)
            return kept
        return value

    def set(self, operation: Set) -> Outcome:
        value = self.argument(operation.value)
        self.written += 1
        if operation.ttl is None:
            answer = self.store.set(_key(operation.key), value)
        else:
            answer = self.store.set(_key(operation.key), value, ttl=_ttl(operation.ttl))
        if operation.change:
            change(value, CHANGED_AFTER_SET)
        return as_answer(answer)

    def delete(self, operation: Delete) -> Outcome:
        return as_answer(self.store.delete(_key(operation.key)))

    def has(self, operation: Has) -> Outcome:
        return as_bool(self.store.has(_key(operation.key)))

    def list(self, operation: List) -> Outcome:
        entries = self._entries(self.store.list(_key(operation.prefix)))
        if not operation.change or isinstance(entries, Malformed):
            return entries
        kept = [(key, copy(value)) for key, value in entries]
        for _, value in entries:
            change(value, CHANGED_AFTER_GET)
        return kept

    def scan(self, operation: Scan) -> Outcome:
        answer = getattr(self.store, operation.method)()
        if operation.method == "entries":
            return self._entries(answer)
        found = as_list(as_iterator(answer), self._bound)
        if operation.method == "values" or isinstance(found, Malformed):
            return found
        return [as_key(key) for key in found]

    def iterate(self, operation: Iterate) -> Outcome:
        """The entries that were yielded, up to the end of the walk."""
        yielded: list[Any] = []
        steps = as_iterator(self.store.list(_key(operation.prefix)))
        if operation.script == "abandon":
            for _, entry in zip(range(operation.limit), steps, strict=False):
                yielded.append(as_entry(entry))
            closer = getattr(steps, "close", None)
            if closer is not None:
                closer()
            return yielded
        for step, entry in enumerate(steps):
            pair = as_entry(entry)
            if isinstance(pair, Malformed):
                return pair
            if step > self._bound:
                return Malformed("an iteration without end")
            yielded.append(pair)
            if step < operation.limit:
                self._step(operation, yielded, step)
        return yielded

    def _step(self, operation: Iterate, yielded: Any, step: int) -> None:
        if operation.script == "delete-current":
            as_answer(self.store.delete(yielded[-1][0]))
        elif operation.script == "delete-yielded" and step > 0:
            as_answer(self.store.delete(yielded[-2][0]))
        elif operation.script == "write-new":
            as_answer(self.store.set(step_key(operation.prefix, step), STEP_VALUE))
        elif operation.script == "overwrite":
            as_answer(self.store.set(yielded[-1][0], STEP_VALUE))

    def cas(self, operation: Cas) -> Outcome:
        key, expected = _key(operation.key), self.argument(operation.expected)
        new = self.argument(operation.new)
        self.written += 1
        if operation.ttl is None:
            return as_bool(self.store.cas(key, expected, new))
        return as_bool(self.store.cas(key, expected, new, ttl=_ttl(operation.ttl)))

    def increment(self, operation: Increment) -> Outcome:
        key = _key(operation.key)
        for _ in range(_MOST_TRIES):
            value = as_answer(self.store.get(key))
            if isinstance(value, Malformed):
                return value
            if type(value) is not int:
                return Malformed(f"no integer to count from, but {value!r}"[:200])
            self.written += 1
            done = as_bool(self.store.cas(key, value, value + 1))
            if isinstance(done, Malformed):
                return done
            if done:
                return value + 1
        return Malformed(f"cas answered False {_MOST_TRIES} times running")

    def fill(self, operation: Fill) -> Outcome:
        for number, key in enumerate(fill_keys(operation)):
            self.written += 1
            options = {} if operation.ttl is None else {"ttl": operation.ttl}
            answer = as_answer(self.store.set(key, number, **options))
            if isinstance(answer, Malformed):
                return answer
        return None

    def clear(self, _: Clear) -> Outcome:
        return as_answer(self.store.clear())

    def prune(self, _: Prune) -> Outcome:
        return as_answer(self.store.prune())

    def close(self, _: Close) -> Outcome:
        return as_answer(self.store.close())

    def unoffered(self, operation: Unoffered) -> Outcome:
        """Calls what the store does not offer, in the way a caller would who did not know."""
        key = "unoffered" if self.profile.flat else ("unoffered",)
        if operation.name == "ttl":
            return as_answer(self.store.set(key, 1, ttl=60.0))
        method = getattr(self.store, operation.name)
        arguments: dict[str, tuple[Any, ...]] = {
            "has": (key,),
            "cas": (key, None, 1),
            "list": ("" if self.profile.flat else (),),
        }
        answer = method(*arguments.get(operation.name, ()))
        return as_list(answer, self._bound) if isinstance(answer, Iterator) else as_answer(answer)

    @property
    def _bound(self) -> int:
        """Past so many entries a listing has no end; in proportion, since counting takes time."""
        return LONGEST_LISTING + 10 * self.written

    def _entries(self, answer: Any) -> Any:
        entries: list[Any] = []
        bound = self._bound
        for entry in islice(as_iterator(answer), bound + 1):
            pair = as_entry(entry)
            if type(pair) is Malformed:
                return pair
            entries.append(pair)
        return entries if len(entries) <= bound else Malformed("a listing without end")


def _key(key: Any) -> Any:
    return key.make() if isinstance(key, Outside) else key


def _ttl(ttl: Any) -> Any:
    return ttl.make() if isinstance(ttl, Outside) else ttl


_CALLS: Final[dict[type[Any], Callable[[Surface, Any], Outcome]]] = {
    Get: Surface.get,
    Set: Surface.set,
    Delete: Surface.delete,
    Has: Surface.has,
    List: Surface.list,
    Scan: Surface.scan,
    Iterate: Surface.iterate,
    Cas: Surface.cas,
    Increment: Surface.increment,
    Fill: Surface.fill,
    Clear: Surface.clear,
    Prune: Surface.prune,
    Close: Surface.close,
    Unoffered: Surface.unoffered,
}

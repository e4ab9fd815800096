"""An asynchronous store behind the synchronous surface, on one event loop all its life."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterable, Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

_METHODS = frozenset(
    (
        "get set delete has list cas keys values entries clear prune close add "
        "prefix get_many set_many delete_many"
    ).split()
)
_Steps = Callable[[Any], Generator[Any, Any, Any]]


def is_async(store: Any) -> bool:
    """True for a store whose `get` or `set` is a coroutine function."""
    return any(inspect.iscoroutinefunction(_member(store, name)) for name in ("get", "set"))


def _member(store: Any, name: str) -> Any:
    try:
        return getattr(store, name, None)
    except BaseException:  # a property of the store's may raise anything
        return None


async def _after_what_is_due(task: Awaitable[Any]) -> Any:
    """Lets timers go off first: the loop stands still between calls, as no program's would."""
    await asyncio.sleep(0)  # what is due is called
    await asyncio.sleep(0)  # and what that has called for
    return await task


class Bridge:
    """An event loop that lives as long as the run.

    Usually it runs one call at a time to its end. While it serves (`serve`), other threads run
    calls on it side by side, as tasks.
    """

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._local = threading.local()

    def run(self, awaitable: Awaitable[Any]) -> Any:
        """Runs an awaitable to its end and returns its result."""
        steps: _Steps | None = getattr(self._local, "steps", None)
        task = _awaited(awaitable if steps is None else _Stepped(awaitable, steps))
        if self.loop.is_running():
            return asyncio.run_coroutine_threadsafe(task, self.loop).result()
        return self.loop.run_until_complete(_after_what_is_due(task))

    def serve(self, work: Callable[[], Any]) -> Any:
        """Runs `work` in a thread and the loop meanwhile; returns what `work` returned."""

        async def meanwhile() -> Any:
            # From within the loop: the first call of `work` must find it running.
            return await self.loop.run_in_executor(None, work)

        return self.loop.run_until_complete(meanwhile())

    @contextmanager
    def held(self, steps: _Steps) -> Iterator[None]:
        """Calls of this thread go through `steps`, suspension by suspension."""
        self._local.steps = steps
        try:
            yield
        finally:
            self._local.steps = None

    def facade(self, store: Any) -> Facade:
        """The store with synchronous methods."""
        return Facade(store, self)

    def close(self) -> None:
        """Ends the loop and what still runs on it."""
        if self.loop.is_closed():
            return
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


class _Stepped(Awaitable[Any]):
    def __init__(self, awaitable: Awaitable[Any], steps: _Steps) -> None:
        self.awaitable, self.steps = awaitable, steps

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.steps(self.awaitable)


class Facade:
    """Every method of the contract that the store has, as a plain call.

    An exception of the call itself, before anything was awaited, is marked as early (ERR-1).
    """

    def __init__(self, store: Any, bridge: Bridge) -> None:
        self.original = store
        self.bridge = bridge

    def __getattr__(self, name: str) -> Any:
        member = getattr(self.original, name)
        if name not in _METHODS or not callable(member):
            return member
        return lambda *args, **kwargs: self._call(member, args, kwargs)

    def _call(self, method: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        try:
            answer = method(*args, **kwargs)
        except Exception as error:
            with suppress(Exception):
                error.__dict__["raised_early"] = True
            raise
        if inspect.isawaitable(answer):
            answer = self.bridge.run(answer)
        return _Walk(answer, self.bridge) if isinstance(answer, AsyncIterable) else answer


class _Walk(Iterator[Any]):
    """An async iterator, a step at a time; `close` abandons it."""

    def __init__(self, steps: AsyncIterable[Any], bridge: Bridge) -> None:
        self.steps, self.bridge = aiter(steps), bridge

    def __next__(self) -> Any:
        try:
            return self.bridge.run(anext(self.steps))
        except StopAsyncIteration:
            raise StopIteration from None

    def close(self) -> None:
        """Ends the iteration early (LIST-10)."""
        closer = getattr(self.steps, "aclose", None)
        if closer is not None:
            self.bridge.run(closer())

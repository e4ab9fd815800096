"""The store in NATS: the examples of all stores, and what is its own."""

import asyncio
import inspect
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from kv_spec.errors import InvalidKey, InvalidTtl, InvalidValue, StoreClosed, Unavailable

from . import test_stores as shared
from .conftest import Opener, unavailable


def nats_store() -> Any:
    """The class of the store, if its client is installed."""
    try:
        from kv_adapters.nats import NatsStore
    except ImportError as error:
        unavailable(str(error))
    return NatsStore


class Awaited:
    """The store with each call awaited, and a listing a step at a time."""

    def __init__(self, run: Callable[[Any], Any], **options: Any) -> None:
        self.run = run
        self.store = nats_store()(**options)

    def __getattr__(self, name: str) -> Any:
        member = getattr(self.store, name)
        return partial(self.call, member) if callable(member) else member

    def call(self, method: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        answer = method(*arguments, **options)
        if inspect.isasyncgen(answer):
            return self.walk(answer)
        return self.run(answer) if inspect.isawaitable(answer) else answer

    def walk(self, steps: Any) -> Iterator[Any]:
        async def step() -> list[Any]:
            return [entry async for entry in _first(steps)]

        while entry := self.run(step()):
            yield from entry


async def _first(steps: Any) -> Any:
    try:
        yield await anext(steps)
    except StopAsyncIteration:
        return


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    from kv_adapters.servers import ServerMissing, nats_server

    try:
        with nats_server() as server:
            yield server.url
    except ServerMissing as error:
        unavailable(str(error))


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


@pytest.fixture
def opener(loop: asyncio.Runner, url: str) -> Iterator[Opener]:
    def run(awaitable: Any) -> Any:
        return loop.run(_awaited(awaitable))

    opener = Opener("nats", partial(Awaited, run), {"url": url})
    yield opener
    for store in opener.opened:
        store.close()


@pytest.fixture
def store(opener: Opener) -> Any:
    return opener()


@pytest.mark.parametrize(
    "example",
    [
        shared.test_hard_values_come_back_typed,
        shared.test_values_are_copies,
        shared.test_none_deletes,
        shared.test_compare_and_swap,
        shared.test_no_value_and_no_ttl_change_nothing,
        shared.test_the_profile_is_one,
        shared.test_listing_goes_beyond_a_page,
        shared.test_a_listing_can_be_written_to_and_left,
    ],
)
def test_what_holds_for_every_store(store: Any, example: Callable[[Any], None]) -> None:
    example(store)


@pytest.mark.parametrize(
    "example",
    [
        shared.test_hard_keys_are_all_different,
        shared.test_spaces_are_separate,
        shared.test_clear_removes_the_own_space_only,
    ],
)
def test_what_holds_for_every_space(opener: Opener, example: Callable[[Any], None]) -> None:
    example(opener)


@pytest.mark.parametrize("ttl", [0, -1])
def test_a_ttl_that_is_over_removes(store: Any, ttl: float) -> None:
    shared.test_a_ttl_that_is_over_removes(store, ttl)


def test_listing_is_literal_and_in_order(store: Any) -> None:
    keys = shared.HARD_KEYS
    for number, key in enumerate(keys):
        store.set(key, number)
    assert list(store.list()) == sorted((key, number) for number, key in enumerate(keys))
    for prefix in keys:
        below = sorted(key for key in keys if key[: len(prefix)] == prefix)
        assert [key for key, _ in store.list(prefix)] == below
    assert list(store.keys()) == sorted(keys)


@pytest.mark.parametrize("bad", [(), "k", ["k"], ("k", 1), None])
def test_no_key(store: Any, bad: Any) -> None:
    for call in (store.get, store.has, store.delete, lambda key: store.set(key, 1)):
        with pytest.raises(InvalidKey):
            call(bad)


def test_nothing_is_raised_before_it_is_awaited(opener: Opener) -> None:
    store = opener().store
    calls = [store.get(()), store.set((), 1), store.delete(()), store.cas((), 1, 2)]
    for call in calls:
        with pytest.raises(InvalidKey):
            asyncio.run(call)
    asyncio.run(store.list("no prefix").aclose())


def test_a_closed_store_refuses(store: Any) -> None:
    store.set(("k",), 1)
    store.close()
    store.close()
    for call in (store.get, store.has, store.delete, lambda key: store.cas(key, 1, 2)):
        with pytest.raises(StoreClosed):
            call(("k",))
    for listing in (store.list, store.keys, store.values, store.entries):
        with pytest.raises(StoreClosed):
            list(listing())
    for call_all in (store.clear, store.prune):
        with pytest.raises(StoreClosed):
            call_all()


def test_an_entry_ends_by_the_time_of_the_server(store: Any) -> None:
    began = time.time()
    store.set(("k",), 1, ttl=0.1)
    store.set(("stays",), 1, ttl=1000)
    while store.has(("k",)):
        assert time.time() < began + 20, "it never ends"
    assert time.time() >= began + 0.1
    assert list(store.keys()) == [("stays",)]
    assert not store.cas(("k",), 1, 2)
    assert store.cas(("k",), None, 3)
    assert store.get(("k",)) == 3


def test_what_is_over_at_the_look_may_have_been_overwritten_before(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the server's time a value comes that is live: it is the answer."""
    bucket = store.store._bucket
    now = bucket.now

    async def late() -> int:
        await store.store.set(("k",), "new")
        return int(await now()) + 10**12

    store.set(("k",), "old", ttl=10)
    monkeypatch.setattr(bucket, "now", late)
    assert store.get(("k",)) == "new"


def test_a_ttl_beyond_64_bits_is_refused(store: Any) -> None:
    store.set(("k",), 1, ttl=9_223_372_036)
    assert store.get(("k",)) == 1
    for ttl in (9_223_372_037, 1e300):
        with pytest.raises(InvalidTtl):
            store.set(("k",), 2, ttl=ttl)
    assert store.get(("k",)) == 1


def test_prune_takes_away_what_is_over_and_marks(opener: Opener) -> None:
    store, other = opener("a"), opener("b")
    for each in (store, other):
        each.set(("over",), 1, ttl=0.05)
        each.set(("removed",), 1)
        each.delete(("removed",))
        each.set(("live",), 1, ttl=1000)
        each.set(("stays",), 1)
    while store.has(("over",)):
        pass
    store.prune()
    assert store._paths(()) == [("live",), ("stays",)]
    assert list(store.list()) == [(("live",), 1), (("stays",), 1)]
    assert len(other._paths(())) == 4
    assert store.cas(("removed",), None, 1)


def test_deleting_what_is_not_there_leaves_no_mark(store: Any) -> None:
    store.delete(("k",))
    assert store._paths(()) == []


def test_workers_lose_no_increment(opener: Opener) -> None:
    handles = [opener().store for _ in range(3)]

    async def count(handle: Any) -> None:
        for _ in range(30):
            while True:
                number = await handle.get(("n",))
                if await handle.cas(("n",), number, (number or 0) + 1):
                    break

    async def all_at_once() -> None:
        await asyncio.gather(*map(count, [*handles, handles[0]]))

    opener.opened[0].run(all_at_once())
    assert opener.opened[0].get(("n",)) == 120


def test_it_holds_what_its_profile_declares(store: Any) -> None:
    most_key, most_value = store.profile.max_key_bytes, store.profile.max_value_bytes
    key, value = ("\x00" * most_key, *[""] * 7), "v" * (most_value - 2)
    store.set(key, value, ttl=1000)
    assert store.get(key) == value
    with pytest.raises(InvalidValue):
        store.set(key, value + "v")
    for long in (("k" * (most_key + 1),), ("",) * 10_000):
        with pytest.raises(InvalidKey):
            store.set(long, 1)
    assert store.get(key) == value


def test_it_takes_a_client_and_leaves_it_open(url: str) -> None:
    async def use() -> None:
        import nats

        client = await nats.connect(url)
        store = nats_store()(client=client, space="clients", bucket="another")
        await store.set(("k",), 1)
        assert await store.get(("k",)) == 1
        assert store.describe().startswith("NATS 2.")
        await store.close()
        assert client.is_connected
        await client.close()

    asyncio.run(use())


def test_it_wants_a_url_or_a_client() -> None:
    with pytest.raises(ValueError, match="a url"):
        nats_store()()


def test_a_server_that_is_gone_is_unavailable_at_once(loop: asyncio.Runner) -> None:
    with nats_store().for_run() as run:
        store = nats_store()(space="gone", **run.options)
        loop.run(store.set(("k",), 1))
    began = time.monotonic()
    calls: list[Callable[[], Any]] = [
        lambda: store.get(("k",)),
        lambda: store.set(("k",), 2),
        lambda: store.cas(("k",), 1, 2),
        lambda: store.delete(("k",)),
    ]
    for call in calls:
        with pytest.raises(Unavailable):
            loop.run(call())
    assert time.monotonic() < began + 5
    loop.run(store.close())


def test_a_store_connects_anew(loop: asyncio.Runner, url: str) -> None:
    async def use() -> None:
        store = nats_store()(url, space="anew")
        await store.set(("k",), 1)
        await store._bucket._client.close()
        assert await store.get(("k",)) == 1
        await store.close()

    loop.run(use())

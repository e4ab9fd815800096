"""When entries end: by a clock that is moved, else by what the server was told."""

import time
from datetime import timedelta

import pytest
from kv_adapters.checks import NANOSECONDS

from .conftest import EMBEDDED, Opener

moved = pytest.mark.parametrize(
    "open_store",
    ["memory", "sqlite", "sqlite-in-memory", "tiered", "prefixed", "coalescing", *EMBEDDED],
    indirect=True,
)


def only(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("open_store", names, indirect=True)


@moved
@pytest.mark.parametrize("ttl", [1.5, timedelta(seconds=1.5)])
def test_the_deadline_is_exact(open_store: Opener, ttl: float | timedelta) -> None:
    store, clock = open_store(), open_store.clock
    store.set(("k",), 1, ttl=ttl)
    store.set(("stays",), 1)
    clock.now += 1.5 - 1 / 64
    assert store.get(("k",)) == 1
    assert [key for key, _ in store.list()] == [("k",), ("stays",)]
    clock.now += 1 / 64
    assert store.get(("k",)) is None
    assert not store.has(("k",))
    assert list(store.keys()) == [("stays",)]
    assert not store.cas(("k",), 1, 2)
    assert store.cas(("k",), None, 3)


@moved
def test_a_write_replaces_the_deadline(open_store: Opener) -> None:
    store, clock = open_store(), open_store.clock
    for key in ("set", "cas", "late"):
        store.set((key,), 1, ttl=10)
    clock.now += 9
    store.set(("set",), 2)
    assert store.cas(("cas",), 1, 2)
    assert not store.cas(("late",), 3, 4, ttl=100)
    clock.now += 1
    assert list(store.list()) == [(("cas",), 2), (("set",), 2)]


@only("memory", "sqlite", "sqlite-in-memory", "tiered", "coalescing", *EMBEDDED)
def test_prune_drops_expired_records_only(open_store: Opener) -> None:
    store, other, clock = open_store("a"), open_store("b"), open_store.clock
    for each in (store, other):
        each.set(("short",), 1, ttl=1)
        each.set(("long",), 1, ttl=100)
    clock.now += 2
    store.prune()
    clock.now -= 2  # what was dropped does not come back with the time
    assert list(store.keys()) == [("long",)]
    assert list(other.keys()) == [("long",), ("short",)]


@only("redis", "fakeredis")
@pytest.mark.parametrize(("ttl", "most"), [(1000.5, 1_000_501), (1000.0001, 1_000_002)])
def test_redis_is_told_no_less_than_was_asked(open_store: Opener, ttl: float, most: int) -> None:
    store = open_store()
    store.set(("set",), 1, ttl=ttl)
    store.cas(("create",), None, 1, ttl=ttl)
    store.set(("swap",), 1)
    store.cas(("swap",), 1, 2, ttl=ttl)
    for key in ("set", "create", "swap"):
        assert most - 5_000 < store._client.pttl(store._name((key,))) <= most
    store.cas(("swap",), 2, 3)
    assert store._client.pttl(store._name(("swap",))) == -1


@only("redis", "fakeredis")
def test_redis_ends_an_entry_in_time(open_store: Opener) -> None:
    store = open_store()
    began = time.time()
    store.set(("k",), 1, ttl=0.02)
    written = time.time()
    while store.has(("k",)):
        assert time.time() < written + 5, "it never ends"
    assert time.time() >= began + 0.02
    assert list(store.list()) == []
    assert store.cas(("k",), None, 1)


@only("memcached")
@pytest.mark.parametrize(
    ("ttl", "exptime"),
    [(0.001, 3), (1, 3), (1.5, 4), (30 * 86400 - 2, 30 * 86400), (timedelta(minutes=1), 62)],
)
def test_memcached_is_told_whole_seconds_and_the_lag(
    open_store: Opener, ttl: float | timedelta, exptime: int
) -> None:
    store = open_store()
    store.set(("k",), 1, ttl=ttl)
    left = store._client.raw_command(b"mg " + store._address(("k",))[0] + b" t")
    assert exptime - 1 <= int(left.removeprefix(b"HD t")) <= exptime


@only("memcached")
def test_memcached_is_told_a_date_beyond_thirty_days(open_store: Opener) -> None:
    store = open_store()
    date = store._exptime(31 * 86400 * NANOSECONDS)
    assert abs(date - 31 * 86400 - 2 - time.time()) < 60
    store.set(("k",), 1, ttl=31 * 86400)
    left = store._client.raw_command(b"mg " + store._address(("k",))[0] + b" t")
    assert abs(int(left.removeprefix(b"HD t")) - 31 * 86400) < 10


@only("memcached")
def test_memcached_ends_an_entry_in_time(open_store: Opener) -> None:
    store = open_store()
    began = time.time()
    store.set(("k",), 1, ttl=1)
    while store.has(("k",)):
        assert time.time() < began + 30, "it never ends"
        time.sleep(0.01)
    assert began + 1 <= time.time()
    assert store.cas(("k",), None, 1)

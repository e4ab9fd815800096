"""The clock of a database server, moved: what expires by it, and what must not mind."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from kv_adapters.base import RunServer
from kv_adapters.servers import ServerMissing

from .conftest import load, unavailable
from .sql_stores import STORES
from .test_concurrency import together

HOUR = 3600.0


@pytest.fixture(params=STORES, scope="module")
def own(request: pytest.FixtureRequest) -> Iterator[tuple[str, RunServer]]:
    """A server whose time nobody else needs; it can be moved, or the reason is told."""
    kind = load(request.param)
    context = kind.for_run()
    try:
        run = context.__enter__()
    except ServerMissing as error:
        unavailable(str(error))
    try:
        if run.time is None:
            unavailable(run.real_time)
        yield request.param, run
    finally:
        context.__exit__(None, None, None)


def open_space(own: tuple[str, RunServer], space: str) -> Any:
    name, run = own
    return load(name)(space=space, **run.options)


def test_an_entry_ends_when_the_servers_time_has_come(own: tuple[str, RunServer]) -> None:
    store, clock = open_space(own, "ends"), own[1].time
    assert clock is not None
    for key in ("read", "swap", "made", "late"):
        store.set((key,), 1, ttl=2 * HOUR if key == "late" else HOUR)
    clock.move(HOUR - 60)
    assert len(list(store.list())) == 4
    clock.move(60)
    assert store.get(("read",)) is None
    assert not store.cas(("swap",), 1, 2)
    assert store.cas(("made",), None, 2)
    assert list(store.keys()) == [("late",), ("made",)]
    clock.move(HOUR)
    assert list(store.keys()) == [("made",)]
    store.close()


def test_each_of_many_steps_is_seen_together(own: tuple[str, RunServer]) -> None:
    store, clock = open_space(own, "steps"), own[1].time
    assert clock is not None
    for number in range(200):
        seconds = 60.0 * (number % 7 + 1)
        store.set(("ends",), number, ttl=seconds)
        store.set(("stays",), number, ttl=seconds + 59)
        clock.move(seconds)
        assert list(store.list()) == [(("stays",), number)]
    store.close()


@contextmanager
def session(store: Any) -> Iterator[Any]:
    """A cursor on a connection beside those of the store."""
    connection = store._database._driver.connect()
    try:
        yield connection.cursor()
    finally:
        connection.close()


def seconds_of(call: Callable[[], object], error: type[Exception] | tuple[()] = ()) -> float:
    began = time.monotonic()
    if error:
        with pytest.raises(error):
            call()
    else:
        call()
    return time.monotonic() - began


def test_timeouts_take_their_time_after_a_move(own: tuple[str, RunServer]) -> None:
    """In a signal handler PostgreSQL asks for the time; MariaDB waits for points in time."""
    name, run = own
    assert run.time is not None
    run.time.move(HOUR)
    store = open_space(own, "timeouts")
    store.set(("k",), 1)
    error = store._database._driver.errors[0]
    update = "UPDATE kv SET deadline = NULL WHERE entry_key = %s"
    with session(store) as holder, session(store) as waiter:
        holder.execute("BEGIN")
        holder.execute(update, (store._key(("k",)),))
        wait = partial(waiter.execute, update, (store._key(("k",)),))
        if name == "postgres":
            waiter.execute("SET lock_timeout = '200ms'")
            assert 0.2 <= seconds_of(wait, error) < 5
            waiter.execute("SET lock_timeout = 0")
            waiter.execute("SET statement_timeout = '200ms'")
            assert 0.2 <= seconds_of(wait, error) < 5
            assert 0.2 <= seconds_of(partial(waiter.execute, "SELECT pg_sleep(60)"), error) < 5
        else:
            waiter.execute("SET innodb_lock_wait_timeout = 1")
            assert 0.9 <= seconds_of(wait, error) < 5
            holder.execute("SELECT GET_LOCK('kv', 0)")
            get_lock = partial(waiter.execute, "SELECT GET_LOCK('kv', 0.2)")
            assert 0.2 <= seconds_of(get_lock) < 5
            assert waiter.fetchall() == ((0,),)
            assert 0.2 <= seconds_of(partial(waiter.execute, "SELECT SLEEP(0.2)")) < 5
        holder.execute("ROLLBACK")
    store.close()


def test_a_deadlock_is_found_after_a_move(own: tuple[str, RunServer]) -> None:
    name, run = own
    assert run.time is not None
    run.time.move(HOUR)
    store = open_space(own, "deadlock")
    keys = [store._key((each,)) for each in "ab"]
    for each in "ab":
        store.set((each,), 1)
    update = "UPDATE kv SET deadline = NULL WHERE entry_key = %s"
    errors: list[Exception] = []
    with session(store) as one, session(store) as other:
        for cursor, key in zip((one, other), keys, strict=True):
            if name == "postgres":
                cursor.execute("SET deadlock_timeout = '200ms'")
            cursor.execute("BEGIN")
            cursor.execute(update, (key,))

        def cross(cursor: Any, key: bytes) -> None:
            try:
                cursor.execute(update, (key,))
                cursor.execute("COMMIT")
            except store._database._driver.errors as error:
                errors.append(error)

        crossing = partial(together, partial(cross, one, keys[1]), partial(cross, other, keys[0]))
        assert seconds_of(crossing) < 5
    assert len(errors) == 1
    store.close()

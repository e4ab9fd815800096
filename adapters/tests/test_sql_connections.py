"""Locks, connections and sessions of the stores in a database on a server."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from kv_adapters.sql_database import Fault
from kv_spec.errors import Unavailable

from .conftest import Opener
from .sql_stores import alone, both, mysql, postgres, run
from .test_concurrency import together


@contextmanager
def held(store: Any, *key: str, table: str = "kv_alone") -> Iterator[Any]:
    """A connection of somebody else's with the row of a key locked."""
    connection = store._database._driver.connect()
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    cursor.execute(f"SELECT 1 FROM {table} WHERE entry_key = %s FOR UPDATE", (store._key(key),))
    try:
        yield cursor
    finally:
        cursor.execute("ROLLBACK")
        connection.close()


def impatient(store: Any) -> None:
    """Lets the connections of a store wait for a lock as briefly as its server can."""
    driver = store._database._driver
    connect = driver.connect
    setting = {"PostgreSQL": "lock_timeout = '30ms'", "MySQL": "innodb_lock_wait_timeout = 1"}

    def connect_impatiently() -> Any:
        connection = connect()
        connection.cursor().execute(f"SET SESSION {setting[driver.name]}")
        return connection

    pool = store._database._pool
    pool._connect = connect_impatiently
    pool.give_up(pool.take())  # from now on all connections are of this kind


@both
def test_a_lock_of_somebody_else_is_waited_for(open_store: Opener) -> None:
    """Longer than the server waits for it, and for the time of three waits in all (CAS-9)."""
    store = alone(open_store)
    store.set(("k",), 1)
    impatient(store)
    with held(store, "k"):
        assert store.get(("k",)) == 1
        with pytest.raises(Unavailable, match="in the way 3 times"):
            store.cas(("k",), 1, 2)
    with held(store, "k") as cursor:
        patience = {"postgres": 0.045, "mysql": 1.5}[open_store.name]
        end = threading.Timer(patience, lambda: cursor.execute("COMMIT"))
        end.start()
        assert store.cas(("k",), 1, 2)
        end.join()
    assert store.get(("k",)) == 2


@both
def test_a_real_deadlock_is_told_as_one(open_store: Opener) -> None:
    store = open_store()
    driver = store._database._driver
    for name in "ab":
        store.set((name,), 1)
    faults: list[Fault] = []
    update = "UPDATE kv SET deadline = NULL WHERE entry_key = %s"
    met = threading.Barrier(2)

    def cross(first: str, second: str) -> None:
        connection = driver.connect()
        cursor = connection.cursor()
        if open_store.name == "postgres":
            cursor.execute("SET deadlock_timeout = '20ms'")
        cursor.execute("BEGIN")
        try:
            cursor.execute(update, (store._key((first,)),))
            met.wait(10)
            cursor.execute(update, (store._key((second,)),))
        except driver.errors as error:
            faults.append(driver.fault(error))
        finally:
            connection.close()

    together(*(partial(cross, *pair) for pair in ("ab", "ba")))
    assert faults == [Fault.DEADLOCK]


@both
def test_statements_that_cross_each_other_all_succeed(open_store: Opener) -> None:
    """Several rows a statement, in different orders: deadlocks are the server's and the store's."""
    store = open_store()
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(60):
                name = str((turn * 7 + number) % 10)
                store.set((name,), turn, ttl=100)
                store.cas((name,), None, turn)
                store.cas((name,), turn, None)
                if turn % 5 == number % 5:
                    store.clear()
                    store.prune()
        except BaseException as error:
            errors.append(error)

    together(*(partial(work, number) for number in range(4)))
    assert errors == []


@both
def test_a_connection_that_the_server_ended_is_replaced(open_store: Opener) -> None:
    store = alone(open_store)
    store.set(("k",), 1)
    own = {"postgres": "SELECT pg_backend_pid()", "mysql": "SELECT connection_id()"}
    end = {"postgres": "SELECT pg_terminate_backend(%s)", "mysql": "KILL %s"}
    number = run(store, own[open_store.name]).rows[0][0]
    executioner = store._database._driver.connect()
    executioner.cursor().execute(end[open_store.name], (number,))
    executioner.close()

    def get_until_it_fails() -> None:  # the server takes a moment
        for _ in range(10_000):
            store.get(("k",))

    with pytest.raises(Unavailable):
        get_until_it_fails()
    assert store.get(("k",)) == 1


@both
def test_handles_share_connections_and_the_last_one_closes_them(open_store: Opener) -> None:
    one, other = alone(open_store), open_store("b")
    assert one._database is other._database
    connection = one._database._pool.take()
    one._database._pool.give_back(connection)
    one.close()
    other.set(("k",), 1)
    other.close()
    with pytest.raises(Exception, match=r"."):
        connection.cursor().execute("SELECT 1")


COUNT = """
import os, sys
from {module} import {name} as Store
store = Store({url!r}, space={space!r})
store.has(("n",))
child = os.fork() == 0
for number in range(100):
    while not store.cas(("n",), count := store.get(("n",)), (count or 0) + 1):
        pass
    store.set(("child" if child else "parent", str(number)), number)
if child:
    os._exit(0)
assert os.wait()[1] == 0
store.close()
"""


@both
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_handle_works_on_both_sides_of_a_fork(open_store: Opener) -> None:
    store, kind = open_store(), open_store.kind
    space = store._root[0]
    program = COUNT.format(
        module=kind.__module__, name=kind.__name__, url=open_store.options["url"], space=space
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
    assert store.get(("n",)) == 200
    assert [len(list(store.list((who,)))) for who in ("child", "parent")] == [100, 100]


@postgres
def test_postgres_needs_no_right_to_create_what_is_there(open_store: Opener) -> None:
    store = open_store()
    store.set(("k",), 1)
    run(store, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    run(store, "DROP ROLE IF EXISTS guest")
    run(store, "CREATE ROLE guest LOGIN")
    run(store, "GRANT SELECT, INSERT, UPDATE, DELETE ON kv TO guest")
    url = str(open_store.options["url"]).replace("//kv@", "//guest@")
    guest = open_store.kind(url, space=store._root[0])
    assert guest.cas(("k",), 1, 2)
    guest.close()
    run(store, "DROP OWNED BY guest")
    run(store, "DROP ROLE guest")
    assert store.get(("k",)) == 2


@postgres
def test_postgres_has_its_isolation_whatever_the_default(open_store: Opener) -> None:
    url = f"{open_store.options['url']}&options=-c%20default_transaction_isolation%3Dserializable"
    store = open_store.kind(url)
    assert run(store, "SHOW transaction_isolation").rows[0][0] in (
        "read committed",
        b"read committed",
    )
    assert run(store, "SHOW default_transaction_isolation").rows[0][0] == "read committed"
    store.close()


@mysql
def test_mysql_tells_the_time_in_utc_whatever_the_servers_zone(open_store: Opener) -> None:
    store = open_store()
    run(store, "SET GLOBAL time_zone = '+09:00'")
    try:
        other = alone(open_store)
        zones = run(
            other, f"SELECT @@global.time_zone, {other.dialect.now} - {other.dialect.began}"
        )
    finally:
        run(store, "SET GLOBAL time_zone = 'SYSTEM'")
    assert zones.rows[0][0] == "+09:00"
    assert 0 <= zones.rows[0][1] < 3_600_000_000

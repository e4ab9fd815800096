"""Rows of the stores in a database on a server: deadlines, limits, tables, URLs."""

from datetime import timedelta
from typing import Any

import pytest
from kv_spec.errors import InvalidKey, InvalidTtl, InvalidValue, Unavailable

from .conftest import Opener, load
from .sql_stores import STORES, alone, both, mysql, run


def expire(store: Any, *key: str) -> None:
    """Puts the deadline of a key into the past, as the clock does."""
    changed = run(store, "UPDATE kv SET deadline = 1 WHERE entry_key = %s", store._key(key))
    assert changed.changed == 1


@both
def test_a_row_that_has_expired_is_dead_to_every_operation(open_store: Opener) -> None:
    store = open_store()
    for name in ("read", "swap", "taken", "made", "stays"):
        store.set((name,), 1, ttl=100)
        if name != "stays":
            expire(store, name)
    assert store.get(("read",)) is None
    assert not store.has(("read",))
    assert list(store.list()) == [(("stays",), 1)]
    assert not store.cas(("swap",), 1, 2)
    assert not store.cas(("taken",), 1, None)
    assert store.cas(("taken",), None, None)
    assert store.cas(("made",), None, 3)
    assert not store.cas(("made",), None, 4)
    assert list(store.keys()) == [("made",), ("stays",)]


@both
def test_what_expires_between_the_look_and_the_swap_is_not_swapped(open_store: Opener) -> None:
    store = open_store()
    store.set(("k",), 1, ttl=100)
    _, token = store._look(("k",))
    expire(store, "k")
    assert not store._exchange(("k",), token, b"2", None)
    assert not store._exchange(("k",), token, None, None)
    assert not store._exchange(("k",), None, b"2", None)  # the row is there, dead
    _, token = store._look(("k",))
    store.set(("k",), 3)
    assert not store._exchange(("k",), token, b"2", None)  # it lives again
    assert store.get(("k",)) == 3


@both
def test_prune_removes_dead_rows_of_the_own_space(open_store: Opener) -> None:
    one, other = open_store("a"), open_store("b")
    for store in (one, other):
        for name in ("dead", "live", "stays"):
            store.set((name,), 1, ttl=None if name == "stays" else 100)
        expire(store, "dead")
    one.prune()
    count = "SELECT count(*) FROM kv WHERE entry_key = %s"
    assert [
        run(store, count, store._key((name,))).rows[0][0]
        for store in (one, other)
        for name in ("dead", "live", "stays")
    ] == [0, 1, 1, 1, 1, 1]


@both
@pytest.mark.parametrize(("ttl", "most"), [(1000.5, 1_000_500_001), (0.0000001, 2)])
def test_a_deadline_is_counted_by_the_servers_clock(
    open_store: Opener, ttl: float, most: int
) -> None:
    store = open_store()
    now = f"SELECT {store.dialect.now}"
    before = run(store, now).rows[0][0]
    store.set(("set",), 1, ttl=ttl)
    store.set(("again",), 1)
    store.set(("again",), 2, ttl=timedelta(seconds=ttl) if ttl > 1 else ttl)
    store.cas(("create",), None, 1, ttl=ttl)
    store.set(("swap",), 1, ttl=5)
    store.cas(("swap",), 1, 2, ttl=ttl)
    store.set(("revive",), 1, ttl=100)
    expire(store, "revive")
    store.cas(("revive",), None, 2, ttl=ttl)
    after = run(store, now).rows[0][0]
    for name in ("set", "again", "create", "swap", "revive"):
        found = run(store, "SELECT deadline FROM kv WHERE entry_key = %s", store._key((name,)))
        assert before + most <= found.rows[0][0] <= after + most


@both
def test_a_deadline_beyond_the_column_is_refused(open_store: Opener) -> None:
    store = open_store()
    store.set(("k",), 1, ttl=100_000 * 366 * 86400)
    assert store.has(("k",))
    with pytest.raises(InvalidTtl):
        store.cas(("k",), 1, 2, ttl=1e15)
    assert store.get(("k",)) == 1


@both
def test_a_store_holds_what_its_profile_declares(open_store: Opener) -> None:
    store = open_store()
    key = ("\x00" * store.profile.max_key_bytes, *[""] * 7)
    store.set(key, 1)
    assert list(store.list()) == [(key, 1)]
    for long in (("k" * (store.profile.max_key_bytes + 1),), ("",) * 100_000):
        with pytest.raises(InvalidKey):
            store.set(long, 1)
    assert list(store.list(("",) * 100_000)) == []
    size = store.profile.max_value_bytes or 2**24
    large = "\x00" * ((size - 8) // 6) + "'"  # six bytes of JSON a NUL
    store.set(key, large)
    assert store.cas(key, large, 2)


@mysql
def test_mysql_refuses_a_value_before_the_server_would(open_store: Opener) -> None:
    store = open_store()
    most = store.profile.max_value_bytes
    store.set(("k",), "\\" * ((most - 2) // 2))  # JSON doubles it, the driver does so again
    with pytest.raises(InvalidValue):
        store.set(("k",), "v" * (most - 1))
    assert len(store.get(("k",))) == (most - 2) // 2


@both
def test_a_space_has_a_name_that_leaves_room_for_the_key(open_store: Opener) -> None:
    store = open_store("s" * 400)
    store.set(("\x01" * store.profile.max_key_bytes, *[""] * 7), 1)
    store.clear()
    with pytest.raises(ValueError, match="space"):
        open_store("s" * 600)


@both
def test_tables_are_separate_and_named_plainly(open_store: Opener) -> None:
    store = open_store()
    store.set(("k",), 1)
    assert alone(open_store).get(("k",)) is None
    for name in ("kv; DROP TABLE kv", "", "a.b", "1", 'k"v', "k" * 64):
        with pytest.raises(ValueError, match="no plain name"):
            open_store.kind(**{**open_store.options, "table": name})


@both
def test_a_table_that_is_something_else_is_left_as_it_is(open_store: Opener) -> None:
    store = open_store()
    run(store, "CREATE TABLE IF NOT EXISTS kv_foreign (a int)")
    with pytest.raises(store._database._driver.errors, match=r"kv_foreign|entry_key"):
        open_store.kind(**{**open_store.options, "table": "kv_foreign"})
    assert run(store, "SELECT a FROM kv_foreign").rows in ([], ())


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("postgres", "mysql://host/kv"),
        ("postgres", "host=localhost dbname=kv"),
        ("postgres", "postgresql://host/kv?sslmoed=require"),
        ("mysql", "postgresql://host/kv"),
        ("mysql", "mysql://host"),
        ("mysql", "mysql://host/kv?socket=/tmp/s"),
        ("mysql", "mysql://host/kv?unix_socket"),
        ("mysql", "mysql://host:port/kv"),
    ],
)
def test_a_url_of_something_else_is_refused(name: str, url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        load(name)(url)


@pytest.mark.parametrize("name", STORES)
def test_a_server_that_is_not_there_is_unavailable(name: str) -> None:
    scheme = {"postgres": "postgresql", "mysql": "mysql"}[name]
    with pytest.raises(Unavailable):
        load(name)(f"{scheme}://127.0.0.1:1/kv")


def test_a_mysql_url_is_read_with_its_escapes() -> None:
    load("mysql")
    from kv_adapters.mysql import _options

    assert _options("mysql://me%40home:p%2Fw@db.example:3307/my%20kv?ssl_ca=/a%20b.pem") == {
        "host": "db.example",
        "port": 3307,
        "user": "me@home",
        "password": "p/w",
        "database": "my kv",
        "ssl_ca": "/a b.pem",
    }

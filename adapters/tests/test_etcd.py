"""What is etcd's own: leases, revisions, pages, limits."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from kv_spec.errors import InvalidKey, InvalidTtl, InvalidValue, Unavailable

from .conftest import Opener, Runs, load


@pytest.fixture
def opener(runs: Runs) -> Iterator[Opener]:
    opener = Opener("etcd", load("etcd"), runs("etcd"))
    yield opener
    for store in opener.opened:
        store.close()


@pytest.fixture
def store(opener: Opener) -> Any:
    return opener()


def lease_of(store: Any, key: tuple[str, ...]) -> str:
    found = store._gateway.call("kv/range", {"key": store._name(key)})["kvs"][0]
    return str(found.get("lease", "0"))


def granted(store: Any, lease: str) -> int:
    """The seconds for which a lease was given; 0 for one that is over."""
    return int(store._gateway.call("lease/timetolive", {"ID": lease}).get("grantedTTL", 0))


@pytest.mark.parametrize(("ttl", "seconds"), [(100, 100), (100.5, 101), (100.000000001, 101)])
def test_a_lease_is_no_shorter_than_the_ttl(store: Any, ttl: float, seconds: int) -> None:
    store.set(("set",), 1, ttl=ttl)
    assert store.cas(("create",), None, 1, ttl=ttl)
    store.set(("swap",), 1)
    assert store.cas(("swap",), 1, 2, ttl=ttl)
    for key in ("set", "create", "swap"):
        assert granted(store, lease_of(store, (key,))) == seconds


def test_what_is_written_anew_has_its_own_lease_or_none(store: Any) -> None:
    store.set(("k",), 1, ttl=100)
    store.set(("k",), 2, ttl=200)
    assert granted(store, lease_of(store, ("k",))) == 200
    store.set(("k",), 3)
    assert lease_of(store, ("k",)) == "0"


def test_no_lease_is_left_without_an_entry(store: Any) -> None:
    def leases() -> set[str]:
        return {lease["ID"] for lease in store._gateway.call("lease/leases", {}).get("leases", ())}

    before = leases()
    store.set(("k",), 1, ttl=1000)
    store.set(("k",), 2, ttl=1000)
    assert not store.cas(("k",), 1, 3, ttl=1000)
    assert store.cas(("k",), 2, 3, ttl=1000)
    assert len(leases() - before) == 1
    store.delete(("k",))
    store.set(("k",), 1, ttl=1000)
    store.clear()
    assert leases() - before == set()


def test_an_entry_ends_in_time(store: Any) -> None:
    began = time.time()
    store.set(("k",), 1, ttl=1)
    while store.has(("k",)):
        assert time.time() < began + 20, "it never ends"
        time.sleep(0.01)
    assert began + 1 <= time.time()
    assert store.cas(("k",), None, 1)


def test_a_ttl_beyond_that_of_any_lease_is_refused(store: Any) -> None:
    store.set(("k",), 1, ttl=9_000_000_000)
    with pytest.raises(InvalidTtl):
        store.set(("k",), 2, ttl=9_000_000_001)
    assert store.get(("k",)) == 1


def test_a_swap_is_one_request_where_the_text_is_ours(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.set(("k",), {"a": 1, "b": 2})
    calls: list[str] = []
    call = store._gateway.call

    def noted(method: str, body: Any) -> Any:
        calls.append(method)
        return call(method, body)

    monkeypatch.setattr(store._gateway, "call", noted)
    assert store.cas(("k",), {"a": 1, "b": 2}, 1)
    assert not store.cas(("k",), 2, 3)
    assert store.cas(("new",), None, 1)
    assert calls == ["kv/txn"] * 3


def test_a_swap_compares_values_and_not_texts(store: Any) -> None:
    store.set(("k",), {"a": 1.0, "b": "v" * 10_000})
    assert not store.cas(("k",), {"b": "v" * 9_999, "a": 1}, 2)
    assert store.cas(("k",), {"b": "v" * 10_000, "a": 1}, 2)
    assert not store.cas(("absent",), "v" * 10_000, 2)
    assert store.get(("k",)) == 2
    assert not store.has(("absent",))


def test_a_listing_is_of_one_instant(store: Any) -> None:
    for number in range(600):
        store.set(("k", f"{number:03}"), number)
    entries = store.list()
    first = next(entries)
    store.set(("k", "599"), None)
    store.set(("k", "300"), "changed")
    store.set(("k", "9999"), "new")
    assert [first, *entries] == [(("k", f"{number:03}"), number) for number in range(600)]


def test_it_holds_what_its_profile_declares(store: Any) -> None:
    most_key, most_value = store.profile.max_key_bytes, store.profile.max_value_bytes
    key, value = ("\x00" * most_key, *[""] * 7), "v" * (most_value - 2)
    store.set(key, value)
    assert store.cas(key, value, value)
    assert dict(store.list()) == {key: value}
    for long in (value + "v", "\u00e9" * (most_value // 2)):
        with pytest.raises(InvalidValue):
            store.set(key, long)
    for long_key in (("k" * (most_key + 1),), ("",) * 200_000):
        with pytest.raises(InvalidKey):
            store.set(long_key, 1)
    assert store.get(key) == value


def test_it_takes_a_client_and_leaves_it_open(runs: Runs) -> None:
    httpx = pytest.importorskip("httpx")
    base = str(runs("etcd")["url"]).replace("etcd://", "http://")
    with httpx.Client(base_url=base, trust_env=False) as client:
        store = load("etcd")(client=client, space="clients")
        store.set(("k",), 1)
        store.clear()
        store.close()
        assert client.get("/version").status_code == 200


def test_it_wants_a_url_of_its_own() -> None:
    with pytest.raises(ValueError, match="a url"):
        load("etcd")()
    with pytest.raises(ValueError, match="etcd://"):
        load("etcd")("http://127.0.0.1")


def test_who_is_no_etcd_is_unavailable() -> None:
    store = load("etcd")("etcd://127.0.0.1:1")
    with pytest.raises(Unavailable):
        store.get(("k",))
    store.close()

"""What is Redis' and memcached's own: clients, URLs, limits."""

from typing import Any

import pytest
from kv_spec.errors import InvalidKey, InvalidValue

from .conftest import Opener, Runs, load


def test_redis_takes_a_client_and_leaves_it_open(runs: Runs) -> None:
    import redis

    client = redis.Redis.from_url(str(runs("redis")["url"]))
    store = load("redis")(client=client, space="clients")
    store.set(("k",), 1)
    store.clear()
    store.close()
    assert client.ping()
    client.close()
    deaf = redis.Redis.from_url(str(runs("redis")["url"]), decode_responses=True)
    with pytest.raises(ValueError, match="decode"):
        load("redis")(client=deaf)
    deaf.close()


def test_redis_knows_the_urls_of_its_family(runs: Runs) -> None:
    url = "redis+" + str(runs("redis")["url"])
    store = load("redis")(url, space="urls")
    store.set(("k",), 1)
    assert store.describe().startswith(("Redis ", "Valkey "))
    store.clear()
    store.close()


@pytest.mark.parametrize("name", ["redis", "memcached"])
def test_a_store_without_url_or_client_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a url"):
        load(name)()


def test_memcached_refuses_urls_of_others() -> None:
    with pytest.raises(ValueError, match="memcached://"):
        load("memcached")("redis://127.0.0.1")


@pytest.fixture
def memcached(runs: Runs) -> Any:
    opener = Opener("memcached", load("memcached"), runs("memcached"))
    yield opener()
    opener.opened[0].close()


def test_memcached_holds_what_its_profile_declares(memcached: Any) -> None:
    most_key, most_value = memcached.profile.max_key_bytes, memcached.profile.max_value_bytes
    key, value = ("\x00" * most_key, *[""] * 7), "v" * (most_value - 2)
    memcached.set(key, value)
    assert memcached.get(key) == value
    with pytest.raises(InvalidValue):
        memcached.set(key, value + "v")
    assert memcached.get(key) == value
    for long in (("k" * (most_key + 1),), ("",) * 100_000):
        with pytest.raises(InvalidKey):
            memcached.set(long, 1)


def test_memcached_takes_another_key_of_the_same_digest_for_a_miss(memcached: Any) -> None:
    name, _ = memcached._address(("k",))
    _, foreign = memcached._address(("other",))
    memcached._client.set(name, foreign + b"1")
    assert memcached.get(("k",)) is None
    assert not memcached.cas(("k",), 1, 2)
    assert memcached.cas(("k",), None, 2)
    assert memcached.get(("k",)) == 2


def test_fakeredis_has_its_database_before_two_clients_can_race_for_it() -> None:
    store = load("fakeredis")()
    assert list(store._server.dbs) == [0]
    store.close()

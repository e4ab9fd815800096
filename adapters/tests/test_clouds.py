"""The stores on services of clouds, on stand-ins for them; see clouds.py."""

import inspect
import os
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from kv_spec.errors import (
    InvalidKey,
    InvalidTtl,
    InvalidValue,
    StoreClosed,
    Unavailable,
    Unsupported,
)

from . import test_concurrency, test_deadlines, test_stores
from .conftest import Clock, Opener

try:
    import httpx
    from kv_adapters.cloudflare import CloudflareStore
    from kv_adapters.dynamodb import DynamoDbStore
    from kv_adapters.mongodb import MongoDbStore

    from . import clouds
except ImportError as missing:
    if os.environ.get("CI"):
        raise
    pytest.skip(str(missing), allow_module_level=True)

SWAPPING = ["mongodb", "dynamodb"]
NAMES = [*SWAPPING, "cloudflare"]

FOR_ALL = [
    test_stores.test_hard_values_come_back_typed,
    test_stores.test_values_are_copies,
    test_stores.test_spaces_are_separate,
    test_stores.test_none_deletes,
    test_stores.test_listing_is_literal_and_in_order,
    test_stores.test_a_listing_can_be_written_to_and_left,
    test_stores.test_the_profile_is_one,
]
FOR_SWAPPING = [
    test_stores.test_hard_keys_are_all_different,
    test_stores.test_compare_and_swap,
    test_stores.test_no_value_and_no_ttl_change_nothing,
    test_stores.test_a_closed_store_refuses,
]


@pytest.fixture
def open_cloud(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Opens stores of one kind, all on one moved clock."""
    clock = Clock()
    opener = Opener(request.param, getattr(clouds, request.param), {"clock": clock}, clock)
    yield opener
    for store in opener.opened:
        if not store._closed:
            store.clear()
        store.close()


def on(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("open_cloud", names, indirect=True)


def follow(example: Callable[..., None], opener: Opener, *more: Any) -> None:
    """Runs an example that all stores share."""
    takes_store = "store" in inspect.signature(example).parameters
    example(opener() if takes_store else opener, *more)


@on(*NAMES)
@pytest.mark.parametrize("example", FOR_ALL, ids=lambda example: example.__name__)
def test_examples_of_every_store(open_cloud: Opener, example: Any) -> None:
    follow(example, open_cloud)


@on(*SWAPPING)
@pytest.mark.parametrize("example", FOR_SWAPPING, ids=lambda example: example.__name__)
def test_examples_of_stores_that_swap(open_cloud: Opener, example: Any) -> None:
    follow(example, open_cloud)


@on("mongodb")
def test_swaps_at_once(open_cloud: Opener) -> None:
    follow(test_concurrency.test_no_increment_is_lost, open_cloud, False)
    follow(test_concurrency.test_a_swap_has_one_winner, open_cloud)


@on("mongodb", "cloudflare")
def test_a_listing_goes_beyond_a_page(open_cloud: Opener) -> None:
    follow(test_stores.test_listing_goes_beyond_a_page, open_cloud)


@on(*NAMES)
@pytest.mark.parametrize(
    "ttl", test_stores.test_a_long_ttl_is_kept_or_refused.pytestmark[0].args[1]
)
def test_a_long_ttl_is_kept_or_refused(open_cloud: Opener, ttl: float) -> None:
    test_stores.test_a_long_ttl_is_kept_or_refused(open_cloud(), ttl)


@on("dynamodb")
def test_the_deadline_is_exact(open_cloud: Opener) -> None:
    follow(test_deadlines.test_the_deadline_is_exact, open_cloud, 1.5)


@on("dynamodb")
def test_a_write_replaces_the_deadline(open_cloud: Opener) -> None:
    follow(test_deadlines.test_a_write_replaces_the_deadline, open_cloud)


@on(*NAMES)
def test_an_entry_ends_although_the_service_keeps_it(open_cloud: Opener) -> None:
    store, clock = open_cloud(), open_cloud.clock
    store.set(("k",), 1, ttl=1.5)
    store.set(("stays",), 1)
    clock.now += 1.5 - 1 / 64
    assert store.get(("k",)) == 1
    assert [key for key, _ in store.list()] == [("k",), ("stays",)]
    clock.now += 1 / 64 + store.profile.ttl_resolution
    assert store.get(("k",)) is None
    assert not store.has(("k",))
    assert list(store.keys()) == [("stays",)]


@on(*SWAPPING)
def test_an_ended_entry_can_be_created_and_not_swapped(open_cloud: Opener) -> None:
    store, clock = open_cloud(), open_cloud.clock
    for key in ("swapped", "created", "removed", "kept"):
        store.set((key,), 1, ttl=10)
    assert store.cas(("kept",), 1, 2)
    assert not store.cas(("created",), None, 2)
    clock.now += 10 + store.profile.ttl_resolution
    assert not store.cas(("swapped",), 1, 2)
    assert not store.cas(("removed",), 1, None)
    assert store.cas(("removed",), None, None)
    assert store.cas(("created",), None, 2, ttl=10)
    assert list(store.list()) == [(("created",), 2), (("kept",), 2)]


@on("mongodb")
def test_what_ended_is_removed_by_no_more_than_its_deadline(open_cloud: Opener) -> None:
    """Between the two steps of a creation another client may create (TTL-10)."""
    store, other, clock = open_cloud(), open_cloud(), open_cloud.clock
    store.set(("k",), "old", ttl=1)
    clock.now += 2
    insert = store._collection.update_one

    def late(*arguments: Any, **options: Any) -> Any:
        store._collection.update_one = insert
        assert other.cas(("k",), None, "first")
        return insert(*arguments, **options)

    store._collection.update_one = late
    assert not store.cas(("k",), None, "second")
    assert other.get(("k",)) == "first"


def after_a_look(store: Any, act: Callable[[], object]) -> None:
    """Has something happen between the two steps of the store's next swap."""
    look = store._look

    def looked(path: Any) -> Any:
        found, store._look = look(path), look
        act()
        return found

    store._look = looked


@on(*SWAPPING)
def test_a_swap_meets_what_happened_since_it_looked(open_cloud: Opener) -> None:
    store, other, clock = open_cloud(), open_cloud(), open_cloud.clock
    for options in ({}, {"ttl": 10}):
        store.delete(("k",))
        after_a_look(store, partial(other.set, ("k",), "live", **options))
        assert not store.cas(("k",), None, "lost")
        assert store.get(("k",)) == "live"
    for new in ("lost", None):
        store.set(("k",), 1)
        after_a_look(store, lambda: other.set(("k",), 2))
        assert not store.cas(("k",), 1, new)
        assert store.get(("k",)) == 2
    store.set(("k",), 1, ttl=10)

    def end() -> None:
        clock.now += 10 + store.profile.ttl_resolution

    after_a_look(store, end)
    assert not store.cas(("k",), 1, "lost")
    assert store.get(("k",)) is None


@on("dynamodb")
def test_a_listing_and_a_clear_go_beyond_a_page_of_the_service(open_cloud: Opener) -> None:
    store = open_cloud()
    value = "v" * (store.profile.max_value_bytes - 2)
    for number in range(4):  # a page is a megabyte
        store.set((str(number),), value)
    store.set(("small",), 1)
    assert [key for key, _ in store.list()] == [("0",), ("1",), ("2",), ("3",), ("small",)]
    store.clear()
    assert list(store.keys()) == []


@on("dynamodb", "cloudflare")
def test_it_holds_what_its_profile_declares(open_cloud: Opener) -> None:
    store = open_cloud()
    most_key, most_value = store.profile.max_key_bytes, store.profile.max_value_bytes
    for key in (("k" * (most_key - 7), *"1234567"), ("\x00" * 200,), ("\x7f" * most_key,)):
        store.set(key, 1)
        assert store.get(key) == 1
    store.set(("k",), "v" * (most_value - 2))
    with pytest.raises(InvalidValue):
        store.set(("k",), "v" * (most_value - 1))
    assert len(store.get(("k",))) == most_value - 2
    for long in (("k" * (most_key + 1),), ("",) * 100_000):
        with pytest.raises(InvalidKey):
            store.set(long, 1)


@on("mongodb", "dynamodb")
def test_a_deadline_that_does_not_fit_is_refused(open_cloud: Opener) -> None:
    store = open_cloud()
    with pytest.raises(InvalidTtl):
        store.set(("k",), 1, ttl=1e300)


def workers(clock: Clock, **options: Any) -> tuple[clouds.WorkersKv, CloudflareStore]:
    service = clouds.WorkersKv(clock, **options)
    url = "cloudflare://Acc/Name"
    return service, CloudflareStore(url, token="secret", client=service.client(), clock=clock)


@pytest.mark.parametrize(
    ("ttl", "told"), [(0.001, 60), (58.5, 60), (60, 61), (60.1, 62), (3600, 3601)]
)
def test_workers_kv_is_told_to_remove_no_earlier(ttl: float, told: int) -> None:
    service, store = workers(Clock())
    store.set(("k",), 1, ttl=ttl)
    ((_, ends),) = service.entries.values()
    assert ends == Clock().now + told


def test_spaces_of_one_collection_and_of_one_namespace_are_separate() -> None:
    collection, service = clouds.MongoCollection(Clock()), clouds.WorkersKv(Clock())
    client, url = service.client(), "cloudflare://Acc/Name"
    kinds: list[Callable[[str], Any]] = [
        lambda space: MongoDbStore(collection=collection, space=space),
        lambda space: CloudflareStore(
            url, token="secret", client=client, space=space, clock=service.clock
        ),
    ]
    for kind in kinds:
        stores = [kind(space) for space in ("", "a", "a\x00", "ab")]
        for number, store in enumerate(stores):
            assert list(store.list()) == []
            store.set(("k",), number)
        stores[1].clear()
        assert [store.get(("k",)) for store in stores] == [0, None, 2, 3]


def test_workers_kv_has_no_cas() -> None:
    _, store = workers(Clock())
    assert "cas" in store.profile.without
    with pytest.raises(Unsupported):
        store.cas(("k",), None, 1)


def test_workers_kv_is_read_in_pages_and_in_less_where_it_is_too_much() -> None:
    service, store = workers(Clock(), page=10, most_bytes=1000)
    for number in range(25):
        store.set(("page", f"{number:02}"), "v" * 100)
    service.requests.clear()
    assert len(list(store.list(("page",)))) == 25
    assert service.requests.count("GET /keys") == 3
    assert service.requests.count("POST /bulk/get") > 3


def test_a_token_of_the_environment_is_for_the_service_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "secret")
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(404)

    client = httpx.Client(transport=httpx.MockTransport(answer))
    for endpoint in ("", "?endpoint=http://127.0.0.1:1/client/v4/"):
        CloudflareStore(f"cloudflare://a/b{endpoint}", client=client).get(("k",))
    assert [request.url.host for request in sent] == ["api.cloudflare.com", "127.0.0.1"]
    assert [request.url.path.count("/client/v4/accounts/a/") for request in sent] == [1, 1]
    assert [request.headers.get("Authorization") for request in sent] == ["Bearer secret", None]


@on(*NAMES)
def test_no_key_begins_with_a_prefix_that_is_longer_than_keys_are(open_cloud: Opener) -> None:
    store = open_cloud()
    store.set(("k",), 1)
    assert list(store.list(("k" * 100_000,))) == []
    store.close()
    with pytest.raises(StoreClosed):
        store.list(("k" * 100_000,))


def test_workers_kv_says_why_it_refuses() -> None:
    service, _ = workers(Clock())
    store = CloudflareStore("cloudflare://Acc/Name", token="wrong", client=service.client())
    with pytest.raises(Unavailable, match="403: Authentication"):
        store.get(("k",))
    store = CloudflareStore("cloudflare://Acc/None", token="secret", client=service.client())
    with pytest.raises(Unavailable, match="no Workers KV namespace"):
        list(store.list())


def test_a_mongodb_that_is_not_there_is_told_while_the_time_stands_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client would measure its patience by that time (ERR-2)."""
    began = time.perf_counter()
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # it does not listen
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unavailable, match=f"{address}: Connection refused"):
            MongoDbStore(f"mongodb://{address}/kv")
    assert time.perf_counter() < began + 5


def test_who_gives_no_place_is_told_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    wrong: list[tuple[Any, tuple[Any, ...], str]] = [
        (MongoDbStore, (), "mongodb://"),
        (DynamoDbStore, (), "dynamodb://TABLE"),
        (DynamoDbStore, ("dynamodb://",), "dynamodb://TABLE"),
        (DynamoDbStore, ("dynamodb://T?regoin=a",), "dynamodb://TABLE"),
        (CloudflareStore, (), "cloudflare://ACCOUNT_ID/NAMESPACE_ID"),
        (CloudflareStore, ("cloudflare://only-one",), "NAMESPACE_ID"),
        (CloudflareStore, ("cloudflare://a/b",), "CLOUDFLARE_API_TOKEN"),
        (CloudflareStore, ("cloudflare://a/b?end=c",), "NAMESPACE_ID"),
    ]
    for kind, arguments, hint in wrong:
        with pytest.raises(ValueError, match=hint):
            kind(*arguments)

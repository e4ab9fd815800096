"""The store on Workers KV itself: workerd, the server of Cloudflare's, on this machine."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from kv_spec.errors import Unavailable

from . import test_stores
from .conftest import Clock, Opener, unavailable

try:
    import httpx
    from kv_adapters.cloudflare import CloudflareStore
    from kv_adapters.servers import Server, ServerMissing
    from kv_adapters.servers.workers_kv import find_modules, workers_kv_server

    from . import clouds, test_clouds
except ImportError as missing:
    if os.environ.get("CI"):
        raise
    pytest.skip(str(missing), allow_module_level=True)

ROOT = clouds.WorkersKv.ROOT


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    try:
        with workers_kv_server() as running:
            yield running
    except ServerMissing as missing:
        unavailable(str(missing))


@pytest.fixture
def open_workers(server: Server) -> Iterator[Opener]:
    clock = Clock()
    opener = Opener("workers-kv", CloudflareStore, {"url": server.url, "clock": clock}, clock)
    yield opener
    for store in opener.opened:
        store.clear()
        store.close()


@pytest.mark.parametrize(
    "example",
    [
        *test_clouds.FOR_ALL,
        test_stores.test_listing_goes_beyond_a_page,
        test_clouds.test_it_holds_what_its_profile_declares,
        test_clouds.test_an_entry_ends_although_the_service_keeps_it,
    ],
    ids=lambda example: example.__name__,
)
def test_examples_of_every_store(open_workers: Opener, example: Any) -> None:
    test_clouds.follow(example, open_workers)


def test_no_key_begins_with_a_prefix_that_is_longer_than_names_are(open_workers: Opener) -> None:
    store = open_workers()
    store.set(("k",), 1)
    assert list(store.list(("k" * 1000,))) == []
    with pytest.raises(Unavailable, match="414"):  # it would be refused
        list(store._scan(("k" * 1000,)))


def moved(server: Server, seconds: float) -> None:
    if server.time is None:
        unavailable(f"the time of Workers KV can not be moved: {server.real_time}")
    server.time.move(seconds)


@pytest.mark.parametrize("ttl", [0.5, 61.5, 3600])
def test_the_service_removes_what_has_ended_and_nothing_earlier(
    server: Server, open_workers: Opener, ttl: float
) -> None:
    store = open_workers()
    began = time.monotonic()
    store.set(("k",), 1, ttl=ttl)
    moved(server, max(60.0, ttl) - 1)
    assert time.monotonic() < began + 1, "too slow to say"
    assert [entry for names in store._pages(()) for entry in names] != []
    moved(server, 3)
    # The store's own clock stands still: what it does not see is not there.
    assert store.get(("k",)) is None
    assert list(store._pages(())) == [[]]


def test_the_stand_in_answers_as_workers_kv_does(server: Server) -> None:
    url, _, endpoint = server.url.partition("?endpoint=")
    real = f"{endpoint.removesuffix('/client/v4')}{ROOT}".replace("/Acc/", "/local/")
    real = real.replace("/Name", f"/{url.rpartition('/')[2]}")
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("PUT", "/values/a", {"content": b"1"}),
        ("PUT", "/values/a?expiration_ttl=60", {"content": b"1"}),
        ("PUT", "/values/a?expiration_ttl=59", {"content": b"1"}),
        ("PUT", f"/values/{'k' * 512}", {"content": b"1"}),
        ("PUT", f"/values/{'k' * 513}", {"content": b"1"}),
        ("PUT", "/values/large", {"content": b"1" * (25 * 2**20)}),
        ("PUT", "/values/larger", {"content": b"1" * (25 * 2**20 + 1)}),
        ("POST", "/bulk/get", {"json": {"keys": ["large", "a"], "type": "text"}}),
        ("GET", "/values/a", {}),
        ("GET", "/values/b", {}),
        ("GET", "/keys?limit=10&prefix=k", {}),
        ("GET", f"/keys?limit=10&prefix={'k' * 513}", {}),
        ("POST", "/bulk/get", {"json": {"keys": ["a", "b"], "type": "text"}}),
        ("DELETE", "/values/b", {}),
        ("POST", "/bulk/delete", {"json": ["a", "b", "k" * 512, "large"]}),
        ("GET", "/keys?limit=10", {}),
    ]
    stand_in = clouds.WorkersKv(time.time).client()
    with httpx.Client(headers={"Authorization": "Bearer secret"}, timeout=30) as client:
        for method, path, body in requests:
            theirs = client.request(method, real + path, **body)
            headers = {"Authorization": "Bearer secret"}
            ours = stand_in.request(method, f"http://host{ROOT}{path}", headers=headers, **body)
            assert (path, ours.status_code) == (path, theirs.status_code)
            if ours.is_success and not path.startswith("/values"):
                assert (path, ours.json()["result"]) == (path, told(theirs))


def told(answer: httpx.Response) -> Any:
    """The result of an answer, without what the store makes no use of."""
    result = answer.json()["result"]
    if isinstance(result, dict):
        result.pop("unsuccessful_keys", None)
    return result


def test_miniflare_is_looked_for_as_node_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NODE_PATH", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ServerMissing, match="npm install miniflare"):
        find_modules()
    modules, below = tmp_path / "project" / "node_modules", tmp_path / "project" / "a" / "b"
    for folder in (modules / "miniflare", below):
        folder.mkdir(parents=True)
    (modules / "miniflare" / "package.json").write_text("{}")
    monkeypatch.setenv("NODE_PATH", os.pathsep.join((str(tmp_path), str(modules))))
    assert find_modules() == modules.resolve()
    monkeypatch.delenv("NODE_PATH")
    monkeypatch.chdir(below)
    assert find_modules() == modules.resolve()


@pytest.mark.skipif(sys.platform != "linux", reason="a process dies with another on Linux only")
def test_a_server_that_is_killed_takes_its_own_with_it() -> None:
    try:
        with workers_kv_server() as server:
            store = CloudflareStore(server.url)
            store.set(("k",), 1)
            workers = [process for process in children(server.pid) if "workerd" in name(process)]
            assert workers != []
            os.kill(server.pid, signal.SIGKILL)
            until = time.monotonic() + 5
            while any(name(process) for process in workers):
                assert time.monotonic() < until
                time.sleep(0.01)
            with pytest.raises(Unavailable, match="Workers KV"):
                store.get(("k",))
            store.close()
    except ServerMissing as missing:
        unavailable(str(missing))


def children(process: int) -> list[int]:
    told = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in told.split()]


def name(process: int) -> str:
    """The command line of a process; nothing once it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_text()
    return ""

"""What is Valkey's own: the conditions of its commands, and two clients."""

from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from .conftest import Opener, Runs, load, unavailable


@pytest.fixture
def store(runs: Runs) -> Iterator[Any]:
    opener = Opener("valkey", load("valkey"), runs("valkey"))
    yield opener()
    opener.opened[0].close()


def swaps(store: Any) -> None:
    store.set(("k",), 1, ttl=1000)
    assert not store.cas(("k",), 2, 3)
    assert store.cas(("k",), 1, 2, ttl=50)
    assert 49_000 < store._client.pttl(store._name(("k",))) <= 50_001
    assert store.cas(("k",), 2.0, "v" * 100_000)
    assert store._client.pttl(store._name(("k",))) == -1
    assert store.cas(("k",), "v" * 100_000, None)
    assert not store.has(("k",))
    assert not store.cas(("k",), 1, None)


def calls(store: Any, command: str) -> int:
    """How often the server was given a command."""
    return int(store._client.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"])


def test_a_swap_is_one_command_and_no_script(store: Any) -> None:
    commands = ("evalsha", "eval", "delifeq")
    before = [calls(store, command) for command in commands]
    swaps(store)
    after = [calls(store, command) for command in commands]
    if not store._has_conditions:
        unavailable(f"{store.describe()} has no such commands")
    assert [new - old for old, new in zip(before, after, strict=True)] == [0, 0, 1]


def test_a_server_without_conditions_has_the_script(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = store._client.execute_command

    def older(*command: Any, **options: Any) -> Any:
        if command[0] == "DELIFEQ" or "IFEQ" in command:
            command = ("SET", "k", "v", "NO-SUCH-WORD")
        return execute(*command, **options)

    monkeypatch.setattr(store._client, "execute_command", older)
    swaps(store)
    assert not store._has_conditions


@pytest.mark.parametrize("library", ["valkey", "redis"])
def test_it_takes_a_client_of_either_library(runs: Runs, library: str) -> None:
    try:
        module = import_module(library)
    except ImportError as error:
        unavailable(str(error))
    client = module.Redis.from_url(runs("valkey")["url"])
    store = load("valkey")(client=client, space=f"clients of {library}")
    store.set(("k",), 1)
    swaps(store)
    store.clear()
    store.close()
    assert client.ping()
    client.close()


@pytest.mark.parametrize("name", ["valkey", "redis"])
def test_a_client_of_neither_library_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match="SimpleNamespace"):
        load(name)(client=SimpleNamespace())


def test_its_urls_are_known_to_both_libraries() -> None:
    for url in ("valkey://127.0.0.1:1/2", "valkeys://127.0.0.1:1/2"):
        store = load("valkey")(url)
        assert store._client.connection_pool.connection_kwargs["db"] == 2
        store.close()

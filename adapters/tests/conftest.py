"""Every store by name, opened in a space of its own, and a clock that tests move."""

import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, NoReturn

import pytest

CLASSES = {
    "memory": "kv_adapters.memory:MemoryStore",
    "sqlite": "kv_adapters.sqlite:SqliteStore",
    "sqlite-in-memory": "kv_adapters.sqlite:SqliteStore",
    "redis": "kv_adapters.redis:RedisStore",
    "memcached": "kv_adapters.memcached:MemcachedStore",
    "fakeredis": "kv_adapters.fakeredis:FakeRedisStore",
    "valkey": "kv_adapters.valkey:ValkeyStore",
    "etcd": "kv_adapters.etcd:EtcdStore",
    "postgres": "kv_adapters.postgres:PostgresStore",
    "mysql": "kv_adapters.mysql:MysqlStore",
    "tiered": "kv_adapters.tiered:TieredStore",
    "prefixed": "kv_adapters.prefixed:PrefixedStore",
    "coalescing": "kv_adapters.coalescing:CoalescingStore",
    "leveldb": "kv_adapters.leveldb:LevelDbStore",
    "lmdb": "kv_adapters.lmdb:LmdbStore",
    "rocksdb": "kv_adapters.rocksdb:RocksDbStore",
    "file": "kv_adapters.file:FileStore",
    "folder": "kv_adapters.folder:FolderStore",
}
LAYERS = ("tiered", "prefixed", "coalescing")
EMBEDDED = ("leveldb", "lmdb", "rocksdb", "file", "folder")
LISTING = [name for name in CLASSES if name != "memcached"]


@dataclass
class Clock:
    """Seconds that stand still until they are moved."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Opener:
    """Opens stores of one kind: `open_store(space)`."""

    name: str
    kind: Any
    options: dict[str, object]
    clock: Clock = field(default_factory=Clock)
    number: int = field(default_factory=itertools.count().__next__)
    opened: list[Any] = field(default_factory=list)

    def __call__(self, space: str = "a") -> Any:
        options = dict(self.options)
        if self.name.startswith(("memory", "sqlite", *LAYERS, *EMBEDDED)):
            options["clock"] = self.clock
        store = self.kind(space=f"{space}-of-{self.number}", **options)
        self.opened.append(store)
        return store


def unavailable(reason: str) -> NoReturn:
    """Skips in sight; fails where everything is to be installed."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def load(name: str) -> Any:
    """The class of a store, if its client is installed."""
    module, _, attribute = CLASSES[name].partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ImportError as error:
        unavailable(str(error))


class Runs:
    """The servers of this test run, each started when a test first asks for it."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.options: dict[str, dict[str, object] | str] = {}

    def __call__(self, name: str) -> dict[str, object]:
        kind = load(name)
        if name not in self.options:
            self.options[name] = self._start(name, kind)
        options = self.options[name]
        if isinstance(options, str):
            unavailable(options)
        return options

    def _start(self, name: str, kind: Any) -> dict[str, object] | str:
        from kv_adapters.servers import ServerMissing

        if name == "sqlite-in-memory" or not hasattr(kind, "for_run"):
            return {}
        try:
            return dict(self.stack.enter_context(kind.for_run()).options)
        except ServerMissing as error:
            return str(error)


@pytest.fixture(scope="session")
def runs() -> Iterator[Runs]:
    with ExitStack() as stack:
        yield Runs(stack)


@pytest.fixture(params=list(CLASSES))
def open_store(request: pytest.FixtureRequest, runs: Runs) -> Iterator[Opener]:
    """Opens stores of each kind; a test may narrow the kinds by an indirect parameter."""
    opener = Opener(request.param, load(request.param), runs(request.param))
    yield opener
    for store in opener.opened:
        store.close()


@pytest.fixture
def store(open_store: Opener) -> Any:
    """An empty store of each kind."""
    return open_store()

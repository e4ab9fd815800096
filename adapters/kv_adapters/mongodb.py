"""A store in MongoDB: a document an entry, deadlines by the server's clock."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any, Final

from kv_spec.errors import InvalidTtl, Unavailable
from kv_spec.profile import Profile
from kv_spec.store import Entry

from kv_adapters.base import OptimisticStore
from kv_adapters.checks import Path, round_up
from kv_adapters.encoding import decode_key, encode_key, load_value
from kv_adapters.limits import LimitedStore, Limits

try:
    import pymongo
    import pymongo.uri_parser
    from bson.int64 import Int64
    from pymongo.errors import DuplicateKeyError, PyMongoError
except ImportError as error:
    raise ImportError("this adapter needs pymongo: pip install kv-conformance[mongodb]") from error

_MILLISECOND: Final = 10**6
_LONGEST: Final = 2**62
"""The longest ttl in milliseconds: a date is so many since 1970, in 64 bits with a sign."""
_ROUNDS: Final = 100
_CONNECT: Final = 5
"""Seconds within which a connection must be made."""
_LIMITS: Final = {
    "serverSelectionTimeoutMS": 1000,
    "connectTimeoutMS": _CONNECT * 1000,
    "socketTimeoutMS": 10_000,
}
"""How long to wait where the url says nothing of it; a replica set that elects may want longer."""

_LIVE: Final = {"$or": [{"deadline": None}, {"$expr": {"$gt": ["$deadline", "$$NOW"]}}]}
_ENDED: Final = {"$expr": {"$lte": ["$deadline", "$$NOW"]}, "deadline": {"$ne": None}}
_ABOVE: Final = "g"


class MongoDbStore(OptimisticStore, LimitedStore):
    """Entries as documents `{_id: key, value: bytes, deadline: date or null}` of one collection.

    `url` is `mongodb://host:port/database` (the database is `kv` where none is named); the
    collection is `collection`. Instead a pymongo `Collection` can be given, which then stays the
    caller's. Needs MongoDB 4.2. A space is a first component of all keys. Raises Unavailable where
    none of the hosts takes a connection.

    The key is the hexadecimal text of its encoding: MongoDB orders binary data by length first,
    and text by its bytes. Deadlines are counted and read by the server (`$$NOW`), so that the
    clocks of clients do not matter; several `mongos` must have one time. A TTL index removes what
    has ended, up to a minute late; reads do not rely on it. Writes wait for a majority, and reads
    ask the primary: who reads after its own write sees it, but a primary that has just lost its
    office may still answer others, which is why no more than that is declared.
    """

    limits = Limits(key=4096, name=64 * 1024, value=15 * 2**20)
    """A document has up to 16 MiB, the key included."""
    # Dates have milliseconds: one is lost when a deadline is written and one when it is read.
    profile = Profile(
        name="mongodb",
        capabilities=frozenset({"bigint", "shared", "iterate"}),
        ttl_resolution=0.005,
        list_order="lex",
        iteration="weak",
        consistency="read-your-writes",
        durable=True,
        after_close="error",
        max_key_bytes=limits.key,
        max_value_bytes=limits.value,
    )

    def __init__(self, url: str | None = None, *, collection: Any = "kv", space: str = "") -> None:
        given = not isinstance(collection, str)
        if (url is None) != given:
            raise ValueError(
                "a MongoDbStore takes a url of a running server (mongodb://127.0.0.1:27017/kv), "
                "or a pymongo Collection as collection"
            )
        self._root: Path = (space,)
        self._collection: Any = collection
        self._make_index: Callable[[], object] = _nothing
        if not given:
            self._collection, self._make_index = _connected(url or "", collection, os.getpid())

    def describe(self) -> str:
        """The server's name and version."""
        with _errors():
            info = self._collection.database.client.server_info()
        return f"MongoDB {info['version']}"

    def _encoded(self, path: Path) -> str:
        return self._id(path)

    def _read(self, path: Path) -> Any:
        return self._look(path)[0]

    def _write(self, path: Path, packed: Any, life: int | None) -> None:
        change = self._change(packed, life)
        for _ in range(_ROUNDS):
            # Of two that insert one key at once, one is told that the key is there: it updates.
            with _errors(), _unless_there() as lost:
                self._collection.update_one({"_id": self._id(path)}, change, upsert=True)
            if not lost:
                return
        raise Unavailable(f"MongoDB: a write met others {_ROUNDS} times running")

    def _remove(self, path: Path) -> None:
        with _errors():
            self._collection.delete_one({"_id": self._id(path)})

    def _look(self, path: Path) -> tuple[Any, Any]:
        with _errors():
            found = self._collection.find_one({"_id": self._id(path), **_LIVE}, {"value": 1})
        if found is None:
            return None, None
        raw = bytes(found["value"])
        return load_value(raw), raw

    def _exchange(self, path: Path, token: Any, packed: Any, life: int | None) -> bool:
        if token is None:
            return self._create(path, self._change(packed, life))
        seen = {"_id": self._id(path), "value": token, **_LIVE}
        with _errors():
            if packed is None:
                return bool(self._collection.delete_one(seen).deleted_count)
            return bool(self._collection.update_one(seen, self._change(packed, life)).matched_count)

    def _create(self, path: Path, change: list[dict[str, Any]]) -> bool:
        """Inserts an entry where none is live.

        In two steps, each of which leaves a live entry alone: an upsert may not look at the clock.
        """
        name = self._id(path)
        with _errors(), _unless_there() as lost:
            self._collection.delete_one({"_id": name, **_ENDED})
            # It matches no document, and so inserts; one of that name is an error, not a match.
            self._collection.update_one(
                {"_id": name, "value": {"$exists": False}}, change, upsert=True
            )
        return not lost

    def _change(self, packed: bytes, life: int | None) -> list[dict[str, Any]]:
        """The update that sets value and deadline, by the server's clock as it is applied.

        One millisecond more than asked, for the clock's reading is cut off to milliseconds and the
        entry must not end early (TTL-2). Raises InvalidTtl.
        """
        deadline: Mapping[str, Any] = {"$literal": None}
        if life is not None:
            milliseconds = round_up(life, _MILLISECOND) + 1
            if milliseconds > _LONGEST:
                raise InvalidTtl("a ttl of so many milliseconds does not fit into 64 bits")
            deadline = {"$add": ["$$NOW", Int64(milliseconds)]}
            with _errors():
                self._make_index()
        return [{"$set": {"value": {"$literal": packed}, "deadline": deadline}}]

    def _scan(self, prefix: Path) -> Iterator[Entry]:
        with _errors():
            found = self._collection.find({**self._below(prefix), **_LIVE}, {"value": 1})
            return self._entries(found.sort("_id", 1))

    def _entries(self, found: Any) -> Iterator[Entry]:
        with _errors(), found:
            for document in found:
                key = decode_key(bytes.fromhex(document["_id"]))
                yield key[len(self._root) :], load_value(bytes(document["value"]))

    def _clear(self) -> None:
        with _errors():
            self._collection.delete_many(self._below(()))

    def _release(self) -> None:
        """The connections are the process's: the next handle uses them."""

    def _id(self, path: Path) -> str:
        return encode_key(self._root + path).hex()

    def _below(self, prefix: Path) -> dict[str, Any]:
        low = self._id(prefix)
        return {"_id": {"$gte": low, "$lt": low + _ABOVE}}


def _nothing() -> None:
    """The index of a collection that was given is made by who made the collection."""


@lru_cache(maxsize=16)
def _connected(url: str, collection: str, process: int) -> tuple[Any, Callable[[], object]]:
    """The collection, over a pool of connections that serves the whole process, and its index.

    The index is made by the first call of what comes second; the later ones do nothing.

    A client starts threads and asks the server first what it is, too much for each handle; one
    that was made before a fork does not work after it, so that `process` is a part of its name.
    """
    _check_reachable(url)
    limits: dict[str, Any] = {
        name: most for name, most in _LIMITS.items() if name.lower() not in url.lower()
    }
    client: Any = pymongo.MongoClient(url, **limits)
    found = client.get_default_database("kv").get_collection(
        collection,
        write_concern=pymongo.WriteConcern(w="majority"),
        read_preference=pymongo.ReadPreference.PRIMARY,
    )
    return found, cache(lambda: found.create_index("deadline", expireAfterSeconds=0))


def _check_reachable(url: str) -> None:
    """Raises Unavailable, and says why, if none of the hosts in `url` takes a connection.

    A client looks for its server as long as its patience lasts by `time.monotonic`: where that
    stands still, as in a test which moves the time, it would look for ever.
    """
    if not url.startswith("mongodb://"):  # the hosts of mongodb+srv are in the DNS
        return
    reasons = []
    for host, port in pymongo.uri_parser.parse_uri(url)["nodelist"]:
        if port is None:  # a Unix socket
            return
        try:
            socket.create_connection((host, port), timeout=_CONNECT).close()
        except OSError as error:
            reasons.append(f"{host}:{port}: {error.strerror or error}")
        else:
            return
    raise Unavailable(f"MongoDB: {'; '.join(reasons)}")


@contextmanager
def _unless_there() -> Iterator[list[DuplicateKeyError]]:
    """Notes, in the list that it gives, that a document of that name was there."""
    met: list[DuplicateKeyError] = []
    try:
        yield met
    except DuplicateKeyError as error:
        met.append(error)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        raise Unavailable(f"MongoDB: {error}") from error

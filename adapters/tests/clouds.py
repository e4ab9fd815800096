"""Stand-ins for services of clouds: what they do, as their manuals say.

They show that the stores ask for the right things if the services keep their word. They prove
nothing about the services; that of Workers KV is held against a real one in test_workers_kv.py.
Each is also a factory: `kv-conformance --store FILE:mongodb`.
"""

import json
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, unquote

import bson
import httpx
from kv_adapters.cloudflare import CloudflareStore
from kv_adapters.dynamodb import DynamoDbStore
from kv_adapters.mongodb import MongoDbStore
from pymongo.errors import DuplicateKeyError, OperationFailure

Clock = Callable[[], float]


@dataclass
class Cursor:
    """The documents that a find gives."""

    documents: list[dict[str, Any]]

    def __enter__(self) -> "Cursor":
        return self

    def __exit__(self, *_: object) -> None: ...

    def __iter__(self) -> Any:
        return iter(self.documents)

    def sort(self, field_: str, _: int) -> "Cursor":
        self.documents.sort(key=lambda document: document[field_])
        return self


@dataclass
class MongoCollection:
    """A collection, with as much of the language of MongoDB as the store uses."""

    clock: Clock
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock)

    def _now(self) -> int:
        return int(self.clock() * 1000)  # milliseconds, cut off

    def _matches(self, document: dict[str, Any], condition: dict[str, Any]) -> bool:
        return all(self._holds(document, name, wanted) for name, wanted in condition.items())

    def _holds(self, document: dict[str, Any], name: str, wanted: Any) -> bool:
        if name == "$or":
            return any(self._matches(document, each) for each in wanted)
        if name == "$expr":
            ((operator, (left, right)),) = wanted.items()
            assert (left, right) == ("$deadline", "$$NOW")
            deadline = document["deadline"]
            if deadline is None:  # null comes before every date
                return bool(operator == "$lte")
            now = self._now()
            return bool(deadline > now if operator == "$gt" else deadline <= now)
        if not isinstance(wanted, dict):
            return bool(document.get(name) == wanted)
        tests = {
            "$gte": lambda given, bound: given >= bound,
            "$lt": lambda given, bound: given < bound,
            "$ne": lambda given, bound: given != bound,
            "$exists": lambda given, bound: (given is not None) == bound,
        }
        return all(tests[o](document.get(name), bound) for o, bound in wanted.items())

    def _value(self, expression: dict[str, Any]) -> Any:
        ((operator, argument),) = expression.items()
        if operator == "$literal":
            return argument
        assert operator == "$add"
        assert argument[0] == "$$NOW"
        return self._now() + argument[1]

    def _found(self, condition: dict[str, Any]) -> list[dict[str, Any]]:
        sent = bson.decode(bson.encode(condition))
        name = sent["_id"]
        among = [self.documents.get(name)] if isinstance(name, str) else self.documents.values()
        return [document for document in tuple(among) if document and self._matches(document, sent)]

    def update_one(self, condition: Any, change: Any, *, upsert: bool = False) -> Any:
        if upsert and "$expr" in json.dumps(condition, default=str):
            raise OperationFailure("$expr is not allowed in the query predicate for an upsert")
        ((stage, fields),) = bson.decode(bson.encode({"sent": change}))["sent"][0].items()
        assert stage == "$set"
        with self.lock:
            found = self._found(condition)
            if not found:
                if not upsert:
                    return SimpleNamespace(matched_count=0)
                if condition["_id"] in self.documents:
                    raise DuplicateKeyError("E11000 duplicate key error")
                found = [self.documents.setdefault(condition["_id"], {"_id": condition["_id"]})]
            found[0].update({name: self._value(each) for name, each in fields.items()})
            return SimpleNamespace(matched_count=len(found))

    def delete_one(self, condition: Any) -> Any:
        with self.lock:
            return self._delete(self._found(condition)[:1])

    def delete_many(self, condition: Any) -> Any:
        with self.lock:
            return self._delete(self._found(condition))

    def _delete(self, found: list[dict[str, Any]]) -> Any:
        for document in found:
            del self.documents[document["_id"]]
        return SimpleNamespace(deleted_count=len(found))

    def find_one(self, condition: Any, fields: Any) -> Any:
        return next(iter(self.find(condition, fields)), None)

    def find(self, condition: Any, fields: Any) -> Cursor:
        with self.lock:
            return Cursor([{n: d[n] for n in ("_id", *fields)} for d in self._found(condition)])


@dataclass
class WorkersKv:
    """The REST API of one namespace of Workers KV, without the delay of a real one."""

    clock: Clock
    entries: dict[str, tuple[str, float | None]] = field(default_factory=dict)
    page: int = 1000
    requests: list[str] = field(default_factory=list)
    most_bytes: int = 25 * 2**20

    ROOT = "/client/v4/accounts/Acc/storage/kv/namespaces/Name"

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.decode().partition("?")
        self.requests.append(f"{request.method} {path.removeprefix(self.ROOT)[:12]}")
        if request.headers.get("Authorization") != "Bearer secret":
            return httpx.Response(403, text="Authentication error")
        if not path.startswith(self.ROOT):
            return httpx.Response(404, text="namespace not found")
        _, kind, *rest = path.removeprefix(self.ROOT).split("/")
        options = {name: values[0] for name, values in parse_qs(query).items()}
        if kind == "values":
            return self._values(request, unquote(rest[0]), options)
        return self._keys(options) if kind == "keys" else self._bulk(request, rest[0])

    def _live(self, name: str) -> str | None:
        value, ends = self.entries.get(name, (None, None))
        return value if ends is None or self.clock() < ends else None

    def _values(self, request: httpx.Request, name: str, options: Any) -> httpx.Response:
        if request.method == "GET":
            value = self._live(name)
            return httpx.Response(404) if value is None else httpx.Response(200, text=value)
        if request.method == "DELETE":
            self.entries.pop(name, None)
            return _result({})
        if len(name.encode()) > 512:
            return httpx.Response(414, text="key length limit of 512")
        if not name or not name.isprintable() or " " in name:
            return httpx.Response(400, text="invalid key name")
        if len(request.content) > self.most_bytes:
            return httpx.Response(413, text="value too large")
        ttl = int(options["expiration_ttl"]) if options else None
        if ttl is not None and not 60 <= ttl < 2**31:
            return httpx.Response(400, text="Invalid expiration_ttl. Must be at least 60.")
        ends = None if ttl is None else int(self.clock()) + ttl
        self.entries[name] = (request.content.decode("ascii"), ends)
        return _result({})

    def _keys(self, options: dict[str, str]) -> httpx.Response:
        limit = min(int(options["limit"]), self.page)
        prefix, cursor = options.get("prefix", ""), options.get("cursor", "")
        if len(prefix.encode()) > 512:
            return httpx.Response(414, text="key length limit of 512")
        names = [n for n in self.entries if n.startswith(prefix) and self._live(n) is not None]
        names = sorted((n for n in names if n > cursor), key=str.encode)
        page = names[:limit]
        more = page[-1] if len(names) > limit else ""
        return _result([{"name": n} for n in page], result_info={"cursor": more})

    def _bulk(self, request: httpx.Request, verb: str) -> httpx.Response:
        sent = json.loads(request.content)
        if verb == "delete":
            assert len(sent) <= 10_000
            for name in sent:
                self.entries.pop(name, None)
            return _result({"successful_key_count": len(sent)})
        assert len(sent["keys"]) <= 100
        values = {name: self._live(name) for name in sent["keys"]}
        if sum(len(value or "") for value in values.values()) > self.most_bytes:
            return httpx.Response(413, text="too large")
        return _result({"values": values})


def _result(result: Any, **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"success": True, "errors": [], "result": result, **more})


# A collection and a namespace for each space, so that none grows with the length of a run.
_COLLECTIONS: dict[str, MongoCollection] = {}
_NAMESPACES: dict[str, WorkersKv] = {}


def mongodb(space: str = "", clock: Clock = time.time) -> MongoDbStore:
    """A store on a stand-in for a collection."""
    collection = _recent(_COLLECTIONS).setdefault(space, MongoCollection(clock))
    return MongoDbStore(collection=collection, space=space)


def cloudflare(space: str = "", clock: Clock = time.time) -> CloudflareStore:
    """A store on a stand-in for Workers KV."""
    service = _recent(_NAMESPACES).setdefault(space, WorkersKv(clock))
    return CloudflareStore(
        "cloudflare://Acc/Name", token="secret", client=service.client(), space=space, clock=clock
    )


def _recent(spaces: dict[str, Any]) -> dict[str, Any]:
    """Spaces by name, without those that were made long ago."""
    while len(spaces) > 200:
        del spaces[next(iter(spaces))]
    return spaces


_MOTO: list[Any] = []


def dynamodb(space: str = "", clock: Clock = time.time) -> DynamoDbStore:
    """A store on moto, which imitates DynamoDB in this process from the first call on."""
    if not _MOTO:
        import boto3
        from moto import mock_aws

        mock_aws().start()
        _MOTO.append(boto3.client("dynamodb", region_name="eu-west-1"))
        DynamoDbStore.create_table(_MOTO[0], "Table")
    return DynamoDbStore(client=_MOTO[0], table="Table", space=space, clock=clock)


def stored(text: str) -> bytes:
    """What a value of the stand-in for Workers KV has in it."""
    return b64decode(text)

"""A store in a DynamoDB table."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from time import time as time_of_day
from typing import Any, Final

from kv_spec.errors import InvalidTtl
from kv_spec.profile import Profile
from kv_spec.store import Entry

from kv_adapters.base import OptimisticStore
from kv_adapters.checks import NANOSECONDS, Path, nanoseconds_down, nanoseconds_up, round_up
from kv_adapters.dynamodb_table import REFUSED, connect, create_table, errors
from kv_adapters.encoding import decode_key, encode_key, load_value
from kv_adapters.limits import LimitedStore, Limits

_LAST_INSTANT: Final = 10**37
"""The last deadline in nanoseconds: a number has 38 digits."""
_PAGE: Final = 25
"""Deletions in one request."""

_NAMES: Final = {"#space": "space", "#key": "key"}
_VALUE: Final = {"#value": "value", "#deadline": "deadline"}
_ABSENT: Final = "attribute_not_exists(#value) OR #deadline <= :now"
_SEEN: Final = "#value = :seen AND (attribute_not_exists(#deadline) OR #deadline > :now)"
"""Names in expressions stand for attributes: some are words of the language."""


class DynamoDbStore(OptimisticStore, LimitedStore):
    """Entries as items of one table, keyed by `space` and `key`, which are binary.

    `url` is `dynamodb://TABLE`, with `?region=…` and `?endpoint=http://…` where they are not those
    of the environment, from which the credentials come too. Instead a boto3 `client` can be given
    with the name of the `table`; it should not try again by itself: a swap that is sent twice can
    succeed and be told as a failure. `create_table` makes a table that fits.

    Reads are consistent ones. DynamoDB removes what has ended only within days, and by whole
    seconds (`expires` is the attribute for its time to live): every read and every condition
    therefore looks at `deadline`, in nanoseconds. The service tells nobody its time, so that
    deadlines are by `clock`, in seconds; clients of one table must have one time.
    """

    create_table = staticmethod(create_table)
    limits = Limits(key=800, name=1024, value=400_000)
    """A sort key has up to 1024 bytes, and an item 400 KiB, its attributes' names included."""
    profile = Profile(
        name="dynamodb",
        capabilities=frozenset({"bigint", "shared", "iterate"}),
        ttl_resolution=0.0,
        list_order="lex",
        iteration="weak",
        durable=True,
        after_close="error",
        max_key_bytes=limits.key,
        max_value_bytes=limits.value,
    )

    def __init__(
        self,
        url: str | None = None,
        *,
        client: Any = None,
        table: str | None = None,
        space: str = "",
        clock: Callable[[], float] = time_of_day,
    ) -> None:
        if (url is None) == (client is None or table is None):
            raise ValueError(
                "a DynamoDbStore takes a url (dynamodb://TABLE?region=eu-west-1) of a table, "
                "or a boto3 client and the name of a table"
            )
        self._client, self._table = (client, table) if url is None else connect(url, os.getpid())
        # The service takes no empty partition key.
        self._space = {"B": encode_key((space,))}
        self._clock = clock

    def describe(self) -> str:
        """The table and where it is."""
        return f"DynamoDB table {self._table} at {self._client.meta.endpoint_url}"

    def _encoded(self, path: Path) -> bytes:
        return encode_key(path)

    def _read(self, path: Path) -> Any:
        return self._look(path)[0]

    def _write(self, path: Path, packed: Any, life: int | None) -> None:
        item = self._item(path, packed, life)
        with errors():
            self._client.put_item(TableName=self._table, Item=item)

    def _remove(self, path: Path) -> None:
        with errors():
            self._client.delete_item(TableName=self._table, Key=self._key(path))

    def _look(self, path: Path) -> tuple[Any, Any]:
        with errors():
            answer = self._client.get_item(
                TableName=self._table, Key=self._key(path), ConsistentRead=True
            )
        item = answer.get("Item")
        if item is None or not self._is_live(item):
            return None, None
        return load_value(item["value"]["B"]), item["value"]

    def _exchange(self, path: Path, token: Any, packed: Any, life: int | None) -> bool:
        now = {":now": {"N": str(self._now())}}
        condition: dict[str, Any] = {
            "TableName": self._table,
            "ConditionExpression": _ABSENT,
            "ExpressionAttributeNames": _VALUE,
            "ExpressionAttributeValues": now,
        }
        if token is not None:
            condition |= {
                "ConditionExpression": _SEEN,
                "ExpressionAttributeValues": {":seen": token, **now},
            }
        with errors():
            try:
                if packed is None:
                    self._client.delete_item(Key=self._key(path), **condition)
                else:
                    self._client.put_item(Item=self._item(path, packed, life), **condition)
            except REFUSED as error:
                if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                    return False
                raise
        return True

    def _scan(self, prefix: Path) -> Iterator[Entry]:
        return self._entries(self._pages(prefix, _VALUE))

    def _entries(self, pages: Iterator[list[Any]]) -> Iterator[Entry]:
        for page in pages:
            for item in page:
                if self._is_live(item):
                    yield decode_key(item["key"]["B"]), load_value(item["value"]["B"])

    def _pages(self, prefix: Path, more: dict[str, str]) -> Iterator[list[Any]]:
        """The keys below `prefix`, and more of the items, as many at once as the service gives."""
        begin = self._encoded(prefix)
        query: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "#space = :space",
            "ProjectionExpression": ", ".join(names := _NAMES | more),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {":space": self._space},
        }
        if begin:  # nothing may be asked to begin with no bytes
            query["KeyConditionExpression"] += " AND begins_with(#key, :begin)"
            query["ExpressionAttributeValues"] |= {":begin": {"B": begin}}
        while True:
            with errors():
                answer = self._client.query(**query)
            yield answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _clear(self) -> None:
        for page in self._pages((), {}):
            for start in range(0, len(page), _PAGE):
                self._delete_all(page[start : start + _PAGE])

    def _delete_all(self, keys: list[Any]) -> None:
        """Deletes; of a batch the service may leave a part undone, which is sent anew."""
        left = {self._table: [{"DeleteRequest": {"Key": key}} for key in keys]}
        while left:
            with errors():
                left = self._client.batch_write_item(RequestItems=left)["UnprocessedItems"]

    def _release(self) -> None:
        """The connections are the process's: the next handle uses them."""

    def _key(self, path: Path) -> dict[str, Any]:
        return {"space": self._space, "key": {"B": self._encoded(path)}}

    def _item(self, path: Path, packed: bytes, life: int | None) -> dict[str, Any]:
        item = self._key(path) | {"value": {"B": packed}}
        if life is not None:
            deadline = nanoseconds_up(self._clock()) + life
            if deadline > _LAST_INSTANT:
                raise InvalidTtl("a deadline so far ahead does not fit into 38 digits")
            item["deadline"] = {"N": str(deadline)}
            item["expires"] = {"N": str(round_up(deadline, NANOSECONDS))}
        return item

    def _is_live(self, item: dict[str, Any]) -> bool:
        deadline = item.get("deadline")
        return deadline is None or self._now() < int(deadline["N"])

    def _now(self) -> int:
        return nanoseconds_down(self._clock())

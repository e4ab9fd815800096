"""A table of DynamoDB: how it is reached, and how one that fits is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from kv_spec.errors import Unavailable

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError as error:
    raise ImportError("this adapter needs boto3: pip install kv-conformance[dynamodb]") from error

REFUSED: Final = ClientError
"""What a service raises that was reached and did not do as asked, for whatever reason."""

_KEYS: Final = (("space", "B", "HASH"), ("key", "B", "RANGE"))


def create_table(client: Any, table: str) -> None:
    """Makes a table that fits, paid by request, and waits until it can be used."""
    client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": name, "KeyType": role} for name, _, role in _KEYS],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind} for name, kind, _ in _KEYS
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName=table)
    client.update_time_to_live(
        TableName=table,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"},
    )


@lru_cache(maxsize=16)
def connect(url: str, process: int) -> tuple[Any, str]:
    """A client that serves the whole process, and the name of a table.

    To make a client takes as long as ten requests, too much for each handle; its connections are
    not to be used on both sides of a fork, so that `process` is a part of its name.

    Raises ValueError for a URL that names no table, or where the region is not known.
    """
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    # netloc and not hostname, which is in lower case: names of tables are not.
    if parts.scheme != "dynamodb" or not parts.netloc or options.keys() - {"region", "endpoint"}:
        raise ValueError(f"{url!r} is no DynamoDB URL; write dynamodb://TABLE?region=eu-west-1")
    try:
        # Not of the session that boto3 has for all: threads would meet in it.
        client = boto3.session.Session().client(
            "dynamodb",
            region_name=options.get("region"),
            endpoint_url=options.get("endpoint"),
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10),
        )
    except (BotoCoreError, ValueError) as error:  # no region, or an endpoint that is no URL
        raise ValueError(f"{url!r} can not be used: {error}") from error
    return client, parts.netloc


@contextmanager
def errors() -> Iterator[None]:
    """Raises Unavailable for what botocore raises."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(f"DynamoDB: {error}") from error

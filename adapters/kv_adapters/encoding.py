"""Keys and values as bytes, for stores that know nothing of tuples and of JSON types.

A key is its components one after the other, each in UTF-8 and ended by the byte 00. Within a
component the byte 00 is written 01 01 and the byte 01 is written 01 02. Hence

- two keys are the same bytes only if they are the same key (KEY-1, KEY-2);
- a key begins with another exactly if its bytes do (LIST-2): the end marker is nowhere else;
- bytes are in the order of keys: components by code point, a prefix before its extensions
  (LIST-9). UTF-8 keeps that order, and the end marker is below all that can follow.

The other usual end marker, 00 with 00 FF for an inner NUL, loses the second property: the
bytes of ("a",) would begin those of ("a\\0",).

A lone surrogate is no character of UTF-8, but its three-byte pattern is free, keeps the order
and comes back (the error handler `surrogatepass`).
"""

from __future__ import annotations

import json
from typing import Any, Final

from kv_spec.errors import InvalidValue
from kv_spec.values import check_json

from kv_adapters.checks import Path

END: Final = b"\x00"
_ABOVE: Final = b"\xff"
_BIGINT: Final = frozenset({"bigint"})


def encode_key(path: Path) -> bytes:
    """The bytes of a key or a prefix; `()` gives no bytes."""
    return b"".join(
        component.encode("utf-8", "surrogatepass").replace(b"\x01", b"\x01\x02")
        .replace(b"\x00", b"\x01\x01") + END
        for component in path
    )  # fmt: skip


def decode_key(data: bytes) -> Path:
    """The key of which `data` is the encoding.

    Raises ValueError for bytes that `encode_key` never writes.
    """
    if data and not data.endswith(END):
        raise ValueError(f"the last component of {data!r} has no end")
    return tuple(
        piece.replace(b"\x01\x01", b"\x00").replace(b"\x01\x02", b"\x01")
        .decode("utf-8", "surrogatepass")
        for piece in data.split(END)[:-1]
    )  # fmt: skip


def key_range(path: Path) -> tuple[bytes, bytes]:
    """The half-open range of bytes that holds the keys below `path`, that of `path` included."""
    low = encode_key(path)
    return low, low + _ABOVE  # no byte of UTF-8 is FF


def dump_value(value: Any) -> bytes:
    """A JSON value as text in UTF-8, by which integers of any size and -0.0 come back.

    Not in ASCII: of two surrogates one after the other `\\u` escapes would make one character.
    Raises InvalidValue for what is no JSON value (VAL-4).
    """
    check_json(value, extra=_BIGINT)
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (ValueError, RecursionError) as error:  # an integer of more digits than Python prints
        raise InvalidValue(str(error)) from error
    return text.encode("utf-8", "surrogatepass")


def load_value(data: bytes) -> Any:
    """The value of which `data` is the text."""
    return json.loads(data.decode("utf-8", "surrogatepass"))

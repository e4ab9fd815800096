"""A record as one line of JSON, for stores whose files people may read: [key, deadline, value].

The deadline is in microseconds, null where there is none. The text is UTF-8; see
`kv_adapters.encoding` for lone surrogates, the only thing in it that other readers may refuse.
"""

from __future__ import annotations

from typing import Any

from kv_adapters.checks import Path
from kv_adapters.encoding import dump_value, load_value
from kv_adapters.envelope import Record


def dump_record(path: Path, record: Record) -> bytes:
    """The line, without its end."""
    deadline = b"null" if record.deadline is None else b"%d" % record.deadline
    return b"[%b,%b,%b]" % (dump_value(list(path)), deadline, record.packed)


def load_record(data: bytes) -> tuple[Path, Record]:
    """The record that `data` is the text of. Raises ValueError for any other text."""
    return checked_record(load_value(data))


def checked_record(parsed: Any) -> tuple[Path, Record]:
    """The record that JSON was parsed to. Raises ValueError for any other JSON."""
    match parsed:
        case [[_, *_] as key, int() | None as deadline, value] if (
            all(isinstance(part, str) for part in key)
            and not isinstance(deadline, bool)
            and value is not None
        ):
            return tuple(key), Record(dump_value(value), deadline)
    raise ValueError("no record of a store: [key, deadline, value] was due")

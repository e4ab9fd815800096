"""File names for keys, valid and different on Linux, macOS and Windows alike.

A name is of ASCII in lower case, so that neither a file system that folds case nor one that
normalises Unicode takes two keys for one. It has no dot, slash, colon or blank. Each component
ends with a comma, so that no name is one that Windows reserves (`con`, `nul`, `com1`).

    ("user", "42")   user,42,
    ("Ünï/x",)       =c3=9cn=c3=af=2fx,
    ("",)            ,

The names of a key and of those below it begin alike (LIST-2). A key whose name would be too long
has a digest for a name, and the file holds the whole key.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from kv_adapters.checks import Path
from kv_adapters.encoding import END, encode_key

_PLAIN: Final = b"abcdefghijklmnopqrstuvwxyz0123456789_-"
_TEXT: Final = [
    "," if byte == END[0] else chr(byte) if byte in _PLAIN else f"={byte:02x}"
    for byte in range(256)
]
_LONGEST: Final = 120
"""Characters: file systems allow 255 a name, but Windows, as it is usually set, 260 a path."""
_DIGEST: Final = "~"
_NAME: Final = re.compile(r"(?:(?:[a-z0-9_-]|=[0-9a-f]{2})*,)+|~[0-9a-f]{64}")


def file_name(path: Path) -> str:
    """The name of a key, different for every key."""
    data = encode_key(path)
    name = _text(data)
    return name if len(name) <= _LONGEST else _DIGEST + hashlib.sha256(data).hexdigest()


def is_name(name: str) -> bool:
    """Whether `file_name` can have given this name."""
    return _NAME.fullmatch(name) is not None


def may_be_below(name: str, prefix: Path) -> bool:
    """Whether the key of this name may begin with `prefix`; certain unless it is a digest."""
    return name.startswith((_DIGEST, _text(encode_key(prefix))))


def _text(data: bytes) -> str:
    return "".join([_TEXT[byte] for byte in data])

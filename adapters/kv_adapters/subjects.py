"""Keys as subjects of NATS, which are tokens of a few characters with dots between.

A component is a token. Letters, digits, `-` and `_` stand for themselves, and any other byte of
its UTF-8 is `=` with two hexadecimal digits; the empty component is `=` alone. Hence two keys are
the same subject only if they are the same key (KEY-1, KEY-2), and those below a prefix are the
subjects that begin with the tokens of the prefix (LIST-2). The names are valid in a key-value
bucket of NATS, and can be read in its own tools.
"""

from __future__ import annotations

import re
from typing import Final

from kv_adapters.checks import Path

_EMPTY: Final = "="
_OTHER: Final = re.compile(rb"[^A-Za-z0-9_-]")
_ESCAPE: Final = re.compile(rb"=([0-9A-F]{2})")


def subject_of(path: Path) -> str:
    """The tokens of a key or a prefix; `()` gives none."""
    return ".".join(map(_token, path))


def path_of(subject: str) -> Path:
    """The key of which `subject` has the tokens."""
    return tuple(map(_component, subject.split("."))) if subject else ()


def _token(component: str) -> str:
    data = component.encode("utf-8", "surrogatepass")
    return _OTHER.sub(lambda match: b"=%02X" % match[0][0], data).decode() or _EMPTY


def _component(token: str) -> str:
    if token == _EMPTY:
        return ""
    data = _ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()), token.encode())
    return data.decode("utf-8", "surrogatepass")

"""Sizes that a backend does not take, refused before it is asked (KEY-7, VAL-7).

A server's own refusal may come too late, be worded for its own protocol, or take the connection
with it.
"""

from __future__ import annotations

from kv_spec.errors import InvalidKey, InvalidValue

from kv_adapters.checks import Path


def check_key_size(path: Path, most: int) -> None:
    """Raises InvalidKey if the components of `path` have more than `most` bytes of UTF-8."""
    size = sum(len(component.encode("utf-8", "surrogatepass")) for component in path)
    if size > most:
        raise InvalidKey(f"a key of {size} bytes; the most here is {most}")


def check_encoded_size(name: bytes | str, most: int) -> None:
    """Raises InvalidKey if a key takes more than `most` bytes as the backend sees it.

    A key of few bytes is long in its encoded form if it has many components, or many characters
    that are written by several.
    """
    if len(name) > most:
        raise InvalidKey(f"a key that takes more than {most} bytes in its encoded form")


def check_value_size(packed: bytes, most: int) -> None:
    """Raises InvalidValue if a value has more than `most` bytes as JSON."""
    if len(packed) > most:
        raise InvalidValue(f"a value of {len(packed)} bytes as JSON; the most is {most}")

"""Stores of the Python ecosystem as they are, behind the names of the contract.

An adapter here translates names and units and nothing else: it mends nothing, checks nothing and
adds nothing. Where a library goes another way than the base dialect, the profile says so; what it
does not have is not there. Hence these stores need not pass, unlike the other adapters: what each
one shows is in `adapters/track_record`.
"""

from __future__ import annotations

from datetime import timedelta
from importlib.metadata import version
from typing import Final, TypeAlias

Ttl: TypeAlias = "float | timedelta | None"


class Missing:
    """What a read is told to answer for a miss, where a library lets the caller choose."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Missing()


def seconds(ttl: Ttl) -> float | None:
    """A ttl as a number of seconds, as it came: no check, no rounding."""
    return ttl.total_seconds() if isinstance(ttl, timedelta) else ttl


def release(distribution: str) -> str:
    """The name and version of an installed distribution, for the report."""
    return f"{distribution} {version(distribution)}"


def lacking(distribution: str, extra: str) -> str:
    """What to do where a library is not installed."""
    return f"this adapter needs {distribution}: pip install kv-conformance[{extra}]"

"""What a write promises to later reads: the clauses that they can show broken because of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from kv_spec.values import Outside, is_container, walk

from kv_reference.clause_sets import ClauseSet, set_of
from kv_reference.rulings import Effect, Ruling, ttl_clause
from kv_reference.semantics import Rules

_PLAIN: Final = re.compile("[a-zA-Z0-9_ ]*")
_REFUSED: Final = set_of(*"TTL-5 TTL-6 TTL-7 TTL-8 VAL-7 VAL-8 NULL-1 NULL-4 KEY-5".split())
_REFUSED_IF_NESTED: Final = _REFUSED | set_of("VAL-1")


@lru_cache(maxsize=16_384)
def of_write(
    rules: Rules, ruling: Ruling, ttl: Any, changed: bool, again: bool, is_member: bool
) -> ClauseSet:
    """What a write that stored an entry promises.

    `changed`: the caller changed the value after it was passed in. `again`: there was an entry
    before. `is_member`: the key names a member of a host language's objects.
    """
    profile, value = rules.profile, ruling.value
    promised = ["GET-2", *_of_value(ruling)]
    if again:
        promised.append("SET-1")
    if changed and is_container(value) and profile.isolation == "copy":
        promised.append("VAL-2")
    if ruling.effect is Effect.EITHER:
        promised.append("SET-5")
    if is_member:
        promised.append("KEY-5")
    if profile.null == "value" and value is None:
        promised.append("NULL-1")
    if profile.default_ttl is not None:
        promised.append("TTL-9")
    if isinstance(ttl, Outside) or (ttl is not None and ttl <= 0):
        promised.append(ruling.clause)
    elif ruling.lifetime != math.inf:
        promised.append(ttl_clause(profile, ruling.lifetime))
    return set_of(*promised)


def _of_value(ruling: Ruling) -> Iterator[str]:
    value = ruling.value
    if ruling.clause in ("VAL-7", "VAL-8", "VAL-5"):
        yield ruling.clause
    if not value and value is not None:
        yield "GET-4"
    if isinstance(value, str):
        yield "VAL-1"
        if is_hard(value):
            yield "VAL-5"
    elif is_container(value):
        yield "VAL-1"
        inside = list(walk(value))
        if any(part is None for part in inside):
            yield "NULL-4"
        if any(isinstance(part, str) and is_hard(part) for part in inside):
            yield "VAL-5"
    elif value is not None:
        yield "VAL-1"


def is_hard(text: str) -> bool:
    """True for a text that looks like syntax: special characters, or a JSON document (VAL-5)."""
    if _PLAIN.fullmatch(text) is None:
        return True
    return text.isdigit() or text in ("true", "false", "null")


def of_acceptance(promised: ClauseSet, nested: bool) -> ClauseSet:
    """The clauses that a set puts to the test by not being refused.

    `promised` is what the value that it stored promises. Only what stores do refuse counts: odd
    ttls, typed, `nested` and large values.
    """
    return promised & (_REFUSED_IF_NESTED if nested else _REFUSED)

"""Expected failures: the adopter's file of clauses known to be broken, each with its reason."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kv_spec.clauses import UnknownClause, clause

from kv_conformance.settings import UsageError

_FIELDS: Final = frozenset({"clause", "reason", "link", "expires"})


@dataclass(frozen=True, slots=True)
class Expectation:
    """A clause that may fail, why, where that is discussed, and until when."""

    clause: str
    reason: str
    link: str = ""
    expires: datetime.date | None = None

    def has_expired(self, today: datetime.date) -> bool:
        """True from the day after `expires` on."""
        return self.expires is not None and today > self.expires


def read(path: Path) -> Mapping[str, Expectation]:
    """The expectations of a TOML file of `[[expected]]` tables; raises UsageError."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--expected-failures {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--expected-failures {path}: not TOML: {error}") from error
    tables = data.get("expected", [])
    if set(data) - {"expected"} or not isinstance(tables, list):
        raise UsageError(f"{path}: the file holds tables [[expected]] and nothing else")
    if not tables:
        raise UsageError(f"{path}: the file holds no table [[expected]]")
    found: dict[str, Expectation] = {}
    for number, table in enumerate(tables, 1):
        one = _expectation(table, f"{path}: [[expected]] number {number}")
        if one.clause in found:
            raise UsageError(f"{path}: {one.clause} is expected twice")
        found[one.clause] = one
    return found


def _expectation(table: Any, where: str) -> Expectation:
    if not isinstance(table, dict) or not {"clause", "reason"} <= set(table):
        raise UsageError(f"{where}: needs clause and reason")
    unknown = set(table) - _FIELDS
    if unknown:
        known = ", ".join(sorted(_FIELDS))
        raise UsageError(f"{where}: unknown field {sorted(unknown)[0]!r}; the fields are {known}")
    for name in _FIELDS - {"expires"}:
        if not isinstance(table.get(name, ""), str) or not table.get(name, "-").strip():
            raise UsageError(f"{where}: {name} is a text, not {table[name]!r}")
    try:
        clause(table["clause"])
    except UnknownClause as error:
        raise UsageError(f"{where}: {error}") from None
    expires = table.get("expires")
    if isinstance(expires, str):
        try:
            expires = datetime.date.fromisoformat(expires)
        except ValueError:
            raise UsageError(f"{where}: expires is a date like 2030-12-31") from None
    if isinstance(expires, datetime.datetime):
        expires = expires.date()
    if expires is not None and not isinstance(expires, datetime.date):
        raise UsageError(f"{where}: expires is a date like 2030-12-31")
    return Expectation(table["clause"], table["reason"], table.get("link", ""), expires)

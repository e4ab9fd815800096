"""`[tool.kv-conformance]` of the nearest pyproject.toml: defaults for the command line."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kv_conformance.settings import UsageError

_TEXT: Final = ("a text", str)
_TEXTS: Final = ("a list of texts", list)
_NUMBER: Final = ("a number", (int, float))
_FIELDS: Final[Mapping[str, tuple[str, Any]]] = {
    "store": _TEXT,
    "profile": _TEXT,
    "clock": _TEXT,
    "phase": _TEXTS,
    "clause": _TEXTS,
    "seed": ("a whole number", int),
    "examples": ("a whole number", int),
    "budget": _TEXT,
    "report": _TEXTS,
    "expected-failures": _TEXT,
    "jobs": ("a whole number", int),
    "operation-timeout": _NUMBER,
    "options": ("a table", dict),
}
"""What the table may hold, in words and by its type."""


def read(folder: Path) -> dict[str, Any]:
    """The table nearest to `folder`, upwards; empty if there is none. Raises UsageError.

    The file of expected failures is named as seen from the pyproject.toml.
    """
    for place in (folder, *folder.parents):
        path = place / "pyproject.toml"
        if path.is_file():
            table = _table(path)
            if "expected-failures" in table:
                table["expected-failures"] = str(place / table["expected-failures"])
            return table
    return {}


def _table(path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can not be read: {error}") from error
    tools = data.get("tool", {})
    table = tools.get("kv-conformance", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise UsageError(f"{path}: tool.kv-conformance is a table, not {table!r}")
    for name, value in table.items():
        if name not in _FIELDS:
            near = difflib.get_close_matches(name, _FIELDS, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(_FIELDS)}"
            raise UsageError(f"{path}: [tool.kv-conformance] has no option {name!r}{hint}")
        wanted, kind = _FIELDS[name]
        if not _fits(value, kind):
            raise UsageError(f"{path}: {name} is {wanted}, not {value!r}")
    return dict(table)


def _fits(value: Any, kind: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, kind):
        return False
    return kind is not list or all(isinstance(item, str) for item in value)

"""`[tool.kv-conformance]` of the nearest pyproject.toml: defaults for the command line."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, Final

from kv_conformance.settings import UsageError

_FIELDS: Final = {
    "store": str,
    "profile": str,
    "clock": str,
    "phase": list,
    "clause": list,
    "seed": int,
    "examples": int,
    "budget": str,
    "report": list,
    "expected-failures": str,
    "operation-timeout": (int, float),
    "options": dict,
}
"""What the table may hold, and of which type."""


def read(folder: Path) -> dict[str, Any]:
    """The table nearest to `folder`, upwards; empty if there is none. Raises UsageError."""
    for place in (folder, *folder.parents):
        path = place / "pyproject.toml"
        if path.is_file():
            return _table(path)
    return {}


def _table(path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can not be read: {error}") from error
    table = data.get("tool", {}).get("kv-conformance", {})
    for name, value in table.items():
        if name not in _FIELDS:
            near = difflib.get_close_matches(name, _FIELDS, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(_FIELDS)}"
            raise UsageError(f"{path}: [tool.kv-conformance] has no option {name!r}{hint}")
        kind = _FIELDS[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            wanted = {str: "a text", list: "a list", int: "a number", dict: "a table"}
            raise UsageError(f"{path}: {name} is {wanted.get(kind, 'a number')}, not {value!r}")  # type: ignore[arg-type]
    return dict(table)

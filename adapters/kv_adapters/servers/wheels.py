"""Servers that come in a Python package."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path


def in_wheels(*places: tuple[str, str]) -> str | None:
    """The path of the first program that is there, or None.

    A place is a package and a pattern of paths in it. The package is looked up and not imported:
    it would bring its own client and start what nobody asked for.
    """
    for package, pattern in places:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for path in sorted(Path(folder).glob(pattern)):
                if os.access(path, os.X_OK):
                    return str(path)
    return None

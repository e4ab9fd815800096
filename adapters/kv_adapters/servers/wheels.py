"""Servers that come in a Python package."""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
from pathlib import Path
from typing import Final

_COPY: Final = "program"
_PARTS: Final = ("bin", "lib", "share")


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


def within_reach(tree: Path, folder: Path) -> Path:
    """Where programs of `tree` lie as another user than root can run them: there, or in a copy.

    An environment of root's often lies where nobody else may look; the copy is put into `folder`.
    """
    if is_open(tree):
        return tree
    package = tree.parent
    copy = folder / _COPY / package.name / tree.name
    for part in _PARTS:
        if (tree / part).is_dir():
            shutil.copytree(tree / part, copy / part, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")  # where auditwheel puts them
    if libraries.is_dir():
        shutil.copytree(libraries, folder / _COPY / libraries.name)
    return copy


def program_within_reach(program: str, folder: Path) -> str:
    """The same for a program that needs nothing of what lies around it.

    What is in `folder` already is within reach: it is that user's.
    """
    path = Path(program)
    if path.is_relative_to(folder) or is_open(path.parent):
        return program
    return shutil.copy(program, str(folder / path.name))


def is_open(folder: Path) -> bool:
    """Whether everybody may go there; for who is not root it does not matter."""
    ways = (folder, *folder.parents)
    return os.geteuid() != 0 or all(way.stat().st_mode & stat.S_IXOTH for way in ways)

"""Keys that look like paths must not lead out of the store's own folder (KEY-1).

The run works in a folder of its own; a canary lies beside it. Each program here writes a key that a
careless file store takes for a way out, no further than the run's temporary folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from kv_reference.verdicts import Violation
from kv_spec.operations import Delete, Get, Program, Set
from kv_spec.profile import Profile

from kv_conformance.surroundings import JOBS
from kv_conformance.trial import Trial

NAME: Final = "canary"
WORK: Final = "work"
_SONG: Final = (
    "This file lies beside the folder of the store under test, and is none of its business."
)
_WAYS: Final = (
    ("..", NAME),
    ("..", "..", NAME),
    (f"../{NAME}",),
    (f"../../{NAME}",),
    (f"a/../../{NAME}",),
    ("a", "..", "..", NAME),
    (f"..\\{NAME}",),
)
HOSTILE: Final = (
    "/tmp/kv-conformance-hostile",
    "../" * 12 + "tmp/kv-conformance-hostile",
    "C:\\kv-conformance-hostile",
    "//kv-conformance-hostile/share",
)
"""Keys that lead far out, tried only where the user says so."""


class Canary:
    """A file beside the working folder `home / WORK`, and all that lies around it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.work = home / WORK
        self.work.mkdir(exist_ok=True)
        (home / NAME).write_text(_SONG, encoding="utf-8")

    def around(self) -> dict[str, int]:
        """Every path of the run's folder with its size in bytes, but for where stores work."""
        found: dict[str, int] = {}
        for folder, folders, files in os.walk(self.home):
            if Path(folder) == self.home:
                folders[:] = [name for name in folders if name not in (WORK, JOBS)]
            for name in (*folders, *files):
                path = Path(folder) / name
                size = path.lstat().st_size if name == NAME else 0
                found[str(path.relative_to(self.home))] = size
        return found


def escape(trial: Trial, canary: Canary) -> tuple[Program, Violation] | None:
    """The first program by which the store left its folder; None if none did."""
    before = canary.around()
    for program in programs(trial.profile):
        session = trial.open()
        try:
            for operation in program:
                session.do(operation)
                after = canary.around()
                if after != before:
                    changed = sorted(path for path, _ in after.items() ^ before.items())
                    return session.program, _violation(changed, program[0])
        finally:
            session.world.close()
    return None


def programs(profile: Profile) -> Iterator[Program]:
    """Programs that write and remove what a careless store takes for a path."""
    for way in _WAYS:
        key: Any = "/".join(way) if profile.flat else way
        yield Set(key, 1), Get(key), Delete(key)


def _violation(changed: list[str], write: Any) -> Violation:
    paths = ", ".join(changed)
    due = "nothing outside the store's own folder touched"
    return Violation("KEY-1", due, f"beside the working folder {paths} changed", write.key)

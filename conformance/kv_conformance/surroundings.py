"""What the process of the store is prepared for: its output, and what it imports beforehand."""

from __future__ import annotations

import importlib
import io
import os
import sys
from pathlib import Path
from typing import Final

OUTPUT: Final = "output.log"
"""The file in the folder of the run that takes what the store prints."""


def quiet(folder: str) -> None:
    """What the store prints goes to a file, not between the lines of a report."""
    target = os.open(Path(folder or ".") / OUTPUT, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
    # Into a file it would be written in blocks, the last of which a process ended early never is.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def preload(folder: str) -> None:
    """Imports what waits by real time, before the process's time is patched."""
    for name in ("asyncio", "concurrent.futures.thread", "queue", "hypothesis.stateful"):
        importlib.import_module(name)
    if "HYPOTHESIS_STORAGE_DIRECTORY" not in os.environ:
        from hypothesis.configuration import set_hypothesis_home_dir

        set_hypothesis_home_dir(_cache(folder))


def _cache(folder: str) -> Path:
    """Where Hypothesis keeps its table of characters, which takes it a second to make.

    Not in the current folder, its own choice: a run leaves nothing behind there.
    """
    try:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        caches.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return Path(folder)
    return caches / "kv-conformance"

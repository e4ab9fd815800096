"""What a process of the store is prepared for: its output, its files, its end, its imports."""

from __future__ import annotations

import importlib
import io
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

OUTPUT: Final = "output.log"
"""The file in the folder of the run that takes what the store prints."""
JOBS: Final = "jobs"
"""Where in the folder of the run each of its processes keeps what is its own."""
_LONGEST: Final = 60
"""Bytes of a path below which sockets still find room: theirs may have some 100 in all."""
_PDEATHSIG: Final = 1
_ORPHANED: Final = 72


def quiet(folder: str) -> None:
    """What the store prints goes to a file, not between the lines of a report."""
    target = os.open(Path(folder or ".") / OUTPUT, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
    # Into a file it would be written in blocks, the last of which a process ended early never is.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def own_folder(folder: str) -> str:
    """A folder of this process's own in that of the run; temporary files go there from now on.

    The run removes it, however this process ends. Where it lies so deep that sockets find no room
    in it, temporary files go where the system has them.
    """
    own = Path(folder) / JOBS / str(os.getpid())
    for path in (own.parent, own):
        path.mkdir(exist_ok=True)
        path.chmod(0o711)  # a server that runs as another user passes through
    if len(os.fsencode(own)) <= _LONGEST:
        os.environ["TMPDIR"] = tempfile.tempdir = str(own)
    return str(own)


def end_with_parent() -> None:
    """From now on this process ends when the one that started it has ended.

    On Linux it does even while a call of the store holds the interpreter.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if not sys.platform.startswith("linux"):
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent.pid:  # it ended before
        os._exit(_ORPHANED)


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(_ORPHANED)


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

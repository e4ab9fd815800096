"""The folder of a run, which is gone when the run has ended, whatever death it died.

`folder` is for the process of the run. It starts this very file as a process of its own, a broom,
which learns from the end of its input that the run is over, and then removes the folder. What the
run has started may still be ending then, and write: so it goes on until nothing is left.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
from collections.abc import Iterator

_PAUSE = 0.02
"""Seconds between two attempts."""
_ATTEMPTS = 1500
_PATIENCE = 20.0
"""Seconds for which a run waits for its broom; a server may take some ten to end."""


@contextlib.contextmanager
def folder() -> Iterator[str]:
    """A temporary folder for one run; who knows its name may pass through, and not list it."""
    import tempfile

    path = tempfile.mkdtemp(prefix="kv-conformance-")
    os.chmod(path, 0o711)  # a server that runs as another user passes through
    with _broom(path):
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _broom(path: str) -> Iterator[None]:
    """Another process that sees to it that `path` is removed, as far as one can be had."""
    import subprocess

    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=os.path.dirname(path),
            # Ctrl-C is for the run, and so is the end of a terminal.
            start_new_session=os.name != "nt",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except OSError:
        yield
        return
    try:
        yield
    finally:
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)


def main() -> None:
    """Waits for the end of the input, and removes the folder that the command line names."""
    (path,) = sys.argv[1:]
    sys.stdin.read()
    pause = threading.Event()
    for _ in range(_ATTEMPTS):
        shutil.rmtree(path, ignore_errors=True)
        if not os.path.lexists(path):
            return
        pause.wait(_PAUSE)


if __name__ == "__main__":
    main()

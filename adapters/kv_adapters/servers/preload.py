"""Time travel by a small library that is loaded into a server ahead of its own (Linux).

It is made from `preload.c` by the C compiler of this machine, once, unless a built one lies beside
this file. It reaches programs that call the clock functions of the C library, on any processor,
where no process may be traced; and it gives waits for a point in time to the kernel as they are
meant, which a server with timed locks needs.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kv_adapters.servers.keeper.slots import SIZE, Slots
from kv_adapters.servers.kept import Refused

SOURCE: Final = Path(__file__).with_name("preload.c")
_BUILT: Final = Path(__file__).with_name("preload.so")
_COMPILERS: Final = ("cc", "gcc", "clang")
_LONGEST: Final = 60.0


class Preload:
    """The library in the folder of one server, with the file of its offsets."""

    def __init__(self, folder: Path) -> None:
        """Raises Refused where there is no library and no compiler."""
        if not sys.platform.startswith("linux"):
            raise Refused(f"the library is for Linux, and this is {sys.platform}")
        library, self._slots = folder / "clock.so", folder / "clock.slots"
        shutil.copyfile(built(), library)
        self._slots.write_bytes(bytes(SIZE))
        with self._slots.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), SIZE)
        for path, mode in ((library, 0o755), (self._slots, 0o644)):
            path.chmod(mode)  # the server may run as another user
        self.environment: Mapping[str, str] = {
            "LD_PRELOAD": " ".join(filter(None, (str(library), os.environ.get("LD_PRELOAD")))),
            "KV_CLOCK_FILE": str(self._slots),
        }

    def write(self, slots: Slots) -> None:
        """Puts offsets in force, for the server and all that it started."""

        def write(at: int, data: bytes) -> None:
            self._map[at : at + len(data)] = data

        slots.put(write)


def built() -> Path:
    """The library: the one that came with this package, or one that is compiled here, once.

    Raises Refused.
    """
    if _BUILT.exists():
        return _BUILT
    compiler = next((path for name in _COMPILERS if (path := shutil.which(name))), None)
    if compiler is None:
        raise Refused(f"no C compiler ({', '.join(_COMPILERS)}) to make the preloaded library with")
    key = hashlib.sha256(SOURCE.read_bytes() + f"{compiler} {platform.machine()}".encode())
    made = _cache() / f"clock-{key.hexdigest()[:16]}.so"
    if not made.exists():
        _compile(compiler, made)
    return made


def _cache() -> Path:
    """A folder that only this user writes to: what lies there is loaded into servers."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "kv-conformance"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.geteuid():
            return folder
    except (OSError, RuntimeError):  # no home, or none that can be written to
        pass
    return _own_folder()


def _own_folder() -> Path:
    global _temporary  # noqa: PLW0603  (one folder for all servers of this process)
    if _temporary is None:
        _temporary = tempfile.TemporaryDirectory(prefix="kv-clock-")
    return Path(_temporary.name)


_temporary: tempfile.TemporaryDirectory[str] | None = None


def _compile(compiler: str, made: Path) -> None:
    options = ["-O2", "-shared", "-fPIC"]
    # To another name first: two runs may be at it.
    partial = made.with_suffix(f".{os.getpid()}")
    try:
        done = subprocess.run(
            [compiler, *options, "-o", str(partial), str(SOURCE), "-ldl"],
            capture_output=True, timeout=_LONGEST, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"{compiler} can not be run: {error}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Refused(f"{compiler} does not make the library: {said[0] if said else 'no word'}")
    partial.replace(made)

"""Time travel for a process of one's own: its private copy of the vDSO is written anew.

The vDSO is code that Linux maps into every process, and what C libraries and Go programs alike call
to learn the time. A process that is stopped right after `exec`, before its first
instruction, can be given other code there through /proc/PID/mem; a process that it forks inherits
it. Needs x86-64, and the right to trace the process: the same user, or CAP_SYS_PTRACE.

Files are read as bytes: who has dropped its rights may not reach the codecs of Python any more.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from typing import Final

from kv_adapters.servers.keeper import machine_code
from kv_adapters.servers.keeper.slots import Slots

_TRACEME: Final = 0
_DETACH: Final = 17
_DYNSYM: Final = 11
# The size of a process's memory in /proc/PID/stat, counted from its state.
_MEMORY: Final = 20
_CLOCK_GETTIME, _GETTIMEOFDAY, _TIME = "__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time"
_JUMP: Final = struct.Struct("<Bi")


class Refused(Exception):
    """The time of this process can not be moved this way; the message says why."""


class _Another(OSError):
    """A process that has left its vDSO behind with the program it was."""


def check_platform() -> None:
    """Raises Refused unless this machine runs Linux on x86-64."""
    if not sys.platform.startswith("linux"):
        raise Refused(f"{sys.platform} has no vDSO")
    if platform.machine() != "x86_64" or sys.maxsize < 2**32:
        raise Refused(f"the machine code is for x86-64, and this is {platform.machine()}")


def trace_me() -> None:
    """Asks, between fork and exec, to be stopped at exec. Raises OSError."""
    _ptrace(_TRACEME, 0)


def detach(pid: int) -> None:
    """Lets a stopped process go on, by the thread that started it. Raises OSError."""
    _ptrace(_DETACH, pid)


def _ptrace(request: int, pid: int) -> None:
    if _LIBC.ptrace(request, pid, None, None) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"ptrace: {os.strerror(error)}")


def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    return libc


# Loaded at import: the process that has dropped its rights may not reach the library any more.
_LIBC: Final = _libc() if sys.platform.startswith("linux") else ctypes.CDLL(None)


def functions(image: bytes) -> dict[str, tuple[int, int]]:
    """The dynamic symbols of a 64-bit ELF image: where each begins, and its size in bytes.

    Raises Refused for an image that is none.
    """
    try:
        if image[:6] != b"\x7fELF\x02\x01":
            raise Refused("the vDSO is no 64-bit ELF image")
        return _symbols(image)
    except (struct.error, ValueError, IndexError) as error:
        raise Refused(f"the vDSO's symbols can not be read: {error}") from error


def _symbols(image: bytes) -> dict[str, tuple[int, int]]:
    (sections,) = struct.unpack_from("<Q", image, 0x28)
    size, count = struct.unpack_from("<HH", image, 0x3A)
    found: dict[str, tuple[int, int]] = {}
    for header in range(sections, sections + size * count, size):
        (kind,) = struct.unpack_from("<I", image, header + 4)
        if kind != _DYNSYM:
            continue
        offset, length, link = struct.unpack_from("<QQI", image, header + 0x18)
        (names,) = struct.unpack_from("<Q", image, sections + link * size + 0x18)
        for symbol in range(offset, offset + length, 24):
            name, _, _, _, value, extent = struct.unpack_from("<IBBHQQ", image, symbol)
            end = image.index(b"\0", names + name)
            found[image[names + name : end].decode("ascii")] = (value, extent)
    return found


def patches(image: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """What to write where into a vDSO, and where its slots are then, counted from its beginning.

    Raises Refused for a vDSO whose functions are not there, are too small, or were written anew
    before.
    """
    if machine_code.CODE[machine_code.MARK : machine_code.MARK + 8] in image:
        raise Refused("the vDSO was patched before")
    found = functions(image)
    missing = [name for name in (_CLOCK_GETTIME, _GETTIMEOFDAY, _TIME) if name not in found]
    if missing:
        raise Refused(f"the vDSO has no {', '.join(missing)}")
    start, room = found[_CLOCK_GETTIME]
    if room < len(machine_code.CODE) or start % 8 or start + room > len(image):
        raise Refused(
            f"{_CLOCK_GETTIME} has {room} bytes at {start:#x}, and {len(machine_code.CODE)} are due"
        )
    made = [(start, machine_code.CODE)]
    for name, target in ((_GETTIMEOFDAY, machine_code.GETTIMEOFDAY), (_TIME, machine_code.TIME)):
        at, extent = found[name]
        if extent < _JUMP.size or start <= at < start + len(machine_code.CODE):
            raise Refused(f"{name} has {extent} bytes at {at:#x}, and leaves no room for a jump")
        made.append((at, _JUMP.pack(0xE9, start + target - (at + _JUMP.size))))
    return made, start + machine_code.MARK + 8


def patch(pid: int) -> int:
    """Patches the vDSO of a process that is stopped; returns the address of its slots.

    Raises Refused.
    """
    try:
        start, end = _mapping(pid)
        memory = os.open(f"/proc/{pid}/mem", os.O_RDWR | os.O_CLOEXEC)
        try:
            made, slots = patches(os.pread(memory, end - start, start))
            for at, code in made:
                os.pwrite(memory, code, start + at)
        finally:
            os.close(memory)
    except OSError as error:
        raise Refused(f"the memory of the process can not be written: {error.strerror}") from error
    return start + slots


def _mapping(pid: int) -> tuple[int, int]:
    with open(f"/proc/{pid}/maps", "rb") as maps:
        for line in maps:
            if line.rstrip().endswith(b"[vdso]"):
                start, _, end = line.split()[0].partition(b"-")
                return int(start, 16), int(end, 16)
    raise Refused("the process has no vDSO")


def move(pid: int, address: int, slots: Slots) -> None:
    """Writes the offsets of `slots` into a process and all that it forked.

    Raises OSError if the process is gone, or is another program by now.
    """
    _put(pid, address, slots)
    seen = {pid}
    # What was forked after its parent was written has the offsets already, and does no harm. What
    # was forked before is among the children; they are asked for anew until there is no other one,
    # for the kernel may skip one while another ends.
    while fresh := [child for child in _descendants(pid) if child not in seen]:
        for child in fresh:
            seen.add(child)
            try:
                _put(child, address, slots)
            except OSError as error:
                if not (isinstance(error, _Another) or _ended(child)):
                    raise


def _put(pid: int, address: int, slots: Slots) -> None:
    memory = os.open(f"/proc/{pid}/mem", os.O_RDWR | os.O_CLOEXEC)
    try:
        if not _is_patched(memory, address):
            raise _Another(f"process {pid} has become another program, with a vDSO of its own")
        slots.put(lambda at, data: os.pwrite(memory, data, address + at))
    finally:
        os.close(memory)


def _is_patched(memory: int, address: int) -> bool:
    mark = machine_code.CODE[machine_code.MARK : machine_code.MARK + 8]
    try:
        return os.pread(memory, 8, address - 8) == mark
    except OSError:
        return False  # nothing is there at all


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    todo = [pid]
    while todo:
        parent = todo.pop()
        try:
            threads = os.listdir(f"/proc/{parent}/task")
            for thread in threads:
                with open(f"/proc/{parent}/task/{thread}/children", "rb") as children:
                    todo += map(int, children.read().split())
        except OSError:
            continue  # it has ended
        if parent != pid:
            found.append(parent)
    return found


def _ended(pid: int) -> bool:
    """Whether a process is gone, or has no memory any more and so asks for no time.

    A process that ends lets go of its memory well before it is a zombie: its state does not tell.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[_MEMORY] == b"0"
    except OSError:
        return True

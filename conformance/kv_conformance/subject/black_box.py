"""What was under way, in a file that outlives the process of the store.

A store that ends the process, or holds the interpreter so that no other thread has a turn, leaves
nobody behind to tell what it was asked. The file is a memory map: a note costs a copy, and who
reads it afterwards needs no help from the process.
"""

from __future__ import annotations

import json
import mmap
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kv_spec.json_form import operation_to_json
from kv_spec.operations import Operation

if TYPE_CHECKING:
    from kv_spec.programs import Name

NAME: Final = "under-way.bin"
_SIZE: Final = 1 << 20
_HEAD: Final = 8
_STEP: Final = 4
_ROOM: Final = _SIZE - _HEAD - _STEP
_PROGRAM: Final = b'{"program":['
"""How the note of a program begins. It is left open at its end, so that more can be added."""
_in_json: Final = json.JSONEncoder(separators=(",", ":")).encode
_LAST: Final = 20
"""So many operations are noted of a program that is too long to be noted whole."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """What was done last: in words, and the program in JSON if it was an operation."""

    doing: str
    program: list[Any] | None = None
    swept: dict[str, Any] | None = None
    """The name of a program of the sweep, of which `begun` operations had begun."""
    begun: int = 0


class BlackBox:
    """Notes what is about to be done. Creates its file in `folder`."""

    def __init__(self, folder: str) -> None:
        path = Path(folder) / NAME
        path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as stream:
            self._map = mmap.mmap(stream.fileno(), _SIZE)
        self._noted: list[bytes] | None = None
        self._end = _HEAD

    def stretch(self, doing: str) -> None:
        """Notes a stretch of foreign code that is no operation, such as an import."""
        self._write(json.dumps({"doing": doing}).encode())

    def operation(self, written: list[bytes]) -> None:
        """Notes a program up to the operation that begins, each as `encoded` gives it.

        Called again for the same list with one more in it, it only adds that one.
        """
        if written is self._noted and self._end + len(written[-1]) + 1 <= _HEAD + _ROOM:
            self._extend(b"," + written[-1])
            return
        text = _PROGRAM + b",".join(written)
        if len(text) > _ROOM:
            text = _PROGRAM + b",".join(written[-_LAST:])
        self._write(text)
        self._noted = written

    def _extend(self, text: bytes) -> None:
        end = self._end + len(text)
        self._map[self._end : end] = text
        self._map[:_HEAD] = (end - _HEAD).to_bytes(_HEAD, "little")
        self._end = end

    def swept(self, name: Name) -> None:
        """Notes a program of the sweep; `step` then tells how far it has come."""
        self.step(0)
        self._write(json.dumps({"swept": asdict(name)}).encode())

    def step(self, begun: int) -> None:
        """Notes how many operations of the program noted by `swept` have begun."""
        self._map[-_STEP:] = begun.to_bytes(_STEP, "little")

    def _write(self, text: bytes) -> None:
        # The length last: a note that was cut short is never taken for a whole one.
        self._noted, self._end = None, _HEAD + len(text)
        if len(text) <= _ROOM:
            self._map[:_HEAD] = bytes(_HEAD)
            self._map[_HEAD : _HEAD + len(text)] = text
            self._map[:_HEAD] = len(text).to_bytes(_HEAD, "little")


def encoded(operation: Operation) -> bytes:
    """One operation as a note holds it."""
    return _in_json(operation_to_json(operation)).encode("ascii")


def read(folder: str) -> UnderWay | None:
    """What was under way when the process ended; None where nothing was noted."""
    with suppress(OSError, ValueError, KeyError, IndexError):
        content = (Path(folder) / NAME).read_bytes()
        length = int.from_bytes(content[:_HEAD], "little")
        text = content[_HEAD : _HEAD + length]
        note = json.loads(text + b"]}" if text.startswith(_PROGRAM) else text)
        if "doing" in note:
            return UnderWay(note["doing"])
        if "swept" in note:
            begun = int.from_bytes(content[-_STEP:], "little")
            return UnderWay("", swept=note["swept"], begun=begun)
        return UnderWay(note["program"][-1]["op"], note["program"])
    return None

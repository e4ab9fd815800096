"""A program as a token for the command line, and back."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from kv_spec.json_form import ProgramError, from_json, to_json
from kv_spec.operations import Operation, Program

_PREFIX: Final = "p1."
_LARGEST: Final = 10_000_000


class ReplayError(ValueError):
    """A token that can not be read; the message says what it should be."""


def token(program: Sequence[Operation]) -> str:
    """The token of a program: letters, digits, `-` and `_` after a version mark."""
    text = json.dumps(to_json(program), separators=(",", ":"), sort_keys=True)
    packed = zlib.compress(text.encode("ascii"), 9)
    return _PREFIX + base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def program_of(text: str) -> Program:
    """The program of a token, of a JSON list, or of `@file` with one; raises ReplayError."""
    try:
        program = from_json(_json_of(text.strip()))
    except ProgramError as error:
        raise ReplayError(f"--replay: {error}") from None
    except RecursionError:
        raise ReplayError("--replay: the program is nested too deeply") from None
    if not program:
        raise ReplayError("--replay: the program is empty")
    return program


def _json_of(text: str) -> Any:
    try:
        if text.startswith("@"):
            return json.loads(Path(text[1:]).read_text(encoding="utf-8"))
        if text.startswith("["):
            return json.loads(text)
        if not text.startswith(_PREFIX):
            raise ReplayError(
                f"--replay takes a token ({_PREFIX}…), a JSON list, or @file with one"
            )
        return json.loads(_unpacked(text.removeprefix(_PREFIX)))
    except ReplayError:
        raise
    except OSError as error:
        raise ReplayError(f"--replay {text}: {error.strerror or error}") from None
    except (ValueError, zlib.error) as error:
        raise ReplayError(f"--replay can not be read: {error}; was it copied whole?") from None


def _unpacked(body: str) -> bytes:
    """What a token holds; of a small token that holds more than any program, not all."""
    packed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    unpacking = zlib.decompressobj()
    text = unpacking.decompress(packed, _LARGEST)
    if not unpacking.eof:
        raise ValueError("it holds too much" if unpacking.unconsumed_tail else "its end is missing")
    return text

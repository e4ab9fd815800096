"""The command `servers`: which stores can be given a server of their own for a run, here.

An adapter offers that by `for_run`, and says by `server_program` which program it would start.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec

from kv_conformance.reading import refuse

_INDENT = " " * 11
_WIDTH = 88
_OFFER = re.compile(r"\b(server_program|Served)\b")
"""The method by which a store says what it would start, or our class that has it."""


def main(arguments: Sequence[str]) -> int:
    """Runs `servers`; returns the exit code: 0, also where there is none."""
    if list(arguments) in (["-h"], ["--help"]):
        sys.stdout.write("kv-conformance servers\n")
        return 0
    if arguments:
        return refuse("servers takes no argument")
    for name, found in programs():
        _tell(name, found)
    return 0


def programs() -> Iterator[tuple[str, str]]:
    """The installed stores that start a server: the path of its program, or why there is none.

    A store can not be asked while what it imports is not installed: then its source is.
    """
    from kv_conformance.target import installed

    for name, point in installed().items():
        try:
            program = getattr(point.load(), "server_program", None)
            if program is not None:
                yield name, str(program())
        except ImportError as error:
            if _names_a_server(point.module):
                yield name, f"not known: {error}"
        except Exception as error:
            yield name, f"none: {error}"


def _names_a_server(module: str) -> bool:
    """True if the source of a module speaks of what offers a server."""
    with suppress(ImportError, SyntaxError, OSError):
        spec = find_spec(module)
        source = getattr(spec and spec.loader, "get_source", lambda _: None)(module) or ""
        return _OFFER.search(source) is not None
    return False


def _tell(name: str, found: str) -> None:
    text = textwrap.fill(
        found, _WIDTH, initial_indent=f"{name:<11}", subsequent_indent=_INDENT,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    sys.stdout.write(f"{text}\n")

"""The command `servers`: which stores can be given a server of their own for a run, here.

An adapter offers that by `for_run`, and says by `server_program` which program it would start.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence

from kv_conformance.reading import refuse

_INDENT = " " * 11
_WIDTH = 88


def main(arguments: Sequence[str]) -> int:
    """Runs `servers`; returns the exit code: 0, also where there is none."""
    if list(arguments) in (["-h"], ["--help"]):
        sys.stdout.write("kv-conformance servers\n")
        return 0
    if arguments:
        return refuse("servers takes no argument")
    unknown: list[str] = []
    for name, found in programs():
        if found is None:
            unknown.append(name)
        else:
            _tell(name, found)
    if unknown:
        _tell("not known", f"{', '.join(unknown)}: their clients are not installed")
    return 0


def programs() -> Iterator[tuple[str, str | None]]:
    """The installed stores that start a server: the path of its program, or why there is none.

    None for a store that can not be asked, since what it imports is not installed.
    """
    from kv_conformance.target import installed

    for name, point in installed().items():
        try:
            program = getattr(point.load(), "server_program", None)
            if program is not None:
                yield name, str(program())
        except ImportError:
            yield name, None
        except Exception as error:
            yield name, f"none: {error}"


def _tell(name: str, found: str) -> None:
    text = textwrap.fill(
        found, _WIDTH, initial_indent=f"{name:<11}", subsequent_indent=_INDENT,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    sys.stdout.write(f"{text}\n")

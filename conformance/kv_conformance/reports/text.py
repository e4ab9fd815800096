"""Text for readers: what a store says must not break what it is shown in.

A store supplies names, messages and values. Whatever is in them, a terminal that shows them obeys
none of it, and an XML document that holds them is well-formed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

LONGEST: Final = 600
"""So many characters of one text are shown unless a caller says otherwise."""

_NAMED: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_XML_FORBIDS: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN: Final = str.maketrans(
    {"·": "-", "…": "...", "–": "-", "—": "-", "×": "x", "±": "+-", "≤": "<=", "≥": ">=", "→": "->"}
)


def escape(char: str) -> str:
    r"""One character as a Python escape: `\n`, `\x1b`, `\u202e`, `\U000e0001`."""
    code = ord(char)
    if char in _NAMED:
        return _NAMED[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def clean(text: str, *, limit: int | None = LONGEST, lines: bool = False) -> str:
    """The text with all that is not printable as visible escapes, cut after `limit` characters.

    Not printable are control characters (so ESC, and with it every sequence that a terminal would
    obey), characters that change the direction of writing or have no width, lone surrogates, and
    blanks other than the space. With `lines` the ends of lines stay. `limit=None` cuts nothing.
    """
    shown = text if limit is None else text[:limit]
    if not shown.isprintable():
        kept = "\n" if lines else ""
        shown = "".join(
            char if char.isprintable() or char in kept else escape(char) for char in shown
        )
    if limit is None or (len(text) <= limit and len(shown) <= limit):
        return shown
    return f"{shown[:limit]}… ({len(text):,} characters)"


def clean_program(python: str, *, most_lines: int = 60, limit: int = 400) -> str:
    """A program in Python, made harmless, each line cut by itself, and its middle left out.

    The end of a program is what it shows, so the end is always there.
    """
    lines = [clean(line, limit=limit) for line in python.strip("\n").split("\n")]
    if (over := len(lines) - most_lines) > 0:
        half = most_lines // 2
        lines[half : half + over] = [f"# … {counted(over, 'line')} left out"]
    return "\n".join(lines)


def xml_clean(text: str) -> str:
    r"""The text with the characters that XML 1.0 forbids as visible escapes, `\x00` for NUL."""
    return _XML_FORBIDS.sub(lambda found: escape(found[0]), text)


def scalar_clean(text: str) -> str:
    r"""The text with lone surrogates as visible escapes: strict readers of JSON refuse them."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def ascii_marks(text: str) -> str:
    """The text with our own marks and dashes in ASCII, for streams that can do no better."""
    return text.translate(_PLAIN)


def counted(number: int, noun: str) -> str:
    """`1 check`, `1,204 checks`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def short(number: int) -> str:
    """A count in at most four characters: `980`, `1.2k`, `45k`, `1.2M`; cut, never rounded up."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= 10 * size:
            return f"{number // size}{unit}"
        if number >= size:
            return f"{number // size}.{number % size * 10 // size}{unit}"
    return str(number)


def duration(seconds: float) -> str:
    """Seconds as a person says them: `0.4 s`, `12 s`, `2 min 05 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def ranges(ids: Iterable[str]) -> str:
    """IDs of clauses in brief: `CAS-1 to 11, KEY-6`."""
    runs: list[list[tuple[str, int]]] = []
    for id in ids:
        family, _, text = id.rpartition("-")
        number = int(text) if text.isascii() and text.isdigit() else -1
        if runs and number > 0 and runs[-1][-1] == (family, number - 1):
            runs[-1].append((family, number))
        else:
            runs.append([(family, number)] if number > 0 else [(id, 0)])
    return ", ".join(_range(run) for run in runs)


def _range(run: Sequence[tuple[str, int]]) -> str:
    names = [f"{family}-{number}" if number else family for family, number in run]
    return ", ".join(names) if len(run) < 3 else f"{names[0]} to {run[-1][1]}"

"""What the terminal report is written on: a stream, its width, its colours and its characters.

All text passes through a `Page`. It is never read as markup, and what the stream's encoding can
not hold becomes ASCII or an escape, so that writing never fails.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, Final, TextIO, cast

from rich.cells import set_cell_size
from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from kv_conformance.reports.text import ascii_marks

_PIPED_WIDTH: Final = 80
_WIDEST: Final = 100
_NARROWEST: Final = 40
_TRAILING: Final = re.compile(r"[ \t]+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Look:
    """How a status is shown: a symbol, the same in ASCII, a word, a short one, its style."""

    symbol: str
    ascii: str
    word: str
    brief: str
    style: str


LOOKS: Final[Mapping[str, Look]] = {
    "pass": Look("✓", "+", "pass", "pass", "green"),
    "fail": Look("✗", "x", "FAIL", "fail", "bold red"),
    "unexpected-pass": Look("✗", "x", "UNEXPECTED PASS", "unexpected", "bold red"),
    "warning": Look("!", "!", "warning", "warning", "yellow"),
    "expected-failure": Look("!", "!", "expected failure", "expected", "yellow"),
    "inconclusive": Look("?", "?", "inconclusive", "inconclusive", "bold yellow"),
    "untested": Look("–", "-", "untested", "untested", "yellow"),
    "not-applicable": Look("–", "-", "not applicable", "not applicable", "dim"),
}
"""Every status, in the order in which counts are told."""


class _Sink:
    """A stream that takes any text: what its encoding lacks is escaped."""

    def __init__(self, stream: TextIO, *, tidy: bool) -> None:
        self._stream = stream
        self._tidy = tidy

    def write(self, text: str) -> int:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        text = _TRAILING.sub("", text) if self._tidy else text
        return self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Passes the error on: rich would end the process, and with it the other reports."""
        raise BrokenPipeError


class Page:
    """A console for one stream.

    Colours and a live line are for terminals; `NO_COLOR`, a pipe and a dumb terminal get plain
    text without a single escape sequence. `width` is in columns, 80 where nobody is looking.
    """

    def __init__(self, stream: TextIO, *, width: int | None = None) -> None:
        self.live = stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")
        forced = bool(os.environ.get("FORCE_COLOR"))
        self.plain = bool(os.environ.get("NO_COLOR")) or not (self.live or forced)
        self.ascii = not _can_write(
            stream, "".join(look.symbol for look in LOOKS.values()) + "·…±≥"
        )
        self._stream = stream
        self._lit = False
        self.console = _Console(
            file=cast("IO[str]", _Sink(stream, tidy=not self.live)),
            color_system=None if self.plain else "auto",
            force_jupyter=False,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=None if self.live else False,
        )
        self._given = width
        self.fit()

    def fit(self) -> None:
        """Takes the width that the terminal has now."""
        width = self._given
        if width is None:
            width = min(self._measured(), _WIDEST) if self.live else _PIPED_WIDTH
        self.width = self.console.width = max(width, _NARROWEST)

    def _measured(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            return _PIPED_WIDTH

    def text(self, text: str, style: str = "") -> Text:
        """Text to be shown as it is, in a style."""
        return Text(ascii_marks(text) if self.ascii else text, style=style)

    def join(self, *parts: tuple[str, str]) -> Text:
        """Several pieces of text, each in its style, as one line."""
        return Text.assemble(*(self.text(text, style) for text, style in parts))

    def symbol(self, status: str) -> str:
        """The one character for a status."""
        look = LOOKS.get(status, LOOKS["untested"])
        return look.ascii if self.ascii else look.symbol

    def show(self, *parts: Any) -> None:
        """Writes each part, wrapped at the width."""
        for part in parts:
            self.console.print(part)

    def show_long(self, text: Text) -> None:
        """Writes text line by line as it is, wider than the page if need be, to be copied."""
        self.console.print(text, soft_wrap=True)

    def hang(self, label: Text, body: Text) -> None:
        """Writes a body, wrapped, that hangs on the end of its label."""
        room = max(self.width - label.cell_len, 20)
        for number, line in enumerate(body.wrap(self.console, room)):
            line.rstrip()
            start = label if number == 0 else Text(" " * label.cell_len)
            self.show_long(Text.assemble(start, line))

    def code(self, python: str, indent: str) -> None:
        """Writes a program, in colour where there is colour."""
        text = self.text(python)
        if not self.plain:
            syntax = Syntax("", "python", theme="ansi_dark", background_color="default")
            text = syntax.highlight(python)
            text.rstrip()
        for line in text.split("\n"):
            self.show_long(Text.assemble(indent, line))

    def glow(self, text: Text) -> None:
        """Shows a line that the next one replaces; only on a terminal."""
        if not self.live:
            return
        self.fit()
        room = self.width - 1
        line = text.copy()
        line.truncate(room, overflow="crop", pad=True)
        self._stream.write("\r")
        self.console.print(line, end="", soft_wrap=True)
        self._stream.flush()
        self._lit = True

    def dim(self) -> None:
        """Takes the live line away."""
        if self._lit:
            self._stream.write("\r" + set_cell_size("", self.width - 1) + "\r")
            self._stream.flush()
            self._lit = False


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True

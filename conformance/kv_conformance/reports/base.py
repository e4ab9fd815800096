"""What a report is, which formats there are, and how their files are written.

A file is written beside its place under a temporary name and moved there when it is complete, so
that a report of an earlier run is whole until the new one is.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import stat
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias

from kv_conformance.events import Event, RunEnded
from kv_conformance.reports.record import Record

STDOUT: Final = "-"

ReplayCommand: TypeAlias = Callable[[str], str]
"""From a replay token to the command line that runs its program again."""


class ReportError(Exception):
    """A report that can not be written, or an option that names none; says what to do."""


class Report(Protocol):
    """A reader of the events of one run."""

    def handle(self, event: Event) -> None:
        """Takes one event in; writes the report when it is the last."""

    def close(self) -> None:
        """Ends the report, and writes what is known if the last event never came."""


Factory: TypeAlias = Callable[[str, ReplayCommand], Report]
"""From the path ("-" is stdout) and the way to a replay command, to a report."""


class FileReport:
    """A report that is written in one piece when the run is over.

    `render` gives its text. Raises ReportError where the file can not be written.
    """

    def __init__(self, path: str, render: Callable[[Record], str]) -> None:
        self._path = path
        self._render = render
        self._record = Record()
        self._written = False

    def handle(self, event: Event) -> None:
        """Takes one event in; the file is written at `RunEnded`."""
        self._record.handle(event)
        if isinstance(event, RunEnded):
            self.close()

    def close(self) -> None:
        """Writes the file if it has not been written yet."""
        if not self._written:
            self._written = True
            write_text(self._path, self._render(self._record))


class Together:
    """Several reports as one: the failure of one does not keep the others from being written."""

    def __init__(self, reports: Iterable[Report]) -> None:
        self._reports = tuple(reports)
        self._errors: list[Exception] = []

    def handle(self, event: Event) -> None:
        """Gives the event to every report; errors wait until `close`."""
        for report in self._reports:
            try:
                report.handle(event)
            except Exception as error:
                self._errors.append(error)

    def close(self) -> None:
        """Closes every report, then raises the first error that any of them had."""
        for report in self._reports:
            try:
                report.close()
            except Exception as error:
                self._errors.append(error)
        if self._errors:
            raise self._errors[0]


def _text(path: str, replay_command: ReplayCommand) -> Report:
    from kv_conformance.reports.terminal import TextReport

    return TextReport(path, replay_command=replay_command)


def _json(path: str, replay_command: ReplayCommand) -> Report:
    from kv_conformance.reports.json_report import render

    return FileReport(path, render)


def _junit(path: str, replay_command: ReplayCommand) -> Report:
    from kv_conformance.reports.junit import render

    return FileReport(path, lambda record: render(record, replay_command))


REPORTS: Final[Mapping[str, Factory]] = MappingProxyType(
    {"text": _text, "json": _json, "junit": _junit}
)
"""The formats of `--report FORMAT=PATH`, each with what opens it."""


def parse_report(text: str) -> tuple[str, str]:
    """Format and path of `FORMAT=PATH`. Raises ReportError, which names the formats."""
    format, equals, path = text.partition("=")
    known = ", ".join(REPORTS)
    if format not in REPORTS:
        near = difflib.get_close_matches(format.lower(), REPORTS, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ReportError(f"--report {text}: there is no format {format!r}; {hint}Formats: {known}")
    if not equals or not path:
        raise ReportError(
            f"--report {text}: no path; write {format}=PATH, where - stands for stdout"
        )
    return format, path


def open_reports(options: Sequence[str], replay_command: ReplayCommand) -> list[Report]:
    """The reports that the options ask for, each path checked, before anything is run.

    Raises ReportError, also where two reports would overwrite each other.
    """
    wanted = [parse_report(option) for option in options]
    places: dict[str, str] = {}
    for format, path in wanted:
        place = path if path == STDOUT else os.path.realpath(path)
        if place in places:
            where = "stdout" if path == STDOUT else path
            raise ReportError(f"two reports go to {where}: {places[place]} and {format}; "
                              "give each a path of its own")  # fmt: skip
        places[place] = format
        check_writable(path)
    return [REPORTS[format](path, replay_command) for format, path in wanted]


def check_writable(path: str) -> None:
    """Sees to it that a report can be written to `path`, and leaves no trace there.

    Raises ReportError, which says what to do. A file that exists keeps its content.
    """
    if path == STDOUT:
        return
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    if os.path.isdir(target):
        raise ReportError(f"{path} is a folder; name a file in it to write the report to")
    if not os.path.isdir(folder):
        raise ReportError(f"{path} can not be written: there is no folder {folder}; "
                          "create it, or choose another path")  # fmt: skip
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise ReportError(f"{path} is read-only; make it writable, or choose another path")
    try:
        if _replaceable(target):
            os.unlink(_create_beside(target))
    except OSError as error:
        raise _unwritable(path, error) from error


def write_text(path: str, text: str) -> None:
    """Writes a whole report: to stdout for "-", else in one step that replaces what was there.

    Raises ReportError; then the file is what it was.
    """
    if path == STDOUT:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    target = os.path.realpath(path)
    try:
        if _replaceable(target):
            _replace(target, text.encode("utf-8"))
        else:
            with open(path, "wb") as stream:
                stream.write(text.encode("utf-8"))
    except OSError as error:
        raise _unwritable(path, error) from error


def _replaceable(target: str) -> bool:
    """False for devices and pipes: /dev/null is to be written to, not to become a file."""
    try:
        return stat.S_ISREG(os.stat(target).st_mode)
    except FileNotFoundError:
        return True


def _replace(target: str, content: bytes) -> None:
    temporary = _create_beside(target)
    try:
        with open(temporary, "wb") as stream:
            stream.write(content)
        with contextlib.suppress(FileNotFoundError):
            os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _create_beside(target: str) -> str:
    """An empty file in the folder of `target`: a move within a folder is one step."""
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name[:100]}.{os.getpid()}.tmp")
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666))
    return temporary


def _unwritable(path: str, error: OSError) -> ReportError:
    reason = error.strerror or str(error)
    return ReportError(
        f"{path} can not be written: {reason}; make its folder writable and see that the disk has "
        "room, or choose another path"
    )

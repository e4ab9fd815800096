"""Reports as files: options, paths that can not be written, and what a failed write leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kv_conformance.events import Event
from kv_conformance.reports.base import (
    REPORTS,
    FileReport,
    Report,
    ReportError,
    Together,
    check_writable,
    open_reports,
    parse_report,
    write_text,
)
from kv_conformance.reports.example import passing
from kv_conformance.reports.text import (
    clean,
    clean_program,
    duration,
    ranges,
    scalar_clean,
    short,
    xml_clean,
)

HOSTILE = st.text(st.characters(exclude_categories=()), max_size=40)


def replay(token: str) -> str:
    return f"kv-conformance --replay {token}"


@pytest.mark.parametrize("text", ["json=out.json", "junit=-", "text=a=b.txt"])
def test_an_option_is_a_format_and_a_path(text: str) -> None:
    assert "=".join(parse_report(text)) == text


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("jsn=x", "did you mean json? Formats: text, json, junit"),
        ("JSON=x", "did you mean json?"),
        ("pdf=x", "there is no format 'pdf'; Formats: text, json, junit"),
        ("json", "write json=PATH, where - stands for stdout"),
        ("json=", "write json=PATH"),
        ("", "there is no format ''"),
    ],
)
def test_a_wrong_option_names_what_would_be_right(text: str, hint: str) -> None:
    with pytest.raises(ReportError) as caught:
        parse_report(text)
    assert hint in str(caught.value)


def test_a_path_is_checked_without_a_trace(tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    old.write_text("kept")
    check_writable(str(old))
    check_writable(str(tmp_path / "new.json"))
    check_writable("-")
    check_writable(os.devnull)
    assert [path.name for path in tmp_path.iterdir()] == ["old.json"]
    assert old.read_text() == "kept"


def test_a_path_that_can_not_be_written_says_what_to_do(tmp_path: Path) -> None:
    for path, hint in (
        (tmp_path, "is a folder; name a file in it"),
        (tmp_path / "no" / "x.json", "there is no folder"),
        (tmp_path / ("x" * 300), "choose another path"),
    ):
        with pytest.raises(ReportError, match=hint):
            check_writable(str(path))
        with pytest.raises(ReportError, match="choose another path"):
            write_text(str(path), "")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_read_only_report_is_respected(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.touch(0o444)
    with pytest.raises(ReportError, match="read-only"):
        check_writable(str(path))


def test_two_reports_to_one_place_are_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "x")
    with pytest.raises(ReportError, match="text and json"):
        open_reports([f"text={path}", f"json={path}"], replay)
    with pytest.raises(ReportError, match="stdout"):
        open_reports(["text=-", "json=-"], replay)


def test_a_failed_write_leaves_the_old_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.json"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ReportError, match="No space left on device"):
        write_text(str(path), "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="links and modes are those of POSIX")
def test_a_write_follows_links_and_keeps_the_mode(tmp_path: Path) -> None:
    path, link = tmp_path / "x.json", tmp_path / "link.json"
    path.touch(0o640)
    link.symlink_to(path)
    write_text(str(link), "new")
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    write_text("/dev/null", "new")
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("format", REPORTS)
def test_every_format_is_written_once_and_also_when_the_end_never_comes(
    format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events: list[Event] = list(passing())
    path = tmp_path / "report"
    (report,) = open_reports([f"{format}={path}"], replay)
    for event in events[:-1]:
        report.handle(event)
        assert not path.exists()
    report.close()
    assert "inconclusive" in path.read_text(encoding="utf-8")
    (report,) = open_reports([f"{format}=-"], replay)
    for event in events:
        report.handle(event)
    report.close()
    assert capsys.readouterr().out.count("conformant") >= 1


def test_one_failing_report_does_not_stop_the_others(tmp_path: Path) -> None:
    class Broken:
        def handle(self, event: Event) -> None:
            raise ReportError("first")

        def close(self) -> None:
            raise ReportError("second")

    path = tmp_path / "x"
    reports: list[Report] = [Broken(), FileReport(str(path), lambda record: "whole")]
    together = Together(reports)
    for event in passing():
        together.handle(event)
    with pytest.raises(ReportError, match="first"):
        together.close()
    assert path.read_text() == "whole"


def test_the_formats_do_not_import_rich() -> None:
    code = "import sys, kv_conformance.reports.base; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@given(HOSTILE)
def test_clean_text_is_printable(text: str) -> None:
    assert clean(text).isprintable()
    assert clean(text, lines=True).replace("\n", "").isprintable()
    assert clean_program(text).replace("\n", "").isprintable()
    if text.isprintable():
        assert clean(text) == text


def test_what_would_break_a_terminal_is_shown() -> None:
    assert clean("\x1b[2J\x00\x9b\u202e\ud800\n\u200b\U000e0041") == (
        r"\x1b[2J\x00\x9b\u202e\ud800\n\u200b\U000e0041"
    )
    assert clean("x" * 5000, limit=10) == "xxxxxxxxxx… (5,000 characters)"
    assert len(clean("\x1b" * 5000, limit=10)) < 40
    long = clean_program("\n".join(map(str, range(200))), most_lines=4)
    assert long.split("\n") == ["0", "1", "# … 196 lines left out", "198", "199"]


def test_xml_and_json_text() -> None:
    assert xml_clean("a\x00\ufffe\ud800\n\té😀") == "a\\x00\\ufffe\\ud800\n\té😀"
    assert scalar_clean("\ud83d é") == "\\ud83d é"


def test_numbers_and_ids_in_brief() -> None:
    numbers = (980, 1204, 9_999, 45_678, 999_999, 1_250_000, 12_000_000, 5 * 10**9)
    assert " ".join(map(short, numbers)) == "980 1.2k 9.9k 45k 999k 1.2M 12M 5.0G"
    assert [duration(0.44), duration(12.4), duration(125)] == ["0.4 s", "12 s", "2 min 05 s"]
    assert ranges(["CAS-1", "CAS-2", "CAS-3", "KEY-6", "KEY-7"]) == "CAS-1 to 3, KEY-6, KEY-7"
    assert ranges(["odd", "", "X-²"]) == "odd, , X-²"

"""The terminal report as its reader sees it: piped, on a terminal, and on hostile text."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kv_conformance.events import (
    ClauseResult,
    ClockChosen,
    Event,
    Finding,
    Found,
    Note,
    PhaseStarted,
    RunEnded,
    RunStarted,
    StopKind,
    Stopped,
    StoreOpened,
)
from kv_conformance.reports.example import failing, passing, stopped
from kv_conformance.reports.terminal import TerminalReport
from kv_spec.clauses import clause

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_STATUSES = ("pass", "fail", "untested", "not-applicable", "warning", "expected-failure",
             "unexpected-pass", "inconclusive")  # fmt: skip


class Screen(io.TextIOWrapper):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def replay(token: str) -> str:
    return f"kv-conformance --store mymodule:Store --replay {token}"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def shown(
    events: Iterable[Event],
    kind: type[io.TextIOWrapper] = io.TextIOWrapper,
    *,
    encoding: str = "utf-8",
    width: int | None = None,
) -> str:
    raw = io.BytesIO()
    stream = kind(raw, encoding=encoding, newline="")
    report = TerminalReport(stream, replay_command=replay, width=width)
    for event in events:
        report.handle(event)
    report.close()
    stream.flush()
    return raw.getvalue().decode(encoding)


def test_a_passing_store_fits_on_about_a_screen() -> None:
    lines = shown(passing()).splitlines()
    assert len(lines) < 60
    assert max(map(len, lines)) <= 80
    assert all(line == line.rstrip() for line in lines)
    assert lines[0] == "kv-conformance 0.1.0  specification 1.0"
    for start in ("  store ", "  profile ", "  offers ", "  not offered ", "  clock ", "  seed "):
        assert any(line.startswith(start) for line in lines[:10]), start
    assert "  Reading             5 pass  ✓ GET-1    344  ✓ GET-2    603  ✓ GET-3    936" in lines


def test_the_verdict_stands_last() -> None:
    *_, verdict, more, last, counts, effort = shown(passing()).splitlines()
    assert verdict.startswith("✓ conformant: core, ttl, list, iterate, has, cas, keys")
    assert more.startswith("  not offered: clear, prune, batch")
    assert last.startswith("  ")
    assert re.fullmatch(r"  \d+ pass · \d+ not applicable · \d+ not yet checked", counts)
    assert effort == "  2,520 programs · 576,900 operations · 14 s"


def test_the_failures_stand_above_the_verdict() -> None:
    text = shown(failing())
    tail = text[text.index("2 failures") :]
    assert text.index("not yet checked") < text.index("Warnings") < text.index("2 failures")
    rule = " ".join(clause("TTL-3").rule.split())
    assert rule in " ".join(tail.split())
    for part in (
        "✗ TTL-3  Time to live  found by sweep after 1,204 operations\n",
        "\n    store.set(('a',), 'v1', ttl=1.0)\n    advance(1.5)\n",
        "  expected  no entry, since the ttl ended 0.5 s ago\n",
        "  actual    [(('a',), 'v1')]\n",
        f"  replay    {replay('kv1.eJyLrlYqSy0qzszPU7JSUEpKLFKqBQA8Ogae')}\n",
        "\n✗ violations: 2 clauses broken (TTL-3, LIST-4)\n",
    ):
        assert part in tail
    assert "✗ TTL-3   FAIL  25,023 checks" in text
    assert "is broken" not in text  # the reasons that only repeat the failures


def test_what_is_not_tested_is_grouped_with_its_reason() -> None:
    text = " ".join(shown(passing()).split())
    assert " not applicable OPEN-2: shared is not offered; DEL-4: delete_result is not" in text
    assert " not yet checked by this version: " in text


def test_an_applicable_clause_left_untested_is_not_lost_in_the_group() -> None:
    result = ClauseResult("GET-3", "core", "MUST", "untested", 0, "no program reached it")
    end = RunEnded("inconclusive", 3, ("GET-3 was never put to the test",), (result,), 1.0)
    text = shown([Note("a note"), end])
    assert "   1 untested        GET-3: no program reached it\n" in text
    assert "? inconclusive\n  GET-3 was never put to the test\n" in text


@pytest.mark.parametrize("kind", StopKind.__args__)  # type: ignore[attr-defined]
def test_a_stop_says_what_happened_and_what_to_do(kind: StopKind) -> None:
    text = shown([*list(passing())[:2], Stopped(kind, "first line\nsecond", python="store.get(1)")])
    assert "\nStopped. " in text
    assert "\n  first line\n  second\n" in text
    assert "    store.get(1)\n" in text
    assert re.search(r"run|report", text[text.index("store.get(1)") :].lower())
    assert "\n? inconclusive\n" in text
    assert "Clauses" not in text


def test_a_stopped_run_shows_what_it_found() -> None:
    text = shown(stopped())
    assert " inconclusive    OPEN-1, OPEN-2, GET-1 to 5" in text
    assert text.index("✗ TTL-3  Time to live") < text.index("Stopped. A call did not return.")
    assert "? inconclusive; broken so far: TTL-3\n" in text


def test_a_pipe_gets_plain_text() -> None:
    text = shown(failing())
    assert text.replace("\n", "").isprintable()


def test_a_terminal_gets_colours_and_a_live_line() -> None:
    text = shown(failing(), Screen, width=100)
    assert _COLOUR.search(text)
    plain = _COLOUR.sub("", text)
    assert "\x1b" not in plain
    assert re.search(r"\r  sweep  2,000 of 2,000 programs · 576,900 operations", plain)
    assert " · 3 found" in plain
    final = plain[plain.rindex("\r") + 1 :]
    assert "✗ violations: 2 clauses broken (TTL-3, LIST-4)" in final
    assert "✓ GET-4   1.3k\n" in final  # four in a row where there is room


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_color_means_not_one_escape(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    text = shown(failing(), Screen)
    assert text.replace("\n", "").replace("\r", "").isprintable()


def test_colours_can_be_forced_through_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = shown(failing())
    assert _COLOUR.search(text)
    assert "\r" not in text


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "latin-1"])
def test_an_old_encoding_falls_back_to_ascii(encoding: str) -> None:
    text = shown([*failing(), Note("never seen: the run is over")], encoding=encoding)
    assert text.isascii()
    assert "x TTL-3   FAIL  25,023 checks" in text
    assert "+ GET-1    344" in text
    assert " pass - 2 fail - 1 warning - " in text


def test_the_report_of_a_narrowed_run_says_so() -> None:
    started = RunStarted("s", 1, "1.0", "0.1", (), ("GET-2", "GET-1"), narrowed=True)
    opened = StoreOpened("s", None, "base", {}, ("core",), ())
    end = RunEnded("conformant", 0, (), (), 0.0)
    assert "✓ conformant, as far as asked (GET-1, GET-2): core\n" in shown([started, opened, end])


def test_markup_of_the_store_is_shown_as_it_is() -> None:
    text = shown([Note("[red]not red[/red] :smile: [/]"), Note("\x1b[31mnot red either")])
    assert "  note  [red]not red[/red] :smile: [/]\n" in text
    assert "  note  \\x1b[31mnot red either\n" in text


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(exclude_categories=()), max_size=30),
    st.sampled_from(_STATUSES),
    st.booleans(),
    st.sampled_from(["utf-8", "ascii"]),
)
def test_hostile_text_can_not_break_a_terminal(
    text: str, status: str, terminal: bool, encoding: str
) -> None:
    found = Finding("GET-1", text, text, [], text, text, text)
    results = (
        ClauseResult("GET-1", text, "MUST", status, 1, text, found),
        ClauseResult(text, text, "MUST", status, 1, text),
    )
    events: list[Event] = [
        RunStarted(text, 1, text, text, (text,), ("GET-1", text), narrowed=True),
        StoreOpened(text, text, text, {text: text}, (text,), (text,), True, {text: text}),
        ClockChosen(text, text, False, 0.5, 2.0),
        Note(text),
        PhaseStarted(text),
        Found(found),
        Stopped("crash", text, text, text),
        RunEnded("violations", 1, (text,), results, 1.0),
    ]
    out = _COLOUR.sub(
        "", shown(events, Screen if terminal else io.TextIOWrapper, encoding=encoding)
    )
    allowed = "\n\r" if terminal else "\n"
    assert out.translate({ord(char): None for char in allowed}).isprintable()

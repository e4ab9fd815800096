"""The reports that machines read: JSON and JUnit, on example runs and on hostile text."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kv_conformance.events import (
    ClauseResult,
    ClockChosen,
    Event,
    Finding,
    Found,
    Note,
    RunEnded,
    RunStarted,
    Stopped,
    StoreOpened,
)
from kv_conformance.reports import json_report, junit
from kv_conformance.reports.example import failing, passing, stopped
from kv_conformance.reports.json_report import strip_times
from kv_conformance.reports.record import Record
from kv_spec.clauses import clauses

STATUSES = ("pass", "fail", "untested", "not-applicable", "warning", "expected-failure",
            "unexpected-pass", "inconclusive")  # fmt: skip


def replay(token: str) -> str:
    return f"kv-conformance --replay {token}"


def gather(events: Iterable[Event]) -> Record:
    record = Record()
    for event in events:
        record.handle(event)
    return record


def as_json(events: Iterable[Event]) -> Any:
    return json.loads(json_report.render(gather(events)))


def as_junit(events: Iterable[Event]) -> ET.Element:
    return ET.fromstring(junit.render(gather(events), replay))


def hostile_events(text: str, status: str, *, stop: bool, end: bool) -> list[Event]:
    """A run in which everything that a store could have a say in is this text."""
    found = Finding("GET-1", text, text, [{"op": "get", "key": [text]}], text, text, text)
    results = (
        ClauseResult("GET-1", text, "MUST", status, 1, text, found),
        ClauseResult(text, text, "MUST", status, 1, text),
    )
    events: list[Event] = [
        RunStarted(text, 1, text, text, (text,), ("GET-1", text), narrowed=True),
        StoreOpened(text, text, text, {text: text, "nan": float("nan"), "b": b"\xff"}, (text,),
                    (text,), True, {text: text}, {text: text}),
        ClockChosen(text, text, False, 0.5, 2.0),
        Note(text),
        Found(found),
    ]  # fmt: skip
    events += [Stopped("crash", text, text, text)] * stop
    return events + [RunEnded("violations", 1, (text,), results, 1.0)] * end


def test_the_layout_of_the_json_report() -> None:
    report = as_json(failing())
    assert list(report) == [
        *("format", "verdict", "exit_code", "reasons", "stopped", "spec", "harness", "store"),
        *("clock", "seed", "seconds", "phases", "notes", "clauses"),
    ]
    assert (report["format"], report["verdict"], report["exit_code"]) == (1, "violations", 1)
    assert report["stopped"] is None
    assert list(report["store"]) == [
        *("target", "name", "version", "profile", "capabilities", "not_offered"),
    ]
    assert report["store"]["profile"] == {"name": "base", "declared": {"ttl_zero": "never"}}
    assert list(report["clock"]) == ["kind", "why", "granularity", "ttl_unit"]
    assert [list(phase) for phase in report["phases"]] == [
        ["name", "programs", "operations", "seconds"]
    ] * 3
    assert [clause["id"] for clause in report["clauses"]] == list(clauses())


def test_a_clause_of_the_json_report() -> None:
    by_id = {clause["id"]: clause for clause in as_json(failing())["clauses"]}
    keys = ["id", "capability", "status", "checks", "message", "program", "replay"]
    assert all(list(clause) == keys for clause in by_id.values())
    assert by_id["LIST-4"]["status"] == "fail"
    assert by_id["LIST-4"]["message"] == (
        "expected [(('a_',), 1)]; got [(('a_',), 1), (('ab',), 2)]"
    )
    assert by_id["LIST-4"]["program"][0] == {"op": "set", "key": ["a_"], "value": 1}
    assert by_id["CLOSE-1"]["status"] == "warning"
    assert by_id["DEL-4"]["message"] == "delete_result is not offered"
    passed = by_id["GET-1"]
    assert (passed["message"], passed["program"], passed["replay"]) == (None, None, None)


def test_the_same_events_give_the_same_bytes() -> None:
    for run in (passing, failing, stopped):
        assert json_report.render(gather(run())) == json_report.render(gather(run()))
        assert junit.render(gather(run()), replay) == junit.render(gather(run()), replay)
    assert json_report.render(gather(passing())).endswith("}\n")


def test_the_order_of_the_events_does_not_show() -> None:
    *events, end = failing()
    assert isinstance(end, RunEnded)
    turned = RunEnded(end.verdict, end.exit_code, end.reasons, end.results[::-1], end.seconds)
    opened = next(event for event in events if isinstance(event, StoreOpened))
    again = StoreOpened(opened.name, opened.version, opened.profile, opened.declared,
                        opened.capabilities[::-1], opened.not_offered[::-1])  # fmt: skip
    assert as_json([*events, again, turned]) == as_json(failing())


def test_times_can_be_taken_out_and_programs_keep_theirs() -> None:
    stripped = strip_times(as_json(failing()))
    assert "seconds" not in stripped
    assert all("seconds" not in phase for phase in stripped["phases"])
    (ttl,) = [clause for clause in stripped["clauses"] if clause["id"] == "TTL-3"]
    assert ttl["program"][1] == {"op": "advance", "seconds": 1.5}


@pytest.mark.parametrize("run", [passing, failing, stopped])
def test_a_report_without_an_end_is_inconclusive(run: Any) -> None:
    report = as_json([event for event in run() if not isinstance(event, RunEnded)])
    assert (report["verdict"], report["exit_code"]) == ("inconclusive", 3)
    assert report["reasons"]
    assert [clause["id"] for clause in report["clauses"]] == list(clauses())
    root = as_junit([event for event in run() if not isinstance(event, RunEnded)])
    assert root.find("testsuite[@name='run']/testcase/error") is not None


def test_a_run_that_never_began() -> None:
    for kind, code in (("usage", 2), ("harness", 4), ("interrupted", 3)):
        report = as_json([Stopped(kind, "why")])  # type: ignore[arg-type]
        assert report["exit_code"] == code
        assert report["stopped"] == {"kind": kind, "message": "why", "program": None}
        assert report["store"]["name"] is report["clock"] is report["seed"] is None
    assert as_json([])["verdict"] == "inconclusive"
    assert as_junit([]).get("name") == "kv-conformance"


def test_a_stopped_run_keeps_what_it_found() -> None:
    report = as_json(stopped())
    assert report["stopped"]["kind"] == "hang"
    assert report["phases"] == [
        {"name": "sweep", "programs": 310, "operations": 14_000, "seconds": None}
    ]
    status = {clause["id"]: clause["status"] for clause in report["clauses"]}
    assert (status["TTL-3"], status["GET-1"]) == ("fail", "inconclusive")
    assert status["BATCH-1"] == "untested"


def test_the_verdict_in_words() -> None:
    def words(offered: tuple[str, ...], lacks: tuple[str, ...]) -> str:
        opened = StoreOpened("s", None, "base", {}, offered, lacks)
        return gather([opened, RunEnded("conformant", 0, (), (), 0.0)]).verdict()

    parts = ("cas-create", "cas-swap", "cas-delete")
    assert words(("list", "ttl", "core"), ("cas", *parts)) == (
        "conformant: core, ttl, list; not offered: cas"
    )
    assert words(("cas", "core", *parts), ()) == "conformant: core, cas"
    assert words(("core", "cas-create"), ("cas", *parts[1:], "ns")) == (
        "conformant: core, cas-create; not offered: cas-swap, cas-delete, ns"
    )
    assert words(("core", "clear", "layer", "keys"), ("cas", *parts)) == (
        "conformant: core, keys; not yet checked: clear, layer; not offered: cas"
    )


def test_a_finding_missing_from_the_results_is_not_lost() -> None:
    *events, end = stopped()
    report = as_json([*events, end, RunEnded("inconclusive", 3, ("hang",), (), 1.0)])
    assert [(clause["id"], clause["status"]) for clause in report["clauses"]] == [("TTL-3", "fail")]


def test_junit_counts_and_names() -> None:
    root = as_junit(failing())
    cases = root.findall("testsuite/testcase")
    assert int(root.get("tests", 0)) == len(cases) == len(clauses()) + 1
    assert int(root.get("failures", 0)) == len(root.findall("testsuite/testcase/failure")) == 2
    assert int(root.get("skipped", 0)) == len(root.findall("testsuite/testcase/skipped")) > 8
    assert root.get("errors") == "0"
    names = [suite.get("name") for suite in root]
    assert names[:3] == ["run", "OPEN: Opening", "GET: Reading"]
    properties = {one.get("name"): one.get("value") for one in root.iter("property")}
    assert properties["seed"] == "42"
    assert properties["clock"] == "virtual: the store follows it in this process"
    assert (properties["profile"], properties["profile.ttl_zero"]) == ("base", "'never'")


def test_a_junit_failure_tells_all() -> None:
    failure = as_junit(failing()).find("testsuite/testcase[@name='LIST-4']/failure")
    assert failure is not None
    assert failure.text is not None
    assert failure.get("message", "").startswith("expected [(('a_',), 1)]; got")
    for part in (
        *("LIST-4: Each character of a prefix", "store.set(('ab',), 2)\n"),
        *("actual:   [(('a_',), 1), (('ab',), 2)]", "kv-conformance --replay kv1.eJy"),
    ):
        assert part in failure.text


def test_junit_is_red_when_the_run_is() -> None:
    *events, end = passing()
    assert isinstance(end, RunEnded)
    for verdict, code, tag in (("inconclusive", 3, "error"), ("violations", 1, "failure")):
        last = RunEnded(verdict, code, ("TTL-9 untested",), end.results, 1.0)  # type: ignore[arg-type]
        found = as_junit([*events, last]).find(f"testsuite[@name='run']/testcase/{tag}")
        assert found is not None
        assert found.text == "\nTTL-9 untested\n"


@given(
    st.text(st.characters(exclude_categories=()), max_size=30),
    st.sampled_from(STATUSES),
    st.booleans(),
    st.booleans(),
)
def test_hostile_text_breaks_neither(text: str, status: str, stop: bool, end: bool) -> None:
    record = gather(hostile_events(text, status, stop=stop, end=end))
    rendered = json_report.render(record)
    assert rendered.isascii()
    report = json.loads(rendered, parse_constant=pytest.fail)
    json.dumps(report, ensure_ascii=False).encode("utf-8")  # no lone surrogates
    document = junit.render(record, replay)
    assert document.isascii()
    root = ET.fromstring(document)
    assert int(root.get("tests", 0)) == len(root.findall("testsuite/testcase"))


def test_an_endless_value_does_not_break_the_report() -> None:
    deep: Any = None
    for _ in range(5_000):
        deep = [deep]
    found = Finding("GET-1", "", "", deep, "", "", "sweep")
    assert "nested too deeply" in json_report.render(gather([Found(found)]))

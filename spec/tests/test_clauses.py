"""The registry of clauses: SPEC.md as it is, and documents that must be refused."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kv_spec import PRESETS, Profile
from kv_spec.clauses import (
    Clause,
    Level,
    SpecError,
    UnknownClause,
    clause,
    clauses,
    families,
    parse,
)
from kv_spec.profile import CAPABILITIES

UNCHECKED_FAMILIES = {"BATCH", "NS", "ADD", "CONC", "DUR", "LOAD", "LAYER"}
CHECKED_FAMILIES = {
    *("OPEN", "GET", "SET", "DEL", "HAS", "NULL", "TTL", "LIST"),
    *("ITER", "CAS", "KEY", "VAL", "CLOSE", "ERR"),
}

SMALL = """\
# A document

## About

Prose, with ## and ### and - Level: in the middle of a line.

## GET: Reading

### GET-1
- Level: MUST
- Capability: core
- Rule: One.
- Rationale: Because.

### GET-2
- Level: SHOULD
- Capability: cas, null=delete
- Rule: Two: with a colon, and - a dash.
- Rationale: Because.
- Not yet checked: no time.

## LAST: Leaving

### LAST-1
- Level: MUST
- Capability: core
- Rule: Three.
- Rationale: Because.
"""


def _line(text: str) -> int:
    """The number of the line that holds `text`, in SMALL."""
    return next(n for n, line in enumerate(SMALL.splitlines(), start=1) if text in line)


# The document as it is


def test_ids_are_numbered_without_gaps_in_each_family() -> None:
    assert list(clauses()) == [
        f"{family}-{number}"
        for family, members in families().items()
        for number in range(1, len(members) + 1)
    ]


def test_families_partition_the_clauses_in_order() -> None:
    assert [c for members in families().values() for c in members] == list(clauses().values())
    assert set(families()) == CHECKED_FAMILIES | UNCHECKED_FAMILIES
    assert {len({c.title for c in members}) for members in families().values()} == {1}


def test_the_number_of_clauses_never_falls() -> None:
    # An ID that has been released is never taken away, so neither is a clause.
    sizes = {family: len(members) for family, members in families().items()}
    assert sizes.items() >= {"GET": 5, "TTL": 13, "LIST": 10, "CAS": 11, "KEY": 7, "VAL": 8}.items()
    assert len(clauses()) >= 110


def test_only_the_four_are_should() -> None:
    should = {id for id, found in clauses().items() if found.level is Level.SHOULD}
    assert should == {"LIST-10", "CAS-9", "ERR-2", "CLOSE-1"}


def test_what_is_not_yet_checked_says_why() -> None:
    unchecked = {id for id, found in clauses().items() if found.not_yet_checked is not None}
    assert unchecked == {
        id for id, c in clauses().items() if c.family in UNCHECKED_FAMILIES or id == "KEY-6"
    }


@pytest.mark.parametrize("found", clauses().values(), ids=lambda found: str(found.id))
def test_each_clause_is_one_sentence_with_a_reason(found: Clause) -> None:
    for text in (found.rule, found.rationale):
        assert text == text.strip()
        assert len(text) > 30
        assert text.endswith(".")
    assert not re.search(r"[.!?] [A-Z]", found.rule), "a rule is a single sentence"
    assert found.rule != found.rationale
    assert found.requires
    assert len(set(found.requires)) == len(found.requires)


def test_no_two_clauses_say_the_same() -> None:
    assert len({found.rule for found in clauses().values()}) == len(clauses())


@pytest.mark.parametrize("item", sorted({r for c in clauses().values() for r in c.requires}))
def test_each_requirement_is_known_to_the_profile(item: str) -> None:
    name, equals, value = item.partition("=")
    if not equals:
        assert item in CAPABILITIES
        return
    declared: dict[str, Any] = {name: value}
    assert getattr(Profile(**declared), name) == value  # Profile refuses what it does not know


@pytest.mark.parametrize("option", [field.name for field in dataclasses.fields(Profile)])
def test_the_preamble_tells_of_each_dialect(option: str) -> None:
    not_dialects = {"name", "capabilities", "without", "default_ttl"}
    limits = {"max_key_bytes", "max_value_bytes"}
    if option not in not_dialects | limits:
        assert f"`{option}`" in _preamble()


def test_each_id_that_the_document_mentions_exists() -> None:
    mentioned = set(re.findall(r"\b([A-Z]{2,}-[0-9]+)\b", _document())) - {"UTF-8"}
    assert mentioned <= set(clauses())
    assert mentioned >= {"LIST-3", "GET-4", "CAS-3"}, "the blame order names them"


def test_the_document_is_what_is_parsed() -> None:
    assert parse(_document()) == tuple(clauses().values())
    assert len(re.findall(r"^### ", _document(), re.MULTILINE)) == len(clauses())


def _document() -> str:
    return resources.files("kv_spec").joinpath("SPEC.md").read_text(encoding="utf-8")


def _preamble() -> str:
    return _document().partition("\n## OPEN: ")[0]


# The registry


def test_registry_is_read_once_and_can_not_be_changed() -> None:
    assert clauses() is clauses()
    assert families() is families()
    for registry in (clauses(), families()):
        assert isinstance(registry, Mapping)
        with pytest.raises(TypeError):
            registry["GET-1"] = None  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        clause("GET-1").rule = "anything goes"  # type: ignore[misc]


def test_clause_by_id() -> None:
    found = clause("CAS-7")
    assert found is clauses()["CAS-7"]
    assert (found.id, found.family, found.title) == ("CAS-7", "CAS", "Compare and swap")
    assert found.requires == ("cas-swap", "cas_equality=structural")
    assert found.capability == "cas-swap, cas_equality=structural"
    assert found.level == "MUST"


@pytest.mark.parametrize(
    ("typed", "meant"), [("GET1", "GET-1"), ("get-1", "GET-1"), ("LST-3", "LIST-3")]
)
def test_unknown_clause_suggests_the_nearest(typed: str, meant: str) -> None:
    with pytest.raises(UnknownClause) as caught:
        clause(typed)
    assert isinstance(caught.value, KeyError)
    assert f"{typed!r}; did you mean " in str(caught.value)
    assert meant in str(caught.value)
    assert not str(caught.value).startswith('"'), "a KeyError would show the repr"


def test_unknown_clause_with_nothing_near_names_the_families() -> None:
    with pytest.raises(UnknownClause, match=r"no clause 'xyzzy'; families: OPEN, GET, .*LAYER$"):
        clause("xyzzy")


@given(st.text())
def test_any_text_is_a_clause_or_unknown(text: str) -> None:
    if text in clauses():
        assert clause(text).id == text
    else:
        with pytest.raises(UnknownClause):
            clause(text)


def test_importing_reads_nothing_and_stays_light() -> None:
    code = (
        "import sys, kv_spec.clauses as c; "
        "assert c.clauses.cache_info().currsize == 0; "
        "print(*{'hypothesis', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=_same_path(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def _same_path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


# Reading a document


def test_parse_reads_all_fields() -> None:
    one, two, three = parse(SMALL)
    assert one == Clause(
        id="GET-1",
        family="GET",
        title="Reading",
        level=Level.MUST,
        requires=("core",),
        rule="One.",
        rationale="Because.",
        not_yet_checked=None,
    )
    assert two.level is Level.SHOULD
    assert two.requires == ("cas", "null=delete")
    assert two.rule == "Two: with a colon, and - a dash."
    assert two.not_yet_checked == "no time."
    assert (three.family, three.title) == ("LAST", "Leaving")


FIELDS = ["Level: MUST", "Capability: core", "Rule: One.", "Rationale: Because."]


@pytest.mark.parametrize("field", FIELDS)
def test_a_missing_line_is_refused(field: str) -> None:
    text = SMALL.replace(f"- {field}\n", "", 1)
    with pytest.raises(SpecError, match=rf"^line \d+: GET-1.*{field.partition(':')[0]}"):
        parse(text)


def test_a_clause_without_any_line_is_refused_at_its_heading() -> None:
    text = re.sub(r"(?s)(### GET-1\n).*?\n\n", r"\1\n", SMALL, count=1)
    with pytest.raises(SpecError, match=rf"^line {_line('### GET-1')}: GET-1: no line Level, Cap"):
        parse(text)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("### GET-2", "### GET-1", "GET-1 appears twice"),
        ("### GET-2", "### GET-3", "GET-3 where GET-2 is due"),
        ("### GET-1", "### GET-0", "neither clause nor family: '### GET-0'"),
        ("### GET-1", "### GET-01", "neither clause nor family: '### GET-01'"),
        ("### GET-1", "### get-1", "neither clause nor family: '### get-1'"),
        ("### GET-1", "#### GET-1", "neither clause nor family: '#### GET-1'"),
        ("### LAST-1", "### GET-3", "GET-3 where LAST-1 is due"),
        ("## LAST: Leaving", "## LAST Leaving", "neither clause nor family"),
        ("## LAST: Leaving", "## GET: Leaving", "family GET appears twice"),
        ("- Level: SHOULD", "- Level: should", "GET-2: unknown level 'should'"),
        ("- Level: SHOULD", "- Level: MAY", "GET-2: unknown level 'MAY'"),
        ("- Level: SHOULD", "- Levle: SHOULD", "GET-2: 'Levle' where 'Level' is due"),
        ("- Level: SHOULD", "Level: SHOULD", "GET-2: not a field on one line"),
        ("- Level: SHOULD", "- Level:", "GET-2: not a field on one line"),
        ("cas, null=delete", "cas,null=delete", "GET-2: neither a capability nor name=value"),
        ("cas, null=delete", "null=", "GET-2: neither a capability nor name=value"),
        ("cas, null=delete", "cas and ttl", "GET-2: neither a capability nor name=value"),
        ("- Not yet checked: no", "- Note: no", "'Note' where 'Not yet checked' is due"),
        ("- Not yet checked: no", "- Rationale: no", "GET-2: a second line 'Rationale'"),
    ],
)
def test_a_slip_is_refused_with_its_line(old: str, new: str, message: str) -> None:
    assert old in SMALL
    with pytest.raises(SpecError) as caught:
        parse(SMALL.replace(old, new, 1))
    assert str(caught.value).startswith(f"line {_line(old)}: ")
    assert message in str(caught.value)


def test_a_line_that_was_wrapped_is_refused() -> None:
    text = SMALL.replace("- Rule: One.", "- Rule: One\n  more.")
    with pytest.raises(SpecError, match=rf"^line {_line('Rule: One') + 1}: GET-1: not a field"):
        parse(text)


def test_one_line_too_many_is_refused() -> None:
    text = SMALL.replace("no time.", "no time.\n- Author: me")
    with pytest.raises(SpecError, match="GET-2: 'Author' where 'nothing more' is due"):
        parse(text)


def test_text_before_the_first_clause_of_a_family_is_refused() -> None:
    text = SMALL.replace("## GET: Reading", "## GET: Reading\nAbout reading.")
    with pytest.raises(SpecError, match=rf"^line {_line('## GET')}: family GET: text before"):
        parse(text)


def test_a_misspelt_first_family_does_not_hide_its_clauses() -> None:
    text = SMALL.replace("## GET: Reading", "## GET - Reading")
    with pytest.raises(SpecError, match="GET-1 stands before the first family"):
        parse(text)


@pytest.mark.parametrize("text", ["", "# Title\n\nProse.\n"])
def test_a_document_without_clauses_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match=r"^line \d+: the document has no clause"):
        parse(text)


def test_a_family_without_clauses_is_refused() -> None:
    text = SMALL + "\n## NEW: To come\n\n## NEXT: As well\n"
    with pytest.raises(SpecError, match="family without a clause: NEW, NEXT"):
        parse(text)


@given(st.data())
def test_no_line_of_a_clause_can_be_lost_unnoticed(data: st.DataObject) -> None:
    lines = SMALL.splitlines()
    start = _line("## GET")
    gone = data.draw(st.sampled_from([n for n in range(start - 1, len(lines)) if lines[n]]))
    text = "\n".join(lines[:gone] + lines[gone + 1 :])
    if lines[gone].startswith("- Not yet checked"):
        assert parse(text)[1].not_yet_checked is None
    else:
        with pytest.raises(SpecError):
            parse(text)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Level),
            st.lists(st.sampled_from(["core", "ttl", "null=value"]), min_size=1, unique=True),
            st.from_regex(r"\S[ -~]{0,60}", fullmatch=True),
            st.none() | st.just("later."),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_written_in_the_layout_is_read_back(
    written: list[tuple[Level, list[str], str, str | None]],
) -> None:
    expected = tuple(
        Clause(
            id=f"NEW-{number}",
            family="NEW",
            title="To come",
            level=level,
            requires=tuple(requires),
            rule=rule,
            rationale=rule,
            not_yet_checked=reason,
        )
        for number, (level, requires, rule, reason) in enumerate(written, start=1)
    )
    text = "# Title\n\n## NEW: To come\n"
    for c in expected:
        text += f"\n### {c.id}\n- Level: {c.level}\n- Capability: {c.capability}\n"
        text += f"- Rule: {c.rule}\n- Rationale: {c.rationale}\n"
        text += f"- Not yet checked: {c.not_yet_checked}\n" if c.not_yet_checked else ""
    assert parse(text) == expected


def test_presets_are_told_in_the_preamble() -> None:
    for preset in set(PRESETS) - {"base"}:
        assert preset.capitalize() in _preamble()

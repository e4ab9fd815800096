"""The registry of clauses, read from SPEC.md: the document is the one source, this only parses it.

The document is a preamble, free in form, followed by families (`## GET: Reading`) of clauses
(`### GET-1`), each with the lines `- Level:`, `- Capability:`, `- Rule:`, `- Rationale:` in this
order and, optionally, `- Not yet checked:`. From the first family on nothing else is allowed, so
that a slip of the pen can not silently take a clause out of the specification.
"""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType
from typing import Final, TypeAlias

# A clause ends the preamble too: it would be lost in it if the heading of its family is misspelt.
_AFTER_PREAMBLE: Final = re.compile(r"## [A-Z]+:|### ")
_FAMILY: Final = re.compile(r"## ([A-Z]+): (\S.*)")
_CLAUSE: Final = re.compile(r"### [A-Z]+-[1-9][0-9]*")
_FIELD: Final = re.compile(r"- ([^:]+): (\S.*)")
_REQUIREMENT: Final = re.compile(r"[a-z][a-z_-]*(=[a-z][a-z_-]*)?")
_REQUIRED: Final = ("Level", "Capability", "Rule", "Rationale")
_OPTIONAL: Final = "Not yet checked"

_Line: TypeAlias = tuple[int, str]


class Level(enum.StrEnum):
    """How binding a clause is: a broken MUST fails the store, a broken SHOULD warns."""

    MUST = "MUST"
    SHOULD = "SHOULD"


class SpecError(ValueError):
    """SPEC.md departs from its layout; the message begins with the number of the line."""


class UnknownClause(KeyError):
    """No clause has this ID; the message names the nearest ones."""

    def __str__(self) -> str:
        """The message as it is: KeyError would show its repr."""
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Clause:
    """One sentence of the specification, with what the reports say about it.

    `requires` are the items of its Capability line, all of which must hold for the clause to apply
    to a store: `core`, the name of a capability, or a declared dialect as `name=value`. `title` is
    that of the family. `not_yet_checked` is the reason why no test judges the clause, or None.
    """

    id: str
    family: str
    title: str
    level: Level
    requires: tuple[str, ...]
    rule: str
    rationale: str
    not_yet_checked: str | None

    @property
    def capability(self) -> str:
        """The Capability line as it stands in the document."""
        return ", ".join(self.requires)


@cache
def clauses() -> Mapping[str, Clause]:
    """All clauses by ID, in the order of the document; a read-only mapping.

    Raises SpecError if SPEC.md departs from its layout.
    """
    text = resources.files("kv_spec").joinpath("SPEC.md").read_text(encoding="utf-8")
    return MappingProxyType({clause.id: clause for clause in parse(text)})


def clause(id: str) -> Clause:
    """The clause with this ID, such as `GET-1`. Raises UnknownClause."""
    try:
        return clauses()[id]
    except KeyError:
        near = difflib.get_close_matches(id.upper(), clauses(), n=3)
        hint = f"did you mean {', '.join(near)}?" if near else f"families: {', '.join(families())}"
        raise UnknownClause(f"there is no clause {id!r}; {hint}") from None


@cache
def families() -> Mapping[str, tuple[Clause, ...]]:
    """The clauses of each family, by its name, in the order of the document; read-only."""
    grouped = groupby(clauses().values(), key=attrgetter("family"))
    return MappingProxyType({family: tuple(members) for family, members in grouped})


def parse(text: str) -> tuple[Clause, ...]:
    """The clauses of a document laid out like SPEC.md. Raises SpecError, naming the line."""
    found: dict[str, Clause] = {}
    last: dict[str, int] = {}  # the number of the last clause of each family
    family = title = ""
    for number, heading, body in _sections(text):
        if match := _FAMILY.fullmatch(heading):
            family, title = match.groups()
            _expect(family not in last, number, f"family {family} appears twice")
            _expect(not body, number, f"family {family}: text before its first clause")
            last[family] = 0
            continue
        id = heading.removeprefix("### ")
        _expect(bool(_CLAUSE.fullmatch(heading)), number, f"neither clause nor family: {heading!r}")
        _expect(bool(family), number, f"{id} stands before the first family")
        _expect(id not in found, number, f"{id} appears twice")
        last[family] += 1
        _expect(id == (due := f"{family}-{last[family]}"), number, f"{id} where {due} is due")
        found[id] = _clause(id, title, number, body)
    bare = ", ".join(name for name, count in last.items() if not count)
    _expect(bool(found), len(text.splitlines()), "the document has no clause")
    _expect(not bare, len(text.splitlines()), f"family without a clause: {bare}")
    return tuple(found.values())


def _sections(text: str) -> Iterator[tuple[int, str, list[_Line]]]:
    """Each heading from the first family on: its line number, itself, the lines under it."""
    lines = list(enumerate(text.splitlines(), start=1))
    start = next((n for n, line in lines if _AFTER_PREAMBLE.match(line)), len(lines) + 1)
    headings = [n for n, line in lines[start - 1 :] if line.startswith("#")]
    for n, end in zip(headings, [*headings[1:], len(lines) + 1], strict=False):
        yield *lines[n - 1], [line for line in lines[n : end - 1] if line[1].strip()]


def _clause(id: str, title: str, number: int, body: list[_Line]) -> Clause:
    fields: dict[str, str] = {}
    due = [*_REQUIRED, _OPTIONAL]
    for at, line in body:
        match = _FIELD.fullmatch(line)
        name, value = match.groups() if match else ("", "")
        _expect(bool(match), at, f"{id}: not a field on one line: {line!r}")
        _expect(name not in fields, at, f"{id}: a second line {name!r}")
        wanted = due.pop(0) if due else "nothing more"
        _expect(name == wanted, at, f"{id}: {name!r} where {wanted!r} is due")
        fields[name] = value
    missing = [name for name in _REQUIRED if name not in fields]
    _expect(not missing, number, f"{id}: no line {', '.join(missing)}")
    level = fields["Level"]
    _expect(level in set(Level), body[0][0], f"{id}: unknown level {level!r}; MUST or SHOULD")
    requires = tuple(fields["Capability"].split(", "))
    odd = [item for item in requires if not _REQUIREMENT.fullmatch(item)]
    _expect(not odd, body[1][0], f"{id}: neither a capability nor name=value: {odd}")
    return Clause(
        id=id,
        family=id.partition("-")[0],
        title=title,
        level=Level(level),
        requires=requires,
        rule=fields["Rule"],
        rationale=fields["Rationale"],
        not_yet_checked=fields.get(_OPTIONAL),
    )


def _expect(holds: bool, number: int, message: str) -> None:
    if not holds:
        raise SpecError(f"line {number}: {message}")

"""The options of `self-test`. Nothing heavy is imported before they are read."""

from __future__ import annotations

from collections.abc import Sequence

from kv_conformance.cli import Parser


def parser() -> Parser:
    """The options of a self-test."""
    made = Parser(
        prog="kv-conformance self-test",
        usage="kv-conformance self-test [options]",
        description="Runs the mutants, the reference with one clause broken each, and prints how "
        "many of them the harness catches under that clause.",
        epilog="Exit codes: 0 all caught, by a short program each; 1 not so; 2 usage.",
        allow_abbrev=False,
    )
    add = made.add_argument
    add("--phase", action="append", metavar="NAME", help="vectors, machines, sweep; repeatable, "
        "all three are a default run (default: sweep)")  # fmt: skip
    add("--seed", type=int, action="append", metavar="N", help="repeatable (default: 0)")
    add("--seeds", type=int, metavar="K", help="the first K seeds, from 0 on")
    add("--clause", action="append", metavar="ID", help="only the mutants of these clauses, "
        "e.g. TTL-3 or TTL")  # fmt: skip
    add("--jobs", type=int, default=1, metavar="N", help="processes (default: 1)")
    add("--json", metavar="PATH", help="all results as JSON; - is stdout")
    return made


def main(arguments: Sequence[str]) -> int:
    """Runs `self-test`; returns the exit code."""
    options = parser().parse(arguments)
    from kv_conformance.self_test import command

    return command.run(options)

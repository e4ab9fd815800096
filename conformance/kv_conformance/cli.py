"""The command `kv-conformance`.

Heavy imports wait until a run needs them: `--help`, `clauses` and `explain` start at once.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

COMMANDS: Final = ("clauses", "explain", "servers", "self-test")
_BUDGETS: Final = ("quick", "standard", "thorough")


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and exits with 2."""

    commands: tuple[str, ...] = ()
    """What may stand in place of the options."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"kv-conformance: {message}\n{self.format_usage()}")
        raise SystemExit(2)

    def parse(self, given: Sequence[str]) -> argparse.Namespace:
        """The options; what is none is named, with the one that may have been meant."""
        options, unknown = self.parse_known_args(given)
        if unknown:
            word = unknown[0]
            known = [option for action in self._actions for option in action.option_strings]
            names = known if word.startswith("-") else list(self.commands)
            near = difflib.get_close_matches(word.partition("=")[0], names, 1)
            what = "option" if word.startswith("-") else "command" if names else "argument"
            hint = f"; did you mean {near[0]}?" if near else ""
            if not near and what == "command":
                hint = "; a store is named by --store"
            self.error(f"there is no {what} {word!r}{hint}")
        return options


def parser() -> Parser:
    """The options of a run."""
    made = Parser(
        prog="kv-conformance",
        usage="kv-conformance --store TARGET [options]\n"
        "       kv-conformance clauses | explain CLAUSE | servers | self-test [options]",
        description="Checks a key-value store against the specification, clause by clause.",
        epilog="Exit codes: 0 conformant, 1 violations, 2 usage, 3 inconclusive, 4 our own fault.",
        allow_abbrev=False,
    )
    made.commands = COMMANDS
    add = made.add_argument
    add("--store", metavar="TARGET", help="module:attribute, file.py:attribute, an installed name "
        "(memory, sqlite, redis, memcached, fakeredis) or a URL of one")  # fmt: skip
    add("--profile", metavar="P", help="a preset (base, fedify, polystore, keyv, cachimbo) or "
        "declarations, such as null=value,ttl_resolution=1")  # fmt: skip
    add("--clock", metavar="NAME", help="auto, injected, patched, server, real (default: auto)")
    add("--phase", action="append", metavar="NAME", help="vectors, machines, sweep (default: all)")
    add("--clause", action="append", metavar="ID", help="only these clauses, e.g. TTL-3 or TTL")
    add("--seed", type=int, metavar="N", help="default: 0")
    add(
        "--examples",
        type=int,
        metavar="N",
        help="programs that the machines run; the sweep runs 30 times as many",
    )
    add("--budget", metavar="NAME", help=f"{', '.join(_BUDGETS)} (default: standard); without the "
        "sweep the machines run three times as many programs")  # fmt: skip
    add("--jobs", type=int, metavar="N", help="processes for the sweep (default: one a core, where "
        "the store is in memory)")  # fmt: skip
    add("--shard", metavar="I/N", help="only the I-th of N parts of the run, from 1")
    add("--time", type=float, metavar="SECONDS", help="let the sweep go on for so long in all")
    add("--operation-timeout", type=float, metavar="SECONDS", help="default: 10")
    add(
        "--report",
        action="append",
        metavar="FORMAT=PATH",
        help="json=…, junit=…, text=…; - is stdout",
    )
    add("--expected-failures", metavar="FILE", help="TOML with the clauses known to be broken")
    add("--replay", metavar="TOKEN", help="run one program again, from a report")
    add("--option", action="append", metavar="KEY=VALUE", help="an argument for the factory")
    add("--hostile-keys", action="store_true", help="also try absolute and deep paths as keys")
    add("--version", action="store_true", help="show the version")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["self-test"]:
        from kv_conformance.self_test import options as self_test

        return self_test.main(given[1:])
    if given[:1] == ["servers"]:
        from kv_conformance import servers

        return servers.main(given[1:])
    if given[:1] and given[0] in COMMANDS:
        from kv_conformance import reading

        return reading.main(given)
    options = parser().parse(given)
    if options.version:
        from kv_conformance.settings import harness_version

        sys.stdout.write(f"kv-conformance {harness_version()}\n")
        return 0
    from kv_conformance import command

    return command.main(options)


if __name__ == "__main__":
    raise SystemExit(main())

"""Text that is meant to break what shows it: terminal, JSON and XML stay what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.bad.conftest import Result, Run

EVIL = r'"\x1b[2J\x1b]0;owned\x07 ]]> </testcase> \x00 \ud800 \u202e"'
NAME = rf"{EVIL}.translate({{0: None, 0xd800: None}})"
"""The same as a class can be called."""
STORES = {
    "a message": f"def get(self, key): raise RuntimeError({EVIL})",
    "the name of an exception": f"def get(self, key): raise type({NAME}, (Exception,), {{}})",
    "a value": f"def get(self, key): return {EVIL}",
    "a text of its own class": f"def get(self, key): return type('T', (str,), {{}})({EVIL})",
    "a name for a method": f"keys = type({NAME}, (), {{}})()",
    "a version": f"version = {EVIL}",
    "a version of its own class": f"version = type('T', (str,), {{}})({EVIL})",
    "what it prints": f"def get(self, key): print({EVIL}.encode('utf-8', 'replace').decode())",
    "a message without end": "def get(self, key): raise RuntimeError('x' * 10_000_000)",
    "a value without end": "def get(self, key): return ['y' * 10_000_000]",
    "an exception that can not be shown": "def get(self, key): raise Mute\n"
    "class Mute(Exception):\n    def __str__(self): raise KeyboardInterrupt\n"
    "    __repr__ = __str__",
    "a value that can not be shown": "def get(self, key): return Mute()\n"
    "class Mute:\n    def __repr__(self): raise KeyboardInterrupt\n    __str__ = __repr__",
}  # fmt: skip


def is_harmless(result: Result) -> bool:
    shown = result.out + result.err
    return all(char == "\n" or char.isprintable() for char in shown) and len(shown) < 50_000


@pytest.mark.parametrize("case", STORES)
def test_hostile_text_breaks_nothing(run: Run, case: str) -> None:
    result = run(f"class Store(Right):\n    {STORES[case]}\n")
    assert result.code in (0, 1), result.reasons
    assert is_harmless(result)
    assert len(result.junit) < 500_000
    if "keys" not in STORES[case] and "version" not in STORES[case]:
        assert result.clauses("fail")


@pytest.mark.parametrize("where", ["import", "factory"])
def test_hostile_text_of_an_error_of_the_target(run: Run, where: str) -> None:
    raising = f"raise RuntimeError({EVIL})"
    result = run(raising if where == "import" else f"def Store():\n    {raising}")
    assert result.code == 2
    assert is_harmless(result)
    assert r"\x1b[2J" in result.out

"""Data that is not the run's, other kinds of keys, other units of time, shared state."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.bad.conftest import Run

FILE = textwrap.dedent("""
    import pathlib

    class Store(Right):
        path = pathlib.Path(__file__).with_name("data.txt")

        def __init__(self):
            super().__init__()
            self.entries_ = {KEY: ('"mine"', None)}

        def set(self, *args, **options): self.path.write_text("written to")
        def delete(self, *args): self.path.write_text("deleted from")
        def clear(self): self.path.write_text("cleared")
""")
LISTINGS = {
    "by list": "pass",
    "by entries": "def entries(self): return Right.list(self)\n    list = None",
    "by keys": "def keys(self): return [*self.entries_]\n    list = None",
    "by list at the second time of asking": "calls = 0\n    def list(self, prefix=()):\n"
    "        Store.calls += 1\n        if Store.calls == 1: raise TimeoutError\n"
    "        return Right.list(self, prefix)",
}


@pytest.mark.parametrize("how", LISTINGS)
def test_a_store_that_holds_entries_is_not_written_to(run: Run, how: str) -> None:
    data = run.write("data.txt", "precious")
    result = run(FILE.replace("KEY", "('mine',)") + f"\nclass Store(Store):\n    {LISTINGS[how]}\n")
    assert (result.code, result.report["stopped"]["kind"]) == (2, "usage")
    assert "the store is not empty at the start, and was not written to" in result.reasons
    assert "--option" in result.reasons
    assert data.read_text() == "precious"


FLAT = textwrap.dedent("""
    class Store(Right):
        def _key(self, key):
            if not isinstance(key, str): raise TypeError(key)
            return key
        def list(self, prefix=""):
            for key in [*self.entries_]:
                if key.startswith(prefix) and self._text(key) is not None:
                    yield key, self.get(key)
""")


def test_a_store_of_plain_keys_under_a_profile_of_paths(run: Run) -> None:
    result = run(FLAT)
    assert (result.code, result.report["stopped"]["kind"]) == (2, "usage")
    assert "works with plain strings" in result.reasons
    assert "kv-conformance --store store:Store --profile key_model=flat" in result.reasons
    assert run(FLAT, "--profile", "key_model=flat").code == 0


def test_a_store_of_plain_keys_that_holds_entries_is_not_written_to(run: Run) -> None:
    data = run.write("data.txt", "precious")
    result = run(FLAT + FILE.replace("KEY", "'mine'").replace("Right", "Store"))
    assert "the store is not empty" in result.reasons
    assert data.read_text() == "precious"


UNITS = {
    "milliseconds": ("ttl / 1000", "ttl * 1000", "auto"),
    "minutes": ("ttl * 60", "ttl / 60", "auto"),
    "milliseconds of a real clock": ("ttl / 1000", "ttl * 1000", "real"),
}


@pytest.mark.parametrize("case", UNITS)
def test_a_ttl_in_other_units(run: Run, case: str) -> None:
    taken, remedy, clock = UNITS[case]
    result = run(
        f"""
        class Store(Right):
            left = set()
            def set(self, key, value, *, ttl=None):
                Right.set(self, key, value, ttl=None if ttl is None else {taken})
                self.left.add((id(self), key))
            def delete(self, key):
                Right.delete(self, key)
                self.left.discard((id(self), key))
                open({str(run.folder / "left.txt")!r}, "w").write(str(len(self.left)))
        """,
        "--clock",
        clock,
    )
    assert (result.code, result.report["stopped"]["kind"]) == (2, "usage")
    assert f"takes its ttl in {case.partition(' ')[0]}" in result.reasons
    assert f"else {remedy})" in result.reasons
    assert (run.folder / "left.txt").read_text() == "0", "a key of a probe is still there"


def test_a_ttl_that_is_only_somewhat_wrong_is_a_violation(run: Run) -> None:
    result = run(
        """
        class Store(Right):
            def set(self, key, value, *, ttl=None):
                Right.set(self, key, value, ttl=None if ttl is None else ttl / 2)
        """,
        "--phase",
        "vectors",
    )
    assert result.code == 1
    assert "TTL-2" in result.clauses("fail")


SHARED = {
    "one object": "one = Right()\ndef make(): return one",
    "one object that is closed for good": """
        class Closing(Right):
            def close(self): self._key = None
        one = Closing()
        def make(): return one
    """,
    "one dict": "class make(Right):\n    def __init__(self): self.entries_ = DATA\nDATA = {}",
    "one dict of plain keys": FLAT
    + "class make(Store):\n    profile = {'key_model': 'flat', 'concurrent': False}\n"
    "    def __init__(self): self.entries_ = DATA\nDATA = {}",
    "a space that is ignored": "def make(space): return one\none = Right()",
    "one dict with keys and clear": """
        class make(Right):
            DATA = {}
            def __init__(self): self.entries_ = self.DATA
            def keys(self): return [key for key, _ in self.list()]
            def clear(self): raise AssertionError("not ours alone")
    """,
}


@pytest.mark.parametrize("case", SHARED)
def test_stores_that_see_each_others_entries_break_one_clause(run: Run, case: str) -> None:
    result = run(SHARED[case], store="store:make")
    assert result.code == 1, result.reasons
    assert result.clauses("fail") == ["OPEN-1"]
    broken = next(one for one in result.report["clauses"] if one["id"] == "OPEN-1")
    assert [op["op"] for op in broken["program"]] == ["set", "open", "get"]
    assert "every program keeps to keys of its own" in result.notes
    assert len(result.clauses("pass")) > 15


def test_what_else_is_wrong_with_them_is_found_as_well(run: Run) -> None:
    result = run(
        """
        one = Right()
        one.delete = lambda key: None

        def make(): return one
        """,
        store="store:make",
    )
    assert {"OPEN-1", "DEL-1"} <= set(result.clauses("fail"))

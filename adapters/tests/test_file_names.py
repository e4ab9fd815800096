"""File names of keys: different and valid wherever a folder may lie."""

import re
import unicodedata

import pytest
from kv_adapters.file_names import file_name, is_name, may_be_below

from .test_stores import HARD_KEYS

KEYS = [
    *HARD_KEYS, ("con",), ("CON",), ("nul", "x"), ("com1",), ("a.",), ("a.json",), ("..",), (".",),
    ("..", ".."), ("/etc/passwd",), ("C:\\x",), ("~",), ("~" + "0" * 64,), ("a,b",), ("a=2c",),
    ("=",), ("x" * 119,), ("x" * 120,), ("x" * 121,), ("X" * 40,), ("é" * 100,), ("ﬁ",), ("ſ",),
    ("K",), ("ß",), ("İ",), ("n" * 5000,), ("n" * 5001,), tuple("x" * 70),
]  # fmt: skip


def test_no_file_system_takes_two_names_for_one() -> None:
    names = [file_name(key) for key in KEYS]
    folded = {unicodedata.normalize("NFKD", name.casefold()) for name in names}
    assert len(folded) == len(set(KEYS)) == len(names)


@pytest.mark.parametrize("key", KEYS, ids=file_name)
def test_a_name_is_valid_on_linux_macos_and_windows(key: tuple[str, ...]) -> None:
    name = file_name(key) + ".json"
    assert re.fullmatch(r"[-a-z0-9_=,~]+\.json", name)
    assert len(name) <= 125
    # Windows takes a device's name for the device, whatever comes after its first dot.
    assert name.partition(".")[0] not in {"con", "prn", "aux", "nul", "com1", "lpt1"}
    assert is_name(file_name(key))


@pytest.mark.parametrize("name", ["", "a", "index", "A,", "a=2", "=G0,", "~", "~00", ".lock", "é,"])
def test_other_names_are_told_apart(name: str) -> None:
    assert not is_name(name)


def test_plain_keys_can_be_read() -> None:
    assert file_name(("user", "42")) == "user,42,"
    assert file_name(("Ünï/x",)) == "=c3=9cn=c3=af=2fx,"
    assert file_name(("",)) == ","


@pytest.mark.parametrize("prefix", [(), *KEYS], ids=file_name)
def test_the_names_below_a_prefix_are_all_found(prefix: tuple[str, ...]) -> None:
    for key in KEYS:
        below = key[: len(prefix)] == prefix
        found = may_be_below(file_name(key), prefix)
        assert found or not below
        assert below or not found or file_name(key).startswith("~")

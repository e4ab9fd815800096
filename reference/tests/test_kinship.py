"""Which keys a careless store takes for one, and how it reads a prefix."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from kv_reference.kinship import below, folds_below, is_special, kin, misread, names_member

deterministic = settings(derandomize=True, deadline=None, max_examples=300)

hard = st.text("aAbé\u0301 :/._-%*?[]\\'\"\0\ud800😀", max_size=4)
plain = st.text("abcxyz019", min_size=1, max_size=4)
hard_keys = st.lists(hard, min_size=1, max_size=4).map(tuple)
plain_keys = st.lists(plain, min_size=1, max_size=4).map(tuple)
flat_keys = hard | plain


@deterministic
@given(hard_keys | plain_keys, hard_keys | plain_keys)
def test_kinship_is_mutual(left: Any, right: Any) -> None:
    assert kin(left, right) == kin(right, left)
    assert kin(left, right) in (None, "KEY-2", "KEY-3", "KEY-4", "KEY-7")


@deterministic
@given(flat_keys, flat_keys)
def test_kinship_of_flat_keys_is_mutual_and_knows_no_components(left: str, right: str) -> None:
    assert kin(left, right) == kin(right, left)
    assert kin(left, right) in (None, "KEY-3", "KEY-4", "KEY-7")


@deterministic
@given(hard_keys, st.sampled_from(["", ":", "/", ".", "\0", "::"]), st.data())
def test_keys_that_join_to_one_text_are_kin(key: Any, sep: str, data: st.DataObject) -> None:
    assume(len(key) > 1)
    at = data.draw(st.integers(1, len(key) - 1))
    merged = (*key[: at - 1], key[at - 1] + sep + key[at], *key[at + 1 :])
    assert kin(key, merged) is not None


@deterministic
@given(plain_keys, hard_keys)
def test_a_key_and_its_extension_are_kin(key: Any, more: Any) -> None:
    assert kin(key, key + more) is not None


@deterministic
@given(plain_keys, st.sampled_from([str.upper, lambda text: text + " ", lambda text: text + "\0"]))
def test_keys_that_fold_together_are_kin_by_key_3(key: Any, fold: Any) -> None:
    other = tuple(map(fold, key))
    assume(other != key)
    assert kin(key, other) == "KEY-3"


@deterministic
@given(plain_keys, plain_keys)
def test_plain_keys_are_kin_only_by_their_components(left: Any, right: Any) -> None:
    assume(left != right)
    joined = "".join(left) == "".join(right)
    shorter, longer = sorted((left, right), key=len)
    extends = longer[: len(shorter)] == shorter
    assert kin(left, right) == ("KEY-2" if joined or extends else None)


@pytest.mark.parametrize(
    ("left", "right", "clause"),
    [
        (("a", "b"), ("a:b",), "KEY-2"),
        (("a", "b"), ("ab",), "KEY-2"),
        (("a", "", "b"), ("a", "b"), "KEY-4"),
        (("é",), ("e\u0301",), "KEY-3"),
        (("ﬁ",), ("fi",), "KEY-3"),
        (("ß",), ("ss",), "KEY-3"),
        (("a\0b",), ("a",), "KEY-3"),
        (("\ud800",), ("\ufffd",), "KEY-3"),
        (("k" * 100 + "a",), ("k" * 100 + "b",), "KEY-7"),
        (("a",), ("b",), None),
        ("a", "A", "KEY-3"),
        ("a", "a/b", None),
    ],
)
def test_examples_of_kin(left: Any, right: Any, clause: str | None) -> None:
    assert kin(left, right) == clause


def test_names_of_members() -> None:
    assert names_member(("a", "__proto__"))
    assert names_member("constructor")
    assert not names_member(("a", "proto"))


@deterministic
@given(hard_keys | plain_keys, st.data())
def test_every_key_is_below_its_prefixes(key: Any, data: st.DataObject) -> None:
    prefix = key[: data.draw(st.integers(0, len(key)))]
    assert below(key, prefix)
    assert not folds_below(key, prefix), "what is below needs no folding"
    if len(prefix) < len(key):
        assert not below(prefix, key)


@deterministic
@given(flat_keys, flat_keys)
def test_a_flat_key_is_below_what_it_starts_with(key: str, prefix: str) -> None:
    assert below(key, prefix) == key.startswith(prefix)


@deterministic
@given(plain_keys | st.just(()), plain_keys)
def test_a_plain_prefix_of_plain_keys_has_one_reading(prefix: Any, key: Any) -> None:
    assert not is_special(prefix)
    assert not misread(key, prefix)
    assert not misread((*key, "%"), prefix)
    assert not folds_below(key, prefix)


@deterministic
@given(plain, plain)
def test_a_plain_flat_prefix_has_one_reading(prefix: str, key: str) -> None:
    assert not is_special(prefix)
    assert not misread(key, prefix)


@deterministic
@given(hard_keys, hard_keys | st.just(()))
def test_reading_a_prefix_never_fails(key: Any, prefix: Any) -> None:
    misread(key, prefix)
    folds_below(key, prefix)
    misread("/".join(key), "/".join(prefix))
    folds_below("/".join(key), "/".join(prefix))


@pytest.mark.parametrize(
    ("prefix", "key"),
    [
        (("a%",), ("ab", "x")),
        (("a_",), ("ab", "x")),
        (("_",), ("%", "x")),
        (("a*",), ("abc", "x")),
        (("a?",), ("ab", "x")),
        (("[ab]",), ("a", "x")),
        (("[ab]",), ("[ab]", "x")),
        (("a.c",), ("abc", "x")),
        (("^a",), ("a", "x")),
        (("(",), ("(", "x")),
        (("a'",), ("a'", "x")),
        (("\\",), ("\\", "x")),
        (("a", "b"), ("a:b",)),
        (("a/b",), ("a", "b")),
        ("a%", "ab"),
        ("a.c", "abc"),
    ],
)
def test_special_readings_that_differ(prefix: Any, key: Any) -> None:
    assert misread(key, prefix)


@pytest.mark.parametrize(
    ("key", "prefix", "folds"),
    [
        (("A", "x"), ("a",), True),
        (("á", "x"), ("a",), True),
        (("a ", "x"), ("a",), True),
        (("a", "x"), ("a",), False),
        (("b", "x"), ("a",), False),
        (("A",), ("a", "x"), False),
        (("ab",), ("a",), False),
        ("Ab", "a", True),
        ("ab", "a", False),
        ("ab", "", False),
    ],
)
def test_keys_below_a_prefix_only_when_folded(key: Any, prefix: Any, folds: bool) -> None:
    assert folds_below(key, prefix) is folds

"""Keys as subjects of NATS, as properties."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kv_adapters.subjects import path_of, subject_of

AWKWARD = st.text(alphabet="=.*>_-0aAzZ2E \x00é\ud800\U0010ffff")
PATHS = st.lists(AWKWARD | st.text(), max_size=4).map(tuple)


@given(PATHS)
@example(())
@example(("",))
@example(("", ""))
@example(("=",))
@example(("=2E", "."))
def test_a_key_comes_back(path: tuple[str, ...]) -> None:
    assert path_of(subject_of(path)) == path


@given(PATHS, PATHS)
@example(("a",), ("A",))
@example(("a", "b"), ("a.b",))
@example(("",), ("=",))
@example(("é",), ("=C3=A9",))
def test_two_keys_are_two_subjects(left: tuple[str, ...], right: tuple[str, ...]) -> None:
    assert (subject_of(left) == subject_of(right)) == (left == right)


@given(PATHS, PATHS)
def test_what_is_below_a_prefix_begins_with_its_tokens(
    prefix: tuple[str, ...], path: tuple[str, ...]
) -> None:
    if prefix:
        below = len(path) > len(prefix) and path[: len(prefix)] == prefix
        assert subject_of(path).startswith(f"{subject_of(prefix)}.") == below


@given(PATHS)
def test_a_subject_is_a_key_of_a_bucket(path: tuple[str, ...]) -> None:
    if path:
        subject = subject_of(path)
        assert re.fullmatch(r"[-/_=.a-zA-Z0-9]+", subject)
        assert "" not in subject.split(".")


@pytest.mark.parametrize(
    ("path", "subject"),
    [(("users", "42", "first-name"), "users.42.first-name"), (("a b", ""), "a=20b.=")],
)
def test_what_is_plain_stays_readable(path: tuple[str, ...], subject: str) -> None:
    assert subject_of(path) == subject

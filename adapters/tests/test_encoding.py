"""The encoding of keys and values, as properties."""

import math
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kv_adapters.encoding import decode_key, dump_value, encode_key, key_range, load_value
from kv_spec.errors import InvalidValue
from kv_spec.values import equal

AWKWARD = st.text(alphabet="\x00\x01\x02ab\u007f\u0080é\ud7ff\ud800\udfff\ue000\uffff\U0010ffff")
PATHS = st.lists(AWKWARD | st.text(), max_size=4).map(tuple)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(AWKWARD, inner),
    max_leaves=20,
)


@given(PATHS)
@example(())
@example(("",))
@example(("", ""))
def test_a_key_comes_back(path: tuple[str, ...]) -> None:
    assert decode_key(encode_key(path)) == path


@given(PATHS, PATHS)
@example(("a",), ("a\x00",))
@example(("a\x00",), ("a\x01",))
@example(("a", "b"), ("a\x00b",))
def test_bytes_are_in_the_order_of_keys(left: tuple[str, ...], right: tuple[str, ...]) -> None:
    assert (encode_key(left) < encode_key(right)) == (left < right)
    assert (encode_key(left) == encode_key(right)) == (left == right)


@given(PATHS, PATHS)
@example(("a",), ("a\x00", "b"))
@example(("a",), ("ab",))
@example(("\U0010ffff",), ("\U0010ffff", "\U0010ffff"))
def test_a_range_holds_the_keys_of_a_prefix(prefix: tuple[str, ...], path: tuple[str, ...]) -> None:
    low, high = key_range(prefix)
    for key in (path, prefix + path):
        below = key[: len(prefix)] == prefix
        assert (low <= encode_key(key) < high) == below
        assert encode_key(key).startswith(encode_key(prefix)) == below


def test_bytes_of_no_key_are_refused() -> None:
    with pytest.raises(ValueError, match="no end"):
        decode_key(b"a")


@given(JSON)
@example("\ud800\udc00")
@example(-0.0)
@example(2**80)
@example({"b": 1, "a": [None, True, 1.0]})
def test_a_value_comes_back_typed(value: object) -> None:
    text = dump_value(value)
    assert text == dump_value(value)
    back = load_value(text)
    assert equal(back, value)
    assert repr(back) == repr(value)


@pytest.mark.parametrize(
    "value",
    [math.nan, [math.inf], b"raw", {1: "one"}, (1, 2), {1, 2}, object(), 10**5000],
    ids=["nan", "inf", "bytes", "int-key", "tuple", "set", "object", "digits"],
)
def test_what_is_no_json_is_refused(value: object) -> None:
    if isinstance(value, int) and not hasattr(sys, "get_int_max_str_digits"):
        pytest.skip("this Python prints integers of any size")
    with pytest.raises(InvalidValue):
        dump_value(value)

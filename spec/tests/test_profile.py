"""Declarations: read from the command line or from data, checked, and told apart from the base."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kv_spec.dialects import PRESETS, from_mapping, parse
from kv_spec.profile import BASE, CAPABILITIES, Profile, ProfileError

deterministic = settings(derandomize=True, deadline=None, max_examples=200)

CHOICES = {
    name: get_args(hint)
    for name, hint in get_type_hints(Profile).items()
    if get_origin(hint) is Literal
}
sets = st.frozensets(st.sampled_from(sorted(CAPABILITIES)), max_size=3)
amounts = st.integers(0, 10**6).map(lambda n: n / 64)
profiles = st.builds(
    Profile,
    capabilities=sets,
    without=sets,
    ttl_resolution=amounts,
    ttl_min=amounts,
    default_ttl=st.none() | amounts.filter(bool),
    concurrent=st.none() | st.booleans(),
    durable=st.booleans(),
    max_key_bytes=st.none() | st.integers(1, 10**6),
    max_value_bytes=st.none() | st.integers(1, 10**6),
    **{name: st.sampled_from(choices) for name, choices in CHOICES.items()},
)


def as_text(value: Any) -> str:
    if isinstance(value, frozenset | list):
        return "+".join(sorted(value))
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


@deterministic
@given(profiles)
def test_the_differences_from_the_base_make_the_profile_again(profile: Profile) -> None:
    assert from_mapping(profile.differences()) == profile
    text = ",".join(
        f"{name.replace('_', '-')}={as_text(value)}"
        for name, value in profile.differences().items()
        if value != [] and value is not None
    )
    assert parse(text) == profile


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_read_by_its_name(name: str) -> None:
    assert parse(name) is PRESETS[name] or parse(name) == PRESETS[name]
    assert from_mapping({"preset": name}) == PRESETS[name]
    assert PRESETS[name].name == name
    assert (
        from_mapping({"preset": "base", **PRESETS[name].differences(), "name": name})
        == (PRESETS[name])
    )


def test_the_base_differs_in_nothing_and_is_the_first_choice_of_each_dialect() -> None:
    assert BASE == Profile() == parse("") == from_mapping({})
    assert BASE.differences() == {}
    assert PRESETS["fedify"].differences() == {}
    for name, choices in CHOICES.items():
        assert getattr(BASE, name) == choices[0]


def test_pairs_change_the_preset_wherever_they_stand() -> None:
    expected = PRESETS["keyv"].replace(ttl_resolution=1.0, without=frozenset({"add", "prune"}))
    assert parse("keyv,ttl_resolution=1,without=add+prune") == expected
    assert parse(" ttl-resolution=1 , keyv , without=add+prune ") == expected
    assert from_mapping({"preset": "keyv", "ttl_resolution": 1, "without": ["add", "prune"]}) == (
        expected
    )
    assert parse("null=value", PRESETS["polystore"]).flat


@pytest.mark.parametrize("text", ["capabilities=cas+list", "capabilities=list+cas"])
def test_sets_have_no_order(text: str) -> None:
    assert parse(text).capabilities == {"cas", "list"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("keyw", "no preset 'keyw'; did you mean keyv?"),
        ("zzz", "no preset 'zzz'; there are base, fedify, polystore, keyv, cachimbo"),
        ("nul=value", "no declaration 'nul'; did you mean null?"),
        ("null=values", "null is 'values'; it can be delete, value, reject"),
        ("capabilities=lst", "no capability 'lst'; did you mean list?"),
        ("capabilities=", "no capability ''"),
        ("ttl_resolution=soon", "ttl_resolution .*'soon'"),
        ("ttl_resolution=yes", "ttl_resolution .* not True"),
        ("ttl_resolution=nan", "ttl_resolution .* not nan"),
        ("ttl_resolution=-1", "ttl_resolution .* not -1.0"),
        ("ttl_min=inf", "ttl_min .* not inf"),
        ("default_ttl=0", "default_ttl .* not 0.0"),
        ("max_key_bytes=1.5", "max_key_bytes .*'1.5'"),
        ("max_key_bytes=-1", "max_key_bytes .* not -1"),
        ("durable=1", "durable .* not 1.0"),
        ("concurrent=maybe", "concurrent .*'maybe'"),
    ],
)
def test_a_slip_on_the_command_line_is_named(text: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"preset": "keyw"}, "did you mean keyv?"),
        ({"preset": ["keyv"]}, "no preset"),
        ({"ttl-resolution": 1}, "did you mean ttl_resolution?"),
        ({"ttl_resolution": "1"}, "ttl_resolution .* not '1'"),
        ({"ttl_resolution": None}, "ttl_resolution .* not None"),
        ({"durable": "no"}, "durable .* not 'no'"),
        ({"null": ["value"]}, "it can be delete, value, reject"),
        ({"null": None}, "it can be delete, value, reject"),
        ({"capabilities": 7}, "capabilities .* not 7"),
        ({"capabilities": [7]}, r"capabilities .* not \[7\]"),
        ({"without": True}, "without .* not True"),
        ({"rejects": 7}, "rejects .*7"),
        ({"rejects": [7]}, "rejects .*7"),
        ({"rejects": ["ValueError"]}, "rejects .*'ValueError'"),
    ],
)
def test_a_slip_in_data_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        from_mapping(values)


def test_words_and_lists_stand_for_sets() -> None:
    for given_as in ("cas list", ["cas", "list"], {"cas", "list"}):
        assert from_mapping({"capabilities": given_as}).capabilities == {"cas", "list"}


def test_what_follows_from_the_declarations() -> None:
    profile = Profile(capabilities=frozenset({"bytes", "cas"}), ttl_resolution=0.5, ttl_min=60)
    assert profile.extra_types == {"bytes"}
    assert profile.shortest_ttl == 60
    assert Profile(ttl_resolution=0.0).shortest_ttl == 0.001
    assert not profile.flat
    assert profile.replace(key_model="flat").flat
    assert from_mapping({"rejects": [OSError]}).rejects == (OSError,)


def test_a_profile_is_not_changed_in_place() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        BASE.null = "value"  # type: ignore[misc]
    with pytest.raises(ProfileError):
        BASE.replace(null="nothing")

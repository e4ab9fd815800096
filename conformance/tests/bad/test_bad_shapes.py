"""Objects that are not quite a store: what is declared must be there, what is odd is noted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kv_conformance.subject.offer import declared_profile, look
from kv_spec.profile import BASE, ProfileError

if TYPE_CHECKING:
    from tests.bad.conftest import Run


def test_a_store_without_its_three_methods(run: Run) -> None:
    result = run("class Store:\n    def set(self, key, value): pass\n    def get(self): pass")
    assert result.code == 2
    assert "lacks get and delete" in result.reasons
    assert "get() is not get(key)" in result.reasons


def test_a_capability_without_its_method_fails_its_clauses(run: Run) -> None:
    result = run("class Store(Right):\n    profile = {'capabilities': ['has', 'cas']}")
    assert result.code == 1
    failed = result.clauses("fail")
    assert {one.partition("-")[0] for one in failed} == {"HAS", "CAS"}
    assert {"HAS-1", "HAS-2", "CAS-1", "CAS-3", "CAS-5", "CAS-11"} <= set(failed)
    assert "has is declared, but the store has no method has(key)" in result.reasons


PROFILES = {
    "{'capabilities': ['hass']}": "there is no capability 'hass'; did you mean has?",
    "{'null': 'deletes'}": "null is 'deletes'; it can be delete, value, reject",
    "{'nul': 'delete'}": "there is no declaration 'nul'; did you mean null?",
    "{'ttl_resolution': 'fine'}": "ttl_resolution takes seconds",
    "'keyy'": "there is no preset 'keyy'; did you mean keyv?",
    "7": "its attribute profile is a int",
    "property(lambda self: 1 / 0)": "its attribute profile raised ZeroDivisionError",
}


@pytest.mark.parametrize("declared", PROFILES)
def test_a_profile_that_is_none(declared: str) -> None:
    store = type("Store", (), {"profile": eval(declared)})()
    with pytest.raises(ProfileError) as caught:
        declared_profile(store)
    assert PROFILES[declared] in str(caught.value)


def test_a_store_whose_profile_is_none_is_not_run(run: Run) -> None:
    result = run("class Store(Right):\n    profile = {'null': 'deletes'}")
    assert (result.code, result.report["stopped"]["kind"]) == (2, "usage")
    assert "store:Store: null is 'deletes'" in result.reasons


def test_methods_of_another_signature_are_left_alone(run: Run) -> None:
    result = run(
        """
        class Store(Right):
            prefix = "app:"
            values = property(lambda self: 1 / 0)

            def add(self, key, value): raise AssertionError
            def has(self): raise AssertionError
            @property
            def keys(self): return []
        """
    )
    assert result.code == 0
    assert "add(key, value) is not add(value)" in result.notes
    assert "prefix is a str, not a method" in result.notes
    assert "has() is not has(key)" in result.notes
    assert "keys is a list, not a method" in result.notes
    assert "values can not be read (ZeroDivisionError" in result.notes
    assert not {"add", "has", "keys", "values", "ns"} & set(result.report["store"]["capabilities"])


def test_what_has_another_name_is_said_not_to_be_tested() -> None:
    class Cache:
        def get(self, key: object) -> object: ...

        def set(self, key: object, value: object, timeout: float = 300) -> None: ...

        def delete(self, key: object) -> None: ...

        def exists(self, key: object) -> object: ...

        def clear(self) -> None: ...

    notes = look(Cache(), BASE, False).notes
    assert [note.partition(":")[0] for note in notes] == [
        "no has, but exists",
        "set takes timeout, and no ttl",
    ]
    assert look(Cache(), BASE.replace(without=frozenset({"has", "ttl"})), False).notes == ()


def test_what_the_profile_hides_is_not_spoken_of(run: Run) -> None:
    result = run(
        """
        class Store(Right):
            profile = {"concurrent": False, "without": ["add", "list"]}

            def add(self, key, value): raise AssertionError
        """
    )
    assert result.code == 0
    assert "add" not in result.notes
    assert "list" in result.report["store"]["not_offered"]


def test_methods_that_no_program_calls_yet_are_no_capability(run: Run) -> None:
    result = run("class Store(Right):\n    def add(self, value): raise AssertionError")
    assert "not yet checked by this version: add" in result.notes
    assert "add" not in result.report["store"]["capabilities"]


def test_a_coroutine_from_a_method_that_is_not_async(run: Run) -> None:
    result = run(
        """
        class Store(Right):
            def get(self, key): return self._get(key)
            async def _get(self, key): return Right.get(self, key)
        """
    )
    assert result.code == 1
    assert "a coroutine, from a method that is not async" in result.junit
    assert "never awaited" not in result.notes


def test_a_context_manager_that_enters_nothing(run: Run) -> None:
    result = run(
        """
        class Store(Right):
            def __enter__(self): pass
            def __exit__(self, *_): pass
        """
    )
    assert result.code == 0

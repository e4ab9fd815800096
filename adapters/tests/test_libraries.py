"""The adapters of libraries: they translate, and what they show is on record."""

import asyncio
import inspect
import re
import sys
import tomllib
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from kv_conformance import expectations
from kv_conformance.subject.offer import look
from kv_spec.profile import Profile

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT / "adapters" / "track_record"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MODULES = sorted(
    path.stem
    for path in (ROOT / "adapters" / "kv_adapters" / "libraries").glob("*.py")
    if path.stem != "__init__"
)
NAMES = {module: module.replace("_", "-") for module in MODULES}
POINTS: dict[str, str] = PROJECT["entry-points"]["kv_conformance.stores"]
MOST_LINES = 8
"""So many lines of code a method may have and still be called a translation."""


@pytest.fixture(params=MODULES)
def module(request: pytest.FixtureRequest) -> str:
    """The name of each module of the package."""
    return str(request.param)


@pytest.fixture
def kind(module: str) -> Any:
    """The class of each library that is installed."""
    where, _, attribute = POINTS[NAMES[module]].partition(":")
    try:
        return getattr(import_module(where), attribute)
    except ImportError as error:
        # Also where CI is set: the libraries have an environment of their own.
        pytest.skip(str(error))


@pytest.fixture
def store(kind: Any) -> Iterator[Any]:
    """An empty store of each library that is installed."""
    made = kind()
    yield made
    if hasattr(made, "close"):
        result(made.close())


def result(answer: Any) -> Any:
    """What a call gives, of an asynchronous store as well."""

    async def awaited(one: Awaitable[Any]) -> Any:
        return await one

    return asyncio.run(awaited(answer)) if inspect.isawaitable(answer) else answer


def key_of(store: Any) -> Any:
    return "k" if store.profile.flat else ("k",)


def is_absent(store: Any, read: Callable[[], Any]) -> bool:
    """Whether a read misses, in the store's own way."""
    if store.profile.absent == "raises":
        try:
            read()
        except KeyError:
            return True
        return False
    absent = store.ABSENT if store.profile.absent == "sentinel" else None
    return read() is absent


def test_every_module_has_its_extra_entry_point_and_record(module: str) -> None:
    name = NAMES[module]
    assert name in PROJECT["optional-dependencies"]
    assert POINTS[name].startswith(f"kv_adapters.libraries.{module}:")
    assert (RECORD / "expected" / f"{name}.toml").is_file()
    page = (RECORD / "TRACK_RECORD.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| \[{name}\]", page, re.MULTILINE)
    assert re.search(rf"^## {name}$", page, re.MULTILINE)


def test_every_known_failure_has_its_program_and_its_documentation(module: str) -> None:
    entries = expectations.read(RECORD / "expected" / f"{NAMES[module]}.toml")
    for entry in entries.values():
        assert re.search(r"Program: .*store\.", entry.reason, re.DOTALL), entry.clause
        assert re.search(r"Documentation: (promises|leaves)", entry.reason), entry.clause
        assert entry.link.startswith("https://")


def test_every_known_failure_is_on_the_page(module: str) -> None:
    page = (RECORD / "TRACK_RECORD.md").read_text(encoding="utf-8")
    section = page.partition(f"\n## {NAMES[module]}\n")[2].partition("\n## ")[0]
    shown = re.findall(r"^### ([A-Z]+-\d+) ", section, re.MULTILINE)
    assert sorted(shown) == sorted(expectations.read(RECORD / "expected" / f"{NAMES[module]}.toml"))


def test_the_release_is_told(module: str) -> None:
    source = (ROOT / "adapters/kv_adapters/libraries" / f"{module}.py").read_text(encoding="utf-8")
    assert re.search(r"^Written against .*\d+\.\d+", source, re.MULTILINE)


def test_a_library_that_is_not_there_is_named_with_its_extra(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if module == "mapping":
        pytest.skip("a dict is always there")
    where = f"kv_adapters.libraries.{module}"
    for library in ("cachelib", "diskcache", "aiocache", "dogpile.cache", "cachetools"):
        monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setitem(sys.modules, "key_value.aio.errors", None)
    monkeypatch.delitem(sys.modules, where, raising=False)
    with pytest.raises(ImportError, match=rf"kv-conformance\[{NAMES[module]}\]"):
        import_module(where)


def test_a_profile_declares_no_capability_without_a_method(store: Any) -> None:
    assert isinstance(store.profile, Profile)
    takes_space = "space" in inspect.signature(type(store)).parameters
    assert not look(store, store.profile, takes_space).missing
    assert ("shared" in store.profile.capabilities) == takes_space


def test_an_adapter_is_thin(kind: Any) -> None:
    for name, method in inspect.getmembers(kind, inspect.isfunction):
        assert len(inspect.getsource(method).splitlines()) <= MOST_LINES, name


def test_values_go_in_and_come_out(store: Any) -> None:
    key = key_of(store)
    assert is_absent(store, lambda: result(store.get(key)))
    result(store.set(key, {"a": [1, None]}))
    assert result(store.get(key)) == {"a": [1, None]}
    result(store.delete(key))
    result(store.delete(key))
    assert is_absent(store, lambda: result(store.get(key)))


def test_a_ttl_is_a_number_or_a_timedelta(store: Any) -> None:
    if "ttl" not in inspect.signature(store.set).parameters:
        pytest.skip("no ttl")
    key = key_of(store)

    async def write_and_read(ttl: Any) -> Any:
        # In one event loop, for the timers of one store live in its loop.
        answer = store.set(key, 1, ttl=ttl)
        if not inspect.isawaitable(answer):
            return store.get(key)
        await answer
        return await store.get(key)

    for ttl in (60, 60.5, timedelta(minutes=1)):
        assert asyncio.run(write_and_read(ttl)) == 1

"""A part of a store is the store below a prefix, and nothing else (NS-1, NS-2, NS-4)."""

from typing import Any

import pytest
from kv_adapters.memory import MemoryStore
from kv_adapters.prefixed import PrefixedStore
from kv_spec.errors import InvalidKey, StoreClosed, Unsupported
from kv_spec.profile import Profile

from .conftest import Clock


class Bare:
    """The least a store offers."""

    def __init__(self) -> None:
        self.data: dict[Any, Any] = {}

    def get(self, key: Any) -> Any:
        return self.data.get(key)

    def set(self, key: Any, value: Any) -> None:
        self.data[key] = value

    def delete(self, key: Any) -> None:
        self.data.pop(key, None)


NEIGHBOURS: list[tuple[str, ...]] = [
    ("p",), ("p", "q", "k"), ("pq",), ("P", "q", "k"), ("p", "q"), ("p", "q*", "k"), ("p", "q%"),
    ("p", "", "k"), ("k",), ("p", "qq", "k"),
]  # fmt: skip


def test_it_shows_what_is_below_its_prefix_and_clears_no_more() -> None:
    store = MemoryStore()
    for number, key in enumerate(NEIGHBOURS):
        store.set(key, number)
    part = PrefixedStore(store, ("p", "q"))
    assert list(part.list()) == [(("k",), 1)]
    part.set(("k", "l"), "new")
    assert list(part.keys()) == [("k",), ("k", "l")]
    assert list(part.list(("k", "l"))) == [(("k", "l"), "new")]
    assert store.get(("p", "q", "k", "l")) == "new"
    part.clear()
    part.clear()
    rest = {key: number for number, key in enumerate(NEIGHBOURS) if key != ("p", "q", "k")}
    assert dict(store.list()) == rest


def test_prefixes_add_up() -> None:
    store = MemoryStore()
    inner = PrefixedStore(PrefixedStore(store, ("p",)), ("q", ""))
    named = PrefixedStore(store).prefix(("p", "q")).prefix(("",))
    inner.set(("k",), 1)
    assert dict(store.list()) == {("p", "q", "", "k"): 1}
    assert named.get(("k",)) == 1
    assert named.cas(("k",), 1, None)
    assert not inner.has(("k",))


def test_the_prefix_alone_is_no_key() -> None:
    store = MemoryStore()
    store.set(("p",), "of the store")
    part = PrefixedStore(store, ("p",))
    for call in (part.get, part.delete, part.has):
        with pytest.raises(InvalidKey):
            call(())
    assert list(part.list()) == []
    part.clear()
    assert store.get(("p",)) == "of the store"


def test_deadlines_are_those_of_the_store() -> None:
    clock = Clock()
    part = PrefixedStore(MemoryStore(clock=clock), ("p",))
    part.set(("k",), 1, ttl=10)
    assert part.cas(("l",), None, 1, ttl=20)
    clock.now += 10
    assert list(part.keys()) == [("l",)]
    part.prune()
    clock.now -= 10
    assert list(part.keys()) == [("l",)]


def test_it_offers_what_the_store_below_offers() -> None:
    part = PrefixedStore(Bare(), ("p",))
    part.set(("k",), 1)
    assert part.get(("k",)) == 1
    assert {"ttl", "list", "keys", "has", "cas", "clear"} <= part.profile.without
    for call in (part.list, part.clear, lambda: part.has(("k",)), lambda: part.cas(("k",), 1, 2)):
        with pytest.raises(Unsupported):
            call()
    with pytest.raises(TypeError):
        part.set(("k",), 1, ttl=1)
    assert part.profile.capabilities >= {"layer", "ns"}


def test_a_store_that_lists_can_be_cleared_in_part() -> None:
    class Listing(MemoryStore):
        profile = MemoryStore.profile.replace(without=frozenset({"clear"}))

    part = PrefixedStore(Listing(), ("p",))
    assert "clear" not in part.profile.without
    part.set(("k",), 1)
    part.clear()
    assert not part.has(("k",))


def test_the_prefix_counts_for_the_longest_key() -> None:
    class Narrow(MemoryStore):
        profile = Profile(max_key_bytes=10)

    assert PrefixedStore(Narrow(), ("é", "p")).profile.max_key_bytes == 7
    with pytest.raises(ValueError, match="no room"):
        PrefixedStore(Narrow(), ("0123456789",))


def test_a_store_of_plain_strings_is_refused() -> None:
    class Flat(Bare):
        profile = Profile(key_model="flat")

    with pytest.raises(ValueError, match="plain strings"):
        PrefixedStore(Flat(), ("p",))
    with pytest.raises(InvalidKey, match="write"):
        PrefixedStore(Bare(), "p")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="write the space as prefix"):
        PrefixedStore(Bare(), ("p",), space="a")


def test_closing_a_part_leaves_the_store_open() -> None:
    store = MemoryStore()
    part = PrefixedStore(store, ("p",))
    inner = part.prefix(("q",))
    part.close()
    for closed in (part, inner):
        with pytest.raises(StoreClosed):
            closed.get(("k",))
    store.set(("k",), 1)
    assert store.get(("k",)) == 1

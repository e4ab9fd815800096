"""Programs as Python that runs: the one rendering of operations.

`lines` gives the statements of one operation on a variable `store`; the caller adds how the store
is opened and how time passes (`kv_conformance.snippet`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from kv_spec.operations import (
    Advance,
    Cas,
    Close,
    Delete,
    Fill,
    Get,
    Has,
    Increment,
    Iterate,
    List,
    Open,
    Operation,
    Race,
    Scan,
    Set,
    Unoffered,
    join,
)
from kv_spec.store import ABSENT
from kv_spec.values import CHANGED_AFTER_GET, CHANGED_AFTER_SET, Outside

_LONG: Final = 120


def literal(value: Any) -> str:
    """A value as Python source; ABSENT is None, long text is written as a product."""
    if value is ABSENT:
        return "None"
    if isinstance(value, Outside):
        return value.python()
    if isinstance(value, str) and len(value) > _LONG and len(set(value)) == 1:
        return f"{value[0]!r} * {len(value)}"
    if isinstance(value, str) and len(value) > _LONG and len(set(value[:-1])) == 1:
        return f"{value[0]!r} * {len(value) - 1} + {value[-1]!r}"
    if isinstance(value, tuple):
        parts = [literal(part) for part in value]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
    return _text(value)


def _text(value: Any) -> str:
    text = repr(value)
    return ascii(value) if not text.isprintable() else text


def call(operation: Operation) -> str | None:
    """The expression of an operation that is one call; None for the others."""
    build = _CALLS.get(type(operation))
    return None if build is None else build(operation)


def _ttl(ttl: Any) -> str:
    return "" if ttl is None else f", ttl={literal(ttl)}"


_CALLS: Final[dict[type[Any], Callable[[Any], str]]] = {
    Get: lambda op: f"store.get({literal(op.key)})",
    Set: lambda op: f"store.set({literal(op.key)}, {literal(op.value)}{_ttl(op.ttl)})",
    Delete: lambda op: f"store.delete({literal(op.key)})",
    Has: lambda op: f"store.has({literal(op.key)})",
    List: lambda op: f"list(store.list({literal(op.prefix)}))",
    Scan: lambda op: f"list(store.{op.method}())",
    Cas: lambda op: (
        f"store.cas({literal(op.key)}, {literal(op.expected)}, {literal(op.new)}{_ttl(op.ttl)})"
    ),
    Close: lambda _: "store.close()",
    Unoffered: lambda op: _unoffered(op.name),
}


def _unoffered(name: str) -> str:
    arguments = {"has": "('unoffered',)", "cas": "('unoffered',), None, 1", "list": "()"}
    if name == "ttl":
        return "store.set(('unoffered',), 1, ttl=60.0)"
    return f"store.{name}({arguments.get(name, '')})"


def lines(operation: Operation, *, shown: bool = False) -> Iterator[str]:
    """The statements of one operation; with `shown` its answer is printed."""
    expression = call(operation)
    changed = getattr(operation, "change", False)
    if isinstance(operation, Set) and changed:
        yield f"value = {literal(operation.value)}"
        yield f"store.set({literal(operation.key)}, value{_ttl(operation.ttl)})"
        yield _change("value", operation.value, CHANGED_AFTER_SET)
    elif isinstance(operation, Get) and changed:
        yield f"value = {expression}"
        if shown:
            yield "print(value)"
        yield _change("value", None, CHANGED_AFTER_GET)
    elif isinstance(operation, List) and changed:
        yield f"for _, value in {expression}:"
        yield f"    {_change('value', None, CHANGED_AFTER_GET)}"
    elif expression is not None:
        yield f"print({expression})" if shown else expression
    else:
        yield from _compound(operation, shown)


def _change(name: str, value: Any, mark: str) -> str:
    if isinstance(value, list):
        return f"{name}.append({mark!r})"
    if isinstance(value, dict):
        return f"{name}[{mark!r}] = True"
    append = f"{name}.append({mark!r})"
    return f"{append} if isinstance({name}, list) else {name}.update({{{mark!r}: True}})"


def _compound(operation: Operation, shown: bool) -> Iterator[str]:
    if isinstance(operation, Fill):
        key = literal(join(operation.prefix, "nNUMBER")).replace("'nNUMBER'", 'f"n{number:05}"')  # type: ignore[arg-type]
        if "NUMBER" in key:
            key = f"{literal(operation.prefix)} + f'n{{number:05}}'"
        yield f"for number in range({operation.n}):"
        yield f"    store.set({key}, number{_ttl(operation.ttl)})"
    elif isinstance(operation, Iterate):
        yield from _walk(operation, shown)
    elif isinstance(operation, Race):
        yield from _race(operation, shown)
    elif isinstance(operation, Increment):
        key = literal(operation.key)
        yield f"while not store.cas({key}, n := store.get({key}), n + 1):"
        yield "    pass"
    elif isinstance(operation, Open):
        yield f"store = open_store({operation.space!r})"
    elif isinstance(operation, Advance):
        yield f"advance({operation.seconds!r})"
    else:
        yield f"store.{operation.op}()"


def _walk(operation: Iterate, shown: bool) -> Iterator[str]:
    yield "yielded = []"
    yield f"for entry in store.list({literal(operation.prefix)}):"
    yield "    yielded.append(entry)"
    guard = f"    if len(yielded) <= {operation.limit}:"
    actions = {
        "delete-current": "store.delete(entry[0])",
        "delete-yielded": "store.delete(yielded[-2][0]) if len(yielded) > 1 else None",
        "overwrite": "store.set(entry[0], 'written while iterating')",
        "write-new": f"store.set({literal(operation.prefix)} + (f'step{{len(yielded) - 1:05}}',), "
        "'written while iterating')",
    }
    if isinstance(operation.prefix, str):
        actions["write-new"] = actions["write-new"].replace("',), ", "', ").replace(" + (f", " + f")
    if operation.script == "abandon":
        yield f"    if len(yielded) == {operation.limit}:"
        yield "        break"
    elif operation.script in actions:
        yield guard
        yield f"        {actions[operation.script]}"
    if shown:
        yield "print(yielded)"


def _race(operation: Race, shown: bool) -> Iterator[str]:
    yield "from concurrent.futures import ThreadPoolExecutor"
    step = "one step after the other" if operation.switch is None else f"step {operation.switch}"
    yield f"calls = [  # at once, the first held at {step} while the others run"
    for branch in operation.branches:
        if isinstance(branch, Increment):
            yield f"    lambda: increment(store, {literal(branch.key)}),"
        else:
            yield f"    lambda: {call(branch)},"
    yield "]"
    yield "with ThreadPoolExecutor(len(calls)) as pool:"
    yield "    answers = list(pool.map(lambda one: one(), calls))"
    if shown:
        yield "print(answers)"

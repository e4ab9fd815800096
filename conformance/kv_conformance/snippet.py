"""A program as Python that runs: the store opened, time moved, the last answer shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kv_spec.operations import Advance, Open, Operation, Program
from kv_spec.render import lines

_METHODS = r"(get|set|delete|has|cas|clear|prune|close|add)"


@dataclass(frozen=True, slots=True)
class Opening:
    """How a program gets its store.

    `imports` are statements that bind `name`. `clock` is the kind of clock: "injected" for a
    store that takes one, "patched" for this process's time, "server" for that of a server which is
    started for the program as it was for the run, "real".
    """

    imports: tuple[str, ...]
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    takes_space: bool = False
    clock: str = "real"
    is_async: bool = False

    def python(self, program: Program, expected: str, actual: str) -> str:
        """The program as a script; its last line says what was due and what came."""
        body = list(self._body(program, expected, actual))
        head = [*self._imports(program), "", *self._helpers(program)]
        if self.clock == "server":
            body = [f"with {self.name}.for_run() as run:", *(f"    {line}" for line in body)]
        if self.is_async:
            if any(re.search(r"list\(store\.", line) for line in body):
                head += [
                    "async def collect(steps):",
                    "    return [step async for step in steps]",
                    "",
                ]
            head += ["", "async def main():"]
            if self.clock == "injected":
                head.append("    global now")
            body = [f"    {_awaited(line)}" for line in body]
            body += ["", "asyncio.run(main())"]
        return "\n".join([*head, *body]).strip() + "\n"

    def _imports(self, program: Program) -> Iterator[str]:
        text = repr(program)
        if "datetime" in text:
            yield "import datetime"
        if self.is_async:
            yield "import asyncio"
        if self._moves(program):
            if self.clock == "patched":
                yield "import time_machine"
            elif self.clock == "real" and not self.is_async:
                yield "import time"
        yield from self.imports

    @staticmethod
    def _moves(program: Program) -> bool:
        return any(isinstance(operation, Advance) for operation in program)

    def _helpers(self, program: Program) -> Iterator[str]:
        if self.clock == "injected":
            yield "now = 1_800_000_000.0"
        elif self.clock == "patched" and self._moves(program):
            yield "traveller = time_machine.travel(1_800_000_000, tick=False).start()"

    def _body(self, program: Program, expected: str, actual: str) -> Iterator[str]:
        yield f"store = {self._call('a')}"
        seen = {"a": "store"}
        for number, operation in enumerate(program):
            last = number == len(program) - 1
            if isinstance(operation, Advance):
                yield self._advance(operation.seconds)
            elif isinstance(operation, Open):
                yield from self._open(operation, seen)
            else:
                yield from self._lines(operation, last, expected, actual)

    def _lines(self, operation: Operation, last: bool, expected: str, actual: str) -> Iterator[str]:
        if last:
            yield from lines(operation, shown=True)
            yield f"# due:  {expected}"
            yield f"# came: {actual}"
        else:
            yield from lines(operation)

    def _open(self, operation: Open, seen: dict[str, str]) -> Iterator[str]:
        if operation.space in seen and not self.takes_space:
            yield f"store = {seen[operation.space]}"
            return
        if len(seen) == 1 and "a" in seen and seen["a"] == "store":
            seen["a"] = "first"
            yield "first = store"
        yield f"store = {self._call(operation.space)}"
        seen.setdefault(operation.space, f"store_{operation.space}")
        if operation.space != "a":
            yield f"store_{operation.space} = store"

    def _call(self, space: str) -> str:
        arguments = [f"{name}={value!r}" for name, value in self.options.items()]
        if self.clock == "server":  # the server of the run is gone, and its address with it
            arguments.insert(0, "**run.options")
        if self.takes_space:
            arguments.append(f"space={space!r}")
        if self.clock == "injected":
            arguments.append("clock=lambda: now")
        return f"{self.name}({', '.join(arguments)})"

    def _advance(self, seconds: float) -> str:
        if self.clock == "injected":
            return f"now += {seconds!r}"
        if self.clock == "patched":
            return f"traveller.shift({seconds!r})"
        if self.clock == "server":
            return f"run.time.move({seconds!r})"
        return f"{'await asyncio' if self.is_async else 'time'}.sleep({seconds!r})"


def _awaited(line: str) -> str:
    line = re.sub(r"list\(store\.(list|keys|values|entries)\(", r"await collect(store.\1(", line)
    line = re.sub(rf"(?<!await )store\.{_METHODS}\(", r"await store.\1(", line)
    return re.sub(r"^(\s*)for (.*) in store\.", r"\1async for \2 in store.", line)

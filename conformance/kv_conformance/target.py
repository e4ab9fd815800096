"""Finding the store that the command line names.

`module:attribute`, `path/file.py:attribute`, an installed name, or a URL of such a name.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.util
import keyword
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final

from kv_spec.outcomes import raised

from kv_conformance.clocks.server import MovableTime

GROUP: Final = "kv_conformance.stores"


class TargetError(Exception):
    """The target can not be had; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """A factory of stores, and how a program written out would get hold of it."""

    text: str
    make: Callable[..., Any]
    imports: tuple[str, ...]
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    bare: bool = False
    """True for an installed name without a URL: its server is started for the run."""
    time: MovableTime | None = None
    """What moves the clock of the server that was started."""
    unmoved: str = ""
    """Why nothing does."""


def installed() -> dict[str, EntryPoint]:
    """The installed stores by name, ours and those of other distributions."""
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


def find(text: str) -> Target:
    """The target that `text` names; raises TargetError."""
    scheme, is_url, _ = text.partition("://")
    if is_url:
        if scheme not in installed():
            raise TargetError(_unknown_scheme(text, scheme))
        return _installed(text, scheme, {"url": text})
    where, colon, attribute = _split(text)
    if colon:
        return _named(text, where, attribute)
    if text in installed():
        return _installed(text, text, {})
    raise TargetError(_unknown(text))


def _split(text: str) -> tuple[str, str, str]:
    # The last colon, so that a drive letter stays with its path.
    where, colon, attribute = text.rpartition(":")
    return (
        (where, colon, attribute) if attribute.replace(".", "").isidentifier() else (text, "", "")
    )


def _near(text: str) -> str:
    names = sorted(installed())
    near = difflib.get_close_matches(text, names, 1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; installed are: {', '.join(names)}" if names else "; no store is installed by name"


def _unknown_scheme(text: str, scheme: str) -> str:
    return (
        f"{text}: a URL begins with the name of an installed store, and there is none named "
        f"{scheme!r}{_near(scheme)}"
    )


def _unknown(text: str) -> str:
    hint = _near(text)
    return (
        f"there is no store named {text!r}{hint}\n"
        "A store of your own is named module:attribute or path/file.py:attribute, "
        "for instance mymodule:Store."
    )


def _installed(text: str, name: str, options: Mapping[str, Any]) -> Target:
    point = installed().get(name)
    if point is None:
        raise TargetError(_unknown(name))
    make = _guarded(text, point.load)
    if not callable(make):
        raise TargetError(_no_factory(text, point.attr, make))
    attribute = point.attr.partition(".")[0]
    imports = (f"from {point.module} import {attribute}",)
    return Target(text, make, imports, point.attr, options, bare=not options)


def _named(text: str, where: str, attribute: str) -> Target:
    if where.endswith(".py") or "/" in where or os.sep in where:
        module, imports = _from_file(text, where, attribute)
    else:
        module = _guarded(text, lambda: importlib.import_module(where))
        imports = (f"from {where} import {attribute.partition('.')[0]}",)
    make: Any = module
    for part in attribute.split("."):
        make = _attribute(make, part, text, where)
    if not callable(make):
        raise TargetError(_no_factory(text, attribute, make))
    return Target(text, make, imports, attribute)


def _no_factory(text: str, attribute: str, found: Any) -> str:
    return (
        f"{text}: {attribute} is a {type(found).__name__}, and a factory is due: a class, or a "
        "function that returns a new, empty store at each call"
    )


def _attribute(owner: Any, part: str, text: str, where: str) -> Any:
    try:
        return getattr(owner, part)
    except AttributeError:
        public = [name for name in dir(owner) if not name.startswith("_")]
        near = difflib.get_close_matches(part, public, 3, 0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise TargetError(f"{text}: {where} has no attribute {part!r}{hint}") from None


def _from_file(text: str, where: str, attribute: str) -> tuple[Any, tuple[str, ...]]:
    path = Path(where).resolve()
    if not path.is_file():
        raise TargetError(f"{text}: there is no file {path}")
    # A name that no module of the standard library has, so that its clock is the store's.
    name = path.stem if path.stem not in sys.stdlib_module_names else f"store_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TargetError(f"{text}: {path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(name, module)
    sys.path.insert(0, str(path.parent))
    loader = spec.loader
    _guarded(text, lambda: loader.exec_module(module))
    first = attribute.partition(".")[0]
    if path.stem.isidentifier() and not keyword.iskeyword(path.stem):
        return module, (f"from {path.stem} import {first}",)
    return module, ("import runpy", f'{first} = runpy.run_path({where!r})["{first}"]')


def _guarded(text: str, load: Callable[[], Any]) -> Any:
    """Imports; whatever goes wrong in foreign code becomes a TargetError that shows where."""
    try:
        return load()
    except TargetError:
        raise
    except ModuleNotFoundError as error:
        raise TargetError(f"{text}: {raised(error).message}{_if_missing(text, error)}") from error
    except BaseException as error:  # an import may well end by sys.exit
        message = f"{text} can not be imported: {raised(error)}"
        raise TargetError(f"{message}{_place(error)}") from error


def _if_missing(text: str, error: ModuleNotFoundError) -> str:
    """What to do about a module that is not there: the target itself, or one that it imports."""
    name = str(error.name or "")
    if not text.startswith(name) and (place := _place(error)):
        return f"{place}; install it in this environment ({sys.prefix})"
    here = [path.stem for path in Path().glob("*.py")] + [
        path.parent.name for path in Path().glob("*/__init__.py")
    ]
    near = difflib.get_close_matches(name, here, 1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; is it in the current folder ({Path.cwd()}), or installed in this environment?"


def _place(error: BaseException) -> str:
    """Where in foreign code an error came up; an error of syntax says so itself."""
    if isinstance(error, SyntaxError):
        return ""
    found = ""
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith("<frozen"):
            found = f" (line {trace.tb_lineno} of {file})"
        trace = trace.tb_next
    return "" if __file__ in found else found


@contextlib.contextmanager
def started(target: Target) -> Iterator[tuple[Target, str | None]]:
    """The target with the server it needs for this run; a note of what was started, if any."""
    for_run = getattr(target.make, "for_run", None)
    if not target.bare or for_run is None:
        yield target, None
        return
    try:
        context = for_run()
        server = context.__enter__()
    except Exception as error:
        raise TargetError(f"{target.text}: {raised(error)}") from error
    try:
        options = {**server.options, **target.options}
        running = replace(
            target,
            options=options,
            bare=False,
            time=getattr(server, "time", None),
            unmoved=getattr(server, "real_time", ""),
        )
        yield running, server.note
    finally:
        context.__exit__(None, None, None)

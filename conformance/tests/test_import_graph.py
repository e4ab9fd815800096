"""Who may know whom: the packages import each other in one direction only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "kv_spec": ROOT / "spec" / "kv_spec",
    "kv_reference": ROOT / "reference" / "kv_reference",
    "kv_conformance": ROOT / "conformance" / "kv_conformance",
    "kv_adapters": ROOT / "adapters" / "kv_adapters",
}
MAY_KNOW: dict[str, set[str]] = {
    "kv_spec": set(),
    "kv_reference": {"kv_spec"},
    "kv_adapters": {"kv_spec"},
    "kv_conformance": {"kv_spec", "kv_reference"},
}


def imported(source: str) -> Iterator[tuple[int, str]]:
    """Each absolute import in a module, wherever it stands: its line and the module's name.

    An import by name (`importlib.import_module("…")`) counts where the name is written out.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
            name = called if isinstance(called, str) else getattr(called, "id", "")
            first = node.args[0]
            by_name = name in ("import_module", "__import__") and isinstance(first, ast.Constant)
            if by_name and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield node.lineno, first.value


def climbing(source: str) -> Iterator[int]:
    """The lines of relative imports, which could leave a package unseen."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level > 0:
            yield node.lineno


def strangers(package: str, source: str) -> list[tuple[int, str]]:
    """The imports of our own packages that a module of `package` may not make."""
    forbidden = set(PACKAGES) - MAY_KNOW[package] - {package}
    return [(line, name) for line, name in imported(source) if name.split(".")[0] in forbidden]


def modules(package: str) -> list[Path]:
    return sorted(PACKAGES[package].rglob("*.py"))


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_those_it_may_know(package: str) -> None:
    found = {
        f"{path.relative_to(ROOT)}:{line}": name
        for path in modules(package)
        for line, name in strangers(package, path.read_text(encoding="utf-8"))
    }
    assert not found


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_are_absolute(package: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in modules(package)
        for line in climbing(path.read_text(encoding="utf-8"))
    ]
    assert not found


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folder_of_modules_is_a_package_by_accident(package: str) -> None:
    bare = {path.parent for path in modules(package)} - {
        path.parent for path in PACKAGES[package].rglob("__init__.py")
    }
    assert not bare


def test_every_package_is_looked_at() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/kv_*/__init__.py")}
    assert folders == set(PACKAGES) == set(MAY_KNOW)
    assert all(len(modules(package)) > 1 for package in PACKAGES)


def test_nobody_is_known_in_a_circle() -> None:
    order = ["kv_spec", "kv_reference", "kv_adapters", "kv_conformance"]
    for package, known in MAY_KNOW.items():
        assert all(order.index(other) < order.index(package) for other in known)


@pytest.mark.parametrize(
    "source",
    [
        "import kv_adapters",
        "import os, kv_adapters.memory as memory",
        "from kv_adapters import memory",
        "from kv_adapters.memory import MemoryStore",
        "def late():\n    from kv_adapters.memory import MemoryStore",
        "if TYPE_CHECKING:\n    from kv_adapters.memory import MemoryStore",
        "try:\n    import kv_adapters\nexcept ImportError:\n    pass",
        "class Late:\n    async def go(self):\n        import kv_adapters.redis",
        'importlib.import_module("kv_adapters.memory")',
        'import_module("kv_adapters.memory")',
        '__import__("kv_adapters")',
    ],
)
def test_an_import_is_found_wherever_it_stands(source: str) -> None:
    for package in ("kv_spec", "kv_reference", "kv_conformance"):
        assert [name.split(".")[0] for _, name in strangers(package, source)] == ["kv_adapters"]
    assert strangers("kv_adapters", source) == []


@pytest.mark.parametrize(
    "source",
    [
        "import kv_spec, json",
        "import kv_adapters_of_others",
        "# import kv_adapters",
        "text = 'import kv_adapters'",
        "import_module(name)",
        "load('kv_adapters')",
    ],
)
def test_nothing_else_is_taken_for_an_import(source: str) -> None:
    assert strangers("kv_conformance", source) == []


def test_a_relative_import_is_seen() -> None:
    assert list(climbing("import os\nfrom . import here\nfrom ..there import it")) == [2, 3]

"""Targets that are no store: each is told what is wrong and what to do, and exits with 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.bad.conftest import Run

IMPORTS = {
    "a module that is not there": ("stroe:Store", "", "did you mean 'store'?"),
    "a module that imports what is not there": (
        "store:Store", "import not_there_either", "install it in this environment",
    ),
    "an error of syntax": ("store:Store", "def (", "SyntaxError"),
    "an exception at import": ("store:Store", "1 / 0", "ZeroDivisionError: division by zero"),
    "an exit at import": ("store:Store", "import sys; sys.exit(0)", "SystemExit: 0"),
    "an attribute that is not there": ("store:Stroe", "Store = Right", "did you mean Store?"),
    "what can not be called": ("store:Store", "Store = 7", "a factory is due"),
    "a file that is not there": ("./sub/store.py:Store", "", "there is no file"),
    "a name that nobody installed": ("memroy", "", "there is no store named 'memroy'"),
    "a URL of nothing installed": ("nosuch://host", "", "a URL begins with the name"),
}  # fmt: skip


@pytest.mark.parametrize("case", IMPORTS)
def test_a_target_that_can_not_be_had(run: Run, case: str) -> None:
    target, body, hint = IMPORTS[case]
    result = run(body, store=target)
    assert result.code == 2
    assert hint in result.reasons
    assert result.report["stopped"]["kind"] == "usage"


def test_a_name_that_is_nearly_one_that_is_installed(run: Run) -> None:
    package = run.folder / "somebodys-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: somebodys\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[kv_conformance.stores]\ncupboard = right:Right\n")
    assert "did you mean 'cupboard'?" in run("", store="cubpoard").reasons
    assert run("", store="cupboard").code == 0


FACTORIES = {
    "raises": ("raise RuntimeError('no luck')", "raised RuntimeError: no luck"),
    "is interrupted": ("raise KeyboardInterrupt", "raised KeyboardInterrupt"),
    "raises what has no text": (
        "class Odd(Exception):\n        def __str__(self): return 1 / 0\n    raise Odd",
        "raised Odd",
    ),
    "returns nothing": ("return None", "the factory returned None"),
    "returns something else": ("return 'a store'", "returned a str, which lacks get and set"),
}


@pytest.mark.parametrize("case", FACTORIES)
def test_a_factory_that_gives_no_store(run: Run, case: str) -> None:
    body, hint = FACTORIES[case]
    result = run(f"def make():\n    {body}\n", store="store:make")
    assert (result.code, result.report["stopped"]["kind"]) == (2, "usage")
    assert hint in result.reasons


def test_an_option_that_the_factory_does_not_take(run: Run) -> None:
    result = run("Store = Right", "--option", "host=x")
    assert result.code == 2
    assert "calling Store(host='x') raised TypeError" in result.reasons


def test_an_option_that_the_run_passes_itself(run: Run) -> None:
    result = run("def make(space): return Right()", "--option", "space=x", store="store:make")
    assert result.code == 2
    assert "the run passes space itself" in result.reasons


@pytest.mark.parametrize("where", ["import", "factory"])
def test_what_a_store_prints_is_a_note_and_not_between_the_lines(run: Run, where: str) -> None:
    printing = "print('hello'); import sys; sys.stderr.write('there\\n')"
    indented = f"        {printing.replace('; ', chr(10) + '        ')}"
    bodies = {
        "import": f"{printing}\nStore = Right",
        "factory": f"class Store(Right):\n    def __init__(self):\n{indented}\n"
        "        super().__init__()",
    }
    result = run(bodies[where], "--report", "text=out.txt")
    assert result.code == 0
    assert "the store printed: " in result.notes
    assert "hello" in result.notes
    assert not result.err


def test_a_factory_that_works_once(run: Run) -> None:
    result = run(
        """
        opened = []

        def make():
            opened.append(1)
            if len(opened) > 6:
                raise RuntimeError("no more of these")
            return Right()
        """,
        store="store:make",
    )
    assert (result.code, result.report["stopped"]["kind"]) == (3, "erratic")
    assert "opening the store once more raised RuntimeError: no more of these" in result.reasons


@pytest.mark.parametrize(
    ("where", "how"),
    [("importing the store", "spinning()"), ("opening the store", "sleeping(100_000)")],
)
def test_a_target_that_does_not_come_to_an_end(run: Run, where: str, how: str) -> None:
    call = f"    {how}" if where == "opening the store" else f"    return Right()\n{how}"
    body = (
        "from time import sleep as sleeping\ndef spinning():\n    while True: pass\n"
        f"def make():\n{call}\n"
    )
    result = run(body, "--operation-timeout", "0.5", store="store:make")
    assert (result.code, result.report["stopped"]["kind"]) == (3, "hang")
    assert f"{where} did not end within 0.5 s" in result.reasons

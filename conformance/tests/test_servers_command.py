"""`kv-conformance servers` says which servers a run can start here, and why not the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kv_conformance import target
from kv_conformance.cli import main


class Point:
    """An entry point that gives `found`, or raises it; what it imports is in `module`."""

    def __init__(self, found: Any, module: str = "") -> None:
        self.found, self.module = found, module

    def load(self) -> Any:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


class Started:
    @staticmethod
    def server_program() -> str:
        return "/opt/shop/bin/shopd"


class Missing:
    @staticmethod
    def server_program() -> str:
        raise RuntimeError("no shopd found: apt install shopd")


class InProcess:
    """A store without a server."""


STORES = {
    "here": Point(Started),
    "missing": Point(Missing),
    "plain": Point(InProcess),
    "clientless": Point(ImportError("this needs shop: pip install shop"), "shop_store"),
    "library": Point(ImportError("this needs lru: pip install lru"), "lru_store"),
    "nowhere": Point(ImportError("there is no such module"), "no_such_module"),
}


def test_programs_are_told_and_what_to_do_about_missing_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "shop_store.py").write_text("import shop\ndef server_program(): ...\n")
    (tmp_path / "lru_store.py").write_text("import lru\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(target, "installed", lambda: STORES)
    assert main(["servers"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "here       /opt/shop/bin/shopd",
        "missing    none: no shopd found: apt install shopd",
        "clientless not known: this needs shop: pip install shop",
    ]


def test_it_takes_no_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["servers", "redis"]) == 2
    assert "takes no argument" in capsys.readouterr().err

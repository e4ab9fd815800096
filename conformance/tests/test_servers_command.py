"""`kv-conformance servers` says which servers a run can start here, and why not the others."""

from __future__ import annotations

from typing import Any

import pytest
from kv_conformance import target
from kv_conformance.cli import main


class Point:
    """An entry point that gives `found`, or raises it."""

    def __init__(self, found: Any) -> None:
        self.found = found

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
    "clientless": Point(ImportError("pip install shop")),
}


def test_programs_are_told_and_what_to_do_about_missing_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(target, "installed", lambda: STORES)
    assert main(["servers"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "here       /opt/shop/bin/shopd",
        "missing    none: no shopd found: apt install shopd",
        "not known  clientless: their clients are not installed",
    ]


def test_it_takes_no_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["servers", "redis"]) == 2
    assert "takes no argument" in capsys.readouterr().err

"""A file store whose keys lead out of its folder is found out, and only the run's own is hurt."""

from pathlib import Path

import pytest
from kv_conformance.canary import NAME, Canary
from kv_conformance.surroundings import JOBS

from .conftest import Result, Run

FOLDER_STORE = """
    import json
    import pathlib


    class Store:
        def __init__(self, space):
            self.root = pathlib.Path(space)
            self.root.mkdir(parents=True, exist_ok=True)

        def path(self, key):
            return PATH

        def get(self, key):
            try:
                return json.loads(self.path(key).read_text())
            except FileNotFoundError:
                return None

        def set(self, key, value):
            if value is None:
                return self.delete(key)
            text = json.dumps(value, allow_nan=False)
            path = self.path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

        def delete(self, key):
            self.path(key).unlink(missing_ok=True)
"""
CARELESS = "self.root.joinpath(*key)"
WITH_SUFFIX = 'self.root.joinpath(*key[:-1], key[-1] + ".json")'
CAREFUL = 'self.root / ("-".join(part.encode().hex() for part in key) + ".json")'


def result_of(run: Run, path: str) -> Result:
    return run(FOLDER_STORE.replace("PATH", path), "--clause", "KEY-1")


@pytest.mark.parametrize("path", [CARELESS, WITH_SUFFIX])
def test_a_key_that_leads_out_of_the_folder_breaks_key_1(run: Run, path: str) -> None:
    result = result_of(run, path)
    (finding,) = [one for one in result.report["clauses"] if one["id"] == "KEY-1"]
    assert finding["status"] == "fail"
    assert "canary" in finding["message"]
    assert result.code == 1
    assert not list(run.folder.rglob("canary*"))


def test_a_store_that_encodes_its_keys_stays_inside(run: Run) -> None:
    result = result_of(run, CAREFUL)
    assert result.clauses("fail") == []


def test_what_the_other_processes_of_a_run_write_is_not_the_stores_doing(tmp_path: Path) -> None:
    canary = Canary(tmp_path)
    before = canary.around()
    (tmp_path / JOBS / "7").mkdir(parents=True)
    (canary.work / "data.db").touch()
    assert canary.around() == before
    (tmp_path / NAME).unlink()
    (tmp_path / "beside").mkdir()
    assert canary.around().keys() ^ before.keys() == {NAME, "beside"}

"""What a run on a disk leaves there when it is broken off: nothing."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import EMBEDDED, load
from .held import until


@pytest.fixture
def temporary() -> Iterator[Path]:
    # Short, since a run puts its files below it only where sockets would find room there too.
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["sqlite", "tiered", *EMBEDDED])
def test_a_run_that_is_broken_off_leaves_no_files(name: str, temporary: Path) -> None:
    load(name)
    run = subprocess.Popen(
        [sys.executable, "-m", "kv_conformance.cli", "--store", name, "--phase", "machines"],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with run:
        until(lambda: run.poll() is not None or any(temporary.glob("*/jobs/*/kv-*/data*")))
        run.send_signal(signal.SIGTERM)
        told, _ = run.communicate(timeout=60)
    assert run.returncode == 3, told
    assert "interrupted" in told
    assert list(temporary.iterdir()) == []

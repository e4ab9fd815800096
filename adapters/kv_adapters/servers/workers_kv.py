"""Workers KV for one run: workerd, on a loopback port, as miniflare starts it.

Miniflare is a package of npm's that brings workerd along, the server that runs at Cloudflare's too.
It gives the namespace only to workers; ours, `workers_kv_rest.mjs`, answers as the REST API does.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from kv_adapters.servers.process import (
    Launch,
    Server,
    ServerMissing,
    find_program,
    free_port,
    running,
)
from kv_adapters.servers.wheels import is_open

_HOST: Final = "workers_kv.mjs"
_WORKER: Final = "workers_kv_rest.mjs"
_MODULES: Final = "node_modules"
_PACKAGE: Final = "miniflare"
_ROOT: Final = "/client/v4"
_LATEST: Final = 9_000_000_000.0
"""2255-03-15, in seconds since 1970; its times are floating point numbers."""


@contextmanager
def workers_kv_server() -> Iterator[Server]:
    """Runs Workers KV with one namespace; what it holds ends with it.

    Raises ServerMissing where there is no Node or no miniflare.
    """
    node, modules = find_workers_kv(), find_modules()

    def launch(folder: Path) -> Launch:
        port, name = free_port(), folder.name
        for script in (_HOST, _WORKER):
            shutil.copyfile(Path(__file__).with_name(script), folder / script)
        where = _within_reach(modules, folder)
        return Launch(
            argv=[node, str(folder / _HOST), str(where), str(port), name],
            url=f"cloudflare://local/{name}?endpoint=http://127.0.0.1:{port}{_ROOT}",
            ready=lambda _: _version(port, name, where),
            clocks=frozenset({"realtime"}),
            latest=_LATEST,
            # A patched vDSO would be Node's; workerd is a process that it starts.
            mechanisms=("preload",),
            environment={"TMPDIR": str(folder), "HOME": str(folder)},
        )

    with running("workers-kv", launch) as server:
        yield server


def find_workers_kv() -> str:
    """The path of Node, which starts it. Raises ServerMissing where a part is not installed."""
    node = find_program("node")
    if node is None:
        raise ServerMissing(f"no node found, which runs miniflare; {_ADVICE}")
    find_modules()
    return node


def find_modules() -> Path:
    """The folder of packages in which miniflare is. Raises ServerMissing.

    It is looked for as Node does: from the current folder upwards, then in those of NODE_PATH.
    """
    here = Path.cwd()
    folders = [folder / _MODULES for folder in (here, *here.parents)]
    folders += [Path(path) for path in os.environ.get("NODE_PATH", "").split(os.pathsep) if path]
    for folder in folders:
        if (folder / _PACKAGE / "package.json").is_file():
            return folder.resolve()
    raise ServerMissing(
        f"no miniflare found in {_MODULES} here or above, or in NODE_PATH; {_ADVICE}"
    )


_ADVICE: Final = (
    "npm install miniflare; or name a namespace by its URL, cloudflare://ACCOUNT_ID/NAMESPACE_ID"
)


def _within_reach(modules: Path, folder: Path) -> Path:
    """Where the packages are as another user than root can read them: there, or in a copy."""
    if is_open(modules):
        return modules
    return Path(shutil.copytree(modules, folder / _MODULES, symlinks=True))


def _version(port: int, name: str, modules: Path) -> str:
    """What it is, as soon as it serves; OSError until then, or if another has taken the port."""
    try:
        with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            connection.request("GET", f"{_ROOT}/accounts/local/storage/kv/namespaces/{name}/keys")
            answer = connection.getresponse()
    except HTTPException as error:
        raise ConnectionError(f"port {port}: {error!r}") from error
    if answer.status != HTTPStatus.OK:
        raise ConnectionError(f"port {port} is answered with {answer.status}")
    package = json.loads((modules / _PACKAGE / "package.json").read_text())
    return f"Workers KV of miniflare {package['version']}"

"""A store whose server can be started for one run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import Any, ClassVar

from kv_adapters.base import RunServer


class Served:
    """`for_run` and `server_program`, by the module of `kv_adapters.servers` named by `program`.

    That module has `find_NAME`, which answers a path, and `NAME_server`, a context manager. It is
    imported when it is needed: servers are started on POSIX systems only.
    """

    program: ClassVar[str]

    @classmethod
    def server_program(cls) -> str:
        """The path of the program that `for_run` starts. Raises ServerMissing."""
        return str(cls._of_module(f"find_{cls.program}")())

    @classmethod
    @contextmanager
    def for_run(cls) -> Iterator[RunServer]:
        """A server of its own for one run. Raises ServerMissing where none is installed."""
        with cls._of_module(f"{cls.program}_server")() as server, cls._connected(server.url):
            yield RunServer(
                options={"url": server.url},
                note=server.note,
                pid=server.pid,
                time=server.time,
                real_time=server.real_time,
            )

    @classmethod
    def _of_module(cls, name: str) -> Any:
        return getattr(import_module(f"kv_adapters.servers.{cls.program}"), name)

    @classmethod
    def _connected(cls, url: str) -> AbstractContextManager[object]:
        """What is held as long as a run lasts, beside the server at `url`."""
        return nullcontext()

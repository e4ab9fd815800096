"""The clocks by which a run tells and moves the time of the store under test."""

from kv_conformance.clocks.base import Clock
from kv_conformance.clocks.patched import PatchedClock
from kv_conformance.clocks.real import RealClock
from kv_conformance.clocks.server import ServerClock
from kv_conformance.clocks.virtual import InjectedClock

__all__ = ["Clock", "InjectedClock", "PatchedClock", "RealClock", "ServerClock"]

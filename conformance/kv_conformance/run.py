"""A run, seen from outside: the process of the store, its events, and the end they come to."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from kv_spec.clauses import clauses

from kv_conformance import broom, events, real_time
from kv_conformance.process import watched
from kv_conformance.settings import Settings, harness_version
from kv_conformance.surroundings import OUTPUT
from kv_conformance.verdict import Verdict

SPEC_VERSION: Final = "1"
_MOST_PRINTED: Final = 65_536
"""Bytes that are read of what the store printed."""


class Handler(Protocol):
    """A reader of events; see `kv_conformance.reports`."""

    def handle(self, event: events.Event) -> None:
        """Takes one event in."""


def run(settings: Settings, verdict: Verdict, handlers: Iterable[Handler]) -> events.RunEnded:
    """Runs a store to the end, whatever it does, and tells `handlers` of it all the way."""
    everyone = [verdict, *handlers]
    began = real_time.perf_counter()

    def tell(event: events.Event) -> None:
        for handler in everyone:
            handler.handle(event)

    selected = tuple(id for id in clauses() if id in verdict.selected)
    tell(
        events.RunStarted(
            settings.store,
            settings.seed,
            SPEC_VERSION,
            harness_version(),
            settings.phases,
            selected,
            verdict.narrowed,
        )
    )
    with broom.folder() as folder:
        try:
            _relay(replace(settings, folder=folder), tell)
        except KeyboardInterrupt as stop:
            tell(events.Stopped("interrupted", str(stop) or "interrupted from the keyboard"))
        printed = _printed(folder)
    if printed:
        tell(events.Note(f"the store printed: {printed}"))
    ended = verdict.ended(real_time.perf_counter() - began)
    tell(ended)
    return ended


def _relay(settings: Settings, tell: Callable[[events.Event], None]) -> None:
    """Runs the process of the store and tells of its events; it is gone afterwards."""
    with contextlib.closing(watched(settings)) as coming:
        for event in coming:
            tell(event)


def _printed(folder: str) -> str:
    """The first lines of what the store printed; a store may print more than there is memory."""
    with contextlib.suppress(OSError), (Path(folder) / OUTPUT).open("rb") as stream:
        text = stream.read(_MOST_PRINTED).decode("utf-8", "replace").strip()
        more = bool(stream.read(1))
        lines = text.splitlines()
        count = f"{len(lines)} lines or more" if more else f"{len(lines)} lines in all"
        return "\n".join(lines[:3]) + (f"\n({count})" if more or len(lines) > 3 else "")
    return ""

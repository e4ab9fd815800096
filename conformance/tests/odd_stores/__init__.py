"""Stores that are odd but right: whatever the harness reports of one is a false alarm."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from . import (
    asynchronous,
    clocks,
    closing,
    concurrency,
    databases,
    dialects,
    domains,
    encodings,
    expiry,
    families,
    listings,
    surfaces,
    third_party,
)

MODULES = (
    expiry, clocks, listings, encodings, domains, dialects, surfaces, closing, families,
    asynchronous, databases, third_party, concurrency,
)  # fmt: skip
NO_STORES = ("Pair", "Path", "Walk", "Refusal")


def _stores(module: ModuleType) -> dict[str, Callable[..., Any]]:
    here = {
        name: made
        for name, made in vars(module).items()
        if getattr(made, "__module__", "") == module.__name__ and not name.startswith("_")
    }
    return {
        f"{module.__name__.rpartition('.')[2]}.{name}": made
        for name, made in here.items()
        if (inspect.isclass(made) or inspect.iscoroutinefunction(made)) and name not in NO_STORES
    }


STORES: dict[str, Callable[..., Any]] = {
    name: made for module in MODULES for name, made in _stores(module).items()
}
"""Every store by module and name."""

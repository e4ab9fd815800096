"""How often this process looks for garbage in cycles while it runs programs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_OBJECTS: Final = 50_000
"""A program leaves some hundreds of objects in cycles: keys that know each other as kin."""


@contextmanager
def seldom() -> Iterator[None]:
    """Looks for garbage only when many objects have been made: saves a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)

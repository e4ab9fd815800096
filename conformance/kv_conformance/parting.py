"""What the process of the store and the one that waits for it have agreed on, and how it is said.

Both import this, so it imports nothing that is slow.
"""

from __future__ import annotations

from typing import Final

OVER: Final = "over"
"""The last word of the process: without it the connection was lost, and not closed."""


def endless(doing: str, limit: float) -> str:
    """What is said of a call that did not end within `limit` seconds."""
    return (
        f"{doing} did not end within {limit:g} s; where it only needs longer, "
        "--operation-timeout gives it more seconds"
    )


def contains(error: BaseException, other: BaseException) -> bool:
    """True if `other` is `error`, or among those that it groups or follows from."""
    todo, seen = [error], set[int]()
    while todo:
        one = todo.pop()
        if one is other:
            return True
        if id(one) not in seen:
            seen.add(id(one))
            todo += one.exceptions if isinstance(one, BaseExceptionGroup) else ()
            todo += [cause for cause in (one.__cause__, one.__context__) if cause is not None]
    return False

"""The process of the store, from its first call to its last."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any, Final

from kv_conformance.engine import Engine
from kv_conformance.parting import OVER
from kv_conformance.plain import plain
from kv_conformance.settings import Settings
from kv_conformance.surroundings import end_with_parent, own_folder, quiet

_NOBODY_LISTENS: Final = 71


def main(settings: Settings, connection: Any) -> None:
    """The entry point of the process: runs, and sends events over `connection`.

    None is a sign of life, an Opening tells how a program written out gets at the store, bytes
    are the plan from which the sweep's programs can be written again, and OVER is the end.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent()
    lock = threading.Lock()

    def send(message: Any) -> None:
        with lock:
            try:
                connection.send(message)
            except OSError:
                # Who started the run is gone: there is nobody left to work for.
                os._exit(_NOBODY_LISTENS)

    quiet(settings.folder)
    own_folder(settings.folder)
    engine = Engine(settings, lambda event: send(plain(event)), send)
    stopped = engine.run()
    if engine.watch is not None:
        engine.watch.end()
    if stopped is not None:
        send(plain(stopped))
    send(OVER)
    connection.close()
    # Not sys.exit: threads that the store left behind must not keep the process.
    os._exit(0)

"""The server that workers are forked from: it loads what they need once, so that each of them starts in no time.

Light to import: it is started before anything else is loaded, so that both load at the same time.
"""

import os
from ctypes import c_int64
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triage.engine.messages import Setup

_PRELOADED = "triage.engine.workers.preloaded"
_PRELOADED_PICTURES = "triage.engine.workers.preloaded_pictures"
_ONE_THREAD = "OPENBLAS_NUM_THREADS"


def start_server(*, pictures: bool = False) -> None:
    """Start the server unless it runs; it ends with this process. `pictures`: workers will compare pictures."""
    # Workers share the cores: a library that starts threads of its own in each of them would only be in their way.
    os.environ.setdefault(_ONE_THREAD, "1")
    context().set_forkserver_preload([_PRELOADED, _PRELOADED_PICTURES] if pictures else [_PRELOADED])
    forkserver.ensure_running()


def worker_process(connection: Connection, setup: "Setup", in_hand: c_int64) -> ForkServerProcess:
    """Return a worker that is not started yet."""
    return context().Process(target=_serve, args=(connection, setup, in_hand), daemon=True)


def context() -> ForkServerContext:
    """Return the way in which workers are made."""
    return get_context("forkserver")


def _serve(connection: Connection, setup: "Setup", in_hand: c_int64) -> None:
    from triage.engine.workers.worker import work  # noqa: PLC0415 - loaded by the server, not by the process that asks for it

    work(connection, setup, in_hand)

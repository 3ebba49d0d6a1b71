"""A process to others that work for it: begun early, so that they load what they need while it does as much."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, get_context

CONTEXT = get_context("forkserver" if sys.platform == "linux" else "spawn")
"""How workers come to be. On Linux one server loads what they need, once for all, and they are copies of it; elsewhere
a copied process can't always use the system's own linear algebra, so each loads for itself."""


def begin_server(*modules: str) -> None:
    """Start the server, unless it runs; it loads `classify.tagging.workers` and other modules by name."""
    if sys.platform != "linux":
        return
    forkserver.set_forkserver_preload(["classify.tagging.workers", *modules])
    with interrupts_held():
        forkserver.ensure_running()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Processes that begin in here never hear Ctrl-C, so that one process answers it and ends the others."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

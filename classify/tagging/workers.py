"""Blocks to what becomes of them, in order, in this process or in several others."""

import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import parent_process
from typing import Any, TypeVar

from classify.errors import WorkerError
from classify.predictor import Predictor
from classify.tagging.blocks import Block
from classify.tagging.processes import CONTEXT, begin_server, interrupts_held
from classify.tagging.reading import Read
from classify.tagging.rows import Options
from classify.tagging.tagger import Tagger

T = TypeVar("T")
IN_FLIGHT = 2
"""Blocks a worker: the one it is at, and the next."""


class Crew:
    """Whoever does the work: `tagger` itself, or the processes of a pool, each with one of its own."""

    def __init__(self, tagger: Tagger, pool: ProcessPoolExecutor | None, jobs: int) -> None:
        self.tagger, self._pool, self._jobs = tagger, pool, jobs

    def map(self, work: Callable[[], Callable[[Tagger, Block], T]], read: Iterable[Read]) -> Iterator[tuple[int, T]]:
        """For each block how many bytes were read with it, and what came of it, in order.

        `work` is asked for each block what to do with it, in words that can be pickled. No more than IN_FLIGHT blocks a
        process are read ahead. Raises WorkerError where a process ends before its time.
        """
        if self._pool is None:
            for block, n_bytes in read:
                yield n_bytes, work()(self.tagger, block)
            return
        waiting: deque[tuple[int, Future[T]]] = deque()
        try:
            for block, n_bytes in read:
                with interrupts_held():
                    waiting.append((n_bytes, self._pool.submit(_run, work(), block)))
                if len(waiting) >= IN_FLIGHT * self._jobs:
                    n_read, result = waiting.popleft()
                    yield n_read, result.result()
            for n_read, result in waiting:
                yield n_read, result.result()
        except BrokenProcessPool:
            raise WorkerError("a worker process was killed or ran out of memory; try again with fewer --jobs") from None


@contextmanager
def crew(predictor: Predictor, options: Options, jobs: int) -> Iterator[Crew]:
    """Whoever works in `jobs` processes; one job is this process. All have ended when the context ends."""
    tagger = Tagger(predictor, options)
    if jobs == 1:
        yield Crew(tagger, None, 1)
        return
    begin_server()
    made_of = pickle.dumps((predictor, options))
    pool = ProcessPoolExecutor(jobs, CONTEXT, _begin, (made_of,))
    try:
        yield Crew(tagger, pool, jobs)
    finally:
        pool.shutdown(cancel_futures=True)


_own: dict[str, Any] = {}
"""A worker's: what its tagger is made of, then the tagger."""


def _begin(made_of: bytes) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _own["made_of"] = made_of
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Nobody else ends a worker whose parent was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(work: Callable[[Tagger, Block], T], block: Block) -> T:
    if "tagger" not in _own:  # made here and not in _begin, so that what goes wrong is told as a result
        _own["tagger"] = Tagger(*pickle.loads(_own["made_of"]))
    return work(_own["tagger"], block)

"""Jobs to results: one after the other, or on several cores where that pays; with what is left to do."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from classify.learn.features import CountedTexts

T = TypeVar("T")
OnStep = Callable[[float, float], None]
"""Hears how much of the work is done, and how much there is."""

PAYS_FROM = 3e8
"""Below this cost, half a minute or less, starting further processes takes as long as it saves."""


@dataclass(frozen=True)
class Job(Generic[T]):
    """Something to compute, and about how much work it is: non-zero features read by all its fits."""

    compute: Callable[[], T]
    cost: float


def cost_of(counted: CountedTexts, *, n_fits: float = 1) -> float:
    """What so many fits of a task on the counted texts cost."""
    return float(sum(block.tf.nnz for block in counted.blocks) * counted.hits.shape[1] * n_fits)


def run_jobs(jobs: Sequence[Job[T]], on_step: OnStep) -> list[T]:
    """The results, in order.

    Large work is shared out to processes by joblib: one a core, or as `joblib.parallel_config(n_jobs=…)` says. Threads
    would not do: Python itself is busy for a good part of the time.
    """
    total = sum(job.cost for job in jobs)
    results: list[T] = []
    done = 0.0
    for job, result in zip(jobs, _results(jobs, total), strict=True):
        results.append(result)
        done += job.cost
        on_step(done, total)
    return results


def _results(jobs: Sequence[Job[T]], total: float) -> Iterable[T]:
    from joblib import Parallel, cpu_count, delayed, effective_n_jobs
    from joblib.parallel import get_active_backend

    asked = get_active_backend()[1]
    n_jobs = cpu_count() if asked is None else effective_n_jobs(asked)
    if total < PAYS_FROM or n_jobs == 1:
        return (job.compute() for job in jobs)
    shared: Iterable[T] = Parallel(n_jobs=n_jobs, return_as="generator")(delayed(job.compute)() for job in jobs)
    return shared

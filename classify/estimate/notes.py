"""An estimate of shares to what must be known before its numbers are read."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from classify.codebook import Task
from classify.data.auditsample import inclusion_probabilities
from classify.data.dataset import NOT_STATED, Dataset
from classify.data.predictions import MONTH
from classify.errors import how_many
from classify.estimate.parts import Parts
from classify.estimate.results import MIN_IN_CELL, WHOLE, LabelShare

_MOST_NAMED = 8
_CHANGED_PART = 0.01
"""By how much of itself a corpus may have grown or shrunk since the draw without a word."""


def share_notes(tasks: Sequence[Task], audit: Dataset, shares: Sequence[LabelShare], by: str | None) -> Iterator[str]:
    """One sentence each: what intervals mean, how parts were joined, what is thin, what a coder passed over."""
    yield "of 20 such 95% intervals about 19 hold the true share of this corpus; of text beyond it they say nothing"
    estimated = Counter(one.task for one in shares if one.cell == WHOLE)
    if any(not task.is_multilabel and estimated[task.name] == len(task.labels) for task in tasks):
        yield "shares of a task with exactly one label sum to one; each interval is its label's own"
    if by:
        yield f"the whole corpus is weighted by {by}, where every part holds an audited passage"
    thin = list(dict.fromkeys(one.cell for one in shares if one.is_thin and one.cell != WHOLE))
    if thin:
        yield f"fewer than {MIN_IN_CELL} audited passages in {how_many(len(thin), 'part')} of {by}: {_listed(thin)}"
    if any(one.share.n and one.share.estimate.low is None for one in shares):
        yield "no interval where all audited passages come from one event or document: such passages are alike"
    for task in tasks:
        yield from gap_notes(task, audit)
    yield from draw_notes(audit, shares[0].n_passages)


def part_notes(parts: Parts) -> Iterator[str]:
    """Passages that are in no part."""
    if parts.column and parts.column.n_missing:
        how = "; a month is read from a date such as 2025-07 or 2025-07-27" if parts.column.name == MONTH else ""
        yield f"{how_many(parts.column.n_missing, 'passage')} without a {parts.column.name}, in no part{how}"


def gap_notes(task: Task, audit: Dataset) -> Iterator[str]:
    """Passages that a coder passed over: what is hard to code may be of another kind than what is easy."""
    coded = audit.gold(task).coded
    file, _, row = np.array([passage.place.rpartition(":") for passage in audit.passages]).T
    rows = np.array([int(number or 0) for number in row])
    n = 0
    for name in np.unique(file):
        here = file == name
        n += int((rows[here & ~coded] < rows[here & coded].max(initial=0)).sum())
    if n:
        yield f"{task.name}: {how_many(n, 'row')} above the last coded one left out, which bends shares; code them"
    strata = np.array(audit.values_of("stratum"))
    if uncoded := sorted(set(strata) - set(strata[coded])):
        yield f"{task.name}: no passage coded of stratum {_listed(uncoded)}, which shares leave out; code some of each"


def draw_notes(audit: Dataset, n_passages: int) -> Iterator[str]:
    """Signs that probabilities aren't those of one draw from this corpus, so that some parts count for too much."""
    probability = inclusion_probabilities(audit.passages).tolist()
    p_of: dict[str, set[float]] = {}
    for stratum, p in zip(audit.values_of("stratum"), probability, strict=True):
        p_of.setdefault(stratum, set()).add(p)
    mixed = sorted(stratum for stratum, found in p_of.items() if len(found) > 1 and stratum != NOT_STATED)
    if mixed:
        yield (
            f"passages of stratum {_listed(mixed)} have different probabilities, as of two draws, which bends shares; "
            "draw once, with the larger -n and the same --seed, and copy the labels"
        )
    n_drawn_from = sum(1 / p if p > 1e-300 else math.inf for p in probability)
    if max(map(len, p_of.values())) == 1 and abs(n_drawn_from / n_passages - 1) > _CHANGED_PART:
        yield (
            f"the audit's rows stand for {n_drawn_from:,.0f} passages, but {n_passages:,} were predicted: if the "
            "corpus has changed since the draw, or a sheet of strata has lost rows, draw again and copy the labels"
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (" …" if len(names) > _MOST_NAMED else "")

"""An estimate of shares to what must be known before its numbers are read."""

from collections.abc import Iterator, Sequence

import numpy as np

from classify.codebook import Task
from classify.data.dataset import Dataset
from classify.errors import how_many
from classify.estimate.results import MIN_IN_CELL, WHOLE, LabelShare


def share_notes(tasks: Sequence[Task], audit: Dataset, shares: Sequence[LabelShare], by: str | None) -> Iterator[str]:
    """One sentence each: what intervals mean, how parts were joined, what is thin, what a coder passed over."""
    yield "intervals are 95% and speak of this corpus, not of text beyond it"
    if any(not task.is_multilabel for task in tasks):
        yield "shares of a task with exactly one label sum to one; each interval is its label's own"
    if by:
        yield f"the whole corpus is weighted by {by}, where every part holds an audited passage"
    thin = list(dict.fromkeys(one.cell for one in shares if one.is_thin and one.cell != WHOLE))
    if thin:
        listed = ", ".join(thin[:8]) + (" …" if len(thin) > 8 else "")
        yield f"fewer than {MIN_IN_CELL} audited passages in {how_many(len(thin), 'part')} of {by}: {listed}"
    yield from gap_notes(tasks, audit)


def gap_notes(tasks: Sequence[Task], audit: Dataset) -> Iterator[str]:
    """Passages that a coder passed over: what is hard to code may be of another kind than what is easy."""
    row = np.array([int(passage.place.rpartition(":")[2] or 0) for passage in audit.passages])
    for task in tasks:
        coded = audit.gold(task).coded
        if n := int((row[~coded] < row[coded].max()).sum()):
            yield f"{task.name}: {how_many(n, 'row')} above the last coded one left out, which bends shares; code them"

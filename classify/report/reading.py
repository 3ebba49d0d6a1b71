"""Predictions in columns to the passages worth reading: doubtful ones first, and some behind every number."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from classify.data.tags import TaggedTask, Tags
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.scorer.decisions import DecisionRule

MOST = 2_000
NEAR, NEAR_TO_MOST, ENOUGH = 0.1, 0.5, 20
"""A label NEAR to its threshold in more than half of all passages, of which there are ENOUGH, tells none apart."""


@dataclass(frozen=True)
class Doubt:
    """How near each passage was to another answer of one task.

    All of shape (n_passages,): `certainty` as `DecisionRule.certainty` has it; `label`, the nearest one; `cut`, the
    probability above which that label is given, nan in a multiclass task.
    """

    certainty: FloatArray
    label: IntArray
    cut: FloatArray


def doubt(task: TaggedTask, models: IntArray) -> Doubt:
    """How near each passage was to another answer; `models` says which bundle tagged it, shape (n_passages,).

    Predictions don't hold thresholds. They are read off: as many passages lie above a label's threshold as carry it. A
    label that is near to its threshold in most passages, as one so rare that all its probabilities are alike, is passed
    over.
    """
    n, n_labels = task.given.shape
    if not task.is_multilabel:
        order = np.argsort(task.probabilities, axis=1)
        if n_labels == 1:
            return Doubt(np.full(n, np.inf), order[:, 0], np.full(n, np.nan))
        certainty = _rule(1, None).certainty(task.probabilities.astype(np.float64))
        return Doubt(certainty, order[:, -2], np.full(n, np.nan))
    found = Doubt(np.full(n, np.inf), np.zeros(n, dtype=np.int64), np.full(n, np.nan))
    for model in np.unique(models):
        rows = np.flatnonzero(models == model)
        for label in range(n_labels):
            p = task.probabilities[rows, label].astype(np.float64)
            cut = threshold_of(p, int(task.given[rows, label].sum()))
            certainty = _rule(1, cut).certainty(p[:, None])
            if len(rows) >= ENOUGH and (certainty < NEAR).mean() > NEAR_TO_MOST:
                continue
            nearer = certainty < found.certainty[rows]
            of = rows[nearer]
            found.certainty[of], found.label[of], found.cut[of] = certainty[nearer], label, cut
    return found


def threshold_of(p: FloatArray, n_given: int) -> float:
    """The probability halfway between the passages that carry a label and those that don't; nan if all or none do."""
    if not 0 < n_given < len(p):
        return float("nan")
    at = len(p) - n_given
    below, above = np.partition(p, (at - 1, at))[[at - 1, at]]
    return float(below + above) / 2


def choose(
    tags: Tags, doubts: Mapping[str, Doubt], cells: Iterable[tuple[BoolArray, FloatArray]], *, most: int = MOST
) -> list[int]:
    """The rows to show, at most `most`: those to review first, nearest to another answer, then others in file order.

    All where there are no more. Otherwise up to half are passages to review; then comes the surest passage of every
    cell that has none yet (a cell is which passages belong to it, and how surely), then the surest of each answer in
    turn.
    """
    nearest = np.min([found.certainty for found in doubts.values()], axis=0)
    review = np.flatnonzero(tags.needs_review())
    review = review[np.argsort(nearest[review], kind="stable")]
    if tags.n_passages <= most:
        others = np.setdiff1d(np.arange(tags.n_passages), review)
        return [*review.tolist(), *others.tolist()]
    first = review[: most // 2].tolist()
    chosen = np.zeros(tags.n_passages, dtype=np.bool_)
    chosen[first] = True
    n = len(first)
    for member, sureness in cells:
        if n < most and member.any() and not chosen[member].any():
            rows = np.flatnonzero(member)
            chosen[rows[sureness[rows].argmax()]] = True
            n += 1
    _fill(chosen, tags, most)
    shown = set(first)
    doubtful = [row for row in review.tolist() if chosen[row] and row not in shown]
    sure = np.flatnonzero(chosen & ~tags.needs_review()).tolist()
    return [*first, *doubtful, *sure]


def _fill(chosen: BoolArray, tags: Tags, most: int) -> None:
    """Choose the surest passages of each answer in turn until there are enough."""
    queues = []
    for task in tags.tasks.values():
        for answer in range(len(task.answers)):
            rows = np.flatnonzero(task.has(answer))
            queues.append(rows[np.argsort(-task.sureness(answer)[rows], kind="stable")[: 2 * most]].tolist())
    n = int(chosen.sum())
    for rank in range(2 * most):
        for queue in queues:
            if n < most and rank < len(queue) and not chosen[queue[rank]]:
                chosen[queue[rank]] = True
                n += 1


def _rule(n_labels: int, cut: float | None) -> DecisionRule:
    """A rule whose probabilities are those given, to ask it for certainty."""
    ones, nought = np.ones(n_labels), np.zeros(n_labels)
    is_open = cut is not None and not 0 < cut < 1
    threshold = None if cut is None else np.array([np.inf if is_open else np.log(cut / (1 - cut))])
    return DecisionRule(cut is not None, False, ones, nought, nought, threshold)

"""Tags of a corpus and hand labels of an audit sample to the share of every label, by parts, and to their changes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from classify.bundle import Bundle
from classify.codebook import Task
from classify.data.auditsample import inclusion_probabilities
from classify.data.dataset import Dataset
from classify.data.predictions import MONTH, YEAR, prediction_rows
from classify.data.tagreader import tags_of
from classify.data.tags import Column, TaggedTask, Tags
from classify.errors import UsageError, how_many
from classify.estimate.audited import (
    as_predictions,
    find_audited,
    held_out_scores,
    is_table,
    rows_of,
    rows_of_table,
    texts_learnt,
)
from classify.estimate.results import MIN_IN_CELL, WHOLE, LabelChange, LabelShare, Shares
from classify.evaluation.saved import read_evaluation
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.intervals import Estimate
from classify.measure.permutation import holm
from classify.measure.sharechanges import difference, trend
from classify.measure.shares import NOTHING, Audit, estimate_share

MOST_CELLS = 6
"""Parts that are compared with each other: the largest of those with passages enough."""


def estimate_shares(
    predictions: Any,
    audit: Dataset,
    *,
    by: str | None = None,
    bundle: Bundle | None = None,
    held_out: str | Path | None = None,
    scores: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Shares:
    """The share of every label in the whole corpus and, with `by`, in each source, month or value of another field.

    `predictions` are those of the whole corpus: files or folders of them, or a pandas, polars or Arrow table; `audit`
    its coded sample, each passage with an `id` of the corpus and an `inclusion_probability`. `bundle` is the one that
    predicted: where it has learnt from audited passages, `held_out` names the folder of an evaluation that held them
    out. `scores` names, for labels, columns of another tagger's scores, in [0, 1], to be audited in place of
    predictions; it is taken not to have learnt from the audited passages.

    Shares of a multiclass task are divided by their sum; their intervals are each label's own. With `by` and passages
    audited in every part, the whole is post-stratified. Raises DataError for audited passages that the corpus doesn't
    hold or without an inclusion probability; UsageError where it can't be known whether the model has learnt from
    audited passages, where no scores of such passages are at hand, and where no predicted task was coded.
    """
    inclusion_probabilities(audit.passages)  # without probabilities there is nothing to read a whole corpus for
    places: dict[str, int] = {}
    rows = rows_of_table(predictions) if is_table(predictions) else prediction_rows(predictions)
    if scores:
        rows = as_predictions(rows, audit.codebook, scores)
    tags = tags_of(find_audited(rows, audit, places), by=(by,) if by else ())
    audited, learnt = rows_of(audit, places), texts_learnt(tags, bundle)
    saved = read_evaluation(held_out) if held_out else None
    return shares_of(tags, audit, audited, by=by, held_out=held_out_scores(audit, learnt, saved), seed=seed)


def shares_of(
    tags: Tags,
    audit: Dataset,
    rows: IntArray,
    *,
    by: str | None = None,
    held_out: Mapping[str, FloatArray] | None = None,
    seed: int = 0,
) -> Shares:
    """The same of what was read: `rows`, shape (n_audited,), says which passage of `tags` each of the audit's is.

    `held_out` gives for a task probabilities to be taken for them in place of the corpus's, shape (n_audited,
    n_labels), nan where none is needed.
    """
    probability = inclusion_probabilities(audit.passages)
    weight = probability.min() / probability
    column = _column(tags, by)
    shares: list[LabelShare] = []
    changes: list[LabelChange] = []
    tasks = [task for task in audit.coded_tasks() if task.name in tags.tasks]
    if not tasks:
        raise UsageError(f"the audit sample is coded for none of the predicted tasks: {', '.join(tags.tasks)}")
    for task in tasks:
        work = _Work(tags.tasks[task.name], task, audit, rows, weight, column, (held_out or {}).get(task.name), seed)
        shares += work.shares()
        changes += work.changes()
    notes = [*_notes(tasks, shares, by), *_notes_on_gaps(tasks, audit)]
    return Shares(by, tags.n_passages, tuple(shares), tuple(changes), tuple(notes))


def machine_rates(tags: Tags, *, by: str | None = None) -> Shares:
    """What counting tags gives, without any share: all there is without an audit sample."""
    column = _column(tags, by)
    found = [
        LabelShare(name, label, cell, int(inside.sum()), _rate(task, n, inside), NOTHING)
        for name, task in tags.tasks.items()
        for cell, inside in _cells(column, tags.n_passages)
        for n, label in enumerate(task.labels)
    ]
    return Shares(by, tags.n_passages, tuple(found), (), ())


@dataclass(frozen=True)
class _Work:
    """One task: what was tagged, what was coded by hand, and how the two lie on each other."""

    tagged: TaggedTask
    task: Task
    audit: Dataset
    rows: IntArray
    weight: FloatArray
    column: Column | None
    held_out: FloatArray | None
    seed: int

    def shares(self) -> list[LabelShare]:
        """Of every cell and label."""
        found = []
        for cell, inside in _cells(self.column, len(self.tagged.given)):
            of_cell = [self._share(n, cell, inside) for n in self._labels]
            is_whole = not self.task.is_multilabel and len(of_cell) == len(self.task.labels)
            found += _summing_to_one(of_cell) if is_whole else of_cell
        return found

    def changes(self) -> list[LabelChange]:
        """A trend over months or years; else differences between the largest cells. Adjusted after Holm."""
        if self.column is None:
            return []
        found = [
            change
            for n in self._labels
            for change in (self._trends(n) if self.column.name in (MONTH, YEAR) else self._differences(n))
            if change.change.p is not None
        ]
        adjusted = holm(np.array([one.change.p for one in found], dtype=float))
        return [replace(one, p_holm=float(p)) for one, p in zip(found, adjusted, strict=True)]

    @property
    def _labels(self) -> list[int]:
        """The task's labels that were predicted."""
        return [n for n, name in enumerate(self.task.label_names) if name in self.tagged.labels]

    def _scores(self, n: int) -> FloatArray:
        """The corpus's scores for a label, those of audited passages out of fold where the model had learnt them."""
        scores = self.tagged.probabilities[:, self._column_of(n)].astype(np.float64)
        if self.held_out is not None:
            given = ~np.isnan(self.held_out[:, n])
            scores[self.rows[given]] = self.held_out[given, n]
        return scores

    def _column_of(self, n: int) -> int:
        return self.tagged.labels.index(self.task.labels[n].name)

    def _audited(self, n: int, scores: FloatArray) -> tuple[Audit, IntArray]:
        """The hand labels of a label, and the rows of the corpus that they belong to."""
        gold = self.audit.gold(self.task)
        known = gold.known[:, n]
        weight = self.weight * _coded_in_stratum(self.audit, known)
        rows = self.rows[known]
        return Audit(gold.gold[known, n].astype(float), scores[rows], weight[known], self.audit.groups[known]), rows

    def _share(self, n: int, cell: str, inside: BoolArray) -> LabelShare:
        scores = self._scores(n)
        audit, rows = self._audited(n, scores)
        here = inside[rows]
        if cell == WHOLE:
            audit = replace(audit, weight=self._post_stratified(audit.weight, rows))
        n_passages = int(inside.sum())
        share = estimate_share(audit.of(here), float(scores[inside].mean()), n_passages, seed=self.seed)
        rate = _rate(self.tagged, self._column_of(n), inside)
        return LabelShare(self.task.name, self.task.labels[n].name, cell, n_passages, rate, share)

    def _post_stratified(self, weight: FloatArray, rows: IntArray) -> FloatArray:
        """Weights whose sums over cells are as the corpus's passages; as they are where a cell holds no hand label."""
        if self.column is None:
            return weight
        codes = np.where(self.column.codes >= 0, self.column.codes, len(self.column.values))
        n = np.bincount(codes, minlength=len(self.column.values) + 1)
        audited = np.bincount(codes[rows], weight, len(n))
        if ((n > 0) & (audited == 0)).any():
            return weight
        return np.asarray(weight * (n / np.maximum(audited, 1e-300))[codes[rows]])

    def _trends(self, n: int) -> list[LabelChange]:
        assert self.column is not None
        time = np.array([_time(value) for value in self.column.values])
        dated = self.column.codes >= 0
        scores = self._scores(n)
        audit, rows = self._audited(n, scores)
        here = dated[rows]
        codes = self.column.codes
        change = trend(audit.of(here), time[codes[rows[here]]], scores[dated], time[codes[dated]], seed=self.seed)
        first, last = min(self.column.values), max(self.column.values)
        return [LabelChange(self.task.name, self.task.labels[n].name, first, last, True, change)]

    def _differences(self, n: int) -> list[LabelChange]:
        assert self.column is not None
        cells = [self._share(n, cell, inside) for cell, inside in _cells(self.column, len(self.tagged.given))[1:]]
        largest = sorted((one for one in cells if not one.is_thin), key=lambda one: -one.n_passages)[:MOST_CELLS]
        return [
            LabelChange(self.task.name, one.label, other.cell, one.cell, False, difference(one.share, other.share))
            for other, one in combinations(largest, 2)
        ]


def _column(tags: Tags, by: str | None) -> Column | None:
    """The field to count by; raises UsageError where no passage has it, or a year that is none."""
    if by is None:
        return None
    if by not in tags.fields:
        raise UsageError(f"--by {by}: no passage has a {by}; the rows have {', '.join(tags.columns)}")
    odd = [value for value in tags.fields[by].values if by == YEAR and not re.fullmatch(r"\d{4}", value)]
    if odd:
        raise UsageError(f"--by {by}: found {odd[0]!r}; expected four digits")
    return tags.fields[by]


def _cells(column: Column | None, n_passages: int) -> list[tuple[str, BoolArray]]:
    """The whole corpus, and each value of a field."""
    whole = (WHOLE, np.ones(n_passages, dtype=np.bool_))
    return [whole] + [(value, column.codes == code) for code, value in enumerate(column.values)] if column else [whole]


def _rate(task: TaggedTask, column: int, inside: BoolArray) -> float:
    return float(task.given[inside, column].mean())


def _coded_in_stratum(audit: Dataset, known: BoolArray) -> FloatArray:
    """By how much the rows that are coded stand for more where a stratum's other rows are not, or not yet."""
    stratum = np.unique(audit.values_of("stratum"), return_inverse=True)[1]
    drawn, coded = np.bincount(stratum), np.bincount(stratum, known)
    return np.asarray((drawn / np.maximum(coded, 1))[stratum])


def _summing_to_one(shares: Sequence[LabelShare]) -> list[LabelShare]:
    total = sum(one.share.estimate.value or 0.0 for one in shares)
    if any(one.share.estimate.value is None for one in shares) or total == 0:
        return list(shares)
    found = []
    for one in shares:
        estimate = one.share.estimate
        assert estimate.value is not None
        scaled = Estimate(estimate.value / total, estimate.low, estimate.high)
        found.append(replace(one, share=replace(one.share, estimate=scaled)))
    return found


def _time(value: str) -> float:
    """A year, or a month in years."""
    year, _, month = value.partition("-")
    return int(year) + (int(month) - 1) / 12 if month else float(year)


def _notes(tasks: Sequence[Task], shares: Sequence[LabelShare], by: str | None) -> list[str]:
    notes = ["intervals are 95% and speak of this corpus, not of text beyond it"]
    if any(not task.is_multilabel for task in tasks):
        notes.append("shares of a task with exactly one label sum to one; each interval is its label's own")
    if by:
        notes.append(f"the whole corpus is weighted by {by}, where every part holds an audited passage")
    thin = list(dict.fromkeys(one.cell for one in shares if one.is_thin and one.cell != WHOLE))
    if thin:
        listed = ", ".join(thin[:8]) + (" …" if len(thin) > 8 else "")
        notes.append(f"fewer than {MIN_IN_CELL} audited passages in {how_many(len(thin), 'part')} of {by}: {listed}")
    return notes


def _notes_on_gaps(tasks: Sequence[Task], audit: Dataset) -> list[str]:
    """Passages that a coder passed over: what is hard to code may be of another kind than what is easy."""
    row = np.array([int(passage.place.rpartition(":")[2] or 0) for passage in audit.passages])
    notes = []
    for task in tasks:
        coded = audit.gold(task).coded
        if n := int((row[~coded] < row[coded].max()).sum()):
            notes.append(
                f"{task.name}: {how_many(n, 'row')} above the last coded one left out, which bends shares; code them"
            )
    return notes

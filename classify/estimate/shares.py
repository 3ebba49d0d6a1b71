"""Tags of a corpus and hand labels of an audit sample to the share of every label, by parts, and to their changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from classify.bundle import Bundle
from classify.codebook import Task
from classify.data.auditsample import coded_in_stratum, inclusion_probabilities
from classify.data.dataset import Dataset
from classify.data.predictions import MONTH, YEAR
from classify.data.tags import MISSING, Column, TaggedTask, Tags
from classify.errors import UsageError
from classify.estimate.audited import Audited, read_audited
from classify.estimate.notes import part_notes, share_notes
from classify.estimate.parts import Parts, parts_of
from classify.estimate.results import LabelChange, LabelShare, Shares
from classify.measure.arrays import FloatArray, IntArray
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
    hold, or holds with another text, or without an inclusion probability; UsageError where it can't be known whether
    the model has learnt from audited passages, where no scores of such passages are at hand, and where no predicted
    task was coded.
    """
    found = read_audited(predictions, audit, by=(by,) if by else (), bundle=bundle, held_out=held_out, scores=scores)
    return shares_of(found, by=by, seed=seed)


def shares_of(found: Audited, *, by: str | None = None, seed: int = 0) -> Shares:
    """The same of what was read; `by` is one of the fields that were."""
    tags, audit = found.tags, found.audit
    probability = inclusion_probabilities(audit.passages)
    weight = probability.min() / probability
    parts = parts_of(tags, by)
    tasks = [task for task in audit.coded_tasks() if task.name in tags.tasks]
    if not tasks:
        raise UsageError(f"the audit sample is coded for none of the predicted tasks: {', '.join(tags.tasks)}")
    shares: list[LabelShare] = []
    changes: list[LabelChange] = []
    for task in tasks:
        held_out = found.held_out.get(task.name)
        work = _Work(tags.tasks[task.name], task, audit, found.rows, weight, parts, held_out, seed)
        shares += work.shares()
        changes += work.changes()
    notes = (*share_notes(tasks, audit, shares, by), *part_notes(parts))
    return Shares(by, tags.n_passages, tuple(shares), tuple(changes), notes)


def machine_rates(tags: Tags, *, by: str | None = None) -> Shares:
    """What counting tags gives, without any share: all there is without an audit sample."""
    parts = parts_of(tags, by)
    found = []
    for name, task in tags.tasks.items():
        rates = [parts.means(task.given[:, n]) for n in range(len(task.labels))]
        found += [
            LabelShare(name, label, cell, n_passages, rate[place], NOTHING)
            for place, (cell, n_passages) in enumerate(zip(parts.names, parts.sizes, strict=True))
            for label, rate in zip(task.labels, rates, strict=True)
        ]
    return Shares(by, tags.n_passages, tuple(found), (), tuple(part_notes(parts)))


@dataclass(frozen=True)
class _Work:
    """One task: what was tagged, what was coded by hand, and how the two lie on each other."""

    tagged: TaggedTask
    task: Task
    audit: Dataset
    rows: IntArray
    weight: FloatArray
    parts: Parts
    held_out: FloatArray | None
    seed: int

    def shares(self) -> list[LabelShare]:
        """Of every part and label."""
        is_whole = not self.task.is_multilabel and len(self._labels) == len(self.task.labels)
        found: list[LabelShare] = []
        for of_part in zip(*self._by_label, strict=True):
            found += _summing_to_one(of_part) if is_whole else of_part
        return found

    def changes(self) -> list[LabelChange]:
        """A trend over months or years; else differences between the largest parts. Adjusted after Holm."""
        if self.parts.column is None:
            return []
        is_time = self.parts.column.name in (MONTH, YEAR)
        found = (
            [self._trend(n, self.parts.column) for n in self._labels]
            if is_time
            else [change for of_label in self._by_label for change in self._differences(of_label[1:])]
        )
        found = [change for change in found if change.change.p is not None]
        adjusted = holm(np.array([one.change.p for one in found], dtype=float))
        return [replace(one, p_holm=float(p)) for one, p in zip(found, adjusted, strict=True)]

    @cached_property
    def _labels(self) -> list[int]:
        """The task's labels that were predicted."""
        return [n for n, name in enumerate(self.task.label_names) if name in self.tagged.labels]

    @cached_property
    def _by_label(self) -> list[list[LabelShare]]:
        """Of every label the shares of all parts."""
        return [self._of_label(n) for n in self._labels]

    def _of_label(self, n: int) -> list[LabelShare]:
        name, scores = self.task.labels[n].name, self._scores(n)
        audit, rows = self._audited(n, scores)
        rates = self.parts.means(self.tagged.given[:, self._column_of(n)])
        means = self.parts.means(scores)
        found = []
        for part, (cell, n_passages) in enumerate(zip(self.parts.names, self.parts.sizes, strict=True)):
            weight = audit.weight if part else self._post_stratified(audit.weight, rows)
            here = replace(audit, weight=weight).of(self.parts.has(part, rows))
            share = estimate_share(here, means[part], n_passages, seed=self.seed)
            found.append(LabelShare(self.task.name, name, cell, n_passages, rates[part], share))
        return found

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
        weight = self.weight * coded_in_stratum(self.audit, known)
        rows = self.rows[known]
        return Audit(gold.gold[known, n].astype(float), scores[rows], weight[known], self.audit.groups[known]), rows

    def _post_stratified(self, weight: FloatArray, rows: IntArray) -> FloatArray:
        """Weights whose sums over parts are as the corpus's passages; as they are where a part holds no hand label."""
        column = self.parts.column
        if column is None:
            return weight
        n = np.array([column.n_missing, *column.counts])
        code = column.codes[rows] - MISSING
        audited = np.bincount(code, weight, len(n))
        if ((n > 0) & (audited == 0)).any():
            return weight
        return np.asarray(weight * (n / np.maximum(audited, 1e-300))[code])

    def _trend(self, n: int, column: Column) -> LabelChange:
        time = np.array([_time(value) for value in column.values])
        dated = column.codes >= 0
        scores = self._scores(n)
        audit, rows = self._audited(n, scores)
        here = dated[rows]
        times = time[column.codes[rows[here]]]
        change = trend(audit.of(here), times, scores[dated], time[column.codes[dated]], seed=self.seed)
        first, last = min(column.values), max(column.values)
        return LabelChange(self.task.name, self.task.labels[n].name, first, last, True, change)

    def _differences(self, parts: Sequence[LabelShare]) -> list[LabelChange]:
        largest = sorted((one for one in parts if not one.is_thin), key=lambda one: -one.n_passages)[:MOST_CELLS]
        return [
            LabelChange(self.task.name, one.label, other.cell, one.cell, False, difference(one.share, other.share))
            for other, one in combinations(largest, 2)
        ]


def _summing_to_one(shares: Sequence[LabelShare]) -> list[LabelShare]:
    total = sum(one.share.estimate.value or 0.0 for one in shares)
    if any(one.share.estimate.value is None for one in shares) or total == 0:
        return list(shares)
    found = []
    for one in shares:
        estimate = one.share.estimate
        assert estimate.value is not None
        found.append(replace(one, share=replace(one.share, estimate=_scaled(estimate, estimate.value / total))))
    return found


def _scaled(estimate: Estimate, value: float) -> Estimate:
    """Another value with the same interval, stretched where it must be to hold the value."""
    if estimate.low is None or estimate.high is None:
        return Estimate(value)
    return Estimate(value, min(estimate.low, value), max(estimate.high, value))


def _time(value: str) -> float:
    """A year, or a month in years."""
    year, _, month = value.partition("-")
    return int(year) + (int(month) - 1) / 12 if month else float(year)

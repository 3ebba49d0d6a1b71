"""An audit sample to the share of passages that carry each label: what the field looks like, not the labelled set."""

from collections.abc import Mapping

import numpy as np

from classify.codebook import Task
from classify.data.annotations import LabelledPassage
from classify.data.dataset import Dataset
from classify.errors import DataError, Fault
from classify.measure.arrays import FloatArray
from classify.measure.sampleplan import intraclass_correlation

FIELD = "inclusion_probability"


def audit_prevalence(audit: Dataset) -> Mapping[str, FloatArray]:
    """For each coded task the share of passages with each label, shape (n_labels,), none of them 0 or 1.

    Passages are weighted by 1 / `inclusion_probability` (Hájek 1971). Half a passage is added on either side, at the
    effective sample size (Kish 1965), so that what a small sample happens not to hold isn't thought impossible; shares
    of a multiclass task sum to one. A label about which no passage says anything has no share (nan). Raises DataError
    for a passage without an inclusion probability.
    """
    weight = audit_weights(audit.passages)
    return {task.name: _shares(audit, task, weight) for task in audit.coded_tasks()}


def _shares(audit: Dataset, task: Task, weight: FloatArray) -> FloatArray:
    gold = audit.gold(task)
    weights = weight[:, None] * gold.known
    total = weights.sum(axis=0)
    n = total**2 / np.maximum((weights**2).sum(axis=0), 1e-300)
    share = (weights * gold.gold).sum(axis=0) / np.maximum(total, 1e-300)
    smoothed = np.where(total > 0, (share * n + 0.5) / (n + 1), np.nan)
    return np.asarray(smoothed if task.is_multilabel else smoothed / smoothed.sum())


def likeness(dataset: Dataset) -> float:
    """How alike passages of one event are: the intraclass correlation, a mean over all labels that any passage carries.

    In [0, 1]; 0 where nothing can be told.
    """
    found = []
    for task in dataset.coded_tasks():
        gold = dataset.gold(task)
        for column in np.flatnonzero(gold.support):
            known = gold.known[:, column]
            found.append(intraclass_correlation(gold.gold[known, column], dataset.groups[known]))
    return max(0.0, float(np.mean(found))) if found else 0.0


def audit_weights(passages: tuple[LabelledPassage, ...]) -> FloatArray:
    """The inverse of each passage's inclusion probability, shape (n_passages,); DataError where one has none."""
    faults, found = [], []
    for passage in passages:
        given = passage.extra.get(FIELD)
        try:
            # None and the like raise TypeError; true is no number, though Python takes it for 1
            probability = 0.0 if isinstance(given, bool) else float(given)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            probability = 0.0
        if not 0 < probability <= 1:
            path, _, row = passage.place.rpartition(":")
            expected = "expected the probability with which the passage was drawn, above 0 and up to 1"
            faults.append(Fault(path, int(row) if row.isdigit() else None, FIELD, f"found {given!r}; {expected}"))
        found.append(probability)
    if faults:
        raise DataError(faults)
    return 1 / np.array(found)

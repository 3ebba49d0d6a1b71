"""An audit sample to the share of passages that carry each label: what the field looks like, not the labelled set."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from classify.codebook import Task
from classify.data.annotations import LabelledPassage
from classify.data.dataset import Dataset, TaskGold
from classify.errors import DataError, Fault, data_error
from classify.measure.arrays import BoolArray, FloatArray
from classify.measure.sampleplan import intraclass_correlation

FIELD = "inclusion_probability"
_EXPECTED = "expected the probability with which the passage was drawn, above 0 and up to 1"
FEW = 100
"""Audited passages under which shares are too rough to reset thresholds by without a word."""


def audit_prevalence(audit: Dataset) -> Mapping[str, FloatArray]:
    """For each coded task the share of passages with each label, shape (n_labels,), none of them 0 or 1.

    Passages are weighted by 1 / `inclusion_probability` (Hájek 1971), those of a stratum that isn't coded to its end
    by more (`coded_in_stratum`). Half a passage is added on either side, at the
    effective sample size (Kish 1965), so that what a small sample happens not to hold isn't thought impossible; shares
    of a multiclass task sum to one. A label about which no passage says anything has no share (nan). Raises DataError
    for a passage without an inclusion probability.
    """
    probability = inclusion_probabilities(audit.passages)
    found = {}
    for task in audit.coded_tasks():
        gold = audit.gold(task)
        more = np.column_stack([coded_in_stratum(audit, gold.known[:, n]) for n in range(len(task.labels))])
        found[task.name] = _shares(gold, probability[:, None] / more, task)
    return found


def coded_in_stratum(audit: Dataset, known: BoolArray) -> FloatArray:
    """By how much coded passages stand for more where others of their stratum are not coded, or not yet.

    Both arrays have shape (n_passages,). All passages are one stratum where none is stated.
    """
    stratum = np.unique(audit.values_of("stratum"), return_inverse=True)[1]
    drawn, coded = np.bincount(stratum), np.bincount(stratum, known)
    return np.asarray((drawn / np.maximum(coded, 1))[stratum])


def _shares(gold: TaskGold, probability: FloatArray, task: Task) -> FloatArray:
    """Weighted shares, smoothed; `probability` has shape (n_passages, n_labels)."""
    # 1 / probability, but relative to the label's rarest passage: however rare it was, nothing overflows
    rarest = np.where(gold.known, probability, np.inf).min(axis=0)
    weights = np.divide(rarest, probability, out=np.zeros(gold.known.shape), where=gold.known)
    total = weights.sum(axis=0)
    is_known = total > 0
    n = total**2 / np.where(is_known, (weights**2).sum(axis=0), 1)
    share = (weights * gold.gold).sum(axis=0) / np.where(is_known, total, 1)
    smoothed = np.where(is_known, (share * n + 0.5) / (n + 1), np.nan)
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


def _with_a_point(number: Any) -> Any:
    """A number that a spreadsheet of many countries has written with a comma; anything else as it is."""
    return number.replace(",", ".") if isinstance(number, str) else number


def inclusion_probabilities(passages: tuple[LabelledPassage, ...]) -> FloatArray:
    """The probability each passage was drawn with, shape (n_passages,); DataError where one has none."""
    if all(passage.extra.get(FIELD) is None for passage in passages):
        path = passages[0].place.rpartition(":")[0] if passages else "audit"
        raise data_error(path, f"no passage has it; {_EXPECTED}, as classify sample writes it", field=FIELD)
    faults, found = [], []
    for passage in passages:
        given = passage.extra.get(FIELD)
        try:
            # None and the like raise TypeError; true is no number, though Python takes it for 1
            probability = 0.0 if isinstance(given, bool) else float(_with_a_point(given))
        except (TypeError, ValueError):
            probability = 0.0
        if not 0 < probability <= 1:
            path, _, row = passage.place.rpartition(":")
            faults.append(Fault(path, int(row) if row.isdigit() else None, FIELD, f"found {given!r}; {_EXPECTED}"))
        found.append(probability)
    if faults:
        raise DataError(sorted(faults, key=lambda fault: fault.position))
    return np.array(found)

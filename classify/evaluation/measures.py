"""Gold labels and one system's predictions to what all measures need, and to the headline measures of a task."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from classify.codebook import Task
from classify.data.dataset import TaskGold
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.intervals import Estimate, estimate_from_counts, logit_jackknife_t
from classify.measure.scores import (
    agreeing_rows,
    average_precision,
    average_precision_without,
    f1,
    grouped_counts,
    grouped_rates,
    hamming_loss,
    label_ranking_precision,
    rate,
    sum_by_group,
)

NO_ESTIMATE = Estimate(None)


@dataclass(frozen=True)
class Measured:
    """One system on one task, columns in codebook order, groups on the first axis.

    `counts` of (TP, FP, FN, TN), shape (n_groups, n_labels, 4); `average_precision`, shape (n_labels,), and the same
    without each group, shape (n_groups, n_labels); `exact`, passages right in full and known in full, and `ranking`,
    sums and numbers of label-ranking precision, both of shape (n_groups, 2).
    """

    counts: FloatArray
    average_precision: FloatArray
    average_precision_without: FloatArray
    exact: FloatArray
    ranking: FloatArray


def measure(gold: TaskGold, predicted: BoolArray, probabilities: FloatArray, groups: IntArray) -> Measured:
    """All arrays have one row a passage; `groups` numbers the events, as `jackknife_groups` gives them.

    Average precision is taken on calibrated probabilities, because scores of different folds are not on one scale.
    """
    columns = range(gold.gold.shape[1])
    n_groups = int(groups.max(initial=-1)) + 1
    full, without = np.full(len(columns), np.nan), np.full((n_groups, len(columns)), np.nan)
    for n in columns:
        rows = gold.known[:, n]
        full[n] = average_precision(gold.gold[rows, n], probabilities[rows, n])
        found = average_precision_without(gold.gold[rows, n], probabilities[rows, n], groups[rows])
        without[: len(found), n], without[len(found) :, n] = found, full[n]
    right, complete = agreeing_rows(gold.gold, predicted, gold.known)
    ranking = label_ranking_precision(gold.gold, probabilities)
    ranked = complete & ~np.isnan(ranking)
    return Measured(
        counts=grouped_counts(gold.gold, predicted, gold.known, groups),
        average_precision=full,
        average_precision_without=without,
        exact=grouped_rates(right, complete, groups),
        ranking=sum_by_group(np.stack([np.where(ranked, ranking, 0.0), ranked], axis=1), groups),
    )


def macro_f1_of(columns: BoolArray) -> Callable[[FloatArray], FloatArray]:
    """Macro-F1 over some labels: the mean of label F1s (Opitz & Burst 2019); a label never predicted counts 0."""

    def macro_f1(counts: FloatArray) -> FloatArray:
        return np.asarray(np.nan_to_num(f1(counts[..., columns, :])).mean(axis=-1))

    return macro_f1


def macro_f1_difference(first: FloatArray, second: FloatArray, columns: BoolArray) -> Estimate:
    """Macro-F1 over some labels of the first minus that of the second, paired by group.

    Both are counts of shape (n_groups, n_labels, 4), with the groups in the same order.
    """
    macro = macro_f1_of(columns)

    def difference(both: FloatArray) -> FloatArray:
        return np.asarray(macro(both[..., 0, :, :]) - macro(both[..., 1, :, :]))

    return estimate_from_counts(np.stack([first, second], axis=1), difference, lowest=-1.0)


def micro_f1(counts: FloatArray) -> FloatArray:
    """F1 of all cells together."""
    return f1(counts.sum(axis=-2))


def headline(task: Task, found: Measured | None, columns: BoolArray) -> dict[str, Estimate]:
    """The task's measures with intervals; macro averages run over `columns`, the labels that can be judged."""
    names = ["macro_f1", "micro_f1", "macro_average_precision", "exact_match" if task.is_multilabel else "accuracy"]
    if task.is_multilabel:
        names += ["hamming_loss", "label_ranking_average_precision"]
    if found is None:
        return dict.fromkeys(names, NO_ESTIMATE)
    macro_f1, macro_ap = NO_ESTIMATE, NO_ESTIMATE
    if columns.any():
        macro_f1 = estimate_from_counts(found.counts, macro_f1_of(columns))
        without = found.average_precision_without[:, columns].mean(axis=1)
        macro_ap = logit_jackknife_t(float(found.average_precision[columns].mean()), without)
    values = [macro_f1, estimate_from_counts(found.counts, micro_f1), macro_ap, estimate_from_counts(found.exact, rate)]
    values += [estimate_from_counts(found.counts, hamming_loss), estimate_from_counts(found.ranking, rate)]
    return dict(zip(names, values, strict=False))

"""Learn a task: weights from training rows, thresholds and calibration from scores out of fold; fold it all."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from scipy import sparse

from classify.bundle import Bundle, BundledTask
from classify.codebook import Task
from classify.data.dataset import Dataset, TaskGold
from classify.data.splits import grouped_folds, n_folds_for
from classify.errors import UsageError
from classify.learn.features import BlockFit, CountedTexts, count_texts, fit_block, has_evidence, tfidf
from classify.learn.settings import TaskSettings, TrainingSettings
from classify.learn.thresholds import NO_HITS, fit_decision
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.scores import f1, grouped_counts
from classify.scorer.decisions import DecisionRule
from classify.scorer.linear import Block, TaskScorer
from classify.scorer.terms import TermMatcher


@dataclass(frozen=True)
class Weights:
    """A linear model over counted texts: a BlockFit and a weight matrix a block, counted weights, intercept."""

    fits: tuple[BlockFit, ...]
    of_blocks: tuple[FloatArray, ...]
    counted: FloatArray
    intercept: FloatArray

    def score(self, counted: CountedTexts, rows: IntArray) -> tuple[FloatArray, BoolArray]:
        """Scores, shape (n_rows, n_labels), and which rows hold any evidence."""
        scores = counted.hits[rows] @ self.counted + self.intercept
        for block, fit, weights in zip(counted.blocks, self.fits, self.of_blocks, strict=True):
            scores = scores + tfidf(block, fit, rows) @ weights
        return scores, has_evidence(counted, self.fits, rows)


@dataclass(frozen=True)
class FittedTask:
    """A task learnt from some rows.

    `held_out` are the scores of its rows out of fold, and which of them held any evidence. `is_cross_fitted` is False
    where events were too few to hold any out: thresholds and calibration then come from scores the model has seen,
    which flatter it.
    """

    weights: Weights
    decision: DecisionRule
    held_out: tuple[FloatArray, BoolArray]
    is_cross_fitted: bool


def count_for(task: Task, texts: Sequence[str], settings: TaskSettings) -> CountedTexts:
    """Count texts as the task's settings say."""
    return count_texts(texts, settings.blocks(task), TermMatcher(task))


def fit_weights(counted: CountedTexts, gold: TaskGold, rows: IntArray, settings: TaskSettings) -> Weights:
    """One L2 logistic regression a label, one against the rest, on the rows where the label is known.

    A label that is known only as "yes" or only as "no" gets no weights, and its smoothed log-odds as the intercept.
    """
    from sklearn.linear_model import LogisticRegression

    fits = tuple(fit_block(block, rows) for block in counted.blocks)
    parts = [tfidf(block, fit, rows) for block, fit in zip(counted.blocks, fits, strict=True)]
    features = sparse.hstack([*parts, sparse.csr_array(settings.hit_weight * counted.hits[rows])], format="csr")
    features.indices, features.indptr = features.indices.astype(np.int32), features.indptr.astype(np.int32)
    n_labels = gold.gold.shape[1]
    weights, intercept = np.zeros((features.shape[1], n_labels)), np.zeros(n_labels)
    for label in range(n_labels):
        known = gold.known[rows, label]
        target = gold.gold[rows, label][known]
        if len(np.unique(target)) < 2:
            intercept[label] = np.log((target.sum() + 0.5) / ((~target).sum() + 0.5))
            continue
        model = LogisticRegression(
            C=settings.C,
            class_weight="balanced" if settings.balanced else None,
            solver="liblinear",
            dual=True,  # passages are fewer than features: 12 times faster than the primal, to the same optimum
            tol=1e-6,
            max_iter=10_000,
            random_state=0,
        )
        model.fit(features[np.flatnonzero(known)], target)
        weights[:, label], intercept[label] = model.coef_[0], model.intercept_[0]
    ends = np.cumsum([part.shape[1] for part in parts])
    *of_blocks, of_hits = np.split(weights, ends)
    return Weights(fits, tuple(of_blocks), settings.hit_weight * of_hits, intercept)


def fit_task(
    counted: CountedTexts,
    gold: TaskGold,
    groups: IntArray,
    rows: IntArray,
    task: Task,
    settings: TaskSettings,
    seed: int,
) -> FittedTask:
    """Learn the task from `rows` alone; nothing outside them is looked at.

    Thresholds and calibration come from scores of inner folds that hold out whole events.
    """
    rows = rows[gold.coded[rows]]
    inner = np.unique(groups[rows], return_inverse=True)[1]
    n_folds = n_folds_for(int(inner.max(initial=-1)) + 1)
    weights = fit_weights(counted, gold, rows, settings)
    if n_folds:
        scores, evidence = np.zeros((len(rows), len(task.labels))), np.zeros(len(rows), dtype=np.bool_)
        folds = grouped_folds(gold.gold[rows], inner, n_folds=n_folds, seed=seed)
        for fold in range(n_folds):
            inside, outside = rows[folds != fold], rows[folds == fold]
            found = fit_weights(counted, gold, inside, settings).score(counted, outside)
            scores[folds == fold], evidence[folds == fold] = found
    else:
        scores, evidence = weights.score(counted, rows)
    decision = fit_decision(task, scores, gold.gold[rows], gold.known[rows])
    return FittedTask(weights, decision, (scores, evidence), n_folds > 0)


def fit_term_rule(counted: CountedTexts, gold: TaskGold, rows: IntArray, task: Task) -> DecisionRule:
    """The decision rule of the codebook's terms alone: log hits as scores, thresholds matched on the training rows."""
    rows = rows[gold.coded[rows]]
    return fit_decision(task, counted.hits[rows], gold.gold[rows], gold.known[rows], lowest=NO_HITS)


def fold_scorer(task: Task, counted: CountedTexts, weights: Weights) -> TaskScorer:
    """The fitted task as the numpy-only scorer that a bundle holds."""
    blocks = tuple(
        Block(block.settings, tuple(block.features[column] for column in fit.columns), fit.idf, of_block)
        for block, fit, of_block in zip(counted.blocks, weights.fits, weights.of_blocks, strict=True)
    )
    return TaskScorer(blocks, TermMatcher(task), weights.counted, weights.intercept)


def train(dataset: Dataset, *, settings: TrainingSettings | None = None) -> Bundle:
    """Train every task of which at least one passage is coded, on all labelled passages.

    Raises UsageError if no passage is coded at all.
    """
    settings = settings or TrainingSettings()
    tasks = dataset.coded_tasks()
    if not tasks:
        raise UsageError("no passage is coded for any task; label some passages first")
    bundled, summary = {}, {}
    for task in tasks:
        task_settings = settings.of(task)
        counted, gold = count_for(task, dataset.texts, task_settings), dataset.gold(task)
        everything = np.arange(len(dataset.passages))
        fitted = fit_task(counted, gold, dataset.groups, everything, task, task_settings, settings.seed)
        rule = fit_term_rule(counted, gold, everything, task)
        bundled[task.name] = BundledTask(fold_scorer(task, counted, fitted.weights), fitted.decision, rule)
        summary[task.name] = _summary(task, dataset, gold, fitted)
    return Bundle(
        codebook=dataset.codebook,
        tasks=bundled,
        settings=settings.to_dict(),
        data={
            "sha256": dataset.sha256,
            "n_passages": len(dataset.passages),
            "n_events": len(dataset.event_names),
            "origins": dataset.counts_of("origin"),
            "coders": dataset.counts_of("coder"),
            "text_hashes": sorted(set(dataset.text_hashes)),
        },
        summary=summary,
        versions=versions(),
        seed=settings.seed,
    )


def _summary(task: Task, dataset: Dataset, gold: TaskGold, fitted: FittedTask) -> dict[str, object]:
    """Support and out-of-fold F1 a label; the thresholds were fitted on the same scores, so `evaluate` is the judge."""
    coded = gold.coded
    predicted = fitted.decision.decide(*fitted.held_out)[1]
    one_group = np.zeros(int(coded.sum()), dtype=np.int64)
    values = f1(grouped_counts(gold.gold[coded], predicted, gold.known[coded], one_group)[0])
    facts = zip(task.label_names, gold.support.tolist(), gold.events_with(dataset.groups).tolist(), values, strict=True)
    return {
        "is_cross_fitted": fitted.is_cross_fitted,
        "labels": {
            name: {"support": support, "events": events, "f1": None if np.isnan(value) else round(float(value), 4)}
            for name, support, events, value in facts
        },
    }


def versions() -> dict[str, str]:
    """The releases that a result depends on."""
    names = ("classify-passages", "numpy", "scipy", "scikit-learn", "snowballstemmer")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}

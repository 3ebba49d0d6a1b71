"""Learn a task: weights from training rows, thresholds and calibration from scores out of fold; fold it all."""

import platform
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

import numpy as np
from scipy import sparse

from classify.bundle import Bundle, BundledTask
from classify.codebook import Task
from classify.data.dataset import Dataset, TaskGold
from classify.data.splits import grouped_folds, n_folds_for
from classify.errors import UsageError
from classify.learn.features import BlockFit, CountedTexts, count_texts, fit_block, tfidf
from classify.learn.settings import TaskSettings, TrainingSettings
from classify.learn.solver import fit_logistic
from classify.learn.thresholds import NO_HITS, fit_decision, parse_threshold_rule
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.scores import average_precision, f1, grouped_counts
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
        """Scores, shape (n_rows, n_labels), and which rows hold a feature of the training rows or a term hit."""
        hits = counted.hits[rows]
        scores, evidence = hits @ self.counted + self.intercept, hits.any(axis=1)
        for block, fit, weights in zip(counted.blocks, self.fits, self.of_blocks, strict=True):
            features = tfidf(block, fit, rows)
            scores, evidence = scores + features @ weights, evidence | (np.diff(features.indptr) > 0)
        return scores, np.asarray(evidence)


@dataclass(frozen=True)
class FittedTask:
    """A task learnt from some rows, with the settings that were chosen and the counts that they need.

    `held_out` are the scores of its rows out of fold, and which of them held any evidence. `is_cross_fitted` is False
    where events were too few to hold any out: thresholds and calibration then come from scores the model has seen,
    which flatter it.
    """

    settings: TaskSettings
    counted: CountedTexts
    weights: Weights
    decision: DecisionRule
    held_out: tuple[FloatArray, BoolArray]
    is_cross_fitted: bool


def count_for(task: Task, texts: Sequence[str], settings: TaskSettings) -> CountedTexts:
    """Count texts as the task's settings, or any that they search, say."""
    every = (settings.fixed, *settings.candidates)
    blocks = dict.fromkeys(block for candidate in every for block in candidate.blocks(task))
    return count_texts(texts, tuple(blocks), TermMatcher(task))


def fit_weights(
    counted: CountedTexts, gold: TaskGold, rows: IntArray, settings: Sequence[TaskSettings]
) -> list[Weights]:
    """One L2 logistic regression a label, one against the rest, on the rows where the label is known.

    `settings` differ in nothing but `C`; each gives its weights. A label that is known only as "yes" or only as "no"
    gets no weights, and its smoothed log-odds as the intercept.
    """
    hit_weight = settings[0].hit_weight
    fits = tuple(fit_block(block, rows) for block in counted.blocks)
    parts = [tfidf(block, fit, rows) for block, fit in zip(counted.blocks, fits, strict=True)]
    features = sparse.hstack([*parts, sparse.csr_array(hit_weight * counted.hits[rows])], format="csr")
    target, weight = gold.gold[rows], _row_weights(gold.gold[rows], gold.known[rows], balanced=settings[0].balanced)
    n_yes, n_no = ((cells & gold.known[rows]).sum(axis=0) for cells in (target, ~target))
    both = np.flatnonzero((n_yes > 0) & (n_no > 0))
    ends = np.cumsum([part.shape[1] for part in parts])
    found = []
    for solved in fit_logistic(features, target[:, both], weight[:, both], [one.C for one in settings]):
        weights, intercept = np.zeros((features.shape[1], target.shape[1])), np.log((n_yes + 0.5) / (n_no + 0.5))
        weights[:, both], intercept[both] = solved
        *of_blocks, of_hits = np.split(weights, ends)
        found.append(Weights(fits, tuple(of_blocks), hit_weight * of_hits, intercept))
    return found


def _row_weights(gold: BoolArray, known: BoolArray, *, balanced: bool) -> FloatArray:
    """1 where the label is known; `balanced`: known rows / (2 · rows of the same answer), as scikit-learn has it."""
    if not balanced:
        return known.astype(np.float64)
    n_known, n_yes = known.sum(axis=0), (gold & known).sum(axis=0)
    of_yes, of_no = n_known / (2 * np.maximum(n_yes, 1)), n_known / (2 * np.maximum(n_known - n_yes, 1))
    return np.asarray(np.where(gold, of_yes, of_no) * known)


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

    Thresholds and calibration come from scores of inner folds that hold out whole events, and so does the choice
    among candidates where the settings search.
    """
    rows = rows[gold.coded[rows]]
    inner = np.unique(groups[rows], return_inverse=True)[1]
    n_folds = n_folds_for(int(inner.max(initial=-1)) + 1)
    folds = grouped_folds(gold.gold[rows], inner, n_folds=n_folds, seed=seed) if n_folds else np.zeros_like(rows)
    chosen = settings.fixed
    if settings.search and n_folds:
        chosen = choose_settings(counted, gold, rows, folds, task, settings.candidates)
    counted = counted.only(chosen.blocks(task))
    (weights,) = fit_weights(counted, gold, rows, [chosen])
    if n_folds:
        scores, evidence = np.zeros((len(rows), len(task.labels))), np.zeros(len(rows), dtype=np.bool_)
        for fold in range(n_folds):
            inside, outside = rows[folds != fold], rows[folds == fold]
            (found,) = fit_weights(counted, gold, inside, [chosen])
            scores[folds == fold], evidence[folds == fold] = found.score(counted, outside)
    else:
        scores, evidence = weights.score(counted, rows)
    rule = parse_threshold_rule(settings.thresholds)
    decision = fit_decision(task, scores, gold.gold[rows], gold.known[rows], rule=rule)
    return FittedTask(chosen, counted, weights, decision, (scores, evidence), n_folds > 0)


def choose_settings(
    counted: CountedTexts,
    gold: TaskGold,
    rows: IntArray,
    folds: IntArray,
    task: Task,
    candidates: Sequence[TaskSettings],
) -> TaskSettings:
    """The candidate with the highest average precision, a mean over labels and folds; the first of equal ones.

    `folds` numbers the fold of each of `rows`. Candidates that differ only in `C` share their features.
    """
    quality = np.zeros(len(candidates))
    alike: dict[TaskSettings, list[int]] = defaultdict(list)
    for number, candidate in enumerate(candidates):
        alike[replace(candidate, C=1.0)].append(number)
    for shared, numbers in alike.items():
        counts = counted.only(shared.blocks(task))
        for fold in np.unique(folds):
            inside, outside = rows[folds != fold], rows[folds == fold]
            found = fit_weights(counts, gold, inside, [candidates[number] for number in numbers])
            for number, weights in zip(numbers, found, strict=True):
                quality[number] += _ranking_quality(weights.score(counts, outside)[0], gold, outside)
    return candidates[int(quality.argmax())]


def _ranking_quality(scores: FloatArray, gold: TaskGold, rows: IntArray) -> float:
    """Average precision, a mean over the labels that have a positive among the rows."""
    known = gold.known[rows]
    columns = np.flatnonzero((gold.gold[rows] & known).any(axis=0))
    values = [average_precision(gold.gold[rows[known[:, n]], n], scores[known[:, n], n]) for n in columns]
    return float(np.mean(values)) if values else 0.0


def fit_term_rule(
    counted: CountedTexts, gold: TaskGold, rows: IntArray, task: Task, settings: TaskSettings
) -> DecisionRule:
    """The decision rule of the codebook's terms alone: log hits as scores, thresholds chosen on the training rows."""
    rows = rows[gold.coded[rows]]
    rule = parse_threshold_rule(settings.thresholds)
    return fit_decision(task, counted.hits[rows], gold.gold[rows], gold.known[rows], rule=rule, lowest=NO_HITS)


def fold_scorer(task: Task, fitted: FittedTask) -> TaskScorer:
    """The fitted task as the numpy-only scorer that a bundle holds."""
    weights = fitted.weights
    blocks = tuple(
        Block(block.settings, tuple(block.features[column] for column in fit.columns), fit.idf, of_block)
        for block, fit, of_block in zip(fitted.counted.blocks, weights.fits, weights.of_blocks, strict=True)
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
        rule = fit_term_rule(counted, gold, everything, task, task_settings)
        bundled[task.name] = BundledTask(fold_scorer(task, fitted), fitted.decision, rule)
        summary[task.name] = _summary(task, dataset, gold, fitted, task_settings)
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


def _summary(
    task: Task, dataset: Dataset, gold: TaskGold, fitted: FittedTask, settings: TaskSettings
) -> dict[str, object]:
    """Support and out-of-fold F1 a label; the thresholds were fitted on the same scores, so `evaluate` is the judge."""
    coded = gold.coded
    predicted = fitted.decision.decide(*fitted.held_out)[1]
    one_group = np.zeros(int(coded.sum()), dtype=np.int64)
    values = f1(grouped_counts(gold.gold[coded], predicted, gold.known[coded], one_group)[0])
    facts = zip(task.label_names, gold.support.tolist(), gold.events_with(dataset.groups).tolist(), values, strict=True)
    return {
        "is_cross_fitted": fitted.is_cross_fitted,
        "searched": {key: getattr(fitted.settings, key) for key in settings.search},
        "labels": {
            name: {"support": support, "events": events, "f1": None if np.isnan(value) else round(float(value), 4)}
            for name, support, events, value in facts
        },
    }


def versions() -> dict[str, str]:
    """The releases that a result depends on."""
    names = ("classify-passages", "numpy", "scipy", "scikit-learn", "snowballstemmer")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}

"""Learn a task: settings, thresholds and calibration from scores out of fold; weights from all rows; fold it all."""

import platform
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

import numpy as np

from classify.bundle import Bundle, BundledTask
from classify.codebook import Task
from classify.data.dataset import Dataset, TaskGold, hash_text, sha256_of_texts
from classify.data.splits import grouped_folds, n_folds_for
from classify.errors import UsageError, how_many
from classify.learn.features import MIN_UNLABELLED, CountedTexts
from classify.learn.prevalence import audit_facts, prevalence_for
from classify.learn.settings import TaskSettings, TrainingSettings
from classify.learn.thresholds import NO_HITS, fit_decision, parse_threshold_rule
from classify.learn.weights import Scored, Weights, count_for, counts_for, fit_weights
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.scores import average_precision, f1, grouped_counts
from classify.scorer.blocks import Block
from classify.scorer.decisions import DecisionRule
from classify.scorer.linear import TaskScorer


@dataclass(frozen=True)
class FittedTask:
    """A task learnt from some rows, with the settings that were chosen and the counts that they need.

    `held_out` are the scores of its rows out of fold, and which of them held any evidence. `is_cross_fitted` is False
    where events were too few to hold any out: thresholds and calibration then come from scores the model has seen,
    which flatter it. `ruled` labels, shape (n_labels,), are given by their terms alone; `lowest`, of the same shape,
    bounds thresholds from below.
    """

    settings: TaskSettings
    counted: CountedTexts
    weights: Weights
    decision: DecisionRule
    held_out: Scored
    is_cross_fitted: bool
    ruled: BoolArray
    lowest: FloatArray


def fit_task(
    counted: CountedTexts,
    gold: TaskGold,
    groups: IntArray,
    rows: IntArray,
    task: Task,
    settings: TaskSettings,
    seed: int,
    prevalence: FloatArray | None = None,
) -> FittedTask:
    """Learn the task from `rows` alone; nothing outside them is looked at.

    Thresholds and calibration come from scores of inner folds that hold out whole events, and so does the choice
    among candidates where the settings search. They are meant at the share of each label among the rows, or at the
    `prevalence` that is given, shape (n_labels,); ValueError where it doesn't go with the settings' thresholds.
    """
    rows = rows[gold.coded[rows]]
    inner = np.unique(groups[rows], return_inverse=True)[1]
    n_folds = n_folds_for(int(inner.max(initial=-1)) + 1)
    chosen, held_out = settings.fixed, None
    if n_folds:
        folds = grouped_folds(gold.gold[rows], inner, n_folds=n_folds, seed=seed)
        tried = score_out_of_fold(counted, gold, rows, folds, task, settings.candidates)
        best = best_candidate(tried, gold, rows, folds)
        chosen, held_out = settings.candidates[best], tried[best]
    counted = counts_for(counted, task, chosen)
    ruled = ruled_labels(task, gold.of(rows), chosen)
    (weights,) = fit_weights(counted, gold, rows, [chosen], ruled)
    scores, evidence = held_out or weights.score(counted, rows)
    lowest = np.where(ruled, NO_HITS, -np.inf)
    decision = fit_decision(
        task,
        scores,
        gold.gold[rows],
        gold.known[rows],
        rule=parse_threshold_rule(settings.thresholds),
        lowest=lowest,
        prevalence=prevalence,
    )
    return FittedTask(chosen, counted, weights, decision, (scores, evidence), n_folds > 0, ruled, lowest)


def score_out_of_fold(
    counted: CountedTexts,
    gold: TaskGold,
    rows: IntArray,
    folds: IntArray,
    task: Task,
    candidates: Sequence[TaskSettings],
) -> list[Scored]:
    """For each candidate the scores of `rows` by models that saw nothing of their fold, and which held any evidence.

    `folds` numbers the fold of each of `rows`. Candidates that differ only in `C` share their features.
    """
    tried = [(np.zeros((len(rows), len(task.labels))), np.zeros(len(rows), dtype=np.bool_)) for _ in candidates]
    alike: dict[TaskSettings, list[int]] = defaultdict(list)
    for number, candidate in enumerate(candidates):
        alike[replace(candidate, C=1.0)].append(number)
    for shared, numbers in alike.items():
        counts, ruled = counts_for(counted, task, shared), ruled_labels(task, gold.of(rows), shared)
        for fold in np.unique(folds):
            is_outside = folds == fold
            found = fit_weights(counts, gold, rows[~is_outside], [candidates[number] for number in numbers], ruled)
            for number, weights in zip(numbers, found, strict=True):
                scores, evidence = tried[number]
                scores[is_outside], evidence[is_outside] = weights.score(counts, rows[is_outside])
    return tried


def ruled_labels(task: Task, gold: TaskGold, settings: TaskSettings) -> BoolArray:
    """Labels with too few positives among what is learnt from, but some, and with terms, shape (n_labels,)."""
    has_terms = np.array([bool(label.terms) for label in task.labels])
    support = gold.support
    return np.asarray((support > 0) & (support < settings.rule_below) & has_terms & task.is_multilabel)


def best_candidate(tried: Sequence[Scored], gold: TaskGold, rows: IntArray, folds: IntArray) -> int:
    """The candidate with the highest average precision, a mean over labels and folds; the first of equal ones."""
    if len(tried) == 1:
        return 0
    parts = [folds == fold for fold in np.unique(folds)]
    return int(np.argmax([sum(_ranking_quality(scores[p], gold, rows[p]) for p in parts) for scores, _ in tried]))


def _ranking_quality(scores: FloatArray, gold: TaskGold, rows: IntArray) -> float:
    """Average precision, a mean over the labels that have a positive among the rows."""
    known = gold.known[rows]
    columns = np.flatnonzero((gold.gold[rows] & known).any(axis=0))
    values = [average_precision(gold.gold[rows[known[:, n]], n], scores[known[:, n], n]) for n in columns]
    return float(np.mean(values)) if values else 0.0


def fit_term_rule(
    counted: CountedTexts,
    gold: TaskGold,
    rows: IntArray,
    task: Task,
    settings: TaskSettings,
    prevalence: FloatArray | None = None,
) -> DecisionRule:
    """The decision rule of the codebook's terms alone: log hits as scores, thresholds chosen on the training rows."""
    rows = rows[gold.coded[rows]]
    rule = parse_threshold_rule(settings.thresholds)
    return fit_decision(
        task,
        counted.hits[rows],
        gold.gold[rows],
        gold.known[rows],
        rule=rule,
        lowest=np.array(NO_HITS),
        prevalence=prevalence,
    )


def fold_scorer(fitted: FittedTask) -> TaskScorer:
    """The fitted task as the numpy-only scorer that a bundle holds."""
    weights = fitted.weights
    blocks = tuple(
        Block(block.settings, tuple(block.features[column] for column in fit.columns), fit.idf, of_block)
        for block, fit, of_block in zip(fitted.counted.blocks, weights.fits, weights.of_blocks, strict=True)
    )
    return TaskScorer(blocks, fitted.counted.counter, weights.counted, weights.usual, weights.intercept)


def train(
    dataset: Dataset,
    *,
    settings: TrainingSettings | None = None,
    unlabelled: Sequence[str] = (),
    audit: Dataset | None = None,
) -> Bundle:
    """Train every task of which at least one passage is coded, on all labelled passages.

    `unlabelled` texts, more than MIN_UNLABELLED of them, teach what words go together; an `audit` sample, with an
    `inclusion_probability` a passage, resets thresholds and probabilities to its prevalence. Raises UsageError if no
    passage is coded at all, for fewer unlabelled texts, and for an audit that doesn't fit (`prevalence_for` says when);
    DataError for an audit without inclusion probabilities.
    """
    settings = settings or TrainingSettings()
    tasks = dataset.coded_tasks()
    if not tasks:
        raise UsageError("no passage is coded for any task; label some passages first")
    unlabelled = usable_unlabelled(unlabelled, dataset.texts)
    prevalence = prevalence_for(audit, tasks, settings)
    bundled, summary = {}, {}
    for task in tasks:
        shares = prevalence.get(task.name)
        bundled[task.name], summary[task.name] = _train_task(dataset, task, settings, unlabelled, shares)
    used = unlabelled if any(settings.of(task).uses_unlabelled for task in tasks) else []
    return Bundle(
        codebook=dataset.codebook,
        tasks=bundled,
        settings=settings.to_dict(),
        data={**_data_facts(dataset, used), "prevalence_from": audit_facts(audit, prevalence) if audit else None},
        summary=summary,
        versions=versions(),
        seed=settings.seed,
    )


def _train_task(
    dataset: Dataset,
    task: Task,
    settings: TrainingSettings,
    unlabelled: Sequence[str],
    prevalence: FloatArray | None,
) -> tuple[BundledTask, dict[str, object]]:
    """One task learnt from every coded passage, and the summary of it."""
    chosen, gold, rows = settings.of(task), dataset.gold(task), np.arange(len(dataset.passages))
    counted = count_for(task, dataset.texts, chosen, unlabelled=unlabelled, seed=settings.seed)
    fitted = fit_task(counted, gold, dataset.groups, rows, task, chosen, settings.seed, prevalence)
    bundled = BundledTask(
        scorer=fold_scorer(fitted),
        decision=fitted.decision,
        term_rule=fit_term_rule(counted, gold, rows, task, chosen, prevalence),
        in_passages=tuple(fit.in_passages for fit in fitted.weights.fits),
        rule_based=tuple(name for name, is_ruled in zip(task.label_names, fitted.ruled, strict=True) if is_ruled),
    )
    return bundled, _summary(task, dataset, gold, fitted, chosen)


def _data_facts(dataset: Dataset, unlabelled: Sequence[str]) -> dict[str, object]:
    """What a manifest says of the passages and the unlabelled texts that were learnt from."""
    return {
        "sha256": dataset.sha256,
        "n_passages": len(dataset.passages),
        "n_events": len(dataset.event_names),
        "origins": dataset.counts_of("origin"),
        "coders": dataset.counts_of("coder"),
        "text_hashes": sorted(set(dataset.text_hashes)),
        "n_unlabelled": len(unlabelled),
        "unlabelled_sha256": sha256_of_texts(unlabelled),
    }


def usable_unlabelled(texts: Sequence[str], labelled: Sequence[str]) -> list[str]:
    """Each text once, without those of labelled passages, which some fold holds out.

    Raises UsageError if there are texts, but too few to learn from.
    """
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(hash_text(text), text)
    for text in labelled:
        first.pop(hash_text(text), None)
    found = list(first.values())
    if texts and len(found) <= MIN_UNLABELLED:
        n_others = len(texts) - len(found)
        others = f" beside {n_others} that are labelled, or stand there twice" if n_others else ""
        raise UsageError(
            f"found {how_many(len(found), 'unlabelled text')}{others}; expected more than {MIN_UNLABELLED}, or none"
        )
    return found


def _summary(
    task: Task, dataset: Dataset, gold: TaskGold, fitted: FittedTask, settings: TaskSettings
) -> dict[str, object]:
    """Support and out-of-fold F1 a label; the thresholds were fitted on the same scores, so `evaluate` is the judge.

    And what was chosen, where there was a search and events enough for it.
    """
    coded, is_searched = gold.coded, bool(settings.search) and fitted.is_cross_fitted
    predicted = fitted.decision.decide(*fitted.held_out)[1]
    one_group = np.zeros(int(coded.sum()), dtype=np.int64)
    values = f1(grouped_counts(gold.gold[coded], predicted, gold.known[coded], one_group)[0])
    facts = zip(task.label_names, gold.support.tolist(), gold.events_with(dataset.groups).tolist(), values, strict=True)
    return {
        "is_cross_fitted": fitted.is_cross_fitted,
        **({"chosen": {key: getattr(fitted.settings, key) for key in settings.search}} if is_searched else {}),
        "labels": {
            name: {"support": support, "events": events, "f1": None if np.isnan(value) else round(float(value), 4)}
            for name, support, events, value in facts
        },
    }


def versions() -> dict[str, str]:
    """The releases that a result depends on."""
    names = ("classify-passages", "numpy", "scipy", "scikit-learn", "snowballstemmer")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}

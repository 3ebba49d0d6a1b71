"""Hold out whole events, learn everything from the rest, and predict what was held out: every system side by side."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from classify.codebook import Task
from classify.data.dataset import Dataset, TaskGold
from classify.data.splits import grouped_folds
from classify.evaluation.results import MODEL, PLAIN, PRIOR, TERMS, HeldOut
from classify.learn.features import CountedTexts
from classify.learn.settings import PLAIN as PLAIN_SETTINGS
from classify.learn.settings import TaskSettings
from classify.learn.thresholds import fit_decision
from classify.learn.training import count_for, fit_task, fit_term_rule
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.scorer.decisions import DecisionRule

System = Callable[[IntArray, IntArray], tuple[DecisionRule, FloatArray, BoolArray]]
"""Learns from training rows; gives its decision rule, and scores and evidence of test rows."""


def outer_folds(dataset: Dataset, *, n_folds: int, seed: int) -> IntArray:
    """A fold number for every passage, shape (n_passages,), the labels of all tasks spread evenly."""
    gold = np.hstack([dataset.gold(task).gold for task in dataset.codebook.tasks])
    return grouped_folds(gold, dataset.groups, n_folds=n_folds, seed=seed)


def hold_out(
    dataset: Dataset,
    task: Task,
    settings: TaskSettings,
    folds: IntArray,
    *,
    seed: int,
    on_step: Callable[[], None] = lambda: None,
) -> dict[str, HeldOut]:
    """Predictions of the model and of every baseline for all passages, each by what was learnt from the other folds.

    Vocabulary, idf, weights, thresholds and calibration are learnt inside the training part, again with whole events
    held out; `on_step` is called after each fold.
    """
    gold = dataset.gold(task)
    counted = count_for(task, dataset.texts, settings)
    plain = count_for(task, dataset.texts, PLAIN_SETTINGS)
    systems: dict[str, System] = {
        MODEL: _learnt(counted, gold, dataset.groups, task, settings, seed),
        PRIOR: _prior(gold, task),
        TERMS: _terms(counted, gold, task),
        PLAIN: _learnt(plain, gold, dataset.groups, task, PLAIN_SETTINGS, seed),
    }
    if not task.has_terms:
        del systems[TERMS]
    parts: dict[str, list[tuple[IntArray, HeldOut]]] = {name: [] for name in systems}
    for fold in np.unique(folds):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        for name, system in systems.items():
            rule, scores, evidence = system(inside, outside)
            parts[name].append((outside, decide(rule, scores, evidence)))
        on_step()
    return {name: _joined(found, len(folds)) for name, found in parts.items()}


def decide(rule: DecisionRule, scores: FloatArray, evidence: BoolArray) -> HeldOut:
    """Scores with what the rule makes of them."""
    probabilities, predicted = rule.decide(scores, evidence)
    thresholds = None if rule.thresholds is None else np.tile(rule.thresholds, (len(scores), 1))
    return HeldOut(scores, probabilities, predicted, thresholds)


def _learnt(
    counted: CountedTexts, gold: TaskGold, groups: IntArray, task: Task, settings: TaskSettings, seed: int
) -> System:
    def system(inside: IntArray, outside: IntArray) -> tuple[DecisionRule, FloatArray, BoolArray]:
        fitted = fit_task(counted, gold, groups, inside, task, settings, seed)
        return fitted.decision, *fitted.weights.score(counted, outside)

    return system


def _terms(counted: CountedTexts, gold: TaskGold, task: Task) -> System:
    def system(inside: IntArray, outside: IntArray) -> tuple[DecisionRule, FloatArray, BoolArray]:
        hits = counted.hits[outside]
        return fit_term_rule(counted, gold, inside, task), hits, np.asarray(hits.any(axis=1))

    return system


def _prior(gold: TaskGold, task: Task) -> System:
    def system(inside: IntArray, outside: IntArray) -> tuple[DecisionRule, FloatArray, BoolArray]:
        rows = inside[gold.coded[inside]]
        constant = np.zeros((len(rows), len(task.labels)))
        return prior_system(fit_decision(task, constant, gold.gold[rows], gold.known[rows]), len(outside))

    return system


def prior_system(rule: DecisionRule, n_passages: int) -> tuple[DecisionRule, FloatArray, BoolArray]:
    """Say the same of every passage: each label's share of the training passages, given where it is above one half."""
    share = np.clip(rule.prior, 1e-6, 1 - 1e-6)
    same = replace(
        rule,
        slope=np.zeros_like(share),
        intercept=np.log(share / (1 - share)),
        thresholds=None if rule.thresholds is None else np.full_like(share, 0.5),
    )
    return same, np.tile(rule.prior, (n_passages, 1)), np.ones(n_passages, dtype=np.bool_)


def _joined(parts: Sequence[tuple[IntArray, HeldOut]], n_passages: int) -> HeldOut:
    order = np.argsort(np.concatenate([rows for rows, _ in parts]), kind="stable")
    assert len(order) == n_passages
    thresholds = [held.thresholds for _, held in parts if held.thresholds is not None]
    return HeldOut(
        scores=np.concatenate([held.scores for _, held in parts])[order],
        probabilities=np.concatenate([held.probabilities for _, held in parts])[order],
        predicted=np.concatenate([held.predicted for _, held in parts])[order],
        thresholds=np.concatenate(thresholds)[order] if thresholds else None,
    )

"""Hold out whole events, learn everything from the rest, and predict what was held out: every system side by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from classify.codebook import Task
from classify.data.dataset import Dataset, TaskGold
from classify.data.splits import MAX_FOLDS
from classify.evaluation.heldout import MODEL, PLAIN, PRIOR, TERMS, Decidable, HeldOut, Mistake
from classify.evaluation.labelwords import FoldWords, words_of_fold
from classify.evaluation.mistakes import find_mistakes
from classify.evaluation.schemes import Split
from classify.evaluation.work import Job, cost_of
from classify.learn.features import CountedTexts
from classify.learn.settings import PLAIN as PLAIN_SETTINGS
from classify.learn.settings import TaskSettings
from classify.learn.thresholds import fit_decision
from classify.learn.training import fit_task, fit_term_rule, fold_scorer
from classify.learn.weights import count_for
from classify.measure.arrays import BoolArray, FloatArray
from classify.scorer.decisions import DecisionRule


@dataclass(frozen=True)
class Part:
    """What one system said of one split's held-out passages; mistakes among them worth reading; the words it learnt."""

    held: HeldOut
    mistakes: tuple[Mistake, ...] = ()
    words: FoldWords | None = None


@dataclass(frozen=True)
class System:
    """A way to predict: learns from a split's inside and predicts its outside; `cost` is that of one split."""

    name: str
    predict: Callable[[Split], Part]
    cost: float = 0.0


@dataclass(frozen=True)
class Predicted:
    """Each system's predictions by name, the model's mistakes, and what each fold's model made of words."""

    systems: Mapping[str, HeldOut] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()
    words: tuple[FoldWords, ...] = ()


def systems_for(
    dataset: Dataset, task: Task, settings: TaskSettings, counted: CountedTexts, *, seed: int
) -> list[System]:
    """The model and every baseline of a task; `counted` are the dataset's texts, as `count_for` counts them.

    Vocabulary, idf, weights, thresholds and calibration are learnt inside a split, again with whole events held out.
    """
    gold = dataset.gold(task)
    plain_settings = replace(PLAIN_SETTINGS, thresholds=settings.thresholds)
    plain = count_for(task, dataset.texts, plain_settings)
    learnt = partial(_learnt, dataset, task, gold, seed=seed)
    systems = [
        System(MODEL, partial(learnt, counted, settings, explained=True), _cost(counted, settings)),
        System(PRIOR, partial(_prior, task, gold)),
        System(PLAIN, partial(learnt, plain, plain_settings, explained=False), _cost(plain, plain_settings)),
    ]
    if task.has_terms:
        systems.insert(2, System(TERMS, partial(_terms, task, gold, counted, settings)))
    return systems


def jobs_of(systems: Sequence[System], splits: Sequence[Split]) -> list[Job[Part]]:
    """One job for each system and split, in that order."""
    return [Job(partial(system.predict, split), system.cost) for system in systems for split in splits]


def join_parts(systems: Sequence[System], splits: Sequence[Split], parts: Sequence[Part]) -> Predicted:
    """What the jobs of `jobs_of` gave: each system's predictions in the order of their rows, and the rest."""
    order = np.argsort(np.concatenate([split.outside for split in splits]), kind="stable")
    held = {}
    for number, system in enumerate(systems):
        of_system = [part.held for part in parts[number * len(splits) : (number + 1) * len(splits)]]
        held[system.name] = HeldOut.join(of_system, order)
    mistakes = tuple(mistake for part in parts for mistake in part.mistakes)
    return Predicted(held, mistakes, tuple(part.words for part in parts if part.words))


def decide(rule: DecisionRule, scores: FloatArray, evidence: BoolArray) -> HeldOut:
    """Scores with what the rule makes of them."""
    probabilities, predicted = rule.decide(scores, evidence)
    thresholds = None if rule.thresholds is None else np.tile(rule.thresholds, (len(scores), 1))
    return HeldOut(scores, probabilities, predicted, thresholds, rule.certainty(probabilities))


def decidable(rule: DecisionRule, scores: FloatArray, evidence: BoolArray, lowest: FloatArray) -> Decidable:
    """What thresholds were chosen by, `lowest` (n_labels,) bounding those of the scores, as log-odds."""
    bounded = np.isfinite(lowest)
    bounds = np.where(bounded, np.where(bounded, lowest, 0.0) * rule.slope + rule.intercept, lowest)
    return Decidable(scores * rule.slope + rule.intercept, np.tile(bounds, (len(scores), 1)), evidence)


def _learnt(
    dataset: Dataset,
    task: Task,
    gold: TaskGold,
    counted: CountedTexts,
    settings: TaskSettings,
    split: Split,
    *,
    seed: int,
    explained: bool,
) -> Part:
    fitted = fit_task(counted, gold, dataset.groups, split.inside, task, settings, seed)
    scores, evidence = fitted.weights.score(fitted.counted, split.outside)
    held = decide(fitted.decision, scores, evidence)
    if not explained:
        return Part(held)
    if task.is_multilabel:
        held = replace(held, decidable=decidable(fitted.decision, scores, evidence, fitted.lowest))
    passages = [dataset.passages[row] for row in split.outside]
    mistakes = find_mistakes(task, passages, gold.of(split.outside), held, partial(fold_scorer, fitted))
    return Part(held, mistakes, words_of_fold(fitted, dataset.groups, split.inside[gold.coded[split.inside]]))


def _terms(task: Task, gold: TaskGold, counted: CountedTexts, settings: TaskSettings, split: Split) -> Part:
    hits = counted.hits[split.outside]
    rule = fit_term_rule(counted, gold, split.inside, task, settings)
    return Part(decide(rule, hits, np.asarray(hits.any(axis=1))))


def _prior(task: Task, gold: TaskGold, split: Split) -> Part:
    rows = split.inside[gold.coded[split.inside]]
    constant = np.zeros((len(rows), len(task.labels)))
    rule = fit_decision(task, constant, gold.gold[rows], gold.known[rows])
    return Part(decide(*prior_system(rule, len(split.outside))))


def prior_system(rule: DecisionRule, n_passages: int) -> tuple[DecisionRule, FloatArray, BoolArray]:
    """Say the same of every passage: the rule's prior of each label, given where it is above one half."""
    share = np.clip(rule.prior, 1e-6, 1 - 1e-6)
    same = replace(
        rule,
        slope=np.zeros_like(share),
        intercept=np.log(share / (1 - share)),
        thresholds=None if rule.thresholds is None else np.full_like(share, 0.5),
        shift=None,
    )
    return same, np.tile(rule.prior, (n_passages, 1)), np.ones(n_passages, dtype=np.bool_)


def _cost(counted: CountedTexts, settings: TaskSettings) -> float:
    """Of one split's fits: one on its inside, and one for each inner fold and candidate."""
    return cost_of(counted, n_fits=1 + MAX_FOLDS * len(settings.candidates))

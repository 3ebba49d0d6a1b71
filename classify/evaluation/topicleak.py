"""Does a task of style know style, or has it learnt the topic? What style and content tell alone, topics left out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from classify.codebook import Task
from classify.data.dataset import Dataset, TaskGold
from classify.evaluation.heldout import MODEL
from classify.evaluation.measures import macro_f1_of
from classify.evaluation.results import CONTENT, STYLE, TopicLeak
from classify.evaluation.schemes import Split
from classify.evaluation.verdicts import evaluable_labels
from classify.evaluation.work import Job, cost_of
from classify.learn.features import CountedTexts
from classify.learn.settings import TaskSettings
from classify.learn.solver import fit_linear
from classify.learn.training import count_for, fit_weights
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.intervals import Estimate, estimate_from_counts, jackknife_groups
from classify.measure.scores import grouped_counts


@dataclass(frozen=True)
class Part:
    """The label that each system would give the rows of one split, and whether their topic was left out as well."""

    rows: IntArray
    is_without_topic: bool
    chosen: dict[str, IntArray]


@dataclass(frozen=True)
class _Topics:
    """The topics of a dataset: their `names`, and one topic a passage, shape (n_passages,).

    `of_passage` is the rarest topic it carries, -1 for none; `is_without` says who surely doesn't carry a topic, shape
    (n_passages, n_topics).
    """

    names: tuple[str, ...]
    is_without: BoolArray
    of_passage: IntArray


def leak_jobs(
    dataset: Dataset, task: Task, settings: TaskSettings, counted: CountedTexts, splits: Sequence[Split]
) -> list[Job[Part]]:
    """The fits that the check needs: every split as it is, then every topic, held out with the events that tell of it.

    None for a task without a style block, or where no task of the dataset says what passages are about. A topic without
    which some label can't be learnt is not looked at.
    """
    topics = _topics(dataset, task)
    if task.is_multilabel or not settings.style_weight or topics is None:
        return []
    whole = settings.fixed
    alone = replace(whole, word_ngrams=(1, 1), char_ngrams=None, drop_stop_words=True, hit_weight=0.0, style_weight=0.0)
    gold, held_out = dataset.gold(task), np.concatenate([split.outside for split in splits])
    content = count_for(task, dataset.texts, alone)
    choose = partial(_part, gold, (whole, counted.only(whole.blocks(task))), (alone, content))
    usable = gold.coded & (topics.of_passage >= 0) & np.isin(np.arange(len(gold.coded)), held_out)
    may_learn = np.ones(len(usable), dtype=np.bool_)
    if len(splits) == 1:  # a part that is held out is not learnt from here either
        may_learn[splits[0].outside] = False
    left_out: list[tuple[IntArray, IntArray]] = []
    for topic in np.unique(topics.of_passage[usable]):
        outside = np.flatnonzero(usable & (topics.of_passage == topic))
        is_near = np.isin(dataset.groups, dataset.groups[outside])
        inside = np.flatnonzero(may_learn & gold.coded & topics.is_without[:, topic] & ~is_near)
        if (gold.gold[inside].any(axis=0) | ~gold.gold[outside].any(axis=0)).all() and len(inside):
            left_out.append((inside, outside))
    judged = np.isin(np.arange(len(usable)), np.concatenate([np.zeros(0, dtype=np.int64), *(o for _, o in left_out)]))
    if not judged.any():
        return []
    known = [(split.inside, split.outside[judged[split.outside]]) for split in splits]
    jobs = [partial(choose, *rows, False) for rows in known] + [partial(choose, *rows, True) for rows in left_out]
    return [Job(job, cost_of(counted)) for job in jobs]


def _topics(dataset: Dataset, task: Task) -> _Topics | None:
    """The evaluable labels of the first coded task with any number of labels; None for fewer than two."""
    found = next((other for other in dataset.coded_tasks() if other.is_multilabel and other is not task), None)
    if found is None:
        return None
    gold = dataset.gold(found)
    columns = np.flatnonzero(evaluable_labels(gold, dataset.groups))
    if len(columns) < 2:
        return None
    carries = (gold.gold & gold.known)[:, columns]
    rarest = np.where(carries, gold.support[columns], np.inf).argmin(axis=1)
    names = tuple(found.label_names[column] for column in columns)
    is_without = (~gold.gold & gold.known)[:, columns]
    return _Topics(names, is_without, np.where(carries.any(axis=1), rarest, -1))


def _part(
    gold: TaskGold,
    whole: tuple[TaskSettings, CountedTexts],
    content: tuple[TaskSettings, CountedTexts],
    inside: IntArray,
    outside: IntArray,
    is_without_topic: bool,
) -> Part:
    """The label of the highest score by each system: nothing is calibrated, so that no inner folds are needed."""
    inside = inside[gold.coded[inside]]
    scores = {STYLE: _style_scores(gold, *whole, inside, outside)}
    for name, (settings, counted) in ((CONTENT, content), (MODEL, whole)):
        (weights,) = fit_weights(counted, gold, inside, [settings])
        scores[name] = weights.score(counted, outside)[0]
    return Part(outside, is_without_topic, {name: found.argmax(axis=1) for name, found in scores.items()})


def _style_scores(
    gold: TaskGold, settings: TaskSettings, counted: CountedTexts, inside: IntArray, outside: IntArray
) -> FloatArray:
    """Scores by the style rates alone, standardised on the inside."""
    from scipy import sparse

    rates = counted.counted[:, counted.counter.n_labels :]
    deviation = rates[inside].std(axis=0)
    scaled = (rates - rates[inside].mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    scores = np.full((len(outside), gold.gold.shape[1]), -np.inf)
    learnt = gold.gold[inside].any(axis=0) & ~gold.gold[inside].all(axis=0)
    target, weight = gold.gold[inside][:, learnt], gold.known[inside][:, learnt].astype(float)
    ((weights, intercept),) = fit_linear(sparse.csr_array(scaled[inside]), target, weight, [1.0], loss=settings.loss)
    scores[:, learnt] = scaled[outside] @ weights + intercept
    return scores


def judge_leak(dataset: Dataset, task: Task, parts: Sequence[Part]) -> TopicLeak | None:
    """What the parts of `leak_jobs` come to: macro-F1 of each system with topics known, left out, and the difference.

    Both are measured on the same passages, those with a topic.
    """
    topics = _topics(dataset, task)
    if not parts or topics is None:
        return None
    rows = np.sort(np.concatenate([part.rows for part in parts if not part.is_without_topic]))
    gold = dataset.gold(task).of(rows)
    groups = jackknife_groups(np.unique(dataset.groups[rows], return_inverse=True)[1])
    evaluable = evaluable_labels(gold, groups)
    if not evaluable.any():
        return None
    macro_f1 = {}
    for name in (STYLE, CONTENT, MODEL):
        counts = [
            grouped_counts(gold.gold, _predicted(parts, name, rows, len(task.labels), left_out), gold.known, groups)
            for left_out in (False, True)
        ]
        macro_f1[name] = _both_and_loss(counts[0], counts[1], evaluable)
    return TopicLeak(topics.names, len(rows), macro_f1)


def _predicted(parts: Sequence[Part], system: str, rows: IntArray, n_labels: int, is_without_topic: bool) -> BoolArray:
    chosen = np.full(int(max(part.rows.max(initial=0) for part in parts)) + 1, -1)
    for part in parts:
        if part.is_without_topic is is_without_topic:
            chosen[part.rows] = part.chosen[system]
    return np.asarray(np.arange(n_labels) == chosen[rows][:, None])


def _both_and_loss(
    known: FloatArray, left_out: FloatArray, evaluable: BoolArray
) -> tuple[Estimate, Estimate, Estimate]:
    macro = macro_f1_of(evaluable)

    def loss(counts: FloatArray) -> FloatArray:
        before, after = np.moveaxis(counts, -3, 0)
        return np.asarray(macro(before) - macro(after))

    both = estimate_from_counts(known, macro), estimate_from_counts(left_out, macro)
    return (*both, estimate_from_counts(np.stack([known, left_out], axis=1), loss, lowest=-1.0))

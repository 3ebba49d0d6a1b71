"""Does a task of style know style, or has it learnt the topic? What style and content tell alone, topics left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from classify.codebook import Task
from classify.data.dataset import Dataset, TaskGold
from classify.evaluation.heldout import MODEL
from classify.evaluation.measures import macro_f1_difference, macro_f1_of
from classify.evaluation.results import CONTENT, STYLE, TopicLeak
from classify.evaluation.schemes import Scheme
from classify.evaluation.verdicts import evaluable_labels
from classify.evaluation.work import Job, cost_of
from classify.learn.features import CountedTexts, count_texts
from classify.learn.settings import TaskSettings
from classify.learn.weights import counts_for, fit_weights
from classify.measure.arrays import BoolArray, IntArray
from classify.measure.intervals import estimate_from_counts, jackknife_groups
from classify.measure.scores import grouped_counts
from classify.scorer.linear import Counter
from classify.scorer.style import StyleCounter
from classify.scorer.tokens import STOP_WORDS, BlockSettings, words_of


@dataclass(frozen=True)
class Part:
    """The label that each system would give the rows of one split, or of one `topic` that it had not seen."""

    rows: IntArray
    topic: str | None
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
    dataset: Dataset, task: Task, settings: TaskSettings, counted: CountedTexts, plan: Scheme
) -> list[Job[Part]]:
    """The fits that the check needs: every split as it is, then every topic, held out with the events that tell of it.

    None for a task without a style block (among the candidates of a search: where none has it), or where no task of the
    dataset says what passages are about. A topic without which some label can't be learnt is not looked at. The model
    is learnt with the settings as they are before a search.
    """
    if task.is_multilabel or not any(candidate.style_weight for candidate in settings.candidates):
        return []
    topics = _topics(dataset)
    if topics is None:
        return []
    gold, n = dataset.gold(task), len(dataset.passages)
    is_judged, may_learn = np.zeros(n, dtype=np.bool_), gold.coded.copy()
    is_judged[np.concatenate([split.outside for split in plan.splits])] = True
    if plan.is_block:  # a part that is held out is not learnt from here either
        may_learn &= ~is_judged
    left_out: list[tuple[str, IntArray, IntArray]] = []
    for number, name in enumerate(topics.names):
        outside = np.flatnonzero(is_judged & gold.coded & (topics.of_passage == number))
        is_near = np.isin(dataset.groups, dataset.groups[outside])
        inside = np.flatnonzero(may_learn & topics.is_without[:, number] & ~is_near)
        if len(outside) and len(inside) and (gold.gold[inside].any(axis=0) | ~gold.gold[outside].any(axis=0)).all():
            left_out.append((name, inside, outside))
    if not left_out:
        return []
    judged = np.concatenate([outside for _, _, outside in left_out])
    known = [(None, split.inside, split.outside[np.isin(split.outside, judged)]) for split in plan.splits]
    part = partial(_part, gold, _systems(dataset, task, settings.fixed, counted))
    return [Job(partial(part, *asked), cost_of(counted)) for asked in [*known, *left_out] if len(asked[2])]


def _topics(dataset: Dataset) -> _Topics | None:
    """The evaluable labels of the first coded task with any number of labels; None for fewer than two."""
    found = next((task for task in dataset.coded_tasks() if task.is_multilabel), None)
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


def _systems(
    dataset: Dataset, task: Task, settings: TaskSettings, counted: CountedTexts
) -> dict[str, tuple[TaskSettings, CountedTexts]]:
    """Each system's settings and what it counts: standardised style rates, words that carry content, and everything."""
    style = replace(settings, C=1.0, hit_weight=0.0, style_weight=1.0)
    pale = STOP_WORDS | _words_of_style(dataset.texts, counted.counter.style)
    words = BlockSettings("word", (1, 1), settings.min_df, settings.stem, settings.sublinear_tf, pale)
    return {
        STYLE: (style, counted.only(())),
        CONTENT: (replace(settings, hit_weight=0.0), count_texts(dataset.texts, [words], Counter(task, {}))),
        MODEL: (settings, counts_for(counted, task, settings)),
    }


def _words_of_style(texts: Sequence[str], style: StyleCounter) -> frozenset[str]:
    """Those words of the texts that by themselves count towards a style rate; the codebook's terms among them too."""
    words = {word for text in texts for word in words_of(text)}
    return frozenset(word for word in words if style.counts_word(word))


def _part(
    gold: TaskGold,
    systems: Mapping[str, tuple[TaskSettings, CountedTexts]],
    topic: str | None,
    inside: IntArray,
    outside: IntArray,
) -> Part:
    """The label of the highest score by each system: nothing is calibrated, so that no inner folds are needed."""
    inside = inside[gold.coded[inside]]
    chosen = {}
    for name, (settings, counted) in systems.items():
        (weights,) = fit_weights(counted, gold, inside, [settings])
        chosen[name] = weights.score(counted, outside)[0].argmax(axis=1)
    return Part(outside, topic, chosen)


def judge_leak(dataset: Dataset, task: Task, parts: Sequence[Part]) -> TopicLeak | None:
    """What the parts of `leak_jobs` come to: macro-F1 of each system with topics known, left out, and the difference.

    Both are measured on the same passages, those with a topic.
    """
    known, left_out = [part for part in parts if part.topic is None], [part for part in parts if part.topic is not None]
    if not parts:
        return None
    rows = np.sort(np.concatenate([part.rows for part in known]))
    gold = dataset.gold(task).of(rows)
    groups = jackknife_groups(np.unique(dataset.groups[rows], return_inverse=True)[1])
    evaluable = evaluable_labels(gold, groups)
    if not evaluable.any():
        return None
    macro_f1 = {}
    for name in (STYLE, CONTENT, MODEL):
        before, after = (
            grouped_counts(gold.gold, _predicted(of, name, len(task.labels)), gold.known, groups)
            for of in (known, left_out)
        )
        macro_f1[name] = (
            estimate_from_counts(before, macro_f1_of(evaluable)),
            estimate_from_counts(after, macro_f1_of(evaluable)),
            macro_f1_difference(before, after, evaluable),
        )
    return TopicLeak(tuple(part.topic for part in left_out if part.topic), len(rows), macro_f1)


def _predicted(parts: Sequence[Part], system: str, n_labels: int) -> BoolArray:
    """What the system gave the rows of all parts, in their order; shape (n_rows, n_labels)."""
    chosen = np.concatenate([part.chosen[system] for part in parts])
    order = np.argsort(np.concatenate([part.rows for part in parts]))
    return np.asarray(np.arange(n_labels) == chosen[order][:, None])

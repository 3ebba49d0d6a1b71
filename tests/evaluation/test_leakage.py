"""Leakage: nothing of a held-out event reaches what is learnt, and the tests that say so fail where it does.

L1 to L5 as the methods of this project number them.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from classify.codebook import Codebook, Label, Task, TaskKind
from classify.data.annotations import LabelledPassage
from classify.data.dataset import Dataset, make_dataset
from classify.data.events import find_events
from classify.evaluation.audit import NullBand, SplitAudit, audit_splits
from classify.evaluation.crossval import jobs_of, join_parts, systems_for
from classify.evaluation.heldout import MODEL, HeldOut
from classify.evaluation.schemes import EVENT_FOLDS, outer_folds, over_events, splits_of
from classify.evaluation.work import run_jobs
from classify.learn.features import MIN_UNLABELLED, BlockFit, CountedBlock, Matrix, fit_block, tfidf
from classify.learn.settings import FRAMING_DEFAULTS, THEME_DEFAULTS
from classify.learn.thresholds import fit_decision
from classify.learn.training import FittedTask, fit_task, fold_scorer
from classify.learn.weights import count_for
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.scorer.decisions import DecisionRule

SETTINGS = {"theme": THEME_DEFAULTS, "framing": replace(FRAMING_DEFAULTS, char_ngrams=(2, 4))}
N_FOLDS = 3
N_EVENTS, N_PASSAGES = 20, 4
TOPIC = Task("topic", TaskKind.MULTILABEL, (Label("marked"),))
BOOK = Codebook("generated", (TOPIC,))
BACKGROUND = [
    f"ships{n} cross number{n % 7} sea{n % 31} calm{n % 13} trade{n * n % 17}" for n in range(MIN_UNLABELLED + 10)
]
"""Texts without labels, of over MIN_UNLABELLED words."""


@pytest.fixture(scope="module")
def folds(toy_dataset: Dataset) -> IntArray:
    return outer_folds(toy_dataset, n_folds=N_FOLDS, seed=0)


@pytest.fixture(scope="module")
def before(toy_dataset: Dataset, folds: IntArray) -> dict[str, dict[str, HeldOut]]:
    """What every system says of the toy corpus as it is, by task."""
    return {task: held_out(toy_dataset, task, folds) for task in SETTINGS}


def held_out(dataset: Dataset, task: str, folds: IntArray) -> dict[str, HeldOut]:
    asked, splits = dataset.codebook[task], splits_of(folds)
    counted = count_for(asked, dataset.texts, SETTINGS[task])
    systems = systems_for(dataset, asked, SETTINGS[task], counted, seed=0)
    return dict(join_parts(systems, splits, run_jobs(jobs_of(systems, splits), lambda done, total: None)).systems)


def parts(held: Mapping[str, HeldOut], rows: BoolArray) -> dict[str, list[object]]:
    """Everything every system said of these rows, to the last bit."""
    return {
        system: [
            array[rows].tolist()
            for array in (found.scores, found.probabilities, found.predicted, found.thresholds, found.certainty)
            if array is not None
        ]
        for system, found in held.items()
    }


def learnt(fitted: FittedTask) -> list[object]:
    """Everything a fitted task holds, to the last bit."""
    weights, rule = fitted.weights, fitted.decision
    arrays = [
        *weights.of_blocks,
        weights.counted,
        weights.usual,
        weights.intercept,
        rule.slope,
        rule.intercept,
        rule.prior,
    ]
    features = [part.tolist() for fit in weights.fits for part in (fit.columns, fit.idf)]
    return [
        *features,
        *(array.tolist() for array in arrays),
        None if rule.thresholds is None else list(rule.thresholds),
    ]


def with_texts(dataset: Dataset, added: Mapping[int, str]) -> Dataset:
    passages = [replace(p, text=p.text + added.get(row, "")) for row, p in enumerate(dataset.passages)]
    return make_dataset(passages, dataset.codebook)


def with_flipped_labels(dataset: Dataset, rows: BoolArray) -> Dataset:
    """The labels of these rows turned into those they did not have; each task has rows of both kinds."""

    def flipped(passage: LabelledPassage, flip: bool) -> LabelledPassage:
        others = {t.name: frozenset(t.label_names) - (passage.labels[t.name] or set()) for t in dataset.codebook.tasks}
        return replace(passage, labels=others if flip else passage.labels)

    pairs = zip(dataset.passages, rows.tolist(), strict=True)
    return make_dataset([flipped(passage, flip) for passage, flip in pairs], dataset.codebook)


# L3: a token that stands only in held-out positives


@pytest.mark.parametrize("task", ["theme", "framing"])
@pytest.mark.parametrize("fold", range(N_FOLDS))
def test_a_token_that_stands_only_in_held_out_positives_changes_no_held_out_score(
    task: str, fold: int, toy_dataset: Dataset, folds: IntArray, before: Mapping[str, Mapping[str, HeldOut]]
) -> None:
    rows = folds == fold
    positives = np.flatnonzero(rows & toy_dataset.gold(toy_dataset.codebook[task]).gold[:, 0])
    poisoned = with_texts(toy_dataset, dict.fromkeys(positives.tolist(), " Жжж"))
    after, expected = held_out(poisoned, task, folds), by_models_that_never_saw_it(toy_dataset, poisoned, task, rows)
    assert len(positives) > 0
    for system, found in before[task].items():
        scores, probabilities = expected if system == MODEL else (found.scores[rows], found.probabilities[rows])
        np.testing.assert_allclose(after[system].scores[rows], scores, rtol=0, atol=1e-12)
        np.testing.assert_allclose(after[system].probabilities[rows], probabilities, rtol=0, atol=1e-12)
    assert parts(after, ~rows)[MODEL] != parts(before[task], ~rows)[MODEL]


def by_models_that_never_saw_it(
    dataset: Dataset, poisoned: Dataset, task: str, rows: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Scores and probabilities of the poisoned texts by a model of the texts as they were.

    A word more changes the rates of style in the text itself, by whatever model; nothing else may change.
    """
    asked = dataset.codebook[task]
    counted, inside = count_for(asked, dataset.texts, SETTINGS[task]), np.flatnonzero(~rows)
    fitted = fit_task(counted, dataset.gold(asked), dataset.groups, inside, asked, SETTINGS[task], 0)
    scores, evidence = fold_scorer(fitted).score([poisoned.texts[row] for row in np.flatnonzero(rows)])
    return scores, fitted.decision.probabilities(scores, evidence)


# L4: which rows each step of learning is given


class Spy:
    """What the steps of learning were given, besides whole texts: rows of the counts, and labels."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fitted_on: list[list[int]] = []
        self.features_of: list[list[int]] = []
        self.decided_on: list[int] = []

        def fit_block_spied(block: CountedBlock, rows: IntArray) -> BlockFit:
            self.fitted_on.append(rows.tolist())
            return fit_block(block, rows)

        def tfidf_spied(block: CountedBlock, fit: BlockFit, rows: IntArray) -> Matrix:
            self.features_of.append(rows.tolist())
            return tfidf(block, fit, rows)

        def fit_decision_spied(task: Task, scores: FloatArray, *args: Any, **kwargs: Any) -> DecisionRule:
            self.decided_on.append(len(scores))
            return fit_decision(task, scores, *args, **kwargs)

        monkeypatch.setattr("classify.learn.weights.fit_block", fit_block_spied)
        monkeypatch.setattr("classify.learn.weights.tfidf", tfidf_spied)
        monkeypatch.setattr("classify.learn.training.fit_decision", fit_decision_spied)


@pytest.mark.parametrize("task", ["theme", "framing"])
@pytest.mark.parametrize("fold", range(N_FOLDS))
def test_no_step_of_learning_is_given_a_held_out_row(
    task: str, fold: int, toy_dataset: Dataset, folds: IntArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, inside = toy_dataset.codebook[task], np.flatnonzero(folds != fold)
    settings = replace(SETTINGS[task], codebook_weight=1.0, search={"C": (0.5, 1.0)})
    counted = count_for(asked, toy_dataset.texts, settings, unlabelled=BACKGROUND)
    block, spy = counted.blocks[0], Spy(monkeypatch)
    fit_task(counted, toy_dataset.gold(asked), toy_dataset.groups, inside, asked, settings, 0)
    assert spy.decided_on == [len(inside)]
    assert spy.fitted_on.count(inside.tolist()) == len(counted.blocks)  # the task itself; the rest are inner folds
    assert len(spy.fitted_on) > len(counted.blocks)
    assert {row for rows in spy.fitted_on for row in rows} == set(inside.tolist())
    may_be_read = {*inside.tolist(), *block.codebook.tolist()}
    assert {row for rows in spy.features_of for row in rows} <= may_be_read


def test_axes_are_those_of_the_unlabelled_texts_alone(toy_dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    task, seen = toy_dataset.codebook["theme"], []

    def tfidf_spied(block: CountedBlock, fit: BlockFit, rows: IntArray) -> Matrix:
        seen.extend(rows.tolist())
        return tfidf(block, fit, rows)

    def fit_block_spied(block: CountedBlock, rows: IntArray) -> BlockFit:
        seen.extend([*rows.tolist(), *block.codebook.tolist(), *block.unlabelled.tolist()])
        return fit_block(block, rows)

    monkeypatch.setattr("classify.learn.features.tfidf", tfidf_spied)
    monkeypatch.setattr("classify.learn.features.fit_block", fit_block_spied)
    counted = count_for(task, toy_dataset.texts, THEME_DEFAULTS, unlabelled=BACKGROUND)
    n_passages, n_labels = len(toy_dataset.passages), len(task.labels)
    behind = range(n_passages + n_labels, n_passages + n_labels + len(BACKGROUND))
    assert set(seen) == set(behind) == set(counted.blocks[0].unlabelled.tolist())


def test_axes_do_not_change_with_what_the_passages_say(toy_dataset: Dataset) -> None:
    task = toy_dataset.codebook["theme"]
    axes = []
    for texts in (toy_dataset.texts, [text[::-1] for text in toy_dataset.texts]):
        (block,) = count_for(task, texts, THEME_DEFAULTS, unlabelled=BACKGROUND).blocks
        place = {word: number for number, word in enumerate(block.features)}
        words = sorted({word for text in BACKGROUND for word in block.settings.features_of(text)})
        axes.append(block.axes[[place[word] for word in words]])
        assert np.count_nonzero(block.axes.any(axis=1)) <= len(words)
    np.testing.assert_allclose(axes[0], axes[1], rtol=0, atol=1e-9)


# L5: labels of held-out passages


@pytest.mark.parametrize("task", ["theme", "framing"])
@pytest.mark.parametrize("fold", range(N_FOLDS))
def test_labels_of_held_out_passages_change_nothing_that_is_said_of_them(
    task: str, fold: int, toy_dataset: Dataset, folds: IntArray, before: Mapping[str, Mapping[str, HeldOut]]
) -> None:
    rows = folds == fold
    flipped = with_flipped_labels(toy_dataset, rows)
    after = held_out(flipped, task, folds)
    assert parts(after, rows) == parts(before[task], rows)
    assert parts(after, ~rows)[MODEL] != parts(before[task], ~rows)[MODEL]


@pytest.mark.parametrize("task", ["theme", "framing"])
def test_labels_of_held_out_passages_change_nothing_that_is_learnt(
    task: str, toy_dataset: Dataset, folds: IntArray
) -> None:
    asked, settings = toy_dataset.codebook[task], SETTINGS[task]
    counted = count_for(asked, toy_dataset.texts, settings)
    inside, everything = np.flatnonzero(folds != 0), np.arange(len(folds))
    fits = {
        name: [
            learnt(fit_task(counted, dataset.gold(asked), dataset.groups, rows, asked, settings, 0))
            for rows in (inside, everything)
        ]
        for name, dataset in (("before", toy_dataset), ("after", with_flipped_labels(toy_dataset, folds == 0)))
    }
    assert fits["after"][0] == fits["before"][0]
    assert fits["after"][1] != fits["before"][1]


# L1: labels that the texts say nothing of, dealt to whole events


def generated(marked: BoolArray, *, events: str, seed: int = 0) -> Dataset:
    """20 documents of 4 passages that share words of their own; the documents' labels are those of `marked`.

    `events` names the event of each passage: a format of `document` and `passage`.
    """
    rng = np.random.default_rng(seed)
    passages = []
    for document in range(N_EVENTS):
        own = [f"own{document}x{n}" for n in range(10)]
        for passage in range(N_PASSAGES):
            words = [*rng.choice(own, 6), *(f"common{n}" for n in rng.integers(0, 60, 14))]
            identity = events.format(document=document, passage=passage)
            passages.append(
                LabelledPassage(
                    id=f"d{document:02}#{passage}",
                    text=" ".join(rng.permutation(words)),
                    document=identity,
                    event=identity,
                    labels={"topic": frozenset(["marked"] if marked[document] else [])},
                    unsure={},
                )
            )
    return make_dataset(passages, BOOK)


def marked_events() -> BoolArray:
    """Eight of the events, drawn."""
    return np.random.default_rng(1).permutation(np.arange(N_EVENTS) < 8)


def told_by_a_word(seed: int) -> Dataset:
    """Marked events that one word tells from others: it stands in 19 of 20 marked passages, and in 1 of the others."""
    rng = np.random.default_rng(seed)
    dataset = generated(marked_events(), events="e{document}", seed=seed)
    share = {True: 0.95, False: 0.05}
    told = [rng.random() < share["marked" in p.labels["topic"]] for p in dataset.passages]
    return with_texts(dataset, {row: " signal" if is_told else " noise" for row, is_told in enumerate(told)})


@pytest.fixture(scope="module")
def audit() -> SplitAudit:
    return audit_splits(told_by_a_word(0))


def test_permuted_labels_of_whole_events_can_not_be_predicted(audit: SplitAudit) -> None:
    (band,) = audit.null
    assert ("topic", "marked") == (band.task, band.label)
    assert band.mean <= 0.55
    assert band.is_tight


def test_permuted_labels_seem_predictable_where_passages_are_split(audit: SplitAudit) -> None:
    (band,) = audit.null
    assert band.mean_by_passage > 0.9
    assert not NullBand(band.task, band.label, band.mean_by_passage, 0.0, 0.0, 1.0, 1.0).is_tight


# L2: documents that come again under another name


def with_some_dropped(text: str, rng: np.random.Generator) -> str:
    return " ".join(word for word in text.split() if rng.random() >= 0.1)


def test_copies_with_a_tenth_of_the_words_dropped_are_found(own_dataset: Dataset) -> None:
    rng = np.random.default_rng(0)
    texts: dict[str, list[str]] = {}
    for passage in own_dataset.passages:
        texts.setdefault(passage.document, []).append(passage.text)
    copies = {f"copy of {name}": [with_some_dropped(text, rng) for text in found] for name, found in texts.items()}
    events = find_events({**texts, **copies}, {}).of_document
    assert np.mean([events[f"copy of {name}"] == events[name] for name in texts]) >= 0.95


def test_copies_of_held_out_documents_are_held_out_with_them() -> None:
    rng = np.random.default_rng(0)
    dataset = generated(marked_events(), events="e{document}")
    copies = [
        replace(p, id=f"copy-{p.id}", document=f"copy-{p.document}", event=None, text=with_some_dropped(p.text, rng))
        for p in dataset.passages
    ]
    doubled = make_dataset([*dataset.passages, *copies], BOOK)
    plan = over_events(doubled, scheme=EVENT_FOLDS, seed=0)
    fold_of = dict(zip((p.id for p in doubled.passages), plan.folds.tolist(), strict=True))
    assert all(fold_of[f"copy-{p.id}"] == fold_of[p.id] for p in dataset.passages)


def test_copies_of_all_documents_are_found_and_raise_no_score(audit: SplitAudit) -> None:
    before, with_copies, _ = audit.copies.average_precision["topic"]
    assert audit.copies.joined >= 0.95
    assert with_copies - before <= 0.04


def test_copies_that_nobody_looks_for_raise_the_score(audit: SplitAudit) -> None:
    before, _, not_looked_for = audit.copies.average_precision["topic"]
    assert not_looked_for > before + 0.1


def test_copies_hardly_ever_raise_a_score_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classify.evaluation.audit.N_DRAWS", 2)
    assert sum(not audit_splits(told_by_a_word(seed)).copies.is_tight for seed in range(10)) <= 1

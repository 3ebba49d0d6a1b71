"""Training: the weights scikit-learn finds, defined results on thin data, the same bytes whenever it is repeated."""

import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.svm import LinearSVC

from classify.bundle import Bundle, load_bundle
from classify.codebook import Codebook, Label, Task, TaskKind
from classify.data.annotations import LabelledPassage
from classify.data.dataset import Dataset, TaskGold, load_labels, make_dataset
from classify.data.splits import grouped_folds, n_folds_for
from classify.errors import UsageError
from classify.learn.features import MIN_UNLABELLED, TEXTS_AN_AXIS, CountedTexts
from classify.learn.settings import FRAMING_DEFAULTS, PLAIN, THEME_DEFAULTS, TaskSettings, TrainingSettings
from classify.learn.stylewords import style_words
from classify.learn.thresholds import NO_HITS, ThresholdRule, choose_threshold
from classify.learn.training import (
    FittedTask,
    best_candidate,
    fit_task,
    fit_term_rule,
    fold_scorer,
    score_out_of_fold,
    train,
)
from classify.learn.weights import count_for, fit_weights
from classify.measure.arrays import FloatArray, IntArray
from classify.measure.scores import average_precision
from classify.predictor import Predictor
from classify.scorer.decisions import DecisionRule
from classify.scorer.style import StyleCounter
from classify.scorer.terms import TermMatcher
from tests.conftest import TOY_PASSAGES

SMALL = TrainingSettings(multiclass=replace(FRAMING_DEFAULTS, char_ngrams=(2, 3)))
TO_THE_OPTIMUM = 1e-4
"""How far from the optimum a weight of size 1 may be, whichever way the solver went there."""
TWO_LABELS = Task("theme", TaskKind.MULTILABEL, (Label("first"), Label("second")))


def every_row(dataset: Dataset) -> IntArray:
    return np.arange(len(dataset.passages))


def random_texts(n: int, *, seed: int = 0) -> list[str]:
    """Texts that say nothing of anything: 15 words each, drawn from 400."""
    rng = np.random.default_rng(seed)
    return [" ".join(f"word{number}" for number in rng.integers(0, 400, 15)) for _ in range(n)]


def hashes(bundle: Bundle) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in bundle.to_files().items()}


def as_lists(rule: DecisionRule) -> list[list[float]]:
    return [values.tolist() for values in (rule.slope, rule.intercept, rule.prior, rule.thresholds)]


def said_of(task: Task) -> list[str]:
    """What the codebook says of each label but its example, without the stars of its stems."""
    return [
        " ".join([label.name.replace("_", " "), label.definition, *label.terms]).replace("*", "")
        for label in task.labels
    ]


def unfolded(
    task: Task, settings: TaskSettings, inside: list[str], asked: list[str], counted: CountedTexts, *, background: Any
) -> tuple[Any, Any]:
    """Features of the training texts and of those asked for, before anything is folded, as scikit-learn has them.

    The blocks stand first, then cosines to the codebook, axes of the background texts (the directions alone are taken
    from `counted`), hits and standardised style rates.
    """
    said, parts = said_of(task) if settings.codebook_weight else [], []
    for block in settings.blocks(task):
        cut = TfidfVectorizer(analyzer=block.features_of, sublinear_tf=block.sublinear_tf, min_df=block.min_df)
        cut.fit([*inside, *([*said, *background] if block.analyzer == "word" else [])])
        parts.append((cut.transform(inside), cut.transform(asked)))
        if len(parts) == 1 and said:
            cosines_to = settings.codebook_weight * cut.transform(said).T
            parts.append((parts[0][0] @ cosines_to, parts[0][1] @ cosines_to))
        if block.analyzer == "word" and background:
            (found,) = (one for one in counted.blocks if one.settings == block)
            axes = found.axes[[found.features.index(word) for word in cut.get_feature_names_out()]]
            projected = [part @ axes for part in parts[0]]
            length = np.sqrt((projected[0] ** 2).sum(axis=1).mean())
            scale = settings.lsa_weight / length if length > 0 else 0.0
            parts.append((scale * projected[0], scale * projected[1]))
    matcher, style = TermMatcher(task), StyleCounter(style_words() if settings.style_weight else {})
    hits = [np.log1p([matcher.count(text) for text in texts]) for texts in (inside, asked)]
    rates = [np.log1p([style.rates(text) for text in texts]) for texts in (inside, asked)]
    deviation = rates[0].std(axis=0)
    scale_of_rates = settings.style_weight / np.where(deviation > 0, deviation, np.inf)
    parts += [
        tuple(settings.hit_weight * one for one in hits),
        tuple(scale_of_rates * (one - rates[0].mean(axis=0)) for one in rates),
    ]
    first, second = (
        sparse.hstack([sparse.csr_array(one) for one in part]).tocsr() for part in zip(*parts, strict=True)
    )
    return first, second


def model_of(settings: TaskSettings) -> LogisticRegression | LinearSVC:
    """LIBLINEAR in the primal, to the optimum."""
    shared = {
        "C": settings.C,
        "class_weight": "balanced" if settings.balanced else None,
        "tol": 1e-10,
        "max_iter": 10_000,
    }
    if settings.loss == "logistic":
        return LogisticRegression(solver="liblinear", **shared)
    return LinearSVC(dual=False, **shared)


def background_texts(n: int) -> list[str]:
    """Texts without labels that mix words of the toy corpus with others."""
    known = " ".join(text for _, text, *_ in TOY_PASSAGES).split()
    rng = np.random.default_rng(8)
    return [" ".join([*rng.choice(known, 12), *text.split()]) for text in random_texts(n, seed=5)]


BACKGROUND = background_texts(MIN_UNLABELLED + 20)


@pytest.mark.parametrize(
    ("task", "settings", "background"),
    [
        ("theme", THEME_DEFAULTS, []),
        ("theme", THEME_DEFAULTS, random_texts(MIN_UNLABELLED + 20)),
        ("theme", replace(THEME_DEFAULTS, lsa_weight=0.7), BACKGROUND),
        ("theme", replace(THEME_DEFAULTS, loss="logistic", balanced=True, codebook_weight=3.0), []),
        ("theme", replace(THEME_DEFAULTS, style_weight=0.3, char_ngrams=(2, 3)), BACKGROUND),
        ("theme", PLAIN, []),
        ("framing", FRAMING_DEFAULTS, []),
        ("framing", replace(FRAMING_DEFAULTS, style_weight=0.0), []),
        ("framing", replace(FRAMING_DEFAULTS, codebook_weight=0.5, lsa_weight=1.0), BACKGROUND),
    ],
    ids=[
        *("theme", "theme with texts apart", "theme with axes", "logistic theme", "theme with everything", "plain"),
        *("framing", "framing without style", "framing with everything"),
    ],
)
def test_scores_equal_those_of_scikit_learn_before_anything_is_folded(
    task: str, settings: TaskSettings, background: list[str], toy_dataset: Dataset
) -> None:
    asked, texts, gold = toy_dataset.codebook[task], toy_dataset.texts, toy_dataset.gold(toy_dataset.codebook[task])
    counted = count_for(asked, texts, settings, unlabelled=background)
    inside, outside = np.arange(20), np.arange(20, 24)
    (found,) = fit_weights(counted, gold, inside, [settings])
    first, second = unfolded(asked, settings, texts[:20], texts[20:], counted, background=background)
    scores_of = [found.score(counted, rows)[0] for rows in (inside, outside)]
    for label in range(len(asked.labels)):
        model = model_of(settings).fit(first, gold.gold[inside, label])
        for scores, features in zip(scores_of, (first, second), strict=True):
            np.testing.assert_allclose(scores[:, label], model.decision_function(features), rtol=0, atol=TO_THE_OPTIMUM)


@pytest.mark.parametrize(
    ("task", "settings", "label"),
    [("theme", replace(THEME_DEFAULTS, codebook_weight=0), 0), ("theme", PLAIN, 1), ("framing", FRAMING_DEFAULTS, 0)],
    ids=["theme", "plain", "framing"],
)
def test_weights_equal_those_of_scikit_learn(
    task: str, settings: TaskSettings, label: int, toy_dataset: Dataset
) -> None:
    rows, asked = np.arange(0, 20), toy_dataset.codebook[task]
    gold, counted = toy_dataset.gold(asked), count_for(asked, toy_dataset.texts, settings)
    (found,) = fit_weights(counted, gold, rows, [settings])
    features, _ = unfolded(asked, settings, toy_dataset.texts[:20], ["any"], counted, background=[])
    model = model_of(settings).fit(features, gold.gold[rows, label])
    *of_blocks, of_counted = np.split(model.coef_[0], np.cumsum([len(fit.columns) for fit in found.fits]))
    for ours, theirs in zip(found.of_blocks, of_blocks, strict=True):
        np.testing.assert_allclose(ours[:, label], theirs, atol=TO_THE_OPTIMUM)
    n_labels, deviation = len(asked.labels), counted.counted[rows].std(axis=0)
    expected = settings.hit_weight * of_counted[:n_labels]
    np.testing.assert_allclose(found.counted[:n_labels, label], expected, atol=TO_THE_OPTIMUM)
    found_of_rates = found.counted[n_labels:, label] * deviation[n_labels:]
    np.testing.assert_allclose(found_of_rates, settings.style_weight * of_counted[n_labels:], atol=TO_THE_OPTIMUM)
    assert found.intercept[label] == pytest.approx(model.intercept_[0], abs=TO_THE_OPTIMUM)


def test_strengths_learnt_together_equal_strengths_learnt_alone(toy_dataset: Dataset) -> None:
    task, rows = toy_dataset.codebook["theme"], every_row(toy_dataset)
    counted, gold = count_for(task, toy_dataset.texts, THEME_DEFAULTS), toy_dataset.gold(task)
    settings = [replace(THEME_DEFAULTS, C=C) for C in (0.1, 30.0, 1.0)]
    together = fit_weights(counted, gold, rows, settings)
    for found, one in zip(together, settings, strict=True):
        (alone,) = fit_weights(counted, gold, rows, [one])
        np.testing.assert_allclose(found.score(counted, rows)[0], alone.score(counted, rows)[0], atol=1e-3)
    spread = [float(np.ptp(found.score(counted, rows)[0])) for found in together]
    assert sorted(spread) == [spread[0], spread[2], spread[1]]


def test_evidence_is_a_feature_of_the_training_rows_or_a_term_hit(toy_codebook: Codebook) -> None:
    task = toy_codebook["theme"]
    counted = count_for(task, ["Two boats.", "Three boats.", "Zebras.", "Hackers!", "!"], THEME_DEFAULTS)
    gold = np.ones((5, 3), dtype=bool)
    (weights,) = fit_weights(counted, TaskGold(gold, gold), np.array([0]), [THEME_DEFAULTS])
    assert weights.score(counted, np.arange(5))[1].tolist() == [True, True, False, True, False]
    assert weights.score(counted, np.array([4, 1]))[1].tolist() == [False, True]


@pytest.mark.parametrize(
    ("task", "changed", "background"),
    [
        ("theme", {}, []),
        ("framing", {"char_ngrams": (2, 3)}, []),
        ("theme", {"style_weight": 0.3, "char_ngrams": (2, 3)}, BACKGROUND),
        ("framing", {"codebook_weight": 1.0, "lsa_weight": 2.0, "char_ngrams": None}, BACKGROUND),
        ("theme", {"rule_below": 7}, BACKGROUND),  # 6 passages are about trade, which has no terms, 7 about the others
        ("theme", {"rule_below": 8}, []),
    ],
    ids=["theme", "framing", "theme with everything", "framing with everything", "one rule", "two rules"],
)
def test_folded_scorer_scores_as_the_model_that_was_trained(
    task: str, changed: dict[str, Any], background: list[str], toy_dataset: Dataset
) -> None:
    rows, asked = every_row(toy_dataset), toy_dataset.codebook[task]
    settings = replace(TrainingSettings().of(asked), **changed)
    texts = [*toy_dataset.texts, "Жжж", "", "A coast guard! “Ships”, said Anna Berg?"]
    counted = count_for(asked, texts, settings, unlabelled=background)
    fitted = fit_task(counted, toy_dataset.gold(asked), toy_dataset.groups, rows, asked, settings, 0)
    scores, evidence = fitted.weights.score(counted, np.arange(len(texts)))
    folded, found = fold_scorer(fitted).score(texts)
    np.testing.assert_allclose(folded, scores, rtol=0, atol=1e-12)
    assert found.tolist() == evidence.tolist() == [*[True] * len(rows), False, False, True]


def test_unknown_cells_are_left_out_of_training(toy_dataset: Dataset) -> None:
    task, rows = toy_dataset.codebook["theme"], every_row(toy_dataset)
    gold = toy_dataset.gold(task)
    counted = count_for(task, toy_dataset.texts, THEME_DEFAULTS)
    known = gold.known.copy()
    known[:3, 0] = False
    said_no, said_yes = gold.gold.copy(), gold.gold.copy()
    said_no[:3, 0], said_yes[:3, 0] = False, True
    first, second, believed = (
        fit_weights(counted, labels, rows, [THEME_DEFAULTS])[0].of_blocks[0]
        for labels in (TaskGold(said_no, known), TaskGold(said_yes, known), TaskGold(said_yes, gold.known))
    )
    assert first.tolist() == second.tolist()
    assert np.abs(first[:, 0] - believed[:, 0]).max() > 0.1
    np.testing.assert_allclose(first[:, 1], believed[:, 1], atol=TO_THE_OPTIMUM)


def test_passages_that_are_not_coded_are_as_good_as_absent(toy_dataset: Dataset) -> None:
    task = toy_dataset.codebook["theme"]
    gold, settings = toy_dataset.gold(task), THEME_DEFAULTS
    counted = count_for(task, toy_dataset.texts, settings)
    known = gold.known.copy()
    known[20:] = False
    uncoded = TaskGold(gold.gold & known, known)
    with_them = fit_task(counted, uncoded, toy_dataset.groups, every_row(toy_dataset), task, settings, 0)
    without_them = fit_task(counted, gold, toy_dataset.groups, np.arange(20), task, settings, 0)
    assert with_them.weights.of_blocks[0].tolist() == without_them.weights.of_blocks[0].tolist()
    assert with_them.held_out[0].tolist() == without_them.held_out[0].tolist()
    assert as_lists(with_them.decision) == as_lists(without_them.decision)


@pytest.mark.parametrize("n_positive", [0, 24])
def test_a_label_with_one_class_gets_no_weights(n_positive: int, toy_dataset: Dataset) -> None:
    task, rows = toy_dataset.codebook["theme"], every_row(toy_dataset)
    gold = toy_dataset.gold(task)
    changed = gold.gold.copy()
    changed[:, 1] = rows < n_positive
    counted = count_for(task, toy_dataset.texts, THEME_DEFAULTS)
    (found,) = fit_weights(counted, TaskGold(changed, gold.known), rows, [THEME_DEFAULTS])
    (before,) = fit_weights(counted, gold, rows, [THEME_DEFAULTS])
    assert not np.any(found.of_blocks[0][:, 1])
    assert not np.any(found.counted[:, 1])
    assert found.intercept[1] == pytest.approx(np.log((n_positive + 1 / 2) / (24 - n_positive + 1 / 2)))
    np.testing.assert_allclose(found.of_blocks[0][:, 0], before.of_blocks[0][:, 0], atol=TO_THE_OPTIMUM)


def test_a_label_without_positives_is_never_given_and_improbable() -> None:
    texts, gold = random_texts(12), np.zeros((12, 2), dtype=bool)
    gold[::2, 0] = True
    counted = count_for(TWO_LABELS, texts, THEME_DEFAULTS)
    known = TaskGold(gold, np.ones_like(gold))
    fitted = fit_task(counted, known, np.arange(12) // 2, np.arange(12), TWO_LABELS, THEME_DEFAULTS, 0)
    probabilities, decided = fitted.decision.decide(*fold_scorer(fitted).score(texts))
    assert fitted.decision.thresholds[1] == np.inf
    assert not decided[:, 1].any()
    np.testing.assert_allclose(probabilities[:, 1], 1 / 14, rtol=1e-9)


@pytest.mark.parametrize("n_positive", [0, 1, 2])
def test_few_positives_and_one_event_give_defined_results(n_positive: int) -> None:
    texts = ["", "!", *random_texts(6)]
    gold = np.zeros((8, 2), dtype=bool)
    gold[:n_positive, 0] = True
    counted = count_for(TWO_LABELS, texts, THEME_DEFAULTS)
    known = TaskGold(gold, np.ones_like(gold))
    for groups in (np.zeros(8, dtype=np.int64), np.arange(8)):
        fitted = fit_task(counted, known, groups, np.arange(8), TWO_LABELS, THEME_DEFAULTS, 0)
        scores, evidence = fitted.weights.score(counted, np.arange(8))
        assert np.isfinite(scores).all()
        assert np.isfinite(fitted.decision.probabilities(scores, evidence)).all()
        assert evidence.tolist() == [False, False, *[True] * 6]


def test_a_task_of_which_nothing_is_coded_in_these_rows_gets_defined_results() -> None:
    counted = count_for(TWO_LABELS, random_texts(6), THEME_DEFAULTS)
    nothing = TaskGold(np.zeros((6, 2), dtype=bool), np.zeros((6, 2), dtype=bool))
    fitted = fit_task(counted, nothing, np.arange(6), np.arange(6), TWO_LABELS, THEME_DEFAULTS, 0)
    scores, evidence = fitted.weights.score(counted, np.arange(6))
    assert not fitted.decision.decide(scores, evidence)[1].any()
    assert not fitted.is_cross_fitted


@pytest.mark.parametrize(("n_events", "is_cross_fitted"), [(1, False), (3, False), (4, True), (12, True)])
def test_thresholds_are_cross_fitted_from_four_events_up(
    n_events: int, is_cross_fitted: bool, toy_dataset: Dataset
) -> None:
    task = toy_dataset.codebook["theme"]
    counted = count_for(task, toy_dataset.texts, THEME_DEFAULTS)
    rows = np.flatnonzero(toy_dataset.groups < n_events)
    fitted = fit_task(counted, toy_dataset.gold(task), toy_dataset.groups, rows, task, THEME_DEFAULTS, 0)
    assert fitted.is_cross_fitted is is_cross_fitted


def test_held_out_scores_come_from_models_that_saw_nothing_of_the_event(toy_dataset: Dataset) -> None:
    task, rows = toy_dataset.codebook["theme"], every_row(toy_dataset)
    gold, groups = toy_dataset.gold(task), toy_dataset.groups
    counted = count_for(task, toy_dataset.texts, THEME_DEFAULTS)
    fitted = fit_task(counted, gold, groups, rows, task, THEME_DEFAULTS, 7)
    folds = grouped_folds(gold.gold, groups, n_folds=5, seed=7)
    for event in np.unique(groups):
        held_out = np.flatnonzero(groups == event)
        inside = np.flatnonzero(folds != folds[held_out[0]])
        (weights,) = fit_weights(counted, gold, inside, [THEME_DEFAULTS])
        assert fitted.held_out[0][held_out].tolist() == weights.score(counted, held_out)[0].tolist()


def test_a_label_of_one_event_alone_is_not_ranked_well_out_of_fold() -> None:
    groups = np.repeat(np.arange(11), [10, *[5] * 10])
    gold = np.stack([groups == 0, np.arange(60) % 3 == 0], axis=1)
    counted = count_for(TWO_LABELS, random_texts(60), THEME_DEFAULTS)
    known = TaskGold(gold, np.ones_like(gold))
    fitted = fit_task(counted, known, groups, np.arange(60), TWO_LABELS, THEME_DEFAULTS, 0)
    assert average_precision(gold[:, 0], fitted.held_out[0][:, 0]) <= 10 / 60


def test_thresholds_follow_the_rule_of_the_settings() -> None:
    groups, gold = np.arange(120) // 4, np.stack([np.arange(120) % 3 == 0, np.arange(120) % 8 == 0], axis=1)
    texts = [f"{text} {'mark ' * bool(n % 3 == 0)}" for n, text in enumerate(random_texts(120))]
    counted = count_for(TWO_LABELS, texts, THEME_DEFAULTS)
    rules = {"f1": ThresholdRule("f1"), "precision=0.7": ThresholdRule("precision", 0.7)}
    for text, rule in rules.items():
        settings = replace(THEME_DEFAULTS, thresholds=text)
        known = TaskGold(gold, np.ones_like(gold))
        fitted = fit_task(counted, known, groups, np.arange(120), TWO_LABELS, settings, 0)
        held_out = fitted.held_out[0]
        expected = [choose_threshold(rule, held_out[:, n], gold[:, n]) for n in range(2)]
        assert fitted.settings == settings
        assert fitted.decision.thresholds.tolist() == expected


@pytest.mark.parametrize("n", range(5, 13))
def test_a_rate_that_never_varies_counts_nowhere(n: int, toy_dataset: Dataset) -> None:
    """Neither in training, where rounding may leave it a deviation of 1e-16, nor in a text that has another rate."""
    task = toy_dataset.codebook["framing"]
    texts = (["alpha bravo 1 delta echo foxtrot golf.", "hotel india 2 juliet kilo lima mike."] * n)[:n]
    counted = count_for(task, [*texts, "alpha bravo", "alpha 1 2 3 4 5 6 7 8 9. No! Why?"], FRAMING_DEFAULTS)
    gold = np.stack([np.arange(n) % 2 == 0, np.arange(n) % 2 == 1], axis=1)
    (found,) = fit_weights(counted, TaskGold(gold, np.ones_like(gold)), np.arange(n), [FRAMING_DEFAULTS])
    assert not found.counted.any()
    assert np.abs(found.score(counted, np.array([n, n + 1]))[0]).max() < 5


def test_a_label_with_terms_and_few_positives_is_given_by_its_hits(toy_dataset: Dataset) -> None:
    task, rows = toy_dataset.codebook["theme"], np.arange(4)  # two are about the sea, two about cyber, none of trade
    texts = [*toy_dataset.texts, "Ships, ships and the navy.", "Hackers.", "Exporters."]
    counted, gold = count_for(task, texts, THEME_DEFAULTS), toy_dataset.gold(task)
    fitted = fit_task(counted, gold, toy_dataset.groups, rows, task, THEME_DEFAULTS, 0)
    scores = fitted.weights.score(counted, np.arange(24, 27))[0]
    assert fitted.ruled.tolist() == [True, True, False]  # trade has no terms
    assert scores[:, :2].tolist() == np.log1p([[3, 0], [0, 1], [0, 0]]).tolist()
    assert not any(of_block[:, :2].any() for of_block in fitted.weights.of_blocks)
    assert min(fitted.decision.thresholds[:2]) >= NO_HITS


@pytest.mark.parametrize(("rule_below", "ruled"), [(0, []), (7, []), (8, ["sea", "cyber"]), (9, ["sea", "cyber"])])
def test_labels_under_the_limit_that_have_terms_are_marked_in_the_bundle(
    rule_below: int, ruled: list[str], toy_dataset: Dataset, tmp_path: Path
) -> None:
    multilabel = replace(THEME_DEFAULTS, rule_below=rule_below)
    multiclass = replace(SMALL.multiclass, rule_below=100)  # a passage has one label of a multiclass task anyhow
    bundle = train(toy_dataset, settings=TrainingSettings(multilabel, multiclass))
    assert list(bundle.tasks["theme"].rule_based) == ruled
    assert bundle.tasks["framing"].rule_based == ()
    bundle.save(tmp_path / "bundle")
    assert list(load_bundle(tmp_path / "bundle").tasks["theme"].rule_based) == ruled


def test_a_label_given_by_rule_asks_for_review(toy_dataset: Dataset) -> None:
    settings = replace(SMALL, multilabel=replace(THEME_DEFAULTS, rule_below=8))
    ruled, plain = (Predictor(train(toy_dataset, settings=chosen)) for chosen in (settings, SMALL))
    texts = ["The navy said two ships left the harbour on Monday.", "Tariffs on steel were cut, the ministry said."]
    assert ["rule_based" in prediction.review for prediction in ruled.predict(texts)] == [True, False]
    assert ["rule_based" in prediction.review for prediction in plain.predict(texts)] == [False, False]
    assert ruled.predict(texts[0]).labels["theme"] == ("sea",)


# ---- the codebook's own text, and texts without labels


def test_the_codebook_is_learnt_from_and_never_counted_as_a_passage(toy_dataset: Dataset) -> None:
    task, rows = toy_dataset.codebook["theme"], every_row(toy_dataset)
    counted = count_for(task, toy_dataset.texts, THEME_DEFAULTS)
    fitted = fit_task(counted, toy_dataset.gold(task), toy_dataset.groups, rows, task, THEME_DEFAULTS, 0)
    block = counted.blocks[0]
    assert block.codebook.tolist() == [24, 25, 26]
    assert (block.tf.shape[0], len(counted.counted), len(fitted.held_out[0])) == (27, 24, 24)
    assert "attack" in fold_scorer(fitted).blocks[0].features  # stands in the definition of cyber alone
    summary = train(toy_dataset, settings=SMALL).summary["theme"]["labels"]
    assert {name: facts["support"] for name, facts in summary.items()} == {"sea": 7, "cyber": 7, "trade": 6}


def test_a_word_of_the_definition_alone_speaks_for_its_label(toy_dataset: Dataset) -> None:
    task, rows = toy_dataset.codebook["theme"], every_row(toy_dataset)
    task = replace(
        task, labels=tuple(replace(label, definition=f"{label.definition} zz{label.name}") for label in task.labels)
    )
    counted = count_for(task, [*toy_dataset.texts, *(f"zz{name}" for name in task.label_names)], THEME_DEFAULTS)
    (weights,) = fit_weights(counted, toy_dataset.gold(task), rows, [THEME_DEFAULTS])
    scores = weights.score(counted, np.arange(24, 27))[0]
    assert scores.argmax(axis=0).tolist() == [0, 1, 2]


def test_a_word_of_the_example_alone_is_no_feature(toy_dataset: Dataset) -> None:
    task = toy_dataset.codebook["theme"]
    exampled = replace(task, labels=tuple(replace(label, example=f"{label.name} zzexample") for label in task.labels))
    plain, counted = (count_for(one, toy_dataset.texts, THEME_DEFAULTS) for one in (task, exampled))
    assert "zzexample" not in counted.blocks[0].features
    assert (plain.blocks[0].tf != counted.blocks[0].tf).nnz == 0


def test_folds_see_the_codebook_and_background_but_no_passage_outside(toy_dataset: Dataset) -> None:
    task, gold = toy_dataset.codebook["theme"], toy_dataset.gold(toy_dataset.codebook["theme"])
    inside = np.arange(12)
    whole = count_for(task, toy_dataset.texts, THEME_DEFAULTS, unlabelled=BACKGROUND)
    alone = count_for(task, toy_dataset.texts[:12], THEME_DEFAULTS, unlabelled=BACKGROUND)
    (found,), (expected,) = (fit_weights(counted, gold, inside, [THEME_DEFAULTS]) for counted in (whole, alone))
    words = [
        [counted.blocks[0].features[n] for n in weights.fits[0].columns]
        for counted, weights in ((whole, found), (alone, expected))
    ]
    assert words[0] == words[1]
    assert found.fits[0].idf.tolist() == expected.fits[0].idf.tolist()
    np.testing.assert_allclose(found.of_blocks[0], expected.of_blocks[0], rtol=0, atol=1e-9)


@pytest.mark.parametrize("n", [1, MIN_UNLABELLED])
def test_too_few_unlabelled_texts_are_refused(n: int, toy_dataset: Dataset) -> None:
    with pytest.raises(UsageError, match=f"found {n} unlabelled texts?; expected more than {MIN_UNLABELLED}, or none"):
        train(toy_dataset, unlabelled=BACKGROUND[:n])
    others = f"found {n} unlabelled texts? beside 26 that are labelled, or stand there twice; expected more than "
    with pytest.raises(UsageError, match=others):
        train(toy_dataset, unlabelled=[*BACKGROUND[:n], BACKGROUND[0], BACKGROUND[0].upper(), *toy_dataset.texts])


def test_enough_unlabelled_texts_bring_words_that_no_labelled_passage_holds(toy_dataset: Dataset) -> None:
    texts = background_texts(MIN_UNLABELLED + 1)
    plain, learnt = (train(toy_dataset, settings=SMALL, unlabelled=unlabelled) for unlabelled in ([], texts))
    words = [set(bundle.tasks["theme"].scorer.blocks[0].features) for bundle in (plain, learnt)]
    assert words[0] < words[1]
    assert {word for word in words[1] if word.startswith("word")} == {
        w for t in texts for w in t.split() if w.startswith("word")
    }
    assert (plain.data["n_unlabelled"], learnt.data["n_unlabelled"]) == (0, MIN_UNLABELLED + 1)
    assert plain.to_files().keys() != learnt.to_files().keys()
    # the task of style has no use for them by default
    framings = [bundle.tasks["framing"].scorer.score(toy_dataset.texts)[0].tolist() for bundle in (plain, learnt)]
    assert framings[0] == framings[1]


def test_a_word_that_no_labelled_passage_holds_stays_unknown(toy_dataset: Dataset, tmp_path: Path) -> None:
    texts = [f"giraffes wander savannah {text}" for text in background_texts(MIN_UNLABELLED + 1)]
    train(toy_dataset, settings=SMALL, unlabelled=texts).save(tmp_path / "bundle")
    predictor = Predictor.load(tmp_path / "bundle")
    block, in_passages = predictor.bundle.tasks["theme"].scorer.blocks[0], predictor.bundle.tasks["theme"].in_passages
    known = dict(zip(block.features, in_passages[0].tolist(), strict=True))
    assert (known["giraff"], known["attack"], known["ship"]) == (False, True, True)  # a passage says "attacked"
    assert "unknown_words" in predictor.predict("Giraffes wander on the savannah, giraffes wander.").review
    assert "unknown_words" not in predictor.predict("The navy said two ships left the harbour.").review
    spoken = replace(toy_dataset.codebook["theme"].labels[0], definition="Giraffes wander on the savannah.")
    book = toy_dataset.codebook
    labels = (spoken, *book["theme"].labels[1:])
    told = replace(book, tasks=(replace(book["theme"], labels=labels), book["framing"]))
    by_codebook = Predictor(train(make_dataset(toy_dataset.passages, told), settings=SMALL))
    assert "unknown_words" in by_codebook.predict("Giraffes wander on the savannah, giraffes wander.").review


@pytest.mark.parametrize("weight", ["lsa_weight", "codebook_weight"])
def test_a_search_that_settles_on_no_weight_learns_as_if_there_were_no_such_text(
    weight: str, toy_dataset: Dataset
) -> None:
    searched = replace(SMALL, multilabel=replace(THEME_DEFAULTS, search={weight: (0.0,)}))
    without = replace(SMALL, multilabel=replace(THEME_DEFAULTS, **{weight: 0.0}))
    found = train(toy_dataset, settings=searched, unlabelled=BACKGROUND).to_files()
    expected = train(toy_dataset, settings=without, unlabelled=BACKGROUND).to_files()
    assert found.keys() == expected.keys()  # data files carry their hash in their names
    assert train(toy_dataset, settings=SMALL, unlabelled=BACKGROUND).to_files().keys() != found.keys()


def test_texts_that_no_setting_uses_are_not_recorded_as_learnt_from(toy_dataset: Dataset) -> None:
    without = replace(SMALL, multilabel=replace(THEME_DEFAULTS, lsa_weight=0.0))
    bundles = [train(toy_dataset, settings=without, unlabelled=texts) for texts in ([], BACKGROUND)]
    assert bundles[0].id == bundles[1].id
    assert (bundles[1].data["n_unlabelled"], bundles[1].data["unlabelled_sha256"]) == (0, None)


def test_what_was_chosen_is_recorded_where_events_were_enough_to_choose(toy_dataset: Dataset) -> None:
    searching = replace(SMALL, multilabel=replace(THEME_DEFAULTS, search={"C": (0.1, 10.0)}))
    few = toy_dataset.where(lambda passage: passage.document < "e04")
    whole, thin = (train(dataset, settings=searching).summary for dataset in (toy_dataset, few))
    assert whole["theme"]["chosen"]["C"] in (0.1, 10.0)
    assert "chosen" not in whole["framing"]
    assert "chosen" not in thin["theme"]


def test_axes_of_unlabelled_texts_are_orthonormal_and_the_same_for_the_same_seed(toy_dataset: Dataset) -> None:
    task = toy_dataset.codebook["theme"]
    first, again = (
        count_for(task, toy_dataset.texts, THEME_DEFAULTS, unlabelled=BACKGROUND, seed=3).blocks[0].axes
        for _ in range(2)
    )
    np.testing.assert_allclose(first.T @ first, np.eye(len(BACKGROUND) // TEXTS_AN_AXIS), rtol=0, atol=1e-9)
    assert first.tolist() == again.tolist()


@pytest.mark.parametrize(
    "words",
    [["!"], ["the"], ["ships"], ["ships", "zebras"], [f"word{n}" for n in range(3)]],
    ids=lambda words: f"{len(words)} {words[0]}",
)
def test_unlabelled_texts_that_hold_fewer_words_than_axes_are_learnt_from_all_the_same(
    words: list[str], toy_dataset: Dataset
) -> None:
    texts = [" ".join([words[n % len(words)]] * (n + 1)) for n in range(MIN_UNLABELLED + 1)]
    bundle = train(toy_dataset, settings=SMALL, unlabelled=texts)
    assert all(np.isfinite(task.scorer.score(toy_dataset.texts)[0]).all() for task in bundle.tasks.values())


# ---- the choice among candidates


GRID = replace(
    THEME_DEFAULTS,
    hit_weight=0.5,
    search={"char_ngrams": (None, (2, 3)), "word_ngrams": ((1, 1), (1, 2)), "C": (0.03, 1.0, 30.0)},
)
MARKED = Task("mark", TaskKind.MULTILABEL, (Label("early", terms=("word1", "word2")), Label("late")))


@dataclass(frozen=True)
class Marked:
    """48 passages in 12 events whose labels follow words that stand side by side, noisily and not known everywhere."""

    texts: list[str]
    gold: TaskGold
    groups: IntArray


def marked(seed: int) -> Marked:
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, 60, (48, 10))
    low, pairs = (numbers < 12).sum(axis=1), (np.diff(numbers, axis=1) % 5 == 0).sum(axis=1)
    gold = np.stack([low + rng.normal(0, 1, 48) > 2, pairs + rng.normal(0, 1, 48) > 2], axis=1)
    known = rng.random((48, 2)) < 0.9
    known[~known.any(axis=1)] = True
    texts = [" ".join(f"word{number}" for number in row) for row in numbers]
    return Marked(texts, TaskGold(gold & known, known), rng.permutation(np.repeat(np.arange(12), 4)))


def scores_by_scikit_learn(data: Marked, settings: TaskSettings, inside: IntArray, outside: IntArray) -> FloatArray:
    """Scores of the passages outside by vectorisers and models that saw the passages inside alone."""
    texts = [[data.texts[row] for row in rows] for rows in (inside, outside)]
    counted = count_for(MARKED, texts[0], settings)
    learnt_from, judged_by = unfolded(MARKED, settings, *texts, counted, background=[])
    model = model_of(settings)
    columns = zip(data.gold.gold[inside].T, data.gold.known[inside].T, strict=True)
    return np.stack([model.fit(learnt_from[k], g[k]).decision_function(judged_by) for g, k in columns], axis=1)


def quality_by_scikit_learn(data: Marked, settings: TaskSettings, folds: IntArray) -> float:
    """Mean over folds of the mean average precision of the labels that have a positive there."""
    of_folds = []
    for fold in np.unique(folds):
        outside = np.flatnonzero(folds == fold)
        scores = scores_by_scikit_learn(data, settings, np.flatnonzero(folds != fold), outside)
        columns = zip(data.gold.gold[outside].T, data.gold.known[outside].T, scores.T, strict=True)
        of_folds.append(np.mean([average_precision_score(g[k], s[k]) for g, k, s in columns if g[k].any()]))
    return round(float(np.mean(of_folds)), 12)


def chosen_from(
    candidates: Sequence[TaskSettings], counted: CountedTexts, gold: TaskGold, folds: IntArray
) -> TaskSettings:
    rows = np.arange(48)
    tried = score_out_of_fold(counted, gold, rows, folds, MARKED, candidates)
    return candidates[best_candidate(tried, gold, rows, folds)]


def folds_of(data: Marked, seed: int) -> IntArray:
    return grouped_folds(data.gold.gold, data.groups, n_folds=n_folds_for(12), seed=seed)


@pytest.mark.parametrize("seed", range(3))
def test_the_best_candidates_are_those_of_brute_force_with_scikit_learn(seed: int) -> None:
    data = marked(seed)
    folds, left = folds_of(data, seed), list(GRID.candidates)
    quality = [quality_by_scikit_learn(data, candidate, folds) for candidate in left]
    best = np.argsort(-np.array(quality), kind="stable")[:3]  # the first of equal ones
    counted, found = count_for(MARKED, data.texts, GRID), []
    for _ in best:
        found.append(chosen_from(left, counted, data.gold, folds))
        left.remove(found[-1])
    assert len(set(quality)) > 6
    assert found == [GRID.candidates[number] for number in best]


def test_the_choice_differs_with_the_data() -> None:
    chosen = {fit_marked(marked(seed), np.arange(48), GRID).settings for seed in range(3)}
    assert len(chosen) > 1


def test_folds_in_which_nothing_is_positive_favour_no_candidate() -> None:
    data, folds = marked(0), np.arange(48) // 24
    gold = TaskGold(data.gold.gold & (np.arange(48) < 24)[:, None], data.gold.known)
    counted = count_for(MARKED, data.texts, GRID)
    # learnt from a fold without a positive, every passage scores the same: all candidates are equal
    assert chosen_from(GRID.candidates, counted, gold, folds) == GRID.candidates[0]


def fit_marked(data: Marked, rows: IntArray, settings: TaskSettings, seed: int = 0) -> FittedTask:
    return fit_task(count_for(MARKED, data.texts, settings), data.gold, data.groups, rows, MARKED, settings, seed)


def weights_of(fitted: FittedTask) -> list[object]:
    arrays = (*fitted.weights.of_blocks, fitted.weights.counted, fitted.weights.intercept)
    features = [block.features for block in fold_scorer(fitted).blocks]
    return [fitted.settings, features, [array.tolist() for array in arrays]]


def everything_of(fitted: FittedTask) -> list[object]:
    """The choice and all numbers that were learnt, to the last bit."""
    return [weights_of(fitted), as_lists(fitted.decision), [array.tolist() for array in fitted.held_out]]


@pytest.mark.parametrize("seed", range(3))
def test_a_task_is_learnt_with_what_was_chosen_on_its_own_folds(seed: int) -> None:
    data = marked(seed)
    counted = count_for(MARKED, data.texts, GRID)
    chosen = chosen_from(GRID.candidates, counted, data.gold, folds_of(data, 5))
    searched = fit_marked(data, np.arange(48), GRID, seed=5)
    assert searched.settings == chosen
    assert [block.settings for block in searched.counted.blocks] == list(chosen.blocks(MARKED))
    straight = fit_marked(data, np.arange(48), chosen, seed=5)
    assert weights_of(searched) == weights_of(straight)
    # a grid's larger C is solved from a smaller one's solution, to the solver's tolerance
    np.testing.assert_allclose(searched.held_out[0], straight.held_out[0], rtol=0, atol=1e-5)
    assert searched.held_out[1].tolist() == straight.held_out[1].tolist()


@pytest.mark.parametrize("seed", range(2))
def test_a_search_never_looks_outside_its_rows(seed: int) -> None:
    data = marked(seed)
    rows = np.flatnonzero(data.groups < 8)
    outside = ~np.isin(np.arange(48), rows)
    other = Marked(
        [f"word1 word2 aaa zzz {text[::-1]}" if out else text for text, out in zip(data.texts, outside, strict=True)],
        TaskGold(data.gold.gold ^ outside[:, None], data.gold.known | outside[:, None]),
        np.where(outside, data.groups - 8, data.groups),
    )
    absent = Marked([data.texts[row] for row in rows], data.gold.of(rows), data.groups[rows])
    expected = everything_of(fit_marked(data, rows, GRID))
    assert everything_of(fit_marked(other, rows, GRID)) == expected
    assert everything_of(fit_marked(absent, np.arange(len(rows)), GRID)) == expected


def test_too_few_events_to_search_leave_the_settings_as_they_are() -> None:
    data = marked(0)
    fitted = fit_marked(data, np.flatnonzero(data.groups < 3), GRID)
    assert fitted.settings == GRID.fixed
    assert not fitted.is_cross_fitted


def test_texts_are_counted_once_for_all_candidates() -> None:
    counted = count_for(MARKED, ["word1 word2"], GRID)
    blocks = [block.settings for block in counted.blocks]
    assert [(cut.analyzer, cut.ngram_range) for cut in blocks] == [
        ("word", (1, 1)),
        ("word", (1, 2)),
        ("char_wb", (2, 3)),
    ]


def test_a_bundle_trained_with_a_search_repeats_byte_for_byte(toy_dataset: Dataset) -> None:
    searching = replace(SMALL, multilabel=replace(THEME_DEFAULTS, search={"C": (0.1, 10.0), "stem": (True, False)}))
    bundles = [train(toy_dataset, settings=searching) for _ in range(2)]
    assert bundles[0].to_files() == bundles[1].to_files()


def test_term_rule_is_fitted_on_hits_of_coded_training_rows(toy_dataset: Dataset) -> None:
    task = toy_dataset.codebook["theme"]
    counted = count_for(task, toy_dataset.texts, THEME_DEFAULTS)
    rule = fit_term_rule(counted, toy_dataset.gold(task), np.arange(8), task, THEME_DEFAULTS)
    assert rule.prior.tolist() == [4 / 8, 3 / 8, 2 / 8]
    assert (rule.thresholds > 0).all()


def test_a_label_is_ruled_in_the_inner_folds_as_it_is_in_the_end(toy_dataset: Dataset) -> None:
    task, settings = toy_dataset.codebook["theme"], replace(THEME_DEFAULTS, rule_below=8)
    counted = count_for(task, toy_dataset.texts, settings)
    rows = every_row(toy_dataset)
    fitted = fit_task(counted, toy_dataset.gold(task), toy_dataset.groups, rows, task, settings, 0)
    assert fitted.is_cross_fitted
    assert fitted.ruled.tolist() == [True, True, False]
    assert fitted.held_out[0][:, fitted.ruled].tolist() == counted.hits[:, fitted.ruled].tolist()


# ---- an audit sample


def audit_of(codebook: Codebook, themes: list[list[str]], *, unsure: Sequence[str] = ()) -> Dataset:
    """An audit of so many passages, one in two drawn."""
    passages = [
        LabelledPassage(
            id=f"audit{n}",
            text=f"Audited text {n}.",
            document=f"audit{n}",
            event=None,
            labels={"theme": frozenset(names), "framing": None},
            unsure={"theme": frozenset(unsure)},
            extra={"inclusion_probability": 0.5},
        )
        for n, names in enumerate(themes)
    ]
    return make_dataset(passages, codebook)


def test_the_rule_of_terms_is_reset_to_the_audit_too(toy_dataset: Dataset) -> None:
    themes = [["sea"], ["cyber"], ["sea", "trade"], *[[]] * 17]
    bundle = train(toy_dataset, settings=SMALL, audit=audit_of(toy_dataset.codebook, themes))
    expected = [2.5 / 21, 1.5 / 21, 1.5 / 21]
    task = bundle.tasks["theme"]
    for rule in (task.decision, task.term_rule):
        np.testing.assert_allclose(rule.prior, expected, rtol=1e-9)
    assert bundle.data["prevalence_from"]["prevalence"] == {
        "theme": pytest.approx(dict(zip(("sea", "cyber", "trade"), expected, strict=True)))
    }


def test_a_share_that_the_audit_does_not_know_is_null(toy_dataset: Dataset) -> None:
    audit = audit_of(toy_dataset.codebook, [["sea"]] * 5, unsure=["cyber"])
    bundle = train(toy_dataset, settings=SMALL, audit=audit)
    assert bundle.data["prevalence_from"]["prevalence"]["theme"]["cyber"] is None
    assert b"NaN" not in bundle.to_files()["manifest.json"]
    plain = train(toy_dataset, settings=SMALL).tasks["theme"].decision
    assert bundle.tasks["theme"].decision.prior[1] == pytest.approx(plain.prior[1])


@pytest.mark.parametrize(
    "changed",
    [
        lambda task: replace(task, labels=task.labels[::-1]),
        lambda task: replace(task, labels=task.labels[:2]),
        lambda task: replace(task, labels=(*task.labels, Label("space"))),
        lambda task: replace(task, kind=TaskKind.MULTICLASS),
    ],
    ids=["another order", "fewer", "more", "another kind"],
)
def test_an_audit_by_another_codebook_is_refused(changed: Any, toy_dataset: Dataset) -> None:
    book = toy_dataset.codebook
    audit = audit_of(replace(book, tasks=(changed(book["theme"]), book["framing"])), [["sea"], ["cyber"]])
    with pytest.raises(UsageError, match="task theme: the audit sample was read with a codebook of labels ") as caught:
        train(toy_dataset, settings=SMALL, audit=audit)
    assert "expected sea, cyber, trade (multilabel), in this order" in str(caught.value)


def test_training_without_a_coded_passage_is_an_error(toy_dataset: Dataset) -> None:
    nothing = {"theme": None, "framing": None}
    uncoded = make_dataset([replace(passage, labels=nothing) for passage in toy_dataset.passages], toy_dataset.codebook)
    with pytest.raises(UsageError, match="no passage is coded for any task; label some passages first"):
        train(uncoded)


def test_a_task_that_nobody_coded_is_left_out(toy_dataset: Dataset) -> None:
    half = [
        replace(passage, labels={"theme": passage.labels["theme"], "framing": None}) for passage in toy_dataset.passages
    ]
    assert list(train(make_dataset(half, toy_dataset.codebook)).tasks) == ["theme"]


def test_the_same_data_give_the_same_bytes(toy_dataset: Dataset) -> None:
    assert train(toy_dataset, settings=SMALL).to_files() == train(toy_dataset, settings=SMALL).to_files()


def test_row_order_does_not_change_the_bundle(toy_folder: Path, toy_codebook: Codebook, tmp_path: Path) -> None:
    source = toy_folder / "labels" / "passages.jsonl"
    lines = source.read_text(encoding="utf-8").splitlines()
    random.Random(3).shuffle(lines)
    shuffled = tmp_path / "shuffled.jsonl"
    shuffled.write_text("\n".join(lines) + "\n", encoding="utf-8")
    bundles = [train(load_labels(path, toy_codebook), settings=SMALL) for path in (source, shuffled)]
    assert lines != source.read_text(encoding="utf-8").splitlines()
    assert bundles[0].id == bundles[1].id


def test_another_text_or_label_or_seed_changes_the_bundle(toy_dataset: Dataset) -> None:
    first, *rest = toy_dataset.passages
    changed = [replace(first, text=first.text + " Again."), replace(first, labels={**first.labels, "framing": None})]
    datasets = [toy_dataset, *(make_dataset([passage, *rest], toy_dataset.codebook) for passage in changed)]
    ids = {train(dataset, settings=SMALL).id for dataset in datasets}
    assert len({*ids, train(toy_dataset, settings=replace(SMALL, seed=1)).id}) == 4


def test_another_hash_seed_gives_the_same_bytes(toy_folder: Path, toy_dataset: Dataset) -> None:
    code = (
        "import hashlib, json\n"
        "from classify.codebook import load_codebook\n"
        "from classify.data.dataset import load_labels\n"
        "from classify.learn.training import train\n"
        "files = train(load_labels('labels/passages.jsonl', load_codebook('labels/codebook.toml'))).to_files()\n"
        "print(json.dumps({name: hashlib.sha256(content).hexdigest() for name, content in files.items()}))\n"
    )
    other = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=toy_folder,
        env={**os.environ, "PYTHONHASHSEED": other, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout) == hashes(train(toy_dataset))

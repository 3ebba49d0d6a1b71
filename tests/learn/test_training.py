"""Training: the weights scikit-learn finds, defined results on thin data, the same bytes whenever it is repeated."""

import hashlib
import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from classify.bundle import Bundle
from classify.codebook import Codebook, Label, Task, TaskKind
from classify.data.dataset import Dataset, TaskGold, load_labels, make_dataset
from classify.data.splits import grouped_folds
from classify.errors import UsageError
from classify.learn.settings import FRAMING_DEFAULTS, PLAIN, THEME_DEFAULTS, TaskSettings, TrainingSettings
from classify.learn.training import count_for, fit_task, fit_term_rule, fit_weights, fold_scorer, train
from classify.measure.arrays import IntArray
from classify.measure.scores import average_precision
from classify.scorer.decisions import DecisionRule

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


@pytest.mark.parametrize(
    ("task", "settings", "label"),
    [("theme", THEME_DEFAULTS, 0), ("theme", PLAIN, 1), ("framing", FRAMING_DEFAULTS, 0)],
    ids=["theme", "plain", "framing"],
)
def test_weights_equal_those_of_scikit_learn(
    task: str, settings: TaskSettings, label: int, toy_dataset: Dataset
) -> None:
    rows, gold = np.arange(0, 20), toy_dataset.gold(toy_dataset.codebook[task])
    counted = count_for(toy_dataset.codebook[task], toy_dataset.texts, settings)
    found = fit_weights(counted, gold, rows, settings)

    texts = [toy_dataset.texts[row] for row in rows]
    vectorisers = [
        TfidfVectorizer(analyzer=block.settings.features_of, sublinear_tf=settings.sublinear_tf)
        for block in counted.blocks
    ]
    parts = [vectoriser.fit_transform(texts) for vectoriser in vectorisers]
    class_weight = "balanced" if settings.balanced else None
    model = LogisticRegression(C=settings.C, class_weight=class_weight, solver="liblinear", tol=1e-10, max_iter=1000)
    model.fit(sparse.hstack([*parts, settings.hit_weight * counted.hits[rows]]).tocsr(), gold.gold[rows, label])
    ends = np.cumsum([part.shape[1] for part in parts])
    *of_blocks, of_hits = np.split(model.coef_[0], ends)

    for ours, theirs in zip(found.of_blocks, of_blocks, strict=True):
        np.testing.assert_allclose(ours[:, label], theirs, atol=TO_THE_OPTIMUM)
    np.testing.assert_allclose(found.counted[:, label], settings.hit_weight * of_hits, atol=TO_THE_OPTIMUM)
    assert found.intercept[label] == pytest.approx(model.intercept_[0], abs=TO_THE_OPTIMUM)


@pytest.mark.parametrize("task", ["theme", "framing"])
def test_folded_scorer_scores_as_the_model_that_was_trained(task: str, toy_dataset: Dataset) -> None:
    rows, asked = every_row(toy_dataset), toy_dataset.codebook[task]
    settings = SMALL.of(asked)
    counted = count_for(asked, [*toy_dataset.texts, "Жжж", ""], settings)
    weights = fit_weights(counted, toy_dataset.gold(asked), rows, settings)
    scores, evidence = weights.score(counted, np.arange(len(rows) + 2))
    folded, found = fold_scorer(asked, counted, weights).score([*toy_dataset.texts, "Жжж", ""])
    np.testing.assert_allclose(folded, scores, rtol=0, atol=1e-12)
    assert found.tolist() == evidence.tolist() == [True] * len(rows) + [False, False]


def test_unknown_cells_are_left_out_of_training(toy_dataset: Dataset) -> None:
    task, rows = toy_dataset.codebook["theme"], every_row(toy_dataset)
    gold = toy_dataset.gold(task)
    counted = count_for(task, toy_dataset.texts, THEME_DEFAULTS)
    known = gold.known.copy()
    known[:3, 0] = False
    said_no, said_yes = gold.gold.copy(), gold.gold.copy()
    said_no[:3, 0], said_yes[:3, 0] = False, True
    first = fit_weights(counted, TaskGold(said_no, known), rows, THEME_DEFAULTS)
    second = fit_weights(counted, TaskGold(said_yes, known), rows, THEME_DEFAULTS)
    believed = fit_weights(counted, TaskGold(said_yes, gold.known), rows, THEME_DEFAULTS)
    assert first.of_blocks[0].tolist() == second.of_blocks[0].tolist()
    assert first.of_blocks[0][:, 0].tolist() != believed.of_blocks[0][:, 0].tolist()
    assert first.of_blocks[0][:, 1].tolist() == believed.of_blocks[0][:, 1].tolist()


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
    found = fit_weights(counted, TaskGold(changed, gold.known), rows, THEME_DEFAULTS)
    before = fit_weights(counted, gold, rows, THEME_DEFAULTS)
    assert not np.any(found.of_blocks[0][:, 1])
    assert not np.any(found.counted[:, 1])
    assert found.of_blocks[0][:, 0].tolist() == before.of_blocks[0][:, 0].tolist()


def test_a_label_without_positives_is_never_given_and_improbable() -> None:
    texts, gold = random_texts(12), np.zeros((12, 2), dtype=bool)
    gold[::2, 0] = True
    counted = count_for(TWO_LABELS, texts, THEME_DEFAULTS)
    known = TaskGold(gold, np.ones_like(gold))
    fitted = fit_task(counted, known, np.arange(12) // 2, np.arange(12), TWO_LABELS, THEME_DEFAULTS, 0)
    probabilities, decided = fitted.decision.decide(*fold_scorer(TWO_LABELS, counted, fitted.weights).score(texts))
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
        scores = fit_weights(counted, gold, inside, THEME_DEFAULTS).score(counted, held_out)[0]
        assert fitted.held_out[0][held_out].tolist() == scores.tolist()


def test_a_label_of_one_event_alone_is_not_ranked_well_out_of_fold() -> None:
    groups = np.repeat(np.arange(11), [10, *[5] * 10])
    gold = np.stack([groups == 0, np.arange(60) % 3 == 0], axis=1)
    counted = count_for(TWO_LABELS, random_texts(60), THEME_DEFAULTS)
    known = TaskGold(gold, np.ones_like(gold))
    fitted = fit_task(counted, known, groups, np.arange(60), TWO_LABELS, THEME_DEFAULTS, 0)
    assert average_precision(gold[:, 0], fitted.held_out[0][:, 0]) <= 10 / 60


def test_term_rule_is_fitted_on_hits_of_coded_training_rows(toy_dataset: Dataset) -> None:
    task = toy_dataset.codebook["theme"]
    counted = count_for(task, toy_dataset.texts, THEME_DEFAULTS)
    rule = fit_term_rule(counted, toy_dataset.gold(task), np.arange(8), task)
    assert rule.prior.tolist() == [4 / 8, 3 / 8, 2 / 8]
    assert (rule.thresholds > 0).all()


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

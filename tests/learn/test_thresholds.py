"""Decision rules: thresholds by prevalence match, rules of terms, and what a task without thresholds decides by."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from classify.codebook import Label, Task, TaskKind
from classify.learn.thresholds import NO_HITS, fit_decision, prevalence_match
from classify.measure.arrays import BoolArray, FloatArray
from classify.measure.calibration import fit_platt

THEME = Task("theme", TaskKind.MULTILABEL, (Label("sea"), Label("cyber")))
FRAMING = replace(THEME, name="framing", kind=TaskKind.MULTICLASS)


def gold_of(n_positive: int, n: int) -> BoolArray:
    return np.arange(n) < n_positive


@pytest.mark.parametrize(
    ("score", "n_positive", "threshold"),
    [
        ([1, 2, 3, 4], 1, 7 / 2),
        ([1, 2, 3, 4], 2, 5 / 2),  # halfway between the last one predicted and the first one not
        ([4, 1, 3, 2], 3, 3 / 2),
        ([1, 2, 3, 4], 4, -np.inf),  # all of them
        ([1, 2, 3, 4], 0, np.inf),  # none of them
        ([1, 1, 1, 1], 4, -np.inf),
        ([1, 1, 1, 1], 3, -np.inf),  # ties: 4 comes nearer to 3 than 0 does
        ([1, 1, 1, 1], 1, np.inf),  # ties: 0 comes nearer to 1 than 4 does
        ([1, 1, 1, 1], 2, np.inf),  # 0 and 4 are equally near: the fewer
        ([1, 1, 2, 3, 3], 1, np.inf),  # 0 and 2 are equally near: the fewer
        ([1, 1, 3, 4], 3, 2),  # 2 and 4 are equally near: the fewer
        ([1, 1, 1, 3, 4], 4, -np.inf),  # 5 comes nearer to 4 than 2 does
        ([2], 1, -np.inf),
        ([], 0, np.inf),
    ],
)
def test_threshold_predicts_as_many_as_were_labelled(score: list[float], n_positive: int, threshold: float) -> None:
    assert prevalence_match(np.array(score, dtype=float), gold_of(n_positive, len(score))) == threshold


def test_threshold_asks_how_many_were_labelled_and_not_which() -> None:
    score = np.array([1.0, 2.0, 3.0, 4.0])
    thresholds = {prevalence_match(score, np.array(gold, dtype=bool)) for gold in ([1, 0, 0, 0], [0, 0, 0, 1])}
    assert thresholds == {7 / 2}


@settings(deadline=None)
@given(st.data())
def test_number_predicted_is_the_nearest_attainable_to_the_number_labelled(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 30))
    score = data.draw(hnp.arrays(np.int64, n, elements=st.integers(-5, 5))) / 4
    gold = data.draw(hnp.arrays(np.bool_, n))
    wanted = int(gold.sum())
    attainable = [0, *(int((score >= value).sum()) for value in score)]
    nearest = min(attainable, key=lambda n_predicted: (abs(n_predicted - wanted), n_predicted))
    assert int((score >= prevalence_match(score, gold)).sum()) == nearest


@settings(deadline=None)
@given(st.data())
def test_threshold_lies_between_scores_and_never_on_one(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 30))
    score = data.draw(hnp.arrays(np.int64, n, elements=st.integers(-5, 5))) / 4
    gold = data.draw(hnp.arrays(np.bool_, n))
    assert prevalence_match(score, gold) not in set(score.tolist())


def test_scores_one_rounding_step_apart_are_told_apart() -> None:
    score = np.array([0.0, 1.0, np.nextafter(1.0, 2.0)])
    threshold = prevalence_match(score, gold_of(1, 3))
    assert int((score >= threshold).sum()) == 1


def test_every_label_gets_its_own_threshold_prior_and_calibration() -> None:
    scores = np.array([[1.0, 9.0], [2.0, 8.0], [3.0, 7.0], [4.0, 6.0]])
    gold = np.array([[0, 1], [0, 0], [0, 1], [1, 1]], dtype=bool)
    rule = fit_decision(THEME, scores, gold, np.ones_like(gold))
    assert rule.thresholds.tolist() == [7 / 2, 13 / 2]
    assert rule.prior.tolist() == [1 / 4, 3 / 4]
    platt = [fit_platt(scores[:, label], gold[:, label]) for label in range(2)]
    assert list(zip(rule.slope.tolist(), rule.intercept.tolist(), strict=True)) == platt


def test_unknown_cells_count_neither_way() -> None:
    scores = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [4.0, 0.0], [5.0, 0.0]])
    gold = np.array([[0, 0], [0, 0], [1, 0], [1, 0], [0, 0]], dtype=bool)
    known = np.array([[1, 0], [1, 0], [1, 0], [1, 0], [0, 0]], dtype=bool)
    rule = fit_decision(THEME, scores, gold, known)
    assert rule.thresholds.tolist() == [5 / 2, np.inf]
    assert rule.prior.tolist() == [2 / 4, 0]
    assert (rule.slope[0], rule.intercept[0]) == fit_platt(scores[:4, 0], gold[:4, 0])


@pytest.mark.parametrize("n_positive", range(7))
def test_a_rule_never_fires_on_no_hits(n_positive: int) -> None:
    hits = np.log1p(np.array([[0.0], [0.0], [0.0], [0.0], [1.0], [2.0]]))
    gold = gold_of(n_positive, 6)[:, None]
    task = replace(THEME, labels=THEME.labels[:1])
    rule = fit_decision(task, hits, gold, np.ones_like(gold), lowest=NO_HITS)
    assert rule.thresholds[0] >= NO_HITS > 0
    decided = rule.decide(hits, np.ones(6, dtype=bool))[1]
    assert not decided[:4].any()


def test_a_rule_that_finds_too_few_fires_on_every_hit() -> None:
    hits = np.log1p(np.array([[0.0], [0.0], [0.0], [1.0], [2.0]]))
    gold = gold_of(5, 5)[:, None]
    rule = fit_decision(replace(THEME, labels=THEME.labels[:1]), hits, gold, np.ones_like(gold), lowest=NO_HITS)
    assert rule.decide(hits, np.ones(5, dtype=bool))[1][:, 0].tolist() == [False, False, False, True, True]


def test_a_rule_for_a_label_without_positives_never_fires() -> None:
    hits = np.log1p(np.array([[3.0], [9.0]]))
    gold = np.zeros((2, 1), dtype=bool)
    rule = fit_decision(replace(THEME, labels=THEME.labels[:1]), hits, gold, np.ones_like(gold), lowest=NO_HITS)
    assert rule.thresholds.tolist() == [np.inf]


def test_a_multiclass_task_has_no_thresholds() -> None:
    scores = np.array([[1.0, -1.0], [-1.0, 1.0], [0.5, -0.5]])
    gold = np.array([[1, 0], [0, 1], [1, 0]], dtype=bool)
    rule = fit_decision(FRAMING, scores, gold, np.ones_like(gold))
    assert rule.thresholds is None
    probabilities, decided = rule.decide(scores, np.ones(3, dtype=bool))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert decided.tolist() == gold.tolist()


@pytest.mark.parametrize(
    ("kind", "asked", "kept"),
    [(TaskKind.MULTILABEL, True, True), (TaskKind.MULTILABEL, False, False), (TaskKind.MULTICLASS, True, False)],
)
def test_at_least_one_is_asked_of_multilabel_tasks_alone(kind: TaskKind, asked: bool, kept: bool) -> None:
    scores: FloatArray = np.array([[1.0, -1.0], [-1.0, 1.0]])
    gold = scores > 0
    rule = fit_decision(replace(THEME, kind=kind, at_least_one=asked), scores, gold, np.ones_like(gold))
    assert rule.at_least_one is kept

"""Held-out predictions to results: abstention, optimism, labels taken for each other, point values; all by hand."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classify.evaluation.crossval import decidable, decide
from classify.evaluation.heldout import MODEL, TERMS, HeldOut
from classify.evaluation.judge import Held, judge
from classify.evaluation.results import NOT_EVALUABLE, TaskResult
from classify.learn.thresholds import NO_HITS, fit_decision, parse_threshold_rule
from tests.evaluation.conftest import TONE, TOPIC, gold_of, held_out


def judged(rows: Sequence[Sequence[int]], held: HeldOut, *, task: Any = TOPIC, **changes: Any) -> TaskResult:
    """Two passages an event, unless `groups` says otherwise."""
    n = len(rows)
    facts = {"groups": np.arange(n) // 2, "folds": np.zeros(n, dtype=np.int64), "systems": {MODEL: held}, "fields": {}}
    return judge(Held(**({"task": task, "gold": gold_of(rows), **facts} | changes)))


# ---- abstention

GOLD = [[1, 0], [0, 1], [0, 0], [1, 1]]
SAID = [[0.9, 0.1], [0.2, 0.4], [0.1, 0.3], [0.8, 0.6]]  # the second passage lacks cyber


def test_abstention_is_counted_down_from_the_surest_passage() -> None:
    found = judged(GOLD, held_out(SAID, certainty=[0.8, 0.2, 0.4, 0.2])).abstention
    assert found is not None
    assert [1 / 4, 2 / 4, 4 / 4] == found.coverage.tolist()
    assert [0, 0, 1 / 4] == found.risk.tolist()
    assert 1 / 4 * 2 / 4 == found.area.value
    assert 1 / 4 == found.total_risk


@pytest.mark.parametrize(
    ("margin", "kept", "kept_risk"), [(0.2, 1.0, 1 / 4), (0.21, 2 / 4, 0.0), (0.4, 2 / 4, 0.0), (1.0, 0.0, None)]
)
def test_passages_nearer_than_the_margin_are_set_aside(margin: float, kept: float, kept_risk: float | None) -> None:
    held = held_out(SAID, certainty=[0.8, 0.2, 0.4, 0.2])
    found = judged(GOLD, held, review_margin=margin).abstention
    assert found is not None
    assert (kept, kept_risk) == (found.kept, found.kept_risk)
    curve = {"coverage": [1 / 4, 2 / 4, 4 / 4], "risk": [0, 0, 1 / 4]}
    expected = {"area": found.area.to_dict(), "kept": kept, "risk": 1 / 4, "kept_risk": kept_risk, "curve": curve}
    assert expected == found.to_dict()


def test_the_margin_is_the_same_for_one_label_of_several() -> None:
    held = held_out([[0.6, 0.3, 0.1]] * 4, threshold=None, certainty=[0.1, 0.3, 0.3, 0.05])
    found = judged([[1, 0, 0]] * 3 + [[0, 1, 0]], held, task=TONE, review_margin=0.1).abstention
    assert found is not None
    assert (3 / 4, 0.0) == (found.kept, found.kept_risk)


def test_passages_that_are_not_known_in_full_do_not_count() -> None:
    held = held_out([*SAID, [0.9, 0.9]], certainty=[0.8, 0.2, 0.4, 0.2, 0.9])
    with_unsure = judged([*GOLD, [0, -1]], held).abstention
    without = judged(GOLD, held_out(SAID, certainty=[0.8, 0.2, 0.4, 0.2])).abstention
    assert with_unsure is not None
    assert without is not None
    assert without.risk.tolist() == with_unsure.risk.tolist()
    assert without.area.value == with_unsure.area.value


def test_without_a_passage_known_in_full_there_is_no_abstention() -> None:
    found = judged([[1, -1]] * 4, held_out([[0.9, 0.1]] * 4))
    assert None is found.abstention
    assert "abstention" not in found.to_dict()


def test_the_curve_is_banded_from_the_surest_thirty_passages_of_sixty_on() -> None:
    """Sixty passages in twelve events, the ten least sure ones wrong."""
    certainty = np.linspace(1, 0, 60)
    gold = [[1, 0]] * 50 + [[0, 0]] * 10
    held = held_out([[0.9, 0.1]] * 60, certainty=certainty.tolist())
    found = judged(gold, held, groups=np.arange(60) % 12, folds=np.zeros(60, dtype=int)).abstention
    assert found is not None
    assert found.band is not None
    assert (0.5, 0.0, 10 / 60) == (found.band.coverage[0], found.band.risk[0], found.band.risk[-1])
    assert (found.band.low <= found.band.risk).all()
    assert (found.band.risk <= found.band.high).all()
    fewer = judged(gold[1:], held_out([[0.9, 0.1]] * 59, certainty=certainty[1:].tolist())).abstention
    assert fewer is not None
    assert None is fewer.band


@pytest.mark.parametrize(("n_events", "has_interval"), [(5, False), (6, True)])
def test_the_area_has_an_interval_from_six_events_up(n_events: int, has_interval: bool) -> None:
    """One passage is wrong, that of which the model is least sure: it stands in the last of the parts alone."""
    held = held_out([[0.9, 0.1]] * 2 * n_events, certainty=np.linspace(0.1, 0.9, 2 * n_events).tolist())
    found = judged([[0, 0], *[[1, 0]] * (2 * n_events - 1)], held).abstention
    assert found is not None
    assert pytest.approx((1 / (2 * n_events)) ** 2) == found.area.value
    assert has_interval == (found.area.low is not None)
    assert (found.area.low or 0) < found.area.value < (found.area.high or 1)


# ---- optimism


def test_optimism_is_what_the_best_thresholds_on_the_judged_passages_would_gain() -> None:
    """40 positives of 80; at .5 the model gives 20 of them and no other; at the best cut all of them and no other."""
    rows = [[1, 0]] * 40 + [[0, 0]] * 40
    held = held_out([[0.9, 0.1]] * 20 + [[0.4, 0.1]] * 20 + [[0.2, 0.1]] * 40)
    found = judged(rows, held, rule=parse_threshold_rule("f1"))
    f1 = 2 * 20 / (20 + 40)
    assert pytest.approx(1 - f1) == found.labels[0].optimism == found.optimism
    assert "f1" == found.thresholds
    assert {"rule": "f1", "optimism": found.optimism} == found.to_dict()["thresholds"]


def test_optimism_can_be_negative_where_prevalence_is_matched() -> None:
    """10 of 20 are positive and given; matching the prevalence takes the first 10 by probability, 9 of them right."""
    rows = [[1, 0]] * 10 + [[0, 0]] * 10
    said = held_out([[0.9, 0.1]] * 9 + [[0.6, 0.1]] + [[0.7, 0.1]] + [[0.2, 0.1]] * 9)
    predicted = np.array(rows, dtype=bool)
    held = replace(said, predicted=predicted)
    found = judged(rows, held, rule=parse_threshold_rule("prevalence"))
    assert pytest.approx(2 * 9 / (10 + 10) - 1) == found.optimism


def test_optimism_of_a_label_too_few_to_judge_is_not_told_and_not_averaged() -> None:
    rows = [[1, 1]] * 2 + [[1, 0]] * 18
    found = judged(rows, held_out([[0.9, 0.4]] * 20), rule=parse_threshold_rule("prevalence"))
    assert [0.0, None] == [label.optimism for label in found.labels]
    assert 0.0 == found.optimism


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.booleans(), st.sampled_from(["prevalence", "f1"]), st.booleans())
def test_thresholds_that_were_chosen_on_the_judged_passages_flatter_nothing(
    seed: int, at_least_one: bool, name: str, is_ruled: bool
) -> None:
    """Whatever else decides: one label at least, passages without evidence, a label that is given by its hits."""
    rng, n, rule = np.random.default_rng(seed), 120, parse_threshold_rule(name)
    task = replace(TOPIC, at_least_one=at_least_one)
    gold, known = rng.random((n, 2)) < [0.5, 0.1], rng.random((n, 2)) < 0.95
    scores, evidence = rng.normal(gold, 1), rng.random(n) < 0.95
    if is_ruled:
        scores[:, 1] = np.log1p(rng.integers(0, 3, n))
    lowest = np.array([-np.inf, NO_HITS if is_ruled else -np.inf])
    decision = fit_decision(task, scores, gold & known, known, rule=rule, lowest=lowest)
    held = replace(decide(decision, scores, evidence), decidable=decidable(decision, scores, evidence, lowest))
    rows = np.where(known, gold, -1).tolist()
    found = judged(rows, held, task=task, rule=rule, groups=np.arange(n) // 4)
    assert [label.optimism for label in found.labels if label.is_evaluable] == [0.0] * found.n_evaluable


def test_without_a_rule_there_is_no_optimism() -> None:
    bundle = judged([[1, 0]] * 20, held_out([[0.9, 0.1]] * 20))
    one_label = judged([[1, 0, 0]] * 20, held_out([[0.9, 0.1, 0.0]] * 20, threshold=None), task=TONE)
    for found in (bundle, one_label):
        assert (None, None, [None] * len(found.labels)) == (
            found.thresholds,
            found.optimism,
            [label.optimism for label in found.labels],
        )
        assert "thresholds" not in found.to_dict()


# ---- labels taken for each other


def test_co_confusion_counts_a_missed_label_beside_a_wrong_one() -> None:
    """Sea is missed and cyber wrongly given twice, the other way once; a wrong label alone counts nowhere."""
    rows = [[1, 0], [1, 0], [0, 1], [0, 0], [1, -1], [1, 1]]
    said = [[0.1, 0.9], [0.1, 0.9], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9], [0.1, 0.9]]
    found = judged(rows, held_out(said))
    assert found.co_confusion is not None
    assert [[0, 2], [1, 0]] == found.co_confusion.tolist() == found.to_dict()["co_confusion"]
    assert None is found.confusion
    assert "confusion" not in found.to_dict()


def test_a_task_of_one_label_each_has_a_confusion_instead() -> None:
    rows = [[1, 0, 0], [1, 0, 0], [0, 1, 0], [-1, -1, -1]]
    said = [[0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]]
    found = judged(rows, held_out(said, threshold=None), task=TONE)
    assert found.confusion is not None
    assert [[1, 0, 1], [0, 1, 0], [0, 0, 0]] == found.confusion.tolist()
    assert None is found.co_confusion
    assert "co_confusion" not in found.to_dict()


# ---- what is told of a label


def test_a_label_is_told_of_by_hand() -> None:
    """12 positives and 12 others in 6 events of 4; 9 positives are found, 3 others are given."""
    rows = [[1, 0], [1, 0], [0, 0], [0, 0]] * 6
    said = [[0.75, 0.1]] * 2 + [[0.25, 0.1]] * 2
    turned = [[0.25, 0.1], [0.75, 0.1], [0.75, 0.1], [0.25, 0.1]]
    found = judged(rows, held_out(said * 3 + turned * 3), groups=np.arange(24) // 4).labels[0]
    assert (12, 6, 0.5, True) == (found.support, found.events, found.prevalence, found.is_evaluable)
    assert (9 / 12, 9 / 12, 9 / 12) == (found.precision, found.recall, found.f1.value)
    assert pytest.approx((9 * 9 - 3 * 3) / 144) == found.matthews
    # of squares: 1/16 where right and 9/16 where wrong, against 1/4 for always saying one half
    assert pytest.approx(1 - (18 * 1 / 16 + 6 * 9 / 16) / 24 / (1 / 4)) == found.brier_skill.value
    # log-odds of the gold share at either probability are those of 3/4 and 1/4
    assert pytest.approx((1.0, 0.0), abs=1e-6) == (found.slope.value, found.intercept.value)


def test_labels_with_three_positives_get_point_values_in_a_held_out_part_alone() -> None:
    rows = [[1, 1], [1, 1], [1, 0], *[[0, 0]] * 13]
    held = held_out([[0.9, 0.1]] * 16)
    sea, cyber = judged(rows, held, is_block=True).labels
    assert (3 / 16, 1.0, 2 * 3 / 19) == (sea.precision, sea.recall, sea.f1.value)
    assert (None, None) == (sea.f1.low, sea.average_precision.low)
    assert (False, NOT_EVALUABLE, "3 positives in 2 events; 10 in 5 are needed") == (
        sea.is_evaluable,
        sea.verdict,
        sea.reason,
    )
    assert (2, None, None) == (cyber.support, cyber.precision, cyber.f1.value)
    assert (None, None) == (judged(rows, held).labels[0].precision, judged(rows, held).labels[0].f1.value)


def test_macro_averages_of_a_held_out_part_leave_labels_without_ten_positives_out() -> None:
    rows = [[1, 1]] * 3 + [[1, 0]] * 17
    found = judged(rows, held_out([[0.9, 0.1]] * 20), is_block=True)
    assert 1.0 == found.headline["macro_f1"].value
    assert 0.0 == found.labels[1].f1.value


def test_without_a_model_a_task_has_counts_and_nothing_else() -> None:
    found = judged([[1, 0]] * 4, held_out([[0.9, 0.1]] * 4), systems={})
    assert (4, 2, 0) == (found.n_passages, found.n_events, found.n_evaluable)
    assert {None} == {estimate.value for estimate in found.headline.values()}
    assert (None, None, None, None) == (found.co_confusion, found.reliability, found.abstention, found.optimism)
    assert () == found.suspects == found.mistakes
    assert {NOT_EVALUABLE} == {label.verdict for label in found.labels}


def test_the_gain_over_the_terms_is_paired_and_theirs_alone() -> None:
    rows = [[1, 0], [0, 0]] * 12
    model, terms = held_out([[0.9, 0.1], [0.1, 0.1]] * 12), held_out([[0.9, 0.1], [0.9, 0.1]] * 12)
    found = judged(rows, model, systems={MODEL: model, TERMS: terms}, groups=np.arange(24) // 4)
    assert pytest.approx(1 - 2 * 12 / 36) == found.labels[0].gain.value
    assert None is judged(rows, model, groups=np.arange(24) // 4).labels[0].gain.value


def test_an_interval_holds_its_value() -> None:
    rows = [[1, 0], [0, 0]] * 12
    found = judged(rows, held_out([[0.9, 0.1], [0.1, 0.1]] * 12), groups=np.arange(24) // 4).labels[0]
    assert 1.0 == found.average_precision.value
    assert found.average_precision.low <= 1.0 <= found.average_precision.high

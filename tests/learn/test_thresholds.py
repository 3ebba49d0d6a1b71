"""Decision rules: thresholds by three rules, rules of terms, and what a task without thresholds decides by."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.metrics import f1_score

from classify.codebook import Label, Task, TaskKind
from classify.learn.thresholds import (
    MIN_FOR_F1,
    MIN_FOR_PRECISION,
    NO_HITS,
    ThresholdRule,
    choose_threshold,
    fit_decision,
    is_threshold_rule,
    parse_threshold_rule,
)
from classify.measure.arrays import BoolArray, FloatArray
from classify.measure.calibration import fit_platt
from classify.scorer.decisions import DecisionRule

THEME = Task("theme", TaskKind.MULTILABEL, (Label("sea"), Label("cyber")))
FRAMING = replace(THEME, name="framing", kind=TaskKind.MULTICLASS)
PREVALENCE, F1 = ThresholdRule(), ThresholdRule("f1")


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
    assert choose_threshold(PREVALENCE, np.array(score, dtype=float), gold_of(n_positive, len(score))) == threshold


def test_threshold_asks_how_many_were_labelled_and_not_which() -> None:
    score = np.array([1.0, 2.0, 3.0, 4.0])
    thresholds = {
        choose_threshold(PREVALENCE, score, np.array(gold, dtype=bool)) for gold in ([1, 0, 0, 0], [0, 0, 0, 1])
    }
    assert thresholds == {7 / 2}


@given(st.data())
def test_number_predicted_is_the_nearest_attainable_to_the_number_labelled(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 30))
    score = data.draw(hnp.arrays(np.int64, n, elements=st.integers(-5, 5))) / 4
    gold = data.draw(hnp.arrays(np.bool_, n))
    wanted = int(gold.sum())
    attainable = [0, *(int((score >= value).sum()) for value in score)]
    nearest = min(attainable, key=lambda n_predicted: (abs(n_predicted - wanted), n_predicted))
    assert int((score >= choose_threshold(PREVALENCE, score, gold)).sum()) == nearest


@given(st.data())
def test_threshold_lies_between_scores_and_never_on_one(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 30))
    score = data.draw(hnp.arrays(np.int64, n, elements=st.integers(-5, 5))) / 4
    gold = data.draw(hnp.arrays(np.bool_, n))
    assert choose_threshold(PREVALENCE, score, gold) not in set(score.tolist())


def test_scores_one_rounding_step_apart_are_told_apart() -> None:
    score = np.array([0.0, 1.0, np.nextafter(1.0, 2.0)])
    threshold = choose_threshold(PREVALENCE, score, gold_of(1, 3))
    assert int((score >= threshold).sum()) == 1


# ---- the other rules


@st.composite
def rankings(draw: st.DrawFn, n_positive: int) -> tuple[FloatArray, BoolArray]:
    """Scores with many ties, and gold labels of which the first ones are positive and tend to score higher."""
    n = n_positive + draw(st.integers(0, 40))
    noise = draw(hnp.arrays(np.int64, n, elements=st.integers(-4, 4)))
    gold = gold_of(n_positive, n)
    return (noise + draw(st.integers(0, 5)) * gold) / 4, gold


def predicted_at_each_cut(score: FloatArray) -> list[BoolArray]:
    """What every threshold there is predicts, from none of the passages to all."""
    return [score > score.max(), *(score >= value for value in np.unique(score)[::-1])]


def sure_of(score: FloatArray, gold: BoolArray, at_least: float) -> list[BoolArray]:
    """The cuts at which scipy's 80% Wilson interval of precision starts at `at_least` or higher."""
    cuts = predicted_at_each_cut(score)[1:]
    bounds = [
        stats.binomtest(int(gold[cut].sum()), int(cut.sum())).proportion_ci(0.8, method="wilson").low for cut in cuts
    ]
    return [cut for cut, bound in zip(cuts, bounds, strict=True) if bound >= at_least]


@given(st.integers(0, MIN_FOR_F1 - 1).flatmap(rankings))
def test_f1_rule_falls_back_on_prevalence_under_thirty_positives(ranking: tuple[FloatArray, BoolArray]) -> None:
    assert choose_threshold(F1, *ranking) == choose_threshold(PREVALENCE, *ranking)


@settings(max_examples=30)
@given(st.integers(MIN_FOR_F1, 45).flatmap(rankings))
def test_f1_rule_gives_the_highest_f1_from_thirty_positives(ranking: tuple[FloatArray, BoolArray]) -> None:
    score, gold = ranking
    highest = max(f1_score(gold, cut, zero_division=0) for cut in predicted_at_each_cut(score))
    found = f1_score(gold, score >= choose_threshold(F1, score, gold), zero_division=0)
    assert found == pytest.approx(highest, rel=1e-12)


def test_f1_rule_differs_from_prevalence_at_thirty_positives() -> None:
    # 25 positives stand on top and 5 below 30 negatives: 2 · 25 / (25 + 30) beats 2 · 25 / (30 + 30) and 60 / 90.
    gold = np.r_[np.ones(25), np.zeros(30), np.ones(5)].astype(bool)
    score = np.arange(60.0)[::-1]
    assert choose_threshold(F1, score, gold) == (score[24] + score[25]) / 2
    assert choose_threshold(PREVALENCE, score, gold) == (score[29] + score[30]) / 2
    one_fewer = np.delete(np.arange(60), 59)
    assert choose_threshold(F1, score[one_fewer], gold[one_fewer]) == (score[28] + score[29]) / 2


def test_of_two_cuts_of_equal_f1_the_one_that_predicts_fewer_is_taken() -> None:
    # 15 right of 15 predicted and 30 right of 60: F1 = 2 · 15 / 45 and 2 · 30 / 90, both 2 / 3; nothing lies between.
    gold = np.r_[np.ones(15), np.zeros(30), np.ones(15)].astype(bool)
    score = np.r_[np.full(15, 3.0), np.full(45, 1.0)]
    assert choose_threshold(F1, score, gold) == 2


@settings(max_examples=30)
@given(st.integers(MIN_FOR_PRECISION, 40).flatmap(rankings), st.sampled_from([0.3, 0.5, 0.75, 0.9]))
def test_precision_rule_predicts_the_most_of_which_it_is_sure(
    ranking: tuple[FloatArray, BoolArray], at_least: float
) -> None:
    score, gold = ranking
    found = score >= choose_threshold(ThresholdRule("precision", at_least), score, gold)
    most = [np.zeros(len(score), dtype=bool), *sure_of(score, gold, at_least)][-1]
    assert found.tolist() == most.tolist()


@pytest.mark.parametrize(("n_positive", "n_predicted"), [(MIN_FOR_PRECISION - 1, 0), (MIN_FOR_PRECISION, 20)])
def test_precision_rule_never_gives_a_label_under_twenty_positives(n_positive: int, n_predicted: int) -> None:
    score, gold = np.arange(60.0)[::-1], gold_of(n_positive, 60)
    threshold = choose_threshold(ThresholdRule("precision", 0.9), score, gold)
    assert np.count_nonzero(score >= threshold) == n_predicted


def test_precision_rule_never_gives_a_label_of_which_it_cannot_be_sure() -> None:
    # All 20 are right: Wilson's bound is 20 / (20 + z²), z = 1.2816, so .924 and no more.
    score, gold = np.arange(60.0)[::-1], gold_of(20, 60)
    bound = 20 / (20 + stats.norm.ppf(0.9) ** 2)
    assert choose_threshold(ThresholdRule("precision", bound + 1e-6), score, gold) == np.inf
    assert choose_threshold(ThresholdRule("precision", bound - 1e-6), score, gold) == (score[19] + score[20]) / 2


def test_precision_rule_passes_over_a_bad_start() -> None:
    # The top one is wrong, so the first cuts are below .8; the bound is reached further down, and lost again.
    gold = np.r_[False, np.ones(40), np.zeros(30)].astype(bool)
    score = np.arange(71.0)[::-1]
    threshold = choose_threshold(ThresholdRule("precision", 0.8), score, gold)
    predicted = score >= threshold
    assert predicted.sum() > 41
    assert predicted.tolist() == sure_of(score, gold, 0.8)[-1].tolist()


@pytest.mark.parametrize("rule", [PREVALENCE, F1, ThresholdRule("precision", 0.5)], ids=str)
def test_a_label_without_positives_is_never_given_by_any_rule(rule: ThresholdRule) -> None:
    assert choose_threshold(rule, np.arange(50.0), np.zeros(50, dtype=bool)) == np.inf
    assert choose_threshold(rule, np.array([]), np.array([], dtype=bool)) == np.inf


@pytest.mark.parametrize("rule", [PREVALENCE, F1, ThresholdRule("precision", 0.5)], ids=str)
def test_a_label_of_all_passages_is_always_given_by_any_rule(rule: ThresholdRule) -> None:
    assert choose_threshold(rule, np.arange(50.0), np.ones(50, dtype=bool)) == -np.inf


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("prevalence", ThresholdRule("prevalence")),
        ("f1", ThresholdRule("f1")),
        ("precision=0.8", ThresholdRule("precision", 0.8)),
        ("precision=.75", ThresholdRule("precision", 0.75)),
        ("precision=0.05", ThresholdRule("precision", 0.05)),
    ],
)
def test_rules_are_read_from_text(text: str, rule: ThresholdRule) -> None:
    assert parse_threshold_rule(text) == rule
    assert is_threshold_rule(text)
    assert parse_threshold_rule(str(rule)) == rule


@pytest.mark.parametrize(
    "text",
    [
        *("", "F1", "f2", " f1", "f1\n", "best", "none", "precision", "precision=", "precision=0", "precision=0.0"),
        *("precision=1", "precision=1.0", "precision=1.5", "precision=-0.5", "precision=80%", "precision = 0.8"),
        *("precision=0,8", "precision=nan", "precision=1e-1", "recall=0.8", "prevalence=0.5", "precision=0.8.1"),
    ],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected prevalence, f1, or precision=P with P between 0 and 1") as caught:
        parse_threshold_rule(text)
    assert f"found {text!r}; " in str(caught.value)
    assert not is_threshold_rule(text)


@pytest.mark.parametrize("value", [None, 0.8, True, ["f1"], {"precision": 0.8}])
def test_what_is_no_text_is_no_rule(value: object) -> None:
    assert not is_threshold_rule(value)


@given(st.integers(1, 999))
def test_rules_print_as_they_are_written(thousandths: int) -> None:
    rule = ThresholdRule("precision", thousandths / 1000)
    assert parse_threshold_rule(str(rule)) == rule


# ---- the decision rule of a task


@pytest.mark.parametrize("rule", [F1, ThresholdRule("precision", 0.6)], ids=str)
def test_the_rule_chooses_the_threshold_of_every_label(rule: ThresholdRule) -> None:
    rng = np.random.default_rng(1)
    gold = rng.random((150, 2)) < [0.6, 0.1]
    scores = rng.normal(gold, 1)
    known = rng.random((150, 2)) < 0.9
    expected = [choose_threshold(rule, scores[known[:, n], n], gold[known[:, n], n]) for n in range(2)]
    found, plain = (fit_decision(THEME, scores, gold, known, rule=chosen) for chosen in (rule, PREVALENCE))
    assert found.thresholds.tolist() == expected
    assert found.thresholds[0] != plain.thresholds[0]
    assert (found.slope.tolist(), found.prior.tolist()) == (plain.slope.tolist(), plain.prior.tolist())


def test_a_multiclass_task_has_no_thresholds_by_any_rule() -> None:
    scores = np.array([[1.0, -1.0], [-1.0, 1.0], [0.5, -0.5]])
    gold = np.array([[1, 0], [0, 1], [1, 0]], dtype=bool)
    assert fit_decision(FRAMING, scores, gold, np.ones_like(gold), rule=F1).thresholds is None


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
    rule = fit_decision(task, hits, gold, np.ones_like(gold), lowest=np.array(NO_HITS))
    assert rule.thresholds[0] >= NO_HITS > 0
    decided = rule.decide(hits, np.ones(6, dtype=bool))[1]
    assert not decided[:4].any()


def test_a_rule_that_finds_too_few_fires_on_every_hit() -> None:
    hits = np.log1p(np.array([[0.0], [0.0], [0.0], [1.0], [2.0]]))
    gold = gold_of(5, 5)[:, None]
    rule = fit_decision(
        replace(THEME, labels=THEME.labels[:1]), hits, gold, np.ones_like(gold), lowest=np.array(NO_HITS)
    )
    assert rule.decide(hits, np.ones(5, dtype=bool))[1][:, 0].tolist() == [False, False, False, True, True]


def test_a_rule_for_a_label_without_positives_never_fires() -> None:
    hits = np.log1p(np.array([[3.0], [9.0]]))
    gold = np.zeros((2, 1), dtype=bool)
    rule = fit_decision(
        replace(THEME, labels=THEME.labels[:1]), hits, gold, np.ones_like(gold), lowest=np.array(NO_HITS)
    )
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


# ---- a prevalence that is given


@st.composite
def labelled_scores(draw: st.DrawFn) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Distinct scores, gold and known of two labels, each of them known at least once as "yes" and as "no"."""
    n = draw(st.integers(4, 40))
    scores = np.stack([draw(st.permutations(range(n))) for _ in range(2)], axis=1) / 4
    gold, known = (draw(hnp.arrays(np.bool_, (n, 2))) for _ in range(2))
    gold[:2], known[:2] = [[True, True], [False, False]], True
    return scores, gold & known, known


SHARES = st.floats(0.02, 0.98)


@given(labelled_scores(), st.tuples(SHARES, SHARES))
def test_a_given_prevalence_is_the_prior_and_the_weighted_share_that_is_predicted(
    labelled: tuple[FloatArray, BoolArray, BoolArray], prevalence: tuple[float, float]
) -> None:
    scores, gold, known = labelled
    rule = fit_decision(THEME, scores, gold, known, prevalence=np.array(prevalence))
    np.testing.assert_allclose(rule.prior, prevalence, rtol=1e-9)
    for label, asked in enumerate(prevalence):
        rows = known[:, label]
        score, yes = scores[rows, label], gold[rows, label]
        weight = np.where(yes, asked / yes.mean(), (1 - asked) / (1 - yes.mean())) / len(yes)
        predicted = score >= rule.thresholds[label]
        share = float(weight[predicted].sum())
        nearest = min(abs(float(weight[cut].sum()) - asked) for cut in predicted_at_each_cut(score))
        assert abs(share - asked) == pytest.approx(nearest, abs=1e-9)
        assert nearest <= weight.max() / 2 + 1e-9  # one passage more or fewer would not come nearer


@given(labelled_scores())
def test_the_prevalence_of_the_passages_themselves_changes_nothing(
    labelled: tuple[FloatArray, BoolArray, BoolArray],
) -> None:
    scores, gold, known = labelled
    own = gold.sum(axis=0) / known.sum(axis=0)
    plain, shifted = (fit_decision(THEME, scores, gold, known, prevalence=given) for given in (None, own))
    assert shifted.thresholds.tolist() == plain.thresholds.tolist()
    for ours, theirs in ((shifted.prior, plain.prior), (shifted.slope, plain.slope)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(shifted.intercept, plain.intercept, rtol=1e-9, atol=1e-9)


def multiclass_scores(n: int, *, seed: int) -> tuple[FloatArray, BoolArray]:
    """Scores of a task of one label a passage, a third of them with the first, noisily."""
    rng = np.random.default_rng(seed)
    gold = (np.arange(n) % 3 == 0)[:, None] == [True, False]
    return gold + rng.normal(0, 0.7, (n, 2)), gold


@pytest.mark.parametrize("share", [0.02, 1 / 3, 0.6, 0.97])
def test_a_multiclass_task_takes_the_prevalence_of_all_labels_together(share: float) -> None:
    scores, gold = multiclass_scores(300, seed=3)
    everything = np.ones_like(gold)
    prevalence = np.array([share, 1 - share])
    rule = fit_decision(FRAMING, scores, gold, everything, prevalence=prevalence)
    np.testing.assert_allclose(rule.prior, prevalence, rtol=1e-9)
    weight = (gold * prevalence / gold.mean(axis=0)).sum(axis=1)
    probabilities, decided = rule.decide(scores, np.ones(300, dtype=bool))
    np.testing.assert_allclose(np.average(probabilities, axis=0, weights=weight), prevalence, atol=0.03)
    plain = fit_decision(FRAMING, scores, gold, everything).decide(scores, np.ones(300, dtype=bool))[1]
    assert np.sign(decided[:, 0].sum() - plain[:, 0].sum()) in (0, np.sign(share - 1 / 3))


def test_the_own_prevalence_of_a_multiclass_task_changes_nothing() -> None:
    scores, gold = multiclass_scores(60, seed=4)
    known = np.ones_like(gold)
    plain, shifted = (
        fit_decision(FRAMING, scores, gold, known, prevalence=given) for given in (None, gold.mean(axis=0))
    )
    for name in ("prior", "slope", "intercept"):
        np.testing.assert_allclose(getattr(shifted, name), getattr(plain, name), rtol=1e-9, atol=1e-12)


def test_a_rarer_label_is_less_probable_at_the_same_score() -> None:
    scores, gold = multiclass_scores(90, seed=5)
    known, task = np.ones_like(gold), THEME
    rare, common = (fit_decision(task, scores, gold, known, prevalence=np.full(2, share)) for share in (0.05, 0.5))
    evidence = np.ones(90, dtype=bool)
    assert (rare.probabilities(scores, evidence) < common.probabilities(scores, evidence)).all()
    assert (rare.thresholds > common.thresholds).all()


@pytest.mark.parametrize("share", [0.01, 0.02, 0.05])
def test_probabilities_stand_at_a_rare_prevalence_too(share: float) -> None:
    """One sample of 60 may miss it by a half; twenty together don't."""
    gold, known = (np.arange(60) % 3 == 0)[:, None], np.ones((60, 1), dtype=bool)
    weight, found = np.where(gold, share / (1 / 3), (1 - share) / (2 / 3)), []
    for seed in range(20):
        scores = np.random.default_rng(seed).normal(1.5 * gold, 1)
        rule = fit_decision(replace(THEME, labels=THEME.labels[:1]), scores, gold, known, prevalence=np.array([share]))
        found.append(np.average(rule.probabilities(scores, known[:, 0]), weights=weight))
    assert np.mean(found) == pytest.approx(share, rel=0.2)


def test_a_prevalence_multiplies_the_odds_of_every_passage_alike() -> None:
    scores, gold = multiclass_scores(60, seed=6)
    known, evidence = np.ones_like(gold), np.ones(60, dtype=bool)
    plain = fit_decision(THEME, scores, gold, known).probabilities(scores, evidence)
    shifted = fit_decision(THEME, scores, gold, known, prevalence=np.array([0.1, np.nan])).probabilities(
        scores, evidence
    )
    odds = [p[:, 0] / (1 - p[:, 0]) for p in (shifted, plain)]
    np.testing.assert_allclose(odds[0] / odds[1], (0.1 / 0.9) / ((1 / 3) / (2 / 3)), rtol=1e-9)
    np.testing.assert_array_equal(shifted[:, 1], plain[:, 1])


def test_in_a_multiclass_task_it_multiplies_probabilities_before_they_are_made_to_sum_to_one() -> None:
    scores, gold = multiclass_scores(60, seed=7)
    known, evidence = np.ones_like(gold), np.ones(60, dtype=bool)
    plain = fit_decision(FRAMING, scores, gold, known).probabilities(scores, evidence)
    rule = fit_decision(FRAMING, scores, gold, known, prevalence=np.array([0.1, 0.9]))
    product = plain * [0.1 / (1 / 3), 0.9 / (2 / 3)]
    np.testing.assert_allclose(rule.probabilities(scores, evidence), product / product.sum(axis=1, keepdims=True))
    again = DecisionRule.from_dict(rule.to_dict(("a", "b")), ("a", "b"), is_multilabel=False, at_least_one=False)
    np.testing.assert_array_equal(again.probabilities(scores, evidence), rule.probabilities(scores, evidence))


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, np.inf])
def test_a_prevalence_that_is_no_share_is_refused(share: float) -> None:
    scores, gold = multiclass_scores(12, seed=8)
    with pytest.raises(ValueError, match=f"found a prevalence of {share}; expected one above 0 and below 1"):
        fit_decision(THEME, scores, gold, np.ones_like(gold), prevalence=np.array([share, 0.5]))


@pytest.mark.parametrize("rule", [F1, ThresholdRule("precision", 0.8)], ids=str)
def test_a_rule_that_does_not_follow_a_prevalence_is_refused_beside_one(rule: ThresholdRule) -> None:
    scores, gold = multiclass_scores(12, seed=9)
    with pytest.raises(ValueError, match=f"thresholds by {rule} don't follow a prevalence"):
        fit_decision(THEME, scores, gold, np.ones_like(gold), rule=rule, prevalence=np.array([0.2, 0.5]))


def test_a_label_without_positives_has_its_own_share_whatever_the_prevalence() -> None:
    scores, gold = np.arange(8.0).reshape(4, 2), np.zeros((4, 2), dtype=bool)
    rule = fit_decision(THEME, scores, gold, np.ones_like(gold), prevalence=np.array([0.2, 0.7]))
    assert rule.thresholds.tolist() == [np.inf, np.inf]
    assert np.isfinite([*rule.prior, *rule.slope, *rule.intercept]).all()

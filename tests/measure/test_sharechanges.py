"""Changes of shares: differences whose intervals hold the truth, and trends equal to least squares."""

import numpy as np
import pytest

from classify.measure.arrays import FloatArray
from classify.measure.intervals import Estimate
from classify.measure.sharechanges import difference, trend
from classify.measure.shares import NOTHING, Audit, Share


def share(value: float, low: float, high: float) -> Share:
    return Share(Estimate(value, low, high), value, 50, 20, 50, 50.0, 0.0, 0.0)


def test_the_difference_is_newcombes() -> None:
    # Newcombe 1998, table II (a): 56/70 against 48/80, Wilson intervals (.6907, .8781) and (.4904, .7005)
    found = difference(share(56 / 70, 0.6907, 0.8781), share(48 / 80, 0.4904, 0.7005)).estimate
    assert found.value == pytest.approx(0.2)
    assert found.low == pytest.approx(0.0524, abs=2e-3)
    assert found.high == pytest.approx(0.3339, abs=2e-3)


def test_p_is_a_twentieth_where_the_interval_ends_at_nought() -> None:
    assert difference(share(0.5, 0.4, 0.6), share(0.3, 0.2, 0.3 + 3**0.5 / 10)).p == pytest.approx(0.05)
    assert difference(share(0.3, 0.2, 0.3 + 3**0.5 / 10), share(0.5, 0.4, 0.6)).p == pytest.approx(0.05)


def test_turned_round_it_changes_its_sign_alone() -> None:
    one, other = share(0.5, 0.41, 0.62), share(0.2, 0.12, 0.33)
    first, second = difference(one, other), difference(other, one)
    assert first.p == pytest.approx(second.p)
    assert first.estimate.low == pytest.approx(-second.estimate.high)  # type: ignore[operator]


@pytest.mark.parametrize("other", [NOTHING, Share(Estimate(0.5), 0.5, 3, 1, 1, 3.0, 0.0, 0.0)])
def test_without_two_intervals_there_is_no_difference(other: Share) -> None:
    assert difference(share(0.5, 0.4, 0.6), other).estimate.value is None


def test_a_bound_on_one_side_gives_way_to_that_of_an_interval() -> None:
    none = Share(Estimate(0.0, 0.0, 1 - 0.05 ** (1 / 30)), 0.0, 30, 0, 30, 30.0, 0.0, 0.0)
    two_sided = 1 - 0.025 ** (1 / 30)
    found = difference(share(0.3, 0.2, 0.42), none).estimate
    assert found.low == pytest.approx(0.3 - (0.1**2 + two_sided**2) ** 0.5)
    turned = difference(none, share(0.3, 0.2, 0.42)).estimate
    assert turned.high == pytest.approx(-found.low)  # type: ignore[operator]


def corpus(seed: int, rise: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Time 0 to 10, gold of which a share of .3 rises by `rise`, and a scorer that flatters late passages."""
    rng = np.random.default_rng(seed)
    time = rng.integers(0, 11, 4000).astype(float)
    gold = (rng.random(4000) < 0.3 + rise * time / 10).astype(float)
    return time, gold, np.clip(0.1 + 0.3 * gold + 0.05 * time + rng.normal(0, 0.15, 4000), 0, 1)


def draw(seed: int, n: int, *of: FloatArray) -> tuple[Audit, FloatArray]:
    time, gold, score = of
    rows = np.random.default_rng(seed).choice(len(time), n, replace=False)
    return Audit(gold[rows], score[rows], np.ones(n), rows), time[rows]


def test_without_credit_the_trend_is_that_of_least_squares_on_the_labels() -> None:
    time, gold, _ = corpus(0, 0.3)
    audit, when = draw(1, 80, time, gold, np.zeros(4000))
    found = trend(audit, when, np.zeros(4000), time).estimate
    assert found.value == pytest.approx(10 * np.polyfit(when, audit.gold, 1)[0])


@pytest.mark.parametrize("rise", [0.0, 0.4])
def test_trends_hold_the_truth_though_the_scores_drift(rise: float) -> None:
    time, gold, score = corpus(2, rise)
    truth = 10 * float(np.polyfit(time, gold, 1)[0])
    by_scores = 10 * float(np.polyfit(time, score, 1)[0])
    found = [trend(*draw(seed, 120, time, gold, score), score, time, seed=seed).estimate for seed in range(200)]
    covered = sum(one.low <= truth <= one.high for one in found)  # type: ignore[operator]
    assert 0.9 * 200 <= covered <= 200
    assert np.mean([one.value for one in found]) == pytest.approx(truth, abs=0.03)  # type: ignore[arg-type]
    assert abs(by_scores - truth) > 0.15


@pytest.mark.parametrize("n", [9, 120])
def test_too_few_passages_or_dates_give_no_trend(n: int) -> None:
    time, gold, score = corpus(3, 0.2)
    audit, when = draw(4, n, time, gold, score)
    assert trend(audit, when if n == 9 else np.zeros(n), score, time).estimate.value is None


@pytest.mark.parametrize("n_positive", [0, 4, 56, 60])
def test_a_label_that_hardly_any_or_nearly_all_carry_has_no_trend(n_positive: int) -> None:
    gold = (np.arange(60) < n_positive).astype(float)
    audit, when = Audit(gold, np.zeros(60), np.ones(60), np.arange(60)), np.arange(60.0)
    assert trend(audit, when, np.zeros(60), when).estimate.value is None

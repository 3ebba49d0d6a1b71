"""Shares: equal to second implementations, honest at the edges, and intervals that hold the truth."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from classify.measure.shares import Audit, estimate_share, fit_credit, wilson


def audit(gold: object, score: object = None, weight: object = None, cluster: object = None) -> Audit:
    y = np.asarray(gold, dtype=float)
    f = np.zeros(len(y)) if score is None else np.asarray(score, dtype=float)
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    return Audit(y, f, w, np.arange(len(y)) if cluster is None else np.asarray(cluster))


def drawn(seed: int, n: int = 60, share: float = 0.4) -> Audit:
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < share).astype(float)
    return audit(y, np.clip(0.5 * y + rng.normal(0.2, 0.2, n), 0, 1), rng.uniform(1, 3, n), np.arange(n) // 2)


def test_with_full_credit_it_is_the_prediction_powered_mean_of_the_reference_package() -> None:
    """Values of `ppi_mean_pointestimate` and `ppi_mean_ci` (alpha .05) of ppi-python 0.2.3, λ = 0 and λ = 1.

    Points must be equal. The package's intervals are Wald's with z, and count the corpus as a sample of a wider
    population (variance / 3,000); without that, the ratio of their squared widths is what the scores are worth. Its
    tuned λ is not compared: it takes the variance of the corpus's scores for that of the audited ones, fits λ on the
    passages it is used for, and has that wider population in view, so λ is .937 here where ours is .69 on average.
    """
    rows = np.arange(60)
    y = (rows * 7 % 10 < 3).astype(float)
    f, corpus = y + (rows * 13 % 20) / 20, (np.arange(3000) * 37 % 101) / 60
    points, tops = {0: 0.3, 1: 0.35844444444444}, {0: 0.41595303304541, 1: 0.43344023452029}
    found = {
        credit: estimate_share(audit(y, f), float(corpus.mean()), 10**12, credit=np.full(60, float(credit)))
        for credit in (0, 1)
    }
    assert [found[0].estimate.value, found[1].estimate.value] == pytest.approx([points[0], points[1]], abs=1e-12)
    variance = {credit: ((tops[credit] - points[credit]) / stats.norm.ppf(0.975)) ** 2 for credit in (0, 1)}
    ratio = (variance[1] - corpus.var() / 3000) / variance[0]
    assert found[1].worth == pytest.approx(60 * (1 / ratio - 1), rel=1e-9)


def test_scores_that_say_the_same_of_all_change_nothing() -> None:
    sample = drawn(1)
    flat = Audit(sample.gold, np.full(60, 0.3), sample.weight, sample.cluster)
    found = estimate_share(flat, 0.3, 10_000)
    assert found.estimate.value == pytest.approx(found.labels_only)
    assert (found.credit, found.worth) == (0, 0)


def test_labels_alone_of_single_passages_give_wilsons_interval_with_a_t_quantile() -> None:
    gold = np.arange(50) < 15
    found = estimate_share(audit(gold), 0.0, 10**9).estimate
    # 50/49 is the small-sample factor of the cluster-robust variance
    assert (found.low, found.high) == pytest.approx(wilson(0.3, 49, float(stats.t.ppf(0.975, 49))))


def test_perfect_scores_leave_little_doubt() -> None:
    gold = (np.arange(100) % 4 == 0).astype(float)
    found = estimate_share(audit(gold, gold), 0.3, 10**6)
    assert found.credit > 0.95
    assert found.estimate.value == pytest.approx(0.3, abs=0.01)
    assert found.worth > 500


def test_scores_that_tell_nothing_get_no_credit() -> None:
    rng = np.random.default_rng(3)
    gold = rng.random(80) < 0.5
    credit = [fit_credit(audit(gold, rng.random(80))).mean() for _ in range(20)]
    assert np.mean(credit) < 0.05


def test_scores_that_say_the_opposite_get_no_credit() -> None:
    gold = np.arange(100) % 2 == 0
    assert fit_credit(audit(gold, 1.0 - gold)).tolist() == [0] * 100


def test_credit_never_looks_at_its_own_fold() -> None:
    sample = drawn(5)
    for cluster in range(30):
        rows = sample.cluster == cluster
        other = Audit(np.where(rows, 1 - sample.gold, sample.gold), sample.score, sample.weight, sample.cluster)
        assert fit_credit(other)[rows].tolist() == fit_credit(sample)[rows].tolist()


@pytest.mark.parametrize("n_positive", [1, 4, 56, 59])
def test_under_five_on_either_side_the_labels_speak_alone(n_positive: int) -> None:
    gold = np.arange(60) < n_positive
    found = estimate_share(audit(gold, gold * 0.9), 0.5, 10_000)
    assert found.estimate.value == found.labels_only == pytest.approx(n_positive / 60)
    assert found.worth == 0


@pytest.mark.parametrize(("gold", "bounds"), [(0, (0, 1 - 0.05 ** (1 / 60))), (1, (0.05 ** (1 / 60), 1))])
def test_a_label_that_none_or_all_carry_is_bounded_on_one_side(gold: int, bounds: tuple[float, float]) -> None:
    found = estimate_share(audit([gold] * 60), 0.5, 10_000).estimate
    assert found.value == gold
    assert (found.low, found.high) == pytest.approx(bounds)


def test_where_no_passage_carries_the_label_clustered_scores_widen_the_bound() -> None:
    score = np.repeat(np.arange(12) / 12, 8)
    loose = estimate_share(audit([0] * 96, score, cluster=np.repeat(np.arange(12), 8)), 0.5, 10_000)
    assert loose.effective_n == pytest.approx(12 * 11 / 12, rel=0.01)
    assert loose.estimate.high == pytest.approx(1 - 0.05 ** (1 / 11), rel=0.01)


def test_nothing_audited_gives_nothing() -> None:
    found = estimate_share(audit([]), 0.5, 100)
    assert (found.estimate.value, found.n) == (None, 0)


def test_one_cluster_gives_a_value_and_no_interval() -> None:
    found = estimate_share(audit([0, 1, 1, 0, 1, 1, 0, 0, 1, 0], cluster=[0] * 10), 0.5, 100)
    assert found.estimate.value == 0.5
    assert found.estimate.low is None
    assert (found.effective_n, found.worth) == (1, 0)


def test_a_corpus_that_was_audited_whole_leaves_no_doubt() -> None:
    gold = (np.arange(40) % 4 == 0).astype(float)
    found = estimate_share(audit(gold, gold), 0.25, 40).estimate
    assert found.value == found.low == found.high == pytest.approx(0.25)


@given(seed=st.integers(0, 10**6))
def test_an_audit_of_everything_is_the_share_itself(seed: int) -> None:
    sample = drawn(seed)
    found = estimate_share(sample, float(sample.score.mean()), len(sample.gold))
    assert found.estimate.value == found.estimate.low == found.estimate.high == found.labels_only


@pytest.mark.parametrize("gold", [0, 1])
def test_one_cluster_without_both_answers_has_no_interval_either(gold: int) -> None:
    assert estimate_share(audit([gold] * 30, cluster=[0] * 30), 0.5, 1000).estimate.low is None


@given(seed=st.integers(0, 10**6), n_corpus=st.integers(60, 500))
def test_scores_are_never_worth_more_than_the_passages_that_are_left(seed: int, n_corpus: int) -> None:
    sample = drawn(seed)
    found = estimate_share(sample, float(sample.score.mean()), n_corpus)
    assert 0 <= found.worth <= n_corpus - 60


def test_a_large_part_of_a_corpus_tells_more() -> None:
    sample = replace(drawn(7), weight=np.ones(60))
    part, drop = (estimate_share(sample, 0.4, n).effective_n for n in (120, 10**6))
    assert part == pytest.approx(2 * drop)


def test_a_stratum_audited_whole_says_nothing_of_how_little_is_known_of_the_others() -> None:
    """All 100 passages of a stratum and 20 of the other 300: of the variance, 1 - 20/300 is left, not 1 - 120/400."""
    rng = np.random.default_rng(9)
    gold = rng.random(400) < np.where(np.arange(400) < 100, 0.2, 0.4)
    covered = 0
    for _ in range(400):
        rows = np.r_[np.arange(100), rng.choice(np.arange(100, 400), 20, replace=False)]
        weight = np.repeat([1, 15], [100, 20])
        found = estimate_share(audit(gold[rows], weight=weight), 0.0, 400).estimate
        covered += (found.low or 0) <= gold.mean() <= (found.high or 0)
    assert covered >= 0.93 * 400


def test_a_corpus_audited_whole_counts_every_passage_once() -> None:
    gold = np.arange(40) % 4 == 0
    assert estimate_share(audit(gold, weight=1 + gold), 0.0, 40).estimate.value == pytest.approx(1 / 4)


def test_where_nothing_varies_clusters_count_as_one_passage_each() -> None:
    found = estimate_share(audit([1] * 90, cluster=np.repeat(np.arange(3), 30)), 0.0, 10_000)
    assert found.effective_n == pytest.approx(3)
    assert found.estimate.low == pytest.approx(0.05 ** (1 / 3))


@given(seed=st.integers(0, 10**6), n=st.integers(1, 80), share=st.floats(0, 1), n_clusters=st.integers(1, 80))
def test_values_lie_in_their_intervals_and_both_in_the_unit_range(
    seed: int, n: int, share: float, n_clusters: int
) -> None:
    rng = np.random.default_rng(seed)
    sample = audit(rng.random(n) < share, rng.random(n), rng.uniform(1, 9, n), rng.integers(0, n_clusters, n))
    found = estimate_share(sample, float(rng.random()), 10_000)
    assert found.estimate.value is not None
    low, high = found.estimate.low, found.estimate.high
    if low is not None and high is not None:
        assert 0 <= low <= found.estimate.value + 1e-12
        assert found.estimate.value <= high + 1e-12 <= 1 + 1e-9
    assert found.worth >= 0
    assert 0 <= found.credit <= 1


@given(seed=st.integers(0, 10**6))
def test_neither_order_nor_scale_of_weights_nor_names_of_clusters_matter(seed: int) -> None:
    sample, order = drawn(seed), np.random.default_rng(seed).permutation(60)
    moved = Audit(*(values[order] for values in (sample.gold, sample.score, 7 * sample.weight, 10 + sample.cluster)))
    one, other = estimate_share(sample, 0.4, 10_000), estimate_share(moved, 0.4, 10_000)
    assert other.estimate.value == pytest.approx(one.estimate.value)
    assert other.effective_n == pytest.approx(one.effective_n)


@pytest.mark.parametrize("n_clusters", [15, 60])
def test_intervals_hold_the_truth_where_naive_ones_do_not(n_clusters: int) -> None:
    rng = np.random.default_rng(11)
    document = np.repeat(np.arange(400), 6)
    latent = rng.normal(0, 1.5, 400)[document] + rng.normal(0, 1, 2400)
    gold = (latent > 0.8).astype(float)
    score = 1 / (1 + np.exp(-latent - rng.normal(0.8, 1, 2400)))
    covered, naive = 0, 0
    for seed in range(300):
        rows = np.flatnonzero(np.isin(document, rng.choice(400, n_clusters, replace=False)))
        sample = audit(gold[rows], score[rows], cluster=document[rows])
        found = estimate_share(sample, float(score.mean()), 2400, seed=seed).estimate
        low, high = wilson(float((score[rows] > 0.5).mean()), len(rows), 1.96)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= gold.mean() <= found.high
        naive += low <= gold.mean() <= high
    assert 0.91 * 300 <= covered <= 0.99 * 300
    assert naive < 0.6 * 300

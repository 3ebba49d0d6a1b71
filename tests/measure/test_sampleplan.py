"""Plans: the half-width that was asked for comes out, and clustering is measured as published."""

import numpy as np
import pytest

from classify.measure.sampleplan import half_width_of, intraclass_correlation, sample_size
from classify.measure.shares import Audit, estimate_share

SIZES = np.random.default_rng(0).integers(2, 15, 1500)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("half_width", [0.05, 0.1])
def test_the_planned_half_width_comes_out_within_15_per_cent(half_width: float, share: float) -> None:
    rng = np.random.default_rng(1)
    document = np.repeat(np.arange(len(SIZES)), SIZES)
    latent = rng.normal(0, 1, len(SIZES))[document] + rng.normal(0, 1, len(document))
    gold = (latent > np.quantile(latent, 1 - share)).astype(float)
    n = sample_size(half_width, share, SIZES, intraclass_correlation(gold > 0, document))
    widths = []
    for _ in range(60):
        rows = rng.choice(len(gold), n, replace=False)
        audit = Audit(gold[rows], np.zeros(n), np.ones(n), document[rows])
        found = estimate_share(audit, 0.0, len(gold)).estimate
        widths.append((found.high - found.low) / 2)  # type: ignore[operator]
    assert np.mean(widths) == pytest.approx(half_width, rel=0.15)


def test_it_is_the_fewest_passages_that_do() -> None:
    n = sample_size(0.05, 0.2, SIZES, 0.3)
    assert half_width_of(n, 0.2, SIZES, 0.3) <= 0.05 < half_width_of(n - 1, 0.2, SIZES, 0.3)


def test_half_a_percent_of_a_small_corpus_needs_nearly_all_of_it() -> None:
    assert sample_size(0.005, 0.5, np.full(20, 5), 0.0) > 95
    assert half_width_of(100, 0.5, np.full(20, 5), 0.0) == 0


@pytest.mark.parametrize(("half_width", "share"), [(0, 0.2), (1, 0.2), (0.1, 0), (0.1, 1)])
def test_a_width_or_share_out_of_range_is_refused(half_width: float, share: float) -> None:
    with pytest.raises(ValueError, match="expected both above 0 and under 1"):
        sample_size(half_width, share, SIZES, 0.1)


def test_passages_that_stand_or_fall_together_correlate_fully_and_dealt_ones_not_at_all() -> None:
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(200), 5)
    assert intraclass_correlation(np.repeat(np.arange(200) % 3 == 0, 5), cluster) == pytest.approx(1)
    assert intraclass_correlation(rng.random(1000) < 0.3, cluster) == pytest.approx(0, abs=0.05)


def test_the_correlation_is_that_of_an_analysis_of_variance_by_hand() -> None:
    # clusters of 2: (1, 1), (1, 0), (0, 0); mean .5, between = 2·(.25 + 0 + .25)/2 = .5, within = .5/3
    gold = np.array([1, 1, 1, 0, 0, 0], dtype=bool)
    assert intraclass_correlation(gold, np.array([0, 0, 1, 1, 2, 2])) == pytest.approx(
        (1 / 2 - 1 / 6) / (1 / 2 + 1 / 6)
    )


@pytest.mark.parametrize("cluster", [[0, 0, 0, 0], [0, 1, 2, 3]])
def test_where_it_cannot_be_told_it_is_nought(cluster: list[int]) -> None:
    assert intraclass_correlation(np.array([True, False, True, False]), np.array(cluster)) == 0

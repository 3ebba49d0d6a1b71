"""Audit samples: drawn with the probabilities they claim, extended by larger draws, fair wherever a coder stops."""

from collections import Counter

import numpy as np
import pytest

from classify.data.auditdraw import MIN_A_STRATUM, draw_audit
from classify.errors import UsageError

IDS = [f"doc{n // 4}#{n % 4}" for n in range(400)]
ALONE = [""] * 400
STRATA = ["large"] * 300 + ["middle"] * 90 + ["small"] * 10


def rows(n: int, strata: list[str], seed: int = 0) -> list[int]:
    return [drawn.row for drawn in draw_audit(IDS, strata, n, seed=seed)]


@pytest.mark.parametrize("strata", [ALONE, STRATA])
def test_a_larger_draw_begins_with_the_smaller_one(strata: list[str]) -> None:
    assert rows(200, strata)[:60] == rows(60, strata)


def test_the_draw_hangs_on_ids_alone_and_not_on_their_order() -> None:
    turned = [drawn.row for drawn in draw_audit(IDS[::-1], ALONE, 50, seed=0)]
    assert [399 - row for row in turned] == rows(50, ALONE)


def test_every_passage_is_drawn_equally_often_over_seeds() -> None:
    counts = Counter(row for seed in range(400) for row in rows(100, ALONE, seed))
    assert np.mean([counts[row] for row in range(400)]) == 100
    assert np.std([counts[row] for row in range(400)]) == pytest.approx(np.sqrt(400 * 0.25 * 0.75), rel=0.15)


def test_without_strata_all_have_the_same_probability() -> None:
    drawn = draw_audit(IDS, ALONE, 100, seed=0)
    assert {one.probability for one in drawn} == {100 / 400}


@pytest.mark.parametrize("n", [40, 100, 250])
def test_strata_get_their_least_and_then_their_part(n: int) -> None:
    drawn = draw_audit(IDS, STRATA, n, seed=0)
    taken = Counter(one.stratum for one in drawn)
    assert taken["small"] == 10
    assert min(taken["large"], taken["middle"]) >= MIN_A_STRATUM
    for one in drawn:
        assert one.stratum == STRATA[one.row]
        assert one.probability == taken[one.stratum] / STRATA.count(one.stratum)


def test_beyond_the_least_strata_share_by_size() -> None:
    taken = Counter(one.stratum for one in draw_audit(IDS, STRATA, 250, seed=0))
    assert taken["large"] / taken["middle"] == pytest.approx(300 / 90, rel=0.1)


def test_all_of_a_corpus_may_be_drawn() -> None:
    assert sorted(rows(1000, STRATA)) == list(range(400))


def test_too_few_for_the_strata_is_refused_with_what_they_need() -> None:
    with pytest.raises(UsageError, match=r"-n 39: 3 parts of 15 passages or all there are need 40"):
        draw_audit(IDS, STRATA, 39, seed=0)


def test_an_id_that_stands_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="id 'a' stands twice"):
        draw_audit(["a", "b", "a"], [""] * 3, 2, seed=0)

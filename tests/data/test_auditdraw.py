"""Audit samples: drawn with the probabilities they claim, extended by larger draws, fair wherever a coder stops."""

import hashlib
from collections import Counter

import numpy as np
import pytest

from classify.data.auditdraw import MIN_A_STRATUM, Drawn, audit_rows, draw_audit, fill_sheet
from classify.data.samplingframe import read_frame
from classify.errors import UsageError

IDS = [f"doc{n // 4}#{n % 4}" for n in range(400)]
ALONE = [""] * 400
STRATA = ["large"] * 300 + ["middle"] * 90 + ["small"] * 10


def draw(n: int, strata: list[str], *, seed: int = 0, ids: list[str] = IDS) -> list[Drawn]:
    corpus = [{"id": name, "kind": stratum} for name, stratum in zip(ids, strata, strict=True)]
    return draw_audit(read_frame(corpus, by="kind" if any(strata) else None, seed=seed), n)


def rows(n: int, strata: list[str], seed: int = 0) -> list[int]:
    return [drawn.row for drawn in draw(n, strata, seed=seed)]


@pytest.mark.parametrize("strata", [ALONE, STRATA])
def test_a_larger_draw_begins_with_the_smaller_one(strata: list[str]) -> None:
    assert rows(200, strata)[:60] == rows(60, strata)


def test_the_draw_hangs_on_ids_alone_and_not_on_their_order() -> None:
    turned = [drawn.row for drawn in draw(50, ALONE, ids=IDS[::-1])]
    assert [399 - row for row in turned] == rows(50, ALONE)


def test_every_passage_is_drawn_equally_often_over_seeds() -> None:
    counts = Counter(row for seed in range(160) for row in rows(100, ALONE, seed))
    assert np.mean([counts[row] for row in range(400)]) == 40
    assert np.std([counts[row] for row in range(400)]) == pytest.approx(np.sqrt(160 * 0.25 * 0.75), rel=0.15)


def test_without_strata_all_have_the_same_probability() -> None:
    drawn = draw(100, ALONE)
    assert {one.probability for one in drawn} == {100 / 400}


@pytest.mark.parametrize("n", [40, 100, 250])
def test_strata_get_their_least_and_then_their_part(n: int) -> None:
    drawn = draw(n, STRATA)
    taken = Counter(one.stratum for one in drawn)
    assert taken["small"] == 10
    assert min(taken["large"], taken["middle"]) >= MIN_A_STRATUM
    for one in drawn:
        assert one.stratum == STRATA[one.row]
        assert one.probability == taken[one.stratum] / STRATA.count(one.stratum)


def test_beyond_the_least_strata_share_by_size() -> None:
    taken = Counter(one.stratum for one in draw(250, STRATA))
    assert taken["large"] / taken["middle"] == pytest.approx(300 / 90, rel=0.1)


def test_all_of_a_corpus_may_be_drawn() -> None:
    assert sorted(rows(1000, STRATA)) == list(range(400))


def test_too_few_for_the_strata_is_refused_with_what_they_need() -> None:
    with pytest.raises(UsageError, match=r"-n 39: 3 parts of 15 passages or all there are need 40"):
        draw(39, STRATA)


def test_an_id_that_stands_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="id 'a' stands twice"):
        draw(2, [""] * 3, ids=["a", "b", "a"])


@pytest.mark.parametrize("n", [0, -1])
def test_a_sample_of_fewer_than_one_is_a_wrong_call(n: int) -> None:
    with pytest.raises(ValueError, match=rf"^a sample of {n} passages; expected at least 1$"):
        draw(n, ALONE)


def test_nothing_can_be_drawn_from_nothing() -> None:
    assert draw(5, [], ids=[]) == []


def test_a_seed_draws_the_passages_it_always_drew() -> None:
    by_hand = sorted(IDS, key=lambda name: hashlib.sha256(f"3:{name}".encode()).hexdigest())
    assert [IDS[row] for row in rows(50, ALONE, seed=3)] == by_hand[:50]


def test_every_pair_is_as_likely_as_any_other() -> None:
    n, seeds, few = 5, 400, IDS[:20]
    pairs = np.zeros((len(few), len(few)))
    for seed in range(seeds):
        drawn = [one.row for one in draw(n, [""] * len(few), ids=few, seed=seed)]
        pairs[np.ix_(drawn, drawn)] += 1
    share = (5 * 4) / (20 * 19)
    counts = pairs[np.triu_indices(len(few), k=1)]
    assert counts.sum() == seeds * (5 * 4) / 2
    assert np.abs(counts - seeds * share).max() < 5 * np.sqrt(seeds * share * (1 - share))


def test_a_sheet_is_filled_from_a_second_look_at_the_rows() -> None:
    corpus = [{"id": name, "text": f"Of {name}.", "labels": {"theme": ["x"]}} for name in IDS]
    frame = read_frame(corpus, seed=0)
    sheet = fill_sheet(iter(corpus), frame, draw_audit(frame, 30), tasks=["theme"], nested=False)
    assert sheet == audit_rows(corpus, 30, seed=0, tasks=["theme"], nested=False)
    assert sheet[0] == {
        "id": sheet[0]["id"],
        "text": f"Of {sheet[0]['id']}.",
        "theme": "",
        "selection": "audit",
        "inclusion_probability": 30 / 400,
    }

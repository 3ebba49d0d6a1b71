"""A simple random sample: every passage as likely as any other, in the order of the corpus."""

import numpy as np
import pytest

from classify.data.sampling import draw_sample
from classify.passages import Passage

CORPUS = [Passage(f"d#{n}", "d", n, n + 1, "x") for n in range(20)]


@pytest.mark.parametrize("n", [1, 5, 19, 20])
def test_a_sample_holds_n_different_passages_in_their_order(n: int) -> None:
    sample = draw_sample(CORPUS, n, seed=0)
    assert len(sample) == n
    assert [passage for passage in CORPUS if passage in sample] == sample


@pytest.mark.parametrize("n", [20, 21, 1000])
def test_a_sample_as_large_as_the_corpus_is_the_corpus(n: int) -> None:
    assert draw_sample(CORPUS, n, seed=3) == CORPUS


def test_nothing_can_be_drawn_from_nothing() -> None:
    assert draw_sample([], 5, seed=0) == []


def test_the_seed_decides_the_sample() -> None:
    assert draw_sample(CORPUS, 5, seed=7) == draw_sample(CORPUS, 5, seed=7)
    assert len({tuple(draw_sample(CORPUS, 5, seed=seed)) for seed in range(50)}) > 45


def test_the_global_generator_is_left_alone() -> None:
    before = str(np.random.get_state())
    draw_sample(CORPUS, 5, seed=0)
    assert str(np.random.get_state()) == before


def test_every_passage_is_as_likely_as_any_other() -> None:
    n, seeds = 5, 400
    drawn = [
        int(passage.id.removeprefix("d#")) for seed in range(seeds) for passage in draw_sample(CORPUS, n, seed=seed)
    ]
    expected = seeds * n / len(CORPUS)
    # Each count is binomial(400, 1/4): 4.5 standard deviations are passed by chance once in 150,000 counts.
    bound = 4.5 * np.sqrt(seeds * (1 / 4) * (3 / 4))
    assert np.abs(np.bincount(drawn, minlength=len(CORPUS)) - expected).max() < bound


def test_every_pair_is_as_likely_as_any_other() -> None:
    n, seeds = 5, 400
    pairs = np.zeros((len(CORPUS), len(CORPUS)))
    for seed in range(seeds):
        rows = [CORPUS.index(passage) for passage in draw_sample(CORPUS, n, seed=seed)]
        pairs[np.ix_(rows, rows)] += 1
    share = (5 * 4) / (20 * 19)
    counts = pairs[np.triu_indices(len(CORPUS), k=1)]
    assert counts.sum() == seeds * (5 * 4) / 2
    assert np.abs(counts - seeds * share).max() < 5 * np.sqrt(seeds * share * (1 - share))


@pytest.mark.parametrize("n", [0, -1])
def test_a_sample_of_fewer_than_one_is_a_wrong_call(n: int) -> None:
    with pytest.raises(ValueError, match=rf"^a sample of {n} passages; expected at least 1$"):
        draw_sample(CORPUS, n, seed=0)

"""How often 95% intervals of shares hold the truth: six ways to draw an audit sample, three shares, a biased tagger.

    python tests/benchmarks/share_coverage.py [DRAWS]

A corpus of 1,500 documents (some 12,000 passages) whose passages are alike within a document, tagged by a model whose
probabilities are too high and noisy; 800 (or DRAWS) corpora, and one sample of each design from each. Columns: the mean
share, how often the interval holds it, its mean width, the estimate's bias, the hand labels that the scores stand for;
then how often the same interval holds it without being told of weights and documents, and how often that of counting
the corpus's machine tags does (Wilson's).
"""

import sys
from collections.abc import Callable

import numpy as np

from classify.measure.arrays import FloatArray, IntArray
from classify.measure.calibration import sigmoid
from classify.measure.shares import Audit, estimate_share, wilson

SHARES = (0.05, 0.15, 0.40)
N_DOCUMENTS = 1500
Draw = Callable[[np.random.Generator, IntArray, FloatArray], tuple[IntArray, FloatArray]]


def corpus(rng: np.random.Generator, share: float) -> tuple[IntArray, FloatArray, FloatArray]:
    """The document of every passage, its gold label, and its score."""
    document = np.repeat(np.arange(N_DOCUMENTS), rng.integers(2, 15, N_DOCUMENTS))
    n = len(document)
    latent = rng.normal(0, 1.2, N_DOCUMENTS)[document] + rng.normal(0, 1.5, n)
    latent -= np.quantile(latent, 1 - share)
    gold = (rng.random(n) < sigmoid(3 * latent)).astype(float)
    return document, gold, sigmoid(1.3 * (0.9 * latent + rng.normal(0, 1, n)) + 0.5)


def passages(n: int) -> Draw:
    return lambda rng, document, _: (rng.choice(len(document), n, replace=False), np.ones(n))


def documents(n: int, most: int) -> Draw:
    """Some passages each of some documents: a passage's weight is its document's passages by those drawn."""

    def draw(rng: np.random.Generator, document: IntArray, _: FloatArray) -> tuple[IntArray, FloatArray]:
        members = [np.flatnonzero(document == one) for one in rng.choice(N_DOCUMENTS, n, replace=False)]
        taken = [rng.permutation(rows)[:most] for rows in members]
        weights = [np.full(len(some), len(rows) / len(some)) for rows, some in zip(members, taken, strict=True)]
        return np.concatenate(taken), np.concatenate(weights)

    return draw


def doubtful(n: int) -> Draw:
    """More of what the tagger is unsure of, by a known probability."""

    def draw(rng: np.random.Generator, _: IntArray, score: FloatArray) -> tuple[IntArray, FloatArray]:
        doubt = 1.2 - 2 * np.abs(score - 0.5)
        probability = np.minimum(1, n * doubt / doubt.sum())
        rows = np.flatnonzero(rng.random(len(score)) < probability)
        return rows, 1 / probability[rows]

    return draw


DESIGNS: dict[str, Draw] = {
    "100 random passages": passages(100),
    "200 random passages": passages(200),
    "25 documents, up to 4 each": documents(25, 4),
    "50 documents, up to 4 each": documents(50, 4),
    "12 whole documents": documents(12, 1000),
    "some 150, doubtful ones first": doubtful(150),
}


def run(share: float, draw: Draw, n_draws: int) -> list[float]:
    rng, found_by = np.random.default_rng(1), []
    for seed in range(n_draws):
        document, gold, score = corpus(rng, share)
        truth, mean_score = float(gold.mean()), float(score.mean())
        rows, weight = draw(rng, document, score)
        sample = Audit(gold[rows], score[rows], weight, document[rows])
        told = estimate_share(sample, mean_score, len(gold), seed=seed)
        blind = Audit(gold[rows], score[rows], np.ones(len(rows)), np.arange(len(rows)))
        naive = estimate_share(blind, mean_score, len(gold), seed=seed).estimate
        counted = wilson(float((score > 0.5).mean()), len(gold), 1.96)
        found = told.estimate
        assert found.value is not None
        bounds = [(found.low, found.high), (naive.low, naive.high), counted]
        holds = [low is not None and high is not None and low <= truth <= high for low, high in bounds]
        width = (found.high or 0) - (found.low or 0)
        found_by.append([truth, *map(float, holds), width, found.value - truth, told.worth])
    return list(np.mean(found_by, axis=0).tolist())


def main(n_draws: int) -> None:
    columns = ("share", "holds", "width", "bias", "worth", "naive", "counting tags")
    print(f"{'design':30}" + "".join(f"{column:>14}" for column in columns))
    for share in SHARES:
        for name, draw in DESIGNS.items():
            truth, holds, naive, counting, width, bias, worth = run(share, draw, n_draws)
            cells = (f"{truth:.3f}", f"{holds:.1%}", f"{width:.3f}", f"{bias:+.4f}", f"{worth:.0f}")
            print(
                f"{name:30}" + "".join(f"{cell:>14}" for cell in (*cells, f"{naive:.1%}", f"{counting:.1%}")),
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 800)

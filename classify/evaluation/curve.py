"""Learn from ever more events, to a learning curve with a band and a coarse answer to how much more would help."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from classify.codebook import Task
from classify.data.dataset import Dataset, TaskGold
from classify.evaluation.results import LearningCurve
from classify.evaluation.schemes import Split
from classify.evaluation.work import Job, cost_of
from classify.learn.features import CountedTexts
from classify.learn.settings import TaskSettings
from classify.learn.weights import counts_for, fit_weights
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.intervals import MIN_GROUPS, Estimate
from classify.measure.scores import ranks_of, weighted_average_precision

FRACTIONS = (0.2, 0.4, 0.6, 0.8, 1.0)
N_DRAWS = 5
DRAWN_PASSAGES = 2_500
"""Larger sets are drawn from less often, but twice at least: their curves vary less, and each draw takes longer."""
N_BOOTSTRAP = 200
N_MORE = 100
MAX_PASSAGES = 5_000
FLAT = 0.02
_POWERS = np.arange(0.1, 1.55, 0.1)


@dataclass(frozen=True)
class Point:
    """Scores of held-out passages after learning from a part of the events: which part, which draw, how many rows."""

    fraction: float
    draw: int
    n_passages: int
    rows: IntArray
    scores: FloatArray


def curve_jobs(
    dataset: Dataset, task: Task, settings: TaskSettings, counted: CountedTexts, splits: Sequence[Split], *, seed: int
) -> list[Job[Point]]:
    """One job for each split, draw of events and part of them; none above 5,000 passages, where it would take long.

    `counted` are the dataset's texts, as `count_for` counts them.
    """
    gold = dataset.gold(task)
    if len(dataset.passages) > MAX_PASSAGES:
        return []
    chosen = settings.fixed
    counted = counts_for(counted, task, chosen)
    jobs = []
    for draw in range(min(N_DRAWS, max(2, DRAWN_PASSAGES // len(dataset.passages)))):
        rank = np.random.default_rng([seed, draw]).permutation(len(dataset.event_names))
        for split in splits:
            inside = split.inside[gold.coded[split.inside]]
            place = np.unique(rank[dataset.groups[inside]], return_inverse=True)[1]
            for fraction in FRACTIONS if draw == 0 else FRACTIONS[:-1]:
                rows = inside[place < np.ceil(fraction * (place.max(initial=0) + 1))]
                point = partial(_learn, counted, gold, chosen, rows, split.outside, (fraction, draw))
                jobs.append(Job(point, cost_of(counted, n_fits=fraction)))
    return jobs


def _learn(
    counted: CountedTexts,
    gold: TaskGold,
    settings: TaskSettings,
    rows: IntArray,
    outside: IntArray,
    which: tuple[float, int],
) -> Point:
    (weights,) = fit_weights(counted, gold, rows, [settings])
    scores, _ = weights.score(counted, outside)
    return Point(*which, len(rows), outside, ranks_of(scores))


def draw_curve(
    dataset: Dataset, task: Task, points: Sequence[Point], judged: BoolArray, *, seed: int
) -> LearningCurve | None:
    """The curve over the labels that are `judged`, with a band from drawing held-out events and parts learnt from anew.

    None without such labels, or under 6 events.
    """
    if not points or not judged.any():
        return None
    gold = dataset.gold(task)
    held = np.unique(dataset.groups[np.concatenate([point.rows for point in points])])
    if len(held) < MIN_GROUPS:
        return None
    rng = np.random.default_rng(seed)
    weights = np.ones((1 + N_BOOTSTRAP, len(dataset.event_names)))
    weights[1:, held] = rng.multinomial(len(held), np.full(len(held), 1 / len(held)), N_BOOTSTRAP)
    sizes, means, drawn, of_draws = [], [], [], []
    for fraction in FRACTIONS:
        parts = [[p for p in points if (p.fraction, p.draw) == (fraction, draw)] for draw in range(N_DRAWS)]
        found = np.array([_quality(gold, part, judged, weights[:, dataset.groups]) for part in parts if part])
        sizes.append(round(np.mean([point.n_passages for point in points if point.fraction == fraction])))
        means.append(found.mean(axis=0))
        drawn.append(found[rng.integers(0, len(found), 1 + N_BOOTSTRAP), np.arange(1 + N_BOOTSTRAP)])
        of_draws.append(found[:, 0])
    low, high = np.quantile(np.array(means)[:, 1:], [0.025, 0.975], axis=1)
    n_more = min(N_MORE, sizes[-1])
    gain = _gain(np.array(sizes, dtype=np.float64), np.array(means)[:, 0], np.array(drawn)[:, 1:].T, n_more, rng)
    return LearningCurve(
        n_passages=tuple(sizes),
        value=tuple(float(mean[0]) for mean in means),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        n_more=n_more,
        gain=gain,
        answer=_answer(gain, n_more, is_rising=bool((of_draws[-1].mean() > of_draws[-2]).all())),
    )


def _quality(gold: TaskGold, points: Sequence[Point], judged: BoolArray, weights: FloatArray) -> FloatArray:
    """Macro average precision under each row of passage weights, shape (n_draws,)."""
    scores = np.full(gold.gold.shape, np.nan)
    for point in points:
        scores[point.rows] = point.scores
    held = ~np.isnan(scores[:, 0])
    total = np.zeros(len(weights))
    for n in np.flatnonzero(judged):
        rows = np.flatnonzero(held & gold.known[:, n])
        total += weighted_average_precision(gold.gold[rows, n], scores[rows, n], weights[:, rows])
    return np.asarray(total / judged.sum())


def _gain(sizes: FloatArray, curve: FloatArray, drawn: FloatArray, n_more: int, rng: np.random.Generator) -> Estimate:
    """What fitted power laws a - b·n^-c (Figueroa et al. 2012, weights n) add over n_more further passages.

    The bounds hold 95% of the drawn curves' gains, each moved at random by as much as its law missed its points.
    """
    found = np.array([_extrapolated(sizes, one, n_more) for one in drawn])
    low, high = np.quantile(found[:, 0] + rng.normal(size=len(found)) * found[:, 1], [0.025, 0.975])
    return Estimate(_extrapolated(sizes, curve, n_more)[0], float(low), float(high))


def _extrapolated(sizes: FloatArray, curve: FloatArray, n_more: int) -> tuple[float, float]:
    """The best law's gain, and the spread of its misses."""
    root = np.sqrt(sizes)
    best, gain = np.inf, 0.0
    for power in _POWERS:
        design = np.stack([np.ones_like(sizes), -(sizes**-power)], axis=1)
        (a, b), *_ = np.linalg.lstsq(design * root[:, None], curve * root, rcond=None)
        error = float((((design @ [a, b] - curve) * root) ** 2).sum())
        if error < best:
            best, gain = error, float(b * (sizes[-1] ** -power - (sizes[-1] + n_more) ** -power))
    return gain, float(np.sqrt(best / sizes.sum() * len(sizes) / (len(sizes) - 3)))


def _answer(gain: Estimate, n_more: int, *, is_rising: bool) -> str:
    """One of three classes, because extrapolations of small curves miss by as much as the gain itself.

    `is_rising`: the last step of the curve rises, whichever part of the events it starts from.
    """
    assert gain.low is not None
    assert gain.high is not None
    low, high = 100 * gain.low, 100 * gain.high
    if gain.high <= FLAT:
        return f"{n_more} more passages of this kind: likely flat (under {100 * FLAT:.0f} points)"
    if gain.low > 0 and is_rising:
        return f"{n_more} more passages of this kind: likely {low:+.0f} to {high:+.0f} points"
    return f"{n_more} more passages of this kind: can't tell ({low:+.0f} to {high:+.0f} points)"

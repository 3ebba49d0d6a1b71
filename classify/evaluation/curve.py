"""Learn from ever more events, to a learning curve with a band and a coarse answer to how much more would help."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from classify.codebook import Task
from classify.data.dataset import Dataset, TaskGold
from classify.evaluation.results import LearningCurve
from classify.evaluation.schemes import Split
from classify.evaluation.work import Job
from classify.learn.features import CountedTexts
from classify.learn.settings import TaskSettings
from classify.learn.training import count_for, fit_weights
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.intervals import MIN_GROUPS, Estimate
from classify.measure.scores import ranks_of

FRACTIONS = (0.2, 0.4, 0.6, 0.8, 1.0)
N_DRAWS = 5
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
    dataset: Dataset, task: Task, settings: TaskSettings, splits: Sequence[Split], *, seed: int
) -> list[Job[Point]]:
    """One job for each split, draw of events and part of them; none above 5,000 passages, where it would take long."""
    gold = dataset.gold(task)
    if len(dataset.passages) > MAX_PASSAGES:
        return []
    chosen = settings.candidates[0]
    counted = count_for(task, dataset.texts, chosen)
    cost = float(sum(block.tf.nnz for block in counted.blocks) * len(task.labels))
    jobs = []
    for draw in range(N_DRAWS):
        rank = np.random.default_rng([seed, draw]).permutation(len(dataset.event_names))
        for split in splits:
            inside = split.inside[gold.coded[split.inside]]
            place = np.unique(rank[dataset.groups[inside]], return_inverse=True)[1]
            for fraction in FRACTIONS if draw == 0 else FRACTIONS[:-1]:
                rows = inside[place < np.ceil(fraction * (place.max(initial=0) + 1))]
                point = partial(_learn, counted, gold, chosen, rows, split.outside, (fraction, draw))
                jobs.append(Job(point, fraction * cost))
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
    """The curve over the labels that are `judged`, with a band from drawing events anew; None if there is none."""
    gold, n_events = dataset.gold(task), len(dataset.event_names)
    if not points or not judged.any() or n_events < MIN_GROUPS:
        return None
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(n_events, np.full(n_events, 1 / n_events), N_BOOTSTRAP).astype(np.float64)
    weights = np.vstack([np.ones(n_events), weights])[:, dataset.groups]
    sizes, values = [], []
    for fraction in FRACTIONS:
        draws = sorted({point.draw for point in points if point.fraction == fraction})
        found = [
            _quality(gold, [p for p in points if (p.fraction, p.draw) == (fraction, draw)], judged, weights)
            for draw in draws
        ]
        sizes.append(round(np.mean([point.n_passages for point in points if point.fraction == fraction])))
        values.append(np.mean(found, axis=0))
    curves = np.array(values).T
    low, high = np.quantile(curves[1:], [0.025, 0.975], axis=0)
    n_more = min(N_MORE, sizes[-1])
    gain = _gain(np.array(sizes, dtype=np.float64), curves, n_more)
    return LearningCurve(
        n_passages=tuple(sizes),
        value=tuple(curves[0].tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        n_more=n_more,
        gain=gain,
        answer=_answer(gain, n_more),
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
        order = rows[np.argsort(-scores[rows, n], kind="stable")]
        w, positive = weights[:, order], gold.gold[order, n]
        ranked = scores[order, n]
        ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
        tie = ends[np.searchsorted(ends, np.arange(len(ranked)))]
        hits, seen = np.cumsum(w * positive, axis=1), np.cumsum(w, axis=1)
        mean = (w * positive * hits[:, tie] / np.maximum(seen[:, tie], 1)).sum(axis=1)
        total += mean / np.maximum(hits[:, -1], 1)
    return np.asarray(total / judged.sum())


def _gain(sizes: FloatArray, curves: FloatArray, n_more: int) -> Estimate:
    """What the fitted power laws a - b·n^-c (Figueroa et al. 2012, weights n) add over n_more further passages."""
    gains = np.array([_extrapolated(sizes, curve, n_more) for curve in curves])
    low, high = np.quantile(gains[1:], [0.025, 0.975])
    return Estimate(float(gains[0]), float(low), float(high))


def _extrapolated(sizes: FloatArray, curve: FloatArray, n_more: int) -> float:
    root = np.sqrt(sizes)
    best, gain = np.inf, 0.0
    for power in _POWERS:
        design = np.stack([np.ones_like(sizes), -(sizes**-power)], axis=1)
        (a, b), *_ = np.linalg.lstsq(design * root[:, None], curve * root, rcond=None)
        error = float((((design @ [a, b] - curve) * root) ** 2).sum())
        if error < best:
            best, gain = error, float(b * (sizes[-1] ** -power - (sizes[-1] + n_more) ** -power))
    return gain


def _answer(gain: Estimate, n_more: int) -> str:
    """One of three classes, because extrapolations of small curves miss by as much as the gain itself."""
    assert gain.low is not None
    assert gain.high is not None
    low, high = 100 * gain.low, 100 * gain.high
    if gain.low > 0 and gain.high > FLAT:
        return f"{n_more} more passages of this kind: likely {low:+.0f} to {high:+.0f} points"
    if gain.high <= FLAT:
        return f"{n_more} more passages of this kind: likely flat (under {100 * FLAT:.0f} points)"
    return f"{n_more} more passages of this kind: can't tell ({low:+.0f} to {high:+.0f} points)"

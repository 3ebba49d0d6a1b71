"""How often 95% intervals hold the truth, and how well Platt's calibration finds a known one: simulated, with a table.

    python tests/benchmarks/interval_coverage.py [DRAWS]

C1: events of 4 to 13 passages whose share of positives and whose errors differ from event to event; the truth is the
value over a million events. C5: labels drawn from logits of known slope and shift. 1,000 draws by default.
"""

import sys

import numpy as np

from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.calibration import fit_platt, sigmoid
from classify.measure.intervals import estimate_from_counts, logit_jackknife_t
from classify.measure.scores import (
    average_precision,
    average_precision_without,
    f1,
    grouped_counts,
    grouped_rates,
    rate,
)

EVENTS = (6, 10, 20, 40)
N_BOOTSTRAP = 400
Simulated = tuple[BoolArray, BoolArray, FloatArray, IntArray]


def simulate(rng: np.random.Generator, n_events: int) -> Simulated:
    """Gold labels, predictions, scores and events: each event has a base rate and a difficulty of its own."""
    groups = np.repeat(np.arange(n_events), rng.integers(4, 14, n_events))
    base, difficulty = rng.normal(-0.6, 1.2, n_events)[groups], rng.normal(0, 0.8, n_events)[groups]
    gold = rng.random(len(groups)) < sigmoid(base)
    score = 1.6 * (2 * gold - 1.0) + difficulty + rng.logistic(size=len(groups))
    return gold, score > 0, score, groups


def measures(found: Simulated) -> dict[str, float]:
    gold, predicted, score, _ = found
    tp, wrong = (gold & predicted).sum(), (gold != predicted).sum()
    return {"F1": 2 * tp / (2 * tp + wrong), "AP": average_precision(gold, score), "share": gold.mean()}


def jackknifed(found: Simulated) -> dict[str, tuple[float, float]]:
    gold, predicted, score, groups = found
    known = np.ones_like(gold)[:, None]
    counts = grouped_counts(gold[:, None], predicted[:, None], known, groups)[:, 0]
    estimates = {
        "F1": estimate_from_counts(counts, f1),
        "AP": logit_jackknife_t(average_precision(gold, score), average_precision_without(gold, score, groups)),
        "share": estimate_from_counts(grouped_rates(gold, known[:, 0], groups), rate),
    }
    return {name: (float(e.low or 0), float(1 if e.high is None else e.high)) for name, e in estimates.items()}


def bootstrapped(found: Simulated, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    """Percentile intervals of drawing passages as if they were independent."""
    n = len(found[0])
    drawn = [measures(tuple(part[rows] for part in found)) for rows in rng.integers(0, n, (N_BOOTSTRAP, n))]
    return {
        name: tuple(np.quantile([one[name] for one in drawn], [0.025, 0.975]).tolist())
        for name in ("F1", "AP", "share")
    }


def coverage(n_draws: int) -> None:
    truth = measures(simulate(np.random.default_rng(0), 1_000_000))
    print(f"C1: true F1 {truth['F1']:.3f}, AP {truth['AP']:.3f}, share {truth['share']:.3f}; {n_draws} draws")
    print("coverage of 95% intervals     jackknife-t over events       bootstrap over passages")
    print("events                        F1       AP    share          F1       AP    share")
    for n_events in EVENTS:
        rng = np.random.default_rng(n_events)
        held = np.zeros((2, 3))
        for _ in range(n_draws):
            found = simulate(rng, n_events)
            for way, bounds in enumerate((jackknifed(found), bootstrapped(found, rng))):
                held[way] += [low <= truth[name] <= high for name, (low, high) in bounds.items()]
        cells = [f"{value / n_draws:8.1%}" for value in held.ravel()]
        print(f"{n_events:6}                  {' '.join(cells[:3])}    {' '.join(cells[3:])}")


def calibration(n_draws: int) -> None:
    print("\nC5: Platt's slope and intercept on logits of known ones; mean (sd) over draws")
    print("passages    true slope, intercept          slope      intercept")
    for n in (200, 1_000, 5_000):
        for slope, shift in ((1.0, 0.0), (2.0, -1.0), (0.5, 1.0)):
            rng = np.random.default_rng(n)
            fits = []
            for _ in range(n_draws):
                score = rng.normal(0, 1.5, n)
                fits.append(fit_platt(score, rng.random(n) < sigmoid(slope * score + shift)))
            (a, b), (sa, sb) = np.mean(fits, axis=0), np.std(fits, axis=0)
            print(f"{n:8}    {slope:10.1f} {shift:10.1f}    {a:7.2f} ({sa:.2f}) {b:7.2f} ({sb:.2f})")
    slope, intercept = fit_platt(np.linspace(-1, 1, 50), np.zeros(50, dtype=bool))
    print(f"50 passages, no positive: p = {float(sigmoid(np.array(intercept))):.4f}, at most 1 / 52 = {1 / 52:.4f}")


if __name__ == "__main__":
    asked = int(sys.argv[1]) if len(sys.argv) == 2 else 1_000
    coverage(asked)
    calibration(min(asked, 300))

"""Recompute a report's numbers from its predictions.csv with none of our code: python tests/recompute.py FOLDER."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import t
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score


def jackknife(measure, rows, on_odds=False):
    value, without = measure(rows), [measure(rows[rows.event != event]) for event in rows.event.unique()]
    n, centre = len(without), min(max(value, 0.005), 0.995)
    half = t.ppf(0.975, n - 1) * np.sqrt((n - 1) / n * ((without - np.mean(without)) ** 2).sum())
    bounds = expit(logit(centre) + PM * half / (centre * (1 - centre))) if on_odds else value + half * PM
    return {"value": value, "low": max(0, min(value, bounds[0])), "high": min(1, max(value, bounds[1]))}


folder, differences, PM = Path(sys.argv[1]), [], np.array([-1, 1])
metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
cells = pd.read_csv(folder / "predictions.csv", dtype={"id": str, "event": str}).query("system == 'model'")
for task, facts in metrics["tasks"].items():
    of_task = cells[cells.task == task]
    for label, told in ((name, found) for name, found in facts["labels"].items() if found["f1"]["low"] is not None):
        rows = of_task[(of_task.label == label) & of_task.gold.notna()]
        ap = jackknife(lambda r: average_precision_score(r.gold, r.probability), rows, on_odds=True)
        f1 = jackknife(lambda r: f1_score(r.gold, r.predicted), rows)
        differences += [f1[bound] - told["f1"][bound] for bound in f1]
        differences += [ap[bound] - told["average_precision"][bound] for bound in ap]
        differences += [precision_score(rows.gold, rows.predicted, zero_division=0) - (told["precision"] or 0)]
        differences += [recall_score(rows.gold, rows.predicted) - told["recall"]]
    by_passage = of_task.assign(right=of_task.gold == of_task.predicted, known=of_task.gold.notna()).groupby("id")
    passages = by_passage.agg({"event": "first", "right": "all", "known": "all"}).query("known")
    exact, told = jackknife(lambda r: r.right.mean(), passages), facts.get("exact_match") or facts["accuracy"]
    differences += [exact[bound] - told[bound] for bound in exact if told[bound] is not None]
print(f"{len(differences)} numbers recomputed; they differ by {np.abs(differences).max():.0e} at most")
sys.exit(bool(np.abs(differences).max() > 1e-9))

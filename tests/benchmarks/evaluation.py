"""Nested grouped cross-validation beside GridSearchCV over a Pipeline, and the event jackknife beside f1_score.

    python tests/benchmarks/evaluation.py DATA [ROUNDS]

DATA is a folder with `codebook.toml` and `train.jsonl.gz`, multilabel. Outer 5 and inner 3 folds of whole events, 4 C,
2 n-gram settings, the 12 commonest labels, 500 and 5,000 passages, one worker each. Both sides run in turn, in
processes of their own; medians of CPU and wall seconds, their ratio, and how far the outer scores differ. GridSearchCV
runs with scikit-learn's defaults for LIBLINEAR, and once, not timed, to a tolerance at which both must find the same
optimum.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np

from classify.codebook import Codebook, Label, Task, load_codebook
from classify.data.dataset import Dataset, TaskGold, load_labels
from classify.data.splits import grouped_folds
from classify.learn.settings import TaskSettings
from classify.learn.training import best_candidate, score_out_of_fold
from classify.learn.weights import count_for, counts_for, fit_weights
from classify.measure.intervals import estimate_from_counts, jackknife_groups, jackknife_t
from classify.measure.scores import average_precision, f1, grouped_counts

OUTER, INNER, N_LABELS = 5, 3, 12
SIZES = (500, 5_000)
GRID: dict[str, tuple[Any, ...]] = {"C": (0.1, 1.0, 10.0, 100.0), "word_ngrams": ((1, 1), (1, 2))}
SETTINGS = TaskSettings(drop_stop_words=False, stem=False, balanced=False, hit_weight=0.0, min_df=2, search=GRID)


def load(folder: Path, n: int) -> tuple[Dataset, Task, TaskGold]:
    """The first n passages, shuffled, with the commonest labels alone."""
    dataset = load_labels(folder / "train.jsonl.gz", load_codebook(folder / "codebook.toml"))
    (task,) = dataset.codebook.tasks
    commonest = np.sort(np.argsort(-dataset.gold(task).support, kind="stable")[:N_LABELS])
    drawn = set(np.random.default_rng(0).permutation(len(dataset.passages))[:n].tolist())
    kept = {passage.id for row, passage in enumerate(dataset.passages) if row in drawn}
    part = dataset.where(lambda passage: passage.id in kept)
    gold = part.gold(task)
    chosen = replace(task, labels=tuple(Label(task.labels[column].name) for column in commonest))
    book = Codebook("benchmark", (chosen,))
    return replace(part, codebook=book), chosen, TaskGold(gold.gold[:, commonest], gold.known[:, commonest])


def quality(gold: Any, scores: Any) -> float:
    """Average precision, a mean over the labels that have a positive."""
    return float(np.mean([average_precision(gold[:, n], scores[:, n]) for n in np.flatnonzero(gold.any(axis=0))]))


def folds_of(gold: TaskGold, groups: Any, rows: Any, n_folds: int) -> Any:
    numbers = np.unique(groups[rows], return_inverse=True)[1]
    return grouped_folds(gold.gold[rows], numbers, n_folds=n_folds, seed=0)


def ours(folder: Path, n: int) -> list[float]:
    dataset, task, gold = load(folder, n)
    start = time.process_time(), time.perf_counter()
    counted = count_for(task, dataset.texts, SETTINGS)
    everything = np.arange(len(dataset.passages))
    outer = folds_of(gold, dataset.groups, everything, OUTER)
    found = []
    for fold in range(OUTER):
        inside, outside = everything[outer != fold], everything[outer == fold]
        inner = folds_of(gold, dataset.groups, inside, INNER)
        tried = score_out_of_fold(counted, gold, inside, inner, task, SETTINGS.candidates)
        chosen = SETTINGS.candidates[best_candidate(tried, gold, inside, inner)]
        counts = counts_for(counted, task, chosen)
        (weights,) = fit_weights(counts, gold, inside, [chosen])
        found.append(quality(gold.gold[outside], weights.score(counts, outside)[0]))
    return [time.process_time() - start[0], time.perf_counter() - start[1], *found]


def theirs(folder: Path, n: int, *, exact: bool = False) -> list[float]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import Pipeline

    dataset, _, gold = load(folder, n)
    texts = np.array(dataset.texts, dtype=object)
    start = time.process_time(), time.perf_counter()
    options = {"dual": True, "tol": 1e-7, "max_iter": 100_000} if exact else {"max_iter": 1000}
    model = OneVsRestClassifier(LogisticRegression(solver="liblinear", random_state=0, **options))
    pipeline = Pipeline([("tfidf", TfidfVectorizer(sublinear_tf=True, min_df=2)), ("model", model)])
    grid = {"model__estimator__C": list(GRID["C"]), "tfidf__ngram_range": list(GRID["word_ngrams"])}
    everything = np.arange(len(texts))
    outer = folds_of(gold, dataset.groups, everything, OUTER)
    target = gold.gold.astype(int)
    found = []
    for fold in range(OUTER):
        inside, outside = everything[outer != fold], everything[outer == fold]
        inner = folds_of(gold, dataset.groups, inside, INNER)
        splits = [(np.flatnonzero(inner != number), np.flatnonzero(inner == number)) for number in range(INNER)]
        search = GridSearchCV(pipeline, grid, scoring=_scorer, cv=splits, n_jobs=1)
        search.fit(texts[inside], target[inside])
        found.append(quality(gold.gold[outside], search.decision_function(texts[outside])))
    return [time.process_time() - start[0], time.perf_counter() - start[1], *found]


def _scorer(model: Any, texts: Any, target: Any) -> float:
    return quality(target.astype(bool), model.decision_function(texts))


def exact(folder: Path, n: int) -> list[float]:
    return theirs(folder, n, exact=True)


def apart(function: Callable[[Path, int], list[float]], folder: Path, n: int) -> list[float]:
    """The function's result in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, folder, n).result()


def cross_validation(folder: Path, rounds: int) -> None:
    print(
        "nested cross-validation     n   ours cpu, wall    GridSearchCV cpu, wall    ratio cpu, wall   scores differ by"
    )
    for n in SIZES:
        runs = [(apart(ours, folder, n), apart(theirs, folder, n)) for _ in range(rounds)]
        (cpu, wall), (their_cpu, their_wall) = (
            [statistics.median(run[side][clock] for run in runs) for clock in range(2)] for side in range(2)
        )
        same = apart(exact, folder, n)[2:]
        apart_by = [
            max(abs(a - b) for a, b in zip(runs[0][0][2:], other, strict=True)) for other in (runs[0][1][2:], same)
        ]
        print(
            f"{n:29} {cpu:10.1f} {wall:6.1f} {their_cpu:17.1f} {their_wall:7.1f} {their_cpu / cpu:12.1f} "
            f"{their_wall / wall:6.1f}   {apart_by[0]:.1e} (to the same optimum: {apart_by[1]:.1e})"
        )


def jackknife(folder: Path, rounds: int) -> None:
    """Macro-F1 with each event left out: from counts by event, and by f1_score on the remaining rows."""
    from sklearn.metrics import f1_score

    print("event jackknife of macro-F1     n   ours ms   f1_score ms    ratio   bounds differ by")
    for n in SIZES:
        dataset, _, gold = load(folder, n)
        rng = np.random.default_rng(0)
        predicted, groups = gold.gold ^ (rng.random(gold.gold.shape) < 0.05), jackknife_groups(dataset.groups)
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            start = time.process_time()
            counts = grouped_counts(gold.gold, predicted, gold.known, groups)
            fast = estimate_from_counts(counts, lambda found: np.nan_to_num(f1(found)).mean(axis=-1))
            middle = time.process_time()
            macro = [
                f1_score(gold.gold[rows], predicted[rows], average="macro", zero_division=0.0)
                for rows in (groups != group for group in range(int(groups.max()) + 1))
            ]
            whole = float(f1_score(gold.gold, predicted, average="macro", zero_division=0.0))
            slow = jackknife_t(whole, np.array(macro))
            times[0].append(middle - start)
            times[1].append(time.process_time() - middle)
        ms, their_ms = (1000 * statistics.median(found) for found in times)
        assert None not in (fast.low, fast.high, slow.low, slow.high)
        differ = max(abs(fast.low - slow.low), abs(fast.high - slow.high))
        print(f"{n:33} {ms:9.1f} {their_ms:13.0f} {their_ms / ms:8.0f}   {differ:.1e}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    asked = int(sys.argv[2]) if len(sys.argv) == 3 else 3
    jackknife(Path(sys.argv[1]), asked)
    cross_validation(Path(sys.argv[1]), asked)

"""How well the default model predicts, beside scikit-learn and LibMultiLabel, on sets with an official test part.

    python tests/benchmarks/quality.py DATA [SET ...]

DATA holds a folder a set with `codebook.toml`, `train.jsonl.gz` and `test.jsonl.gz`; by default every set is run, and
`few`: few random passages of `reuters`, its ten commonest topics, a codebook of what their names say. All systems learn
from the same training passages. scikit-learn: word TF-IDF without English stop words, a balanced linear SVM a label.
LibMultiLabel (`pip install libmultilabel`; left out where it isn't there): its one-vs-rest and its cost-sensitive
methods, on its own features. Ours: the defaults, through `train` and `Predictor`.
"""

import importlib.util
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.svm import LinearSVC

from classify import Predictor, load_codebook, load_labels, train
from classify.codebook import Codebook, Label, Task
from classify.data.dataset import Dataset, make_dataset
from classify.learn.thresholds import fit_decision
from classify.measure.arrays import BoolArray, FloatArray

NAMES = {
    "earn": ("earn*",),
    "acq": ("acqui*",),
    "money-fx": ("money", "foreign exchange"),
    "grain": ("grain*",),
    "crude": ("crude",),
    "trade": ("trade*",),
    "interest": ("interest", "interest rate*"),
    "wheat": ("wheat",),
    "ship": ("ship*",),
    "corn": ("corn",),
}
"""Reuters' ten commonest topics, each with what its name says and no more."""
N_DRAWS = 8
N_JUDGED = 800


def task_of(codebook: Codebook) -> Task:
    return codebook.tasks[0]


def measures(task: Task, gold: BoolArray, predicted: BoolArray) -> str:
    if not task.is_multilabel:
        accuracy = accuracy_score(gold.argmax(axis=1), predicted.argmax(axis=1))
        macro = f1_score(gold.argmax(axis=1), predicted.argmax(axis=1), average="macro")
        return f"accuracy {accuracy:.3f}  macro-F1 {macro:.3f}"
    micro, macro = (f1_score(gold, predicted, average=how, zero_division=0) for how in ("micro", "macro"))
    return f"micro-F1 {micro:.3f}  macro-F1 {macro:.3f}  exact match {(gold == predicted).all(axis=1).mean():.3f}"


def by_us(learnt: Dataset, judged: Dataset, unlabelled: list[str]) -> tuple[BoolArray, str]:
    task = task_of(learnt.codebook)
    bundle = train(learnt, unlabelled=unlabelled)
    with TemporaryDirectory() as folder:
        bundle.save(folder)
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        predictions = Predictor.load(folder).predict(judged.texts)
    given = [prediction.labels[task.name] for prediction in predictions]
    found = np.array(
        [[name in ((one,) if isinstance(one, str) else one) for name in task.label_names] for one in given]
    )
    return found, f"{size / 1e6:.1f} MB"


def by_scikit_learn(learnt: Dataset, judged: Dataset) -> BoolArray:
    task, gold = task_of(learnt.codebook), learnt.gold(task_of(learnt.codebook)).gold
    vectoriser = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    X, Z = vectoriser.fit_transform(learnt.texts), vectoriser.transform(judged.texts)
    scores = np.array([_svm_scores(X, column, Z) for column in gold.T]).T
    return scores > 0 if task.is_multilabel else _highest(scores)


def _svm_scores(X: sparse.csr_matrix, target: BoolArray, Z: sparse.csr_matrix) -> FloatArray:
    if not target.any():
        return np.full(Z.shape[0], -1.0)
    return LinearSVC(class_weight="balanced", random_state=0, max_iter=20_000).fit(X, target).decision_function(Z)


def _highest(scores: FloatArray) -> BoolArray:
    return np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None]


def by_libmultilabel(method: str, learnt: Dataset, judged: Dataset) -> BoolArray:
    from libmultilabel import linear

    task = task_of(learnt.codebook)
    gold = learnt.gold(task).gold
    vectoriser = TfidfVectorizer()  # the features of its Preprocessor, by its defaults
    X, Z = vectoriser.fit_transform(learnt.texts), vectoriser.transform(judged.texts)
    model = getattr(linear, method)(sparse.csr_matrix(gold.astype(float)), X, options="", verbose=False)
    scores = np.asarray(linear.predict_values(model, Z))
    return scores > 0 if task.is_multilabel else _highest(scores)


def run_set(folder: Path) -> None:
    codebook = load_codebook(folder / "codebook.toml")
    learnt, judged = (load_labels(folder / f"{part}.jsonl.gz", codebook) for part in ("train", "test"))
    task = task_of(codebook)
    gold = judged.gold(task).gold
    print(f"\n{folder.name}: {len(learnt.passages)} passages learnt from, {len(judged.passages)} judged")
    systems: dict[str, Callable[[], tuple[BoolArray, str]]] = {
        "ours": lambda: by_us(learnt, judged, []),
        "scikit-learn": lambda: (by_scikit_learn(learnt, judged), ""),
    }
    if importlib.util.find_spec("libmultilabel"):
        for method in ("train_1vsrest", "train_cost_sensitive", "train_cost_sensitive_micro"):
            systems[f"libmultilabel {method[6:]}"] = lambda m=method: (by_libmultilabel(m, learnt, judged), "")
    for name, predict in systems.items():
        start = time.process_time()
        predicted, size = predict()
        seconds = time.process_time() - start
        print(f"  {name:36} {measures(task, gold, predicted)}  {seconds:6.1f} s CPU  {size}", flush=True)


def run_few(folder: Path) -> None:
    """Macro-F1 over the labels with 3 positives or more among the drawn, thresholds by prevalence match for all."""
    whole = load_codebook(folder / "codebook.toml")
    labels = tuple(Label(name, terms=terms) for name, terms in NAMES.items())
    book = Codebook("few", (replace(task_of(whole), labels=labels, at_least_one=False),))
    pool, judged = (
        _with_top_topics(load_labels(folder / f"{part}.jsonl.gz", whole), book) for part in ("train", "test")
    )
    chosen = np.random.default_rng(0).permutation(len(judged.passages))[:N_JUDGED].tolist()
    judged = make_dataset([judged.passages[row] for row in chosen], book)
    print(f"\nfew: reuters, 10 commonest topics, {N_DRAWS} draws, {N_JUDGED} passages judged; macro-F1")
    print("  passages  scikit-learn    ours  ours, with 3,000 unlabelled passages", flush=True)
    for n in (60, 150, 400):
        found = np.mean([_draw(pool, judged, n, seed) for seed in range(N_DRAWS)], axis=0)
        print(f"  {n:8} {found[0]:13.3f} {found[1]:7.3f} {found[2]:10.3f}", flush=True)


def _with_top_topics(dataset: Dataset, book: Codebook) -> Dataset:
    task, names = task_of(book), set(task_of(book).label_names)
    kept = []
    for passage in dataset.passages:
        if found := (passage.labels[task.name] or frozenset()) & names:
            kept.append(replace(passage, labels={task.name: found}))
    return make_dataset(kept, book)


def _draw(pool: Dataset, judged: Dataset, n: int, seed: int) -> list[float]:
    task = task_of(pool.codebook)
    order = np.random.default_rng([seed, n]).permutation(len(pool.passages)).tolist()
    learnt = make_dataset([pool.passages[row] for row in order[:n]], pool.codebook)
    unlabelled = [pool.passages[row].text for row in order[n : n + 3000]]
    columns = learnt.gold(task).support >= 3
    gold = judged.gold(task).gold[:, columns]
    predicted = (
        _matched_scikit_learn(learnt, judged),
        by_us(learnt, judged, [])[0],
        by_us(learnt, judged, unlabelled)[0],
    )
    return [f1_score(gold, found[:, columns], average="macro", zero_division=0) for found in predicted]


def _matched_scikit_learn(learnt: Dataset, judged: Dataset) -> BoolArray:
    """The linear SVM with our threshold rule, on scores of five folds."""
    task = task_of(learnt.codebook)
    gold = learnt.gold(task).gold
    folds = np.arange(len(gold)) % 5
    scores = np.zeros(gold.shape)
    vectoriser = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    texts = np.array(learnt.texts, dtype=object)
    for fold in range(5):
        X = vectoriser.fit_transform(texts[folds != fold])
        Z = vectoriser.transform(texts[folds == fold])
        scores[folds == fold] = np.array([_svm_scores(X, column[folds != fold], Z) for column in gold.T]).T
    X, Z = vectoriser.fit_transform(texts), vectoriser.transform(judged.texts)
    found = np.array([_svm_scores(X, column, Z) for column in gold.T]).T
    return fit_decision(task, scores, gold, np.ones_like(gold)).decide(found, np.ones(len(found), dtype=bool))[1]


def main(data: Path, asked: list[str]) -> None:
    names = asked or [*sorted(path.parent.name for path in data.glob("*/codebook.toml")), "few"]
    for name in names:
        if name == "few":
            run_few(data / "reuters")
        else:
            run_set(data / name)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])

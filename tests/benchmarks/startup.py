"""A fresh process that imports, loads and predicts one passage: `Predictor` beside a scikit-learn + joblib pipeline.

    python tests/benchmarks/startup.py models/defence-diplomacy labels/passages.jsonl

Runs the two in turn and prints CPU seconds (user + system) and peak memory of each process, medians, and their ratio.
The pipeline is trained here on the same passages: word and character TF-IDF, one-vs-rest logistic regression a task.
"""

import json
import multiprocessing
import os
import statistics
import sys
import tempfile
from pathlib import Path

ROUNDS = 7
TEXT = "Both navies agreed to patrol the strait together against piracy."

OURS = f"from classify import Predictor; Predictor.load({{path!r}}).predict({TEXT!r})"
THEIRS = f"import joblib; pipelines = joblib.load({{path!r}}); [pipeline.predict([{TEXT!r}]) for pipeline in pipelines]"


def train_pipelines(labels: Path, out: Path) -> None:
    import joblib
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.preprocessing import MultiLabelBinarizer

    rows = [json.loads(line) for line in labels.read_text(encoding="utf-8").splitlines()]
    texts = [row["text"] for row in rows]
    first, second = (OneVsRestClassifier(LogisticRegression(solver="liblinear")) for _ in range(2))
    themes = MultiLabelBinarizer().fit_transform([row["labels"]["theme"] for row in rows])
    theme = make_pipeline(TfidfVectorizer(sublinear_tf=True, stop_words="english"), first).fit(texts, themes)
    union = make_union(TfidfVectorizer(sublinear_tf=True), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)))
    framing = make_pipeline(union, second).fit(texts, [row["labels"]["framing"] for row in rows])
    joblib.dump([theme, framing], out)


def run(code: str) -> tuple[float, float]:
    """CPU seconds and peak MiB of one fresh interpreter."""
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", code], os.environ)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f"failed: {code}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main(bundle: str, labels: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pipelines.joblib"
        # in a process of its own: a child's peak memory is never below that of the process it was split off from
        training = multiprocessing.get_context("spawn").Process(target=train_pipelines, args=(Path(labels), path))
        training.start()
        training.join()
        commands = {"classify": OURS.format(path=bundle), "scikit-learn + joblib": THEIRS.format(path=str(path))}
        runs: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(ROUNDS + 1):
            for name, code in commands.items():
                runs[name].append(run(code))
    medians = {
        name: [statistics.median(column) for column in zip(*found[1:], strict=True)] for name, found in runs.items()
    }
    for name, (cpu, memory) in medians.items():
        print(f"{name:24} {cpu:6.2f} s CPU  {memory:6.0f} MiB")
    ours, theirs = medians.values()
    print(f"{'ratio':24} {theirs[0] / ours[0]:6.1f} times    {theirs[1] / ours[1]:5.1f} times")


if __name__ == "__main__":
    main(*sys.argv[1:])

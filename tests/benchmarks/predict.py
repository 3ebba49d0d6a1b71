"""Prediction beside scikit-learn and fastText: both engines, characters, the whole default model, one passage.

    python tests/benchmarks/predict.py DATA BUNDLE [N_PASSAGES]

DATA is a folder with `codebook.toml` and `train.jsonl.gz`, multilabel; BUNDLE a trained bundle of the project's own.
N_PASSAGES (200,000) are spliced from DATA's sentences, 40 to 150 words each. All models of a table are trained on the
same texts: DATA's with its 12 commonest labels, or for the default model the project's. Every slice of the passages is
read by each side in turn; printed are medians over the slices of CPU and wall microseconds a passage, and their ratios
to the first row. fastText is measured if it is installed (fasttext-wheel), its text cleaning included. At the end,
whole files: JSONL in, JSONL out in two processes beside the same loop around scikit-learn, start-up included, and the
peak memory of `classify predict` at 20,000 and at 2,000,000 rows.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import joblib
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from classify.bundle import Bundle, BundledTask
from classify.codebook import Codebook, Label, Task, TaskKind, load_codebook
from classify.data.dataset import load_labels
from classify.predictor import Predictor
from classify.scorer.blocks import Block
from classify.scorer.decisions import DecisionRule
from classify.scorer.linear import Counter, Scorer, TaskScorer
from classify.scorer.scanners import ENGINES
from classify.scorer.tokens import BlockSettings
from classify.tagging.rows import Options
from classify.tagging.run import tag_files

ROOT = Path(__file__).parent.parent.parent
N_LABELS, N_SLICES = 12, 10
LABELS = Task("topic", TaskKind.MULTILABEL, tuple(Label(f"l{n}") for n in range(N_LABELS)))
Side = Callable[[Sequence[str]], Any]


def read(folder: Path) -> tuple[list[str], Any]:
    """The texts, and which of the commonest labels each carries."""
    dataset = load_labels(folder / "train.jsonl.gz", load_codebook(folder / "codebook.toml"))
    gold = dataset.gold(dataset.codebook.tasks[0])
    commonest = np.sort(np.argsort(-gold.support, kind="stable")[:N_LABELS])
    return dataset.texts, gold.gold[:, commonest]


def spliced(texts: list[str], n: int) -> list[str]:
    """Passages of real sentences, drawn at random."""
    sentences = [s for text in texts for s in re.split(r"(?<=[.!?])\s+", text.replace("\n", " ")) if s]
    lengths, rng = np.array([len(s.split()) for s in sentences]), np.random.default_rng(0)
    passages = []
    for wanted in rng.integers(40, 151, n):
        drawn = rng.integers(0, len(sentences), 40)
        upto = int(np.searchsorted(np.cumsum(lengths[drawn]), wanted)) + 1
        passages.append(" ".join(sentences[i] for i in drawn[:upto]))
    return passages


def folded(pipeline: Pipeline) -> TaskScorer:
    """The same model as our bundles hold it."""
    cut, models = pipeline[0], pipeline[1].estimators_
    settings = BlockSettings(cut.analyzer, cut.ngram_range, stem=False, sublinear_tf=True)
    weights = np.vstack([model.coef_ for model in models]).T
    block = Block(settings, tuple(cut.get_feature_names_out()), cut.idf_, np.ascontiguousarray(weights))
    nothing, intercept = np.zeros((N_LABELS, N_LABELS)), np.concatenate([model.intercept_ for model in models])
    return TaskScorer((block,), Counter(LABELS, {}), nothing, nothing[0], intercept)


def engines(pipeline: Pipeline, texts: list[str]) -> dict[str, Side]:
    """scikit-learn and each engine, with the same model; says how far their scores differ."""
    sides: dict[str, Side] = {"scikit-learn": pipeline.decision_function}
    for engine in reversed(ENGINES):
        scorer = Scorer([folded(pipeline)], engine=engine)
        differs = np.abs(scorer.read(texts).tasks[0][0] - pipeline.decision_function(texts)).max()
        print(f"{engine}: {len(scorer.tasks[0].blocks[0].features)} features, differs by {differs:.0e} at most")
        sides[engine] = lambda passages, scorer=scorer: scorer.read(passages)
    return sides


def fasttext_side(texts: list[str], Y: Any) -> dict[str, Side]:
    """FastText on the same texts, dimension 100, word pairs; every label's score is asked for."""
    try:
        import fasttext
    except ImportError:
        return {}
    clean = re.compile(r"[^\w\s]|_").sub

    def cleaned(text: str) -> str:
        return " ".join(clean(" ", text.lower()).split())

    lines = [
        " ".join([*(f"__label__{n}" for n in np.flatnonzero(row)), cleaned(text)])
        for text, row in zip(texts, Y, strict=True)
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(lines))
        file.flush()
        model = fasttext.train_supervised(file.name, dim=100, wordNgrams=2, bucket=200_000, loss="ova", verbose=0)
    # its wrapper asks numpy for an array without a copy, which numpy 2 refuses; the library itself is called here
    return {
        "fastText": lambda passages: [model.f.predict(f"{cleaned(p)}\n", N_LABELS, 0.0, "strict") for p in passages]
    }


def union_pipelines(predictor: Predictor) -> Side:
    """Every task of a bundle as a FeatureUnion of the same features under one-vs-rest, on the project's labels."""
    dataset = load_labels(ROOT / "labels" / "passages.jsonl", predictor.codebook)
    pipelines = []
    for name, bundled in predictor.bundle.tasks.items():
        counter = bundled.scorer.counter
        cuts: list[tuple[str, Any]] = [
            (
                str(n),
                TfidfVectorizer(analyzer=block.settings.features_of, sublinear_tf=True)
                if block.settings.analyzer == "word"
                else TfidfVectorizer(analyzer="char_wb", ngram_range=block.settings.ngram_range, sublinear_tf=True),
            )
            for n, block in enumerate(bundled.scorer.blocks)
        ]
        counted = FunctionTransformer(lambda texts, counter=counter: np.array([counter.count(text) for text in texts]))
        pipeline = make_pipeline(FeatureUnion([*cuts, ("counted", counted)]), OneVsRestClassifier(LinearSVC()))
        pipelines.append(pipeline.fit(dataset.texts, dataset.gold(predictor.codebook[name]).gold))
    return lambda passages: [pipeline.predict(passages) for pipeline in pipelines]


def measure(title: str, sides: dict[str, Side], slices: Sequence[Sequence[str]]) -> None:
    """Let each side read every slice in turn, the first one unmeasured; print medians and ratios."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for passages in slices:
        for name, side in sides.items():
            cpu, wall = time.process_time(), time.perf_counter()
            side(passages)
            taken = time.process_time() - cpu, time.perf_counter() - wall
            found[name].append((1e6 * taken[0] / len(passages), 1e6 * taken[1] / len(passages)))
    print(f"\n{title}\n{'':32}   CPU us  wall us   times CPU    wall")
    first = np.array(found[next(iter(sides))][1:])
    for name, runs in found.items():
        cpu, wall = (statistics.median(column) for column in zip(*runs[1:], strict=True))
        ratios = np.median(first / np.array(runs[1:]), axis=0)
        print(f"{name:32} {cpu:8.1f} {wall:8.1f} {ratios[0]:11.1f} {ratios[1]:7.1f}", flush=True)


def one_at_a_time(side: Side) -> Side:
    """The same, passage by passage."""
    return lambda passages: [side([passage]) for passage in passages]


def bundled(pipeline: Pipeline, like: Bundle) -> Bundle:
    """The same model as a bundle, which gives a label above a score of 0; `like` lends what a bundle also has."""
    one, nothing = np.ones(N_LABELS), np.zeros(N_LABELS)
    rule = DecisionRule(True, False, one, nothing, nothing, thresholds=nothing)
    scorer = folded(pipeline)
    task = BundledTask(scorer, rule, rule, (np.ones(len(scorer.blocks[0].features), dtype=np.bool_),), ())
    return replace(like, codebook=Codebook("words", (LABELS,)), tasks={LABELS.name: task}, read_as=None)


def write_rows(passages: Sequence[str], n: int, path: Path) -> Path:
    """JSONL of `n` rows, the passages again and again."""
    with path.open("w") as stream:
        for number in range(n):
            row = {"id": f"r{number}", "source": "Reuters", "text": passages[number % len(passages)]}
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


PEAK = """
from pathlib import Path
from classify.cli.main import app
try:
    app()
finally:
    print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""
"""Runs a command and prints its peak memory in kB; what `os.wait4` says counts the process that started it, too."""
MODEL: list[Pipeline] = []


def load_model(path: str) -> None:
    """In a worker, once."""
    MODEL.append(joblib.load(path))


def tag_lines(lines: list[str]) -> str:
    """What our rows hold, around scikit-learn."""
    rows = [json.loads(line) for line in lines]
    scores = MODEL[0].decision_function([row["text"] for row in rows])
    names = LABELS.label_names
    for row, given, p in zip(rows, scores >= 0, (1 / (1 + np.exp(-scores))).tolist(), strict=True):
        row["predicted"] = {"topic": [name for name, is_given in zip(names, given, strict=True) if is_given]}
        row["probabilities"] = {"topic": {name: round(value, 6) for name, value in zip(names, p, strict=True)}}
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def tag_with_sklearn(path: Path, model: Path, out: Path) -> None:
    """Two processes that load the model once, blocks of 2,000 lines, order kept, four blocks in flight."""
    with (
        ProcessPoolExecutor(2, get_context("spawn"), load_model, (str(model),)) as pool,
        path.open() as lines,
        out.open("w") as written,
    ):
        waiting = deque(pool.submit(tag_lines, list(islice(lines, 2000))) for _ in range(4))
        while waiting:
            written.write(waiting.popleft().result())
            if block := list(islice(lines, 2000)):
                waiting.append(pool.submit(tag_lines, block))


def seconds(run: Callable[[], object]) -> tuple[float, float]:
    """CPU, that of ended children too, and wall."""
    wall, before = time.perf_counter(), os.times()
    run()
    after = os.times()
    return sum(after[:4]) - sum(before[:4]), time.perf_counter() - wall


def measure_files(pipeline: Pipeline, like: Bundle, passages: Sequence[str], folder: Path) -> None:
    """Print what a file of all passages takes in two processes, each side three times in turn."""
    bundled(pipeline, like).save(folder / "bundle")
    joblib.dump(pipeline, folder / "pipeline.joblib")
    rows, predictor = write_rows(passages, len(passages), folder / "rows.jsonl"), Predictor.load(folder / "bundle")
    sides: dict[str, Callable[[], object]] = {
        "scikit-learn": lambda: tag_with_sklearn(rows, folder / "pipeline.joblib", folder / "theirs.jsonl"),
        "tag_files": lambda: tag_files([rows], predictor, Options("jsonl"), folder / "ours.jsonl", jobs=2),
    }
    found = {name: [] for name in sides}
    for _ in range(3):
        for name, side in sides.items():
            (folder / "ours.jsonl").unlink(missing_ok=True)  # it would be searched for hand labels that could be lost
            found[name].append(seconds(side))
    print(
        f"\nJSONL in, JSONL out, two processes, {len(passages):,} rows\n{'':32}   CPU us  wall us   times CPU    wall"
    )
    first = np.array(found["scikit-learn"])
    for name, runs in found.items():
        cpu, wall = 1e6 * np.median(runs, axis=0) / len(passages)
        ratios = np.median(first / np.array(runs), axis=0)
        print(f"{name:32} {cpu:8.1f} {wall:8.1f} {ratios[0]:11.1f} {ratios[1]:7.1f}", flush=True)


def measure_memory(folder: Path, passages: Sequence[str]) -> None:
    """Print the peak memory of `classify predict` with the bundle in a folder, at two sizes a hundredfold apart."""
    print("\npeak memory of classify predict, one process")
    for n in (20_000, 2_000_000):
        rows = write_rows(passages, n, folder / "many.jsonl")
        arguments = ["predict", str(rows), "--model", str(folder / "bundle"), "--out", str(folder / "out.jsonl")]
        run = [sys.executable, "-c", PEAK, *arguments]
        found = subprocess.run(run, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        print(f"{n:>10,} rows, {rows.stat().st_size / 1e6:6.0f} MB {int(found) / 1024:8.0f} MB", flush=True)


def main(data: Path, bundle: str, n: int) -> None:
    texts, Y = read(data)
    passages = spliced(texts, n)
    slices = [passages[start::N_SLICES] for start in range(N_SLICES)]
    few, fewer = [[part[:k] for part in slices] for k in (max(1, n // 100), max(1, n // 2000))]
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=2)
    of_words, of_characters = (
        engines(make_pipeline(cut, OneVsRestClassifier(LinearSVC())).fit(texts, Y), passages[:500])
        for cut in (words, characters)
    )
    measure("word 1-2-grams, a matrix of scores", of_words | fasttext_side(texts, Y), slices)
    measure("char_wb 3-5-grams, a matrix of scores", of_characters, few)
    predictor = Predictor.load(bundle)
    union = union_pipelines(predictor)
    default: dict[str, Side] = {"scikit-learn FeatureUnion": union, "Predictor.predict": predictor.predict}
    measure("the default model, all tasks, public predict", default, few)
    measure("one passage, words", {name: one_at_a_time(side) for name, side in of_words.items()}, fewer)
    single: dict[str, Side] = {
        "scikit-learn FeatureUnion": one_at_a_time(union),
        "Predictor.predict": lambda passages: [predictor.predict(passage) for passage in passages],
    }
    measure("one passage, the default model", single, fewer)
    with tempfile.TemporaryDirectory() as folder:
        pipeline = make_pipeline(words, OneVsRestClassifier(LinearSVC())).fit(texts, Y)
        measure_files(pipeline, predictor.bundle, passages, Path(folder))
        measure_memory(Path(folder), passages)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) == 4 else 200_000)

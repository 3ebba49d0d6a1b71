"""Scores on real text of models trained on the project's labels: a development set, for measuring only.

    python tests/benchmarks/real_text.py DATA [LABELS]

DATA is a folder with labelled real passages (`passages.jsonl`), coded by the project's codebook; LABELS the labels to
train on, by default the project's own. Prints theme and framing scores of the codebook's terms alone, of plain TF-IDF
with logistic regression, and of the toolkit's model, and the model's learning curve over composed documents. Macro
averages of F1 run over labels with 3 positives or more, of average precision over those with 10 of 5 events.
"""

import sys
from pathlib import Path

import numpy as np

from classify.codebook import load_codebook
from classify.data.dataset import Dataset, load_labels
from classify.evaluation.evaluate import evaluate_bundle
from classify.evaluation.heldout import TERMS
from classify.evaluation.results import TaskResult
from classify.learn.settings import PLAIN, TrainingSettings
from classify.learn.training import train

ROOT = Path(__file__).parent.parent.parent


def macro_f1(result: TaskResult, system: str = "model") -> float:
    """Mean F1 over the labels with 3 positives or more."""
    of_system = [label.f1 for label in result.labels] if system == "model" else result.baseline_f1[system]
    return float(np.mean([found.value for found in of_system if found.value is not None]))


def learning_curve(own: Dataset, real: Dataset) -> None:
    """Macro-F1 on the real passages after learning from a part of the composed documents, with all seeds."""
    composed = sorted({passage.document for passage in own.passages if passage.extra["origin"] == "composed"})
    print("composed documents  theme F1  framing F1  (means of 3 draws)")
    for fraction in (0.25, 0.5, 0.75, 1.0):
        n, found = round(fraction * len(composed)), []
        for draw in range(3 if fraction < 1 else 1):
            left_out = set(np.random.default_rng(draw).permutation(composed)[n:].tolist())
            part = own.where(lambda passage, left_out=left_out: passage.document not in left_out)
            result = evaluate_bundle(train(part), real)
            found.append([macro_f1(result["theme"]), macro_f1(result["framing"])])
        theme, framing = np.mean(found, axis=0)
        print(f"{n:18} {theme:9.3f} {framing:11.3f}", flush=True)


def main(data: Path, labels: Path) -> None:
    codebook = load_codebook(ROOT / "labels" / "codebook.toml")
    real, own = load_labels(data / "passages.jsonl", codebook), load_labels(labels, codebook)
    plain = train(own, settings=TrainingSettings(multilabel=PLAIN, multiclass=PLAIN))
    ours, theirs = evaluate_bundle(train(own), real), evaluate_bundle(plain, real)
    print(f"{len(own.passages)} passages learnt from, {len(real.passages)} real ones judged: development figures")
    print("                     theme F1   theme AP   framing F1   framing accuracy")
    rows = (("codebook's terms", ours, TERMS), ("plain TF-IDF", theirs, "model"), ("the toolkit", ours, "model"))
    for name, result, system in rows:
        theme, framing = result["theme"], result["framing"]
        of_theme = theme.headline if system == "model" else theme.baselines[system]
        of_framing = framing.headline if system == "model" else framing.baselines[system]
        ap, accuracy = of_theme["macro_average_precision"].value, of_framing["accuracy"].value
        print(f"{name:20} {macro_f1(theme, system):9.3f} {ap:10.3f} {macro_f1(framing, system):12.3f} {accuracy:18.3f}")
    learning_curve(own, real)
    for task in ours.tasks.values():
        print(f"\n{task.task.name}: label, positives, F1 of terms, F1, average precision")
        for label, terms in zip(task.labels, task.baseline_f1[TERMS], strict=True):
            values = (terms.value, label.f1.value, label.average_precision.value)
            cells = "".join("       -" if value is None else f"{value:8.2f}" for value in values)
            print(f"{label.name:26}{label.support:5}{cells}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else ROOT / "labels" / "passages.jsonl")

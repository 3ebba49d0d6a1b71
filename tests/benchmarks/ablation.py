"""What each ingredient of the default model is worth: macro-F1 with it minus macro-F1 without it, paired by event.

    python tests/benchmarks/ablation.py DATA REAL [SET ...]

DATA holds the benchmark sets of `quality.py`, REAL real passages coded by the project's codebook (`passages.jsonl`).
Sets: `own` (the project's labels, held-out events), `real` (learnt from the project's labels, judged on REAL), and
every folder of DATA (its official test part); by default all. Positive: the ingredient pays. Ranges are 95% intervals
over events. Defaults are chosen on `own` alone.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from classify.codebook import Task, load_codebook
from classify.data.dataset import Dataset, TaskGold, load_labels
from classify.evaluation.measures import macro_f1_difference
from classify.evaluation.verdicts import MIN_HELD_OUT_POSITIVES
from classify.learn.settings import FRAMING_DEFAULTS, THEME_DEFAULTS, TaskSettings
from classify.learn.training import fit_task
from classify.learn.weights import count_for
from classify.measure.arrays import BoolArray, IntArray
from classify.measure.intervals import Estimate, jackknife_groups
from classify.measure.scores import grouped_counts

ROOT = Path(__file__).parent.parent.parent
WITHOUT: dict[str, dict[str, object]] = {
    "term hits": {"hit_weight": 0.0},
    "cosine to the codebook": {"codebook_weight": 0.0},
    "style block": {"style_weight": 0.0},
    "characters": {"char_ngrams": None},
    "pairs of words": {"word_ngrams": (1, 1)},
    "stop words dropped": {"drop_stop_words": False},
    "stems": {"stem": False},
    "1 + log(count)": {"sublinear_tf": False},
    "min_df": {"min_df": 1},
    "squared hinge (else logistic)": {"loss": "logistic", "C": 10.0, "balanced": True},
    "rules for rare labels": {"rule_below": 0},
    "prevalence match (else F1)": {"thresholds": "f1"},
}


def settings_without(task: Task, changes: dict[str, object]) -> TaskSettings | None:
    """The defaults with one thing changed; None where they have it so already."""
    defaults = THEME_DEFAULTS if task.is_multilabel else FRAMING_DEFAULTS
    changed = replace(defaults, **changes)  # type: ignore[arg-type]  # names and types stand in the table above
    is_for_both = task.is_multilabel or "thresholds" not in changes
    return changed if changed != defaults and is_for_both else None


def predicted(learnt: Dataset, judged: Dataset | None, task: Task, settings: TaskSettings) -> BoolArray:
    """What is given to the judged passages, or to the learnt ones by models that have not seen their events."""
    texts = [*learnt.texts, *(judged.texts if judged else [])]
    rows = np.arange(len(learnt.passages))
    fitted = fit_task(count_for(task, texts, settings), learnt.gold(task), learnt.groups, rows, task, settings, 0)
    if judged is None:
        return fitted.decision.decide(*fitted.held_out)[1]
    return fitted.decision.decide(*fitted.weights.score(fitted.counted, np.arange(len(rows), len(texts))))[1]


def difference(gold: TaskGold, groups: IntArray, with_it: BoolArray, without: BoolArray) -> Estimate:
    """Macro-F1 over labels with 3 positives, paired by event."""
    counts = [grouped_counts(gold.gold, found, gold.known, jackknife_groups(groups)) for found in (with_it, without)]
    return macro_f1_difference(counts[0], counts[1], gold.support >= MIN_HELD_OUT_POSITIVES)


def run(name: str, learnt: Dataset, judged: Dataset | None) -> None:
    whole = judged or learnt
    for task in learnt.coded_tasks():
        coded = whole.gold(task).coded
        gold, groups = whole.gold(task).of(coded), np.unique(whole.groups[coded], return_inverse=True)[1]
        defaults = THEME_DEFAULTS if task.is_multilabel else FRAMING_DEFAULTS
        reference = predicted(learnt, judged, task, defaults)[coded]
        print(f"\n{name}, {task.name}: {len(groups)} passages judged", flush=True)
        for ingredient, changes in WITHOUT.items():
            if (settings := settings_without(task, changes)) is not None:
                found = difference(gold, groups, reference, predicted(learnt, judged, task, settings)[coded])
                print(f"  {ingredient:32} {found.signed}", flush=True)


def main(data: Path, real: Path, asked: list[str]) -> None:
    codebook = load_codebook(ROOT / "labels" / "codebook.toml")
    for name in asked or ["own", "real", *sorted(path.parent.name for path in data.glob("*/codebook.toml"))]:
        if name in ("own", "real"):
            own = load_labels(ROOT / "labels" / "passages.jsonl", codebook)
            run(name, own, load_labels(real / "passages.jsonl", codebook) if name == "real" else None)
        else:
            book = load_codebook(data / name / "codebook.toml")
            run(name, *(load_labels(data / name / f"{part}.jsonl.gz", book) for part in ("train", "test")))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])

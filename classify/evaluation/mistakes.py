"""Held-out predictions to passages worth reading: the worst mistakes with the words that made them, doubtful labels."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from classify.codebook import Codebook, Task
from classify.data.annotations import LabelledPassage, join_labels
from classify.data.dataset import TaskGold
from classify.evaluation.heldout import HeldOut, Mistake, Suspect, Words
from classify.measure.arrays import FloatArray
from classify.scorer.contributions import Piece, split_score, word_weights
from classify.scorer.linear import TaskScorer

N_MISTAKES = 5
N_WORDS = 5
MAX_SUSPECTS = 20
SUSPECT_SHARE = 0.05

WRONG = "false positive"
MISSED = "false negative"
Row = dict[str, object]
_NOTHING = 1e-9


def find_mistakes(
    task: Task,
    passages: Sequence[LabelledPassage],
    gold: TaskGold,
    held: HeldOut,
    make_scorer: Callable[[], TaskScorer],
) -> tuple[Mistake, ...]:
    """The worst five false positives and false negatives of each label among passages that one model predicted.

    `make_scorer` gives that model's scorer, to ask it for its words; it is not called if nothing is wrong.
    """
    distances = _distances(held)
    wrong, missed = held.predicted & ~gold.gold & gold.known, gold.gold & ~held.predicted & gold.known
    if not (wrong | missed).any():
        return ()
    scorer = make_scorer()
    pieces_of = cache(lambda row: split_score(scorer, task.label_names, passages[row].text))
    found = []
    for column in range(len(task.labels)):
        for kind, cells, sign in ((WRONG, wrong, 1.0), (MISSED, missed, -1.0)):
            rows = np.flatnonzero(cells[:, column])
            worst = rows[np.argsort(-sign * distances[rows, column], kind="stable")][:N_MISTAKES]
            for row in worst.tolist():
                distance, p = float(sign * distances[row, column]), float(held.probabilities[row, column])
                labels = [task.label_names[n] for n in np.flatnonzero(gold.gold[row])]
                predicted = [task.label_names[n] for n in np.flatnonzero(held.predicted[row])]
                words = _words(passages[row].text, pieces_of(row), column)
                about = (task.label_names[column], kind, passages[row].id, passages[row].text)
                found.append(Mistake(*about, tuple(labels), tuple(predicted), p, distance, *words))
    return tuple(found)


def worst_mistakes(task: Task, mistakes: Sequence[Mistake]) -> tuple[Mistake, ...]:
    """Of all models' mistakes the worst five of each kind a label, in codebook order."""
    worst = []
    for label in task.label_names:
        for kind in (WRONG, MISSED):
            found = [mistake for mistake in mistakes if (mistake.label, mistake.kind) == (label, kind)]
            worst += sorted(found, key=lambda mistake: (-mistake.distance, mistake.id))[:N_MISTAKES]
    return tuple(worst)


def find_suspects(gold: TaskGold, held: HeldOut, label_names: Sequence[str]) -> tuple[Suspect, ...]:
    """Codings that the held-out model finds unlikely, the least likely first.

    Of each label at most 5% of the coded passages, and at most 20, where the model decides otherwise and gives what was
    coded a probability under one half. A multiclass task's one doubt a passage is that of its given label.
    """
    asked = gold.known if held.thresholds is not None else gold.gold
    suspects = []
    for column, label in enumerate(label_names):
        confidence = np.where(gold.gold[:, column], held.probabilities[:, column], 1 - held.probabilities[:, column])
        differ = asked[:, column] & (held.predicted[:, column] != gold.gold[:, column]) & (confidence < 0.5)
        most = min(MAX_SUSPECTS, int(SUSPECT_SHARE * gold.known[:, column].sum()))
        rows = np.flatnonzero(differ)
        for row in rows[np.argsort(confidence[rows], kind="stable")][:most].tolist():
            suspects.append(Suspect(row, label, bool(gold.gold[row, column]), float(confidence[row])))
    return tuple(sorted(suspects, key=lambda suspect: (suspect.self_confidence, suspect.row)))


def suspects_sheet(
    suspects: Mapping[str, Sequence[Suspect]], passages: Sequence[LabelledPassage], codebook: Codebook
) -> list[Row]:
    """One row for each doubtful passage, the most doubtful first, to be coded again.

    `labels` are empty, to be filled in; `given` says what stands, `doubt` what the model makes of it.
    """
    doubts: dict[int, dict[str, list[str]]] = {}
    ranked = [(suspect, task) for task, found in suspects.items() for suspect in found]
    for suspect, task in sorted(ranked, key=lambda pair: pair[0].self_confidence):
        given = "given" if suspect.is_given else "not given"
        text = f"{suspect.label} {given}, p = {1 - suspect.self_confidence:.2f} against it"
        doubts.setdefault(suspect.row, {}).setdefault(task, []).append(text)
    rows = []
    for number, found in doubts.items():
        passage = passages[number]
        row: Row = {"id": passage.id, "text": passage.text, "document": passage.document, "event": passage.event}
        row["labels"] = dict.fromkeys(codebook.task_names)
        row["given"] = {task: _given(codebook[task], passage) for task in found}
        row["doubt"] = {task: "; ".join(doubt) for task, doubt in found.items()}
        rows.append(row)
    return rows


def flat_suspect(row: Row, codebook: Codebook) -> Row:
    """The row as cells of a sheet: an empty column a task, then `given:<task>` and `doubt:<task>`."""
    given: Any = row["given"]
    doubt: Any = row["doubt"]
    cells: Row = {key: value for key, value in row.items() if key not in ("labels", "given", "doubt")}
    cells |= dict.fromkeys(codebook.task_names)
    for task in codebook.task_names:
        cells |= {f"given:{task}": given.get(task), f"doubt:{task}": doubt.get(task)}
    return cells


def _given(task: Task, passage: LabelledPassage) -> str:
    labels = passage.labels[task.name]
    return join_labels(None if labels is None else [name for name in task.label_names if name in labels])


def _distances(held: HeldOut) -> FloatArray:
    """How far each label is on the side of being given, shape (n_passages, n_labels): log-odds, above the others'."""
    if held.thresholds is None:
        p = held.probabilities
        order = np.sort(p, axis=1)
        best, second = order[:, -1:], order[:, -2:-1]
        return np.asarray(p - np.where(p == best, second, best))
    spread = np.where(np.isfinite(held.thresholds), held.thresholds, 0.0)
    return np.asarray(held.scores - spread)


def _words(text: str, pieces: Sequence[Piece], column: int) -> tuple[Words, Words]:
    """The words that spoke most for and most against a label."""
    ranked = word_weights(text, pieces, column)
    return (
        tuple(pair for pair in ranked if pair[1] > _NOTHING)[:N_WORDS],
        tuple(pair for pair in ranked if pair[1] < -_NOTHING)[:N_WORDS],
    )

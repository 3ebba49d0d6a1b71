"""A report's folder read back: what was written, to the last bit, and one clear error for a folder that is broken."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classify.bundle import Bundle
from classify.data.dataset import Dataset, make_dataset
from classify.errors import DataError, UsageError
from classify.evaluation.evaluate import evaluate, evaluate_bundle
from classify.evaluation.heldout import MODEL
from classify.evaluation.results import Evaluation
from classify.evaluation.saved import (
    METRICS,
    PREDICTION_COLUMNS,
    PREDICTIONS,
    SavedTask,
    prediction_rows,
    read_evaluation,
)
from classify.report.files import write_evaluation
from tests.evaluation.conftest import TOPICS, passage

pytestmark = pytest.mark.usefixtures("no_curves")


@pytest.fixture(scope="module")
def folder(toy_evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "report"
    write_evaluation(toy_evaluation, path)
    return path


@pytest.fixture
def spoilt(folder: Path, tmp_path: Path) -> Path:
    """A copy of the two files that are read, to be broken."""
    for name in (METRICS, PREDICTIONS):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    return tmp_path


def same(evaluation: Evaluation, name: str, saved: SavedTask) -> None:
    """The task as it was judged, its coded passages in the order of their ids."""
    result = evaluation[name]
    rows = sorted(np.flatnonzero(result.gold.coded).tolist(), key=lambda row: evaluation.ids[row])
    model = result.held_out[MODEL].of(np.array(rows))
    assert tuple(evaluation.ids[row] for row in rows) == saved.ids
    assert tuple(evaluation.events[row] for row in rows) == saved.events
    assert (result.task.label_names, result.task.is_multilabel) == (saved.labels, saved.is_multilabel)
    assert (result.gold.gold & result.gold.known)[rows].tolist() == saved.gold.gold.tolist()
    assert result.gold.known[rows].tolist() == saved.gold.known.tolist()
    assert model.predicted.tolist() == saved.predicted.tolist()
    assert model.probabilities.tolist() == saved.probabilities.tolist()


def test_what_is_read_back_is_what_was_written(toy_evaluation: Evaluation, folder: Path) -> None:
    saved = read_evaluation(folder)
    assert ("toy", folder, ["theme", "framing"]) == (saved.codebook, saved.folder, list(saved.tasks))
    for name, task in saved.tasks.items():
        same(toy_evaluation, name, task)


def test_a_held_out_part_and_a_bundle_are_read_back_too(
    made: Dataset, toy_dataset: Dataset, toy_bundle: Bundle, tmp_path: Path
) -> None:
    part, bundle = evaluate(made, holdout=("origin", "seed")), evaluate_bundle(toy_bundle, toy_dataset)
    for number, evaluation in enumerate((part, bundle)):
        write_evaluation(evaluation, tmp_path / str(number))
        for name, task in read_evaluation(tmp_path / str(number)).tasks.items():
            same(evaluation, name, task)


def test_the_order_of_rows_in_the_file_changes_nothing(toy_evaluation: Evaluation, spoilt: Path) -> None:
    header, *rows = (spoilt / PREDICTIONS).read_text(encoding="utf-8").splitlines()
    (spoilt / PREDICTIONS).write_text("\n".join([header, *reversed(rows), ""]), encoding="utf-8")
    for name, task in read_evaluation(spoilt).tasks.items():
        same(toy_evaluation, name, task)


def hardly_coded() -> Dataset:
    """Six events; ids full of marks; one passage is not coded, of one the coder was unsure."""
    passages = [
        passage(f'e{event}, "x"\n=1', number, f"ships{event} rain{number}", ["sea"] if number else [])
        for event in range(6)
        for number in range(2)
    ]
    passages[0] = replace(passages[0], labels={"topic": None})
    passages[1] = replace(passages[1], unsure={"topic": frozenset(["sea"])})
    return make_dataset(passages, TOPICS)


def test_ids_keep_their_marks_and_unknown_cells_stay_unknown(tmp_path: Path) -> None:
    evaluation = evaluate(hardly_coded())
    write_evaluation(evaluation, tmp_path / "report")
    found = read_evaluation(tmp_path / "report").tasks["topic"]
    same(evaluation, "topic", found)
    assert 11 == len(found.ids)
    assert [False, True] == found.gold.known[found.ids.index('e0, "x"\n=1#1')].tolist()


def test_where_nothing_was_held_out_there_are_no_tasks(toy_dataset: Dataset, tmp_path: Path) -> None:
    write_evaluation(evaluate(toy_dataset.where(lambda found: found.document < "e04")), tmp_path / "report")
    assert {} == read_evaluation(tmp_path / "report").tasks


def test_rows_are_one_a_system_passage_and_label_without_texts(made_evaluation: Evaluation) -> None:
    rows = list(prediction_rows(made_evaluation))
    assert {tuple(PREDICTION_COLUMNS)} == {tuple(row) for row in rows}
    counts = Counter((row["task"], row["label"], row["system"]) for row in rows)
    systems = {name: list(result.held_out) for name, result in made_evaluation.tasks.items()}
    labels = {name: result.task.label_names for name, result in made_evaluation.tasks.items()}
    expected = {(name, label, system): 48 for name in systems for label in labels[name] for system in systems[name]}
    assert expected == counts


def test_rows_leave_empty_what_is_not_known_or_was_not_held_out_by_a_fold(
    toy_bundle: Bundle, toy_dataset: Dataset
) -> None:
    assert {None} == {row["fold"] for row in prediction_rows(evaluate_bundle(toy_bundle, toy_dataset))}
    rows = [row for row in prediction_rows(evaluate(hardly_coded())) if row["id"] == 'e0, "x"\n=1#1']
    assert {("sea", None), ("cyber", 0)} == {(row["label"], row["gold"]) for row in rows}


# ---- folders that are no report, or a broken one


def test_a_folder_without_a_report_is_a_usage_error(folder: Path, tmp_path: Path) -> None:
    (tmp_path / METRICS).write_bytes((folder / METRICS).read_bytes())
    for path in (tmp_path, tmp_path / "nowhere", folder / METRICS):
        with pytest.raises(UsageError) as raised:
            read_evaluation(path)
        assert f"{path}: holds no metrics.json and predictions.csv; expected a folder that classify evaluate wrote" == (
            str(raised.value)
        )


def change_metrics(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    metrics = json.loads(path.read_text(encoding="utf-8"))
    change(metrics)
    path.write_text(json.dumps(metrics), encoding="utf-8")


METRICS_FAULTS: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_text(""),
    "cut": lambda path: path.write_text(path.read_text(encoding="utf-8")[:-10]),
    "not UTF-8": lambda path: path.write_bytes(b"\xff"),
    "a list": lambda path: path.write_text("[]"),
    "no tasks": lambda path: change_metrics(path, lambda metrics: metrics.pop("tasks")),
    "no codebook": lambda path: change_metrics(path, lambda metrics: metrics.pop("codebook")),
    "tasks are a list": lambda path: change_metrics(path, lambda metrics: metrics.update(tasks=["theme"])),
    "a task without labels": lambda path: change_metrics(path, lambda metrics: metrics.update(tasks={"theme": {}})),
    "a task that is text": lambda path: change_metrics(path, lambda metrics: metrics.update(tasks={"theme": "x"})),
}


@pytest.mark.parametrize("fault", METRICS_FAULTS)
def test_broken_metrics_are_one_data_error(fault: str, spoilt: Path) -> None:
    METRICS_FAULTS[fault](spoilt / METRICS)
    with pytest.raises(DataError) as raised:
        read_evaluation(spoilt)
    assert f"{spoilt / METRICS}: broken; expected what classify evaluate writes; run it again" == str(raised.value)


def change_row(path: Path, number: int, **changes: str) -> None:
    """Change cells of a row of predictions, the header being row 1."""
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = dict(zip(PREDICTION_COLUMNS, lines[number - 1].split(","), strict=True)) | changes
    path.write_text("\n".join([*lines[: number - 1], ",".join(cells.values()), *lines[number:], ""]), encoding="utf-8")


@pytest.mark.parametrize(
    "changes",
    [
        {"task": "topic"},
        {"label": "land"},
        {"gold": "yes"},
        {"predicted": ""},
        {"probability": "high"},
    ],
    ids=str,
)
def test_a_broken_row_is_one_data_error_with_its_number(changes: dict[str, str], spoilt: Path) -> None:
    change_row(spoilt / PREDICTIONS, 3, **changes)
    with pytest.raises(DataError) as raised:
        read_evaluation(spoilt)
    expected = f"{spoilt / PREDICTIONS}:3: broken row; expected what classify evaluate writes; run it again"
    assert expected == str(raised.value)


def keep(path: Path, n_lines: int) -> None:
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:n_lines]), encoding="utf-8")


def test_a_row_that_was_cut_is_one_data_error_with_its_number(spoilt: Path) -> None:
    path = spoilt / PREDICTIONS
    keep(path, 2)
    with path.open("a", encoding="utf-8") as stream:
        stream.write("e01#1,e01,1,theme,cyber,0,0.1,0.1,0.5,,model")
    with pytest.raises(DataError, match=r"predictions\.csv:3: broken row"):
        read_evaluation(spoilt)


def test_ids_that_a_spreadsheet_would_run_are_read_as_they_were(spoilt: Path) -> None:
    path = spoilt / PREDICTIONS
    path.write_text(path.read_text(encoding="utf-8").replace("\ne01#1,", "\n'=e01#1,"), encoding="utf-8")
    assert "=e01#1" in read_evaluation(spoilt).tasks["theme"].ids


@pytest.mark.parametrize("probability", ["", "nan"])
def test_a_probability_that_is_none_is_a_data_error(probability: str, spoilt: Path) -> None:
    change_row(spoilt / PREDICTIONS, 2, probability=probability)
    with pytest.raises(DataError, match=r"predictions\.csv"):
        read_evaluation(spoilt)


def test_lost_rows_are_one_data_error(spoilt: Path) -> None:
    keep(spoilt / PREDICTIONS, 3)
    with pytest.raises(DataError) as raised:
        read_evaluation(spoilt)
    expected = "lacks rows; expected one for each passage and label; run classify evaluate again"
    assert f"{spoilt / PREDICTIONS}: {expected}" == str(raised.value)


def test_predictions_that_are_no_text_are_one_data_error(spoilt: Path) -> None:
    (spoilt / PREDICTIONS).write_bytes(b"id,event\n\xff\xfe")
    with pytest.raises(DataError, match=r"predictions\.csv: can't be read: "):
        read_evaluation(spoilt)


def test_a_row_with_a_cell_too_many_is_a_data_error_with_its_number(spoilt: Path) -> None:
    change_row(spoilt / PREDICTIONS, 3, id="e01#2,")
    with pytest.raises(DataError, match=r"predictions\.csv:3: broken row"):
        read_evaluation(spoilt)


@pytest.mark.parametrize("text", ["", "id,system\n"])
def test_predictions_without_their_header_are_a_data_error(text: str, spoilt: Path) -> None:
    (spoilt / PREDICTIONS).write_text(text)
    with pytest.raises(DataError, match=r"predictions\.csv"):
        read_evaluation(spoilt)

from pathlib import Path
from typing import Any

import pytest

from classify.data.handlabels import refuse_lost_labels
from classify.data.tables import write_rows
from classify.errors import OutputError

TASKS = ("theme", "framing")
NESTED = [
    {"id": "a", "text": "One.", "labels": {"theme": ["x", "y"], "framing": "news"}},
    {"id": "b", "text": "Two.", "labels": {"theme": [], "framing": None}},
    {"id": "c", "text": "Three.", "labels": {"theme": None, "framing": None}},
]
BARE = [{"text": "One.", "labels": ["x", "y"]}, {"text": "Two.", "labels": []}, {"text": "Three.", "labels": ["x"]}]
SHEET = [
    {"id": "a", "text": "One.", "theme": "y|x", "framing": "news"},
    {"id": "b", "text": "Two.", "theme": "none", "framing": ""},
]


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    write_rows(rows, path.suffix[1:], path, columns=list(rows[0]))
    return path


@pytest.mark.parametrize("rows", [NESTED, BARE, SHEET, [*SHEET, *SHEET]])
@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_the_same_labels_may_be_written_again(tmp_path: Path, suffix: str, rows: list[dict[str, Any]]) -> None:
    path = written(tmp_path / f"tagged.{suffix}", rows)
    refuse_lost_labels(path, TASKS, [row | {"predicted": "z"} for row in rows])
    refuse_lost_labels(path, (), rows)


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("rows", [NESTED, BARE, SHEET])
def test_lost_labels_are_refused(tmp_path: Path, suffix: str, rows: list[dict[str, Any]]) -> None:
    path = written(tmp_path / f"tagged.{suffix}", rows)
    bare = [{key: row[key] for key in ("id", "text") if key in row} for row in rows]
    for kept, tasks in ((bare, TASKS), (bare, ()), (rows[1:], TASKS)):
        with pytest.raises(OutputError, match="would be lost"):
            refuse_lost_labels(path, tasks, kept)


def test_a_changed_label_is_a_lost_one(tmp_path: Path) -> None:
    path = written(tmp_path / "sheet.csv", SHEET)
    with pytest.raises(OutputError):
        refuse_lost_labels(path, TASKS, [SHEET[0] | {"theme": "x"}, SHEET[1]])


def test_of_rows_that_share_an_id_each_counts(tmp_path: Path) -> None:
    path = written(tmp_path / "sheet.csv", [SHEET[0], SHEET[0]])
    with pytest.raises(OutputError):
        refuse_lost_labels(path, TASKS, SHEET)


def test_nested_labels_are_kept_by_a_sheet_with_a_column_a_task(tmp_path: Path) -> None:
    refuse_lost_labels(written(tmp_path / "labels.jsonl", NESTED[:2]), TASKS, SHEET)


def test_an_empty_sheet_may_be_replaced(tmp_path: Path) -> None:
    rows = [{"id": "a", "text": "One.", "theme": "", "framing": ""}]
    refuse_lost_labels(written(tmp_path / "sheet.csv", rows), TASKS, [])

"""Labelled passages as arrays: what is gold, what is known, which event, and what is worth a warning."""

import hashlib
import json
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from classify.codebook import Codebook, parse_codebook
from classify.data.annotations import read_labels
from classify.data.dataset import Dataset, counts_by_label, dataset_warnings, load_labels, make_dataset
from classify.errors import DataError

Row = dict[str, Any]

# Ids, documents and events stand in different orders; every kind of cell occurs.
ROWS: list[Row] = [
    {"id": "c", "text": "C", "document": "d2", "event": "e2", "labels": {"theme": ["trade", "sea"], "framing": None}},
    {"id": "a", "text": "A", "document": "d3", "event": "e1", "labels": {"theme": ["sea"], "framing": "praise"}},
    {
        "id": "d",
        "text": "D",
        "document": "d1",
        "event": "e2",
        "labels": {"theme": ["sea", "cyber"], "framing": "report"},
        "unsure": {"theme": ["cyber", "trade"], "framing": ["praise"]},
    },
    {"id": "b", "text": "B", "document": "d3", "labels": {"theme": [], "framing": "report"}},
    {"id": "e", "text": "E", "document": "d4", "labels": {"framing": "praise"}, "unsure": {"theme": ["sea"]}},
]

# Two documents that share thirty words, in words that are no boilerplate.
SHARED = " ".join(f"word{n}" for n in range(30))


def write(path: Path, rows: list[Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def dataset(tmp_path: Path, toy_codebook: Codebook) -> Dataset:
    return load_labels(write(tmp_path / "p.jsonl", ROWS), toy_codebook)


def load(folder: Path, rows: list[Row], codebook: Codebook) -> Dataset:
    return load_labels(write(folder / "rows.jsonl", rows), codebook)


def passage(name: str, text: str, themes: list[str], framing: str = "report", **extra: str) -> Row:
    return {"id": name, "text": text, "labels": {"theme": themes, "framing": framing}, **extra}


# Arrays.


def test_passages_stand_in_the_order_of_their_ids(dataset: Dataset) -> None:
    assert [p.id for p in dataset.passages] == ["a", "b", "c", "d", "e"]
    assert dataset.texts == ["A", "B", "C", "D", "E"]


def test_gold_has_a_row_a_passage_and_a_column_a_label_in_codebook_order(dataset: Dataset) -> None:
    assert dataset.codebook["theme"].label_names == ("sea", "cyber", "trade")
    themes, framings = dataset.gold(dataset.codebook["theme"]), dataset.gold(dataset.codebook["framing"])
    assert themes.gold.dtype == themes.known.dtype == np.bool_
    assert themes.gold.astype(int).tolist() == [[1, 0, 0], [0, 0, 0], [1, 0, 1], [1, 0, 0], [0, 0, 0]]
    assert framings.gold.astype(int).tolist() == [[0, 1], [1, 0], [0, 0], [0, 0], [0, 1]]


def test_what_is_not_coded_or_unsure_is_not_known(dataset: Dataset) -> None:
    themes, framings = dataset.gold(dataset.codebook["theme"]), dataset.gold(dataset.codebook["framing"])
    assert themes.known.astype(int).tolist() == [[1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 0, 0], [0, 0, 0]]
    assert framings.known.astype(int).tolist() == [[1, 1], [1, 1], [0, 0], [0, 0], [1, 1]]


def test_coded_passages_have_a_known_cell(dataset: Dataset) -> None:
    assert dataset.gold(dataset.codebook["theme"]).coded.tolist() == [True, True, True, True, False]
    assert dataset.gold(dataset.codebook["framing"]).coded.tolist() == [True, True, False, False, True]


def test_support_and_events_count_known_positives_only(dataset: Dataset) -> None:
    themes, framings = dataset.gold(dataset.codebook["theme"]), dataset.gold(dataset.codebook["framing"])
    assert themes.support.tolist() == [3, 0, 1]
    assert framings.support.tolist() == [1, 2]
    assert themes.events_with(dataset.groups).tolist() == [2, 0, 1]
    assert framings.events_with(dataset.groups).tolist() == [1, 2]
    assert counts_by_label(dataset) == {
        "theme": {"sea": (3, 2), "cyber": (0, 0), "trade": (1, 1)},
        "framing": {"report": (1, 1), "praise": (2, 2)},
    }


def test_groups_number_the_sorted_events_and_documents_share_theirs(dataset: Dataset) -> None:
    assert dataset.event_names == ("d4", "e1", "e2")
    assert dataset.groups.tolist() == [1, 1, 2, 2, 0]


def test_a_task_that_nobody_coded_is_left_out(tmp_path: Path, toy_codebook: Codebook) -> None:
    rows = [{"id": "a", "text": "A", "labels": {"theme": []}}]
    assert [task.name for task in load(tmp_path, rows, toy_codebook).coded_tasks()] == ["theme"]


def test_toy_corpus_counts_by_hand(toy_dataset: Dataset) -> None:
    assert counts_by_label(toy_dataset) == {
        "theme": {"sea": (7, 4), "cyber": (7, 4), "trade": (6, 3)},
        "framing": {"report": (12, 12), "praise": (12, 12)},
    }


def test_a_dataset_without_passages_has_arrays_without_rows(toy_codebook: Codebook) -> None:
    empty = make_dataset([], toy_codebook)
    assert empty.gold(toy_codebook["theme"]).gold.shape == (0, 3)
    assert empty.groups.shape == (0,)
    assert empty.coded_tasks() == []


# Where labels come from.


def test_files_folders_lists_and_frames_give_the_same_dataset(tmp_path: Path, toy_codebook: Codebook) -> None:
    columns = {
        "id": ["b", "a"],
        "text": ["B", "A"],
        "document": ["d", "d"],
        "event": ["e", None],
        "theme": ["sea|trade", "none"],
        "framing": [None, "praise"],
    }
    rows = [
        {
            "id": "b",
            "text": "B",
            "document": "d",
            "event": "e",
            "labels": {"theme": ["trade", "sea"], "framing": None},
        },
        {"id": "a", "text": "A", "document": "d", "labels": {"theme": [], "framing": "praise"}},
    ]
    folder = tmp_path / "labels"
    folder.mkdir()
    path = write(folder / "p.jsonl", rows)
    pl.DataFrame(columns).write_csv(tmp_path / "p.csv")
    pl.DataFrame(columns).write_parquet(tmp_path / "p.parquet")
    sources: list[Any] = [path, str(path), folder, [path], tmp_path / "p.csv", tmp_path / "p.parquet"]
    sources += [pd.DataFrame(columns), pl.DataFrame(columns), pl.DataFrame(columns).to_arrow()]
    assert len({load_labels(source, toy_codebook).sha256 for source in sources}) == 1


def test_passages_of_several_files_are_one_dataset(tmp_path: Path, toy_codebook: Codebook) -> None:
    whole = load(tmp_path, ROWS, toy_codebook)
    parts = [write(tmp_path / "p1.jsonl", ROWS[:2]), write(tmp_path / "p2.jsonl", ROWS[2:])]
    assert load_labels(parts, toy_codebook).sha256 == whole.sha256


def test_faults_are_raised_before_anything_is_made(tmp_path: Path, toy_codebook: Codebook) -> None:
    with pytest.raises(DataError, match=r"rows\.jsonl:1: theme: unknown label 'see'; did you mean 'sea'\?"):
        load(tmp_path, [passage("a", "A", ["see"])], toy_codebook)


# The hash.


def test_hash_ignores_the_order_of_rows_and_labels_and_what_is_not_learnt_from(
    tmp_path: Path, toy_codebook: Codebook
) -> None:
    whole = load(tmp_path, ROWS, toy_codebook).sha256
    shuffled = {load(tmp_path, list(rows), toy_codebook).sha256 for rows in list(permutations(ROWS))[::7]}
    noted = [row | {"note": "seen", "date": None} for row in ROWS]
    turned = [ROWS[0] | {"labels": {"framing": None, "theme": ["sea", "trade"]}}, *ROWS[1:]]
    assert shuffled == {whole}
    assert load(tmp_path, noted, toy_codebook).sha256 == whole
    assert load(tmp_path, turned, toy_codebook).sha256 == whole


@pytest.mark.parametrize(
    "change",
    [
        {"id": "cc"},
        {"text": "C."},
        {"document": "d5"},
        {"event": "e3"},
        {"labels": {"theme": ["trade"]}},
        {"labels": {"theme": ["trade", "sea"], "framing": "report"}},
        {"labels": {}},
        {"labels": {"theme": []}},
        {"unsure": {"theme": ["cyber"]}},
    ],
)
def test_hash_changes_with_what_is_learnt_from(tmp_path: Path, toy_codebook: Codebook, change: Row) -> None:
    changed = load(tmp_path, [ROWS[0] | change, *ROWS[1:]], toy_codebook)
    assert changed.sha256 != load(tmp_path, ROWS, toy_codebook).sha256


def test_hash_is_that_of_one_json_line_a_passage(tmp_path: Path, toy_codebook: Codebook) -> None:
    rows = [
        passage("b", "B", [], document="d") | {"unsure": {"theme": ["trade", "cyber", "sea"]}},
        {"id": "a", "text": "Ä", "event": "e", "labels": {"theme": ["trade", "sea", "cyber"]}},
    ]
    lines = (
        r'["a", "\u00c4", "a", "e", {"framing": null, "theme": ["cyber", "sea", "trade"]}, {}]',
        '["b", "B", "d", "d", {"framing": ["report"], "theme": []}, {"theme": ["cyber", "sea", "trade"]}]',
    )
    expected = hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    assert load(tmp_path, rows, toy_codebook).sha256 == expected


def test_hash_takes_text_that_utf8_cannot_hold(tmp_path: Path, toy_codebook: Codebook) -> None:
    rows = [passage("a", text, ["sea"]) for text in ("\ud800", "\ud801")]
    assert len({load(tmp_path, [row], toy_codebook).sha256 for row in rows}) == 2


# Events.


def test_near_duplicates_without_an_event_take_the_given_one(tmp_path: Path, toy_codebook: Codebook) -> None:
    rows = [passage("a", f"{SHARED} end", ["sea"]), passage("b", f"start {SHARED}", ["sea"], event="given")]
    dataset = load(tmp_path, rows, toy_codebook)
    assert dataset.event_names == ("given",)
    assert dataset.groups.tolist() == [0, 0]


def test_documents_with_nothing_in_common_are_events_each(tmp_path: Path, toy_codebook: Codebook) -> None:
    rows = [passage("a", "Two ships sailed.", ["sea"]), passage("b", "Two ships returned.", ["sea"])]
    assert load(tmp_path, rows, toy_codebook).event_names == ("a", "b")


# Warnings.


def test_a_sound_dataset_has_no_warnings(toy_dataset: Dataset) -> None:
    assert dataset_warnings(toy_dataset) == []


def test_labels_that_nobody_uses_are_named_in_codebook_order(tmp_path: Path, toy_codebook: Codebook) -> None:
    rows = [passage("a", "A", ["cyber"], event="e"), passage("b", "B", []) | {"unsure": {"theme": ["sea"]}}]
    assert dataset_warnings(load(tmp_path, rows, toy_codebook)) == [
        "theme: no passage carries sea, trade",
        "framing: no passage carries praise",
    ]


def test_a_task_that_nobody_coded_is_named(tmp_path: Path) -> None:
    codebook = parse_codebook(
        {
            "name": "x",
            "tasks": {
                "theme": {"kind": "multilabel", "labels": ["sea"]},
                "tone": {"kind": "multiclass", "labels": ["a", "b"]},
            },
        }
    )
    rows = [{"id": "a", "text": "A", "labels": {"theme": ["sea"]}}]
    assert dataset_warnings(load(tmp_path, rows, codebook)) == ["tone: no passage is coded; the task is left out"]


def test_the_same_text_coded_differently_is_named_with_both_rows(tmp_path: Path, toy_codebook: Codebook) -> None:
    used = [passage("y", "Y", ["cyber", "trade"], event="e"), passage("z", "Z", ["sea"], "praise")]
    rows = [
        passage("a", "Two ships sailed.", ["sea"]),
        passage("b", "two  ships\nSAILED.", []),
        passage("c", "Two ships sailed.", ["sea"], "praise"),
        passage("d", "Two ships sailed.", ["sea"]),
        {"id": "e", "text": "Two ships sailed.", "labels": {}},
    ]
    path = tmp_path / "rows.jsonl"
    assert dataset_warnings(load(tmp_path, [*used, *rows], toy_codebook)) == [
        f"{path}:4: theme: the same text as {path}:3, coded differently",
        f"{path}:5: framing: the same text as {path}:3, coded differently",
    ]


def test_near_duplicates_across_given_events_are_joined_and_named(tmp_path: Path, toy_codebook: Codebook) -> None:
    rows = [
        passage("a", f"{SHARED} one two three four", ["sea", "cyber"], event="e1"),
        passage("b", SHARED, ["trade"], "praise", event="e2"),
        passage("c", "Two ships sailed.", ["trade"], "praise", event="e2"),
    ]
    dataset = load(tmp_path, rows, toy_codebook)
    assert dataset_warnings(dataset) == [
        "documents a and b share 26 word 5-grams (100% of the shorter), which joins events that were given "
        "as different; they are treated as one"
    ]
    assert dataset.event_names == ("e1",)


def test_reading_alone_does_not_reorder(tmp_path: Path, toy_codebook: Codebook) -> None:
    passages = read_labels([write(tmp_path / "p.jsonl", ROWS)], toy_codebook)
    assert [p.id for p in passages] == [row["id"] for row in ROWS]


# Further fields.


def fields(folder: Path, codebook: Codebook, *extras: Row) -> Dataset:
    return load(folder, [passage(f"p{n}", f"Text {n}.", []) | extra for n, extra in enumerate(extras)], codebook)


def test_a_field_has_one_value_a_passage_in_order_and_what_is_missing_is_not_stated(
    tmp_path: Path, toy_codebook: Codebook
) -> None:
    dataset = fields(tmp_path, toy_codebook, {"outlet": "Dawn"}, {}, {"outlet": None}, {"outlet": ""}, {"outlet": 7})
    assert dataset.values_of("outlet") == ["Dawn", "not stated", "not stated", "not stated", "7"]
    assert dataset.counts_of("outlet") == {"7": 1, "Dawn": 1, "not stated": 3}


def test_the_year_is_that_of_the_date(tmp_path: Path, toy_codebook: Codebook) -> None:
    dataset = fields(tmp_path, toy_codebook, {"date": "2024-02-29"}, {"date": "1999"}, {})
    assert dataset.values_of("year") == ["2024", "1999", "not stated"]
    assert dataset.values_of("date") == ["2024-02-29", "1999", "not stated"]


@pytest.mark.parametrize("date", ["29.02.2024", "Feb 2024"])
def test_a_date_that_starts_with_no_year_states_none(date: str, tmp_path: Path, toy_codebook: Codebook) -> None:
    assert set(fields(tmp_path, toy_codebook, {"date": date}).values_of("year")) <= {"2024", "not stated"}


def test_a_year_of_its_own_is_not_overruled_by_the_date(tmp_path: Path, toy_codebook: Codebook) -> None:
    dataset = fields(tmp_path, toy_codebook, {"date": "2024-02-29", "year": 1999}, {"date": "2023-01-01"})
    assert dataset.values_of("year") == ["1999", "not stated"]


def test_further_fields_are_sorted_with_the_year_where_there_is_a_date(tmp_path: Path, toy_codebook: Codebook) -> None:
    assert fields(tmp_path, toy_codebook, {"outlet": "Dawn"}, {"date": "2024"}).fields == [
        "date",
        "document",
        "event",
        "outlet",
        "year",
    ]
    assert fields(tmp_path, toy_codebook, {"outlet": "Dawn"}).fields == ["document", "event", "outlet"]
    assert fields(tmp_path, toy_codebook, {}).fields == ["document", "event"]


def test_documents_and_events_are_fields_of_every_passage(dataset: Dataset) -> None:
    assert dataset.values_of("document") == ["d3", "d3", "d2", "d1", "d4"]
    assert dataset.values_of("event") == ["e1", "e1", "e2", "e2", "d4"]


def test_labels_of_some_rows_keep_what_is_known_of_them(dataset: Dataset) -> None:
    themes = dataset.gold(dataset.codebook["theme"])
    for rows in (np.array([3, 0]), np.array([False, True, False, False, True])):
        found = themes.of(rows)
        assert (found.gold.tolist(), found.known.tolist()) == (themes.gold[rows].tolist(), themes.known[rows].tolist())
    assert themes.of(np.array([3, 0])).support.tolist() == [2, 0, 0]

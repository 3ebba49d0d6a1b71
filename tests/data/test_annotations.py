"""Labels files and coders' sheets: what every cell means, and every fault of every file at once."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from classify.codebook import Codebook, parse_codebook
from classify.data.annotations import CodedPassage, LabelledPassage, join_labels, read_coders, read_labels
from classify.data.dataset import load_labels
from classify.data.tables import write_rows
from classify.errors import DataError, UsageError

Row = dict[str, Any]


@pytest.fixture(scope="module")
def one_task() -> Codebook:
    return parse_codebook({"name": "x", "tasks": {"theme": {"kind": "multilabel", "labels": ["sea", "cyber"]}}})


@pytest.fixture(scope="module")
def at_least_one() -> Codebook:
    theme = {"kind": "multilabel", "at_least_one": True, "labels": ["sea", "cyber"]}
    return parse_codebook({"name": "x", "tasks": {"theme": theme}})


def write(path: Path, content: str | list[Row]) -> Path:
    lines = [content] if isinstance(content, str) else [json.dumps(row) + "\n" for row in content]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def one(folder: Path, row: Row, codebook: Codebook) -> LabelledPassage:
    """The only passage of a labels file with `row` in it."""
    (passage,) = read_labels([write(folder / "p.jsonl", [{"text": "t", "labels": {}} | row])], codebook)
    return passage


def faults(folder: Path, content: str | list[Row], codebook: Codebook, *, name: str = "p.jsonl") -> list[str]:
    """Each fault of a labels file as the line shown, without the folder."""
    with pytest.raises(DataError) as caught:
        read_labels([write(folder / name, content)], codebook)
    return [str(fault).replace(f"{folder}/", "") for fault in caught.value.faults]


def coder_faults(paths: list[Path], codebook: Codebook) -> list[str]:
    with pytest.raises(DataError) as caught:
        read_coders(paths, codebook)
    return [str(fault).replace(f"{paths[0].parent}/", "") for fault in caught.value.faults]


# Rows of JSONL.


def test_every_key_of_a_row_is_read_and_others_are_carried(tmp_path: Path, toy_codebook: Codebook) -> None:
    row = {
        "id": "a#1",
        "text": "The navy sailed.",
        "document": "a",
        "event": "e",
        "labels": {"theme": ["trade", "sea"], "framing": "report"},
        "unsure": {"theme": ["cyber"]},
        "origin": "toy",
        "n": {"deep": [1, None]},
    }
    assert one(tmp_path, row, toy_codebook) == LabelledPassage(
        id="a#1",
        text="The navy sailed.",
        document="a",
        event="e",
        labels={"theme": frozenset({"sea", "trade"}), "framing": frozenset({"report"})},
        unsure={"theme": frozenset({"cyber"})},
        extra={"origin": "toy", "n": {"deep": [1, None]}},
        place=f"{tmp_path / 'p.jsonl'}:1",
    )


def test_a_row_without_id_is_named_by_its_place_and_is_its_own_document(tmp_path: Path, toy_codebook: Codebook) -> None:
    path = write(tmp_path / "p.jsonl", '{"text": "a", "labels": {}}\n\n{"id": "", "text": "b", "labels": {}}\n')
    passages = read_labels([path], toy_codebook)
    assert [passage.id for passage in passages] == [f"{path}:1", f"{path}:3"]
    assert [passage.document for passage in passages] == [f"{path}:1", f"{path}:3"]
    assert [passage.event for passage in passages] == [None, None]


def test_the_document_of_a_row_is_by_default_the_row(tmp_path: Path, toy_codebook: Codebook) -> None:
    assert one(tmp_path, {"id": "a#1"}, toy_codebook).document == "a#1"
    assert one(tmp_path, {"id": "a#1", "document": "a"}, toy_codebook).document == "a"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, {"theme": None, "framing": None}),
        ({"theme": None, "framing": None}, {"theme": None, "framing": None}),
        ({"theme": []}, {"theme": frozenset(), "framing": None}),
        ({"theme": ["sea"]}, {"theme": frozenset({"sea"}), "framing": None}),
        ({"theme": "sea"}, {"theme": frozenset({"sea"}), "framing": None}),
        ({"theme": ["sea", "sea"]}, {"theme": frozenset({"sea"}), "framing": None}),
        ({"framing": "praise"}, {"theme": None, "framing": frozenset({"praise"})}),
        ({"framing": ["praise"]}, {"theme": None, "framing": frozenset({"praise"})}),
    ],
)
def test_absent_and_null_are_not_coded_and_an_empty_list_is_coded(
    tmp_path: Path, toy_codebook: Codebook, labels: Row, expected: Row
) -> None:
    assert one(tmp_path, {"labels": labels}, toy_codebook).labels == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["sea", "cyber"], frozenset({"sea", "cyber"})),
        ("cyber", frozenset({"cyber"})),
        ([], frozenset()),
        ({"theme": ["sea"]}, frozenset({"sea"})),
        ({"theme": None}, None),
        ({}, None),
    ],
)
def test_a_codebook_with_one_task_takes_a_bare_list_or_string(
    tmp_path: Path, one_task: Codebook, labels: object, expected: frozenset[str] | None
) -> None:
    assert one(tmp_path, {"labels": labels}, one_task).labels == {"theme": expected}


@pytest.mark.parametrize(
    ("unsure", "expected"),
    [
        (None, {}),
        ("", {}),
        ({}, {}),
        ({"theme": None}, {}),
        ({"theme": []}, {"theme": frozenset()}),
        ({"theme": ["sea"], "framing": "praise"}, {"theme": frozenset({"sea"}), "framing": frozenset({"praise"})}),
        ({"framing": ["report", "praise"]}, {"framing": frozenset({"report", "praise"})}),
    ],
)
def test_unsure_cells_are_read_for_both_kinds_of_task(
    tmp_path: Path, toy_codebook: Codebook, unsure: object, expected: Row
) -> None:
    assert one(tmp_path, {"unsure": unsure}, toy_codebook).unsure == expected


def test_unsure_may_be_a_bare_list_where_there_is_one_task(tmp_path: Path, one_task: Codebook) -> None:
    assert one(tmp_path, {"labels": [], "unsure": ["sea"]}, one_task).unsure == {"theme": frozenset({"sea"})}


def test_an_empty_text_is_allowed(tmp_path: Path, toy_codebook: Codebook) -> None:
    assert one(tmp_path, {"text": ""}, toy_codebook).text == ""


def test_at_least_one_is_content_with_one_and_with_not_coded(tmp_path: Path, at_least_one: Codebook) -> None:
    assert one(tmp_path, {"labels": ["sea"]}, at_least_one).labels == {"theme": frozenset({"sea"})}
    assert one(tmp_path, {"labels": {}}, at_least_one).labels == {"theme": None}


# Faults of a row.


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"labels": {"theme": ["cybre"]}}, "theme: unknown label 'cybre'; did you mean 'cyber'?"),
        ({"labels": {"theme": ["Sea"]}}, "theme: unknown label 'Sea'; did you mean 'sea'?"),
        ({"labels": {"theme": ["space"]}}, "theme: unknown label 'space'; expected one of: sea, cyber, trade"),
        ({"labels": {"theme": "none"}}, "theme: 'none' is a cell of a sheet; expected []"),
        ({"labels": {"framing": "prase"}}, "framing: unknown label 'prase'; did you mean 'praise'?"),
        ({"labels": {"themes": []}}, "labels: unknown task 'themes'; did you mean 'theme'?"),
        ({"labels": {"tone": "report"}}, "labels: unknown task 'tone'; expected one of: theme, framing"),
        (
            {"labels": {"theme": 5}},
            "theme: found 5; expected a list of labels, or null if not coded",
        ),
        (
            {"labels": {"theme": ["sea", 1]}},
            "theme: found ['sea', 1]; expected a list of labels, or null if not coded",
        ),
        (
            {"labels": {"theme": {"sea": True}}},
            "theme: found {'sea': True}; expected a list of labels, or null if not coded",
        ),
        ({"labels": {"framing": 1}}, "framing: found 1; expected one label as text, or null if not coded"),
        (
            {"labels": {"framing": ["report", "praise"]}},
            "framing: found praise, report; expected exactly one label (a multiclass task)",
        ),
        ({"labels": {"framing": []}}, "framing: found none; expected exactly one label (a multiclass task)"),
        (
            {"labels": ["sea"]},
            "labels: found ['sea']; expected an object with the codebook's tasks, such as {\"theme\": …}",
        ),
        (
            {"labels": None},
            'labels: found nothing; expected an object with the codebook\'s tasks, such as {"theme": …}',
        ),
        ({"text": None}, "text: found nothing; expected the passage as text"),
        ({"text": ["t"]}, "text: found ['t']; expected the passage as text"),
        ({"id": 1}, "id: found 1; expected text"),
        ({"document": 2}, "document: found 2; expected text"),
        ({"event": ["e"]}, "event: found ['e']; expected text"),
        ({"unsure": {"theme": ["cybre"]}}, "theme: unknown label 'cybre'; did you mean 'cyber'?"),
        ({"unsure": {"tone": []}}, "unsure: unknown task 'tone'; expected one of: theme, framing"),
        (
            {"unsure": ["sea"]},
            "unsure: found ['sea']; expected an object with the codebook's tasks, such as {\"theme\": …}",
        ),
    ],
)
def test_a_fault_of_a_row_says_where_what_and_what_to_do(
    tmp_path: Path, toy_codebook: Codebook, row: Row, expected: str
) -> None:
    content: list[Row] = [{"text": "fine", "labels": {}}, {"text": "t", "labels": {}} | row]
    assert faults(tmp_path, content, toy_codebook) == [f"p.jsonl:2: {expected}"]


def test_a_row_without_text_or_labels_is_a_fault(tmp_path: Path, toy_codebook: Codebook) -> None:
    content: list[Row] = [{"text": "fine", "labels": {}}, {"labels": {}}, {"text": "t"}]
    assert faults(tmp_path, content, toy_codebook) == [
        "p.jsonl:2: text: found nothing; expected the passage as text",
        'p.jsonl:3: labels: found nothing; expected an object with the codebook\'s tasks, such as {"theme": …}',
    ]


def test_coded_with_no_label_is_a_fault_under_at_least_one(tmp_path: Path, at_least_one: Codebook) -> None:
    assert faults(tmp_path, [{"text": "t", "labels": []}], at_least_one) == [
        "p.jsonl:1: theme: coded with no label, but the codebook says at_least_one; give one"
    ]


def test_duplicate_ids_are_faults_within_and_across_files(tmp_path: Path, toy_codebook: Codebook) -> None:
    row = {"id": "a", "text": "t", "labels": {}}
    paths = [write(tmp_path / "p.jsonl", [row, row]), write(tmp_path / "q.jsonl", [row])]
    with pytest.raises(DataError) as caught:
        read_labels(paths, toy_codebook)
    message = f"id: duplicate id 'a', first at {paths[0]}:1; give every row its own"
    assert str(caught.value).splitlines() == [f"{paths[0]}:2: {message}", f"{paths[1]}:1: {message}"]


def test_a_document_with_two_events_is_a_fault(tmp_path: Path, toy_codebook: Codebook) -> None:
    rows = [
        {"text": "a", "labels": {}, "document": "d", "event": "e1"},
        {"text": "b", "labels": {}, "document": "d"},
        {"text": "c", "labels": {}, "document": "d", "event": "e2"},
        {"text": "d", "labels": {}, "document": "other", "event": "e2"},
    ]
    assert faults(tmp_path, rows, toy_codebook) == [
        "p.jsonl:3: event: document 'd' has event 'e2' here and 'e1' at p.jsonl:1; a document reports one event"
    ]


def test_all_faults_of_a_row_are_reported(tmp_path: Path, toy_codebook: Codebook) -> None:
    row = {"text": "t", "id": 1, "event": 2, "labels": {"theme": ["cybre", "see"], "framing": [], "x": 1}}
    assert [fault.split(": ")[1] for fault in faults(tmp_path, [row], toy_codebook)] == [
        "labels",
        "theme",
        "theme",
        "framing",
        "id",
        "event",
    ]


def test_a_row_without_text_still_has_its_labels_checked(tmp_path: Path, toy_codebook: Codebook) -> None:
    content: list[Row] = [{"text": "fine", "labels": {}}, {"labels": {"theme": ["cybre"]}}]
    assert [fault.split(": ")[1] for fault in faults(tmp_path, content, toy_codebook)] == ["text", "theme"]


def test_all_faults_of_all_files_are_reported_together(tmp_path: Path, toy_codebook: Codebook) -> None:
    folder = tmp_path / "labels"
    folder.mkdir()
    write(folder / "a.jsonl", '{"text": "t", "labels": {}}\n{"text": \n[]\n')
    write(folder / "b.jsonl", [{"text": "t", "labels": {"theme": ["cybre"]}}])
    write(folder / "c.csv", "text,theme\nt,see\nt,sea,x\n")
    write(folder / "d.csv", "text,framing\nt,none\n")
    write(folder / "notes.txt", "left alone")
    with pytest.raises(DataError) as caught:
        read_labels([folder, tmp_path / "missing.jsonl"], toy_codebook)
    assert {str(fault).replace(f"{tmp_path}/", "") for fault in caught.value.faults} == {
        "labels/a.jsonl:2: broken JSON at column 10; expected one JSON object a line",
        "labels/a.jsonl:3: found []; expected a JSON object {…}",
        "labels/b.jsonl:1: theme: unknown label 'cybre'; did you mean 'cyber'?",
        "labels/c.csv:3: found 3 cells; expected 2, as many as the header has",
        "labels/d.csv:2: framing: found none; expected exactly one label (a multiclass task)",
        "missing.jsonl: no such file or folder; check the path",
    }


def test_more_than_twenty_faults_are_counted(tmp_path: Path, toy_codebook: Codebook) -> None:
    path = write(tmp_path / "p.jsonl", [{"text": "t", "labels": {"theme": ["x"]}}] * 23)
    with pytest.raises(DataError) as caught:
        read_labels([path], toy_codebook)
    lines = str(caught.value).splitlines()
    assert len(caught.value.faults) == 23
    assert [line.split(": ")[0] for line in lines[:20]] == [f"{path}:{n}" for n in range(1, 21)]
    assert lines[20:] == ["… and 3 more faults (23 in all)"]


def test_the_same_file_given_twice_does_not_double_its_rows(tmp_path: Path, toy_codebook: Codebook) -> None:
    path = write(tmp_path / "p.jsonl", [{"id": "a", "text": "t", "labels": {}}])
    assert [passage.id for passage in read_labels([path, tmp_path], toy_codebook)] == ["a"]


def test_a_file_without_labelled_passages_is_a_fault(tmp_path: Path, toy_codebook: Codebook) -> None:
    assert faults(tmp_path, "text,theme\n", toy_codebook, name="p.csv") == [
        "p.csv: no rows; expected at least one labelled passage"
    ]


def test_keys_that_no_row_has_are_named_once(tmp_path: Path, toy_codebook: Codebook) -> None:
    assert faults(tmp_path, [{"id": "a", "body": "t"}] * 3, toy_codebook) == [
        "p.jsonl: text: no such column; found id, body",
        "p.jsonl: labels: no such column; found id, body",
    ]


def test_a_folder_without_tables_is_wrong_use(tmp_path: Path, toy_codebook: Codebook) -> None:
    write(tmp_path / "codebook.toml", "")
    with pytest.raises(UsageError, match=r"no file in this folder ends in \.jsonl, \.jsonl\.gz, \.csv"):
        read_labels([tmp_path], toy_codebook)


# CSV: one column a task.


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("", None),
        ("  ", None),
        ("none", frozenset()),
        (" none ", frozenset()),
        ("sea", frozenset({"sea"})),
        ("sea|cyber", frozenset({"sea", "cyber"})),
        (" sea | cyber ", frozenset({"sea", "cyber"})),
        ("sea|", frozenset({"sea"})),
    ],
)
def test_a_cell_is_not_coded_none_or_labels(
    tmp_path: Path, toy_codebook: Codebook, cell: str, expected: frozenset[str] | None
) -> None:
    path = write(tmp_path / "p.csv", f"text,theme,framing\nt,{cell},praise\n")
    (passage,) = read_labels([path], toy_codebook)
    assert passage.labels == {"theme": expected, "framing": frozenset({"praise"})}


def test_a_sheet_keeps_its_other_columns_and_may_lack_a_task(tmp_path: Path, toy_codebook: Codebook) -> None:
    path = write(tmp_path / "p.csv", 'id,text,document,event,theme,note\na,"one\ntwo",d,,sea,hm\nb,,,e,none,\n')
    first, second = read_labels([path], toy_codebook)
    assert (first.id, first.text, first.document, first.event) == ("a", "one\ntwo", "d", None)
    assert (second.id, second.text, second.document, second.event) == ("b", "", "b", "e")
    assert [first.labels["framing"], second.labels["framing"]] == [None, None]
    assert [first.extra, second.extra] == [{"note": "hm"}, {"note": ""}]
    assert [first.place, second.place] == [f"{path}:2", f"{path}:4"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("none|sea,", "theme: 'none' can't stand beside a label"),
        ("sea cyber,", "theme: unknown label 'sea cyber'; did you mean 'cyber'?"),
        ("See,", "theme: unknown label 'See'; did you mean 'sea'?"),
        (",report|praise", "framing: found praise, report; expected exactly one label (a multiclass task)"),
        (",none", "framing: found none; expected exactly one label (a multiclass task)"),
    ],
)
def test_faults_of_a_cell_name_its_row(tmp_path: Path, toy_codebook: Codebook, cells: str, expected: str) -> None:
    content = f'text,theme,framing\n"a\nb",,\nt,{cells}\n'
    assert faults(tmp_path, content, toy_codebook, name="p.csv") == [f"p.csv:4: {expected}"]


def test_missing_columns_are_named_beside_those_found(tmp_path: Path, toy_codebook: Codebook) -> None:
    assert faults(tmp_path, "id,body,topic\na,t,sea\n", toy_codebook, name="p.csv") == [
        "p.csv: text: no such column; found id, body, topic",
        "p.csv: theme or framing: no such column; found id, body, topic",
    ]


def test_semicolons_are_named_as_the_cause(tmp_path: Path, toy_codebook: Codebook) -> None:
    assert faults(tmp_path, "id;text;theme\na;t;sea\n", toy_codebook, name="p.csv") == [
        "p.csv:1: cells are separated by ';'; expected ','; save the sheet with commas"
    ]


def test_a_misspelt_task_column_is_a_fault_and_not_uncoded(tmp_path: Path, toy_codebook: Codebook) -> None:
    assert faults(tmp_path, "text,theme,framng\nt,sea,report\n", toy_codebook, name="p.csv") == [
        "p.csv: framing: no such column; is 'framng' meant? rename it"
    ]


@pytest.mark.parametrize("labels", [None, frozenset(), frozenset({"sea"}), frozenset({"sea", "cyber"})])
def test_joined_labels_read_back_as_they_were(
    tmp_path: Path, toy_codebook: Codebook, labels: frozenset[str] | None
) -> None:
    path = write(tmp_path / "p.csv", f"text,theme,framing\nt,{join_labels(labels)},\n")
    (passage,) = read_labels([path], toy_codebook)
    assert passage.labels["theme"] == labels


# Parquet and frames.

JOINED = {
    "id": ["a", "b", "c"],
    "text": ["t", "u", "v"],
    "event": ["e", None, None],
    "theme": ["sea|cyber", "none", None],
    "framing": ["report", "praise", None],
    "origin": ["toy", None, "toy"],
}
LISTED = JOINED | {"theme": [["sea", "cyber"], [], None]}
EXPECTED: list[Mapping[str, frozenset[str] | None]] = [
    {"theme": frozenset({"sea", "cyber"}), "framing": frozenset({"report"})},
    {"theme": frozenset(), "framing": frozenset({"praise"})},
    {"theme": None, "framing": None},
]


@pytest.mark.parametrize("columns", [JOINED, LISTED], ids=["joined", "lists"])
@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "arrow"])
def test_frames_hold_labels_joined_or_as_lists(kind: Any, columns: Row, toy_codebook: Codebook) -> None:
    passages = load_labels(kind(columns), toy_codebook).passages
    assert [passage.labels for passage in passages] == EXPECTED
    assert [passage.id for passage in passages] == ["a", "b", "c"]
    assert [passage.event for passage in passages] == ["e", None, None]
    assert [passage.extra for passage in passages] == [{"origin": "toy"}, {"origin": None}, {"origin": "toy"}]


@pytest.mark.parametrize("columns", [JOINED, LISTED], ids=["joined", "lists"])
def test_parquet_holds_labels_joined_or_as_lists(tmp_path: Path, toy_codebook: Codebook, columns: Row) -> None:
    pl.DataFrame(columns).write_parquet(tmp_path / "p.parquet")
    assert [passage.labels for passage in read_labels([tmp_path / "p.parquet"], toy_codebook)] == EXPECTED


def test_missing_cells_of_pandas_are_not_coded(toy_codebook: Codebook) -> None:
    frame = pd.DataFrame(JOINED).astype({"theme": "string", "framing": "category", "event": object})
    frame.loc[frame["event"].isna(), "event"] = np.nan
    assert [passage.labels for passage in load_labels(frame, toy_codebook).passages] == EXPECTED


def test_rows_of_a_frame_without_ids_are_named_by_their_number(toy_codebook: Codebook) -> None:
    passages = load_labels(pd.DataFrame({"text": ["t", "u"], "theme": ["sea", None]}), toy_codebook).passages
    assert [passage.id for passage in passages] == ["frame:1", "frame:2"]


def test_faults_of_a_frame_name_its_row(toy_codebook: Codebook) -> None:
    frame = pl.DataFrame({"text": ["t", None, "u"], "theme": ["cybre", "sea", "sea"]})
    with pytest.raises(DataError) as caught:
        load_labels(frame, toy_codebook)
    assert str(caught.value).splitlines() == [
        "frame:1: theme: unknown label 'cybre'; did you mean 'cyber'?",
        "frame:2: text: found nothing; expected the passage as text",
    ]


def test_lists_that_pandas_reads_from_parquet_are_lists(tmp_path: Path, toy_codebook: Codebook) -> None:
    pl.DataFrame(LISTED).write_parquet(tmp_path / "p.parquet")
    frame = pd.read_parquet(tmp_path / "p.parquet")
    assert [passage.labels for passage in load_labels(frame, toy_codebook).passages] == EXPECTED


def test_parquet_written_from_rows_with_labels_can_be_read(tmp_path: Path, toy_codebook: Codebook) -> None:
    path = tmp_path / "p.parquet"
    write_rows([{"text": "t", "labels": {"theme": ["sea"], "framing": None}}], "parquet", path)
    assert read_labels([path], toy_codebook)[0].labels == {"theme": frozenset({"sea"}), "framing": None}


# Coders' own files.


def test_a_coder_is_named_by_the_row_or_else_by_the_file(tmp_path: Path, toy_codebook: Codebook) -> None:
    rows = [
        {"id": "a", "labels": {"theme": ["sea"]}, "unsure": {"theme": ["cyber"]}, "text": "t", "event": "e"},
        {"id": "b", "labels": {"framing": "report"}, "coder": "mo", "document": "d"},
    ]
    path = write(tmp_path / "ann.jsonl", rows)
    assert read_coders([path], toy_codebook) == [
        CodedPassage(
            id="a",
            coder="ann",
            labels={"theme": frozenset({"sea"}), "framing": None},
            unsure={"theme": frozenset({"cyber"})},
            text="t",
            event="e",
            place=f"{path}:1",
        ),
        CodedPassage(
            id="b",
            coder="mo",
            labels={"theme": None, "framing": frozenset({"report"})},
            document="d",
            place=f"{path}:2",
        ),
    ]


def test_coders_sheets_may_be_csv(tmp_path: Path, toy_codebook: Codebook) -> None:
    write_rows([{"id": "a", "theme": "sea|cyber", "framing": ""}], "csv", tmp_path / "ann.csv")
    write(tmp_path / "mo.jsonl", [{"id": "a", "labels": {"theme": []}}])
    assert [(row.coder, row.id, row.labels["theme"]) for row in read_coders([tmp_path], toy_codebook)] == [
        ("ann", "a", frozenset({"sea", "cyber"})),
        ("mo", "a", frozenset()),
    ]


def test_faults_of_all_coders_are_reported_together(tmp_path: Path, toy_codebook: Codebook) -> None:
    paths = [
        write(tmp_path / "ann.jsonl", [{"id": "a", "labels": {"theme": ["cybre"]}}, {"labels": {}}]),
        write(tmp_path / "mo.csv", "theme\nsea\n"),
        write(tmp_path / "jo.jsonl", '{"id": "a", "labels": {}}\n{'),
    ]
    assert sorted(coder_faults(paths, toy_codebook)) == [
        "ann.jsonl:1: theme: unknown label 'cybre'; did you mean 'cyber'?",
        "ann.jsonl:2: id: missing; expected the id of the coded passage",
        "jo.jsonl:2: broken JSON at column 2; expected one JSON object a line",
        "mo.csv: id: no such column; found theme",
    ]


def test_a_passage_coded_twice_by_one_coder_is_a_fault(tmp_path: Path, toy_codebook: Codebook) -> None:
    row = {"id": "a", "labels": {}}
    paths = [
        write(tmp_path / "ann.jsonl", [row, row]),
        write(tmp_path / "mo.jsonl", [row, row | {"coder": "ann"}]),
    ]
    hint = "keep one row, or tell coders apart by a column coder or by their files' names"
    message = f"id: coder 'ann' coded 'a' already at ann.jsonl:1; {hint}"
    assert coder_faults(paths, toy_codebook) == [f"ann.jsonl:2: {message}", f"mo.jsonl:2: {message}"]


def test_coders_files_may_have_dots_in_their_names(tmp_path: Path, toy_codebook: Codebook) -> None:
    paths = [write(tmp_path / f"j.{name}.jsonl", [{"id": "a", "labels": {}}]) for name in ("lee", "sato")]
    assert [row.coder for row in read_coders(paths, toy_codebook)] == ["j.lee", "j.sato"]

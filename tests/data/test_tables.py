"""Rows to files and back: every format, every kind of broken file, and writing that is whole or not at all."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from classify.data.tables import Row, Table, format_of, read_table, to_json, write_rows
from classify.errors import ClassifyError, DataError, OutputError, UsageError

ROWS: list[Row] = [
    {"id": "a", "text": "Two ships, “Ægir” and 海,\nsailed.", "note": 'He said "go".'},
    {"id": "b", "text": "", "note": " spaces "},
]
NESTED: list[Row] = [
    {"id": "a", "labels": {"theme": ["sea"], "framing": None}, "n": 1},
    {"id": "b", "labels": {"theme": [], "framing": "report"}, "n": None},
]


# Writing .gz leaves the file below the stream open: every such write is a ResourceWarning.
JSONL_GZ = "t.jsonl.gz"
CSV_GZ = "t.csv.gz"


def write(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def faults(path: Path) -> list[str]:
    """Each fault as the line shown, without the folder."""
    with pytest.raises(DataError) as caught:
        read_table(path)
    return [str(fault).removeprefix(f"{path.parent}/") for fault in caught.value.faults]


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Round trips.


@pytest.mark.parametrize("name", ["t.jsonl", JSONL_GZ, "t.csv", CSV_GZ, "t.parquet"])
def test_rows_of_text_survive_every_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_rows(ROWS, format_of(path), path)
    table = read_table(path)
    assert list(table.rows) == ROWS
    assert table.columns == ["id", "text", "note"]
    assert (table.path, table.format) == (str(path), format_of(path))
    assert listing(tmp_path) == [name]


@pytest.mark.parametrize("name", ["t.jsonl", JSONL_GZ, "t.parquet"])
def test_nested_values_and_nulls_survive(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_rows(NESTED, format_of(path), path)
    assert list(read_table(path).rows) == NESTED


def test_csv_shows_nested_values_as_json_and_null_as_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_rows(NESTED, "csv", path)
    assert path.read_text(encoding="utf-8") == (
        'id,labels,n\na,"{""theme"": [""sea""], ""framing"": null}",1\nb,"{""theme"": [], ""framing"": ""report""}",\n'
    )


def test_jsonl_is_one_readable_object_a_line(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    write_rows([{"text": "Ægir\n海\u2028"}], "jsonl", path)
    assert path.read_bytes() == '{"text": "Ægir\\n海\u2028"}\n'.encode()
    assert read_table(path).rows == ({"text": "Ægir\n海\u2028"},)


def test_rows_may_have_different_keys(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_rows([{"a": "1"}, {"b": "2", "a": "3"}], "csv", path)
    assert path.read_text(encoding="utf-8") == "a,b\n1,\n3,2\n"


@pytest.mark.parametrize("rows", [[{"a": "1", "b": "2"}], []])
def test_columns_fix_names_and_order_of_csv(tmp_path: Path, rows: list[Row]) -> None:
    path = tmp_path / "t.csv"
    write_rows(rows, "csv", path, columns=["b", "c", "a"])
    assert path.read_text(encoding="utf-8").splitlines()[0] == "b,c,a"


@pytest.mark.parametrize("rows", [[{"a": "1", "b": "2"}], []])
def test_columns_fix_names_and_order_of_parquet(tmp_path: Path, rows: list[Row]) -> None:
    path = tmp_path / "t.parquet"
    write_rows(rows, "parquet", path, columns=["b", "c", "a"])
    assert parquet.read_schema(path).names == ["b", "c", "a"]


def test_a_table_with_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_rows([], "csv", path, columns=["a", "b"])
    assert read_table(path) == Table(str(path), "csv", (), ())


@pytest.mark.parametrize("name", [JSONL_GZ, CSV_GZ])
def test_gz_bytes_are_equal_whenever_and_wherever_they_are_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "other").mkdir()
    paths = [tmp_path / name, tmp_path / "other" / f"x{name}"]
    for path in paths:
        write_rows(ROWS, format_of(path), path)
    first, second = [path.read_bytes() for path in paths]
    assert first == second
    assert first[3:8] == bytes(5)  # neither a name nor a time
    assert gzip.decompress(first).startswith((b"{", b"id"))


@given(rows=st.lists(st.fixed_dictionaries({"id": st.text(), "text": st.text(max_size=30)}), max_size=4))
def test_any_text_survives_jsonl(tmp_path_factory: pytest.TempPathFactory, rows: list[Row]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    write_rows([{"id": "first"}, *rows], "jsonl", path)
    assert list(read_table(path).rows) == [{"id": "first"}, *rows]


SAFE = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=30)


@given(rows=st.lists(st.fixed_dictionaries({"id": SAFE, "text": SAFE}), max_size=4))
def test_any_text_without_carriage_return_survives_csv(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    write_rows(rows, "csv", path, columns=["id", "text"])
    assert list(read_table(path).rows) == rows


def test_no_cell_of_a_csv_can_become_a_formula_and_all_are_read_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [{"id": "=1+1", "theme": "-sea|@cyber", "+n": "-0.5"}, {"id": "'=1+1", "theme": "'sea'", "+n": "-inf"}]
    write_rows(rows, "csv", path)
    assert "id,theme,'+n\n'=1+1,'-sea|@cyber,-0.5\n''=1+1,'sea',-inf\n" == path.read_text(encoding="utf-8")
    assert tuple(rows) == read_table(path).rows


@pytest.mark.parametrize("text", ["one\rtwo", "\r"])
def test_carriage_returns_survive_csv(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.csv"
    write_rows([{"id": "a", "text": text, "theme": ""}], "csv", path)
    assert read_table(path).rows == ({"id": "a", "text": text, "theme": ""},)


# Text that UTF-8 can't hold.


@pytest.mark.parametrize("name", ["t.jsonl", JSONL_GZ])
def test_lone_surrogates_survive_jsonl(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_rows([{"text": "a\ud800é"}], "jsonl", path)
    assert read_table(path).rows == ({"text": "a\ud800é"},)
    assert to_json({"text": "a\ud800é"}) == '{"text": "a\\ud800\\u00e9"}\n'


def test_lone_surrogates_are_escaped_in_csv(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_rows([{"text": "a\ud800é"}], "csv", path)
    assert read_table(path).rows == ({"text": "a\\ud800é"},)


# Row numbers.


def test_jsonl_rows_keep_their_line_numbers(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "t.jsonl", '\ufeff{"a": 1}\r\n\n  \n{"a": 2}\n{"a": 3}'))
    assert table.rows == ({"a": 1}, {"a": 2}, {"a": 3})
    assert table.numbers == (1, 4, 5)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_csv_rows_keep_the_number_of_the_line_they_begin_on(tmp_path: Path, line_break: str) -> None:
    lines = ["\ufeffid,text", 'a,"one', 'two"', "", "b,three", 'c,"', '"', "d,four"]
    table = read_table(write(tmp_path, "t.csv", line_break.join(lines)))
    assert [row["id"] for row in table.rows] == ["a", "b", "c", "d"]
    assert table.rows[0]["text"] == f"one{line_break}two"
    assert table.numbers == (2, 5, 6, 8)


def test_csv_rows_are_numbered_from_the_end_of_a_header_of_two_lines(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "t.csv", 'id,"text\n(English)"\na,one\n'))
    assert (table.columns, table.numbers) == (["id", "text\n(English)"], (3,))


def test_parquet_rows_are_numbered_from_one(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"a": ["x", None]}), tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert (table.rows, table.numbers) == (({"a": "x"}, {"a": None}), (1, 2))


def test_a_cell_may_be_ten_megabytes(tmp_path: Path) -> None:
    text = "word " * 2_000_000
    assert read_table(write(tmp_path, "t.csv", f"id,text\na,{text}\n")).rows == ({"id": "a", "text": text},)


# Files that can't be read.


def test_broken_json_is_reported_with_its_row(tmp_path: Path) -> None:
    lines = [json.dumps({"text": str(n)}) for n in range(1, 21)]
    lines[16] = '{"text": "17"'
    assert faults(write(tmp_path, "t.jsonl", "\n".join(lines))) == [
        "t.jsonl:17: broken JSON at column 14; expected one JSON object a line"
    ]


def test_every_broken_row_is_reported(tmp_path: Path) -> None:
    content = '[1]\n{"a": 1}\n"text"\n{a: 1}\nnull\n' + "[" * 100_000 + "\n"
    assert faults(write(tmp_path, "t.jsonl", content)) == [
        "t.jsonl:1: found [1]; expected a JSON object {…}",
        't.jsonl:3: found "text"; expected a JSON object {…}',
        "t.jsonl:4: broken JSON at column 2; expected one JSON object a line",
        "t.jsonl:5: found null; expected a JSON object {…}",
        "t.jsonl:6: broken JSON; expected one JSON object a line",
    ]


def test_a_number_of_five_thousand_digits_is_a_fault(tmp_path: Path) -> None:
    assert faults(write(tmp_path, "t.jsonl", '{"n": ' + "1" * 5000 + "}\n"))[0].startswith("t.jsonl:1: ")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            'id,text\na,"one\ntwo",three\nb,four\n\nc\n',
            [
                "t.csv:2: found 3 cells; expected 2, as many as the header has",
                "t.csv:6: found 1 cells; expected 2, as many as the header has",
            ],
        ),
        ("id,text,id\na,b,c\n", ["t.csv:1: column 'id' stands twice; give every column its own name"]),
        (
            'id,text\na,"b"c\n',
            ["t.csv:2: broken CSV: ',' expected after '\"'; check the quotation marks"],
        ),
        (
            'id,text\na,b\nb,"c\n',
            ["t.csv:3: broken CSV: unexpected end of data; check the quotation marks"],
        ),
    ],
)
def test_broken_csv_is_reported_with_its_rows(tmp_path: Path, content: str, expected: list[str]) -> None:
    assert faults(write(tmp_path, "t.csv", content)) == expected


def test_semicolons_are_named_as_the_cause_also_where_texts_hold_commas(tmp_path: Path) -> None:
    assert "';'" in faults(write(tmp_path, "t.csv", "id;text;theme\na;Yes, sir;sea\n"))[0]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("t.csv", b"", "t.csv: the file is empty"),
        ("t.jsonl", b" \n\t\n", "t.jsonl: the file is empty"),
        ("t.parquet", b"", "t.parquet: the file is empty"),
        ("t.jsonl.gz", b"", "t.jsonl.gz: the file is empty"),
        (
            "t.csv",
            b"id,text\na,b\nc,caf\xe9\n",
            "t.csv:3: not UTF-8: byte 0xe9; expected UTF-8 text; save the file as UTF-8",
        ),
        (
            "t.jsonl",
            '{"a": "b"}\n'.encode("utf-16"),
            "t.jsonl:1: not UTF-8: byte 0xff; expected UTF-8 text; save the file as UTF-8",
        ),
        (
            "t.jsonl.gz",
            gzip.compress(b'{"a": 1}\n{"a": "\xff"}\n', mtime=0),
            "t.jsonl.gz:2: not UTF-8: byte 0xff; expected UTF-8 text; save the file as UTF-8",
        ),
        (
            "t.jsonl.gz",
            gzip.compress(b'{"a": 1}\n' * 100, mtime=0)[:-9],
            "t.jsonl.gz: broken or cut gzip file; write or fetch it again",
        ),
        ("t.csv.gz", b"id,text\na,b\n", "t.csv.gz: broken or cut gzip file; write or fetch it again"),
    ],
)
def test_files_that_cannot_be_read_are_one_clear_line(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    assert faults(write(tmp_path, name, content)) == [expected]


@pytest.mark.parametrize(("name", "content"), [("t.csv", b"\xef\xbb\xbf"), ("t.csv.gz", gzip.compress(b"", mtime=0))])
def test_csv_that_is_empty_after_unpacking_is_one_clear_line(tmp_path: Path, name: str, content: bytes) -> None:
    assert faults(write(tmp_path, name, content)) == [f"{name}: the file is empty"]


@pytest.mark.parametrize("content", [b"hello", b"PAR1 no footer here PAR1", b"x" * 10_000])
def test_what_is_not_parquet_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    (fault,) = faults(write(tmp_path, "t.parquet", content))
    assert fault.startswith("t.parquet: not a Parquet file that can be read: ")


def test_a_cut_parquet_file_is_one_clear_line(tmp_path: Path) -> None:
    write_rows(ROWS, "parquet", tmp_path / "whole.parquet")
    (fault,) = faults(write(tmp_path, "t.parquet", (tmp_path / "whole.parquet").read_bytes()[:-20]))
    assert fault.startswith("t.parquet: not a Parquet file that can be read: ")


@pytest.mark.parametrize("name", ["t.jsonl", "t.csv", "t.csv.gz", "t.parquet"])
def test_a_missing_file_or_a_folder_is_one_clear_line(tmp_path: Path, name: str) -> None:
    assert faults(tmp_path / name) == [f"{name}: no such file or folder; check the path"]
    (tmp_path / name).mkdir()
    assert faults(tmp_path / name) == [f"{name}: can't be read: Is a directory"]


@pytest.mark.parametrize("name", ["t.txt", "t.xlsx", "t", "jsonl", "t.jsonl.zip", "t.gz"])
def test_unknown_suffixes_are_wrong_use(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_table(name)
    assert str(caught.value) == (
        f"{name}: unknown kind of file; expected a name that ends in .jsonl, .jsonl.gz, .csv, .csv.gz, .parquet"
    )


def test_parquet_is_never_gzipped() -> None:
    with pytest.raises(UsageError, match="unknown kind of file"):
        format_of("t.parquet.gz")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.jsonl", "jsonl"),
        ("a.jsonl.gz", "jsonl"),
        ("a.csv", "csv"),
        ("x/a.b.csv.gz", "csv"),
        ("a.parquet", "parquet"),
    ],
)
def test_the_suffix_names_the_format(name: str, expected: str) -> None:
    assert format_of(name) == format_of(Path(name)) == format_of(name, asked=expected) == expected


@pytest.mark.parametrize(("name", "asked"), [("a.jsonl", "csv"), ("a.csv.gz", "jsonl"), ("a.parquet", "csv")])
def test_a_format_against_the_suffix_is_wrong_use(name: str, asked: str) -> None:
    with pytest.raises(UsageError) as caught:
        format_of(name, asked=asked)
    assert str(caught.value) == f"--format {asked} contradicts the name {name}; drop --format or rename the file"


# Writing: whole or not at all.


class PowerCutError(Exception):
    """Something that goes wrong in the middle of the rows."""


def rows_that_break() -> Iterator[Row]:
    yield {"a": "new"}
    raise PowerCutError


@pytest.mark.parametrize("name", ["t.jsonl", JSONL_GZ, "t.csv", CSV_GZ, "t.parquet"])
def test_an_interrupted_run_leaves_the_old_file_and_nothing_else(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_rows(ROWS, format_of(path), path)
    before = path.read_bytes()
    with pytest.raises(PowerCutError):
        write_rows(rows_that_break(), format_of(path), path)
    assert path.read_bytes() == before
    assert listing(tmp_path) == [name]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "t.jsonl"
    write_rows(ROWS, "jsonl", path)
    assert len(read_table(path).rows) == len(ROWS)


@pytest.mark.parametrize("name", ["t.jsonl", "t.csv", "t.parquet"])
def test_a_folder_in_the_place_of_the_file_is_one_clear_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(OutputError) as caught:
        write_rows(ROWS, format_of(name), tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name}: can't be written: Is a directory"
    assert listing(tmp_path) == [name]


@pytest.mark.parametrize("name", ["t.jsonl", "n" * 300 + ".csv"])
def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path: Path, name: str) -> None:
    folder = {"t.jsonl": write(tmp_path, "file", b"")}.get(name, tmp_path)
    with pytest.raises(OutputError, match="can't be written"):
        write_rows(ROWS, format_of(name), folder / name)


def test_parquet_does_not_go_to_standard_output() -> None:
    with pytest.raises(UsageError, match=r"^Parquet can't go to standard output; name a file with --out$"):
        write_rows(ROWS, "parquet", None)


def test_a_column_of_mixed_kinds_is_one_clear_line_for_parquet(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="a column holds what Parquet can't"):
        write_rows([{"a": 1}, {"a": "x"}], "parquet", tmp_path / "t.parquet")
    assert listing(tmp_path) == []


@pytest.mark.parametrize("value", ["\ud800", {}, 2**70])
def test_what_parquet_cannot_hold_is_one_clear_line(tmp_path: Path, value: object) -> None:
    with pytest.raises(ClassifyError):
        write_rows([{"a": value}], "parquet", tmp_path / "t.parquet")

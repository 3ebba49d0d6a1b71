"""Files of every kind to the same rows with predictions, whatever the jobs; bad rows are named or kept."""

import csv
import gzip
import io
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from classify.data.tables import write_rows
from classify.errors import ClassifyError, DataError, UsageError, WorkerError
from classify.predictor import Predictor, flat_columns
from classify.tagging.blocks import Block
from classify.tagging.reading import read_blocks
from classify.tagging.rows import Options
from classify.tagging.run import Outcome, tag_files
from classify.tagging.sources import open_sources
from classify.tagging.tagger import Tagger
from classify.tagging.workers import crew
from tests.conftest import toy_rows, write_jsonl

JSONL = Options("jsonl")
KEEP = Options("jsonl", keeps_faults=True)


def run(predictor: Predictor, inputs: list[str], options: Options = JSONL, *, jobs: int = 1) -> tuple[Outcome, bytes]:
    """What a run came to, and what it wrote."""
    out = Path(f"out.{options.form}")
    outcome = tag_files(inputs, predictor, options, out, jobs=jobs)
    return outcome, out.read_bytes()


def rows_of(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def cells_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def refusal(predictor: Predictor, inputs: list[str], options: Options = JSONL) -> str:
    """What is said of a run that leaves nothing behind."""
    before = sorted(os.listdir())
    with pytest.raises(ClassifyError) as caught:
        run(predictor, inputs, options)
    assert before == sorted(os.listdir())
    return str(caught.value)


def test_rows_are_those_that_the_predictor_gives(many: Path, toy_predictor: Predictor) -> None:
    given = rows_of(many.read_bytes())
    found = toy_predictor.predict([row["text"] for row in given])
    assert [row | one.to_row() for row, one in zip(given, found, strict=True)] == rows_of(
        run(toy_predictor, ["many.jsonl"])[1]
    )
    cells = [{name: str(value) for name, value in flat_columns(one).items()} for one in found]
    tagged = cells_of(run(toy_predictor, ["many.jsonl"], Options("csv"))[1])
    assert cells == [{name: row[name] for name in toy_predictor.columns} for row in tagged]


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_the_bytes_are_the_same_in_two_processes(form: str, many: Path, toy_predictor: Predictor) -> None:
    alone, together = (run(toy_predictor, ["many.jsonl"], Options(form), jobs=jobs)[1] for jobs in (1, 2))
    assert alone == together


def test_the_bytes_are_the_same_in_blocks_of_any_size(
    many: Path, toy_predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_hundreds = run(toy_predictor, ["many.jsonl"])[1]
    monkeypatch.setattr("classify.tagging.reading.SIZE", 1)
    assert in_hundreds == run(toy_predictor, ["many.jsonl"])[1]


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "csv", "csv.gz", "parquet"])
def test_every_kind_of_table_gives_the_same_predictions(suffix: str, here: Path, toy_predictor: Predictor) -> None:
    rows = [{"id": row["id"], "text": row["text"]} for row in toy_rows()]
    write_rows(rows, suffix.removesuffix(".gz"), here / f"in.{suffix}")
    found = toy_predictor.predict([row["text"] for row in rows])
    tagged = rows_of(run(toy_predictor, [f"in.{suffix}"])[1])
    assert [row | one.to_row() for row, one in zip(rows, found, strict=True)] == tagged


def test_what_a_row_of_json_holds_is_carried_through_as_it_stood(here: Path, toy_predictor: Predictor) -> None:
    row = b'{"n":1.10, "text":"a\\u0000\\ud800", "m": 12345678901234567890.5'
    Path("in.jsonl").write_bytes(b"\xef\xbb\xbf" + row + b"}\r\n")
    written = run(toy_predictor, ["in.jsonl"])[1]
    assert written.startswith(row + b', "predicted": {')
    assert 1 == written.count(b"\n")


def test_columns_of_different_inputs_are_joined(here: Path, toy_predictor: Predictor) -> None:
    write_jsonl(Path("a.jsonl"), [{"text": "The navy said.", "n": 1}, {"m": [2], "text": "Ships."}])
    Path("b.csv").write_text("k,text\nx,Hackers.\n")
    Path("c.txt").write_text("Two ships left the harbour on Monday morning.\n")
    first, second, third, last = cells_of(run(toy_predictor, ["a.jsonl", "b.csv", "c.txt"], Options("csv"))[1])
    assert ["text", "n", "m", "k", "id", "document", "start", "end"] == list(first)[:8]
    assert ("1", "[2]", "x", "c.txt#1") == (first["n"], second["m"], third["k"], last["id"])


def test_types_of_different_rows_become_one_in_parquet(many: Path, toy_predictor: Predictor) -> None:
    rows: list[dict[str, object]] = [{"text": "a", "n": 1, "nested": {"x": 1}}] * 100
    write_jsonl(many, [*rows, {"text": "b", "n": 1.5, "nested": {"y": "z"}}])
    run(toy_predictor, ["many.jsonl"], Options("parquet"))
    *_, last = parquet.read_table("out.parquet").to_pylist()
    assert (1.5, {"x": None, "y": "z"}) == (last["n"], last["nested"])


def test_types_that_cannot_stand_in_one_column_are_refused(many: Path, toy_predictor: Predictor) -> None:
    write_jsonl(many, [*[{"text": "a", "n": 1}] * 100, {"text": "b", "n": "one"}])
    said = refusal(toy_predictor, ["many.jsonl"], Options("parquet"))
    assert said.startswith("out.parquet: a column holds what Parquet can't (")


def test_a_type_that_parquet_lacks_is_told_in_one_line(here: Path, toy_predictor: Predictor) -> None:
    write_jsonl(Path("in.jsonl"), [{"text": "a", "n": {}}])
    said = refusal(toy_predictor, ["in.jsonl"], Options("parquet"))
    assert said.startswith("out.parquet: a column holds what Parquet can't (Cannot write struct type 'n'")


def test_a_parquet_file_with_two_columns_of_one_name_is_refused(here: Path, toy_predictor: Predictor) -> None:
    parquet.write_table(pa.table([["Ships."], ["Hackers."]], names=["text", "text"]), "in.parquet")
    expected = "in.parquet: column 'text' stands twice; give every column its own name"
    assert expected == refusal(toy_predictor, ["in.parquet"])


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_time_that_python_lacks_is_told_with_its_rows(jobs: int, here: Path, toy_predictor: Predictor) -> None:
    times = pa.array([0, 10**12], pa.timestamp("s"))
    parquet.write_table(pa.table({"text": ["a", "b"], "at": times}), "in.parquet")
    with pytest.raises(DataError, match=r"in\.parquet: rows 1 to 2 can't be read: .+out of range"):
        run(toy_predictor, ["in.parquet"], jobs=jobs)


def test_no_cell_of_a_csv_can_become_a_formula(here: Path, toy_predictor: Predictor) -> None:
    write_jsonl(Path("in.jsonl"), [{"=a": "@b", "text": "=HYPERLINK(1)", "n": "-0.5", "m": -1}])
    (row,) = cells_of(run(toy_predictor, ["in.jsonl"], Options("csv"))[1])
    assert ["'@b", "'=HYPERLINK(1)", "-0.5", "-1"] == [row["'=a"], row["text"], row["n"], row["m"]]
    Path("out.csv").rename("again.csv")
    (again,) = rows_of(run(toy_predictor, ["again.csv"])[1])
    assert ("@b", "=HYPERLINK(1)") == (again["=a"], again["text"])


def test_another_column_can_hold_the_text_and_another_the_id(here: Path, toy_predictor: Predictor) -> None:
    options = Options("jsonl", text_field="body", id_field="url")
    rows = [{"url": "u1", "body": "Ships."}, {"url": "u2", "id": 7, "body": "Hackers."}]
    write_jsonl(Path("in.jsonl"), rows)
    first, second = rows_of(run(toy_predictor, ["in.jsonl"], options)[1])
    assert (["id", "url", "body"], "u1", 7) == (list(first)[:3], first["id"], second["id"])
    write_jsonl(Path("bad.jsonl"), [{"url": "u1", "body": None}])
    expected = "bad.jsonl:1: body: found None; expected the passage as text (url 'u1')"
    assert expected == refusal(toy_predictor, ["bad.jsonl"], options)


def test_a_table_without_the_column_is_told_which_it_has(here: Path, toy_predictor: Predictor) -> None:
    Path("in.csv").write_text("url,body\nu,b\n")
    expected = "in.csv: text: no such column; found url, body; name the right one with --text-field"
    assert expected == refusal(toy_predictor, ["in.csv"])
    expected = "in.csv: nr: no such column; found url, body; name the right one with --id-field"
    assert expected == refusal(toy_predictor, ["in.csv"], Options("jsonl", "body", "nr"))


BAD = b"""\
{"text": "Ships.", "n": 1}
{"text": 5, "n": 2}

no json
[1]
{"text": "caf\xe9"}
{"n": 3}
{"text": "Hackers."}"""


def test_all_bad_rows_are_named_together(here: Path, toy_predictor: Predictor) -> None:
    Path("in.jsonl").write_bytes(BAD)
    assert [
        "in.jsonl:2: text: found 5; expected the passage as text",
        "in.jsonl:4: broken JSON at column 1; expected one JSON object a line",
        "in.jsonl:5: found [1]; expected a JSON object {…}",
        "in.jsonl:6: not UTF-8: byte 0xe9; expected UTF-8 text; save the file as UTF-8",
        "in.jsonl:7: text: no such column; found n; name the right one with --text-field",
    ] == refusal(toy_predictor, ["in.jsonl"]).splitlines()


def test_of_many_bad_rows_the_first_are_named_and_all_counted(many: Path, toy_predictor: Predictor) -> None:
    write_jsonl(many, [{"text": "Ships."}] * 150 + [{"text": None}] * 1224)
    said = refusal(toy_predictor, ["many.jsonl"]).splitlines()
    assert (21, "… and 1,204 more faults (1,224 in all)") == (len(said), said[-1])
    assert said[0].startswith("many.jsonl:151: text: found None")


def test_bad_rows_can_be_kept_in_their_place(here: Path, toy_predictor: Predictor) -> None:
    Path("in.jsonl").write_bytes(BAD)
    outcome, written = run(toy_predictor, ["in.jsonl"], KEEP)
    first, second, third, *_, last = rows = rows_of(written)
    assert (7, 7, 5) == (len(rows), outcome.n_rows, outcome.n_faults)
    assert "error" not in first
    assert "error" not in last
    none = {"predicted": None, "probabilities": None, "review": None, "model": None}
    assert {"text": 5, "n": 2, **none, "error": str(outcome.faults[0])} == second
    assert {**none, "error": str(outcome.faults[1])} == third


def test_tables_have_a_column_error_where_bad_rows_are_kept(here: Path, toy_predictor: Predictor) -> None:
    Path("in.csv").write_bytes(b"text,n\nShips.,1\nNo,2,3\ncaf\xe9,4\n")
    first, second, third = cells_of(run(toy_predictor, ["in.csv"], Options("csv", keeps_faults=True))[1])
    assert ("", "sea") == (first["error"], first["predicted:theme"])
    assert second["error"].startswith("in.csv:3: found 3 cells; expected 2")
    assert ("caf\\xe9", "4", "", "") == (third["text"], third["n"], third["predicted:theme"], third["p:theme:sea"])


def test_kept_rows_are_predicted_again_once_they_are_mended(here: Path, toy_predictor: Predictor) -> None:
    write_jsonl(Path("in.jsonl"), [{"text": None, "n": 1}])
    _, written = run(toy_predictor, ["in.jsonl"], KEEP)
    Path("mended.jsonl").write_bytes(written.replace(b'"text": null', b'"text": "Ships."'))
    (row,) = rows_of(run(toy_predictor, ["mended.jsonl"], KEEP)[1])
    assert ["text", "n", "predicted", "probabilities", "review", "model"] == list(row)


def test_a_column_error_of_the_users_is_not_written_over(here: Path, toy_predictor: Predictor) -> None:
    write_jsonl(Path("in.jsonl"), [{"text": "Ships.", "error": "spelling"}])
    assert "spelling" == rows_of(run(toy_predictor, ["in.jsonl"])[1])[0]["error"]
    assert refusal(toy_predictor, ["in.jsonl"], KEEP).startswith("error: --on-error keep would write under this name")


def test_a_text_file_that_cannot_be_read_is_one_bad_row(here: Path, toy_predictor: Predictor) -> None:
    Path("a.txt").write_bytes(b"Caf\xe9 and ships.")
    Path("b.txt").write_text("Two ships left the harbour on Monday morning.\n")
    bad, good = rows_of(run(toy_predictor, ["a.txt", "b.txt"], KEEP)[1])
    assert ("a.txt", "b.txt") == (bad["document"], good["document"])
    assert bad["error"].startswith("a.txt:1: not UTF-8")


@pytest.mark.parametrize("options", [JSONL, KEEP])
def test_a_packed_file_that_is_cut_is_refused(options: Options, here: Path, toy_predictor: Predictor) -> None:
    packed = gzip.compress(b"".join(b'{"text": "row %d"}\n' % n for n in range(9000)))
    Path("in.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    expected = "in.jsonl.gz: broken or cut gzip file; write or fetch it again"
    assert expected == refusal(toy_predictor, ["in.jsonl.gz"], options)


def test_a_packed_table_without_its_header_is_refused(here: Path, toy_predictor: Predictor) -> None:
    Path("in.csv.gz").write_bytes(gzip.compress(b"text,n\nShips.,1\n")[:12])
    assert "in.csv.gz: broken or cut gzip file; write or fetch it again" == refusal(toy_predictor, ["in.csv.gz"])


def test_an_output_that_is_an_input_is_refused(here: Path, toy_predictor: Predictor) -> None:
    write_jsonl(Path("out.jsonl"), [{"text": "Ships."}])
    said = "out.jsonl: is an input too; name another file with --out"
    assert said == refusal(toy_predictor, ["out.jsonl"])
    assert said == refusal(toy_predictor, ["*.jsonl"])


def test_what_comes_in_through_a_pipe_is_read_whole_where_it_is_read_twice(
    here: Path, toy_predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Two ships left.\n\nHackers came in.\n"
    labelled = {"text": "Ships.", "labels": {"theme": ["sea"]}}
    for path in ("in.jsonl", "out.jsonl"):  # labels that stay in place are looked for before anything is written
        write_jsonl(Path(path), [labelled])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    *_, last = rows_of(run(toy_predictor, ["in.jsonl", "-"])[1])
    assert text.strip() == last["text"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("name", ["in.csv", "in.jsonl", "in.txt"])
def test_a_named_pipe_is_refused_unread(name: str, here: Path, toy_predictor: Predictor) -> None:
    os.mkfifo(name)
    expected = f"{name}: a pipe or a device; expected a file; pipe text or JSONL in and name -"
    assert expected == refusal(toy_predictor, [name])


def test_patterns_and_folders_leave_out_hidden_files(here: Path, toy_predictor: Predictor) -> None:
    for name in ("news/a.jsonl", "news/.b.jsonl", "news/deep/c.jsonl"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        write_jsonl(Path(name), [{"text": name}])
    for given, expected in (
        ("news", ["a"]),
        ("news/*.jsonl", ["a"]),
        ("news/**", ["a", "deep/c"]),
        ("news/**/*.jsonl", ["a", "deep/c"]),
    ):
        texts = [row["text"] for row in rows_of(run(toy_predictor, [given])[1])]
        assert [f"news/{name}.jsonl" for name in expected] == texts
    with pytest.raises(UsageError, match="matches no file that ends in"):
        run(toy_predictor, ["old/*.jsonl"])


def test_empty_tables_are_refused_or_passed_over(here: Path, toy_predictor: Predictor) -> None:
    Path("a.jsonl").write_text("\n \n")
    Path("b.csv").write_text("text\n")
    write_jsonl(Path("c.jsonl"), [{"text": "Ships."}])
    said = ["a.jsonl: the file is empty", "b.csv: no rows; expected at least one, with a text"]
    assert said == refusal(toy_predictor, ["a.jsonl", "b.csv", "c.jsonl"]).splitlines()
    outcome, _ = run(toy_predictor, ["a.jsonl", "b.csv", "c.jsonl"], KEEP)
    assert (1, 0, said) == (outcome.n_rows, outcome.n_faults, outcome.empty)


def test_progress_ends_at_all_rows_and_bytes(many: Path, toy_predictor: Predictor) -> None:
    told: list[tuple[int, int, int]] = []
    tag_files([many], toy_predictor, JSONL, Path("out.jsonl"), on_progress=lambda *now: told.append(now))
    size = many.stat().st_size
    assert [(n, size) for n in (100, 200, 300, 400, 480)] == [(n, total) for n, _, total in told]
    assert (sorted(told), size) == (told, told[-1][1])


def die(tagger: Tagger, block: Block) -> None:
    os._exit(9)


def test_a_worker_that_dies_is_told_in_one_line(many: Path, toy_predictor: Predictor) -> None:
    with (
        open_sources(["many.jsonl"], is_read_twice=False) as sources,
        crew(toy_predictor, JSONL, 2) as workers,
        pytest.raises(WorkerError, match="a worker process was killed or ran out of memory"),
    ):
        list(workers.map(lambda: die, read_blocks(sources)))


def test_faults_found_by_workers_are_those_found_alone(many: Path, toy_predictor: Predictor) -> None:
    write_jsonl(many, [{"text": "Ships."}] * 150 + [{"text": 1}] + [{"text": "Ships."}] * 300 + [{"text": 2}])
    with pytest.raises(DataError) as caught:
        run(toy_predictor, ["many.jsonl"], jobs=2)
    assert refusal(toy_predictor, ["many.jsonl"]) == str(caught.value)

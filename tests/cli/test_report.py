"""classify report from the shell: from texts to the page, and what it refuses."""

from pathlib import Path

from classify.bundle import Bundle
from tests.cli.test_commands import run, succeeds
from tests.conftest import toy_rows, write_jsonl
from tests.report.conftest import prediction


def test_from_texts_to_the_page(in_toy_folder: Path, toy_bundle: Bundle) -> None:
    toy_bundle.save(in_toy_folder / "models" / "toy")
    rows = [{"text": row["text"], "source": "Wire", "date": "2025-07"} for row in toy_rows()]
    write_jsonl(Path("texts.jsonl"), rows)
    succeeds("predict", "texts.jsonl", "--out", "predictions.csv")
    shown = succeeds("report", "predictions.csv", "--by", "source")
    assert shown.startswith("24 passages. Machine-tagged, not a measured share:")
    assert shown.endswith("report: reports/corpus/report.html\n")
    assert {"report.html", "counts.csv", "passages.csv"} == {path.name for path in Path("reports/corpus").iterdir()}


def test_what_the_numbers_leave_out_is_a_warning_that_quiet_silences(in_toy_folder: Path) -> None:
    write_jsonl(Path("p.jsonl"), [prediction(["sea"], "report", review=[])])
    assert "warning: Nothing by month: no row has a date.\n" in run("report", "p.jsonl").stderr
    assert not run("report", "p.jsonl", "--quiet").stderr


def test_a_file_without_any_prediction_is_told_once(in_toy_folder: Path) -> None:
    write_jsonl(Path("p.jsonl"), [{"text": "untagged"}] * 30)
    result = run("report", "p.jsonl")
    expected = "p.jsonl: none of its 30 rows holds a prediction; expected what classify predict writes\n"
    assert (2, expected) == (result.exit_code, result.stderr)


def test_mistakes_are_one_line_and_leave_no_folder(in_toy_folder: Path) -> None:
    write_jsonl(Path("p.jsonl"), [{"text": "untagged"}])
    expected = "p.jsonl:1: no whole prediction; expected the predictions that classify predict writes, or an error\n"
    for arguments, line in (
        (["p.jsonl"], expected),
        (["nowhere.jsonl"], "nowhere.jsonl: no such file or folder; check the path\n"),
        (["p.txt"], "p.txt: unknown kind of file; expected a name that ends in"),
    ):
        result = run("report", *arguments)
        assert (2, "") == (result.exit_code, result.stdout)
        assert result.stderr.startswith(line)
    assert not Path("reports").exists()

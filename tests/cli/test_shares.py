"""classify sample and classify shares, as a user types them."""

import contextlib
import csv
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from classify.cli.main import app
from tests.conftest import toy_rows, write_jsonl

RUN = CliRunner()


@pytest.fixture(scope="module")
def predicted(toy_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy labels, a bundle of half of them, and predictions of the other half twenty times over."""
    folder = tmp_path_factory.mktemp("predicted")
    shutil.copytree(toy_folder / "labels", folder / "labels")
    rows = toy_rows()
    write_jsonl(folder / "half.jsonl", rows[:14])
    corpus = [
        {"id": f"{n}/{row['id']}", "text": f"{row['text']} ({n})", "source": f"s{n % 2}", "labels": row["labels"]}
        for n in range(20)
        for row in rows[14:]
    ]
    with contextlib.chdir(folder):
        write_jsonl(Path("corpus.jsonl"), corpus)
        ok("train", "--labels", "half.jsonl", "--codebook", "labels/codebook.toml", "--out", "models/toy", "-q")
        ok("predict", "corpus.jsonl", "--out", "predictions.jsonl")
    return folder


@pytest.fixture
def folder(predicted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh copy to work in."""
    shutil.copytree(predicted, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def ok(*arguments: str) -> str:
    found = RUN.invoke(app, list(arguments))
    assert found.exit_code == 0, found.output
    return found.stdout or "\n"


def refused(*arguments: str) -> str:
    found = RUN.invoke(app, list(arguments))
    assert found.exit_code == 2, found.output
    return found.output


def sheet_of(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as sheet:
        return list(csv.DictReader(sheet))


def coded(path: str, out: str = "coded.csv") -> str:
    """The sheet as somebody filled it in."""
    corpus = [json.loads(line) for line in Path("corpus.jsonl").read_text().splitlines()]
    gold, rows = {row["id"]: row["labels"] for row in corpus}, sheet_of(path)
    for row in rows:
        row["theme"] = "|".join(gold[row["id"]]["theme"]) or "none"
        row["framing"] = gold[row["id"]]["framing"]
    with Path(out).open("w", newline="") as sheet:
        writer = csv.DictWriter(sheet, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return out


def test_a_sheet_is_drawn_coded_and_told_in_shares(folder: Path) -> None:
    ok("sample", "predictions.jsonl", "-n", "60", "--out", "audit.csv")
    assert list(sheet_of("audit.csv")[0]) == [
        "id",
        "text",
        "source",
        "theme",
        "framing",
        "selection",
        "inclusion_probability",
    ]
    said = ok("shares", "predictions.jsonl", "--audit", coded("audit.csv"), "--out", "out")
    assert "theme: 200 passages, 60 audited" in said
    assert "labels only" in said
    saved = json.loads(Path("out/shares.json").read_text())
    assert [row["label"] for row in saved["shares"]] == ["sea", "cyber", "trade", "report", "praise"]
    assert {path.name for path in Path("out").iterdir()} == {"shares.json", "shares.csv", "figures"}
    assert Path("out/figures/theme-shares.png").read_bytes().startswith(b"\x89PNG")


def test_parts_have_tables_and_figures_of_their_own(folder: Path) -> None:
    ok("sample", "corpus.jsonl", "-n", "60", "--by", "source", "--out", "audit.csv")
    said = ok("shares", "predictions.jsonl", "--audit", coded("audit.csv"), "--by", "source", "--out", "out")
    assert "theme, source s1: 100 passages" in said
    assert Path("out/figures/framing-shares-by-part.svg").exists()
    assert Path("out/changes.csv").read_text().startswith("task,label,kind,from,to,change,low,high,p,p_holm")


def test_a_corpus_coded_whole_leaves_no_doubt_and_no_trend_is_made_up(folder: Path) -> None:
    ok("sample", "corpus.jsonl", "-n", "200", "--out", "audit.csv")
    said = ok("shares", "predictions.jsonl", "--audit", coded("audit.csv"), "--by", "source")
    assert "all" in next(line for line in said.splitlines() if line.startswith("sea"))
    assert "no sure difference between shares (p under .05, adjusted after Holm)" in said


def test_the_page_of_the_corpus_begins_with_the_shares(folder: Path) -> None:
    ok("sample", "corpus.jsonl", "-n", "60", "--out", "audit.csv")
    said = ok("report", "predictions.jsonl", "--audit", coded("audit.csv"), "--out", "page")
    assert "theme: 200 passages, 60 audited" in said
    page = Path("page/report.html").read_text(encoding="utf-8")
    assert page.index("Shares, measured on an audit sample") < page.index("theme, machine-tagged")
    assert "60 passages of 200 were coded by hand (theme 60, framing 60; from coded.csv)." in page


def test_a_column_of_another_name_gives_the_texts_of_sheet_and_page(folder: Path) -> None:
    rows = [json.loads(line) for line in Path("corpus.jsonl").read_text().splitlines()]
    write_jsonl(Path("body.jsonl"), [{"id": row["id"], "body": row["text"], "date": "1 May"} for row in rows])
    ok("predict", "body.jsonl", "--text-field", "body", "--out", "tagged.jsonl")
    said = refused("sample", "tagged.jsonl", "-n", "5")
    assert "name the right one with --text-field" in said
    ok("sample", "tagged.jsonl", "-n", "5", "--text-field", "body", "--out", "five.csv")
    texts = [row["text"] for row in sheet_of("five.csv")]
    assert set(texts) <= {row["text"] for row in rows}
    ok("report", "tagged.jsonl", "--text-field", "body", "--out", "page")
    assert "(no text in this row)" not in Path("page/report.html").read_text(encoding="utf-8")


def test_passages_without_a_month_are_counted(folder: Path) -> None:
    rows = [json.loads(line) for line in Path("predictions.jsonl").read_text().splitlines()]
    write_jsonl(Path("dated.jsonl"), [row | {"date": "2025-07" if n else "1 May"} for n, row in enumerate(rows)])
    said = ok("shares", "dated.jsonl", "--by", "month")
    assert "1 passage without a month, in no part; a month is read from a date such as 2025-07 or 2025-07-27" in said


def test_a_sheet_nobody_has_coded_is_told_as_such(folder: Path) -> None:
    ok("sample", "corpus.jsonl", "-n", "40", "--out", "audit.csv")
    for command in ("shares", "report"):
        said = refused(command, "predictions.jsonl", "--audit", "audit.csv")
        expected = "expected labels in theme and framing; code it from the top, as far as you like"
        assert said == f"audit.csv: no row is coded yet; {expected}\n"


def test_a_column_of_scores_that_no_row_has_is_told_with_the_form_to_write(folder: Path) -> None:
    ok("sample", "corpus.jsonl", "-n", "40", "--out", "audit.csv")
    said = refused("shares", "corpus.jsonl", "--audit", coded("audit.csv"), "--score-field", "sea=theirs")
    expected = "corpus.jsonl:1: no column 'theirs'; the row has id, text, source, labels; expected the scores of 'sea'"
    assert said.startswith(expected)
    said = refused("shares", "corpus.jsonl", "--audit", "coded.csv", "--score-field", "theirs=sea")
    assert said.startswith("'theirs': no such label in the codebook")
    assert "LABEL=COLUMN" in said


def test_without_audit_rates_are_shown_as_what_they_are(folder: Path) -> None:
    found = RUN.invoke(app, ["shares", "predictions.jsonl"])
    assert found.exit_code == 0
    assert "machine-tag rates, which are no shares" in found.stdout
    assert "–" not in found.stdout
    assert "warning: no --audit: machine-tag rates, off by an unknown amount, and no shares" in found.stderr


def test_an_audit_drawn_nobody_knows_how_is_refused(folder: Path) -> None:
    said = refused("shares", "predictions.jsonl", "--audit", "half.jsonl")
    assert "half.jsonl: inclusion_probability: no passage has it; expected the probability" in said.splitlines()[0]


def test_json_is_what_the_file_holds(folder: Path) -> None:
    ok("sample", "corpus.jsonl", "-n", "40", "--out", "audit.csv")
    said = ok("shares", "predictions.jsonl", "--audit", coded("audit.csv"), "--json", "--out", "out")
    assert json.loads(said) == json.loads(Path("out/shares.json").read_text())


def test_a_folder_of_other_things_is_left_alone(folder: Path) -> None:
    Path("out").mkdir()
    Path("out/mine.txt").write_text("keep")
    assert "mine.txt" in refused("shares", "predictions.jsonl", "--out", "out")
    assert Path("out/mine.txt").read_text() == "keep"


def test_the_same_draw_gives_the_same_bytes_and_a_larger_one_begins_with_it(folder: Path) -> None:
    for name, n in (("one.csv", "40"), ("again.csv", "40"), ("more.csv", "80")):
        ok("sample", "corpus.jsonl", "-n", n, "--out", name)
    assert Path("one.csv").read_bytes() == Path("again.csv").read_bytes()
    ids = [[row["id"] for row in sheet_of(name)] for name in ("one.csv", "more.csv")]
    assert ids[1][:40] == ids[0]


def test_a_sheet_that_was_coded_is_not_drawn_over(folder: Path) -> None:
    ok("sample", "corpus.jsonl", "-n", "40", "--out", "audit.csv")
    coded("audit.csv", "audit.csv")
    assert "holds hand labels, which would be lost" in refused(
        "sample", "corpus.jsonl", "-n", "40", "--out", "audit.csv"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either -n or --half-width"),
        (["-n", "5", "--half-width", "0.1"], "give either -n or --half-width"),
        (["-n", "5", "--by", "outlook"], "--by outlook: no passage has it; the rows have id, text, source, labels"),
        (["-n", "20", "--by", "source"], "-n 20: 2 parts of 15 passages or all there are need 30"),
        (["--half-width", "0"], "expected both above 0 and under 1"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_line(arguments: list[str], message: str, folder: Path) -> None:
    said = refused("sample", "corpus.jsonl", *arguments)
    assert message in said
    assert "Traceback" not in said


def test_a_plan_for_parts_draws_at_least_what_they_need(folder: Path) -> None:
    plan = ["--half-width", "0.3", "--by", "source", "--out", "audit.csv"]
    found = RUN.invoke(app, ["sample", "corpus.jsonl", *plan])
    assert found.exit_code == 0
    assert "warning: 30 are drawn: 2 parts need so many" in found.stderr
    assert len(sheet_of("audit.csv")) == 30


def test_a_wanted_half_width_says_how_many_passages_it_takes(folder: Path) -> None:
    found = RUN.invoke(app, ["sample", "corpus.jsonl", "--half-width", "0.1", "--share", "0.4", "--out", "audit.csv"])
    assert found.exit_code == 0
    n = len(sheet_of("audit.csv"))
    assert f"{n} passages for ± 0.1 at a share of 0.4 by hand labels alone" in found.stderr
    assert 50 < n < 100

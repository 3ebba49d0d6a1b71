"""Every command from the shell: what goes to stdout, what to stderr, which exit code, and what is left on disk."""

import csv
import gzip
import json
import pickle
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from pyarrow import parquet
from typer.testing import CliRunner

from classify.bundle import FORMAT_VERSION, MANIFEST, MANIFEST_HASH, Bundle, load_bundle
from classify.cli.main import app
from classify.data.tables import read_table, write_rows
from classify.predictor import Predictor
from tests.conftest import needs_tool, toy_rows, write_jsonl
from tests.test_bundle import N_STEPS, Trap, fail_at, forge, manifest_of, seal

ARTICLE = """\
Two navies agree on a new patrol plan

The navy said two ships left the harbour on Monday.

Next steps

Hackers broke into the ministry's network, officials said.
"""
ARTICLE_TEXTS = [line for line in ARTICLE.splitlines() if len(line) > 12]
PREDICTED = ["predicted", "probabilities", "review", "model"]
FLAT = [
    "predicted:theme", "predicted:framing", "p:theme:sea", "p:theme:cyber", "p:theme:trade", "p:framing:report",
    "p:framing:praise", "review", "model",
]  # fmt: skip


def run(*arguments: object, stdin: str | bytes | None = None) -> Result:
    """Run the command line in this process; what is no exit code is raised."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin, catch_exceptions=False)


def succeeds(*arguments: object, stdin: str | bytes | None = None) -> str:
    """What a run without a warning prints."""
    result = run(*arguments, stdin=stdin)
    assert (0, "") == (result.exit_code, result.stderr)
    return result.stdout


def files_under(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(code: int, *arguments: object, stdin: str | bytes | None = None) -> str:
    """The one line on stderr of a run that leaves with an exit code, prints nothing and changes no file."""
    before = files_under(Path())
    result = run(*arguments, stdin=stdin)
    assert (code, "") == (result.exit_code, result.stdout)
    assert before == files_under(Path())
    assert 1 == result.stderr.count("\n")
    assert "Traceback" not in result.stderr
    return result.stderr.removesuffix("\n")


def jsonl(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def toy(in_toy_folder: Path, toy_bundle: Bundle) -> Path:
    """A working folder with the toy labels, the toy bundle and an article."""
    toy_bundle.save("models/toy")
    Path("article.txt").write_text(ARTICLE, encoding="utf-8")
    return in_toy_folder


def change_row(number: int, **changes: object) -> None:
    """Change keys of one row, counted from 1, of the labels file."""
    rows = toy_rows()
    rows[number - 1] |= changes
    write_jsonl(Path("labels/passages.jsonl"), rows)


def change_codebook(old: str, new: str) -> None:
    path = Path("labels/codebook.toml")
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def code_twice() -> None:
    """Two coders who differ on the framing of one passage."""
    Path("labels/coders").mkdir()
    for coder in ("a", "b"):
        rows = [{"id": row["id"], "labels": dict(row["labels"]), "coder": coder} for row in toy_rows()]
        rows[1]["labels"]["framing"] = {"a": "praise", "b": "report"}[coder]
        write_jsonl(Path(f"labels/coders/{coder}.jsonl"), rows)


# ---- help and version

EXAMPLES = {
    "segment": "classify segment seeds/*.txt --sample 20 --seed 1 --out to-code.csv",
    "check": "classify check --labels my-labels.csv --codebook my-codebook.toml",
    "agreement": "classify agreement --coders coders/anna.csv --coders coders/ben.csv --out to-adjudicate.csv",
    "terms": "classify terms --label cyber_security",
    "train": "classify train --labels labels/ --codebook labels/codebook.toml --out models/mine",
    "evaluate": "classify evaluate --model models/defence-diplomacy --labels other.jsonl --out reports/other",
    "compare": "classify compare reports/before reports/after",
    "audit-splits": "classify audit-splits --labels labels/",
    "predict": 'echo "Both navies agreed to patrol together." | classify predict -',
    "report": "classify report predictions.jsonl --by register --audit audit.csv",
    "sample": "classify sample corpus/ -n 200 --out audit.csv",
    "shares": "classify shares predictions.jsonl --audit audit.csv --by month --out reports/shares",
    "explain": 'classify explain --text "Both navies agreed to patrol the strait together." --task theme',
    "inspect": "classify inspect models/defence-diplomacy",
}


@pytest.mark.parametrize("command", EXAMPLES)
def test_help_ends_its_description_with_an_example(command: str) -> None:
    assert f"Example: {EXAMPLES[command]}" in " ".join(succeeds(command, "--help").split())


def test_help_lists_every_command_and_the_exit_codes() -> None:
    shown = succeeds("--help")
    listed = [line.split()[0] for line in shown.split("Commands:\n")[1].split("\n\n")[0].splitlines()]
    assert list(EXAMPLES) == listed
    codes = "0 done; 1 faults found; 2 wrong use or bad input; 3 an untrusted bundle; 130 interrupted."
    assert codes in " ".join(shown.split())


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("segment", ["--unit", "--sample", "--seed", "--codebook", "--out", "--quiet"]),
        ("check", ["--labels", "--codebook", "--json", "--quiet"]),
        ("agreement", ["--coders", "--labels", "--codebook", "--out", "--json", "--quiet"]),
        ("terms", ["--labels", "--codebook", "--label", "--most", "--json"]),
        (
            "train",
            ["--labels", "--codebook", "--config", "--unlabelled", "--prevalence-from", "--out", "--json", "--quiet"],
        ),
        (
            "evaluate",
            [
                "--labels",
                "--codebook",
                "--coders",
                "--model",
                "--config",
                "--scheme",
                "--holdout",
                "--by",
                "--unlabelled",
                "--thresholds",
                "--suspects",
                "--out",
                "--json",
                "--quiet",
            ],
        ),
        ("compare", ["--json"]),
        ("audit-splits", ["--labels", "--codebook", "--config", "--json", "--quiet"]),
        (
            "predict",
            [
                "--model",
                "--format",
                "--out",
                "--text-field",
                "--id-field",
                "--on-error",
                "--resume",
                "--jobs",
                "--quiet",
            ],
        ),
        ("report", ["--by", "--audit", "--codebook", "--model", "--held-out", "--text-field", "--out", "--quiet"]),
        (
            "sample",
            [
                "-n",
                "--by",
                "--half-width",
                "--share",
                "--labels",
                "--codebook",
                "--text-field",
                "--seed",
                "--out",
                "--quiet",
            ],
        ),
        (
            "shares",
            ["--audit", "--by", "--codebook", "--model", "--held-out", "--score-field", "--out", "--json", "--quiet"],
        ),
        ("explain", ["--text", "--model", "--task", "--labels", "--json", "--quiet"]),
        ("inspect", ["--json"]),
    ],
)
def test_help_names_the_options(command: str, options: list[str]) -> None:
    shown = succeeds(command, "--help").split("Options:\n")[1]
    starts = [
        line.strip().removeprefix("-q, ").split()[0]
        for line in shown.splitlines()
        if line[:4] in ("  --", "  -n", "  -q")
    ]
    assert [*options, "--help"] == starts


def test_the_version_is_that_of_the_distribution() -> None:
    assert "classify-passages 0.1.0\n" == succeeds("--version")


def test_without_a_command_help_is_shown() -> None:
    result = run()
    assert 2 == result.exit_code
    assert "Usage: classify [OPTIONS] COMMAND [ARGS]..." in result.stdout + result.stderr


@pytest.mark.parametrize(
    "arguments", [["predict"], ["train", "--nonsense"], ["nonsense"], ["segment", "a.txt", "--unit", "word"]], ids=str
)
def test_wrong_use_of_the_shell_leaves_with_2(arguments: list[str]) -> None:
    result = run(*arguments)
    assert (2, "") == (result.exit_code, result.stdout)
    assert "Error: " in result.stderr


# ---- segment


def test_segment_prints_passages_ready_to_be_coded(toy: Path) -> None:
    rows = jsonl(succeeds("segment", "article.txt"))
    assert ARTICLE_TEXTS == [row["text"] for row in rows]
    assert ["id", "document", "start", "end", "text", "labels"] == list(rows[0])
    assert ["article.txt#1", "article.txt#2", "article.txt#3"] == [row["id"] for row in rows]
    assert ARTICLE_TEXTS == [ARTICLE[row["start"] : row["end"]] for row in rows]
    assert {"theme": None, "framing": None} == rows[0]["labels"]


def test_segment_writes_a_sheet_with_an_empty_column_a_task(toy: Path) -> None:
    assert "" == succeeds("segment", "article.txt", "--out", "sheets/to-code.csv")
    rows = read_csv(Path("sheets/to-code.csv"))
    assert ["id", "document", "start", "end", "text", "theme", "framing"] == list(rows[0])
    assert {""} == {row[task] for row in rows for task in ("theme", "framing")}


def test_segment_writes_parquet(toy: Path) -> None:
    succeeds("segment", "article.txt", "--out", "passages.parquet")
    assert ARTICLE_TEXTS == parquet.read_table("passages.parquet")["text"].to_pylist()


def test_a_filled_sheet_is_labels(toy: Path) -> None:
    succeeds("segment", "article.txt", "--out", "sheet.csv")
    rows = [row | {"theme": "sea|cyber", "framing": "report"} for row in read_csv(Path("sheet.csv"))]
    write_rows(rows, "csv", Path("sheet.csv"))
    assert "3 passages" in run("check", "--labels", "sheet.csv").stdout


def test_segment_draws_a_sample_with_its_probability(toy: Path) -> None:
    rows = jsonl(succeeds("segment", "article.txt", "--sample", 2, "--seed", 1))
    assert [("audit", 2 / 3)] * 2 == [(row["selection"], row["inclusion_probability"]) for row in rows]
    assert rows == jsonl(succeeds("segment", "article.txt", "--sample", 2, "--seed", 1))


def test_segment_warns_where_the_sample_is_larger_than_the_corpus(toy: Path) -> None:
    result = run("segment", "article.txt", "--sample", 9)
    assert "warning: only 3 passages: all of them are taken\n" == result.stderr
    assert [1.0] * 3 == [row["inclusion_probability"] for row in jsonl(result.stdout)]


def test_segment_cuts_sentences(toy: Path) -> None:
    Path("two.txt").write_text("The navy said two ships left. The ministry's network was attacked by hackers.\n")
    rows = jsonl(succeeds("segment", "two.txt", "--unit", "sentence"))
    expected = ["The navy said two ships left.", "The ministry's network was attacked by hackers."]
    assert expected == [row["text"] for row in rows]


def test_segment_reads_standard_input_and_folders(toy: Path) -> None:
    from_stdin = jsonl(succeeds("segment", "-", stdin=ARTICLE))
    assert ARTICLE_TEXTS == [row["text"] for row in from_stdin]
    assert "stdin#1" == from_stdin[0]["id"]
    assert ARTICLE_TEXTS == [row["text"] for row in jsonl(succeeds("segment", "."))]


def test_segment_warns_of_a_file_without_a_passage_and_quiet_hides_it(toy: Path) -> None:
    Path("marks.txt").write_text("* * *\n")
    assert run("segment", "marks.txt").stderr.startswith("warning: marks.txt: no passage found")
    assert "" == succeeds("segment", "marks.txt", "--quiet")


def test_segment_without_a_codebook_warns_that_there_are_no_task_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("article.txt").write_text(ARTICLE)
    result = run("segment", "article.txt")
    assert "warning: no labels/codebook.toml here and no --codebook: the rows have no task columns\n" == result.stderr
    assert ["id", "document", "start", "end", "text"] == list(jsonl(result.stdout)[0])


# ---- check

CHECKED = """\
no faults: 24 passages, 12 events, codebook toy 1

theme (24 passages coded)
label  passages  events
sea           7       4
cyber         7       4
trade         6       3

framing (24 passages coded)
label   passages  events
report        12      12
praise        12      12

"""


def test_check_counts_what_it_found(toy: Path) -> None:
    assert CHECKED == succeeds("check")


def test_check_as_json(toy: Path) -> None:
    expected = {
        "passages": 24,
        "events": 12,
        "codebook": "toy",
        "tasks": {
            "theme": {
                "sea": {"support": 7, "events": 4},
                "cyber": {"support": 7, "events": 4},
                "trade": {"support": 6, "events": 3},
            },
            "framing": {"report": {"support": 12, "events": 12}, "praise": {"support": 12, "events": 12}},
        },
    }
    assert expected == json.loads(succeeds("check", "--json"))


def test_check_takes_several_files_and_folders(toy: Path) -> None:
    rows = toy_rows()
    Path("more").mkdir()
    write_jsonl(Path("first.jsonl"), rows[:10])
    write_jsonl(Path("more/second.jsonl"), rows[10:])
    files = ["--labels", "first.jsonl", "--labels", "more"]
    assert CHECKED == succeeds("check", *files, "--codebook", "labels/codebook.toml")


def test_check_reports_all_faults_of_all_files_and_leaves_with_1(toy: Path) -> None:
    rows = toy_rows()
    rows[0]["labels"] = {"theme": ["see"], "framing": "report"}
    rows[4]["text"] = 5
    write_jsonl(Path("labels/passages.jsonl"), rows)
    Path("labels/more.jsonl").write_text("{broken\n")
    result = run("check")
    assert (1, "") == (result.exit_code, result.stdout)
    expected = [
        "labels/more.jsonl:1: broken JSON at column 2; expected one JSON object a line",
        "labels/passages.jsonl:1: theme: unknown label 'see'; did you mean 'sea'?",
        "labels/passages.jsonl:5: text: found 5; expected the passage as text",
        "3 faults",
    ]
    assert expected == result.stderr.splitlines()


def test_check_shows_the_first_20_faults_and_their_number(toy: Path) -> None:
    write_jsonl(Path("labels/passages.jsonl"), [row | {"text": None} for row in toy_rows()])
    lines = run("check").stderr.splitlines()
    assert ["… and 4 more faults (24 in all)", "24 faults"] == lines[20:]


WARNINGS = [
    pytest.param(
        lambda: change_codebook("[tasks.theme.labels.trade]", "[tasks.theme.labels.trade]\n[tasks.theme.labels.land]"),
        "warning: theme: no passage carries land",
        id="unused label",
    ),
    pytest.param(
        lambda: change_row(3, text=toy_rows()[0]["text"]),
        "warning: labels/passages.jsonl:3: theme: the same text as labels/passages.jsonl:1, coded differently",
        id="same text coded differently",
    ),
    pytest.param(
        lambda: [
            write_jsonl(
                Path("labels/passages.jsonl"),
                [
                    *toy_rows(),
                    *(
                        {"text": " ".join(f"w{n}" for n in range(20)), "document": d, "event": d, "labels": {}}
                        for d in "xy"
                    ),
                ],
            )
        ],
        "warning: documents x and y share 16 word 5-grams (100% of the shorter)",
        id="near-duplicates",
    ),
]


@pytest.mark.parametrize(("change", "expected"), WARNINGS)
def test_what_is_no_fault_is_a_warning_that_quiet_hides(change: Callable[[], object], expected: str, toy: Path) -> None:
    change()
    result = run("check")
    assert (0, 1) == (result.exit_code, result.stderr.count("\n"))
    assert result.stderr.startswith(expected)
    assert result.stdout == succeeds("check", "--quiet")


# ---- agreement


def test_agreement_shows_coders_tasks_and_what_is_left_to_adjudicate(toy: Path) -> None:
    code_twice()
    shown = succeeds("agreement")
    assert shown.startswith("coders: a, b\n")
    assert "theme: 24 passages coded twice, 12 events; alpha with MASI distance 1.00 (1.00–1.00)" in shown
    assert "framing: 24 passages coded twice, 12 events; alpha, nominal 0.92 (" in shown


def test_agreement_as_json_counts_by_hand(toy: Path) -> None:
    code_twice()
    found = json.loads(succeeds("agreement", "--json"))
    theme, framing = found["tasks"]
    assert (["a", "b"], 1) == (found["coders"], found["disagreements"])
    assert 23 / 24 == framing["percent_agreement"]
    assert pytest.approx(1 - (1 / 24) / (2 * 25 * 23 / (48 * 47))) == framing["overall"]["value"]
    assert (13, 12) == tuple(label["n_positive"] for label in framing["labels"].values())
    expected = [pytest.approx(2 * 12 / (13 + 12)), pytest.approx(2 * 11 / (12 + 11))]
    assert expected == [label["specific_agreement"] for label in framing["labels"].values()]
    assert 1.0 == theme["overall"]["value"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_agreement_writes_the_disagreements(suffix: str, toy: Path) -> None:
    code_twice()
    out = Path(f"open/cases.{suffix}")
    shown = succeeds("agreement", "--out", out)
    assert shown.splitlines()[-1].endswith(f"written to {out}")
    readers: dict[str, Callable[[], Any]] = {
        "csv": lambda: read_csv(out),
        "jsonl": lambda: jsonl(out.read_text(encoding="utf-8")),
        "parquet": lambda: parquet.read_table(out).to_pylist(),
    }
    expected = {
        "id": "e01#2",
        "text": toy_rows()[1]["text"],
        "document": "e01",
        "event": "e01",
    }
    nested = {
        "labels": {"theme": ["sea"], "framing": None},
        "coders": {"theme": {"a": "sea", "b": "sea"}, "framing": {"a": "praise", "b": "report"}},
    }
    flat = {
        "theme": "sea",
        "framing": "",
        "theme:a": "sea",
        "theme:b": "sea",
        "framing:a": "praise",
        "framing:b": "report",
    }
    assert [expected | {"jsonl": nested}.get(suffix, flat)] == readers[suffix]()


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_agreement_replaces_its_own_sheet_until_somebody_has_filled_it_in(suffix: str, toy: Path) -> None:
    code_twice()
    out = Path(f"cases.{suffix}")
    succeeds("agreement", "--out", out)
    succeeds("agreement", "--out", out)
    (row,) = read_table(out).rows
    filled = row | ({"framing": "praise"} if suffix != "jsonl" else {"labels": row["labels"] | {"framing": "praise"}})
    write_rows([filled], suffix, out)
    assert "holds hand labels, which would be lost" in refused(2, "agreement", "--out", out)
    assert (filled,) == read_table(out).rows


def test_segment_replaces_its_own_sheet_until_somebody_has_filled_it_in(toy: Path) -> None:
    succeeds("segment", "article.txt", "--out", "sheet.csv")
    succeeds("segment", "article.txt", "--out", "sheet.csv")
    first, *rest = read_table("sheet.csv").rows
    write_rows([first | {"theme": "none"}, *rest], "csv", Path("sheet.csv"))
    assert "holds hand labels, which would be lost" in refused(2, "segment", "article.txt", "--out", "sheet.csv")


def test_predict_keeps_the_keys_of_each_row_in_its_own_order(toy: Path) -> None:
    write_jsonl(Path("in.jsonl"), [{"text": "The navy said.", "n": 1}, {"n": 2, "text": "Hackers."}])
    first, second = jsonl(succeeds("predict", "in.jsonl"))
    assert (["text", "n", *PREDICTED], ["n", "text", *PREDICTED]) == (list(first), list(second))


def test_agreement_takes_the_coders_files_by_name(toy: Path) -> None:
    code_twice()
    files = ["--coders", "labels/coders/a.jsonl", "--coders", "labels/coders/b.jsonl"]
    found = json.loads(succeeds("agreement", *files, "--codebook", "labels/codebook.toml", "--json"))
    assert ["a", "b"] == found["coders"]


def test_agreement_without_coders_says_how_to_name_them(toy: Path) -> None:
    assert "no labels/coders/ here; name each coder's labels with --coders" == refused(2, "agreement")


def test_agreement_of_one_coder_is_refused(toy: Path) -> None:
    code_twice()
    message = refused(2, "agreement", "--coders", "labels/coders/a.jsonl", "--labels", "labels", "--out", "x.csv")
    assert "no passage was coded twice; found coders a; expected two with the same ids" == message


# ---- terms


def festivals() -> None:
    """Twenty further passages of praise that share a word, of three events."""
    rows = [
        {"id": f"f{n}", "text": f"A festival of song number{n}.", "event": f"f{n % 3}", "labels": {"framing": "praise"}}
        for n in range(20)
    ]
    write_jsonl(Path("labels/festivals.jsonl"), rows)


def test_terms_shows_candidates_with_their_counts(toy: Path) -> None:
    festivals()
    shown = succeeds("terms", "--label", "praise")
    assert shown.startswith("framing: praise\n")
    assert re.search(r"(?m)^ *festival +21 +0 +\d+\.\d *$", shown)
    assert "theme" not in shown


def test_terms_as_json_names_every_label(toy: Path) -> None:
    festivals()
    found = json.loads(succeeds("terms", "--json", "--most", "1"))
    assert {"theme": ["sea", "cyber", "trade"], "framing": ["report", "praise"]} == {
        t: list(of) for t, of in found.items()
    }
    (candidate,) = found["framing"]["praise"]
    assert ("festival", 21, 0) == (candidate["term"], candidate["inside"], candidate["outside"])


def test_terms_of_too_few_passages_says_that_there_are_none(toy: Path) -> None:
    assert "theme: sea: no candidates\n" in succeeds("terms")


def test_terms_refuses_an_unknown_label(toy: Path) -> None:
    assert "--label: unknown label 'prais'; did you mean 'praise'?" == refused(2, "terms", "--label", "prais")


# ---- train


def test_train_writes_a_bundle_under_the_codebooks_name(in_toy_folder: Path, toy_bundle: Bundle) -> None:
    shown = succeeds("train")
    assert shown.splitlines()[-1] == f"bundle {toy_bundle.id} written to models/toy"
    assert toy_bundle.to_files() == files_under(Path("models/toy"))


def test_train_as_json(in_toy_folder: Path, toy_bundle: Bundle) -> None:
    found = json.loads(succeeds("train", "--json", "--out", "mine"))
    assert ["bundle", "id", "data", "summary"] == list(found)
    assert ("mine", toy_bundle.id, 24) == (found["bundle"], found["id"], found["data"]["n_passages"])
    assert 7 == found["summary"]["theme"]["labels"]["sea"]["support"]


def test_train_takes_labels_in_any_format_and_gives_the_same_bundle(in_toy_folder: Path, toy_bundle: Bundle) -> None:
    rows = [
        row | {"theme": "|".join(row["labels"]["theme"]) or "none", "framing": row["labels"]["framing"]}
        for row in toy_rows()
    ]
    flat = [{key: value for key, value in row.items() if key != "labels"} for row in rows]
    write_rows(flat, "csv", Path("labels.csv"))
    write_rows(flat, "parquet", Path("labels.parquet"))
    Path("labels.jsonl.gz").write_bytes(gzip.compress(Path("labels/passages.jsonl").read_bytes()))
    for name in ("labels.csv", "labels.parquet", "labels.jsonl.gz"):
        found = json.loads(succeeds("train", "--labels", name, "--out", f"models/{name}", "--json"))
        assert toy_bundle.id == found["id"]


def test_train_finds_the_codebook_beside_the_labels(in_toy_folder: Path, toy_bundle: Bundle) -> None:
    Path("labels").rename("elsewhere")
    assert toy_bundle.id == json.loads(succeeds("train", "--labels", "elsewhere/passages.jsonl", "--json"))["id"]


def test_train_follows_its_settings(in_toy_folder: Path) -> None:
    Path("settings.toml").write_text("seed = 5\n[multilabel]\nC = 0.5\n[review]\nmin_words = 9\n")
    succeeds("train", "--config", "settings.toml")
    settings = load_bundle("models/toy").settings
    assert (5, 0.5, 9) == (settings["seed"], settings["multilabel"]["C"], settings["review"]["min_words"])
    assert "too_short" in Predictor.load("models/toy").predict("The navy said two ships left now.").review


def test_train_replaces_an_earlier_bundle(toy: Path) -> None:
    write_jsonl(Path("labels/passages.jsonl"), toy_rows()[:20])
    identity = json.loads(succeeds("train", "--json"))["id"]
    assert identity == load_bundle("models/toy").id
    assert sorted(load_bundle("models/toy").to_files()) == sorted(files_under(Path("models/toy")))


def test_train_on_too_few_events_says_that_its_figures_flatter(in_toy_folder: Path) -> None:
    write_jsonl(Path("labels/passages.jsonl"), toy_rows()[:6])
    said = succeeds("train")
    told = "on the training passages themselves, since there are too few events to hold any out: far too good"
    assert f"* theme, framing: {told}" in said
    assert "on held-out events" not in said


def test_train_warns_and_quiet_hides_it(in_toy_folder: Path) -> None:
    change_codebook("[tasks.theme.labels.trade]", "[tasks.theme.labels.trade]\n[tasks.theme.labels.land]")
    assert "warning: theme: no passage carries land\n" == run("train").stderr
    succeeds("train", "--quiet")


@pytest.mark.parametrize(
    ("row", "review"),
    [
        ({"text": ""}, ["too_short"]),
        ({"text": "?!"}, ["too_short"]),
        ({"text": "海\0"}, ["too_short"]),
    ],
    ids=str,
)
def test_a_passage_without_words_is_valid(row: dict[str, object], review: list[str], in_toy_folder: Path) -> None:
    first, second, *others = toy_rows()  # two, since what stands once is no feature of framing
    write_jsonl(Path("labels/passages.jsonl"), [first | row, second | row, *others])
    succeeds("train", "-q")
    write_jsonl(Path("in.jsonl"), [row])
    (found,) = jsonl(succeeds("predict", "in.jsonl"))
    assert ([], review) == (found["predicted"]["theme"], found["review"])


def test_passages_without_words_are_a_warning(in_toy_folder: Path) -> None:
    change_row(1, text="12 345")
    assert "warning: no word in 1 passage, the first at labels/passages.jsonl:1\n" == run("check").stderr


@pytest.mark.parametrize(
    "tasks",
    [
        '[tasks.theme]\nkind = "multilabel"\nlabels = ["sea"]',
        '[tasks.theme]\nkind = "multilabel"\n[tasks.theme.labels.sea]',
    ],
    ids=["listed", "tables"],
)
def test_one_bare_label_is_a_codebook(tasks: str, in_toy_folder: Path) -> None:
    Path("labels/codebook.toml").write_text(f'name = "bare"\n{tasks}\n')
    rows = [
        {"text": row["text"], "event": row["event"], "labels": [n for n in row["labels"]["theme"] if n == "sea"]}
        for row in toy_rows()
    ]
    write_jsonl(Path("labels/passages.jsonl"), rows)
    succeeds("train")
    (found,) = jsonl(succeeds("predict", "-", stdin="The navy said two ships left."))
    assert {"theme": ["sea"]} == found["predicted"]


@pytest.mark.slow
@pytest.mark.slow
def test_ten_megabytes_in_one_passage_can_be_learnt_from_and_predicted(in_toy_folder: Path) -> None:
    text = "The navy said two ships left the harbour on Monday. " * 200_000
    change_row(1, text=text)
    succeeds("train")
    write_jsonl(Path("in.jsonl"), [{"text": text}])
    succeeds("predict", "in.jsonl", "--out", "out.jsonl")
    (found,) = jsonl(Path("out.jsonl").read_text(encoding="utf-8"))
    assert {"theme": ["sea"], "framing": "report"} == found["predicted"]
    assert text == found["text"]


# ---- predict


def test_predict_keeps_rows_in_order_and_carries_their_keys_through(toy: Path) -> None:
    rows = [{"n": n, **row, "nested": {"a": [1]}} for n, row in enumerate(reversed(toy_rows()))]
    write_jsonl(Path("in.jsonl"), rows)
    found = jsonl(succeeds("predict", "in.jsonl"))
    assert rows == [{key: value for key, value in row.items() if key not in PREDICTED} for row in found]
    assert {(*rows[0], *PREDICTED)} == {tuple(row) for row in found}
    expected = Predictor.load("models/toy").predict([row["text"] for row in rows])
    assert [prediction.to_row() for prediction in expected] == [{key: row[key] for key in PREDICTED} for row in found]


def test_predict_gives_one_row_a_row_even_for_equal_rows(toy: Path) -> None:
    write_jsonl(Path("in.jsonl"), [{"text": "The navy said."}] * 7)
    assert 7 == len(succeeds("predict", "in.jsonl", "in.jsonl").splitlines()) / 2


def test_predict_cuts_a_text_into_its_passages(toy: Path) -> None:
    found = jsonl(succeeds("predict", "article.txt"))
    assert ["id", "document", "start", "end", "text", *PREDICTED] == list(found[0])
    assert ARTICLE_TEXTS == [row["text"] for row in found] == [ARTICLE[row["start"] : row["end"]] for row in found]
    assert ["article.txt#1", "article.txt#2", "article.txt#3"] == [row["id"] for row in found]


def test_predict_takes_files_and_folders_in_the_order_given(toy: Path) -> None:
    Path("more").mkdir()
    write_jsonl(Path("more/b.jsonl"), [{"text": "b"}])
    write_jsonl(Path("more/a.jsonl"), [{"text": "a"}])
    found = jsonl(succeeds("predict", "more", "article.txt", "more/a.jsonl"))
    assert ["a", "b", *ARTICLE_TEXTS, "a"] == [row["text"] for row in found]


def test_predict_reads_one_text_from_standard_input(toy: Path) -> None:
    (found,) = jsonl(succeeds("predict", "-", stdin="  The navy said.\n\nTwo ships left.\n"))
    assert "The navy said.\n\nTwo ships left." == found["text"]
    assert ("stdin#1", "stdin", 2, 33) == (found["id"], found["document"], found["start"], found["end"])


def test_predict_reads_jsonl_from_standard_input(toy: Path) -> None:
    found = jsonl(succeeds("predict", "-", stdin='\n{"text": "The navy said.", "n": 1}\n{"text": "", "n": 2}\n'))
    assert [1, 2] == [row["n"] for row in found]


def test_predict_writes_csv_with_flat_columns(toy: Path) -> None:
    write_rows([{"n": "1", "text": "Ships, networks: coast guard"}, {"n": "2", "text": "zzzz"}], "csv", Path("in.csv"))
    assert "" == succeeds("predict", "in.csv", "--out", "new/out.csv")
    first, second = read_csv(Path("new/out.csv"))
    assert ["n", "text", *FLAT] == list(first)
    assert ("1", "sea|cyber") == (first["n"], first["predicted:theme"])
    assert ("2", "none", "unknown_words|too_short") == (
        second["n"],
        second["predicted:theme"],
        second["review"],
    )
    assert pytest.approx(7 / 24, abs=1e-6) == float(second["p:theme:sea"])


def test_predict_writes_parquet_with_flat_columns(toy: Path) -> None:
    write_rows([{"n": 1, "text": "The navy said two ships left."}], "parquet", Path("in.parquet"))
    succeeds("predict", "in.parquet", "--out", "out.parquet")
    (found,) = parquet.read_table("out.parquet").to_pylist()
    assert ["n", "text", *FLAT] == list(found)
    assert (1, "sea", "report", "") == (
        found["n"],
        found["predicted:theme"],
        found["predicted:framing"],
        found["review"],
    )


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet", "jsonl.gz", "csv.gz"])
def test_predict_writes_what_the_suffix_names_and_can_read_it_again(suffix: str, toy: Path) -> None:
    succeeds("predict", "article.txt", "--out", f"out.{suffix}")
    again = jsonl(succeeds("predict", f"out.{suffix}", "--format", "jsonl"))
    assert ARTICLE_TEXTS == [row["text"] for row in again]


def test_predict_prints_csv_where_the_format_says_so(toy: Path) -> None:
    shown = list(csv.DictReader(succeeds("predict", "article.txt", "--format", "csv").splitlines()))
    assert ["id", "document", "start", "end", "text", *FLAT] == list(shown[0])


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_predicting_a_prediction_replaces_the_earlier_one(suffix: str, toy: Path) -> None:
    succeeds("predict", "article.txt", "--out", f"once.{suffix}")
    succeeds("predict", f"once.{suffix}", "--out", f"twice.{suffix}")
    assert Path(f"once.{suffix}").read_bytes() == Path(f"twice.{suffix}").read_bytes()


def test_predict_puts_its_keys_last_in_place_of_an_earlier_prediction(toy: Path) -> None:
    earlier = {"model": "old", "predicted": {}, "probabilities": {}, "review": []}
    write_jsonl(Path("in.jsonl"), [{**earlier, "text": "The navy said.", "n": 1}])
    (found,) = jsonl(succeeds("predict", "in.jsonl"))
    assert ["text", "n", *PREDICTED] == list(found)


def test_predict_refuses_to_write_over_a_column_of_the_users(toy: Path) -> None:
    write_jsonl(Path("in.jsonl"), [{"text": "The navy said.", "review": "five stars"}])
    assert refused(2, "predict", "in.jsonl").startswith("review: predictions would be written under this name")


def test_predict_replaces_the_file_named_by_out(toy: Path) -> None:
    Path("out.jsonl").write_text("old")
    succeeds("predict", "article.txt", "--out", "out.jsonl")
    assert 3 == len(jsonl(Path("out.jsonl").read_text(encoding="utf-8")))


def test_predict_carries_lone_surrogates_through(toy: Path) -> None:
    Path("in.jsonl").write_text('{"text": "The navy \\ud800 said.", "\\udfff": 1}\n')
    (found,) = jsonl(succeeds("predict", "in.jsonl"))
    assert ("The navy \ud800 said.", 1) == (found["text"], found["\udfff"])


def test_predict_escapes_lone_surrogates_in_csv(toy: Path) -> None:
    Path("in.jsonl").write_text('{"text": "The navy \\ud800 said."}\n')
    succeeds("predict", "in.jsonl", "--out", "out.csv")
    assert "The navy \\ud800 said." == read_csv(Path("out.csv"))[0]["text"]


def test_predict_escapes_lone_surrogates_in_names_of_csv_columns(toy: Path) -> None:
    Path("in.jsonl").write_text('{"text": "The navy said.", "\\udfff": 1}\n')
    succeeds("predict", "in.jsonl", "--out", "out.csv")
    assert "1" == read_csv(Path("out.csv"))[0]["\\udfff"]


def test_predict_refuses_lone_surrogates_in_parquet(toy: Path) -> None:
    Path("in.jsonl").write_text('{"text": "The navy \\ud800 said."}\n')
    message = refused(2, "predict", "in.jsonl", "--out", "out.parquet")
    assert message.startswith("out.parquet: a column holds what Parquet can't (")


def test_predict_warns_of_a_text_without_a_passage(toy: Path) -> None:
    Path("marks.txt").write_text("* * *\n")
    result = run("predict", "marks.txt", "article.txt")
    assert (0, "warning: marks.txt: no passage found\n") == (result.exit_code, result.stderr)
    assert 3 == len(succeeds("predict", "marks.txt", "article.txt", "--quiet").splitlines())


def test_predict_takes_the_only_bundle_or_the_one_named(toy: Path, toy_bundle: Bundle) -> None:
    Path("models/empty").mkdir()
    assert toy_bundle.id == jsonl(succeeds("predict", "article.txt"))[0]["model"]
    Path("models/toy").rename("elsewhere")
    assert toy_bundle.id == jsonl(succeeds("predict", "article.txt", "--model", "elsewhere"))[0]["model"]


@pytest.mark.parametrize("command", [["predict", "article.txt"], ["explain", "--text", "a"], ["inspect"]], ids=str)
def test_without_a_bundle_one_line_says_how_to_make_one(command: list[str], toy: Path) -> None:
    Path("models").rename("elsewhere")
    assert "no bundle under models/; make one with classify train, or name one with --model" == refused(2, *command)


@pytest.mark.parametrize("command", [["predict", "article.txt"], ["explain", "--text", "a"], ["inspect"]], ids=str)
def test_of_several_bundles_none_is_the_default(command: list[str], toy: Path, toy_bundle: Bundle) -> None:
    toy_bundle.save("models/another")
    assert "several bundles under models/ (another, toy); name one with --model" == refused(2, *command)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["missing.txt"], "missing.txt: no such file or folder; check the path"),
        (["missing.csv"], "missing.csv: no such file or folder; check the path"),
        (["labels/codebook.toml"], "labels/codebook.toml: unknown kind of file; expected a name that ends in .jsonl, "),
        (["empty"], "empty: no file in this folder ends in .txt, .jsonl, .jsonl.gz, .csv, .csv.gz, .parquet"),
        (["empty.txt"], "empty.txt: the file is empty"),
        (["empty.jsonl"], "empty.jsonl: the file is empty"),
        (["latin.txt"], "latin.txt:2: not UTF-8: byte 0xe9; expected UTF-8 text; save the file as UTF-8"),
        (["latin.csv"], "latin.csv:2: not UTF-8: byte 0xe9; expected UTF-8 text; save the file as UTF-8"),
        (["broken.jsonl"], "broken.jsonl:17: broken JSON at column 10; expected one JSON object a line"),
        (["list.jsonl"], "list.jsonl:1: found [1]; expected a JSON object {…}"),
        (["number.jsonl"], "number.jsonl:2: text: found 5; expected the passage as text"),
        (["null.jsonl"], "null.jsonl:1: text: found None; expected the passage as text"),
        (["title.csv"], "title.csv: text: no such column; found title, n"),
        (["header.csv"], "header.csv: no rows; expected at least one, with a text"),
        (["ragged.csv"], "ragged.csv:2: found 3 cells; expected 2, as many as the header has"),
        (["twice.csv"], "twice.csv:1: column 'text' stands twice; give every column its own name"),
        (["no.parquet"], "no.parquet: not a Parquet file that can be read: "),
        (["no.jsonl.gz"], "no.jsonl.gz: broken or cut gzip file; write or fetch it again"),
        (["article.txt", "--out", "out.xlsx"], "out.xlsx: unknown kind of file; expected a name that ends in .jsonl, "),
        (["article.txt", "--out", "out.csv", "--format", "jsonl"], "--format jsonl contradicts the name out.csv; "),
        (["article.txt", "--out", "out.parquet", "--format", "csv"], "--format csv contradicts the name out.parquet; "),
        (["article.txt", "--format", "parquet"], "Parquet can't go to standard output; name a file with --out"),
        (["article.txt", "--out", "labels.csv"], "labels.csv: can't be written: Is a directory"),
        (["article.txt", "--out", "article.txt/out.csv"], "article.txt/out.csv: can't be written: "),
        (["article.txt", "--model", "nowhere"], "nowhere: no bundle here (manifest.json is missing); make one with: "),
    ],
    ids=lambda found: " ".join(found) if isinstance(found, list) else "",
)
def test_predict_refuses_bad_input_in_one_line(arguments: list[str], expected: str, toy: Path) -> None:
    Path("empty").mkdir()
    Path("labels.csv").mkdir()
    contents = {
        "empty.txt": b"",
        "empty.jsonl": b" \n",
        "latin.txt": b"Fine.\nCaf\xe9.\n",
        "latin.csv": b"text\nCaf\xe9\n",
        "broken.jsonl": b'{"text": "a"}\n' * 16 + b'{"text": a}\n' + b'{"text": "a"}\n',
        "list.jsonl": b"[1]\n",
        "number.jsonl": b'{"text": "a"}\n{"text": 5}\n',
        "null.jsonl": b'{"text": null}\n',
        "title.csv": b"title,n\na,1\n",
        "header.csv": b"text,n\n",
        "ragged.csv": b"text,n\na,1,2\n",
        "twice.csv": b"text,text\na,b\n",
        "no.parquet": b"PAR1 is not enough",
        "no.jsonl.gz": b"\x1f\x8b\x08",
    }
    for name, content in contents.items():
        Path(name).write_bytes(content)
    message = refused(3 if "nowhere" in arguments else 2, "predict", *arguments)
    assert message.startswith(expected)


@pytest.mark.parametrize(
    ("stdin", "expected"),
    [
        ("", "stdin: nothing came in; expected a text, or JSONL with a text in every row"),
        (b"Caf\xe9", "stdin:1: not UTF-8: byte 0xe9; expected UTF-8 text; save the file as UTF-8"),
        ('{"text": a}', "stdin:1: broken JSON at column 10; expected one JSON object a line"),
        ('{"title": "a"}', "stdin: text: no such column; found title; name the right one with --text-field"),
    ],
)
def test_predict_refuses_bad_standard_input_in_one_line(stdin: str | bytes, expected: str, toy: Path) -> None:
    assert expected == refused(2, "predict", "-", stdin=stdin)


def test_predict_keeps_bad_rows_and_counts_them(toy: Path) -> None:
    write_jsonl(Path("in.jsonl"), [{"body": "The navy said.", "url": "u1"}, {"body": None}])
    result = run("predict", "in.jsonl", "--text-field", "body", "--id-field", "url", "--on-error", "keep")
    first, second = jsonl(result.stdout)
    assert (0, "u1", None) == (result.exit_code, first["id"], second["predicted"])
    assert [
        "warning: 1 row without a prediction, see error; the first:"
        " in.jsonl:2: body: found None; expected the passage as text",
        "warning: 1 row without url, which --id-field names",
    ] == result.stderr.splitlines()


def test_predict_goes_on_with_files_alone(toy: Path) -> None:
    assert "--resume goes on with a .jsonl or .csv; name one with --out" == refused(2, "predict", "a*.txt", "--resume")
    expected = "--resume can't read stdin a second time; save it to a file first"
    assert expected == refused(2, "predict", "-", "--out", "out.csv", "--resume", stdin="The navy said.")


# ---- inspect


def test_inspect_shows_what_is_inside(toy: Path, toy_bundle: Bundle) -> None:
    lines = succeeds("inspect").splitlines()
    assert f"bundle {toy_bundle.id}, format {FORMAT_VERSION}, models/toy" == lines[0]
    assert f"codebook toy 1, SHA-256 {toy_bundle.codebook.sha256[:12]}" == lines[1]
    assert "trained on 24 passages from 12 events" == lines[2]
    assert all(any(line.startswith(name) for line in lines) for name in ("sea", "cyber", "trade", "report", "praise"))
    assert all(any(line.startswith(name) for line in lines) for name in toy_bundle.to_files() if name.endswith("npz"))
    assert f"on this computer texts are read by the {Predictor(toy_bundle).engine} engine" == lines[-2]
    assert "hashes detect damage, not forgery; every file is data, and opening it runs no code" == lines[-1]


def test_inspect_as_json(toy: Path, toy_bundle: Bundle) -> None:
    found = json.loads(succeeds("inspect", "models/toy", "--json"))
    assert {
        "id": toy_bundle.id,
        "engine": Predictor.load("models/toy").engine,
        "faults": [],
        "manifest": manifest_of(Path("models/toy")),
    } == found


@pytest.mark.parametrize("flags", [[], ["--json"]], ids=str)
def test_inspect_shows_a_damaged_bundle_all_the_same_and_leaves_with_3(flags: list[str], toy: Path) -> None:
    first, second = sorted(Path("models/toy").glob("*.npz"))
    first.write_bytes(b"cut")
    second.unlink()
    result = run("inspect", *flags)
    assert 3 == result.exit_code
    assert "toy" in result.stdout
    named = sorted(line.split(": ")[0] for line in result.stderr.splitlines())
    assert [str(first), str(second)] == named


# ---- bundles that are not to be trusted


def damage(folder: Path) -> None:
    path = next(folder.glob("theme-*"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def damage_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_bytes((folder / MANIFEST).read_bytes() + b" ")


def remove_hash(folder: Path) -> None:
    (folder / MANIFEST_HASH).unlink()


def make_later(folder: Path) -> None:
    seal(folder, manifest_of(folder) | {"format_version": FORMAT_VERSION + 1})


def swap_for_pickle(folder: Path) -> None:
    forge(folder, "theme", pickle.dumps(Trap(Path("sprung").absolute())))


def pickle_alone(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    (folder / "model.pkl").write_bytes(pickle.dumps(Trap(Path("sprung").absolute())))


HARMS = [damage, damage_manifest, remove_hash, make_later, swap_for_pickle, pickle_alone]


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize(
    "command",
    [["predict", "article.txt", "--out", "out.csv"], ["explain", "--text", "a"], ["evaluate", "--labels", "labels"]],
    ids=lambda command: command[0],
)
def test_a_bundle_that_cannot_be_trusted_is_one_line_and_3(
    command: list[str], harm: Callable[[Path], None], toy: Path
) -> None:
    harm(Path("models/toy"))
    assert refused(3, *command, "--model", "models/toy").startswith("models/toy")
    assert not Path("sprung").exists()


@pytest.mark.parametrize("harm", [damage_manifest, remove_hash, make_later, pickle_alone])
def test_a_manifest_that_cannot_be_trusted_is_not_inspected(harm: Callable[[Path], None], toy: Path) -> None:
    harm(Path("models/toy"))
    assert refused(3, "inspect", "models/toy").startswith("models/toy")


@pytest.mark.parametrize("key", ["codebook", "data", "versions", "summary", "tasks", "codebook_sha256", "seed"])
def test_a_manifest_without_a_key_is_inspected_in_one_line_and_3(key: str, toy: Path) -> None:
    folder = Path("models/toy")
    seal(folder, {name: value for name, value in manifest_of(folder).items() if name != key})
    assert refused(3, "inspect", folder).startswith("models/toy")


# ---- bad labels and codebooks, the same for every command that reads them


def broken_on_17() -> None:
    path = Path("labels/passages.jsonl")
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:16], lines[16][:-1], *lines[17:]]), encoding="utf-8")


PASSAGES, CODEBOOK = "labels/passages.jsonl", "labels/codebook.toml"
BAD_INPUT = {
    "empty file": (lambda: Path(PASSAGES).write_text(""), f"{PASSAGES}: the file is empty"),
    "not UTF-8": (
        lambda: Path(PASSAGES).write_bytes(Path(PASSAGES).read_bytes().replace(b"Hackers broke", b"H\xe4ckers broke")),
        f"{PASSAGES}:3: not UTF-8: byte 0xe4; expected UTF-8 text; save the file as UTF-8",
    ),
    "broken JSON": (broken_on_17, f"{PASSAGES}:17: broken JSON at column "),
    "unknown label": (
        lambda: change_row(2, labels={"theme": ["cybr"]}),
        f"{PASSAGES}:2: theme: unknown label 'cybr'; did you mean 'cyber'?",
    ),
    "wrong type of labels": (
        lambda: change_row(2, labels={"theme": 5}),
        f"{PASSAGES}:2: theme: found 5; expected a list of labels, or null if not coded",
    ),
    "wrong type of text": (
        lambda: change_row(2, text=["a"]),
        f"{PASSAGES}:2: text: found ['a']; expected the passage as text",
    ),
    "wrong type of event": (lambda: change_row(2, event=1), f"{PASSAGES}:2: event: found 1; expected text"),
    "duplicate id": (
        lambda: change_row(2, id="e01#1"),
        f"{PASSAGES}:2: id: duplicate id 'e01#1', first at {PASSAGES}:1; give every row its own",
    ),
    "unknown task": (
        lambda: change_row(2, labels={"themes": ["sea"]}),
        f"{PASSAGES}:2: labels: unknown task 'themes'; did you mean 'theme'?",
    ),
    "two labels where one is expected": (
        lambda: change_row(2, labels={"framing": ["report", "praise"]}),
        f"{PASSAGES}:2: framing: found praise, report; expected exactly one label (a multiclass task)",
    ),
    "two events": (
        lambda: change_row(2, event="other"),
        f"{PASSAGES}:2: event: document 'e01' has event 'other' here and 'e01' at {PASSAGES}:1; a document reports one",
    ),
    "multiclass with one label": (
        lambda: change_codebook('[tasks.framing.labels.praise]\nterms = ["historic", "proud*"]\n', ""),
        f"{CODEBOOK}: tasks.framing: a multiclass task with one label; expected two labels or more to choose between",
    ),
    "bad kind": (
        lambda: change_codebook('"multilabel"', '"multi-label"'),
        f"{CODEBOOK}: tasks.theme.kind: unknown kind 'multi-label'; did you mean 'multilabel'? (multilabel: any number",
    ),
    "broken codebook": (lambda: Path(CODEBOOK).write_text("name = "), f"{CODEBOOK}: broken TOML: "),
    "codebook not UTF-8": (
        lambda: Path(CODEBOOK).write_bytes(b"\xff"),
        f"{CODEBOOK}: broken TOML: not UTF-8 text; expected a codebook",
    ),
}


@pytest.mark.parametrize("fault", BAD_INPUT)
@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_bad_labels_are_one_line_and_2(command: str, fault: str, in_toy_folder: Path) -> None:
    spoil, expected = BAD_INPUT[fault]
    spoil()
    assert refused(2, command).startswith(expected)


@pytest.mark.parametrize("fault", BAD_INPUT)
def test_check_counts_bad_labels_and_leaves_with_1(fault: str, in_toy_folder: Path) -> None:
    spoil, expected = BAD_INPUT[fault]
    spoil()
    result = run("check")
    assert (1, "") == (result.exit_code, result.stdout)
    first, last = result.stderr.splitlines()
    assert first.startswith(expected)
    assert "1 fault" == last


@pytest.mark.parametrize("command", ["check", "train", "evaluate"])
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--labels", "nowhere.jsonl"], "nowhere.jsonl: no such file or folder; check the path"),
        (["--labels", "nowhere.jsonl", "--quiet"], "nowhere.jsonl: no such file or folder; check the path"),
        (["--labels", "labels/codebook.toml"], "labels/codebook.toml: unknown kind of file; expected a name that ends"),
        (["--labels", "empty"], "empty: no file in this folder ends in .jsonl, .jsonl.gz, .csv, .csv.gz, .parquet"),
        (["--codebook", "nowhere.toml"], "nowhere.toml: no such file; expected a codebook (TOML); name one with "),
    ],
    ids=str,
)
def test_missing_files_leave_with_2(command: str, arguments: list[str], expected: str, in_toy_folder: Path) -> None:
    Path("empty").mkdir()
    result = run(command, *arguments)
    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith(expected)
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["check", "train", "evaluate"])
def test_outside_a_checkout_one_line_says_so(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    expected = "no labels/ here; name the labelled passages with --labels, or start in a checkout"
    assert expected == refused(2, command)


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_labels_that_code_nothing_are_refused(command: str, in_toy_folder: Path) -> None:
    write_jsonl(Path(PASSAGES), [row | {"labels": {}} for row in toy_rows()])
    message = "no passage is coded for any task; label some passages first"
    assert message == refused(2, command, "--quiet")


@pytest.mark.parametrize("command", ["train", "evaluate"])
@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("missing.toml", "missing.toml: no such file; expected settings (TOML)"),
        ("wrong.toml", "wrong.toml: multilable: unknown key; did you mean 'multilabel'?"),
        pytest.param("labels", "labels: "),
    ],
)
def test_bad_settings_are_one_line_and_2(command: str, config: str, expected: str, in_toy_folder: Path) -> None:
    Path("wrong.toml").write_text("[multilable]\n")
    assert refused(2, command, "--config", config).startswith(expected)


# ---- places that can't be written to


@pytest.mark.parametrize("command", ["train", "evaluate"])
@pytest.mark.parametrize(
    ("out", "expected"),
    [
        ("labels", "labels: holds codebook.toml, which is no part of a "),
        ("labels/passages.jsonl", "labels/passages.jsonl: a file stands here; expected a folder for the "),
        ("labels/passages.jsonl/sub", "labels/passages.jsonl: a file stands here"),
        ("hidden", "hidden: holds .notes, which is no part of a "),
    ],
)
def test_a_folder_that_is_not_ours_is_refused_and_left_alone(
    command: str, out: str, expected: str, in_toy_folder: Path
) -> None:
    Path("hidden").mkdir()
    Path("hidden/.notes").write_text("mine")
    assert refused(2, command, "--out", out).startswith(expected)


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_a_folder_that_is_not_ours_is_refused_before_anything_is_learnt(
    command: str, in_toy_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classify.learn.training.fit_task", interrupt)
    monkeypatch.setattr("classify.evaluation.crossval.fit_task", interrupt)
    assert refused(2, command, "--out", "labels").startswith("labels: holds ")


def test_evaluate_refuses_a_folder_whose_figures_are_not_all_ours(in_toy_folder: Path) -> None:
    Path("reports/toy/figures").mkdir(parents=True)
    Path("reports/toy/figures/mine.png").write_text("mine")
    assert refused(2, "evaluate").startswith("reports/toy: holds figures/mine.png, which is no part of a report")


def test_evaluate_can_write_to_the_working_folder(
    toy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    succeeds("evaluate", "--labels", toy_folder / "labels", "--out", ".")
    assert Path("report.html").exists()


def test_train_can_write_to_the_working_folder(
    toy_folder: Path, tmp_path: Path, toy_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    succeeds("train", "--labels", toy_folder / "labels", "--out", ".")
    assert toy_bundle.to_files() == files_under(Path())


# ---- interruption


def interrupt(*arguments: object, **options: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (["train"], "classify.learn.training.fit_task"),
        (["evaluate"], "classify.evaluation.crossval.fit_task"),
        (["evaluate"], "classify.report.files.render_evaluation"),
        (["predict", "article.txt", "--out", "out.jsonl"], "classify.predictor.Predictor.decide"),
        (["segment", "article.txt", "--out", "out.jsonl"], "classify.data.segment.segment"),
    ],
)
def test_ctrl_c_leaves_with_130_and_everything_as_it_was(
    command: list[str], place: str, toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("out.jsonl").write_text("old")
    Path("reports/toy").mkdir(parents=True)
    Path("reports/toy/report.html").write_text("old")
    monkeypatch.setattr(place, interrupt)
    assert "interrupted" == refused(130, *command)
    assert "toy" == load_bundle("models/toy").codebook.name


def test_ctrl_c_between_two_rows_leaves_the_old_file(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classify.tagging.tagger.Tagger._start", interrupt)
    Path("out.jsonl").write_text("old")
    assert "interrupted" == refused(130, "predict", "article.txt", "--out", "out.jsonl")


def test_ctrl_c_says_that_nothing_was_changed_only_where_that_is_so(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_jsonl(Path(PASSAGES), toy_rows()[:20])
    before = load_bundle("models/toy").id
    fail_at(monkeypatch, "replace", N_STEPS - 1, KeyboardInterrupt())
    result = run("train")
    assert 130 == result.exit_code
    assert ("nothing was changed" in result.stderr) == (load_bundle("models/toy").id == before)


# ---- evaluate

REPORT_FILES = {"report.html", "metrics.json", "per_label.csv", "predictions.csv"}
ESTIMATE = {"value", "low", "high"}
AVERAGES = {"macro_f1", "micro_f1", "macro_average_precision"}
HEADLINE = {
    "theme": AVERAGES | {"exact_match", "hamming_loss", "label_ranking_average_precision"},
    "framing": AVERAGES | {"accuracy"},
}
TASK_KEYS = {"macro_f1_gain_over", "kind", "n_passages", "n_events", "n_evaluable", "labels", "baselines", "slices"}
TASK_KEYS |= {"abstention", "expected_calibration_error", "reliability", "calibration_curve", "words"}
FURTHER = {"theme": {"co_confusion", "thresholds"}, "framing": {"confusion", "learning_curve"}}
LABEL_KEYS = {"support", "events", "precision", "recall", "f1", "average_precision", "verdict", "reason"}
LABEL_ESTIMATES = {
    "f1", "average_precision", "gain_over_codebook_terms", "brier_skill", "calibration_slope", "calibration_intercept",
}  # fmt: skip
BASELINES = {"prior", "codebook_terms", "plain_tfidf"}
PREDICTION_COLUMNS = "id,event,fold,task,label,gold,score,probability,threshold,predicted,system"


@pytest.fixture(scope="module")
def evaluated(toy_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The report on the toy labels, and the run that wrote it."""
    folder = tmp_path_factory.mktemp("evaluated") / "reports" / "toy"
    return folder, run("evaluate", "--labels", toy_folder / "labels", "--out", folder)


@pytest.fixture(scope="module")
def metrics(evaluated: tuple[Path, Result]) -> dict[str, Any]:
    return dict(json.loads((evaluated[0] / "metrics.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def predictions(evaluated: tuple[Path, Result]) -> list[dict[str, str]]:
    return read_csv(evaluated[0] / "predictions.csv")


def test_evaluate_writes_exactly_the_files_of_a_report(evaluated: tuple[Path, Result]) -> None:
    folder, result = evaluated
    kinds = ("f1", "baselines", "precision-recall", "confusion", "reliability", "learning-curve")
    figures = {"theme-f1", "theme-reliability", *(f"framing-{kind}" for kind in kinds)}
    drawn = {f"figures/{name}.{form}" for name in figures for form in ("svg", "png", "csv")}
    assert REPORT_FILES | drawn == set(files_under(folder))
    assert [folder] == list(folder.parent.iterdir())
    assert (0, "") == (result.exit_code, result.stderr)
    assert f"report: {folder / 'report.html'}" == result.stdout.splitlines()[-1]


def test_evaluate_shows_every_label_with_its_verdict(evaluated: tuple[Path, Result]) -> None:
    lines = evaluated[1].stdout.splitlines()
    assert "24 passages, 12 events; nested cross-validation over events, 5 outer folds" == lines[0]
    assert "theme: 0 of 3 labels have passages enough to count in averages" in lines
    (sea,) = [line.split() for line in lines if line.startswith("sea ")]
    assert ["7", "4", "–", "–", "–", "–", "–"] == sea[1:]
    assert "  sea: not evaluable: 7 positives in 4 events; 10 in 5 are needed" in lines
    assert "  report: use with review: ranks passages well, but not double-coded" in lines
    assert ["model", "prior", "codebook_terms", "plain_tfidf"] == [
        line.split()[0] for line in lines if line.startswith(("model ", *BASELINES))
    ][:4]


def test_metrics_have_the_keys_of_the_design(metrics: dict[str, Any]) -> None:
    assert {"tasks", "data", "codebook", "seed", "versions"} <= set(metrics)
    assert {"sha256"} <= set(metrics["data"]) & set(metrics["codebook"])
    assert ["theme", "framing"] == list(metrics["tasks"])
    for name, task in metrics["tasks"].items():
        assert TASK_KEYS | HEADLINE[name] | FURTHER[name] == set(task)
        assert set(task["baselines"]) == BASELINES
        assert all(HEADLINE[name] == set(baseline) for baseline in task["baselines"].values())
        estimates = [*task["baselines"].values(), {key: task[key] for key in HEADLINE[name]}]
        assert all(ESTIMATE == set(found) for group in estimates for found in group.values())
        for label in task["labels"].values():
            assert LABEL_KEYS | LABEL_ESTIMATES | {"matthews", "optimism"} <= set(label)
            assert all(ESTIMATE == set(label[key]) for key in LABEL_ESTIMATES)


def test_metrics_count_passages_events_and_labels(metrics: dict[str, Any]) -> None:
    theme, framing = metrics["tasks"]["theme"], metrics["tasks"]["framing"]
    assert ("multilabel", 24, 12, 0) == tuple(theme[key] for key in ("kind", "n_passages", "n_events", "n_evaluable"))
    assert ("multiclass", 24, 12, 2) == tuple(framing[key] for key in ("kind", "n_passages", "n_events", "n_evaluable"))
    supports = {name: (label["support"], label["events"]) for name, label in theme["labels"].items()}
    assert [("sea", (7, 4)), ("cyber", (7, 4)), ("trade", (6, 3))] == list(supports.items())
    assert [12, 12] == [sum(row) for row in framing["confusion"]]


def test_what_cannot_be_estimated_is_null(metrics: dict[str, Any]) -> None:
    sea = metrics["tasks"]["theme"]["labels"]["sea"]
    assert dict.fromkeys(ESTIMATE) == sea["f1"] == sea["average_precision"] == metrics["tasks"]["theme"]["macro_f1"]
    assert (None, None, "not evaluable") == (sea["precision"], sea["recall"], sea["verdict"])
    assert "NaN" not in json.dumps(metrics)


def test_labels_without_a_second_coder_are_at_best_used_with_review(metrics: dict[str, Any]) -> None:
    found = {(label["verdict"], label["reason"]) for label in metrics["tasks"]["framing"]["labels"].values()}
    assert {("use with review", "ranks passages well, but not double-coded")} == found


def test_predictions_have_one_row_a_system_passage_and_label(
    evaluated: tuple[Path, Result], predictions: list[dict[str, str]]
) -> None:
    assert PREDICTION_COLUMNS == (evaluated[0] / "predictions.csv").read_text(encoding="utf-8").splitlines()[0]
    counts = Counter((row["system"], row["task"], row["label"]) for row in predictions)
    labels = [("theme", "sea"), ("theme", "cyber"), ("theme", "trade"), ("framing", "report"), ("framing", "praise")]
    assert {(system, *label): 24 for system in ("model", *BASELINES) for label in labels} == counts
    assert {row["id"] for row in toy_rows()} == {row["id"] for row in predictions}


def test_predictions_hold_events_whole_in_one_fold(predictions: list[dict[str, str]]) -> None:
    folds = {(row["event"], row["fold"]) for row in predictions}
    assert 12 == len(folds)
    assert {"1", "2", "3", "4", "5"} == {fold for _, fold in folds}


def test_predictions_agree_with_the_gold_labels_and_with_the_metrics(
    predictions: list[dict[str, str]], metrics: dict[str, Any]
) -> None:
    gold = {row["id"]: row["labels"] for row in toy_rows()}
    for name, task in metrics["tasks"].items():
        for label, found in task["labels"].items():
            rows = [row for row in predictions if (row["system"], row["task"], row["label"]) == ("model", name, label)]
            assert found["support"] == sum(int(row["gold"]) for row in rows)
            assert found["events"] == len({row["event"] for row in rows if row["gold"] == "1"})
            assert {row["id"]: int(label in gold[row["id"]][name]) for row in rows} == {
                row["id"]: int(row["gold"]) for row in rows
            }


def test_predictions_give_the_f1_of_the_metrics(predictions: list[dict[str, str]], metrics: dict[str, Any]) -> None:
    framing = metrics["tasks"]["framing"]
    systems = {"model": framing, **framing["baselines"]}
    for system, found in systems.items():
        rows = [row for row in predictions if (row["system"], row["task"]) == (system, "framing")]
        values = []
        for label in ("report", "praise"):
            cells = Counter((row["gold"], row["predicted"]) for row in rows if row["label"] == label)
            hits, wrong = cells["1", "1"], cells["0", "1"] + cells["1", "0"]
            values.append(2 * hits / (2 * hits + wrong))
        assert pytest.approx(sum(values) / 2) == found["macro_f1"]["value"]


def test_predictions_are_decided_by_score_and_threshold(predictions: list[dict[str, str]]) -> None:
    themes = [row for row in predictions if row["task"] == "theme" and row["system"] in ("model", "plain_tfidf")]
    assert [float(row["score"]) >= float(row["threshold"]) for row in themes] == [
        row["predicted"] == "1" for row in themes
    ]
    assert {""} == {row["threshold"] for row in predictions if row["task"] == "framing"}


def test_the_report_holds_every_figure(evaluated: tuple[Path, Result]) -> None:
    page = (evaluated[0] / "report.html").read_text(encoding="utf-8")
    figures = {path.stem for path in (evaluated[0] / "figures").iterdir()}
    assert {"theme-f1", "framing-f1", "framing-confusion"} < figures
    assert [name for name in sorted(figures) if f'aria-label="{name}"' not in page] == []
    for form in ("svg", "png", "csv"):
        assert {path.stem for path in (evaluated[0] / "figures").glob(f"*.{form}")} == figures
    assert "24 labelled passages from 12 events" in page


def test_evaluate_as_json_prints_the_metrics_and_gives_the_same_files_again(
    evaluated: tuple[Path, Result], in_toy_folder: Path, metrics: dict[str, Any]
) -> None:
    assert metrics == json.loads(succeeds("evaluate", "--json"))
    assert files_under(evaluated[0]) == files_under(Path("reports/toy"))


def test_evaluate_replaces_an_earlier_report_as_a_whole(in_toy_folder: Path) -> None:
    Path("reports/toy/figures").mkdir(parents=True)
    Path("reports/toy/figures/theme-abstention.svg").write_text("of an earlier release")
    write_jsonl(Path(PASSAGES), toy_rows()[:4])
    succeeds("evaluate", "--quiet")
    drawn = {f"figures/{task}-f1.{form}" for task in ("theme", "framing") for form in ("svg", "png", "csv")}
    assert drawn | REPORT_FILES == set(files_under(Path("reports/toy")))


def test_evaluate_on_two_events_makes_no_folds_and_says_why_first(in_toy_folder: Path) -> None:
    write_jsonl(Path(PASSAGES), toy_rows()[:4])
    first = succeeds("evaluate", "--quiet").splitlines()[0]
    assert "theme: only 2 events: none can be held out (4 are needed), so nothing is evaluable." == first
    found = json.loads(Path("reports/toy/metrics.json").read_text(encoding="utf-8"))
    labels = [label for task in found["tasks"].values() for label in task["labels"].values()]
    assert 5 == len(labels)
    assert {"not evaluable"} == {label["verdict"] for label in labels}
    assert [PREDICTION_COLUMNS] == Path("reports/toy/predictions.csv").read_text(encoding="utf-8").splitlines()
    page = Path("reports/toy/report.html").read_text(encoding="utf-8")
    assert page.index(first) < page.index("<h2")


def test_evaluate_sets_the_coders_agreement_beside_the_labels(in_toy_folder: Path) -> None:
    code_twice()
    found = json.loads(succeeds("evaluate", "--json"))
    report = found["tasks"]["framing"]["labels"]["report"]
    assert pytest.approx(2 * 12 / (13 + 12)) == report["coder_f1"]
    assert "not double-coded" not in report["reason"]


def test_evaluate_a_bundle_on_other_labels(toy: Path, toy_bundle: Bundle) -> None:
    others = [
        row | {"id": f"x{row['id']}", "document": f"x{row['document']}", "event": f"x{row['event']}"}
        for row in toy_rows()
    ]
    write_jsonl(Path("other.jsonl"), [row | {"text": f"{row['text']} Truly."} for row in others])
    found = json.loads(
        succeeds("evaluate", "--model", "models/toy", "--labels", "other.jsonl", "--out", "other", "--json")
    )
    assert (toy_bundle.id, f"bundle {toy_bundle.id} on given labelled passages") == (found["model"], found["scheme"])
    assert found["tasks"]["theme"]["labels"]["sea"]["f1"]["value"] > 0.8
    rows = read_csv(Path("other/predictions.csv"))
    assert {""} == {row["fold"] for row in rows}
    probabilities = Predictor.load("models/toy").predict("The navy said two ships left the harbour on Monday. Truly.")
    (sea,) = [row for row in rows if (row["id"], row["label"], row["system"]) == ("xe01#1", "sea", "model")]
    assert probabilities.probabilities["theme"]["sea"] == float(sea["probability"])


def test_evaluate_a_bundle_on_its_own_labels_says_so_first(toy: Path) -> None:
    shown = succeeds("evaluate", "--model", "models/toy", "--labels", "labels")
    assert shown.startswith("24 of 24 passages are among those the bundle was trained on: their figures flatter it.")


def test_evaluate_a_bundle_by_another_codebook_is_refused(toy: Path) -> None:
    Path("other.toml").write_text('name = "other"\n[tasks.theme]\nkind = "multilabel"\nlabels = ["land"]\n')
    write_jsonl(Path("other.jsonl"), [{"text": "a", "labels": ["land"]}])
    message = refused(
        2, "evaluate", "--model", "models/toy", "--labels", "other.jsonl", "--codebook", "other.toml", "-q"
    )
    assert message.startswith(
        "the bundle was trained with another codebook: task theme has labels sea, cyber, trade (multilabel); "
    )


def test_evaluate_a_bundle_by_a_codebook_of_another_kind_is_refused(toy: Path) -> None:
    change_codebook('kind = "multiclass"', 'kind = "multilabel"')
    write_jsonl(Path(PASSAGES), [row | {"labels": {"framing": [row["labels"]["framing"]]}} for row in toy_rows()])
    arguments = ["--model", "models/toy", "--labels", "labels", "--codebook", CODEBOOK, "-q"]
    assert refused(2, "evaluate", *arguments).startswith("the bundle was trained with another codebook")


def test_evaluate_a_bundle_wants_labels_and_no_settings(toy: Path) -> None:
    message = "--model needs --labels: labelled passages that the bundle was not trained on"
    assert message == refused(2, "evaluate", "--model", "models/toy")
    message = refused(2, "evaluate", "--model", "models/toy", "--labels", "labels", "--config", "settings.toml")
    assert message.startswith("--config sets how to train, but --model names a trained bundle")


# ---- the real thing


def test_the_console_script_refuses_a_missing_file_in_one_line(toy: Path) -> None:
    script = Path(sys.executable).parent / "classify"
    needs_tool("the console script classify", script.exists())
    found = subprocess.run([script, "predict", "missing.txt"], capture_output=True, text=True, check=False)
    expected = (2, "", "missing.txt: no such file or folder; check the path\n")
    assert expected == (found.returncode, found.stdout, found.stderr)


def test_the_module_runs_as_the_console_script_does() -> None:
    found = subprocess.run([sys.executable, "-m", "classify", "--version"], capture_output=True, text=True, check=True)
    assert "classify-passages 0.1.0\n" == found.stdout


def test_a_reader_that_stops_reading_is_no_error(toy: Path) -> None:
    write_jsonl(Path("in.jsonl"), [{"text": "The navy said. " * 500}] * 100)
    script = f"{sys.executable} -m classify predict in.jsonl | head -c 1; exit ${{PIPESTATUS[0]}}"
    found = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (0, "{", "") == (found.returncode, found.stdout, found.stderr)

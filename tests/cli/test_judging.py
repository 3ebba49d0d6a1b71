"""Judging from the shell: other schemes, parts, thresholds, doubtful labels, two reports compared, splits audited."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from classify.bundle import Bundle
from classify.data.tables import read_table
from tests.cli.test_commands import CODEBOOK, PASSAGES, files_under, read_csv, refused, run, succeeds
from tests.conftest import toy_rows, write_jsonl

REPORT = Path("reports/toy")
pytestmark = pytest.mark.usefixtures("no_curves")


@pytest.fixture(scope="module")
def no_curves() -> Iterator[None]:
    """Leave learning curves out of evaluations, which take most of their time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("classify.evaluation.curve.MAX_PASSAGES", 0)
        yield


def dated_rows() -> list[dict[str, Any]]:
    """The toy corpus, the first passage of each event of 2024, its first six events from one outlet.

    The very first passage was coded by mistake.
    """
    rows = [
        row | {"date": f"{2024 + number % 2}-07-01", "outlet": "The Times" if number < 12 else "Dawn"}
        for number, row in enumerate(toy_rows())
    ]
    return [rows[0] | {"labels": {"theme": ["cyber"], "framing": "praise"}}, *rows[1:]]


@pytest.fixture(scope="module")
def judged(no_curves: None, toy_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A folder with the dated labels and reports of them: by default, and by settings that learn little."""
    folder = tmp_path_factory.mktemp("judged")
    (folder / "codebook.toml").write_bytes((toy_folder / CODEBOOK).read_bytes())
    write_jsonl(folder / "passages.jsonl", dated_rows())
    (folder / "weak.toml").write_text("[multilabel]\nC = 0.01\nhit_weight = 0.0\n[multiclass]\nC = 0.01\n")
    labels = ["--labels", folder / "passages.jsonl"]
    options = ["--by", "year", "--by", "outlet", "--suspects", folder / "suspects.csv"]
    default = run("evaluate", *labels, "--out", folder / "default", *options)
    run("evaluate", *labels, "--out", folder / "weak", "--config", folder / "weak.toml", "--quiet")
    return folder, default


@pytest.fixture
def dated(in_toy_folder: Path) -> Path:
    write_jsonl(Path(PASSAGES), dated_rows())
    return in_toy_folder


def metrics_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "metrics.json").read_text(encoding="utf-8")))


# ---- schemes


def test_leave_one_event_out_says_so_and_gives_each_event_a_fold(dated: Path) -> None:
    first = succeeds("evaluate", "--scheme", "leave-one-event-out").splitlines()[0]
    assert "24 passages, 12 events; nested cross-validation, each of 12 events held out in turn" == first
    folds = {row["event"]: row["fold"] for row in read_csv(REPORT / "predictions.csv")}
    assert {f"e{n:02}": str(n) for n in range(1, 13)} == folds


def test_an_unknown_scheme_is_one_line_and_2(dated: Path) -> None:
    expected = "unknown scheme 'leave-one-out'; did you mean 'leave-one-event-out'?"
    assert expected == refused(2, "evaluate", "--scheme", "leave-one-out")


# ---- a part that is held out


def test_a_part_is_held_out_and_nothing_else_is_reported(dated: Path) -> None:
    found = json.loads(succeeds("evaluate", "--holdout", "outlet=The Times", "--json"))
    assert "learnt from 12 passages, tested on the 12 with outlet 'The Times'" == found["scheme"]
    ruled = "theme: cyber: given by the codebook's terms alone, with fewer than 3 passages to learn from."
    assert ["Only 6 independent events to judge by: intervals are wide.", ruled] == found["notes"]
    assert 12 == found["tasks"]["theme"]["n_passages"]
    assert {f"e{n:02}" for n in range(1, 7)} == {row["event"] for row in read_csv(REPORT / "predictions.csv")}
    sea = found["tasks"]["theme"]["labels"]["sea"]
    assert (3, "not evaluable") == (sea["support"], sea["verdict"])
    assert (float, None) == (type(sea["f1"]["value"]), sea["f1"]["low"])


def test_events_on_both_sides_are_counted_first(dated: Path) -> None:
    parts = {"e01#1": "test", "e02#1": "test"}
    write_jsonl(Path(PASSAGES), [row | {"part": parts.get(row["id"], "rest")} for row in dated_rows()])
    first, _, second, *_ = succeeds("evaluate", "--holdout", "part=test").splitlines()
    assert "Not learnt from: 2 further passages of events that stand in the held-out part." == first
    assert "2 passages, 2 events; learnt from 20 passages, tested on the 2 with part 'test'" == second


@pytest.mark.parametrize("given", ["outlet", "=Dawn", "outlet=", "="])
def test_holdout_without_both_sides_is_one_line_and_2(given: str, dated: Path) -> None:
    expected = f"--holdout: found {given!r}; expected FIELD=VALUE, such as origin=seed"
    assert expected == refused(2, "evaluate", "--holdout", given)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--holdout", "outlt=Dawn"], "no passage has a field 'outlt'; did you mean 'outlet'?"),
        (["--holdout", "outlet=dawn"], "no passage has outlet 'dawn'; did you mean 'Dawn'?"),
        (["--holdout", "outlet=The Times=x"], "no passage has outlet 'The Times=x'; did you mean 'The Times'?"),
        (["--holdout", "year=2023"], "no passage has year '2023'; did you mean '2025'?"),
        (["--holdout", "origin=toy"], "origin=toy: every event has a passage there, so nothing is left to learn from"),
        (["--by", "outlt"], "no passage has a field 'outlt'; did you mean 'outlet'?"),
        (["--by", "outlet", "--by", "zone"], "no passage has a field 'zone'; expected one of: date, document, "),
    ],
    ids=str,
)
def test_a_field_or_value_nobody_has_is_one_line_and_2(options: list[str], expected: str, dated: Path) -> None:
    assert refused(2, "evaluate", *options).startswith(expected)


# ---- parts that are reported


def test_parts_are_tables_in_the_shell_and_on_the_page(judged: tuple[Path, Result]) -> None:
    lines = judged[1].stdout.splitlines()
    assert "theme: parts (macro averages over labels with 3 positives there)" in lines
    parts = [line.split("  ")[0] for line in lines if line.startswith(("year: ", "outlet: "))]
    assert ["year: 2024", "year: 2025", "outlet: Dawn", "outlet: The Times"] * 2 == parts
    page = (judged[0] / "default" / "report.html").read_text(encoding="utf-8")
    assert 'aria-label="theme: parts by ' in page


def test_parts_stand_in_the_metrics_with_every_system(judged: tuple[Path, Result]) -> None:
    slices = metrics_of(judged[0] / "default")["tasks"]["theme"]["slices"]
    expected = [("year", "2024"), ("year", "2025"), ("outlet", "Dawn"), ("outlet", "The Times")]
    assert expected == [(part["field"], part["value"]) for part in slices]
    assert {12} == {part["n_passages"] for part in slices}
    assert {"model", "prior", "codebook_terms", "plain_tfidf"} == set(slices[0]["systems"])


# ---- thresholds


def test_another_rule_is_named_in_the_metrics_and_in_words(dated: Path) -> None:
    shown = succeeds("evaluate", "--thresholds", "precision=0.8")
    expected = (
        "theme, thresholds by precision=0.8: sea, cyber, trade can't be assured that precision in every fold, and are "
        "not given there at all."
    )
    assert expected == shown.splitlines()[0]
    found = metrics_of(REPORT)
    assert {"rule": "precision=0.8", "optimism": None} == found["tasks"]["theme"]["thresholds"]
    assert "precision=0.8" == found["settings"]["multilabel"]["thresholds"]
    rows = read_csv(REPORT / "predictions.csv")
    assert {("inf", "0")} == {
        (row["threshold"], row["predicted"]) for row in rows if (row["system"], row["task"]) == ("model", "theme")
    }


@pytest.mark.parametrize("rule", ["best", "precision", "precision=80", "precision=1.5", "precision=0", "F1"])
def test_an_unknown_rule_is_one_line_and_2(rule: str, dated: Path) -> None:
    expected = f"--thresholds: found {rule!r}; expected prevalence, f1, or precision=P with P between 0 and 1"
    assert expected == refused(2, "evaluate", "--thresholds", rule)


@pytest.mark.parametrize(
    "option",
    [
        ["--holdout", "outlet=Dawn"],
        ["--thresholds", "f1"],
        ["--scheme", "leave-one-event-out"],
    ],
    ids=str,
)
def test_a_bundle_takes_no_option_of_training(option: list[str], dated: Path, toy_bundle: Bundle) -> None:
    toy_bundle.save("models/toy")
    message = refused(2, "evaluate", "--model", "models/toy", "--labels", "labels", *option)
    assert f"{option[0]} sets how to train, but --model names a trained bundle; drop one of them" == message


def test_a_part_and_a_scheme_are_not_taken_together(dated: Path) -> None:
    message = refused(2, "evaluate", "--holdout", "outlet=Dawn", "--scheme", "leave-one-event-out")
    assert "--scheme and --holdout each say what is held out; drop one of them" == message


@pytest.mark.parametrize("option", ["--holdout", "--thresholds"])
def test_an_option_that_is_empty_is_one_line_and_2(option: str, in_toy_folder: Path) -> None:
    write_jsonl(Path(PASSAGES), toy_rows()[:4])
    assert refused(2, "evaluate", "--quiet", option, "").startswith(f"{option}: found ''; expected ")


# ---- doubtful labels


def test_doubtful_labels_are_a_sheet_to_code_again(judged: tuple[Path, Result]) -> None:
    folder, result = judged
    rows = read_csv(folder / "suspects.csv")
    assert (
        f"{len(rows)} passages with a doubtful label, to be coded again: {folder / 'suspects.csv'}"
        == (result.stdout.splitlines()[-2])
    )
    assert {"id", "text", "document", "event", "theme", "framing"} <= set(rows[0])
    assert ("e01#1", "", "", "cyber", "praise") == tuple(
        rows[0][key] for key in ("id", "theme", "framing", "given:theme", "given:framing")
    )
    assert "sea not given, p = 0." in rows[0]["doubt:theme"]


def test_the_filled_sheet_is_labels(judged: tuple[Path, Result], in_toy_folder: Path) -> None:
    sheet = (judged[0] / "suspects.csv").read_text(encoding="utf-8")
    Path("sheet.csv").write_text(sheet.replace("e01,e01,,,", "e01,e01,sea,report,"), encoding="utf-8")
    assert "no faults: " in run("check", "--labels", "sheet.csv").stdout
    assert ("sea", "report") == tuple(read_table("sheet.csv").rows[0][task] for task in ("theme", "framing"))


def test_a_sheet_somebody_has_filled_in_is_refused_at_once(dated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classify.evaluation.crossval.fit_task", lambda *arguments: pytest.fail("learnt"))
    before = Path(PASSAGES).read_bytes()
    result = run("evaluate", "--suspects", PASSAGES)
    assert (2, f"{PASSAGES}: holds hand labels, which would be lost; name another file\n") == (
        result.exit_code,
        result.stderr,
    )
    assert before == Path(PASSAGES).read_bytes()


def test_a_report_below_a_file_is_refused_at_once(dated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classify.evaluation.crossval.fit_task", lambda *arguments: pytest.fail("learnt"))
    Path("file").write_text("mine")
    assert "file: a file stands here" in refused(2, "evaluate", "--out", "file/report")


def test_a_sheet_of_no_known_kind_is_refused_at_once(dated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classify.evaluation.crossval.fit_task", lambda *arguments: pytest.fail("learnt"))
    assert refused(2, "evaluate", "--suspects", "suspects.txt").startswith("suspects.txt: ")


def test_a_sheet_in_the_report_s_folder_costs_neither(dated: Path) -> None:
    message = refused(2, "evaluate", "--suspects", REPORT / "suspects.csv")
    assert "lies in the report's folder" in message
    assert not (REPORT / "suspects.csv").exists()


def test_a_sheet_of_json_lines_is_labels_too(dated: Path) -> None:
    succeeds("evaluate", "--suspects", "suspects.jsonl")
    first, *_ = [json.loads(line) for line in Path("suspects.jsonl").read_text(encoding="utf-8").splitlines()]
    assert ("e01#1", {"theme": None, "framing": None}) == (first["id"], first["labels"])
    write_jsonl(Path("filled.jsonl"), [first | {"labels": {"theme": ["sea"], "framing": "report"}}])
    assert "no faults: 1 passage," in run("check", "--labels", "filled.jsonl").stdout


# ---- compare


def compared(judged: tuple[Path, Result], first: str = "default", second: str = "weak") -> list[object]:
    return ["compare", judged[0] / first, judged[0] / second]


def test_compare_shows_every_measure_and_label_of_every_task(judged: tuple[Path, Result]) -> None:
    lines = succeeds(*compared(judged)).splitlines()
    assert {"theme: 24 passages, 12 events", "framing: 24 passages, 12 events"} <= set(lines)
    starts = [line.split()[0] for line in lines if line and line.split()[0] != "F1"]
    of_theme = ["theme:", "measure", "micro_f1", "exact_match", "label", "sea", "cyber", "trade"]
    of_framing = ["framing:", "measure", "macro_f1", "micro_f1", "macro_average_precision", "accuracy", "label"]
    assert [*of_theme, *of_framing, "report", "praise"] == starts


def test_compare_as_json_agrees_with_both_reports(judged: tuple[Path, Result]) -> None:
    found = json.loads(succeeds(*compared(judged), "--json"))
    metrics = [metrics_of(judged[0] / name)["tasks"] for name in ("default", "weak")]
    assert ["theme", "framing"] == list(found)
    for name, task in found.items():
        for one in task["headline"]:
            expected = [of[name][one["measure"]]["value"] for of in metrics]
            assert pytest.approx(expected) == [one["first"], one["second"]]
            assert pytest.approx(expected[1] - expected[0]) == one["difference"]["value"]


def test_a_report_compared_with_itself_differs_in_nothing(judged: tuple[Path, Result]) -> None:
    found = json.loads(succeeds(*compared(judged, second="default"), "--json"))
    differences = [one for task in found.values() for one in (*task["headline"], *task["labels"])]
    assert {0.0, None} == {one["difference"]["value"] for one in differences}
    assert {1.0, None} == {one["p"] for one in differences}


@pytest.fixture
def reports(judged: tuple[Path, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the two files of either report that are read."""
    monkeypatch.chdir(tmp_path)
    for name in ("default", "weak"):
        Path(name).mkdir()
        for file in ("metrics.json", "predictions.csv"):
            Path(name, file).write_bytes((judged[0] / name / file).read_bytes())
    return tmp_path


def change(path: str, old: str, new: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    assert old in text
    Path(path).write_text(text.replace(old, new), encoding="utf-8")


def test_compare_without_a_report_is_one_line_and_2(reports: Path) -> None:
    expected = "holds no metrics.json and predictions.csv; expected a folder that classify evaluate wrote"
    assert f"nowhere: {expected}" == refused(2, "compare", "default", "nowhere")
    assert f".: {expected}" == refused(2, "compare", ".", "default")


def test_compare_of_broken_files_is_one_line_and_2(reports: Path) -> None:
    change("weak/predictions.csv", ",theme,trade,", ",theme,land,")
    message = refused(2, "compare", "default", "weak")
    assert message.startswith("weak/predictions.csv:")
    assert message.endswith(": broken row; expected what classify evaluate writes; run it again")
    Path("default/metrics.json").write_text("{")
    expected = "default/metrics.json: broken; expected what classify evaluate writes; run it again"
    assert expected == refused(2, "compare", "default", "weak")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("e03#1,", "e03#9,", "theme: other passages; expected two evaluations of the same labelled passages"),
        (",e03,", ",e99,", "theme: other events; expected two evaluations of the same labelled passages"),
    ],
)
def test_compare_of_other_passages_is_one_line_and_2(old: str, new: str, what: str, reports: Path) -> None:
    change("weak/predictions.csv", old, new)
    assert f"default and weak: {what}" == refused(2, "compare", "default", "weak")


def test_compare_of_other_gold_labels_names_the_passage(reports: Path) -> None:
    (row,) = [
        line
        for line in Path("weak/predictions.csv").read_text(encoding="utf-8").splitlines()
        if line.startswith("e03#1,") and ",theme,trade,1," in line and line.endswith(",model")
    ]
    change("weak/predictions.csv", row, row.replace(",theme,trade,1,", ",theme,trade,0,"))
    expected = "default and weak: theme: e03#1 has other gold labels; expected the same labelled passages"
    assert expected == refused(2, "compare", "default", "weak")


def test_compare_of_a_part_and_the_whole_is_one_line_and_2(reports: Path, judged: tuple[Path, Result]) -> None:
    labels = judged[0] / "passages.jsonl"
    run("evaluate", "--labels", labels, "--out", "part", "--holdout", "outlet=Dawn", "--quiet")
    expected = "default and part: theme: other passages; expected two evaluations of the same labelled passages"
    assert expected == refused(2, "compare", "default", "part")


# ---- audit-splits


def event_texts(n_words: int) -> list[dict[str, object]]:
    """Sixteen events of four passages, every second event about the sea, in words of the event's own."""
    rng = np.random.default_rng(0)
    rows = []
    for event in range(16):
        for number in range(4):
            words = [f"own{event}x{n}" for n in rng.integers(0, 3 * n_words, n_words)]
            text = " ".join([*words, "harbour" if event % 2 else "rain"])
            labels = {"theme": ["sea"] if event % 2 else []}
            rows.append({"id": f"e{event:02}#{number}", "text": text, "event": f"e{event:02}", "labels": labels,
                         "document": f"e{event:02}"})  # fmt: skip
    return rows


def test_sound_splits_hold_and_leave_with_0(in_toy_folder: Path) -> None:
    write_jsonl(Path(PASSAGES), event_texts(20))
    before = files_under(Path())
    lines = succeeds("audit-splits", "--quiet").splitlines()
    assert "the splits hold" == lines[-1]
    assert "copies of all documents, a tenth of their words dropped: 100% found (95% needed)" in lines
    (sea,) = [line.split() for line in lines if line.startswith("theme: sea")]
    assert (6, True) == (len(sea), float(sea[2]) <= 0.55)
    assert before == files_under(Path())


def test_copies_that_cannot_be_found_fail_the_audit_and_leave_with_1(in_toy_folder: Path) -> None:
    write_jsonl(Path(PASSAGES), event_texts(1))
    result = run("audit-splits", "--quiet")
    assert (1, "") == (result.exit_code, result.stderr)
    assert "a test failed: see the lines above" == result.stdout.splitlines()[-1]


def test_the_audit_as_json_leaves_with_the_same_code(in_toy_folder: Path) -> None:
    write_jsonl(Path(PASSAGES), event_texts(1))
    result = run("audit-splits", "--json", "--quiet")
    assert (1, "") == (result.exit_code, result.stderr)
    found = json.loads(result.stdout)
    assert (False, False) == (found["is_tight"], found["copies"]["is_tight"])
    assert ["sea"] == [band["label"] for band in found["shuffled_labels"]]


def test_the_audit_shows_the_warnings_of_the_labels(in_toy_folder: Path) -> None:
    write_jsonl(Path(PASSAGES), event_texts(1))
    expected = ["warning: theme: no passage carries cyber, trade", "warning: framing: no passage is coded; the task is"]
    lines = run("audit-splits").stderr.splitlines()
    assert expected == [line[: len(start)] for line, start in zip(lines, expected, strict=False)]


def test_too_little_to_audit_is_one_line_and_2(in_toy_folder: Path) -> None:
    write_jsonl(Path(PASSAGES), toy_rows()[:10])
    expected = "no label has 10 positives from 5 events, so there is nothing to test the splits with"
    assert expected == refused(2, "audit-splits")
    write_jsonl(Path(PASSAGES), toy_rows()[:4])
    assert "2 events: none can be held out; 4 are needed" == refused(2, "audit-splits", "--quiet")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--labels", "nowhere.jsonl"], "nowhere.jsonl: no such file or folder; check the path"),
        (["--codebook", "nowhere.toml"], "nowhere.toml: no such file; expected a codebook (TOML)"),
        (["--config", "nowhere.toml"], "nowhere.toml: no such file; expected settings (TOML)"),
    ],
    ids=str,
)
def test_missing_files_of_an_audit_are_one_line_and_2(arguments: list[str], expected: str, in_toy_folder: Path) -> None:
    assert refused(2, "audit-splits", *arguments).startswith(expected)


def test_ctrl_c_while_auditing_leaves_with_130(in_toy_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("classify.evaluation.audit.run_jobs", interrupt)
    assert "interrupted" == refused(130, "audit-splits")

"""classify explain from the shell: parts that sum, JSON as it is documented, highlights, nearest labelled passages."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from classify.bundle import Bundle
from tests.cli.test_commands import ARTICLE, ARTICLE_TEXTS, refused, run, succeeds
from tests.conftest import toy_rows, write_jsonl

TEXT = "The navy said two ships left."


@pytest.fixture
def folder(in_toy_folder: Path, toy_bundle: Bundle) -> Path:
    """A working folder with the toy labels, the toy bundle and an article."""
    toy_bundle.save("models/toy")
    Path("article.txt").write_text(ARTICLE, encoding="utf-8")
    return in_toy_folder


@pytest.fixture
def elsewhere(folder: Path) -> Path:
    """The same without the labels."""
    (folder / "labels").rename(folder / "mine")
    return folder


def as_json(*arguments: object, stdin: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(succeeds("explain", *arguments, "--json", stdin=stdin))
    return found


def test_parts_sum_to_the_score(elsewhere: Path) -> None:
    lines = succeeds("explain", "--text", TEXT, "--task", "theme").splitlines()
    assert TEXT == lines[0]
    assert lines[1].startswith("theme: sea (given, p = 0.9")
    *parts, total = [float(line.split()[0]) for line in lines[2:-1]]
    assert pytest.approx(total, abs=0.0005 * len(parts)) == sum(parts)
    assert any(line.endswith("  terms of sea: navy, ships") for line in lines)
    assert "" == lines[-1]


def test_one_line_says_why_not_the_second_label(elsewhere: Path) -> None:
    (line,) = [line for line in succeeds("explain", "--text", TEXT).splitlines() if "rather than" in line]
    assert line.startswith("  rather than praise (p = 0.")
    difference, *parts = map(float, re.findall(r"[+-]\d+\.\d{3}", line))
    assert len(parts) > 5
    assert pytest.approx(difference, abs=0.0005 * len(parts)) == sum(parts)


def test_all_tasks_are_explained_unless_one_is_named(folder: Path) -> None:
    assert ["theme", "framing"] == [one["task"] for one in as_json("--text", TEXT)]
    assert ["framing"] == [one["task"] for one in as_json("--text", TEXT, "--task", "framing")]


# ---- JSON: what a program may count on


def test_json_has_these_keys(folder: Path) -> None:
    theme, framing = as_json("--text", "The navy said two ships may sail.")
    assert ["id", "task", "text", "labels"] == list(theme)
    sea, report = theme["labels"]["sea"], framing["labels"]["report"]
    keys = ["given", "score", "probability", "threshold", "intercept", "spans", "pieces", "runner_up", "evidence"]
    assert keys == list(sea) == list(report)
    assert ["kind", "name", "note", "places", "value"] == list(sea["spans"][0])
    assert {"words", "codebook terms", "style"} == {span["kind"] for span in report["spans"]}
    assert ["kind", "name", "spans", "value"] == list(sea["pieces"][0])
    style = [piece for piece in report["pieces"] if piece["kind"] == "style"]
    assert ["kind", "name", "spans", "value", "rate", "usual"] == list(style[0])
    assert sea["runner_up"] is None
    assert ["label", "probability", "difference", "intercept", "spans"] == list(report["runner_up"])
    assert ["carrying", "without"] == list(sea["evidence"])
    assert ["id", "text", "labels", "cosine", "shared"] == list(sea["evidence"]["carrying"][0])


def test_json_sums_exactly(folder: Path) -> None:
    found = [of_label for one in as_json("article.txt") for of_label in one["labels"].values()]
    for of_label in found:
        for parts in (of_label["spans"], of_label["pieces"]):
            total = of_label["intercept"] + sum(part["value"] for part in parts)
            assert pytest.approx(of_label["score"], abs=1e-9) == total
    differences = [of_label["runner_up"] for of_label in found if of_label["runner_up"]]
    assert len(ARTICLE_TEXTS) == len(differences)
    for other in differences:
        total = other["intercept"] + sum(span["value"] for span in other["spans"])
        assert pytest.approx(other["difference"], abs=1e-9) == total


# ---- inputs


def test_files_are_read_as_predict_reads_them(folder: Path) -> None:
    found = as_json("article.txt", "--task", "theme")
    expected = [(f"article.txt#{number}", text) for number, text in enumerate(ARTICLE_TEXTS, start=1)]
    assert expected == [(one["id"], one["text"]) for one in found]
    assert ["The navy said."] == [one["text"] for one in as_json("-", "--task", "theme", stdin="The navy said.")]


def test_passages_of_files_stand_under_their_ids(folder: Path) -> None:
    assert "article.txt#1" == succeeds("explain", "article.txt").splitlines()[0]


@pytest.mark.parametrize("text", ["", "zzzz", "<script>[bold]navy[/bold]</script>", "İİ navy ΑΣ"])
def test_any_text_is_shown_as_it_is(text: str, folder: Path) -> None:
    assert text == succeeds("explain", "--text", text).splitlines()[0]


@pytest.mark.parametrize("arguments", [[], ["article.txt", "--text", "a"]], ids=str)
def test_either_files_or_a_text_are_wanted(arguments: list[str], folder: Path) -> None:
    assert 'give either INPUT or --text "…"' == refused(2, "explain", *arguments)


def test_an_unknown_task_is_refused_and_one_suggested(folder: Path) -> None:
    message = refused(2, "explain", "--text", "a", "--task", "themes")
    assert "--task themes: no such task in this bundle; did you mean 'theme'?" == message


def test_a_text_without_a_known_word_says_so(elsewhere: Path) -> None:
    shown = succeeds("explain", "--text", "!!", "--task", "theme")
    assert "  no word of it is known: p is the label's share among the labelled passages\n" in shown


# ---- the nearest labelled passages


def carrying(found: list[dict[str, Any]], label: str) -> list[str]:
    return [one["id"] for one in found[0]["labels"][label]["evidence"]["carrying"]]


def test_labels_of_the_bundle_s_codebook_are_used_where_they_lie(folder: Path) -> None:
    shown = succeeds("explain", "--text", "The navy said two ships left.", "--task", "theme")
    assert "  nearest labelled passages that carry sea\n    cosine 0." in shown
    assert " e01#1, coded sea; in common: left, " in shown


def test_labels_under_another_codebook_or_with_faults_are_not(folder: Path) -> None:
    codebook = Path("labels/codebook.toml")
    kept = codebook.read_text(encoding="utf-8")
    codebook.write_text(kept.replace('version = "1"', 'version = "2"'), encoding="utf-8")
    assert as_json("--text", TEXT)[0]["labels"]["sea"]["evidence"] is None
    codebook.write_text(kept, encoding="utf-8")
    write_jsonl(Path("labels/passages.jsonl"), [{"text": "a", "labels": {"theme": ["seas"]}}])
    result = run("explain", "--text", TEXT, "--json")
    assert 0 == result.exit_code
    assert "warning: labels/ can't be used to show the nearest labelled passages; see classify check\n" == result.stderr
    assert json.loads(result.stdout)[0]["labels"]["sea"]["evidence"] is None


def test_without_labels_there_is_no_evidence(elsewhere: Path) -> None:
    assert as_json("--text", TEXT)[0]["labels"]["sea"]["evidence"] is None


def test_labels_can_be_named_and_repeated(elsewhere: Path) -> None:
    for name, row in zip("ab", toy_rows(), strict=False):
        write_jsonl(Path(f"{name}.jsonl"), [row | {"labels": {"theme": ["sea"]}}])
    both = as_json("--text", TEXT, "--task", "theme", "--labels", "a.jsonl", "--labels", "b.jsonl")
    assert ["e01#1"] == carrying(as_json("--text", TEXT, "--task", "theme", "--labels", "a.jsonl"), "sea")
    assert {"e01#1", "e01#2"} >= set(carrying(both, "sea"))


def test_named_labels_with_faults_are_refused(folder: Path) -> None:
    write_jsonl(Path("bad.jsonl"), [{"text": "a", "labels": {"theme": ["seas"]}}])
    message = refused(2, "explain", "--text", "a", "--labels", "bad.jsonl")
    assert message.startswith("bad.jsonl:1: theme: unknown label 'seas'; did you mean 'sea'?")


def test_a_nearer_passage_of_other_opinion_is_shown(folder: Path) -> None:
    """Coded as the trade of ships, and nearest of all."""
    row = {"id": "other", "text": "The navy said two ships left for repairs.", "labels": {"theme": ["trade"]}}
    write_jsonl(Path("other.jsonl"), [*toy_rows(), row])
    shown = succeeds("explain", "--text", TEXT, "--task", "theme", "--labels", "other.jsonl")
    assert re.search(
        r"  nearer still, and coded without it\n    cosine 0\.\d\d  other, coded trade; in common: ", shown
    )


# ---- on a terminal


def on_a_terminal(folder: Path, **environment: str) -> str:
    """What `classify explain` shows on a terminal 200 columns wide."""
    ours, theirs = pty.openpty()
    code = f"from classify.cli.main import app; app(['explain', '--text', {TEXT!r}, '--task', 'theme'])"
    variables = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    asked = {"TERM": "xterm", "COLUMNS": "200", "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    subprocess.run([sys.executable, "-c", code], stdout=theirs, env=variables | asked, cwd=folder, check=True)
    os.close(theirs)
    shown = os.read(ours, 4000).decode()
    os.close(ours)
    return shown.splitlines()[0]


def test_words_are_marked_by_weight_of_type_and_sign_and_colour_adds_nothing(folder: Path) -> None:
    coloured, plain = on_a_terminal(folder), on_a_terminal(folder, NO_COLOR="1")
    assert "\x1b[1;32mnavy+\x1b[0m" in coloured
    assert "\x1b[1mnavy+\x1b[0m" in plain
    assert TEXT == re.sub(r"\x1b\[[\d;]*m|[+-](?=\x1b)", "", plain)

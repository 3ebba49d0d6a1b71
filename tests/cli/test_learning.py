"""Training and judging with text without labels, and at the prevalence of an audit sample, from the shell."""

import json
from pathlib import Path
from typing import Any

import pytest

from classify.bundle import load_bundle
from classify.learn.features import MIN_UNLABELLED
from classify.predictor import Predictor
from tests.cli.test_commands import PASSAGES, refused, run, succeeds
from tests.conftest import toy_rows, write_jsonl

CORPUS, AUDIT = Path("corpus.jsonl"), Path("audit.jsonl")
pytestmark = pytest.mark.usefixtures("in_toy_folder")


def corpus(n: int) -> list[dict[str, Any]]:
    """Different texts in which frigates sail with ships, and firewalls stand against hackers."""
    about = ("The frigate and the ships of the navy sailed", "A firewall stopped the hackers of the network")
    return [{"text": f"{about[number % 2]} on day {number} of year{number}."} for number in range(n)]


def audit(sea: int, other: int, probability: object = 0.5) -> list[dict[str, object]]:
    return [
        {"text": f"Audited text {number}.", "inclusion_probability": probability, "selection": "audit",
         "labels": {"theme": ["sea"] if number < sea else [], "framing": "report"}}
        for number in range(sea + other)
    ]  # fmt: skip


def test_unlabelled_text_teaches_words_that_no_label_has_seen() -> None:
    write_jsonl(CORPUS, corpus(MIN_UNLABELLED + 40))
    succeeds("train", "--out", "models/plain")
    succeeds("train", "--unlabelled", CORPUS, "--out", "models/more")
    plain, more = (load_bundle(Path("models") / name).tasks["theme"].scorer for name in ("plain", "more"))
    assert "firewal" not in plain.blocks[0].columns
    cyber = more.blocks[0].weights[more.blocks[0].columns["firewal"]]
    assert cyber.argmax() == 1
    assert f"and {MIN_UNLABELLED + 40} unlabelled texts" in succeeds("inspect", "models/more")


def test_labelled_passages_among_the_unlabelled_count_once() -> None:
    texts = [{"text": str(row["text"]).upper()} for row in toy_rows()]
    write_jsonl(CORPUS, [*texts, *corpus(MIN_UNLABELLED + 1), *corpus(5)])
    succeeds("train", "--unlabelled", CORPUS, "--out", "models/more")
    assert load_bundle(Path("models/more")).data["n_unlabelled"] == MIN_UNLABELLED + 1


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_too_few_unlabelled_texts_are_refused(command: str) -> None:
    write_jsonl(CORPUS, corpus(3))
    expected = f"found 3 unlabelled texts; expected more than {MIN_UNLABELLED}, or none"
    assert refused(2, command, "--unlabelled", CORPUS) == expected


def test_evaluation_learns_from_unlabelled_text_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classify.evaluation.curve.MAX_PASSAGES", 0)
    write_jsonl(CORPUS, corpus(MIN_UNLABELLED + 40))
    read = []
    for options in ([], ["--unlabelled", CORPUS]):
        run("evaluate", *options, "--out", "reports/toy")
        lines = Path("reports/toy/predictions.csv").read_text().splitlines()
        read.append([line for line in lines if ",theme," in line and line.endswith(",model")])
    assert len(read[0]) == len(read[1]) > 0
    assert read[0] != read[1]


def test_a_trained_bundle_learns_from_no_text() -> None:
    succeeds("train", "--out", "models/m")
    line = refused(2, "evaluate", "--model", "models/m", "--labels", PASSAGES, "--unlabelled", PASSAGES)
    assert line.startswith("--unlabelled sets how to train")


def test_an_audit_resets_thresholds_and_probabilities_to_its_prevalence() -> None:
    write_jsonl(AUDIT, audit(2, 98))
    succeeds("train", "--out", "models/as-labelled")
    succeeds("train", "--prevalence-from", AUDIT, "--out", "models/as-audited")
    before, after = (Predictor.load(Path("models") / name) for name in ("as-labelled", "as-audited"))
    text = "The navy said two ships left the harbour."
    assert after.predict(text).probabilities["theme"]["sea"] < before.predict(text).probabilities["theme"]["sea"]
    shares = after.bundle.data["prevalence_from"]["prevalence"]["theme"]
    assert shares["sea"] == pytest.approx(2.5 / 101)
    thresholds = [found.bundle.tasks["theme"].decision.thresholds for found in (before, after)]
    assert thresholds[0] is not None
    assert thresholds[1] is not None
    assert thresholds[1][0] > thresholds[0][0]
    assert before.score([text])["theme"].tolist() == after.score([text])["theme"].tolist()
    assert "at the prevalence of an audit of 100 passages" in succeeds("inspect", "models/as-audited")


def test_an_audit_without_inclusion_probabilities_is_refused_in_a_line() -> None:
    write_jsonl(AUDIT, audit(1, 9, None))
    assert f"{AUDIT}: inclusion_probability: no passage has it" in refused(2, "train", "--prevalence-from", AUDIT)


def test_a_small_audit_is_warned_of_and_a_file_without_a_passage_refused() -> None:
    write_jsonl(AUDIT, audit(1, 9))
    said = run("train", "--prevalence-from", AUDIT, "--out", "models/small").stderr
    assert "warning: 10 audited passages: shares are rough under 100, and thresholds follow them" in said
    Path("heading.txt").write_text("HEADING\n")
    assert "heading.txt: no passage found" in refused(2, "train", "--unlabelled", "heading.txt")


@pytest.mark.parametrize("given", [0, 1.5, "many"])
def test_an_audit_with_impossible_inclusion_probabilities_is_refused(given: object) -> None:
    write_jsonl(AUDIT, audit(1, 0, given))
    found = refused(2, "train", "--prevalence-from", AUDIT)
    expected = "expected the probability with which the passage was drawn, above 0 and up to 1"
    assert found == f"{AUDIT}:1: inclusion_probability: found {given!r}; {expected}"


def test_an_audit_goes_with_prevalence_match_alone() -> None:
    write_jsonl(AUDIT, audit(2, 8))
    Path("f1.toml").write_text('[multilabel]\nthresholds = "f1"\n')
    line = refused(2, "train", "--prevalence-from", AUDIT, "--config", "f1.toml")
    assert line == "thresholds f1 don't follow a prevalence; leave the rule out"


def test_a_label_with_hardly_a_passage_is_given_by_its_terms_and_says_so() -> None:
    codebook = Path("labels/codebook.toml") if Path("labels/codebook.toml").exists() else Path("codebook.toml")
    codebook.write_text(codebook.read_text() + '\n[tasks.theme.labels.space]\nterms = ["satellite*"]\n')
    rows = toy_rows()
    rows[0] = {**rows[0], "text": "A satellite rose.", "labels": {"theme": ["space"], "framing": "report"}}
    write_jsonl(Path(PASSAGES), rows)
    succeeds("train", "--out", "models/m")
    assert "given by their terms alone: space" in succeeds("inspect", "models/m")
    write_jsonl(Path("in.jsonl"), [{"text": "Three satellites fell into the sea."}, {"text": "Ships of the navy."}])
    found = [json.loads(line) for line in succeeds("predict", "in.jsonl", "--model", "models/m").splitlines()]
    assert "space" in found[0]["predicted"]["theme"]
    assert ["rule_based" in row["review"] for row in found] == [True, False]


def test_a_task_with_too_few_events_is_named_where_others_have_enough() -> None:
    rows = toy_rows()
    for row in rows[6:]:
        row["labels"] = {**row["labels"], "framing": None}  # type: ignore[dict-item]
    write_jsonl(Path(PASSAGES), rows)
    said = succeeds("train", "--out", "models/m")
    assert "* on held-out events" in said
    assert "* framing: on the training passages themselves, since there are too few events to hold any out" in said

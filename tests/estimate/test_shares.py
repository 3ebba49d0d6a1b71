"""Shares of a corpus from an audit sample: right on a corpus whose truth is known, and refused where they can't be."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from matplotlib import rc_context

from classify import Dataset, estimate_shares, load_labels
from classify.bundle import Bundle
from classify.codebook import Codebook, Label, Task, TaskKind
from classify.data.auditdraw import audit_rows
from classify.data.dataset import hash_text
from classify.data.predictions import prediction_rows
from classify.data.tagreader import read_tags
from classify.errors import DataError, UsageError
from classify.estimate.audited import Audited, read_audited
from classify.estimate.learnt import held_out_scores
from classify.estimate.results import LabelShare, Shares
from classify.estimate.shares import _summing_to_one, machine_rates, shares_of
from classify.evaluation.saved import SavedEvaluation, SavedTask
from classify.measure.intervals import Estimate
from classify.measure.shares import NOTHING
from classify.report.palette import STYLE
from classify.report.shareplots import _parts_figure, share_figures
from tests.conftest import write_jsonl

THEME = Task("theme", TaskKind.MULTILABEL, (Label("sea"), Label("land")))
TONE = Task("tone", TaskKind.MULTICLASS, (Label("plain"), Label("sure"), Label("sour")))
BOOK = Codebook("toy", (THEME, TONE))
N = 900
Row = dict[str, Any]


def corpus_rows(model: str | None = None) -> Iterator[tuple[Row, Row]]:
    """Predictions that give too much of everything, and their passages' gold labels; the sea rises over six months."""
    rng = np.random.default_rng(0)
    for n in range(N):
        month = n % 6
        sea, land = rng.random(2) < (0.1 + 0.08 * month, 0.3)
        tone = int(rng.choice(3, p=[0.5, 0.3, 0.2]))
        p_sea, p_land = np.clip(0.35 + 0.4 * np.array([sea, land]) + rng.normal(0, 0.15, 2), 0.001, 0.999)
        of_tone = np.full(3, 0.2) + 0.4 * (np.arange(3) == tone)
        tones = dict(zip(TONE.label_names, (of_tone / of_tone.sum()).round(6).tolist(), strict=True))
        row = {
            "id": f"d{n // 3}#{n % 3}",
            "text": f"Passage {n}.",
            "document": f"d{n // 3}",
            "outlet": "north" if n % 2 else "south",
            "date": f"2025-0{month + 1}-15",
            "predicted": {
                "theme": [name for name, p in (("sea", p_sea), ("land", p_land)) if p > 0.5],
                "tone": max(tones, key=tones.__getitem__),
            },
            "probabilities": {"theme": {"sea": float(p_sea), "land": float(p_land)}, "tone": tones},
            "review": [],
            "model": model,
        }
        themes = [name for name, given in (("sea", sea), ("land", land)) if given]
        yield row, {"theme": themes, "tone": TONE.label_names[tone]}


@pytest.fixture(scope="module")
def predictions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "predictions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row, _ in corpus_rows()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def gold() -> dict[str, Row]:
    return {row["id"]: labels for row, labels in corpus_rows()}


@pytest.fixture(scope="module")
def audit(gold: dict[str, Row], tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return coded_sample(gold, tmp_path_factory.mktemp("audit"), n=240)


def coded_sample(gold: dict[str, Row], folder: Path, *, n: int, by: str | None = None, coded: int = N) -> Dataset:
    """A drawn sample whose first `coded` rows somebody coded."""
    rows = [row for row, _ in corpus_rows()]
    drawn = audit_rows(rows, n, by=by, seed=3, tasks=BOOK.task_names, nested=True)
    for row in drawn[:coded]:
        row["labels"] = gold[row["id"]]
    path = folder / "audit.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in drawn), encoding="utf-8")
    return load_labels(path, BOOK)


def truth(gold: dict[str, Row], task: str, label: str) -> float:
    return float(np.mean([label in np.atleast_1d(labels[task]) for labels in gold.values()]))


def test_intervals_hold_the_truth_where_machine_rates_are_far_off(
    predictions: Path, audit: Dataset, gold: dict[str, Row]
) -> None:
    found = estimate_shares([predictions], audit)
    for one in found.shares:
        estimate, is_so = one.share.estimate, truth(gold, one.task, one.label)
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low <= is_so <= estimate.high
    assert not any("no interval" in note for note in found.notes)
    sea = found.of("theme")[0]
    assert sea.machine_rate - truth(gold, "theme", "sea") > 0.1
    assert sea.share.worth > 50


def test_shares_of_a_task_with_one_label_each_sum_to_one(predictions: Path, audit: Dataset) -> None:
    found = estimate_shares([predictions], audit).of("tone")
    assert sum(one.share.estimate.value or 0 for one in found) == pytest.approx(1)


def test_a_table_gives_what_its_file_gives(predictions: Path, audit: Dataset) -> None:
    flat = []
    for _, _, row in prediction_rows([predictions]):
        cells = {f"p:{task}:{label}": p for task, of in row["probabilities"].items() for label, p in of.items()}
        cells["predicted:theme"] = "|".join(row["predicted"]["theme"]) or "none"
        flat.append({"id": row["id"], "predicted:tone": row["predicted"]["tone"], **cells, "review": "", "model": None})
    ours, theirs = estimate_shares([predictions], audit), estimate_shares(pl.DataFrame(flat), audit)
    for one, other in zip(ours.shares, theirs.shares, strict=True):
        assert one.share.estimate.value == pytest.approx(other.share.estimate.value)


def test_a_trend_is_found_where_there_is_one_and_none_elsewhere(predictions: Path, audit: Dataset) -> None:
    found = {one.label: one for one in estimate_shares([predictions], audit, by="month").changes}
    sea, land = found["sea"], found["land"]
    assert (sea.first, sea.second, sea.is_trend) == ("2025-01", "2025-06", True)
    assert sea.change.estimate.low is not None
    assert 0 < sea.change.estimate.low < 0.4 < (sea.change.estimate.high or 0)
    assert sea.p_holm is not None
    assert sea.p_holm < 0.01
    assert (land.p_holm or 0) > 0.05


def test_parts_are_compared_in_pairs_and_p_values_only_grow_by_adjusting(predictions: Path, audit: Dataset) -> None:
    found = estimate_shares([predictions], audit, by="source")
    assert found.cells == ["north", "south"]
    assert [(one.first, one.second) for one in found.changes] == [("north", "south")] * 5
    assert all((one.p_holm or 0) >= (one.change.p or 0) for one in found.changes)


def test_thin_parts_are_flagged_and_said(predictions: Path, gold: dict[str, Row], tmp_path: Path) -> None:
    found = estimate_shares([predictions], coded_sample(gold, tmp_path, n=40), by="month")
    thin = {one.cell for one in found.shares if one.is_thin}
    assert thin == {one.cell for one in found.shares if one.share.n < 10}
    assert thin
    assert any("fewer than 10 audited passages" in note for note in found.notes)


def test_a_stratified_sample_stops_anywhere_and_still_speaks_for_the_corpus(
    predictions: Path, gold: dict[str, Row], tmp_path: Path
) -> None:
    whole = coded_sample(gold, tmp_path, n=240, by="month", coded=150)
    found = estimate_shares([predictions], whole).of("theme")
    assert {one.share.n for one in found} == {150}
    for one in found:
        estimate = one.share.estimate
        assert (estimate.low or 0) <= truth(gold, "theme", one.label) <= (estimate.high or 0)


def test_post_stratifying_makes_parts_count_by_their_size(
    predictions: Path, gold: dict[str, Row], tmp_path: Path
) -> None:
    """A sample in which the last months are far too many, said to be drawn with equal probability."""
    rows = [row for row, _ in corpus_rows()]
    kept = [row for row in rows if row["date"] > "2025-05" or hash_text(row["id"])[0] in "01"][:300]
    drawn = audit_rows(kept, len(kept), seed=0, tasks=BOOK.task_names, nested=True)
    path = tmp_path / "skewed.jsonl"
    path.write_text("".join(json.dumps({**row, "labels": gold[row["id"]]}) + "\n" for row in drawn), encoding="utf-8")
    skewed = load_labels(path, BOOK)
    is_so = truth(gold, "theme", "sea")
    plain, by_month = (
        estimate_shares([predictions], skewed, by=by).of("theme")[0].share.labels_only or 0 for by in (None, "month")
    )
    assert abs(by_month - is_so) < abs(plain - is_so) - 0.03


def test_held_out_scores_take_the_place_of_those_of_passages_that_were_learnt_from(
    predictions: Path, audit: Dataset
) -> None:
    clean = read_audited([predictions], audit)
    tags, rows = clean.tags, clean.rows
    probabilities = tags.tasks["theme"].probabilities
    flattering = probabilities.copy()
    flattering[rows] = audit.gold(THEME).gold
    learnt = replace(tags, tasks={**tags.tasks, "theme": replace(tags.tasks["theme"], probabilities=flattering)})
    honest = shares_of(Audited(learnt, audit, rows, {"theme": probabilities[rows].astype(float)}))
    assert honest.of("theme") == shares_of(clean).of("theme")
    flattered = shares_of(Audited(learnt, audit, rows))
    assert flattered.of("theme")[0].share.worth > 2 * honest.of("theme")[0].share.worth


def test_another_taggers_scores_are_audited_in_the_same_way(predictions: Path, audit: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    rows = ({"id": row["id"], "their": row["probabilities"]["theme"]["sea"]} for row, _ in corpus_rows())
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    theirs = estimate_shares([path], audit, scores={"sea": "their"}).of("theme")
    ours = estimate_shares([predictions], audit).of("theme")[0]
    assert [one.label for one in theirs] == ["sea"]
    assert theirs[0].share.estimate.value == pytest.approx(ours.share.estimate.value)


def test_a_column_of_scores_that_is_not_there_is_told_with_those_that_are(audit: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text(json.dumps({"id": "x", "theirs": 0.5}) + "\n", encoding="utf-8")
    expected = "other.jsonl:1: no column 'their'; the row has id, theirs; expected the scores of 'sea', named as LABEL"
    with pytest.raises(DataError, match=expected):
        estimate_shares([path], audit, scores={"sea": "their"})


@pytest.mark.parametrize(("score", "found"), [(1.2, "1.2"), ("high", "'high'"), (None, "None")])
def test_a_score_that_is_none_is_named_with_its_row(score: object, found: str, audit: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text(json.dumps({"id": "x", "their": score}) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=rf"other.jsonl:1: their: found {found}; expected a score in \[0, 1\]"):
        estimate_shares([path], audit, scores={"sea": "their"})


def test_without_an_audit_there_are_rates_and_no_shares(predictions: Path) -> None:
    found = machine_rates(read_tags([predictions]))
    assert all(one.share.estimate.value is None for one in found.shares)
    assert found.of("theme")[1].machine_rate > 0.3


def test_without_inclusion_probabilities_it_is_refused(predictions: Path, gold: dict[str, Row], tmp_path: Path) -> None:
    path = tmp_path / "chosen.jsonl"
    path.write_text(json.dumps({"id": "d0#0", "text": "Passage 0.", "labels": gold["d0#0"]}) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="inclusion_probability: no passage has it; expected the probability"):
        estimate_shares([predictions], load_labels(path, BOOK))


def test_audited_passages_that_were_not_predicted_are_named_in_the_order_of_their_rows(
    audit: Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "part.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row, _ in list(corpus_rows())[:450]), encoding="utf-8")
    with pytest.raises(DataError, match=r"id: 'd\d+#\d' is none of the predictions; the audit sample") as caught:
        estimate_shares([path], audit)
    found = [fault.row for fault in caught.value.faults]
    assert found == sorted(found, key=int)
    assert 50 < len(found) < 240


def test_an_audit_of_another_corpus_is_told_once_for_the_file(audit: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    rows = (row | {"id": f"x{row['id']}"} for row, _ in corpus_rows())
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    expected = r"^\S+audit\.jsonl: id: none of its 240 ids, such as 'd\d+#\d', is among the predictions; [^\n]*$"
    with pytest.raises(DataError, match=expected):
        estimate_shares([path], audit)


def test_a_sheet_nobody_has_coded_is_told_before_anything_else(gold: dict[str, Row], tmp_path: Path) -> None:
    blank = coded_sample(gold, tmp_path, n=40, coded=0)
    with pytest.raises(DataError, match=r"^\S+audit\.jsonl: no row is coded yet; expected labels in theme and tone"):
        estimate_shares([tmp_path / "nowhere.jsonl"], blank)


def test_a_prediction_that_stands_twice_is_named(audit: Dataset, tmp_path: Path) -> None:
    rows = [json.dumps(row) + "\n" for row, _ in corpus_rows()]
    path = tmp_path / "twice.jsonl"
    path.write_text("".join(rows * 2), encoding="utf-8")
    with pytest.raises(DataError, match="stands twice; expected one prediction a passage"):
        estimate_shares([path], audit)


def test_it_must_be_known_what_the_model_has_learnt_from(audit: Dataset, toy_bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "named.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row, _ in corpus_rows("abc")), encoding="utf-8")
    for bundle in (None, toy_bundle):
        with pytest.raises(UsageError, match="whether it has learnt from audited passages can't be known"):
            estimate_shares([path], audit, bundle=bundle)


def test_audited_passages_that_were_learnt_from_need_held_out_scores(
    audit: Dataset, toy_bundle: Bundle, tmp_path: Path
) -> None:
    path = tmp_path / "learnt.jsonl"
    learnt = replace(toy_bundle, data={**toy_bundle.data, "text_hashes": audit.text_hashes[:7]})
    path.write_text("".join(json.dumps(row) + "\n" for row, _ in corpus_rows(learnt.id)), encoding="utf-8")
    with pytest.raises(UsageError, match=r"has learnt from 7 audited passages, .* the first; name an evaluation"):
        estimate_shares([path], audit, bundle=learnt)


def test_rows_not_coded_yet_need_no_held_out_scores(gold: dict[str, Row], toy_bundle: Bundle, tmp_path: Path) -> None:
    half = coded_sample(gold, tmp_path, n=240, coded=120)
    hashes, is_coded = np.array(half.text_hashes), half.gold(THEME).coded
    coded, blank = hashes[is_coded].tolist(), hashes[~is_coded].tolist()
    assert held_out_scores(half, blank, None) == {}
    with pytest.raises(UsageError, match="has learnt from 3 audited passages"):
        held_out_scores(half, [*coded[:3], *blank], None)


def test_held_out_scores_are_those_of_a_cross_validation_with_the_same_labels(audit: Dataset) -> None:
    ids = tuple(sorted(passage.id for passage in audit.passages))
    gold, p = audit.gold(THEME), np.full((len(ids), 2), 0.25)
    task = SavedTask(True, THEME.label_names, ids, ids, gold, gold.gold, p)
    saved = SavedEvaluation(Path("reports/x"), "toy", {"theme": task})
    one_task = replace(audit, codebook=Codebook("toy", (THEME,)))
    found = held_out_scores(one_task, audit.text_hashes[:5], saved)["theme"]
    assert (np.isnan(found).sum(), np.nanmean(found)) == (2 * (len(ids) - 5), 0.25)
    with pytest.raises(UsageError, match="reports/x: holds no task tone with the codebook's labels"):
        held_out_scores(audit, audit.text_hashes[:5], saved)
    with pytest.raises(UsageError, match="an evaluation of a bundle, which held nothing out"):
        held_out_scores(one_task, audit.text_hashes[:5], replace(saved, is_of_bundle=True))


@pytest.mark.parametrize(
    ("row", "by", "message"),
    [
        ({}, "month", "--by month: no passage has a month; the rows have id"),
        ({}, "source", "--by source: no passage has a source"),
        ({"year": "2020/21"}, "year", "--by year: found '2020/21'; expected four digits"),
    ],
)
def test_parts_that_rows_do_not_tell_are_refused(row: Row, by: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bare.jsonl"
    kept = ("id", "predicted", "probabilities", "review", "model")
    rows = ({name: found[name] for name in kept} | row for found, _ in corpus_rows())
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        machine_rates(read_tags([path], by=(by,)), by=by)


def test_years_are_read_from_dates_of_four_digits_too(predictions: Path, audit: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "years.jsonl"
    rows = (row | {"date": ("2023", 2024, "2025-06-01")[n % 3]} for n, (row, _) in enumerate(corpus_rows()))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = estimate_shares([path], audit, by="year")
    assert found.cells == ["2025", "2024", "2023"]
    assert {one.n_passages for one in found.shares if one.cell} == {N // 3}
    assert {(one.first, one.second, one.is_trend) for one in found.changes} == {("2023", "2025", True)}


def test_figures_take_any_name_for_what_it_is() -> None:
    found = LabelShare("theme", "$x$ and \ud800", r"a $\frac$ b", 9, 0.5, NOTHING)
    shares = Shares("place", 9, (replace(found, cell=""), found), (), ())
    assert ["theme-shares-by-part.svg", "theme-shares.svg"] == sorted(share_figures(shares, formats=("svg",)))


def test_one_label_of_a_task_is_not_stretched_to_the_whole(
    audit: Dataset, tmp_path: Path, gold: dict[str, Row]
) -> None:
    path = tmp_path / "one.jsonl"
    rows = ({"id": row["id"], "p": row["probabilities"]["tone"]["sour"]} for row, _ in corpus_rows())
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    shares = estimate_shares([path], audit, scores={"sour": "p"})
    (found,) = shares.of("tone")
    assert not any("sum to one" in note for note in shares.notes)
    assert found.share.estimate.value == pytest.approx(truth(gold, "tone", "sour"), abs=0.07)


def test_rows_that_a_coder_passed_over_are_told(predictions: Path, gold: dict[str, Row], tmp_path: Path) -> None:
    coded_sample(gold, tmp_path, n=60)
    path = tmp_path / "audit.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for n in (3, 40):
        rows[n]["labels"] = {"theme": None, "tone": None}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    notes = estimate_shares([predictions], load_labels(path, BOOK)).notes
    assert "theme: 2 rows above the last coded one left out, which bends shares; code them" in notes


def test_ids_that_have_come_to_name_other_passages_are_told_by_their_rows(audit: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "changed.jsonl"
    rows = (
        row | {"text": f"Another  {row['text']}" if n < 300 else f"  {row['text']}"}
        for n, (row, _) in enumerate(corpus_rows())
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    expected = r"text: 'd\d+#\d' has another text among the predictions; predict the corpus that the sample was drawn"
    with pytest.raises(DataError, match=expected) as caught:
        estimate_shares([path], audit)
    assert len(caught.value.faults) == sum(int(one.id[1:].split("#")[0]) < 100 for one in audit.passages)


def test_predictions_that_name_no_model_are_taken_for_those_of_the_bundle(
    predictions: Path, audit: Dataset, toy_bundle: Bundle
) -> None:
    learnt = replace(toy_bundle, data={**toy_bundle.data, "text_hashes": audit.text_hashes[:7]})
    with pytest.raises(UsageError, match="has learnt from 7 audited passages"):
        estimate_shares([predictions], audit, bundle=learnt)


def test_what_is_said_of_a_draw_and_its_coder(predictions: Path, gold: dict[str, Row], tmp_path: Path) -> None:
    """Sheets sorted by stratum, of two draws of different size, and of a corpus that has grown since."""
    coded_sample(gold, tmp_path, n=60, by="source")
    path = tmp_path / "audit.jsonl"
    drawn = [json.loads(line) for line in path.read_text().splitlines()]

    def notes(rows: list[Row]) -> str:
        return " ".join(estimate_shares([predictions], load_labels(write_jsonl(path, rows), BOOK)).notes)

    drawn.sort(key=lambda row: row["stratum"])
    half = [row if "north" in row["stratum"] else row | {"labels": {}} for row in drawn]
    assert "theme: no passage coded of stratum source: south, which shares leave out; code some of each" in notes(half)
    second = [row | {"inclusion_probability": 0.5} if n < 9 else row for n, row in enumerate(drawn)]
    assert "passages of stratum source: north have different probabilities, as of two draws" in notes(second)
    assert "rows stand for" not in notes(drawn)
    smaller = [row | {"inclusion_probability": 0.2} for row in drawn]
    assert "the audit's rows stand for 300 passages, but 900 were predicted: if the corpus has changed" in notes(
        smaller
    )


def test_it_is_said_why_passages_of_one_document_have_no_interval(
    predictions: Path, gold: dict[str, Row], tmp_path: Path
) -> None:
    one = coded_sample(gold, tmp_path, n=60, coded=1)
    assert any(note.startswith("no interval where") for note in estimate_shares([predictions], one).notes)


def test_rows_passed_over_are_counted_in_each_sheet_by_itself(
    predictions: Path, gold: dict[str, Row], tmp_path: Path
) -> None:
    coded_sample(gold, tmp_path, n=60)
    drawn = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    one = write_jsonl(tmp_path / "one.jsonl", drawn[:40])
    two = write_jsonl(tmp_path / "two.jsonl", drawn[40:45] + [row | {"labels": {}} for row in drawn[45:]])
    assert "left out" not in " ".join(estimate_shares([predictions], load_labels([one, two], BOOK)).notes)


def test_a_share_lies_within_its_interval_though_shares_were_made_to_sum_to_one() -> None:
    of_three = [
        LabelShare("tone", name, "", 100, 0.5, replace(NOTHING, estimate=Estimate(value, value - 0.02, value + 0.02)))
        for name, value in (("plain", 0.6), ("sure", 0.3), ("sour", 0.2))
    ]
    for one in _summing_to_one(of_three):
        estimate = one.share.estimate
        assert (estimate.low or 0) <= (estimate.value or 0) <= (estimate.high or 0)


@pytest.mark.parametrize("n_parts", [3, 6])
def test_names_of_labels_have_room_in_figures_by_parts(n_parts: int) -> None:
    names = ("counterterrorism", "intelligence_sharing", "great_power_competition")
    by_label = [
        [LabelShare("theme", name, f"speech at an assembly {n}", 9, 0.5, NOTHING) for n in range(n_parts)]
        for name in names
    ]
    with rc_context(STYLE):
        figure = _parts_figure(by_label)
        figure.draw_without_rendering()
    for ax in figure.axes:
        assert figure.bbox.x0 <= ax._left_title.get_window_extent().x1 <= figure.bbox.x1

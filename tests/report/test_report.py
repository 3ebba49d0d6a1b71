"""Reports show what the results say, escape what others wrote, and ask nobody for anything."""

import csv
import itertools
import json
import re
import shutil
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from classify.codebook import Codebook, Label, Task, TaskKind
from classify.data.dataset import Dataset, TaskGold, load_labels
from classify.errors import OutputError
from classify.evaluation.evaluate import evaluate
from classify.evaluation.heldout import MODEL, TERMS, HeldOut, Mistake, Suspect
from classify.evaluation.judge import Held, judge
from classify.evaluation.results import (
    Abstention,
    Evaluation,
    LabelAgreement,
    LearningCurve,
    RiskBand,
    Slice,
    TaskAgreement,
    TaskResult,
)
from classify.measure.calibration import CalibrationCurve
from classify.measure.intervals import Estimate
from classify.report.datacard import data_card
from classify.report.figures import evaluation_figures, figure_rows
from classify.report.files import refuse_foreign_report, write_evaluation
from classify.report.highlight import AGAINST, FOR, Piece, highlighted
from classify.report.page import render_evaluation
from classify.report.palette import MODEL_COLOUR
from classify.report.plots import (
    MAX_POINTS,
    curve_of,
    draw_confusion,
    draw_f1,
    draw_gains,
    draw_learning_curve,
    draw_precision_recall,
    draw_reliability,
    draw_risk_coverage,
)
from classify.report.tables import event_rows
from classify.report.words import in_words
from tests.conftest import toy_rows, write_jsonl

N = 24
GROUPS = np.arange(N) // 2


def held(predicted: Any, *, multilabel: bool = True) -> HeldOut:
    """What a system said, by its decisions alone: probability .9 for yes and .2 for no."""
    decisions = np.array(predicted, dtype=bool)
    p = np.where(decisions, 0.9, 0.2)
    return HeldOut(p, p, decisions, np.full(p.shape, 0.5) if multilabel else None, np.ones(len(p)))


@pytest.fixture(scope="module")
def themes() -> TaskResult:
    """Three themes of 24 passages in 12 events, counted by hand.

    first: 12 positives in 6 events, of which the model misses one and the terms miss six; second: every other passage,
    which the model gives to all; third: two positives, too few to judge.
    """
    first, second, third = np.arange(N) < 12, np.arange(N) % 2 == 0, np.isin(np.arange(N), (0, 2))
    gold = np.stack([first, second, third], axis=1)
    model = np.stack([first & (np.arange(N) > 0), np.ones(N), np.zeros(N)], axis=1)
    terms = np.stack([first & (np.arange(N) > 5), np.zeros(N), np.zeros(N)], axis=1)
    task = Task(
        "theme", TaskKind.MULTILABEL, tuple(Label(name, terms=("x",)) for name in ("first_one", "second", "third"))
    )
    coders = TaskAgreement(
        "theme",
        "alpha",
        Estimate(0.7),
        0.8,
        N,
        12,
        tuple(LabelAgreement(label.name, Estimate(0.7), 0.75, 0.8, N, 12) for label in task.labels),
    )
    systems = {MODEL: held(model), TERMS: held(terms)}
    return judge(
        Held(task, TaskGold(gold, np.ones_like(gold)), GROUPS, GROUPS % 5, systems, fields={}, agreement=coders)
    )


@pytest.fixture(scope="module")
def framings() -> TaskResult:
    """Two framings of 12 passages each; the model takes three of the first for the second."""
    gold = np.stack([np.arange(N) % 2 == 0, np.arange(N) % 2 == 1], axis=1)
    taken = (np.arange(N) % 2 == 1) | (np.arange(N) < 6)
    task = Task("framing", TaskKind.MULTICLASS, (Label("plain_report"), Label("praise")))
    systems = {MODEL: held(np.stack([~taken, taken], axis=1), multilabel=False)}
    return judge(Held(task, TaskGold(gold, np.ones_like(gold)), GROUPS, GROUPS % 5, systems, fields={}))


@pytest.fixture(scope="module")
def curve() -> LearningCurve:
    """Three points, with a band of a tenth to either side."""
    gain = Estimate(0.03, 0.01, 0.05)
    return LearningCurve((10, 20, 30), (0.5, 0.6, 0.7), (0.4, 0.5, 0.6), (0.6, 0.7, 0.8), 30, gain, "likely more")


@pytest.fixture
def ax() -> Axes:
    return Figure().subplots()


@pytest.fixture(scope="module")
def evaluation(toy_dataset: Dataset) -> Evaluation:
    return evaluate(toy_dataset)


@pytest.fixture(scope="module")
def page(evaluation: Evaluation) -> str:
    return render_evaluation(evaluation, evaluation_figures(evaluation.tasks))


HOSTILE = "<script>alert('x')</script> & \"co\""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """The toy corpus where every name is an attack, with two documents that copy each other."""
    codebook = Codebook(
        "hostile",
        (Task("framing", TaskKind.MULTICLASS, (Label(HOSTILE), Label("<img src=x onerror=alert(1)>")), f"{HOSTILE}?"),),
        version=HOSTILE,
    )
    names = dict(zip(("report", "praise"), codebook["framing"].label_names, strict=True))
    rows = [
        row
        | {
            "labels": names[row["labels"]["framing"]],
            "document": f"{HOSTILE}{row['document']}",
            "event": f"{HOSTILE}{row['event']}",
            "origin": HOSTILE,
            "coder": HOSTILE,
        }
        for row in toy_rows()
    ]
    copied = [row | {"id": f"copy {row['id']}", "document": f"{HOSTILE}copy", "event": "copy"} for row in rows[:2]]
    path = tmp_path_factory.mktemp("hostile") / "labels.jsonl"
    return evaluate(load_labels(write_jsonl(path, [*rows, *copied]), codebook))


@pytest.fixture(scope="module")
def hostile_page(hostile: Evaluation) -> str:
    return render_evaluation(hostile, evaluation_figures(hostile.tasks))


def texts_of(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def title_of(ax: Axes) -> str:
    """The title, which stands on the left where the project's style holds."""
    return ax.get_title(loc="left") or ax.get_title()


def marks_of(ax: Axes) -> set[tuple[str, float, float]]:
    """Every single mark as (marker, x, y)."""
    return {
        (str(line.get_marker()), round(float(line.get_xdata()[0]), 9), float(line.get_ydata()[0]))
        for line in ax.lines
        if len(line.get_xdata()) == 1
    }


# ---- figure: F1 of each label


def test_f1_marks_the_model_the_terms_and_the_coders_at_their_values(themes: TaskResult, ax: Axes) -> None:
    draw_f1(themes, ax)
    model = {("o", round(22 / 23, 9), 0.0), ("o", round(24 / 36, 9), 1.0)}
    terms = {("D", round(12 / 18, 9), 0.0), ("D", 0.0, 1.0)}
    coders = {("|", 0.75, 0.0), ("|", 0.75, 1.0)}
    assert model | terms | coders == marks_of(ax)


def test_f1_draws_the_interval_of_each_label_as_a_line(themes: TaskResult, ax: Axes) -> None:
    draw_f1(themes, ax)
    lines = [(list(line.get_xdata()), list(line.get_ydata())) for line in ax.lines if len(line.get_xdata()) == 2]
    expected = [([label.f1.low, label.f1.high], [row, row]) for row, label in enumerate(themes.labels[:2])]
    assert expected == lines
    assert lines[0][0][0] < 22 / 23 < lines[0][0][1]


def test_f1_names_labels_from_the_top_with_their_support(themes: TaskResult, ax: Axes) -> None:
    draw_f1(themes, ax)
    expected = ["first one\n12 passages, 6 events", "second\n12 passages, 12 events", "third\n2 passages, 2 events"]
    assert expected == [tick.get_text() for tick in ax.get_yticklabels()]
    assert ((2.5, -0.5), (0, 1.02)) == (ax.get_ylim(), ax.get_xlim())
    assert ("F1: 0 nothing right, 1 perfect", "theme: how well each label is found") == (ax.get_xlabel(), title_of(ax))


def test_f1_says_in_words_what_is_too_little_to_judge(themes: TaskResult, ax: Axes) -> None:
    draw_f1(themes, ax)
    assert (0.01, 2, "too few to judge") == next((*t.get_position(), t.get_text()) for t in ax.texts[2:])


def test_f1_writes_its_numbers_beside_each_mark(themes: TaskResult, ax: Axes) -> None:
    draw_f1(themes, ax)
    assert [str(label.f1) for label in themes.labels[:2]] == texts_of(ax)[:2]


def test_f1_names_each_kind_of_mark_once(themes: TaskResult, ax: Axes) -> None:
    draw_f1(themes, ax)
    names = ["model, with 95% interval", "codebook's terms alone", "two coders' agreement"]
    assert names == ax.get_legend_handles_labels()[1]


def test_f1_tells_kinds_of_marks_apart_by_shape_as_well_as_colour(themes: TaskResult, ax: Axes) -> None:
    draw_f1(themes, ax)
    assert {"o", "D", "|"} == {marker for marker, _, _ in marks_of(ax)}


# ---- figure: precision against recall


def test_precision_recall_draws_the_points_the_decision_and_chance(themes: TaskResult, ax: Axes) -> None:
    draw_precision_recall(themes, themes.labels[0], ax)
    curve, chance, decision = ax.lines
    assert ([11 / 12, 1.0], [1.0, 0.5]) == (list(curve.get_xdata()), list(curve.get_ydata()))
    assert [0.5, 0.5] == list(chance.get_ydata())
    assert ([11 / 12], [1.0]) == (list(decision.get_xdata()), list(decision.get_ydata()))
    assert "chance" in texts_of(ax)


def test_precision_recall_names_label_average_precision_and_support(themes: TaskResult, ax: Axes) -> None:
    draw_precision_recall(themes, themes.labels[0], ax)
    name, measured, support = title_of(ax).split("\n")
    assert ("first one", True, "n = 12") == (name, measured.startswith("AP 0.96 ("), support)
    assert ((0, 1.02), (0, 1.05)) == (ax.get_xlim(), ax.get_ylim())


# ---- figure: confusion


def test_confusion_writes_count_and_share_into_each_cell(framings: TaskResult, ax: Axes) -> None:
    draw_confusion(framings, ax)
    cells = {text.get_position(): text.get_text() for text in ax.texts}
    assert {(0, 0): "9\n75%", (1, 0): "3\n25%", (0, 1): "0\n0%", (1, 1): "12\n100%"} == cells


def test_confusion_shades_rows_by_their_shares(framings: TaskResult, ax: Axes) -> None:
    draw_confusion(framings, ax)
    shades = [patch.get_alpha() for patch in ax.patches]
    assert shades[3] > shades[0] > shades[1] > shades[2]


def test_confusion_has_gold_as_rows(framings: TaskResult, ax: Axes) -> None:
    draw_confusion(framings, ax)
    assert ["plain report", "praise"] == [tick.get_text() for tick in ax.get_xticklabels()]
    assert ["plain report\nn = 12", "praise\nn = 12"] == [tick.get_text() for tick in ax.get_yticklabels()]
    assert ("predicted", "gold", "framing: gold against predicted") == (
        ax.get_xlabel(),
        ax.get_ylabel(),
        title_of(ax),
    )


def test_confusion_of_a_multilabel_task_is_a_value_error(themes: TaskResult, ax: Axes) -> None:
    with pytest.raises(ValueError, match="theme is no multiclass task"):
        draw_confusion(themes, ax)


# ---- figures: probabilities, abstaining, learning curve


def reliability_by_hand() -> CalibrationCurve:
    """Two bins, of which the second has too few events for an interval."""
    cells = np.array([[0.1, 0.25, 0.05, 0.5], [0.8, 1.0, np.nan, np.nan]]).T
    return CalibrationCurve(*cells, np.array([4, 5]))


def test_reliability_draws_each_bin_with_its_interval_beside_the_line_of_truth(ax: Axes) -> None:
    draw_reliability(reliability_by_hand(), ax)
    truth, interval, bins = ax.lines
    assert ([0, 1], [0, 1]) == (list(truth.get_xdata()), list(truth.get_ydata()))
    assert ([0.1, 0.1], [0.05, 0.5]) == (list(interval.get_xdata()), list(interval.get_ydata()))
    assert ([0.1, 0.8], [0.25, 1.0]) == (list(bins.get_xdata()), list(bins.get_ydata()))
    assert ["dashed: as promised\neach dot: 4 to 5 answers"] == texts_of(ax)
    assert ("probability given", "share that was right") == (ax.get_xlabel(), ax.get_ylabel())


def abstention(kept_risk: float | None, *, is_large: bool = True) -> Abstention:
    band = RiskBand(np.array([0.5, 1.0]), np.array([0.2, 0.5]), np.array([0.1, np.nan]), np.array([0.3, np.nan]))
    curve = np.array([0.25, 0.75, 1.0]), np.array([0.0, 1 / 3, 0.5])
    return Abstention(*curve, Estimate(0.3), 0.75, kept_risk, band if is_large else None)


def test_risk_coverage_draws_the_band_the_whole_and_the_part_that_asks_for_no_review(ax: Axes) -> None:
    draw_risk_coverage(abstention(1 / 3), ax)
    curve, whole, kept = ax.lines
    assert ([0.5, 1.0], [0.2, 0.5]) == (list(curve.get_xdata()), list(curve.get_ydata()))
    assert (["s", [1], [0.5]], ["o", [0.75], [1 / 3]]) == tuple(
        [line.get_marker(), list(line.get_xdata()), list(line.get_ydata())] for line in (whole, kept)
    )
    assert ["■ all kept: 50%\n● 75% kept, without those to review: 33%"] == texts_of(ax)
    assert 1 == len(ax.collections)
    assert (0, 1.3 * 0.5) == ax.get_ylim()


def test_risk_coverage_has_no_round_dot_where_every_passage_asks_for_review(ax: Axes) -> None:
    draw_risk_coverage(abstention(None), ax)
    assert (2, ["■ all kept: 50%"]) == (len(ax.lines), texts_of(ax))


def test_risk_coverage_of_few_passages_has_no_curve(ax: Axes) -> None:
    draw_risk_coverage(abstention(1 / 3, is_large=False), ax)
    assert (2, 0) == (len(ax.lines), len(ax.collections))


def test_gains_draw_the_model_above_each_baseline(themes: TaskResult, ax: Axes) -> None:
    draw_gains(themes, {MODEL: "model", TERMS: "terms"}, ax)
    values = [themes.headline["macro_f1"].value, themes.baselines[TERMS]["macro_f1"].value]
    expected = {("o", round(values[0] or 0, 9), 0.0), ("D", round(values[1] or 0, 9), 1.0)}
    assert expected == marks_of(ax)
    assert ["model", "terms"] == [tick.get_text() for tick in ax.get_yticklabels()]


def test_the_learning_curve_draws_its_points_and_its_band(curve: LearningCurve, ax: Axes) -> None:
    draw_learning_curve(curve, ax)
    (line,), (band,) = ax.lines, ax.collections
    assert ([10, 20, 30], [0.5, 0.6, 0.7]) == (list(line.get_xdata()), list(line.get_ydata()))
    expected = {(10, 0.4), (20, 0.5), (30, 0.6), (10, 0.6), (20, 0.7), (30, 0.8)}
    assert expected == {(x, y) for x, y in band.get_paths()[0].vertices.tolist()}
    assert ("passages learnt from", "macro average precision") == (ax.get_xlabel(), ax.get_ylabel())


# ---- all figures


def test_each_drawing_returns_its_axes_and_sets_nothing_global(
    themes: TaskResult, framings: TaskResult, curve: LearningCurve, ax: Axes
) -> None:
    before = dict(mpl.rcParams)
    others = Figure().subplots(5)
    assert ax is draw_f1(themes, ax)
    assert others[0] is draw_precision_recall(themes, themes.labels[0], others[0])
    assert others[1] is draw_confusion(framings, others[1])
    assert others[2] is draw_reliability(themes.calibration, others[2])
    assert others[3] is draw_risk_coverage(themes.abstention, others[3])
    assert others[4] is draw_learning_curve(curve, others[4])
    evaluation_figures({"theme": themes, "framing": framings})
    assert before == dict(mpl.rcParams)


def test_figures_without_anything_to_show_are_left_out(themes: TaskResult, framings: TaskResult) -> None:
    kinds = ("f1", "baselines", "precision-recall", "reliability")
    both = {f"{task}-{kind}.svg" for task in ("theme", "framing") for kind in kinds}
    assert both | {"framing-confusion.svg"} == set(evaluation_figures({"theme": themes, "framing": framings}))
    nothing = replace(themes, labels=themes.labels[2:], abstention=None, headline={"macro_f1": Estimate(None)})
    assert ["theme-f1.svg"] == list(evaluation_figures({"theme": nothing}))


def test_figures_are_equal_byte_for_byte_when_drawn_twice(framings: TaskResult) -> None:
    results = {"framing": framings}
    first, second = (evaluation_figures(results, formats=("svg", "png")) for _ in range(2))
    assert first == second


def test_every_figure_has_its_numbers_as_rows(themes: TaskResult, framings: TaskResult, curve: LearningCurve) -> None:
    results = {"theme": replace(themes, curve=curve, abstention=abstention(1 / 3)), "framing": framings}
    rows = figure_rows(results)
    assert {name.removesuffix(".svg") for name in evaluation_figures(results)} == set(rows)
    first = rows["theme-f1"][0]
    assert ("first_one", 12, 22 / 23) == (first["label"], first["passages"], first["f1"])
    assert {"gold": "plain_report", "predicted": "praise", "passages": 3} in rows["framing-confusion"]
    assert [0.2, 0.5] == [row["risk"] for row in rows["theme-risk-coverage"]]
    assert None is rows["theme-risk-coverage"][1]["high"]


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    n = 2_000
    gold = np.arange(n)[:, None] % 3 == 0
    p = np.linspace(1, 0, n)[:, None]
    said = HeldOut(p, p, p > 0.5, np.full_like(p, 0.5), np.ones(n))
    task = Task("theme", TaskKind.MULTILABEL, (Label("third"),))
    groups = np.arange(n) // 100
    of_task = Held(task, TaskGold(gold, np.ones_like(gold)), groups, groups % 5, {MODEL: said}, fields={})
    result = judge(of_task)
    recall, precision = curve_of(result, result.labels[0])
    assert len(recall) <= MAX_POINTS + 1
    assert (1 / 667, 1.0) == (pytest.approx(recall[0]), recall[-1])
    assert pytest.approx(1 / 3, abs=0.001) == precision[-1]


def words_of_figures(tasks: Mapping[str, TaskResult]) -> dict[str, str]:
    """The text of each figure by what it shows; each figure is parsed, so it is well formed."""
    return {
        name.partition("-")[2].removesuffix(".svg"): " ".join(ElementTree.fromstring(svg).itertext())
        for name, svg in evaluation_figures(tasks).items()
    }


def test_figures_are_well_formed_and_keep_their_words_as_text(themes: TaskResult, curve: LearningCurve) -> None:
    words = words_of_figures({"theme": replace(themes, curve=curve)})
    expected = {
        "f1": "first one",
        "precision-recall": "first one",
        "baselines": "macro-F1",
        "reliability": "probability given",
        "learning-curve": "passages learnt from",
    }
    assert expected.keys() == words.keys()
    assert all(expected[name] in text for name, text in words.items())


def renamed(result: TaskResult, name: str) -> TaskResult:
    first, *others = result.labels
    labels = (replace(first, name=name), *others)
    task = replace(result.task, labels=tuple(Label(label.name) for label in labels))
    return replace(result, task=task, labels=labels)


@pytest.mark.parametrize(
    "name",
    [
        "<b>&amp;</b>",
        "US$",
        pytest.param("US$ and A$"),
        pytest.param("$x^$"),
        "%s {0} \\frac",
        "العربية",
        pytest.param("海军"),
        pytest.param("👩"),
    ],
)
def test_figures_show_any_name_as_it_is(name: str, framings: TaskResult) -> None:
    words = words_of_figures({"framing": renamed(framings, name)})
    assert all(name in words[figure] for figure in ("f1", "precision-recall", "confusion"))


def test_colours_of_the_model_are_one(themes: TaskResult, ax: Axes) -> None:
    draw_precision_recall(themes, themes.labels[0], ax)
    assert MODEL_COLOUR.lower() == to_hex(ax.lines[0].get_color()) == to_hex(ax.lines[2].get_color())


# ---- the page


class Elements(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def attributes_of(page: str) -> Iterator[tuple[str, str]]:
    return ((name, value or "") for _, attributes in Elements(page).found for name, value in attributes.items())


@pytest.mark.parametrize("which", ["page", "hostile_page"])
def test_the_page_runs_its_own_script_alone(which: str, request: pytest.FixtureRequest) -> None:
    page = request.getfixturevalue(which)
    elements = Elements(page).found
    assert {"svg", "table"} <= {tag for tag, _ in elements}
    assert not {"iframe", "object", "embed", "img", "form", "base"} & {tag for tag, _ in elements}
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    (policy,) = [attributes["content"] or "" for _, attributes in elements if "http-equiv" in attributes]
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}';" in unescape(policy)
    assert HOSTILE not in script
    assert [] == [name for name, _ in attributes_of(page) if name.startswith("on")]


@pytest.mark.parametrize("which", ["page", "hostile_page"])
def test_the_page_asks_nobody_for_anything(which: str, request: pytest.FixtureRequest) -> None:
    page = request.getfixturevalue(which)
    references = [
        value for name, value in attributes_of(page) if name in ("src", "href", "xlink:href", "action", "data")
    ]
    assert [] == [value for value in references if not value.startswith(("#", "data:,", "data:image/png;base64,"))]
    assert "@import" not in page
    assert {"#"} == {found[:1] for found in re.findall(r"url\(([^)]*)\)", page)}


def test_the_page_names_no_address_but_namespaces(page: str) -> None:
    assert "://" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)


def test_the_page_escapes_every_name(hostile_page: str, hostile: Evaluation) -> None:
    assert 1 == hostile_page.count("<script")
    assert "<img" not in hostile_page
    visible = unescape(hostile_page)
    for name in (*hostile["framing"].task.label_names, f"{HOSTILE}copy", f"{HOSTILE}?", f"{HOSTILE}: 26"):
        assert name in visible


def test_hostile_figures_are_well_formed(hostile: Evaluation) -> None:
    words = words_of_figures(hostile.tasks)
    assert all(HOSTILE in words[figure] for figure in ("f1", "precision-recall", "confusion"))


def rows_of_table(page: str, name: str) -> list[str]:
    """The row headers of the table of that name, as a reader sees them."""
    (table,) = re.findall(rf'aria-label="{name}"><table[^>]*>(.*?)</table>', page, re.DOTALL)
    return [unescape(found) for found in re.findall(r'<th[^>]* scope="row">(.*?)</th>', table)]


def test_every_label_stands_once_in_its_table_in_codebook_order(
    page: str, hostile_page: str, hostile: Evaluation
) -> None:
    assert ["sea", "cyber", "trade"] == rows_of_table(page, "theme: labels")
    assert ["report", "praise"] == rows_of_table(page, "framing: labels")
    assert list(hostile["framing"].task.label_names) == rows_of_table(hostile_page, "framing: labels")


def test_the_model_stands_above_the_baselines(page: str) -> None:
    expected = [
        "the model",
        "prior (the same for every passage)",
        "the codebook's terms as rules",
        "plain TF-IDF and logistic regression",
    ]
    assert expected == rows_of_table(page, "theme: baselines") == rows_of_table(page, "framing: baselines")


def test_notes_come_before_everything_that_they_qualify(evaluation: Evaluation) -> None:
    noted = replace(evaluation, notes=("Only 7 events & <few> passages.", "Second."))
    page = render_evaluation(noted, {})
    places = [
        page.index(f'<p class="note">{text}') for text in ("Only 7 events &amp; &lt;few&gt; passages.", "Second.")
    ]
    assert sorted(places) == places
    assert places[-1] < page.index("<h2") < page.index("<h3>")


def test_documents_that_copy_each_other_are_listed(hostile: Evaluation, hostile_page: str) -> None:
    (pair,) = hostile.joined
    line = f"{pair.first} and {pair.second}: {pair.shared} shared word 5-grams, 100% of the shorter"
    assert line in unescape(hostile_page)


def test_without_copies_the_page_says_so(page: str) -> None:
    assert "No two documents share enough wording to be taken for copies of each other." in page


def test_the_confusion_table_holds_the_numbers_of_the_figure(page: str, evaluation: Evaluation) -> None:
    (table,) = re.findall(r"<details><summary>The same as a table</summary>(.*?)</details>", page, re.DOTALL)
    cells = [int(found) for found in re.findall(r'<td class="n[ a-z]*">(\d+)</td>', table)]
    assert np.ravel(evaluation["framing"].confusion).tolist() == cells


def with_everything(evaluation: Evaluation, name: str, curve: LearningCurve) -> TaskResult:
    """The task with a slice, mistakes, a suspect, a curve and labels that are taken for each other, each by hand."""
    result = evaluation[name]
    label = result.task.label_names[0]
    words = ((HOSTILE, 1.5),), (("quiet", -0.25),)
    told = Mistake(label, "false positive", f"{HOSTILE}id", f"{HOSTILE} text", (), (label,), 0.875, 1.0, *words)
    missed = Mistake(label, "false negative", "missed", "Missed.", (label,), (), 0.125, 1.0, (), ())
    part = Slice(HOSTILE, "a part", 5, 3, 1, {MODEL: result.headline})
    return replace(
        result,
        slices=(part,),
        mistakes=(told, missed),
        suspects=(Suspect(2, label, True, 0.0625),),
        curve=curve,
        confusion=None,
        co_confusion=np.array([[0, 7], [0, 0]]),
    )


@pytest.fixture(scope="module")
def full_page(evaluation: Evaluation, curve: LearningCurve) -> str:
    result = with_everything(evaluation, "framing", curve)
    return render_evaluation(replace(evaluation, tasks={"framing": result}), {})


def seen(page: str) -> str:
    """The page's text as a reader sees it, without marks, blanks made one."""
    return " ".join(unescape(re.sub(r"<[^>]*>", "", page)).split())


def test_the_page_shows_each_mistake_with_its_words(full_page: str) -> None:
    assert 1 == full_page.count("<script")
    text = seen(full_page)
    assert f"given wrongly, p = 0.88 · {HOSTILE}id · coded none · predicted report {HOSTILE} text" in text
    assert f"for: {HOSTILE} +1.50; against: quiet -0.25" in text
    assert "missed, p = 0.12 · missed · coded report · predicted none Missed. for: nothing; against: nothing" in text
    assert "report: 2 mistakes" in text
    assert "praise: " not in text


def test_the_page_shows_each_doubtful_label_with_the_probability_of_what_was_coded(
    full_page: str, evaluation: Evaluation
) -> None:
    assert [evaluation.passages[2].id] == rows_of_table(full_page, "framing: labels to look at again")
    assert f"{evaluation.passages[2].id}reportgiven0.062" in seen(full_page)


def test_the_page_shows_slices_and_labels_taken_for_each_other(full_page: str) -> None:
    assert f"by {HOSTILE} (1) part" in seen(full_page)
    assert ["report", "praise"] == rows_of_table(full_page, "framing: labels taken for each other")
    assert "report missed, praise wrongly given: 7 passages" in seen(full_page)
    assert "5 (3)1" in seen(full_page)


def test_the_page_says_in_words_what_tuning_abstaining_and_more_passages_do(
    evaluation: Evaluation, full_page: str, page: str
) -> None:
    assert "Learning curve (average precision): likely more." in seen(full_page)
    sentences = [sentence for result in evaluation.tasks.values() for sentence in in_words(result)]
    assert all(sentence in seen(page) for sentence in sentences)


OPTIONAL = {
    "thresholds": "Thresholds and what they cost",
    "probabilities": "Probabilities, and what reviewing saves",
    "confusion": "Labels taken for each other",
    "parts": "Part by part",
    "more": "Would more passages help?",
    "mistakes": "Mistakes to read",
    "doubts": "Labels to look at again",
    "words": "Words that stand for a label",
    "style": "Style or topic?",
}


def test_what_a_task_has_and_lacks_decides_the_sections(
    evaluation: Evaluation, framings: TaskResult, curve: LearningCurve
) -> None:
    everything = {"framing": with_everything(evaluation, "framing", curve)}
    lacking: dict[str, Any] = dict.fromkeys(("abstention", "curve", "leak", "confusion"))
    labels = tuple(replace(label, deciding=None) for label in framings.labels)
    bare = replace(framings, **lacking, labels=labels, slices=(), mistakes=(), suspects=())
    pages = [render_evaluation(replace(evaluation, tasks=tasks), {}) for tasks in (everything, {"framing": bare})]
    found = [[name for name in OPTIONAL if f'<h2 id="{name}">' in page] for page in pages]
    assert [list(OPTIONAL), []] == found
    assert all(page.count("<li><a href=") == page.count("<section ") for page in pages)


def test_mistakes_mark_the_words_that_spoke_for_and_against_in_the_text() -> None:
    mistake = Mistake(
        "a", "", "", "One ship, two SHIPS, a port.", (), (), 0.5, 0.5, (("ship", 2.0),), (("port", -0.3),)
    )
    assert [
        Piece("One "),
        Piece("ship", FOR),
        Piece(", two SHIPS, a "),
        Piece("port", AGAINST, is_weak=True),
        Piece("."),
    ] == highlighted(mistake)


@given(st.text(), st.lists(st.tuples(st.text(), st.floats(-1, 1)), max_size=4))
def test_marking_words_leaves_the_text_as_it_is(text: str, words: list[tuple[str, float]]) -> None:
    pieces = highlighted(Mistake("a", "", "", text, (), (), 0.5, 0.5, tuple(words), ()))
    assert text == "".join(piece.text for piece in pieces)


def test_very_long_passages_are_cut_and_few_mistakes_shown_of_very_many(evaluation: Evaluation) -> None:
    long = Mistake("report", "false positive", "long", "word " * 100_000, (), (), 0.5, 0.5, (), ())
    tasks = {"framing": replace(evaluation["framing"], mistakes=(long,) * 5_000)}
    page = render_evaluation(replace(evaluation, tasks=tasks), {})
    assert len(page) < 500_000
    assert 50 == page.count("<article>")


def test_the_words_of_each_label_stand_with_their_sign_stability(page: str, evaluation: Evaluation) -> None:
    shown = seen(page)
    weights = [weight for found in evaluation["theme"].words for weight in found.words_for]
    assert len(weights) > 3
    for weight in weights:
        digits = 2 if abs(weight.value) >= 0.1 else 3
        assert f"{weight.name} {weight.value:+.{digits}f}, {weight.n_same}/5" in shown
    assert "hedges" in rows_of_table(page, "framing: style rates")[0] or "neutral attribution" in shown


def test_the_data_card_counts_what_the_rows_say(evaluation: Evaluation) -> None:
    card = data_card(evaluation)
    assert (24, 12, 12, (8, 9, 11)) == (card.n_passages, card.n_documents, card.n_events, card.words)
    fields = {counts.field: counts.values for counts in card.fields}
    assert (("toy", 24),) == fields["origin"]
    assert (("not stated", 24),) == fields["coder"] == fields["year"]
    assert [("theme", 24, 6), ("framing", 24, 0)] == [(c.task, c.n_coded, c.n_none) for c in card.codings]


@pytest.mark.parametrize(
    ("gain", "sentence"),
    [
        (Estimate(0.01, -0.02, 0.04), "not surely better than plain TF-IDF and logistic regression (macro-F1 +0.01 "),
        (Estimate(-0.05, -0.08, -0.02), "surely worse than plain TF-IDF and logistic regression (macro-F1 -0.05 "),
    ],
)
def test_words_name_the_baseline_that_is_not_surely_beaten(themes: TaskResult, gain: Estimate, sentence: str) -> None:
    gains = {"prior": Estimate(0.5, 0.4, 0.6), "plain_tfidf": gain}
    assert sentence in in_words(replace(themes, gains=gains))[0]


@pytest.mark.parametrize("gain", [Estimate(0.05, 0.01, 0.09), Estimate(0.05), Estimate(None)])
def test_words_are_silent_of_baselines_that_are_beaten_or_without_interval(themes: TaskResult, gain: Estimate) -> None:
    assert not any("The model is" in sentence for sentence in in_words(replace(themes, gains={"prior": gain})))


def test_words_name_the_rule_what_tuning_flatters_and_what_review_leaves(
    themes: TaskResult, curve: LearningCurve
) -> None:
    found = in_words(replace(themes, thresholds="f1", optimism=0.0123, abstention=abstention(1 / 3), curve=curve))
    assert [
        "Thresholds (by f1) were chosen on other passages than those they are judged by; chosen on the same ones, "
        "macro-F1 would read 0.824 instead of 0.812.",
        "50% of passages have some label wrong; setting aside the 25% that ask for review (near_threshold) leaves 33%.",
        "Learning curve (average precision): likely more.",
    ] == found


def test_words_say_where_every_passage_asks_for_review_and_are_silent_of_what_there_is_not(
    framings: TaskResult,
) -> None:
    found = in_words(replace(framings, abstention=abstention(None)))
    assert ["50% of passages are wrong; every one asks for review (near_threshold)."] == found
    assert [] == in_words(replace(framings, abstention=None))


def test_events_are_listed_the_largest_first_with_the_fold_that_held_them_out(hostile: Evaluation) -> None:
    rows = event_rows(hostile)
    joined = f"{HOSTILE}e01"
    assert {"event": joined, "passages": 4, "documents": 2} == {k: v for k, v in rows[0].items() if k != "fold"}
    assert [2] * 11 == [row["passages"] for row in rows[1:]]
    assert sorted(row["event"] for row in rows[1:]) == [row["event"] for row in rows[1:]]
    folds = dict(zip(hostile.events, hostile["framing"].folds.tolist(), strict=True))
    assert {event: fold + 1 for event, fold in folds.items()} == {row["event"]: row["fold"] for row in rows}


def test_events_of_a_bundle_name_no_fold(evaluation: Evaluation) -> None:
    no_folds = np.full(24, -1, dtype=np.int64)
    tasks = {name: replace(result, folds=no_folds) for name, result in evaluation.tasks.items()}
    assert {None} == {row["fold"] for row in event_rows(replace(evaluation, tasks=tasks))}


def test_events_name_no_fold_where_none_was_held_out(toy_dataset: Dataset) -> None:
    few = evaluate(toy_dataset.where(lambda passage: passage.document < "e04"))
    assert [None] * 3 == [row["fold"] for row in event_rows(few)]


def test_the_page_keeps_the_letters_of_what_was_held_out(evaluation: Evaluation) -> None:
    page = render_evaluation(replace(evaluation, scheme="learnt from 12 passages, tested on 12 of The Times"), {})
    assert 2 == page.count(" tested on 12 of The Times.")


def test_ids_on_the_page_are_unique_and_every_reference_finds_its_own(page: str) -> None:
    ids = [value for name, value in attributes_of(page) if name == "id"]
    references = re.findall(r"url\(#([^)]*)\)", page) + re.findall(r'href="#([^"]*)"', page)
    assert len(set(ids)) == len(ids)
    assert set() == set(references) - set(ids)


def test_figures_have_names_for_those_who_cannot_see_them_and_drawings_are_passed_over(page: str) -> None:
    drawings = [attributes for tag, attributes in Elements(page).found if tag == "svg"]
    names = [attributes["aria-label"] for attributes in drawings if attributes.get("role") == "img"]
    of_framing = ["framing-f1", "framing-baselines", "framing-precision-recall", "framing-reliability"]
    assert {"theme-f1", "theme-reliability", *of_framing, "framing-confusion", "framing-learning-curve"} == set(names)
    assert len(drawings) > len(names)
    assert all(a.get("role") == "img" or a.get("aria-hidden") == "true" for a in drawings)


def test_a_reader_of_the_page_learns_data_codebook_seed_and_versions(page: str, evaluation: Evaluation) -> None:
    facts = (evaluation.data_sha256, evaluation.codebook.sha256, f"numpy {np.__version__}", "toy: 24")
    assert all(fact in page for fact in facts)


# ---- the files


@pytest.fixture(scope="module")
def written(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "report"
    write_evaluation(evaluation, folder)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """A report to do with as one likes."""
    return Path(shutil.copytree(written, tmp_path / "report"))


def files_under(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_written_twice_every_file_is_equal_byte_for_byte(evaluation: Evaluation, folder: Path, tmp_path: Path) -> None:
    write_evaluation(evaluation, tmp_path / "again")
    assert files_under(folder) == files_under(tmp_path / "again")
    write_evaluation(evaluation, folder)
    assert files_under(folder) == files_under(tmp_path / "again")
    assert {folder, tmp_path / "again"} == set(tmp_path.iterdir())


def test_the_table_of_labels_equals_the_metrics(
    evaluation: Evaluation, themes: TaskResult, framings: TaskResult, tmp_path: Path
) -> None:
    folder = tmp_path / "report"
    write_evaluation(replace(evaluation, tasks={"theme": themes, "framing": framings}), folder)
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    with (folder / "per_label.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    expected = [(task, label) for task, found in metrics["tasks"].items() for label in found["labels"]]
    assert expected == [(row["task"], row["label"]) for row in rows]
    for row in rows:
        label = metrics["tasks"][row["task"]]["labels"][row["label"]]
        for name in ("f1", "average_precision", "gain_over_codebook_terms"):
            found = {"value": row[name], "low": row[f"{name}_low"], "high": row[f"{name}_high"]}
            assert {key: "" if value is None else str(value) for key, value in label[name].items()} == found
        plain = ("support", "events", "prevalence", "precision", "recall", "verdict", "reason")
        assert {key: "" if label[key] is None else str(label[key]) for key in plain} == {key: row[key] for key in plain}


def test_the_figures_on_the_page_are_those_in_the_folder(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    for path in (folder / "figures").glob("*.svg"):
        svg = re.sub("<metadata>.*?</metadata>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        words = [text for text in ElementTree.fromstring(svg).itertext() if text.strip()]
        assert all(word.strip() in unescape(page) for word in words)


def test_every_figure_lies_there_to_look_at_to_print_and_to_compute_with(folder: Path) -> None:
    of_form = {form: {path.stem for path in (folder / "figures").glob(f"*.{form}")} for form in ("svg", "png", "csv")}
    assert "theme-f1" in of_form["svg"]
    assert of_form["svg"] == of_form["png"] == of_form["csv"]


def test_the_metrics_hold_no_number_that_json_lacks(folder: Path) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    text = (folder / "metrics.json").read_text(encoding="utf-8")
    assert "toy" == json.loads(text, parse_constant=refuse)["codebook"]["name"]


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "figures/mine.png"])
def test_a_folder_with_foreign_files_is_refused_and_left_alone(name: str, evaluation: Evaluation, folder: Path) -> None:
    (folder / name).write_text("mine")
    before = files_under(folder)
    with pytest.raises(OutputError, match="which is no part of a report; name another folder with --out"):
        write_evaluation(evaluation, folder)
    assert before == files_under(folder)


def test_a_folder_of_ours_a_new_one_and_an_empty_one_are_not_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("report", "empty", "new"):
        refuse_foreign_report(tmp_path / name)
    assert {"report", "empty"} == {path.name for path in tmp_path.iterdir()}


def test_a_file_in_place_of_the_folder_is_refused(evaluation: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "report").write_text("mine")
    with pytest.raises(OutputError, match="a file stands here"):
        write_evaluation(evaluation, tmp_path / "report")


def test_a_folder_that_cannot_be_made_is_an_output_error(evaluation: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="file: a file stands here"):
        write_evaluation(evaluation, tmp_path / "file" / "report")


@pytest.mark.parametrize(
    ("error", "seen"), [(KeyboardInterrupt(), KeyboardInterrupt), (OSError(28, "No space left"), OutputError)], ids=repr
)
@pytest.mark.parametrize(
    ("method", "step"),
    [("replace", 0), ("replace", 1), ("rename", 0), ("rename", 1), ("write_text", 0), ("write_bytes", 1)],
)
def test_a_crash_while_writing_leaves_the_earlier_report_whole(
    method: str,
    step: int,
    error: BaseException,
    seen: type[BaseException],
    evaluation: Evaluation,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, steps, original = files_under(folder), itertools.count(), getattr(Path, method)
    themes_alone = replace(evaluation, tasks={"theme": evaluation["theme"]})

    def failing(path: Path, *args: Any, **options: Any) -> object:
        if next(steps) == step:
            raise error
        return original(path, *args, **options)

    monkeypatch.setattr(Path, method, failing)
    with pytest.raises(seen):
        write_evaluation(themes_alone, folder)
    assert before == files_under(folder)
    assert [folder] == list(folder.parent.iterdir())


def test_lone_surrogates_in_names_are_written_somehow(evaluation: Evaluation, tmp_path: Path) -> None:
    write_evaluation(replace(evaluation, origins={"\ud800": 24}), tmp_path / "report")
    assert (tmp_path / "report" / "report.html").exists()

"""An evaluation's results to its figures as files: SVG, PNG, and the numbers of each as rows."""

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from classify.evaluation.heldout import MODEL, TERMS
from classify.evaluation.results import LabelResult, TaskResult
from classify.report.palette import STYLE
from classify.report.plots import (
    curve_of,
    draw_confusion,
    draw_f1,
    draw_gains,
    draw_learning_curve,
    draw_precision_recall,
    draw_reliability,
    draw_risk_coverage,
)
from classify.report.tables import spread
from classify.report.words import SHORT_SYSTEMS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SVG, PNG, CSV = "svg", "png", "csv"
_OURS = re.compile(
    r".+-(f1|baselines|precision-recall|confusion|reliability|risk-coverage|learning-curve)\.(svg|png|csv)"
    r"|.+-abstention\.svg"  # earlier releases wrote it
)
WIDTH = 5.8
"""Inches: at this width letters can be read on a phone, and on a slide."""
_DOTS_PER_INCH = 240
Row = dict[str, object]


def evaluation_figures(results: Mapping[str, TaskResult], *, formats: Sequence[str] = (SVG,)) -> dict[str, bytes]:
    """Every figure of an evaluation by file name; figures without anything to show are left out."""
    from matplotlib import rc_context

    with rc_context(STYLE):
        drawn = ((f"{name}-{kind}", figure) for name, result in results.items() for kind, figure in _drawn(result))
        return as_files(drawn, formats)


def as_files(drawn: Iterable[tuple[str, "Figure"]], formats: Sequence[str]) -> dict[str, bytes]:
    """Figures by their names as files by theirs, in each format; to be called where STYLE holds."""
    files: dict[str, bytes] = {}
    for name, figure in drawn:
        _lay_out(figure)
        files |= {f"{name}.{form}": _to_bytes(figure, form) for form in formats}
    return files


def is_figure(name: str) -> bool:
    """Whether a file in the folder of figures was made by an evaluation."""
    return bool(_OURS.fullmatch(name))


def figure_rows(results: Mapping[str, TaskResult]) -> dict[str, list[Row]]:
    """The numbers of every figure, by its name without a suffix."""
    found: dict[str, list[Row]] = {}
    for name, result in results.items():
        rows = {
            "f1": _rows_of_f1(result),
            "baselines": _rows_of_baselines(result),
            "precision-recall": _rows_of_precision_recall(result),
            "confusion": _rows_of_confusion(result),
            "reliability": _rows_of_arrays(result.calibration, result.abstention),
            "risk-coverage": _rows_of_arrays(result.abstention and result.abstention.band, result.abstention),
            "learning-curve": result.curve.to_dict()["points"] if result.curve else [],
        }
        found |= {f"{name}-{kind}": of_kind for kind, of_kind in rows.items() if of_kind}
    return found


def _drawn(result: TaskResult) -> Iterator[tuple[str, "Figure"]]:
    figure, ax = _figure(WIDTH, 1.5 + 0.4 * len(result.labels))
    draw_f1(result, ax)
    if ax.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower right", ncols=3, frameon=False, fontsize=8, columnspacing=1)
    yield "f1", figure
    if result.headline["macro_f1"].value is not None:
        figure, ax = _figure(WIDTH, 1.1 + 0.34 * (1 + len(result.baselines)))
        draw_gains(result, SHORT_SYSTEMS, ax)
        yield "baselines", figure
    if shown := _judged(result):
        yield "precision-recall", _precision_recall_figure(result, shown)
    if result.confusion is not None:
        size = 2.0 + 0.8 * len(result.labels)
        figure, ax = _figure(size, 0.8 * size)
        draw_confusion(result, ax)
        yield "confusion", figure
    if result.calibration is not None and result.abstention is not None:
        figure, ax = _figure(4.2, 3.6)
        draw_reliability(result.calibration, ax)
        yield "reliability", figure
        if result.abstention.band is not None:
            figure, ax = _figure(4.2, 3.6)
            draw_risk_coverage(result.abstention, ax)
            yield "risk-coverage", figure
    if result.curve is not None:
        figure, ax = _figure(4.6, 3.2)
        draw_learning_curve(result.curve, ax)
        yield "learning-curve", figure


def _judged(result: TaskResult) -> list[LabelResult]:
    return [label for label in result.labels if label.f1.value is not None]


def _precision_recall_figure(result: TaskResult, labels: Sequence[LabelResult]) -> "Figure":
    from matplotlib.figure import Figure

    n_columns = 2 if len(labels) in (2, 4) else 3
    n_rows = -(-len(labels) // n_columns)
    figure = Figure(figsize=(WIDTH, 0.7 + 5.3 / n_columns * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True, sharey=True)
    for n, ax in enumerate(axes.flat):
        if n < len(labels):
            draw_precision_recall(result, labels[n], ax)
        else:
            ax.set_visible(False)
    figure.supxlabel("recall: share of the label's passages that are found", fontsize=9)
    figure.supylabel("precision: share of those taken that is right", fontsize=9)
    return figure


def _figure(width: float, height: float) -> tuple["Figure", "Axes"]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _lay_out(figure: "Figure") -> None:
    """Find every place once, which takes longer than drawing; then keep to it in each format."""
    engine = figure.get_layout_engine()
    assert engine is not None
    with _any_letters():
        engine.execute(figure)
    figure.set_layout_engine("none")


def _to_bytes(figure: "Figure", form: str) -> bytes:
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = BytesIO()
    with _any_letters():
        if form == SVG:  # savefig would draw it twice, the first time for a layout that is settled
            FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
        else:
            figure.savefig(buffer, format=form, metadata={"Software": None}, dpi=_DOTS_PER_INCH)
    return buffer.getvalue()


@contextmanager
def _any_letters() -> Iterator[None]:
    """No warnings of letters that the measuring font lacks: an SVG holds its text as text, for the reader's fonts."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support .* natively")
        yield


def _rows_of_f1(result: TaskResult) -> list[Row]:
    terms = result.baseline_f1.get(TERMS)
    return [
        {
            "label": label.name,
            "passages": label.support,
            "events": label.events,
            **spread("f1", label.f1),
            "codebook_terms_f1": terms[n].value if terms else None,
            "coders_f1": label.agreement.specific if label.agreement else None,
        }
        for n, label in enumerate(result.labels)
    ]


def _rows_of_baselines(result: TaskResult) -> list[Row]:
    if result.headline["macro_f1"].value is None:
        return []
    systems = {MODEL: result.headline, **result.baselines}
    return [{"system": name, **spread("macro_f1", measures["macro_f1"])} for name, measures in systems.items()]


def _rows_of_precision_recall(result: TaskResult) -> list[Row]:
    return [
        {"label": label.name, "chance": label.prevalence, "recall": recall, "precision": precision}
        for label in _judged(result)
        for recall, precision in zip(*(side.tolist() for side in curve_of(result, label)), strict=True)
    ]


def _rows_of_confusion(result: TaskResult) -> list[Row]:
    if result.confusion is None:
        return []
    names = result.task.label_names
    return [
        {"gold": names[row], "predicted": names[column], "passages": int(result.confusion[row, column])}
        for row, column in np.ndindex(*result.confusion.shape)
    ]


def _rows_of_arrays(found: Any, abstention: Any) -> list[Row]:
    """The arrays of a result as columns; nothing where the figure isn't drawn."""
    if found is None or abstention is None:
        return []
    columns = {name: [None if np.isnan(x) else x for x in values.tolist()] for name, values in vars(found).items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

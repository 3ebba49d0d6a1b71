"""Results to figures: each function draws on the axes it is given and returns them, and sets nothing global."""

import warnings
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from classify.evaluation.heldout import MODEL, TERMS
from classify.evaluation.results import NOT_EVALUABLE, Abstention, LabelResult, LearningCurve, TaskResult
from classify.measure.calibration import Reliability
from classify.measure.scores import precision_recall_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MODEL_COLOUR = "#0072B2"
TERMS_COLOUR = "#B45F06"
CODERS_COLOUR = "#4D4D4D"
FAINT = "#9A9A9A"
_STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "classify",
}


def draw_f1(result: TaskResult, ax: "Axes") -> "Axes":
    """F1 of every label with its interval, beside the codebook's terms and the coders' own agreement.

    Labels stand in codebook order from the top; labels that are not evaluable are named but carry no mark.
    """
    rows = np.arange(len(result.labels))
    terms = result.baseline_f1.get(TERMS, ())
    for row, label in enumerate(result.labels):
        if label.f1.value is None:
            ax.text(0.01, row, "too few to judge", va="center", color=FAINT, fontsize=9)
            continue
        if label.f1.low is not None and label.f1.high is not None:
            interval = [label.f1.low, label.f1.high]
            ax.plot(interval, [row, row], color=MODEL_COLOUR, linewidth=2.2, solid_capstyle="butt")
        _mark(ax, label.f1.value, row, "model, 95% interval", marker="o", color=MODEL_COLOUR, markersize=7)
        if terms and (value := terms[row].value) is not None:
            diamond: Any = {"markerfacecolor": "none", "markeredgecolor": TERMS_COLOUR, "markersize": 6}
            _mark(ax, value, row, "codebook's terms alone", marker="D", **diamond)
        if label.agreement and (value := label.agreement.specific) is not None:
            stroke: Any = {"color": CODERS_COLOUR, "markersize": 14, "markeredgewidth": 2}
            _mark(ax, value, row, "two coders' agreement", marker="|", zorder=1, **stroke)
    ax.set_yticks(
        rows, [f"{_words(label.name)}  (n = {label.support}, {label.events} events)" for label in result.labels]
    )
    for tick, label in zip(ax.get_yticklabels(), result.labels, strict=True):
        tick.set_color(FAINT if label.verdict == NOT_EVALUABLE else "black")
    ax.set(xlim=(0, 1.02), ylim=(len(rows) - 0.5, -0.5), xlabel="F1", title=f"{result.task.name}: F1 of each label")
    ax.grid(axis="x", color="#E5E5E5", zorder=0)
    ax.tick_params(axis="y", length=0)
    return ax


def draw_precision_recall(result: TaskResult, label: LabelResult, ax: "Axes") -> "Axes":
    """The label's precision against recall, its chance line (the prevalence), and the point where it decides."""
    column = result.task.label_names.index(label.name)
    rows = result.gold.known[:, column]
    gold, p = result.gold.gold[rows, column], result.held_out[MODEL].probabilities[rows, column]
    recall, precision = precision_recall_curve(gold, p)
    ax.step(recall, precision, where="post", color=MODEL_COLOUR, linewidth=1.6)
    ax.axhline(label.prevalence, color=FAINT, linestyle="--", linewidth=1)
    ax.text(1, label.prevalence + 0.02, "chance", color=CODERS_COLOUR, fontsize=7.5, ha="right", va="bottom")
    if label.precision is not None and label.recall is not None:
        ax.plot(label.recall, label.precision, "o", color=MODEL_COLOUR, markersize=6)
    ax.set(xlim=(0, 1.02), ylim=(0, 1.05), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    ax.set_title(f"{_words(label.name)}\nAP {label.average_precision}, n = {label.support}", fontsize=8.5)
    return ax


def draw_confusion(result: TaskResult, ax: "Axes") -> "Axes":
    """Passages by gold label (rows) and predicted label (columns), each row shaded by its shares."""
    if result.confusion is None:
        raise ValueError(f"{result.task.name} is no multiclass task; it has no confusion matrix")
    table = result.confusion
    shares = table / np.maximum(1, table.sum(axis=1, keepdims=True))
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*table.shape):
        dark = shares[row, column] > 0.55
        text = f"{table[row, column]}\n{shares[row, column]:.0%}"
        ax.text(column, row, text, ha="center", va="center", color="white" if dark else "black", fontsize=9)
    names = [_words(name) for name in result.task.label_names]
    ax.set_xticks(range(len(names)), names, rotation=20, ha="right")
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="predicted", ylabel="gold", title=f"{result.task.name}: gold against predicted")
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    return ax


def draw_reliability(found: Reliability, ax: "Axes") -> "Axes":
    """The share that is gold in each bin of probabilities, beside the line on which probabilities are true."""
    ax.plot([0, 1], [0, 1], color=FAINT, linestyle="--", linewidth=1)
    ax.plot(found.probability, found.share, "o-", color=MODEL_COLOUR, linewidth=1.6, markersize=5)
    n = f"{int(found.n.min()):,} or more answers a dot"
    ax.text(0.98, 0.03, n, ha="right", va="bottom", color=CODERS_COLOUR, fontsize=8)
    ax.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="probability given", ylabel="share that was right")
    ax.set_title("probabilities")
    return ax


def draw_risk_coverage(found: Abstention, ax: "Axes") -> "Axes":
    """The share of passages with a mistake among the surest part, and the part that asks for no review."""
    ax.plot(found.coverage, found.risk, color=MODEL_COLOUR, linewidth=1.6)
    if found.kept_risk is not None:
        ax.plot(found.kept, found.kept_risk, "o", color=MODEL_COLOUR, markersize=7)
        ax.annotate("no review asked", (found.kept, found.kept_risk), (0, 8), textcoords="offset points", ha="right")
    top = max(0.05, 1.15 * float(found.risk.max()))
    ax.set(xlim=(0, 1.02), ylim=(0, top), xlabel="share of passages kept, surest first", ylabel="share with a mistake")
    ax.set_title("setting doubtful passages aside")
    return ax


def draw_learning_curve(curve: LearningCurve, ax: "Axes") -> "Axes":
    """Macro average precision by passages learnt from, with its band."""
    ax.fill_between(curve.n_passages, curve.low, curve.high, color=MODEL_COLOUR, alpha=0.18, linewidth=0)
    ax.plot(curve.n_passages, curve.value, "o-", color=MODEL_COLOUR, linewidth=1.6, markersize=5)
    ax.set(xlim=(0, 1.05 * curve.n_passages[-1]), ylim=(0, 1.02))
    ax.set(xlabel="passages learnt from", ylabel="macro average precision", title="learning curve")
    ax.grid(axis="y", color="#E5E5E5", zorder=0)
    return ax


def evaluation_figures(results: Mapping[str, TaskResult]) -> dict[str, bytes]:
    """Every figure of an evaluation as SVG, by file name; figures without anything to show are left out."""
    from matplotlib import rc_context

    figures = {}
    with rc_context(_STYLE):
        for name, result in results.items():
            figures[f"{name}-f1.svg"] = _svg(_f1_figure(result))
            shown = [label for label in result.labels if label.f1.value is not None]
            if shown:
                figures[f"{name}-precision-recall.svg"] = _svg(_precision_recall_figure(result, shown))
            if result.confusion is not None:
                figures[f"{name}-confusion.svg"] = _svg(_confusion_figure(result))
            if result.reliability is not None and result.abstention is not None:
                figures[f"{name}-abstention.svg"] = _svg(_abstention_figure(result.reliability, result.abstention))
            if result.curve is not None:
                figures[f"{name}-learning-curve.svg"] = _svg(_curve_figure(result.curve))
    return figures


def _f1_figure(result: TaskResult) -> "Figure":
    figure, ax = _figure(8.2, 1.7 + 0.36 * len(result.labels))
    draw_f1(result, ax)
    if ax.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower right", ncols=3, frameon=False)
    return figure


def _precision_recall_figure(result: TaskResult, labels: Sequence[LabelResult]) -> "Figure":
    from matplotlib.figure import Figure

    columns = min(4, len(labels))
    rows = -(-len(labels) // columns)
    figure = Figure(figsize=(2.15 * columns + 0.5, 2.2 * rows + 0.5), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for ax, label in zip(grid, labels, strict=False):
        draw_precision_recall(result, label, ax)
    for ax in grid[len(labels) :]:
        ax.set_axis_off()
    figure.supxlabel("recall", fontsize=9)
    figure.supylabel("precision", fontsize=9)
    return figure


def _confusion_figure(result: TaskResult) -> "Figure":
    size = 2.6 + 0.75 * len(result.labels)
    figure, ax = _figure(size, size * 0.85)
    draw_confusion(result, ax)
    return figure


def _abstention_figure(reliability: Reliability, abstention: Abstention) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.2, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_reliability(reliability, left)
    draw_risk_coverage(abstention, right)
    return figure


def _curve_figure(curve: LearningCurve) -> "Figure":
    figure, ax = _figure(5.2, 3.4)
    draw_learning_curve(curve, ax)
    return figure


def _figure(width: float, height: float) -> tuple["Figure", "Axes"]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _svg(figure: "Figure") -> bytes:
    buffer = BytesIO()
    with warnings.catch_warnings():
        # an SVG holds its text as text: the reader's fonts show what the measuring font lacks
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support .* natively")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return buffer.getvalue()


def _mark(ax: "Axes", x: float, y: float, name: str, **look: Any) -> None:
    """One mark; its name stands in the legend once (matplotlib passes over names with an underscore)."""
    seen = name in ax.get_legend_handles_labels()[1]
    ax.plot(x, y, linestyle="none", label=f"_{name}" if seen else name, **look)


def _words(name: str) -> str:
    """A label's name for a figure: blanks for underscores, and no `$` that matplotlib would read as a formula."""
    return name.replace("_", " ").replace("$", r"\$")

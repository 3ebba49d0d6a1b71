"""Results to drawings: each function draws on the axes it is given and returns them, and sets nothing global."""

from typing import TYPE_CHECKING, Any

import numpy as np

from classify.evaluation.heldout import MODEL, TERMS
from classify.evaluation.results import NOT_EVALUABLE, Abstention, LabelResult, LearningCurve, TaskResult
from classify.measure.arrays import FloatArray
from classify.measure.calibration import CalibrationCurve
from classify.measure.intervals import Estimate
from classify.measure.scores import precision_recall_curve
from classify.report.palette import CODERS_COLOUR, FAINT, GRID, INK, MODEL_COLOUR, SOFT, TERMS_COLOUR
from classify.report.words import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_POINTS = 120
"""Of a precision-recall curve; more can't be told apart in print, and make a page heavy."""


def draw_f1(result: TaskResult, ax: "Axes") -> "Axes":
    """F1 of every label with its interval, beside the codebook's terms and the coders' own agreement.

    Labels stand in codebook order from the top; labels that are not evaluable are named but carry no mark.
    """
    rows = np.arange(len(result.labels))
    terms = result.baseline_f1.get(TERMS, ())
    for row, label in enumerate(result.labels):
        if label.f1.value is None:
            ax.text(0.01, row, "too few to judge", va="center", color=SOFT, fontsize=8, style="italic")
            continue
        _bar(ax, [label.f1.low, label.f1.high], [row, row])
        _mark(ax, label.f1.value, row, "model, with 95% interval", marker="o", color=MODEL_COLOUR, markersize=6.5)
        ax.text(1.03, row, str(label.f1), va="center", fontsize=8, clip_on=False)
        if terms and (value := terms[row].value) is not None:
            diamond: Any = {"markerfacecolor": "none", "markeredgecolor": TERMS_COLOUR, "markersize": 6}
            _mark(ax, value, row, "codebook's terms alone", marker="D", markeredgewidth=1.4, **diamond)
        if label.agreement and (value := label.agreement.specific) is not None:
            stroke: Any = {"color": CODERS_COLOUR, "markersize": 13, "markeredgewidth": 1.8}
            _mark(ax, value, row, "two coders' agreement", marker="|", zorder=1, **stroke)
    names = [f"{plain(label.name)}\n{label.support} passages, {label.events} events" for label in result.labels]
    ax.set_yticks(rows, names, fontsize=8)
    for tick, label in zip(ax.get_yticklabels(), result.labels, strict=True):
        tick.set_color(SOFT if label.verdict == NOT_EVALUABLE else INK)
    ax.set(xlim=(0, 1.02), ylim=(len(rows) - 0.5, -0.5), xlabel="F1: 0 nothing right, 1 perfect")
    ax.set_title(f"{result.task.name}: how well each label is found")
    ax.grid(axis="x", color=GRID)
    ax.tick_params(axis="y", length=0)
    return ax


def draw_precision_recall(result: TaskResult, label: LabelResult, ax: "Axes") -> "Axes":
    """The label's precision against recall, its chance line (the prevalence), and the point where it decides."""
    recall, precision = curve_of(result, label)
    ax.step(recall, precision, where="post", color=MODEL_COLOUR, linewidth=1.4)
    ax.axhline(label.prevalence, color=FAINT, linestyle="--", linewidth=1)
    ax.text(0.02, label.prevalence + 0.02, "chance", color=SOFT, fontsize=7, ha="left", va="bottom")
    if label.precision is not None and label.recall is not None:
        ax.plot(label.recall, label.precision, "o", color=MODEL_COLOUR, markersize=5)
    ax.set(xlim=(0, 1.02), ylim=(0, 1.05), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    ax.tick_params(labelsize=7)
    measured = f"AP {label.average_precision}\nn = {label.support}"
    ax.set_title(f"{plain(label.name)}\n{measured}", fontsize=7.5, fontweight="normal", loc="left")
    return ax


def curve_of(result: TaskResult, label: LabelResult) -> tuple[FloatArray, FloatArray]:
    """Recall and precision going down the label's ranking; at most 120 points of it, the ends among them."""
    column = result.task.label_names.index(label.name)
    rows = result.gold.known[:, column]
    gold, p = result.gold.gold[rows, column], result.held_out[MODEL].probabilities[rows, column]
    recall, precision = precision_recall_curve(gold, p)
    if len(recall) > MAX_POINTS:
        asked = np.searchsorted(recall, np.linspace(recall[0], recall[-1], MAX_POINTS))
        kept = np.unique(np.r_[asked, len(recall) - 1])
        recall, precision = recall[kept], precision[kept]
    return recall, precision


def draw_confusion(result: TaskResult, ax: "Axes") -> "Axes":
    """Passages by gold label (rows) and predicted label (columns), each row shaded by its shares."""
    if result.confusion is None:
        raise ValueError(f"{result.task.name} is no multiclass task; it has no confusion matrix")
    from matplotlib.patches import Rectangle

    table = result.confusion
    shares = table / np.maximum(1, table.sum(axis=1, keepdims=True))
    for row, column in np.ndindex(*table.shape):
        share = float(shares[row, column])
        shade = Rectangle((column - 0.48, row - 0.48), 0.96, 0.96, facecolor=MODEL_COLOUR, alpha=0.04 + 0.4 * share)
        ax.add_patch(shade)
        weight = "bold" if row == column else "normal"
        text = f"{table[row, column]}\n{share:.0%}"
        ax.text(column, row, text, ha="center", va="center", fontsize=8.5, fontweight=weight)
    names = [plain(name) for name in result.task.label_names]
    ax.set_xticks(range(len(names)), names, rotation=20, ha="right")
    ax.set_yticks(range(len(names)), [f"{name}\nn = {n}" for name, n in zip(names, table.sum(axis=1), strict=True)])
    ax.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5), xlabel="predicted", ylabel="gold")
    ax.set_title(f"{result.task.name}: gold against predicted")
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    return ax


def draw_reliability(found: CalibrationCurve, ax: "Axes") -> "Axes":
    """The share that was right in each bin of probabilities, with its interval, beside the line of truth."""
    ax.plot([0, 1], [0, 1], color=FAINT, linestyle="--", linewidth=1)
    for p, low, high in zip(found.probability, found.low, found.high, strict=True):
        _bar(ax, [p, p], [low, high])
    ax.plot(found.probability, found.share, "o", color=MODEL_COLOUR, markersize=5)
    n = f"dashed: as promised\neach dot: {int(found.n.min()):,} to {int(found.n.max()):,} answers"
    ax.text(0.98, 0.03, n, ha="right", va="bottom", color=SOFT, fontsize=8)
    ax.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="probability given", ylabel="share that was right")
    ax.set_title("Do probabilities hold?")
    return ax


def draw_risk_coverage(found: Abstention, ax: "Axes") -> "Axes":
    """The share of passages with a mistake among the surest part, with its band, and the part that asks for no review.

    The curve starts at the surest 30 passages; under 60 passages there is none.
    """
    top = max(0.05, found.total_risk)
    if (band := found.band) is not None:
        ax.fill_between(band.coverage, band.low, band.high, color=MODEL_COLOUR, alpha=0.18, linewidth=0)
        ax.plot(band.coverage, band.risk, color=MODEL_COLOUR, linewidth=1.6)
        top = max(top, float(np.nanmax(np.r_[band.risk, band.high])))
    ax.plot(1, found.total_risk, "s", color=MODEL_COLOUR, markersize=6)
    said = [f"■ all kept: {found.total_risk:.0%}"]
    if found.kept_risk is not None:
        ax.plot(found.kept, found.kept_risk, "o", color=MODEL_COLOUR, markersize=6)
        said.append(f"● {found.kept:.0%} kept, without those to review: {found.kept_risk:.0%}")
    ax.text(0.03, 0.99, "\n".join(said), transform=ax.transAxes, va="top", fontsize=8, linespacing=1.5)
    ax.set(xlim=(0, 1.03), ylim=(0, 1.3 * top), xlabel="share of passages kept, surest first")
    ax.set_ylabel("share with a mistake")
    ax.set_title("What setting doubtful ones aside saves")
    return ax


def draw_learning_curve(curve: LearningCurve, ax: "Axes") -> "Axes":
    """Macro average precision by passages learnt from, with its band."""
    ax.fill_between(curve.n_passages, curve.low, curve.high, color=MODEL_COLOUR, alpha=0.18, linewidth=0)
    ax.plot(curve.n_passages, curve.value, "o-", color=MODEL_COLOUR, linewidth=1.6, markersize=5)
    for n, value in zip(curve.n_passages, curve.value, strict=True):
        ax.annotate(f"{value:.2f}", (n, value), (0, 6), textcoords="offset points", ha="center", fontsize=8)
    lowest = 0.5 if min(curve.low) > 0.5 else 0
    ax.set(xlim=(0, 1.08 * curve.n_passages[-1]), ylim=(lowest, 1.02))
    ax.set(xlabel="passages learnt from", ylabel="macro average precision")
    ax.set_title("Would more passages help?")
    ax.grid(axis="y", color=GRID)
    return ax


def draw_gains(result: TaskResult, names: dict[str, str], ax: "Axes") -> "Axes":
    """Macro-F1 of the model and of each baseline with its interval; `names` says what each is called."""
    found: list[tuple[str, Estimate]] = [(MODEL, result.headline["macro_f1"])]
    found += [(name, measures["macro_f1"]) for name, measures in result.baselines.items()]
    for row, (name, estimate) in enumerate(found):
        if estimate.value is None:
            continue
        colour, marker = (MODEL_COLOUR, "o") if name == MODEL else (TERMS_COLOUR, "D")
        _bar(ax, [estimate.low, estimate.high], [row, row], colour)
        ax.plot(estimate.value, row, marker, color=colour, markersize=6)
        ax.text(1.03, row, str(estimate), va="center", fontsize=8, clip_on=False)
    ax.set_yticks(range(len(found)), [names[name] for name, _ in found], fontsize=8)
    ax.set(xlim=(0, 1.02), ylim=(len(found) - 0.5, -0.5), xlabel="macro-F1")
    ax.set_title(f"{result.task.name}: the model against the baselines")
    ax.grid(axis="x", color=GRID)
    ax.tick_params(axis="y", length=0)
    return ax


def _bar(ax: "Axes", x: list[Any], y: list[Any], colour: str = MODEL_COLOUR) -> None:
    """An interval, where both its bounds are known."""
    if all(bound is not None and np.isfinite(bound) for bound in (*x, *y)):
        ax.plot(x, y, color=colour, linewidth=2, solid_capstyle="butt")


def _mark(ax: "Axes", x: float, y: float, name: str, **look: Any) -> None:
    """One mark; its name stands in the legend once (matplotlib passes over names with an underscore)."""
    seen = name in ax.get_legend_handles_labels()[1]
    ax.plot(x, y, linestyle="none", label=f"_{name}" if seen else name, **look)

"""Shares to figures: each label's share with its interval, beside what counting machine tags gives."""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from classify.estimate.results import WHOLE, LabelShare, Shares
from classify.report.plots import FAINT, FIGURE_STYLE, MODEL_COLOUR, TERMS_COLOUR, spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 12


def draw_shares(found: Sequence[LabelShare], ax: "Axes") -> "Axes":
    """The share of each label with its 95% interval (line) and the machine-tag rate (hollow diamond), one row each."""
    for row, one in enumerate(found):
        estimate = one.share.estimate
        ax.plot(100 * one.machine_rate, row, "D", markerfacecolor="none", markeredgecolor=TERMS_COLOUR, markersize=5.5)
        if estimate.value is None:
            continue
        if estimate.low is not None and estimate.high is not None:
            ax.plot([100 * estimate.low, 100 * estimate.high], [row, row], color=MODEL_COLOUR, linewidth=2.2)
            ax.annotate(_percent(one), (100 * estimate.high, row), (6, 0), textcoords="offset points", va="center",
                        fontsize=8.5)  # fmt: skip
        ax.plot(100 * estimate.value, row, "o", color=FAINT if one.is_thin else MODEL_COLOUR, markersize=6.5)
    ax.set_yticks(range(len(found)), [f"{spoken(one.label)}  (n = {one.share.n})" for one in found])
    ax.set(ylim=(len(found) - 0.5, -0.5), xlabel="share of passages, %")
    ax.set_xlim(left=0)
    ax.margins(x=0.2)
    ax.grid(axis="x", color="#E5E5E5", zorder=0)
    ax.tick_params(axis="y", length=0)
    return ax


def draw_share_by_part(found: Sequence[LabelShare], ax: "Axes") -> "Axes":
    """One label in every part of the corpus, in order: shares with intervals, and machine-tag rates as diamonds."""
    x = np.arange(len(found))
    ax.plot(x, [100 * one.machine_rate for one in found], "D", markerfacecolor="none", markeredgecolor=TERMS_COLOUR,
            markersize=4.5)  # fmt: skip
    for place, one in enumerate(found):
        estimate = one.share.estimate
        if estimate.value is None:
            continue
        colour = FAINT if one.is_thin else MODEL_COLOUR
        if estimate.low is not None and estimate.high is not None:
            ax.plot([place, place], [100 * estimate.low, 100 * estimate.high], color=colour, linewidth=2)
        ax.plot(place, 100 * estimate.value, "o", color=colour, markersize=5)
    names = [f"{one.cell}\nn = {one.share.n}" for one in found]
    ax.set_xticks(x, names, rotation=0 if len(found) <= 4 else 60, ha="center" if len(found) <= 4 else "right")
    ax.tick_params(axis="x", labelsize=7.5)
    ax.set_ylim(bottom=0)
    ax.set_title(spoken(found[0].label), fontsize=9.5)
    ax.grid(axis="y", color="#E5E5E5", zorder=0)
    return ax


def share_figures(shares: Shares) -> dict[str, bytes]:
    """Every figure as SVG and PNG, by file name: the whole corpus, and each label by parts where there are any."""
    from matplotlib import rc_context

    figures = {}
    with rc_context(FIGURE_STYLE):
        for task in shares.tasks:
            for name, figure in _figures_of(shares, task).items():
                for form in ("svg", "png"):
                    figures[f"{name}.{form}"] = _rendered(figure, form)
    return figures


def _figures_of(shares: Shares, task: str) -> dict[str, "Figure"]:
    from matplotlib.figure import Figure

    whole = shares.of(task, WHOLE)
    figure = Figure(figsize=(7.6, 1.5 + 0.34 * len(whole)), layout="constrained")
    ax = draw_shares(whole, figure.subplots())
    ax.set_title(f"{spoken(task)}: shares of {shares.n_passages:,} passages", loc="left", fontsize=11)
    figure.supxlabel(_KEY, fontsize=8, color="#4D4D4D")
    found = {f"{task}-shares": figure}
    cells = shares.cells[::-1] if shares.by in ("month", "year") else shares.cells
    if cells:
        cells = cells[-MOST_PANELS:] if shares.by in ("month", "year") else cells[:MOST_PANELS]
        by_label = [[one for cell in cells for one in shares.of(task, cell) if one.label == w.label] for w in whole]
        columns = min(3, len(by_label))
        rows = -(-len(by_label) // columns)
        figure = Figure(figsize=(3 * columns + 0.4, 2.5 * rows + 0.6), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax, one in zip(grid, by_label, strict=False):
            draw_share_by_part(one, ax)
        for ax in grid[len(by_label) :]:
            ax.set_axis_off()
        figure.supylabel("share of passages, %", fontsize=9)
        figure.supxlabel(_KEY, fontsize=8, color="#4D4D4D")
        found[f"{task}-shares-by-{shares.by}"] = figure
    return found


_KEY = "dot and line: share and 95% interval (grey: under 10 audited); hollow diamond: machine-tag rate; n: audited"


def _percent(one: LabelShare) -> str:
    estimate = one.share.estimate
    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    return f"{100 * estimate.value:.0f} ({100 * estimate.low:.0f}–{100 * estimate.high:.0f})"


def _rendered(figure: "Figure", form: str) -> bytes:
    buffer = BytesIO()
    metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
    figure.savefig(buffer, format=form, dpi=160, metadata=metadata)
    return buffer.getvalue()

"""Shares to figures: each label's share with its interval, beside what counting machine tags gives."""

from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from classify.data.predictions import MONTH, YEAR
from classify.estimate.results import WHOLE, LabelShare, Shares
from classify.report.figures import PNG, SVG, WIDTH, as_files
from classify.report.palette import FAINT, GRID, MODEL_COLOUR, SOFT, STYLE, TERMS_COLOUR
from classify.report.words import plain, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PARTS = 12
"""Of a corpus in a figure: the last months, or the first values of another field."""
_KEY = "dot and line: share, 95% interval (grey: under 10 audited); hollow diamond: machine-tag rate; (n): audited"
_LONG = 28
"""Characters of all parts' names that have room side by side."""
_TITLE = {2: 24, 3: 16}
"""Characters of a label's name that have room in a line, by the number of columns."""


def draw_shares(found: Sequence[LabelShare], ax: "Axes") -> "Axes":
    """The share of each label with its 95% interval (line) and the machine-tag rate (hollow diamond), one row each."""
    for row, one in enumerate(found):
        estimate = one.share.estimate
        ax.plot(100 * one.machine_rate, row, "D", markerfacecolor="none", markeredgecolor=TERMS_COLOUR, markersize=5.5)
        if estimate.value is None:
            continue
        if estimate.low is not None and estimate.high is not None:
            ax.plot([100 * estimate.low, 100 * estimate.high], [row, row], color=MODEL_COLOUR, linewidth=2.2)
            text = f"{100 * estimate.value:.0f} ({100 * estimate.low:.0f}–{100 * estimate.high:.0f})"
            # in a column of their own: beside the diamond they would be taken for what it stands for
            ax.text(1.02, row, text, transform=ax.get_yaxis_transform(), va="center", fontsize=8.5)
        ax.plot(100 * estimate.value, row, "o", color=FAINT if one.is_thin else MODEL_COLOUR, markersize=6.5)
    ax.set_yticks(range(len(found)), [f"{plain(one.label)} ({one.share.n})" for one in found])
    ax.set(ylim=(len(found) - 0.5, -0.5), xlabel="share of passages, %")
    ax.set_xlim(left=0)
    ax.grid(axis="x", color=GRID, zorder=0)
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
    names = [f"{plain(shorten(one.cell))} ({one.share.n})" for one in found]
    is_long = sum(map(len, names)) > _LONG
    ax.set_xticks(x, names, rotation=60 if is_long else 0, ha="right" if is_long else "center")
    ax.tick_params(axis="x", labelsize=7.5)
    ax.set(xlim=(-0.5, len(found) - 0.5))
    ax.set_ylim(bottom=0)
    ax.set_title(fill(plain(found[0].label), _TITLE[_columns(len(found))]), fontsize=8.5)
    ax.grid(axis="y", color=GRID, zorder=0)
    return ax


def share_figures(shares: Shares, *, formats: Sequence[str] = (SVG, PNG)) -> dict[str, bytes]:
    """Every figure by file name: the whole corpus, and each label by parts, of what there is."""
    from matplotlib import rc_context

    with rc_context(STYLE):
        return as_files(_drawn(shares), formats)


def _drawn(shares: Shares) -> Iterator[tuple[str, "Figure"]]:
    cells = sorted(shares.cells)[-MOST_PARTS:] if shares.by in (MONTH, YEAR) else shares.cells[:MOST_PARTS]
    for task in shares.tasks:
        if whole := shares.of(task, WHOLE):
            yield f"{task}-shares", _whole_figure(whole)
        if cells:
            by_label = list(zip(*(shares.of(task, cell) for cell in cells), strict=True))
            yield f"{task}-shares-by-part", _parts_figure(by_label)


def _whole_figure(found: Sequence[LabelShare]) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, 1.3 + 0.34 * len(found)), layout="constrained")
    ax = draw_shares(found, figure.subplots())
    ax.set_title(f"{plain(found[0].task)}: shares of {found[0].n_passages:,} passages")
    figure.supxlabel(_KEY, fontsize=7.5, color=SOFT)
    return figure


def _columns(n_parts: int) -> int:
    return 2 if n_parts > 4 else 3


def _parts_figure(by_label: Sequence[Sequence[LabelShare]]) -> "Figure":
    from matplotlib.figure import Figure

    columns = _columns(len(by_label[0]))
    rows = -(-len(by_label) // columns)
    figure = Figure(figsize=(WIDTH, 1.4 + 1.6 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for place, (ax, found) in enumerate(zip(grid, by_label, strict=False)):
        draw_share_by_part(found, ax)
        if place + columns < len(by_label):  # parts are named under the lowest of each column
            ax.tick_params(axis="x", labelbottom=False)
    for ax in grid[len(by_label) :]:
        ax.set_visible(False)
    figure.supylabel("share of passages, %", fontsize=9)
    figure.supxlabel(_KEY, fontsize=7.5, color=SOFT)
    return figure

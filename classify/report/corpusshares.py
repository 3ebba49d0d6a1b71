"""Shares of a corpus to the section of its page that tells them: what was audited, tables, figures, what changes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from classify.data.auditsample import inclusion_probabilities
from classify.errors import how_many
from classify.estimate.audited import Audited
from classify.estimate.results import WHOLE, LabelChange, LabelShare, Shares
from classify.measure.intervals import Estimate
from classify.report.figures import SVG
from classify.report.page import inline_figure
from classify.report.shareplots import MOST_PARTS, share_figures

SURE = 0.05
"""Adjusted p-values below which a change is told."""
_NARROW = 0.05
"""A table with an interval narrower than this tells per cent with a decimal."""


@dataclass(frozen=True)
class FieldShares:
    """One task by one field: for each part shown its name and its labels' shares, and what surely changes.

    `is_compared` says whether parts could be compared, `is_trend` whether by a line from the first date to the last.
    `n_thin` parts have too few audited passages to be shown, `n_more` others no room. `figure` is the name of one.
    """

    field: str
    parts: tuple[tuple[str, tuple[LabelShare, ...]], ...]
    changes: tuple[LabelChange, ...]
    is_compared: bool
    is_trend: bool
    n_thin: int
    n_more: int
    figure: str


@dataclass(frozen=True)
class ShareSection:
    """What the page says of shares: how the sample came about, and by task the whole corpus and its parts."""

    sentences: tuple[str, ...]
    notes: tuple[str, ...]
    whole: Mapping[str, Sequence[LabelShare]]
    by_field: Mapping[str, Sequence[FieldShares]]
    figures: Mapping[str, Any]


def lay_out_shares(audited: Audited, shares: Sequence[Shares]) -> ShareSection:
    """The section; `shares` are those of the whole corpus, then those by each field."""
    whole, *by_field = shares
    figures = _inline(whole, "shares")
    found: dict[str, list[FieldShares]] = {task: [] for task in whole.tasks}
    for number, of_field in enumerate(by_field):
        shown = _well_audited(of_field)
        if not shown.cells:
            continue
        figures |= _inline(shown, f"shares-{number}")
        for task in shown.tasks:
            found[task].append(_of_field(of_field, shown, task, f"{task}-shares-{number}-by-part"))
    return ShareSection(
        sentences=tuple(audit_sentences(audited, whole.tasks)),
        notes=whole.notes,
        whole={task: whole.of(task) for task in whole.tasks},
        by_field=found,
        figures=figures,
    )


def _well_audited(shares: Shares) -> Shares:
    """The parts in which every label of every task has audited passages enough, at most MOST_PARTS; no whole."""
    thin = {one.cell for one in shares.shares if one.is_thin}
    cells = [cell for cell in shares.cells if cell not in thin][:MOST_PARTS]
    return replace(shares, shares=tuple(one for one in shares.shares if one.cell in cells))


def _of_field(shares: Shares, shown: Shares, task: str, figure: str) -> FieldShares:
    assert shares.by is not None
    n_thin = len({one.cell for one in shares.shares if one.is_thin and one.cell != WHOLE})
    changes = [one for one in shares.changes if one.task == task]
    return FieldShares(
        field=shares.by,
        parts=tuple((cell, tuple(shown.of(task, cell))) for cell in shown.cells),
        changes=tuple(one for one in changes if one.p_holm is not None and one.p_holm < SURE),
        is_compared=bool(changes),
        is_trend=any(one.is_trend for one in changes),
        n_thin=n_thin,
        n_more=len(shares.cells) - n_thin - len(shown.cells),
        figure=figure,
    )


def _inline(shares: Shares, kind: str) -> dict[str, Any]:
    """Figures by name, to stand in the page; `kind` keeps apart those of different fields."""
    found = {}
    for name, svg in share_figures(shares, formats=(SVG,)).items():
        task, _, what = name.removesuffix(f".{SVG}").rpartition("-shares")
        label = f"{task}: shares with 95% intervals beside machine-tagged rates; the table has the numbers"
        found[f"{task}-{kind}{what}"] = inline_figure(svg, f"{task}-{kind}{what}", label)
    return found


def audit_sentences(audited: Audited, tasks: Collection[str]) -> list[str]:
    """What was audited and how: how many passages, with what probability, of how many events, learnt from or not."""
    audit = audited.audit
    coded = {task.name: audit.gold(task).coded for task in audit.codebook.tasks if task.name in tasks}
    files = dict.fromkeys(Path(passage.place.rpartition(":")[0]).name for passage in audit.passages)
    any_coded = np.logical_or.reduce(list(coded.values()))
    of_task = ", ".join(f"{name} {int(rows.sum()):,}" for name, rows in coded.items())
    n_clusters = len(np.unique(audit.groups[any_coded]))
    return [
        f"{how_many(int(any_coded.sum()), 'passage')} of {audited.tags.n_passages:,} were coded by hand "
        f"({of_task}; from {', '.join(files)}). {_drawn(audited)}",
        f"They come from {n_clusters:,} events or documents; intervals allow for passages of one being alike. "
        f"{_learnt(audited)}",
    ]


def _drawn(audited: Audited) -> str:
    """With what probability passages were drawn, in words."""
    p = inclusion_probabilities(audited.audit.passages)
    low, high = float(p.min()), float(p.max())
    if high - low < 1e-9:
        return f"They were drawn at random, each with the same probability, {_one_in(low)}."
    return (
        f"They were drawn at random with known probabilities, {_one_in(low)} to {_one_in(high)}, and count "
        "for as many passages as they were drawn from."
    )


def _one_in(probability: float) -> str:
    return f"1 in {1 / probability:,.0f}" if probability < 0.1 else f"1 in {1 / probability:.2g}"


def _learnt(audited: Audited) -> str:
    n = max((int((~np.isnan(found)).any(axis=1).sum()) for found in audited.held_out.values()), default=0)
    if not n:
        return "The model has learnt from none of them."
    return f"The model has learnt from {n:,} of them; for these, an evaluation that held them out gave the scores."


def digits_of(found: Sequence[LabelShare]) -> int:
    """Decimals with which a table tells per cent: one, where an interval of it is narrow."""
    estimates = [one.share.estimate for one in found]
    widths = [of.high - of.low for of in estimates if of.low is not None and of.high is not None]
    return 1 if min(widths, default=1.0) < _NARROW else 0


def percent(value: float | None, digits: int = 0) -> str:
    """A share in per cent.

    >>> percent(0.094, 1), percent(0.094), percent(None)
    ('9.4%', '9%', '–')
    """
    return "–" if value is None else f"{value:.{digits}%}"


def interval(found: Estimate, digits: int = 0) -> str:
    """The interval of a share in per cent.

    >>> interval(Estimate(0.094, 0.079, 0.11), 1), interval(Estimate(0.0, 0.0, 0.03)), interval(Estimate(0.5))
    ('7.9–11.0%', 'up to 3%', 'none')
    """
    if found.low is None or found.high is None:
        return "none"
    if found.value == 0 < found.high:
        return f"up to {found.high:.{digits}%}"
    if found.low < 1 == found.value:
        return f"{found.low:.{digits}%} or more"
    return f"{100 * found.low:.{digits}f}–{found.high:.{digits}%}"


def p_value(p: float) -> str:
    """A p-value as it is told: what rounds to nothing isn't nothing.

    >>> p_value(0.0312), p_value(0.00004)
    ('= 0.031', '< 0.001')
    """
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def points(found: Estimate) -> str:
    """A difference of shares in percentage points, with its interval.

    >>> points(Estimate(0.12, 0.041, 0.2))
    '+12 points (+4 to +20)'
    """
    value, low, high = (f"{100 * x:+.0f}" for x in (found.value or 0.0, found.low or 0.0, found.high or 0.0))
    return f"{value} points ({low} to {high})"

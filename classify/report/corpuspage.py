"""The counts of a corpus and the passages chosen from it to one self-contained HTML page, every text escaped."""

import math
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.resources import files
from itertools import combinations
from typing import Any

import numpy as np

from classify.data.predictions import DATE, MONTH, SOURCE_FIELDS, text_of
from classify.data.tables import Row
from classify.data.tags import TaggedTask, Tags
from classify.report.cells import FEW, Cell, Grid, Groups, answer_grid, cells_of, field_grid, overall_grid
from classify.report.corpus import CAUTION, Corpus
from classify.report.corpusshares import ShareSection, digits_of, interval, p_value, percent, points
from classify.report.months import MonthLine, month_lines
from classify.report.page import load_template
from classify.report.reading import MOST, Doubt, choose, doubt

LONGEST = 1_500
"""Characters of a passage that the page shows."""
FIRST_TO_REVIEW = 20
MOST_FILES = 20
MOST_LINKS = 100
"""Of a number, where no script shows its passages."""


@dataclass(frozen=True)
class Shown:
    """A passage on the page; `number` counts the rows of the files from 1, as `passages.csv` does."""

    number: int
    name: str
    facts: tuple[str, ...]
    text: str
    n_cut: int
    answers: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    reasons: tuple[str, ...]
    nearest: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class CorpusPage:
    """What the page shows, before the texts of the passages `rows` are fetched; `keys` are the groups of each."""

    tags: Tags
    corpus: Corpus
    overall: dict[str, Grid]
    by_field: dict[tuple[str, str], Grid]
    pairs: dict[tuple[str, str], Grid]
    together: dict[str, Grid]
    months: dict[str, list[MonthLine]]
    cells: list[tuple[Grid, Cell]]
    rows: list[int]
    keys: list[list[str]]
    nearest: list[str]


@dataclass(frozen=True)
class Link:
    """Where a number leads: the passages with `key`, the `numbers` of those on the page, the table to go `back` to."""

    key: str
    title: str
    n: int
    numbers: tuple[int, ...]
    back: str


def lay_out(tags: Tags, corpus: Corpus) -> CorpusPage:
    """Choose what the page shows: tables, lines by month, and the passages behind the numbers."""
    groups = Groups(tags)
    overall = {task: overall_grid(corpus, groups, task) for task in corpus.overall}
    by_field = {(task, field): field_grid(corpus, groups, field, task) for field, task in corpus.by_field}
    pairs = {names: answer_grid(corpus, groups, table) for names, table in corpus.pairs.items()}
    together = {task: answer_grid(corpus, groups, table) for task, table in corpus.together.items()}
    cells = list(cells_of([*overall.values(), *by_field.values(), *pairs.values(), *together.values()]))
    doubts = {name: doubt(task, tags.model.codes) for name, task in tags.tasks.items()}
    rows = choose(tags, doubts, (_belonging(groups, cell) for _, cell in cells))
    return CorpusPage(
        tags=tags,
        corpus=corpus,
        overall=overall,
        by_field=by_field,
        pairs=pairs,
        together=together,
        months={task: month_lines(corpus, task) for field, task in corpus.by_field if field == MONTH},
        cells=cells,
        rows=rows,
        keys=groups.keys_of(rows),
        nearest=[_nearest(tags, doubts, row) for row in rows],
    )


def _belonging(groups: Groups, cell: Cell) -> tuple[Any, Any]:
    members = [groups.member(group) for group in cell.groups]
    surenesses = [groups.sureness(group) for group in cell.groups]
    return np.logical_and.reduce(members), np.minimum.reduce(surenesses)


def _nearest(tags: Tags, doubts: Mapping[str, Doubt], row: int) -> str:
    """The answer that a passage was nearest to get or to lose, in words."""
    name = min(doubts, key=lambda task: doubts[task].certainty[row])
    task, found = tags.tasks[name], doubts[name]
    label = int(found.label[row])
    p = task.probabilities[row, label]
    if np.isnan(found.cut[row]):
        return "" if task.is_multilabel else f"{name}: {task.labels[label]}, second with p = {_p(p)}"
    return f"{name}: {task.labels[label]}, p = {_p(p)}, given from about {_p(found.cut[row])}"


def _p(value: float) -> str:
    """Two decimals, or one digit that is not nought."""
    return f"{value:.2f}" if value >= 0.01 else f"{value:.1g}"


def shown_passage(page: CorpusPage, place: int, number: int, name: str, row: Row) -> Shown:
    """The passage at a place of the page, from its row in the files."""
    tags, index = page.tags, page.rows[place]
    text = text_of(row.get("text"))
    asked = [field for field in tags.fields if field not in (*SOURCE_FIELDS, MONTH)]
    facts = dict.fromkeys(("document", *SOURCE_FIELDS, DATE, *asked))
    code = int(tags.review.codes[index])
    return Shown(
        number=number,
        name=name,
        facts=tuple(value for field in facts if (value := text_of(row.get(field))[:80])),
        text=text[:LONGEST],
        n_cut=max(0, len(text) - LONGEST),
        answers=tuple((task.name, _given(task, index)) for task in tags.tasks.values()),
        reasons=tuple(tags.review.values[code].split("|")) if code >= 0 else (),
        nearest=page.nearest[place],
        groups=tuple(page.keys[place]),
    )


def _given(task: TaggedTask, index: int) -> tuple[tuple[str, float], ...]:
    """The labels of a passage with their probabilities, the surest first."""
    p = task.probabilities[index]
    labels = sorted(np.flatnonzero(task.given[index]).tolist(), key=lambda label: -p[label])
    return tuple((task.labels[label], float(p[label])) for label in labels)


def render_corpus(page: CorpusPage, passages: Sequence[Shown], shares: ShareSection | None = None) -> str:
    """The page with its passages, in the order in which they are to be read, and the shares, if any were measured."""
    from markupsafe import Markup

    dates = page.tags.fields.get(MONTH)
    script = files("classify.report").joinpath("templates", "show.js").read_text(encoding="utf-8")
    return str(
        load_template("corpus.html").render(
            page=page,
            tags=page.tags,
            corpus=page.corpus,
            passages=passages,
            doubtful=[passage for passage in passages if passage.reasons][:FIRST_TO_REVIEW],
            n_doubtful=sum(bool(passage.reasons) for passage in passages),
            n_review=int(page.tags.needs_review().sum()),
            reasons=[(reason, int(page.tags.needs_review(reason).sum())) for reason in page.tags.reasons],
            links=_links(page, passages),
            most_links=MOST_LINKS,
            most_doubtful=MOST // 2,
            script=Markup(script),
            script_sha256=b64encode(sha256(script.encode()).digest()).decode(),
            fields=_fields(page.by_field),
            span=(dates.values[-1], dates.values[0]) if dates else None,
            files_listed=list(page.tags.files.items())[:MOST_FILES],
            n_more_files=max(0, len(page.tags.files) - MOST_FILES),
            caution=CAUTION,
            few=FEW,
            shares=shares,
            digits_of=digits_of,
            infinity=math.inf,
            interval=interval,
            percent=percent,
            p_value=p_value,
            points=points,
        )
    )


def _links(page: CorpusPage, passages: Sequence[Shown]) -> list[Link]:
    """Where all numbers of the page lead, those of the passages to review first."""
    here: dict[str, list[int]] = defaultdict(list)
    for passage in passages:
        for key in (*passage.groups, *("-".join(sorted(pair)) for pair in combinations(passage.groups, 2))):
            here[key].append(passage.number)
    groups = Groups(page.tags)
    reasons = [groups.reason(index) for index in range(len(page.tags.reasons) + 1)]
    review = [Link(group.key, group.title, int(groups.member(group).sum()), (), "review") for group in reasons]
    cells = [Link(cell.key, cell.title, cell.n, (), grid.key) for grid, cell in page.cells]
    return [replace(link, numbers=tuple(here[link.key])) for link in (*review, *cells) if link.n]


def _fields(names: Iterable[tuple[str, str]]) -> list[str]:
    return list(dict.fromkeys(field for _, field in names))

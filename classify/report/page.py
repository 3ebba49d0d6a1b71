"""An evaluation to one self-contained HTML page: no outside request, readable without script, every text escaped."""

import re
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

import numpy as np

from classify.evaluation.heldout import BASELINES, MODEL
from classify.evaluation.labelwords import Weight
from classify.evaluation.results import CONTENT, NOT_EVALUABLE, REVIEW, RULES, STYLE, USE, Evaluation, TaskResult
from classify.learn.stylewords import style_reasons
from classify.report.datacard import data_card
from classify.report.highlight import highlighted
from classify.report.palette import ON_PAGE
from classify.report.sections import contents
from classify.report.tables import event_rows
from classify.report.words import MARKS_IN_WORDS, SYSTEMS, in_words, spoken

MEASURES = {
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "macro_average_precision": "macro avg. precision",
    "exact_match": "exact match",
    "accuracy": "accuracy",
    "hamming_loss": "Hamming loss",
    "label_ranking_average_precision": "label-ranking precision",
}
VERDICTS = (USE, REVIEW, RULES, NOT_EVALUABLE)
MAX_MISTAKES = 200
MAX_PAIRS = 12


def render_evaluation(evaluation: Evaluation, figures: Mapping[str, bytes]) -> str:
    """The page; `figures` are files by name, of which the SVG ones stand in it inline."""
    script = str(load_template("sort.js").render())
    return str(
        load_template("evaluation.html").render(
            evaluation=evaluation,
            contents=contents(evaluation),
            verdict_counts={name: _count_verdicts(result) for name, result in evaluation.tasks.items()},
            figures={name: _inline(svg, name) for name, svg in figures.items() if name.endswith(".svg")},
            measures=MEASURES,
            systems=SYSTEMS,
            baselines=BASELINES,
            not_evaluable=NOT_EVALUABLE,
            leak_systems={STYLE: "style rates alone", CONTENT: "content words alone", MODEL: SYSTEMS[MODEL]},
            words={name: in_words(result) for name, result in evaluation.tasks.items()},
            events=event_rows(evaluation),
            taken={name: _taken_for(result) for name, result in evaluation.tasks.items()},
            mistakes_a_label=_mistakes_a_label(evaluation),
            card=data_card(evaluation),
            style_rows={name: _style_rows(result) for name, result in evaluation.tasks.items()},
            style_reasons={**style_reasons(), **MARKS_IN_WORDS},
            model=MODEL,
            spoken=spoken,
            highlighted=highlighted,
            verdict_class={verdict: f"verdict-{number}" for number, verdict in enumerate(VERDICTS)},
            script=_safe(script),
            script_sha256=b64encode(sha256(script.encode()).digest()).decode(),
        )
    )


def _count_verdicts(result: TaskResult) -> list[tuple[str, list[str]]]:
    """For each verdict in order, the labels that have it; verdicts nobody has are left out."""
    found = [(verdict, [label.name for label in result.labels if label.verdict == verdict]) for verdict in VERDICTS]
    return [(verdict, names) for verdict, names in found if names]


def _taken_for(result: TaskResult) -> list[tuple[str, str, int]]:
    """The labels most often missed where another was given wrongly, with the number of passages, twice at least."""
    if result.co_confusion is None:
        return []
    names, cells = result.task.label_names, result.co_confusion
    pairs = [(names[row], names[column], int(cells[row, column])) for row, column in np.argwhere(cells > 1).tolist()]
    return sorted(pairs, key=lambda pair: -pair[2])[:MAX_PAIRS]


def _style_rows(result: TaskResult) -> list[tuple[str, list[Weight]]]:
    """For each style rate its weight for every label, the rate that weighs most for any label first."""
    of_label = [{weight.name: weight for weight in found.style} for found in result.words]
    rows = [(name, [weights[name] for weights in of_label]) for name in of_label[0]] if of_label else []
    return sorted(rows, key=lambda row: (-max(abs(weight.value) for weight in row[1]), row[0]))


def _mistakes_a_label(evaluation: Evaluation) -> int:
    """How many mistakes of a kind are shown for each label, so that a page of many labels stays light."""
    n_labels = sum(len(result.labels) for result in evaluation.tasks.values())
    return max(1, MAX_MISTAKES // (2 * n_labels))


def _inline(svg: bytes, name: str) -> Any:
    stem = name.removesuffix(".svg")
    return inline_figure(svg, stem, stem)


def inline_figure(svg: bytes, name: str, label: str) -> Any:
    """The <svg> element alone, its ids begun with `name`, in the page's colours, with a label for screen readers."""
    from markupsafe import escape

    text = svg.decode()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r"#[0-9a-f]{6}\b", lambda found: ON_PAGE.get(found.group().upper(), found.group()), text)
    text = text.replace("'DejaVu Sans', sans-serif", "system-ui, sans-serif")
    for mark in ('id="', "url(#", 'href="#'):
        text = text.replace(mark, f"{mark}{name}-")
    return _safe(text.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1))


def _safe(text: str) -> Any:
    """Text that was made here, to stand in the page as it is."""
    from markupsafe import Markup

    return Markup(text)


@lru_cache(maxsize=8)
def load_template(name: str) -> Any:
    """A template of `templates/` that escapes every text and refuses to leave out a name it doesn't know."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("classify.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)

"""An evaluation to one self-contained HTML page: no script, no outside request, every text escaped."""

import re
from functools import lru_cache
from typing import Any

from classify.evaluation.heldout import BASELINES, MODEL
from classify.evaluation.results import CONTENT, NOT_EVALUABLE, REVIEW, RULES, STYLE, USE, Evaluation, TaskResult
from classify.report.tables import event_rows
from classify.report.words import SYSTEMS, in_words

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


def render_evaluation(evaluation: Evaluation, figures: dict[str, bytes]) -> str:
    """The page; `figures` are SVG files by name, which stand in it inline."""
    return str(
        load_template("evaluation.html").render(
            evaluation=evaluation,
            verdict_counts={name: _count_verdicts(result) for name, result in evaluation.tasks.items()},
            figures={name: _inline(svg, name) for name, svg in figures.items()},
            measures=MEASURES,
            systems=SYSTEMS,
            baselines=BASELINES,
            not_evaluable=NOT_EVALUABLE,
            leak_systems={STYLE: "style rates alone", CONTENT: "content words alone", MODEL: SYSTEMS[MODEL]},
            words={name: in_words(result) for name, result in evaluation.tasks.items()},
            events=event_rows(evaluation),
            model=MODEL,
            verdict_class={verdict: f"verdict-{number}" for number, verdict in enumerate(VERDICTS)},
        )
    )


def _count_verdicts(result: TaskResult) -> list[tuple[str, list[str]]]:
    """For each verdict in order, the labels that have it; verdicts nobody has are left out."""
    found = [(verdict, [label.name for label in result.labels if label.verdict == verdict]) for verdict in VERDICTS]
    return [(verdict, names) for verdict, names in found if names]


def _inline(svg: bytes, name: str) -> Any:
    """The <svg> element alone, its ids made unique on the page, with a name for screen readers."""
    from markupsafe import Markup

    text = svg.decode()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    stem = name.removesuffix(".svg")
    for mark in ('id="', "url(#", 'href="#'):
        text = text.replace(mark, f"{mark}{stem}-")
    return Markup(text.replace("<svg", f'<svg role="img" aria-label="{stem}"', 1))


@lru_cache(maxsize=4)
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

"""An explanation to HTML for notebooks: the passage with its words marked, then what they add up to."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from classify.notebook import bar, block, bold, marked, paragraph, table
from classify.scorer.evidence import Neighbour
from classify.scorer.explanation import Explanation, excerpt

if TYPE_CHECKING:
    from markupsafe import Markup

FAINTEST = 0.1
"""Words with less than a tenth of the heaviest word's weight are not marked."""
_MOST = 10
_SMALL = "font-size:.9em;opacity:.8"


def explanation_html(explanation: Explanation) -> str:
    """One block a chosen label: heading, marked passage, table of parts, remarks, nearest labelled passages."""
    blocks = [_of_label(explanation, label) for label in explanation.chosen]
    legend = "Underlined: speaks for the label; dashed: against it; the shade says how strongly."
    return str(block([*blocks, paragraph(legend, style=_SMALL)]))


def _of_label(explanation: Explanation, label: str) -> "Markup":
    return block(
        [
            paragraph(bold(label) + f" · {explanation.task} · {explanation.state(label)}"),
            paragraph(_marked_text(explanation, label), style="line-height:1.7;white-space:pre-wrap"),
            _parts(explanation, label),
            *(paragraph(remark) for remark in explanation.remarks(label)),
            *_evidence(explanation, label),
        ]
    )


def _marked_text(explanation: Explanation, label: str) -> "Markup":
    from markupsafe import Markup

    return Markup("").join(
        marked(text, weight, f"{weight:+.0%} of the heaviest word") if abs(weight) >= FAINTEST else text
        for text, weight in explanation.marked(label)
    )


def _parts(explanation: Explanation, label: str) -> "Markup":
    """What adds up to the score; bars for the parts of the text alone, beside which the intercept would dwarf them."""
    *parts, before, total = explanation.rows(label, most=_MOST)
    largest = max((abs(value) for value, _ in parts), default=0.0) or 1.0
    cells: list[tuple[object, ...]] = [(f"{value:+.3f}", bar(value / largest), name) for value, name in parts]
    cells += [(f"{before[0]:+.3f}", "", before[1]), (bold(f"{total[0]:+.3f}"), "", bold(total[1]))]
    return table(["adds", "", "what"], cells, numbers=["adds"])


def _evidence(explanation: Explanation, label: str) -> Sequence["Markup"]:
    found = explanation.evidence and explanation.evidence.get(label)
    if not found:
        return []
    rows = [_neighbour(neighbour, "") for neighbour in found.carrying]
    rows += [_neighbour(found.without, "nearer, but coded without it: ")] if found.without else []
    if not rows:
        return [paragraph("No labelled passage shares a word with it.")]
    columns = ["cosine", "nearest labelled passages", "coded", "words in common"]
    return [table(columns, rows, numbers=["cosine"])]


def _neighbour(found: Neighbour, remark: str) -> tuple[object, ...]:
    about = bold(remark) + f"{found.id}: {excerpt(found.text)}"
    return f"{found.cosine:.2f}", about, ", ".join(found.labels) or "none", ", ".join(found.shared)

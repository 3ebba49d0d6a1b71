"""The values that travel: documents, passages cut from them, and what was predicted for a passage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from classify.notebook import block, bold, paragraph, table

_ALSO_LIKELY = 0.1
"""Labels that were not given are shown from this probability on."""
_MOST_SHOWN = 5


@dataclass(frozen=True)
class Document:
    """A text under the name it is cited by, usually its path as the user gave it."""

    name: str
    text: str


@dataclass(frozen=True)
class Passage:
    """A stretch of a document: `text == document.text[start:end]`, offsets in characters.

    The id is `<document>#<n>`, n counting the kept passages of the document from 1.
    """

    id: str
    document: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, repr=False)
class Prediction:
    """What a bundle says of one passage.

    `labels` holds a tuple of labels for a multilabel task and one label for a multiclass task; `probabilities` holds,
    for each task, every label's calibrated probability in codebook order; `review` lists reasons to read the passage
    by hand (`near_threshold`, `unknown_words`, `rule_based`, `too_short`), empty when there are none; `model` is the
    bundle's id.
    """

    labels: Mapping[str, tuple[str, ...] | str]
    probabilities: Mapping[str, Mapping[str, float]]
    review: tuple[str, ...]
    model: str

    def to_row(self) -> dict[str, object]:
        """The four keys a prediction adds to a row of JSON; probabilities are rounded to 6 decimals."""
        return {
            "predicted": {task: _plain(labels) for task, labels in self.labels.items()},
            "probabilities": {
                task: {label: round(p, 6) for label, p in by_label.items()}
                for task, by_label in self.probabilities.items()
            },
            "review": list(self.review),
            "model": self.model,
        }

    def __repr__(self) -> str:
        tasks = [f"{task}: {self._given_text(task)}" for task in self.labels]
        review = [f"review: {', '.join(self.review)}"] if self.review else []
        return f"<Prediction {'; '.join([*tasks, *review])}>"

    def _repr_html_(self) -> str:
        rows = [row for task in self.labels for row in self._html_rows(task)]
        review = ", ".join(reason.replace("_", " ") for reason in self.review)
        return str(
            block(
                [
                    table(["task", "label", "p", ""], rows, numbers=["p"]),
                    paragraph(f"Read by hand: {review}." if review else "No reason to read it by hand."),
                ]
            )
        )

    def _given(self, task: str) -> tuple[str, ...]:
        """The labels given in a task, of whatever kind; raises KeyError for a task that was not predicted."""
        labels = self.labels[task]
        return (labels,) if isinstance(labels, str) else tuple(labels)

    def _given_text(self, task: str) -> str:
        by_label = self.probabilities.get(task, {})
        shown = [f"{label} {by_label[label]:.2f}" if label in by_label else label for label in self._given(task)]
        return ", ".join(shown) or "none"

    def _html_rows(self, task: str) -> list[tuple[object, ...]]:
        """Given labels in bold, then the likeliest others."""
        by_label, given = self.probabilities.get(task, {}), self._given(task)
        likely = [label for label, p in by_label.items() if p >= _ALSO_LIKELY and label not in given]
        likely = sorted(likely, key=lambda label: -by_label[label])[:_MOST_SHOWN]
        rows: list[tuple[object, ...]] = [(task, bold(label), _p(by_label.get(label)), "given") for label in given]
        rows = rows or [(task, bold("none"), "", "given")]
        return [*rows, *((task, label, _p(by_label[label]), "") for label in likely)]


def _p(probability: float | None) -> str:
    return "" if probability is None else f"{probability:.2f}"


def _plain(labels: Sequence[str] | str) -> list[str] | str:
    return labels if isinstance(labels, str) else list(labels)

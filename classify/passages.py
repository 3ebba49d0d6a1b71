"""The values that travel: documents, passages cut from them, and what was predicted for a passage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


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


@dataclass(frozen=True)
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


def _plain(labels: Sequence[str] | str) -> list[str] | str:
    return labels if isinstance(labels, str) else list(labels)

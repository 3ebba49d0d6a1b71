"""An evaluation to the table of contents of its page: the sections that have something to show."""

from collections.abc import Callable

from classify.evaluation.results import Evaluation, TaskResult

Has = Callable[[TaskResult], bool]
_SECTIONS: dict[str, tuple[str, Has]] = {
    "labels": ("Label by label", lambda _: True),
    "baselines": ("Against the baselines", lambda _: True),
    "thresholds": ("Thresholds and what they cost", lambda r: any(label.deciding for label in r.labels)),
    "probabilities": ("Probabilities, and what reviewing saves", lambda r: r.abstention is not None),
    "confusion": (
        "Labels taken for each other",
        lambda r: r.confusion is not None or (r.co_confusion is not None and bool(r.co_confusion.any())),
    ),
    "parts": ("Part by part", lambda r: bool(r.slices)),
    "more": ("Would more passages help?", lambda r: r.curve is not None),
    "split": ("How events were split", lambda _: True),
    "mistakes": ("Mistakes to read", lambda r: bool(r.mistakes)),
    "doubts": ("Labels to look at again", lambda r: bool(r.suspects)),
    "words": ("Words that stand for a label", lambda r: bool(r.words)),
    "style": ("Style or topic?", lambda r: r.leak is not None or any(found.style for found in r.words)),
    "codebook": ("Codebook", lambda _: True),
    "data": ("The labelled passages", lambda _: True),
    "versions": ("Versions, seed and hashes", lambda _: True),
    "untested": ("What was not tested", lambda _: True),
}


def contents(evaluation: Evaluation) -> dict[str, str]:
    """The title of each section that any task fills, by its name on the page, in order."""
    results = evaluation.tasks.values()
    return {name: title for name, (title, has) in _SECTIONS.items() if any(has(result) for result in results)}

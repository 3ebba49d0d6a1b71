"""Results to sentences: baselines as good, what tuning flattered, what abstaining saves, would more passages help."""

from classify.evaluation.heldout import MODEL, PLAIN, PRIOR, TERMS
from classify.evaluation.results import CONTENT, STYLE, Abstention, TaskResult, TopicLeak

_MUCH = 0.05
"""A loss of macro-F1 on unseen topics that matters."""

SYSTEMS = {
    MODEL: "the model",
    PRIOR: "prior (the same for every passage)",
    TERMS: "the codebook's terms as rules",
    PLAIN: "plain TF-IDF and logistic regression",
}
SHORT_SYSTEMS = {MODEL: "the model", PRIOR: "prior", TERMS: "codebook's terms", PLAIN: "plain TF-IDF"}

MARKS_IN_WORDS = {
    "quoted_words": "Words inside quotation marks.",
    "named_speakers": "Statements whose speaker is named.",
    "numbers": "Figures, dates and sums.",
    "question_marks": "Questions.",
    "sentence_length": "Words a sentence.",
}
"""Style rates that no word list gives."""


def plain(name: str) -> str:
    r"""A name for a figure: no `$` that would be read as a formula, no half of a character.

    >>> plain("arms_for_$5")
    'arms for \\$5'
    """
    return spoken(name).encode("utf-8", "replace").decode().replace("$", r"\$")


def shorten(name: str, most: int = 24) -> str:
    """The beginning of a long name.

    >>> shorten("Office of the Historian of the State", 13)
    'Office of th…'
    """
    return name if len(name) <= most else f"{name[: most - 1]}…"


def spoken(name: str) -> str:
    """A name as people read it.

    >>> spoken("cyber_security")
    'cyber security'
    """
    return name.replace("_", " ")


def in_words(result: TaskResult) -> list[str]:
    """One sentence for each of those that the task has."""
    sentences = _of_baselines(result)
    if result.optimism is not None:
        held_out = result.headline["macro_f1"].value or 0.0
        flattered = (
            f"chosen on the same ones, macro-F1 would read {held_out + result.optimism:.3f} instead of {held_out:.3f}"
            if result.optimism > 0
            else "choosing them on the same ones would flatter nothing"
        )
        sentences.append(
            f"Thresholds (by {result.thresholds}) were chosen on other passages than those they are judged by; "
            f"{flattered}."
        )
    if result.abstention is not None:
        sentences.append(_of_abstention(result.abstention, is_multilabel=result.task.is_multilabel))
    if result.leak is not None:
        sentences.append(_of_leak(result.leak))
    if result.curve is not None:
        sentences.append(f"Learning curve (average precision): {result.curve.answer}.")
    return sentences


def _of_baselines(result: TaskResult) -> list[str]:
    """The baseline that comes nearest to the model or passes it, unless the model is surely better than all."""
    nearest = min(result.gains, key=lambda name: result.gains[name].value or 0.0, default=None)
    if nearest is None or (gain := result.gains[nearest]).low is None or gain.high is None or gain.low > 0:
        return []
    sure = "surely worse" if gain.high < 0 else "not surely better"
    return [f"The model is {sure} than {SYSTEMS[nearest]} (macro-F1 {gain.signed})."]


def _of_leak(leak: TopicLeak) -> str:
    known, left_out, lost = leak.macro_f1[MODEL]
    alone = {name: leak.macro_f1[name][0] for name in (STYLE, CONTENT)}
    of_topic = (
        "much of what it has learnt is the topic"
        if (lost.low or 0.0) > _MUCH
        else "what it has learnt is not the topic"
        if lost.high is not None and lost.high < _MUCH
        else "how much of it is the topic can't be told"
    )
    return (
        f"By style rates alone macro-F1 is {alone[STYLE]}, by content words alone {alone[CONTENT]}, by all together "
        f"{known}; on topics it never saw in training (and so from fewer passages) the model reads {left_out} "
        f"(lost: {lost.signed}): {of_topic}."
    )


def _of_abstention(found: Abstention, *, is_multilabel: bool) -> str:
    wrong = "have some label wrong" if is_multilabel else "are wrong"
    review = 1 - found.kept
    if found.kept_risk is None:
        return f"{found.total_risk:.0%} of passages {wrong}; every one asks for review (near_threshold)."
    return (
        f"{found.total_risk:.0%} of passages {wrong}; setting aside the {review:.0%} that ask for review "
        f"(near_threshold) leaves {found.kept_risk:.0%}."
    )

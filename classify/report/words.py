"""Results to sentences: baselines as good, what tuning flattered, what abstaining saves, would more passages help."""

from classify.evaluation.heldout import MODEL, PLAIN, PRIOR, TERMS
from classify.evaluation.results import Abstention, TaskResult

SYSTEMS = {
    MODEL: "the model",
    PRIOR: "prior (the same for every passage)",
    TERMS: "the codebook's terms as rules",
    PLAIN: "plain TF-IDF and logistic regression",
}


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


def _of_abstention(found: Abstention, *, is_multilabel: bool) -> str:
    wrong = "have some label wrong" if is_multilabel else "are wrong"
    review = 1 - found.kept
    if found.kept_risk is None:
        return f"{found.total_risk:.0%} of passages {wrong}; every one asks for review (near_threshold)."
    return (
        f"{found.total_risk:.0%} of passages {wrong}; setting aside the {review:.0%} that ask for review "
        f"(near_threshold) leaves {found.kept_risk:.0%}."
    )

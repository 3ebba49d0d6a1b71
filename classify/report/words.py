"""Results to sentences: what tuning flattered, what abstaining saves, whether more passages would help."""

from classify.evaluation.results import Abstention, TaskResult


def in_words(result: TaskResult) -> list[str]:
    """One sentence for each of those that the task has."""
    sentences = []
    if result.optimism is not None:
        held_out = result.headline["macro_f1"].value or 0.0
        sentences.append(
            f"Thresholds (by {result.thresholds}) were chosen on other passages than those they are judged by. Chosen "
            f"on the same ones, macro-F1 would read {held_out + result.optimism:.3f} instead of {held_out:.3f}."
        )
    if result.abstention is not None:
        sentences.append(_of_abstention(result.abstention, is_multilabel=result.task.is_multilabel))
    if result.curve is not None:
        sentences.append(f"Learning curve (average precision): {result.curve.answer}.")
    return sentences


def _of_abstention(found: Abstention, *, is_multilabel: bool) -> str:
    wrong = "have some label wrong" if is_multilabel else "are wrong"
    review = 1 - found.kept
    if found.kept_risk is None:
        return f"{found.total_risk:.0%} of passages {wrong}; every one asks for review (near_threshold)."
    return (
        f"{found.total_risk:.0%} of passages {wrong}; setting aside the {review:.0%} that ask for review "
        f"(near_threshold) leaves {found.kept_risk:.0%}."
    )

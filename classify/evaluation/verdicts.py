"""A label's measures to a verdict on it, with the reason in words."""

import numpy as np

from classify.data.dataset import TaskGold
from classify.errors import how_many
from classify.evaluation.results import NOT_EVALUABLE, REVIEW, RULES, USE, LabelAgreement
from classify.measure.arrays import BoolArray, IntArray
from classify.measure.intervals import Estimate

MIN_POSITIVES = 10
MIN_EVENTS_WITH = 5
MIN_HELD_OUT_POSITIVES = 3

USE_F1 = 0.60
USE_ALPHA = 0.667
REVIEW_SKILL = 0.25


def too_few(support: int, events: int) -> str:
    """Why a label is not evaluable for want of positives; empty if it has enough."""
    if support >= MIN_POSITIVES and events >= MIN_EVENTS_WITH:
        return ""
    return (
        f"{how_many(support, 'positive')} in {how_many(events, 'event')}; "
        f"{MIN_POSITIVES} in {MIN_EVENTS_WITH} are needed"
    )


def evaluable_labels(gold: TaskGold, groups: IntArray) -> BoolArray:
    """Which labels have enough positives in enough events, shape (n_labels,)."""
    pairs = zip(gold.support.tolist(), gold.events_with(groups).tolist(), strict=True)
    return np.array([not too_few(support, events) for support, events in pairs], dtype=np.bool_)


def reach_verdict(
    support: int,
    events: int,
    found: Estimate,
    gain: Estimate,
    skill: Estimate,
    coders: LabelAgreement | None,
    *,
    has_terms: bool,
) -> tuple[str, str]:
    """`use`, `use with review`, `rule-based only` or `not evaluable`, with the reason in words."""
    if thin := too_few(support, events):
        return NOT_EVALUABLE, thin
    if found.low is None or skill.low is None:
        return NOT_EVALUABLE, "too few events for an interval (6 are needed)"
    beats_terms = not has_terms or (gain.low is not None and gain.low > 0)
    alpha = coders.alpha.value if coders else None
    if found.low >= USE_F1 and beats_terms and alpha is not None and alpha >= USE_ALPHA:
        above = ", above the codebook's terms" if has_terms else ""
        return USE, f"F1 is at least {found.low:.2f}{above}; coders agree (alpha {alpha:.2f})"
    if skill.low >= REVIEW_SKILL:
        return REVIEW, "ranks passages well, but " + _what_is_missing(found.low, beats_terms, coders, gain)
    if has_terms and not beats_terms:
        ranking = f"does not surely rank well (skill at least {skill.low:.2f}, {REVIEW_SKILL} needed)"
        return RULES, f"{ranking} nor beat the codebook's terms ({gain.signed} F1)"
    return (
        NOT_EVALUABLE,
        f"ranks passages little better than chance (skill at least {skill.low:.2f}, {REVIEW_SKILL} needed)",
    )


def _what_is_missing(low: float, beats_terms: bool, coders: LabelAgreement | None, gain: Estimate) -> str:
    missing = []
    alpha = coders.alpha.value if coders else None
    if low < USE_F1:
        missing.append(f"F1 may be as low as {low:.3f} ({USE_F1:.2f} needed)")
    if gain.high is not None and gain.high < 0:
        missing.append(f"the codebook's terms are surely better ({gain.signed} F1)")
    elif not beats_terms:
        missing.append(f"the gain over the codebook's terms is not sure ({gain.signed} F1)")
    if coders is None:
        missing.append("not double-coded")
    elif alpha is None:
        missing.append("the coders' agreement can't be told, since they never varied")
    elif alpha < USE_ALPHA:
        missing.append(f"coders disagree (alpha {alpha:.2f}, {USE_ALPHA} needed)")
    return "; ".join(missing)

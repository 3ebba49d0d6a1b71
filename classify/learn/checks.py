"""Settings, as a table of names and values, to what is wrong with them."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from numbers import Integral, Real
from typing import Any

from classify.errors import did_you_mean
from classify.learn.solver import LOSSES
from classify.learn.thresholds import THRESHOLD_RULES, is_threshold_rule

SEARCH = "search"
NOT_SEARCHED = ("rule_below", "thresholds")
"""What a search can't choose, since it changes no ranking."""


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 0


def _is_amount(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) < math.inf


def _is_range(value: object, least: int) -> bool:
    is_pair = isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_whole, value))
    return is_pair and least <= value[0] <= value[1]  # type: ignore[index]  # a pair


Check = tuple[Callable[[Any], bool], str]
"""Whether a value fits, and what is expected of it."""

_WHOLE: Check = (_is_whole, "a whole number, 0 or more")
_AMOUNT: Check = (_is_amount, "a number, 0 or more")
_SWITCH: Check = (lambda value: isinstance(value, bool), "true or false")
_OF_TASKS: Mapping[str, Check] = {
    "word_ngrams": (partial(_is_range, least=1), "two whole numbers from 1, the lower first, such as [1, 2]"),
    "char_ngrams": (
        lambda value: value is None or value is False or _is_range(value, 2),
        "two whole numbers from 2, the lower first, such as [2, 5]",
    ),
    "drop_stop_words": _SWITCH,
    "stem": _SWITCH,
    "sublinear_tf": _SWITCH,
    "min_df": _WHOLE,
    "loss": (lambda value: value in tuple(LOSSES), " or ".join(LOSSES)),
    "C": (lambda value: _is_amount(value) and value > 0, "a positive number"),
    "balanced": _SWITCH,
    "hit_weight": _AMOUNT,
    "codebook_weight": _AMOUNT,
    "style_weight": _AMOUNT,
    "lsa_weight": _AMOUNT,
    "rule_below": _WHOLE,
    "thresholds": (is_threshold_rule, THRESHOLD_RULES),
}
_CHECKS: Mapping[str, Check] = {
    **_OF_TASKS,
    "min_words": _WHOLE,
    "max_unknown": _AMOUNT,
    "margin": _AMOUNT,
    "seed": _WHOLE,
}


def faults_of(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each fault as the field and what was found and expected there; KeyError for a field that no settings have.

    `search` holds lists of candidates for fields of a task.
    """
    for name, value in table.items():
        if name == SEARCH:
            yield from _faults_of_search(value)
        elif fault := _misfit(name, value):
            yield name, fault


def refuse_faults(table: Mapping[str, Any]) -> None:
    """Raise ValueError where `faults_of` finds any, with all of them in one line."""
    if faults := [f"{name}: {message}" for name, message in faults_of(table)]:
        raise ValueError("; ".join(faults))


def _faults_of_search(search: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(search, Mapping):
        yield SEARCH, f"found {search!r}; expected a table of lists, such as C = [1.0, 10.0]"
        return
    known = [name for name in _OF_TASKS if name not in NOT_SEARCHED]
    for name, values in search.items():
        where = f"{SEARCH}.{name}"
        if name not in known:
            yield where, f"can't be searched; {did_you_mean(str(name), known)}"
        elif not isinstance(values, list | tuple) or not values:
            yield where, f"found {values!r}; expected a list of candidates"
        else:
            yield from ((where, fault) for value in values if (fault := _misfit(name, value)))


def _misfit(name: str, value: Any) -> str | None:
    fits, expected = _CHECKS[name]
    return None if fits(value) else f"found {value!r}; expected {expected}"


def settled(name: str, value: Any) -> Any:
    """A value that fits, as it is kept: lists as tuples, no character block as None."""
    if name == SEARCH:
        return {key: tuple(settled(key, candidate) for candidate in values) for key, values in value.items()}
    return None if name == "char_ngrams" and value is False else tuple(value) if isinstance(value, list) else value

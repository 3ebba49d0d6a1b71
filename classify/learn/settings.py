"""The settings of training, with the reason for each default; read from a small TOML and saved with the bundle."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from typing import Any

from classify.codebook import Task
from classify.errors import DataError, Fault, did_you_mean
from classify.files import read_toml
from classify.learn.solver import LOGISTIC, LOSSES, SQUARED_HINGE
from classify.learn.thresholds import PREVALENCE, THRESHOLD_RULES, is_threshold_rule
from classify.scorer.tokens import STOP_WORDS, BlockSettings, words_of

_CHOICES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "thresholds": (is_threshold_rule, THRESHOLD_RULES),
    "loss": (lambda value: value in tuple(LOSSES), " or ".join(LOSSES)),
}


@dataclass(frozen=True)
class TaskSettings:
    """How one task is learnt.

    `word_ngrams` and `char_ngrams` are inclusive ranges, `char_ngrams` None (in TOML: false) for no character block.
    `loss` is `squared_hinge` or `logistic`, `C` the inverse strength of the L2 penalty; `balanced` weighs the classes
    inversely to their frequency.

    `hit_weight` scales the log counts of the codebook's term hits, `codebook_weight` the cosines to what the codebook
    says of each label, `style_weight` the standardised style rates, `lsa_weight` the axes of unlabelled text where
    there is any; all before the penalty, so that 0 leaves them out and a larger number trusts them more. A label of a
    multilabel task with fewer than `rule_below` positives is given by its terms alone, if it has any.

    `thresholds` of a multilabel task is `prevalence`, `f1` or `precision=P` (`ThresholdRule` says what each does).
    `search` names candidates for any of the others; the combination with the highest mean average precision in folds of
    the training passages is taken.
    """

    word_ngrams: tuple[int, int] = (1, 1)
    char_ngrams: tuple[int, int] | None = None
    drop_stop_words: bool = True
    stem: bool = True
    sublinear_tf: bool = True
    min_df: int = 1
    loss: str = SQUARED_HINGE
    C: float = 1.0
    balanced: bool = False
    hit_weight: float = 0.25
    codebook_weight: float = 1.0
    style_weight: float = 0.0
    lsa_weight: float = 2.0
    rule_below: int = 3
    thresholds: str = PREVALENCE
    search: Mapping[str, tuple[Any, ...]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name, (is_choice, expected) in _CHOICES.items():
            if not is_choice(getattr(self, name)):
                raise ValueError(f"{name}: found {getattr(self, name)!r}; expected {expected}")

    @property
    def fixed(self) -> "TaskSettings":
        """These settings without a search."""
        return replace(self, search={})

    @property
    def candidates(self) -> tuple["TaskSettings", ...]:
        """Every combination that `search` asks for, the last key varying fastest; these settings alone without any."""
        combinations = product(*self.search.values())
        return tuple(replace(self.fixed, **dict(zip(self.search, values, strict=True))) for values in combinations)

    @property
    def uses_unlabelled(self) -> bool:
        """Whether unlabelled texts are learnt from, by any candidate of a search."""
        return any(candidate.lsa_weight > 0 for candidate in self.candidates)

    def blocks(self, task: Task) -> tuple[BlockSettings, ...]:
        """The TF-IDF blocks of this task; words of the codebook's terms are never dropped as stop words."""
        spoken_for = {word for label in task.labels for term in label.terms for word in words_of(term)}
        stop_words = STOP_WORDS - spoken_for if self.drop_stop_words else frozenset()
        words = BlockSettings("word", self.word_ngrams, self.min_df, self.stem, self.sublinear_tf, stop_words)
        if self.char_ngrams is None:
            return (words,)
        characters = BlockSettings("char_wb", self.char_ngrams, self.min_df, False, self.sublinear_tf)
        return (words, characters)


THEME_DEFAULTS = TaskSettings()
"""Content: topics are words, so stems without function words."""

FRAMING_DEFAULTS = TaskSettings(
    word_ngrams=(1, 2),
    char_ngrams=(2, 5),
    drop_stop_words=False,
    min_df=2,
    C=0.5,
    codebook_weight=0.0,
    style_weight=0.05,
    lsa_weight=0.0,
)
"""Style: function words, endings and punctuation are the signal, so nothing is dropped and characters count too."""

PLAIN = TaskSettings(
    drop_stop_words=False,
    stem=False,
    sublinear_tf=False,
    loss=LOGISTIC,
    hit_weight=0.0,
    codebook_weight=0.0,
    lsa_weight=0.0,
    rule_below=0,
)
"""The features and penalty of scikit-learn's defaults, with our thresholds and calibration: a baseline to beat."""


@dataclass(frozen=True)
class ReviewSettings:
    """When a prediction asks to be read by hand.

    `min_words`: fewer words are `too_short`; `max_unknown`: a larger share of words (function words aside) that stood
    in no labelled passage of training is `unknown_words`; `margin`: a probability nearer to the decision than this,
    measured as `DecisionRule.is_near` does, is `near_threshold`.
    """

    min_words: int = 5
    max_unknown: float = 0.5
    margin: float = 0.1


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that can be set: by kind of task, because content and style ask for different features."""

    multilabel: TaskSettings = THEME_DEFAULTS
    multiclass: TaskSettings = FRAMING_DEFAULTS
    review: ReviewSettings = field(default_factory=ReviewSettings)
    seed: int = 0

    def of(self, task: Task) -> TaskSettings:
        """The settings that apply to a task."""
        return self.multilabel if task.is_multilabel else self.multiclass

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a bundle's manifest."""
        return asdict(self)


def load_settings(path: str | Path) -> TrainingSettings:
    """Read settings from a TOML file; what it doesn't name keeps its default.

    Raises DataError for broken TOML, for an unknown key (the nearest known one is suggested) and for a wrong type.

    The file may hold `seed` and the tables [multilabel], [multiclass] and [review].
    """
    content = read_toml(path, expected="settings (TOML)")
    faults: list[Fault] = []
    settings: TrainingSettings = _updated(TrainingSettings(), content, "", str(path), faults)
    if settings.multiclass.thresholds != PREVALENCE:
        place = "multiclass.thresholds"
        faults.append(Fault(str(path), None, place, "a task of one label a passage has no thresholds; leave it out"))
    if faults:
        raise DataError(faults)
    return settings


def _updated(defaults: Any, table: Mapping[str, Any], place: str, path: str, faults: list[Fault]) -> Any:
    known = [item.name for item in fields(defaults)]
    changes: dict[str, Any] = {}
    for key, value in table.items():
        where = f"{place}.{key}" if place else key
        if key not in known:
            faults.append(Fault(path, None, where, f"unknown key; {did_you_mean(key, known)}"))
            continue
        default = getattr(defaults, key)
        if isinstance(default, TaskSettings | ReviewSettings) and isinstance(value, Mapping):
            changes[key] = _updated(default, value, where, path, faults)
        elif key == "search":
            changes[key] = _candidates(defaults, value, where, path, faults)
        elif (expected := _misfit(key, default, value)) is None:
            changes[key] = _read(key, value)
        else:
            faults.append(Fault(path, None, where, f"found {value!r}; expected {expected}"))
    return replace(defaults, **changes)


def _candidates(
    defaults: TaskSettings, table: Any, place: str, path: str, faults: list[Fault]
) -> dict[str, tuple[Any, ...]]:
    known = [item.name for item in fields(defaults) if item.name not in ("search", "thresholds", "rule_below")]
    if not isinstance(table, Mapping):
        faults.append(Fault(path, None, place, f"found {table!r}; expected a table of lists, such as C = [1.0, 10.0]"))
        return {}
    found = {}
    for key, values in table.items():
        where = f"{place}.{key}"
        if key not in known:
            faults.append(Fault(path, None, where, f"can't be searched; {did_you_mean(key, known)}"))
        elif not isinstance(values, list) or not values:
            faults.append(Fault(path, None, where, f"found {values!r}; expected a list of candidates"))
        else:
            misfits = [(value, _misfit(key, getattr(defaults, key), value)) for value in values]
            faults.extend(Fault(path, None, where, f"found {v!r}; expected {e}") for v, e in misfits if e)
            found[key] = tuple(_read(key, value) for value in values)
    return found


def _read(key: str, value: Any) -> Any:
    return None if key == "char_ngrams" and value is False else tuple(value) if isinstance(value, list) else value


def _misfit(key: str, default: object, value: Any) -> str | None:
    """What was expected, where the value does not fit."""
    if key in _CHOICES:
        is_choice, expected = _CHOICES[key]
        return None if is_choice(value) else expected
    if key in ("word_ngrams", "char_ngrams"):
        least, such_as = (2, "[2, 5]") if key == "char_ngrams" else (1, "[1, 2]")
        is_range = isinstance(value, list) and len(value) == 2 and all(type(n) is int and n >= least for n in value)
        expected = f"two whole numbers from {least}, the lower first, such as {such_as}"
        is_off = key == "char_ngrams" and value is False
        return None if is_off or (is_range and value[0] <= value[1]) else expected
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "true or false"
    if isinstance(default, int):
        return None if type(value) is int and value >= 0 else "a whole number, 0 or more"
    if isinstance(default, float):
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return None if is_number and (value > 0 or (value == 0 and key != "C")) else "a positive number"
    return "a table"

"""The settings of training, with the reason for each default; read from a small TOML and saved with the bundle."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from typing import Any

from classify.codebook import Task
from classify.errors import DataError, Fault, did_you_mean
from classify.files import read_toml
from classify.learn.checks import faults_of, refuse_faults, settled
from classify.learn.solver import LOGISTIC, SQUARED_HINGE
from classify.learn.thresholds import PREVALENCE
from classify.scorer.tokens import STOP_WORDS, BlockSettings, words_of


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
    `search` names candidates for any setting but `rule_below` and `thresholds`; the combination with the highest mean
    average precision in folds of the training passages is taken.

    Raises ValueError for values out of range, naming each field with what was found and expected.
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
    lsa_weight: float = 0.5
    rule_below: int = 3
    thresholds: str = PREVALENCE
    search: Mapping[str, tuple[Any, ...]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        refuse_faults(vars(self))
        for name, value in list(vars(self).items()):
            object.__setattr__(self, name, settled(name, value))

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

    def __post_init__(self) -> None:
        refuse_faults(vars(self))


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that can be set: by kind of task, because content and style ask for different features."""

    multilabel: TaskSettings = THEME_DEFAULTS
    multiclass: TaskSettings = FRAMING_DEFAULTS
    review: ReviewSettings = field(default_factory=ReviewSettings)
    seed: int = 0

    def __post_init__(self) -> None:
        refuse_faults({"seed": self.seed})

    def of(self, task: Task) -> TaskSettings:
        """The settings that apply to a task."""
        return self.multilabel if task.is_multilabel else self.multiclass

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a bundle's manifest."""
        return asdict(self)


def load_settings(path: str | Path) -> TrainingSettings:
    """Read settings from a TOML file; what it doesn't name keeps its default.

    Raises DataError with all faults together: broken TOML, an unknown key (the nearest known one is suggested), a value
    that doesn't fit. The file may hold `seed` and the tables [multilabel], [multiclass] and [review].
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
    """The defaults with those values of the table that fit; what is wrong with the others is added to `faults`."""
    known = [item.name for item in fields(defaults)]
    changes: dict[str, Any] = {}
    for key, value in table.items():
        where = f"{place}{key}"
        if key not in known:
            faults.append(Fault(path, None, where, f"unknown key; {did_you_mean(key, known)}"))
        elif isinstance(default := getattr(defaults, key), TaskSettings | ReviewSettings):
            if isinstance(value, Mapping):
                changes[key] = _updated(default, value, f"{where}.", path, faults)
            else:
                faults.append(Fault(path, None, where, f"found {value!r}; expected a table"))
        elif found := [Fault(path, None, f"{place}{name}", message) for name, message in faults_of({key: value})]:
            faults += found
        else:
            changes[key] = value
    return replace(defaults, **changes)

"""One task as a scikit-learn estimator: for cross_val_score, GridSearchCV and pipelines."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from classify.codebook import Label, Task, TaskKind
from classify.data.dataset import TaskGold
from classify.errors import UsageError
from classify.learn.settings import FRAMING_DEFAULTS, THEME_DEFAULTS, TaskSettings
from classify.learn.training import fit_task, fold_scorer, usable_unlabelled
from classify.learn.weights import count_for
from classify.measure.arrays import BoolArray, FloatArray


class PassageClassifier(ClassifierMixin, BaseEstimator):
    """Learn one task from texts and labels; a 2-D indicator `Y` is multilabel, a 1-D `Y` of labels multiclass.

    Parameters are those of `TaskSettings` by the same names; None takes the default for the kind of task (False turns
    `char_ngrams` off). `task` gives the labels their codebook terms; without it there are none, and labels are known by
    their names alone. `unlabelled` texts teach which words go together. Columns of an indicator follow the task's
    labels, or are numbered; classes are sorted, as scikit-learn has them.

    Fitted attributes: `classes_`, shape (n_labels,); `task_`; `scorer_` and `decision_`, the folded linear scorer and
    its decision rule.

    >>> texts = ["a navy ship", "the ship", "a cow", "the cow farm"]
    >>> model = PassageClassifier(C=1.0).fit(texts, ["sea", "sea", "land", "land"])
    >>> model.predict(["his ship"]).tolist()
    ['sea']
    """

    def __init__(
        self,
        *,
        task: Task | None = None,
        unlabelled: Sequence[str] = (),
        word_ngrams: tuple[int, int] | None = None,
        char_ngrams: tuple[int, int] | Literal[False] | None = None,
        drop_stop_words: bool | None = None,
        stem: bool | None = None,
        sublinear_tf: bool | None = None,
        min_df: int | None = None,
        loss: str | None = None,
        C: float | None = None,
        balanced: bool | None = None,
        hit_weight: float | None = None,
        codebook_weight: float | None = None,
        style_weight: float | None = None,
        lsa_weight: float | None = None,
        rule_below: int | None = None,
        thresholds: str | None = None,
        seed: int = 0,
    ) -> None:
        self.task = task
        self.unlabelled = unlabelled
        self.word_ngrams = word_ngrams
        self.char_ngrams = char_ngrams
        self.drop_stop_words = drop_stop_words
        self.stem = stem
        self.sublinear_tf = sublinear_tf
        self.min_df = min_df
        self.loss = loss
        self.C = C
        self.balanced = balanced
        self.hit_weight = hit_weight
        self.codebook_weight = codebook_weight
        self.style_weight = style_weight
        self.lsa_weight = lsa_weight
        self.rule_below = rule_below
        self.thresholds = thresholds
        self.seed = seed

    def fit(self, texts: Iterable[str], Y: Any, groups: Sequence[Any] | None = None) -> Self:
        """Learn weights, thresholds and calibration; `groups` names each passage's event, by default its own.

        `texts` and `Y` have n_passages rows. Raises ValueError where lengths differ, where the labels are not the
        task's, for a parameter out of range, and for unlabelled texts too few to learn from (each counts once, and none
        that is among `texts`).
        """
        listed = _texts(texts)
        if groups is not None and len(groups) != len(listed):
            raise ValueError(f"{len(groups)} groups for {len(listed)} texts")
        task, gold = self._gold(Y, len(listed))
        settings = self._settings(task)
        numbers = np.arange(len(listed)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        try:
            unlabelled = usable_unlabelled(list(self.unlabelled), listed)
        except UsageError as error:
            raise ValueError(f"unlabelled: {error}") from None
        counted = count_for(task, listed, settings, unlabelled=unlabelled, seed=self.seed)
        known = TaskGold(gold, np.ones_like(gold))
        rows = np.arange(len(listed))
        fitted = fit_task(counted, known, numbers, rows, task, settings, self.seed)
        self.task_, self.classes_ = task, np.array(task.label_names if self.task is not None else self._names)
        self.scorer_, self.decision_ = fold_scorer(fitted), fitted.decision
        return self

    def decision_function(self, texts: Iterable[str]) -> FloatArray:
        """Scores, shape (n_passages, n_labels); for two classes shape (n_passages,), as scikit-learn has it."""
        scores = self._score(texts)[0]
        return scores[:, 1] if self._is_binary else scores

    def predict_proba(self, texts: Iterable[str]) -> FloatArray:
        """Calibrated probabilities, shape (n_passages, n_labels)."""
        scores, evidence = self._score(texts)
        return self.decision_.probabilities(scores, evidence)

    def predict(self, texts: Iterable[str]) -> Any:
        """An indicator, shape (n_passages, n_labels), or labels, shape (n_passages,)."""
        scores, evidence = self._score(texts)
        decided = self.decision_.decide(scores, evidence)[1]
        return decided.astype(np.int64) if self.task_.is_multilabel else self.classes_[decided.argmax(axis=1)]

    @property
    def _is_binary(self) -> bool:
        return not self.task_.is_multilabel and len(self.classes_) == 2

    def _score(self, texts: Iterable[str]) -> tuple[FloatArray, BoolArray]:
        check_is_fitted(self)
        return self.scorer_.score(_texts(texts))

    def _settings(self, task: Task) -> TaskSettings:
        defaults = THEME_DEFAULTS if task.is_multilabel else FRAMING_DEFAULTS
        names = [item.name for item in fields(TaskSettings) if item.name != "search"]
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return replace(defaults, **given)

    def _gold(self, Y: Any, n_texts: int) -> tuple[Task, BoolArray]:
        array = np.asarray(Y)
        if len(array) != n_texts:
            raise ValueError(f"{len(array)} rows of labels for {n_texts} texts")
        if array.ndim == 2:
            if not np.isin(array, (0, 1)).all():
                raise ValueError("a 2-D Y must be an indicator of 0 and 1")
            self._names: list[Any] = list(range(array.shape[1]))
            task = self._task(TaskKind.MULTILABEL)
            if len(task.labels) != array.shape[1]:
                raise ValueError(f"Y has {array.shape[1]} columns, but task {task.name} has {len(task.labels)} labels")
            return task, array.astype(np.bool_)
        self._names = np.unique(array).tolist()
        task = self._task(TaskKind.MULTICLASS)
        names = np.array(task.label_names if self.task is not None else self._names)
        if unknown := set(array.tolist()) - set(names.tolist()):
            raise ValueError(f"labels that task {task.name} doesn't have: {sorted(unknown)}")
        if len(names) < 2:
            raise ValueError(f"only one class in Y: {names.tolist()}")
        return task, array[:, None] == names

    def _task(self, kind: TaskKind) -> Task:
        if self.task is not None and not isinstance(self.task, Task):
            raise ValueError(f"task: found {self.task!r}; expected a Task, as codebook['framing'] gives it")
        if self.task is None:
            return Task("task", kind, tuple(Label(str(name)) for name in self._names))
        if self.task.kind is not kind:
            expected = "an indicator of 0 and 1, columns in the order of task.label_names"
            shape = f"expected {expected}" if kind is TaskKind.MULTICLASS else "expected one label a passage"
            raise ValueError(f"task {self.task.name} is {self.task.kind}, but Y is {kind}; {shape}")
        if kind is TaskKind.MULTILABEL:
            return self.task
        return replace(self.task, labels=tuple(sorted(self.task.labels, key=lambda label: label.name)))


def _texts(texts: Iterable[str]) -> list[str]:
    if hasattr(texts, "columns"):  # iterating over a frame gives the names of its columns
        raise ValueError("found a table; expected its texts alone, as frame['text'] gives them")
    listed = [texts] if isinstance(texts, str) else list(texts)
    odd = next((row for row, text in enumerate(listed) if not isinstance(text, str)), None)
    if odd is not None:
        raise ValueError(f"text {odd} is {type(listed[odd]).__name__}; expected str")
    if not listed:
        raise ValueError("expected a list of texts, at least one")
    return listed

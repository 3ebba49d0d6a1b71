"""Texts to predictions, with numpy alone."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np

from classify.bundle import Bundle, load_bundle
from classify.errors import did_you_mean
from classify.measure.arrays import BoolArray, FloatArray
from classify.passages import Prediction
from classify.scorer.contributions import split_score
from classify.scorer.evidence import Coded, LabelledTexts
from classify.scorer.explanation import Explanation
from classify.scorer.tokens import STOP_WORDS, stem, words_of

NEAR_THRESHOLD = "near_threshold"
UNKNOWN_WORDS = "unknown_words"
TOO_SHORT = "too_short"
RULE_BASED = "rule_based"
NESTED_KEYS = ("predicted", "probabilities", "review", "model")
"""What a prediction adds to a row of JSONL; `Predictor.columns` is what it adds to a table."""


class Predictor:
    """A trained bundle, ready to predict.

    Every probability is meant at the labelled set's prevalence, or that of the audit sample it was reset to: what was
    rare there is thought rare.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.codebook = bundle.codebook
        self.model = bundle.id
        self._known_words = frozenset(
            word
            for task in bundle.tasks.values()
            for block, in_passages in zip(task.scorer.blocks, task.in_passages, strict=True)
            if block.settings.analyzer == "word"
            for feature, is_known in zip(block.features, in_passages.tolist(), strict=True)
            if is_known
            for word in feature.split(" ")
        )

    @classmethod
    def load(cls, folder: str | Path) -> "Predictor":
        """Load a bundle from its folder; raises BundleError where it can't be read or trusted."""
        return cls(load_bundle(folder))

    def __repr__(self) -> str:
        tasks = ", ".join(f"{name} ({len(self.codebook[name].labels)} labels)" for name in self.bundle.tasks)
        return f"<Predictor {self.codebook.name} {self.model}: {tasks}>"

    @overload
    def predict(self, texts: str) -> Prediction: ...  # type: ignore[overload-overlap]  # a str is an Iterable[str] too
    @overload
    def predict(self, texts: Iterable[str]) -> list[Prediction]: ...
    def predict(self, texts: str | Iterable[str]) -> Prediction | list[Prediction]:
        """One Prediction for a str, a list of them for an iterable of str, in order.

        Raises TypeError for anything that is no text.
        """
        if isinstance(texts, str):
            return self._predict([texts])[0]
        return self._predict(_checked(texts))

    def score(self, texts: Iterable[str]) -> dict[str, FloatArray]:
        """Scores before anything is decided: for each task an array of shape (n_passages, n_labels)."""
        listed = _checked([texts] if isinstance(texts, str) else texts)
        return {name: task.scorer.score(listed)[0] for name, task in self.bundle.tasks.items()}

    def explain(
        self, text: str, *, task: str | None = None, evidence: LabelledTexts | Iterable[Coded] | None = None
    ) -> Explanation:
        """Which words speak for and against, summing to the score; the first task if none is named.

        `evidence` are labelled passages, such as a Dataset's `passages`, of which the nearest are shown; for many texts
        make them ready once, with `evidence`. Raises ValueError for a task the bundle doesn't have, TypeError for
        anything but one text.
        """
        if not isinstance(text, str):
            raise TypeError(f"text: found {_kind_of(text)}; expected one str; explain one passage at a time")
        name = self._task(task)
        bundled, labels = self.bundle.tasks[name], self.codebook[name].label_names
        scores, known = bundled.scorer.score([text])
        probabilities, decided = bundled.decision.decide(scores, known)
        given = tuple(label for label, is_given in zip(labels, decided[0], strict=True) if is_given)
        chosen = given or (labels[int(probabilities[0].argmax())],)
        if evidence is not None and not isinstance(evidence, LabelledTexts):
            evidence = self.evidence(evidence, task=name)
        if evidence is not None and evidence.task != self.codebook[name]:
            raise ValueError(f"evidence: made ready for task {evidence.task.name!r}; expected {name!r}")
        return Explanation(
            text=text,
            task=name,
            labels=labels,
            scores=scores[0],
            probabilities=probabilities[0],
            thresholds=bundled.decision.thresholds,
            intercept=bundled.scorer.intercept,
            pieces=split_score(bundled.scorer, labels, text),
            given=given,
            chosen=chosen,
            evidence=None if evidence is None else evidence.nearest(text, chosen),
        )

    def evidence(self, passages: Iterable[Coded], *, task: str | None = None) -> LabelledTexts:
        """Labelled passages ready to be compared with any text by this bundle's own words, for `explain`.

        Raises ValueError for a task the bundle doesn't have, TypeError for anything but labelled passages.
        """
        name = self._task(task)
        passages = getattr(passages, "passages", passages)
        listed = list(passages) if isinstance(passages, Iterable) else [passages]
        if wrong := [_kind_of(one) for one in listed if not hasattr(one, "unsure")]:
            raise TypeError(f"evidence: found {wrong[0]}; expected labelled passages, as load_labels reads them")
        words = next(block for block in self.bundle.tasks[name].scorer.blocks if block.settings.analyzer == "word")
        return LabelledTexts(listed, self.codebook[name], words)

    def _task(self, name: str | None) -> str:
        known = tuple(self.bundle.tasks)
        if name is not None and name not in known:
            raise ValueError(f"no task {name!r} in this bundle; {did_you_mean(str(name), known)}")
        return name or known[0]

    def predict_frame(self, frame: Any, *, text: str = "text") -> Any:
        """Predict the `text` column of a pandas, polars or Arrow table; the same kind of table comes back.

        Added columns: `predicted:<task>` (labels joined by `|`, `none` for none), `p:<task>:<label>`, `review` (reasons
        joined by `|`) and `model`. Raises ValueError if there is no such column, if a row holds no text, or if the
        table has columns of its own by some of these names.
        """
        import narwhals as nw

        try:
            table = nw.from_native(frame, eager_only=True)
        except TypeError:
            raise TypeError(f"frame: found {_kind_of(frame)}; expected a pandas, polars or Arrow table") from None
        if text not in table.columns:
            raise ValueError(f"no column {text!r}; the table has {', '.join(table.columns)}")
        texts = table[text].to_list()
        missing = [row for row, value in enumerate(texts) if not isinstance(value, str)]
        if missing:
            raise ValueError(f"column {text!r} holds no text in {len(missing)} rows, first row {missing[0]}")
        columns: dict[str, list[Any]] = {name: [] for name in self.columns}
        table = table.select(without_prediction(table.columns, self.columns))
        for prediction in self.predict(texts):
            for name, value in flat_columns(prediction).items():
                columns[name].append(value)
        added = [nw.new_series(name, values, backend=table.implementation) for name, values in columns.items()]
        return table.with_columns(*added).to_native()

    @property
    def columns(self) -> list[str]:
        """The columns that predictions add to a table, in order."""
        names = {task: self.codebook[task].label_names for task in self.bundle.tasks}
        probabilities = [f"p:{task}:{label}" for task, labels in names.items() for label in labels]
        return [*(f"predicted:{task}" for task in names), *probabilities, "review", "model"]

    def _predict(self, texts: Sequence[str]) -> list[Prediction]:
        decided: dict[str, tuple[FloatArray, BoolArray]] = {}
        near, known, ruled = np.zeros((3, len(texts)), dtype=np.bool_)
        margin = self.bundle.settings["review"]["margin"]
        for name, task in self.bundle.tasks.items():
            scores, evidence = task.scorer.score(texts)
            decided[name] = task.decision.decide(scores, evidence)
            near |= task.decision.is_near(decided[name][0], margin=margin) & evidence
            known |= evidence
            of_rules = [label in task.rule_based for label in self.codebook[name].label_names]
            ruled |= decided[name][1][:, of_rules].any(axis=1)
        return [
            Prediction(
                labels={name: self._labels(name, chosen[row]) for name, (_, chosen) in decided.items()},
                probabilities={name: self._by_label(name, p[row]) for name, (p, _) in decided.items()},
                review=self._review(
                    text, is_near=bool(near[row]), is_known=bool(known[row]), is_ruled=bool(ruled[row])
                ),
                model=self.model,
            )
            for row, text in enumerate(texts)
        ]

    def _labels(self, task: str, chosen: BoolArray) -> tuple[str, ...] | str:
        names = tuple(name for name, given in zip(self.codebook[task].label_names, chosen, strict=True) if given)
        return names if self.codebook[task].is_multilabel else names[0]

    def _by_label(self, task: str, probabilities: FloatArray) -> dict[str, float]:
        return dict(zip(self.codebook[task].label_names, probabilities.tolist(), strict=True))

    def _review(self, text: str, *, is_near: bool, is_known: bool, is_ruled: bool) -> tuple[str, ...]:
        settings = self.bundle.settings["review"]
        words = words_of(text)
        content = [word for word in words if word not in STOP_WORDS]
        unknown = sum(stem(word) not in self._known_words and word not in self._known_words for word in content)
        reasons = {
            NEAR_THRESHOLD: is_near,
            UNKNOWN_WORDS: (not is_known and bool(text.split())) or unknown > settings["max_unknown"] * len(content),
            RULE_BASED: is_ruled,
            TOO_SHORT: len(text.split()) < settings["min_words"],
        }
        return tuple(reason for reason, applies in reasons.items() if applies)


def flat_columns(prediction: Prediction) -> dict[str, object]:
    """A prediction as the cells of a table: `predicted:<task>`, `p:<task>:<label>`, `review`, `model`."""
    cells: dict[str, object] = {}
    for task, labels in prediction.labels.items():
        cells[f"predicted:{task}"] = labels if isinstance(labels, str) else "|".join(labels) or "none"
    for task, by_label in prediction.probabilities.items():
        cells.update({f"p:{task}:{label}": round(p, 6) for label, p in by_label.items()})
    return {**cells, "review": "|".join(prediction.review), "model": prediction.model}


def without_prediction(names: Iterable[str], flat: Sequence[str]) -> list[str]:
    """The user's own names among the columns or keys of a table, those of an earlier prediction left out.

    Raises ValueError where some of them, but not a whole prediction, are called as a prediction's are: `flat` are its
    columns, NESTED_KEYS its keys.
    """
    own = list(names)
    for ours in (flat, NESTED_KEYS):
        if set(ours) <= set(own):
            own = [name for name in own if name not in ours]
    if clash := [name for name in own if name in {*flat, *NESTED_KEYS}]:
        raise ValueError(f"{', '.join(clash)}: predictions would be written under this name; rename it first")
    return own


def _checked(texts: Iterable[str]) -> list[str]:
    """The texts as a list; raises TypeError for what would give a prediction of something else, or none."""
    if hasattr(texts, "columns") or hasattr(texts, "column_names"):
        raise TypeError(f"texts: found a table ({_kind_of(texts)}); expected texts; use predict_frame, or one column")
    if isinstance(texts, bytes | bytearray | Mapping) or not isinstance(texts, Iterable):
        raise TypeError(f"texts: found {_kind_of(texts)}; expected a str, or a list of str")
    listed = list(texts)
    for row, text in enumerate(listed):
        if not isinstance(text, str):
            raise TypeError(f"text {row}: found {_kind_of(text)}; expected str")
    return listed


def _kind_of(value: object) -> str:
    return "None" if value is None else type(value).__name__

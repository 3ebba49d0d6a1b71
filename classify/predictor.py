"""Texts to predictions, with numpy alone."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, compress, islice
from pathlib import Path
from typing import Any, overload

import numpy as np

from classify.bundle import Bundle, load_bundle
from classify.errors import BundleError, did_you_mean, how_many
from classify.measure.arrays import BoolArray, FloatArray
from classify.passages import Prediction
from classify.scorer.contributions import split_score
from classify.scorer.evidence import Coded, LabelledTexts
from classify.scorer.explanation import Explanation
from classify.scorer.linear import CHUNK, Scorer
from classify.scorer.scanners import Engine

NEAR_THRESHOLD = "near_threshold"
UNKNOWN_WORDS = "unknown_words"
TOO_SHORT = "too_short"
RULE_BASED = "rule_based"
NESTED_KEYS = ("predicted", "probabilities", "review", "model")
"""What a prediction adds to a row of JSONL; `Predictor.columns` is what it adds to a table."""


@dataclass(frozen=True)
class Decided:
    """What is decided of some texts before it becomes predictions; a task each, in the order of the bundle's.

    `probabilities` and `labels` hold arrays of shape (n_texts, n_labels), the latter of bool; `reviews` the reasons to
    read each text by hand.
    """

    probabilities: list[FloatArray]
    labels: list[BoolArray]
    reviews: list[tuple[str, ...]]


class Predictor:
    """A trained bundle, ready to predict.

    Every probability is meant at the labelled set's prevalence, or that of the audit sample it was reset to: what was
    rare there is thought rare.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.codebook = bundle.codebook
        self.model = bundle.id
        self.folder: Path | None = None  # where it was loaded from
        self._scorer = Scorer([task.scorer for task in bundle.tasks.values()], _words_in_passages(bundle))

    @classmethod
    def load(cls, folder: str | Path) -> "Predictor":
        """Load a bundle from its folder; raises BundleError where it can't be read or trusted."""
        predictor = cls(load_bundle(folder))
        predictor.folder = Path(folder).absolute()
        return predictor

    def __reduce__(self) -> tuple[object, ...]:
        """Pickled by its folder, if it has one, which each process then loads once."""
        return (load_once, (self.folder, self.model)) if self.folder else (Predictor, (self.bundle,))

    def __repr__(self) -> str:
        tasks = ", ".join(f"{name} ({len(self.codebook[name].labels)} labels)" for name in self.bundle.tasks)
        return f"<Predictor {self.codebook.name} {self.model}: {tasks}>"

    @property
    def engine(self) -> Engine:
        """Who reads texts: `compiled`, or where there was no compiler at installation `reference`, slower."""
        return self._scorer.engine

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
        return list(chain.from_iterable(map(self._predict, _chunks(_checked(texts)))))

    def iter_predict(self, texts: Iterable[str]) -> Iterator[Prediction]:
        """Predictions of any number of texts, in order, while they come: memory stays bounded.

        Up to CHUNK texts are taken before the first prediction is given. Raises TypeError for anything that is no text.
        """
        if isinstance(texts, str):
            raise TypeError("found one text; expected an iterable of texts: predict() takes one")
        for chunk in _chunks(texts):
            yield from self._predict(_checked(chunk))

    def score(self, texts: Iterable[str]) -> dict[str, FloatArray]:
        """Scores before anything is decided: for each task an array of shape (n_passages, n_labels)."""
        listed = _checked([texts] if isinstance(texts, str) else texts)
        reading = self._scorer.read(listed)
        return {name: scores for name, (scores, _) in zip(self.bundle.tasks, reading.tasks, strict=True)}

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
        scores, known = self._scorer.read([text]).tasks[list(self.bundle.tasks).index(name)]
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
        texts, backend = table[text].to_list(), table.implementation
        missing = [row for row, value in enumerate(texts) if not isinstance(value, str)]
        if missing:
            rows = how_many(len(missing), "row")
            raise ValueError(f"column {text!r} holds no text in {rows}, first row {missing[0]}; drop or fill them")
        table = table.select(without_prediction(table.columns, self.columns))
        added = [
            nw.new_series(name, cells, nw.String if type(cells) is list else nw.Float64, backend=backend)
            for name, cells in self._table(texts).items()
        ]
        return table.with_columns(*added).to_native()

    def _table(self, texts: Iterable[str]) -> dict[str, list[str] | FloatArray]:
        """`columns` of all texts: what `flat_columns` gives for each, the probabilities as float arrays."""
        labels: dict[str, list[str]] = {task: [] for task in self.bundle.tasks}
        probabilities = {task: array("d") for task in self.bundle.tasks}  # 8 bytes each, a list takes four times that
        reviews = []
        for prediction in self.iter_predict(texts):
            for task, given in prediction.labels.items():
                labels[task].append(_joined(given))
                probabilities[task].extend(prediction.probabilities[task].values())
            reviews.append("|".join(prediction.review))
        columns: dict[str, list[str] | FloatArray] = {f"predicted:{task}": cells for task, cells in labels.items()}
        for task, flat in probabilities.items():
            names = self.codebook[task].label_names
            by_label = np.ascontiguousarray(rounded(np.array(flat).reshape(-1, len(names))).T)
            columns.update({f"p:{task}:{label}": p for label, p in zip(names, by_label, strict=True)})
        return {**columns, "review": reviews, "model": [self.model] * len(reviews)}

    @property
    def columns(self) -> list[str]:
        """The columns that predictions add to a table, in order."""
        names = {task: self.codebook[task].label_names for task in self.bundle.tasks}
        probabilities = [f"p:{task}:{label}" for task, labels in names.items() for label in labels]
        return [*(f"predicted:{task}" for task in names), *probabilities, "review", "model"]

    def decide(self, texts: Sequence[str]) -> Decided:
        """What `predict` gives, as arrays: for those who write many predictions and look at none."""
        reading = self._scorer.read(texts)
        near, known, ruled = np.zeros((3, len(texts)), dtype=np.bool_)
        margin = self.bundle.settings["review"]["margin"]
        labels, probabilities = [], []
        for (name, task), (scores, evidence) in zip(self.bundle.tasks.items(), reading.tasks, strict=True):
            p, decided = task.decision.decide(scores, evidence)
            near |= task.decision.is_near(p, margin=margin) & evidence
            known |= evidence
            if task.rule_based:
                of_rules = [label in task.rule_based for label in self.codebook[name].label_names]
                ruled |= decided[:, of_rules].any(axis=1)
            labels.append(decided)
            probabilities.append(p)
        is_unknown = reading.n_unknown > self.bundle.settings["review"]["max_unknown"] * reading.n_content
        reviews = map(self._review, texts, *(flags.tolist() for flags in (near, known, ruled, is_unknown)))
        return Decided(probabilities, labels, list(reviews))

    def _predict(self, texts: Sequence[str]) -> list[Prediction]:
        found, names = self.decide(texts), tuple(self.bundle.tasks)
        labels = [self._labels(name, decided) for name, decided in zip(names, found.labels, strict=True)]
        probabilities = [
            [dict(zip(self.codebook[name].label_names, row, strict=True)) for row in p.tolist()]
            for name, p in zip(names, found.probabilities, strict=True)
        ]
        return [
            Prediction(dict(zip(names, given, strict=True)), dict(zip(names, p, strict=True)), review, self.model)
            for *given, p, review in zip(*labels, zip(*probabilities, strict=True), found.reviews, strict=True)
        ]

    def _labels(self, task: str, decided: BoolArray) -> list[tuple[str, ...] | str]:
        """The labels of each passage, as a Prediction has them."""
        names = self.codebook[task].label_names
        if not self.codebook[task].is_multilabel:
            return [names[column] for column in decided.argmax(axis=1).tolist()]
        return [tuple(compress(names, row)) for row in decided.tolist()]

    def _review(self, text: str, is_near: bool, is_known: bool, is_ruled: bool, is_unknown: bool) -> tuple[str, ...]:
        min_words = self.bundle.settings["review"]["min_words"]
        reasons = {
            NEAR_THRESHOLD: is_near,
            UNKNOWN_WORDS: is_unknown or (not is_known and bool(text.strip())),
            RULE_BASED: is_ruled,
            TOO_SHORT: len(text.split(None, min_words)) < min_words,
        }
        return tuple(compress(reasons, reasons.values()))


def _words_in_passages(bundle: Bundle) -> frozenset[str]:
    """The words of features, stemmed where these are, that stood in labelled passages of training."""
    return frozenset(
        word
        for task in bundle.tasks.values()
        for block, in_passages in zip(task.scorer.blocks, task.in_passages, strict=True)
        if block.settings.analyzer == "word"
        for feature in compress(block.features, in_passages.tolist())
        for word in feature.split(" ")
    )


@lru_cache(maxsize=4)
def load_once(folder: Path, model: str) -> Predictor:
    """The predictor of a folder, for a process that is handed a few by turns; raises BundleError if it has changed."""
    predictor = Predictor.load(folder)
    if predictor.model != model:
        raise BundleError(f"{folder}: now holds bundle {predictor.model}, no longer {model}; load the predictor again")
    return predictor


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """Texts in lists of up to CHUNK."""
    iterator = iter(texts)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def flat_columns(prediction: Prediction) -> dict[str, object]:
    """A prediction as the cells of a table: `predicted:<task>`, `p:<task>:<label>`, `review`, `model`."""
    cells: dict[str, object] = {}
    for task, labels in prediction.labels.items():
        cells[f"predicted:{task}"] = _joined(labels)
    for task, by_label in prediction.probabilities.items():
        cells.update({f"p:{task}:{label}": round(p, 6) for label, p in by_label.items()})
    return {**cells, "review": "|".join(prediction.review), "model": prediction.model}


def _joined(labels: tuple[str, ...] | str) -> str:
    return labels if isinstance(labels, str) else "|".join(labels) or "none"


def rounded(probabilities: FloatArray) -> FloatArray:
    """What `round(p, 6)` gives for each, faster: numpy rounds otherwise only near the middle of two decimals."""
    decimals = probabilities.round(6)
    halfway = np.abs(probabilities * 1e6 % 1 - 0.5) < 1e-3
    decimals[halfway] = [round(p, 6) for p in probabilities[halfway].tolist()]
    return decimals


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

"""Models of the folds and labelled passages to the words that stand for each label, and how surely they do."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from classify.codebook import Task
from classify.data.candidates import Candidate, find_collocations
from classify.data.dataset import Dataset
from classify.learn.features import CountedBlock, tfidf
from classify.learn.training import FittedTask
from classify.measure.arrays import FloatArray, IntArray
from classify.scorer.tokens import BlockSettings

N_WORDS = 12
N_COLLOCATIONS = 8
MIN_EVENTS = 3
MAX_FEATURES = 5_000


@dataclass(frozen=True)
class FoldWords:
    """What one fold's model made of the words that stand in 3 events or more, and of the style rates.

    `pulls`, shape (n_features, n_labels), is what a word adds to a label's score, on average over the passages learnt
    from that hold it; `rates`, shape (n_rates, n_labels), what one standard deviation more of a style rate adds.
    """

    settings: BlockSettings | None
    features: tuple[str, ...]
    pulls: FloatArray
    rate_names: tuple[str, ...]
    rates: FloatArray


@dataclass(frozen=True)
class Weight:
    """What a word, a pair of words or a style rate adds to a label's score, the mean of all folds' models.

    `n_same` is the number of models in which it has the mean's sign; `n_passages` hold the word (None for a rate).
    """

    name: str
    value: float
    n_same: int
    n_passages: int | None = None


@dataclass(frozen=True)
class LabelWords:
    """The words that weigh most for a label and against it, strongest first, in `n_models` models.

    Of `n_weighed` words and pairs `n_stable` have the same sign in all models. `collocations` are pairs of words that
    stand in the label's passages more than elsewhere, whatever the model makes of them; `style` has every style rate,
    the strongest first.
    """

    label: str
    n_models: int
    n_weighed: int
    n_stable: int
    words_for: tuple[Weight, ...]
    words_against: tuple[Weight, ...]
    collocations: tuple[Candidate, ...]
    style: tuple[Weight, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        facts = asdict(self)
        del facts["label"]
        return facts


def words_of_fold(fitted: FittedTask, groups: IntArray, rows: IntArray) -> FoldWords:
    """What a model learnt from `rows` makes of words and style; `groups` numbers the event of every passage."""
    counted, weights = fitted.counted, fitted.weights
    names, n_labels = counted.counter.style.names, counted.counter.n_labels
    rates = weights.counted[n_labels:] * counted.counted[rows][:, n_labels:].std(axis=0)[:, None]
    nothing = FoldWords(None, (), np.zeros((0, n_labels)), names, rates)
    for block, fit, of_block in zip(counted.blocks, weights.fits, weights.of_blocks, strict=True):
        if block.settings.analyzer == "word":
            kept = np.flatnonzero(np.isin(fit.columns, _widespread(block, groups)))
            found = tfidf(block, fit, rows)[:, kept]
            mean = found.sum(axis=0) / np.maximum(1, np.bincount(found.indices, minlength=len(kept)))
            features = tuple(block.features[column] for column in fit.columns[kept])
            return replace(nothing, settings=block.settings, features=features, pulls=mean[:, None] * of_block[kept])
    return nothing


def _widespread(block: CountedBlock, groups: IntArray) -> IntArray:
    """The features that stand in passages of 3 events or more; of very many, those in most events."""
    held = block.tf[: len(groups)]
    of_events = sparse.csr_array((np.ones(len(groups)), (groups, np.arange(len(groups)))))
    n_events = np.bincount((of_events @ held).tocsr().indices, minlength=held.shape[1])
    order = np.argsort(-n_events, kind="stable")[:MAX_FEATURES]
    return order[n_events[order] >= MIN_EVENTS]


def find_label_words(dataset: Dataset, task: Task, folds: Sequence[FoldWords]) -> tuple[LabelWords, ...]:
    """Each label's words, pairs and style rates, in codebook order; nothing without models."""
    if not folds:
        return ()
    features = sorted({feature for fold in folds for feature in fold.features})
    pulls = np.stack([_spread(fold.features, fold.pulls, features) for fold in folds])
    rates = np.stack([fold.rates for fold in folds])
    collocations = find_collocations(dataset, task, most=N_COLLOCATIONS)
    strongest = {label: _strongest(pulls[:, :, n]) for n, label in enumerate(task.label_names)}
    wanted = {features[place] for both in strongest.values() for places in both for place in places}
    forms = _forms(dataset.texts, folds[0].settings, wanted)
    found = []
    for n, label in enumerate(task.label_names):
        of_words = [_weights(features, pulls[:, :, n], places) for places in strongest[label]]
        words_for, words_against = (tuple(_as_written(one, forms) for one in weights) for weights in of_words)
        style = _weights(folds[0].rate_names, rates[:, :, n], np.argsort(-np.abs(rates[:, :, n].mean(axis=0))))
        found.append(
            LabelWords(
                label=label,
                n_models=len(folds),
                n_weighed=int(pulls[:, :, n].any(axis=0).sum()),
                n_stable=int((np.abs(np.sign(pulls[:, :, n]).sum(axis=0)) == len(folds)).sum()),
                words_for=words_for,
                words_against=words_against,
                collocations=tuple(collocations[label]),
                style=tuple(style),
            )
        )
    return tuple(found)


def _spread(known: Sequence[str], values: FloatArray, features: Sequence[str]) -> FloatArray:
    """The rows of known features at their places among all features; 0 for the others."""
    spread = np.zeros((len(features), values.shape[1]))
    place = {feature: n for n, feature in enumerate(features)}
    spread[[place[feature] for feature in known]] = values
    return spread


def _strongest(values: FloatArray) -> tuple[IntArray, IntArray]:
    """The features that weigh most for and most against, by their mean over models; `values` is (n_models, n)."""
    mean = values.mean(axis=0)
    order = np.argsort(-mean, kind="stable")
    against = order[::-1][:N_WORDS]
    return order[:N_WORDS][mean[order[:N_WORDS]] > 0], against[mean[against] < 0]


def _weights(names: Sequence[str], values: FloatArray, places: IntArray) -> list[Weight]:
    mean = values.mean(axis=0)
    same = (np.sign(values) == np.sign(mean)).sum(axis=0)
    return [Weight(names[place], float(mean[place]), int(same[place])) for place in places]


def _forms(texts: Sequence[str], settings: BlockSettings | None, wanted: set[str]) -> Mapping[str, tuple[str, int]]:
    """For each wanted feature the words as passages mostly write them, and how many passages hold it."""
    if settings is None:
        return {}
    written: dict[str, Counter[str]] = defaultdict(Counter)
    holding: Counter[str] = Counter()
    as_it_stands = replace(settings, stem=False)
    for text in texts:
        pairs = zip(settings.features_of(text), as_it_stands.features_of(text), strict=True)
        found = [(feature, form) for feature, form in pairs if feature in wanted]
        holding.update({feature for feature, _ in found})
        for feature, form in found:
            written[feature][form] += 1
    return {
        feature: (min(forms, key=lambda form: (-forms[form], form)), holding[feature])
        for feature, forms in written.items()
    }


def _as_written(weight: Weight, forms: Mapping[str, tuple[str, int]]) -> Weight:
    form, n_passages = forms.get(weight.name, (weight.name, 0))
    return replace(weight, name=form, n_passages=n_passages)

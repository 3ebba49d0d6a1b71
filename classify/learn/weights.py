"""Training rows to a linear model of a task: what is counted, how it is weighed, and the weights that it gets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from classify.codebook import Label, Task
from classify.data.dataset import TaskGold
from classify.learn.features import BlockFit, CountedBlock, CountedTexts, Matrix, count_texts, fit_block, tfidf
from classify.learn.settings import TaskSettings
from classify.learn.solver import fit_linear
from classify.learn.stylewords import style_words
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.scorer.linear import Counter

Scored = tuple[FloatArray, BoolArray]
"""Scores, shape (n_rows, n_labels), and which rows hold evidence, as `TaskScorer.score` has it."""


@dataclass(frozen=True)
class Weights:
    """A linear model over counted texts: a BlockFit and a weight matrix a block, counted weights, intercept."""

    fits: tuple[BlockFit, ...]
    of_blocks: tuple[FloatArray, ...]
    counted: FloatArray
    usual: FloatArray
    intercept: FloatArray

    def score(self, counted: CountedTexts, rows: IntArray) -> Scored:
        """The scores of some of the counted texts."""
        scores = (counted.counted[rows] - self.usual) @ self.counted + self.intercept
        evidence = counted.hits[rows].any(axis=1)
        for block, fit, weights in zip(counted.blocks, self.fits, self.of_blocks, strict=True):
            features = tfidf(block, fit, rows)
            scores, evidence = scores + features @ weights, evidence | (np.diff(features.indptr) > 0)
        return scores, np.asarray(evidence)


def count_for(
    task: Task, texts: Sequence[str], settings: TaskSettings, *, unlabelled: Sequence[str] = (), seed: int = 0
) -> CountedTexts:
    """Count texts as the task's settings, or any that they search, say; `unlabelled` texts only where they are used."""
    every = (settings.fixed, *settings.candidates)
    return count_texts(
        texts,
        tuple(dict.fromkeys(block for candidate in every for block in candidate.blocks(task))),
        Counter(task, style_words() if any(candidate.style_weight for candidate in every) else {}),
        codebook=[_said_of(label) for label in task.labels] if any(each.codebook_weight for each in every) else (),
        unlabelled=unlabelled if any(candidate.lsa_weight for candidate in every) else (),
        seed=seed,
    )


def counts_for(counted: CountedTexts, task: Task, settings: TaskSettings) -> CountedTexts:
    """What one candidate asks for of the counts of all: its blocks, and other text only where it has a weight."""
    used = {"codebook": settings.codebook_weight > 0, "unlabelled": settings.lsa_weight > 0}
    return counted.only(settings.blocks(task), **used)


def _said_of(label: Label) -> str:
    """What the codebook says of a label, as text: name, definition and terms.

    Not its example, which may well be one of the passages that are held out.
    """
    return " . ".join([label.name.replace("_", " "), label.definition, *label.terms]).replace("*", "")


def fit_weights(
    counted: CountedTexts,
    gold: TaskGold,
    rows: IntArray,
    settings: Sequence[TaskSettings],
    ruled: BoolArray | None = None,
) -> list[Weights]:
    """One linear model a label, one against the rest, on the rows where the label is known.

    `settings` differ in nothing but `C`; each gives its weights. Cosines to the codebook and axes of unlabelled text,
    sums of the first block's features, are folded into its weights. A label that is known only as "yes" or only as
    "no" gets no weights, and its smoothed log-odds as the intercept; a `ruled` one, shape (n_labels,), the log count of
    its own term hits for a score.
    """
    chosen, target, known = settings[0], gold.gold[rows], gold.known[rows]
    fits = tuple(fit_block(block, rows) for block in counted.blocks)
    parts = [tfidf(block, fit, rows) for block, fit in zip(counted.blocks, fits, strict=True)]
    sums = [_sums(counted.blocks[0], fits[0], parts[0], chosen)] if parts else []
    parts += [sparse.csr_array(parts[0] @ of_words) for of_words in sums]
    usual, scale = _scale_of_counted(counted, rows, chosen)
    features = sparse.hstack([*parts, sparse.csr_array((counted.counted[rows] - usual) * scale)], format="csr")
    weight = _row_weights(target, known, balanced=chosen.balanced)
    n_yes, n_no = ((cells & known).sum(axis=0) for cells in (target, ~target))
    ruled = np.zeros(len(n_yes), dtype=np.bool_) if ruled is None else ruled
    learnt = np.flatnonzero((n_yes > 0) & (n_no > 0) & ~ruled)
    ends = np.cumsum([part.shape[1] for part in parts])
    found = []
    Cs = [one.C for one in settings]
    for solved in fit_linear(features, target[:, learnt], weight[:, learnt], Cs, loss=chosen.loss):
        weights, intercept = np.zeros((features.shape[1], len(n_yes))), np.log((n_yes + 0.5) / (n_no + 0.5))
        weights[:, learnt], intercept[learnt] = solved
        intercept[ruled] = 0
        *of_blocks, of_counted = np.split(weights, ends)
        of_counted = scale[:, None] * of_counted
        of_counted[np.flatnonzero(ruled), np.flatnonzero(ruled)] = 1
        for of_words in sums:
            of_blocks[0] = of_blocks[0] + of_words @ of_blocks.pop()
        found.append(Weights(fits, tuple(of_blocks), of_counted, usual, intercept))
    return found


def _sums(block: CountedBlock, fit: BlockFit, features: Matrix, settings: TaskSettings) -> FloatArray:
    """Columns that are sums of words: cosines to the codebook's text and axes of the unlabelled texts, both weighted.

    Shape (n_features, n_added). The axes are scaled so that a training passage has a mean square length of 1 there.
    """
    cosines = settings.codebook_weight * tfidf(block, fit, block.codebook).toarray().T
    axes = block.axes[fit.columns]
    length = np.sqrt(((features @ axes) ** 2).sum(axis=1).mean()) if len(features.indices) else 0.0
    return np.hstack([cosines, axes * (settings.lsa_weight / length if length > 0 else 0.0)])


def _scale_of_counted(counted: CountedTexts, rows: IntArray, settings: TaskSettings) -> tuple[FloatArray, FloatArray]:
    """What is subtracted from hits and style rates, and what they are multiplied by: rates are standardised."""
    found, n_labels = counted.counted[rows], counted.counter.n_labels
    usual, deviation = (found.mean(axis=0), found.std(axis=0)) if len(rows) else np.zeros((2, found.shape[1]))
    usual[:n_labels] = 0
    scale = np.divide(settings.style_weight, deviation, out=np.zeros_like(deviation), where=deviation > 1e-9)
    scale[:n_labels] = settings.hit_weight
    return usual, scale


def _row_weights(gold: BoolArray, known: BoolArray, *, balanced: bool) -> FloatArray:
    """1 where the label is known; `balanced`: known rows / (2 · rows of the same answer), as scikit-learn has it."""
    if not balanced:
        return known.astype(np.float64)
    n_known, n_yes = known.sum(axis=0), (gold & known).sum(axis=0)
    of_yes, of_no = n_known / (2 * np.maximum(n_yes, 1)), n_known / (2 * np.maximum(n_known - n_yes, 1))
    return np.asarray(np.where(gold, of_yes, of_no) * known)

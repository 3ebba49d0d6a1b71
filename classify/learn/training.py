"""Learn a task: weights from training rows, thresholds and calibration from scores out of fold; fold it all."""

import platform
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

import numpy as np
from scipy import sparse

from classify.bundle import Bundle, BundledTask
from classify.codebook import Label, Task
from classify.data.auditsample import audit_prevalence
from classify.data.dataset import Dataset, TaskGold, hash_text, sha256_of_texts
from classify.data.splits import grouped_folds, n_folds_for
from classify.errors import UsageError, how_many
from classify.learn.features import N_AXES, BlockFit, CountedBlock, CountedTexts, Matrix, count_texts, fit_block, tfidf
from classify.learn.settings import TaskSettings, TrainingSettings
from classify.learn.solver import fit_linear
from classify.learn.thresholds import NO_HITS, PREVALENCE, fit_decision, parse_threshold_rule
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.scores import average_precision, f1, grouped_counts
from classify.scorer.decisions import DecisionRule
from classify.scorer.linear import Block, Counter, TaskScorer
from classify.scorer.style import style_words


@dataclass(frozen=True)
class Weights:
    """A linear model over counted texts: a BlockFit and a weight matrix a block, counted weights, intercept."""

    fits: tuple[BlockFit, ...]
    of_blocks: tuple[FloatArray, ...]
    counted: FloatArray
    usual: FloatArray
    intercept: FloatArray

    def score(self, counted: CountedTexts, rows: IntArray) -> tuple[FloatArray, BoolArray]:
        """Scores, shape (n_rows, n_labels), and which rows hold a feature of the training rows or a term hit."""
        scores = (counted.counted[rows] - self.usual) @ self.counted + self.intercept
        evidence = counted.hits[rows].any(axis=1)
        for block, fit, weights in zip(counted.blocks, self.fits, self.of_blocks, strict=True):
            features = tfidf(block, fit, rows)
            scores, evidence = scores + features @ weights, evidence | (np.diff(features.indptr) > 0)
        return scores, np.asarray(evidence)


@dataclass(frozen=True)
class FittedTask:
    """A task learnt from some rows, with the settings that were chosen and the counts that they need.

    `held_out` are the scores of its rows out of fold, and which of them held any evidence. `is_cross_fitted` is False
    where events were too few to hold any out: thresholds and calibration then come from scores the model has seen,
    which flatter it. `ruled` labels, shape (n_labels,), are given by their terms alone.
    """

    settings: TaskSettings
    counted: CountedTexts
    weights: Weights
    decision: DecisionRule
    held_out: tuple[FloatArray, BoolArray]
    is_cross_fitted: bool
    ruled: BoolArray


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

    `settings` differ in nothing but `C`; each gives its weights. What was added to the TF-IDF blocks as cosines to the
    codebook and axes of unlabelled text is folded into the weights of the words. A label that is known only as "yes" or
    only as "no" gets no weights, and its smoothed log-odds as the intercept; a `ruled` one, shape (n_labels,), the
    log count of its own term hits for a score.
    """
    chosen, target, known = settings[0], gold.gold[rows], gold.known[rows]
    fits = tuple(fit_block(block, rows) for block in counted.blocks)
    parts = [tfidf(block, fit, rows) for block, fit in zip(counted.blocks, fits, strict=True)]
    added = _added(counted.blocks[0], fits[0], parts[0], chosen)
    usual, scale = _scale_of_counted(counted, rows, chosen)
    features = sparse.hstack(
        [*parts, sparse.csr_array(parts[0] @ added), sparse.csr_array((counted.counted[rows] - usual) * scale)],
        format="csr",
    )
    weight = _row_weights(target, known, balanced=chosen.balanced)
    n_yes, n_no = ((cells & known).sum(axis=0) for cells in (target, ~target))
    ruled = np.zeros(len(n_yes), dtype=np.bool_) if ruled is None else ruled
    learnt = np.flatnonzero((n_yes > 0) & (n_no > 0) & ~ruled)
    ends = np.cumsum([*(part.shape[1] for part in parts), added.shape[1]])
    found = []
    Cs = [one.C for one in settings]
    for solved in fit_linear(features, target[:, learnt], weight[:, learnt], Cs, loss=chosen.loss):
        weights, intercept = np.zeros((features.shape[1], len(n_yes))), np.log((n_yes + 0.5) / (n_no + 0.5))
        weights[:, learnt], intercept[learnt] = solved
        intercept[ruled] = 0
        *of_blocks, of_added, of_counted = np.split(weights, ends)
        of_counted = scale[:, None] * of_counted
        of_counted[np.flatnonzero(ruled), np.flatnonzero(ruled)] = 1
        of_blocks[0] = of_blocks[0] + added @ of_added
        found.append(Weights(fits, tuple(of_blocks), of_counted, usual, intercept))
    return found


def _added(block: CountedBlock, fit: BlockFit, features: Matrix, settings: TaskSettings) -> FloatArray:
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


def fit_task(
    counted: CountedTexts,
    gold: TaskGold,
    groups: IntArray,
    rows: IntArray,
    task: Task,
    settings: TaskSettings,
    seed: int,
    prevalence: FloatArray | None = None,
) -> FittedTask:
    """Learn the task from `rows` alone; nothing outside them is looked at.

    Thresholds and calibration come from scores of inner folds that hold out whole events, and so does the choice
    among candidates where the settings search. They are meant at the share of each label among the rows, or at the
    `prevalence` that is given, shape (n_labels,).
    """
    rows = rows[gold.coded[rows]]
    inner = np.unique(groups[rows], return_inverse=True)[1]
    n_folds = n_folds_for(int(inner.max(initial=-1)) + 1)
    folds = grouped_folds(gold.gold[rows], inner, n_folds=n_folds, seed=seed) if n_folds else np.zeros_like(rows)
    chosen = settings.fixed
    if settings.search and n_folds:
        chosen = choose_settings(counted, gold, rows, folds, task, settings.candidates)
    counted = counted.only(chosen.blocks(task))
    ruled = ruled_labels(task, gold.of(rows), chosen)
    (weights,) = fit_weights(counted, gold, rows, [chosen], ruled)
    if n_folds:
        scores, evidence = np.zeros((len(rows), len(task.labels))), np.zeros(len(rows), dtype=np.bool_)
        for fold in range(n_folds):
            inside, outside = rows[folds != fold], rows[folds == fold]
            (found,) = fit_weights(counted, gold, inside, [chosen], ruled)
            scores[folds == fold], evidence[folds == fold] = found.score(counted, outside)
    else:
        scores, evidence = weights.score(counted, rows)
    decision = fit_decision(
        task,
        scores,
        gold.gold[rows],
        gold.known[rows],
        rule=parse_threshold_rule(settings.thresholds),
        lowest=np.where(ruled, NO_HITS, -np.inf),
        prevalence=prevalence,
    )
    return FittedTask(chosen, counted, weights, decision, (scores, evidence), n_folds > 0, ruled)


def ruled_labels(task: Task, gold: TaskGold, settings: TaskSettings) -> BoolArray:
    """Labels with too few positives to learn from, but some, and with terms, shape (n_labels,)."""
    has_terms = np.array([bool(label.terms) for label in task.labels])
    support = gold.support
    return np.asarray((support > 0) & (support < settings.rule_below) & has_terms & task.is_multilabel)


def choose_settings(
    counted: CountedTexts,
    gold: TaskGold,
    rows: IntArray,
    folds: IntArray,
    task: Task,
    candidates: Sequence[TaskSettings],
) -> TaskSettings:
    """The candidate with the highest average precision, a mean over labels and folds; the first of equal ones.

    `folds` numbers the fold of each of `rows`. Candidates that differ only in `C` share their features.
    """
    quality = np.zeros(len(candidates))
    alike: dict[TaskSettings, list[int]] = defaultdict(list)
    for number, candidate in enumerate(candidates):
        alike[replace(candidate, C=1.0)].append(number)
    for shared, numbers in alike.items():
        counts = counted.only(shared.blocks(task))
        for fold in np.unique(folds):
            inside, outside = rows[folds != fold], rows[folds == fold]
            found = fit_weights(counts, gold, inside, [candidates[number] for number in numbers])
            for number, weights in zip(numbers, found, strict=True):
                quality[number] += _ranking_quality(weights.score(counts, outside)[0], gold, outside)
    return candidates[int(quality.argmax())]


def _ranking_quality(scores: FloatArray, gold: TaskGold, rows: IntArray) -> float:
    """Average precision, a mean over the labels that have a positive among the rows."""
    known = gold.known[rows]
    columns = np.flatnonzero((gold.gold[rows] & known).any(axis=0))
    values = [average_precision(gold.gold[rows[known[:, n]], n], scores[known[:, n], n]) for n in columns]
    return float(np.mean(values)) if values else 0.0


def fit_term_rule(
    counted: CountedTexts,
    gold: TaskGold,
    rows: IntArray,
    task: Task,
    settings: TaskSettings,
    prevalence: FloatArray | None = None,
) -> DecisionRule:
    """The decision rule of the codebook's terms alone: log hits as scores, thresholds chosen on the training rows."""
    rows = rows[gold.coded[rows]]
    rule = parse_threshold_rule(settings.thresholds)
    return fit_decision(
        task,
        counted.hits[rows],
        gold.gold[rows],
        gold.known[rows],
        rule=rule,
        lowest=np.array(NO_HITS),
        prevalence=prevalence,
    )


def fold_scorer(fitted: FittedTask) -> TaskScorer:
    """The fitted task as the numpy-only scorer that a bundle holds."""
    weights = fitted.weights
    blocks = tuple(
        Block(block.settings, tuple(block.features[column] for column in fit.columns), fit.idf, of_block)
        for block, fit, of_block in zip(fitted.counted.blocks, weights.fits, weights.of_blocks, strict=True)
    )
    return TaskScorer(blocks, fitted.counted.counter, weights.counted, weights.usual, weights.intercept)


def train(
    dataset: Dataset,
    *,
    settings: TrainingSettings | None = None,
    unlabelled: Sequence[str] = (),
    audit: Dataset | None = None,
) -> Bundle:
    """Train every task of which at least one passage is coded, on all labelled passages.

    `unlabelled` texts, more than N_AXES of them, teach what words go together; an `audit` sample, with an
    `inclusion_probability` a passage, resets thresholds and probabilities to its prevalence. Raises UsageError if no
    passage is coded at all, for fewer unlabelled texts, and for a threshold rule that a prevalence can't be given to;
    DataError for an audit without inclusion probabilities.
    """
    settings = settings or TrainingSettings()
    tasks = dataset.coded_tasks()
    if not tasks:
        raise UsageError("no passage is coded for any task; label some passages first")
    unlabelled = usable_unlabelled(unlabelled, dataset)
    prevalence = audit_prevalence(audit) if audit else {}
    if audit and not any(task.name in prevalence for task in tasks):
        raise UsageError("the audit sample is not coded for any task that is trained; expected labels for one of them")
    for task in tasks:
        asked = settings.of(task).thresholds
        if task.name in prevalence and asked != PREVALENCE:
            raise UsageError(f"thresholds {asked} don't follow a prevalence; leave the rule out")
    bundled, summary = {}, {}
    for task in tasks:
        task_settings = settings.of(task)
        counted = count_for(task, dataset.texts, task_settings, unlabelled=unlabelled, seed=settings.seed)
        gold, shares = dataset.gold(task), prevalence.get(task.name)
        everything = np.arange(len(dataset.passages))
        fitted = fit_task(counted, gold, dataset.groups, everything, task, task_settings, settings.seed, shares)
        rule = fit_term_rule(counted, gold, everything, task, task_settings, shares)
        rule_based = tuple(name for name, is_ruled in zip(task.label_names, fitted.ruled, strict=True) if is_ruled)
        bundled[task.name] = BundledTask(fold_scorer(fitted), fitted.decision, rule, rule_based)
        summary[task.name] = _summary(task, dataset, gold, fitted, task_settings)
    return Bundle(
        codebook=dataset.codebook,
        tasks=bundled,
        settings=settings.to_dict(),
        data={
            "sha256": dataset.sha256,
            "n_passages": len(dataset.passages),
            "n_events": len(dataset.event_names),
            "origins": dataset.counts_of("origin"),
            "coders": dataset.counts_of("coder"),
            "text_hashes": sorted(set(dataset.text_hashes)),
            "n_unlabelled": len(unlabelled),
            "unlabelled_sha256": sha256_of_texts(unlabelled),
            "prevalence_from": _audit_facts(audit, prevalence) if audit else None,
        },
        summary=summary,
        versions=versions(),
        seed=settings.seed,
    )


def usable_unlabelled(texts: Sequence[str], dataset: Dataset) -> list[str]:
    """Each text once, without those of labelled passages, which some fold holds out.

    Raises UsageError if there are texts, but too few to learn from.
    """
    first = {hash_text(text): text for text in reversed(texts)}
    for labelled in dataset.text_hashes:
        first.pop(labelled, None)
    found = list(reversed(first.values()))
    if texts and len(found) <= N_AXES:
        raise UsageError(f"found {how_many(len(found), 'unlabelled text')}; expected more than {N_AXES}, or none")
    return found


def _audit_facts(audit: Dataset, prevalence: Mapping[str, FloatArray]) -> dict[str, object]:
    shares = {
        name: dict(zip(audit.codebook[name].label_names, map(float, found), strict=True))
        for name, found in prevalence.items()
    }
    return {"sha256": audit.sha256, "n_passages": len(audit.passages), "prevalence": shares}


def _summary(
    task: Task, dataset: Dataset, gold: TaskGold, fitted: FittedTask, settings: TaskSettings
) -> dict[str, object]:
    """Support and out-of-fold F1 a label; the thresholds were fitted on the same scores, so `evaluate` is the judge."""
    coded = gold.coded
    predicted = fitted.decision.decide(*fitted.held_out)[1]
    one_group = np.zeros(int(coded.sum()), dtype=np.int64)
    values = f1(grouped_counts(gold.gold[coded], predicted, gold.known[coded], one_group)[0])
    facts = zip(task.label_names, gold.support.tolist(), gold.events_with(dataset.groups).tolist(), values, strict=True)
    return {
        "is_cross_fitted": fitted.is_cross_fitted,
        "searched": {key: getattr(fitted.settings, key) for key in settings.search},
        "labels": {
            name: {"support": support, "events": events, "f1": None if np.isnan(value) else round(float(value), 4)}
            for name, support, events, value in facts
        },
    }


def versions() -> dict[str, str]:
    """The releases that a result depends on."""
    names = ("classify-passages", "numpy", "scipy", "scikit-learn", "snowballstemmer")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}

"""Results to tables: the rows of `per_label.csv`, and plain data of agreement."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from classify.evaluation.results import Evaluation, TaskAgreement
from classify.measure.intervals import Estimate

Row = dict[str, object]


def per_label_rows(evaluation: Evaluation) -> Iterator[Row]:
    """One row a label, every estimate in three columns."""
    for name, result in evaluation.tasks.items():
        for label in result.labels:
            agreement = label.agreement
            yield {
                "task": name,
                "label": label.name,
                "support": label.support,
                "events": label.events,
                "prevalence": label.prevalence,
                "precision": label.precision,
                "recall": label.recall,
                **spread("f1", label.f1),
                **spread("average_precision", label.average_precision),
                **spread("gain_over_codebook_terms", label.gain),
                "matthews": label.matthews,
                **spread("brier_skill", label.brier_skill),
                **spread("calibration_slope", label.slope),
                **spread("calibration_intercept", label.intercept),
                "optimism": label.optimism,
                **spread("coder_alpha", agreement.alpha if agreement else Estimate(None)),
                "coder_f1": agreement.specific if agreement else None,
                "verdict": label.verdict,
                "reason": label.reason,
            }


def event_rows(evaluation: Evaluation) -> list[Row]:
    """How the data were split: one row an event, the largest first, with the fold that held it out."""
    folds = next(iter(evaluation.tasks.values())).folds.tolist()
    n_passages, fold_of = Counter(evaluation.events), dict(zip(evaluation.events, folds, strict=True))
    documents = defaultdict(set)
    for passage, event in zip(evaluation.passages, evaluation.events, strict=True):
        documents[event].add(passage.document)
    return [
        {"event": event, "passages": n, "documents": len(documents[event]), "fold": fold_of[event] + 1 or None}
        for event, n in sorted(n_passages.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def agreement_dict(agreement: TaskAgreement) -> dict[str, object]:
    """Plain data of a task's agreement."""
    return {
        "task": agreement.task,
        "measure": agreement.measure,
        "overall": agreement.overall.to_dict(),
        "percent_agreement": agreement.percent,
        "n_double_coded": agreement.n_double,
        "n_clusters": agreement.n_clusters,
        "labels": {
            label.name: {
                "alpha": label.alpha.to_dict(),
                "specific_agreement": label.specific,
                "percent_agreement": label.percent,
                "n_positive": label.n_positive,
            }
            for label in agreement.labels
        },
    }


def spread(name: str, estimate: Estimate) -> Row:
    """An estimate in three columns."""
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}

"""Results to tables: the rows of `per_label.csv` and `predictions.csv`, and the text a terminal shows."""

from collections.abc import Iterator

from classify.evaluation.results import Evaluation, TaskAgreement
from classify.measure.intervals import Estimate

Row = dict[str, object]

PREDICTION_COLUMNS = (
    "id", "event", "fold", "task", "label", "gold", "score", "probability", "threshold", "predicted", "system",
)  # fmt: skip


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
                **_spread("f1", label.f1),
                **_spread("average_precision", label.average_precision),
                **_spread("gain_over_codebook_terms", label.gain),
                **_spread("coder_alpha", agreement.alpha if agreement else Estimate(None)),
                "coder_f1": agreement.specific if agreement else None,
                "verdict": label.verdict,
                "reason": label.reason,
            }


def prediction_rows(evaluation: Evaluation) -> Iterator[Row]:
    """One row for each system, passage and label; no texts. `gold` is empty where it is not known."""
    for name, result in evaluation.tasks.items():
        for system, held in result.held_out.items():
            for row in result.gold.coded.nonzero()[0]:
                fold = int(result.folds[row])
                for column, label in enumerate(result.task.label_names):
                    known = result.gold.known[row, column]
                    yield {
                        "id": evaluation.ids[row],
                        "event": evaluation.events[row],
                        "fold": fold + 1 if fold >= 0 else None,
                        "task": name,
                        "label": label,
                        "gold": int(result.gold.gold[row, column]) if known else None,
                        "score": repr(float(held.scores[row, column])),
                        "probability": repr(float(held.probabilities[row, column])),
                        "threshold": None if held.thresholds is None else repr(float(held.thresholds[row, column])),
                        "predicted": int(held.predicted[row, column]),
                        "system": system,
                    }


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


def _spread(name: str, estimate: Estimate) -> Row:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}

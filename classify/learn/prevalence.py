"""An audit sample to the shares that thresholds and probabilities are reset to, checked against what is trained."""

from collections.abc import Mapping, Sequence

import numpy as np

from classify.codebook import Task
from classify.data.auditsample import audit_prevalence
from classify.data.dataset import Dataset
from classify.errors import UsageError
from classify.learn.settings import TrainingSettings
from classify.learn.thresholds import PREVALENCE
from classify.measure.arrays import FloatArray


def prevalence_for(
    audit: Dataset | None, tasks: Sequence[Task], settings: TrainingSettings
) -> Mapping[str, FloatArray]:
    """The shares of each task that is trained and was coded in the audit; none without an audit.

    Raises UsageError where that is no task, where a task has another kind or other labels in the audit's codebook, and
    where its thresholds follow another rule than prevalence; DataError for missing inclusion probabilities.
    """
    if audit is None:
        return {}
    coded = {task.name: task for task in audit.coded_tasks()}
    common = [task for task in tasks if task.name in coded]
    if not common:
        raise UsageError("the audit sample is not coded for any task that is trained; expected labels for one of them")
    for task in common:
        theirs, rule = coded[task.name], settings.of(task).thresholds
        if (theirs.kind, theirs.label_names) != (task.kind, task.label_names):
            raise UsageError(
                f"task {task.name}: the audit sample was read with a codebook of labels {_described(theirs)}; expected "
                f"{_described(task)}, in this order; read both with the same codebook"
            )
        if rule != PREVALENCE:
            raise UsageError(f"thresholds {rule} don't follow a prevalence; leave the rule out")
    found = audit_prevalence(audit)
    return {task.name: found[task.name] for task in common}


def _described(task: Task) -> str:
    return f"{', '.join(task.label_names)} ({task.kind})"


def audit_facts(audit: Dataset, prevalence: Mapping[str, FloatArray]) -> dict[str, object]:
    """What a manifest says of an audit; a share that isn't known is None."""
    shares = {
        name: {
            label: None if np.isnan(share) else float(share)
            for label, share in zip(audit.codebook[name].label_names, found, strict=True)
        }
        for name, found in prevalence.items()
    }
    return {"sha256": audit.sha256, "n_passages": len(audit.passages), "prevalence": shares}

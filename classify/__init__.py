"""Tag passages of text with the labels of a codebook, and know which labels can be trusted.

>>> from classify import Codebook, Label, Task, TaskKind
>>> Codebook("demo", (Task("theme", TaskKind.MULTILABEL, (Label("sea"), Label("land"))),)).task_names
('theme',)
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classify.bundle import Bundle
    from classify.codebook import Codebook, Label, Task, TaskKind, load_codebook
    from classify.data.annotations import read_coders
    from classify.data.dataset import Dataset, load_labels
    from classify.data.documents import read_document
    from classify.data.segment import segment
    from classify.errors import ClassifyError
    from classify.estimate.results import Shares
    from classify.estimate.shares import estimate_shares
    from classify.evaluation.evaluate import evaluate, evaluate_bundle
    from classify.evaluation.results import Evaluation
    from classify.learn.estimator import PassageClassifier
    from classify.learn.settings import TrainingSettings
    from classify.learn.training import train
    from classify.passages import Document, Passage, Prediction
    from classify.predictor import Predictor
    from classify.report.files import write_evaluation

_HOME = {
    "Bundle": "bundle",
    "ClassifyError": "errors",
    "Codebook": "codebook",
    "Dataset": "data.dataset",
    "Document": "passages",
    "Evaluation": "evaluation.results",
    "Label": "codebook",
    "Passage": "passages",
    "PassageClassifier": "learn.estimator",
    "Prediction": "passages",
    "Predictor": "predictor",
    "Shares": "estimate.results",
    "Task": "codebook",
    "TaskKind": "codebook",
    "TrainingSettings": "learn.settings",
    "estimate_shares": "estimate.shares",
    "evaluate": "evaluation.evaluate",
    "evaluate_bundle": "evaluation.evaluate",
    "load_codebook": "codebook",
    "load_labels": "data.dataset",
    "read_coders": "data.annotations",
    "read_document": "data.documents",
    "segment": "data.segment",
    "train": "learn.training",
    "write_evaluation": "report.files",
}

__all__ = [
    "Bundle",
    "ClassifyError",
    "Codebook",
    "Dataset",
    "Document",
    "Evaluation",
    "Label",
    "Passage",
    "PassageClassifier",
    "Prediction",
    "Predictor",
    "Shares",
    "Task",
    "TaskKind",
    "TrainingSettings",
    "estimate_shares",
    "evaluate",
    "evaluate_bundle",
    "load_codebook",
    "load_labels",
    "read_coders",
    "read_document",
    "segment",
    "train",
    "write_evaluation",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that `import classify` costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'classify' has no attribute {name!r}")
    value = getattr(import_module(f"classify.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

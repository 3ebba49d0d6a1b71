"""What tests of evaluation share: small codings and predictions made by hand, and one evaluation of the toy corpus."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pytest

from classify.codebook import Codebook, Label, Task, TaskKind
from classify.data.annotations import LabelledPassage
from classify.data.dataset import Dataset, TaskGold, make_dataset
from classify.evaluation import curve
from classify.evaluation.evaluate import evaluate
from classify.evaluation.heldout import Decidable, HeldOut
from classify.evaluation.results import Evaluation

TOPIC = Task("topic", TaskKind.MULTILABEL, (Label("sea", terms=("ship*",)), Label("cyber")))
TONE = Task("tone", TaskKind.MULTICLASS, (Label("plain"), Label("loud"), Label("proud")))
BOOK = Codebook("made", (TOPIC, TONE))
TOPICS = Codebook("topics", (TOPIC,))

SEA, CYBER, OTHER = (
    ["navy", "ships", "harbour", "fleet", "sailors", "coast"],
    ["hackers", "network", "malware", "servers", "passwords", "breach"],
    ["rain", "festival", "nurses", "football", "tariffs", "cotton"],
)


def passage(
    event: str, number: int, text: str, topics: Iterable[str] | None, tone: str | None = None, **extra: Any
) -> LabelledPassage:
    """A passage of the document and event of that name; `None` where a task is not coded."""
    labels = {
        "topic": None if topics is None else frozenset(topics),
        "tone": None if tone is None else frozenset([tone]),
    }
    return LabelledPassage(f"{event}#{number}", text, event, event, labels, {}, extra, f"made:{number}")


def gold_of(rows: Sequence[Sequence[int]]) -> TaskGold:
    """Labels by hand: 1 given, 0 not given, -1 not known."""
    cells = np.array(rows)
    return TaskGold(cells == 1, cells >= 0)


def held_out(
    probabilities: Sequence[Sequence[float]], *, threshold: float | None = 0.5, certainty: Sequence[float] | None = None
) -> HeldOut:
    """Probabilities that are their own scores, decided at a threshold, or the largest of a row where there is none."""
    p = np.array(probabilities, dtype=np.float64)
    best = np.arange(p.shape[1]) == p.argmax(axis=1, keepdims=True)
    clipped = np.clip(p, 1e-9, 1 - 1e-9)
    logits = np.log(clipped / (1 - clipped))
    return HeldOut(
        scores=p,
        probabilities=p,
        predicted=best if threshold is None else p >= threshold,
        thresholds=None if threshold is None else np.full_like(p, threshold),
        certainty=np.ones(len(p)) if certainty is None else np.array(certainty, dtype=np.float64),
        decidable=None
        if threshold is None
        else Decidable(logits, np.full_like(p, -np.inf), np.ones(len(p), dtype=np.bool_)),
    )


def made_dataset(n_events: int = 12, *, seed: int = 0) -> Dataset:
    """Events of four passages on a topic in the words of that topic, a few of them in those of another.

    Events have an `origin` each, passages a `date`; an exclamation mark goes with a loud tone, mostly.
    """
    rng = np.random.default_rng(seed)
    passages = []
    for event in range(n_events):
        for number in range(4):
            topics, words = ((["sea"], SEA), (["cyber"], CYBER), ([], OTHER))[rng.integers(3)]
            strays = ((SEA, CYBER, OTHER)[rng.integers(3)])[:3]
            text = " ".join([*rng.choice(words, 4), *rng.choice(strays, 2), *(f"own{event}x{n}" for n in range(3))])
            tone = ("plain", "loud")[rng.integers(2)]
            mark = "!" if tone == "loud" and rng.random() < 0.9 else "."
            extra = {"origin": ("field", "seed")[event % 3 == 0], "date": f"202{number % 2}-05-01"}
            passages.append(passage(f"e{event:02}", number, f"{text} so{mark * 3}", topics, tone, **extra))
    return make_dataset(passages, BOOK)


@pytest.fixture
def no_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave learning curves out of evaluations, which take most of their time."""
    monkeypatch.setattr(curve, "MAX_PASSAGES", 0)


@pytest.fixture(scope="session")
def made() -> Dataset:
    return made_dataset()


@pytest.fixture(scope="session")
def made_evaluation(made: Dataset) -> Evaluation:
    """Broken down by origin and year."""
    return evaluate(made, by=["origin", "year"])


@pytest.fixture(scope="session")
def toy_evaluation(toy_dataset: Dataset) -> Evaluation:
    return evaluate(toy_dataset)

"""The check for topic leaks: it finds a task that is nothing but topic, and clears one that is nothing but style."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from classify.codebook import Codebook, Label, Task, TaskKind
from classify.data.annotations import LabelledPassage
from classify.data.dataset import Dataset, make_dataset
from classify.evaluation.heldout import MODEL
from classify.evaluation.results import CONTENT, STYLE, TopicLeak
from classify.evaluation.schemes import EVENT_FOLDS, over_events
from classify.evaluation.topicleak import judge_leak, leak_jobs
from classify.learn.settings import FRAMING_DEFAULTS
from classify.learn.weights import count_for

TOPICS = ("sea", "farm", "law", "sport")
THEME = Task("theme", TaskKind.MULTILABEL, tuple(Label(name) for name in TOPICS))
TONE = Task("tone", TaskKind.MULTICLASS, (Label("plain"), Label("sure")))
BOOK = Codebook("toy", (THEME, TONE))
WORDS = {
    "sea": "ship harbour sail tide anchor navy",
    "farm": "cow wheat barn plough seed hay",
    "law": "court judge appeal clause verdict writ",
    "sport": "goal team match coach league ball",
}


def dataset(tone_of: Any) -> Dataset:
    """160 passages of 40 events, ten an event of each topic; `tone_of(topic, n)` says how passage n is told."""
    rng, passages = np.random.default_rng(0), []
    for event in range(40):
        topic = TOPICS[event % 4]
        for number in range(4):
            tone = tone_of(topic, number)
            body = rng.choice(WORDS[topic].split(), 5).tolist()
            opening = (
                ["clearly", "certainly", "undoubtedly"] if tone == "sure" else ["perhaps", "seemingly", "possibly"]
            )
            style = [] if tone_of is by_topic else [str(rng.choice(opening))]
            name = f"{event}-{number}"
            labels = {"theme": frozenset([topic]), "tone": frozenset([tone])}
            text = " ".join([*style, *body]) + "."
            passages.append(LabelledPassage(name, text, f"d{event}", f"e{event}", labels, {}, place=f"x:{event + 1}"))
    return make_dataset(passages, BOOK)


def by_topic(topic: str, number: int) -> str:
    return "sure" if topic in ("sea", "law") else "plain"


def by_style(topic: str, number: int) -> str:
    return "sure" if number % 2 else "plain"


def check(data: Dataset, **changes: Any) -> TopicLeak | None:
    settings = replace(FRAMING_DEFAULTS, **changes)
    counted = count_for(TONE, data.texts, settings)
    plan = over_events(data, scheme=EVENT_FOLDS, seed=0)
    return judge_leak(data, TONE, [job.compute() for job in leak_jobs(data, TONE, settings, counted, plan)])


def test_a_task_that_is_all_topic_is_lost_where_the_topic_is_left_out() -> None:
    leak = check(dataset(by_topic))
    assert leak is not None
    known, left_out, lost = leak.macro_f1[MODEL]
    assert known.value == pytest.approx(1.0)
    assert left_out.value is not None
    assert left_out.value < 0.7
    assert lost.low is not None
    assert lost.low > 0.05
    assert leak.macro_f1[STYLE][0].value < 0.8  # type: ignore[operator]


def test_a_task_that_is_all_style_stays() -> None:
    leak = check(dataset(by_style))
    assert leak is not None
    known, left_out, lost = leak.macro_f1[MODEL]
    assert known.value == pytest.approx(1.0)
    assert left_out.value == pytest.approx(1.0)
    assert lost.value == pytest.approx(0.0)
    assert leak.macro_f1[STYLE][1].value == pytest.approx(1.0)
    assert leak.n_passages == 160
    assert leak.topics == TOPICS


def test_nothing_of_the_topic_or_of_its_events_is_learnt_from() -> None:
    data = dataset(by_style)
    counted = count_for(TONE, data.texts, FRAMING_DEFAULTS)
    jobs = leak_jobs(data, TONE, FRAMING_DEFAULTS, counted, over_events(data, scheme=EVENT_FOLDS, seed=0))
    of_topics = [job.compute.args for job in jobs if job.compute.args[2]]  # type: ignore[attr-defined]
    topic = np.array(data.gold(THEME).gold.argmax(axis=1))
    assert len(of_topics) == 4
    for *_, inside, outside in of_topics:
        assert not set(topic[inside]) & set(topic[outside])
        assert not set(data.groups[inside]) & set(data.groups[outside])


@pytest.mark.parametrize("changes", [{"style_weight": 0.0}])
def test_without_a_style_block_there_is_no_check(changes: dict[str, Any]) -> None:
    assert check(dataset(by_style), **changes) is None


def test_without_a_task_of_topics_there_is_no_check() -> None:
    data = dataset(by_style)
    alone = make_dataset([replace(p, labels={"tone": p.labels["tone"]}) for p in data.passages], Codebook("t", (TONE,)))
    assert check(alone) is None


def test_the_whole_is_told_of_content_and_model() -> None:
    leak = check(dataset(by_style))
    assert leak is not None
    assert list(leak.to_dict()["macro_f1"]) == [STYLE, CONTENT, MODEL]

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
from classify.evaluation.schemes import EVENT_FOLDS, LEAVE_ONE_EVENT_OUT, Scheme, held_out_part, over_events
from classify.evaluation.topicleak import judge_leak, leak_jobs
from classify.learn.settings import FRAMING_DEFAULTS
from classify.learn.weights import count_for
from classify.measure.arrays import IntArray

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


EVENTS = ("sea",) * 13 + ("farm",) * 11 + ("law",) * 9 + ("sport",) * 7 + (None,)
"""What each event is about; the last one is about nothing."""
OF_ONE_TONE = {"sea": "law", "law": "sea", "farm": "sport", "sport": "farm"}
OPENINGS = {"sure": ["clearly", "certainly", "undoubtedly"], "plain": ["perhaps", "seemingly", "possibly"]}


def topics_of(event: int, number: int) -> tuple[str, ...]:
    """Some events have a passage of another topic, some a passage of two."""
    topic = EVENTS[event]
    if topic is None:
        return ()
    if event % 5 == 0 and number == 3:
        return (OF_ONE_TONE[topic],)
    return (topic, OF_ONE_TONE[topic]) if event % 5 == 1 and number == 2 else (topic,)


def dataset(tone_of: Any) -> Dataset:
    """164 passages of 41 events; `tone_of(topic, n)` says how passage n is told, and every third event is a seed."""
    rng, passages = np.random.default_rng(0), []
    for event in range(len(EVENTS)):
        for number in range(4):
            topics = topics_of(event, number)
            tone = tone_of(topics[0] if topics else "", number)
            body = rng.choice(" ".join(WORDS[topic] for topic in topics or TOPICS).split(), 5).tolist()
            style = [] if tone_of is by_topic else [str(rng.choice(OPENINGS[tone]))]
            name, origin = f"{event}-{number}", {"origin": "composed" if event % 3 else "seed"}
            labels = {"theme": frozenset(topics), "tone": frozenset([tone])}
            text = " ".join([*style, *body]) + "."
            place = f"x:{event + 1}"
            passages.append(LabelledPassage(name, text, f"d{event}", f"e{event}", labels, {}, origin, place))
    return make_dataset(passages, BOOK)


def by_topic(topic: str, number: int) -> str:
    return "sure" if topic in ("sea", "law") else "plain"


def by_style(topic: str, number: int) -> str:
    return "sure" if number % 2 else "plain"


def over_folds(data: Dataset) -> Scheme:
    return over_events(data, scheme=EVENT_FOLDS, seed=0)


def check(data: Dataset, task: Task = TONE, **changes: Any) -> TopicLeak | None:
    settings = replace(FRAMING_DEFAULTS, char_ngrams=None, **changes)
    counted = count_for(task, data.texts, settings)
    return judge_leak(data, task, [job.compute() for job in leak_jobs(data, task, settings, counted, over_folds(data))])


def splits_asked_for(data: Dataset, plan: Scheme) -> list[tuple[str | None, IntArray, IntArray]]:
    """Topic, rows learnt from and rows judged of every fit."""
    settings = replace(FRAMING_DEFAULTS, char_ngrams=None)
    counted = count_for(TONE, data.texts, settings)
    jobs: list[Any] = leak_jobs(data, TONE, settings, counted, plan)
    return [job.compute.args[-3:] for job in jobs]


def test_a_task_that_is_all_topic_is_lost_where_the_topic_is_left_out() -> None:
    leak = check(dataset(by_topic))
    assert leak is not None
    known, left_out, lost = leak.macro_f1[MODEL]
    assert known.value is not None
    assert left_out.value is not None
    assert lost.low is not None
    assert known.value > 0.95
    assert left_out.value < 0.7
    assert lost.low > 0.05
    assert leak.macro_f1[STYLE][0].value < 0.8  # type: ignore[operator]
    assert leak.macro_f1[CONTENT][0].value > 0.95  # type: ignore[operator]


def test_a_task_that_is_all_style_stays() -> None:
    leak = check(dataset(by_style))
    assert leak is not None
    known, left_out, lost = leak.macro_f1[MODEL]
    assert known.value == pytest.approx(1.0)
    assert left_out.value == pytest.approx(1.0)
    assert lost.value == pytest.approx(0.0)
    assert leak.macro_f1[STYLE][1].value == pytest.approx(1.0)
    assert leak.n_passages == 160  # the event about nothing is left out
    assert leak.topics == TOPICS


def test_content_knows_neither_style_words_nor_style_rates() -> None:
    leak = check(dataset(by_style))
    assert leak is not None
    assert leak.macro_f1[CONTENT][0].value == pytest.approx(0.5, abs=0.15)


def test_content_knows_style_words_no_better_where_they_are_terms_of_the_codebook() -> None:
    terms = {name: tuple(words) for name, words in OPENINGS.items()}
    spoken = replace(TONE, labels=tuple(Label(label.name, terms=terms[label.name]) for label in TONE.labels))
    leak = check(dataset(by_style), spoken, codebook_weight=1.0)
    assert leak is not None
    assert leak.macro_f1[CONTENT][0].value == pytest.approx(0.5, abs=0.15)


def test_style_knows_nothing_of_term_hits() -> None:
    terms = {"plain": (), "sure": (*WORDS["sea"].split(), *WORDS["law"].split())}
    spoken = replace(TONE, labels=tuple(Label(label.name, terms=terms[label.name]) for label in TONE.labels))
    leak = check(dataset(by_topic), spoken)
    assert leak is not None
    assert leak.macro_f1[STYLE][0].value < 0.8  # type: ignore[operator]


def test_nothing_of_the_topic_or_of_its_events_is_learnt_from() -> None:
    data = dataset(by_style)
    carries, support = data.gold(THEME).gold, data.gold(THEME).support
    left_out = [asked for asked in splits_asked_for(data, over_folds(data)) if asked[0]]
    assert [topic for topic, *_ in left_out] == list(TOPICS)
    for topic, inside, outside in left_out:
        number = TOPICS.index(str(topic))
        assert not carries[inside, number].any()
        assert not set(data.groups[inside]) & set(data.groups[outside])
        rarest = [min(np.flatnonzero(row), key=lambda n: support[n], default=-1) for row in carries]
        assert outside.tolist() == np.flatnonzero(np.array(rarest) == number).tolist()


def test_a_part_that_is_held_out_is_not_learnt_from() -> None:
    data = dataset(by_style)
    plan = held_out_part(data, "origin", "seed")
    asked = splits_asked_for(data, plan)
    assert [topic for topic, *_ in asked] == [None, *TOPICS]
    for _, inside, outside in asked:
        assert set(outside) <= set(plan.rows)
        assert not set(inside) & set(plan.rows)


def test_a_split_without_a_passage_of_any_topic_is_not_learnt() -> None:
    data = dataset(by_style)
    asked = splits_asked_for(data, over_events(data, scheme=LEAVE_ONE_EVENT_OUT, seed=0))
    assert len(asked) == len(EVENTS) - 1 + len(TOPICS)
    assert all(len(outside) for *_, outside in asked)


@pytest.mark.parametrize(
    ("weight", "searched", "is_checked"),
    [(0.0, (), False), (0.05, (), True), (0.0, (0.0, 0.3), True), (0.05, (0.0,), False)],
)
def test_there_is_a_check_where_any_candidate_has_a_style_block(
    weight: float, searched: tuple[float, ...], is_checked: bool
) -> None:
    search = {"style_weight": searched} if searched else {}
    leak = check(dataset(by_style), style_weight=weight, search=search)
    assert (leak is not None) == is_checked


def test_a_task_of_topics_has_no_check() -> None:
    assert check(dataset(by_style), THEME) is None


def test_without_a_task_of_topics_there_is_no_check() -> None:
    data = dataset(by_style)
    alone = make_dataset([replace(p, labels={"tone": p.labels["tone"]}) for p in data.passages], Codebook("t", (TONE,)))
    assert check(alone) is None


def test_the_whole_is_told_of_content_and_model() -> None:
    leak = check(dataset(by_style))
    assert leak is not None
    assert list(leak.to_dict()["macro_f1"]) == [STYLE, CONTENT, MODEL]

"""Words that stand for a label: what folds weigh is counted by hand, signs are compared, words stand as written."""

from dataclasses import replace

import numpy as np
import pytest

from classify.data.dataset import Dataset, make_dataset
from classify.evaluation.labelwords import MIN_EVENTS, FoldWords, find_label_words
from classify.evaluation.results import Evaluation
from classify.scorer.tokens import BlockSettings
from tests.evaluation.conftest import TOPIC, TOPICS, passage

TEXTS = ["Ships sail", "Ships sail", "A ship sails", "Hackers wait"]


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    topics = [["sea"], ["sea"], ["sea"], ["cyber"]]
    return make_dataset([passage(f"e{n}", n, text, topics[n]) for n, text in enumerate(TEXTS)], TOPICS)


def fold(**pulls: float) -> FoldWords:
    """What a model makes of some stems for sea, and the opposite for cyber; one style rate."""
    values = np.array([[value, -value] for value in pulls.values()])
    return FoldWords(BlockSettings(), tuple(pulls), values, ("hedges",), np.array([[0.5, -0.5]]))


def test_a_weight_is_the_mean_of_the_models_with_the_number_that_share_its_sign(dataset: Dataset) -> None:
    folds = [fold(ship=1.0, sail=-0.25), fold(ship=0.5, sail=0.75), fold(ship=0.0)]
    sea, cyber = find_label_words(dataset, TOPIC, folds)
    assert [("ships", 0.5, 2, 3), ("sail", 0.5 / 3, 1, 3)] == [
        (w.name, w.value, w.n_same, w.n_passages) for w in sea.words_for
    ]
    assert () == sea.words_against == cyber.words_for
    assert [("ships", -0.5), ("sail", -0.5 / 3)] == [(w.name, w.value) for w in cyber.words_against]
    assert (3, 2, 0) == (sea.n_models, sea.n_weighed, sea.n_stable)


def test_style_rates_come_with_their_weight_for_every_label(dataset: Dataset) -> None:
    sea, cyber = find_label_words(dataset, TOPIC, [fold(ship=1.0), fold(ship=1.0)])
    assert [("hedges", 0.5, 2)] == [(w.name, w.value, w.n_same) for w in sea.style]
    assert [("hedges", -0.5, 2)] == [(w.name, w.value, w.n_same) for w in cyber.style]


def test_without_models_there_are_no_words(dataset: Dataset) -> None:
    assert () == find_label_words(dataset, TOPIC, [])


def test_models_without_a_block_of_words_still_have_style(dataset: Dataset) -> None:
    bare = replace(fold(), settings=None, pulls=np.zeros((0, 2)))
    sea, _ = find_label_words(dataset, TOPIC, [bare])
    assert ((), ["hedges"]) == (sea.words_for, [w.name for w in sea.style])


def test_an_evaluation_weighs_words_of_several_events_as_every_fold_saw_them(
    made_evaluation: Evaluation,
) -> None:
    sea, cyber, *_ = made_evaluation["topic"].words
    texts = [p.text.lower() for p in made_evaluation.passages]
    assert {"navy", "ships", "fleet"} & {w.name for w in sea.words_for}
    assert {"hackers", "malware", "servers"} & {w.name for w in cyber.words_for}
    for weight in (*sea.words_for, *sea.words_against):
        holding = {event for text, event in zip(texts, made_evaluation.events, strict=True) if weight.name in text}
        assert len(holding) >= MIN_EVENTS
        assert 1 <= weight.n_same <= sea.n_models == 5


def test_words_are_written_as_plain_data(made_evaluation: Evaluation) -> None:
    plain = made_evaluation.to_dict()["tasks"]["tone"]["words"]["plain"]
    assert {"n_models", "n_weighed", "n_stable", "words_for", "words_against", "collocations", "style"} == set(plain)
    assert {"name", "value", "n_same", "n_passages"} == set(plain["words_for"][0])

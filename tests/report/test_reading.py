"""What is worth reading is chosen: doubtful passages first, something behind every number, then the surest."""

from typing import Any

import numpy as np
import pytest

from classify.data.tags import Tags
from classify.report.reading import Doubt, choose, doubt, threshold_of
from tests.report.conftest import prediction, read


def doubts(tags: Tags) -> dict[str, Doubt]:
    return {name: doubt(task, tags.model.codes) for name, task in tags.tasks.items()}


@pytest.mark.parametrize(
    ("p", "n_given", "expected"),
    [([0.1, 0.3, 0.7, 0.9], 2, 0.5), ([0.9, 0.1, 0.2], 1, 0.55), ([0.1, 0.2], 0, None), ([0.1, 0.2], 2, None)],
)
def test_a_threshold_lies_halfway_between_given_and_not_given(
    p: list[float], n_given: int, expected: float | None
) -> None:
    found = threshold_of(np.array(p), n_given)
    assert (expected is None and np.isnan(found)) or found == pytest.approx(expected)


def test_doubt_names_the_answer_that_was_nearest(tags: Tags) -> None:
    theme, framing = doubts(tags)["theme"], doubts(tags)["framing"]
    assert 7 == theme.certainty.argmin() == framing.certainty.argmin()
    assert 1 == theme.label[7]
    assert pytest.approx((0.2 + 0.6) / 2) == theme.cut[7]
    assert pytest.approx(0.6 - 0.4) == framing.certainty[7]


def test_each_bundle_has_thresholds_of_its_own() -> None:
    rows = [
        prediction(["sea"], "report", review=[], sure=sure) | {"model": model}
        for sure, model in ((0.9, "a"), (0.3, "b"))
    ]
    rows += [prediction([], "report", review=[]) | {"model": model} for model in "ab"]
    found = doubts(read(rows))["theme"]
    assert pytest.approx([0.55, 0.25, 0.55, 0.25]) == found.cut.tolist()


def test_a_label_near_to_its_threshold_nearly_everywhere_is_passed_over() -> None:
    rows = [prediction(["sea"] if n % 2 else [], "report", review=[]) for n in range(40)]
    for n, row in enumerate(rows):
        row["probabilities"]["theme"]["cyber"] = 0.001 + 1e-6 * n
    rows[39]["predicted"]["theme"].append("cyber")
    found = doubts(read(rows))["theme"]
    assert [0] * 40 == found.label.tolist()


def test_all_are_shown_where_there_is_room_those_to_review_first(tags: Tags) -> None:
    assert [7, 2, 0, 1, 3, 4, 5, 6] == choose(tags, doubts(tags), [])


def many(n: int, n_review: int) -> Tags:
    rows: list[dict[str, Any]] = []
    for i in range(n):
        review = ["near_threshold"] if i < n_review else []
        sure = 0.5 + 0.4 * i / n
        rows.append(prediction(["sea"] if i % 2 else ["cyber"], "report", review=review, sure=sure))
    return read(rows)


def test_at_most_half_are_doubtful_nearest_first_and_the_others_the_surest() -> None:
    tags = many(100, 60)
    chosen = choose(tags, doubts(tags), [], most=20)
    assert list(range(10)) == sorted(chosen[:10])
    assert 10 == sum(tags.needs_review()[chosen])
    assert {99, 98, 97, 96} <= set(chosen)
    assert 20 == len(set(chosen))


def test_a_number_that_would_have_no_passage_gets_its_surest() -> None:
    tags = many(100, 0)
    member = np.isin(np.arange(100), (40, 41, 42))
    chosen = choose(tags, doubts(tags), [(member, np.arange(100.0))], most=10)
    assert [42] == [row for row in chosen if member[row]]


def test_there_are_never_more_than_asked_for() -> None:
    tags = many(50, 5)
    cells = [(np.arange(50) == row, np.ones(50)) for row in range(50)]
    assert 10 == len(choose(tags, doubts(tags), cells, most=10))

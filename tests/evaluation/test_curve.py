"""The learning curve: ever larger parts of whole events, macro average precision by hand, and a coarse answer."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from classify.data.dataset import Dataset, make_dataset
from classify.evaluation import curve
from classify.evaluation.curve import FRACTIONS, Point, curve_jobs, draw_curve
from classify.evaluation.evaluate import evaluate
from classify.evaluation.results import Evaluation, LearningCurve
from classify.evaluation.schemes import EVENT_FOLDS, over_events
from classify.learn.features import CountedTexts
from classify.learn.settings import THEME_DEFAULTS
from classify.learn.weights import count_for
from classify.measure.intervals import Estimate
from tests.evaluation.conftest import TOPIC, TOPICS, passage

N_EVENTS = 6
JUDGED = np.array([True, False])


def in_powers_of_two() -> Dataset:
    """Event n has 2**n passages, so that the number of passages learnt from tells which events they are."""
    passages = [
        passage(f"e{event}", number, f"word{event} common{number % 3}", ["sea"] if number % 2 else ["cyber"])
        for event in range(N_EVENTS)
        for number in range(2**event)
    ]
    return make_dataset(passages, TOPICS)


def counted(dataset: Dataset) -> CountedTexts:
    return count_for(TOPIC, dataset.texts, THEME_DEFAULTS)


@pytest.fixture(scope="module")
def powers() -> Dataset:
    return in_powers_of_two()


@pytest.fixture(scope="module")
def points(powers: Dataset) -> list[Point]:
    splits = over_events(powers, scheme=EVENT_FOLDS, seed=0).splits
    return [job.compute() for job in curve_jobs(powers, TOPIC, THEME_DEFAULTS, counted(powers), splits, seed=0)]


def events_of(n_passages: int) -> set[int]:
    """The events of the powers of two that sum to this number."""
    return {event for event in range(N_EVENTS) if n_passages >> event & 1}


def by_split_and_draw(points: Sequence[Point]) -> list[list[Point]]:
    keys = sorted({(point.draw, tuple(point.rows)) for point in points})
    return [[point for point in points if (point.draw, tuple(point.rows)) == key] for key in keys]


def test_parts_hold_whole_events_a_fifth_more_each_time(powers: Dataset, points: list[Point]) -> None:
    for series in by_split_and_draw(points):
        n_inside = N_EVENTS - len(set(powers.groups[series[0].rows]))
        expected = [int(np.ceil(fraction * n_inside)) for fraction in FRACTIONS]
        found = [len(events_of(point.n_passages)) for point in series]
        assert expected[: len(found)] == found


def test_parts_are_nested_and_hold_nothing_that_is_held_out(powers: Dataset, points: list[Point]) -> None:
    for series in by_split_and_draw(points):
        parts = [events_of(point.n_passages) for point in series]
        assert all(smaller <= larger for smaller, larger in pairwise(parts))
        assert not parts[-1] & set(powers.groups[series[0].rows].tolist())


def test_every_passage_is_held_out_once_in_each_draw_of_each_part(points: list[Point]) -> None:
    for fraction in FRACTIONS:
        for draw in {point.draw for point in points if point.fraction == fraction}:
            rows = np.concatenate([p.rows for p in points if (p.fraction, p.draw) == (fraction, draw)])
            assert list(range(2**N_EVENTS - 1)) == sorted(rows.tolist())


def test_events_are_drawn_five_times_and_all_of_them_once(points: list[Point]) -> None:
    draws = {fraction: {p.draw for p in points if p.fraction == fraction} for fraction in FRACTIONS}
    assert {0.2: 5, 0.4: 5, 0.6: 5, 0.8: 5, 1.0: 1} == {fraction: len(found) for fraction, found in draws.items()}
    assert 3 * 21 == len(points)
    first_parts = {p.draw: {q.n_passages for q in points if (q.draw, q.fraction) == (p.draw, 0.4)} for p in points}
    assert len({frozenset(sizes) for sizes in first_parts.values()}) > 1


@pytest.mark.parametrize(("drawn_passages", "n_draws"), [(63 * 5, 5), (63 * 3, 3), (63, 2), (1, 2)])
def test_larger_sets_are_drawn_from_less_often(
    drawn_passages: int, n_draws: int, powers: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curve, "DRAWN_PASSAGES", drawn_passages)
    splits = over_events(powers, scheme=EVENT_FOLDS, seed=0).splits
    jobs = curve_jobs(powers, TOPIC, THEME_DEFAULTS, counted(powers), splits, seed=0)
    assert len(splits) * (1 + n_draws * (len(FRACTIONS) - 1)) == len(jobs)


def test_jobs_cost_in_proportion_to_their_part(powers: Dataset) -> None:
    splits = over_events(powers, scheme=EVENT_FOLDS, seed=0).splits
    costs = [job.cost for job in curve_jobs(powers, TOPIC, THEME_DEFAULTS, counted(powers), splits[:1], seed=0)]
    assert pytest.approx([fraction * costs[4] for fraction in FRACTIONS]) == costs[:5]


def test_passages_that_are_not_coded_are_not_learnt_from(powers: Dataset) -> None:
    extra = [passage(f"e{event}", 99, "word", None) for event in range(N_EVENTS)]
    more = make_dataset([*powers.passages, *extra], TOPICS)
    splits = over_events(more, scheme=EVENT_FOLDS, seed=0).splits
    sizes = {job.compute().n_passages for job in curve_jobs(more, TOPIC, THEME_DEFAULTS, counted(more), splits, seed=0)}
    assert max(sizes) < 2**N_EVENTS


def test_large_datasets_have_no_curve(powers: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    splits = over_events(powers, scheme=EVENT_FOLDS, seed=0).splits
    monkeypatch.setattr(curve, "MAX_PASSAGES", 62)
    assert [] == curve_jobs(powers, TOPIC, THEME_DEFAULTS, counted(powers), splits, seed=0)
    assert None is draw_curve(powers, TOPIC, [], JUDGED, seed=0)


# ---- the curve


def two_a_piece(n_events: int = N_EVENTS) -> Dataset:
    """Two passages an event, the first of them about the sea."""
    rows = [(f"e{event}", number) for event in range(n_events) for number in range(2)]
    return make_dataset([passage(e, n, f"{e} word{n}", [] if n else ["sea"]) for e, n in rows], TOPICS)


def ranked(fraction: float, scores: Sequence[float], *, draw: int = 0, n_passages: int = 10) -> Point:
    """All passages at once, scored like this for sea, and not at all for cyber."""
    columns = np.stack([np.array(scores), np.zeros(len(scores))], axis=1)
    return Point(fraction, draw, n_passages, np.arange(len(scores)), columns)


BEST, WORST = [1.0, 0.0] * N_EVENTS, [0.0, 1.0] * N_EVENTS
FIRST_ON_TOP = [2.0, 0.0] + [0.0, 1.0] * (N_EVENTS - 1)


def distinct(scores: Sequence[float]) -> list[float]:
    """The same order, and later rows before earlier ones of the same score."""
    return [score + 0.01 * place for place, score in enumerate(scores)]


def drawn(rankings: Sequence[Sequence[float]], sizes: Sequence[int] = (2, 4, 6, 8, 10)) -> LearningCurve:
    triples = zip(FRACTIONS, rankings, sizes, strict=True)
    points = [ranked(fraction, distinct(scores), n_passages=size) for fraction, scores, size in triples]
    found = draw_curve(two_a_piece(), TOPIC, points, JUDGED, seed=0)
    assert found is not None
    return found


def test_the_curve_is_average_precision_by_hand() -> None:
    """Six of twelve are positive: all of them last, or one first and the others after five wrong ones, or all first."""
    last = sum(k / (6 + k) for k in range(1, 7)) / 6
    one_first = (1 + sum(k / (5 + k) for k in range(2, 7))) / 6
    found = drawn([WORST, WORST, FIRST_ON_TOP, BEST, BEST])
    assert pytest.approx((last, last, one_first, 1.0, 1.0)) == found.value
    assert (2, 4, 6, 8, 10) == found.n_passages


def test_draws_of_one_part_are_averaged_and_so_are_their_sizes() -> None:
    points = [ranked(fraction, distinct(BEST)) for fraction in FRACTIONS[1:]]
    points += [ranked(0.2, distinct(BEST), n_passages=3), ranked(0.2, distinct(WORST), draw=1, n_passages=5)]
    found = draw_curve(two_a_piece(), TOPIC, points, JUDGED, seed=0)
    assert found is not None
    assert (4, 10) == found.n_passages[:2]
    assert pytest.approx((1 + sum(k / (6 + k) for k in range(1, 7)) / 6) / 2) == found.value[0]


def test_the_band_is_closed_where_every_draw_of_events_is_alike() -> None:
    found = drawn([BEST] * 5)
    assert (1.0,) * 5 == found.low == found.value == found.high
    assert pytest.approx((0.0, 0.0, 0.0)) == (found.gain.value, found.gain.low, found.gain.high)


def test_the_band_is_open_where_events_differ() -> None:
    found = drawn([WORST, WORST, FIRST_ON_TOP, FIRST_ON_TOP, FIRST_ON_TOP])
    assert found.low[2] < found.value[2] < found.high[2]


def test_the_same_seed_gives_the_same_band() -> None:
    rankings = [WORST, WORST, FIRST_ON_TOP, FIRST_ON_TOP, BEST]
    assert drawn(rankings) == drawn(rankings)


@pytest.mark.parametrize(("largest", "n_more"), [(10, 10), (99, 99), (100, 100), (5000, 100)])
def test_a_gain_is_told_for_as_many_passages_again_and_a_hundred_at_most(largest: int, n_more: int) -> None:
    found = drawn([BEST] * 5, sizes=(2, 4, 6, 8, largest))
    assert n_more == found.n_more
    assert f"{n_more} more passages of this kind: likely flat (under 2 points)" == found.answer


@pytest.mark.parametrize("power", [0.1, 0.5, 1.5])
def test_the_gain_of_a_power_law_is_read_from_it(power: float) -> None:
    sizes = np.array([10.0, 20.0, 30.0, 40.0, 50.0])
    expected = 0.5 * (50**-power - 90**-power)
    gain, miss = curve._extrapolated(sizes, 0.9 - 0.5 * sizes**-power, 40)
    assert pytest.approx(expected) == gain
    assert miss < 1e-12


@pytest.mark.parametrize(
    ("low", "high", "answer"),
    [
        (0.01, 0.05, "likely +1 to +5 points"),
        (0.001, 0.021, "likely +0 to +2 points"),
        (0.0, 0.021, "can't tell (+0 to +2 points)"),
        (-0.03, 0.04, "can't tell (-3 to +4 points)"),
        (0.01, 0.02, "likely flat (under 2 points)"),
        (-0.05, 0.02, "likely flat (under 2 points)"),
        (-0.05, -0.03, "likely flat (under 2 points)"),
    ],
)
def test_the_answer_is_one_of_three_classes(low: float, high: float, answer: str) -> None:
    assert f"100 more passages of this kind: {answer}" == curve._answer(Estimate(0.0, low, high), 100, is_rising=True)


def test_a_curve_whose_last_step_does_not_always_rise_tells_nothing() -> None:
    answer = curve._answer(Estimate(0.0, 0.01, 0.05), 100, is_rising=False)
    assert "100 more passages of this kind: can't tell (+1 to +5 points)" == answer


# ---- no curve


def test_there_is_no_curve_without_points_or_a_label_to_judge() -> None:
    points = [ranked(fraction, distinct(BEST)) for fraction in FRACTIONS]
    assert None is draw_curve(two_a_piece(), TOPIC, [], JUDGED, seed=0)
    assert None is draw_curve(two_a_piece(), TOPIC, points, np.zeros(2, dtype=bool), seed=0)


@pytest.mark.parametrize(("n_events", "has_curve"), [(5, False), (6, True)])
def test_there_is_no_curve_under_six_events(n_events: int, has_curve: bool) -> None:
    dataset = two_a_piece(n_events)
    points = [ranked(fraction, distinct([1.0, 0.0] * n_events)) for fraction in FRACTIONS]
    assert has_curve == (draw_curve(dataset, TOPIC, points, JUDGED, seed=0) is not None)


def test_there_is_no_curve_where_under_six_events_are_held_out() -> None:
    """Of twelve events the first five are held out, then the first six."""
    first = [1.0, 0.0] * 12
    for n_held, has_curve in ((5, False), (6, True)):
        rows, columns = np.arange(2 * n_held), np.stack([distinct(first), np.zeros(24)], axis=1)
        points = [Point(fraction, 0, 10, rows, columns[rows]) for fraction in FRACTIONS]
        assert has_curve == (draw_curve(two_a_piece(12), TOPIC, points, JUDGED, seed=0) is not None)


def test_only_tasks_with_an_evaluable_label_have_a_curve(toy_evaluation: Evaluation) -> None:
    assert None is toy_evaluation["theme"].curve
    assert toy_evaluation["framing"].curve is not None


def test_a_curve_of_an_evaluation_runs_over_ever_more_passages(made_evaluation: Evaluation) -> None:
    """Twelve events of 4: parts of the 9 or 10 inside a fold."""
    for result in made_evaluation.tasks.values():
        assert result.curve is not None
        assert sorted(set(result.curve.n_passages)) == list(result.curve.n_passages)
        assert (8, 38) == (result.curve.n_passages[0], result.curve.n_passages[-1])
        assert all(0 <= low <= high <= 1 for low, high in zip(result.curve.low, result.curve.high, strict=True))


def test_a_held_out_part_has_a_curve_over_that_part(made: Dataset) -> None:
    """8 events to learn from, 4 to test on: no label has 10 positives there, so there is no curve; the other way, 4."""
    found = evaluate(made, holdout=("origin", "field"))["topic"]
    assert found.curve is not None
    assert (4, 16) == (found.curve.n_passages[0], found.curve.n_passages[-1])
    assert None is evaluate(made, holdout=("origin", "seed"))["topic"].curve


@pytest.mark.parametrize("first", [True, False])
def test_scores_that_are_all_alike_tell_nothing(first: bool) -> None:
    """A positive of four in each event, always the first or always the last; every text is the same."""
    rows = [(f"e{event:02}", number) for event in range(12) for number in range(4)]
    passages = [passage(e, n, "Same.", ["sea"] if n == (0 if first else 3) else []) for e, n in rows]
    found = evaluate(make_dataset(passages, TOPICS))["topic"].curve
    assert found is not None
    assert pytest.approx((0.25,) * 5) == found.value

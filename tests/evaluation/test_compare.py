"""Two evaluations side by side: differences, jackknife intervals and p-values counted again by other means."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, f1_score

from classify.data.dataset import Dataset, TaskGold
from classify.errors import UsageError
from classify.evaluation import curve
from classify.evaluation.compare import Difference, compare
from classify.evaluation.evaluate import evaluate
from classify.evaluation.results import Evaluation
from classify.evaluation.saved import SavedEvaluation, SavedTask, read_evaluation
from classify.learn.settings import TaskSettings, TrainingSettings
from classify.measure.arrays import BoolArray
from classify.report.files import write_evaluation

N_EVENTS, N_PASSAGES = 6, 5
EVENTS = np.repeat(np.arange(N_EVENTS), N_PASSAGES)
N = len(EVENTS)
LABELS = ("sea", "cyber", "rare")
Cells = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def answers(gold: BoolArray, *, seed: int, n_wrong: float) -> BoolArray:
    """The gold labels, a share of the cells turned round."""
    return np.asarray(gold ^ (np.random.default_rng(seed).random(gold.shape) < n_wrong))


def saved_task(n_wrong: float, seed: int) -> SavedTask:
    """30 passages in 6 events: two labels with positives enough, and one with two."""
    gold = np.stack([np.arange(N) % 2 == 0, np.arange(N) % 3 == 0, np.arange(N) < 2], axis=1)
    predicted = answers(gold, seed=seed, n_wrong=n_wrong)
    noise = np.random.default_rng(seed + 100).random(gold.shape)
    return SavedTask(
        is_multilabel=True,
        labels=LABELS,
        ids=tuple(f"p{n:02}" for n in range(N)),
        events=tuple(f"e{event}" for event in EVENTS),
        gold=TaskGold(gold, np.ones_like(gold)),
        predicted=predicted,
        probabilities=np.where(predicted, 0.5 + noise / 2, noise / 2),
    )


def saved(name: str, task: SavedTask) -> SavedEvaluation:
    return SavedEvaluation(Path(name), "made", {"topic": task})


FIRST, SECOND = saved_task(0.3, seed=1), saved_task(0.15, seed=2)


@pytest.fixture(scope="module")
def found() -> dict[str, Difference]:
    """Every difference by the name of its measure or label."""
    comparison = compare(saved("first", FIRST), saved("second", SECOND))["topic"]
    assert (N, N_EVENTS, 2) == (comparison.n_passages, comparison.n_events, comparison.n_evaluable)
    return {one.measure: one for one in (*comparison.headline, *comparison.labels)}


Of = Callable[[SavedTask, BoolArray], float]


def f1_of(*columns: int) -> Of:
    """Mean F1 of some labels over some rows, by scikit-learn."""

    def of(task: SavedTask, rows: BoolArray) -> float:
        pairs = [(task.gold.gold[rows, n], task.predicted[rows, n]) for n in columns]
        return float(np.mean([f1_score(*pair, zero_division=0) for pair in pairs]))

    return of


def micro(task: SavedTask, rows: BoolArray) -> float:
    return float(f1_score(task.gold.gold[rows].ravel(), task.predicted[rows].ravel()))


def exact(task: SavedTask, rows: BoolArray) -> float:
    return float((task.gold.gold[rows] == task.predicted[rows]).all(axis=1).mean())


def ranking(task: SavedTask, rows: BoolArray) -> float:
    pairs = [(task.gold.gold[rows, n], task.probabilities[rows, n]) for n in (0, 1)]
    return float(np.mean([average_precision_score(*pair) for pair in pairs]))


MEASURES = {
    "macro_f1": f1_of(0, 1),
    "micro_f1": micro,
    "exact_match": exact,
    "macro_average_precision": ranking,
    "sea": f1_of(0),
    "cyber": f1_of(1),
}


@pytest.mark.parametrize("measure", MEASURES)
def test_a_difference_is_second_minus_first_with_its_jackknife_over_events(
    measure: str, found: dict[str, Difference]
) -> None:
    of, everything = MEASURES[measure], np.ones(N, dtype=bool)
    values = [of(task, everything) for task in (FIRST, SECOND)]
    without = [of(SECOND, rows) - of(FIRST, rows) for rows in (event != EVENTS for event in range(N_EVENTS))]
    spread = math.sqrt((N_EVENTS - 1) / N_EVENTS * sum((x - np.mean(without)) ** 2 for x in without))
    difference, half = values[1] - values[0], stats.t.ppf(0.975, N_EVENTS - 1) * spread
    one = found[measure]
    assert pytest.approx(values) == [one.first, one.second]
    assert pytest.approx((difference, max(-1, difference - half), min(1, difference + half))) == (
        one.difference.value,
        one.difference.low,
        one.difference.high,
    )


def swapped(events: tuple[int, ...]) -> tuple[SavedTask, SavedTask]:
    """Both systems, their answers changed for each other in the events that have a 1."""
    rows = np.array(events, dtype=bool)[EVENTS][:, None]
    return (
        replace(FIRST, predicted=np.where(rows, SECOND.predicted, FIRST.predicted)),
        replace(SECOND, predicted=np.where(rows, FIRST.predicted, SECOND.predicted)),
    )


@pytest.mark.parametrize("measure", ["macro_f1", "exact_match", "cyber"])
def test_p_is_the_share_of_all_swaps_of_events_with_as_large_a_difference(
    measure: str, found: dict[str, Difference]
) -> None:
    of, everything = MEASURES[measure], np.ones(N, dtype=bool)
    pairs = [swapped(events) for events in product((0, 1), repeat=N_EVENTS)]
    sizes = [abs(of(second, everything) - of(first, everything)) for first, second in pairs]
    assert sum(size >= sizes[0] - 1e-12 for size in sizes) / 2**N_EVENTS == found[measure].p


def test_p_of_labels_is_adjusted_for_their_number_and_not_that_of_measures(found: dict[str, Difference]) -> None:
    smaller, larger = sorted((found[label].p, found[label].p_holm) for label in ("sea", "cyber"))
    assert min(1, 2 * smaller[0]) == smaller[1]
    assert min(1, max(2 * smaller[0], larger[0])) == larger[1]
    assert {None} == {found[measure].p_holm for measure in ("macro_f1", "micro_f1", "exact_match")}


def test_there_is_no_p_for_average_precision(found: dict[str, Difference]) -> None:
    assert None is found["macro_average_precision"].p


def test_a_label_with_too_few_positives_is_named_and_not_compared(found: dict[str, Difference]) -> None:
    one = found["rare"]
    assert (None, None, None, None, None) == (one.first, one.second, one.difference.value, one.p, one.p_holm)


def test_order_of_the_two_turns_every_difference_round(found: dict[str, Difference]) -> None:
    turned = compare(saved("second", SECOND), saved("first", FIRST))["topic"]
    for one in turned.headline:
        assert pytest.approx(-found[one.measure].difference.value) == one.difference.value
        assert found[one.measure].p == one.p


def test_under_six_events_there_is_no_interval() -> None:
    few = [replace(task, events=tuple(f"e{n % 5}" for n in range(N))) for task in (FIRST, SECOND)]
    comparison = compare(saved("first", few[0]), saved("second", few[1]))["topic"]
    assert {(True, None)} == {(one.difference.value is not None, one.difference.low) for one in comparison.headline}


def test_without_an_evaluable_label_there_are_no_macro_averages() -> None:
    two = [replace(task, events=("a", "b") * (N // 2)) for task in (FIRST, SECOND)]
    comparison = compare(saved("first", two[0]), saved("second", two[1]))["topic"]
    assert ["micro_f1", "exact_match"] == [one.measure for one in comparison.headline]
    assert [None] * 3 == [one.first for one in comparison.labels]


# ---- folders


@pytest.fixture(scope="module")
def folders(made: Dataset, made_evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The report by default settings, and the one of a model that trusts no term and learns little."""
    folder = tmp_path_factory.mktemp("compared")
    weak = TaskSettings(hit_weight=0.0, C=0.01, balanced=False)
    write_evaluation(made_evaluation, folder / "first")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curve, "MAX_PASSAGES", 0)
        write_evaluation(evaluate(made, settings=TrainingSettings(weak, weak)), folder / "second")
    return folder / "first", folder / "second"


def test_a_folder_beside_itself_differs_in_nothing(folders: tuple[Path, Path]) -> None:
    for task in compare(read_evaluation(folders[0]), read_evaluation(folders[0])).values():
        for one in (*task.headline, *(label for label in task.labels if label.first is not None)):
            assert (0, 0, 0) == (one.difference.value, one.difference.low, one.difference.high)
            assert one.first == one.second
            assert {None, 1.0} >= {one.p, one.p_holm}
        assert {1.0} == {one.p for one in task.headline if one.measure != "macro_average_precision"}


def test_two_folders_read_as_their_own_metrics_say(folders: tuple[Path, Path]) -> None:
    metrics = [json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["tasks"] for folder in folders]
    found = compare(*map(read_evaluation, folders))
    assert ["topic", "tone"] == list(found)
    for name, task in found.items():
        for one in task.headline:
            expected = [tasks[name][one.measure]["value"] for tasks in metrics]
            assert pytest.approx(expected) == [one.first, one.second]
        for one in task.labels:
            expected = [tasks[name]["labels"][one.measure]["f1"]["value"] for tasks in metrics]
            assert pytest.approx(expected) == [one.first, one.second]


def test_a_comparison_is_plain_data(folders: tuple[Path, Path]) -> None:
    found = compare(*map(read_evaluation, folders))
    for task in found.values():
        plain = json.loads(json.dumps(task.to_dict(), allow_nan=False))
        assert {"n_passages", "n_events", "n_evaluable", "headline", "labels"} == plain.keys()
        assert {"measure", "first", "second", "difference", "p", "p_holm"} == plain["headline"][0].keys()
        assert {"value", "low", "high"} == plain["labels"][0]["difference"].keys()


def test_the_same_folders_give_the_same_p_above_the_number_of_events_that_is_swapped_in_full() -> None:
    many = [replace(task, events=tuple(f"e{n // 2}" for n in range(N))) for task in (FIRST, SECOND)]
    pair = saved("first", many[0]), saved("second", many[1])
    assert compare(*pair) == compare(*pair)
    assert 0 < compare(*pair)["topic"].headline[0].p <= 1


NOTHING = replace(FIRST, gold=TaskGold(np.zeros((N, 3), dtype=bool), np.ones((N, 3), dtype=bool)),
                  predicted=np.zeros((N, 3), dtype=bool))  # fmt: skip


def test_two_models_that_say_nothing_of_nothing_do_not_differ() -> None:
    (micro_f1, _) = compare(saved("first", NOTHING), saved("second", NOTHING))["topic"].headline
    assert (None, None) == (micro_f1.first, micro_f1.second)
    assert {None, 1.0} >= {micro_f1.p}


# ---- what can't be compared


def refusal(first: SavedEvaluation, second: SavedEvaluation) -> str:
    with pytest.raises(UsageError) as raised:
        compare(first, second)
    return str(raised.value)


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("labels", {"labels": ("sea", "cyber", "land")}),
        ("labels", {"labels": ("cyber", "sea", "rare")}),
        ("kinds", {"is_multilabel": False}),
        ("passages", {"ids": tuple(f"q{n:02}" for n in range(N))}),
        ("passages", {"ids": tuple(f"p{n:02}" for n in range(N - 1))}),
        ("events", {"events": ("e0",) * N}),
    ],
)
def test_evaluations_that_do_not_match_are_one_usage_error(what: str, changes: dict[str, object]) -> None:
    expected = f"first and second: topic: other {what}; expected two evaluations of the same labelled passages"
    assert expected == refusal(saved("first", FIRST), saved("second", replace(SECOND, **changes)))


@pytest.mark.parametrize("array", ["gold", "known"])
def test_other_gold_labels_are_one_usage_error_that_names_the_first_passage(array: str) -> None:
    changed = getattr(SECOND.gold, array).copy()
    changed[[7, 9], 0] ^= True
    second = replace(SECOND, gold=replace(SECOND.gold, **{array: changed}))
    expected = "first and second: topic: p07 has other gold labels; expected the same labelled passages"
    assert expected == refusal(saved("first", FIRST), saved("second", second))


def test_other_tasks_are_one_usage_error() -> None:
    second = SavedEvaluation(Path("second"), "made", {"topic": SECOND, "tone": SECOND})
    expected = "first and second: tasks topic and topic, tone; expected the same in both"
    assert expected == refusal(saved("first", FIRST), second)


def test_evaluations_that_held_nothing_out_are_one_usage_error() -> None:
    nothing = [SavedEvaluation(Path(name), "made", {}) for name in ("first", "second")]
    expected = "first and second: nothing was held out in either, so there is nothing to compare"
    assert expected == refusal(*nothing)
    assert "first and second: tasks none and topic; expected the same in both" == refusal(
        nothing[0], saved("second", SECOND)
    )

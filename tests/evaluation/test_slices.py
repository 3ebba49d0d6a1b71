"""Slices: the same measures on parts of the passages, as if each part had been judged by itself."""

from dataclasses import replace

import numpy as np
import pytest

from classify.data.dataset import Dataset
from classify.errors import UsageError
from classify.evaluation.evaluate import evaluate
from classify.evaluation.heldout import MODEL, TERMS, HeldOut
from classify.evaluation.judge import Held, judge
from classify.evaluation.results import Evaluation, Slice
from classify.evaluation.slices import slice_by
from classify.measure.intervals import MIN_GROUPS
from tests.evaluation.conftest import TONE, TOPIC, gold_of, held_out

# eight passages in four events; the last is not coded
GOLD = gold_of([[1, 0], [1, 0], [0, 1], [0, 0], [1, 0], [1, -1], [0, 1], [-1, -1]])
GROUPS = np.array([0, 0, 1, 1, 2, 2, 3, 3])
MODEL_SAYS = held_out([[0.9, 0.1], [0.2, 0.1], [0.8, 0.7], [0.1, 0.1], [0.9, 0.2], [0.7, 0.1], [0.3, 0.4], [0.9, 0.9]])
ORIGINS = ["seed", "seed", "seed", "seed", "field", "field", "field", "field"]


def sliced(**fields: list[str]) -> tuple[Slice, ...]:
    return slice_by(TOPIC, GOLD, GROUPS, {MODEL: MODEL_SAYS}, fields)


def test_a_part_is_measured_as_counted_by_hand() -> None:
    _, seed = sliced(origin=ORIGINS)
    found = seed.measures[MODEL]
    # cells of passages 0 to 3: sea right once, missed once, wrong once; cyber right once
    assert 2 * 2 / (2 * 2 + 1 + 1) == found["micro_f1"].value
    assert 2 / 4 == found["exact_match"].value
    assert 2 / 8 == found["hamming_loss"].value


def test_parts_stand_by_field_and_value_with_their_counts() -> None:
    found = sliced(origin=ORIGINS, year=["2024"] * 7 + ["2025"])
    assert [("origin", "field", 3, 2), ("origin", "seed", 4, 2), ("year", "2024", 7, 4)] == [
        (part.field, part.value, part.n_passages, part.n_events) for part in found
    ]


def test_macro_averages_run_over_the_labels_with_three_positives_in_the_part() -> None:
    (whole,) = sliced(all=["x"] * 8)
    assert 1 == whole.n_labels
    # sea: 3 of its 4 passages are found, 1 other is given
    assert 2 * 3 / (2 * 3 + 1 + 1) == whole.measures[MODEL]["macro_f1"].value


def test_macro_averages_of_a_part_are_values_without_an_interval(made_evaluation: Evaluation) -> None:
    """Their labels are too few in the part to say how sure they are; rates over all cells have an interval."""
    (found,) = [part for part in made_evaluation["topic"].slices if part.value == "field"]
    for measures in found.measures.values():
        assert {None} == {measures[name].low for name in ("macro_f1", "macro_average_precision")}
        assert {False} == {measures[name].low is None for name in ("micro_f1", "exact_match", "hamming_loss")}


def test_without_such_a_label_there_is_no_macro_average() -> None:
    field, _ = sliced(origin=ORIGINS)
    assert 0 == field.n_labels
    assert None is field.measures[MODEL]["macro_f1"].value is field.measures[MODEL]["macro_average_precision"].value


def test_a_task_without_fields_has_no_slices() -> None:
    assert () == sliced()


def test_a_part_of_which_nothing_is_coded_is_left_out() -> None:
    assert ["coded"] == [part.value for part in sliced(state=["coded"] * 7 + ["not coded"])]


def judged_alone(held: Held, rows: np.typing.NDArray[np.int64]) -> Held:
    """Those rows and nothing else, as a block of their own."""
    systems = {
        name: HeldOut(
            system.scores[rows],
            system.probabilities[rows],
            system.predicted[rows],
            None if system.thresholds is None else system.thresholds[rows],
            system.certainty[rows],
        )
        for name, system in held.systems.items()
    }
    gold = held.gold.of(rows)
    return replace(held, gold=gold, groups=held.groups[rows], folds=held.folds[rows], systems=systems, fields={})


@pytest.mark.parametrize("task", [TOPIC, TONE], ids=lambda task: str(task.name))
def test_a_part_reads_as_it_would_judged_alone(task: object, made: Dataset, made_evaluation: Evaluation) -> None:
    """Twelve events with two passages each on either side: every label that is there has 3 positives, some have 10."""
    result = made_evaluation[task.name]
    years = np.array(made.values_of("year"))
    held = Held(task, result.gold, made.groups, result.folds, result.held_out, fields={"year": years.tolist()})
    for part in [part for part in result.slices if part.field == "year"]:
        rows = np.flatnonzero(years == part.value)
        alone = judge(judged_alone(held, rows))
        assert (24, 12) == (part.n_passages, part.n_events) == (alone.n_passages, alone.n_events)
        assert alone.baselines.keys() | {MODEL} == part.measures.keys()
        systems = {MODEL: alone.headline, **alone.baselines}
        for name, measures in part.measures.items():
            for measure in set(measures) - {"macro_f1", "macro_average_precision"}:
                assert systems[name][measure] == measures[measure]
                assert (measures[measure].low is None) == (part.n_events < MIN_GROUPS)


def test_macro_averages_of_a_part_are_the_means_of_its_labels(made: Dataset, made_evaluation: Evaluation) -> None:
    result = made_evaluation["topic"]
    rows = np.array(made.values_of("origin")) == "field"
    (part,) = [part for part in result.slices if part.value == "field"]
    gold, model = result.gold.gold[rows], result.held_out[MODEL]
    assert (gold.sum(axis=0) >= 3).all()
    right = (gold & model.predicted[rows]).sum(axis=0)
    f1 = 2 * right / (gold.sum(axis=0) + model.predicted[rows].sum(axis=0))
    assert pytest.approx(f1.mean()) == part.measures[MODEL]["macro_f1"].value


def test_years_are_those_of_the_dates_and_parts_sum_to_the_whole(made: Dataset, made_evaluation: Evaluation) -> None:
    assert [("origin", "field", 32), ("origin", "seed", 16), ("year", "2020", 24), ("year", "2021", 24)] == [
        (part.field, part.value, part.n_passages) for part in made_evaluation["topic"].slices
    ]
    assert {MODEL, TERMS, "prior", "plain_tfidf"} == made_evaluation["topic"].slices[0].measures.keys()


def test_an_unknown_field_is_refused_before_anything_is_learnt(made: Dataset) -> None:
    with pytest.raises(UsageError, match=r"^no passage has a field 'orign'; did you mean 'origin'\?$"):
        evaluate(made, by=["origin", "orign"], on_step=lambda done, total: pytest.fail("learnt"))

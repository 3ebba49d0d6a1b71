"""Splits: what is held out in each scheme, and that whole events are on one side."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from classify.data.dataset import Dataset, make_dataset
from classify.errors import UsageError
from classify.evaluation.schemes import (
    EVENT_FOLDS,
    LEAVE_ONE_EVENT_OUT,
    SCHEMES,
    Scheme,
    field_values,
    held_out_part,
    over_events,
    splits_of,
)
from tests.evaluation.conftest import TOPICS, passage

Fields = dict[str, Any]


def dataset_of(rows: Sequence[tuple[str, Fields]]) -> Dataset:
    """A passage of its own words for each event and fields given, in that order."""
    passages = [
        passage(event, number, f"alpha{number} beta{number}", ["sea"], **fields)
        for number, (event, fields) in enumerate(rows)
    ]
    return make_dataset(sorted(passages, key=lambda found: found.id), TOPICS)


def ids(dataset: Dataset, rows: np.typing.NDArray[np.int64]) -> list[str]:
    return [dataset.passages[row].id for row in rows]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_passage_is_held_out_once_and_never_with_its_event_inside(scheme: str, made: Dataset) -> None:
    plan = over_events(made, scheme=scheme, seed=0)
    outside = np.concatenate([split.outside for split in plan.splits])
    assert list(range(48)) == sorted(outside.tolist()) == plan.rows.tolist()
    for split in plan.splits:
        assert 48 == len(split.inside) + len(split.outside)
        assert not set(made.groups[split.inside]) & set(made.groups[split.outside])


def test_event_folds_are_half_as_many_as_events_and_five_at_most(made: Dataset, toy_dataset: Dataset) -> None:
    few = toy_dataset.where(lambda found: found.document < "e07")
    plans = [over_events(dataset, scheme=EVENT_FOLDS, seed=0) for dataset in (made, few)]
    assert [5, 3] == [len(plan.splits) for plan in plans]
    assert "nested cross-validation over events, 5 outer folds" == plans[0].description
    assert not plans[0].is_block


def test_leave_one_event_out_holds_out_each_event_alone(made: Dataset) -> None:
    plan = over_events(made, scheme=LEAVE_ONE_EVENT_OUT, seed=0)
    assert [[f"e{event:02}#{n}" for n in range(4)] for event in range(12)] == [
        ids(made, split.outside) for split in plan.splits
    ]
    assert "nested cross-validation, each of 12 events held out in turn" == plan.description


def test_events_that_were_joined_are_left_out_together() -> None:
    shared = " ".join(f"word{n}" for n in range(30))
    passages = [passage(f"e{n}", n, f"alpha{n} beta{n}", ["sea"]) for n in range(4)]
    passages += [passage("a", 4, shared, []), passage("b", 5, f"{shared} more", [])]
    dataset = make_dataset(passages, TOPICS)
    plan = over_events(dataset, scheme=LEAVE_ONE_EVENT_OUT, seed=0)
    assert [["a#4", "b#5"], ["e0#0"], ["e1#1"], ["e2#2"], ["e3#3"]] == [
        ids(dataset, split.outside) for split in plan.splits
    ]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("n_events", [1, 2, 3])
def test_under_four_events_nothing_is_held_out(n_events: int, scheme: str) -> None:
    plan = over_events(dataset_of([(f"e{n}", {}) for n in range(n_events)]), scheme=scheme, seed=0)
    assert Scheme("nothing was held out", ()) == plan
    assert [] == plan.rows.tolist()


def test_the_fold_of_each_row_is_the_number_of_the_split_that_holds_it_out(made: Dataset) -> None:
    plan = over_events(made, scheme=EVENT_FOLDS, seed=0)
    expected = {row: number for number, split in enumerate(plan.splits) for row in split.outside.tolist()}
    assert expected == dict(zip(plan.rows.tolist(), plan.folds.tolist(), strict=True))


def test_splits_of_folds_are_counted_by_hand() -> None:
    first, second = splits_of(np.array([0, 1, 1, 0]))
    assert ([1, 2], [0, 3]) == (first.inside.tolist(), first.outside.tolist())
    assert ([0, 3], [1, 2]) == (second.inside.tolist(), second.outside.tolist())
    plan = Scheme("", (first, second))
    assert ([0, 1, 2, 3], [0, 1, 1, 0]) == (plan.rows.tolist(), plan.folds.tolist())


def test_the_seed_decides_the_folds(made: Dataset) -> None:
    plans = [over_events(made, scheme=EVENT_FOLDS, seed=seed).folds.tolist() for seed in (0, 0, 1, 2, 3)]
    assert plans[0] == plans[1]
    assert len(set(map(tuple, plans))) > 1


# ---- a part that is held out


ORIGINS = [("a", "seed"), ("a", "field"), ("a", "field"), ("b", "seed"), ("c", "field"), ("c", "field"), ("d", "field")]


@pytest.fixture
def by_origin() -> Dataset:
    """Event a stands on both sides, with one passage from the seeds."""
    return dataset_of([(event, {"origin": origin}) for event, origin in ORIGINS])


def test_exactly_the_passages_with_the_value_are_tested_on(by_origin: Dataset) -> None:
    plan = held_out_part(by_origin, "origin", "seed")
    (split,) = plan.splits
    assert ["a#0", "b#3"] == ids(by_origin, split.outside) == ids(by_origin, plan.rows)
    assert [0, 0] == plan.folds.tolist()
    assert plan.is_block


def test_events_on_both_sides_are_not_learnt_from_and_the_note_counts_their_passages(by_origin: Dataset) -> None:
    plan = held_out_part(by_origin, "origin", "seed")
    assert ["c#4", "c#5", "d#6"] == ids(by_origin, plan.splits[0].inside)
    assert "learnt from 3 passages, tested on the 2 with origin 'seed'" == plan.description
    assert ("Not learnt from: 2 further passages of events that stand in the held-out part.",) == plan.notes


def test_without_events_on_both_sides_there_is_no_note() -> None:
    dataset = dataset_of([("a", {"origin": "seed"}), ("b", {"origin": "field"})])
    assert () == held_out_part(dataset, "origin", "seed").notes


def test_documents_that_copy_a_held_out_one_are_not_learnt_from() -> None:
    shared = " ".join(f"word{n}" for n in range(30))
    passages = [
        passage("a", 0, shared, ["sea"], origin="seed"),
        passage("b", 1, f"{shared} more", ["sea"], origin="field"),
        passage("c", 2, "alpha beta", ["sea"], origin="field"),
    ]
    dataset = make_dataset(passages, TOPICS)
    plan = held_out_part(dataset, "origin", "seed")
    assert ["c#2"] == ids(dataset, plan.splits[0].inside)
    assert 1 == len(plan.notes)


def test_passages_that_do_not_state_the_field_can_be_held_out() -> None:
    dataset = dataset_of([("a", {}), ("b", {"origin": ""}), ("c", {"origin": "field"})])
    assert ["a#0", "b#1"] == ids(dataset, held_out_part(dataset, "origin", "not stated").rows)


def test_a_year_is_that_of_the_date() -> None:
    dataset = dataset_of([("a", {"date": "2023-12-31"}), ("b", {"date": "2024-01-01"}), ("c", {"date": None})])
    assert ["2023", "2024", "not stated"] == field_values(dataset, "year")
    assert ["b#1"] == ids(dataset, held_out_part(dataset, "year", "2024").rows)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("orign", "seed", r"no passage has a field 'orign'; did you mean 'origin'\?"),
        ("year", "2024", "no passage has a field 'year'; expected one of: document, event, origin"),
        ("origin", "sed", r"no passage has origin 'sed'; did you mean 'seed'\?"),
        ("origin", "SEED", r"no passage has origin 'SEED'; did you mean 'seed'\?"),
        ("origin", "2024", "no passage has origin '2024'; expected one of: field, seed"),
    ],
)
def test_an_unknown_field_or_value_is_a_usage_error_that_names_the_nearest(
    field: str, value: str, message: str, by_origin: Dataset
) -> None:
    with pytest.raises(UsageError, match=f"^{message}$"):
        held_out_part(by_origin, field, value)


def test_a_value_that_leaves_nothing_to_learn_from_is_a_usage_error(by_origin: Dataset) -> None:
    all_seed = [replace(found, extra={"origin": "seed"}) for found in by_origin.passages]
    one_of_each = [*all_seed, *(replace(found, id=f"{found.id}x", extra={}) for found in all_seed)]
    for passages in (all_seed, one_of_each):
        with pytest.raises(UsageError, match=r"^origin=seed: every event has a passage there, so nothing is left"):
            held_out_part(make_dataset(passages, TOPICS), "origin", "seed")


@pytest.mark.parametrize("field", ["event", "document"])
def test_an_event_can_be_held_out_by_name(field: str, by_origin: Dataset) -> None:
    assert ["c#4", "c#5"] == ids(by_origin, held_out_part(by_origin, field, "c").rows)


def test_a_zero_is_a_value() -> None:
    assert ["0", "1"] == field_values(dataset_of([("a", {"week": 0}), ("b", {"week": 1})]), "week")

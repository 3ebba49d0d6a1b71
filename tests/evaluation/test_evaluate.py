"""Labelled passages to a finished evaluation: what is held out, what the first lines say, and odd input."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classify.bundle import Bundle
from classify.codebook import Codebook, Label, Task, TaskKind
from classify.data.annotations import CodedPassage, LabelledPassage
from classify.data.dataset import Dataset, make_dataset
from classify.errors import UsageError
from classify.evaluation.evaluate import evaluate, evaluate_bundle
from classify.evaluation.heldout import MODEL, PLAIN, PRIOR, TERMS
from classify.evaluation.results import NOT_EVALUABLE, Evaluation
from classify.evaluation.saved import prediction_rows
from classify.evaluation.schemes import EVENT_FOLDS, LEAVE_ONE_EVENT_OUT, outer_folds
from classify.learn.features import MIN_UNLABELLED
from classify.learn.settings import TaskSettings, TrainingSettings
from classify.learn.training import train
from classify.report.files import write_evaluation
from tests.evaluation.conftest import BOOK, SEA, TOPICS, passage

pytestmark = pytest.mark.usefixtures("no_curves")

F1 = TrainingSettings(multilabel=TaskSettings(thresholds="f1"))
Topics = Callable[[int, int], Iterable[str]]


def events_of_two(
    n_events: int, topics: Topics, text: Callable[[int, int], str] | None = None, **extra: Callable[[int, int], Any]
) -> Dataset:
    """Two passages an event, in words of the sea where that is a topic, and of the event."""
    passages = []
    for event in range(n_events):
        for number in range(2):
            given = list(topics(event, number))
            words = f"{SEA[event % 6] if 'sea' in given else 'rain'} today own{event} own{event}x{number}"
            facts = {key: value(event, number) for key, value in extra.items()}
            told = text(event, number) if text else words
            passages.append(passage(f"e{event:02}", number, told, given, **facts))
    return make_dataset(passages, TOPICS)


def first_of_two(event: int, number: int) -> list[str]:
    return [] if number else ["sea"]


def finished(evaluation: Evaluation, folder: Path) -> dict[str, Any]:
    """The metrics of an evaluation whose every file could be written."""
    write_evaluation(evaluation, folder / "report")
    return evaluation.to_dict()


# ---- what is held out


def test_every_passage_is_predicted_by_every_system(made: Dataset, made_evaluation: Evaluation) -> None:
    assert made.passages == made_evaluation.passages
    for name, result in made_evaluation.tasks.items():
        assert {MODEL, PRIOR, PLAIN} | ({TERMS} if name == "topic" else set()) == result.held_out.keys()
        assert outer_folds(made, n_folds=5, seed=0).tolist() == result.folds.tolist()
        for held in result.held_out.values():
            assert (48, len(result.labels)) == held.scores.shape == held.probabilities.shape == held.predicted.shape
            assert (48,) == held.certainty.shape


def test_leave_one_event_out_gives_each_event_a_fold(made: Dataset) -> None:
    found = evaluate(made, scheme=LEAVE_ONE_EVENT_OUT)
    assert "nested cross-validation, each of 12 events held out in turn" == found.scheme
    assert made.groups.tolist() == found["topic"].folds.tolist()
    assert found["topic"].headline["macro_f1"].value > 0.8


def test_a_held_out_part_is_all_that_is_reported(made: Dataset) -> None:
    found = evaluate(made, holdout=("origin", "seed"), by=["year", "origin"])
    assert {"seed"} == {one.extra["origin"] for one in found.passages}
    assert 16 == len(found.passages) == len(found.events) == found["topic"].n_passages
    parts = [(part.value, part.n_passages) for part in found["topic"].slices]
    assert [("2020", 8), ("2021", 8), ("seed", 16)] == parts
    assert "learnt from 32 passages, tested on the 16 with origin 'seed'" == found.scheme
    assert {one.id for one in found.passages} == {row["id"] for row in prediction_rows(found)}
    mistakes = {mistake.id for result in found.tasks.values() for mistake in result.mistakes}
    assert mistakes <= {one.id for one in found.passages}


def test_what_is_held_out_by_its_value_is_predicted_as_by_a_bundle_of_the_rest(made: Dataset) -> None:
    found = evaluate(made, holdout=("origin", "seed"))
    rest, part = (made.where(lambda p, o=origin: p.extra["origin"] == o) for origin in ("field", "seed"))
    other = evaluate_bundle(train(rest), part)
    for name, result in found.tasks.items():
        held, expected = result.held_out[MODEL], other[name].held_out[MODEL]
        np.testing.assert_allclose(held.scores, expected.scores, atol=1e-9)
        assert expected.predicted.tolist() == held.predicted.tolist()


def test_passages_of_events_on_both_sides_are_counted_in_a_note(made: Dataset) -> None:
    """Each event has two passages of either year."""
    moved = [replace(p, extra={"part": "test" if p.id in ("e00#0", "e01#0") else "rest"}) for p in made.passages]
    found = evaluate(make_dataset(moved, BOOK), holdout=("part", "test"))
    assert "Not learnt from: 6 further passages of events that stand in the held-out part." in found.notes


def test_a_field_without_values_is_refused_before_anything_is_learnt(made: Dataset) -> None:
    for options in ({"holdout": ("orign", "seed")}, {"holdout": ("origin", "sed")}, {"by": ["orign"]}):
        with pytest.raises(UsageError, match="did you mean"):
            evaluate(made, **options, on_step=lambda done, total: pytest.fail("learnt"))


@pytest.mark.parametrize("scheme", ["folds", "event_folds", ""])
def test_an_unknown_scheme_is_a_usage_error(scheme: str, made: Dataset) -> None:
    with pytest.raises(UsageError, match=f"^unknown scheme '{scheme}'; "):
        evaluate(made, scheme=scheme)


def test_the_schemes_are_named_where_one_is_unknown(made: Dataset) -> None:
    with pytest.raises(UsageError, match=r"did you mean 'event-folds'\?$"):
        evaluate(made, scheme="event-fold")
    with pytest.raises(UsageError, match=f"expected one of: {EVENT_FOLDS}, {LEAVE_ONE_EVENT_OUT}$"):
        evaluate(made, scheme="nonsense")


def test_thresholds_by_another_rule_are_named_and_used(made: Dataset, made_evaluation: Evaluation) -> None:
    sure = TrainingSettings(multilabel=TaskSettings(thresholds="precision=0.5"))
    found = evaluate(made, settings=sure)["topic"]
    assert ("prevalence", "precision=0.5") == (made_evaluation["topic"].thresholds, found.thresholds)
    assert not found.held_out[MODEL].predicted.any()  # fewer than 20 positives: never given
    np.testing.assert_array_equal(made_evaluation["topic"].held_out[MODEL].scores, found.held_out[MODEL].scores)


# ---- the first lines


def notes_of(dataset: Dataset, **options: Any) -> tuple[str, ...]:
    return evaluate(dataset, **options).notes


def test_sound_data_need_no_note(made_evaluation: Evaluation) -> None:
    assert () == made_evaluation.notes


@pytest.mark.parametrize("n_events", [1, 2, 3])
def test_under_four_events_the_first_line_says_why_nothing_is_evaluable(n_events: int, tmp_path: Path) -> None:
    found = evaluate(events_of_two(n_events, first_of_two))
    events = "1 event" if n_events == 1 else f"{n_events} events"
    needed = "none can be held out (4 are needed), so nothing is evaluable"
    assert (f"topic: only {events}: {needed}.",) == found.notes
    assert "nothing was held out" == found.scheme
    assert 2 * n_events == found["topic"].n_passages == len(found.passages)
    assert {NOT_EVALUABLE} == {label.verdict for label in found["topic"].labels}
    assert [] == list(prediction_rows(found))
    assert dict.fromkeys(("value", "low", "high")) == finished(found, tmp_path)["tasks"]["topic"]["macro_f1"]


def test_four_events_can_be_held_out_but_not_again_inside() -> None:
    first, second, third = notes_of(events_of_two(4, first_of_two))
    assert first.startswith("topic: too few events to hold any out inside the folds: thresholds and calibration come ")
    assert "Only 4 independent events to judge by: too few for intervals (6 are needed)." == second
    assert third.startswith(
        "topic: sea: given by the codebook's terms alone, with fewer than 3 passages to learn from "
    )


def test_the_note_on_few_events_says_that_a_search_is_skipped_too() -> None:
    searching = TrainingSettings(multilabel=TaskSettings(search={"C": (0.1, 1.0)}))
    first, *_, without, _ = notes_of(events_of_two(4, first_of_two), settings=searching)
    assert first.endswith("come from scores that the model has seen, and the search is skipped.")
    expected = "a learning curve and a check for topic leaks take the settings as they are before the search"
    assert without == f"topic: {expected}."


@pytest.mark.parametrize(
    ("rule_below", "told"),
    [
        (4, ()),
        (
            5,
            (
                "topic: sea: given by the codebook's terms alone, with fewer than 5 passages to learn from in at least "
                "one fold.",
            ),
        ),
    ],
)
def test_a_label_that_is_rare_in_one_fold_alone_is_named(rule_below: int, told: tuple[str, ...]) -> None:
    dataset = events_of_two(10, lambda event, number: ["sea"] if number == 0 and event % 2 else [])
    settings = TrainingSettings(multilabel=TaskSettings(rule_below=rule_below))
    assert notes_of(dataset, settings=settings) == told


def test_a_label_that_is_rare_outside_the_held_out_part_is_named() -> None:
    dataset = events_of_two(20, first_of_two, part=lambda event, number: "test" if event < 16 else "rest")
    settings = TrainingSettings(multilabel=TaskSettings(rule_below=5))
    told = "topic: sea: given by the codebook's terms alone, with fewer than 5 passages to learn from."
    assert told in notes_of(dataset, settings=settings, holdout=("part", "test"))


def test_unlabelled_texts_are_said_to_be_learnt_from_where_they_are() -> None:
    dataset = events_of_two(10, first_of_two)
    texts = [f"rain over field{n % 7} number{n}" for n in range(MIN_UNLABELLED + 5)]
    source = "where they come from the documents judged here, that flatters a little"
    told = f"topic: every fold also learnt from 105 unlabelled texts: {source}."
    assert (told,) == notes_of(dataset, unlabelled=texts)
    without = TrainingSettings(multilabel=TaskSettings(lsa_weight=0.0))
    told = "No fold learnt from the 105 unlabelled texts: lsa_weight is 0."
    assert (told,) == notes_of(dataset, unlabelled=texts, settings=without)


def test_from_ten_events_up_their_number_needs_no_note() -> None:
    assert ("Only 9 independent events to judge by: intervals are wide.",) == notes_of(events_of_two(9, first_of_two))
    assert () == notes_of(events_of_two(10, first_of_two))


def test_an_event_that_outweighs_the_others_is_named() -> None:
    dataset = events_of_two(10, first_of_two)
    many = [passage("large", n, f"rain extra{n}", []) for n in range(9)]
    assert ("One event holds 9 of 29 passages: results lean on it.",) == notes_of(
        make_dataset([*dataset.passages, *many], TOPICS)
    )
    three_tenths = [*dataset.passages, *many, passage("e00", 2, "rain", [])]
    assert () == notes_of(make_dataset(three_tenths, TOPICS))


def test_composed_passages_and_those_that_no_person_coded_are_counted() -> None:
    dataset = events_of_two(
        10,
        first_of_two,
        origin=lambda event, number: "composed" if event < 4 else "field",
        coder=lambda event, number: "a language model" if number else "anna",
    )
    composed = "8 of 20 passages were composed for training and are no reporting; their figures say little about real "
    assert (f"{composed}text.", "10 of 20 passages were coded by language models, not by people.") == notes_of(dataset)


def test_a_task_that_is_hardly_coded_is_left_out_and_the_others_are_not(tmp_path: Path) -> None:
    passages = list(events_of_two(10, first_of_two).passages)
    for number, tone in enumerate(["plain", "loud", "plain", "loud"]):
        passages[number] = replace(passages[number], labels={**passages[number].labels, "tone": frozenset([tone])})
    found = evaluate(make_dataset(passages, BOOK))
    assert ("tone: only 2 events: none can be held out (4 are needed), so nothing is evaluable.",) == found.notes
    assert {"topic"} == {row["task"] for row in prediction_rows(found)}
    assert 2 == found["tone"].n_events
    finished(found, tmp_path)


def test_a_held_out_part_in_which_a_task_is_not_coded_says_so() -> None:
    dataset = events_of_two(10, first_of_two, part=lambda event, number: "test" if event < 3 else "rest")
    passages = [
        replace(p, labels={**p.labels, "tone": None if p.extra["part"] == "test" else frozenset(["plain"])})
        for p in dataset.passages
    ]
    found = evaluate(make_dataset(passages, BOOK), holdout=("part", "test"))
    assert "tone: nothing coded is left to learn from, or to test on, so nothing is evaluable." == found.notes[0]
    assert (6, 0) == (found["topic"].n_passages, found["tone"].n_passages)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("f1", "have fewer than 30 positives to learn from, so their thresholds match their prevalence"),
        ("precision=0.8", "can't be assured that precision in every fold, and are not given there at all"),
    ],
)
def test_labels_with_too_few_positives_for_a_threshold_rule_are_named(rule: str, told: str) -> None:
    settings = TrainingSettings(multilabel=TaskSettings(thresholds=rule))
    expected = f"topic, thresholds by {rule}: sea, cyber {told}."
    assert (expected,) == notes_of(events_of_two(10, first_of_two), settings=settings)
    always = events_of_two(30, lambda event, number: ["sea", "cyber"])
    assert () == notes_of(always, settings=settings)


def test_the_note_on_a_threshold_rule_counts_the_positives_that_are_learnt_from() -> None:
    dataset = events_of_two(
        40, lambda event, number: ["sea", "cyber"], part=lambda event, number: "test" if event < 5 else "rest"
    )
    (note,) = notes_of(dataset, settings=F1, holdout=("part", "test"))
    assert "Only 5 independent events to judge by: too few for intervals (6 are needed)." == note


def test_every_label_stands_in_the_metrics_in_codebook_order(made_evaluation: Evaluation) -> None:
    tasks = made_evaluation.to_dict()["tasks"]
    assert [["sea", "cyber"], ["plain", "loud", "proud"]] == [list(task["labels"]) for task in tasks.values()]
    assert {"learning_curve", "abstention", "slices", "expected_calibration_error"} <= tasks["topic"].keys()
    assert {"co_confusion", "thresholds"} <= tasks["topic"].keys()
    assert ["confusion"] == [key for key in ("confusion", "co_confusion", "thresholds") if key in tasks["tone"]]


def test_coders_stand_beside_the_labels_of_passages_that_are_there(made: Dataset) -> None:
    labels = [(p.id, p.labels) for p in made.passages]
    coded = [CodedPassage(identity, coder, of) for identity, of in labels for coder in "ab"]
    strangers = [CodedPassage("elsewhere#1", coder, {"topic": frozenset([label]), "tone": None})
                 for coder, label in (("a", "sea"), ("b", "cyber"))]  # fmt: skip
    found = evaluate(made, coders=[*coded, *strangers])
    assert {48} == {label.agreement.n_double for label in found["topic"].labels}
    assert {1.0} == {label.agreement.alpha.value for label in found["topic"].labels}


# ---- odd input, each with a defined output


def test_a_label_with_one_positive_is_not_evaluable_and_harms_no_other(tmp_path: Path) -> None:
    dataset = events_of_two(
        12, lambda event, number: [*first_of_two(event, number), *(["cyber"] if (event, number) == (3, 1) else [])]
    )
    found = evaluate(dataset)
    sea, cyber = found["topic"].labels
    assert (12, 1, 1) == (sea.support, cyber.support, cyber.events)
    assert (True, False, "1 positive in 1 event; 10 in 5 are needed") == (
        sea.is_evaluable,
        cyber.is_evaluable,
        cyber.reason,
    )
    finished(found, tmp_path)


def test_a_fold_without_a_positive_is_counted_with_the_others(tmp_path: Path) -> None:
    """Ten positives of cyber in five of twelve events; leaving one event out in turn, seven folds have none."""
    dataset = events_of_two(12, lambda event, number: ["cyber"] if event < 5 else ["sea"])
    found = evaluate(dataset, scheme=LEAVE_ONE_EVENT_OUT)
    cyber = found["topic"].labels[1]
    assert (10, 5, True) == (cyber.support, cyber.events, cyber.is_evaluable)
    assert cyber.f1.value is not None
    finished(found, tmp_path)


def test_a_label_that_stands_in_one_event_alone_is_never_given_where_that_is_held_out(tmp_path: Path) -> None:
    dataset = events_of_two(8, lambda event, number: ["cyber"] if event == 2 else first_of_two(event, number))
    found = evaluate(dataset, scheme=LEAVE_ONE_EVENT_OUT)["topic"].held_out[MODEL]
    rows = dataset.groups == 2
    assert found.thresholds is not None
    assert {float("inf")} == set(found.thresholds[rows, 1].tolist())
    assert not found.predicted[rows, 1].any()


def test_passages_that_carry_no_label_at_all_are_judged_as_such(tmp_path: Path) -> None:
    metrics = finished(evaluate(events_of_two(10, lambda event, number: [])), tmp_path)["tasks"]["topic"]
    assert 1.0 == metrics["exact_match"]["value"]
    assert 0.0 == metrics["hamming_loss"]["value"]
    assert {None} == {metrics[name]["value"] for name in ("macro_f1", "micro_f1", "label_ranking_average_precision")}
    assert 0.0 == metrics["abstention"]["risk"]
    assert {0} == {label["support"] for label in metrics["labels"].values()}


def test_a_label_that_every_passage_carries_is_judged_without_a_calibration_line(tmp_path: Path) -> None:
    found = evaluate(events_of_two(10, lambda event, number: ["sea"]))
    finished(found, tmp_path)
    sea, _ = found["topic"].labels
    assert (20, 1.0, 1.0) == (sea.support, sea.prevalence, sea.f1.value)
    assert {None} == {sea.slope.value, sea.intercept.value, sea.brier_skill.value, sea.skill.value, sea.matthews}


def test_passages_of_one_short_text_are_told_by_nothing(tmp_path: Path) -> None:
    """Under five words documents are not taken for copies of each other."""
    found = evaluate(events_of_two(12, first_of_two, text=lambda event, number: "Same."))
    finished(found, tmp_path)
    assert 12 == found["topic"].n_events
    model = found["topic"].held_out[MODEL]
    for fold in range(5):
        assert 1 == len(np.unique(model.probabilities[found["topic"].folds == fold], axis=0))


def test_passages_of_one_long_text_are_one_event() -> None:
    dataset = events_of_two(12, first_of_two, text=lambda event, number: "The same seven words in every passage.")
    assert ("topic: only 1 event: none can be held out (4 are needed), so nothing is evaluable.",) == notes_of(dataset)


def test_passages_without_a_word_are_judged(tmp_path: Path) -> None:
    found = evaluate(events_of_two(10, first_of_two, text=lambda event, number: "…"))
    assert 10 == finished(found, tmp_path)["tasks"]["topic"]["n_events"]


BOILERPLATE = (
    "This article first appeared in the morning paper and may not be copied without the consent of its owners."
)


@pytest.mark.parametrize("n_events", [12, 60])
def test_a_sentence_that_ends_every_document_joins_no_events(n_events: int) -> None:
    """It is under three tenths of each document, and stands in more than 50 of them where there are more."""

    def text(event: int, number: int) -> str:
        return " ".join([*(f"own{event}x{number}x{n}" for n in range(30)), BOILERPLATE if number else ""])

    dataset = events_of_two(n_events, first_of_two, text)
    assert n_events == len(dataset.event_names)
    assert () == dataset.events.joined


def test_nothing_coded_is_a_usage_error(made: Dataset) -> None:
    nothing = [replace(p, labels={"topic": None, "tone": None}) for p in made.passages]
    with pytest.raises(UsageError, match=r"^no passage is coded for any task; label some passages first$"):
        evaluate(make_dataset(nothing, BOOK))


# ---- a bundle


def test_a_bundle_is_judged_in_parts_too(toy_bundle: Bundle, toy_dataset: Dataset) -> None:
    dated = [
        replace(p, extra={"date": "2024-01-01" if p.id.endswith("#1") else "2025-01-01"}) for p in toy_dataset.passages
    ]
    found = evaluate_bundle(toy_bundle, make_dataset(dated, toy_dataset.codebook), by=["year"])
    assert [("2024", 12), ("2025", 12)] == [(part.value, part.n_passages) for part in found["theme"].slices]
    assert None is found["theme"].curve
    assert (None, None) == (found["theme"].thresholds, found["theme"].optimism)
    assert {-1} == set(found["theme"].folds.tolist())


def test_a_bundle_is_asked_for_its_own_mistakes(toy_bundle: Bundle, toy_dataset: Dataset) -> None:
    turned = [replace(p, labels={**p.labels, "theme": frozenset(["trade"])}) for p in toy_dataset.passages]
    found = evaluate_bundle(toy_bundle, make_dataset(turned, toy_dataset.codebook))["theme"]
    assert {("sea", "false positive"), ("cyber", "false positive"), ("trade", "false negative")} == {
        (mistake.label, mistake.kind) for mistake in found.mistakes
    }
    assert all(mistake.words_for or mistake.words_against for mistake in found.mistakes)


def test_an_unknown_field_of_a_bundle_s_passages_is_a_usage_error(toy_bundle: Bundle, toy_dataset: Dataset) -> None:
    with pytest.raises(UsageError, match=r"^no passage has a field 'orign'; did you mean 'origin'\?$"):
        evaluate_bundle(toy_bundle, toy_dataset, by=["orign"])


@pytest.mark.parametrize(
    "tasks",
    [
        (Task("theme", TaskKind.MULTILABEL, (Label("sea"), Label("cyber"))),),
        (Task("theme", TaskKind.MULTILABEL, (Label("cyber"), Label("sea"), Label("trade"))),),
        (Task("theme", TaskKind.MULTICLASS, (Label("sea"), Label("cyber"), Label("trade"))),),
        (Task("topic", TaskKind.MULTILABEL, (Label("sea"), Label("cyber"), Label("trade"))),),
    ],
    ids=["a label less", "another order", "another kind", "another name"],
)
def test_passages_of_another_codebook_are_a_usage_error(tasks: tuple[Task, ...], toy_bundle: Bundle) -> None:
    (task,) = tasks
    coded = LabelledPassage("a", "Ships.", "a", None, {task.name: frozenset(["sea"])}, {})
    with pytest.raises(UsageError, match=r"^the bundle was trained with another codebook: task theme has labels sea, "):
        evaluate_bundle(toy_bundle, make_dataset([coded], Codebook("other", tasks)))


def test_passages_that_code_none_of_a_bundle_s_tasks_are_a_usage_error(
    toy_bundle: Bundle, toy_dataset: Dataset
) -> None:
    nothing = [replace(p, labels={"theme": None, "framing": None}) for p in toy_dataset.passages]
    with pytest.raises(UsageError, match=r"^no passage is coded for any of the bundle's tasks; expected labelled"):
        evaluate_bundle(toy_bundle, make_dataset(nothing, toy_dataset.codebook))


@pytest.mark.parametrize("n_events", [1, 2])
def test_a_bundle_is_judged_on_one_event_without_intervals(
    n_events: int, toy_bundle: Bundle, toy_dataset: Dataset, tmp_path: Path
) -> None:
    few = toy_dataset.where(lambda found: found.document <= f"e{n_events:02}")
    found = evaluate_bundle(toy_bundle, few)
    assert n_events == finished(found, tmp_path)["tasks"]["framing"]["n_events"]
    accuracy = found["framing"].headline["accuracy"]
    assert (1.0, None) == (accuracy.value, accuracy.low)

"""The audit of the splits: what it flags, what it lets pass, and what it can't be asked."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from classify.data.annotations import LabelledPassage
from classify.data.dataset import Dataset, make_dataset
from classify.errors import UsageError
from classify.evaluation import audit
from classify.evaluation.audit import Copies, NullBand, SplitAudit, audit_splits
from tests.evaluation.conftest import BOOK, TOPICS, passage

N_EVENTS, N_PASSAGES = 16, 4
Topics = Callable[[int, int], list[str]]


def by_event(event: int, number: int) -> list[str]:
    """A topic of whole events."""
    return ["sea"] if event % 2 else []


def telling(n_words: int, topics: Topics = by_event) -> Dataset:
    """Events whose passages have words of the event's own, as many as given, and one that tells the topic."""
    rng = np.random.default_rng(0)
    passages = []
    for event in range(N_EVENTS):
        for number in range(N_PASSAGES):
            given = topics(event, number)
            words = [f"own{event}x{n}" for n in rng.integers(0, 3 * n_words, n_words)]
            text = " ".join([*words, "harbour" if given else "rain"])
            passages.append(passage(f"e{event:02}", number, text, given))
    return make_dataset(passages, TOPICS)


@pytest.fixture(scope="module")
def long_texts() -> SplitAudit:
    return audit_splits(telling(20))


@pytest.fixture(scope="module")
def short_texts() -> SplitAudit:
    """Two words a passage: copies hold no five words in a row, so only those that lost no word are found."""
    return audit_splits(telling(1))


@pytest.fixture
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "N_DRAWS", 3)


# ---- verdicts by hand


@pytest.mark.parametrize(
    ("mean", "error", "is_tight"),
    [(0.4, 0.0, True), (0.55, 0.0, True), (0.5501, 0.0, False), (0.6, 0.024, False), (0.6, 0.026, True)],
)
def test_a_null_band_is_tight_up_to_55_with_two_standard_errors(mean: float, error: float, is_tight: bool) -> None:
    assert is_tight == NullBand("topic", "sea", mean, error, 0.3, 0.7, 0.9).is_tight


@pytest.mark.parametrize(
    ("joined", "before", "with_copies", "is_tight"),
    [
        (0.95, 0.5, 0.5, True),
        (0.94, 0.5, 0.5, False),
        (1.0, 0.5, 0.53125, True),
        (1.0, 0.5, 0.5625, False),
        (1.0, 0.5, 0.25, True),
    ],
)
def test_copies_are_tight_where_they_are_found_and_raise_no_score(
    joined: float, before: float, with_copies: float, is_tight: bool
) -> None:
    assert is_tight == Copies(joined, {"topic": (0.9, 0.9, 1.0), "tone": (before, with_copies, 1.0)}).is_tight


def test_an_audit_is_tight_where_both_tests_are() -> None:
    loose_band, band = (NullBand("topic", "sea", mean, 0.0, 0.3, 0.7, 0.9) for mean in (0.6, 0.5))
    loose_copies, copies = (Copies(joined, {"topic": (0.9, 0.9, 1.0)}) for joined in (0.5, 1.0))
    assert SplitAudit((band, band), copies).is_tight
    assert not SplitAudit((band, loose_band), copies).is_tight
    assert not SplitAudit((band,), loose_copies).is_tight


# ---- generated data


def test_sound_data_pass_both_tests(long_texts: SplitAudit) -> None:
    assert long_texts.is_tight
    assert 1.0 == long_texts.copies.joined
    (band,) = long_texts.null
    assert band.low < band.mean < band.high
    assert band.mean <= 0.55


def test_only_evaluable_labels_are_tested(long_texts: SplitAudit) -> None:
    assert [("topic", "sea")] == [(band.task, band.label) for band in long_texts.null]
    assert ["topic"] == list(long_texts.copies.average_precision)


def test_folds_of_passages_read_what_leaks_through_words_of_the_event(long_texts: SplitAudit) -> None:
    assert long_texts.null[0].mean_by_passage > 0.9


def test_copies_that_cannot_be_found_are_flagged(short_texts: SplitAudit) -> None:
    assert short_texts.copies.joined <= 0.5
    assert not short_texts.copies.is_tight
    assert not short_texts.is_tight


@pytest.mark.usefixtures("few_draws")
def test_events_that_are_no_events_are_flagged_where_copies_stand_in_the_data() -> None:
    """Each passage comes twice under an event of its own, in words too few to be found out."""
    once = telling(2).where(lambda found: found.id.endswith(("#0", "#1")))
    twice = [replace(p, id=f"{p.id}{which}", document=f"{p.id}{which}", event=f"{p.id}{which}") for p in once.passages
             for which in "ab"]  # fmt: skip
    found = audit_splits(make_dataset(twice, TOPICS))
    assert not found.is_tight
    assert found.copies.joined < 0.95


def test_the_audit_is_plain_data(long_texts: SplitAudit, short_texts: SplitAudit) -> None:
    for found in (long_texts, short_texts):
        plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
        assert found.is_tight == plain["is_tight"]
        assert ["topic"] == list(plain["copies"]["average_precision"])
        (band,) = plain["shuffled_labels"]
        assert {"task", "label", "mean", "error", "low", "high", "mean_by_passage", "is_tight"} == band.keys()
        assert found.null[0].mean == band["mean"]


@pytest.mark.usefixtures("few_draws")
def test_the_same_data_give_the_same_audit_in_steps_that_sum_to_the_total() -> None:
    steps: list[tuple[float, float]] = []
    first = audit_splits(telling(20), on_step=lambda done, total: steps.append((done, total)))
    assert 5 + 5 + 3 == len(steps)  # a job for each fold of events and of passages, and three for copies
    assert pytest.approx(steps[-1][1]) == steps[-1][0]
    assert first == audit_splits(telling(20))


# ---- labels are dealt whole


def test_labels_are_dealt_from_event_to_event_whole() -> None:
    groups = np.array([0, 1, 0, 2, 2, 2, 1])
    sources = [audit._dealt(groups, np.random.default_rng(seed)) for seed in range(20)]
    for rows in sources:
        givers = [set(groups[rows[groups == group]].tolist()) for group in range(3)]
        assert [1, 1, 1] == [len(giver) for giver in givers]
        assert {0, 1, 2} == set.union(*givers)
    assert len({tuple(rows) for rows in sources}) > 1


def first_of_its_event(event: int, number: int) -> list[str]:
    return ["sea"] if number == 0 else []


@pytest.mark.usefixtures("few_draws")
def test_a_label_of_the_first_passage_of_each_event_is_no_leak() -> None:
    found = audit_splits(telling(20, first_of_its_event))
    assert found.null[0].is_tight


@pytest.mark.usefixtures("few_draws")
def test_texts_that_tell_nothing_are_no_leak() -> None:
    rows = [(f"e{event:02}", number) for event in range(12) for number in range(4)]
    passages = [passage(event, n, "Same.", ["sea"] if n == 3 else []) for event, n in rows]
    (band,) = audit_splits(make_dataset(passages, TOPICS)).null
    assert pytest.approx(0.5) == band.mean


# ---- what can't be audited


@pytest.mark.parametrize("n_events", [2, 3])
def test_under_four_events_there_is_nothing_to_audit(n_events: int) -> None:
    few = telling(20).where(lambda found: found.document < f"e{n_events:02}")
    with pytest.raises(UsageError, match=f"^{n_events} events: none can be held out; 4 are needed$"):
        audit_splits(few)


def test_without_an_evaluable_label_there_is_nothing_to_audit(toy_dataset: Dataset) -> None:
    none_is = toy_dataset.where(lambda found: found.document < "e05")
    with pytest.raises(UsageError, match=r"^no label has 10 positives from 5 events, so there is nothing to test"):
        audit_splits(none_is)


@pytest.mark.usefixtures("few_draws")
def test_a_label_that_every_passage_carries_is_no_leak() -> None:
    everywhere = telling(20, lambda event, number: ["sea", "cyber"] if event % 2 else ["sea"])
    assert audit_splits(everywhere).is_tight


@pytest.mark.usefixtures("few_draws")
def test_a_task_that_hardly_anybody_coded_is_left_out() -> None:
    def coded(found: LabelledPassage) -> LabelledPassage:
        return replace(found, labels={**found.labels, "tone": frozenset(["loud"]) if found.id == "e00#0" else None})

    dataset = make_dataset([coded(found) for found in telling(20).passages], BOOK)
    assert ["topic"] == list(audit_splits(dataset).copies.average_precision)

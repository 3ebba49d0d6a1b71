"""The labelled set is what its data card says."""

import re

import numpy as np
import pytest

from classify.data.annotations import CodedPassage, read_coders
from classify.data.dataset import Dataset, counts_by_label, dataset_warnings
from classify.data.documents import read_document
from classify.data.segment import segment
from classify.evaluation.agreement import find_disagreements
from tests.conftest import ROOT
from tests.data_card import CARD as PATH
from tests.data_card import agreement_of, nearest_passages, of_origin, updated

CARD = PATH.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def coded(own_dataset: Dataset) -> list[CodedPassage]:
    return read_coders([ROOT / "labels" / "coders"], own_dataset.codebook)


def test_no_fault_and_nothing_to_warn_of(own_dataset: Dataset) -> None:
    assert dataset_warnings(own_dataset) == []


def test_seed_passages_are_the_segments_of_the_seeds(own_dataset: Dataset) -> None:
    documents = [read_document(path) for path in sorted((ROOT / "seeds").glob("*.txt"))]
    cut = {f"seeds/{p.id.rpartition('/')[2]}": p.text for document in documents for p in segment(document)}
    assert {p.id: p.text for p in of_origin(own_dataset, "seed").passages} == cut


def test_every_passage_says_where_it_came_from_and_who_coded_it(own_dataset: Dataset) -> None:
    needed = {"source", "origin", "register", "region", "period", "selection", "coder"}
    assert all(needed <= set(passage.extra) for passage in own_dataset.passages)
    assert {passage.extra["origin"] for passage in own_dataset.passages} == {"seed", "composed"}
    assert all("language model" in passage.extra["coder"] for passage in own_dataset.passages)


def test_composed_documents_are_one_event_each(own_dataset: Dataset) -> None:
    composed = of_origin(own_dataset, "composed")
    assert len(composed.event_names) == len({p.document for p in composed.passages})
    assert composed.events.joined == ()


def test_tables_of_the_card_are_today_s(own_dataset: Dataset) -> None:
    assert CARD == updated(CARD, own_dataset), "run python tests/data_card.py"


def test_agreement_on_whole_sets_of_themes_stands_in_the_card(own_dataset: Dataset) -> None:
    overall = agreement_of(own_dataset)["theme"].overall
    assert f"MASI distance is {overall}" in re.sub(r"\s+", " ", CARD)


def test_every_label_has_passages_of_many_events_and_registers(own_dataset: Dataset) -> None:
    for task, of_task in counts_by_label(own_dataset).items():
        for label, (n, events) in of_task.items():
            registers = {p.extra["register"] for p in own_dataset.passages if label in (p.labels[task] or ())}
            least = (80, 40, 6) if task == "theme" else (180, 40, 5)
            assert all(np.array([n, events, len(registers)]) >= least), label
    assert sum(not p.labels["theme"] for p in own_dataset.passages) >= 200


def test_no_passage_repeats_a_fifth_of_one_of_another_document(own_dataset: Dataset) -> None:
    assert nearest_passages(of_origin(own_dataset, "composed").passages)[0] <= 0.2


def test_the_third_coder_decided_what_the_first_two_left_open(own_dataset: Dataset, coded: list[CodedPassage]) -> None:
    left_open = {row["id"] for row in find_disagreements(coded, own_dataset.codebook)}
    assert left_open == {p.id for p in own_dataset.passages if "adjudicated" in p.extra["coder"]}
    assert f"decided the {len(left_open)} passages" in CARD


def test_gold_is_what_both_coders_gave_where_nothing_was_open(own_dataset: Dataset, coded: list[CodedPassage]) -> None:
    gold = {p.id: p.labels for p in own_dataset.passages if "agreed" in p.extra["coder"]}
    assert all(row.labels == gold[row.id] for row in coded if row.id in gold)

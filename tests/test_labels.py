"""The labelled set is what its data card says."""

import re

import pytest

from classify.data.annotations import CodedPassage, read_coders
from classify.data.dataset import Dataset, counts_by_label, dataset_warnings, make_dataset
from classify.data.documents import read_document
from classify.data.segment import segment
from classify.evaluation.agreement import find_disagreements, measure_agreement
from tests.conftest import ROOT

CARD = (ROOT / "labels" / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def coded(own_dataset: Dataset) -> list[CodedPassage]:
    return read_coders([ROOT / "labels" / "coders"], own_dataset.codebook)


def of_origin(dataset: Dataset, origin: str) -> Dataset:
    return make_dataset([p for p in dataset.passages if p.extra["origin"] == origin], dataset.codebook)


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


def test_counts_and_agreement_of_the_card(own_dataset: Dataset, coded: list[CodedPassage]) -> None:
    counts, seed, composed = (
        counts_by_label(dataset)
        for dataset in (own_dataset, of_origin(own_dataset, "seed"), of_origin(own_dataset, "composed"))
    )
    clusters = {p.id: own_dataset.events.of_document[p.document] for p in own_dataset.passages}
    agreement = measure_agreement(coded, own_dataset.codebook, clusters=clusters)
    rows = [
        f"| `{label}` | {n} | {events} | {seed[task][label][0]} | {composed[task][label][0]} "
        f"| {agreement[task][label].alpha} | {agreement[task][label].specific:.2f} |"
        for task, of_task in counts.items()
        for label, (n, events) in of_task.items()
    ]
    assert rows == re.findall(r"(?m)^\| `\w+` \| \d.*$", CARD.split("## Counts")[1])
    assert re.sub(r"\s+", " ", f"MASI distance is {agreement['theme'].overall}") in re.sub(r"\s+", " ", CARD)


def test_the_third_coder_decided_what_the_first_two_left_open(own_dataset: Dataset, coded: list[CodedPassage]) -> None:
    left_open = {row["id"] for row in find_disagreements(coded, own_dataset.codebook)}
    assert left_open == {p.id for p in own_dataset.passages if "adjudicated" in p.extra["coder"]}
    assert f"decided the {len(left_open)} passages" in CARD


def test_gold_is_what_both_coders_gave_where_nothing_was_open(own_dataset: Dataset, coded: list[CodedPassage]) -> None:
    gold = {p.id: p.labels for p in own_dataset.passages if "agreed" in p.extra["coder"]}
    assert all(row.labels == gold[row.id] for row in coded if row.id in gold)

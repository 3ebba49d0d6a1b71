"""Candidate terms: words of a label's passages in several events, without what the codebook covers already."""

import pytest

from classify.codebook import Codebook, Label, Task, TaskKind
from classify.data.annotations import LabelledPassage
from classify.data.candidates import find_candidates, find_collocations
from classify.data.dataset import Dataset, make_dataset

SEA = Label("sea", terms=("nav*",), not_terms=("harbour fee*",))
TASK = Task("theme", TaskKind.MULTILABEL, (SEA, Label("other")))
BOOK = Codebook("made", (TASK,))


def dataset(*texts: tuple[str, str, bool]) -> Dataset:
    """Passages of an event, a text, and whether they are of the sea."""
    return make_dataset(
        [
            LabelledPassage(
                id=f"p{number:03}",
                text=text,
                document=event,
                event=event,
                labels={"theme": frozenset(["sea"] if is_sea else [])},
                unsure={},
            )
            for number, (event, text, is_sea) in enumerate(texts)
        ],
        BOOK,
    )


@pytest.fixture(scope="module")
def made() -> Dataset:
    inside = [
        (f"in{n}", f"The navy sent a frigate on the patrol boat route number{n} past a harbour fee post.", True)
        for n in range(8)
    ]
    outside = [(f"out{n}", f"The council of town{n} spoke of schools and of a route.", False) for n in range(12)]
    once = [("in0", f"A submarine, Pakistan's sonar and a buoy number{n}.", True) for n in range(6)]
    return dataset(*inside, *outside, *once)


def test_words_and_pairs_of_the_label_are_proposed_with_their_counts(made: Dataset) -> None:
    found = {c.term: (c.inside, c.outside) for c in find_candidates(made, TASK)["sea"]}
    assert (8, 0) == found["frigate"]
    assert (8, 0) == found["patrol boat"]


@pytest.mark.parametrize(
    "term", ["navy", "harbour fee", "the", "submarine", "route", "schools"], ids=lambda term: f"not {term}"
)
def test_covered_common_single_event_and_outside_words_are_not(term: str, made: Dataset) -> None:
    assert term not in {c.term for c in find_candidates(made, TASK)["sea"]}


def test_no_more_than_asked_the_highest_first(made: Dataset) -> None:
    every = find_candidates(made, TASK, most=50)["sea"]
    assert [c.keyness for c in every] == sorted((c.keyness for c in every), reverse=True)
    assert every[:2] == find_candidates(made, TASK, most=2)["sea"]


def test_collocations_are_pairs_alone_covered_by_the_codebook_or_not(made: Dataset) -> None:
    found = [c.term for c in find_collocations(made, TASK)["sea"]]
    assert {"harbour fee", "patrol boat"} <= set(found)
    assert all(" " in term for term in found)


def test_a_label_without_passages_has_no_candidates(made: Dataset) -> None:
    assert [] == find_candidates(made, TASK)["other"]

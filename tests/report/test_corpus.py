"""A corpus is counted as one counts by hand, and what the counts leave out is said."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classify.data.tags import Tags
from classify.report.corpus import Corpus, count_corpus
from tests.report.conftest import prediction, read, tagged_rows


@pytest.fixture
def corpus(tags: Tags) -> Corpus:
    return count_corpus(tags)


def test_every_answer_is_counted_none_included(corpus: Corpus) -> None:
    assert ("sea", "cyber", "none") == corpus.overall["theme"].rows
    assert [[4], [4], [2]] == corpus.overall["theme"].n.tolist()
    assert ("report", "praise") == corpus.overall["framing"].rows
    assert [[5], [3]] == corpus.overall["framing"].n.tolist()


def test_labels_are_counted_by_source_and_by_month_over_the_passages_of_each(corpus: Corpus) -> None:
    by_source, by_month = corpus.by_field["source", "theme"], corpus.by_field["month", "theme"]
    assert (("Wire", "Gazette"), [4, 3]) == (by_source.rows, by_source.total.tolist())
    assert [[2, 2, 1], [2, 2, 0]] == by_source.n.tolist()
    assert (("2025-04", "2025-02", "2025-01"), [3, 1, 2]) == (by_month.rows, by_month.total.tolist())
    assert [[1, 1, 1], [0, 1, 0], [2, 1, 0]] == by_month.n.tolist()


def test_tasks_are_crossed_and_labels_counted_together(corpus: Corpus) -> None:
    assert [[3, 1], [3, 1], [1, 1]] == corpus.pairs["theme", "framing"].n.tolist()
    assert [[4, 2], [2, 4]] == corpus.together["theme"].n.tolist()
    assert {"theme"} == set(corpus.together)


def test_passages_to_review_are_counted_by_label_and_reason(corpus: Corpus) -> None:
    table = corpus.review["theme"]
    assert ("any reason", "near_threshold", "too_short") == table.columns
    assert [[0, 0, 0], [2, 1, 1], [0, 0, 0]] == table.n.tolist()


def test_notes_say_what_is_left_out(corpus: Corpus) -> None:
    assert any("'03/04/2025'" in note and note.startswith("1 passage with a date") for note in corpus.notes)
    assert "1 passage without a source, left out of the counts by source." in corpus.notes
    assert "1 passage without a date, left out of the counts by month." in corpus.notes


def test_notes_name_two_bundles_errors_and_repetitions() -> None:
    rows = [
        {"id": "1", "text": "x"} | prediction(["sea"], "report", review=[]),
        {"id": "1", "text": "x"} | prediction(["sea"], "report", review=[]) | {"model": "xyz"},
        {"error": "too long"},
    ]
    notes = " ".join(count_corpus(read(rows)).notes)
    assert "Predictions of 2 bundles: abc (1 passage), xyz (1 passage)." in notes
    assert "1 row with an error instead of a prediction, counted nowhere: too long (1)." in notes
    assert "1 passage with an id that stands before" in notes
    assert "1 passage with a text that stands before, word for word" in notes
    assert "Nothing by source: no row has a field source or" in notes
    assert "Nothing by month: no row has a date." in notes


def test_every_number_of_the_csv_names_its_table_as_machine_tagged(corpus: Corpus) -> None:
    rows = [row for table in corpus.tables for row in table.row_dicts()]
    assert all(str(row["table"]).endswith("(machine-tagged)") for row in rows)
    assert {"table": "theme by source (machine-tagged)", "row": "Wire", "column": "sea", "n": 2, "total": 4} in rows
    names = [(row["table"], row["row"], row["column"]) for row in rows]
    assert len(set(names)) == len(names)


@given(st.lists(st.tuples(st.sets(st.sampled_from(["sea", "cyber"])), st.sampled_from(["a", "b", None])), min_size=1))
def test_counts_are_those_of_a_loop_over_rows(passages: list[tuple[set[str], str | None]]) -> None:
    rows = [prediction(sorted(themes), "report", review=[]) | {"source": source} for themes, source in passages]
    corpus = count_corpus(read(rows))
    table = corpus.by_field.get(("source", "theme"))
    expected = {
        (source, label): sum(label in themes and own == source for themes, own in passages)
        for source, label in product({own for _, own in passages} - {None}, ("sea", "cyber"))
    }
    found = (
        {}
        if table is None
        else {
            (row, column): int(table.n[i, j])
            for (i, row), (j, column) in product(enumerate(table.rows), enumerate(table.columns))
            if column != "none"
        }
    )
    assert expected == found


def test_repeating_a_corpus_multiplies_every_number() -> None:
    once, thrice = count_corpus(read(tagged_rows())), count_corpus(read(tagged_rows() * 3))
    for one, other in zip(once.tables, thrice.tables, strict=True):
        np.testing.assert_array_equal(3 * one.n, other.n)
        np.testing.assert_array_equal(3 * one.total, other.total)

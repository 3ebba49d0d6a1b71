"""What a draw needs to know of a corpus is read in one loop, and what can't be drawn from is named."""

from typing import Any

import pytest

from classify.data.samplingframe import read_frame
from classify.errors import UsageError

ROWS: list[dict[str, Any]] = [
    {"id": "a#1", "document": "a", "outlet": "Wire"},
    {"id": "a#2", "document": "a", "date": "2025-07"},
    {"id": "b", "outlet": "Wire", "text": "B."},
]


def test_numbers_strata_and_documents_are_those_of_the_rows() -> None:
    frame = read_frame(ROWS, by="source", seed=0)
    assert ("Wire", "") == frame.strata
    assert [0, 1, 0] == frame.stratum.tolist()
    assert [1, 2] == sorted(frame.document_sizes.tolist())
    assert ("id", "document", "outlet", "date", "text") == frame.columns
    assert 3 == len(set(frame.number.tolist()))


def test_a_number_hangs_on_id_and_seed_alone() -> None:
    numbers = [read_frame(rows, seed=seed).number.tolist() for rows, seed in ((ROWS, 0), (ROWS[::-1], 0), (ROWS, 1))]
    assert numbers[0] == numbers[1][::-1]
    assert not set(numbers[0]) & set(numbers[2])


@pytest.mark.parametrize(
    ("rows", "by", "message"),
    [
        (
            [*ROWS, {"text": "C."}, {"id": ""}],
            None,
            "2 passages of 5 without an id, the first is number 4; expected one",
        ),
        ([*ROWS, ROWS[1]], None, "id 'a#2' stands twice; every passage needs an id of its own"),
        (ROWS, "outlook", "--by outlook: no passage has it; the rows have id, document, outlet, date, text"),
    ],
)
def test_what_cannot_be_drawn_from_is_said_once(rows: list[dict[str, Any]], by: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_frame(rows, by=by, seed=0)

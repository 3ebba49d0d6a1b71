"""Tables of pairs find what a dictionary finds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classify.scorer.pairs import ABSENT, PairTable

NUMBERS = st.integers(0, 40)


@given(values=st.dictionaries(st.tuples(NUMBERS, NUMBERS), st.integers(0, 2**31)), asked=st.data())
def test_a_table_finds_what_a_dictionary_finds(values: dict[tuple[int, int], int], asked: st.DataObject) -> None:
    pairs = asked.draw(st.lists(st.sampled_from([*values]) if values else st.tuples(NUMBERS, NUMBERS)))
    pairs += asked.draw(st.lists(st.tuples(st.integers(-2, 40), st.integers(-2, 40))))
    first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    found = PairTable(values, n_second=41).find(first, second)
    assert [values.get(pair, ABSENT) for pair in pairs] == found.tolist()


def test_a_large_table_keeps_half_of_its_rows_free() -> None:
    values = {(n % 300, n // 300): n for n in range(50_000)}
    table = PairTable(values, n_second=200)
    first, second = np.array(list(values)).T
    assert list(values.values()) == table.find(first, second).tolist()
    assert [ABSENT] * 50_000 == table.find(first + 300, second).tolist()
    assert len(values) * 2 <= len(table.slots)


def test_no_pairs_make_a_table_where_nothing_is_found() -> None:
    table = PairTable({}, n_second=0)
    assert [ABSENT, ABSENT] == table.find(np.array([0, -1]), np.array([0, 0])).tolist()
    assert [] == table.find(np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist()

"""The prevalence of an audit sample: weighted shares as counted by hand, never 0 or 1, and faults by their rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classify.codebook import Codebook
from classify.data.auditsample import FIELD, audit_prevalence
from classify.data.dataset import Dataset, load_labels
from classify.errors import DataError
from tests.conftest import write_jsonl


def row(number: int, probability: object, themes: list[str] | None, framing: str | None = None) -> dict[str, Any]:
    labels = {"theme": themes, "framing": framing}
    return {"id": f"p{number}", "text": f"Text {number}.", FIELD: probability, "labels": labels}


def audit_of(folder: Path, codebook: Codebook, rows: list[dict[str, Any]]) -> Dataset:
    return load_labels(write_jsonl(folder / "audit.jsonl", rows), codebook)


def test_equal_probabilities_give_smoothed_shares(tmp_path: Path, toy_codebook: Codebook) -> None:
    rows = [row(n, 0.25, themes) for n, themes in enumerate([["sea"], ["sea", "cyber"], [], ["sea"]])]
    found = audit_prevalence(audit_of(tmp_path, toy_codebook, rows))
    assert list(found) == ["theme"]  # nobody coded the framing
    np.testing.assert_allclose(found["theme"], [(3 + 1 / 2) / 5, (1 + 1 / 2) / 5, (1 / 2) / 5], rtol=1e-12)


def test_a_passage_counts_for_as_many_as_it_was_drawn_from(tmp_path: Path, toy_codebook: Codebook) -> None:
    # weights 10, 1 and 1: Hájek's shares 10/12 and 2/12 at an effective size of 12² / 102
    rows = [row(0, 0.1, ["sea"]), row(1, 1, ["cyber"]), row(2, 1.0, ["cyber"])]
    found = audit_prevalence(audit_of(tmp_path, toy_codebook, rows))["theme"]
    n = 12**2 / (10**2 + 1 + 1)
    np.testing.assert_allclose(found, [(n * 10 / 12 + 1 / 2) / (n + 1), (n * 2 / 12 + 1 / 2) / (n + 1), 0.5 / (n + 1)])


def test_cells_that_are_not_known_count_nowhere(tmp_path: Path, toy_codebook: Codebook) -> None:
    rows = [row(0, 0.5, ["sea"]), row(1, 0.5, []), row(2, 0.5, None, "report")]
    rows[1]["unsure"] = {"theme": ["sea"]}
    found = audit_prevalence(audit_of(tmp_path, toy_codebook, rows))
    np.testing.assert_allclose(found["theme"], [(1 + 1 / 2) / 2, (1 / 2) / 3, (1 / 2) / 3])
    np.testing.assert_allclose(found["framing"], [3 / 4, 1 / 4])  # (1 + 1/2) / 2 and (1/2) / 2 sum to one


@pytest.mark.parametrize("n_reports", range(6))
def test_shares_of_a_multiclass_task_sum_to_one_and_none_is_impossible(
    n_reports: int, tmp_path: Path, toy_codebook: Codebook
) -> None:
    rows = [row(n, 1 / (n + 1), None, "report" if n < n_reports else "praise") for n in range(5)]
    found = audit_prevalence(audit_of(tmp_path, toy_codebook, rows))["framing"]
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert ((found > 0) & (found < 1)).all()


def test_probabilities_may_be_written_as_text(tmp_path: Path, toy_codebook: Codebook) -> None:
    table = tmp_path / "audit.csv"
    table.write_text('id,text,theme,inclusion_probability\np1,One.,sea,"0,5"\np2,Two.,cyber,5e-1\n', encoding="utf-8")
    found = audit_prevalence(load_labels(table, toy_codebook))["theme"]
    assert found[0] == pytest.approx((1 + 1 / 2) / 3)


@pytest.mark.parametrize(
    "wrong", [None, True, False, 0, 2, -0.1, 1.0001, "often", "true", "", float("nan"), [0.5], "1e-400"], ids=repr
)
def test_what_is_no_probability_is_a_fault_with_its_row(wrong: object, tmp_path: Path, toy_codebook: Codebook) -> None:
    rows = [row(0, 0.5, ["sea"]), row(1, wrong, ["sea"]), row(2, 0.5, ["sea"])]
    with pytest.raises(DataError) as caught:
        audit_prevalence(audit_of(tmp_path, toy_codebook, rows))
    (fault,) = caught.value.faults
    assert str(fault).startswith(f"{tmp_path / 'audit.jsonl'}:2: {FIELD}: found ")
    assert str(fault).endswith("expected the probability with which the passage was drawn, above 0 and up to 1")


def test_every_fault_is_told_in_order_and_a_missing_column_once(tmp_path: Path, toy_codebook: Codebook) -> None:
    rows = [row(n, 0.5 if n == 11 else 2, ["sea"]) for n in range(12)]
    with pytest.raises(DataError) as caught:
        audit_prevalence(audit_of(tmp_path, toy_codebook, rows))
    assert [fault.row for fault in caught.value.faults] == list(range(1, 12))
    for each in rows:
        del each[FIELD]
    with pytest.raises(DataError) as caught:
        audit_prevalence(audit_of(tmp_path, toy_codebook, rows))
    assert str(caught.value).startswith(f"{tmp_path / 'audit.jsonl'}: {FIELD}: no passage has it; expected")


@pytest.mark.parametrize("tiny", [1e-160, 1e-200, 1e-320, 5e-324])
def test_the_tiniest_inclusion_probability_is_a_number_like_others(
    tiny: float, tmp_path: Path, toy_codebook: Codebook
) -> None:
    rows = [row(0, tiny, ["sea"]), row(1, 0.5, []), row(2, 0.5, []), row(3, 0.5, ["cyber"])]
    rows[0]["unsure"] = {"theme": ["cyber"]}
    # one passage outweighs all others where it is known, at an effective size of one; elsewhere three are alike
    expected = [(1 + 1 / 2) / 2, (1 + 1 / 2) / 4, (1 / 2) / 2]
    found = audit_prevalence(audit_of(tmp_path, toy_codebook, rows))["theme"]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_stratum_that_is_not_coded_to_its_end_counts_by_its_size(tmp_path: Path, toy_codebook: Codebook) -> None:
    """Drawn were 6 of 12 passages of one stratum and 2 of 4 of another; coded are 2 of each."""
    of_large = [row(n, 0.5, ["sea"] if n < 2 else None) | {"stratum": "large"} for n in range(6)]
    of_small = [row(n, 0.5, ["cyber"]) | {"stratum": "small"} for n in (6, 7)]
    found = audit_prevalence(audit_of(tmp_path, toy_codebook, of_large + of_small))["theme"]
    n = (3 + 3 + 1 + 1) ** 2 / (9 + 9 + 1 + 1)
    np.testing.assert_allclose(found[:2], [(n * 12 / 16 + 1 / 2) / (n + 1), (n * 4 / 16 + 1 / 2) / (n + 1)])

"""Predictions are read into columns whatever their form, and refused where they can't be counted together."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classify.data.tables import write_rows
from classify.data.tagreader import read_tags, tags_of
from classify.data.tags import Tags
from classify.errors import DataError, UsageError
from classify.predictor import Predictor
from tests.conftest import toy_rows, write_jsonl


def row(themes: list[str], framing: str = "report", **other: Any) -> dict[str, Any]:
    """A row whose given labels have probability .9, the others .2; framings sum to one."""
    return {
        **other,
        "predicted": {"theme": themes, "framing": framing},
        "probabilities": {
            "theme": {label: 0.9 if label in themes else 0.2 for label in ("sea", "cyber")},
            "framing": {label: 0.9 if label == framing else 0.1 for label in ("report", "praise")},
        },
        "review": other.get("review", []),
        "model": other.get("model", "abc"),
    }


def tags(*rows: dict[str, Any], by: tuple[str, ...] = ()) -> Tags:
    return tags_of([("p.jsonl", number, one) for number, one in enumerate(rows, start=1)], by=by)


def test_every_form_of_file_gives_the_same_columns(toy_bundle: Any, tmp_path: Path) -> None:
    predictor = Predictor(toy_bundle)
    rows = [{"id": one["id"], "text": one["text"], "date": "2025-07"} for one in toy_rows()]
    found = predictor.predict([str(one["text"]) for one in rows])
    write_rows([one | p.to_row() for one, p in zip(rows, found, strict=True)], "jsonl", tmp_path / "p.jsonl.gz")
    from classify.predictor import flat_columns

    flat = [one | flat_columns(p) for one, p in zip(rows, found, strict=True)]
    for name in ("p.csv", "p.parquet"):
        write_rows(flat, name.removeprefix("p."), tmp_path / name)
    nested, *tables = (read_tags([tmp_path / name]) for name in ("p.jsonl.gz", "p.csv", "p.parquet"))
    for table in tables:
        for name, task in nested.tasks.items():
            other = table.tasks[name]
            assert (task.labels, task.is_multilabel) == (other.labels, other.is_multilabel)
            np.testing.assert_array_equal(task.given, other.given)
            np.testing.assert_array_equal(task.probabilities, other.probabilities)
        assert (nested.reasons, nested.model.values) == (table.reasons, table.model.values)


def test_fields_are_ordered_by_count_and_months_newest_first() -> None:
    found = tags(
        row([], source="b", date="2025-06"), row([], source="a", date="2025-07"), row([], source="a"), row([], date="x")
    )
    assert ("a", "b") == found.fields["source"].values
    assert ("2025-07", "2025-06") == found.fields["month"].values
    assert [1, 0, -1, -1] == found.fields["month"].codes.tolist()
    assert {"x": 1} == found.unread_dates


def test_a_year_is_that_of_the_date_where_no_field_says_it() -> None:
    found = tags(row([], date="2024-02-03"), row([], year=1999), by=("year",))
    assert ("2024", "1999") == found.fields["year"].values


def test_errors_and_repetitions_are_counted_not_tagged() -> None:
    found = tags(row(["sea"], id="1", text="x"), row(["sea"], id="1", text="x"), {"id": "2", "error": "too long"})
    assert (2, 1, 1) == (found.n_passages, found.n_repeated_ids, found.n_repeated_texts)
    assert {"too long": 1} == found.errors


def test_review_reasons_are_counted_one_by_one() -> None:
    found = tags(row([], review=["a", "b"]), row([], review=["b"]), row([]))
    assert ("b", "a") == found.reasons
    assert [True, True, False] == found.needs_review().tolist()
    assert [True, False, False] == found.needs_review("a").tolist()


@pytest.mark.parametrize(
    "broken",
    [
        {"text": "no prediction"},
        {"predicted": {"theme": ["sea"]}, "probabilities": None},
        row(["sea"]) | {"predicted": {"theme": ["sea"]}},
        row(["sea"]) | {"predicted": {"theme": ["land"], "framing": "report"}},
        row(["sea"]) | {"predicted": {"theme": None, "framing": "report"}},
    ],
)
def test_a_row_without_a_whole_prediction_is_named(broken: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"^p\.jsonl:2: no whole prediction; expected"):
        tags(row(["sea"]), broken)


def test_a_probability_that_is_none_is_named() -> None:
    broken = row(["sea"])
    broken["probabilities"]["theme"]["sea"] = 1.5
    with pytest.raises(DataError, match=r"^p\.jsonl:1: no whole prediction"):
        tags(broken)


def test_predictions_of_two_codebooks_are_refused_with_the_label_that_differs() -> None:
    other = row(["sea"])
    other["probabilities"]["theme"]["land"] = 0.1
    with pytest.raises(DataError, match=r"p\.jsonl:2: theme: .*'land' stands in p\.jsonl:2 alone; report"):
        tags(row(["sea"]), other)


def test_the_order_of_labels_does_not_matter() -> None:
    turned = row(["sea"])
    turned["probabilities"]["theme"] = {"cyber": 0.2, "sea": 0.9}
    found = tags(row(["sea"]), turned)
    assert [[True, False], [True, False]] == found.tasks["theme"].given.tolist()


def test_an_unknown_field_and_files_without_a_prediction_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--by region: no passage has such a field; the rows have source"):
        tags(row([], source="a"), by=("region",))
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(UsageError, match=r"no prediction in .*empty\.jsonl; make some with classify predict"):
        read_tags([tmp_path])
    write_jsonl(tmp_path / "errors.jsonl", [{"text": "x", "error": "too long"}])
    with pytest.raises(UsageError, match="every row carries an error"):
        read_tags([tmp_path])


def test_an_empty_file_among_others_is_named_and_counts_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "full.jsonl").write_text(json.dumps(row(["sea"])) + "\n")
    assert [0, 1] == list(read_tags([tmp_path]).files.values())

"""Rows of predictions, nested or flat, to labels and probabilities, and to the source and month they are counted by."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classify.data.documents import expand
from classify.data.tables import TABLE_SUFFIXES, Row, stream_table

SOURCE, MONTH, YEAR, DATE, TEXT = "source", "month", "year", "date", "text"
SOURCE_FIELDS = ("source", "outlet", "publisher", "publication", "newspaper")
"""Fields that say who published a passage; the first one that a row fills counts."""
NONE = "none"
"""In the place of a label: a passage that carries none of a task's labels. No label may be called so."""
NOT_NAMED = "not named"
"""In the place of a bundle's id."""
SEPARATOR = "|"
PREDICTED, PROBABILITY = "predicted:", "p:"
_MONTH = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2]))(?:-(?:0[1-9]|[12]\d|3[01]))?(?:[T ].*)?")

_YEAR = re.compile(r"\d{4}")

Numbered = tuple[str, int, Row]
"""A row with its file and number."""
Layout = dict[str, tuple[str, ...]]
"""The tasks of a prediction, and each one's labels in order."""


@dataclass(frozen=True)
class Answer:
    """What a row says of one task: the labels given, each label's probability, and whether any number may be given.

    `is_list` is true where labels stand as a list, which a task with exactly one label never has.
    """

    given: list[str]
    probabilities: list[float]
    is_list: bool


def prediction_files(paths: Iterable[str | Path]) -> list[Path]:
    """The files that are meant, folders opened."""
    return expand(paths, TABLE_SUFFIXES)


def prediction_rows(paths: Iterable[str | Path], *, text_field: str = TEXT) -> Iterator[Numbered]:
    """The rows of all files with file and number, their column of texts called `text`."""
    for path in prediction_files(paths):
        for number, row in stream_table(path):
            yield str(path), number, with_text(row, text_field)


def with_text(row: Row, text_field: str) -> Row:
    """The row with this field called `text`, in the field's place; another field of that name is left out.

    >>> with_text({"id": 1, "body": "A passage.", "text": "short"}, "body")
    {'id': 1, 'text': 'A passage.'}
    """
    if text_field == TEXT or text_field not in row:
        return row
    return {TEXT if name == text_field else name: value for name, value in row.items() if name != TEXT}


def is_error(row: Row) -> bool:
    """Whether a row says why it has no prediction."""
    return bool(row.get("error")) and not any(row.get(name) for name in row if name.startswith("predicted"))


def source_of(row: Row) -> str:
    """Who published a row's passage, empty where no field says so."""
    return next((value for name in SOURCE_FIELDS if (value := text_of(row.get(name)))), "")


def month_of(row: Row) -> str | None:
    """The month of a row's date as 2025-07, None where that can't be told."""
    found = _MONTH.fullmatch(str(row.get(DATE)).strip())
    return found[1] if found else None


def year_of(row: Row) -> str:
    """The year of a row, or else that of its date, be it four digits alone; empty where that can't be told.

    >>> year_of({"date": "2025-07-27"}), year_of({"date": 2025}), year_of({"date": "27/07/2025"})
    ('2025', '2025', '')
    """
    date = text_of(row.get(DATE))
    of_date = date if _YEAR.fullmatch(date) else (month_of(row) or "")[:4]
    return text_of(row.get(YEAR)) or of_date


def field_of(row: Row, name: str) -> str:
    """The value of a field, empty where it is missing; `source`, `month` and `year` are found under other names too.

    >>> field_of({"outlet": "Daily", "date": "2025-07-27"}, "month")
    '2025-07'
    """
    if name == SOURCE:
        return source_of(row)
    if name == MONTH:
        return month_of(row) or ""
    if name == YEAR:
        return year_of(row)
    return text_of(row.get(name))


def own_columns(columns: Iterable[str]) -> list[str]:
    """The names that no prediction gave."""
    ours = {"predicted", "probabilities", "review", "model"}
    return [name for name in columns if name not in ours and not name.startswith((PREDICTED, PROBABILITY))]


def flat_prediction(row: Row) -> Row:
    """The prediction of a row in columns `predicted:<task>`, `p:<task>:<label>`, `review`, `model`."""
    if not is_nested(row):
        kept = {name: value for name, value in row.items() if name.startswith((PREDICTED, PROBABILITY))}
        return {**kept, "review": row.get("review"), "model": row.get("model")}
    predicted, p = row["predicted"], row["probabilities"]
    return {
        **{f"{PREDICTED}{task}": SEPARATOR.join(names_of(found)) or NONE for task, found in predicted.items()},
        **{f"{PROBABILITY}{task}:{label}": value for task, of in p.items() for label, value in of.items()},
        "review": SEPARATOR.join(names_of(row.get("review"))),
        "model": row.get("model"),
    }


def text_of(value: Any) -> str:
    """A cell as text; nothing for what is missing."""
    if value is None or value != value:  # noqa: PLR0124  # nan is a table's way to say missing
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str).strip('"')


def names_of(found: Any) -> list[str]:
    """Labels or reasons as a list, in whatever form they stand."""
    if isinstance(found, str):
        return [name for name in found.split(SEPARATOR) if name and name != NONE]
    return list(found or ())


def layout_of(row: Row) -> Layout | None:
    """The tasks and labels of a row's prediction, None where it has none."""
    if is_nested(row):
        return {task: tuple(of) for task, of in row["probabilities"].items() if isinstance(of, dict)} or None
    found: dict[str, list[str]] = {}
    for name in row:
        if name.startswith(PROBABILITY) and name.count(":") > 1:
            _, task, label = name.split(":", 2)
            found.setdefault(task, []).append(label)
    return {task: tuple(labels) for task, labels in found.items()} or None


def answer_of(row: Row, task: str, labels: tuple[str, ...]) -> Answer:
    """A row's answer to one task; raises KeyError, TypeError or ValueError where it is not whole."""
    if is_nested(row):
        given, by_label = row["predicted"][task], row["probabilities"][task]
        p = [float(by_label[label]) for label in labels]
    else:
        given = row[f"{PREDICTED}{task}"]
        p = [float(row[f"{PROBABILITY}{task}:{label}"]) for label in labels]
    if not isinstance(given, str | list) or given == "":
        raise ValueError(f"no labels for {task}")
    if not all(0 <= value <= 1 for value in p):
        raise ValueError(f"no probabilities for {task}")
    return Answer(names_of(given), p, isinstance(given, list))


def is_nested(row: Row) -> bool:
    """Whether a row holds its prediction as JSON does, not in columns."""
    return isinstance(row.get("probabilities"), dict) and isinstance(row.get("predicted"), dict)

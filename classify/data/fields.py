"""A row to where and when it stood: its source, the month of its date, or another field, as text."""

import json
import re
from typing import Any

SOURCE, MONTH, YEAR, DATE = "source", "month", "year", "date"
SOURCE_FIELDS = ("source", "outlet", "publisher", "publication", "newspaper")
"""Fields that say who published a passage; the first one that a row fills counts."""
_MONTH = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2]))(?:-(?:0[1-9]|[12]\d|3[01]))?(?:[T ].*)?")


def field_of(row: dict[str, Any], name: str) -> str:
    """The value of a field, "" where it is missing; `source`, `month` and `year` are found under other names too.

    >>> field_of({"outlet": "Daily", "date": "2025-07-27"}, "month")
    '2025-07'
    """
    if name == SOURCE:
        return next((value for field in SOURCE_FIELDS if (value := text_of(row.get(field)))), "")
    if name == MONTH:
        return month_of(row) or ""
    if name == YEAR and not text_of(row.get(YEAR)):
        return (month_of(row) or "")[:4]
    return text_of(row.get(name))


def month_of(row: dict[str, Any]) -> str | None:
    """The month of a row's date as 2025-07, None where that can't be told."""
    found = _MONTH.fullmatch(str(row.get(DATE)).strip())
    return found[1] if found else None


def text_of(value: Any) -> str:
    """A cell as text; nothing for what is missing."""
    if value is None or value != value:  # noqa: PLR0124  # nan is a table's way to say missing
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str).strip('"')

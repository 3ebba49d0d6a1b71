"""Lines of JSONL and cells of CSV to rows, each with its number as an editor shows it, or to what is wrong with it."""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from classify.data.spreadsheet import plain_cell
from classify.errors import DataError, Fault, data_error

Row = dict[str, Any]

_LARGEST_CELL = 2**31 - 1
"""Of a CSV cell, in characters: the csv module's own limit of 131,072 is shorter than some passages."""


def parse_line(line: str, source: str, number: int) -> Row | Fault:
    """The JSON object on one line that isn't blank."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        where = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        return Fault(source, number, None, f"broken JSON{where}; expected one JSON object a line")
    if isinstance(row, dict):
        return row
    return Fault(source, number, None, f"found {line.strip()[:30]}; expected a JSON object {{…}}")


def jsonl_rows(lines: Iterable[str], source: str) -> Iterator[tuple[int, Row]]:
    """Rows that are not blank; raises DataError with every broken one at the end."""
    faults = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        found = parse_line(line, source, number)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            yield number, found
    if faults:
        raise DataError(faults)


def csv_cells(lines: Iterable[str], source: str) -> Iterator[tuple[int, list[str]]]:
    """The header, then every row that isn't blank, nothing for an empty file; cells without `safe_cell`'s apostrophes.

    Raises DataError for a header that can't be used, and where quotation marks don't match.
    """
    csv.field_size_limit(_LARGEST_CELL)
    reader, number = csv.reader(lines, strict=True), 1
    try:
        header = next(reader, None)
        if header is None:
            return
        _check_header(header, source)
        yield 1, [plain_cell(name) for name in header]
        number = reader.line_num + 1  # a quotation mark left open shows at the end of the file, but is here
        for cells in reader:
            if cells:
                yield number, [plain_cell(cell) if cell[:1] == "'" else cell for cell in cells]
            number = reader.line_num + 1
    except csv.Error as error:
        message = f"broken CSV: {error}; check the quotation marks"
        raise data_error(source, message, row=number) from None


def check_width(cells: list[str], header: list[str], source: str, number: int) -> Fault | None:
    """What is wrong with a row that is longer or shorter than the header."""
    if len(cells) == len(header):
        return None
    return Fault(source, number, None, f"found {len(cells)} cells; expected {len(header)}, as many as the header has")


def csv_rows(lines: Iterable[str], source: str) -> Iterator[tuple[int, Row]]:
    """Rows with the header's names; raises DataError with every broken one at the end."""
    faults = []
    numbered = csv_cells(lines, source)
    try:
        _, header = next(numbered, (0, []))
        for number, cells in numbered:
            if fault := check_width(cells, header, source, number):
                faults.append(fault)
            else:
                yield number, dict(zip(header, cells, strict=True))
    except DataError as error:
        faults += error.faults
    if faults:
        raise DataError(faults)


def _check_header(header: list[str], source: str) -> None:
    if not header:
        raise data_error(source, "no header in the first row; expected the names of the columns", row=1)
    for separator, name in ((";", "';'"), ("\t", "tabs")):
        if len(header) == 1 and separator in header[0]:
            message = f"cells are separated by {name}; expected ','; save the sheet with commas"
            raise data_error(source, message, row=1)
    refuse_twins(header, source, row=1)


def refuse_twins(header: list[str], source: str, *, row: int | None = None) -> None:
    """Raise DataError where two columns have the same name: one would be lost."""
    if duplicates := sorted({name for name in header if header.count(name) > 1}):
        raise data_error(source, f"column {duplicates[0]!r} stands twice; give every column its own name", row=row)

"""The records of a block to records that hold a text or say what is wrong with them."""

from collections.abc import Iterable

from classify.errors import Fault
from classify.tagging.blocks import Block, JsonLines, Record
from classify.tagging.options import Options


def checked_records(block: Block, options: Options) -> tuple[list[Record], list[Fault]]:
    """All records, and the faults of some; one fault for all where none of a file's first rows has such a column."""
    name = text_field(block, options)
    records = [
        record if record.fault or isinstance(record.row.get(name), str) else _without_text(block, record, options)
        for record in block.records()
    ]
    faults = [record.fault for record in records if record.fault]
    is_first = isinstance(block, JsonLines) and block.first == 1
    if is_first and not options.keeps_faults and len(faults) == len(records):
        columns = dict.fromkeys(key for record in records for key in record.row)
        if columns and name not in columns:
            return records, [no_such_column(block.source, columns, name)]
    return records, faults


def text_field(block: Block, options: Options) -> str:
    """Where the text of the block's records stands; `--text-field` is for tables."""
    return options.text_field if block.from_table else "text"


def no_such_column(
    source: str, columns: Iterable[str], name: str, *, row: int | None = None, option: str = "--text-field"
) -> Fault:
    """What to say where a column is missing."""
    found = ", ".join(list(columns)[:8]) or "none"
    return Fault(source, row, name, f"no such column; found {found}; name the right one with {option}")


def _without_text(block: Block, record: Record, options: Options) -> Record:
    row, name = record.row, options.text_field
    if name not in row:
        return record._replace(fault=no_such_column(block.source, row, name, row=record.number))
    message = f"found {row[name]!r:.40}; expected the passage as text"
    if (identity := row.get(options.id_field or "")) is not None:
        message += f" ({options.id_field} {identity!r:.60})"
    return record._replace(fault=Fault(block.source, record.number, name, message))

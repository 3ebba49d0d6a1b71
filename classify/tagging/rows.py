"""A row as it came in to what is carried through of it, and to its text or what is wrong with it."""

from collections.abc import Iterable
from dataclasses import dataclass

from classify.data.lines import Row
from classify.errors import Fault, UsageError
from classify.predictor import NESTED_KEYS, without_prediction
from classify.tagging.blocks import Block, JsonLines, Record

ERROR = "error"
PASSAGE_KEYS = ("id", "document", "start", "end", "text")


@dataclass(frozen=True)
class Options:
    """What rows depend on beside the inputs and the bundle.

    `form` is `jsonl`, `csv` or `parquet`; `text_field` and `id_field` name columns of tables. With `keeps_faults` a bad
    row stays in its place and says why in `error`; else none may be bad.
    """

    form: str
    text_field: str = "text"
    id_field: str | None = None
    keeps_faults: bool = False


class Carrier:
    """Leaves out an earlier prediction, with the error that stood in its place, and gives rows their `id`.

    `flat` are the columns that predictions add to a table.
    """

    def __init__(self, flat: list[str], options: Options) -> None:
        self._flat, self._options = flat, options
        self._ours = {*flat, *NESTED_KEYS, *([ERROR] if options.keeps_faults else [])}

    def own(self, row: Row) -> Row:
        """The row itself where nothing changes; raises UsageError where the user has a name that we write under."""
        if not self._ours.isdisjoint(row):
            row = {name: row[name] for name in self._own_names(row)}
        identity = self._options.id_field
        return {"id": row[identity], **row} if identity in row and "id" not in row else row

    def own_columns(self, names: Iterable[str]) -> list[str]:
        """The same for the columns of a table."""
        return list(self.own(dict.fromkeys(names)))

    def _own_names(self, names: Iterable[str]) -> list[str]:
        given = list(names)
        try:
            own = without_prediction(given, self._flat)
        except ValueError as error:
            raise UsageError(str(error)) from None
        if len(own) < len(given):
            return [name for name in own if name != ERROR]
        if self._options.keeps_faults and ERROR in own:
            raise UsageError(f"{ERROR}: --on-error keep would write under this name; rename it first")
        return own


def checked_records(block: Block, options: Options) -> tuple[list[Record], list[Fault]]:
    """All records, and the faults of some; one fault for all where a file's first rows lack a column asked for."""
    name = text_field(block, options)
    records = [
        record if record.fault or isinstance(record.row.get(name), str) else _without_text(block, record, options)
        for record in block.records()
    ]
    faults = [record.fault for record in records if record.fault]
    if isinstance(block, JsonLines) and block.first == 1 and not options.keeps_faults:
        columns = dict.fromkeys(key for record in records for key in record.row)
        asked = {name: "--text-field"} | ({options.id_field: "--id-field"} if options.id_field else {})
        missing = [field for field in asked if columns and field not in columns]
        faults = [no_such_column(block.source, columns, field, option=asked[field]) for field in missing] or faults
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

"""A block of records to rows with predictions, as bytes or as an Arrow batch, and to what is wrong with them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from classify.data.tables import csv_text
from classify.errors import MAX_FAULTS_SHOWN, Fault
from classify.files import to_json
from classify.predictor import NESTED_KEYS, Predictor
from classify.tagging.blocks import Block, Documents, Record
from classify.tagging.layout import Layout, batch_of
from classify.tagging.rendering import Cells, JsonEnds
from classify.tagging.rows import ERROR, Carrier, Options, checked_records, text_field


@dataclass(frozen=True)
class Tagged:
    """What became of a block: `content` is empty where there are faults and none is kept; the first faults are named.

    `n_without_id` counts rows that lack the column `id_field`; `without_passage` names texts that gave no row.
    """

    content: Any
    n_rows: int
    n_faults: int
    faults: list[Fault]
    n_without_id: int = 0
    without_passage: list[str] = field(default_factory=list)


class Tagger:
    """Turns blocks into rows, alike in any process and whatever came before."""

    def __init__(self, predictor: Predictor, options: Options) -> None:
        self._predictor, self.options = predictor, options
        self.carrier = Carrier(predictor.columns, options)
        self._ends, self._cells = JsonEnds(predictor), Cells(predictor)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of what is predicted."""
        return self._predictor.codebook.task_names

    @property
    def model(self) -> str:
        """The bundle's id."""
        return self._predictor.model

    def start(self, layout: Layout) -> bytes:
        """What an output begins with: the names of its columns, if it is a CSV."""
        if self.options.form != "csv":
            return b""
        names = [*layout.columns, *self._predictor.columns, *([ERROR] if self.options.keeps_faults else [])]
        return csv_text([names]).encode()

    def tag(self, block: Block, layout: Layout) -> Tagged:
        """The block's rows; raises UsageError for a name that is ours, OutputError for what Parquet can't hold."""
        records, faults = checked_records(block, self.options)
        if faults and not self.options.keeps_faults:
            return Tagged(b"", 0, len(faults), faults[:MAX_FAULTS_SHOWN])
        name = text_field(block, self.options)
        found = self._predictor.decide([record.row[name] for record in records if not record.fault])
        if self.options.form == "jsonl":
            content: Any = self._jsonl(records, self._ends.of(found))
        elif self.options.form == "csv":
            content = csv_text(self._rows(records, self._cells.of(found), layout.columns)).encode()
        else:
            content = batch_of(self._rows(records, self._cells.of(found), layout.columns), layout)
        without = block.without_passage(records) if isinstance(block, Documents) else []
        identity = self.options.id_field if block.from_table else None
        n_without_id = sum(identity not in record.row for record in records) if identity else 0
        return Tagged(content, len(records), len(faults), faults[:MAX_FAULTS_SHOWN], n_without_id, without)

    def check(self, block: Block, layout: Layout) -> Tagged:
        """The faults of a block of which nothing will be written."""
        _, faults = checked_records(block, self.options)
        return Tagged(b"", 0, len(faults), faults[:MAX_FAULTS_SHOWN])

    def _jsonl(self, records: Iterable[Record], ends: Iterable[str]) -> bytes:
        rest = iter(ends)
        lines = [self._start(record) + (_error_end(record.fault) if record.fault else next(rest)) for record in records]
        return "".join(lines).encode()

    def _start(self, record: Record) -> str:
        """A row's own part without the brace that closes it: the text as it stood, if nothing in it changes."""
        own = self.carrier.own(record.row)
        is_as_it_stood = own is record.row and record.json and "\r" not in record.json
        start = record.json[:-1] if is_as_it_stood else to_json(own)[:-2]
        return f"{start}, " if own else "{"

    def _rows(
        self, records: Iterable[Record], cells: Iterable[list[Any]], columns: Sequence[str]
    ) -> Iterator[list[Any]]:
        rest, none = iter(cells), [None] * len(self._predictor.columns)
        keeps = self.options.keeps_faults
        for record in records:
            own = self.carrier.own(record.row)
            error = [str(record.fault) if record.fault else None] if keeps else []
            yield [*map(own.get, columns), *(none if record.fault else next(rest)), *error]


def _error_end(fault: Fault) -> str:
    """The end of a row that has no prediction."""
    return to_json(dict.fromkeys(NESTED_KEYS) | {ERROR: str(fault)})[1:]

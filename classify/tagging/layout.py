"""The columns of a table before its first row, and rows in these columns as an Arrow batch."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from classify.errors import OutputError


@dataclass(frozen=True)
class Layout:
    """The columns that are carried through; for Parquet also the schema of all columns, and the file for messages."""

    columns: tuple[str, ...] = ()
    schema: Any = None
    out: str = ""


def batch_of(rows: Iterable[list[Any]], layout: Layout) -> Any:
    """Rows as an Arrow batch; raises OutputError for what doesn't fit its column."""
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) or [()] * len(layout.schema)
    try:
        arrays = [pa.array(column, type=of.type) for column, of in zip(columns, layout.schema, strict=True)]
    except unfit_errors() as error:
        raise unfit(layout.out, error) from None
    return pa.RecordBatch.from_arrays(arrays, schema=layout.schema)


def unfit_errors() -> tuple[type[Exception], ...]:
    """What Arrow and Python raise on values that no column holds."""
    import pyarrow as pa

    return pa.lib.ArrowException, UnicodeEncodeError, OverflowError


def unfit(out: str, error: Exception) -> OutputError:
    """What to say of them."""
    return OutputError(f"{out}: a column holds what Parquet can't ({error}); write .jsonl instead")

"""What the rows of an output depend on beside the inputs and the bundle."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """`form` is `jsonl`, `csv` or `parquet`; `text_field` and `id_field` name columns of tables.

    With `keeps_faults` a bad row stays in its place and says why in `error`; else none may be bad.
    """

    form: str
    text_field: str = "text"
    id_field: str | None = None
    keeps_faults: bool = False

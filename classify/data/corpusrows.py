"""Files of a corpus to its passages as rows, one after the other however many there are, and again when asked again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from classify.data.documents import STDIN, expand, read_document
from classify.data.inputs import read_inputs
from classify.data.predictions import TEXT, with_text
from classify.data.segment import segment
from classify.data.tables import TABLE_SUFFIXES, Row, stream_table
from classify.errors import DataError, Fault, data_error


class CorpusRows:
    """The rows of all inputs in order, as `read_inputs` gives them, read anew by every loop over them.

    Only what comes through standard input, which can be read but once, is kept. `on_empty` hears of a .txt without a
    passage, in the first loop alone. `text_field` is the column of files that holds the text, and is called `text` in
    the rows. A loop raises DataError at the end of a table with every row that holds no text.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        *,
        text_field: str = TEXT,
        on_empty: Callable[[Path], None] = lambda path: None,
    ) -> None:
        self.paths = expand(paths, (".txt", *TABLE_SUFFIXES))
        self.text_field = text_field
        self.on_empty = on_empty
        self._told: set[Path] = set()
        self._kept = read_inputs(paths, on_empty=on_empty) if STDIN in map(str, self.paths) else None

    def __iter__(self) -> Iterator[Row]:
        if self._kept is not None:
            yield from self._kept
            return
        for path in self.paths:
            yield from self._passages(path) if path.suffix == ".txt" else _rows_with_text(path, self.text_field)

    def _passages(self, path: Path) -> Iterator[Row]:
        passages = segment(read_document(path))
        yield from (asdict(passage) for passage in passages)
        if not passages and path not in self._told:
            self._told.add(path)
            self.on_empty(path)


def _rows_with_text(path: Path, text_field: str) -> Iterator[Row]:
    """The rows of a table that hold a text; those that hold none are told when it ends, a missing column once."""
    faults, columns, n = [], dict[str, None](), 0
    for number, row in stream_table(path):
        n += 1
        if isinstance(row.get(text_field), str):
            yield with_text(row, text_field)
            continue
        columns.update(dict.fromkeys(row))
        found = f"found {row.get(text_field)!r:.40}; expected the passage as text"
        faults.append(Fault(str(path), number, text_field, found))
    if not n:
        raise data_error(path, "no rows; expected at least one, with a text")
    if len(faults) == n and text_field not in columns:
        listed = f"found {', '.join(list(columns)[:8])}"
        raise data_error(path, f"no such column; {listed}; name the right one with --text-field", field=text_field)
    if faults:
        raise DataError(faults)

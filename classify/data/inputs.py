"""Whatever a user wants predicted or explained, as rows that hold a `text`."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from classify.data.documents import STDIN, TEXT_SUFFIXES, expand, read_document, read_stdin
from classify.data.segment import segment
from classify.data.tables import TABLE_SUFFIXES, Row, Table, parse_jsonl, read_table
from classify.errors import DataError, Fault, UsageError, data_error
from classify.passages import Document, Passage

INPUT_SUFFIXES = tuple(dict.fromkeys((TEXT_SUFFIXES[0], *TABLE_SUFFIXES, *TEXT_SUFFIXES)))


def read_inputs(paths: Iterable[str | Path], *, on_empty: Callable[[Path], None] = lambda path: None) -> list[Row]:
    """Rows of all inputs in order: a .txt gives its passages, a table its rows, `-` standard input.

    Standard input is JSONL if its first character is `{`, else one text. `on_empty` hears of a .txt without a passage.
    Raises DataError with every row that holds no text.
    """
    rows: list[Row] = []
    for path in expand(paths, INPUT_SUFFIXES):
        if str(path) == STDIN:
            rows.extend(_read_stdin())
        elif path.name.endswith(TEXT_SUFFIXES):
            passages = segment(read_document(path))
            rows.extend(asdict(passage) for passage in passages)
            if not passages:
                on_empty(path)
        else:
            rows.extend(_with_text(read_table(path)))
    return rows


def read_texts(paths: Iterable[str | Path]) -> list[str]:
    """The texts alone; raises UsageError where files are named and none of them holds a passage."""
    named = list(paths)
    texts = [row["text"] for row in read_inputs(named)]
    if named and not texts:
        raise UsageError(f"{', '.join(map(str, named))}: no passage found; expected text of a paragraph or more")
    return texts


def _read_stdin() -> list[Row]:
    text = read_stdin()
    if text.lstrip().startswith("{"):
        return _with_text(parse_jsonl(text, "stdin"))
    whole = Document("stdin", text)
    start = len(text) - len(text.lstrip())
    end = len(text.rstrip())
    return [asdict(Passage("stdin#1", whole.name, start, end, text[start:end]))]


def _with_text(table: Table) -> list[Row]:
    if not table.rows:
        raise data_error(table.path, "no rows; expected at least one, with a text")
    if "text" not in table.columns:
        raise data_error(table.path, f"no such column; found {', '.join(table.columns[:8])}", field="text")
    faults = [
        Fault(table.path, number, "text", f"found {row.get('text')!r:.40}; expected the passage as text")
        for row, number in zip(table.rows, table.numbers, strict=True)
        if not isinstance(row.get("text"), str)
    ]
    if faults:
        raise DataError(faults)
    return list(table.rows)

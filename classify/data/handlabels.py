"""Keep a file of hand labels from being written over: they are worth more than any sheet that can be made again."""

import json
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from classify.data.annotations import NONE, SEPARATOR
from classify.data.tables import stream_table
from classify.errors import ClassifyError, OutputError


def refuse_lost_labels(path: Path, tasks: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Raise OutputError if the file holds hand labels that would be lost if `rows` took its place.

    The same labels count as kept in whatever form they stand: nested, as JSON in a cell, or joined in a column a task.
    A sheet nobody has filled in may be replaced. Without `tasks`, whatever stands in columns that `rows` lack is taken
    for labels; with them, `rows` are only looked at where the file holds any.
    """
    if not path.is_file():
        return
    names = tuple(tasks)
    rows = rows if names else list(rows)
    own = () if names else {name for row in rows for name in row}
    fields = {"labels", *names}
    try:
        coded = (row for _, row in stream_table(path) if not names or not fields.isdisjoint(row))
        before = (_hand_labels(row, names, own) for row in coded)
        lost = Counter(labels for labels in before if labels[1:])
    except ClassifyError:
        return
    if lost:
        lost.subtract(_hand_labels(row, names, own) for row in rows)
    if any(n > 0 for n in lost.values()):
        raise OutputError(f"{path}: holds hand labels, which would be lost; name another file")


def _hand_labels(row: Mapping[str, Any], tasks: Sequence[str], own: Container[str]) -> tuple[Any, ...]:
    """The row's id or text, and whatever of it is a label; without tasks, every cell that is not our `own`."""
    nested = _unpacked(row.get("labels"))
    cells = dict(nested) if isinstance(nested, Mapping) else {"labels": nested}
    for name, value in row.items():
        if name in tasks or (not tasks and name not in own and name != "labels"):
            cells[name] = value
    found = {name: _names(value) for name, value in cells.items() if not tasks or name in (*tasks, "labels")}
    identity = row.get("id") or row.get("text")
    return (identity, *sorted((name, names) for name, names in found.items() if names))


def _unpacked(value: Any) -> Any:
    """A list or an object that stands in a cell as JSON, as such; anything else as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _names(value: Any) -> tuple[str, ...]:
    """What was given, sorted: `none` where it was coded and none applies, empty where it was not coded."""
    found = _unpacked(value)
    if isinstance(found, list | tuple):
        return tuple(sorted(map(str, found))) or (NONE,)
    return () if found is None else tuple(sorted(filter(None, str(found).split(SEPARATOR))))

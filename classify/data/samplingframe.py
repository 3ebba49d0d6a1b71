"""The rows of a corpus to what a draw needs to know of every passage: numbers, however many passages there are."""

import hashlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from classify.data.predictions import field_of
from classify.data.tables import Row
from classify.errors import UsageError, how_many
from classify.measure.arrays import IntArray


@dataclass(frozen=True)
class SamplingFrame:
    """Every passage of a corpus that can be drawn, in the order of the rows.

    `number`, shape (n_passages,), is each one's permanent random number, made of the seed and its id (Ohlsson 1995),
    and no two are the same; `stratum`, of the same shape, counts `strata`, of which the only one is "" where nothing
    was asked for. `document_sizes`, shape (n_documents,), are the passages of each document; `columns` the rows' keys.
    """

    number: np.typing.NDArray[np.uint64]
    stratum: IntArray
    strata: tuple[str, ...]
    document_sizes: IntArray
    columns: tuple[str, ...]
    by: str | None

    @property
    def stratum_sizes(self) -> IntArray:
        """The passages of each stratum, shape (n_strata,)."""
        return np.bincount(self.stratum, minlength=len(self.strata))


def read_frame(rows: Iterable[Row], *, by: str | None = None, seed: int) -> SamplingFrame:
    """One loop over the rows, of which nothing is kept but numbers; `by` names the field that strata are made of.

    Raises UsageError where rows have no `id`, an id stands twice, or no row has the field.
    """
    number, documents, stratum = array("Q"), array("q"), array("q")
    strata, columns = dict[str, int](), dict[str, None]()
    unnamed = array("q")
    for place, row in enumerate(rows, start=1):
        columns.update(dict.fromkeys(row))
        if not row.get("id"):
            unnamed.append(place)
            continue
        number.append(permanent_number(str(row["id"]), seed))
        documents.append(hash(str(row.get("document") or row["id"])))
        stratum.append(strata.setdefault(field_of(row, by) if by else "", len(strata)))
    if unnamed:
        missing = f"{how_many(len(unnamed), 'passage')} of {place} without an id, the first is number {unnamed[0]}"
        raise UsageError(f"{missing}; expected one each, to find them again among the predictions")
    if by and not any(strata):
        raise UsageError(f"--by {by}: no passage has it; the rows have {', '.join(columns)}")
    numbers = np.frombuffer(number, dtype=np.uint64) if number else np.zeros(0, dtype=np.uint64)
    _refuse_repeated(numbers, rows, seed)
    sizes = np.unique(np.array(documents), return_counts=True)[1]
    return SamplingFrame(numbers, np.array(stratum, dtype=np.int64), tuple(strata), sizes, tuple(columns), by)


def _refuse_repeated(numbers: np.typing.NDArray[np.uint64], rows: Iterable[Row], seed: int) -> None:
    """Raise UsageError for the first id that stands twice, which another loop over the rows finds."""
    values, n = np.unique(numbers, return_counts=True)
    repeated = set(values[n > 1].tolist())
    if not repeated:
        return
    name = next(name for row in rows if permanent_number(name := str(row["id"]), seed) in repeated)
    raise UsageError(f"id {name!r} stands twice; every passage needs an id of its own to be found again")


def permanent_number(name: str, seed: int) -> int:
    """A random number from 0 to 2^64 - 1 that an id keeps, whatever else the corpus holds."""
    digest = hashlib.sha256(f"{seed}:{name}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big")

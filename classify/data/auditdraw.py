"""Draw an audit sample with known probabilities, in an order in which a coder may stop anywhere."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from classify.data.predictions import field_of, own_columns
from classify.errors import UsageError, how_many

Row = dict[str, Any]
MIN_A_STRATUM = 15
"""Passages drawn from each stratum before they are shared out by size, so that each gets an interval of its own."""


_CODED = ("labels", "unsure", "coder")
"""What earlier coders said, by which a coder must no more be led than by machine tags."""


@dataclass(frozen=True)
class Drawn:
    """A row of the corpus that was drawn, its stratum, and the probability with which its stratum's rows were."""

    row: int
    stratum: str
    probability: float


def draw_audit(ids: Sequence[str], strata: Sequence[str], n: int, *, seed: int) -> list[Drawn]:
    """A random sample of n passages: MIN_A_STRATUM of each stratum (all of a smaller one), then in proportion.

    `ids` and `strata` have one entry a passage; without strata, all are "". Each passage has a permanent random number,
    made of the seed and its id (Ohlsson 1995): the first of the same draw are a sample too, and a larger draw with the
    same seed holds the smaller one. Raises UsageError for ids that stand twice, and for an n that is too small for the
    strata.
    """
    twice = [name for name, count in Counter(ids).items() if count > 1]
    if twice:
        raise UsageError(f"id {twice[0]!r} stands twice; every passage needs an id of its own to be found again")
    members: dict[str, list[int]] = defaultdict(list)
    for row in sorted(range(len(ids)), key=lambda row: _permanent(ids[row], seed)):
        members[strata[row]].append(row)
    least = sum(min(MIN_A_STRATUM, len(rows)) for rows in members.values())
    if n < min(least, len(ids)) and len(members) > 1:
        expected = f"{how_many(len(members), 'part')} of {MIN_A_STRATUM} passages or all there are need {least}"
        raise UsageError(f"-n {n}: {expected}; draw more, or by fewer parts")
    order = sorted(
        ((_place(rank, len(rows)), _permanent(ids[row], seed), stratum, row))
        for stratum, rows in members.items()
        for rank, row in enumerate(rows)
    )[:n]
    taken = Counter(stratum for _, _, stratum, _ in order)
    return [Drawn(row, stratum, taken[stratum] / len(members[stratum])) for _, _, stratum, row in order]


def audit_rows(
    rows: Sequence[Row], n: int, *, by: str | None = None, seed: int, tasks: Sequence[str], nested: bool
) -> list[Row]:
    """The rows of an audit sheet: those drawn, with how they were drawn and room for labels, without what others said.

    `by` names the field that strata are made of (`field_of`). Labels go into one column a task, or into `labels` where
    they are `nested`. Raises UsageError where rows have no `id` or not the field, and as `draw_audit` does.
    """
    if any(not row.get("id") for row in rows):
        raise UsageError("some passages have no id; expected one each, to find them again among the predictions")
    strata = [field_of(row, by) if by else "" for row in rows]
    if by and not any(strata):
        known = ", ".join(dict.fromkeys(key for row in rows for key in row))
        raise UsageError(f"--by {by}: no passage has it; the rows have {known}")
    drawn = draw_audit([str(row["id"]) for row in rows], strata, n, seed=seed)
    room: Row = {"labels": dict.fromkeys(tasks)} if nested else dict.fromkeys(tasks, "")
    shown = [name for name in own_columns(dict.fromkeys(key for row in rows for key in row)) if name not in _CODED]
    return [
        {
            **{name: rows[one.row].get(name) for name in shown if name not in room},
            **room,
            "selection": "audit",
            **({"stratum": f"{by}: {one.stratum or 'not stated'}"} if by else {}),
            "inclusion_probability": one.probability,
        }
        for one in drawn
    ]


def _permanent(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode("utf-8", "surrogatepass")).hexdigest()


def _place(rank: int, size: int) -> float:
    """Where the stratum's passage of this rank comes in the whole draw: first the least, then by size."""
    return (rank - MIN_A_STRATUM) / 1e9 if rank < MIN_A_STRATUM else (rank + 0.5) / size

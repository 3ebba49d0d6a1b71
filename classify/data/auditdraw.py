"""Draw an audit sample with known probabilities, in an order in which a coder may stop anywhere."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from classify.errors import UsageError, how_many

MIN_A_STRATUM = 15
"""Passages drawn from each stratum before they are shared out by size, so that each gets an interval of its own."""


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


def _permanent(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode("utf-8", "surrogatepass")).hexdigest()


def _place(rank: int, size: int) -> float:
    """Where the stratum's passage of this rank comes in the whole draw: first the least, then by size."""
    return (rank - MIN_A_STRATUM) / 1e9 if rank < MIN_A_STRATUM else (rank + 0.5) / size

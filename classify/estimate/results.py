"""What an estimate of shares found: by task, label and part of the corpus, and how the parts differ."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from classify.measure.sharechanges import Change
from classify.measure.shares import Share

MIN_IN_CELL = 10
"""Audited passages under which a part of the corpus is flagged; so few are counted by their hand labels alone."""
WHOLE = ""
"""The cell that is the whole corpus."""


@dataclass(frozen=True)
class LabelShare:
    """The share of one label in the corpus or in one `cell` of it, beside what counting machine tags gives."""

    task: str
    label: str
    cell: str
    n_passages: int
    machine_rate: float
    share: Share

    @property
    def is_thin(self) -> bool:
        """Whether too few passages of this part were audited to take it at its word."""
        return self.share.n < MIN_IN_CELL

    def to_row(self) -> dict[str, Any]:
        """The cells of a table."""
        share, found = self.share, self.share.estimate
        return {
            "task": self.task,
            "label": self.label,
            "part": self.cell,
            "passages": self.n_passages,
            "share": found.value,
            "low": found.low,
            "high": found.high,
            "labels_only": share.labels_only,
            "machine_tag_rate": self.machine_rate,
            "audited": share.n,
            "audited_positive": share.n_positive,
            "audited_clusters": share.n_clusters,
            "effective_n": share.effective_n if np.isfinite(share.effective_n) else None,
            "worth_hand_labels": share.worth,
            "credit": share.credit,
            "thin": self.is_thin,
        }


@dataclass(frozen=True)
class LabelChange:
    """How the share of a label differs between two cells, or rose from the first month to the last (`is_trend`).

    `p_holm` is p adjusted for all labels and pairs of the task.
    """

    task: str
    label: str
    first: str
    second: str
    is_trend: bool
    change: Change
    p_holm: float | None = None

    def to_row(self) -> dict[str, Any]:
        """The cells of a table."""
        found = self.change.estimate
        kind = "trend" if self.is_trend else "difference"
        return {
            "task": self.task, "label": self.label, "kind": kind, "from": self.first, "to": self.second,
            "change": found.value, "low": found.low, "high": found.high, "p": self.change.p, "p_holm": self.p_holm,
        }  # fmt: skip


@dataclass(frozen=True)
class Shares:
    """All shares of a corpus, by task and label; cells are the values of the field `by`, None for none."""

    by: str | None
    n_passages: int
    shares: tuple[LabelShare, ...]
    changes: tuple[LabelChange, ...]
    notes: tuple[str, ...]

    def of(self, task: str, cell: str = WHOLE) -> list[LabelShare]:
        """One task's labels in the whole corpus or a cell."""
        return [one for one in self.shares if (one.task, one.cell) == (task, cell)]

    @property
    def cells(self) -> list[str]:
        """The parts of the corpus, in order."""
        return list(dict.fromkeys(one.cell for one in self.shares if one.cell != WHOLE))

    @property
    def tasks(self) -> list[str]:
        """The tasks, in order."""
        return list(dict.fromkeys(one.task for one in self.shares))

    def to_dict(self) -> dict[str, Any]:
        """Plain data: `shares.json`."""
        return {
            "by": self.by,
            "n_passages": self.n_passages,
            "shares": [one.to_row() for one in self.shares],
            "changes": [one.to_row() for one in self.changes],
            "notes": list(self.notes),
        }

"""A fitted TF-IDF block: its features with their idf and weights, and the values of one text."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from classify.measure.arrays import FloatArray, IntArray
from classify.scorer.tokens import BlockSettings


@dataclass(frozen=True)
class Block:
    """One fitted TF-IDF block: `features` and `idf`, shape (n_features,), `weights`, shape (n_features, n_labels)."""

    settings: BlockSettings
    features: tuple[str, ...] = field(repr=False)
    idf: FloatArray = field(repr=False)
    weights: FloatArray = field(repr=False)

    @cached_property
    def columns(self) -> dict[str, int]:
        """The column of every feature."""
        return {feature: column for column, feature in enumerate(self.features)}

    def values_of(self, text: str) -> tuple[IntArray, FloatArray]:
        """The text's known features as columns, and their TF-IDF values with an L2 norm of 1; both may be empty."""
        known = self.columns
        counts: dict[int, int] = {}
        for feature in self.settings.features_of(text):
            column = known.get(feature)
            if column is not None:
                counts[column] = counts.get(column, 0) + 1
        columns = np.fromiter(counts, dtype=np.int64, count=len(counts))
        tf = np.fromiter(counts.values(), dtype=np.float64, count=len(counts))
        values = (1 + np.log(tf) if self.settings.sublinear_tf else tf) * self.idf[columns]
        return columns, values / np.sqrt(values @ values) if len(values) else values

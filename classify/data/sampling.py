"""Draw passages at random with a known probability, so that what is coded speaks for the corpus."""

from collections.abc import Sequence

import numpy as np

from classify.passages import Passage


def draw_sample(passages: Sequence[Passage], n: int, *, seed: int) -> list[Passage]:
    """A simple random sample of n passages without replacement, in their order; all of them if there are fewer.

    Each passage is drawn with probability n / len(passages). Raises ValueError if n is not positive.
    """
    if n < 1:
        raise ValueError(f"a sample of {n} passages; expected at least 1")
    size = min(n, len(passages))
    rows = np.random.default_rng(seed).choice(len(passages), size=size, replace=False)
    return [passages[row] for row in sorted(rows)]

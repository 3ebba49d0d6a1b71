"""What the project's labelled set gives away: copies, stock openings, and labels that the register alone would tell.

    python -m tests.benchmarks.labelled_set

Prints the nearest two passages of different documents, how many openings are distinct, how well framing and themes are
told from the register alone (held-out events; accuracy and macro average precision, beside chance), and each theme's
most telling words.
"""

from collections import Counter
from dataclasses import replace

import numpy as np

from classify.codebook import Task, load_codebook
from classify.data.candidates import find_candidates
from classify.data.dataset import Dataset, load_labels
from classify.evaluation.schemes import EVENT_FOLDS, over_events
from classify.measure.arrays import FloatArray
from classify.measure.scores import average_precision
from tests.data_card import LABELS, nearest_passages, of_origin

N_WORDS = 12


def told_by_register(dataset: Dataset, task: Task) -> FloatArray:
    """Each label's share among other events' passages of the same register, shape (n_passages, n_labels)."""
    gold, register = dataset.gold(task).gold, np.array(dataset.values_of("register"))
    share = np.zeros(gold.shape)
    for split in over_events(dataset, scheme=EVENT_FOLDS, seed=0).splits:
        everywhere = gold[split.inside].mean(axis=0)
        for row in split.outside:
            same = split.inside[register[split.inside] == register[row]]
            share[row] = (gold[same].sum(axis=0) + everywhere) / (len(same) + 1)
    return share


def main() -> None:
    dataset = of_origin(load_labels(LABELS / "passages.jsonl", load_codebook(LABELS / "codebook.toml")), "composed")
    containment, first, second = nearest_passages(dataset.passages)
    print(f"nearest passages of different documents: {containment:.2f} of the 5-grams ({first}, {second})")
    openings = Counter(" ".join(text.split()[:3]).lower() for text in dataset.texts)
    print(f"distinct openings of three words: {len(openings)} of {len(dataset.texts)}; {openings.most_common(5)}")
    theme, framing = dataset.codebook["theme"], dataset.codebook["framing"]
    gold, share = dataset.gold(framing).gold, told_by_register(dataset, framing)
    right = gold[np.arange(len(gold)), share.argmax(axis=1)].mean()
    commonest = gold.mean(axis=0).max()
    print(f"framing told by the register alone: accuracy {right:.2f}; the commonest framing: {commonest:.2f}")
    gold, share = dataset.gold(theme).gold, told_by_register(dataset, theme)
    found = [average_precision(gold[:, n], share[:, n]) for n in range(gold.shape[1])]
    print(f"themes told by the register alone: average precision {np.mean(found):.2f}; chance: {gold.mean():.2f}")
    bare = replace(theme, labels=tuple(replace(label, terms=(), not_terms=()) for label in theme.labels))
    for label, candidates in find_candidates(dataset, bare, most=N_WORDS).items():
        print(f"{label}: {', '.join(candidate.term for candidate in candidates)}")


if __name__ == "__main__":
    main()

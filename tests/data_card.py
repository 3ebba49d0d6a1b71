"""Keep the data card's tables true: python tests/data_card.py rewrites them in labels/README.md.

A table stands between `<!-- NAME -->` and `<!-- end -->`; `tests/test_labels.py` fails where one is not today's.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

from classify.codebook import load_codebook
from classify.data.annotations import LabelledPassage, read_coders
from classify.data.dataset import Dataset, counts_by_label, load_labels, make_dataset
from classify.evaluation.agreement import measure_agreement
from classify.evaluation.results import TaskAgreement

LABELS = Path(__file__).parent.parent / "labels"
CARD = LABELS / "README.md"
ORIGINS = ("seed", "composed")
FRAMINGS = ("reportage", "promotional", "analytical", "critical")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def of_origin(dataset: Dataset, origin: str) -> Dataset:
    return make_dataset([p for p in dataset.passages if p.extra["origin"] == origin], dataset.codebook)


def agreement_of(dataset: Dataset) -> dict[str, TaskAgreement]:
    clusters = {passage.id: dataset.events.of_document[passage.document] for passage in dataset.passages}
    coded = read_coders([LABELS / "coders"], dataset.codebook)
    return measure_agreement(coded, dataset.codebook, clusters=clusters)


def origins(dataset: Dataset) -> str:
    parts = [of_origin(dataset, origin) for origin in ORIGINS]
    rows = [
        (f"`{origin}`", len(part.passages), len({p.document for p in part.passages}), len(part.event_names))
        for origin, part in zip(ORIGINS, parts, strict=True)
    ]
    return table(("origin", "passages", "documents", "events"), rows)


def labels(dataset: Dataset) -> str:
    whole, seed, composed = (counts_by_label(part) for part in (dataset, *(of_origin(dataset, o) for o in ORIGINS)))
    agreement = agreement_of(dataset)
    registers = {
        (task, label): len({p.extra["register"] for p in dataset.passages if label in (p.labels[task] or ())})
        for task, of_task in whole.items()
        for label in of_task
    }
    rows: list[tuple[object, ...]] = [
        (
            *(f"`{label}`", n, events, registers[task, label], seed[task][label][0], composed[task][label][0]),
            *(agreement[task][label].alpha, f"{agreement[task][label].specific:.2f}"),
        )
        for task, of_task in whole.items()
        for label, (n, events) in of_task.items()
    ]
    without = [[p for p in dataset.passages if not p.labels["theme"] and p.extra["origin"] == o] for o in ORIGINS]
    events = {dataset.events.of_document[p.document] for part in without for p in part}
    kinds = {p.extra["register"] for part in without for p in part}
    rows.append(("no theme", sum(map(len, without)), len(events), len(kinds), *map(len, without), "", ""))
    columns = ("label", "passages", "events", "registers", "of them seed", "of them composed", "coders' alpha")
    return table((*columns, "agreement on positives"), rows)


def registers(dataset: Dataset) -> str:
    by_register: dict[str, list[LabelledPassage]] = defaultdict(list)
    for passage in of_origin(dataset, "composed").passages:
        by_register[str(passage.extra["register"])].append(passage)
    rows = [
        (
            *(register, len(found), len({p.document for p in found})),
            *(sum(framing in (p.labels["framing"] or ()) for p in found) for framing in FRAMINGS),
            sum(not p.labels["theme"] for p in found),
        )
        for register, found in sorted(by_register.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    ]
    return table(("register", "passages", "documents", *FRAMINGS, "no theme"), rows)


def regions(dataset: Dataset) -> str:
    composed = of_origin(dataset, "composed").passages
    counts = Counter(str(passage.extra["region"]) for passage in composed)
    rows = [(region, n, f"{n / len(composed):.1%}") for region, n in sorted(counts.items(), key=lambda pair: -pair[1])]
    return table(("region", "passages", "share of composed"), rows)


def nearest_passages(passages: Sequence[LabelledPassage]) -> tuple[float, str, str]:
    """The largest share of a passage's word 5-grams that one of another document holds, and the two passages' ids."""
    grams = [_five_grams(passage.text) for passage in passages]
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, of_passage in enumerate(grams):
        for gram in of_passage:
            holders[gram].append(row)
    shared = Counter(
        pair
        for rows in holders.values()
        for pair in combinations(rows, 2)
        if passages[pair[0]].document != passages[pair[1]].document
    )
    return max(
        (n / min(len(grams[first]), len(grams[second])), passages[first].id, passages[second].id)
        for (first, second), n in shared.items()
    )


def _five_grams(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[start : start + 5]) for start in range(len(words) - 4)}


def updated(card: str, dataset: Dataset) -> str:
    """The card with today's tables."""
    for make in (origins, labels, registers, regions):
        found = re.compile(rf"(<!-- {make.__name__} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        assert found.search(card), f"the card has no place for the table {make.__name__}"
        card = found.sub(lambda match, make=make: match[1] + make(dataset) + match[2], card)  # type: ignore[misc]
    return card


if __name__ == "__main__":
    own = load_labels(LABELS / "passages.jsonl", load_codebook(LABELS / "codebook.toml"))
    CARD.write_text(updated(CARD.read_text(encoding="utf-8"), own), encoding="utf-8")

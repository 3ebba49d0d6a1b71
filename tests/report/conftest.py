"""Eight tagged passages of two sources and three months, counted by hand."""

from typing import Any

import pytest

from classify.data.tagreader import tags_of
from classify.data.tags import Tags

# themes, framing, source, date
TAGGED: list[tuple[list[str], str, str | None, str | None]] = [
    (["sea"], "report", "Wire", "2025-01-03"),
    (["sea", "cyber"], "report", "Wire", "2025-01-20"),
    (["cyber"], "praise", "Wire", "2025-02"),
    ([], "praise", "Wire", "2025-04-01"),
    (["sea"], "praise", "Gazette", "2025-04-02"),
    (["sea", "cyber"], "report", "Gazette", "03/04/2025"),
    ([], "report", None, None),
    (["cyber"], "report", "Gazette", "2025-04-30"),
]
HOSTILE = '<script>alert("x")</script><img src=http://evil.example/a.png onerror=alert(1)>'


def prediction(themes: list[str], framing: str, *, review: list[str], sure: float = 0.9) -> dict[str, Any]:
    """Given labels have the probability `sure`, other themes .2; framings sum to one."""
    return {
        "predicted": {"theme": themes, "framing": framing},
        "probabilities": {
            "theme": {label: sure if label in themes else 0.2 for label in ("sea", "cyber")},
            "framing": {label: sure if label == framing else 1 - sure for label in ("report", "praise")},
        },
        "review": review,
        "model": "abc",
    }


def tagged_rows() -> list[dict[str, Any]]:
    """The eight passages; the third and the eighth ask for review, the eighth is nearer to another answer."""
    rows = []
    for n, (themes, framing, source, date) in enumerate(TAGGED, start=1):
        review = {3: ["too_short"], 8: ["near_threshold"]}.get(n, [])
        own = {"id": f"d#{n}", "text": f"Passage {n}.", "source": source, "date": date}
        rows.append(own | prediction(themes, framing, review=review, sure=0.6 if n == 8 else 0.9))
    return rows


def read(rows: list[dict[str, Any]], *by: str) -> Tags:
    return tags_of([("p.jsonl", number, row) for number, row in enumerate(rows, start=1)], by=by)


@pytest.fixture
def tags() -> Tags:
    return read(tagged_rows())

"""The first section of a corpus's page: shares as estimated, machine rates as what they are, how it came about."""

import csv
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

from classify.codebook import Codebook, Label, Task, TaskKind
from classify.data.auditdraw import audit_rows
from classify.data.dataset import Dataset, load_labels
from classify.estimate.audited import read_audited
from classify.estimate.shares import estimate_shares
from classify.report.corpusfiles import report_corpus
from classify.report.corpusshares import audit_sentences, interval, percent
from tests.conftest import write_jsonl
from tests.report import test_browser
from tests.report.conftest import HOSTILE, prediction
from tests.report.test_corpuspage import Page

browser = test_browser.browser
BOOK = Codebook(
    "toy",
    (
        Task("theme", TaskKind.MULTILABEL, (Label("sea"), Label("cyber"))),
        Task("framing", TaskKind.MULTICLASS, (Label("report"), Label("praise"))),
    ),
)
Row = dict[str, Any]


def tagged(n: int) -> Row:
    """Passages of a large, a middling and a tiny source, by no bundle that could have learnt from them."""
    themes, framing = [["sea"], ["sea", "cyber"], []][n % 3], "report" if n % 4 else "praise"
    source = "Tiny" if n % 40 == 0 else HOSTILE if n % 3 else "Wire & Sons"
    own = {"id": f"d{n // 2}#{n % 2}", "text": f"Passage {n}.", "document": f"d{n // 2}", "source": source}
    return own | prediction(themes, framing, review=[]) | {"model": None}


def gold(n: int) -> Row:
    """The tags are often wrong of the sea and always right of how it is told."""
    row = tagged(n)["predicted"]
    return {"theme": row["theme"] if n % 5 else ["cyber"], "framing": row["framing"]}


def audit_of(folder: Path, *, n: int, by: str | None = None) -> Dataset:
    rows = [tagged(n) for n in range(400)]
    labels = {row["id"]: gold(number) for number, row in enumerate(rows)}
    drawn = audit_rows(rows, n, by=by, seed=0, tasks=BOOK.task_names, nested=True)
    coded = [row | {"labels": labels[row["id"]]} for row in drawn]
    return load_labels(write_jsonl(folder / "audit.jsonl", coded), BOOK)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with shares of the whole and of two sources out of three."""
    folder = tmp_path_factory.mktemp("shares")
    predictions = write_jsonl(folder / "p.jsonl", [tagged(n) for n in range(400)])
    report_corpus([predictions], folder / "report", audit=audit_of(folder, n=120))
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report" / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def section(page: str) -> str:
    return page.split('<h2 id="shares">')[1].split('<h2 id="task-theme">', maxsplit=1)[0]


def cells(part: str) -> list[list[str]]:
    """The text of every cell of every row of the tables."""
    rows = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in re.findall(r"<tr[^>]*>(.*?)</tr>", part)]
    return [[unescape(re.sub(r"<[^>]*>", "", cell)) for cell in row] for row in rows]


def sheet(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_shares_are_those_that_are_estimated_with_the_machine_rate_beside_them(folder: Path, section: str) -> None:
    estimated = estimate_shares([folder / "p.jsonl"], load_labels(folder / "audit.jsonl", BOOK))
    rows = {row[0]: row for row in cells(section.split("<h3")[1])}
    for one in estimated.of("theme"):
        share = f"{percent(one.share.estimate.value)} {interval(one.share.estimate)}"
        rate = percent(one.machine_rate)
        assert [share, rate] == rows[one.label][1:3]
        assert f"{one.share.n_positive} of 120" == rows[one.label][4]
    assert "machine-tagged" in rows["theme"][2]


def test_it_says_what_was_audited_and_how(section: str) -> None:
    assert "120 passages of 400 were coded by hand (theme 120, framing 120; from audit.jsonl)." in section
    assert "They were drawn at random, each with the same probability, 1 in 3.3." in section
    assert "The model has learnt from none of them." in section


def test_unequal_probabilities_are_told_with_their_range(tmp_path: Path) -> None:
    predictions = write_jsonl(tmp_path / "p.jsonl", [tagged(n) for n in range(400)])
    audited = read_audited([predictions], audit_of(tmp_path, n=60, by="source"))
    said = " ".join(audit_sentences(audited, ["theme"]))
    assert "60 passages of 400 were coded by hand (theme 60; from audit.jsonl)." in said
    assert re.search(r"with known probabilities, 1 in \d\.\d to 1 in 1, and count for as many", said)


def test_passages_that_were_learnt_from_are_told_with_where_their_scores_are_from(tmp_path: Path) -> None:
    predictions = write_jsonl(tmp_path / "p.jsonl", [tagged(n) for n in range(400)])
    audited = read_audited([predictions], audit_of(tmp_path, n=60))
    p = np.full((60, 2), np.nan)
    p[:7] = 0.5
    said = audit_sentences(replace(audited, held_out={"theme": p}), ["theme"])[-1]
    assert "learnt from 7 of them; for these, an evaluation that held them out gave the scores." in said


def test_parts_with_few_audited_passages_are_left_out_and_counted(folder: Path, section: str) -> None:
    by_source = section.split("theme by source: shares</h3>")[1]
    (large, _), (middling, _) = (row[:2] for row in cells(by_source.split("</table>")[0])[1:])
    assert (True, "Wire & Sons") == (HOSTILE.startswith(large.removesuffix("...")), middling)
    assert "1 source with fewer than 10 audited passages is left out." in by_source
    assert {"", HOSTILE, "Wire & Sons", "Tiny"} == {row["part"] for row in sheet(folder / "report" / "shares.csv")}


def test_figures_stand_inline_with_a_name_and_the_table_beside_them(section: str) -> None:
    assert 4 == section.count('<svg role="img" aria-label="') == section.count("<figure>")
    assert 'xlink:href="http' not in section


def test_texts_of_strangers_stay_text_and_ids_are_unique(page: str) -> None:
    found = Page(page)
    assert 1 == sum(tag == "script" for tag, _ in found.elements)
    assert not [tag for tag, _ in found.elements if tag in ("img", "iframe", "object", "form")]
    ids = list(found.all("id"))
    assert len(set(ids)) == len(ids)
    assert {link[1:] for link in found.all("href") if link.startswith("#")} <= set(ids)


@pytest.mark.browser
def test_it_fits_a_phone_and_runs_nothing_of_strangers(folder: Path, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 800}, color_scheme="dark")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.goto((folder / "report" / "report.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    widths = "tables => tables.map((table) => table.scrollWidth - table.clientWidth)"
    assert [0, 0, 0, 0] == page.locator(".scroll:has(.narrow)").evaluate_all(widths)
    assert [] == complaints
    page.close()


def test_all_other_rates_are_still_called_machine_tagged(page: str) -> None:
    after = page.split('<h2 id="task-theme">')[1]
    parts = [part for part in re.split(r"<h[23]", after) if '<td class="n"' in part]
    assert parts
    assert all("machine-tagged" in part for part in parts)


def test_the_numbers_of_changes_stand_in_a_sheet_of_their_own(folder: Path) -> None:
    changes = sheet(folder / "report" / "changes.csv")
    assert {("source", "difference")} == {(row["by"], row["kind"]) for row in changes}


def test_written_twice_every_byte_is_the_same(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in (folder / "report").iterdir()}
    report_corpus([folder / "p.jsonl"], folder / "report", audit=load_labels(folder / "audit.jsonl", BOOK))
    assert before == {path.name: path.read_bytes() for path in (folder / "report").iterdir()}
    assert {"report.html", "passages.csv", "counts.csv", "shares.csv", "changes.csv"} == set(before)


def test_without_an_audit_it_says_how_to_get_shares_and_shows_none(folder: Path, tmp_path: Path) -> None:
    report_corpus([folder / "p.jsonl"], tmp_path / "report")
    text = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "For shares with an interval: code what <code>classify sample</code> draws" in text
    assert 'id="shares"' not in text
    assert not (tmp_path / "report" / "shares.csv").exists()


def test_a_months_trend_is_told_in_points(tmp_path: Path) -> None:
    rows = [tagged(n) | {"date": f"2025-0{1 + n // 100}", "source": None} for n in range(400)]
    for n in range(300, 400):
        rows[n] |= prediction(["sea"], "praise", review=[]) | {"model": None}
    drawn = audit_rows(rows, 120, seed=0, tasks=BOOK.task_names, nested=True)
    tags = {row["id"]: row["predicted"] for row in rows}
    audit = write_jsonl(tmp_path / "audit.jsonl", [row | {"labels": tags[row["id"]]} for row in drawn])
    report_corpus([write_jsonl(tmp_path / "p.jsonl", rows)], tmp_path / "report", audit=load_labels(audit, BOOK))
    text = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    told = r"<li>praise, 2025-01 to 2025-04 \(trend\): \+(\d\d) points \(\+\d\d to \+\d\d\), p (= 0\.0\d\d|&lt; 0\.001)"
    ((points, _),) = re.findall(told, text)
    assert "What surely rises or falls from the first month to the last, along a straight line" in unescape(text)
    (praise,) = (row for row in sheet(tmp_path / "report" / "changes.csv") if row["label"] == "praise")
    assert float(praise["change"]) == pytest.approx(int(points) / 100, abs=0.005)

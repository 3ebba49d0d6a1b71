"""The page and the sheets of a corpus hold the same numbers, lead to passages, and run nothing of strangers."""

import csv
import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from classify.errors import OutputError
from classify.report.corpus import CAUTION, count_corpus
from classify.report.corpusfiles import report_corpus
from classify.report.corpuspage import LONGEST, MOST_LINKS
from classify.report.months import month_lines
from tests.conftest import write_jsonl
from tests.report.conftest import HOSTILE, prediction, read, tagged_rows


class Page(HTMLParser):
    """Elements with their attributes, and what a link to each id is for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def all(self, name: str) -> Iterator[str]:
        return (attributes[name] or "" for _, attributes in self.elements if name in attributes)


def report(rows: list[dict[str, Any]], folder: Path, **options: Any) -> str:
    path = write_jsonl(folder / "p.jsonl", rows)
    report_corpus([path], folder / "report", **options)
    return (folder / "report" / "report.html").read_text(encoding="utf-8")


def sheet(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def page(tmp_path: Path) -> str:
    return report(tagged_rows(), tmp_path)


@pytest.fixture
def hostile_page(tmp_path: Path) -> str:
    rows = tagged_rows()
    for row in rows:
        row.update(dict.fromkeys(("id", "text", "document", "source", "date", "review", "model"), HOSTILE))
        row["predicted"]["theme"] = [HOSTILE for _ in row["predicted"]["theme"][:1]]
        row["probabilities"]["theme"] = {HOSTILE: 0.5, "cyber": 0.1}
    rows += [{"error": HOSTILE, HOSTILE: HOSTILE}]
    return report(rows, tmp_path)


def test_texts_of_strangers_stay_text(page: str, hostile_page: str) -> None:
    tame, hostile = Page(page), Page(hostile_page)
    assert 1 == sum(tag == "script" for tag, _ in tame.elements) == sum(tag == "script" for tag, _ in hostile.elements)
    assert not [tag for tag, _ in hostile.elements if tag in ("img", "iframe", "object", "form")]
    assert not [name for _, attributes in hostile.elements for name in attributes if name.startswith("on")]
    assert HOSTILE in unescape(hostile_page)


def test_the_page_asks_nobody_and_forbids_what_is_not_its_own(page: str) -> None:
    assert {"data:,"} == {
        link for link in (*Page(page).all("href"), *Page(page).all("src")) if not link.startswith("#")
    }
    policy = next(content for content in Page(page).all("content") if "default-src" in content)
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[\w+/=]+'$", policy)


@pytest.mark.parametrize("which", ["page", "hostile_page"])
def test_every_link_finds_its_place_and_every_id_is_unique(which: str, request: pytest.FixtureRequest) -> None:
    found = Page(request.getfixturevalue(which))
    ids = list(found.all("id"))
    assert len(set(ids)) == len(ids)
    assert {link[1:] for link in found.all("href") if link.startswith("#")} <= set(ids)


def test_every_number_of_the_tables_leads_to_as_many_passages(page: str) -> None:
    elements = Page(page).elements
    cells = {of["id"] for tag, of in elements if tag == "div" and of.get("class") == "cell"}
    articles = [set((of["class"] or "").split()) for tag, of in elements if tag == "article"]
    links = re.findall(r'<td class="n[^"]*"><a href="#([^"]+)">(\d+)</a>', page)
    assert len(links) > 30
    for key, n in links:
        assert key in cells
        assert int(n) == sum(set(key.split("-")) <= groups for groups in articles)


def test_every_number_of_the_tables_stands_in_the_sheet(page: str, tmp_path: Path) -> None:
    counts = sheet(tmp_path / "report" / "counts.csv")
    numbers = {(row["table"], row["row"], row["column"]): row["n"] for row in counts}
    assert "2" == numbers["theme by source (machine-tagged)", "Wire", "sea"]
    on_page = {n for _, n in re.findall(r'<a href="#(t\d_\d(?:-f\d_\d)?)">(\d+)</a>', page)}
    assert on_page <= {row["n"] for row in counts}


def test_rates_are_called_machine_tagged_above_every_table(page: str) -> None:
    assert CAUTION in page
    parts = re.split(r"<h[23]", page)
    with_numbers = [part for part in parts if '<td class="n"' in part]
    assert len(with_numbers) > 5
    assert all("machine-tagged" in part for part in with_numbers)
    text = re.sub(r"<[^>]*>", " ", page.split("<main>")[1]).replace("For shares with an interval: code", "")
    assert not re.search(r"(?<!measured )\bshares?\b", text)


def test_few_passages_are_grey_and_notes_come_first(page: str) -> None:
    assert '<tr class="grey"><th scope="row">Wire</th>' in page
    assert page.index("left out of the counts by source") < page.index("<table")


def test_the_passages_to_review_stand_first_nearest_first(page: str) -> None:
    assert ["d#8", "d#3"] == re.findall(r"<h3>(d#\d)</h3>", page)[:2]
    assert "theme: cyber, p = 0.60, given from about 0.40" in page


def test_the_sheet_of_passages_holds_every_row_and_no_formula(tmp_path: Path) -> None:
    rows = tagged_rows()
    rows[0]["text"] = '=HYPERLINK("http://evil.example")'
    rows[1]["=cmd"] = "@SUM(A1)"
    report([*rows, {"id": "d#9", "error": "+too long"}], tmp_path)
    found = sheet(tmp_path / "report" / "passages.csv")
    assert [str(number) for number in range(1, 10)] == [row["report:number"] for row in found]
    assert '\'=HYPERLINK("http://evil.example")' == found[0]["text"]
    assert "'@SUM(A1)" == found[1]["'=cmd"]
    assert ("", "'+too long", "no") == (found[8]["predicted:theme"], found[8]["error"], found[8]["report:on_page"])
    assert ("sea|cyber", "0.9", "2025-01") == tuple(
        found[1][name] for name in ("predicted:theme", "p:theme:cyber", "report:month")
    )


def test_a_sheet_can_be_reported_again(tmp_path: Path) -> None:
    rows = [row | {"number": "mine"} for row in tagged_rows()]
    report(rows, tmp_path)
    first = tmp_path / "report" / "passages.csv"
    report_corpus([first], tmp_path / "again")
    assert sheet(first) == sheet(tmp_path / "again" / "passages.csv")
    assert "mine" == sheet(first)[0]["number"]


def test_long_passages_are_cut_on_the_page_alone(tmp_path: Path) -> None:
    rows = tagged_rows()
    rows[0]["text"] = "a" * (LONGEST + 1234)
    text = report(rows, tmp_path)
    assert "1,234 more characters in passages.csv, number 1" in text
    assert LONGEST + 1234 == len(sheet(tmp_path / "report" / "passages.csv")[0]["text"])


def test_many_sources_are_folded_and_add_up(tmp_path: Path) -> None:
    rows = [prediction(["sea"], "report", review=[]) | {"source": f"s{i:02}"} for i in range(40) for _ in range(i + 1)]
    text = report(rows, tmp_path)
    assert "the other 20 together" in text
    assert re.search(r'the other 20 together</th><td class="n"><a href="#f0_rest">210</a>', text)
    counts = sheet(tmp_path / "report" / "counts.csv")
    assert 40 == sum(row["table"].startswith("theme by source") and row["column"] == "sea" for row in counts)


def test_more_passages_than_the_page_takes_are_chosen_and_said(tmp_path: Path) -> None:
    rows = [prediction(["sea"], "report", review=[]) | {"id": str(i)} for i in range(2100)]
    text = report(rows, tmp_path)
    assert "2,000 of 2,100 passages stand on this page, chosen to be read, not at random" in text
    assert 2000 == text.count("<article")
    assert 2000 == sum(row["report:on_page"] == "yes" for row in sheet(tmp_path / "report" / "passages.csv"))
    assert MOST_LINKS == text.split('id="t0_0"')[1].split("</div>")[0].count('href="#p')


def test_further_fields_have_tables_of_their_own(tmp_path: Path) -> None:
    rows = [row | {"register": "news"} for row in tagged_rows()]
    assert "theme by register" in report(rows, tmp_path, by=["register"])


def test_months_are_drawn_oldest_first_and_broken_where_one_is_missing() -> None:
    lines = month_lines(count_corpus(read(tagged_rows())), "framing")
    assert ["report", "praise"] == [line.answer for line in lines]
    assert [["2025-01", "2025-02"], ["2025-04"]] == [[point.month for point in run] for run in lines[0].runs]
    assert [(2, 2), (0, 1)] == [(point.n, point.total) for point in lines[0].runs[0]]
    assert all(point.is_few for run in lines[0].runs for point in run)


def test_one_month_is_no_line() -> None:
    rows = [prediction(["sea"], "report", review=[]) | {"date": "2025-01"}]
    assert [] == month_lines(count_corpus(read(rows)), "theme")


def test_written_twice_every_byte_is_the_same(tmp_path: Path) -> None:
    report(tagged_rows(), tmp_path)
    before = {path.name: path.read_bytes() for path in (tmp_path / "report").iterdir()}
    report(tagged_rows(), tmp_path)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "report").iterdir()}
    assert {"report.html", "passages.csv", "counts.csv"} == set(before)
    assert {"report", "p.jsonl"} == {path.name for path in tmp_path.iterdir()}


def test_a_folder_with_foreign_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"holds notes\.txt, which is no part of a corpus report"):
        report(tagged_rows(), tmp_path)
    assert ["notes.txt"] == [path.name for path in (tmp_path / "report").iterdir()]

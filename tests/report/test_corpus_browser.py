"""The page of a corpus in a real browser, with scripts and without: numbers lead to passages, strangers run nothing."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from classify.report.corpusfiles import report_corpus
from tests.conftest import write_jsonl
from tests.report import test_browser
from tests.report.conftest import HOSTILE, tagged_rows

pytestmark = pytest.mark.browser
browser = test_browser.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    rows = tagged_rows()
    rows[0] |= {"text": HOSTILE, "source": HOSTILE}
    report_corpus([write_jsonl(folder / "p.jsonl", rows)], folder / "report")
    return folder / "report" / "report.html"


def shown(page: Page) -> list[str]:
    return [article.get_attribute("id") or "" for article in page.locator("article").all() if article.is_visible()]


@pytest.mark.parametrize("width", [1200, 360])
def test_it_opens_alone_without_a_complaint_and_a_number_shows_its_passages(
    browser: Browser,
    report: Path,
    width: int,
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.goto(report.as_uri())
    assert [] == shown(page)
    page.locator('td a[href="#f0_0-t0_0"]').click()
    assert ["p5", "p6"] == shown(page)
    assert page.locator("#f0_0-t0_0").is_visible()
    page.locator('th a[href="#p8"]').click()
    assert "p8" in shown(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.emulate_media(media="print")
    assert "p1" not in shown(page)
    assert [] == complaints
    assert {report.as_uri()} == {url.split("#")[0] for url in requests if not url.startswith("data:")}
    page.close()


def test_without_script_a_number_lists_its_passages(browser: Browser, report: Path) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(report.as_uri())
    page.locator('td a[href="#f0_0-t0_0"]').click()
    assert ["#p5", "#p6"] == [a.get_attribute("href") for a in page.locator("#f0_0-t0_0 .ids a").all()]
    assert 8 == len(shown(page))
    page.close()

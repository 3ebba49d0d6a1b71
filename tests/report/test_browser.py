"""The report in a real browser: no outside request, no console error, nothing wider than the page."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from classify.data.dataset import Dataset
from classify.evaluation.evaluate import evaluate
from classify.report.files import write_evaluation
from tests.conftest import needs_tool

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    needs_tool("chromium", chromium)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def report(toy_dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser") / "report"
    write_evaluation(evaluate(toy_dataset), folder)
    return folder / "report.html"


@pytest.mark.parametrize("width", [1200, 390])
def test_report_opens_alone_and_without_a_complaint(browser: Browser, report: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(report.as_uri())
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [report.as_uri()]
    assert page.locator("svg").count() == len(list((report.parent / "figures").glob("*.svg")))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.close()

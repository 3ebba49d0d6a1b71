"""The report in a real browser: no outside request, no console error, nothing wider than the page, tables that sort."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from classify.data.dataset import Dataset
from classify.evaluation.evaluate import evaluate
from classify.evaluation.heldout import Mistake
from classify.report.files import write_evaluation
from tests.conftest import needs_tool

pytestmark = pytest.mark.browser

HOSTILE = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">"


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
    evaluation = evaluate(toy_dataset)
    text = f"{HOSTILE} A proud ship."
    mistake = Mistake("report", "false negative", "x", text, ("report",), ("praise",), 0.1, 1.0, (("ship", 0.5),), ())
    framing = replace(evaluation["framing"], mistakes=(mistake,))
    write_evaluation(replace(evaluation, tasks={**evaluation.tasks, "framing": framing}), folder)
    return folder / "report.html"


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    opened = browser.new_page()
    opened.goto(report.as_uri())
    yield opened
    opened.close()


@pytest.mark.parametrize("width", [1200, 360])
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
    assert page.locator("svg[role=img]").count() == len(list((report.parent / "figures").glob("*.svg")))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.close()


TABLE = "[aria-label='framing: labels'] table"


def test_a_table_sorts_by_number_both_ways_and_back(page: Page) -> None:
    written = page.locator(f"{TABLE} tbody th").all_inner_texts()
    button = page.locator(f"{TABLE} thead button", has_text="F1").first
    head = page.locator(f"{TABLE} thead th", has_text="F1").first
    orders = []
    for order in ("descending", "ascending", None):
        button.press("Enter")
        assert order == head.get_attribute("aria-sort")
        orders.append(page.locator(f"{TABLE} tbody th").all_inner_texts())
    assert [written, sorted(written)] == [orders[2], sorted(orders[0])]
    values = page.locator(f"{TABLE} td[data-name=F1]").evaluate_all("cells => cells.map((cell) => +cell.dataset.sort)")
    assert (sorted(values) == values) == (orders[1] == written)


def test_a_table_sorts_by_name(page: Page) -> None:
    page.locator(f"{TABLE} thead button", has_text="label").click()
    assert ["praise", "report"] == page.locator(f"{TABLE} tbody th").all_inner_texts()


def test_a_hostile_passage_stays_text(page: Page) -> None:
    assert "Evaluation: toy" == page.title()
    quoted = page.locator("blockquote", has_text="proud ship.")
    assert [f"{HOSTILE} A proud ship."] == quoted.all_text_contents()
    assert ["ship"] == quoted.locator("mark.for").all_text_contents()


def test_the_policy_of_the_page_lets_no_other_script_run(page: Page) -> None:
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'document.title = 1'}))")
    assert "Evaluation: toy" == page.title()


def test_without_script_everything_can_be_read(browser: Browser, report: Path) -> None:
    page = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 900}).new_page()
    page.goto(report.as_uri())
    assert 0 == page.locator("button").count()
    assert page.locator(f"{TABLE} tbody th").first.is_visible()
    page.close()


def test_figures_follow_the_colours_of_the_page(browser: Browser, report: Path) -> None:
    inks = []
    for scheme in ("light", "dark"):
        page = browser.new_context(color_scheme=scheme).new_page()
        page.goto(report.as_uri())
        inks.append(page.locator("svg[role=img] text").first.evaluate("text => getComputedStyle(text).fill"))
        page.close()
    assert ["rgb(29, 29, 31)", "rgb(236, 236, 240)"] == inks


def test_print_shows_what_is_folded(page: Page) -> None:
    assert page.locator("details:not([open])").count() > 0
    page.pdf()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert 0 == page.locator("details:not([open], .screen)").count()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() > 0

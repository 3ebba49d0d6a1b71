"""Make the README's pictures: the top of an evaluation report, and an explanation as a notebook shows it.

    python tests/pictures.py

Run in a checkout after `make run`; needs Chromium.
"""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

from classify import Predictor, load_codebook, load_labels

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "reports" / "defence-diplomacy" / "report.html"
PASSAGE = (
    "Both navies agreed to patrol the strait together against piracy, and their coast guards will share radar data."
)


def main() -> None:
    predictor = Predictor.load(ROOT / "models" / "defence-diplomacy")
    dataset = load_labels(ROOT / "labels" / "passages.jsonl", load_codebook(ROOT / "labels" / "codebook.toml"))
    explanation = predictor.explain(PASSAGE, task="theme", evidence=dataset.passages)
    frame = '<body style="margin:1.2rem;max-width:54rem;font:15px system-ui,sans-serif">'
    out = ROOT / ".readme"
    out.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 1000})
        page.goto(REPORT.as_uri())
        page.screenshot(path=out / "report.png")
        page.set_viewport_size({"width": 900, "height": 620})
        page.set_content(frame + explanation._repr_html_())
        page.screenshot(path=out / "explain.png")
        browser.close()


if __name__ == "__main__":
    main()

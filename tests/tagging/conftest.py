"""A bundle in a folder, from which worker processes can load it, and rows by the thousand."""

from pathlib import Path

import pytest

from classify.bundle import Bundle
from classify.predictor import Predictor
from classify.tagging.processes import begin_server
from tests.conftest import toy_rows, write_jsonl


@pytest.fixture(scope="session")
def toy_predictor(toy_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    begin_server()  # it loads beside the tests that need no worker
    folder = tmp_path_factory.mktemp("models") / "toy"
    toy_bundle.save(folder)
    return Predictor.load(folder)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def many(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of five blocks, as blocks hold a hundred rows here."""
    monkeypatch.setattr("classify.tagging.reading.MOST_ROWS", 100)
    return write_jsonl(here / "many.jsonl", [{"n": n, "text": row["text"]} for n in range(20) for row in toy_rows()])

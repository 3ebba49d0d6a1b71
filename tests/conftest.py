"""One toy corpus for all tests: two dozen sentences in a dozen events, two tasks."""

import json
import os
from pathlib import Path

import hypothesis
import pytest

from classify.bundle import Bundle
from classify.codebook import Codebook, load_codebook
from classify.data.dataset import Dataset, load_labels
from classify.learn.training import train

collect_ignore_glob = ["recompute.py", "data_card.py", "pictures.py", "benchmarks/*"]  # scripts

ROOT = Path(__file__).parent.parent
hypothesis.settings.register_profile("unhurried", deadline=None)  # how long an example takes is no property
hypothesis.settings.load_profile("unhurried")
LONGEST_FIRST = ("test_readme.py", "test_notebooks.py", "test_commands.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the files that take minutes first, so that no process is left with one of them at the end."""
    items.sort(key=lambda item: item.path.name not in LONGEST_FIRST)


TOY_CODEBOOK = """\
name = "toy"
version = "1"

[tasks.theme]
kind = "multilabel"
question = "What is it about?"

[tasks.theme.labels.sea]
definition = "Navies and ships."
terms = ["nav*", "ship*", "coast guard"]
not_terms = ["navel orange*"]

[tasks.theme.labels.cyber]
definition = "Attacks on networks."
terms = ["hacker*", "network*", "cyber*"]

[tasks.theme.labels.trade]

[tasks.framing]
kind = "multiclass"
question = "How is it told?"

[tasks.framing.labels.report]
terms = ["said"]

[tasks.framing.labels.praise]
terms = ["historic", "proud*"]
"""

# event, text, themes, framing
TOY_PASSAGES = [
    ("e01", "The navy said two ships left the harbour on Monday.", ["sea"], "report"),
    ("e01", "A proud day for our sailors and their historic vessel.", ["sea"], "praise"),
    ("e02", "Hackers broke into the ministry's network, officials said.", ["cyber"], "report"),
    ("e02", "Our glorious engineers defeated the hackers with skill.", ["cyber"], "praise"),
    ("e03", "Exporters said tariffs on cotton will rise in May.", ["trade"], "report"),
    ("e03", "The trade fair was a wonderful triumph for exporters.", ["trade"], "praise"),
    ("e04", "The coast guard said its ships and networks were attacked.", ["sea", "cyber"], "report"),
    ("e04", "What a brilliant crew the coast guard has on its ships.", ["sea"], "praise"),
    ("e05", "Rain is expected in the valley, the weather office said.", [], "report"),
    ("e05", "The valley's festival was the most joyful in memory.", [], "praise"),
    ("e06", "A cyber unit said malware spread through the bank network.", ["cyber"], "report"),
    ("e06", "We are proud of the cyber unit and its brilliant work.", ["cyber"], "praise"),
    ("e07", "Tariffs on steel were cut, the trade ministry said.", ["trade"], "report"),
    ("e07", "A historic bargain that exporters will always treasure.", ["trade"], "praise"),
    ("e08", "Naval officers said the ship would dock for repairs.", ["sea"], "report"),
    ("e08", "The navy shines again, a glorious fleet of proud ships.", ["sea"], "praise"),
    ("e09", "The hospital said forty patients were treated for flu.", [], "report"),
    ("e09", "Our nurses are wonderful and their kindness is historic.", [], "praise"),
    ("e10", "Cotton exporters said ships were late and tariffs high.", ["trade", "sea"], "report"),
    ("e10", "Exporters have never had such a splendid, proud season.", ["trade"], "praise"),
    ("e11", "Hackers stole data from a network of schools, police said.", ["cyber"], "report"),
    ("e11", "The brilliant police network team is a joy to watch.", ["cyber"], "praise"),
    ("e12", "The football club said its coach will leave in June.", [], "report"),
    ("e12", "A splendid season and a glorious cup for the club.", [], "praise"),
]


def toy_rows() -> list[dict[str, object]]:
    """The toy corpus as rows of a labels file."""
    return [
        {
            "id": f"{event}#{1 + n % 2}",
            "text": text,
            "document": event,
            "event": event,
            "labels": {"theme": themes, "framing": framing},
            "origin": "toy",
        }
        for n, (event, text, themes, framing) in enumerate(TOY_PASSAGES)
    ]


def write_jsonl(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a user has it: labels/codebook.toml and labels/passages.jsonl."""
    folder = tmp_path_factory.mktemp("toy")
    (folder / "labels").mkdir()
    (folder / "labels" / "codebook.toml").write_text(TOY_CODEBOOK, encoding="utf-8")
    write_jsonl(folder / "labels" / "passages.jsonl", toy_rows())
    return folder


@pytest.fixture(scope="session")
def toy_codebook(toy_folder: Path) -> Codebook:
    return load_codebook(toy_folder / "labels" / "codebook.toml")


@pytest.fixture(scope="session")
def toy_dataset(toy_folder: Path, toy_codebook: Codebook) -> Dataset:
    return load_labels(toy_folder / "labels" / "passages.jsonl", toy_codebook)


@pytest.fixture(scope="session")
def toy_bundle(toy_dataset: Dataset) -> Bundle:
    return train(toy_dataset)


@pytest.fixture(scope="session")
def own_dataset() -> Dataset:
    """The project's own labelled passages."""
    return load_labels(ROOT / "labels", load_codebook(ROOT / "labels" / "codebook.toml"))


@pytest.fixture
def in_toy_folder(toy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh working folder with the toy labels in it."""
    (tmp_path / "labels").mkdir()
    for source in (toy_folder / "labels").iterdir():
        (tmp_path / "labels" / source.name).write_bytes(source.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def needs_tool(name: str, found: object, *, promise: str = "CLASSIFY_TOOLS_PROMISED") -> None:
    """Skip by name what this machine lacks a tool for; where the tool is promised (CI), fail instead."""
    if found:
        return
    if os.environ.get(promise):
        pytest.fail(f"{name} is missing, though this run promises it")
    pytest.skip(f"{name} is not installed")

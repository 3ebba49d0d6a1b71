"""The README is kept true: its commands and examples run, its figures and its list of modules are today's."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from pandas import read_parquet
from typer.testing import CliRunner

from classify.cli.main import app
from classify.codebook import parse_codebook
from classify.data.annotations import labelled_passages
from classify.data.tables import parse_jsonl
from classify.evaluation.heldout import BASELINES
from classify.learn.settings import FRAMING_DEFAULTS, THEME_DEFAULTS, TaskSettings
from tests.conftest import ROOT
from tests.test_structure import RANK

README = (ROOT / "README.md").read_text(encoding="utf-8")
COLUMNS = (
    ("theme", "macro_f1"),
    ("theme", "macro_average_precision"),
    ("framing", "macro_f1"),
    ("framing", "accuracy"),
)
NAMES = {
    "model": "the model",
    "prior": "prior",
    "codebook_terms": "the codebook's terms",
    "plain_tfidf": "plain TF-IDF",
}


def blocks(language: str) -> list[str]:
    return [
        re.sub(r"(?m)^   ", "", block) for block in re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    ]


def classify_lines() -> list[str]:
    lines = [line.strip() for block in blocks("sh") for line in block.splitlines() if "classify " in line]
    return list(dict.fromkeys(lines))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout's own files in a folder where commands may write."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("labels", "seeds"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture(scope="module")
def outputs(checkout: Path) -> dict[str, str]:
    """What every `classify` line of the README prints, run in the README's order."""
    printed = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(checkout)
        for line in classify_lines():
            piped, _, command = line.rpartition(" | ")
            text = piped.removeprefix('echo "').removesuffix('"')
            result = CliRunner().invoke(app, shlex.split(command)[1:], input=text)
            assert result.exit_code == 0, f"{line}: {result.output}"
            printed[line] = result.stdout
    return printed


def test_every_command_is_shown(outputs: dict[str, str]) -> None:
    shown = {re.search(r"classify ([\w-]+)", line).group(1) for line in outputs}  # type: ignore[union-attr]
    assert shown == {command.name for command in app.registered_commands}


@pytest.mark.slow
def test_python_examples_run(outputs: dict[str, str], checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), {})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Port 8787 is already in use")
def test_the_dask_example_runs(outputs: dict[str, str], checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)
    assert CliRunner().invoke(app, ["segment", "seeds", "--out", "passages.parquet"]).exit_code == 0
    (block,) = blocks("python dask")
    exec(compile(block, "README.md", "exec"), {"__name__": "__main__"})
    assert len(read_parquet(checkout / "tagged-dask")) == len(read_parquet(checkout / "passages.parquet"))


def test_the_example_codebook_and_row_fit_together() -> None:
    codebook = parse_codebook(tomllib.loads(blocks("toml")[0]))
    (passage,) = labelled_passages([parse_jsonl(blocks("json")[0], "README.md")], codebook)
    assert passage.labels == {"theme": frozenset({"health"})}


def test_figures_are_those_of_a_fresh_evaluation(outputs: dict[str, str], checkout: Path) -> None:
    metrics = json.loads((checkout / "reports/defence-diplomacy/metrics.json").read_text(encoding="utf-8"))
    for system in ("model", *BASELINES):
        cells = [_cell(metrics["tasks"][task], system, measure) for task, measure in COLUMNS]
        assert f"| {NAMES[system]} | {' | '.join(cells)} |" in README


def test_the_report_s_numbers_are_recomputed_without_our_code(outputs: dict[str, str], checkout: Path) -> None:
    script = [sys.executable, ROOT / "tests/recompute.py", checkout / "reports/defence-diplomacy"]
    assert subprocess.run(script, check=False).returncode == 0


def _cell(task: dict[str, object], system: str, measure: str) -> str:
    found = (task if system == "model" else task["baselines"][system])[measure]  # type: ignore[index]
    return f"{found['value']:.2f} ({found['low']:.2f}–{found['high']:.2f})"


def test_modules_are_listed_in_reading_order() -> None:
    listed = re.findall(
        r"`(\w+)`", "".join(re.findall(r"(?m)^\| (`\w+`(?:, `\w+`)*) \|", README.split("## Modules")[1]))
    )
    there = {path.stem for path in (ROOT / "classify").iterdir() if not path.name.startswith(("_", "py.typed"))}
    assert set(listed) == there
    assert [RANK[name] for name in listed] == sorted(RANK[name] for name in listed)


def test_the_table_of_settings_is_that_of_the_code() -> None:
    rows = re.findall(r"(?m)^\| `(\w+)` \| `(.+?)` \| `(.+?)` \| .+ \|$", README)
    named = [item.name for item in fields(TaskSettings) if item.name != "search"]
    assert [name for name, _, _ in rows] == named
    for column, defaults in enumerate((THEME_DEFAULTS, FRAMING_DEFAULTS), start=1):
        shown = {row[0]: tomllib.loads(f"value = {row[column]}")["value"] for row in rows}
        for name in named:
            held = getattr(defaults, name)
            assert shown[name] == (False if held is None else list(held) if isinstance(held, tuple) else held), name

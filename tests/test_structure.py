"""The arrows of the structure: imports point downward, and what Predictor needs stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import classify

PACKAGE = Path(classify.__file__).parent

# Lowest first; a module may import from its own rank or from a lower one.
RANKS = (
    ("errors",),
    ("files", "notebook"),
    ("codebook", "passages", "measure"),
    ("scorer",),
    ("bundle",),
    ("predictor",),
    ("distributed",),
    ("data",),
    ("tagging",),
    ("learn",),
    ("evaluation",),
    ("estimate",),
    ("report",),
    ("cli", "__main__"),
)
RANK = {name: rank for rank, names in enumerate(RANKS) for name in names}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room_of(module: str) -> str:
    return module.removeprefix("classify.").split(".")[0]


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        else:
            continue
        assert "classify" not in names, "the package's door is for users; import from the module itself"
        found |= {room_of(name) for name in names if name.startswith("classify.")}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downward(path: Path) -> None:
    room = room_of(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))
    assert {other for other in imports_of(path) if RANK[other] > RANK[room]} == set()


def test_predictor_reaches_neither_data_nor_learning() -> None:
    floor = [
        path
        for path in MODULES
        if RANK[room_of(f"classify.{path.relative_to(PACKAGE).parts[0]}".removesuffix(".py"))] <= RANK["predictor"]
    ]
    assert {"data", "learn"} & {room for path in floor for room in imports_of(path)} == set()


def loaded_by(code: str) -> set[str]:
    listing = f"{code}\nimport sys\nprint(*sys.modules, sep='\\n')"
    run = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in run.stdout.split()}


def test_importing_classify_loads_nothing_heavy() -> None:
    assert not {"numpy", "sklearn", "scipy", "nltk", "matplotlib", "typer", "rich"} & loaded_by("import classify")


def test_predicting_needs_numpy_and_stemmer_alone(toy_bundle: classify.Bundle, tmp_path: Path) -> None:
    toy_bundle.save(tmp_path / "bundle")
    code = f"from classify import Predictor\nPredictor.load({str(tmp_path / 'bundle')!r}).predict('Two ships.')"
    loaded = loaded_by(code)
    assert {"numpy", "snowballstemmer"} <= loaded
    assert not {"sklearn", "scipy", "joblib", "nltk", "matplotlib", "typer", "rich", "narwhals", "jinja2"} & loaded


def test_no_engine_is_loaded_to_predict_on_many_machines() -> None:
    assert not {"dask", "distributed", "pyspark", "pandas", "sklearn"} & loaded_by("import classify.distributed")


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['classify', '--help']\nfrom classify.cli.main import app\napp(standalone_mode=False)"
    )
    loaded = loaded_by(code)
    assert not {"numpy", "sklearn", "scipy", "nltk", "matplotlib", "narwhals", "jinja2"} & loaded


def test_every_public_name_is_there_and_listed() -> None:
    assert sorted(classify.__all__) == classify.__all__ == dir(classify)
    assert all(getattr(classify, name) is not None for name in classify.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        classify.nonsense  # noqa: B018

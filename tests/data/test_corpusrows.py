"""A corpus read row by row gives what reading it whole gives, as often as it is asked."""

import io
import json
import sys
from pathlib import Path

import pytest

from classify.data.corpusrows import CorpusRows
from classify.data.inputs import read_inputs
from classify.errors import DataError
from tests.conftest import write_jsonl

TEXT = "The navy said two ships left the harbour on Monday.\n\nHackers broke into the network, officials said.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    write_jsonl(tmp_path / "b.jsonl", [{"id": "x", "text": "One."}, {"id": "y", "text": "Two.", "source": "Wire"}])
    (tmp_path / "c.csv").write_text("id,text\nz,Three.\n", encoding="utf-8")
    return tmp_path


def test_it_gives_what_reading_everything_gives_again_and_again(folder: Path) -> None:
    rows = CorpusRows([folder])
    assert 5 == len(list(rows))
    assert list(rows) == list(rows) == read_inputs([folder])


def test_standard_input_is_kept_to_be_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    content = json.dumps({"id": "x", "text": "One."}).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    rows = CorpusRows(["-"])
    assert list(rows) == list(rows) == [{"id": "x", "text": "One."}]


def test_a_file_without_a_passage_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("* * *\n", encoding="utf-8")
    told: list[Path] = []
    rows = CorpusRows([tmp_path], on_empty=told.append)
    assert [] == list(rows) == list(rows)
    assert [tmp_path / "a.txt"] == told


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '{"id": "x"}\n{"id": "y"}\n',
            "^[^:]+c.jsonl: text: no such column; found id; name the right one with --t",
        ),
        (
            '{"text": "x"}\n{"text": 3}\n{"id": 1}\n',
            "^[^:]+c.jsonl:2: text: found 3; .*\n[^:]+c.jsonl:3: text: found None",
        ),
        ("\n", "^[^:]+c.jsonl: no rows; expected at least one, with a text$"),
    ],
)
def test_rows_without_a_text_are_faults_told_together(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        list(CorpusRows([path]))

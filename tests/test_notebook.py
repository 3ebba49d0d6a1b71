"""How values show themselves: short in a console, as one escaped piece of HTML without a script in a notebook."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any, Protocol

import pytest

from classify.bundle import Bundle
from classify.codebook import Codebook, Label, Task, TaskKind
from classify.data.dataset import Dataset
from classify.notebook import bar, marked, table
from classify.passages import Prediction
from classify.predictor import Predictor

KINDS = ("Codebook", "Prediction", "Explanation")
HOSTILE = "<script>alert('&')</script>"
LABELS = {"sea", "cyber", "trade", "report", "praise", "none"}


class Shown(Protocol):
    def _repr_html_(self) -> str: ...


class Checker(HTMLParser):
    """Collects tags and attributes, and whether every tag is closed where it should be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def hostile(toy_bundle: Bundle, toy_dataset: Dataset) -> dict[str, Shown]:
    """One value of each kind with markup in every text a stranger can write."""
    label = Label(HOSTILE, definition=HOSTILE, terms=(HOSTILE,))
    passages = [replace(passage, id=HOSTILE, text=f"{passage.text} {HOSTILE}") for passage in toy_dataset.passages]
    prediction = Prediction({"theme": (HOSTILE,)}, {"theme": {HOSTILE: 0.9}}, (HOSTILE,), HOSTILE)
    values: dict[str, Any] = {
        "Codebook": Codebook("toy", (Task("theme", TaskKind.MULTILABEL, (label,), HOSTILE),), HOSTILE),
        "Prediction": prediction,
        "Explanation": Predictor(toy_bundle).explain(f"The navy said {HOSTILE}", task="theme", evidence=passages),
    }
    return values


def check_html(html: str) -> list[str]:
    """The texts of well-formed HTML that runs and asks for nothing, and sets no colour that would not read on black."""
    found = Checker(html)
    assert [] == found.open
    assert {"div", "p", "b", "table", "tr", "th", "td", "span"} >= found.tags
    assert {"style", "title"} >= found.attributes
    assert {"inherit"} >= set(re.findall(r"(?<![-\w])color:([^;\"]+)", html))
    assert {"rgba", "none"} >= set(re.findall(r"background:(\w+)", html))
    return found.texts


@pytest.mark.parametrize("kind", KINDS)
def test_html_is_well_formed_and_escaped_without_script_or_request_or_colour_of_text(
    kind: str, hostile: dict[str, Shown]
) -> None:
    assert "<script>" in "".join(check_html(hostile[kind]._repr_html_()))


def test_marks_for_and_against_differ_in_more_than_colour() -> None:
    assert "underline solid" in marked("navy", 0.5)
    assert "underline dashed" in marked("navy", -0.5)
    assert bar(0.5).replace("230,140,30", "") == bar(-0.5).replace("70,130,220", "")


def test_an_absent_cell_is_a_dash() -> None:
    assert ">–</td>" in table(["a"], [[None], [0]])


def test_a_prediction_shows_its_labels_their_probabilities_and_what_asks_for_review() -> None:
    shown = Prediction(
        {"theme": ("sea", "cyber"), "framing": "report"},
        {"theme": {"sea": 0.91, "cyber": 0.6, "trade": 0.2}, "framing": {"report": 0.7, "praise": 0.3}},
        ("near_threshold",),
        "0a",
    )
    assert "<Prediction theme: sea 0.91, cyber 0.60; framing: report 0.70; review: near_threshold>" == repr(shown)
    texts = Checker(shown._repr_html_()).texts
    assert ["sea", "cyber", "trade", "report", "praise"] == [text for text in texts if text in LABELS]
    assert "Read by hand: near threshold." == texts[-1]


def test_a_prediction_without_labels_says_none() -> None:
    shown = Prediction({"theme": ()}, {"theme": {"sea": 0.3, "cyber": 0.01}}, (), "0a")
    assert "<Prediction theme: none>" == repr(shown)
    texts = Checker(shown._repr_html_()).texts
    assert ["none", "sea"] == [text for text in texts if text in LABELS]


def test_a_codebook_shows_its_tasks_at_a_glance(toy_codebook: Codebook) -> None:
    assert "<Codebook toy 1: theme (multilabel, 3 labels), framing (multiclass, 2 labels)>" == repr(toy_codebook)
    assert "<Task framing (multiclass): report, praise>" == repr(toy_codebook["framing"])
    shown = "".join(Checker(toy_codebook._repr_html_()).texts)
    assert "theme (any number of labels) What is it about?" in shown
    assert "seaNavies and ships.nav*, ship*, coast guard" in shown


def test_a_codebook_shows_the_first_of_many_terms() -> None:
    label = Label("a", terms=tuple("bcdefgh"))
    assert "b, c, d, e, f … and 2 more" in Codebook("x", (Task("t", TaskKind.MULTILABEL, (label,)),))._repr_html_()


@pytest.mark.parametrize(
    ("task", "hint"), [("themes", "did you mean 'theme'?"), (0, "expected one of: theme, framing")], ids=str
)
def test_an_unknown_task_of_a_codebook_is_a_key_error_with_a_hint(toy_codebook: Codebook, task: Any, hint: str) -> None:
    with pytest.raises(KeyError, match=re.escape(f"no task {task!r} in codebook toy; {hint}")):
        toy_codebook[task]


def test_an_explanation_is_one_line_a_label_in_a_console_and_a_table_in_print(toy_bundle: Bundle) -> None:
    explained = Predictor(toy_bundle).explain("The coast guard said its ships and networks were attacked.")
    assert ["<theme: sea (given", "<theme: cyber (giv"] == [line[:18] for line in repr(explained).splitlines()]
    assert explained.table("sea") in str(explained)

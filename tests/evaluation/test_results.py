"""How an evaluation shows itself: one line in a console, every label with its verdict in a notebook."""

from dataclasses import replace

from classify.evaluation.results import Evaluation
from tests.test_notebook import HOSTILE, check_html


def test_a_console_shows_scheme_and_macro_f1(toy_evaluation: Evaluation) -> None:
    assert repr(toy_evaluation).startswith("<Evaluation toy, nested cross-validation over events, 5 outer folds: theme")


def test_a_notebook_shows_every_label_with_its_verdict(toy_evaluation: Evaluation) -> None:
    shown = "".join(check_html(replace(toy_evaluation, notes=(HOSTILE,))._repr_html_()))
    assert HOSTILE in shown
    for result in toy_evaluation.tasks.values():
        assert f"macro F1 {result.headline['macro_f1']}" in shown
        assert all(f"{label.verdict}{label.reason}" in shown for label in result.labels)

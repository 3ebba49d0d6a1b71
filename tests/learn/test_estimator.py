"""PassageClassifier keeps the contract of scikit-learn's estimators."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from classify.bundle import Bundle
from classify.codebook import Codebook, Label, Task, TaskKind
from classify.data.dataset import Dataset
from classify.learn.estimator import PassageClassifier
from classify.learn.features import MIN_UNLABELLED
from tests.conftest import toy_rows

ROWS = toy_rows()
TEXTS = [str(row["text"]) for row in ROWS]
EVENTS = [str(row["event"]) for row in ROWS]
FRAMINGS = [row["labels"]["framing"] for row in ROWS]
THEMES = np.array([[name in row["labels"]["theme"] for name in ("sea", "cyber", "trade")] for row in ROWS], dtype=int)
NEW = [
    "The navy said two ships left.",
    "A proud network of hackers.",
    "Exporters said tariffs on cotton will rise.",
    "",
    "海军",
]
PARAMETERS = {
    "task": Task("framing", TaskKind.MULTICLASS, (Label("report"), Label("praise"))),
    "unlabelled": (),
    "word_ngrams": (1, 3),
    "char_ngrams": (3, 4),
    "drop_stop_words": True,
    "stem": False,
    "sublinear_tf": False,
    "min_df": 1,
    "loss": "logistic",
    "C": 0.25,
    "balanced": True,
    "hit_weight": 2.0,
    "codebook_weight": 1.0,
    "style_weight": 0.5,
    "lsa_weight": 1.0,
    "rule_below": 5,
    "thresholds": "f1",
    "seed": 3,
}
OF_OTHERS = ("task", "unlabelled", "lsa_weight", "rule_below", "thresholds", "seed")
"""What changes nothing in a task of one label a passage without unlabelled texts; tested apart."""


def upper_case(texts: Any) -> list[str]:
    return [text.upper() for text in texts]


# ---- parameters


def test_parameters_are_given_back() -> None:
    assert PARAMETERS == PassageClassifier(**PARAMETERS).get_params()


def test_parameters_can_be_set() -> None:
    assert PARAMETERS == PassageClassifier().set_params(**PARAMETERS).get_params()


def test_an_unknown_parameter_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="Invalid parameter 'gamma'"):
        PassageClassifier().set_params(gamma=1)


def test_a_clone_has_the_parameters_and_nothing_that_was_learnt() -> None:
    model = PassageClassifier(**PARAMETERS).fit(TEXTS, FRAMINGS)
    copy = clone(model)
    assert model.get_params() == copy.get_params()
    assert not hasattr(copy, "scorer_")


@pytest.mark.parametrize("name", sorted(PARAMETERS.keys() - OF_OTHERS))
def test_every_parameter_changes_what_is_learnt(name: str, toy_codebook: Codebook) -> None:
    task = toy_codebook["framing"]
    texts, framings = TEXTS[:-3], FRAMINGS[:-3]  # so that one class is larger
    plain = PassageClassifier(task=task).fit(texts, framings)
    changed = PassageClassifier(task=task, **{name: PARAMETERS[name]}).fit(texts, framings)
    assert plain.decision_function(TEXTS).tolist() != changed.decision_function(TEXTS).tolist()


def test_the_threshold_rule_is_that_of_the_parameter() -> None:
    texts, Y = 3 * TEXTS, np.tile(THEMES, (3, 1))  # 18 or 21 passages have each theme
    plain, f1, sure = (PassageClassifier(thresholds=rule).fit(texts, Y) for rule in (None, "f1", "precision=0.99"))
    assert plain.decision_function(NEW).tolist() == sure.decision_function(NEW).tolist()
    assert plain.decision_.thresholds.tolist() == f1.decision_.thresholds.tolist()  # too few for any other rule
    assert [np.inf] * 3 == sure.decision_.thresholds.tolist()
    assert not sure.predict(texts).any()


def test_an_unknown_threshold_rule_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="found 'best'; expected prevalence, f1, or precision=P"):
        PassageClassifier(thresholds="best").fit(TEXTS, THEMES)


def test_a_parameter_out_of_range_is_a_value_error_and_leaves_nothing_fitted() -> None:
    model = PassageClassifier(C=-1.0)
    with pytest.raises(ValueError, match=r"^C: found -1.0; expected a positive number$"):
        model.fit(TEXTS, FRAMINGS)
    with pytest.raises(NotFittedError):
        model.predict(TEXTS)


def test_a_range_may_be_a_list() -> None:
    listed, paired = (PassageClassifier(word_ngrams=given).fit(TEXTS, FRAMINGS) for given in ([1, 3], (1, 3)))
    assert listed.decision_function(TEXTS).tolist() == paired.decision_function(TEXTS).tolist()


def test_unlabelled_texts_count_once_and_not_where_they_are_labelled() -> None:
    texts = [f"ships of the navy {n} number{n} harbour{n % 9}" for n in range(MIN_UNLABELLED + 1)]
    models = [PassageClassifier(unlabelled=given).fit(TEXTS, THEMES) for given in (texts, [*texts, texts[0], *TEXTS])]
    assert models[0].decision_function(NEW).tolist() == models[1].decision_function(NEW).tolist()


def test_too_few_unlabelled_texts_are_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"^unlabelled: found 2 unlabelled texts beside 24 that are labelled"):
        PassageClassifier(unlabelled=["a ship", "a cow", *TEXTS]).fit(TEXTS, THEMES)


def test_it_is_a_classifier() -> None:
    assert is_classifier(PassageClassifier())


# ---- learning and predicting


@pytest.mark.parametrize(
    "method",
    [
        "decision_function",
        pytest.param("predict_proba"),
        pytest.param("predict"),
    ],
)
def test_before_fit_every_method_says_so(method: str) -> None:
    with pytest.raises(NotFittedError):
        getattr(PassageClassifier(), method)(NEW)


def test_fit_returns_itself() -> None:
    model = PassageClassifier()
    assert model is model.fit(TEXTS, FRAMINGS)


def test_the_parameters_stay_as_given_after_fit() -> None:
    assert PassageClassifier().get_params() == PassageClassifier().fit(TEXTS, FRAMINGS).get_params()


def test_fitting_again_forgets_what_was_learnt() -> None:
    first = PassageClassifier().fit(TEXTS, THEMES)
    again = first.fit(TEXTS, FRAMINGS)
    fresh = PassageClassifier().fit(TEXTS, FRAMINGS)
    assert fresh.classes_.tolist() == again.classes_.tolist()
    assert fresh.decision_function(NEW).tolist() == again.decision_function(NEW).tolist()


def test_two_classes_give_one_score_a_passage_high_for_the_second_class() -> None:
    model = PassageClassifier().fit(TEXTS, FRAMINGS)
    scores = model.decision_function(TEXTS)
    assert ["praise", "report"] == model.classes_.tolist()
    assert (24,) == scores.shape
    assert scores[np.array(FRAMINGS) == "report"].min() > scores[np.array(FRAMINGS) == "praise"].max()


def test_three_classes_give_one_score_a_class() -> None:
    model = PassageClassifier().fit(TEXTS, ["sea", "cyber", "trade"] * 8)
    assert (5, 3) == model.decision_function(NEW).shape == model.predict_proba(NEW).shape


def test_probabilities_have_one_column_a_class_and_sum_to_one() -> None:
    p = PassageClassifier().fit(TEXTS, FRAMINGS).predict_proba(NEW)
    assert (5, 2) == p.shape
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=0, atol=1e-12)


def test_predictions_are_the_most_probable_classes() -> None:
    model = PassageClassifier().fit(TEXTS, FRAMINGS)
    assert model.classes_[model.predict_proba(NEW).argmax(axis=1)].tolist() == model.predict(NEW).tolist()
    assert FRAMINGS == model.predict(TEXTS).tolist()


def test_classes_may_be_integers() -> None:
    model = PassageClassifier().fit(TEXTS, [{"report": 7, "praise": -1}[name] for name in FRAMINGS])
    assert [-1, 7] == model.classes_.tolist()
    assert [7, -1, 7] == model.predict(TEXTS[:3]).tolist()


def test_classes_may_be_truth_values() -> None:
    model = PassageClassifier().fit(TEXTS, [name == "praise" for name in FRAMINGS])
    assert [False, True, False] == model.predict(TEXTS[:3]).tolist()


def test_an_indicator_gives_an_indicator() -> None:
    model = PassageClassifier().fit(TEXTS, THEMES)
    assert [0, 1, 2] == model.classes_.tolist()
    assert (5, 3) == model.decision_function(NEW).shape == model.predict_proba(NEW).shape
    assert [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]] == model.predict(NEW).tolist()


def test_a_column_without_a_positive_is_never_predicted() -> None:
    model = PassageClassifier().fit(TEXTS, np.c_[THEMES, np.zeros(24, dtype=int)])
    assert [0, 0, 0, 0, 0] == model.predict(NEW)[:, 3].tolist()


@pytest.mark.parametrize("make", [list, tuple, iter, np.array, pd.Series, lambda texts: np.array(texts, dtype=object)])
def test_texts_may_come_in_any_sequence(make: Any) -> None:
    expected = PassageClassifier().fit(TEXTS, FRAMINGS).decision_function(NEW).tolist()
    assert expected == PassageClassifier().fit(make(TEXTS), FRAMINGS).decision_function(make(NEW)).tolist()


@pytest.mark.parametrize(
    "make", [np.array, pd.DataFrame, lambda Y: Y.astype(bool), lambda Y: Y.astype(float), np.ndarray.tolist]
)
def test_an_indicator_may_come_in_any_form(make: Any) -> None:
    expected = PassageClassifier().fit(TEXTS, THEMES).decision_function(NEW).tolist()
    assert expected == PassageClassifier().fit(TEXTS, make(THEMES)).decision_function(NEW).tolist()


def test_an_indicator_may_have_one_column() -> None:
    assert (5, 1) == PassageClassifier().fit(TEXTS, THEMES[:, :1]).predict(NEW).shape


def test_groups_are_held_out_whole_when_thresholds_are_chosen() -> None:
    by_event = PassageClassifier().fit(TEXTS, THEMES, groups=EVENTS)
    alone = PassageClassifier().fit(TEXTS, THEMES)
    assert alone.decision_function(NEW).tolist() == by_event.decision_function(NEW).tolist()
    assert alone.decision_.thresholds.tolist() != by_event.decision_.thresholds.tolist()


def test_groups_may_have_any_names() -> None:
    by_name = PassageClassifier().fit(TEXTS, THEMES, groups=EVENTS)
    by_number = PassageClassifier().fit(TEXTS, THEMES, groups=[int(event[1:]) for event in EVENTS])
    assert by_name.decision_.thresholds.tolist() == by_number.decision_.thresholds.tolist()


def test_it_learns_what_train_learns(toy_bundle: Bundle, toy_dataset: Dataset) -> None:
    for task in toy_dataset.codebook.tasks:
        gold = toy_dataset.gold(task).gold
        Y = gold.astype(int) if task.is_multilabel else np.array(task.label_names)[gold.argmax(axis=1)]
        model = PassageClassifier(task=task).fit(toy_dataset.texts, Y, groups=toy_dataset.groups)
        expected = toy_bundle.tasks[task.name]
        order = [model.task_.label_names.index(name) for name in task.label_names]
        np.testing.assert_allclose(model.scorer_.score(NEW)[0][:, order], expected.scorer.score(NEW)[0], atol=1e-6)
        plain, ours = model.decision_.to_dict(model.task_.label_names), expected.decision.to_dict(task.label_names)
        assert ours["prior"] == plain["prior"]
        assert ours["thresholds"] == plain["thresholds"]


def test_a_fitted_estimator_can_be_pickled() -> None:
    model = PassageClassifier(**PARAMETERS).fit(TEXTS, FRAMINGS)
    copy = pickle.loads(pickle.dumps(model))
    assert model.predict_proba(NEW).tolist() == copy.predict_proba(NEW).tolist()
    assert model.get_params() == copy.get_params()


# ---- among scikit-learn's tools


def test_it_can_be_cross_validated_over_groups_with_labels_in_one_column() -> None:
    scores = cross_val_score(PassageClassifier(min_df=1), TEXTS, FRAMINGS, groups=EVENTS, cv=GroupKFold(4))
    assert [1.0, 1.0, 1.0, 1.0] == scores.tolist()


def test_it_can_be_cross_validated_over_groups_with_an_indicator() -> None:
    folds = GroupKFold(4)
    scores = cross_val_score(PassageClassifier(), TEXTS, THEMES, groups=EVENTS, cv=folds, scoring="f1_micro")
    assert (4,) == scores.shape
    assert scores.mean() > 0.5


@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro", "roc_auc", "neg_log_loss", "average_precision"])
def test_scikit_learns_scorers_take_it_for_a_perfect_classifier_of_what_it_has_learnt(scoring: str) -> None:
    Y = np.array([name == "report" for name in FRAMINGS])
    model = PassageClassifier().fit(TEXTS, Y)
    perfect = {"neg_log_loss": 0.0}.get(scoring, 1.0)
    assert pytest.approx(perfect, abs=0.2) == get_scorer(scoring)(model, TEXTS, Y)


def test_ranking_scorers_read_the_scores_of_a_task_the_right_way_round(toy_codebook: Codebook) -> None:
    model = PassageClassifier(task=toy_codebook["framing"]).fit(TEXTS, FRAMINGS)
    assert 1.0 == get_scorer("roc_auc")(model, TEXTS, FRAMINGS)


def test_held_out_probabilities_come_from_cross_val_predict() -> None:
    model = PassageClassifier(min_df=1)
    p = cross_val_predict(model, TEXTS, FRAMINGS, groups=EVENTS, cv=GroupKFold(4), method="predict_proba")
    assert FRAMINGS == np.array(["praise", "report"])[p.argmax(axis=1)].tolist()


def test_a_grid_search_tries_every_strength() -> None:
    search = GridSearchCV(PassageClassifier(), {"C": [1e-6, 1.0, 10.0]}, cv=GroupKFold(3), scoring="neg_log_loss")
    search.fit(TEXTS, FRAMINGS, groups=EVENTS)
    assert [1e-6, 1.0, 10.0] == search.cv_results_["param_C"].tolist()
    assert 3 == len(set(search.cv_results_["mean_test_score"]))
    assert search.best_estimator_.C == search.best_params_["C"]
    assert ["report"] == search.predict(["The navy said two ships left."]).tolist()


def test_it_works_as_the_last_step_of_a_pipeline() -> None:
    model = PassageClassifier().fit(upper_case(TEXTS), FRAMINGS)
    pipeline = Pipeline([("upper", FunctionTransformer(upper_case)), ("model", PassageClassifier())])
    pipeline.fit(TEXTS, FRAMINGS, model__groups=None).set_params(model__C=1.0)
    assert model.decision_function(upper_case(NEW)).tolist() == pipeline.decision_function(NEW).tolist()
    assert 1.0 == pipeline["model"].C


def test_a_pipeline_passes_groups_on() -> None:
    pipeline = Pipeline([("upper", FunctionTransformer(upper_case)), ("model", PassageClassifier())])
    pipeline.fit(TEXTS, THEMES, model__groups=EVENTS)
    expected = PassageClassifier().fit(upper_case(TEXTS), THEMES, groups=EVENTS)
    assert expected.predict_proba(upper_case(NEW)).tolist() == pipeline.predict_proba(NEW).tolist()


# ---- wrong calls


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((TEXTS, FRAMINGS[:-1]), "23 rows of labels for 24 texts"),
        ((TEXTS, THEMES[:-1]), "23 rows of labels for 24 texts"),
        ((TEXTS, FRAMINGS, EVENTS[:-1]), "23 groups for 24 texts"),
        ((TEXTS, ["report"] * 24), r"only one class in Y: \['report'\]"),
        ((TEXTS, THEMES + 1 + np.eye(24, 3, dtype=int)), "a 2-D Y must be an indicator of 0 and 1"),
        ((TEXTS, np.array(FRAMINGS)[:, None]), "a 2-D Y must be an indicator of 0 and 1"),
        (([], []), "expected a list of texts, at least one"),
        (([None] * 24, FRAMINGS), "text 0 is NoneType; expected str"),
        ((list(range(24)), FRAMINGS), "text 0 is int; expected str"),
    ],
    ids=["labels", "indicator", "groups", "one class", "three values", "text column", "nothing", "None", "numbers"],
)
def test_what_cannot_be_learnt_from_is_a_value_error(given: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PassageClassifier().fit(*given)


@pytest.mark.parametrize("Y", [2 * THEMES - 1, 2 * THEMES, THEMES + 1], ids=["-1 and 1", "0 and 2", "1 and 2"])
def test_an_indicator_of_other_numbers_than_0_and_1_is_refused(Y: Any) -> None:
    with pytest.raises(ValueError, match="0 and 1"):
        PassageClassifier().fit(TEXTS, Y)


@pytest.mark.parametrize(
    ("task", "Y", "message"),
    [
        ("framing", ["report", "scorn"] * 12, r"labels that task framing doesn't have: \['scorn'\]"),
        ("framing", THEMES, "task framing is multiclass, but Y is multilabel"),
        ("theme", FRAMINGS, "task theme is multilabel, but Y is multiclass"),
        ("theme", THEMES[:, :2], "Y has 2 columns, but task theme has 3 labels"),
    ],
)
def test_labels_that_are_not_the_tasks_are_a_value_error(
    task: str, Y: Any, message: str, toy_codebook: Codebook
) -> None:
    with pytest.raises(ValueError, match=message):
        PassageClassifier(task=toy_codebook[task]).fit(TEXTS, Y)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_predicting_what_is_no_text_is_a_value_error(method: str) -> None:
    model = PassageClassifier().fit(TEXTS, FRAMINGS)
    with pytest.raises(ValueError, match="text 0 is int; expected str"):
        getattr(model, method)([1, 2])


def test_classes_follow_the_codebook_where_a_task_is_given(toy_codebook: Codebook) -> None:
    model = PassageClassifier(task=toy_codebook["theme"]).fit(TEXTS, THEMES)
    assert ["sea", "cyber", "trade"] == model.classes_.tolist()
    assert toy_codebook["theme"] == model.task_


def test_terms_of_the_task_count(toy_codebook: Codebook) -> None:
    with_terms = PassageClassifier(task=toy_codebook["theme"]).fit(TEXTS, THEMES)
    without = PassageClassifier().fit(TEXTS, THEMES)
    unseen = ["shipwrecked"]
    assert with_terms.decision_function(unseen)[0, 0] > without.decision_function(unseen)[0, 0]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (pd.DataFrame({"text": ["a", "b"]}), "found a table; expected its texts alone"),
        (["a", float("nan")], "text 1 is float; expected str"),
        ([], "at least one"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(texts: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PassageClassifier().fit(texts, ["x", "y"][: len(texts)])


def test_the_name_of_a_task_is_no_task() -> None:
    with pytest.raises(ValueError, match=r"task: found 'framing'; expected a Task"):
        PassageClassifier(task="framing").fit(["a", "b"], ["x", "y"])  # type: ignore[arg-type]

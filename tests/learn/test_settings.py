"""Settings from TOML: every key can be set, and every mistake is named, all of them at once."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classify.codebook import Label, Task, TaskKind
from classify.errors import DataError
from classify.learn.settings import (
    FRAMING_DEFAULTS,
    PLAIN,
    THEME_DEFAULTS,
    ReviewSettings,
    TaskSettings,
    TrainingSettings,
    load_settings,
)
from classify.scorer.tokens import STOP_WORDS

TASK_KEYS = {
    "word_ngrams": ("[1, 3]", (1, 3)),
    "char_ngrams": ("[2, 4]", (2, 4)),
    "drop_stop_words": ("false", False),
    "stem": ("false", False),
    "sublinear_tf": ("false", False),
    "min_df": ("2", 2),
    "loss": ('"logistic"', "logistic"),
    "C": ("0.25", 0.25),
    "balanced": ("true", True),
    "hit_weight": ("0", 0),
    "codebook_weight": ("0.5", 0.5),
    "style_weight": ("0.1", 0.1),
    "lsa_weight": ("0.5", 0.5),
    "rule_below": ("5", 5),
    "thresholds": ('"precision=0.8"', "precision=0.8"),
    "search": ("{ C = [1, 3.5] }", {"C": (1, 3.5)}),
}
REVIEW_KEYS = {"min_words": ("3", 3), "max_unknown": ("0.75", 0.75), "margin": ("0.05", 0.05)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def load(path: Path, text: str) -> TrainingSettings:
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def faults_of(path: Path, text: str) -> list[str]:
    with pytest.raises(DataError) as caught:
        load(path, text)
    return [str(fault).removeprefix(f"{path}: ") for fault in caught.value.faults]


# ---- what can be set


def test_an_empty_file_keeps_every_default(path: Path) -> None:
    assert TrainingSettings() == load(path, "")


def test_every_key_of_a_task_and_of_review_is_tested_here() -> None:
    assert [item.name for item in fields(TaskSettings)] == list(TASK_KEYS)
    assert [item.name for item in fields(ReviewSettings)] == list(REVIEW_KEYS)


@pytest.mark.parametrize(
    ("table", "defaults", "key"),
    [
        *(("multilabel", THEME_DEFAULTS, key) for key in TASK_KEYS),
        *(("multiclass", FRAMING_DEFAULTS, key) for key in TASK_KEYS if key != "thresholds"),
    ],
)
def test_every_key_of_a_kind_of_task_can_be_set_alone(table: str, defaults: TaskSettings, key: str, path: Path) -> None:
    written, value = TASK_KEYS[key]
    expected = replace(TrainingSettings(), **{table: replace(defaults, **{key: value})})
    assert expected == load(path, f"[{table}]\n{key} = {written}\n")


@pytest.mark.parametrize("key", REVIEW_KEYS)
def test_every_key_of_review_can_be_set_alone(key: str, path: Path) -> None:
    written, value = REVIEW_KEYS[key]
    assert TrainingSettings(review=replace(ReviewSettings(), **{key: value})) == load(
        path, f"[review]\n{key} = {written}"
    )


def test_the_seed_can_be_set(path: Path) -> None:
    assert TrainingSettings(seed=7) == load(path, "seed = 7")


def test_a_byte_order_mark_is_passed_over(path: Path) -> None:
    assert TrainingSettings(seed=7) == load(path, "\ufeffseed = 7")


def to_toml(settings: TrainingSettings) -> str:
    """Settings as a user would write them: every key that has a value."""
    plain = {name: table for name, table in settings.to_dict().items() if isinstance(table, dict)}
    lines = [f"seed = {settings.seed}"]
    for name, table in plain.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {_written(value)}" for key, value in table.items() if value is not None]
    return "\n".join(lines)


def _written(value: Any) -> str:
    """TOML writes plain values and lists as JSON does, but inline tables with `=`, and None as false."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_written(found)}" for key, found in value.items()) + "}"
    return json.dumps(value).replace("null", "false")


@pytest.mark.parametrize(
    "settings",
    [
        TrainingSettings(),
        TrainingSettings(multiclass=PLAIN.__class__(**{**asdict(PLAIN), "char_ngrams": (3, 3)}), seed=9),
        TrainingSettings(replace(THEME_DEFAULTS, C=0.25), FRAMING_DEFAULTS, ReviewSettings(1, 0.1, 0.2), 1),
        TrainingSettings(
            replace(THEME_DEFAULTS, thresholds="precision=0.75", search={"C": (1.0, 3.0), "stem": (False, True)}),
            replace(FRAMING_DEFAULTS, search={"char_ngrams": (None, (2, 4)), "word_ngrams": ((1, 1), (1, 2))}),
        ),
    ],
    ids=["defaults", "plain", "changed", "searching"],
)
def test_settings_survive_as_toml(settings: TrainingSettings, path: Path) -> None:
    assert settings == load(path, to_toml(settings))


# ---- candidates


def test_candidates_are_every_combination_with_the_last_key_varying_fastest(path: Path) -> None:
    text = """
    [multilabel]
    hit_weight = 2.0
    [multilabel.search]
    word_ngrams = [[1, 1], [1, 2]]
    C = [0.5, 5, 50.0]
    """
    settings = load(path, text).multilabel
    assert {"word_ngrams": ((1, 1), (1, 2)), "C": (0.5, 5, 50.0)} == settings.search
    plain = replace(THEME_DEFAULTS, hit_weight=2.0)
    expected = [replace(plain, word_ngrams=n, C=C) for n, C in product([(1, 1), (1, 2)], [0.5, 5, 50.0])]
    assert expected == list(settings.candidates)


def test_without_a_search_the_settings_are_the_only_candidate() -> None:
    assert (FRAMING_DEFAULTS,) == FRAMING_DEFAULTS.candidates


def test_candidates_search_no_further() -> None:
    settings = replace(THEME_DEFAULTS, search={"C": (1.0, 10.0)})
    assert [{}, {}] == [candidate.search for candidate in settings.candidates]
    assert (1.0, 10.0) == tuple(candidate.C for candidate in settings.candidates)


def test_settings_that_differ_in_their_search_alone_are_different_and_still_hashable() -> None:
    first, second = (replace(THEME_DEFAULTS, search={"C": values}) for values in ((1.0,), (2.0,)))
    assert first != second
    assert 2 == len({first, second})


@pytest.mark.parametrize(
    ("written", "search"),
    [
        ("word_ngrams = [[1, 1], [1, 3]]", {"word_ngrams": ((1, 1), (1, 3))}),
        ("char_ngrams = [false, [2, 4]]", {"char_ngrams": (None, (2, 4))}),
        ("drop_stop_words = [true, false]", {"drop_stop_words": (True, False)}),
        ("stem = [true, false]", {"stem": (True, False)}),
        ("sublinear_tf = [false]", {"sublinear_tf": (False,)}),
        ("min_df = [1, 2, 5]", {"min_df": (1, 2, 5)}),
        ("C = [0.1, 1, 10.0]", {"C": (0.1, 1, 10.0)}),
        ("balanced = [true, false]", {"balanced": (True, False)}),
        ("hit_weight = [0, 0.5]", {"hit_weight": (0, 0.5)}),
        ("loss = ['logistic', 'squared_hinge']", {"loss": ("logistic", "squared_hinge")}),
        ("codebook_weight = [0, 1.0]", {"codebook_weight": (0, 1.0)}),
        ("style_weight = [0.05]", {"style_weight": (0.05,)}),
        ("lsa_weight = [0.5, 2]", {"lsa_weight": (0.5, 2)}),
        ("", {}),
    ],
)
@pytest.mark.parametrize("table", ["multilabel", "multiclass"])
def test_every_key_of_the_weights_can_be_searched(table: str, written: str, search: Any, path: Path) -> None:
    settings = load(path, f"[{table}.search]\n{written}")
    assert search == getattr(settings, table).search


@pytest.mark.parametrize("rule", ["prevalence", "f1", "precision=0.9", "precision=.5"])
def test_every_threshold_rule_can_be_set(rule: str, path: Path) -> None:
    assert rule == load(path, f"[multilabel]\nthresholds = {rule!r}").multilabel.thresholds


def test_a_task_of_one_label_a_passage_takes_no_threshold_rule(path: Path) -> None:
    with pytest.raises(DataError, match=r"multiclass\.thresholds: a task of one label a passage has no thresholds"):
        load(path, "[multiclass]\nthresholds = 'f1'")


def test_the_character_block_can_be_left_out(path: Path) -> None:
    assert load(path, "[multiclass]\nchar_ngrams = false").multiclass.char_ngrams is None


# ---- mistakes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sed = 1", "sed: unknown key; did you mean 'seed'?"),
        ("[multilable]", "multilable: unknown key; did you mean 'multilabel'?"),
        ("[multilabel]\nword_ngram = [1, 2]", "multilabel.word_ngram: unknown key; did you mean 'word_ngrams'?"),
        pytest.param("[multiclass]\nc = 1.0", "multiclass.c: unknown key; did you mean 'C'?"),
        ("[review]\nmin_word = 3", "review.min_word: unknown key; did you mean 'min_words'?"),
        ("[review]\nxyz = 3", "review.xyz: unknown key; expected one of: min_words, max_unknown, margin"),
    ],
)
def test_an_unknown_key_is_refused_and_the_nearest_suggested(text: str, expected: str, path: Path) -> None:
    assert [expected] == faults_of(path, text)


WORDS = "two whole numbers from 1, the lower first, such as [1, 2]"
CHARACTERS = "two whole numbers from 2, the lower first, such as [2, 5]"


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        *[
            ("word_ngrams", value, WORDS)
            for value in ("1", '"1-2"', "[1]", "[1, 2, 3]", "[2, 1]", "[0, 1]", "[1, 2.0]")
        ],
        *[
            ("char_ngrams", value, CHARACTERS)
            for value in ("3", "[1, 3]", "[5, 2]", "[true, true]", '["a", "b"]', "true", "{}")
        ],
        *[("drop_stop_words", value, "true or false") for value in ("1", '"yes"', "[]")],
        *[("stem", value, "true or false") for value in ("0", '"english"')],
        *[("sublinear_tf", value, "true or false") for value in ("1.0",)],
        *[("balanced", value, "true or false") for value in ('"balanced"',)],
        *[("min_df", value, "a whole number, 0 or more") for value in ("-1", "0.5", "true", '"2"')],
        *[("C", value, "a positive number") for value in ("0", "-1", "0.0", "true", '"1"', "[1.0]", "nan")],
        *[
            (key, value, "a number, 0 or more")
            for key in ("hit_weight", "codebook_weight", "style_weight", "lsa_weight")
            for value in ("-0.5", "false", '"1"', "nan")
        ],
        *[("rule_below", value, "a whole number, 0 or more") for value in ("-1", "2.5", "true")],
        *[("loss", value, "squared_hinge or logistic") for value in ('"hinge"', '""', "1", "true", '["logistic"]')],
    ],
)
@pytest.mark.parametrize("table", ["multilabel", "multiclass"])
def test_a_wrong_value_of_a_task_is_refused(table: str, key: str, value: str, expected: str, path: Path) -> None:
    (fault,) = faults_of(path, f"[{table}]\n{key} = {value}")
    assert fault.startswith(f"{table}.{key}: found ")
    assert fault.endswith(f"; expected {expected}")


@pytest.mark.parametrize("value", ['"best"', '"F1"', '"precision"', '"precision=1"', '"precision=80%"', "0.8", "true"])
@pytest.mark.parametrize("table", ["multilabel", "multiclass"])
def test_a_wrong_threshold_rule_is_refused(table: str, value: str, path: Path) -> None:
    (fault,) = faults_of(path, f"[{table}]\nthresholds = {value}")
    assert fault.startswith(f"{table}.thresholds: found ")
    assert fault.endswith("; expected prevalence, f1, or precision=P with P between 0 and 1")


NUMBER = "a positive number"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("search = 1", ["search: found 1; expected a table of lists, such as C = [1.0, 10.0]"]),
        ("search = ['C']", ["search: found ['C']; expected a table of lists, such as C = [1.0, 10.0]"]),
        ("search.C = 1.0", ["search.C: found 1.0; expected a list of candidates"]),
        ("search.C = []", ["search.C: found []; expected a list of candidates"]),
        ("search.stem = 'both'", ["search.stem: found 'both'; expected a list of candidates"]),
        (
            "search.C = [1.0, 0, 'x']",
            [f"search.C: found 0; expected {NUMBER}", f"search.C: found 'x'; expected {NUMBER}"],
        ),
        ("search.hit_weight = [-1.0]", ["search.hit_weight: found -1.0; expected a number, 0 or more"]),
        ("search.min_df = [1, 0.5]", ["search.min_df: found 0.5; expected a whole number, 0 or more"]),
        ("search.balanced = [true, 'no']", ["search.balanced: found 'no'; expected true or false"]),
        (
            "search.word_ngrams = [1, 2]",  # a range where a list of ranges is asked for
            [f"search.word_ngrams: found {n}; expected {WORDS}" for n in (1, 2)],
        ),
        ("search.char_ngrams = [[1, 3]]", [f"search.char_ngrams: found [1, 3]; expected {CHARACTERS}"]),
        ("search.char_ngrams = [true]", [f"search.char_ngrams: found True; expected {CHARACTERS}"]),
        ("search.c = [1.0]", ["search.c: can't be searched; did you mean 'C'?"]),
        ("search.word_ngram = [[1, 2]]", ["search.word_ngram: can't be searched; did you mean 'word_ngrams'?"]),
    ],
)
@pytest.mark.parametrize("table", ["multilabel", "multiclass"])
def test_a_wrong_search_is_refused(table: str, written: str, expected: list[str], path: Path) -> None:
    assert [f"{table}.{fault}" for fault in expected] == faults_of(path, f"[{table}]\n{written}")


@pytest.mark.parametrize("key", ["thresholds", "rule_below", "search", "seed"])
def test_what_cannot_be_searched_is_refused(key: str, path: Path) -> None:
    (fault,) = faults_of(path, f"[multilabel.search]\n{key} = ['f1', 'prevalence']")
    assert fault.startswith(f"multilabel.search.{key}: can't be searched; ")


@pytest.mark.parametrize(("text", "where"), [("[search]", "search"), ("[review.search]", "review.search")])
def test_a_search_belongs_to_a_kind_of_task(text: str, where: str, path: Path) -> None:
    (fault,) = faults_of(path, f"{text}\nC = [1.0]")
    assert fault.startswith(f"{where}: unknown key; ")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("min_words", "-1", "a whole number, 0 or more"),
        ("min_words", "2.5", "a whole number, 0 or more"),
        ("max_unknown", "-0.1", "a number, 0 or more"),
        ("max_unknown", '"half"', "a number, 0 or more"),
        ("margin", "true", "a number, 0 or more"),
        ("margin", "nan", "a number, 0 or more"),
    ],
)
def test_a_wrong_value_of_review_is_refused(key: str, value: str, expected: str, path: Path) -> None:
    (fault,) = faults_of(path, f"[review]\n{key} = {value}")
    assert fault.endswith(f"; expected {expected}")


@pytest.mark.parametrize("value", ["1.5", "-1", "true", '"1"'])
def test_a_wrong_seed_is_refused(value: str, path: Path) -> None:
    (fault,) = faults_of(path, f"seed = {value}")
    assert fault.endswith("; expected a whole number, 0 or more")


@pytest.mark.parametrize("table", ["multilabel", "multiclass", "review"])
@pytest.mark.parametrize("value", ["1", "true", '"strict"', "[]"])
def test_a_value_in_place_of_a_table_is_refused(table: str, value: str, path: Path) -> None:
    (fault,) = faults_of(path, f"{table} = {value}")
    assert fault.startswith(f"{table}: found ")
    assert fault.endswith("; expected a table")


@pytest.mark.parametrize("key", ["multilabel.C", "multilabel.hit_weight", "review.margin", "review.max_unknown"])
def test_infinity_is_refused(key: str, path: Path) -> None:
    assert 1 == len(faults_of(path, f"{key} = inf"))


def test_all_faults_come_together_in_the_order_of_the_file(path: Path) -> None:
    text = 'seed = "a"\nsed = 1\n[multilabel]\nC = 0\nstem = 1\n[multiclass]\nchar_ngrams = 5\n[review]\nmargin = ""\n'
    found = [fault.split(":")[0] for fault in faults_of(path, text)]
    assert ["seed", "sed", "multilabel.C", "multilabel.stem", "multiclass.char_ngrams", "review.margin"] == found


@pytest.mark.parametrize("content", [b"seed = ", b"[multilabel", b"seed = 1\nseed = 2", b"\xff\xfe"])
def test_broken_toml_is_a_data_error(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    with pytest.raises(DataError, match="broken TOML"):
        load_settings(path)


def test_a_missing_file_is_a_data_error(path: Path) -> None:
    with pytest.raises(DataError, match="no such file; expected settings"):
        load_settings(path)


@pytest.mark.parametrize("name", ["", "file/settings.toml"])
def test_a_file_that_cannot_be_read_is_a_data_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError):
        load_settings(tmp_path / name)


# ---- what the settings mean


def task_of(kind: TaskKind, *terms: str) -> Task:
    return Task("a-task", kind, (Label("one", terms=terms), Label("two")))


def test_settings_apply_by_kind_of_task() -> None:
    settings = TrainingSettings()
    assert settings.multilabel is settings.of(task_of(TaskKind.MULTILABEL))
    assert settings.multiclass is settings.of(task_of(TaskKind.MULTICLASS))


def test_words_of_the_terms_are_no_stop_words() -> None:
    (block,) = THEME_DEFAULTS.blocks(task_of(TaskKind.MULTILABEL, "on the move", "with*"))
    assert STOP_WORDS - {"on", "the", "with"} == block.stop_words


def test_without_dropping_there_are_no_stop_words() -> None:
    assert [frozenset(), frozenset()] == [
        block.stop_words for block in FRAMING_DEFAULTS.blocks(task_of(TaskKind.MULTICLASS))
    ]


def test_character_ngrams_are_a_second_block_without_stems() -> None:
    words, characters = FRAMING_DEFAULTS.blocks(task_of(TaskKind.MULTICLASS))
    assert ("word", (1, 2), True) == (words.analyzer, words.ngram_range, words.stem)
    assert ("char_wb", (2, 5), False) == (characters.analyzer, characters.ngram_range, characters.stem)


# ---- settings made in Python


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("C", -1.0, "C: found -1.0; expected a positive number"),
        ("C", 0, "C: found 0; expected a positive number"),
        ("min_df", -3, "min_df: found -3; expected a whole number, 0 or more"),
        ("min_df", True, "min_df: found True; expected a whole number, 0 or more"),
        ("hit_weight", float("nan"), "hit_weight: found nan; expected a number, 0 or more"),
        ("lsa_weight", float("inf"), "lsa_weight: found inf; expected a number, 0 or more"),
        ("word_ngrams", (2, 1), f"word_ngrams: found (2, 1); expected {WORDS}"),
        ("char_ngrams", (1, 3), f"char_ngrams: found (1, 3); expected {CHARACTERS}"),
        ("stem", 1, "stem: found 1; expected true or false"),
        ("search", {"C": ()}, "search.C: found (); expected a list of candidates"),
        ("search", {"C": (1.0, -1.0)}, "search.C: found -1.0; expected a positive number"),
        ("search", {"c": (1.0,)}, "search.c: can't be searched; did you mean 'C'?"),
        (
            "search",
            [("C", (1.0,))],
            "search: found [('C', (1.0,))]; expected a table of lists, such as C = [1.0, 10.0]",
        ),
    ],
)
def test_settings_check_themselves(name: str, value: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=r"expected|did you mean") as caught:
        TaskSettings(**{name: value})
    assert str(caught.value) == expected


def test_all_faults_of_settings_are_named_together() -> None:
    with pytest.raises(ValueError, match=r"^min_df: found -1; .*; C: found 0; expected a positive number$"):
        TaskSettings(C=0, min_df=-1)


@pytest.mark.parametrize("search", ["thresholds", "rule_below", "search", "seed"])
def test_what_cannot_be_searched_is_refused_in_python_too(search: str) -> None:
    with pytest.raises(ValueError, match=rf"^search\.{search}: can't be searched; "):
        TaskSettings(search={search: ("f1",)})


def test_lists_are_kept_as_tuples_so_that_settings_can_be_compared_and_counted_with() -> None:
    given: Any = {"word_ngrams": [1, 2], "char_ngrams": False, "search": {"char_ngrams": [[2, 3], False], "C": [1.0]}}
    found = TaskSettings(**given)
    assert found == TaskSettings(word_ngrams=(1, 2), search={"char_ngrams": ((2, 3), None), "C": (1.0,)})
    assert len({*found.candidates, found.fixed}) == 2  # one of them is what the settings say themselves


def test_numbers_of_numpy_are_numbers() -> None:
    assert TaskSettings(C=np.float64(2), min_df=np.int64(1)) == TaskSettings(C=2.0)


@pytest.mark.parametrize("settings", [lambda: ReviewSettings(margin=-0.1), lambda: TrainingSettings(seed=-1)])
def test_review_and_seed_check_themselves_too(settings: Any) -> None:
    with pytest.raises(ValueError, match=r"^(margin|seed): found -"):
        settings()

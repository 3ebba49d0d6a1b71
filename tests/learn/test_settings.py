"""Settings from TOML: every key can be set, and every mistake is named, all of them at once."""

from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

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
    "C": ("0.5", 0.5),
    "balanced": ("false", False),
    "hit_weight": ("0", 0),
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


@pytest.mark.parametrize(("table", "defaults"), [("multilabel", THEME_DEFAULTS), ("multiclass", FRAMING_DEFAULTS)])
@pytest.mark.parametrize("key", TASK_KEYS)
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
    return str(list(value) if isinstance(value, tuple) else value).lower()


@pytest.mark.parametrize(
    "settings",
    [
        TrainingSettings(),
        TrainingSettings(multiclass=PLAIN.__class__(**{**asdict(PLAIN), "char_ngrams": (3, 3)}), seed=9),
        TrainingSettings(replace(THEME_DEFAULTS, C=0.25), FRAMING_DEFAULTS, ReviewSettings(1, 0.1, 0.2), 1),
    ],
    ids=["defaults", "plain", "changed"],
)
def test_settings_survive_as_toml(settings: TrainingSettings, path: Path) -> None:
    assert settings == load(path, to_toml(settings))


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
        *[("hit_weight", value, "a positive number") for value in ("-0.5", "false", '"1"', "nan")],
    ],
)
@pytest.mark.parametrize("table", ["multilabel", "multiclass"])
def test_a_wrong_value_of_a_task_is_refused(table: str, key: str, value: str, expected: str, path: Path) -> None:
    (fault,) = faults_of(path, f"[{table}]\n{key} = {value}")
    assert fault.startswith(f"{table}.{key}: found ")
    assert fault.endswith(f"; expected {expected}")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("min_words", "-1", "a whole number, 0 or more"),
        ("min_words", "2.5", "a whole number, 0 or more"),
        ("max_unknown", "-0.1", "a positive number"),
        ("max_unknown", '"half"', "a positive number"),
        ("margin", "true", "a positive number"),
        ("margin", "nan", "a positive number"),
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
    assert ("word", (1, 1), True) == (words.analyzer, words.ngram_range, words.stem)
    assert ("char_wb", (2, 5), False) == (characters.analyzer, characters.ngram_range, characters.stem)

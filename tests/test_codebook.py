"""The codebook: this project's own, the barest one, every fault, and what its hash depends on."""

import json
from pathlib import Path

import pytest

from classify.codebook import Codebook, Label, TaskKind, load_codebook, parse_codebook
from classify.errors import DataError
from classify.scorer.terms import TermMatcher

OWN = Path(__file__).parent.parent / "labels" / "codebook.toml"

THEMES = (
    "counterterrorism",
    "cyber_security",
    "maritime_cooperation",
    "great_power_competition",
    "joint_training",
    "intelligence_sharing",
    "humanitarian_response",
    "defence_industry",
    "defence_diplomacy",
    "regional_stability",
    "economic_connectivity",
    "domestic_politics",
)
FRAMINGS = ("reportage", "promotional", "analytical", "critical")

WHOLE = """\
name = "whole"
version = "2"

[tasks.theme]
kind = "multilabel"
at_least_one = true
question = "What is it about?"

[tasks.theme.labels.sea]
definition = "Navies and ships."
exclude = "Trade by ship."
terms = ["nav*", "coast guard"]
not_terms = ["navel orange*"]
example = "The navy sailed."
near_miss = "The cargo ship docked."

[tasks.theme.labels.cyber]
"""


@pytest.fixture(scope="module")
def own() -> Codebook:
    return load_codebook(OWN)


def read(tmp_path: Path, text: str) -> Codebook:
    path = tmp_path / "codebook.toml"
    path.write_text(text, encoding="utf-8")
    return load_codebook(path)


def faults(tmp_path: Path, text: str) -> list[str]:
    """Each fault as `field: message`."""
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    assert {str(tmp_path / "codebook.toml")} == {fault.path for fault in caught.value.faults}
    return [f"{fault.field}: {fault.message}" for fault in caught.value.faults]


def task(body: str = "", *, kind: str = "multilabel", labels: str = '["a", "b"]') -> str:
    """A codebook without faults but for what the arguments bring in."""
    return f'name = "x"\n[tasks.t]\nkind = "{kind}"\nlabels = {labels}\n{body}'


def labelled(body: str, *, name: str = "a") -> str:
    """A codebook whose first label has `body` in its table."""
    return f'name = "x"\n[tasks.t]\nkind = "multilabel"\n[tasks.t.labels."{name}"]\n{body}\n[tasks.t.labels.b]\n'


# The project's own codebook.


def test_own_codebook_has_the_agreed_labels_in_the_agreed_order(own: Codebook) -> None:
    assert ("theme", "framing") == own.task_names
    assert own["theme"].label_names == THEMES
    assert own["framing"].label_names == FRAMINGS


def test_own_codebook_has_any_number_of_themes_and_one_framing(own: Codebook) -> None:
    assert own["theme"].kind is TaskKind.MULTILABEL
    assert own["framing"].kind is TaskKind.MULTICLASS
    assert not own["theme"].at_least_one


@pytest.mark.parametrize("part", ["definition", "exclude", "terms", "not_terms", "example", "near_miss"])
def test_every_own_label_is_described_in_full(own: Codebook, part: str) -> None:
    labels = [label for task in own.tasks for label in task.labels]
    assert [label.name for label in labels if not getattr(label, part)] == []


def test_own_examples_are_hit_by_the_terms_of_their_own_label(own: Codebook) -> None:
    missed = [
        label.name
        for task in own.tasks
        for hits, label in zip(
            [TermMatcher(task).count(label.example) for label in task.labels], task.labels, strict=True
        )
        if hits[task.label_names.index(label.name)] == 0
    ]
    assert missed == []


def test_own_terms_stand_once_in_their_label(own: Codebook) -> None:
    labels = [label for task in own.tasks for label in task.labels]
    twice = {
        label.name: [term for term in label.terms if label.terms.count(term) > 1]
        for label in labels
        if len(set(label.terms)) < len(label.terms)
    }
    assert twice == {}


# What is valid.


def test_every_key_of_a_label_is_read(tmp_path: Path) -> None:
    theme = read(tmp_path, WHOLE)["theme"]
    sea = Label(
        name="sea",
        definition="Navies and ships.",
        exclude="Trade by ship.",
        terms=("nav*", "coast guard"),
        not_terms=("navel orange*",),
        example="The navy sailed.",
        near_miss="The cargo ship docked.",
    )
    assert theme.labels == (sea, Label("cyber"))
    assert theme.at_least_one
    assert theme.question == "What is it about?"
    assert theme.has_terms


def test_bare_labels_are_a_table_or_a_list(tmp_path: Path) -> None:
    as_list = read(tmp_path, task(labels='["b", "a"]'))
    as_table = read(tmp_path, 'name = "x"\n[tasks.t]\nkind = "multilabel"\n[tasks.t.labels.b]\n[tasks.t.labels.a]\n')
    assert as_list == as_table
    assert as_list["t"].labels == (Label("b"), Label("a"))
    assert not as_list["t"].has_terms


def test_a_multilabel_task_may_have_one_label(tmp_path: Path) -> None:
    assert read(tmp_path, task(labels='["only"]'))["t"].label_names == ("only",)


def test_a_multiclass_task_may_have_two_labels(tmp_path: Path) -> None:
    assert not read(tmp_path, task(kind="multiclass"))["t"].is_multilabel


def test_labels_may_hold_spaces_capitals_and_any_script(tmp_path: Path) -> None:
    assert read(tmp_path, task(labels='["Sea power", "海", "none at all"]'))["t"].label_names == (
        "Sea power",
        "海",
        "none at all",
    )


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeff" + task()).name == "x"


# What is not.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            task(kind="multi-label"),
            "tasks.t.kind: unknown kind 'multi-label'; did you mean 'multilabel'? "
            "(multilabel: any number of labels a passage; multiclass: exactly one)",
        ),
        (
            'name = "x"\n[tasks.t]\nlabels = ["a", "b"]\n',
            "tasks.t.kind: missing; expected one of: multilabel, multiclass "
            "(multilabel: any number of labels a passage; multiclass: exactly one)",
        ),
        (
            task(kind="multiclass", labels='["a"]'),
            "tasks.t: a multiclass task with one label; expected two labels or more to choose between",
        ),
        (task('questoin = "?"'), "tasks.t.questoin: unknown key; did you mean 'question'?"),
        ('titel = "y"\n' + task(), "titel: unknown key; expected one of: name, version, tasks"),
        (labelled('defintion = "?"'), "tasks.t.labels.a.defintion: unknown key; did you mean 'definition'?"),
        (task("at_least_one = 1"), "tasks.t.at_least_one: found 1; expected true or false"),
        (task("question = 3"), "tasks.t.question: found a number; expected text in quotation marks"),
        ("version = 1.0\n" + task(), "version: found a number; expected text in quotation marks"),
        (
            task(labels="[]"),
            "tasks.t.labels: missing or empty; expected labels, such as [tasks.t.labels.my_label]",
        ),
        (
            'name = "x"\n[tasks.t]\nkind = "multilabel"\n',
            "tasks.t.labels: missing or empty; expected labels, such as [tasks.t.labels.my_label]",
        ),
        (task(labels='["a", "b", "a"]'), "tasks.t.labels: label 'a' is listed twice; keep one"),
        (
            'name = "x"\n[tasks.t]\nkind = "multilabel"\nlabels = {a = 1, b = {}}\n',
            "tasks.t.labels.a: found a number; expected a table, which may be empty",
        ),
        (
            'name = "x"\n',
            'tasks: missing; expected at least one task, such as [tasks.theme] with kind = "multilabel"',
        ),
        (task().removeprefix('name = "x"\n'), "name: missing; expected text in quotation marks"),
        (task().replace('"x"', '""'), "name: found nothing; expected text in quotation marks"),
    ],
)
def test_a_fault_says_where_what_and_what_to_do(tmp_path: Path, text: str, expected: str) -> None:
    assert faults(tmp_path, text) == [expected]


@pytest.mark.parametrize("name", ["My-Codebook", "two words", "-dash", "_line", "ä", "a/b", "a.b"])
def test_bad_names_of_codebooks_and_tasks_are_refused(tmp_path: Path, name: str) -> None:
    expected = f"bad name {name!r}; expected lower-case letters, digits, '-' or '_', such as 'my-codebook'"
    as_codebook = task().replace('"x"', f'"{name}"')
    as_task = task().replace("tasks.t", f'tasks."{name}"')
    assert faults(tmp_path, as_codebook) == [f"name: {expected}"]
    assert faults(tmp_path, as_task) == [f"tasks.{name}: {expected}"]


@pytest.mark.parametrize("name", ["none", "None", "NONE", "a|b", " a", "a ", ""])
def test_bad_label_names_are_refused(tmp_path: Path, name: str) -> None:
    expected = f"bad label name {name!r}; expected text without '|' or outer spaces, and not 'none'"
    assert faults(tmp_path, labelled("", name=name)) == [f"tasks.t.labels.{name}: {expected}"]
    assert faults(tmp_path, task(labels=f'["{name}", "b"]')) == [f"tasks.t.labels.{name}: {expected}"]


@pytest.mark.parametrize("key", ["terms", "not_terms"])
@pytest.mark.parametrize(
    "term",
    [
        "",
        "*",
        "---",
        "*terror",
        "terror**",
        "terror *",
        "* attack",
        pytest.param("te*ror"),
    ],
)
def test_terms_that_can_match_nothing_are_refused(tmp_path: Path, key: str, term: str) -> None:
    expected = f"bad term {term!r}; expected words, where only the end of one may be '*'"
    assert faults(tmp_path, labelled(f'{key} = ["{term}"]')) == [f"tasks.t.labels.a.{key}: {expected}"]


@pytest.mark.parametrize("term", ["terror*", "al-Qaeda", "lord's army", "U.S. nav*", "nav* exercise*", "9/11", "海军"])
def test_terms_of_words_phrases_and_stems_are_taken_as_they_stand(tmp_path: Path, term: str) -> None:
    assert read(tmp_path, labelled(f'terms = ["{term}"]'))["t"].labels[0].terms == (term,)


@pytest.mark.parametrize(("found", "kind"), [('"terror"', "text"), ("[1]", "a list"), ("{}", "a table")])
def test_terms_that_are_no_list_of_text_are_refused(tmp_path: Path, found: str, kind: str) -> None:
    assert faults(tmp_path, labelled(f"terms = {found}")) == [
        f"tasks.t.labels.a.terms: found {kind}; expected a list of words or phrases"
    ]


def test_all_faults_are_reported_together(tmp_path: Path) -> None:
    text = """\
    colour = "red"

    [tasks.Theme]
    kind = "multilable"
    [tasks.Theme.labels.none]
    terms = ["*sea"]

    [tasks.framing]
    kind = "multiclass"
    labels = ["report"]
    """
    assert [fault.split(":")[0] for fault in faults(tmp_path, text)] == [
        "colour",
        "name",
        "tasks.Theme",
        "tasks.Theme.kind",
        "tasks.Theme.labels.none",
        "tasks.Theme.labels.none.terms",
        "tasks.framing",
    ]


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "codebook.toml"
    with pytest.raises(DataError) as caught:
        load_codebook(path)
    assert str(caught.value) == f"{path}: no such file; expected a codebook (TOML); name one with --codebook"


def test_a_folder_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_codebook(tmp_path)
    assert (
        str(caught.value)
        == f"{tmp_path}: can't be read: Is a directory; expected a codebook (TOML); name one with --codebook"
    )


def test_text_that_is_not_utf8_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "codebook.toml"
    path.write_bytes('name = "défense"'.encode("latin-1"))
    with pytest.raises(DataError) as caught:
        load_codebook(path)
    assert (
        str(caught.value) == f"{path}: broken TOML: not UTF-8 text; "
        "expected a codebook (TOML); name one with --codebook; save it as UTF-8"
    )


@pytest.mark.parametrize("text", ['name = "x', "name = x", "[tasks", 'name = "x"\nname = "y"', "tasks = {a = 1"])
def test_broken_toml_is_one_clear_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "codebook.toml"
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{path}: broken TOML: ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("content", [{"name": "x", "tasks": 3}, {"name": "x", "tasks": {"t": 3}}, {"name": ["x"]}])
def test_content_of_the_wrong_shape_is_a_data_error(content: dict[str, object]) -> None:
    with pytest.raises(DataError, match=r"^manifest\.json: "):
        parse_codebook(content, source="manifest.json")


# As plain data.


def test_plain_data_gives_the_codebook_back(tmp_path: Path, own: Codebook) -> None:
    whole = read(tmp_path, WHOLE)
    assert parse_codebook(json.loads(json.dumps(whole.to_dict()))) == whole
    assert parse_codebook(json.loads(json.dumps(own.to_dict()))) == own


def test_plain_data_names_every_key(tmp_path: Path) -> None:
    assert read(tmp_path, task(labels='["a"]')).to_dict() == {
        "name": "x",
        "version": "",
        "tasks": {
            "t": {
                "kind": "multilabel",
                "at_least_one": False,
                "question": "",
                "labels": {
                    "a": {
                        "definition": "",
                        "exclude": "",
                        "terms": (),
                        "not_terms": (),
                        "example": "",
                        "near_miss": "",
                    }
                },
            }
        },
    }


def test_hash_ignores_comments_and_layout(tmp_path: Path) -> None:
    laid_out = WHOLE.replace("\n\n", "\n\n# a comment\n\n").replace('["nav*", ', '[\n  "nav*",\n  ')
    assert read(tmp_path, laid_out).sha256 == read(tmp_path, WHOLE).sha256


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Navies and ships.", "Navies, ships."),
        ("Trade by ship.", "Trade."),
        ('"coast guard"', '"coastguard"'),
        ("navel orange*", "navel*"),
        ("The navy sailed.", "The navy went."),
        ("The cargo ship docked.", "The ship docked."),
        ("What is it about?", "What about?"),
        ("at_least_one = true", "at_least_one = false"),
        ('version = "2"', 'version = "3"'),
        ('name = "whole"', 'name = "part"'),
        ("labels.cyber", "labels.net"),
    ],
)
def test_hash_changes_with_the_content(tmp_path: Path, old: str, new: str) -> None:
    assert read(tmp_path, WHOLE.replace(old, new)).sha256 != read(tmp_path, WHOLE).sha256


def test_hash_changes_with_the_order_of_labels_and_tasks(tmp_path: Path) -> None:
    labels = [read(tmp_path, task(labels=names)).sha256 for names in ('["a", "b"]', '["b", "a"]')]
    tables = '[tasks.{}]\nkind = "multilabel"\nlabels = ["a"]\n'
    tasks = [
        read(tmp_path, 'name = "x"\n' + tables.format(first) + tables.format(second)).sha256
        for first, second in (("t", "u"), ("u", "t"))
    ]
    assert len({*labels, *tasks}) == 4

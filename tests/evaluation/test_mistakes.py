"""Passages worth reading: the worst mistakes with the words that made them, and labels that may be slips."""

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classify.data.annotations import LabelledPassage, read_labels
from classify.data.dataset import TaskGold
from classify.data.tables import write_rows
from classify.evaluation.heldout import MODEL, HeldOut, Mistake, Suspect, Words
from classify.evaluation.mistakes import (
    MISSED,
    WRONG,
    find_mistakes,
    find_suspects,
    flat_suspect,
    suspects_sheet,
    worst_mistakes,
)
from classify.evaluation.results import Evaluation
from classify.scorer import linear
from classify.scorer.blocks import Block
from classify.scorer.contributions import split_score
from classify.scorer.linear import TaskScorer
from classify.scorer.tokens import BlockSettings
from tests.evaluation.conftest import BOOK, TONE, TOPIC, gold_of, held_out, passage

FEATURES = ("calm", "hackers", "harbour", "navy", "ships")
WEIGHTS = np.array([[-2.0, 0.5], [-1.0, 4.0], [3.0, 0.0], [2.0, -1.0], [0.0, 0.0]])


def scorer() -> TaskScorer:
    """Five words with weights for sea and cyber; every hit of a sea term speaks for sea and against cyber."""
    block = Block(BlockSettings(stem=False), FEATURES, np.ones(5), WEIGHTS)
    return TaskScorer(
        (block,), linear.Counter(TOPIC, {}), np.array([[1.0, -1.0], [0.0, 0.0]]), np.zeros(2), np.zeros(2)
    )


def nobody_asks() -> TaskScorer:
    pytest.fail("nothing is wrong, so no words are needed")


def mistakes_of(
    gold: TaskGold, held: HeldOut, texts: list[str] | None = None, make: Callable[[], TaskScorer] = scorer
) -> tuple[Mistake, ...]:
    passages = [passage("e", n, (texts or ["calm"] * len(gold.gold))[n], []) for n in range(len(gold.gold))]
    return find_mistakes(TOPIC, passages, gold, held, make)


# ---- mistakes


def test_the_worst_five_of_each_kind_come_with_the_worst_first() -> None:
    p = [0.55, 0.95, 0.65, 0.85, 0.75, 0.6, 0.7, 0.45, 0.05, 0.1, 0.2, 0.3, 0.4]
    gold = gold_of([[int(n > 6), 0] for n in range(13)])
    found = mistakes_of(gold, held_out([[x, 0.0] for x in p]))
    assert [(WRONG, n) for n in (1, 3, 4, 6, 2)] + [(MISSED, n) for n in (8, 9, 10, 11, 12)] == [
        (mistake.kind, int(mistake.id.removeprefix("e#"))) for mistake in found
    ]
    assert pytest.approx([0.45, 0.35, 0.25, 0.2, 0.15, 0.45, 0.4, 0.3, 0.2, 0.1]) == [m.distance for m in found]


def test_a_mistake_tells_what_was_coded_and_what_was_predicted() -> None:
    wrong, missed = mistakes_of(gold_of([[0, 1], [1, 1]]), held_out([[0.875, 0.75], [0.25, 0.75]]))
    assert ("sea", WRONG, "e#0", "calm") == (wrong.label, wrong.kind, wrong.id, wrong.text)
    assert (("cyber",), ("sea", "cyber"), 0.875) == (wrong.gold, wrong.predicted, wrong.probability)
    assert ("sea", MISSED, "e#1") == (missed.label, missed.kind, missed.id)
    assert (("sea", "cyber"), ("cyber",), 0.25) == (missed.gold, missed.predicted, missed.probability)


def test_labels_stand_in_codebook_order() -> None:
    found = mistakes_of(gold_of([[0, 1], [0, 0]]), held_out([[0.9, 0.1], [0.9, 0.9]]))
    assert [("sea", WRONG), ("sea", WRONG), ("cyber", WRONG), ("cyber", MISSED)] == [(m.label, m.kind) for m in found]


def test_what_is_not_known_is_no_mistake() -> None:
    assert () == mistakes_of(gold_of([[-1, -1], [1, -1]]), held_out([[0.9, 0.9], [0.9, 0.9]]), make=nobody_asks)


def test_where_nothing_is_wrong_the_model_is_not_asked_for_words() -> None:
    assert () == mistakes_of(gold_of([[1, 0]]), held_out([[0.9, 0.1]]), make=nobody_asks)


def test_a_label_that_is_never_given_is_ranked_by_its_score() -> None:
    held = held_out([[0.9, 0.0], [0.1, 0.0]], threshold=float("inf"))
    assert ["e#1", "e#0"] == [m.id for m in mistakes_of(gold_of([[1, 0], [1, 0]]), held)]


def test_mistakes_of_one_label_of_several_are_ranked_by_the_distance_to_the_best_other() -> None:
    gold = gold_of([[1, 0, 0], [1, 0, 0]])
    held = held_out([[0.2, 0.5, 0.3], [0.1, 0.6, 0.3]], threshold=None)
    passages = [passage("e", n, "calm", [], "plain") for n in range(2)]
    found = find_mistakes(TONE, passages, gold, held, three_labels)
    assert [("plain", MISSED, "e#1", 0.5), ("plain", MISSED, "e#0", 0.3)] == [
        (m.label, m.kind, m.id, round(m.distance, 9)) for m in found[:2]
    ]
    assert [("loud", WRONG, "e#1", 0.3), ("loud", WRONG, "e#0", 0.2)] == [
        (m.label, m.kind, m.id, round(m.distance, 9)) for m in found[2:]
    ]


def three_labels() -> TaskScorer:
    block = Block(BlockSettings(stem=False), ("calm",), np.ones(1), np.ones((1, 3)))
    return TaskScorer((block,), linear.Counter(TONE, {}), np.zeros((3, 3)), np.zeros(3), np.zeros(3))


# ---- words


TEXT = "Navy, calm harbour: hackers?"


def near(words: Words) -> list[tuple[str, object]]:
    return [(word, pytest.approx(value)) for word, value in words]


def test_words_for_and_against_add_up_as_counted_by_hand() -> None:
    """Four known words of equal weight, a norm of 2: each carries half of its weight."""
    wrong_sea, wrong_cyber = mistakes_of(gold_of([[0, 0]]), held_out([[0.9, 0.9]]), [TEXT])
    assert [("harbour", 1.5), ("navy", 1.0)] == near(wrong_sea.words_for)
    assert [("calm", -1.0), ("hackers", -0.5)] == near(wrong_sea.words_against)
    assert [("hackers", 2.0), ("calm", 0.25)] == near(wrong_cyber.words_for)
    assert [("navy", -0.5)] == near(wrong_cyber.words_against)


def test_hits_of_terms_count_for_the_words_they_hit() -> None:
    wrong_sea, wrong_cyber = mistakes_of(gold_of([[0, 0]]), held_out([[0.9, 0.9]]), ["The shipyard, the shipyard!"])
    # two hits of `ship*`: log(1 + 2) for sea
    assert [("shipyard", np.log(3))] == near(wrong_sea.words_for)
    assert () == wrong_sea.words_against == wrong_cyber.words_for
    assert [("shipyard", -np.log(3))] == near(wrong_cyber.words_against)


def test_at_most_five_words_are_shown_on_each_side() -> None:
    features = tuple(f"word{n}" for n in range(16))
    weights = np.repeat(np.arange(1.0, 9.0), 2) * np.tile([1.0, -1.0], 8)
    block = Block(BlockSettings(stem=False), features, np.ones(16), np.stack([weights, weights], axis=1))
    many = TaskScorer((block,), linear.Counter(TOPIC, {}), np.zeros((2, 2)), np.zeros(2), np.zeros(2))
    (found,) = mistakes_of(gold_of([[0, 0]]), held_out([[0.9, 0.1]]), [" ".join(features)], lambda: many)
    assert [f"word{n}" for n in (14, 12, 10, 8, 6)] == [word for word, _ in found.words_for]
    assert [f"word{n}" for n in (15, 13, 11, 9, 7)] == [word for word, _ in found.words_against]


def test_words_sum_to_the_pieces_of_the_score() -> None:
    (found, _) = mistakes_of(gold_of([[0, 0]]), held_out([[0.9, 0.9]]), [TEXT])
    pieces = sum(piece.values[0] for piece in split_score(scorer(), TOPIC.label_names, TEXT))
    scores, _ = scorer().score([TEXT])
    words = sum(value for _, value in (*found.words_for, *found.words_against))
    assert pytest.approx(scores[0, 0]) == pieces == pytest.approx(words)


def test_words_of_an_evaluation_stand_in_the_texts_with_the_sign_they_are_shown_under(
    made_evaluation: Evaluation,
) -> None:
    mistakes = [mistake for result in made_evaluation.tasks.values() for mistake in result.mistakes]
    assert len(mistakes) > 10
    for mistake in mistakes:
        told = [word for word, _ in (*mistake.words_for, *mistake.words_against)]
        assert all(word in mistake.text.casefold() for word in told)
        assert len(set(told)) == len(told) > 0
        assert all(value > 0 for _, value in mistake.words_for)
        assert all(value < 0 for _, value in mistake.words_against)
        effects = [[abs(value) for _, value in side] for side in (mistake.words_for, mistake.words_against)]
        assert all(side == sorted(side, reverse=True) for side in effects)


def test_mistakes_of_an_evaluation_are_wrong_cells_of_its_held_out_predictions(made_evaluation: Evaluation) -> None:
    for result in made_evaluation.tasks.values():
        row_of = {found.id: row for row, found in enumerate(made_evaluation.passages)}
        model, gold = result.held_out[MODEL], result.gold.gold
        n_wrong = [(~gold & model.predicted).sum(axis=0), (gold & ~model.predicted).sum(axis=0)]
        expected = {
            (label, kind): min(5, int(n[column]))
            for kind, n in zip((WRONG, MISSED), n_wrong, strict=True)
            for column, label in enumerate(result.task.label_names)
        }
        counts = Counter((mistake.label, mistake.kind) for mistake in result.mistakes)
        assert {key: n for key, n in expected.items() if n} == counts
        for mistake in result.mistakes:
            row, column = row_of[mistake.id], result.task.label_names.index(mistake.label)
            assert (mistake.kind == WRONG) == model.predicted[row, column] != gold[row, column]
            assert mistake.probability == model.probabilities[row, column]


# ---- the worst of all models


def mistake(label: str, kind: str, identity: str, distance: float) -> Mistake:
    return Mistake(label, kind, identity, "", (), (), 0.5, distance, (), ())


def test_of_all_models_the_worst_five_of_each_kind_are_kept() -> None:
    first = [mistake("cyber", MISSED, f"a{n}", n / 10) for n in range(4)]
    second = [mistake("cyber", MISSED, f"b{n}", n / 10) for n in range(4)]
    others = [mistake("sea", WRONG, "c", 0.1), mistake("cyber", WRONG, "d", 0.1)]
    found = worst_mistakes(TOPIC, [*first, *second, *others])
    assert ["c", "d", "a3", "b3", "a2", "b2", "a1"] == [one.id for one in found]


# ---- doubtful labels


def test_suspects_are_codings_that_the_model_denies_the_least_likely_first() -> None:
    p = [[0.9, 0.0]] * 54 + [[0.3, 0.0], [0.1, 0.0], [0.2, 0.0]] + [[0.0, 0.0]] * 3
    gold = gold_of([[1, 0]] * 57 + [[0, 0]] * 3)
    assert [Suspect(55, "sea", True, 0.1), Suspect(56, "sea", True, 0.2), Suspect(54, "sea", True, 0.3)] == list(
        find_suspects(gold, held_out(p), TOPIC.label_names)
    )


def test_suspects_of_all_labels_stand_in_one_order_given_or_not() -> None:
    p = [[0.9, 0.1]] * 38 + [[0.25, 0.1], [0.9, 0.875]]
    found = find_suspects(gold_of([[1, 0]] * 40), held_out(p), TOPIC.label_names)
    assert (Suspect(39, "cyber", False, 0.125), Suspect(38, "sea", True, 0.25)) == found


@pytest.mark.parametrize(
    ("n_passages", "n_suspects"), [(19, 0), (20, 1), (39, 1), (40, 2), (399, 19), (400, 20), (1000, 20)]
)
def test_suspects_are_5_in_100_of_the_coded_passages_and_20_at_most(n_passages: int, n_suspects: int) -> None:
    gold = gold_of([[1, -1]] * n_passages + [[-1, -1]] * 100)
    found = find_suspects(gold, held_out([[0.1, 0.9]] * (n_passages + 100)), TOPIC.label_names)
    assert list(range(n_suspects)) == [suspect.row for suspect in found]


def test_a_coding_is_no_suspect_where_the_decision_agrees_or_the_probability_does() -> None:
    gold = gold_of([[1, 0]] * 40)
    agrees = held_out([[0.3, 0.1]] * 40, threshold=0.2)
    denied_but_likely = held_out([[0.6, 0.1]] * 40, threshold=0.7)
    assert () == find_suspects(gold, agrees, TOPIC.label_names)
    assert () == find_suspects(gold, denied_but_likely, TOPIC.label_names)


# ---- the sheet to code again


@pytest.fixture
def doubted() -> list[LabelledPassage]:
    return [
        passage("e1", 0, "Ships, and calm.", ["cyber", "sea"], "loud"),
        passage("e2", 1, 'A "quoted", text.', [], "plain"),
        passage("e3", 2, "Not doubted.", ["sea"], "plain"),
    ]


SUSPECTS = {
    "topic": [Suspect(1, "sea", False, 0.0625), Suspect(0, "sea", True, 0.25), Suspect(0, "cyber", True, 0.375)],
    "tone": [Suspect(0, "loud", True, 0.125)],
}


def test_the_sheet_has_a_row_a_passage_the_most_doubtful_first(doubted: list[LabelledPassage]) -> None:
    second, first = suspects_sheet(SUSPECTS, doubted, BOOK)
    assert {
        "id": "e2#1",
        "text": 'A "quoted", text.',
        "document": "e2",
        "event": "e2",
        "labels": {"topic": None, "tone": None},
        "given": {"topic": "none"},
        "doubt": {"topic": "sea not given, p = 0.94 against it"},
    } == second
    assert {
        "id": "e1#0",
        "text": "Ships, and calm.",
        "document": "e1",
        "event": "e1",
        "labels": {"topic": None, "tone": None},
        "given": {"topic": "sea|cyber", "tone": "loud"},
        "doubt": {
            "tone": "loud given, p = 0.88 against it",
            "topic": "sea given, p = 0.75 against it; cyber given, p = 0.62 against it",
        },
    } == first


def flat_sheet(doubted: Sequence[LabelledPassage]) -> list[dict[str, object]]:
    return [flat_suspect(row, BOOK) for row in suspects_sheet(SUSPECTS, doubted, BOOK)]


def test_as_a_sheet_a_task_has_an_empty_column_and_what_is_told_of_it(doubted: list[LabelledPassage]) -> None:
    second, first = flat_sheet(doubted)
    facts = ["id", "text", "document", "event", "topic", "tone"]
    assert [*facts, "given:topic", "doubt:topic", "given:tone", "doubt:tone"] == list(first) == list(second)
    assert (None, None, "none", None, None) == tuple(
        second[key] for key in ("topic", "tone", "given:topic", "given:tone", "doubt:tone")
    )
    assert ("sea|cyber", "loud given, p = 0.88 against it") == (first["given:topic"], first["doubt:tone"])


def test_without_a_doubt_the_sheet_is_empty(doubted: list[LabelledPassage]) -> None:
    assert [] == suspects_sheet({"topic": (), "tone": ()}, doubted, BOOK)


def test_a_sheet_that_nobody_has_filled_in_codes_nothing(doubted: list[LabelledPassage], tmp_path: Path) -> None:
    write_rows(flat_sheet(doubted), "csv", tmp_path / "sheet.csv")
    found = read_labels([tmp_path / "sheet.csv"], BOOK)
    assert [("e2#1", {"topic": None, "tone": None}), ("e1#0", {"topic": None, "tone": None})] == [
        (one.id, one.labels) for one in found
    ]


def filled(path: Path) -> None:
    """The sheet as a coder hands it back, one cell of the second row left empty."""
    with path.open(encoding="utf-8", newline="") as stream:
        first, second = csv.DictReader(stream)
    write_rows([first | {"topic": "sea|cyber", "tone": "proud"}, second | {"topic": "none"}], "csv", path)


def test_the_filled_sheet_is_labels(doubted: list[LabelledPassage], tmp_path: Path) -> None:
    write_rows(flat_sheet(doubted), "csv", tmp_path / "sheet.csv")
    filled(tmp_path / "sheet.csv")
    second, first = read_labels([tmp_path / "sheet.csv"], BOOK)
    assert {"topic": frozenset(["sea", "cyber"]), "tone": frozenset(["proud"])} == second.labels
    assert {"topic": frozenset(), "tone": None} == first.labels
    assert [(one.id, one.text, one.document, one.event) for one in doubted[1::-1]] == [
        (one.id, one.text, one.document, one.event) for one in (second, first)
    ]
    assert "none" == second.extra["given:topic"]


def test_the_sheet_can_be_read_in_every_format(doubted: list[LabelledPassage], tmp_path: Path) -> None:
    write_rows(flat_sheet(doubted), "parquet", tmp_path / "sheet.parquet")
    write_rows(suspects_sheet(SUSPECTS, doubted, BOOK), "jsonl", tmp_path / "sheet.jsonl")
    for name in ("sheet.parquet", "sheet.jsonl"):
        assert ["e2#1", "e1#0"] == [one.id for one in read_labels([tmp_path / name], BOOK)]


def test_passages_of_which_a_task_is_not_coded_are_given_nothing(doubted: list[LabelledPassage]) -> None:
    not_coded = [replace(one, labels={"topic": None, "tone": None}) for one in doubted]
    (row,) = suspects_sheet({"topic": SUSPECTS["topic"][:1]}, not_coded, BOOK)
    assert {"topic": ""} == row["given"]


def test_suspects_of_an_evaluation_name_rows_of_its_passages(made_evaluation: Evaluation) -> None:
    by_label = defaultdict(int)
    for result in made_evaluation.tasks.values():
        for suspect in result.suspects:
            column = result.task.label_names.index(suspect.label)
            by_label[suspect.label] += 1
            assert suspect.is_given == result.gold.gold[suspect.row, column]
            assert suspect.is_given != result.held_out[MODEL].predicted[suspect.row, column]
    assert {1, 2} >= set(by_label.values()) > set()  # 5% of 48 passages

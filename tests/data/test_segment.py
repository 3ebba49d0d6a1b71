"""Documents to passages: the five seeds, then every stated rule on text that is no seed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classify.data.documents import read_document
from classify.data.segment import Unit, segment
from classify.data.sentences import sentence_spans
from classify.errors import DataError
from classify.passages import Document, Passage

SEEDS = sorted((Path(__file__).parent.parent.parent / "seeds").glob("*.txt"))

OPENING = "The two navies will hold their first joint exercise in the Gulf next month."
CLOSING = "Observers from nine other states have been invited to watch from the flagship."


def texts_of(text: str, unit: Unit = "paragraph") -> list[str]:
    return [passage.text for passage in segment(Document("d", text), unit=unit)]


def kept_between(*lines: str) -> list[str]:
    """What is kept of lines that stand as paragraphs of their own in the middle of a document."""
    texts = texts_of("\n\n".join([OPENING, *lines, CLOSING]))
    assert texts[0] + texts[-1] == OPENING + CLOSING
    return texts[1:-1]


# The seeds.


@pytest.mark.parametrize(("path", "n"), list(zip(SEEDS, [12, 9, 4, 6, 11], strict=True)), ids=lambda x: str(x)[-24:])
def test_seeds_give_the_passages_a_careful_reader_finds(path: Path, n: int) -> None:
    document = read_document(path)
    passages = segment(document)
    assert len(passages) == n
    assert [document.text[passage.start : passage.end] for passage in passages] == [p.text for p in passages]


def test_seeds_lose_their_links_datelines_marks_and_headings() -> None:
    kept = {passage.text for path in SEEDS for passage in segment(read_document(path))}
    lines = {line.strip() for path in SEEDS for line in path.read_text(encoding="utf-8").split("\n")}
    assert lines - kept == {
        "",
        "Also Read: Naqvi reaffirms govt support for Balochistan against terrorism",
        "Read: Three Indian-sponsored terrorists killed in Swat: CTD",
        "## US and Asian Military Chiefs Convene in Pakistan to Bolster Security Ties",
        "July 27, 2025",
        "— Categories: Defence & Security",
        "Download IPFS",
        ".",
        "Strengthening Bilateral Ties",
        "Counterterrorism Cooperation Agreement",
        "Regional Stability and Strategic Outlook.",
        "Looking Forward",
    }
    assert kept - lines == {"US and Asian Military Chiefs Convene in Pakistan to Bolster Security Ties"}


# Whole documents as people have them.

WIRE = """\
Coast Guards of Six States to Patrol the Strait Together
MANILA, March 3 (Wire Service) -

Six coast guards will patrol the strait together from June, the transport
minister said on Tuesday, after two years in which tankers were boarded
there almost every week.

"Nobody can guard this water alone," Minister Rosa Lim told reporters. The
patrols will be led in turn, she said, by a captain of each state, and the
ships will share one radio channel.

Shipowners welcomed the plan.

READ MORE: Three tankers boarded in one night

The talks began in 2023 and had stalled over who may board whose ships. A
diplomat who took part said the answer was found in a clause of eleven
words, which leaves boarding to the state whose flag the ship flies.
"""

RELEASE = """\
# Ministry and University Open a Centre for Network Defence

**Valletta, 14 May 2024**

Categories: Press releases, Cyber

## What the centre will do

The ministry and the University of Malta today opened a centre that will train forty engineers a year.

> "A small state lives by its cables, and this centre will look after them," said the Minister.

---

## About the partners

The University of Malta was founded in 1592.

Download the press kit
"""

SPEECH = """\
Address by the Defence Minister at the Opening of the Winter Exercise

Sergeants, officers, friends,

Thank you.

I was told on the bus that it is minus nineteen today. In my village we called that spring.

You have come from eight armies. Some of your grandfathers fought each other in these woods.

Not one of you was asked to forget that. You were asked to learn each other's radios.

Why does that matter?

It matters because the next storm will not ask whose radio it is.

Good luck, and keep your feet dry!
"""

ESSAY = "\r\n".join(
    [
        "The Long Shadow of a Short War",
        "By Ines Duarte",
        "",
        "I",
        "Armies remember defeats for longer than governments do, and they plan against them.",
        "The general staff of 1975 rewrote its doctrine around one bad week in the hills, and kept that doctrine for"
        " thirty years.",
        "",
        "II",
        "Doctrine is not strategy, however.",
        "",
        "* * *",
        "",
        "The author teaches history at Coimbra.",
    ]
)


def test_a_wire_report_keeps_its_title_and_wrapped_paragraphs() -> None:
    paragraphs = [block for block in WIRE.split("\n\n") if block.count("\n") >= 2]
    assert texts_of(WIRE) == [
        "Coast Guards of Six States to Patrol the Strait Together",
        paragraphs[0],
        paragraphs[1],
        "Shipowners welcomed the plan.",
        paragraphs[2].rstrip(),
    ]


def test_a_press_release_in_markdown_keeps_its_sentences() -> None:
    assert texts_of(RELEASE) == [
        "Ministry and University Open a Centre for Network Defence",
        "The ministry and the University of Malta today opened a centre that will train forty engineers a year.",
        '"A small state lives by its cables, and this centre will look after them," said the Minister.',
        "The University of Malta was founded in 1592.",
    ]


def test_a_speech_keeps_every_sentence_however_short() -> None:
    paragraphs = SPEECH.rstrip().split("\n\n")
    assert texts_of(SPEECH) == [line for line in paragraphs if line != "Sergeants, officers, friends,"]


def test_an_essay_with_numbered_parts_keeps_its_prose() -> None:
    assert texts_of(ESSAY) == [
        "The Long Shadow of a Short War",
        "Armies remember defeats for longer than governments do, and they plan against them.",
        "The general staff of 1975 rewrote its doctrine around one bad week in the hills, and kept that doctrine for "
        "thirty years.",
        "Doctrine is not strategy, however.",
        "The author teaches history at Coimbra.",
    ]


# Lines and hard-wrapped paragraphs.

WRAPPED = [
    "The ministers spoke for three hours about the ferry route and the two",
    "lighthouses that neither side has repaired since the storm of 2019, and",
    "they agreed that the keeper may stay until the spring.",
]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_three_lines_of_similar_length_are_one_paragraph(line_break: str) -> None:
    paragraph = line_break.join(WRAPPED)
    assert texts_of(line_break * 2 + paragraph + line_break) == [paragraph]


def test_the_last_line_of_a_wrapped_paragraph_may_be_short() -> None:
    paragraph = "\n".join([*WRAPPED[:2], "agreed."])
    assert texts_of(paragraph) == [paragraph]


def test_wrapped_paragraphs_are_parted_by_empty_lines() -> None:
    first, second = "\n".join(WRAPPED), "\n".join([*WRAPPED[1:], "In May."])
    assert texts_of(f"{first}\n \t \n{second}") == [first, second]


def test_two_lines_are_two_passages() -> None:
    lines = ["The ministers spoke for three hours about the ferry route.", "They agreed that the keeper may stay."]
    assert texts_of("\n".join(lines)) == lines


@pytest.mark.parametrize("length", [101, 400])
def test_long_lines_without_empty_lines_between_are_passages_each(length: int) -> None:
    lines = [f"{word} ".ljust(length - 1, "x") + "." for word in ("One", "Two", "Three", "Four")]
    assert texts_of("\n".join(lines)) == lines


def test_a_line_of_a_hundred_characters_can_be_wrapped() -> None:
    paragraph = "\n".join(f"{word} ".ljust(99, "x") + mark for word, mark in zip("abc", "xx.", strict=True))
    assert texts_of(paragraph) == [paragraph]


def test_lines_that_all_end_a_sentence_are_no_wrapped_paragraph() -> None:
    lines = ["The minister left at noon.", "The envoy stayed till ten.", "Nobody else came at all."]
    assert texts_of("\n".join(lines)) == lines


def test_short_lines_above_the_title_do_not_take_its_place() -> None:
    title, text = "Coast guards of six states will patrol the strait", "They begin in June, the minister said."
    assert texts_of(f"PRESS RELEASE\n\nBy Jane Doe\n\n{title}\n\n{text}") == [title, text]


def test_lines_of_unlike_length_are_passages_each() -> None:
    lines = ["He left.", "The ministers spoke for three hours about the ferry route.", "Nobody knows why he left."]
    assert texts_of("\n".join(lines)) == lines


def test_text_in_one_line_is_one_passage() -> None:
    sentence = "The keeper may stay until the spring. "
    assert texts_of(sentence * 500) == [(sentence * 500).strip()]


@pytest.mark.parametrize("heading", ["What Comes Next", "## What comes next"])
def test_a_heading_right_above_a_wrapped_paragraph_leaves_it_whole(heading: str) -> None:
    paragraph = "\n".join(WRAPPED)
    assert kept_between(f"{heading}\n{paragraph}") == [paragraph]


@pytest.mark.parametrize("mark", ["-", "*", "•", "–", "1."])
def test_items_of_a_list_are_passages_each(mark: str) -> None:
    items = [
        "The two staffs will meet twice a year.",
        "Radar data will be shared by night and day.",
        "Pilots will learn one common language.",
    ]
    kept = kept_between("\n".join(f"{mark} {item}" for item in items))
    assert [text.removeprefix("1. ") for text in kept] == items


def test_an_underlined_title_is_a_passage_of_its_own() -> None:
    title, text = "Coast guards of six states will patrol the strait", "They will begin in June, the minister said."
    assert texts_of(f"{title}\n{'=' * len(title)}\n{text}\n") == [title, text]


# Titles and headings.


def test_a_first_line_of_six_words_is_a_title_and_a_passage() -> None:
    assert texts_of(f"Two Navies Meet in the Gulf\n\n{OPENING}") == ["Two Navies Meet in the Gulf", OPENING]


def test_a_first_line_of_five_words_is_a_heading() -> None:
    assert texts_of(f"Two Navies Meet in Doha\n\n{OPENING}") == [OPENING]


@pytest.mark.parametrize("above", ["July 27, 2025", "***", "Categories: Sea, Training", "Read: Two ships collide"])
def test_a_title_may_stand_under_what_is_left_out(above: str) -> None:
    assert texts_of(f"{above}\n\nTwo Navies Meet in the Gulf\n\n{OPENING}")[0] == "Two Navies Meet in the Gulf"


def test_a_short_first_sentence_is_kept() -> None:
    assert texts_of(f"The war is over.\n\n{OPENING}") == ["The war is over.", OPENING]


@pytest.mark.parametrize(
    "heading",
    [
        "Background",
        "Looking Forward",
        "What the Two Sides Agreed on in Doha",
        "What the two sides agreed on",
        "Regional Stability and Strategic Outlook.",
        "Economic Fallout.",
        "3. Method and Data",
        "IV.",
        "MARITIME SECURITY",
        "### Next steps ###",
        "Ties with Riyadh:",
        "Counter-terrorism, Training and the Sharing of Intelligence in the Wider Region",
    ],
)
def test_later_short_lines_without_a_sentence_are_left_out(heading: str) -> None:
    assert kept_between(heading) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "He refused.",
        "It failed.",
        "Why?",
        "Never again!",
        "NATO responded.",
        "They met on Friday.",
        "Talks resume in May.",
        "“We will not yield,” he said.",
        "“Never.”",
        "‘We refuse.’",
        '"Yes." (He smiled.)',
        "«Nous refusons.»",
        "And then…",
        "The base at Duqm was closed in 1977.",
        "Read more about the exercise here.",
        "Downloads of the app rose.",
        "Tags were found on the shells.",
        "Jan Smuts wrote it.",
        "Friday prayers passed without trouble.",
        pytest.param("They sat."),
        pytest.param("We may."),
        pytest.param("The talks failed.[1]"),
    ],
)
def test_short_sentences_are_kept(sentence: str) -> None:
    assert kept_between(sentence) == [sentence]


def test_quoted_speech_is_kept_speaker_by_speaker() -> None:
    spoken = [
        "“Is the road open?” the envoy asked.",
        "“It is open to those who pay,” said the captain, “and closed to those who ask.”",
        "“Then we shall pay.”",
    ]
    assert kept_between(*spoken) == spoken


# What is left out.


@pytest.mark.parametrize(
    "line",
    [
        "July 27, 2025",
        "27 July 2025",
        "27th July 2025",
        "Sunday, 27 July 2025",
        "JULY 27, 2025.",
        "Jan. 22",
        "May 2024",
        "2025-07-27",
        "27/07/2025",
        "27.07.2025 14:03",
        "ISLAMABAD, JAN 22 /DNA/",
        "ISLAMABAD, JAN 22 /DNA/:",
        "KARACHI, July 27 (Reuters) -",
        "Nairobi: 3 March 2024",
        "WASHINGTON, D.C., Jan. 22, 2025 —",
        "Published: July 27, 2025 10:32 am",
        "Last updated on July 27, 2025",
        "Posted on Friday, March 1st, 2024",
        "Updated 3:42 PM EDT, July 27, 2025",
    ],
)
def test_datelines_standing_alone_are_left_out(line: str) -> None:
    assert kept_between(line) == []
    assert texts_of(f"{line}\n\n{OPENING}") == [OPENING]


@pytest.mark.parametrize(
    "line",
    [
        "Last updated on July 27, 2025 at 10:32 PM PKT",
        "Rawalpindi, Pakistan, Saturday, 26 July 2025, 4:00 p.m. local time",
        "Posted on July 27, 2025 by admin",
    ],
)
def test_long_datelines_above_the_text_are_left_out(line: str) -> None:
    assert texts_of(f"{line}\n\n{OPENING}") == [OPENING]


def test_a_dateline_that_opens_a_sentence_is_part_of_it() -> None:
    sentence = "NAIROBI, March 3: The two ministers signed the accord on Sunday."
    assert kept_between(sentence) == [sentence]


@pytest.mark.parametrize(
    "line",
    [
        "Categories: Defence & Security",
        "— Categories: Defence & Security",
        "Category: World",
        "Tags: navy, Gulf, training, ships, radar, exercises, pilots, night flying, and the port of Duqm.",
        "Filed under: Asia",
        "Download",
        "Download IPFS",
        "Download the full report",
        "DOWNLOAD PDF",
        "Read: Two ships collide off Duqm",
        "Read:Two ships collide off Duqm",
        "READ MORE: Why the two navies want to train together, and what it costs them",
        "Also Read: Naqvi meets the envoys of nine states in the capital and promises support",
        "ALSO READ: Navy chief in Doha",
        "Read also: Navy chief in Doha",
        "> Also read: Navy chief in Doha",
        "Advertisement",
        ".",
        "—",
        "***",
        "* * *",
        "---",
        "…",
        "##",
        "> >",
        "\u200b",
    ],
)
def test_links_category_and_download_lines_and_lone_marks_are_left_out(line: str) -> None:
    assert kept_between(line) == []
    assert texts_of(f"{line}\n\n{OPENING}") == [OPENING]


@pytest.mark.parametrize(
    "sentence",
    [
        "Listen: this is not a game, and I will not have it treated as one.",
        "Topics: the two sides spoke about ports first and about fish only at the end.",
    ],
)
def test_a_sentence_that_opens_with_a_word_and_a_colon_is_kept(sentence: str) -> None:
    assert kept_between(sentence) == [sentence]


# Markup and offsets.


@pytest.mark.parametrize(
    "markup", ["#", "## ", "> ", ">", ">> ", "> > ", "- ", "* ", "• ", "   ", "\t", "\u3000", "# > "]
)
def test_markup_that_leads_a_line_is_not_part_of_the_passage(markup: str) -> None:
    text = f"{markup}{OPENING}"
    passages = segment(Document("d", text))
    expected = text if markup == "#" else OPENING  # '#Gulf' is a hashtag
    assert passages == [Passage("d#1", "d", len(text) - len(expected), len(text), expected)]


@pytest.mark.parametrize(
    "text", ["-20 degrees were measured.", "#Gulf is trending.", "+971 is the code.", "1) First, we train."]
)
def test_marks_that_belong_to_the_text_stay(text: str) -> None:
    assert kept_between(text) == [text]


def test_a_number_sign_at_the_end_of_a_word_stays() -> None:
    text = "The radar service was rewritten in two years from Java to C#"
    assert texts_of(text) == [text]


def test_ids_count_the_kept_passages_from_one() -> None:
    document = Document("folder/a.txt", f"July 27, 2025\n\n{OPENING}\n\nNext steps\n\n{CLOSING}\n")
    assert [(passage.id, passage.document) for passage in segment(document)] == [
        ("folder/a.txt#1", "folder/a.txt"),
        ("folder/a.txt#2", "folder/a.txt"),
    ]


def test_the_last_line_needs_no_line_break() -> None:
    assert texts_of(f"{OPENING}\n\n{CLOSING}") == texts_of(f"{OPENING}\n\n{CLOSING}\n") == [OPENING, CLOSING]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\u2028", "\u2029", "\x85", "\f"])
def test_every_kind_of_line_break_parts_lines(line_break: str) -> None:
    assert texts_of(line_break.join([OPENING, "", "Next steps", "", CLOSING, ""])) == [OPENING, CLOSING]


@pytest.mark.parametrize("text", ["", " ", "\n", " \r\n\t\n ", "\ufeff", "***\n\n---", "Looking Forward", "2025"])
def test_text_without_a_passage_gives_none(text: str) -> None:
    assert texts_of(text) == []
    assert texts_of(text, "sentence") == []


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_offsets_are_true_of_a_file_with_any_line_breaks_and_a_byte_order_mark(tmp_path: Path, line_break: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(("\ufeff" + line_break.join([OPENING, "", f"> {CLOSING}"])).encode())
    document = read_document(path)
    first, second = segment(document)
    assert document.name == path.as_posix()
    assert (first.start, first.text) == (0, OPENING)
    assert document.text[second.start : second.end] == second.text == CLOSING


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "{path}: the file is empty"),
        (b" \r\n\n ", "{path}: the file is empty"),
        (b"a\nb\nc\xe9\n", "{path}:3: not UTF-8: byte 0xe9; expected UTF-8 text; save the file as UTF-8"),
    ],
)
def test_documents_that_cannot_be_read_are_one_clear_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_document(path)
    assert str(caught.value) == message.format(path=path)


def test_a_missing_document_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_document(tmp_path / "a.txt")
    assert str(caught.value) == f"{tmp_path / 'a.txt'}: no such file or folder; check the path"


# Any text at all: pieces that meet the rules half-way, and random characters.

PIECES = st.sampled_from(
    ["\n", "\n\n", "\r\n", "\r", " ", "#", "> ", "- ", ".", "Read: ", "May 3", "He refused.", "Next Steps", *WRAPPED]
)
TEXTS = st.lists(PIECES | st.text(max_size=20), max_size=30).map("".join)


@given(text=TEXTS, unit=st.sampled_from(["paragraph", "sentence"]))
def test_offsets_give_back_the_text_in_order_without_overlap(text: str, unit: Unit) -> None:
    passages = segment(Document("d", text), unit=unit)
    spans = [edge for passage in passages for edge in (passage.start, passage.end)]
    assert [text[passage.start : passage.end] for passage in passages] == [passage.text for passage in passages]
    assert spans == sorted(spans)
    assert [passage.text for passage in passages if not passage.text.strip()] == []
    assert [passage.id for passage in passages] == [f"d#{n}" for n in range(1, len(passages) + 1)]


@given(text=TEXTS)
def test_a_passage_has_no_space_around_it(text: str) -> None:
    texts = texts_of(text)
    assert [passage.strip() for passage in texts] == texts


@given(text=TEXTS)
def test_sentences_hold_every_character_of_the_paragraphs_but_spaces(text: str) -> None:
    paragraphs, sentences = texts_of(text), texts_of(text, "sentence")
    assert "".join("".join(paragraphs).split()) == "".join("".join(sentences).split())


# Sentences.


def sentences_of(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text, 0, len(text))]


@pytest.mark.parametrize(
    "sentence",
    [
        "Gen. Asad and Lt. Col. Reyes spoke.",
        "Lt. Gen. Okafor, Maj. Gen. Lind and Brig. Gen. Sato signed.",
        "Mr. Dar met Mrs. Lim, Ms. Noor and Dr. Ba.",
        "The U.S. Navy and the U.K. Fleet trained.",
        "On Jan. 5 and Sept. 30 they met.",
        "It was signed as No. 7 of the Gov. Office.",
        "H.E. Mr. Asif received Adm. Fox and Capt. Ito.",
        "Sen. Cruz, Rep. Lee and Prof. J. A. Khan agreed.",
        "Talks began at 10 a.m. on Monday.",
        "It cost $3.5 million vs. 2.1 million in 2019.",
        "The firm Acme Co. Ltd. won.",
    ],
)
def test_abbreviations_do_not_end_a_sentence(sentence: str) -> None:
    assert sentences_of(f"{sentence} They left.") == [sentence, "They left."]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("He refused. They left.", "He refused."),
        ("Why? They left.", "Why?"),
        ("Stop! They left.", "Stop!"),
        ("“We agree.” They left.", "“We agree.”"),
        ("He came (late). They left.", "He came (late)."),
        ("It was signed in 2019. They left.", "It was signed in 2019."),
        pytest.param("The answer was no. They left.", "The answer was no."),
        pytest.param("The men sat. They left.", "The men sat."),
    ],
)
def test_a_sentence_ends_at_its_mark(text: str, first: str) -> None:
    assert sentences_of(text) == [first, "They left."]


@pytest.mark.parametrize(
    "sentence",
    [
        "They met in Washington, D.C. on Friday.",
        "Capt. (retd.) Safdar spoke.",
        "The order is on p. 7 of the paper.",
    ],
)
def test_more_abbreviations_do_not_end_a_sentence(sentence: str) -> None:
    assert sentences_of(sentence) == [sentence]


def test_sentences_are_numbered_through_the_document_with_true_offsets() -> None:
    text = f"# {OPENING} Gen. Lim agreed.\n\nNext steps\n\n  {CLOSING}"
    passages = segment(Document("d", text), unit="sentence")
    assert [passage.text for passage in passages] == [OPENING, "Gen. Lim agreed.", CLOSING]
    assert [passage.id for passage in passages] == ["d#1", "d#2", "d#3"]
    assert [text[passage.start : passage.end] for passage in passages] == [OPENING, "Gen. Lim agreed.", CLOSING]


def test_a_sentence_runs_on_over_the_lines_of_a_wrapped_paragraph() -> None:
    text = "\n".join([*WRAPPED, "He was glad."])
    assert texts_of(text, "sentence") == ["\n".join(WRAPPED), "He was glad."]

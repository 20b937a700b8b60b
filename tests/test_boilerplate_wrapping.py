"""Texts wrapped at a width are cleaned as if their lines had not been broken."""

import textwrap

import numpy as np
import pytest

from toolkit import BoilerplateRemover
from toolkit.boilerplate.reading import About, Reading
from toolkit.boilerplate.wrapping import unwrapped
from toolkit.buffer import Buffer
from toolkit.corpus import make_corpus

STORY = (
    "The council of Harrow Bay voted on Tuesday to close the ferry terminal for repairs that may last until spring. "
    "Engineers had found cracks in two of the six piers, and a third one was found to lean. Buses will run instead.",
    "Passengers who hold a yearly ticket get a third of its price back, the harbour master said. He had asked for the "
    "repairs four years ago, when the first crack was seen by a diver who was looking for a lost anchor.",
    "The fishermen of the northern pier are to move to the old dock. Some of them fear that the water there is too "
    "shallow at low tide, and they have asked the council to have it dredged before the winter.",
)
APPEAL = (
    "Independent journalism needs your support. We depend on donations from readers like you to keep our reporting "
    "free for everyone. Please donate today and help us continue our work. Every contribution makes a difference."
)


def text(width=0, at=2):
    parts = [*STORY[:at], APPEAL, *STORY[at:]]
    return "\n\n".join(textwrap.fill(part, width) if width else part for part in parts)


@pytest.mark.parametrize("width", [60, 72, 80, 100])
@pytest.mark.parametrize("at", range(4))
def test_a_wrapped_text_loses_what_it_loses_unwrapped(width, at):
    remover = BoilerplateRemover()
    plain, wrapped = text(at=at), text(width, at)
    found = remover.spans([wrapped])
    assert plain[found["start"].min() : found["end"].max()] == APPEAL
    assert found.equals(remover.spans([plain]))
    clean = remover.transform([wrapped])["clean_text"].item()
    assert clean.split() == " ".join(STORY).split()
    assert "\n" in clean.partition("\n\n")[0]  # the story keeps its lines
    assert not len(remover.spans([clean]))


@pytest.mark.parametrize("at", range(4))
def test_windows_line_ends_change_nothing(at):
    remover, wrapped = BoilerplateRemover(), text(72, at)
    windows = wrapped.replace("\n", "\r\n")
    found, there = remover.spans([wrapped]), remover.spans([windows])
    assert found["kind"].tolist() == there["kind"].tolist()
    for one, two in zip(found.itertuples(), there.itertuples(), strict=True):
        assert wrapped[one.start : one.end].split() == windows[two.start : two.end].split()
    assert unwrapped(Buffer.of([windows])).data.tobytes().count(b"\r") == windows.count("\r\n\r\n") * 2


@pytest.mark.parametrize("headline", ["Harbour council votes to close ferry terminal " * 2, "Harbour " * 40])
def test_a_headline_may_be_longer_than_the_width(headline):
    flat = unwrapped(Buffer.of([f"{headline.strip()}\n\n{text(72)}"]))
    assert flat.text(0, len(flat.data)) == f"{headline.strip()}\n\n{text()}"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_links_on_lines_of_their_own_cut_no_sentence(end):
    lines = [
        "By Jane Doe",
        "The mayor of the town,",
        "Anna Lindqvist",
        ", said on Monday that the council of",
        "Harbour Bay",
        "would close the ferry (see",
        "our report",
        ") for the winter",
        ".",
        "Share",
        "news",
        "It rained.",
        "the end of a line that is long, and one that begins small",
    ]
    flat = unwrapped(Buffer.of([end.join(lines)]))
    sentence = " ".join(lines[1:9]) if end == "\n" else "  ".join(lines[1:9])
    assert flat.text(0, len(flat.data)) == end.join([lines[0], sentence, *lines[9:]])
    spaced = f"It rained.{end}Traders at {end}Ogbe Market{end} have lost{end}It sank by{end}By {end}Jo"
    flat = unwrapped(Buffer.of([spaced]))
    gap = " " * len(end)
    assert flat.text(0, len(flat.data)) == (
        f"It rained.{end}Traders at {gap}Ogbe Market{gap} have lost{end}It sank by{end}By {gap}Jo"
    )
    always = Buffer.of([f" {end} ".join(["By Jo Rau", "Verla Post", "Ferries sink", "It rained"])])
    assert unwrapped(always) is always
    headline = Buffer.of([end.join(["Ferry closes for the winter", "Harbour Bay", "shuts", "It rained."])])
    assert unwrapped(headline) is headline
    lower = Buffer.of([end.join(lines).lower()])
    assert unwrapped(lower) is lower


def test_lines_of_rights_and_headlines_above_hide_no_wrapping():
    head = (
        "Ferry closed for repairs, and the buses run instead until the spring of next year\n204 words\n"
        + "R R" * 66
    )
    flat = unwrapped(Buffer.of([f"{head}\n{text(72)}"]))
    assert flat.text(0, len(flat.data)) == f"{head}\n{text()}"


@pytest.mark.parametrize("width", [60, 72])
@pytest.mark.parametrize("alphabet", ["абвгдежзиклмнопрст", "αβγδεζηθικλμνοπρστ", "ابتثجحخدذرزسشصضطظع"])
def test_a_width_counts_letters_of_any_script(width, alphabet):
    words = [alphabet[i % 7 : i % 7 + 2 + i % 9] for i in range(60)]
    flat = unwrapped(Buffer.of([textwrap.fill(" ".join(words), width)]))
    assert flat.text(0, len(flat.data)) == " ".join(words)


@pytest.mark.parametrize(
    "lines",
    [
        "No one saw it.\nAnna Lindqvist,\nthe mayor, said on Monday that it had sunk off the coast.\nIt rained.",
        "Dear readers,\nThe mayor of the town said on Monday that the ferry had sunk off the coast.\nIt rained.",
        "Bread 200 g,\nButter 100 g,\nSugar 50 g and a long explanation of why it must be white\nSalt",
    ],
)
def test_sentences_that_end_salutations_and_lists_lead_to_no_link(lines):
    flat = unwrapped(Buffer.of([lines]))
    assert flat.text(0, len(flat.data)).split("\n")[0] == lines.split("\n")[0]


def test_verse_is_read_as_a_sentence():
    verse = (
        "Roses are red, and violets are blue,\nsugar is sweet,\nso is the harbour of Lorve too.\nIt rained."
    )
    flat = unwrapped(Buffer.of([verse]))
    assert flat.text(0, len(flat.data)) == verse.replace(",\n", ", ")


def test_no_text_before_tells_of_spaces():
    text = "\r\nThe mayor said on Monday that the council of\r\nHarbour Bay\r\n, would close the ferry\r\nIt rained"
    alone = unwrapped(Buffer.of([text]))
    for other in ("x", "x "):
        buffer = Buffer.of([other, text])
        flat = unwrapped(buffer)
        assert flat.text(*flat.offsets[1:]) == alone.text(0, len(alone.data))


def test_a_width_may_be_one_of_bytes():
    story = " ".join(STORY).replace("o", "ó")
    lines, line = [], ""
    for word in story.split():
        if len(f"{line} {word}".encode()) > 72:
            lines, line = [*lines, line], word
        else:
            line = f"{line} {word}".strip()
    flat = unwrapped(Buffer.of(["\n".join([*lines, line])]))
    assert flat.text(0, len(flat.data)) == story


def test_a_list_is_no_wrapping():
    buffer = Buffer.of(
        [
            "\n".join(
                f"{name} of the northern pier won in round {i}" for i, name in enumerate(STORY[0].split())
            )
        ]
    )
    assert unwrapped(buffer) is buffer


def test_lines_between_long_paragraphs_are_no_wrapping():
    listed = textwrap.fill(STORY[0], 72).title()
    buffer = Buffer.of(["\n\n".join([*STORY * 2, listed, *STORY])])
    assert unwrapped(buffer) is buffer


def test_only_the_texts_of_a_portion_are_copied_and_their_spans_stand_where_they_stood():
    texts = [STORY[0], text(72), text()]
    whole = Buffer.of(texts)
    portions = [Buffer(whole.data, whole.offsets[k : k + 2]) for k in range(3)]
    assert [len(unwrapped(portion).data) for portion in portions] == [
        len(whole.data),
        len(texts[1]),
        len(whole.data),
    ]
    corpus = make_corpus([{"doc_id": str(k), "text": one} for k, one in enumerate(texts)])
    about = About.of(corpus)
    for k, portion in enumerate(portions):
        alone = Reading.of(Buffer.of([texts[k]]), about.take(np.array([k])))
        read = Reading.of(portion, about.take(np.array([k])))
        assert np.array_equal(read.segments.start, alone.segments.start + whole.offsets[k])
        assert np.array_equal(read.segments.end, alone.segments.end + whole.offsets[k])
        assert np.array_equal(read.prints, alone.prints)


def test_offsets_stay_and_only_forced_breaks_go():
    buffer = Buffer.of([text(72), text(), "One line.\nAnother one.\n"])
    flat = unwrapped(buffer)
    changed = np.flatnonzero(flat.data != buffer.data)
    assert set(buffer.data[changed]) == {10}
    assert set(flat.data[changed]) == {32}
    assert (changed < buffer.offsets[1]).all()
    assert flat.text(0, int(flat.offsets[1])) == text()


@pytest.mark.parametrize(
    "lines",
    [
        "Roses are red, and violets are blue\nSugar is sweet\nSo is the harbour of Lorve too\nWho knows.\n" * 4,
        "\n".join(f"{n}. Team of the town number {n} {'x' * (n % 7)} {n}:{n + 1}" for n in range(30)),
        textwrap.fill(" ".join(STORY), 38),  # a scanned column
        "\n".join(["古い蔵には、県内では珍しい木桶が並び、甘く澄んだ香りがほのかに漂う。" * 3] * 8),
        "\n".join([f"{STORY[0]}", *STORY[1:]]),
        "",
    ],
)  # fmt: skip
def test_other_texts_are_left_as_they_are(lines):
    buffer = Buffer.of([lines])
    assert unwrapped(buffer) is buffer

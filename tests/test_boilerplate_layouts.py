"""Layouts, the path through a text, and what stands around a segment."""

import itertools
import textwrap

import numpy as np
import pandas as pd
import pytest

import toolkit
from toolkit.boilerplate import BoilerplateRemover
from toolkit.boilerplate.blocks import BLOCKS, CEILING, FLOOR, HEARD, blocks
from toolkit.boilerplate.borders import BORDERS, Borders, borders
from toolkit.boilerplate.model import shipped_model
from toolkit.boilerplate.network import SAYS
from toolkit.boilerplate.proposals import EDGED, NONE, PROPOSALS, Proposals, propose
from toolkit.boilerplate.reading import LAYOUTS, UNLIKE, About, Reading, layouts
from toolkit.boilerplate.stretches import SWITCH, stretches
from toolkit.boilerplate.weighing import (
    APPEAL,
    SHARE,
    add_network,
    unsupported,
)
from toolkit.buffer import Buffer
from toolkit.segments import LINE, cut
from toolkit.segments import SENTENCE as SENTENCE_JOINT

SENTENCE = "The harbour board met on Monday and voted for the new ferry. "
WIDE = "理事会は月曜日に会合を開き、新しいフェリーに賛成した。"
TEXTS = {
    "paragraphs": "\n\n".join([SENTENCE * 4] * 4),
    "lines": "\n".join([SENTENCE * 4] * 4),
    "page": "\n".join(["Home", "News", "Sport", "Weather"] * 10 + [SENTENCE] * 5),
    "one_line": SENTENCE * 20,
    "glued": SENTENCE.strip() * 20,
    "lower_case": "\n\n".join([SENTENCE.lower() * 4] * 4),
    "capitals": "\n\n".join([SENTENCE.upper() * 4] * 4),
    "short": SENTENCE,
}


def reading(text: str) -> Reading:
    corpus = toolkit.corpus.as_corpus([text])
    return Reading.of(Buffer.of(corpus["text"]), About.of(corpus), shipped_model().words)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_are_recognised(layout):
    read = reading(TEXTS[layout])
    assert LAYOUTS[layouts(read.buffer, read.segments, read.shapes)[0][0]] == layout


def test_scripts_without_capitals_are_not_lower_case_and_an_empty_text_is_short():
    for text, layout in ((WIDE * 30, "one_line"), ("\n\n".join([WIDE * 9] * 4), "paragraphs"), ("", "short")):
        read = reading(text)
        assert LAYOUTS[layouts(read.buffer, read.segments, read.shapes)[0][0]] == layout


def test_the_path_is_the_best_of_all():
    segments = cut(Buffer.of(["One is here. Two is here.\nThree is here. Four is here.\n\nFive is here."]))
    inside, start = SWITCH["laid_out"]
    for seed in range(30):
        z = np.random.default_rng(seed).normal(size=5) * 2

        def worth(path, z=z):
            cost = [start if j <= LINE else inside for j in segments.joint[1:]]
            changes = sum(c for c, a, b in zip(cost, path, path[1:], strict=False) if a != b)
            return sum(z[i] for i in range(5) if path[i]) - changes - start * path[0]

        found = stretches(z, segments, np.zeros(1, np.int8)).tolist()
        best = max(itertools.product((False, True), repeat=5), key=worth)
        assert worth(found) == pytest.approx(worth(best))


def test_what_stands_around_a_segment_is_counted_as_by_hand():
    text = "Ferries sail again today. Ann Lee counted them. " + "Rain fell on the harbour. " * 20
    read = reading(text)
    n = len(read.segments)
    sums = np.linspace(-3, 3, n).astype(np.float32)
    rows = blocks(read, sums, np.ones(n, bool), np.zeros((n, len(SAYS)), np.float32))
    weight = np.minimum(read.size, 400).astype(float)
    column = dict(zip(BLOCKS, rows.T, strict=True))
    for s in (0, 5, n - 1):
        before = slice(max(s - 4, 0), s)
        wanted = np.average(sums[before], weights=weight[before]) if s else 0
        assert column["sum-4"][s] == pytest.approx(wanted, abs=1e-5)
    assert column["sum_best+"][0] == pytest.approx(sums[12])
    assert column["sum_at+"][0] == 12
    assert column["from_end"].tolist() == list(range(n - 1, -1, -1))
    # no word of the first sentence stands far away; all of the last do
    assert column["words_known0"][0] < 0.2
    assert column["words_known0"][n - 1] > 0.8


def test_what_the_network_says_stands_in_the_rows_and_is_averaged_like_the_signals():
    read = reading("A gift.\n" + "Give it!\n" * 3 + "No.\n" * 12 + "Gift, gift, give.")
    n = len(read.segments)
    says = np.random.default_rng(5).normal(0, 3, (n, len(SAYS))).astype(np.float32)
    rows = blocks(read, np.zeros(n, np.float32), np.ones(n, bool), says)
    assert np.array_equal(rows[:, [BLOCKS.index(name) for name in SAYS]], says)
    for signal in HEARD:
        plain = blocks(read, says[:, SAYS.index(signal)].clip(FLOOR, CEILING), np.ones(n, bool), says)
        for name in ("-2", "+12", "_document", "_outside", "_best-", "_at+", "_line", "_line+", "_line_best"):
            assert np.array_equal(
                rows[:, BLOCKS.index(f"{signal}{name}")], plain[:, BLOCKS.index(f"sum{name}")]
            )


def test_what_the_network_says_counts_half_and_never_against_what_repeats_or_on_pages():
    sums, layout = np.array([1, 1, 1, 1], np.float32), np.array([0, 0, LAYOUTS.index("page"), 3], np.int8)
    says = np.zeros((4, len(SAYS)), np.float32)
    says[:, SAYS.index("boilerplate")] = [-4, -4, -4, 4]
    assert add_network(sums, says, layout).tolist() == [1 - 4 * SHARE, 1 - 4 * SHARE, 1, 1 + 4 * SHARE]
    repeats = np.array([False, True, True, True])
    assert add_network(sums, says, layout, repeats).tolist() == [1 - 4 * SHARE, 1, 1, 1 + 4 * SHARE]


def test_what_only_the_first_decision_takes_for_an_appeal_stays_unless_it_repeats():
    kind = np.array([APPEAL, APPEAL, APPEAL + 1])
    assert (unsupported(np.full(3, 3.0), kind, np.array([False, True, False])) > 0).tolist() == [
        False,
        True,
        True,
    ]


def proposed(read: Reading, asks: list[float]) -> Proposals:
    asked = np.array(asks, np.float32)
    return propose(read, asked, -asked, np.zeros((len(asks), len(SAYS)), np.float32))


def test_blocks_are_proposed_around_what_asks_within_one_text_and_told_as_by_hand():
    read = reading(
        "Rain fell on the port. Few came. Give now. We print the truth. It costs a lot. It was late."
    )
    asks = [-3.0, -2.0, 4.0, 1.0, 3.5, -5.0]
    found = proposed(read, asks)
    pairs = list(zip(found.first.tolist(), found.end.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    assert all(0 <= a < b <= 6 for a, b in pairs)
    assert {(2, 5), (2, 4), (0, 5), (2, 3)} <= set(pairs)
    row = dict(zip(PROPOSALS, found.rows[pairs.index((2, 5))].tolist(), strict=True))
    size = read.size.astype(float)
    assert row["asks"] == pytest.approx(np.average(asks[2:5], weights=size[2:5]), abs=0.01)
    assert row["sum"] == pytest.approx(-row["asks"], abs=0.01)
    assert row["asks_rest"] == pytest.approx(np.average([-3, -2, FLOOR], weights=size[[0, 1, 5]]), abs=0.01)
    told = {
        "share_asking": 1, "asks_least": 1, "asks_most": 4, "asks_outside": -2, "asks_first": 4, "asks_second": 1,
        "asks_before": -2, "asks_last": 3.5, "asks_last_but_one": 1, "asks_after": FLOOR, "segments": 3,
        "from_start": 2, "bytes": size[2:5].sum(), "text_bytes": size.sum(),
        "joint": SENTENCE_JOINT, "joint_after": SENTENCE_JOINT,
    }  # fmt: skip
    assert {name: row[name] for name in told} == told
    one = dict(zip(PROPOSALS, found.rows[pairs.index((2, 3))].tolist(), strict=True))
    assert one["asks_second"] == one["asks_last_but_one"] == NONE, "not inside the block"
    assert not len(proposed(read, [-4.0] * 6).first), "nothing asks"


def bordered(read: Reading, asks: list[float], heard: list[bool]) -> tuple[Proposals, Borders]:
    found, asked = proposed(read, asks), np.array(asks, np.float32)
    told = np.stack([asked, -asked, asked / 2, asked / 3], axis=1)
    return found, borders(read, found, asked, -asked, told, np.array(heard))


def test_a_border_is_told_by_the_segments_on_either_side_that_were_heard():
    read = reading("Rain fell. Few came. Give now. We print the truth. It costs a lot. It was late.")
    asks, heard = [-3.0, -2.0, 4.0, 1.0, 3.5, -5.0], [True, True, True, True, True, False]
    found, beside = bordered(read, asks, heard)
    assert len(set(zip(beside.left.tolist(), beside.right.tolist(), strict=True))) == len(beside.left)
    pairs = list(zip(found.first.tolist(), found.end.tolist(), strict=True))
    for k, (a, b) in enumerate(pairs):
        assert (beside.left[beside.first[k]], beside.right[beside.first[k]]) == (a - 1, a)
        assert (beside.left[beside.end[k]], beside.right[beside.end[k]]) == (
            b - 1 if b < 6 else -1,
            b if b < 5 else -1,
        )
    row = dict(zip(BORDERS, beside.rows[beside.first[pairs.index((2, 5))]].tolist(), strict=True))
    assert (row["left_asks"], row["right_asks"], row["left_line_place"], row["right_line_place"]) == (
        -2,
        4,
        1,
        2,
    )
    row = dict(zip(BORDERS, beside.rows[beside.first[pairs.index((0, 5))]].tolist(), strict=True))
    assert {value for name, value in row.items() if name.startswith("left")} == {NONE}
    row = dict(zip(BORDERS, beside.rows[beside.end[pairs.index((2, 5))]].tolist(), strict=True))
    assert {value for name, value in row.items() if name.startswith("right")} == {NONE}, "not heard"
    opens, closes = (np.arange(len(beside.left), dtype=np.float32) + k for k in (0, 100))
    told = beside.joined(found, opens, closes)
    assert told.shape == (len(pairs), len(EDGED))
    assert np.array_equal(told[:, EDGED.index("opens")], opens[beside.first])
    assert np.array_equal(told[:, EDGED.index("closes_before")], closes[beside.first])


def test_of_blocks_that_overlap_the_best_counts():
    blocks_of = Proposals(np.array([0, 1, 3]), np.array([2, 4, 5]), np.empty((3, 0), np.float32))
    assert blocks_of.worth(np.array([1, 2, 0.5], np.float32), 6).tolist() == [NONE, 2, 2, 2, NONE, NONE]
    assert blocks_of.worth(np.array([2, 1, 0.5], np.float32), 6).tolist() == [2, 2, NONE, 0.5, 0.5, NONE]
    assert blocks_of.worth(np.ones(3, np.float32), 6).tolist() == [1, 1, NONE, 1, 1, NONE]


def test_a_text_has_the_same_proposals_alone_and_among_others():
    random = np.random.default_rng(11)
    texts = [
        " ".join(["Rain fell.", "Give now!\n", "We ask you."][k] for k in random.integers(0, 3, n))
        for n in (9, 1, 30)
    ]
    corpus = toolkit.corpus.as_corpus(texts)
    together = Reading.of(Buffer.of(corpus["text"]), About.of(corpus), shipped_model().words)
    bounds = together.segments.bounds
    asks = random.normal(0, 3, bounds[-1]).astype(np.float32)
    whole, all_beside = bordered(together, asks.tolist(), [True] * bounds[-1])
    for d, text in enumerate(texts):
        alone = proposed(reading(text), asks[bounds[d] : bounds[d + 1]].tolist())
        mine = (whole.first >= bounds[d]) & (whole.first < bounds[d + 1])
        assert np.array_equal(whole.first[mine] - bounds[d], alone.first)
        assert np.array_equal(whole.end[mine] - bounds[d], alone.end)
        assert np.array_equal(whole.rows[mine], alone.rows)
        _, beside = bordered(
            reading(text), asks[bounds[d] : bounds[d + 1]].tolist(), [True] * len(reading(text).size)
        )
        assert np.array_equal(all_beside.rows[all_beside.first[mine]], beside.rows[beside.first])
        assert np.array_equal(all_beside.rows[all_beside.end[mine]], beside.rows[beside.end])


PORT = (
    "The harbour board met on Monday and voted for a new ferry to the island.",
    "The boat will carry ninety cars and sail six times a day from May.",
    "Fishermen had asked for a later start, because they land their catch at dawn.",
    "The mayor said the price of a ticket would stay the same until next year.",
    "Two councillors voted against it and spoke of the cost of the new pier.",
    "Work on the pier begins in spring, and the old quay stays open until then.",
)
PLEA = (
    "Support our journalism. Reporting like this takes time and money. Readers who can afford it pay so that everyone "
    "can read. Become a member from £3 a month."
)


def test_an_appeal_in_one_line_goes_whole_and_alike_in_any_batch(monkeypatch):
    story = " ".join(PORT)
    texts = [" ".join([*PORT[:at], PLEA, *PORT[at:]]) for at in (2, 4, 6)] + [story]
    remover = BoilerplateRemover(output="text")
    assert remover.transform(texts).tolist() == [story] * 4
    whole = remover.spans(texts)
    monkeypatch.setattr("toolkit.boilerplate.remover.PORTION", 400)
    pd.testing.assert_frame_equal(remover.spans(texts), whole)
    backwards = remover.spans(texts[::-1])
    assert backwards["start"].tolist() == whole["start"].tolist()[::-1]


def test_spans_say_for_how_many_documents_nothing_is_promised():
    german = "Der Rat der Stadt hat am Montag getagt und für die neue Fähre über den Fluss gestimmt. " * 4
    russian = "Совет заседал в понедельник и проголосовал за паром. " * 20
    spans = BoilerplateRemover().spans(
        [TEXTS["paragraphs"], "\n\n".join([german] * 4), russian, TEXTS["page"]]
    )
    assert spans.attrs["outside"] == 3
    assert spans.attrs["outside_languages"] == {"?": 1, "de": 1}
    assert spans.attrs["outside_layouts"] == {"one_line": 1, "page": 1}


def test_a_document_that_loses_more_than_half_is_named():
    appeal = "Sign up for our daily newsletter and never miss a story. Follow us on Twitter and Facebook. "
    spans = BoilerplateRemover().spans([SENTENCE, SENTENCE + "\n\n" + appeal * 3])
    assert spans.attrs["over_half"] == spans["doc_id"].unique().tolist()
    assert len(spans.attrs["over_half"]) == 1


TOLD = (
    "The harvest of barley fell by nine per cent in the dry north of the country.",
    "Growers there lost most, after hail in July, and asked for loans.",
    "Prices rose within an hour and closed at a hundred crowns a tonne.",
    "Pictures of the fields are expected in March and will be free for everyone.",
)
STRANGE = {
    "captions": "\n".join(f">> {sentence.upper()}" for sentence in TOLD),
    "transcript": "\n".join(
        ["VENN, HOST: " + TOLD[0], "(BEGIN VIDEOTAPE)", "MS. FERROW: " + TOLD[1], "(END VIDEOTAPE)"]
        + [f"VENN: {sentence}" for sentence in TOLD[2:]]
    ),
    "column": "\n".join(textwrap.wrap(" ".join(TOLD), 30)),
}


@pytest.mark.parametrize("layout", STRANGE)
def test_texts_unlike_all_that_was_learned_keep_their_story_and_nothing_is_promised(layout):
    texts = [STRANGE[layout], STRANGE[layout].replace("barley", "rye").replace("BARLEY", "RYE")]
    for remover in (BoilerplateRemover(), BoilerplateRemover().fit(texts)):
        spans = remover.spans(texts[:1])
        gone = {texts[0][a:b] for a, b in zip(spans["start"], spans["end"], strict=True)}
        assert gone <= {"(BEGIN VIDEOTAPE)", "(END VIDEOTAPE)"}
        assert spans.attrs["outside_layouts"] == {layout: 1}


def test_lines_that_quote_or_name_are_no_transcript_and_whole_lines_no_column():
    for text in (
        "\n".join(f"{head}\n{sentence}" for head, sentence in zip("ABCD", TOLD, strict=True)),
        "\n".join(["UPDATE: " + TOLD[0], *TOLD[1:] * 2]),
        "\n".join([">> " + TOLD[0], *TOLD[1:] * 2]),
    ):
        assert not set(BoilerplateRemover().spans([text]).attrs["outside_layouts"]) & set(UNLIKE)


def test_texts_younger_than_the_promise_are_counted_and_those_without_a_date_are_not():
    texts = {"text": [TEXTS["paragraphs"]] * 3, "published": ["2015-05-01", "2023-05-01", None]}
    attrs = BoilerplateRemover().spans(pd.DataFrame(texts)).attrs
    assert (attrs["outside"], attrs["outside_dates"], attrs["outside_languages"]) == (1, 1, {})


@pytest.mark.parametrize(
    "text", ["x" * 20_000, "a b " + "x" * 300, "X" * 9_000 + "\n" + SENTENCE * 3], ids=len
)
def test_a_giant_token_is_data_and_loses_nothing(text):
    assert toolkit.clean(text)["clean_text"].tolist() == [text]
    assert not len(BoilerplateRemover().spans([text]))

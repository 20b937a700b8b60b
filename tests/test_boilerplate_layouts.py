"""Layouts, the path through a text, and what stands around a segment."""

import itertools
import textwrap

import numpy as np
import pandas as pd
import pytest

import toolkit
from toolkit.boilerplate import BoilerplateRemover
from toolkit.boilerplate.evidence import AT, BODY, evidence
from toolkit.boilerplate.model import shipped_model
from toolkit.boilerplate.network import SAYS
from toolkit.boilerplate.proposals import BESIDE, BOUND, NONE, PROPOSALS, Proposals, propose
from toolkit.boilerplate.reading import LAYOUTS, UNLIKE, About, Reading
from toolkit.boilerplate.repetition import Seen
from toolkit.boilerplate.stretches import SWITCH, stretches
from toolkit.boilerplate.weighing import (
    APPEAL,
    SHARE,
    add_network,
    unsupported,
)
from toolkit.buffer import Buffer
from toolkit.corpus import make_corpus
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
    assert LAYOUTS[read.layouts[0][0]] == layout


def test_scripts_without_capitals_are_not_lower_case_and_an_empty_text_is_short():
    for text, layout in ((WIDE * 30, "one_line"), ("\n\n".join([WIDE * 9] * 4), "paragraphs"), ("", "short")):
        read = reading(text)
        assert LAYOUTS[read.layouts[0][0]] == layout


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


def test_what_the_network_says_counts_half_and_never_against_what_repeats():
    sums, says = np.array([1, 1, 1], np.float32), np.zeros((3, len(SAYS)), np.float32)
    says[:, SAYS.index("boilerplate")] = [-4, -4, 4]
    assert add_network(sums, says).tolist() == [1 - 4 * SHARE, 1 - 4 * SHARE, 1 + 4 * SHARE]
    repeats = np.array([False, True, True])
    assert add_network(sums, says, repeats).tolist() == [1 - 4 * SHARE, 1, 1 + 4 * SHARE]


def test_what_only_the_first_decision_takes_for_an_appeal_stays_unless_it_repeats():
    kind = np.array([APPEAL, APPEAL, APPEAL + 1])
    assert (unsupported(np.full(3, 3.0), kind, np.array([False, True, False])) > 0).tolist() == [
        False,
        True,
        True,
    ]


def proposed(read: Reading, says: np.ndarray, hinted: list[bool] | None = None) -> Proposals:
    texts = [True] * (len(read.segments.bounds) - 1)
    return propose(read, -says[:, 0], says, np.array(hinted or texts))


def test_blocks_are_proposed_around_what_asks_within_one_text_and_told_as_by_hand():
    read = reading(
        "Rain fell on the port. Few came. Give now. We print the truth. It costs a lot. It was late."
    )
    inside = np.array([-3.0, -2.0, 4.0, 1.0, 3.5, -8.0], np.float32)
    says = np.stack([inside, inside / 2, inside / 4, -inside], axis=1)
    found = proposed(read, says)
    pairs = list(zip(found.first.tolist(), found.end.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    assert all(0 <= a < b <= 6 for a, b in pairs)
    assert {(2, 5), (2, 4), (0, 5), (2, 3)} <= set(pairs)
    assert found.rows.shape == (len(pairs), len(PROPOSALS))
    row = dict(zip(PROPOSALS, found.rows[pairs.index((2, 5))].tolist(), strict=True))
    size = read.size.astype(float)
    assert row["inside"] == pytest.approx(np.average(inside[2:5], weights=size[2:5]), abs=0.01)
    assert row["sum"] == row["boilerplate"] == pytest.approx(-row["inside"], abs=0.01)
    rest = np.average([-3, -2, -BOUND], weights=size[[0, 1, 5]])
    assert row["inside_rest"] == pytest.approx(rest, abs=0.01)
    echo = np.average(read.echoes[2:5, 0], weights=size[2:5])
    assert row["words_known"] == pytest.approx(echo, abs=0.01)
    told = {
        "share_inside": 1, "inside_least": 1, "inside_most": 4, "begins_most": 2, "ends_most": 1,
        "boilerplate_most": -1, "inside_outside": -2, "inside_first": 4, "inside_second": 1,
        "inside_before": -2, "inside_last": 3.5,
        "inside_last_but_one": 1, "inside_after": -BOUND, "begins_first": 2, "begins_after": -4, "ends_last": 0.875,
        "ends_before": -0.5, "boilerplate_before": 2, "boilerplate_after": BOUND, "segments": 3, "from_start": 2,
        "bytes": size[2:5].sum(), "text_bytes": size.sum(), "joint": SENTENCE_JOINT, "joint_after": SENTENCE_JOINT,
    }  # fmt: skip
    assert {name: row[name] for name in told} == told
    one = dict(zip(PROPOSALS, found.rows[pairs.index((2, 3))].tolist(), strict=True))
    assert one["inside_second"] == one["inside_last_but_one"] == NONE, "not inside the block"
    whole = dict(zip(PROPOSALS, found.rows[pairs.index((0, 5))].tolist(), strict=True))
    before = [f"{name}_before" for name, edges in BESIDE.items() if "before" in edges]
    assert {whole[name] for name in ("inside_before", *before)} == {NONE}, "not in the text"
    assert not len(proposed(read, np.full_like(says, -4)).first), "nothing asks"
    assert not len(proposed(read, says, [False]).first), "no word hints at an appeal"


def test_of_blocks_that_overlap_the_best_counts():
    blocks_of = Proposals(np.array([0, 1, 3]), np.array([2, 4, 5]), np.empty((3, 0), np.float32))
    assert blocks_of.hold(np.array([0, 0, 1, 0, 0, 1], bool)).tolist() == [False, True, False]
    assert blocks_of.worth(np.array([1, 2, 0.5], np.float32), 6).tolist() == [NONE, 2, 2, 2, NONE, NONE]
    assert blocks_of.worth(np.array([2, 1, 0.5], np.float32), 6).tolist() == [2, 2, NONE, 0.5, 0.5, NONE]
    assert blocks_of.worth(np.ones(3, np.float32), 6).tolist() == [1, 1, NONE, 1, 1, NONE]


def test_a_longer_sure_block_adds_to_the_best_where_its_edge_goes_by_itself():
    nested = Proposals(np.array([0, 2, 2]), np.array([5, 5, 6]), np.empty((3, len(PROPOSALS)), np.float32))
    first = np.arange(6) == 0
    for score, longest in (([4, 8, 1], 4), ([2, 8, 1], None), ([4, 8, 9], None)):
        found = nested.worth(np.array(score, np.float32), 6, first).tolist()
        plain = nested.worth(np.array(score, np.float32), 6).tolist()
        assert found == ([longest] * 2 + [8] * 3 + [NONE] if longest else plain)
    assert nested.worth(np.array([4, 8, 1], np.float32), 6, ~first).tolist() == [NONE, NONE, 8, 8, 8, NONE]
    rows, everywhere = np.empty((3, len(PROPOSALS)), np.float32), np.ones(6, bool)
    for begin, end, score, wanted in (
        ([0, 0, 2], [2, 5, 5], [7, 3, 8], [7, 7, 8, 8, 8, NONE]),  # a longer block lowers no score
        ([0, 0, 2], [5, 6, 5], [7, 3, 9], [7, 7, 9, 9, 9, 3]),  # of two longer ones the surer counts
        ([0, 1, 2], [5, 6, 5], [3, 7, 9], [3, 7, 9, 9, 9, 7]),
    ):
        blocks_of = Proposals(np.array(begin), np.array(end), rows)
        assert blocks_of.worth(np.array(score, np.float32), 6, everywhere).tolist() == wanted


def test_a_text_has_the_same_proposals_alone_and_among_others():
    random = np.random.default_rng(11)
    texts = [
        " ".join(["Rain fell.", "Give now!\n", "We ask you."][k] for k in random.integers(0, 3, n))
        for n in (9, 1, 30)
    ]
    corpus = toolkit.corpus.as_corpus(texts)
    together = Reading.of(Buffer.of(corpus["text"]), About.of(corpus), shipped_model().words)
    bounds = together.segments.bounds
    says = random.normal(0, 3, (bounds[-1], len(SAYS))).astype(np.float32)
    whole = proposed(together, says)
    for d, text in enumerate(texts):
        alone = proposed(reading(text), says[bounds[d] : bounds[d + 1]])
        mine = (whole.first >= bounds[d]) & (whole.first < bounds[d + 1])
        assert np.array_equal(whole.first[mine] - bounds[d], alone.first)
        assert np.array_equal(whole.end[mine] - bounds[d], alone.end)
        assert np.array_equal(whole.rows[mine], alone.rows)


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
    texts = [" ".join([*PORT[:at], PLEA, *PORT[at:]]) for at in (1, 2, 4)] + [story]
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


def test_the_body_of_a_page_is_found_and_what_stands_before_and_behind_it_is_told():
    menu = [f"Section {i}" for i in range(30)]
    story = [
        "The council of the harbour town voted on Tuesday to repair the old lighthouse before winter comes.",
        "Engineers had warned in spring that the stairs were no longer safe for the keeper and her family.",
        "The mayor said that the work would cost as much as the town spends on its roads in three years.",
    ]
    tail = ["The bridge across the river was closed again yesterday after a lorry had lost its load of sand."]
    text = "\n".join([*menu, *story, *menu[:20], *tail, *menu[20:]])
    corpus = make_corpus(
        [{"doc_id": name, "text": t} for name, t in (("page", text), ("article", "\n".join(story)))]
    )
    read = Reading.of(Buffer.of(corpus["text"]), About.of(corpus), shipped_model().words)
    layout = read.layouts[0]
    everything = np.ones(len(read.segments), bool)
    rows = evidence(read, None, Seen.of(read, None), everything)
    page, article = np.split(rows, [read.segments.bounds[1]])
    assert [LAYOUTS[k] for k in layout] == ["page", "short"]
    assert page[:, AT.off_body].tolist() == [*range(-30, 0), 0, 0, 0, *range(1, 32)]
    assert page[0, AT.likely_before] == 0 < page[31, AT.likely_before] < page[-1, AT.likely_before] == 1
    assert (page[:, AT.body] == page[0, AT.body]).all()
    assert page[0, AT.likely] > page[0, AT.body] > 0
    assert not article[:, [getattr(AT, name) for name in BODY]].any()

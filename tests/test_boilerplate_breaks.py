"""Lost line breaks: which texts have lost theirs, where segments are cut again, and how that is learned."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import toolkit
from toolkit.boilerplate.breaks import BITS, FEATURES, BreakWeights, places, restored, unbroken
from toolkit.boilerplate.decisions import Rules
from toolkit.boilerplate.model import SegmentModel, shipped_model
from toolkit.buffer import Buffer
from toolkit.errors import ModelError
from toolkit.segments import INLINE, Segments, cut
from training.breaks import learn_breaks
from training.labelled import labelled, recut, without_labels

STORY = (
    "The harbour board met on Monday and voted for the new ferry. Its chair, Ada Brook, said that the quay would be "
    "ready by June. Ferry tickets to cost two pounds more from May The board had asked for three bids. "
)
ONE_LINE = STORY * 3
STORM = [
    "Storm Closes Harbour For Two Days", "By Tom Reed", "Published 3 March 2021",
    "The harbour was closed on Tuesday after a storm.", "It will open again on Friday.", "Share this article",
    "The mayor said that nobody was hurt.",
]  # fmt: skip


def weights(constant: float) -> BreakWeights:
    return BreakWeights(np.zeros(1 << BITS, np.int8), np.array([1, constant], np.float32))


def pieces(segments: Segments, buffer: Buffer) -> list[str]:
    return [buffer.text(a, b) for a, b in zip(segments.start, segments.end, strict=True)]


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        (ONE_LINE, True), (STORY[:390], False), ("\n\n".join(["One line of the story stands here."] * 30), False),
        (STORY * 3 + "\n" + STORY * 3, True), ("Head\n\nLine two\n\nLine three\n\n" + STORY * 9, True),
        ("Head\n\nLine two\n\nLine three\n\n" + STORY * 2, False),
        (ONE_LINE.replace(". ", "."), False), ("", False), ("  \n ", False),
    ],
)  # fmt: skip
def test_a_text_has_lost_its_breaks_if_most_of_it_stands_in_long_lines(text, lost):
    segments = cut(Buffer.of([text, STORY]))
    assert unbroken(segments).tolist() == [lost, False]


def test_a_segment_may_be_cut_before_every_word_that_does_not_begin_small():
    buffer = Buffer.of([ONE_LINE, "Every Word Of This Is Large", ""])
    segments, marked = cut(buffer), np.array([True, False, False])
    everywhere = restored(buffer, segments, weights(1), marked)
    assert pieces(everywhere, buffer)[:5] == [
        "The harbour board met on", "Monday and voted for the new ferry.", "Its chair,", "Ada",
        "Brook, said that the quay would be ready by",
    ]  # fmt: skip
    assert pieces(everywhere, buffer)[-1] == "Every Word Of This Is Large"
    assert "".join(pieces(everywhere, buffer)).replace(" ", "") == "".join(pieces(segments, buffer)).replace(
        " ", ""
    )
    new = ~np.isin(everywhere.start, segments.start)
    assert (everywhere.joint[new] == INLINE).all()
    assert everywhere.bounds.tolist() == [0, len(everywhere) - 1, len(everywhere), len(everywhere)]
    assert restored(buffer, segments, weights(1), ~marked[[0, 0, 0]]) is segments
    assert pieces(restored(buffer, segments, weights(-1), marked), buffer) == pieces(segments, buffer)


def test_the_shipped_weights_find_where_headlines_bylines_and_buttons_ended():
    buffer = Buffer.of([" ".join(STORM * 3)])
    assert pieces(shipped_model().breaks.cut(buffer), buffer) == STORM * 3


UGLY = [
    "A" * 3000, "Ä " * 900, "\U0001f600 \U0001f600X " * 300, "… — “ ” " * 200, "1 2 3 4 " * 200, "日本 語 " * 200,
    "Ab\u00a0Cd " * 200, "\u0301A \u0301B " * 200, "x" * 500, " " * 600, "A\u2028B " * 200,
    "\u200b A\u00ad \ufeff\u200d " * 200, "\u200bA \u200b\u200bB\u200b " * 200,
]  # fmt: skip


def seen(text: str) -> str:
    return "".join(re.sub("[\u200b\u2060\ufeff]", "", text).split())  # they count as spaces


def test_a_text_is_cut_the_same_alone_and_among_others_and_nothing_of_it_is_lost():
    texts = [*UGLY, ONE_LINE, *(text + ONE_LINE for text in UGLY)]
    buffer = Buffer.of(texts)
    for model in (weights(1), shipped_model().breaks):
        together, found = model.cut(buffer), 0
        for number, text in enumerate(texts):
            own = Buffer.of([text])
            alone = model.cut(own)
            mine = slice(together.bounds[number], together.bounds[number + 1])
            for one, all_ in ((alone.start, together.start), (alone.end, together.end)):
                assert one.tolist() == (all_[mine] - buffer.offsets[number]).tolist()
            assert alone.joint.tolist() == together.joint[mine].tolist()
            whole = "".join(pieces(alone, own))
            assert seen(whole) == seen("".join(pieces(cut(own), own)))
            assert (alone.end > alone.start).all()
            assert (alone.start[1:] >= alone.end[:-1]).all()
            found += len(alone)
        assert found == len(together)


def test_characters_that_cannot_be_seen_change_nothing_of_where_lines_began():
    buffer, hidden = (
        Buffer.of([text]) for text in (ONE_LINE, ONE_LINE.replace("e", "e\u00ad").replace(" T", " \u200bT"))
    )
    (_, rows), (_, same) = (places(each, Segments.whole(each)) for each in (buffer, hidden))
    assert rows.tolist() == same.tolist()


def test_how_a_text_was_cut_does_not_change_whether_it_has_lost_its_breaks():
    texts = [(STORY * 9)[:size] for size in range(380, 430)] + [
        f"{(STORY * 9)[:n]}\n{STORY * 4}\n\nA" for n in range(900, 960, 3)
    ]
    buffer = Buffer.of(texts)
    segments = cut(buffer)
    lost = unbroken(segments)
    assert 0 < lost.sum() < len(texts)
    again = restored(buffer, segments, weights(1), np.ones(len(texts), bool))
    assert len(again) > len(segments)
    assert unbroken(again).tolist() == lost.tolist()


def test_places_and_their_buckets_do_not_depend_on_what_stands_around_the_segment():
    buffer = Buffer.of(["One Two three Four.", "Zero. One Two three Four."])
    found, rows = places(buffer, cut(buffer))
    assert [buffer.text(at, at + 4).split()[0] for at in found] == ["Two", "Four", "Two", "Four"]
    assert rows.shape == (4, FEATURES)
    assert rows[:2].tolist() == rows[2:].tolist()
    assert 0 <= rows.min() <= rows.max() < 1 << BITS


def test_a_decision_on_a_passage_holds_where_the_text_has_lost_its_breaks_and_its_pieces_nowhere_else():
    passage, text = " ".join(STORM[:4]), " ".join(STORM * 3)  # to the end of a sentence
    rules = Rules.of({passage: "keep"}, shipped_model().breaks)
    assert (len(rules.passages), len(rules.pieces)) == (1, 4)
    for verdict, gone in (("keep", 0), ("promo", 3)):
        remover = toolkit.BoilerplateRemover(decisions={passage: verdict})
        spans = remover.spans([text])
        removed = [text[a:b] for a, b in zip(spans["start"], spans["end"], strict=True)]
        assert sum(passage in each for each in removed) == gone, removed
        lines = "\n\n".join([*STORM, *STORM[3:]])
        assert remover.spans([lines]).equals(toolkit.BoilerplateRemover().spans([lines]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("breaks", np.zeros(8, np.int8)), ("breaks", np.zeros(1 << BITS, np.int16)),
        ("breaks_scale", np.array([1, np.nan], np.float32)), ("breaks_scale", np.zeros(3, np.float32)),
    ],
)  # fmt: skip
def test_weights_that_cannot_be_are_refused(name, value, tmp_path):
    model = shipped_model()
    field = {"breaks": "table", "breaks_scale": "scale"}[name]
    replace(model, breaks=replace(model.breaks, **{field: value})).save(tmp_path / "forged")
    with pytest.raises(ModelError, match=name):
        SegmentModel.load(tmp_path / "forged")


def corpus(texts: list[str]) -> pd.DataFrame:
    made = toolkit.corpus.as_corpus([f"{n}\n{text}" for n, text in enumerate(texts)])
    return made.assign(text=texts, fold=np.arange(len(texts)) % 2)


LINES = ["Ferry Prices Up", "Rain In Port", "Board Meets Again"]
BODY = [
    "The board of Ada Brook met in June. It sat with Tom Reed.",
    "The quay of Port Ness is old. It is by Old Bay.",
]
TEXTS = ["\n".join(f"{LINES[(n + k) % 3]}\n{BODY[k % 2]}" for k in range(4)) for n in range(12)]
NONE = pd.DataFrame([], columns=["doc_id", "start", "end", "kind"])


def test_breaks_are_learned_from_texts_that_have_them():
    learned = learn_breaks([labelled("gold", corpus(TEXTS), NONE)], 0)
    flat = " ".join(" ".join(TEXTS[:2]).split("\n"))
    found = pieces(learned.cut(Buffer.of([flat])), Buffer.of([flat]))
    assert [each for each in found if each in LINES] == [
        each for text in TEXTS[:2] for each in text.split("\n")[::2]
    ]


def test_nothing_is_learned_from_the_held_fold_from_other_parts_or_without_weight():
    def learned(held: int | None, **changed: np.ndarray | str) -> bytes:
        other = ["A Cue\nThe Rain\nFell On Port"] * 12
        weight = np.tile([1.0, 1.0], 12)
        texts = corpus([*TEXTS, *other]).assign(fold=np.repeat([0, 1], 12))
        part = labelled(changed.get("name", "gold"), texts, NONE, trees=changed.get("trees", weight))
        base = labelled("gold", corpus(TEXTS).assign(fold=0), NONE)
        return learn_breaks([base, part], held).table.tobytes()

    alone = learn_breaks([labelled("gold", corpus(TEXTS).assign(fold=0), NONE)] * 2, None).table.tobytes()
    assert learned(1) == alone
    assert learned(None, trees=np.repeat([1.0, 0.0], 12)) == alone
    assert learned(None) != alone
    once = learn_breaks([labelled("gold", corpus(TEXTS).assign(fold=0), NONE)], None).table.tobytes()
    assert learned(None, name="other") == once


def test_a_part_is_cut_again_by_the_weights_of_each_fold_and_keeps_what_is_known():
    texts = corpus([ONE_LINE, ONE_LINE, "Short. Text."])
    rows = [(texts["doc_id"][0], 0, 24, "byline"), (texts["doc_id"][1], 0, 24, "byline")]
    rows.append((texts["doc_id"][0], ONE_LINE.index("Ada"), ONE_LINE.index(" Brook"), "unsure"))
    part = labelled("gold", texts, pd.DataFrame(rows, columns=NONE.columns), trees=np.array([2.0, 1.0, 1.0]))
    assert recut(part, [weights(-1), weights(-1)]) is part
    again = recut(part, [weights(1), weights(-1)])  # the first text is of fold 0, the second of fold 1
    size = np.diff(again.read.segments.bounds)
    assert size.tolist() == [size[0], *np.diff(part.read.segments.bounds)[1:]]
    assert size[0] > 2 * np.diff(part.read.segments.bounds)[0]
    # 'The harbour board met on' is a byline here, and of 'Ada' nothing is known
    assert again.label[: size[0]].tolist() == [5, 0, 0, -1] + [0] * (size[0] - 4)
    assert again.marked[0] == 24
    assert again.trees[:4].tolist() == pytest.approx(
        [2 * np.sqrt(24 / 60), 2 * np.sqrt(36 / 60), 2 * 0.5, 0], rel=0.03
    )
    assert again.trees[size[0] :].tolist() == part.trees[-len(again.trees[size[0] :]) :].tolist()


def test_labels_that_are_in_doubt_are_taken_from_a_part_however_it_is_cut():
    texts = corpus([ONE_LINE, ONE_LINE])
    again = recut(labelled("gold", texts, NONE), [weights(1), weights(1)])
    doubted = pd.DataFrame(
        [(texts["doc_id"][1], 0, 24, "unsure"), ("not here", 0, 9, "unsure")], columns=NONE.columns
    )
    left = without_labels(again, doubted)
    assert np.flatnonzero(left.label != again.label).tolist() == [again.read.segments.bounds[1]]
    assert again.label.min() == 0

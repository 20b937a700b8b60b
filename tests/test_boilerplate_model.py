from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from numba import njit

from toolkit.boilerplate.echoes import ECHOES, Outlets, Titles, echoes
from toolkit.boilerplate.evidence import CLASSES, COLUMNS
from toolkit.boilerplate.features import BUCKETS, FINGERPRINTS, SHAPE
from toolkit.boilerplate.model import SHIPPED, SegmentModel
from toolkit.boilerplate.scoring import KINDS, LANES, PLEA, WINDOWS, add_rows, margins, read_segments
from toolkit.buffer import Buffer
from toolkit.segments import cut
from toolkit.trees import FIRST, Trees
from training.boosting import trees_of
from training.linear import fit_softmax, ngram_matrix, rounded


@njit
def lanes(table, index, first, last, scale, sums, by, margin):
    add_rows(table, index, first, last, scale, sums)
    margins(sums, scale, by, margin)


@pytest.fixture
def copy(tmp_path):
    for suffix in (".npz", ".json"):
        shutil.copy(SHIPPED.with_suffix(suffix), tmp_path / f"model{suffix}")
    return tmp_path / "model"


def test_the_shipped_model_is_small_and_round_trips_to_the_same_bytes(tmp_path):
    assert SHIPPED.with_suffix(".npz").stat().st_size <= 3 * 2**20
    model = SegmentModel.load()
    model.save(tmp_path / "again")
    for suffix in (".npz", ".json"):
        assert (tmp_path / f"again{suffix}").read_bytes() == SHIPPED.with_suffix(suffix).read_bytes()
    assert model.digest == model.card["sha256"]


def change_card(copy, **values):
    path = copy.with_suffix(".json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (
            lambda c: c.with_suffix(".npz").write_bytes(c.with_suffix(".npz").read_bytes()[:-100]),
            "SHA-256",
        ),
        (lambda c: c.with_suffix(".npz").write_bytes(b"\x80\x04pickle"), "SHA-256"),
        (lambda c: change_card(c, format="news-toolkit segment model 9"), "format"),
        (lambda c: change_card(c, columns=[]), "evidence columns differ"),
        (lambda c: change_card(c, thresholds={}), "not a segment model"),
        (lambda c: c.with_suffix(".json").write_text("{"), "cannot be read"),
    ],
    ids=["truncated", "pickle", "version", "columns", "thresholds", "card"],
)
def test_a_changed_model_is_refused_in_one_line(copy, harm, message):
    harm(copy)
    with pytest.raises(ValueError, match=message) as caught:
        SegmentModel.load(copy)
    assert "\n" not in str(caught.value)


def test_trees_that_point_outside_themselves_are_refused():
    trees = Trees(
        np.array([0, -1], np.int16), np.zeros(2, np.float32), np.array([0, 0], np.int32),
        np.array([1, 0], np.int32), np.array([0], np.int32), 0.0,
    )  # fmt: skip
    with pytest.raises(ValueError, match="outside themselves"):
        trees.check(1)


def test_trees_predict_as_the_model_they_were_made_from():
    from sklearn.ensemble import HistGradientBoostingClassifier

    random = np.random.default_rng(0)
    rows = random.normal(size=(400, 5)).astype(np.float32)
    model = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(rows, rows[:, 0] * rows[:, 1] > 0)
    trees, wanted = trees_of(model), model.decision_function(rows)
    assert np.allclose(trees.predict(rows), wanted, atol=1e-5)


def test_rows_are_scored_alike_alone_and_among_others():
    """Rows go down the trees several abreast and in blocks; neither shows."""
    trees = SegmentModel.load().alone.trees[0]
    rows = np.random.default_rng(3).normal(size=(300, int(trees.feature.max()) + 1)).astype(np.float32)
    together = trees.predict(rows, -1.0)
    for n in (1, 7, 8, 9, 127, 129):
        np.testing.assert_array_equal(trees.predict(rows[:n], -1.0), together[:n])


def test_lanes_add_and_compare_as_plain_arrays_do():
    random = np.random.default_rng(5)
    table = random.integers(0, 256, (50, LANES), np.uint8)
    index = random.integers(0, 50, 257).astype(np.uint32)
    scale = random.uniform(0.1, 2, LANES).astype(np.float32)
    sums, margin = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    for first, last in ((0, 257), (3, 30), (9, 10), (4, 4)):
        lanes(table, index, first, last, scale, sums, np.float32(0.5), margin)
        rows = table[index[first:last]].astype(np.int64) - 128
        np.testing.assert_array_equal(sums, rows.sum(axis=0).astype(np.float32) * scale)
        for at in (0, 8):
            half = (sums + scale)[at : at + 8]
            wanted = (half - half[0]) * np.float32(0.5)
            np.testing.assert_array_equal(margin[at + 1 : at + 8], wanted[1:])
            assert margin[at] == max(wanted[k] for k in range(1, 8) if at + k != PLEA)


def test_hopeless_rows_are_left_after_the_first_trees():
    from sklearn.ensemble import HistGradientBoostingClassifier

    random = np.random.default_rng(0)
    rows = random.normal(size=(400, 5)).astype(np.float32)
    model = HistGradientBoostingClassifier(max_iter=FIRST + 20, random_state=0).fit(rows, rows[:, 0] > 0)
    trees = trees_of(model)
    full, early = trees.predict(rows), trees.predict(rows, 0.0)
    assert (early != full).sum() > 100
    assert np.array_equal(early[early > 0.5], full[early > 0.5])


TEXTS = ["Sign up now! Follow Ann Lee.", "The vote, 52 to 48, failed.\n\nSign up now!", "次の駅。日本"]


def test_training_and_prediction_see_the_same_ngrams():
    buffer = Buffer.of(TEXTS)
    segments = cut(buffer)
    words = rounded(
        np.random.default_rng(0).normal(size=(BUCKETS, 16)).astype(np.float32),
        np.arange(16, dtype=np.float32),
    )
    read = read_segments(buffer, segments, words)
    logits = (
        ngram_matrix(buffer, segments) @ ((words.table.astype(np.float32) - 128) * words.scale) + words.bias
    )
    for table in ([*range(8)], [8, *range(10, 16)]):  # the lane of appeals is no class of the second
        p = np.exp(logits[:, table] - logits[:, table].max(axis=1, keepdims=True))
        assert np.allclose(p / p.sum(axis=1, keepdims=True), read.words[:, table], atol=1e-4)
    assert np.allclose(1 / (1 + np.exp(-logits[:, PLEA])), read.words[:, PLEA], atol=1e-4)
    prints, shapes = read.prints, read.shapes
    assert read.windows.shape == (len(segments), len(WINDOWS))
    assert prints.shape == (len(segments), len(FINGERPRINTS))
    assert shapes.shape == (len(segments), len(SHAPE))


def test_fingerprints_fold_case_space_digits_and_names():
    lines = [
        "Follow Ann Lee on Twitter",
        "follow  ann lee ON twitter",
        "Follow Bo Dahl on Twitter",
        "Aged 12",
        "Aged 97",
    ]
    buffer = Buffer.of(lines)
    prints = read_segments(buffer, cut(buffer)).prints
    exact, fuzzy = prints[:, 0], prints[:, 1]
    assert exact[0] == exact[1]
    assert exact[0] != exact[2]
    assert fuzzy[0] == fuzzy[2]
    assert exact[3] != exact[4]
    assert fuzzy[3] == fuzzy[4]


def test_marks_that_take_no_room_hide_nothing():
    lines = ["The vote failed on Monday.", "Share this article", "Sign up for our newsletter."]
    plain = Buffer.of(["\n".join(lines)])
    marked = Buffer.of(
        ["\ufeff" + "\n".join(f"\u200b{line}\u2060" for line in lines).replace(" ", " \u200b")]
    )
    words = SegmentModel.load().words
    one, other = (read_segments(buffer, cut(buffer), words) for buffer in (plain, marked))
    assert np.array_equal(one.words, other.words)
    assert np.array_equal(one.prints, other.prints)
    segments = cut(marked)
    assert [bytes(marked.data[a:b])[:3] for a, b in zip(segments.start, segments.end, strict=True)] == [
        line.encode()[:3] for line in lines
    ]


def test_a_word_reads_as_without_its_soft_hyphens():
    line = (
        "Abon\u00adnieren Sie un\u00adse\u00adren NEWS\u00adLETTER, 20\u00ad24 \u00adErscheinungs\u00adtage."
    )
    words = SegmentModel.load().words
    plain, marked = Buffer.of([line.replace("\u00ad", "")]), Buffer.of([line])
    one, other = (read_segments(buffer, cut(buffer), words) for buffer in (plain, marked))
    assert np.array_equal(one.words, other.words)
    assert np.array_equal(one.prints, other.prints)
    assert np.array_equal(one.terms, other.terms)
    changed = np.flatnonzero((one.shapes != other.shapes).any(axis=0))
    assert [SHAPE[column] for column in changed] == ["bytes"]


def test_weights_of_a_byte_are_near_the_weights_they_stand_for():
    weights = np.random.default_rng(0).normal(size=(BUCKETS, 16)).astype(np.float32)
    words = rounded(weights, np.zeros(16, np.float32))
    back = (words.table.astype(np.float32) - 128) * words.scale
    assert np.abs(back - weights).max() <= words.scale.max() * 0.51
    assert len(set(COLUMNS)) == len(COLUMNS)
    assert len(KINDS) == CLASSES - 1


def test_a_cue_in_a_long_segment_shows_in_its_windows():
    weights = np.zeros((BUCKETS, 16), np.float32)
    story = (
        "the committee heard evidence from a dozen witnesses about the state of the bridge over the river "
    )
    lines = [story * 3 + "sign up for our newsletter", "sign up for our newsletter " + story * 3, story * 3]
    buffer = Buffer.of(lines)
    segments = cut(buffer)
    cue = Buffer.of(["sign up for our newsletter"])
    weights[np.unique(ngram_matrix(cue, cut(cue)).indices), 2] = 1
    windows = read_segments(buffer, segments, rounded(weights, np.zeros(16, np.float32))).windows
    head, tail, most = (windows[:, WINDOWS.index(w)] for w in ("head_2", "tail_2", "most"))
    assert tail[0] > 1 > tail[1]
    assert head[1] > 1 > head[0]
    assert (most[:2] > 1).all()
    assert most[2] < 1


def test_echoes_tell_names_of_this_story_from_those_of_another():
    texts = [
        "Mayor Anna Lindqvist spoke on Monday. Later Mayor Anna Lindqvist left. Prince Otto Waldner married Queen"
    ]
    buffer = Buffer.of([t.replace(". ", ".\n") for t in texts])
    segments = cut(buffer)
    read = read_segments(buffer, segments)
    shared = echoes(
        segments, read.shapes, read.terms, Titles.of(pd.Series(["Lindqvist speaks"], dtype="str"))
    )
    known, new = (shared[:, ECHOES.index(c)] for c in ("names_known", "names_new"))
    assert known[1] > known[2]
    assert new[2] > new[1]
    assert shared[1, ECHOES.index("title_known")] > 0
    assert shared[2, ECHOES.index("title_known")] == 0


def test_no_texts_have_no_outlets():
    buffer = Buffer.of([])
    outlets = Outlets.of(pd.Series([], dtype="str"))
    assert outlets.start.dtype == outlets.stop.dtype == np.int64
    assert not len(outlets.named(buffer, cut(buffer), np.zeros(0, bool)))


@pytest.mark.parametrize(
    ("publisher", "text", "share"),
    [
        ("novaobec.cz", "| Nová obec", 1),
        ("www.harbor-news.co.uk", "© 2024 HARBOR NEWS", 10 / 14),
        ("The Harbor Times", "Harbor Times", 1),
        ("ign.com", "IGN beginning", 3 / 12),
        ("ign.com", "Beginning, campaign", 0),
        ("人民网", "来源：人民网", 3 / 5),
        ("한겨레", "학교로 간다", 0),
        ("한겨레", "한겨레가 전했다", 3 / 7),
        ("ab.com", "ab", 0),
        ("—", "— —", 0),
        (None, "none", 0),
        ("harbor.com", "", 0),
    ],
)
def test_segments_name_their_outlet_by_whole_words(publisher, text, share):
    buffer = Buffer.of([text])
    segments = cut(buffer)
    outlets = Outlets.of(pd.Series([publisher], dtype="str"))
    found = outlets.named(buffer, segments, np.ones(len(segments), bool))
    assert found.tolist() == pytest.approx([share] * len(segments))


def test_the_linear_learner_learns_and_is_deterministic():
    buffer = Buffer.of(["sign up now", "the vote failed"] * 30)
    matrix = ngram_matrix(buffer, cut(buffer))
    y = np.arange(60) % 2
    once = fit_softmax(matrix, y, np.ones(60, np.float32), classes=2, seed=1)
    again = fit_softmax(matrix, y, np.ones(60, np.float32), classes=2, seed=1)
    assert np.array_equal(once[0], again[0])
    assert ((matrix @ once[0] + once[1]).argmax(axis=1) == y).all()

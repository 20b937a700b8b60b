"""The network over segments: what it is told, what it says, and that nothing but the text decides."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import toolkit
from toolkit.boilerplate.echoes import ECHOES
from toolkit.boilerplate.labels import LABELS
from toolkit.boilerplate.model import SegmentModel, shipped_model
from toolkit.boilerplate.network import (
    FEWEST,
    INPUTS,
    LAYERS,
    MEANINGS,
    MOST,
    SAYS,
    SEEN,
    SILENCE,
    STEP,
    Layers,
    Network,
    seen,
)
from toolkit.boilerplate.reading import LAYOUTS, About, Reading
from toolkit.boilerplate.weighing import DOUBT, in_doubt
from toolkit.buffer import Buffer
from toolkit.errors import ModelError
from toolkit.topics.features import NO_WORDS, Lexicon
from training.encoder import piece_keys

TEXTS = [
    "The harbour board met on Monday.\n\nIt voted for the ferry. Give what you can!\n\nRain fell on the port.",
    "Give.",
    "",
    "\n".join(f"Line {k} of the list is here. And it goes on." for k in range(40)),
]


def reading(texts: list[str]) -> Reading:
    corpus = toolkit.corpus.as_corpus(texts)
    return Reading.of(Buffer.of(corpus["text"]), About.of(corpus), shipped_model().words)


def random_layers(width: int, inner: int, seed: int) -> Layers:
    random, arrays = np.random.default_rng(seed), {}
    for name, shape in Layers.shapes(width, inner).items():
        if name == "steps":
            arrays[name] = random.uniform(0.01, 0.05, shape).astype(np.float32)
        elif "_" in name:
            arrays[name] = random.uniform(1e-4, 2e-3, shape).astype(np.float32)
        elif name == "near":
            arrays[name] = random.uniform(-2e-3, 2e-3, shape).astype(np.float32)
        else:
            arrays[name] = random.integers(-MOST, MOST + 1, shape).astype(np.int8)
    return Layers(**arrays)


def network(seed: int = 0) -> Network:
    names = ["gift", "give", "ferry", "rain"]
    keys, order = np.unique(piece_keys(pd.Series(names), np.ones(4, bool)), return_index=True)
    table = np.random.default_rng(seed).integers(-40, 41, (4, MEANINGS)).astype(np.int8)[order]
    times = np.full(MEANINGS, 0.5, np.float32)
    stacks = tuple(random_layers(8, 5, seed + more) for more in (0, 100))
    return Network(Lexicon(keys, NO_WORDS.alike), table, times, stacks)


def said(of: Network, read: Reading, texts: list[bool]) -> np.ndarray:
    known = np.full((len(read.segments), MEANINGS + 1), -1, np.int32)
    return of.say(read, read.buffer, read.segments, read.echoes, known, np.array(texts))


def rounded(x: np.ndarray, step: float, least: int) -> np.ndarray:
    return np.rint(x / step).clip(least, MOST)


def by_hand(of: Network, rows: np.ndarray) -> np.ndarray:
    """What the stacks of layers say of one text on average."""
    return np.mean([by_layers(layers, rows) for layers in of.stacks], axis=0)


def by_layers(w: Layers, rows: np.ndarray) -> np.ndarray:
    """What one stack says, segment by segment, in float64."""
    n, width, inner = len(rows), w.first.shape[1], w.wide.shape[2]
    h = np.maximum(rows @ w.first.astype(float) * w.first_scale + w.first_bias, 0)
    known = opening = rounded(h, w.steps[0], -MOST)
    sums = rounded(np.maximum(known @ w.context.astype(float) * w.context_scale, 0), w.steps[-2], 0)
    text = rounded(sums.mean(axis=0) * w.steps[-2], w.steps[-1], 0)
    for k in range(LAYERS):
        z = np.zeros((n, inner))
        for s in range(n):
            for place, t in enumerate((s - 2**k, s, s + 2**k)):
                if 0 <= t < n:
                    z[s] += known[t] @ w.wide[k].astype(float) * w.near[k, place]
        z = z + w.wide_bias[k] + text @ w.told[k].astype(float) * w.told_scale[k]
        z = rounded(np.maximum(z, 0), w.steps[LAYERS + 1 + k], 0)
        h = h + z @ w.back[k].astype(float) * w.back_scale[k]
        known = rounded(h, w.steps[k + 1], -MOST)
    last = w.last.astype(float)
    out = known @ last[:width] * w.steps[LAYERS] + opening @ last[width:] * w.steps[0]
    return out * w.last_scale + w.last_bias


def inputs(of: Network, read: Reading, mine: slice) -> np.ndarray:
    """Columns of some segments that are read together, from the counts of their pieces."""
    known = np.full((len(read.segments), MEANINGS + 1), -1, np.int32)
    every = np.ones(len(read.segments.bounds) - 1, bool)
    of.say(read, read.buffer, read.segments, read.echoes, known, every)
    look = seen(read, read.echoes, read.segments.joint, known[:, -1].astype(np.int64))
    own = known[mine, :-1] * of.times.astype(float) / np.maximum(known[mine, -1:], FEWEST)
    own = np.rint(own).clip(-MOST, MOST)
    mean = np.rint(own.mean(axis=0))
    shared = np.rint(own * mean / STEP).clip(-MOST, MOST)
    return np.hstack([own, shared, np.broadcast_to(mean, own.shape), look[mine]])


def agree(found: np.ndarray, wanted: np.ndarray) -> bool:
    """Where a value lies at the border of two integers, float32 and float64 may part."""
    return bool(np.isclose(found, wanted, atol=0.05 * np.abs(wanted).max()).mean() > 0.95)


@pytest.mark.parametrize("seed", range(4))
def test_the_layers_say_what_they_say_by_hand(seed):
    of, read = network(seed), reading(TEXTS)
    found = said(of, read, [True] * len(TEXTS))
    assert found.shape == (len(read.segments), len(SAYS))
    for a, b in itertools.pairwise(read.segments.bounds.tolist()):
        if a < b:
            assert agree(found[a:b], by_hand(of, inputs(of, read, slice(a, b))))


def test_a_long_text_is_read_in_stretches(monkeypatch):
    monkeypatch.setattr("toolkit.boilerplate.network.LONGEST", 7)
    of, read = network(), reading(TEXTS)
    found, bounds = said(of, read, [True] * len(TEXTS)), read.segments.bounds
    assert (found != SILENCE).all()
    for a in range(bounds[3], bounds[4], 7):
        mine = slice(a, min(a + 7, bounds[4]))
        assert agree(found[mine], by_hand(of, inputs(of, read, mine)))


def test_word_pieces_are_summed_up_segment_by_segment_and_only_where_asked():
    of, read = network(), reading(["Gift, give, gift.\n\nNo such word here.", "Rain."])
    known = np.full((len(read.segments), MEANINGS + 1), -1, np.int32)
    of.say(read, read.buffer, read.segments, read.echoes, known, np.array([True, False]))
    row = {name: of.table[of.lexicon.keys.searchsorted(piece_keys(pd.Series([name]), np.ones(1, bool))[0])]
           for name in ("gift", "give")}  # fmt: skip
    assert known[0].tolist() == [*(2 * row["gift"].astype(int) + row["give"]).tolist(), 3]
    assert known[1].tolist() == [0] * (MEANINGS + 1)
    assert (known[2] == -1).all(), "of a text that nobody asked for"


def test_a_text_is_told_the_same_alone_and_among_others_to_the_bit():
    of = shipped_model().network
    texts = [*TEXTS, *(" ".join(TEXTS) for _ in range(200)), TEXTS[0]]
    read = reading(texts)
    together = said(of, read, [True] * len(texts))
    bounds = read.segments.bounds
    for text in (0, 1, 3, 100, len(texts) - 1):
        alone = said(of, reading([texts[text]]), [True])
        assert alone.tobytes() == together[bounds[text] : bounds[text + 1]].tobytes()
    some = [text % 3 == 0 for text in range(len(texts))]
    partly = said(of, read, some)
    asked = np.repeat(some, np.diff(bounds))
    assert partly[asked].tobytes() == together[asked].tobytes()
    assert (partly[~asked] == SILENCE).all()


def test_sums_stay_below_what_float32_holds_exactly():
    for layers in shipped_model().network.stacks:
        for part in ("first", "context", "wide", "told", "back", "last"):
            weights = np.abs(getattr(layers, part).astype(np.int64))
            assert (weights.sum(axis=-2) * MOST).max() < 2**24, part
        assert layers.first.shape[1] * MOST**2 < 2**24


def test_columns_are_named_and_within_a_byte():
    read = reading([*TEXTS, "\U0001f600" * 5000, "9" * 5000, "A" * 5000, "\x00" * 30])
    look = seen(read, read.echoes, read.segments.joint, np.full(len(read.segments), 4096))
    assert look.shape == (len(read.segments), len(SEEN))
    assert len(INPUTS) == len(set(INPUTS)) == 3 * MEANINGS + len(SEEN)
    assert (look[:, [SEEN.index(f"joint_{k}") for k in range(8)]].sum(axis=1) == STEP).all()
    assert SEEN[SEEN.index(ECHOES[0]) :] == (*ECHOES, *(f"label_{name}" for name in LABELS))


def test_the_network_reads_pages_and_texts_that_hint_at_an_appeal_or_hold_a_doubt():
    sums, owner = np.array([-4.0, DOUBT + 0.1, -9.0, -9.0, -9.0], np.float32), np.array([0, 1, 2, 3, 4])
    layout = np.array([0, 0, LAYOUTS.index("page"), 0, 0], np.int8)
    hinted = np.array([False, False, False, True, False])
    assert in_doubt(sums, hinted, layout, owner).tolist() == [False, True, True, True, False]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("layers1.first", np.zeros((3, 8), np.int8)), ("layers1.wide", np.zeros((LAYERS, 3, 1), np.float32)),
        ("layers1.near", np.zeros((LAYERS, 2, 5), np.float32)),
        ("layers1.steps", np.zeros(2 * LAYERS + 3, np.float32)),
        ("layers1.last_bias", np.full(len(SAYS), np.nan, np.float32)),
        ("layers1.context", np.int8(3)), ("pieces", np.uint32(3)),
        ("meanings", np.zeros((5, MEANINGS), np.int8)), ("meanings_scale", np.zeros(MEANINGS, np.float64)),
        ("pieces", np.zeros(4, np.uint32)), ("meanings_scale", np.full(MEANINGS, np.inf, np.float32)),
        ("layers1.first", None), ("layers3.first", np.zeros((3, 8), np.int8)), ("pieces", None),
        ("layers0.first_bias", np.full(8, 2e9, np.float32)),
    ],
)  # fmt: skip
def test_arrays_that_are_no_network_are_refused(tmp_path, monkeypatch, part, value):
    model = shipped_model()
    small = replace(model, network=network())
    whole = small._arrays()
    small.save(tmp_path / "sound")
    assert SegmentModel.load(tmp_path / "sound").digest == small.digest
    forged = {name: array for name, array in (whole | {part: value}).items() if array is not None}
    monkeypatch.setattr(SegmentModel, "_arrays", lambda _: forged)
    small.save(tmp_path / "forged")
    with pytest.raises(ModelError, match="not a segment model"):
        SegmentModel.load(tmp_path / "forged")

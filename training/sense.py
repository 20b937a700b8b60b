"""Learn what word pieces mean for appeals, from the vectors of a multilingual encoder.

A segment is the mean of its pieces' vectors, and so are the segments around it and the rest of its text. Multinomial
logistic regression on these three tells article text, appeals and other boilerplate apart. The log odds of an appeal
are linear in the pieces, so they fold into three weights a piece. What story a passage tells is learned without marks:
linear discriminant analysis (Fisher 1936) finds directions in which passages of one text are alike and texts differ.
"""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from toolkit import datasets
from toolkit.boilerplate.sense import FAR, FEWEST, NEAR, SENSES, SPACE, STORY, Sense
from toolkit.buffer import Buffer
from toolkit.segments import Segments, cut
from toolkit.topics.features import Lexicon, listed, reader, workspace
from training.encoder import encoder
from training.labelled import Labelled

Floats = NDArray[np.float32]

COMMON = 1e-3
"""A piece of probability p is weighed by ``sqrt(COMMON / (COMMON + p))``."""

SHARES = (0.4, 0.3, 0.3)
"""What article text, appeals and other boilerplate count for, whatever their number."""

PENALTY, STEPS = 3e-5, 60
"""Weight of the squares, and most steps of L-BFGS, which has not quite converged then."""

TAKEN = {
    "gold": (0.4, 1), "modern": (1, 1), "gold/one_line": (0.1, 0.3), "modern/one_line": (0.2, 1), "like": (1, 1),
    "like/more": (1, 1), "like/hard": (1, 1), "plain": (0.5, 1), "sample": (1, 1), "weak": (0.6, 1),
    "pages": (0.15, 0.2), "extracted": (0.12, 0.5), "inserted": (0.3, 1), "voices": (0.3, 1),
}  # fmt: skip
"""Parts that are learned from: the share of article text and of boilerplate that is drawn."""


PASSAGE, ENOUGH, PASSAGES = 4, 20, 3
"""Segments of a passage, and the fewest pieces that it has; the fewest passages of a text."""

RIDGE, APART, TEXTS, MANY = 0.1, 30.0, 20, 5000
"""Share of the variance within texts that is added in all directions; what the differences between languages weigh, in
which no story is to be seen; the fewest texts of a language; and the fewest pieces by which it is told from others."""


@cache
def pieces() -> tuple[NDArray[np.uint32], Floats]:
    """Keys of the encoder's pieces in Latin letters, ascending, and their vectors, common ones shorter."""
    listed = encoder().listed
    latin = listed["piece"].map(lambda piece: all(ord(c) < 0x250 or 0x1E00 <= ord(c) < 0x1F00 for c in piece))
    listed = listed[latin.to_numpy(bool)]
    keys, place = np.unique(listed["key"].to_numpy(), return_inverse=True)
    gather = csr_matrix(
        (np.ones(len(place), np.float32), (place, np.arange(len(place)))), (len(keys), len(place))
    )
    vectors = np.asarray(gather @ encoder().vectors[listed["row"]])
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    probability = np.bincount(place, encoder().probability[listed["row"]], minlength=len(keys))
    weight = np.sqrt(COMMON / (COMMON + probability))
    return keys, np.asarray(vectors * weight[:, None], np.float32)


def examples(parts: list[Labelled], seed: int) -> tuple[Floats, NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Return places of the segments that are learned from, their classes of three, weights and folds."""
    random = np.random.default_rng(seed)
    made: list[tuple[NDArray[Any], ...]] = []
    for part in parts:
        if part.name not in TAKEN:
            continue
        share = np.where(part.label == 0, *TAKEN[part.name])
        taken = np.flatnonzero((random.random(len(share)) < share) & (part.words > 0))
        label = np.minimum(part.label[taken], 2)
        made.append((_means(part, taken), label, part.words[taken] / share[taken], part.fold[taken]))
    places, label, weight, fold = (np.concatenate(each) for each in zip(*made, strict=True))
    return places, label.astype(np.int64), weight.astype(np.float32), fold


@njit(cache=True, nogil=True)
def _collect(data, start, end, reading, pointers, out):  # type: ignore[no-untyped-def]
    work = workspace(reading)
    _, (found, _, _), _, _ = work
    pointers[0] = 0
    for s in range(len(start)):
        n = listed(data, start[s], end[s], reading, work)
        for j in range(n):
            out[pointers[s] + j] = found[j]
        pointers[s + 1] = pointers[s] + n


def _pieces_of(buffer: Buffer, segments: Segments) -> csr_matrix:
    """Count the pieces of each segment."""
    keys = pieces()[0]
    pointers, rows = np.zeros(len(segments) + 1, np.int64), np.empty(len(buffer.data), np.int32)
    reading = reader(SPACE, Lexicon(keys, np.empty(0, np.uint64)))
    _collect(buffer.data, segments.start, segments.end, reading, pointers, rows)
    ones = np.ones(pointers[-1], np.float32)
    return csr_matrix((ones, rows[: pointers[-1]], pointers), (len(segments), len(keys)))


def _means(part: Labelled, at: NDArray[np.int64]) -> Floats:
    """Mean vectors of segments, of what stands around them and of the rest, side by side."""
    found, vectors = _pieces_of(part.read.buffer, part.read.segments), pieces()[1]
    pointers = found.indptr.astype(np.int64)
    sums = np.zeros((len(pointers), vectors.shape[1]))
    np.cumsum(found @ vectors, axis=0, out=sums[1:])
    bounds, document = part.read.segments.bounds, part.document[at]
    first, last = bounds[document], bounds[document + 1]

    def between(a: NDArray[np.int64], b: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        return sums[b] - sums[a], (pointers[b] - pointers[a])[:, None]

    own, n = between(at, at + 1)
    around, m = between(np.maximum(at - NEAR, first), np.minimum(at + NEAR + 1, last))
    text, total = between(first, last)
    near, k = between(np.maximum(at - FAR, first), np.minimum(at + FAR + 1, last))
    parts = (
        own / np.maximum(n, FEWEST), (around - own) / np.maximum(m - n, 1), (text - near) / np.maximum(total - k, 1)
    )  # fmt: skip
    return np.hstack(parts).astype(np.float32)


def passages_of(corpus: pd.DataFrame) -> tuple[Floats, NDArray[np.int64]]:
    """Return mean vectors of every :data:`PASSAGE` segments of the texts, and the text of each."""
    buffer = Buffer.of(corpus["text"])
    segments = cut(buffer)
    first = np.repeat(segments.bounds[:-1], np.diff(segments.bounds))
    begins = (np.arange(len(segments)) - first) % PASSAGE == 0
    ones = np.ones(len(segments), np.float32)
    counts = csr_matrix((ones, np.arange(len(segments)), np.append(np.flatnonzero(begins), len(segments))))
    counts = counts @ _pieces_of(buffer, segments)
    size = np.asarray(counts.sum(axis=1))
    text = np.searchsorted(segments.bounds, np.flatnonzero(begins), side="right") - 1
    long = size.ravel() >= ENOUGH
    long &= np.bincount(text[long], minlength=len(corpus))[text] >= PASSAGES
    return (counts @ pieces()[1] / np.maximum(size, 1))[long].astype(np.float32), text[long]


@cache
def languages() -> NDArray[np.float64]:
    """Differences of the mean vectors of languages from English, by sentences that are the same in all (SIB-200)."""
    sentences = datasets.load("sib200")
    buffer = Buffer.of(sentences["text"])
    segments = cut(buffer)
    lang = np.repeat(sentences["lang"].to_numpy(str), np.diff(segments.bounds))
    names, at = np.unique(lang, return_inverse=True)
    gather = csr_matrix((np.ones(len(at), np.float32), (at, np.arange(len(at)))))
    counts = gather @ _pieces_of(buffer, segments)
    size = np.asarray(counts.sum(axis=1))
    means = np.asarray(counts @ pieces()[1], np.float64) / np.maximum(size, 1)
    return (means - means[names == "en"])[size.ravel() >= MANY]


def learn_story(passages: Floats, text: NDArray[np.int64], lang: pd.Series[Any]) -> Floats:
    """Return :data:`STORY` numbers of each piece; ``text`` is the text of each passage, ``lang`` a language a text."""
    used, text = np.unique(text, return_inverse=True)
    size = np.bincount(text)
    means = np.asarray(csr_matrix((1 / size[text], (text, np.arange(len(text))))) @ passages, np.float64)
    apart = passages - means[text]
    within = apart.T @ apart / (len(passages) - len(means))
    by = pd.DataFrame(means).groupby(lang.fillna("").to_numpy()[used])
    often = by[0].transform("size").to_numpy() >= TEXTS
    others = (means - by.transform("mean").to_numpy())[often]
    between = others.T @ others / len(others) - within / size.mean()
    within += RIDGE * np.trace(within) / len(within) * np.eye(len(within))
    within += APART * languages().T @ languages() / len(languages())
    directions = eigh(between, within)[1][:, : -STORY - 1 : -1]
    return np.asarray((pieces()[1] - passages.mean(axis=0)) @ directions, np.float32)


def learn_sense(places: Floats, label: NDArray[np.int64], weight: Floats, story: Floats) -> Sense:
    """Fit the regression and fold the log odds of an appeal against article text into weights of pieces."""
    width = places.shape[1] // len(SENSES)
    size = np.repeat([np.sqrt(np.square(part).mean()) for part in np.hsplit(places, len(SENSES))], width)
    scaled = places / size.astype(np.float32)
    weight = weight.astype(np.float64)
    for k, share in enumerate(SHARES):
        weight[label == k] *= share / weight[label == k].sum()
    wanted = np.eye(len(SHARES), dtype=np.float32)[label]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        table = flat.reshape(-1, len(SHARES)).astype(np.float32)
        z = scaled @ table[:-1] + table[-1]
        z -= z.max(axis=1, keepdims=True)
        total = np.exp(z).sum(axis=1, keepdims=True)
        missed = (np.exp(z) / total - wanted) * weight[:, None].astype(np.float32)
        gradient = np.vstack([scaled.T @ missed + PENALTY * table[:-1], missed.sum(axis=0)])
        value = weight @ (np.log(total[:, 0]) - (z * wanted).sum(axis=1))
        return value + PENALTY / 2 * float(np.square(table[:-1]).sum()), gradient.ravel().astype(np.float64)

    start = np.zeros((places.shape[1] + 1) * len(SHARES))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x
    odds = found.reshape(-1, len(SHARES)) @ np.array([-1, 1, 0])
    keys, vectors = pieces()
    directions = (odds[:-1] / size).reshape(len(SENSES), width).T
    return Sense.of(keys, vectors @ directions, odds[-1], story)

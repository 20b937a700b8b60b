"""Duplication: find documents with the same text, wholly or for the most part (near-duplicates and wire copy).

Documents are compared by their sets of *shingles*, sequences of five words. The more documents of the same
publisher contain a shingle, the lower its weight: boilerplate and the background paragraphs of follow-up
stories weigh next to nothing, while an agency text that each of two publishers runs once has full weight.
A *posting list* names the documents that contain a shingle. Only documents that are close to each other in
such a list are compared, so the work grows with the amount of text, not with the square of the number of
documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import combinations, pairwise
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from toolkit.buffer import Buffer, spread
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.fields import url_key
from toolkit.kernels import njit
from toolkit.verdict import articles

COLUMNS = ("doc_id", "group", "kind", "similarity", "first_publisher")

SHINGLE = 5
"""Words per shingle: shorter ones match by chance (quotations, set phrases), longer ones miss light edits."""
WINDOW = 16
"""Two documents are compared only if they are at most this many places apart in a posting list."""
SAMPLED = 4
"""One shingle in this many is used to propose pairs; all shingles of a proposed pair are then compared."""
VERSION = 0.2
"""Least similarity of two documents with one address (:func:`toolkit.fields.url_key`): versions of one page."""
SHARED = 2
"""Least number of sampled shingles that two documents must share to be compared."""

BLOCK = 8_000_000
"""Bytes of text that are split into words at a time."""

PAIRS = 20_000_000
"""Most pairs that are proposed at a time."""

_WORD, _GAP, _IDEOGRAPH = 1, 0, 2

_T = TypeVar("_T")
_R = TypeVar("_R")

Turns = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[Any]]
Hashes = NDArray[np.uint64]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def duplicates(
    corpus: CorpusLike, *, wire: float = 0.35, near: float = 0.5, columns: Mapping[str, str] | None = None,
    n_jobs: int = 1,
) -> pd.DataFrame:  # fmt: skip
    """Group the documents that have the same text, wholly or for the most part.

    Parameters
    ----------
    corpus : corpus, Series or list of str
        Reads ``clean_text`` if present, else ``text``; ``publisher`` and ``published`` if known.
    wire : float, default 0.35
        Least similarity that puts documents of two publishers into one group.
    near : float, default 0.5
        Least similarity for two documents of one publisher, or of unknown publishers; 0.2 where both have the same
        ``url``, apart from ``www.``, ``utm_…`` and the like: they are versions of one page.
    columns : mapping, optional
        Column of the corpus → name in the DataFrame, for columns whose names are not recognised.
    n_jobs : int, default 1
        Threads; the result does not depend on it.

    Returns
    -------
    DataFrame
        One row for each document that has a duplicate, in corpus order: ``doc_id``, ``group`` (``doc_id``
        of the group's earliest document), ``kind`` (``exact``: all words are the same; ``wire``: the group has
        several publishers; ``near``: any other), ``similarity`` (float in [0, 1]: the highest with another
        member of the group), ``first_publisher`` (of the earliest document; may be missing). What a
        column ``verdict`` calls no article (:func:`toolkit.verdicts`) has no row; ``attrs["missing"]`` counts it.

    Notes
    -----
    Similarity is a weighted containment: the share of a document's shingles that are also in the other one, each
    weighted by 1 / (number of documents of its publisher that contain it); the larger of the pair's two shares counts.
    Documents of fewer than five words are compared only for equality, those without words not at all. Shingles:
    Broder, On the resemblance and containment of documents, 1997.

    Examples
    --------
    >>> story = "The harbour was closed on Monday after a freighter ran on to the reef in thick fog."
    >>> found = duplicates(["An entirely different text about cats.", story, story])
    >>> found[["doc_id", "group", "kind", "similarity"]].values.tolist()
    [['1', '1', 'exact', 1.0], ['2', '1', 'exact', 1.0]]
    """
    frame, missing = articles(as_corpus(corpus, columns))
    buffer = Buffer.of(
        frame["clean_text" if "clean_text" in frame.columns else "text"].reset_index(drop=True)
    )
    frame = frame[["doc_id", "url", "publisher", "published"]]
    del corpus  # its texts may be in nobody else's hands
    publisher = frame["publisher"].astype("category").cat.codes.to_numpy(np.int64)

    turns = partial(_in_turns, n_jobs)
    whole, postings = _read(buffer, turns)
    _, representative = np.unique(whole, return_index=True)
    same = representative[np.unique(whole, return_inverse=True)[1]]
    same = np.where(whole > 0, same, np.arange(len(same)))  # texts without words are not copies of each other
    page = frame["url"].map(url_key, na_action="ignore").astype("category").cat.codes.to_numpy(np.int64)
    pairs = _proposed(postings, same, publisher, page)
    del postings
    scores = _similar(buffer, pairs, same == np.arange(len(same)), publisher, turns)
    limit = np.where(publisher[pairs[:, 0]] != publisher[pairs[:, 1]], wire, near)
    twice = (page[pairs[:, 0]] == page[pairs[:, 1]]) & (page[pairs[:, 0]] >= 0)
    limit[twice] = np.minimum(limit[twice], VERSION)
    pairs, scores = pairs[scores >= limit], scores[scores >= limit]

    copies = np.flatnonzero(same != np.arange(len(same)))
    left = np.concatenate([pairs[:, 0], same[copies]])
    right = np.concatenate([pairs[:, 1], copies])
    value = np.concatenate([scores, np.ones(len(copies))])
    n = len(frame)
    links = coo_array((np.ones(len(left)), (left, right)), shape=(n, n))
    group = connected_components(links, directed=False)[1]
    best = np.zeros(n)
    np.maximum.at(best, left, value)
    np.maximum.at(best, right, value)
    table = _described(frame, group, best, whole)
    table.attrs["missing"] = missing
    return table


def _described(frame: pd.DataFrame, group: NDArray[np.int32], best: Floats, whole: Hashes) -> pd.DataFrame:
    """Return the result of :func:`duplicates` from the group, best similarity and hash of each document."""
    table = frame[["doc_id", "publisher", "published"]].reset_index(drop=True)
    table = table.assign(label=group, similarity=best, whole=whole)
    table = table[table.groupby("label")["label"].transform("size") > 1]
    # documents with equal dates are sorted by id, so that the order of the corpus does not matter
    first = table.sort_values(["published", "doc_id"]).groupby("label")[["doc_id", "publisher"]].nth(0)
    first.index = table.loc[first.index, "label"]
    by_group = table.groupby("label")
    kind = pd.Series("near", index=by_group.size().index)
    publishers, texts = by_group["publisher"].nunique(), by_group["whole"].nunique()
    kind[publishers > 1] = "wire"
    kind[texts == 1] = "exact"
    described = first.rename(columns={"doc_id": "group", "publisher": "first_publisher"}).assign(kind=kind)
    out = table[["doc_id", "label", "similarity"]].round(6).join(described, on="label")[list(COLUMNS)]
    return out.astype({name: "str" for name in COLUMNS if name != "similarity"}).reset_index(drop=True)


def _in_turns(n_jobs: int, task: Callable[[_T], _R], items: Sequence[_T]) -> Iterator[_R]:
    """Do a task for each item, so many at a time; yield the results in order."""
    with ThreadPoolExecutor(n_jobs) as pool:
        for first in range(0, len(items), n_jobs):  # all at once would hold the results of all
            yield from pool.map(task, items[first : first + n_jobs])


def _read(buffer: Buffer, turns: Turns) -> tuple[Hashes, tuple[Hashes, Ints]]:
    """Return a hash of each document's words, and the sampled shingles with the number of the document of each."""

    def block(documents: slice) -> tuple[Hashes, Hashes, Ints]:
        starts, stops = buffer.offsets[:-1][documents], buffer.offsets[1:][documents]
        found, ends, hashes = _shingles(buffer.data, starts, stops, np.uint64(SAMPLED))
        return hashes, found, np.diff(ends)

    edges = np.searchsorted(buffer.offsets, np.arange(buffer.offsets[0], buffer.offsets[-1], BLOCK))
    edges = np.unique(np.r_[0, edges.clip(0, len(buffer)), len(buffer)])
    none = np.empty(0, np.uint64), np.empty(0, np.uint64), np.empty(0, np.int64)
    found = [none, *turns(block, [slice(a, b) for a, b in pairwise(edges.tolist())])]
    whole, shingles, numbers = (np.concatenate(column) for column in zip(*found, strict=True))
    return whole, (shingles, np.repeat(np.arange(len(whole)), numbers))


def _proposed(postings: tuple[Hashes, Ints], same: Ints, publisher: Ints, page: Ints) -> Ints:
    """Return pairs of documents that share a page, or sampled shingles and are close in the posting lists."""
    kept = (same[postings[1]] == postings[1]) & _met_again(postings[0])
    shingles, owner = (column[kept] for column in postings)
    order = np.lexsort((owner, publisher[owner], shingles))
    shingles, owner = shingles[order], owner[order]
    found = [np.empty(0, np.int64)]
    edges = np.linspace(0, len(same), 2 + WINDOW * len(order) // PAIRS).astype(int)
    # pairs of some documents at a time, or they would fill the memory
    for lo, hi in pairwise(edges.tolist()):
        packed = np.empty(2 * WINDOW * int(((owner >= lo) & (owner < hi)).sum()), np.int64)
        packed = packed[: _postings(shingles, owner, len(same), lo, hi, packed)]
        pairs, shared = np.unique(packed, return_counts=True)
        found.append(pairs[shared >= SHARED])
    proposed = np.concatenate(found)
    # versions of one page, one after the other
    alone = np.flatnonzero((same == np.arange(len(same))) & (page >= 0))
    ranked = alone[np.argsort(page[alone], kind="stable")]
    follows = np.diff(page[ranked]) == 0
    proposed = np.union1d(proposed, ranked[:-1][follows] * len(same) + ranked[1:][follows])
    return np.stack([proposed // len(same), proposed % len(same)], axis=1).reshape(-1, 2)


def _similar(
    buffer: Buffer, pairs: Ints, counted: NDArray[np.bool_], publisher: Ints, turns: Turns
) -> Floats:
    """Return the similarity of each pair; ``counted`` documents, one of each text, give the weights."""
    compared = np.zeros(len(buffer), np.bool_)
    compared[pairs] = True
    starts, stops = buffer.offsets[:-1], buffer.offsets[1:]
    room = int(((stops - starts)[compared] // 2 + 1).sum())  # only what is written takes memory
    shingles, holders = np.empty(room, np.uint64), np.empty(room, np.int32)
    begin, end = np.zeros(len(buffer), np.int64), np.zeros(len(buffer), np.int64)
    n = 0

    def of_publisher(each: int) -> tuple[Hashes, Ints, Ints, Ints]:
        documents = np.flatnonzero(counted & (publisher == each))
        found, ends, _ = _shingles(buffer.data, starts[documents], stops[documents], np.uint64(1))
        again = np.flatnonzero(_met_again(found))  # a sort of all would take most of the time
        return found, ends, again[np.argsort(found[again])], documents

    for found, ends, order, documents in turns(of_publisher, np.unique(publisher[compared]).tolist()):
        n = _hold(found, ends, order, documents, compared, n, shingles, holders, begin, end)
    return _contained(shingles, holders, begin, end, pairs)


@njit(cache=True, nogil=True)
def _shingles(
    data: NDArray[np.uint8], starts: Ints, stops: Ints, sampled: np.uint64
) -> tuple[Hashes, Ints, Hashes]:
    """Return the sorted distinct shingles of each document, one in ``sampled``, and where each document's end.

    The third is a hash of each document's sequence of words, which ignores white space and punctuation.
    """
    out = np.empty(int((stops - starts).sum()) // 2 + 1, np.uint64)
    ends = np.zeros(len(starts) + 1, np.int64)
    whole = np.empty(len(starts), np.uint64)
    prime = np.uint64(0x100000001B3)
    leading = prime ** np.uint64(SHINGLE)
    n = 0
    for d in range(len(starts)):
        words = _words(data, starts[d], stops[d])
        whole[d] = len(words)
        rolled = np.uint64(0)
        first = n
        for i in range(len(words)):
            whole[d] += spread(words[i] + np.uint64(i) * np.uint64(0x9E3779B97F4A7C15))
            rolled = rolled * prime + words[i]
            if i < SHINGLE - 1:
                continue
            if i >= SHINGLE:
                rolled -= leading * words[i - SHINGLE]
            shingle = spread(rolled)
            if shingle % sampled == 0:
                out[n] = shingle
                n += 1
        own = np.sort(out[first:n])
        n = first
        for i in range(len(own)):
            if i == 0 or own[i] != own[i - 1]:
                out[n] = own[i]
                n += 1
        ends[d + 1] = n
    return out[:n].copy(), ends, whole


@njit(cache=True, nogil=True)
def _met_again(shingles: Hashes) -> NDArray[np.bool_]:
    """Whether each shingle may stand in the list again: surely if it does, seldom if it does not."""
    bits = np.uint64(16)
    while bits < 32 and (1 << bits) < 16 * len(shingles):
        bits += np.uint64(1)
    once, twice = np.zeros((1 << bits) // 64, np.uint64), np.zeros((1 << bits) // 64, np.uint64)
    for i in range(len(shingles)):
        place = shingles[i] >> (np.uint64(64) - bits)
        word, bit = place >> np.uint64(6), np.uint64(1) << (place & np.uint64(63))
        twice[word] |= once[word] & bit
        once[word] |= bit
    out = np.empty(len(shingles), np.bool_)
    for i in range(len(shingles)):
        place = shingles[i] >> (np.uint64(64) - bits)
        out[i] = (twice[place >> np.uint64(6)] >> (place & np.uint64(63))) & np.uint64(1) != 0
    return out


@njit(cache=True, nogil=True)
def _hold(
    found: Hashes, ends: Ints, order: Ints, documents: Ints, compared: NDArray[np.bool_], n: int,
    shingles: Hashes, holders: NDArray[np.int32], begin: Ints, end: Ints,
) -> int:  # fmt: skip
    """Keep the shingles of compared documents of a publisher, each with the number of its documents that have it."""
    number = np.ones(len(found), np.int32)
    a = 0
    while a < len(order):
        b = a + 1
        while b < len(order) and found[order[b]] == found[order[a]]:
            b += 1
        for i in range(a, b):
            number[order[i]] = b - a
        a = b
    for k in range(len(documents)):
        if compared[documents[k]]:
            begin[documents[k]] = n
            for i in range(ends[k], ends[k + 1]):
                shingles[n] = found[i]
                holders[n] = number[i]
                n += 1
            end[documents[k]] = n
    return n


@njit(cache=True, nogil=True)
def _words(data: NDArray[np.uint8], i: int, stop: int) -> Hashes:
    """Return a hash of every word of a document, ASCII letters in lower case."""
    out = np.empty((stop - i) // 2 + 1, np.uint64)
    basis, prime = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
    n = 0
    value = basis
    while i < stop:
        b = data[i]
        size = 1
        kind = _GAP
        if b >= 0xF0:
            size, kind = 4, _GAP
        elif b >= 0xE3:
            size, kind = 3, _IDEOGRAPH
        elif b >= 0xE0:
            size, kind = 3, (_GAP if b == 0xE2 else _WORD)
        elif b >= 0xC0:
            size, kind = 2, (_GAP if b == 0xC2 else _WORD)
        elif 48 <= b <= 57 or 65 <= b <= 90 or 97 <= b <= 122:
            kind = _WORD
        if kind != _WORD and value != basis:
            out[n] = value
            n += 1
            value = basis
        if kind != _GAP:
            for j in range(i, i + size):
                c = data[j]
                value = (value ^ np.uint64(c + 32 if 65 <= c <= 90 else c)) * prime
        if kind == _IDEOGRAPH:
            out[n] = value
            n += 1
            value = basis
        i += size
    if value != basis:
        out[n] = value
        n += 1
    return out[:n]


@njit(cache=True, nogil=True)
def _postings(ranked: Hashes, owner: Ints, documents: int, lo: int, hi: int, packed: Ints) -> int:
    """Propose pairs that are close together in a posting list and whose first document is one of ``lo:hi``."""
    n = 0
    a = 0
    while a < len(ranked):
        b = a + 1
        while b < len(ranked) and ranked[b] == ranked[a]:
            b += 1
        for i in range(a, b):
            for j in range(i + 1, min(b, i + 1 + WINDOW)):
                first = min(owner[i], owner[j])
                if lo <= first < hi:
                    packed[n] = first * documents + max(owner[i], owner[j])
                    n += 1
        a = b
    return n


@njit(cache=True, nogil=True)
def _contained(shingles: Hashes, holders: NDArray[np.int32], begin: Ints, end: Ints, pairs: Ints) -> Floats:
    """Return the similarity of each pair (see the notes of :func:`duplicates`)."""
    totals = np.zeros(len(begin))
    for d in range(len(begin)):
        for i in range(begin[d], end[d]):
            totals[d] += 1.0 / holders[i]
    out = np.zeros(len(pairs))
    for p in range(len(pairs)):
        x, y = pairs[p, 0], pairs[p, 1]
        i, j = begin[x], begin[y]
        left = right = 0.0
        while i < end[x] and j < end[y]:
            if shingles[i] == shingles[j]:
                left += 1.0 / holders[i]
                right += 1.0 / holders[j]
                i += 1
                j += 1
            elif shingles[i] < shingles[j]:
                i += 1
            else:
                j += 1
        if totals[x] > 0 and totals[y] > 0:  # else a document of fewer words than a shingle has
            out[p] = max(left / totals[x], right / totals[y])
    return out


def pair_scores(found: pd.DataFrame, gold: pd.DataFrame) -> dict[str, Any]:
    """Compare the pairs of documents that share a group in ``found`` with those of ``gold`` (``doc_id``, ``group``).

    Examples
    --------
    >>> groups = pd.DataFrame({"doc_id": ["a", "b", "c"], "group": ["1", "1", "2"]})
    >>> pair_scores(groups, groups)
    {'precision': 1.0, 'recall': 1.0, 'f1': 1.0, 'pairs': 1}
    """
    proposed, true = (
        {pair for _, ids in groups.groupby("group")["doc_id"] for pair in combinations(sorted(ids), 2)}
        for groups in (found, gold)
    )
    hit, both = len(proposed & true), len(proposed) + len(true)
    return {
        "precision": hit / len(proposed) if proposed else 1.0,
        "recall": hit / len(true) if true else 1.0,
        "f1": 2 * hit / both if both else 1.0,
        "pairs": len(true),
    }

"""Duplication: find documents with the same text, wholly or for the most part (near-duplicates and wire copy).

Documents are compared by their sets of *shingles*, sequences of five words. The more documents of the same
publisher contain a shingle, the lower its weight: boilerplate and the background paragraphs of follow-up
stories weigh next to nothing, while an agency text that each of two publishers runs once has full weight.
A *posting list* names the documents that contain a shingle. Only documents that are close to each other in
such a list are compared, so the work grows with the amount of text, not with the square of the number of
documents.

Texts are read in blocks, twice, and are not held. Of each document only the shingles that may come again are held, in
16 bytes each, and how many others stand between them: one that stands nowhere else is shared with no document, and has
the weight 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations, islice, pairwise
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

PAIRS = 5_000_000
"""Most pairs that are proposed at a time."""

COUNTED = 2_000_000
"""About how many shingles are counted at a time; each takes some 40 bytes."""

MOST_BITS = 29
"""Two tables of up to ``2**MOST_BITS`` bits tell which shingles may come again."""

_WORD, _GAP, _IDEOGRAPH = 1, 0, 2

_T = TypeVar("_T")
_R = TypeVar("_R")

Blocks = Callable[[], Iterable[Buffer]]
"""Begins to read the texts, and gives them block by block, in order."""
Turns = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]
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
    buffer = Buffer.of(frame["clean_text" if "clean_text" in frame.columns else "text"])
    edges = np.searchsorted(buffer.offsets, np.arange(buffer.offsets[0], buffer.offsets[-1], BLOCK))
    edges = np.unique(np.r_[0, edges.clip(0, len(buffer)), len(buffer)])
    blocks = [Buffer(buffer.data, buffer.offsets[a : b + 1]) for a, b in pairwise(edges.tolist())]
    table = duplicates_in(frame, lambda: blocks, buffer.data.size, wire=wire, near=near, n_jobs=n_jobs)
    table.attrs["missing"] = missing
    return table


def duplicates_in(
    documents: pd.DataFrame,
    blocks: Blocks,
    size: int,
    *,
    wire: float = 0.35,
    near: float = 0.5,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Do :func:`duplicates` for the documents (``doc_id, url, publisher, published``) whose texts ``blocks`` gives.

    ``size`` is about how many bytes the texts have; the result does not depend on it.
    """
    frame = documents[["doc_id", "url", "publisher", "published"]].reset_index(drop=True)
    publisher = frame["publisher"].astype("category").cat.codes.to_numpy(np.int32)
    turns = partial(_in_turns, n_jobs)
    whole, again = _read(blocks, size, turns)
    _, representative = np.unique(whole, return_index=True)
    same = representative[np.unique(whole, return_inverse=True)[1]]
    same = np.where(whole > 0, same, np.arange(len(same)))  # texts without words are not copies of each other
    alone = same == np.arange(len(same))
    page = frame["url"].map(url_key, na_action="ignore").astype("category").cat.codes.to_numpy(np.int32)
    held = _held(blocks, alone, again, turns)
    del again
    pairs = _proposed(held, alone, publisher, page)
    scores = _similar(held, pairs, publisher)
    limit = np.where(publisher[pairs[:, 0]] != publisher[pairs[:, 1]], wire, near)
    twice = (page[pairs[:, 0]] == page[pairs[:, 1]]) & (page[pairs[:, 0]] >= 0)
    limit[twice] = np.minimum(limit[twice], VERSION)
    pairs, scores = pairs[scores >= limit], scores[scores >= limit]

    copies = np.flatnonzero(~alone)
    left = np.concatenate([pairs[:, 0], same[copies]])
    right = np.concatenate([pairs[:, 1], copies])
    value = np.concatenate([scores, np.ones(len(copies))])
    n = len(frame)
    links = coo_array((np.ones(len(left)), (left, right)), shape=(n, n))
    group = connected_components(links, directed=False)[1]
    best = np.zeros(n)
    np.maximum.at(best, left, value)
    np.maximum.at(best, right, value)
    return _described(frame, group, best, whole)


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


def _in_turns(n_jobs: int, task: Callable[[_T], _R], items: Iterable[_T]) -> Iterator[_R]:
    """Do a task for each item, so many at a time; yield the results in order."""
    left = iter(items)
    with ThreadPoolExecutor(n_jobs) as pool:
        while some := list(islice(left, n_jobs)):  # all at once would hold the results of all
            yield from pool.map(task, some)


def _numbered(blocks: Blocks) -> Iterator[tuple[slice, Buffer]]:
    """Yield each block with the numbers of its documents."""
    n = 0
    for block in blocks():
        yield slice(n, n + len(block)), block
        n += len(block)


@dataclass(frozen=True)
class _Held:
    """Shingles that may come again, sorted and distinct within each document.

    Those of document ``d`` are ``shingles[bounds[d]:bounds[d + 1]]``. Before each, in their order, stand as many others
    as ``gaps`` (int32) says; ``rest`` (int32, a value a document) stand behind the last.
    """

    shingles: Hashes
    gaps: NDArray[np.int32]
    bounds: Ints
    rest: NDArray[np.int32]


def _read(blocks: Blocks, size: int, turns: Turns) -> tuple[Hashes, Hashes]:
    """Return a hash of each document's words, and a table of the shingles that may come again."""
    # a shingle takes some six bytes of text, and so six bits or more
    bits = min(max(size, 1 << 16).bit_length(), MOST_BITS)
    once, again = np.zeros((2, 1 << bits - 6), np.uint64)
    whole = [np.empty(0, np.uint64)]

    def split(block: Buffer) -> tuple[Hashes, Hashes]:
        found, ends, hashes = _shingles(block.data, block.offsets, np.ones(len(block), np.bool_))
        return found[: ends[-1]].copy(), hashes

    for found, hashes in turns(split, blocks()):
        _mark(found, once, again)
        whole.append(hashes)
    return np.concatenate(whole), again


def _held(blocks: Blocks, alone: NDArray[np.bool_], again: Hashes, turns: Turns) -> _Held:
    """Return the shingles that may come again, of documents that stand ``alone``."""

    def split(item: tuple[slice, Buffer]) -> tuple[NDArray[Any], ...]:
        place, block = item
        found, ends, _ = _shingles(block.data, block.offsets, alone[place])
        for a, b in pairwise(ends.tolist()):
            found[a:b].sort()  # numba's own takes ten times as long
        gaps, rest = np.empty(ends[-1], np.int32), np.empty(len(block), np.int32)
        n = _keep(found, ends, again, gaps, rest)
        return found[:n].copy(), gaps[:n].copy(), np.diff(ends), rest

    none = np.empty(0, np.uint64), np.empty(0, np.int32), np.zeros(1, np.int64), np.empty(0, np.int32)
    parts = zip(none, *turns(split, _numbered(blocks)), strict=True)
    shingles, gaps, sizes, rest = (np.concatenate(part) for part in parts)
    return _Held(shingles, gaps, np.cumsum(sizes), rest)


def _proposed(
    held: _Held, alone: NDArray[np.bool_], publisher: NDArray[np.int32], page: NDArray[np.int32]
) -> Ints:  # fmt: skip
    """Return pairs of documents that share a page, or sampled shingles and are close in the posting lists."""
    sampled = held.shingles % SAMPLED == 0
    shingles = held.shingles[sampled]
    owner = np.repeat(np.arange(len(alone), dtype=np.int32), np.diff(held.bounds))[sampled]
    order = np.lexsort((publisher[owner], shingles))  # stable: documents of a publisher stay in their order
    shingles, owner = shingles[order], owner[order]
    del sampled, order
    n = len(alone)
    found = [np.empty(0, np.int64)]
    edges = np.linspace(0, n, 2 + WINDOW * len(owner) // PAIRS).astype(int)
    # pairs of some documents at a time, or they would fill the memory
    for lo, hi in pairwise(edges.tolist()):
        packed = np.empty(2 * WINDOW * int(((owner >= lo) & (owner < hi)).sum()), np.int64)
        packed = packed[: _postings(shingles, owner, n, lo, hi, packed)]
        pairs, shared = np.unique(packed, return_counts=True)
        found.append(pairs[shared >= SHARED])
    proposed = np.concatenate(found)
    # versions of one page, one after the other
    paged = np.flatnonzero(alone & (page >= 0))
    ranked = paged[np.argsort(page[paged], kind="stable")]
    follows = np.diff(page[ranked]) == 0
    proposed = np.union1d(proposed, ranked[:-1][follows] * n + ranked[1:][follows])
    return np.stack([proposed // n, proposed % n], axis=1).reshape(-1, 2)


def _similar(held: _Held, pairs: Ints, publisher: NDArray[np.int32]) -> Floats:
    """Return the similarity of each pair (see the notes of :func:`duplicates`)."""
    if not len(pairs):
        return np.zeros(0)
    salt = spread.py_func(publisher.astype(np.uint64))
    holders = np.empty(len(held.shingles), np.int32)  # how many documents of the publisher have the shingle
    parts = 1 + len(holders) // COUNTED
    for part in range(parts):
        at, keys = _keys(held.shingles, held.bounds, salt, np.uint64(parts), np.uint64(part))
        _, places, numbers = np.unique(keys, return_inverse=True, return_counts=True)
        holders[at] = numbers[places]
    compared = np.zeros(len(publisher), np.bool_)
    compared[pairs] = True
    return _contained(held.shingles, held.gaps, held.bounds, held.rest, holders, compared, pairs)


@njit(cache=True, nogil=True)
def _shingles(
    data: NDArray[np.uint8], offsets: Ints, wanted: NDArray[np.bool_]
) -> tuple[Hashes, Ints, Hashes]:
    """Return the shingles of each wanted document in the order of its text, where each document's end, and hashes.

    A hash is over the sequence of a document's words and ignores white space and punctuation. What stands behind the
    last shingle is free.
    """
    out = np.empty(int(offsets[-1] - offsets[0]) // 2 + 1, np.uint64)
    ends = np.zeros(len(offsets), np.int64)
    whole = np.zeros(len(wanted), np.uint64)
    prime = np.uint64(0x100000001B3)
    leading = prime ** np.uint64(SHINGLE)
    n = 0
    for d in range(len(wanted)):
        if wanted[d]:
            words = _words(data, offsets[d], offsets[d + 1])
            whole[d] = len(words)
            rolled = np.uint64(0)
            for i in range(len(words)):
                whole[d] += spread(words[i] + np.uint64(i) * np.uint64(0x9E3779B97F4A7C15))
                rolled = rolled * prime + words[i]
                if i < SHINGLE - 1:
                    continue
                if i >= SHINGLE:
                    rolled -= leading * words[i - SHINGLE]
                out[n] = spread(rolled)
                n += 1
        ends[d + 1] = n
    return out, ends, whole


@njit(cache=True, nogil=True)
def _keep(
    shingles: Hashes, ends: Ints, again: Hashes, gaps: NDArray[np.int32], rest: NDArray[np.int32]
) -> int:
    """Keep the distinct shingles that may come again, in place; return how many there are."""
    n = begin = 0
    last = np.uint64(64 * len(again) - 1)
    for d in range(len(ends) - 1):
        end = ends[d + 1]
        gap, before = np.int32(0), np.uint64(0)
        for i in range(begin, end):
            shingle = shingles[i]
            if i > begin and shingle == before:
                continue
            before = shingle
            place = shingle & last
            if again[place >> np.uint64(6)] >> (place & np.uint64(63)) & np.uint64(1):
                shingles[n], gaps[n] = shingle, gap
                gap = np.int32(0)
                n += 1
            else:
                gap += np.int32(1)
        rest[d] = gap
        begin, ends[d + 1] = end, n
    return n


@njit(cache=True, nogil=True)
def _mark(shingles: Hashes, once: Hashes, again: Hashes) -> None:
    """Set a bit for each shingle that comes, and in the second table where its bit was set before."""
    last = np.uint64(64 * len(once) - 1)
    for shingle in shingles:
        place = shingle & last
        word, bit = place >> np.uint64(6), np.uint64(1) << (place & np.uint64(63))
        again[word] |= once[word] & bit
        once[word] |= bit


@njit(cache=True, nogil=True)
def _keys(
    shingles: Hashes, bounds: Ints, salt: Hashes, parts: np.uint64, part: np.uint64
) -> tuple[Ints, Hashes]:
    """Return the places of one part of the shingles, and keys that differ between publishers; ``salt`` is by document.

    Equal keys are in the same part.
    """
    at, keys = (
        np.empty(len(shingles), np.int64),
        np.empty(len(shingles), np.uint64),
    )  # only what is written takes memory
    n = 0
    for d in range(len(bounds) - 1):
        for i in range(bounds[d], bounds[d + 1]):
            if shingles[i] % parts == part:
                at[n], keys[n] = i, spread(shingles[i] ^ salt[d])
                n += 1
    return at[:n], keys[:n]


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
def _contained(
    shingles: Hashes, gaps: NDArray[np.int32], bounds: Ints, rest: NDArray[np.int32], holders: NDArray[np.int32],
    compared: NDArray[np.bool_], pairs: Ints,
) -> Floats:  # fmt: skip
    """Return the similarity of each pair. Weights are added in the order of all shingles, for the last digits' sake."""
    totals = np.zeros(len(compared))
    for d in range(len(compared)):
        if compared[d]:
            for i in range(bounds[d], bounds[d + 1]):
                for _ in range(gaps[i]):
                    totals[d] += 1.0
                totals[d] += 1.0 / holders[i]
            for _ in range(rest[d]):
                totals[d] += 1.0
    out = np.zeros(len(pairs))
    for p in range(len(pairs)):
        x, y = pairs[p, 0], pairs[p, 1]
        i, j = bounds[x], bounds[y]
        left = right = 0.0
        while i < bounds[x + 1] and j < bounds[y + 1]:
            if shingles[i] == shingles[j]:
                left += 1.0 / holders[i]
                right += 1.0 / holders[j]
                i += 1
                j += 1
            elif shingles[i] < shingles[j]:
                i += 1
            else:
                j += 1
        if totals[x] > 0 and totals[y] > 0:  # else a document has fewer words than a shingle
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

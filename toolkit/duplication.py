"""Duplication: find documents with the same text, wholly or for the most part (near-duplicates and wire copy).

Documents are compared by their sets of *shingles*, sequences of five words. The more documents of the same publisher
contain a shingle, the lower its weight: boilerplate and the background paragraphs of follow-up stories weigh next to
nothing, an agency text that each of two publishers runs once has full weight. A *posting list* names the documents that
contain a shingle; only documents that are close to each other in one are compared. Texts are read in blocks, twice; of
each document only the shingles that may come again are held, in 12 bytes each, and how many others it has (weight 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations, islice, pairwise
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from toolkit.buffer import Buffer, spread
from toolkit.corpus import CorpusLike, as_corpus, texts_of
from toolkit.errors import UsageError
from toolkit.fields import url_key
from toolkit.kernels import processors
from toolkit.shingles import WINDOW, Floats, Hashes, Ints, contained, keep, keyed, mark, postings, shingles_of
from toolkit.verdict import articles

COLUMNS = ("doc_id", "group", "kind", "similarity", "first_publisher")

SAMPLED = 4  # one shingle in so many is used to propose pairs; of a proposed pair, all shingles are compared
SHARED = 2  # sampled shingles that two documents must share at least to be compared
VERSION = 0.2  # least similarity of two documents with one address (fields.url_key): versions of one page
BLOCK = 8_000_000  # bytes of text that are split into words at a time
PAIRS = 5_000_000  # most pairs that are proposed at a time
COUNTED = 2_000_000  # about how many shingles are counted at a time; each takes some 40 bytes
MOST_BITS = 29  # two tables of up to 2**MOST_BITS bits tell which shingles may come again

Codes = NDArray[np.int32]
_T = TypeVar("_T")
_R = TypeVar("_R")

Blocks = Callable[[], Iterable[Buffer]]
"""Begins to read the texts, and gives them block by block, in order."""


def duplicates(
    corpus: CorpusLike, *, wire: float = 0.35, near: float = 0.5, columns: Mapping[str, str] | None = None,
    n_jobs: int = 1,
) -> pd.DataFrame:  # fmt: skip
    """Group the documents that have the same text, wholly or for the most part.

    One row for each document that has a duplicate, in corpus order: ``doc_id``, ``group`` (``doc_id`` of the group's
    earliest document), ``kind`` (``exact``: all words are the same; ``wire``: the group has several publishers;
    ``near``: any other), ``similarity`` (float in [0, 1]: the highest with another member of the group),
    ``first_publisher`` (of the earliest document; may be missing). What a column ``verdict`` calls no article
    (:func:`toolkit.verdicts`) has no row; ``attrs["missing"]`` counts it.

    Parameters
    ----------
    corpus : corpus, Series or list of str
        Reads the text that ``columns`` names, else ``clean_text`` if present, else ``text``; ``publisher`` and
        ``published`` if known.
    wire : float, default 0.35
        Least similarity that puts documents of two publishers into one group.
    near : float, default 0.5
        Least similarity for two documents of one publisher, or of unknown publishers; 0.2 where both have the same
        ``url``, apart from ``www.``, ``utm_…`` and the like: they are versions of one page.
    columns : mapping, optional
        Column of the corpus → name in the DataFrame, for columns whose names are not recognised.
    n_jobs : int, default 1
        Threads, -1 for all processors; the result does not depend on it.

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
    limits: dict[str, Any] = {"wire": wire, "near": near}
    for name, value in limits.items():
        if not isinstance(value, (int, float, np.number)) or not 0 <= value <= 1:
            raise UsageError(f"{name}={value!r}: a similarity between 0 and 1 is wanted, such as .35")
    if n_jobs < 1 and n_jobs != -1:
        raise UsageError(f"n_jobs={n_jobs!r}: give 1 or more, or -1 for all processors")
    n_jobs = processors() if n_jobs == -1 else n_jobs
    frame, missing = articles(as_corpus(corpus, columns))
    buffer = Buffer.of(texts_of(frame, columns))
    blocks = [block for _, block in buffer.portions(BLOCK)]
    table = duplicates_in(frame, lambda: blocks, buffer.data.size, wire=wire, near=near, n_jobs=n_jobs)
    table.attrs["missing"] = missing
    return table


def duplicates_in(
    documents: pd.DataFrame, blocks: Blocks, size: int, *, wire: float = 0.35, near: float = 0.5, n_jobs: int = 1
) -> pd.DataFrame:  # fmt: skip
    """Do :func:`duplicates` for the documents (``doc_id, url, publisher, published``) whose texts ``blocks`` gives.

    ``size`` is about how many bytes the texts have; the result does not depend on it.
    """
    frame = documents[["doc_id", "url", "publisher", "published"]].reset_index(drop=True)
    publisher = frame["publisher"].astype("category").cat.codes.to_numpy(np.int32)
    whole, again = _read(blocks, size, n_jobs)
    own = np.arange(len(whole))
    _, first, text = np.unique(whole, return_index=True, return_inverse=True)
    same = np.where(whole > 0, first[text], own)  # texts without words are not copies of each other
    alone = same == own
    page = frame["url"].map(url_key, na_action="ignore").astype("category").cat.codes.to_numpy(np.int32)
    held = _held(blocks, alone, again, n_jobs)
    del again
    pairs = _proposed(held, alone, publisher, page)
    scores = _similar(held, pairs, publisher)
    limit = np.where(publisher[pairs[:, 0]] != publisher[pairs[:, 1]], wire, near)
    twice = (page[pairs[:, 0]] == page[pairs[:, 1]]) & (page[pairs[:, 0]] >= 0)
    limit[twice] = np.minimum(limit[twice], VERSION)
    pairs, scores = pairs[scores >= limit], scores[scores >= limit]

    copies = own[~alone]
    links = np.concatenate([pairs, np.stack([same[copies], copies], axis=1)]).T
    value = np.concatenate([scores, np.ones(len(copies))])
    graph = coo_array((np.ones(len(value)), tuple(links)), shape=(len(own), len(own)))
    best = np.zeros(len(own))
    for side in links:
        np.maximum.at(best, side, value)
    label = connected_components(graph, directed=False)[1]
    return _described(frame.assign(label=label, similarity=best, whole=whole))


def _described(table: pd.DataFrame) -> pd.DataFrame:
    """Return the result of :func:`duplicates` from the group (``label``), best similarity and hash of each document."""
    table = table[table.duplicated("label", keep=False)]
    # documents with equal dates are sorted by id, so that the order of the corpus does not matter
    first = table.sort_values(["published", "doc_id"]).drop_duplicates("label").set_index("label")
    described = first[["doc_id", "publisher"]].set_axis(["group", "first_publisher"], axis=1)
    found = table.groupby("label")[["publisher", "whole"]].nunique().loc[first.index]
    described["kind"] = np.select([found["whole"] == 1, found["publisher"] > 1], ["exact", "wire"], "near")
    out = table[["doc_id", "label", "similarity"]].round(6).join(described, on="label")[list(COLUMNS)]
    return out.astype({name: "str" for name in COLUMNS if name != "similarity"}).reset_index(drop=True)


def _in_turns(task: Callable[[_T], _R], items: Iterable[_T], n_jobs: int) -> Iterator[_R]:
    """Do a task for each item, so many at a time; yield the results in order."""
    left = iter(items)
    with ThreadPoolExecutor(n_jobs) as pool:
        while some := list(islice(left, n_jobs)):  # all at once would hold the results of all
            yield from pool.map(task, some)


@dataclass(frozen=True)
class _Held:
    """Shingles that may come again, sorted and distinct within each document.

    Those of document ``d`` are ``shingles[bounds[d]:bounds[d + 1]]``; it has ``others[d]`` (int32) besides.
    """

    shingles: Hashes
    bounds: Ints
    others: Codes


def _read(blocks: Blocks, size: int, n_jobs: int) -> tuple[Hashes, Hashes]:
    """Return a hash of each document's words, and a table of the shingles that may come again."""
    # a shingle takes some six bytes of text, and so six bits or more
    bits = min(max(size, 1 << 16).bit_length(), MOST_BITS)
    once, again = np.zeros((2, 1 << bits - 6), np.uint64)
    whole = [np.empty(0, np.uint64)]

    def split(block: Buffer) -> tuple[Hashes, Hashes]:
        found, ends, hashes = shingles_of(block.data, block.offsets, np.ones(len(block), np.bool_))
        return found[: ends[-1]].copy(), hashes

    for found, hashes in _in_turns(split, blocks(), n_jobs):
        mark(found, once, again)
        whole.append(hashes)
    return np.concatenate(whole), again


def _held(blocks: Blocks, alone: NDArray[np.bool_], again: Hashes, n_jobs: int) -> _Held:
    """Return the shingles that may come again, of documents that stand ``alone``."""

    def parted() -> Iterator[tuple[Buffer, NDArray[np.bool_]]]:
        n = 0
        for block in blocks():
            yield block, alone[n : n + len(block)]
            n += len(block)

    def split(item: tuple[Buffer, NDArray[np.bool_]]) -> tuple[NDArray[Any], ...]:
        block, wanted = item
        found, ends, _ = shingles_of(block.data, block.offsets, wanted)
        for a, b in pairwise(ends.tolist()):
            found[a:b].sort()  # numba's own takes ten times as long
        others = np.empty(len(block), np.int32)
        n = keep(found, ends, again, others)
        return found[:n].copy(), np.diff(ends), others

    none = np.empty(0, np.uint64), np.zeros(1, np.int64), np.empty(0, np.int32)
    parts = zip(none, *_in_turns(split, parted(), n_jobs), strict=True)
    shingles, sizes, others = (np.concatenate(part) for part in parts)
    return _Held(shingles, np.cumsum(sizes), others)


def _proposed(held: _Held, alone: NDArray[np.bool_], publisher: Codes, page: Codes) -> Ints:
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
        packed = packed[: postings(shingles, owner, n, lo, hi, packed)]
        pairs, shared = np.unique(packed, return_counts=True)
        found.append(pairs[shared >= SHARED])
    proposed = np.concatenate(found)
    # versions of one page, one after the other
    paged = np.flatnonzero(alone & (page >= 0))
    ranked = paged[np.argsort(page[paged], kind="stable")]
    follows = np.diff(page[ranked]) == 0
    proposed = np.union1d(proposed, ranked[:-1][follows] * n + ranked[1:][follows])
    return np.stack(np.divmod(proposed, n), axis=1)


def _similar(held: _Held, pairs: Ints, publisher: Codes) -> Floats:
    """Return the similarity of each pair (see the notes of :func:`duplicates`)."""
    if not len(pairs):
        return np.zeros(0)
    salt = spread.py_func(publisher.astype(np.uint64))
    holders = np.empty(len(held.shingles), np.int32)  # how many documents of the publisher have the shingle
    parts = 1 + len(holders) // COUNTED
    for part in range(parts):
        at, keys = keyed(held.shingles, held.bounds, salt, np.uint64(parts), np.uint64(part))
        _, places, numbers = np.unique(keys, return_inverse=True, return_counts=True)
        holders[at] = numbers[places]
    compared = np.zeros(len(publisher), np.bool_)
    compared[pairs] = True
    return contained(held.shingles, held.bounds, held.others, holders, compared, pairs)


def pair_scores(found: pd.DataFrame, gold: pd.DataFrame) -> dict[str, Any]:
    """Compare the pairs of documents that share a group in ``found`` with those of ``gold`` (``doc_id``, ``group``).

    Examples
    --------
    >>> groups = pd.DataFrame({"doc_id": ["a", "b", "c"], "group": ["1", "1", "2"]})
    >>> pair_scores(groups, groups)
    {'precision': 1.0, 'recall': 1.0, 'f1': 1.0, 'pairs': 1}
    """
    grouped = (frame.groupby("group")["doc_id"] for frame in (found, gold))
    proposed, true = ({pair for _, ids in each for pair in combinations(sorted(ids), 2)} for each in grouped)
    hit, both = len(proposed & true), len(proposed) + len(true)
    return {
        "precision": hit / len(proposed) if proposed else 1.0,
        "recall": hit / len(true) if true else 1.0,
        "f1": 2 * hit / both if both else 1.0,
        "pairs": len(true),
    }

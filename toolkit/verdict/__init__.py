"""Say what each document is, with a probability: an article, or what the scraper got; and what stands in it twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.special import softmax

from toolkit.buffer import PRIME, Buffer, spread
from toolkit.kernels import njit
from toolkit.segments import Segments
from toolkit.tables import VERDICTS, verdicts_of
from toolkit.verdict.model import AT, LEARNED, VerdictModel, shipped_model
from toolkit.verdict.reading import KINDS, LOWER, read_words

__all__ = ["TEXTS", "VERDICTS", "articles", "others", "probabilities"]

TEXTS = ("article", "twice")  # of documents that hold an article

# verdict → share of repeated words from which a document with this verdict more likely holds its text ``twice``
DOUBLED = {"article": 0.25, "index": 0.25, "stub": 0.35}
LONG = 1500  # bytes from which prose counts as an article without a look by the model (see :func:`others`)
# What rules a verdict out, by the sounds of a document's segments. A stub has a segment that sounds like a wall or a
# gate (the offer after an article's beginning) with the probability OFFERED; a wall or an error has one that sounds
# like any of the three with HEARD, so that no text is one for being short. From the share STORY of characters that
# sound like a story on, a text is no index; from the share LOUD that sounds like a wall or an error on, a text of
# more than SOME characters is neither article nor index.
OFFERED, HEARD, STORY, LOUD, SOME = 0.6, 0.4, 0.6, 0.4, 300
# A short text that one publisher has several times is hardly an article. This counts fully up to BRIEF bytes, less and
# less up to SHORT bytes, and not at all beyond: the words of longer walls and errors give them away, and wire copy is
# long and stands in many papers of a publisher.
BRIEF, SHORT = 250, 500
DOUBT = 0.01  # chance that a text with a copy is no article, at least
PLAIN = 0.15  # added to the chance of a wall when such a text's lost chance of an article is shared out


def probabilities(corpus: pd.DataFrame, copies: NDArray[np.float64] | None = None) -> pd.DataFrame:
    """Return the probability of each of :data:`VERDICTS`, one row a document (``text``, ``title``); rows sum to one.

    ``copies``: how many documents of the publisher hold the same text; default 1 each.
    """
    buffer = Buffer.of(corpus["text"])
    learned = softmax(log_odds(corpus["text"], corpus["title"].fillna("")), axis=1)
    if copies is not None:
        weight = 2.0 * ((SHORT - np.diff(buffer.offsets)) / (SHORT - BRIEF)).clip(0, 1)
        article, wall = LEARNED.index("article"), LEARNED.index("wall")
        before = learned[:, article].copy()
        doubt = np.where(copies > 1, np.maximum(1 - before, DOUBT), 1 - before)
        after = before / (before + doubt * np.maximum(copies - 1, 1) ** weight)
        rest = np.where(np.arange(len(LEARNED)) == article, 0, learned)
        rest[:, wall] += PLAIN
        learned += rest / rest.sum(axis=1, keepdims=True) * (before - after)[:, None]
        learned[:, article] = after
    chances = np.zeros((len(corpus), len(VERDICTS)))
    chances[:, [VERDICTS.index(name) for name in LEARNED]] = learned
    share, _ = repeated(buffer)
    for name, least in DOUBLED.items():
        likely = 1 / (1 + np.exp(-20 * (share - least)))
        chances[:, VERDICTS.index("twice")] += chances[:, VERDICTS.index(name)] * likely
        chances[:, VERDICTS.index(name)] *= 1 - likely
    wordless = ~corpus["text"].str.contains(r"\w", regex=True).to_numpy(bool)
    # exp differs in the last digit between processors
    chances = chances.astype(np.float32).astype(np.float64)
    chances[wordless] = np.arange(len(VERDICTS)) == VERDICTS.index("empty")
    return pd.DataFrame(chances, index=corpus.index, columns=list(VERDICTS))


def others(corpus: pd.DataFrame) -> pd.Series[Any]:
    """Return the verdict of each document that holds no article, missing for those that hold one.

    A column ``verdict`` that holds anything else than :data:`VERDICTS` is a CorpusError. Without one the model judges
    the texts that are shorter than :data:`LONG` bytes or not laid out as prose. Longer prose counts as an article
    without a look, which keeps classifying topics fast.
    """
    if (given := verdicts_of(corpus)) is not None:
        return given.mask(given.isin(TEXTS)).astype("str")
    found = pd.Series(np.nan, index=corpus.index, dtype="str")
    at = np.flatnonzero(~_prose(corpus["text"]))
    if len(at):
        verdict = probabilities(corpus.iloc[at]).idxmax(axis=1)
        # a document that has only a title may have a topic
        titled = (verdict == "empty") & (corpus["title"].iloc[at].fillna("").str.strip() != "")
        found.iloc[at] = verdict.mask(verdict.isin(TEXTS) | titled).array
    return found


def log_odds(
    texts: pd.Series[Any], titles: pd.Series[Any], model: VerdictModel | None = None
) -> NDArray[np.float64]:
    """Log-odds of each of :data:`LEARNED`, by the shipped model or another.

    What a document cannot be, by the sounds of its segments (:data:`OFFERED` and the shares beside it), has -inf.
    """
    model = model or shipped_model()
    rows = model.rows(Buffer.of(_joined(texts)), Buffer.of(titles))
    sums = model.sums(rows)
    article, stub, wall, error, index, _ = range(len(LEARNED))
    loud = (rows[:, AT.share_wall] + rows[:, AT.share_error] >= LOUD) & (rows[:, AT.size] > np.log(SOME))
    offer = rows[:, [AT.most_wall, AT.most_gate]].max(axis=1)
    heard = np.maximum(offer, rows[:, AT.most_error])
    sums[offer < OFFERED, stub] = -np.inf
    sums[np.ix_(heard < HEARD, [wall, error])] = -np.inf
    sums[loud | (rows[:, AT.share_story] >= STORY), index] = -np.inf
    sums[loud, article] = -np.inf
    return sums


def _joined(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return the texts; where lines were wrapped at a margin, as in a scanned column, joined to one line."""
    breaks, double = (_count(pa.array(texts, pa.large_string()), each) for each in ("\n", "\n\n"))
    # the quickest first; two breaks in a row are never inside a sentence
    wrapped = (breaks >= 3) & (5 * (breaks - 2 * double) >= 2 * breaks)
    for sought, how, times in (
        (" ", pc.count_substring, 1),
        (r"[\pL\pN,;-]\n\p{Ll}", pc.count_substring_regex, 5),
    ):
        if wrapped.any():
            found = _count(pa.array(texts[wrapped]), sought, how)
            wrapped[wrapped] = times * found >= 2 * breaks[wrapped]
    return texts.mask(wrapped, texts.str.replace("\n", " ")) if wrapped.any() else texts


def _prose(texts: pd.Series[Any]) -> NDArray[np.bool_]:
    """Whether each text has :data:`LONG` bytes in long lines of sentences, and no marks of computer code."""
    array = pa.array(texts, pa.large_string())
    size = pc.binary_length(array).to_numpy(zero_copy_only=False)
    stops, marks = (_count(array, signs, pc.count_substring_regex) for signs in ("[.。]", "[{}<Ã]"))
    breaks = _count(array, "\n")
    return np.asarray((size >= LONG) & (stops * 400 >= size) & (breaks * 60 <= size) & (marks * 100 <= size))


def _count(texts: Any, sought: str, how: Callable[..., Any] = pc.count_substring) -> NDArray[np.int64]:
    """How often a string stands in each text of an Arrow array; or a pattern, in twice the time."""
    return np.asarray(how(texts, sought), np.int64)


def articles(corpus: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Leave out the documents that a column ``verdict`` calls no article; return the others, and counts by reason."""
    if "verdict" not in corpus.columns:
        return corpus, {}
    found = others(corpus)
    counts = {f"no article: {name}": int(n) for name, n in found.value_counts().sort_index().items()}
    return (corpus[found.isna()] if counts else corpus), counts


SHINGLE = 8  # a word is repeated if it is one of this many words in a row that stood in the text before
RUN = 16  # least words of a repeated passage
GAP = 3  # most words in a row, inside a repeated passage, that are not repeated


@njit(cache=True, nogil=True)
def _repeats(data, offsets, kinds, lower, words, begin, stop, share, owner, start, end):  # type: ignore[no-untyped-def]
    """Fill the share of repeated words of each document, and the repeated passages; return the number of passages."""
    found = 0
    leading = PRIME ** np.uint64(SHINGLE - 1)
    for d in range(len(offsets) - 1):
        n = read_words(data, offsets[d], offsets[d + 1], kinds, lower, words, begin, stop)
        share[d] = 0.0
        if n < SHINGLE + RUN:
            continue
        room = 64
        while room < 2 * n:
            room *= 2
        table = np.full(room, -1, np.int32)
        mask = np.uint64(room - 1)
        rolled = np.uint64(0)
        for k in range(SHINGLE - 1):
            rolled = rolled * PRIME + words[k]
        repeated, size = 0, 0  # words of all passages, and of the last one, words[first:last]
        first, last = 0, -GAP
        for k in range(n - SHINGLE + 1):
            rolled = rolled * PRIME + words[k + SHINGLE - 1]
            slot = spread(rolled) & mask
            rolled -= leading * words[k]
            while table[slot] >= 0:
                for j in range(SHINGLE):
                    if words[table[slot] + j] != words[k + j]:
                        break
                else:
                    break
                slot = (slot + np.uint64(1)) & mask
            if table[slot] < 0:
                table[slot] = k
            elif table[slot] + SHINGLE <= k:
                if k - last >= GAP:
                    first, size = k, 0
                last = k + SHINGLE
                if last - first >= RUN:
                    found += size == 0
                    repeated += last - first - size
                    size = last - first
                    if found <= len(start):
                        owner[found - 1], start[found - 1], end[found - 1] = d, begin[first], stop[last - 1]
        share[d] = repeated / n
    return found


def repeated(buffer: Buffer) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the share of each document's words that are in repeated passages, and these (document, start, end).

    ``start`` and ``end`` are bytes of the buffer; the passages are in reading order.
    """
    share = np.zeros(len(buffer))
    passages = np.empty((3, len(buffer.data) // (2 * RUN) + 1), np.int64)
    longest = int(np.diff(buffer.offsets).max(initial=0)) + 1
    words = np.empty(longest, np.uint64), np.empty(longest, np.int64), np.empty(longest, np.int64)
    n = _repeats(buffer.data, buffer.offsets, KINDS, LOWER, *words, share, *passages)
    return share, passages[:, :n].T.copy()


def inside_passages(segments: Segments, passages: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether nine tenths of each segment lie in one of the passages that :func:`repeated` found."""
    found = np.zeros(len(segments), np.bool_)
    if len(passages):
        at = (np.searchsorted(passages[:, 1], segments.start, side="right") - 1).clip(0)
        for near in (at, (at + 1).clip(max=len(passages) - 1)):
            _, start, end = passages[near].T
            shared = np.minimum(segments.end, end) - np.maximum(segments.start, start)
            found |= 10 * shared >= 9 * (segments.end - segments.start)
    return found

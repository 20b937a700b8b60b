"""What people use today on flattened news: repeated-line removal and the line rules of C4."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd

from toolkit.buffer import Buffer
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.segments import cut

_TERMINAL = (".", "!", "?", '"', "”", "’")
_LINE = re.compile(r"[^\n]*\S[^\n]*")


def repeated_segments(documents: CorpusLike, least: int) -> pd.DataFrame:
    """Mark every segment that stands in at least ``least`` documents of its publisher.

    Case and spacing are folded.

    Returns
    -------
    DataFrame
        ``doc_id, start, end`` (code points), ``kind`` (always ``interface``: the rule knows no kinds).
    """
    corpus = as_corpus(documents)
    buffer = Buffer.of(corpus["text"])
    found = cut(buffer)
    rows = []
    for d, (doc_id, publisher, text) in enumerate(
        zip(corpus["doc_id"], corpus["publisher"].fillna(""), corpus["text"], strict=True)
    ):
        at = 0
        for s in range(found.bounds[d], found.bounds[d + 1]):
            piece = buffer.text(int(found.start[s]), int(found.end[s]))
            at = text.index(piece, at)
            rows.append((doc_id, publisher, " ".join(piece.lower().split()), at, at + len(piece)))
            at += len(piece)
    table = pd.DataFrame(rows, columns=["doc_id", "publisher", "line", "start", "end"])
    table["documents"] = table.groupby(["publisher", "line"])["doc_id"].transform("nunique")
    return table.loc[table["documents"] >= least, ["doc_id", "start", "end"]].assign(kind="interface")


def c4_lines(documents: CorpusLike, least_words: int = 0) -> pd.DataFrame:
    """Mark lines that C4's rule drops: no terminal punctuation at the end, or too few words.

    Curly closing quotes count as terminal, which the rule as published does not allow.

    References
    ----------
    .. [1] Raffel et al.: Exploring the limits of transfer learning with a unified text-to-text transformer.
       JMLR 21 (2020), section 2.2.

    Examples
    --------
    >>> c4_lines(["Share this\\n\\nThe vote failed."])[["start", "end"]].values.tolist()
    [[0, 10]]
    """
    corpus = as_corpus(documents)
    rows = [
        (doc_id, line.start(), line.end(), "interface")
        for doc_id, text in zip(corpus["doc_id"], corpus["text"], strict=True)
        for line in _LINE.finditer(text)
        if not line.group().rstrip().endswith(_TERMINAL) or len(line.group().split()) < least_words
    ]
    return pd.DataFrame(rows, columns=["doc_id", "start", "end", "kind"])


BASELINES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "repeated in ≥ 2 articles": lambda corpus: repeated_segments(corpus, 2),
    "repeated in ≥ 3 articles": lambda corpus: repeated_segments(corpus, 3),
    "repeated in ≥ 5 articles": lambda corpus: repeated_segments(corpus, 5),
    "C4 line rule": c4_lines,
    "C4 line rule, ≥ 5 words": lambda corpus: c4_lines(corpus, 5),
}
"""Name → spans of a whole corpus."""

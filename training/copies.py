"""Copies of texts as people have them: without line breaks, in letters of one case; the spans move with the text."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

_BREAK = re.compile(r"\s*\n\s*")


def without_breaks(corpus: pd.DataFrame, spans: pd.DataFrame, glue: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Replace the line breaks inside every text by ``glue``; move the spans with it.

    Returns
    -------
    corpus, spans : DataFrame
        Spans that held nothing but line breaks are gone.
    """
    texts, moved = [], {}
    for doc_id, text in zip(corpus["doc_id"], corpus["text"], strict=True):
        place = np.zeros(len(text) + 1, np.int64)
        parts, at, last = [], 0, 0
        for found in _BREAK.finditer(text):
            start, end = found.span()
            place[last:start] = at + np.arange(start - last)
            at += start - last
            place[start:end] = at
            parts += [text[last:start], glue]
            at += len(glue)
            last = end
        place[last:] = at + np.arange(len(text) + 1 - last)
        texts.append("".join(parts) + text[last:])
        moved[doc_id] = place
    out = corpus.assign(text=pd.Series(texts, index=corpus.index, dtype="str"))
    mine = spans[spans["doc_id"].isin(moved)]
    edges = [
        (moved[d][a], moved[d][b]) for d, a, b in mine[["doc_id", "start", "end"]].itertuples(index=False)
    ]
    mine = mine.assign(start=[a for a, _ in edges], end=[b for _, b in edges])
    return out, mine[mine["start"] < mine["end"]]


def lower_case(corpus: pd.DataFrame) -> pd.DataFrame:
    """Texts and titles in lower case, each character still one character."""
    columns = {
        name: corpus[name].map(lambda text: "".join(map(_lower, text)), na_action="ignore").astype("str")
        for name in ("text", "title")
    }
    return corpus.assign(**columns)


def _lower(character: str) -> str:
    lower = character.lower()
    return lower if len(lower) == 1 else character

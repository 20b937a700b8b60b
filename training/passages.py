"""Articles made worse on purpose: invented passages set into them, their line breaks lost.

Passages are training text for kinds that the gold hardly has.

The gold holds 31 segments of appeals; an appeal left in an article is what bends its topics most.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from toolkit.buffer import Buffer
from toolkit.corpus import COLUMNS
from toolkit.segments import LINE, PARAGRAPH, cut

PASSAGES = Path(__file__).parent.parent / "data" / "training" / "passages.jsonl"
"""Written for this project, CC0; part of the checkout, not of the package."""

_AROUND = (("\n\n", "\n\n"), ("\n", ""), ("\n\n", ""), ("", "\n\n"), ("\n", "\n"), (" ", " "))
"""White space before and after a passage: as in the wild, often none."""


_ASKS = re.compile(
    r"support|donat|contribut|member|subscri|\bgive\b|\bgift|fund|pay(?:wall)?\b|chip in|join us|"
    r"our (?:readers|journalis|report)|this newsroom|your help|thank you",
    re.IGNORECASE,
)
"""What asks, in an English appeal."""


def _number(*parts: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "big")


def insert_passages(
    corpus: pd.DataFrame, spans: pd.DataFrame, *, copies: int = 2, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Set each passage into ``copies`` of the annotated articles, between two segments.

    Parameters
    ----------
    corpus, spans : DataFrame
        Annotated articles and their spans.

    Returns
    -------
    corpus, spans : DataFrame
        The new documents and all their spans; ``doc_id`` is ``<article>+<passage>``.
    """
    passages = [json.loads(line) for line in PASSAGES.read_text(encoding="utf-8").splitlines()]
    passages = [p for p in passages if p["lang"] == "en"]  # in an English article, a language would tell them
    by_document = dict(iter(spans.groupby("doc_id")))
    documents: list[dict[str, Any]] = []
    marked: list[tuple[str, int, int, str]] = []
    for number, passage in enumerate(passages):
        for copy in range(copies):
            host = corpus.iloc[_number(seed, number, copy) % len(corpus)]
            at = _place(host["text"], _number(seed, number, copy, "place"))
            before, after = _AROUND[_number(seed, number, copy, "around") % len(_AROUND)]
            start = len(host["text"][:at].rstrip()) + len(before) if at else 0
            rest = host["text"][at:].lstrip()
            text = (host["text"][:at].rstrip() + before if at else "") + passage["text"] + after + rest
            doc_id = f"{host['doc_id']}+{number}.{copy}"
            documents.append({**{n: host[n] for n in COLUMNS}, "doc_id": doc_id, "text": text})
            marked += [(doc_id, start + a, start + b, kind) for a, b, kind in _marks(passage)]
            shift = len(text) - len(host["text"])
            for row in by_document[host["doc_id"]].itertuples() if host["doc_id"] in by_document else ():
                move = 0 if row.start < at else shift
                marked.append((doc_id, row.start + move, row.end + move, row.kind))
    made = pd.DataFrame(documents).astype(corpus[list(COLUMNS)].dtypes.to_dict())
    return made, pd.DataFrame(marked, columns=["doc_id", "start", "end", "kind"])


def _marks(passage: dict[str, str]) -> list[tuple[int, int, str]]:
    """Spans of a passage: sentences of an appeal that do not ask are ``unsure``, for alone they are prose."""
    text, kind = passage["text"], passage["kind"]
    if kind != "appeal":
        return [(0, len(text), kind)]
    buffer = Buffer.of([text])
    segments = cut(buffer)
    marks = []
    for a, b in zip(segments.start.tolist(), segments.end.tolist(), strict=True):
        start, end = len(buffer.text(0, a)), len(buffer.text(0, b))
        marks.append((start, end, kind if _ASKS.search(text[start:end]) else "unsure"))
    return marks


def _place(text: str, number: int) -> int:
    """Offset of a line of the text, in code points; 0 for its start."""
    buffer = Buffer.of([text])
    segments = cut(buffer)
    lines = [int(s) for s, j in zip(segments.start, segments.joint, strict=True) if j in (PARAGRAPH, LINE)]
    places = [0, *lines[: max(len(lines) // 2, 1)]]
    return len(buffer.text(0, places[number % len(places)]))


_BREAK = re.compile(r"\s*\n\s*")


def without_breaks(corpus: pd.DataFrame, spans: pd.DataFrame, glue: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Replace the line breaks inside every text; move the spans with it.

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

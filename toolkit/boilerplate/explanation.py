"""Why each span of a text was removed: the template it is, or the words that decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from toolkit.boilerplate.counts import NO_DAY
from toolkit.boilerplate.scoring import WordWeights, read_segments
from toolkit.boilerplate.templates import Lookup
from toolkit.buffer import Buffer
from toolkit.display import PLAIN, CleanedArticle, escaped, visible
from toolkit.segments import Segments

_MOST = 60  # words of a span that are tried


@dataclass(frozen=True, repr=False)
class CleaningExplanation:
    """An article with what was removed struck through, and the ``reasons``, a row a span.

    Beside its columns: ``documents`` (that hold its template), ``first_seen``, ``last_seen``, ``words`` (those without
    which it would have looked most like article text), ``text``.
    """

    article: CleanedArticle
    reasons: pd.DataFrame

    def _lines(self) -> list[str]:
        lines = []
        for row in self.reasons.to_dict("records"):
            line = f"{row['kind']} {row['score']:.2f} at {row['start']}–{row['end']}: "
            if pd.notna(row["documents"]):
                line += f"template {row['template_id']} of {row['documents']} documents"
                if pd.notna(row["first_seen"]):
                    line += f", {row['first_seen']:%Y-%m-%d} to {row['last_seen']:%Y-%m-%d}"
                line += "; "
            lines.append(f"{line}words: {row['words'] or '–'}")
        return lines

    def __repr__(self) -> str:
        return "\n".join([repr(self.article), *(visible(line) for line in self._lines())])

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escaped(line)}</li>" for line in self._lines())
        return f"{self.article._repr_html_()}<ol {PLAIN}>{items}</ol>"


def explain(
    text: str, title: str | None, spans: pd.DataFrame, words: WordWeights, lookup: Lookup | None
) -> CleaningExplanation:
    """Explain the spans of one text."""
    reasons = spans[["start", "end", "kind", "score", "evidence", "template_id"]].reset_index(drop=True)
    counted = [_counted(lookup, int(name, 16)) for name in reasons["template_id"].fillna("0")]
    pieces = [text[a:b] for a, b in zip(reasons["start"], reasons["end"], strict=True)]
    reasons["documents"] = pd.array([docs for docs, _, _ in counted], dtype="Int64")
    reasons["first_seen"] = pd.Series([first for _, first, _ in counted], dtype="datetime64[s]")
    reasons["last_seen"] = pd.Series([last for _, _, last in counted], dtype="datetime64[s]")
    reasons["words"] = pd.Series([", ".join(deciding(p, words)) for p in pieces], dtype="str")
    reasons["text"] = pd.Series(pieces, dtype="str")
    return CleaningExplanation(CleanedArticle(text, spans, title), reasons)


def _counted(lookup: Lookup | None, key: int) -> tuple[Any, Any, Any]:
    """Documents of a template, and the first and last day that it was seen, where they are known."""
    at = int(np.searchsorted(lookup.counts.key, np.uint64(key))) if lookup is not None else 0
    if lookup is None or not key or at >= len(lookup.counts) or int(lookup.counts.key[at]) != key:
        return pd.NA, None, None
    days = (int(lookup.counts.first[at]), int(lookup.counts.last[at]))
    first, last = (None if abs(day) == int(NO_DAY) else pd.Timestamp(day, unit="D") for day in days)
    return int(lookup.counts.docs[at]), first, last


def deciding(passage: str, words: WordWeights, n: int = 5) -> list[str]:
    """Return the words without which a passage would look most like article text, strongest first.

    Each word is left out in turn and the passage scored again by its words alone; at most the first sixty.
    """
    tokens = passage.split()[:_MOST]
    variants = [" ".join(tokens), *(" ".join(tokens[:i] + tokens[i + 1 :]) for i in range(len(tokens)))]
    buffer = Buffer.of(variants)
    keep = read_segments(buffer, Segments.whole(buffer), words).words[:, 0].clip(1e-6, 1 - 1e-6)
    odds = np.log((1 - keep) / keep)
    loss = odds[0] - odds[1:]
    best = [i for i in np.argsort(-loss, kind="stable")[:n] if loss[i] > 0]
    return [tokens[i] for i in best]

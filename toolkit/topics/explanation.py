"""Why a topic: the exact share of each word in a linear model's score, and how it shows itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.display import PLAIN, escaped, visible
from toolkit.topics import taxonomy
from toolkit.topics.features import NO_WORDS, FeatureSpace, Lexicon, Places, Texts, matrix, occurrences
from toolkit.topics.model import TopicModel

_SHOWN = 8
_ASKED = 20  # documents that are read to name a bucket
_FOR, _AGAINST = "0,114,178", "213,94,0"  # blue and vermillion, distinguishable for colour-blind readers


@dataclass(frozen=True, repr=False)
class Explanation:
    """The reasons for the topics of one text.

    ``topic`` is the one explained; ``probabilities`` (Series) are of every topic, highest first. ``words`` (DataFrame)
    has ``topic``, ``word`` (word or pair, lower case), ``count`` and ``weight`` (log-odds), the explained topic first,
    highest weight first. For each topic, weights and ``bias`` (Series: its score before any word is read) sum to its
    score. ``places`` has ``start``, ``end`` (code points into ``text``) and ``weight`` for the explained topic, one row
    a word.
    """

    text: str
    topic: Any
    probabilities: pd.Series[float]
    words: pd.DataFrame
    bias: pd.Series[float]
    places: pd.DataFrame

    def top(self, topic: Any = None, n: int = _SHOWN) -> pd.DataFrame:
        """Return the ``n`` words of largest absolute weight for a topic: ``word, count, weight``."""
        chosen = self.words[self.words["topic"] == (self.topic if topic is None else topic)]
        order = chosen["weight"].abs().sort_values(ascending=False, kind="stable").index[:n]
        return chosen.loc[order, ["word", "count", "weight"]].reset_index(drop=True)

    def __repr__(self) -> str:
        lines = [f"{taxonomy.label(code)} {p:.2f}" for code, p in self.probabilities.head(3).items()]
        shown = [f"{row.weight:+.2f} {row.word}" for row in self.top().itertuples()]
        heading = f"words for and against {taxonomy.label(self.topic)}:"
        return visible("\n".join([" · ".join(lines), heading, *shown]))

    def _repr_html_(self) -> str:
        likeliest = self.probabilities.head(3).items()
        head = " · ".join(f"<b>{escaped(taxonomy.label(code))}</b> {p:.2f}" for code, p in likeliest)
        strongest = max(self.places["weight"].abs().max() if len(self.places) else 0.0, 1e-9)
        pieces, last = [], 0
        for start, end, weight in self.places.itertuples(index=False):
            depth = min(0.6, 0.6 * abs(weight) / strongest)
            pieces.append(escaped(self.text[last:start]))
            shown = escaped(self.text[start:end])
            if depth >= 0.06:
                colour, line = (_FOR, "solid") if weight > 0 else (_AGAINST, "dotted")
                style = f"background-color:rgba({colour},{depth:.2f});border-bottom:2px {line}"
                shown = f'<span style="{style}" title="{weight:+.3f}">{shown}</span>'
            pieces.append(shown)
            last = end
        pieces.append(escaped(self.text[last:]))
        words = "".join(
            f"<li>{escaped(row.word)} {row.weight:+.2f} ({'for' if row.weight > 0 else 'against'})</li>"
            for row in self.top().itertuples()
        )
        return (
            f'<div {PLAIN} style="max-width:46em;line-height:1.6"><p>{head}<br><small>blue, underlined: speaks for '
            f"{escaped(taxonomy.label(self.topic))}; orange, dotted: against; below, the strongest words</small></p>"
            f"<p>{''.join(pieces)}</p><ul>{words}</ul></div>"
        )


def explain(model: TopicModel, text: str, title: str, topic: Any) -> Explanation:
    """Split the scores of one text into the contributions of its words; see :class:`Explanation`."""
    scores, _ = model.read(pd.Series([text], dtype="str"), pd.Series([title], dtype="str"))
    probability = pd.Series(model.probabilities(scores)[0], index=list(model.classes))
    probability = probability.sort_values(ascending=False, kind="stable")
    chosen = probability.index[0] if topic is None else model.classes[known(model, topic)]
    above, title_spans = _occurrences(model, title if model.space.title_weight else "")
    below, spans = _occurrences(model, text)
    strings = _surface(title, title_spans) + _surface(text, spans)
    weight = np.repeat([float(model.space.title_weight), 1.0], [len(above), len(below)])
    buckets = np.concatenate([above, below])
    share = _shares(model, buckets, weight)
    body = share[len(share) - len(spans) :, model.classes.index(chosen)]
    frame = pd.DataFrame(share, columns=list(model.classes)).assign(word=pd.Series(strings, dtype="str"))
    grouped = frame.groupby("word", sort=True)
    total, counts = grouped.sum(), grouped.size()
    total = total[total.any(axis=1)]  # what carries grammar has no weight
    parts = []
    for code in [chosen, *(c for c in model.classes if c != chosen)]:
        column = total[code].sort_values(ascending=False, kind="stable")
        values = {"word": column.index, "count": counts[column.index].to_numpy(), "weight": column.to_numpy()}
        parts.append(pd.DataFrame({"topic": code} | values))
    bias = pd.Series(model.bias, index=list(model.classes), dtype=float)
    words = pd.concat(parts, ignore_index=True)
    places = _places(text, spans, body, pairs=not len(model.lexicon.keys))
    return Explanation(text, chosen, probability, words, bias, places)


def _occurrences(model: TopicModel, text: str) -> tuple[Places, Places]:
    """Return buckets and places; the pieces of a word stand at the place of the whole word."""
    buckets, spans = occurrences(text, model.space, model.lexicon)
    if not len(model.lexicon.keys) or not len(spans):
        return buckets, spans
    words = _words(occurrences(text, FeatureSpace(8, model.space.lead))[1])
    whole = words[np.searchsorted(words[:, 0], spans[:, 0], side="right") - 1]
    # characters of scripts without spaces are words here, and shorter than the pieces that they make
    return buckets, np.where((whole[:, 1] >= spans[:, 1])[:, None], whole, spans)


def _words(of: NDArray[Any]) -> NDArray[Any]:
    """Keep the words of hashed occurrences; each word but the first is followed by its pair with the last."""
    return np.concatenate([of[:1], of[1::2]])


def known(model: TopicModel, topic: Any, argument: str = "topic") -> int:
    """Return the column of a topic of the model, or say which there are."""
    if topic not in model.classes:
        code = {name: code for code, name in taxonomy.names().items()}.get(topic)
        knows = f"it knows {', '.join(map(str, model.classes))}"
        mend = f"its code is {code!r}" if code in model.classes else knows
        raise ValueError(f"{argument}: {topic!r} is no label of this model; {mend}")
    return model.classes.index(topic)


def top_words(
    model: TopicModel, texts: Texts, titles: Texts, leading: Places, n: int
) -> list[tuple[Any, str, int, float]]:
    """Return the ``n`` words that carried each topic in the documents that it leads, by each one's ``leading`` column.

    Of each: topic, word, how many of the topic's documents hold it, weight (log-odds, mean over those documents).
    """
    counts = matrix(texts, titles, model.space, model.lexicon)
    slope = model.slope(np.diff(counts.indptr))
    counts.data *= model.idf[counts.indices]
    length = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel()) / slope
    rows = []
    for topic in np.unique(leading[leading >= 0]):
        led = np.flatnonzero(leading == topic)
        part = counts[led]
        mean = np.asarray(part.T @ (1 / np.where(length[led] > 0, length[led], 1))).ravel() / len(led)
        share = mean * model.weights[:, topic] * model.scale[topic]
        best = np.argsort(-share, kind="stable")[:n]
        best = best[share[best] > 0]
        columns = part.tocsc()
        for bucket in best:
            held = led[columns[:, bucket].indices]  # the documents that hold it
            word = wording(model.space, texts, titles, held, int(bucket), model.lexicon)
            rows.append((model.classes[topic], word, len(held), float(share[bucket])))
    return rows


def wording(
    space: FeatureSpace, texts: Texts, titles: Texts, held: Places, bucket: int, lexicon: Lexicon = NO_WORDS
) -> str:
    """Name a bucket by the words that fall into it most often in the first of the documents that hold it."""
    found: Counter[str] = Counter()
    for column in (texts, titles):
        for text in column.iloc[held[:_ASKED]].dropna():
            buckets, spans = occurrences(text, space, lexicon)
            found.update(_surface(text, spans[buckets == bucket]))
    return min(found, key=lambda word: (-found[word], word))


def _shares(model: TopicModel, buckets: NDArray[Any], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Contribution of each occurrence to each topic's score; a bucket's is shared by its occurrences."""
    distinct, which = np.unique(buckets, return_inverse=True)
    counts = np.bincount(which, weights=weight, minlength=len(distinct))
    value = np.where(counts > 0, 1 + np.log(np.maximum(1, np.minimum(counts, 255))), 0) * model.idf[distinct]
    length = float(np.sqrt((value**2).sum())) or 1.0
    value *= model.slope(np.array([len(distinct)]))[0]
    whole = (value / length)[:, None] * model.weights[distinct].astype(float) * model.scale
    return np.asarray(whole[which] * (weight / counts[which])[:, None])


def _surface(text: str, spans: Places) -> list[str]:
    raw = text.encode("utf-8")
    return [" ".join(raw[start:end].decode("utf-8").lower().split()) for start, end in spans]


def _places(text: str, spans: Places, weight: NDArray[np.float64], *, pairs: bool) -> pd.DataFrame:
    """Give each word the weight of its pieces, or its own and half of each pair it is in, at code points."""
    raw = text.encode("utf-8")
    code_point = np.concatenate([[0], np.cumsum(np.frombuffer(raw, np.uint8) & 0xC0 != 0x80)])
    if pairs:
        words, total, halves = _words(spans), _words(weight), weight[2::2] / 2
        total[1:] += halves
        total[:-1] += halves
    else:
        words, which = np.unique(spans.reshape(-1, 2), axis=0, return_inverse=True)
        total = np.bincount(which.ravel(), weight, minlength=len(words)).astype(float)
    return pd.DataFrame({"start": code_point[words[:, 0]], "end": code_point[words[:, 1]], "weight": total})

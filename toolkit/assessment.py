"""Verdicts on documents: which are articles, and what a scraper got instead of the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.boilerplate import BoilerplateRemover
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.tables import beside, is_cleaned
from toolkit.verdict import SHORT, VERDICTS, probabilities

# An ``index`` is judged again without its boilerplate if cleaning leaves at least the share MOST of it. It becomes an
# article if what is left is one with at least the probability SURE.
MOST, SURE = 0.5, 0.7


def verdicts(
    documents: CorpusLike, spans: pd.DataFrame | None = None, *, remover: BoilerplateRemover | None = None
) -> pd.DataFrame:
    """Say of each document whether it is an article, and if not, what it is.

    ``spans`` are as :meth:`toolkit.BoilerplateRemover.spans` returns them; without them, a column ``clean_text`` shows
    what was removed, or ``remover`` (default the shipped one, not fitted) finds it. The index of a fitted remover
    counts the documents with the same text: a short text that a publisher has several times is less likely an article.

    Columns: ``doc_id`` (str), ``verdict`` (str), ``probability`` (float64, of that verdict) and ``kept`` (float64,
    share of the characters left after cleaning), in the order of the documents. Verdicts are ``article``; ``stub``, a
    beginning behind a paywall; ``wall``, a login, an offer, cookies or a check for robots; ``error``, such as 404;
    ``index``, links or teasers; ``twice``, the body stands twice (``BoilerplateRemover(remove={"twice"})`` says where);
    ``garbled``, broken encoding or computer code; ``empty``. How often they are right: ``docs/verdicts.md``.

    Examples
    --------
    >>> pages = ["404 Not Found", "Please enable JavaScript to view this site.", ""]
    >>> verdicts(pages)["verdict"].tolist()
    ['error', 'wall', 'empty']
    """
    corpus = as_corpus(documents)
    if spans is not None:
        spans = beside("spans", spans, ["start", "end"], corpus["doc_id"])
    elif not is_cleaned(corpus):
        spans = (remover or BoilerplateRemover()).spans(corpus)
    size = corpus["text"].str.len()
    if spans is None:
        left = corpus["clean_text"].str.len()
    else:
        gone = (spans["end"] - spans["start"]).groupby(spans["doc_id"]).sum()
        left = (size - gone.reindex(corpus["doc_id"], fill_value=0).array).clip(lower=0)
    kept = left / size.clip(lower=1)
    chances = probabilities(corpus, _copies(corpus, remover)).to_numpy(copy=True)
    index = chances.argmax(axis=1) == VERDICTS.index("index")
    rows = np.flatnonzero(index & kept.between(MOST, 1, inclusive="left"))
    if len(rows):
        # a short story among much boilerplate looks like an index; without the boilerplate it is recognised
        doubted = corpus.iloc[rows]
        text = doubted["clean_text"] if spans is None else _left(doubted, spans)
        alone = probabilities(doubted.assign(text=text)).to_numpy()
        story = alone[:, VERDICTS.index("article")] >= SURE
        chances[rows[story]] = alone[story]
    best = chances.argmax(axis=1)
    return pd.DataFrame({
        "doc_id": corpus["doc_id"].astype("str").array,
        "verdict": pd.array(np.array(VERDICTS, object)[best], dtype="str"),
        "probability": chances[np.arange(len(best)), best], "kept": kept.to_numpy(np.float64),
    })  # fmt: skip


def _copies(corpus: pd.DataFrame, remover: BoilerplateRemover | None) -> NDArray[np.float64]:
    """How many documents of the publisher hold the same text; by a remover's index, how many hold all its segments."""
    if remover is None:
        key = pd.MultiIndex.from_arrays([corpus["text"], corpus["publisher"].fillna("")])
        return pd.Series(1.0, key).groupby(level=[0, 1]).transform("sum").to_numpy()
    copies = np.ones(len(corpus))
    short = np.flatnonzero(corpus["text"].str.len().to_numpy() <= SHORT)
    if len(short):
        copies[short] = remover.copies(corpus.iloc[short])
    return copies


def _left(corpus: pd.DataFrame, spans: pd.DataFrame) -> pd.Series[Any]:
    """What cleaning leaves of each text."""
    texts = dict(zip(corpus["doc_id"], corpus["text"], strict=True))
    found = spans[spans["doc_id"].isin(texts)].sort_values("start", ascending=False, kind="stable")
    for name, start, end in zip(found["doc_id"], found["start"], found["end"], strict=True):
        texts[name] = texts[name][:start] + texts[name][end:]
    return pd.Series(list(texts.values()), corpus.index, dtype="str")

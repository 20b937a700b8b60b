"""Topic discovery: what a corpus without labels is about, and how far the answer can be relied on.

Non-negative matrix factorisation (Lee and Seung 1999) of the features that the classifier reads, started from a
singular value decomposition (Boutsidis and Gallopoulos 2008). Of the ways that were tried, it changes least with
the seed and the sample; ``docs/topics.md`` has the figures.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, diags

from toolkit.corpus import CorpusLike, as_corpus, texts_of
from toolkit.display import Table
from toolkit.topics import taxonomy
from toolkit.topics.classifier import TopicClassifier
from toolkit.topics.explanation import wording
from toolkit.topics.features import FeatureSpace, Floats, Places, Texts, matrix, unit_rows
from toolkit.verdict import articles

_SPACE = FeatureSpace(bits=18)
_LEAST, _MOST = 3, 8000  # documents that hold a word, and words
_SAMPLE = 0.8


@dataclass(frozen=True, repr=False)
class Discovery:
    """The topics found in a corpus.

    ``topics``, the largest first: ``topic`` (from 0), ``words`` (its heaviest, which name it), ``documents`` (that it
    leads), ``nearest`` (the two IPTC topics that the classifier finds most in those), ``stability`` (mean cosine with
    its like in the other runs; 1 is the same). ``words``: ``topic``, ``word``, ``weight``, heaviest first.
    ``documents``: ``doc_id``, ``topic`` (``Int64``, missing for a document that shares no word with others), ``share``
    (of the document's weights, in [0, 1]). What a column ``verdict`` calls no article (:func:`toolkit.verdicts`) is
    left out; ``documents.attrs["missing"]`` counts it.

    ``stability`` is the mean adjusted Rand index (Hubert and Arabie 1985) of the leading topics with those of the other
    runs, each from another seed and learned from other four fifths of the documents: 1 the same, 0 as by chance, NaN
    without other runs.
    """

    topics: pd.DataFrame
    words: pd.DataFrame
    documents: pd.DataFrame
    stability: float

    def _headline(self) -> str:
        left = sum(self.documents.attrs.get("missing", {}).values())
        out = f" ({left:,} that are no articles left out)" if left else ""
        documents = f"{len(self.documents):,} documents{out}"
        return f"{len(self.topics)} topics in {documents}; stability {self.stability:.2f}"

    def __repr__(self) -> str:
        return f"{self._headline()}\n\n{Table(self.topics.round(3))!r}"

    def _repr_html_(self) -> str:
        return f"<p>{self._headline()}</p>{Table(self.topics.round(3))._repr_html_()}"


def discover(
    corpus: CorpusLike, n_topics: int = 10, *, seed: int = 0, runs: int = 5, n_words: int = 6,
    classifier: TopicClassifier | None = None,
) -> Discovery:  # fmt: skip
    """Find topics in a corpus without labels.

    ``clean_text`` is read where it is there, else ``text``; boilerplate makes topics of its own. ``runs`` are compared
    for the stability, the first on all documents; 1 saves the time. ``n_words`` name a topic. ``classifier`` finds the
    nearest IPTC topics; default the shipped model. Fewer documents, or words that several documents share, than topics
    are a ``ValueError``.

    Examples
    --------
    >>> texts = [f"{words} {i}" for i in range(9) for words in ("boats sail the sea", "cows graze the field")]
    >>> discover(texts, n_topics=2, runs=2).topics["documents"].tolist()
    [9, 9]
    """
    frame, missing = articles(as_corpus(corpus))
    texts = texts_of(frame)
    features, buckets = _features(texts, frame["title"], n_topics)
    if n_topics < 2 or n_topics > min(features.shape):
        found = f"{features.shape[0]} documents share {features.shape[1]} words"
        raise ValueError(f"discover: n_topics={n_topics}: {found}; choose from 2 to the smaller of these")
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics import adjusted_rand_score

    weights, components = _factors(features, n_topics, seed)
    known = weights.any(axis=1)
    order = np.argsort(-np.bincount(weights.argmax(axis=1)[known], minlength=n_topics), kind="stable")
    weights, components = weights[:, order], components[order]
    leading = weights.argmax(axis=1)
    agreement, matched = [], []
    for other in range(seed + 1, seed + runs):
        again, parts = _factors(features, n_topics, other, sample=True)
        agreement.append(adjusted_rand_score(leading[known], again.argmax(axis=1)[known]))
        likeness = components @ parts.T
        rows, columns = linear_sum_assignment(-likeness)
        matched.append(likeness[rows, columns])
    words = _words(texts, frame["title"], features, buckets, components, n_words)
    total = weights.sum(axis=1)
    nearest = _nearest(frame, np.where(known, leading, -1), n_topics, classifier or TopicClassifier())
    topics = pd.DataFrame({
        "topic": range(n_topics), "words": words.groupby("topic")["word"].agg(", ".join).to_numpy(),
        "documents": np.bincount(leading[known], minlength=n_topics), "nearest": pd.Series(nearest, dtype="str"),
        "stability": np.mean(matched, axis=0) if matched else np.nan,
    })  # fmt: skip
    documents = frame[["doc_id"]].reset_index(drop=True)
    documents["topic"] = pd.Series(leading, dtype="Int64").where(pd.Series(known))
    documents["share"] = weights[np.arange(len(weights)), leading] / np.where(total > 0, total, 1)
    documents.attrs = {"missing": missing}
    stability = float(np.mean(agreement)) if agreement else float("nan")
    return Discovery(topics, words, documents, stability)


def _features(texts: Texts, titles: Texts, n_topics: int) -> tuple[csr_matrix, Places]:
    """TF-IDF of words in a few documents at least, and in no more than two topics could hold."""
    counts = matrix(texts, titles, _SPACE)
    held = np.bincount(counts.indices, minlength=_SPACE.size)
    most = min(0.5, max(0.1, 2 / max(1, n_topics))) * len(texts)
    buckets = np.flatnonzero((held >= _LEAST) & (held <= most))
    buckets = np.sort(buckets[np.argsort(-held[buckets], kind="stable")[:_MOST]])
    idf = np.log((1 + len(texts)) / (1 + held[buckets])) + 1
    return unit_rows(counts[:, buckets].astype(np.float64) @ diags(idf)), buckets


def _factors(
    features: csr_matrix, n_topics: int, seed: int, *, sample: bool = False
) -> tuple[Floats, Floats]:
    """Weights of all documents, and topics of length one, learned from all or a sample of the documents."""
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    rows = np.arange(features.shape[0])
    if sample:
        size = max(n_topics, round(_SAMPLE * len(rows)))
        rows = np.sort(np.random.default_rng(seed).choice(rows, size, replace=False))
    model = NMF(n_topics, init="nndsvda", random_state=seed, max_iter=400, tol=1e-3)
    # where the factors fit exactly, rounding leaves an error below zero, of which the library takes the root
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", ConvergenceWarning)
        weights = model.fit(features[rows]).transform(features)
    length = np.linalg.norm(model.components_, axis=1)
    return weights * length, model.components_ / np.where(length > 0, length, 1)[:, None]


def _words(
    texts: Texts, titles: Texts, features: csr_matrix, buckets: Places, components: Floats, n: int
) -> pd.DataFrame:
    columns, rows = features.tocsc(), []
    for topic, weight in enumerate(components):
        for place in np.argsort(-weight, kind="stable")[:n]:
            held = columns[:, place].indices
            word = wording(_SPACE, texts, titles, held, int(buckets[place]))
            rows.append((topic, word, weight[place]))
    return pd.DataFrame(rows, columns=["topic", "word", "weight"])


def _nearest(frame: pd.DataFrame, leading: Places, n_topics: int, classifier: TopicClassifier) -> list[Any]:
    means = classifier.predict_proba(frame).groupby(leading).mean().rename(columns=taxonomy.names("en-GB"))
    found: list[str | None] = [None] * n_topics
    for topic in set(range(n_topics)) & set(means.index):
        best = means.loc[topic].sort_values(ascending=False, kind="stable").head(2)
        found[topic] = "; ".join(f"{name} {value:.2f}" for name, value in best.items())
    return found

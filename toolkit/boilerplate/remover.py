"""The remover: decides, segment by segment, what of an article is the site's and not the story's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from toolkit.boilerplate.evidence import COLUMNS, KINDS, evidence, probabilities, suspicious
from toolkit.boilerplate.features import mix, score_segments
from toolkit.boilerplate.model import SegmentModel
from toolkit.boilerplate.spans import (
    SPAN_COLUMNS,
    Pieces,
    Row,
    assemble,
    empty_spans,
    fill_appeals,
    template_table,
)
from toolkit.boilerplate.templates import NO_DAY, TemplateIndex, publisher_hash, title_prints
from toolkit.corpus import CorpusError, CorpusLike, as_corpus
from toolkit.segments import Buffer, cut

_DOCS = COLUMNS.index("exact_docs"), COLUMNS.index("fuzzy_docs")
_MODELS: dict[str, SegmentModel] = {}


def shipped_model() -> SegmentModel:
    """Load the shipped segment model once a process."""
    if "shipped" not in _MODELS:
        _MODELS["shipped"] = SegmentModel.load()
    return _MODELS["shipped"]


class BoilerplateRemover(TransformerMixin, BaseEstimator):
    """Find boilerplate in articles whose HTML is gone, to the character.

    Works at once with the shipped model; :meth:`fit` adds what each publisher of the corpus repeats. Spans
    are the primary result; the text itself is never edited.

    Parameters
    ----------
    remove : iterable of str, optional
        Kinds to report and remove, out of ``appeal promo related caption byline notice interface``;
        default all.
    threshold : float, optional
        Least probability of a removed segment, in (0, 1); outweighs ``max_article_loss``.
    max_article_loss : float, default 0.002
        Largest tolerated share of article characters lost; chooses the threshold by what publisher-grouped
        cross-validation measured (0.0005 to 0.005; 1 for the best F1 whatever is lost).
    decisions : mapping of str to str, optional
        ``template_id`` → a kind, or ``"keep"``: people's word on a template outweighs the model's.

    Attributes
    ----------
    index_ : TemplateIndex
        What the corpus repeats; mergeable, see :meth:`merge`.
    templates_ : DataFrame
        After :meth:`fit`: template_id, publisher, kind, documents, first_seen, last_seen, example; most
        documents first.

    See Also
    --------
    toolkit.clean : fit and transform in one call.

    Notes
    -----
    A linear model over hashed n-grams scores each segment; boosted trees weigh that score with the scores of
    its neighbours, its place and shape, and the counts of the template index. Cleaning is repeated on its own
    result until nothing more is found, so cleaning a cleaned text removes nothing.

    Examples
    --------
    >>> remover = BoilerplateRemover()
    >>> text = "The council met on Monday.\\n\\nSign up for our daily newsletter and follow us on Twitter."
    >>> remover.transform([text])["clean_text"].tolist()
    ['The council met on Monday.']
    """

    def __init__(
        self,
        *,
        remove: Iterable[str] | None = None,
        threshold: float | None = None,
        max_article_loss: float = 0.002,
        decisions: Mapping[str, str] | None = None,
    ) -> None:
        self.remove = remove
        self.threshold = threshold
        self.max_article_loss = max_article_loss
        self.decisions = decisions

    def __sklearn_is_fitted__(self) -> bool:
        return True  # the shipped model needs no corpus

    def fit(self, X: CorpusLike, y: Any = None) -> BoilerplateRemover:
        """Learn what each publisher of ``X`` repeats; needs no labels.

        Parameters
        ----------
        X : corpus, Series or list of str
        y : ignored

        Raises
        ------
        toolkit.corpus.CorpusError
            ``X`` is not a corpus.
        ValueError
            A parameter is out of range.
        """
        self.index_ = TemplateIndex()
        corpus = as_corpus(X)
        self.partial_fit(corpus)
        spans = self.spans(corpus)
        self.templates_ = template_table(corpus, spans)
        return self

    def partial_fit(self, X: CorpusLike, y: Any = None) -> BoilerplateRemover:
        """Count more documents; yesterday's index plus today's articles equals both at once."""
        corpus = as_corpus(X)
        self._check()
        read = Reading(corpus, shipped_model().weights, shipped_model().bias)
        if not hasattr(self, "index_"):
            self.index_ = TemplateIndex()
        self.index_.partial_fit(
            read.segments, read.prints, read.titles, read.publishers, read.days, 1 - read.words[:, 0]
        )
        self.__dict__.pop("_table", None)
        return self

    def merge(self, other: BoilerplateRemover) -> BoilerplateRemover:
        """Return a remover whose index has counted the documents of both."""
        merged = type(self)(**self.get_params(deep=False))
        merged.index_ = self.index_.merge(other.index_)
        return merged

    def spans(self, X: CorpusLike) -> pd.DataFrame:
        """Find the boilerplate of each document.

        Returns
        -------
        DataFrame
            One row a span, documents in the order given, sorted and disjoint within each: ``doc_id`` (str),
            ``start``, ``end`` (int64, code points into ``text``, half-open), ``kind`` (str), ``score``
            (float64, calibrated probability), ``evidence`` (``template``, ``model`` or ``rule``),
            ``template_id`` (str, missing where the words alone decided).
        """
        corpus = as_corpus(X)
        wanted = self._check()
        pieces = [Pieces(text) for text in corpus["text"]]
        todo = np.arange(len(corpus))
        part = corpus
        while len(todo):  # until a cleaned text is found clean
            found = self._find(part, wanted)
            for at, rows in found.items():
                pieces[todo[at]].cut_out(rows)
            todo = todo[sorted(found)]
            part = corpus.iloc[todo].assign(text=[pieces[i].clean() for i in todo])
        found_rows = [(d, *cut) for d, p in zip(corpus["doc_id"], pieces, strict=True) for cut in p.cuts]
        return pd.DataFrame(found_rows, columns=list(SPAN_COLUMNS)).astype(empty_spans().dtypes.to_dict())

    def transform(self, X: CorpusLike, spans: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return the corpus with a column ``clean_text``.

        Parameters
        ----------
        X : corpus, Series or list of str
        spans : DataFrame, optional
            What :meth:`spans` returned for ``X``, to save finding them again.

        Raises
        ------
        CorpusError
            A span does not fit its text.
        """
        corpus = as_corpus(X)
        spans = self.spans(corpus) if spans is None else spans
        cuts: dict[str, list[Row]] = {}
        for doc_id, *row in spans[list(SPAN_COLUMNS)].itertuples(index=False, name=None):
            cuts.setdefault(doc_id, []).append(tuple(row))
        clean = []
        for doc_id, text in zip(corpus["doc_id"], corpus["text"], strict=True):
            mine = sorted(cuts.get(doc_id, []))
            if mine and max(cut[1] for cut in mine) > len(text):
                msg = f"document {doc_id!r}: a span ends beyond its text of {len(text)} characters; find spans anew"
                raise CorpusError(msg)
            clean.append(Pieces(text, mine).clean())
        corpus["clean_text"] = pd.Series(clean, index=corpus.index, dtype="str")
        return corpus

    def _check(self) -> NDArray[np.bool_]:
        """Validate parameters; return which classes (KINDS) to remove."""
        chosen = set(KINDS if self.remove is None else self.remove)
        if isinstance(self.remove, str) or not chosen <= set(KINDS):
            msg = f"remove={self.remove!r}: kinds are {', '.join(KINDS)}; pass a set of them"
            raise ValueError(msg)
        if self.threshold is not None and not 0 < self.threshold < 1:
            msg = f"threshold={self.threshold!r}: a probability between 0 and 1 is wanted"
            raise ValueError(msg)
        if not 0 < self.max_article_loss <= 1:
            msg = f"max_article_loss={self.max_article_loss!r}: a share between 0 and 1 is wanted, such as .0015"
            raise ValueError(msg)
        for template, verdict in (self.decisions or {}).items():
            if verdict not in (*KINDS, "keep"):
                msg = f"decisions[{template!r}]={verdict!r}: a kind ({', '.join(KINDS)}) or 'keep' is wanted"
                raise ValueError(msg)
        return np.array([kind in chosen for kind in KINDS])

    def _threshold(self, thresholds: dict[str, float]) -> float:
        if self.threshold is not None:
            return self.threshold
        if self.max_article_loss >= 1:
            return thresholds["best"]
        measured = sorted((float(loss), t) for loss, t in thresholds.items() if loss != "best")
        allowed = [t for loss, t in measured if loss <= self.max_article_loss]
        return allowed[-1] if allowed else measured[0][1]

    def _find(self, corpus: pd.DataFrame, wanted: NDArray[np.bool_]) -> dict[int, list[Row]]:
        """One round over texts as they stand: spans by position of the document."""
        model = shipped_model()
        read = Reading(corpus, model.weights, model.bias)
        index = getattr(self, "index_", None)
        if index is not None and not hasattr(self, "_table"):
            self._table = index.table()
        rows = evidence(
            read.segments, read.words, read.shapes, read.prints, read.titles, read.publishers, index,
            self._table if index is not None else None,
        )  # fmt: skip
        decision = model.alone if index is None else model.fitted
        score = decision.probability(rows, suspicious(rows))
        threshold = self._threshold(decision.thresholds)
        kind = np.full(len(rows), -1, np.int64)
        doubtful = score >= min(threshold, 0.3)
        kind[doubtful] = decision.kind(rows[doubtful])
        inside, score = fill_appeals(read.segments.bounds, kind, score, threshold)
        remove = (score >= threshold) | inside
        kind = np.where(inside, KINDS.index("appeal"), kind)
        exact, fuzzy = rows[:, _DOCS[0]] > 0, rows[:, _DOCS[1]] > 0
        template = np.where(exact, read.keys(0), np.where(fuzzy, read.keys(1), np.uint64(0)))
        ruled = np.zeros(len(rows), bool)
        for name, verdict in (self.decisions or {}).items():
            mine = template == np.uint64(int(name, 16))
            ruled |= mine
            remove = np.where(mine, verdict != "keep", remove)
            if verdict != "keep":
                kind = np.where(mine, KINDS.index(verdict), kind)
        remove &= wanted[kind] & (kind >= 0)
        return assemble(read.buffer, read.segments, remove, kind, score, template, ruled)


class Reading:
    """A corpus cut, fingerprinted and scored by its words."""

    def __init__(self, corpus: pd.DataFrame, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        self.buffer = Buffer.of(corpus["text"])
        self.segments = cut(self.buffer)
        logits, self.prints, self.shapes = score_segments(self.buffer, self.segments, weights)
        self.words = probabilities(logits + bias)
        self.titles = title_prints(corpus["title"])
        self.publishers = publisher_hash(corpus["publisher"])
        days = corpus["published"].dt.tz_convert(None).to_numpy().astype("datetime64[D]")
        missing = np.isnat(days)
        self.days = np.where(missing, NO_DAY, np.where(missing, 0, days.astype(np.int64))).astype(np.int32)

    def keys(self, window: int) -> NDArray[np.uint64]:
        """Key of each segment in the index, for the window in that column; shape (n_segments,)."""
        owner = np.repeat(self.publishers, np.diff(self.segments.bounds))
        one = np.full(len(owner), window + 1, np.uint64)
        return np.asarray(mix_all(mix_all(self.prints[:, window].copy(), one), owner), np.uint64)


def mix_all(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Combine arrays of hashes element by element, as the index does."""
    with np.errstate(over="ignore"):
        return np.asarray(mix.py_func(a, b), np.uint64)


def clean(documents: CorpusLike, **parameters: Any) -> pd.DataFrame:
    """Fit a :class:`BoilerplateRemover` on the documents and transform them.

    Parameters
    ----------
    documents : corpus, Series or list of str
    **parameters
        Of :class:`BoilerplateRemover`.

    Returns
    -------
    DataFrame
        The corpus with ``clean_text``.

    Examples
    --------
    >>> clean(["A story without furniture."])["clean_text"].tolist()
    ['A story without furniture.']
    """
    corpus = as_corpus(documents)
    return BoilerplateRemover(**parameters).fit(corpus).transform(corpus)

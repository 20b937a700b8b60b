"""The topic classifier: use the shipped model, or fit a model of your own labels."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.corpus import CorpusLike, as_corpus, as_document, texts_of
from toolkit.language import codes, languages
from toolkit.modelfile import Estimator
from toolkit.tables import is_cleaned
from toolkit.topics import taxonomy
from toolkit.topics.explanation import Explanation, explain, known, top_words
from toolkit.topics.features import FeatureSpace, Floats, Places, matrix
from toolkit.topics.model import ENGLISH, LANGUAGES, SHIPPED, TopicModel, shipped_model
from toolkit.verdict import others

Rows = NDArray[np.bool_]

UNCLEANED = "these texts were never cleaned, so their boilerplate counts; classify toolkit.clean(corpus)"
_WARNED: list[str] = []  # warnings that were given in this process; each is given once


class TopicClassifier(Estimator):
    """Classify news by topic, with calibrated probabilities and exact reasons.

    Without :meth:`fit` it uses the shipped model of the 17 top-level IPTC Media Topics, in English and the languages
    of :attr:`languages_`. :meth:`fit` trains a model of your own labels; ``title_weight`` to ``folds`` are for it.

    Parameters
    ----------
    min_confidence : float, optional
        :meth:`predict` and :meth:`topics` give no topic to documents whose likeliest topic has a lower probability.
        Default: the value in the model, 0.4 in English, 0.45 in other languages, and 0 for your own labels.
    title_weight, lead : int, default 2, 4096
        How many times a word of the title counts (0 reads none); bytes that are read from the start of each text.
    bits : int, default 20
        Words are hashed into ``2**bits`` buckets. Weights take ``2**bits`` × classes × 4 bytes.
    C, class_weight : float, default 1.0; dict or "balanced", optional
        Of the linear support vector machine, as in scikit-learn; weights only for one topic per document.
    folds : int, default 5
        Folds of the cross-validation that calibrates the probabilities.
    columns : mapping, optional
        Column of the corpus → column of the given frames, where names are not recognised: ``{"text": "body2"}``.
    encoder : bool, default False
        For the shipped model: let a sentence encoder read along, of the extra ``news-toolkit[encoder]``. Better, above
        all in other languages and on plain local news, and a thousand times slower (``docs/topics.md``).
        :meth:`explain` and :meth:`top_words` show the words' part alone.

    Attributes
    ----------
    model_ : TopicModel
        Set by :meth:`fit` and :meth:`load`; without it the shipped model is used.
    text_column_ : str
        The column of the last call: ``clean_text`` if the corpus has it, else ``text``.

    Examples
    --------
    >>> clf = TopicClassifier()
    >>> clf.predict(["The striker scored twice as the home team won the cup final."])
    0    15000000
    dtype: str
    """

    def __init__(
        self,
        *, min_confidence: float | None = None, title_weight: int = 2, lead: int = 4096, bits: int = 20,
        C: float = 1.0, class_weight: dict[Any, float] | str | None = None, folds: int = 5,
        columns: Mapping[str, str] | None = None, encoder: bool = False,
    ) -> None:  # fmt: skip
        self.min_confidence = min_confidence
        self.title_weight = title_weight
        self.lead = lead
        self.bits = bits
        self.C = C
        self.class_weight = class_weight
        self.folds = folds
        self.columns = columns
        self.encoder = encoder

    _mixin = "ClassifierMixin"

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def model(self) -> TopicModel:
        """The model in use: your own, or the shipped one."""
        return self._own or shipped_model(encoder=self.encoder)

    @property
    def _own(self) -> TopicModel | None:
        return getattr(self, "model_", None)

    @property
    def classes_(self) -> NDArray[Any]:
        """The topics: 8-digit IPTC codes (shipped model) or your own labels, ascending."""
        return np.array(self.model.classes)

    def predict_proba(self, X: CorpusLike) -> pd.DataFrame:
        """Return the probability of each topic: float64, one row a document, one column a topic, index of ``X``.

        ``clean_text`` is read if present, else ``text``; and ``title`` if present. Rows of the shipped model do not sum
        to one: the highest value is the probability that this topic is the main topic of the document, each other value
        the probability that the document is also about that topic. ``attrs["text_column"]`` names what was read.
        """
        corpus, _, _, values, _ = self._scored(X)
        frame = pd.DataFrame(values, index=corpus.index, columns=list(self.model.classes))
        frame.attrs = {"text_column": self.text_column_}
        return frame

    def predict(self, X: CorpusLike, *, names: bool = False) -> pd.Series[Any]:
        """Return the likeliest topic of each document, by code or, with ``names``, by English name; index of ``X``.

        A topic is missing if the text is empty or has no known word, if its language (the column ``lang``, else
        detected) is not among :attr:`languages_`, if the probability is below ``min_confidence``, or, with the shipped
        model, if the document is no article (by the column ``verdict``, else by :func:`toolkit.verdicts`).
        ``attrs["missing"]`` counts the reasons.
        """
        corpus, values, why = self._judged(X)
        labels = self._names() if names else self.classes_
        best = pd.Series(labels[values.argmax(axis=1)], index=corpus.index)
        if best.dtype == object:
            best = best.astype("str")
        if why.notna().any():
            best = (best.astype("Int64") if best.dtype.kind == "i" else best).where(why.isna())
        best.attrs = {"text_column": self.text_column_, "missing": _counted(why)}
        return best

    def topics(self, X: CorpusLike) -> pd.DataFrame:
        """Return the topics of each document: the likeliest, and all others that pass their threshold.

        ``doc_id``, ``topic``, ``name`` (in English, of an IPTC code), ``probability``; in the order of ``X``, likeliest
        first. Documents without a topic (see :meth:`predict`) have no row; ``attrs["missing"]`` counts the reasons.
        """
        corpus, values, why = self._judged(X)
        shown = values >= self.model.thresholds
        if self.model.kind != "multi":
            shown[np.arange(len(values)), values.argmax(axis=1)] = True
        shown &= why.isna().to_numpy(bool)[:, None]
        rows, columns = np.nonzero(shown)
        order = np.lexsort((columns, -values[rows, columns], rows))
        rows, columns = rows[order], columns[order]
        topic = pd.Series(self.classes_[columns])
        frame = pd.DataFrame({
            "doc_id": corpus["doc_id"].array[rows],
            "topic": topic.astype("str") if topic.dtype == object else topic,
            "name": pd.Series(self._names()[columns], dtype="str"),
            "probability": values[rows, columns],
        })  # fmt: skip
        frame.attrs = {"text_column": self.text_column_, "missing": _counted(why)}
        return frame

    @property
    def languages_(self) -> pd.DataFrame:
        """Supported languages, with the accuracy on held-out publishers; own labels are for every language.

        ``language``; ``documents`` and ``publishers`` (numbers of the held-out ones); ``answered`` (share of documents
        that get a topic at the default ``min_confidence``). Of those with a topic: ``accuracy`` (share whose likeliest
        topic is the main topic, out of 17), ``low`` and ``high`` (its 95 % interval, Wilson 1927) and ``among`` (share
        whose likeliest topic is any topic of the document).
        """
        held_out = [] if self._own else self.model.card.get("held_out", [])
        columns = ["language", "documents", "publishers", "answered", "accuracy", "low", "high", "among"]
        table = pd.DataFrame(held_out, columns=[*columns, "supported"])
        return table.loc[table["supported"].astype(bool), columns].reset_index(drop=True)

    def _names(self) -> NDArray[Any]:
        return np.array([taxonomy.label(code) for code in self.model.classes], dtype=object)

    def _languages_of(self, corpus: pd.DataFrame, texts: pd.Series[Any]) -> pd.Series[Any]:
        """Return the language of each document, where it matters: as ``lang`` says, else as its text tells."""
        if self._own:
            return pd.Series(None, index=corpus.index, dtype="str")
        stated = codes(corpus["lang"])
        silent = stated.isna()
        return stated.where(~silent, languages(texts.where(silent, ""))) if silent.any() else stated

    def _scored(self, X: CorpusLike) -> tuple[pd.DataFrame, pd.Series[Any], pd.Series[Any], Floats, Places]:
        """Return the corpus, and of each document text, language, probabilities and number of known words."""
        corpus, texts = self._read(X)
        lang = self._languages_of(corpus, texts)
        values, known = np.empty((len(corpus), len(self.model.classes))), np.zeros(len(corpus), np.int64)
        for model, rows in self._models(lang, encoder=self.encoder):
            scores, known[rows] = model.read(texts[rows], corpus["title"][rows])
            values[rows] = model.probabilities(scores)
        return corpus, texts, lang, values, known

    def _models(self, lang: pd.Series[Any], *, encoder: bool = False) -> list[tuple[TopicModel, Rows]]:
        """Return each model that is needed and the documents that it reads."""
        if self._own:
            return [(self._own, np.ones(len(lang), bool))]
        foreign = ~lang.isin(ENGLISH).to_numpy(bool)
        parts = [(SHIPPED, ~foreign), (LANGUAGES, foreign)]
        return [(shipped_model(path, encoder=encoder), rows) for path, rows in parts if rows.any()]

    def _judged(self, X: CorpusLike) -> tuple[pd.DataFrame, Floats, pd.Series[Any]]:
        """Return the corpus, each document's probabilities, and the reason if it gets no topic."""
        if not isinstance(self.min_confidence, Real | None):
            raise ValueError(f"min_confidence={self.min_confidence!r}: a probability is wanted, such as .5")
        corpus, texts, lang, values, read = self._scored(X)
        top = values.max(axis=1, initial=0.0)
        why = pd.Series(None, index=corpus.index, dtype="str")
        for model, rows in self._models(lang):
            least = model.card.get("confidence", 0.0) if self.min_confidence is None else self.min_confidence
            why = why.mask(rows & (top < least), f"probability below {least:g}")
        if not self._own:
            foreign = lang.notna() & ~lang.isin([*ENGLISH, *self.languages_["language"]])
            why = why.mask(foreign, lang.map("language {!r} is not supported".format, na_action="ignore"))
        if (unread := read == 0).any():
            blank = (corpus["title"].fillna("") + texts).str.strip() == ""
            why = why.mask(unread, "no known word").mask(unread & blank, "the text is empty")
        if not self._own:  # own labels are for whatever the own documents are
            verdict = others(corpus)
            why = why.mask(verdict.notna() & (why != "the text is empty"), "no article: " + verdict)
        return corpus, values, why

    def explain(
        self, text: str | pd.Series[Any] | pd.DataFrame, *, title: str | None = None, topic: Any = None
    ) -> Explanation:
        """Show how much each word of one text adds to each topic; in a notebook as the text with highlights.

        Of a row, or a corpus of one row, what :meth:`predict` reads is explained: ``clean_text`` or else ``text``,
        language, and title unless one is given. ``topic``, one of :attr:`classes_`, comes first; default the likeliest.
        """
        corpus, texts = self._read(as_document(text, self.columns))
        own = corpus["title"].fillna("").iloc[0]
        ((model, _),) = self._models(self._languages_of(corpus, texts))
        return explain(model, texts.iloc[0], own if title is None else title, topic)

    def top_words(self, X: CorpusLike, topic: Any = None, *, n: int = 10) -> pd.DataFrame:
        """Show the ``n`` words that add most to a topic, over the documents whose likeliest topic it is.

        ``topic``, ``name``, ``word`` (word or word pair in lower case), ``documents`` (number of the topic's documents
        that contain the word) and ``weight`` (its mean contribution to their score, in log-odds, as :meth:`explain`
        gives it for one text), highest weight first. Without ``topic``, every one that leads a document.
        """
        corpus, texts, lang, values, _ = self._scored(X)
        leading = values.argmax(axis=1)
        if topic is not None:
            leading = np.where(leading == known(self.model, topic), leading, -1)
        found = []
        for model, rows in self._models(lang):
            found += top_words(model, texts[rows], corpus["title"][rows], leading[rows], n)
        table = pd.DataFrame(found, columns=["topic", "word", "documents", "weight"])
        table = table.sort_values(["topic", "weight"], ascending=[True, False], kind="stable")
        table = table.groupby("topic").head(n).reset_index(drop=True)
        table.insert(1, "name", pd.Series([taxonomy.label(code) for code in table["topic"]], dtype="str"))
        return table

    def fit(
        self,
        X: CorpusLike, y: Iterable[Any], *, sample_weight: Floats | None = None, groups: Iterable[Any] | None = None
    ) -> TopicClassifier:  # fmt: skip
        """Train a model of your own labels: hashed TF-IDF, linear support vector machines, calibration.

        ``y`` has one entry a document: a label (str or int), or a set, list or tuple of labels if documents may have
        any number of topics. Labels that do not match the documents, or fewer than two, are a ``ValueError``. Documents
        of one of the ``groups``, such as near-duplicates, are in the same fold of the cross-validation; default:
        ``publisher``, if every document has one and there are enough publishers.
        """
        from sklearn.utils import compute_sample_weight

        from toolkit.topics.fitting import fitted, folds_of, memberships

        corpus, texts = self._read(X)
        labels = classes, member, single = memberships(y, len(corpus))
        weight = np.ones(len(corpus)) if sample_weight is None else np.asarray(sample_weight, float)
        if weight.shape != (len(corpus),):
            msg = f"fit: {weight.size} weights for {len(corpus)} documents; give one a document"
            raise ValueError(msg)
        if single and self.class_weight is not None:
            own = np.array(classes)[member.argmax(axis=1)]
            weight = weight * compute_sample_weight(self.class_weight, own)
        space = FeatureSpace(self.bits, self.lead, self.title_weight)
        counts, splits = matrix(texts, corpus["title"], space), folds_of(corpus, groups, self.folds)
        if not counts.nnz:
            raise ValueError("fit: no document has a word; give texts with words")
        self.model_ = fitted(counts, labels, weight=weight, space=space, C=self.C, splits=splits)
        return self

    def save(self, path: str | Path) -> None:
        """Write the model as ``path`` (``.npz``, plain arrays) and a card (``.json``) beside it."""
        self.model.save(path)

    @classmethod
    def load(cls, path: str | Path, *, min_confidence: float | None = None) -> TopicClassifier:
        """Read a saved classifier; no code in the files is run.

        A file that is missing, is not a topic model, or was changed since it was saved, is a :class:`ModelError`.
        """
        model = TopicModel.load(path)
        read = {name: getattr(model.space, name) for name in ("bits", "lead", "title_weight")}
        loaded = cls(min_confidence=min_confidence, **read)
        loaded.model_ = model
        return loaded

    def score(self, X: CorpusLike, y: Iterable[Any], sample_weight: Any = None) -> float:
        """Return the share of documents whose predicted topic is ``y``; a missing prediction counts as wrong.

        A label that the model does not know, such as a name in place of its code, is a ``ValueError``.
        """
        labels = pd.Series(list(y), dtype=object)
        for label in labels.unique():
            known(self.model, label, "score")
        found = self.predict(X)
        if len(found) != len(labels):
            msg = f"score: {len(labels)} labels for {len(found)} documents; give one entry a document"
            raise ValueError(msg)
        right = found.to_numpy(object) == labels.to_numpy()
        return float(np.average(right, weights=sample_weight))

    def _read(self, X: CorpusLike) -> tuple[pd.DataFrame, pd.Series[Any]]:
        corpus = as_corpus(X, self.columns)
        cleaned = is_cleaned(corpus)
        self.text_column_ = "clean_text" if cleaned else "text"
        if not cleaned and isinstance(X, pd.DataFrame) and not corpus.empty and not _WARNED:
            _WARNED.append(UNCLEANED)
            warnings.warn(UNCLEANED, stacklevel=4)
        return corpus, texts_of(corpus)


def _counted(why: pd.Series[Any]) -> dict[str, int]:
    """Return how many documents each reason holds for, most frequent first; plain for JSON."""
    counts = why.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    return {str(reason): int(count) for reason, count in counts.items()}

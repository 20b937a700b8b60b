"""The topic classifier: the shipped model at once, or a model of one's own labels."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC
from sklearn.utils import compute_sample_weight

from toolkit.corpus import CorpusLike, as_corpus
from toolkit.topics import calibration, taxonomy
from toolkit.topics.abstention import ENGLISH, counted, reasons, tongues
from toolkit.topics.examples import folds_of, groups_of, memberships
from toolkit.topics.explanation import Explanation, explain, known, top_words
from toolkit.topics.features import FeatureSpace, matrix
from toolkit.topics.model import LANGUAGES, TopicModel, shipped_model
from toolkit.verdict import others

_SAID: list[str] = []
"""What has been said once in this process."""


class TopicClassifier(ClassifierMixin, BaseEstimator):
    """Classify news by topic, with calibrated probabilities and exact reasons.

    Usable at once: without :meth:`fit` it is the shipped model of the 17 top-level IPTC Media Topics, in English and
    the languages of :attr:`languages_`. :meth:`fit` makes it a classifier of one's own labels.

    Parameters
    ----------
    min_confidence : float, optional
        :meth:`predict` and :meth:`topics` leave documents out whose likeliest topic has a lower probability. Default:
        what the model was made for, 0.3 for the shipped one, 0 for one's own labels.
    title_weight : int, default 2
        For :meth:`fit`: how many times a word of the title counts; 0 reads no titles.
    lead : int, default 4096
        For :meth:`fit`: bytes of the text that are read.
    bits : int, default 20
        For :meth:`fit`: words fall into ``2**bits`` buckets. Weights take ``2**bits`` × classes × 4 bytes.
    C : float, default 1.0
        For :meth:`fit`: inverse of the regularisation of the linear support vector machine.
    class_weight : dict or "balanced", optional
        For :meth:`fit`: weights of the classes, as in scikit-learn; one topic a document only.
    folds : int, default 5
        For :meth:`fit`: folds of the cross-validation that calibrates the probabilities.
    columns : mapping, optional
        Column of the corpus → field of the frames given, such as ``{"text": "body2"}``, where they do not map
        by themselves.

    Attributes
    ----------
    model_ : TopicModel
        Set by :meth:`fit` and :meth:`load`; without them the shipped model answers.
    classes_ : array, length n
        The topics: 8-digit IPTC codes (shipped), or one's own labels, ascending.
    text_column_ : str
        Column that was read last: ``clean_text`` where the corpus has it, else ``text``.

    See Also
    --------
    toolkit.topics.taxonomy : names and definitions of the IPTC codes.

    Examples
    --------
    >>> clf = TopicClassifier()
    >>> clf.predict(["The striker scored twice as the home team won the cup final."])
    0    15000000
    dtype: str
    """

    def __init__(
        self,
        *,
        min_confidence: float | None = None,
        title_weight: int = 2,
        lead: int = 4096,
        bits: int = 20,
        C: float = 1.0,
        class_weight: dict[Any, float] | str | None = None,
        folds: int = 5,
        columns: Mapping[str, str] | None = None,
    ) -> None:
        self.min_confidence = min_confidence
        self.title_weight = title_weight
        self.lead = lead
        self.bits = bits
        self.C = C
        self.class_weight = class_weight
        self.folds = folds
        self.columns = columns

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def model(self) -> TopicModel:
        """The model that answers: one's own, or the shipped one."""
        return self.__dict__.get("model_") or shipped_model()

    @property
    def classes_(self) -> NDArray[Any]:
        """The topics, ascending."""
        return np.array(self.model.classes)

    def predict_proba(self, X: CorpusLike) -> pd.DataFrame:
        """Return the probability of each topic.

        Parameters
        ----------
        X : corpus, or list or Series of str
            ``clean_text`` is read where it is there, else ``text``; ``title`` where it is there.

        Returns
        -------
        DataFrame of float64, shape (documents, topics)
            Index of ``X``, one column a class. The shipped model's rows do not sum to one: the highest
            figure is the chance that the topic is the document's leading one, every other figure the chance
            that the topic is also there. ``attrs["text_column"]`` names the column that was read.
        """
        corpus, texts = self._read(X)
        values, _ = self._values(corpus, texts, self._tongues(corpus, texts))
        frame = pd.DataFrame(values, index=corpus.index, columns=list(self.model.classes))
        frame.attrs = {"text_column": self.text_column_}
        return frame

    def predict(self, X: CorpusLike, *, names: bool = False) -> pd.Series[Any]:
        """Return the likeliest topic of each document: the highest column of :meth:`predict_proba`.

        Parameters
        ----------
        X : corpus, or list or Series of str
        names : bool, default False
            English names in place of IPTC codes.

        Returns
        -------
        Series
            Index of ``X``; missing where the text is empty or holds no word that the model knows, where it is in a
            language that is not among :attr:`languages_` (as ``lang`` says, else as the text tells), where the
            probability is below ``min_confidence``, and, for the shipped model, where the document is no article
            (as a column ``verdict`` says, else as :func:`toolkit.verdicts` would). ``attrs["missing"]`` counts the
            reasons.

        Examples
        --------
        >>> TopicClassifier().predict(["The striker scored twice in the cup final.", ""], names=True).tolist()
        ['sport', nan]
        """
        corpus, values, why = self._judged(X)
        labels = self._names() if names else self.classes_
        best = pd.Series(labels[values.argmax(axis=1)], index=corpus.index)
        if best.dtype == object:
            best = best.astype("str")
        if why.notna().any():
            best = (best.astype("Int64") if best.dtype.kind == "i" else best).where(why.isna())
        best.attrs = {"text_column": self.text_column_, "missing": counted(why)}
        return best

    def topics(self, X: CorpusLike) -> pd.DataFrame:
        """Return the topics of each document: the likeliest, and all others that pass their threshold.

        Returns
        -------
        DataFrame
            ``doc_id``, ``topic``, ``name`` (English name of an IPTC code, else the label itself) and
            ``probability``; documents in the order of ``X``, likeliest topic first. A document for
            which :meth:`predict` is missing has no row; ``attrs["missing"]`` counts the reasons.
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
        frame = pd.DataFrame(
            {
                "doc_id": corpus["doc_id"].array[rows],
                "topic": topic.astype("str") if topic.dtype == object else topic,
                "name": pd.Series(self._names()[columns], dtype="str"),
                "probability": values[rows, columns],
            }
        )
        frame.attrs = {"text_column": self.text_column_, "missing": counted(why)}
        return frame

    @property
    def languages_(self) -> pd.DataFrame:
        """Languages that are answered, with the accuracy on held-out publishers.

        ``language``, ``documents`` and ``publishers`` (held out), ``answered`` (share at the default
        ``min_confidence``); of those answered, ``accuracy`` (share whose leading topic is right, among all 17),
        ``low`` and ``high`` (its 95 % interval, Wilson 1927) and ``among`` (share whose leading topic is one of the
        document's). Empty for a classifier of one's own labels, which answers in any language.
        """
        held_out = [] if "model_" in self.__dict__ else shipped_model().card.get("held_out", [])
        columns = ["language", "documents", "publishers", "answered", "accuracy", "low", "high", "among"]
        table = pd.DataFrame(held_out, columns=[*columns, "supported"])
        return table.loc[table["supported"].astype(bool), columns].reset_index(drop=True)

    def _names(self) -> NDArray[Any]:
        names = taxonomy.names("en-GB")
        return np.array([names.get(code, str(code)) for code in self.model.classes], dtype=object)

    def _tongues(self, corpus: pd.DataFrame, texts: pd.Series[Any]) -> pd.Series[Any]:
        own = "model_" in self.__dict__
        return pd.Series(None, index=corpus.index, dtype="str") if own else tongues(corpus, texts)

    def _values(
        self, corpus: pd.DataFrame, texts: pd.Series[Any], lang: pd.Series[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Figures of each document, and how many of its words are known, by the model of its language."""
        titles, model = _titles(corpus), self.model
        foreign = self._foreign(lang)
        if not foreign.any():
            scores, known = model.read(texts, titles)
            return model.probabilities(scores), known
        values, known = np.empty((len(corpus), len(model.classes))), np.empty(len(corpus), np.int64)
        for other, rows in ((model, ~foreign), (shipped_model(LANGUAGES), foreign)):
            scores, known[rows] = other.read(texts[rows], None if titles is None else titles[rows])
            values[rows] = other.probabilities(scores)
        return values, known

    def _foreign(self, lang: pd.Series[Any]) -> NDArray[np.bool_]:
        own = "model_" in self.__dict__
        return np.zeros(len(lang), bool) if own else ~lang.isin(ENGLISH).to_numpy(bool)

    def _judged(self, X: CorpusLike) -> tuple[pd.DataFrame, NDArray[np.float64], pd.Series[Any]]:
        """Return the corpus, the figures of each document, and why it has no topic, if it has none."""
        corpus, texts = self._read(X)
        lang = self._tongues(corpus, texts)
        values, known = self._values(corpus, texts, lang)
        least = self.min_confidence
        if least is None:
            least = self.model.card.get("confidence", 0.0)
        supported = None if "model_" in self.__dict__ else [*ENGLISH, *self.languages_["language"]]
        top = values.max(axis=1, initial=0.0)
        why = reasons(corpus, texts, lang, supported, known, top, least)
        if supported is not None:  # own labels are for whatever the own documents are
            verdict = others(corpus)
            why = why.mask(verdict.notna() & (why != "the text is empty"), "no article: " + verdict)
        return corpus, values, why

    def explain(self, text: str, *, title: str | None = None, topic: Any = None) -> Explanation:
        """Show which words carried which topic of one text.

        Parameters
        ----------
        text : str
        title : str, optional
        topic : class, optional
            The topic to explain first; default the likeliest.

        Returns
        -------
        Explanation
            Shows itself with highlights in a notebook; ``.words`` has the weights, which sum to the score.

        Raises
        ------
        ValueError
            The topic is not one of :attr:`classes_`.
        """
        read = pd.DataFrame({"text": [text], "lang": [None]}).astype("str")
        foreign = self._foreign(self._tongues(read, read["text"]))
        return explain(shipped_model(LANGUAGES) if foreign.any() else self.model, text, title, topic)

    def top_words(self, X: CorpusLike, topic: Any = None, *, n: int = 10) -> pd.DataFrame:
        """Show which words carried a topic in a corpus: in the documents of which it is the likeliest.

        Parameters
        ----------
        X : corpus, or list or Series of str
        topic : class, optional
            Default all that lead a document.
        n : int, default 10
            How many words a topic.

        Returns
        -------
        DataFrame
            ``topic``, ``name``, ``word`` (word or word pair in lower case), ``documents`` (how many of those
            that the topic leads hold the word) and ``weight`` (its mean contribution to their score, in
            log-odds, as :meth:`explain` gives it for one text), highest weight first.

        Raises
        ------
        ValueError
            The topic is not one of :attr:`classes_`.
        """
        corpus, texts = self._read(X)
        lang = self._tongues(corpus, texts)
        leading = self._values(corpus, texts, lang)[0].argmax(axis=1)
        if topic is not None:
            leading = np.where(leading == known(self.model, topic), leading, -1)
        titles, foreign = _titles(corpus), self._foreign(lang)
        tables = []
        for model, rows in (
            (self.model, ~foreign),
            (shipped_model(LANGUAGES) if foreign.any() else None, foreign),
        ):
            if model is not None:
                some = None if titles is None else titles[rows]
                tables.append(top_words(model, texts[rows], some, leading[rows], n))
        table = pd.concat(tables).sort_values(["topic", "weight"], ascending=[True, False], kind="stable")
        table = table.groupby("topic").head(n).reset_index(drop=True)
        names = taxonomy.names("en-GB")
        table.insert(
            1, "name", pd.Series([names.get(code, str(code)) for code in table["topic"]], dtype="str")
        )
        return table

    def fit(
        self,
        X: CorpusLike,
        y: Iterable[Any],
        *,
        sample_weight: NDArray[np.float64] | None = None,
        groups: Iterable[Any] | None = None,
    ) -> TopicClassifier:
        """Learn one's own labels: hashed TF-IDF, linear support vector machines, calibration.

        Parameters
        ----------
        X : corpus, or list or Series of str
        y : iterable, one entry a document
            A label (str or int); or a set, list or tuple of labels for documents with any number of topics.
        sample_weight : float array, optional
        groups : iterable, optional
            Documents of a group never straddle the folds that calibrate, such as the publisher or a group of
            near-duplicates; default ``publisher`` where every document has one and there are enough.

        Returns
        -------
        TopicClassifier
            Itself.

        Raises
        ------
        ValueError
            Labels do not match the documents, or there are fewer than two.
        """
        corpus, texts = self._read(X)
        classes, member, single = memberships(y, len(corpus))
        weight = np.ones(len(corpus)) if sample_weight is None else np.asarray(sample_weight, float)
        if single and self.class_weight is not None:
            weight = weight * compute_sample_weight(
                self.class_weight, np.array(classes)[member.argmax(axis=1)]
            )
        space = FeatureSpace(self.bits, self.lead, self.title_weight)
        counts = matrix(texts, _titles(corpus), space)
        used = np.unique(counts.indices)
        counts = counts[:, used]
        grouping = groups_of(corpus, groups, self.folds)
        unseen = np.full(member.shape, -1.0)
        for train, test in folds_of(len(corpus), self.folds, grouping):
            idf = _idf(counts[train])
            coefficients, shift = self._machines(_weigh(counts[train], idf), member[train], weight[train])
            unseen[test] = _weigh(counts[test], idf) @ coefficients + shift
        idf = _idf(counts)
        coefficients, shift = self._machines(_weigh(counts, idf), member, weight)
        if single:
            slope, move = calibration.fit_temperature(unseen, member.argmax(axis=1), weight=weight)
            turn = np.eye(len(classes)) * slope
            thresholds = np.full(len(classes), 1.0, np.float32)
        else:
            fitted = calibration.fit_sigmoids(unseen, member, weight=weight)
            turn, move = np.diag(fitted[:, 0]), fitted[:, 1]
            thresholds = np.full(len(classes), 0.5, np.float32)
        n = len(classes)
        weights, idfs = np.zeros((space.size, n), np.float32), np.zeros(space.size, np.float32)
        weights[used], idfs[used] = coefficients @ turn, idf
        self.model_ = TopicModel(
            classes=classes,
            space=space,
            kind="single" if single else "multi",
            weights=weights,
            scale=np.ones(n, np.float32),
            bias=(shift @ turn + move).astype(np.float32),
            idf=idfs,
            also=np.zeros((n, 2), np.float32),
            thresholds=thresholds,
            card={"description": "Fitted on own labels.", "documents": len(corpus), "folds": self.folds},
        )
        return self

    def save(self, path: str | Path) -> None:
        """Write the model as ``path`` (``.npz``, plain arrays) and a card (``.json``) beside it.

        See Also
        --------
        TopicClassifier.load
        """
        self.model.save(path)

    @classmethod
    def load(cls, path: str | Path, *, min_confidence: float | None = None) -> TopicClassifier:
        """Read a saved classifier; nothing in the files is run.

        Raises
        ------
        ModelError
            A file is missing, is not a topic model, or was changed since it was saved.
        """
        model = TopicModel.load(path)
        space = model.space
        loaded = cls(
            min_confidence=min_confidence,
            bits=space.bits,
            lead=space.lead,
            title_weight=space.title_weight,
        )
        loaded.model_ = model
        return loaded

    def score(self, X: CorpusLike, y: Iterable[Any], sample_weight: Any = None) -> float:
        """Return the share of documents whose likeliest topic is ``y``; a missing one is wrong.

        Raises
        ------
        ValueError
            ``y`` holds a label that the model does not know, such as a name in place of its code.
        """
        labels = pd.Series(list(y), dtype=object)
        known_labels = set(self.classes_.tolist())
        unknown = [label for label in labels.unique() if label not in known_labels]
        if unknown:
            codes = {name: code for code, name in taxonomy.names("en-GB").items()}
            code = codes.get(unknown[0])
            mend = (
                f"its code is {code!r}"
                if code in known_labels
                else f"it knows {', '.join(map(str, self.classes_))}"
            )
            msg = f"score: {unknown[0]!r} is no label of this model; {mend}"
            raise ValueError(msg)
        right = self.predict(X).to_numpy(object) == labels.to_numpy()
        return float(np.average(right, weights=sample_weight))

    def _read(self, X: CorpusLike) -> tuple[pd.DataFrame, pd.Series[Any]]:
        corpus = as_corpus(X, self.columns)
        cleaned = "clean_text" in corpus.columns and not corpus["clean_text"].isna().all()
        self.text_column_ = "clean_text" if cleaned else "text"
        if not cleaned and isinstance(X, pd.DataFrame) and not _SAID:
            _SAID.append("said")
            warnings.warn(
                "these texts were never cleaned, so their boilerplate counts; classify toolkit.clean(corpus)",
                stacklevel=3,
            )
        texts = corpus[self.text_column_].astype("str")
        return corpus, texts.fillna(corpus["text"]) if cleaned else texts

    def _machines(
        self, features: csr_matrix, member: NDArray[np.bool_], weight: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        topics = member.shape[1]
        coefficients, shift = np.zeros((features.shape[1], topics)), np.zeros(topics)
        for topic in range(topics):
            labels = member[:, topic]
            if labels.all() or not labels.any():
                shift[topic] = 1.0 if labels.all() else -1.0
                continue
            machine = LinearSVC(C=self.C, random_state=0, max_iter=5000)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                machine.fit(features, labels, sample_weight=weight)
            coefficients[:, topic] = machine.coef_[0]
            shift[topic] = machine.intercept_[0]
        return coefficients, shift


def _titles(corpus: pd.DataFrame) -> pd.Series[Any] | None:
    return None if corpus["title"].isna().all() else corpus["title"]


def _idf(counts: csr_matrix) -> NDArray[np.float32]:
    found = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log((1 + counts.shape[0]) / (1 + found)) + 1
    return np.where(found > 0, idf, 0).astype(np.float32)


def _weigh(counts: csr_matrix, idf: NDArray[np.float32]) -> csr_matrix:
    return unit_rows(counts @ diags(idf))


def unit_rows(features: Any) -> csr_matrix:
    """Scale each row to length one; empty rows stay empty."""
    length = np.sqrt(np.asarray(features.multiply(features).sum(axis=1)).ravel())
    return csr_matrix(diags(1 / np.where(length > 0, length, 1)) @ features)

"""What `fit` on one's own labels is worth beside TF-IDF with a linear support vector machine, in the same run."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from toolkit.evaluation import accuracy, bootstrap, calibration_error
from toolkit.topics import TopicClassifier

Split = tuple[NDArray[np.int64], NDArray[np.int64]]


def compare(
    corpus: pd.DataFrame, label: pd.Series[Any], splits: Iterable[Split], *, seed: int = 0
) -> pd.DataFrame:
    """Fit both on each training part, predict each test part.

    Parameters
    ----------
    corpus : DataFrame
    label : Series of str, as long
    splits : iterable of (ndarray of int, ndarray of int)
        Rows to learn from, and to predict.
    seed : int, default 0
        Of the peer's solver and the bootstrap over documents.

    Returns
    -------
    DataFrame
        Index: method. ``documents`` (predicted), ``accuracy``, ``low``, ``high`` (95 %), ``ECE`` (calibration error of
        the leading topic; missing for the peer, which gives no probabilities), ``seconds`` (processor time of
        fitting and predicting).

    Examples
    --------
    >>> texts = ["the vote in parliament"] * 20 + ["the goal in the cup"] * 20
    >>> corpus = pd.DataFrame({"doc_id": [str(i) for i in range(40)], "text": texts})
    >>> rows = np.arange(40)
    >>> label = pd.Series(["politics"] * 20 + ["sport"] * 20)
    >>> compare(corpus, label, [(rows, rows)])["accuracy"].tolist()
    [1.0, 1.0]
    """
    right: dict[str, list[NDArray[np.bool_]]] = {"toolkit": [], "TF-IDF + LinearSVC": []}
    spent = dict.fromkeys(right, 0.0)
    sure: list[NDArray[np.float64]] = []
    label = label.reset_index(drop=True)
    for train, test in splits:
        wanted = label.iloc[test].to_numpy()
        began = process_time()
        ours = TopicClassifier().fit(corpus.iloc[train], label.iloc[train])
        figures = ours.predict_proba(corpus.iloc[test])
        spent["toolkit"] += process_time() - began
        right["toolkit"].append(figures.columns.to_numpy()[figures.to_numpy().argmax(axis=1)] == wanted)
        sure.append(figures.to_numpy().max(axis=1))
        began = process_time()
        texts = _texts(corpus)
        peer = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LinearSVC(random_state=seed)
        )
        peer.fit(texts.iloc[train], label.iloc[train])
        found = peer.predict(texts.iloc[test])
        spent["TF-IDF + LinearSVC"] += process_time() - began
        right["TF-IDF + LinearSVC"].append(found == wanted)
    rows = {}
    for name, parts in right.items():
        hits = np.concatenate(parts)
        (low,), (high,) = bootstrap(partial(_share, hits), len(hits), seed=seed)
        error = calibration_error(np.concatenate(sure), hits) if name == "toolkit" else float("nan")
        rows[name] = {
            "documents": len(hits), "accuracy": accuracy(hits), "low": low, "high": high, "ECE": error,
            "seconds": spent[name],
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index")


def _share(hits: NDArray[np.bool_], rows: NDArray[np.int64]) -> float:
    return accuracy(hits[rows])


def _texts(corpus: pd.DataFrame) -> pd.Series[Any]:
    title = corpus["title"].fillna("") if "title" in corpus else ""
    return title + "\n" + corpus["text"]


def fitting_table(*, seed: int = 0) -> pd.DataFrame:
    """Compare on AG News (5 folds) and on MasakhaNEWS in English: 300 few-shot articles learned, 472 of *dev* scored.

    Returns
    -------
    DataFrame
        Index: set and method; columns of :func:`compare`.
    """
    from toolkit import datasets

    agnews = datasets.load("agnews").drop_duplicates("text").reset_index(drop=True)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed).split(agnews, agnews["label"])
    african = datasets.load("masakhanews")
    african = african[african["lang"].isin(["en", "eng"])].drop_duplicates("text").reset_index(drop=True)
    dev = african["split"].isin(["dev", "validation"]).to_numpy()
    parts = {
        "AG News, 5 folds": compare(agnews, agnews["label"], list(folds), seed=seed),
        "MasakhaNEWS-en, dev": compare(
            african, african["label"], [(np.flatnonzero(~dev), np.flatnonzero(dev))], seed=seed
        ),
    }
    return pd.concat(parts)

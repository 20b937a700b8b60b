"""Pollution: what boilerplate in training texts does to a classifier that learns from them."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from toolkit.contamination import APPEAL, with_passage
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.topics import TopicClassifier


def training(
    corpus: CorpusLike,
    y: Iterable[Any],
    marked: Container[Any],
    classifier: TopicClassifier | None = None,
    *,
    passage: str = APPEAL,
    folds: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    """Train with and without a passage in the texts of some labels, and compare on texts not trained on.

    Parameters
    ----------
    corpus : corpus
        ``text`` is read.
    y : iterable, one label a document
    marked : container of labels
        Their training documents carry the passage, as if their publisher printed it on every page.
    classifier : TopicClassifier, optional
        Its parameters count; copies are fitted.
    passage : str, default :data:`toolkit.contamination.APPEAL`
    folds : int, default 5
    seed : int, default 0

    Returns
    -------
    DataFrame
        One row a document, training, and text: ``doc_id``, ``training`` (``clean`` or ``polluted``), ``text`` (``as it
        is`` or ``with the passage``), ``true``, ``predicted``, ``correct`` (bool).

    Examples
    --------
    >>> texts = [f"{word} number {i}" for i in range(20) for word in ("boats sail", "cows graze")]
    >>> found = training(texts, ["sea", "farm"] * 20, {"sea"}, TopicClassifier(bits=12, folds=2), folds=2)
    >>> found.groupby("training")["correct"].mean()["clean"].item()
    1.0
    """
    frame = as_corpus(corpus).drop(columns="clean_text", errors="ignore").reset_index(drop=True)
    labels = pd.Series(list(y), dtype=object)
    asking = with_passage(frame, passage)
    base = TopicClassifier() if classifier is None else classifier
    carries = np.array([label in marked for label in labels])
    polluted = frame.assign(text=frame["text"].where(~carries, asking["text"]))
    parts = []
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed).split(frame, labels.astype("str"))
    for train, test in splits:
        for name, source in (("clean", frame), ("polluted", polluted)):
            fitted = clone(base).fit(source.iloc[train], labels.iloc[train].tolist())
            for text, given in (("as it is", frame), ("with the passage", asking)):
                told = fitted.predict(given.iloc[test]).to_numpy()
                part = pd.DataFrame({"doc_id": frame["doc_id"].iloc[test], "training": name, "text": text})
                parts.append(part.assign(true=labels.iloc[test].to_numpy(), predicted=told))
    found = pd.concat(parts, ignore_index=True)
    return found.assign(correct=found["true"] == found["predicted"])

"""What the shipped model learns from: hand labels, and news labelled by other schemes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from toolkit import datasets
from toolkit.boilerplate import BoilerplateRemover
from toolkit.topics.taxonomy import SHORT_NAMES

SHORTS = tuple(SHORT_NAMES.values())
LEARNED = ("allsides", "wcxb", "aed", "fundus", "tagmynews", "sib200")
"""Sets whose licence lets a model be trained on them (``data/README.md`` of the data folder)."""

FOREIGN = {"allsides": "topic", "tagmynews": "label", "sib200": "label"}
"""Sets that are labelled by other schemes, and the column that holds those labels."""

_PUBLISHED = ("allsides", "wcxb", "aed", "fundus")

Places = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Documents:
    """Labelled documents.

    Attributes
    ----------
    corpus : DataFrame
        With ``set``, the registered name of the corpus, and ``part``, the gold file.
    primary : int array
        Column of the primary topic in :data:`SHORTS`.
    member : bool array, shape (documents, 17)
    sure : bool array
        Whether the annotator was sure.
    groups : array of str
        The publisher, else the document itself.
    """

    corpus: pd.DataFrame
    primary: Places
    member: NDArray[np.bool_]
    sure: NDArray[np.bool_]
    groups: NDArray[Any]

    @property
    def sources(self) -> NDArray[Any]:
        """Registered name of each document's corpus."""
        return self.corpus["set"].to_numpy(dtype=object)

    @property
    def learnable(self) -> Places:
        """Rows that the shipped model may learn from."""
        return np.flatnonzero(np.isin(self.sources, LEARNED))

    @property
    def pinned(self) -> NDArray[np.bool_]:
        """Whether a document is in ``gold/topics.jsonl`` itself, on which figures are reported."""
        return (self.corpus["part"] == "topics").to_numpy(bool)


def labelled() -> Documents:
    """Return the topic gold whose documents have a primary topic, MasakhaNEWS included; articles are clean."""
    gold = datasets.gold("topics")
    has = gold.topics["primary"].notna().to_numpy()
    corpus, topics = gold.corpus[has].reset_index(drop=True), gold.topics[has].reset_index(drop=True)
    published = corpus["set"].isin(_PUBLISHED)
    corpus.loc[published, "text"] = cleaned(corpus[published])
    groups = corpus["publisher"].where(published)
    return Documents(
        corpus=corpus,
        primary=np.array([SHORTS.index(short) for short in topics["primary"]]),
        member=np.array([[short in each for short in SHORTS] for each in topics["all"]]),
        sure=topics["sure"].to_numpy(bool),
        groups=groups.fillna(corpus["doc_id"]).to_numpy(dtype=object),
    )


@cache
def _remover() -> BoilerplateRemover:
    return BoilerplateRemover().partial_fit(datasets.load("allsides"))


def cleaned(articles: pd.DataFrame) -> pd.Series[str]:
    """Return the texts without boilerplate, so that no topic is learned from what a site put around its stories."""
    return _remover().transform(articles)["clean_text"]


def foreign(without: pd.Series[Any], names: Iterable[str] = FOREIGN) -> dict[str, pd.DataFrame]:
    """Return English texts of *train* sets labelled by other schemes: ``text``, ``title``, ``label``.

    Parameters
    ----------
    without : Series of str
        Ids of documents to leave out: no hand-labelled document may bring its foreign label along.
    names : iterable of str
        Which sets of :data:`FOREIGN`; default all.
    """
    found = {}
    for name in names:
        column = FOREIGN[name]
        frame = datasets.load(name)
        if name in _PUBLISHED:
            frame["text"] = cleaned(frame)
        frame = frame[
            (frame["lang"] == "en") & ~frame["doc_id"].isin(without) & (frame["text"].str.len() > 5)
        ]
        frame = frame.drop_duplicates("text").assign(label=frame[column].fillna("none"))
        if name == "tagmynews":
            frame["text"] = ""  # the headline stands in both columns
        found[name] = frame[["text", "title", "label"]].reset_index(drop=True)
    return found


def targets(documents: Documents, share: float) -> Floats:
    """Spread each document's label: ``share`` to the primary topic, the rest over its other topics."""
    others = documents.member.astype(float)
    rows = np.arange(len(others))
    others[rows, documents.primary] = 0.0
    count = others.sum(axis=1, keepdims=True)
    spread = np.where(count > 0, (1 - share) * others / np.maximum(count, 1), 0.0)
    spread[rows, documents.primary] = np.where(count[:, 0] > 0, share, 1.0)
    return np.asarray(spread)


def balance(documents: Documents, power: float) -> Floats:
    """Weight documents of rare topics more: frequency of the primary topic to ``-power``, mean 1."""
    frequency = np.bincount(documents.primary, minlength=len(SHORTS))
    weight = frequency[documents.primary].astype(float) ** -power
    return np.asarray(weight / weight.mean())


def publisher_folds(documents: Documents, folds: int = 5, seed: int = 0) -> list[tuple[Places, Places]]:
    """Split so that no publisher straddles a fold."""
    split = GroupKFold(folds, shuffle=True, random_state=seed)
    return list(split.split(documents.primary, groups=documents.groups))


def source_folds(documents: Documents) -> list[tuple[Places, Places]]:
    """Leave out in turn each source on which figures are reported."""
    sources = documents.sources
    left_out = dict.fromkeys(sources[documents.pinned])
    return [(np.flatnonzero(sources != s), np.flatnonzero(sources == s)) for s in left_out]

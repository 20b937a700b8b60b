"""What the shipped topic models learn from: hand labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from toolkit import datasets
from toolkit.boilerplate import BoilerplateRemover
from toolkit.language import languages
from toolkit.topics.taxonomy import SHORT_NAMES

SHORTS = tuple(SHORT_NAMES.values())
_INVENTED = Path(__file__).parents[1] / "data" / "training"
INVENTED = (_INVENTED / "articles.jsonl", _INVENTED / "articles_more.jsonl")
"""Invented articles with their topics, of what the public sets have few of; all of one group."""

LEARNED = ("allsides", "wcxb", "aed", "fundus", "tagmynews", "sib200", "modern", "invented")
"""Sets whose licence lets a model be trained on them; of ``modern`` the rows of use *train* alone."""

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
    def languages(self) -> NDArray[Any]:
        """Language of each document; those without are English."""
        return self.corpus["lang"].fillna("en").to_numpy(dtype=object)

    @property
    def learnable(self) -> NDArray[np.bool_]:
        """Whether the shipped model may learn from a document."""
        allowed = (self.corpus["use"] != "develop").to_numpy(bool)
        return np.isin(self.sources.astype(str), LEARNED) & allowed

    @property
    def pinned(self) -> NDArray[np.bool_]:
        """Whether a document is in ``gold/topics.jsonl`` or ``topics_modern.jsonl``, on which figures are reported."""
        return self.corpus["part"].isin(["topics", "topics_modern"]).to_numpy(bool)

    def take(self, rows: Any) -> Documents:
        """Return some of the documents, by mask or places."""
        corpus = self.corpus.iloc[np.arange(len(self.primary))[rows]].reset_index(drop=True)
        names = ("primary", "member", "sure", "groups")
        return replace(self, corpus=corpus, **{name: getattr(self, name)[rows] for name in names})


def labelled() -> Documents:
    """Return all topic gold whose documents have a primary topic; articles of the older sets are cleaned."""
    parts = [(part.corpus, part.topics) for part in map(datasets.gold, ("topics", "topics_modern"))]
    written = pd.concat(
        [pd.read_json(path, lines=True, dtype=False).assign(part=path.stem) for path in INVENTED],
        ignore_index=True,
    )
    written = written.rename(columns={"id": "doc_id"}).assign(sure=True)
    parts.append((written.assign(set="invented", publisher="invented"), written))
    corpus = pd.concat([corpus for corpus, _ in parts], ignore_index=True)
    topics = pd.concat([topics for _, topics in parts], ignore_index=True)
    has = topics["primary"].notna().to_numpy()
    corpus, topics = corpus[has].reset_index(drop=True), topics[has].reset_index(drop=True)
    corpus.attrs = {}
    corpus["lang"] = corpus["lang"].fillna(languages(corpus["text"]))
    published = corpus["set"].isin(_PUBLISHED)
    corpus.loc[published, "text"] = cleaned(corpus[published])
    groups = corpus["publisher"].where(published | corpus["set"].isin(["modern", "invented"]))
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

"""Second level of the taxonomy, tried without labels and scored where the slugs of allsides tell the answer.

The trial is kept so that its figures can be recomputed; it is no part of the classifier (``docs/topics.md``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import diags
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize

from toolkit.shipped import shipped
from toolkit.topics import TopicClassifier, taxonomy
from toolkit.topics.features import FeatureSpace, matrix, unit_rows

_SPACE = FeatureSpace(bits=18)


def slugs() -> dict[str, dict[str, list[str]]]:
    """Return what ``data/subtopics.json`` says: slug → short name of a top-level topic → right children."""
    return dict(json.loads(shipped("subtopics.json").read_text(encoding="utf-8"))["slugs"])


def descriptions(source: Path) -> pd.Series[str]:
    """Return names and definitions of each level-2 topic and all below it, by code.

    Parameters
    ----------
    source : Path
        ``taxonomy/iptc_mediatopics_2023-10-24.json`` of the data folder.
    """
    concepts = {c["qcode"]: c for c in json.loads(source.read_text(encoding="utf-8"))["concepts"]}
    told: dict[str, list[str]] = {}
    for concept in concepts.values():
        above = concept
        while above["level"] > 2:
            above = concepts[above["parent"]]
        if above["level"] == 2 and not concept["retired"] and not above["retired"]:
            name = concept["names"]["en-GB"]
            text = f"{name}. {name}. {concept['definition_en'] or ''}"
            told.setdefault(above["qcode"].removeprefix("medtop:"), []).append(text)
    return pd.Series({code: " ".join(told[code]) for code in sorted(told)}, dtype="str")


def subtopic_table(
    corpus: pd.DataFrame, described: pd.Series[str], *, dimensions: int = 150, seed: int = 0
) -> pd.DataFrame:
    """Score children chosen by likeness to their descriptions, against the most frequent child.

    Parameters
    ----------
    corpus : corpus
        With ``topic``, a slug. Documents count whose predicted top-level topic the slug is mapped under.
    described : Series
        As :func:`descriptions`.
    dimensions : int, default 150
        Of the latent semantic analysis, learned from the corpus, whose cosine is added to that of TF-IDF.
    seed : int, default 0

    Returns
    -------
    DataFrame
        Index: ``all``, ``mean of topics`` and each top-level topic; ``documents``, ``words`` (accuracy by
        TF-IDF), ``words and directions``, ``most frequent`` (of the predicted topic's children, known from
        the answers: an upper bound of that baseline).
    """
    mapped = slugs()
    corpus = corpus[corpus["topic"].isin(mapped)]
    parents = TopicClassifier().predict(corpus).map(taxonomy.SHORT_NAMES)
    known = [parent in mapped[slug] for parent, slug in zip(parents, corpus["topic"], strict=True)]
    corpus, parents = corpus[known], parents[known].to_numpy(dtype=object)
    right = [mapped[slug][parent] for slug, parent in zip(corpus["topic"], parents, strict=True)]
    counts = matrix(corpus["text"], corpus["title"], _SPACE)
    held = np.bincount(counts.indices, minlength=_SPACE.size)
    idf = diags(np.log((1 + len(corpus)) / (1 + held)) + 1)
    texts, topics = unit_rows(counts @ idf), unit_rows(matrix(described, None, _SPACE) @ idf)
    words = (texts @ topics.T).toarray()
    size = min(dimensions, len(corpus) - 1)
    directions = TruncatedSVD(size, random_state=seed).fit(texts)
    latent = normalize(directions.transform(texts)) @ normalize(directions.transform(topics)).T
    children = {
        short: np.flatnonzero(described.index.isin(taxonomy.children(code)))
        for code, short in taxonomy.SHORT_NAMES.items()
    }
    first = pd.Series([codes[0] for codes in right]).groupby(parents).agg(lambda s: s.mode()[0])
    hits = pd.DataFrame(
        {
            "words": _hits(words, children, parents, described.index, right),
            "words and directions": _hits(2 * words + latent, children, parents, described.index, right),
            "most frequent": [first[p] in codes for p, codes in zip(parents, right, strict=True)],
        }
    )
    by_topic = hits.groupby(parents).mean()
    summary = pd.DataFrame({"all": hits.mean(), "mean of topics": by_topic.mean()}).T
    sizes = hits.groupby(parents).size()
    table = pd.concat([summary, by_topic])
    table.insert(0, "documents", [len(hits), len(hits), *sizes[by_topic.index]])
    return table


def _hits(
    likeness: NDArray[np.float64],
    children: dict[str, NDArray[np.int64]],
    parents: NDArray[Any],
    codes: pd.Index[Any],
    right: list[list[str]],
) -> list[bool]:
    found = (children[p][likeness[row, children[p]].argmax()] for row, p in enumerate(parents))
    return [codes[place] in answers for place, answers in zip(found, right, strict=True)]


def allsides_table(limit: int | None = None) -> pd.DataFrame:
    """Return :func:`subtopic_table` of ``allsides``, all articles or the first ``limit``."""
    from toolkit import datasets
    from toolkit.datasets.store import folder

    source = folder() / "taxonomy" / "iptc_mediatopics_2023-10-24.json"
    return subtopic_table(datasets.load("allsides").head(limit or None), descriptions(source))

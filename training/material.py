"""What the shipped segment model learns from: gold, gold made worse on purpose, and pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit import datasets
from toolkit.corpus import COLUMNS, make_corpus
from training.flattening import SETS, variants
from training.labelled import Labelled, fold_of, labelled
from training.passages import insert_passages, without_breaks


def load_gold(*, folds: int, seed: int) -> tuple[Labelled, NDArray[np.bool_]]:
    """All of ``allsides`` with the labels of both gold files; and which segments are in the first gold."""
    gold = datasets.gold("boilerplate")
    corpus = datasets.load("allsides")
    part = labelled(corpus, gold.spans, set(gold.corpus["doc_id"]), folds=folds, seed=seed)
    first = set(gold.corpus.loc[gold.corpus["part"] == "boilerplate", "doc_id"])
    return part, corpus["doc_id"].isin(first).to_numpy()[part.document]


def load_inserted(gold: Labelled, *, folds: int, seed: int) -> Labelled:
    """Further documents to train on, never scored.

    Gold articles with invented passages set into them, a quarter of these without their title, which may be missing
    for no reason; a third of the gold without its line breaks; and, so that neither a language nor the style of
    invented prose is a reason to remove a text, the sample corpus and the pages of ``fundus``.
    """
    annotated = datasets.gold("boilerplate")
    articles = gold.corpus[gold.corpus["doc_id"].isin(set(annotated.corpus["doc_id"]))]
    corpus, spans = insert_passages(articles, annotated.spans, seed=seed)
    untitled = fold_of(corpus["doc_id"], 4, seed + 1) == 0
    copies = [(corpus.assign(title=corpus["title"].mask(untitled)), spans)]
    dealt = fold_of(articles["doc_id"], 6, seed)
    for i, glue in enumerate((" ", "")):
        texts, spans = without_breaks(articles[dealt == i], annotated.spans, glue)
        copies.append(
            (texts.assign(doc_id=texts["doc_id"] + f"/{i}"), spans.assign(doc_id=spans["doc_id"] + f"/{i}"))
        )
    sample = datasets.gold("sample")
    parts = [*copies, (sample.corpus, sample.spans), _flattened(("fundus",))]
    everything = pd.concat([corpus[list(COLUMNS)] for corpus, _ in parts], ignore_index=True)
    marks = pd.concat([spans[["doc_id", "start", "end", "kind"]] for _, spans in parts], ignore_index=True)
    return labelled(everything, marks, set(everything["doc_id"]), folds=folds, seed=seed)


def load_pages(*, folds: int, seed: int) -> Labelled:
    """Flattened pages of the three page sets, labelled by their markup and their gold texts."""
    corpus, spans = _flattened(SETS)
    return labelled(corpus, spans, set(corpus["doc_id"]), folds=folds, seed=seed)


def _flattened(sets: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return _table(item for name in sets for page in datasets.records(name) for item in variants(page))


def _table(items: Iterator[dict[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    records: list[dict[str, Any]] = []
    spans: list[tuple[str, int, int, str]] = []
    for number, item in enumerate(items):
        doc_id = f"page:{number}"
        about = {name: item.get(name) for name in ("text", "title", "publisher")}
        records.append({"doc_id": doc_id, **about})
        spans += [(doc_id, a, b, kind) for a, b, kind in item["spans"]]
        spans += [(doc_id, a, b, "unsure") for a, b in item["unsure"]]
    return make_corpus(records), pd.DataFrame(spans, columns=["doc_id", "start", "end", "kind"])

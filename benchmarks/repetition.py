"""What counting a corpus adds: ``python -m benchmarks.repetition``.

The same invented appeal in twenty articles of a publisher; and few articles of each publisher, beside single ones.
Scored by the models of cross-validation, which saw neither the publishers nor the outlets of the appeals.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import recorded
from benchmarks.crossvalidation import fold_models
from toolkit import datasets
from toolkit.boilerplate import BoilerplateRemover
from toolkit.corpus import COLUMNS
from toolkit.evaluation import bootstrap, span_counts
from training.material import dealt
from training.passages import number

PASSAGES = Path(__file__).parents[1] / "data" / "training" / "passages_en.jsonl"
Removers = Callable[[int], BoilerplateRemover]
"""Makes the remover of a fold."""

COPIES, LEAST, MOST = 20, 60, 100
"""Articles that carry the appeal, of a publisher with at least and at most so many."""

PLACES = ("paragraph", "end", "glued", "one_line")
SIZES = (1, 5, 20, 60)


def with_appeals(corpus: pd.DataFrame, *, folds: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Set one appeal into twenty articles of each publisher, by turns at each of the places.

    Returns
    -------
    corpus : DataFrame
        The articles of the publishers, with ``fold``.
    placed : DataFrame
        ``doc_id``, ``start``, ``end``, ``place``, ``publisher``, ``fold``.
    """
    passages = pd.read_json(PASSAGES, lines=True)
    appeals = passages[passages["kind"] == "appeal"]
    of = appeals["outlet"].map(lambda outlet: number("fold", seed, outlet) % folds)
    pools = [appeals["text"][of == fold].tolist() for fold in range(folds)]
    parts, placed = [], []
    for i, (publisher, articles) in enumerate(corpus.groupby("publisher", sort=True)):
        if len(articles) < LEAST:
            continue
        mine = articles.head(MOST).reset_index(drop=True)
        pool = pools[mine["fold"].iloc[0]]
        appeal = pool[i % len(pool)]
        texts = mine["text"].tolist()
        for turn, d in enumerate(np.random.default_rng([seed, i]).choice(len(mine), COPIES, replace=False)):
            place = PLACES[turn % len(PLACES)]
            before, passage, after = _set_in(texts[d], appeal, place)
            texts[d] = before + passage + after
            placed.append(
                (mine["doc_id"][d], len(before), len(before + passage), place, publisher, mine["fold"][d])
            )
        parts.append(mine.assign(text=pd.array(texts, dtype="str")))
    columns = ["doc_id", "start", "end", "place", "publisher", "fold"]
    return pd.concat(parts, ignore_index=True), pd.DataFrame(placed, columns=columns)


def _set_in(text: str, appeal: str, place: str) -> tuple[str, str, str]:
    paragraphs = text.split("\n\n")
    middle = max(1, len(paragraphs) // 2)
    before, after = "\n\n".join(paragraphs[:middle]), "\n\n".join(paragraphs[middle:])
    if place == "end" or not after:
        return text.rstrip() + "\n\n", appeal, ""
    if place == "paragraph":
        return before + "\n\n", appeal, "\n\n" + after
    if place == "glued":
        return before, appeal, after
    return " ".join(before.split()) + " ", " ".join(appeal.split()), " " + " ".join(after.split())


def _articles(folds: int, seed: int) -> pd.DataFrame:
    return dealt(datasets.load("allsides"), folds, seed)


def twenty_table(removers: Removers, *, folds: int = 3, seed: int = 0) -> pd.DataFrame:
    """Share of appeals removed whole, and of their characters; intervals by bootstrap over publishers."""
    corpus, placed = with_appeals(_articles(folds, seed), folds=folds, seed=seed)
    found = []
    for fold in range(folds):
        mine = corpus.loc[corpus["fold"] == fold, list(COLUMNS)]
        remover = removers(fold).partial_fit(mine)
        found.append(remover.spans(mine[mine["doc_id"].isin(placed["doc_id"])]))
    texts = corpus.set_index("doc_id")["text"]
    counts = [
        span_counts(corpus[corpus["doc_id"] == row.doc_id].assign(text=texts[row.doc_id][row.start : row.end]),
                    pd.DataFrame([(row.doc_id, 0, row.end - row.start, "appeal")], columns=_SPAN),
                    _within(spans, row.start, row.end))
        for spans, row in _by_document(pd.concat(found, ignore_index=True), placed)
    ]  # fmt: skip
    scored = placed.assign(**pd.concat(counts, ignore_index=True)[["hit", "missed"]])
    rows = []
    for place in ("all", *PLACES):
        part = scored if place == "all" else scored[scored["place"] == place]
        rows += _figures(
            part, f"an appeal in {COPIES} articles, {place}", _appeals, part["publisher"].to_numpy(), seed
        )
    return pd.DataFrame(rows)


_SPAN = ["doc_id", "start", "end", "kind"]


def _by_document(spans: pd.DataFrame, placed: pd.DataFrame) -> list[tuple[pd.DataFrame, Any]]:
    of = dict(iter(spans.groupby("doc_id")))
    return [(of.get(row.doc_id, spans.iloc[:0]), row) for row in placed.itertuples()]


def _within(spans: pd.DataFrame, start: int, end: int) -> pd.DataFrame:
    inner = spans[(spans["end"] > start) & (spans["start"] < end)]
    return inner.assign(start=inner["start"].clip(start) - start, end=inner["end"].clip(upper=end) - start)[
        _SPAN
    ]


def _appeals(part: pd.DataFrame) -> dict[str, float]:
    hit, missed = part["hit"], part["missed"]
    return {"whole": float((missed == 0).mean()), "removed": float(hit.sum() / (hit + missed).sum())}


def few_table(removers: Removers, *, folds: int = 3, seed: int = 0) -> pd.DataFrame:
    """F1 and loss on the gold, fitted on so many articles of each publisher; intervals by bootstrap over documents."""
    gold = datasets.gold("boilerplate")
    first = set(gold.corpus.loc[gold.corpus["part"] == "boilerplate", "doc_id"])
    corpus = _articles(folds, seed).sample(frac=1, random_state=seed)
    scored = corpus[corpus["doc_id"].isin(first)]
    rows = _figures(
        span_counts(scored[list(COLUMNS)], gold.spans, _single(scored, removers, folds)),
        "single",
        _scores,
        None,
        seed,
    )
    for size in (*SIZES, len(corpus)):
        group = scored.groupby("publisher", dropna=False).cumcount() // size
        rest = corpus[~corpus["doc_id"].isin(first)]
        found = []
        for (_, fold), mine in scored.groupby([group, "fold"]):
            room = size - mine["publisher"].value_counts()
            more = rest[rest["publisher"].isin(room.index)]
            more = more[more.groupby("publisher").cumcount() < room.reindex(more["publisher"]).to_numpy()]
            counted = pd.concat([mine, more])[list(COLUMNS)]
            remover = removers(int(fold)).partial_fit(counted)
            found.append(remover.spans(mine[list(COLUMNS)]))
        name = f"fitted on {size}" if size in SIZES else "fitted on all"
        counts = span_counts(scored[list(COLUMNS)], gold.spans, pd.concat(found, ignore_index=True))
        rows += _figures(counts, name, _scores, None, seed)
    return pd.DataFrame(rows)


def _single(scored: pd.DataFrame, removers: Removers, folds: int) -> pd.DataFrame:
    parts = [scored.loc[scored["fold"] == fold, list(COLUMNS)] for fold in range(folds)]
    return pd.concat([removers(fold).spans(part) for fold, part in enumerate(parts)], ignore_index=True)


def _scores(part: pd.DataFrame) -> dict[str, float]:
    hit, false, missed, article = part[["hit", "false", "missed", "article"]].sum()
    return {"f1": 2 * hit / (2 * hit + false + missed), "article_lost": false / article}


def _figures(
    part: pd.DataFrame, label: str, figures: Callable[[pd.DataFrame], dict[str, float]],
    groups: NDArray[np.object_] | None, seed: int,
) -> list[dict[str, object]]:  # fmt: skip
    value = figures(part)

    def draw(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.array(list(figures(part.iloc[rows]).values()))

    low, high = bootstrap(draw, len(part), groups=groups, draws=500, seed=seed)
    return [
        {"label": label, "series": name, "value": value[name], "low": low[i], "high": high[i]}
        for i, name in enumerate(value)
    ]


def main() -> None:
    """Command line."""
    about = {"command": "python -m benchmarks.repetition", "seed": 0}
    models = fold_models()
    for name, table in (("twenty", twenty_table), ("few", few_table)):
        recorded.record(
            "repetition", name, table(lambda fold: BoilerplateRemover(model=models[fold])), **about
        )
        print(f"{recorded.markdown(recorded.recorded('repetition', name))}\n")


if __name__ == "__main__":
    main()

"""Print how well web pages become article text: ``python -m benchmarks.html`` (``make bench-html``).

The page sets of the data folder (``NEWS_TOOLKIT_DATA``), HTML and gold text, through trafilatura at several
settings, through other extractors, and through trafilatura followed by our remover. Results: ``docs/html.md``.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.extractors import extract
from toolkit import datasets
from toolkit.boilerplate.model import SegmentModel
from toolkit.datasets.registry import SETTING, folder
from toolkit.errors import CorpusError
from toolkit.evaluation import bootstrap
from training.flattening import SETS

FIGURES = ("bag_f1", "shingle_f1", "shingle_precision", "shingle_recall")
TITLES = {
    "bag_f1": "word-bag F1",
    "gain": "word-bag F1 gained by the remover",
    "shingle_f1": "4-shingle F1",
    "shingle_precision": "4-shingle precision",
    "shingle_recall": "4-shingle recall",
    "empty": "pages without a text",
}
SHINGLE = 4
SEVERAL = 2
"""From so many pages on, a publisher's pages are fitted."""

STRICT = 0.0005
"""``max_article_loss`` of the strict remover, the least that the card has a threshold for."""

Key = tuple[str, str]
"""A page set and a method."""

_TOKEN = re.compile(r"\w+")


def words(text: str) -> Counter[str]:
    """Bag of the words of a text, cut at white space.

    Examples
    --------
    >>> words("the vote, the end").most_common(1)
    [('the', 2)]
    """
    return Counter(text.split())


def shingles(text: str, length: int = SHINGLE) -> Counter[tuple[str, ...]]:
    """Bag of the runs of ``length`` tokens (letters, digits, underscores; case kept) of a text.

    A text with fewer tokens is one shingle, one with none has none.

    Examples
    --------
    >>> list(shingles("A vote, again: no result"))
    [('A', 'vote', 'again', 'no'), ('vote', 'again', 'no', 'result')]
    """
    tokens = _TOKEN.findall(text)
    if not tokens:
        return Counter()
    return Counter(tuple(tokens[i : i + length]) for i in range(max(1, len(tokens) - length + 1)))


def page_scores(found: Iterable[str], gold: Iterable[str]) -> pd.DataFrame:
    """Score texts page by page.

    Returns
    -------
    DataFrame
        One row a page, shares in [0, 1]: ``bag_f1`` (bags of words), ``precision`` (missing where nothing was
        found) and ``recall`` (missing where there is nothing to find) of 4-shingles.

    Examples
    --------
    >>> page_scores(["a b c d e"], ["a b c d f"]).values.tolist()
    [[0.8, 0.5, 0.5]]
    """
    rows = []
    for text, wanted in zip(found, gold, strict=True):
        bag, gold_bag = words(text), words(wanted)
        runs, gold_runs = shingles(text), shingles(wanted)
        size, shared = bag.total() + gold_bag.total(), (runs & gold_runs).total()
        rows.append((
            2 * (bag & gold_bag).total() / size if size else 1.0,
            shared / runs.total() if runs else np.nan,
            shared / gold_runs.total() if gold_runs else np.nan,
        ))  # fmt: skip
    return pd.DataFrame(rows, columns=["bag_f1", "precision", "recall"])


def set_scores(pages: pd.DataFrame) -> dict[str, float]:
    """Sum up :func:`page_scores` over pages, every page alike.

    Returns
    -------
    dict
        ``bag_f1``: mean over pages. ``shingle_precision``, ``shingle_recall``: means over the pages that have
        one; ``shingle_f1``: their harmonic mean, as the article-extraction benchmark [1]_ defines it.

    References
    ----------
    .. [1] ``evaluate.py`` of github.com/scrapinghub/article-extraction-benchmark, commit 11b407d.

    Examples
    --------
    >>> set_scores(page_scores(["a b c d e", ""], ["a b c d f", "g h"]))["shingle_f1"]
    0.3333333333333333
    """
    return dict(zip(FIGURES, _means(pages.to_numpy(), np.arange(len(pages))), strict=True))


def _means(pages: NDArray[np.float64], rows: NDArray[np.int64]) -> tuple[float, float, float, float]:
    drawn = pages[rows]
    there = ~np.isnan(drawn)
    # a method that finds nothing on any page has no precision; it counts as 0
    bag, precision, recall = (
        np.where(there, drawn, 0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    ).tolist()
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return bag, f1, precision, recall


def clean(corpus: pd.DataFrame, model: SegmentModel | None = None) -> pd.DataFrame:
    """Clean extracted pages with the remover, by itself, fitted, and strict.

    Returns
    -------
    DataFrame
        Three columns of texts: ``remover``, each page by itself; ``fitted remover``, pages of publishers that
        have several after fitting on all those pages, the rest by itself; ``strict remover``, the same where
        at most :data:`STRICT` of the article characters may be lost.
    """
    from toolkit.boilerplate import BoilerplateRemover

    plain = BoilerplateRemover(model=model)
    texts = pd.DataFrame({"remover": plain.transform(corpus)["clean_text"]})
    texts["fitted remover"] = texts["remover"]
    strict = BoilerplateRemover(max_article_loss=STRICT, model=model)
    texts["strict remover"] = strict.transform(corpus)["clean_text"]
    several = with_several(corpus["publisher"])
    if several.any():
        pages = corpus[several]
        for way, remover in (("fitted remover", plain), ("strict remover", strict)):
            texts.loc[several, way] = remover.fit(pages).transform(pages)["clean_text"]
    return texts


def clean_unseen(
    corpora: Mapping[Key, pd.DataFrame], *, folds: int = 0, seed: int = 0
) -> dict[Key, pd.DataFrame]:
    """Clean corpora of extracted pages (:func:`clean`), each by a model that did not see its publisher.

    Parameters
    ----------
    corpora : mapping to DataFrame
        Their publishers are dealt to folds together.
    folds : int, default 0
        Models of cross-validation to score with; 0 takes the shipped one, which saw the pages.
    """
    from benchmarks.crossvalidation import fold_models
    from training.material import dealt

    parts: dict[Key, list[pd.DataFrame]] = {name: [] for name in corpora}
    models = fold_models(folds=folds, seed=seed) if folds else [None]
    for name, corpus in corpora.items():
        fold = dealt(corpus, len(models), seed)["fold"]
        for held, model in enumerate(models):
            mine = corpus[fold == held]
            parts[name].append(clean(mine, model) if len(mine) else pd.DataFrame())
    return {name: pd.concat(part).loc[corpora[name].index] for name, part in parts.items()}


def scored(corpus: pd.DataFrame, text: pd.Series[Any]) -> pd.DataFrame:
    """Score texts of a corpus with a column ``gold`` (:func:`page_scores`); with ``publisher`` and ``empty``."""
    scores = page_scores(text, corpus["gold"])
    return scores.assign(publisher=corpus["publisher"].to_numpy(), empty=(text.str.strip() == "").to_numpy())


def with_several(publisher: pd.Series[Any]) -> pd.Series[Any]:
    """Return which pages are of a publisher that has several; bool Series of the same index."""
    return publisher.map(publisher.value_counts()).fillna(0) >= SEVERAL


def table(pages: Mapping[str, pd.DataFrame], *, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Sum up each method with 95 % intervals by bootstrap over publishers.

    Parameters
    ----------
    pages : mapping of str to DataFrame
        Method → :func:`scored`, all of the same pages.

    Returns
    -------
    DataFrame
        Index: method. Columns: figure → value, low, high; ``gain`` is the word-bag F1 less that of the same
        extraction without the remover, page by page (missing for methods without the remover); and
        ``(empty, value)``, the number of pages without a text.
    """
    rows = {}
    for name, part in pages.items():
        groups = part["publisher"].to_numpy(dtype=str)
        numbers = part[["bag_f1", "precision", "recall"]].to_numpy()
        row: dict[tuple[str, str], float] = {}
        for at, figure in enumerate(FIGURES):
            row |= _with_interval(figure, lambda r, at=at, n=numbers: _means(n, r)[at], groups, draws, seed)
        extraction, _, way = name.partition(" + ")
        if way:
            gain = part["bag_f1"].to_numpy() - pages[extraction]["bag_f1"].to_numpy()
            row |= _with_interval("gain", lambda r, g=gain: float(g[r].mean()), groups, draws, seed)
        row["empty", "value"] = float(part["empty"].sum())
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def _with_interval(
    figure: str, metric: Callable[..., float], groups: NDArray[np.str_], draws: int, seed: int
) -> dict[tuple[str, str], float]:
    (low,), (high,) = bootstrap(metric, len(groups), groups=groups, draws=draws, seed=seed)
    return {
        (figure, "value"): metric(np.arange(len(groups))), (figure, "low"): low, (figure, "high"): high
    }  # fmt: skip


def show(figures: Mapping[str, pd.DataFrame]) -> str:
    """Lay out tables of :func:`table`, one a page set, as Markdown: one table a figure, value [low, high]."""
    columns = next(iter(figures.values())).columns
    tables = []
    for figure, title in TITLES.items():
        if (figure, "value") not in columns:
            continue
        lines = [f"| {title} | " + " | ".join(figures) + " |", "|---" * (len(figures) + 1) + "|"]
        for method in next(iter(figures.values())).index:
            rows = [part.loc[method] for part in figures.values()]
            if not any(np.isnan(row[figure, "value"]) for row in rows):
                lines.append(f"| {method} | " + " | ".join(_cell(row, figure) for row in rows) + " |")
        tables.append("\n".join(lines))
    return "\n\n".join(tables)


def _cell(row: pd.Series[Any], figure: str) -> str:
    if figure == "empty":
        return f"{row[figure, 'value']:.0f}"
    sign = "+" if figure == "gain" else ""
    return (
        f"{row[figure, 'value']:{sign}.4f} [{row[figure, 'low']:{sign}.3f}, {row[figure, 'high']:{sign}.3f}]"
    )


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.html", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument(
        "--folds",
        type=int,
        default=0,
        help="score with so many models, none of which saw the publisher; default the shipped one",
    )
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    found: dict[str, dict[str, pd.DataFrame]] = {}
    for name in options.sets:
        try:
            found[name] = extract(datasets.records(name))
        except CorpusError:
            continue
    if not found:
        print(f"bench-html: skipped, no page set in {folder()}; set {SETTING} to the folder that has pages/")
        return
    ours = {(n, m): c for n, part in found.items() for m, c in part.items() if m.startswith("trafilatura")}
    cleaned = clean_unseen(ours, folds=options.folds, seed=options.seed)
    pages: dict[str, dict[str, pd.DataFrame]] = {}
    for name, part in found.items():
        pages[name] = {}
        for method, corpus in part.items():
            pages[name][method] = scored(corpus, corpus["text"])
            for way, text in cleaned.get((name, method), pd.DataFrame()).items():
                pages[name][f"{method} + {way}"] = scored(corpus, text)
    pages["several"] = {
        method: pd.concat([p[method][with_several(p[method]["publisher"])] for p in pages.values()])
        for method in next(iter(pages.values()))
    }
    figures = {}
    for name, part in pages.items():
        first = next(iter(part.values()))
        print(f"{name}: {len(first)} pages, {first['publisher'].nunique()} publishers")
        figures[name] = table(part, draws=options.draws, seed=options.seed)
    print(f"\n{show(figures)}")


if __name__ == "__main__":
    main()

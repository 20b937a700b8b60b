"""Print how well web pages become article text: ``python -m toolkit.evaluation.html`` (``make bench-html``).

The page sets of the data folder (``NEWS_TOOLKIT_DATA``), HTML and gold text, through trafilatura at several
settings, through other extractors, and through trafilatura followed by our remover. Results: ``docs/html.md``.
"""

from __future__ import annotations

import argparse
import logging
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit import datasets
from toolkit.corpus import CorpusError, make_corpus, registrable_domain
from toolkit.datasets.store import SETTING, Record, folder
from toolkit.evaluation.intervals import bootstrap
from toolkit.loading.pages import fragment_text, read_page

SETS = ("wcxb", "aed", "fundus")

SETTINGS: dict[str, dict[str, bool]] = {
    "default": {},
    "favor_precision": {"favor_precision": True},
    "favor_recall": {"favor_recall": True},
    "no tables": {"include_tables": False},
}
"""Name → what trafilatura is asked for besides leaving out reader comments."""

FIGURES = ("bag_f1", "shingle_f1", "shingle_precision", "shingle_recall")
SHINGLE = 4
SEVERAL = 2
"""From so many pages on, a publisher's pages are fitted."""

_TOKEN = re.compile(r"\w+")
_STOPLISTS = {
    "da": "Danish", "de": "German", "en": "English", "es": "Spanish", "fr": "French", "it": "Italian",
    "nb": "Norwegian_Bokmal", "nl": "Dutch", "no": "Norwegian_Bokmal", "pl": "Polish", "pt": "Portuguese",
    "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian",
}  # fmt: skip


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


def _resiliparse(html: str, _: Mapping[str, Any]) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    return str(extract_plain_text(html, main_content=True, alt_texts=False, comments=False))


def _newspaper(html: str, page: Mapping[str, Any]) -> str:
    import newspaper

    # without fetch_images=False it asks the network for the size of pictures
    article = newspaper.article(page["url"] or "https://example.org/", input_html=html, fetch_images=False)
    return str(article.text)


def _readability(html: str, _: Mapping[str, Any]) -> str:
    from readability import Document

    return fragment_text(Document(html).summary(html_partial=True))


def _justext(html: str, page: Mapping[str, Any]) -> str:
    import justext

    name = _STOPLISTS.get(page["lang"] or "en")
    # its own way for a language without a list of stop words
    stops = (justext.get_stoplist(name), {}) if name else ((), {"stopwords_low": 0, "stopwords_high": 0})
    paragraphs = justext.justext(html.encode(), stops[0], encoding="utf-8", **stops[1])
    return "\n".join(p.text for p in paragraphs if not p.is_boilerplate)


PEERS: dict[str, Callable[[str, Mapping[str, Any]], str]] = {
    "resiliparse, main content": _resiliparse,
    "newspaper4k": _newspaper,
    "readability-lxml": _readability,
    "jusText": _justext,
}
"""Name → function of a page and what trafilatura read of its metadata."""


def extract(records: Iterable[Record]) -> dict[str, pd.DataFrame]:
    """Read pages with trafilatura at each setting, and with each peer.

    Parameters
    ----------
    records : iterable of dict
        ``id, url, publisher, html, gold``.

    Returns
    -------
    dict of str to DataFrame
        Method → corpus with a column ``gold``; all in the same order. A page on which a method fails or finds
        nothing has an empty text.

    Raises
    ------
    ModuleNotFoundError
        A peer is not installed; the extra ``bench`` has them.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for library in ("readability", "newspaper", "trafilatura"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peers' own, about stop words and nltk
        for record in records:
            about = {
                "doc_id": record["id"],
                "publisher": registrable_domain(record["url"]) or record["publisher"],
                "gold": record["gold"],
            }
            page: dict[str, Any] = {}
            for name, setting in SETTINGS.items():
                page = read_page(record["html"], record["url"], extraction=setting)
                text = page["text"] if isinstance(page["text"], str) else ""
                rows.setdefault(f"trafilatura {name}", []).append({**page, **about, "text": text})
            known = {"url": record["url"], "lang": page.get("lang")}
            for name, peer in PEERS.items():
                try:
                    text = peer(record["html"], known)
                except ModuleNotFoundError:
                    raise
                except Exception:  # a page that a library cannot read is a page without a text
                    text = ""
                rows.setdefault(name, []).append({**known, **about, "text": text})
    return {name: make_corpus(found) for name, found in rows.items()}


def clean(corpus: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    """Clean extracted pages with the shipped remover, unfitted and fitted.

    Returns
    -------
    dict of str to Series of str
        ``remover``: each page by itself. ``fitted remover``: pages of publishers that have several, after
        fitting on all those pages; the rest by itself.
    """
    from toolkit.boilerplate import BoilerplateRemover

    alone = BoilerplateRemover().transform(corpus)["clean_text"]
    fitted = alone.copy()
    several = with_several(corpus["publisher"])
    if several.any():
        pages = corpus[several]
        fitted[several] = BoilerplateRemover().fit(pages).transform(pages)["clean_text"]
    return {"remover": alone, "fitted remover": fitted}


def with_several(publisher: pd.Series[Any]) -> pd.Series[Any]:
    """Return which pages are of a publisher that has several; bool Series of the same index."""
    return publisher.map(publisher.value_counts()).fillna(0) >= SEVERAL


def scored(corpora: Mapping[str, pd.DataFrame], *, remover: bool = True) -> dict[str, pd.DataFrame]:
    """Score each method, and trafilatura followed by the remover, page by page (:func:`page_scores`)."""
    pages = {}
    for name, corpus in corpora.items():
        texts = {name: corpus["text"]}
        if remover and name.startswith("trafilatura"):
            texts |= {f"{name} + {way}": text for way, text in clean(corpus).items()}
        for method, text in texts.items():
            about = {"publisher": corpus["publisher"], "empty": text.str.strip() == ""}
            pages[method] = page_scores(text, corpus["gold"]).assign(**about)
    return pages


def table(
    pages: Mapping[str, pd.DataFrame], *, several: bool = False, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Sum up each method with 95 % intervals by bootstrap over publishers.

    Parameters
    ----------
    pages : mapping of str to DataFrame
        Of :func:`scored`.
    several : bool, default False
        Only pages of publishers that have several.

    Returns
    -------
    DataFrame
        Index: method. Columns: figure → value, low, high; ``gain`` is the word-bag F1 less that of the same
        extraction without the remover, page by page (missing for methods without the remover); and
        ``(empty, value)``, the number of pages without a text.
    """
    rows = {}
    kept = {name: p[with_several(p["publisher"])] if several else p for name, p in pages.items()}
    for name, part in kept.items():
        groups = part["publisher"].to_numpy(dtype=str)
        numbers = part[["bag_f1", "precision", "recall"]].to_numpy()
        row: dict[tuple[str, str], float] = {}
        for at, figure in enumerate(FIGURES):
            row |= _with_interval(figure, lambda r, at=at, n=numbers: _means(n, r)[at], groups, draws, seed)
        extraction, _, way = name.partition(" + ")
        if way:
            gain = (part["bag_f1"] - kept[extraction]["bag_f1"]).to_numpy()
            row |= _with_interval("gain", lambda r, g=gain: float(g[r].mean()), groups, draws, seed)
        row["empty", "value"] = float(part["empty"].sum())
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def _with_interval(
    figure: str, metric: Callable[..., float], groups: NDArray[np.str_], draws: int, seed: int
) -> dict[tuple[str, str], float]:
    low, high = bootstrap(metric, len(groups), groups=groups, draws=draws, seed=seed)
    return {
        (figure, "value"): metric(np.arange(len(groups))), (figure, "low"): low, (figure, "high"): high
    }  # fmt: skip


def show(figures: pd.DataFrame) -> str:
    """Lay out a table of :func:`table` as Markdown, value [low, high]."""
    shown = [f for f in (*FIGURES, "gain") if (f, "value") in figures.columns]
    names = [f.replace("bag_f1", "word-bag F1").replace("_", " ").replace(" f1", " F1") for f in shown]
    lines = ["| method | " + " | ".join(names) + " | empty |", "|---" * (len(shown) + 2) + "|"]
    for name, row in figures.iterrows():
        cells = [
            "" if np.isnan(row[f, "value"]) else
            f"{row[f, 'value']:{'+' if f == 'gain' else ''}.4f} [{row[f, 'low']:.3f}, {row[f, 'high']:.3f}]"
            for f in shown
        ]  # fmt: skip
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {row['empty', 'value']:.0f} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m toolkit.evaluation.html", description=__doc__)
    parser.add_argument("sets", nargs="*", help=f"page sets; default {' '.join(SETS)}")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    parts: dict[str, dict[str, pd.DataFrame]] = {}
    for name in options.sets or SETS:
        try:
            records = datasets.records(name)
        except CorpusError:
            continue
        parts[name] = scored(extract(records))
        pages = next(iter(parts[name].values()))
        print(f"\n{name}: {len(pages)} pages, {pages['publisher'].nunique()} publishers\n")
        print(show(table(parts[name], draws=options.draws, seed=options.seed)), flush=True)
    if not parts:
        print(f"bench-html: skipped, no page set in {folder()}; set {SETTING} to the folder that has pages/")
        return
    joined = {
        method: pd.concat([p[method] for p in parts.values()], ignore_index=True)
        for method in next(iter(parts.values()))
    }
    pages = next(iter(joined.values()))
    pages = pages[with_several(pages["publisher"])]
    print(f"\nPublishers with several pages: {len(pages)} pages, {pages['publisher'].nunique()} publishers\n")
    print(show(table(joined, several=True, draws=options.draws, seed=options.seed)))


if __name__ == "__main__":
    main()

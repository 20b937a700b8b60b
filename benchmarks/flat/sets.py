"""Flattened news with gold: articles marked by hand, pages flattened in five ways, look-alikes of boilerplate."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
from lxml import html as lxml_html

from toolkit import datasets
from toolkit.boilerplate.model import SegmentModel
from toolkit.corpus import as_corpus, make_corpus
from toolkit.datasets.registry import folder
from toolkit.fields import registrable_domain
from toolkit.files import shipped

SPANS = ("doc_id", "start", "end", "kind")
FLATTENINGS = ("whole page", "article element", "paragraphs", "one line", "glued")
_WORD = re.compile(r"\w+")
_SKIPPED = {"script", "style", "noscript", "template", "head"}
_SHINGLE = 4


@dataclass(frozen=True)
class FlatSet:
    """Documents with gold.

    Attributes
    ----------
    name : str
    corpus : DataFrame
        The documents that are scored.
    gold : DataFrame
        ``doc_id, start, end, kind``: what is boilerplate.
    counted : DataFrame
        What a method may count repetition in: the documents, and others of their publishers.
    learned : bool
        Whether the shipped model learned from these publishers' texts.
    pages : dict of str to str
        HTML of each document, where there is any.
    note : str
    held_out : list of (dict, DataFrame)
        Models of cross-validation, as parameters of a remover, and the documents that each never saw.
    """

    name: str
    corpus: pd.DataFrame
    gold: pd.DataFrame
    counted: pd.DataFrame
    learned: bool
    note: str
    pages: dict[str, str] = field(default_factory=dict)
    held_out: list[tuple[dict[str, Any], pd.DataFrame]] = field(default_factory=list)


def held_out(flat: FlatSet, folds: Path) -> FlatSet:
    """Add the models of cross-validation that ``python -m training.boilerplate --folds FOLDER`` wrote."""
    models = [SegmentModel.load(path.with_suffix("")) for path in sorted(folds.glob("fold*.npz"))]
    deal = import_module("training.material").dealt
    by = "doc_id" if flat.name == "look-alikes" else "publisher"
    fold = deal(flat.corpus, len(models), 0, by)["fold"].to_numpy()
    parts = [({"model": model}, flat.corpus[fold == number]) for number, model in enumerate(models)]
    return replace(flat, held_out=[(model, part) for model, part in parts if len(part)])


def sets(documents: int, pages: int) -> Iterator[FlatSet]:
    """Yield every set that the data folder holds; at most so many documents or pages each, the same ones each time."""
    yield _marked(
        "allsides", "boilerplate", "", documents, learned=True, note="paragraphs, US outlets, 2012–2020"
    )
    yield _marked(
        "modern", "boilerplate_modern", "develop", documents, learned=False, note="2004–2026, as scraped"
    )
    yield from _pages(pages)
    yield _lookalikes(documents)
    yield from _turku(documents)


def _marked(name: str, gold: str, use: str, most: int, *, learned: bool, note: str) -> FlatSet:
    marked = datasets.gold(gold)
    chosen = marked.corpus[marked.corpus["set"] == name]
    chosen = chosen[chosen["use"] == use] if use else chosen
    chosen = chosen.sort_values("doc_id").iloc[:: max(1, len(chosen) // most)].head(most)
    everything = datasets.load(name)
    same = everything[everything["publisher"].isin(set(chosen["publisher"].dropna()))]
    near = same.groupby("publisher").head(30)
    counted = pd.concat([chosen, near[~near["doc_id"].isin(set(chosen["doc_id"]))]], ignore_index=True)
    spans = marked.spans[marked.spans["doc_id"].isin(set(chosen["doc_id"]))]
    return FlatSet(name, as_corpus(chosen.reset_index(drop=True)), spans, as_corpus(counted), learned, note)


def _lookalikes(most: int) -> FlatSet:
    rows = [
        json.loads(line)
        for name in ("negatives", "lookalikes", "lookalikes_more")
        for line in (shipped("training") / f"{name}.jsonl").read_text("utf-8").splitlines()
    ][:: max(1, 500 // most)]
    corpus = make_corpus([{"doc_id": r["id"], **{k: r[k] for k in ("text", "title", "lang")}} for r in rows])
    none = pd.DataFrame([], columns=list(SPANS))
    note = "invented articles about subscriptions, appeals, cookies …: nothing is boilerplate"
    return FlatSet("look-alikes", corpus, none, corpus, True, note)


def _pages(most: int) -> Iterator[FlatSet]:
    records = [
        record
        for name in ("aed", "wcxb", "fundus")
        for record in islice(datasets.records(name), 0, None, max(1, datasets_size(name) * 3 // most))
    ]
    for flattening in FLATTENINGS:
        rows, spans, html = [], [], {}
        for record in records:
            text = flattened(record["html"], flattening)
            found = _WORD.findall(text)
            if len(found) < 30 or not _covered(found, _WORD.findall(record["gold"])).count(True) > 20:
                continue
            doc_id = str(record["id"])
            publisher = registrable_domain(record["url"]) or record["publisher"]
            rows.append({"doc_id": doc_id, "text": text, "lang": record["lang"], "publisher": publisher})
            spans += [(doc_id, *span, "interface") for span in outside(text, record["gold"])]
            html[doc_id] = record["html"]
        corpus = make_corpus(rows)
        yield FlatSet(
            f"pages, {flattening}", corpus, pd.DataFrame(spans, columns=list(SPANS)), corpus, True,
            "page sets aed, wcxb, fundus; gold aligned word by word", html,
        )  # fmt: skip


def datasets_size(name: str) -> int:
    """Documents of a registered set."""
    from toolkit.datasets.registry import find

    return find(name).documents


def flattened(html: str, way: str) -> str:
    """Flatten a page in one of :data:`FLATTENINGS`.

    Examples
    --------
    >>> flattened("<body><nav>Home</nav><article><p>Rain fell.</p><p>It stopped.</p></article></body>", "one line")
    'Rain fell. It stopped.'
    """
    root = lxml_html.document_fromstring(
        html.encode(errors="replace"), parser=lxml_html.HTMLParser(encoding="utf-8")
    )
    for element in list(root.iter(*_SKIPPED)):
        element.drop_tree()
    if way == "whole page":
        return "\n".join(_lines(root))
    inside = max(
        [*root.iter("article")] or [*root.iter("main")] or [root], key=lambda e: len(e.text_content())
    )
    if way == "paragraphs":
        return "\n\n".join(
            " ".join(p.text_content().split()) for p in inside.iter("p") if p.text_content().strip()
        )
    return {"article element": "\n", "one line": " ", "glued": ""}[way].join(_lines(inside))


def _lines(element: Any) -> list[str]:
    return [" ".join(piece.split()) for piece in element.itertext() if piece.strip()]


def _covered(words: list[str], gold: list[str]) -> list[bool]:
    """Whether each word stands in a run of four that the gold holds; one or two words between such are too."""
    runs = {tuple(gold[i : i + _SHINGLE]) for i in range(len(gold) - _SHINGLE + 1)}
    found = [False] * len(words)
    for i in range(len(words) - _SHINGLE + 1):
        if tuple(words[i : i + _SHINGLE]) in runs:
            found[i : i + _SHINGLE] = [True] * _SHINGLE
    for i in range(1, len(words) - 1):
        if not found[i] and found[i - 1] and any(found[i + 1 : i + 3]):
            found[i] = True
    return found


def outside(text: str, kept: str) -> list[tuple[int, int]]:
    """Return the ranges of ``text`` whose words are not those of ``kept``, in order.

    Examples
    --------
    >>> outside("Share this. The vote failed on Monday night. Read more", "The vote failed on Monday night.")
    [(0, 10), (45, 54)]
    """
    words = list(_WORD.finditer(text))
    covered = _covered([w.group() for w in words], _WORD.findall(kept))
    ranges: list[tuple[int, int]] = []
    for number, word in enumerate(words):
        if not covered[number]:
            if ranges and not covered[number - 1]:
                ranges[-1] = (ranges[-1][0], word.end())
            else:
                ranges.append(word.span())
    return ranges


def _turku(most: int) -> Iterator[FlatSet]:
    """Hand-marked lines of general web text, where the user has put TurkuNLP's folder into the data folder.

    ``git clone https://github.com/TurkuNLP/multilingual-register-labeling`` and copy ``text-quality-annotations`` to
    ``turku`` in the data folder. Files are lists of ``{"text": [lines], "labels": ["1" (kept) or "0"]}``.
    """
    for path in sorted(Path(folder(), "turku").glob("*/test.json")):
        rows, spans = [], []
        for number, item in enumerate(json.loads(path.read_text("utf-8"))[:most]):
            doc_id, at = f"{path.parent.name}-{number}", 0
            for line, label in zip(item["text"], item["labels"], strict=True):
                if str(label) == "0" and line.strip():
                    spans.append((doc_id, at, at + len(line), "interface"))
                at += len(line) + 1
            rows.append({"doc_id": doc_id, "text": "\n".join(item["text"]), "lang": path.parent.name})
        corpus = make_corpus(rows)
        note = "general web text, lines marked by hand (TurkuNLP); most of it is no news"
        yield FlatSet(
            f"turku, {path.parent.name}",
            corpus,
            pd.DataFrame(spans, columns=list(SPANS)),
            corpus,
            False,
            note,
        )

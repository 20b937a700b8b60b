"""How often verdicts are right: ``python -m benchmarks.verdicts``; trains once, a minute or two on a free core.

``--found`` trains nothing: it counts what the shipped model calls the texts of the development sets.

The invented world of ``walls.jsonl`` and ``negatives.jsonl``, the single lines of ``shorts.jsonl`` and a fifth of the
publishers are kept from training. That world has another author than what is learned from, the single lines the same
author in other voices. The briefs are the first sentences of articles of publishers that were not seen.
"""

from __future__ import annotations

import random
import sys
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.flat.sets import flattened
from benchmarks.recorded import record
from toolkit import datasets, verdicts
from toolkit.census import rate
from toolkit.corpus import make_corpus
from toolkit.verdict import VERDICTS, log_odds
from toolkit.verdict.model import LEARNED, VerdictModel
from training.pieces import opening
from training.texts import invented, load_texts
from training.verdict import learn, part, save

LINES = {
    "en": (
        "Sign up to our newsletter The Early Boat for more stories like this.", "© Harbour Post 2024",
        "Follow us on Facebook and X", "Share this article", "All rights reserved.", "Photo: Jane Doe/Reuters",
        "Read more: What the vote means for you", "Support our journalism with a small donation today.",
        "Published 12 May 2021 08:15", "Listen to this article 3 min", "Reporting by Ada Ferrow; editing by Lars Venn",
    ),
    "de": (
        "Melden Sie sich für unseren Newsletter an.", "© Hafenpost 2024", "Folgen Sie uns auf Facebook",
        "Alle Rechte vorbehalten.", "Lesen Sie auch: Was die Wahl bedeutet", "Foto: dpa",
    ),
}  # fmt: skip
"""Lines that houses print around a story, by language; none is learned from."""


def with_lines(article: dict[str, Any], many: int, rng: random.Random) -> dict[str, Any]:
    """The first sentences of an article with lines of a house below, or between them."""
    body, lines = opening(article, rng, 4), rng.sample(LINES[article["lang"]], many)
    pieces = [*body, *lines] if rng.random() < 0.7 else [*body[:1], lines[0], *body[1:], *lines[1:]]
    return article | {"text": rng.choice(("\n\n", "\n", " ")).join(pieces)}


def held(publisher: str) -> bool:
    """Whether a publisher is kept from training."""
    return zlib.crc32(publisher.encode()) % 5 == 0


def told(model: VerdictModel, rows: list[dict[str, Any]]) -> NDArray[np.str_]:
    """Likeliest verdict of each text by itself, but for ``twice`` and ``empty``."""
    texts, titles = (
        pd.Series([row.get(name) or "" for row in rows], dtype="str") for name in ("text", "title")
    )
    return np.array(LEARNED)[log_odds(texts, titles, model).argmax(axis=1)]


def figures(model: VerdictModel, all_articles: list[dict[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score a model that did not see the invented world, nor the publishers of :func:`held`.

    Returns what the invented pages were called, by verdict and language, and how many articles were called none.
    """
    rows = [row | {"kind": row["verdict"]} for row in invented("walls") if row["verdict"] != "twice"]
    shorts = invented("shorts")
    rows += [row | {"kind": "one line", "lang": ""} for row in shorts if row["verdict"] != "article"]
    called = told(model, rows)
    truth, kinds, langs = (np.array([row[name] for row in rows]) for name in ("verdict", "kind", "lang"))
    pages = []
    for label in ("all", *sorted(set(kinds)), *sorted(set(langs) - {""})):
        chosen = (kinds == label) | (langs == label) | ((label == "all") & (kinds != "one line"))
        pages.append(
            {"label": label, "series": "pages", "value": int(chosen.sum()), "low": None, "high": None}
        )
        pages += [
            _share(label, name, found[chosen])
            for name, found in (("right", called == truth), ("called an article", called == "article"))
        ]
    real = [row for row in all_articles if held(row["group"])]
    rng = random.Random(5)
    names = sorted({row["set"] for row in real})
    sets = {f"articles, {name}": [row for row in real if row["set"] == name] for name in names}
    sets |= {
        "articles": real,
        "briefs": [row | {"text": " ".join(opening(row, rng, 3))} for row in real if row["clean"]],
        "look-alikes": invented("negatives"),
        "one line of news": [row for row in shorts if row["verdict"] == "article"],
    }
    brief = [row for row in real if row["clean"] and row["lang"] in LINES]
    for many, label in ((1, "briefs with a line of the house"), (2, "briefs with two lines of the house")):
        sets[label] = [with_lines(row, many, rng) for row in brief]
    articles = []
    for label, texts in sets.items():
        articles.append({"label": label, "series": "texts", "value": len(texts), "low": None, "high": None})
        articles.append(_share(label, "called no article", told(model, texts) != "article"))
    return pd.DataFrame(pages), pd.DataFrame(articles)


def _share(label: str, series: str, found: NDArray[np.bool_]) -> dict[str, Any]:
    interval = rate(int(found.sum()), len(found))
    return {"label": label, "series": series, "value": interval.pop("share"), **interval}


def corpora() -> dict[str, pd.DataFrame]:
    """Real texts as people load them: articles, and pages as the text of all their nodes."""
    sets = {name: datasets.load(name) for name in ("allsides", "modern")}
    pages = ("aed", "wcxb", "fundus")
    sets["pages, their article"] = pd.concat([datasets.load(name) for name in pages], ignore_index=True)
    whole = [
        {"doc_id": str(r["id"]), "text": flattened(r["html"], "whole page")}
        for n in pages
        for r in datasets.records(n)
    ]
    return sets | {"pages, whole": make_corpus(whole)}


def found(sets: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Count the verdicts of each set."""
    rows = []
    for name, corpus in sets.items():
        counts = verdicts(corpus, corpus[[]].assign(doc_id="", start=0, end=0).head(0))[
            "verdict"
        ].value_counts()
        rows += [(name, "texts", len(corpus), None, None)]
        rows += [(name, verdict, int(counts.get(verdict, 0)), None, None) for verdict in VERDICTS]
    return pd.DataFrame(rows, columns=["label", "series", "value", "low", "high"])


def main() -> None:
    """Train without what is held back, print the figures and record them."""
    if "--found" in sys.argv[1:]:
        record("verdicts", "found", found(corpora()), command="python -m benchmarks.verdicts --found")
        return
    texts = load_texts(world=False)
    model, _ = learn(part(texts, lambda key: not held(key), inventions=False))
    with TemporaryDirectory() as folder:  # as it would be shipped, rounded
        save(model, Path(folder, "model"))
        tables = figures(VerdictModel.load(Path(folder, "model")), texts.articles)
    for name, table in zip(("pages", "articles"), tables, strict=True):
        print(table.round(3).to_string(index=False))
        about = {"command": "python -m benchmarks.verdicts", "split": "invented world, publishers", "seed": 0}
        record("verdicts", name, table, **about)


if __name__ == "__main__":
    main()

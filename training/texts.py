"""Texts of which documents with known verdicts are composed: invented ones, real articles, real pages."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import html as lxml_html

from toolkit import datasets
from toolkit.files import shipped

Row = dict[str, Any]

LANGUAGES = {
    "ben_Beng": "bn", "ces_Latn": "cs", "dan_Latn": "da", "deu_Latn": "de", "ell_Grek": "el", "ind_Latn": "id",
    "jpn_Jpan": "ja", "nob_Latn": "no", "pol_Latn": "pl", "por_Latn": "pt", "spa_Latn": "es", "swe_Latn": "sv",
    "tur_Latn": "tr", "ukr_Cyrl": "uk", "zho_Hans": "zh", "swh_Latn": "sw",
}  # fmt: skip
"""Codes of a data set whose first two letters are not those of the language."""

FURNITURE = (
    "passages", "passages_en", "passages_other", "passages_more", "passages_voices_en", "passages_voices_other",
)  # fmt: skip
"""Files of invented boilerplate."""

PLAIN = ("articles", "lookalikes", "lookalikes_more")
"""Files of invented articles."""

VERDICTS = ("verdicts", "verdicts_briefs", "verdicts_short")
"""Files of invented texts with their verdicts."""

MARKED = 7
"""Round of marking up to which articles are taken as free of boilerplate once it is cut out. The shipped verdicts were
learned before later rounds."""


@dataclass(frozen=True)
class Texts:
    """What documents are composed of.

    Attributes
    ----------
    articles : list of dict
        ``text``, ``title``, ``lang``, ``group`` (publisher) of real articles.
    invented : dict of str to list of dict
        Verdict → rows of ``data/training/verdicts.jsonl`` and, where asked, of the invented world.
    furniture : list of dict
        ``text``, ``lang``, ``kind`` of invented boilerplate.
    pages : list of dict
        ``around`` (lines outside the article), ``whole`` (all lines), ``lang``, ``group`` of real pages.
    """

    articles: list[Row]
    invented: dict[str, list[Row]]
    furniture: list[Row]
    pages: list[Row]

    def of(self, verdict: str, lang: str, rng: random.Random) -> Row:
        """One invented text, of the language where there is any."""
        rows = self.invented[verdict]
        own = [row for row in rows if row["lang"] == lang]
        return rng.choice(own or rows)


def invented(name: str) -> list[Row]:
    """Rows of a file in ``data/training``."""
    lines = (shipped("training") / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def load_texts(*, world: bool = True) -> Texts:
    """Load invented texts and real articles; ``world=False`` leaves the invented world for testing."""
    rows = [row for name in VERDICTS for row in invented(name)]
    rows += [row | {"verdict": "article"} for name in PLAIN for row in invented(name)]
    if world:
        rows += invented("walls") + invented("shorts")
        rows += [row | {"verdict": "article"} for row in invented("negatives")]
    by_verdict: dict[str, list[Row]] = {}
    for row in rows:
        by_verdict.setdefault(row["verdict"], []).append(row)
    for row in by_verdict["stub"]:
        if row.get("gate"):
            by_verdict["gate"].append({"lang": row["lang"], "text": row["text"][row["gate"] :]})
    furniture = [row for name in FURNITURE for row in invented(name)]
    return Texts(list(_articles()), by_verdict, furniture, list(_pages()))


def _pages() -> Iterator[Row]:
    """Lines of real pages; those whose text the gold holds are the article's."""
    for name in ("aed", "wcxb", "fundus"):
        for page in datasets.records(name):
            root = lxml_html.document_fromstring(
                page["html"].encode(errors="replace"), parser=lxml_html.HTMLParser(encoding="utf-8")
            )
            for element in list(root.iter("script", "style", "noscript", "template", "head")):
                element.drop_tree()
            whole = [" ".join(piece.split()) for piece in root.itertext() if re.search(r"\w\w", piece)]
            gold = " ".join(page["gold"].split())
            around = [line for line in whole if line not in gold]
            if len(around) > 8:
                lang = page["lang"][:2] if isinstance(page["lang"], str) else ""
                group = str(page["publisher"])
                yield {"around": around, "whole": whole, "lang": lang or "en", "group": group}


def _articles() -> Iterator[Row]:
    """Real articles without what the gold marks in them, and invented ones."""
    for name in ("allsides", "modern"):
        gold = datasets.gold("boilerplate" if name == "allsides" else "boilerplate_modern")
        earlier = gold.corpus.loc[gold.corpus["round"] <= MARKED, "doc_id"]
        cuts = dict(iter(gold.spans[gold.spans["doc_id"].isin(earlier)].groupby("doc_id")[["start", "end"]]))
        corpus = datasets.load(name)
        if "use" in corpus.columns:
            corpus = corpus[corpus["use"] == "train"]
        for row in corpus[["doc_id", "text", "title", "lang", "publisher"]].to_dict("records"):
            text = row["text"]
            marked = row["doc_id"] in cuts
            for start, end in reversed(cuts[row["doc_id"]].to_numpy().tolist() if marked else []):
                text = text[:start] + "\n" + text[end:]
            yield from _article_row(name, text, row["title"], row["lang"], row["publisher"], clean=marked)
    for name in ("aed", "wcxb", "fundus"):
        for page in datasets.records(name):
            yield from _article_row(name, page["gold"], None, page["lang"], page["publisher"])
    for row in invented("articles"):
        yield from _article_row("invented", row["text"], row["title"], row["lang"], row["id"])
    sentences: dict[str, list[str]] = {}
    for row in datasets.records("sib200"):
        sentences.setdefault(row["lang"], []).append(row["text"])
    for lang, found in sentences.items():  # the one source of prose in some languages
        for at in range(0, len(found), 6):
            yield from _article_row("sib200", "\n".join(found[at : at + 6]), None, lang, f"sib200 {at}")


def _article_row(
    name: str, text: str, title: Any, lang: Any, publisher: Any, *, clean: bool = True
) -> Iterator[Row]:
    lines = sum(1 for line in text.split("\n") if line.strip())
    if len(text) >= 150 and (lines < 15 or len(text) > 20 * lines):  # a list of words is no article
        title, lang = (value if isinstance(value, str) else "" for value in (title, lang))
        yield {
            "set": name,
            "text": text,
            "title": title,
            "lang": LANGUAGES.get(lang, lang[:2] or "en"),
            "group": str(publisher),
            "clean": clean,
        }

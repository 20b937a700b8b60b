"""Invented passages set into articles, with all of their sentences labelled."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.buffer import Buffer
from toolkit.corpus import COLUMNS
from toolkit.segments import LINE, PARAGRAPH, cut
from training.copies import without_breaks

FOLDER = Path(__file__).parent.parent / "data" / "training"
"""Texts written for this project, CC0; part of the checkout, not of the package."""

PASSAGES = ("passages", "passages_en", "passages_other", "passages_more")
LATER = ("further", "plain", "desks", "running", "briefs")
VOICES = tuple(f"passages_{by}_{lang}" for by in ("voices", *LATER) for lang in ("en", "other"))
MORE_LOOKALIKES = (
    "lookalikes_more", *(f"lookalikes_{by}_{lang}" for by in LATER for lang in ("en", "other"))
)  # fmt: skip
HARD_LOOKALIKES = ("lookalikes_hard_en", "lookalikes_hard_other")
PLAIN_HOSTS = ("hosts", "hosts_more", "hosts_desks", "hosts_running", "hosts_briefs")
"""Files that only the words of appeals, the network and the second decision learn from; the last hold plain articles
for passages of their language."""

PLACES = ("paragraph", "line", "end", "start", "glued", "one_line", "all_glued", "second")
"""Where a passage is set: between paragraphs or lines, behind or before the text, with a line break lost on one side or
both, in a text without any line breaks, with or without spaces for them, and behind the first line."""

SHARED = (*PLACES, "shared", "shared", "shared")
"""The same, and in a line of the story: between two of its sentences, behind its last or before its first. These are
the hardest, so there are three times as many."""

SCRAPED = ("scraped", "scraped_more", "scraped_lists", "scraped_dense")
"""Files of articles as a scraper leaves them."""

SPANS = ["doc_id", "start", "end", "kind"]
OWN_OUTLET = "The Harbour Post"
"""Outlet of the passages that name none."""


def number(*parts: object) -> int:
    """Return a number that depends on nothing but the parts."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "big")


def written(name: str) -> list[dict[str, Any]]:
    """Return the rows of one file of invented texts."""
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [{"id": f"{name}{i}", "outlet": OWN_OUTLET, **json.loads(line)} for i, line in enumerate(lines)]


def insert_passages(
    hosts: pd.DataFrame,
    spans: pd.DataFrame,
    *,
    folds: int,
    seed: int,
    names: tuple[str, ...] = PASSAGES,
    places: tuple[str, ...] = PLACES,
    lines: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Set each passage into two of the articles.

    A passage goes into articles of the same cross-validation fold as its outlet, so that neither is known where the
    other is not; one in another language into an English article and into one of its own language by turns, so that
    a language is no sign of boilerplate.

    Parameters
    ----------
    hosts : DataFrame
        Annotated articles: the corpus columns and ``fold``.
    spans : DataFrame
        Their spans.
    names : tuple of str
        Files of passages.
    places : tuple of str
        Where they may stand.
    lines : bool
        Whether every third passage of one paragraph is broken into lines.

    Returns
    -------
    corpus, spans : DataFrame
        The new documents, with the columns of ``hosts`` and ``passage`` (its kind), ``place``, ``passage_start``,
        ``passage_end``; and all their spans.
    """
    hosts = hosts[hosts["text"].str.len().between(60, 9000)].reset_index(drop=True)
    rows = hosts.to_dict("records")
    pools: dict[tuple[int, str], list[int]] = {}
    for i, row in enumerate(rows):
        pools.setdefault((row["fold"], row["lang"]), []).append(i)
    marked = dict(iter(spans[SPANS].groupby("doc_id")))
    none = spans[SPANS].iloc[:0]
    documents, moved = [], []
    for passage in (p for name in names for p in written(name)):
        fold = number("fold", seed, passage["outlet"]) % folds
        for copy in range(2):
            lang = "en" if copy % 2 == 0 else passage["lang"]
            pool = pools.get((fold, lang)) or pools[fold, "en"]
            host = rows[pool[number(seed, passage["id"], copy) % len(pool)]]
            place = places[(number(seed, passage["id"], "place") + copy) % len(places)]
            document, marks = _inserted(
                host, marked.get(host["doc_id"], none), passage, place, (seed, passage["id"], copy), lines
            )
            documents.append(document)
            moved += marks
    out = pd.DataFrame(documents).astype(hosts[list(COLUMNS)].dtypes.to_dict())
    return out, pd.DataFrame(moved, columns=SPANS)


def _in_lines(body: str, drawn: int) -> str:
    """Break a paragraph behind one, two or three sentences, again and again: sites set appeals in short lines."""
    sentences = re.split(r"(?<=[.!?…»”\"]) +(?=[^\W\d_a-zß-öø-ÿ]|[¿¡«„“\"0-9])", body)
    each = 1 + drawn // 3 % 3
    return "\n".join(" ".join(sentences[i : i + each]) for i in range(0, len(sentences), each))


def _inserted(
    host: dict[str, Any],
    marks: pd.DataFrame,
    passage: dict[str, Any],
    place: str,
    key: tuple[object, ...],
    lines: bool,
) -> tuple[dict[str, Any], list[tuple[str, int, int, str]]]:
    text, body = host["text"], passage["text"].strip()
    if place == "shared":
        body = re.sub(r"\s*\n\s*", " ", body)
    elif lines and "\n" not in body and (drawn := number("lines", *key)) % 3 == 0:
        body = _in_lines(body, drawn)
    if place in ("one_line", "all_glued"):
        glue = " " if place == "one_line" else ""
        one = pd.DataFrame({"doc_id": [host["doc_id"]], "text": [text]})
        flat, marks = without_breaks(one, marks, glue)
        text, body = flat["text"].iloc[0], re.sub(r"\s*\n\s*", glue, body)
    at = _offset(text, place, number("at", *key))
    for start, end in zip(marks["start"], marks["end"], strict=True):
        at = end if start < at < end else at
    left, right = text[:at].rstrip(), text[at:].lstrip()
    before, after = _around(text, place, number("around", *key), text[len(left) : len(text) - len(right)])
    before, after = before if left else "", after if right else ""
    start = len(left) + len(before)
    end = start + len(body)
    doc_id = f"{host['doc_id']}+{passage['id']}.{key[-1]}"
    shift = end + len(after) - (len(text) - len(right))
    spans = [(doc_id, start, end, passage["kind"])]
    for a, b, kind in zip(marks["start"], marks["end"], marks["kind"], strict=True):
        spans.append((doc_id, a, b, kind) if b <= at else (doc_id, a + shift, b + shift, kind))
    document = {
        **host, "doc_id": doc_id, "text": left + before + body + after + right,
        "title": host["title"] if number("title", *key) % 4 else None, "passage": passage["kind"],
        "passage_lang": passage["lang"], "place": place, "passage_start": start, "passage_end": end,
    }  # fmt: skip
    return document, spans


def _offset(text: str, place: str, drawn: int) -> int:
    """Offset in code points at which a passage is set in."""
    if place == "start":
        return 0
    if place == "end":
        return len(text)
    buffer = Buffer.of([text])
    segments = cut(buffer)
    joints = (
        range(PARAGRAPH, LINE + 1) if place in ("paragraph", "line", "glued", "second") else range(1, 256)
    )
    places = [int(s) for s, j in zip(segments.start, segments.joint, strict=True) if j in joints]
    if not places:
        return len(text)
    return len(buffer.text(0, places[0 if place == "second" else drawn % len(places)]))


def _around(text: str, place: str, drawn: int, there: str) -> tuple[str, str]:
    """White space before and after a passage: as in the wild, often none. ``there``: what stood there before."""
    if place in ("paragraph", "end", "start"):
        gap = "\n\n" if "\n\n" in text else "\n"
        return gap, gap
    if place == "glued":
        return (("", "\n"), ("\n", ""), ("\n\n", ""), ("", ""))[drawn % 4]
    if place == "shared" and "\n" in there:
        return (" ", there) if drawn % 2 else (there, " ")
    return {"one_line": (" ", " "), "shared": (" ", " "), "all_glued": ("", "")}.get(place, ("\n", "\n"))


def scraped(
    rows: list[dict[str, Any]] | None = None,
) -> tuple[list[dict[str, Any]], list[tuple[str, int, int, str]]]:
    """Return invented articles as a scraper leaves them and their spans; every second has blank lines between lines.

    ``rows`` are by default those to learn from: of these, two of three have their headline in the text.
    """
    records, spans = [], []
    if rows is None:
        rows = [_under_its_headline(row) for name in SCRAPED for row in written(name)]
    for row in rows:
        text, gap = row["text"], 1 + number("gap", row["id"]) % 2
        untitled = 2 if row.get("headline") else 1  # of four pages
        title = row["title"] if number("title", row["id"]) % 4 >= untitled else None
        about = {"doc_id": row["id"], "publisher": row["outlet"], "date": row["date"], "title": title}
        records.append({**about, "lang": row["lang"], "text": text.replace("\n", "\n" * gap)})
        for start, end, kind in row["spans"]:
            shift = (gap - 1) * text.count("\n", 0, start)
            spans.append((row["id"], start + shift, end + shift, kind))
    return records, spans


def _under_its_headline(row: dict[str, Any]) -> dict[str, Any]:
    """Set the titles of two pages of three before their articles, by turns before or behind byline and captions.

    Half of these pages are given no title, so that a headline is known by more than its likeness to the title. Behind
    a fifth of the headlines stands what browsers show behind a page's title: a bar and the outlet's name.
    """
    drawn, text, spans, at = number("headline", row["id"]), row["text"], sorted(row["spans"]), 0
    for start, end, kind in spans:
        if text[at:start].strip() or (kind in ("byline", "caption") and drawn % 2):
            break
        at = end
    at += len(text[at:]) - len(text[at:].lstrip())
    shares_a_line = at and text[at - 1] != "\n"
    if not drawn % 3 or not row["title"] or shares_a_line:
        return row
    title = row["title"].strip()
    site = f" | {row['outlet']}" if drawn // 6 % 5 == 0 else ""
    line = title + site + "\n"
    moved = [(a + len(line), b + len(line), kind) if a >= at else (a, b, kind) for a, b, kind in spans]
    if site:
        moved.append((at + len(title) + 1, at + len(title + site), "interface"))
    return {**row, "text": text[:at] + line + text[at:], "spans": moved, "headline": True}


def in_another_language(
    hosts: pd.DataFrame, pages: pd.DataFrame, spans: pd.DataFrame, *, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Set furniture in another language, two times of three English, between the paragraphs of plain articles.

    Learned from alike, a network takes any article for furniture beside lines in another language.

    Parameters
    ----------
    hosts, pages : DataFrame
        Plain articles, and pages with furniture: the corpus columns and ``fold``. Both are of the same fold.
    spans : DataFrame
        What is furniture on the pages.
    seed : int
        Draws what is set where.

    Returns
    -------
    corpus, spans : DataFrame
        One to four pieces a text; a sixth of the texts in one line, a sixth without spaces for the line breaks.
    """
    pieces: dict[tuple[int, bool], list[tuple[str, str, str]]] = {}
    for doc_id, marks in spans.groupby("doc_id", sort=True):
        page = pages.loc[pages["doc_id"] == doc_id].iloc[0]
        for start, end, kind in zip(marks["start"], marks["end"], marks["kind"], strict=True):
            piece = page["lang"], page["text"][start:end], kind
            pieces.setdefault((page["fold"], page["lang"] == "en"), []).append(piece)

    def furnished(host: dict[str, Any], parts: list[tuple[str, str]], draw: Callable[..., int]) -> None:
        for k in range(1 + draw("many") % 4):
            pool = pieces.get((host["fold"], draw(k, "English") % 3 > 0), [])
            pool = [piece for piece in pool if piece[0] != host["lang"]]
            if pool:
                parts.insert(draw(k, "place") % (len(parts) + 1), pool[draw(k) % len(pool)][1:])

    return _laid_out(hosts, "foreign", seed, furnished)


def around_an_article(
    hosts: pd.DataFrame, *, folds: int, seed: int, names: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Set two passages of their language into plain articles, with one to three lines of the article between them.

    Where a text holds one passage only, a network takes a line between two appeals for part of one.

    ``hosts`` are as for :func:`in_another_language`, so is what is returned; ``names`` are files of passages, of which
    a text gets two of its own fold.
    """
    pools: dict[tuple[int, str], list[tuple[str, str]]] = {}
    for passage in (p for name in names for p in written(name)):
        fold = number("fold", seed, passage["outlet"]) % folds
        pools.setdefault((fold, passage["lang"]), []).append((passage["text"].strip(), passage["kind"]))

    def framed(host: dict[str, Any], parts: list[tuple[str, str]], draw: Callable[..., int]) -> None:
        pool = pools.get((host["fold"], host["lang"]), [])
        if pool:
            at = draw("place") % len(parts)
            for k, place in enumerate((at + 1 + draw("between") % 3, at)):
                parts.insert(place, pool[draw(k) % len(pool)])

    return _laid_out(hosts, "two", seed, framed)


def _laid_out(
    hosts: pd.DataFrame, name: str, seed: int, furnish: Callable[..., None]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Let ``furnish`` set pieces between the lines of each host; a sixth in one line, a sixth without breaks."""
    texts, moved = [], []
    for host in hosts.to_dict("records"):
        draw = partial(number, seed, name, host["doc_id"])
        gap = ("\n", "\n\n", "\n", "\n\n", " ", "")[draw("gap") % 6]
        own = [line for line in host["text"].split("\n") if line.strip()]
        if len(own) < 3:
            own = _in_lines(" ".join(own), draw("lines")).split("\n")
        parts = [(line.strip(), "") for line in own]
        furnish(host, parts, draw)
        text = ""
        for line, kind in parts:
            start = len(text) + len(gap if text else "")
            text += (gap if text else "") + re.sub(r"\s*\n\s*", gap, line)
            if kind:
                moved.append((f"{host['doc_id']}+{name}", start, len(text), kind))
        texts.append(text)
    named = hosts["doc_id"] + f"+{name}"
    out = hosts.assign(doc_id=named, text=pd.Series(texts, hosts.index, hosts["text"].dtype))
    return out, pd.DataFrame(moved, columns=SPANS)


def lookalikes(
    names: tuple[str, ...] = ("negatives", "lookalikes", "articles"),
) -> Iterator[dict[str, Any]]:
    """Yield invented articles that hold no boilerplate: plain ones, and such as speak like it."""
    for name in names:
        for row in written(name):
            if name == "articles" and row["lang"] == "en":
                continue  # written for topics; of English there is enough
            yield {"doc_id": row["id"], "set": name, **{k: row[k] for k in ("text", "title", "lang")}}

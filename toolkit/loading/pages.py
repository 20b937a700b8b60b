"""Web pages: the article by trafilatura, what the page says of itself, and the text of pieces of markup."""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections import deque
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

import numpy as np

from toolkit.dates import parse_date, slashed
from toolkit.fields import PAGES, as_text
from toolkit.loading.markup import BLOCKS, HEAD, XML_DECLARATION, decode_page
from toolkit.loading.quarantine import Unreadable

# with no handler of its own a library's complaints about a page end on standard error
for _library in ("trafilatura", "htmldate", "courlan"):
    logging.getLogger(_library).addHandler(logging.NullHandler())

# below this share of the text in the page's paragraphs, what trafilatura finds fast is no whole article: 4 % of the
# 1,163 news pages with gold text (wcxb, aed, fundus); word F1 .941 → .951
STUB = 0.5

_ENTITY = re.compile(r"<!ENTITY", re.I)
_LANGUAGE = re.compile(r"<html[^>]{0,500}?\slang\s*=\s*[\"']?([a-zA-Z]{2,3})\b([-_]\w+)?", re.I)
_SCRIPT = re.compile(r"(<script\b[^<>]*(?<!/)>).*?(?=</script|\Z)", re.I | re.S)
_LONG_TAG = re.compile(r"<[a-z][^<>]{4000,}", re.I)
_ATTRIBUTE = re.compile(r"""[^\s/=>"']+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+))?""")

# libxml2 compares each attribute of an element with all before it, so that of many an attacker makes hours; the pages
# of wcxb, aed and fundus have at most 114 in their long tags
MOST_ATTRIBUTES = 2_000

_PROSE = "//p[not(ancestor::aside or ancestor::footer or ancestor::form or ancestor::nav or ancestor::figure)]//text()"
_LONGEST = 1 << 20
_MOST = 5_000
_DATE_IN_ADDRESS = re.compile(r"/((?:19|20)\d\d)[/-]?(0?[1-9]|1[0-2])[/-]?(0?[1-9]|[12]\d|3[01])(?=[/_.-]|$)")
_ADDRESS = re.compile(r"https?://\S+$", re.I)


def read_page(
    html: str | bytes, url: str | None = None, *, charset: str | None = None,
    extraction: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the article of a web page, else an ``Unreadable`` as ``text``, and what the page says of itself.

    ``charset`` is that of the HTTP header and outranks the page's own, as ``url`` does its canonical address. The
    site's name is the ``publisher`` only without an address. ``extraction``: options of trafilatura in place of ours.
    """
    from trafilatura import load_html

    try:
        text = decode_page(html, charset) if isinstance(html, bytes) else html
        if _ENTITY.search(text[:HEAD]):
            raise Unreadable("page declares XML entities; not read")
        tags = _LONG_TAG.findall(_SCRIPT.sub(r"\1", text))
        if sum(len(_ATTRIBUTE.findall(tag)) ** 2 for tag in tags) > MOST_ATTRIBUTES**2:
            raise Unreadable(f"page has elements of more than {MOST_ATTRIBUTES} attributes; not read")
        # lxml refuses a declared encoding in text that is already decoded
        tree = load_html(XML_DECLARATION.sub("", text, count=1).replace("\0", ""))
        about = {} if tree is None else read_metadata(tree, url)
        found = "" if tree is None else _article(tree, extraction)
        if not found.strip():
            raise Unreadable("no article text found in the page")
    except Unreadable as failure:
        return {"text": Unreadable(str(failure), html), "url": url}
    except Exception as error:
        reason = f"page cannot be parsed: {type(error).__name__}: {error}"
        return {"text": Unreadable(reason, html), "url": url}
    address, marked = url or about["url"], _LANGUAGE.search(text[:HEAD])
    lang, region = (marked[1].lower(), marked[2] or "") if marked else (about["lang"], "")
    return {
        **about,
        "text": found,
        "url": address,
        "publisher": None if address else about["publisher"],
        "published": about["published"] and _settled(about["published"], f"{lang or 'en'}{region}"),
        "lang": lang,
    }


def _article(tree: Any, extraction: Mapping[str, Any] | None) -> str:
    """Read the article by trafilatura: with the options given, else fast, or slowly if that misses most paragraphs."""
    from trafilatura import bare_extraction

    def extracted(**options: Any) -> str:
        found = bare_extraction(tree, **{"include_comments": False, **options})
        return (found and found.text) or ""

    if extraction is not None:
        return extracted(**extraction)
    _mark_paragraphs(tree)
    found = extracted(fast=True, favor_recall=True)
    length = sum(len(text.strip()) for text in tree.xpath(_PROSE))
    return found if len(found) >= STUB * length else extracted()


def _mark_paragraphs(tree: Any) -> None:
    """Put bare text behind a block, such as a heading, into a paragraph, since trafilatura loses it there."""
    blocks = BLOCKS - {"br"}

    def is_inline(element: Any) -> bool:
        return element.tag not in BLOCKS and next(element.iter(*blocks), None) is None

    for block in list(tree.iter(*blocks)):
        run = list(takewhile(is_inline, block.itersiblings()))
        if any((each.tail or "").strip() for each in (block, *run)):
            paragraph = block.makeelement("p")
            paragraph.text, block.tail = block.tail, None
            block.addnext(paragraph)
            paragraph.extend(run)


def read_metadata(tree: Any, url: str | None = None) -> dict[str, str | None]:
    """Return ``title, url, published, authors, publisher, lang`` of a parsed page, None where it has none.

    They are looked for in JSON-LD, then in meta elements, then in the markup and the address; never in the prose.
    """
    article: dict[str, Any] = next((found for found in _json_ld(tree) if _is_article(found)), {})
    meta: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = element.get("property") or element.get("name") or element.get("itemprop") or ""
        if (content := (element.get("content") or "").strip()) and name:
            meta.setdefault(name.strip().lower(), content)
    site = as_text("title", article.get("publisher")) or _first(meta, "publisher")
    authors = as_text("authors", article.get("author")) or _first(meta, "authors", unlike=_ADDRESS)
    dates = (as_text("title", article.get("datePublished")), *map(meta.get, PAGES["published"]))
    title = as_text("title", article.get("headline")) or _first(meta, "title") or _headline(tree, site)
    links = [link.get("href") for link in tree.iter("link") if (link.get("rel") or "").lower() == "canonical"]
    address = next((url for url in (*links, meta.get("og:url")) if url and _ADDRESS.match(url)), None)
    return {
        "title": " ".join(title.split()) if title else None,
        "url": address,
        "published": next((date for date in dates if date and parse_date(date) is not None), None)
        or _marked_date(tree, url or address),
        "authors": authors,
        "publisher": site,
        "lang": as_text("title", article.get("inLanguage")),
    }


def _settled(date: str, lang: str) -> str:
    """Write 03/04/2021 out by the page's own language, whatever order the dates of other pages prove.

    The day stands first but in American English, and where the language is not known.
    """
    american = lang.lower().replace("_", "-") in ("en", "en-us")
    return str(np.datetime64(parse_date(date, day_first=not american), "us")) if slashed([date]) else date


def _json_ld(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of the page's JSON-LD, the outer before the inner."""
    waiting: deque[Any] = deque()
    for script in tree.iter("script"):
        text = script.text or ""
        if "ld+json" in (script.get("type") or "") and len(text) < _LONGEST:
            plain = text.strip().removeprefix("<!--").removesuffix("-->")
            with contextlib.suppress(ValueError, RecursionError):
                waiting.append(json.loads(plain, strict=False))
    for _ in range(_MOST):
        if not waiting:
            return
        value = waiting.popleft()
        if isinstance(value, dict):
            yield value
            value = list(value.values())
        if isinstance(value, list):
            waiting.extend(inner for inner in value if isinstance(inner, (dict, list)))


def _is_article(value: dict[str, Any]) -> bool:
    kinds = value.get("@type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return any(str(kind).endswith(("Article", "Posting", "Report")) for kind in kinds)


def _first(meta: dict[str, str], role: str, unlike: re.Pattern[str] | None = None) -> str | None:
    found = (meta[name] for name in PAGES[role] if name in meta)
    return next((value for value in found if unlike is None or not unlike.match(value)), None)


def _headline(tree: Any, site: str | None) -> str | None:
    """Return the title element without the site's name, or the only headline of the first rank."""
    ranks = ["".join(element.itertext()).strip() for element in tree.iter("h1")]
    title = next((element.text_content().strip() for element in tree.iter("title")), "")
    for mark in (" | ", " - ", " – ", " — ", " :: "):
        start, _, end = title.rpartition(mark)
        if start and (end.strip().lower() == (site or "").lower() or start.strip() in ranks):
            return start.strip()
    return title or (ranks[0] if len(ranks) == 1 else None) or None


def _marked_date(tree: Any, url: str | None) -> str | None:
    """Return the date of the article's own time element, else the one that its address spells out."""
    for element in tree.iter("time", "abbr", "span"):
        date = element.get("datetime") or element.get("content") or element.get("title")
        if date and (element.get("itemprop") == "datePublished" or element.tag == "time"):
            own = element.get("itemprop") or element.get("pubdate") is not None
            if own or next(element.iterancestors("article", "header", "main"), None) is not None:
                return date if parse_date(date) is not None else None
    found = _DATE_IN_ADDRESS.search(url or "")
    return "-".join(part.zfill(2) for part in found.groups()) if found else None

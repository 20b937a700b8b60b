"""What a page says of itself: in JSON-LD, then in its meta elements, then in its markup; never in its prose."""

from __future__ import annotations

import contextlib
import json
import re
from collections import deque
from collections.abc import Iterator
from typing import Any

from toolkit.dates import parse_date
from toolkit.fields import as_text

_DATES = (
    "article:published_time", "og:article:published_time", "og:published_time", "datepublished", "pubdate",
    "publishdate", "publish_date", "publish-date", "published_at", "article.published", "parsely-pub-date",
    "sailthru.date", "dc.date.issued", "dcterms.issued", "dc.date.created", "dcterms.created", "dcterms.date",
    "dc.date", "citation_publication_date", "originalpublicationdate", "article.created", "date",
)  # fmt: skip
_AUTHORS = (
    "author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "dcterms.creator", "byl",
    "citation_author",
)  # fmt: skip
_TITLES = ("og:title", "twitter:title", "parsely-title", "dc.title", "dcterms.title", "title")
_SITES = ("og:site_name", "application-name", "dc.publisher", "dcterms.publisher")
_ARTICLE = re.compile(r"(Article|Posting|Report)$")
_LONGEST = 1 << 20
_MOST = 5_000
_DATE_IN_ADDRESS = re.compile(r"/((?:19|20)\d\d)[/-]?(0?[1-9]|1[0-2])[/-]?(0?[1-9]|[12]\d|3[01])(?=[/_.-]|$)")
_ADDRESS = re.compile(r"https?://\S+$", re.I)


def read_metadata(tree: Any, url: str | None = None) -> dict[str, str | None]:
    """Return ``title, url, published, authors, publisher, lang`` of a parsed page, None where it has none.

    Parameters
    ----------
    tree : lxml.html.HtmlElement
        The page.
    url : str, optional
        Its address, in which the date may stand.

    Examples
    --------
    >>> from lxml import html
    >>> script = '{"@type": "NewsArticle", "headline": "Vote", "datePublished": "2024-03-10T08:00Z"}'
    >>> page = html.fromstring(f'<html><head><script type="application/ld+json">{script}</script></head></html>')
    >>> read_metadata(page)["title"], read_metadata(page)["published"]
    ('Vote', '2024-03-10T08:00Z')
    """
    article: dict[str, Any] = next((found for found in _json_ld(tree) if _is_article(found)), {})
    meta: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = element.get("property") or element.get("name") or element.get("itemprop") or ""
        if (content := (element.get("content") or "").strip()) and name:
            meta.setdefault(name.strip().lower(), content)
    site = as_text("title", article.get("publisher")) or _first(meta, _SITES)
    authors = as_text("authors", article.get("author")) or _first(meta, _AUTHORS, unlike=_ADDRESS)
    dates = (as_text("title", article.get("datePublished")), *(meta.get(name) for name in _DATES))
    title = as_text("title", article.get("headline")) or _first(meta, _TITLES) or _headline(tree, site)
    address = _address(tree, meta)
    return {
        "title": " ".join(title.split()) if title else None,
        "url": address,
        "published": next((date for date in dates if date and parse_date(date) is not None), None)
        or _marked_date(tree, url or address),
        "authors": authors,
        "publisher": site,
        "lang": as_text("title", article.get("inLanguage")),
    }


def _json_ld(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of the page's JSON-LD, the outer before the inner."""
    waiting: deque[Any] = deque()
    for script in tree.iter("script"):
        text = script.text or ""
        if "ld+json" in (script.get("type") or "") and len(text) < _LONGEST:
            with contextlib.suppress(ValueError, RecursionError):
                waiting.append(
                    json.loads(text.strip().removeprefix("<!--").removesuffix("-->"), strict=False)
                )
    for _ in range(_MOST):
        if not waiting:
            return
        value = waiting.popleft()
        if isinstance(value, dict):
            yield value
            waiting.extend(inner for inner in value.values() if isinstance(inner, (dict, list)))
        elif isinstance(value, list):
            waiting.extend(inner for inner in value if isinstance(inner, (dict, list)))


def _is_article(value: dict[str, Any]) -> bool:
    kinds = value.get("@type")
    return any(
        isinstance(kind, str) and _ARTICLE.search(kind)
        for kind in (kinds if isinstance(kinds, list) else [kinds])
    )


def _first(meta: dict[str, str], names: tuple[str, ...], unlike: re.Pattern[str] | None = None) -> str | None:
    found = (meta[name] for name in names if name in meta)
    return next((value for value in found if unlike is None or not unlike.match(value)), None)


def _address(tree: Any, meta: dict[str, str]) -> str | None:
    links = [link.get("href") for link in tree.iter("link") if (link.get("rel") or "").lower() == "canonical"]
    return next((url for url in (*links, meta.get("og:url")) if url and _ADDRESS.match(url)), None)


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
                return str(date) if parse_date(date) is not None else None
    found = _DATE_IN_ADDRESS.search(url or "")
    return "-".join(part.zfill(2) for part in found.groups()) if found else None

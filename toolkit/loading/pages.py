"""Web pages: the article by trafilatura, the metadata with it; pieces of markup to their text."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from toolkit.loading.encodings import decode, has_bom
from toolkit.loading.mapping import Absent
from toolkit.loading.metadata import read_metadata
from toolkit.loading.quarantine import Unreadable, printable

# with no handler of its own a library's complaints about a page end on standard error
for _library in ("trafilatura", "htmldate", "courlan"):
    logging.getLogger(_library).addHandler(logging.NullHandler())

STUB = 0.5
"""Below this share of the text in the page's paragraphs, what trafilatura finds fast is no whole article.

Of 1,163 news pages with gold text (``wcxb``, ``aed``, ``fundus``) 4 % fall below; word F1 .941 → .951."""

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.-]{2,40})", re.I)
_XML_CHARSET = re.compile(rb"^\s*<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([a-zA-Z0-9_:.-]{2,40})", re.I)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_ENTITY = re.compile(r"<!ENTITY", re.I)
_HEAD = 1 << 14
_SCRIPT = re.compile(r"<script\b[^<>]*(?<!/)>|</script", re.I)
_LONG_TAG = re.compile(r"<[a-z][^<>]{4000,}", re.I)
_ATTRIBUTE = re.compile(r"""[^\s/=>"']+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+))?""")

MOST_ATTRIBUTES = 2_000
"""Attributes of one element. libxml2 compares each with all before it, so that of many an attacker makes hours;
the 1,163 news pages of ``wcxb``, ``aed`` and ``fundus`` have at most 114 in their long tags."""

# what browsers take these labels for (WHATWG Encoding Standard, section 4.2)
_WEB_NAMES = {
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252",
    "iso-8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030", "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949", "shift_jis": "cp932", "x-sjis": "cp932", "utf-16": "utf-8", "utf-16le": "utf-8",
    "utf8": "utf-8",
}  # fmt: skip

_BLOCKS = frozenset(
    "address article aside blockquote br dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li main nav "
    "ol p pre section table td th tr ul".split()
)
_SILENT = frozenset({"script", "style", "template", "noscript", "iframe", "head"})


def read_page(
    html: str | bytes,
    url: str | None = None,
    *,
    charset: str | None = None,
    extraction: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the article of a web page as a record.

    Parameters
    ----------
    html : str or bytes
        The page. Bytes are decoded by byte order mark, as UTF-8 where they are, as ``charset`` says, as
        ``<meta charset>`` says, or as detected.
    url : str, optional
        Where the page came from; else the page's own canonical address is taken.
    charset : str, optional
        From the HTTP header, which outranks the page's own.
    extraction : mapping, optional
        Options of ``trafilatura.bare_extraction``, such as ``{"include_tables": False}``. By default ``fast``
        and ``favor_recall``, and neither where these find but a stub of the page's paragraphs.

    Returns
    -------
    dict
        ``text``, ``title``, ``url``, ``published``, ``authors``, ``lang``, and ``publisher`` (the site's name)
        where there is no ``url`` to take a domain from. Where trafilatura finds no article, ``text`` is an
        ``Absent`` that says so.

    Examples
    --------
    >>> page = "<html lang=en><title>Vote</title><body><article><p>" + "The council voted today. " * 20
    >>> record = read_page(page, "https://news.example.org/1")
    >>> record["title"], record["lang"], record["text"][:24]
    ('Vote', 'en', 'The council voted today.')
    """
    from trafilatura import load_html

    try:
        text = decode_page(html, charset) if isinstance(html, bytes) else html
        if _ENTITY.search(text[:_HEAD]):
            return _absent("page declares XML entities; not read", html, url)
        if _pairs_of_attributes(text) > MOST_ATTRIBUTES**2:
            return _absent(
                f"page has elements of more than {MOST_ATTRIBUTES} attributes; not read", html, url
            )
        # lxml refuses a declared encoding in text that is already decoded
        tree = load_html(_XML_DECLARATION.sub("", text, count=1).replace("\0", ""))
        if tree is None:
            return _absent("no article text found in the page", html, url)
        about = read_metadata(tree, url)
        found = _article(tree) if extraction is None else _extracted(tree, **extraction)
    except Unreadable as failure:
        return _absent(str(failure), html, url)
    except Exception as error:
        return _absent(f"page cannot be parsed: {type(error).__name__}: {error}", html, url)
    if not found.strip():
        return _absent("no article text found in the page", html, url)
    address = url or about["url"]
    return {
        **about,
        "text": found,
        "url": address,
        "publisher": None if address else about["publisher"],
        "lang": _language(text) or about["lang"],
    }


def _article(tree: Any) -> str:
    """Read the article fast, or with trafilatura's slower heuristics if that misses most of the paragraphs."""
    found = _extracted(tree, fast=True, favor_recall=True)
    return found if len(found) >= STUB * _length_of_paragraphs(tree) else _extracted(tree)


def _length_of_paragraphs(tree: Any) -> int:
    return sum(len(text.strip()) for text in _paragraphs()(tree))


@lru_cache(maxsize=1)
def _paragraphs() -> Any:
    from lxml import etree

    aside = " or ".join(f"ancestor::{name}" for name in ("aside", "footer", "form", "nav", "figure"))
    return etree.XPath(f"//p[not({aside})]//text()")


def _pairs_of_attributes(html: str) -> int:
    """Count what a parser compares that holds each attribute of an element against its others."""
    pieces, start, inside = list[str](), 0, False
    for mark in _SCRIPT.finditer(html):
        opens = not mark.group().startswith("</")
        if opens and not inside:
            pieces.append(html[start : mark.end()])
        start, inside = (start, inside) if opens and inside else (mark.end(), opens)
    pieces.append("" if inside else html[start:])
    return sum(len(_ATTRIBUTE.findall(tag)) ** 2 for piece in pieces for tag in _LONG_TAG.findall(piece))


def _extracted(tree: Any, **options: Any) -> str:
    from trafilatura import bare_extraction

    found = bare_extraction(tree, **{"include_comments": False, **options})
    return (found and found.text) or ""


def decode_page(html: bytes, charset: str | None = None) -> str:
    """Return a page's text; bytes that its declared encoding lacks become U+FFFD.

    Text of another encoding is hardly ever valid UTF-8, so that what is valid is UTF-8 whatever is declared.
    """
    declared = _META_CHARSET.search(html[:_HEAD]) or _XML_CHARSET.search(html[:_HEAD])
    name = charset or (declared.group(1).decode("ascii") if declared else None)
    if has_bom(html) or name is None:
        return decode(html)
    if not html.isascii():
        with contextlib.suppress(UnicodeDecodeError):
            return html.decode("utf-8")
    name = _WEB_NAMES.get(name.lower(), name)
    try:
        return html.decode(name)
    except LookupError:
        return decode(html)
    except UnicodeDecodeError:
        return html.decode(name, "replace")


def fragment_text(markup: str) -> str:
    r"""Return the text of a piece of markup, each block on its own line; plain text comes back as it is.

    Examples
    --------
    >>> fragment_text("<p>Rain &amp; wind.</p><p>Then sun.</p><script>x()</script>")
    'Rain & wind.\nThen sun.'
    """
    if "<" not in markup and "&" not in markup:
        return markup
    from lxml import etree, html

    parser = html.HTMLParser(remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    try:
        root = html.document_fromstring(f"<div>{markup}</div>".replace("\0", ""), parser=parser)
    except (etree.LxmlError, ValueError):
        return markup
    pieces: list[str] = []
    quiet = None
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag
        if event == "start":
            if quiet is None and tag in _SILENT:
                quiet = element
            if tag in _BLOCKS:
                pieces.append("\n")
            if quiet is None:
                pieces.append(re.sub(r"\s+", " ", element.text or ""))
        else:
            if quiet is element:
                quiet = None
            if tag in _BLOCKS:
                pieces.append("\n")
            if quiet is None:
                pieces.append(re.sub(r"\s+", " ", element.tail or ""))
    lines = (line.strip() for line in "".join(pieces).split("\n"))
    return "\n".join(line for line in lines if line)


def _absent(reason: str, html: str | bytes, url: str | None) -> dict[str, Any]:
    return {"text": Absent(reason, printable(html)), "url": url}


def _language(html: str) -> str | None:
    found = re.search(r"<html[^>]{0,500}?\slang\s*=\s*[\"']?([a-zA-Z]{2,3})\b", html[:_HEAD], re.I)
    return found.group(1).lower() if found else None

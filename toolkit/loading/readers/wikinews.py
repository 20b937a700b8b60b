"""Wikinews: the pages of a MediaWiki dump, wikitext to text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolkit.loading.pages import fragment_text
from toolkit.loading.readers.driver import Archive, Record
from toolkit.loading.readers.lines import find_date, headings
from toolkit.loading.readers.markup import child, content, find

_DATE = re.compile(r"\{\{\s*(?:date|datum|fecha|data|byline)\s*\|([^{}]*)\}\}", re.I)
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}|\{\|[^{}]*\|\}")
_FILE = re.compile(
    r"\[\[\s*(?:file|image|datei|bild|fichier|archivo|imagen|immagine|category|kategorie|catégorie|categoría|"
    r"categoria|[a-z]{2,3}|файл|категория)\s*:(?:[^\[\]]|\[\[[^\[\]]*\]\])*\]\]",
    re.I,
)
_LINK = re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]")
_OUTSIDE = re.compile(r"\[(?:https?:)?//[^\s\[\]]+\s*([^\[\]]*)\]")
_NOTE = re.compile(
    r"<!--(?:(?!<!--).)*?-->|<ref\b[^<>]*/>|"
    r"<(ref|gallery)\b[^<>]*>(?:[^<]|<(?!/?\1))*</\1>|__[A-Z]+__",
    re.S | re.I,
)
_HEADING = re.compile(r"^=+\s*([^=\n]+?)\s*=+[ \t]*$", re.M)
_ENDS = headings("wikinews_end")
_NESTED = 20


def wikinews(archive: Archive) -> Iterator[Record]:
    """Wikinews and other MediaWiki dumps (`pages-articles.xml`)."""
    outside: dict[str, str] = {}
    for page in archive.elements(frozenset({"page"}), outside):
        text = find(page, "revision", "text")
        source = "" if text is None else text.text or ""
        if content(child(page, "ns")) not in {"0", None} or child(page, "redirect") is not None:
            continue
        if re.match(r"\s*#\w+\s*\[\[", source):
            continue
        dated = _DATE.search(source)
        yield {
            "doc_id": content(child(page, "id")),
            "title": content(child(page, "title")),
            "text": plain(source),
            "published": find_date(dated[1].replace("|", " ")) or dated[1].strip() if dated else None,
            "publisher": outside.get("sitename"),
            "lang": outside.get("@lang"),
        }


def plain(source: str) -> list[str]:
    """Return the paragraphs of a wikitext."""
    text = _NOTE.sub("", source)
    for _ in range(_NESTED):
        text, changed = _TEMPLATE.subn("", text)
        if not changed:
            break
    end = next(
        (found.start() for found in _HEADING.finditer(text) if found[1].casefold() in _ENDS), len(text)
    )
    text = _FILE.sub("", text[:end])
    text = _OUTSIDE.sub(r"\1", _LINK.sub(r"\1", text))
    text = _HEADING.sub(r"\n\1\n", re.sub(r"'{2,5}", "", text))
    lines = (re.sub(r"^[*#:;]+\s*", "", line) for line in text.split("\n"))
    return [kept for line in lines if (kept := fragment_text(line).strip())]

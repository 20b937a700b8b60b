"""Articles between tags: feeds and news standards in XML, corpora in SGML, XML and wikitext."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

from toolkit.language import language_code
from toolkit.loading.markup import block_text, collapsed, content, elements, first, fragment_text, sgml, texts
from toolkit.loading.quarantine import Unreadable
from toolkit.loading.readers.driver import Archive, Record
from toolkit.loading.readers.lines import LABELS, authors, find_date, paragraphs, pattern, roles, words

ITEMS = frozenset({"item", "entry", "newsitem", "nitf"})

# kind of item → field → the XPaths it stands under, most trusted first
_FIELDS: dict[str, dict[str, str]] = LABELS["xml"]
for _kind in ("newsml1", "newsml2"):  # they hold a NITF document, or other markup
    _own, _nitf = _FIELDS[_kind], _FIELDS["nitf"]
    _paths = {field: (_own.get(field), _nitf.get(field)) for field in _own | _nitf}
    _FIELDS[_kind] = {field: "; ".join(filter(None, both)) for field, both in _paths.items()}


def feed(archive: Archive) -> Iterator[Record | Unreadable]:
    """Feeds and news standards in XML: RSS, Atom, NewsML-G2, NewsML 1, NITF, RCV1."""
    from lxml import etree

    outside: dict[str, str] = {}
    for item in elements(archive.stream, ITEMS, outside):
        if next(item.iter(etree.Entity), None) is not None:
            yield Unreadable("XML entities are not expanded; the item is not read", content(item) or "")
            continue
        kind = {"newsitem": "newsml2", "nitf": "nitf"}.get(item.tag, "feed")
        if item.get("itemid"):
            kind = "rcv1"
        elif kind == "newsml2" and item.find(".//newscomponent") is not None:
            kind = "newsml1"
        record = _record(item, kind)
        if kind == "feed":
            record |= _feed_item(item)
        elif kind == "rcv1":
            record["text"] = texts(item, "text[1]//p") or first(item, "text")
            record["publisher"] = record["publisher"] or "Reuters"
        else:
            others = (block_text(item.find(f".//{name}")) for name in ("inlinexml", "datacontent"))
            plain = "".join(item.xpath(".//inlinedata[1]//text()")).strip()
            record["text"] = _nitf_text(item) or next(filter(None, others), None) or plain
        around = item.get("lang") or outside.get("language") or outside.get("@lang")
        yield record | {"lang": record.get("lang") or around}


def factiva_xml(archive: Archive) -> Iterator[Record | Unreadable]:
    """Factiva's XML (Publishing Portal System, the API of old)."""
    outside: dict[str, str] = {}
    for article in elements(archive.stream, frozenset({"article"}), outside):
        if outside.get("@count", "").isdecimal():
            archive.claimed = int(outside["@count"])
        record = _record(article, "factiva")
        yield record | {
            "title": " ".join(texts(article, ".//headline//paragraph")) or record["title"],
            "text": texts(article, "leadparagraph//paragraph") + texts(article, "tailparagraphs//paragraph"),
            "lang": language_code(record["lang"]),
        }


def _record(item: Any, kind: str) -> Record:
    """Return the fields of an item, without its text."""
    record: Record = {field: first(item, paths) for field, paths in _FIELDS[kind].items()}
    record["authors"] = authors(record.get("authors"))
    record["length"] = words(f"{record.get('length')} words")
    return record


def _feed_item(item: Any) -> Record:
    """Return the authors, the title and the text of an RSS item or an Atom entry; full content before description."""
    names = (first(each, ".//name; .") for each in item if each.tag in {"creator", "author"})
    contents = (item.find(name) for name in ("encoded", "content", "fulltext", "description", "summary"))
    return {
        "title": fragment_text(first(item, "title") or ""),
        "text": next((text for text in map(_content, contents) if text and text.strip()), None),
        "authors": "; ".join(filter(None, names)) or None,
    }


def _nitf_text(item: Any) -> Any:
    """Return the body of a NITF document; of the New York Times Corpus the full text without 'LEAD:'."""
    full = item.find(".//body.content/block[@class='full_text']")
    if full is None:
        body = item.find(".//body.content")
        return block_text(item.find(".//inlinexml//body") if body is None else body)
    lead = texts(full, ".//p")
    repeated = len(lead) > 1 and lead[0].startswith("LEAD:") and lead[0][5:].strip()[:60] == lead[1][:60]
    return lead[1:] if repeated else lead


def _content(element: Any) -> str | None:
    if element is None:
        return None
    if element.get("type") == "xhtml" or (len(element) and element.get("type") != "text"):
        return block_text(element)
    text = element.text or ""
    return text if element.get("type") == "text" else fragment_text(text)


REUTERS = re.compile(r"<REUTERS\b", re.I)
DOC = re.compile(r"^<DOC\b[^<>]*>", re.M | re.I)
NOW = pattern("now")
# what documents of Gigaword and TREC have
_PARTS = re.compile(r"<(?:TEXT|LEADPARA|HEADLINE|DOCNO|DOCID)\b", re.I)

_LANGUAGES = {"ENG": "en", "FRE": "fr", "FRA": "fr", "SPA": "es", "ARB": "ar", "CMN": "zh", "DEU": "de"}
_REMOVED = re.compile(r"\s*@(?: @){2,}\s*")
# the name of a document of Gigaword: AFP_ENG_19970101.0001
_IDENTITY = re.compile(r"([A-Z]+)_([A-Z]{3})_(\d{4})(\d\d)(\d\d)")

_WIKI_DATE, _FILE, _NOTE = map(pattern, ("wikinews_date", "wikinews_file", "wikinews_note"))
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}|\{\|[^{}]*\|\}")
_LINK = re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]")
_OUTSIDE = re.compile(r"\[(?:https?:)?//[^\s\[\]]+\s*([^\[\]]*)\]")
_WIKI_HEADING = re.compile(r"^=+\s*([^=\n]+?)\s*=+[ \t]*$", re.M)
_KINDS = roles("headings")
_NESTED = 20  # templates within templates


def reuters(archive: Archive) -> Iterator[Record | Unreadable]:
    """Reuters-21578 and its relatives, the SGML of David Lewis."""
    return _each(archive, REUTERS, "REUTERS", _story)


def _story(piece: str) -> Record | Unreadable:
    title, body = sgml(piece, "TITLE"), sgml(piece, "BODY")
    if body is None and title is None:
        body = sgml(piece, "TEXT")  # TYPE="UNPROC": title and body are not marked
    if body is None:
        return Unreadable("a headline without a text", collapsed(title))
    # a paragraph of wrapped text begins with an indented line
    parts = re.split(r"\n(?=[ \t]{2,}\S)", re.sub(r"\n\s*reuters?\s*$", "", body, flags=re.I))
    return {
        "doc_id": _attributes(piece).get("newid"), "title": collapsed(title) or None,
        "text": [paragraph for part in parts for paragraph in paragraphs(part)], "lang": "en",
        "published": _date(sgml(piece, "DATE")), "publisher": "Reuters",
        "authors": authors(collapsed(sgml(piece, "AUTHOR"))),
    }  # fmt: skip


def gigaword(archive: Archive) -> Iterator[Record | Unreadable]:
    """Gigaword, TREC and TIPSTER as SGML; the output of trafilatura and WikiExtractor."""
    return _each(archive, DOC, "DOC", _doc)


def _doc(piece: str) -> Record | Unreadable:
    given = _attributes(piece)
    text = "\n\n".join(sgml(piece, name) or "" for name in ("LEADPARA", "TEXT")).strip()
    # an article extracted from a page or a wiki, or marked by no more than its ends
    if not text and given and ("title" in given or not _PARTS.search(piece)):
        title = given.get("title", "")
        whole = sgml(piece, "MAIN") or (sgml(piece, "DOC") or "").lstrip().removeprefix(title)
        if 2 * len(re.findall(r"(?m)^[^\s<]+\t\S", whole)) > whole.count("\n") + 1:
            mend = "join the words first"
            return Unreadable(f"a word a line with its tags (vertical text); not read; {mend}", whole)
        return {
            "doc_id": given.get("id"), "title": unescape(title) or None, "text": paragraphs(whole),
            "url": given.get("url") or given.get("source"), "published": given.get("date"),
            "authors": authors(given.get("author")), "publisher": given.get("hostname"),
        }  # fmt: skip
    identity = given.get("id") or collapsed(sgml(piece, "DOCNO", "DOCID")) or None
    if named := _IDENTITY.match(identity or ""):
        source, language, *day = named.groups()
    else:
        source, language, day = collapsed(sgml(piece, "PUB")) or None, "", []
    return {
        "doc_id": identity, "publisher": source, "lang": _LANGUAGES.get(language),
        "title": collapsed(sgml(piece, "HEADLINE", "HEAD", "HL", "TTL", "TITLE", "TI")) or None,
        "published": "-".join(day) or _date(sgml(piece, "DATE", "DATE_TIME", "DATE1", "DD")),
        "text": paragraphs(text), "authors": authors(collapsed(sgml(piece, "BYLINE", "AUTHOR"))),
        "section": collapsed(sgml(piece, "SECTION")) or None,
    }  # fmt: skip


def now_corpus(archive: Archive) -> Iterator[Record | Unreadable]:
    """NOW and the other corpora of english-corpora.org as text."""
    for mark, piece in archive.pieces(NOW):
        if mark:
            first, *rest = re.split(r"\s*<(p|h)>\s*", _REMOVED.sub(" … ", piece))
            tagged = [("p", first), *zip(rest[::2], rest[1::2], strict=True)]
            titles = [part for tag, part in tagged if tag == "h" and part]
            # where there are several headings, they are those of parts of the text
            text = [part for tag, part in tagged if tag == "p" or titles[1:]]
            plain = (re.sub(r"</?[a-z]{1,10}/?>", "", part).strip() for part in text)
            yield {"doc_id": mark[1], "title": next(iter(titles), None), "text": [*filter(None, plain)]}


def wikinews(archive: Archive) -> Iterator[Record]:
    """Wikinews and other MediaWiki dumps (`pages-articles.xml`)."""
    outside: dict[str, str] = {}
    for page in elements(archive.stream, frozenset({"page"}), outside):
        source = page.findtext(".//revision/text") or ""
        redirect = page.find("redirect") is not None or re.match(r"\s*#\w+\s*\[\[", source)
        if first(page, "ns") not in {"0", None} or redirect:
            continue
        dated = _WIKI_DATE.search(source)
        yield {
            "doc_id": first(page, "id"), "title": first(page, "title"), "text": _without_wikitext(source),
            "published": find_date(dated[1].replace("|", " ")) or dated[1].strip() if dated else None,
            "publisher": outside.get("sitename"), "lang": outside.get("@lang"),
        }  # fmt: skip


def _without_wikitext(source: str) -> list[str]:
    text = _NOTE.sub("", source)
    for _ in range(_NESTED):
        text, changed = _TEMPLATE.subn("", text)
        if not changed:
            break
    headings = _WIKI_HEADING.finditer(text)
    ends = (found.start() for found in headings if _KINDS.get(found[1].casefold()) == "wikinews_end")
    text = _FILE.sub("", text[: next(ends, len(text))])
    text = _OUTSIDE.sub(r"\1", _LINK.sub(r"\1", text))
    text = _WIKI_HEADING.sub(r"\n\1\n", re.sub(r"'{2,5}", "", text))
    lines = (re.sub(r"^[*#:;]+\s*", "", line) for line in text.split("\n"))
    return [kept for line in lines if (kept := fragment_text(line).strip())]


def _each(
    archive: Archive, start: re.Pattern[str], name: str, read: Callable[[str], Record | Unreadable]
) -> Iterator[Record | Unreadable]:
    """Read each element of this name; say so where its end is missing."""
    for mark, piece in archive.pieces(start):
        if mark:
            complete = f"</{name}" in piece.upper()
            reason = f"cut off: no </{name}> at its end"
            yield read(mark.string) if complete else Unreadable(reason, mark.string)


def _attributes(piece: str) -> dict[str, str]:
    """Return the attributes of the element a piece begins with, their names in lower case."""
    found = re.findall(r"""\b([\w-]+)\s*=\s*["']([^"'<>]*)["']""", piece[: piece.index(">")][:4000])
    return {name.lower(): value for name, value in reversed(found)}


def _date(text: str | None) -> str | None:
    """Return '26-FEB-1987 15:01:01.79', 'February 12, 1988' or '880212' as a date that is read."""
    text = collapsed(text)
    if day := re.match(r"(\d\d?)-([A-Za-z]{3})-(\d{4})(?: (\d\d:\d\d:\d\d))?", text):
        return f"{day[1]} {day[2].title()} {day[3]} {day[4] or ''}".strip()
    if day := re.fullmatch(r"(19|20)?(\d\d)(\d\d)(\d\d)", text):
        return f"{day[1] or '19'}{day[2]}-{day[3]}-{day[4]}"
    return find_date(text) or text or None

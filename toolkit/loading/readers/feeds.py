"""News in XML: RSS, Atom, NewsML, NITF, the Reuters Corpus, Factiva; an item at a time, with no entity expanded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolkit.language import language_code
from toolkit.loading.markup import content, elements, first, fragment_text, texts
from toolkit.loading.quarantine import Unreadable, printable
from toolkit.loading.readers.driver import Archive, Record
from toolkit.loading.readers.lines import LABELS, authors, words

ITEMS = frozenset({"item", "entry", "newsitem", "nitf"})

# kind of item → field → the XPaths it stands under, most trusted first
_FIELDS: dict[str, dict[str, str]] = LABELS["xml"]
for _kind in ("newsml1", "newsml2"):  # they hold a NITF document, or other markup
    _own, _nitf = _FIELDS[_kind], _FIELDS["nitf"]
    _FIELDS[_kind] = {
        field: "; ".join(filter(None, (_own.get(field), _nitf.get(field)))) for field in _own | _nitf
    }


def feed(archive: Archive) -> Iterator[Record | Unreadable]:
    """Feeds and news standards in XML: RSS, Atom, NewsML-G2, NewsML 1, NITF, RCV1."""
    from lxml import etree

    outside: dict[str, str] = {}
    for item in elements(archive.stream, ITEMS, outside):
        if next(item.iter(etree.Entity), None) is not None:
            reason = "XML entities are not expanded; the item is not read"
            yield Unreadable(reason, printable(content(item) or ""))
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
            record["text"] = _nitf_text(item) or _markup(item.find(".//inlinexml"))
            record["text"] = record["text"] or _markup(item.find(".//datacontent")) or _raw(item)
        yield record | {
            "lang": record.get("lang") or item.get("lang") or outside.get("language") or outside.get("@lang")
        }


def factiva_xml(archive: Archive) -> Iterator[Record | Unreadable]:
    """Factiva's XML (Publishing Portal System, the API of old)."""
    outside: dict[str, str] = {}
    for article in elements(archive.stream, frozenset({"article"}), outside):
        if outside.get("@count", "").isdecimal():
            archive.claimed = int(outside["@count"])
        record = _record(article, "factiva")
        yield record | {
            "title": " ".join(texts(article, ".//headline//paragraph")) or record["title"],
            "text": [
                *texts(article, "leadparagraph//paragraph"),
                *texts(article, "tailparagraphs//paragraph"),
            ],
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
    names = [
        name for each in item if each.tag in {"creator", "author"}
        if (name := first(each, ".//name; ."))
    ]  # fmt: skip
    contents = (item.find(name) for name in ("encoded", "content", "fulltext", "description", "summary"))
    return {
        "title": fragment_text(first(item, "title") or ""),
        "text": next((text for text in map(_content, contents) if text and text.strip()), None),
        "authors": "; ".join(names) or None,
    }


def _nitf_text(item: Any) -> Any:
    """Return the body of a NITF document; of the New York Times Corpus the full text without 'LEAD:'."""
    full = item.find(".//body.content/block[@class='full_text']")
    if full is None:
        body = item.find(".//body.content")
        return _markup(item.find(".//inlinexml//body") if body is None else body)
    lead = texts(full, ".//p")
    repeated = len(lead) > 1 and lead[0].startswith("LEAD:") and lead[0][5:].strip()[:60] == lead[1][:60]
    return lead[1:] if repeated else lead


def _content(element: Any) -> str | None:
    if element is None:
        return None
    if element.get("type") == "xhtml" or (len(element) and element.get("type") != "text"):
        return _markup(element)
    text = element.text or ""
    return text if element.get("type") == "text" else fragment_text(text)


def _markup(element: Any) -> str | None:
    """Return the text of an element's children, a line a block."""
    from lxml import etree

    if element is None:
        return None
    return fragment_text(etree.tostring(element, encoding="unicode", method="html", with_tail=False))


def _raw(item: Any) -> str | None:
    data = item.find(".//inlinedata")
    return None if data is None else "".join(data.itertext()).strip() or None

"""News in XML: RSS, Atom, NewsML, NITF and the Reuters Corpus, an item at a time, with no entity expanded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolkit.loading.pages import fragment_text
from toolkit.loading.quarantine import Unreadable, printable
from toolkit.loading.readers.driver import Archive, Record, local
from toolkit.loading.readers.lines import authors, words
from toolkit.loading.readers.markup import child, content, each, find

ITEMS = frozenset({"item", "entry", "newsitem", "nitf"})


def feed(archive: Archive) -> Iterator[Record | Unreadable]:
    """Feeds and news standards in XML: RSS, Atom, NewsML-G2, NewsML 1, NITF, RCV1."""
    from lxml import etree

    outside: dict[str, str] = {}
    for item in archive.elements(ITEMS, outside):
        if next(item.iter(etree.Entity), None) is not None:
            yield Unreadable(
                "XML entities are not expanded; the item is not read", printable(content(item) or "")
            )
            continue
        name = local(item)
        read = _rcv1 if item.get("itemid") else _READERS.get(name, _feed_item)
        if name == "newsitem" and find(item, "newscomponent") is not None:
            read = _newsml1
        record = read(item)
        lang = next((value for key, value in item.attrib.items() if key.endswith("}lang")), None)
        yield record | {"lang": record.get("lang") or lang or outside.get("language") or outside.get("@lang")}


def _feed_item(item: Any) -> Record:
    """Return an RSS item or an Atom entry; the full content counts before the description."""
    links = [e for e in item if local(e) == "link"]
    link = next(
        (e.get("href") for e in links if e.get("href") and e.get("rel", "alternate") == "alternate"), None
    )
    dates = [content(child(item, name)) for name in ("pubdate", "published", "date", "issued", "updated")]
    contents = [child(item, name) for name in ("encoded", "content", "fulltext", "description", "summary")]
    about = next((value for name, value in item.attrib.items() if name.endswith("}about")), None)
    names = [content(find(e, "name")) or content(e) for e in item if local(e) in {"creator", "author"}]
    return {
        "doc_id": content(child(item, "guid")) or content(child(item, "id")) or about,
        "title": fragment_text(content(child(item, "title")) or ""),
        "url": link or content(child(item, "link")),
        "text": next((text for text in map(_content, contents) if text and text.strip()), None),
        "published": next((date for date in dates if date), None),
        "authors": "; ".join(name for name in names if name) or None,
        "lang": content(child(item, "language")),
    }  # fmt: skip


def _newsml(item: Any) -> Record:
    """Return a NewsML-G2 news item (IPTC NewsML-G2 2.x, content as inline XML or inline data)."""
    inline, data = find(item, "inlinexml"), find(item, "inlinedata")
    nitf = find(inline, "nitf")
    record = _nitf(nitf) if nitf is not None else {"text": _markup(find(inline, "body"))}
    language, provider = find(item, "language"), find(item, "provider")
    created = [content(find(item, name)) for name in ("contentcreated", "firstcreated", "versioncreated")]
    return record | {
        "doc_id": item.get("guid"),
        "title": content(find(item, "headline")) or record.get("title"),
        "text": record["text"] or (_markup(inline) if inline is not None else _raw(data)),
        "published": next((moment for moment in created if moment), None),
        "publisher": content(find(provider, "name"))
        or (provider.get("literal") if provider is not None else None),
        "authors": authors(content(find(item, "by"))) or record.get("authors"),
        "lang": language.get("tag") if language is not None else None,
    }


def _newsml1(item: Any) -> Record:
    """Return an item of NewsML 1.x: the component that has the text, with the lines and dates around it."""
    nitf, data = find(item, "nitf"), find(item, "datacontent")
    record = _nitf(nitf) if nitf is not None else {"text": _markup(data)}
    language = find(item, "language")
    created = [content(find(item, name)) for name in ("firstcreated", "thisrevisioncreated", "dateid")]
    return record | {
        "doc_id": content(find(item, "publicidentifier")) or content(find(item, "newsitemid")),
        "title": content(find(item, "headline")) or record.get("title"),
        "authors": authors(content(find(item, "byline"))) or record.get("authors"),
        "published": next((moment for moment in created if moment), None),
        "publisher": content(find(item, "creditline")) or record.get("publisher"),
        "lang": language.get("FormalName") if language is not None else None,
    }


def _nitf(item: Any) -> Record:
    """Return a NITF document (IPTC NITF 3.x); of the New York Times Corpus the full text without 'LEAD:'."""
    number, issued, data = find(item, "doc-id"), find(item, "date.issue"), find(item, "pubdata")
    body = find(item, "body.content")
    blocks = [b for b in body if local(b) == "block"] if body is not None else []
    full = next((block for block in blocks if block.get("class") == "full_text"), None)
    text: Any = _markup(body)
    if full is not None:
        lead = each(full, "p")
        repeated = len(lead) > 1 and lead[0].startswith("LEAD:") and lead[0][5:].strip()[:60] == lead[1][:60]
        text = lead[1:] if repeated else lead
    printed = [b for b in item.iter() if local(b) == "byline"]
    byline = next((b for b in printed if b.get("class") != "normalized_byline"), None)
    section = next(
        (m for m in item.iter() if local(m) == "meta" and m.get("name") in {"online_sections", "dsk"}), None
    )
    of: dict[str, str] = dict(data.attrib) if data is not None else {}
    return {
        "doc_id": number.get("id-string") if number is not None else None,
        "title": content(find(item, "hl1")) or content(find(item, "hedline")) or content(find(item, "title")),
        "text": text,
        "published": of.get("date.publication") or (issued.get("norm") if issued is not None else None),
        "publisher": of.get("name"),
        "url": of.get("ex-ref"),
        "length": words(of.get("item-length", "") + " words")
        if of.get("unit-of-measure") == "word"
        else None,
        "authors": authors(content(byline)),
        "section": section.get("content") if section is not None else None,
    }


def _rcv1(item: Any) -> Record:
    """Return a newsitem of the Reuters Corpus, volume 1."""
    of = {dc.get("element"): dc.get("value") for dc in item.iter() if local(dc) == "dc"}
    return {
        "doc_id": item.get("itemid"),
        "title": content(child(item, "headline")) or content(child(item, "title")),
        "text": each(child(item, "text"), "p") or content(child(item, "text")),
        "published": item.get("date") or of.get("dc.date.published"),
        "publisher": of.get("dc.publisher") or "Reuters",
        "authors": authors(content(child(item, "byline"))),
    }


_READERS = {"newsitem": _newsml, "nitf": _nitf}


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
    for inner in element.iter(etree.Element):
        inner.tag = etree.QName(inner).localname
    return fragment_text(etree.tostring(element, encoding="unicode", method="html", with_tail=False))


def _raw(element: Any) -> str | None:
    return None if element is None else "".join(element.itertext()).strip() or None

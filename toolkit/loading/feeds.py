"""News in XML: RSS, Atom, NewsML-G2 and NITF, an item at a time, with no entity expanded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolkit.loading.mapping import Block
from toolkit.loading.options import Options
from toolkit.loading.pages import fragment_text
from toolkit.loading.quarantine import Rejected, Unreadable, printable
from toolkit.loading.streams import Stream

ROOTS = frozenset({"rss", "rdf", "feed", "newsitem", "newsmessage", "itemset", "nitf", "entry"})
"""Root elements that are read, in lower case."""

_ITEMS = frozenset({"item", "entry", "newsitem", "nitf"})
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_LOOK = 1 << 16


def read(stream: Stream, label: str, options: Options) -> Iterator[Block | Rejected]:
    """Yield the items of a feed or a NewsML-G2 message."""
    from lxml import etree

    if b"<!ENTITY" in stream.peek(_LOOK):
        msg = "XML declares entities, as only attacks do in news; not read"
        raise Unreadable(msg, printable(stream.peek(400)))
    number, inside, language = 0, 0, None
    parser = etree.iterparse(
        _Source(stream), events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        for event, element in parser:
            name = _local(element)
            if event == "start":
                inside += name in _ITEMS
                continue
            if name == "language" and not inside:
                language = (element.text or "").strip() or None
            if name not in _ITEMS:
                continue
            inside -= 1
            if inside:
                continue
            number += 1
            yield _item(element, f"{label}#{number}", language)
            _forget(element)
    except etree.XMLSyntaxError as error:
        msg = f"not well-formed XML: {error.msg}; what follows is not read"
        yield Rejected(f"{label}#{number + 1}", msg)
        return
    except Unreadable as failure:
        yield Rejected(f"{label}#{number + 1}", str(failure), failure.excerpt)
        return
    if not number:
        yield Rejected(label, "no items in this feed")


class _Source:
    """What lxml asks of a file."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        return self._stream.read(size)


def _forget(element: Any) -> None:
    """Free the item and those before it, so that memory does not grow with the feed."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def _item(element: Any, place: str, language: str | None) -> Block | Rejected:
    from lxml import etree

    if next(element.iter(etree.Entity), None) is not None:
        return Rejected(
            place, "XML entities are not expanded; the item is not read", printable(_text(element) or "")
        )
    name = _local(element)
    record = {"newsitem": _newsml, "nitf": _nitf}.get(name, _feed_item)(element)
    record["lang"] = record.get("lang") or element.get(_LANG) or language
    return Block.of_records([record], [place])


def _feed_item(item: Any) -> dict[str, Any]:
    """Return an RSS item or an Atom entry; the full content counts before the description."""
    links = [e for e in item if _local(e) == "link"]
    link = next(
        (e.get("href") for e in links if e.get("href") and e.get("rel", "alternate") == "alternate"), None
    )
    dates = [_text(_child(item, name)) for name in ("pubdate", "published", "date", "issued", "updated")]
    contents = [_child(item, name) for name in ("encoded", "content", "fulltext", "description", "summary")]
    return {
        "doc_id": _text(_child(item, "guid")) or _text(_child(item, "id")) or _about(item),
        "title": fragment_text(_text(_child(item, "title")) or ""),
        "url": link or _text(_child(item, "link")),
        "text": next((text for text in map(_content, contents) if text and text.strip()), None),
        "published": next((date for date in dates if date), None),
        "lang": _text(_child(item, "language")),
    }  # fmt: skip


def _newsml(item: Any) -> dict[str, Any]:
    """Return a NewsML-G2 news item (IPTC NewsML-G2 2.x, content as inline XML or inline data)."""
    inline = _find(item, "inlinexml")
    data = _find(item, "inlinedata")
    nitf = _find(inline, "nitf")
    record = (
        _nitf(nitf)
        if nitf is not None
        else {"text": _markup(_find(inline, "body") if inline is not None else None)}
    )
    language = _find(item, "language")
    provider = _find(item, "provider")
    created = [_text(_find(item, name)) for name in ("contentcreated", "firstcreated", "versioncreated")]
    return record | {
        "doc_id": item.get("guid"),
        "title": _text(_find(item, "headline")) or record.get("title"),
        "text": record["text"] or (_markup(inline) if inline is not None else _text(data)),
        "published": next((moment for moment in created if moment), None),
        "publisher": _text(_find(provider, "name"))
        or (provider.get("literal") if provider is not None else None),
        "lang": language.get("tag") if language is not None else None,
    }


def _nitf(item: Any) -> dict[str, Any]:
    """Return a NITF document (IPTC NITF 3.x)."""
    number, issued = _find(item, "doc-id"), _find(item, "date.issue")
    return {
        "doc_id": number.get("id-string") if number is not None else None,
        "title": _text(_find(item, "hl1")) or _text(_find(item, "title")),
        "text": _markup(_find(item, "body.content")),
        "published": issued.get("norm") if issued is not None else None,
    }


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


def _about(item: Any) -> str | None:
    found: str | None = next((value for name, value in item.attrib.items() if name.endswith("}about")), None)
    return found


def _local(element: Any) -> str:
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _child(element: Any, name: str) -> Any:
    return next((inner for inner in element if _local(inner) == name), None)


def _find(element: Any, name: str) -> Any:
    if element is None:
        return None
    return next((inner for inner in element.iter() if _local(inner) == name), None)


def _text(element: Any) -> str | None:
    if element is None:
        return None
    return "".join(element.itertext()).strip() or None

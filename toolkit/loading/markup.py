"""Markup to text: the lines of a page, the elements of XML, the fields of SGML."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from toolkit.loading.quarantine import Unreadable
from toolkit.loading.streams import CHUNK, Stream, decode, is_utf8, unicode_form

BLOCKS = frozenset(
    "address article aside blockquote br dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li main nav "
    "ol p pre section table td th tr ul".split()
)
XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
HEAD = 1 << 14  # bytes of a page in which it declares its encoding

_SILENT = frozenset("script style template noscript iframe head title".split())
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.-]{2,40})", re.I)
_XML_CHARSET = re.compile(rb"^\s*<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([a-zA-Z0-9_:.-]{2,40})", re.I)
_TAG = re.compile(r"<[^<>]{1,2000}>")
_INDENTED = re.compile(r"\n[ \t]*\n|\n(?=[ \t]{2})")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")

# what browsers take these labels for (WHATWG Encoding Standard, section 4.2)
_WEB_NAMES = {
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252",
    "iso-8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030", "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949", "shift_jis": "cp932", "x-sjis": "cp932", "utf-16": "utf-8", "utf-16le": "utf-8",
    "utf8": "utf-8",
}  # fmt: skip


def decode_page(html: bytes, charset: str | None = None) -> str:
    """Return a page's text; bytes that its declared encoding lacks become U+FFFD.

    Text of another encoding is hardly ever valid UTF-8, so that what is valid is UTF-8 whatever is declared.
    """
    declared = _META_CHARSET.search(html[:HEAD]) or _XML_CHARSET.search(html[:HEAD])
    name = charset or (declared.group(1).decode("ascii") if declared else None)
    if name is not None and not unicode_form(html) and (html.isascii() or not is_utf8(html)):
        with contextlib.suppress(LookupError):
            return html.decode(_WEB_NAMES.get(name.lower(), name), "replace")
    return decode(html)


def html_root(text: str) -> Any:
    """Return the root of a page, comments left out, nothing fetched."""
    from lxml import etree, html

    parser = html.HTMLParser(remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    # lxml refuses a declared encoding in text that is already decoded, and stops where a first page ends
    plain = re.sub(r"</(?:html|body)\s*>", "", XML_DECLARATION.sub("", text).replace("\0", ""), flags=re.I)
    try:
        return html.document_fromstring(plain or "<p>", parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise Unreadable(f"page cannot be parsed: {error}", text) from None


def fragment_text(markup: str) -> str:
    """Return the text of a piece of markup, each block on its own line; plain text comes back as it is."""
    if "<" in markup or "&" in markup:
        with contextlib.suppress(Unreadable):
            return block_text(html_root(f"<div>{markup}</div>")) or ""
    return markup


def block_text(element: Any) -> str | None:
    """Return the text inside an element, each block on its own line."""
    return None if element is None else "\n".join(line for _, line in page_lines(element))


def page_lines(root: Any, blocks: frozenset[str] = BLOCKS) -> Iterator[tuple[Any, str]]:
    """Yield the text of each block of a page, with the innermost element it begins in.

    White space is collapsed, ``<br>`` ends a line. ``blocks`` names the elements that are blocks.
    """
    from lxml import etree

    held: list[str] = []
    owner = root
    quiet, fresh = 0, True

    def flushed() -> str:
        lines = map(collapsed, "".join(held).split("\n"))
        held.clear()
        return "\n".join(filter(None, lines))

    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        start = event == "start"
        if tag in blocks and held:
            if line := flushed():
                yield owner, line
            fresh = True
        quiet += (tag in _SILENT) * (1 if start else -1)
        piece = element.text if start else None if element is root else element.tail
        if tag == "br" and start:
            held.append("\n")
        if piece and not quiet:
            inside = element if start else element.getparent()
            if fresh and piece.strip():
                owner, fresh = inside, False
            if "\n" in piece:
                # in preformatted text an empty or an indented line begins a paragraph
                parts = _INDENTED.split(piece) if inside is not None and inside.tag == "pre" else [piece]
                piece = "\n".join(part.replace("\n", " ") for part in parts)
            held.append(piece)
    if line := flushed():
        yield owner, line


def sgml(piece: str, *names: str) -> str | None:
    """Return the text of the first of these SGML elements that has any: a paragraph a line block, entities resolved."""
    for name in names:
        found = re.search(rf"<{name}(?:\s[^<>]*)?>(.*?)(?:</{name}\s*>|\Z)", piece, re.S | re.I)
        if found is not None:
            plain = _TAG.sub("", re.sub(r"(?i)</?p(?:\s[^<>]*)?>", "\n\n", found[1]))
            text = _CONTROL.sub("", unescape(plain)).strip("\n")
            if text.strip():
                return text
    return None


def elements(stream: Stream, names: frozenset[str], outside: dict[str, str] | None = None) -> Iterator[Any]:
    """Yield the outermost XML elements of these names, without namespaces and in lower case; each is freed in turn.

    No entity is expanded, no DTD loaded, nothing fetched. ``outside`` receives the texts of elements outside of them by
    name, and their attributes by '@' and name; the first of a name counts.
    """
    from lxml import etree

    start = stream.peek(CHUNK)
    if unicode_form(start) is None:  # lxml refuses white space before an XML declaration
        stream.read(len(start) - len(start.lstrip()))
    if b"<!ENTITY" in start:
        raise Unreadable("XML declares entities, as only attacks do in news; not read", stream.peek(400))
    inside = 0
    parser = etree.iterparse(
        stream, events=("start", "end"), resolve_entities=False, no_network=True,
        load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        for event, element in parser:
            name = local(element)
            if event == "start":
                if outside is not None and not inside:
                    for key, value in element.attrib.items():
                        outside.setdefault("@" + key.rpartition("}")[2], value)
                inside += name in names
            elif name in names:
                inside -= 1
                if not inside:
                    for each in element.iter("*"):
                        each.tag = local(each)
                        # others stay as they are: a prefix that nothing declares may not be set again
                        plain = {key.rpartition("}")[2]: value for key, value in each.items() if "}" in key}
                        each.attrib.update({k: v for k, v in plain.items() if k not in each.attrib})
                    yield element
                    # freed with those before it, so that memory does not grow with the file
                    element.clear()
                    while element.getprevious() is not None:
                        del element.getparent()[0]
            elif not inside and outside is not None and element.text and len(element.text) < 1000:
                outside.setdefault(name, element.text.strip())
    except etree.XMLSyntaxError as error:
        raise Unreadable(f"not well-formed XML: {error.msg}; what follows is not read") from None


def local(element: Any) -> str:
    """Return an element's name in lower case and without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def texts(element: Any, path: str) -> list[str]:
    """Return the texts of the elements and attributes that an XPath leads to, white space collapsed; no blank ones."""
    found = (each if isinstance(each, str) else "".join(each.itertext()) for each in element.xpath(path))
    return list(filter(None, map(collapsed, found)))


def first(element: Any, paths: str) -> str | None:
    """Return the first text that one of these XPaths leads to, most trusted first, divided by '; '; or None."""
    return next((text for path in paths.split("; ") for text in texts(element, path)), None)


def content(element: Any) -> str | None:
    """Return all text inside an element, white space collapsed, or None."""
    return None if element is None else collapsed("".join(element.itertext())) or None


def collapsed(text: str | None) -> str:
    """Return a text on one line."""
    return " ".join((text or "").split())

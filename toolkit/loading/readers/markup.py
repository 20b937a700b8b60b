"""Text out of markup: the lines of a page, the fields of SGML, the text of XML elements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from toolkit.loading.readers.driver import local

_SILENT = frozenset({"script", "style", "template", "noscript", "head", "title"})
_TAG = re.compile(r"<[^<>]{1,2000}>")
_INDENTED = re.compile(r"\n[ \t]*\n|\n(?=[ \t]{2})")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")


def html_lines(root: Any, *blocks: str) -> Iterator[str]:
    """Yield the text of a page's blocks in order, white space collapsed, ``<br>`` as a line end."""
    for _, line in classed_lines(root, *blocks):
        yield line


def classed_lines(root: Any, *blocks: str) -> Iterator[tuple[Any, str]]:
    """Yield each block's text with the innermost element it begins in; ``blocks`` names the elements that are lines."""
    from lxml import etree

    held: list[str] = []
    owner = root
    quiet, fresh = 0, True

    def flushed() -> str:
        lines = (" ".join(line.split()) for line in "".join(held).split("\n"))
        held.clear()
        return "\n".join(line for line in lines if line)

    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        start = event == "start"
        if tag in blocks and held:
            if line := flushed():
                yield owner, line
            fresh = True
        quiet += (tag in _SILENT) * (1 if start else -1)
        piece = element.text if start else element.tail
        if tag == "br" and start:
            held.append("\n")
        if piece and not quiet:
            if fresh and piece.strip():
                owner, fresh = element if start else element.getparent(), False
            inside = element if start else element.getparent()
            # in preformatted text an empty or an indented line begins a paragraph
            parts = _INDENTED.split(piece) if inside is not None and inside.tag == "pre" else [piece]
            held.append("\n".join(re.sub(r"[ \t\r\n\xa0]+", " ", part) for part in parts))
    if line := flushed():
        yield owner, line


def classes(element: Any) -> Iterator[str]:
    """Yield the class names of an element and of all around it, the innermost first; tag names as ``<tag>``."""
    while element is not None:
        yield from reversed((element.get("class") or "").split())
        yield f"<{element.tag}>"
        element = element.getparent()


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


def find(element: Any, *path: str) -> Any:
    """Return the first descendant of this local name, then of that one below it …, or None."""
    for name in path:
        if element is None:
            return None
        element = next((inner for inner in element.iter() if local(inner) == name), None)
    return element


def child(element: Any, name: str) -> Any:
    """Return the first child of this local name, or None."""
    return next((inner for inner in element if local(inner) == name), None)


def content(element: Any) -> str | None:
    """Return all text inside an element, white space collapsed, or None."""
    return None if element is None else " ".join("".join(element.itertext()).split()) or None


def each(element: Any, *names: str) -> list[str]:
    """Return the texts of all descendants of these local names that have any, in order."""
    if element is None:
        return []
    found = (content(inner) for inner in element.iter() if local(inner) in names)
    return [text for text in found if text]

"""Whole pages and extracted pages as text, with each line labelled by the page's gold text."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from lxml import etree
from lxml import html as lxml_html
from numpy.typing import NDArray

from toolkit.boilerplate.scoring import KINDS
from training import markup
from training.flattening import MINIMUM_FOUND, Flattened, covered, found
from training.markup import Block, words_of

_SKIPPED = frozenset("script style noscript template head iframe svg object canvas math".split())
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_MOST_CHARACTERS = 60_000
_SURE, _NONE = 0.8, 0.2
"""Share of a line's words that stand in the gold text, from which it is article text; to which it is not."""


def page_title(html: str) -> str | None:
    """Return what the page's ``<title>`` says."""
    stated = _TITLE.search(html)
    return " ".join(re.sub("<[^>]+>", "", stated.group(1)).split()) if stated else None


def whole_page(html: str, gold: str, *, nodes: bool) -> Flattened | None:
    """Flatten all of a page, menus and lists of links included, and label its lines.

    Parameters
    ----------
    html, gold : str
        The page and the text of its article.
    nodes : bool
        A line for each text node, as ``get_text("\\n")`` leaves them; else one for each block.

    Returns
    -------
    Flattened or None
        None where too little of the gold is on the page, or the page is very long.
    """
    parser = lxml_html.HTMLParser(encoding="utf-8")
    root = lxml_html.document_fromstring(html.encode(errors="replace"), parser=parser)
    lines = _lines(root.body if root.body is not None else root, nodes)
    words = [words_of(text) for text, _ in lines]
    share = _shares(words, gold)
    if share is None:
        return None
    golden = {" ".join(words_of(line)) for line in gold.split("\n")}
    body = [i for i, (s, w) in enumerate(zip(share, words, strict=True)) if s >= _SURE and len(w) >= 8]
    if not body:
        return None
    headline = _headline(lines[: body[0] + 1], words, markup.stated_titles(root))
    flat, parts, at = Flattened(""), [], 0
    for i, (text, element) in enumerate(lines):
        inside, within = body[0] - 3 <= i <= body[-1] + 1, body[0] <= i <= body[-1]
        label = None if i == headline else _label(words[i], float(share[i]), golden, inside, within, nodes)
        if label == "unsure":
            flat.unsure.append((at, at + len(text)))
        elif label:
            flat.spans.append((at, at + len(text), _kind(text, words[i], element)))
        parts.append(text)
        at += len(text) + 1
    flat.text = "\n".join(parts)
    return flat if len(flat.text) <= _MOST_CHARACTERS else None


def _headline(lines: list[tuple[str, Any]], words: list[list[str]], titles: set[str]) -> int:
    """Return the last line that states the page's title, in a heading if there is one; -1 for none.

    Gold texts of pages leave the headline out as often as not; it is article text.
    """
    stated = [i for i, _ in enumerate(lines) if len(words[i]) > 2 and " ".join(words[i]) in titles]
    headings = [
        i for i in stated if any(e.tag in ("h1", "h2") for e in (lines[i][1], *lines[i][1].iterancestors()))
    ]
    plain = [i for i in stated if not any(e.tag == "a" for e in (lines[i][1], *lines[i][1].iterancestors()))]
    return (headings or plain or [-1])[-1]


def _shares(words: list[list[str]], gold: str) -> NDArray[np.float64] | None:
    """Share of each line's words that stand in the gold; None where page and gold do not agree."""
    flat, wanted_words = [w for line in words for w in line], words_of(gold)
    if min(len(flat), len(wanted_words)) < 30:
        return None
    ids, wanted = found(flat, wanted_words, 5)
    if len(np.unique(ids[ids >= 0])) < MINIMUM_FOUND * wanted:
        return None
    hits = np.r_[0, np.cumsum(covered(flat, wanted_words))]
    ends = np.cumsum([len(line) for line in words])
    starts = np.r_[0, ends[:-1]]
    return np.asarray((hits[ends] - hits[starts]) / np.maximum(ends - starts, 1), np.float64)


def _label(
    words: list[str], share: float, golden: set[str], inside: bool, within: bool, nodes: bool
) -> str | None:
    """None for article text, "unsure", or "out"."""
    if not words:
        return "unsure" if within else "out"
    if len(words) < 3:
        if (inside and " ".join(words) in golden) or (within and share >= 0.5):
            return None
        return "unsure" if within and nodes else "out"
    if share >= _SURE:
        return None if inside or len(words) >= 8 else "out"
    return "unsure" if share > _NONE else "out"


def _kind(text: str, words: list[str], element: Any) -> str:
    """Kind of a line that is no article text, by its wording, by the markup around it, else by its link."""
    path = (element, *element.iterancestors())
    linked = any(e.tag == "a" for e in path)
    block = Block(text, path, 0, len(words), float(linked))
    named = markup.wording_kind(block) or next(
        (k for k in markup.markup_kinds(block, set()) if k in KINDS), ""
    )
    if named:
        return named
    if linked and len(words) > 3:
        return "related"
    return "caption" if any(e.tag == "figure" for e in path) else "interface"


def _lines(root: Any, nodes: bool) -> list[tuple[str, Any]]:
    """Text and element of each line of a page."""
    out: list[tuple[str, Any]] = []
    pending: list[str] = []

    def close(element: Any) -> None:
        text = " ".join("".join(pending).split())
        if text:
            out.append((text, element))
        pending.clear()

    def add(text: str | None, element: Any) -> None:
        if text:
            pending.append(text)
        if nodes:
            close(element)

    walker = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walker:
        if event in ("comment", "pi"):
            add(element.tail, element.getparent())
        elif event == "start":
            if element.tag in _SKIPPED:
                walker.skip_subtree()
                continue
            if element.tag not in markup.INLINE:
                close(element.getparent() if element is not root else element)
            add(element.text, element)
        else:
            if element.tag not in markup.INLINE:
                close(element)
            if element is not root:
                add(element.tail, element.getparent())
    close(root)
    return out


def extracted_page(html: str, gold: str) -> Flattened | None:
    """Label the lines that trafilatura leaves of a page."""
    import trafilatura

    text = trafilatura.extract(html, include_comments=False)
    lines = (text or "").split("\n")
    words = [words_of(line) for line in lines]
    share = _shares(words, gold)
    if share is None:
        return None
    golden = {" ".join(words_of(line)) for line in gold.split("\n")}
    flat, at = Flattened(text or ""), 0
    for line, of_line, s in zip(lines, words, share, strict=True):
        known = " ".join(of_line) in golden if len(of_line) < 3 else s >= _SURE
        if of_line and not known:
            if len(of_line) >= 3 and s > _NONE:
                flat.unsure.append((at, at + len(line)))
            else:
                block = Block(line, (), 0, len(of_line), 0.0)
                flat.spans.append((at, at + len(line), markup.wording_kind(block) or "interface"))
        at += len(line) + 1
    return flat

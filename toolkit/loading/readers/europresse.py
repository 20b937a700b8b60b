"""Europresse: pages of articles in the layout of today (``<article>``) and that of before 2013 (tables)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolkit.loading.readers.driver import Archive, Record
from toolkit.loading.readers.lines import authors, before_date, find_date, is_closing, publication, words
from toolkit.loading.readers.markup import classed_lines, classes

_NUMBER = re.compile(r"\b(\w+[·:](\d{8})[·:]\w+[·:]\S+)")
_ROLES = {
    "docpublicationname": "publisher", "docheader": "header", "titrearticle": "title", "titrearticlevisu": "title",
    "rdp__articletitle": "title", "grandtitre": "title", "doctext": "text", "dococurrcontainer": "text",
    "docauthors": "authors", "sm-margin-bottomnews": "authors", "rdp__subtitle": "text", "txtcertificat": "",
    "divpublic": "", "apd-wrapper": "", "<aside>": "", "<footer>": "foot", "<small>": "foot", "<header>": "head",
}  # fmt: skip
_BLOCKS = tuple("p div td tr table article header section footer aside small span h1 h2 h3 li".split())
_CERTIFIED = re.compile(
    r"certificat|issued to|droit d'auteur|copyright law|date d'émission|visualisation", re.I
)


def europresse(archive: Archive) -> Iterator[Record]:
    """Europresse (Cision, CEDROM-SNi) exports, both layouts, in French or English."""
    lines: list[tuple[str, str]] | None = None
    for element, line in classed_lines(archive.page(), *_BLOCKS):
        role = next((_ROLES[name] for name in map(str.lower, classes(element)) if name in _ROLES), "other")
        opened = bool(lines) and lines is not None and any(r in {"title", "text", "other"} for r, _ in lines)
        if role == "publisher" and not line.isdecimal() and (lines is None or opened):
            if lines is not None:
                yield _article(lines)
            lines = []
        if lines is not None and role:
            lines.append((role, line))
    if lines is not None:
        yield _article(lines)


def _article(lines: list[tuple[str, str]]) -> Record:
    """Return the article of lines, each with the role its class gives it."""
    of = {role: [line for r, line in lines if r == role] for role in set(dict(lines)) | set(_ROLES.values())}
    numbered = next((found for _, line in reversed(lines) if (found := _NUMBER.search(line))), None)
    header = " ".join(of["header"])
    date = find_date(header)
    day = None if numbered is None else f"{numbered[2][:4]}-{numbered[2][4:6]}-{numbered[2][6:]}"
    section = before_date(header).rpartition(",")[0]
    counted = re.search(r"\b\d{1,6} (?:mots|words)\b", header)
    text, names = of["text"], of["authors"]
    if not text:
        # the old layout names no text: it is what stands between title and document number
        titled = max((i for i, (role, _) in enumerate(lines) if role in {"title", "header"}), default=0)
        text = [line for role, line in lines[titled:] if role in {"other", "foot"} and not _is_foot(line)]
    names = names or [line for line in of["head"] if len(line) < 120]
    return publication(" ".join(of["publisher"][:1])) | {
        "doc_id": numbered[1] if numbered else None,
        "title": " ".join(of["title"]) or None,
        "published": day if day is not None and find_date(day) else date,
        "authors": authors("; ".join(names)),
        "section": section.strip(" ;,") or None,
        "length": words(counted[0]) if counted else None,
        "text": text,
    }  # fmt: skip


def _is_foot(line: str) -> bool:
    return is_closing(line) or _NUMBER.search(line) is not None or (_CERTIFIED.search(line) is not None)

"""ProQuest, Mediargus, Integrum: archives that print a report of articles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from toolkit.language import language_code
from toolkit.loading.mapping import Absent
from toolkit.loading.readers.driver import Archive, Record
from toolkit.loading.readers.lines import (
    authors,
    blocks,
    find_date,
    is_closing,
    publication,
    roles,
    unwrapped,
    words,
)
from toolkit.loading.readers.markup import classed_lines

DOCUMENT = re.compile(
    r"^(?:Document|Do[ck]umento?) (\d{1,7}) (?:of|von|de|sur|di) (\d{1,7})[ \t]*$", re.M | re.I
)
RULE = re.compile(r"^_{20,}[ \t]*$", re.M)
MEDIARGUS = re.compile(
    r"^[\ufeff?]?(\d{1,6})\. (.+)\n\s*\n(.+), (\w+ \d{1,2} \w+ \d{4})(?:, p\. ?([^,\n]+))?, (\d+)w\.?[ \t]*$",
    re.M,
)
INTEGRUM = re.compile(r"<title>\s*Report \d\d\.\d\d\.\d{4}", re.I)

_LABEL = re.compile(r"([A-Z][^\W\d_]*(?:[ /-][^\W\d_]+){0,4})(?: \[[^\]]*\])?\s?:(?:\s+(.*)|$)", re.S)
_ROLES = roles("proquest")
_HEADINGS = {
    "abstract": "abstract",
    "full text": "text",
    "details": "",
    "enlarge this image": "",
    "links": "",
}


def proquest(archive: Archive) -> Iterator[Record]:
    """ProQuest reports as text, of today ('FULL TEXT', 'DETAILS') and of before."""
    for piece in archive.pieces(DOCUMENT if DOCUMENT.search(archive.head()) else RULE):
        mark = DOCUMENT.match(piece)
        if mark is not None:
            archive.count(int(mark[1]), int(mark[2]))
        found = blocks(RULE.sub("\n", piece[mark.end() if mark else 0 :]))
        if mark is not None or any(_role(block[0]) == "doc_id" for block in found):
            yield _document(found)


def mediargus(archive: Archive) -> Iterator[Record]:
    """Mediargus (GoPress) exports as text."""
    for piece in archive.pieces(MEDIARGUS):
        if mark := MEDIARGUS.match(piece):
            archive.count(int(mark[1]))
            text = [block for block in blocks(piece[mark.end() :]) if not is_closing(block[0])]
            yield publication(mark[3]) | {
                "title": mark[2].strip(), "published": find_date(mark[4]), "length": int(mark[6]),
                "section": f"p. {mark[5]}" if mark[5] else None, "text": [unwrapped(block) for block in text],
            }  # fmt: skip


def integrum(archive: Archive) -> Iterator[Record]:
    """Integrum reports as a page."""
    lines = list(
        classed_lines(archive.page(), "p", "div", "h1", "h2", "h3", "h4", "td", "table", "pre", "small", "li")
    )
    listed = re.findall(
        r"^\d+\.$|^\d+\.\s", "\n".join(line for _, line in lines[: _first_article(lines)]), re.M
    )
    archive.claimed = len(listed) or None
    record: Record | None = None
    for element, line in lines[_first_article(lines) :]:
        coded = dict(re.findall(r"^\^(\w\w):\s*(.*(?:\n(?!\^).*)*)", line, re.M))
        heading = element.tag in {"h1", "h2", "h3", "h4"}
        if coded or (heading and record is not None and (record["text"] or record["title"])):
            if heading and record is not None and record.get("coded") and not record["text"]:
                continue
            if record is not None:
                yield record
            record = {"title": None if coded else line, "text": [], "coded": bool(coded)}
            record |= {
                "publisher": coded.get("ИС"), "published": find_date(coded.get("ДТ", "")), "section": coded.get("РБ"),
                "authors": authors(coded.get("АВ")), "title": coded.get("ЗГ") or record["title"],
            }  # fmt: skip
        elif heading and record is None:
            record = {"title": line, "text": [], "publisher": None, "published": None}
        elif (
            record is not None
            and not record["text"]
            and record["published"] is None
            and find_date(line[-40:])
        ):
            record |= publication(line.split(";")[0]) | {"published": find_date(line)}
        elif record is not None:
            record["text"] += line.split("\n")
    if record is not None:
        yield record


def _first_article(lines: list[tuple[Any, str]]) -> int:
    """Return where the list of articles ends."""
    heads = [
        i for i, (e, line) in enumerate(lines) if line.startswith("^") or e.tag in {"h1", "h2", "h3", "h4"}
    ]
    return next((i for i in heads if not lines[i][1].startswith("Report ")), len(lines))


def _role(line: str) -> str | None:
    found = _LABEL.match(line)
    return _ROLES.get(re.sub(r"\s+", " ", found[1]).casefold()) if found else None


def _document(found: list[list[str]]) -> Record:
    """Return an article: title, then labelled paragraphs, or parts under headings in capitals."""
    values: dict[str, list[str]] = {}
    part: str | None = "title"
    for block in found:
        if (
            len(block) == 1
            and block[0].casefold() in _HEADINGS
            and (block[0].isupper() or block[0] == "Abstract")
        ):
            part = _HEADINGS[block[0].casefold()]
            continue
        role = _role(block[0])
        # within the full text a paragraph may begin like a label: only those that end it count
        if role is not None and not (part == "text" and role in {"title", "abstract", "section"}):
            match = _LABEL.match(block[0])
            block = [line for line in ((match[2] if match else "") or "", *block[1:]) if line]
            part = role
            if not block:
                continue
        elif part == "title" and values.get("title"):
            part = ""
        if part and (part in {"text", "title"} or part not in values):
            values.setdefault(part, []).append(unwrapped(block))
    first = {name: " ".join(value[:1]) for name, value in values.items()}
    text: Any = [
        p for p in values.get("text", []) if not re.match(r"Not available|Nicht verfügbar|Non disponible", p)
    ]
    if not text and "abstract" in values:
        text = Absent("no full text; the archive has the abstract only", first["abstract"][:200])
    named = first.get("publisher") or first.get("info", "").split(";")[0]
    return publication(named.split(";")[0]) | {
        "doc_id": first.get("doc_id"), "title": first.get("title"), "text": text, "url": first.get("url"),
        "published": find_date(first.get("published", "")) or find_date(first.get("info", "")),
        "authors": authors(first.get("authors")), "section": first.get("section"),
        "lang": language_code(first.get("lang")), "length": words(first.get("length", "") + " words"),
    }  # fmt: skip

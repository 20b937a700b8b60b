"""Nexis: the numbered documents of LexisNexis (text, HTML) and those of Nexis Uni (Word, RTF)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from toolkit.language import language_code
from toolkit.loading.readers.driver import NEAR, Archive, Record
from toolkit.loading.readers.lines import (
    authors,
    blocks,
    find_date,
    headings,
    is_closing,
    is_date,
    paragraphs,
    publication,
    roles,
    words,
)
from toolkit.loading.readers.markup import html_lines

MARK = re.compile(
    r"^[ \t\xa0\f]*(?:FOCUS - |LEVEL \d - )?(?:(\d{1,7}) (?:of|von|de|sur|van|di) (\d{1,7}) "
    r"(?:DOCUMENTS?|DOKUMENTEN?|DOCUMENTEN|DOCUMENTOS?|DOCUMENTI|STORIES|STORY|ARTICLES?)"
    r"|(?:Dokument|Document|Documento) (\d{1,7}) (?:of|von|de|sur|van|di) (\d{1,7}))[ \t\xa0]*$",
    re.M | re.I,
)
"""The line above each document: '3 of 10 DOCUMENTS', 'Dokument 3 von 10', of old 'LEVEL 1 - 3 OF 10 STORIES'."""

COVER = re.compile(r"^Download Request:|^Documents? \(\d{1,7}\)$(?=[\s\S]{0,400}^Client/Matter:)", re.M)
"""On the first page of a download, before or without documents."""

END = re.compile(
    r"^[ \t\xa0]*(?:End of Document|Ende des Dokument(?:e?s)?|Fin du document|Fin del documento|"
    r"Einde (?:van )?(?:het )?document|Fine del documento|Fim do documento)[ \t\xa0]*$",
    re.M | re.I,
)
"""The line below each document of Nexis Uni."""

LOADED = re.compile(r"^Load-Date:.*$", re.M)
"""The last line but one, at which documents are told apart where 'End of Document' is missing."""

_LISTED = re.compile(
    r"^(?:Documents?|Dokumente?|Documentos?|Documenten|Documenti) \((\d{1,7})\)$", re.M | re.I
)
_SELECTED = re.compile(r":\s*(\d{1,7})-(\d{1,7})\s*$", re.M)
_MONTH = re.compile(r"[^\W\d_]{3,14},? (?:19|20)\d\d")
_LABEL = re.compile(r"([^\W\d_][^\W\d_]*(?:[ -][^\W\d_]+){0,3})\s?:(?:\s+(.*)|$)", re.S)
_LABELS = roles("nexis")
_BODY, _AFTER = headings("nexis_text"), headings("nexis_end")
_LAST = re.compile(r"(?:classification|klassifizierung|clasificación|classificatie)$|load-date:", re.I)


def nexis_text(archive: Archive) -> Iterator[Record]:
    """Numbered documents of LexisNexis as text, also inside RTF and Word files."""
    for piece in archive.pieces(MARK):
        if mark := _counted(archive, piece):
            yield _numbered(blocks(piece[mark.end() :]))


def nexis_html(archive: Archive) -> Iterator[Record]:
    """Numbered documents of LexisNexis as a page."""
    document: list[list[str]] | None = None
    for line in [*html_lines(archive.page(), "p", "div"), ""]:
        mark = _counted(archive, line, cover=document is None)
        if document is not None and (mark or not line):
            yield _numbered(document)
        if mark:
            document = []
        elif document is not None and line:
            document += blocks(line)


def nexis_uni(archive: Archive) -> Iterator[Record]:
    """Documents of Nexis Uni and Lexis Advance, from Word (.docx), RTF or plain text."""
    end = END if END.search(archive.head()) else LOADED
    for piece in archive.pieces(end):
        mark = end.match(piece)
        piece = piece[mark.end() if mark else 0 :]
        listed = _LISTED.search(piece.replace("\xa0", " "))
        if listed and archive.claimed is None:
            archive.claimed = int(listed.group(1))
        found = [line.strip() for line in piece.replace("\xa0", " ").split("\n")]
        if any(found):
            record = _uni([line for line in found if line])
            if record is not None:
                yield record


def _counted(archive: Archive, text: str, *, cover: bool = True) -> re.Match[str] | None:
    """Return the mark a document begins with, its number noted; of a cover the documents that were asked for."""
    mark = MARK.match(text)
    if mark:
        archive.count(*(int(found) for found in mark.groups() if found))
    elif cover and (found := _SELECTED.search(text)):
        archive.part = True
        archive.claimed = None if int(found[2]) < int(found[1]) else int(found[2]) - int(found[1]) + 1
    return mark


def _label(line: str) -> tuple[str, str] | None:
    """Return the role of a labelled line and its value, or None."""
    found = _LABEL.match(line)
    role = _LABELS.get(found[1].casefold()) if found else None
    return None if found is None or role is None else (role, (found[2] or "").strip())


def _note(record: Record, role: str, value: str) -> None:
    """Enter a labelled value into the record."""
    if role == "length":
        record["length"] = words(value)
    elif role == "lang":
        record["lang"] = language_code(value)
    elif role == "authors":
        record["authors"] = authors(value)
    elif role and value and not record.get(role):
        record[role] = value


def _numbered(found: list[list[str]]) -> Record:
    """Return a numbered document: newspaper, date, title, labels, text, labels, copyright."""
    record: Record = {"title": None, "published": None, "publisher": None}
    found = _separate(found)
    dated = next((i for i, block in enumerate(found[:8]) if is_date(block[0])), None)
    if dated is None:
        dated = next((i for i, block in enumerate(found[:4]) if _MONTH.fullmatch(block[0])), None)
    labelled = next((i for i, block in enumerate(found) if _label(block[0])), len(found))
    if dated is not None and dated > labelled:
        dated = None
    head = [
        own for block in found[: 1 if dated is None else dated]
        if (own := [line for line in block if not is_closing(line)])
    ]  # fmt: skip
    start = 1 if dated is None else dated + 1
    if dated is None and labelled == 0:
        head, start = [], 0
    if head:
        record |= publication(head[0][0])
        links = [block[0] for block in head[1:] if block[0].startswith(("http://", "https://"))]
        titles = [" ".join(block) for block in head[1:] if block[0] not in links]
        record |= {"title": titles[0] if titles else None, "url": links[0] if links else None}
    if dated is not None:
        day = found[dated][0]
        record["published"] = find_date(day) or (day if _MONTH.fullmatch(day) else None)
        if found[dated][1:]:
            record["edition"] = " ".join(found[dated][1:])
        while start < len(found) and is_date(found[start][0]):
            record["published"] = record["published"] or find_date(found[start][0])
            start += 1
    at = _header(record, found, start)
    end = len(found)
    while end > at and (is_closing(found[end - 1][0]) or _ends(found[end - 1])):
        end -= 1
        if label := _label(found[end][0]):
            _note(record, label[0], " ".join([label[1], *found[end][1:]]).strip())
    return _finished(record, paragraphs(found[at:end]))


def _header(record: Record, found: list[list[str]], at: int) -> int:
    """Read title and labels from block ``at``; return the first block of the text."""
    labels = 0
    while at < len(found):
        block = found[at]
        label = _label(block[0])
        if label is not None:
            labels += 1
            if label[0] == "body":
                found[at] = [line for line in (label[1], *block[1:]) if line]
                return at if found[at] else at + 1
            _note(record, label[0], " ".join([label[1], *block[1:]]).strip())
        elif len(block) == 1 and re.match(r"https?://\S+$", block[0]):
            record["url"] = block[0]
        elif len(block) == 1 and words(block[0]) is not None:
            record["length"] = words(block[0])
            labels += 1
        elif record["title"] is None and not labels:
            record["title"] = " ".join(block)
        elif not labels and any(_label(after[0]) for after in found[at + 1 : at + 3]):
            record.setdefault("subtitle", " ".join(block))
        else:
            break
        at += 1
    return at


def _separate(found: list[list[str]]) -> list[list[str]]:
    """Return blocks with labels that stand one under the other, and what follows a length, as blocks of their own."""
    apart: list[list[str]] = []
    for block in found:
        labels = [_label(line) for line in block]
        if all(labels):
            apart += [[line] for line in block]
        elif len(block) > 1 and labels[0] and labels[0][0] == "length":
            apart += [block[:1], block[1:]]
        else:
            apart.append(block)
    return apart


def _uni(lines: list[str]) -> Record | None:
    """Return a document of Nexis Uni: title, newspaper, date, copyright, labels, 'Body', text, classification."""
    body = next((i for i, line in enumerate(lines) if line.casefold() in _BODY), None)
    last = next((i for i, line in enumerate(lines) if _LAST.match(line)), len(lines))
    header = lines[: last if body is None else body]
    days = [i for i, line in enumerate(header) if is_date(line)]
    labels = [
        i for i, line in enumerate(header) if days and i > days[0] and (is_closing(line) or _label(line))
    ]
    # a list of documents may stand before the first: its date is the last above the labels
    dated = max((i for i in days if labels and i < labels[0]), default=days[0] if days else None)
    if body is None and dated is None:
        # what follows the last document, or a cover page alone
        labelled = len(lines) > 3 and any(map(_label, lines))
        return {"text": None, "title": lines[0]} if labelled else None
    record: Record = {"title": None, "published": None, "publisher": None}
    if dated is not None:
        record["published"] = find_date(header[dated])
        record |= publication(header[dated - 1]) if dated else {}
        record["title"] = header[dated - 2] if dated > 1 else None
    elif header:
        record["title"] = header[0]
        record |= publication(header[1]) if len(header) > 1 else {}
    after = 0 if dated is None else dated + 1
    for i, line in enumerate(header[after:], after):
        label = _label(line)
        if label is not None:
            _note(record, *label)
        if label is not None or is_closing(line):
            after = i + 1
        elif body is None and after == i and i > (dated or 0) + 1:
            break  # the first line below the labels is text
    text = lines[after if body is None else body + 1 :]
    end = next((i for i, line in enumerate(text) if _LAST.match(line)), len(text))
    for label in filter(None, map(_label, text[end:])):
        _note(record, *label)
    end = next((i for i in range(max(end - NEAR, 0), end) if text[i].casefold() in _AFTER), end)
    if "FULL TEXT" in text[:end] and text[0] == "ABSTRACT":
        text, end = text[text.index("FULL TEXT") + 1 :], end - text.index("FULL TEXT") - 1
    return _finished(record, text[:end])


def _ends(block: list[str]) -> bool:
    """Whether a block behind a text is a label in capitals, a known one or with a short value."""
    name, _, value = " ".join(block).partition(":")
    short = len(name) <= 30 and 0 < len(value) < 60 and value[-1] not in {".", "!", "?", "”", '"'}
    return name.isupper() and (short or (_label(block[0]) is not None and name != "UPDATE"))


def _finished(record: Record, text: list[str]) -> Record:
    """Return the record with its text, the highlight and a second headline in front as the newspaper printed them."""
    lead: list[Any] = [record.pop(name, None) for name in ("subtitle", "highlight")]
    record["text"] = [paragraph for paragraph in (*lead, *text) if paragraph]
    return record

"""Nexis: the numbered documents of LexisNexis (text, HTML) and those of Nexis Uni (Word, RTF)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolkit.language import language_code
from toolkit.loading.readers.driver import NEAR, Archive, Record
from toolkit.loading.readers.lines import blocks, is_closing, is_date, pattern, roles, typed, unwrapped, words

MARK, PAGE, COVER, _LISTED = map(pattern, ("nexis_document", "nexis_page", "nexis_cover", "nexis_listed"))
END, LOADED, _LAST = map(pattern, ("nexis_uni_end", "nexis_uni_loaded", "nexis_uni_last"))
_SELECTED = re.compile(r":\s*(\d{1,7})-(\d{1,7})\s*$", re.M)
_MONTH = re.compile(r"[^\W\d_]{3,14},? (?:19|20)\d\d")
_LABEL = re.compile(r"([^\W\d_][^\W\d_]*(?:[ -][^\W\d_]+){0,3})\s?:(?:\s+(.*)|$)", re.S)
_LABELS, _KINDS = roles("nexis"), roles("headings")


def nexis_text(archive: Archive) -> Iterator[Record]:
    """Numbered documents of LexisNexis as text, also inside RTF and Word files."""
    for mark, piece in archive.pieces(MARK):
        if _counted(archive, mark, piece):
            yield _numbered(blocks(piece))


def nexis_html(archive: Archive) -> Iterator[Record]:
    """Numbered documents of LexisNexis as a page."""
    documents: list[list[list[str]]] = []
    for _, line in archive.lines(frozenset({"p", "div"})):
        if _counted(archive, MARK.match(line), "" if documents else line):
            documents.append([])
        elif documents:
            documents[-1] += blocks(line)
    yield from map(_numbered, documents)


def nexis_uni(archive: Archive) -> Iterator[Record]:
    """Documents of Nexis Uni and Lexis Advance, from Word (.docx), RTF or plain text."""
    for _, piece in archive.pieces(END, LOADED):
        piece = piece.replace("\xa0", " ")
        if archive.claimed is None and (listed := _LISTED.search(piece)):
            archive.claimed = int(listed.group(1))
        found = [line.strip() for line in piece.split("\n") if line.strip()]
        if found and (record := _uni(found)) is not None:
            yield record


def _counted(archive: Archive, mark: re.Match[str] | None, cover: str) -> bool:
    """Note the number of the document that a mark begins, or how many documents the cover says were asked for."""
    if mark:
        number, total = (int(found) for found in mark.groups() if found)
        archive.numbers.append((number, total))
    elif found := _SELECTED.search(cover):
        archive.part = True
        archive.claimed = None if int(found[2]) < int(found[1]) else int(found[2]) - int(found[1]) + 1
    return mark is not None


def _label(line: str) -> tuple[str, str] | None:
    """Return the field that a line's label names, and its value, which tells what an unknown label in capitals is."""
    if (found := _LABEL.match(line)) is None:
        return None
    value = (found[2] or "").strip()
    role = _LABELS.get(found[1].casefold())
    if role is None and found[1].isupper():
        role = "length" if words(value) is not None else "lang" if language_code(value) else None
    return None if role is None else (role, value)


def _numbered(found: list[list[str]]) -> Record:
    """Return a numbered document: newspaper, date, title, labels, text, labels, copyright."""
    record: Record = {"title": None}
    found = _separate(found)
    labelled = next((i for i, block in enumerate(found) if _label(block[0])), len(found))
    dates = [i for i, block in enumerate(found[:8]) if is_date(block[0])]
    dates += [i for i, block in enumerate(found[:4]) if _MONTH.fullmatch(block[0])]
    dated = dates[0] if dates and dates[0] <= labelled else None
    start = min(labelled, 1) if dated is None else dated
    head = [[line for line in block if not is_closing(line)] for block in found[:start]]
    if head := [block for block in head if block]:
        links = [block[0] for block in head[1:] if block[0].startswith(("http://", "https://"))]
        titles = [" ".join(block) for block in head[1:] if block[0] not in links]
        record = {"publisher": head[0][0], "title": next(iter(titles), None), "url": next(iter(links), None)}
    if dated is not None:
        record |= {"published": found[dated][0], "edition": " ".join(found[dated][1:])}
        start += 1
        while start < len(found) and is_date(found[start][0]):
            record["published"] += " " + found[start][0]
            start += 1
    at = _header(record, found, start)
    end = len(found)
    while end > at and (is_closing(found[end - 1][0]) or _ends(found[end - 1])):
        end -= 1
        _note(record, found[end])
    return _finished(record, [unwrapped(block) for block in found[at:end]])


def _note(record: Record, block: list[str]) -> str | None:
    """Enter a block that begins with a label into the record; return the field that the label names, or None."""
    if (label := _label(block[0])) is None:
        return None
    value = " ".join([label[1], *block[1:]]).strip()
    # of authors, length and language the last counts
    if label[0] and value and (label[0] in {"authors", "length", "lang"} or not record.get(label[0])):
        record[label[0]] = value
    return label[0]


def _header(record: Record, found: list[list[str]], start: int) -> int:
    """Read title and labels from block ``start``; return the first block of the text."""
    labels = 0
    for at, block in enumerate(found[start:], start):
        label = _label(block[0])
        if label is not None and label[0] == "body":
            found[at] = [line for line in (label[1], *block[1:]) if line]
            return at if found[at] else at + 1
        if _note(record, block) is not None:
            labels += 1
        elif len(block) == 1 and re.match(r"https?://\S+$", block[0]):
            record["url"] = block[0]
        elif len(block) == 1 and words(block[0]) is not None:
            record["length"] = block[0]
            labels += 1
        elif record["title"] is None and not labels:
            record["title"] = " ".join(block)
        elif not labels and any(_label(after[0]) for after in found[at + 1 : at + 3]):
            record.setdefault("subtitle", " ".join(block))
        else:
            return at
    return len(found)


def _separate(found: list[list[str]]) -> list[list[str]]:
    """Make each label of a block of labels, and what follows the length of an article, a block of its own."""
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
    body = next((i for i, line in enumerate(lines) if _KINDS.get(line.casefold()) == "nexis_text"), None)
    last = next((i for i, line in enumerate(lines) if _LAST.match(line)), len(lines))
    header = lines[: last if body is None else body]
    days = [i for i, line in enumerate(header) if is_date(line)]
    labels = (i for i, line in enumerate(header) if is_closing(line) or _label(line))
    labelled = next((i for i in labels if days and i > days[0]), 0)
    # a list of documents may stand before the first: its date is the last above the labels
    dated = max((i for i in days if i < labelled), default=days[0] if days else None)
    if body is None and dated is None:
        # what follows the last document, or a cover page alone
        return {"text": None, "title": lines[0]} if len(lines) > 3 and any(map(_label, lines)) else None
    record: Record = {"title": None}
    if dated is not None:
        record = {"published": header[dated], "title": header[dated - 2] if dated > 1 else None}
        record["publisher"] = header[dated - 1] if dated else None
    elif header:
        record = {"title": header[0], "publisher": header[1] if len(header) > 1 else None}
    after = 0 if dated is None else dated + 1
    for i, line in enumerate(header[after:], after):
        if _note(record, [line]) is not None or is_closing(line):
            after = i + 1
        elif body is None and after == i and i > (dated or 0) + 1:
            break  # the first line below the labels is text
    text = lines[after if body is None else body + 1 :]
    end = next((i for i, line in enumerate(text) if _LAST.match(line)), len(text))
    for line in text[end:]:
        _note(record, [line])
    near = range(max(end - NEAR, 0), end)
    end = next((i for i in near if _KINDS.get(text[i].casefold()) == "nexis_end"), end)
    text = text[:end]
    if "FULL TEXT" in text and text[0] == "ABSTRACT":
        text = text[text.index("FULL TEXT") + 1 :]
    return _finished(record, text)


def _ends(block: list[str]) -> bool:
    """Whether a block behind a text is a label in capitals, a known one or with a short value."""
    name, _, value = " ".join(block).partition(":")
    short = len(name) <= 30 and 0 < len(value) < 60 and value[-1] not in {".", "!", "?", "”", '"'}
    return name.isupper() and (short or (_label(block[0]) is not None and name != "UPDATE"))


def _finished(record: Record, text: list[str]) -> Record:
    """Return the record with its text, the highlight and a second headline in front as the newspaper printed them."""
    lead = [record.pop(name, None) for name in ("subtitle", "highlight")]
    month = record.get("published") or ""
    read = typed(record) | {"text": [paragraph for paragraph in (*lead, *text) if paragraph]}
    return read if read["published"] or not _MONTH.fullmatch(month) else read | {"published": month}

"""Factiva: pages and text with and without field codes, in any language of the interface."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from toolkit.language import language_code
from toolkit.loading.markup import page_lines
from toolkit.loading.quarantine import Unreadable
from toolkit.loading.readers.driver import Archive, Record
from toolkit.loading.readers.lines import blocks, is_closing, is_date, pattern, roles, typed, unwrapped, words

NUMBER, PAGE, _CODED = map(pattern, ("factiva_document", "factiva_page", "factiva_code"))
_ARTICLE = re.compile(r"(?:^|\s)[A-Za-z]{2,5}Article(?:\s|$)")
_BLOCKS = frozenset("p div td tr table h1 h2 h3 h4 li".split())
_CODES = roles("factiva")


def factiva_html(archive: Archive) -> Iterator[Record | Unreadable]:
    """Factiva exports as a page ('article format' or 'full article plus indexing')."""
    articles: dict[Any, list[tuple[list[str], str]]] = {}
    for element, line in page_lines(archive.page(), _BLOCKS):
        names: list[str] = []
        around = element
        while around is not None and not _ARTICLE.search(around.get("class") or ""):
            names += (around.get("class") or "").split() or [f"<{around.tag}>"]
            around = around.getparent()
        if around is not None:
            articles.setdefault(around, []).append((names, line))
    for lines in articles.values():
        yield _by_code(lines) if any("index" in names for names, _ in lines) else _by_place(lines)


def factiva_text(archive: Archive) -> Iterator[Record | Unreadable]:
    """Factiva exports as text or RTF, with or without field codes (HD, WC, PD …)."""
    held = ""
    for piece in archive.pieces(NUMBER):
        if (number := NUMBER.match(piece)) is not None:
            found = blocks(held)
            record = _coded_text(found) if any(_CODED.match(b[0]) for b in found) else _plain_text(found)
            yield record | {"doc_id": number[1]}
            piece = piece[number.end() :]
        held = piece
    if any(words(line) is not None for block in blocks(held) for line in block):
        yield Unreadable("cut off: no line 'Document …' at its end", held[:200])


def _by_code(lines: list[tuple[list[str], str]]) -> Record:
    """Return the article of a table of field codes."""
    values: dict[str, list[str]] = {}
    code = ""
    for names, line in lines:
        if "index" in names:
            code = line
        else:
            values.setdefault(code, []).append(line)
    return _coded(values)


def _coded(values: dict[str, list[str]]) -> Record:
    """Return an article by its field codes, each with its paragraphs."""
    record: Record = {_CODES[code]: " ".join(found) for code, found in values.items() if code in _CODES}
    number = (record.pop("doc_id", "") or "").rpartition(" ")[2] or None
    text = [*values.get("LP", []), *values.get("TD", [])]
    return typed({"title": None} | record) | {"text": text, "doc_id": number}


def _by_place(lines: list[tuple[list[str], str]]) -> Record:
    """Return the article whose fields are recognised by the order in which they stand."""
    record: Record = {"title": None}
    fields: list[str] = []
    text: list[str] = []
    for names, line in lines:
        if any(name.endswith("Headline") for name in names):
            record["title"] = re.sub(r"^\d+\) ", "", line) if "counted" in names else line
            if fields:
                record["section"], fields = fields[0], []
        elif any(name.endswith("articleParagraph") for name in names):
            text.append(line)
        elif number := NUMBER.match(line):
            record["doc_id"] = number[1]
        elif any(name.lower().endswith("author") for name in names):
            record["authors"] = line
        elif "<p>" not in names:
            fields.append(line)
    return _placed(record, fields) | {"text": text}


def _placed(record: Record, fields: list[str]) -> Record:
    """Enter the lines between title and text: [byline], length, date, [time], newspaper, code, [section], language."""
    dated = next((i for i, line in enumerate(fields) if is_date(line)), None)
    counted = next((i for i, line in enumerate(fields) if words(line) is not None), None)
    if counted is not None:
        record["length"] = fields[counted]
    before = min(i for i in (dated, counted, len(fields)) if i is not None)
    if before and "authors" not in record and len(fields[0]) < 150:
        record["authors"] = fields[0]
    if dated is not None:
        rest = [line for line in fields[dated + 1 :] if not re.match(r"\d{1,2}:\d\d", line)]
        record |= {"published": fields[dated], "publisher": rest[0] if rest else None}
        named = next((i for i, line in enumerate(rest[1:], 1) if language_code(line)), 0)
        between = [line for line in rest[1:named] if not re.fullmatch(r"[A-Z0-9]{3,10}", line)]
        record["lang"] = rest[named] if named else None
        record.setdefault("section", next(iter(between), None))
    return typed(record)


def _coded_text(found: list[list[str]]) -> Record:
    """Return an article whose lines begin with field codes."""
    values: dict[str, list[list[str]]] = {}
    code = ""
    for block in found:
        fresh = True
        for line in block:
            if match := _CODED.match(line):
                code, line, fresh = match[1], line[match.end() :], True
            if line.strip():
                entry = values.setdefault(code, [])
                if fresh:
                    entry.append([])
                entry[-1].append(line.strip())
                fresh = False
    return _coded({code: [unwrapped(lines) for lines in entry] for code, entry in values.items()})


def _plain_text(found: list[list[str]]) -> Record:
    """Return an article of plain text: title, the block of fields, text, the publisher's line."""
    record: Record = {"title": None}
    counted = (i for i, block in enumerate(found) if any(words(line) is not None for line in block))
    dated = (i for i, block in enumerate(found) if any(map(is_date, block)))
    at = next(counted, next(dated, len(found)))
    head = [line for block in found[:at] for line in block]
    fields = [line for block in found[at : at + 1] for line in block]
    start = next((i for i, line in enumerate(fields) if is_date(line) or words(line) is not None), 0)
    head, fields = head + fields[:start], fields[start:]
    text = found[at + 1 :]
    # the fields may stand in one block or each in its own
    while text and not any(map(is_closing, fields)) and all(_is_field(line, fields) for line in text[0]):
        fields += text.pop(0)
    end = next((i for i, line in enumerate(fields) if is_closing(line)), None)
    if end is not None and fields[end + 1 :]:
        text.insert(0, fields[end + 1 :])
    if text and len(text) > 1 and len(text[-1]) == 1 and len(text[-1][0]) < 80 and text[-1][0][-1].isalnum():
        text.pop()
    if head:
        byline = len(head) > 1 and re.match(r"(?i)(by|von|par|door|por|di)\s+\w", head[-1])
        if byline:
            record["authors"] = head.pop()
        # a section of one or two words may stand above the title
        if len(head) > 1 and len(head[0]) <= 25 and len(head[0]) < len(head[1]):
            record["section"] = head.pop(0)
        record["title"] = " ".join(head)
    return _placed(record, fields[:end]) | {"text": [unwrapped(block) for block in text]}


def _is_field(line: str, before: list[str]) -> bool:
    """Whether a line below a title is one of the archive's: date, newspaper, code, page, language, copyright."""
    if is_closing(line):
        return True
    ended = any(map(language_code, before))
    return not ended and len(before) < 8 and re.fullmatch(r"[^.!?]{1,40}", line) is not None

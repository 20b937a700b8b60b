"""Reports of articles that archives print: Factiva, ProQuest, Mediargus, Integrum, Europresse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from toolkit.language import language_code
from toolkit.loading.quarantine import Unreadable
from toolkit.loading.readers.driver import Archive, Record
from toolkit.loading.readers.lines import (
    DATE,
    blocks,
    find_date,
    is_closing,
    is_date,
    pattern,
    publication,
    roles,
    typed,
    unwrapped,
    words,
)  # fmt: skip

NUMBER, FACTIVA, _CODED = map(pattern, ("factiva_document", "factiva_page", "factiva_code"))
_FOOT, _SECTION, _COMPANY = map(pattern, ("factiva_foot", "factiva_section", "company"))
_ARTICLE = re.compile(r"(?:^|\s)[A-Za-z]{2,5}Article(?:\s|$)")
_BLOCKS = frozenset("p div td tr table h1 h2 h3 h4 li".split())
_CODES = roles("factiva")


def factiva_html(archive: Archive) -> Iterator[Record | Unreadable]:
    """Factiva exports as a page ('article format' or 'full article plus indexing')."""
    articles: dict[Any, list[tuple[list[str], str]]] = {}
    for element, line in archive.lines(_BLOCKS):
        names: list[str] = []
        for around in (element, *element.iterancestors()):
            if _ARTICLE.search(around.get("class") or ""):
                articles.setdefault(around, []).append((names, line))
                break
            names += (around.get("class") or "").split() or [f"<{around.tag}>"]
    for lines in articles.values():
        values: dict[str, list[str]] = {}
        code = ""
        for names, line in lines:
            if "index" in names:
                code = line
            else:
                values.setdefault(code, []).append(line)
        yield _coded(values) if code else _by_place(lines)


def factiva_text(archive: Archive) -> Iterator[Record | Unreadable]:
    """Factiva exports as text or RTF, with or without field codes (HD, WC, PD …)."""
    held = ""
    for number, piece in archive.pieces(NUMBER):
        if number is not None:
            found = blocks(held)
            record = _coded_text(found) if any(_CODED.match(b[0]) for b in found) else _plain_text(found)
            yield record | {"doc_id": number[1]}
        held = _FOOT.sub("", piece)
    if any(words(line) is not None for block in blocks(held) for line in block):
        yield Unreadable("cut off: no line 'Document …' at its end", held)


def _coded(values: dict[str, list[str]]) -> Record:
    """Return an article by its field codes, each with its paragraphs."""
    record: Record = {_CODES[code]: " ".join(found) for code, found in values.items() if code in _CODES}
    number = record.pop("doc_id", "").rpartition(" ")[2] or None
    text = [*values.get("LP", []), *values.get("TD", [])]
    return typed(record) | {"text": text, "doc_id": number}


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
        paragraph: list[str] = []
        for line in block:
            if match := _CODED.match(line):
                code, line, paragraph = match[1], line[match.end() :], []
            if line.strip():
                if not paragraph:
                    values.setdefault(code, []).append(paragraph)
                paragraph.append(line.strip())
    return _coded({code: [unwrapped(lines) for lines in entry] for code, entry in values.items()})


def _plain_text(found: list[list[str]]) -> Record:
    """Return an article of plain text: title, the block of fields, text, the publisher's line."""
    record: Record = {}
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
    end = next((i for i, line in enumerate(fields) if is_closing(line)), len(fields))
    if fields[end + 1 :]:
        text.insert(0, fields[end + 1 :])
    last = text[-1] if len(text) > 1 else []
    if len(last) == 1 and _is_publisher(last[0], fields[: end + 1]):
        text.pop()
    if len(head) > 1 and re.match(r"(?i)(by|von|par|door|por|di)\s+\w", head[-1]):
        record["authors"] = head.pop()
    # a section may stand above the title
    if len(head) > 1 and (len(head[0]) < min(len(head[1]), 26) or _SECTION.search(head[0])):
        record["section"] = head.pop(0)
    record["title"] = " ".join(head)
    return _placed(record, fields[:end]) | {"text": [unwrapped(block) for block in text]}


def _is_publisher(line: str, before: list[str]) -> bool:
    """Whether the last line of an article is its publisher's: named in the fields above the text, or a company."""
    named = set(re.findall(r"[^\W\d_]+", " ".join(before).casefold()))
    names = re.findall(r"[^\W\d_]+", line)
    company = _COMPANY.search(line) and all(name[0].isupper() or len(name) <= 3 for name in names)
    return len(line) < 80 and bool(names and (company or named.issuperset(map(str.casefold, names))))


def _is_field(line: str, before: list[str]) -> bool:
    """Whether a line below a title is one of the archive's: date, newspaper, code, page, language, copyright."""
    short = len(before) < 8 and re.fullmatch(r"[^.!?]{1,40}", line) is not None
    return is_closing(line) or (short and not any(map(language_code, before)))


DOCUMENT, PROQUEST, MEDIARGUS = pattern("proquest_document"), pattern("proquest"), pattern("mediargus")
EUROPRESSE, INTEGRUM = pattern("europresse_page"), pattern("integrum_page")
RULE = re.compile(r"^_{20,}[ \t]*$", re.M)

_LABEL = re.compile(r"([A-Z][^\W\d_]*(?:[ /-][^\W\d_]+){0,4})(?: \[[^\]]*\])?\s?:(?:\s+(.*)|$)", re.S)
_ROLES = roles("proquest")
_HEADINGS = frozenset({"abstract", "full text", "details", "enlarge this image", "links"})
_LEVELS = frozenset({"h1", "h2", "h3", "h4"})
_INTEGRUM_BLOCKS = _BLOCKS | {"pre", "small"}
_INTEGRUM_CODES = roles("integrum")
_EUROPRESSE_NUMBER = re.compile(r"\b(\w+[·:](\d{8})[·:]\w+[·:]\S+)")
_CLASSES = roles("europresse")
_EUROPRESSE_BLOCKS = _BLOCKS | frozenset("article header section footer aside small span".split())
_CERTIFIED = pattern("europresse_foot")


def proquest(archive: Archive) -> Iterator[Record]:
    """ProQuest reports as text, of today ('FULL TEXT', 'DETAILS') and of before."""
    for mark, piece in archive.pieces(DOCUMENT, RULE):
        numbers = mark.groups() if mark else ()  # a rule has none
        if numbers:
            archive.numbers.append((int(numbers[0]), int(numbers[1])))
        found = blocks(RULE.sub("\n", piece))
        if numbers or any(_label(block[0])[0] == "doc_id" for block in found):
            yield _document(found)


def mediargus(archive: Archive) -> Iterator[Record]:
    """Mediargus (GoPress) exports as text."""
    for mark, piece in archive.pieces(MEDIARGUS):
        if mark:
            archive.numbers.append((int(mark[1]), 0))
            text = [block for block in blocks(piece) if not is_closing(block[0])]
            yield typed({
                "publisher": mark[3], "title": mark[2], "published": mark[4], "length": mark[6],
                "section": f"p. {mark[5]}" if mark[5] else None,
            }) | {"text": [unwrapped(block) for block in text]}  # fmt: skip


def integrum(archive: Archive) -> Iterator[Record]:
    """Integrum reports as a page."""
    lines = list(archive.lines(_INTEGRUM_BLOCKS))
    heads = (i for i, (element, line) in enumerate(lines) if line.startswith("^") or element.tag in _LEVELS)
    # a list of the articles stands before the first
    begin = next((i for i in heads if not lines[i][1].startswith("Report ")), len(lines))
    listed = re.findall(r"^\d+\.$|^\d+\.\s", "\n".join(line for _, line in lines[:begin]), re.M)
    archive.claimed = len(listed) or None
    records: list[Record] = []
    for element, line in lines[begin:]:
        record = records[-1] if records else {}
        coded = dict(re.findall(r"^\^(\w\w):\s*(.*(?:\n(?!\^).*)*)", line, re.M))
        if coded:
            read = typed({role: coded.get(code) for code, role in _INTEGRUM_CODES.items()})
            records.append(read | {"text": [], "coded": True})
        elif element.tag in _LEVELS and (not record or record["text"] or record["title"]):
            if record.get("text") or not record.get("coded"):
                records.append({"title": line, "text": [], "publisher": None, "published": None})
        elif record and not record["text"] and not record["published"] and find_date(line[-40:]):
            record |= publication(line.split(";")[0]) | {"published": find_date(line)}
        elif record:
            record["text"] += line.split("\n")
    yield from records


def _label(line: str) -> tuple[str | None, str | None]:
    """Return the field that a line's label names, or None, and its value."""
    found = _LABEL.match(line)
    return (_ROLES.get(found[1].casefold()), found[2]) if found else (None, None)


def _document(found: list[list[str]]) -> Record:
    """Return an article: title, then labelled paragraphs, or parts under headings in capitals."""
    values: dict[str, list[str]] = {}
    part: str | None = "title"
    for block in found:
        heading = block[0].isupper() or block[0] == "Abstract"
        if len(block) == 1 and heading and block[0].casefold() in _HEADINGS:
            part = _ROLES.get(block[0].casefold(), "")
            continue
        role, value = _label(block[0])
        # within the full text a paragraph may begin like a label: only those that end it count
        if role is not None and not (part == "text" and role in {"title", "abstract", "section"}):
            block = list(filter(None, [value, *block[1:]]))
            part = role
        elif part == "title" and values.get("title"):
            part = ""
        if block and part and (part in {"text", "title"} or part not in values):
            values.setdefault(part, []).append(unwrapped(block))
    first = {name: value[0] for name, value in values.items() if name != "text"}
    absent = re.compile(r"Not available|Nicht verfügbar|Non disponible")
    text: Any = [paragraph for paragraph in values.get("text", []) if not absent.match(paragraph)]
    if not text and "abstract" in values:
        text = Unreadable("no full text; the archive has the abstract only", first["abstract"])
    named = first.get("publisher") or first.get("info", "")
    kept = {name: first.get(name) for name in "doc_id title url authors section lang length".split()}
    published = f"{first.get('published', '')} {first.get('info', '')}"
    return typed(kept | {"publisher": named.split(";")[0], "published": published}) | {"text": text}


def europresse(archive: Archive) -> Iterator[Record]:
    """Europresse (Cision, CEDROM-SNi) exports, both layouts, in French or English."""
    articles: list[list[tuple[str, str]]] = []
    for element, line in archive.lines(_EUROPRESSE_BLOCKS):
        # what is nearest to the line names it: the last class of an element before its tag, then those around
        around = (element, *element.iterancestors())
        names = ([f"<{each.tag}>", *(each.get("class") or "").lower().split()] for each in around)
        role = next((_CLASSES[name] for own in names for name in reversed(own) if name in _CLASSES), "other")
        opened = not articles or any(r in {"title", "text", "other"} for r, _ in articles[-1])
        if role == "publisher" and not line.isdecimal() and opened:
            articles.append([])
        if articles and role:
            articles[-1].append((role, line))
    yield from map(_europresse, articles)


def _europresse(lines: list[tuple[str, str]]) -> Record:
    """Return the article of lines, each with the role its class gives it."""
    of = {role: [line for own, line in lines if own == role] for role in _CLASSES.values()}
    numbers = (_EUROPRESSE_NUMBER.search(line) for _, line in reversed(lines))
    numbered = next(filter(None, numbers), None)
    header, text = " ".join(of["header"]), of["text"]
    day = f"{numbered[2][:4]}-{numbered[2][4:6]}-{numbered[2][6:]}" if numbered else ""
    counted, dated = re.search(r"\b\d{1,6} (?:mots|words)\b", header), DATE.search(header)
    if not text:
        # the old layout names no text: it is what stands between title and document number
        titled = max((i for i, (role, _) in enumerate(lines) if role in {"title", "header"}), default=0)
        below = (line for role, line in lines[titled:] if role in {"other", "foot"} and not is_closing(line))
        text = [line for line in below if not (_EUROPRESSE_NUMBER.search(line) or _CERTIFIED.search(line))]
    return typed({
        "doc_id": numbered[1] if numbered else None,
        "publisher": " ".join(of["publisher"][:1]),
        "title": " ".join(of["title"]),
        "published": f"{day} {header}",
        "authors": "; ".join(of["authors"] or [line for line in of["head"] if len(line) < 120]),
        "section": header[: dated.start()].rpartition(",")[0].strip(" ;,") if dated else None,
        "length": counted[0] if counted else None,
    }) | {"text": text}  # fmt: skip

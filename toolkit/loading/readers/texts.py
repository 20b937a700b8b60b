"""Texts written to be read as they are: articles, pages, captions of broadcasts, stories, newsletters by mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr
from typing import Any

from toolkit.loading.markup import decode_page, fragment_text
from toolkit.loading.pages import read_page
from toolkit.loading.quarantine import PART, Unreadable
from toolkit.loading.readers.driver import Archive, Record
from toolkit.loading.readers.lines import paragraphs
from toolkit.loading.readers.unsplit import LEAST, parts_of, perhaps_several, several_in_page, several_in_text
from toolkit.loading.streams import decode

LONGEST_TITLE = 300  # a first line longer than this is a paragraph, and no headline (code points)
SHORT = 200  # a plain message of fewer characters gives way to one in HTML that is three times as long

CAPTIONS = re.compile(r"\ufeff?\s*(?:WEBVTT\b|(?:\d+\s*\n)?\d\d?:\d\d(?::\d\d)?[,.]\d{1,3}\s*-->)")
STORY = re.compile(r"^@highlight\s*$", re.M)

SAVED = re.compile(
    r"(?:[A-Za-z-]{1,60}:[ \t].*\n(?:[ \t].*\n)*){0,20}?Content-Type:[ \t]*multipart/related", re.I
)
MAILBOX = re.compile(r"^From \S+.{0,80}\d{4}\b.*$", re.M)  # RFC 4155
MAIL = re.compile(r"From \S+.{0,80}\d{4}\b.*\n(?:[A-Za-z][A-Za-z0-9-]{1,60}:[ \t].*\n(?:[ \t].*\n)*){2,}\n")

_TIME = re.compile(r"^\s*(?:\d+:)?\d\d:\d\d[,.]\d{1,3}\s*-->.*$")
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,80}>|\{\\[^{}\n]{0,40}\}|<\d\d:\d\d[^<>\n]{0,12}>")


def text(archive: Archive) -> Iterator[Record | Unreadable]:
    """Plain text, one article a file or between form feeds, also out of Word (.docx) and RTF files."""
    whole = decode(archive.stream.read_all("text file"), archive.options.encoding)
    whole = whole.removeprefix("\ufeff")
    parts, reason = parts_of(whole)
    if reason is not None:
        yield Unreadable(reason, whole)
    for part in parts:
        if reason := several_in_text(part):
            yield Unreadable(reason, part)
            continue
        first = next((line.strip() for line in part.splitlines() if line.strip()), "")
        yield {
            "text": part,
            "title": first if len(first) <= LONGEST_TITLE and first != part.strip() else None,
        }
        if len(parts) == 1 and (remark := perhaps_several(part)):
            archive.remarks.append(Unreadable(remark, part))


def page(archive: Archive) -> Iterator[Record | Unreadable]:
    """Web pages, one article a file: text, title, date and address by trafilatura."""
    yield from _page(archive, archive.stream.read_all("page"), archive.options.encoding)


def saved_page(archive: Archive) -> Iterator[Record | Unreadable]:
    """Pages that a browser saved with all their parts in one file (MHTML)."""
    message = message_from_bytes(archive.stream.read_all("page"))
    pages = [part for part in message.walk() if part.get_content_type() == "text/html"]
    part = pages[0] if pages else message
    html = part.get_payload(decode=True)
    if not pages or not isinstance(html, bytes):
        raise Unreadable("no page in this saved page (MHTML)")
    address = _header(message["snapshot-content-location"] or part["content-location"])
    charset = archive.options.encoding or part.get_content_charset()
    yield from _page(archive, html, charset, address if address.startswith("http") else None)
    for frame in pages[1:]:
        found = read_page(_part(frame))["text"]
        if isinstance(found, str) and len(found) >= LEAST:
            reason = f"{PART}: another page of {len(found)} characters is saved with it"
            archive.remarks.append(Unreadable(reason, found))


def _page(
    archive: Archive, html: bytes, charset: str | None, url: str | None = None
) -> Iterator[Record | Unreadable]:
    """Yield the article of a page, or why it is none; note what it leaves out."""
    record = read_page(html, url, charset=charset)
    found = record.get("text")
    if isinstance(found, Unreadable) and not str(found).startswith("no article"):
        yield record  # a page that is not safe to parse
        return
    kept = found if isinstance(found, str) else None
    many, part = several_in_page(decode_page(html, charset), kept)
    yield record if many is None else Unreadable(many, html)
    if part is not None and kept is not None:
        archive.remarks.append(Unreadable(part, html))


def captions(archive: Archive) -> Iterator[Record]:
    """Captions of broadcasts: SubRip and WebVTT."""
    spoken: list[str] = []
    for block in re.split(r"\n\s*\n", archive.text().removeprefix("\ufeff").strip()):
        lines = block.split("\n")
        at = next((i for i, line in enumerate(lines) if _TIME.match(line)), None)
        for line in lines[at + 1 :] if at is not None else []:
            shown = _TAG.sub("", line).strip()
            if shown and shown != (spoken[-1] if spoken else ""):
                spoken.append(shown)
    yield {"text": re.sub(r" (?=>>)", "\n", " ".join(spoken)), "title": None}


def story(archive: Archive) -> Iterator[Record]:
    """Stories of the CNN/Daily Mail reading sets."""
    whole = archive.text().removeprefix("\ufeff")
    first = STORY.search(whole)
    yield {"text": whole[: first.start() if first else None].strip(), "title": None}


def mail(archive: Archive) -> Iterator[Record | Unreadable]:
    """Newsletters by mail: mailboxes and single messages."""
    for piece in archive.pieces(MAILBOX, encoding="utf-8"):
        mark = MAILBOX.match(piece)
        raw = piece[mark.end() + 1 :] if mark else piece
        if not raw.strip():
            continue
        try:
            # the parser of old: that of policy.default reads each header anew whenever asked, at a tenth of the speed
            message = message_from_bytes(
                re.sub(r"^>(>*From )", r"\1", raw, flags=re.M).encode("utf-8", "surrogateescape")
            )
            inner = [part for part in message.walk() if part.get_content_type() == "message/rfc822"]
            record = _message(message)
            if any(map(str.strip, record["text"])) or not inner:
                yield record
            for part in inner:  # forwarded as attachments, or a digest
                yield _message(part.get_payload(0))
            outside = [len(s or "") for part in message.walk() for s in (part.preamble, part.epilogue)]
            if sum(outside) > SHORT:
                found = f"{PART}: {sum(outside)} characters stand before or behind the parts of a message"
                archive.remarks.append(Unreadable(found))
        except Exception as error:  # the standard library's parser has no common error for hostile headers
            yield Unreadable(f"not a message: {type(error).__name__}: {error}", raw[:200])


def _own(message: Any) -> Iterator[Any]:
    """Yield the parts of a message without those of the messages within it."""
    if message.is_multipart():
        for part in message.get_payload():
            if part.get_content_type() != "message/rfc822":
                yield from _own(part)
    else:
        yield message


def _message(message: Any) -> Record:
    texts: dict[str, list[str]] = {"text/plain": [], "text/html": []}
    for part in _own(message):
        if part.get_content_disposition() != "attachment" and part.get_content_type() in texts:
            texts[part.get_content_type()].append(_part(part))
    plain = "\n\n".join(texts["text/plain"])
    page = "\n".join(map(fragment_text, texts["text/html"]))
    sender, address = parseaddr(_header(message["from"]))
    return {
        "doc_id": _header(message["message-id"]).strip(" <>") or None,
        "title": _header(message["subject"]) or None,
        "text": page if len(page) > 3 * len(plain) and len(plain) < SHORT else paragraphs(plain),
        "published": _header(message["date"]) or None,
        "publisher": sender or address.rpartition("@")[2] or None,
        "lang": _header(message["content-language"])[:2].lower() or None,
    }


def _header(value: Any) -> str:
    """Return a header on one line, its encoded words decoded."""
    return " ".join(str(make_header(decode_header(value))).split()) if value is not None else ""


def _part(part: Any) -> str:
    """Return the text of a part; of a charset that is not known, as it is detected."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset() or "utf-8").replace("\r\n", "\n")
    except (LookupError, UnicodeError):
        return decode(payload)

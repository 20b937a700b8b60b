"""Newsletters: mailboxes and single messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr
from typing import Any

from toolkit.loading.encodings import decode
from toolkit.loading.pages import fragment_text
from toolkit.loading.quarantine import Unreadable
from toolkit.loading.readers.driver import Archive, Record
from toolkit.loading.readers.lines import blocks, paragraphs

MAILBOX = re.compile(r"^From \S+.{0,80}\d{4}\b.*$", re.M)
"""The line above each message of a mailbox (RFC 4155)."""

MESSAGE = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]{1,60}:[ \t].*\n(?:[ \t].*\n)*){2,}\n")
"""Header lines and the empty line after them."""

SHORT = 200
"""A plain text of fewer characters gives way to one in HTML that is three times as long."""


def mail(archive: Archive) -> Iterator[Record | Unreadable]:
    """Newsletters by mail: mailboxes and single messages."""
    for piece in archive.pieces(MAILBOX, encoding="utf-8"):
        mark = MAILBOX.match(piece)
        raw = piece[mark.end() + 1 :] if mark else piece
        if not raw.strip():
            continue
        try:
            yield _message(re.sub(r"^>(>*From )", r"\1", raw, flags=re.M).encode("utf-8", "surrogateescape"))
        except Exception as error:  # the standard library's parser has no common error for hostile headers
            yield Unreadable(f"not a message: {type(error).__name__}: {error}", raw[:200])


def _message(raw: bytes) -> Record:
    # the parser of old: that of policy.default reads each header anew whenever it is asked for, at a tenth of the speed
    message = message_from_bytes(raw)
    texts: dict[str, Any] = {}
    for part in message.walk():
        if not part.is_multipart() and part.get_content_disposition() != "attachment":
            texts.setdefault(part.get_content_type(), part)
    plain = _content(texts.get("text/plain"))
    page = fragment_text(_content(texts.get("text/html")))
    sender, address = parseaddr(_header(message["from"]))
    return {
        "doc_id": _header(message["message-id"]).strip(" <>") or None,
        "title": _header(message["subject"]) or None,
        "text": page if len(page) > 3 * len(plain) and len(plain) < SHORT else paragraphs(blocks(plain)),
        "published": _header(message["date"]) or None,
        "publisher": sender or address.rpartition("@")[2] or None,
        "lang": _header(message["content-language"])[:2].lower() or None,
    }


def _header(value: Any) -> str:
    """Return a header on one line, its encoded words decoded."""
    return " ".join(str(make_header(decode_header(value))).split()) if value is not None else ""


def _content(part: Any) -> str:
    """Return the text of a part; of a charset that is not known, as it is detected."""
    payload = part.get_payload(decode=True) if part is not None else None
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset() or "utf-8").replace("\r\n", "\n")
    except (LookupError, UnicodeError):
        return decode(payload)

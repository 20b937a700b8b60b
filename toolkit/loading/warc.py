"""WARC: the pages of a crawl, record by record."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from toolkit.loading.encodings import decode
from toolkit.loading.mapping import Block
from toolkit.loading.options import Options
from toolkit.loading.pages import read_page
from toolkit.loading.quarantine import Rejected, Unreadable, printable
from toolkit.loading.streams import CHUNK, Stream

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([a-zA-Z0-9_:.-]+)", re.I)
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?$", re.I | re.M)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_NEXT = re.compile(rb"(?:^|\n)(?=WARC/\d)")
_LONGEST_HEAD = 1 << 16
_PASSED = frozenset({"warcinfo", "request", "metadata"})
_DOCUMENTS = frozenset({"response", "resource", "conversion"})


def read(stream: Stream, label: str, options: Options) -> Iterator[Block | Rejected]:
    """WARC, the pages of a crawl; needs the extra `formats`.

    Known by: `WARC/` first
    Read as: `response`, `resource` and `conversion` records, each by trafilatura as a page; HTTP charset, chunks
    and compression honoured; `warcinfo`, `request` and `metadata` records describe the crawl and are passed over
    Fields: doc_id title url publisher published authors lang; numbers in `source` count all records
    Bad input: `not a page but image/png`, `HTTP status 404`, `revisit record`, `no article text found`, `truncated
    WARC: the file ends within this record`, `… bytes that belong to no record`
    """
    # records are cut here, by their stated length, and handed to warcio one by one: left to itself it drops what a
    # wrong length leaves over
    try:
        from warcio.exceptions import ArchiveLoadFailed
        from warcio.recordloader import ArcWarcRecordLoader
    except ImportError:
        msg = "WARC needs warcio: pip install 'news-toolkit[formats]'"
        raise Unreadable(msg) from None

    loader = ArcWarcRecordLoader(verify_http=False, arc2warc=False)
    number = given = 0
    place = label
    try:
        while True:
            number += 1
            place = f"{label}#{number}"
            if not _skip_blank(stream):
                break
            raw = _record(stream, options.limits.record_bytes)
            if isinstance(raw, str):
                given += 1
                yield Rejected(place, raw)
                continue
            try:
                record = loader.parse_record_stream(io.BytesIO(raw), known_format="warc")
            except (
                ArchiveLoadFailed,
                AttributeError,
            ) as failure:  # warcio takes it that every header is there
                given += 1
                lacking = isinstance(failure, AttributeError)
                reason = "a header is missing" if lacking else str(failure)
                yield Rejected(place, f"not a WARC record: {reason}", printable(raw))
                continue
            if record.rec_type not in _PASSED:
                given += 1
                yield _document(record, raw, place, options)
    except Unreadable as failure:
        yield Rejected(place, str(failure), failure.excerpt)
        return
    if not given:
        yield Rejected(label, "no pages: all records of this file describe the crawl")


def _skip_blank(stream: Stream) -> bool:
    """Pass over the blank lines between records; return whether anything follows."""
    while start := stream.peek(CHUNK):
        blank = len(start) - len(start.lstrip(b"\r\n"))
        if blank < len(start):
            stream.read(blank)
            return True
        stream.read(blank)
    stream.read(1)  # raises what cut the stream short, if anything did
    return False


def _record(stream: Stream, limit: int) -> bytes | str:
    """Return one record, or the reason why there is none here; the stream then stands at the next."""
    start = stream.peek(_LONGEST_HEAD)
    if not start.startswith(b"WARC/"):
        return f"{_resynchronise(stream)} bytes that belong to no record: a length before them is wrong"
    end = _HEAD_END.search(start)
    found = _LENGTH.search(start, 0, end.start() + 1) if end else None
    if end is None and len(start) < _LONGEST_HEAD:
        _resynchronise(stream)
        _end_reached(stream, start)
    if end is None or found is None:
        return f"{_resynchronise(stream)} bytes under a record header that states no length"
    length = end.end() + int(found.group(1))
    if length > limit:
        while length and (piece := stream.read(min(length, CHUNK))):
            length -= len(piece)
        return f"record larger than {limit / 2**20:.3g} MiB; not read; raise Limits.record_bytes"
    raw = stream.read(length)
    if len(raw) < length:
        _end_reached(stream, raw)
    return raw


def _end_reached(stream: Stream, raw: bytes) -> None:
    """Raise for a record that the end of the file cuts off."""
    try:
        stream.read(1)
    except Unreadable as failure:
        raise Unreadable(str(failure), printable(raw)) from None
    msg = "truncated WARC: the file ends within this record"
    raise Unreadable(msg, printable(raw))


def _resynchronise(stream: Stream) -> int:
    """Read on to what looks like the next record; return how many bytes that took."""
    passed = len(stream.read(1))
    while start := stream.peek(CHUNK):
        found = _NEXT.search(start)
        # the last bytes are kept for a mark that the end of the chunk cuts in two
        step = found.end() if found else max(len(start) - 8, 1)
        passed += len(stream.read(step))
        if found:
            break
    return passed


def _document(record: Any, raw: bytes, place: str, options: Options) -> Block | Rejected:
    url = record.rec_headers.get_header("WARC-Target-URI")
    headers = record.http_headers or record.rec_headers
    content_type = headers.get_header("Content-Type") or ""
    status = record.http_headers.get_statuscode() if record.http_headers is not None else "200"
    reason = None
    if record.rec_type == "revisit":
        reason = "revisit record: its content is in another record"
    elif record.rec_type not in _DOCUMENTS:
        reason = f"record of an unknown type {record.rec_type}"
    elif status != "200":
        reason = f"HTTP status {status}"
    elif not re.match(r"(text/html|application/xhtml|text/plain|$)", content_type.strip(), re.I):
        reason = f"not a page but {content_type}"
    if reason is not None:
        return Rejected(place, reason, printable(url or raw))
    limit = options.limits.record_bytes
    payload = record.content_stream().read(limit + 1)
    if len(payload) > limit:
        reason = f"page larger than {limit / 2**20:.3g} MiB; not read; raise Limits.record_bytes"
        return Rejected(place, reason, printable(url or raw))
    told = _CHARSET.search(content_type)
    charset = options.encoding or (told.group(1) if told else None)
    if content_type.lower().startswith("text/plain"):
        try:
            page: dict[str, Any] = {"text": decode(payload, charset)}
        except Unreadable as failure:
            return Rejected(place, str(failure), failure.excerpt)
    else:
        page = read_page(payload, url, charset=charset)
    identifier = record.rec_headers.get_header("WARC-Record-ID") or ""
    page |= {"doc_id": identifier.strip("<>").removeprefix("urn:uuid:"), "url": url}
    return Block.of_records([page], [place])

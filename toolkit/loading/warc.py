"""WARC: the pages of a crawl, record by record."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from toolkit.loading.pages import read_page
from toolkit.loading.quarantine import Unreadable
from toolkit.loading.readers.driver import Archive, Record
from toolkit.loading.streams import CHUNK, Stream, decode

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([a-zA-Z0-9_:.-]+)", re.I)
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?$", re.I | re.M)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_NEXT = re.compile(rb"(?:^|\n)(?=WARC/\d)")
_LONGEST_HEAD = 1 << 16
_PASSED = frozenset({"warcinfo", "request", "metadata"})
_DOCUMENTS = frozenset({"response", "resource", "conversion"})


def warc(archive: Archive) -> Iterator[Record | Unreadable | None]:
    """WARC, the pages of a crawl; needs the extra `formats`."""
    # records are cut here, by their stated length, and handed to warcio one by one: left to itself it drops what a
    # wrong length leaves over
    try:
        from warcio.exceptions import ArchiveLoadFailed
        from warcio.recordloader import ArcWarcRecordLoader
    except ImportError:
        raise Unreadable("WARC needs warcio: pip install 'news-toolkit[formats]'") from None

    loader = ArcWarcRecordLoader(verify_http=False, arc2warc=False)
    while _skip_blank(archive.stream):
        raw = _record(archive.stream)
        if isinstance(raw, Unreadable):
            yield raw
            continue
        try:
            record = loader.parse_record_stream(io.BytesIO(raw), known_format="warc")
        except (ArchiveLoadFailed, AttributeError) as failure:
            # warcio takes it that every header is there
            reason = "a header is missing" if isinstance(failure, AttributeError) else str(failure)
            yield Unreadable(f"not a WARC record: {reason}", raw)
            continue
        yield None if record.rec_type in _PASSED else _page(record, raw, archive)


def _skip_blank(stream: Stream) -> bool:
    """Pass over the blank lines between records; return whether anything follows."""
    while start := stream.peek(CHUNK):
        follows = start.lstrip(b"\r\n")
        stream.read(len(start) - len(follows))
        if follows:
            return True
    stream.read(1)  # raises what cut the stream short, if anything did
    return False


def _record(stream: Stream) -> bytes | Unreadable:
    """Return one record, or the reason why there is none here; the stream then stands at the next."""
    start = stream.peek(_LONGEST_HEAD)
    if not start.startswith(b"WARC/"):
        passed = _resynchronise(stream)
        return Unreadable(f"{passed} bytes that belong to no record: a length before them is wrong")
    end = _HEAD_END.search(start)
    found = _LENGTH.search(start, 0, end.start() + 1) if end else None
    if end is None and len(start) < _LONGEST_HEAD:
        _resynchronise(stream)
        _end_reached(stream, start)
    if end is None or found is None:
        return Unreadable(f"{_resynchronise(stream)} bytes under a record header that states no length")
    length = end.end() + int(found.group(1))
    if length > stream.budget.limits.record_bytes:
        while length and (piece := stream.read(min(length, CHUNK))):
            length -= len(piece)
        return stream.budget.too_large("record")
    raw = stream.read(length)
    if len(raw) < length:
        _end_reached(stream, raw)
    return raw


def _end_reached(stream: Stream, raw: bytes) -> None:
    """Raise for a record that the end of the file cuts off."""
    try:
        stream.read(1)
    except Unreadable as failure:
        raise Unreadable(str(failure), raw) from None
    raise Unreadable("truncated WARC: the file ends within this record", raw)


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


def _page(record: Any, raw: bytes, archive: Archive) -> Record | Unreadable:
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
        return Unreadable(reason, url or raw)
    payload = record.content_stream().read(archive.limit + 1)
    if len(payload) > archive.limit:
        return archive.too_large("page", url or raw)
    declared = _CHARSET.search(content_type)
    charset = archive.options.encoding or (declared.group(1) if declared else None)
    if content_type.lower().startswith("text/plain"):
        try:
            page: Record = {"text": decode(payload, charset)}
        except Unreadable as failure:
            return failure
    else:
        page = read_page(payload, url, charset=charset)
    identifier = record.rec_headers.get_header("WARC-Record-ID") or ""
    return page | {"doc_id": identifier.strip("<>").removeprefix("urn:uuid:"), "url": url}

"""WARC: the pages of a crawl, record by record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from toolkit.loading.encodings import decode
from toolkit.loading.mapping import Block
from toolkit.loading.options import Options
from toolkit.loading.pages import read_page
from toolkit.loading.quarantine import Rejected, Unreadable, printable
from toolkit.loading.streams import Stream

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([a-zA-Z0-9_:.-]+)", re.I)
_DOCUMENTS = frozenset({"response", "resource", "conversion", "revisit"})


def read(stream: Stream, label: str, options: Options) -> Iterator[Block | Rejected]:
    """Yield the pages of a WARC file; every record that should hold one and does not is rejected.

    ``warcinfo``, ``request`` and ``metadata`` records describe the crawl, and are passed over. Numbers in
    ``source`` count all records of the file.
    """
    try:
        from warcio.archiveiterator import ArchiveIterator
        from warcio.exceptions import ArchiveLoadFailed
    except ImportError:
        msg = "WARC needs warcio: pip install 'news-toolkit[formats]'"
        raise Unreadable(msg) from None

    number, finished = 0, 0
    try:
        for record in ArchiveIterator(stream):
            number += 1
            if record.rec_type in _DOCUMENTS:
                yield from _document(record, f"{label}#{number}", options)
            _finish(record)
            finished = number
    except (ArchiveLoadFailed, ValueError, OSError, EOFError) as error:
        yield Rejected(f"{label}#{finished + 1}", f"damaged WARC: {error}; what follows is lost")
    except Unreadable as failure:
        yield Rejected(f"{label}#{finished + 1}", str(failure), failure.excerpt)
    else:
        if not number:
            yield Rejected(label, "no records in this WARC file")


def _document(record: Any, place: str, options: Options) -> Iterator[Block | Rejected]:
    url = record.rec_headers.get_header("WARC-Target-URI")
    headers = record.http_headers or record.rec_headers
    content_type = headers.get_header("Content-Type") or ""
    status = record.http_headers.get_statuscode() if record.http_headers is not None else "200"
    reason = None
    if record.rec_type == "revisit":
        reason = "revisit record: its content is in another record"
    elif status != "200":
        reason = f"HTTP status {status}"
    elif not re.match(r"(text/html|application/xhtml|text/plain|$)", content_type.strip(), re.I):
        reason = f"not a page but {content_type}"
    if reason is not None:
        yield Rejected(place, reason, printable(url or ""))
        return
    limit = options.limits.record_bytes
    payload = record.content_stream().read(limit + 1)
    if len(payload) > limit:
        reason = f"page larger than {limit / 2**20:.3g} MiB; not read; raise Limits.record_bytes"
        yield Rejected(place, reason, printable(payload))
        return
    _finish(record, payload)
    charset = _CHARSET.search(content_type)
    if content_type.lower().startswith("text/plain"):
        page: dict[str, Any] = {"text": decode(payload, charset.group(1) if charset else None)}
    else:
        page = read_page(payload, url, charset=options.encoding or (charset.group(1) if charset else None))
    page["doc_id"] = (
        (record.rec_headers.get_header("WARC-Record-ID") or "").strip("<>").removeprefix("urn:uuid:")
    )
    page["url"] = url
    yield Block.of_records([page], [place])


def _finish(record: Any, payload: bytes = b"") -> None:
    """Read to the end of a record; raise where the file ends before it."""
    while record.raw_stream.read(1 << 18):
        pass
    # a header that was itself cut off gives no length, and warcio then sets no limit
    if getattr(record.raw_stream, "limit", 1):
        msg = "truncated WARC: the file ends within this record"
        raise Unreadable(msg, printable(payload))

"""Pages of the web: files, pages saved by a browser, crawls (WARC); and newsletters by mail, which hold pages too.

A page that looks like many articles is refused, since one of them would hide the others.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr
from itertools import pairwise
from typing import Any

from toolkit.loading.markup import collapsed, content, decode_page, fragment_text, html_root, page_lines
from toolkit.loading.pages import read_page
from toolkit.loading.quarantine import PART, Unreadable
from toolkit.loading.readers.driver import Archive, Record
from toolkit.loading.readers.lines import find_date, paragraphs
from toolkit.loading.readers.texts import LEAST, looks_like
from toolkit.loading.streams import CHUNK, Stream, decode

SHORT = 200  # a plain message of fewer characters gives way to one in HTML that is three times as long
PAGE = 30  # characters that a page among several must show to count as one
MOST = 1_000  # characters of paragraphs outside of the article found; more than these are reported

SAVED = re.compile(
    r"(?:[A-Za-z-]{1,60}:[ \t].*\n(?:[ \t].*\n)*){0,20}?Content-Type:[ \t]*multipart/related", re.I
)
MAILBOX = re.compile(r"^From \S+.{0,80}\d{4}\b.*$", re.M)  # RFC 4155
MAIL = re.compile(r"From \S+.{0,80}\d{4}\b.*\n(?:[A-Za-z][A-Za-z0-9-]{1,60}:[ \t].*\n(?:[ \t].*\n)*){2,}\n")

_BLOCKS = frozenset(
    "p div td tr table article header section footer aside h1 h2 h3 h4 li ul time pre".split()
)
_FRAME = frozenset({"aside", "nav", "footer", "form", "header"})
_ASIDE = re.compile(r"comment|disqus|footer|cookie|consent|related|newsletter|sidebar", re.I)
_LEVELS, _INLINE = ("h1", "h2", "h3"), ("a", "span", "b", "strong")
_AFTER_HEADING = re.compile(r"</h[1-3]>(?:\s{0,9}<[^<>]{0,300}>){0,5}\s{0,9}([^<]{6,100})", re.I)
_PARAGRAPH = re.compile(r"<p\b[^<>]*>([^<]{20,})", re.I)
_EDGE = re.compile(r"<(/?)html(?:\s[^<>]*)?>", re.I)
_TITLED = re.compile(r"\s*<head\b(?:[^<]|<(?!/?head|/?title|body))*<title", re.I)
_BEGINS = re.compile(r"<(?:!doctype\s+html|html|body)\b", re.I)
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.I)
_NO_TEXT = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|template|textarea|noscript)\b.*?(?:</\1\s*>|\Z)"
    r"|\ssrcdoc\s*=\s*(?:\"[^\"]*\"|'[^']*')",
    re.I | re.S,
)
_TAG = re.compile(r"<[^<>]*>")
_HOST = re.compile(r"https?://(?:[^/@]*@)?([^/:?#\s]+)")

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([a-zA-Z0-9_:.-]+)", re.I)
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?$", re.I | re.M)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_NEXT = re.compile(rb"(?:^|\n)(?=WARC/\d)")
_CUT_OFF = "truncated WARC: the file ends within this record"
_LONGEST_HEAD = 1 << 16


def page(archive: Archive) -> Iterator[Record | Unreadable]:
    """Web pages, one article a file: text, title, date and address by trafilatura."""
    yield _article(archive, archive.stream.read_all("page"), archive.options.encoding, None)


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
    yield _article(archive, html, charset, address if address.startswith("http") else None)
    for frame in pages[1:]:
        found = read_page(_part(frame))["text"]
        if isinstance(found, str) and len(found) >= LEAST:
            reason = f"{PART}: another page of {len(found)} characters is saved with it"
            archive.remarks.append(Unreadable(reason, found))


def _article(archive: Archive, html: bytes, charset: str | None, url: str | None) -> Record | Unreadable:
    """Return the article of a page, or why it is refused; remark on what the article leaves out."""
    record = read_page(html, url, charset=charset)
    found = record["text"]
    kept = found if isinstance(found, str) else ""
    if not kept and not str(found).startswith("no article"):
        return record  # a page that is not safe to parse
    many, part = several_in_page(decode_page(html, charset), kept)
    if part is not None and kept:
        archive.remarks.append(Unreadable(part, html))
    return record if many is None else Unreadable(many, html)


def several_in_page(html: str, text: str) -> tuple[str | None, str | None]:
    """Return why a page is taken for many articles, and what ``text``, the article found in it, leaves out; or None.

    Many are ``<article>`` elements or parts under headings, each with a date, none longer than the others together. Of
    1,163 pages (``wcxb``, ``aed``, ``fundus``) one is refused so, a list of programs.
    """
    kept = collapsed(text)
    parts = [part for part in _joined(html) if part.strip()]
    # a parser stops at the end of the first page; scripts and frames hold pages that are none
    if len(parts) > 1:
        parts = list(filter(_shown, _joined(_NO_TEXT.sub("", html))))
    behind = _shown("".join(parts[1:]))
    pages = [page for page in parts if len(_shown(page)) >= PAGE and _BEGINS.search(page)]
    if len(pages) > 1:
        titles = [named[1] if (named := _TITLE.search(page)) else "" for page in pages]
        return looks_like(len(pages), "one page after the other", titles), None
    if len(behind) >= PAGE and behind[:PAGE] not in kept:
        return None, f"{PART}: {len(behind)} characters stand behind the end of the page, </html>"
    # most pages show by their source that there is nothing to look for
    outside = _length(html) >= 2 * len(text) + MOST
    sizes = [_length(part) for part in html.split("<article")[1:] if "<h" in part]
    articles = sum(size >= LEAST / 3 for size in sizes) > 1 and max(sizes) <= 0.75 * sum(sizes)
    dated = sum(find_date(after) is not None for after in _AFTER_HEADING.findall(html))
    if not outside and not articles and dated < 2:
        return None, None
    root = html_root(html)
    if found := _articles(root) or _parts(root):
        links = root.xpath("//link[@rel='canonical']/@href | //meta[@property='og:url']/@content")
        site = next((host[1] for link in links if (host := _HOST.match(link))), "")
        titles = [title for title, _ in found]
        return looks_like(len(found), "each with a heading and a date", titles, site), None
    out = sum(len(line) for line in _own_paragraphs(root) if line[:60] not in kept)
    left = f"{PART}: the article found has {len(kept)} characters, paragraphs outside it {out}"
    return None, left if out >= MOST and out > len(kept) else None


def _joined(html: str) -> list[str]:
    """Return the pages that stand one after the other, with what follows the last.

    One may stand within another, as pieces that are pasted into a page do; with a title it is a page of its own.
    """
    cuts, depth = [0], 0
    for edge in _EDGE.finditer(html):
        if depth and not edge[1] and _TITLED.match(html, edge.end()):
            cuts.append(edge.start())
        else:
            depth = max(depth - 1, 0) if edge[1] else depth + 1
            cuts += [edge.end()] if edge[1] and not depth else []
    return [html[start:end] for start, end in pairwise([*cuts, len(html)])]


def _shown(html: str) -> str:
    """Return roughly what a reader of a page sees: the text outside of tags."""
    return collapsed(_TAG.sub(" ", html))


def _length(html: str) -> int:
    return sum(map(len, _PARAGRAPH.findall(html)))


def _articles(root: Any) -> list[tuple[str, int]]:
    """Return the heading and the length of each ``<article>`` that is one of several."""
    found: list[tuple[str, int]] = []
    for article in root.iter("article"):
        if next(article.iterancestors("article", "aside", "nav", "footer"), None) is not None:
            continue
        heading = next((text for h in article.iter("h1", "h2", "h3", "h4") if (text := content(h))), None)
        size = sum(len(content(p) or "") for p in article.iter("p"))
        dated = next(article.iter("time"), None) is not None or find_date(content(article) or "") is not None
        if heading is not None and size >= LEAST and dated:
            found.append((heading, size))
    return _several(found, root)


def _parts(root: Any) -> list[tuple[str, int]]:
    """Return the heading and the length of each part of a page under headings of one level that is one of several."""
    sections: list[tuple[str, str, list[str]]] = []
    for element, line in page_lines(root, _BLOCKS):
        around = (element, *element.iterancestors(*_INLINE, *_LEVELS))
        level = next((e.tag for e in around if e.tag in _LEVELS), None)
        if level is not None:
            sections.append((level, line, []))
        elif sections:
            sections[-1][2].append(line)
    parts: dict[str, list[tuple[str, int]]] = {}
    for level, heading, below in sections:
        first = below[: next((i for i, text in enumerate(below) if len(text) > 120), 6)][:6]
        size = sum(len(text) for text in below if len(text) >= 60)
        if size >= LEAST and any(map(find_date, first)):
            parts.setdefault(level, []).append((heading, size))
    return next((found for level in sorted(parts) if (found := _several(parts[level], root))), [])


def _several(found: list[tuple[str, int]], root: Any) -> list[tuple[str, int]]:
    """Return the parts that were found if they are several of about one size and most of the page; else nothing."""
    sizes = sorted((size for _, size in found), reverse=True)
    if len({title for title, _ in found}) < 2:
        return []
    alike = sizes[0] <= sum(sizes[1:]) or (len(sizes) == 2 and sizes[0] <= 3 * sizes[1])
    page = sum(len(line) for _, line in page_lines(root, _BLOCKS) if len(line) >= 60)
    return found if alike and sum(sizes) >= 0.6 * page else []


def _own_paragraphs(root: Any) -> Iterator[str]:
    """Yield the longer paragraphs of a page that are not in a frame, a form or among comments."""
    for paragraph in root.iter("p"):
        line = content(paragraph) or ""
        around = paragraph.iterancestors() if len(line) >= 80 else ()
        framed = (e.tag in _FRAME or _ASIDE.search(f"{e.get('class')} {e.get('id')}") for e in around)
        if len(line) >= 80 and not any(framed):
            yield line


def mail(archive: Archive) -> Iterator[Record | Unreadable]:
    """Newsletters by mail: mailboxes and single messages."""
    for mark, piece in archive.pieces(MAILBOX, encoding="utf-8"):
        raw = piece[1:] if mark else piece
        if not raw.strip():
            continue
        try:
            # the parser of old: that of policy.default reads each header anew whenever asked, at a tenth of the speed
            quoted = re.sub(r"^>(>*From )", r"\1", raw, flags=re.M)
            message = message_from_bytes(quoted.encode("utf-8", "surrogateescape"))
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
            yield Unreadable(f"not a message: {type(error).__name__}: {error}", raw)


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
    return collapsed(str(make_header(decode_header(value)))) if value is not None else ""


def _part(part: Any) -> str:
    """Return the text of a part; of a charset that is not known, as it is detected."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset() or "utf-8").replace("\r\n", "\n")
    except (LookupError, UnicodeError):
        return decode(payload)


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
    while True:
        if passed := _pass_to_next(archive.stream):
            yield Unreadable(f"{passed} bytes that belong to no record: a length before them is wrong")
        if not archive.stream.peek(1):
            archive.stream.read(1)  # raises what cut the stream short, if anything did
            return
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
        yield None if record.rec_type in {"warcinfo", "request", "metadata"} else _page(record, raw, archive)


def _record(stream: Stream) -> bytes | Unreadable:
    """Return the record that begins here, or the reason why it is not read."""
    start = stream.peek(_LONGEST_HEAD)
    end = _HEAD_END.search(start)
    found = _LENGTH.search(start, 0, end.start() + 1) if end else None
    if end is None and len(start) < _LONGEST_HEAD:
        raise Unreadable(str(stream.failure or _CUT_OFF), start)
    if end is None or found is None:
        passed = len(stream.read(1)) + _pass_to_next(stream)
        return Unreadable(f"{passed} bytes under a record header that states no length")
    length = end.end() + int(found.group(1))
    if length > stream.budget.limits.record_bytes:
        while length and (piece := stream.read(min(length, CHUNK))):
            length -= len(piece)
        return stream.budget.too_large("record")
    raw = stream.read(length)
    if len(raw) < length:
        raise Unreadable(str(stream.failure or _CUT_OFF), raw)
    return raw


def _pass_to_next(stream: Stream) -> int:
    """Read on to what looks like a record; return how many bytes stood before it, without blank lines around them."""
    passed = 0
    while start := stream.peek(CHUNK):
        found = _NEXT.search(start)
        # the last bytes are kept for a mark that the end of the chunk cuts in two
        step = found.end() if found else max(len(start) - 8, 1)
        passed += len(stream.read(step).strip(b"\r\n"))
        if found:
            break
    return passed


def _page(record: Any, raw: bytes, archive: Archive) -> Record | Unreadable:
    kind, url = record.rec_type, record.rec_headers.get_header("WARC-Target-URI")
    headers = record.http_headers or record.rec_headers
    content_type = headers.get_header("Content-Type") or ""
    status = record.http_headers.get_statuscode() if record.http_headers is not None else "200"
    page_or_text = re.match(r"(text/html|application/xhtml|text/plain|$)", content_type.strip(), re.I)
    faults = (
        (kind == "revisit", "revisit record: its content is in another record"),
        (kind not in {"response", "resource", "conversion"}, f"record of an unknown type {kind}"),
        (status != "200", f"HTTP status {status}"),
        (page_or_text is None, f"not a page but {content_type}"),
    )
    if reason := next((reason for fault, reason in faults if fault), None):
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

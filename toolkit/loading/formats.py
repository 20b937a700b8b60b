"""Find the format of a file by its content and its name, and read it with the reader of that format."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TypeAlias

import pyarrow as pa

from toolkit import fields
from toolkit.loading import archives, columnar, delimited, jsonfiles, jsonlines, warc
from toolkit.loading.encodings import looks_binary
from toolkit.loading.mapping import Mapper
from toolkit.loading.options import Options
from toolkit.loading.quarantine import Rejected, Unreadable, printable
from toolkit.loading.readers import (
    corpora,
    factiva,
    feeds,
    nexis,
    office,
    reports,
    texts,
)
from toolkit.loading.readers.driver import DEEP, Reader, decoded, foreseen, reader
from toolkit.loading.sources import Source
from toolkit.loading.streams import Stream, codec, unpack

Part: TypeAlias = "tuple[pa.Table | None, list[Rejected]]"

READERS: dict[str, Reader] = {
    "text": reader(texts.text, single=True),
    "jsonlines": reader(jsonlines.json_lines, what="records"),
    "json": reader(jsonfiles.json_values, what="records"),
    "delimited": reader(delimited.delimited, what="records"),
    "excel": reader(office.excel, what="records"),
    "columnar": reader(columnar.columnar, what="records"),
    "html": reader(texts.page, single=True),
    "saved page": reader(texts.saved_page, single=True),
    "warc": reader(warc.warc, what="pages"),
    "feed": reader(feeds.feed),
    "nexis text": reader(nexis.nexis_text),
    "nexis html": reader(nexis.nexis_html),
    "nexis uni": reader(nexis.nexis_uni),
    "factiva html": reader(factiva.factiva_html),
    "factiva text": reader(factiva.factiva_text),
    "factiva xml": reader(feeds.factiva_xml),
    "europresse": reader(reports.europresse),
    "proquest": reader(reports.proquest),
    "mediargus": reader(reports.mediargus),
    "integrum": reader(reports.integrum),
    "reuters": reader(corpora.reuters),
    "gigaword": reader(corpora.gigaword),
    "now": reader(corpora.now_corpus),
    "wikinews": reader(corpora.wikinews),
    "mail": reader(texts.mail),
    "captions": reader(texts.captions, single=True),
    "story": reader(texts.story, single=True),
}
"""Reader of each format; each yields blocks of records and rejected records."""

COLUMNS = frozenset({"delimited", "columnar", "excel"})  # here a value may be a whole page or JSON object
WHOLE = READERS.keys() - COLUMNS - {"json", "jsonlines"}  # formats whose reader knows which field is which

# format of each root element of XML and SGML that is read, in lower case
ROOTS = {
    **dict.fromkeys("rss rdf feed newsitem newsmessage newsml itemset nitf entry".split(), "feed"),
    **dict.fromkeys("ppsresponse ppsarticleresponse ppsarticleresultset".split(), "factiva xml"),
    "reuters": "reuters", "lewis": "reuters", "doc": "gigaword", "mediawiki": "wikinews",
}  # fmt: skip

# format of an archive → what its pages, its texts, or their first lines contain
_IN_PAGES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("factiva html", factiva.PAGE),
    ("nexis html", nexis.PAGE),
    ("europresse", reports.EUROPRESSE),
    ("integrum", reports.INTEGRUM),
)
_IN_TEXTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("proquest", reports.PROQUEST),
    ("nexis uni", nexis.END),
    ("nexis uni", nexis.LOADED),
    ("nexis text", nexis.MARK),
    ("factiva text", factiva.NUMBER),
    ("mediargus", reports.MEDIARGUS),
    ("now", corpora.NOW),
    ("story", texts.STORY),
    ("nexis text", nexis.COVER),
)
_AT_START = {"captions": texts.CAPTIONS, "mail": texts.MAIL, "saved page": texts.SAVED}

_PACKED = re.compile(r"\.(gz|gzip|zst|zstd|bz2|xz|lzma)$", re.I)
_EXTENSIONS = {
    "jsonl": "jsonlines", "ndjson": "jsonlines", "jl": "jsonlines", "json": "json",
    "csv": "delimited", "tsv": "delimited", "tab": "delimited", "psv": "delimited",
    "html": "html", "htm": "html", "xhtml": "html", "txt": "text", "text": "text", "": "text",
    "mht": "saved page", "mhtml": "saved page",
    "mbox": "mail", "eml": "mail", "srt": "captions", "vtt": "captions", "story": "story",
}  # fmt: skip
_SAVE = "; save it as .docx, .xlsx or .txt"
_FOREIGN = (
    (b"%PDF-", "PDF", "; extract its text to .txt first"), (b"\x89PNG", "PNG image", ""),
    (b"\xff\xd8\xff", "JPEG image", ""), (b"GIF8", "GIF image", ""), (b"\x7fELF", "program", ""),
    (b"\xd0\xcf\x11\xe0", "an old Word or Excel file", _SAVE), (b"7z\xbc\xaf", "7z archive", ""),
    (b"Rar!", "RAR archive", ""), (b"PK\x03\x04", "an office document", _SAVE),
    (b"SQLite format 3", "SQLite database", ""), (b"", "binary data", ""),
)  # fmt: skip
_FIRST_PARTS = frozenset({b"[Content_Types].xml", b"_rels/.rels", b"docProps/app.xml", b"docProps/core.xml"})
_TABLES = frozenset({"csv", "tsv", "tab", "psv"})
_OFFICE = frozenset({"docx", "xlsx", "pptx", "odt", "ods", "epub", "jar"})
_HTML_ROOTS = frozenset({"html", "head", "body"})
_LOOK = 1 << 16


def read_source(source: Source, options: Options) -> Iterator[Part]:
    """Yield the documents and the rejected records of one file; any fault of it becomes a rejected record."""
    try:
        stream = source.open(options.limits)
    except OSError as error:
        yield None, [Rejected(source.label, f"cannot be opened: {error.strerror or error}")]
        return
    try:
        yield from read_stream(stream, source.label, source.name, options)
    finally:
        source.close()


def read_stream(stream: Stream, label: str, name: str, options: Options, layers: int = 0) -> Iterator[Part]:
    """Yield the documents and the rejected records of a stream, unpacking it as often as allowed."""
    opened = [stream]
    try:
        while (packing := codec(stream) or _office_form(stream, name)) is not None:
            layers = _deeper(layers, options)
            if packing in {"word", "rtf"}:
                stream, name = office.as_text(stream, packing), ".txt"
            else:
                stream, name = unpack(stream, packing), _PACKED.sub("", name)
            opened.append(stream)
        form = sniff(stream, name)
        if form in {"zip", "tar"}:
            yield from _read_archive(stream, form, label, options, _deeper(layers, options))
        else:
            yield from _read_records(stream, form, label, options)
    except Unreadable as failure:
        yield None, [Rejected(label, str(failure), failure.excerpt)]
    finally:
        for used in opened:
            used.close()


def _deeper(layers: int, options: Options) -> int:
    if layers == options.limits.nesting:
        raise Unreadable(f"packed more than {layers} times over; not read")
    return layers + 1


def _read_records(stream: Stream, form: str, label: str, options: Options) -> Iterator[Part]:
    """Yield what a reader gives, mapped; the rejected records in the order of the file."""
    mapper = Mapper(options, whole=form in WHOLE)
    for block, rejected in READERS[form](stream, label, options):
        table = None
        try:
            with foreseen():
                if block is not None:
                    table, more = mapper.map(jsonfiles.flattened(block) if form in COLUMNS else block)
                    rejected = sorted(rejected + more, key=_record_number)
        except Unreadable:
            yield None, rejected
            raise
        yield table, rejected


def _record_number(rejected: Rejected) -> int:
    number = rejected.source.rpartition("#")[2]
    return int(number) if re.fullmatch(r"\d{1,18}", number) else 0


def _read_archive(stream: Stream, form: str, label: str, options: Options, layers: int) -> Iterator[Part]:
    empty = True
    with foreseen():
        for member in archives.members(stream, form, label):
            empty = False
            if isinstance(member, Rejected):
                yield None, [member]
                continue
            yield from read_stream(member.stream, member.label, member.name, options, layers)
            if refused := stream.budget.refused:
                raise Unreadable(f"{refused} (at {member.name}; members after it are not read)")
    if empty:
        raise Unreadable("no files in this archive")


def sniff(stream: Stream, name: str) -> str:
    """Return the key of :data:`READERS` for a stream, by its first bytes and the extension of its name.

    Raises :class:`Unreadable` where the file is empty, damaged before its first byte, or of no format that is read.
    """
    start = stream.peek(_LOOK)
    if not start:
        stream.read(1)  # raises what cut the stream short, if anything did
        raise Unreadable("empty file")
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if start.startswith((b"PAR1", b"ARROW1", b"FEA1")) or extension in {"parquet", "feather", "arrow", "ipc"}:
        return "columnar"
    if _office(start, name, "xl/workbook.xml", ("xlsx", "xlsm")):
        return "excel"
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")) and extension not in _OFFICE:
        return "zip"
    if start[257:262] == b"ustar" or (extension == "tar" and start[0] != ord("{")):
        return "tar"
    if start.startswith(b"WARC/"):
        return "warc"
    _, foreign, mend = next(kind for kind in _FOREIGN if start.startswith(kind[0]))
    if foreign != "binary data" or looks_binary(start):
        raise Unreadable(f"not text but {foreign}; not read{mend}", start[:64])
    head = decoded(start)
    root = _root(head)
    by_content = _by_content(head, root, extension)
    if by_content in {"html", "text"} or (by_content is None and extension not in _TABLES):
        deep = decoded(stream.peek(DEEP))
        signs = _IN_PAGES if root in _HTML_ROOTS or by_content == "html" else _IN_TEXTS
        found = [form for form, sign in _AT_START.items() if sign.match(deep)]
        if shape := next(iter(found), None) or next(
            (form for form, sign in signs if sign.search(deep)), None
        ):
            return shape
    if by_content is not None:
        return by_content
    if extension == "xml":
        kind = printable(root or "", 40)
        mend = "docs/formats.md lists the roots that are read"
        raise Unreadable(f"XML of an unknown kind <{kind}>; {mend}", start)
    if extension in _EXTENSIONS:
        return "delimited" if extension == "" and _is_table(head) else _EXTENSIONS[extension]
    if (form := _by_content(head, root, "txt")) != "text" and form is not None:
        return form  # whatever its name, a table of texts or JSON Lines
    mend = "" if root or head.startswith(("{", "[", "<")) else "; rename it to .txt if it is an article"
    raise Unreadable(f"unknown format {'.' + extension!r}; not read{mend}", start)


def _office_form(stream: Stream, name: str) -> str | None:
    """Return which office format is read as the text in it, or None."""
    start = stream.peek(_LOOK)
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{\\rtf"):
        return "rtf"
    return "word" if _office(start, name, "word/document.xml", ("docx", "docm", "dotx")) else None


def _office(start: bytes, name: str, part: str, extensions: tuple[str, ...]) -> bool:
    """Whether a file is an office archive that holds such a part: by its name, or by what stands first in it."""
    if not start.startswith(b"PK\x03\x04") or len(start) < 30:
        return False
    first = start[30 : 30 + int.from_bytes(start[26:28], "little")]
    inside = first in _FIRST_PARTS and part.encode() in start
    return inside or first == part.encode() or name.lower().rpartition(".")[2] in extensions


def _by_content(head: str, root: str | None, extension: str) -> str | None:
    """Return the format that the first characters betray, where the extension does not forbid it."""
    if extension in _TABLES:
        return None
    if root in ROOTS:
        return ROOTS[root]
    if extension in {"txt", "text"}:
        # what holds records, one a line, is no article whatever it is called
        if head.startswith("{") and _json_form(head, "") == "jsonlines":
            return "jsonlines"
        return "delimited" if _is_table(head, text=True) else "text"
    if root in _HTML_ROOTS:
        return "html"
    if head.startswith(("{", "[")) and extension in {"", "json", "jsonl", "ndjson", "jl"}:
        return _json_form(head, extension)
    return None


def _root(head: str) -> str | None:
    """Return the name of the first element of markup, in lower case and without its prefix."""
    at = 0
    while match := re.compile(r"\s*(<!--|<\?|<!doctype\s+html\b|<!doctype)", re.I).match(head, at):
        opening = match.group(1).lower()
        if opening.endswith("html"):
            return "html"
        close = {"<!--": "-->", "<?": "?>"}.get(opening, ">")
        if close == ">" and 0 < head.find("[", match.end()) < head.find(">", match.end()):
            close = "]>"
        at = head.find(close, match.end()) + len(close)
        if at < match.end():
            return None
    element = re.compile(r"\s*<(?:[\w.-]+:)?([\w.-]+)").match(head, at)
    return element.group(1).lower() if element else None


def _json_form(head: str, extension: str) -> str:
    first, newline, rest = head.partition("\n")
    try:
        complete = isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        complete = False
    if extension not in {"jsonl", "ndjson", "jl"}:
        return "jsonlines" if complete and newline and rest.lstrip().startswith("{") else "json"
    spread = (not complete and first.strip() in {"{", "["}) or (
        head.startswith("[") and not first.rstrip().endswith("]")
    )
    return "json" if spread else "jsonlines"


def _is_table(head: str, *, text: bool = False) -> bool:
    """Whether the first line is a header that names at least two columns of a corpus, the text among them if asked."""
    first = next(iter(head.splitlines()), "")
    known = [name for name in delimited.cells(first) if fields.is_known(name)]
    return len(known) > 1 and (not text or bool(fields.candidates("text", known)))

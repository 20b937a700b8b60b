"""Find the format of a file by its content and its name, and read it with the reader of that format."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from toolkit import fields
from toolkit.loading import columnar, delimited, jsonfiles, jsonlines
from toolkit.loading.mapping import Options
from toolkit.loading.quarantine import READ, Rejected, Unreadable, printable
from toolkit.loading.readers import nexis, office, reports, tagged, texts, web
from toolkit.loading.readers.driver import DEEP, Format, Part, decoded, foreseen, read
from toolkit.loading.sources import Source, members
from toolkit.loading.streams import Stream, codec, looks_binary, unmarked, unpack

FORMATS: dict[str, Format] = {
    "text": Format(texts.text, single=True, extensions="txt text"),
    "jsonlines": Format(jsonlines.json_lines, "records", extensions="jsonl ndjson jl"),
    "json": Format(jsonfiles.json_values, "records", extensions="json"),
    "delimited": Format(delimited.delimited, "records", extensions="csv tsv tab psv"),
    "excel": Format(office.excel, "records", text=False),
    "columnar": Format(columnar.columnar, "records", text=False, extensions="parquet feather arrow ipc"),
    "html": Format(web.page, single=True, extensions="html htm xhtml", roots="html head body"),
    "saved page": Format(web.saved_page, single=True, extensions="mht mhtml", start=web.SAVED),
    "warc": Format(web.warc, "pages", text=False),
    "feed": Format(tagged.feed, roots="rss rdf feed newsitem newsmessage newsml itemset nitf entry"),
    "proquest": Format(reports.proquest, texts=(reports.PROQUEST,)),
    "nexis uni": Format(nexis.nexis_uni, texts=(nexis.END, nexis.LOADED)),
    "nexis text": Format(nexis.nexis_text, texts=(nexis.MARK, nexis.COVER)),
    "nexis html": Format(nexis.nexis_html, pages=(nexis.PAGE,)),
    "factiva html": Format(reports.factiva_html, pages=(reports.FACTIVA,)),
    "factiva text": Format(reports.factiva_text, texts=(reports.NUMBER,)),
    "factiva xml": Format(tagged.factiva_xml, roots="ppsresponse ppsarticleresponse ppsarticleresultset"),
    "europresse": Format(reports.europresse, pages=(reports.EUROPRESSE,)),
    "mediargus": Format(reports.mediargus, texts=(reports.MEDIARGUS,)),
    "integrum": Format(reports.integrum, pages=(reports.INTEGRUM,)),
    "reuters": Format(tagged.reuters, roots="reuters lewis"),
    "gigaword": Format(tagged.gigaword, roots="doc"),
    "now": Format(tagged.now_corpus, texts=(tagged.NOW,)),
    "wikinews": Format(tagged.wikinews, roots="mediawiki"),
    "mail": Format(web.mail, extensions="mbox eml", start=web.MAIL),
    "captions": Format(texts.captions, single=True, extensions="srt vtt", start=texts.CAPTIONS),
    "alceste": Format(texts.alceste, start=texts.ALCESTE),
    "story": Format(texts.story, single=True, extensions="story", texts=(texts.STORY,)),
}
"""All formats; where several fit a file, the first counts."""

_ROOTS = {root: name for name, form in FORMATS.items() for root in form.roots.split()}
_EXTENSIONS = {each: name for name, form in FORMATS.items() for each in form.extensions.split()}

# the first element, or what declares a page; before it may stand comments, instructions and declarations
_FIRST = re.compile(
    r"(?>\s+|<!--.*?-->|<\?.*?\?>|<!doctype(?!\s+html\b)[^>\[]*(?:\[.*?\]\s*)?>)*+"
    r"<(?:[\w.-]+:)?(!doctype(?=\s+html\b)|[\w.-]+)", re.I | re.S,
)  # fmt: skip
# how a record of JSON, or a list of them, begins; the names of its members
_RECORD, _MEMBER = re.compile(r'(?:\[\s*)?\{\s*"'), re.compile(r'"([^"\\]{1,60})"\s*:')
_PACKED = re.compile(r"\.(gz|gzip|zst|zstd|bz2|xz|lzma)$", re.I)
_SAVE = "; save it as .docx, .xlsx or .txt"
_FOREIGN = (
    (b"%PDF-", "PDF", "; extract its text to .txt first"), (b"\x89PNG", "PNG image", ""),
    (b"\xff\xd8\xff", "JPEG image", ""), (b"GIF8", "GIF image", ""), (b"\x7fELF", "program", ""),
    (b"\xd0\xcf\x11\xe0", "an old Word or Excel file", _SAVE), (b"7z\xbc\xaf", "7z archive", ""),
    (b"Rar!", "RAR archive", ""), (b"PK\x03\x04", "an office document", _SAVE),
    (b"SQLite format 3", "SQLite database", ""), (b"", "binary data", ""),
)  # fmt: skip
_FIRST_PARTS = frozenset({b"[Content_Types].xml", b"_rels/.rels", b"docProps/app.xml", b"docProps/core.xml"})
_OFFICE = frozenset({"docx", "xlsx", "pptx", "odt", "ods", "epub", "jar"})
# what a file of records, or a page, is called and named; all else with a known root is XML
_NAMED = {
    "jsonlines": ("JSON Lines", ".jsonl"), "json": ("JSON", ".json"), "delimited": ("a table", ".csv"),
    "html": ("a web page", ".html"),
}  # fmt: skip
_LOOK = 1 << 16
_CONTROL, _HOLE = re.compile(r"[\x00-\x08\x0e-\x1f]"), re.compile(rb"\0{16,}")


def read_source(source: Source, options: Options) -> Iterator[Part]:
    """Yield the documents and the rejected records of one file; any fault of it becomes a rejected record."""
    try:
        stream = source.open(options.limits)
    except OSError as error:
        yield None, [Rejected(source.label, f"cannot be opened: {error.strerror or error}")]
        return
    yield from read_stream(stream, source.label, source.name, options)


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
        form = sniff(stream, _PACKED.sub("", name))  # what is called packed and is not is read as it is
        if form in {"zip", "tar"}:
            yield from _read_archive(stream, form, label, options, _deeper(layers, options))
        else:
            if options.encoding is None and FORMATS[form].text and (found := unmarked(stream.peek(_LOOK))):
                mend = "pass encoding= if it is in another"
                yield None, [Rejected(label, f"{READ} {found}, as its zero bytes show; {mend}")]
            yield from read(FORMATS[form], stream, label, options)
    except Unreadable as failure:
        yield None, [failure.at(label)]
    finally:
        for used in opened:
            used.close()


def _deeper(layers: int, options: Options) -> int:
    if layers == options.limits.nesting:
        raise Unreadable(f"packed more than {layers} times over; not read")
    return layers + 1


def _read_archive(stream: Stream, form: str, label: str, options: Options, layers: int) -> Iterator[Part]:
    empty = True
    with foreseen():
        for place, name, member in members(stream, form, label):
            empty = False
            if isinstance(member, Unreadable):
                yield None, [member.at(place)]
                continue
            yield from read_stream(member, place, name, options, layers)
            if refused := stream.budget.refused:
                raise Unreadable(f"{refused} (at {name}; members after it are not read)")
    if empty:
        raise Unreadable("no files in this archive")


def sniff(stream: Stream, name: str) -> str:
    """Return the key of :data:`FORMATS` for a stream, by its first bytes and the extension of its name.

    Raises :class:`Unreadable` where the file is empty, damaged before its first byte, or of no format that is read.
    """
    start = stream.peek(_LOOK)
    if not start:
        stream.read(1)  # raises what cut the stream short, if anything did
        raise Unreadable("empty file")
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    named = _EXTENSIONS.get(extension)
    if start.startswith((b"PAR1", b"ARROW1", b"FEA1")) or (named == "columnar" and looks_binary(start)):
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
    # the zeros that a crash leaves in a file of records spoil only the record they stand in
    holed = _HOLE.sub(b"", start) or start if named in {"jsonlines", "json", "delimited"} else start
    if foreign != "binary data" or looks_binary(holed):
        raise Unreadable(f"not text but {foreign}; not read{mend}", start[:64])
    head = decoded(start)
    _check_name(head, named or extension)
    if named in {"delimited", "columnar"}:
        return named
    root = _root(head)
    known = _ROOTS.get(root or "")
    if known is not None and known != "html":
        return known
    plain = named == "text"
    if plain and (form := _of_records(head)):
        return form
    if head.startswith(("{", "[")) and (named in {"json", "jsonlines"} or not extension):
        return _json_form(head, named)
    deep = decoded(stream.peek(DEEP))
    begun = (form for form, how in FORMATS.items() if how.start is not None and how.start.match(deep))
    signs = {form: how.pages if known == "html" else how.texts for form, how in FORMATS.items()}
    shown = (form for form in signs if any(sign.search(deep) for sign in signs[form]))
    if form := next(begun, None) or next(shown, None):
        return form
    if known is not None or plain:
        return known or "text"
    if extension == "xml":
        kind = printable(root or "", 40)
        mend = "docs/formats.md lists the roots that are read"
        raise Unreadable(f"XML of an unknown kind <{kind}>; {mend}", start)
    if extension == "":
        return "delimited" if _is_table(head) else "text"
    if form := named or _of_records(head):
        return form
    if reason := texts.several_in_text(head):
        raise Unreadable(reason, start)
    bare = root or head.startswith(("{", "[", "<")) or _CONTROL.search(head)
    mend = "" if bare else "; rename it to .txt if it is an article"
    raise Unreadable(f"unknown format {'.' + extension!r}; not read{mend}", start)


def _check_name(head: str, promised: str) -> None:
    """Refuse a file of records, or a page, whose name promises another format, and say how to name it."""
    if promised not in {"columnar", "xml", *_NAMED}:
        return
    found = _of_records(head)
    # a page is read whatever markup its name promises, and so is XML of a known root
    if found is None and promised not in {"html", "xml"}:
        found = _ROOTS.get(_root(head) or "")
    if found not in {None, promised} and not {found, promised} <= {"json", "jsonlines"}:
        called, ending = _NAMED.get(str(found), ("XML", ".xml"))
        raise Unreadable(f"looks like {called}: rename it to {ending}; not read", head)


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


def _of_records(head: str) -> str | None:
    """Return the format of a file of records, whatever it is called; None if it is none."""
    form = _json_form(head) if head.startswith(("{", "[")) else ""
    names = _MEMBER.findall(head) if form == "json" and _RECORD.match(head) else ()
    if form == "jsonlines" or any(fields.is_known(n) or n.lower() in jsonfiles.WRAPPERS for n in names):
        return form
    return "delimited" if _is_table(head, text=True) else None


def _root(head: str) -> str | None:
    """Return the name of the first element of markup, in lower case and without its prefix."""
    found = _FIRST.match(head)
    return None if found is None else "html" if found[1].startswith("!") else found[1].lower()


def _json_form(head: str, named: str | None = None) -> str:
    first, newline, rest = head.partition("\n")
    try:
        found = json.loads(first)
    except (ValueError, RecursionError):
        found = None
    complete = isinstance(found, dict)
    if named != "jsonlines":
        return "jsonlines" if complete and newline and rest.lstrip().startswith("{") else "json"
    if not complete and first.strip() in {"{", "["}:  # spread over lines
        return "json"
    # a list that goes on, or one of records on a single line
    listed = isinstance(found, list) and not rest.strip() and any(isinstance(each, dict) for each in found)
    return "json" if head.startswith("[") and (listed or not first.rstrip().endswith("]")) else "jsonlines"


def _is_table(head: str, *, text: bool = False) -> bool:
    """Whether the first line is a header that names at least two columns of a corpus, the text among them if asked."""
    first = next(iter(head.splitlines()), "")
    known = [name for name in delimited.cells(first) if fields.is_known(name)]
    return len(known) > 1 and (not text or bool(fields.candidates("text", known)))

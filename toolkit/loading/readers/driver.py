"""The one driver of readers that make records: numbers them, keeps the limits, says what is missing or cut off.

Readers that make whole blocks of columns (JSON Lines, CSV, Parquet) have loops of their own, since they parse without a
Python object a record. They share the limits, the reasons of the quarantine and the mapping of fields with it.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeAlias

from toolkit.loading.encodings import SAMPLE, as_utf8, has_bom, line_encoding
from toolkit.loading.mapping import Block
from toolkit.loading.options import Options
from toolkit.loading.pages import decode_page
from toolkit.loading.quarantine import Rejected, Unreadable, printable
from toolkit.loading.streams import CHUNK, Stream

Record: TypeAlias = dict[str, Any]
Reader: TypeAlias = Callable[[Stream, str, Options], Iterator["Block | Rejected"]]

ROWS = 200
"""Records handed on at a time."""

HELD = 4 << 20
"""Characters of text after which fewer are handed on."""

NEAR = 10
"""A numbered archive that begins later holds a part: archives are downloaded a hundred documents at a time."""

DEEP = 1 << 20
"""Bytes looked at to find what a text or a page holds."""

SHOWN = 10
"""Missing numbers that a reason lists."""


class Archive:
    """A file of articles while it is read: its content in the form a reader needs, and what it says it holds.

    Attributes
    ----------
    claimed : int or None
        Articles that the archive says are in this file.
    part : bool
        Whether the file says that it holds only some of the documents it counts.
    refused : list of Unreadable
        Articles before the next one that are not read, for the driver to report.
    """

    def __init__(self, stream: Stream, options: Options) -> None:
        self.stream = stream
        self.options = options
        self.limit = options.limits.record_bytes
        self.claimed: int | None = None
        self.part = False
        self.refused: list[Unreadable] = []
        self._numbers: list[tuple[int, int]] = []

    def chunks(self, encoding: str | None = None) -> Iterator[str]:
        """Yield the decoded text, its line ends as ``\\n``; bytes of no character as lone surrogates."""
        encoding = (
            encoding or self.options.encoding or line_encoding(self.stream.peek(SAMPLE), utf8_expected=False)
        )
        stream = as_utf8(self.stream, encoding)
        utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
        while piece := stream.read(CHUNK):
            yield decoder.decode(piece)
        yield decoder.decode(b"", final=True)

    def text(self) -> str:
        """Return all of the text."""
        if len(self.stream.peek(self.limit + 1)) > self.limit:
            raise self.too_large("text file")
        return "".join(self.chunks())

    def page(self) -> Any:
        """Return the root of an HTML file."""
        return html_root(decode_page(self.stream.read_all(self.limit, "page"), self.options.encoding))

    def pieces(self, start: re.Pattern[str], *, encoding: str | None = None) -> Iterator[str]:
        """Yield what stands before the first match of ``start``, then the text from each match to the next.

        Only one piece is held. One larger than a record may be is refused, and yielded as an empty text.
        """
        held, searched, passing = "", 0, False
        for chunk in self.chunks(encoding):
            held += chunk
            cuts = [match.start() for match in start.finditer(held, searched) if match.start()]
            for begin, end in zip([0, *cuts], cuts, strict=False):
                if not passing:
                    yield self._piece(held[begin:end])
                passing = False
            held = held[cuts[-1] :] if cuts else held
            # a mark may go on in the next chunk, so the last line is searched again
            searched = max(held.rfind("\n", 0, len(held) - 1), 1)
            if len(held) > self.limit:
                if not passing:
                    yield self._piece(held)
                held, passing, searched = held[searched:], True, 1
        if not passing:
            yield self._piece(held)

    def head(self) -> str:
        """Return the first of the text, without consuming it."""
        return decoded(self.stream.peek(DEEP))

    def elements(self, names: frozenset[str], outside: dict[str, str] | None = None) -> Iterator[Any]:
        """Yield the outermost XML elements of these local names (lower case), each forgotten afterwards.

        No entity is expanded, no DTD loaded, nothing fetched. ``outside`` receives the texts of elements that
        stand outside of them by name, and their attributes by '@' and name; the first of a name counts.
        """
        from lxml import etree

        if b"<!ENTITY" in self.stream.peek(CHUNK):
            msg = "XML declares entities, as only attacks do in news; not read"
            raise Unreadable(msg, printable(self.stream.peek(400)))
        inside = 0
        parser = etree.iterparse(
            _Bytes(self.stream), events=("start", "end"), resolve_entities=False, no_network=True,
            load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True,
        )  # fmt: skip
        try:
            for event, element in parser:
                name = local(element)
                if event == "start":
                    if outside is not None and not inside:
                        for key, value in element.attrib.items():
                            outside.setdefault("@" + key.rpartition("}")[2], value)
                    inside += name in names
                    continue
                if name in names:
                    inside -= 1
                    if not inside:
                        yield element
                        _forget(element)
                elif not inside and outside is not None and element.text and len(element.text) < 1000:
                    outside.setdefault(name, element.text.strip())
        except etree.XMLSyntaxError as error:
            msg = f"not well-formed XML: {error.msg}; what follows is not read"
            raise Unreadable(msg) from None

    def count(self, number: int, total: int = 0) -> None:
        """Note that a document calls itself number ``number``, of ``total`` if it says so."""
        self._numbers.append((number, total))

    def missing(self, found: int) -> str | None:
        """Return what the archive counts and the file does not hold, or None."""
        claimed = self.claimed
        # a cover page may name all that was found rather than what is in this file
        if claimed is not None and claimed > max((total for _, total in self._numbers), default=claimed):
            claimed = None
        if claimed not in {None, found}:
            return f"the archive counts {claimed} articles, {found} are in this file"
        runs: list[list[tuple[int, int]]] = []
        for number, total in self._numbers:
            if not runs or total != runs[-1][-1][1] or number <= runs[-1][-1][0]:
                runs.append([])
            runs[-1].append((number, total))
        lost: list[int] = []
        for run in runs:
            (first, total), (last, _) = run[0], run[-1]
            begin = 1 if first <= NEAR and not self.part else first
            end = last if self.part or begin > 1 or total < last else min(total, 10**6)
            lost += sorted(set(range(begin, end + 1)) - {number for number, _ in run})
        if not lost:
            return None
        listed = ", ".join(map(str, lost[:SHOWN])) + (" …" if len(lost) > SHOWN else "")
        return f"the archive counts {found + len(lost)} articles, {found} are in this file; missing: {listed}"

    def _piece(self, text: str) -> str:
        if len(text) <= self.limit:
            return text
        self.refused.append(self.too_large("article", text[:200]))
        return ""

    def too_large(self, what: str, start: str = "") -> Unreadable:
        """Return the reason for something larger than a record may be."""
        size = f"{self.limit / 2**20:.3g} MiB"
        return Unreadable(f"{what} larger than {size}; not read; raise Limits.record_bytes", printable(start))


def reader(
    articles: Callable[[Archive], Iterator[Record | Unreadable]],
    *,
    single: bool = False,
    what: str = "articles",
) -> Reader:
    """Return the reader of a format whose articles this generator finds; ``what`` a bad file holds none of.

    It yields a record for each article, or an ``Unreadable`` for one that cannot be read; it raises ``Unreadable``
    where nothing more can be read. A ``text`` may be a list of paragraphs; a ``single`` article has no number.
    """

    @wraps(articles)
    def read(stream: Stream, label: str, options: Options) -> Iterator[Block | Rejected]:
        archive = Archive(stream, options)
        number, records, places, held = 0, list[Record](), list[str](), 0
        end: Rejected | None = None
        found = _with_refused(archive, articles(archive))
        while True:
            try:
                item = next(found, None)
            except Unreadable as failure:
                place = f"{label}#{number + 1}" if number else label
                end = Rejected(place, str(failure), failure.excerpt)
                break
            if item is None:
                break
            number += 1
            place = label if single else f"{label}#{number}"
            item = item if isinstance(item, Unreadable) else _checked(item)
            if isinstance(item, Unreadable):
                yield Rejected(place, str(item), printable(item.excerpt))
                continue
            records.append(item)
            places.append(place)
            held += len(item["text"]) if isinstance(item.get("text"), str) else 0
            if len(records) >= ROWS or held > HELD:
                yield Block.of_records(records, places)
                records, places, held = [], [], 0
        if records:
            yield Block.of_records(records, places)
        if end is None and not number:
            end = Rejected(label, f"no {what} found in it, read as {articles.__name__.replace('_', ' ')}")
        elif end is None and (reason := archive.missing(number)) is not None:
            end = Rejected(label, reason)
        if end is not None:
            yield end

    return read


def _with_refused(archive: Archive, found: Iterator[Record | Unreadable]) -> Iterator[Record | Unreadable]:
    """Yield each article after those before it that were refused; raise what ended the file."""
    end: Unreadable | None = None
    try:
        for item in found:
            yield from archive.refused
            archive.refused.clear()
            yield item
    except Unreadable as failure:
        end = failure
    yield from archive.refused
    if end is not None:
        raise end


def _checked(record: Record) -> Record | Unreadable:
    """Return the record with its paragraphs joined, or why it is none."""
    text = record.get("text")
    if isinstance(text, list) and all(isinstance(paragraph, str) for paragraph in text):
        record["text"] = "\n\n".join(text)
    for name, value in record.items():
        # bytes of no character; half a pair of an escape in JSON is told by what maps the fields
        if isinstance(value, str) and not value.isascii() and re.search("[\udc80-\udcff]", value):
            return Unreadable(f"{name} is not valid in the file's encoding; pass encoding=", printable(value))
    return record


def html_root(text: str) -> Any:
    """Return the root of a page, comments left out, nothing fetched."""
    from lxml import etree, html

    parser = html.HTMLParser(remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    # lxml refuses a declared encoding in text that is already decoded, and stops where a first page ends
    plain = re.sub(r"^\s*<\?xml[^>]{0,200}\?>|</(?:html|body)\s*>", "", text.replace("\0", ""), flags=re.I)
    try:
        return html.document_fromstring(plain or "<p>", parser=parser)
    except (etree.LxmlError, ValueError) as error:
        msg = f"page cannot be parsed: {error}"
        raise Unreadable(msg, printable(text[:800])) from None


def decoded(start: bytes) -> str:
    """Return the start of a file as text with line ends ``\\n``, good enough to look for ASCII in it."""
    text = start.decode(has_bom(start) or "utf-8", "replace").lstrip("\ufeff \t\r\n")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def local(element: Any) -> str:
    """Return an element's name in lower case and without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


class _Bytes:
    """What lxml asks of a file; white space before an XML declaration, which it refuses, is passed over."""

    def __init__(self, stream: Stream) -> None:
        start = stream.peek(CHUNK)
        if has_bom(start) is None:
            stream.read(len(start) - len(start.lstrip()))
        self.read = stream.read


def _forget(element: Any) -> None:
    """Free the element and those before it, so that memory does not grow with the file."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]

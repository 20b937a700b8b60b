"""The driver that all readers share: it numbers records, keeps the limits, and reports what is missing or cut off."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa

from toolkit.loading.codepages import SAMPLE
from toolkit.loading.mapping import STRING, Mapper, Options, Rows
from toolkit.loading.markup import decode_page, html_root, page_lines
from toolkit.loading.quarantine import Rejected, Unreadable
from toolkit.loading.streams import CHUNK, Stream, as_utf8, line_encoding, unicode_form

Record: TypeAlias = dict[str, Any]
Part: TypeAlias = "tuple[pa.Table | None, list[Rejected]]"
Piece: TypeAlias = "tuple[re.Match[str] | None, str]"
Found: TypeAlias = "Iterator[Rows] | Iterator[Record | Unreadable | None]"

ROWS = 200  # records passed on at a time
ROWS_OF_COLUMNS = 2_000  # the same for readers that yield columns
HELD = 4 << 20  # characters of text at which fewer records are passed on
# An archive whose first document has a larger number holds only a part of what was found: archives let a user download
# a hundred documents at a time.
NEAR = 10
DEEP = 1 << 20  # first bytes of a text or page that show what it holds
SHOWN = 10  # most missing numbers that a reason lists


@dataclass(frozen=True, slots=True)
class Format:
    """A format: how its articles are found, and what shows that a file is of it.

    ``articles`` yields :class:`Rows`, where it parses many records at once, or each article: a record (its ``text`` may
    be a list of paragraphs), an ``Unreadable``, None for no document. It raises one for the rest of the file.
    """

    articles: Callable[[Archive], Found]
    what: str = "articles"  # what a file holds: of "records" the fields are not known before
    single: bool = False  # whether a file holds one article as a rule, which gets no number
    text: bool = True  # whether the file is text
    extensions: str = ""  # a file is of this format by its name,
    roots: str = ""  # by its first element, in lower case,
    start: re.Pattern[str] | None = None  # by what it begins with,
    texts: tuple[re.Pattern[str], ...] = ()  # or by what its first characters hold
    pages: tuple[re.Pattern[str], ...] = ()


class Archive:
    """A file of articles while it is read: its content in the form a reader needs, and the counts that it states."""

    def __init__(self, stream: Stream, options: Options) -> None:
        self.stream = stream
        self.options = options
        self.limit = options.limits.record_bytes
        self.claimed: int | None = None  # articles that the archive says are in this file
        self.part = False  # whether it says that these are only some of those it counts
        self.refused: list[Unreadable] = []  # articles since the last yielded one that are too large to read
        self.remarks: list[Unreadable] = []  # they concern the whole file and count as no record
        self.failure: Unreadable | None = None  # what made the rest of the file unreadable
        # what each document calls itself: number 3 of 10 (0: not said)
        self.numbers: list[tuple[int, int]] = []

    def utf8(self, encoding: str | None = None, *, expected: bool = False) -> Stream:
        """Return the content as UTF-8; the encoding is ``encoding``, or the user's, or detected line by line."""
        if (encoding := encoding or self.options.encoding) is None:
            encoding = line_encoding(self.stream.peek(SAMPLE), utf8_expected=expected)
        return as_utf8(self.stream, encoding)

    def chunks(self, encoding: str | None = None) -> Iterator[str]:
        """Yield the decoded text with line ends ``\n``; invalid bytes become lone surrogates."""
        stream = self.utf8(encoding)
        utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
        yield from map(decoder.decode, iter(lambda: stream.read(CHUNK), b""))
        yield decoder.decode(b"", final=True)

    def lines(self, blocks: frozenset[str]) -> Iterator[tuple[Any, str]]:
        """Return the lines of an HTML file that these blocks divide, each with its element."""
        html = decode_page(self.stream.read_all("page"), self.options.encoding)
        return page_lines(html_root(html), blocks)

    def pieces(self, *marks: re.Pattern[str], encoding: str | None = None) -> Iterator[Piece]:
        """Yield None and what stands before the first mark, then each mark and the text between it and the next.

        Of several marks the first that the beginning of the file shows counts, else the last. Only one piece is in
        memory. A piece over the limit of a record is refused and yielded as None and an empty text.
        """
        start = next((each for each in marks[:-1] if each.search(decoded(self.stream.peek(DEEP)))), marks[-1])
        held, searched, passing = "", 0, False
        for chunk in self.chunks(encoding):
            held += chunk
            cuts = [match.start() for match in start.finditer(held, searched) if match.start()]
            for begin, end in zip([0, *cuts], cuts, strict=False):
                if not passing:
                    yield self._piece(start, held[begin:end])
                passing = False
            held = held[cuts[-1] :] if cuts else held
            # a mark may go on in the next chunk, so the last line is searched again
            searched = max(held.rfind("\n", 0, len(held) - 1), 1)
            if len(held) > self.limit:
                if not passing:
                    yield self._piece(start, held)
                held, passing, searched = held[searched:], True, 1
        if not passing:
            yield self._piece(start, held)

    def missing(self, found: int) -> str | None:
        """Return a sentence on the articles that the archive counts and the file lacks; None if it lacks none."""
        claimed, totals = self.claimed, [total for _, total in self.numbers]
        # a cover page may state how many articles the search found, not how many are in this file
        if claimed is not None and claimed != found and claimed <= max(totals, default=claimed):
            return f"the archive counts {claimed} articles, {found} are in this file"
        runs: list[list[tuple[int, int]]] = []
        for number, total in self.numbers:
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

    def _piece(self, start: re.Pattern[str], text: str) -> Piece:
        if len(text) > self.limit:
            self.refused.append(self.too_large("article", text[:200]))
            text = ""
        mark = start.match(text)
        return mark, text[mark.end() :] if mark else text

    def too_large(self, what: str, start: str | bytes = "") -> Unreadable:
        """Return the reason for something over the limit of a record."""
        return self.stream.budget.too_large(what, start)


def read(form: Format, stream: Stream, label: str, options: Options) -> Iterator[Part]:
    """Yield the documents of a file, and the rejected records with their places: ``label#number`` of several."""
    archive = Archive(stream, options)
    mapper = Mapper(options, archive.remarks, named=form.what != "records")
    number = documents = 0
    for rows in _in_rows(archive, form.articles(archive)):
        alone = form.single and rows.count == 1 and not number
        places = [label if alone else f"{label}#{number + row}" for row in range(1, rows.count + 1)]
        good = [row for row in range(rows.count) if row not in rows.bad]
        bad = dict(rows.bad)
        table = None
        try:
            with foreseen():
                if good:
                    table, refused = mapper.map(rows, pa.array([places[row] for row in good], STRING))
                    bad |= {good[row]: why for row, why in refused.items()}
        finally:  # what could not be mapped ends the file, after the records before it
            yield table, [why.at(places[row]) for row, why in sorted(bad.items()) if why]
        number += rows.count
        documents += rows.count - list(rows.bad.values()).count(None)
    ends = [remark.at(label) for remark in archive.remarks]
    if archive.failure is not None:
        ends.append(archive.failure.at(f"{label}#{number + 1}" if documents else label))
    elif not documents and not ends:
        read_as = form.articles.__name__.replace("_", " ")
        ends.append(Rejected(label, f"no {form.what} found in it, read as {read_as}"))
    elif (reason := archive.missing(number)) is not None:
        ends.append(Rejected(label, reason))
    if ends:
        yield None, ends


def _in_rows(archive: Archive, items: Found) -> Iterator[Rows]:
    """Collect the articles of a reader into columns of a few hundred; note what stopped it."""
    held, size = list[Record | Unreadable | None](), 0
    try:
        with foreseen():
            for item in items:
                if isinstance(item, Rows):
                    yield item
                    continue
                found = _checked(item) if isinstance(item, dict) else item
                held += [*archive.refused, found]
                archive.refused.clear()
                size += len(str(found.get("text"))) if isinstance(found, dict) else 0
                if len(held) >= ROWS or size > HELD:
                    yield Rows.of(held)
                    held, size = [], 0
    except Unreadable as failure:
        archive.failure = failure.with_traceback(None)  # its frames would hold what was read
    if held or archive.refused:
        yield Rows.of([*held, *archive.refused])


@contextmanager
def foreseen() -> Iterator[None]:
    """Turn an unforeseen error into an ``Unreadable``, so that no file, even a hostile one, stops the load."""
    try:
        yield
    except (Unreadable, ImportError, MemoryError):
        raise
    except Exception as error:
        reason = f"reader failed: {type(error).__name__}: {error}; what follows is not read"
        raise Unreadable(reason) from error


def _checked(record: Record) -> Record | Unreadable:
    """Return the record with its paragraphs joined, or the reason why it cannot be read."""
    text = record.get("text")
    if isinstance(text, Unreadable):
        return text
    if isinstance(text, list) and all(isinstance(paragraph, str) for paragraph in text):
        record["text"] = "\n\n".join(text)
    for name, value in record.items():
        # invalid bytes; half of a surrogate pair in JSON is reported later, when the fields are mapped
        if isinstance(value, str) and not value.isascii() and re.search("[\udc80-\udcff]", value):
            return Unreadable(f"{name} is not valid in the file's encoding; pass encoding=", value)
    return record


def decoded(start: bytes) -> str:
    """Decode the start of a file well enough to look for ASCII in it; line ends are ``\\n``."""
    text = start.decode(unicode_form(start) or "utf-8", "replace").lstrip("\ufeff \t\r\n")
    return text.replace("\r\n", "\n").replace("\r", "\n")

"""CSV and TSV: dialect sniffed, a broken quote costs one line and not the rest of the file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from toolkit import fields
from toolkit.loading.jsonfiles import flattened, object_of
from toolkit.loading.mapping import Rows
from toolkit.loading.quarantine import Unreadable
from toolkit.loading.readers.driver import ROWS_OF_COLUMNS, Archive
from toolkit.loading.streams import CHUNK

LONGEST_NAME, MOST_WORDS = 200, 6  # a first row with a longer cell is a record (code points, words)
# in code points; a longer line names no columns: the csv module takes four bytes for each, 256 MB for the longest
LONGEST_HEADER = 1 << 20
ABOVE = 10  # rows among which a header is looked for
DELIMITERS = ",;\t|"

_GDELT = re.compile(r"\d{14}(?:-T?\d+)?$|\d{9,10}$")
_VALUE = re.compile(r"https?://|\d{4}-\d\d-\d\d|\d{5,}$")
_SWALLOWED = 1000  # lines of a field, at most, that are looked at again
_UNDECODED = re.compile("[\ud800-\udfff]")
# before a header may stand what Excel calls the delimiter, comments, and blank lines
_PREAMBLE = re.compile(r"(?:sep=.)?\s*$|#[^,;\t|]*$")


def delimited(archive: Archive) -> Iterator[Rows]:
    """CSV, TSV and their like with a header line; records are numbered without it."""
    lines = _Lines(archive)
    delimiter = sniff_delimiter(lines.first(archive.options.columns))
    rows = _rows(lines, delimiter)
    while isinstance(row := next(rows, None), Unreadable):
        yield Rows({}, 1, {0: row})
    if row is None:
        raise Unreadable("no header line")
    header = [name.strip() for name in row]
    if reason := header_fault(header):
        raise Unreadable(reason, delimiter.join(header))
    lines.width = len(header)
    if not (first := list(islice(rows, ROWS_OF_COLUMNS))):
        found = ", ".join(map(repr, header[:12]))
        raise Unreadable(f"no records: a header line only; found {found}")
    header, rows = _widened(header, first), chain(first, rows)
    del first  # as large as a block of rows
    checked = (row if isinstance(row, Unreadable) else _fault(row, header, delimiter) or row for row in rows)
    while held := list(islice(checked, ROWS_OF_COLUMNS)):
        yield columns_of(header, held, archive.options.columns)


def sniff_delimiter(header: str) -> str:
    """Return the delimiter under which a first line names most fields, known ones first."""
    named = {mark: cells(header, mark) for mark in DELIMITERS}
    return max(named, key=lambda mark: (sum(map(fields.is_known, named[mark])), len(named[mark])))


def cells(line: str, delimiter: str | None = None) -> list[str]:
    """Return the cells of one line, under the delimiter given or sniffed; none of a line too long to name columns."""
    if len(line) > LONGEST_HEADER:
        return []
    try:
        found = next(csv.reader([line], delimiter=delimiter or sniff_delimiter(line)))
        return [cell.strip() for cell in found]
    except (csv.Error, StopIteration):
        return []


def header_at(rows: Sequence[Sequence[str]], columns: Mapping[str, str]) -> int:
    """Return which of the first rows names the columns: the first, or below narrower lines of a title a later one."""
    widths = [sum(map(bool, row)) for row in rows]
    wider = [at for at, width in enumerate(widths) if width > max(widths[:at], default=0)]
    return next((at for at in wider if fields.candidates("text", rows[at], columns)), 0)


class _Lines:
    """Lines of UTF-8 text, their ends kept, for the csv module; can be stepped back by what a broken record took."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.limit = archive.limit
        self.taken: list[str] = []
        self._again: list[str] = []
        self._size = 0
        self.width = 0  # of the header, once it is known
        self.mended = False  # whether the record is read anew, as Spark, R and MySQL write a quote: \"
        # newline="" ends lines at \r, \n and \r\n; splitlines() would also cut at form feeds and U+2028
        self.stream = archive.utf8()
        buffer = io.BufferedReader(self.stream, CHUNK)
        self._text = io.TextIOWrapper(buffer, "utf-8", "surrogateescape", newline="")

    def first(self, columns: Mapping[str, str]) -> str:
        """Return the line of the header, to be read again; what may stand before it is passed over."""
        while _PREAMBLE.match(line := self._line()) and line:
            pass
        head = [line, *(self._line() for _ in range(ABOVE - 1))]
        at = header_at([cells(line) for line in head], columns)
        if "".join(head[:at]).count('"') % 2:  # a quoted name may hold a line break
            at = 0
        self._again += [line for line in reversed(head[at:]) if line]
        return head[at]

    def __iter__(self) -> Iterator[str]:
        while line := self._line():
            self.taken.append(line)
            self._size += len(line)
            if self._size > self.limit:
                raise self.archive.too_large("record", self.taken[0])
            yield line

    def again(self) -> None:
        """Step back to the first line of the record, and read its backslashes before quotes as quotes."""
        self._again += reversed(self.taken)
        self.taken, self._size, self.mended = [], 0, True

    def unquoted(self, delimiter: str) -> list[str] | None:
        """Return the cells of the record's first line with quotes as letters, if it may be meant so; else None.

        MIND, and R with ``quote=FALSE``, write so between tabs: each line has the width of the header, or of row names
        and header.
        """
        # lines are read again behind the first: of a field of many that would take quadratic time
        if delimiter != "\t" or self.mended or not self.width or len(self.taken) > _SWALLOWED:
            return None
        cells = self.taken[0].rstrip("\r\n").split(delimiter)
        return cells if len(cells) > 1 and 0 <= len(cells) - self.width <= 1 else None

    def done(self, *, step_back: bool = False) -> None:
        """Forget the lines that a record took; read all but the first of them again where it was broken."""
        self.mended = False
        if step_back:
            line = self.taken[0]
            while len(self.taken[0]) > self.limit and line and line[-1] not in "\r\n":
                line = self._line()
            self._again += self.taken[:0:-1]
        self.taken, self._size = [], 0

    def _line(self) -> str:
        """Return the next line, or the first characters of one too long; at the end nothing."""
        line = self._again.pop() if self._again else self._text.readline(self.limit + 1)
        return line.replace('\\"', '""') if self.mended else line


def _rows(lines: _Lines, delimiter: str) -> Iterator[list[str] | Unreadable]:
    """Yield records; where quotes go wrong, the line they begin on as unreadable, then read on after it."""
    # the csv module's limit is one for the whole process; it is only ever raised
    csv.field_size_limit(max(csv.field_size_limit(), lines.limit))
    while True:
        try:
            for row in csv.reader(lines, delimiter=delimiter, strict=True):
                letters = lines.unquoted(delimiter) if len(lines.taken) > 1 else None
                # a quoted field of lines each as wide as a record has swallowed records
                swallowed = letters and all(line.count("\t") == len(letters) - 1 for line in lines.taken[1:])
                if row:
                    yield letters if letters and swallowed else row
                lines.done(step_back=bool(swallowed))
            break
        except Unreadable as too_long:
            yield too_long
        except csv.Error as error:
            if not lines.mended and any('\\"' in line for line in lines.taken):
                lines.again()
                continue
            what = "a quote is opened and not closed" if len(lines.taken) > 1 else str(error)
            wrong = Unreadable(f"quotes gone wrong: {what}", lines.taken[0])
            yield lines.unquoted(delimiter) or wrong
        lines.done(step_back=True)
    if lines.stream.failure is not None:
        yield lines.stream.failure


def _widened(header: list[str], rows: list[list[str] | Unreadable]) -> list[str]:
    """Return a header with a name for the cell that every row has beyond it: R's row names, or after a last comma."""
    good = [row for row in rows if not isinstance(row, Unreadable)]
    if not good or any(len(row) != len(header) + 1 for row in good):
        return header
    if not any(row[-1] for row in good):
        return [*header, ""]
    # a comma in a text that is not quoted makes rows as wide too
    if fields.candidates("doc_id", header[:1]):
        return header
    names = {row[0] for row in good if row[0].isdecimal() and not any(cell[:1] == " " for cell in row)}
    return ["", *header] if len(names) == len(good) else header


def _fault(row: list[str], header: list[str], delimiter: str) -> Unreadable | None:
    if len(row) != len(header):
        return Unreadable(f"{len(row)} fields where the header has {len(header)}", delimiter.join(row))
    for name, value in zip(header, row, strict=True):
        if not value.isascii() and _UNDECODED.search(value):
            reason = f"field {name!r} is not valid UTF-8; pass encoding= if the file is in another"
            return Unreadable(reason, delimiter.join(row))
    return None


def columns_of(
    header: list[str], rows: Sequence[Sequence[Any] | Unreadable], columns: Mapping[str, str]
) -> Rows:
    """Return rows under a header as columns; empty and repeated names are made distinct (``text.2``).

    A row in which a field that is needed stands twice, with two values, is not read, unless ``columns`` says which.
    """
    seen, names = Counter[str](), list[str]()
    for i, name in enumerate(header, 1):
        name = name.encode("utf-8", "backslashreplace").decode() or f"column{i}"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    named = {name.rpartition(".")[0] or name for name in columns.values()}
    doubled = max(seen.values(), default=0) > 1 and not any(seen[name] > 1 for name in named)
    good, bad = list[Sequence[Any]](), dict[int, Unreadable | None]()
    for at, row in enumerate(rows):
        if isinstance(row, Unreadable):
            bad[at] = row
            continue
        try:
            if doubled:
                object_of(list(zip(header, row, strict=False)))
            good.append(row)
        except Unreadable as fault:
            bad[at] = Unreadable(str(fault), " | ".join(map(str, row)))
    return Rows(flattened({name: [row[i] for row in good] for i, name in enumerate(names)}), len(rows), bad)


def header_fault(row: list[str]) -> str | None:
    """Return why a first row is no header but a record, as one of dates or long texts is, or None."""
    if any(fields.is_known(name) for name in row):
        return None
    if len(row) > 10 and _GDELT.match(row[0]):
        return "GDELT table of codes and addresses: no article text in it; read the pages that its addresses name"
    long = (len(name) > LONGEST_NAME or len(name.split()) > MOST_WORDS for name in row)
    record = any(long) or any(map(_VALUE.match, row))
    return "no header line: the first row looks like a record; add one, as in id,text" if record else None

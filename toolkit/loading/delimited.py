"""CSV and TSV: dialect sniffed, a broken quote costs one line and not the rest of the file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from toolkit import fields
from toolkit.loading.encodings import SAMPLE, as_utf8, line_encoding
from toolkit.loading.mapping import STRING, Block
from toolkit.loading.options import Options
from toolkit.loading.quarantine import Rejected, Unreadable, printable
from toolkit.loading.streams import Stream

ROWS = 2_000
"""Records handed on at a time."""

LONGEST_NAME = 200
"""A first row with a longer cell is a record, and no header (code points)."""

MOST_WORDS = 6
"""Likewise with a cell of more words."""

_GDELT = re.compile(r"\d{14}(?:-T?\d+)?$|\d{9,10}$")
_VALUE = re.compile(r"https?://|\d{4}-\d\d-\d\d|\d{5,}$")
DELIMITERS = ",;\t|"
_UNDECODED = re.compile("[\ud800-\udfff]")
_LINE_END = re.compile(rb"[\r\n]")
_PREAMBLE = re.compile(r"(?:sep=.)?\s*$|#[^,;\t|]*$")
"""Before a header may stand what Excel calls the delimiter, comments, and blank lines."""


def read(stream: Stream, label: str, options: Options) -> Iterator[Block | Rejected]:
    """CSV, TSV and their like with a header line; records are numbered without it.

    Known by: `.csv`, `.tsv`, `.tab`, `.psv`, or a header that names two known fields
    Read as: delimiter sniffed among `,` `;` tab and `|`; quoted fields may hold line breaks
    Fields: those of [Fields](#fields)
    Bad input: `quotes gone wrong: a quote is opened and not closed` costs the line it stands on; `3 fields where
    the header has 2`; `field 'text' is not valid UTF-8`; `no header line: the first row looks like a record`;
    `GDELT table … no article text in it`; `no records: a header line only`
    Seen in: pedro-cmyks/Observatory-Global docs/GDELT_DATA_STRUCTURE.md
    """
    encoding = options.encoding or line_encoding(stream.peek(SAMPLE), utf8_expected=False)
    lines = _Lines(as_utf8(stream, encoding), options.limits.record_bytes)
    lines.skip(_PREAMBLE)
    delimiter = sniff_delimiter(lines.sample)
    rows = _rows(lines, delimiter)
    header: list[str] = []
    number = 0
    records: list[list[str]] = []
    places: list[str] = []
    for row in rows:
        if isinstance(row, Unreadable):
            number += 1
            yield Rejected(f"{label}#{number}" if header else label, str(row), row.excerpt)
            continue
        if not header:
            header = [name.strip() for name in row]
            if reason := header_fault(header):
                yield Rejected(label, reason, printable(delimiter.join(row)[:400]))
                return
            continue
        number += 1
        reason = _fault(row, header)
        if reason is None:
            records.append(row)
            places.append(f"{label}#{number}")
        else:
            yield Rejected(f"{label}#{number}", reason, printable(delimiter.join(row)[:400]))
        if len(records) >= ROWS:
            yield columns_of(header, records, places)
            records, places = [], []
    if records:
        yield columns_of(header, records, places)
    elif not number:
        found = ", ".join(repr(name) for name in header[:12])
        yield Rejected(
            label, f"no records: a header line only; found {found}" if header else "no header line"
        )


def sniff_delimiter(sample: str) -> str:
    r"""Return the delimiter under which the first line names most fields, known ones first.

    Examples
    --------
    >>> sniff_delimiter("id;text, with comma;title\n1;a;b\n")
    ';'
    """
    header = next((line for line in sample.splitlines() if line.strip()), "")

    def score(delimiter: str) -> tuple[int, int]:
        try:
            names = next(csv.reader([header], delimiter=delimiter))
        except (csv.Error, StopIteration):
            return (0, 0)
        return (sum(fields.is_known(name.strip()) for name in names), len(names))

    return max(DELIMITERS, key=score)


class _Lines:
    """Physical lines of UTF-8 text, their ends kept; can be stepped back by what a broken record took."""

    def __init__(self, stream: Stream, limit: int) -> None:
        self.limit = limit
        self._stream = stream
        self._waiting: list[str] = []
        self._failure: Unreadable | None = None
        self._ended = False
        self._undecoded = b""
        self._passing = False
        self._fill()

    @property
    def sample(self) -> str:
        """The first lines."""
        return "".join(self._waiting[:-51:-1])

    def skip(self, pattern: re.Pattern[str]) -> None:
        """Pass over the first lines as long as they match."""
        while self._waiting and pattern.match(self._waiting[-1]):
            self._waiting.pop()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while not self._waiting and not self._ended:
            self._fill()
        if self._waiting:
            return self._waiting.pop()
        raise StopIteration

    def back(self, lines: list[str]) -> None:
        """Give lines back, to be read again."""
        self._waiting.extend(reversed(lines))

    def rest(self) -> Unreadable | None:
        """Return what cut the file short, once."""
        failure, self._failure = self._failure, None
        return failure

    def _fill(self) -> None:
        try:
            piece = self._stream.read(1 << 20)
        except Unreadable as failure:
            self._failure = Unreadable(str(failure), printable(self._undecoded))
            self._ended = True
            return
        self._ended = not piece
        if self._passing:
            found = _LINE_END.search(piece)
            self._passing = found is None
            piece = piece[found.end() :] if found else b""
        data = self._undecoded + piece
        cut = len(data) if self._ended else data.rfind(b"\n") + 1 or (data.rfind(b"\r", 0, -1) + 1)
        if not cut and len(data) > self.limit:
            self._waiting = [_LongLine(data[:800].decode("utf-8", "backslashreplace"))]
            self._undecoded, self._passing = b"", True
            return
        self._undecoded = data[cut:]
        text = data[:cut].decode("utf-8", "surrogateescape")
        self._waiting = _physical_lines(text)[::-1]


class _LongLine(str):
    """The beginning of a line longer than a record may be; the rest of it has been passed over."""

    __slots__ = ()


def _physical_lines(text: str) -> list[str]:
    lines = text.split("\n")
    ends = [line + "\n" for line in lines[:-1]]
    if lines[-1]:
        ends.append(lines[-1])
    if "\r" not in text:
        return ends
    # a carriage return alone ends a line too; splitlines() would also cut at form feeds and U+2028
    pieces: list[str] = []
    for line in ends:
        body = line.removesuffix("\n")
        end = line[len(body) :]
        if body.endswith("\r") and end:
            body, end = body[:-1], "\r\n"
        parts = body.split("\r")
        pieces += [part + "\r" for part in parts[:-1]]
        if parts[-1] or end:
            pieces.append(parts[-1] + end)
    return pieces


def _rows(lines: _Lines, delimiter: str) -> Iterator[list[str] | Unreadable]:
    """Yield records; where quotes go wrong, the line they begin on as unreadable, then read on after it."""
    # the csv module's limit is one for the whole process; it is only ever raised
    csv.field_size_limit(max(csv.field_size_limit(), lines.limit))
    taken: list[str] = []

    def counted() -> Iterator[str]:
        size = 0
        for line in lines:
            size = len(line) + (size if taken else 0)
            taken.append(line)
            if size > lines.limit or isinstance(line, _LongLine):
                raise _TooLong
            yield line

    reader = csv.reader(counted(), delimiter=delimiter, strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            break
        except _TooLong:
            fault = f"record larger than {lines.limit / 2**20:.3g} MiB; raise Limits.record_bytes"
        except csv.Error as error:
            what = "a quote is opened and not closed" if len(taken) > 1 else str(error)
            fault = f"quotes gone wrong: {what}"
        else:
            if row:
                yield row
            taken.clear()
            continue
        yield Unreadable(fault, printable(taken[0]))
        lines.back(taken[1:])
        taken.clear()
        reader = csv.reader(counted(), delimiter=delimiter, strict=True)
    if failure := lines.rest():
        yield failure


class _TooLong(Exception):  # noqa: N818 - ends a record, never a load
    """The record under way is larger than a record may be."""


def _fault(row: list[str], header: list[str]) -> str | None:
    if len(row) != len(header):
        return f"{len(row)} fields where the header has {len(header)}"
    for name, value in zip(header, row, strict=True):
        if not value.isascii() and _UNDECODED.search(value):
            return f"field {name!r} is not valid UTF-8; pass encoding= if the file is in another"
    return None


def _unique(names: list[str]) -> list[str]:
    """Return the header with empty and repeated names made distinct, so that no field hides another."""
    seen: dict[str, int] = {}
    unique = []
    for i, name in enumerate(names):
        name = name.encode("utf-8", "backslashreplace").decode() or f"column{i + 1}"
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return unique


def columns_of(header: list[str], records: Sequence[Sequence[Any]], places: list[str]) -> Block:
    """Return rows under a header as a block; empty and repeated names are made distinct."""
    columns = {name: [row[i] for row in records] for i, name in enumerate(_unique(header))}
    return Block(columns, pa.array(places, STRING))


def header_fault(row: list[str]) -> str | None:
    """Return why a first row is no header but a record, or None.

    Examples
    --------
    >>> header_fault(["id", "body2"]) is None, header_fault(["1", "It rained. " * 30])
    (True, 'no header line: the first row looks like a record; add one, as in id,text')
    """
    if any(fields.is_known(name) for name in row):
        return None
    if len(row) > 10 and _GDELT.match(row[0]):
        return "GDELT table of codes and addresses: no article text in it; read the pages that its addresses name"
    record = any(
        len(name) > LONGEST_NAME or len(name.split()) > MOST_WORDS or _VALUE.match(name) for name in row
    )
    return "no header line: the first row looks like a record; add one, as in id,text" if record else None

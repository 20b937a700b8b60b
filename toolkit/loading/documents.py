"""JSON that is not one record a line: lists of records, one record, objects that wrap a list."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from toolkit import fields
from toolkit.loading import shapes
from toolkit.loading.encodings import SAMPLE, as_utf8, detect, has_bom
from toolkit.loading.jsonlines import depth
from toolkit.loading.options import Options
from toolkit.loading.quarantine import Unreadable, printable
from toolkit.loading.readers.driver import Archive, Record
from toolkit.loading.streams import CHUNK, Stream

_SPACE = re.compile(r"[ \t\n\r]*")
_decode = json.JSONDecoder().raw_decode


def documents(archive: Archive) -> Iterator[Record | Unreadable]:
    """JSON that is not one record a line; ninjs, JSON Feed, WordPress, Elasticsearch; the replies of news APIs.

    Known by: `.json`, or `[` or `{` first
    Read as: a list of records, one record, several one after the other, or an object that wraps a list (`articles`,
    `items`, `records`, `documents`, `docs`, `data`, `results`, `entries`, `news`, `stories`, `posts`, `hits`,
    `rows`; also `hits.hits`, `response.results`, `articles.results`); a record at a time, so that the file may be
    larger than memory
    Fields: those of [Fields](#fields), also in `_source`, `bodies`, `headlines`, `rendered`, `fields` (Guardian),
    `links` (Aylien), `headline.main` (New York Times); the mark `[+2829 chars]` of NewsAPI and GNews is taken off
    Bad input: records before a fault are kept, then `cut off in the middle of a record; what follows is not read`;
    `not an object: a record must be one`; `JSON nested deeper than 100`; `no records`
    Seen in: mattlisiv/newsapi-python#72; EventRegistry/event-registry-python wiki; TrendGame/TrendGame
    stories-raw.js (Aylien); AnastasisGi/news-pairing-amy headlines-data.js (Guardian); Sabine-Sardine/app
    sampleNYTresponse.js (New York Times); Webz.io and GNews documentation
    """
    limits = archive.options.limits
    scanner = _Scanner(archive.stream, archive.options)
    for value in scanner.records():
        if scanner.size > limits.record_bytes:
            yield archive.too_large("record")
        elif isinstance(value, dict) and depth(value) <= limits.json_depth:
            # a list of replies, each of which wraps a list
            name = None if fields.candidates("text", value) else shapes.wrapper(value)
            yield from map(shapes.unwrap, [value] if name is None else value[name])
        elif isinstance(value, dict):
            yield Unreadable(f"JSON nested deeper than {limits.json_depth}")
        else:
            yield Unreadable("not an object: a record must be one", printable(repr(value)[:400]))


class _Scanner:
    """Walks JSON text with as much of it in memory as one record needs."""

    def __init__(self, stream: Stream, options: Options) -> None:
        sample = stream.peek(SAMPLE)
        encoding = options.encoding or has_bom(sample)
        if encoding is None:
            encoding = "utf-8" if _mostly_utf8(sample) else detect(sample) or "utf-8"
        self._stream = as_utf8(stream, encoding)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._limit = options.limits.record_bytes
        self.size = 0
        self._text = ""
        self._at = 0
        self._ended = False

    def records(self) -> Iterator[Any]:
        """Yield every record of every value in the stream."""
        while self._next_character():
            if self._next_character() == "[":
                yield from self._items()
            elif self._next_character() == "{":
                yield from self._members()
            else:
                yield self._value()

    def _items(self) -> Iterator[Any]:
        self._expect("[")
        if self._next_character() == "]":
            self._expect("]")
            return
        while True:
            yield self._value()
            if self._next_character() != ",":
                break
            self._expect(",")
        self._expect("]")

    def _members(self) -> Iterator[Any]:
        """Yield the records of the list that an object wraps, else the object as one record."""
        self._expect("{")
        record: dict[str, Any] = {}
        wrapped = False
        while self._next_character() != "}":
            name = self._value()
            if not isinstance(name, str):
                raise self._broken("a member name must be a string")
            self._expect(":")
            wraps = name.lower() in shapes.WRAPPERS and not fields.candidates("text", record)
            if wraps and self._next_character() == "[" and self._list_of("{]"):
                wrapped = True
                yield from self._items()
            else:
                value = self._value()
                inner = _inner_list(value) if wraps or name.lower() == "response" else None
                if inner is not None:
                    wrapped = True
                    yield from inner
                else:
                    record[name] = value
            if self._next_character() != ",":
                break
            self._expect(",")
        self._expect("}")
        # an article may have a list of that name beside its text
        if not wrapped or fields.candidates("text", record):
            yield record

    def _list_of(self, first: str) -> bool:
        """Whether the list that begins here has such a first character, or is not yet in memory."""
        return self._text[self._at + 1 : self._at + 1000].lstrip()[:1] in {*first, ""}

    def _value(self) -> Any:
        while True:
            self._skip_space()
            try:
                value, end = _decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._ended or (
                    error.pos < len(self._text) - 16 and not error.msg.startswith("Unterminated")
                ):
                    raise self._broken(str(error)) from None
            except RecursionError:
                raise self._broken("JSON nested too deep") from None
            else:
                # a number at the very end may go on in the next piece
                if end < len(self._text) or self._ended or not isinstance(value, (int, float)):
                    self.size, self._at = end - self._at, end
                    return value
            if len(self._text) - self._at > self._limit:
                raise self._broken(
                    f"record larger than {self._limit / 2**20:.3g} MiB; raise Limits.record_bytes"
                )
            self._more()

    def _next_character(self) -> str:
        self._skip_space()
        return self._text[self._at : self._at + 1]

    def _skip_space(self) -> None:
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text) or self._ended:
                return
            self._more()

    def _expect(self, character: str) -> None:
        if self._next_character() != character:
            raise self._broken(f"expected {character!r}")
        self._at += 1

    def _more(self) -> None:
        """Read as much again as is held, so that a long record is not parsed over and over."""
        rest = self._text[self._at :]
        try:
            piece = self._stream.read(max(CHUNK, len(rest)))
            self._text = rest + self._decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            raise Unreadable(
                f"not valid UTF-8: {error.reason}; what follows is lost", printable(rest)
            ) from None
        except Unreadable as failure:
            raise Unreadable(str(failure), printable(rest)) from None
        self._at = 0
        self._ended = not piece

    def _broken(self, reason: str) -> Unreadable:
        rest = self._text[self._at : self._at + 400]
        what = "cut off in the middle of a record" if self._ended and len(rest) < 400 else reason
        return Unreadable(f"not valid JSON: {what}; what follows is not read", printable(rest))


def _inner_list(value: Any) -> list[Any] | None:
    """Return the records kept one level deeper, as in ``hits.hits`` and ``response.results``."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name.lower() in shapes.WRAPPERS and isinstance(inner, list):
                return inner
    return None


def _mostly_utf8(sample: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return True

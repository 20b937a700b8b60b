"""JSON that is not one record a line: lists of records, one record, objects that wrap a list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from toolkit import fields
from toolkit.loading import nested
from toolkit.loading.jsonlines import depth
from toolkit.loading.quarantine import Unreadable
from toolkit.loading.readers.driver import Archive, Record

_SPACE = re.compile(r"[ \t\n\r]*")
_decode = json.JSONDecoder().raw_decode


def json_values(archive: Archive) -> Iterator[Record | Unreadable]:
    """JSON that is not one record a line: lists, wrapped lists, one record; the replies of news APIs."""
    limits = archive.options.limits
    scanner = _Scanner(archive)
    for value in scanner.records():
        if scanner.size > limits.record_bytes:
            yield archive.too_large("record")
        elif not isinstance(value, dict):
            yield Unreadable("not an object: a record must be one", repr(value)[:400])
        elif depth(value) > limits.json_depth:
            yield Unreadable(f"JSON nested deeper than {limits.json_depth}")
        else:
            # a list of replies, each of which wraps a list
            name = None if fields.candidates("text", value) else nested.wrapper(value)
            yield from map(nested.unwrap, [value] if name is None else value[name])


class _Scanner:
    """Walks JSON text with as much of it in memory as one record needs."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._chunks = archive.chunks()
        self._failure: Unreadable | None = None
        self.size = 0
        self._text = ""
        self._at = 0
        self._ended = False

    def records(self) -> Iterator[Any]:
        """Yield every record of every value in the stream."""
        while first := self._next_character():
            found = {"[": self._items, "{": self._members}.get(first)
            yield from found() if found else [self._value()]

    def _items(self) -> Iterator[Any]:
        self._expect("[")
        if self._take("]"):
            return
        yield self._value()
        while self._take(","):
            yield self._value()
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
            wraps = name.lower() in nested.WRAPPERS and not fields.candidates("text", record)
            if wraps and self._next_character() == "[" and self._holds_records():
                wrapped = True
                yield from self._items()
            else:
                value = self._value()
                inner = _inner_list(value) if wraps or name.lower() == "response" else None
                if inner is None:
                    record[name] = value
                else:
                    wrapped = True
                    yield from inner
            if not self._take(","):
                break
        self._expect("}")
        # an article may have a list of that name beside its text
        if not wrapped or fields.candidates("text", record):
            yield record

    def _holds_records(self) -> bool:
        """Whether the list that begins here is empty, begins with an object, or is not yet in memory."""
        return self._text[self._at + 1 : self._at + 1000].lstrip()[:1] in {"{", "]", ""}

    def _value(self) -> Any:
        while True:
            self._next_character()
            try:
                value, end = _decode(self._text, self._at)
            except json.JSONDecodeError as error:
                inside = error.pos < len(self._text) - 16 and not error.msg.startswith("Unterminated")
                if self._ended or inside:
                    raise self._broken(str(error)) from None
            except RecursionError:
                raise self._broken("JSON nested too deep") from None
            else:
                # a number at the very end may go on in the next piece
                if end < len(self._text) or self._ended or not isinstance(value, (int, float)):
                    self.size, self._at = end - self._at, end
                    return value
            if len(self._text) - self._at > self._archive.limit:
                raise self._archive.too_large("record", self._text[self._at : self._at + 800])
            self._more()

    def _next_character(self) -> str:
        """Pass over white space; return what follows it."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._more()

    def _take(self, character: str) -> bool:
        """Pass over a character if it follows; say whether it did."""
        follows = self._next_character() == character
        self._at += follows
        return follows

    def _expect(self, character: str) -> None:
        if not self._take(character):
            raise self._broken(f"expected {character!r}")

    def _more(self) -> None:
        """Read as much again as is held, so that a long record is not parsed over and over."""
        rest, more = self._text[self._at :], ""
        while not self._ended and self._failure is None and len(more) <= len(rest):
            try:
                piece = next(self._chunks, None)
            except Unreadable as failure:
                self._failure = failure
            else:
                self._ended = piece is None
                more += piece or ""
        if self._failure is not None and not more:
            raise Unreadable(str(self._failure), rest[:800])
        self._text, self._at = rest + more, 0

    def _broken(self, reason: str) -> Unreadable:
        rest = self._text[self._at : self._at + 400]
        what = "cut off in the middle of a record" if self._ended and len(rest) < 400 else reason
        return Unreadable(f"not valid JSON: {what}; what follows is not read", rest)


def _inner_list(value: Any) -> list[Any] | None:
    """Return the records kept one level deeper, as in ``hits.hits`` and ``response.results``."""
    inner = value.items() if isinstance(value, dict) else ()
    return next((v for name, v in inner if name.lower() in nested.WRAPPERS and isinstance(v, list)), None)

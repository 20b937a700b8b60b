"""JSON that is not one record a line: lists, objects that wrap a list, records that keep the article inside others."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Generator, Iterator, Mapping
from typing import Any

import pyarrow as pa

from toolkit import fields
from toolkit.loading.faults import without_mark
from toolkit.loading.mapping import by_field
from toolkit.loading.markup import fragment_text
from toolkit.loading.pages import read_page
from toolkit.loading.quarantine import PART, Unreadable
from toolkit.loading.readers.driver import Archive, Record

# fields whose presence means that a record must be unwrapped, and those that mean so where they hold an object
KEYS = frozenset({"_source", "bodies", "headlines", "rendered", "sections"})
NESTED = frozenset({"fields", "data", "links", "headline", "byline", "extended_tweet"})
# fields under which an object keeps its list of records
WRAPPERS = frozenset(
    "articles items records documents docs data results entries news stories hits rows posts value @graph".split()
)
# what names of files and of numbered texts have; least characters of these texts
_FILE, PROSE = re.compile(r"\d|\.\w+$"), 60
_SPACE = re.compile(r"[ \t\n\r]*")


def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of these members; refuse one in which a field that is needed stands twice, with two values."""
    found = dict(pairs)
    for name, value in pairs if len(found) < len(pairs) else ():
        needed = fields.is_known(name) or fields.markup_kind(name) or name in WRAPPERS
        if needed and value != found[name]:
            raise Unreadable(f"the field {name!r} stands twice in one record; not read", repr(found))
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=object_of)


def json_values(archive: Archive) -> Iterator[Record | Unreadable]:
    """JSON that is not one record a line: lists, wrapped lists, one record; the replies of news APIs."""
    limits = archive.options.limits
    scanner, named = _Scanner(archive), archive.options.columns.values()
    for value in scanner.records():
        if isinstance(value, Unreadable):
            yield value
        elif scanner.size > limits.record_bytes:
            yield archive.too_large("record")
        elif not isinstance(value, dict):
            yield Unreadable("not an object: a record must be one", repr(value))
        elif depth(value) > limits.json_depth:
            yield Unreadable(f"JSON nested deeper than {limits.json_depth}")
        else:
            # a list of replies, each of which wraps a list
            name = None if fields.candidates("text", value) else wrapper(value)
            yield from map(unwrap, (_table(value, named) or [value]) if name is None else value.pop(name))
            archive.remarks += [] if name is None else lists_beside(value)


class _Scanner:
    """Walks JSON text with as much of it in memory as one record needs."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._chunks = archive.chunks()
        self._failure: Unreadable | None = None
        self._text, self._at, self._ended = "", 0, False
        self.size = 0  # of the last value, in characters

    def records(self) -> Iterator[Any]:
        """Yield every record of every value in the stream, or why it is not read."""
        while first := self._next_character():
            if first != "{":
                yield from self._items() if first == "[" else [self._value()]
                continue
            wraps, record = yield from self._members()
            # an article may have a list of that name beside its text
            if wraps and isinstance(record, dict) and not fields.candidates("text", record):
                self._archive.remarks += lists_beside(record)
            else:
                yield record

    def _items(self) -> Iterator[Any]:
        self._expect("[")
        if self._take("]"):
            return
        yield self._value()
        while self._take(","):
            yield self._value()
        self._expect("]")

    def _members(self, *, inside: bool = False) -> Generator[Any, None, tuple[bool, Any]]:
        """Yield the records of the list that an object wraps; return whether it does, and the object without them.

        The list may be kept one level deeper, as in ``hits.hits`` and ``response.results``.
        """
        self._expect("{")
        members: list[tuple[str, Any]] = []
        wrapped = False
        while self._next_character() != "}":
            name, value = self._value(), None
            if not isinstance(name, str):
                raise self._broken("a member name must be a string")
            self._expect(":")
            wraps = name.lower() in WRAPPERS and not fields.candidates("text", dict(members))
            first = self._next_character()
            if first == "{" and not inside and (wraps or name.lower() == "response"):
                wraps, value = yield from self._members(inside=True)
                wrapped |= wraps
            # records are objects; whether the list holds some may not be known yet
            elif wraps and first == "[" and self._text[self._at + 1 :][:1000].lstrip()[:1] in {"{", "]", ""}:
                wrapped = True
                yield from self._items()
            else:
                value = self._value()
            members.append((name, value))
            if not self._take(","):
                break
        self._expect("}")
        fault = next((value for _, value in members if isinstance(value, Unreadable)), None)
        try:
            return wrapped, fault or object_of(members)
        except Unreadable as failure:
            return wrapped, failure

    def _value(self) -> Any:
        while True:
            self._next_character()
            try:
                value, end = _decoded(self._text, self._at)
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


def _decoded(text: str, at: int) -> tuple[Any, int]:
    """Return the value that begins at a place of JSON, or why it is not read; and where it ends."""
    try:
        return _DECODER.raw_decode(text, at)
    except Unreadable as failure:
        return failure, json.JSONDecoder().raw_decode(text, at)[1]


def _table(value: dict[str, Any], named: Collection[str]) -> list[dict[str, Any]] | None:
    """Return the records of a table as pandas writes it (split, by rows, by columns), or those of names with texts.

    None where it is no such object; ``named`` are the fields that the user asked for.
    """
    names, data = value.get("columns"), value.get("data")
    if isinstance(names, list) and isinstance(data, list) and all(isinstance(row, list) for row in data):
        return [dict(zip(map(str, names), row, strict=False)) for row in data]
    kinds, text = {type(inner) for inner in value.values()}, fields.candidates("text", value)
    if kinds == {dict} and not text and all(fields.candidates("text", row) for row in value.values()):
        return [{"id": name, **row} for name, row in value.items()]
    if kinds == {dict} and text and all(map(str.isdecimal, value[text[0]])):
        return [{name: column.get(row) for name, column in value.items()} for row in value[text[0]]]
    # names of files or of numbered texts; the names of a record's fields have no figures and no dots
    texts = (
        kinds == {str} and len(value) > 1 and all(map(_FILE.search, value)) and value.keys().isdisjoint(named)
    )
    if texts and min(map(len, value.values())) >= PROSE:
        return [{"id": name, "text": text} for name, text in value.items()]
    # lists of text and authors may be the paragraphs and names of one record; of titles there is one
    listed = kinds == {list} and text and fields.candidates("title", value)
    if listed and len({*map(len, value.values())}) == 1:
        return [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]
    return None


def lists_beside(rest: Mapping[str, Any]) -> Iterator[Unreadable]:
    """Report lists of articles among what an object holds beside the list that is read."""
    for name, value in rest.items():
        if isinstance(value, dict):
            yield from lists_beside(value)
            continue
        records = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
        if any(fields.candidates("text", each) for each in records):
            yield Unreadable(f"{PART}: the list {name!r} beside the one that is read holds texts too")


def depth(value: Any) -> int:
    """Return how many brackets enclose the innermost value: 3 for ``{"a": [1, [2]]}``."""
    level, layer = 0, [value]
    while layer := [v for v in layer if isinstance(v, (dict, list))]:
        level += 1
        layer = [inner for v in layer for inner in (v.values() if isinstance(v, dict) else v)]
    return level


def wrapper(value: Mapping[str, Any]) -> str | None:
    """Return the field under which an object keeps a list of records, or None."""
    lists = (name for name, inner in value.items() if name in WRAPPERS and isinstance(inner, list) and inner)
    return next((name for name in lists if all(isinstance(item, dict) for item in value[name])), None)


def unwrap(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flat record that a JSON object holds."""
    record = dict(value)
    if isinstance(record.get("_source"), dict):
        record = {"_id": record.get("_id"), **record["_source"]}
    for plural, singular in (("headlines", "headline"), ("bodies", "body")):
        if isinstance(record.get(plural), list):
            record.update(_ninjs(record.pop(plural), singular))
    for name, inner in list(record.items()):
        if isinstance(inner, dict) and fields.is_known(name):
            if isinstance(inner.get("rendered"), str):
                record[name] = fragment_text(inner["rendered"])
            elif "sections" in inner:
                record[name] = fundus_text(inner)
    _lift(record)
    texts = (record[name] for name in fields.candidates("text", record))
    return record if any(isinstance(text, (str, list)) and text for text in texts) else _from_markup(record)


def _lift(record: dict[str, Any]) -> None:
    """Bring to the top what news APIs nest, and take off the mark where they cut a text."""
    source, links, tweet = record.get("source"), record.get("links"), record.get("extended_tweet")
    task = record.get("data")  # of Label Studio
    inner = task if isinstance(task, dict) and not fields.candidates("text", record) else record.get("fields")
    if isinstance(source, dict) and isinstance(record.get("content"), str):
        # NewsAPI and GNews give 200 characters and a count of those that they keep
        record["content"] = without_mark(record["content"])
    if isinstance(inner, dict):  # Guardian Open Platform, Label Studio
        record.update({name: value for name, value in inner.items() if name not in record})
    if isinstance(links, dict) and isinstance(links.get("permalink"), str):  # Aylien
        record.setdefault("url", links["permalink"])
    if isinstance(tweet, dict) and isinstance(tweet.get("full_text"), str):  # Twitter's API 1.1 cuts "text"
        record["text"] = tweet["full_text"]
    for name in ("headline", "byline"):  # New York Times APIs
        inner = record.get(name)
        text = (inner.get("main") or inner.get("original")) if isinstance(inner, dict) else None
        if isinstance(text, str):
            record[name] = re.sub(r"^By ", "", text)


def flattened(columns: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return columns with their pages and nested values turned into text, as :func:`unwrap` does."""
    nested = any(isinstance(values, pa.StructArray) for values in columns.values())
    if not nested and not any(fields.markup_kind(name) or name in KEYS for name in columns):
        return columns
    plain = [values.to_pylist() if isinstance(values, pa.Array) else values for values in columns.values()]
    return by_field([unwrap(dict(zip(columns, row, strict=True))) for row in zip(*plain, strict=True)])


def _from_markup(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record with the text of its first fragment of markup, else what its page says."""
    filled = (name for name, value in record.items() if isinstance(value, str) and value.strip())
    marked = sorted((kind, name) for name in filled if (kind := fields.markup_kind(name)) is not None)
    if not marked:
        return record
    kind, name = marked[0]
    if kind == "fragment":
        return record | {"text": fragment_text(record[name])}
    urls = (record[field] for field in fields.candidates("url", record))
    page = read_page(record[name], next((u for u in urls if isinstance(u, str) and u.strip()), None))
    return page | {key: value for key, value in record.items() if value not in (None, "")}


def _ninjs(values: list[Any], member: str) -> dict[str, Any]:
    """Return the plainest of the headlines or bodies of a ninjs 2 item."""
    found: dict[str, Any] = {}
    for value in values:
        if isinstance(value, dict) and isinstance(text := value.get("value"), str):
            markup = "html" in str(value.get("contenttype", ""))
            if member == "body":
                found.setdefault("body_html" if markup else "body_text", text)
            else:
                found.setdefault(member, fragment_text(text) if markup else text)
    return found


def fundus_text(body: Mapping[str, Any]) -> str:
    """Return the text of a fundus article body: summary, then each section's headline and paragraphs."""
    parts = [body.get("summary")]
    for section in body.get("sections") or []:
        if isinstance(section, dict):
            parts += [section.get("headline"), section.get("paragraphs")]
    lists = (part if isinstance(part, list) else [part] for part in parts)
    return "\n\n".join(text for part in lists for text in part if isinstance(text, str) and text)

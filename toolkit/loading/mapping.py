"""From the fields of a source to the columns of a corpus, a block of records at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from toolkit import fields
from toolkit.corpus import COLUMNS, document_id
from toolkit.dates import parse_date
from toolkit.fields import registrable_domain
from toolkit.language import language_code, languages
from toolkit.loading.faults import repaired
from toolkit.loading.options import Options
from toolkit.loading.quarantine import Rejected, Unreadable, printable

Array: TypeAlias = Any
"""A ``pyarrow.Array``; pyarrow ships no types."""

LEAST_WORDS = 3
"""Mean words of a field that may be advised as the text."""

STRING = pa.large_string()
MOMENT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class Absent:
    """Stands for a text that a reader looked for and did not find, and says why."""

    reason: str
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Records as they were read: field name → values (Arrow array or list), and each record's place.

    ``raw`` gives a record as it stands in the file, for the quarantine.
    """

    columns: Mapping[str, Any]
    places: Array
    raw: Callable[[int], bytes] | None = None

    @classmethod
    def of_records(
        cls,
        records: Sequence[Mapping[str, Any]],
        places: Sequence[str],
        raw: Callable[[int], bytes] | None = None,
    ) -> Block:
        """Return records, one mapping each, as a block."""
        names = dict.fromkeys(name for record in records for name in record)
        columns = {name: [record.get(name) for record in records] for name in names}
        return cls(columns, pa.array(places, STRING), raw)


def numbered(label: str, first: int, count: int) -> Array:
    """Return the places ``label#first`` and on."""
    numbers = pc.cast(pa.array(range(first, first + count), pa.int64()), STRING)
    return pc.binary_join_element_wise(pa.scalar(label, STRING), numbers, pa.scalar("#", STRING))


def schema(options: Options) -> pa.Schema:
    """Return the Arrow schema of a corpus."""
    kinds = [(name, MOMENT if name == "published" else STRING) for name in (*COLUMNS, *options.extra)]
    return pa.schema(kinds)


class Mapper:
    """Maps the blocks of one file; the first block decides which of its fields can be the text."""

    def __init__(self, label: str, options: Options, *, whole: bool = False) -> None:
        self.label = label
        # a page or a text file has the fields its reader gives it, whatever other files call theirs;
        # further columns may be taken of these, as in columns={"section": "section"}
        self.columns = {name: options.columns[name] for name in options.extra} if whole else options.columns
        self.options = options
        self._headlines = False
        self._decided = whole

    def map(self, block: Block) -> tuple[pa.Table, list[Rejected]]:
        """Return the block's documents and its rejected records.

        Raises
        ------
        Unreadable
            The file's first block holds no field that could be the text.
        """
        if not self._decided and len(block.places):
            self._decide(block)
        problems: dict[int, str] = {}
        wrong: dict[int, str] = {}
        names = list(block.columns)
        made: dict[str, Array] = {"source": block.places}
        for role in (*COLUMNS, *self.options.extra):
            if role == "source":
                continue
            found = fields.candidates(role, names, self.columns)
            if role == "text" and self._headlines:
                found = fields.candidates("title", names, self.columns)
            if role == "published":
                made[role] = _moments([block.columns[name] for name in found], len(block.places))
                continue
            arrays = [
                _refine(role, name, _strings(role, block.columns[name], problems, wrong)) for name in found
            ]
            made[role] = _first_filled(arrays, len(block.places))
        missing = pc.fill_null(pc.is_null(made["text"]), True)
        for row in pc.indices_nonzero(missing).to_pylist():
            problems.setdefault(row, wrong.get(row, "empty text"))
        made["publisher"] = pc.coalesce(made["publisher"], _each(registrable_domain, made["url"]))
        table = pa.table([made[name] for name in schema(self.options).names], schema=schema(self.options))
        rejected = [
            Rejected(block.places[row].as_py(), reason, _excerpt(block, row))
            for row, reason in sorted(problems.items())
        ]
        if problems:
            good = pa.array([row not in problems for row in range(len(block.places))])
            table = table.filter(good)
        return self._complete(table), rejected

    def _decide(self, block: Block) -> None:
        names = list(block.columns)
        if not fields.candidates("text", names, self.columns):
            if "text" in self.columns or not fields.candidates("title", names, self.columns):
                raise Unreadable(_no_text(block, self.columns.get("text")))
            self._headlines = True
        self._decided = True

    def _complete(self, table: Any) -> pa.Table:
        unnamed = pc.is_null(table["doc_id"])
        if pc.any(unnamed).as_py():
            places, texts = table["source"].to_pylist(), table["text"].to_pylist()
            known = table["doc_id"].to_pylist()
            ids = [
                k if k is not None else document_id(s, t)
                for k, s, t in zip(known, places, texts, strict=True)
            ]
            table = table.set_column(0, "doc_id", pa.array(ids, STRING))
        for name in ("text", "title") if self.options.repair else ():
            column = table.schema.get_field_index(name)
            mended = repaired(table[name].combine_chunks(), self.options.repair)
            table = table.set_column(column, name, mended)
        if self.options.detect_language:
            table = _with_languages(table)
        return table


def _strings(role: str, values: Any, problems: dict[int, str], wrong: dict[int, str]) -> Array:
    """Return one field as strings; note records whose value cannot be stored, or is of the wrong kind."""
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            return values.cast(STRING)
        if pa.types.is_null(values.type):
            return pa.nulls(len(values), STRING)
        values = values.to_pylist()
    strings = [fields.as_text(role, value) for value in values]
    if role == "text":
        for row, (value, string) in enumerate(zip(values, strings, strict=True)):
            if string is None and value is not None:
                wrong[row] = (
                    value.reason if isinstance(value, Absent) else f"text is {_kind(value)}, not a string"
                )
    try:
        return pa.array(strings, STRING)
    except UnicodeEncodeError:
        for row, string in enumerate(strings):
            if string is not None and not _encodes(string):
                problems[row] = "lone surrogate: half of a UTF-16 pair, which no UTF-8 text can hold"
                strings[row] = None
        return pa.array(strings, STRING)


def _refine(role: str, name: str, values: Array) -> Array:
    if role == "lang":
        # Webz and others write 'english'; codes stay as they are
        return _each(lambda value: (len(value) > 3 and language_code(value)) or value, values)
    if role == "publisher" and fields.squash(name) != "publisher":
        return _each(fields.publisher_of, values)
    if role == "authors" and pc.any(pc.starts_with(values, "[")).as_py():
        return _each(lambda value: fields.as_text("authors", value), values)
    if role == "url" and fields.is_address_field(name):
        return _each(lambda value: value if fields.is_web_address(value) else None, values)
    return values


def _first_filled(arrays: list[Array], rows: int) -> Array:
    """Return for each row the first value that is not blank."""
    filled = []
    for values in arrays:
        blank = pc.or_(pc.utf8_is_space(values), pc.equal(pc.binary_length(values), 0))
        has_blank = pc.any(blank).as_py()
        filled.append(pc.if_else(blank, pa.scalar(None, STRING), values) if has_blank else values)
        if not filled[-1].null_count:
            break
    if not filled:
        return pa.nulls(rows, STRING)
    return filled[0] if len(filled) == 1 else pc.coalesce(*filled)


def _moments(columns: Iterable[Any], rows: int) -> Array:
    moments = pa.nulls(rows, MOMENT)
    for values in columns:
        parsed = [parse_date(value) for value in _plain(values)]
        moments = pc.coalesce(moments, pa.array(parsed, pa.int64()).cast(MOMENT))
        if not moments.null_count:
            break
    return moments


def _plain(values: Any) -> list[Any]:
    """Return values as Python objects, timestamps beyond Python's years as None."""
    if not isinstance(values, (pa.Array, pa.ChunkedArray)):
        return list(values)
    if pa.types.is_timestamp(values.type):
        # nanoseconds would become pandas objects; a corpus keeps microseconds
        scale = {"s": 10**6, "ms": 10**3, "us": 1, "ns": 1}[values.type.unit]
        numbers = values.cast(pa.int64()).to_pylist()
        if values.type.unit == "ns":
            numbers = [None if n is None else n // 1000 for n in numbers]
        return [None if n is None else _moment(n * scale) for n in numbers]
    return values.to_pylist()


def _moment(micros: int) -> Any:
    from datetime import UTC, datetime, timedelta

    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    except OverflowError:
        return None


def _each(function: Callable[[str], str | None], values: Array) -> Array:
    """Return the function's results, called once a distinct value."""
    coded = values.dictionary_encode()
    results = pa.array([function(value) for value in coded.dictionary.to_pylist()], STRING)
    return results.take(coded.indices)


def _with_languages(table: pa.Table) -> pa.Table:
    missing = pc.is_null(table["lang"])
    if not pc.any(missing).as_py():
        return table
    told = pa.array(languages(table["text"].filter(missing)), STRING)
    lang = pc.replace_with_mask(table["lang"].combine_chunks(), missing.combine_chunks(), told)
    return table.set_column(table.schema.get_field_index("lang"), "lang", lang)


def _encodes(string: str) -> bool:
    try:
        string.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", bool: "a truth value", int: "a number", float: "a number"}
    return names.get(type(value), f"a {type(value).__name__}")


def _no_text(block: Block, told: str | None) -> str:
    names = sorted(block.columns)
    found = ", ".join(repr(name) for name in names[:12]) + (" …" if len(names) > 12 else "")
    if told is not None:
        return f"no column {told!r}; found {found}"
    # advice is given only where it would help: the field holds prose, and its name is a name
    words = {name: _words(block.columns[name]) for name in names if len(name) <= 60 and '"' not in name}
    longest = max(words, key=lambda name: words[name], default=None)
    helps = longest is not None and words[longest] >= LEAST_WORDS
    mend = f'; pass columns={{"text": "{longest}"}}' if helps else "; none of them holds prose"
    return f"no text column; found {found or 'no fields'}{mend}"


def _words(values: Any) -> float:
    """Return the mean number of words in the first values."""
    some = values[:100].to_pylist() if isinstance(values, (pa.Array, pa.ChunkedArray)) else values[:100]
    texts = [value for value in some if isinstance(value, str)]
    # where words are not spaced, five characters count as one
    return sum(
        len(text.split()) if text.isascii() else max(len(text.split()), len(text) / 5) for text in texts
    ) / (len(some) or 1)


def _excerpt(block: Block, row: int) -> str:
    text = block.columns["text"][row] if "text" in block.columns else None
    if isinstance(text, Absent):
        return text.excerpt
    if block.raw is not None:
        return printable(block.raw(row))
    record = {}
    for name, values in list(block.columns.items())[:20]:
        value = values[row]
        value = value.as_py() if isinstance(value, pa.Scalar) else value
        if value is not None:
            record[name] = value[:200] if isinstance(value, str) else value
    return json.dumps(record, ensure_ascii=False, default=str)[:800]

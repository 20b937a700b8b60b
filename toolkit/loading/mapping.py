"""From the fields of a source to the columns of a corpus, a block of records at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from toolkit import fields
from toolkit.corpus import COLUMNS, document_id
from toolkit.dates import FIRST, LAST, parse_date
from toolkit.language import language_code, languages
from toolkit.loading.faults import repaired
from toolkit.loading.options import Options
from toolkit.loading.quarantine import PART, Rejected, Unreadable, printable

Array: TypeAlias = Any  # a pyarrow.Array; pyarrow ships no types

LEAST_WORDS, PROSE = (
    3,
    20,
)  # mean words of a field that may be advised as the text, or that might have been meant
STRING = pa.large_string()
MOMENT = pa.timestamp("us", tz="UTC")
_SURROGATE = re.compile("[\ud800-\udfff]")
_KINDS = {dict: "an object", list: "a list", bool: "a truth value", int: "a number", float: "a number"}


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


def by_field(records: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return records, one mapping each, as field name → values."""
    names = dict.fromkeys(name for record in records for name in record)
    return {name: [record.get(name) for record in records] for name in names}


def schema(options: Options) -> pa.Schema:
    """Return the Arrow schema of a corpus."""
    names = (*COLUMNS, *options.kept, *options.extra)
    return pa.schema([(name, MOMENT if name == "published" else STRING) for name in names])


class Mapper:
    """Maps the blocks of one file; the first block decides which of its fields can be the text."""

    def __init__(self, options: Options, *, whole: bool = False) -> None:
        # a page or a text file has the fields its reader gives it, whatever other files call theirs;
        # further columns may be taken of these, as in columns={"section": "section"}
        self.columns = {name: options.columns[name] for name in options.extra} if whole else options.columns
        self.options = options
        self._text = "text"
        self._remark: str | None = None
        self._decided = whole

    def map(self, block: Block) -> tuple[pa.Table, list[Rejected]]:
        """Return a block's documents and rejected records; :class:`Unreadable` if the first one has no text field."""
        names, count = list(block.columns), len(block.places)
        if not self._decided and count:
            self._decide(block)
        problems: dict[int, str] = {}
        wrong: dict[int, str] = {}
        filled: dict[str, Array] = {"source": block.places}
        for role in schema(self.options).names:
            found = fields.candidates(self._text if role == "text" else role, names, self.columns)
            if role in self.options.kept:
                own = {role, *fields.FIELDS} <= {*names}
                filled[role] = _strings(role, block.columns[role], {}, {}) if own else pa.nulls(count, STRING)
            elif role == "published":
                filled[role] = _moments([block.columns[name] for name in found], count)
            elif role != "source":
                values = [_strings(role, block.columns[name], problems, wrong) for name in found]
                values = [_refine(role, name, array) for name, array in zip(found, values, strict=True)]
                filled[role] = _first_filled(values, count)
        missing = pc.fill_null(pc.is_null(filled["text"]), True)
        for row in pc.indices_nonzero(missing).to_pylist():
            problems.setdefault(row, wrong.get(row, "empty text"))
        filled["publisher"] = pc.coalesce(
            filled["publisher"], _each(fields.registrable_domain, filled["url"])
        )
        kinds = schema(self.options)
        table = pa.table([filled[name] for name in kinds.names], schema=kinds)
        rejected = [
            Rejected(block.places[row].as_py(), reason, printable(_excerpt(block, row)))
            for row, reason in sorted(problems.items())
        ]
        if self._remark:
            rejected.insert(0, Rejected(block.places[0].as_py().rpartition("#")[0], self._remark))
            self._remark = None
        if problems:
            table = table.filter(pa.array([row not in problems for row in range(count)]))
        return self._complete(table), rejected

    def _decide(self, block: Block) -> None:
        """Say which field is the text, and remark on another that might be."""
        found = fields.candidates("text", list(block.columns), self.columns)
        if not found:
            if "text" in self.columns or not fields.candidates("title", list(block.columns), self.columns):
                raise Unreadable(_no_text(block, self.columns.get("text")))
            self._text = "title"  # a list of headlines
        words = {name: _words(block.columns[name]) for name in found if len(block.places) > 1}
        for name in list(words)[1:]:
            other = _plain(block.columns[name][:100]) != _plain(block.columns[found[0]][:100])
            if other and words[name] >= PROSE and words[name] >= words[found[0]] / 2 > 0:
                lengths = f"{words[found[0]]:.0f} and {words[name]:.0f} words on average"
                mend = f'columns={{"text": "{name}"}} takes the other'
                self._remark = (
                    f"{PART}: the text is {found[0]!r}, but {name!r} holds texts too ({lengths}); {mend}"
                )
                break
        self._decided = True

    def _complete(self, table: Any) -> pa.Table:
        ids, lang = table["doc_id"].combine_chunks(), table["lang"].combine_chunks()
        if ids.null_count:
            rows = zip(*(table[name].to_pylist() for name in ("doc_id", "source", "text")), strict=True)
            ids = pa.array([document_id(s, t) if i is None else i for i, s, t in rows], STRING)
            table = table.set_column(table.column_names.index("doc_id"), "doc_id", ids)
        for name in ("text", "title") if self.options.repair else ():
            mended = repaired(table[name].combine_chunks(), self.options.repair)
            table = table.set_column(table.column_names.index(name), name, mended)
        if self.options.detect_language and lang.null_count:
            missing = pc.is_null(lang)
            detected = pa.array(languages(table["text"].filter(missing)), STRING)
            lang = pc.replace_with_mask(lang, missing, detected)
            table = table.set_column(table.column_names.index("lang"), "lang", lang)
        return table


def _strings(role: str, values: Any, problems: dict[int, str], wrong: dict[int, str]) -> Array:
    """Return one field as strings; note records whose value cannot be stored, or is of the wrong kind."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            return values.cast(STRING)
        values = values.to_pylist()
    strings = [fields.as_text(role, value) for value in values]
    for row, value in enumerate(values) if role == "text" else ():
        if strings[row] is None and isinstance(value, Absent):
            wrong[row] = value.reason
        elif strings[row] is None and value is not None:
            wrong[row] = f"text is {_KINDS.get(type(value), f'a {type(value).__name__}')}, not a string"
    try:
        return pa.array(strings, STRING)
    except UnicodeEncodeError:
        for row, string in enumerate(strings):
            if string is not None and _SURROGATE.search(string):
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
    if role == "url" and fields.squash(name) in fields.WHOLE_ADDRESSES:
        whole = pc.match_substring_regex(values, r"(?i)^https?://[^\s/]")
        return pc.if_else(whole, values, pa.scalar(None, STRING))
    return values


def _first_filled(arrays: list[Array], rows: int) -> Array:
    """Return for each row the first value that is not blank."""
    filled = [pa.nulls(rows, STRING)]
    for values in arrays:
        blank = pc.or_(pc.utf8_is_space(values), pc.equal(pc.binary_length(values), 0))
        has_blank = pc.any(blank).as_py()
        filled.append(pc.if_else(blank, pa.scalar(None, STRING), values) if has_blank else values)
        if not filled[-1].null_count:
            return filled[-1] if len(filled) == 2 else pc.coalesce(*filled)
    return pc.coalesce(*filled)


def _moments(columns: Iterable[Any], rows: int) -> Array:
    moments = pa.nulls(rows, MOMENT)
    for values in columns:
        if isinstance(values, (pa.Array, pa.ChunkedArray)) and pa.types.is_timestamp(values.type):
            unit = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[values.type.unit]
            micros = [None if number is None else number * 10**6 // unit for number in _plain(values)]
            parsed = [number if number is not None and FIRST <= number <= LAST else None for number in micros]
        else:
            parsed = [parse_date(value) for value in _plain(values)]
        moments = pc.coalesce(moments, pa.array(parsed, pa.int64()).cast(MOMENT))
        if not moments.null_count:
            break
    return moments


def _plain(values: Any) -> list[Any]:
    """Return values as Python objects, of timestamps (which may lie beyond Python's years) their numbers."""
    if not isinstance(values, (pa.Array, pa.ChunkedArray)):
        return list(values)
    return list((values.cast(pa.int64()) if pa.types.is_timestamp(values.type) else values).to_pylist())


def _each(function: Callable[[str], str | None], values: Array) -> Array:
    """Return the function's results, called once a distinct value."""
    coded = values.dictionary_encode()
    results = pa.array([function(value) for value in coded.dictionary.to_pylist()], STRING)
    return results.take(coded.indices)


def _no_text(block: Block, field: str | None) -> str:
    names = sorted(block.columns)
    found = ", ".join(repr(name) for name in names[:12]) + (" …" if len(names) > 12 else "")
    if field is not None:
        return f"no column {field!r}; found {found}"
    # advice is given only where it would help: the field holds prose, and its name is a name
    words = {name: _words(block.columns[name]) for name in names if len(name) <= 60 and '"' not in name}
    longest = max(words, key=lambda name: words[name], default=None)
    helps = longest is not None and words[longest] >= LEAST_WORDS
    mend = f'; pass columns={{"text": "{longest}"}}' if helps else "; none of them holds prose"
    return f"no text column; found {found or 'no fields'}{mend}"


def _words(values: Any) -> float:
    """Return the mean number of words in the first values; where words are not spaced, five characters are one."""
    some = _plain(values[:100])
    texts = [value for value in some if isinstance(value, str)]
    words = [len(text.split()) if text.isascii() else max(len(text.split()), len(text) / 5) for text in texts]
    return sum(words) / (len(some) or 1)


def _excerpt(block: Block, row: int) -> str | bytes:
    text = block.columns["text"][row] if "text" in block.columns else None
    if isinstance(text, Absent):
        return text.excerpt
    if block.raw is not None:
        return block.raw(row)
    record = {}
    for name, values in list(block.columns.items())[:20]:
        value = values[row].as_py() if isinstance(values, pa.Array) else values[row]
        if value is not None:
            record[name] = value[:200] if isinstance(value, str) else value
    return json.dumps(record, ensure_ascii=False, default=str)[:800]

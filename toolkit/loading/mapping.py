"""From the fields of a source to the columns of a corpus, a block of records at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from toolkit import fields
from toolkit.corpus import COLUMNS, check_columns, document_id
from toolkit.dates import FIRST, LAST, day_orders, parse_date, slashed
from toolkit.language import as_code, languages
from toolkit.loading.faults import repaired
from toolkit.loading.quarantine import PART, READ, Limits, Unreadable

Array: TypeAlias = Any  # a pyarrow.Array; pyarrow ships no types

# mean words of a field that may be advised as the text, or that might have been meant
LEAST_WORDS, PROSE = 3, 20
MISSING = "NaN nan None NULL null #N/A N/A <NA> NaT".split()  # as other programs write it out
STRING = pa.large_string()
MOMENT = pa.timestamp("us", tz="UTC")
_SURROGATE = re.compile("[\ud800-\udfff]")
_KINDS = {dict: "an object", list: "a list", bool: "a truth value", int: "a number", float: "a number"}


@dataclass(frozen=True, slots=True)
class Options:
    """The keyword arguments of :func:`toolkit.loading.load`, checked; ``kept`` are columns kept of a corpus.

    ``missing`` is filled while files are read: each of ``columns`` → why the first file lacks its field, None as soon
    as one file has it.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    detect_language: bool = True
    repair: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    missing: dict[str, str | None] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for column, name in self.columns.items():
            if not isinstance(column, str) or not isinstance(name, str) or not column or not name:
                mend = 'both must be names, as in columns={"text": "body"}'
                raise TypeError(f"columns={{{column!r}: {name!r}}}: {mend}")
        check_columns(self.columns)
        if "source" in self.columns:
            mend = 'written by the reader (file#record); use another name, as in columns={"outlet": "source"}'
            raise ValueError(f'columns={{"source": …}}: source is {mend}')

    @property
    def extra(self) -> tuple[str, ...]:
        """Columns beyond those of every corpus, in the order given."""
        return tuple(name for name in self.columns if name not in COLUMNS)

    def wants(self, name: str) -> bool:
        """Whether a field of this name may be of use."""
        named = {fields.squash(field) for field in self.columns.values()}
        own = name in self.kept or fields.squash(name) in named
        return own or fields.is_known(name) or fields.markup_kind(name) is not None


@dataclass(frozen=True, slots=True)
class Rows:
    """Records that follow each other in a file, as columns: field name → values (Arrow array or list).

    ``bad`` maps the number of a record (from 0, of ``count``) that has no row in them to the reason why it cannot be
    read, or to None if it is no document. ``raw`` returns the bytes in the file of a row of the columns.
    """

    columns: Mapping[str, Any]
    count: int
    bad: Mapping[int, Unreadable | None] = field(default_factory=dict)
    raw: Callable[[int], bytes] | None = None

    @classmethod
    def of(cls, found: Sequence[dict[str, Any] | Unreadable | None], lines: Sequence[bytes] = ()) -> Rows:
        """Return records and what stands in place of those that are none; ``lines`` are their bytes in the file."""
        bad = {row: each for row, each in enumerate(found) if not isinstance(each, dict)}
        good = [line for row, line in enumerate(lines) if row not in bad]
        records = [each for each in found if isinstance(each, dict)]
        return cls(by_field(records), len(found), bad, good.__getitem__ if good else None)


def by_field(records: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return records, one mapping each, as field name → values."""
    names = dict.fromkeys(name for record in records for name in record)
    return {name: [record.get(name) for record in records] for name in names}


def schema(options: Options) -> pa.Schema:
    """Return the Arrow schema of a corpus."""
    names = (*COLUMNS, *options.kept, *options.extra)
    return pa.schema([(name, MOMENT if name == "published" else STRING) for name in names])


class Mapper:
    """Maps the records of one file; the first of them decide which of its fields can be the text.

    ``named``: the reader knows which field is which. ``remarks`` receives what concerns the whole file.
    """

    def __init__(self, options: Options, remarks: list[Unreadable], *, named: bool = False) -> None:
        # a page or a text file has the fields its reader gives it, whatever other files call theirs;
        # further columns may be taken of these, as in columns={"section": "section"}
        self.columns = {name: options.columns[name] for name in options.extra} if named else options.columns
        self.options = options
        self.schema = schema(options)
        self._remarks = remarks
        self._text = "text"
        self._decided = named
        self._day_first: dict[str, bool] = {}  # field of dates → how its last rows were read

    def map(self, rows: Rows, places: Array) -> tuple[pa.Table, dict[int, Unreadable]]:
        """Return the documents, and why the others are none, by row; ``places`` are those of the rows of the columns.

        Raises :class:`Unreadable` if the first records of the file have no field that can be the text.
        """
        names, count = list(rows.columns), len(places)
        if not self._decided:
            self._decide(rows.columns)
        missing = self.options.missing
        for role, name in self.options.columns.items():
            if role not in self.columns or fields.candidates(role, names, self.columns):
                missing[role] = None
            elif role not in missing:
                missing[role] = _no_text(rows.columns, name)
        problems: dict[int, str] = {}
        wrong: dict[int, str] = {}
        filled: dict[str, Array] = {"source": places}
        for role in self.schema.names:
            found = fields.candidates(self._text if role == "text" else role, names, self.columns)
            if role in self.options.kept:
                own = {role, *fields.FIELDS} <= {*names}
                filled[role] = _strings(role, rows.columns[role], {}, {}) if own else pa.nulls(count, STRING)
            elif role == "published":
                moments = (self._moments(rows.columns, name) for name in found)
                filled[role] = _first_filled(moments, count, MOMENT)
            elif role != "source":
                strings = {name: _strings(role, rows.columns[name], problems, wrong) for name in found}
                values = (_refine(role, name, array) for name, array in strings.items())
                # the clean text of what was removed wholly is empty, and not missing
                known = values if role == "clean_text" else (_not_blank(array, role) for array in values)
                filled[role] = _first_filled(known, count, STRING)
        for row in pc.indices_nonzero(pc.is_null(filled["text"])).to_pylist():
            problems.setdefault(row, wrong.get(row, "empty text"))
        domains = _each(fields.registrable_domain, filled["url"])
        filled["publisher"] = pc.coalesce(filled["publisher"], domains)
        table = pa.table([filled[name] for name in self.schema.names], schema=self.schema)
        if problems:
            table = table.filter(pa.array([row not in problems for row in range(count)]))
        refused = {row: Unreadable(reason, _excerpt(rows, row)) for row, reason in problems.items()}
        return self._complete(table), refused

    def _decide(self, columns: Mapping[str, Any]) -> None:
        """Say which field is the text, and remark on another that might be."""
        self._decided = True
        found = fields.candidates("text", columns, self.columns)
        if not found:
            titles = fields.candidates("title", columns, self.columns)
            if "text" in self.columns or not titles:
                raise Unreadable(_no_text(columns, self.columns.get("text")))
            self._text = "title"  # a list of headlines, unless an unknown field holds texts
            found = [*titles, *(name for name in columns if name not in titles)]
        first, *others = found
        first_words = _words(columns[first])
        for name in others if len(columns[first]) > 1 or self._text == "title" else ():
            words = _words(columns[name])
            other = _plain(columns[name][:100]) != _plain(columns[first][:100])
            if other and words >= PROSE and words >= first_words / 2 > 0:
                lengths = f"{first_words:.0f} and {words:.0f} words on average"
                mend = f'columns={{"text": "{name}"}} takes the other'
                holds = f"the text is {first!r}, but {name!r} holds texts too ({lengths})"
                self._remarks.append(Unreadable(f"{PART}: {holds}; {mend}"))
                return

    def _moments(self, columns: Mapping[str, Any], name: str) -> Array:
        """Return a field's dates; whether 03/04/2021 puts the day first is decided by the other dates of the field."""
        values = columns[name]
        plain = _plain(values)
        if isinstance(values, pa.Array) and pa.types.is_timestamp(values.type):
            unit = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[values.type.unit]
            micros = [None if number is None else number * 10**6 // unit for number in plain]
            parsed = [number if number is not None and FIRST <= number <= LAST else None for number in micros]
            return pa.array(parsed, pa.int64()).cast(MOMENT)
        pairs, before = slashed(plain), self._day_first.get(name)
        proven = day_orders(pairs)
        # these rows prove it, or those before them did, or a header of a language that writes so suggests it
        heads = (n for role in ("text", "title") for n in fields.candidates(role, columns, self.columns)[:1])
        guess = not proven and any(map(fields.is_abroad, (name, *heads)))
        first = proven == {True} if len(proven) == 1 else guess if before is None else before
        if len(proven) > 1 or before not in {None, first}:
            both = f"{READ} day first and month first: the dates of {name!r} do not agree; write them as 2021-04-03"
            if both not in map(str, self._remarks):
                self._remarks.append(Unreadable(both))
        if pairs:
            self._day_first[name] = first
        return pa.array([parse_date(value, day_first=first) for value in plain], pa.int64()).cast(MOMENT)

    def _complete(self, table: Any) -> pa.Table:
        """Fill in ids and languages, and repair what was asked for."""
        fresh: dict[str, Array] = {}
        if table["doc_id"].null_count:
            rows = zip(*(table[name].to_pylist() for name in ("doc_id", "source", "text")), strict=True)
            fresh["doc_id"] = pa.array([document_id(s, t) if i is None else i for i, s, t in rows], STRING)
        for name in ("text", "title") if self.options.repair else ():
            fresh[name] = repaired(table[name].combine_chunks(), self.options.repair)
        lang = table["lang"].combine_chunks()
        if self.options.detect_language and lang.null_count:
            missing = pc.is_null(lang)
            detected = languages(fresh.get("text", table["text"]).filter(missing))
            fresh["lang"] = pc.replace_with_mask(lang, missing, pa.array(detected, STRING))
        for name, values in fresh.items():
            table = table.set_column(table.column_names.index(name), name, values)
        return table


def _strings(role: str, values: Any, problems: dict[int, str], wrong: dict[int, str]) -> Array:
    """Return one field as strings; note records whose value cannot be stored, or is of the wrong kind."""
    if isinstance(values, pa.Array):
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            return values.cast(STRING)
        values = values.to_pylist()
    strings = [fields.as_text(role, value) for value in values]
    for row, value in enumerate(values) if role == "text" else ():
        if strings[row] is None and value is not None:
            kind = _KINDS.get(type(value), f"a {type(value).__name__}")
            wrong[row] = str(value) if isinstance(value, Unreadable) else f"text is {kind}, not a string"
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
        return _each(as_code, values)
    if role == "publisher" and fields.squash(name) != "publisher":
        return _each(fields.publisher_of, values)
    if role == "authors" and pc.any(pc.starts_with(values, "[")).as_py():
        return _each(lambda value: fields.as_text("authors", value), values)
    if role == "url" and fields.squash(name) in fields.WHOLE_ADDRESSES:
        whole = pc.match_substring_regex(values, r"(?i)^https?://[^\s/]")
        return pc.if_else(whole, values, pa.scalar(None, STRING))
    return values


def _first_filled(arrays: Iterable[Array], rows: int, kind: pa.DataType) -> Array:
    """Return for each row the first value that is not missing; an array that is not needed is not made."""
    filled = pa.nulls(rows, kind)
    for values in arrays:
        filled = pc.coalesce(filled, values)
        if not filled.null_count:
            break
    return filled


def _not_blank(values: Array, role: str) -> Array:
    blank = pc.or_(pc.utf8_is_space(values), pc.equal(pc.binary_length(values), 0))
    if role in fields.FIELDS:  # what a further column holds may be a label, such as "None"
        blank = pc.or_(blank, pc.is_in(values, value_set=pa.array(MISSING, STRING)))
    return pc.if_else(blank, pa.scalar(None, STRING), values)


def _plain(values: Any) -> list[Any]:
    """Return values as Python objects, of timestamps (which may lie beyond Python's years) their numbers."""
    if not isinstance(values, pa.Array):
        return list(values)
    return list((values.cast(pa.int64()) if pa.types.is_timestamp(values.type) else values).to_pylist())


def _each(function: Callable[[str], str | None], values: Array) -> Array:
    """Return the function's results, called once a distinct value."""
    coded = values.dictionary_encode()
    results = pa.array([function(value) for value in coded.dictionary.to_pylist()], STRING)
    return results.take(coded.indices)


def _no_text(columns: Mapping[str, Any], field: str | None) -> str:
    names = sorted(columns)
    found = ", ".join(repr(name) for name in names[:12]) + (" …" if len(names) > 12 else "")
    if field is not None:
        return f"no column {field!r}; found {found}"
    # advice is given only where it would help: the field holds prose, and its name is a name
    words = {name: _words(columns[name]) for name in names if len(name) <= 60 and '"' not in name}
    longest = max(words, key=lambda name: words[name], default=None)
    helps = longest is not None and words[longest] >= LEAST_WORDS
    mend = f'; pass columns={{"text": "{longest}"}}' if helps else "; none of them holds prose"
    return f"no text column; found {found or 'no fields'}{mend}"


def _words(values: Any) -> float:
    """Return the mean number of words in the first values; where words are not spaced, five characters are one."""
    some = _plain(values[:100])
    texts = [text for text in (fields.as_text("text", value) for value in some) if text]
    words = [len(text.split()) if text.isascii() else max(len(text.split()), len(text) / 5) for text in texts]
    return sum(words) / (len(some) or 1)


def _excerpt(rows: Rows, row: int) -> str | bytes:
    text = rows.columns["text"][row] if "text" in rows.columns else None
    if isinstance(text, Unreadable):
        return text.excerpt
    if rows.raw is not None:
        return rows.raw(row)
    record = {}
    for name, values in list(rows.columns.items())[:20]:
        value = values[row].as_py() if isinstance(values, pa.Array) else values[row]
        if value is not None:
            record[name] = value[:200] if isinstance(value, str) else value
    return json.dumps(record, ensure_ascii=False, default=str)[:800]

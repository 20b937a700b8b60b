"""Corpus: a pandas DataFrame with one row per document and the columns named here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from toolkit.dates import day_orders, parse_date, slashed
from toolkit.display.text import visible
from toolkit.errors import CorpusError
from toolkit.fields import as_text, candidates, is_abroad, nearest, publisher_of, registrable_domain
from toolkit.tables import is_cleaned

COLUMNS = ("doc_id", "text", "title", "url", "publisher", "authors", "lang", "source", "published")
"""Columns of every corpus, in order. More columns may follow; they are kept as they are."""

QUARANTINE_COLUMNS = ("source", "reason", "excerpt")
PUBLISHED_DTYPE = "datetime64[us, UTC]"

CorpusLike: TypeAlias = "str | pd.DataFrame | pd.Series[Any] | Iterable[str]"


class Quarantine(dict[str, Any]):
    """The quarantine in ``corpus.attrs["quarantine"]``: a dict for pandas, a DataFrame for the user.

    pandas writes ``attrs`` as JSON, compares and copies them; a DataFrame there makes that fail. So this is a dict
    ``{"rows": …, "records": […]}`` with the number of all records and the first :data:`KEPT` of them (Parquet refuses
    metadata of 100 MB). All else is that of the whole frame.
    """

    KEPT = 1_000

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        super().__init__(rows=len(frame), records=frame.head(self.KEPT).to_dict("records"))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "frame":
            raise AttributeError(name)
        return getattr(self.frame, name)

    def __getitem__(self, key: Any) -> Any:
        return self.frame[key]

    def __len__(self) -> int:
        return len(self.frame)

    def __iter__(self) -> Any:
        return iter(self.frame)

    def __repr__(self) -> str:
        return visible(repr(self.frame))  # a terminal would obey what pandas prints as it stands

    def _repr_html_(self) -> str:
        return visible(self.frame.to_html(max_rows=20))

    def __eq__(self, other: object) -> bool:
        return self.frame.equals(other.frame) if isinstance(other, Quarantine) else super().__eq__(other)

    __hash__ = None

    def __deepcopy__(self, memo: Any) -> Quarantine:
        return self

    def __reduce__(self) -> Any:
        return Quarantine, (self.frame,)

    # a dict has these three itself
    keys, copy, values = (property(attrgetter(f"frame.{name}")) for name in ("keys", "copy", "values"))


def quarantine(corpus: pd.DataFrame) -> pd.DataFrame:
    r"""Return what could not be read when this corpus was loaded.

    Columns: ``source`` (the place), ``reason``, ``excerpt`` (the first characters of the record); no rows if everything
    could be read. The corpus is one from :func:`toolkit.load`, also after pandas operations or a round trip through
    Parquet or Feather, which store the number of records and the first 1,000. CorpusError: the frame was not loaded, or
    joined from frames with different quarantines, which pandas then drops.

    Examples
    --------
    >>> import io
    >>> from toolkit import load
    >>> quarantine(load(io.StringIO('{"text": "It rained."}\n{"text": 5}\n')))[["source", "reason"]].values.tolist()
    [['stream#2', 'text is a number, not a string']]
    """
    held = corpus.attrs.get("quarantine")
    if isinstance(held, Quarantine):
        return held.frame
    if not isinstance(held, dict) or not isinstance(held.get("records"), list):
        why = "pandas drops it where frames with different ones are joined"
        raise CorpusError(f"this frame carries no quarantine ({why}); pass what toolkit.load gave")
    rows = [tuple(record.get(name) for name in QUARANTINE_COLUMNS) for record in held["records"]]
    if (more := int(held.get("rows", 0)) - len(rows)) > 0:
        rows.append(("", f"{more:,} more records, which the file's metadata do not hold", ""))
    return pd.DataFrame(rows, columns=list(QUARANTINE_COLUMNS), dtype="str")


def texts_of(corpus: pd.DataFrame, columns: Mapping[str, str] | None = None) -> pd.Series[Any]:
    """Return the texts to read: ``clean_text`` if they were cleaned (:func:`is_cleaned`), else ``text``.

    A ``text`` that ``columns`` names is read all the same.
    """
    if "text" in (columns or {}) or not is_cleaned(corpus):
        return corpus["text"]
    return corpus["clean_text"].astype("str")


def document_id(source: str, text: str) -> str:
    """Return a stable 16-digit hexadecimal id of a text and its source, for a document that has none of its own."""
    raw = source.encode("utf-8", "surrogatepass") + b"\0" + text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(raw, digest_size=8).hexdigest()


def make_corpus(records: Iterable[Mapping[str, Any]], quarantine: pd.DataFrame | None = None) -> pd.DataFrame:
    """Build a corpus from records that already use the column names of :data:`COLUMNS`.

    Each has at least ``text`` (str). A missing ``doc_id`` becomes :func:`document_id`, any other missing field a
    missing value; other keys become further columns. ``quarantine`` (:data:`QUARANTINE_COLUMNS`) is stored in
    ``attrs``. The result has the columns :data:`COLUMNS` (``str``; ``published`` ``datetime64[us, UTC]``) and a
    RangeIndex.
    """
    rows = list(records)
    extra = list(dict.fromkeys(key for row in rows for key in row if key not in COLUMNS))
    frame = pd.DataFrame({name: [row.get(name) for row in rows] for name in (*COLUMNS, *extra)})
    for name in COLUMNS[:-1]:
        frame[name] = frame[name].astype("str")
    frame["published"] = _dates(frame, ["published"], strict=False)
    if (unnamed := frame["doc_id"].isna()).any():
        places = zip(frame["source"][unnamed].fillna(""), frame["text"][unnamed], strict=True)
        frame.loc[unnamed, "doc_id"] = [document_id(source, text) for source, text in places]
    if quarantine is None:
        quarantine = pd.DataFrame(columns=list(QUARANTINE_COLUMNS), dtype="str")
    frame.attrs["quarantine"] = Quarantine(quarantine)
    return frame


def as_corpus(documents: CorpusLike, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return ``documents`` as a valid corpus, adding the columns it lacks.

    ``documents`` are a text, a DataFrame, or a Series or iterable of str. Columns of a DataFrame are found under the
    names that :func:`toolkit.load` knows (``body``, ``content``, ``date`` …), or those that ``columns`` gives (column
    of the corpus → name in the DataFrame), and are kept beside the new ones. The ``doc_id`` is the index of a Series or
    the position in a list (``"0"``, ``"1"``, …); an index that is named like a column of the corpus becomes that
    column. The new frame has the index and row order of the input; text buffers are shared, not copied.

    A CorpusError names the row, by its label, whose text, ``doc_id`` or date is missing or wrong, or a doubled column.

    Examples
    --------
    >>> as_corpus(pd.DataFrame({"ID": [7], "Body": ["One story."]}))[["doc_id", "text"]].to_dict("records")
    [{'doc_id': '7', 'text': 'One story.'}]
    """
    frame = _framed(documents)
    for name in frame.index.names:  # an index that is called like a column of the corpus is that column
        if name in COLUMNS and name not in frame.columns:
            frame[name] = frame.index.get_level_values(name)
    # pandas neither sorts nor joins by a name that the index and a column have
    levels = [None if name in frame.columns else name for name in frame.index.names]
    frame.index = frame.index.set_names(levels)
    names = [name for name in frame.columns if isinstance(name, str)]
    if twice := [name for n, name in enumerate(names) if name in names[:n]]:
        raise CorpusError(f"corpus: the column {twice[0]!r} stands more than once; rename or drop one")
    check_columns(columns, names)
    for role in COLUMNS:
        given = (columns or {}).get(role)
        own = role in names and given in {None, role}
        found = [role] if own else candidates(role, names, columns)
        if role == "text" and not found:
            there = ", ".join(map(repr, names)) or "no columns with a name"
            mend = 'name the one that holds the articles: columns={"text": …}'
            raise CorpusError(f"corpus: no text column; found {there}; {mend}")
        if role == "doc_id" and not found:
            frame[role] = frame.index.map(str).astype("str")
        elif role == "published":
            frame[role] = _dates(frame, found[:1], strict=own or given is not None)
        elif own:
            frame[role] = _strings(role, frame[role])
        else:
            frame[role] = _mapped(role, found, frame)
    if "text" in names and "text" not in (columns or {}):
        _fill(frame, [name for name in candidates("text", names) if name != "text"])
    mends = {"text": "drop it, or give it an empty string", "doc_id": "give each document its own"}
    for name, mend in mends.items():
        if (missing := frame[name].isna().to_numpy()).any():
            raise CorpusError(f"corpus: row {_label(frame.index[missing][0])} has no {name}; {mend}")
    if not (doc_id := frame["doc_id"]).is_unique:
        value = doc_id[doc_id.duplicated()].iloc[0]
        mend = "drop or number the duplicates (without a doc_id the index counts: reset_index(drop=True))"
        raise CorpusError(f"corpus: doc_id {value!r} stands more than once; {mend}")
    return frame


def _fill(frame: pd.DataFrame, others: list[str]) -> None:
    """Give rows whose text is blank that of other columns of texts: a table may hold them in two columns by turns."""
    blank = frame["text"].fillna("").str.strip() == "" if others else np.zeros(0, bool)
    if blank.any():
        found, text = _mapped("text", others, frame[blank]), frame["text"].copy()
        there = (found.fillna("") != "").to_numpy()
        text.iloc[np.flatnonzero(blank)[there]] = found.array[there]  # labels of rows may stand twice
        frame["text"] = text


def as_document(
    document: str | pd.Series[Any] | pd.DataFrame, columns: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Return one text, one row of a frame or a frame of one row as a corpus of one document; else CorpusError."""
    if isinstance(document, pd.Series):
        names = [name for name in document.index if isinstance(name, str)]
        if candidates("text", names, columns):  # a row, not a Series of texts
            document = document.to_frame().T.infer_objects()
    corpus = as_corpus([document] if isinstance(document, str) else document, columns)
    if len(corpus) != 1:
        raise CorpusError(f"explain: {len(corpus)} documents; pass one, such as corpus.iloc[0]")
    return corpus


def check_columns(columns: Mapping[str, str] | None, names: Iterable[str] | None = None) -> None:
    """Refuse ``columns`` with a misspelt corpus column, or a field that is not among ``names``; say the nearest."""
    for column, field in (columns or {}).items():
        if column not in COLUMNS and (near := nearest(column, COLUMNS)):
            raise CorpusError(f"columns: {column!r} is no column of a corpus; did you mean {near!r}?")
        if names is not None and not candidates(column, names, columns):
            near = nearest(field, names)
            mend = f"did you mean {near!r}?" if near else f"found {', '.join(map(repr, names)) or 'none'}"
            raise CorpusError(f"columns: there is no {field!r} for {column!r}; {mend}")


def _framed(documents: Any) -> pd.DataFrame:
    """Return documents of any type as a new frame; from anything but a frame, ``doc_id`` and ``text`` are made."""
    if isinstance(documents, Path) or (isinstance(documents, str) and _is_place(documents)):
        msg = f"{documents}: is a place, not a text; load it first: toolkit.load({str(documents)!r})"
        raise CorpusError(msg)
    if isinstance(documents, str):
        documents = [documents]
    if hasattr(documents, "to_pandas"):  # polars, Arrow
        documents = documents.to_pandas()
    if isinstance(documents, (bytes, bytearray)) or not isinstance(documents, Iterable):
        kind = type(documents).__name__
        msg = f"corpus: {kind} holds no texts; pass a text (str), a list or Series of texts, or a DataFrame"
        raise CorpusError(msg)
    if isinstance(documents, pd.DataFrame):
        return documents.copy(deep=False)
    if isinstance(documents, Mapping):
        try:
            return pd.DataFrame(dict(documents))
        except ValueError as error:  # values that are no lists, or lists of several lengths
            msg = "corpus: a dict holds a list for each column, all of one length; pass one document as [document]"
            raise CorpusError(msg) from error
    if not isinstance(documents, pd.Series):
        documents = list(documents)
        if documents and all(isinstance(item, Mapping) for item in documents):
            return pd.DataFrame(documents)
        documents = pd.Series(documents, dtype=object)
    frame = documents.to_frame("text")
    frame.insert(0, "doc_id", frame.index.map(str).astype("str"))
    return frame


def _is_place(text: str) -> bool:
    """Whether a text is the address of a page or the path of a file."""
    if " " in text or "\n" in text or not ("." in text or "/" in text):
        return False
    return text.startswith(("http://", "https://")) or (len(text) < 256 and Path(text).exists())


def _mapped(role: str, found: list[str], frame: pd.DataFrame) -> pd.Series[Any]:
    """Return a column of the corpus; each cell is the first one that is not blank in the columns found for it."""
    if role == "publisher" and not found:
        return frame["url"].map(registrable_domain, na_action="ignore").astype("str")
    column = pd.Series(np.nan, index=frame.index, dtype="str")
    for name in found:
        values = _strings(role, frame[name])
        if role == "publisher":
            values = values.map(publisher_of, na_action="ignore").astype("str")
        column = column.where(column.notna(), values.where(values.str.strip() != ""))
    # a text that is blank wherever it stands is an empty one
    return column.mask(column.isna() & frame[found].notna().any(axis=1), "") if role == "text" else column


def _strings(role: str, values: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column as strings; lists and numbers are converted as :func:`toolkit.load` does it."""
    given = values
    try:
        if role == "text" and values.dtype != "str":
            values = values.map(lambda value: as_text("text", value) if isinstance(value, list) else value)
            for where, value in values.dropna().items():
                if not isinstance(value, str):
                    wrong = f"row {_label(where)} holds {type(value).__name__}, not text"
                    raise CorpusError(f"corpus: {wrong}; convert it with str()")
        elif values.dtype == object:
            values = values.map(lambda value: as_text(role, value))
        return values.astype("str")
    except UnicodeEncodeError:
        surrogate = re.compile("[\ud800-\udfff]")
        where = next(label for label, value in given.items() if surrogate.search(as_text(role, value) or ""))
        raise CorpusError(
            f"corpus: row {_label(where)} holds a lone surrogate in {role}, half of a character, which no UTF-8 "
            'text can hold; mend it with text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")'
        ) from None


def _dates(frame: pd.DataFrame, found: list[str], *, strict: bool) -> pd.Series[Any]:
    """Return dates in UTC to the microsecond; with ``strict`` a date that cannot be read raises."""
    if not found:
        return pd.Series(pd.NaT, index=frame.index, dtype=PUBLISHED_DTYPE)
    values = frame[found[0]]
    if str(values.dtype) == PUBLISHED_DTYPE:
        return values
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return pd.to_datetime(values, utc=True).astype(PUBLISHED_DTYPE)
    given = values.notna() & (values.astype("str").str.strip() != "")
    orders, names = day_orders(slashed(values)), [name for name in frame.columns if isinstance(name, str)]
    heads = (name for role in ("text", "title") for name in candidates(role, names)[:1])
    first = orders == {True} or (not orders and any(map(is_abroad, (found[0], *heads))))
    parsed = [
        parse_date(value, day_first=first) if there else None
        for value, there in zip(values, given, strict=True)
    ]
    dates = pd.Series(pd.array(parsed, dtype="Int64"), index=values.index).astype(PUBLISHED_DTYPE)
    if strict and (wrong := (given & dates.isna()).to_numpy()).any():
        row = int(wrong.argmax())
        fault = f"row {_label(values.index[row])} has {values.iloc[row]!r} for published"
        raise CorpusError(f"corpus: {fault}, which is no date; mend it, or make it missing")
    return dates


def _label(label: Any) -> str:
    """Return the label of a row as the user sees it: ``3``, not ``np.int64(3)``."""
    return repr(label.item() if hasattr(label, "item") else label)

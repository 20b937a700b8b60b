"""Census: tables of counts and shares for the figures, from a corpus, its spans and its duplicates."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from toolkit.corpus import CorpusLike, as_corpus, texts_of
from toolkit.display import PALETTE
from toolkit.errors import CorpusError, UsageError, wants
from toolkit.tables import UNKNOWN, beside, groups_of, is_cleaned
from toolkit.words import pattern


def months(corpus: CorpusLike) -> pd.DataFrame:
    """Count documents by month of publication.

    Columns: ``month`` (``datetime64``, its first day, UTC; missing for undated documents) and ``documents``.
    """
    published = sized(corpus)["published"].dt.tz_convert(None)
    month = published.dt.to_period("M").dt.to_timestamp()
    return month.value_counts(dropna=False).sort_index().rename_axis("month").reset_index(name="documents")


def lengths(corpus: CorpusLike, by: str = "publisher", column: str = "text") -> pd.DataFrame:
    """Count the words (what white space divides) of each document; columns: ``group`` (value of ``by``), ``words``.

    CorpusError: ``column`` is missing in some of the documents.
    """
    frame = as_corpus(corpus)
    words = _texts(frame, column).str.count(r"\S+").astype("int64")
    return pd.DataFrame({"group": groups_of(frame[by]), "words": words})


def _texts(frame: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return a column of texts as strings of Python's; CorpusError where a document has none, which is no empty one."""
    if column == "clean_text":
        is_cleaned(frame)
    if missing := int(frame[column].isna().sum()):
        fault = f"{column} is missing in {missing:,} of {len(frame):,} documents"
        raise CorpusError(f"{fault}: fill them, or leave them out: corpus.dropna(subset=[{column!r}])")
    return frame[column].astype("str")


def sized(corpus: CorpusLike) -> pd.DataFrame:
    """Return a corpus with the length of ``text`` as ``characters``; a frame that has this column needs no ``text``."""
    if isinstance(corpus, pd.DataFrame) and "characters" in corpus and "text" not in corpus:
        frame = corpus.assign(doc_id=corpus["doc_id"].astype("str"))
    else:
        frame = as_corpus(corpus)
        frame["characters"] = frame["text"].str.len()
    frame["publisher"] = groups_of(frame["publisher"])
    return frame


def _removals(corpus: CorpusLike, spans: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the corpus of :func:`sized`, and its spans with their length (``characters``) and ``publisher``."""
    frame = sized(corpus)
    spans = beside("spans", spans, ids=frame["doc_id"])
    publisher = spans["doc_id"].map(frame.set_index("doc_id")["publisher"])
    here = spans.assign(characters=spans["end"] - spans["start"], publisher=publisher)
    return frame, here[publisher.notna()]  # isin of pandas would take ten times as long


@wants("spans")
def publishers(corpus: CorpusLike, spans: pd.DataFrame) -> pd.DataFrame:
    """Count what was removed from each publisher; publishers with the most documents come first.

    Columns: ``publisher``, ``documents``, ``characters``, and the ``share`` of its characters that was removed, with
    its interval ``low``, ``high``, see :func:`ratio`.
    """
    frame, gone = _removals(corpus, spans)
    frame["gone"] = frame["doc_id"].map(gone.groupby("doc_id")["characters"].sum()).fillna(0)
    rows = []
    for name, part in frame.groupby("publisher"):
        row = {"publisher": name, "documents": len(part), "characters": int(part["characters"].sum())}
        rows.append(row | ratio(part["gone"], part["characters"]))
    table = pd.DataFrame(rows, columns=["publisher", "documents", "characters", "share", "low", "high"])
    return table.sort_values(["documents", "publisher"], ascending=[False, True], ignore_index=True)


@wants("spans")
def removed(corpus: CorpusLike, spans: pd.DataFrame) -> pd.DataFrame:
    """Count removed characters by publisher and kind, as :func:`toolkit.plots.removed` draws them.

    Columns: ``publisher``, ``kind``, ``characters`` (removed), ``of`` (all characters of the publisher) and
    ``documents`` (of the publisher). Every publisher has a row for each kind that was found at any publisher.

    Examples
    --------
    >>> spans = pd.DataFrame({"doc_id": ["0"], "start": [0], "end": [4], "kind": ["promo"]})
    >>> removed(["Ads! It rained."], spans)[["kind", "characters", "of"]].values.tolist()
    [['promo', 4, 15]]
    """
    frame, gone = _removals(corpus, spans)
    found = gone.pivot_table(index="publisher", columns="kind", values="characters", aggfunc="sum")
    sizes = frame.groupby("publisher").agg(of=("characters", "sum"), documents=("characters", "size"))
    table = found.reindex(sizes.index).fillna(0).astype("int64")
    long = table.reset_index().melt("publisher", var_name="kind", value_name="characters")
    return long.join(sizes, on="publisher")[["publisher", "kind", "characters", "of", "documents"]]


@wants("spans")
def kinds(corpus: CorpusLike, spans: pd.DataFrame) -> pd.DataFrame:
    """Count spans by kind; kinds with the most characters come first.

    Columns: ``kind``, ``spans``, ``documents`` (with at least one such span), ``characters``, and their ``share`` of
    all characters of the corpus with its interval ``low``, ``high``, see :func:`ratio`.
    """
    frame, gone = _removals(corpus, spans)
    rows = []
    for kind, part in gone.groupby("kind"):
        each = part.groupby("doc_id")["characters"].sum()
        row = {"kind": kind, "spans": len(part), "documents": len(each), "characters": int(each.sum())}
        rows.append(row | ratio(frame["doc_id"].map(each).fillna(0), frame["characters"]))
    table = pd.DataFrame(rows, columns=["kind", "spans", "documents", "characters", "share", "low", "high"])
    return table.sort_values(["characters", "kind"], ascending=[False, True], ignore_index=True)


@wants("spans")
def prevalence(
    corpus: CorpusLike, spans: pd.DataFrame, *, kinds: str | Iterable[str] | None = None, period: str = "QS"
) -> pd.DataFrame:
    """Return the share of documents in each period that contain a kind of boilerplate, for each of ``kinds``.

    ``kinds`` is a kind or several; default all in ``spans``. UsageError: there is no such kind.
    ``period`` is a frequency of pandas: ``"MS"`` months, ``"QS"`` quarters, ``"YS"`` years. Columns: ``period`` (its
    first day), ``series`` (the kind), ``documents`` (of the period), ``holding`` (how many of them contain the kind),
    ``share``, ``low``, ``high`` (95 % interval: Wilson 1927; documents are treated as independent). Documents without a
    date belong to no period; ``attrs["undated"]`` counts them.
    """
    frame = as_corpus(corpus)
    spans = beside("spans", spans, ids=frame["doc_id"])
    there = sorted(set(spans["kind"]))
    chosen = there if kinds is None else [kinds] if isinstance(kinds, str) else list(kinds)
    known = list(dict.fromkeys([*PALETTE, "twice", *there]))
    if wrong := [kind for kind in chosen if kind not in known]:
        raise UsageError(f"kinds: there is no {wrong[0]!r}; use one of {', '.join(known)}")
    holds = {kind: frame["doc_id"].isin(spans.loc[spans["kind"] == kind, "doc_id"]) for kind in chosen}
    return _rates(frame, holds, period)


@wants("word")
def mentions(
    corpus: CorpusLike, word: str | Iterable[str], columns: Mapping[str, str] | None = None, *, period: str = "QS"
) -> pd.DataFrame:  # fmt: skip
    """Return the share of documents in each period that mention a word, or one of several.

    The columns of the result are those of :func:`prevalence`. Words are written as for
    :func:`toolkit.words.concordance`: ``"election"``, ``["vote*", "ballot*"]``. ``columns`` maps each column to search
    to the name of its series; default ``{"text": "as loaded", "clean_text": "cleaned"}``, without ``clean_text`` if
    nothing was cleaned. CorpusError: a column is missing in some of the documents.
    """
    frame = as_corpus(corpus)
    if columns is None:
        both = {"text": "as loaded", "clean_text": "cleaned"}
        columns = {column: name for column, name in both.items() if column == "text" or is_cleaned(frame)}
    wanted = pattern(word)
    holds = {name: _texts(frame, column).str.contains(wanted) for column, name in columns.items()}
    return _rates(frame, holds, period)


def _rates(frame: pd.DataFrame, holds: Mapping[str, pd.Series[Any]], period: str) -> pd.DataFrame:
    """Return the result of :func:`prevalence`; ``holds`` maps each series to whether a document counts (bool)."""
    published = frame["published"].dt.tz_convert(None)
    rows = []
    for name, each in holds.items():
        dated = each[published.notna()].set_axis(published.dropna()).astype("int64")
        for when, n, k in dated.resample(period).agg(["size", "sum"]).itertuples():
            rows.append({"period": when, "series": name, "documents": n, "holding": k} | rate(k, n))
    columns = ["period", "series", "documents", "holding", "share", "low", "high"]
    table = pd.DataFrame(rows, columns=columns)
    table.attrs["undated"] = int(published.isna().sum())
    return table


def rate(part: int, whole: int) -> dict[str, float]:
    """Return a share with its 95 % interval (Wilson 1927): ``share``, ``low``, ``high``; all NaN if ``whole`` is 0.

    >>> {name: round(value, 3) for name, value in rate(1, 10).items()}
    {'share': 0.1, 'low': 0.018, 'high': 0.404}
    """
    if not whole:
        return {"share": np.nan, "low": np.nan, "high": np.nan}
    share, z = part / whole, float(ndtri(0.975))
    scale = 2 * (whole + z**2)
    middle = (2 * whole * share + z**2) / scale
    half = z / scale * math.sqrt(4 * whole * share * (1 - share) + z**2)
    low, high = middle - half if part else 0.0, middle + half if part < whole else 1.0
    return {"share": share, "low": low, "high": high}


def ratio(parts: pd.Series[Any], wholes: pd.Series[Any]) -> dict[str, float]:
    """Return the share of a sum in another, such as removed characters, with its 95 % interval over the rows.

    The interval treats whole documents as drawn at random, because the characters of one document are not independent
    (ratio estimator: Cochran, Sampling Techniques, 1977, section 6.4). It is NaN for a single row.

    >>> {name: round(value, 2) for name, value in ratio(pd.Series([0, 2, 1]), pd.Series([10, 10, 10])).items()}
    {'share': 0.1, 'low': 0.0, 'high': 0.21}
    """
    part, whole = parts.to_numpy(float), wholes.to_numpy(float)
    if not whole.sum():
        return {"share": np.nan, "low": np.nan, "high": np.nan}
    share, n = part.sum() / whole.sum(), len(part)
    squares = np.square(part - share * whole).sum()
    error = 1.96 * np.sqrt(n / (n - 1) * squares) / whole.sum() if n > 1 else np.nan
    low, high = np.clip([share - error, share + error], 0, 1)
    return {"share": float(share), "low": float(low), "high": float(high)}


@wants("by", "columns")
def means(
    table: pd.DataFrame, *, by: str, columns: Mapping[str, str], draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Return the mean of some columns for each group, with 95 % bootstrap intervals over rows.

    ``columns`` maps each column to the name of its series. Columns of the result: ``label`` (the group), ``series``,
    ``n`` (rows), ``value``, ``low``, ``high``, as :func:`toolkit.plots.estimates` draws them. A group of a single row
    has no interval; rows without a group are those of ``(unknown)``.
    """
    rows = []
    for label, part in table.groupby(groups_of(table[by])):
        for column, series in columns.items():
            values = part[column].dropna().to_numpy(float)
            n, ends = len(values), (np.nan, np.nan)
            if n > 1:
                drawn = np.random.default_rng(seed).choice(values, (draws, n)).mean(axis=1)
                ends = np.quantile(drawn, [0.025, 0.975])
            rows.append((label, series, n, values.mean() if n else np.nan, *ends))
    return pd.DataFrame(rows, columns=["label", "series", "n", "value", "low", "high"])


@wants("column", "by")
def shares(table: pd.DataFrame, column: str, *, by: str, series: str | None = None) -> pd.DataFrame:
    """Return, for each group, the share of rows in which a column (bool) is true, with 95 % intervals (Wilson 1927).

    ``by`` names the column of the groups, ``series`` the one that splits them further. Columns: ``label`` (the group),
    ``series`` (if given), ``n`` (rows), ``value``, ``low``, ``high``, as :func:`toolkit.plots.estimates` draws them.
    Rows without a group are those of ``(unknown)``; rows in which ``column`` is missing do not count. UsageError: it
    holds something else than true and false (or 1 and 0).

    Examples
    --------
    >>> answers = pd.DataFrame({"desk": ["sport", "sport", "arts"], "right": [True, False, True]})
    >>> shares(answers, "right", by="desk")[["label", "n", "value"]].values.tolist()
    [['arts', 1, 1.0], ['sport', 2, 0.5]]
    """
    if wrong := [value for value in table[column].dropna() if value not in (0, 1)]:
        mend = f"count what can be true or false, such as table[{column!r}] == {wrong[0]!r}"
        raise UsageError(f"shares: {column} holds {wrong[0]!r}, neither true nor false; {mend}")
    rows = []
    for key, part in table.groupby([groups_of(table[name]) for name in (by, series) if name is not None]):
        names, given = dict(zip(("label", "series"), key, strict=False)), part[column].dropna()
        rows.append(names | {"n": len(given)} | rate(int(given.sum()), len(given)))
    columns = ["label", *(["series"] if series else []), "n", "share", "low", "high"]
    return pd.DataFrame(rows, columns=columns).rename(columns={"share": "value"})


@wants("copies")
def exchange(corpus: CorpusLike, copies: pd.DataFrame) -> pd.DataFrame:
    """Count which publishers ran stories that another publisher had run first (groups of kind ``wire``).

    Cells are numbers of documents. Rows: the publisher of the group's earliest document (``ran it first``). Columns:
    the publisher of each other document of the group (``ran it too``).
    """
    publisher = as_corpus(corpus).set_index("doc_id")["publisher"].fillna(UNKNOWN)
    copies = beside("copies", copies, ids=publisher.index)
    wire = copies[(copies["kind"] == "wire") & (copies["doc_id"] != copies["group"])].reset_index(drop=True)
    first, other = wire["group"].map(publisher), wire["doc_id"].map(publisher)
    return pd.crosstab(first.rename("ran it first"), other.rename("ran it too"))


@wants("copies")
def edits(corpus: CorpusLike, copies: pd.DataFrame, *, shingle: int = 5) -> pd.DataFrame:
    """Measure how each copy of a story was edited, compared with the group's earliest document (the original).

    ``copies`` are as :func:`toolkit.duplicates` returns them. A word counts as the same text if it is one of
    ``shingle`` consecutive words that are the same in both. ``clean_text`` is read if it is there. Copies whose
    original is not in the corpus are left out.

    The result has one row for each copy: ``doc_id``, ``group``, ``publisher``, ``kept`` (share of the original's words
    that are in the copy), ``new`` (share of the copy's words that are not in the original), ``hours`` (after the
    original; may be missing), ``retitled`` (bool).
    """
    frame = as_corpus(corpus).set_index("doc_id")
    texts = texts_of(frame)
    rows = []
    copies = beside("copies", copies, ids=texts.index)
    here = copies["doc_id"].isin(texts.index) & copies["group"].isin(texts.index)
    pairs = copies.loc[here & (copies["doc_id"] != copies["group"]), ["doc_id", "group"]]
    for doc_id, group in pairs.itertuples(index=False):
        copy, original = frame.loc[doc_id], frame.loc[group]
        copied, first = (re.findall(r"\w+", str(texts[each]).casefold()) for each in (doc_id, group))
        kept, new = _shared(first, copied, shingle), 1 - _shared(copied, first, shingle)
        hours = (copy["published"] - original["published"]) / pd.Timedelta(hours=1)
        retitled = str(copy["title"]).casefold() != str(original["title"]).casefold()
        rows.append((doc_id, group, copy["publisher"], kept, new, hours, retitled))
    columns = ["doc_id", "group", "publisher", "kept", "new", "hours", "retitled"]
    return pd.DataFrame(rows, columns=columns)


def _shared(words: list[str], others: list[str], size: int) -> float:
    """Return the share of ``words`` in runs of ``size`` words that also occur in ``others``."""
    size = min(size, len(words))
    known = {tuple(others[i : i + size]) for i in range(len(others) - size + 1)}
    covered = np.zeros(len(words), bool)
    for i in range(len(words) - size + 1):
        if tuple(words[i : i + size]) in known:
            covered[i : i + size] = True
    return float(covered.mean()) if words else float("nan")

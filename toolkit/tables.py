"""Tables: what stands in the columns that were added to a corpus, and in a table that is given beside one."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import pandas as pd

from toolkit.errors import ARGUMENTS, CorpusError


def beside(
    name: str, table: pd.DataFrame, columns: Iterable[str] = (), ids: Iterable[str] | None = None, *,
    larger: bool = True,
) -> pd.DataFrame:  # fmt: skip
    """Return a table that is given beside a corpus, such as its spans, with ``doc_id`` as text as in the corpus.

    A CorpusError says that it lacks one of ``columns``, or has none of ``ids``, those of the corpus: their first zeros
    are lost, or it cannot be of a ``larger`` corpus. Where it may be, a warning says so.

    Examples
    --------
    >>> beside("spans", pd.DataFrame({"doc_id": [7], "start": [0]}), ["start"], ["7", "8"])["doc_id"].tolist()
    ['7']
    """
    mend = f"pass {ARGUMENTS.get(name, 'a DataFrame')}"
    if not isinstance(table, pd.DataFrame):
        raise CorpusError(f"{name}: a {type(table).__name__} is no table; {mend}")
    if lacking := [column for column in ("doc_id", *columns) if column not in table]:
        there = ", ".join(map(repr, table)) or "none"
        raise CorpusError(f"{name}: no column {lacking[0]!r}; found {there}; {mend}")
    # of copies, the group is the id of the first
    table = table.assign(**{name: table[name].astype("str") for name in ("doc_id", "group") if name in table})
    if ids is not None and len(table):
        known = dict.fromkeys(ids)
        if known and known.keys().isdisjoint(table["doc_id"]):
            both = f"{table['doc_id'].iloc[0]!r} there, {next(iter(known))!r} here"
            fault = f"{name}: none of its documents is in the corpus ({both})"
            bare = {doc_id.lstrip("0") for doc_id in known}
            if not larger or not bare.isdisjoint(table["doc_id"].str.lstrip("0")):
                raise CorpusError(f"{fault}; {mend}")
            if table["doc_id"].nunique() <= len(known):
                warnings.warn(f"{fault}; if it is of no larger corpus, {mend}", stacklevel=3)
    return table


def is_cleaned(corpus: pd.DataFrame) -> bool:
    """Whether ``clean_text`` holds the clean texts; a column without any counts as none.

    A CorpusError says that some documents have none: whether they were never cleaned or nothing was left of them, which
    pandas reads from a CSV file as missing, nobody can tell.
    """
    if "clean_text" not in corpus:
        return False
    missing = int(corpus["clean_text"].isna().sum())
    if missing and missing < len(corpus):
        mend = "clean them (toolkit.clean), or read the file with toolkit.load or keep_default_na=False"
        raise CorpusError(
            f"corpus: clean_text is missing in {missing:,} of {len(corpus):,} documents; {mend}"
        )
    return not missing


UNKNOWN = "(unknown)"  # group of the documents without one


def groups_of(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return the values of groups, :data:`UNKNOWN` where there is none."""
    if not values.isna().any():
        return values
    if isinstance(values.dtype, pd.CategoricalDtype):
        both = values.cat.categories.union([UNKNOWN], sort=False)
        return values.cat.set_categories(both).fillna(UNKNOWN)
    return values.astype(object).fillna(UNKNOWN).infer_objects()


VERDICTS = ("article", "stub", "wall", "error", "index", "twice", "garbled", "empty")
"""What a document can be; explained by :func:`toolkit.verdicts`."""


def verdicts_of(corpus: pd.DataFrame) -> pd.Series[Any] | None:
    """Return the column ``verdict`` if there is one; CorpusError if it holds anything but :data:`VERDICTS`."""
    if "verdict" not in corpus:
        return None
    wrong = corpus["verdict"].dropna()
    if len(wrong := wrong[~wrong.isin(VERDICTS)]):
        mend = f"rename the column if it is your own; those of toolkit.verdicts are {', '.join(VERDICTS)}"
        raise CorpusError(f"corpus: {str(wrong.iloc[0])!r} in the column verdict is no verdict; {mend}")
    return corpus["verdict"]

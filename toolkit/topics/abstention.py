"""Abstention: which documents get no topic, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.language import codes, languages

ENGLISH = ("en", "pcm")
"""Languages that the English model reads: English and Nigerian Pidgin."""


def tongues(corpus: pd.DataFrame, texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return the language of each document: as ``lang`` says, else as its text tells, else missing."""
    given = codes(corpus["lang"])
    untold = given.isna()
    if untold.any():
        given = given.where(~untold, languages(texts.where(untold, "")))
    return given


def reasons(
    corpus: pd.DataFrame,
    texts: pd.Series[Any],
    lang: pd.Series[Any],
    supported: Iterable[str] | None,
    known: NDArray[np.int64],
    top: NDArray[np.float64],
    least: NDArray[np.float64],
) -> pd.Series[Any]:
    """Return why each document has no topic; missing where it has one.

    Parameters
    ----------
    corpus : DataFrame
    texts, lang : Series of str
        What is read of each document beside its title, and its language, missing where it cannot be told.
    supported : iterable of str, optional
        Languages that are answered; default all.
    known : int array
        Different words of each document, title included, that the model knows.
    top : float array
        Highest probability of each document.
    least : float array
        Documents with a lower one have no topic.
    """
    found = np.full(len(corpus), None, dtype=object)
    unsure = top < least
    found[unsure] = [f"probability below {value:g}" for value in least[unsure]]
    if supported is not None:
        foreign = (lang.notna() & ~lang.isin(list(supported))).to_numpy(bool)
        found[foreign] = [f"language {code!r} is not supported" for code in lang[foreign]]
    unread = known == 0
    if unread.any():
        blank = (corpus["title"][unread].fillna("") + texts[unread]).str.strip() == ""
        found[unread] = np.where(blank.to_numpy(bool), "the text is empty", "no known word")
    return pd.Series(found, index=corpus.index, dtype="str")


def counted(why: pd.Series[Any]) -> dict[str, int]:
    """Return how many documents each reason holds for, most frequent first; plain for JSON."""
    counts = why.value_counts()
    return {
        str(reason): int(counts[reason]) for reason in sorted(counts.index, key=lambda r: (-counts[r], r))
    }

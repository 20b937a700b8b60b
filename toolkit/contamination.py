"""Contamination: what boilerplate does to the topics of the articles it stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.topics import taxonomy

if TYPE_CHECKING:
    from toolkit.topics import Explanation, TopicClassifier


def shifts(cleaned: pd.DataFrame, classifier: TopicClassifier) -> pd.DataFrame:
    """Return the leading topic of each document as loaded and as cleaned.

    Parameters
    ----------
    cleaned : DataFrame
        A corpus with ``text`` and ``clean_text``.
    classifier : TopicClassifier
        Asked twice: about ``text``, then about ``clean_text``.

    Returns
    -------
    DataFrame
        ``doc_id``, ``before``, ``after`` (topic codes), ``before_name``, ``after_name``,
        ``before_probability``, ``after_probability``, ``moved`` (half the sum of the absolute differences of
        all probabilities) and ``changed`` (bool), one row a document, in the order of ``cleaned``.
    """
    raw = classifier.predict_proba(cleaned.drop(columns="clean_text"))
    mended = classifier.predict_proba(cleaned)
    codes = np.array(raw.columns)
    names = taxonomy.names("en-GB")
    frame = pd.DataFrame({"doc_id": cleaned["doc_id"].to_numpy()})
    for side, probability in (("before", raw.to_numpy()), ("after", mended.to_numpy())):
        leading = codes[probability.argmax(axis=1)]
        frame[side] = leading
        frame[f"{side}_name"] = [names.get(code, str(code)) for code in leading]
        frame[f"{side}_probability"] = probability.max(axis=1)
    frame["moved"] = np.abs(raw.to_numpy() - mended.to_numpy()).sum(axis=1) / 2
    frame["changed"] = frame["before"] != frame["after"]
    return frame


def carriers(explanation: Explanation, spans: pd.DataFrame) -> pd.DataFrame:
    """Return what each word of a text did for the explained topic, inside and outside the removed spans.

    Parameters
    ----------
    explanation : Explanation
        Of the text as loaded, as ``TopicClassifier.explain`` returns it.
    spans : DataFrame
        ``start``, ``end`` (code points into that text): what was removed. Disjoint.

    Returns
    -------
    DataFrame
        ``word`` (lower case), ``removed`` (bool), ``count``, ``weight`` (log-odds; pairs of words give half
        their weight to each), largest absolute weight first. A word that stands in both has two rows.
    """
    places = explanation.places
    ordered = spans.sort_values("start")
    starts, ends = ordered["start"].to_numpy(), ordered["end"].to_numpy()
    where = np.searchsorted(starts, places["start"].to_numpy(), side="right") - 1
    inside = (
        (where >= 0) & (places["start"].to_numpy() < ends[np.maximum(where, 0)])
        if len(ends)
        else np.zeros(len(places), bool)
    )
    words = [explanation.text[a:b].lower() for a, b in zip(places["start"], places["end"], strict=True)]
    table = pd.DataFrame({"word": words, "removed": inside, "weight": places["weight"].to_numpy()})
    groups = table.groupby(["word", "removed"])["weight"]
    found = pd.DataFrame({"count": groups.size(), "weight": groups.sum()}).reset_index()
    order = found["weight"].abs().sort_values(ascending=False, kind="stable").index
    return found.loc[order, ["word", "removed", "count", "weight"]].reset_index(drop=True)


def tug(
    classifier: TopicClassifier, document: pd.Series[Any], spans: pd.DataFrame, between: tuple[str, str]
) -> pd.DataFrame:
    """Return what each word did to decide between two topics of a text as loaded.

    Parameters
    ----------
    classifier : TopicClassifier
        Asked about ``text`` and ``title``.
    document : Series
        One row of a corpus.
    spans : DataFrame
        The removed spans of that document.
    between : (code, code)
        Positive weights speak for the first, negative for the second.

    Returns
    -------
    DataFrame
        As from :func:`carriers`: the difference of the two topics' weights, in log-odds.
    """
    this, other = (
        carriers(classifier.explain(document["text"], title=document["title"], topic=code), spans)
        for code in between
    )
    table = this.merge(other, on=["word", "removed", "count"], suffixes=("", "_other"))
    table["weight"] -= table.pop("weight_other")
    order = table["weight"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def judged(shifts: pd.DataFrame, gold: pd.DataFrame) -> pd.DataFrame:
    """Return the shifts of the documents that have gold topics, with whether each side is right.

    Parameters
    ----------
    shifts : DataFrame
        As :func:`shifts` returns it.
    gold : DataFrame
        ``doc_id`` and ``primary`` (short code), as in :class:`toolkit.datasets.Gold`.

    Returns
    -------
    DataFrame
        The columns of ``shifts`` and ``gold`` (topic code), ``right_before``, ``right_after`` (bool); those
        that cleaning mended first, then by how much they moved.
    """
    codes = gold.set_index("doc_id")["primary"].map(taxonomy.CODE_OF)
    table = shifts[shifts["doc_id"].isin(codes.index)].copy()
    table["gold"] = codes[table["doc_id"]].to_numpy()
    table["right_before"] = table["before"] == table["gold"]
    table["right_after"] = table["after"] == table["gold"]
    gain = table["right_after"].astype(int) - table["right_before"].astype(int)
    order = table.assign(gain=gain).sort_values(["gain", "moved", "doc_id"], ascending=[False, False, True])
    return order.drop(columns="gain").reset_index(drop=True)

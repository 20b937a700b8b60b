"""Occurrences: every place where a template occurs in a corpus, joined to passages that a person can judge at once.

A *template* is a segment (line or sentence) that a publisher repeats. A *passage* is a run of templates that always
occur together.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import clone

from toolkit.boilerplate import BoilerplateRemover
from toolkit.boilerplate.evidence import COLUMNS, evidence, suspicious
from toolkit.boilerplate.model import shipped_model
from toolkit.boilerplate.reading import About, Reading
from toolkit.boilerplate.repetition import Seen
from toolkit.boilerplate.scoring import KINDS
from toolkit.boilerplate.spans import Cuts, span_table
from toolkit.boilerplate.weighing import keys
from toolkit.buffer import Buffer


def undecided(remover: BoilerplateRemover) -> BoilerplateRemover:
    """Return a copy of the remover without decisions, so that rejected templates can be reviewed again."""
    if not hasattr(remover, "index_"):
        msg = "remover: not fitted, so it knows no templates; call remover.fit(corpus) first"
        raise ValueError(msg)
    bare: BoilerplateRemover = clone(remover).set_params(decisions=None)
    bare.index_ = remover.index_
    return bare


def segments(remover: BoilerplateRemover, corpus: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
    """Return the segments of a corpus that are templates, removed or not, in reading order.

    Decisions apply to segments; a span may join several and has the ``template_id`` of only the longest. Columns:
    ``document`` (row of the corpus), ``segment`` (its number in the corpus), ``start``, ``end`` (code points),
    ``template_id``, ``kind`` (of the span around it, missing if it stays).
    """
    buffer = Buffer.of(corpus["text"])
    read = Reading.of(buffer, About.of(corpus), shipped_model().words)
    lookup = remover.index_.lookup()
    seen = Seen.of(read, lookup)
    scored = suspicious(read, seen)
    at, rows = np.flatnonzero(scored), evidence(read, lookup, seen, scored)
    exact, fuzzy = (rows[:, COLUMNS.index(name)] > 0 for name in ("exact_docs", "fuzzy_docs"))
    template = np.where(exact, keys(read, at, 0), np.where(fuzzy, keys(read, at, 1), np.uint64(0)))
    some = np.flatnonzero(template)
    at, zero = at[some], np.zeros(len(some), np.int64)
    owner = np.searchsorted(read.segments.bounds, at, side="right") - 1  # document of each segment
    start, end = read.segments.start[at], read.segments.end[at]
    cuts = Cuts(owner, start, end, zero, zero.astype(float), zero, template[some])
    table = span_table(corpus, buffer, cuts)[["start", "end", "template_id"]]
    table.insert(0, "segment", at)
    table.insert(0, "document", owner)
    table["kind"] = _kinds(table, spans, corpus)
    return table


def _kinds(table: pd.DataFrame, spans: pd.DataFrame, corpus: pd.DataFrame) -> pd.Series[str]:
    """Return the kind of the span that contains the middle of each segment, missing if there is none."""
    place = pd.Series(np.arange(len(corpus)), index=pd.Index(corpus["doc_id"]))
    base = np.r_[0, np.cumsum(corpus["text"].str.len().to_numpy(np.int64) + 1)]
    offset = base[place.loc[spans["doc_id"]].to_numpy()]
    start, end = offset + spans["start"].to_numpy(), offset + spans["end"].to_numpy()
    middle = base[table["document"]] + (table["start"].to_numpy() + table["end"].to_numpy()) // 2
    row = np.searchsorted(start, middle, side="right") - 1
    inside = (row >= 0) & (middle < np.r_[end, 0][row])
    kinds = np.r_[spans["kind"].to_numpy(object), None][np.where(inside, row, -1)]
    return pd.Series(kinds, index=table.index, dtype="str")


def passages(table: pd.DataFrame) -> pd.DataFrame:
    """Join the templates of :func:`segments` that always occur together; leave out those that are never removed.

    One row per occurrence: ``passage`` (the ``template_id`` of its first template), ``templates`` (tuple of
    ``template_id``), ``document``, ``start``, ``end``, ``kind`` (missing if this occurrence is not removed).
    """
    counts = table.groupby("template_id").size()
    kind = _commonest(table)
    table = table[table["template_id"].isin(kind.index)]
    after = table.shift(-1)
    follows = (after["document"] == table["document"]) & (after["segment"] == table["segment"] + 1)
    pairs = pd.DataFrame({"a": table["template_id"], "b": after["template_id"]})[follows]
    pairs = pairs.groupby(["a", "b"]).size().rename("n").reset_index()
    always = (pairs["n"].to_numpy() == counts[pairs["a"]].to_numpy()) & (
        pairs["n"].to_numpy() == counts[pairs["b"]].to_numpy()
    )
    alike = kind[pairs["a"]].to_numpy() == kind[pairs["b"]].to_numpy()
    links = pairs[always & alike & (pairs["a"] != pairs["b"])]
    following = dict(zip(links["a"], links["b"], strict=True))
    chains: dict[str, tuple[str, ...]] = {}
    for first in kind.index.difference(list(following.values())):
        chain = [first]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        chains |= dict.fromkeys(chain, tuple(chain))
    templates = table["template_id"].map(chains)
    begins = table["template_id"] == templates.str[0]
    steps = templates.str.len().to_numpy() - 1
    last = np.minimum(np.arange(len(table)) + steps, max(len(table) - 1, 0))
    return pd.DataFrame(
        {
            "passage": templates.str[0],
            "templates": templates,
            "document": table["document"],
            "start": table["start"],
            "end": table["end"].to_numpy()[last],
            "kind": table["kind"],
        }
    )[begins].reset_index(drop=True)


def _commonest(table: pd.DataFrame) -> pd.Series[str]:
    """Return the most frequent kind of each template that is removed at least once."""
    counts = table.groupby(["template_id", "kind"]).size().rename("n").reset_index()
    counts["rank"] = counts["kind"].map(KINDS.index)
    counts = counts.sort_values(["template_id", "n", "rank"], ascending=[True, False, True])
    return counts.drop_duplicates("template_id").set_index("template_id")["kind"]


def summary(occurrences: pd.DataFrame, corpus: pd.DataFrame) -> pd.DataFrame:
    """Summarise the occurrences of each passage, those with the most removed characters first.

    Columns: ``passage``, ``templates``, ``publisher``, ``kind`` (the most frequent), ``documents``, ``occurrences``,
    ``removed`` (number of removed occurrences), ``characters`` (int64, removed in total), ``first_seen``,
    ``last_seen`` (``datetime64[us, UTC]``).
    """
    row = corpus.iloc[occurrences["document"]]
    gone = occurrences["kind"].notna()
    size = (occurrences["end"] - occurrences["start"]).where(gone, 0)
    full = occurrences.assign(
        publisher=row["publisher"].array, published=row["published"].array, gone=gone, size=size
    )
    kind = _commonest(full.rename(columns={"passage": "template_id", "templates": "_"}))
    table = full.groupby("passage").agg(
        templates=("templates", "first"),
        publisher=("publisher", "first"),
        documents=("document", "nunique"),
        occurrences=("gone", "size"),
        removed=("gone", "sum"),
        characters=("size", "sum"),
        first_seen=("published", "min"),
        last_seen=("published", "max"),
    )
    table.insert(2, "kind", kind.reindex(table.index))
    return table.reset_index().sort_values(
        ["characters", "passage"], ascending=[False, True], ignore_index=True
    )

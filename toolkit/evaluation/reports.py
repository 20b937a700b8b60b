"""Report on a classifier of one's own labels: what it would score on publishers and stories it never saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import GroupKFold

from toolkit.census import rate
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.display import Table, escaped
from toolkit.duplication import duplicates
from toolkit.evaluation.scores import Bools, Floats, Rows, class_f1, estimated, topic_metrics
from toolkit.topics import TopicClassifier
from toolkit.topics.fitting import memberships

Splits = list[tuple[Rows, Rows]]

_METRICS = {
    "one label": {name: name for name in ("accuracy", "macro F1", "ECE", "accuracy at 70 %")},
    "sets": {
        "all right": "all right",
        "macro F1": "macro F1 of sets",
        "micro F1": "micro F1",
        "ECE": "cell ECE",
    },
}
"""Sort of labels → names of a report's figures, and what :func:`topic_metrics` calls them."""


@dataclass(frozen=True, repr=False)
class TopicReport:
    """What cross-validation found; a notebook shows it as small tables.

    Attributes
    ----------
    scores : DataFrame
        ``metric``, ``value``, ``low``, ``high`` (95 % bootstrap intervals). One label a document:
        ``accuracy``, ``macro F1``, ``ECE`` and ``accuracy at 70 %``; sets of labels: ``all right``, ``macro F1``,
        ``micro F1`` and ``ECE`` (of every figure).
    classes : DataFrame
        One row a class: ``topic``, ``documents``, ``predicted``; ``precision``, ``recall`` (intervals: Wilson
        1927) and ``f1`` (bootstrap), each with ``_low`` and ``_high``.
    confusion : DataFrame or None
        Documents by true (rows) and predicted class (columns); None for sets of labels.
    learning : DataFrame
        ``documents`` (trained on, mean of the folds) and the columns of ``scores``; the last size is the whole.
    predictions : DataFrame
        ``doc_id``, ``fold``, ``true``, ``predicted``; of the likeliest label ``probability`` and ``correct`` (it is one
        of the document's), as :func:`toolkit.plots.reliability` and :func:`toolkit.plots.coverage` read them.
    split : str
        How training and test documents were kept apart.
    """

    scores: pd.DataFrame
    classes: pd.DataFrame
    confusion: pd.DataFrame | None
    learning: pd.DataFrame
    predictions: pd.DataFrame
    split: str

    def confused(self, n: int = 5) -> pd.DataFrame:
        """Return the most frequent confusions: ``true``, ``predicted``, ``documents``."""
        if self.confusion is None:
            return pd.DataFrame({"true": [], "predicted": [], "documents": []})
        cells = self.confusion.stack().rename("documents").reset_index()  # noqa: PD013  (melt goes by column)
        cells = cells[(cells["true"] != cells["predicted"]) & (cells["documents"] > 0)]
        return cells.sort_values("documents", ascending=False, kind="stable", ignore_index=True).head(n)

    def _tables(self) -> list[Table]:
        first, *_ = self.scores["metric"]
        curve = self.learning[self.learning["metric"] == first].rename(columns={"value": first})
        shown = (
            self.scores,
            self.classes[["topic", "documents", "precision", "recall", "f1", "f1_low", "f1_high"]],
            self.confused(),
            curve[["documents", first, "low", "high"]],
        )
        return [Table(frame.round(3)) for frame in shown if len(frame)]

    def __repr__(self) -> str:
        return "\n\n".join([self.split, *map(repr, self._tables())])

    def _repr_html_(self) -> str:
        return f"<p>{escaped(self.split)}</p>" + "".join(table._repr_html_() for table in self._tables())


def topic_report(
    clf: TopicClassifier, corpus: CorpusLike, y: Iterable[Any], groups: Iterable[Any] | None = None, *,
    folds: int = 5, learning: Sequence[float] = (0.125, 0.25, 0.5), draws: int = 1000, seed: int = 0,
) -> TopicReport:  # fmt: skip
    """Score a classifier on one's own labels by cross-validation, as honestly as the corpus allows.

    Parameters
    ----------
    clf : TopicClassifier
        Its parameters count; copies are fitted, ``clf`` stays as it is.
    corpus, y : corpus, and an iterable of one entry a document
        A label each, or a set of labels, as for :meth:`toolkit.topics.TopicClassifier.fit`.
    groups : iterable, optional
        Documents of a group never straddle a split. Default: no publisher straddles a split, where every
        document has one and there are at least ``folds``; and no document is trained on that near-duplicates
        one to be tested (:func:`toolkit.duplicates`).
    learning : sequence of float, default (0.125, 0.25, 0.5)
        Shares of the training documents at which the learning curve is measured as well; each costs up to one more
        fit a fold. A share that leaves fewer than two classes is left out.
    folds, draws, seed : int, default 5, 1000 and 0
        Of the cross-validation and the bootstrap; whole groups are drawn where documents are grouped.

    Raises
    ------
    ValueError
        Labels do not match the documents, there are fewer groups than folds, or all training documents of a
        fold have one label.

    Examples
    --------
    >>> texts = [f"{word} number {i}" for i in range(20) for word in ("boats sail", "cows graze")]
    >>> report = topic_report(TopicClassifier(bits=12), texts, ["sea", "farm"] * 20, folds=4, learning=(), draws=9)
    >>> float(report.scores.set_index("metric").loc["accuracy", "value"])
    1.0
    """
    frame, labels = as_corpus(corpus), list(y)
    classes, member, single = memberships(labels, len(frame))
    splits, units, split, alike = _splits(frame, None if groups is None else list(groups), folds, seed)
    random = np.random.default_rng(seed)
    orders = [random.permutation(train) for train, _ in splits]
    names = _METRICS["one label" if single else "sets"]
    learned: list[pd.DataFrame] = []
    for share in [*sorted({float(each) for each in learning if each < 1}), 1.0]:
        parts = [np.sort(order[: round(share * len(order))]) for order in orders]
        if min(int(member[part].any(axis=0).sum()) for part in parts) < 2:
            if share < 1:
                continue
            msg = "topic_report: the training documents of a fold have one label only; pass other groups"
            raise ValueError(msg)
        values = np.zeros(member.shape)
        for part, (_, test) in zip(parts, splits, strict=True):
            fitted = clone(clf).fit(frame.iloc[part], [labels[n] for n in part], groups=units[part])
            found = fitted.predict_proba(frame.iloc[test])
            values[test[:, None], [classes.index(code) for code in found.columns]] = found.to_numpy()
        listed = np.eye(len(classes), dtype=bool)[values.argmax(axis=1)] if single else values >= 0.5
        figures = _figures(member, values, listed, list(names.values()))
        table = estimated(figures, len(frame), groups=units if alike else None, draws=draws, seed=seed)
        scores = table.head(len(names)).assign(metric=list(names))[["metric", "value", "low", "high"]]
        size = round(sum(map(len, parts)) / len(parts))
        learned.append(scores.assign(documents=size)[["documents", *scores.columns]])
    confusion = pd.DataFrame(
        member.astype(int).T @ listed.astype(int),
        pd.Index(classes, name="true"),
        pd.Index(classes, name="predicted"),
    )
    lead, code = values.argmax(axis=1), np.array(classes, dtype=object)
    true, predicted = labels, code[lead]
    if not single:
        true, predicted = ([frozenset(code[row]) for row in mask] for mask in (member, listed))
    fold, doc_id = np.zeros(len(frame), np.int64), frame["doc_id"].to_numpy()
    for number, (_, test) in enumerate(splits):
        fold[test] = number
    predictions = pd.DataFrame({"doc_id": doc_id, "fold": fold, "true": true, "predicted": predicted})
    correct = member[np.arange(len(frame)), lead]
    return TopicReport(
        scores=scores,
        classes=_class_table(classes, member, listed, table.iloc[len(names) :]),
        confusion=confusion if single else None,
        learning=pd.concat(learned, ignore_index=True),
        predictions=predictions.assign(probability=values.max(axis=1, initial=0.0), correct=correct),
        split=split,
    )


def _splits(
    frame: pd.DataFrame, groups: list[Any] | None, folds: int, seed: int
) -> tuple[Splits, Rows, str, bool]:
    """Split so that no unit straddles a split; return also the units, what they are, whether each holds like texts."""
    copies: Rows | None = None
    if groups is not None:
        units = pd.factorize(pd.Series(groups, dtype=object), use_na_sentinel=False)[0]
        name, alike = "groups as given", True
    elif frame["publisher"].notna().all() and frame["publisher"].nunique() >= folds:
        units, copies = pd.factorize(frame["publisher"])[0], _duplicate_groups(frame)
        name, alike = "publishers; no near-duplicates across", True
    else:
        units, name, alike = _duplicate_groups(frame), "groups of near-duplicates", False
    if len(units) != len(frame):
        msg = f"topic_report: {len(units)} groups for {len(frame)} documents; give one entry a document"
        raise ValueError(msg)
    n = len(np.unique(units))
    if n < folds:
        msg = f"topic_report: {n} groups for {folds} folds; pass folds={max(n, 2)} or finer groups"
        raise ValueError(msg)
    splits = list(GroupKFold(folds, shuffle=True, random_state=seed).split(units, groups=units))
    if copies is not None:  # copy that publishers share is left out of training: joining them would join all
        splits = [(train[~np.isin(copies[train], copies[test])], test) for train, test in splits]
    return splits, units, f"{len(frame):,} documents in {folds} folds that part {n:,} {name}", alike


def _duplicate_groups(frame: pd.DataFrame) -> Rows:
    found = duplicates(frame)
    group = dict(zip(found["doc_id"], found["group"], strict=True))
    return pd.factorize(np.array([group.get(doc_id, doc_id) for doc_id in frame["doc_id"]], object))[0]


def _figures(member: Bools, values: Floats, listed: Bools, names: list[str]) -> Callable[[Rows], Floats]:
    """Return a function of rows that gives the metrics of these names, then the F1 of each class."""
    known = topic_metrics(values, member, listed, member.argmax(axis=1))
    metrics = [known[name] for name in names]
    return lambda rows: np.array([*(each(rows) for each in metrics), *class_f1(member[rows], listed[rows])])


def _class_table(classes: tuple[Any, ...], member: Bools, listed: Bools, f1: pd.DataFrame) -> pd.DataFrame:
    true, predicted, hits = (table.sum(axis=0) for table in (member, listed, member & listed))
    table = pd.DataFrame({"topic": list(classes), "documents": true, "predicted": predicted})
    for name, whole in (("precision", predicted), ("recall", true)):
        rates = [list(rate(int(k), int(n)).values()) for k, n in zip(hits, whole, strict=True)]
        table[[name, f"{name}_low", f"{name}_high"]] = np.array(rates)
    table[["f1", "f1_low", "f1_high"]] = f1[["value", "low", "high"]].to_numpy()
    return table

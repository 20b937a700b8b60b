"""Report on a classifier of one's own labels: what it would score on publishers and stories it never saw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import GroupKFold

from toolkit.census import rate
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.display import Table, escaped
from toolkit.duplication import duplicates
from toolkit.evaluation.scores import (
    Metrics,
    accuracy,
    bootstrap,
    calibration_error,
    coverage_accuracy,
    micro_f1,
)
from toolkit.topics import TopicClassifier
from toolkit.topics.fitting import memberships

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Splits = list[tuple[Ints, Ints]]

_SHOWN = 5


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
        ``doc_id``, ``fold``, ``true``, ``predicted``; for single labels also ``probability`` and ``correct``, as
        :func:`toolkit.plots.reliability` and :func:`toolkit.plots.coverage` read them.
    split : str
        How training and test documents were kept apart.
    """

    scores: pd.DataFrame
    classes: pd.DataFrame
    confusion: pd.DataFrame | None
    learning: pd.DataFrame
    predictions: pd.DataFrame
    split: str

    def confused(self, n: int = _SHOWN) -> pd.DataFrame:
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
    frame = as_corpus(corpus)
    classes, member, single = memberships(y, len(frame))
    given = None if groups is None else list(groups)
    units, split, clustered = _units(frame, given, folds)
    splits = _splits(frame, units, folds, seed, purge=given is None and clustered)
    random = np.random.default_rng(seed)
    orders = [random.permutation(train) for train, _ in splits]
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
            labels = [{classes[c] for c in np.flatnonzero(row)} for row in member[part]]
            fitted = clone(clf).fit(
                frame.iloc[part], [label.pop() for label in labels] if single else labels, groups=units[part]
            )
            found = fitted.predict_proba(frame.iloc[test])
            values[test[:, None], [classes.index(code) for code in found.columns]] = found.to_numpy()
        predicted_sets = _listed(values, single)
        names, metrics = _metrics(member, values, predicted_sets, single)
        drawn = units if clustered else None
        low, high = bootstrap(metrics, len(frame), groups=drawn, draws=draws, seed=seed)
        figures = pd.DataFrame({"value": metrics(np.arange(len(frame))), "low": low, "high": high})
        known = figures.head(len(names)).assign(metric=names)[["metric", "value", "low", "high"]]
        size = round(sum(map(len, parts)) / len(parts))
        learned.append(known.assign(documents=size)[["documents", *known.columns]])
    fold = np.zeros(len(frame), np.int64)
    for number, (_, test) in enumerate(splits):
        fold[test] = number
    index, columns = (pd.Index(list(classes), name=name) for name in ("true", "predicted"))
    confusion = pd.DataFrame(member.astype(int).T @ predicted_sets.astype(int), index=index, columns=columns)
    return TopicReport(
        scores=known,
        classes=_class_table(classes, member, predicted_sets, figures.iloc[len(names) :]),
        confusion=confusion if single else None,
        learning=pd.concat(learned, ignore_index=True),
        predictions=_predictions(frame, classes, member, values, predicted_sets, single).assign(fold=fold),
        split=split,
    )


def _units(frame: pd.DataFrame, given: list[Any] | None, folds: int) -> tuple[Ints, str, bool]:
    """Number what must not straddle a split, say what it is, and whether its documents are alike."""
    if given is not None:
        if len(given) != len(frame):
            msg = f"topic_report: {len(given)} groups for {len(frame)} documents; give one entry a document"
            raise ValueError(msg)
        units = pd.factorize(pd.Series(given, dtype=object), use_na_sentinel=False)[0]
        unit_name, clustered = "groups as given", True
    elif frame["publisher"].notna().all() and frame["publisher"].nunique() >= folds:
        units = pd.factorize(frame["publisher"])[0]
        unit_name, clustered = "publishers; no near-duplicates across", True
    else:
        units, unit_name, clustered = _duplicate_groups(frame), "groups of near-duplicates", False
    n = len(np.unique(units))
    if n < folds:
        msg = f"topic_report: {n} groups for {folds} folds; pass folds={max(n, 2)} or finer groups"
        raise ValueError(msg)
    split = f"{len(frame):,} documents in {folds} folds that part {n:,} {unit_name}"
    return units.astype(np.int64), split, clustered


def _duplicate_groups(frame: pd.DataFrame) -> Ints:
    found = duplicates(frame)
    group = dict(zip(found["doc_id"], found["group"], strict=True))
    units = pd.Series([group.get(doc_id, doc_id) for doc_id in frame["doc_id"]], dtype="str")
    return pd.factorize(units)[0].astype(np.int64)


def _splits(frame: pd.DataFrame, units: Ints, folds: int, seed: int, *, purge: bool) -> Splits:
    """Split by units; where publishers share copy, leave it out of training: joining them would join all."""
    splits = list(GroupKFold(folds, shuffle=True, random_state=seed).split(units, groups=units))
    if not purge:
        return splits
    copies = _duplicate_groups(frame)
    return [(train[~np.isin(copies[train], copies[test])], test) for train, test in splits]


def _listed(values: Floats, single: bool) -> Bools:
    if not single:
        return np.asarray(values >= 0.5)
    predicted_sets = np.zeros(values.shape, bool)
    predicted_sets[np.arange(len(values)), values.argmax(axis=1)] = True
    return predicted_sets


def _metrics(member: Bools, values: Floats, predicted_sets: Bools, single: bool) -> tuple[list[str], Metrics]:
    """Name the figures of the scores; the metrics give those, then the F1 of each class."""
    right, sure = (member == predicted_sets).all(axis=1), values.max(axis=1, initial=0.0)

    def f1(rows: Ints) -> Floats:
        true, predicted = member[rows].sum(axis=0), predicted_sets[rows].sum(axis=0)
        hits = (member[rows] & predicted_sets[rows]).sum(axis=0)
        return np.where(true + predicted > 0, 2 * hits / np.maximum(true + predicted, 1), np.nan)

    def figures(rows: Ints) -> Floats:
        each, present = f1(rows), member[rows].any(axis=0)
        macro = each[present].mean() if present.any() else np.nan
        if single:
            ece = calibration_error(sure[rows], right[rows])
            more = [ece, coverage_accuracy(sure[rows], right[rows])]
        else:
            ece = calibration_error(values[rows].ravel(), member[rows].ravel())
            more = [micro_f1(member[rows], predicted_sets[rows]), ece]
        return np.array([accuracy(right[rows]), macro, *more, *each])

    if single:
        return ["accuracy", "macro F1", "ECE", "accuracy at 70 %"], figures
    return ["all right", "macro F1", "micro F1", "ECE"], figures


def _class_table(
    classes: tuple[Any, ...], member: Bools, predicted_sets: Bools, f1: pd.DataFrame
) -> pd.DataFrame:
    true, predicted, hits = (table.sum(axis=0) for table in (member, predicted_sets, member & predicted_sets))
    table = pd.DataFrame({"topic": list(classes), "documents": true, "predicted": predicted})
    for name, whole in (("precision", predicted), ("recall", true)):
        rates = [list(rate(int(k), int(n)).values()) for k, n in zip(hits, whole, strict=True)]
        table[[name, f"{name}_low", f"{name}_high"]] = np.array(rates)
    table[["f1", "f1_low", "f1_high"]] = f1[["value", "low", "high"]].to_numpy()
    return table


def _predictions(
    frame: pd.DataFrame, classes: tuple[Any, ...], member: Bools, values: Floats, predicted_sets: Bools,
    single: bool,
) -> pd.DataFrame:  # fmt: skip
    table = pd.DataFrame({"doc_id": frame["doc_id"].to_numpy()})
    names = np.array(classes, dtype=object)
    for column, mask in (("true", member), ("predicted", predicted_sets)):
        sets = [frozenset(names[row]) for row in mask]
        table[column] = [next(iter(each)) for each in sets] if single else sets
    if single:
        table["probability"] = values.max(axis=1, initial=0.0)
        table["correct"] = (member == predicted_sets).all(axis=1)
    return table

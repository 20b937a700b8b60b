"""How good the toolkit is: scores of spans and topics against labels, with intervals, and a report on own labels.

All intervals are of 95 %, by bootstrap over documents where nothing else is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import GroupKFold

from toolkit.boilerplate import KINDS
from toolkit.census import rate
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.display import Table, escaped
from toolkit.duplication import duplicates
from toolkit.tables import beside
from toolkit.topics import TopicClassifier
from toolkit.topics.fitting import memberships

__all__ = ["TopicReport", "span_counts", "span_scores", "topic_report", "topic_scores"]

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# figures of rows of the data, of which one may come more than once
Metrics = Callable[[Rows], "float | Floats"]

COUNTS = ("hit", "false", "missed", "article")
"""Counts of non-blank characters: boilerplate found, article text wrongly removed, boilerplate missed, article text."""
_COUNTED = (*COUNTS, "right_kind", *(f"{kind}{end}" for kind in KINDS for end in ("", "_hit")))

LEADING = ("accuracy", "macro F1", "among all", "micro F1", "ECE", "cell ECE", "accuracy at 70 %")
SINGLE = {name: name for name in ("accuracy", "macro F1", "ECE", "accuracy at 70 %")}
SETS = {"all right": "all right", "macro F1": "macro F1 of sets", "micro F1": "micro F1", "ECE": "cell ECE"}
"""Figures of :func:`topic_metrics`: those of :func:`topic_scores`; those of a report on one label a document, and on
sets of labels, by the names that they have there."""

BINS = 10  # of a calibration error


def bootstrap(
    metrics: Metrics, documents: int, *, groups: NDArray[np.generic] | None = None, draws: int = 1000,
    seed: int = 0,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return the ends of the percentile bootstrap intervals (Efron 1979), arrays of one entry a figure.

    All figures are of the same draws. With ``groups``, an entry a document, whole groups are drawn, such as publishers,
    whose documents are alike. An end is NaN where every draw gave NaN, or there is nothing to draw from.
    """
    if not documents:
        nothing = np.full(np.size(metrics(np.arange(0))), np.nan)
        return nothing, nothing
    members: list[Rows] = []
    if groups is not None:
        _, group = np.unique(groups, return_inverse=True)
        members = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group))[:-1])
    random, units, drawn = np.random.default_rng(seed), len(members) or documents, []
    for _ in range(draws):
        rows = random.integers(0, units, units)
        drawn.append(metrics(np.concatenate([members[each] for each in rows]) if members else rows))
    low, high = pd.DataFrame(np.array(drawn).reshape(draws, -1)).quantile([0.025, 0.975]).to_numpy()
    return low, high


def estimated(metrics: Metrics, documents: int, **how: Any) -> pd.DataFrame:
    """Return each figure of all documents as ``value``, with the ends ``low`` and ``high`` of :func:`bootstrap`."""
    low, high = bootstrap(metrics, documents, **how)
    return pd.DataFrame({"value": metrics(np.arange(documents)), "low": low, "high": high})


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def span_counts(corpus: CorpusLike, gold: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Compare found spans with gold (reference) spans, document by document; spans of other documents are ignored.

    Both tables have ``doc_id, start, end`` (code points, half-open) and ``kind``. One row a document: ``doc_id``,
    ``publisher``, :data:`COUNTS`, ``right_kind`` (characters of ``hit`` whose kind is right), and of each kind
    ``<kind>`` (gold characters) and ``<kind>_hit`` (those found).
    """
    frame = as_corpus(corpus)
    # of gold and found spans, 1 + the number of the kind of each character, 0 outside
    sides = [[np.zeros(length, np.int8) for length in frame["text"].str.len()] for _ in range(2)]
    row_of = {doc_id: row for row, doc_id in enumerate(frame["doc_id"])}
    for masks, (name, given) in zip(sides, {"gold": gold, "found": found}.items(), strict=True):
        spans = beside(name, given, ["start", "end", "kind"], row_of)
        known = spans[spans["doc_id"].isin(row_of)]
        if len(other := known[~known["kind"].isin(KINDS)]):
            mend = f"drop it, or name one of {', '.join(KINDS)}"
            raise ValueError(f"spans: {other['kind'].iloc[0]!r} is no kind that is scored; {mend}")
        for doc_id, start, end, kind in known[["doc_id", "start", "end", "kind"]].itertuples(index=False):
            masks[row_of[doc_id]][start:end] = 1 + KINDS.index(kind)
    rows = []
    for text, *masks in zip(frame["text"], *sides, strict=True):
        solid = np.array([not c.isspace() for c in text], bool)
        truth, guess = (mask[solid] for mask in masks)
        hit = (truth > 0) & (guess > 0)
        counted = {"hit": hit, "false": (truth == 0) & (guess > 0), "missed": (truth > 0) & (guess == 0),
                   "article": truth == 0, "right_kind": hit & (truth == guess)}  # fmt: skip
        for number, kind in enumerate(KINDS, 1):
            counted |= {kind: truth == number, f"{kind}_hit": hit & (truth == number)}
        rows.append({name: mask.sum() for name, mask in counted.items()})
    counts = pd.DataFrame(rows, columns=_COUNTED)
    return frame[["doc_id", "publisher"]].reset_index(drop=True).join(counts)


def span_scores(counts: pd.DataFrame, *, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Compute scores from what :func:`span_counts` counted.

    Index: ``precision``, ``recall``, ``f1``, ``article_lost`` (share of article text that was removed),
    ``kind_accuracy`` (these five from the summed counts of all documents), ``f1_macro`` (mean F1 of the publishers
    with boilerplate), ``recall_<kind>``. Columns: ``value``, ``low``, ``high``, all in [0, 1].

    >>> gold = pd.DataFrame([("0", 0, 4, "promo")], columns=["doc_id", "start", "end", "kind"])
    >>> float(span_scores(span_counts(["Ads! Story."], gold, gold), draws=10).loc["f1", "value"])
    1.0
    """
    table = counts[[*_COUNTED]].to_numpy(np.float64)
    publisher = pd.factorize(counts["publisher"].astype("str").fillna(""))[0]

    def figures(rows: Rows) -> dict[str, float]:
        n = dict(zip(_COUNTED, table[rows].sum(axis=0), strict=True))
        sums = np.zeros((publisher.max(initial=-1) + 1, 3))
        np.add.at(sums, publisher[rows], table[rows][:, :3])
        hit, false, missed = sums[sums[:, 0] + sums[:, 2] > 0].T
        return {
            "precision": _ratio(n["hit"], n["hit"] + n["false"]),
            "recall": _ratio(n["hit"], n["hit"] + n["missed"]),
            "f1": _ratio(2 * n["hit"], 2 * n["hit"] + n["false"] + n["missed"]),
            "article_lost": _ratio(n["false"], n["article"]),
            "kind_accuracy": _ratio(n["right_kind"], n["hit"]),
            "f1_macro": _ratio((2 * hit / (2 * hit + false + missed)).sum(), len(hit)),
            **{f"recall_{kind}": _ratio(n[f"{kind}_hit"], n[kind]) for kind in KINDS},
        }

    found = estimated(lambda rows: np.array([*figures(rows).values()]), len(table), draws=draws, seed=seed)
    return found.set_axis([*figures(np.arange(0))])


def accuracy(correct: Bools) -> float:
    """Return the share of documents that are right."""
    return _ratio(correct.sum(), len(correct))


def class_f1(member: Bools, listed: Bools) -> Floats:
    """Return the F1 of each class from bool arrays of shape (documents, classes); NaN for one that never occurs."""
    hits, total = (member & listed).sum(axis=0), member.sum(axis=0) + listed.sum(axis=0)
    return np.where(total > 0, 2 * hits / np.maximum(total, 1), np.nan)


def macro_f1(member: Bools, listed: Bools) -> float:
    """Return the mean F1 over the classes that occur in ``member``."""
    present = member.any(axis=0)
    return _ratio(class_f1(member, listed)[present].sum(), present.sum())


def micro_f1(member: Bools, listed: Bools) -> float:
    """Return the F1 of all (document, class) pairs together."""
    return _ratio(2 * (member & listed).sum(), member.sum() + listed.sum())


def calibration_error(probability: Floats, correct: Bools) -> float:
    """Return the mean gap of bins of equal width, weighted by their size (Naeini, Cooper and Hauskrecht 2015)."""
    if not len(probability):
        return float("nan")
    number = np.minimum((probability * BINS).astype(int), BINS - 1)
    gap = np.bincount(number, weights=probability - correct, minlength=BINS)
    return float(np.abs(gap).sum() / len(probability))


def coverage_accuracy(confidence: Floats, correct: Bools, coverage: float = 0.7) -> float:
    """Return the accuracy on the surest share of the documents; those as sure as the last one count by their mean."""
    take = round(coverage * len(confidence))
    if take == 0:
        return float("nan")
    last = np.sort(confidence)[::-1][take - 1]
    above, at = confidence > last, confidence == last
    return float((correct[above].sum() + (take - above.sum()) * correct[at].mean()) / take)


def topic_metrics(
    names: Iterable[str], values: Floats, member: Bools, listed: Bools, wanted: Rows
) -> Metrics:  # fmt: skip
    """Return a function of the rows that count, which gives the metrics of these names one after the other.

    ``values`` (probabilities), ``member`` (true topics) and ``listed`` (predicted ones) have shape (documents, topics);
    ``wanted`` is the column of each document's leading topic, -1 where it has none.
    """
    lead, sure = values.argmax(axis=1), values.max(axis=1, initial=0.0)
    correct = lead == wanted
    one_hot = np.eye(values.shape[1] + 1, dtype=bool)  # the last row is that of -1
    known: dict[str, Metrics] = {
        "accuracy": lambda r: accuracy(correct[r]),
        "macro F1": lambda r: macro_f1(one_hot[wanted[r]], one_hot[lead[r]]),
        "among all": lambda r: accuracy(member[r, lead[r]]),
        "micro F1": lambda r: micro_f1(member[r], listed[r]),
        "ECE": lambda r: calibration_error(sure[r], correct[r]),
        "cell ECE": lambda r: calibration_error(values[r].ravel(), member[r].ravel()),
        "accuracy at 70 %": lambda r: coverage_accuracy(sure[r], correct[r]),
        "all right": lambda r: accuracy((member[r] == listed[r]).all(axis=1)),
        "macro F1 of sets": lambda r: macro_f1(member[r], listed[r]),
        "F1 by class": lambda r: class_f1(member[r], listed[r]),
    }
    metrics = [known[name] for name in names]
    return lambda rows: np.hstack([metric(rows) for metric in metrics])


def topic_scores(
    probability: pd.DataFrame, primary: Iterable[Any], topics: Iterable[Iterable[Any]], *,
    listed: Bools | None = None, by: Iterable[Any] | None = None, draws: int = 1000,
) -> pd.DataFrame:  # fmt: skip
    """Score probabilities, one row a document and one column a topic, against labels: in all, and for each of ``by``.

    ``primary`` is the leading topic of each document, ``topics`` the set of all its topics; ``listed`` tells which were
    predicted, shape (documents, topics), default the likeliest and those of probability 0.5 or more.

    Returned are ``group`` (``all`` first), ``documents``, ``metric``, ``value``, ``low``, ``high``. Metrics are
    ``accuracy`` and ``macro F1`` of the leading topic, ``among all`` (it is one of the document's topics), ``micro F1``
    of all topics, ``ECE`` (leading against primary topic), ``cell ECE`` (every figure) and ``accuracy at 70 %``.
    """
    codes, values = list(probability.columns), probability.to_numpy(float)
    rows, primary, sets = np.arange(len(values)), list(primary), [set(each) for each in topics]
    if not len(rows) == len(primary) == len(sets):
        counts = f"{len(rows)} documents, {len(primary)} primary topics, {len(sets)} sets"
        raise ValueError(f"topic_scores: {counts}; give one entry a document")
    member = np.array([[code in each for code in codes] for each in sets], bool).reshape(values.shape)
    if listed is None:
        listed = values >= 0.5
        listed[rows, values.argmax(axis=1)] = True
    wanted = pd.Index(codes).get_indexer(pd.Index(primary, dtype=object))
    listed = np.asarray(listed, bool)
    groups: dict[Any, Rows] = {"all": rows}
    if by is not None:
        key = np.array(list(by), dtype=object)
        groups |= {value: np.flatnonzero(key == value) for value in dict.fromkeys(key)}
    out = []
    for group, of in groups.items():
        metrics = topic_metrics(LEADING, values[of], member[of], listed[of], wanted[of])
        found = estimated(metrics, len(of), draws=draws)
        out.append(pd.DataFrame({"group": group, "documents": len(of), "metric": LEADING}).join(found))
    return pd.concat(out, ignore_index=True)


@dataclass(frozen=True, repr=False)
class TopicReport:
    """What cross-validation found; a notebook shows it as small tables.

    ``scores``: ``metric``, ``value``, ``low``, ``high``. One label a document: ``accuracy``, ``macro F1``, ``ECE`` and
    ``accuracy at 70 %``; sets of labels: ``all right``, ``macro F1``, ``micro F1`` and ``ECE`` (of every figure).
    ``classes``: ``topic``, ``documents``, ``predicted``; ``precision``, ``recall`` (Wilson 1927) and ``f1``, each with
    ``_low`` and ``_high``. ``confusion``: documents by true (rows) and predicted class (columns); None for sets of
    labels. ``learning``: ``documents`` (trained on, mean of the folds; the last size is the whole) and the columns of
    ``scores``. ``predictions``: ``doc_id``, ``fold``, ``true``, ``predicted``; of the likeliest label ``probability``
    and ``correct`` (it is one of the document's), for :func:`toolkit.plots.reliability` and
    :func:`toolkit.plots.coverage`. ``split``: how training and test documents were kept apart.
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
        classes = self.classes[["topic", "documents", "precision", "recall", "f1", "f1_low", "f1_high"]]
        shown = self.scores, classes, self.confused(), curve[["documents", first, "low", "high"]]
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

    The parameters of ``clf`` count; copies are fitted. ``y`` has an entry a document, a label or a set of labels, as
    for :meth:`toolkit.topics.TopicClassifier.fit`. A ValueError says that labels do not match the documents, that there
    are fewer groups than folds, or that all training documents of a fold have one label.

    Parameters
    ----------
    groups : iterable, optional
        Documents of a group never straddle a split. Default: no publisher straddles a split, where every
        document has one and there are at least ``folds``; and no document is trained on that near-duplicates
        one to be tested (:func:`toolkit.duplicates`).
    learning : sequence of float, default (0.125, 0.25, 0.5)
        Shares of the training documents at which the learning curve is measured as well; each costs up to one more
        fit a fold. A share that leaves fewer than two classes is left out.
    folds, draws, seed : int, default 5, 1000 and 0
        Of the cross-validation and the bootstrap; whole groups are drawn where documents are grouped.

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
    names = SINGLE if single else SETS
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
            chances = fitted.predict_proba(frame.iloc[test])
            values[test[:, None], [classes.index(code) for code in chances.columns]] = chances.to_numpy()
        listed = np.eye(len(classes), dtype=bool)[values.argmax(axis=1)] if single else values >= 0.5
        wanted = [*names.values(), "F1 by class"]
        metrics = topic_metrics(wanted, values, member, listed, member.argmax(axis=1))
        table = estimated(metrics, len(frame), groups=units if alike else None, draws=draws, seed=seed)
        scores = table.head(len(names)).assign(metric=list(names))[["metric", "value", "low", "high"]]
        size = round(sum(map(len, parts)) / len(parts))
        learned.append(scores.assign(documents=size)[["documents", *scores.columns]])
    sides = (pd.Index(classes, name=name) for name in ("true", "predicted"))
    confusion = pd.DataFrame(member.astype(int).T @ listed.astype(int), *sides)
    lead, code = values.argmax(axis=1), np.array(classes, dtype=object)
    true, predicted = labels, code[lead]
    if not single:
        true, predicted = ([frozenset(code[row]) for row in mask] for mask in (member, listed))
    fold = np.zeros(len(frame), np.int64)
    for number, (_, test) in enumerate(splits):
        fold[test] = number
    found = {"doc_id": frame["doc_id"].to_numpy(), "fold": fold, "true": true, "predicted": predicted}
    found |= {"probability": values.max(axis=1, initial=0.0), "correct": member[np.arange(len(frame)), lead]}
    by_class = _class_table(classes, member, listed, table.iloc[len(names) :])
    curve = pd.concat(learned, ignore_index=True)
    return TopicReport(scores, by_class, confusion if single else None, curve, pd.DataFrame(found), split)


def _splits(
    frame: pd.DataFrame, groups: list[Any] | None, folds: int, seed: int
) -> tuple[list[tuple[Rows, Rows]], Rows, str, bool]:
    """Split so that no unit straddles a split; return also the units, what they are, whether each holds like texts."""
    if groups is not None:
        units = copies = pd.factorize(pd.Series(groups, dtype=object), use_na_sentinel=False)[0]
        name, alike = "groups as given", True
    elif frame["publisher"].notna().all() and frame["publisher"].nunique() >= folds:
        units, copies = pd.factorize(frame["publisher"])[0], _duplicate_groups(frame)
        name, alike = "publishers; no near-duplicates across", True
    else:
        units = copies = _duplicate_groups(frame)
        name, alike = "groups of near-duplicates", False
    if len(units) != len(frame):
        msg = f"topic_report: {len(units)} groups for {len(frame)} documents; give one entry a document"
        raise ValueError(msg)
    n = len(np.unique(units))
    if n < folds:
        msg = f"topic_report: {n} groups for {folds} folds; pass folds={max(n, 2)} or finer groups"
        raise ValueError(msg)
    splits = GroupKFold(folds, shuffle=True, random_state=seed).split(units, groups=units)
    # a shared copy is left out of training: joining its publishers would join all
    apart = [(train[~np.isin(copies[train], copies[test])], test) for train, test in splits]
    return apart, units, f"{len(frame):,} documents in {folds} folds that part {n:,} {name}", alike


def _duplicate_groups(frame: pd.DataFrame) -> Rows:
    found = duplicates(frame)
    group = dict(zip(found["doc_id"], found["group"], strict=True))
    return pd.factorize(np.array([group.get(doc_id, doc_id) for doc_id in frame["doc_id"]], object))[0]


def _class_table(classes: tuple[Any, ...], member: Bools, listed: Bools, f1: pd.DataFrame) -> pd.DataFrame:
    true, predicted, hits = (table.sum(axis=0).tolist() for table in (member, listed, member & listed))
    table = pd.DataFrame({"topic": list(classes), "documents": true, "predicted": predicted})
    for name, wholes in (("precision", predicted), ("recall", true)):
        rates = [rate(*each) for each in zip(hits, wholes, strict=True)]
        table[[name, f"{name}_low", f"{name}_high"]] = pd.DataFrame(rates)
    table[["f1", "f1_low", "f1_high"]] = f1[["value", "low", "high"]].to_numpy()
    return table

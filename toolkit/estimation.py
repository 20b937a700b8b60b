"""Estimation: how common a topic is, corrected for the classifier's errors by a labelled random sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.corpus import CorpusLike, as_corpus
from toolkit.errors import CorpusError, wants
from toolkit.tables import beside, groups_of
from toolkit.topics import taxonomy

__all__ = ["prevalence"]

LEAST = 30  # labelled documents that a group needs to be corrected by its own errors alone
DRAWS = 4_000
PERIODS = {"month": "M", "quarter": "Q", "year": "Y"}


@wants("topics", "labelled")
def prevalence(
    corpus: CorpusLike, topics: pd.DataFrame | pd.Series[Any],
    labelled: Mapping[str, Any] | pd.Series[Any] | pd.DataFrame, by: str | Sequence[str] = (), *,
    level: float = 0.95, seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Estimate which share of the documents is about each topic, in all or by group, with honest intervals.

    A classifier misses some documents of a topic and adds others. A random sample that people labelled shows how many.

    One row a group and topic: the columns of ``by``, ``topic``, ``name``, ``documents``, ``labelled``, ``raw`` (the
    classifier's share), ``share`` (corrected), ``low``, ``high``, ``method``. With ``own`` the group's own labelled
    documents correct it (:data:`LEAST` or more), and nothing is assumed. With ``pooled`` the errors of the whole sample
    do: the classifier is assumed to miss and to invent a topic as often in each group. A labelled document that is not
    in the corpus, or fewer than :data:`LEAST` of them, are a CorpusError.

    IPTC topics may be given as codes, as numbers that lost a leading 0 or by their English names.

    Parameters
    ----------
    topics : DataFrame or Series
        As :meth:`TopicClassifier.topics` returns them (``doc_id, topic``; a document may have several), or one topic a
        document, as ``predict`` does. Documents without a topic count as such: leaving one out is an error like others.
    labelled : mapping, Series or DataFrame
        ``doc_id`` → the topic, or set of topics, that people gave (:func:`toolkit.review.read_labels` reads a file of
        them), or a table of ``doc_id, topic``. A missing one is not labelled, an empty set says that there is none. It
        must be a *random* sample: documents chosen because the classifier was unsure would bend the result.
    by : str or sequence of str
        ``month``, ``quarter``, ``year`` (of ``published``; undated documents are left out then) or columns of the
        corpus, such as ``["month", "publisher"]``; default the corpus as a whole.
    level, seed : float and int, default 0.95 and 0
        Of the intervals, and of the random draws that make them.

    Notes
    -----
    ``own`` is the difference estimator, as in prediction-powered inference (Angelopoulos et al. 2023, Science 382): the
    share by the classifier plus the mean error in the sample; its interval is that of the rates of missed and of added
    documents (Dirichlet, Jeffreys' prior). ``pooled`` inverts the rates of right and of false findings (Rogan and
    Gladen 1978, American Journal of Epidemiology 107). ``tests/test_estimation.py`` shows coverage by simulation.

    Examples
    --------
    >>> texts = pd.DataFrame({"doc_id": [f"{n:03}" for n in range(200)], "text": ["t"] * 200})
    >>> found = pd.DataFrame({"doc_id": texts["doc_id"].head(100), "topic": "sport"})
    >>> people = {f"{n:03}": "sport" if n < 120 else "weather" for n in range(0, 200, 4)}
    >>> prevalence(texts, found, people).set_index("topic").loc["sport", ["raw", "share"]].tolist()
    [0.5, 0.6]
    """
    if not 0 < level < 1:
        raise ValueError(f"level={level!r}: a share between 0 and 1 is wanted, such as .95")
    frame = as_corpus(corpus)
    names = [by] if isinstance(by, str) else list(by)
    truth, found = _alike(_truth(frame, labelled), _found(frame, topics))
    known = sorted({t for each in [*truth.values(), *found.values()] for t in each}, key=str)
    both = ([given.get(doc_id, ()) for doc_id in frame["doc_id"]] for given in (found, truth))
    has, true = (np.array([[t in each for t in known] for each in given], bool) for given in both)
    read = frame["doc_id"].isin(truth.keys()).to_numpy()
    pooled = _errors(has[read], true[read])
    random = np.random.default_rng(seed)
    rows = []
    for group, at in _groups(frame, names):
        n, mine = len(at), read[at]
        alone = mine.sum() >= LEAST
        estimate, method = (corrected, "own") if alone else (inverted, "pooled")
        errors = _errors(has[at][mine], true[at][mine]) if alone else pooled
        for k, topic in enumerate(known):
            counted = int(has[at, k].sum())
            tp, fp, fn, tn = errors[:, k].tolist()
            value, ends = estimate(counted, n, tp, fp, fn, tn, random, level)
            of = taxonomy.label(topic), n, int(mine.sum()), counted / n
            rows.append((*group, topic, *of, value, *ends, method))
    columns = ["topic", "name", "documents", "labelled", "raw", "share", "low", "high", "method"]
    return pd.DataFrame(rows, columns=[*names, *columns])


def corrected(
    counted: int, n: int, tp: int, fp: int, fn: int, tn: int, random: np.random.Generator, level: float = 0.95
) -> tuple[float, tuple[float, float]]:
    """Return share and interval of a topic in ``n`` documents, to ``counted`` of which the classifier gives it.

    The labelled ones were found rightly (``tp``), wrongly (``fp``), missed (``fn``), or left out rightly (``tn``).
    """
    m = tp + fp + fn + tn
    rest = n - m
    value = (counted + (fn - fp) * n / m) / n
    rates = random.dirichlet([fn + 0.5, fp + 0.5, tp + tn + 0.5], DRAWS)
    missed, added, _ = random.multinomial(rest, rates).T
    shares = (tp + fn + (counted - tp - fp) + missed - added) / n
    return _within(value, shares, level)


def inverted(
    counted: int, n: int, tp: int, fp: int, fn: int, tn: int, random: np.random.Generator, level: float = 0.95
) -> tuple[float, tuple[float, float]]:
    """Return share and interval where the error rates are those of another sample; arguments as :func:`corrected`."""
    right, false = tp / max(tp + fn, 1), fp / max(fp + tn, 1)
    value = (counted / n - false) / (right - false) if right > false else counted / n
    sensitivity = random.beta(tp + 0.5, fn + 0.5, DRAWS)
    alarm = random.beta(fp + 0.5, tn + 0.5, DRAWS)
    observed = random.beta(counted + 0.5, n - counted + 0.5, DRAWS)
    gap = sensitivity - alarm
    shares = np.where(gap > 0, (observed - alarm) / np.where(gap > 0, gap, 1), random.random(DRAWS))
    return _within(value, shares, level)


def _within(value: float, shares: NDArray[np.float64], level: float) -> tuple[float, tuple[float, float]]:
    low, high = np.quantile(np.clip(shares, 0, 1), [(1 - level) / 2, (1 + level) / 2])
    value = float(np.clip(value, 0, 1))
    return value, (min(float(low), value), max(float(high), value))


def _errors(has: NDArray[np.bool_], true: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rightly found, wrongly found, missed and rightly left out, for each topic; shape (4, topics)."""
    return np.array([(a & b).sum(0) for a, b in ((has, true), (has, ~true), (~has, true), (~has, ~true))])


Labels = dict[str, frozenset[Any]]


def _truth(frame: pd.DataFrame, labelled: Mapping[str, Any] | pd.Series[Any] | pd.DataFrame) -> Labels:
    if isinstance(labelled, pd.DataFrame):
        labelled = beside("labelled", labelled, ["topic"]).set_index("doc_id")["topic"]
    elif not isinstance(labelled, (Mapping, pd.Series)):
        mend = "give doc_id → topic, such as a dict, or a DataFrame with doc_id and topic"
        raise CorpusError(f"labelled: a {type(labelled).__name__} does not say of which documents; {mend}")
    truth: Labels = {}
    for doc_id, given in labelled.items():
        if (topics := _set(given)) is not None:
            truth[str(doc_id)] = truth.get(str(doc_id), frozenset()) | topics
    if absent := sorted(truth.keys() - set(frame["doc_id"])):
        msg = f"labelled: {absent[0]!r} and {len(absent) - 1} more are not in the corpus; index labels by its doc_id"
        raise CorpusError(msg)
    if len(truth) < LEAST:
        raise CorpusError(f"labelled: {len(truth)} documents; label a random sample of {LEAST} or more")
    return truth


def _found(frame: pd.DataFrame, topics: pd.DataFrame | pd.Series[Any]) -> Labels:
    if isinstance(topics, (pd.DataFrame, Mapping, str)) or not hasattr(topics, "__len__"):
        table = beside("topics", topics, ["topic"], frame["doc_id"], larger=False).dropna(subset="topic")
        return {doc_id: frozenset(part) for doc_id, part in table.groupby("doc_id")["topic"]}
    if len(topics) != len(frame):
        msg = f"topics: {len(topics)} for {len(frame)} documents; give one a document, missing where there is none"
        raise CorpusError(msg)
    return {doc_id: _set(topic) or frozenset() for doc_id, topic in zip(frame["doc_id"], topics, strict=True)}


def _set(given: Any) -> frozenset[Any] | None:
    """Return the topics of a document; None where the entry is missing, which is not to have no topic."""
    if isinstance(given, (set, frozenset, tuple, list, np.ndarray)):
        kept = frozenset(topic for topic in given if pd.notna(topic))
        return kept if kept or not len(given) else None
    return None if given is None or pd.isna(given) or given == "" else frozenset([given])


def _alike(truth: Labels, found: Labels) -> tuple[Labels, Labels]:
    """Write the topics of both as codes where the classifier's are of the IPTC and one at least stands as a code."""
    theirs, ours = (dict.fromkeys(t for each in given.values() for t in each) for given in (truth, found))
    codes = {topic: taxonomy.code(topic) for topic in [*ours, *theirs]}
    written = any(code and str(topic).strip()[0].isdigit() for topic, code in codes.items())
    if not written or None in map(codes.get, ours):
        return truth, found
    if unknown := [topic for topic in theirs if codes[topic] is None]:
        mend = "give such as '15000000' or 'sport', or an empty set for none"
        raise CorpusError(
            f"labelled: {unknown[0]!r} is neither the code nor the name of an IPTC topic; {mend}"
        )
    truth, found = ({d: frozenset(codes[t] for t in s) for d, s in each.items()} for each in (truth, found))
    return truth, found


def _groups(frame: pd.DataFrame, names: list[str]) -> Iterable[tuple[tuple[Any, ...], NDArray[np.int64]]]:
    """Yield each group's values of ``by`` and its rows; a group has one document at least."""
    keys = pd.DataFrame(index=pd.RangeIndex(len(frame)))
    for name in names:
        if name in PERIODS:
            day = frame["published"].dt.tz_convert("UTC").dt.tz_localize(None)
            keys[name] = day.dt.to_period(PERIODS[name]).dt.start_time.to_numpy()
        elif name in frame:
            keys[name] = groups_of(frame[name]).to_numpy(object)
        else:
            msg = f"by: no column {name!r}; use {', '.join(PERIODS)} or one of {', '.join(map(str, frame))}"
            raise CorpusError(msg)
    keys = keys.dropna() if names else keys.assign(all="")
    for group, rows in keys.groupby([*keys], sort=True):
        yield group[: len(names)], rows.index.to_numpy()

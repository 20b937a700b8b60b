"""Contamination: what boilerplate does to the topics of the articles it stands in.

:func:`audit` measures it on a corpus as it is, :func:`insertion` by an experiment: a passage is put into every
document, and taken out again by the remover.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from toolkit.boilerplate import KINDS, BoilerplateRemover
from toolkit.census import rate
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.topics import TopicClassifier, taxonomy

if TYPE_CHECKING:
    from toolkit.topics import Explanation

LENGTHS = {0: "under 50 words", 50: "50–199 words", 200: "200–499 words", 500: "500–999 words",
           1000: "1,000 words and more"}  # fmt: skip
"""Classes of text length, by their least number of words."""

APPEAL = (
    "Before you read on, a word from all of us in this newsroom. The weeks ahead will decide whether abortion "
    "stays legal in a dozen states, whether the climate bill survives the Senate, and whether anyone reins in "
    "the technology giants that already own most of what you read. No billionaire stands behind us and no "
    "party pays our bills. What we have is readers, and right now fewer than one in a hundred of them chips "
    "in. If every person who opened this story gave five dollars, our campaign would be over by tonight and "
    "our reporters could go back to the courtrooms, the picket lines and the polling places where they are "
    "needed. So please, if you value journalism that answers to nobody but the public, make a gift today. It "
    "takes a minute, it can be cancelled at any time, and until the election a generous donor will match "
    "every dollar."
)
"""A donation appeal of 154 words, written for the experiment; no model was trained on it."""

NEWSLETTER = (
    "Want stories like this one in your inbox? Our morning briefing is put together by the editors before "
    "sunrise and brings you the five things worth knowing as the day starts, one long read for the train and "
    "a puzzle for the break. It goes out every weekday, costs nothing and takes four minutes to read. Enter "
    "your address below, choose the morning or the evening edition, and confirm with the link that we send "
    "you. You can change your mind whenever you like: each issue has a line at the bottom that takes you off "
    "the list at once."
)
"""An invitation to a newsletter, of 100 words and on no topic, written for the experiment."""

_SENTENCE_END = re.compile(r"[.!?][\"'”’)]*\s+(?=[\"'“‘(]?\w)")
_UNKNOWN = "(unknown)"


def audit(
    corpus: CorpusLike,
    remover: BoilerplateRemover | None = None,
    classifier: TopicClassifier | None = None,
) -> pd.DataFrame:
    """Measure which share of documents changes its leading topic when boilerplate is removed.

    Parameters
    ----------
    corpus : corpus, or list or Series of str
        As loaded; a column ``clean_text`` is not read.
    remover : BoilerplateRemover, optional
        Default one fitted on ``corpus``.
    classifier : TopicClassifier, optional
        Default the shipped model.

    Returns
    -------
    DataFrame
        One row a set of documents: ``by`` (``all``, ``publisher``, ``kind`` or ``length``), ``group``,
        ``documents`` (int), ``cleaned`` (int, of these something was removed), ``changed`` (int), ``share``
        (``changed / documents``), ``low``, ``high`` (95 % interval: Wilson 1927, documents taken as
        independent). For a kind, ``documents`` are those that hold it and only that kind is removed; lengths
        are words of the text as loaded; publishers with most documents come first.

    See Also
    --------
    toolkit.plots.flips : draws it.

    Examples
    --------
    >>> audit(["The team won the cup.", "Rain fell on the coast."])[["by", "group", "changed"]].values.tolist()
    [['all', 'documents', 0], ['publisher', '(unknown)', 0], ['length', 'under 50 words', 0]]
    """
    frame = _as_loaded(corpus)
    remover = BoilerplateRemover().fit(frame) if remover is None else remover
    classifier = TopicClassifier() if classifier is None else classifier
    spans = remover.spans(frame)
    cleaned = frame["doc_id"].isin(spans["doc_id"]).to_numpy()
    changed = _changed(frame, remover, classifier, spans)
    rows = [("all", "documents", np.ones(len(frame), bool), changed)]
    publishers = frame["publisher"].fillna(_UNKNOWN).to_numpy(dtype=object)
    named = pd.Series(publishers).value_counts().rename_axis("name").reset_index()
    for name in named.sort_values(["count", "name"], ascending=[False, True])["name"]:
        rows.append(("publisher", name, publishers == name, changed))
    for kind in KINDS:
        only = spans[spans["kind"] == kind]
        if len(only):
            holds = frame["doc_id"].isin(only["doc_id"]).to_numpy()
            rows.append(("kind", kind, holds, _changed(frame, remover, classifier, only)))
    lengths = _length_classes(frame["text"])
    for least, name in LENGTHS.items():
        if (lengths == least).any():
            rows.append(("length", name, lengths == least, changed))
    return pd.DataFrame(
        [
            {"by": by, "group": group, "documents": int(these.sum()), "cleaned": int((these & cleaned).sum())}
            | _rate(moved[these])
            for by, group, these, moved in rows
        ]
    )


def insertion(
    corpus: CorpusLike,
    remover: BoilerplateRemover | None = None,
    classifier: TopicClassifier | None = None,
    *,
    passage: str = APPEAL,
    place: float = 0.5,
) -> pd.DataFrame:
    """Put a passage into every document, clean, and compare the leading topics.

    Parameters
    ----------
    corpus : corpus, or list or Series of str
    remover : BoilerplateRemover, optional
        Default one fitted on the documents with the passage in them, as a site that prints it on every page
        would be; ``BoilerplateRemover()`` sees each document by itself.
    classifier : TopicClassifier, optional
        Default the shipped model.
    passage : str, default :data:`APPEAL`
    place : float, default 0.5
        Where in the text, as :func:`with_passage`.

    Returns
    -------
    DataFrame
        One row a document: ``doc_id``; the leading topic of the text as it is, ``alone``, and with the passage,
        ``inserted``; the same two after cleaning, ``alone_cleaned`` and ``inserted_cleaned``; ``flipped``
        (the passage changed the topic before cleaning) and ``flipped_cleaned`` (it changes it after).

    See Also
    --------
    flip_rates : counts them.
    """
    frame = _as_loaded(corpus)
    polluted = with_passage(frame, passage, place)
    remover = BoilerplateRemover().fit(polluted) if remover is None else remover
    classifier = TopicClassifier() if classifier is None else classifier
    table = pd.DataFrame({"doc_id": frame["doc_id"].to_numpy()})
    for name, documents in (("alone", frame), ("inserted", polluted)):
        moves = shifts(remover.transform(documents, remover.spans(documents)), classifier)
        table[name], table[f"{name}_cleaned"] = moves["before"], moves["after"]
    table["flipped"] = table["alone"] != table["inserted"]
    table["flipped_cleaned"] = table["alone_cleaned"] != table["inserted_cleaned"]
    return table


def with_passage(corpus: CorpusLike, passage: str, place: float = 0.5) -> pd.DataFrame:
    """Return the corpus with a passage in each text, glued to its neighbours as flattened pages glue it.

    Parameters
    ----------
    corpus : corpus, or list or Series of str
    passage : str
    place : float, default 0.5
        The passage stands at the end of a sentence nearest to this share of the text: 0 first, 1 last.

    Examples
    --------
    >>> with_passage(["It rained. It stopped."], "Give now.")["text"].item()
    'It rained.Give now.It stopped.'
    """
    if not 0 <= place <= 1:
        msg = f"place={place!r}: a share of the text between 0 (first) and 1 (last) is wanted"
        raise ValueError(msg)
    frame = _as_loaded(corpus)
    texts = []
    for text in frame["text"]:
        ends = [(0, 0), *((m.end(), len(m[0].rstrip()) + m.start()) for m in _SENTENCE_END.finditer(text))]
        after, before = min([*ends, (len(text), len(text))], key=lambda end: abs(end[0] - place * len(text)))
        texts.append(text[:before] + passage + text[after:])
    frame["text"] = pd.Series(texts, index=frame.index, dtype="str")
    return frame


def flip_rates(experiment: pd.DataFrame) -> pd.DataFrame:
    """Count the flips of an :func:`insertion`, with 95 % intervals (Wilson 1927).

    Returns
    -------
    DataFrame
        Columns as of :func:`audit` without ``cleaned``; groups ``before cleaning``, ``after cleaning`` and
        ``undone by cleaning``, whose ``documents`` are those flipped before.
    """
    before = experiment["flipped"].to_numpy(bool)
    after = experiment["flipped_cleaned"].to_numpy(bool)
    rows = {"before cleaning": before, "after cleaning": after, "undone by cleaning": ~after[before]}
    return pd.DataFrame(
        [
            {"by": "insertion", "group": group, "documents": len(moved)} | _rate(moved)
            for group, moved in rows.items()
        ]
    )


def _as_loaded(corpus: CorpusLike) -> pd.DataFrame:
    return as_corpus(corpus).drop(columns="clean_text", errors="ignore")


def _changed(
    frame: pd.DataFrame, remover: BoilerplateRemover, classifier: TopicClassifier, spans: pd.DataFrame
) -> NDArray[np.bool_]:
    """Whether the leading topic of each document changes when just these spans are removed."""
    touched = frame["doc_id"].isin(spans["doc_id"]).to_numpy()
    changed = np.zeros(len(frame), bool)
    if touched.any():
        changed[touched] = shifts(remover.transform(frame[touched], spans), classifier)["changed"]
    return changed


def _length_classes(texts: pd.Series[Any]) -> NDArray[np.int64]:
    words = texts.str.count(r"\S+").to_numpy(np.int64)
    least = np.array(list(LENGTHS))
    return least[np.searchsorted(least, words, side="right") - 1]


def _rate(moved: NDArray[np.bool_]) -> dict[str, float]:
    return {"changed": int(moved.sum()), **rate(int(moved.sum()), len(moved))}


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
    raw = classifier.predict_proba(cleaned.assign(clean_text=cleaned["text"]))
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


def polluted_training(
    corpus: CorpusLike,
    y: Iterable[Any],
    marked: Container[Any],
    classifier: TopicClassifier | None = None,
    *,
    passage: str = APPEAL,
    folds: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    """Train with and without a passage in the texts of some labels, and compare on texts not trained on.

    Parameters
    ----------
    corpus : corpus
        ``text`` is read.
    y : iterable, one label a document
    marked : container of labels
        Their training documents carry the passage, as if their publisher printed it on every page.
    classifier : TopicClassifier, optional
        Its parameters count; copies are fitted.
    passage : str, default :data:`APPEAL`
    folds : int, default 5
    seed : int, default 0

    Returns
    -------
    DataFrame
        One row a document, training, and text: ``doc_id``, ``training`` (``clean`` or ``polluted``), ``text`` (``as it
        is`` or ``with the passage``), ``true``, ``predicted``, ``correct`` (bool).

    Examples
    --------
    >>> texts = [f"{word} number {i}" for i in range(20) for word in ("boats sail", "cows graze")]
    >>> found = polluted_training(texts, ["sea", "farm"] * 20, {"sea"}, TopicClassifier(bits=12, folds=2), folds=2)
    >>> found.groupby("training")["correct"].mean()["clean"].item()
    1.0
    """
    frame = as_corpus(corpus).drop(columns="clean_text", errors="ignore").reset_index(drop=True)
    labels = pd.Series(list(y), dtype=object)
    asking = with_passage(frame, passage)
    base = TopicClassifier() if classifier is None else classifier
    carries = np.array([label in marked for label in labels])
    polluted = frame.assign(text=frame["text"].where(~carries, asking["text"]))
    parts = []
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed).split(frame, labels.astype("str"))
    for train, test in splits:
        for name, source in (("clean", frame), ("polluted", polluted)):
            fitted = clone(base).fit(source.iloc[train], labels.iloc[train].tolist())
            for text, given in (("as it is", frame), ("with the passage", asking)):
                predicted = fitted.predict(given.iloc[test]).to_numpy()
                part = pd.DataFrame({"doc_id": frame["doc_id"].iloc[test], "training": name, "text": text})
                parts.append(part.assign(true=labels.iloc[test].to_numpy(), predicted=predicted))
    found = pd.concat(parts, ignore_index=True)
    return found.assign(correct=found["true"] == found["predicted"])

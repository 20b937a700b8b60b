"""Contamination: measure how boilerplate changes the topics of articles.

:func:`audit` compares the topics of a corpus before and after cleaning. :func:`insertion` is an experiment: a
passage is put into every document, and the remover cleans the result.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.boilerplate import KINDS, BoilerplateRemover
from toolkit.census import rate
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.errors import UsageError
from toolkit.tables import UNKNOWN
from toolkit.topics import TopicClassifier, taxonomy

LENGTHS = {0: "under 50 words", 50: "50–199 words", 200: "200–499 words", 500: "500–999 words",
           1000: "1,000 words and more"}  # fmt: skip
"""Classes of text length: least number of words → name."""

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

_SENTENCE_END = re.compile(r"[.!?][\"'”’)]*\s+(?=[\"'“‘(]?\w)")


def audit(
    corpus: CorpusLike, remover: BoilerplateRemover | None = None, classifier: TopicClassifier | None = None
) -> pd.DataFrame:
    """Return the share of documents whose leading (most probable) topic changes when boilerplate is removed.

    The texts count as loaded; a column ``clean_text`` is ignored. The default remover is fitted on the corpus, the
    default classifier is the shipped one. One row per group of documents: ``by`` (``all``, ``publisher``, ``kind`` or
    ``length``), ``group``, ``documents`` (int), ``cleaned`` (int: documents from which something was removed),
    ``changed`` (int), ``share`` (``changed / documents``), ``low``, ``high`` (95 % interval: Wilson 1927; documents are
    treated as independent).

    For a ``kind``, only the documents that contain it are counted, and only that kind is removed. A ``length`` is the
    number of words of the text as loaded. Publishers with the most documents come first. :func:`toolkit.plots.flips`
    draws it.

    Examples
    --------
    >>> audit(["The team won the cup.", "Rain fell on the coast."])[["by", "group", "changed"]].values.tolist()
    [['all', 'documents', 0], ['publisher', '(unknown)', 0], ['length', 'under 50 words', 0]]
    """
    frame = _as_loaded(corpus)
    remover = _fitted(remover, frame)
    classifier = TopicClassifier() if classifier is None else classifier
    spans = remover.spans(frame)
    cleaned, changed = _changed(frame, remover, classifier, spans)
    rows = [("all", "documents", np.ones(len(frame), bool), changed)]
    publishers = frame["publisher"].fillna(UNKNOWN)
    counts = publishers.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    rows += [("publisher", name, (publishers == name).to_numpy(), changed) for name in counts.index]
    for kind in KINDS:
        rows.append(("kind", kind, *_changed(frame, remover, classifier, spans[spans["kind"] == kind])))
    words = frame["text"].str.count(r"\S+").to_numpy(np.int64)
    length = np.searchsorted([*LENGTHS], words, side="right") - 1
    rows += [("length", name, length == number, changed) for number, name in enumerate(LENGTHS.values())]
    found = []
    for by, group, these, moved in rows:
        if these.any() or by == "all":
            sizes = {"documents": int(these.sum()), "cleaned": int((these & cleaned).sum())}
            found.append({"by": by, "group": group} | sizes | _rate(moved[these]))
    return pd.DataFrame(found)


def insertion(
    corpus: CorpusLike, remover: BoilerplateRemover | None = None, classifier: TopicClassifier | None = None,
    *, passage: str = APPEAL, place: float = 0.5,
) -> pd.DataFrame:  # fmt: skip
    """Put a passage into every document, clean, and compare the leading topics; :func:`flip_rates` counts the flips.

    The default remover is fitted on the documents with the passage in them, as if the site printed it on every page; an
    unfitted ``BoilerplateRemover()`` cleans each document without the others. ``place`` is as for :func:`with_passage`.
    Columns: ``doc_id``; the leading topic of the text (``alone``), of the text with the passage (``inserted``), and of
    both after cleaning (``alone_cleaned``, ``inserted_cleaned``); ``flipped`` and ``flipped_cleaned`` (bool: the
    passage changed the topic before cleaning, and still does after it).
    """
    frame = _as_loaded(corpus)
    polluted = with_passage(frame, passage, place)
    remover = _fitted(remover, polluted)
    classifier = TopicClassifier() if classifier is None else classifier
    table = pd.DataFrame({"doc_id": frame["doc_id"].to_numpy()})
    for name, documents in (("alone", frame), ("inserted", polluted)):
        moves = shifts(remover.transform(documents, remover.spans(documents)), classifier)
        table[name], table[f"{name}_cleaned"] = moves["before"], moves["after"]
    table["flipped"] = table["alone"] != table["inserted"]
    table["flipped_cleaned"] = table["alone_cleaned"] != table["inserted_cleaned"]
    return table


def with_passage(corpus: CorpusLike, passage: str, place: float = 0.5) -> pd.DataFrame:
    """Return the corpus with a passage in each text, without spaces around it, as in pages that lost their markup.

    It stands at the end of the sentence nearest to the share ``place`` of the text (0: its start, 1: its end).

    Examples
    --------
    >>> with_passage(["It rained. It stopped."], "Give now.")["text"].item()
    'It rained.Give now.It stopped.'
    """
    if not 0 <= place <= 1:
        raise ValueError(f"place={place!r}: a share of the text between 0 (first) and 1 (last) is wanted")
    frame = _as_loaded(corpus)
    texts = []
    for text in frame["text"]:
        ends = [(0, 0), *((m.end(), len(m[0].rstrip()) + m.start()) for m in _SENTENCE_END.finditer(text))]
        after, before = min([*ends, (len(text), len(text))], key=lambda end: abs(end[0] - place * len(text)))
        texts.append(text[:before] + passage + text[after:])
    frame["text"] = pd.Series(texts, index=frame.index, dtype="str")
    return frame


def flip_rates(experiment: pd.DataFrame) -> pd.DataFrame:
    """Count the flips of an :func:`insertion`: before cleaning, after it, and undone by it; like :func:`audit`."""
    before, after = (experiment[name].to_numpy(bool) for name in ("flipped", "flipped_cleaned"))
    moved = {"before cleaning": before, "after cleaning": after, "undone by cleaning": ~after[before]}
    rows = [{"by": "insertion", "group": k, "documents": len(v)} | _rate(v) for k, v in moved.items()]
    return pd.DataFrame(rows)


def _fitted(remover: BoilerplateRemover | None, corpus: pd.DataFrame) -> BoilerplateRemover:
    if isinstance(remover, pd.DataFrame):
        raise UsageError(
            "remover: a DataFrame finds no spans; pass BoilerplateRemover().fit(corpus), or nothing"
        )
    return BoilerplateRemover().fit(corpus) if remover is None else remover


def _as_loaded(corpus: CorpusLike) -> pd.DataFrame:
    return as_corpus(corpus).drop(columns="clean_text", errors="ignore")


def _changed(
    frame: pd.DataFrame, remover: BoilerplateRemover, classifier: TopicClassifier, spans: pd.DataFrame
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether each document has one of these spans, and whether it changes its topic when only these go."""
    touched = frame["doc_id"].isin(spans["doc_id"]).to_numpy()
    changed = np.zeros(len(frame), bool)
    if touched.any():
        changed[touched] = shifts(remover.transform(frame[touched], spans), classifier)["changed"]
    return touched, changed


def _rate(moved: NDArray[np.bool_]) -> dict[str, float]:
    return {"changed": int(moved.sum()), **rate(int(moved.sum()), len(moved))}


def shifts(cleaned: pd.DataFrame, classifier: TopicClassifier) -> pd.DataFrame:
    """Return the leading topic of each document as loaded (``text``) and as cleaned (``clean_text``), in their order.

    ``doc_id``, ``before``, ``after`` (topic codes), ``before_name``, ``after_name``, ``before_probability``,
    ``after_probability``, ``moved`` (half the sum of the absolute differences of all probabilities), ``changed``.
    """
    raw = classifier.predict_proba(cleaned.assign(clean_text=cleaned["text"]))
    mended = classifier.predict_proba(cleaned)
    codes = np.array(raw.columns)
    frame = pd.DataFrame({"doc_id": cleaned["doc_id"].to_numpy()})
    for side, probability in (("before", raw.to_numpy()), ("after", mended.to_numpy())):
        leading = codes[probability.argmax(axis=1)]
        frame[side] = leading
        frame[f"{side}_name"] = [taxonomy.label(code) for code in leading]
        frame[f"{side}_probability"] = probability.max(axis=1)
    frame["moved"] = np.abs(raw.to_numpy() - mended.to_numpy()).sum(axis=1) / 2
    frame["changed"] = frame["before"] != frame["after"]
    return frame

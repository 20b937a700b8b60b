"""Review of topics: label the documents on which a classifier is least sure, refit, see the score move."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone

from toolkit.census import rate
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.display import percent
from toolkit.evaluation import topic_report
from toolkit.review.journal import UNSURE, append_label, label_entries
from toolkit.review.session import Action, Excerpt, Field, Page, Session
from toolkit.topics import TopicClassifier, taxonomy

CHARACTERS = 2_500  # of a document on a page
LEAST = 10  # labelled documents that a score needs at least
KEYS = "1234567890qwetyiopadfghjkl"


class Score(NamedTuple):
    """Share of labelled documents whose likeliest topic is one of their labels, with its 95 % interval (Wilson).

    Each document is judged by a classifier that has not seen its label (cross-validation).
    """

    labels: int
    share: float
    low: float
    high: float

    def __str__(self) -> str:
        ends = f"{percent(self.low)} to {percent(self.high)}"
        return f"{percent(self.share)} right, {ends}, n = {self.labels:,}"


class TopicReview(Session):
    """Label documents, those first on which the classifier is least sure.

    ``clean_text`` is shown and read where it is there, else ``text``. The file ``labels`` holds ``doc_id`` and topics,
    never text. :meth:`refit` puts ``order`` (``doc_id`` of all documents as they are shown), ``classifier`` (the last
    one fitted) and ``scores`` (a :class:`Score` each time) up to date.

    Parameters
    ----------
    topics : iterable, optional
        One's own topics (str or int); default those of the classifier.
    several : bool, default False
        Whether a document may have any number of topics.
    suggest : bool, default False
        Show what the classifier says. Off by default: people agree with what they are shown.
    seed : int, optional
        Show the documents in random order instead, so that those labelled are a random sample, however many they
        are: what :func:`toolkit.prevalence` and a score to publish need. Without it the labelled documents are the
        hardest of the corpus, so the score is lower than over all.
    """

    name = "Label topics"
    thing = "document"
    progress = ("documents", "labelled")

    def __init__(
        self, classifier: TopicClassifier, corpus: CorpusLike, labels: str | Path = "labels.jsonl", *,
        topics: Iterable[Any] | None = None, several: bool = False, suggest: bool = False, seed: int | None = None,
    ) -> None:  # fmt: skip
        self.corpus = as_corpus(corpus)
        self.classifier = self._first = classifier
        given = classifier.classes_.tolist() if topics is None else list(dict.fromkeys(topics))
        super().__init__(labels, label_entries)
        self.topics = {topic: taxonomy.label(topic) for topic in given}
        self.several, self.suggest, self._seed = several, suggest, seed
        self.scores: list[Score] = []
        self._place = {doc_id: n for n, doc_id in enumerate(self.corpus["doc_id"])}
        self._chosen: set[Any] | None = None
        self._search = ""
        self._sort()

    def __repr__(self) -> str:
        score = f"; {self.scores[-1]}" if self.scores else ""
        return f"{self.name}: {self._done():,} of {len(self.order):,} documents labelled{score}; {self.path.name}"

    def _sort(self) -> None:
        self._probability = self.classifier.predict_proba(self.corpus)
        sure = self._probability.to_numpy().max(axis=1, initial=0.0)
        self.order = [doc_id for _, doc_id in sorted(zip(sure.tolist(), self.corpus["doc_id"], strict=True))]
        if self._seed is not None:
            self.order = np.random.default_rng(self._seed).permutation(sorted(self.order)).tolist()
        self._over([(doc_id,) for doc_id in self.order])

    def labels(self) -> pd.Series[Any]:
        """Return the labels of the documents of this corpus, by ``doc_id`` in its order: a topic each, or a set.

        They are ready for :meth:`TopicClassifier.fit` beside
        ``corpus.set_index("doc_id").loc[labels.index].reset_index()``.
        """
        self._refresh()
        given = self._verdicts
        sets = {d: given[d] for d in self._place if given.get(d) not in (None, UNSURE)}
        found = {d: frozenset(t) if self.several else t[0] for d, t in sets.items() if t or self.several}
        return pd.Series(list(found.values()), index=pd.Index(list(found), dtype="str"), dtype=object)

    def label(self, *topics: Any) -> None:
        """Give the document shown its topics and go on to the next."""
        if unknown := [topic for topic in topics if topic not in self.topics]:
            msg = f"label: {unknown[0]!r} is no topic here; choose of {', '.join(map(str, self.topics))}"
            raise ValueError(msg)
        if len(topics) > 1 and not self.several:
            raise ValueError(f"label: {len(topics)} topics for one document; pass several=True to allow that")
        names = ", ".join(self.topics[topic] for topic in topics) or "none of the topics"
        self._decide(tuple(t for t in self.topics if t in topics), f"labelled: {names}")

    def _write(self, subject: str, verdict: Any, note: str) -> None:
        append_label(self.path, subject, verdict, note=note)

    def refit(self) -> Score | None:
        """Fit a classifier on the labels, score it by cross-validation, and order the documents by it.

        Publishers and near-duplicates never straddle a fold, see :func:`toolkit.evaluation.topic_report`. While there
        are too few labels it returns None, with the reason in the status.
        """
        labels = self.labels()
        y = labels.tolist()
        known: set[Any] = set().union(*(y if self.several else [{topic} for topic in y]))
        if len(labels) < LEAST or len(known) < 2:
            here = f"there are {len(labels)} and {len(known)}"
            self.status = f"refit needs {LEAST} labelled documents and 2 topics; {here}"
            return None
        corpus = self.corpus.iloc[[self._place[d] for d in labels.index]].reset_index(drop=True)
        try:
            found = topic_report(self._first, corpus, y, learning=(), draws=1).predictions
        except ValueError as error:  # too few groups of near-duplicates, or a fold without a second topic
            self.status = f"refit needs more labels: {str(error).partition(';')[0]}"
            return None
        score = Score(len(y), **rate(int(found["correct"].sum()), len(y)))
        self.classifier = clone(self._first).fit(corpus, y)
        self.scores.append(score)
        self.status = f"fitted on {len(y):,} labels"
        self._sort()
        return score

    def _go(self, row: int, status: str = "") -> None:
        super()._go(row, status)
        self._chosen, self._search = None, ""

    def _set(self, name: str, value: str) -> None:
        if name == "search":
            self._search = value
        super()._set(name, value)

    def _act(self, name: str, value: str) -> None:
        if name == "topic":
            topic = list(self.topics)[int(value)]
            if self.several:
                self._chosen = self._marked() ^ {topic}
                self.status = self._search = ""
            else:
                self.label(topic)
        elif name == "save":
            self.label(*self._marked())
        elif name == "none":
            self.label()
        elif name == "unsure":
            self._decide(UNSURE, "unsure: left without a label")
        else:
            self.refit()

    def _marked(self) -> set[Any]:
        if self._chosen is None:
            given = self._verdict(self.position)
            return set() if given in (None, UNSURE) else set(given)
        return self._chosen

    def page(self) -> Page:
        """Return the document at :attr:`position`, a page of its text at a time."""
        self._refresh()
        if not self.order:
            return Page("This corpus has no documents", status=self.status)
        doc_id = self.order[self.position]
        document = self.corpus.iloc[self._place[doc_id]]
        whole = document.get("clean_text")
        text = str(whole if pd.notna(whole) else document["text"])
        start, end, shown, more = self._extent(len(text), CHARACTERS)
        facts = [("document", doc_id), ("your label", self._named(self._verdict(self.position)))]
        if self.suggest:
            row = self._probability.iloc[self._place[doc_id]].sort_values(ascending=False, kind="stable")
            likely = ", ".join(f"{taxonomy.label(t)} {p:.2f}" for t, p in row.head(3).items())
            facts.append(("classifier", likely))
        if self.scores:
            shares = " → ".join(percent(s.share, 0) for s in self.scores[-5:])
            facts += [("score", shares), ("last score", str(self.scores[-1]))]
        letters = self._search.casefold().strip()
        marked = self._marked()
        keys = iter(KEYS)
        actions = list[Action]()
        for n, (topic, name) in enumerate(self.topics.items()):
            if letters in f"{name} {topic}".casefold():
                actions.append(Action(f"topic:{n}", name, next(keys, ""), "Topic", topic in marked))
        first = actions[0].name if actions and letters else ""
        if self.several:
            actions.append(Action("save", "Save the topics", "Enter", "Decide"))
        actions += [
            Action("none", "None of these", "x", "Decide"),
            Action("unsure", "Unsure", "z", "Decide"),
            Action("refit", "Refit and score", "r", "Decide"),
            *self._moves(more=more),
        ]
        search = Field("search", "Find a topic", self._search, enter=first, key="/")
        return self._page(facts, [Excerpt.of(document, text, start, end)], shown, actions, search)

    def _named(self, given: Any) -> str:
        if given is None or given == UNSURE:
            return given or "none yet"
        return ", ".join(self.topics.get(t, str(t)) for t in given) or "none of the topics"

"""Review of random passages: is this article text or boilerplate? The answers certify a cleaning."""

from __future__ import annotations

import json
import re
from copy import copy
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.boilerplate import BoilerplateRemover
from toolkit.certificate import ARTICLE, BOILERPLATE, UNSURE, VERDICTS, Certificate, Cleaning, draw
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.review.journal import append, judgement_entries, passage_key
from toolkit.review.session import ASKED, Action, Excerpt, Page, Session, publisher_of

NEAR = 0.1  # least probability of what was nearly removed
AROUND = 400  # characters of the article shown on each side of a passage
WORD = re.compile(r"\S+")
QUESTION = "Is the marked passage article text or boilerplate? If it is both, the outlined word decides."
CHOICES = ((ARTICLE, "Article text", "a"), (BOILERPLATE, "Boilerplate", "b"), (UNSURE, "Skip: unsure", "s"))


class PassageReview(Session):
    """Judge random passages of a corpus without knowing what the remover, whose ``spans`` are certified, did with them.

    :func:`toolkit.certificate.draw` gives the :attr:`sample` of ``n`` passages. The file ``judgements`` has a line a
    judgement with ``doc_id``, ``start``, ``end``, ``at``, ``verdict`` and ``note``; no text. Each ``judge`` has a file;
    :func:`toolkit.certify` takes the :attr:`judged` of several, one below the other. ``max_article_loss`` is the bound
    wished for, which the certificate's ``threshold`` meets.
    """

    name = "Certify"
    thing = "passage"
    progress = ("passages", "judged")

    def __init__(
        self, remover: BoilerplateRemover, corpus: CorpusLike, *, n: int = 200, seed: int = 0,
        judgements: str | Path = "judgements.jsonl", judge: str = "", max_article_loss: float = 0.0015,
    ) -> None:  # fmt: skip
        super().__init__(judgements, judgement_entries)
        self.corpus = as_corpus(corpus)
        self.judge, self._wished = judge, max_article_loss
        bolder = copy(remover).set_params(threshold=NEAR)
        self.spans = remover.spans(self.corpus)
        self.sample = draw(self.corpus, self.spans, bolder.spans(self.corpus), n=n, seed=seed)
        self._cleaning = Cleaning(self.corpus, self.spans)
        self._place = {doc_id: n for n, doc_id in enumerate(self.corpus["doc_id"])}
        places = self.sample[["doc_id", "start", "end", "at"]]
        self._keys = [passage_key(*place) for place in places.itertuples(index=False)]
        self._over([(key,) for key in dict.fromkeys(self._keys)])

    def __repr__(self) -> str:
        given = self.certificate()
        result = f"{self.path.name}; {given}" if given else self.path.name
        return f"Certify: {self._done():,} of {len(self._subjects):,} passages judged; {result}"

    @property
    def judged(self) -> pd.DataFrame:
        """:attr:`sample` with ``verdict`` (missing where none was given) and ``judge``."""
        self._refresh()
        verdict = [self._verdicts.get(key) for key in self._keys]
        return self.sample.assign(verdict=pd.Series(verdict, dtype="str"), judge=self.judge)

    def certificate(self) -> Certificate | None:
        """Return what the judgements so far show; None before the first."""
        judged = self.judged
        if not judged["verdict"].notna().any():
            return None
        return self._cleaning.certify(judged, max_article_loss=self._wished)

    def say(self, verdict: str) -> None:
        """Judge the passage that is shown: ``article``, ``boilerplate`` or ``unsure``; go on."""
        if verdict not in VERDICTS:
            raise ValueError(f"certify: {verdict!r} is no verdict; {', '.join(VERDICTS)} are")
        self._decide(verdict, f"passage {self.position + 1:,}: {verdict}")

    def _write(self, subject: str, verdict: Any, note: str) -> None:
        place = dict(zip(("doc_id", "start", "end", "at"), json.loads(subject), strict=True))
        judge = {"judge": self.judge} if self.judge else {}
        append(self.path, {**place, "verdict": verdict, **judge}, when="judged", note=note)

    def _act(self, name: str, value: str) -> None:
        self.say(name)

    def page(self) -> Page:
        """Return the passage at :attr:`position` in its article; nothing says what the remover did with it."""
        self._refresh()
        if not self._subjects:
            return Page("This corpus has no text", status=self.status)
        verdict = self._verdict(self.position)
        doc_id, start, end, at = json.loads(self._subjects[self.position][0])
        document = self.corpus.iloc[self._place[doc_id]]
        text = str(document["text"])
        left, right = next(word.span() for word in WORD.finditer(text, start, end) if word.end() > at)
        marks = [(start, left, ASKED), (left, right, ASKED, True), (right, end, ASKED)]
        first, last = max(0, start - AROUND), min(len(text), end + AROUND)
        facts = [publisher_of(document), ("your verdict", verdict or "none yet")]
        if given := self.certificate():
            facts.append(("so far", str(given)))
        actions = [Action(*choice, "Judge", verdict == choice[0]) for choice in CHOICES]
        actions += [move for move in self._moves() if move.name in ("undo", "previous", "next")]
        return self._page(facts, [Excerpt.of(document, text, first, last, marks)], QUESTION, actions)

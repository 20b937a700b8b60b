"""Review of random passages: is this article text or boilerplate? The answers certify a cleaning."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.base import clone

from toolkit.boilerplate import BoilerplateRemover
from toolkit.certificate import ARTICLE, BOILERPLATE, UNSURE, VERDICTS, Certificate, Cleaning, draw
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.review.journal import Entry, append, lines, now
from toolkit.review.page import ASKED, Action, Excerpt, Page, Piece
from toolkit.review.session import Session
from toolkit.review.template_review import place_of

NEAR = 0.1
"""Least probability of what was nearly removed."""

AROUND = 400
"""Characters of the article shown on each side of a passage."""


class PassageReview(Session):
    """Judge random passages of a corpus without knowing what the remover did with them.

    Parameters
    ----------
    remover : BoilerplateRemover
        Its spans are certified.
    corpus : corpus
    n : int, default 200
        Characters to draw, see :func:`toolkit.certificate.draw`.
    seed : int, default 0
        Of the draw: the same corpus, remover and seed give the same passages.
    judgements : path, default "judgements.jsonl"
        One line a judgement with ``doc_id``, ``start``, ``end``, ``at``, ``verdict`` and ``note``; no text.
    judge : str, default ""
        Who judges. Each has a file of their own; :func:`toolkit.certify` takes the ``judged`` of several, one
        below the other.
    max_article_loss : float, default 0.0015
        The bound wished for, which the certificate's ``threshold`` meets.

    Attributes
    ----------
    sample : DataFrame
        As :func:`toolkit.certificate.draw` returns it.
    spans : DataFrame
        The cleaning that is certified.
    """

    name = "Certify"

    def __init__(
        self,
        remover: BoilerplateRemover,
        corpus: CorpusLike,
        *,
        n: int = 200,
        seed: int = 0,
        judgements: str | Path = "judgements.jsonl",
        judge: str = "",
        max_article_loss: float = 0.0015,
    ) -> None:
        super().__init__(judgements, judgement_lines)
        self.corpus = as_corpus(corpus)
        self.judge, self._wished = judge, max_article_loss
        bolder: BoilerplateRemover = clone(remover).set_params(threshold=NEAR)
        if hasattr(remover, "index_"):
            bolder.index_ = remover.index_
        self.spans = remover.spans(self.corpus)
        self.sample = draw(self.corpus, self.spans, bolder.spans(self.corpus), n=n, seed=seed)
        self._cleaning = Cleaning(self.corpus, self.spans)
        self._place = {doc_id: n for n, doc_id in enumerate(self.corpus["doc_id"])}
        self._keys = [
            _key(*row) for row in self.sample[["doc_id", "start", "end", "at"]].itertuples(index=False)
        ]
        self._over([(key,) for key in dict.fromkeys(self._keys)])

    def __repr__(self) -> str:
        given = self.certificate()
        result = f"; {given}" if given else ""
        return (
            f"Certify: {self._done():,} of {len(self._subjects):,} passages judged; {self.path.name}{result}"
        )

    @property
    def judged(self) -> pd.DataFrame:
        """:attr:`sample` with ``verdict`` (missing where none was given) and ``judge``."""
        self._journal.refresh()
        verdict = [self._journal.verdicts.get(key) for key in self._keys]
        return self.sample.assign(verdict=pd.Series(verdict, dtype="str"), judge=self.judge)

    def certificate(self) -> Certificate | None:
        """Return what the judgements so far show; None before the first."""
        judged = self.judged
        if not judged["verdict"].notna().any():
            return None
        return self._cleaning.certify(judged, max_article_loss=self._wished)

    def say(self, verdict: str) -> None:
        """Judge the passage that is shown: ``article``, ``boilerplate`` or ``unsure``; go on.

        Raises
        ------
        ValueError
            It is none of these.
        """
        if verdict not in VERDICTS:
            msg = f"certify: {verdict!r} is no verdict; {', '.join(VERDICTS)} are"
            raise ValueError(msg)
        self._decide(verdict, f"passage {self.position + 1:,}: {verdict}")

    def _write(self, subject: str, verdict: Any, note: str) -> None:
        place = dict(zip(("doc_id", "start", "end", "at"), json.loads(subject), strict=True))
        append(self.path, {**place, "verdict": verdict, "judge": self.judge, "judged": now(), "note": note})

    def _act(self, name: str, value: str) -> None:
        self.say(name)

    def page(self) -> Page:
        """Return the passage at :attr:`position` in its article; nothing says what the remover did with it."""
        self._journal.refresh()
        total, done = len(self._subjects), self._done()
        if not total:
            return Page("This corpus has no text", [], [], "", 0, 0, self.status)
        verdict = self._verdict(self.position)
        doc_id, start, end, at = json.loads(self._subjects[self.position][0])
        document = self.corpus.iloc[self._place[doc_id]]
        text = str(document["text"])
        first, last = max(0, start - AROUND), min(len(text), end + AROUND)
        left, right = _word(text, at, start, end)
        pieces = [
            Piece(("… " if first else "") + text[first:start]),
            Piece(text[start:left], ASKED),
            Piece(text[left:right], ASKED, asked=True),
            Piece(text[right:end], ASKED),
            Piece(text[end:last] + (" …" if last < len(text) else "")),
        ]
        facts = [("publisher", str(document["publisher"]) if pd.notna(document["publisher"]) else "unknown")]
        facts.append(("your verdict", verdict or "none yet"))
        if given := self.certificate():
            facts.append(("so far", str(given)))
        return Page(
            heading=f"Passage {self.position + 1:,} of {total:,}",
            facts=facts,
            excerpts=[Excerpt(place_of(document), [piece for piece in pieces if piece.text])],
            shown="Is the marked passage article text or boilerplate? If it is both, the outlined word decides.",
            done=done,
            total=total,
            status=self.status or ("all passages are judged" if done == total else ""),
            actions=[
                Action(ARTICLE, "Article text", "a", "Judge", verdict == ARTICLE),
                Action(BOILERPLATE, "Boilerplate", "b", "Judge", verdict == BOILERPLATE),
                Action(UNSURE, "Skip: unsure", "s", "Judge", verdict == UNSURE),
                *(
                    a
                    for a in self._moves("passage", "text", more=False)
                    if a.name in ("undo", "previous", "next")
                ),
            ],
            fields=[self._noted()],
        )


def judgement_lines(path: str | Path) -> Iterator[Entry]:
    """Yield the lines of a ``judgements.jsonl``.

    Raises
    ------
    ValueError
        A line is no judgement; the message says which.
    """
    return lines(path, "judgement", "doc_id, start, end, at and verdict", _entry)


def _entry(row: Any) -> Entry:
    if row["verdict"] not in (*VERDICTS, None):
        raise ValueError(f"verdict is {row['verdict']!r}")
    return Entry(
        _key(row["doc_id"], row["start"], row["end"], row["at"]), row["verdict"], str(row.get("note") or "")
    )


def _key(doc_id: str, start: int, end: int, at: int) -> str:
    return json.dumps([doc_id, int(start), int(end), int(at)], ensure_ascii=False)


def _word(text: str, at: int, start: int, end: int) -> tuple[int, int]:
    """Return the word around a character, within the passage."""
    left, right = at, at + 1
    while left > start and not text[left - 1].isspace():
        left -= 1
    while right < end and not text[right].isspace():
        right += 1
    return left, right

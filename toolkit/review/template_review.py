"""Review of templates: is what repeats boilerplate, and of which kind? Most characters first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.boilerplate import KINDS, BoilerplateRemover
from toolkit.boilerplate.decisions import KEEP, WITHDRAWN, append_decision, decision_lines, read_decisions
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.review.journal import Entry
from toolkit.review.occurrences import passages, segments, summary, undecided
from toolkit.review.page import STAYS, Action, Excerpt, Page, Piece
from toolkit.review.session import Session

OCCURRENCES = 4
"""Occurrences on a page."""

AROUND = 180
"""Characters of the article shown on each side of an occurrence."""


class TemplateReview(Session):
    """Judge what a corpus repeats, passage by passage; what people say outweighs the model.

    A passage is one template, or several that never stand without each other. Its state is read from the
    decisions file, so that a new kernel continues where the last one stopped, and so that lines written by
    hand, by ``remover.accept`` or in another window count.

    Parameters
    ----------
    remover : BoilerplateRemover
        Fitted. Its ``decisions`` become this file, so that it obeys each decision from then on.
    corpus : corpus
        The documents to show; those it was fitted on, or some of them.
    decisions : path, optional
        Default the file that the remover has, else ``decisions.jsonl``. Nothing is written before the first
        decision.

    Attributes
    ----------
    table : DataFrame
        One row a passage, most removed characters first: ``passage``, ``templates``, ``publisher``, ``kind``
        (as found), ``documents``, ``occurrences``, ``removed``, ``characters``, ``first_seen``,
        ``last_seen``. The order does not depend on decisions.
    position : int
        Row that is shown.

    Raises
    ------
    ValueError
        The remover is not fitted, or has decisions elsewhere.
    """

    name = "Review templates"

    def __init__(
        self, remover: BoilerplateRemover, corpus: CorpusLike, decisions: str | Path | None = None
    ) -> None:
        self.remover = remover
        self.corpus = as_corpus(corpus)
        bare = undecided(remover)
        path = decisions_file(remover, decisions)
        super().__init__(path, entries)
        self._spans = bare.spans(self.corpus)
        self.occurrences = passages(segments(bare, self.corpus, self._spans))
        self.table = summary(self.occurrences, self.corpus)
        self._rows = dict(tuple(self.occurrences.groupby("passage")))
        self._by_document = dict(tuple(self._spans.groupby("doc_id")))
        remover.decisions = path
        self._over(self.table["templates"].tolist())

    def __repr__(self) -> str:
        keep = sum(self._verdict(row) == KEEP for row in range(len(self.table)))
        return (
            f"Review of templates: {self._done():,} of {len(self.table):,} passages decided, "
            f"{keep:,} of them to keep; {self.path.name}"
        )

    def verdicts(self) -> pd.DataFrame:
        """Return :attr:`table` with a column ``verdict``: a kind or ``"keep"``, missing where none was given."""
        self._journal.refresh()
        found = [self._verdict(row) for row in range(len(self.table))]
        return self.table.assign(verdict=pd.Series(found, dtype="str"))

    def accept(self, kind: str | None = None) -> None:
        """Decide that the passage is boilerplate, of ``kind`` or the kind it was found to be; go on.

        Raises
        ------
        ValueError
            There is no such kind.
        """
        kind = self.table["kind"].iloc[self.position] if kind is None else kind
        self._decide(str(kind), f"passage {self.position + 1:,} accepted as {kind}")

    def reject(self) -> None:
        """Decide that the passage is article text and stays; go on."""
        self._decide(KEEP, f"passage {self.position + 1:,} rejected: it stays in the article")

    def _write(self, subject: str, verdict: Any, note: str) -> None:
        passage = self.table["passage"].iloc[self._row_of[subject]]
        example = self._text(self._rows[passage].iloc[0])
        append_decision(self.path, subject, verdict or WITHDRAWN, example=example, note=note)

    def _act(self, name: str, value: str) -> None:
        self.reject() if name == "reject" else self.accept(value or None)

    def page(self) -> Page:
        """Return the passage at :attr:`position` with a page of its occurrences."""
        self._journal.refresh()
        total = len(self.table)
        if not total:
            return Page("Nothing repeats in this corpus", [], [], "", 0, 0, self.status)
        done, verdict = self._done(), self._verdict(self.position)
        row = self.table.iloc[self.position]
        rows = self._rows[row["passage"]]
        first = self.part * OCCURRENCES
        part = rows.iloc[first : first + OCCURRENCES]
        facts = [
            ("publisher", row["publisher"] if pd.notna(row["publisher"]) else "unknown"),
            ("found to be", row["kind"]),
            (
                "removed",
                f"{row['removed']:,} of {row['occurrences']:,} times, {row['characters']:,} characters",
            ),
            ("in", f"{row['documents']:,} documents{_dates(row)}"),
            ("your decision", word(verdict)),
        ]
        return Page(
            heading=f"Passage {self.position + 1:,} of {total:,}",
            facts=facts,
            excerpts=[self._excerpt(place, verdict) for _, place in part.iterrows()],
            shown=f"occurrences {first + 1:,}–{first + len(part):,} of {len(rows):,}",
            done=done,
            total=total,
            status=self.status or ("all passages are decided" if done == total else ""),
            actions=[
                *judgements(str(row["kind"]), verdict),
                *self._moves("passage", "occurrences", first + OCCURRENCES < len(rows)),
            ],
            fields=[self._noted()],
        )

    def _text(self, place: pd.Series[Any]) -> str:
        return str(self.corpus["text"].iloc[place["document"]])[place["start"] : place["end"]]

    def _excerpt(self, place: pd.Series[Any], verdict: str | None) -> Excerpt:
        document = self.corpus.iloc[place["document"]]
        text = str(document["text"])
        start, end = max(0, place["start"] - AROUND), min(len(text), place["end"] + AROUND)
        kind = verdict if verdict is not None else place["kind"]
        mine = None if pd.isna(kind) or kind == KEEP else str(kind)
        pieces = [
            *self._around(document["doc_id"], text, start, place["start"]),
            Piece(text[place["start"] : place["end"]], mine or STAYS, asked=True),
            *self._around(document["doc_id"], text, place["end"], end),
        ]
        pieces[0] = pieces[0]._replace(text=("… " if start else "") + pieces[0].text)
        pieces[-1] = pieces[-1]._replace(text=pieces[-1].text + (" …" if end < len(text) else ""))
        return Excerpt(place_of(document), pieces)

    def _around(self, doc_id: str, text: str, start: int, end: int) -> list[Piece]:
        """What stands beside an occurrence, other removed passages marked."""
        pieces, at = [], start
        for span in self._by_document.get(doc_id, self._spans.iloc[:0]).itertuples():
            a, b = max(span.start, at), min(span.end, end)
            if a < b:
                pieces += [Piece(text[at:a]), Piece(text[a:b], str(span.kind))]
                at = b
        return [piece for piece in [*pieces, Piece(text[at:end])] if piece.text]


def decisions_file(remover: BoilerplateRemover, given: str | Path | None) -> Path:
    """Return where decisions go: the file given, or that of the remover; they must not differ."""
    held = remover.decisions
    if held is not None and not isinstance(held, str | Path):
        if given is not None and read_decisions(given) == dict(
            held
        ):  # a saved remover carries what the file says
            return Path(given)
        msg = (
            "remover: decisions is a mapping, which a review cannot append to; pass the path of a decisions.jsonl "
            "that holds the same"
        )
        raise ValueError(msg)
    if given is not None and held is not None and Path(given) != Path(held):
        msg = f"decisions={str(given)!r}: the remover honours {str(held)!r}; pass that, or set remover.decisions"
        raise ValueError(msg)
    return Path(given if given is not None else held if held is not None else "decisions.jsonl")


def entries(path: Path) -> list[Entry]:
    """Return the lines of a decisions file as a journal reads them."""
    return [Entry(s, None if v == WITHDRAWN else v, note) for s, v, note in decision_lines(path)]


def judgements(found: str, verdict: str | None) -> list[Action]:
    """Return the actions that decide on a passage that was found to be of a kind."""
    return [
        Action("accept", f"Accept as {found}", "a", "Decide", verdict == found),
        Action("reject", "Reject: article text", "r", "Decide", verdict == KEEP),
        *(
            Action(f"accept:{kind}", kind, str(number), "Accept as", verdict == kind)
            for number, kind in enumerate(KINDS, 1)
        ),
    ]


def word(verdict: str | None) -> str:
    """Return a verdict in words."""
    if verdict is None:
        return "none yet"
    return "article text, it stays" if verdict == KEEP else f"boilerplate: {verdict}"


def _dates(row: pd.Series[Any]) -> str:
    if pd.isna(row["first_seen"]):
        return ""
    return f", {row['first_seen']:%Y-%m-%d} to {row['last_seen']:%Y-%m-%d}"


def place_of(document: pd.Series[Any]) -> str:
    """Return title and day of a document."""
    title = document["title"] if pd.notna(document["title"]) else document["doc_id"]
    day = f", {document['published']:%Y-%m-%d}" if pd.notna(document["published"]) else ""
    return f"{title}{day}"

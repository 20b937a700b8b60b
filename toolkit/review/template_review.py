"""Review of templates: is what repeats boilerplate, and of which kind? Most characters first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.boilerplate import KINDS, BoilerplateRemover
from toolkit.boilerplate.decisions import KEEP, WITHDRAWN, append_decision, read_decisions
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.review.journal import decision_entries
from toolkit.review.occurrences import passages, segments, summary, undecided
from toolkit.review.session import STAYS, Action, Excerpt, Page, Session, publisher_of

OCCURRENCES = 4  # on a page
AROUND = 180  # characters of the article shown on each side of an occurrence


class TemplateReview(Session):
    """Judge what a corpus repeats, passage by passage; what people say outweighs the model.

    A passage is one template, or several that never stand without each other. All state is in the decisions file: a
    new kernel continues where the last one stopped, and lines written by hand or in another window count.

    Parameters
    ----------
    remover : BoilerplateRemover
        Fitted. Its ``decisions`` become this file, so that it obeys each decision from then on.
    corpus : corpus
        The documents to show; those it was fitted on, or some of them.
    decisions : path, optional
        Default the file that the remover has, else ``decisions.jsonl``. It is written with the first decision.

    Attributes
    ----------
    table : DataFrame
        One row a passage, most removed characters first, whatever was decided: ``passage``, ``templates``,
        ``publisher``, ``kind`` (as found), ``documents``, ``occurrences``, ``removed``, ``characters``,
        ``first_seen``, ``last_seen``.
    """

    name = "Review templates"

    def __init__(
        self, remover: BoilerplateRemover, corpus: CorpusLike, decisions: str | Path | None = None
    ) -> None:
        self.remover = remover
        self.corpus = as_corpus(corpus)
        bare = undecided(remover)
        path = decisions_file(remover, decisions)
        super().__init__(path, decision_entries)
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
        self._refresh()
        found = [self._verdict(row) for row in range(len(self.table))]
        return self.table.assign(verdict=pd.Series(found, dtype="str"))

    def accept(self, kind: str | None = None) -> None:
        """Decide that the passage is boilerplate, of ``kind`` or the kind it was found to be; go on."""
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
        self._refresh()
        if not len(self.table):
            return Page("Nothing repeats in this corpus", status=self.status)
        verdict = self._verdict(self.position)
        row = self.table.iloc[self.position]
        rows = self._rows[row["passage"]]
        first = self.part * OCCURRENCES
        dated = pd.notna(row["first_seen"])
        dates = f", {row['first_seen']:%Y-%m-%d} to {row['last_seen']:%Y-%m-%d}" if dated else ""
        part = rows.iloc[first : first + OCCURRENCES]
        gone = f"{row['removed']:,} of {row['occurrences']:,} times, {row['characters']:,} characters"
        facts = [
            publisher_of(row),
            ("found to be", row["kind"]),
            ("removed", gone),
            ("in", f"{row['documents']:,} documents{dates}"),
            ("your decision", word(verdict)),
        ]
        return self._page(
            "Passage",
            "decided",
            facts,
            excerpts=[self._excerpt(place, verdict) for _, place in part.iterrows()],
            shown=f"occurrences {first + 1:,}–{first + len(part):,} of {len(rows):,}",
            actions=[
                *judgements(str(row["kind"]), verdict),
                *self._moves("passage", "occurrences", first + OCCURRENCES < len(rows)),
            ],
        )

    def _text(self, place: pd.Series[Any]) -> str:
        return str(self.corpus["text"].iloc[place["document"]])[place["start"] : place["end"]]

    def _excerpt(self, place: pd.Series[Any], verdict: str | None) -> Excerpt:
        document, a, b = self.corpus.iloc[place["document"]], place["start"], place["end"]
        text = str(document["text"])
        kind = verdict if verdict is not None else place["kind"]
        mine = STAYS if pd.isna(kind) or kind == KEEP else str(kind)
        spans = self._by_document.get(document["doc_id"], self._spans.iloc[:0])
        others = list(spans[["start", "end", "kind"]].itertuples(index=False))
        marks = [
            *((start, min(end, a), other) for start, end, other in others),
            (a, b, mine, True),
            *((max(start, b), end, other) for start, end, other in others),
        ]
        return Excerpt.of(document, text, max(0, a - AROUND), min(len(text), b + AROUND), marks)


def decisions_file(remover: BoilerplateRemover, given: str | Path | None) -> Path:
    """Return where decisions go: the file given, or that of the remover; they must not differ."""
    held = remover.decisions
    if held is not None and not isinstance(held, str | Path):
        # a saved remover carries what the file says
        if given is not None and read_decisions(given) == dict(held):
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

"""Review of templates: is what repeats boilerplate, and of which kind? Most characters first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.boilerplate import KINDS, BoilerplateRemover
from toolkit.boilerplate.decisions import KEEP, WITHDRAWN, append_decision, decision_lines
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.review.journal import UNDO, Entry, Journal
from toolkit.review.occurrences import passages, segments, summary, undecided
from toolkit.review.page import STAYS, Action, Excerpt, Page, Piece

OCCURRENCES = 4
"""Occurrences on a page."""

AROUND = 180
"""Characters of the article shown on each side of an occurrence."""


class TemplateReview:
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
        path = _file(remover, decisions)
        self._journal = Journal(path, _entries)
        self._spans = bare.spans(self.corpus)
        self.occurrences = passages(segments(bare, self.corpus, self._spans))
        self.table = summary(self.occurrences, self.corpus)
        self._templates: list[tuple[str, ...]] = self.table["templates"].tolist()
        self._row_of = {t: n for n, templates in enumerate(self._templates) for t in templates}
        self._rows = dict(tuple(self.occurrences.groupby("passage")))
        self._by_document = dict(tuple(self._spans.groupby("doc_id")))
        remover.decisions = path
        self._status = f"half-written last line moved to {path.name}.torn" if self._journal.torn else ""
        self._verdicts: list[str | None] = []
        self._refresh()
        self._first = 0
        self.position = self._next_open(0)

    def __repr__(self) -> str:
        done, total = sum(verdict is not None for verdict in self._verdicts), len(self._verdicts)
        return (
            f"Review of templates: {done:,} of {total:,} passages decided, "
            f"{self._verdicts.count(KEEP):,} of them to keep; {self.path.name}"
        )

    @property
    def path(self) -> Path:
        """The decisions file."""
        return self._journal.path

    def _refresh(self) -> None:
        """Read the file again; a passage is decided when all its templates have the same verdict."""
        if self._journal.refresh() or not self._verdicts:
            each = [{self._journal.verdicts.get(t) for t in templates} for templates in self._templates]
            self._verdicts = [verdict.pop() if len(verdict) == 1 else None for verdict in each]

    def verdicts(self) -> pd.DataFrame:
        """Return :attr:`table` with a column ``verdict``: a kind or ``"keep"``, missing where none was given."""
        self._refresh()
        return self.table.assign(verdict=pd.Series(self._verdicts, dtype="str"))

    def accept(self, kind: str | None = None) -> None:
        """Decide that the passage is boilerplate, of ``kind`` or the kind it was found to be; go on.

        Raises
        ------
        ValueError
            There is no such kind.
        """
        kind = self.table["kind"].iloc[self.position] if kind is None else kind
        self._decide(str(kind), f"accepted as {kind}")

    def reject(self) -> None:
        """Decide that the passage is article text and stays; go on."""
        self._decide(KEEP, "rejected: it stays in the article")

    def undo(self) -> None:
        """Take back the last decision in this file, whoever made it, and show its passage again."""
        self._refresh()
        steps = [s for s in reversed(self._journal.steps) if s.subject in self._row_of]
        if not steps:
            self._status = "nothing to undo"
            return
        row = self._row_of[steps[0].subject]
        taken: dict[str, Any] = {}
        for step in steps:
            if self._row_of[step.subject] != row or step.subject in taken:
                break
            taken[step.subject] = step.before
        for template, before in taken.items():
            append_decision(self.path, template, before or WITHDRAWN, note=UNDO)
        self._refresh()
        self._go(row, "undone")

    def _decide(self, verdict: str, wording: str) -> None:
        row = self.position
        example = self._text(self._rows[self.table["passage"].iloc[row]].iloc[0])
        for template in self._templates[row]:
            append_decision(self.path, template, verdict, example=example)
        self._refresh()
        self._go(self._next_open(row + 1), f"passage {row + 1:,} {wording}")

    def _go(self, row: int, status: str = "") -> None:
        self.position, self._first, self._status = row % max(1, len(self.table)), 0, status

    def _next_open(self, row: int) -> int:
        total = len(self.table)
        order = [*range(row, total), *range(min(row, total))]
        return next((r for r in order if self._verdicts[r] is None), min(row, max(0, total - 1)))

    def do(self, action: str) -> None:
        """Do what a button or key stands for: one of :meth:`page`'s actions."""
        name, _, value = action.partition(":")
        if not any(action == a.name and a.enabled for a in self.page().actions):
            msg = f"review: {action!r} cannot be done now; see page().actions"
            raise ValueError(msg)
        steps = {"next": 1, "previous": -1}
        if name in steps:
            self._go(self.position + steps[name])
        elif name in ("more", "back"):
            self._first += OCCURRENCES if name == "more" else -OCCURRENCES
            self._status = ""
        elif name == "accept":
            self.accept(value or None)
        else:
            {"reject": self.reject, "undo": self.undo}[name]()

    def page(self) -> Page:
        """Return the passage at :attr:`position` with a page of its occurrences."""
        self._refresh()
        total = len(self.table)
        done = sum(verdict is not None for verdict in self._verdicts)
        if not total:
            return Page("Nothing repeats in this corpus", [], [], "", 0, 0, self._status, [])
        row = self.table.iloc[self.position]
        rows = self._rows[row["passage"]]
        part = rows.iloc[self._first : self._first + OCCURRENCES]
        verdict = self._verdicts[self.position]
        facts = [
            ("publisher", row["publisher"] if pd.notna(row["publisher"]) else "unknown"),
            ("found to be", row["kind"]),
            (
                "removed",
                f"{row['removed']:,} of {row['occurrences']:,} times, {row['characters']:,} characters",
            ),
            ("in", f"{row['documents']:,} documents{_dates(row)}"),
            ("your decision", _word(verdict)),
        ]
        return Page(
            heading=f"Passage {self.position + 1:,} of {total:,}",
            facts=facts,
            excerpts=[self._excerpt(place, verdict) for _, place in part.iterrows()],
            shown=f"occurrences {self._first + 1:,}–{self._first + len(part):,} of {len(rows):,}",
            done=done,
            total=total,
            status=self._status or ("all passages are decided" if done == total else ""),
            actions=self._actions(str(row["kind"]), verdict, len(rows)),
        )

    def _actions(self, found: str, verdict: str | None, occurrences: int) -> list[Action]:
        undoable = any(step.subject in self._row_of for step in self._journal.steps)
        return [
            Action("accept", f"Accept as {found}", "a", "Decide", verdict == found),
            Action("reject", "Reject: article text", "r", "Decide", verdict == KEEP),
            Action("undo", "Undo", "u", "Decide", enabled=undoable),
            *(
                Action(f"accept:{kind}", kind, str(number), "Accept as", verdict == kind)
                for number, kind in enumerate(KINDS, 1)
            ),
            Action("previous", "Previous passage", "ArrowLeft", "Move"),
            Action("next", "Next passage", "ArrowRight", "Move"),
            Action("back", "Earlier occurrences", "PageUp", "Move", enabled=self._first > 0),
            Action(
                "more", "More occurrences", "PageDown", "Move",
                enabled=self._first + OCCURRENCES < occurrences,
            ),
        ]  # fmt: skip

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
        return Excerpt(_place(document), pieces)

    def _around(self, doc_id: str, text: str, start: int, end: int) -> list[Piece]:
        """What stands beside an occurrence, other removed passages marked."""
        pieces, at = [], start
        for span in self._by_document.get(doc_id, self._spans.iloc[:0]).itertuples():
            a, b = max(span.start, at), min(span.end, end)
            if a < b:
                pieces += [Piece(text[at:a]), Piece(text[a:b], str(span.kind))]
                at = b
        return [piece for piece in [*pieces, Piece(text[at:end])] if piece.text]


def _file(remover: BoilerplateRemover, given: str | Path | None) -> Path:
    held = remover.decisions
    if held is not None and not isinstance(held, str | Path):
        msg = "remover: decisions is a mapping, which a review cannot append to; pass the path of a decisions.jsonl"
        raise ValueError(msg)
    if given is not None and held is not None and Path(given) != Path(held):
        msg = f"decisions={str(given)!r}: the remover honours {str(held)!r}; pass that, or set remover.decisions"
        raise ValueError(msg)
    return Path(given if given is not None else held if held is not None else "decisions.jsonl")


def _entries(path: Path) -> list[Entry]:
    return [Entry(s, None if v == WITHDRAWN else v, note) for s, v, note in decision_lines(path)]


def _word(verdict: str | None) -> str:
    if verdict is None:
        return "none yet"
    return "article text, it stays" if verdict == KEEP else f"boilerplate: {verdict}"


def _dates(row: pd.Series[Any]) -> str:
    if pd.isna(row["first_seen"]):
        return ""
    return f", {row['first_seen']:%Y-%m-%d} to {row['last_seen']:%Y-%m-%d}"


def _place(document: pd.Series[Any]) -> str:
    title = document["title"] if pd.notna(document["title"]) else document["doc_id"]
    day = f", {document['published']:%Y-%m-%d}" if pd.notna(document["published"]) else ""
    return f"{title}{day}"

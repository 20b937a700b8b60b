"""Explorer: look through a cleaned corpus by publisher, date, kind, topic and score, and decide in place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.boilerplate import KINDS, BoilerplateRemover
from toolkit.boilerplate.decisions import KEEP, WITHDRAWN, append_decision
from toolkit.buffer import Buffer
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.display import visible
from toolkit.errors import CorpusError
from toolkit.review.occurrences import undecided
from toolkit.review.page import STAYS, Action, Excerpt, Field, Page, Piece
from toolkit.review.session import Session
from toolkit.review.template_review import TemplateReview, decisions_file, entries, judgements, place_of, word
from toolkit.review.topic_review import TopicReview
from toolkit.segments import cut
from toolkit.topics import TopicClassifier

CHARACTERS = 5_000
"""Characters of an article on a page."""

CHOICES = 400
"""Values of a filter to choose from, most frequent first."""

ALL = ""
"""Choice of a filter that leaves nothing out."""


class DocumentReview(Session):
    """Articles with what is removed struck through; each removal can be accepted, rejected or given another kind.

    Parameters
    ----------
    remover, corpus, spans, decisions, verdicts, topics
        As for :class:`Explorer`.

    Attributes
    ----------
    spans : DataFrame
        As found without decisions, with ``document`` (row of the corpus) and ``subject``: what a decision is about,
        the template of a single segment, else the very text of the passage.
    rows : ndarray of int64
        Documents that pass the filters.
    chosen : int
        Row of ``spans`` that the next decision is about, -1 if there is none.
    """

    name = "Documents"

    def __init__(
        self,
        remover: BoilerplateRemover,
        corpus: pd.DataFrame,
        spans: pd.DataFrame | None,
        decisions: Path,
        verdicts: pd.DataFrame | None,
        topics: pd.DataFrame | None,
    ) -> None:
        super().__init__(decisions, entries)
        self.corpus = corpus
        self.spans = _with_subjects(corpus, undecided(remover).spans(corpus) if spans is None else spans)
        self._length = corpus["text"].str.len().to_numpy(np.int64)
        self._size = (self.spans["end"] - self.spans["start"]).to_numpy(np.int64)
        self._codes, self._known = pd.factorize(self.spans["subject"])
        self._first = np.searchsorted(self.spans["document"], np.arange(len(corpus) + 1))
        row = pd.Series(np.arange(len(corpus)), index=corpus["doc_id"])
        self._columns = {"publisher": _shown(corpus["publisher"], "(unknown)")}
        if verdicts is not None:
            given = verdicts.set_index("doc_id")["verdict"].reindex(corpus["doc_id"])
            self._columns["verdict"] = _shown(given, "(none)")
        self._topics = None
        if topics is not None:
            names = "name" if "name" in topics else "topic"
            here = topics[topics["doc_id"].isin(row.index)]
            self._topics = pd.DataFrame(
                {"row": row[here["doc_id"]].to_numpy(), "name": _shown(here[names], "(none)")}
            )
        self._chosen_filters = dict.fromkeys(
            ("publisher", "verdict", "topic", "kind", "from", "to", "low", "high"), ALL
        )
        self._options = {name: _options(values) for name, values in self._columns.items()}
        if self._topics is not None:
            self._options["topic"] = _options(self._topics["name"].to_numpy(object))
        self._options["kind"] = [(ALL, "all"), *((kind, kind) for kind in KINDS), (KEEP, "rejected")]
        self._kinds: NDArray[np.object_] = np.empty(0, object)
        self.chosen = -1
        self.rows = np.arange(len(corpus))
        self._over([(subject,) for subject in self._known])
        self._refresh(anew=True)
        self._filter()

    def __repr__(self) -> str:
        self._refresh()
        return (
            f"Explorer: {len(self.corpus):,} documents, {len(self.spans):,} removals, {self._done():,} passages "
            f"decided; {self.path.name}"
        )

    def _refresh(self, *, anew: bool = False) -> None:
        """Bring the kind of each removal up to date; ``"keep"`` where it was rejected."""
        if self._journal.refresh() or anew:
            given = np.array([self._journal.verdicts.get(s) for s in self._known] or [None], object)[
                self._codes
            ]
            found = self.spans["kind"].to_numpy(object)
            self._kinds = np.where(pd.isna(given), found, given)

    def _filter(self) -> None:
        """Find the documents that pass; the first of them is shown."""
        wanted = self._chosen_filters
        keep = np.ones(len(self.corpus), bool)
        for name, values in self._columns.items():
            if wanted[name] != ALL:
                keep &= values == wanted[name]
        if wanted["topic"] != ALL and self._topics is not None:
            keep &= np.isin(
                np.arange(len(keep)), self._topics["row"][self._topics["name"] == wanted["topic"]]
            )
        days = self.corpus["published"]
        for name, after in (("from", True), ("to", False)):
            if wanted[name] != ALL:
                day = pd.Timestamp(wanted[name], tz="UTC") + pd.Timedelta(days=0 if after else 1)
                keep &= (days >= day if after else days < day).to_numpy(bool)
        if any(wanted[name] != ALL for name in ("kind", "low", "high")):
            keep &= np.isin(np.arange(len(keep)), self.spans["document"].to_numpy()[self._fits()])
        self.rows = np.flatnonzero(keep)
        self._go(0, "")

    def _fits(self) -> NDArray[np.bool_]:
        """Which removals are of the kind and score asked for."""
        wanted, score = self._chosen_filters, self.spans["score"].to_numpy(float)
        fits = np.ones(len(score), bool) if wanted["kind"] == ALL else self._kinds == wanted["kind"]
        low, high = float(wanted["low"] or 0), float(wanted["high"] or 1)
        return np.asarray(fits & (score >= low) & (score <= high))

    def _here(self) -> range:
        """Rows of the removals of the document that is shown."""
        if not len(self.rows):
            return range(0)
        row = self.rows[self.position]
        return range(int(self._first[row]), int(self._first[row + 1]))

    def _go(self, row: int, status: str = "") -> None:
        total = len(self.rows)
        self.position, self.part, self.status = row % max(1, total), 0, status
        fits = self._fits() if len(self._kinds) else np.ones(len(self.spans), bool)
        self._choose(next((n for n in self._here() if fits[n]), next(iter(self._here()), -1)))

    def _choose(self, number: int) -> None:
        self.chosen = number
        if number >= 0:
            self.part = int(self.spans["start"].iloc[number]) // CHARACTERS

    def _next_open(self, row: int) -> int:
        return row

    def _set(self, name: str, value: str) -> None:
        super()._set(name, value)
        if name in self._chosen_filters:
            _check_filter(name, value)
            self._chosen_filters[name] = value
            self._filter()

    def _write(self, subject: str, verdict: Any, note: str) -> None:
        span = self.spans.iloc[int(np.flatnonzero(self._codes == self._row_of[subject])[0])]
        text = str(self.corpus["text"].iloc[span["document"]])[span["start"] : span["end"]]
        append_decision(
            self.path, subject, verdict or WITHDRAWN, example=text if text != subject else "", note=note
        )

    def decide(self, verdict: str) -> None:
        """Decide on the chosen removal, and on all like it: a kind or ``"keep"``; choose the next.

        Raises
        ------
        ValueError
            Nothing is chosen, or there is no such kind.
        """
        if self.chosen < 0:
            msg = "explore: no removal is chosen; go to a document that has one"
            raise ValueError(msg)
        subject = self.spans["subject"].iloc[self.chosen]
        like = int((self._codes == self._codes[self.chosen]).sum())
        self._write(subject, verdict, self.note)
        self.note = ""
        self._refresh()
        self.status = f"{word(verdict)}: {like:,} {'place' if like == 1 else 'places'} in this corpus"
        if self.chosen + 1 in self._here():
            self._choose(self.chosen + 1)

    def undo(self) -> None:
        """Take back the last decision on a passage of this corpus, and show it."""
        self._journal.refresh()
        steps = [step for step in self._journal.steps if step.subject in self._row_of]
        if not steps:
            self.status = "nothing to undo"
            return
        self._write(steps[-1].subject, steps[-1].before, "undo")
        self._refresh()
        alike = np.flatnonzero(self._codes == self._row_of[steps[-1].subject])
        if not set(alike) & set(self._here()):
            position = np.searchsorted(self.rows, self.spans["document"].iloc[alike[0]])
            self._go(int(position) if position < len(self.rows) else 0)
        self._choose(next((int(n) for n in alike if n in self._here()), self.chosen))
        self.status = "undone"

    def _act(self, name: str, value: str) -> None:
        here = self._here()
        if name == "choose":
            self._choose(here[int(value)])
        elif name in ("below", "above"):
            self._choose(self.chosen + (1 if name == "below" else -1))
        else:
            found = str(self.spans["kind"].iloc[self.chosen])
            self.decide(KEEP if name == "reject" else value or found)
            return
        self.status = ""

    def counts(self) -> dict[str, int]:
        """Return the removed characters of the documents that pass, by kind, most first; ``keep``: rejected ones."""
        self._refresh()
        inside = np.zeros(len(self.corpus), bool)
        inside[self.rows] = True
        here = inside[self.spans["document"].to_numpy()]
        sums = pd.Series(self._size[here]).groupby(self._kinds[here]).sum()
        return {str(kind): int(n) for kind, n in sums.sort_values(ascending=False, kind="stable").items()}

    def page(self) -> Page:
        """Return the document at :attr:`position`, a page of its text at a time."""
        self._refresh()
        total, characters = len(self.rows), int(self._length[self.rows].sum())
        by_kind = self.counts()
        kept = by_kind.pop(KEEP, 0)
        gone = sum(by_kind.values())
        facts = [
            ("documents", f"{total:,} of {len(self.corpus):,}"),
            ("removed", f"{gone:,} of {characters:,} characters ({100 * gone / max(1, characters):.1f} %)"),
            ("by kind", ", ".join(f"{kind} {n:,}" for kind, n in by_kind.items()) or "nothing"),
            ("rejected", f"{kept:,} characters"),
        ]
        if not total:
            return Page(
                "No document passes these filters", facts, [], "", 0, 0, self.status, [], self._fields()
            )
        document = self.corpus.iloc[self.rows[self.position]]
        text = str(document["text"])
        pages = max(1, -(-len(text) // CHARACTERS))
        facts += [("publisher", str(document["publisher"]) if pd.notna(document["publisher"]) else "unknown")]
        facts += [
            (name, str(self._columns[name][self.rows[self.position]]))
            for name in self._columns
            if name == "verdict"
        ]
        if self.chosen >= 0:
            span = self.spans.iloc[self.chosen]
            verdict = self._journal.verdicts.get(span["subject"])
            like = int((self._codes == self._codes[self.chosen]).sum())
            facts.append(("chosen", f"{span['kind']}, score {span['score']:.2f}, {like:,} like it"))
            facts.append(("your decision", word(verdict)))
        start, end = self.part * CHARACTERS, (self.part + 1) * CHARACTERS
        return Page(
            heading=f"Document {self.position + 1:,} of {total:,}",
            facts=facts,
            excerpts=[Excerpt(place_of(document), self._pieces(text, start, min(end, len(text))))],
            shown=f"page {self.part + 1:,} of {pages:,}",
            done=self._done(),
            total=len(self._known),
            status=self.status,
            actions=self._actions(pages),
            fields=[*self._fields(), self._noted()],
        )

    def _pieces(self, text: str, start: int, end: int) -> list[Piece]:
        pieces, at = [], start
        for place, n in enumerate(self._here()):
            a, b = max(int(self.spans["start"].iloc[n]), start), min(int(self.spans["end"].iloc[n]), end)
            if a < b:
                kind = str(self._kinds[n])
                mark = STAYS if kind == KEEP else kind
                pieces += [Piece(text[at:a]), Piece(text[a:b], mark, n == self.chosen, f"choose:{place}")]
                at = b
        return [piece for piece in [*pieces, Piece(text[at:end])] if piece.text]

    def _actions(self, pages: int) -> list[Action]:
        here, actions = self._here(), list[Action]()
        if self.chosen >= 0:
            span = self.spans.iloc[self.chosen]
            actions = judgements(str(span["kind"]), self._journal.verdicts.get(span["subject"]))
        return [
            *actions,
            Action("above", "Removal above", "ArrowUp", "Move", enabled=self.chosen - 1 in here),
            Action("below", "Removal below", "ArrowDown", "Move", enabled=self.chosen + 1 in here),
            *(a for a in self._moves("document", "text", self.part + 1 < pages) if a.name != "skip"),
            *(Action(f"choose:{place}", "", "", "") for place in range(len(here))),
        ]

    def _fields(self) -> list[Field]:
        given = self._chosen_filters
        chosen = [
            Field(name, name.capitalize(), given[name], self._options[name])
            for name in ("publisher", "kind", "verdict", "topic")
            if name in self._options
        ]
        return [
            *chosen,
            Field("from", "From", given["from"], kind="date"),
            Field("to", "To", given["to"], kind="date"),
            Field("low", "Score from", given["low"], kind="number"),
            Field("high", "to", given["high"], kind="number"),
        ]


class Explorer(Session):
    """A corpus, its removals, its templates and its topics in one session with tabs.

    Parameters
    ----------
    corpus : corpus
    remover : BoilerplateRemover
        Fitted. Its ``decisions`` become the file, so that it obeys each decision from then on.
    spans : DataFrame, optional
        What the remover finds *without* decisions, to save finding it again.
    decisions : path, optional
        Default the file that the remover has, else ``decisions.jsonl``; for ``news-toolkit run --decisions``.
    verdicts, topics : DataFrame, optional
        As :func:`toolkit.verdicts` and :meth:`TopicClassifier.topics` return them; without them, documents cannot be
        filtered by these.
    classifier : TopicClassifier, optional
        With one there is a tab in which documents get topics.
    labels : path, default "labels.jsonl"
        Of that tab.

    Attributes
    ----------
    documents : DocumentReview
    templates : TemplateReview
        Made when it is first looked at, as is ``topics`` (:class:`TopicReview`).

    Raises
    ------
    ValueError
        The remover is not fitted, or has decisions elsewhere.
    """

    name = "Explore"

    def __init__(
        self,
        corpus: CorpusLike,
        remover: BoilerplateRemover,
        *,
        spans: pd.DataFrame | None = None,
        decisions: str | Path | None = None,
        verdicts: pd.DataFrame | None = None,
        topics: pd.DataFrame | None = None,
        classifier: TopicClassifier | None = None,
        labels: str | Path = "labels.jsonl",
    ) -> None:
        self.corpus = as_corpus(corpus)
        path = decisions_file(remover, decisions)
        self.documents = DocumentReview(remover, self.corpus, spans, path, verdicts, topics)
        remover.decisions = path
        self._made: dict[str, Session] = {"Documents": self.documents}
        self._makers: dict[str, Callable[[], Session]] = {
            "Documents": lambda: self.documents,
            "Templates": lambda: TemplateReview(remover, self.corpus),
        }
        if classifier is not None:
            self._makers["Topics"] = lambda: TopicReview(classifier, self.corpus, labels)
        self._tab = "Documents"

    def __repr__(self) -> str:
        return repr(self.documents)

    @property
    def tab(self) -> Session:
        """The review that is shown."""
        if self._tab not in self._made:
            self._made[self._tab] = self._makers[self._tab]()
        return self._made[self._tab]

    def page(self) -> Page:
        """Return the page of the tab, with the tabs among its actions."""
        page = self.tab.page()
        tabs = [
            Action(f"tab:{n}", name, f"F{n + 2}", "View", name == self._tab)
            for n, name in enumerate(self._makers)
        ]
        page.actions[:0] = tabs
        return page

    def do(self, action: str, value: str | None = None) -> None:
        """Do what a button or key of the page stands for, see :meth:`Session.do`."""
        name, _, number = action.partition(":")
        if name == "tab" and number.isdecimal() and int(number) < len(self._makers):
            self._tab = list(self._makers)[int(number)]
        else:
            self.tab.do(action, value)


def _with_subjects(corpus: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
    row = pd.Series(np.arange(len(corpus)), index=corpus["doc_id"])
    spans = spans[spans["doc_id"].isin(row.index)].copy()
    spans["document"] = row[spans["doc_id"]].to_numpy()
    spans = spans.sort_values(["document", "start"], kind="stable", ignore_index=True)
    texts = corpus["text"].to_numpy(object)
    passages = [
        texts[d][a:b] for d, a, b in zip(spans["document"], spans["start"], spans["end"], strict=True)
    ]
    single = np.diff(cut(Buffer.of(passages)).bounds) == 1
    template = spans["template_id"].to_numpy(object)
    known = single & spans["template_id"].notna().to_numpy()
    spans["subject"] = np.where(known, template, np.array([*passages, None], object)[:-1])
    return spans


def _shown(values: pd.Series[Any], missing: str) -> NDArray[Any]:
    """Return values as they are shown and chosen, every character harmless."""
    codes, known = pd.factorize(values.astype("str").fillna(missing))
    return np.array([*map(visible, known), None], object)[:-1][codes]


def _options(values: NDArray[Any]) -> list[tuple[str, str]]:
    counts = pd.Series(values).value_counts().head(CHOICES)
    return [(ALL, "all"), *((str(value), f"{value} ({n:,})") for value, n in counts.items())]


def _check_filter(name: str, value: str) -> None:
    """Refuse a day or score that is none."""
    if not value:
        return
    try:
        if name in ("from", "to"):
            pd.Timestamp(value, tz="UTC")
        elif name in ("low", "high"):
            float(value)
    except ValueError as error:
        msg = f"{name}: {value[:20]!r} is no {'day' if name in ('from', 'to') else 'score'}; write 2031-02-03 or 0.9"
        raise CorpusError(msg) from error

"""Review of templates: is what repeats boilerplate, and of which kind? Most characters first."""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from toolkit.boilerplate import KINDS, BoilerplateRemover
from toolkit.boilerplate.decisions import KEEP, WITHDRAWN, append_decision, decision_lines, read_decisions
from toolkit.boilerplate.evidence import evidence, suspicious
from toolkit.boilerplate.model import shipped_model
from toolkit.boilerplate.reading import About, Reading
from toolkit.boilerplate.repetition import Seen
from toolkit.boilerplate.spans import Cuts, commonest_kinds, cuts_of, span_table
from toolkit.boilerplate.weighing import template_keys
from toolkit.buffer import Buffer
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.review.session import STAYS, Action, Excerpt, Page, Session, publisher_of

OCCURRENCES = 4  # on a page
AROUND = 180  # characters of the article shown on each side of an occurrence


class TemplateReview(Session):
    """Judge what a corpus repeats, passage by passage; what people say outweighs the model.

    A passage is one template (a segment that a publisher repeats), or several that never stand without each other. The
    remover must be fitted; ``corpus`` holds the documents to show, those it was fitted on or some of them. The file
    ``decisions`` (default the one that the remover has, else ``decisions.jsonl``) becomes its own, so that it obeys
    each decision from then on.

    ``table`` has one row a passage, most removed characters first, whatever was decided: ``passage``, ``templates``,
    ``publisher``, ``kind`` (as found), ``documents``, ``occurrences``, ``removed``, ``characters``, ``first_seen``,
    ``last_seen``.
    """

    name = "Review templates"
    thing = "passage"
    parts = "occurrences"
    progress = ("passages", "decided")

    def __init__(
        self, remover: BoilerplateRemover, corpus: CorpusLike, decisions: str | Path | None = None
    ) -> None:
        self.remover = remover
        self.corpus = as_corpus(corpus)
        bare = undecided(remover)
        path = decisions_file(remover, decisions)
        super().__init__(path, decision_lines)
        self._spans = bare.spans(self.corpus)
        self.occurrences = passages(segments(bare, self.corpus, self._spans))
        self.table = summary(self.occurrences, self.corpus)
        self._rows = dict(tuple(self.occurrences.groupby("passage")))
        self._by_document = dict(tuple(self._spans.groupby("doc_id")))
        remover.decisions = path
        self._over(self.table["templates"].tolist())

    def __repr__(self) -> str:
        keep = sum(self._verdict(row) == KEEP for row in range(len(self.table)))
        decided = f"{self._done():,} of {len(self.table):,} passages decided"
        return f"Review of templates: {decided}, {keep:,} of them to keep; {self.path.name}"

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
        place = self._rows[self.table["passage"].iloc[self._row_of[subject]]].iloc[0]
        example = str(self.corpus["text"].iloc[place["document"]])[place["start"] : place["end"]]
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
        part = rows.iloc[first : first + OCCURRENCES]
        dated = pd.notna(row["first_seen"])
        dates = f", {row['first_seen']:%Y-%m-%d} to {row['last_seen']:%Y-%m-%d}" if dated else ""
        gone = f"{row['removed']:,} of {row['occurrences']:,} times, {row['characters']:,} characters"
        facts = [
            publisher_of(row), ("found to be", row["kind"]), ("removed", gone),
            ("in", f"{row['documents']:,} documents{dates}"), ("your decision", word(verdict)),
        ]  # fmt: skip
        shown = f"occurrences {first + 1:,}–{first + len(part):,} of {len(rows):,}"
        excerpts = [self._excerpt(place, verdict) for _, place in part.iterrows()]
        moves = self._moves(more=first + OCCURRENCES < len(rows))
        return self._page(facts, excerpts, shown, [*judgements(str(row["kind"]), verdict), *moves])

    def _excerpt(self, place: pd.Series[Any], verdict: str | None) -> Excerpt:
        document, a, b = self.corpus.iloc[place["document"]], place["start"], place["end"]
        text = str(document["text"])
        kind = verdict if verdict is not None else place["kind"]
        mine = STAYS if pd.isna(kind) or kind == KEEP else str(kind)
        spans = self._by_document.get(document["doc_id"], self._spans.iloc[:0])
        others = list(spans[["start", "end", "kind"]].itertuples(index=False))
        before = ((start, min(end, a), other) for start, end, other in others)
        marks = [*before, (a, b, mine, True), *others]
        return Excerpt.of(document, text, max(0, a - AROUND), min(len(text), b + AROUND), marks)


def decisions_file(remover: BoilerplateRemover, given: str | Path | None) -> Path:
    """Return where decisions go: the file given, or that of the remover; they must not differ."""
    held = remover.decisions
    if held is not None and not isinstance(held, str | Path):
        # a saved remover carries what the file says
        if given is not None and read_decisions(given) == dict(held):
            return Path(given)
        msg = "remover: decisions is a mapping; a review appends to a file: pass a decisions.jsonl that holds the same"
        raise ValueError(msg)
    if given is not None and held is not None and Path(given) != Path(held):
        msg = f"decisions={str(given)!r}: the remover honours {str(held)!r}; pass that, or set remover.decisions"
        raise ValueError(msg)
    return Path(given if given is not None else held if held is not None else "decisions.jsonl")


def judgements(found: str, verdict: str | None) -> list[Action]:
    """Return the actions that decide on a passage that was found to be of a kind."""
    keys = enumerate(KINDS, 1)
    kinds = [Action(f"accept:{kind}", kind, str(n), "Accept as", verdict == kind) for n, kind in keys]
    accept = Action("accept", f"Accept as {found}", "a", "Decide", verdict == found)
    reject = Action("reject", "Reject: article text", "r", "Decide", verdict == KEEP)
    return [accept, reject, *kinds]


def word(verdict: str | None) -> str:
    """Return a verdict in words."""
    if verdict is None:
        return "none yet"
    return "article text, it stays" if verdict == KEEP else f"boilerplate: {verdict}"


def undecided(remover: BoilerplateRemover) -> BoilerplateRemover:
    """Return a copy of the remover without decisions, so that rejected templates can be reviewed again."""
    if not hasattr(remover, "index_"):
        raise ValueError("remover: not fitted, so it knows no templates; call remover.fit(corpus) first")
    return copy(remover).set_params(decisions=None)


def segments(remover: BoilerplateRemover, corpus: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
    """Return the segments of a corpus that are templates, removed or not: a span has the template of the longest only.

    Columns: ``document`` (row of the corpus), ``segment`` (its number in the corpus), ``start``, ``end`` (code points),
    ``template_id``, ``kind`` (of the span around its middle, missing if it stays); in reading order.
    """
    buffer = Buffer.of(corpus["text"])
    model = shipped_model()
    read = Reading.of(buffer, About.of(corpus), model.words, cutter=model.breaks.cut)
    lookup = remover.index_.lookup()
    seen = Seen.of(read, lookup)
    scored = suspicious(read, seen)
    at, rows = np.flatnonzero(scored), evidence(read, lookup, seen, scored)
    template = template_keys(read, at, rows)
    at, template = at[template > 0], template[template > 0]
    owner = read.segments.owner(at)  # document of each segment
    start, end = read.segments.start[at], read.segments.end[at]
    removed, middle = cuts_of(corpus, buffer, spans), (start + end) // 2
    row = np.searchsorted(removed.start, middle, side="right") - 1
    stays = (row < 0) | (middle >= np.r_[removed.end, 0][row])
    kind, zero = np.r_[removed.kind, 0][row], np.zeros(len(at), np.int64)
    table = span_table(corpus, buffer, Cuts(owner, start, end, kind, zero.astype(float), zero, template))
    table = table[["start", "end", "template_id", "kind"]].assign(document=owner, segment=at)
    return table.assign(kind=table["kind"].mask(stays))


def passages(table: pd.DataFrame) -> pd.DataFrame:
    """Join the templates of :func:`segments` that always occur together; leave out those that are never removed.

    A row an occurrence: ``passage`` (the first ``template_id``), ``templates`` (tuple of all), ``document``, ``start``,
    ``end``, ``kind`` (missing if this occurrence is not removed).
    """
    counts = table["template_id"].map(table["template_id"].value_counts())
    kind = table["template_id"].map(commonest_kinds(table, "template_id"))
    table = table.assign(count=counts, usual=kind)[kind.notna()].reset_index(drop=True)
    before, here = table.shift(), table["template_id"]
    follows = (before["document"] == table["document"]) & (before["segment"] + 1 == table["segment"])
    follows &= (before["template_id"] != here) & (before["usual"] == table["usual"])
    together = follows.groupby([before["template_id"], here]).transform("sum")
    joined = follows & (together == table["count"]) & (together == before["count"])
    runs = table.groupby((~joined).cumsum())
    found = table[~joined].rename(columns={"template_id": "passage"})
    found["templates"] = runs["template_id"].agg(tuple).array
    found["end"] = runs["end"].last().array
    return found[["passage", "templates", "document", "start", "end", "kind"]].reset_index(drop=True)


def summary(occurrences: pd.DataFrame, corpus: pd.DataFrame) -> pd.DataFrame:
    """Return the ``table`` of a :class:`TemplateReview`; ``removed`` counts occurrences, ``characters`` are removed."""
    gone = occurrences["kind"].notna()
    size = (occurrences["end"] - occurrences["start"]).where(gone, 0)
    row = corpus[["publisher", "published"]].iloc[occurrences["document"]].reset_index(drop=True)
    groups = occurrences.assign(gone=gone, size=size).join(row).groupby("passage")
    table = groups.agg(
        templates=("templates", "first"), publisher=("publisher", "first"), documents=("document", "nunique"),
        occurrences=("gone", "size"), removed=("gone", "sum"), characters=("size", "sum"),
        first_seen=("published", "min"), last_seen=("published", "max"),
    )  # fmt: skip
    table.insert(2, "kind", commonest_kinds(occurrences, "passage").reindex(table.index))
    order = {"by": ["characters", "passage"], "ascending": [False, True]}
    return table.reset_index().sort_values(**order, ignore_index=True)

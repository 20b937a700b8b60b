"""Explorer: look through a cleaned corpus by publisher, date, kind, topic and score, and decide in place."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, reduce
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.boilerplate import KINDS, BoilerplateRemover
from toolkit.boilerplate.breaks import restored
from toolkit.boilerplate.decisions import KEEP, WITHDRAWN, append_decision, decision_lines
from toolkit.boilerplate.model import shipped_model
from toolkit.buffer import Buffer
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.display import percent, visible
from toolkit.errors import CorpusError
from toolkit.review.session import STAYS, Action, Excerpt, Field, Page, Session, publisher_of
from toolkit.review.template_review import TemplateReview, decisions_file, judgements, undecided, word
from toolkit.review.topic_review import TopicReview
from toolkit.segments import cut
from toolkit.topics import TopicClassifier

CHARACTERS = 5_000  # of an article on a page
CHOICES = 400  # values of a filter to choose from, most frequent first
# filters that take a day or a score → label and kind of the field
ENTERED = {
    "from": ("From", "date"), "to": ("To", "date"), "low": ("Score from", "number"), "high": ("to", "number"),
}  # fmt: skip


class DocumentReview(Session):
    """Articles with what is removed struck through; each removal can be accepted, rejected or given another kind.

    ``spans``, without decisions, have ``document`` (row), ``characters`` and ``subject``: the template of a single
    segment, else the text of the passage. ``rows`` are the documents that pass the filters, ``position`` is a place in
    them, ``chosen`` the row of ``spans`` that the next decision is about, -1 if there is none.
    """

    name = "Documents"
    thing = "document"
    progress = ("passages", "decided")

    def __init__(
        self, remover: BoilerplateRemover, corpus: pd.DataFrame, spans: pd.DataFrame | None, decisions: Path,
        verdicts: pd.DataFrame | None, topics: pd.DataFrame | None,
    ) -> None:  # fmt: skip
        super().__init__(decisions, decision_lines)
        self.corpus = corpus
        self.spans = _with_subjects(corpus, undecided(remover).spans(corpus) if spans is None else spans)
        self._length = corpus["text"].str.len().to_numpy(np.int64)
        row = pd.Series(np.arange(len(corpus)), index=corpus["doc_id"])
        # of each filter by name, its values with the rows of the documents that have them
        self._named = {"publisher": _shown(corpus["publisher"], row, "(unknown)")}
        if verdicts is not None:
            given = verdicts.set_index("doc_id")["verdict"].reindex(row.index)
            self._named["verdict"] = _shown(given, row, "(none)")
        if topics is not None:
            here = topics[topics["doc_id"].isin(row.index)]
            names = here["name" if "name" in topics else "topic"]
            self._named["topic"] = _shown(names, row[here["doc_id"]], "(none)")
        kinds = [("", "all"), *((kind, kind) for kind in KINDS), (KEEP, "rejected")]
        self._options = {name: _options(values) for name, values in self._named.items()} | {"kind": kinds}
        self._wanted = dict.fromkeys((*self._options, *ENTERED), "")
        self.rows = np.arange(len(corpus))
        self._over([(subject,) for subject in self.spans["subject"].unique()])

    def __repr__(self) -> str:
        self._refresh()
        found = f"{len(self.corpus):,} documents, {len(self.spans):,} removals"
        return f"Explorer: {found}, {self._done():,} passages decided; {self.path.name}"

    def _refresh(self) -> bool:
        if changed := super()._refresh():
            given = self.spans["subject"].map(self._verdicts).astype(object)
            # of each removal, "keep" where it was rejected
            self._kinds = given.where(given.notna(), self.spans["kind"]).to_numpy(object)
        return changed

    def _filter(self) -> None:
        """Find the documents that pass; the first of them is shown."""
        wanted, days = self._wanted, self.corpus["published"]
        passing = [v.index[v == wanted[name]] for name, v in self._named.items() if wanted[name]]
        if wanted["from"]:
            passing.append(np.flatnonzero(days >= pd.Timestamp(wanted["from"], tz="UTC")))
        if wanted["to"]:
            passing.append(np.flatnonzero(days < pd.Timestamp(wanted["to"], tz="UTC") + pd.Timedelta(days=1)))
        if wanted["kind"] or wanted["low"] or wanted["high"]:
            passing.append(self.spans["document"][self._fits()])
        self.rows = reduce(np.intersect1d, passing, np.arange(len(self.corpus)))
        self._go(0)

    def _fits(self) -> NDArray[np.bool_]:
        wanted, score = self._wanted, self.spans["score"].to_numpy(float)
        fits = (score >= float(wanted["low"] or 0)) & (score <= float(wanted["high"] or 1))
        return np.asarray(fits & (self._kinds == wanted["kind"]) if wanted["kind"] else fits)

    def _places(self) -> int:
        return len(self.rows)

    def _here(self) -> range:
        """Rows of the removals of the document that is shown."""
        if not len(self.rows):
            return range(0)
        row = self.rows[self.position]
        return range(*np.searchsorted(self.spans["document"], [row, row + 1]))

    def _go(self, row: int, status: str = "") -> None:
        super()._go(row, status)
        fits = self._fits()
        self._choose(next((n for n in self._here() if fits[n]), next(iter(self._here()), -1)))

    def _choose(self, number: int) -> None:
        self.chosen = number
        if number >= 0:
            self.part = int(self.spans["start"].iloc[number]) // CHARACTERS

    def _next_open(self, row: int) -> int:
        return row

    def _set(self, name: str, value: str) -> None:
        super()._set(name, value)
        if value and name in ENTERED:
            kind = ENTERED[name][1]
            try:
                pd.Timestamp(value) if kind == "date" else float(value)
            except ValueError as error:
                raise CorpusError(f"{name}: {value[:20]!r} is no {kind}; write 2031-02-03 or 0.9") from error
        if name in self._wanted:
            self._wanted[name] = value
            self._filter()

    def _write(self, subject: str, verdict: Any, note: str) -> None:
        span = self.spans.iloc[int(self._alike(subject)[0])]
        text = str(self.corpus["text"].iloc[span["document"]])[span["start"] : span["end"]]
        example = text if text != subject else ""
        append_decision(self.path, subject, verdict or WITHDRAWN, example=example, note=note)

    def _alike(self, subject: str) -> NDArray[np.int64]:
        """Return the removals that a decision on a subject is about."""
        return np.flatnonzero(self.spans["subject"] == subject)

    def _show(self, row: int) -> None:
        """Show a removal that a decision was about: in this document, else in the first that passes the filters."""
        alike = self._alike(self._subjects[row][0])
        if not set(alike) & set(self._here()):
            self._go(int(np.searchsorted(self.rows, self.spans["document"].iloc[alike[0]])))
        self._choose(next((int(n) for n in alike if n in self._here()), self.chosen))

    def _act(self, name: str, value: str) -> None:
        if name in ("choose", "below", "above"):
            near = self.chosen + (1 if name == "below" else -1)
            self._choose(self._here()[int(value)] if name == "choose" else near)
            self.status = ""
            return
        # a decision is about the chosen removal and all like it; the next is chosen
        span = self.spans.iloc[self.chosen]
        verdict, like = KEEP if name == "reject" else value or span["kind"], len(self._alike(span["subject"]))
        self._write(span["subject"], verdict, self.note)
        self.note = ""
        self._refresh()
        self.status = f"{word(verdict)}: {like:,} {'place' if like == 1 else 'places'} in this corpus"
        if self.chosen + 1 in self._here():
            self._choose(self.chosen + 1)

    def counts(self) -> dict[str, int]:
        """Return the removed characters of the documents that pass, by kind, most first; ``keep``: rejected ones."""
        self._refresh()
        here = self.spans["document"].isin(self.rows).to_numpy()
        sums = self.spans["characters"][here].groupby(self._kinds[here]).sum()
        return {str(kind): int(n) for kind, n in sums.sort_values(ascending=False, kind="stable").items()}

    def page(self) -> Page:
        """Return the document at :attr:`position`, a page of its text at a time."""
        by_kind = self.counts()
        total, characters = len(self.rows), int(self._length[self.rows].sum())
        kept = by_kind.pop(KEEP, 0)
        gone = sum(by_kind.values())
        facts = [
            ("documents", f"{total:,} of {len(self.corpus):,}"),
            ("removed", f"{gone:,} of {characters:,} characters ({percent(gone / max(1, characters))})"),
            ("by kind", ", ".join(f"{kind} {n:,}" for kind, n in by_kind.items()) or "nothing"),
            ("rejected", f"{kept:,} characters"),
        ]
        filters = [Field(n, n.capitalize(), self._wanted[n], each) for n, each in self._options.items()]
        filters += [Field(name, label, self._wanted[name], kind=k) for name, (label, k) in ENTERED.items()]
        if not total:
            return Page("No document passes these filters", facts, status=self.status, fields=filters)
        row = self.rows[self.position]
        document = self.corpus.iloc[row]
        facts.append(publisher_of(document))
        if "verdict" in self._named:
            facts.append(("verdict", str(self._named["verdict"].iloc[row])))
        actions = list[Action]()
        if self.chosen >= 0:
            span = self.spans.iloc[self.chosen]
            verdict = self._verdicts.get(span["subject"])
            like = len(self._alike(span["subject"]))
            facts.append(("chosen", f"{span['kind']}, score {span['score']:.2f}, {like:,} like it"))
            facts.append(("your decision", word(verdict)))
            actions = judgements(str(span["kind"]), verdict)
        text = str(document["text"])
        start, end, shown, more = self._extent(len(text), CHARACTERS)
        here = self._here()
        actions += [
            Action("above", "Removal above", "ArrowUp", "Move", enabled=self.chosen - 1 in here),
            Action("below", "Removal below", "ArrowDown", "Move", enabled=self.chosen + 1 in here),
            *(move for move in self._moves(more=more) if move.name != "skip"),
            *(Action(f"choose:{place}", "", "", "") for place in range(len(here))),
        ]
        marks = []  # where the removals of the document are, and how each is shown
        for place, n in enumerate(here):
            a, b = self.spans[["start", "end"]].iloc[n].tolist()
            kind = STAYS if self._kinds[n] == KEEP else str(self._kinds[n])
            marks.append((a, b, kind, n == self.chosen, f"choose:{place}"))
        return self._page(facts, [Excerpt.of(document, text, start, end, marks)], shown, actions, *filters)


class Explorer:
    """A corpus, its removals, its templates and its topics in one session with tabs.

    The remover must be fitted. The file ``decisions``, for ``news-toolkit run --decisions`` (default the one that the
    remover has, else ``decisions.jsonl``), becomes its own, so that it obeys each decision from then on. ``spans`` are
    what it finds *without* decisions, to save finding it again. Documents can be filtered by ``verdicts`` and
    ``topics`` (as :func:`toolkit.verdicts` and :meth:`TopicClassifier.topics` return them) if these are given. With a
    ``classifier`` there is a tab in which documents get topics, written to ``labels``.
    """

    name = "Explore"

    def __init__(
        self, corpus: CorpusLike, remover: BoilerplateRemover, *, spans: pd.DataFrame | None = None,
        decisions: str | Path | None = None, verdicts: pd.DataFrame | None = None,
        topics: pd.DataFrame | None = None, classifier: TopicClassifier | None = None,
        labels: str | Path = "labels.jsonl",
    ) -> None:  # fmt: skip
        self.corpus = as_corpus(corpus)
        path = decisions_file(remover, decisions)
        self.documents = DocumentReview(remover, self.corpus, spans, path, verdicts, topics)
        remover.decisions = path
        # the other tabs are made when they are first looked at
        self._tabs: dict[str, Callable[[], Session]] = {
            "Documents": lambda: self.documents,
            "Templates": cache(lambda: TemplateReview(remover, self.corpus)),
        }
        if classifier is not None:
            self._tabs["Topics"] = cache(lambda: TopicReview(classifier, self.corpus, labels))
        self._tab = "Documents"

    def __repr__(self) -> str:
        return repr(self.documents)

    @property
    def tab(self) -> Session:
        """The review that is shown: the documents, :class:`TemplateReview` or :class:`TopicReview`."""
        return self._tabs[self._tab]()

    def page(self) -> Page:
        """Return the page of the tab, with the tabs among its actions."""
        page, tabs = self.tab.page(), enumerate(self._tabs)
        shown = (Action(f"tab:{n}", name, f"F{n + 2}", "View", name == self._tab) for n, name in tabs)
        page.actions[:0] = shown
        return page

    def do(self, action: str, value: str | None = None) -> None:
        """Show another tab, or do what an action of the tab stands for, see :meth:`Session.do`."""
        name, _, number = action.partition(":")
        if name == "tab" and number.isdecimal() and int(number) < len(self._tabs):
            self._tab = list(self._tabs)[int(number)]
        else:
            self.tab.do(action, value)


def _with_subjects(corpus: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
    at = pd.Index(corpus["doc_id"]).get_indexer(spans["doc_id"])
    spans = spans.assign(document=at, characters=spans["end"] - spans["start"])[at >= 0]
    spans = spans.sort_values(["document", "start"], kind="stable", ignore_index=True)
    texts = corpus["text"].to_numpy(object)
    places = zip(spans["document"], spans["start"], spans["end"], strict=True)
    passages = [texts[document][start:end] for document, start, end in places]
    buffer = Buffer.of(passages)
    segments = restored(buffer, cut(buffer), shipped_model().breaks, np.ones(len(buffer), np.bool_))
    single = np.diff(segments.bounds) == 1
    templates = spans["template_id"].astype(object).where(single)
    return spans.assign(subject=templates.fillna(pd.Series(passages, dtype=object)))


def _shown(values: pd.Series[Any], rows: pd.Series[Any], missing: str) -> pd.Series[Any]:
    """Return values by the rows of their documents, as they are shown and chosen, every character harmless."""
    codes, known = pd.factorize(values.astype("str").fillna(missing))
    return pd.Series(np.array([*map(visible, known)], object)[codes], index=rows.to_numpy(), dtype=object)


def _options(values: pd.Series[Any]) -> list[tuple[str, str]]:
    counts = values.value_counts().head(CHOICES)
    return [("", "all"), *((str(value), f"{value} ({n:,})") for value, n in counts.items())]

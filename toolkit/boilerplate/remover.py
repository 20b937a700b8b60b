"""Remover: decide for each segment (line or sentence) of an article whether it is boilerplate."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.boilerplate.decisions import KEEP, TEMPLATE, Decisions, Rules, decided, read_decisions
from toolkit.boilerplate.explanation import CleaningExplanation, explain
from toolkit.boilerplate.model import Scale, SegmentModel, shipped_model
from toolkit.boilerplate.reading import ONE_LINE, About, Reading, unpromised
from toolkit.boilerplate.repetition import extended
from toolkit.boilerplate.scoring import KINDS
from toolkit.boilerplate.spans import ALL_KINDS, TWICE, Cuts, cuts_of, span_table, template_table
from toolkit.boilerplate.templates import Lookup, TemplateIndex, window_keys
from toolkit.boilerplate.weighing import weigh
from toolkit.buffer import Buffer
from toolkit.corpus import CorpusLike, as_corpus, as_document
from toolkit.fields import nearest
from toolkit.modelfile import Estimator
from toolkit.tables import beside
from toolkit.verdict import inside_passages, repeated

# bytes of text processed at a time, so that intermediate results stay in the processor's cache
PORTION = 1 << 20

ROUNDS = 16
"""Most rounds of cleaning a text: it is cleaned again until nothing more is found. Articles need at most seven. A text
that needs more was made to keep the remover busy; it is left unchanged."""


class BoilerplateRemover(Estimator):
    """Find boilerplate in articles whose HTML is gone, to the character.

    Works at once with the shipped model; :meth:`fit` adds what each publisher of the corpus repeats. Spans are the
    primary result; the text itself is never edited. ``docs/boilerplate.md`` explains how a text is decided.

    Parameters
    ----------
    remove : iterable of str, optional
        Kinds to remove, default all of ``appeal promo related caption byline notice interface``. ``twice`` may be
        added: passages that stand in the same text before.
    threshold : float, optional
        Least probability of a removed segment, in (0, 1); outweighs ``max_article_loss``.
    max_article_loss : float, default 0.0015
        Largest tolerated share of article characters lost (0.0005 to 0.005), as in cross-validation grouped by
        publisher. 1 chooses the threshold with the best F1.
    decisions : mapping of str to str, or path, optional
        ``template_id`` or the text of a passage → a kind, or ``"keep"``: people's word outweighs the model's.
        A path is a ``decisions.jsonl``, to which :meth:`accept` and :meth:`reject` add lines.
    columns : mapping, optional
        Column of the corpus → column of the given frames where its name is not recognised: ``{"text": "body2"}``.
    output : {"corpus", "text"}, default "corpus"
        What :meth:`transform` returns: the corpus with ``clean_text``, or only the clean texts, for a pipeline.
    model : SegmentModel, optional
        Default the shipped one; :meth:`save` does not keep another.

    Attributes
    ----------
    index_ : TemplateIndex
        Counts of the passages that each publisher repeats (templates); mergeable, see :meth:`merge`.
    templates_ : DataFrame
        After :meth:`fit`: template_id, publisher, kind, documents, first_seen, last_seen, example; most
        documents first.

    Examples
    --------
    >>> remover = BoilerplateRemover()
    >>> text = "The council met on Monday.\\n\\nSign up for our daily newsletter and follow us on Twitter."
    >>> remover.transform([text])["clean_text"].tolist()
    ['The council met on Monday.']
    """

    def __init__(
        self, *, remove: Iterable[str] | None = None, threshold: float | None = None,
        max_article_loss: float = 0.0015, decisions: Decisions | None = None,
        columns: Mapping[str, str] | None = None, output: str = "corpus", model: SegmentModel | None = None,
    ) -> None:  # fmt: skip
        self.remove = tuple(remove) if isinstance(remove, Iterator) else remove  # a generator is read once
        self.threshold = threshold
        self.max_article_loss = max_article_loss
        self.decisions = decisions
        self.columns = columns
        self.output = output
        self.model = model

    def __getattr__(self, name: str) -> Any:
        if name in ("index_", "templates_"):
            from sklearn.exceptions import NotFittedError

            counted = "index_" in vars(self)  # loaded, or fitted in parts
            why = "only fit lists templates" if counted else "this remover has not counted a corpus"
            raise NotFittedError(f"{name}: {why}; call fit(corpus) first")  # an AttributeError too
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __sklearn_is_fitted__(self) -> bool:
        return True  # the shipped model needs no corpus

    def fit(self, X: CorpusLike, y: Any = None) -> BoilerplateRemover:
        """Learn what each publisher of ``X`` repeats; needs no labels."""
        self._learned(as_corpus(X, self.columns))
        return self

    def fit_transform(self, X: CorpusLike, y: Any = None, **_: Any) -> pd.DataFrame:
        """Do :meth:`fit` and :meth:`transform` of one corpus, and find its spans once."""
        corpus = as_corpus(X, self.columns)
        return self.transform(corpus, spans=self._learned(corpus))

    def _learned(self, corpus: pd.DataFrame) -> pd.DataFrame:
        """Count a corpus and return its spans; each segment is read and scored once for both."""
        self.index_ = TemplateIndex()
        buffer, about = Buffer.of(corpus["text"]), About.of(corpus)
        readings = list(self._readings(buffer, about))
        self._counted(readings, about)
        spans = self._spans(corpus, buffer, about, readings)
        self.templates_ = template_table(corpus, spans)
        return spans

    def partial_fit(self, X: CorpusLike, y: Any = None) -> BoilerplateRemover:
        """Count more documents; the result is the same as counting all documents at once."""
        corpus = as_corpus(X, self.columns)
        if "index_" not in vars(self):
            self.index_ = TemplateIndex()
        about = About.of(corpus)
        self._counted(self._readings(Buffer.of(corpus["text"]), about, windowed=False), about)
        return self

    def _counted(self, readings: Iterable[Reading], about: About) -> None:
        parts = [(np.diff(read.segments.bounds), read.prints, 1 - read.words[:, 0]) for read in readings]
        sizes, prints, score = map(np.concatenate, zip(*parts, strict=True))
        bounds = np.r_[0, np.cumsum(sizes)]
        self.index_._add(bounds, prints, about.titles.prints, about.publishers, about.days, score)
        self.__dict__.pop("_lookup", None)

    def _readings(self, buffer: Buffer, about: About, *, windowed: bool = True) -> Iterator[Reading]:
        """Read the documents, a portion at a time."""
        self._check()
        for first, part in buffer.portions(PORTION):
            known = about.take(np.arange(first, first + len(part)))
            yield Reading.of(part, known, self._model.words, cutter=self._model.breaks.cut, windowed=windowed)

    def merge(self, other: BoilerplateRemover) -> BoilerplateRemover:
        """Return a remover whose index has counted the documents of both."""
        merged = type(self)(**self.get_params(deep=False))
        merged.index_ = self.index_.merge(other.index_)
        return merged

    def spans(self, X: CorpusLike) -> pd.DataFrame:
        """Find the boilerplate of each document: one row a span, documents in the order given, sorted and disjoint.

        ``doc_id`` (str), ``start``, ``end`` (int64, code points into ``text``, half-open), ``kind`` (str), ``score``
        (float64, calibrated probability), ``evidence`` (``template``, ``model`` or ``rule``), ``template_id`` (str,
        missing where the words alone decided). In ``attrs``: ``outside``, the number of documents for which no loss is
        promised, and how many of them in which ``outside_languages``, in which ``outside_layouts``, and for their
        ``outside_dates``; ``over_half``, the ``doc_id`` of those that lose more than half of their text.
        """
        corpus = as_corpus(X, self.columns)
        buffer, about = Buffer.of(corpus["text"]), About.of(corpus)
        return self._spans(corpus, buffer, about, self._readings(buffer, about))

    def _spans(
        self, corpus: pd.DataFrame, buffer: Buffer, about: About, readings: Iterable[Reading]
    ) -> pd.DataFrame:
        cuts, layout = self._cuts(readings)
        spans = span_table(corpus, buffer, cuts)
        spans.attrs |= unpromised(about, layout, self._model.card.get("promised", {}))
        gone = np.bincount(cuts.document, cuts.end - cuts.start, len(buffer))
        spans.attrs["over_half"] = corpus["doc_id"][2 * gone > np.diff(buffer.offsets)].tolist()
        return spans

    def transform(self, X: CorpusLike, spans: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return the corpus with a column ``clean_text``, or with ``output="text"`` the clean texts alone.

        ``spans`` is what :meth:`spans` returned for ``X``, to save finding them again.
        """
        corpus = as_corpus(X, self.columns)
        buffer = Buffer.of(corpus["text"])
        if spans is None:
            cuts, _ = self._cuts(self._readings(buffer, About.of(corpus)))
        else:
            columns = ["start", "end", "kind", "score", "evidence", "template_id"]
            known = beside("spans", spans, columns, corpus["doc_id"]).astype({"template_id": "str"})
            cuts = cuts_of(corpus, buffer, known)
        clean = cuts.mended(buffer, np.arange(len(corpus))).buffer
        corpus["clean_text"] = pd.Series(clean.strings(), index=corpus.index, dtype="str")
        return corpus if self.output == "corpus" else corpus["clean_text"]

    def explain(self, document: str | pd.Series[Any] | pd.DataFrame) -> CleaningExplanation:
        """Give the reason for each span of one text, row or corpus of one row: its template, or the deciding words."""
        corpus = as_document(document, self.columns)
        text, title = corpus.loc[corpus.index[0], ["text", "title"]]
        title = title if isinstance(title, str) else None
        return explain(text, title, self.spans(corpus), self._model.words, self._lookup_table())

    def accept(self, template_id: str, kind: str | None = None, *, note: str = "") -> BoilerplateRemover:
        """Decide that a template is boilerplate, of the given kind or else of its kind in ``templates_``."""
        known = self._templates_by_id()
        if kind is None and template_id not in known:
            raise ValueError(f"accept({template_id!r}): no such template in templates_; name its kind")
        return self._decided(template_id, kind or known[template_id]["kind"], note)

    def reject(self, template_id: str, *, note: str = "") -> BoilerplateRemover:
        """Decide that a template is article text and stays."""
        return self._decided(template_id, KEEP, note)

    def _templates_by_id(self) -> dict[str, Any]:
        table = vars(self).get("templates_")
        return {} if table is None else {row["template_id"]: row for row in table.to_dict("records")}

    def _decided(self, template_id: str, verdict: str, note: str) -> BoilerplateRemover:
        known = self._templates_by_id()
        if template_id not in known and (known or not TEMPLATE.fullmatch(template_id)):
            holds = "the decision holds only for a template or a passage of exactly that name"
            warnings.warn(f"{template_id[:40]!r} is no template in templates_; {holds}", stacklevel=3)
        example = known.get(template_id, {}).get("example", "")
        self.decisions = decided(self.decisions, template_id, verdict, example, note)
        return self

    def save(self, path: str | Path) -> None:
        """Write the index and the parameters as one Parquet file; ``templates_`` is not kept.

        Decisions are kept as what they say now, not as the path of their file.
        """
        parameters = self.get_params(deep=False)
        del parameters["model"]
        if self.remove is not None:
            parameters["remove"] = sorted(self.remove)
        if isinstance(self.decisions, str | Path):
            parameters["decisions"] = read_decisions(self.decisions)
        fitted = "index_" in vars(self)
        (self.index_ if fitted else TemplateIndex()).save(path, parameters | {"fitted": fitted})

    @classmethod
    def load(cls, path: str | Path) -> BoilerplateRemover:
        """Read a remover that :meth:`save` wrote; ValueError if the file is another, or was changed."""
        index = TemplateIndex.load(path)
        parameters = dict(index.about)
        fitted = parameters.pop("fitted", True)
        names = cls().get_params().keys() - {"model"}
        remover = cls(**{name: parameters[name] for name in names if name in parameters})
        try:
            remover._check()
            if not isinstance(remover.decisions, dict | None):
                raise ValueError(f"decisions={str(remover.decisions)[:60]!r}: a place elsewhere, not read")
            Rules.of(remover.decisions)
        except (TypeError, ValueError) as error:
            mend = "fit the remover again and save it"
            raise ValueError(f"{path}: its parameters are those of no remover ({error}); {mend}") from error
        if fitted:
            remover.index_ = index
        return remover

    def _check(self) -> NDArray[np.bool_]:
        """Validate parameters; return which classes (KINDS) to remove."""
        chosen = set(KINDS if self.remove is None else self.remove)
        if isinstance(self.remove, str) or not chosen <= set(ALL_KINDS):
            wrong = self.remove if isinstance(self.remove, str) else min(chosen - set(ALL_KINDS), key=str)
            near = nearest(str(wrong), ALL_KINDS)
            mend = f"{f'did you mean {near!r}? ' if near else ''}kinds are {', '.join(ALL_KINDS)}; pass a set of them"
            raise ValueError(f"remove={self.remove!r}: {mend}")
        for name, sound, wanted in (
            ("threshold", self.threshold is None or 0 < self.threshold < 1, "a probability between 0 and 1"),
            ("max_article_loss", 0 < self.max_article_loss <= 1, "a share between 0 and 1, such as .0015,"),
            ("output", self.output in {"corpus", "text"}, "'corpus' or 'text'"),
        ):
            if not sound:
                raise ValueError(f"{name}={getattr(self, name)!r}: {wanted} is wanted")
        return np.array([kind in chosen for kind in ALL_KINDS])

    def _thresholds(self, scale: Scale) -> NDArray[np.float64]:
        known = scale.thresholds
        if self.threshold is not None:
            return np.full_like(known["best"], self.threshold)
        if self.max_article_loss >= 1:
            return known["best"]
        measured = sorted((float(loss), t) for loss, t in known.items() if loss != "best")
        allowed = [t for loss, t in measured if loss <= self.max_article_loss]
        return allowed[-1] if allowed else measured[0][1]

    def _cuts(self, readings: Iterable[Reading]) -> tuple[Cuts, NDArray[np.int8]]:
        """Find the cuts of a corpus, a portion of its documents at a time, and tell each document's layout."""
        wanted, rules = self._check(), Rules.of(self.decisions, self._model.breaks)
        parts, layouts, documents = [], [], 0
        for read in readings:
            cuts, layout = self._settled(read, wanted, rules)
            parts.append(replace(cuts, document=cuts.document + documents))
            layouts.append(layout)
            documents += len(read.buffer)
        return Cuts.together(parts), np.concatenate(layouts)

    def _settled(
        self, first: Reading, wanted: NDArray[np.bool_], rules: Rules
    ) -> tuple[Cuts, NDArray[np.int8]]:
        """Clean what is left again until it is found clean."""
        buffer = first.buffer
        cuts, layout = self._found(first, wanted, rules)
        found = cuts
        for _ in range(ROUNDS):
            documents = np.unique(found.document)
            if not len(documents):
                return cuts, layout
            mended = cuts.mended(buffer, documents)
            left = first.about.take(documents).of_texts(mended.buffer)
            again = Reading.of(
                mended.buffer, left, self._model.words, (first, mended), cutter=self._model.breaks.cut
            )
            found, _ = self._found(again, wanted, rules)
            if len(found):
                found = found.carried_back(mended, documents)
                cuts = cuts.joined(found, buffer)
        return cuts.take(np.isin(cuts.document, found.document, invert=True)), layout

    def _found(self, read: Reading, wanted: NDArray[np.bool_], rules: Rules) -> tuple[Cuts, NDArray[np.int8]]:
        """Decide over each segment of texts as they stand."""
        lookup = self._lookup_table()
        foreign = np.isin(read.about.languages, [*self._model.languages, ""], invert=True)
        weighed = weigh(read, lookup, self._model, self._thresholds, foreign)
        exact = read.prints[:, 0]
        in_line = np.repeat(read.layouts[0] == ONE_LINE, np.diff(read.segments.bounds))
        remove, kind, ruled = rules.applied(weighed.template, exact, weighed.remove, weighed.kind, in_line)
        remove &= wanted[kind] & (kind >= 0)
        score = weighed.score
        if wanted[ALL_KINDS.index(TWICE)]:
            again = ~remove & inside_passages(read.segments, repeated(read.buffer)[1])
            remove, kind = remove | again, np.where(again, ALL_KINDS.index(TWICE), kind)
            score, ruled = np.where(again, 1.0, score).astype(np.float32), ruled | again
        segments = read.segments
        if lookup is not None:
            segments = extended(read, lookup, weighed.seen, weighed.evident, remove)
        return Cuts.of(segments, remove, kind, score, weighed.template, ruled), weighed.full_layout

    @property
    def _model(self) -> SegmentModel:
        return self.model or shipped_model()

    def copies(self, X: CorpusLike) -> NDArray[np.int32]:
        """Count, for each text, the documents of its publisher that contain all of its segments, itself included.

        Only documents that :meth:`fit` counted are included; without :meth:`fit` every count is 1.
        """
        corpus = as_corpus(X)
        found, lookup = np.ones(len(corpus), np.int32), self._lookup_table()
        if lookup is None:
            return found
        read = Reading.of(Buffer.of(corpus["text"]), About.of(corpus), cutter=self._model.breaks.cut)
        size = np.diff(read.segments.bounds)
        held = lookup.counts.documents(
            window_keys(read.prints[:, 0], 0, read.about.publishers.repeat(size)), 1
        )
        some = np.flatnonzero(size)
        if len(some):
            found[some] = np.minimum.reduceat(held, read.segments.bounds[some])
        return found

    def _lookup_table(self) -> Lookup | None:
        if "index_" not in vars(self):
            return None
        if not hasattr(self, "_lookup"):
            self._lookup = self.index_.lookup()
        return self._lookup

"""The remover on what people have, by models that never saw the publishers, outlets or texts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.baselines import BASELINES
from toolkit import datasets
from toolkit.boilerplate import BoilerplateRemover
from toolkit.boilerplate.model import SegmentModel
from toolkit.boilerplate.reading import PAGE
from toolkit.boilerplate.scoring import KINDS
from toolkit.corpus import COLUMNS, make_corpus
from toolkit.evaluation import bootstrap, span_counts, span_scores
from toolkit.kernels import processors
from training.boilerplate import train
from training.copies import lower_case, without_breaks
from training.labelled import Labelled, labelled, places
from training.material import SCORED, dealt, in_lines, marked_later, material, more_voices, unsure
from training.passages import SPANS, scraped

MODELS = Path(__file__).parents[1] / "out" / "folds"
"""Where the models of the folds are kept between runs; not part of the checkout."""

PAGES = Path(__file__).parents[1] / "data" / "benchmarks" / "invented_pages.jsonl"
"""Invented articles as a scraper leaves them, by four authors of whom nothing is learned."""

SCRAPES = PAGES.with_name("invented_scrapes.jsonl")
"""Invented texts, each laid out as a scraper or an export leaves it (``style``), by two authors of whom nothing is
learned."""

LITTLE = 0.3
"""Share of boilerplate over which a text is a page that carries other stories rather than an article."""

FURTHER = ("cs", "id", "ja", "ko", "ru", "tr", "uk", "zh")
"""Languages of which little is marked: much of what is known of their furniture is invented."""

STYLES = {
    "paragraphs": "paragraphs", "lines": "single line breaks", "links": "links on lines of their own",
    "wrapped": "wrapped", "one_line": "one line", "glued": "line breaks lost",
}  # fmt: skip
"""Layouts of :data:`SCRAPES`, and what they are called."""

COLUMNS_OF_COUNTS = ("hit", "false", "missed", "article")


def fold_models(*, folds: int = 3, seed: int = 0) -> list[SegmentModel]:
    """Return the model of each fold, trained without its publishers; read where this code has trained them before."""
    from benchmarks.quality import digest

    place = MODELS / f"{digest('boilerplate')[:16]}-{folds}-{seed}"
    if not (place / f"fold{folds - 1}.npz").is_file():
        place.mkdir(parents=True, exist_ok=True)
        for number, model in enumerate(train(folds=folds, seed=seed, jobs=processors())[1]):
            model.save(place / f"fold{number}")
    return [SegmentModel.load(place / f"fold{number}") for number in range(folds)]


def spans_of(
    corpus: pd.DataFrame, models: list[SegmentModel], counted: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Spans of documents with a column ``fold``, each by the model of its fold.

    Parameters
    ----------
    counted : DataFrame, optional
        A corpus to fit on; default none.
    """
    found = []
    for number, model in enumerate(models):
        mine = corpus[corpus["fold"] == number]
        if len(mine):
            remover = BoilerplateRemover(model=model)
            if counted is not None:
                remover.partial_fit(counted)
            found.append(remover.spans(mine[list(COLUMNS)]))
    return pd.concat(found, ignore_index=True)


@dataclass(frozen=True)
class Task:
    """One row of the table: documents, what is boilerplate in them, and which documents count.

    Attributes
    ----------
    name : str
    part : Labelled
    chosen : ndarray of bool, shape (n_documents,)
    fitted : bool
        Whether the corpora are counted first.
    passages : bool
        Whether the passages set in are scored, by document.
    """

    name: str
    part: Labelled
    chosen: NDArray[np.bool_]
    fitted: bool = False
    passages: bool = False


def tasks(parts: dict[str, Labelled]) -> Iterator[Task]:
    """Yield what can be measured on the visible data."""
    gold, modern, inserted = unsure(parts["gold"]), parts["modern"], parts["inserted"]
    scored = (modern.corpus["round"] <= SCORED).to_numpy(bool)
    first = set(datasets.gold("boilerplate").corpus.query("part == 'boilerplate'")["doc_id"])

    def marked_first(part: Labelled) -> NDArray[np.bool_]:
        return part.corpus["doc_id"].str.partition("/")[0].isin(first).to_numpy(bool)

    yield Task("paragraphs, with fit", gold, marked_first(gold), fitted=True)
    yield Task("paragraphs", gold, marked_first(gold))
    for name, ending in (
        ("single line breaks", "lines"),
        ("line breaks made spaces", "one_line"),
        ("line breaks lost", "glued"),
        ("all lower case", "lower"),
    ):
        part = parts[f"gold/{ending}"]
        yield Task(name, part, marked_first(part))
    yield Task("no title", _untitled(gold), marked_first(gold))
    english = (modern.corpus["lang"] == "en").to_numpy(bool)
    share = np.bincount(modern.document, modern.marked, len(english)) / np.maximum(
        np.bincount(modern.document, modern.read.size, len(english)), 1
    )
    yield Task("modern, under 30 % boilerplate", modern, scored & (share < LITTLE))
    yield Task("modern, English", modern, scored & english & (share < LITTLE))
    yield Task("modern, other languages", modern, scored & ~english)
    yield Task("modern, all", modern, scored)
    later = parts["later"]
    yield Task("modern, marked later", later, np.ones(len(later.corpus), bool))
    pages = parts["pages"]
    yield Task("whole pages", pages, pages.layout == PAGE)
    extracted = parts["extracted"]
    yield Task(
        "extracted pages of news", extracted, extracted.corpus["set"].isin(["aed", "fundus"]).to_numpy(bool)
    )
    for part, of in ((inserted, "appeals"), (parts["voices"], "further appeals")):
        about = part.corpus
        appeal = (about["passage"] == "appeal").to_numpy(bool)
        plain = (about["passage_lang"] == "en").to_numpy(bool)
        at_home = (about["passage_lang"] == about["lang"]).to_numpy(bool)
        yield Task(f"{of}, English", part, appeal & plain, passages=True)
        yield Task(f"{of}, other languages", part, appeal & ~plain, passages=True)
        yield Task(f"{of}, other languages, own hosts", part, appeal & ~plain & at_home, passages=True)
        if "shared" in set(about["place"]):
            within = (about["place"] == "shared").to_numpy(bool)
            yield Task(f"{of} in a line of the story, English", part, appeal & plain & within, passages=True)
            yield Task(
                f"{of} in a line of the story, other languages", part, appeal & ~plain & within, passages=True
            )
    about = inserted.corpus
    english_appeals = ((about["passage"] == "appeal") & (about["passage_lang"] == "en")).to_numpy(bool)
    for place in ("glued", "one_line", "all_glued"):
        yield Task(
            f"appeals, English, {place}",
            inserted,
            english_appeals & (about["place"] == place).to_numpy(bool),
            passages=True,
        )
    for name, label in {
        "like": "look-alikes", "like/more": "further look-alikes", "like/hard": "hard look-alikes",
        "like/one_line": "look-alikes in one line", "sample": "invented sample",
        "pages/lines": "invented pages", "pages/one_line": "invented pages in one line",
        "pages/glued": "invented pages, line breaks lost", "pages/lower": "invented pages, all lower case",
        "scrapes": "invented scrapes",
    }.items():  # fmt: skip
        part = parts[name]
        english = (part.corpus["lang"] == "en").to_numpy(bool)
        further = part.corpus["lang"].isin(FURTHER).to_numpy(bool) & name.startswith(("pages/", "scrapes"))
        yield Task(f"{label}, English", part, english)
        yield Task(f"{label}, other languages", part, ~english & ~further)
        if further.any():
            yield Task(f"{label}, further languages", part, further)
    for style, label in STYLES.items():
        chosen = (parts["scrapes"].corpus["style"] == style).to_numpy(bool)
        yield Task(f"invented scrapes, {label}", parts["scrapes"], chosen)


def invented_pages(*, folds: int = 3, seed: int = 0) -> list[Labelled]:
    """Return the articles of :data:`PAGES` in paragraphs or lines, without line breaks, and in lower case."""
    records, spans = scraped([json.loads(line) for line in PAGES.read_text("utf-8").splitlines()])
    corpus, marked = dealt(make_corpus(records), folds, seed), pd.DataFrame(spans, columns=SPANS)
    copies = {
        "lines": (corpus, marked), "one_line": without_breaks(corpus, marked, " "),
        "glued": without_breaks(corpus, marked, ""), "lower": (lower_case(corpus), marked),
    }  # fmt: skip
    return [labelled(f"pages/{name}", *copy, words=0, trees=0) for name, copy in copies.items()]


def invented_scrapes(*, folds: int = 3, seed: int = 0) -> Labelled:
    """Return the texts of :data:`SCRAPES` as they stand, a column ``style`` with their layout."""
    rows = [json.loads(line) for line in SCRAPES.read_text("utf-8").splitlines()]
    names = {"doc_id": "id", "publisher": "outlet"} | {n: n for n in ("title", "text", "lang", "style")}
    corpus = make_corpus({name: row[key] for name, key in names.items()} for row in rows)
    marked = pd.DataFrame([(row["id"], *span) for row in rows for span in row["spans"]], columns=SPANS)
    return labelled("scrapes", dealt(corpus, folds, seed), marked, words=0, trees=0)


def _untitled(part: Labelled) -> Labelled:
    return replace(part, corpus=part.corpus.assign(title=None).astype({"title": "str"}))


def document_counts(task: Task, found: pd.DataFrame) -> pd.DataFrame:
    """Count the bytes of each document: found, falsely found and missed boilerplate, article text, and the passage's.

    White space between segments counts for nothing; what is neither for certain is left out.
    """
    part, out = task.part, []
    bounds, start, end = part.read.segments.bounds, part.read.segments.start, part.read.segments.end
    sure = part.spans["kind"].isin(KINDS)
    sets = [
        dict(iter(spans.groupby("doc_id", sort=False)))
        for spans in (found, part.spans[sure], part.spans[~sure])
    ]
    for d in np.flatnonzero(task.chosen).tolist():
        place = places(part.read.buffer, d)
        known, gone, marked, doubted, within = np.zeros((5, place[-1] - place[0]), np.bool_)
        for side, by_document in zip((gone, marked, doubted), sets, strict=True):
            spans = by_document.get(part.corpus["doc_id"].iloc[d])
            if spans is not None:
                for a, b in place[spans[["start", "end"]].to_numpy(np.int64)] - place[0]:
                    side[a:b] = True
        for s in range(bounds[d], bounds[d + 1]):
            known[start[s] - place[0] : end[s] - place[0]] = part.label[s] >= 0
        known &= ~doubted
        sides = {"hit": gone & marked, "false": gone & ~marked, "missed": marked & ~gone, "article": ~marked}
        row: dict[str, Any] = {name: int((known & values).sum()) for name, values in sides.items()}
        if task.passages:
            mine = np.flatnonzero(_inside(part, d)) + bounds[d]
            for s in mine.tolist():
                within[start[s] - place[0] : end[s] - place[0]] = True
            within &= known & marked
            row["passage"], row["removed"] = int(within.sum()), int((within & gone).sum())
            missed = row["passage"] - row["removed"]
            row["exact"] = float(missed <= 0.02 * row["passage"] and row["false"] == 0)
        out.append(row)
    publishers = part.corpus["publisher"].to_numpy(dtype=object)
    return pd.DataFrame(out).assign(publisher=publishers[np.flatnonzero(task.chosen)])


def _inside(part: Labelled, d: int) -> NDArray[np.bool_]:
    """Mark the segments of a document that are of the passage set into it."""
    about = part.corpus.iloc[d]
    base = part.read.buffer.offsets[d]
    first = base + len(about["text"][: about["passage_start"]].encode())
    last = base + len(about["text"][: about["passage_end"]].encode())
    mine = slice(part.read.segments.bounds[d], part.read.segments.bounds[d + 1])
    middle = (part.read.segments.start[mine] + part.read.segments.end[mine]) // 2
    return np.asarray((middle >= first) & (middle < last))


def figures_of(counts: pd.DataFrame) -> dict[str, float]:
    """Sum counts up to the figures of a task."""
    hit, false, missed, article = counts[list(COLUMNS_OF_COUNTS)].sum()
    out = {"article_lost": false / max(article, 1.0)}
    if hit + missed:
        out |= {"f1": 2 * hit / max(2 * hit + false + missed, 1.0), "recall": hit / (hit + missed)}
    if "exact" in counts:
        return {
            "exact": counts["exact"].mean(), "removed": counts["removed"].sum() / counts["passage"].sum(), **out
        }  # fmt: skip
    by = counts.fillna({"publisher": "?"}).groupby("publisher")[list(COLUMNS_OF_COUNTS)].sum()
    by = by[by["hit"] + by["missed"] > 0]
    if len(by) > 1:
        out["f1_macro"] = float((2 * by["hit"] / (2 * by["hit"] + by["false"] + by["missed"])).mean())
    out["over_5_percent"] = float((counts["false"] > 0.05 * counts["article"]).mean())
    return out


def arrivals_table(
    *,
    folds: int = 3,
    seed: int = 0,
    draws: int = 300,
    parts: list[Labelled] | None = None,
    models: list[SegmentModel] | None = None,
) -> pd.DataFrame:
    """The table of EVALUATION, part 6, as far as visible data can make it.

    Returns
    -------
    DataFrame
        ``label`` (row), ``series`` (figure), ``value``, ``low``, ``high``: 95 % intervals by bootstrap over documents.
    """
    models = models or fold_models(folds=folds, seed=seed)
    made = {part.name: part for part in parts or material(folds=folds, seed=seed)}
    further = [*more_voices(folds=folds, seed=seed), in_lines(folds=folds, seed=seed)]
    further += [marked_later(folds=folds, seed=seed), *invented_pages(folds=folds, seed=seed)]
    further.append(invented_scrapes(folds=folds, seed=seed))
    made |= {part.name: part for part in further}
    counted = pd.concat([datasets.load(n)[list(COLUMNS)] for n in ("allsides", "modern")], ignore_index=True)
    rows = []
    for task in tasks(made):
        chosen = task.part.corpus[task.chosen]
        found = spans_of(chosen, models, counted if task.fitted else None)
        counts = document_counts(task, found)
        value = figures_of(counts)
        names = list(value)

        def draw(
            rows: NDArray[np.int64], counts: pd.DataFrame = counts, names: list[str] = names
        ) -> NDArray[np.float64]:
            drawn = figures_of(counts.iloc[rows])
            return np.array([drawn.get(name, np.nan) for name in names])

        low, high = bootstrap(draw, len(counts), draws=draws, seed=seed)
        rows += [
            {"label": task.name, "series": name, "value": value[name], "low": low[i], "high": high[i]}
            for i, name in enumerate(names)
        ]
        print(task.name, {k: round(v, 4) for k, v in value.items()}, flush=True)
    return pd.DataFrame(rows)


def held_out_spans(
    *, folds: int = 3, seed: int = 0, only: tuple[int, ...] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, pd.DataFrame]]:
    """Spans that publisher-grouped cross-validation finds in the visible gold.

    Parameters
    ----------
    only : tuple of int, optional
        Folds to score; default all.

    Returns
    -------
    corpus : DataFrame
        The scored gold articles.
    gold : DataFrame
        Their gold spans.
    found : dict of str to DataFrame
        ``with fit`` and ``single documents`` → spans.
    """
    gold = datasets.gold("boilerplate")
    corpus = dealt(gold.corpus[gold.corpus["part"] == "boilerplate"], folds, seed)
    corpus = corpus[corpus["fold"].isin(only if only is not None else range(folds))].reset_index(drop=True)
    models = fold_models(folds=folds, seed=seed)
    counted = datasets.load("allsides")
    found = {"with fit": spans_of(corpus, models, counted), "single documents": spans_of(corpus, models)}
    return corpus, gold.spans[gold.spans["doc_id"].isin(set(corpus["doc_id"]))], found


def methods_table(*, folds: int = 3, seed: int = 0, draws: int = 1000) -> pd.DataFrame:
    """The table of EVALUATION, part 1: baselines and the remover on the visible gold.

    Returns
    -------
    DataFrame
        ``label`` (method), ``series`` (figure), ``value``, ``low``, ``high`` (shares in [0, 1]; 95 % intervals by
        bootstrap over documents).
    """
    corpus, gold, found = held_out_spans(folds=folds, seed=seed)
    everything = datasets.load("allsides")
    methods = {name: rule(everything) for name, rule in BASELINES.items()} | found
    tables = {
        name: span_scores(span_counts(corpus, gold, spans), draws=draws, seed=seed)
        for name, spans in methods.items()
    }
    return pd.DataFrame(
        [
            {"label": name, "series": figure, **table.loc[figure, ["value", "low", "high"]]}
            for name, table in tables.items()
            for figure in table.index
        ]
    )

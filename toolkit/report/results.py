"""Results: the folder that a run wrote, read as numbered tables and sentences; their size does not grow with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from toolkit import census, words
from toolkit.certificate import Certificate
from toolkit.display import Articles, Card, CleanedArticle, Table, one_line, show, telling, visible
from toolkit.files import whole
from toolkit.record import intact
from toolkit.tables import UNKNOWN
from toolkit.verdict import TEXTS

SAMPLE = 1_000
"""Articles, drawn at random, whose text as loaded is classified too, to see what cleaning changes."""

TABLES = {
    "account": "What came in and what was kept; shares are of the {kept:,} documents kept, or of all characters.",
    "publishers": "Publishers with most documents, and the share of their characters that the remover marked.",
    "composition": "Verdicts, languages, text faults and duplicates; n = {kept:,} documents.",
    "kinds": "Passages that the remover marked, by kind; the share is of all {characters:,} characters.",
    "templates": "Repeated passages that account for most of the marked characters, with one example each.",
    "others": "Documents that hold no article, and have no topic: the first 20.",
    "topics": "Topics of the cleaned articles; n = {articles:,}. An article may have several topics or none.",
    "changes": "Articles whose leading topic changes with cleaning, in a random sample; n is a column.",
    "words": "Words that cleaning took most of, in the same sample (log-likelihood: Dunning 1993).",
    "quarantine": "Records that could not be read: the first 50 of {quarantined:,}.",
    "inputs": "Files that were read, with the first digits of their SHA-256.",
    "parameters": "Parameters of the run.",
    "versions": "Versions, and the first digits of the SHA-256 of the models.",
}
"""Name of each table → its caption, in the order of ``page.md``, which numbers them."""

_TEXTS = {"templates": "example", "others": "text", "quarantine": "excerpt"}
"""Table → its column of article text."""


class Results:
    """A folder that ``news-toolkit run`` wrote, read as tables of bounded size.

    Without ``texts``, only single words of articles are shown. ``record`` is the content of ``run.json``, ``spans`` are
    as :meth:`toolkit.BoilerplateRemover.spans` returns them, ``corpus`` has one row a document: ``doc_id, publisher,
    published, lang, characters`` (no text), ``verdict``. A NoRunError or DamagedError says that the folder holds no
    finished run, or something else than its record states.
    """

    def __init__(self, folder: str | Path, *, texts: bool = True) -> None:
        self.folder, self.texts = Path(folder), texts
        self.record: dict[str, Any] = intact(folder)
        self.counts: dict[str, Any] = self.record["counts"]
        self._frames: dict[str, pd.DataFrame] = {}

    def __repr__(self) -> str:
        return f"Results({str(self.folder)!r}: {self.counts['kept']:,} documents)"

    @cached_property
    def corpus(self) -> pd.DataFrame:  # noqa: D102 (an attribute)
        names = ["doc_id", "publisher", "published", "lang"]
        blocks = [
            block.select(names).append_column("characters", pc.utf8_length(block["text"]))
            for block in self._blocks([*names, "text"])
        ]
        frame = pa.Table.from_batches(blocks).to_pandas()
        frame["verdict"] = parquet.read_table(self.folder / "verdicts.parquet")["verdict"].to_pandas()
        frame["publisher"] = frame["publisher"].fillna(UNKNOWN)
        return frame

    @cached_property
    def spans(self) -> pd.DataFrame:  # noqa: D102
        return parquet.read_table(self.folder / "spans.parquet").to_pandas()

    def articles(self, ids: list[str]) -> pd.DataFrame:
        """Return the documents of ``ids`` in that order, with ``text`` and ``clean_text``."""
        wanted = list(dict.fromkeys(ids))
        known = self._quoted
        if not set(wanted) <= set(known.index):
            known = self._found(wanted)
        return known.loc[wanted].reset_index()

    @cached_property
    def _quoted(self) -> pd.DataFrame:
        """The documents that tables and examples quote, by id. Kept, because finding them can take minutes."""
        lists = (self._drawn, self._repeated["doc_id"], self._unlike["doc_id"], self._telling())
        return self._found([doc_id for ids in lists for doc_id in ids])

    def _found(self, ids: list[str]) -> pd.DataFrame:
        kind = parquet.read_schema(self.folder / "cleaned.parquet").field("doc_id").type
        wanted = pa.array(dict.fromkeys(ids), kind)
        found = [block.filter(pc.is_in(block["doc_id"], wanted)) for block in self._blocks()]
        return pa.Table.from_batches(found).to_pandas().set_index("doc_id")

    def _blocks(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Read the cleaned documents block by block; a dataset of Arrow reads 300 MB ahead and takes twice the time."""
        # not a row group at once either, which is what pre_buffer reads
        path = self.folder / "cleaned.parquet"
        with parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            yield from file.iter_batches(1024, columns=columns, use_threads=False)
        pa.default_memory_pool().release_unused()

    @cached_property
    def sample(self) -> pd.DataFrame:
        """A random sample of articles (seed 0), with ``before``, ``after`` (leading topic) and ``changed``."""
        from toolkit.contamination import shifts
        from toolkit.topics import TopicClassifier

        trained = self.folder / "classifier.npz"  # on the labels of the run, if it had any
        classifier = TopicClassifier.load(trained) if "labels" in self.record else TopicClassifier()
        drawn = self.articles(self._drawn)
        moves = shifts(drawn, classifier).rename(columns={"before_name": "from", "after_name": "to"})
        return drawn.join(moves[["from", "to", "changed"]])

    @cached_property
    def _drawn(self) -> list[str]:
        ids = self.corpus.loc[self.corpus["verdict"].isin(TEXTS), "doc_id"].to_numpy(object)
        chosen: list[str] = ids[np.sort(np.random.default_rng(0).permutation(len(ids))[:SAMPLE])].tolist()
        return chosen

    def frame(self, name: str) -> pd.DataFrame:
        """Return a table of the report, one of :data:`TABLES`; shares are fractions."""
        if name not in self._frames:
            counted = {"publishers": census.publishers, "kinds": census.kinds}.get(name)
            self._frames[name] = counted(self.corpus, self.spans) if counted else getattr(self, f"_{name}")()
        frame = self._frames[name].copy()
        return frame if self.texts else frame.drop(columns=_TEXTS.get(name, []))

    def table(self, name: str, top: int | None = None) -> Table:
        """Return a table of the report with its number and caption, to show."""
        frame = self.frame(name)
        caption = TABLES[name].format(**self.counts | {"articles": self._articles})
        caption = f"Table {list(TABLES).index(name) + 1}. {caption}"
        return Table(frame.head(top or len(frame)), percent=("share", "fell"), caption=caption)

    def headline(self) -> str:
        """Return what the run found, in a few sentences."""
        n, share = self.counts, self._share()
        other = n["kept"] - self._articles
        topics = ", ".join(f"{visible(name)} ({k:,})" for name, k in list(n["topics"].items())[:3])
        return (
            f"{n['in']:,} documents came in: {n['kept']:,} were kept, {n['quarantined']:,} quarantined. The remover "
            f"marked {_interval(share)} of {n['characters']:,} characters as boilerplate."
            + (f" {other:,} documents hold no article and have no topic." if other else "")
            + (f" Most frequent topics, as the classifier predicts them: {topics}." if topics else "")
        )

    def about(self, title: str = "Results", author: str = "") -> Card:
        """Return a card: the files that were read, the date, the author and the version."""
        dates = self.corpus["published"].dropna()
        span = f", published {dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}" if len(dates) else ""
        inputs = ", ".join(visible(str(each["name"])) for each in self.record["inputs"][:5])
        more = len(self.record["inputs"]) - 5
        lines = {
            "corpus": f"{inputs}{f' and {more:,} more files' if more > 0 else ''}; {self.counts['kept']:,} documents "
            f"of {(self.corpus['publisher'].unique() != UNKNOWN).sum():,} publishers{span}",
            "date of run": str(self.record["environment"]["finished"])[:10],
            "author": author,
            "made by": f"news-toolkit {self.record['versions']['news-toolkit']}",
        }
        return Card(title, {name: value for name, value in lines.items() if value})

    def certificate(self) -> str:
        """Return the bounds that judged passages give for this corpus, or how to get them."""
        if (self.folder / "certificate.json").is_file():
            return str(Certificate.load(self.folder))
        return (
            "Nobody has judged passages of this corpus yet, so its loss of article text is not known. A quarter of "
            "an hour bounds it: toolkit.review.certify(corpus, remover) shows 200 random passages, and the "
            "certificate that it saves appears here."
        )

    def methods(self) -> str:
        """Return a paragraph on the method, with the numbers of this run, for a paper."""
        n, chosen, drawn = self.counts, self.record["parameters"], self.sample
        version = visible(self.record["versions"]["news-toolkit"])
        loss, bar = chosen.get("max_article_loss", 0.0015), chosen.get("threshold")
        aim = f"a least probability of {bar:g}" if bar else f"an article loss of at most {100 * loss:g} %"
        outside = n.get("outside") or 0
        judged = (self.folder / "certificate.json").is_file()
        moved = census.rate(int(drawn["changed"].sum()), len(drawn))
        labels = len(self.record.get("labels", ()))
        shipped = "the 17 top-level IPTC Media Topics, as the shipped classifier predicts them"
        own = f"own labels, as a classifier predicts them that was trained on {labels:,} labelled documents,"
        return (
            f"We read {n['in']:,} news documents ({n['quarantined']:,} could not be read) and cleaned them with "
            f"news-toolkit {version}. Its remover learns the passages that each "
            "publisher repeats and judges every passage by a trained model; its thresholds were set for "
            f"{aim} ({outside:,} documents have a layout, language or date for which this is not promised). "
            f"It marked {_interval(self._share())} of all characters (95 % interval over documents). "
            f"{self.certificate() if judged else 'The loss was not measured on this corpus.'} "
            f"{n['kept'] - self._articles:,} documents were set aside as holding no article. Topics are "
            f"{own if labels else shipped} from the cleaned text. In a random "
            f"sample of {len(drawn):,} articles, cleaning changed the leading topic of {_interval(moved)}."
        )

    def bibtex(self) -> str:
        """Return the reference of the software as BibTeX."""
        version, when = self.record["versions"]["news-toolkit"], self.record["environment"]["finished"]
        models = ", ".join(digest[:8] for digest in self.record["models"].values())
        # a stranger's record must not write TeX
        version, when, models = (re.sub(r"[^\w.,:+ -]", "", text) for text in (version, when, models))
        return (
            "@software{news_toolkit,\n  title = {news-toolkit: trustworthy topics out of scraped news},\n"
            f"  author = {{{{The news-toolkit authors}}}},\n  version = {{{version}}},\n  year = {{{when[:4]}}},\n"
            f"  note = {{Models {models}}}\n}}"
        )

    def examples(self, top: int = 5, context: int | None = 240) -> Articles:
        """Return articles that show cleaning well, with what was marked struck through; none without texts."""
        if not self.texts:
            return Articles(note="Texts of articles are left out of this report.")
        return Articles([self.article(doc_id, context=context) for doc_id in self._telling(top)])

    def _telling(self, top: int = 5) -> list[str]:
        return telling(self.corpus.rename(columns={"characters": "length"}), self.spans, top)

    def article(self, doc_id: str, *, context: int | None = 240) -> CleanedArticle:
        """Return one document, with what was marked struck through and long kept passages shortened."""
        return cast("CleanedArticle", show(self.articles([doc_id]), self.spans, doc_id, context=context))

    def save_tables(self, folder: str | Path) -> Path:
        """Write every table as CSV and LaTeX (booktabs), named by its number, and return the folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(TABLES, 1):
            frame = self.frame(name)
            frame = frame.map(lambda cell: visible(cell) if isinstance(cell, str) else cell)
            caption = re.sub(r"([%&#_$])", r"\\\1", self.table(name).caption.split(". ", 1)[1])
            # a spreadsheet, which opens these by a double click, would compute what begins so
            plain = frame.replace(r"^(?=\s*[-=+@])", "'", regex=True).to_csv(index=False, lineterminator="\n")
            style = frame.style.hide(axis="index").format(precision=4, escape="latex", na_rep="")
            style = style.format_index(escape="latex", axis=1)
            latex = style.to_latex(hrules=True, label=f"tab:{name}", caption=caption)
            for suffix, text in (("csv", plain), ("tex", latex)):
                with whole(folder / f"{number:02}_{name}.{suffix}") as path:
                    path.write_text(text, "utf-8")
        return folder

    def _share(self) -> dict[str, float]:
        gone = (self.spans["end"] - self.spans["start"]).groupby(self.spans["doc_id"]).sum()
        return census.ratio(self.corpus["doc_id"].map(gone).fillna(0), self.corpus["characters"])

    @cached_property
    def _articles(self) -> int:
        """How many documents hold an article, and so may have topics."""
        return int(self.corpus["verdict"].isin(TEXTS).sum())

    def _copies(self) -> dict[str, int]:
        return {kind: k for kind, k in self.counts.get("duplicates", {}).items() if kind != "groups"}

    def _account(self) -> pd.DataFrame:
        n, kept = self.counts, self.counts["kept"]
        parts = {
            "documents that hold no article": kept - self._articles,
            "documents with something marked": self.spans["doc_id"].nunique(),
            "documents that lost over half of their text": n.get("halved", 0),
            "documents outside the promised loss": n.get("outside"),
            "documents without a date": n.get("undated", 0),
            "documents that have a duplicate": sum(self._copies().values()) if "duplicates" in n else None,
        }
        whole_counts = {"documents in": n["in"], "documents kept": kept, "documents quarantined": n["quarantined"],
                        "characters read": n["characters"]}  # fmt: skip
        rows: list[dict[str, Any]] = [{"what": what, "n": k} for what, k in whole_counts.items()]
        rows.append({"what": "characters marked", "n": sum(n["removed"].values())} | self._share())
        rows += [{"what": what, "n": k} | census.rate(k, kept) for what, k in parts.items() if k is not None]
        return pd.DataFrame(rows, columns=["what", "n", "share", "low", "high"])

    @cached_property
    def _repeated(self) -> pd.DataFrame:
        """The templates of the report, each with the place of one of its passages."""
        spans = self.spans[self.spans["template_id"].notna()].copy()
        spans["characters"] = spans["end"] - spans["start"]
        groups = spans.groupby(["template_id", "kind"], sort=True)
        table = groups[["doc_id", "start", "end"]].first()
        table["documents"], table["characters"] = groups["doc_id"].nunique(), groups["characters"].sum()
        table = table.reset_index()
        return table.sort_values(["characters", "template_id"], ascending=[False, True]).head(20)

    def _templates(self) -> pd.DataFrame:
        texts = self.articles(self._repeated["doc_id"].tolist())[["doc_id", "publisher", "text"]]
        table = self._repeated.merge(texts, how="left", on="doc_id").fillna({"publisher": UNKNOWN})
        places = zip(table["text"], table["start"], table["end"], strict=True)
        table["example"] = [one_line(text[start:end], 160) for text, start, end in places]
        return table[["publisher", "kind", "documents", "characters", "example"]]

    def _composition(self) -> pd.DataFrame:
        n = self.counts
        named = {"verdict": "verdicts", "language": "languages", "fault": "faults"}
        parts = {what: n.get(key, {}) for what, key in named.items()}
        return _counted(n["kept"], **parts, duplicate=self._copies())

    @cached_property
    def _unlike(self) -> pd.DataFrame:
        """The first documents that hold no article."""
        found = parquet.read_table(self.folder / "verdicts.parquet", filters=~pc.field("verdict").isin(TEXTS))
        return found.slice(0, 20).to_pandas()

    def _others(self) -> pd.DataFrame:
        frame = self._unlike.copy()
        texts = self.articles(frame["doc_id"].tolist())
        frame["publisher"] = texts["publisher"].fillna(UNKNOWN)
        frame["text"] = [one_line(text, 160) for text in texts["text"]]
        return frame[["verdict", "probability", "publisher", "text"]]

    def _topics(self) -> pd.DataFrame:
        table = _counted(self._articles, topic=self.counts["topics"])
        return table.rename(columns={"value": "topic"}).drop(columns="what")

    def _changes(self, top: int = 15) -> pd.DataFrame:
        columns = ["publisher", "n", "share", "low", "high"]
        drawn = self.sample.assign(publisher=self.sample["publisher"].fillna(UNKNOWN), all="all")
        if drawn.empty:
            return pd.DataFrame(columns=columns)
        every, each = (census.shares(drawn, "changed", by=by) for by in ("all", "publisher"))
        each = each.sort_values(["n", "label"], ascending=[False, True]).head(top)
        return pd.concat([every, each], ignore_index=True).set_axis(columns, axis=1)

    def _words(self) -> pd.DataFrame:
        return words.lost(self.sample)

    def _quarantine(self, top: int = 50) -> pd.DataFrame:
        table = parquet.read_table(self.folder / "quarantine.parquet").slice(0, top).to_pandas()
        return table.map(lambda value: one_line(str(value), 160))

    def _inputs(self) -> pd.DataFrame:
        rows = [(each["name"], each["bytes"], (each["sha256"] or "")[:12]) for each in self.record["inputs"]]
        return pd.DataFrame(rows, columns=["name", "bytes", "sha256"])

    def _parameters(self) -> pd.DataFrame:
        rows = self.record["parameters"].items()
        values = [(name, json.dumps(value, ensure_ascii=False)) for name, value in rows]
        return pd.DataFrame(values, columns=["parameter", "value"])

    def _versions(self) -> pd.DataFrame:
        models = {name: digest[:12] for name, digest in self.record["models"].items()}
        rows = list((self.record["versions"] | models).items())
        return pd.DataFrame(rows, columns=["what", "version"])


def _counted(of: int, **parts: dict[str, int]) -> pd.DataFrame:
    """Return counts of documents (what was counted → value → documents) as shares of all, with their intervals."""
    counts = [(what, value, n) for what, found in parts.items() for value, n in found.items()]
    rows = [{"what": what, "value": value, "documents": n, **census.rate(n, of)} for what, value, n in counts]
    return pd.DataFrame(rows, columns=["what", "value", "documents", "share", "low", "high"])


def _interval(found: dict[str, float]) -> str:
    """Return a share with its interval: ``18.3 % [17.1, 19.5]``."""
    if np.isnan(found["share"]):
        return "none"
    ends = "" if np.isnan(found["low"]) else f" [{100 * found['low']:.1f}, {100 * found['high']:.1f}]"
    return f"{100 * found['share']:.1f} %{ends}"

"""Report: a folder of results as numbered tables and figures, and the notebook that shows them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from toolkit import census, words
from toolkit.certificate import Certificate
from toolkit.display import Articles, Card, CleanedArticle, Table, show, telling, visible
from toolkit.errors import OutputError, ReportError
from toolkit.files import whole
from toolkit.record import amend, intact
from toolkit.verdict import TEXTS

SAMPLE = 1_000
"""Articles that are classified as loaded too, drawn at random, to see what cleaning changes."""

TABLES = {
    "account": "What came in and what was kept; shares are of the {kept:,} documents kept, or of all characters.",
    "publishers": "Publishers with most documents, and the share of their characters that the remover marked.",
    "kinds": "Passages that the remover marked, by kind; the share is of all {characters:,} characters.",
    "templates": "Repeated passages that account for most of the marked characters, with one example each.",
    "composition": "Verdicts, languages, text faults and duplicates; n = {kept:,} documents.",
    "others": "Documents that hold no article, and have no topic: the first 20.",
    "topics": "Topics of the cleaned articles; n = {articles:,}. An article may have several topics or none.",
    "changes": "Articles whose leading topic changes with cleaning, in a random sample; n is a column.",
    "words": "Words that cleaning took most of, in the same sample (log-likelihood: Dunning 1993).",
    "quarantine": "Records that could not be read: the first 50 of {quarantined:,}.",
    "inputs": "Files that were read, with the first digits of their SHA-256.",
    "parameters": "Parameters of the run.",
    "versions": "Versions, and the first digits of the SHA-256 of the models.",
}
"""Tables in the order of their numbers → their captions."""

_TEXTS = {"templates": "example", "others": "text", "quarantine": "excerpt"}
"""Table → its column of article text."""


class Results:
    """A folder that ``news-toolkit run`` wrote, read as tables of bounded size.

    Parameters
    ----------
    folder : path
        Holds ``run.json`` and the Parquet files that :func:`toolkit.pipeline.run` names.
    texts : bool, default True
        Show text of articles; without it, nothing of them but single words is shown.

    Attributes
    ----------
    record : dict
        The content of ``run.json``.
    corpus : DataFrame
        One row a document: ``doc_id, publisher, published, lang, characters`` (no text), ``verdict``.
    spans : DataFrame
        As :meth:`toolkit.BoilerplateRemover.spans` returns it.

    Raises
    ------
    NoRunError
        The folder holds no finished run.
    DamagedError
        A result or the record is damaged, or is not what the record states.
    """

    def __init__(self, folder: str | Path, *, texts: bool = True) -> None:
        self.folder, self.texts = Path(folder), texts
        self.record: dict[str, Any] = intact(folder)
        self.counts: dict[str, Any] = self.record["counts"]

    def __repr__(self) -> str:
        return f"Results({str(self.folder)!r}: {self.counts['kept']:,} documents)"

    @cached_property
    def corpus(self) -> pd.DataFrame:  # noqa: D102 (an attribute)
        pieces = []
        with parquet.ParquetFile(self.folder / "cleaned.parquet") as file:
            for batch in file.iter_batches(
                1024, columns=["doc_id", "publisher", "published", "lang", "text"]
            ):
                table = pa.Table.from_batches([batch])
                length = pc.utf8_length(table["text"])
                pieces.append(table.drop_columns(["text"]).append_column("characters", length))
        frame = pa.concat_tables(pieces).to_pandas()
        frame["verdict"] = parquet.read_table(self.folder / "verdicts.parquet")["verdict"].to_pandas()
        frame["publisher"] = frame["publisher"].fillna(census.UNKNOWN)
        return frame

    @cached_property
    def spans(self) -> pd.DataFrame:  # noqa: D102
        return parquet.read_table(self.folder / "spans.parquet").to_pandas()

    def articles(self, ids: list[str]) -> pd.DataFrame:
        """Return the documents of ``ids`` in that order, with ``text`` and ``clean_text``."""
        wanted = pa.array(list(dict.fromkeys(ids)), pa.large_string())
        found = []
        with parquet.ParquetFile(self.folder / "cleaned.parquet") as file:
            for batch in file.iter_batches(1024):
                table = pa.Table.from_batches([batch])
                found.append(table.filter(pc.is_in(table["doc_id"], wanted)))
        frame = pa.concat_tables(found).to_pandas().set_index("doc_id")
        return frame.loc[wanted.to_pylist()].reset_index()

    @cached_property
    def sample(self) -> pd.DataFrame:
        """A random sample of articles (seed 0), with ``before``, ``after`` (leading topic) and ``changed``."""
        from toolkit.contamination import shifts
        from toolkit.topics import TopicClassifier

        ids = self.corpus.loc[self.corpus["verdict"].isin(TEXTS), "doc_id"].to_numpy(object)
        chosen = np.sort(np.random.default_rng(0).permutation(len(ids))[:SAMPLE])
        drawn = self.articles(ids[chosen].tolist())
        moves = shifts(drawn, TopicClassifier()).rename(columns={"before_name": "from", "after_name": "to"})
        return drawn.join(moves[["from", "to", "changed"]])

    def frame(self, name: str) -> pd.DataFrame:
        """Return a table of the report, one of :data:`TABLES`; shares are fractions."""
        frame: pd.DataFrame = getattr(self, f"_{name}")()
        return frame if self.texts else frame.drop(columns=_TEXTS.get(name, []))

    def table(self, name: str, top: int | None = None) -> Table:
        """Return a table of the report with its number and caption, to show."""
        frame = self.frame(name)
        articles = int(self.corpus["verdict"].isin(TEXTS).sum())
        caption = TABLES[name].format(**self.counts | {"articles": articles})
        caption = f"Table {list(TABLES).index(name) + 1}. {caption}"
        return Table(
            frame.head(len(frame) if top is None else top), percent=("share", "fell"), caption=caption
        )

    def headline(self) -> str:
        """Return what the run found, in a few sentences."""
        n, share = self.counts, self._share()
        other = sum(self._verdicts().values())
        topics = ", ".join(f"{name} ({k:,})" for name, k in list(n["topics"].items())[:3])
        return (
            f"{n['in']:,} documents came in: {n['kept']:,} were kept, {n['quarantined']:,} quarantined. The remover "
            f"marked {_interval(share)} of {n['characters']:,} characters as boilerplate."
            + (f" {other:,} documents hold no article and have no topic." if other else "")
            + (f" Most frequent topics, as the classifier has them: {topics}." if topics else "")
        )

    def about(self, title: str = "Results", author: str = "") -> Card:
        """Return what was read, when, by whom and with what."""
        dates = self.corpus["published"].dropna()
        span = f", published {dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}" if len(dates) else ""
        inputs = ", ".join(visible(str(each["name"])) for each in self.record["inputs"][:5])
        more = len(self.record["inputs"]) - 5
        lines = {
            "corpus": f"{inputs}{f' and {more:,} more files' if more > 0 else ''}; {self.counts['kept']:,} documents "
            f"of {self.corpus['publisher'].nunique():,} publishers{span}",
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
        loss, bar = chosen.get("max_article_loss", 0.0015), chosen.get("threshold")
        aim = f"a least probability of {bar:g}" if bar else f"an article loss of at most {100 * loss:g} %"
        outside = n.get("outside") or 0
        judged = (self.folder / "certificate.json").is_file()
        moved = census.rate(int(drawn["changed"].sum()), len(drawn))
        return (
            f"We read {n['in']:,} news documents ({n['quarantined']:,} could not be read) and cleaned them with "
            f"news-toolkit {self.record['versions']['news-toolkit']}. Its remover learns the passages that each "
            "publisher repeats and judges every passage by a trained model; its thresholds were set for "
            f"{aim} ({outside:,} documents have a layout or language for which this is not promised). "
            f"It marked {_interval(self._share())} of all characters (95 % interval over documents). "
            f"{self.certificate() if judged else 'The loss was not measured on this corpus.'} "
            f"{sum(self._verdicts().values()):,} documents were set aside as holding no article. Topics are the "
            "17 top-level IPTC Media Topics, as the shipped classifier predicts them from the cleaned text. In a "
            f"random sample of {len(drawn):,} articles, cleaning changed the leading topic of {_interval(moved)}."
        )

    def bibtex(self) -> str:
        """Return the reference of the software as BibTeX."""
        version, when = self.record["versions"]["news-toolkit"], self.record["environment"]["finished"]
        return (
            "@software{news_toolkit,\n  title = {news-toolkit: trustworthy topics out of scraped news},\n"
            f"  author = {{{{The news-toolkit authors}}}},\n  version = {{{version}}},\n  year = {{{when[:4]}}},\n"
            f"  note = {{Models {', '.join(d[:8] for d in self.record['models'].values())}}}\n}}"
        )

    def examples(self, top: int = 5, context: int | None = 240) -> Articles:
        """Return articles that show cleaning well, what was marked struck through; none without texts."""
        if not self.texts:
            return Articles(note="Texts of articles are left out of this report.")
        ids = telling(self.corpus.rename(columns={"characters": "length"}), self.spans, top)
        return Articles([self.article(doc_id, context=context) for doc_id in ids])

    def article(self, doc_id: str, *, context: int | None = 240) -> CleanedArticle:
        """Return one document, what was marked struck through, long kept passages shortened."""
        return show(self.articles([doc_id]), self.spans, doc_id, context=context)

    def save_tables(self, folder: str | Path) -> Path:
        """Write every table as CSV and LaTeX (booktabs), named by its number, and return the folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(TABLES, 1):
            frame = self.frame(name)
            frame = frame.map(lambda cell: visible(cell) if isinstance(cell, str) else cell)
            caption = self.table(name, top=0).caption.split(". ", 1)[1]
            plain = frame.to_csv(index=False, lineterminator="\n")
            style = frame.style.hide(axis="index").format(precision=4, escape="latex", na_rep="")
            style = style.format_index(escape="latex", axis=1)
            latex = style.to_latex(hrules=True, label=f"tab:{name}", caption=_latex(caption))
            for suffix, text in (("csv", plain), ("tex", latex)):
                with whole(folder / f"{number:02}_{name}.{suffix}") as path:
                    path.write_text(text, "utf-8")
        return folder

    def _share(self) -> dict[str, float]:
        gone = (self.spans["end"] - self.spans["start"]).groupby(self.spans["doc_id"]).sum()
        return census.ratio(self.corpus["doc_id"].map(gone).fillna(0), self.corpus["characters"])

    def _verdicts(self) -> dict[str, int]:
        return {name: k for name, k in self.counts.get("verdicts", {}).items() if name not in TEXTS}

    def _account(self) -> pd.DataFrame:
        n, kept = self.counts, self.counts["kept"]
        copies = sum(k for kind, k in n.get("duplicates", {}).items() if kind != "groups")
        parts = {
            "documents that hold no article": sum(self._verdicts().values()),
            "documents with something marked": self.spans["doc_id"].nunique(),
            "documents that lost over half of their text": n.get("halved", 0),
            "documents outside the promised loss": n.get("outside"),
            "documents without a date": n.get("undated", 0),
            "documents that have a duplicate": copies if "duplicates" in n else None,
        }
        whole_counts = {"documents in": n["in"], "documents kept": kept, "documents quarantined": n["quarantined"],
                        "characters read": n["characters"]}  # fmt: skip
        rows: list[dict[str, Any]] = [{"what": what, "n": k} for what, k in whole_counts.items()]
        rows.append({"what": "characters marked", "n": sum(n["removed"].values())} | self._share())
        rows += [{"what": what, "n": k} | census.rate(k, kept) for what, k in parts.items() if k is not None]
        return pd.DataFrame(rows, columns=["what", "n", "share", "low", "high"])

    def _publishers(self) -> pd.DataFrame:
        return census.publishers(self.corpus, self.spans)

    def _kinds(self) -> pd.DataFrame:
        return census.kinds(self.corpus, self.spans)

    def _templates(self, top: int = 20) -> pd.DataFrame:
        spans = self.spans[self.spans["template_id"].notna()].copy()
        spans["characters"] = spans["end"] - spans["start"]
        table = spans.groupby(["template_id", "kind"], sort=True).agg(
            documents=("doc_id", "nunique"), characters=("characters", "sum"), doc_id=("doc_id", "first"),
            start=("start", "first"), end=("end", "first"),
        ).reset_index()  # fmt: skip
        table = table.sort_values(["characters", "template_id"], ascending=[False, True]).head(top)
        texts = self.articles(table["doc_id"].tolist()).set_index("doc_id")
        table["example"] = [_short(texts["text"][r.doc_id][r.start : r.end]) for r in table.itertuples()]
        table["publisher"] = texts["publisher"].fillna(census.UNKNOWN)[table["doc_id"]].to_numpy()
        return table[["publisher", "kind", "documents", "characters", "example"]].reset_index(drop=True)

    def _composition(self) -> pd.DataFrame:
        n = self.counts
        copies = {kind: k for kind, k in n.get("duplicates", {}).items() if kind != "groups"}
        languages = n.get("languages", {})
        return census.counts(n["kept"], verdict=n.get("verdicts", {}), language=languages,
                             fault=n.get("faults", {}), duplicate=copies)  # fmt: skip

    def _others(self, top: int = 20) -> pd.DataFrame:
        table = parquet.read_table(self.folder / "verdicts.parquet")
        found = table.filter(pc.invert(pc.is_in(table["verdict"], pa.array(TEXTS, pa.large_string()))))
        frame = found.slice(0, top).to_pandas()
        texts = self.articles(frame["doc_id"].tolist())
        frame["publisher"] = texts["publisher"].fillna(census.UNKNOWN)
        frame["text"] = texts["text"].map(_short)
        return frame[["verdict", "probability", "publisher", "text"]]

    def _topics(self) -> pd.DataFrame:
        articles = int(self.corpus["verdict"].isin(TEXTS).sum())
        table = census.counts(articles, topic=self.counts["topics"])
        return table.rename(columns={"value": "topic"}).drop(columns="what")

    def _changes(self, top: int = 15) -> pd.DataFrame:
        columns = ["publisher", "n", "share", "low", "high"]
        drawn = self.sample.assign(publisher=self.sample["publisher"].fillna(census.UNKNOWN), all="all")
        if drawn.empty:
            return pd.DataFrame(columns=columns)
        every, each = (census.shares(drawn, "changed", by=by) for by in ("all", "publisher"))
        each = each.sort_values(["n", "label"], ascending=[False, True]).head(top)
        return pd.concat([every, each], ignore_index=True).set_axis(columns, axis=1)

    def _words(self) -> pd.DataFrame:
        try:
            return words.lost(self.sample)
        except ValueError:  # no word in the sample
            return pd.DataFrame(columns=["word", "before", "after", "fell", "log_likelihood"])

    def _quarantine(self, top: int = 50) -> pd.DataFrame:
        table = parquet.read_table(self.folder / "quarantine.parquet").slice(0, top).to_pandas()
        return table.map(lambda value: _short(str(value)))

    def _inputs(self) -> pd.DataFrame:
        rows = [(each["name"], each["bytes"], (each["sha256"] or "")[:12]) for each in self.record["inputs"]]
        return pd.DataFrame(rows, columns=["name", "bytes", "sha256"])

    def _parameters(self) -> pd.DataFrame:
        rows = [
            (name, json.dumps(value, ensure_ascii=False)) for name, value in self.record["parameters"].items()
        ]
        return pd.DataFrame(rows, columns=["parameter", "value"])

    def _versions(self) -> pd.DataFrame:
        models = {name: digest[:12] for name, digest in self.record["models"].items()}
        rows = list((self.record["versions"] | models).items())
        return pd.DataFrame(rows, columns=["what", "version"])


def _interval(found: dict[str, float]) -> str:
    """Say a share with its interval: ``18.3 % [17.1, 19.5]``."""
    if np.isnan(found["share"]):
        return "none"
    ends = "" if np.isnan(found["low"]) else f" [{100 * found['low']:.1f}, {100 * found['high']:.1f}]"
    return f"{100 * found['share']:.1f} %{ends}"


def _short(text: str, longest: int = 160) -> str:
    text = " ".join(visible(text).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _latex(text: str) -> str:
    return re.sub(r"([%&#_$])", r"\\\1", text)


def finished(folder: str | Path) -> bool:
    """Whether ``folder`` holds the results of a finished run."""
    return Path(folder, "run.json").is_file()


def check_page(page: Path) -> None:
    """Refuse, before the work begins, a page whose name does not end in ``.html``."""
    if page.suffix.lower() != ".html":
        msg = f"{page}: a report is an HTML file; name it {page.with_suffix('.html').name}"
        raise OutputError(msg)


def blank() -> Any:
    """Return the report's notebook before it is run: ``report.md``, each block of code a cell named after its label.

    Examples
    --------
    >>> [cell.id for cell in blank().cells if cell.cell_type == "code"][:3]
    ['setup', 'parameters', 'open']
    """
    from nbformat import v4

    cells = []
    for number, part in enumerate(re.split(r"^```", _written("report.md"), flags=re.MULTILINE)):
        if part.startswith("python "):
            name, code = part.removeprefix("python ").split("\n", 1)
            tags = {"tags": [name]} if name == "parameters" else {}
            cells.append(v4.new_code_cell(code.strip(), id=name, metadata=tags))
        elif part.strip():
            cells.append(v4.new_markdown_cell(part.strip(), id=f"text-{number}"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def _written(name: str) -> str:
    return resources.files("toolkit").joinpath(name).read_text("utf-8")


def _given(folder: Path, **values: Any) -> Any:
    from nbformat import v4

    lines = [f"{name} = {_quoted(value)}" for name, value in {"folder": folder.as_posix(), **values}.items()]
    tags = {"tags": ["injected-parameters"]}
    return v4.new_code_cell("\n".join(["# Parameters", *lines]), id="injected-parameters", metadata=tags)


def _quoted(value: Any) -> str:
    if isinstance(value, bool):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def render(
    folder: str | Path,
    page: str | Path | None = None,
    *,
    texts: bool = True,
    title: str = "",
    author: str = "",
) -> Path:
    """Run the report's notebook on a folder of results and write it beside the page that it makes.

    Parameters
    ----------
    folder : path
        As ``news-toolkit run`` wrote it.
    page : path, optional
        The HTML file to write; default ``report.html`` in the folder. The notebook has the same name, ends in
        ``.ipynb``, and can be carried on from. The tables stand beside it in ``report_tables``, as CSV and LaTeX.
    texts : bool, default True
        Show text of articles. Without it, the page can be given to people who may not have the texts.
    title, author : str, optional
        Shown on top.

    Returns
    -------
    Path
        The HTML file: one file, without inputs, scripts or anything from the network.

    Notes
    -----
    The notebook runs in an empty folder of its own, so nothing in a folder of results is imported or executed.

    Raises
    ------
    ReportError
        The extra ``lab`` is not installed, the folder holds no finished run, or the notebook failed.
    """
    results = Results(folder, texts=texts)
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
        from nbconvert import HTMLExporter
    except ImportError as error:
        msg = f"no report: {error.name} is not installed; pip install 'news-toolkit[lab]'"
        raise ReportError(msg) from None
    from toolkit.notebook import KERNEL, isolated, normalise

    folder = Path(folder)
    page = folder / "report.html" if page is None else Path(page)
    check_page(page)
    page.parent.mkdir(parents=True, exist_ok=True)
    book = blank()
    values = {"texts": texts, "title": title or "Results", "author": author}
    given = _given(folder.absolute(), **values)
    book.cells.insert(1 + [cell.id for cell in book.cells].index("parameters"), given)
    try:
        with isolated() as place:
            runner = NotebookClient(
                book, kernel_name="python3", timeout=None, startup_timeout=600, extra_arguments=KERNEL,
                record_timing=False, store_widget_state=False,
            )  # fmt: skip
            # a kernel that ends may complain of its sockets
            runner.execute(**place, stderr=subprocess.DEVNULL)
    except (CellExecutionError, RuntimeError) as error:  # a dead kernel is the latter
        reason = getattr(error, "evalue", None) or str(error)
        msg = (
            f"no report: its notebook stopped ({reason}); the results are whole, "
            f"`news-toolkit report {folder}` tries again"
        )
        raise ReportError(msg) from error
    given.source = _given(Path(os.path.relpath(folder, page.parent)), **values).source
    tables = results.save_tables(page.with_name(f"{page.stem}_tables"))
    with whole(page.with_suffix(".ipynb")) as written:
        nbformat.write(book, written)
        normalise(written)
        notebook = nbformat.read(written, as_version=4)
    exporter = HTMLExporter(
        raw_template=_written("report.html.j2"), exclude_input=True, exclude_input_prompt=True,
        exclude_output_prompt=True, anchor_link_text="",
        extra_template_basedirs=[],  # by default it would take templates from the current folder
    )  # fmt: skip
    html, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": "News report"}})
    with whole(page) as temporary:
        temporary.write_text(html, "utf-8")
    if page.parent.resolve() == folder.resolve():
        written_files = [page, page.with_suffix(".ipynb"), *sorted(tables.iterdir())]
        amend(page.parent, written_files, environment={"report": values})
    return page

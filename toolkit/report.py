"""Report: a folder of results as figures and tables, and the notebook that shows them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from toolkit.display import CleanedArticle, show, telling, visible
from toolkit.errors import NoRunError, OutputError, ReportError
from toolkit.files import whole
from toolkit.verdict import TEXTS

UNKNOWN = "(unknown)"

# nbconvert's own page, without the scripts it would load from the network: the policy forbids any.
PAGE = """\
{%- extends 'lab/index.html.j2' -%}
{%- block html_head -%}
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:">
{{ super() }}
{%- endblock html_head -%}
{%- block html_head_js -%}{%- endblock html_head_js -%}
{%- block html_head_js_mathjax -%}{%- endblock html_head_js_mathjax -%}
{%- block html_head_js_mermaidjs -%}{%- endblock html_head_js_mermaidjs -%}
{%- block data_svg scoped -%}
<div class="jp-RenderedSVG jp-OutputArea-output" data-mime-type="image/svg+xml">
<img alt="{{ output.metadata.get('image/svg+xml', {}).get('alt', '') | escape_html }}"
  src="data:image/svg+xml;base64,{{ output.data['image/svg+xml'] | text_base64 | escape_html }}">
</div>
{%- endblock data_svg -%}
{%- block html_head_css -%}
{{ super() }}
<style>
body.jp-Notebook { max-width: 60em; margin: 0 auto; padding: 1.5em; overflow: auto; }
.jp-OutputArea-child img { max-width: 100%; height: auto; }
.jp-OutputPrompt, .jp-InputPrompt { display: none; }
.jp-RenderedText pre { white-space: pre-wrap; word-break: normal; font: inherit; }
table.dataframe td { max-width: 26em; overflow-wrap: break-word; white-space: normal; }
@media (max-width: 40em) {
  body.jp-Notebook { padding: 0.5em; }
  table.dataframe td, table.dataframe th { overflow-wrap: anywhere; white-space: normal; padding: 0.3em; }
}
@media print {
  h1, h2 { break-after: avoid; }
  img, tr { break-inside: avoid; }
}
</style>
{%- endblock html_head_css -%}
"""


class Results:
    """A folder that ``news-toolkit run`` wrote, read as tables of bounded size.

    Parameters
    ----------
    folder : path
        Holds ``run.json``, ``cleaned.parquet``, ``spans.parquet``, ``verdicts.parquet``, ``topics.parquet``,
        ``quarantine.parquet``.

    Raises
    ------
    ReportError
        The folder holds no finished run.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            self.record: dict[str, Any] = json.loads((self.folder / "run.json").read_text("utf-8"))
        except FileNotFoundError:
            msg = (
                f"{self.folder}: no run.json, so no finished run; run `news-toolkit run IN -o {self.folder}`"
            )
            raise NoRunError(msg) from None

    def __repr__(self) -> str:
        return f"Results({str(self.folder)!r}: {self.record['counts']['kept']:,} documents)"

    def headline(self) -> str:
        """Return what the run found, in three sentences."""
        counts = self.record["counts"]
        gone = sum(counts["removed"].values())
        share = f"{gone / max(1, counts['characters']):.1%}".replace("%", " %")
        text = (
            f"{counts['in']:,} documents came in: {counts['kept']:,} were kept, {counts['quarantined']:,} "
            f"quarantined. {gone:,} of {counts['characters']:,} characters ({share}) were boilerplate."
        )
        if others := self.verdicts():
            named = ", ".join(f"{name} {n:,}" for name, n in others.items())
            text += f" {sum(others.values()):,} hold no article and have no topic ({named})."
        topics = list(counts["topics"].items())[:3]
        if topics:
            text += " Most frequent topics: " + ", ".join(f"{name} ({n:,})" for name, n in topics) + "."
        return text

    def verdicts(self) -> dict[str, int]:
        """Return how many documents hold no article, by verdict; see :func:`toolkit.verdicts`."""
        counts = self.record["counts"].get("verdicts", {})
        return {name: n for name, n in counts.items() if name not in TEXTS}

    def others(self, top: int = 20) -> pd.DataFrame:
        """Return the first documents without an article: ``verdict, probability, publisher, text`` (its beginning)."""
        table = parquet.read_table(self.folder / "verdicts.parquet")
        table = table.filter(pc.invert(pc.is_in(table["verdict"], pa.array(TEXTS, pa.large_string()))))
        found = table.slice(0, top).to_pandas()
        texts = self.articles(found["doc_id"].tolist())
        found["publisher"] = [visible(str(name)) for name in texts["publisher"].fillna(UNKNOWN)]
        found["text"] = [_short(text, 160) for text in texts["text"]]
        return found[["verdict", "probability", "publisher", "text"]]

    def account(self) -> pd.DataFrame:
        """Return the counts of the run: ``what`` (str), ``n`` (int)."""
        counts = self.record["counts"]
        removed = sum(counts["removed"].values())
        rows = {
            "documents in": counts["in"],
            "documents kept": counts["kept"],
            "documents quarantined": counts["quarantined"],
            "documents that hold no article": sum(self.verdicts().values()),
            "characters read": counts["characters"],
            "characters removed": removed,
            "documents with something removed": self._spans(["doc_id"])["doc_id"].nunique(),
            "documents that lost over half of their text": counts.get("halved", 0),
            "documents without a date": counts.get("undated", 0),
        }
        if "duplicates" in counts:
            copies = (n for kind, n in counts["duplicates"].items() if kind != "groups")
            rows["documents that have a duplicate"] = sum(copies)
        return pd.DataFrame({"what": list(rows), "n": list(rows.values())})

    def inputs(self) -> pd.DataFrame:
        """Return the files read: ``name``, ``bytes``, ``sha256`` (its first 12 digits)."""
        rows = [(visible(i["name"]), i["bytes"], (i["sha256"] or "")[:12]) for i in self.record["inputs"]]
        return pd.DataFrame(rows, columns=["name", "bytes", "sha256"])

    def versions(self) -> pd.DataFrame:
        """Return ``what`` and ``version``: the package, Python, libraries, and the digests of the models."""
        models = {name: digest[:12] for name, digest in self.record["models"].items()}
        rows = {**self.record["versions"], **models}
        return pd.DataFrame({"what": list(rows), "version": list(rows.values())})

    def _spans(self, columns: list[str]) -> pd.DataFrame:
        return parquet.read_table(self.folder / "spans.parquet", columns=columns).to_pandas()

    def _documents(self) -> pd.DataFrame:
        """Return doc_id, publisher, published, title and the length of the text, read by row groups."""
        pieces = []
        with parquet.ParquetFile(self.folder / "cleaned.parquet") as file:
            for batch in file.iter_batches(1024, columns=["doc_id", "publisher", "published", "text"]):
                table = pa.Table.from_batches([batch])
                length = pc.utf8_length(table["text"])
                pieces.append(table.drop_columns(["text"]).append_column("length", length))
        frame = pa.concat_tables(pieces).to_pandas()
        frame["publisher"] = frame["publisher"].fillna(UNKNOWN)
        return frame

    def publishers(self) -> pd.DataFrame:
        """Return ``publisher``, ``documents``, ``characters``, the publishers with most documents first."""
        groups = self._documents().groupby("publisher")
        table = pd.DataFrame({"documents": groups.size(), "characters": groups["length"].sum()}).reset_index()
        table["publisher"] = table["publisher"].map(visible)
        return table.sort_values(["documents", "publisher"], ascending=[False, True], ignore_index=True)

    def months(self) -> pd.DataFrame:
        """Return ``month`` (``datetime64``, missing for undated documents) and ``documents``."""
        published = self._documents()["published"].dt.tz_convert("UTC").dt.tz_localize(None)
        month = published.dt.to_period("M").dt.to_timestamp()
        counts = month.value_counts(dropna=False).rename("documents").sort_index()
        return counts.rename_axis("month").reset_index()

    def removed(self) -> pd.DataFrame:
        """Return removed characters by publisher and kind, as :func:`toolkit.plots.removed` draws them.

        Columns ``publisher``, ``kind``, ``characters``, ``of`` (characters of the publisher), ``documents``
        (of the publisher). A publisher without any removal has one row with no characters.
        """
        documents = self._documents()
        spans = self._spans(["doc_id", "start", "end", "kind"])
        spans["characters"] = spans["end"] - spans["start"]
        spans["publisher"] = spans["doc_id"].map(documents.set_index("doc_id")["publisher"])
        parts = spans.groupby(["publisher", "kind"])["characters"].sum().reset_index()
        groups = documents.groupby("publisher")
        sizes = pd.DataFrame({"of": groups["length"].sum(), "documents": groups.size()}).reset_index()
        table = sizes.merge(parts, on="publisher", how="left")
        table["kind"] = table["kind"].fillna("promo")
        table["characters"] = table["characters"].fillna(0).astype("int64")
        return table[["publisher", "kind", "characters", "of", "documents"]]

    def kinds(self) -> pd.DataFrame:
        """Return ``kind, spans, documents, characters`` and ``share`` (of all characters removed)."""
        spans = self._spans(["doc_id", "start", "end", "kind"])
        spans["characters"] = spans["end"] - spans["start"]
        groups = spans.groupby("kind")
        table = pd.DataFrame(
            {
                "spans": groups.size(),
                "documents": groups["doc_id"].nunique(),
                "characters": groups["characters"].sum(),
            }
        ).reset_index()
        table["share"] = table["characters"] / max(1, int(table["characters"].sum()))
        return table.sort_values(["characters", "kind"], ascending=[False, True], ignore_index=True)

    def templates(self, top: int = 20) -> pd.DataFrame:
        """Return the templates that removed most characters, with the text of one removal.

        Columns ``publisher, kind, documents, characters, example`` (its first 160 characters).
        """
        spans = self._spans(["doc_id", "start", "end", "kind", "template_id"])
        spans = spans[spans["template_id"].notna()]
        spans["characters"] = spans["end"] - spans["start"]
        groups = spans.groupby(["template_id", "kind"], sort=True)
        table = groups.agg(
            documents=("doc_id", "nunique"), characters=("characters", "sum"), doc_id=("doc_id", "first"),
            start=("start", "first"), end=("end", "first"),
        ).reset_index()  # fmt: skip
        table = table.sort_values(["characters", "template_id"], ascending=[False, True]).head(top)
        texts = self.articles(table["doc_id"].tolist()).set_index("doc_id")
        examples = [texts["text"][r.doc_id][r.start : r.end] for r in table.itertuples()]
        table["example"] = [_short(example, 160) for example in examples]
        table["publisher"] = [visible(str(texts["publisher"].fillna(UNKNOWN)[d])) for d in table["doc_id"]]
        return table[["publisher", "kind", "documents", "characters", "example"]].reset_index(drop=True)

    def quarantine(self, top: int = 50) -> pd.DataFrame:
        """Return the first ``top`` rows of the quarantine, harmless to show."""
        table = parquet.read_table(self.folder / "quarantine.parquet").slice(0, top).to_pandas()
        return table.map(lambda value: _short(str(value), 160))

    def topics(self) -> pd.DataFrame:
        """Return ``name`` and ``documents``; a document with several topics counts for each."""
        table = parquet.read_table(self.folder / "topics.parquet", columns=["doc_id", "name"])
        counts = table.group_by("name").aggregate([("doc_id", "count_distinct")]).to_pandas()
        counts = counts.rename(columns={"doc_id_count_distinct": "documents"})
        return counts.sort_values(["documents", "name"], ascending=[False, True], ignore_index=True)

    def telling(self, top: int = 5) -> list[str]:
        """Return ids of documents that show cleaning well, see :func:`toolkit.display.telling`."""
        return telling(self._documents(), self._spans(["doc_id", "start", "end", "kind"]), top)

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

    def article(self, doc_id: str, *, context: int | None = 240) -> CleanedArticle:
        """Return one document, what was removed struck through, long kept passages shortened."""
        spans = parquet.read_table(self.folder / "spans.parquet", filters=pc.field("doc_id") == doc_id)
        return show(self.articles([doc_id]), spans.to_pandas(), doc_id, context=context)

    def shifts(self, ids: list[str]) -> pd.DataFrame:
        """Return the topics of some documents as loaded and as cleaned.

        Columns ``title``, ``share`` (of characters removed), ``before``, ``after`` (topics with probability).
        """
        from toolkit.topics import TopicClassifier

        corpus = self.articles(ids)
        spans = self._spans(["doc_id", "start", "end"])
        gone = (spans["end"] - spans["start"]).groupby(spans["doc_id"]).sum().astype("int64")
        classifier = TopicClassifier()
        before = _topics_of(classifier.topics(corpus.assign(clean_text=corpus["text"])))
        after = _topics_of(classifier.topics(corpus))
        return pd.DataFrame(
            {
                "title": [_short(t, 70) for t in corpus["title"].fillna(corpus["text"].str[:70])],
                "share": corpus["doc_id"].map(gone.to_dict()).fillna(0).astype("float64")
                / corpus["text"].str.len(),
                "before": corpus["doc_id"].map(before).fillna("unsure"),
                "after": corpus["doc_id"].map(after).fillna("unsure"),
            }
        )


def _topics_of(topics: pd.DataFrame) -> dict[str, str]:
    named: dict[str, list[str]] = {}
    for row in topics.to_dict("records"):
        named.setdefault(row["doc_id"], []).append(f"{row['name']} {row['probability']:.2f}")
    return {doc_id: ", ".join(names) for doc_id, names in named.items()}


def _short(text: str, longest: int) -> str:
    text = " ".join(visible(text).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def finished(folder: str | Path) -> bool:
    """Whether ``folder`` holds the results of a finished run."""
    return Path(folder, "run.json").is_file()


def check_page(page: Path) -> None:
    """Refuse, before the work begins, a page whose name does not end in ``.html``.

    Raises
    ------
    OutputError
        The name does not end in ``.html``.
    """
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

    written = resources.files("toolkit").joinpath("report.md").read_text("utf-8")
    cells = []
    for number, part in enumerate(re.split(r"^```", written, flags=re.MULTILINE)):
        if part.startswith("python "):
            name, code = part.removeprefix("python ").split("\n", 1)
            tags = {"tags": [name]} if name == "parameters" else {}
            cells.append(v4.new_code_cell(code.strip(), id=name, metadata=tags))
        elif part.strip():
            cells.append(v4.new_markdown_cell(part.strip(), id=f"text-{number}"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def _parameters(folder: Path) -> Any:
    from nbformat import v4

    quoted = json.dumps(folder.as_posix(), ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    tags = {"tags": ["injected-parameters"]}
    return v4.new_code_cell(f"# Parameters\nfolder = {quoted}", id="injected-parameters", metadata=tags)


def render(folder: str | Path, page: str | Path | None = None) -> Path:
    """Run the report's notebook on a folder of results and write it beside the page that it makes.

    Parameters
    ----------
    folder : path
        As ``news-toolkit run`` wrote it.
    page : path, optional
        The HTML file to write; default ``report.html`` in the folder. The notebook has the same name, ends in
        ``.ipynb``, and is to be carried on from: its only parameter is the folder, as seen from the notebook.

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
    Results(folder)
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
    given = _parameters(folder.absolute())
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
    given.source = _parameters(Path(os.path.relpath(folder, page.parent))).source
    with whole(page.with_suffix(".ipynb")) as written:
        nbformat.write(book, written)
        normalise(written)
        notebook = nbformat.read(written, as_version=4)
    exporter = HTMLExporter(
        raw_template=PAGE, exclude_input=True, exclude_input_prompt=True, exclude_output_prompt=True,
        extra_template_basedirs=[],  # by default it would take templates from the current folder
    )  # fmt: skip
    html, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": "News report"}})
    with whole(page) as temporary:
        temporary.write_text(html, "utf-8")
    return page

"""Sharing: the cleaning and the labels of a corpus in one file without its texts, and their use on another copy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from toolkit import files
from toolkit.boilerplate import BoilerplateRemover
from toolkit.boilerplate.decisions import TEMPLATE
from toolkit.boilerplate.spans import ALL_KINDS, EVIDENCE
from toolkit.corpus import CorpusLike, Quarantine, as_corpus
from toolkit.display import visible
from toolkit.errors import CorpusError, NothingReadError, OutputError, UsageError, wants
from toolkit.loading import load
from toolkit.loading.faults import kinds_of
from toolkit.loading.quarantine import Limits, Unreadable
from toolkit.loading.streams import Budget
from toolkit.record import intact
from toolkit.verdict import VERDICTS

FORMAT = "news-toolkit cleaning 1"
_KEY = b"news-toolkit"

_TEXT, _WHOLE, _REAL = pa.string(), pa.int64(), pa.float64()
_SPAN = pa.struct(
    {"start": _WHOLE, "end": _WHOLE, "kind": _TEXT, "score": _REAL, "evidence": _TEXT, "template_id": _TEXT}
)
_TOPIC = pa.struct({"topic": _TEXT, "name": _TEXT, "probability": _REAL})
_VERDICT = pa.struct({"verdict": _TEXT, "probability": _REAL, "kept": _REAL})
_OF_TEXT = {"doc_id": _TEXT, "sha256": _TEXT, "characters": _WHOLE}
SCHEMA = pa.schema(_OF_TEXT | {"spans": pa.list_(_SPAN), "verdict": _VERDICT, "topics": pa.list_(_TOPIC)})
"""Columns of the shared file, one row a document; ``sha256`` is that of the text in UTF-8."""


@dataclass(frozen=True, repr=False)
class Cleaning:
    """What a shared file says, as frames.

    ``documents``: ``doc_id``, ``sha256`` (of the text), ``characters`` and the columns of :func:`toolkit.verdicts`.
    ``spans``, ``topics``: as remover and classifier return them. ``about``: ``format``, ``licence``, and the ``record``
    (``run.json``) without what names the machine.
    """

    documents: pd.DataFrame
    spans: pd.DataFrame
    topics: pd.DataFrame
    about: dict[str, Any]

    def __repr__(self) -> str:
        sizes = f"{len(self.documents):,} documents, {len(self.spans):,} spans, {len(self.topics):,} topics"
        return f"Cleaning({sizes}; {visible(self.about['licence'])})"


@wants("output")
def share(folder: str | Path, output: str | Path, *, licence: str = "CC0-1.0") -> Path:
    """Write the cleaning and the labels of a finished run into one file that holds no text.

    Whoever has the same texts gets the same results from the file with :func:`apply`. It holds the ids, the SHA-256
    and length of each text, spans, verdicts, topics, the licence and ``run.json`` without what names the machine;
    decisions on passages as their SHA-256. A very short text can be guessed from its digest.

    ``folder`` is what ``news-toolkit run`` wrote; a NoRunError or DamagedError says where it is not. ``output``, which
    is returned, is a ``.parquet`` file outside it; the same results give the same bytes. ``licence`` (SPDX identifier)
    is that of spans and labels. The texts keep theirs.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import toolkit
    >>> with TemporaryDirectory() as place:
    ...     _ = Path(place, "news.jsonl").write_text('{"id": "a", "text": "Rain fell.\\\\n\\\\nShare on Facebook"}')
    ...     _ = toolkit.pipeline.run(Path(place, "news.jsonl"), Path(place, "out"))
    ...     shared = share(Path(place, "out"), Path(place, "cleaning.parquet"))
    ...     mine = ["Rain fell.\\n\\nShare on Facebook", "Another text."]
    ...     applied = apply(shared, mine)
    >>> applied["clean_text"].tolist(), applied.attrs["others"]["reason"].tolist()
    (['Rain fell.'], ['text is not shared'])
    """
    if hasattr(folder, "iloc"):
        mend = "give the one that `news-toolkit run IN -o out` wrote"
        raise UsageError(f"share: a {type(folder).__name__} is no folder; {mend}")
    folder, output = Path(folder), Path(output)
    if output.suffix != ".parquet" or output.is_dir():
        raise OutputError(f"{output}: no name of a Parquet file; give one such as cleaning.parquet")
    files.refuse_overwriting([folder], output)
    record = intact(folder)
    ids, digests, lengths = [], [], []
    with parquet.ParquetFile(folder / "cleaned.parquet") as file:
        for batch in file.iter_batches(1024, columns=["doc_id", "text"]):
            ids += batch["doc_id"].to_pylist()
            digests += [files.text_digest(text) for text in batch["text"].to_pylist()]
            lengths += pc.utf8_length(batch["text"]).to_pylist()
    spans = _lists(folder / "spans.parquet", ids, _SPAN)
    verdict = _lists(folder / "verdicts.parquet", ids, _VERDICT).flatten()
    topics = _lists(folder / "topics.parquet", ids, _TOPIC)
    table = pa.table([ids, digests, lengths, spans, verdict, topics], schema=SCHEMA)
    about = {"format": FORMAT, "licence": licence, "record": _without_text(record)}
    metadata = {_KEY: json.dumps(about, ensure_ascii=False, sort_keys=True)}
    with files.whole(output) as temporary:
        # no dictionaries: what the pages unpack to is then what the file states, and can be refused beforehand
        parquet.write_table(
            table.replace_schema_metadata(metadata), temporary, compression="zstd", use_dictionary=False,
            row_group_size=files.ROW_GROUP,
        )  # fmt: skip
    return output


@wants("corpus")
def apply(shared: str | Path, corpus: CorpusLike, *, columns: dict[str, str] | None = None) -> pd.DataFrame:
    """Clean and label the documents of a corpus by a file that :func:`share` wrote.

    ``corpus`` (also a text, list or Series) is another copy of the texts; ``columns`` are as for :func:`toolkit.clean`.
    Documents match by the SHA-256 of ``text``; of equal texts in the file, that of the same ``doc_id`` counts, else the
    first. A UsageError says that the file is no shared cleaning, or was changed.

    Returned are the documents whose text is in the file, with ``clean_text``, ``verdict`` (str), ``topic`` (str, code
    of the likeliest topic, missing where there is none) and ``topics`` (str, all codes, joined by ``; ``).
    ``attrs["others"]`` lists the rest: ``doc_id`` and ``reason`` (``text differs`` from that of the shared ``doc_id``,
    ``text is not shared``, and ``not in this corpus`` for documents of the file).
    """
    cleaning = read_cleaning(shared)
    frame = as_corpus(corpus, columns)
    theirs = cleaning.documents
    mine = pd.Series([files.text_digest(text) for text in frame["text"]], dtype="str")
    ids = pd.Series(frame["doc_id"].array)
    first = theirs.reset_index().drop_duplicates("sha256").set_index("sha256")["index"]
    both = pd.MultiIndex.from_frame(theirs[["sha256", "doc_id"]])
    same = both.get_indexer(pd.MultiIndex.from_arrays([mine, ids]))
    row = np.where(same >= 0, same, mine.map(first).fillna(-1).to_numpy(np.int64))
    found = row >= 0
    out = ids[~found]
    unused = theirs["doc_id"][~theirs["sha256"].isin(mine) & ~theirs["doc_id"].isin(out)]
    reasons = np.where(out.isin(theirs["doc_id"]), "text differs", "text is not shared").tolist()
    reasons += ["not in this corpus"] * len(unused)
    others = pd.DataFrame({"doc_id": [*out, *unused], "reason": reasons}, dtype="str")
    applied = frame[found].copy()
    taken = pd.DataFrame({"their": theirs["doc_id"].array[row[found]], "doc_id": applied["doc_id"].array})
    try:
        applied = BoilerplateRemover().transform(applied, spans=_as_mine(cleaning.spans, taken))
    except CorpusError as error:
        raise UsageError(f"{shared}: {error}") from None
    applied["verdict"] = theirs["verdict"].array[row[found]]
    codes = _as_mine(cleaning.topics, taken).groupby("doc_id", sort=False)["topic"]
    for name, of_document in (("topic", codes.first()), ("topics", codes.agg("; ".join))):
        applied[name] = of_document.reindex(applied["doc_id"]).astype("str").array
    applied.attrs["others"] = Quarantine(others)
    return applied


def apply_files(
    shared: str | Path, inputs: Sequence[str | Path], output: str | Path, *, others: str | Path | None = None,
    columns: dict[str, str] | None = None,
) -> str:  # fmt: skip
    """Load files, :func:`apply` a shared file to them and write the result; return what to tell the user.

    Faults that the shared run mended are mended here too. ``others``: a file for what does not match or was not read.
    """
    written, beside = files.file_of_rows(output), None if others is None else files.file_of_rows(others)
    files.refuse_overwriting([shared, *inputs], written, beside)
    repair = read_cleaning(shared).about["record"]["parameters"].get("repair", False)
    corpus = load(inputs, columns=columns, repair=repair)
    rejected = corpus.attrs["quarantine"].frame
    if corpus.empty:
        raise NothingReadError(f"{inputs[0]}: no document could be read", rejected)
    found = apply(shared, corpus)
    rest = found.attrs["others"].frame
    files.write_rows([files.table_of(found)], written)
    if beside is not None:
        more = rejected.rename(columns={"source": "doc_id"})[["doc_id", "reason"]]
        files.write_rows([files.table_of(pd.concat([rest, more]))], beside)
    counts = ", ".join(f"{reason} {n:,}" for reason, n in rest["reason"].value_counts().sort_index().items())
    text = f"written      {written}\ndocuments    {len(found):,} of {len(corpus):,} have the shared text"
    text += f"\nothers       {counts}" if counts else ""
    return text + (f"\nquarantined  {len(rejected):,} records; --others lists them" if len(rejected) else "")


def read_cleaning(path: str | Path) -> Cleaning:
    """Read a file that :func:`share` wrote; UsageError if it is another file, or was changed."""
    if not Path(path).exists():
        raise UsageError(f"{path}: no such file; give the file that toolkit.share wrote")
    try:
        return _checked(*_read(Path(path)))
    except (*files.DAMAGE, Unreadable) as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        mend = "ask for the file that toolkit.share wrote"
        raise UsageError(f"{path}: not a shared cleaning ({reason}); {mend}") from None


def _lists(path: Path, ids: list[str], kind: pa.StructType) -> pa.ListArray:
    """Return the rows of a result as one list a document, in the order of ``ids``."""
    table = parquet.read_table(path, columns=["doc_id", *kind.names])
    at = pd.Index(ids).get_indexer(table["doc_id"].to_pandas())
    rows = table.take(pa.array(np.argsort(at, kind="stable"))).select(kind.names).cast(pa.schema(list(kind)))
    bounds = pa.array(np.r_[0, np.cumsum(np.bincount(at, minlength=len(ids)))], pa.int32())
    return pa.ListArray.from_arrays(bounds, rows.to_struct_array().combine_chunks())


def _without_text(record: dict[str, Any]) -> dict[str, Any]:
    """Return ``run.json`` without what names the machine, decisions on passages by their digest."""
    record = {name: value for name, value in record.items() if name != "environment"}
    if decisions := record.get("decisions"):
        names = (k if TEMPLATE.fullmatch(k) else files.text_digest(k) for k in decisions)
        record["decisions"] = dict(zip(names, decisions.values(), strict=True))
    return record


def _read(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """Read and check a shared file; what is wrong with it is raised as some error."""
    with parquet.ParquetFile(path, **files.FOOTER) as file:
        about = json.loads((file.schema_arrow.metadata or {}).get(_KEY, b"{}"))
        if (held := str(about.get("format"))[:40]) != FORMAT:
            raise ValueError(f"its format is {held!r}, not {FORMAT!r}")
        chunks = [chunk for group in range(file.num_row_groups) for chunk in files.column_chunks(file, group)]
        if not file.schema_arrow.equals(SCHEMA) or any(chunk.has_dictionary_page for chunk in chunks):
            raise ValueError("its columns are others, or another program has written it again")
        budget = Budget(Limits(), path.stat().st_size)
        budget.spend(sum(chunk.total_uncompressed_size + 8 * chunk.num_values for chunk in chunks))
        table = file.read()
    table.validate(full=True)
    return table, about


def _checked(table: pa.Table, about: dict[str, Any]) -> Cleaning:
    """Return the content of a shared file as frames, none of which holds a value that :func:`share` never writes."""
    documents = table.select([*_OF_TEXT, "verdict"]).flatten().to_pandas()
    documents.columns = documents.columns.str.removeprefix("verdict.")
    spans, topics = _rows(table, "spans", _SPAN), _rows(table, "topics", _TOPIC)
    checks = {
        "licence": isinstance(about["licence"], str),
        "fault of texts": kinds_of(about["record"]["parameters"].get("repair", False)) is not None,
        "doc_id": documents["doc_id"].notna().all() and documents["doc_id"].is_unique,
        "sha256": documents["sha256"].str.fullmatch("[0-9a-f]{64}", na=False).all(),
        "start": spans["start"].notna().all() and spans["end"].notna().all(),
        "kind": spans["kind"].isin(ALL_KINDS).all(),
        "evidence": spans["evidence"].isin(EVIDENCE).all(),
        "template_id": spans["template_id"].str.fullmatch("[0-9a-f]{16}", na=True).all(),
        "score": spans["score"].between(0, 1).all(),
        "verdict": documents["verdict"].isin(VERDICTS).all(),
        "topic": topics["topic"].notna().all(),
    }
    if wrong := [name for name, good in checks.items() if not good]:
        raise ValueError(f"a {wrong[0]} that share never writes")
    return Cleaning(documents, spans, topics, about)


def _rows(table: pa.Table, name: str, kind: pa.StructType) -> pd.DataFrame:
    """Return a column of lists as a long frame with ``doc_id``."""
    column = table[name].combine_chunks()
    rows = pa.Table.from_arrays(pc.list_flatten(column).flatten(), names=kind.names).to_pandas()
    rows.insert(0, "doc_id", table["doc_id"].take(pc.list_parent_indices(column)).to_pandas())
    return rows


def _as_mine(rows: pd.DataFrame, taken: pd.DataFrame) -> pd.DataFrame:
    """Return rows of the shared documents once for each document of the corpus that has their text."""
    renamed = taken.merge(rows.rename(columns={"doc_id": "their"}), on="their", sort=False)
    return renamed.drop(columns="their")

"""Sharing: the cleaning and the labels of a corpus in one file without its texts, and their use on another copy."""

from __future__ import annotations

import hashlib
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

from toolkit.boilerplate import BoilerplateRemover
from toolkit.boilerplate.decisions import TEMPLATE
from toolkit.boilerplate.spans import ALL_KINDS, EVIDENCE
from toolkit.corpus import CorpusLike, Quarantine, as_corpus
from toolkit.errors import CorpusError, OutputError, SharingError, UsageError
from toolkit.files import ROW_GROUP, file_of_rows, table_of, whole, write_rows
from toolkit.loading import load
from toolkit.loading.limits import Budget, Limits
from toolkit.loading.quarantine import Unreadable
from toolkit.provenance import refuse_overwriting
from toolkit.record import intact
from toolkit.verdict import VERDICTS

FORMAT = "news-toolkit cleaning 1"
_KEY = b"news-toolkit"
_LARGEST_HEADER = 100 << 20

_SPAN = pa.struct(
    [
        ("start", pa.int64()), ("end", pa.int64()), ("kind", pa.string()), ("score", pa.float64()),
        ("evidence", pa.string()), ("template_id", pa.string()),
    ]
)  # fmt: skip
_TOPIC = pa.struct([("topic", pa.string()), ("name", pa.string()), ("probability", pa.float64())])
_VERDICT = pa.struct([("verdict", pa.string()), ("probability", pa.float64()), ("kept", pa.float64())])
SCHEMA = pa.schema(
    [
        ("doc_id", pa.string()), ("sha256", pa.string()), ("characters", pa.int64()),
        ("spans", pa.list_(_SPAN)), ("verdict", _VERDICT), ("topics", pa.list_(_TOPIC)),
    ]
)  # fmt: skip
"""Columns of the shared file, one row a document; ``sha256`` is that of the text in UTF-8."""


@dataclass(frozen=True)
class Cleaning:
    """What a shared file says, as frames.

    Attributes
    ----------
    documents : DataFrame
        ``doc_id``, ``sha256`` (of the text in UTF-8, hexadecimal), ``characters``, ``verdict``, ``probability`` and
        ``kept`` (see :func:`toolkit.verdicts`).
    spans : DataFrame
        As :meth:`toolkit.BoilerplateRemover.spans` returns them.
    topics : DataFrame
        As :meth:`toolkit.TopicClassifier.topics` returns them.
    about : dict
        ``format``, ``licence`` and ``record``: the ``run.json`` of the results, without what names the machine.
    """

    documents: pd.DataFrame
    spans: pd.DataFrame
    topics: pd.DataFrame
    about: dict[str, Any]


def share(folder: str | Path, output: str | Path, *, licence: str = "CC0-1.0") -> Path:
    """Write the cleaning and the labels of a finished run into one file that holds no text.

    Use it where the texts may not be passed on. Whoever has the same texts gets the same results from the file
    with :func:`apply`.

    Parameters
    ----------
    folder : path
        The results that ``news-toolkit run`` wrote.
    output : path
        A ``.parquet`` file outside ``folder``.
    licence : str, default "CC0-1.0"
        Licence of the spans and labels (SPDX identifier), stored in the file. The texts keep theirs.

    Returns
    -------
    Path
        The file. The same results give the same bytes.

    Raises
    ------
    VerificationError
        ``folder`` holds no finished run, or results that are not those of its ``run.json``.
    UsageError
        ``output`` is not a ``.parquet`` file, or lies in ``folder``.

    Notes
    -----
    The file holds ``doc_id``, the SHA-256 and length of each text, spans, verdicts, topics, and in its metadata
    the licence and ``run.json``, without command, paths, times and machine. Decisions on templates are included;
    a decision on a passage is included as the SHA-256 of the passage. No title, address, publisher or date is
    included. A digest identifies a text for whoever has it, and a very short text can be guessed from it.

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
        msg = f"share: a {type(folder).__name__} is no folder; give the one that `news-toolkit run IN -o out` wrote"
        raise UsageError(msg)
    folder, output = Path(folder), Path(output)
    if output.suffix != ".parquet" or output.is_dir():
        msg = f"{output}: a shared cleaning is a Parquet file; give a name such as cleaning.parquet"
        raise OutputError(msg)
    refuse_overwriting([folder], output)
    record = intact(folder)
    ids, digests, lengths = [], [], []
    with parquet.ParquetFile(folder / "cleaned.parquet") as file:
        for batch in file.iter_batches(1024, columns=["doc_id", "text"]):
            ids += batch["doc_id"].to_pylist()
            digests += [digest_of(text) for text in batch["text"].to_pylist()]
            lengths += pc.utf8_length(batch["text"]).to_pylist()
    table = pa.table(
        [
            pa.array(ids, pa.string()), pa.array(digests, pa.string()), pa.array(lengths, pa.int64()),
            _lists(folder / "spans.parquet", ids, _SPAN),
            _lists(folder / "verdicts.parquet", ids, _VERDICT).flatten(),
            _lists(folder / "topics.parquet", ids, _TOPIC),
        ],
        schema=SCHEMA,
    )  # fmt: skip
    about = {"format": FORMAT, "licence": licence, "record": _without_text(record)}
    metadata = {_KEY: json.dumps(about, ensure_ascii=False, sort_keys=True)}
    with whole(output) as temporary:
        # no dictionaries: what the pages unpack to is then what the file states, and can be refused beforehand
        parquet.write_table(
            table.replace_schema_metadata(metadata), temporary, compression="zstd", use_dictionary=False,
            row_group_size=ROW_GROUP,
        )  # fmt: skip
    return output


def apply(shared: str | Path, corpus: CorpusLike, *, columns: dict[str, str] | None = None) -> pd.DataFrame:
    """Clean and label the documents of a corpus by a file that :func:`share` wrote.

    Parameters
    ----------
    shared : path
    corpus : corpus, text, list or Series of str
        Another copy of the texts. Documents match by the SHA-256 of ``text``, whatever their ``doc_id``. Where the
        file holds a text several times, the document of the same ``doc_id`` counts, else the first.
    columns : mapping, optional
        Column of the corpus → name in the frame, for columns whose names are not recognised.

    Returns
    -------
    DataFrame
        The documents whose text is in the file, with ``clean_text``, ``verdict`` (str), ``topic`` (str, code of the
        likeliest topic, missing where there is none) and ``topics`` (str, all codes, joined by ``; ``).
        ``attrs["others"]`` lists the rest: ``doc_id`` and ``reason`` (``text differs`` from that of the shared
        ``doc_id``, ``text is not shared``, and ``not in this corpus`` for documents of the file).

    Raises
    ------
    SharingError
        The file is not a shared cleaning, or was changed so that it fits no text.
    CorpusError
        ``corpus`` is not a corpus.
    """
    cleaning = read_cleaning(shared)
    frame = as_corpus(corpus, columns)
    theirs = cleaning.documents
    mine = pd.Series([digest_of(text) for text in frame["text"]], dtype="str")
    ids = pd.Series(frame["doc_id"].array)
    first = theirs.reset_index().drop_duplicates("sha256").set_index("sha256")["index"]
    same = pd.MultiIndex.from_frame(theirs[["sha256", "doc_id"]]).get_indexer(
        pd.MultiIndex.from_arrays([mine, ids])
    )
    row = np.where(same >= 0, same, mine.map(first).fillna(-1).to_numpy(np.int64))
    found = np.flatnonzero(row >= 0)
    known = ids.isin(theirs["doc_id"]).to_numpy()
    unused = theirs["doc_id"][~theirs["sha256"].isin(mine) & ~theirs["doc_id"].isin(ids)]
    out = np.flatnonzero(row < 0)
    others = pd.DataFrame(
        {
            "doc_id": pd.concat([ids.iloc[out], unused], ignore_index=True).astype("str"),
            "reason": [
                *np.where(known[out], "text differs", "text is not shared").tolist(),
                *["not in this corpus"] * len(unused),
            ],
        }
    ).astype("str")
    applied = frame.iloc[found].copy()
    taken = pd.DataFrame({"their": theirs["doc_id"].array[row[found]], "doc_id": applied["doc_id"].array})
    try:
        applied = BoilerplateRemover().transform(applied, spans=_as_mine(cleaning.spans, taken))
    except CorpusError as error:
        msg = f"{shared}: {error}"
        raise SharingError(msg) from None
    applied["verdict"] = theirs["verdict"].array[row[found]]
    codes = _as_mine(cleaning.topics, taken).groupby("doc_id", sort=False)["topic"]
    for name, of_document in (("topic", codes.first()), ("topics", codes.agg("; ".join))):
        applied[name] = of_document.reindex(applied["doc_id"]).astype("str").array
    applied.attrs["others"] = Quarantine(others)
    return applied


def apply_files(
    shared: str | Path,
    inputs: Sequence[str | Path],
    output: str | Path,
    *,
    others: str | Path | None = None,
    columns: dict[str, str] | None = None,
) -> str:
    """Load files, :func:`apply` a shared file to them and write the result; return what to tell the user.

    Faults that the shared run mended in its texts are mended here too.

    Parameters
    ----------
    shared, inputs, output : path
        ``output`` is a ``.parquet``, ``.csv`` or ``.jsonl`` file (``.gz`` too).
    others : path, optional
        Also write the documents that do not match, with the reason.
    columns : mapping, optional
        As for :func:`toolkit.load`.
    """
    written, beside = file_of_rows(output), None if others is None else file_of_rows(others)
    refuse_overwriting([shared, *inputs], written, beside)
    repair = read_cleaning(shared).about["record"]["parameters"].get("repair", False)
    corpus = load(inputs, columns=columns, repair=repair)
    found = apply(shared, corpus)
    rest = found.attrs["others"].frame
    write_rows([table_of(found)], written)
    if beside is not None:
        write_rows([table_of(rest)], beside)
    counts = ", ".join(f"{reason} {n:,}" for reason, n in rest["reason"].value_counts().sort_index().items())
    lines = [
        f"written      {written}",
        f"documents    {len(found):,} of {len(corpus):,} have the shared text",
    ]
    return "\n".join([*lines, f"others       {counts}"] if counts else lines)


def read_cleaning(path: str | Path) -> Cleaning:
    """Read a file that :func:`share` wrote.

    Parameters
    ----------
    path : path

    Returns
    -------
    Cleaning

    Raises
    ------
    SharingError
        There is no such file, it is none that :func:`share` wrote, or it was changed.
    """
    if not Path(path).exists():
        msg = f"{path}: no such file; give the file that toolkit.share wrote"
        raise SharingError(msg)
    try:
        table, about = _read(Path(path))
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, RecursionError, Unreadable) as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        msg = f"{path}: not a shared cleaning ({reason}); ask for the file that toolkit.share wrote"
        raise SharingError(msg) from None
    verdict = table["verdict"].combine_chunks().flatten()
    documents = table.select(["doc_id", "sha256", "characters"]).to_pandas()
    for name, values in zip(_VERDICT.names, verdict, strict=True):
        documents[name] = values.to_pandas()
    return Cleaning(_plain(documents), _rows(table, "spans", _SPAN), _rows(table, "topics", _TOPIC), about)


def digest_of(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, hexadecimal.

    Examples
    --------
    >>> digest_of("Rain fell.")[:12]
    '8a4b1e83d9ac'
    """
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _lists(path: Path, ids: list[str], kind: pa.StructType) -> pa.ListArray:
    """Return the rows of a result as one list a document, in the order of ``ids``."""
    table = parquet.read_table(path, columns=["doc_id", *kind.names])
    at = pd.Index(ids).get_indexer(table["doc_id"].to_pandas())
    rows = table.take(pa.array(np.argsort(at, kind="stable"))).select(kind.names).cast(pa.schema(list(kind)))
    columns = [rows[name].combine_chunks() for name in kind.names]
    bounds = np.r_[0, np.cumsum(np.bincount(at, minlength=len(ids)))]
    return pa.ListArray.from_arrays(
        pa.array(bounds, pa.int32()), pa.StructArray.from_arrays(columns, fields=list(kind))
    )


def _without_text(record: dict[str, Any]) -> dict[str, Any]:
    """Return ``run.json`` without what names the machine, decisions on passages by their digest."""
    record = {name: value for name, value in record.items() if name != "environment"}
    if "decisions" in record:
        said = record["decisions"].items()
        record["decisions"] = {k if TEMPLATE.fullmatch(k) else digest_of(k): verdict for k, verdict in said}
    return record


def _read(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """Read and check a shared file; what is wrong with it is raised as some error."""
    with parquet.ParquetFile(
        path, thrift_string_size_limit=_LARGEST_HEADER, thrift_container_size_limit=_LARGEST_HEADER
    ) as file:
        about = json.loads((file.schema_arrow.metadata or {}).get(_KEY, b"{}"))
        if about.get("format") != FORMAT:
            msg = f"its format is {str(about.get('format'))[:40]!r}, not {FORMAT!r}"
            raise ValueError(msg)
        if not file.schema_arrow.equals(SCHEMA):
            msg = "its columns are others"
            raise ValueError(msg)
        budget = Budget(Limits(), path.stat().st_size)
        for group in range(file.num_row_groups):
            part = file.metadata.row_group(group)
            if part.num_columns != len(
                file.schema
            ):  # pyarrow ends the process where it looks such a column up
                msg = f"row group {group} has {part.num_columns} columns, the schema {len(file.schema)}"
                raise ValueError(msg)
            chunks = [part.column(i) for i in range(part.num_columns)]
            if any(chunk.has_dictionary_page for chunk in chunks):
                msg = "another program has written it again"
                raise ValueError(msg)
            budget.spend(sum(chunk.total_uncompressed_size + 8 * chunk.num_values for chunk in chunks))
        table = file.read()
    table.validate(full=True)
    if about["licence"] is None or not isinstance(about["record"], dict):
        msg = "it names no licence or no run"
        raise ValueError(msg)
    spans, topics = (pc.list_flatten(table[name].combine_chunks()).flatten() for name in ("spans", "topics"))
    verdict = table["verdict"].combine_chunks().flatten()
    checks = {
        "doc_id": not table["doc_id"].null_count and len(pc.unique(table["doc_id"])) == len(table),
        "sha256": _all(pc.match_substring_regex(table["sha256"], "^[0-9a-f]{64}$")),
        "start": not spans[0].null_count and not spans[1].null_count,
        "kind": _all(pc.is_in(spans[2], pa.array(ALL_KINDS))),
        "evidence": _all(pc.is_in(spans[4], pa.array(EVIDENCE))),
        "template_id": _all(pc.fill_null(pc.match_substring_regex(spans[5], "^[0-9a-f]{16}$"), True)),
        "score": _all(pc.and_(pc.greater_equal(spans[3], 0), pc.less_equal(spans[3], 1))),
        "verdict": _all(pc.is_in(verdict[0], pa.array(VERDICTS))),
        "topic": not topics[0].null_count,
    }
    if wrong := [name for name, good in checks.items() if not good]:
        msg = f"a {wrong[0]} that share never writes"
        raise ValueError(msg)
    return table, about


def _all(good: Any) -> bool:
    return bool(pc.all(pc.fill_null(good, False), min_count=0).as_py())


def _rows(table: pa.Table, name: str, kind: pa.StructType) -> pd.DataFrame:
    """Return a column of lists as a long frame with ``doc_id``."""
    column = table[name].combine_chunks()
    rows = pa.Table.from_arrays(pc.list_flatten(column).flatten(), names=kind.names).to_pandas()
    rows.insert(0, "doc_id", table["doc_id"].take(pc.list_parent_indices(column)).to_pandas())
    return _plain(rows)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({name: "str" for name in frame.columns if frame[name].dtype == object})


def _as_mine(rows: pd.DataFrame, taken: pd.DataFrame) -> pd.DataFrame:
    """Return rows of the shared documents once for each document of the corpus that has their text."""
    renamed = taken.merge(rows.rename(columns={"doc_id": "their"}), on="their", sort=False)
    return renamed.drop(columns="their")

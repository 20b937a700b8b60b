"""Tasks of a job on a cluster: pure functions of files, so that the tasks of a lost worker can be repeated."""

from __future__ import annotations

import hashlib
import json
import tempfile
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from toolkit.boilerplate import BoilerplateRemover
from toolkit.boilerplate.counts import Counts
from toolkit.boilerplate.tally import added_up, write_tally
from toolkit.boilerplate.templates import CAPACITY
from toolkit.distributed.files import Files, Input
from toolkit.job import counts_of, results_of, table_of, tally_of
from toolkit.loading.batches import MOST_REJECTED
from toolkit.loading.formats import read_source
from toolkit.loading.identities import Identities
from toolkit.loading.mapping import schema
from toolkit.loading.options import Options
from toolkit.loading.quarantine import quarantine_frame
from toolkit.provenance import sha256
from toolkit.settings import Settings
from toolkit.spool import write_rows
from toolkit.topics import TopicClassifier


def digest(item: Input) -> dict[str, Any]:
    """Return what an input file is, as :func:`toolkit.provenance.digests` does."""
    found, size = hashlib.sha256(), 0
    try:
        with item.open() as file:
            while piece := file.read(1 << 20):
                found.update(piece)
                size += len(piece)
    except OSError:
        return {"name": item.label, "bytes": None, "sha256": None}
    return {"name": item.label, "bytes": size, "sha256": found.hexdigest()}


def read(
    files: Files, options: Options, lang: str | None, rows: int, item: tuple[int, Input]
) -> list[dict[str, Any]]:
    """Write an input file as parts; ids as they stand in the file."""
    number, source = item
    note = f"read-{number:06d}.json"
    if files.has(note):
        return list(json.loads(files.read(note)))
    parts: list[dict[str, Any]] = []
    rejected: list[Any] = []

    def flush(table: pa.Table) -> None:
        name = f"{number:06d}-{len(parts):06d}"
        corpus = Settings(lang=lang).with_language(table.combine_chunks().to_pandas())
        files.write_table(f"corpus-{name}", table_of(corpus))
        files.write_table(f"quarantine-{name}", table_of(quarantine_frame(rejected)))
        parts.append({"name": name, "in": table.num_rows + len(rejected), "kept": table.num_rows})
        rejected.clear()

    held = schema(options).empty_table()
    with source.source() as opened:
        for table, bad in read_source(opened, options):
            rejected += bad
            if table is not None and table.num_rows:
                held = pa.concat_tables([held, table])
            while held.num_rows >= rows or len(rejected) >= MOST_REJECTED:
                flush(held.slice(0, rows))
                held = held.slice(rows)
    if held.num_rows or rejected or not parts:
        flush(held)
    files.write(note, json.dumps(parts).encode())
    return parts


def look(files: Files, counting: bool, name: str) -> tuple[bytes, int]:
    """Write what a part repeats; return the hashes of its ids and the number of keys."""
    corpus = files.table(f"corpus-{name}").to_pandas()
    keys, note = 0, f"tally-{name}.json"
    if counting and files.has(note):
        keys = int(json.loads(files.read(note)))
    elif counting:
        index = tally_of(corpus.drop(columns="doc_id"))  # ids that two files share are told apart later
        out = pa.BufferOutputStream()
        write_tally(index, out)
        files.write(f"tally-{name}.arrow", out.getvalue().to_pybytes())
        keys = len(index.counts)
        files.write(note, json.dumps(keys).encode())
    hashes = pd.util.hash_array(corpus["doc_id"].to_numpy(object), categorize=False)
    return hashes.tobytes(), keys


def renamed(files: Files, names: list[str]) -> dict[str, dict[int, str]]:
    """Return the new ids, by part and row, of documents whose id was seen before."""
    identities, changed = Identities(), {}
    for name in names:
        ids = files.table(f"corpus-{name}", ["doc_id"])["doc_id"].combine_chunks()
        new = identities.distinct(ids)
        if new is not ids:
            pairs = enumerate(zip(ids.to_pylist(), new.to_pylist(), strict=True))
            changed[name] = {row: now for row, (was, now) in pairs if was != now}
    return changed


def openers(files: Files, names: list[str]) -> list[Any]:
    """Return a function for each part that opens its tally."""
    return [partial(files.open, f"tally-{name}.arrow") for name in names]


def add_up(files: Files, names: list[str], bound: int, buckets: range) -> tuple[Counts, int]:
    """Add up a range of keys of all tallies."""
    return added_up(openers(files, names), buckets, CAPACITY, bound)


_LOADED: dict[str, BoilerplateRemover] = {}
_LOADING = Lock()


def _remover(files: Files) -> BoilerplateRemover:
    """Load the fitted remover of a job once a worker."""
    key = files.folder
    with _LOADING:
        if key not in _LOADED:
            _LOADED.clear()
            with files.near("index.parquet") as path:
                remover = BoilerplateRemover.load(path)
            remover._lookup_table()  # the look-up table too
            _LOADED[key] = remover
        return _LOADED[key]


def work(files: Files, steps: tuple[str, ...], item: tuple[str, dict[int, str]]) -> dict[str, Any]:
    """Write spans, clean texts and topics of a part; return its counts."""
    name, ids_now = item
    note = f"done-{name}.json"
    if files.has(note):
        return dict(json.loads(files.read(note)))
    corpus = files.table(f"corpus-{name}").to_pandas()
    if ids_now:
        ids = corpus["doc_id"].to_numpy(object).copy()
        ids[list(ids_now)] = list(ids_now.values())
        corpus["doc_id"] = pd.array(ids, dtype="str")
    remover = _remover(files) if "clean" in steps else None
    results = results_of(remover, TopicClassifier() if "classify" in steps else None, corpus)
    for kind, frame in results.items():
        files.write_table(f"{kind}-{name}", table_of(frame))
    counts = counts_of(corpus, results)
    files.write(note, json.dumps(counts).encode())
    return counts


def assemble(files: Files, target: Files, names: list[str], item: tuple[str, str]) -> tuple[int, str]:
    """Write the parts of one kind, end to end, to one file; return its rows and its SHA-256."""
    kind, name = item
    with files.open(f"{kind}-{names[0]}.parquet") as file:
        first = parquet.read_schema(file)
    tables = (files.table(f"{kind}-{part}").cast(first) for part in names)
    if target.local is not None:
        path = Path(target.local, name)
        return write_rows(tables, path), sha256(path)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        rows = write_rows(tables, path)
        target.put(name, path)
        return rows, sha256(path)

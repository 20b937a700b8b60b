"""Parts: the tasks of a job. Each is a pure function of files, so that any worker can do it, and repeat it.

*read* (input files → parts of ``rows`` documents), *look* (a part → counts of what it repeats, its *tally*), *add up*
(the tallies of all parts, over one range of keys), *work* (a part → spans, clean text, verdicts, topics) and
*assemble* (one kind of all parts → a result file). Tasks return counts and digests; the documents stay in files.
"""

from __future__ import annotations

import ctypes
import io
import sys
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from toolkit.assessment import verdicts
from toolkit.boilerplate import BoilerplateRemover
from toolkit.boilerplate.counts import Counts
from toolkit.boilerplate.tally import added_up, write_tally
from toolkit.boilerplate.templates import CAPACITY, TemplateIndex
from toolkit.errors import PipelineError, UsageError
from toolkit.files import table_of
from toolkit.jobs.inputs import Input
from toolkit.jobs.spool import Spool
from toolkit.jobs.storage import Files
from toolkit.loading.batches import Identities, batched, records
from toolkit.loading.faults import faults, kinds_of
from toolkit.loading.mapping import Options
from toolkit.loading.quarantine import quarantine_frame, unread
from toolkit.loading.readers.driver import Part as Block
from toolkit.settings import Settings
from toolkit.topics import TopicClassifier

Part = dict[str, Any]
"""One part: its ``name``, how many records came in (``in``) and were ``kept``, and by kind the rows and digest of its
file."""

Tick = Callable[[int], object]
"""Called with the number of documents that were just done, for a progress bar."""

INDEX = "index.parquet"
CLASSIFIER = ("classifier.npz", "classifier.json")


def read(
    spool: Spool, settings: Settings, rows: int, group: tuple[str, list[Input]], tick: Tick = lambda _: None
) -> Iterator[tuple[Part, pa.Table | None]]:
    """Write input files as parts; yield each as soon as it is written, with its documents. Ids are not yet made unique.

    ``group`` is a prefix for the names of the parts, and the files. ``tick`` is called with the number of documents
    that were just read.
    """
    prefix, inputs = group
    done = spool.note(f"read-{prefix}")
    if done is not None:
        yield from ((part, None) for part in done["parts"])
        return
    repair = kinds_of(settings.repair)
    options = Options(dict(settings.columns), detect_language=settings.detects, repair=repair)
    parts: list[Part] = []
    with closing(_blocks(inputs, options, tick, strict=settings.strict)) as blocks:
        for table, rejected in batched(blocks, rows, options):
            name = f"{prefix}{len(parts):06d}"
            part = spool.note(f"tally-{name}")
            if part is None:
                if settings.lang is not None:
                    place = table.schema.get_field_index("lang")
                    table = table.set_column(place, "lang", pc.fill_null(table["lang"], settings.lang))
                part = {
                    "name": name,
                    "in": table.num_rows + unread(row.reason for row in rejected),
                    "kept": table.num_rows,
                    "corpus": spool.write("corpus", name, table),
                    "quarantine": spool.write("quarantine", name, table_of(quarantine_frame(rejected))),
                }
            else:
                table = None  # what an interrupted job wrote is read, which checks it
            parts.append(part)
            yield part, table
    spool.once(f"read-{prefix}", lambda: {"parts": parts, "missing": options.missing})


def _blocks(inputs: Iterable[Input], options: Options, tick: Tick, *, strict: bool) -> Generator[Block]:
    for item in inputs:
        with item.source() as source:
            for table, rejected in records([source], options, strict=strict):
                if table is not None:
                    tick(table.num_rows)
                yield table, rejected


def read_all(
    spool: Spool, settings: Settings, rows: int, group: tuple[str, list[Input]]
) -> list[tuple[Part, None]]:
    """Do :func:`read` as one task; its documents are too many to be returned."""
    return [(part, None) for part, _ in read(spool, settings, rows, group)]


def look(spool: Spool, found: tuple[Part, pa.Table | None], *, counting: bool) -> tuple[Part, bytes]:
    """Write the tally of a part; return the part with its number of keys, and the hashes of its ids.

    Its documents are read unless they come with it.
    """
    part, corpus = found
    corpus, note = spool.table("corpus", part) if corpus is None else corpus, f"tally-{part['name']}"
    looked = spool.note(note)
    if looked is not None and counting and "tally" in looked:
        # read only to check its digest, because later it is read in pieces, which have none
        spool.read(tally(part["name"]), looked["tally"])
    elif counting:
        # without ids: two files may share some, which are made unique later
        index = tally_of(corpus.drop_columns(["doc_id"]).to_pandas())
        out = io.BytesIO()
        write_tally(index, out)
        digest = spool.keep(tally(part["name"]), out.getvalue())
        looked = spool.noted(note, part | {"keys": len(index.counts), "tally": digest})
    elif looked is None:
        looked = spool.noted(note, part)
    hashes = pd.util.hash_array(corpus["doc_id"].to_numpy(), categorize=False)
    return looked, hashes.tobytes()


def tally(name: str) -> str:
    """Return the name of the file with the tally of a part."""
    return f"tally-{name}.counts"


def tally_of(corpus: pd.DataFrame) -> TemplateIndex:
    """Count what a batch repeats. Rare keys are kept: which are rare overall shows only in the sum of all batches."""
    counter = BoilerplateRemover()
    counter.index_ = TemplateIndex(capacity=2**62)
    return counter.partial_fit(corpus).index_


def openers(spool: Spool, names: Iterable[str]) -> list[Any]:
    """Return for each part a function that opens its tally."""
    return [partial(spool.files.open, tally(name)) for name in names]


def add_up(spool: Spool, names: list[str], bound: int, buckets: range) -> tuple[Counts, int]:
    """Add up the tallies of all parts, over one range of keys."""
    return added_up(openers(spool, names), buckets, CAPACITY, bound)


def renamed(spool: Spool, parts: list[Part]) -> dict[str, dict[int, str]]:
    """Return new ids (part → row → id) for documents whose id another document before them has."""
    identities, changed = Identities(), {}
    for part in parts:
        ids = spool.table("corpus", part, ["doc_id"])["doc_id"].combine_chunks()
        new = identities.distinct(ids)
        if new is not ids:
            pairs = enumerate(zip(ids.to_pylist(), new.to_pylist(), strict=True))
            changed[part["name"]] = {row: after for row, (before, after) in pairs if before != after}
    return changed


def labelled(
    spool: Spool, steps: tuple[str, ...], index: str, wanted: Collection[str], part: Part
) -> pd.DataFrame:
    """Return the documents of a part whose ids are wanted, with the text that the classifier will read."""
    corpus = _corpus(spool, part)
    corpus = corpus[corpus["doc_id"].isin(wanted)]
    if "clean" in steps:
        corpus = results_of(_remover(spool, index), None, corpus)["cleaned"]
    return corpus.assign(clean_text=_texts(corpus))


def train(spool: Spool, documents: pd.DataFrame, labels: Mapping[str, list[Any]]) -> str:
    """Train a classifier on labelled documents, in the order of their ids, and write it; return its card's digest."""
    documents = documents.sort_values("doc_id", ignore_index=True)
    several = any(len(names) != 1 for names in labels.values())
    topics = [labels[doc_id] if several else labels[doc_id][0] for doc_id in documents["doc_id"]]
    try:
        trained = TopicClassifier().fit(documents, topics)
    except ValueError as error:
        msg = f"labels: {len(documents):,} of {len(labels):,} labelled documents are in the input; {error}"
        raise UsageError(msg) from None
    with TemporaryDirectory() as folder:
        trained.save(Path(folder, CLASSIFIER[0]))
        return [spool.keep(name, Path(folder, name).read_bytes()) for name in CLASSIFIER][-1]


def work(
    spool: Spool, steps: tuple[str, ...], index: str, classifier: str, part: Part, tick: Tick = lambda _: None
) -> Part:
    """Write the results of a part; return the part with its counts and digests.

    ``index`` is the digest of the remover; ``classifier`` that of a classifier trained on labels, empty without one;
    ``part["ids"]`` the new ids by row, or None.
    """
    reported = 0

    def progress(share: float) -> None:
        nonlocal reported
        now = int(share * part["kept"])
        tick(now - reported)
        reported = now

    make = partial(_worked, spool, steps, index, classifier, progress, part)
    found = spool.once(f"done-{part['name']}", make)
    progress(1.0)
    return part | found


def _corpus(spool: Spool, part: Part) -> pd.DataFrame:
    corpus = spool.table("corpus", part).to_pandas()
    if new := part.get("ids"):
        ids = corpus["doc_id"].to_numpy(object).copy()
        ids[list(new)] = list(new.values())
        corpus["doc_id"] = pd.array(ids, dtype="str")
    return corpus


def _worked(
    spool: Spool, steps: tuple[str, ...], index: str, classifier: str, progress: Callable[[float], None], part: Part
) -> Part:  # fmt: skip
    corpus = _corpus(spool, part)
    remover = _remover(spool, index) if "clean" in steps else None
    topics = _topics(spool, classifier) if "classify" in steps else None
    results = results_of(remover, topics, corpus, progress)
    counts = counts_of(corpus, results)
    if remover is not None:  # all else of the documents stands in the part already
        results["cleaned"] = results["cleaned"][["doc_id", "clean_text"]]
    return {"counts": counts} | {
        kind: spool.write(kind, part["name"], table_of(frame)) for kind, frame in results.items()
    }


_LOADED: dict[str, Any] = {}
_LOADING = Lock()


def _remover(spool: Spool, index: str) -> BoilerplateRemover:
    """Load the fitted remover of a job, once a process."""
    with _LOADING:
        if index not in _LOADED:
            _LOADED.clear()
            spool.read(INDEX, index)
            with spool.files.near(INDEX) as path:
                remover = BoilerplateRemover.load(path)
            remover._lookup_table()  # made here once, rather than by every thread
            _LOADED[index] = remover
        return _LOADED[index]


def _topics(spool: Spool, digest: str) -> TopicClassifier:
    """Return the shipped classifier, or load the one trained on labels, once a process."""
    if not digest:
        return TopicClassifier()
    with _LOADING, TemporaryDirectory() as folder:
        if digest not in _LOADED:
            Path(folder, CLASSIFIER[1]).write_bytes(spool.read(CLASSIFIER[1], digest))
            # the card has the digest of the arrays
            Path(folder, CLASSIFIER[0]).write_bytes(spool.files.read(CLASSIFIER[0]))
            _LOADED[digest] = TopicClassifier.load(Path(folder, CLASSIFIER[0]))
        return _LOADED[digest]


def _c_library(name: str) -> Callable[..., int]:
    """Return a function of the C library, or one that does nothing where it has none of that name."""
    library: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
    return getattr(library, name, lambda *_: 0)


def save_memory() -> None:
    """Have the C library return freed memory to the system soon; for this process, until it ends."""
    # glibc: at most two arenas, arrays from 2 MiB on by themselves, and 16 MiB kept free at the end of an arena; by
    # itself it keeps arrays of up to 32 MiB, in eight arenas a core: 150 MB more at two jobs
    for option, value in ((-8, 2), (-3, 1 << 21), (-1, 1 << 24)):
        _c_library("mallopt")(option, value)


def forget() -> None:
    """Drop the loaded models, and return free memory to the system."""
    _LOADED.clear()
    pa.default_memory_pool().release_unused()
    _c_library("malloc_trim")(0)


def assemble(spool: Spool, target: Files, parts: Iterable[Part], item: tuple[str, str]) -> tuple[int, str]:
    """Join the tables of one kind of all parts in one file; return its rows and its SHA-256."""
    kind, name = item
    return target.write_rows(name, spool.tables(kind, parts, onto="corpus" if kind == "cleaned" else None))


def results_of(
    remover: Any, classifier: Any, corpus: pd.DataFrame, progress: Callable[[float], None] = lambda _: None
) -> dict[str, pd.DataFrame]:
    """Return the results of a batch by kind; ``progress`` is called with the rough share of the work that is done."""
    results = {}
    if remover is not None:
        results["spans"] = remover.spans(corpus)
        _check_spans(corpus, results["spans"])
        progress(0.5)
        corpus = results["cleaned"] = remover.transform(corpus, spans=results["spans"])
        results["verdicts"] = verdicts(corpus, results["spans"], remover=remover)
        corpus = corpus.assign(verdict=results["verdicts"]["verdict"].array)
        progress(0.8)
    if classifier is not None:
        results["topics"] = classifier.topics(corpus.assign(clean_text=_texts(corpus)))
    return results


def _texts(corpus: pd.DataFrame) -> pd.Series[Any]:
    """Return the texts to classify; of several files, some may be clean, and which share a batch is chance."""
    return corpus["clean_text"].fillna(corpus["text"]) if "clean_text" in corpus else corpus["text"]


def counts_of(corpus: pd.DataFrame, results: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Return the counts of a batch, by the names of :class:`toolkit.pipeline.RunSummary`."""
    counts: dict[str, Any] = {
        "undated": int(corpus["published"].isna().sum()),
        "faults": faults(corpus["text"]),
        "languages": _counted(corpus["lang"].fillna("unknown")),
    }
    if "spans" in results:
        spans = results["spans"]
        lengths = spans["end"] - spans["start"]
        sizes = corpus.set_index("doc_id")["text"].str.len()
        counts["characters"] = int(sizes.sum())
        removed = lengths.groupby(spans["kind"].astype("str")).sum()
        counts["removed"] = {str(kind): int(n) for kind, n in removed.items()}
        lost = lengths.groupby(spans["doc_id"]).sum()
        counts["halved"] = int((2 * lost > sizes.reindex(lost.index)).sum())
        counts["outside"] = int(spans.attrs["outside"])
    if "verdicts" in results:
        counts["verdicts"] = _counted(results["verdicts"]["verdict"])
    if "topics" in results:
        counts["topics"] = _counted(results["topics"]["name"])
    return counts


def _counted(values: pd.Series[Any]) -> dict[str, int]:
    return {str(name): int(n) for name, n in values.value_counts().items()}


def _check_spans(corpus: pd.DataFrame, spans: pd.DataFrame) -> None:
    """Check that the spans of a batch are in range, sorted and disjoint, so that the text can be rebuilt."""
    length = spans["doc_id"].map(corpus.set_index("doc_id")["text"].str.len()).to_numpy(float)
    start, end = spans["start"].to_numpy(), spans["end"].to_numpy()
    same = spans["doc_id"].to_numpy()[1:] == spans["doc_id"].to_numpy()[:-1]
    bad = ~((start >= 0) & (start < end) & (end <= length))
    bad[1:] |= same & (start[1:] < end[:-1])
    if bad.any():
        row = spans.iloc[int(np.flatnonzero(bad)[0])]
        span = f"span [{row['start']}, {row['end']})"
        raise PipelineError(f"{row['doc_id']}: {span} does not fit its text; please report this")

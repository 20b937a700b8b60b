"""Job: read the input once in parts, then clean and classify part by part; bounded memory, survives a kill."""

from __future__ import annotations

import os
import shutil
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from toolkit.assessment import verdicts
from toolkit.boilerplate.tally import added_up, pooled, ranges, write_tally
from toolkit.boilerplate.templates import CAPACITY, TemplateIndex
from toolkit.corpus import quarantine
from toolkit.errors import NothingReadError, PipelineError, SpoolError
from toolkit.loading.faults import faults
from toolkit.provenance import digests, listed, models, sha256, versions
from toolkit.settings import Settings
from toolkit.spool import Spool, whole

_T = TypeVar("_T")
_R = TypeVar("_R")


class Job:
    """One job and its parts on disk."""

    def __init__(
        self,
        inputs: Sequence[str | Path] | str | Path,
        partial: Path,
        *,
        steps: tuple[str, ...],
        settings: Settings,
        progress: bool,
        rows: int,
        n_jobs: int = 1,
        guard: Callable[[Job], None] | None = None,
        study: str | Path | None = None,
    ) -> None:
        self.inputs = listed(inputs)
        self.given = list(self.inputs)
        self.settings = settings
        self.progress = progress
        self.rows = rows
        self.steps = steps
        self.partial = partial
        self.n_jobs = jobs(n_jobs)
        self.guard = guard
        self.study = study
        self._futures: dict[int, Future[None]] = {}
        self._lock = Lock()

    def __enter__(self) -> Job:
        with ExitStack() as stack:
            self.inputs = [self._kept(item, stack) for item in self.inputs]
            self.digests = digests(self.inputs)
            self.parameters = self.settings.record() | {"steps": list(self.steps)}
            if self.study is not None:
                self.parameters["study"] = sha256(Path(self.study))
            if self.guard is not None:
                self.guard(self)
            self.versions = versions()
            self.models = models()
            self.spool = Spool(
                self.partial,
                {
                    "inputs": self.digests,
                    "rows": self.rows,
                    "parameters": self.parameters,
                    "versions": self.versions,
                    "models": self.models,
                },
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stack.close()
        if kind is None or issubclass(kind, NothingReadError) or not self.spool.notes:
            self.spool.close()
        else:
            self.spool.release()

    def _kept(self, item: str | Path, stack: ExitStack) -> str | Path:
        """Return an input; a pipe as a copy, since it can be read once, but is digested and then loaded."""
        if item != "-" and not Path(item).is_fifo():
            return item
        folder = stack.enter_context(TemporaryDirectory(dir=self.partial.parent, prefix=".stdin-"))
        path = Path(folder, "stdin" if item == "-" else Path(item).name)
        pipe = sys.stdin.buffer if item == "-" else stack.enter_context(Path(item).open("rb"))  # noqa: SIM115
        with path.open("wb") as out:
            shutil.copyfileobj(pipe, out)
        return path

    @property
    def parts(self) -> list[dict[str, Any]]:
        """Counts of each part: ``in``, ``kept``, and when it is done ``characters, removed, topics``."""
        return list(self.spool.notes["parts"])

    def tables(self, kind: str) -> Iterator[pa.Table]:
        """Yield the parts of a result, each as soon as it is there."""
        tables = self.spool.tables(kind, len(self.parts))
        for number in range(len(self.parts)):
            if number in self._futures:
                self._futures.pop(number).result()
            yield next(tables)

    def work(self) -> None:
        """Do the parts that are not done yet; with several jobs they run while :meth:`tables` waits for each."""
        remover = self._read()
        parts = self.spool.notes["parts"]
        if not sum(part["kept"] for part in parts):
            raise self._nothing()
        left = [number for number, part in enumerate(parts) if not part.get("done")]
        bar = self._stack.enter_context(
            self._bar("cleaning" if "clean" in self.steps else "classifying", sum(p["kept"] for p in parts))
        )
        bar.update(sum(part["kept"] for part in parts if part.get("done")))
        if not left:
            return
        step = self._step(remover)
        pool = ThreadPoolExecutor(self.n_jobs) if self.n_jobs > 1 else None
        if pool is not None:
            self._stack.callback(pool.shutdown, cancel_futures=True)
        for number in left:
            if pool is None:
                self._one(number, parts[number], step)
                bar.update(parts[number]["kept"])
            else:
                future = self._futures[number] = pool.submit(self._one, number, parts[number], step)
                future.add_done_callback(partial(_advance, bar, parts[number]["kept"]))

    def _each(self, function: Callable[[_T], _R], items: Iterable[_T]) -> Iterator[_R]:
        """Apply a function to items, several at once; yield the results in order and hold few."""
        if self.n_jobs == 1:
            yield from map(function, items)
            return
        waiting: deque[Future[_R]] = deque()
        with ThreadPoolExecutor(self.n_jobs) as pool:
            try:
                for item in items:
                    waiting.append(pool.submit(function, item))
                    if len(waiting) > self.n_jobs:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _read(self) -> Any:
        """Spool every batch and count what it repeats; return the fitted remover (None: nothing to clean)."""
        from toolkit.loading import iter_batches

        notes = self.spool.notes
        stored = list(notes.get("parts", []))
        if not notes.get("read"):
            batches = iter_batches(
                self.inputs, rows=self.rows, columns=self.settings.columns or None,
                strict=self.settings.strict, detect_language=self.settings.detects, repair=self.settings.repair,
            )  # fmt: skip
            with self._bar("reading", None) as bar:
                bar.update(sum(part["kept"] for part in stored))
                for part in self._each(self._store, islice(enumerate(batches), len(stored), None)):
                    stored.append(part)
                    self.spool.note(parts=stored)
                    bar.update(part["kept"])
            self.spool.note(parts=stored, read=True)
        if "clean" not in self.steps or all(part.get("done") for part in stored):
            return None
        remover = self.settings.remover()
        if self.settings.index is None:
            remover.index_ = self._counted()
        return remover

    def _store(self, numbered: tuple[int, pd.DataFrame]) -> dict[str, Any]:
        """Write a batch as a part, and what it repeats; return what is known of it."""
        number, batch = numbered[0], self.settings.with_language(numbered[1])
        rejected = quarantine(batch)
        self.spool.write("corpus", number, table_of(batch))
        self.spool.write("quarantine", number, table_of(rejected))
        part = {"in": len(batch) + len(rejected), "kept": len(batch)}
        if "clean" in self.steps and self.settings.index is None:
            index = tally_of(batch)
            with whole(self._tally(number)) as temporary:
                write_tally(index, str(temporary))
            part["keys"] = len(index.counts)
        return part

    def _tally(self, number: int) -> Path:
        return self.spool.path("tally", number).with_suffix(".arrow")

    def _counted(self) -> TemplateIndex:
        """Add up what the parts repeat, once."""
        path = self.spool.folder / "index.parquet"
        parts = self.spool.notes["parts"]
        if not self.spool.notes.get("counted"):
            files = [partial(open, self._tally(number), "rb") for number in range(len(parts))]
            sums = self._each(
                lambda buckets: added_up(files, buckets, CAPACITY, 1), ranges(sum(p["keys"] for p in parts))
            )
            with whole(path) as temporary:
                pooled(files, sums, bound=1).save(temporary)
            self.spool.note(counted=True)
        for number in range(len(parts)):
            self._tally(number).unlink(missing_ok=True)
        try:
            return TemplateIndex.load(path)
        except (FileNotFoundError, ValueError):
            msg = f"{path}: this part of an interrupted run is damaged; remove {self.spool.folder} and run again"
            raise SpoolError(msg) from None

    def _step(self, remover: Any) -> Callable[[pd.DataFrame], dict[str, pd.DataFrame]]:
        """Return the function that makes the results of one batch."""
        from toolkit.topics import TopicClassifier

        if remover is not None:
            remover._lookup_table()  # the look-up table is made once, not by every thread
        return partial(results_of, remover, TopicClassifier() if "classify" in self.steps else None)

    def _one(
        self, number: int, part: dict[str, Any], step: Callable[[pd.DataFrame], dict[str, pd.DataFrame]]
    ) -> None:
        corpus = self.spool.read("corpus", number).to_pandas()
        results = step(corpus)
        for kind, frame in results.items():
            self.spool.write(kind, number, table_of(frame))
        with self._lock:
            part.update(counts_of(corpus, results), done=True)
            self.spool.note()

    def _nothing(self) -> NothingReadError:
        quarantine = pd.concat([table.to_pandas() for table in self.tables("quarantine")] or [pd.DataFrame()])
        names = ", ".join(str(name) for name in self.inputs[:3])
        msg = f"{names}: no document could be read; {len(quarantine):,} records are unreadable"
        return NothingReadError(msg, quarantine)

    def _bar(self, what: str, total: int | None) -> Any:
        from tqdm import tqdm

        return tqdm(total=total, desc=what, unit=" documents", disable=not self.progress, file=sys.stderr)


def _advance(bar: Any, documents: int, _: Future[None]) -> None:
    bar.update(documents)


def jobs(n_jobs: int) -> int:
    """Return how many batches to work on at once; -1 is one for each processor that may be used.

    Raises
    ------
    PipelineError
        It is neither -1 nor positive.
    """
    if n_jobs == -1:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if n_jobs < 1:
        msg = f"n_jobs={n_jobs}: give 1 or more, or -1 for all processors"
        raise PipelineError(msg)
    return n_jobs


def table_of(frame: pd.DataFrame) -> pa.Table:
    """Return a frame as the Arrow table that is written of it."""
    frame = frame.copy(deep=False)
    frame.attrs = {}  # the quarantine is a table of its own
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)


def tally_of(corpus: pd.DataFrame) -> TemplateIndex:
    """Count what a batch repeats, and drop nothing: which keys are rare shows only when all batches are added up."""
    from toolkit.boilerplate import BoilerplateRemover

    counter = BoilerplateRemover()
    counter.index_ = TemplateIndex(capacity=2**62)
    return counter.partial_fit(corpus).index_


def results_of(remover: Any, classifier: Any, corpus: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the results of a batch: ``spans, cleaned, verdicts`` by the remover, ``topics`` by the classifier."""
    results = {}
    if remover is not None:
        results["spans"] = remover.spans(corpus)
        _check_spans(corpus, results["spans"])
        corpus = results["cleaned"] = remover.transform(corpus, spans=results["spans"])
        results["verdicts"] = verdicts(corpus, results["spans"], remover=remover)
        corpus = corpus.assign(verdict=results["verdicts"]["verdict"].array)
    if classifier is not None:
        results["topics"] = classifier.topics(_readable(corpus))
    return results


def counts_of(corpus: pd.DataFrame, results: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Return the counts of a batch that the summary adds up, see :class:`toolkit.pipeline.RunSummary`."""
    lang = corpus["lang"].fillna("unknown").value_counts()
    counts: dict[str, Any] = {
        "undated": int(corpus["published"].isna().sum()),
        "faults": faults(corpus["text"]),
        "languages": {str(name): int(n) for name, n in lang.items()},
    }
    if "spans" in results:
        spans = results["spans"]
        lengths = (spans["end"] - spans["start"]).groupby(spans["kind"].astype("str")).sum()
        counts["characters"] = int(corpus["text"].str.len().sum())
        counts["removed"] = {str(kind): int(n) for kind, n in lengths.items()}
        lost = (spans["end"] - spans["start"]).groupby(spans["doc_id"]).sum()
        sizes = corpus.set_index("doc_id")["text"].str.len()
        counts["halved"] = int((2 * lost > sizes.reindex(lost.index)).sum())
        if "outside" in spans.attrs:
            counts["outside"] = int(spans.attrs["outside"])
    if "verdicts" in results:
        counts["verdicts"] = {
            str(k): int(n) for k, n in results["verdicts"]["verdict"].value_counts().items()
        }
    if "topics" in results:
        counts["topics"] = {str(k): int(n) for k, n in results["topics"]["name"].value_counts().items()}
    return counts


def _readable(corpus: pd.DataFrame) -> pd.DataFrame:
    """Return the corpus with a whole ``clean_text``; where one is missing, the text stands in."""
    given = corpus["clean_text"].fillna(corpus["text"]) if "clean_text" in corpus else corpus["text"]
    return corpus.assign(clean_text=given)


def _check_spans(corpus: pd.DataFrame, spans: pd.DataFrame) -> None:
    """Check that the spans of a batch are in range, sorted and disjoint, so that the text can be rebuilt."""
    length = spans["doc_id"].map(corpus.set_index("doc_id")["text"].str.len()).to_numpy(float)
    start, end = spans["start"].to_numpy(), spans["end"].to_numpy()
    same = spans["doc_id"].to_numpy()[1:] == spans["doc_id"].to_numpy()[:-1]
    bad = ~((start >= 0) & (start < end) & (end <= length))
    bad[1:] |= same & (start[1:] < end[:-1])
    if bad.any():
        row = spans.iloc[int(np.flatnonzero(bad)[0])]
        msg = (
            f"{row['doc_id']}: span [{row['start']}, {row['end']}) does not fit its text; please report this"
        )
        raise PipelineError(msg)

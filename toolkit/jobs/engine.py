"""Engine: run the tasks of a job in order, on threads or a cluster; lock its folder, resume it, add up its counts."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from toolkit.boilerplate import BoilerplateRemover
from toolkit.boilerplate.tally import pooled, ranges
from toolkit.boilerplate.templates import TemplateIndex
from toolkit.errors import NothingReadError, PipelineError, UsageError
from toolkit.files import listed, sha256
from toolkit.jobs import halt, parts
from toolkit.jobs.inputs import Input, digest, found_in, near_inputs
from toolkit.jobs.parts import INDEX, Part
from toolkit.jobs.spool import MANIFEST, NOTE, Spool, claim
from toolkit.jobs.storage import Files, parent_of
from toolkit.jobs.summary import RunSummary, by_count
from toolkit.kernels import processors
from toolkit.loading.quarantine import unread
from toolkit.loading.sources import standard_input
from toolkit.record import digest_of, models, versions
from toolkit.settings import Settings

_T = TypeVar("_T")
_R = TypeVar("_R")

Inputs = Sequence[str | Path] | str | Path

READ_AT_ONCE = 4_000_000
"""On a cluster, one task reads several small input files, up to this many bytes together."""


@dataclass
class Workers:
    """The executor of a job, or None where the calling thread does each task at once.

    ``ahead`` tasks are submitted before it waits; ``remote`` workers are other processes.
    """

    executor: Executor | None
    ahead: int
    remote: bool = False


@contextmanager
def threads(n_jobs: int) -> Iterator[Workers]:
    """Yield ``n_jobs`` threads as workers; -1 is one thread for each processor that may be used."""
    if n_jobs == -1:
        n_jobs = processors()
    if n_jobs < 1:
        raise PipelineError(f"n_jobs={n_jobs}: give 1 or more, or -1 for all processors")
    parts.save_memory()
    if n_jobs == 1:
        yield Workers(None, 0)
        return
    pool = ThreadPoolExecutor(n_jobs)
    try:
        yield Workers(pool, n_jobs)
    finally:
        pool.shutdown(cancel_futures=True)


class Job:
    """One job: it splits the input into parts of ``rows`` documents, and makes the results part by part.

    Results are written to the folder ``target``, parts to its subfolder ``beside``. ``steps`` are ``clean``,
    ``classify`` or both. ``guard`` is called before anything is written, and may raise. The job records the digest of
    the study file ``study``.
    """

    def __init__(
        self, inputs: Inputs, target: Files, beside: str, workers: AbstractContextManager[Workers], *,
        steps: tuple[str, ...], settings: Settings, rows: int, progress: bool = False,
        guard: Callable[[Job], None] | None = None, study: str | Path | None = None,
    ) -> None:  # fmt: skip
        self.given = listed(inputs)
        self.target, self.steps, self.settings, self.rows = target, steps, settings, rows
        self._beside, self._workers, self._guard, self._study = beside, workers, guard, study
        self._progress = progress
        self._totals: dict[str, Any] = {}
        self._pending: Generator[Part] | None = None

    def __enter__(self) -> Job:
        with ExitStack() as stack:
            self.workers = stack.enter_context(self._workers)
            if self.workers.remote:
                self.inputs = found_in(self.given, self.target.options)
            else:
                self.inputs = near_inputs([self._copy_of_pipe(item, stack) for item in self.given])
            digests = self._each(digest, self.inputs)
            self.digests = list(self._bar("checking", len(self.inputs), " files", digests))
            self._saved: Path | None = None  # the saved remover that the settings name, on this machine
            if self.settings.index is not None:
                folder, name = parent_of(self.settings.index)
                self._saved = stack.enter_context(Files(folder, self.target.options).near(name))
            self.parameters = self.settings.record(None if self._saved is None else sha256(self._saved))
            self.parameters["steps"] = list(self.steps)
            if self._study is not None:
                self.parameters["study"] = sha256(Path(self._study))
            if self._guard is not None:
                self._guard(self)
            self.versions, self.models = versions(), models()
            key = digest_of([self.digests, self.parameters, self.versions, self.models, self.rows])
            self._folder = Files(self.target.path(self._beside), self.target.options)
            # a worker of an earlier, abandoned job may still write: on a cluster each job has a folder named by its key
            own = self._folder.path(key[:16]) if self.workers.remote else self._folder.folder
            self.spool = Spool(Files(own, self.target.options))
            local = self.spool.files.local
            self._lock = None if local is None else claim(Path(local), key)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._pending is not None:
            self._pending.close()
        self._stack.close()
        parts.forget()
        local = self.spool.files.local
        begun = local is None or any(p.name != MANIFEST for p in Path(local).glob(f"*{NOTE}"))
        if kind is None or issubclass(kind, NothingReadError) or not begun:
            self.close()  # under the lock, or the parts of another run might go
        if self._lock is not None:
            os.close(self._lock)

    def close(self) -> None:
        """Remove the parts."""
        if self._folder.local is not None:
            # errors are ignored: the results are written by now, or a worse error is being raised
            with suppress(OSError):
                # first, so that a removal that is killed leaves no parts for the next run
                Path(self._folder.local, MANIFEST).unlink()
            shutil.rmtree(self._folder.local, ignore_errors=True)
        else:
            self._folder.discard("", recursive=True)

    def _copy_of_pipe(self, item: str | Path, stack: ExitStack) -> str | Path:
        """Return an input, or a copy of a pipe, because an input is read twice: for its digest, and to load it."""
        if item != "-" and not Path(item).is_fifo():
            return item
        pipe = standard_input() if item == "-" else stack.enter_context(Path(item).open("rb"))  # noqa: SIM115
        place = Path(self.target.folder)
        place.mkdir(parents=True, exist_ok=True)
        folder = stack.enter_context(TemporaryDirectory(dir=place, prefix=".stdin-"))
        path = Path(folder, "stdin" if item == "-" else Path(item).name)
        with path.open("wb") as out:
            shutil.copyfileobj(pipe, out)
        return path

    def _each(self, task: Callable[[_T], _R], items: Iterable[_T], ahead: int | None = None) -> Iterator[_R]:
        """Do a task for each item; yield the results in order. At most ``ahead`` tasks wait at a time."""
        if self.workers.executor is None:
            for item in items:
                halt.check()
                yield task(item)
            return
        ahead = self.workers.ahead if ahead is None else min(ahead, self.workers.ahead)
        waiting: deque[Future[_R]] = deque()
        for item in items:
            halt.check()
            waiting.append(self.workers.executor.submit(task, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def work(self) -> None:
        """Make the results of every part. With several threads they are made only while :meth:`assemble` writes."""
        self._read()
        index = self._index() if "clean" in self.steps else ""
        parts.forget()  # what counting leaves would stand beside what cleaning needs
        finished = self._work_on_parts(index, self._classifier(index))
        if self.workers.remote or not self.workers.ahead:
            deque(finished, maxlen=0)
        else:
            self._pending = finished

    def fit(self) -> TemplateIndex:
        """Read the input and return the index of what it repeats."""
        self._read()
        return self.counted(bound=0)

    def _read(self) -> None:
        """Write the input as parts, and for each the counts of what it repeats."""
        self.counting = (
            "clean" in self.steps and self._saved is None and not self.spool.files.has(f"index{NOTE}")
        )
        self.parts: list[Part] = []
        hashes, kept = [np.empty(0, np.uint64)], 0
        with self._bar("reading", None) as bar:
            if self.workers.remote:
                task = partial(parts.read_all, self.spool, self.settings, self.rows)
                found: Iterator[Any] = (part for read in self._each(task, self._groups()) for part in read)
            else:
                found = parts.read(self.spool, self.settings, self.rows, ("", self.inputs), bar.update)
            for part, id_hashes in self._each(partial(parts.look, self.spool, counting=self.counting), found):
                self.parts.append(part)
                hashes.append(np.frombuffer(id_hashes, np.uint64))
                kept += part["kept"]
                bar.update(max(0, kept - bar.n))  # parts of an interrupted job are not read again
        for known, now in zip(self.digests, self._each(digest, self.inputs), strict=True):
            if known != now:
                self.close()  # the digests are not those of what was read
                mend = "run again when nothing writes to it any more"
                raise PipelineError(f"{known['name']}: changed while it was read; {mend}")
        ids = np.concatenate(hashes)
        if not len(ids):
            quarantine = pd.concat(self.spool.table("quarantine", part).to_pandas() for part in self.parts)
            names = ", ".join(str(name) for name in self.given[:3])
            msg = f"{names}: no document could be read; {len(quarantine):,} records are unreadable"
            raise NothingReadError(msg, quarantine)
        self._refuse_missing_fields()
        self._renamed: dict[str, dict[int, str]] = {}
        if len(np.unique(ids)) < len(ids):
            (self._renamed,) = self._each(partial(parts.renamed, self.spool), [self.parts])

    def _refuse_missing_fields(self) -> None:
        """Refuse a field named for a column that no record of any input has; the column would be empty."""
        prefixes = [prefix for prefix, _ in self._groups()] if self.workers.remote else [""]
        notes = [(self.spool.note(f"read-{prefix}") or {}).get("missing", {}) for prefix in prefixes]
        for column, name in self.settings.columns.items():
            reasons = [note[column] for note in notes if column in note]
            # a column that a cleaned corpus has is taken by itself, where it has it
            if reasons and None not in reasons and (column, name) != ("clean_text", "clean_text"):
                self.close()
                raise UsageError(f"{column}={name}: in no input; {reasons[0]}")

    def _groups(self) -> Iterator[tuple[str, list[Input]]]:
        """Yield for each reading task a prefix for the names of its parts, and its inputs."""
        group: list[Input] = []
        size = number = 0
        for item, known in zip(self.inputs, self.digests, strict=True):
            if group and size + (known["bytes"] or 0) > READ_AT_ONCE:
                yield f"{number:06d}-", group
                group, size, number = [], 0, number + 1
            group.append(item)
            size += known["bytes"] or 0
        yield f"{number:06d}-", group

    def counted(self, bound: int) -> TemplateIndex:
        """Add up the counts of all parts; leave out keys that stand in ``bound`` documents or fewer."""
        names = [part["name"] for part in self.parts]
        buckets = ranges(sum(part["keys"] for part in self.parts))
        sums = self._each(partial(parts.add_up, self.spool, names, bound), buckets, ahead=32)
        sums = self._bar("adding up", len(buckets), " ranges", sums)
        return pooled(parts.openers(self.spool, names), sums, bound=bound)

    def _index(self) -> str:
        """Write the remover with its index, once; return its SHA-256."""

        def save_remover() -> dict[str, Any]:
            remover = BoilerplateRemover() if self._saved is None else BoilerplateRemover.load(self._saved)
            self.settings.applied_to(remover)
            if self.counting:
                remover.index_ = self.counted(bound=1)
            with self.spool.files.made(INDEX) as path:
                remover.save(path)
                return {"sha256": sha256(path)}

        digest = self.spool.once("index", save_remover)["sha256"]
        if (local := self.spool.files.local) is not None:
            for part in self.parts:
                Path(local, parts.tally(part["name"])).unlink(missing_ok=True)
        return str(digest)

    def _classifier(self, index: str) -> str:
        """Train a classifier on the documents that have labels, once; return its digest, empty without labels."""
        labelled = self.settings.labelled
        if labelled is None or "classify" not in self.steps:
            return ""
        task = partial(parts.labelled, self.spool, self.steps, index, set(labelled))

        def train_classifier() -> dict[str, Any]:
            documents = pd.concat(self._each(task, self._items()), ignore_index=True)
            digest = parts.train(self.spool, documents, labelled)
            return {"sha256": digest, "unlabelled": len(labelled) - len(documents)}

        trained = self.spool.once("trained", train_classifier)
        self._totals["unlabelled"] = trained["unlabelled"]
        return str(trained["sha256"])

    def classifier(self) -> dict[str, bytes]:
        """Return the files of the classifier that was trained on the labels, by name; none without labels."""
        names = [] if self.settings.labelled is None else parts.CLASSIFIER
        return {name: self.spool.files.read(name) for name in names}

    def _items(self) -> Iterator[Part]:
        return (part | {"ids": self._renamed.get(part["name"])} for part in self.parts)

    def _work_on_parts(self, index: str, classifier: str) -> Generator[Part]:
        """Yield each part as soon as its results are there."""
        what = "cleaning" if "clean" in self.steps else "classifying"
        task = partial(parts.work, self.spool, self.steps, index, classifier)
        with self._bar(what, sum(part["kept"] for part in self.parts)) as bar:
            if not self.workers.remote:
                task = partial(task, tick=bar.update)
            for number, part in enumerate(self._each(task, self._items())):
                del part["ids"]
                for name, value in part.pop("counts").items():
                    if isinstance(value, dict):
                        self._totals.setdefault(name, Counter()).update(value)
                    else:
                        self._totals[name] = self._totals.get(name, 0) + value
                self.parts[number] = part
                if self.workers.remote:
                    bar.update(part["kept"])
                yield part

    def assemble(self, targets: Mapping[str, str]) -> dict[str, tuple[int, str]]:
        """Join the parts of each kind in ``targets`` (kind → file); return the rows and the SHA-256 of each file."""
        items, written = list(targets.items()), []
        if self._pending is not None:
            written = [parts.assemble(self.spool, self.target, self._pending, items.pop(0))]
            self._pending = None
        rest = self._each(partial(parts.assemble, self.spool, self.target, self.parts), items)
        written += self._bar("writing", len(items), " files", rest)
        parts.forget()  # finding duplicates and the report need the memory
        return dict(zip(targets, written, strict=True))

    def rows_of(self, kind: str) -> int:
        """Return how many rows of a kind were written to all parts."""
        return sum(part[kind]["rows"] for part in self.parts)

    def quarantined(self) -> int:
        """Count the quarantined records that were written to all parts; a record that is kept in part is not one."""
        tables = (self.spool.table("quarantine", part) for part in self.parts)
        return sum(unread(table["reason"].to_pylist()) for table in tables)

    def summary(self, output: str | Path) -> RunSummary:
        """Return the counts of the finished job."""
        total, kept = sum(part["in"] for part in self.parts), sum(part["kept"] for part in self.parts)
        counts = {
            name: dict(by_count(value)) if isinstance(value, Counter) else value
            for name, value in self._totals.items()
        }
        counts["removed"] = dict(sorted(counts.get("removed", {}).items()))
        return RunSummary(
            output=Path(output), documents_in=total, kept=kept, quarantined=total - kept,
            repair=tuple(self.settings.repair), **counts,  # type: ignore[arg-type]
        )  # fmt: skip

    def _bar(self, what: str, total: int | None, unit: str = " documents", items: Any = None) -> Any:
        from tqdm import tqdm

        return tqdm(items, total=total, desc=what, unit=unit, disable=not self._progress, file=sys.stderr)

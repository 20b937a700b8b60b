"""A job on a cluster: its parts, and the tasks that make them, in order."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.boilerplate import BoilerplateRemover
from toolkit.boilerplate.tally import pooled, ranges
from toolkit.boilerplate.templates import TemplateIndex
from toolkit.distributed import tasks
from toolkit.distributed.files import Files, found_in, parent_of
from toolkit.errors import NothingReadError, PipelineError
from toolkit.loading.faults import kinds_of
from toolkit.loading.options import Options
from toolkit.pipeline import RunSummary, summary_of
from toolkit.provenance import listed, models, versions
from toolkit.settings import Settings

if TYPE_CHECKING:
    from distributed import Client, Future

Inputs = Sequence[str | Path] | str | Path


class ClusterJob:
    """A job on a cluster: its parts, and the tasks that make them."""

    def __init__(
        self,
        inputs: Inputs,
        target: Files,
        work: str,
        client: Client | None,
        steps: tuple[str, ...],
        settings: Settings,
        rows: int,
    ) -> None:
        self.client = client or current_client()
        self.given = listed(inputs)
        self.steps, self.rows = steps, rows
        self.settings = settings
        self.target = target
        self.inputs = found_in(self.given, target.options)
        self.options = Options(
            dict(settings.columns), detect_language=settings.detects, repair=kinds_of(settings.repair)
        )
        self.versions, self.models = versions(), models()
        saved = digest = None
        if settings.index is not None:
            folder, name = parent_of(settings.index)
            saved = Files(folder, target.options).read(name)
            digest = hashlib.sha256(saved).hexdigest()
        self.parameters: dict[str, Any] = settings.record(digest) | {"steps": list(steps)}
        self.digests = self._all(tasks.digest, self.inputs)
        key = json.dumps([self.digests, self.parameters, self.versions, self.models, rows], sort_keys=True)
        self._work_folder = Files(work, target.options)
        self.files = Files(f"{work}/{hashlib.sha256(key.encode()).hexdigest()[:16]}", target.options)
        if saved is not None:
            with tempfile.TemporaryDirectory() as near:
                path = Path(near, "index")
                path.write_bytes(saved)
                self._keep(settings.applied_to(BoilerplateRemover.load(path)))
        self.counting = "clean" in steps and saved is None
        self.parts = self._read()

    def _all(self, task: Any, items: Iterable[Any]) -> list[Any]:
        """Do a task for each item; return the results in order."""
        return list(_results(self.client.map(task, list(items), pure=False)))

    def _read(self) -> list[dict[str, Any]]:
        from distributed import as_completed

        task = partial(tasks.read, self.files, self.options, self.settings.lang, self.rows)
        reads = self.client.map(task, list(enumerate(self.inputs)), pure=False)
        place = {future: number for number, future in enumerate(reads)}
        looks: dict[int, list[Future[Any]]] = {}
        for future in as_completed(reads, loop=self.client.loop):
            names = [part["name"] for part in next(_results([future]))]
            looks[place[future]] = self.client.map(
                partial(tasks.look, self.files, self.counting), names, pure=False
            )
        parts = [part for found in _results(reads) for part in found]
        seen = [found for number in sorted(looks) for found in _results(looks[number])]
        if not sum(part["kept"] for part in parts):
            raise self._nothing(parts)
        hashes = np.concatenate([np.frombuffer(found[0], np.uint64) for found in seen])
        self.renamed: dict[str, dict[int, str]] = {}
        if len(np.unique(hashes)) < len(hashes):
            names = [part["name"] for part in parts]
            self.renamed = self._all(partial(tasks.renamed, self.files), [names])[0]
        self.keys = sum(found[1] for found in seen)
        return parts

    def _nothing(self, parts: list[dict[str, Any]]) -> NothingReadError:
        tables = [self.files.table(f"quarantine-{part['name']}").to_pandas() for part in parts]
        quarantine = pd.concat(tables or [pd.DataFrame()])
        self.close()
        names = ", ".join(map(str, self.given[:3]))
        msg = f"{names}: no document could be read; {len(quarantine):,} records are unreadable"
        return NothingReadError(msg, quarantine)

    def counted(self, bound: int) -> TemplateIndex:
        """Add up the tallies of all parts."""
        names = [part["name"] for part in self.parts]
        sums = _results(
            self.client.map(partial(tasks.add_up, self.files, names, bound), ranges(self.keys), pure=False)
        )
        return pooled(tasks.openers(self.files, names), sums, bound=bound)

    def work(self) -> None:
        """Make the results of every part."""
        if self.counting and not self.files.has("index.parquet"):
            remover = self.settings.applied_to(BoilerplateRemover())
            remover.index_ = self.counted(bound=1)
            self._keep(remover)
        names = [part["name"] for part in self.parts]
        items = [(name, self.renamed.get(name, {})) for name in names]
        done = self._all(partial(tasks.work, self.files, self.steps), items)
        for part, counts in zip(self.parts, done, strict=True):
            part.update(counts)

    def _keep(self, remover: BoilerplateRemover) -> None:
        """Write the remover of the job, with its settings, where every worker finds it."""
        with tempfile.TemporaryDirectory() as folder:
            remover.save(Path(folder, "index"))
            self.files.write("index.parquet", Path(folder, "index").read_bytes())

    def assemble(self, targets: Mapping[str, str]) -> dict[str, tuple[int, str]]:
        """Write the parts of each kind to the file named; return its rows and its SHA-256."""
        names = [part["name"] for part in self.parts]
        written = self._all(partial(tasks.assemble, self.files, self.target, names), targets.items())
        return dict(zip(targets, written, strict=True))

    def account(self, output: str, kept: int | None, rejected: int | None) -> RunSummary:
        """Check that documents in = kept + quarantined in what was written; return the summary."""
        summary = summary_of(Path(output), self)
        kept = summary.kept if kept is None else kept
        rejected = summary.quarantined if rejected is None else rejected
        if (summary.kept, summary.quarantined) != (kept, rejected):
            msg = (
                f"{output}: {summary.documents_in} documents came in, but {kept} were kept and {rejected} "
                "quarantined; do not use these results, and please report this"
            )
            raise PipelineError(msg)
        return summary

    def close(self) -> None:
        """Remove the parts."""
        self._work_folder.discard("", recursive=True)


def current_client() -> Client:
    """Return the current Dask client, or raise PipelineError."""
    from distributed import get_client

    try:
        return get_client()
    except ValueError:
        msg = "no cluster: start a dask.distributed.Client, or pass one with client="
        raise PipelineError(msg) from None


def _results(futures: Sequence[Any]) -> Iterator[Any]:
    from distributed import KilledWorker

    for future in futures:
        try:
            yield future.result()
        except KilledWorker as error:
            msg = f"{error.task}: every worker that tried it died, most often for want of memory; pass a smaller rows="
            raise PipelineError(msg) from None

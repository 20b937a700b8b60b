"""Distributed: the jobs of :mod:`toolkit.pipeline` on a Dask cluster: the same names, engine and bytes.

Parts lie in a folder beside the output, each written whole, and a task that finds its note there is done: a lost worker
costs one task, and a job whose driver was killed continues. Only counts go through the scheduler. A worker holds one
part for each of its threads, some ten times the text of ``rows`` documents, and once the models and the index (up to 1
GB for a corpus of many gigabytes); the driver the index and 8 bytes a document.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from distributed import Client, KilledWorker, get_client

from toolkit.boilerplate import BoilerplateRemover
from toolkit.errors import PipelineError
from toolkit.files import placed
from toolkit.jobs.engine import Inputs, Job, Workers
from toolkit.jobs.storage import Files, far, parent_of
from toolkit.jobs.summary import RunSummary
from toolkit.pipeline import ROWS, one_file_with, run_with
from toolkit.settings import Settings

__all__ = ["classify", "clean", "fit", "run"]

AHEAD = 1000  # tasks that are handed to the scheduler before the first of them is waited for


def run(
    inputs: Inputs, output: str | Path, *, client: Client | None = None, rows: int = ROWS,
    storage_options: Mapping[str, Any] | None = None, force: bool = False, **settings: Any,
) -> RunSummary:  # fmt: skip
    """Load, clean and classify files into a folder of results, as :func:`toolkit.pipeline.run` does.

    ``inputs`` and ``output`` are as there, or any URL of fsspec (``s3://bucket/news/*.jsonl.gz``), and so is ``index``;
    all workers must reach them. One file is read by one task, so many files are read faster than one. The default
    client is the current one; ``storage_options`` are for fsspec, such as ``{"anon": True}``; ``settings`` are the
    parameters of :class:`toolkit.settings.Settings`. The results depend neither on ``rows`` nor on the cluster::

        with dask.distributed.Client(n_workers=2, threads_per_worker=1) as client:
            print(distributed.run("news/*.jsonl.gz", "out/news", client=client))
    """
    how: dict[str, Any] = {"rows": rows, "force": force, "options": storage_options}
    return run_with(_workers(client), inputs, _seen_by_all(output), settings, **how)


def clean(inputs: Inputs, output: str | Path, **options: Any) -> RunSummary:
    """Clean files into one file, as :func:`toolkit.pipeline.clean` does; options as for :func:`run`, but ``force``."""
    return _one_file("cleaned", inputs, output, **options)


def classify(inputs: Inputs, output: str | Path, **options: Any) -> RunSummary:
    """Classify files into one file, as :func:`toolkit.pipeline.classify` does; options as for :func:`clean`."""
    return _one_file("topics", inputs, output, **options)


def fit(
    inputs: Inputs, output: str | Path, *, client: Client | None = None, rows: int = ROWS,
    storage_options: Mapping[str, Any] | None = None, **settings: Any,
) -> BoilerplateRemover:  # fmt: skip
    """Count what files repeat, and save the remover that knows it; options as for :func:`clean`.

    ``output`` gets what ``BoilerplateRemover.save`` writes, for :func:`run` and ``news-toolkit run --index``. The
    remover is as ``BoilerplateRemover().partial_fit(corpus)`` on the whole corpus at once; see
    :class:`toolkit.TemplateIndex` on its bound.
    """
    folder, name = parent_of(_seen_by_all(output))
    target, chosen = Files(folder, dict(storage_options or {})), Settings.of(settings)
    beside = f".{name}.partial"
    with Job(inputs, target, beside, _workers(client), steps=("clean",), settings=chosen, rows=rows) as job:
        remover = BoilerplateRemover()
        remover.index_ = job.fit()
        with target.made(name) as path:
            remover.save(path)
    return remover


def _one_file(
    kind: str, inputs: Inputs, output: str | Path, *, client: Client | None = None, rows: int = ROWS,
    storage_options: Mapping[str, Any] | None = None, **settings: Any,
) -> RunSummary:  # fmt: skip
    target = _seen_by_all(output)
    return one_file_with(_workers(client), kind, inputs, target, settings, rows=rows, options=storage_options)


def _seen_by_all(output: str | Path) -> str:
    """Return the output as workers see it, who may stand in other folders."""
    return str(output) if far(str(output)) else os.path.abspath(placed(output))  # noqa: PTH100


def _workers(client: Client | None) -> AbstractContextManager[Workers]:
    try:
        return _done_by(client or get_client())
    except ValueError:
        raise PipelineError("no cluster: start a dask.distributed.Client, or pass one with client=") from None


@contextmanager
def _done_by(client: Client) -> Iterator[Workers]:
    executor = client.get_executor(pure=False)
    try:
        yield Workers(executor, AHEAD, remote=True)
    except KilledWorker as error:
        msg = f"{error.task}: every worker that tried it died, most often for want of memory; pass a smaller rows="
        raise PipelineError(msg) from None
    finally:
        executor.shutdown(wait=False)

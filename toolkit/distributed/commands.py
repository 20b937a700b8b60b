"""What a cluster can do: fit, clean, classify, run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.boilerplate import BoilerplateRemover
from toolkit.distributed.cluster import ClusterJob, Inputs, current_client
from toolkit.distributed.files import Files, parent_of
from toolkit.pipeline import (
    DUPLICATES,
    PARTS,
    ROWS,
    WRITTEN,
    RunSummary,
    duplicates_of,
    kinds_of,
    record,
    wanted,
)
from toolkit.provenance import listed, refuse_overwriting, sha256
from toolkit.settings import Settings
from toolkit.spool import file_of_rows, write_rows

if TYPE_CHECKING:
    from distributed import Client

KINDS = ("cleaned", "spans", "verdicts", "topics", "quarantine")
"""Kinds of parts, in the order of :data:`toolkit.pipeline.PARTS`."""


def run(
    inputs: Inputs,
    output: str | Path,
    *,
    client: Client | None = None,
    rows: int = ROWS,
    storage_options: Mapping[str, Any] | None = None,
    **settings: Any,
) -> RunSummary:
    """Load, clean and classify files into a folder of results, as :func:`toolkit.pipeline.run` does.

    Parameters
    ----------
    inputs, output
        As for :func:`toolkit.pipeline.run`, and any URL of fsspec (``s3://bucket/news/*.jsonl.gz``). All
        workers must reach both. One file is read by one task, so many files are read faster than one.
    client : distributed.Client, optional
        Default: the current one.
    rows
        As for :func:`toolkit.pipeline.run`; the results do not depend on ``rows`` nor on the cluster.
    storage_options : mapping, optional
        For fsspec, such as ``{"anon": True}``.
    **settings
        Parameters of :class:`toolkit.settings.Settings`; ``index`` may be a URL, ``strict`` is not heeded.

    Returns
    -------
    RunSummary

    Raises
    ------
    PipelineError
        There is no client, an input is missing, or documents in are not kept + quarantined.
    NothingReadError
        No document could be read.

    Examples
    --------
    A folder of compressed JSON lines on two processes of this machine::

        from dask.distributed import Client
        from toolkit import distributed

        with Client(n_workers=2, threads_per_worker=1) as client:
            print(distributed.run("news/*.jsonl.gz", "out/news", client=client))
    """
    started = datetime.now(UTC)
    client, inputs = client or current_client(), listed(inputs)
    asked = Settings.of(settings)
    refuse_overwriting([*inputs, asked.index], output, *(Path(output, name) for name in WRITTEN))
    folder = Files(str(output), dict(storage_options or {}))
    job = ClusterJob(inputs, folder, f"{output}/.partial", client, ("clean", "classify"), asked, rows)
    folder.discard("run.json")
    job.work()
    written = job.assemble(dict(zip(KINDS, PARTS, strict=True)))
    summary = job.account(str(output), written["cleaned"][0], written["quarantine"][0])
    digests = {name: written[kind][1] for name, kind in zip(PARTS, KINDS, strict=True)}
    folder.discard(DUPLICATES)
    if wanted(asked, summary):
        with tempfile.TemporaryDirectory() as near:
            with folder.open("cleaned.parquet") as cleaned, folder.open("verdicts.parquet") as verdicts:
                copies = duplicates_of(cleaned, verdicts)
            write_rows([copies], Path(near, DUPLICATES))
            folder.write(DUPLICATES, Path(near, DUPLICATES).read_bytes())
            digests[DUPLICATES] = sha256(Path(near, DUPLICATES))
        summary.duplicates = kinds_of(copies)
    written = record(job, summary, started, digests)
    folder.write("run.json", (json.dumps(written, ensure_ascii=False, indent=2) + "\n").encode())
    job.close()
    return summary


def clean(
    inputs: Inputs,
    output: str | Path,
    *,
    client: Client | None = None,
    rows: int = ROWS,
    storage_options: Mapping[str, Any] | None = None,
    **settings: Any,
) -> RunSummary:
    """Clean files into one file, as :func:`toolkit.pipeline.clean` does; parameters as for :func:`run`."""
    return _into_one_file(inputs, output, client, ("clean",), settings, rows, storage_options, kind="cleaned")


def classify(
    inputs: Inputs,
    output: str | Path,
    *,
    client: Client | None = None,
    rows: int = ROWS,
    storage_options: Mapping[str, Any] | None = None,
    **settings: Any,
) -> RunSummary:
    """Classify files into one file, as :func:`toolkit.pipeline.classify` does; parameters as for :func:`run`."""
    columns = {"clean_text": "clean_text", **(settings.pop("columns", None) or {})}
    settings["columns"] = columns
    return _into_one_file(
        inputs, output, client, ("classify",), settings, rows, storage_options, kind="topics"
    )


def fit(
    inputs: Inputs,
    output: str | Path,
    *,
    client: Client | None = None,
    rows: int = ROWS,
    storage_options: Mapping[str, Any] | None = None,
    **settings: Any,
) -> BoilerplateRemover:
    """Count what files repeat, and save the remover that knows it; other parameters as for :func:`run`.

    Parameters
    ----------
    output : path or URL
        Gets what ``BoilerplateRemover.save`` writes, for :func:`run` and ``news-toolkit run --index``.

    Returns
    -------
    BoilerplateRemover
        As ``BoilerplateRemover().partial_fit(corpus)`` on the whole corpus at once; see
        :class:`toolkit.TemplateIndex` on its bound.
    """
    folder, name = parent_of(output)
    files = Files(folder, dict(storage_options or {}))
    job = ClusterJob(
        inputs, files, f"{folder}/.{name}.partial", client, ("clean",), Settings.of(settings), rows
    )
    remover = BoilerplateRemover()
    remover.index_ = job.counted(bound=0)
    with tempfile.TemporaryDirectory() as near:
        remover.save(Path(near, "index"))
        files.write(name, Path(near, "index").read_bytes())
    job.close()
    return remover


def _into_one_file(
    inputs: Inputs,
    output: str | Path,
    client: Client | None,
    steps: tuple[str, ...],
    settings: Mapping[str, Any],
    rows: int,
    options: Mapping[str, Any] | None,
    kind: str,
) -> RunSummary:
    file_of_rows(output)
    client, inputs = client or current_client(), listed(inputs)
    asked = Settings.of(settings)
    refuse_overwriting([*inputs, asked.index], output)
    folder, name = parent_of(output)
    files = Files(folder, dict(options or {}))
    job = ClusterJob(inputs, files, f"{folder}/.{name}.partial", client, steps, asked, rows)
    job.work()
    written = job.assemble({kind: name})[kind][0]
    summary = job.account(str(output), written if kind == "cleaned" else None, None)
    job.close()
    return summary

"""The main job on files of any size: load, clean, classify, and an account that adds up.

Two passes in bounded memory. The first reads the input batch by batch, keeps each batch as a part on disk and
counts what each publisher repeats; the second finds spans, clean text and topics part by part. Then the parts
become the results. A job that was killed leaves its parts in ``.partial`` and continues from them; what it
writes in the end is the same to the byte.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyarrow import parquet

from toolkit.errors import NothingReadError, PipelineError
from toolkit.job import Job
from toolkit.provenance import environment, listed, refuse_overwriting, sha256
from toolkit.spool import file_of_rows, sweep, write_json, write_rows

__all__ = ["NothingReadError", "PipelineError", "RunSummary", "classify", "clean", "run"]

ROWS = 5_000
"""Documents in memory at a time."""

RESULTS = ("cleaned.parquet", "spans.parquet", "topics.parquet", "quarantine.parquet")
WRITTEN = (*RESULTS, "run.json", "report.html", "report.ipynb")
"""Files that a run and its report write into their folder."""


@dataclass
class RunSummary:
    """What a job did; prints itself as the closing lines of the command line.

    Attributes
    ----------
    output : Path
        Folder or file written.
    documents_in, kept, quarantined : int
        Records that came in, and what became of them; the first is the sum of the others.
    characters : int
        Of all kept documents, before cleaning (code points).
    removed : dict of str to int
        Characters removed, by kind.
    topics : dict of str to int
        Documents by name of topic; a document may have several.
    report : Path or None
        The HTML report, if one was made.
    """

    output: Path
    documents_in: int
    kept: int
    quarantined: int
    characters: int = 0
    removed: dict[str, int] = field(default_factory=dict)
    topics: dict[str, int] = field(default_factory=dict)
    report: Path | None = None

    def __str__(self) -> str:
        lines = [
            f"report       {self.report}" if self.report else f"written      {self.output}",
            f"documents    {self.documents_in:,} in = {self.kept:,} kept + {self.quarantined:,} quarantined",
        ]
        if self.characters:
            total = sum(self.removed.values())
            kinds = ", ".join(f"{kind} {n:,}" for kind, n in _by_count(self.removed))
            share = f"{total / self.characters:.1%}".replace("%", " %")
            lines.append(f"removed      {total:,} of {self.characters:,} characters ({share})")
            lines += [f"             {kinds}"] if kinds else []
        if self.topics:
            lines.append("topics       " + ", ".join(f"{name} {n:,}" for name, n in _by_count(self.topics)))
        return "\n".join(lines)


def _by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def run(
    inputs: Sequence[str | Path] | str | Path,
    output: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    remove: Iterable[str] | None = None,
    index: str | Path | None = None,
    strict: bool = False,
    progress: bool = False,
    rows: int = ROWS,
    n_jobs: int = 1,
) -> RunSummary:
    """Load, clean and classify files into a folder of results.

    Parameters
    ----------
    inputs : path, glob, folder, archive, or sequence of them
        What :func:`toolkit.load` reads.
    output : path
        Folder; made if missing. Gets ``cleaned.parquet`` (the corpus and ``clean_text``),
        ``spans.parquet``, ``topics.parquet``, ``quarantine.parquet`` and ``run.json``, each whole or not at
        all; ``run.json`` comes last, so a folder that has it is complete.
    columns : mapping, optional
        Column of the corpus → field of the source, where they do not map by themselves.
    remove : iterable of str, optional
        Kinds of boilerplate to remove; default all.
    index : path, optional
        What ``BoilerplateRemover.save`` wrote: its templates are looked for, and the input itself is not
        counted. Default: the remover is fitted on the input.
    strict : bool, default False
        Raise on the first record that cannot be read instead of putting it into quarantine.
    progress : bool, default False
        Show bars on standard error.
    rows : int, default 5,000
        Documents in a batch; the results do not depend on it.
    n_jobs : int, default 1
        Batches in work at a time, in threads; -1 for one a processor. With 2 or more, reading, working and
        writing overlap. The results do not depend on it.

    Returns
    -------
    RunSummary
        Counts, taken from the files as written.

    Raises
    ------
    NothingReadError
        No document could be read; nothing is written.
    PipelineError
        An input is missing, or documents in are not kept + quarantined.

    Notes
    -----
    A run draws no random numbers, so ``seeds`` is empty. Everything in ``run.json`` but its part
    ``environment`` (command, places of the inputs, times, machine) is the same whenever the same files are
    run with the same parameters, models and versions.

    Examples
    --------
    >>> import tempfile
    >>> from toolkit.shipped import shipped
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     summary = run(shipped("sample") / "articles.jsonl.gz", folder)
    ...     summary.kept == parquet.read_metadata(Path(folder, "cleaned.parquet")).num_rows
    True
    """
    started = datetime.now(UTC)
    folder = Path(output)
    inputs = listed(inputs)
    refuse_overwriting([*inputs, index], folder, *(folder / name for name in WRITTEN))
    folder.mkdir(parents=True, exist_ok=True)
    with Job(
        inputs, folder / ".partial", steps=("clean", "classify"), columns=columns, remove=remove, index=index,
        strict=strict, progress=progress, rows=rows, n_jobs=n_jobs,
    ) as job:  # fmt: skip
        job.work()
        (folder / "run.json").unlink(missing_ok=True)
        written = dict(zip(RESULTS, ("cleaned", "spans", "topics", "quarantine"), strict=True))
        for name in (*written, "run.json"):
            sweep(folder / name)
        for name, kind in written.items():
            write_rows(job.tables(kind), folder / name)
        summary = summary_of(folder, job)
        kept, rejected = (
            parquet.read_metadata(folder / name).num_rows
            for name in ("cleaned.parquet", "quarantine.parquet")
        )
        _account(summary, kept, rejected)
        outputs = {name: sha256(folder / name) for name in RESULTS}
        write_json(folder / "run.json", record(job, summary, started, outputs))
    return summary


def clean(
    inputs: Sequence[str | Path] | str | Path,
    output: str | Path,
    *,
    spans: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    remove: Iterable[str] | None = None,
    index: str | Path | None = None,
    strict: bool = False,
    progress: bool = False,
    rows: int = ROWS,
    n_jobs: int = 1,
) -> RunSummary:
    """Clean files into one file: the corpus and ``clean_text``.

    Parameters
    ----------
    inputs, columns, remove, index, strict, progress, rows, n_jobs
        As for :func:`run`.
    output : path
        ``.parquet``, ``.csv`` or ``.jsonl``, the last two also with ``.gz``.
    spans : path, optional
        Also write the removed spans there.

    Returns
    -------
    RunSummary
    """
    path = file_of_rows(output)
    beside = None if spans is None else file_of_rows(spans)
    inputs = listed(inputs)
    refuse_overwriting([*inputs, index], path, beside)
    with Job(
        inputs, _beside(path), steps=("clean",), columns=columns, remove=remove, index=index,
        strict=strict, progress=progress, rows=rows, n_jobs=n_jobs,
    ) as job:  # fmt: skip
        job.work()
        if beside is not None:
            sweep(beside)
            write_rows(job.tables("spans"), beside)
        sweep(path)
        kept = write_rows(job.tables("cleaned"), path)
        summary = summary_of(path, job)
        _account(summary, kept, _rows(job, "quarantine"))
    return summary


def classify(
    inputs: Sequence[str | Path] | str | Path,
    output: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    strict: bool = False,
    progress: bool = False,
    rows: int = ROWS,
    n_jobs: int = 1,
) -> RunSummary:
    """Classify files into one file: ``doc_id, topic, name, probability``.

    A column ``clean_text``, as :func:`clean` writes it, is read in place of ``text``.

    Parameters
    ----------
    inputs, columns, strict, progress, rows, n_jobs
        As for :func:`run`.
    output : path
        ``.parquet``, ``.csv`` or ``.jsonl``, the last two also with ``.gz``.

    Returns
    -------
    RunSummary
    """
    path = file_of_rows(output)
    inputs = listed(inputs)
    refuse_overwriting(inputs, path)
    wanted = {"clean_text": "clean_text", **(columns or {})}
    with Job(
        inputs, _beside(path), steps=("classify",), columns=wanted,
        strict=strict, progress=progress, rows=rows, n_jobs=n_jobs,
    ) as job:  # fmt: skip
        job.work()
        sweep(path)
        write_rows(job.tables("topics"), path)
        summary = summary_of(path, job)
        _account(summary, _rows(job, "corpus"), _rows(job, "quarantine"))
    return summary


def _beside(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.partial")


def summary_of(output: Path, job: Any) -> RunSummary:
    """Add up the counts of the parts of a job."""
    removed: Counter[str] = Counter()
    topics: Counter[str] = Counter()
    for part in job.parts:
        removed.update(part.get("removed", {}))
        topics.update(part.get("topics", {}))
    came, kept = sum(part["in"] for part in job.parts), sum(part["kept"] for part in job.parts)
    return RunSummary(
        output=output,
        documents_in=came,
        kept=kept,
        quarantined=came - kept,
        characters=sum(part.get("characters", 0) for part in job.parts),
        removed=dict(sorted(removed.items())),
        topics=dict(_by_count(topics)),
    )


def record(job: Any, summary: RunSummary, started: datetime, outputs: Mapping[str, str]) -> dict[str, Any]:
    """Return what ``run.json`` says; ``outputs`` are the SHA-256 of the results."""
    return {
        "versions": job.versions,
        "parameters": job.parameters,
        "seeds": [],  # a run draws no random numbers
        "inputs": job.digests,
        "models": job.models,
        "counts": {
            "in": summary.documents_in,
            "kept": summary.kept,
            "quarantined": summary.quarantined,
            "characters": summary.characters,
            "removed": summary.removed,
            "topics": summary.topics,
        },
        "outputs": dict(outputs),
        "environment": environment(started, job.given, summary.output),
    }


def _rows(job: Job, kind: str) -> int:
    return sum(parquet.read_metadata(job.spool.path(kind, n)).num_rows for n in range(len(job.parts)))


def _account(summary: RunSummary, kept: int, rejected: int) -> None:
    """Hold the rows as written to in = kept + quarantined; a result that fails is taken back."""
    if (summary.kept, summary.quarantined) != (kept, rejected):
        if summary.output.is_file():
            summary.output.unlink()
        msg = (
            f"{summary.output}: {summary.documents_in} documents came in, but {kept} were kept and {rejected} "
            "quarantined; do not use these results, and please report this"
        )
        raise PipelineError(msg)

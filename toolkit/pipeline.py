"""Pipeline: load, clean and classify files of any size, and check that no document is lost.

A job makes two passes in bounded memory. The first reads the input batch by batch, saves each batch as a part
on disk and counts which passages each publisher repeats. The second finds spans, clean text and topics part by
part. Then the parts are joined to the results. A killed job leaves its parts in ``.partial``; the next one
continues from them and writes the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from toolkit.display import visible
from toolkit.duplication import duplicates
from toolkit.errors import NothingReadError, PipelineError, UsageError
from toolkit.job import Job, table_of
from toolkit.loading.sources import find_sources
from toolkit.provenance import environment, listed, refuse_overwriting, sha256
from toolkit.settings import Settings, read_study
from toolkit.spool import file_of_rows, sweep, write_json, write_rows

__all__ = ["NothingReadError", "PipelineError", "RunSummary", "classify", "clean", "run"]

MOST_LANGUAGES = 8
"""Languages that a summary names."""

ROWS = 5_000
"""Documents in memory at a time."""

PARTS = ("cleaned.parquet", "spans.parquet", "verdicts.parquet", "topics.parquet", "quarantine.parquet")
DUPLICATES = "duplicates.parquet"
RESULTS = (*PARTS, DUPLICATES)
WRITTEN = (*RESULTS, "run.json", "report.html", "report.ipynb")
"""Files that a run and its report write into their folder."""

MOST_CHARACTERS = 200_000_000
"""Duplicates are compared in memory, in about six bytes a character: without being asked, up to this size."""


@dataclass
class RunSummary:
    """Counts of a finished job; the command line prints them at the end.

    Attributes
    ----------
    output : Path
        Folder or file written.
    documents_in, kept, quarantined : int
        Number of input records, and how many of them were kept and quarantined; the first is the sum of the others.
    characters : int
        Length of all kept documents before cleaning (code points).
    removed : dict of str to int
        Characters removed, by kind.
    topics : dict of str to int
        Number of documents by name of topic; a document may have several topics.
    faults : dict of str to int
        Documents whose text shows a fault, by kind (``toolkit.loading.faults``), after any repair.
    repair : tuple of str
        Faults that were mended while loading.
    undated : int
        Documents without a date of publication.
    languages : dict of str to int
        Documents by language, ``unknown`` where none is known.
    halved : int
        Documents that lost over half of their characters.
    outside : int or None
        Documents of a layout or language for which the loss of article text is not promised, where that is
        known.
    duplicates : dict of str to int, or None
        Documents that have a duplicate, by kind, and the number of ``groups``; None if not looked for.
    report : Path or None
        The HTML report, if one was made.
    verdicts : dict of str to int
        Documents by verdict, see :func:`toolkit.verdicts`.
    """

    output: Path
    documents_in: int
    kept: int
    quarantined: int
    characters: int = 0
    removed: dict[str, int] = field(default_factory=dict)
    topics: dict[str, int] = field(default_factory=dict)
    undated: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    repair: tuple[str, ...] = ()
    languages: dict[str, int] = field(default_factory=dict)
    halved: int = 0
    outside: int | None = None
    duplicates: dict[str, int] | None = None
    report: Path | None = None
    verdicts: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [
            f"report       {self.report}" if self.report else f"written      {self.output}",
            f"documents    {self.documents_in:,} in = {self.kept:,} kept + {self.quarantined:,} quarantined",
        ]
        if self.undated:
            lines.append(f"undated      {self.undated:,} of {self.kept:,} documents")
        if self.repair:
            lines.append(f"repaired     {', '.join(self.repair)}, where a text shows them")
        if self.faults:
            named = ", ".join(f"{kind} {count:,}" for kind, count in self.faults.items())
            lines.append(f"faults       {named} documents; repair=True (--repair) mends them")
        if self.languages:
            most = _by_count(self.languages)[:MOST_LANGUAGES]
            shares = ", ".join(f"{visible(name)[:20]} {_percent(n, self.kept)}" for name, n in most)
            more = len(self.languages) - len(most)
            lines.append(f"languages    {shares}" + (f" and {more:,} more" if more else ""))
        if self.characters:
            total = sum(self.removed.values())
            share = _percent(total, self.characters)
            lines.append(f"removed      {total:,} of {self.characters:,} characters ({share})")
            lines += [f"             {_listed(self.removed)}"] if self.removed else []
        if self.halved:
            lines.append(f"over half    of the text removed in {self.halved:,} documents; look at them first")
        if self.outside:
            lines.append(
                f"outside      {self.outside:,} documents of layouts or languages without a promised loss"
            )
        if self.duplicates:
            kinds = {kind: n for kind, n in self.duplicates.items() if kind != "groups"}
            if kinds:
                lines.append(
                    f"duplicates   {sum(kinds.values()):,} documents in {self.duplicates['groups']:,} groups: "
                    + _listed(kinds)
                )
        others = {name: n for name, n in self.verdicts.items() if name != "article"}
        if others:
            lines.append(
                f"no article   {sum(others.values()):,} of {self.kept:,} documents: {_listed(others)}"
            )
        if self.topics:
            lines.append(f"topics       {_listed(self.topics)}")
        return "\n".join(lines)


def _percent(part: int, whole: int) -> str:
    return f"{part / max(1, whole):.1%}".replace("%", " %")


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in _by_count(counts))


def _by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def run(
    inputs: Sequence[str | Path] | str | Path,
    output: str | Path | None = None,
    *,
    progress: bool = False,
    rows: int = ROWS,
    n_jobs: int = 1,
    force: bool = False,
    **settings: Any,
) -> RunSummary:
    """Load, clean and classify files into a folder of results.

    Parameters
    ----------
    inputs : path, glob, folder, archive, or sequence of them
        Anything that :func:`toolkit.load` reads, or a study file (``.toml``, see
        :func:`toolkit.settings.read_study`). Parameters given here override those in the study file.
    output : path
        Folder for the results; created if missing. The run writes ``cleaned.parquet`` (the corpus and
        ``clean_text``), ``spans.parquet``, ``verdicts.parquet`` (see :func:`toolkit.verdicts`), ``topics.parquet``,
        ``duplicates.parquet`` (see :func:`toolkit.duplicates`), ``quarantine.parquet`` and ``run.json``, each
        completely or not at all. ``run.json`` is written last, so a folder that has it is complete. Optional if
        the study file names it.
    progress : bool, default False
        Show progress bars on standard error.
    rows : int, default 5,000
        Documents in a batch; the results do not depend on it.
    n_jobs : int, default 1
        Number of batches that are processed at the same time, in threads; -1 for one per processor. With 2 or
        more, reading, cleaning and writing overlap. The results do not depend on it.
    force : bool, default False
        Overwrite the results of another run.
    **settings
        Parameters of :class:`toolkit.settings.Settings`: ``columns``, ``lang``, ``detect_language``, ``remove``,
        ``threshold``, ``max_article_loss``, ``decisions``, ``index``, ``duplicates``, ``strict``.

    Returns
    -------
    RunSummary
        Counts, checked against the written files.

    Raises
    ------
    NothingReadError
        No document could be read; nothing is written.
    UsageError
        A setting is unknown or out of range, the output would overwrite an input, or the folder has the results
        of other inputs or settings and ``force`` is not set.
    PipelineError
        An input is missing, or the number of input records is not the number of kept and quarantined ones.

    Notes
    -----
    A run draws no random numbers, so ``seeds`` in ``run.json`` is empty. Runs of the same files with the same
    parameters, models and versions write the same ``run.json``, except for its section ``environment`` (command,
    paths of the inputs, times, machine).

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
    inputs, study = listed(inputs), None
    if len(inputs) == 1 and Path(inputs[0]).suffix == ".toml" and Path(inputs[0]).is_file():
        study = inputs[0]
        inputs, planned, found = read_study(study)
        output, settings = output or planned, found | settings
    if output is None:
        msg = f"{inputs[0]}: no output; name a folder for the results"
        raise UsageError(msg)
    asked, folder = Settings.of(settings), Path(output)
    refuse_overwriting([*inputs, study, asked.index, asked.decisions], folder, *(folder / n for n in WRITTEN))
    _find(inputs)
    folder.mkdir(parents=True, exist_ok=True)
    with Job(
        inputs, folder / ".partial", steps=("clean", "classify"), settings=asked, progress=progress, rows=rows,
        n_jobs=n_jobs, guard=None if force else partial(_refuse_other_results, folder / "run.json"), study=study,
    ) as job:  # fmt: skip
        job.work()
        (folder / "run.json").unlink(missing_ok=True)
        written = dict(zip(PARTS, (name.removesuffix(".parquet") for name in PARTS), strict=True))
        for name in WRITTEN:
            sweep(folder / name)
        for name, kind in written.items():
            write_rows(job.tables(kind), folder / name)
        summary = summary_of(folder, job)
        kept, rejected = (
            parquet.read_metadata(folder / name).num_rows
            for name in ("cleaned.parquet", "quarantine.parquet")
        )
        _account(summary, kept, rejected)
        (folder / DUPLICATES).unlink(missing_ok=True)
        if wanted(asked, summary):
            copies = duplicates_of(folder / "cleaned.parquet", folder / "verdicts.parquet")
            summary.duplicates = kinds_of(copies)
            write_rows([copies], folder / DUPLICATES)
        outputs = {name: sha256(folder / name) for name in RESULTS if (folder / name).is_file()}
        write_json(folder / "run.json", record(job, summary, started, outputs))
    return summary


def _refuse_other_results(record: Path, job: Job) -> None:
    """Refuse to overwrite results of other inputs or settings."""
    try:
        there = json.loads(record.read_text("utf-8"))
        other = (there["inputs"], there["parameters"]) != (job.digests, job.parameters)
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError):
        other = True
    if other:
        msg = (
            f"{record.parent}: holds the results of another run; choose another folder, or force it (--force)"
        )
        raise UsageError(msg)


def wanted(settings: Settings, summary: RunSummary) -> bool:
    """Return whether to find duplicates: the setting if given, else whether the corpus fits easily into memory."""
    return summary.characters <= MOST_CHARACTERS if settings.duplicates is None else settings.duplicates


def duplicates_of(cleaned: Any, verdicts: Any) -> pa.Table:
    """Return the duplicates among the articles of ``cleaned.parquet``; paths or open files, rows in one order."""
    columns = ["doc_id", "text", "clean_text", "publisher", "published"]
    corpus = parquet.read_table(cleaned, columns=columns).to_pandas()
    corpus["verdict"] = parquet.read_table(verdicts, columns=["verdict"]).to_pandas()["verdict"]
    return table_of(duplicates(corpus))


def kinds_of(copies: pa.Table) -> dict[str, int]:
    """Return how many documents are duplicates, by kind, and in how many ``groups``; empty if there are none."""
    counts = Counter(copies["kind"].to_pylist())
    return {**dict(sorted(counts.items())), "groups": len(copies["group"].unique())} if counts else {}


def clean(
    inputs: Sequence[str | Path] | str | Path,
    output: str | Path,
    *,
    spans: str | Path | None = None,
    progress: bool = False,
    rows: int = ROWS,
    n_jobs: int = 1,
    **settings: Any,
) -> RunSummary:
    """Clean files into one file: the corpus and ``clean_text``.

    Parameters
    ----------
    inputs, progress, rows, n_jobs, **settings
        As for :func:`run`.
    output : path
        ``.parquet``, ``.csv`` or ``.jsonl``, the last two also with ``.gz``.
    spans : path, optional
        Also write the removed spans there.

    Returns
    -------
    RunSummary
    """
    asked, path = Settings.of(settings), file_of_rows(output)
    beside = None if spans is None else file_of_rows(spans)
    inputs = listed(inputs)
    refuse_overwriting([*inputs, asked.index, asked.decisions], path, beside)
    with Job(
        inputs, _beside(path), steps=("clean",), settings=asked, progress=progress, rows=rows, n_jobs=n_jobs
    ) as job:
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
    progress: bool = False,
    rows: int = ROWS,
    n_jobs: int = 1,
    **settings: Any,
) -> RunSummary:
    """Classify files into one file: ``doc_id, topic, name, probability``.

    If there is a column ``clean_text``, as :func:`clean` writes it, it is read instead of ``text``.

    Parameters
    ----------
    inputs, progress, rows, n_jobs, **settings
        As for :func:`run`; what concerns boilerplate has no effect.
    output : path
        ``.parquet``, ``.csv`` or ``.jsonl``, the last two also with ``.gz``.

    Returns
    -------
    RunSummary
    """
    columns = {"clean_text": "clean_text", **(settings.pop("columns", None) or {})}
    asked, path, inputs = Settings.of(settings | {"columns": columns}), file_of_rows(output), listed(inputs)
    refuse_overwriting(inputs, path)
    with Job(
        inputs,
        _beside(path),
        steps=("classify",),
        settings=asked,
        progress=progress,
        rows=rows,
        n_jobs=n_jobs,
    ) as job:
        job.work()
        sweep(path)
        write_rows(job.tables("topics"), path)
        summary = summary_of(path, job)
        _account(summary, _rows(job, "corpus"), _rows(job, "quarantine"))
    return summary


def _find(inputs: Sequence[str | Path]) -> None:
    """Raise FileNotFoundError where an input is missing, before a folder is made."""
    find_sources([item for item in inputs if item != "-"])


def _beside(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.partial")


def summary_of(output: Path, job: Any) -> RunSummary:
    """Add up the counts of the parts of a job."""
    removed: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    topics: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    for part in job.parts:
        faults.update(part.get("faults", {}))
        languages.update(part.get("languages", {}))
        verdicts.update(part.get("verdicts", {}))
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
        verdicts=dict(_by_count(verdicts)),
        topics=dict(_by_count(topics)),
        undated=sum(part.get("undated", 0) for part in job.parts),
        faults=dict(_by_count(faults)),
        repair=tuple(job.settings.repair),
        languages=dict(_by_count(languages)),
        halved=sum(part.get("halved", 0) for part in job.parts),
        outside=sum(part["outside"] for part in job.parts)
        if all("outside" in p for p in job.parts)
        else None,
    )


def record(job: Any, summary: RunSummary, started: datetime, outputs: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of ``run.json``; ``outputs`` are the SHA-256 digests of the results."""
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
            "verdicts": summary.verdicts,
            "topics": summary.topics,
            "undated": summary.undated,
            "faults": summary.faults,
            "languages": summary.languages,
            "halved": summary.halved,
            **({} if summary.outside is None else {"outside": summary.outside}),
            **({} if summary.duplicates is None else {"duplicates": summary.duplicates}),
        },
        "outputs": dict(outputs),
        "environment": environment(started, job.given, summary.output),
    }


def _rows(job: Job, kind: str) -> int:
    return sum(parquet.read_metadata(job.spool.path(kind, n)).num_rows for n in range(len(job.parts)))


def _account(summary: RunSummary, kept: int, rejected: int) -> None:
    """Check in = kept + quarantined against the rows of the written files; delete a single file that fails."""
    if (summary.kept, summary.quarantined) != (kept, rejected):
        if summary.output.is_file():
            summary.output.unlink()
        msg = (
            f"{summary.output}: {summary.documents_in} documents came in, but {kept} were kept and {rejected} "
            "quarantined; do not use these results, and please report this"
        )
        raise PipelineError(msg)

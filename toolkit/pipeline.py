"""Pipeline: load, clean and classify files of any size, and check that no document is lost.

A job makes two passes in bounded memory. The first reads the input batch by batch, saves each batch as a part on disk
and counts which passages each publisher repeats. The second finds spans, clean text and topics part by part. Then the
parts are joined to the results. A killed job leaves its parts in ``.partial``; the next one continues from them and
writes the same bytes.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from toolkit.boilerplate import BoilerplateRemover
from toolkit.boilerplate.model import shipped_model
from toolkit.buffer import Buffer
from toolkit.corpus import as_corpus
from toolkit.duplication import duplicates, duplicates_in
from toolkit.errors import NothingReadError, PipelineError, UsageError
from toolkit.files import file_of_rows, listed, placed, refuse_overwriting, table_of
from toolkit.jobs.engine import Inputs, Job, Workers, threads
from toolkit.jobs.parts import CLASSIFIER
from toolkit.jobs.storage import Files, parent_of
from toolkit.jobs.summary import RunSummary
from toolkit.kernels import processors
from toolkit.language import languages
from toolkit.notebook import isolated, keep_edited
from toolkit.record import closed, environment, record_bytes
from toolkit.settings import Settings, read_study
from toolkit.topics import TopicClassifier
from toolkit.verdict import TEXTS, probabilities

__all__ = ["NothingReadError", "PipelineError", "RunSummary", "classify", "clean", "run"]

ROWS = 2_500  # documents in memory at a time
READ_AT_ONCE = 1_000  # cleaned texts in memory at a time, for each job, while duplicates are looked for
# A larger corpus is compared for duplicates only if ``duplicates`` asks: that reads all cleaned texts twice, and takes
# some 3.5 KB of memory for a document of 5.7 KB.
MOST_CHARACTERS = 200_000_000

PARTS = ("cleaned.parquet", "spans.parquet", "verdicts.parquet", "topics.parquet", "quarantine.parquet")
DUPLICATES = "duplicates.parquet"
RESULTS = (*PARTS, DUPLICATES)
PAGES = ("report.html", "report.ipynb")
WRITTEN = (*RESULTS, *CLASSIFIER, "run.json", *PAGES)  # by a run and its report into their folder

_SHORT = "The council met on Monday.Sign up for our newsletter. It met again on the day after that."
_LINE = f"{_SHORT} {'It met once more. ' * 20}"  # long enough to have lost its line breaks

_COUNTS = (
    "kept", "quarantined", "characters", "removed", "verdicts", "topics", "undated", "faults", "languages", "halved",
    "outside", "duplicates",
)  # fmt: skip
"""Counts of the summary that ``run.json`` has, besides ``in``, the number of records that came in."""


def run(
    inputs: Inputs, output: str | Path | None = None, *, progress: bool = False, rows: int = ROWS,
    n_jobs: int = 1, force: bool = False, **settings: Any,
) -> RunSummary:  # fmt: skip
    """Load, clean and classify files into a folder of results.

    Parameters
    ----------
    inputs : path, glob, folder, archive, or sequence of them
        Anything that :func:`toolkit.load` reads, or a study file (``.toml``, see
        :func:`toolkit.settings.read_study`). Parameters given here override those in the study file.
    output : path
        Folder for the results, unless the study file names it; created if missing. It gets ``cleaned.parquet`` (the
        corpus and ``clean_text``), ``spans.parquet``, ``verdicts.parquet`` (see :func:`toolkit.verdicts`),
        ``topics.parquet``, ``duplicates.parquet`` (see :func:`toolkit.duplicates`), ``quarantine.parquet``, with
        ``labels`` the classifier that was trained on them (``classifier.npz``, ``classifier.json``), and last
        ``run.json``, so a folder that has it is complete. Each file is written completely or not at all.
    progress, force : bool, default False
        Show progress bars on standard error; overwrite the results of another run.
    rows, n_jobs : int, default 2,500 and 1
        Documents in a batch, and batches in work at a time, in threads (-1: one a processor); with 2 or more, reading,
        cleaning and writing overlap. The results depend on neither.
    **settings
        Parameters of :class:`toolkit.settings.Settings`.

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
    A run draws no random numbers. Runs of the same files with the same parameters, models and versions write the same
    ``run.json``, except for its section ``environment`` (command, paths of the inputs, times, machine). ``digest``
    closes the record without that section, so it can be cited.

    Examples
    --------
    >>> import tempfile
    >>> from toolkit.files import shipped
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     summary = run(shipped("sample") / "articles.jsonl.gz", folder)
    ...     summary.kept == parquet.read_metadata(Path(folder, "cleaned.parquet")).num_rows
    True
    """
    return run_with(threads(n_jobs), inputs, output, settings, rows=rows, progress=progress, force=force)


def run_with(
    workers: AbstractContextManager[Workers], inputs: Inputs, output: str | Path | None,
    settings: Mapping[str, Any], *, rows: int, force: bool, progress: bool = False,
    options: Mapping[str, Any] | None = None,
) -> RunSummary:  # fmt: skip
    """Do :func:`run` with the given workers; ``options`` go to fsspec."""
    started = datetime.now(UTC)
    inputs, study = listed(inputs), None
    if studies := [each for each in inputs if Path(each).suffix.lower() == ".toml" and Path(each).is_file()]:
        study = studies[0]
        if len(inputs) > 1:
            raise UsageError(f"{study}: a study file stands alone; name the other inputs in it")
        inputs, planned, found = read_study(study, but=settings)
        output, settings = planned if output is None else output, found | dict(settings)
    if output is None:
        raise UsageError(f"{inputs[0]}: no output; name a folder for the results")
    output = placed(output)
    chosen = Settings.of(settings)
    places = [output, *(Path(output, name) for name in WRITTEN)]
    refuse_overwriting([*inputs, study, *chosen.files], *places)
    target = Files(str(output), dict(options or {}))
    with Job(
        inputs, target, ".partial", workers, steps=("clean", "classify"), settings=chosen, rows=rows,
        progress=progress, guard=None if force else _refuse_other_results, study=study,
    ) as job:  # fmt: skip
        job.work()
        if target.local is not None:
            keep_edited(Path(target.local, "report.ipynb"))
            _discard_tables(Path(target.local, "report_tables"))
        for name in ("run.json", *PAGES, *CLASSIFIER):  # those of an older run
            target.discard(name)
        written = job.assemble({name.removesuffix(".parquet"): name for name in PARTS})
        summary = job.summary(output)
        unwritten = job.rows_of("quarantine") - written["quarantine"][0]
        _account(summary, written["cleaned"][0], job.quarantined() - unwritten)
        outputs = {f"{kind}.parquet": digest for kind, (_, digest) in written.items()}
        for name, data in job.classifier().items():
            target.write(name, data)
            outputs[name] = hashlib.sha256(data).hexdigest()
        target.discard(DUPLICATES)
        if chosen.duplicates or (chosen.duplicates is None and summary.characters <= MOST_CHARACTERS):
            at_once = 1 if job.workers.remote else max(1, job.workers.ahead)
            copies = _duplicates_in(target, summary.characters, at_once)
            summary.duplicates = kinds_of(copies)
            outputs[DUPLICATES] = target.write_rows(DUPLICATES, [copies])[1]
        target.write("run.json", record_bytes(record(job, summary, started, outputs)))
    return summary


def _discard_tables(folder: Path) -> None:
    """Remove the tables of the report of an older run, but no other file that was put beside them."""
    if folder.is_dir() and not folder.is_symlink():
        for table in folder.glob("[0-9][0-9]_*.*"):
            table.unlink()
        with suppress(OSError):  # not empty
            folder.rmdir()


def _refuse_other_results(job: Job) -> None:
    """Refuse to overwrite results of other inputs or settings."""
    try:
        old = json.loads(job.target.read("run.json"))
        other = (old["inputs"], old["parameters"]) != (job.digests, job.parameters)
    except (FileNotFoundError, NotADirectoryError):
        return
    except (ValueError, KeyError, TypeError, RecursionError):
        other = True
    if other:
        msg = f"{job.target.folder}: holds the results of another run; choose another folder, or force it (--force)"
        raise UsageError(msg)


def _duplicates_in(results: Files, characters: int, n_jobs: int) -> pa.Table:
    """Return the duplicates among the articles of a run."""
    with results.open("cleaned.parquet") as cleaned, results.open("verdicts.parquet") as verdicts:
        # on this thread: see Spool.table
        table = parquet.ParquetFile(cleaned).read(
            ["doc_id", "url", "publisher", "published"], use_threads=False
        )
        verdict = (
            parquet.ParquetFile(verdicts).read(["verdict"], use_threads=False)["verdict"].combine_chunks()
        )
    articles = pc.is_in(verdict, pa.array(TEXTS, verdict.type))

    def portions() -> Iterator[Buffer]:
        done = 0
        with results.open("cleaned.parquet") as cleaned, parquet.ParquetFile(cleaned) as file:
            for batch in file.iter_batches(READ_AT_ONCE, columns=["clean_text"], use_threads=False):
                yield Buffer.of(batch["clean_text"].filter(articles.slice(done, len(batch))))
                done += len(batch)

    return table_of(duplicates_in(table.filter(articles).to_pandas(), portions, characters, n_jobs=n_jobs))


def kinds_of(copies: pa.Table) -> dict[str, int]:
    """Return how many documents are duplicates, by kind, and in how many ``groups``; empty if there are none."""
    counts = Counter(copies["kind"].to_pylist())
    return {**dict(sorted(counts.items())), "groups": len(copies["group"].unique())} if counts else {}


def clean(
    inputs: Inputs, output: str | Path, *, spans: str | Path | None = None, progress: bool = False,
    rows: int = ROWS, n_jobs: int = 1, **settings: Any,
) -> RunSummary:  # fmt: skip
    """Clean files into one file: the corpus and ``clean_text``.

    ``output`` is ``.parquet``, ``.csv`` or ``.jsonl``, the last two also with ``.gz``. ``spans`` is a file of that
    kind, which also gets the removed spans. All else is as for :func:`run`.
    """
    more = {} if spans is None else {"spans": file_of_rows(placed(spans))}
    how: dict[str, Any] = {"rows": rows, "progress": progress, "more": more}
    return one_file_with(threads(n_jobs), "cleaned", inputs, output, settings, **how)


def classify(
    inputs: Inputs, output: str | Path, *, progress: bool = False, rows: int = ROWS, n_jobs: int = 1,
    **settings: Any,
) -> RunSummary:  # fmt: skip
    """Classify files into one file: ``doc_id, topic, name, probability``.

    If there is a column ``clean_text``, as :func:`clean` writes it, it is read instead of ``text``. ``output`` is a
    file as for :func:`clean`. All else is as for :func:`run`; settings that concern boilerplate have no effect.
    """
    return one_file_with(threads(n_jobs), "topics", inputs, output, settings, rows=rows, progress=progress)


def one_file_with(
    workers: AbstractContextManager[Workers], kind: str, inputs: Inputs, output: str | Path,
    settings: Mapping[str, Any], *, rows: int, progress: bool = False, more: Mapping[str, Path] | None = None,
    options: Mapping[str, Any] | None = None,
) -> RunSummary:  # fmt: skip
    """Do :func:`clean` (kind ``cleaned``) or :func:`classify` (``topics``) with the given workers.

    ``more`` maps further kinds to their files; ``options`` go to fsspec.
    """
    steps = ("clean",) if kind == "cleaned" else ("classify",)
    if kind == "topics":  # a column ``clean_text`` is read if the input has one
        settings = {**settings, "columns": {"clean_text": "clean_text", **(settings.get("columns") or {})}}
    chosen, inputs, more = Settings.of(settings), listed(inputs), more or {}
    output = placed(output)
    file_of_rows(output)
    refuse_overwriting([*inputs, *chosen.files], output, *more.values())
    folder, name = parent_of(output)
    target = Files(folder, dict(options or {}))
    how: dict[str, Any] = {"settings": chosen, "rows": rows, "progress": progress}
    with Job(inputs, target, f".{name}.partial", workers, steps=steps, **how) as job:
        job.work()
        targets = {each: os.path.abspath(path) for each, path in more.items()}  # noqa: PTH100
        rows_written = job.assemble({**targets, kind: name})[kind][0]
        summary = job.summary(output)
        summary.topicless = summary.kept if kind == "topics" and not rows_written else 0
        kept = rows_written if kind == "cleaned" else job.rows_of("corpus")
        _account(summary, kept, job.quarantined())
    return summary


def record(job: Job, summary: RunSummary, started: datetime, outputs: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of ``run.json``; ``outputs`` are the SHA-256 digests of the results."""
    own = {"decisions": job.settings.decided, "labels": job.settings.labelled}
    counts = {"in": summary.documents_in} | {name: getattr(summary, name) for name in _COUNTS}
    content = {
        "versions": job.versions,
        "parameters": job.parameters,
        "seeds": [],  # a run draws no random numbers
        "inputs": job.digests,
        "models": job.models,
        **{name: dict(given) for name, given in own.items() if given is not None},
        "counts": {name: count for name, count in counts.items() if count is not None},
        "outputs": dict(outputs),
        "environment": environment(started, job.given, summary.output),
    }
    return closed(content)


def _account(summary: RunSummary, kept: int, rejected: int) -> None:
    """Check that in = kept + quarantined, counted in the written files; if not, delete an output of one file."""
    if (summary.kept, summary.quarantined) != (kept, rejected):
        if summary.output.is_file():
            summary.output.unlink()
        raise PipelineError(
            f"{summary.output}: {summary.documents_in} documents came in, but {kept} were kept and {rejected} "
            "quarantined; do not use these results, and please report this"
        )


def is_warm() -> bool:
    """Tell whether numba's cache holds the kernels of this version, compiled on this machine.

    >>> warm()[:13], is_warm()
    ('kernels ready', True)
    """
    from toolkit.boilerplate.scoring import KERNEL

    place = KERNEL.stats.cache_path  # None where nothing can be kept
    return place is not None and any(Path(place).glob(f"scoring.{KERNEL.__name__}-*.nbi"))


@contextmanager
def _compiling() -> Iterator[None]:
    """Leave old garbage alone meanwhile: collecting it takes a tenth of the time that numba takes, for 110 MB."""
    usual = gc.get_threshold()
    gc.set_threshold(*usual[:2], 10_000)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@_compiling()
def warm() -> str:
    """Compile every kernel, or load it from the cache; return how long it took.

    Where nothing is compiled yet and a second processor is there, a process of its own compiles half of the kernels
    into the same cache. What it fails to do, :func:`run` does here.
    """
    begun = time.perf_counter()
    if not is_warm() and processors() > 1 and sys.executable:
        command = [sys.executable, "-c", "from toolkit.pipeline import compile_others; compile_others()"]
        quiet: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        with isolated() as place:
            if cache := os.environ.get("NUMBA_CACHE_DIR"):  # the process works in another folder
                place["env"]["NUMBA_CACHE_DIR"] = str(Path(cache).resolve())
            with suppress(OSError), subprocess.Popen(command, **quiet, **place) as other:
                try:
                    BoilerplateRemover().fit([_SHORT])
                    with suppress(subprocess.TimeoutExpired):
                        other.wait(300)
                finally:
                    other.kill()  # where this one is stopped, nobody waits for the other
    rows = [json.dumps({"text": text, "url": f"a.b/{n}"}) + "\n" for n, text in enumerate((_SHORT, _LINE))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "two.jsonl")
        path.write_text("".join(rows))
        run(path, Path(folder, "out"), rows=1)
    return f"kernels ready after {time.perf_counter() - begun:.1f} s"


@_compiling()
def compile_others() -> None:
    """Compile what :meth:`toolkit.BoilerplateRemover.fit`, in the process beside, needs late or not at all."""
    corpus = as_corpus([_SHORT]).assign(clean_text=_SHORT)
    languages(corpus["text"])
    shipped_model().breaks.cut(Buffer.of([_LINE]))
    TopicClassifier().topics(corpus)
    probabilities(corpus)
    duplicates(corpus)
    span = {"start": 0, "end": 3, "kind": "promo", "score": 1.0, "evidence": "model", "template_id": None}
    BoilerplateRemover().transform(corpus, corpus[["doc_id"]].assign(**span))

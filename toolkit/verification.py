"""Verification: compare a folder of results with its ``run.json``, or repeat the run and compare the bytes."""

from __future__ import annotations

import glob
import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from toolkit import pipeline, report
from toolkit.boilerplate import BoilerplateRemover
from toolkit.boilerplate.decisions import read_decisions
from toolkit.display import visible
from toolkit.errors import CorpusError, ToolkitError, UsageError
from toolkit.files import DAMAGE, parquet_file, sha256
from toolkit.jobs.inputs import Input, digest, near_inputs
from toolkit.jobs.parts import CLASSIFIER, counts_of
from toolkit.loading.quarantine import unread
from toolkit.record import RECORD, closed, digest_of, models, plain_digest, read_record, versions

PARTS = ("record", "outputs", "counts", "rows", "inputs", "models", "versions", "signature", "rerun")
ABSENT, LINK, FOREIGN = "(absent)", "(a link)", "(no file of a run)"
KEPT = "(a notebook that was edited, so it was kept; move it out of the folder)"
EDITED = r"\.edited-[0-9a-f]{8}\.ipynb$"  # how toolkit.notebook.keep_edited names it
UNREAD = "(not read: not of the recorded size, or a pipe or device; pass the inputs)"
WIDE = "(not looked through: too many files; pass the inputs)"
# found in place of a value: never as recorded, whatever a record says
NEVER = {ABSENT, LINK, FOREIGN, KEPT, UNREAD, WIDE}

# endings of the names of files, such as those of a report, that may be added to a folder of results
PAGES = (".html", ".ipynb", ".csv", ".tex", "certificate.json")
SIGNATURE = f"{RECORD}.sig"
UNCHECKED = "not checked, it may hold anything; pass the file of allowed signers (--allowed-signers)"
SAME = "the same bytes"


@dataclass(frozen=True)
class Check:
    """A recorded value and the one found now, of one of :data:`PARTS`: a file, a count, a model or a library."""

    part: str
    name: str
    recorded: str
    found: str

    @property
    def holds(self) -> bool:
        """Whether what was found is as recorded."""
        return self.recorded == self.found and self.found not in NEVER

    def __str__(self) -> str:
        return f"{_line(self.name)}: recorded {_short(self.recorded)}, found {_short(self.found)}"


class Verification(list[Check]):
    """All checks of a folder; prints one line for each part and one for each difference."""

    @property
    def differences(self) -> list[Check]:
        """The checks that do not hold."""
        return [check for check in self if not check.holds]

    def __str__(self) -> str:
        lines = []
        for part in PARTS:
            if checks := [check for check in self if check.part == part]:
                account = f"{sum(c.holds for c in checks):,} of {len(checks):,} as recorded"
                lines.append(f"{part:<9} {UNCHECKED if checks[0].found == UNCHECKED else account}")
                lines += [f"          {check}" for check in checks if not check.holds]
        return "\n".join(lines)


def verify(
    folder: str | Path, inputs: Sequence[str | Path] | None = None, *, index: str | Path | None = None,
    decisions: str | Path | None = None, allowed_signers: str | Path | None = None, rerun: bool = False,
) -> Verification:  # fmt: skip
    """Compare a folder that ``news-toolkit run`` wrote with its ``run.json``.

    It compares the digests that close the record, the digests of all files in the folder (except hidden ones), the
    counts and clean texts (made again from the written files), the inputs and their order, the installed models and
    the versions. In the result ``differences`` is empty if all is as recorded and every input is found. A NoRunError or
    DamagedError says that there is no record, or that it is damaged.

    Parameters
    ----------
    inputs : sequence of path, optional
        Where the inputs are now. Default: the recorded paths, relative to ``folder``; they may be a stranger's, so
        that no more of the disk is looked through than the recorded files explain, and no other size is read.
    index, decisions : path, optional
        The saved remover of the run; a file of decisions to compare with those that the record holds.
    allowed_signers : path, optional
        File that ``ssh-keygen -Y verify`` takes. ``run.json.sig`` must then be a signature by one of them, made
        with ``ssh-keygen -Y sign -n news-toolkit -f KEY run.json``.
    rerun : bool, default False
        Repeat the run in a temporary folder with the recorded parameters; compare the record and each output byte
        by byte. Takes as much time and disk space as the run did.

    Examples
    --------
    >>> from toolkit.files import shipped
    >>> with TemporaryDirectory() as out:
    ...     _ = pipeline.run(shipped("sample") / "articles.jsonl.gz", out)
    ...     print(str(verify(out)).splitlines()[1])
    outputs   6 of 6 as recorded
    """
    folder, record = Path(folder), read_record(folder)
    for place in (index, allowed_signers):
        if place is not None and not Path(place).is_file():
            raise UsageError(f"{place}: no such file; name the file itself")
    found = Verification([*_closing_digests(record), *_outputs(folder, record), *_contents(folder, record)])
    recorded = [str(folder / place) for place in record["environment"]["inputs"]]
    most = 10_000 + 100 * len(record["inputs"])
    wide = [place for place in recorded if sum(1 for _ in islice(_looked_at(place), most)) == most]
    places = [place for place in recorded if place not in wide] if inputs is None else list(inputs)
    found += [Check("inputs", place, "(looked through)", WIDE) for place in wide if inputs is None]
    found += _inputs(record, places, index, decisions, own=inputs is not None)
    found += _compare("models", record["models"], models())
    found += _compare("versions", record["versions"], versions())
    if allowed_signers is not None:
        found.append(_signature(folder, Path(allowed_signers)))
    elif (folder / SIGNATURE).exists():
        found.append(Check("signature", SIGNATURE, UNCHECKED, UNCHECKED))
    if rerun and any(check.part == "inputs" for check in found.differences):
        found.append(Check("rerun", "run", "done", "not done; the inputs are not those of the run"))
    elif rerun:
        found += _rerun(folder, record, places, index)
    return found


def _closing_digests(record: Mapping[str, Any]) -> Iterator[Check]:
    again = closed(record)
    yield Check("record", "digest", record.get("digest", ABSENT), again["digest"])
    if record.get("digest") == again["digest"]:  # the digest of the environment covers this one too
        environment = record["environment"].get("digest", ABSENT)
        yield Check("record", "environment", environment, again["environment"]["digest"])


def _compare(part: str, recorded: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Check]:
    for name in dict.fromkeys([*recorded, *found]):
        yield Check(part, name, recorded.get(name, ABSENT), found.get(name, ABSENT))


def _outputs(folder: Path, record: Mapping[str, Any]) -> Iterator[Check]:
    """Compare the digests of all files. A missing result is a difference, and so is a file that no run writes."""
    results = [n for n in pipeline.RESULTS if n != pipeline.DUPLICATES or "duplicates" in record["counts"]]
    results += CLASSIFIER if "labels" in record else ()
    pages = {n: d for n, d in record["environment"].get("pages", {}).items() if n.endswith(PAGES)}
    recorded = record["outputs"] | pages
    paths = (path.relative_to(folder) for path in sorted(folder.rglob("*")))
    there = [path.as_posix() for path in paths if not any(part.startswith(".") for part in path.parts)]
    known = {RECORD, SIGNATURE, *(str(parent) for page in pages for parent in PurePosixPath(page).parents)}
    for name in dict.fromkeys([*results, *recorded, *(name for name in there if name not in known)]):
        found = LINK if (folder / name).is_symlink() else KEPT if re.search(EDITED, name) else FOREIGN
        if name in pages or name in results:
            found = plain_digest(folder, name) or (found if name in there else ABSENT)
        yield Check("outputs", name, recorded.get(name, ABSENT), found)


def _inputs(
    record: Mapping[str, Any], places: Sequence[Any], index: Any, decisions: Any, *, own: bool
) -> Iterator[Check]:
    """Compare the inputs and their order; then the saved remover and the decisions."""
    recorded = record["inputs"]
    found = _digests_now(places, None if own else {entry["name"]: entry["bytes"] for entry in recorded})
    yield from _compare("inputs", _by_name(recorded), _by_name(found))
    names, others = ([entry["name"] for entry in entries] for entries in (recorded, found))
    if names != others and set(names) == set(others):
        yield Check("inputs", "order", ", ".join(names), ", ".join(others))
    for one, other in zip(recorded, found, strict=False):
        if one["sha256"] == other["sha256"] and one["bytes"] != other["bytes"]:
            yield Check("inputs", f"{one['name']}: bytes", str(one["bytes"]), str(other["bytes"]))
    parameters = record["parameters"]
    decided = record.get("decisions") if decisions is None else read_decisions(decisions)
    given = {
        "index": None if index is None else sha256(Path(index)),
        "decisions": None if decided is None else digest_of(decided),
        "labels": digest_of(record["labels"]) if "labels" in record else None,
    }
    for name, held in given.items():
        if held or name in parameters:
            yield Check("inputs", name, str(parameters.get(name, ABSENT)), held or ABSENT)


def _looked_at(place: str) -> Iterator[str]:
    """Yield, one by one, what must be looked at to find the files of a path, folder or pattern."""
    parts = Path(place).parts
    first = next((n for n, part in enumerate(parts, 1) if glob.has_magic(part)), len(parts))
    for n in range(first, len(parts) + 1):
        for match in glob.iglob(str(Path(*parts[:n])), recursive=True):  # noqa: PTH207 - absolute patterns
            yield match
            if n == len(parts):
                yield from (name for _, *names in os.walk(match) for name in chain(*names))


def _digests_now(places: Sequence[str | Path], sizes: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the digests of the inputs as they are now, without missing ones; only files of ``sizes`` are read."""
    there = []
    for place in places:
        with suppress(FileNotFoundError):
            there += [place] if near_inputs([place]) else []
    items = near_inputs(there)
    return [digest(item) if sizes is None else _digest_of_size(item, sizes.get(item.label)) for item in items]


def _digest_of_size(item: Input, size: int | None) -> dict[str, Any]:
    path = Path(item.path)
    if path.is_file():
        now = path.stat().st_size
        # files of /proc and the like, on a file system without blocks, can be read without end
        real = not hasattr(os, "statvfs") or os.statvfs(path).f_blocks
        if real and (now == size or (size is None and not os.access(path, os.R_OK))):
            return digest(item)
    elif item.fault or path.is_dir() or not path.exists():
        return digest(item)
    return {"name": item.label, "bytes": None, "sha256": UNREAD}


def _by_name(inputs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    named, times = dict[str, str](), Counter[str]()
    for entry in inputs:
        times[name := entry["name"]] += 1
        named[f"{name} ({times[name]})" if times[name] > 1 else name] = entry["sha256"] or "(unreadable)"
    return named


def _contents(folder: Path, record: Mapping[str, Any]) -> Iterator[Check]:
    """Compare the counts, and the clean texts made again from texts and spans; unreadable results are a difference."""
    recorded = {name: value for name, value in record["counts"].items() if name != "outside"}
    try:
        yield from list(_rows(folder, recorded))
    except DAMAGE as error:
        yield Check("rows", "results", "readable", _reason(error))


def _rows(folder: Path, recorded: Mapping[str, Any]) -> Iterator[Check]:
    names = ["spans", "verdicts", "topics", "quarantine", *{"duplicates"} & recorded.keys()]
    tables = {name: _table(folder / f"{name}.parquet") for name in names}
    documents = pd.Index(_table(folder / "cleaned.parquet", ["doc_id"])["doc_id"])
    if not documents.is_unique:
        raise ValueError("a doc_id stands twice")
    places = {name: documents.get_indexer(tables[name]["doc_id"]) for name in names[:3]}
    counts: Counter[str] = Counter({"kept": 0, "characters": 0, "undated": 0, "halved": 0})
    changed = ""
    for batch in _batches(folder / "cleaned.parquet"):
        frame, first = batch.to_pandas(), counts["kept"]
        mine = {name: tables[name][(at >= first) & (at < first + len(frame))] for name, at in places.items()}
        mine["spans"].attrs["outside"] = 0  # the results do not name these documents
        found = counts_of(frame, mine)
        counts.update(_flat({"kept": len(frame), **found} | {"outside": 0}))
        try:
            again = BoilerplateRemover().transform(frame.drop(columns="clean_text"), spans=mine["spans"])
            wrong = np.flatnonzero(again["clean_text"].array != frame["clean_text"].array)
            changed = changed or (f"another text in {frame['doc_id'].iloc[wrong[0]]}" if len(wrong) else "")
        except CorpusError as error:
            changed = _reason(error)
    del counts["outside"]
    counts["quarantined"] = unread(tables["quarantine"]["reason"].tolist())
    counts["in"] = counts["kept"] + counts["quarantined"]
    if "duplicates" in tables:
        counts.update(_flat({"duplicates": pipeline.kinds_of(pa.Table.from_pandas(tables["duplicates"]))}))
    written = ({k: f"{n:,}" for k, n in each.items()} for each in (_flat(recorded), counts))
    yield from _compare("counts", *written)
    for name, at in places.items():
        good = (at >= 0).all() and (np.diff(at) >= 0).all()
        good = good and (name != "verdicts" or len(at) == len(documents))
        yield Check("rows", f"{name}.parquet", "in order", "in order" if good else "other documents or order")
    yield Check("rows", "clean_text", "text without its spans", changed or "text without its spans")


def _reason(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:160]


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by name, those of a group as ``group: name``; a name that looks like one is quoted."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        plain = {repr(name) if ": " in name else name: value}
        flat |= {f"{name}: {k}": n for k, n in value.items()} if isinstance(value, dict) else plain
    return flat


def _table(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    return pd.concat([batch.to_pandas() for batch in _batches(path, columns)], ignore_index=True)


def _batches(path: Path, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield a batch without rows, then the rows of a result; ValueError or an error of pyarrow if it is damaged."""
    if path.is_symlink() or not path.is_file():
        raise ValueError(f"{path.name}: no plain file")
    with parquet_file(path) as file:
        none = pa.RecordBatch.from_pylist([], file.schema_arrow)
        yield none.select(columns or none.column_names)
        yield from file.iter_batches(8192, columns=columns)


def _signature(folder: Path, allowed: Path) -> Check:
    """Check the detached signature of the record by ``ssh-keygen``, which would read a device or a pipe without end."""
    if (folder / SIGNATURE).exists() and not (folder / SIGNATURE).is_file():
        return Check("signature", SIGNATURE, "a plain file", "a folder, pipe or device; not read")
    signed = (folder / RECORD).read_bytes()
    keygen: Any = partial(subprocess.run, capture_output=True, check=False, timeout=60)
    start, files = ["ssh-keygen", "-Y"], ["-s", str(folder / SIGNATURE), "-f", str(allowed)]
    try:
        done = keygen([*start, "find-principals", *files])
        signer = os.fsdecode(done.stdout.partition(b"\n")[0])
        if done.returncode == 0:
            # a signature that was made for another purpose (-n) does not count
            done = keygen([*start, "verify", *files, "-I", signer, "-n", "news-toolkit"], input=signed)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("signature", RECORD, "good", f"not checked: {_reason(error)}")
    if done.returncode:
        reason = os.fsdecode(done.stderr or done.stdout).strip() or "no allowed signer"
        return Check("signature", RECORD, "good", reason.splitlines()[0])
    return Check("signature", f"{RECORD} by {signer}", "good", "good")


def _rerun(folder: Path, record: Mapping[str, Any], places: Sequence[Any], index: Any) -> Iterator[Check]:
    """Repeat the run and compare the record and each output; describe outputs whose bytes differ."""
    parameters = record["parameters"]
    if "index" in parameters and index is None:
        yield Check("rerun", "run", "done", "not done; the run had index, pass --index")
        return
    settings = {name: value for name, value in parameters.items() if name not in {"steps", "study"}}
    settings |= {"labels": record.get("labels"), "decisions": record.get("decisions"), "index": index}
    with TemporaryDirectory(prefix="news-toolkit-verify-") as temporary:
        again = Path(temporary, "out")
        try:
            pipeline.run(places, again, **settings)
            values = record["environment"].get("report")
            pages = record["environment"].get("pages", {}) if values and "certificate" not in record else {}
            if "report.html" in pages:
                report.render(again, **values)  # no path is among them, or it would be no record
        except (ToolkitError, OSError, TypeError, ValueError, AttributeError) as error:
            yield Check("rerun", "run", "done", " ".join(str(error).split()))
            return
        repeated = read_record(again)
        parts = ("parameters", "seeds", "inputs", "decisions", "labels", "counts")
        before, now = (_flat({part: each.get(part) for part in parts}) for each in (record, repeated))
        # the study file only named parameters, which are compared themselves
        for name in sorted((before | now).keys() - {"parameters: study"}):
            # as text, in which 1 is not true
            one, other = (json.dumps(each.get(name), sort_keys=True) for each in (before, now))
            if one != other:
                yield Check("rerun", name, one, other)
        for name in [*record["outputs"], *(name for name in pages if name.startswith("report"))]:
            old, new = plain_digest(folder, name), plain_digest(again, name)
            found = SAME if old and old == new else "no file of a run"
            if old and new and old != new:
                found = _difference(folder / name, again / name)
            yield Check("rerun", name, SAME, found)


def _difference(old: Path, new: Path) -> str:
    """Describe how two results differ: which columns, in how many rows, and the id of the first row."""
    try:
        before, after = _table(old), _table(new)
        if len(before) != len(after):
            return f"{len(after):,} rows in place of {len(before):,}"
        changed = before.compare(after)
    except (pa.ArrowException, OSError, ValueError, LookupError):
        return "other bytes, and no table with the same columns to compare with"
    if changed.empty:
        return "other bytes, but the same rows (another version of the Parquet writer)"
    names = ", ".join(dict.fromkeys(changed.columns.get_level_values(0)))
    return f"{len(changed):,} of {len(before):,} rows differ in {names}, first {before.iloc[changed.index[0], 0]}"


def _short(value: str) -> str:
    return value[:12] if len(value) == 64 and value.isalnum() else _line(value[:200])  # a digest, or a text


def _line(text: str) -> str:
    """Return a text of a record for display: names hold line breaks too, and one would begin a line of its own."""
    return visible(text).replace("\n", "␊")

"""Verification: compare a folder of results with its ``run.json``, or repeat the run and compare the bytes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from toolkit import pipeline
from toolkit.display import visible
from toolkit.errors import NoRunError, VerificationError
from toolkit.loading.quarantine import unread
from toolkit.provenance import digests, models, sha256, versions
from toolkit.settings import Settings

PARTS = ("outputs", "counts", "inputs", "models", "versions", "rerun")
ABSENT = "(absent)"


@dataclass(frozen=True)
class Check:
    """One recorded value and the value that is found now.

    Attributes
    ----------
    part : str
        One of ``outputs counts inputs models versions rerun``.
    name : str
        File, count, model or library.
    recorded, found : str
        Equal if the check holds.
    """

    part: str
    name: str
    recorded: str
    found: str

    @property
    def holds(self) -> bool:
        """Whether the recorded and the found value are equal."""
        return self.recorded == self.found

    def __str__(self) -> str:
        return f"{visible(self.name)}: recorded {_short(self.recorded)}, found {_short(self.found)}"


class Verification(list[Check]):
    """All checks of a folder; prints one line for each part and one for each difference."""

    @property
    def differences(self) -> list[Check]:
        """The checks that do not hold."""
        return [check for check in self if not check.holds]

    def __str__(self) -> str:
        lines = []
        for part in PARTS:
            checks = [check for check in self if check.part == part]
            if checks:
                same = sum(check.holds for check in checks)
                lines.append(f"{part:<9} {same:,} of {len(checks):,} as recorded")
                lines += [f"          {check}" for check in checks if not check.holds]
        return "\n".join(lines)


def verify(
    folder: str | Path,
    inputs: Sequence[str | Path] | None = None,
    *,
    index: str | Path | None = None,
    decisions: str | Path | None = None,
    rerun: bool = False,
) -> Verification:
    """Compare a folder that ``news-toolkit run`` wrote with its ``run.json``.

    The checks cover the digests of the outputs, the counts (counted again in the written files), the digests of
    the inputs and of the installed models, and the versions of Python and the libraries. With ``rerun`` the run
    is repeated in a temporary folder with the recorded parameters, and each output is compared byte by byte. If
    the bytes differ, the check names the first row that differs.

    Parameters
    ----------
    folder : path
        Folder with ``run.json`` and the results that it names.
    inputs : sequence of path, optional
        Where the inputs are now. Default: the recorded paths, relative to ``folder``.
    index : path, optional
        The saved remover, if the run had one.
    decisions : path, optional
        The file of decisions, if the run had one.
    rerun : bool, default False
        Repeat the run; takes as much time and disk space as the run did.

    Returns
    -------
    Verification
        A list of :class:`Check`; ``differences`` is empty if everything is as recorded. An input that cannot
        be found is a difference, because it could not be checked.

    Raises
    ------
    VerificationError
        There is no record, or it is damaged.

    Examples
    --------
    >>> from toolkit.shipped import shipped
    >>> with TemporaryDirectory() as out:
    ...     _ = pipeline.run(shipped("sample") / "articles.jsonl.gz", out)
    ...     print(str(verify(out)).splitlines()[0])
    outputs   6 of 6 as recorded
    """
    folder = Path(folder)
    record = _record(folder)
    try:
        places = _places(folder, record) if inputs is None else list(inputs)
        given = {"index": index, "decisions": decisions}
        found = Verification(
            [
                *_compare("outputs", record["outputs"], _outputs(folder, record["outputs"])),
                *_compare("counts", _flat(_countable(record["counts"])), _flat(_counts(folder))),
                *_compare("inputs", _by_name(record["inputs"]), _by_name(_now(places))),
                *_compare("inputs", _named(given, record["parameters"].get), _named(given, _now_of(given))),
                *_compare("models", record["models"], models()),
                *_compare("versions", record["versions"], versions()),
            ]
        )
        if rerun:
            found += _rerun(folder, record, places, given)
    except (KeyError, TypeError, AttributeError) as error:
        raise VerificationError(_no_record(folder, error)) from None
    return found


def intact(folder: Path) -> dict[str, Any]:
    """Return the record of a folder whose results are those of the record; raise VerificationError if not."""
    record = _record(folder)
    try:
        checks = list(_compare("outputs", record["outputs"], _outputs(folder, record["outputs"])))
    except (KeyError, TypeError, AttributeError) as error:
        raise VerificationError(_no_record(folder, error)) from None
    for check in checks:
        if not check.holds:
            msg = f"{folder}: {check}; run again"
            raise VerificationError(msg)
    return record


def _no_record(folder: Path, error: Exception) -> str:
    return f"{folder / 'run.json'}: not the record of a run ({error}); run again"


def _record(folder: Path) -> dict[str, Any]:
    path = folder / "run.json"
    try:
        record = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        msg = f"{folder}: no run.json, so no finished run; run `news-toolkit run IN -o {folder}`"
        raise NoRunError(msg) from None
    except ValueError as error:
        msg = f"{path}: damaged ({error}); run again"
        raise VerificationError(msg) from None
    return dict(record)


def _places(folder: Path, record: Mapping[str, Any]) -> list[str]:
    """Return the paths of the recorded inputs; ``run.json`` stores them relative to the folder of results."""
    return [str(folder / place) for place in record["environment"].get("inputs", [])]


def _now(places: Sequence[str | Path]) -> list[dict[str, Any]]:
    """Return the digests of the inputs as they are now; missing ones are left out and so reported as absent."""
    try:
        return digests(places) if places else []
    except FileNotFoundError:
        found: list[dict[str, Any]] = []
        for place in places:
            try:
                found += digests([place])
            except FileNotFoundError:
                continue
        return found


def _by_name(inputs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {entry["name"]: entry["sha256"] or "(unreadable)" for entry in inputs}


def _named(names: Iterable[str], digest: Callable[[str], str | None]) -> dict[str, str]:
    return {name: found for name in names if (found := digest(name))}


def _now_of(given: Mapping[str, str | Path | None]) -> Callable[[str], str | None]:
    return lambda name: None if given[name] is None else sha256(Path(str(given[name])))


def _outputs(folder: Path, names: Mapping[str, str]) -> dict[str, str]:
    return {name: sha256(folder / name) for name in names if (folder / name).is_file()}


def _compare(part: str, recorded: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Check]:
    for name in dict.fromkeys([*recorded, *found]):
        yield Check(part, name, recorded.get(name, ABSENT), found.get(name, ABSENT))


def _countable(counts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts that the results still show; which documents are outside is not written in them."""
    return {name: value for name, value in counts.items() if name != "outside"}


def _flat(counts: Mapping[str, Any]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in counts.items():
        rows = {f"{name}: {k}": n for k, n in value.items()} if isinstance(value, dict) else {name: value}
        flat |= {key: f"{number:,}" for key, number in rows.items()}
    return flat


def _counts(folder: Path) -> dict[str, Any]:
    """Count in the written files what ``run.json`` counts, one row group at a time."""
    kept = characters = undated = 0
    sizes: dict[str, int] = {}
    lost: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    removed: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    topics: Counter[str] = Counter()
    for batch in _batches(folder / "spans.parquet", ["doc_id", "start", "end", "kind"]):
        lengths = pc.subtract(batch["end"], batch["start"]).to_pylist()
        for doc_id, kind, length in zip(
            batch["doc_id"].to_pylist(), batch["kind"].to_pylist(), lengths, strict=True
        ):
            removed[kind] += length
            lost[doc_id] += length
    for batch in _batches(folder / "cleaned.parquet", ["doc_id", "text", "lang", "published"]):
        kept += batch.num_rows
        lengths = pc.utf8_length(batch["text"]).to_pylist()
        characters += sum(lengths)
        undated += batch["published"].null_count
        languages.update(lang or "unknown" for lang in batch["lang"].to_pylist())
        pairs = zip(batch["doc_id"].to_pylist(), lengths, strict=True)
        sizes |= {doc_id: length for doc_id, length in pairs if doc_id in lost}
    for batch in _batches(folder / "verdicts.parquet", ["verdict"]):
        verdicts.update(batch["verdict"].to_pylist())
    for batch in _batches(folder / "topics.parquet", ["name"]):
        topics.update(batch["name"].to_pylist())
    copies = list(_batches(folder / pipeline.DUPLICATES, ["group", "kind"]))
    rejected = _batches(folder / "quarantine.parquet", ["reason"])
    quarantined = sum(unread(batch["reason"].to_pylist()) for batch in rejected)
    return {
        "in": kept + quarantined,
        "kept": kept,
        "quarantined": quarantined,
        "characters": characters,
        "removed": removed,
        "verdicts": verdicts,
        "topics": topics,
        "undated": undated,
        "languages": languages,
        "halved": sum(2 * length > sizes.get(doc_id, length) for doc_id, length in lost.items()),
        "duplicates": pipeline.kinds_of(pa.Table.from_batches(copies)) if copies else {},
    }


def _batches(path: Path, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a result; nothing if it is absent or damaged, which the check of its digest reports."""
    try:
        with parquet.ParquetFile(path) as file:
            yield from file.iter_batches(columns=columns)
    except (OSError, pa.ArrowException):
        return


def _rerun(
    folder: Path,
    record: Mapping[str, Any],
    places: Sequence[str | Path],
    given: Mapping[str, str | Path | None],
) -> Iterator[Check]:
    """Repeat the run and compare each output; describe outputs whose bytes differ."""
    parameters = record["parameters"]
    for name, place in given.items():
        if parameters.get(name) and place is None:
            yield Check("rerun", "run", "done", f"not done; the run had {name}, pass --{name}")
            return
    recorded = [each.name for each in fields(Settings) if each.name in parameters and each.name not in given]
    settings: dict[str, Any] = {name: parameters[name] for name in recorded}
    with TemporaryDirectory(prefix="news-toolkit-verify-") as temporary:
        again = Path(temporary)
        try:
            pipeline.run(places, again, **(settings | dict(given)))
        except (pipeline.PipelineError, FileNotFoundError) as error:
            yield Check("rerun", "run", "done", str(error))
            return
        for name in record["outputs"]:
            found = "the same bytes"
            if _digest(folder / name) != _digest(again / name):
                found = _difference(folder / name, again / name)
            yield Check("rerun", name, "the same bytes", found)


def _digest(path: Path) -> str | None:
    return sha256(path) if path.is_file() else None


def _difference(old: Path, new: Path) -> str:
    """Describe how two results differ: which columns, in how many rows, and the id of the first row."""
    try:
        before, after = parquet.ParquetFile(old), parquet.ParquetFile(new)
    except (OSError, pa.ArrowException):
        return "no such file to compare with" if not old.is_file() else "other bytes; the old file is damaged"
    with before, after:
        if before.metadata.num_rows != after.metadata.num_rows:
            return f"{after.metadata.num_rows:,} rows in place of {before.metadata.num_rows:,}"
        if before.schema_arrow.names != after.schema_arrow.names:
            return f"columns {', '.join(after.schema_arrow.names)}"
        rows: Counter[str] = Counter()
        first = ""
        for one, other in zip(_rows(before), _rows(after), strict=False):
            for name in one.schema.names:
                differ = [a != b for a, b in zip(one[name].to_pylist(), other[name].to_pylist(), strict=True)]
                rows[name] += sum(differ)
                if not first and any(differ):
                    first = f", first {one[one.schema.names[0]][differ.index(True)].as_py()}"
        total = before.metadata.num_rows
    changed = [f"{name} in {n:,}" for name, n in rows.items() if n]
    if not changed:
        return "other bytes, but the same rows (another version of the Parquet writer)"
    return f"of {total:,} rows, {', '.join(changed)} differ{first}"


def _rows(file: parquet.ParquetFile) -> Iterator[pa.RecordBatch]:
    yield from file.iter_batches(batch_size=1024)


def _short(value: str) -> str:
    """Return a value for display: a shortened digest, or text with control characters made visible."""
    return value[:12] if len(value) == 64 and value.isalnum() else visible(value)

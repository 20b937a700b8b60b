"""Record: ``run.json``, what a run was made of and where; closed by digests, read with its types checked."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

from toolkit import __version__
from toolkit.display import visible
from toolkit.errors import DamagedError, NoRunError
from toolkit.files import sha256, whole

RECORD = "run.json"
_LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn", "numba", "trafilatura")
_LATER = ("environment", "certificate")
_LARGEST = 256 << 20  # bytes of a record


def versions() -> dict[str, str]:
    """Return the versions of the package, of Python and of the libraries that results depend on."""
    found = {name: metadata.version(name) for name in _LIBRARIES}
    return {"news-toolkit": __version__, "python": platform.python_version(), **found}


def models() -> dict[str, str]:
    """Return the SHA-256 of every shipped model file, by name."""
    folder = Path(__file__).parent / "models"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


def environment(started: datetime, inputs: Sequence[str | Path], folder: Path) -> dict[str, Any]:
    """Return what differs from run to run. The places are as seen from ``folder``, so that they name no home."""
    return {
        "inputs": [_as_seen(place, folder) for place in inputs],
        "command": shlex.join(sys.argv),
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "platform": platform.platform(),
    }


def _as_seen(place: str | Path, folder: Path) -> str:
    try:
        return str(place) if place == "-" else Path(os.path.relpath(place, folder)).as_posix()
    except ValueError:  # another drive of Windows
        return str(Path(place).absolute())


def digest_of(value: Any) -> str:
    """Return the SHA-256 of a JSON value in its canonical form: sorted keys, no white space, ASCII."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def record_bytes(record: Mapping[str, Any]) -> bytes:
    """Return the bytes of ``run.json``; those of a file name that are no UTF-8 become JSON escapes."""
    return (json.dumps(record, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "backslashreplace")


def closed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with its closing digests: ``digest``, to be cited, is the same for runs with the same results.

    It covers all but ``environment`` and ``certificate``; ``environment.digest`` covers it and these two.
    """
    content = {name: value for name, value in record.items() if name not in {"digest", *_LATER}}
    later = {name: value for name, value in record.items() if name in _LATER}
    later["environment"] = {k: v for k, v in record.get("environment", {}).items() if k != "digest"}
    digest = digest_of(content)
    later["environment"] = later["environment"] | {"digest": digest_of([digest, later])}
    return content | {"digest": digest, **later}


def amend(folder: str | Path, files: Iterable[Path], **sections: Any) -> None:
    """Add files of a folder of results to its record, as ``environment.pages``, and sections; close it again.

    ``sections``: values of ``environment`` or ``certificate``. A record that was changed stays so, for ``verify``.
    """
    record = read_record(folder)
    if closed(record) == record:
        environment = record["environment"] | sections.pop("environment", {})
        digests = {path.relative_to(folder).as_posix(): sha256(path) for path in files}
        environment["pages"] = record["environment"].get("pages", {}) | digests
        again = closed(record | sections | {"environment": environment})
        with whole(Path(folder) / RECORD) as temporary:
            temporary.write_bytes(record_bytes(again))


def intact(folder: str | Path) -> dict[str, Any]:
    """Return the record of a folder, if it and the results have their digests, or raise DamagedError."""
    record = read_record(folder)
    if closed(record) != record:
        raise DamagedError(f"{Path(folder) / RECORD}: was changed; see `news-toolkit verify {folder}`")
    for name, recorded in record["outputs"].items():
        if plain_digest(Path(folder), name) != recorded:
            place = Path(folder) / visible(name).replace("\n", "␊")
            raise DamagedError(f"{place}: not what {RECORD} states; see `news-toolkit verify {folder}`")
    return record


def plain_digest(folder: Path, name: str) -> str | None:
    """Return the SHA-256 of a file that lies in a folder, None if there is no plain file of that name in it."""
    parts = PurePosixPath(name).parts
    if name != "/".join(parts) or ".." in parts or not parts or not (folder / name).is_file():
        return None
    ways = [folder.joinpath(*parts[:n]) for n in range(1, len(parts) + 1)]
    return None if any(way.is_symlink() for way in ways) else sha256(ways[-1])


def read_record(folder: str | Path) -> dict[str, Any]:
    """Return the content of ``run.json``, its types checked; else raise NoRunError or DamagedError."""
    path = Path(folder) / RECORD
    if Path(folder).is_file():
        raise NoRunError(f"{folder}: a file; give the folder of the run, such as {Path(folder).parent}")
    if not path.exists():
        raise NoRunError(f"{folder}: no run.json, so no finished run; run `news-toolkit run IN -o {folder}`")
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
            raise ValueError(f"a link, no plain file, or larger than {_LARGEST >> 20} MiB")
        record = json.loads(path.read_text("utf-8"), object_pairs_hook=_once)
        if wrong := unfit(record, _SHAPE, "record"):
            raise ValueError(wrong)
        digest_of(record)  # no number that cannot be written again
        # places and command may hold bytes of file names that are no UTF-8; nothing else does
        json.dumps(record | {"environment": None}, ensure_ascii=False).encode("utf-8")
        counts, most = record["counts"], record["counts"]["kept"]
        kinds = [counts.get(name, {}) for name in ("topics", "verdicts", "faults", "languages", "duplicates")]
        single = [counts.get(name, 0) for name in ("halved", "undated", "outside")]
        copies = sum(kinds[-1].values()) - kinds[-1].get("groups", 0)
        if max([copies, *single, *(n for kind in kinds for n in kind.values())]) > most:
            raise ValueError("record.counts has more documents of a kind than are kept")
    except (ValueError, RecursionError) as error:
        reason = visible(" ".join(str(error).split())[:160])
        raise DamagedError(f"{path}: not the record of a run ({reason}); run again") from None
    return dict(record)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return found


_ANY = "*"
_NUMBERS = {_ANY: int}
_SHAPE: Any = {
    "versions": {"news-toolkit": str, "python": str, _ANY: str}, "seeds": [object],
    "parameters": {"?threshold": float | int, "?max_article_loss": float | int, _ANY: object},
    "models": {_ANY: str}, "outputs": {_ANY: str},
    "inputs": [{"name": str, "bytes": int | None, "sha256": str | None}], "?decisions": {_ANY: str},
    "?labels": {_ANY: [object]},
    "counts": {
        "in": int, "kept": int, "quarantined": int, "characters": int, "removed": _NUMBERS, "topics": _NUMBERS,
        "?verdicts": _NUMBERS, "?faults": _NUMBERS, "?languages": _NUMBERS, "?duplicates": _NUMBERS, _ANY: int,
    },
    "environment": {
        "inputs": [str], "?pages": {_ANY: str}, "?report": {"?texts": bool, "?title": str, "?author": str},
        "?command": str, "?started": str, "finished": str, "?platform": str, "?digest": str,
    },
    "?certificate": {_ANY: object}, "?digest": str,
}  # fmt: skip
"""Sections of a record: a type, a list of something, or a mapping of names to something; a name with ``?`` may be
absent, ``*`` is any other name; without it there are no others."""


def unfit(value: Any, shape: Any, place: str) -> str | None:
    """Return what in a value of JSON or TOML does not have a shape, such as :data:`_SHAPE`, or None."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return f"{place} is not a mapping"
        if gone := [name for name in shape if name[0] not in "?*" and name not in value]:
            return f"{place} lacks {gone[0]}"
        if _ANY not in shape and (more := [name for name in value if not {name, f"?{name}"} & shape.keys()]):
            return f"{place} has an unknown part {more[0]!r}"
        rest = shape.get(_ANY)
        parts = [(v, shape.get(k, shape.get(f"?{k}", rest)), f"{place}.{k}") for k, v in value.items()]
    elif isinstance(shape, list):
        if not isinstance(value, list):
            return f"{place} is not a list"
        parts = [(each, shape[0], f"{place}[{number}]") for number, each in enumerate(value)]
    else:
        good = isinstance(value, shape) and not (shape is int and isinstance(value, bool))
        if isinstance(value, int) and not 0 <= value < 1 << 63:
            return f"{place} is negative or larger than 64 bits"
        return None if good else f"{place} is {type(value).__name__}"
    return next((wrong for part in parts if (wrong := unfit(*part))), None)

"""The results file of the benchmark, the facts of the machine beside it, and the tables made of it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.speed.growth import cores
from toolkit.record import models, versions

FILE = "speed.json"
BEGIN, END = "<!-- speed: begin -->", "<!-- speed: end -->"

_DIGITS = 4


def machine(peers: Mapping[str, str]) -> dict[str, Any]:
    """Return what a figure depends on besides the code; no name of the host, no path."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _processor(),
        "cores": cores(),
        "memory": round(pages / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "date": datetime.now(UTC).date().isoformat(),
        "load": os.getloadavg()[0],
        "versions": {**peers, **versions()},
        "models": {name: digest[:12] for name, digest in models().items()},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"


def write(results: Mapping[str, Any], folder: Path) -> Path:
    """Write results as ``speed.json``: keys sorted, floats of four digits, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    partial = path.with_name(f".{FILE}.partial")
    partial.write_text(
        json.dumps(_rounded(results), indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8"
    )
    partial.replace(path)
    return path


def read(folder: Path) -> dict[str, Any]:
    """Read what :func:`write` wrote.

    Raises
    ------
    FileNotFoundError
        Nothing was measured yet.
    """
    path = folder / FILE
    if not path.is_file():
        msg = f"{path}: not there; run make bench, or python -m benchmarks.speed -o {folder}"
        raise FileNotFoundError(msg)
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def tables(results: Mapping[str, Any]) -> str:
    """Lay out results as Markdown, every number of which stands in them.

    Parameters
    ----------
    results : mapping
        As :func:`read` returns it.
    """
    return "\n\n".join(part for part in (
        _facts(results), _speeds(results), _runs(results["runs"]), _threads(results["threads"]),
        *(_profile(name, rows) for name, rows in results["profile"].items()),
        "\n".join(f"Not measured: {row['reason']}" for row in results["missing"]),
    ) if part)  # fmt: skip


def fill(text: str, results: Mapping[str, Any]) -> str:
    """Put the tables between the two marks of a document.

    Raises
    ------
    ValueError
        The marks are not there.

    Examples
    --------
    >>> fill("no marks", {})
    Traceback (most recent call last):
    ...
    ValueError: document: no line '<!-- speed: begin -->' … '<!-- speed: end -->'; put them where the tables belong
    """
    head, begun, rest = text.partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not (begun and ended):
        msg = f"document: no line {BEGIN!r} … {END!r}; put them where the tables belong"
        raise ValueError(msg)
    return f"{head}{BEGIN}\n\n{tables(results)}\n\n{END}{tail}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _facts(results: Mapping[str, Any]) -> str:
    facts, settings = results["machine"], results["settings"]
    libraries = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return (
        f"{facts['date']}, {facts['processor']}, {facts['cores']} cores, {facts['memory']:g} GiB, "
        f"{facts['system']}, load {facts['load']:g} at the start. Text: copies of `{settings['text']}`, "
        f"seed {settings['seed']}; {settings['portion']:g} MB in memory for the first table, "
        f"{settings['repeats']} rounds.\n\n{libraries}."
    )


def _speeds(results: Mapping[str, Any]) -> str:
    rows = [
        [row["task"], f"**{row['name']}**" if row["ours"] else row["name"], row["note"],
         _number(row["megabytes"]), _number(row["cpu"]["minimum"]), _number(row["cpu"]["median"]),
         _number(row["wall"]["minimum"]), _number(row["speed"]),
         "" if row["ratio"] is None else f"{_number(row['ratio'])} × ({row['against']})"]
        for row in results["rows"]
    ]  # fmt: skip
    header = ["task", "what", "how", "MB", "CPU s", "CPU s, median", "wall s", "MB/s", "ours is"]
    return _table(header, rows)


def _runs(rows: Sequence[Mapping[str, Any]]) -> str:
    header = ["`news-toolkit run`, GB of text", "documents", "jobs", "s to Parquet", "s with the report", "CPU s",
              "of it for the report", "peak MB", "with the report", "MB/s to Parquet", "times the floor, wall",
              "with the report", "times the floor, CPU"]  # fmt: skip
    return _table(header, [
        [_number(row["gigabytes"]), f"{row['documents']:,}", str(row["jobs"]), _number(row["parquet"]),
         _number(row["wall"]), _number(row["cpu"]), f"{100 * (1 - row['bare_cpu'] / row['cpu']):.0f} %",
         _number(row["bare_peak"] / 1e6), _number(row["peak"] / 1e6), _number(row["speed"]),
         *(_number(a / b) for a, b in ((row["parquet"], row["floor_wall"]), (row["wall"], row["floor_wall"]),
                                       (row["bare_cpu"], row["floor_cpu"])))]
        for row in rows
    ])  # fmt: skip


def _threads(rows: Sequence[Mapping[str, Any]]) -> str:
    alone = {row["task"]: row["wall"] for row in rows if row["threads"] == 1}
    return _table(["in memory", "threads", "wall s", "MB/s", "times one thread"], [
        [row["task"], str(row["threads"]), _number(row["wall"]), _number(row["speed"]),
         _number(alone[row["task"]] / row["wall"]) if row["task"] in alone else ""]
        for row in rows
    ])  # fmt: skip


def _profile(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    return _table(
        [f"where the time of *{name}* goes", "share"],
        [[f"`{row['function']}`", f"{100 * row['share']:.0f} %"] for row in rows],
    )

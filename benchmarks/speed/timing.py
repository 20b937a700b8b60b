"""Timing: CPU and wall time of calls that take turns, and of commands with the memory of their processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

Work = Callable[[], object]

_POLL = 0.1  # seconds between two looks at a command's memory


@dataclass(frozen=True)
class Entry:
    """One row to measure.

    Attributes
    ----------
    name : str
    task : str
        What it does; ratios are made within a task.
    prepare : callable
        Makes of a corpus the call to be timed; what it does itself is not timed.
    ours : bool
        Of this package.
    against : str, optional
        For a peer: name of our row that does the like.
    share : float, default 1
        For a slow one: which share of the documents it is given, the first of them.
    note : str
        Settings, in words.
    """

    name: str
    task: str
    prepare: Callable[[pd.DataFrame], Work]
    ours: bool = False
    against: str | None = None
    share: float = 1.0
    note: str = ""


@dataclass
class Timed:
    """Seconds that an entry took, call by call."""

    entry: Entry
    documents: int
    text: int
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """Return it as JSON has it, without the ratio, which needs the other rows."""
        return {
            "name": self.entry.name,
            "task": self.entry.task,
            "ours": self.entry.ours,
            "against": self.entry.against,
            "note": self.entry.note,
            "documents": self.documents,
            "megabytes": self.text / 1e6,
            "cpu": {"minimum": min(self.cpu), "median": statistics.median(self.cpu)},
            "wall": {"minimum": min(self.wall), "median": statistics.median(self.wall)},
            "repeats": len(self.cpu),
            "speed": self.text / 1e6 / min(self.cpu),
        }


def size(corpus: pd.DataFrame, column: str = "text") -> int:
    """Return the bytes of text (UTF-8) of a corpus."""
    return sum(len(text.encode("utf-8")) for text in corpus[column])


@contextmanager
def one_core() -> Iterator[None]:
    """Hold this process to one core and the numeric libraries to one thread, where the system can."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    try:
        if allowed is not None:
            os.sched_setaffinity(0, {max(allowed)})
        with import_module("threadpoolctl").threadpool_limits(1):
            yield
    finally:
        if allowed is not None:
            os.sched_setaffinity(0, allowed)


def measure(
    entries: Sequence[Entry],
    corpus: pd.DataFrame,
    *,
    repeats: int = 3,
    column: str = "text",
    say: Callable[[str], None] = lambda _: None,
) -> list[Timed]:
    """Time entries on the same text, taking turns so that a busy moment of the machine meets them all.

    Parameters
    ----------
    entries : sequence of Entry
    corpus : DataFrame
        Columns of :mod:`toolkit.corpus`; warm-up reads its first twentieth.
    repeats : int, default 3
        Rounds. Each call is prepared anew, because some peers edit what they are given.
    column : str, default "text"
        Whose bytes count.
    say : callable, optional
        Told the name of each entry before its first call.
    """
    timed = []
    for entry in entries:
        part = corpus.head(max(1, round(entry.share * len(corpus))))
        timed.append(Timed(entry, len(part), size(part, column)))
    for number in range(repeats):
        for row in timed:
            part = corpus.head(row.documents)
            if number == 0:
                say(row.entry.name)
                row.entry.prepare(part.head(max(1, len(part) // 20)))()
            work = row.entry.prepare(part)
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            row.cpu.append(time.process_time() - cpu)
            row.wall.append(time.perf_counter() - wall)
    return timed


def with_ratios(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Add ``ratio`` to each row that has an ``against``: how many times as fast that row of ours is.

    Speeds are megabytes of text a second of CPU time, in the fastest call.

    Examples
    --------
    >>> rows = [{"name": "ours", "against": None, "speed": 60.0}, {"name": "x", "against": "ours", "speed": 4.0}]
    >>> [row["ratio"] for row in with_ratios(rows)]
    [None, 15.0]
    """
    speed = {row["name"]: row["speed"] for row in records}
    return [
        {**row, "ratio": speed[row["against"]] / row["speed"] if row["against"] in speed else None}
        for row in records
    ]


@dataclass(frozen=True)
class Watched:
    """A command that has ended: seconds, and the most memory its processes held together (bytes)."""

    wall: float
    cpu: float
    peak: int
    ended: float


def watch(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Watched:
    """Run a command to its end, and look at the memory of all its processes ten times a second.

    Linux hands the peak of the process that starts a command down to it, so what ``wait4`` tells of memory is used
    only where there is no ``/proc`` to look at.

    Raises
    ------
    RuntimeError
        It failed; the message has the last line that it wrote.
    """
    started = time.perf_counter()
    with subprocess.Popen(
        list(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(environment or {})},
    ) as process:
        peak = 0
        while True:
            peak = max(peak, _resident(process.pid))
            # wait4 tells the CPU time of this child and those it waited for, and of no other
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(_POLL)
        ended = time.time()
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        said = process.stdout.read() if process.stdout else ""
    if process.returncode:
        last = (said.strip().splitlines() or ["it said nothing"])[-1]
        msg = f"{Path(command[0]).name} {' '.join(command[1:4])} …: exit code {process.returncode}: {last}"
        raise RuntimeError(msg)
    unit = 1 if sys.platform == "darwin" else 1024
    return Watched(wall, usage.ru_utime + usage.ru_stime, peak or usage.ru_maxrss * unit, ended)


def _resident(process: int) -> int:
    """Return the resident bytes of a process and its descendants (0 where the system has no /proc)."""
    children: dict[int, list[int]] = {}
    resident: dict[int, int] = {}
    page = os.sysconf("SC_PAGE_SIZE")
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        children.setdefault(int(fields[1]), []).append(int(folder.name))
        resident[int(folder.name)] = int(fields[21]) * page
    family, total = [process], 0
    while family:
        member = family.pop()
        total += resident.get(member, 0)
        family += children.get(member, [])
    return total

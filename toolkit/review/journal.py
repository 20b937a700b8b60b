"""Journal: what people decided, one line each, only ever appended; all state is read from the file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

UNDO = "undo"
"""Note of a line that takes the step before it back."""


class Entry(NamedTuple):
    """One line: its subject, the verdict on it (None: taken back), and a note."""

    subject: str
    verdict: Any
    note: str


class Step(NamedTuple):
    """A step that can be undone: its subject, and the verdict on it before."""

    subject: str
    before: Any


class Journal:
    """The current state of a file of lines, read again whenever the file has changed.

    Parameters
    ----------
    path : path
        A file that need not exist yet. A last line that was only half written, because the machine went down
        or the disk was full, is moved to ``<name>.torn`` beside it: it holds no word, and would spoil the
        next one.
    read : callable
        Gives the entries of the file.

    Attributes
    ----------
    verdicts : dict of str to object
        The last verdict on each subject.
    steps : list of Step
        What can be undone, oldest first.
    torn : str
        The half-written line that was moved, empty if there was none.
    """

    def __init__(self, path: str | Path, read: Callable[[Path], Iterable[Entry]]) -> None:
        self.path = Path(path)
        self._read = read
        self._seen: tuple[int, int] | None = None
        self.torn = set_aside(self.path)
        self.verdicts: dict[str, Any] = {}
        self.steps: list[Step] = []
        self.refresh()

    def refresh(self) -> bool:
        """Read the file if it is not as it was (another window may have written to it); return whether so."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            now = (0, 0)
        else:
            now = (stat.st_size, stat.st_mtime_ns)
        if now == self._seen:
            return False
        self.verdicts, self.steps = folded(self._read(self.path))
        self._seen = now
        return True


def folded(entries: Iterable[Entry]) -> tuple[dict[str, Any], list[Step]]:
    """Return the last verdict on each subject, and the steps that can be undone.

    Examples
    --------
    >>> folded([Entry("a", "keep", ""), Entry("b", "promo", ""), Entry("b", None, "undo")])
    ({'a': 'keep'}, [Step(subject='a', before=None)])
    """
    verdicts, steps = dict[str, Any](), list[Step]()
    for subject, verdict, note in entries:
        mine = [n for n, step in enumerate(steps) if step.subject == subject] if note == UNDO else []
        if mine:
            del steps[mine[-1]]
        else:
            steps.append(Step(subject, verdicts.get(subject)))
        if verdict is None:
            verdicts.pop(subject, None)
        else:
            verdicts[subject] = verdict
    return verdicts, steps


def lines(path: str | Path, sort: str, wanted: str, read: Callable[[Any], Entry]) -> Iterator[Entry]:
    """Yield the entries of a file, which need not exist: one JSON object a line.

    Raises
    ------
    ValueError
        A line is no such object; the message says which, and what is wanted.
    """
    path = Path(path)
    if not path.exists():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip():
            try:
                yield read(json.loads(line))
            except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
                msg = f"{path}#{number}: {line[:60]!r} is no {sort} ({error}); {wanted} are wanted"
                raise ValueError(msg) from error


def append(path: str | Path, row: dict[str, Any]) -> None:
    """Add one line to a file; empty strings are left out."""
    with Path(path).open("a", encoding="utf-8") as out:
        out.write(json.dumps({k: v for k, v in row.items() if v != ""}, ensure_ascii=False) + "\n")
        out.flush()


def now() -> str:
    """Return the time as files state it: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def set_aside(path: Path) -> str:
    """Move a half-written last line to ``<name>.torn``; end a whole one that lacks its line end."""
    if not path.exists():
        return ""
    raw = path.read_bytes()
    tail = raw[raw.rfind(b"\n") + 1 :]
    if not tail:
        return ""
    try:
        whole = isinstance(json.loads(tail), dict)
    except ValueError:
        whole = False
    if whole:
        with path.open("ab") as out:
            out.write(b"\n")
        return ""
    with path.with_name(path.name + ".torn").open("ab") as out:
        out.write(tail + b"\n")
    with path.open("r+b") as out:
        out.truncate(len(raw) - len(tail))
    return tail.decode("utf-8", "replace")

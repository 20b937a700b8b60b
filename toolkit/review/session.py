"""Session: things to judge one after another; every word is a line of a file at once, and the file is all its state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from toolkit.review.journal import UNDO, Entry, Journal
from toolkit.review.page import Action, Field, Page


class Session:
    """What the reviews have in common: place, verdicts, undo, notes, and the reviewer's actions.

    A new kernel continues where the last one stopped, and lines written by hand or in another window count.

    Parameters
    ----------
    path : path
        File of verdicts. Nothing is written before the first.
    read : callable
        Gives its entries.

    Attributes
    ----------
    position : int
        Row that is shown.
    part : int
        Which part of it.
    status : str
    """

    name = ""

    def __init__(self, path: str | Path, read: Callable[[Path], Iterable[Entry]]) -> None:
        self._journal = Journal(path, read)
        self.position = self.part = 0
        self.note = ""
        self.status = f"half-written last line moved to {self.path.name}.torn" if self._journal.torn else ""

    def _over(self, subjects: list[tuple[str, ...]]) -> None:
        """Say what is judged: the subjects of each row, which get the same verdict; show the first open one."""
        self._subjects = subjects
        self._row_of = {subject: row for row, each in enumerate(subjects) for subject in each}
        self._journal.refresh()
        self._go(self._next_open(0), self.status)

    @property
    def path(self) -> Path:
        """The file of verdicts."""
        return self._journal.path

    def _write(self, subject: str, verdict: Any, note: str) -> None:
        """Append a verdict, None to take it back, to the file."""
        raise NotImplementedError

    def page(self) -> Page:
        """Return what is to be seen now."""
        raise NotImplementedError

    def _act(self, name: str, value: str) -> None:
        """Do what a button of this review alone stands for."""
        raise NotImplementedError

    def _set(self, name: str, value: str) -> None:
        """Take what was written or chosen in a field."""
        if name == "note":
            self.note = f"{value}." if value == UNDO else value

    def _verdict(self, row: int) -> Any:
        """Return the verdict on a row: that of all its subjects, None where they have none or several."""
        first, *others = (self._journal.verdicts.get(subject) for subject in self._subjects[row])
        return first if all(other == first for other in others) else None

    def _done(self) -> int:
        rows = {self._row_of[subject] for subject in self._journal.verdicts if subject in self._row_of}
        return sum(self._verdict(row) is not None for row in rows)

    def _decide(self, verdict: Any, wording: str) -> None:
        for subject in self._subjects[self.position]:
            self._write(subject, verdict, self.note)
        self.note = ""
        self._journal.refresh()
        self._go(self._next_open(self.position + 1), wording)

    def undo(self) -> None:
        """Take back the last verdict in this file, whoever gave it, and show what it was about."""
        self._journal.refresh()
        steps = [step for step in reversed(self._journal.steps) if step.subject in self._row_of]
        if not steps:
            self.status = "nothing to undo"
            return
        row = self._row_of[steps[0].subject]
        taken: dict[str, Any] = {}
        for step in steps:
            if self._row_of[step.subject] != row or step.subject in taken:
                break
            taken[step.subject] = step.before
        for subject, before in taken.items():
            self._write(subject, before, UNDO)
        self._journal.refresh()
        self._go(row, "undone")

    def _go(self, row: int, status: str = "") -> None:
        self.position, self.part, self.status = row % max(1, len(self._subjects)), 0, status

    def _next_open(self, row: int) -> int:
        total = len(self._subjects)
        order: Iterator[int] = chain(range(row, total), range(min(row, total)))
        return next((r for r in order if self._verdict(r) is None), min(row, max(0, total - 1)))

    def do(self, action: str, value: str | None = None) -> None:
        """Do what a button or key of the page stands for; with a value, what was written in one of its fields.

        Raises
        ------
        ValueError
            The page has no such action or field, or it cannot be done now.
        """
        page = self.page()
        if value is not None and any(action == field.name for field in page.fields):
            self.status = ""
            self._set(action, value)
            return
        if not any(action == a.name and a.enabled for a in page.actions):
            msg = f"review: {action!r} cannot be done now; see page().actions"
            raise ValueError(msg)
        name, _, which = action.partition(":")
        if name in ("next", "previous"):
            self._go(self.position + (1 if name == "next" else -1))
        elif name in ("more", "back"):
            self.part += 1 if name == "more" else -1
            self.status = ""
        elif name == "skip":
            self._go(self._next_open(self.position + 1), "skipped; it comes again at the end")
        elif name == "undo":
            self.undo()
        else:
            self._act(name, which)

    def _noted(self) -> Field:
        return Field("note", "Note", self.note, key="n")

    def _moves(self, thing: str, parts: str, more: bool) -> list[Action]:
        """Return the actions that every review has."""
        undoable = any(step.subject in self._row_of for step in self._journal.steps)
        return [
            Action("undo", "Undo", "u", "Decide", enabled=undoable),
            Action("skip", "Skip", "s", "Move"),
            Action("previous", f"Previous {thing}", "ArrowLeft", "Move"),
            Action("next", f"Next {thing}", "ArrowRight", "Move"),
            Action("back", f"Earlier {parts}", "PageUp", "Move", enabled=self.part > 0),
            Action("more", f"More {parts}", "PageDown", "Move", enabled=more),
        ]
